/*
 * Writing DER from the end to the front: what is inside is written before
 * what is around it, so that every length is known when its turn comes.
 */
#include <stdio.h>

#include "internal.h"

struct der_w
der_w_of(uint8_t *memory, size_t size)
{
	return (struct der_w){ memory, size, size, false };
}

size_t
der_mark(const struct der_w *w)
{
	return w->at;
}

void
der_raw(struct der_w *w, struct bytes b)
{
	if (w->full || b.len > w->at) {
		w->full = true;
		return;
	}
	w->at -= b.len;
	if (b.len > 0)
		memcpy(w->start + w->at, b.p, b.len);
}

static void
put_octet(struct der_w *w, uint8_t v)
{
	if (w->full || w->at == 0) {
		w->full = true;
		return;
	}
	w->start[--w->at] = v;
}

void
der_wrap(struct der_w *w, uint8_t tag, size_t mark)
{
	size_t len, rest;
	uint8_t octets = 0;

	if (w->full || mark < w->at) {
		w->full = true;
		return;
	}
	len = mark - w->at;
	if (len < 0x80) {
		put_octet(w, (uint8_t)len);
	} else {
		for (rest = len; rest > 0; rest >>= 8) {
			put_octet(w, (uint8_t)rest);
			octets++;
		}
		put_octet(w, 0x80u | octets);
	}
	put_octet(w, tag);
}

void
der_put(struct der_w *w, uint8_t tag, struct bytes content)
{
	size_t mark = der_mark(w);

	der_raw(w, content);
	der_wrap(w, tag, mark);
}

void
der_put_integer(struct der_w *w, struct bytes magnitude)
{
	size_t mark = der_mark(w);

	while (magnitude.len > 0 && magnitude.p[0] == 0) {
		magnitude.p++;
		magnitude.len--;
	}
	der_raw(w, magnitude);
	/* The sign is settled on the whole number, never by masking it. */
	if (magnitude.len == 0 || magnitude.p[0] >= 0x80)
		put_octet(w, 0);
	der_wrap(w, DER_INTEGER, mark);
}

void
der_put_uint(struct der_w *w, uint64_t v)
{
	uint8_t octets[8];

	be64_print(octets, v);
	der_put_integer(w, bytes_of(octets, sizeof(octets)));
}

void
der_put_bool(struct der_w *w, bool v)
{
	uint8_t octet = v ? 0xff : 0x00;

	der_put(w, DER_BOOLEAN, bytes_of(&octet, 1));
}

void
der_put_bits(struct der_w *w, uint8_t unused, struct bytes content)
{
	size_t mark = der_mark(w);

	der_raw(w, content);
	put_octet(w, unused);
	der_wrap(w, DER_BIT_STRING, mark);
}

void
der_put_oid(struct der_w *w, struct bytes oid)
{
	der_put(w, DER_OID, oid);
}

static void
put_civil(struct der_w *w, const struct civil *c, bool generalized)
{
	char text[32];
	int n;

	if (generalized)
		n = snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ",
		    c->year, c->month, c->day, c->hour, c->minute, c->second);
	else
		n = snprintf(text, sizeof(text), "%02d%02d%02d%02d%02d%02dZ",
		    c->year % 100, c->month, c->day, c->hour, c->minute,
		    c->second);
	if (n != (generalized ? 15 : 13)) {
		w->full = true;
		return;
	}
	der_put(w, generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME,
	    bytes_of(text, (size_t)n));
}

/* 9999-12-31T23:59:59Z, the last instant that DER can name. */
#define TIME_LAST INT64_C(253402300799)
/* 0000-01-01T00:00:00Z */
#define TIME_FIRST INT64_C(-62167219200)

void
der_put_generalized(struct der_w *w, int64_t t)
{
	struct civil c;

	if (t < TIME_FIRST || t > TIME_LAST) {
		w->full = true;
		return;
	}
	civil_from_time(t, &c);
	put_civil(w, &c, true);
}

void
der_put_time(struct der_w *w, int64_t t)
{
	struct civil c;

	if (t < TIME_FIRST || t > TIME_LAST) {
		w->full = true;
		return;
	}
	civil_from_time(t, &c);
	put_civil(w, &c, c.year < 1950 || c.year > 2049);
}

enum err_code
der_w_end(const struct der_w *w, struct bytes *out, struct err *e)
{
	if (w->full)
		return err_at(e, ERR_NOMEM, "der-full", NULL, NOWHERE,
		    "the object is larger than an object of its kind may be");
	*out = bytes_of(w->start + w->at, w->size - w->at);
	return ERR_OK;
}
