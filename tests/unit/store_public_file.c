/*
 * Bodies that are files beside the rows: seen from the row on, whole as long
 * as somebody reads them, and gone when no row names them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <refrendo/ca.h>
#include <refrendo/store.h>

#include "pkix_help.h"

#define MAP (INT64_C(1) << 30)

static struct dir where;
static const char *dir;

static int
setup(void **state)
{
	(void)state;
	where = dir_new();
	dir = where.path;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dir_remove(&where);
	return 0;
}

static size_t
files(void)
{
	char path[128];
	size_t n = 0;
	snprintf(path, sizeof(path), "%s/public", dir);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *f = readdir(d); f != NULL; f = readdir(d))
		n += strncmp(f->d_name, "body-", 5) == 0;
	closedir(d);
	return n;
}

static void
publish(struct public *p, const char *text, char file[PUBLIC_FILE_NAME])
{
	struct public_txn *t;
	uint8_t key[PUBLIC_KEY_MAX];
	struct err e;
	int fd, reads;
	OK(public_file_create(p, file, &fd, &reads, &e), &e);
	close(reads);
	assert_int_equal(pwrite(fd, "xxx", 3, 0), 3);
	assert_int_equal(pwrite(fd, text, strlen(text), 3),
	    (ssize_t)strlen(text));
	close(fd);
	struct public_row row = { .type = "application/pkix-crl",
		.this_update = 5,
		.next_update = 9,
		.file_at = 3,
		.file_len = strlen(text) };
	memcpy(row.file, file, PUBLIC_FILE_NAME);
	memcpy(row.file_sha256, text, 4);
	OK(public_begin(p, &t, &e), &e);
	OK(public_put(t, public_file_key(key, bytes_str("/crl/a.crl")), &row,
	       &e),
	    &e);
	OK(public_commit(t, &e), &e);
}

static void
a_life(void **state)
{
	struct public *p = NULL;
	struct public_reader *r = NULL;
	struct public_row row;
	struct bytes one, two;
	char first[PUBLIC_FILE_NAME], second[PUBLIC_FILE_NAME];
	uint8_t key[PUBLIC_KEY_MAX];
	bool fresh;
	struct err e;
	(void)state;
	OK(public_open(dir, MAP, true, &fresh, &p, &e), &e);
	OK(public_reader_new(p, &r, &e), &e);
	publish(p, "the first", first);
	struct bytes k = public_file_key(key, bytes_str("/crl/a.crl"));
	OK(public_renew(r, &e), &e);
	assert_true(public_get(r, k, &row));
	assert_int_equal(row.body.len, 0);
	assert_string_equal(row.file, first);
	assert_true(strncmp(row.etag, "74686520", 8) == 0);
	OK(public_file_map(r, &row, &one, &e), &e);
	assert_true(bytes_is(one, "the first"));
	publish(p, "the second one", second);
	/* Young ones stay for whoever has just read the row. */
	OK(public_file_sweep(p, 60, &e), &e);
	assert_int_equal(files(), 2);
	OK(public_file_sweep(p, 0, &e), &e);
	assert_int_equal(files(), 1);
	assert_true(bytes_is(one, "the first"));
	assert_int_equal(public_file_map(r, &row, &two, &e), ERR_NOTFOUND);
	OK(public_renew(r, &e), &e);
	assert_true(public_get(r, k, &row));
	OK(public_file_map(r, &row, &two, &e), &e);
	assert_true(bytes_is(two, "the second one"));
	public_file_unmap(one);
	public_file_unmap(two);
	public_release(r);
	public_reader_free(r);
	public_close(p);
	/* What nobody named is removed at the next start. */
	OK(public_open(dir, MAP, true, &fresh, &p, &e), &e);
	assert_false(fresh);
	int fd, reads;
	OK(public_file_create(p, first, &fd, &reads, &e), &e);
	close(reads);
	close(fd);
	assert_int_equal(files(), 2);
	public_close(p);
	OK(public_open(dir, MAP, true, &fresh, &p, &e), &e);
	assert_int_equal(files(), 1);
	public_close(p);
}

/* A row whose file is shorter than it says, or has no name of ours. */
static void
bad_rows(void **state)
{
	static const char *const names[] = { "../../../etc/passwd", "body-",
		"body-0123456789abcdeF", "body-0123456789abcdef0" };
	struct public_row row = { .type = "application/pkix-crl",
		.file_len = 1 },
			  back;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf b AUTO_BUF = BUF(256);
		snprintf(row.file, sizeof(row.file), "%s", names[i]);
		OK(public_row_encode(&row, &b, &e), &e);
		ROW(public_row_decode(buf_bytes(&b), &back, &e) == ERR_CORRUPT,
		    names[i]);
	}
	struct public *p = NULL;
	struct public_reader *r = NULL;
	struct bytes body;
	bool fresh;
	int fd, reads;
	OK(public_open(dir, MAP, true, &fresh, &p, &e), &e);
	OK(public_reader_new(p, &r, &e), &e);
	OK(public_file_create(p, row.file, &fd, &reads, &e), &e);
	close(reads);
	assert_int_equal(write(fd, "ab", 2), 2);
	close(fd);
	row.file_at = 1;
	row.file_len = 2;
	assert_int_equal(public_file_map(r, &row, &body, &e), ERR_IO);
	row.file_len = 1;
	OK(public_file_map(r, &row, &body, &e), &e);
	assert_true(bytes_is(body, "b"));
	public_file_unmap(body);
	public_reader_free(r);
	public_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life),
		cmocka_unit_test(bad_rows),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
