#include "inner.h"

/* Renewals under a mandate: which one serves, for which certificate and key. */

/* All who signed it are ministers still, and none of them asks or holds. */
static enum err_code
ministers_must_be_in_force(struct deed *d, const struct mandate *m,
    struct err *e)
{
	struct bytes after = BYTES_NONE;
	struct appointment ap;
	struct consent one;
	bool found, are;

	for (;;) {
		TRY(consent_next(d->v, m->id, d->a, &after, &one, &found, e));
		if (!found)
			break;
		TRY(three_persons(one.officer, m->holder_run, d->run, e));
	}
	TRY(mandate_ministers(d, m, &ap, &are, e));
	if (are)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "mandate-frozen",
	    "the appointment %s of a minister who signed the mandate %s is not "
	    "in force any more; another minister must sign a new one",
	    arena_str(d->a, ap.id), arena_str(d->a, m->id));
}

static enum err_code
mandate_may(struct deed *d, const struct mandate *m,
    const struct certificate *old, const struct policy *p, struct err *e)
{
	enum mandate_state to;
	struct person person;

	if (!bytes_eq(m->holder_run, old->holder_run) ||
	    !bytes_eq(m->institution, old->institution) ||
	    !bytes_eq(m->policy, old->policy) ||
	    !bytes_eq(m->issuer, old->issuer))
		return err_say(e, ERR_DENIED, "mandate-other",
		    "the mandate %s is for another person, institution, policy "
		    "or CA than the certificate",
		    arena_str(d->a, m->id));
	TRY(mandate_next(mandate_state_at(m, d->now), MV_RENEW, &to, e));
	TRY(mandate_issuer_issues(d, m->issuer, e));
	if (p->renewal == RENEWAL_FRESH ||
	    !bytes_eq(m->policy_sha256, bytes_of(p->sha256, SHA256_LEN)))
		return err_say(e, ERR_DENIED, "mandate-policy-changed",
		    "the policy %s changed since the mandate %s was signed; "
		    "renew with an endorsement, and have a new one signed",
		    arena_str(d->a, m->policy), arena_str(d->a, m->id));
	if (m->used >= m->renewals)
		return err_say(e, ERR_CONFLICT, "mandate-used-up",
		    "the mandate %s allowed %s renewals, and all were made",
		    arena_str(d->a, m->id),
		    arena_printf(d->a, "%lld", (long long)m->renewals));
	if (m->signatures < endorsements_needed(d->ca, m->needed) ||
	    m->until - m->proposed > d->ca->ceilings->mandate_max_s)
		return err_say(e, ERR_CONFLICT, "mandate-ceilings",
		    "the ceilings allow the mandate %s no more: they ask for "
		    "more ministers or a shorter one; have a new one signed",
		    arena_str(d->a, m->id));
	TRY(person_get(d->v, m->institution, m->holder_run, d->a, &person, e));
	if (!bytes_eq(m->holder_office, person.office) ||
	    !bytes_eq(m->holder_name, person.name))
		return err_say(e, ERR_CONFLICT, "mandate-office",
		    "name or office of the holder changed since the mandate "
		    "%s was signed; renew with an endorsement, and have a new "
		    "one signed",
		    arena_str(d->a, m->id));
	return ministers_must_be_in_force(d, m, e);
}

/* With the key of the certificate that is renewed, over the new one. */
static enum err_code
take_proof(struct issue *s, const struct certificate *old,
    struct bytes spki_sha256, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct deed *d = s->d;
	struct certificate c = *old;
	struct cms cms;

	if (field(d, CF_CMS).len == 0)
		return err_at(e, ERR_DENIED, "mandate-proof", NULL,
		    at_field("cms"),
		    "under the mandate %s a new key comes with a signature by "
		    "the key of the certificate that is renewed; add it, or "
		    "renew with an endorsement",
		    arena_str(d->a, s->mandate.id));
	TRY(certificate_load(d->v, &c, d->a, e));
	TRY(cms_parse(field(d, CF_CMS), &scratch, &cms, e));
	if (!bytes_eq(cms.signer.der, c.certificate))
		return err_at(e, ERR_FORBIDDEN, "mandate-proof-other", NULL,
		    at_field("cms"),
		    "the new key was signed for with another certificate than "
		    "the one that is renewed; sign with that one");
	TRY(rekey_print(s->mandate.id, old->tbs_sha256, spki_sha256, &text, e));
	TRY(cms_verify(&cms, buf_bytes(&text), d->ca->verifier, e));
	s->proof = arena_copy(d->a, cms.der);
	return ERR_OK;
}

/* The minister signed for no key in particular: it stays, or the mandate lets
 * another follow that it signs for itself. */
static enum err_code
key_may_be(struct issue *s, const struct certificate *old, struct err *e)
{
	const struct mandate *m = &s->mandate;
	uint8_t hash[SHA256_LEN];

	sha256(hash, s->csr.spki);
	bool same = bytes_eq(old->spki_sha256, bytes_of(hash, sizeof(hash)));
	if (m->rekey_sha256.len == 0 && !same)
		return err_at(e, ERR_DENIED, "mandate-key", NULL,
		    at_field("csr"),
		    "a renewal under a mandate keeps the key of the "
		    "certificate; leave the request for a new one out, or "
		    "renew with an endorsement");
	if (m->rekey_sha256.len > 0 &&
	    !bytes_eq(m->rekey_sha256, old->spki_sha256))
		return err_say(e, ERR_CONFLICT, "mandate-key-followed",
		    "the mandate %s goes on from another key than that of "
		    "this certificate; renew the one made by it last",
		    arena_str(s->d->a, m->id));
	return same ? ERR_OK
		    : take_proof(s, old, bytes_of(hash, sizeof(hash)), e);
}

/* Without one a minister endorses the renewal. */
static enum err_code
one_that_may(struct issue *s, const struct certificate *old,
    const struct policy *p, struct err *e)
{
	struct deed *d = s->d;
	struct err no;
	bool found;

	TRY(mandate_find(d, old->institution, old->holder_run, old->policy,
	    &s->mandate, &found, e));
	/* Near its end it would only cut the life that the old one has. */
	if (!found || s->mandate.until <= old->not_after)
		return ERR_OK;
	enum err_code code = mandate_may(d, &s->mandate, old, p, &no);
	if (code == ERR_OK)
		code = key_may_be(s, old, &no);
	s->by_mandate = code == ERR_OK;
	if (code == ERR_OK || code == ERR_DENIED || code == ERR_CONFLICT ||
	    code == ERR_FORBIDDEN)
		return ERR_OK;
	*e = no;
	return code;
}

/* As long as a renewal may live by it; what a person asks may be less. */
static void
clip_life(struct issue *s, const struct policy *p)
{
	struct request *r = &s->req;
	int64_t left = s->mandate.until - s->d->now;

	if (r->asked_s == 0)
		r->asked_s = p->default_s;
	if (r->asked_s > s->mandate.life_s)
		r->asked_s = s->mandate.life_s;
	if (r->asked_s > left)
		r->asked_s = left;
}

enum err_code
mandate_choose(struct issue *s, const struct certificate *old,
    const struct policy *p, struct err *e)
{
	struct deed *d = s->d;
	struct bytes id = field(d, CF_MANDATE);

	if (id.len == 0 && field(d, CF_CMS).len > 0)
		return err_at(e, ERR_INVALID, "mandate-proof-alone", NULL,
		    at_field("mandate"),
		    "the key of the certificate signed for a new one under a "
		    "mandate; name that mandate");
	if (id.len > 0) {
		TRY(mandate_get(d->v, id, d->a, &s->mandate, e));
		TRY(mandate_may(d, &s->mandate, old, p, e));
		TRY(key_may_be(s, old, e));
		s->by_mandate = true;
	} else if (p->renewal != RENEWAL_FRESH) {
		TRY(one_that_may(s, old, p, e));
	}
	if (s->by_mandate) {
		s->req.mandate = s->mandate.id;
		clip_life(s, p);
	}
	return ERR_OK;
}

enum err_code
mandate_must_fit(struct issue *s, bool *again, struct err *e)
{
	struct deed *d = s->d;
	struct cert cert;

	*again = false;
	if (!s->by_mandate)
		return ERR_OK;
	TRY(cert_parse_own(s->req.container, &cert, e));
	if (bytes_eq(mandate_profile(d->a, &cert), s->mandate.profile_sha256) &&
	    cert.not_after <= s->mandate.until)
		return ERR_OK;
	if (field(d, CF_MANDATE).len > 0)
		return err_say(e, ERR_DENIED, "mandate-profile",
		    "the certificate would differ from the one that the "
		    "mandate %s was signed for in more than its key and time; "
		    "renew it with an endorsement",
		    arena_str(d->a, s->mandate.id));
	s->by_mandate = false;
	s->req.mandate = BYTES_NONE;
	s->req.asked_s = 0;
	if (field(d, CF_VALIDITY).len > 0)
		(void)!duration_parse(field(d, CF_VALIDITY), &s->req.asked_s);
	*again = true;
	return ERR_OK;
}
