/* store_work - directories, entries and effects for the tests of store. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake/store_work.h"

static void
must(bool good, const char *what)
{
	if (!good)
		fatal("test set-up: %s: %s", what, strerror(errno));
}

void
work_dir(char out[64])
{
	const char *tmp = getenv("TMPDIR");
	if (tmp == NULL || strlen(tmp) > 30)
		tmp = "/tmp";
	snprintf(out, 64, "%s/refrendo-store-XXXXXX", tmp);
	must(mkdtemp(out) != NULL, "mkdtemp");
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
work_dir_remove(const char *dir)
{
	must(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, dir);
}

void
work_path(char *out, size_t size, const char *dir, const char *name)
{
	int n = snprintf(out, size, "%s%s", dir, name);
	must(n > 0 && (size_t)n < size, "path");
}

void
work_copy(const char *from, const char *to)
{
	char block[1 << 16];
	ssize_t n;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(in >= 0 && out >= 0, to);
	while ((n = read(in, block, sizeof(block))) > 0)
		must(write(out, block, (size_t)n) == n, to);
	must(n == 0, from);
	close(in);
	close(out);
}

uint32_t
work_random(uint64_t *state, uint32_t n)
{
	/* splitmix64: any seed will do. */
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) % n);
}

/* --- Entries -------------------------------------------------------------- */

/* The entry of a number is always the same. */
static enum err_code
work_entry(uint64_t index, struct buf *detail, struct buf *leaf,
    char request[24], struct entry *out, struct err *e)
{
	uint64_t state = index;
	uint32_t len = work_random(&state, 40) == 0 ? 6000 : 40;
	struct entry en = { .index = index,
		.time = 1795500000 + (int64_t)index / 3,
		.type = ENTRY_REQUEST_DRAFTED };

	len += work_random(&state, len);
	snprintf(request, 24, "SOL-2026-%06u", (unsigned)(index % 1000000));
	buf_puts(detail, "{\"text\":\"");
	for (uint32_t i = 0; i < len; i++)
		buf_putc(detail, (uint8_t)('a' + work_random(&state, 26)));
	buf_puts(detail, "\"}");
	en.refs.request = bytes_str(request);
	en.detail = buf_bytes(detail);
	memset(en.salt, (int)(index % 251), sizeof(en.salt));
	TRY(entry_leaf_build(&en, leaf, e));
	en.leaf = buf_bytes(leaf);
	*out = en;
	return ERR_OK;
}

static enum err_code
put_text(struct view *v, char class, struct bytes name, struct bytes value,
    struct err *e)
{
	uint8_t key[ROW_KEY_MAX] = { (uint8_t)class };
	memcpy(key + 1, name.p, name.len);
	return view_put(v, bytes_of(key, 1 + name.len), value, e);
}

/*
 * Stands in for that of ca: a row for each entry, a large row that is written
 * over and over, a counter, and every fourth entry takes an older row away.
 */
enum err_code
ca_apply(struct view *v, const struct entry *entry, struct err *e)
{
	uint8_t number[8], old[ROW_KEY_MAX] = { ROW_REQUEST };
	struct bytes key, value;
	bool found;

	be64_print(number, entry->index);
	TRY(put_text(v, ROW_REQUEST, entry->refs.request, entry->leaf, e));
	TRY(put_text(v, ROW_ACT, bytes_str("last"), entry->detail, e));
	TRY(put_text(v, ROW_COUNTER, bytes_str("SOL-2026"),
	    bytes_of(number, sizeof(number)), e));
	if (entry->index % 4 != 3)
		return ERR_OK;
	TRY(view_next(v, bytes_of(old, 1), BYTES_NONE, &key, &value, &found,
	    e));
	return found ? view_del(v, key, e) : ERR_OK;
}

enum err_code
work_append(struct view *v, struct err *e)
{
	struct buf detail AUTO_BUF = BUF(1 << 16);
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	char request[24];
	struct entry entry;

	TRY(work_entry(view_log_size(v), &detail, &leaf, request, &entry, e));
	TRY(view_log_append(v, &entry, e));
	return ca_apply(v, &entry, e);
}

enum err_code
work_commit(struct store *s, unsigned n, struct err *e)
{
	struct view *v;
	TRY(store_begin(s, true, &v, e));
	for (unsigned i = 0; i < n; i++) {
		enum err_code rc = work_append(v, e);
		if (rc != ERR_OK) {
			view_abort(v);
			return rc;
		}
	}
	return view_commit(v, e);
}

bool
work_entries_good(struct view *v, uint64_t size)
{
	AUTO(arena) a = arena_new();
	struct err e;
	for (uint64_t i = 0; i < size; i++) {
		struct buf detail AUTO_BUF = BUF(1 << 16);
		struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
		char request[24];
		struct entry want, got, stored;
		arena_reset(a);
		if (work_entry(i, &detail, &leaf, request, &want, &e) !=
			ERR_OK ||
		    view_entry(v, i, a, &got, &e) != ERR_OK ||
		    view_entry_stored(v, i, &stored, &e) != ERR_OK ||
		    !bytes_eq(want.leaf, stored.leaf) ||
		    !bytes_eq(want.detail, stored.detail) ||
		    want.time != stored.time || want.type != stored.type ||
		    !bytes_eq(want.leaf, got.leaf) ||
		    !bytes_eq(want.detail, got.detail) ||
		    !bytes_eq(want.refs.request, got.refs.request) ||
		    memcmp(want.salt, got.salt, ENTRY_SALT) != 0 ||
		    want.time != got.time || want.type != got.type)
			return false;
	}
	return true;
}

/* --- Everything that can be read ------------------------------------------ */

static void
chain(uint8_t sum[SHA256_LEN], struct bytes b)
{
	struct buf both AUTO_BUF = BUF(SHA256_LEN + b.len);
	buf_put(&both, sum, SHA256_LEN);
	buf_put(&both, b.p, b.len);
	must(!both.failed, "chain");
	sha256(sum, buf_bytes(&both));
}

static bool
digest_rows(struct view *v, uint8_t sum[SHA256_LEN])
{
	uint8_t at[600];
	struct bytes after = BYTES_NONE, key, value;
	struct err e;
	bool found;

	for (;;) {
		if (view_next(v, BYTES_NONE, after, &key, &value, &found, &e) !=
		    ERR_OK)
			return false;
		if (!found)
			return true;
		chain(sum, key);
		chain(sum, value);
		memcpy(at, key.p, key.len);
		after = bytes_of(at, key.len);
	}
}

static bool
digest_log(struct view *v, uint8_t sum[SHA256_LEN])
{
	AUTO(arena) a = arena_new();
	uint64_t size = view_log_size(v);
	struct tile_source tiles = view_tiles(v);
	struct entry en;
	struct bytes tile;
	struct err e;

	for (uint64_t i = 0; i < size; i++) {
		arena_reset(a);
		if (view_entry(v, i, a, &en, &e) != ERR_OK)
			return false;
		chain(sum, en.leaf);
		chain(sum, en.detail);
		chain(sum, bytes_of(en.salt, ENTRY_SALT));
	}
	for (unsigned level = 0; size > 0; level++, size >>= TILE_HEIGHT)
		for (uint64_t n = 0; n * TILE_WIDTH < size; n++) {
			if (tiles.get(tiles.ctx, level, n, &tile, &e) != ERR_OK)
				return false;
			chain(sum, tile);
		}
	return true;
}

bool
work_digest(struct store *s, uint8_t out[SHA256_LEN])
{
	uint8_t root[HASH_LEN];
	struct view *v;
	struct err e;

	memset(out, 0, SHA256_LEN);
	if (store_begin(s, false, &v, &e) != ERR_OK)
		return false;
	bool good = view_log_root(v, root, &e) == ERR_OK;
	chain(out, bytes_of(root, HASH_LEN));
	good = good && digest_rows(v, out) && digest_log(v, out);
	view_abort(v);
	return good;
}
