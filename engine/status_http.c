/*
 * status_http - which path is answered with what; rows with their caching
 * data; files and tiles.  OCSP is status_ocsp.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "status_http.h"

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

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form that is written today
 * (RFC 9110 5.6.7); the older two are passed over. */
static bool
read_date(struct bytes b, int64_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil c;
	int64_t part[5];
	static const uint8_t at[5] = { 5, 12, 17, 20, 23 };
	if (b.len != 29 || memcmp(b.p + 25, " GMT", 4) != 0)
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!dec_parse(bytes_of(b.p + at[i] + (b.p[at[i]] == '0'),
				   (i == 1 ? 4 : 2) -
				       (size_t)(b.p[at[i]] == '0')),
			&part[i]))
			return false;
	for (c.month = 1; c.month <= 12; c.month++)
		if (memcmp(b.p + 8, months + 3 * (c.month - 1), 3) == 0)
			break;
	c.day = (int)part[0];
	c.year = (int)part[1];
	c.hour = (int)part[2];
	c.minute = (int)part[3];
	c.second = (int)part[4];
	return c.month <= 12 && civil_to_time(&c, out);
}

/*
 * Has the client what is published?  A tag says it better than a date.  Of an
 * OCSP answer a date proves nothing: thisUpdate does not always rise, as when
 * a suspension ends.
 */
static bool
is_known(const struct http_request *r, const struct public_row *row)
{
	struct bytes sent;
	int64_t since;
	if (http_find(r, "If-None-Match", &sent))
		return is_known_tag(r, row->etag);
	return strcmp(row->type, "application/ocsp-response") != 0 &&
	       http_find(r, "If-Modified-Since", &sent) &&
	       read_date(sent, &since) && row->this_update <= since;
}

#define FOR_EVER (365 * DAY)

/* Tiles never change; a certificate under the name of a CA may, once. */
static int64_t
fresh_until(const struct public_row *row, int64_t now)
{
	if (row->next_update != 0)
		return row->next_update;
	bool is_certificate = strcmp(row->type, "application/pkix-cert") == 0 ||
			      strcmp(row->type, "application/pkcs7-mime") == 0;
	return now + (is_certificate ? DAY : FOR_EVER);
}

void
status_row(struct status_view *s, const struct http_request *r,
    const struct public_row *row, struct bytes body, struct buf *out)
{
	char modified[HTTP_DATE], expires[HTTP_DATE], extra[400];
	int64_t until = fresh_until(row, s->now);
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
	if (r->method != HTTP_POST && is_known(r, row)) {
		if (s->lent.len > 0)
			public_file_unmap(s->lent);
		s->lent = BYTES_NONE;
		count(COUNT_NOT_MODIFIED, 1);
		http_answer(out, 304, s->now, r->keep_alive, NULL, extra,
		    BYTES_NONE, is_head);
	} else
		http_answer(out, 200, s->now, r->keep_alive, row->type, extra,
		    body, is_head || s->lent.len > 0);
	if (is_head && s->lent.len > 0) {
		public_file_unmap(s->lent);
		s->lent = BYTES_NONE;
	}
}

void
status_problem(struct status_view *s, const struct http_request *r, int status,
    const struct err *e, struct buf *out)
{
	struct buf body AUTO_BUF = BUF(4096);
	count(status < 500 ? COUNT_HTTP_4XX : COUNT_HTTP_5XX, 1);
	http_problem(&body, e, status);
	http_answer(out, status, s->now, r->keep_alive,
	    "application/problem+json",
	    status == 405 ? "Allow: GET, HEAD, POST\r\n" : "", buf_bytes(&body),
	    r->method == HTTP_HEAD);
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

static bool
has_prefix(struct bytes path, const char *prefix)
{
	size_t len = strlen(prefix);
	return path.len >= len && memcmp(path.p, prefix, len) == 0;
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
	status_row(s, r, &row, body, out);
	return true;
}

static bool
answer_file(struct status_view *s, const struct http_request *r,
    struct buf *out)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	if (has_prefix(r->path, "/tile/")) {
		count(COUNT_TILE, 1);
		return answer_tile(s, r, out);
	}
	count(has_prefix(r->path, "/crl/") ? COUNT_CRL : COUNT_FILE, 1);
	if (r->path.len > PUBLIC_KEY_MAX - 2 ||
	    !public_get(s->reader, public_file_key(key, r->path), &row))
		return false;
	if (row.file[0] == '\0') {
		status_row(s, r, &row, row.body, out);
		return true;
	}
	struct err e;
	if (public_file_map(s->reader, &row, &s->lent, &e) == ERR_OK)
		status_row(s, r, &row, s->lent, out);
	else {
		log_err("status-file", &e);
		(void)err_say(&e, ERR_BUSY, "status-replaced",
		    "this was replaced a moment ago; ask again");
		status_problem(s, r, 503, &e, out);
	}
	return true;
}

bool
status_answer(struct status_view *s, const struct http_request *r,
    struct buf *out, struct status_question *question)
{
	struct err e;
	bool is_read = r->method == HTTP_GET || r->method == HTTP_HEAD;
	bool is_ocsp = bytes_is(r->path, "/ocsp") || bytes_is(r->path, "/") ||
		       bytes_is(r->path, "/ocsp/");
	if (r->method == HTTP_POST && is_ocsp) {
		count(COUNT_OCSP_POST, 1);
		return status_ocsp_post(s, r, out, question);
	}
	if (is_read && has_prefix(r->path, "/ocsp/") && !is_ocsp) {
		count(COUNT_OCSP_GET, 1);
		return status_ocsp_get(s, r,
		    bytes_of(r->path.p + 6, r->path.len - 6), out, question);
	}
	if (is_read && answer_file(s, r, out))
		return true;
	if (!is_read) {
		count(COUNT_OTHER, 1);
		err_say(&e, ERR_INVALID, "status-method",
		    "only GET and HEAD are answered here, and POST at /ocsp");
		status_problem(s, r, 405, &e, out);
		return true;
	}
	err_say(&e, ERR_NOTFOUND, "status-path",
	    "nothing is published under this path");
	status_problem(s, r, 404, &e, out);
	return true;
}
