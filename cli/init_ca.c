/*
 * init_ca - keys and certificates of a new installation: root, issuing CA,
 * endorser CA, keys of the OCSP responder and of the log, first officer.
 */
#include <string.h>

#include <openssl/rand.h>
#include <refrendo/crl.h>

#include "init.h"

#define ROOT_S     (20 * 365 * DAY)
#define CA_S       (10 * 365 * DAY)
#define ROOT_CRL_S (365 * DAY)
#define SERIAL_LEN 20

/* What differs between the certificates of init. */
struct plan {
	const char *cn;
	const char *run; /* serialNumber, or NULL */
	enum lint_kind kind;
	int64_t life_s;
	int path_len;
};

static enum err_code
draw_serial(uint8_t out[SERIAL_LEN], struct err *e)
{
	if (RAND_bytes(out, SERIAL_LEN) != 1)
		return err_openssl(e, "cli-random",
		    "the system gives no random octets; try again later");
	/* Positive, and no zero octet first (RFC 5280 4.1.2.2). */
	out[0] = (uint8_t)((out[0] & 0x3f) | 0x40);
	return ERR_OK;
}

static enum err_code
check_lint(const struct cert *cert, enum lint_kind kind, struct err *e)
{
	struct lint found;
	cert_lint(cert, kind, LINT_ALL, &found);
	return lint_verdict(&found, e);
}

/* signer NULL: the root is offline, and a ceremony will sign. */
static enum err_code
sign_certificate(const struct cert_spec *spec, struct key *signer,
    enum lint_kind kind, struct made *out, struct err *e)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	TRY(cert_build_tbs(spec, &tbs, e));
	out->der = BUF(CERT_MAX_BYTES);
	if (signer == NULL) {
		TRY(unsigned_assemble(buf_bytes(&tbs),
		    key_type_sigalg(spec->issuer_type), &out->der, e));
	} else {
		TRY(key_sign(signer, buf_bytes(&tbs), &signature, e));
		TRY(signed_assemble(buf_bytes(&tbs),
		    key_type_sigalg(key_type(signer)), buf_bytes(&signature),
		    &out->der, e));
	}
	TRY(cert_parse(buf_bytes(&out->der), &out->cert, e));
	return check_lint(&out->cert, kind, e);
}

static enum err_code
build_subject(struct init *i, const struct plan *p, struct buf *out,
    struct err *e)
{
	struct name_attr attrs[4] = { { OID_C, bytes_str("CL"),
	    STRING_USUAL } };
	size_t n = 1;
	if (p->kind != LINT_ENDORSER)
		attrs[n++] = (struct name_attr){ OID_O, bytes_str(i->origin),
			STRING_USUAL };
	if (p->run != NULL)
		attrs[n++] = (struct name_attr){ OID_SERIAL_NUMBER,
			bytes_str(p->run), STRING_USUAL };
	attrs[n++] =
	    (struct name_attr){ OID_CN, bytes_str(p->cn), STRING_USUAL };
	return name_build(attrs, n, out, e);
}

static void
spec_of_officer(struct cert_spec *spec, const struct plan *p)
{
	struct bytes oid = oid_known(OID_RUT_HOLDER);
	spec->key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
	spec->eku[0] = OID_EKU_ENDORSER;
	spec->n_eku = 1;
	spec->eku_critical = true;
	spec->n_san = 1;
	spec->san[0].kind = GN_OTHER_IA5;
	memcpy(spec->san[0].other.p, oid.p, oid.len);
	spec->san[0].other.len = (uint8_t)oid.len;
	spec->san[0].value = bytes_str(p->run);
}

/* out->key's certificate by the CA, or by itself. */
static enum err_code
certify(struct init *i, const struct plan *p, struct made *ca, struct made *out,
    struct err *e)
{
	struct buf subject AUTO_BUF = BUF(NAME_DER_MAX);
	uint8_t serial[SERIAL_LEN], own_ski[KEY_ID_LEN];
	bool is_root = ca == out;
	struct key *signer = is_root ? out->key : ca->key;
	enum key_type type;
	int64_t not_after = i->now + p->life_s - 1;
	TRY(spki_check(signer == NULL ? ca->cert.spki : key_spki(signer), &type,
	    e));
	/* No certificate outlives the one that signs it. */
	if (!is_root && not_after > ca->cert.not_after)
		not_after = ca->cert.not_after;
	TRY(build_subject(i, p, &subject, e));
	TRY(draw_serial(serial, e));
	TRY(spki_key_id(key_spki(out->key), own_ski, e));
	struct cert_spec spec = { .serial = bytes_of(serial, SERIAL_LEN),
		.issuer = is_root ? buf_bytes(&subject) : ca->cert.subject,
		.issuer_ski =
		    is_root ? bytes_of(own_ski, KEY_ID_LEN) : ca->cert.ski,
		.issuer_type = type,
		.subject = buf_bytes(&subject),
		.not_before = i->now,
		/* Both ends belong to it (INCIDENTS row 1). */
		.not_after = not_after,
		.spki = key_spki(out->key),
		.is_ca = p->kind != LINT_ENDORSER,
		.path_len = p->path_len,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN };
	if (p->kind == LINT_ENDORSER)
		spec_of_officer(&spec, p);
	if (p->kind == LINT_CA) {
		spec.crl_url = bytes_str(arena_printf(i->c->arena,
		    "%s/crl/root.crl", i->public_url));
		spec.issuer_url = bytes_str(
		    arena_printf(i->c->arena, "%s/ca/root.cer", i->public_url));
		/* anyPolicy: without it no policy of a certificate below is
		 * valid for who asks for one (RFC 5280 6.1.3 (e)). */
		TRY(oid_parse(bytes_str("2.5.29.32.0"), &spec.policy[0].oid,
		    e));
		spec.n_policy = 1;
	}
	return sign_certificate(&spec, signer, p->kind, out, e);
}

/* --- The root's CRL: nothing is on it ---------------------------------------------- */

static enum err_code
none_rewind(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return ERR_OK;
}

static enum err_code
none_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)e;
	*more = false;
	return ERR_OK;
}

static enum err_code
sign_root_crl(struct init *i, struct err *e)
{
	struct buf tbs AUTO_BUF = BUF(8192), signature AUTO_BUF = BUF(SIG_MAX);
	struct crl_source none = { NULL, none_rewind, none_next };
	enum key_type type;
	TRY(spki_check(i->root.cert.spki, &type, e));
	struct crl_spec spec = { .issuer = i->root.cert.subject,
		.issuer_ski = i->root.cert.ski,
		.issuer_type = type,
		.number = 1,
		.this_update = i->now,
		.next_update = i->now + ROOT_CRL_S };
	TRY(crl_build_tbs(&spec, &none, &tbs, e));
	i->root_crl = BUF(16384);
	if (i->is_offline) {
		buf_put(&i->root_crl, tbs.p, tbs.len);
		return buf_end(&i->root_crl, e);
	}
	TRY(key_sign(i->root.key, buf_bytes(&tbs), &signature, e));
	return signed_assemble(buf_bytes(&tbs),
	    key_type_sigalg(spec.issuer_type), buf_bytes(&signature),
	    &i->root_crl, e);
}

enum err_code
init_root(struct init *i, struct err *e)
{
	static const struct plan root = { "Raíz Institucional G1", NULL,
		LINT_ROOT, ROOT_S, -1 };
	TRY(key_generate(i->keys.type[KEY_ROLE_ROOT], &i->root.key, e));
	return certify(i, &root, &i->root, &i->root, e);
}

enum err_code
init_authorities(struct init *i, struct err *e)
{
	const enum key_type *type = i->keys.type;
	static const struct plan issuer = { "Emisora Institucional G1", NULL,
		LINT_CA, CA_S, 0 };
	static const struct plan endorser = { "Ministros de Fe G1", NULL,
		LINT_CA, CA_S, 0 };
	if (!i->is_offline)
		TRY(init_root(i, e));
	TRY(key_generate(type[KEY_ROLE_ISSUER], &i->issuer.key, e));
	TRY(key_generate(type[KEY_ROLE_ENDORSER], &i->endorser.key, e));
	TRY(key_generate(type[KEY_ROLE_RESPONDER], &i->ocsp, e));
	TRY(key_generate(KEY_ED25519, &i->log, e));
	i->log_spki = key_spki(i->log);
	TRY(certify(i, &issuer, &i->root, &i->issuer, e));
	TRY(certify(i, &endorser, &i->root, &i->endorser, e));
	return sign_root_crl(i, e);
}

/* A certificate that the officer has, or one over a new key. */
enum err_code
init_officer(struct init *i, struct err *e)
{
	const char *file = i->c->option[OPT_OFFICER_CERT];
	if (file != NULL) {
		struct buf text AUTO_BUF = BUF(0);
		i->officer.der = BUF(CERT_MAX_BYTES);
		TRY(input_read(i->c, file, 2 * CERT_MAX_BYTES, &text, e));
		TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", &i->officer.der,
		    e));
		TRY(cert_parse(buf_bytes(&i->officer.der), &i->officer.cert,
		    e));
		enum key_type type;
		return spki_check(i->officer.cert.spki, &type, e);
	}
	struct plan officer = { i->officer_name, i->officer_run, LINT_ENDORSER,
		3 * 365 * DAY, -1 };
	TRY(key_generate(i->keys.type[KEY_ROLE_OFFICER], &i->officer.key, e));
	return certify(i, &officer, &i->endorser, &i->officer, e);
}

void
init_fini(struct init *i)
{
	struct made *all[] = { &i->root, &i->issuer, &i->endorser,
		&i->officer };
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		key_free(all[k]->key);
		buf_fini(&all[k]->der);
	}
	key_free(i->ocsp);
	key_free(i->log);
	policy_set_free(i->policies);
	buf_fini(&i->root_crl);
	buf_fini(&i->log_der);
	buf_fini(&i->passphrase);
}

/* --- From one root to the next -------------------------------------------------- */

/*
 * OldWithNew (RFC 4210 4.4): the key of the root before, for its whole life,
 * by the new one.  Who trusts the new one alone goes on with what is below the
 * old one.
 */
enum err_code
init_link(struct init *i, const struct cert *old, struct buf *der,
    struct err *e)
{
	uint8_t serial[SERIAL_LEN];
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	const struct cert *root = &i->root.cert;
	enum key_type type = key_type(i->root.key);
	struct cert made;

	int64_t end =
	    old->not_after < root->not_after ? old->not_after : root->not_after;
	/* The second too many that the roots of others have. */
	end -= (end - old->not_before) % DAY == 0 ? 1 : 0;
	TRY(draw_serial(serial, e));
	struct cert_spec spec = { .serial = bytes_of(serial, SERIAL_LEN),
		.issuer = root->subject,
		.issuer_ski = root->ski,
		.issuer_type = type,
		.subject = old->subject,
		.ski = old->ski,
		.spki = old->spki,
		.not_before = old->not_before,
		.not_after = end,
		.is_ca = true,
		/* A root of ours has issuing CAs below it, and no more. */
		.path_len = old->path_len >= 0 ? old->path_len : 1,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.n_policy = 1 };
	TRY(oid_parse(bytes_str("2.5.29.32.0"), &spec.policy[0].oid, e));
	TRY(cert_build_tbs(&spec, &tbs, e));
	TRY(key_sign(i->root.key, buf_bytes(&tbs), &signature, e));
	TRY(signed_assemble(buf_bytes(&tbs), key_type_sigalg(type),
	    buf_bytes(&signature), der, e));
	TRY(cert_parse(buf_bytes(der), &made, e));
	return check_lint(&made, LINT_CROSS, e);
}
