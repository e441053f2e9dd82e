/*
 * ceremony_asked - core says which ceremony came of an act, and one that was
 * taken over says another: what is signed here is held to what was asked for.
 */
#include <string.h>

#include <refrendo/signer.h>

#include "ceremony.h"

/* --- The statement ------------------------------------------------------------------ */

static enum ceremony_kind
kind_of(enum ca_act act)
{
	if (act == ACT_CEREMONY_CRL)
		return CEREMONY_CRL;
	if (act == ACT_CEREMONY_KEY)
		return CEREMONY_KEY;
	if (act == ACT_CEREMONY_CEILINGS)
		return CEREMONY_CEILINGS;
	return act == ACT_CEREMONY_CROSS ? CEREMONY_CROSS
					 : CEREMONY_CERTIFICATE;
}

static enum err_code
check_statement(const struct command *asked, const struct ceremony_statement *s,
    struct err *e)
{
	char run[RUN_TEXT];
	struct bytes name = asked->f[CF_NAME];
	if (asked->act == ACT_CEREMONY_CRL)
		name = bytes_str("root");
	if (asked->act == ACT_CEREMONY_CEILINGS)
		name = bytes_str("ceilings");
	if (s->n != 1 || s->object[0].kind != kind_of(asked->act))
		return asked_other("kind", e);
	if (!bytes_eq(s->object[0].name, name))
		return asked_other("name", e);
	if (!bytes_eq(s->object[0].replaces, asked->f[CF_REPLACES]))
		return asked_other("replaces", e);
	TRY(run_parse(asked->f[CF_AS], run, e));
	return bytes_is(s->proposed_by, run) ? ERR_OK
					     : asked_other("proposed_by", e);
}

/* --- The certificate ---------------------------------------------------------------- */

/* The algorithm stands in the TBS too, after version and serial number. */
static enum err_code
parse_tbs(struct bytes tbs, struct buf *der, struct cert *out, struct err *e)
{
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	(void)der_element(&in);
	(void)der_element(&in);
	TRY(unsigned_assemble(tbs, der_element(&in), der, e));
	return cert_parse(buf_bytes(der), out, e);
}

/* An institution's CA is for it alone; without a RUT one is for all, or as the
 * CA whose key it replaces. */
static enum err_code
check_institution(const struct command *asked, const struct cert *cert,
    struct err *e)
{
	char run[RUN_TEXT];
	struct bytes rut, wanted = asked->f[CF_RUT];
	bool is_bound = cert_rut(cert, &rut);
	if (wanted.len == 0 && asked->f[CF_REPLACES].len > 0)
		return ERR_OK;
	if (wanted.len == 0)
		return is_bound ? asked_other("rut", e) : ERR_OK;
	TRY(run_parse(wanted, run, e));
	return bytes_is(rut, run) &&
		       cert_find_ext(cert, OID_EXT_CONSTRAINTS) != NULL
		   ? ERR_OK
		   : asked_other("rut", e);
}

/* Its key, where it was given with the act and not made by the signer. */
static enum err_code
check_given_key(const struct command *asked, const struct cert *cert,
    struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct bytes spki = cert->spki;
	struct cert given;
	struct csr csr;
	if (asked->f[CF_CSR].len > 0) {
		TRY(csr_parse(asked->f[CF_CSR], &der, &csr, e));
		spki = csr.spki;
	} else if (asked->f[CF_CERTIFICATE].len > 0) {
		TRY(pem_or_der(asked->f[CF_CERTIFICATE], "CERTIFICATE", &der,
		    e));
		TRY(cert_parse(buf_bytes(&der), &given, e));
		spki = given.spki;
	}
	return bytes_eq(spki, cert->spki) ? ERR_OK : asked_other("key", e);
}

static enum err_code
check_certificate(struct cli *c, const struct command *asked,
    const struct cert *cert, struct err *e)
{
	const char *cn = arena_printf(c->arena, "Emisora %.*s",
	    BYTES_FMT(asked->f[CF_NAME]));
	TRY(check_given_key(asked, cert, e));
	if (asked->act == ACT_CEREMONY_CROSS)
		return ERR_OK;
	if (asked->f[CF_REPLACES].len == 0 &&
	    !bytes_is(name_find(cert->subject, OID_CN), cn))
		return asked_other("subject", e);
	return check_institution(asked, cert, e);
}

enum err_code
ceremony_is_asked(struct cli *c, const struct command *asked,
    struct bytes statement, struct bytes tbs, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES + 64);
	struct ceremony_statement s;
	uint8_t hash[SHA256_LEN];
	struct cert cert;
	TRY(ceremony_parse(statement, c->arena, &s, e));
	TRY(check_statement(asked, &s, e));
	if (s.object[0].kind == CEREMONY_CEILINGS) {
		struct reader r = reader_of(asked->f[CF_FILES]);
		sha256(hash, get_bytes(&r));
		return bytes_eq(bytes_of(hash, SHA256_LEN),
			   s.object[0].tbs_sha256)
			   ? ERR_OK
			   : asked_other("tbs_sha256", e);
	}
	if (s.object[0].kind != CEREMONY_CERTIFICATE &&
	    s.object[0].kind != CEREMONY_CROSS)
		return ERR_OK;
	sha256(hash, tbs);
	if (!bytes_eq(bytes_of(hash, SHA256_LEN), s.object[0].tbs_sha256))
		return asked_other("tbs_sha256", e);
	TRY(parse_tbs(tbs, &der, &cert, e));
	return check_certificate(c, asked, &cert, e);
}

/* --- The signer's own word ----------------------------------------------------------- */

struct made {
	struct bytes name;
	uint8_t key[SHA256_LEN];
	bool found;
};

static void
look_record(void *ctx, const struct journal_record *r)
{
	struct made *m = ctx;
	m->found =
	    m->found ||
	    (strcmp(r->kind, "ca-key") == 0 && bytes_eq(r->issuer, m->name) &&
		bytes_eq(r->digest, bytes_of(m->key, SHA256_LEN)));
}

static struct bytes
constraints_of(const struct cert *cert)
{
	const struct cert_ext *x = cert_find_ext(cert, OID_EXT_CONSTRAINTS);
	return x == NULL ? BYTES_NONE : x->value;
}

/* The old one's certificate is beside the others, where its import put it. */
static enum err_code
check_replaced(struct cli *c, struct bytes old, const struct cert *cert,
    struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct bytes rut, was_rut;
	struct cert was;
	TRY(file_certificate(c->dir,
	    arena_printf(c->arena, "ca/%.*s.pem", BYTES_FMT(old)), &der, e));
	TRY(cert_parse(buf_bytes(&der), &was, e));
	(void)cert_rut(cert, &rut);
	(void)cert_rut(&was, &was_rut);
	if (!bytes_eq(was.subject, cert->subject))
		return asked_other("subject", e);
	return bytes_eq(rut, was_rut) &&
		       bytes_eq(constraints_of(cert), constraints_of(&was))
		   ? ERR_OK
		   : asked_other("rut", e);
}

enum err_code
ceremony_is_made_here(struct cli *c, struct bytes name, struct bytes replaces,
    const struct cert *cert, struct err *e)
{
	struct made m = { .name = name };
	sha256(m.key, cert->spki);
	TRY(journal_read(arena_printf(c->arena, "%s/signer/journal", c->dir),
	    look_record, &m, e));
	if (!m.found)
		return err_say(e, ERR_DENIED, "cli-ceremony-key",
		    "the signer's journal knows of no such key of the CA %s as "
		    "the engine wants certified; the root did not sign it",
		    arena_str(c->arena, name));
	return replaces.len == 0 ? ERR_OK
				 : check_replaced(c, replaces, cert, e);
}
