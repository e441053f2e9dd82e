#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake/store_check.h"

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
	struct store *s = check_make(&d, 0);
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
	check_finish(&d, s);
}

#define MODEL 40
/* Random puts, deletions and walks against a table in memory. */
static void
rows_follow_a_model(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 0);
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
	check_finish(&d, s);
}

static void
first_error_is_kept(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 4);
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
	check_finish(&d, s);
}

static void
one_writer_and_readers_of_the_last_commit(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 4);
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
	OK(check_verify(s, 0, &e));
	check_finish(&d, s);
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
	OK(check_verify(s, 0, &e));
	store_close(s);
	OK(store_open(d.dir, 4 << 20, false, &s, &e));
	OK(work_commit(s, 20, &e));
	OK(check_verify(s, 0, &e));
	OK(check_replay(&d, s, &e));
	check_finish(&d, s);
}

/* --- The log -------------------------------------------------------------- */

static void
tree_is_that_of_audit(void **state)
{
	(void)state;
	static const unsigned groups[] = { 1, 1, 253, 1, 1, 1, 254, 1, 700, 3 };
	struct dirs d;
	struct store *s = check_make(&d, 0);
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
	OK(check_verify(s, 0, &e));
	OK(check_replay(&d, s, &e));
	check_finish(&d, s);
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
	s = check_reopen(&d, s);
	OK(check_verify(s, 0, &e));
	OK(check_verify(s, 65536, &e));
	OK(check_verify(s, 65836, &e));
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
	check_finish(&d, s);
}

static void
entry_out_of_turn(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 7);
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
	check_finish(&d, s);
}

static void
more_readers_than_slots(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 3);
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
	OK(check_verify(s, 0, &e));
	check_finish(&d, s);
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
	struct shared shared = { check_make(&d, 3), ERR_OK };
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
	check_finish(&d, shared.s);
}

static void
figures(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 50);
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
	check_finish(&d, s);
}

/*
 * Freed pages are held back for a while, not for good: a file whose rows are
 * written again and again stays within the part of its map that it may hold,
 * and what the rows themselves need.
 */
static void
freed_pages_come_back(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 1);
	struct err e;
	uint8_t big[3000] = { 1 };
	char path[PATH_MAX];
	struct stat st;
	for (int i = 0; i < 1200; i++) {
		struct view *v;
		big[0] = (uint8_t)i;
		OK(store_begin(s, true, &v, &e));
		for (uint8_t k = 0; k < 8; k++)
			OK(view_put(v, bytes_of(&k, 1),
			    bytes_of(big, sizeof(big)), &e));
		OK(view_commit(v, &e));
	}
	snprintf(path, sizeof(path), "%s/ledger/data.mdb", d.dir);
	assert_int_equal(stat(path, &st), 0);
	/* Eight times as much was written in all. */
	assert_true(st.st_size < WORK_MAP / 8);
	check_finish(&d, s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_and_prefix),
		cmocka_unit_test(rows_follow_a_model),
		cmocka_unit_test(first_error_is_kept),
		cmocka_unit_test(one_writer_and_readers_of_the_last_commit),
		cmocka_unit_test(fault_08_map_full),
		cmocka_unit_test(tree_is_that_of_audit),
		cmocka_unit_test(log_of_three_levels),
		cmocka_unit_test(entry_out_of_turn),
		cmocka_unit_test(more_readers_than_slots),
		cmocka_unit_test(freed_pages_come_back),
		cmocka_unit_test(directory_names),
		cmocka_unit_test(writer_thread_and_readers),
		cmocka_unit_test(figures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
