#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/store_check.h"
#include "fake/store_io.h"

/* The data file is that of public/ here. */
static void
public_dirs(struct dirs *d)
{
	dirs_init(d);
	work_path(d->data, sizeof(d->data), d->base, "/public/data.mdb");
}

static struct public *
open_writer(struct dirs *d, bool want_fresh)
{
	struct public *p;
	struct err e;
	bool fresh;
	OK(public_open(d->base, WORK_MAP, true, &fresh, &p, &e));
	assert_int_equal(fresh, want_fresh);
	return p;
}

static struct public_row
ocsp_row(int64_t this_update, const char *body)
{
	return (struct public_row){ .this_update = this_update,
		.next_update = this_update + 4 * DAY,
		.refresh_at = this_update,
		.type = "application/ocsp-response",
		.body = bytes_str(body) };
}

static struct bytes
serial_key(uint8_t room[PUBLIC_KEY_MAX], uint16_t issuer, uint32_t number)
{
	uint8_t serial[16] = { 0x40 };
	be64_print(serial + 8, number);
	return public_ocsp_key(room, issuer, bytes_of(serial, sizeof(serial)));
}

static void
put(struct public *p, uint16_t issuer, uint32_t number, int64_t time,
    const char *body)
{
	uint8_t room[PUBLIC_KEY_MAX];
	struct public_row row = ocsp_row(time, body);
	struct public_txn *t;
	struct err e;
	OK(public_begin(p, &t, &e));
	OK(public_put(t, serial_key(room, issuer, number), &row, &e));
	OK(public_commit(t, &e));
}

/* --- Reading what was written --------------------------------------------- */

/* The oldest one alone. */
struct oldest {
	uint16_t issuer;
	uint8_t serial[SERIAL_MAX];
	size_t len;
	bool found;
};

static void
take_oldest(void *ctx, uint16_t issuer, struct bytes serial)
{
	struct oldest *o = ctx;
	o->issuer = issuer;
	o->len = serial.len;
	memcpy(o->serial, serial.p, serial.len);
	o->found = true;
}

static void
answers_files_and_issuers(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	struct public_reader *r;
	struct public_txn *t;
	struct public_row row = { .type = "application/pkix-crl",
		.this_update = 5,
		.body = bytes_str("crl") };
	struct public_issuer id[2], got[3];
	uint8_t room[PUBLIC_KEY_MAX];
	struct err e;

	memset(id, 'x', sizeof(id));
	memset(id[0].name, 0, sizeof(id[0].name));
	memset(id[1].name, 0, sizeof(id[1].name));
	snprintf(id[0].name, sizeof(id[0].name), "emisora");
	snprintf(id[1].name, sizeof(id[1].name), "emisora-g2");
	id[1].id.key_sha256[31] = 'y';
	OK(public_reader_new(p, &r, &e));
	OK(public_renew(r, &e));
	assert_int_equal(public_log_index(r), 0);
	assert_int_equal(public_issuers(r, 0, got, 3), 0);
	OK(public_begin(p, &t, &e));
	OK(public_put(t, public_file_key(room, bytes_str("/crl/a.crl")), &row,
	    &e));
	OK(public_put_issuer(t, 0, &id[0], &e));
	OK(public_put_issuer(t, 1, &id[1], &e));
	OK(public_put_meta(t, 77, &e));
	OK(public_commit(t, &e));
	/* The open turn of the loop sees what was there when it began. */
	struct bytes key = public_file_key(room, bytes_str("/crl/a.crl"));
	assert_false(public_get(r, key, &row));
	public_release(r);
	OK(public_renew(r, &e));
	assert_true(public_get(r, key, &row));
	assert_true(bytes_is(row.body, "crl"));
	assert_int_equal(row.next_update, 0);
	assert_false(public_get(r, BYTES_NONE, &row));
	assert_false(public_get(r,
	    public_file_key(room, bytes_str("/crl/b.crl")), &row));
	assert_int_equal(public_log_index(r), 77);
	assert_int_equal(public_issuers(r, 0, got, 1), 1);
	assert_memory_equal(&got[0], &id[0], sizeof(id[0]));
	assert_int_equal(public_issuers(r, 0, got, 3), 2);
	assert_memory_equal(&got[1], &id[1], sizeof(id[1]));
	assert_int_equal(public_issuers(r, 1, got, 3), 1);
	assert_memory_equal(&got[0], &id[1], sizeof(id[1]));
	assert_int_equal(public_issuers(r, 2, got, 3), 0);
	assert_int_equal(public_issuers(r, ISSUERS_MAX, got, 3), 0);
	/* A file is not refreshed by its age. */
	struct oldest o = { .found = false };
	struct public_due_at at = { .len = 0 };
	OK(public_due(r, NEVER, 1, &at, take_oldest, &o, &e));
	assert_false(o.found);
	assert_int_equal(at.len, 0);
	public_reader_free(r);
	public_close(p);
	work_dir_remove(d.base);
}

/* The index follows each answer through renewal and removal: what is not good
 * comes first, then the longest overdue, each once. */
struct due_list {
	uint32_t number[25];
	size_t n;
};

static void
take_due(void *ctx, uint16_t issuer, struct bytes serial)
{
	struct due_list *l = ctx;
	uint32_t number = (uint32_t)be64_parse(serial.p + 8);
	assert_int_equal(serial.len, 16);
	assert_int_equal(issuer, number % 3);
	assert_true(l->n < ARRAY_LEN(l->number));
	l->number[l->n++] = number;
}

struct due_model {
	int64_t when; /* 0: none */
	bool first;
};

static bool
in_order(const struct due_model *a, const struct due_model *b)
{
	return a->first != b->first ? a->first : a->when <= b->when;
}

static void
change_one(struct public *p, struct due_model *m, uint32_t k, uint64_t *rnd)
{
	uint8_t room[PUBLIC_KEY_MAX];
	struct public_txn *t;
	struct err e;
	struct bytes key = serial_key(room, (uint8_t)(k % 3), k);
	OK(public_begin(p, &t, &e));
	if (work_random(rnd, 4) == 0) {
		OK(public_del(t, key, &e));
		m->when = 0;
	} else {
		m->when = 1000 + work_random(rnd, 500);
		m->first = work_random(rnd, 5) == 0;
		struct public_row row = ocsp_row(7, "answer");
		row.refresh_at = m->when;
		row.first = m->first;
		OK(public_put(t, key, &row, &e));
	}
	OK(public_commit(t, &e));
}

static void
due_follows_a_model(void **state)
{
	(void)state;
	enum { N = 25 };
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	struct public_reader *r;
	struct due_model model[N] = { { 0, false } };
	uint64_t rnd = 9;
	struct err e;
	OK(public_reader_new(p, &r, &e));
	for (int i = 0; i < 600; i++) {
		uint32_t k = work_random(&rnd, N);
		change_one(p, &model[k], k, &rnd);
		int64_t now = 1000 + work_random(&rnd, 600);
		size_t want = 0, step = 1 + work_random(&rnd, 7), before;
		for (size_t j = 0; j < N; j++)
			want += model[j].when != 0 && model[j].when <= now;
		OK(public_renew(r, &e));
		struct due_list l = { .n = 0 };
		struct public_due_at at = { .len = 0 };
		do {
			before = l.n;
			OK(public_due(r, now, step, &at, take_due, &l, &e));
			assert_true(l.n - before <= step);
		} while (l.n > before);
		assert_int_equal(l.n, want);
		for (size_t j = 0; j < l.n; j++) {
			assert_true(model[l.number[j]].when != 0);
			assert_true(model[l.number[j]].when <= now);
			if (j > 0)
				assert_true(in_order(&model[l.number[j - 1]],
				    &model[l.number[j]]));
		}
		public_release(r);
	}
	public_reader_free(r);
	public_close(p);
	work_dir_remove(d.base);
}

static void
first_error_is_kept(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true), *reader;
	struct public_txn *t, *other;
	struct public_row row = ocsp_row(5, "x");
	uint8_t room[PUBLIC_KEY_MAX];
	struct err e;
	const char *say = "this is no key of the published store; its path or "
			  "serial is empty or too long";
	static const char *const keys[] = { "", "f", "o", "o1", "x/file",
		"o1aaaaaaaaaaaaaaaaaaaaaa" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		OK(public_begin(p, &t, &e));
		REFUSED(public_put(t, bytes_str(keys[i]), &row, &e),
		    ERR_INVALID, "public-key", say);
		REFUSED(public_put(t, serial_key(room, 0, 1), &row, &e),
		    ERR_INVALID, "public-key", say);
		REFUSED(public_put_meta(t, 9, &e), ERR_INVALID, "public-key",
		    say);
		REFUSED(public_commit(t, &e), ERR_INVALID, "public-key", say);
	}
	OK(public_begin(p, &t, &e));
	REFUSED(public_begin(p, &other, &e), ERR_CONFLICT, "public-writing",
	    "something is being published already; end that first");
	public_abort(t);
	public_abort(NULL);
	put(p, 0, 1, 10, "x");
	public_close(p);
	OK(public_open(d.base, WORK_MAP, false, NULL, &reader, &e));
	REFUSED(public_begin(reader, &t, &e), ERR_CONFLICT, "public-read-only",
	    "the published store was opened for reading; only core writes it");
	public_close(reader);
	work_dir_remove(d.base);
}

/* --- When it is thrown away ----------------------------------------------- */

static bool
holds(struct public *p, uint32_t number)
{
	struct public_reader *r;
	struct public_row row;
	uint8_t room[PUBLIC_KEY_MAX];
	struct err e;
	OK(public_reader_new(p, &r, &e));
	OK(public_renew(r, &e));
	bool there = public_get(r, serial_key(room, 0, number), &row);
	public_reader_free(r);
	return there;
}

/* As another boot of the machine would find it; clean -1: left as it is. */
static void
other_boot(struct dirs *d, int clean)
{
	char path[160];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = { 5, (void *)(uintptr_t)"state" }, v;
	uint8_t row[46];
	work_path(path, sizeof(path), d->base, "/public");
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
	assert_int_equal(v.mv_size, sizeof(row));
	memcpy(row, v.mv_data, sizeof(row));
	if (clean >= 0)
		row[1] = (uint8_t)clean;
	row[10] = row[10] == 'a' ? 'b' : 'a';
	v.mv_data = row;
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

/* A writer that is killed in mid-work. */
static void
killed_writer(struct dirs *d, unsigned at)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct public *p;
		struct err e;
		bool fresh;
		if (public_open(d->base, WORK_MAP, true, &fresh, &p, &e) !=
		    ERR_OK)
			_exit(1);
		io_kill(IO_WRITE, at, at % 2 == 0);
		for (uint32_t i = 0;; i++)
			put(p, 0, i, 100 + i, "answer");
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void
kept_or_begun_anew(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	put(p, 0, 7, 100, "answer");
	public_close(p);
	/* Closed in order: kept, even on another boot. */
	other_boot(&d, 1);
	p = open_writer(&d, false);
	assert_true(holds(p, 7));
	public_close(p);
	/* Killed: kept on the same boot, since the page cache is whole. */
	for (unsigned at = 1; at < 30; at++) {
		killed_writer(&d, at);
		p = open_writer(&d, false);
		assert_true(holds(p, 7));
		put(p, 0, 8, 200, "more");
		public_close(p);
	}
	/* Not closed in order, and another boot: nothing of it is trusted. */
	killed_writer(&d, 9);
	other_boot(&d, -1);
	p = open_writer(&d, true);
	assert_false(holds(p, 7));
	public_close(p);
	work_dir_remove(d.base);
}

static void
unreadable_is_begun_anew(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		off_t size;
		int fill;
	} rows[] = {
		{ "empty", 0, -1 },
		{ "one page", 4096, -1 },
		{ "meta pages only", 8192, -1 },
		{ "zeros", 100000, 0 },
		{ "garbage", 100000, 'x' },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dirs d;
		struct err e;
		public_dirs(&d);
		struct public *p = open_writer(&d, true);
		put(p, 0, 7, 100, "answer");
		public_close(p);
		print_message("  %s\n", rows[i].name);
		if (rows[i].fill >= 0) {
			FILE *f = fopen(d.data, "w");
			for (off_t n = 0; n < rows[i].size; n++)
				fputc(rows[i].fill, f);
			fclose(f);
		} else
			assert_int_equal(truncate(d.data, rows[i].size), 0);
		/* A reader cannot mend it, and says so. */
		assert_int_equal(public_open(d.base, WORK_MAP, false, NULL, &p,
				     &e),
		    ERR_CORRUPT);
		assert_string_equal(e.id, "store-damaged");
		p = open_writer(&d, true);
		put(p, 0, 8, 100, "answer");
		public_close(p);
		work_dir_remove(d.base);
	}
}

static void
failed_commit_is_not_called_clean(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	struct public_row row = ocsp_row(5, "x");
	struct public_txn *t;
	uint8_t room[PUBLIC_KEY_MAX];
	struct err e;
	put(p, 0, 7, 100, "answer");
	OK(public_begin(p, &t, &e));
	OK(public_put(t, serial_key(room, 0, 1), &row, &e));
	io_fail(IO_WRITE, 1, ENOSPC, false);
	REFUSED(public_commit(t, &e), ERR_IO, "public-commit",
	    "the published store did not take a write; it is rebuilt when the "
	    "engine starts again");
	io_reset();
	public_close(p);
	other_boot(&d, -1);
	p = open_writer(&d, true);
	public_close(p);
	work_dir_remove(d.base);
}

static void
map_full(void **state)
{
	(void)state;
	struct dirs d;
	struct public *p;
	struct public_txn *t;
	static uint8_t big[60000];
	struct public_row row = ocsp_row(5, "");
	uint8_t room[PUBLIC_KEY_MAX];
	struct err e;
	bool fresh;
	uint32_t n = 0;
	enum err_code rc = ERR_OK;
	public_dirs(&d);
	row.body = bytes_of(big, sizeof(big));
	OK(public_open(d.base, 1 << 20, true, &fresh, &p, &e));
	while (rc == ERR_OK) {
		OK(public_begin(p, &t, &e));
		rc = public_put(t, serial_key(room, 0, n++), &row, &e);
		enum err_code again = public_commit(t, &e);
		if (rc != ERR_OK)
			assert_int_equal(rc, again);
		rc = again;
	}
	assert_int_equal(rc, ERR_BUSY);
	assert_string_equal(e.id, "store-full");
	assert_true(holds(p, 0));
	public_close(p);
	OK(public_open(d.base, 2 << 20, true, &fresh, &p, &e));
	assert_false(fresh);
	assert_true(holds(p, 0));
	public_close(p);
	work_dir_remove(d.base);
}

/* --- Other processes ------------------------------------------------------ */

static void
readers_need_a_store(void **state)
{
	(void)state;
	struct dirs d;
	struct public *p, *other;
	struct err e;
	bool fresh;
	public_dirs(&d);
	REFUSED(public_open(d.base, WORK_MAP, false, NULL, &p, &e),
	    ERR_NOTFOUND, "public-missing",
	    "nothing has been published in this directory yet; start the "
	    "engine, which fills it");
	p = open_writer(&d, true);
	REFUSED(public_open(d.base, WORK_MAP, true, &fresh, &other, &e),
	    ERR_CONFLICT, "store-locked",
	    "another engine is using this directory; stop it first, or give "
	    "this one a directory of its own");
	public_close(p);
	work_dir_remove(d.base);
}

/* A reader in another process; says when it holds a row, then waits. */
static pid_t
start_reader(struct dirs *d, int *said)
{
	int fd[2];
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct public *p;
		struct public_reader *r;
		struct public_row row;
		struct err e;
		uint8_t room[PUBLIC_KEY_MAX];
		char told = 'n';
		close(fd[0]);
		if (public_open(d->base, WORK_MAP, false, NULL, &p, &e) ==
			ERR_OK &&
		    public_reader_new(p, &r, &e) == ERR_OK &&
		    public_renew(r, &e) == ERR_OK &&
		    public_get(r, serial_key(room, 0, 7), &row))
			told = 'y';
		if (write(fd[1], &told, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(fd[1]);
	*said = fd[0];
	return pid;
}

/* A value that outlived its transaction would be whatever came after it. */
static void
reading_outside_a_turn_ends_the_process(void **state)
{
	(void)state;
	struct dirs d;
	int status;
	public_dirs(&d);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0)
			dup2(null, 2);
		struct public *p = open_writer(&d, true);
		struct public_reader *r;
		struct err e;
		OK(public_reader_new(p, &r, &e));
		OK(public_renew(r, &e));
		if (public_log_index(r) != 0)
			_exit(9);
		public_release(r);
		(void)public_log_index(r);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) &&
		     (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
	work_dir_remove(d.base);
}

/* Fault F9: growth stops when the slot of a killed reader is cleared. */
static void
fault_09_killed_reader(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	int said, status;
	char told;
	struct stat before, after;
	put(p, 0, 7, 100, "answer");
	/* No environment is open across a fork. */
	public_close(p);
	pid_t pid = start_reader(&d, &said);
	assert_int_equal(read(said, &told, 1), 1);
	assert_int_equal(told, 'y');
	close(said);
	p = open_writer(&d, false);
	assert_int_equal(public_check_readers(p), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 0; i < 200; i++)
		put(p, 0, 7, 100 + i, "answer");
	assert_int_equal(public_check_readers(p), 1);
	put(p, 0, 7, 500, "answer");
	assert_int_equal(stat(d.data, &before), 0);
	for (int i = 0; i < 400; i++)
		put(p, 0, 7, 600 + i, "answer");
	assert_int_equal(stat(d.data, &after), 0);
	assert_true(after.st_size <= before.st_size + 16 * 4096);
	public_close(p);
	work_dir_remove(d.base);
}

/* --- Walking over everything ------------------------------------------------- */

struct walked {
	size_t n, stop_at;
	uint8_t last[PUBLIC_KEY_MAX];
	size_t last_len;
};

static enum err_code
take_row(void *ctx, struct bytes key, const struct public_row *row,
    struct err *e)
{
	struct walked *w = ctx;
	/* Each once, in order, with its own body. */
	assert_true(bytes_cmp(bytes_of(w->last, w->last_len), key) < 0);
	memcpy(w->last, key.p, key.len);
	w->last_len = key.len;
	assert_true(bytes_is(row->body, "answer") || key.p[0] == 'f');
	w->n++;
	if (w->n == w->stop_at)
		return err_say(e, ERR_INVALID, "test-stop", "stop here");
	return ERR_OK;
}

static void
walk_in_slices(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	struct public_reader *r;
	struct err e;
	OK(public_reader_new(p, &r, &e));
	for (uint32_t i = 0; i < 57; i++)
		put(p, (uint8_t)(i % 3), i, 100 + i, "answer");
	uint64_t version = 0;
	for (size_t slice = 1; slice < 60; slice += 7) {
		struct walked w = { .n = 0 };
		struct public_cursor at = { .len = 0 };
		for (bool more = true; more;) {
			OK(public_renew(r, &e));
			size_t before = w.n;
			OK(public_walk(r, &at, slice, take_row, &w, &more, &e));
			assert_true(w.n - before <= slice);
			assert_true(
			    version == 0 || version == public_version(r));
			version = public_version(r);
			public_release(r);
		}
		assert_int_equal(w.n, 57);
	}
	/* What the caller refuses ends it. */
	struct walked w = { .stop_at = 5 };
	struct public_cursor at = { .len = 0 };
	bool more;
	OK(public_renew(r, &e));
	REFUSED(public_walk(r, &at, 50, take_row, &w, &more, &e), ERR_INVALID,
	    "test-stop", "stop here");
	assert_int_equal(w.n, 5);
	public_release(r);
	/* A commit in between is seen. */
	put(p, 0, 99, 500, "answer");
	OK(public_renew(r, &e));
	assert_true(public_version(r) > version);
	public_release(r);
	public_reader_free(r);
	public_close(p);
	work_dir_remove(d.base);
}

/* Fault F11: the files are made anew under a reader. */
static void
fault_11_reader_sees_that_files_are_new(void **state)
{
	(void)state;
	struct dirs d;
	public_dirs(&d);
	struct public *p = open_writer(&d, true);
	struct public_reader *r;
	struct public_row row;
	uint8_t room[PUBLIC_KEY_MAX];
	struct err e;
	put(p, 0, 7, 100, "answer");
	OK(public_reader_new(p, &r, &e));
	OK(public_renew(r, &e));
	assert_true(public_get(r, serial_key(room, 0, 7), &row));
	assert_int_equal(unlink(d.data), 0);
	/* What is mapped stays readable until the turn ends. */
	assert_true(bytes_is(row.body, "answer"));
	REFUSED(public_renew(r, &e), ERR_CONFLICT, "public-replaced",
	    "the published store was made anew; open it again");
	public_reader_free(r);
	public_close(p);
	work_dir_remove(d.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_files_and_issuers),
		cmocka_unit_test(due_follows_a_model),
		cmocka_unit_test(first_error_is_kept),
		cmocka_unit_test(kept_or_begun_anew),
		cmocka_unit_test(unreadable_is_begun_anew),
		cmocka_unit_test(failed_commit_is_not_called_clean),
		cmocka_unit_test(map_full),
		cmocka_unit_test(readers_need_a_store),
		cmocka_unit_test(reading_outside_a_turn_ends_the_process),
		cmocka_unit_test(walk_in_slices),
		cmocka_unit_test(fault_09_killed_reader),
		cmocka_unit_test(fault_11_reader_sees_that_files_are_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
