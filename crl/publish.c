/* publish - may this CRL take the place of the last one (INCIDENTS row 59)? */
#include "internal.h"

const char *
crl_reason_name(int reason)
{
	static const char *const names[] = {
		[CRL_UNSPECIFIED] = "unspecified",
		[CRL_KEY_COMPROMISE] = "keyCompromise",
		[CRL_CA_COMPROMISE] = "cACompromise",
		[CRL_AFFILIATION_CHANGED] = "affiliationChanged",
		[CRL_SUPERSEDED] = "superseded",
		[CRL_CESSATION] = "cessationOfOperation",
		[CRL_HOLD] = "certificateHold",
		[CRL_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
	};
	if (reason < 0 || (size_t)reason >= ARRAY_LEN(names))
		return NULL;
	return names[reason];
}

static enum err_code
check_issuer(const struct crl *c, const struct cert *ca, struct err *e)
{
	if (!bytes_eq(c->issuer, ca->subject))
		return err_at(e, ERR_DENIED, "crl-other-issuer",
		    "RFC 5280 5.1.2.3", NOWHERE,
		    "the CRL's issuer is not byte for byte the name of the CA "
		    "whose place it would take");
	if (!bytes_eq(c->aki, ca->ski))
		return err_at(e, ERR_DENIED, "crl-other-key", "RFC 5280 5.2.1",
		    NOWHERE,
		    "the CRL names another key of its issuer than the CA's");
	if ((ca->key_usage & KU_CRL_SIGN) == 0)
		return err_at(e, ERR_DENIED, "crl-sign-usage",
		    "RFC 5280 4.2.1.3", NOWHERE,
		    "the certificate of this CA does not allow it to sign "
		    "CRLs");
	return ERR_OK;
}

static enum err_code
check_place(const struct crl *c, const struct cert *ca, uint64_t last,
    int64_t now, struct err *e)
{
	TRY(check_issuer(c, ca, e));
	if (c->number <= last)
		return err_at(e, ERR_DENIED, "crl-number", "RFC 5280 5.2.3",
		    NOWHERE,
		    "the CRL's number is not greater than that of the one "
		    "already published");
	if (c->this_update > now)
		return err_at(e, ERR_DENIED, "crl-future", "RFC 5280 5.1.2.4",
		    NOWHERE, "the CRL is dated in the future");
	if (c->next_update <= now)
		return err_at(e, ERR_DENIED, "crl-expired", "RFC 5280 5.1.2.5",
		    NOWHERE, "the CRL has passed its nextUpdate");
	return ERR_OK;
}

enum err_code
crl_check_publish(const struct crl *c, const struct cert *ca, uint64_t last,
    int64_t now, struct verifier *v, struct err *e)
{
	TRY(check_place(c, ca, last, now, e));
	return verifier_check(v, ca->spki, c->sigalg, c->tbs, c->signature, e);
}

enum err_code
crl_check_digest(const struct crl *c, const struct digest_value *tbs,
    const struct cert *ca, uint64_t last, int64_t now, struct verifier *v,
    struct err *e)
{
	TRY(check_place(c, ca, last, now, e));
	return verifier_check_digest(v, ca->spki, c->sigalg, tbs, c->signature,
	    e);
}

int64_t
crl_due_at(int64_t this_update, int64_t next_update, int64_t every)
{
	if (next_update <= this_update)
		return this_update;
	int64_t wait = (next_update - this_update) / 2;
	return this_update + (every > 0 && every < wait ? every : wait);
}
