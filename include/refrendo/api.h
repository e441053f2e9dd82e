/*
 * api - the JSON API over HTTP: one table of routes turns a request into a
 * typed command or query for core, and core's rows into answers.  Both ends
 * of the messages between front and core stand here.
 *
 * Pure: no sockets, no clock.  Used by front (routes, renders) and core
 * (decodes queries, encodes rows).  Decides nothing: core does.
 */
#ifndef REFRENDO_API_H
#define REFRENDO_API_H

#include <refrendo/base.h>
#include <refrendo/ca.h>
#include <refrendo/http.h>

/* --- Messages between front and core ------------------------------------------- */

/*  name           number  cap      body of request -> of answer                  */
#define CORE_MESSAGES(X)                                                       \
	X(CORE_COMMAND, 1, 131072) /* command -> row */                        \
	X(CORE_GET, 2, 512)        /* class, key -> row */                     \
	X(CORE_LIST, 3, 1024)      /* class, prefix, after, limit -> rows */   \
	X(CORE_STATUS, 4, 16)      /* nothing -> JSON object */                \
	X(CORE_EXPORT, 5, 64)      /* first index, size -> next, lines */      \
	X(CORE_SEAL, 6, 16)        /* nothing -> checkpoint note */            \
	X(CORE_CLOSING, 7, 64)     /* size -> CRL lines and checkpoint line */ \
	X(CORE_PROOF, 8, 64)       /* index -> C2SP tlog-proof */              \
	X(CORE_SNAPSHOT, 9, 256)   /* name -> directory */                     \
	X(CORE_EXPLAIN, 10, 256)   /* id of a request -> JSON object */

enum core_message {
#define X(name, number, cap) name = number,
	CORE_MESSAGES(X)
#undef X
};
#define CORE_WHOLE      0x2000 /* of a COMMAND, GET or LIST: rows with blobs */
#define CORE_ANSWER     0x4000
#define CORE_REFUSAL    0x8000 /* body: err_encode() */
#define CORE_ANSWER_MAX (16u << 20)
uint32_t core_cap(uint16_t type); /* for frame_cut() at either end */

#define LIST_MAX 500 /* rows of one answer */

struct query {
	enum core_message what;
	enum row_class class; /* GET, LIST */
	struct bytes key;     /* GET: of the row; LIST: prefix; SNAPSHOT: name;
			   * EXPLAIN: id */
	struct bytes after;   /* LIST: key of the last row seen */
	uint64_t limit;       /* LIST: rows; EXPORT: size of the log */
	uint64_t index;       /* EXPORT, PROOF */
};
void query_encode(const struct query *q, struct buf *out);
/* out borrows from in.  ERR_INVALID "query-form". */
MUST_CHECK enum err_code query_decode(enum core_message what, struct bytes in,
    struct query *out, struct err *e);

/*
 * Rows of an answer, any number of them: key, with its class in the first
 * octet, and value.  rows_get is false after the last and when what is left
 * is no row; reader_end() tells which.
 */
void rows_put(struct buf *out, struct bytes key, struct bytes value);
bool rows_get(struct reader *r, struct bytes *key, struct bytes *value);

/* --- Routes ----------------------------------------------------------------------- */

/* What one HTTP request asks for. */
struct api_call {
	bool is_command;
	struct command command;
	struct query query;
	bool with_blobs; /* ?blobs=1: statements, DER */
	/* The answer is one octet string of the row instead of JSON:
	 * "statement", "certificate", …; NULL: JSON. */
	const char *raw;
	const char *raw_type; /* its media type */
};
/*
 * api_route - by the one table of routes; members of the body are decoded by
 * the table of fields and judged by command_check().
 *
 * uid        of the local peer.
 * out        borrows from r and from the arena.
 * *status    on refusal the HTTP status to answer with: that of the category,
 *            but 405 for a method and 415 for a body that is not JSON.
 *
 * ERR_NOTFOUND "api-path".  ERR_INVALID with where.field: "/run" for a member
 * of the body, "path:rut" for a part of the path, or the name of a header
 * field or parameter: "api-as-twice", "api-body-unexpected",
 * "api-content-type", "api-header-twice", "api-hex", "api-json", "api-key-long",
 * "api-key-missing", "api-member-near", "api-member-size", "api-member-twice",
 * "api-member-type", "api-member-unknown", "api-method", "api-no-object",
 * "api-parameter", "api-parameter-missing", "api-parameter-unknown",
 * "api-snapshot-long", "api-snapshot-name"; and those of command_check() and
 * http_percent_decode().
 */
MUST_CHECK enum err_code api_route(const struct http_request *r, uint32_t uid,
    struct arena *a, struct api_call *out, int *status, struct err *e);
/*
 * api_render - the body for core's answer, appended; content type, a static
 * string, in *type.  Reads only is_command, query.what, query.limit,
 * with_blobs, raw and raw_type of call.
 *
 * ERR_NOTFOUND "api-not-yet": the row has no such statement or certificate.
 * ERR_CORRUPT "api-row-class", "api-row-key", "api-row-missing", or what
 * rec_decode() says; ERR_NOMEM "too-large".
 */
MUST_CHECK enum err_code api_render(const struct api_call *call,
    struct bytes answer, struct buf *body, const char **type, struct err *e);
/* The methods of a path, "GET, HEAD, POST", for the field Allow; "" if it has none. */
void api_allow(struct bytes path, struct buf *out);
/* http_problem() with one more member: args, what fills the sentence, so that
 * a client can say it in another language. */
void api_problem(struct buf *out, const struct err *e, int status);

/* The route of an act, for the client: method and path below /api/v1, with
 * variables in braces named as fields are. */
const char *api_path_of_act(enum ca_act act, enum http_method *method);
/* The whole request of a command: method, path and JSON body; the key goes
 * into the header field Idempotency-Key. */
void api_request_of(const struct command *c, enum http_method *method,
    struct buf *path, struct buf *body);
/* Text as one segment of a path, or as a parameter: percent-encoded. */
void api_put_segment(struct buf *out, struct bytes text);
/* Every route with its fields, as Markdown: doc/api.md. */
void api_reference(struct buf *out);

#endif
