/* The calendar and the texts of instants and durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <refrendo/base.h>

#define LEAST INT64_C(-62167219200)
#define MOST  INT64_C(253402300799)

/* clang-format off */
static const struct {
	const char *text;
	int64_t t;
} instants[] = {
	{ "0000-01-01T00:00:00Z", LEAST },
	{ "0000-02-29T23:59:59Z", INT64_C(-62162035201) },
	{ "0000-03-01T00:00:00Z", INT64_C(-62162035200) },
	{ "0001-01-01T00:00:00Z", INT64_C(-62135596800) },
	{ "1582-10-15T00:00:00Z", INT64_C(-12219292800) },
	{ "1900-02-28T23:59:59Z", INT64_C(-2203891201) },
	{ "1900-03-01T00:00:00Z", INT64_C(-2203891200) },
	{ "1949-12-31T23:59:59Z", INT64_C(-631152001) },
	{ "1950-01-01T00:00:00Z", INT64_C(-631152000) },
	{ "1969-12-31T23:59:59Z", INT64_C(-1) },
	{ "1970-01-01T00:00:00Z", INT64_C(0) },
	{ "2000-02-28T23:59:59Z", INT64_C(951782399) },
	{ "2000-02-29T00:00:00Z", INT64_C(951782400) },
	{ "2000-03-01T00:00:00Z", INT64_C(951868800) },
	{ "2024-02-29T12:00:00Z", INT64_C(1709208000) },
	{ "2026-11-24T10:00:00Z", INT64_C(1795514400) },
	{ "2038-01-19T03:14:07Z", INT64_C(2147483647) },
	{ "2038-01-19T03:14:08Z", INT64_C(2147483648) },
	{ "2049-12-31T23:59:59Z", INT64_C(2524607999) },
	{ "2050-01-01T00:00:00Z", INT64_C(2524608000) },
	{ "2100-02-28T23:59:59Z", INT64_C(4107542399) },
	{ "2100-03-01T00:00:00Z", INT64_C(4107542400) },
	{ "9999-12-31T23:59:59Z", MOST },
};
/* clang-format on */

static void
instants_print_and_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
		print_message("%s\n", instants[i].text);
		char text[TIME_TEXT];
		time_print(text, instants[i].t);
		assert_string_equal(text, instants[i].text);
		int64_t t = 1;
		assert_true(time_parse(bytes_str(instants[i].text), &t));
		assert_int_equal(t, instants[i].t);
	}
}

static void
outside_counts_as_the_nearest_second(void **state)
{
	(void)state;
	char text[TIME_TEXT];
	time_print(text, NEVER);
	assert_string_equal(text, "never");
	time_print(text, NEVER - 1);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	time_print(text, MOST + 1);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	time_print(text, LEAST - 1);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
	time_print(text, INT64_MIN);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
}

/* Walks every day of the calendar with a calendar of its own. */
static void
every_day_follows_the_last(void **state)
{
	(void)state;
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	struct civil want = { 0, 1, 1, 0, 0, 0 };
	for (int64_t t = LEAST; t <= MOST; t += DAY) {
		struct civil got;
		civil_from_time(t + DAY - 1, &got);
		bool same = got.year == want.year && got.month == want.month &&
			    got.day == want.day && got.hour == 23 &&
			    got.minute == 59 && got.second == 59;
		int64_t back;
		if (!same || !civil_to_time(&want, &back) || back != t)
			fail_msg("%04d-%02d-%02d", want.year, want.month,
			    want.day);
		bool leap = want.year % 400 == 0 ||
			    (want.year % 4 == 0 && want.year % 100 != 0);
		int length =
		    want.month == 2 && leap ? 29 : lengths[want.month - 1];
		if (++want.day <= length)
			continue;
		want.day = 1;
		want.month = want.month % 12 + 1;
		want.year += want.month == 1;
	}
	assert_int_equal(want.year, 10000);
}

static void
a_day_alone_is_its_first_second(void **state)
{
	(void)state;
	int64_t t;
	assert_true(time_parse(bytes_str("2026-11-24"), &t));
	assert_int_equal(t, 1795514400 - 10 * HOUR);
}

static void
no_instant(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "never", "2026", "2026-11",
		"2026-11-2", "2026-1-24", "26-11-24", "2026-11-24 ",
		" 2026-11-24", "2026/11/24", "2026-00-10", "2026-13-10",
		"2026-11-00", "2026-11-31", "2026-02-29", "2026-02-30",
		"1900-02-29", "2100-02-29", "2023-02-29", "-001-01-01",
		"+026-11-24", "10000-01-01", "2026-11-24T", "2026-11-24Z",
		"2026-11-24T10:00:00", "2026-11-24t10:00:00Z",
		"2026-11-24T10:00:00z", "2026-11-24 10:00:00Z",
		"2026-11-24T10:00Z", "2026-11-24T24:00:00Z",
		"2026-11-24T10:60:00Z", "2016-12-31T23:59:60Z",
		"2026-11-24T10:00:00.0Z", "2026-11-24T10:00:00+00:00",
		"2026-11-24T10:00:00ZZ", "2026-11-24T1 :00:00Z",
		"2026-11-24T10:-1:00Z", "10000-01-01T00:00:00Z" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t t = 77;
		if (time_parse(bytes_str(texts[i]), &t))
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(t, 77);
	}
	int64_t t;
	assert_false(time_parse(bytes_of("2026-11-2\0", 10), &t));
	assert_false(time_parse(BYTES_NONE, &t));
}

static void
no_civil_date(void **state)
{
	(void)state;
	static const struct civil dates[] = { { -1, 12, 31, 0, 0, 0 },
		{ 10000, 1, 1, 0, 0, 0 }, { 2026, 0, 1, 0, 0, 0 },
		{ 2026, 13, 1, 0, 0, 0 }, { 2026, 1, 0, 0, 0, 0 },
		{ 2026, 1, 32, 0, 0, 0 }, { 2026, 4, 31, 0, 0, 0 },
		{ 2026, 6, 31, 0, 0, 0 }, { 2026, 9, 31, 0, 0, 0 },
		{ 2026, 11, 31, 0, 0, 0 }, { 2026, 2, 29, 0, 0, 0 },
		{ 2024, 2, 30, 0, 0, 0 }, { 2026, 1, 1, -1, 0, 0 },
		{ 2026, 1, 1, 24, 0, 0 }, { 2026, 1, 1, 0, -1, 0 },
		{ 2026, 1, 1, 0, 60, 0 }, { 2026, 1, 1, 0, 0, -1 },
		{ 2026, 1, 1, 0, 0, 60 } };
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		int64_t t = 77;
		if (civil_to_time(&dates[i], &t))
			fail_msg("accepted row %zu", i);
		assert_int_equal(t, 77);
	}
}

static void
durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = { { "90s", 90 }, { "15m", 15 * MINUTE }, { "6h", 6 * HOUR },
		{ "30d", 30 * DAY }, { "2y", 730 * DAY }, { "0s", 0 },
		{ "1y", 365 * DAY }, { "9223372036854775806s", NEVER - 1 },
		{ "9223372036854775807s", -1 }, { "9223372036854775808s", -1 },
		{ "292471208677y", INT64_C(292471208677) * 365 * DAY },
		{ "292471208678y", -1 }, { "", -1 }, { "s", -1 }, { "90", -1 },
		{ "90 s", -1 }, { " 90s", -1 }, { "90s ", -1 }, { "-1d", -1 },
		{ "+1d", -1 }, { "01d", -1 }, { "1.5h", -1 }, { "1D", -1 },
		{ "1w", -1 }, { "1d12h", -1 }, { "1_000s", -1 }, { "0x1s", -1 },
		{ "1e3s", -1 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("\"%s\"\n", rows[i].text);
		int64_t got = -1;
		bool ok = duration_parse(bytes_str(rows[i].text), &got);
		assert_int_equal(ok, rows[i].want != -1);
		assert_int_equal(got, rows[i].want);
	}
	int64_t got;
	assert_false(duration_parse(bytes_of("1\0", 2), &got));
	assert_false(duration_parse(BYTES_NONE, &got));
}

static void
clocks_run_forward(void **state)
{
	(void)state;
	int64_t now = clock_now(), mono = clock_mono_ms();
	/* Later than this file, before the calendar ends. */
	assert_true(now > INT64_C(1700000000) && now < MOST);
	assert_true(clock_mono_ms() >= mono);
	assert_true(clock_now() >= now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instants_print_and_parse),
		cmocka_unit_test(outside_counts_as_the_nearest_second),
		cmocka_unit_test(every_day_follows_the_last),
		cmocka_unit_test(a_day_alone_is_its_first_second),
		cmocka_unit_test(no_instant),
		cmocka_unit_test(no_civil_date),
		cmocka_unit_test(durations),
		cmocka_unit_test(clocks_run_forward),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
