/*
 * check - what must hold before an answer is served.  The signer judged it
 * already; this is the other pair of eyes (INCIDENTS rows 50, 53, 56).
 */
#include "internal.h"

#define LIFE_MAX      (10 * DAY) /* BR 4.9.9 */
#define RESPONDER_MAX (30 * DAY)

static bool
has(const struct cert *c, enum pkix_oid oid)
{
	return cert_find_ext(c, oid) != NULL;
}

static bool
is_delegate(const struct cert *c)
{
	static const uint8_t null[] = { DER_NULL, 0x00 };
	const struct cert_ext *nocheck = cert_find_ext(c, OID_EXT_NOCHECK);
	const struct cert_ext *eku = cert_find_ext(c, OID_EXT_EKU);
	if (c->is_ca || c->key_usage != KU_DIGITAL_SIGNATURE)
		return false;
	if (nocheck == NULL ||
	    !bytes_eq(nocheck->value, bytes_of(null, sizeof(null))))
		return false;
	if (eku == NULL || !cert_has_eku(c, OID_EKU_OCSP))
		return false;
	struct der d = der_of(eku->value), list = der_enter(&d, DER_SEQUENCE);
	(void)der_get(&list, DER_OID);
	return der_end(&list) && !has(c, OID_EXT_CRLDP) &&
	       !has(c, OID_EXT_AIA) && !has(c, OID_EXT_SAN);
}

/* Whose signature is it?  That of a responder for this issuer alone. */
static enum err_code
check_responder(const struct ocsp_answer *a, struct bytes want_key_hash,
    const struct cert *issuer, int64_t now, struct verifier *v, struct err *e)
{
	struct cert c;
	uint8_t hash[SHA1_LEN];
	if (a->responder.len == 0)
		return err_at(e, ERR_DENIED, "ocsp-answer-no-responder",
		    "RFC 6960 4.2.2.2", NOWHERE,
		    "the OCSP answer does not carry its responder's "
		    "certificate");
	TRY(cert_parse(a->responder, &c, e));
	if (!is_delegate(&c))
		return err_at(e, ERR_DENIED, "ocsp-answer-delegate",
		    "RFC 6960 4.2.2.2", NOWHERE,
		    "the OCSP answer is signed with a certificate that is not "
		    "a responder's and nothing else");
	if (c.not_after - c.not_before >= RESPONDER_MAX)
		return err_at(e, ERR_DENIED, "ocsp-answer-long-delegate", NULL,
		    NOWHERE,
		    "the responder's certificate is valid for longer than 30 "
		    "days");
	TRY(cert_check_issued(&c, issuer, now, v, e));
	/* The identifier of a certificate's own key: by SHA-1 (RFC 6960). */
	TRY(spki_key_sha1(c.spki, hash, e));
	const struct bytes key = bytes_of(hash, SHA1_LEN);
	if (!bytes_eq(a->key_hash, key) || !bytes_eq(want_key_hash, key))
		return err_at(e, ERR_DENIED, "ocsp-answer-other-responder",
		    "RFC 6960 4.2.2.3", NOWHERE,
		    "the OCSP answer names another responder than the one "
		    "whose certificate it carries");
	return verifier_check(v, c.spki, a->sigalg, a->tbs, a->signature, e);
}

static bool
same_facts(const struct ocsp_single *a, const struct ocsp_single *b)
{
	return bytes_eq(a->id.serial, b->id.serial) && a->state == b->state &&
	       a->revoked_at == b->revoked_at && a->reason == b->reason &&
	       a->this_update == b->this_update &&
	       a->next_update == b->next_update &&
	       a->archive_cutoff == b->archive_cutoff;
}

static enum err_code
check_content(const struct ocsp_answer *a, const struct ocsp_answer_spec *want,
    struct err *e)
{
	const struct ocsp_single *s = a->single;
	bool revoked = want->state == OCSP_REVOKED;
	if (a->n_single != 2 || s[0].id.is_sha256 == s[1].id.is_sha256 ||
	    !same_facts(&s[0], &s[1]))
		return err_at(e, ERR_DENIED, "ocsp-answer-pair", "RFC 9919",
		    NOWHERE,
		    "the OCSP answer does not say the same twice, once by "
		    "SHA-1 and once by SHA-256");
	if (!ocsp_id_matches(&s[0].id, want->issuer) ||
	    !ocsp_id_matches(&s[1].id, want->issuer) ||
	    !bytes_eq(s[0].id.serial, want->serial))
		return err_at(e, ERR_DENIED, "ocsp-answer-other-certificate",
		    "RFC 6960 3.2", NOWHERE,
		    "the OCSP answer speaks of another certificate than the "
		    "one asked for");
	if (s[0].state != want->state ||
	    (revoked && (s[0].revoked_at != want->revoked_at ||
			    s[0].reason != want->reason)))
		return err_at(e, ERR_DENIED, "ocsp-answer-other-state",
		    "RFC 6960 2.2", NOWHERE,
		    "the OCSP answer gives another state than the one on "
		    "record");
	return ERR_OK;
}

static enum err_code
check_times(const struct ocsp_answer *a, int64_t now, struct err *e)
{
	const struct ocsp_single *s = &a->single[0];
	if (s->this_update > now || a->produced_at > now)
		return err_at(e, ERR_DENIED, "ocsp-answer-future",
		    "RFC 6960 4.2.2.1", NOWHERE,
		    "the OCSP answer is dated in the future");
	if (s->next_update <= now)
		return err_at(e, ERR_DENIED, "ocsp-answer-expired",
		    "RFC 6960 4.2.2.1", NOWHERE,
		    "the OCSP answer has passed its nextUpdate");
	if (s->next_update - s->this_update > LIFE_MAX)
		return err_at(e, ERR_DENIED, "ocsp-answer-long", "BR 4.9.9",
		    NOWHERE,
		    "the OCSP answer is valid for longer than 10 days");
	return ERR_OK;
}

enum err_code
ocsp_answer_check(struct bytes der, const struct ocsp_answer_spec *want,
    const struct cert *issuer, int64_t now, struct verifier *v, struct err *e)
{
	struct ocsp_answer a;
	TRY(ocsp_answer_parse(der, &a, e));
	TRY(check_content(&a, want, e));
	TRY(check_times(&a, now, e));
	return check_responder(&a, want->responder_key_hash, issuer, now, v, e);
}
