/*
 * status_http - what status answers to one HTTP request, from what was
 * published.  No sockets: bytes of an answer, or "ask the ocsp-signer".
 */
#ifndef ENGINE_STATUS_HTTP_H
#define ENGINE_STATUS_HTTP_H

#include <refrendo/audit.h>
#include <refrendo/http.h>
#include <refrendo/ocsp.h>
#include <refrendo/policy.h>
#include <refrendo/store.h>

struct status_view {
	struct public_reader *reader;             /* renewed by the caller */
	struct public_issuer issuer[ISSUERS_MAX]; /* by their places */
	struct ocsp_quick quick[ISSUERS_MAX];     /* of each issuer */
	size_t n_issuer;
	struct places by_key; /* the hash of its key, by either algorithm */
	int64_t now;
	struct http_days days;
	/* Out: the body that goes behind what is in out, to be unmapped with
	 * public_file_unmap() once it was sent; empty: out is the answer. */
	struct bytes lent;
};

/*
 * What only a fresh signature answers: a serial of ours that was never
 * published (INCIDENTS row 38), a nonce, several certificates of one issuer.
 */
struct status_question {
	size_t issuer;
	struct {
		uint8_t serial[SERIAL_MAX];
		uint8_t len;
		bool is_sha256;
	} id[OCSP_IDS_MAX];
	size_t n_id;
	uint8_t nonce[128];
	size_t nonce_len; /* 0: none */
	bool is_one;      /* all CertIDs name one certificate */
};

/* The issuers that are published, from the reader: those that were added
 * since, each second. */
void status_issuers(struct status_view *s);
/*
 * status_quick - the answer to what nearly everybody asks: one certificate,
 * by a GET or POST without conditions, whose answer is published and not
 * stale.  The same octets that status_answer() would append, straight into
 * out; *len of them.  False, with nothing done: for status_answer().
 */
#define STATUS_QUICK_BODY 8192 /* longer ones take the longer way */
#define STATUS_QUICK_MAX  (STATUS_QUICK_BODY + 512)
bool status_quick(struct status_view *s, const struct http_request *r,
    uint8_t out[STATUS_QUICK_MAX], size_t *len);
/*
 * status_answer - appends a whole answer to out and returns true; or false
 * when *question has to be asked.
 */
bool status_answer(struct status_view *s, const struct http_request *r,
    struct buf *out, struct status_question *question);
/* An OCSP answer that is not cached: unknown, tryLater and their like.
 * head_only: the client asked with HEAD. */
void status_ocsp(struct status_view *s, bool keep_alive, bool head_only,
    struct bytes der, struct buf *out);

/*
 * status_compose - the body of SIGNER_COMPOSE for a question, from what is
 * published: the SingleResponses asked for as they stand there, unknown for
 * the rest.
 *
 * ERR_BUSY "status-no-responder", "status-stale": an answer that is needed has
 * passed its nextUpdate.
 */
MUST_CHECK enum err_code status_compose(struct status_view *s,
    const struct status_question *q, struct buf *body, struct err *e);
/* The answer that was signed ahead of time; false: there is none for it. */
bool status_published(struct status_view *s, const struct status_question *q,
    struct public_row *row);

/* --- Between status_http.c and status_ocsp.c ------------------------------ */

/* A published row with its caching data, or 304; body is row's, or a part. */
void status_row(struct status_view *s, const struct http_request *r,
    const struct public_row *row, struct bytes body, struct buf *out);
void status_problem(struct status_view *s, const struct http_request *r,
    int status, const struct err *e, struct buf *out);
/* encoded is what follows "/ocsp/".  True and false as status_answer(). */
bool status_ocsp_get(struct status_view *s, const struct http_request *r,
    struct bytes encoded, struct buf *out, struct status_question *question);
bool status_ocsp_post(struct status_view *s, const struct http_request *r,
    struct buf *out, struct status_question *question);

#endif
