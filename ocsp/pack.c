/*
 * pack - answers that differ only in serial number, times and signature share
 * one shape, with holes where those stand.  What is left to keep of an answer
 * is a tenth of it, and to fill a shape that is at hand costs less than to
 * fetch the answer from memory that is not.
 */
#include "internal.h"

#define TIME_TEXT_LEN 15 /* YYYYMMDDHHMMSSZ */
#define TIMES_MAX     8

/* The distinct times of an answer: 0 this_update, 1 next_update, then those
 * that are kept in the fields. */
struct times {
	uint32_t t[TIMES_MAX];
	size_t n;
};

static bool
add_hole(struct ocsp_shape *s, const uint8_t *at, struct bytes der,
    enum ocsp_hole_kind kind, size_t from)
{
	if (s->n_hole == OCSP_HOLES_MAX)
		return false;
	s->hole[s->n_hole++] = (struct ocsp_hole){
		.at = (uint16_t)(at - der.p),
		.kind = (uint8_t)kind,
		.from = (uint8_t)from,
	};
	return true;
}

static bool
read_time(const uint8_t *p, uint32_t *out)
{
	struct civil c;
	int64_t t;
	int v[7];
	for (size_t i = 0; i < 14; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	for (size_t i = 0; i < 7; i++)
		v[i] = (p[2 * i] - '0') * 10 + p[2 * i + 1] - '0';
	c = (struct civil){ v[0] * 100 + v[1], v[2], v[3], v[4], v[5], v[6] };
	if (p[14] != 'Z' || !civil_to_time(&c, &t) || t < 0 || t > UINT32_MAX)
		return false;
	*out = (uint32_t)t;
	return true;
}

/* Every GeneralizedTime of the signed part. */
static bool
find_times(struct ocsp_shape *s, struct bytes der, struct bytes tbs,
    struct times *times)
{
	const uint8_t *end = tbs.p + tbs.len - TIME_TEXT_LEN;
	for (const uint8_t *p = tbs.p; p + 2 <= end; p++) {
		uint32_t t;
		if (p[0] != DER_GENERALIZED_TIME || p[1] != TIME_TEXT_LEN ||
		    !read_time(p + 2, &t))
			continue;
		size_t i = 0;
		while (i < times->n && times->t[i] != t)
			i++;
		if (i == TIMES_MAX)
			return false;
		if (i == times->n)
			times->t[times->n++] = t;
		if (!add_hole(s, p + 2, der, OCSP_HOLE_TIME, i))
			return false;
		p += 1 + TIME_TEXT_LEN;
	}
	return true;
}

static bool
find_serials(struct ocsp_shape *s, struct bytes der,
    const struct ocsp_answer *a, struct bytes serial)
{
	for (size_t i = 0; i < a->n_single; i++)
		if (!bytes_eq(a->single[i].id.serial, serial) ||
		    !add_hole(s, a->single[i].id.serial.p, der,
			OCSP_HOLE_SERIAL, 0))
			return false;
	return true;
}

bool
ocsp_pack(struct bytes der, struct bytes serial, int64_t this_update,
    int64_t next_update, struct ocsp_shape *shape,
    uint8_t fields[OCSP_FIELDS_MAX])
{
	struct ocsp_answer a;
	struct err e;
	struct times times = { .n = 2 };
	if (this_update < 0 || this_update > UINT32_MAX || next_update < 0 ||
	    next_update > UINT32_MAX || der.len > OCSP_ANSWER_MAX ||
	    ocsp_answer_parse(der, &a, &e) != ERR_OK || a.signature.len < 16)
		return false;
	times.t[0] = (uint32_t)this_update;
	times.t[1] = (uint32_t)next_update;
	*shape = (struct ocsp_shape){ .len = (uint16_t)der.len,
		.serial_len = (uint8_t)serial.len };
	memcpy(shape->der, der.p, der.len);
	if (!find_times(shape, der, a.tbs, &times) ||
	    !find_serials(shape, der, &a, serial) ||
	    !add_hole(shape, a.signature.p, der, OCSP_HOLE_SIGNATURE, 0))
		return false;
	struct buf b AUTO_BUF = BUF(OCSP_FIELDS_MAX);
	for (size_t i = 2; i < times.n; i++)
		put_u32(&b, times.t[i]);
	buf_put(&b, a.signature.p, a.signature.len);
	if (b.failed)
		return false;
	memcpy(fields, b.p, b.len);
	shape->fields_len = (uint16_t)b.len;
	shape->n_time = (uint8_t)times.n;
	for (size_t i = 0; i < shape->n_hole; i++)
		memset(shape->der + shape->hole[i].at, 0,
		    ocsp_hole_len(shape, &shape->hole[i]));
	return true;
}

size_t
ocsp_hole_len(const struct ocsp_shape *s, const struct ocsp_hole *h)
{
	switch ((enum ocsp_hole_kind)h->kind) {
	case OCSP_HOLE_SERIAL:
		return s->serial_len;
	case OCSP_HOLE_TIME:
		return TIME_TEXT_LEN;
	case OCSP_HOLE_SIGNATURE:
		return (size_t)s->fields_len - 4u * (s->n_time - 2u);
	}
	fatal("a hole of no kind");
}

/* --- Filling ------------------------------------------------------------------ */

static void
put_two(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)('0' + v / 10);
	p[1] = (uint8_t)('0' + v % 10);
}

static void
put_time(struct ocsp_days *cache, uint8_t out[TIME_TEXT_LEN], uint32_t t)
{
	uint32_t day = t / DAY, second = t % DAY;
	size_t i = day % OCSP_DAYS;
	if (cache->slot[i].day != day + 1) {
		struct civil c;
		civil_from_time(t, &c);
		put_two(cache->slot[i].text, (unsigned)c.year / 100);
		put_two(cache->slot[i].text + 2, (unsigned)c.year % 100);
		put_two(cache->slot[i].text + 4, (unsigned)c.month);
		put_two(cache->slot[i].text + 6, (unsigned)c.day);
		cache->slot[i].day = day + 1;
	}
	memcpy(out, cache->slot[i].text, 8);
	put_two(out + 8, second / 3600);
	put_two(out + 10, second / 60 % 60);
	put_two(out + 12, second % 60);
	out[14] = 'Z';
}

static uint32_t
get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

void
ocsp_unpack(const struct ocsp_shape *s, struct ocsp_days *days,
    const uint8_t *serial, uint32_t this_update, uint32_t next_update,
    const uint8_t *fields, uint8_t *out)
{
	uint8_t time[TIMES_MAX][TIME_TEXT_LEN];
	size_t kept = s->n_time - 2u;
	put_time(days, time[0], this_update);
	put_time(days, time[1], next_update);
	for (size_t i = 0; i < kept; i++)
		put_time(days, time[2 + i], get_be32(fields + 4 * i));
	memcpy(out, s->der, s->len);
	for (size_t i = 0; i < s->n_hole; i++) {
		const struct ocsp_hole *h = &s->hole[i];
		if (h->kind == OCSP_HOLE_TIME)
			memcpy(out + h->at, time[h->from], TIME_TEXT_LEN);
		else if (h->kind == OCSP_HOLE_SERIAL)
			memcpy(out + h->at, serial, s->serial_len);
		else
			memcpy(out + h->at, fields + 4 * kept,
			    s->fields_len - 4 * kept);
	}
}

/* --- Shapes as octets -------------------------------------------------------------- */

#define SHAPE_VERSION 1

void
ocsp_shape_encode(const struct ocsp_shape *s, struct buf *out)
{
	put_u8(out, SHAPE_VERSION);
	put_u16(out, s->len);
	put_u16(out, s->fields_len);
	put_u8(out, s->serial_len);
	put_u8(out, s->n_time);
	put_u8(out, s->n_hole);
	for (size_t i = 0; i < s->n_hole; i++) {
		put_u16(out, s->hole[i].at);
		put_u8(out, s->hole[i].kind);
		put_u8(out, s->hole[i].from);
	}
	buf_put(out, s->der, s->len);
}

/* What ocsp_unpack() writes and reads stays within shape and fields. */
static bool
is_sound(const struct ocsp_shape *s)
{
	if (s->len > OCSP_ANSWER_MAX || s->fields_len > OCSP_FIELDS_MAX ||
	    s->serial_len > SERIAL_MAX || s->n_hole > OCSP_HOLES_MAX ||
	    s->n_time < 2 || s->n_time > TIMES_MAX ||
	    s->fields_len < 4u * (s->n_time - 2u) + 16)
		return false;
	for (size_t i = 0; i < s->n_hole; i++) {
		const struct ocsp_hole *h = &s->hole[i];
		if (h->kind > OCSP_HOLE_SIGNATURE || h->from >= s->n_time ||
		    h->at + ocsp_hole_len(s, h) > s->len)
			return false;
	}
	return true;
}

enum err_code
ocsp_shape_decode(struct bytes in, struct ocsp_shape *out, struct err *e)
{
	struct reader r = reader_of(in);
	bool good = get_u8(&r) == SHAPE_VERSION;
	out->len = get_u16(&r);
	out->fields_len = get_u16(&r);
	out->serial_len = get_u8(&r);
	out->n_time = get_u8(&r);
	out->n_hole = get_u8(&r);
	for (size_t i = 0; i < out->n_hole && i < OCSP_HOLES_MAX; i++) {
		out->hole[i].at = get_u16(&r);
		out->hole[i].kind = get_u8(&r);
		out->hole[i].from = get_u8(&r);
	}
	good = good && out->len <= OCSP_ANSWER_MAX &&
	       out->n_hole <= OCSP_HOLES_MAX;
	struct bytes der = get_raw(&r, good ? out->len : 0);
	if (good && der.len == out->len && der.len > 0)
		memcpy(out->der, der.p, der.len);
	if (good && reader_end(&r, e) == ERR_OK && is_sound(out))
		return ERR_OK;
	return err_say(e, ERR_CORRUPT, "ocsp-shape",
	    "the shape of published answers cannot be read back; rebuild the "
	    "published store from the ledger");
}
