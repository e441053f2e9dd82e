#include "inner.h"

/*
 * Signatures checked ahead of a decision.  Only what was found right has an
 * effect, through the proofs that the verifiers share; so every fault here is
 * passed over, and met again where it is judged.
 */

static void
prove_csr(const struct ca *ca, struct bytes der)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct csr csr;
	struct err ignored;

	if (csr_parse(der, &scratch, &csr, &ignored) == ERR_OK)
		(void)!csr_prove(&csr, ca->verifier, &ignored);
}

struct bytes
ca_statement(struct view *v, const struct command *c, struct arena *a)
{
	struct request r;
	struct appointment ap;
	struct mandate m;
	struct err ignored;

	if (c->act == ACT_MANDATE_ENDORSE &&
	    mandate_get(v, c->f[CF_MANDATE], a, &m, &ignored) == ERR_OK)
		return m.statement;
	if (c->act == ACT_REQUEST_ENDORSE &&
	    request_get(v, c->f[CF_REQUEST], a, &r, &ignored) == ERR_OK &&
	    request_load(v, &r, "statement", a, &ignored) == ERR_OK)
		return r.statement;
	if (c->act == ACT_APPOINTMENT_CONFIRM &&
	    appointment_get(v, c->f[CF_APPOINTMENT], a, &ap, &ignored) ==
		ERR_OK)
		return ap.statement;
	return BYTES_NONE;
}

static void
prove_cms(const struct ca *ca, struct bytes der, struct bytes statement)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct cms cms;
	struct err ignored;

	if (statement.len > 0 &&
	    cms_parse(der, &scratch, &cms, &ignored) == ERR_OK)
		(void)!cms_verify(&cms, statement, ca->verifier, &ignored);
}

void
ca_vouch(const struct ca *ca, const struct command *c, struct bytes statement)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct cms cms;
	struct err ignored;

	if (cms_parse(c->f[CF_CMS], &scratch, &cms, &ignored) == ERR_OK)
		(void)!cms_vouch(&cms, statement, ca->verifier, &ignored);
}

void
ca_prove_command(const struct ca *ca, struct view *v, const struct command *c,
    struct arena *a)
{
	if (c->f[CF_CSR].len > 0)
		prove_csr(ca, c->f[CF_CSR]);
	if (c->f[CF_CMS].len > 0)
		prove_cms(ca, c->f[CF_CMS], ca_statement(v, c, a));
}

void
ca_prove_signed(const struct ca *ca, struct bytes der)
{
	const struct ca_issuer *issuer;
	struct cert cert;
	struct err ignored;

	if (cert_parse_own(der, &cert, &ignored) != ERR_OK)
		return;
	issuer = ca_issuer_of(ca->issuers, cert.issuer, cert.aki);
	if (issuer == NULL)
		issuer = ca->endorser;
	(void)!verifier_check(ca->verifier, issuer->cert.spki, cert.sigalg,
	    cert.tbs, cert.signature, &ignored);
}
