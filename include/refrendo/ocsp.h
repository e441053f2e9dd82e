/*
 * ocsp - requests read in place, answers built from parts, and when an
 * answer is due for renewal (RFC 6960, RFC 9919, RFC 9654).
 *
 * Pure.  Used by core (builds), ocsp-signer (judges and signs), status
 * (parses requests), cli and audit (read answers).  An answer is signed
 * ahead of time and names its certificate by SHA-1 and by SHA-256 in two
 * SingleResponses, so that one signature serves every client.  One that is
 * composed for a client, with its nonce or about several certificates, is made
 * of SingleResponses of such answers, octet for octet.
 */
#ifndef REFRENDO_OCSP_H
#define REFRENDO_OCSP_H

#include <refrendo/base.h>
#include <refrendo/pkix.h>

#define OCSP_REQUEST_MAX 4096
#define OCSP_IDS_MAX     16
/* By ML-DSA-87, under a CA of ML-DSA-87, about 16 certificates. */
#define OCSP_ANSWER_MAX 20480
#define OCSP_GET_MAX    1024 /* octets of base64 in a path */

struct ocsp_certid {
	bool is_sha256;                   /* else SHA-1 */
	struct bytes name_hash, key_hash; /* 20 or 32 octets each */
	struct bytes serial; /* magnitude, without sign octet; 1..20 octets */
};

/* Borrows from the request. */
struct ocsp_request {
	struct ocsp_certid id[OCSP_IDS_MAX];
	size_t n_id; /* at least 1; the same certificate may be there twice */
	bool has_nonce;
	struct bytes nonce; /* content, 1..128 octets */
};

/*
 * ocsp_request_parse - one walk in place, no allocation (RFC 6960 4.1).
 *
 * der        at most OCSP_REQUEST_MAX octets, borrowed by *out.
 * out        valid on ERR_OK only.
 *
 * Requestor name and signature are skipped, as are acceptable responses and
 * preferred algorithms: there is one kind of answer and one algorithm.  Other
 * extensions are skipped unless they are critical.  Strict DER, but a written
 * default is let pass.
 *
 * ERR_INVALID, answered malformedRequest: "ocsp-too-large", "ocsp-form",
 * "ocsp-version", "ocsp-empty", "ocsp-too-many", "ocsp-hash-length",
 * "ocsp-serial", "ocsp-nonce" (0 or more than 128 octets, twice, or no OCTET
 * STRING: RFC 9654 2.1), "ocsp-critical", and "der-…" with where.byte.
 * ERR_NOTFOUND "ocsp-hash", answered unauthorized: neither SHA-1 nor SHA-256.
 */
MUST_CHECK enum err_code ocsp_request_parse(struct bytes der,
    struct ocsp_request *out, struct err *e);
/* Does this CertID name a certificate of that issuer? */
bool ocsp_id_matches(const struct ocsp_certid *id, const struct issuer_id *ca);
/*
 * ocsp_quick - for the request that nearly every client sends: one CertID by
 * SHA-1 or SHA-256, no extension, no name, no signature.  True: it asks for a
 * certificate of that CA, and ocsp_request_parse() and ocsp_id_matches() would
 * say so too; *serial borrows from der.  False says nothing.
 */
#define OCSP_QUICK_FORMS 4
struct ocsp_quick {
	struct {
		uint8_t der[96]; /* CertID up to the serial's length */
		size_t len;
	} form[OCSP_QUICK_FORMS];
};
void ocsp_quick_set(struct ocsp_quick *q, const struct issuer_id *ca);
/* issuerKeyHash, where such a request has it; of others, any octets or none. */
bool ocsp_quick_key(struct bytes der, struct bytes *key_hash);
bool ocsp_quick(const struct ocsp_quick *q, struct bytes der,
    struct bytes *serial);
/*
 * ocsp_get_decode - the request in the path of a GET (RFC 6960 A.1):
 * base64, percent-encoded as much or as little as the client likes, lower- or
 * upper-case hex, with or without final '=', after any number of slashes.
 *
 * path       what follows the responder's own path.
 * len        in: room in out; out: octets.
 *
 * ERR_INVALID "ocsp-get": not that, empty, longer than OCSP_GET_MAX
 * characters of base64, or than the room.
 */
MUST_CHECK enum err_code ocsp_get_decode(struct bytes path, uint8_t *out,
    size_t *len, struct err *e);

/* How clients name a certificate: SHA-1; SHA-256 with NULL parameters, as
 * OpenSSL and most others write it; without, as RFC 5754 2 prefers. */
enum ocsp_form { OCSP_FORM_SHA1, OCSP_FORM_SHA256, OCSP_FORM_SHA256_BARE };
#define OCSP_FORMS    3
#define OCSP_GET_PATH 161 /* octets of the longest, with its NUL */
/*
 * ocsp_get_path - what such a client puts after the responder's path when it
 * asks by GET for one certificate and nothing else (RFC 6960 A.1): base64
 * with its padding, before any percent-encoding.  At most 160 octets.
 *
 * serial     magnitude, 1..20 octets.
 *
 * ERR_INVALID "ocsp-serial".
 */
MUST_CHECK enum err_code ocsp_get_path(const struct issuer_id *issuer,
    struct bytes serial, enum ocsp_form form, char out[OCSP_GET_PATH],
    struct err *e);

/* responseStatus without bytes: whole OCSPResponse of 5 octets, static.
 * Unsigned: not to be cached. */
enum ocsp_error {
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL = 2,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6
};
struct bytes ocsp_error_answer(enum ocsp_error which);

enum ocsp_state { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_answer_spec {
	const struct issuer_id *issuer;
	struct bytes serial;             /* magnitude, 1..20 octets */
	struct bytes responder_key_hash; /* 20 octets, SHA-1 of the key bits */
	enum ocsp_state state;
	int64_t revoked_at; /* with OCSP_REVOKED only, as is reason */
	int reason; /* RFC 5280 5.3.1: 0..6, 9; 0 is encoded by omission */
	int64_t produced_at, this_update, next_update; /* seconds since 1970 */
	/* Status is kept since then, also of what has expired; 0: not said
	 * (RFC 6960 4.4.4). */
	int64_t archive_cutoff;
	/* "revoked" may speak of what was never issued (RFC 6960 4.4.8). */
	bool extended_revoked;
	struct bytes nonce; /* echoed, 1..128 octets; empty: none */
};
/*
 * ocsp_tbs_build - appends ResponseData, the part that gets signed: by key,
 * SHA-1 first and SHA-256 second, nextUpdate always.  About 3 us: no OpenSSL
 * objects.
 *
 * ERR_INVALID "ocsp-spec", "ocsp-reason", "ocsp-times"; ERR_NOMEM
 * "too-large", "der-full".
 */
MUST_CHECK enum err_code ocsp_tbs_build(const struct ocsp_answer_spec *spec,
    struct buf *tbs, struct err *e);
/*
 * ocsp_single_build - appends one SingleResponse, by one hash.  Of spec its
 * issuer to reason, this_update, next_update and archive_cutoff are read.
 *
 * ERR_INVALID as above; ERR_NOMEM "too-large".
 */
MUST_CHECK enum err_code ocsp_single_build(const struct ocsp_answer_spec *spec,
    bool is_sha256, struct buf *out, struct err *e);
/* An answer made of SingleResponses that are there already. */
struct ocsp_composed {
	struct bytes singles;            /* one after the other, at least one */
	struct bytes responder_key_hash; /* 20 octets */
	int64_t produced_at;
	bool extended_revoked;
	struct bytes nonce; /* empty: none */
};
/* Appends ResponseData.  ERR_INVALID "ocsp-spec"; ERR_NOMEM. */
MUST_CHECK enum err_code ocsp_tbs_compose(const struct ocsp_composed *c,
    struct buf *tbs, struct err *e);
/*
 * ocsp_assemble - appends the OCSPResponse around a signed ResponseData.
 *
 * sigalg     whole AlgorithmIdentifier.
 * responder  certificate of the delegated responder; empty: left out.
 *
 * ERR_NOMEM "der-full" above OCSP_ANSWER_MAX octets, "too-large".
 */
MUST_CHECK enum err_code ocsp_assemble(struct bytes tbs, struct bytes sigalg,
    struct bytes signature, struct bytes responder, struct buf *out,
    struct err *e);

/* An answer, or its ResponseData alone, read in place. */
struct ocsp_single {
	struct bytes der; /* the whole SingleResponse */
	struct ocsp_certid id;
	enum ocsp_state state;
	int64_t revoked_at; /* 0 unless revoked */
	int reason;         /* 0 when none is given */
	int64_t this_update, next_update;
	int64_t archive_cutoff; /* 0: not said */
};
#define OCSP_SINGLES_MAX OCSP_IDS_MAX
struct ocsp_answer {
	struct bytes tbs, sigalg, signature, responder; /* empty for a TBS */
	struct bytes key_hash;                          /* ResponderID by key */
	struct bytes nonce;                             /* empty: none */
	bool extended_revoked;
	int64_t produced_at;
	struct ocsp_single single[OCSP_SINGLES_MAX];
	size_t n_single; /* at least 1 */
};
/*
 * ocsp_tbs_parse, ocsp_answer_parse - as strictly as we write them: by key,
 * nextUpdate there, at most OCSP_SINGLES_MAX CertIDs, no extension but nonce,
 * extended revoked and archive cutoff, one certificate or none.  Nothing is verified; *out borrows and is
 * valid on ERR_OK only.
 *
 * ERR_INVALID "ocsp-answer-form", "ocsp-answer-by-name", "ocsp-answer-next",
 * "ocsp-answer-large", "ocsp-answer-status" (a refusal, not an answer),
 * "ocsp-hash-length", "ocsp-serial", "der-…"; ERR_NOTFOUND "ocsp-hash".
 */
MUST_CHECK enum err_code ocsp_tbs_parse(struct bytes tbs,
    struct ocsp_answer *out, struct err *e);
MUST_CHECK enum err_code ocsp_answer_parse(struct bytes der,
    struct ocsp_answer *out, struct err *e);
/*
 * ocsp_answer_check - what must hold before an answer is served (INCIDENTS
 * rows 50, 53, 56): signed by a delegated responder of that issuer and of no
 * other, whose certificate is that and nothing else; both SingleResponses
 * alike and about the certificate, state, instant and reason of *want; dated
 * at or before now; valid still, and for 10 days at most.
 *
 * want       issuer, serial, responder_key_hash, state, revoked_at and reason
 *            are compared; its times and nonce are not.
 * issuer     the CA's certificate; want->issuer is its issuer_id.
 *
 * What parsing and the certificate's own check refuse, and ERR_DENIED
 * "ocsp-answer-pair", "ocsp-answer-other-certificate",
 * "ocsp-answer-other-state", "ocsp-answer-future", "ocsp-answer-expired",
 * "ocsp-answer-long", "ocsp-answer-no-responder", "ocsp-answer-delegate",
 * "ocsp-answer-long-delegate", "ocsp-answer-other-responder".
 */
MUST_CHECK enum err_code ocsp_answer_check(struct bytes der,
    const struct ocsp_answer_spec *want, const struct cert *issuer, int64_t now,
    struct verifier *v, struct err *e);

/*
 * Answers that differ in serial number, times and signature alone share one
 * shape: the answer with holes.  Packed, an answer is its serial number, its
 * two dates and some fields, 100 octets in place of 1,000.
 */
#define OCSP_HOLES_MAX  16
#define OCSP_FIELDS_MAX 560 /* RSA 4096, and times; ML-DSA is kept whole */
enum ocsp_hole_kind { OCSP_HOLE_SERIAL, OCSP_HOLE_TIME, OCSP_HOLE_SIGNATURE };
struct ocsp_hole {
	uint16_t at;        /* in the answer */
	uint8_t kind, from; /* from: which of the times */
};
struct ocsp_shape {
	uint16_t len;        /* octets of the answer */
	uint16_t fields_len; /* u32 times beyond the two dates, signature */
	uint8_t serial_len;
	uint8_t n_time, n_hole;
	struct ocsp_hole hole[OCSP_HOLES_MAX];
	uint8_t der[OCSP_ANSWER_MAX]; /* zero in the holes */
};
size_t ocsp_hole_len(const struct ocsp_shape *s, const struct ocsp_hole *h);
/*
 * ocsp_pack - shape and fields of an answer about one certificate; false for
 * one that has none: kept whole then.  Whoever keeps them compares what
 * ocsp_unpack() makes of them with der: signed octets are served or nothing.
 */
bool ocsp_pack(struct bytes der, struct bytes serial, int64_t this_update,
    int64_t next_update, struct ocsp_shape *shape,
    uint8_t fields[OCSP_FIELDS_MAX]);
/* Dates of late, in text; zeroed: empty. */
#define OCSP_DAYS 64
struct ocsp_days {
	struct {
		uint32_t day; /* since 1970, plus 1 */
		uint8_t text[8];
	} slot[OCSP_DAYS];
};
/* Writes s->len octets; serial and fields have the lengths that s says. */
void ocsp_unpack(const struct ocsp_shape *s, struct ocsp_days *days,
    const uint8_t *serial, uint32_t this_update, uint32_t next_update,
    const uint8_t *fields, uint8_t *out);
void ocsp_shape_encode(const struct ocsp_shape *s, struct buf *out);
/* A shape that decodes is safe to fill.  ERR_CORRUPT "ocsp-shape". */
MUST_CHECK enum err_code ocsp_shape_decode(struct bytes in,
    struct ocsp_shape *out, struct err *e);

/* When to sign anew: this_update + percent (0..100) of the life; this_update
 * itself when there is no life or no such percentage. */
int64_t ocsp_refresh_at(int64_t this_update, int64_t next_update, int percent);

/* --- A client of anybody's responder ------------------------------------------ */

/* What is asked: one certificate (RFC 6960 4.1). */
struct ocsp_question {
	const struct issuer_id *issuer;
	struct bytes serial; /* magnitude, 1..20 octets */
	bool is_sha256;      /* CertID; else SHA-1 */
	struct bytes nonce;  /* 0..128 octets; empty: none */
};
/*
 * ocsp_request_build - appends the OCSPRequest.
 * ocsp_get_encode - appends the path of a GET that carries it: a slash and
 * base64 with '+', '/' and '=' percent-encoded (RFC 6960 A.1).
 *
 * ERR_INVALID "ocsp-spec"; ERR_NOMEM "too-large".
 */
MUST_CHECK enum err_code ocsp_request_build(const struct ocsp_question *q,
    struct buf *out, struct err *e);
void ocsp_get_encode(struct bytes request, struct buf *out);

#define OCSP_RESPONSE_MAX 65536
#define OCSP_STATUSES_MAX 256

/*
 * An OCSPResponse of anybody's, read in place: strict DER, but by name or by
 * key, with or without nextUpdate, certificates and extensions.
 */
struct ocsp_response {
	int status; /* responseStatus 0..6; only with 0 is there more */
	struct bytes tbs, sigalg, signature;
	struct bytes certs;           /* Certificates, one after the other */
	struct bytes by_name, by_key; /* whole Name, or 20 octets */
	int64_t produced_at;
	struct bytes statuses; /* SingleResponses, one after the other */
	size_t n_status;
	bool has_nonce;
	struct bytes nonce; /* content; as it came where it has no such form */
};
struct ocsp_status {
	struct bytes hash;                /* OID, content octets */
	struct bytes name_hash, key_hash; /* of the issuer, by that hash */
	struct bytes serial;              /* INTEGER as it came, 1.. octets */
	enum ocsp_state state;
	int64_t revoked_at;     /* 0 unless revoked */
	int reason;             /* CRLReason; -1 when none is given */
	int64_t this_update;    /* seconds since 1970 */
	int64_t next_update;    /* 0: none */
	int64_t archive_cutoff; /* 0: none (RFC 6960 4.4.4) */
};
/*
 * ERR_INVALID "ocsp-response-form", "ocsp-response-large",
 * "ocsp-response-critical" (a critical extension that is not known), "der-…".
 * Nothing is verified; *out borrows.
 */
MUST_CHECK enum err_code ocsp_response_parse(struct bytes der,
    struct ocsp_response *out, struct err *e);
/* Takes the next status off *rest, which begins as r->statuses. */
bool ocsp_response_next(struct bytes *rest, struct ocsp_status *out);
/* "tryLater"; "?" for what RFC 6960 4.2.1 does not name. */
const char *ocsp_status_name(int response_status);

enum ocsp_nonce { OCSP_NONCE_NONE, OCSP_NONCE_ECHOED, OCSP_NONCE_ABSENT };

/* What an answer that may be believed says. */
struct ocsp_verdict {
	struct ocsp_status status;
	bool by_ca;            /* signed by the CA itself */
	struct cert responder; /* else the delegate; borrows from the answer */
	enum ocsp_nonce
	    nonce; /* ABSENT: asked for, not given (RFC 6960 4.4.1) */
};
#define OCSP_SLACK_S 300 /* clocks may differ by this */
/*
 * ocsp_response_check - may a client believe this answer, at now (RFC 6960
 * 3.2): about that certificate, nonce not another's, times, signed by the CA
 * or by a delegate that it issued for that.
 *
 * issuer     the CA that issued the certificate in question.
 * out        valid on ERR_OK only.
 *
 * An answer without nextUpdate is believed for a day from its thisUpdate.
 *
 * ERR_BUSY "ocsp-response-try-later"; ERR_DENIED "ocsp-response-refused" (any
 * other responseStatus), "ocsp-response-other" (another certificate),
 * "ocsp-response-nonce", "ocsp-response-early", "ocsp-response-stale",
 * "ocsp-response-signer" (no certificate of whoever it names),
 * "ocsp-response-delegate" (not a certificate for signing answers); those of
 * cert_parse(), cert_check_issued() and verifier_check().
 */
MUST_CHECK enum err_code ocsp_response_check(const struct ocsp_response *r,
    const struct ocsp_question *q, const struct cert *issuer, int64_t now,
    struct verifier *v, struct ocsp_verdict *out, struct err *e);

#endif
