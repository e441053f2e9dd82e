/*
 * crl - certificate revocation lists: built from a cursor, read in place,
 * numbered (RFC 5280 5).
 *
 * Pure.  One function builds every CRL.  Used by core (builds), signer
 * (judges and signs), status and cli (read), audit (compares).
 */
#ifndef REFRENDO_CRL_H
#define REFRENDO_CRL_H

#include <refrendo/base.h>
#include <refrendo/pkix.h>

#define CRL_MAX_BYTES (32u << 20)

/* RFC 5280 5.3.1; 7 does not exist. */
enum crl_reason {
	CRL_UNSPECIFIED = 0,
	CRL_KEY_COMPROMISE = 1,
	CRL_CA_COMPROMISE = 2,
	CRL_AFFILIATION_CHANGED = 3,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION = 5,
	CRL_HOLD = 6,
	CRL_PRIVILEGE_WITHDRAWN = 9
};
const char *crl_reason_name(int reason); /* "keyCompromise", or NULL */

struct crl_entry {
	struct bytes serial;   /* magnitude, 1..20 octets, first not zero */
	int64_t revoked_at;    /* seconds since 1970, not negative */
	int reason;            /* 0 is encoded by omission */
	int64_t invalid_since; /* invalidityDate; 0: none */
};

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

struct crl_spec {
	struct bytes issuer;       /* Name, copied byte for byte */
	struct bytes issuer_ski;   /* AKI, 1..32 octets */
	enum key_type issuer_type; /* decides the signature algorithm */
	uint64_t number; /* begin at 1: crl_check_publish() wants more than 0 */
	int64_t this_update, next_update;
};
/*
 * crl_build_tbs - appends TBSCertList (RFC 5280 5.1.2): a full CRL of version
 * 2 with AKI and cRLNumber; lengths first, then one pass; no list when it is
 * empty.  Memory is that of the list, which is written once.
 *
 * On a refusal tbs may hold part of a list: throw it away.
 * ERR_INVALID "crl-spec", "crl-spec-times"; ERR_CORRUPT "crl-entry-serial",
 * "crl-entry-order", "crl-entry-reason", "crl-entry-time", "crl-source" (the
 * passes differ); ERR_DENIED "crl-too-large"; ERR_NOMEM; what source raises.
 */
MUST_CHECK enum err_code crl_build_tbs(const struct crl_spec *spec,
    const struct crl_source *source, struct buf *tbs, struct err *e);

/* A CRL read in place; signature empty when only the TBS was given. */
struct crl {
	struct bytes der, tbs, sigalg, signature;
	struct bytes issuer, aki;
	uint64_t number;
	int64_t this_update, next_update;
	struct bytes entries; /* content of revokedCertificates, or empty */
};
/*
 * crl_parse, crl_tbs_parse - as strictly as we write them; every entry is
 * judged too: order, reason, times, extensions.  Nothing is verified; *out
 * borrows and is valid on ERR_OK only.  A delta or partitioned CRL is refused
 * for now, by its critical extension.
 *
 * ERR_INVALID "crl-form", "crl-next-update", "crl-empty-list",
 * "crl-extensions", "crl-entry" and "crl-order" (where.byte),
 * "crl-algorithms", "crl-too-long", "signed-form", "der-…".
 */
MUST_CHECK enum err_code crl_parse(struct bytes der, struct crl *out,
    struct err *e);
MUST_CHECK enum err_code crl_tbs_parse(struct bytes tbs, struct crl *out,
    struct err *e);
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

/* When the next one is due: at half-life, or after every seconds if that is
 * sooner (0: no such period). */
int64_t crl_due_at(int64_t this_update, int64_t next_update, int64_t every);

#endif
