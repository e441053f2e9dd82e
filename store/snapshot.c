/* snapshot - a compact copy of the ledger while it is in use. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"

/* What mdb_env_copy2() does, but for the owner alone: it has names, documents
 * and details of people, and is carried elsewhere. */
static enum err_code
copy_to(struct store *s, const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return env_error(errno, e);
	/* Where it can be, the copy pushes nothing out of the page cache. */
	(void)fcntl(fd, F_SETFL, O_DIRECT);
	int rc = mdb_env_copyfd2(s->env.mdb, fd, MDB_CP_COMPACT);
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	close(fd);
	return env_error(rc, e);
}

static enum err_code
copy_into(struct store *s, const char *dir, const char *ledger, struct err *e)
{
	char data[PATH_MAX];

	TRY(env_path(data, ledger, ENV_DATA, e));
	if (mkdir(dir, 0700) != 0 || mkdir(ledger, 0700) != 0)
		return env_error(errno, e);
	TRY(copy_to(s, data, e));
	TRY(env_sync_dir(ledger, e));
	return env_sync_dir(dir, e);
}

static enum err_code
sync_parent(const char *dir, struct err *e)
{
	char up[PATH_MAX];
	TRY(env_path(up, dir, "/..", e));
	return env_sync_dir(up, e);
}

enum err_code
store_snapshot(struct store *s, const char *dir, struct err *e)
{
	char part[PATH_MAX], ledger[PATH_MAX];
	struct stat st;

	TRY(env_usable(&s->env, e));
	TRY(env_path(part, dir, ".part", e));
	TRY(env_path(ledger, part, "/ledger", e));
	if (lstat(dir, &st) == 0 || lstat(part, &st) == 0)
		return err_say(e, ERR_CONFLICT, "snapshot-exists",
		    "the place for the copy, or a part of an earlier one "
		    "beside "
		    "it, is already there; give a name that is not in use");
	enum err_code rc = copy_into(s, part, ledger, e);
	if (rc == ERR_OK && rename(part, dir) != 0)
		rc = env_error(errno, e);
	if (rc == ERR_OK)
		return sync_parent(dir, e);
	/* Nothing half copied is left behind; the first error counts. */
	struct err later;
	if (env_wipe(ledger, &later) == ERR_OK && rmdir(ledger) == 0)
		(void)!rmdir(part);
	return rc;
}
