#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <refrendo/engine.h>

static void
join(char out[PATH_LEN * 2], const char *dir, const char *name)
{
	if (name[0] == '/')
		snprintf(out, PATH_LEN * 2, "%s", name);
	else
		snprintf(out, PATH_LEN * 2, "%s/%s", dir, name);
}

static enum err_code
read_fd(int fd, size_t max, struct buf *out, struct err *e)
{
	out->max = max;
	for (;;) {
		uint8_t piece[16384];
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "file-read",
			    "a file cannot be read");
		if (n == 0)
			return buf_end(out, e);
		buf_put(out, piece, (size_t)n);
		if (out->failed)
			return buf_end(out, e);
	}
}

static enum err_code
too_large(const char *name, size_t max, struct err *e)
{
	char text[24];
	snprintf(text, sizeof(text), "%zu", max);
	return err_say(e, ERR_INVALID, "file-large",
	    "the file %s has more octets than the %s that are read of it", name,
	    text);
}

enum err_code
file_read(const char *dir, const char *name, size_t max, struct buf *out,
    struct err *e)
{
	char path[PATH_LEN * 2];
	join(path, dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_say(e, ERR_NOTFOUND, "file-missing",
		    "the file %s cannot be opened; check its name and "
		    "permissions",
		    name);
	struct stat st;
	bool is_dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	enum err_code code = is_dir ? ERR_OK : read_fd(fd, max, out, e);
	close(fd);
	if (is_dir)
		return err_say(e, ERR_INVALID, "file-directory",
		    "%s is a directory; name a file", name);
	if (code == ERR_NOMEM && out->failed)
		return too_large(name, max, e);
	return code;
}

static enum err_code
write_synced(int fd, struct bytes content, struct err *e)
{
	while (content.len > 0) {
		ssize_t n = write(fd, content.p, content.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, "file-write",
			    "a file cannot be written");
		content.p += n;
		content.len -= (size_t)n;
	}
	if (fsync(fd) != 0)
		return err_errno(e, "file-sync", "a file cannot be synced");
	return ERR_OK;
}

static enum err_code
sync_parent(const char *path, struct err *e)
{
	char dir[PATH_LEN * 2];
	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash == NULL)
		snprintf(dir, sizeof(dir), ".");
	else
		*slash = '\0';
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		err_errno(e, "file-sync-dir", "a directory cannot be synced");
		if (fd >= 0)
			close(fd);
		return e->code;
	}
	close(fd);
	return ERR_OK;
}

/* What lies at the temporary name is nobody's to choose: neither its mode nor
 * where it points to. */
static enum err_code
create(const char *path, const char *temporary, unsigned mode, int *out,
    struct err *e)
{
	(void)!unlink(temporary);
	*out = open(temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
	if (*out >= 0)
		return ERR_OK;
	int number = errno;
	err_say(e, ERR_IO, "file-create",
	    "the file %s cannot be created; check its directory", path);
	return err_why(e, "%s", strerror(number));
}

static enum err_code
exists(const char *path, struct err *e)
{
	return err_say(e, ERR_CONFLICT, "file-exists",
	    "the file %s is there already, and is not written over; name "
	    "another or move it away",
	    path);
}

/* Where the file system cannot refuse a name that is taken, it was looked at. */
static int
rename_new(const char *from, const char *to)
{
	struct stat st;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (lstat(to, &st) != 0)
		return rename(from, to);
	errno = EEXIST;
	return -1;
}

static enum err_code
place(const char *temporary, const char *path, bool is_new, struct err *e)
{
	int rc = is_new ? rename_new(temporary, path) : rename(temporary, path);
	if (rc == 0)
		return ERR_OK;
	return is_new && errno == EEXIST
		   ? exists(path, e)
		   : err_errno(e, "file-rename",
			 "a file cannot be put in its place");
}

static enum err_code
write_to(const char *path, struct bytes content, unsigned mode, bool is_new,
    struct err *e)
{
	char temporary[PATH_LEN * 2 + 8];
	int fd = -1;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	TRY(create(path, temporary, mode, &fd, e));
	enum err_code code = write_synced(fd, content, e);
	close(fd);
	if (code == ERR_OK)
		code = place(temporary, path, is_new, e);
	if (code != ERR_OK) {
		unlink(temporary);
		return code;
	}
	return sync_parent(path, e);
}

enum err_code
file_write(const char *path, struct bytes content, unsigned mode, struct err *e)
{
	return write_to(path, content, mode, false, e);
}

enum err_code
file_write_new(const char *path, struct bytes content, unsigned mode,
    struct err *e)
{
	return write_to(path, content, mode, true, e);
}

enum err_code
file_is_new(const char *path, struct err *e)
{
	struct stat st;
	return lstat(path, &st) == 0 ? exists(path, e) : ERR_OK;
}

enum err_code
file_settle(const char *from, const char *to, struct err *e)
{
	struct stat st;
	if (stat(to, &st) != 0 ||
	    (st.st_uid != geteuid() &&
		chown(from, st.st_uid, st.st_gid) != 0) ||
	    rename(from, to) != 0)
		return err_errno(e, "file-rename",
		    "a file cannot be put in its place");
	return sync_parent(to, e);
}

enum err_code
file_certificate(const char *dir, const char *name, struct buf *der,
    struct err *e)
{
	struct buf pem AUTO_BUF = BUF(CERT_MAX_BYTES * 2);
	TRY(file_read(dir, name, CERT_MAX_BYTES * 2, &pem, e));
	return pem_or_der(buf_bytes(&pem), "CERTIFICATE", der, e);
}

/* --- The installation ---------------------------------------------------- */

static enum err_code
installation_add(struct installation *in, const char *name, struct err *e)
{
	if (in->n_file == INSTALLATION_FILES)
		return err_say(e, ERR_INVALID, "engine-too-many-policies",
		    "there are too many policy files; remove some");
	size_t i = in->n_file;
	in->text[i] = BUF(POLICY_FILE_MAX);
	snprintf(in->name[i], PATH_LEN, "%s", name);
	in->n_file++;
	TRY(file_read(in->dir, name, POLICY_FILE_MAX, &in->text[i], e));
	in->file[i] = (struct policy_file){ .name = in->name[i],
		.text = buf_bytes(&in->text[i]) };
	return ERR_OK;
}

static int
is_policy_name(const struct dirent *d)
{
	size_t len = strlen(d->d_name);
	return d->d_name[0] != '.' && len > 5 &&
	       strcmp(d->d_name + len - 5, ".yaml") == 0;
}

static enum err_code
installation_add_policies(struct installation *in, struct err *e)
{
	char path[PATH_LEN * 2];
	join(path, in->dir, in->config.policies);
	struct dirent **entries;
	int n = scandir(path, &entries, is_policy_name, alphasort);
	if (n < 0)
		return err_say(e, ERR_NOTFOUND, "engine-policies",
		    "the directory of policies %s cannot be read",
		    in->config.policies);
	enum err_code code = ERR_OK;
	for (int i = 0; i < n; i++) {
		char name[PATH_LEN];
		snprintf(name, sizeof(name), "%.120s/%.120s",
		    in->config.policies, entries[i]->d_name);
		free(entries[i]);
		if (code == ERR_OK)
			code = installation_add(in, name, e);
	}
	free(entries);
	return code;
}

static void
parse(struct installation *in, bool by_ceilings, struct findings *f)
{
	config_load(&in->file[0], &in->config, f);
	ceilings_load(&in->file[1], &in->ceilings, f);
	if (f->errors == 0)
		policy_load(in->file + 2, in->n_file - 2,
		    by_ceilings ? &in->ceilings : NULL, &in->policies, f);
}

static enum err_code
read_all(const char *dir, bool by_ceilings, struct installation *out,
    struct findings *f, struct err *e)
{
	*out = (struct installation){ .n_file = 0 };
	snprintf(out->dir, sizeof(out->dir), "%s", dir);
	if (installation_add(out, "etc/refrendo.yaml", e) != ERR_OK)
		return err_say(e, ERR_NOTFOUND, "engine-dir",
		    "%s has no etc/refrendo.yaml; create an installation with "
		    "refrendo init --dir",
		    dir);
	config_load(&out->file[0], &out->config, f);
	if (f->errors > 0)
		return ERR_OK;
	TRY(installation_add(out, out->config.signer_yaml, e));
	TRY(installation_add_policies(out, e));
	parse(out, by_ceilings, f);
	return ERR_OK;
}

enum err_code
installation_read(const char *dir, struct installation *out, struct findings *f,
    struct err *e)
{
	return read_all(dir, true, out, f, e);
}

enum err_code
installation_start(const char *dir, struct installation *out,
    struct findings *f, struct err *e)
{
	return read_all(dir, false, out, f, e);
}

void
installation_parse(struct installation *in, struct findings *f)
{
	parse(in, false, f);
}

void
installation_take_policies(struct installation *in, struct installation *fresh)
{
	for (size_t i = 2; i < in->n_file; i++)
		buf_fini(&in->text[i]);
	for (size_t i = 2; i < fresh->n_file; i++) {
		memcpy(in->name[i], fresh->name[i], PATH_LEN);
		in->text[i] = fresh->text[i];
		fresh->text[i] = BUF(0);
		in->file[i] = (struct policy_file){ .name = in->name[i],
			.text = buf_bytes(&in->text[i]) };
	}
	in->n_file = fresh->n_file;
}

/* Before anything of a running engine is touched; held until this one ends. */
enum err_code
engine_lock(const char *dir, struct err *e)
{
	char path[PATH_LEN * 2];
	snprintf(path, sizeof(path), "%s/engine.lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "engine-lock-file",
		    "the lock file of the installation cannot be opened");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return err_say(e, ERR_CONFLICT, "engine-running",
		    "another engine runs on %s; stop it first", dir);
	}
	return ERR_OK;
}

void
installation_fini(struct installation *in)
{
	policy_set_free(in->policies);
	for (size_t i = 0; i < in->n_file; i++)
		buf_fini(&in->text[i]);
	*in = (struct installation){ .n_file = 0 };
}

void
installation_print(const struct installation *in, const struct findings *f)
{
	struct buf out AUTO_BUF = BUF(1 << 20);
	for (size_t i = 0; i < f->len; i++) {
		struct bytes text = BYTES_NONE;
		for (size_t k = 0; k < in->n_file; k++) {
			if (strcmp(in->name[k], f->v[i].err.where.file) == 0)
				text = in->file[k].text;
		}
		finding_print(&out, &f->v[i], text);
	}
	if (out.len > 0)
		fwrite(out.p, 1, out.len, stderr);
}
