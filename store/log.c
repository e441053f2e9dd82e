/*
 * log - entries and the tree over them inside a transaction.  The tiles that
 * are being filled stay in memory and are written once, at the commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

#define HEAD_KEY      "head"
#define HEAD_VERSION  1
#define HEAD_MAX      (1 + 8 + 8 + 64 * HASH_LEN + SHA256_LEN)
#define ENTRY_VERSION 1
#define ENTRY_ROW_MAX \
	(1 + 8 + 2 + ENTRY_SALT + 4 + ENTRY_LEAF_MAX + 4 + ENTRY_DETAIL_MAX)
#define TILE_KEY 9 /* level, then number */

enum err_code
log_tree_error(uint64_t index, const char *why, struct err *e)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)index);
	(void)err_say(e, ERR_CORRUPT, "store-tree",
	    "what is stored for entry %s of the log is not what its tree says; "
	    "stop writing, keep the files and compare them with a backup",
	    text);
	return err_why(e, "%s", why);
}

/* --- The head: size, time and peaks --------------------------------------- */

enum err_code
log_put_head(struct store *s, MDB_txn *txn, const struct merkle *tree,
    int64_t time, struct err *e)
{
	struct buf b AUTO_BUF = BUF(HEAD_MAX);
	uint8_t check[SHA256_LEN];
	size_t peaks = (size_t)__builtin_popcountll(tree->size);

	put_u8(&b, HEAD_VERSION);
	put_u64(&b, tree->size);
	put_i64(&b, time);
	buf_put(&b, tree->peak, peaks * HASH_LEN);
	sha256(check, buf_bytes(&b));
	buf_put(&b, check, sizeof(check));
	TRY(buf_end(&b, e));
	MDB_val k = val_of(bytes_str(HEAD_KEY)), d = val_of(buf_bytes(&b));
	return env_error(mdb_put(txn, s->meta, &k, &d, 0), e);
}

enum err_code
log_load(struct view *v, struct err *e)
{
	MDB_val k = val_of(bytes_str(HEAD_KEY)), d;
	uint8_t check[SHA256_LEN];

	int rc = mdb_get(v->txn, v->store->meta, &k, &d);
	if (rc == MDB_NOTFOUND || (rc == 0 && d.mv_size < SHA256_LEN))
		return env_damaged(e);
	TRY(env_error(rc, e));
	struct bytes row = bytes_of(d.mv_data, d.mv_size - SHA256_LEN);
	sha256(check, row);
	if (memcmp(check, row.p + row.len, SHA256_LEN) != 0)
		return env_damaged(e);
	struct reader r = reader_of(row);
	uint8_t version = get_u8(&r);
	v->tree.size = get_u64(&r);
	v->time = get_i64(&r);
	size_t len = HASH_LEN * (size_t)__builtin_popcountll(v->tree.size);
	struct bytes peaks = get_raw(&r, len);
	if (version != HEAD_VERSION || reader_end(&r, e) != ERR_OK)
		return env_damaged(e);
	if (len > 0)
		memcpy(v->tree.peak, peaks.p, len);
	return ERR_OK;
}

uint64_t
view_log_size(struct view *v)
{
	return v->tree.size;
}

int64_t
view_log_time(struct view *v)
{
	return v->time;
}

enum err_code
view_log_root(struct view *v, uint8_t root[HASH_LEN], struct err *e)
{
	TRY(view_sound(v, e));
	merkle_root(&v->tree, root);
	return ERR_OK;
}

/* --- Tiles ---------------------------------------------------------------- */

static MDB_val
tile_key(uint8_t key[TILE_KEY], unsigned level, uint64_t n)
{
	key[0] = (uint8_t)level;
	be64_print(key + 1, n);
	return val_of(bytes_of(key, TILE_KEY));
}

static void
tile_write(struct view *v, unsigned level)
{
	struct filling *f = v->filling[level];
	uint8_t key[TILE_KEY];
	struct err e;

	if (f == NULL || !f->dirty || v->failed)
		return;
	MDB_val k = tile_key(key, level, f->n);
	MDB_val d = val_of(bytes_of(f->hash, (size_t)f->count * HASH_LEN));
	f->dirty = false;
	view_count(v, d.mv_size);
	if (env_error(mdb_put(v->txn, v->store->tiles, &k, &d, 0), &e) !=
	    ERR_OK)
		view_fail(v, &e);
}

/* The tile as an earlier transaction left it: hashes in front of number i. */
static void
tile_load(struct view *v, unsigned level, uint64_t n, unsigned i)
{
	struct filling *f = v->filling[level];
	uint8_t key[TILE_KEY];
	MDB_val k = tile_key(key, level, n), d;
	struct err e;

	f->n = n;
	f->count = 0;
	if (i == 0)
		return;
	int rc = mdb_get(v->txn, v->store->tiles, &k, &d);
	if (rc == 0 && d.mv_size == (size_t)i * HASH_LEN) {
		memcpy(f->hash, d.mv_data, d.mv_size);
		f->count = i;
		return;
	}
	if (rc == 0 || rc == MDB_NOTFOUND)
		log_tree_error(v->tree.size, "tile of another length", &e);
	else if (env_error(rc, &e) == ERR_OK)
		return;
	view_fail(v, &e);
}

static void
tile_put(void *ctx, unsigned level, uint64_t n, unsigned i,
    const uint8_t hash[HASH_LEN])
{
	struct view *v = ctx;
	struct err e;

	if (v->filling[level] == NULL) {
		v->filling[level] = calloc(1, sizeof(struct filling));
		if (v->filling[level] == NULL) {
			(void)err_nomem(&e);
			view_fail(v, &e);
			return;
		}
		tile_load(v, level, n, i);
	} else if (v->filling[level]->n != n) {
		tile_write(v, level);
		tile_load(v, level, n, i);
	}
	struct filling *f = v->filling[level];
	memcpy(f->hash[i], hash, HASH_LEN);
	f->count = i + 1;
	f->dirty = true;
}

static enum err_code
tile_get(void *ctx, unsigned level, uint64_t n, struct bytes *hashes,
    struct err *e)
{
	struct view *v = ctx;
	uint8_t key[TILE_KEY];
	MDB_val k = tile_key(key, level, n), d;
	uint64_t all =
	    level < LEVELS ? v->tree.size >> (TILE_HEIGHT * level) : 0;

	TRY(view_sound(v, e));
	if (n > UINT64_MAX / TILE_WIDTH || n * TILE_WIDTH >= all)
		return err_say(e, ERR_NOTFOUND, "store-tile",
		    "the log has no such tile yet; ask again when it has "
		    "grown");
	uint64_t want = all - n * TILE_WIDTH;
	size_t len = HASH_LEN * (want < TILE_WIDTH ? (size_t)want : TILE_WIDTH);
	const struct filling *f = v->filling[level];
	if (f != NULL && f->n == n) {
		*hashes = bytes_of(f->hash, len);
		return ERR_OK;
	}
	int rc = mdb_get(v->txn, v->store->tiles, &k, &d);
	if (rc == MDB_NOTFOUND || (rc == 0 && d.mv_size != len))
		return log_tree_error((n * TILE_WIDTH) << (TILE_HEIGHT * level),
		    rc == 0 ? "tile of another length" : "tile missing", e);
	TRY(env_error(rc, e));
	*hashes = bytes_of_val(d);
	return ERR_OK;
}

struct tile_source
view_tiles(struct view *v)
{
	return (struct tile_source){ .ctx = v, .get = tile_get };
}

enum err_code
log_flush(struct view *v, struct err *e)
{
	if (!v->grown)
		return ERR_OK;
	for (unsigned level = 0; level < LEVELS; level++)
		tile_write(v, level);
	TRY(view_sound(v, e));
	return log_put_head(v->store, v->txn, &v->tree, v->time, e);
}

/* --- Entries -------------------------------------------------------------- */

static enum err_code
entry_store(struct view *v, const struct entry *entry, struct err *e)
{
	struct buf b AUTO_BUF = BUF(ENTRY_ROW_MAX);
	uint8_t key[8];

	put_u8(&b, ENTRY_VERSION);
	put_i64(&b, entry->time);
	put_u16(&b, (uint16_t)entry->type);
	buf_put(&b, entry->salt, ENTRY_SALT);
	put_bytes(&b, entry->leaf);
	put_bytes(&b, entry->detail);
	TRY(buf_end(&b, e));
	be64_print(key, entry->index);
	MDB_val k = val_of(bytes_of(key, sizeof(key)));
	MDB_val d = val_of(buf_bytes(&b));
	view_count(v, d.mv_size);
	return env_error(mdb_put(v->txn, v->store->entries, &k, &d, MDB_APPEND),
	    e);
}

static enum err_code
append(struct view *v, const struct entry *entry, struct err *e)
{
	uint8_t leaf[HASH_LEN];

	if (entry->index != v->tree.size)
		return err_say(e, ERR_CONFLICT, "store-index",
		    "the entry is not numbered as the next of the log; read "
		    "the size of the log again");
	if (!v->store->scratch)
		TRY(entry_store(v, entry, e));
	merkle_leaf_hash(leaf, entry->leaf);
	merkle_append(&v->tree, leaf, tile_put, v);
	v->time = entry->time;
	v->grown = true;
	return view_sound(v, e);
}

enum err_code
view_log_append(struct view *v, const struct entry *entry, struct err *e)
{
	TRY(view_writable(v, e));
	enum err_code rc = append(v, entry, e);
	if (rc != ERR_OK)
		view_fail(v, e);
	return rc;
}

static enum err_code
row_decode(struct bytes row, uint64_t index, struct entry *out, struct err *e)
{
	struct reader r = reader_of(row);

	*out = (struct entry){ .index = index };
	uint8_t version = get_u8(&r);
	out->time = get_i64(&r);
	out->type = (enum entry_type)get_u16(&r);
	struct bytes salt = get_raw(&r, ENTRY_SALT);
	out->leaf = get_bytes(&r);
	out->detail = get_bytes(&r);
	if (version != ENTRY_VERSION || reader_end(&r, e) != ERR_OK)
		return log_tree_error(index, "the row does not decode", e);
	memcpy(out->salt, salt.p, ENTRY_SALT);
	return ERR_OK;
}

enum err_code
log_entry_decode(struct bytes row, uint64_t index, struct arena *a,
    struct entry *out, struct err *e)
{
	struct entry head, en;

	TRY(row_decode(row, index, &head, e));
	en = head;
	if (entry_parse(&en, a, e) != ERR_OK) {
		char say[sizeof(e->say)];
		memcpy(say, e->say, sizeof(say));
		return log_tree_error(index, say, e);
	}
	if (en.index != index || en.time != head.time || en.type != head.type)
		return log_tree_error(index, "row and leaf disagree", e);
	*out = en;
	return ERR_OK;
}

static enum err_code
row_get(struct view *v, uint64_t index, struct bytes *row, struct err *e)
{
	uint8_t key[8];
	MDB_val k, d;

	TRY(view_sound(v, e));
	be64_print(key, index);
	k = val_of(bytes_of(key, sizeof(key)));
	int rc = mdb_get(v->txn, v->store->entries, &k, &d);
	if (rc == MDB_NOTFOUND && index >= v->tree.size)
		return err_say(e, ERR_NOTFOUND, "entry-missing",
		    "the log has no entry of this number yet");
	if (rc == MDB_NOTFOUND)
		return log_tree_error(index, "the row is missing", e);
	TRY(env_error(rc, e));
	*row = bytes_of_val(d);
	return ERR_OK;
}

enum err_code
view_entry(struct view *v, uint64_t index, struct arena *a, struct entry *out,
    struct err *e)
{
	struct bytes row;

	TRY(row_get(v, index, &row, e));
	/* A copy first: refs of the entry may borrow from leaf and detail. */
	return log_entry_decode(arena_copy(a, row), index, a, out, e);
}

enum err_code
view_entry_stored(struct view *v, uint64_t index, struct entry *out,
    struct err *e)
{
	struct bytes row;

	TRY(row_get(v, index, &row, e));
	return row_decode(row, index, out, e);
}

enum err_code
view_log_detail(struct view *v, uint64_t index, struct bytes *detail,
    struct err *e)
{
	struct entry en;

	TRY(view_entry_stored(v, index, &en, e));
	*detail = en.detail;
	return ERR_OK;
}
