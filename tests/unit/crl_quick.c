#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/crl.h>

/*
 * The reading of an entry by place, which is tried where enough octets follow,
 * against the general one, which reads the last of a list.
 */

/* False where both refuse it. */
static bool
both_ways(struct bytes der, bool is_delta)
{
	uint8_t room[2 * CRL_ENTRY_MAX] = { 0 };
	struct crl end = { .entries = der, .base = is_delta ? 1 : 0 };
	struct crl middle = { .entries = bytes_of(room, sizeof(room)),
		.base = end.base };
	struct crl_cursor a = { 0 }, b = { 0 };
	struct crl_entry x, y;
	assert_true(der.len < CRL_ENTRY_MAX);
	memcpy(room, der.p, der.len);
	bool good = crl_next(&end, &a, &x);
	assert_true(crl_next(&middle, &b, &y) == good);
	if (!good)
		return false;
	assert_int_equal(a.at, b.at);
	assert_true(bytes_eq(x.serial, y.serial));
	assert_true(x.revoked_at == y.revoked_at);
	assert_int_equal(x.reason, y.reason);
	assert_true(x.invalid_since == y.invalid_since);
	return true;
}

static const uint8_t serial[SERIAL_MAX + 1] = { 6, 0xff, 0x80, 0, 1 };

static size_t
entry_of(uint8_t out[CRL_ENTRY_MAX], size_t serial_len, int reason,
    int64_t revoked_at, int64_t invalid_since)
{
	struct crl_entry x = { .serial = bytes_of(serial, serial_len),
		.reason = reason,
		.revoked_at = revoked_at,
		.invalid_since = invalid_since };
	size_t len;
	struct err e;
	assert_int_equal(crl_entry_print(&x, out, &len, &e), ERR_OK);
	return len;
}

/* Each octet of each form with each value, and the length that follows. */
static void
every_octet(void **state)
{
	static const int64_t times[] = { 1795920021, 2524608000 };
	(void)state;
	for (size_t len = 1; len <= SERIAL_MAX; len++) {
		for (int form = 0; form < 12; form++) {
			uint8_t der[CRL_ENTRY_MAX];
			size_t good = 0;
			size_t n = entry_of(der, len, form % 3 * 3,
			    times[form / 6], form / 3 % 2 * 1795920021);
			for (size_t i = 0; i < n; i++) {
				uint8_t was = der[i];
				for (unsigned v = 0; v < 256; v++) {
					der[i] = (uint8_t)v;
					good += both_ways(bytes_of(der, n),
					    v % 2 == 0);
				}
				der[i] = was;
			}
			/* At least each octet as it was. */
			assert_true(good >= n);
		}
	}
}

static void
every_day(void **state)
{
	uint8_t der[CRL_ENTRY_MAX];
	size_t n = entry_of(der, 8, 1, 1795920021, 0), good = 0;
	char *date = (char *)der + 4 + 8 + 2;
	(void)state;
	for (unsigned year = 0; year < 100; year++) {
		for (unsigned month = 0; month < 14; month++) {
			for (unsigned day = 0; day < 34; day++) {
				char text[8];
				snprintf(text, sizeof(text), "%02u%02u%02u",
				    year, month, day);
				memcpy(date, text, 6);
				good += both_ways(bytes_of(der, n), false);
			}
		}
	}
	/* 1970 to 2049. */
	assert_int_equal(good, 80 * 365 + 20);
}

static void
every_clock(void **state)
{
	uint8_t der[CRL_ENTRY_MAX];
	size_t n = entry_of(der, 8, 0, 1795920021, 0), good = 0;
	char *clock = (char *)der + 4 + 8 + 2 + 6;
	(void)state;
	for (unsigned field = 0; field < 3; field++) {
		memcpy(clock, "000000", 6);
		for (unsigned v = 0; v < 100; v++) {
			clock[2 * field] = (char)('0' + v / 10);
			clock[2 * field + 1] = (char)('0' + v % 10);
			good += both_ways(bytes_of(der, n), false);
		}
	}
	assert_int_equal(good, 24 + 60 + 60);
}

static void
every_reason(void **state)
{
	size_t good[2] = { 0 };
	uint8_t der[CRL_ENTRY_MAX];
	size_t n = entry_of(der, 8, 1, 1795920021, 0);
	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		der[n - 1] = (uint8_t)v;
		for (int is_delta = 0; is_delta < 2; is_delta++)
			good[is_delta] += both_ways(bytes_of(der, n), is_delta);
	}
	/* 1 to 6 and 9; 8 in deltas. */
	assert_int_equal(good[0], 7);
	assert_int_equal(good[1], 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet),
		cmocka_unit_test(every_day),
		cmocka_unit_test(every_clock),
		cmocka_unit_test(every_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
