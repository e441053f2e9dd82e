/*
 * request - http_parse(): one header scan, our own judgement, the library's
 * second opinion, and the body by its length.  Nothing is allocated.
 */
#include <stdio.h>
#include <string.h>

#include "scan.h"

const struct http_limits http_limits_api = {
	.line_max = 8192,
	.head_max = 16384,
	.field_max = HTTP_FIELDS_MAX,
	.body_max = 1u << 20,
};
const struct http_limits http_limits_status = {
	.line_max = 4096,
	.head_max = 8192,
	.field_max = HTTP_FIELDS_MAX,
	.body_max = 16384,
};

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",
	[HTTP_DELETE] = "DELETE",
};

const char *
http_method_name(enum http_method m)
{
	if (m >= HTTP_METHODS)
		fatal("http_method_name: no such method");
	return method_names[m];
}

struct start_line {
	struct bytes method, target, version;
};

static bool
split_start(struct bytes line, struct start_line *out)
{
	const uint8_t *end = line.p + line.len;
	const uint8_t *a = memchr(line.p, ' ', line.len);
	if (a == NULL)
		return false;
	const uint8_t *b = memchr(a + 1, ' ', (size_t)(end - a - 1));
	if (b == NULL)
		return false;
	out->method = bytes_of(line.p, (size_t)(a - line.p));
	out->target = bytes_of(a + 1, (size_t)(b - a - 1));
	out->version = bytes_of(b + 1, (size_t)(end - b - 1));
	return out->method.len > 0 && out->target.len > 0 &&
	       char_all(out->method, CH_TOKEN);
}

static bool
is_version(struct bytes v)
{
	return v.len == 8 && memcmp(v.p, "HTTP/", 5) == 0 && v.p[5] >= '0' &&
	       v.p[5] <= '9' && v.p[6] == '.' && v.p[7] >= '0' && v.p[7] <= '9';
}

static enum err_code
read_start(struct bytes line, struct start_line *s, int *minor, int *status,
    struct err *e)
{
	if (!split_start(line, s) || !is_version(s->version))
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-request-line", "RFC 9112 3",
			NOWHERE,
			"the first line is not METHOD TARGET HTTP/1.1 with "
			"one space between them"));
	*minor = s->version.p[7] - '0';
	if (s->version.p[5] == '1' && *minor <= 1)
		return ERR_OK;
	char version[16];
	snprintf(version, sizeof(version), "%.*s", BYTES_FMT(s->version));
	/* For HTTP/1.2 this differs from RFC 9110 2.5: nobody speaks it. */
	return refuse(status, 505,
	    err_at(e, ERR_INVALID, "http-version", "RFC 9110 15.6.6", NOWHERE,
		"the request speaks %s; write HTTP/1.1 or HTTP/1.0", version));
}

static enum err_code
read_method(struct bytes name, enum http_method *out, int *status,
    struct err *e)
{
	static const char *const others[] = { "CONNECT", "OPTIONS", "TRACE" };
	for (size_t m = 0; m < HTTP_METHODS; m++) {
		if (bytes_is(name, method_names[m])) {
			*out = (enum http_method)m;
			return ERR_OK;
		}
	}
	char text[24];
	snprintf(text, sizeof(text), "%.*s", name.len > 20 ? 20 : (int)name.len,
	    (const char *)name.p);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (bytes_is(name, others[i]))
			return refuse(status, 405,
			    err_at(e, ERR_INVALID, "http-method",
				"RFC 9110 15.5.6", NOWHERE,
				"the method %s is not served here", text));
	return refuse(status, 501,
	    err_at(e, ERR_INVALID, "http-method-unknown", "RFC 9110 15.6.2",
		NOWHERE,
		"the method %s is not known here; methods are written in "
		"capitals",
		text));
}

/* The part after "http://" of an absolute target, or false. */
static bool
strip_scheme(struct bytes target, struct bytes *rest)
{
	static const char *const schemes[] = { "http://", "https://" };
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i]);
		if (target.len > n &&
		    http_text_is(bytes_of(target.p, n), schemes[i])) {
			*rest = bytes_of(target.p + n, target.len - n);
			return true;
		}
	}
	return false;
}

static enum err_code
bad_target(struct bytes target, int *status, struct err *e)
{
	if (memchr(target.p, '#', target.len) != NULL)
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-fragment", "RFC 9112 3.2",
			NOWHERE,
			"the target has a fragment; a client keeps # and what "
			"follows it to itself"));
	return refuse(status, 400,
	    err_at(e, ERR_INVALID, "http-target", "RFC 9112 3.2", NOWHERE,
		"the target is neither a path nor an http address, or holds "
		"a character to be written as a percent sign and two hex "
		"digits"));
}

/* Splits the target; an absolute one gives the host too (RFC 9112 3.2.2). */
static enum err_code
read_target(struct bytes target, struct http_request *r, int *status,
    struct err *e)
{
	struct bytes rest = target;
	r->host = BYTES_NONE;
	if (!char_all(target, CH_TARGET))
		return bad_target(target, status, e);
	if (target.p[0] != '/') {
		size_t n = 0;
		if (!strip_scheme(target, &rest))
			return bad_target(target, status, e);
		while (n < rest.len && rest.p[n] != '/' && rest.p[n] != '?')
			n++;
		r->host = bytes_of(rest.p, n);
		if (!host_valid(r->host))
			return bad_target(target, status, e);
		rest = bytes_of(rest.p + n, rest.len - n);
	}
	const uint8_t *mark =
	    rest.len == 0 ? NULL : memchr(rest.p, '?', rest.len);
	size_t path = mark == NULL ? rest.len : (size_t)(mark - rest.p);
	r->path = path == 0 ? bytes_str("/") : bytes_of(rest.p, path);
	r->query =
	    mark == NULL ? BYTES_NONE : bytes_of(mark + 1, rest.len - path - 1);
	return ERR_OK;
}

/* HTTP/1.0 clients (most OCSP clients) may leave Host out. */
static enum err_code
judge_host(const struct http_framing *f, struct http_request *r, int *status,
    struct err *e)
{
	if (!f->has_host && r->minor >= 1)
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-host-missing", "RFC 9112 3.2",
			at_field("Host"), "HTTP/1.1 needs a Host; send one"));
	if (f->has_host && !host_valid(f->host))
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-host-form", "RFC 9112 3.2",
			at_field("Host"),
			"Host is not one name or address with an optional "
			"port"));
	if (r->host.p == NULL)
		r->host = f->host;
	return ERR_OK;
}

static enum err_code
judge_length(const struct http_framing *f, const struct http_limits *limits,
    int *status, struct err *e)
{
	if (f->length <= limits->body_max)
		return ERR_OK;
	char max[24];
	snprintf(max, sizeof(max), "%zu", limits->body_max);
	return refuse(status, 413,
	    err_at(e, ERR_INVALID, "http-body-large", "RFC 9110 15.5.14",
		at_field("Content-Length"),
		"the body is longer than the %s octets that it may have", max));
}

/* The fields after the first line, by the memo or by reading them. */
static enum err_code
read_fields(struct http_memo *m, struct bytes in,
    const struct http_limits *limits, struct http_request *r, struct head *h,
    struct http_framing *f, int *status, struct err *e)
{
	TRY(framing_of(h, r->minor, f, status, e));
	TRY(judge_host(f, r, status, e));
	TRY(judge_length(f, limits, status, e));
	TRY(framing_agree(h, false, f, status, e));
	if (m != NULL)
		memo_keep(m, in, r->method, r->minor, h, f);
	return ERR_OK;
}

enum err_code
http_parse_memo(struct http_memo *m, struct bytes in,
    const struct http_limits *limits, struct http_request *out, size_t *used,
    int *status, struct err *e)
{
	/* A large part of *out is fields: only those present are written. */
	struct head h = { .field = out->field };
	struct start_line start = { BYTES_NONE, BYTES_NONE, BYTES_NONE };
	struct http_framing f;
	struct err ignored;
	int other;
	*used = 0;
	TRY(head_start(in, limits, &h, status, e));
	if (h.end == 0)
		return ERR_OK;
	bool known =
	    m != NULL &&
	    read_start(h.start, &start, &out->minor, &other, &ignored) ==
		ERR_OK &&
	    read_method(start.method, &out->method, &other, &ignored) ==
		ERR_OK &&
	    memo_find(m, in, out->method, out->minor, limits->head_max, &h, &f);
	if (!known) {
		TRY(head_fields(in, limits, &h, status, e));
		/* Whoever does not speak HTTP hears so after the first line. */
		TRY(read_start(h.start, &start, &out->minor, status, e));
		if (h.end == 0)
			return ERR_OK;
		TRY(read_method(start.method, &out->method, status, e));
	}
	out->n_field = h.n_field;
	TRY(read_target(start.target, out, status, e));
	if (!known)
		TRY(read_fields(m, in, limits, out, &h, &f, status, e));
	else if (out->host.p == NULL)
		out->host = f.host;
	out->keep_alive = f.keep_alive;
	size_t len = (size_t)f.length;
	if (in.len - h.end < len)
		return ERR_OK;
	out->body = bytes_of(in.p + h.end, len);
	*used = h.end + len;
	return ERR_OK;
}

enum err_code
http_parse(struct bytes in, const struct http_limits *limits,
    struct http_request *out, size_t *used, int *status, struct err *e)
{
	return http_parse_memo(NULL, in, limits, out, used, status, e);
}
