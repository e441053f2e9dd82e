/* env - opening, checking and closing an LMDB environment. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env.h"

#define NAMED_DBS   8
#define READERS_MAX 255 /* one is the ledger's own: hold.c */

enum err_code
env_damaged(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "store-damaged",
	    "the store's data file is missing, cut or unreadable; nothing was "
	    "changed: keep it as it is and restore a backup elsewhere");
}

enum err_code
env_failed(struct err *e)
{
	return err_say(e, ERR_IO, "store-failed",
	    "an earlier write was not confirmed by the disk; nothing is "
	    "written until the engine has started again");
}

static enum err_code
io_error(struct err *e)
{
	return err_errno(e, "store-io",
	    "the file system refused an operation on the store; the log has "
	    "its reason");
}

enum err_code
env_error(int rc, struct err *e)
{
	switch (rc) {
	case MDB_SUCCESS:
		return ERR_OK;
	case MDB_MAP_FULL:
		return err_say(e, ERR_BUSY, "store-full",
		    "the store is as large as it may be and took nothing; "
		    "start the engine with a larger map");
	case MDB_TXN_FULL:
		return err_say(e, ERR_BUSY, "store-batch",
		    "this is too much for one group of writes and nothing was "
		    "written; write it in smaller groups");
	case MDB_READERS_FULL:
		return err_say(e, ERR_BUSY, "store-readers",
		    "too many read the store at the same time; try again");
	case MDB_PANIC:
		return env_failed(e);
	case ENOMEM:
		return err_nomem(e);
	default:
		break;
	}
	if (rc < 0)
		(void)env_damaged(e);
	else {
		errno = rc;
		(void)io_error(e);
	}
	return err_why(e, "lmdb: %s", mdb_strerror(rc));
}

enum err_code
env_path(char out[PATH_MAX], const char *dir, const char *name, struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s%s", dir, name);
	if (n < 0 || n >= PATH_MAX - 32)
		return err_say(e, ERR_INVALID, "store-path",
		    "the name of the data directory is too long; use a "
		    "shorter one");
	return ERR_OK;
}

enum err_code
env_lock(const char *path, int *fd, struct err *e)
{
	/* flock, because its lock belongs to this open file: a second open in
	 * the same process conflicts too, and no close of another descriptor
	 * drops it. */
	int got = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (got < 0)
		return io_error(e);
	if (flock(got, LOCK_EX | LOCK_NB) != 0) {
		int why = errno;
		close(got);
		errno = why;
		if (why != EWOULDBLOCK)
			return io_error(e);
		return err_say(e, ERR_CONFLICT, "store-locked",
		    "another engine is using this directory; stop it first, or "
		    "give this one a directory of its own");
	}
	*fd = got;
	return ERR_OK;
}

enum err_code
env_sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return io_error(e);
	int rc = fsync(fd);
	int why = errno;
	close(fd);
	errno = why;
	return rc == 0 ? ERR_OK : io_error(e);
}

enum err_code
env_wipe(const char *path, struct err *e)
{
	static const char *const names[] = { ENV_DATA, ENV_LOCK };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char file[PATH_MAX];
		TRY(env_path(file, path, names[i], e));
		if (unlink(file) != 0 && errno != ENOENT)
			return io_error(e);
	}
	return ERR_OK;
}

/* Calls mark for each page number in the free list. */
static int
walk_free(MDB_env *mdb, void (*mark)(void *ctx, size_t page), void *ctx)
{
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val k, d;

	int rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	rc = mdb_cursor_open(txn, 0, &c); /* 0 is the free list */
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	while ((rc = mdb_cursor_get(c, &k, &d, MDB_NEXT)) == 0) {
		size_t n, page;
		if (d.mv_size < sizeof(n))
			break;
		memcpy(&n, d.mv_data, sizeof(n));
		if (n > d.mv_size / sizeof(n) - 1)
			break;
		for (size_t i = 1; i <= n; i++) {
			memcpy(&page,
			    (const uint8_t *)d.mv_data + i * sizeof(n),
			    sizeof(page));
			mark(ctx, page);
		}
	}
	mdb_cursor_close(c);
	mdb_txn_abort(txn);
	return rc == 0 ? MDB_CORRUPTED : rc == MDB_NOTFOUND ? 0 : rc;
}

struct tail {
	size_t from, n, seen;
	uint8_t *mark; /* one octet for each page from "from" on */
};

static void
mark_tail(void *ctx, size_t page)
{
	struct tail *t = ctx;
	if (page >= t->from && page - t->from < t->n &&
	    t->mark[page - t->from] == 0) {
		t->mark[page - t->from] = 1;
		t->seen++;
	}
}

/*
 * LMDB does not write a page that was taken and given back in one
 * transaction, so that a sound file may end before its last page.  What is
 * missing must then be in the free list; the file is made longer first,
 * because a map past the end of a file is SIGBUS.
 */
static enum err_code
mend_tail(struct env *v, off_t have, size_t pages, size_t page_len,
    struct err *e)
{
	struct tail t = { .from = (size_t)have / page_len };
	int fd;

	t.n = pages - t.from;
	t.mark = t.n <= (1u << 24) ? calloc(t.n, 1) : NULL;
	if (t.mark == NULL || mdb_env_get_fd(v->mdb, &fd) != 0 ||
	    ftruncate(fd, (off_t)(pages * page_len)) != 0) {
		free(t.mark);
		return env_damaged(e);
	}
	int rc = walk_free(v->mdb, mark_tail, &t);
	free(t.mark);
	if (rc == 0 && t.seen == t.n)
		return ERR_OK;
	/* As it was found: the next start must see the same. */
	if (ftruncate(fd, have) != 0)
		(void)err_why(e, "ftruncate failed");
	(void)env_damaged(e);
	return err_why(e, "%llu octets where %llu pages of %zu are in use",
	    (unsigned long long)have, (unsigned long long)pages, page_len);
}

static enum err_code
file_covers(struct env *v, off_t *have, size_t *pages, size_t *page_len,
    bool *covers, struct err *e)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	int fd;

	TRY(env_error(mdb_env_info(v->mdb, &info), e));
	TRY(env_error(mdb_env_stat(v->mdb, &stat), e));
	TRY(env_error(mdb_env_get_fd(v->mdb, &fd), e));
	if (fstat(fd, &st) != 0)
		return io_error(e);
	*have = st.st_size;
	*pages = info.me_last_pgno + 1;
	*page_len = stat.ms_psize;
	*covers = (uint64_t)st.st_size / *page_len >= *pages;
	return ERR_OK;
}

enum err_code
env_cover(struct env *v, struct err *e)
{
	off_t have;
	size_t pages, page_len;
	bool covers;
	int fd;

	TRY(file_covers(v, &have, &pages, &page_len, &covers, e));
	if (covers)
		return ERR_OK;
	TRY(env_error(mdb_env_get_fd(v->mdb, &fd), e));
	return ftruncate(fd, (off_t)(pages * page_len)) == 0 ? ERR_OK
							     : io_error(e);
}

static enum err_code
check_file(struct env *v, bool write, struct err *e)
{
	off_t have;
	size_t pages, page_len;
	bool covers;

	TRY(file_covers(v, &have, &pages, &page_len, &covers, e));
	if (covers)
		return ERR_OK;
	return write ? mend_tail(v, have, pages, page_len, e) : env_damaged(e);
}

static enum err_code
open_mapped(struct env *v, int64_t map_bytes, unsigned flags, mode_t mode,
    struct err *e)
{
	bool write = (flags & MDB_RDONLY) == 0;
	struct stat st;
	int fd, dead;

	TRY(env_error(mdb_env_set_maxdbs(v->mdb, NAMED_DBS), e));
	TRY(env_error(mdb_env_set_maxreaders(v->mdb, READERS_MAX), e));
	if (map_bytes > 0)
		TRY(env_error(mdb_env_set_mapsize(v->mdb, (size_t)map_bytes),
		    e));
	TRY(env_error(mdb_env_open(v->mdb, v->path, flags | MDB_NOTLS, mode),
	    e));
	TRY(check_file(v, write, e));
	TRY(env_error(mdb_env_get_fd(v->mdb, &fd), e));
	if (fstat(fd, &st) != 0)
		return io_error(e);
	v->dev = st.st_dev;
	v->ino = st.st_ino;
	return env_error(mdb_reader_check(v->mdb, &dead), e);
}

enum err_code
env_open(struct env *v, int64_t map_bytes, unsigned flags, mode_t mode,
    bool fresh, struct err *e)
{
	/* LMDB would make a new store out of an empty or absent file. */
	if (!fresh)
		TRY(meta_check(v, e));
	TRY(env_error(mdb_env_create(&v->mdb), e));
	v->pid = getpid();
	enum err_code rc = open_mapped(v, map_bytes, flags, mode, e);
	if (rc != ERR_OK)
		env_close(v);
	return rc;
}

void
env_close(struct env *v)
{
	/* In a child the map and the lock table are the parent's: closing them
	 * would free slots that the parent uses. */
	if (v->mdb != NULL && v->pid == getpid())
		mdb_env_close(v->mdb);
	v->mdb = NULL;
}

enum err_code
env_usable(const struct env *v, struct err *e)
{
	char file[PATH_MAX];
	struct stat st;

	if (v->pid != getpid())
		return err_say(e, ERR_CONFLICT, "store-forked",
		    "a process that was forked may not use the store of its "
		    "parent; it must open its own");
	TRY(env_path(file, v->path, ENV_DATA, e));
	if (stat(file, &st) != 0 || st.st_dev != v->dev || st.st_ino != v->ino)
		return err_say(e, ERR_CORRUPT, "store-moved",
		    "the store's data file was removed or replaced while in "
		    "use; nothing more is written: put it back and start "
		    "again");
	return ERR_OK;
}

static void
count_page(void *ctx, size_t page)
{
	(void)page;
	++*(uint64_t *)ctx;
}

enum err_code
env_free_pages(struct env *v, uint64_t *pages, struct err *e)
{
	*pages = 0;
	return env_error(walk_free(v->mdb, count_page, pages), e);
}
