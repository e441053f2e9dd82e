/*
 * PKCS #10 requests (RFC 2986).  Only the key is taken from one, but every
 * octet must be in order: a request that says one thing to us and another to
 * somebody else's decoder is refused.
 */
#include "internal.h"

static const uint8_t oid_extension_request[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
	0x0d, 0x01, 0x09, 0x0e };

static enum err_code
private_key(struct buf *scratch, struct err *e)
{
	buf_reset(scratch);
	return err_at(e, ERR_INVALID, "csr-private-key", NULL, NOWHERE,
	    "this is a private key, not a request; it was not kept: never "
	    "send it to anyone, make a new key and send its request");
}

static bool
contains(struct bytes in, const char *what)
{
	return in.len > 0 && memmem(in.p, in.len, what, strlen(what)) != NULL;
}

/* A JWK with its private member. */
static bool
is_private_jwk(struct bytes in)
{
	size_t i = 0;

	while (i < in.len && (in.p[i] == ' ' || in.p[i] == '\n' ||
				 in.p[i] == '\r' || in.p[i] == '\t'))
		i++;
	return i < in.len && in.p[i] == '{' && contains(in, "\"kty\"") &&
	       contains(in, "\"d\"");
}

/*
 * PKCS #1, SEC 1, PKCS #8 and PKCS #12 begin with an INTEGER; encrypted
 * PKCS #8 is an algorithm and an OCTET STRING.  A request begins with neither.
 */
static bool
is_private_der(struct bytes in)
{
	struct der d = der_of(in), seq = der_enter(&d, DER_SEQUENCE);

	if (der_peek(&seq) == DER_INTEGER)
		return true;
	(void)der_get(&seq, DER_SEQUENCE);
	(void)der_get(&seq, DER_OCTET_STRING);
	return der_end(&seq);
}

static enum err_code
malformed(const char *part, struct err *e)
{
	return err_at(e, ERR_INVALID, "csr-form", "RFC 2986 4.1",
	    at_field(part),
	    "the request is malformed in its %s; make it again with a "
	    "standard tool",
	    part);
}

/* Rules of DER inside OCTET STRINGs, where the walk over the whole is blind. */
static enum err_code
not_der(const struct err *why, struct err *e)
{
	struct err inner = *why;

	return err_at(e, ERR_INVALID, "csr-not-der", "RFC 2986 4.2",
	    inner.where,
	    "the request breaks a rule of DER (%s); make it again with a "
	    "standard tool",
	    inner.id);
}

static enum err_code
check_extension(struct der *exts, struct bytes whole, struct err *e)
{
	struct der ext = der_enter(exts, DER_SEQUENCE);
	struct bytes value;
	struct err inner;

	(void)der_get(&ext, DER_OID);
	/* DEFAULT FALSE must not be written (X.690 11.5). */
	if (der_peek(&ext) == DER_BOOLEAN && !der_get_bool(&ext))
		return malformed("extensions", e);
	value = der_get(&ext, DER_OCTET_STRING);
	if (!der_end(&ext))
		return malformed("extensions", e);
	if (der_strict(value, &inner) != ERR_OK) {
		inner.where.byte += (size_t)(value.p - whole.p);
		return not_der(&inner, e);
	}
	return ERR_OK;
}

static enum err_code
check_attributes(struct bytes attributes, struct bytes whole, struct err *e)
{
	struct der all = der_of(attributes);

	while (der_peek(&all) != 0) {
		struct der attr = der_enter(&all, DER_SEQUENCE), values;
		struct bytes oid = der_get(&attr, DER_OID);

		values = der_enter(&attr, DER_SET);
		if (!der_end(&attr) || der_peek(&values) == 0)
			return malformed("attributes", e);
		if (!bytes_eq(oid, bytes_of(oid_extension_request,
				       sizeof(oid_extension_request))))
			continue;
		struct der exts = der_enter(&values, DER_SEQUENCE);
		if (!der_end(&values) || der_peek(&exts) == 0)
			return malformed("extensions", e);
		while (der_peek(&exts) != 0)
			TRY(check_extension(&exts, whole, e));
		if (!der_end(&exts))
			return malformed("extensions", e);
	}
	return der_end(&all) ? ERR_OK : malformed("attributes", e);
}

static enum err_code
parse_info(struct csr *r, struct err *e)
{
	struct der d = der_of(r->info), in = der_enter(&d, DER_SEQUENCE);
	struct bytes attributes = BYTES_NONE;

	if (der_peek(&in) != DER_INTEGER || der_get_int(&in) != 0)
		return err_at(e, ERR_INVALID, "csr-version", "RFC 2986 4.1",
		    at_field("version"),
		    "the request has an unknown version; only version 1 "
		    "(written as 0) exists");
	if (!name_valid(der_element(&in)))
		return malformed("subject", e);
	r->spki = der_element(&in);
	if (in.bad || r->spki.p[0] != DER_SEQUENCE)
		return malformed("subjectPublicKeyInfo", e);
	/* RFC 2986 4.1 wants the attributes, empty or not. */
	if (!der_optional(&in, DER_CONTEXT_CONS(0), &attributes) ||
	    !der_end(&in))
		return malformed("attributes", e);
	return check_attributes(attributes, r->der, e);
}

static enum err_code
parse_der(struct bytes der, struct csr *out, struct err *e)
{
	struct csr r = { .der = der };
	struct err inner;

	if (der_strict(der, &inner) != ERR_OK) {
		if (strcmp(inner.id, "der-trailing") == 0)
			return err_at(e, ERR_INVALID, "csr-trailing",
			    "RFC 2986 4.2", inner.where,
			    "something follows the end of the request; send "
			    "the request alone");
		return not_der(&inner, e);
	}
	if (signed_split(der, &r.info, &r.sigalg, &r.signature, &inner) !=
	    ERR_OK)
		return malformed("CertificationRequest", e);
	TRY(parse_info(&r, e));
	if (sig_alg_find(r.sigalg) == NULL)
		return err_at(e, ERR_INVALID, "csr-algorithm", NULL,
		    at_field("signatureAlgorithm"),
		    "the request is signed with an algorithm that is not "
		    "allowed; use ECDSA, RSA or RSA-PSS "
		    "(rsa_pss_saltlen:digest) with SHA-256, SHA-384 or "
		    "SHA-512, Ed25519 or ML-DSA");
	TRY(spki_check(r.spki, &r.type, e));
	*out = r;
	return ERR_OK;
}

static enum err_code
too_large(struct err *e)
{
	return err_at(e, ERR_INVALID, "csr-too-large", NULL, NOWHERE,
	    "the request is longer than 16384 octets; send the request "
	    "alone");
}

enum err_code
csr_parse(struct bytes input, struct buf *scratch, struct csr *out,
    struct err *e)
{
	struct bytes der = input;
	const char *label = "CERTIFICATE REQUEST";

	if (contains(input, "PRIVATE KEY-----") || is_private_jwk(input))
		return private_key(scratch, e);
	if (input.len > CSR_MAX_BYTES)
		return too_large(e);
	if (input.len == 0)
		return malformed("CertificationRequest", e);
	if (input.p[0] != DER_SEQUENCE) {
		if (contains(input, "BEGIN NEW CERTIFICATE REQUEST"))
			label = "NEW CERTIFICATE REQUEST";
		buf_reset(scratch);
		TRY(pem_or_der(input, label, scratch, e));
		der = buf_bytes(scratch);
	}
	if (is_private_der(der))
		return private_key(scratch, e);
	return parse_der(der, out, e);
}

enum err_code
csr_prove(const struct csr *r, struct verifier *v, struct err *e)
{
	struct err inner;
	enum err_code code = verifier_check(v, r->spki, r->sigalg, r->info,
	    r->signature, &inner);

	if (code == ERR_OK)
		return ERR_OK;
	if (code != ERR_INVALID) {
		*e = inner;
		return code;
	}
	(void)err_at(e, ERR_INVALID, "csr-signature", "RFC 2986 4.2",
	    at_field("signature"),
	    "the request is not signed by the key that it names; sign it "
	    "with that key");
	return err_why(e, "%s", inner.say);
}

enum err_code
csr_build(struct key *key, const char *cn, struct buf *out, struct err *e)
{
	const struct name_attr attr = { OID_CN, bytes_str(cn), STRING_USUAL };
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	uint8_t memory[NAME_DER_MAX + SPKI_MAX + 64];
	struct der_w w = der_w_of(memory, sizeof(memory));
	size_t all = der_mark(&w);
	struct bytes info;

	TRY(name_build(&attr, 1, &name, e));
	der_put(&w, DER_CONTEXT_CONS(0), BYTES_NONE);
	der_raw(&w, key_spki(key));
	der_raw(&w, buf_bytes(&name));
	der_put_uint(&w, 0);
	der_wrap(&w, DER_SEQUENCE, all);
	TRY(der_w_end(&w, &info, e));
	TRY(key_sign(key, info, &sig, e));
	return signed_assemble(info, key_type_sigalg(key_type(key)),
	    buf_bytes(&sig), out, e);
}
