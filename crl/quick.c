/*
 * quick - entries of the form that nearly all have: UTCTime, and a reason or
 * nothing.  The fields are taken out by place and the digits eight at a time.
 * What is of another form, or is wrong, is left to entry_read().
 */
#include <endian.h>

#include "internal.h"

#define ONES    UINT64_C(0x0101010101010101)
#define UTC_LEN 15
/* SEQUENCE of the one extension */
#define REASON_ONLY_LEN 14

static uint64_t
load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* Eight octets of which each is a digit. */
static bool
are_digits(uint64_t v)
{
	return ((v & ONES * 0xf0) | ((v + ONES * 6) & ONES * 0xf0) >> 4) ==
	       ONES * 0x33;
}

/* The numbers of the four pairs, 16 bits for each. */
static uint64_t
pairs(uint64_t v)
{
	v &= ONES * 0x0f;
	return (v * 10 + (v >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
}

/* YYMMDD of 1970 to 2049 as days since 1970. */
static bool
day_of(unsigned year, unsigned month, unsigned day, int64_t *out)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212,
		243, 273, 304, 334, 365 };
	year = year >= 50 ? year - 70 : year + 30;
	if (year >= 80 || month - 1 >= 12)
		return false;
	unsigned leap = year % 4 == 2;
	unsigned most =
	    before[month] - before[month - 1] + (leap && month == 2 ? 1u : 0u);
	if (day - 1 >= most)
		return false;
	*out = year * 365 + (year + 1) / 4 + before[month - 1] +
	       (leap && month > 2 ? 1 : 0) + day - 1;
	return true;
}

/* Twelve digits behind the head of a UTCTime. */
static bool
utc_read(const uint8_t *p, int64_t *out)
{
	uint64_t date = load64(p + 2), clock = load64(p + 6);
	int64_t day;
	if (p[0] != DER_UTC_TIME || p[1] != UTC_LEN - 2 ||
	    p[UTC_LEN - 1] != 'Z' || !are_digits(date) || !are_digits(clock))
		return false;
	date = pairs(date);
	clock = pairs(clock);
	unsigned hour = (unsigned)(clock >> 16) & 0xff,
		 minute = (unsigned)(clock >> 32) & 0xff,
		 second = (unsigned)(clock >> 48);
	if (hour > 23 || minute > 59 || second > 59 ||
	    !day_of((unsigned)date & 0xff, (unsigned)(date >> 16) & 0xff,
		(unsigned)(date >> 32) & 0xff, &day))
		return false;
	*out = day * DAY + hour * HOUR + minute * MINUTE + second;
	return true;
}

/* Those of a complete list; see reason_exists(). */
#define REASONS                                                    \
	(1u << CRL_KEY_COMPROMISE | 1u << CRL_CA_COMPROMISE |      \
	    1u << CRL_AFFILIATION_CHANGED | 1u << CRL_SUPERSEDED | \
	    1u << CRL_CESSATION | 1u << CRL_HOLD |                 \
	    1u << CRL_PRIVILEGE_WITHDRAWN)

/* The reason as the one extension. */
static bool
reason_read(const uint8_t *p, bool is_delta, int *out)
{
	static const uint8_t head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03,
		0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };
	unsigned good = REASONS | (is_delta ? 1u << CRL_REMOVE : 0);
	*out = p[sizeof(head)];
	return memcmp(p, head, sizeof(head)) == 0 && *out < 16 &&
	       (good >> *out & 1) != 0;
}

bool
entry_quick(const uint8_t *p, bool is_delta, struct crl_entry *out,
    size_t *used)
{
	size_t serial = p[3], date = 4 + serial;
	/* Positive, without an octet for the sign. */
	if (p[0] != DER_SEQUENCE || p[2] != DER_INTEGER ||
	    serial - 1 >= SERIAL_MAX || p[4] - 1u >= 0x7f)
		return false;
	out->serial = bytes_of(p + 4, serial);
	out->reason = CRL_UNSPECIFIED;
	out->invalid_since = 0;
	if (!utc_read(p + date, &out->revoked_at))
		return false;
	*used = 2u + p[1];
	if (*used == date + UTC_LEN)
		return true;
	return *used == date + UTC_LEN + REASON_ONLY_LEN &&
	       reason_read(p + date + UTC_LEN, is_delta, &out->reason);
}
