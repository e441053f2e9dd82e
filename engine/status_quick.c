/*
 * status_quick - the way that nearly every request takes: found by its
 * octets, looked up once, and written head and body to where it leaves from.
 * Whatever is out of the ordinary is left to status_http.c and status_ocsp.c.
 */
#include <string.h>

#include "counters.h"
#include "status_http.h"

void
status_issuers(struct status_view *s)
{
	size_t from = s->n_issuer;
	s->n_issuer += public_issuers(s->reader, from, &s->issuer[from],
	    ISSUERS_MAX - from);
	for (size_t i = from; i < s->n_issuer; i++) {
		const struct issuer_id *id = &s->issuer[i].id;
		ocsp_quick_set(&s->quick[i], id);
		places_put(&s->by_key, hash64(bytes_of(id->key_sha1, 20)), i);
		places_put(&s->by_key,
		    hash64(bytes_of(id->key_sha256, SHA256_LEN)), i);
	}
}

/* --- What is asked ------------------------------------------------------------- */

static bool
has_condition(const struct http_request *r)
{
	/* If-Match, If-None-Match, If-Modified-Since, If-Range, … */
	for (size_t i = 0; i < r->n_field; i++) {
		struct bytes name = r->field[i].name;
		if (name.len > 3 && (name.p[0] | 0x20) == 'i' &&
		    (name.p[1] | 0x20) == 'f' && name.p[2] == '-')
			return true;
	}
	return false;
}

/* The DER of a request by GET (decoded into room) or POST; empty if none. */
static struct bytes
request_of(const struct http_request *r, uint8_t *room, size_t size)
{
	struct bytes type;
	struct err e;
	if (r->method == HTTP_POST && bytes_is(r->path, "/ocsp") &&
	    http_find(r, "Content-Type", &type) &&
	    bytes_is(type, "application/ocsp-request"))
		return r->body;
	if (r->method == HTTP_GET && r->path.len > 6 &&
	    memcmp(r->path.p, "/ocsp/", 6) == 0 && !has_condition(r) &&
	    ocsp_get_decode(bytes_of(r->path.p + 6, r->path.len - 6), room,
		&size, &e) == ERR_OK)
		return bytes_of(room, size);
	return BYTES_NONE;
}

static bool
find_issuer(const struct status_view *s, struct bytes der, uint16_t *issuer,
    struct bytes *serial)
{
	struct bytes key_hash;
	size_t at = SIZE_MAX, i;
	if (!ocsp_quick_key(der, &key_hash))
		return false;
	while (places_next(&s->by_key, hash64(key_hash), &at, &i)) {
		if (ocsp_quick(&s->quick[i], der, serial)) {
			*issuer = (uint16_t)i;
			return true;
		}
	}
	return false;
}

/* --- The head --------------------------------------------------------------------- */

struct out {
	uint8_t *p;
};

static void
put(struct out *o, const void *p, size_t len)
{
	memcpy(o->p, p, len);
	o->p += len;
}
#define PUT(o, text) put(o, text, sizeof(text) - 1)

static void
put_number(struct out *o, uint64_t v)
{
	char text[20];
	size_t at = sizeof(text);
	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	put(o, text + at, sizeof(text) - at);
}

static void
put_date(struct out *o, struct http_days *days, int64_t t)
{
	http_date_quick(days, (char *)o->p, t);
	o->p += HTTP_DATE - 1;
}

static void
put_head(struct status_view *s, const struct public_answer *row,
    bool keep_alive, struct out *o)
{
	PUT(o, "HTTP/1.1 200 OK\r\nDate: ");
	put_date(o, &s->days, s->now);
	PUT(o, "\r\nContent-Type: application/ocsp-response"
	       "\r\nContent-Length: ");
	put_number(o, row->len);
	if (keep_alive)
		PUT(o, "\r\nConnection: keep-alive");
	else
		PUT(o, "\r\nConnection: close");
	PUT(o, "\r\nLast-Modified: ");
	put_date(o, &s->days, row->this_update);
	PUT(o, "\r\nExpires: ");
	put_date(o, &s->days, row->next_update);
	PUT(o, "\r\nETag: \"");
	char tag[HEX_LEN(sizeof(row->tag_room))];
	hex_print(tag, bytes_of(row->tag, sizeof(row->tag_room)));
	put(o, tag, sizeof(tag) - 1);
	PUT(o, "\"\r\nCache-Control: max-age=");
	put_number(o, (uint64_t)(row->next_update - s->now));
	PUT(o, ", public, no-transform, must-revalidate\r\n\r\n");
}

bool
status_quick(struct status_view *s, const struct http_request *r,
    uint8_t out[STATUS_QUICK_MAX], size_t *len)
{
	uint8_t room[256];
	uint16_t issuer;
	struct public_answer row;
	struct bytes serial;
	struct bytes der = request_of(r, room, sizeof(room));
	if (der.len == 0 || !find_issuer(s, der, &issuer, &serial))
		return false;
	if (!public_answer(s->reader, issuer, serial, &row) ||
	    row.next_update <= s->now || row.len > STATUS_QUICK_BODY)
		return false;
	count(r->method == HTTP_GET ? COUNT_OCSP_GET : COUNT_OCSP_POST, 1);
	count(COUNT_ANSWER_MAP, 1);
	struct out o = { out };
	put_head(s, &row, r->keep_alive, &o);
	public_answer_put(s->reader, &row, o.p);
	*len = (size_t)(o.p - out) + row.len;
	return true;
}
