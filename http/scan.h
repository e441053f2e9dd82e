/*
 * The first reading of a header block: lines, octet classes and counts, with
 * nothing forgiven (CONVENTIONS 5.2).
 */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <refrendo/http.h>

struct head {
	struct bytes start; /* first line, without CR LF */
	struct bytes block; /* from the first line to the empty one, both in */
	struct http_field *field; /* the caller's, HTTP_FIELDS_MAX of them */
	size_t n_field;
	size_t end; /* octets of input up to the body; 0: more must be read */
};

enum char_class {
	CH_VALUE = 1u << 0,  /* field content, RFC 9110 5.5 */
	CH_TOKEN = 1u << 1,  /* RFC 9110 5.6.2 */
	CH_TARGET = 1u << 2, /* RFC 3986 2, without '#' */
	CH_HOST = 1u << 3,   /* in a name or address, without "[:]" */
};
bool char_all(struct bytes text, enum char_class of);

/* head_start alone reads the first line: out->start empty means more must be
 * read, out->end is then 0, else where the fields begin. */
MUST_CHECK enum err_code head_start(struct bytes in,
    const struct http_limits *limits, struct head *out, int *status,
    struct err *e);
MUST_CHECK enum err_code head_fields(struct bytes in,
    const struct http_limits *limits, struct head *out, int *status,
    struct err *e);
/* Both.  Refusals carry the status to answer with. */
MUST_CHECK enum err_code head_scan(struct bytes in,
    const struct http_limits *limits, struct head *out, int *status,
    struct err *e);

/* Text equal to word (in lower case), whatever its case. */
bool http_text_is(struct bytes text, const char *word);
/* Sets the status of a refusal and passes its code on. */
enum err_code refuse(int *status, int with, enum err_code code);

/* How a message says where its body ends, and whether more may follow. */
struct http_framing {
	bool has_host, has_length, close, keep_alive;
	struct bytes host;
	uint64_t length; /* UINT64_MAX: more than 64 bits can say */
};
MUST_CHECK enum err_code framing_of(const struct head *h, int minor,
    struct http_framing *out, int *status, struct err *e);
/* The library's reading of the same block must be the same. */
MUST_CHECK enum err_code framing_agree(const struct head *h, bool is_reply,
    struct http_framing *f, int *status, struct err *e);
bool host_valid(struct bytes host);

/*
 * memo.c: fields that follow a first line with this method and version.
 * memo_find fills h, whose start was read, and f, or is false; memo_keep takes
 * what was found good in every way.
 */
bool memo_find(struct http_memo *m, struct bytes in, enum http_method method,
    int minor, size_t head_max, struct head *h, struct http_framing *f);
void memo_keep(struct http_memo *m, struct bytes in, enum http_method method,
    int minor, const struct head *h, const struct http_framing *f);

#endif
