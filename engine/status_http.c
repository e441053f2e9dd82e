#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status_http.h"

#define OCSP_TYPE "application/ocsp-response"

/* --- Rows with their caching data (RFC 9919, RFC 9111) ---------------------- */

static bool
is_known_tag(const struct http_request *r, const char *tag)
{
	struct bytes sent;
	if (!http_find(r, "If-None-Match", &sent))
		return false;
	if (bytes_is(sent, "*"))
		return true;
	/* A list of quoted tags, any of which may carry W/. */
	size_t len = strlen(tag);
	for (size_t i = 0; i + len <= sent.len; i++) {
		if (memcmp(sent.p + i, tag, len) == 0 && i > 0 &&
		    sent.p[i - 1] == '"' && i + len < sent.len &&
		    sent.p[i + len] == '"')
			return true;
	}
	return false;
}

#define FOR_EVER (365 * DAY)

static void
answer_row(struct status_view *s, const struct http_request *r,
    const struct public_row *row, struct bytes body, struct buf *out)
{
	char modified[HTTP_DATE], expires[HTTP_DATE], extra[400];
	int64_t until =
	    row->next_update == 0 ? s->now + FOR_EVER : row->next_update;
	int64_t age = until > s->now ? until - s->now : 0;
	http_date(modified, row->this_update);
	http_date(expires, until);
	snprintf(extra, sizeof(extra),
	    "Last-Modified: %s\r\nExpires: %s\r\nETag: \"%s\"\r\n"
	    "Cache-Control: max-age=%lld, public, no-transform, "
	    "must-revalidate\r\n",
	    modified, expires, row->etag, (long long)age);
	bool is_head = r->method == HTTP_HEAD;
	/* RFC 9110 13.1.2: 304 answers what reads, not a POST. */
	if (r->method != HTTP_POST && is_known_tag(r, row->etag))
		http_answer(out, 304, s->now, r->keep_alive, NULL, extra,
		    BYTES_NONE, is_head);
	else
		http_answer(out, 200, s->now, r->keep_alive, row->type, extra,
		    body, is_head);
}

static void
answer_problem(struct status_view *s, const struct http_request *r, int status,
    const struct err *e, struct buf *out)
{
	struct buf body AUTO_BUF = BUF(4096);
	s->errors++;
	http_problem(&body, e, status);
	http_answer(out, status, s->now, r->keep_alive,
	    "application/problem+json",
	    status == 405 ? "Allow: GET, HEAD, POST\r\n" : "", buf_bytes(&body),
	    r->method == HTTP_HEAD);
}

/* --- OCSP ------------------------------------------------------------------------ */

void
status_ocsp(struct status_view *s, bool keep_alive, bool head_only,
    struct bytes der, struct buf *out)
{
	/* RFC 9919: no no-store on what is authoritative; an error is not. */
	http_answer(out, 200, s->now, keep_alive, OCSP_TYPE,
	    "Cache-Control: no-store\r\n", der, head_only);
}

static bool
ocsp_error(struct status_view *s, const struct http_request *r,
    enum ocsp_error which, struct buf *out)
{
	s->errors++;
	status_ocsp(s, r->keep_alive, r->method == HTTP_HEAD,
	    ocsp_error_answer(which), out);
	return true;
}

/* All CertIDs of a request must name one certificate: what was signed ahead
 * of time answers for one.  Index of its issuer, or -1. */
static int
ocsp_issuer(const struct status_view *s, const struct ocsp_request *q)
{
	for (size_t n = 0; n < s->n_issuer; n++) {
		size_t i = 0;
		while (i < q->n_id &&
		       bytes_eq(q->id[i].serial, q->id[0].serial) &&
		       ocsp_id_matches(&q->id[i], &s->issuer[n]))
			i++;
		if (i == q->n_id)
			return (int)n;
	}
	return -1;
}

static bool
ocsp_answer_der(struct status_view *s, const struct http_request *r,
    struct bytes der, struct buf *out, struct status_unknown *unknown)
{
	struct ocsp_request q;
	struct err e;
	enum err_code code = ocsp_request_parse(der, &q, &e);
	if (code == ERR_NOTFOUND)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	if (code != ERR_OK)
		return ocsp_error(s, r, OCSP_MALFORMED, out);
	int issuer = ocsp_issuer(s, &q);
	if (issuer < 0)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	struct bytes serial = q.id[0].serial;
	if (serial.len <= SERIAL_MAX &&
	    public_get(s->reader, public_ocsp_key(key, (uint8_t)issuer, serial),
		&row)) {
		/* Stale is worse than nothing (INCIDENTS row 53). */
		if (row.next_update <= s->now)
			return ocsp_error(s, r, OCSP_TRY_LATER, out);
		s->answers++;
		answer_row(s, r, &row, row.body, out);
		return true;
	}
	if (serial.len > SERIAL_MAX)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	s->unknown++;
	unknown->issuer = (size_t)issuer;
	unknown->serial_len = serial.len;
	if (serial.len > 0)
		memcpy(unknown->serial, serial.p, serial.len);
	return false;
}

static bool
ocsp_post(struct status_view *s, const struct http_request *r, struct buf *out,
    struct status_unknown *unknown)
{
	struct bytes type;
	struct err e;
	if (http_find(r, "Content-Type", &type) &&
	    bytes_is(type, "application/ocsp-request"))
		return ocsp_answer_der(s, r, r->body, out, unknown);
	err_say(&e, ERR_INVALID, "status-ocsp-type",
	    "an OCSP request has the media type application/ocsp-request");
	answer_problem(s, r, 415, &e, out);
	return true;
}

static bool
ocsp_get(struct status_view *s, const struct http_request *r,
    struct bytes encoded, struct buf *out, struct status_unknown *unknown)
{
	uint8_t der[OCSP_REQUEST_MAX];
	size_t len = sizeof(der);
	struct err e;
	if (ocsp_get_decode(encoded, der, &len, &e) != ERR_OK)
		return ocsp_error(s, r, OCSP_MALFORMED, out);
	return ocsp_answer_der(s, r, bytes_of(der, len), out, unknown);
}

/* --- Files and tiles ------------------------------------------------------------------ */

/* The first width entries of a bundle: each has a 16-bit length before it. */
static struct bytes
bundle_cut(struct bytes bundle, unsigned width)
{
	size_t at = 0;
	for (unsigned i = 0; i < width; i++) {
		if (at + 2 > bundle.len)
			return BYTES_NONE;
		at += 2 + ((size_t)bundle.p[at] << 8 | bundle.p[at + 1]);
	}
	return at <= bundle.len ? bytes_of(bundle.p, at) : BYTES_NONE;
}

/* Tiles are stored whole; a partial one is its beginning. */
static bool
answer_tile(struct status_view *s, const struct http_request *r,
    struct buf *out)
{
	int level;
	uint64_t n;
	unsigned width;
	char name[96], path[112];
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	struct bytes rest = bytes_of(r->path.p + 1, r->path.len - 1);
	if (!tile_path_parse(rest, &level, &n, &width))
		return false;
	tile_path(name, sizeof(name), level < 0 ? 0 : (unsigned)level, n,
	    TILE_WIDTH);
	if (level < 0)
		snprintf(path, sizeof(path), "/tile/entries/%s", name + 7);
	else
		snprintf(path, sizeof(path), "/%s", name);
	if (!public_get(s->reader, public_file_key(key, bytes_str(path)), &row))
		return false;
	struct bytes body =
	    level < 0 ? bundle_cut(row.body, width)
		      : bytes_of(row.body.p, (size_t)width * HASH_LEN);
	if (body.len == 0 || body.len > row.body.len)
		return false;
	snprintf(row.etag + 28, sizeof(row.etag) - 28, "%03x", width);
	answer_row(s, r, &row, body, out);
	return true;
}

static bool
answer_file(struct status_view *s, const struct http_request *r,
    struct buf *out)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	s->files++;
	if (r->path.len > 6 && memcmp(r->path.p, "/tile/", 6) == 0)
		return answer_tile(s, r, out);
	if (r->path.len > PUBLIC_KEY_MAX - 2 ||
	    !public_get(s->reader, public_file_key(key, r->path), &row))
		return false;
	answer_row(s, r, &row, row.body, out);
	return true;
}

static bool
has_prefix(struct bytes path, const char *prefix)
{
	size_t len = strlen(prefix);
	return path.len >= len && memcmp(path.p, prefix, len) == 0;
}

bool
status_answer(struct status_view *s, const struct http_request *r,
    struct buf *out, struct status_unknown *unknown)
{
	struct err e;
	bool is_read = r->method == HTTP_GET || r->method == HTTP_HEAD;
	bool is_ocsp = bytes_is(r->path, "/ocsp") || bytes_is(r->path, "/") ||
		       bytes_is(r->path, "/ocsp/");
	if (r->method == HTTP_POST && is_ocsp)
		return ocsp_post(s, r, out, unknown);
	if (is_read && has_prefix(r->path, "/ocsp/") && !is_ocsp)
		return ocsp_get(s, r, bytes_of(r->path.p + 6, r->path.len - 6),
		    out, unknown);
	if (is_read && answer_file(s, r, out))
		return true;
	if (!is_read) {
		err_say(&e, ERR_INVALID, "status-method",
		    "only GET and HEAD are answered here, and POST at /ocsp");
		answer_problem(s, r, 405, &e, out);
		return true;
	}
	err_say(&e, ERR_NOTFOUND, "status-path",
	    "nothing is published under this path");
	answer_problem(s, r, 404, &e, out);
	return true;
}
