/*
 * build - the one function that builds every CRL.  The first pass over the
 * entries only adds up lengths; the second writes each octet once, into room
 * of exactly that size, so that memory is that of the list alone.
 */
#include <stdio.h>

#include "internal.h"

#define UTC_LEN     15 /* tag, length, YYMMDDHHMMSSZ */
#define GENERAL_LEN 17
/* SEQUENCE { OID reasonCode, OCTET STRING { ENUMERATED } } */
#define REASON_LEN 12
/* SEQUENCE { OID invalidityDate, OCTET STRING { GeneralizedTime } } */
#define INVALIDITY_LEN (2 + EXT_OID_LEN + 2 + GENERAL_LEN)

static size_t
time_len(int64_t t)
{
	return t < YEAR_2050 ? UTC_LEN : GENERAL_LEN;
}

static size_t
head_len(size_t content)
{
	size_t n = 2;
	if (content >= 0x80)
		for (size_t rest = content; rest > 0; rest >>= 8)
			n++;
	return n;
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
entry_content(const struct crl_entry *x)
{
	size_t extensions = extensions_len(x);
	return 2 + serial_len(x->serial) + time_len(x->revoked_at) +
	       (extensions > 0 ? 2 + extensions : 0);
}

static bool
in_time(int64_t t)
{
	return t >= 0 && t <= TIME_LAST;
}

static enum err_code
judge_entry(const struct crl_entry *x, struct bytes last, struct err *e)
{
	char hex[HEX_LEN(SERIAL_MAX)] = "";
	if (x->serial.len <= SERIAL_MAX)
		hex_print(hex, x->serial);
	if (x->serial.len == 0 || x->serial.len > SERIAL_MAX ||
	    x->serial.p[0] == 0)
		return err_at(e, ERR_CORRUPT, "crl-entry-serial",
		    "RFC 5280 5.1.2.6", NOWHERE,
		    "an entry for a CRL has the serial number %s, which no "
		    "certificate may have",
		    hex);
	if (last.len > 0 && bytes_cmp(last, x->serial) >= 0)
		return err_at(e, ERR_CORRUPT, "crl-entry-order", NULL, NOWHERE,
		    "the entries for a CRL are not in ascending order of "
		    "serial at %s",
		    hex);
	if (crl_reason_name(x->reason) == NULL)
		return err_at(e, ERR_CORRUPT, "crl-entry-reason",
		    "RFC 5280 5.3.1", NOWHERE,
		    "the entry %s for a CRL has a reason other than 0 to 6 "
		    "and 9",
		    hex);
	if (!in_time(x->revoked_at) || !in_time(x->invalid_since))
		return err_at(e, ERR_CORRUPT, "crl-entry-time",
		    "RFC 5280 5.1.2.6", NOWHERE,
		    "the entry %s for a CRL has a date outside 1970 to 9999",
		    hex);
	return ERR_OK;
}

/* First pass: octets of all entries. */
static enum err_code
measure(const struct crl_source *source, size_t *total, struct err *e)
{
	struct crl_entry x;
	uint8_t room[SERIAL_MAX];
	struct bytes last = BYTES_NONE;
	bool more = true;
	*total = 0;
	TRY(source->rewind(source->ctx, e));
	while (true) {
		TRY(source->next(source->ctx, &x, &more, e));
		if (!more)
			return ERR_OK;
		TRY(judge_entry(&x, last, e));
		memcpy(room, x.serial.p, x.serial.len);
		last = bytes_of(room, x.serial.len);
		*total += 2 + entry_content(&x);
		if (*total > CRL_MAX_BYTES)
			return err_at(e, ERR_DENIED, "crl-too-large", NULL,
			    NOWHERE,
			    "the CRL would be longer than the %s octets that "
			    "it may have; partition it",
			    "33554432");
	}
}

/* --- Second pass ---------------------------------------------------------- */

struct out {
	uint8_t *p, *end;
	/* The day of the last date and its text: most entries share days. */
	int64_t day;
	char date[8]; /* YYYYMMDD */
};

static void
put(struct out *o, const void *p, size_t len)
{
	memcpy(o->p, p, len);
	o->p += len;
}

static void
put_two(struct out *o, int64_t v)
{
	o->p[0] = (uint8_t)('0' + v / 10);
	o->p[1] = (uint8_t)('0' + v % 10);
	o->p += 2;
}

static void
set_day(struct out *o, int64_t day)
{
	struct civil c;
	char text[48];
	if (o->day == day)
		return;
	civil_from_time(day * DAY, &c);
	snprintf(text, sizeof(text), "%04d%02d%02d", c.year, c.month, c.day);
	memcpy(o->date, text, sizeof(o->date));
	o->day = day;
}

static void
put_time(struct out *o, int64_t t, bool generalized)
{
	int64_t second = t % DAY;
	set_day(o, t / DAY);
	*o->p++ = generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME;
	*o->p++ = generalized ? GENERAL_LEN - 2 : UTC_LEN - 2;
	put(o, generalized ? o->date : o->date + 2, generalized ? 8 : 6);
	put_two(o, second / HOUR);
	put_two(o, second % HOUR / MINUTE);
	put_two(o, second % MINUTE);
	*o->p++ = 'Z';
}

static void
put_head(struct out *o, uint8_t tag, size_t len)
{
	*o->p++ = tag;
	*o->p++ = (uint8_t)len;
}

static void
put_extensions(struct out *o, const struct crl_entry *x)
{
	/* SEQUENCE, OID 2.5.29.21, OCTET STRING, ENUMERATED */
	static const uint8_t reason[] = { 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d,
		0x15, 0x04, 0x03, 0x0a, 0x01 };
	/* SEQUENCE, OID 2.5.29.24, OCTET STRING */
	static const uint8_t invalidity[] = { 0x30, 0x18, 0x06, 0x03, 0x55,
		0x1d, 0x18, 0x04, 0x11 };
	size_t len = extensions_len(x);
	if (len == 0)
		return;
	put_head(o, DER_SEQUENCE, len);
	if (x->reason != CRL_UNSPECIFIED) {
		put(o, reason, sizeof(reason));
		*o->p++ = (uint8_t)x->reason;
	}
	if (x->invalid_since != 0) {
		put(o, invalidity, sizeof(invalidity));
		put_time(o, x->invalid_since, true);
	}
}

static void
put_entry(struct out *o, const struct crl_entry *x)
{
	put_head(o, DER_SEQUENCE, entry_content(x));
	put_head(o, DER_INTEGER, serial_len(x->serial));
	if (x->serial.p[0] >= 0x80)
		*o->p++ = 0;
	put(o, x->serial.p, x->serial.len);
	put_time(o, x->revoked_at, x->revoked_at >= YEAR_2050);
	put_extensions(o, x);
}

static enum err_code
source_changed(struct err *e)
{
	return err_at(e, ERR_CORRUPT, "crl-source", NULL, NOWHERE,
	    "the entries for a CRL changed between two readings of them");
}

static enum err_code
write_entries(const struct crl_source *source, uint8_t *room, size_t total,
    struct err *e)
{
	struct out o = { .p = room, .end = room + total, .day = -1 };
	struct crl_entry x;
	bool more = true;
	TRY(source->rewind(source->ctx, e));
	while (true) {
		TRY(source->next(source->ctx, &x, &more, e));
		if (!more)
			return o.p == o.end ? ERR_OK : source_changed(e);
		TRY(judge_entry(&x, BYTES_NONE, e));
		if ((size_t)(o.end - o.p) < 2 + entry_content(&x))
			return source_changed(e);
		put_entry(&o, &x);
	}
}

/* --- What stands around the entries ---------------------------------------- */

#define FRAME_MAX_LEN (NAME_DER_MAX + 256)

static void
put_extension(struct der_w *w, enum pkix_oid oid, size_t mark)
{
	der_wrap(w, DER_OCTET_STRING, mark);
	der_put_oid(w, oid_known(oid));
	der_wrap(w, DER_SEQUENCE, mark);
}

static enum err_code
build_tail(const struct crl_spec *spec, struct der_w *w, struct bytes *out,
    struct err *e)
{
	size_t whole = der_mark(w), mark = whole;
	der_put_uint(w, spec->number);
	put_extension(w, OID_EXT_CRL_NUMBER, mark);
	mark = der_mark(w);
	der_put(w, DER_CONTEXT(0), spec->issuer_ski);
	der_wrap(w, DER_SEQUENCE, mark);
	put_extension(w, OID_EXT_AKI, mark);
	der_wrap(w, DER_SEQUENCE, whole);
	der_wrap(w, DER_CONTEXT_CONS(0), whole);
	return der_w_end(w, out, e);
}

static enum err_code
build_front(const struct crl_spec *spec, struct der_w *w, struct bytes *out,
    struct err *e)
{
	der_put_time(w, spec->next_update);
	der_put_time(w, spec->this_update);
	der_raw(w, spec->issuer);
	der_raw(w, key_type_sigalg(spec->issuer_type));
	der_put_uint(w, 1);
	return der_w_end(w, out, e);
}

static uint8_t *
write_head(uint8_t *p, size_t content)
{
	size_t head = head_len(content);
	*p++ = DER_SEQUENCE;
	if (head == 2) {
		*p++ = (uint8_t)content;
		return p;
	}
	*p++ = (uint8_t)(0x80 | (head - 2));
	for (size_t i = head - 2; i > 0; i--)
		*p++ = (uint8_t)(content >> (8 * (i - 1)));
	return p;
}

static enum err_code
judge_spec(const struct crl_spec *spec, struct err *e)
{
	if (spec->issuer.len <= 2 || spec->issuer.len > NAME_DER_MAX ||
	    spec->issuer_ski.len == 0 || spec->issuer_ski.len > SHA256_LEN)
		return err_at(e, ERR_INVALID, "crl-spec", "RFC 5280 5.1.2.3",
		    NOWHERE,
		    "a CRL was ordered without its issuer's name or key "
		    "identifier");
	if (in_time(spec->this_update) && in_time(spec->next_update) &&
	    spec->this_update < spec->next_update)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "crl-spec-times", "RFC 5280 5.1.2.5",
	    NOWHERE, "a CRL was ordered that ends before it begins");
}

enum err_code
crl_build_tbs(const struct crl_spec *spec, const struct crl_source *source,
    struct buf *tbs, struct err *e)
{
	uint8_t front_room[FRAME_MAX_LEN], tail_room[128];
	struct der_w front_w = der_w_of(front_room, sizeof(front_room));
	struct der_w tail_w = der_w_of(tail_room, sizeof(tail_room));
	struct bytes front, tail;
	size_t entries;
	TRY(judge_spec(spec, e));
	TRY(build_front(spec, &front_w, &front, e));
	TRY(build_tail(spec, &tail_w, &tail, e));
	TRY(measure(source, &entries, e));
	/* An empty list is left out whole (RFC 5280 5.1.2.6). */
	size_t list = entries == 0 ? 0 : head_len(entries) + entries;
	size_t content = front.len + list + tail.len;
	uint8_t *p = buf_room(tbs, head_len(content) + content);
	if (p == NULL)
		return buf_end(tbs, e);
	p = write_head(p, content);
	memcpy(p, front.p, front.len);
	p += front.len;
	if (entries > 0) {
		p = write_head(p, entries);
		TRY(write_entries(source, p, entries, e));
		p += entries;
	}
	memcpy(p, tail.p, tail.len);
	return ERR_OK;
}
