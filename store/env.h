/*
 * env - what the two environments share: the lock of the one writer, the
 * checks before and after LMDB maps a file, and LMDB's errors in our words.
 */
#ifndef REFRENDO_STORE_ENV_H
#define REFRENDO_STORE_ENV_H

#include <limits.h>
#include <lmdb.h>
#include <sys/types.h>

#include <refrendo/base.h>

#define ENV_DATA "/data.mdb"
#define ENV_LOCK "/lock.mdb"

/* One LMDB environment; path is its directory. */
struct env {
	MDB_env *mdb; /* NULL while closed */
	pid_t pid;    /* who opened it: nobody else may use it (fault F14) */
	dev_t dev;    /* of the data file, to see that it was replaced */
	ino_t ino;
	char path[PATH_MAX];
};

/* The code of an LMDB call's result, with LMDB's own words in why. */
MUST_CHECK enum err_code env_error(int rc, struct err *e);
/* ERR_CORRUPT "store-damaged". */
enum err_code env_damaged(struct err *e);
/* ERR_IO "store-failed". */
enum err_code env_failed(struct err *e);
/* meta.c: judges the two meta pages of a file that is not open yet. */
MUST_CHECK enum err_code meta_check(const struct env *v, struct err *e);

MUST_CHECK enum err_code env_path(char out[PATH_MAX], const char *dir,
    const char *name, struct err *e);
/* Takes the lock of the only writer: *fd is held until it is closed. */
MUST_CHECK enum err_code env_lock(const char *path, int *fd, struct err *e);
/* Makes the names in a directory durable. */
MUST_CHECK enum err_code env_sync_dir(const char *path, struct err *e);
/* Removes data and lock file; what is not there is no error. */
MUST_CHECK enum err_code env_wipe(const char *path, struct err *e);

/*
 * env_open - opens the environment whose directory stands in v->path.  fresh:
 * the files may be absent and are then made; otherwise a data file that is
 * missing, short or not LMDB's is ERR_CORRUPT "store-damaged".
 */
MUST_CHECK enum err_code env_open(struct env *v, int64_t map_bytes,
    unsigned flags, mode_t mode, bool fresh, struct err *e);
void env_close(struct env *v);
/* ERR_CONFLICT "store-forked" in a child, ERR_CORRUPT "store-moved". */
MUST_CHECK enum err_code env_usable(const struct env *v, struct err *e);
/* After a commit: the file is as long as its last page says. */
MUST_CHECK enum err_code env_cover(struct env *v, struct err *e);
/* Pages that the free list holds, as of the last commit. */
MUST_CHECK enum err_code env_free_pages(struct env *v, uint64_t *pages,
    struct err *e);

static inline MDB_val
val_of(struct bytes b)
{
	/* LMDB's type has no const; it does not write through it. */
	return (MDB_val){ .mv_size = b.len, .mv_data = (void *)(uintptr_t)b.p };
}

static inline struct bytes
bytes_of_val(MDB_val v)
{
	return bytes_of(v.mv_data, v.mv_size);
}

#endif
