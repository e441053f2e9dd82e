#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/store_check.h"

/* --- Opening -------------------------------------------------------------- */

static void
created_once_and_only_when_asked(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = NULL;
	struct err e;
	dirs_init(&d);
	REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_NOTFOUND,
	    "store-missing",
	    "there is no ledger in this directory; make one with init, or "
	    "restore a backup into it");
	OK(store_open(d.dir, WORK_MAP, true, &s, &e));
	OK(work_commit(s, 3, &e));
	store_close(s);
	s = NULL;
	REFUSED(store_open(d.dir, WORK_MAP, true, &s, &e), ERR_CONFLICT,
	    "store-exists",
	    "there is already a ledger in this directory; open it, or choose "
	    "an empty directory");
	assert_null(s);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	struct view *v;
	OK(store_begin(s, false, &v, &e));
	assert_int_equal(view_log_size(v), 3);
	assert_int_equal(view_log_time(v), 1795500000);
	view_abort(v);
	check_finish(&d, s);
}

static void
half_made_ledger_is_made_anew(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct err e;
	char part[160], file[200];
	dirs_init(&d);
	mkdir(d.dir, 0700);
	work_path(part, sizeof(part), d.dir, "/ledger.new");
	mkdir(part, 0700);
	work_path(file, sizeof(file), part, "/data.mdb");
	FILE *f = fopen(file, "w");
	fputs("half", f);
	fclose(f);
	OK(store_open(d.dir, WORK_MAP, true, &s, &e));
	OK(work_commit(s, 1, &e));
	check_finish(&d, s);
}

/* Runs f in a child; its exit status. */
static int
in_child(int (*f)(void *ctx), void *ctx)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(f(ctx));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
second_engine(void *ctx)
{
	struct dirs *d = ctx;
	struct store *s;
	struct err e;
	if (store_open(d->dir, WORK_MAP, false, &s, &e) != ERR_CONFLICT)
		return 1;
	return strcmp(e.id, "store-locked") == 0 &&
		       strcmp(e.say, say_locked) == 0
		   ? 0
		   : 2;
}

/* Fault F13. */
static void
fault_13_second_engine_is_refused(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 2), *other;
	struct err e;
	assert_int_equal(in_child(second_engine, &d), 0);
	REFUSED(store_open(d.dir, WORK_MAP, false, &other, &e), ERR_CONFLICT,
	    "store-locked", say_locked);
	REFUSED(store_open(d.dir, WORK_MAP, true, &other, &e), ERR_CONFLICT,
	    "store-locked", say_locked);
	OK(work_commit(s, 1, &e));
	s = check_reopen(&d, s);
	check_finish(&d, s);
}

static int
use_parents(void *ctx)
{
	struct store *s = ctx;
	struct view *v;
	struct err e;
	for (int write = 0; write < 2; write++)
		if (store_begin(s, write == 1, &v, &e) != ERR_CONFLICT ||
		    strcmp(e.id, "store-forked") != 0)
			return 1;
	store_close(s);
	return 0;
}

/* Fault F14. */
static void
fault_14_child_cannot_touch_it(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 2);
	struct view *v;
	struct err e;
	OK(store_begin(s, false, &v, &e));
	assert_int_equal(in_child(use_parents, s), 0);
	assert_true(work_entries_good(v, 2));
	view_abort(v);
	OK(work_commit(s, 1, &e));
	OK(check_verify(s, 0, &e));
	check_finish(&d, s);
}

/* Fault F11: the data file, cut, emptied, filled with something else. */
static void
fault_11_files_that_are_no_ledger(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		long size; /* cut to this many octets; -1 removes the file */
		int fill;  /* all octets of it; -1 leaves them */
	} rows[] = {
		{ "missing", -1, -1 },
		{ "empty", 0, -1 },
		{ "one octet", 1, -1 },
		{ "one page", 4096, -1 },
		{ "meta pages only", 8192, -1 },
		{ "one page after", 12288, -1 },
		{ "half", 40960, -1 },
		{ "zeros", 65536, 0 },
		{ "garbage", 65536, 'x' },
		{ "short garbage", 100, 'x' },
	};
	struct dirs d;
	struct err e;
	char good[160];
	store_close(check_make(&d, 60));
	work_path(good, sizeof(good), d.base, "/good");
	work_copy(d.data, good);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store *s = NULL;
		struct stat before, after;
		print_message("  %s\n", rows[i].name);
		work_copy(good, d.data);
		if (rows[i].size < 0)
			unlink(d.data);
		else if (rows[i].fill >= 0) {
			FILE *f = fopen(d.data, "w");
			for (long n = 0; n < rows[i].size; n++)
				fputc(rows[i].fill, f);
			fclose(f);
		} else
			assert_int_equal(truncate(d.data, rows[i].size), 0);
		int there = stat(d.data, &before);
		REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_CORRUPT,
		    "store-damaged", say_damaged);
		/* Refused again, and the evidence is as it was. */
		REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_CORRUPT,
		    "store-damaged", say_damaged);
		REFUSED(store_open(d.dir, WORK_MAP, true, &s, &e), ERR_CONFLICT,
		    "store-exists",
		    "there is already a ledger in this directory; open it, or "
		    "choose an empty directory");
		assert_int_equal(stat(d.data, &after), there);
		if (there == 0)
			assert_int_equal(before.st_size, after.st_size);
	}
	work_copy(good, d.data);
	struct store *s;
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(check_verify(s, 0, &e));
	check_finish(&d, s);
}

/* Every length that a cut can leave is refused or whole, never SIGBUS. */
static void
fault_11_cut_anywhere(void **state)
{
	(void)state;
	struct dirs d;
	struct err e;
	struct stat st;
	char good[160];
	store_close(check_make(&d, 30));
	work_path(good, sizeof(good), d.base, "/good");
	work_copy(d.data, good);
	assert_int_equal(stat(good, &st), 0);
	for (off_t size = 0; size < st.st_size; size += 4096) {
		struct store *s = NULL;
		work_copy(good, d.data);
		assert_int_equal(truncate(d.data, size), 0);
		if (store_open(d.dir, WORK_MAP, false, &s, &e) == ERR_OK) {
			OK(check_verify(s, 0, &e));
			OK(check_replay(&d, s, &e));
		} else
			assert_string_equal(e.id, "store-damaged");
		store_close(s);
	}
	work_dir_remove(d.base);
}

static void
fault_11_lock_file_gone_or_garbage(void **state)
{
	(void)state;
	struct dirs d;
	struct err e;
	char lock[160];
	struct store *s = check_make(&d, 5);
	store_close(s);
	work_path(lock, sizeof(lock), d.dir, "/ledger/lock.mdb");
	unlink(lock);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(work_commit(s, 1, &e));
	store_close(s);
	FILE *f = fopen(lock, "w");
	fputs("garbage", f);
	fclose(f);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	OK(work_commit(s, 1, &e));
	OK(check_verify(s, 0, &e));
	store_close(s);
	unlink(lock);
	mkdir(lock, 0700);
	REFUSED(store_open(d.dir, WORK_MAP, false, &s, &e), ERR_IO, "store-io",
	    "the file system refused an operation on the store; the log has "
	    "its reason");
	work_dir_remove(d.base);
}

static void
fault_11_replaced_while_in_use(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s = check_make(&d, 5);
	struct view *v;
	struct err e;
	char away[160];
	work_path(away, sizeof(away), d.base, "/away");
	assert_int_equal(rename(d.data, away), 0);
	const char *say = "the store's data file was removed or replaced while "
			  "in use; nothing more is written: put it back and "
			  "start again";
	REFUSED(store_begin(s, true, &v, &e), ERR_CORRUPT, "store-moved", say);
	work_copy(away, d.data);
	REFUSED(store_begin(s, false, &v, &e), ERR_CORRUPT, "store-moved", say);
	assert_int_equal(rename(away, d.data), 0);
	OK(work_commit(s, 1, &e));
	check_finish(&d, s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(created_once_and_only_when_asked),
		cmocka_unit_test(half_made_ledger_is_made_anew),
		cmocka_unit_test(fault_13_second_engine_is_refused),
		cmocka_unit_test(fault_14_child_cannot_touch_it),
		cmocka_unit_test(fault_11_files_that_are_no_ledger),
		cmocka_unit_test(fault_11_cut_anywhere),
		cmocka_unit_test(fault_11_lock_file_gone_or_garbage),
		cmocka_unit_test(fault_11_replaced_while_in_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
