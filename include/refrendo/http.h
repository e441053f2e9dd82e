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

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_METHODS
};
const char *http_method_name(enum http_method m);

#define HTTP_FIELDS_MAX 48

/* Every limit with the status that its excess is answered with; it counts
 * what stands before its end, so that the limit itself is allowed. */
struct http_limits {
	size_t line_max;  /* request line, octets; 414 */
	size_t head_max;  /* whole header block, octets; 431 */
	size_t field_max; /* fields, at most HTTP_FIELDS_MAX; 431 */
	size_t body_max;  /* octets; 413 */
};
/* Line 8 KiB, header 16 KiB, body 1 MiB. */
extern const struct http_limits http_limits_api;
/* Line 4 KiB, header 8 KiB, body 16 KiB. */
extern const struct http_limits http_limits_status;

struct http_field {
	struct bytes name, value;
};

/* Borrows from the input. */
struct http_request {
	enum http_method method;
	struct bytes path;  /* "/ocsp/MFEw…", as sent, never decoded */
	struct bytes query; /* after '?', or empty */
	struct bytes host;  /* of an absolute target, else of Host; HTTP/1.0
			    * may leave it empty */
	int minor;          /* HTTP/1.minor, 0 or 1 */
	bool keep_alive;    /* false: answer, close, read nothing more */
	struct http_field field[HTTP_FIELDS_MAX];
	size_t n_field;
	struct bytes body;
};

/*
 * http_parse - the request at the front of in; what follows it is left.
 *
 * limits     head_max is also what a caller must be able to hold at once,
 *            with body_max after it.
 * out        valid only when *used > 0; borrows from in.
 * *used      its octets; 0 when more must be read first.
 * *status    on refusal the status to answer with before closing (untouched
 *            otherwise): 400, 405, 411, 413, 414, 431, 501, 505.
 *
 * A body ends by Content-Length alone; without one it is empty.  Expect and
 * Upgrade are left to the caller, who may ignore both (RFC 9110 10.1.1, 7.8).
 * No allocation; well under a microsecond for a typical OCSP request.
 *
 * ERR_INVALID, with the status: "http-blank", "http-line-end",
 * "http-control", "http-fold", "http-field-name", "http-request-line",
 * "http-target", "http-fragment", "http-host-missing", "http-host-twice",
 * "http-host-form", "http-length-twice", "http-length-form",
 * "http-length-and-coding", "http-coding-old", "http-coding-order",
 * "http-coding-twice", "http-coding-name", "http-disagree" (400); "http-method" (405: the answer
 * needs Allow); "http-chunked" (411); "http-body-large" (413);
 * "http-line-long" (414); "http-head-long", "http-fields-many" (431);
 * "http-method-unknown", "http-coding" (501); "http-version" (505).
 */
MUST_CHECK enum err_code http_parse(struct bytes in,
    const struct http_limits *limits, struct http_request *out, size_t *used,
    int *status, struct err *e);
/*
 * http_memo - header blocks judged lately and found good.  A client repeats
 * its fields octet by octet in every request of a connection, and so do all
 * clients of a kind; what is the same gets the same judgement without a second
 * reading.  Some 60 KiB; nobody can make it hold more or cost more than that.
 *
 * http_parse_memo - as http_parse(), to the same result and the same errors;
 * m may be NULL.  A memo serves one set of limits, and keeps fields of past
 * requests in memory: not for what is secret.
 */
struct http_memo;
struct http_memo *http_memo_new(void); /* NULL: no memory */
void http_memo_free(struct http_memo *m);
MUST_CHECK enum err_code http_parse_memo(struct http_memo *m, struct bytes in,
    const struct http_limits *limits, struct http_request *out, size_t *used,
    int *status, struct err *e);
/* Value of the first field of that name, any case; false if absent. */
bool http_find(const struct http_request *r, const char *name,
    struct bytes *value);
/* %XX decoded and appended; '+' is left alone.  ERR_INVALID "http-percent"
 * (where.byte); ERR_NOMEM "too-large". */
MUST_CHECK enum err_code http_percent_decode(struct bytes text, struct buf *out,
    struct err *e);
/* The first value of name in a query, still encoded, empty without '=';
 * false if absent. */
bool http_query(struct bytes query, const char *name, struct bytes *value);

const char *http_reason(int status); /* "Not Found"; "Unknown" */
/* "Tue, 24 Nov 2026 10:00:00 GMT" and NUL (RFC 9110 5.6.7); t in seconds
 * since 1970, years 0..9999. */
#define HTTP_DATE 30
void http_date(char out[HTTP_DATE], int64_t t);

/*
 * http_date_quick - the same without the NUL, for many times of few days:
 * what is the same all day is kept.  A zeroed cache is empty.
 */
#define HTTP_DAYS 64
struct http_days {
	struct {
		int64_t day;   /* since 1970, plus 1; 0: empty */
		char text[17]; /* "Tue, 24 Nov 2026 " */
	} slot[HTTP_DAYS];
};
void http_date_quick(struct http_days *cache, char out[HTTP_DATE - 1],
    int64_t t);

/*
 * http_answer - appends status line, Date, Content-Type, Content-Length,
 * Connection and the body.  204 and 304 carry neither type, length nor body.
 *
 * content_type  NULL: none.
 * extra      further header lines, each with CR LF; may be "".
 * head_only  the request was HEAD: the length of body, not its octets.
 */
void http_answer(struct buf *out, int status, int64_t now, bool keep_alive,
    const char *content_type, const char *extra, struct bytes body,
    bool head_only);

/* HTTP status of an error category: the one table.  400 invalid, 403
 * forbidden, 422 denied, 404, 409 conflict, 503 busy or out of memory, 500. */
int http_status_of(enum err_code code);
/*
 * http_problem - appends an RFC 9457 problem document: type (about:blank),
 * title (the status's reason), status, detail (say); and, where they are set,
 * id, rule and where {file, line, col, byte, field}.  byte counts from 1.
 */
void http_problem(struct buf *out, const struct err *e, int status);

/*
 * http_reply_parse - a client's side: the reply at the front of in, to
 * anything but HEAD.
 *
 * *used      0 when more must be read.
 * out        valid only when *used > 0; borrows from in.
 *
 * Content-Length is required but for 204 and 304; 1xx and chunked replies
 * are refused, since our servers send none.
 * ERR_INVALID "http-reply", with what was wrong in why.
 */
struct http_reply {
	int status;                      /* 200..599 */
	struct bytes content_type, body; /* empty if absent */
};
MUST_CHECK enum err_code http_reply_parse(struct bytes in, size_t body_max,
    struct http_reply *out, size_t *used, struct err *e);

/* --- A client of anybody's servers -------------------------------------------- */

#define HTTP_URL_MAX  2048
#define HTTP_HOST_MAX 254
struct http_url {
	char host[HTTP_HOST_MAX]; /* name or address; IPv6 without brackets */
	bool is_ipv6;
	char port[6];              /* "80" where the URL has none */
	char target[HTTP_URL_MAX]; /* "/", "/ocsp/MFEw?x=1"; as it stood */
};
/*
 * http_url_parse - an absolute http: URL (RFC 3986, RFC 9110 4.2.1).
 *
 * ERR_INVALID "http-url": not one, longer than HTTP_URL_MAX - 1, with a user,
 * a fragment, a space or anything beyond ASCII; ERR_DENIED "http-url-scheme":
 * another scheme.  Status is signed and served over plain HTTP, so that
 * checking it never needs another certificate first (RFC 5280 8).
 */
MUST_CHECK enum err_code http_url_parse(struct bytes url, struct http_url *out,
    struct err *e);

/*
 * http_response - a response that arrives in pieces, from a server of
 * anybody's: ends by Content-Length, by its last chunk, or by the end of the
 * connection (RFC 9112 6.3).  Interim 1xx responses are skipped.
 *
 * Bounded throughout: 16 KiB of header block, HTTP_FIELDS_MAX fields, 8 interim
 * responses, body_max octets, 4 KiB of trailer.
 */
#define HTTP_FIELD_TEXT 256
struct http_response {
	int status; /* 200..599 */
	int minor;  /* HTTP/1.minor */
	/* The fields that matter here, clipped; "" where absent. */
	char content_type[HTTP_FIELD_TEXT], cache_control[HTTP_FIELD_TEXT],
	    expires[HTTP_FIELD_TEXT], last_modified[HTTP_FIELD_TEXT],
	    date[HTTP_FIELD_TEXT], etag[HTTP_FIELD_TEXT],
	    location[HTTP_FIELD_TEXT], allow[HTTP_FIELD_TEXT];
	struct buf body; /* owned */
	/* What follows is the reader's own. */
	struct buf head;
	int phase, interim;
	bool head_only;
	uint64_t left; /* of the body or of the present chunk */
};
/* head_only: it answers HEAD and has no body, whatever it says. */
void http_response_init(struct http_response *r, size_t body_max,
    bool head_only);
void http_response_fini(struct http_response *r);
/*
 * http_response_feed - the next octets; what follows the response is ignored.
 *
 * ended      the server closed after these.
 * *done      the response is whole.  After that nothing may be fed.
 *
 * ERR_INVALID "http-response-head", "http-response-length" (twice, no number,
 * or beside a coding), "http-response-coding" (any but chunked),
 * "http-response-chunk", "http-response-large" (header or body over its limit),
 * "http-response-cut" (closed before its end); ERR_NOMEM "too-large".
 */
MUST_CHECK enum err_code http_response_feed(struct http_response *r,
    struct bytes in, bool ended, bool *done, struct err *e);
/* max-age of Cache-Control in seconds (RFC 9111 5.2.2.1); -1: none. */
int64_t http_max_age(const char *cache_control);
/* "Tue, 24 Nov 2026 10:00:00 GMT" (RFC 9110 5.6.7), that form alone. */
bool http_date_parse(const char *text, int64_t *out);

#endif
