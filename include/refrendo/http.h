/*
 * http - HTTP/1.1 bytes to a request or a refusal, and an answer to bytes.
 *
 * Pure: no sockets, no clock.  The parser is llhttp or http-parser, which
 * only one file knows; what either would let through is refused before it
 * sees a byte (CONVENTIONS 5.2), so both give the same answers.  Used by
 * front, status and cli.
 */
#ifndef REFRENDO_HTTP_H
#define REFRENDO_HTTP_H

#include <refrendo/base.h>

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH,
	HTTP_DELETE, HTTP_METHODS };
const char *http_method_name(enum http_method m);

#define HTTP_FIELDS_MAX 48

/* Every limit with the status that its excess is answered with. */
struct http_limits {
	size_t line_max;  /* request line, octets; 414 */
	size_t head_max;  /* whole header block, octets; 431 */
	size_t field_max; /* fields, at most HTTP_FIELDS_MAX; 431 */
	size_t body_max;  /* octets; 413 */
};
extern const struct http_limits http_limits_api;    /* 1 MiB bodies */
extern const struct http_limits http_limits_status; /* 16 KiB bodies */

struct http_field {
	struct bytes name, value;
};

/* Borrows from the input. */
struct http_request {
	enum http_method method;
	struct bytes path;  /* "/ocsp/MFEw…", as sent, never decoded */
	struct bytes query; /* after '?', or empty */
	struct bytes host;
	int minor; /* HTTP/1.minor */
	bool keep_alive;
	struct http_field field[HTTP_FIELDS_MAX];
	size_t n_field;
	struct bytes body;
};

/*
 * http_parse - the request at the front of in.
 *
 * *used      its octets; 0 when more must be read first.
 * *status    on refusal the status to answer with before closing: 400, 405,
 *            411, 413, 414, 431, 501, 505.
 *
 * ERR_INVALID "http-…".
 */
MUST_CHECK enum err_code http_parse(struct bytes in,
    const struct http_limits *limits, struct http_request *out, size_t *used,
    int *status, struct err *e);
/* Value of a field by name, any case; false if absent. */
bool http_find(const struct http_request *r, const char *name,
    struct bytes *value);
/* %XX decoded; ERR_INVALID "http-percent". '+' is left alone. */
MUST_CHECK enum err_code http_percent_decode(
    struct bytes text, struct buf *out, struct err *e);
/* The value of name in a query, still encoded; false if absent. */
bool http_query(struct bytes query, const char *name, struct bytes *value);

const char *http_reason(int status);
/* "Tue, 24 Nov 2026 10:00:00 GMT" and NUL (RFC 9110 5.6.7). */
#define HTTP_DATE 30
void http_date(char out[HTTP_DATE], int64_t t);

/*
 * http_answer - status line, Date, Content-Type, Content-Length, Connection
 * and the body.
 *
 * extra      further header lines, each with CR LF; may be "".
 */
void http_answer(struct buf *out, int status, int64_t now, bool keep_alive,
    const char *content_type, const char *extra, struct bytes body,
    bool head_only);

/* HTTP status of an error category: the one table. */
int http_status_of(enum err_code code);
/* RFC 9457 problem document with id, detail (say), where and rule. */
void http_problem(struct buf *out, const struct err *e, int status);

/*
 * http_reply - a client's side: the reply at the front of in.
 *
 * *used      0 when more must be read.  Content-Length is required.
 * ERR_INVALID "http-reply".
 */
struct http_reply {
	int status;
	struct bytes content_type, body;
};
MUST_CHECK enum err_code http_reply_parse(struct bytes in, size_t body_max,
    struct http_reply *out, size_t *used, struct err *e);

#endif
