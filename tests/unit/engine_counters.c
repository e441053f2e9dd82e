/*
 * The counters' file: each process has a page of its own, front reads all,
 * nobody makes it shorter; and the table is fit to be printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../engine/counters.h"

#define PAGES 4

static int
make(void)
{
	struct err e;
	int fd = -1;
	assert_int_equal(counters_make(PAGES, &fd, &e), ERR_OK);
	return fd;
}

/* Another process, as a role is: it writes page slot and ends. */
static void
as_role(int fd, size_t slot, enum role role, uint8_t index, uint64_t n)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;
		if (counters_own(fd, slot, role, index, &e) != ERR_OK)
			_exit(1);
		for (uint64_t i = 0; i < n; i++)
			count(COUNT_OCSP_GET, 1);
		gauge(COUNT_CONNS_NOW, n);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_pages(void **state)
{
	struct counters_view v;
	struct err e;
	enum role role;
	uint8_t index;
	int fd = make();
	(void)state;
	as_role(fd, 1, ROLE_STATUS, 0, 5);
	as_role(fd, 3, ROLE_STATUS, 1, 7);
	assert_int_equal(counters_all(fd, &v, &e), ERR_OK);
	close(fd);
	assert_int_equal(v.n, PAGES);
	assert_false(counters_who(&v, 0, &role, &index));
	assert_false(counters_who(&v, PAGES, &role, &index));
	assert_true(counters_who(&v, 3, &role, &index));
	assert_int_equal(role, ROLE_STATUS);
	assert_int_equal(index, 1);
	assert_int_equal(counters_get(&v, 1, COUNT_OCSP_GET), 5);
	assert_int_equal(counters_get(&v, 3, COUNT_OCSP_GET), 7);
	assert_int_equal(counters_get(&v, PAGES, COUNT_OCSP_GET), 0);
	assert_int_equal(counters_sum(&v, COUNT_OCSP_GET), 12);
	assert_int_equal(counters_sum(&v, COUNT_OCSP_POST), 0);
	counters_close(&v);
	assert_null(v.page);
}

/* A role that is started again goes on counting; what is open now is not. */
static void
test_restart(void **state)
{
	struct counters_view v;
	struct err e;
	int fd = make();
	(void)state;
	as_role(fd, 2, ROLE_STATUS, 0, 5);
	as_role(fd, 2, ROLE_STATUS, 0, 0);
	assert_int_equal(counters_all(fd, &v, &e), ERR_OK);
	assert_int_equal(counters_get(&v, 2, COUNT_OCSP_GET), 5);
	assert_int_equal(counters_get(&v, 2, COUNT_CONNS_NOW), 0);
	counters_close(&v);
	close(fd);
}

/* A role that was taken over cannot pull the file away under the others. */
static void
test_sealed(void **state)
{
	struct counters_view v;
	struct err e;
	int fd = make();
	(void)state;
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, (PAGES + 1) * COUNTERS_PAGE), -1);
	close(fd);
	assert_int_equal(counters_all(fd, &v, &e), ERR_IO);
	assert_string_equal(e.id, "counters-map");
	assert_int_equal(counters_own(fd, 0, ROLE_CORE, 0, &e), ERR_IO);
}

/* A page whose owner lies is nobody's. */
static void
test_damaged(void **state)
{
	struct counters_view v;
	struct err e;
	enum role role;
	uint8_t index;
	int fd = make();
	(void)state;
	const uint32_t lies[2][2] = { { ROLES + 1, 0 }, { 1, 256 } };
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pwrite(fd, lies[i], sizeof(lies[i]),
				     (off_t)(i * COUNTERS_PAGE)),
		    sizeof(lies[i]));
	assert_int_equal(counters_all(fd, &v, &e), ERR_OK);
	assert_false(counters_who(&v, 0, &role, &index));
	assert_false(counters_who(&v, 1, &role, &index));
	counters_close(&v);
	close(fd);
}

/* Rows of a family stand together; the first has its help, labels differ. */
static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTERS_N; i++) {
		const struct counter_text *row = &counter_table[i];
		bool first = i == 0 || strcmp(row[-1].family, row->family) != 0;
		assert_int_equal(first, row->help[0] != '\0');
		for (size_t k = 0; k < i; k++) {
			const struct counter_text *other = &counter_table[k];
			if (strcmp(other->family, row->family) != 0)
				continue;
			assert_false(first);
			assert_string_not_equal(other->label, row->label);
			assert_int_equal(other->kind, row->kind);
		}
		size_t len = strlen(row->family);
		bool total =
		    len > 6 && strcmp(row->family + len - 6, "_total") == 0;
		bool bucket =
		    len > 7 && strcmp(row->family + len - 7, "_bucket") == 0;
		assert_int_equal(total || bucket, row->kind == KIND_COUNTER);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
