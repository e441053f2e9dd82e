/*
 * time - the proleptic Gregorian calendar in UTC, without leap seconds, as
 * X.509 counts; and the texts of instants and durations.
 */
#include <string.h>

#include <refrendo/base.h>

/* Days from 1 March of year 0 to 1 January 1970. */
#define DAYS_TO_1970 INT64_C(719468)
/* Days of 400 years, after which the calendar repeats. */
#define ERA_DAYS   INT64_C(146097)

#define TIME_LEAST INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define TIME_MOST  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	if (month == 2)
		return is_leap(year) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

void
civil_from_time(int64_t t, struct civil *out)
{
	if (t < TIME_LEAST)
		t = TIME_LEAST;
	if (t > TIME_MOST)
		t = TIME_MOST;
	/* One era more keeps everything positive. */
	int64_t day = (t - TIME_LEAST) / DAY;
	int64_t second = (t - TIME_LEAST) % DAY;
	/* Years begin in March, so that the leap day is the last. */
	int64_t march = day - 60 + ERA_DAYS;
	int64_t era = march / ERA_DAYS;
	int64_t of_era = march % ERA_DAYS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
			   of_era / (ERA_DAYS - 1)) /
		       365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
	out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = (int)(year + 400 * (era - 1) + (month < 10 ? 0 : 1));
	out->hour = (int)(second / HOUR);
	out->minute = (int)(second % HOUR / MINUTE);
	out->second = (int)(second % MINUTE);
}

bool
civil_to_time(const struct civil *c, int64_t *out)
{
	if (c->year < 0 || c->year > 9999 || c->month < 1 || c->month > 12 ||
	    c->day < 1 || c->day > month_days(c->year, c->month) ||
	    c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 ||
	    c->second < 0 || c->second > 59)
		return false;
	/* The year that begins in March; 400 more keeps it positive. */
	int64_t year = (int64_t)c->year + 400 - (c->month < 3 ? 1 : 0);
	int64_t month = c->month < 3 ? c->month + 9 : c->month - 3;
	int64_t days = 365 * year + year / 4 - year / 100 + year / 400 +
		       (153 * month + 2) / 5 + c->day - 1;
	days -= ERA_DAYS + DAYS_TO_1970;
	*out = days * DAY + c->hour * HOUR + c->minute * MINUTE + c->second;
	return true;
}

/* Writes v with exactly n digits; returns the place behind them. */
static char *
put_digits(char *at, int v, int n, char after)
{
	for (int i = n - 1; i >= 0; i--) {
		at[i] = (char)('0' + v % 10);
		v /= 10;
	}
	at[n] = after;
	return at + n + 1;
}

void
time_print(char out[TIME_TEXT], int64_t t)
{
	if (t == NEVER) {
		memcpy(out, "never", sizeof("never"));
		return;
	}
	struct civil c;
	civil_from_time(t, &c);
	char *at = put_digits(out, c.year, 4, '-');
	at = put_digits(at, c.month, 2, '-');
	at = put_digits(at, c.day, 2, 'T');
	at = put_digits(at, c.hour, 2, ':');
	at = put_digits(at, c.minute, 2, ':');
	at = put_digits(at, c.second, 2, 'Z');
	*at = '\0';
}

/* Reads n digits and the octet after them from the front of text. */
static bool
cut_digits(struct bytes *text, size_t n, char after, int *out)
{
	size_t used = n + (after != '\0' ? 1 : 0);
	if (text->len < used)
		return false;
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (text->p[i] < '0' || text->p[i] > '9')
			return false;
		*out = 10 * *out + (text->p[i] - '0');
	}
	if (after != '\0' && text->p[n] != (uint8_t)after)
		return false;
	*text = bytes_of(text->p + used, text->len - used);
	return true;
}

bool
time_parse(struct bytes text, int64_t *out)
{
	struct civil c = { .hour = 0 };
	bool day_only = text.len == 10;
	bool read = cut_digits(&text, 4, '-', &c.year) &&
		    cut_digits(&text, 2, '-', &c.month) &&
		    cut_digits(&text, 2, day_only ? '\0' : 'T', &c.day);
	if (read && !day_only)
		read = cut_digits(&text, 2, ':', &c.hour) &&
		       cut_digits(&text, 2, ':', &c.minute) &&
		       cut_digits(&text, 2, 'Z', &c.second);
	return read && text.len == 0 && civil_to_time(&c, out);
}

bool
duration_parse(struct bytes text, int64_t *out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {
		{ 's', 1 },
		{ 'm', MINUTE },
		{ 'h', HOUR },
		{ 'd', DAY },
		{ 'y', 365 * DAY },
	};
	int64_t n;
	if (text.len < 2 || !dec_parse(bytes_of(text.p, text.len - 1), &n))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (text.p[text.len - 1] != (uint8_t)units[i].letter)
			continue;
		/* NEVER is no duration. */
		if (n > (INT64_MAX - 1) / units[i].seconds)
			return false;
		*out = n * units[i].seconds;
		return true;
	}
	return false;
}
