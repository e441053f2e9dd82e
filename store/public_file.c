/*
 * public_file - long bodies, each in a file of its own: a list of a million
 * entries would fill LMDB with runs of pages that nothing else fits in, and a
 * slow client would pin them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "public_file.h"
#include "published.h"

#define PREFIX "body-"

bool
public_file_is_name(struct bytes name)
{
	size_t prefix = strlen(PREFIX);
	if (name.len != PUBLIC_FILE_LEN || memcmp(name.p, PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < name.len; i++)
		if (memchr("0123456789abcdef", name.p[i], 16) == NULL)
			return false;
	return true;
}

static enum err_code
failed(enum err_code code, struct err *e)
{
	int no = errno;
	(void)err_say(e, code, "public-file",
	    "a published file cannot be written or read; look at the disk "
	    "and the rights of the directory public");
	return err_why(e, "%s", strerror(no));
}

static enum err_code
path_of(char out[PATH_MAX], const struct public *p, const char *name,
    struct err *e)
{
	char tail[PUBLIC_FILE_NAME + 1];
	snprintf(tail, sizeof(tail), "/%s", name);
	return env_path(out, p->env.path, tail, e);
}

enum err_code
public_file_create(struct public *p, char name[PUBLIC_FILE_NAME], int *fd,
    int *fd_read, struct err *e)
{
	char path[PATH_MAX];
	uint8_t random[8];
	char hex[HEX_LEN(sizeof(random))];

	if (RAND_bytes(random, sizeof(random)) != 1)
		fatal("the random generator failed");
	hex_print(hex, bytes_of(random, sizeof(random)));
	snprintf(name, PUBLIC_FILE_NAME, PREFIX "%s", hex);
	TRY(path_of(path, p, name, e));
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	*fd_read = *fd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	return *fd_read < 0 ? failed(ERR_IO, e) : ERR_OK;
}

/* --- What no row names ------------------------------------------------------- */

static enum err_code
is_named(MDB_cursor *c, const char *name, bool *named, struct err *e)
{
	struct bytes from = bytes_str("f/crl/");
	struct public_row row;
	MDB_val k = val_of(from), d;

	*named = false;
	int rc = mdb_cursor_get(c, &k, &d, MDB_SET_RANGE);
	for (; rc == 0; rc = mdb_cursor_get(c, &k, &d, MDB_NEXT)) {
		if (k.mv_size < from.len ||
		    memcmp(k.mv_data, from.p, from.len) != 0)
			return ERR_OK;
		if (public_row_decode(bytes_of_val(d), &row, e) == ERR_OK &&
		    strcmp(row.file, name) == 0) {
			*named = true;
			return ERR_OK;
		}
	}
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

static enum err_code
sweep_one(struct public *p, MDB_cursor *c, const char *name, int64_t before,
    struct err *e)
{
	char path[PATH_MAX];
	struct stat st;
	bool named;

	if (!public_file_is_name(bytes_str(name)))
		return ERR_OK;
	TRY(is_named(c, name, &named, e));
	if (named)
		return ERR_OK;
	TRY(path_of(path, p, name, e));
	/* Who read its row a moment ago is about to open it. */
	if (stat(path, &st) == 0 && st.st_mtime <= before)
		(void)unlink(path);
	return ERR_OK;
}

static enum err_code
sweep(struct public *p, MDB_txn *txn, int64_t before, struct err *e)
{
	MDB_cursor *c;
	enum err_code code = ERR_OK;
	DIR *d = opendir(p->env.path);

	if (d == NULL)
		return failed(ERR_IO, e);
	int rc = mdb_cursor_open(txn, p->answers, &c);
	if (rc != 0) {
		closedir(d);
		return env_error(rc, e);
	}
	struct dirent *f;
	while (code == ERR_OK && (f = readdir(d)) != NULL)
		code = sweep_one(p, c, f->d_name, before, e);
	mdb_cursor_close(c);
	closedir(d);
	return code;
}

enum err_code
public_file_sweep(struct public *p, int64_t grace_s, struct err *e)
{
	MDB_txn *txn;
	int64_t before = grace_s == 0 ? NEVER : clock_now() - grace_s;

	TRY(env_error(mdb_txn_begin(p->env.mdb, NULL, MDB_RDONLY, &txn), e));
	enum err_code code = sweep(p, txn, before, e);
	mdb_txn_abort(txn);
	return code;
}

/* --- Reading ------------------------------------------------------------------- */

enum err_code
public_file_read(const struct public *p, const struct public_row *row,
    struct bytes *body, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	TRY(path_of(path, p, row->file, e));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed(ERR_NOTFOUND, e);
	size_t len = (size_t)(row->file_at + row->file_len);
	void *map = MAP_FAILED;
	if (row->file_len > 0 && row->file_at < 4096 && fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size >= row->file_at + row->file_len)
		map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return failed(ERR_IO, e);
	*body = bytes_of((uint8_t *)map + row->file_at, (size_t)row->file_len);
	return ERR_OK;
}

void
public_file_unmap(struct bytes body)
{
	/* It begins within the first page of its map. */
	uintptr_t at = (uintptr_t)body.p & 4095u;
	if (body.len > 0)
		(void)munmap((void *)((uintptr_t)body.p - at), body.len + at);
}
