/*
 * stream - a TBSCertList read as it arrives.  Its first and last part are
 * kept; of the entries between them only one that a piece cut in two.
 */
#include <endian.h>
#include <stdlib.h>

#include "internal.h"

enum state { S_FRONT, S_ENTRIES, S_TAIL, S_BAD };

struct crl_stream {
	enum state state;
	crl_each each;
	void *ctx;
	size_t length;        /* of the TBS, once its head was read */
	size_t got;           /* octets that were taken */
	size_t entries, left; /* left: octets of entries still to come */
	struct crl crl;       /* borrows from front and tail */
	struct day day;
	struct bytes last; /* serial; in the piece, or below between two */
	uint8_t last_room[SERIAL_MAX];
	uint8_t front[FRONT_MAX], tail[TAIL_MAX], cut[ENTRY_MAX];
	size_t front_len, tail_len, cut_len;
	bool removes; /* there was an entry that only a delta may have */
};

enum err_code
crl_stream_new(crl_each each, void *ctx, struct crl_stream **out, struct err *e)
{
	struct crl_stream *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(e);
	s->each = each;
	s->ctx = ctx;
	s->day.day = -1;
	*out = s;
	return ERR_OK;
}

void
crl_stream_free(struct crl_stream *s)
{
	free(s);
}

size_t
crl_stream_entries(const struct crl_stream *s)
{
	return s->entries;
}

/* As much of a piece as fits and is wanted; the piece goes on behind it. */
static void
take(uint8_t *room, size_t *len, size_t most, struct bytes *piece)
{
	size_t n = most - *len < piece->len ? most - *len : piece->len;
	memcpy(room + *len, piece->p, n);
	*len += n;
	piece->p += n;
	piece->len -= n;
}

/* Most differ in their first octets. */
static bool
is_behind(struct bytes last, struct bytes serial)
{
	if (last.len >= 8 && serial.len >= 8) {
		uint64_t a, b;
		memcpy(&a, last.p, sizeof(a));
		memcpy(&b, serial.p, sizeof(b));
		if (a != b)
			return be64toh(a) < be64toh(b);
	}
	return bytes_cmp(last, serial) < 0;
}

/*
 * A delta says so only behind its entries: removeFromCRL is let pass among
 * them, counted, and judged at the end.
 */
static enum err_code
take_entry(struct crl_stream *s, const struct crl_entry *x, size_t len,
    struct err *e)
{
	if (!is_behind(s->last, x->serial))
		return entry_disorder(s->got, e);
	s->last = x->serial;
	s->got += len;
	s->left -= len;
	s->entries++;
	s->removes |= x->reason == CRL_REMOVE;
	return s->each == NULL ? ERR_OK : s->each(s->ctx, x, e);
}

/* What it was read from goes away. */
static void
last_keep(struct crl_stream *s)
{
	if (s->last.len > 0)
		memmove(s->last_room, s->last.p, s->last.len);
	s->last.p = s->last_room;
}

/* One that began in an earlier piece. */
static enum err_code
take_cut(struct crl_stream *s, struct bytes *piece, struct err *e)
{
	struct crl_entry x;
	size_t used, had = s->cut_len;
	struct bytes rest = *piece;
	size_t most = s->left < ENTRY_MAX ? s->left : ENTRY_MAX;
	take(s->cut, &s->cut_len, most, &rest);
	enum part got =
	    entry_read(s->cut, s->cut_len, true, &s->day, &x, &used);
	if (got == PART_SHORT && s->cut_len < most) {
		*piece = rest;
		return ERR_OK;
	}
	if (got != PART_READ)
		return entry_bad(s->got, e);
	piece->p += used - had;
	piece->len -= used - had;
	s->cut_len = 0;
	TRY(take_entry(s, &x, used, e));
	last_keep(s);
	return ERR_OK;
}

static enum err_code
take_entries(struct crl_stream *s, struct bytes *piece, struct err *e)
{
	struct crl_entry x;
	size_t used;
	if (s->cut_len > 0)
		TRY(take_cut(s, piece, e));
	while (s->left > 0 && piece->len > 0 && s->cut_len == 0) {
		size_t there = s->left < piece->len ? s->left : piece->len;
		enum part got =
		    entry_read(piece->p, there, true, &s->day, &x, &used);
		if (got == PART_SHORT && there < s->left) {
			take(s->cut, &s->cut_len, ENTRY_MAX, piece);
			break;
		}
		if (got != PART_READ)
			return entry_bad(s->got, e);
		TRY(take_entry(s, &x, used, e));
		piece->p += used;
		piece->len -= used;
	}
	last_keep(s);
	if (s->left == 0)
		s->state = S_TAIL;
	return ERR_OK;
}

static enum err_code
take_front(struct crl_stream *s, struct bytes *piece, struct err *e)
{
	size_t had = s->front_len, used;
	struct bytes rest = *piece;
	take(s->front, &s->front_len, FRONT_MAX, &rest);
	enum part got = front_read(s->front, s->front_len, &s->crl, &s->length,
	    &used, &s->left, e);
	if (got == PART_BAD)
		return e->code;
	if (got == PART_SHORT) {
		*piece = rest;
		return s->front_len < FRONT_MAX ? ERR_OK : crl_malformed(e);
	}
	piece->p += used - had;
	piece->len -= used - had;
	s->front_len = s->got = used;
	s->state = s->left > 0 ? S_ENTRIES : S_TAIL;
	return ERR_OK;
}

static enum err_code
take_tail(struct crl_stream *s, struct bytes *piece, struct err *e)
{
	size_t had = s->tail_len;
	take(s->tail, &s->tail_len, TAIL_MAX, piece);
	s->got += s->tail_len - had;
	if (piece->len > 0 || s->got > s->length)
		return crl_malformed(e);
	return ERR_OK;
}

static enum err_code
put(struct crl_stream *s, struct bytes piece, struct err *e)
{
	while (piece.len > 0) {
		switch (s->state) {
		case S_FRONT:
			TRY(take_front(s, &piece, e));
			break;
		case S_ENTRIES:
			TRY(take_entries(s, &piece, e));
			break;
		case S_TAIL:
			TRY(take_tail(s, &piece, e));
			break;
		case S_BAD:
			return crl_malformed(e);
		}
	}
	return ERR_OK;
}

enum err_code
crl_stream_put(struct crl_stream *s, struct bytes piece, struct err *e)
{
	enum err_code code = put(s, piece, e);
	if (code != ERR_OK)
		s->state = S_BAD;
	return code;
}

enum err_code
crl_stream_end(struct crl_stream *s, struct crl *out, struct err *e)
{
	if (s->state != S_TAIL || s->got != s->length)
		return crl_malformed(e);
	TRY(tail_read(bytes_of(s->tail, s->tail_len), &s->crl, e));
	if (s->removes && s->crl.base == 0)
		return entry_bad(0, e);
	*out = s->crl;
	return ERR_OK;
}

_Static_assert(FRONT_MAX <= CRL_ENDS_MAX && TAIL_MAX <= CRL_ENDS_MAX,
    "the ends of a list hold all that stands around its entries");

enum err_code
crl_ends_parse(struct bytes first, struct bytes last, size_t length,
    struct crl *out, struct err *e)
{
	struct crl c = { .number = 0 };
	size_t tbs_len, used, list;
	enum part got =
	    front_read(first.p, first.len, &c, &tbs_len, &used, &list, e);
	if (got == PART_BAD)
		return e->code;
	if (got == PART_SHORT || tbs_len != length ||
	    length - used - list > last.len)
		return crl_malformed(e);
	size_t tail = length - used - list;
	TRY(tail_read(bytes_of(last.p + last.len - tail, tail), &c, e));
	*out = c;
	return ERR_OK;
}
