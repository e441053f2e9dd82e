#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/store_check.h"

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

/* --- F10: flipped bits ---------------------------------------------------- */

enum flip {
	FLIP_HARMLESS,
	FLIP_OPEN,
	FLIP_VERIFY,
	FLIP_REPLAY,
	FLIP_OLDER,
	FLIP_UNSEEN
};

/* In a child: a page whose structure broke may end LMDB by a signal. */
static int
look(struct dirs *d, const uint8_t want[SHA256_LEN])
{
	struct store *s;
	struct view *v;
	struct err e;
	uint8_t now[SHA256_LEN];
	uint64_t n;

	if (store_open(d->dir, WORK_MAP, false, &s, &e) != ERR_OK)
		return FLIP_OPEN;
	if (store_begin(s, false, &v, &e) != ERR_OK)
		return FLIP_OPEN;
	enum err_code rc = view_verify(v, 0, &e);
	view_abort(v);
	if (rc != ERR_OK)
		return rc == ERR_CORRUPT ? FLIP_VERIFY : 100;
	if (store_replay(s, d->scratch, NULL, NULL, &n, &e) != ERR_OK)
		return FLIP_REPLAY;
	/* The commit before the last, whole: what row 63 finds by its size. */
	if (n == 345)
		return FLIP_OLDER;
	if (!work_digest(s, now) || memcmp(now, want, SHA256_LEN) != 0)
		return FLIP_UNSEEN;
	store_close(s);
	return FLIP_HARMLESS;
}

static int
look_in_child(struct dirs *d, const uint8_t want[SHA256_LEN])
{
	int status;
	struct stat st;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		/* LMDB says on standard error which check failed. */
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0)
			dup2(null, 2);
		_exit(look(d, want));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (stat(d->scratch, &st) == 0)
		work_dir_remove(d->scratch);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
flip(const struct dirs *d, off_t at, unsigned bit)
{
	uint8_t octet;
	work_copy(d->good, d->data);
	int fd = open(d->data, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &octet, 1, at), 1);
	octet = (uint8_t)(octet ^ (1u << bit));
	assert_int_equal(pwrite(fd, &octet, 1, at), 1);
	close(fd);
}

/* INCIDENTS row 66, over the whole file: found, or without any effect. */
static void
incident_66_bits_flipped_at_random(void **state)
{
	(void)state;
	struct dirs d;
	struct store *s;
	struct stat st;
	struct err e;
	uint8_t want[SHA256_LEN];
	uint64_t rnd = 66;
	unsigned count[FLIP_UNSEEN + 1] = { 0 }, signals = 0;

	fresh(&d, 300);
	OK(store_open(d.dir, WORK_MAP, false, &s, &e));
	for (int i = 0; i < 10; i++)
		OK(work_commit(s, 5, &e));
	assert_true(work_digest(s, want));
	store_close(s);
	work_copy(d.data, d.good);
	assert_int_equal(stat(d.good, &st), 0);
	for (unsigned i = 0; i < 400; i++) {
		/* The meta pages are small and worth a share of their own. */
		off_t at = i % 4 == 0 ? (off_t)(4096 * work_random(&rnd, 2) +
						work_random(&rnd, 160))
				      : work_random(&rnd, (uint32_t)st.st_size);
		flip(&d, at, work_random(&rnd, 8));
		int found = look_in_child(&d, want);
		if (found < 0)
			signals++;
		else if (found >= FLIP_UNSEEN)
			fail_msg("a bit at %lld changed what is read and was "
				 "not found (%d)",
			    (long long)at, found);
		else
			count[found]++;
	}
	print_message("  without effect %u, refused at opening %u, found by "
		      "verify %u, by replay %u, by its size %u, ended LMDB "
		      "%u\n",
	    count[FLIP_HARMLESS], count[FLIP_OPEN], count[FLIP_VERIFY],
	    count[FLIP_REPLAY], count[FLIP_OLDER], signals);
	assert_true(count[FLIP_VERIFY] > 0);
	assert_true(count[FLIP_REPLAY] > 0);
	work_dir_remove(d.base);
}

/* A meta page that is all zero, one or both, is never an empty ledger. */
static void
fault_10_emptied_meta_page(void **state)
{
	(void)state;
	static const uint8_t zero[4096];
	struct dirs d;
	fresh(&d, 30);
	for (unsigned which = 1; which < 4; which++) {
		struct store *s = NULL;
		struct view *v;
		struct err e;
		/* From 24 on: all but the header, so that LMDB still likes
		 * the page and finds no trees in it. */
		for (off_t from = 0; from <= 32; from += 8) {
			work_copy(d.good, d.data);
			int fd = open(d.data, O_WRONLY | O_CLOEXEC);
			for (unsigned page = 0; page < 2; page++)
				if ((which & (1u << page)) != 0)
					assert_int_equal(pwrite(fd, zero,
							     sizeof(zero) -
								 (size_t)from,
							     4096 * (off_t)
									 page +
								 from),
					    sizeof(zero) - (size_t)from);
			close(fd);
			enum err_code rc =
			    store_open(d.dir, WORK_MAP, false, &s, &e);
			if (rc != ERR_OK) {
				assert_int_equal(rc, ERR_CORRUPT);
				assert_string_equal(e.id, "store-damaged");
				continue;
			}
			/* The other page: the last commit, or the one before
			 * it, which a checkpoint tells from the last. */
			OK(store_begin(s, false, &v, &e));
			uint64_t size = view_log_size(v);
			assert_true(size == 30 || size == 0);
			OK(view_verify(v, 0, &e));
			view_abort(v);
			store_close(s);
		}
	}
	work_dir_remove(d.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_66_bits_flipped_at_random),
		cmocka_unit_test(fault_10_emptied_meta_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
