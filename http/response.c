/*
 * response - a response of anybody's server, in pieces as they arrive.  Our
 * own always send Content-Length (reply.c); others send chunks, or just close.
 */
#include <stdio.h>
#include <string.h>

#include "scan.h"

#define HEAD_MAX    16384
#define INTERIM_MAX 8
#define CHUNK_LINE  128 /* size and extensions */
#define TRAILER_MAX 4096

enum phase {
	PH_HEAD,
	PH_LENGTH,
	PH_CLOSE,
	PH_CHUNK, /* the line with its size */
	PH_CHUNK_DATA,
	PH_CHUNK_END, /* the CR LF behind it */
	PH_TRAILER,
	PH_DONE
};

static const struct http_limits limits = {
	.line_max = 4096,
	.head_max = HEAD_MAX,
	.field_max = HTTP_FIELDS_MAX,
};

/* What a response says of its body. */
struct coding {
	bool has_length, is_chunked;
	uint64_t length;
};

void
http_response_init(struct http_response *r, size_t body_max, bool head_only)
{
	*r = (struct http_response){ .head_only = head_only,
		.body = BUF(body_max),
		.head = BUF(HEAD_MAX) };
}

void
http_response_fini(struct http_response *r)
{
	buf_fini(&r->body);
	buf_fini(&r->head);
}

/* --- Refusals ------------------------------------------------------------------ */

static enum err_code
bad_head(const char *why, struct err *e)
{
	err_at(e, ERR_INVALID, "http-response-head", "RFC 9112 4", NOWHERE,
	    "the server did not answer in HTTP/1.1");
	return err_why(e, "%s", why);
}

static enum err_code
bad_length(struct err *e)
{
	return err_at(e, ERR_INVALID, "http-response-length", "RFC 9112 6.3",
	    at_field("Content-Length"),
	    "the server does not say clearly how long its answer is");
}

static enum err_code
bad_coding(struct err *e)
{
	return err_at(e, ERR_INVALID, "http-response-coding", "RFC 9112 6.1",
	    at_field("Transfer-Encoding"),
	    "the server sends its answer in a coding that nobody asked for");
}

static enum err_code
bad_chunk(struct err *e)
{
	return err_at(e, ERR_INVALID, "http-response-chunk", "RFC 9112 7.1",
	    NOWHERE, "the chunks of the server's answer are malformed");
}

static enum err_code
too_large(size_t max, struct err *e)
{
	char text[24];
	snprintf(text, sizeof(text), "%zu", max);
	return err_at(e, ERR_INVALID, "http-response-large", NULL, NOWHERE,
	    "the server's answer is longer than the %s octets that are read of "
	    "it",
	    text);
}

static enum err_code
cut(struct err *e)
{
	return err_at(e, ERR_INVALID, "http-response-cut", "RFC 9112 8",
	    NOWHERE,
	    "the server closed the connection before its answer was "
	    "whole");
}

/* --- The header block ------------------------------------------------------------ */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; many leave the reason and even its space out. */
static bool
read_status(struct bytes line, int *minor, int *status)
{
	const uint8_t *p = line.p;
	if (line.len < 12 || memcmp(p, "HTTP/1.", 7) != 0 || !is_digit(p[7]) ||
	    p[8] != ' ')
		return false;
	if (!is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11]) ||
	    (line.len > 12 && p[12] != ' '))
		return false;
	*minor = p[7] - '0';
	*status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	return *status >= 100 && *status <= 599;
}

static enum err_code
read_length(struct bytes value, struct coding *c, struct err *e)
{
	int64_t length;
	if (c->has_length || !dec_parse(value, &length))
		return bad_length(e);
	c->has_length = true;
	c->length = (uint64_t)length;
	return ERR_OK;
}

static enum err_code
read_coding(struct bytes value, struct coding *c, struct err *e)
{
	if (c->is_chunked || !http_text_is(value, "chunked"))
		return bad_coding(e);
	c->is_chunked = true;
	return ERR_OK;
}

static void
keep_field(struct http_response *r, const struct http_field *field)
{
	struct {
		const char *name;
		char *to;
	} const kept[] = {
		{ "content-type", r->content_type },
		{ "cache-control", r->cache_control },
		{ "expires", r->expires },
		{ "last-modified", r->last_modified },
		{ "date", r->date },
		{ "etag", r->etag },
		{ "location", r->location },
		{ "allow", r->allow },
	};
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (http_text_is(field->name, kept[i].name))
			snprintf(kept[i].to, HTTP_FIELD_TEXT, "%.*s",
			    BYTES_FMT(field->value));
	}
}

static enum err_code
read_fields(struct http_response *r, const struct head *h, struct coding *c,
    struct err *e)
{
	for (size_t i = 0; i < h->n_field; i++) {
		const struct http_field *f = &h->field[i];
		if (http_text_is(f->name, "content-length"))
			TRY(read_length(f->value, c, e));
		else if (http_text_is(f->name, "transfer-encoding"))
			TRY(read_coding(f->value, c, e));
		else
			keep_field(r, f);
	}
	/* RFC 9112 6.3: whoever sends both wants two readings of it. */
	return c->has_length && c->is_chunked ? bad_length(e) : ERR_OK;
}

static enum err_code
begin_body(struct http_response *r, const struct coding *c, struct err *e)
{
	if (r->head_only || r->status == 204 || r->status == 304) {
		r->phase = PH_DONE;
		return ERR_OK;
	}
	if (c->is_chunked) {
		r->phase = PH_CHUNK;
		return ERR_OK;
	}
	r->phase = c->has_length ? PH_LENGTH : PH_CLOSE;
	r->left = c->length;
	if (r->left > r->body.max)
		return too_large(r->body.max, e);
	if (c->has_length && r->left == 0)
		r->phase = PH_DONE;
	return ERR_OK;
}

/* Takes of *in what belongs to the header block, once that is whole. */
static enum err_code
take_head(struct http_response *r, struct bytes *in, struct err *e)
{
	struct http_field field[HTTP_FIELDS_MAX];
	struct head h = { .field = field };
	struct coding c = { .length = 0 };
	struct err inner;
	int ignored;
	size_t before = r->head.len;
	size_t room = r->head.max - before;
	buf_put(&r->head, in->p, in->len < room ? in->len : room);
	if (head_scan(buf_bytes(&r->head), &limits, &h, &ignored, &inner) !=
	    ERR_OK)
		return bad_head(inner.id, e);
	if (h.end == 0) {
		if (in->len >= room)
			return too_large(r->head.max, e);
		in->len = 0;
		return ERR_OK;
	}
	if (!read_status(h.start, &r->minor, &r->status))
		return bad_head("status line", e);
	in->p += h.end - before;
	in->len -= h.end - before;
	if (r->status < 200) {
		if (++r->interim > INTERIM_MAX || r->status == 101)
			return bad_head("interim responses", e);
		buf_reset(&r->head);
		return ERR_OK;
	}
	TRY(read_fields(r, &h, &c, e));
	buf_reset(&r->head);
	return begin_body(r, &c, e);
}

/* --- The body ---------------------------------------------------------------------- */

static enum err_code
take_octets(struct http_response *r, struct bytes *in, size_t n, struct err *e)
{
	if (n > r->body.max - r->body.len)
		return too_large(r->body.max, e);
	buf_put(&r->body, in->p, n);
	in->p += n;
	in->len -= n;
	return buf_end(&r->body, e);
}

/* Counted octets, of the whole body or of a chunk. */
static enum err_code
take_counted(struct http_response *r, struct bytes *in, enum phase after,
    struct err *e)
{
	size_t n = in->len < r->left ? in->len : (size_t)r->left;
	TRY(take_octets(r, in, n, e));
	r->left -= n;
	if (r->left == 0)
		r->phase = (int)after;
	return ERR_OK;
}

/*
 * One line of the chunked coding into r->head, without its CR LF; *whole once
 * it is there.  The next one begins with buf_reset().
 */
static enum err_code
take_line(struct http_response *r, struct bytes *in, size_t max, bool *whole,
    struct err *e)
{
	*whole = false;
	while (in->len > 0 && !*whole) {
		uint8_t c = *in->p;
		in->p++;
		in->len--;
		buf_putc(&r->head, c);
		*whole = c == '\n';
		if (r->head.len > max)
			return bad_chunk(e);
	}
	if (!*whole)
		return ERR_OK;
	if (r->head.len < 2 || r->head.p[r->head.len - 2] != '\r')
		return bad_chunk(e);
	r->head.len -= 2;
	return ERR_OK;
}

static int
hex_digit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b" or "1a2b;extension"; extensions are ignored (RFC 9112 7.1.1). */
static bool
read_chunk_size(struct bytes line, uint64_t *out)
{
	size_t n = 0;
	*out = 0;
	while (n < line.len && hex_digit(line.p[n]) >= 0 && n < 8)
		*out = *out << 4 | (uint64_t)hex_digit(line.p[n++]);
	while (n > 0 && n < line.len && (line.p[n] == ' ' || line.p[n] == '\t'))
		n++;
	return n > 0 && (n == line.len || line.p[n] == ';');
}

static enum err_code
take_chunk_line(struct http_response *r, struct bytes *in, struct err *e)
{
	bool whole;
	TRY(take_line(r, in, CHUNK_LINE, &whole, e));
	if (!whole)
		return ERR_OK;
	if (r->phase == PH_CHUNK_END) {
		if (r->head.len != 0)
			return bad_chunk(e);
		r->phase = PH_CHUNK;
		buf_reset(&r->head);
		return ERR_OK;
	}
	if (!read_chunk_size(buf_bytes(&r->head), &r->left))
		return bad_chunk(e);
	if (r->left > r->body.max - r->body.len)
		return too_large(r->body.max, e);
	r->phase = r->left == 0 ? PH_TRAILER : PH_CHUNK_DATA;
	buf_reset(&r->head);
	r->interim = 0;
	return ERR_OK;
}

/* Fields behind the last chunk say nothing that is needed here. */
static enum err_code
take_trailer(struct http_response *r, struct bytes *in, struct err *e)
{
	bool whole;
	TRY(take_line(r, in, TRAILER_MAX, &whole, e));
	if (!whole)
		return ERR_OK;
	if (r->head.len == 0)
		r->phase = PH_DONE;
	else if (++r->interim > HTTP_FIELDS_MAX)
		return bad_chunk(e);
	buf_reset(&r->head);
	return ERR_OK;
}

static enum err_code
take(struct http_response *r, struct bytes *in, struct err *e)
{
	switch ((enum phase)r->phase) {
	case PH_HEAD:
		return take_head(r, in, e);
	case PH_LENGTH:
		return take_counted(r, in, PH_DONE, e);
	case PH_CLOSE:
		return take_octets(r, in, in->len, e);
	case PH_CHUNK:
	case PH_CHUNK_END:
		return take_chunk_line(r, in, e);
	case PH_CHUNK_DATA:
		return take_counted(r, in, PH_CHUNK_END, e);
	case PH_TRAILER:
		return take_trailer(r, in, e);
	case PH_DONE:
		break;
	}
	fatal("http: a response was fed after its end");
}

enum err_code
http_response_feed(struct http_response *r, struct bytes in, bool ended,
    bool *done, struct err *e)
{
	*done = false;
	while (in.len > 0 && r->phase != PH_DONE)
		TRY(take(r, &in, e));
	if (ended && r->phase == PH_CLOSE)
		r->phase = PH_DONE;
	*done = r->phase == PH_DONE;
	return ended && !*done ? cut(e) : ERR_OK;
}
