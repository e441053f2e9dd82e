/*
 * The fault table of the ledger (INCIDENTS 7): system calls that fail, kills
 * and power cuts; flipped bits are in store_flip.c.  After each: what was
 * acknowledged is there, the tree verifies, and replay gives the same rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/store_check.h"
#include "fake/store_io.h"

static void
fresh(struct dirs *d, unsigned entries)
{
	struct store *s;
	struct err e;
	dirs_init(d);
	OK(store_open(d->dir, WORK_MAP, true, &s, &e));
	if (entries > 0)
		OK(work_commit(s, entries, &e));
	store_close(s);
	work_copy(d->data, d->good);
}

/* Opens what a fault left; at least "acknowledged" entries must be there. */
static uint64_t
check(struct dirs *d, uint64_t acknowledged)
{
	struct store *s;
	struct view *v;
	struct err e;
	uint64_t n;

	OK(store_open(d->dir, WORK_MAP, false, &s, &e));
	OK(store_begin(s, false, &v, &e));
	uint64_t size = view_log_size(v);
	if (size < acknowledged)
		fail_msg("%llu entries were acknowledged, %llu are there",
		    (unsigned long long)acknowledged, (unsigned long long)size);
	assert_true(work_entries_good(v, size));
	OK(view_verify(v, 0, &e));
	view_abort(v);
	OK(store_replay(s, d->scratch, NULL, NULL, &n, &e));
	assert_int_equal(n, size);
	/* It goes on from there. */
	OK(work_commit(s, 2, &e));
	store_close(s);
	return size;
}

/* --- F5 and F6: a call fails ---------------------------------------------- */

struct failure {
	const char *name;
	enum io_call call;
	int error; /* 0: a short write */
	bool persisted;
};

/* True when the n-th call was reached. */
static bool
fail_nth(struct dirs *d, const struct failure *f, unsigned n)
{
	struct store *s;
	struct view *v;
	struct err e;
	uint64_t acknowledged = 20;
	enum err_code rc = ERR_OK;

	work_copy(d->good, d->data);
	OK(store_open(d->dir, WORK_MAP, false, &s, &e));
	if (f->error == 0)
		io_short(n);
	else
		io_fail(f->call, n, f->error, f->persisted);
	for (unsigned i = 0; i < 4; i++) {
		rc = work_commit(s, 3, &e);
		if (rc != ERR_OK)
			break;
		acknowledged += 3;
	}
	bool reached = io_seen(f->call) >= n;
	io_reset();
	assert_int_equal(rc != ERR_OK, reached);
	if (reached) {
		assert_int_equal(rc, ERR_IO);
		assert_string_equal(e.id, "store-commit");
		assert_string_equal(e.say,
		    "the disk did not confirm a write; nothing more is written "
		    "until the engine has started again and checked the "
		    "ledger");
		/* Never again, even though the next call would succeed. */
		assert_int_equal(store_begin(s, true, &v, &e), ERR_IO);
		assert_string_equal(e.id, "store-failed");
		/* A reader sees the last commit, or nothing after LMDB gave
		 * the environment up. */
		rc = store_begin(s, false, &v, &e);
		if (rc == ERR_OK) {
			assert_true(view_log_size(v) >= acknowledged);
			view_abort(v);
		} else
			assert_string_equal(e.id, "store-failed");
	}
	store_close(s);
	check(d, acknowledged);
	return reached;
}

static void
fault_05_06_nth_call_fails(void **state)
{
	(void)state;
	static const struct failure rows[] = {
		{ "sync EIO", IO_SYNC, EIO, false },
		{ "sync EIO, on disk", IO_SYNC, EIO, true },
		{ "sync ENOSPC", IO_SYNC, ENOSPC, false },
		{ "write EIO", IO_WRITE, EIO, false },
		{ "write EIO, on disk", IO_WRITE, EIO, true },
		{ "write ENOSPC", IO_WRITE, ENOSPC, false },
		{ "write ENOSPC, on disk", IO_WRITE, ENOSPC, true },
		{ "short write", IO_WRITE, 0, false },
	};
	struct dirs d;
	fresh(&d, 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned n = 1;
		while (fail_nth(&d, &rows[i], n))
			n++;
		print_message("  %s: %u calls\n", rows[i].name, n - 1);
		/* Four commits: a sync each, and pages and a meta record. */
		assert_true(n - 1 >= 4);
	}
	work_dir_remove(d.base);
}

/* Fault F7: no room while a copy is made leaves no half of one. */
static void
fault_07_copy_without_room(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct stat st;
	struct err e;
	char to[160], part[160];
	fresh(&d, 50);
	work_path(to, sizeof(to), d.base, "/copy");
	work_path(part, sizeof(part), d.base, "/copy.part");
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	for (unsigned n = 1; n <= 3; n++) {
		io_fail(IO_SYNC, n, ENOSPC, false);
		assert_int_equal(store_snapshot(s, to, &e), ERR_IO);
		io_reset();
		assert_string_equal(e.id, "store-io");
		assert_int_equal(stat(to, &st), -1);
		assert_int_equal(stat(part, &st), -1);
	}
	OK(store_snapshot(s, to, &e));
	OK(work_commit(s, 1, &e));
	store_close(s);
	check(&d, 51);
	work_dir_remove(d.base);
}

/* --- F1 and F2: kills ----------------------------------------------------- */

/* Commits until it is killed; tells each acknowledged size through the pipe. */
static _Noreturn void
work_until_killed(struct dirs *d, int report, unsigned n)
{
	struct store *s;
	struct err e;
	uint64_t size;
	uint64_t rnd = n;

	if (store_open(d->dir, WORK_MAP, false, &s, &e) != ERR_OK)
		_exit(1);
	struct view *v;
	if (store_begin(s, false, &v, &e) != ERR_OK)
		_exit(2);
	size = view_log_size(v);
	view_abort(v);
	if (n > 0)
		io_kill(IO_ANY, n / 2 + 1, n % 2 == 0);
	for (;;) {
		unsigned some = 1 + work_random(&rnd, 5);
		if (work_commit(s, some, &e) != ERR_OK)
			_exit(3);
		size += some;
		if (write(report, &size, sizeof(size)) != sizeof(size))
			_exit(4);
	}
}

/* The size acknowledged last; kill_after: the parent kills after so many. */
static uint64_t
run_and_kill(struct dirs *d, unsigned at_call, unsigned kill_after)
{
	uint64_t size, last = 0;
	int fd[2], status;

	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		work_until_killed(d, fd[1], at_call);
	}
	assert_true(pid > 0);
	close(fd[1]);
	for (unsigned seen = 0; read(fd[0], &size, sizeof(size)) > 0;) {
		last = size;
		if (++seen == kill_after)
			kill(pid, SIGKILL);
	}
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	return last;
}

static void
fault_01_killed_at_each_call(void **state)
{
	(void)state;
	struct dirs d;
	unsigned unacknowledged = 0;
	fresh(&d, 20);
	for (unsigned n = 1; n <= 60; n++) {
		work_copy(d.good, d.data);
		uint64_t last = run_and_kill(&d, n, 0);
		uint64_t size = check(&d, last < 20 ? 20 : last);
		if (size > (last < 20 ? 20 : last))
			unacknowledged++;
	}
	print_message("  %u of 60 held more than was acknowledged\n",
	    unacknowledged);
	/* After the meta record and before the report: an unknown outcome is
	 * normal, and commands carry an idempotency key for it. */
	assert_true(unacknowledged > 0);
	work_dir_remove(d.base);
}

static void
fault_02_killed_at_random(void **state)
{
	(void)state;
	struct dirs d;
	uint64_t rnd = 2026, size = 0;
	fresh(&d, 0);
	/* The same ledger goes through all of them. */
	for (unsigned round = 0; round < 60; round++) {
		uint64_t last = run_and_kill(&d, 0, 1 + work_random(&rnd, 12));
		assert_true(last > size);
		size = check(&d, last);
	}
	print_message("  %llu entries\n", (unsigned long long)size);
	work_dir_remove(d.base);
}

/*
 * A large row that is put and taken away again in one transaction leaves pages
 * at the end that LMDB never writes: the file is short and yet whole.
 */
static _Noreturn void
leave_tail(struct dirs *d, unsigned n)
{
	static uint8_t big[600000];
	struct bytes key = bytes_str("x~");
	struct store *s;
	struct view *v;
	struct err e;

	if (store_open(d->dir, WORK_MAP, false, &s, &e) != ERR_OK)
		_exit(1);
	io_kill(IO_WRITE, n, true);
	if (store_begin(s, true, &v, &e) != ERR_OK ||
	    view_put(v, bytes_str("x}"), bytes_of(big, 40000), &e) != ERR_OK ||
	    view_del(v, bytes_str("x}"), &e) != ERR_OK ||
	    view_put(v, key, bytes_of(big, sizeof(big)), &e) != ERR_OK ||
	    work_append(v, &e) != ERR_OK || view_del(v, key, &e) != ERR_OK ||
	    view_commit(v, &e) != ERR_OK)
		_exit(2);
	_exit(0);
}

/* Octets that the newer meta page counts on (LMDB 0.9: last page, txn). */
static uint64_t
octets_in_use(const struct dirs *d)
{
	uint64_t meta[2][2];
	int fd = open(d->data, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pread(fd, meta[i], 16, 4096 * (off_t)i + 136),
		    16);
	close(fd);
	return 4096 * (1 + meta[meta[1][1] > meta[0][1]][0]);
}

static void
fault_01_killed_with_an_unwritten_tail(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct stat st;
	struct err e;
	unsigned shorter = 0, n = 0;
	int status = 0;
	fresh(&d, 20);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	for (int i = 0; i < 20; i++)
		OK(work_commit(s, 5, &e));
	store_close(s);
	work_copy(d.data, d.good);
	do {
		work_copy(d.good, d.data);
		pid_t pid = fork();
		if (pid == 0)
			leave_tail(&d, n + 1);
		n++;
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(stat(d.data, &st), 0);
		if ((uint64_t)st.st_size < octets_in_use(&d)) {
			shorter++;
		}
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			assert_true((uint64_t)st.st_size >= octets_in_use(&d));
		}
		check(&d, 120);
	} while (WIFSIGNALED(status));
	print_message("  %u of %u files were short\n", shorter, n);
	assert_true(shorter > 0);
	work_dir_remove(d.base);
}

/* --- F4: the power is cut ------------------------------------------------- */

#define CUT_COMMITS 24

struct acknowledged {
	size_t op; /* operations that had been done */
	uint64_t size;
};

/* The file as a cut in front of operation "cut" may leave it. */
static void
rebuild(const struct dirs *d, const struct io_op *op, size_t cut, uint64_t *rnd,
    unsigned kind)
{
	size_t synced = 0;
	work_copy(d->good, d->data);
	int fd = open(d->data, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t i = 0; i < cut; i++)
		if (op[i].sync)
			synced = i;
	for (size_t i = 0; i < cut; i++) {
		size_t len = op[i].len;
		if (op[i].sync)
			continue;
		/* What was not synced is lost, kept or torn, each alone. */
		if (i > synced && !op[i].durable) {
			if (kind == 0 || (kind > 1 && work_random(rnd, 2) == 0))
				continue;
			if (kind == 3)
				len -= len / 512 > 0
					   ? 512 * work_random(rnd,
						       (uint32_t)(len / 512))
					   : 0;
		}
		assert_int_equal(pwrite(fd, op[i].data, len, op[i].at), len);
	}
	close(fd);
}

static void
fault_04_power_cut(void **state)
{
	(void)state;
	static const char *const kinds[] = { "all lost", "all kept",
		"some kept", "some torn" };
	struct acknowledged ack[CUT_COMMITS + 1];
	struct dirs d;
	struct store *s;
	struct err e;
	size_t n;
	uint64_t rnd = 4;

	fresh(&d, 20);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	io_record();
	ack[0] = (struct acknowledged){ 0, 20 };
	for (unsigned i = 1; i <= CUT_COMMITS; i++) {
		unsigned some = 1 + work_random(&rnd, 20);
		OK(work_commit(s, some, &e));
		(void)io_ops(&n);
		ack[i] = (struct acknowledged){ n, ack[i - 1].size + some };
	}
	store_close(s);
	const struct io_op *op = io_ops(&n);
	struct io_op *copy = calloc(n, sizeof(*copy));
	for (size_t i = 0; i < n; i++) {
		copy[i] = op[i];
		copy[i].data = malloc(op[i].len + 1);
		if (op[i].len > 0)
			memcpy(copy[i].data, op[i].data, op[i].len);
	}
	io_reset();
	assert_true(n >= 3 * CUT_COMMITS);
	for (size_t cut = 0; cut <= n; cut++) {
		unsigned at = 0;
		while (at < CUT_COMMITS && ack[at + 1].op <= cut)
			at++;
		for (unsigned kind = 0; kind < ARRAY_LEN(kinds); kind++) {
			rebuild(&d, copy, cut, &rnd, kind);
			uint64_t size = check(&d, ack[at].size);
			if (at < CUT_COMMITS && size > ack[at + 1].size)
				fail_msg("cut %zu, %s: from the future", cut,
				    kinds[kind]);
		}
	}
	print_message("  %zu cuts of %u commits\n", n + 1, CUT_COMMITS);
	for (size_t i = 0; i < n; i++)
		free(copy[i].data);
	free(copy);
	work_dir_remove(d.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_05_06_nth_call_fails),
		cmocka_unit_test(fault_07_copy_without_room),
		cmocka_unit_test(fault_01_killed_at_each_call),
		cmocka_unit_test(fault_02_killed_at_random),
		cmocka_unit_test(fault_01_killed_with_an_unwritten_tail),
		cmocka_unit_test(fault_04_power_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
