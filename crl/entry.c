/*
 * entry - one entry of a CRL as octets, written and read by hand: there are a
 * million of them in a list, and each has exactly one form.
 */
#include "internal.h"

#define UTC_LEN     15 /* tag, length, YYMMDDHHMMSSZ */
#define GENERAL_LEN 17
/* SEQUENCE { OID reasonCode, OCTET STRING { ENUMERATED } } */
#define REASON_LEN 12
/* SEQUENCE { OID invalidityDate, OCTET STRING { GeneralizedTime } } */
#define INVALIDITY_LEN (2 + EXT_OID_LEN + 2 + GENERAL_LEN)

/* SEQUENCE, OID 2.5.29.21, OCTET STRING, ENUMERATED */
static const uint8_t reason_head[] = { 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15,
	0x04, 0x03, 0x0a, 0x01 };
/* SEQUENCE, OID 2.5.29.24, OCTET STRING */
static const uint8_t invalidity_head[] = { 0x30, 0x18, 0x06, 0x03, 0x55, 0x1d,
	0x18, 0x04, 0x11 };

bool
reason_exists(int reason, bool is_delta)
{
	return crl_reason_name(reason) != NULL ||
	       (is_delta && reason == CRL_REMOVE);
}

/* --- Heads --------------------------------------------------------------------- */

size_t
head_len(size_t content)
{
	size_t n = 2;
	if (content >= 0x80)
		for (size_t rest = content; rest > 0; rest >>= 8)
			n++;
	return n;
}

uint8_t *
head_put(uint8_t *p, uint8_t tag, size_t content)
{
	size_t head = head_len(content);
	*p++ = tag;
	if (head == 2) {
		*p++ = (uint8_t)content;
		return p;
	}
	*p++ = (uint8_t)(0x80 | (head - 2));
	for (size_t i = head - 2; i > 0; i--)
		*p++ = (uint8_t)(content >> (8 * (i - 1)));
	return p;
}

size_t
crl_head_put(uint8_t out[6], size_t content)
{
	return (size_t)(head_put(out, DER_SEQUENCE, content) - out);
}

enum part
head_read(const uint8_t *p, size_t avail, uint8_t tag, size_t *head,
    size_t *content)
{
	if (avail < 2)
		return PART_SHORT;
	size_t octets = p[1] < 0x80 ? 0 : p[1] & 0x7fu;
	if (p[0] != tag || p[1] == 0x80 || octets > 4)
		return PART_BAD;
	if (avail < 2 + octets)
		return PART_SHORT;
	*content = octets == 0 ? p[1] : 0;
	for (size_t i = 0; i < octets; i++)
		*content = *content << 8 | p[2 + i];
	*head = 2 + octets;
	/* One form only (X.690 10.1). */
	return head_len(*content) == *head ? PART_READ : PART_BAD;
}

/* --- Writing --------------------------------------------------------------------- */

static size_t
time_len(int64_t t)
{
	return t < YEAR_2050 ? UTC_LEN : GENERAL_LEN;
}

static size_t
serial_len(struct bytes serial)
{
	return serial.len + (serial.p[0] >= 0x80 ? 1 : 0);
}

static size_t
extensions_len(const struct crl_entry *x)
{
	size_t n = x->reason == CRL_UNSPECIFIED ? 0 : REASON_LEN;
	return x->invalid_since == 0 ? n : n + INVALIDITY_LEN;
}

/* All parts of an entry are shorter than 128 octets: their heads take two. */
static size_t
content_len(const struct crl_entry *x)
{
	size_t extensions = extensions_len(x);
	return 2 + serial_len(x->serial) + time_len(x->revoked_at) +
	       (extensions > 0 ? 2 + extensions : 0);
}

size_t
entry_len(const struct crl_entry *x)
{
	return 2 + content_len(x);
}

static uint8_t *
put(uint8_t *p, const void *from, size_t len)
{
	memcpy(p, from, len);
	return p + len;
}

static uint8_t *
put_two(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)('0' + v / 10);
	p[1] = (uint8_t)('0' + v % 10);
	return p + 2;
}

static void
day_set(struct day *d, int64_t day)
{
	struct civil c;
	uint8_t text[8];
	if (d->day == day)
		return;
	civil_from_time(day * DAY, &c);
	put_two(text, (unsigned)c.year / 100);
	put_two(text + 2, (unsigned)c.year % 100);
	put_two(text + 4, (unsigned)c.month);
	put_two(text + 6, (unsigned)c.day);
	memcpy(d->date, text, sizeof(text));
	d->day = day;
}

static uint8_t *
put_time(uint8_t *p, int64_t t, bool generalized, struct day *day)
{
	unsigned second = (unsigned)(t % DAY);
	day_set(day, t / DAY);
	*p++ = generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME;
	*p++ = generalized ? GENERAL_LEN - 2 : UTC_LEN - 2;
	p = generalized ? put(p, day->date, 8) : put(p, day->date + 2, 6);
	p = put_two(p, second / 3600);
	p = put_two(p, second % 3600 / 60);
	p = put_two(p, second % 60);
	*p++ = 'Z';
	return p;
}

static uint8_t *
put_extensions(uint8_t *p, const struct crl_entry *x, struct day *day)
{
	size_t len = extensions_len(x);
	if (len == 0)
		return p;
	p = head_put(p, DER_SEQUENCE, len);
	if (x->reason != CRL_UNSPECIFIED) {
		p = put(p, reason_head, sizeof(reason_head));
		*p++ = (uint8_t)x->reason;
	}
	if (x->invalid_since == 0)
		return p;
	p = put(p, invalidity_head, sizeof(invalidity_head));
	return put_time(p, x->invalid_since, true, day);
}

uint8_t *
entry_put(uint8_t *p, const struct crl_entry *x, struct day *day)
{
	*p++ = DER_SEQUENCE;
	*p++ = (uint8_t)content_len(x);
	*p++ = DER_INTEGER;
	*p++ = (uint8_t)serial_len(x->serial);
	if (x->serial.p[0] >= 0x80)
		*p++ = 0;
	p = put(p, x->serial.p, x->serial.len);
	p = put_time(p, x->revoked_at, x->revoked_at >= YEAR_2050, day);
	return put_extensions(p, x, day);
}

/* --- Reading --------------------------------------------------------------------- */

static bool
two(const uint8_t *p, unsigned most, int *out)
{
	unsigned tens = p[0] - (unsigned)'0', ones = p[1] - (unsigned)'0';
	*out = (int)(tens * 10 + ones);
	return tens <= 9 && ones <= 9 && (unsigned)*out <= most;
}

/* The day that eight digits name; false for what is none. */
static bool
day_read(struct day *d, const char date[8])
{
	const uint8_t *p = (const uint8_t *)date;
	struct civil c = { .hour = 0 };
	int century, year;
	int64_t t;
	if (d->day >= 0 && memcmp(d->date, date, 8) == 0)
		return true;
	if (!two(p, 99, &century) || !two(p + 2, 99, &year) ||
	    !two(p + 4, 12, &c.month) || !two(p + 6, 31, &c.day))
		return false;
	c.year = century * 100 + year;
	if (!civil_to_time(&c, &t) || t < 0)
		return false;
	d->day = t / DAY;
	memcpy(d->date, date, 8);
	return true;
}

/* A whole UTCTime or GeneralizedTime at p; 0 octets when it is none. */
static size_t
time_read(const uint8_t *p, size_t avail, struct day *day, int64_t *out)
{
	bool utc = avail > 0 && p[0] == DER_UTC_TIME;
	size_t len = utc ? UTC_LEN : GENERAL_LEN;
	char date[8] = { '2', '0' };
	int hour, minute, second;
	if (avail < len || p[1] != len - 2 || p[len - 1] != 'Z' ||
	    (!utc && p[0] != DER_GENERALIZED_TIME))
		return 0;
	/* RFC 5280 4.1.2.5.1: 50 and more is of the last century. */
	if (utc && p[2] >= '5')
		memcpy(date, "19", 2);
	memcpy(utc ? date + 2 : date, p + 2, utc ? 6 : 8);
	const uint8_t *clock = p + len - 7;
	if (!day_read(day, date) || !two(clock, 23, &hour) ||
	    !two(clock + 2, 59, &minute) || !two(clock + 4, 59, &second))
		return 0;
	*out = day->day * DAY + hour * HOUR + minute * MINUTE + second;
	return len;
}

static bool
has_head(struct bytes b, const uint8_t *head, size_t len)
{
	return b.len > len && memcmp(b.p, head, len) == 0;
}

/* Reason and then the date since when a key is doubted, each once. */
static bool
extensions_read(struct bytes b, bool is_delta, struct day *day,
    struct crl_entry *x)
{
	if (b.len < 2 || b.p[0] != DER_SEQUENCE || b.p[1] != b.len - 2 ||
	    b.p[1] == 0)
		return false;
	b = bytes_of(b.p + 2, b.len - 2);
	if (has_head(b, reason_head, sizeof(reason_head))) {
		x->reason = b.p[sizeof(reason_head)];
		/* 0 says nothing and is left out. */
		if (x->reason == CRL_UNSPECIFIED ||
		    !reason_exists(x->reason, is_delta))
			return false;
		b = bytes_of(b.p + REASON_LEN, b.len - REASON_LEN);
	}
	if (!has_head(b, invalidity_head, sizeof(invalidity_head)))
		return b.len == 0;
	const uint8_t *date = b.p + sizeof(invalidity_head);
	return b.len == INVALIDITY_LEN && date[0] == DER_GENERALIZED_TIME &&
	       time_read(date, GENERAL_LEN, day, &x->invalid_since) > 0 &&
	       x->invalid_since > 0;
}

static bool
serial_read(const uint8_t *p, size_t avail, struct bytes *out)
{
	size_t len = avail < 2 ? 0 : p[1];
	if (len == 0 || p[0] != DER_INTEGER || len > SERIAL_MAX + 1 ||
	    2 + len > avail || p[2] >= 0x80)
		return false;
	bool sign = p[2] == 0;
	if (sign && (len == 1 || p[3] < 0x80))
		return false;
	*out = bytes_of(p + 2 + sign, len - sign);
	return out->len <= SERIAL_MAX;
}

enum part
entry_read(const uint8_t *p, size_t avail, bool is_delta, struct day *day,
    struct crl_entry *out, size_t *used)
{
	if (avail >= ENTRY_MAX && entry_quick(p, is_delta, out, used))
		return PART_READ;
	if (avail < 2)
		return PART_SHORT;
	if (p[0] != DER_SEQUENCE || p[1] > ENTRY_MAX - 2)
		return PART_BAD;
	size_t len = 2u + p[1], at;
	if (avail < len)
		return PART_SHORT;
	*out = (struct crl_entry){ .reason = CRL_UNSPECIFIED };
	if (!serial_read(p + 2, len - 2, &out->serial))
		return PART_BAD;
	at = 4u + p[3];
	size_t date = time_read(p + at, len - at, day, &out->revoked_at);
	if (date == 0 ||
	    (p[at] == DER_UTC_TIME) != (out->revoked_at < YEAR_2050))
		return PART_BAD;
	at += date;
	if (at < len &&
	    !extensions_read(bytes_of(p + at, len - at), is_delta, day, out))
		return PART_BAD;
	*used = len;
	return PART_READ;
}
