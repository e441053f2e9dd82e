#include <string.h>

#include "inner.h"

/*
 * Cross-certificates: the root over the key of a CA that is not ours, as far
 * as a policy for CAs lets it go (RFC 5280 3.2).  Subject and key identifier
 * are those that the CA signs under already.
 */

/* What is certified, whichever file says it. */
struct foreign {
	struct bytes subject, spki, ski, der;
	enum key_type type;
	int64_t not_after; /* NEVER: of a request */
};

/* A request proves that who asks has the key. */
static enum err_code
take_request(struct deed *d, struct foreign *out, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct csr csr;

	TRY(csr_parse(field(d, CF_CSR), &scratch, &csr, e));
	TRY(csr_prove(&csr, d->ca->verifier, e));
	struct der info = der_of(csr.info);
	struct der in = der_enter(&info, DER_SEQUENCE);
	(void)der_element(&in); /* the version */
	out->subject = arena_copy(d->a, der_element(&in));
	out->der = arena_copy(d->a, csr.der);
	out->spki = arena_copy(d->a, csr.spki);
	out->type = csr.type;
	out->not_after = NEVER;
	return ERR_OK;
}

/* So does a certificate that its own key signed; of another one its issuer
 * was shown it. */
static enum err_code
take_certificate(struct deed *d, struct foreign *out, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert c;

	TRY(pem_or_der(field(d, CF_CERTIFICATE), "CERTIFICATE", &der, e));
	TRY(cert_parse(arena_copy(d->a, buf_bytes(&der)), &c, e));
	TRY(spki_check(c.spki, &out->type, e));
	if (!c.is_ca ||
	    (c.key_usage != 0 && (c.key_usage & KU_KEY_CERT_SIGN) == 0))
		return err_at(e, ERR_DENIED, "ceremony-cross-leaf",
		    "RFC 5280 4.2.1.9", at_field("certificate"),
		    "the certificate is not one of a CA");
	if (bytes_eq(c.issuer, c.subject) &&
	    (c.aki.len == 0 || bytes_eq(c.aki, c.ski)))
		TRY(verifier_check(d->ca->verifier, c.spki, c.sigalg, c.tbs,
		    c.signature, e));
	out->der = c.der;
	out->subject = c.subject;
	out->spki = c.spki;
	out->ski = c.ski;
	out->not_after = c.not_after;
	return ERR_OK;
}

static enum err_code
take_foreign(struct deed *d, struct foreign *out, struct err *e)
{
	bool asked = field(d, CF_CSR).len > 0;

	*out = (struct foreign){ .not_after = NEVER };
	if (asked == (field(d, CF_CERTIFICATE).len > 0))
		return err_at(e, ERR_INVALID, "ceremony-cross-key", NULL,
		    at_field("certificate"),
		    "a cross-certificate is asked for with the certificate of "
		    "the other CA, or with its PKCS #10 request");
	return asked ? take_request(d, out, e) : take_certificate(d, out, e);
}

/* The terms of the policy, and the key that it allows. */
static enum err_code
judge_policy(const struct policy *p, enum key_type type, struct err *e)
{
	if (!p->subordinate)
		return err_at(e, ERR_DENIED, "ceremony-cross-policy", NULL,
		    at_field("policy"),
		    "the policy %s is for holders: a cross-certificate takes "
		    "its path length, names and policies from one that has "
		    "subordinate",
		    p->name);
	if ((p->keys >> type & 1) != 0)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-cross-key-type", NULL,
	    at_field("certificate"),
	    "the key is %s, which the policy %s does not allow",
	    key_type_name(type), p->name);
}

/* Never longer than the policy, the root, and what the CA itself is said to
 * live. */
static enum err_code
set_end(struct deed *d, const struct policy *p, const struct foreign *x,
    struct cert_spec *spec, struct err *e)
{
	int64_t life = ceremony_life(d, p->default_s);

	if (life > p->max_s)
		return err_at(e, ERR_DENIED, "ceremony-cross-life", NULL,
		    at_field("validity"),
		    "the policy %s does not let a certificate live that long",
		    p->name);
	TRY(ceremony_times(d, life, spec, e));
	if (x->not_after < spec->not_after)
		spec->not_after = x->not_after;
	if (spec->not_after > d->now)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-cross-over", NULL,
	    at_field("certificate"),
	    "the certificate of the other CA has ended");
}

enum err_code
ceremony_build_cross(struct deed *d, struct agreement_row *c, struct err *e)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	const struct policy *p;
	struct foreign x;
	struct material m = { .issuer = &d->root->cert };
	struct cert_spec spec = {
		.is_ca = true,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
	};

	c->kind = CEREMONY_CROSS;
	c->name = field(d, CF_NAME);
	c->policy = field(d, CF_POLICY);
	TRY(ceremony_name(d, c->name, e));
	TRY(policy_named(d, field(d, CF_POLICY), &p, e));
	TRY(take_foreign(d, &x, e));
	TRY(judge_policy(p, x.type, e));
	TRY(ceremony_key_is_new(d, x.spki, "certificate", e));
	TRY(set_end(d, p, &x, &spec, e));
	c->possession = x.der;
	spec.subject = x.subject;
	spec.ski = x.ski;
	spec.path_len = p->path_length;
	spec.constraints = p->constraints;
	memcpy(spec.policy, p->certificate_policy, sizeof(spec.policy));
	spec.n_policy = p->n_certificate_policy;
	m.spki = x.spki;
	TRY(ceremony_tbs(d, &m, &spec, &tbs, e));
	c->tbs = arena_copy(d->a, buf_bytes(&tbs));
	return ceremony_judge_tbs(d, c->tbs, LINT_CROSS, e);
}
