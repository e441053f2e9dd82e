/*
 * publish_files - files that appear whole or not at all: written beside the
 * published ones, synced together, then put in their places.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "publish.h"

struct pending {
	size_t n;
	char name[PUBLISH_NAMES][PUBLISH_PATH];
};

struct sink {
	int root, own, tmp, lock;
	int dir; /* of the last name; -1 */
	char dir_name[PUBLISH_PATH];
	bool is_new; /* there was nothing in it */
	size_t n;
	struct pending pending[PUBLISH_BATCH];
};

static enum err_code
cannot_open(const char *name, struct err *e)
{
	int saved = errno;
	(void)err_say(e, ERR_IO, "publish-open",
	    "the directory %s cannot be made or opened", name);
	return err_why(e, "%s", strerror(saved));
}

static enum err_code
cannot_write(const char *name, struct err *e)
{
	int saved = errno;
	(void)err_say(e, ERR_IO, "publish-write",
	    "the file %s cannot be written", name);
	return err_why(e, "%s", strerror(saved));
}

/* --- Opening ---------------------------------------------------------------- */

static bool
is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	size_t n = 0;
	if (d == NULL)
		return false;
	while ((entry = readdir(d)) != NULL)
		n += strcmp(entry->d_name, ".") != 0 &&
		     strcmp(entry->d_name, "..") != 0;
	closedir(d);
	return n == 0;
}

/* A file of one's own makes the directory ours; a mistyped one stays whole. */
static enum err_code
take_directory(struct sink *s, const char *dir, struct err *e)
{
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return cannot_open(dir, e);
	s->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return cannot_open(dir, e);
	struct stat st;
	s->is_new =
	    fstatat(s->root, PUBLISH_OWN, &st, AT_SYMLINK_NOFOLLOW) != 0;
	if (s->is_new && !is_empty(s->root))
		return err_say(e, ERR_CONFLICT, "publish-not-ours",
		    "%s holds files that no export put there; name a directory "
		    "that is empty or does not exist",
		    dir);
	return ERR_OK;
}

static enum err_code
open_below(int at, const char *name, mode_t mode, int *out, struct err *e)
{
	if (mkdirat(at, name, mode) != 0 && errno != EEXIST)
		return cannot_open(name, e);
	*out =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*out < 0)
		return cannot_open(name, e);
	return ERR_OK;
}

static enum err_code
take_lock(struct sink *s, struct err *e)
{
	s->lock = openat(s->own, "lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (s->lock < 0)
		return cannot_open(PUBLISH_OWN, e);
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		return err_say(e, ERR_CONFLICT, "publish-running",
		    "another refrendo publish writes this directory; let it "
		    "end, or end it");
	return ERR_OK;
}

/* What a run that was killed had not put in place yet. */
static void
empty_directory(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL)
		(void)unlinkat(fd, entry->d_name, 0);
	closedir(d);
}

enum err_code
sink_open(const char *dir, struct sink **out, struct err *e)
{
	AUTO(sink) s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(e);
	s->root = s->own = s->tmp = s->lock = s->dir = -1;
	TRY(take_directory(s, dir, e));
	TRY(open_below(s->root, PUBLISH_OWN, 0700, &s->own, e));
	TRY(take_lock(s, e));
	TRY(open_below(s->own, "tmp", 0700, &s->tmp, e));
	empty_directory(s->tmp);
	*out = TAKE(s);
	return ERR_OK;
}

void
sink_free(struct sink *s)
{
	if (s == NULL)
		return;
	const int fds[] = { s->dir, s->tmp, s->own, s->root, s->lock };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(s);
}

int
sink_own(const struct sink *s)
{
	return s->own;
}

bool
sink_is_new(const struct sink *s)
{
	return s->is_new;
}

int
sink_root(const struct sink *s)
{
	return s->root;
}

/* --- Names ------------------------------------------------------------------- */

static enum err_code
bad_name(const char *name, struct err *e)
{
	return err_say(e, ERR_INVALID, "publish-name",
	    "%s is no path that a file can be published under", name);
}

/* Everything that is published has a plain name; dots begin none. */
static bool
is_plain(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= PUBLISH_PATH)
		return false;
	for (const char *p = name; *p != '\0'; p++) {
		bool begins = p == name || p[-1] == '/';
		if (*p < 0x21 || *p > 0x7e || (begins && *p == '.') ||
		    (begins && *p == '/') || (*p == '/' && p[1] == '\0'))
			return false;
	}
	return true;
}

/*
 * The directory of a name, through no symbolic link: a web server that can
 * write here must not lead us elsewhere.  -1 when it is not there.
 */
static int
open_dir(const struct sink *s, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	return (int)syscall(SYS_openat2, s->root, path[0] == '\0' ? "." : path,
	    &how, sizeof(how));
}

/* Part by part, as far as it is missing. */
static int
make_dir(const struct sink *s, char *path)
{
	for (char *p = path; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		int fd = open_dir(s, path);
		if (fd >= 0)
			close(fd);
		else
			(void)mkdirat(s->root, path, 0755);
	}
	/* What stands in the way shows when it is opened. */
	(void)mkdirat(s->root, path, 0755);
	return open_dir(s, path);
}

/* Borrowed until the next call; base is the last part. */
static int
directory_of(struct sink *s, const char *name, const char **base, bool create)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - name);
	*base = slash == NULL ? name : slash + 1;
	if (s->dir >= 0 && strlen(s->dir_name) == len &&
	    memcmp(s->dir_name, name, len) == 0)
		return s->dir;
	if (s->dir >= 0)
		close(s->dir);
	memcpy(s->dir_name, name, len);
	s->dir_name[len] = '\0';
	s->dir = open_dir(s, s->dir_name);
	if (s->dir < 0 && create)
		s->dir = make_dir(s, s->dir_name);
	return s->dir;
}

/* --- Writing ------------------------------------------------------------------ */

static enum err_code
write_all(int fd, const char *name, struct bytes body, struct err *e)
{
	while (body.len > 0) {
		ssize_t n = write(fd, body.p, body.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cannot_write(name, e);
		body.p += n;
		body.len -= (size_t)n;
	}
	return ERR_OK;
}

enum err_code
sink_put(struct sink *s, char (*name)[PUBLISH_PATH], size_t n,
    struct bytes body, struct err *e)
{
	char number[24];
	for (size_t i = 0; i < n; i++) {
		if (!is_plain(name[i]))
			return bad_name(name[i], e);
	}
	if (s->n == PUBLISH_BATCH)
		TRY(sink_flush(s, e));
	snprintf(number, sizeof(number), "%zu", s->n);
	int fd = openat(s->tmp, number,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return cannot_write(name[0], e);
	enum err_code code = write_all(fd, name[0], body, e);
	close(fd);
	TRY(code);
	struct pending *p = &s->pending[s->n++];
	p->n = n;
	memcpy(p->name, name, n * sizeof(*name));
	return ERR_OK;
}

/* A further name of the same file.  Where one is there already, rename() puts
 * a link in its place at once, which link() cannot. */
static enum err_code
place_link(struct sink *s, const char *number, const char *name, struct err *e)
{
	const char *base;
	int dir = directory_of(s, name, &base, true);
	if (dir < 0)
		return cannot_write(name, e);
	if (linkat(s->tmp, number, dir, base, 0) == 0)
		return ERR_OK;
	if (errno != EEXIST)
		return cannot_write(name, e);
	(void)unlinkat(s->tmp, "link", 0);
	if (linkat(s->tmp, number, s->tmp, "link", 0) != 0 ||
	    renameat(s->tmp, "link", dir, base) != 0)
		return cannot_write(name, e);
	return ERR_OK;
}

static enum err_code
place(struct sink *s, size_t i, struct err *e)
{
	const struct pending *p = &s->pending[i];
	const char *base;
	char number[24];
	snprintf(number, sizeof(number), "%zu", i);
	for (size_t k = 1; k < p->n; k++)
		TRY(place_link(s, number, p->name[k], e));
	int dir = directory_of(s, p->name[0], &base, true);
	if (dir < 0 || renameat(s->tmp, number, dir, base) != 0)
		return cannot_write(p->name[0], e);
	return ERR_OK;
}

/* One sync for many files: a file's own would cost a disk's turn each. */
enum err_code
sink_flush(struct sink *s, struct err *e)
{
	if (s->n == 0)
		return ERR_OK;
	if (syncfs(s->root) != 0)
		return cannot_write(s->pending[0].name[0], e);
	for (size_t i = 0; i < s->n; i++)
		TRY(place(s, i, e));
	s->n = 0;
	return ERR_OK;
}

/* --- Reading ------------------------------------------------------------------- */

bool
sink_read(struct sink *s, const char *name, struct buf *out)
{
	uint8_t piece[16384];
	const char *base;
	ssize_t n = 1;
	if (!is_plain(name))
		return false;
	int dir = directory_of(s, name, &base, false);
	int fd = dir < 0 ? -1
			 : openat(dir, base,
			       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (n > 0 && !out->failed) {
		n = read(fd, piece, sizeof(piece));
		if (n > 0)
			buf_put(out, piece, (size_t)n);
	}
	close(fd);
	return n == 0 && !out->failed;
}

bool
sink_has(struct sink *s, const char *name, struct bytes body)
{
	struct buf there AUTO_BUF = BUF(body.len + 1);
	return sink_read(s, name, &there) && bytes_eq(buf_bytes(&there), body);
}

/* --- Removing ------------------------------------------------------------------- */

enum err_code
sink_remove(struct sink *s, const char *name, struct err *e)
{
	const char *base;
	if (!is_plain(name))
		return bad_name(name, e);
	int dir = directory_of(s, name, &base, false);
	if (dir < 0 || unlinkat(dir, base, 0) == 0 || errno == ENOENT)
		return ERR_OK;
	int saved = errno;
	(void)err_say(e, ERR_IO, "publish-remove",
	    "the file %s cannot be removed", name);
	return err_why(e, "%s", strerror(saved));
}

void
sink_remove_dir(struct sink *s, const char *name)
{
	const char *base;
	if (!is_plain(name))
		return;
	int dir = directory_of(s, name, &base, false);
	int fd = dir < 0 ? -1
			 : openat(dir, base,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	empty_directory(fd);
	(void)unlinkat(dir, base, AT_REMOVEDIR);
	close(fd);
}

enum err_code
sink_rename_own(struct sink *s, const char *from, const char *to, struct err *e)
{
	/* What it says is there must be on the disk before it says so. */
	if (syncfs(s->root) != 0 || renameat(s->own, from, s->own, to) != 0 ||
	    fsync(s->own) != 0)
		return cannot_write(to, e);
	s->is_new = false;
	return ERR_OK;
}
