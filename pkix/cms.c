/*
 * CMS evidence (RFC 5652): the detached signature of one person, in the form
 * CAdES-BES (ETSI EN 319 122-1), read in place.  What is not needed to judge
 * it is refused rather than skipped.
 */
#include <stdlib.h>

#include "internal.h"

#define ATTRS_MAX 4096

/* clang-format off */
static const uint8_t oid_signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
static const uint8_t oid_content_type[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03 };
static const uint8_t oid_message_digest[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04 };
static const uint8_t oid_signing_time[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05 };
static const uint8_t oid_capabilities[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0f };
static const uint8_t oid_signing_cert_v2[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f };
/* clang-format on */

#define IS(b, a) bytes_eq(b, bytes_of(a, sizeof(a)))

/* What is met on the way and needed by more than one step. */
struct walk {
	struct cms cms;
	struct bytes certs; /* content of certificates [0] */
	enum hash_alg digest;
	struct bytes ess; /* content of the one ESSCertIDv2 */
	unsigned seen;    /* bit per known attribute */
};

static enum err_code
malformed(const char *part, struct err *e)
{
	return err_at(e, ERR_INVALID, "cms-form", "RFC 5652 5.1",
	    at_field(part), "the signature file is malformed in its %s", part);
}

/* --- Signed attributes ------------------------------------------------------- */

static bool
read_content_type(struct walk *w, struct der *v)
{
	(void)w;
	return IS(der_get(v, DER_OID), oid_data);
}

static bool
read_digest(struct walk *w, struct der *v)
{
	w->cms.message_digest = der_get(v, DER_OCTET_STRING);
	return w->cms.message_digest.len == hash_len(w->digest);
}

static bool
read_time(struct walk *w, struct der *v)
{
	w->cms.signing_time = der_get_time(v);
	return !v->bad;
}

/* RFC 5035 3: the first ESSCertIDv2 is that of the signer; we want no other. */
static bool
read_ess(struct walk *w, struct der *v)
{
	struct der sc = der_enter(v, DER_SEQUENCE);
	struct der certs = der_enter(&sc, DER_SEQUENCE);

	w->ess = der_get(&certs, DER_SEQUENCE);
	/* Policies may follow; they say nothing about the signature. */
	if (der_peek(&sc) == DER_SEQUENCE)
		(void)der_get(&sc, DER_SEQUENCE);
	return der_end(&certs) && der_end(&sc);
}

/* What openssl cms adds by default: which ciphers the signer can read. */
static bool
read_ignored(struct walk *w, struct der *v)
{
	(void)w;
	(void)der_element(v);
	return !v->bad;
}

/* clang-format off */
static const struct attr_row {
	const char *word;
	struct bytes oid;
	bool (*read)(struct walk *w, struct der *value);
	bool required;
} attr_rows[] = {
	{ "contentType",            STATIC_BYTES(oid_content_type),    read_content_type, true },
	{ "messageDigest",          STATIC_BYTES(oid_message_digest),  read_digest,       true },
	{ "signing-certificate-v2", STATIC_BYTES(oid_signing_cert_v2), read_ess,          true },
	{ "signingTime",            STATIC_BYTES(oid_signing_time),    read_time,         false },
	{ "SMIMECapabilities",      STATIC_BYTES(oid_capabilities),    read_ignored,      false },
};
/* clang-format on */

static enum err_code
read_attr(struct walk *w, struct der *all, struct err *e)
{
	struct der attr = der_enter(all, DER_SEQUENCE), values;
	struct bytes oid = der_get(&attr, DER_OID);
	char text[64];
	size_t i;

	values = der_enter(&attr, DER_SET);
	if (!der_end(&attr))
		return malformed("signedAttrs", e);
	for (i = 0; i < ARRAY_LEN(attr_rows); i++) {
		if (!bytes_eq(oid, attr_rows[i].oid))
			continue;
		if ((w->seen & 1u << i) != 0)
			return err_at(e, ERR_INVALID, "cms-attribute-twice",
			    "RFC 5652 5.3", at_field("signedAttrs"),
			    "the signed attribute %s stands there twice",
			    attr_rows[i].word);
		w->seen |= 1u << i;
		if (!attr_rows[i].read(w, &values) || !der_end(&values))
			return malformed(attr_rows[i].word, e);
		return ERR_OK;
	}
	oid_print(text, sizeof(text), oid);
	return err_at(e, ERR_INVALID, "cms-attribute-unknown", NULL,
	    at_field("signedAttrs"),
	    "the signed attribute %s is not known here; sign with openssl "
	    "cms -cades and no other options",
	    text);
}

/* RFC 5652 5.4: hashed as a SET OF, whatever tag it has in the file. */
static void
retag(uint8_t *out, struct bytes attrs)
{
	memcpy(out, attrs.p, attrs.len);
	out[0] = DER_SET;
}

static enum err_code
check_attr_order(struct bytes attrs, struct err *e)
{
	uint8_t copy[ATTRS_MAX];
	struct err inner;

	if (attrs.len > sizeof(copy))
		return err_at(e, ERR_INVALID, "cms-attributes-size", NULL,
		    at_field("signedAttrs"),
		    "the signed attributes are longer than 4096 octets");
	retag(copy, attrs);
	if (der_strict(bytes_of(copy, attrs.len), &inner) != ERR_OK)
		return malformed("signedAttrs", e);
	return ERR_OK;
}

static enum err_code
read_attrs(struct walk *w, struct err *e)
{
	struct der d = der_of(w->cms.signed_attrs);
	struct der all = der_enter(&d, DER_CONTEXT_CONS(0));
	size_t i;

	TRY(check_attr_order(w->cms.signed_attrs, e));
	while (der_peek(&all) != 0)
		TRY(read_attr(w, &all, e));
	if (!der_end(&all))
		return malformed("signedAttrs", e);
	for (i = 0; i < ARRAY_LEN(attr_rows); i++) {
		if (attr_rows[i].required && (w->seen & 1u << i) == 0)
			return err_at(e, ERR_INVALID, "cms-attribute-missing",
			    "ETSI EN 319 122-1 5.2", at_field("signedAttrs"),
			    "the signed attribute %s is missing; sign with "
			    "openssl cms -cades",
			    attr_rows[i].word);
	}
	return ERR_OK;
}

/* --- The signer's certificate -------------------------------------------------- */

static bool
is_named(const struct cert *c, struct bytes sid)
{
	struct der d = der_of(sid), in;
	struct bytes issuer;

	if (der_peek(&d) == DER_CONTEXT(0))
		return c->ski.len > 0 &&
		       bytes_eq(c->ski, der_get(&d, DER_CONTEXT(0)));
	in = der_enter(&d, DER_SEQUENCE);
	issuer = der_element(&in);
	return bytes_eq(c->issuer, issuer) &&
	       bytes_eq(c->serial, magnitude_of(der_get(&in, DER_INTEGER)));
}

#define CERTS_MAX 8

/* Every certificate must be one; exactly one must be the signer's. */
static enum err_code
find_signer(struct walk *w, struct bytes sid, struct err *e)
{
	struct der all = der_of(w->certs);
	size_t n = 0, found = 0;

	while (der_peek(&all) != 0) {
		struct cert c;

		if (++n > CERTS_MAX)
			return err_at(e, ERR_INVALID, "cms-certificates", NULL,
			    at_field("certificates"),
			    "the signature file carries more than 8 "
			    "certificates");
		TRY(cert_parse(der_element(&all), &c, e));
		if (is_named(&c, sid)) {
			w->cms.signer = c;
			found++;
		}
	}
	if (found == 1 && der_end(&all))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "cms-signer-missing", "RFC 5652 5.1",
	    at_field("certificates"),
	    "the signer's certificate is not in the signature file exactly "
	    "once; sign without -nocerts");
}

/* RFC 5035 4: the attribute binds this certificate, not its key alone. */
static enum err_code
check_ess(struct walk *w, struct err *e)
{
	struct der in = der_of(w->ess);
	enum hash_alg h = HASH_SHA256;
	uint8_t hash[HASH_MAX];
	struct bytes want;

	if (der_peek(&in) == DER_SEQUENCE) {
		/* The default must not be written (X.690 11.5). */
		if (!hash_find(der_element(&in), &h) || h == HASH_SHA256)
			return malformed("signing-certificate-v2", e);
	}
	want = der_get(&in, DER_OCTET_STRING);
	if (der_peek(&in) == DER_SEQUENCE) {
		struct der is = der_enter(&in, DER_SEQUENCE);
		struct bytes names = der_element(&is);
		struct bytes serial = der_get(&is, DER_INTEGER);

		if (!der_end(&is) || !general_names_valid(names) ||
		    !bytes_eq(magnitude_of(serial), w->cms.signer.serial))
			return malformed("signing-certificate-v2", e);
	}
	if (!der_end(&in))
		return malformed("signing-certificate-v2", e);
	TRY(hash_of(h, w->cms.signer.der, hash, e));
	if (!bytes_eq(want, bytes_of(hash, hash_len(h))))
		return err_at(e, ERR_INVALID, "cms-signer-differs",
		    "RFC 5035 4", at_field("signedAttrs"),
		    "the signature was made for another certificate than the "
		    "one in the file");
	return ERR_OK;
}

/* --- SignerInfo and SignedData -------------------------------------------------- */

/* The hash of the content that goes with it. */
static enum hash_alg
cms_hash(const struct sig_alg *alg)
{
	return alg->hash == HASH_NONE ? CMS_WHOLE_HASH : alg->hash;
}

static enum err_code
read_algorithm(struct walk *w, struct bytes algid, struct err *e)
{
	const struct sig_alg *alg = sig_alg_find(algid);

	/* RFC 5754 3.2: RSA may leave the hash to digestAlgorithm. */
	if (bytes_eq(algid, algid_rsa_encryption))
		alg = sig_alg_find(rsa_sig_algid(w->digest));
	if (alg == NULL || w->digest != cms_hash(alg))
		return err_at(e, ERR_INVALID, "cms-algorithm", "RFC 5754 3",
		    at_field("signatureAlgorithm"),
		    "the signature algorithm is not allowed or does not fit "
		    "the digest; use ECDSA, RSA or RSA-PSS "
		    "(rsa_pss_saltlen:digest) with -md sha256, Ed25519 or "
		    "ML-DSA with -md sha512");
	w->cms.sigalg = alg->algid;
	return ERR_OK;
}

static enum err_code
read_digest_alg(struct walk *w, struct bytes algid, struct err *e)
{
	if (hash_find(algid, &w->digest))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "cms-digest", "RFC 5754 2",
	    at_field("digestAlgorithm"),
	    "the digest algorithm is not allowed; use -md sha256, sha384 or "
	    "sha512");
}

static enum err_code
read_signer_info(struct walk *w, struct der *infos, int64_t *version,
    struct err *e)
{
	struct der in = der_enter(infos, DER_SEQUENCE);
	struct bytes sid, algid;
	int64_t v = der_get_int(&in);

	sid = der_element(&in);
	if (in.bad || v != (sid.p[0] == DER_CONTEXT(0) ? 3 : 1))
		return malformed("sid", e);
	*version = v;
	TRY(read_digest_alg(w, der_element(&in), e));
	if (der_peek(&in) != DER_CONTEXT_CONS(0))
		return err_at(e, ERR_INVALID, "cms-attributes-missing",
		    "ETSI EN 319 122-1 5.1", at_field("signedAttrs"),
		    "the signature has no signed attributes; sign with openssl "
		    "cms -cades");
	w->cms.signed_attrs = der_element(&in);
	algid = der_element(&in);
	w->cms.signature = der_get(&in, DER_OCTET_STRING);
	if (der_peek(&in) == DER_CONTEXT_CONS(1))
		return err_at(e, ERR_INVALID, "cms-unsigned-attributes", NULL,
		    at_field("unsignedAttrs"),
		    "the signature has unsigned attributes, which are not "
		    "accepted here");
	if (!der_end(&in))
		return malformed("SignerInfo", e);
	TRY(read_algorithm(w, algid, e));
	TRY(read_attrs(w, e));
	TRY(find_signer(w, sid, e));
	return check_ess(w, e);
}

static enum err_code
read_content_info(struct der *sd, struct err *e)
{
	struct der in = der_enter(sd, DER_SEQUENCE);

	if (!IS(der_get(&in, DER_OID), oid_data))
		return err_at(e, ERR_INVALID, "cms-content-type",
		    "RFC 5652 5.2", at_field("eContentType"),
		    "the signature is not over plain data");
	if (!der_end(&in))
		return err_at(e, ERR_INVALID, "cms-attached", "RFC 5652 5.2",
		    at_field("eContent"),
		    "the signature file contains the signed text too; sign "
		    "detached, without -nodetach");
	return ERR_OK;
}

static enum err_code
read_signed_data(struct walk *w, struct der *sd, struct err *e)
{
	int64_t version = der_get_int(sd), of_signer;
	struct der algs = der_enter(sd, DER_SET), infos;
	enum hash_alg listed;
	struct bytes alg = der_element(&algs);

	if (sd->bad || algs.bad || !der_end(&algs))
		return malformed("digestAlgorithms", e);
	TRY(read_content_info(sd, e));
	(void)der_optional(sd, DER_CONTEXT_CONS(0), &w->certs);
	if (der_peek(sd) == DER_CONTEXT_CONS(1))
		return err_at(e, ERR_INVALID, "cms-crls", NULL,
		    at_field("crls"),
		    "the signature file carries CRLs, which are not accepted "
		    "here");
	infos = der_enter(sd, DER_SET);
	if (!der_end(sd))
		return malformed("SignedData", e);
	TRY(read_signer_info(w, &infos, &of_signer, e));
	if (!der_end(&infos))
		return err_at(e, ERR_INVALID, "cms-signers", "RFC 5652 5.1",
		    at_field("signerInfos"),
		    "the signature file has more than one signer; each person "
		    "signs alone");
	if (version != of_signer || !hash_find(alg, &listed) ||
	    listed != w->digest)
		return malformed("SignedData", e);
	return ERR_OK;
}

static enum err_code
parse_der(struct walk *w, struct err *e)
{
	struct der d = der_of(w->cms.der), in, sd;
	struct err inner;

	if (der_strict(w->cms.der, &inner) != ERR_OK)
		return err_at(e, ERR_INVALID, "cms-not-der", "RFC 5652 10.2",
		    inner.where,
		    "the signature file breaks a rule of DER (%s); make it "
		    "with openssl cms -outform DER",
		    inner.id);
	in = der_enter(&d, DER_SEQUENCE);
	if (!IS(der_get(&in, DER_OID), oid_signed_data))
		return err_at(e, ERR_INVALID, "cms-not-signed", "RFC 5652 5.1",
		    at_field("contentType"),
		    "this is not a CMS signature (SignedData)");
	sd = der_enter(&in, DER_CONTEXT_CONS(0));
	if (!der_end(&in))
		return malformed("ContentInfo", e);
	d = sd;
	sd = der_enter(&d, DER_SEQUENCE);
	if (!der_end(&d))
		return malformed("ContentInfo", e);
	return read_signed_data(w, &sd, e);
}

enum err_code
cms_parse(struct bytes input, struct buf *scratch, struct cms *out,
    struct err *e)
{
	struct walk w = { .digest = HASH_NONE };

	if (input.len == 0 || input.len > CMS_MAX_BYTES)
		return err_at(e, ERR_INVALID, "cms-size", NULL, NOWHERE,
		    "the signature file is empty or longer than 32768 "
		    "octets");
	w.cms.der = input;
	if (input.p[0] != DER_SEQUENCE) {
		const char *label = memmem(input.p, input.len, "BEGIN PKCS7",
					strlen("BEGIN PKCS7")) != NULL
					? "PKCS7"
					: "CMS";

		buf_reset(scratch);
		TRY(pem_or_der(input, label, scratch, e));
		w.cms.der = buf_bytes(scratch);
	}
	TRY(parse_der(&w, e));
	*out = w.cms;
	return ERR_OK;
}

/* What the signature is over: the signed attributes, when the digest among
 * them is that of content. */
static enum err_code
signed_message(const struct cms *c, struct bytes content,
    uint8_t attrs[ATTRS_MAX], struct bytes *message, struct err *e)
{
	const struct sig_alg *alg = sig_alg_find(c->sigalg);
	uint8_t hash[HASH_MAX];

	if (alg == NULL || c->signed_attrs.len > ATTRS_MAX)
		fatal("cms_verify: not from cms_parse");
	TRY(hash_of(cms_hash(alg), content, hash, e));
	if (!bytes_eq(c->message_digest,
		bytes_of(hash, hash_len(cms_hash(alg)))))
		return err_at(e, ERR_INVALID, "cms-other-content",
		    "RFC 5652 5.4", at_field("messageDigest"),
		    "the signature is over another text than this one");
	retag(attrs, c->signed_attrs);
	*message = bytes_of(attrs, c->signed_attrs.len);
	return ERR_OK;
}

enum err_code
cms_vouch(const struct cms *c, struct bytes content, struct verifier *v,
    struct err *e)
{
	uint8_t attrs[ATTRS_MAX];
	struct bytes message;

	TRY(signed_message(c, content, attrs, &message, e));
	return verifier_vouch(v, c->signer.spki, c->sigalg, message,
	    c->signature, e);
}

enum err_code
cms_verify(const struct cms *c, struct bytes content, struct verifier *v,
    struct err *e)
{
	uint8_t attrs[ATTRS_MAX];
	struct bytes message;
	struct err inner;
	enum err_code code;

	TRY(signed_message(c, content, attrs, &message, e));
	code = verifier_check(v, c->signer.spki, c->sigalg, message,
	    c->signature, &inner);
	if (code == ERR_OK)
		return ERR_OK;
	if (code != ERR_INVALID) {
		*e = inner;
		return code;
	}
	(void)err_at(e, ERR_INVALID, "cms-signature", "RFC 5652 5.6",
	    at_field("signature"),
	    "the signature was not made with the key of the certificate in "
	    "the file");
	return err_why(e, "%s", inner.say);
}
