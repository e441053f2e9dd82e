/* ledger - opening and closing the ledger, its transactions and figures. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"

#define SCHEMA_KEY "schema"

static enum err_code
missing(struct err *e)
{
	return err_say(e, ERR_NOTFOUND, "store-missing",
	    "there is no ledger in this directory; make one with init, or "
	    "restore a backup into it");
}

/* --- Opening -------------------------------------------------------------- */

static enum err_code
open_tables(struct store *s, MDB_txn *txn, bool create, struct err *e)
{
	const struct {
		const char *name;
		MDB_dbi *dbi;
	} tables[] = {
		{ "rows", &s->rows },
		{ "entries", &s->entries },
		{ "tiles", &s->tiles },
		{ "meta", &s->meta },
	};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int rc = mdb_dbi_open(txn, tables[i].name,
		    create ? MDB_CREATE : 0, tables[i].dbi);
		/* A flipped bit in LMDB's meta page can make a full store look
		 * empty: one without its tables is damaged, never new. */
		if (rc == MDB_NOTFOUND)
			return env_damaged(e);
		TRY(env_error(rc, e));
	}
	return ERR_OK;
}

static enum err_code
check_schema(struct store *s, MDB_txn *txn, struct err *e)
{
	MDB_val k = val_of(bytes_str(SCHEMA_KEY)), d;
	char found[16], known[16];

	int rc = mdb_get(txn, s->meta, &k, &d);
	if (rc == MDB_NOTFOUND || (rc == 0 && d.mv_size != 4))
		return env_damaged(e);
	TRY(env_error(rc, e));
	struct reader r = reader_of(bytes_of_val(d));
	uint32_t version = get_u32(&r);
	if (version == SCHEMA_VERSION)
		return ERR_OK;
	snprintf(found, sizeof(found), "%u", version);
	snprintf(known, sizeof(known), "%u", SCHEMA_VERSION);
	return err_say(e, ERR_CORRUPT, "store-version",
	    "the ledger is of version %s and this program reads version %s; "
	    "use the program that wrote it",
	    found, known);
}

/* As many entries as the head says, and the last where it must be. */
static enum err_code
check_entries(struct store *s, MDB_txn *txn, uint64_t size, struct err *e)
{
	MDB_stat stat;
	MDB_cursor *c;
	MDB_val k = { 0, NULL }, d;

	TRY(env_error(mdb_stat(txn, s->entries, &stat), e));
	if (stat.ms_entries != size)
		return env_damaged(e);
	if (size == 0)
		return ERR_OK;
	TRY(env_error(mdb_cursor_open(txn, s->entries, &c), e));
	int rc = mdb_cursor_get(c, &k, &d, MDB_LAST);
	mdb_cursor_close(c);
	if (rc != 0 || k.mv_size != 8 || be64_parse(k.mv_data) != size - 1)
		return env_damaged(e);
	return ERR_OK;
}

static enum err_code
check_store(struct store *s, struct err *e)
{
	struct view *v;
	TRY(store_begin(s, false, &v, e));
	enum err_code rc = check_entries(s, v->txn, v->tree.size, e);
	view_abort(v);
	return rc;
}

static enum err_code
put_schema(struct store *s, MDB_txn *txn, struct err *e)
{
	struct buf b AUTO_BUF = BUF(8);
	put_u32(&b, SCHEMA_VERSION);
	TRY(buf_end(&b, e));
	MDB_val k = val_of(bytes_str(SCHEMA_KEY)), d = val_of(buf_bytes(&b));
	return env_error(mdb_put(txn, s->meta, &k, &d, 0), e);
}

enum err_code
ledger_tables(struct store *s, bool create, struct err *e)
{
	const struct merkle empty = { .size = 0 };
	MDB_txn *txn;
	enum err_code rc;

	TRY(env_error(mdb_txn_begin(s->env.mdb, NULL, create ? 0 : MDB_RDONLY,
			  &txn),
	    e));
	rc = open_tables(s, txn, create, e);
	/* An empty log has a head too: a ledger without one is damaged. */
	if (rc == ERR_OK && create)
		rc = put_schema(s, txn, e);
	if (rc == ERR_OK && create)
		rc = log_put_head(s, txn, &empty, 0, e);
	else if (rc == ERR_OK)
		rc = check_schema(s, txn, e);
	if (rc != ERR_OK) {
		mdb_txn_abort(txn);
		return rc;
	}
	TRY(env_error(mdb_txn_commit(txn), e));
	return create ? ERR_OK : check_store(s, e);
}

/* Ledgers of before have none. */
static enum err_code
open_lists(struct store *s, struct err *e)
{
	MDB_txn *txn;

	TRY(env_error(mdb_txn_begin(s->env.mdb, NULL, 0, &txn), e));
	int rc = mdb_dbi_open(txn, "lists", MDB_CREATE, &s->lists);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return env_error(rc, e);
	}
	return env_error(mdb_txn_commit(txn), e);
}

static struct store *
store_new(int64_t map_bytes)
{
	struct store *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->lock = -1;
	s->map_bytes = (size_t)map_bytes;
	atomic_init(&s->writing, false);
	atomic_init(&s->failed, false);
	return s;
}

/*
 * A new ledger is made beside its place and renamed when it is whole and on
 * disk, so that a crash in between leaves no half of one.
 */
static enum err_code
make_ledger(const char *dir, const char *place, int64_t map_bytes,
    struct err *e)
{
	AUTO(store) s = store_new(map_bytes);
	struct stat st;

	if (s == NULL)
		return err_nomem(e);
	if (stat(place, &st) == 0)
		return err_say(e, ERR_CONFLICT, "store-exists",
		    "there is already a ledger in this directory; open it, or "
		    "choose an empty directory");
	TRY(env_path(s->env.path, place, ".new", e));
	TRY(env_wipe(s->env.path, e));
	if (mkdir(s->env.path, 0700) != 0 && errno != EEXIST)
		return env_error(errno, e);
	TRY(env_open(&s->env, map_bytes, 0, 0600, true, e));
	TRY(ledger_tables(s, true, e));
	TRY(open_lists(s, e));
	env_close(&s->env);
	TRY(env_sync_dir(s->env.path, e));
	if (rename(s->env.path, place) != 0)
		return env_error(errno, e);
	return env_sync_dir(dir, e);
}

/* Its own name is made durable too, or a power cut takes the ledger with it. */
static enum err_code
make_dir(const char *dir, struct err *e)
{
	char up[PATH_MAX];

	if (mkdir(dir, 0700) == 0) {
		TRY(env_path(up, dir, "/..", e));
		return env_sync_dir(up, e);
	}
	return errno == EEXIST ? ERR_OK : env_error(errno, e);
}

enum err_code
store_open(const char *dir, int64_t map_bytes, bool create, struct store **out,
    struct err *e)
{
	AUTO(store) s = store_new(map_bytes);
	char lock[PATH_MAX];
	struct stat st;

	if (s == NULL)
		return err_nomem(e);
	TRY(env_path(lock, dir, "/ledger.lock", e));
	TRY(env_path(s->env.path, dir, "/ledger", e));
	if (create)
		TRY(make_dir(dir, e));
	if (stat(create ? dir : s->env.path, &st) != 0)
		return errno == ENOENT ? missing(e) : env_error(errno, e);
	TRY(env_lock(lock, &s->lock, e));
	if (create)
		TRY(make_ledger(dir, s->env.path, map_bytes, e));
	/* Default flags: every commit is on disk before it returns. */
	TRY(env_open(&s->env, map_bytes, 0, 0600, false, e));
	TRY(ledger_tables(s, false, e));
	TRY(open_lists(s, e));
	hold_begin(s);
	*out = TAKE(s);
	return ERR_OK;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->env.pid == getpid())
		hold_end(s);
	env_close(&s->env);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

/* --- Transactions --------------------------------------------------------- */

static enum err_code
may_write(struct store *s, struct err *e)
{
	if (atomic_load(&s->failed))
		return env_failed(e);
	if (atomic_exchange(&s->writing, true))
		return err_say(e, ERR_CONFLICT, "store-writing",
		    "a group of writes is already open; end it before the "
		    "next one begins");
	return ERR_OK;
}

enum err_code
store_begin(struct store *s, bool write, struct view **out, struct err *e)
{
	TRY(env_usable(&s->env, e));
	struct view *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	v->store = s;
	enum err_code rc = write ? may_write(s, e) : ERR_OK;
	if (rc != ERR_OK) {
		free(v);
		return rc;
	}
	v->write = write;
	rc = env_error(mdb_txn_begin(s->env.mdb, NULL, write ? 0 : MDB_RDONLY,
			   &v->txn),
	    e);
	if (rc == ERR_OK)
		rc = log_load(v, e);
	if (rc != ERR_OK) {
		view_abort(v);
		return rc;
	}
	*out = v;
	return ERR_OK;
}

static void
view_end(struct view *v)
{
	if (v->write)
		atomic_store(&v->store->writing, false);
	for (size_t i = 0; i < LEVELS; i++)
		free(v->filling[i]);
	free(v);
}

static void
close_cursor(struct view *v)
{
	if (v->cursor != NULL)
		mdb_cursor_close(v->cursor);
	v->cursor = NULL;
}

void
view_abort(struct view *v)
{
	if (v == NULL)
		return;
	close_cursor(v);
	if (v->txn != NULL)
		mdb_txn_abort(v->txn);
	/* Full: the next group may have what was kept back. */
	if (v->write && v->failed && v->first.code == ERR_BUSY)
		hold_release(v->store);
	view_end(v);
}

/* LMDB frees the transaction whether or not it could be written. */
static enum err_code
commit_txn(struct view *v, struct err *e)
{
	struct store *s = v->store;
	MDB_txn *txn = TAKE(v->txn);

	close_cursor(v);
	int rc = mdb_txn_commit(txn);
	if (rc == 0) {
		/* What this mends is mended at the next opening too: it takes
		 * nothing from a commit that is on disk. */
		struct err later;
		enum err_code unused = env_cover(&s->env, &later);
		(void)unused;
		hold_after_commit(s, v->pages);
		return ERR_OK;
	}
	/* These are found before the first page is written. */
	if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL) {
		hold_release(s);
		return env_error(rc, e);
	}
	atomic_store(&s->failed, true);
	(void)err_say(e, ERR_IO, "store-commit",
	    "the disk did not confirm a write; nothing more is written until "
	    "the engine has started again and checked the ledger");
	return err_why(e, "lmdb: %s", mdb_strerror(rc));
}

enum err_code
view_commit(struct view *v, struct err *e)
{
	enum err_code rc = view_sound(v, e);
	if (rc == ERR_OK && v->write)
		rc = log_flush(v, e);
	if (rc == ERR_OK && v->write)
		rc = commit_txn(v, e);
	view_abort(v);
	return rc;
}

/* --- Figures -------------------------------------------------------------- */

static int
count_line(const char *text, void *ctx)
{
	(void)text;
	++*(unsigned *)ctx;
	return 0;
}

enum err_code
store_stats(struct store *s, struct store_stats *out, struct err *e)
{
	struct store_stats st = { .readers = 0 };
	MDB_envinfo info;
	MDB_stat stat;
	uint64_t free_pages;
	struct view *v;

	TRY(store_begin(s, false, &v, e));
	st.entries = v->tree.size;
	view_abort(v);
	TRY(env_error(mdb_env_info(s->env.mdb, &info), e));
	TRY(env_error(mdb_env_stat(s->env.mdb, &stat), e));
	TRY(env_free_pages(&s->env, &free_pages, e));
	st.map_bytes = info.me_mapsize;
	uint64_t pages = (uint64_t)info.me_last_pgno + 1;
	st.used_bytes =
	    (pages > free_pages ? pages - free_pages : 0) * stat.ms_psize;
	/* A heading, then a line for each slot that is taken. */
	if (mdb_reader_list(s->env.mdb, count_line, &st.readers) < 0)
		return env_damaged(e);
	if (st.readers > 0)
		st.readers--;
	*out = st;
	return ERR_OK;
}
