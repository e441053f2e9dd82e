/*
 * replay - the projections once more, from the entries alone, in a scratch
 * environment, compared byte for byte with the live ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"

/* Entries that one transaction of the scratch environment takes. */
#define REPLAY_GROUP 1024

struct replay {
	struct view *live;
	struct store scratch;
	struct arena *arena;
	MDB_cursor *entries;
	void (*progress)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;
};

/* --- Applying ------------------------------------------------------------- */

static enum err_code
apply_one(struct replay *r, struct view *to, uint64_t index, struct err *e)
{
	struct entry entry;
	MDB_val k, d;

	int rc = mdb_cursor_get(r->entries, &k, &d, MDB_NEXT);
	if (rc == MDB_NOTFOUND)
		return log_tree_error(index, "the row is missing", e);
	TRY(env_error(rc, e));
	arena_reset(r->arena);
	TRY(log_entry_decode(bytes_of_val(d), index, r->arena, &entry, e));
	TRY(view_log_append(to, &entry, e));
	enum err_code code = ca_apply(to, &entry, e);
	return code == ERR_OK
		   ? ERR_OK
		   : err_why(e, "entry %llu", (unsigned long long)index);
}

static enum err_code
apply_group(struct replay *r, uint64_t from, uint64_t to, struct err *e)
{
	struct view *v;
	TRY(store_begin(&r->scratch, true, &v, e));
	for (uint64_t i = from; i < to; i++) {
		enum err_code rc = apply_one(r, v, i, e);
		if (rc != ERR_OK) {
			view_abort(v);
			return rc;
		}
	}
	return view_commit(v, e);
}

static enum err_code
apply_all(struct replay *r, struct err *e)
{
	uint64_t all = r->live->tree.size;
	for (uint64_t done = 0; done < all;) {
		uint64_t next =
		    all - done > REPLAY_GROUP ? done + REPLAY_GROUP : all;
		TRY(apply_group(r, done, next, e));
		done = next;
		if (r->progress != NULL)
			r->progress(r->ctx, done, all);
	}
	return ERR_OK;
}

/* --- Comparing ------------------------------------------------------------ */

static enum err_code
differs(const char *table, struct bytes key, struct err *e)
{
	char class[] = "row ?", hex[HEX_LEN(ROW_KEY_MAX)];

	/* A row's class is the first octet of its key. */
	bool is_row =
	    table == NULL && key.len > 0 && key.p[0] > ' ' && key.p[0] <= '~';
	if (is_row)
		class[4] = (char)key.p[0];
	hex_print(hex, bytes_of(key.p, key.len < 28 ? key.len : 28));
	return err_say(e, ERR_CORRUPT, "replay-differs",
	    "the state is not what its log leads to: %s with key %s differs; "
	    "stop writing and compare with a backup",
	    table != NULL ? table : class, hex);
}

static enum err_code
compare_at(int live, int again, const MDB_val kv[4], const char *table,
    struct err *e)
{
	struct bytes lk = bytes_of_val(kv[0]), ak = bytes_of_val(kv[2]);

	if (live == MDB_NOTFOUND)
		return differs(table, ak, e);
	if (again == MDB_NOTFOUND)
		return differs(table, lk, e);
	int order = bytes_cmp(lk, ak);
	if (order != 0)
		return differs(table, order < 0 ? lk : ak, e);
	if (!bytes_eq(bytes_of_val(kv[1]), bytes_of_val(kv[3])))
		return differs(table, lk, e);
	return ERR_OK;
}

static enum err_code
compare_cursors(MDB_cursor *live, MDB_cursor *again, const char *table,
    struct err *e)
{
	for (;;) {
		MDB_val kv[4] = { { 0, NULL }, { 0, NULL }, { 0, NULL },
			{ 0, NULL } };
		int l = mdb_cursor_get(live, &kv[0], &kv[1], MDB_NEXT);
		int r = mdb_cursor_get(again, &kv[2], &kv[3], MDB_NEXT);
		if (l == MDB_NOTFOUND && r == MDB_NOTFOUND)
			return ERR_OK;
		if (l != MDB_NOTFOUND)
			TRY(env_error(l, e));
		if (r != MDB_NOTFOUND)
			TRY(env_error(r, e));
		TRY(compare_at(l, r, kv, table, e));
	}
}

static enum err_code
compare_table(MDB_txn *live, MDB_dbi live_dbi, MDB_txn *again,
    MDB_dbi again_dbi, const char *table, struct err *e)
{
	MDB_cursor *l, *r;

	TRY(env_error(mdb_cursor_open(live, live_dbi, &l), e));
	int rc = mdb_cursor_open(again, again_dbi, &r);
	if (rc != 0) {
		mdb_cursor_close(l);
		return env_error(rc, e);
	}
	enum err_code code = compare_cursors(l, r, table, e);
	mdb_cursor_close(l);
	mdb_cursor_close(r);
	return code;
}

static enum err_code
compare_all(struct replay *r, struct err *e)
{
	struct store *a = r->live->store, *b = &r->scratch;
	struct view *v;

	TRY(store_begin(b, false, &v, e));
	/* Rows first: they are what the sentence is most useful about. */
	enum err_code rc =
	    compare_table(r->live->txn, a->rows, v->txn, b->rows, NULL, e);
	if (rc == ERR_OK)
		rc = compare_table(r->live->txn, a->tiles, v->txn, b->tiles,
		    "tile", e);
	if (rc == ERR_OK)
		rc = compare_table(r->live->txn, a->meta, v->txn, b->meta,
		    "head", e);
	view_abort(v);
	return rc;
}

/* --- The scratch environment ---------------------------------------------- */

static enum err_code
make_scratch(struct replay *r, const char *dir, struct err *e)
{
	struct store *s = &r->scratch;
	struct store *live = r->live->store;

	s->lock = -1;
	s->scratch = true;
	atomic_init(&s->writing, false);
	atomic_init(&s->failed, false);
	TRY(env_path(s->env.path, dir, "", e));
	if (mkdir(dir, 0700) != 0) {
		if (errno != EEXIST)
			return env_error(errno, e);
		s->env.path[0] = '\0';
		return err_say(e, ERR_CONFLICT, "replay-exists",
		    "the directory for the replay is already there; remove it, "
		    "or give a name that is not in use");
	}
	/* Nothing here outlives the call, so nothing is synced. */
	TRY(env_open(&s->env, (int64_t)live->map_bytes, MDB_NOSYNC, 0600, true,
	    e));
	return ledger_tables(s, true, e);
}

static void
remove_scratch(struct replay *r)
{
	struct err e;
	const char *path = r->scratch.env.path;

	env_close(&r->scratch.env);
	if (path[0] == '\0')
		return;
	if (env_wipe(path, &e) != ERR_OK || rmdir(path) != 0)
		log_warn("replay-scratch", "left=%s", path);
}

static enum err_code
replay_in(struct replay *r, const char *dir, struct err *e)
{
	TRY(make_scratch(r, dir, e));
	TRY(env_error(mdb_cursor_open(r->live->txn, r->live->store->entries,
			  &r->entries),
	    e));
	enum err_code rc = apply_all(r, e);
	mdb_cursor_close(r->entries);
	TRY(rc);
	return compare_all(r, e);
}

enum err_code
store_replay(struct store *s, const char *scratch_dir,
    void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx,
    uint64_t *entries, struct err *e)
{
	struct replay r = { .progress = progress, .ctx = ctx };

	TRY(store_begin(s, false, &r.live, e));
	r.arena = arena_new();
	enum err_code rc = replay_in(&r, scratch_dir, e);
	if (rc == ERR_OK)
		*entries = r.live->tree.size;
	remove_scratch(&r);
	arena_free(r.arena);
	view_abort(r.live);
	return rc;
}
