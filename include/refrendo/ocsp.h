/*
 * ocsp - requests read in place, answers built from parts, and when an
 * answer is due for renewal (RFC 6960, RFC 9919, RFC 9654).
 *
 * Pure.  Used by core (builds), ocsp-signer (judges and signs), status
 * (parses requests), cli and audit (read answers).  An answer is signed
 * ahead of time and names its certificate by SHA-1 and by SHA-256 in two
 * SingleResponses, so that one signature serves every client.
 */
#ifndef REFRENDO_OCSP_H
#define REFRENDO_OCSP_H

#include <refrendo/base.h>
#include <refrendo/pkix.h>

#define OCSP_REQUEST_MAX 4096
#define OCSP_IDS_MAX     16
#define OCSP_ANSWER_MAX  4096
#define OCSP_GET_MAX     1024 /* octets of base64 in a path */

struct ocsp_certid {
	bool is_sha256; /* else SHA-1 */
	struct bytes name_hash, key_hash;
	struct bytes serial; /* magnitude, without sign octet */
};

/* Borrows from the request. */
struct ocsp_request {
	struct ocsp_certid id[OCSP_IDS_MAX];
	size_t n_id;
	bool has_nonce;
	struct bytes nonce; /* content, 1..128 octets */
};

/*
 * ocsp_request_parse - one walk in place, no allocation.  Requestor name and
 * signature are skipped; an unknown critical extension is refused.
 *
 * ERR_INVALID "ocsp-…": answered malformedRequest.  A CertID with another
 * hash is ERR_NOTFOUND "ocsp-hash": answered unauthorized.
 */
MUST_CHECK enum err_code ocsp_request_parse(
    struct bytes der, struct ocsp_request *out, struct err *e);
/* Does this CertID name a certificate of that issuer? */
bool ocsp_id_matches(const struct ocsp_certid *id, const struct issuer_id *ca);
/*
 * The request in the path of a GET (RFC 6960 A.1): percent-encoded base64,
 * lower- or upper-case hex, with or without final '='.
 * *len in: room in out; out: octets.  ERR_INVALID "ocsp-get".
 */
MUST_CHECK enum err_code ocsp_get_decode(
    struct bytes path, uint8_t *out, size_t *len, struct err *e);

/* responseStatus without bytes: whole OCSPResponse of 5 octets, static. */
enum ocsp_error { OCSP_MALFORMED = 1, OCSP_INTERNAL = 2, OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6 };
struct bytes ocsp_error_answer(enum ocsp_error which);

enum ocsp_state { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_answer_spec {
	const struct issuer_id *issuer;
	struct bytes serial; /* magnitude */
	struct bytes responder_key_hash; /* 20 octets, SHA-1 of the key bits */
	enum ocsp_state state;
	int64_t revoked_at;
	int reason; /* RFC 5280 5.3.1; 0 is encoded by omission */
	int64_t produced_at, this_update, next_update;
	struct bytes nonce; /* echoed, 1..128 octets; empty: none */
};
/* ResponseData (the signed part). About 3 us: no OpenSSL objects. */
MUST_CHECK enum err_code ocsp_tbs_build(
    const struct ocsp_answer_spec *spec, struct buf *tbs, struct err *e);
/* OCSPResponse around a signed ResponseData; responder is its certificate. */
MUST_CHECK enum err_code ocsp_assemble(struct bytes tbs, struct bytes sigalg,
    struct bytes signature, struct bytes responder, struct buf *out,
    struct err *e);

/* An answer, or its ResponseData alone, read in place. */
struct ocsp_single {
	struct ocsp_certid id;
	enum ocsp_state state;
	int64_t revoked_at;
	int reason;
	int64_t this_update, next_update;
};
#define OCSP_SINGLES_MAX 4
struct ocsp_answer {
	struct bytes tbs, sigalg, signature, responder; /* empty for a TBS */
	struct bytes key_hash; /* ResponderID by key */
	struct bytes nonce;    /* empty: none */
	int64_t produced_at;
	struct ocsp_single single[OCSP_SINGLES_MAX];
	size_t n_single;
};
MUST_CHECK enum err_code ocsp_tbs_parse(
    struct bytes tbs, struct ocsp_answer *out, struct err *e);
MUST_CHECK enum err_code ocsp_answer_parse(
    struct bytes der, struct ocsp_answer *out, struct err *e);
/*
 * ocsp_answer_check - what must hold before an answer is served: signature
 * by the delegated responder, that certificate's profile and issuer, serial,
 * state, both SingleResponses alike, this_update not in the future, validity
 * within 10 days (INCIDENTS rows 50, 53, 56).
 */
MUST_CHECK enum err_code ocsp_answer_check(struct bytes der,
    const struct ocsp_answer_spec *want, const struct cert *issuer,
    int64_t now, struct verifier *v, struct err *e);

/* When to sign anew: this_update + percent of the life. */
int64_t ocsp_refresh_at(
    int64_t this_update, int64_t next_update, int percent);

#endif
