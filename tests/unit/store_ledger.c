#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/store_work.h"

#define OK(call) ok(call, &e, #call, __LINE__)
#define REFUSED(call, code, id, say) \
	refused(call, code, id, say, &e, #call, __LINE__)

static void
ok(enum err_code rc, const struct err *e, const char *call, int line)
{
	if (rc != ERR_OK)
		fail_msg("line %d: %s: %s: %s (%s)", line, call, e->id, e->say,
		    e->why);
}

static void
refused(enum err_code rc, enum err_code want, const char *id, const char *say,
    const struct err *e, const char *call, int line)
{
	if (rc == ERR_OK)
		fail_msg("line %d: %s was not refused", line, call);
	if (rc != want || strcmp(e->id, id) != 0 || strcmp(e->say, say) != 0)
		fail_msg("line %d: %s: %s, %s, \"%s\"", line, call,
		    err_code_name(rc), e->id, e->say);
}

static const char damaged[] =
    "the store's data file is missing, cut or unreadable; nothing was "
    "changed: keep it as it is and restore a backup elsewhere";
static const char locked[] =
    "another engine is using this directory; stop it first, or give this one "
    "a directory of its own";

struct dirs {
	char base[64], dir[128], data[160], scratch[128];
};

static void
dirs_init(struct dirs *d)
{
	work_dir(d->base);
	work_path(d->dir, sizeof(d->dir), d->base, "/d");
	work_path(d->data, sizeof(d->data), d->dir, "/ledger/data.mdb");
	work_path(d->scratch, sizeof(d->scratch), d->base, "/scratch");
}

static struct store *
make(struct dirs *d, unsigned entries)
{
	struct store *s;
	struct err e;
	dirs_init(d);
	OK(store_open(d->dir, WORK_MAP, true, &s, &e));
	for (unsigned done = 0; done < entries; done += 100)
		OK(work_commit(s, entries - done < 100 ? entries - done : 100,
		    &e));
	return s;
}

static struct store *
reopen(struct dirs *d, struct store *s)
{
	struct err e;
	store_close(s);
	OK(store_open(d->dir, WORK_MAP, false, &s, &e));
	return s;
}

static void
finish(struct dirs *d, struct store *s)
{
	store_close(s);
	work_dir_remove(d->base);
}

static enum err_code
verify(struct store *s, uint64_t from, struct err *e)
{
	struct view *v;
	TRY(store_begin(s, false, &v, e));
	enum err_code rc = view_verify(v, from, e);
	view_abort(v);
	return rc;
}

static enum err_code
replay(struct dirs *d, struct store *s, struct err *e)
{
	uint64_t n;
	struct stat st;
	enum err_code rc = store_replay(s, d->scratch, NULL, NULL, &n, e);
	assert_int_equal(stat(d->scratch, &st), -1);
	return rc;
}

/* --- Opening -------------------------------------------------------------- */

static void
created_once_and_only_when_asked(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = NULL;
	struct err e;
	dirs_init(&d);
	REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_NOTFOUND,
	    "store-missing",
	    "there is no ledger in this directory; make one with init, or "
	    "restore a backup into it");
	OK(store_open(d.dir, WORK_MAP, true, &s, &e));
	OK(work_commit(s, 3, &e));
	store_close(s);
	s = NULL;
	REFUSED(store_open(d.dir, WORK_MAP, true, &s, &e), ERR_CONFLICT,
	    "store-exists",
	    "there is already a ledger in this directory; open it, or choose "
	    "an empty directory");
	assert_null(s);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	struct view *v;
	OK(store_begin(s, false, &v, &e));
	assert_int_equal(view_log_size(v), 3);
	assert_int_equal(view_log_time(v), 1795500000);
	view_abort(v);
	finish(&d, s);
}

static void
half_made_ledger_is_made_anew(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct err e;
	char part[160], file[200];
	dirs_init(&d);
	mkdir(d.dir, 0700);
	work_path(part, sizeof(part), d.dir, "/ledger.new");
	mkdir(part, 0700);
	work_path(file, sizeof(file), part, "/data.mdb");
	FILE *f = fopen(file, "w");
	fputs("half", f);
	fclose(f);
	OK(store_open(d.dir, WORK_MAP, true, &s, &e));
	OK(work_commit(s, 1, &e));
	finish(&d, s);
}

/* Runs f in a child; its exit status. */
static int
in_child(int (*f)(void *ctx), void *ctx)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(f(ctx));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
second_engine(void *ctx)
{
	struct dirs *d = ctx;
	struct store *s;
	struct err e;
	if (store_open(d->dir, WORK_MAP, false, &s, &e) != ERR_CONFLICT)
		return 1;
	return strcmp(e.id, "store-locked") == 0 && strcmp(e.say, locked) == 0
		   ? 0
		   : 2;
}

/* Fault F13. */
static void
fault_13_second_engine_is_refused(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 2), *other;
	struct err e;
	assert_int_equal(in_child(second_engine, &d), 0);
	REFUSED(store_open(d.dir, WORK_MAP, false, &other, &e), ERR_CONFLICT,
	    "store-locked", locked);
	REFUSED(store_open(d.dir, WORK_MAP, true, &other, &e), ERR_CONFLICT,
	    "store-locked", locked);
	OK(work_commit(s, 1, &e));
	s = reopen(&d, s);
	finish(&d, s);
}

static int
use_parents(void *ctx)
{
	struct store *s = ctx;
	struct view *v;
	struct err e;
	for (int write = 0; write < 2; write++)
		if (store_begin(s, write == 1, &v, &e) != ERR_CONFLICT ||
		    strcmp(e.id, "store-forked") != 0)
			return 1;
	store_close(s);
	return 0;
}

/* Fault F14. */
static void
fault_14_child_cannot_touch_it(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 2);
	struct view *v;
	struct err e;
	OK(store_begin(s, false, &v, &e));
	assert_int_equal(in_child(use_parents, s), 0);
	assert_true(work_entries_good(v, 2));
	view_abort(v);
	OK(work_commit(s, 1, &e));
	OK(verify(s, 0, &e));
	finish(&d, s);
}

/* Fault F11: the data file, cut, emptied, filled with something else. */
static void
fault_11_files_that_are_no_ledger(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		long size; /* cut to this many octets; -1 removes the file */
		int fill;  /* all octets of it; -1 leaves them */
	} rows[] = {
		{ "missing", -1, -1 },
		{ "empty", 0, -1 },
		{ "one octet", 1, -1 },
		{ "one page", 4096, -1 },
		{ "meta pages only", 8192, -1 },
		{ "one page after", 12288, -1 },
		{ "half", 40960, -1 },
		{ "zeros", 65536, 0 },
		{ "garbage", 65536, 'x' },
		{ "short garbage", 100, 'x' },
	};
	struct dirs d;
	struct err e;
	char good[160];
	store_close(make(&d, 60));
	work_path(good, sizeof(good), d.base, "/good");
	work_copy(d.data, good);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store *s = NULL;
		struct stat before, after;
		print_message("  %s\n", rows[i].name);
		work_copy(good, d.data);
		if (rows[i].size < 0)
			unlink(d.data);
		else if (rows[i].fill >= 0) {
			FILE *f = fopen(d.data, "w");
			for (long n = 0; n < rows[i].size; n++)
				fputc(rows[i].fill, f);
			fclose(f);
		} else
			assert_int_equal(truncate(d.data, rows[i].size), 0);
		int there = stat(d.data, &before);
		REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_CORRUPT,
		    "store-damaged", damaged);
		/* Refused again, and the evidence is as it was. */
		REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_CORRUPT,
		    "store-damaged", damaged);
		REFUSED(store_open(d.dir, WORK_MAP, true, &s, &e), ERR_CONFLICT,
		    "store-exists",
		    "there is already a ledger in this directory; open it, or "
		    "choose an empty directory");
		assert_int_equal(stat(d.data, &after), there);
		if (there == 0)
			assert_int_equal(before.st_size, after.st_size);
	}
	work_copy(good, d.data);
	struct store *s;
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(verify(s, 0, &e));
	finish(&d, s);
}

/* Every length that a cut can leave is refused or whole, never SIGBUS. */
static void
fault_11_cut_anywhere(void **state)
{
	(void)state;
	struct dirs d;
	struct err e;
	struct stat st;
	char good[160];
	store_close(make(&d, 30));
	work_path(good, sizeof(good), d.base, "/good");
	work_copy(d.data, good);
	assert_int_equal(stat(good, &st), 0);
	for (off_t size = 0; size < st.st_size; size += 4096) {
		struct store *s = NULL;
		work_copy(good, d.data);
		assert_int_equal(truncate(d.data, size), 0);
		if (store_open(d.dir, WORK_MAP, false, &s, &e) == ERR_OK) {
			OK(verify(s, 0, &e));
			OK(replay(&d, s, &e));
		} else
			assert_string_equal(e.id, "store-damaged");
		store_close(s);
	}
	work_dir_remove(d.base);
}

static void
fault_11_lock_file_gone_or_garbage(void **state)
{
	(void)state;
	struct dirs d;
	struct err e;
	char lock[160];
	struct store *s = make(&d, 5);
	store_close(s);
	work_path(lock, sizeof(lock), d.dir, "/ledger/lock.mdb");
	unlink(lock);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(work_commit(s, 1, &e));
	store_close(s);
	FILE *f = fopen(lock, "w");
	fputs("garbage", f);
	fclose(f);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(work_commit(s, 1, &e));
	OK(verify(s, 0, &e));
	store_close(s);
	unlink(lock);
	mkdir(lock, 0700);
	REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_IO, "store-io",
	    "the file system refused an operation on the store; the log has "
	    "its reason");
	work_dir_remove(d.base);
}

static void
fault_11_replaced_while_in_use(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 5);
	struct view *v;
	struct err e;
	char away[160];
	work_path(away, sizeof(away), d.base, "/away");
	assert_int_equal(rename(d.data, away), 0);
	const char *say = "the store's data file was removed or replaced while "
			  "in use; nothing more is written: put it back and "
			  "start again";
	REFUSED(store_begin(s, true, &v, &e), ERR_CORRUPT, "store-moved", say);
	work_copy(away, d.data);
	REFUSED(store_begin(s, false, &v, &e), ERR_CORRUPT, "store-moved", say);
	assert_int_equal(rename(away, d.data), 0);
	OK(work_commit(s, 1, &e));
	finish(&d, s);
}

/* --- Rows ----------------------------------------------------------------- */

static void
next_and_prefix(void **state)
{
	(void)state;
	static const char *const keys[] = { "a", "ab", "abc", "b", "ba",
		"b\xff", "b\xff\xff", "c" };
	static const struct {
		const char *name, *prefix, *after, *want; /* NULL: none */
	} rows[] = {
		{ "first of all", "", "", "a" },
		{ "all, behind one", "", "abc", "b" },
		{ "the prefix itself", "ab", "", "ab" },
		{ "behind the prefix", "ab", "ab", "abc" },
		{ "last of a prefix", "ab", "abc", NULL },
		{ "after in front of the prefix", "b", "a", "b" },
		{ "after is the prefix", "b", "b", "ba" },
		{ "after that is not there", "b", "bb", "b\xff" },
		{ "high octets", "b", "b\xff", "b\xff\xff" },
		{ "end of a prefix", "b", "b\xff\xff", NULL },
		{ "after behind the prefix", "a", "b", NULL },
		{ "no such prefix", "bx", "", NULL },
		{ "behind everything", "", "c", NULL },
	};
	struct dirs d;
	struct store *s = make(&d, 0);
	struct err e;
	for (int write = 0; write < 2; write++) {
		struct view *v;
		if (write == 0) {
			OK(store_begin(s, true, &v, &e));
			for (size_t i = 0; i < ARRAY_LEN(keys); i++)
				OK(view_put(v, bytes_str(keys[i]),
				    bytes_str(keys[i]), &e));
		} else
			OK(store_begin(s, false, &v, &e));
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct bytes k, val;
			bool found;
			OK(view_next(v, bytes_str(rows[i].prefix),
			    bytes_str(rows[i].after), &k, &val, &found, &e));
			if (found != (rows[i].want != NULL) ||
			    (found && (!bytes_is(k, rows[i].want) ||
					  !bytes_is(val, rows[i].want))))
				fail_msg("%s", rows[i].name);
		}
		OK(view_commit(v, &e));
	}
	finish(&d, s);
}

#define MODEL 40
/* Random puts, deletions and walks against a table in memory. */
static void
rows_follow_a_model(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 0);
	uint64_t rnd = 7;
	uint32_t value[MODEL] = { 0 }; /* 0: absent */
	struct view *v = NULL;
	struct err e;
	for (int i = 1; i < 4000; i++) {
		uint8_t key[2] = { 'k', (uint8_t)work_random(&rnd, MODEL) };
		struct bytes kb = bytes_of(key, 2), got, k;
		bool found;
		if (v == NULL)
			OK(store_begin(s, true, &v, &e));
		switch (work_random(&rnd, 8)) {
		case 0:
		case 1:
		case 2: {
			/* Some rows are larger than a page. */
			size_t len = 4 + work_random(&rnd, 5) * 1500;
			uint8_t *big = calloc(1, len);
			memcpy(big, &i, 4);
			OK(view_put(v, kb, bytes_of(big, len), &e));
			free(big);
			value[key[1]] = (uint32_t)i;
			break;
		}
		case 3:
			OK(view_del(v, kb, &e));
			value[key[1]] = 0;
			break;
		case 4:
			OK(view_commit(v, &e));
			v = NULL;
			continue;
		default:
			break;
		}
		OK(view_get(v, kb, &got, &found, &e));
		assert_int_equal(found, value[key[1]] != 0);
		if (found)
			assert_memory_equal(got.p, &value[key[1]], 4);
		OK(view_next(v, bytes_str("k"), kb, &k, &got, &found, &e));
		unsigned next = key[1] + 1u;
		while (next < MODEL && value[next] == 0)
			next++;
		assert_int_equal(found, next < MODEL);
		if (found)
			assert_int_equal(k.p[1], next);
	}
	view_abort(v);
	finish(&d, s);
}

static void
first_error_is_kept(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 4);
	struct bytes value;
	struct view *v;
	struct err e;
	bool found;
	uint8_t long_key[512] = { 'k' };
	const char *say =
	    "a key of the store must have between 1 and 511 octets";
	OK(store_begin(s, true, &v, &e));
	OK(view_put(v, bytes_str("r1"), bytes_str("one"), &e));
	OK(view_put(v, bytes_of(long_key, 511), bytes_str("long"), &e));
	REFUSED(view_put(v, bytes_of(long_key, 512), bytes_str("x"), &e),
	    ERR_INVALID, "store-key", say);
	/* Whatever follows says the same, and nothing is written. */
	REFUSED(view_put(v, bytes_str("r2"), bytes_str("two"), &e), ERR_INVALID,
	    "store-key", say);
	REFUSED(view_get(v, bytes_str("r1"), &value, &found, &e), ERR_INVALID,
	    "store-key", say);
	REFUSED(work_append(v, &e), ERR_INVALID, "store-key", say);
	REFUSED(view_commit(v, &e), ERR_INVALID, "store-key", say);
	OK(store_begin(s, false, &v, &e));
	OK(view_get(v, bytes_str("r1"), &value, &found, &e));
	assert_false(found);
	REFUSED(view_get(v, BYTES_NONE, &value, &found, &e), ERR_INVALID,
	    "store-key", say);
	/* A reader goes on after an error. */
	OK(view_get(v, bytes_str("r1"), &value, &found, &e));
	const char *reads =
	    "this view of the ledger only reads; nothing was written";
	REFUSED(view_put(v, bytes_str("r"), value, &e), ERR_CONFLICT,
	    "store-read-only", reads);
	REFUSED(view_del(v, bytes_str("r"), &e), ERR_CONFLICT,
	    "store-read-only", reads);
	REFUSED(work_append(v, &e), ERR_CONFLICT, "store-read-only", reads);
	view_abort(v);
	view_abort(NULL);
	finish(&d, s);
}

static void
one_writer_and_readers_of_the_last_commit(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 4);
	struct view *w, *r, *other;
	struct err e;
	OK(store_begin(s, true, &w, &e));
	OK(work_append(w, &e));
	REFUSED(store_begin(s, true, &other, &e), ERR_CONFLICT, "store-writing",
	    "a group of writes is already open; end it before the next one "
	    "begins");
	OK(store_begin(s, false, &r, &e));
	assert_int_equal(view_log_size(w), 5);
	assert_int_equal(view_log_size(r), 4);
	OK(view_commit(w, &e));
	assert_int_equal(view_log_size(r), 4);
	assert_true(work_entries_good(r, 4));
	view_abort(r);
	OK(store_begin(s, true, &w, &e));
	OK(work_append(w, &e));
	view_abort(w);
	OK(store_begin(s, false, &r, &e));
	assert_int_equal(view_log_size(r), 5);
	view_abort(r);
	OK(verify(s, 0, &e));
	finish(&d, s);
}

/* Fault F8. */
static void
fault_08_map_full(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct store_stats stats;
	struct err e;
	uint64_t entries = 0;
	dirs_init(&d);
	OK(store_open(d.dir, 1 << 20, true, &s, &e));
	while (work_commit(s, 20, &e) == ERR_OK)
		entries += 20;
	assert_int_equal(e.code, ERR_BUSY);
	assert_string_equal(e.id, "store-full");
	assert_string_equal(e.say,
	    "the store is as large as it may be and took nothing; start the "
	    "engine with a larger map");
	OK(store_stats(s, &stats, &e));
	assert_int_equal(stats.entries, entries);
	assert_int_equal(stats.map_bytes, 1 << 20);
	assert_in_range(stats.used_bytes, 500000, 1 << 20);
	OK(verify(s, 0, &e));
	store_close(s);
	OK(store_open(d.dir, 4 << 20, false, &s, &e));
	OK(work_commit(s, 20, &e));
	OK(verify(s, 0, &e));
	OK(replay(&d, s, &e));
	finish(&d, s);
}

/* --- The log -------------------------------------------------------------- */

static void
tree_is_that_of_audit(void **state)
{
	(void)state;
	static const unsigned groups[] = { 1, 1, 253, 1, 1, 1, 254, 1, 700, 3 };
	struct dirs d;
	struct store *s = make(&d, 0);
	struct merkle tree = { .size = 0 };
	uint8_t leaf[HASH_LEN], root[HASH_LEN], want[HASH_LEN];
	AUTO(arena) a = arena_new();
	struct entry en;
	struct err e;
	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		OK(work_commit(s, groups[g], &e));
		struct view *v;
		OK(store_begin(s, g % 2 == 0, &v, &e));
		/* A writing view shows what it has not written yet. */
		if (g % 2 == 0)
			OK(work_append(v, &e));
		while (tree.size < view_log_size(v)) {
			arena_reset(a);
			OK(view_entry(v, tree.size, a, &en, &e));
			merkle_leaf_hash(leaf, en.leaf);
			merkle_append(&tree, leaf, NULL, NULL);
		}
		OK(view_log_root(v, root, &e));
		merkle_root(&tree, want);
		assert_memory_equal(root, want, HASH_LEN);
		struct tile_source tiles = view_tiles(v);
		for (uint64_t i = 0; i < tree.size; i += 97) {
			struct proof p;
			OK(view_entry(v, i, a, &en, &e));
			merkle_leaf_hash(leaf, en.leaf);
			OK(merkle_inclusion(i, tree.size, &tiles, &p, &e));
			OK(merkle_check_inclusion(&p, i, tree.size, leaf, root,
			    &e));
		}
		OK(view_verify(v, 0, &e));
		OK(view_commit(v, &e));
	}
	OK(verify(s, 0, &e));
	OK(replay(&d, s, &e));
	finish(&d, s);
}

static void
log_of_three_levels(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct err e;
	dirs_init(&d);
	OK(store_open(d.dir, INT64_C(256) << 20, true, &s, &e));
	for (unsigned i = 0; i < 9; i++)
		OK(work_commit(s, i < 8 ? 8192 : 300, &e));
	s = reopen(&d, s);
	OK(verify(s, 0, &e));
	OK(verify(s, 65536, &e));
	OK(verify(s, 65836, &e));
	struct view *v;
	struct bytes tile;
	OK(store_begin(s, false, &v, &e));
	struct tile_source t = view_tiles(v);
	OK(t.get(t.ctx, 2, 0, &tile, &e));
	assert_int_equal(tile.len, HASH_LEN);
	OK(t.get(t.ctx, 1, 1, &tile, &e));
	assert_int_equal(tile.len, HASH_LEN);
	OK(t.get(t.ctx, 0, 257, &tile, &e));
	assert_int_equal(tile.len, 44 * HASH_LEN);
	static const struct {
		unsigned level;
		uint64_t n;
	} none[] = { { 0, 258 }, { 1, 2 }, { 2, 1 }, { 3, 0 }, { 7, 0 },
		{ 8, 0 }, { 63, 0 }, { 0, UINT64_MAX } };
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		REFUSED(t.get(t.ctx, none[i].level, none[i].n, &tile, &e),
		    ERR_NOTFOUND, "store-tile",
		    "the log has no such tile yet; ask again when it has "
		    "grown");
	view_abort(v);
	finish(&d, s);
}

static void
entry_out_of_turn(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 7);
	AUTO(arena) a = arena_new();
	struct entry en;
	struct view *v;
	struct err e;
	OK(store_begin(s, true, &v, &e));
	OK(view_entry(v, 6, a, &en, &e));
	assert_int_equal(en.index, 6);
	REFUSED(view_log_append(v, &en, &e), ERR_CONFLICT, "store-index",
	    "the entry is not numbered as the next of the log; read the size "
	    "of the log again");
	view_abort(v);
	OK(store_begin(s, false, &v, &e));
	REFUSED(view_entry(v, 7, a, &en, &e), ERR_NOTFOUND, "entry-missing",
	    "the log has no entry of this number yet");
	view_abort(v);
	finish(&d, s);
}

/* --- Snapshot and replay -------------------------------------------------- */

static void
snapshot_is_a_ledger(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 333), *copy;
	uint8_t here[SHA256_LEN], there[SHA256_LEN];
	char to[160], part[160];
	struct stat st;
	struct view *w;
	struct err e;
	work_path(to, sizeof(to), d.base, "/copy");
	work_path(part, sizeof(part), d.base, "/copy.part");
	/* While a writer is busy: what is not committed is not in it. */
	OK(store_begin(s, true, &w, &e));
	OK(work_append(w, &e));
	OK(store_snapshot(s, to, &e));
	view_abort(w);
	assert_int_equal(stat(part, &st), -1);
	REFUSED(store_snapshot(s, to, &e), ERR_CONFLICT, "snapshot-exists",
	    "the place for the copy, or a part of an earlier one beside it, is "
	    "already there; give a name that is not in use");
	OK(store_open(to, WORK_MAP, false, &copy, &e));
	assert_true(work_digest(s, here) && work_digest(copy, there));
	assert_memory_equal(here, there, SHA256_LEN);
	OK(verify(copy, 0, &e));
	OK(replay(&d, copy, &e));
	OK(work_commit(copy, 5, &e));
	store_close(copy);
	char nowhere[200];
	work_path(nowhere, sizeof(nowhere), d.base, "/no/such/place");
	REFUSED(store_snapshot(s, nowhere, &e), ERR_IO, "store-io",
	    "the file system refused an operation on the store; the log has "
	    "its reason");
	finish(&d, s);
}

static void
count_progress(void *ctx, uint64_t done, uint64_t all)
{
	assert_true(done <= all);
	*(uint64_t *)ctx = done;
}

static void
replay_names_what_differs(void **state)
{
	(void)state;
	static const struct {
		const char *name, *key, *value, *want; /* value NULL: removed */
	} rows[] = {
		{ "changed row", "nSOL-2026", "12345678",
		    "row n with key 6e534f4c2d32303236" },
		{ "row too many", "r~", "x", "row r with key 727e" },
		{ "row missing", "nSOL-2026", NULL,
		    "row n with key 6e534f4c2d32303236" },
		{ "last row too many", "zz", "x", "row z with key 7a7a" },
		{ "first row too many", "a", "x", "row a with key 61" },
		{ "shorter", "nSOL-2026", "",
		    "row n with key 6e534f4c2d32303236" },
	};
	struct dirs d;
	struct store *s = make(&d, 2100);
	uint64_t seen = 0, n = 0;
	struct err e;
	OK(store_replay(s, d.scratch, count_progress, &seen, &n, &e));
	assert_int_equal(n, 2100);
	assert_int_equal(seen, 2100);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes key = bytes_str(rows[i].key), old;
		struct view *v;
		bool found;
		char say[200];
		print_message("  %s\n", rows[i].name);
		AUTO(arena) a = arena_new();
		OK(store_begin(s, true, &v, &e));
		OK(view_get(v, key, &old, &found, &e));
		if (found)
			old = arena_copy(a, old);
		if (rows[i].value == NULL)
			OK(view_del(v, key, &e));
		else
			OK(view_put(v, key, bytes_str(rows[i].value), &e));
		OK(view_commit(v, &e));
		snprintf(say, sizeof(say),
		    "the state is not what its log leads to: %s differs; stop "
		    "writing and compare with a backup",
		    rows[i].want);
		REFUSED(replay(&d, s, &e), ERR_CORRUPT, "replay-differs", say);
		OK(store_begin(s, true, &v, &e));
		if (found)
			OK(view_put(v, key, old, &e));
		else
			OK(view_del(v, key, &e));
		OK(view_commit(v, &e));
	}
	OK(replay(&d, s, &e));
	mkdir(d.scratch, 0700);
	REFUSED(store_replay(s, d.scratch, NULL, NULL, &n, &e), ERR_CONFLICT,
	    "replay-exists",
	    "the directory for the replay is already there; remove it, or give "
	    "a name that is not in use");
	finish(&d, s);
}

/* --- Stored data that was changed ----------------------------------------- */

struct change {
	const char *name, *table;
	uint8_t key[16];
	size_t key_len;
	size_t at;         /* octet that is flipped; SIZE_MAX removes the row */
	const char *entry; /* that the sentence names; NULL: refused at open */
};

static void
change_file(const char *dir, const struct change *c)
{
	char path[160];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	uint8_t key[16];
	memcpy(key, c->key, sizeof(key));
	MDB_val k = { c->key_len, key }, v;
	work_path(path, sizeof(path), dir, "/ledger");
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, c->table, 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
	if (c->at == SIZE_MAX)
		assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
	else {
		uint8_t *copy = malloc(v.mv_size);
		assert_true(c->at < v.mv_size);
		memcpy(copy, v.mv_data, v.mv_size);
		copy[c->at] ^= 1;
		v.mv_data = copy;
		assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
		free(copy);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

#define ENTRY_KEY(hi, lo)  { 0, 0, 0, 0, 0, 0, hi, lo }, 8
#define TILE_KEY(level, n) { level, 0, 0, 0, 0, 0, 0, 0, n }, 9

/* INCIDENTS row 66: a bit that flipped is found, and the entry named. */
static void
incident_66_flipped_bit_is_found(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct change rows[] = {
		{ "row version",   "entries", ENTRY_KEY(0, 5), 0, "5" },
		{ "time",          "entries", ENTRY_KEY(0, 5), 8, "5" },
		{ "type",          "entries", ENTRY_KEY(0, 5), 10, "5" },
		{ "salt",          "entries", ENTRY_KEY(0, 5), 20, "5" },
		{ "leaf's length", "entries", ENTRY_KEY(0, 5), 30, "5" },
		{ "leaf",          "entries", ENTRY_KEY(1, 9), 80, "265" },
		{ "detail",        "entries", ENTRY_KEY(2, 0), 280, "512" },
		{ "entry lost",    "entries", ENTRY_KEY(1, 9), SIZE_MAX, NULL },
		{ "last one lost", "entries", ENTRY_KEY(2, 87), SIZE_MAX, NULL },
		{ "leaf's hash",   "tiles", TILE_KEY(0, 1), 32 * 7, "263" },
		{ "open tile",     "tiles", TILE_KEY(0, 2), 32 * 80, "592" },
		{ "node",          "tiles", TILE_KEY(1, 0), 3, "0" },
		{ "second node",   "tiles", TILE_KEY(1, 0), 40, "256" },
		{ "tile lost",     "tiles", TILE_KEY(0, 1), SIZE_MAX, "256" },
		{ "level lost",    "tiles", TILE_KEY(1, 0), SIZE_MAX, "0" },
		{ "size",          "meta", "head", 4, 8, NULL },
		{ "peak",          "meta", "head", 4, 40, NULL },
		{ "head's check",  "meta", "head", 4, 120, NULL },
		{ "head lost",     "meta", "head", 4, SIZE_MAX, NULL },
		{ "schema lost",   "meta", "schema", 6, SIZE_MAX, NULL },
	};
	/* clang-format on */
	struct dirs d;
	struct err e;
	char good[160];
	store_close(make(&d, 600));
	work_path(good, sizeof(good), d.base, "/good");
	work_copy(d.data, good);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store *s = NULL;
		print_message("  %s\n", rows[i].name);
		work_copy(good, d.data);
		change_file(d.dir, &rows[i]);
		if (rows[i].entry == NULL) {
			REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e),
			    ERR_CORRUPT, "store-damaged", damaged);
			continue;
		}
		char say[200];
		snprintf(say, sizeof(say),
		    "what is stored for entry %s of the log is not what its "
		    "tree says; stop writing, keep the files and compare them "
		    "with a backup",
		    rows[i].entry);
		OK(store_open(d.dir, WORK_MAP, false, &s, &e));
		REFUSED(verify(s, 0, &e), ERR_CORRUPT, "store-tree", say);
		store_close(s);
	}
	work_dir_remove(d.base);
}

static void
other_schema(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct err e;
	const struct change c = { "schema", "meta", "schema", 6, 3, "" };
	store_close(make(&d, 6));
	change_file(d.dir, &c);
	REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_CORRUPT,
	    "store-version",
	    "the ledger is of version 0 and this program reads version 1; use "
	    "the program that wrote it");
	work_dir_remove(d.base);
}

/* INCIDENTS rows 39 and 63: an older copy reads well, and shows its size. */
static void
incident_63_old_copy_is_smaller(void **state)
{
	(void)state;
	struct dirs d;
	struct err e;
	char old[160];
	struct view *v;
	struct store *s = make(&d, 40);
	work_path(old, sizeof(old), d.base, "/old");
	store_close(s);
	work_copy(d.data, old);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(work_commit(s, 10, &e));
	store_close(s);
	work_copy(old, d.data);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(verify(s, 0, &e));
	OK(store_begin(s, false, &v, &e));
	assert_int_equal(view_log_size(v), 40);
	view_abort(v);
	finish(&d, s);
}

/* A head whose check is right and whose peaks are not those of the tiles. */
static void
incident_39_head_that_lies(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct err e;
	char path[160];
	uint8_t row[17 + 3 * HASH_LEN + SHA256_LEN];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = { 4, (void *)(uintptr_t)"head" }, v;
	store_close(make(&d, 7));
	work_path(path, sizeof(path), d.dir, "/ledger");
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
	assert_int_equal(v.mv_size, sizeof(row));
	memcpy(row, v.mv_data, sizeof(row));
	row[17 + HASH_LEN] ^= 1; /* the second peak: entries 4 and 5 */
	sha256(row + sizeof(row) - SHA256_LEN,
	    bytes_of(row, sizeof(row) - SHA256_LEN));
	v.mv_data = row;
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	REFUSED(verify(s, 0, &e), ERR_CORRUPT, "store-tree",
	    "what is stored for entry 4 of the log is not what its tree says; "
	    "stop writing, keep the files and compare them with a backup");
	finish(&d, s);
}

static void
more_readers_than_slots(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 3);
	struct view *v[300];
	struct err e;
	size_t n = 0;
	enum err_code rc = ERR_OK;
	while (n < ARRAY_LEN(v) &&
	       (rc = store_begin(s, false, &v[n], &e)) == ERR_OK)
		n++;
	REFUSED(rc, ERR_BUSY, "store-readers",
	    "too many read the store at the same time; try again");
	/* Writing needs no slot. */
	OK(work_commit(s, 1, &e));
	while (n > 0)
		view_abort(v[--n]);
	OK(verify(s, 0, &e));
	finish(&d, s);
}

static void
directory_names(void **state)
{
	(void)state;
	struct store *s;
	struct err e;
	static char path[5000];
	memset(path, 'a', sizeof(path) - 1);
	REFUSED(store_open(path, WORK_MAP, true, &s, &e), ERR_INVALID,
	    "store-path",
	    "the name of the data directory is too long; use a shorter one");
	REFUSED(store_open("/dev/null/x", WORK_MAP, true, &s, &e), ERR_IO,
	    "store-io",
	    "the file system refused an operation on the store; the log has "
	    "its reason");
}

struct shared {
	struct store *s;
	atomic_int code;
};

static void *
write_on(void *ctx)
{
	struct shared *shared = ctx;
	struct err e;
	for (int i = 0; i < 60 && shared->code == ERR_OK; i++)
		shared->code = (int)work_commit(shared->s, 7, &e);
	return NULL;
}

/* As in core: one thread writes, the loop reads. */
static void
writer_thread_and_readers(void **state)
{
	(void)state;
	struct dirs d;
	struct shared shared = { make(&d, 3), ERR_OK };
	struct err e;
	pthread_t thread;
	uint64_t last = 0;
	assert_int_equal(pthread_create(&thread, NULL, write_on, &shared), 0);
	while (last < 3 + 60 * 7 && shared.code == ERR_OK) {
		struct view *v;
		OK(store_begin(shared.s, false, &v, &e));
		assert_true(view_log_size(v) >= last);
		/* Whole groups only. */
		assert_int_equal((view_log_size(v) - 3) % 7, 0);
		if (view_log_size(v) > last)
			OK(view_verify(v, last, &e));
		last = view_log_size(v);
		view_abort(v);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(shared.code, ERR_OK);
	finish(&d, shared.s);
}

static void
figures(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = make(&d, 50);
	struct store_stats stats;
	struct view *a, *b;
	struct err e;
	OK(store_stats(s, &stats, &e));
	assert_int_equal(stats.entries, 50);
	assert_int_equal(stats.map_bytes, WORK_MAP);
	unsigned idle = stats.readers;
	OK(store_begin(s, false, &a, &e));
	OK(store_begin(s, false, &b, &e));
	OK(store_stats(s, &stats, &e));
	assert_true(stats.readers >= 2 && stats.readers >= idle);
	view_abort(a);
	view_abort(b);
	finish(&d, s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(created_once_and_only_when_asked),
		cmocka_unit_test(half_made_ledger_is_made_anew),
		cmocka_unit_test(fault_13_second_engine_is_refused),
		cmocka_unit_test(fault_14_child_cannot_touch_it),
		cmocka_unit_test(fault_11_files_that_are_no_ledger),
		cmocka_unit_test(fault_11_cut_anywhere),
		cmocka_unit_test(fault_11_lock_file_gone_or_garbage),
		cmocka_unit_test(fault_11_replaced_while_in_use),
		cmocka_unit_test(next_and_prefix),
		cmocka_unit_test(rows_follow_a_model),
		cmocka_unit_test(first_error_is_kept),
		cmocka_unit_test(one_writer_and_readers_of_the_last_commit),
		cmocka_unit_test(fault_08_map_full),
		cmocka_unit_test(tree_is_that_of_audit),
		cmocka_unit_test(log_of_three_levels),
		cmocka_unit_test(entry_out_of_turn),
		cmocka_unit_test(snapshot_is_a_ledger),
		cmocka_unit_test(replay_names_what_differs),
		cmocka_unit_test(incident_66_flipped_bit_is_found),
		cmocka_unit_test(other_schema),
		cmocka_unit_test(incident_63_old_copy_is_smaller),
		cmocka_unit_test(incident_39_head_that_lies),
		cmocka_unit_test(more_readers_than_slots),
		cmocka_unit_test(directory_names),
		cmocka_unit_test(writer_thread_and_readers),
		cmocka_unit_test(figures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
