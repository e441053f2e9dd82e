/*
 * judge_container - what every certificate must fulfil, whoever it is for:
 * its form, that it is of the CA that is asked, and that its serial is fresh.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

enum err_code
signer_issuer(struct signer *s, struct bytes name, struct authority **out,
    struct err *e)
{
	TRY(cas_authority(s, name, out, e));
	for (size_t i = 0; *out == NULL && i < s->n_issuer; i++)
		*out = bytes_is(name, s->issuer[i]->name) ? s->issuer[i] : NULL;
	if (*out != NULL && !signer_key_ended(s, *out))
		return ERR_OK;
	if (*out != NULL)
		return cas_destroyed((*out)->name, e);
	char shown[POLICY_NAME_MAX + 1] = "";
	if (name.len < sizeof(shown) && ascii_printable(name))
		memcpy(shown, name.p, name.len);
	return err_say(e, ERR_NOTFOUND, "signer-issuer",
	    "the signer has no issuing CA with the name \"%s\"", shown);
}

struct bytes
signer_hash(struct signer *s, struct bytes b)
{
	uint8_t *hash = arena_get(s->arena, SHA256_LEN);
	hasher_sha256(s->hasher, hash, b);
	return bytes_of(hash, SHA256_LEN);
}

struct bytes
signer_hash_of(struct signer *s, struct bytes a, struct bytes b)
{
	uint8_t *both = arena_get(s->arena, a.len + b.len);
	memcpy(both, a.p, a.len);
	memcpy(both + a.len, b.p, b.len);
	return signer_hash(s, bytes_of(both, a.len + b.len));
}

enum err_code
signer_fresh(const struct signer *s, struct bytes origin, int64_t issued,
    int64_t expires, int64_t life_max, int64_t now, struct err *e)
{
	char when[TIME_TEXT];
	if (!bytes_is(origin, s->origin))
		return err_say(e, ERR_DENIED, "signer-statement-origin",
		    "the statement was made for another installation");
	if (issued > now + SKEW)
		return err_say(e, ERR_DENIED, "signer-statement-future",
		    "the statement is dated in the future; check the clocks");
	if (now > expires) {
		time_print(when, expires);
		return err_say(e, ERR_DENIED, "signer-statement-expired",
		    "the statement could be used until %s; ask for a new "
		    "signature",
		    when);
	}
	if (expires - issued > life_max)
		return err_say(e, ERR_DENIED, "signer-statement-life",
		    "the statement is valid for longer than the ceiling of "
		    "the signer allows");
	return ERR_OK;
}

enum err_code
signer_people(struct signer *s, struct bytes list, struct bytes statement,
    who_fn who, void *ctx, int64_t need, struct bytes *hash, struct err *e)
{
	const char *seen[OFFICERS_MAX], *run = NULL;
	struct bytes item, one;
	char have[24], want[24];
	int64_t people = 0;
	*hash = BYTES_NONE;
	while (signer_next(&list, &item)) {
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct cms cms;
		bool again = false;
		TRY(cms_parse(item, &scratch, &cms, e));
		TRY(who(s, ctx, &cms, &run, e));
		TRY(cms_verify(&cms, statement, s->theirs, e));
		for (int64_t i = 0; i < people; i++)
			again = again || strcmp(seen[i], run) == 0;
		if (!again)
			seen[people++] = run;
		one = signer_hash(s, cms.signer.der);
		*hash = hash->len == 0 ? one : signer_hash_of(s, *hash, one);
	}
	if (people >= need)
		return ERR_OK;
	snprintf(have, sizeof(have), "%lld", (long long)people);
	snprintf(want, sizeof(want), "%lld", (long long)need);
	return err_say(e, ERR_FORBIDDEN, "signer-quorum",
	    "the statement was signed by %s people who may sign it, where %s "
	    "are needed",
	    have, want);
}

/* --- Form -------------------------------------------------------------------- */

/* Deltas, if it names any, are those of the list that it names. */
static enum err_code
check_deltas(const struct signer *s, const struct authority *by,
    const struct cert *c, int64_t partition, struct err *e)
{
	char deltas[CRL_URL_MAX];
	struct bytes at;
	crl_url(deltas, s->public_url, by->name, partition, true);
	if (cert_find_ext(c, OID_EXT_FRESHEST) == NULL ||
	    (cert_one_point(c, OID_EXT_FRESHEST, &at) && bytes_is(at, deltas)))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "signer-freshest", "RFC 5280 4.2.1.15",
	    at_field("freshestCRL"),
	    "the certificate names deltas that are not those of its own CRL "
	    "of the CA %s; public_url must be the same for core and signer",
	    by->name);
}

/* A holder's status is asked where this CA publishes it, and nowhere else: who
 * could choose the place could choose the answer. */
static enum err_code
check_places(const struct signer *s, const struct authority *by,
    const struct cert *c, struct err *e)
{
	char crl[CRL_URL_MAX], ocsp[CRL_URL_MAX], ca[CRL_URL_MAX];
	struct bytes at, any;
	int64_t partition = 0;
	crl_url(crl, s->public_url, by->name, 0, false);
	ocsp_url(ocsp, s->public_url);
	issuer_url(ca, s->public_url, by->name);
	if (!cert_one_point(c, OID_EXT_CRLDP, &at) ||
	    (!bytes_is(at, crl) &&
		!crl_url_partition(at, s->public_url, by->name, &partition)))
		return err_at(e, ERR_DENIED, "signer-crl-place",
		    "RFC 5280 4.2.1.13", at_field("cRLDistributionPoints"),
		    "the certificate does not name the CRL of the CA %s, and "
		    "that alone; public_url must be the same for core and "
		    "signer",
		    by->name);
	if (cert_urls(c, OID_EXT_AIA, &any) != 2 ||
	    !bytes_is(cert_aia_url(c, OID_AD_OCSP), ocsp) ||
	    !bytes_is(cert_aia_url(c, OID_AD_CA_ISSUERS), ca))
		return err_at(e, ERR_DENIED, "signer-aia-place",
		    "RFC 5280 4.2.2.1", at_field("authorityInfoAccess"),
		    "the certificate does not name the OCSP service and the "
		    "certificate of the CA %s, and these alone; public_url "
		    "must be the same for core and signer",
		    by->name);
	return check_deltas(s, by, c, partition, e);
}

/* Private extensions: those of the ceilings, critical just as these say. */
static enum err_code
check_private(const struct ceilings *top, struct cert *c, struct err *e)
{
	char oid[64];
	for (size_t i = 0; i < top->n_extension; i++)
		cert_declare(c, oid_bytes(&top->extension[i].oid),
		    top->extension[i].critical);
	for (size_t i = 0; i < c->n_ext; i++) {
		if (c->ext[i].declared || !ext_is_private(c->ext[i].oid))
			continue;
		oid_print(oid, sizeof(oid), c->ext[i].oid);
		return err_at(e, ERR_DENIED, "signer-extension", "RFC 5280 4.2",
		    at_field("extensions"),
		    "the ceilings of the signer do not allow the extension "
		    "%s, or not with that criticality",
		    oid);
	}
	return ERR_OK;
}

/* What a certificate states of its own quality binds whoever signs it. */
static enum err_code
check_statements(const struct cert *c, bool allowed, struct err *e)
{
	if (allowed || cert_find_ext(c, OID_EXT_QC) == NULL)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "signer-qc-statements",
	    "ETSI EN 319 412-5 4.1", at_field("qcStatements"),
	    "the certificate makes statements of a qualified certificate, "
	    "which the ceilings of the signer do not allow");
}

enum err_code
signer_container(const struct signer *s, const struct authority *by,
    struct bytes container, enum lint_kind kind, struct cert *out,
    enum key_type *key, struct err *e)
{
	bool holder = kind == LINT_HOLDER;
	struct lint found;
	TRY(holder ? cert_parse_own(container, out, e)
		   : cert_parse(container, out, e));
	TRY(cert_check_names_issuer(out, &by->cert, key_type(by->key), by->name,
	    e));
	if (holder)
		TRY(check_private(&s->ceilings, out, e));
	TRY(check_statements(out, holder && s->ceilings.qc_statements, e));
	/* Before the lint, which has one sentence for all that may be wrong. */
	TRY(spki_check(out->spki, key, e));
	/* CA:FALSE, exact extensions, purposes, serial: pkix/lint_rules.c. */
	cert_lint(out, kind, LINT_ALL, &found);
	TRY(lint_verdict(&found, e));
	return holder ? check_places(s, by, out, e) : ERR_OK;
}

/* --- Serial ------------------------------------------------------------------------ */

enum err_code
signer_serial(struct signer *s, const struct cert *c, struct bytes tbs_sha256,
    struct bytes statement_sha256, struct job *job, bool *again, bool *done,
    struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(2 * RECORD_MAX);
	struct record old;
	uint64_t signature;
	*done = false;
	TRY(state_serial(&s->state, s->journal, c->serial, &scratch, &old,
	    &signature, again, e));
	if (!*again)
		return ERR_OK;
	if (!bytes_eq(old.digest, tbs_sha256))
		return err_at(e, ERR_CONFLICT, "signer-serial-used",
		    "RFC 5280 4.1.2.2", NOWHERE,
		    "this serial was already used for another certificate");
	/* The same certificate after a crash: its signature, not a second. */
	if (!bytes_eq(old.statement, statement_sha256))
		return err_say(e, ERR_CONFLICT, "signer-statement-other",
		    "this certificate was already signed under another "
		    "statement");
	job->record = old.at;
	job->again = true;
	*done = signature != 0;
	return ERR_OK;
}

enum err_code
signer_keep(struct signer *s, struct record *r, struct job *job, struct err *e)
{
	TRY(journal_add(s->journal, r, e));
	enum err_code code = state_apply(&s->state, r, e);
	/* A record that the memory does not have would let its serial pass a
	 * second time. */
	if (code != ERR_OK)
		journal_give_up(s->journal);
	job->record = r->at;
	return code;
}
