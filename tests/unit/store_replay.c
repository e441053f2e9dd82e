#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/store_check.h"

/* --- Snapshot and replay -------------------------------------------------- */

static void
snapshot_is_a_ledger(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 333), *copy;
	uint8_t here[SHA256_LEN], there[SHA256_LEN];
	char to[160], part[160], data[192];
	struct stat st;
	struct view *w;
	struct err e;
	work_path(to, sizeof(to), d.base, "/copy");
	work_path(part, sizeof(part), d.base, "/copy.part");
	/* While a writer is busy: what is not committed is not in it. */
	OK(store_begin(s, true, &w, &e));
	OK(work_append(w, &e));
	mode_t before = umask(022);
	OK(store_snapshot(s, to, &e));
	umask(before);
	view_abort(w);
	/* It is carried elsewhere: the owner's alone. */
	work_path(data, sizeof(data), to, "/ledger/data.mdb");
	assert_int_equal(stat(data, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(part, &st), -1);
	REFUSED(store_snapshot(s, to, &e), ERR_CONFLICT, "snapshot-exists",
	    "the place for the copy, or a part of an earlier one beside it, is "
	    "already there; give a name that is not in use");
	OK(store_open(to, WORK_MAP, false, &copy, &e));
	assert_true(work_digest(s, here) && work_digest(copy, there));
	assert_memory_equal(here, there, SHA256_LEN);
	OK(check_verify(copy, 0, &e));
	OK(check_replay(&d, copy, &e));
	OK(work_commit(copy, 5, &e));
	store_close(copy);
	char nowhere[200];
	work_path(nowhere, sizeof(nowhere), d.base, "/no/such/place");
	REFUSED(store_snapshot(s, nowhere, &e), ERR_IO, "store-io",
	    "the file system refused an operation on the store; the log has "
	    "its reason");
	check_finish(&d, s);
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
	struct store *s = check_make(&d, 2100);
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
		REFUSED(check_replay(&d, s, &e), ERR_CORRUPT, "replay-differs",
		    say);
		OK(store_begin(s, true, &v, &e));
		if (found)
			OK(view_put(v, key, old, &e));
		else
			OK(view_del(v, key, &e));
		OK(view_commit(v, &e));
	}
	OK(check_replay(&d, s, &e));
	mkdir(d.scratch, 0700);
	REFUSED(store_replay(s, d.scratch, NULL, NULL, &n, &e), ERR_CONFLICT,
	    "replay-exists",
	    "the directory for the replay is already there; remove it, or give "
	    "a name that is not in use");
	check_finish(&d, s);
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
	store_close(check_make(&d, 600));
	work_path(good, sizeof(good), d.base, "/good");
	work_copy(d.data, good);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store *s = NULL;
		print_message("  %s\n", rows[i].name);
		work_copy(good, d.data);
		change_file(d.dir, &rows[i]);
		if (rows[i].entry == NULL) {
			REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e),
			    ERR_CORRUPT, "store-damaged", say_damaged);
			continue;
		}
		char say[200];
		snprintf(say, sizeof(say),
		    "what is stored for entry %s of the log is not what its "
		    "tree says; stop writing, keep the files and compare them "
		    "with a backup",
		    rows[i].entry);
		OK(store_open(d.dir, WORK_MAP, false, &s, &e));
		REFUSED(check_verify(s, 0, &e), ERR_CORRUPT, "store-tree", say);
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
	store_close(check_make(&d, 6));
	change_file(d.dir, &c);
	REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_CORRUPT,
	    "store-version",
	    "the ledger is of version 4 and this program reads version 5; use "
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
	struct store *s = check_make(&d, 40);
	work_path(old, sizeof(old), d.base, "/old");
	store_close(s);
	work_copy(d.data, old);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(work_commit(s, 10, &e));
	store_close(s);
	work_copy(old, d.data);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(check_verify(s, 0, &e));
	OK(store_begin(s, false, &v, &e));
	assert_int_equal(view_log_size(v), 40);
	view_abort(v);
	check_finish(&d, s);
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
	store_close(check_make(&d, 7));
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
	REFUSED(check_verify(s, 0, &e), ERR_CORRUPT, "store-tree",
	    "what is stored for entry 4 of the log is not what its tree says; "
	    "stop writing, keep the files and compare them with a backup");
	check_finish(&d, s);
}

/* --- Lists --------------------------------------------------------------------- */

/* As a ledger of before was: without the table. */
static void
drop_lists(const struct dirs *d)
{
	char path[160];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	work_path(path, sizeof(path), d->dir, "/ledger");
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "lists", 0, &dbi), 0);
	assert_int_equal(mdb_drop(txn, dbi, 1), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static enum err_code
count_list(void *ctx, struct bytes path, struct bytes der, struct err *e)
{
	size_t *octets = ctx;
	assert_true(path.len > 0);
	*octets += der.len;
	return der.len < 7 ? ERR_OK
			   : err_say(e, ERR_BUSY, "enough", "one is enough");
}

static void
has_list(struct store *s, const char *path, const char *want)
{
	struct bytes der;
	struct view *v;
	struct err e;
	bool found;
	OK(store_begin(s, false, &v, &e));
	OK(view_list_get(v, bytes_str(path), &der, &found, &e));
	assert_int_equal(found, want != NULL);
	assert_true(!found || bytes_is(der, want));
	REFUSED(view_list_put(v, bytes_str(path), der, &e), ERR_CONFLICT,
	    "store-read-only",
	    "this view of the ledger only reads; nothing was written");
	view_abort(v);
}

/* They come with the commit, go into a snapshot, and replay knows nothing of
 * them (decision 0059). */
static void
lists_are_beside_the_log(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 20), *copy;
	size_t octets = 0;
	char to[160];
	struct view *v;
	struct err e;
	store_close(s);
	drop_lists(&d);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	has_list(s, "/crl/a.crl", NULL);
	OK(store_begin(s, true, &v, &e));
	OK(view_list_put(v, bytes_str("/crl/b.crl"), bytes_str("seven!!"), &e));
	view_abort(v);
	has_list(s, "/crl/b.crl", NULL);
	OK(store_begin(s, true, &v, &e));
	OK(view_list_put(v, bytes_str("/crl/a.crl"), bytes_str("old"), &e));
	OK(view_list_put(v, bytes_str("/crl/a.crl"), bytes_str("newer"), &e));
	OK(view_lists(v, count_list, &octets, &e));
	assert_int_equal(octets, 5);
	OK(view_list_put(v, bytes_str("/crl/b.crl"), bytes_str("seven!!"), &e));
	REFUSED(view_lists(v, count_list, &octets, &e), ERR_BUSY, "enough",
	    "one is enough");
	OK(view_commit(v, &e));
	OK(check_replay(&d, s, &e));
	work_path(to, sizeof(to), d.base, "/copy");
	OK(store_snapshot(s, to, &e));
	OK(store_open(to, WORK_MAP, false, &copy, &e));
	has_list(copy, "/crl/a.crl", "newer");
	store_close(copy);
	check_finish(&d, s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_is_a_ledger),
		cmocka_unit_test(replay_names_what_differs),
		cmocka_unit_test(incident_66_flipped_bit_is_found),
		cmocka_unit_test(other_schema),
		cmocka_unit_test(incident_63_old_copy_is_smaller),
		cmocka_unit_test(incident_39_head_that_lies),
		cmocka_unit_test(lists_are_beside_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
