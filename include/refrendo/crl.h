/*
 * crl - certificate revocation lists: built from a cursor, read in place or
 * as they arrive, numbered (RFC 5280 5).
 *
 * Three kinds, which are told apart by their critical extensions: full (none),
 * of one partition (issuingDistributionPoint with its address), and delta of
 * either (deltaCRLIndicator; the issuingDistributionPoint of what it amends).
 *
 * Pure.  One function builds every CRL.  Used by core (builds), signer
 * (judges and signs), status and cli (read), audit (compares).
 */
#ifndef REFRENDO_CRL_H
#define REFRENDO_CRL_H

#include <refrendo/base.h>
#include <refrendo/pkix.h>

#define CRL_MAX_BYTES (1024u << 20) /* some 19 million entries */
#define CRL_URL_MAX   256

/* RFC 5280 5.3.1; 7 does not exist. */
enum crl_reason {
	CRL_UNSPECIFIED = 0,
	CRL_KEY_COMPROMISE = 1,
	CRL_CA_COMPROMISE = 2,
	CRL_AFFILIATION_CHANGED = 3,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION = 5,
	CRL_HOLD = 6,
	CRL_REMOVE = 8, /* in deltas alone: no longer on hold, or expired */
	CRL_PRIVILEGE_WITHDRAWN = 9
};
const char *crl_reason_name(int reason); /* "keyCompromise", or NULL; 8 is
					    none that a certificate has */

struct crl_entry {
	struct bytes serial;   /* magnitude, 1..20 octets, first not zero */
	int64_t revoked_at;    /* seconds since 1970, not negative */
	int reason;            /* 0 is encoded by omission */
	int64_t invalid_since; /* invalidityDate; 0: none */
};

#define CRL_ENTRY_MAX 128u /* octets of one */
/* crl_entry_print - an entry as a complete list has it; its length in *len.
 *
 * ERR_CORRUPT "crl-entry-serial", "crl-entry-reason", "crl-entry-time".
 */
MUST_CHECK enum err_code crl_entry_print(const struct crl_entry *x,
    uint8_t out[CRL_ENTRY_MAX], size_t *len, struct err *e);

/*
 * Entries in ascending order of serial as bytes_cmp() orders them, which is
 * the order of keys in the store; each once.  Read in two passes that must
 * give the same.
 */
struct crl_source {
	void *ctx;
	/* Back to the first entry. */
	MUST_CHECK enum err_code (*rewind)(void *ctx, struct err *e);
	/* *more is false after the last; entry borrows until the next call. */
	MUST_CHECK enum err_code (*next)(void *ctx, struct crl_entry *entry,
	    bool *more, struct err *e);
};

/* The same, of entries that crl_entry_print() wrote: many at once, one behind
 * the other, and nobody looks at them again. */
struct crl_runs {
	void *ctx;
	MUST_CHECK enum err_code (*rewind)(void *ctx, struct err *e);
	/* At least one entry, or *more is false. */
	MUST_CHECK enum err_code (*next)(void *ctx, struct bytes *run,
	    size_t *entries, bool *more, struct err *e);
};

struct crl_spec {
	struct bytes issuer;       /* Name, copied byte for byte */
	struct bytes issuer_ski;   /* AKI, 1..32 octets */
	enum key_type issuer_type; /* decides the signature algorithm */
	uint64_t number; /* begin at 1: crl_check_publish() wants more than 0 */
	int64_t this_update, next_update;
	struct bytes url; /* of the partition, up to CRL_URL_MAX; empty: full */
	uint64_t base;    /* number that a delta rests on; 0: no delta */
	struct bytes freshest; /* where the deltas are; not in a delta */
};
/*
 * crl_plan - the first pass: judges every entry and adds up lengths, so that
 * crl_write() can give each octet once, in order (RFC 5280 5.1.2).  Version 2,
 * AKI and cRLNumber always; no list when it is empty.
 *
 * ERR_INVALID "crl-spec", "crl-spec-times", "crl-spec-scope"; ERR_CORRUPT
 * "crl-entry-serial", "crl-entry-order", "crl-entry-reason", "crl-entry-time";
 * ERR_DENIED "crl-too-large"; what source raises.
 */
struct crl_plan {
	size_t entries;
	size_t list;   /* octets of all entries */
	size_t length; /* octets of the whole TBSCertList */
};
MUST_CHECK enum err_code crl_plan(const struct crl_spec *spec,
    const struct crl_source *source, struct crl_plan *plan, struct err *e);
MUST_CHECK enum err_code crl_plan_runs(const struct crl_spec *spec,
    const struct crl_runs *runs, struct crl_plan *plan, struct err *e);
/*
 * crl_write - the second pass: TBSCertList in blocks.  put() takes each in
 * order and borrows it until it returns, or keeps it and sets another block of
 * the same size.  Memory is that of the blocks.
 *
 * ERR_CORRUPT "crl-source" (the passes differ), after which nothing of what
 * was put may be used; what source and put raise.
 */
#define CRL_BLOCK_MIN 8192u
struct crl_sink {
	void *ctx;
	MUST_CHECK enum err_code (
	    *put)(void *ctx, struct bytes block, struct err *e);
	uint8_t *block; /* the caller's, of at least CRL_BLOCK_MIN octets */
	size_t size;
};
MUST_CHECK enum err_code crl_write(const struct crl_spec *spec,
    const struct crl_plan *plan, const struct crl_source *source,
    struct crl_sink *sink, struct err *e);
MUST_CHECK enum err_code crl_write_runs(const struct crl_spec *spec,
    const struct crl_plan *plan, const struct crl_runs *runs,
    struct crl_sink *sink, struct err *e);
/* The head of the whole CRL, for who puts TBS, algorithm and signature behind
 * it; 2 to 6 octets. */
size_t crl_head_put(uint8_t out[6], size_t content);
/* Both passes, appended to tbs; on a refusal it may hold part of a list. */
MUST_CHECK enum err_code crl_build_tbs(const struct crl_spec *spec,
    const struct crl_source *source, struct buf *tbs, struct err *e);

/* A CRL read in place; signature empty when only the TBS was given. */
struct crl {
	struct bytes der, tbs, sigalg, signature;
	struct bytes issuer, aki;
	uint64_t number;
	int64_t this_update, next_update;
	struct bytes url;      /* of the partition; empty: full */
	uint64_t base;         /* of a delta; 0: it is none */
	struct bytes freshest; /* where its deltas are, or empty */
	struct bytes entries;  /* content of revokedCertificates, or empty */
};
/*
 * crl_parse, crl_tbs_parse - as strictly as we write them: each extension
 * once, with its criticality, one http address in each; every entry is judged
 * too: order, reason, times, extensions.  Nothing is verified; *out borrows
 * and is valid on ERR_OK only.
 *
 * ERR_INVALID "crl-form", "crl-next-update", "crl-empty-list",
 * "crl-extensions", "crl-entry" and "crl-order" (where.byte),
 * "crl-algorithms", "crl-too-long", "signed-form", "der-…".
 */
MUST_CHECK enum err_code crl_parse(struct bytes der, struct crl *out,
    struct err *e);
MUST_CHECK enum err_code crl_tbs_parse(struct bytes tbs, struct crl *out,
    struct err *e);

/*
 * crl_stream - the same reading of a TBSCertList that arrives in pieces and
 * is never held whole: memory is that of its first and last part.
 *
 * length  octets of the TBS; known once the first of them have arrived.
 * each    called for every entry, in order; may be NULL.  The entry borrows
 *         until it returns.
 *
 * crl_stream_put() takes pieces of any size; after a refusal the stream is of
 * no more use.  crl_stream_end() gives the list without der, tbs, signature
 * and entries; it borrows from the stream.
 */
struct crl_stream;
typedef enum err_code (
    *crl_each)(void *ctx, const struct crl_entry *entry, struct err *e);
MUST_CHECK enum err_code crl_stream_new(crl_each each, void *ctx,
    struct crl_stream **out, struct err *e);
void crl_stream_free(struct crl_stream *s);
OWNED(crl_stream);
MUST_CHECK enum err_code crl_stream_put(struct crl_stream *s,
    struct bytes piece, struct err *e);
MUST_CHECK enum err_code crl_stream_end(struct crl_stream *s, struct crl *out,
    struct err *e);
size_t crl_stream_entries(const struct crl_stream *s);
/*
 * crl_ends_parse - what stands around the entries of a TBS of that length,
 * from its first and its last octets: for who has just written it, and has
 * judged each entry already.  CRL_ENDS_MAX of each are enough for any.
 *
 * Errors as of crl_tbs_parse(); *out has no tbs and no entries, and borrows.
 */
#define CRL_ENDS_MAX 2048u
MUST_CHECK enum err_code crl_ends_parse(struct bytes first, struct bytes last,
    size_t length, struct crl *out, struct err *e);

/* Walks entries of a parsed CRL; start with a zeroed cursor. False at the
 * end. */
struct crl_cursor {
	size_t at;
};
bool crl_next(const struct crl *c, struct crl_cursor *at, struct crl_entry *e);
/* One walk up to the serial: for tools, not for a hot path. */
bool crl_find(const struct crl *c, struct bytes serial, struct crl_entry *out);
/*
 * crl_check_publish - may this CRL take the place of the one with number
 * last (0: none)?  Issuer bytes and key identifier equal, CA allowed to sign
 * CRLs, number greater, this_update not in the future, not expired, signature
 * by that CA (INCIDENTS row 59).
 *
 * ERR_DENIED "crl-other-issuer", "crl-other-key", "crl-sign-usage",
 * "crl-number", "crl-future", "crl-expired"; what verifier_check() refuses.
 */
MUST_CHECK enum err_code crl_check_publish(const struct crl *c,
    const struct cert *ca, uint64_t last, int64_t now, struct verifier *v,
    struct err *e);
/* The same of one whose TBS was hashed as it was written: c->tbs is not read. */
MUST_CHECK enum err_code crl_check_digest(const struct crl *c,
    const struct digest_value *tbs, const struct cert *ca, uint64_t last,
    int64_t now, struct verifier *v, struct err *e);

/*
 * crl_lint - every rule that a CRL breaks, of anyone and however malformed:
 * see cert_lint().  Reads each entry once.
 *
 * now  for what has expired or has not begun: warnings.
 */
void crl_lint(struct bytes der, int64_t now, enum lint_scope scope,
    struct lint *out);
/* The table, for doc/lint-crl.md and tests: row i, or NULL after the last. */
const struct lint_rule *crl_lint_rule(size_t i);

/*
 * crl_path, crl_url - where the CRL of an issuer's partition, or its delta,
 * is published; partition 0 is the full one.  Certificates, extensions and
 * the paths below the public address all come from here:
 * /crl/shared.crl, /crl/shared/7.crl, /crl/shared/delta.crl,
 * /crl/shared/7-delta.crl.
 *
 * public_url  up to 130 octets; issuer a policy's name of an issuing CA.
 */
void crl_path(char out[CRL_URL_MAX], const char *issuer, int64_t partition,
    bool is_delta);
void crl_url(char out[CRL_URL_MAX], const char *public_url, const char *issuer,
    int64_t partition, bool is_delta);
/* Where OCSP is asked, and where an issuer's own certificate is. */
void ocsp_url(char out[CRL_URL_MAX], const char *public_url);
void issuer_url(char out[CRL_URL_MAX], const char *public_url,
    const char *issuer);
/* The partition whose complete CRL has this address; false for any other. */
bool crl_url_partition(struct bytes url, const char *public_url,
    const char *issuer, int64_t *partition);

/* Where the deltas of the complete list at this address are, whatever stands
 * in front of the path; false: it is none of this issuer's. */
bool crl_url_delta(char out[CRL_URL_MAX], struct bytes url, const char *issuer);

/* When the next one is due: at half-life, or after every seconds if that is
 * sooner (0: no such period). */
int64_t crl_due_at(int64_t this_update, int64_t next_update, int64_t every);

/* --- CRLs of anybody's ------------------------------------------------------------ */

/*
 * A CRL that others made, read in place: strict DER, but of version 1 or 2,
 * with or without nextUpdate, number and key identifier, entries in any order
 * and with any extension.
 */
struct crl_any {
	struct bytes der, tbs, sigalg, signature;
	int version;                      /* 1 or 2 */
	struct bytes issuer;              /* whole Name */
	int64_t this_update, next_update; /* 0: no nextUpdate */
	struct bytes aki;                 /* key identifier, or empty */
	struct bytes number;              /* magnitude; empty: none */
	struct bytes base;                /* of a delta; empty: it is none */
	struct bytes idp;                 /* the extension's value, or empty */
	struct bytes url;                 /* first http: address of the IDP */
	bool only_users, only_cas, only_attributes, some_reasons, is_indirect;
	struct bytes freshest; /* first http: address of freshestCRL */
	bool has_unknown_critical;
	struct bytes entries; /* content of revokedCertificates */
	size_t n_entry;
};
struct crl_any_entry {
	struct bytes serial; /* magnitude as bytes_cmp() orders it; 1.. */
	int64_t revoked_at;
	int reason;            /* -1: none */
	int64_t invalid_since; /* 0: none */
	bool has_unknown_critical;
};
/*
 * ERR_INVALID "crl-any-form", "crl-entry" (where.byte), "crl-algorithms",
 * "crl-too-long", "signed-form", "der-…".  Nothing is verified; *out borrows.
 */
MUST_CHECK enum err_code crl_any_parse(struct bytes der, struct crl_any *out,
    struct err *e);
/* Takes the next entry off *rest, which begins as c->entries. */
bool crl_any_next(struct bytes *rest, struct crl_any_entry *out);

#define CRL_SLACK_S 300 /* clocks may differ by this */
/*
 * crl_any_check - may a client believe this list, at now (RFC 5280 6.3.3):
 * issuer, key, its right to sign CRLs, nothing critical that is not known,
 * times, signature.
 *
 * ERR_DENIED "crl-any-issuer", "crl-any-key", "crl-any-usage",
 * "crl-any-critical", "crl-any-indirect", "crl-any-early", "crl-any-stale"
 * (also without nextUpdate a month after thisUpdate); those of
 * verifier_check().
 */
MUST_CHECK enum err_code crl_any_check(const struct crl_any *c,
    const struct cert *ca, int64_t now, struct verifier *v, struct err *e);
/*
 * crl_any_amends - may this delta amend that list: same issuer and scope, base
 * number at most its number, own number greater (RFC 5280 5.2.4).
 *
 * ERR_DENIED "crl-any-no-delta", "crl-any-other-scope", "crl-any-base".
 */
MUST_CHECK enum err_code crl_any_amends(const struct crl_any *delta,
    const struct crl_any *full, struct err *e);

#endif
