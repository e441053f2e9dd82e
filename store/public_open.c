/*
 * public_open - opening and closing public/.  What is in it is derived, so it
 * is not synced; in return it is thrown away whenever its state is in doubt.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pack.h"

#define STATE_VERSION 4
#define STATE_LEN     (1 + 1 + BOOT_ID + 8)

/* --- The state row -------------------------------------------------------- */

enum err_code
public_state_put(struct public *p, MDB_txn *txn,
    const struct public_state *state, struct err *e)
{
	struct buf b AUTO_BUF = BUF(STATE_LEN);

	put_u8(&b, STATE_VERSION);
	put_u8(&b, state->clean ? 1 : 0);
	buf_put(&b, state->boot, BOOT_ID);
	put_u64(&b, state->log_index);
	TRY(buf_end(&b, e));
	MDB_val k = val_of(bytes_str(STATE_KEY)), d = val_of(buf_bytes(&b));
	return env_error(mdb_put(txn, p->meta, &k, &d, 0), e);
}

enum err_code
public_state_get(struct public *p, MDB_txn *txn, struct public_state *out,
    struct err *e)
{
	MDB_val k = val_of(bytes_str(STATE_KEY)), d;

	int rc = mdb_get(txn, p->meta, &k, &d);
	if (rc == MDB_NOTFOUND)
		return env_damaged(e);
	TRY(env_error(rc, e));
	struct reader r = reader_of(bytes_of_val(d));
	uint8_t version = get_u8(&r), clean = get_u8(&r);
	struct bytes boot = get_raw(&r, BOOT_ID);
	out->log_index = get_u64(&r);
	if (version != STATE_VERSION || clean > 1 ||
	    reader_end(&r, e) != ERR_OK)
		return env_damaged(e);
	out->clean = clean == 1;
	memcpy(out->boot, boot.p, BOOT_ID);
	return ERR_OK;
}

/* False where the kernel does not say: then nothing counts as the same boot. */
static bool
boot_id(char out[BOOT_ID])
{
	memset(out, 0, BOOT_ID);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, out, BOOT_ID);
	close(fd);
	if (n == BOOT_ID)
		return true;
	memset(out, 0, BOOT_ID);
	return false;
}

/* --- Opening -------------------------------------------------------------- */

static enum err_code
open_tables(struct public *p, MDB_txn *txn, unsigned flags, struct err *e)
{
	TRY(env_error(mdb_dbi_open(txn, "answers", flags, &p->answers), e));
	TRY(env_error(mdb_dbi_open(txn, "due", flags, &p->due), e));
	TRY(env_error(mdb_dbi_open(txn, "packs", flags, &p->packs), e));
	return env_error(mdb_dbi_open(txn, "meta", flags, &p->meta), e);
}

/* Handles of a reader; *fresh state for a writer that starts anew. */
static enum err_code
open_txn(struct public *p, bool create, struct public_state *state,
    struct err *e)
{
	MDB_txn *txn;
	enum err_code rc;

	TRY(env_error(mdb_txn_begin(p->env.mdb, NULL, p->write ? 0 : MDB_RDONLY,
			  &txn),
	    e));
	rc = open_tables(p, txn, create ? MDB_CREATE : 0, e);
	if (rc == ERR_OK && create)
		rc = public_state_put(p, txn, state, e);
	if (rc == ERR_OK)
		rc = public_state_get(p, txn, state, e);
	if (rc != ERR_OK) {
		mdb_txn_abort(txn);
		return rc;
	}
	return env_error(mdb_txn_commit(txn), e);
}

/* Not clean until it is closed; this alone must be on disk at once. */
static enum err_code
mark(struct public *p, bool clean, struct err *e)
{
	struct public_state state;
	MDB_txn *txn;

	TRY(env_error(mdb_txn_begin(p->env.mdb, NULL, 0, &txn), e));
	enum err_code rc = public_state_get(p, txn, &state, e);
	if (rc == ERR_OK) {
		state.clean = clean;
		(void)boot_id(state.boot);
		rc = public_state_put(p, txn, &state, e);
	}
	if (rc != ERR_OK) {
		mdb_txn_abort(txn);
		return rc;
	}
	TRY(env_error(mdb_txn_commit(txn), e));
	TRY(env_error(mdb_env_sync(p->env.mdb, 1), e));
	return env_cover(&p->env, e);
}

static enum err_code
open_existing(struct public *p, int64_t map_bytes, struct err *e)
{
	struct public_state state;
	char now[BOOT_ID];

	TRY(env_open(&p->env, map_bytes, MDB_NOSYNC, 0660, false, e));
	TRY(open_txn(p, false, &state, e));
	/* A kill leaves the page cache whole; a restart of the machine does
	 * not, and nothing here was synced. */
	bool same = boot_id(now) && memcmp(now, state.boot, BOOT_ID) == 0;
	return state.clean || same ? ERR_OK : env_damaged(e);
}

static enum err_code
open_new(struct public *p, int64_t map_bytes, struct err *e)
{
	struct public_state state = { .clean = false };

	env_close(&p->env);
	TRY(env_wipe(p->env.path, e));
	TRY(env_open(&p->env, map_bytes, MDB_NOSYNC, 0660, true, e));
	(void)boot_id(state.boot);
	return open_txn(p, true, &state, e);
}

static enum err_code
open_writer(struct public *p, const char *dir, int64_t map_bytes, bool *fresh,
    struct err *e)
{
	char lock[PATH_MAX];
	struct err seen;

	TRY(env_path(lock, dir, "/public.lock", e));
	if (mkdir(p->env.path, 0770) != 0 && errno != EEXIST)
		return env_error(errno, e);
	TRY(env_lock(lock, &p->lock, e));
	*fresh = open_existing(p, map_bytes, &seen) != ERR_OK;
	if (*fresh)
		TRY(open_new(p, map_bytes, e));
	TRY(public_file_sweep(p, 0, e));
	return mark(p, false, e);
}

static enum err_code
open_reader(struct public *p, int64_t map_bytes, struct err *e)
{
	struct public_state state;
	char data[PATH_MAX];
	struct stat st;

	TRY(env_path(data, p->env.path, ENV_DATA, e));
	if (stat(data, &st) != 0 && errno == ENOENT)
		return err_say(e, ERR_NOTFOUND, "public-missing",
		    "nothing has been published in this directory yet; start "
		    "the engine, which fills it");
	TRY(env_open(&p->env, map_bytes, MDB_RDONLY, 0660, false, e));
	return open_txn(p, false, &state, e);
}

enum err_code
public_open(const char *dir, int64_t map_bytes, bool write, bool *fresh,
    struct public **out, struct err *e)
{
	AUTO(public) p = calloc(1, sizeof(*p));
	bool anew = false;

	if (p == NULL)
		return err_nomem(e);
	p->lock = -1;
	/* Set for good only at the end: a writer that could not open has
	 * nothing to call clean. */
	p->write = write;
	p->failed = true;
	atomic_init(&p->writing, false);
	TRY(env_path(p->env.path, dir, "/public", e));
	if (write)
		TRY(open_writer(p, dir, map_bytes, &anew, e));
	else
		TRY(open_reader(p, map_bytes, e));
	p->failed = false;
	if (fresh != NULL)
		*fresh = anew;
	*out = TAKE(p);
	return ERR_OK;
}

void
public_close(struct public *p)
{
	struct err e;

	if (p == NULL)
		return;
	/* First everything to disk, then the word that it is there. */
	if (p->write && !p->failed && p->env.pid == getpid() &&
	    (mdb_env_sync(p->env.mdb, 1) != 0 || mark(p, true, &e) != ERR_OK))
		log_warn("public-close", "clean=no");
	packer_forget(p);
	env_close(&p->env);
	if (p->lock >= 0)
		close(p->lock);
	free(p);
}

int
public_check_readers(struct public *p)
{
	int dead = 0;
	return mdb_reader_check(p->env.mdb, &dead) == 0 ? dead : 0;
}
