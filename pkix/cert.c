/*
 * Certificates, read in place (RFC 5280 4.1 and 4.2).
 */
#include <openssl/evp.h>

#include "internal.h"

static enum err_code
malformed(const char *part, struct err *e)
{
	return err_at(e, ERR_INVALID, "cert-form", "RFC 5280 4.1",
	    at_field(part), "the certificate is malformed in its %s", part);
}

enum err_code
signed_split(struct bytes der, struct bytes *tbs, struct bytes *sigalg,
    struct bytes *signature, struct err *e)
{
	struct der d = der_of(der), in = der_enter(&d, DER_SEQUENCE);
	struct bytes t = der_element(&in), a = der_element(&in), bits;

	bits = der_get(&in, DER_BIT_STRING);
	if (!der_end(&in) || !der_end(&d) || t.p[0] != DER_SEQUENCE ||
	    a.p[0] != DER_SEQUENCE || bits.len < 2 || bits.p[0] != 0)
		return err_at(e, ERR_INVALID, "signed-form", "RFC 5280 4.1.1",
		    NOWHERE,
		    "this is not a signed object: it wants content, algorithm "
		    "and signature");
	*tbs = t;
	*sigalg = a;
	*signature = bytes_of(bits.p + 1, bits.len - 1);
	return ERR_OK;
}

bool
name_shape_valid(uint8_t tag, struct bytes v)
{
	struct der in;

	switch (tag) {
	case DER_CONTEXT_CONS(0): /* otherName */
		in = der_of(v);
		(void)der_get(&in, DER_OID);
		v = der_get(&in, DER_CONTEXT_CONS(0));
		return v.len > 0 && der_end(&in);
	case DER_CONTEXT(1):
	case DER_CONTEXT(2):
	case DER_CONTEXT(6):
		return v.len > 0 && ia5_valid(v);
	case DER_CONTEXT_CONS(4):
		return name_valid(v);
	case DER_CONTEXT(7):
		return v.len == 4 || v.len == 16;
	case DER_CONTEXT_CONS(3):
	case DER_CONTEXT_CONS(5):
	case DER_CONTEXT(8):
		return v.len > 0;
	default:
		return false;
	}
}

static bool
general_name_valid(struct bytes whole)
{
	struct der d = der_of(whole);
	uint8_t tag = der_peek(&d);

	return name_shape_valid(tag, der_get(&d, tag));
}

/* One or more names until the end of d. */
static bool
names_until_end(struct der *d)
{
	if (der_peek(d) == 0)
		return false;
	while (der_peek(d) != 0) {
		if (!general_name_valid(der_element(d)))
			return false;
	}
	return der_end(d);
}

bool
general_names_valid(struct bytes names)
{
	struct der d = der_of(names), in = der_enter(&d, DER_SEQUENCE);

	return names_until_end(&in) && der_end(&d);
}

static bool
read_alt_names(struct cert *c, struct bytes v)
{
	(void)c;
	return general_names_valid(v);
}

static bool
read_basic(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE);

	/* FALSE is the default and must not be written (X.690 11.5). */
	if (der_peek(&in) == DER_BOOLEAN) {
		c->is_ca = der_get_bool(&in);
		if (!c->is_ca)
			return false;
	}
	if (c->is_ca && der_peek(&in) == DER_INTEGER) {
		int64_t len = der_get_int(&in);

		c->path_len = len > 255 ? 255 : (int)len;
	}
	return der_end(&in) && der_end(&d);
}

static bool
read_key_usage(struct cert *c, struct bytes v)
{
	struct der d = der_of(v);
	struct bytes bits = der_get(&d, DER_BIT_STRING);
	uint8_t last, unused;
	unsigned i;

	if (!der_end(&d) || bits.len < 2 || bits.len > 3)
		return false;
	last = bits.p[bits.len - 1];
	unused = bits.p[0];
	/* A list of named bits ends with a one (X.690 11.2.2). */
	if ((last >> unused & 1) == 0)
		return false;
	for (i = 0; i < (bits.len - 1) * 8; i++) {
		if ((bits.p[1 + i / 8] & (0x80u >> (i % 8))) != 0)
			c->key_usage |= (uint16_t)(1u << i);
	}
	return c->key_usage < 1u << 9;
}

static bool
read_ski(struct cert *c, struct bytes v)
{
	struct der d = der_of(v);

	c->ski = der_get(&d, DER_OCTET_STRING);
	return der_end(&d) && c->ski.len > 0 && c->ski.len <= 64;
}

static bool
read_aki(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE), names;
	struct bytes rest;
	bool issuer, serial;

	(void)der_optional(&in, DER_CONTEXT(0), &c->aki);
	issuer = der_optional(&in, DER_CONTEXT_CONS(1), &rest);
	if (issuer) {
		names = der_of(rest);
		if (!names_until_end(&names))
			return false;
	}
	serial = der_optional(&in, DER_CONTEXT(2), &rest);
	return issuer == serial && der_end(&in) && der_end(&d) &&
	       c->aki.len <= 64 && (c->aki.len > 0 || serial);
}

static bool
read_eku(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE);

	(void)c;
	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0)
		(void)der_get(&in, DER_OID);
	return der_end(&in) && der_end(&d);
}

static bool
read_crldp(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE), dp, names;
	struct bytes name, part;

	(void)c;
	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0) {
		dp = der_enter(&in, DER_SEQUENCE);
		if (der_optional(&dp, DER_CONTEXT_CONS(0), &name)) {
			names = der_of(name);
			if (der_peek(&names) == DER_CONTEXT_CONS(0)) {
				struct der full =
				    der_enter(&names, DER_CONTEXT_CONS(0));

				if (!names_until_end(&full))
					return false;
			} else {
				(void)der_get(&names, DER_CONTEXT_CONS(1));
			}
			if (!der_end(&names))
				return false;
		}
		(void)der_optional(&dp, DER_CONTEXT(1), &part);
		(void)der_optional(&dp, DER_CONTEXT_CONS(2), &part);
		if (!der_end(&dp))
			return false;
	}
	return der_end(&in) && der_end(&d);
}

static bool
read_aia(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE), ad;

	(void)c;
	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0) {
		ad = der_enter(&in, DER_SEQUENCE);
		(void)der_get(&ad, DER_OID);
		if (!general_name_valid(der_element(&ad)) || !der_end(&ad))
			return false;
	}
	return der_end(&in) && der_end(&d);
}

static bool
read_policies(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE), info, q;
	struct bytes quals;

	(void)c;
	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0) {
		info = der_enter(&in, DER_SEQUENCE);
		(void)der_get(&info, DER_OID);
		if (der_optional(&info, DER_SEQUENCE, &quals)) {
			struct der all = der_of(quals);

			if (der_peek(&all) == 0)
				return false;
			while (der_peek(&all) != 0) {
				q = der_enter(&all, DER_SEQUENCE);
				(void)der_get(&q, DER_OID);
				(void)der_element(&q);
				if (!der_end(&q))
					return false;
			}
			if (!der_end(&all))
				return false;
		}
		if (!der_end(&info))
			return false;
	}
	return der_end(&in) && der_end(&d);
}

static bool
read_constraints(struct cert *c, struct bytes v)
{
	(void)c;
	return constraints_valid(v);
}

static bool
read_qc(struct cert *c, struct bytes v)
{
	(void)c;
	return qc_valid(v);
}

static bool
read_nocheck(struct cert *c, struct bytes v)
{
	(void)c;
	return v.len == 2 && v.p[0] == DER_NULL && v.p[1] == 0;
}

/* clang-format off */
static const struct ext_rule {
	enum pkix_oid oid;
	bool (*read)(struct cert *c, struct bytes value);
	const char *word;
} ext_rules[] = {
	{ OID_EXT_BASIC,       read_basic,       "basicConstraints" },
	{ OID_EXT_KEY_USAGE,   read_key_usage,   "keyUsage" },
	{ OID_EXT_EKU,         read_eku,         "extKeyUsage" },
	{ OID_EXT_SKI,         read_ski,         "subjectKeyIdentifier" },
	{ OID_EXT_AKI,         read_aki,         "authorityKeyIdentifier" },
	{ OID_EXT_POLICIES,    read_policies,    "certificatePolicies" },
	{ OID_EXT_SAN,         read_alt_names,   "subjectAltName" },
	{ OID_EXT_IAN,         read_alt_names,   "issuerAltName" },
	{ OID_EXT_CONSTRAINTS, read_constraints, "nameConstraints" },
	{ OID_EXT_CRLDP,       read_crldp,       "cRLDistributionPoints" },
	{ OID_EXT_FRESHEST,    read_crldp,       "freshestCRL" },
	{ OID_EXT_AIA,         read_aia,         "authorityInfoAccess" },
	{ OID_EXT_QC,          read_qc,          "qcStatements" },
	{ OID_EXT_NOCHECK,     read_nocheck,     "ocsp-nocheck" },
};
/* clang-format on */

static enum err_code
read_known(struct cert *c, const struct cert_ext *x, bool own, struct err *e)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(ext_rules); i++) {
		if (!bytes_eq(x->oid, oid_known(ext_rules[i].oid)))
			continue;
		TRY(der_strict(x->value, e));
		if (!ext_rules[i].read(c, x->value))
			return malformed(ext_rules[i].word, e);
		return ERR_OK;
	}
	if (x->critical && !own)
		return err_at(e, ERR_INVALID, "cert-critical", "RFC 5280 4.2",
		    at_field("extensions"),
		    "the certificate has a critical extension that is not "
		    "known here");
	return ERR_OK;
}

static enum err_code
read_extension(struct cert *c, struct der *all, bool own, struct err *e)
{
	struct der ext = der_enter(all, DER_SEQUENCE);
	struct cert_ext x = { .oid = der_get(&ext, DER_OID) };
	size_t i;

	if (der_peek(&ext) == DER_BOOLEAN) {
		x.critical = der_get_bool(&ext);
		if (!x.critical)
			return malformed("extensions", e);
	}
	x.value = der_get(&ext, DER_OCTET_STRING);
	if (!der_end(&ext))
		return malformed("extensions", e);
	for (i = 0; i < c->n_ext; i++) {
		if (bytes_eq(c->ext[i].oid, x.oid))
			return err_at(e, ERR_INVALID, "cert-ext-twice",
			    "RFC 5280 4.2", at_field("extensions"),
			    "the certificate has the same extension twice");
	}
	if (c->n_ext == CERT_EXTS_MAX)
		return err_at(e, ERR_INVALID, "cert-ext-count", NULL,
		    at_field("extensions"),
		    "the certificate has more than 20 extensions");
	c->ext[c->n_ext++] = x;
	return read_known(c, &x, own, e);
}

static enum err_code
read_serial(struct cert *c, struct der *t, struct err *e)
{
	struct bytes serial = der_get(t, DER_INTEGER);

	if (t->bad)
		return malformed("serialNumber", e);
	c->serial = magnitude_of(serial);
	if (serial.p[0] >= 0x80 || c->serial.len > SERIAL_MAX ||
	    (c->serial.len == 1 && c->serial.p[0] == 0))
		return err_at(e, ERR_INVALID, "cert-serial", "RFC 5280 4.1.2.2",
		    at_field("serialNumber"),
		    "the serial number is not a positive number of at most "
		    "20 octets");
	return ERR_OK;
}

static enum err_code
read_validity(struct cert *c, struct der *t, struct err *e)
{
	struct der v = der_enter(t, DER_SEQUENCE);

	c->not_before = der_get_time(&v);
	c->not_after = der_get_time(&v);
	if (!der_end(&v))
		return malformed("validity", e);
	return ERR_OK;
}

static enum err_code
read_tbs(struct cert *c, bool own, struct err *e)
{
	struct der d = der_of(c->tbs), t = der_enter(&d, DER_SEQUENCE), v, all;
	struct bytes version = BYTES_NONE, exts;
	struct bytes alg;

	(void)der_optional(&t, DER_CONTEXT_CONS(0), &version);
	v = der_of(version);
	if (version.len == 0 || der_get_int(&v) != 2 || !der_end(&v))
		return err_at(e, ERR_INVALID, "cert-version",
		    "RFC 5280 4.1.2.1", at_field("version"),
		    "the certificate is not of version 3");
	TRY(read_serial(c, &t, e));
	alg = der_element(&t);
	if (!bytes_eq(alg, c->sigalg))
		return err_at(e, ERR_INVALID, "cert-algorithm",
		    "RFC 5280 4.1.1.2", at_field("signature"),
		    "the certificate names one signature algorithm inside and "
		    "another outside");
	c->issuer = der_element(&t);
	if (!name_valid(c->issuer))
		return malformed("issuer", e);
	TRY(read_validity(c, &t, e));
	c->subject = der_element(&t);
	if (!name_valid(c->subject))
		return malformed("subject", e);
	c->spki = der_element(&t);
	if (t.bad || c->spki.p[0] != DER_SEQUENCE)
		return malformed("subjectPublicKeyInfo", e);
	if (!der_optional(&t, DER_CONTEXT_CONS(3), &exts) || !der_end(&t))
		return malformed("extensions", e);
	d = der_of(exts);
	all = der_enter(&d, DER_SEQUENCE);
	if (!der_end(&d) || der_peek(&all) == 0)
		return malformed("extensions", e);
	while (der_peek(&all) != 0)
		TRY(read_extension(c, &all, own, e));
	return der_end(&all) ? ERR_OK : malformed("extensions", e);
}

static enum err_code
parse(struct bytes der, bool own, struct cert *out, struct err *e)
{
	struct cert c = { .der = der, .path_len = -1 };
	struct err inner;

	if (der.len == 0 || der.len > CERT_MAX_BYTES)
		return err_at(e, ERR_INVALID, "cert-size", NULL, NOWHERE,
		    "the certificate is empty or longer than 16384 octets");
	TRY(der_strict(der, e));
	if (signed_split(der, &c.tbs, &c.sigalg, &c.signature, &inner) !=
	    ERR_OK)
		return malformed("Certificate", e);
	TRY(read_tbs(&c, own, e));
	*out = c;
	return ERR_OK;
}

enum err_code
cert_parse(struct bytes der, struct cert *out, struct err *e)
{
	return parse(der, false, out, e);
}

enum err_code
cert_parse_own(struct bytes der, struct cert *out, struct err *e)
{
	return parse(der, true, out, e);
}

void
cert_declare(struct cert *c, struct bytes oid, bool critical)
{
	size_t i;

	for (i = 0; i < c->n_ext && ext_is_private(oid); i++) {
		if (bytes_eq(c->ext[i].oid, oid) &&
		    c->ext[i].critical == critical)
			c->ext[i].declared = true;
	}
}

const struct cert_ext *
cert_find_ext(const struct cert *c, enum pkix_oid oid)
{
	size_t i;

	for (i = 0; i < c->n_ext; i++) {
		if (bytes_eq(c->ext[i].oid, oid_known(oid)))
			return &c->ext[i];
	}
	return NULL;
}

bool
cert_has_eku(const struct cert *c, enum pkix_oid eku)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_EKU);
	struct der d, in;

	if (x == NULL)
		return false;
	d = der_of(x->value);
	in = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&in) != 0) {
		if (bytes_eq(der_get(&in, DER_OID), oid_known(eku)))
			return true;
	}
	return false;
}

enum err_code
cert_check_issued(const struct cert *c, const struct cert *issuer, int64_t t,
    struct verifier *v, struct err *e)
{
	if (!bytes_eq(c->issuer, issuer->subject))
		return err_at(e, ERR_INVALID, "cert-issuer", "RFC 5280 4.1.2.4",
		    at_field("issuer"),
		    "the certificate names another issuer than this one");
	if (c->aki.len > 0 && issuer->ski.len > 0 &&
	    !bytes_eq(c->aki, issuer->ski))
		return err_at(e, ERR_INVALID, "cert-aki", "RFC 5280 4.2.1.1",
		    at_field("authorityKeyIdentifier"),
		    "the certificate was made with another key of this "
		    "issuer");
	if (!issuer->is_ca || (issuer->key_usage & KU_KEY_CERT_SIGN) == 0)
		return err_at(e, ERR_INVALID, "cert-not-ca", "RFC 5280 4.2.1.9",
		    at_field("basicConstraints"),
		    "the issuer's certificate is not that of a CA");
	if (t < c->not_before)
		return err_at(e, ERR_INVALID, "cert-not-yet",
		    "RFC 5280 4.1.2.5", at_field("validity"),
		    "the certificate is not yet valid at that time");
	if (t > c->not_after)
		return err_at(e, ERR_INVALID, "cert-expired",
		    "RFC 5280 4.1.2.5", at_field("validity"),
		    "the certificate was no longer valid at that time");
	if (t < issuer->not_before || t > issuer->not_after)
		return err_at(e, ERR_INVALID, "cert-issuer-expired",
		    "RFC 5280 4.1.2.5", at_field("validity"),
		    "the certificate's issuer was not valid at that time");
	return verifier_check(v, issuer->spki, c->sigalg, c->tbs, c->signature,
	    e);
}

static bool
sha1(uint8_t out[20], struct bytes b)
{
	return EVP_Digest(b.p, b.len, out, NULL, EVP_sha1(), NULL) == 1;
}

enum err_code
spki_key_sha1(struct bytes spki, uint8_t out[20], struct err *e)
{
	struct spki_parts k;

	TRY(spki_split(spki, &k, e));
	return sha1(out, k.key)
		   ? ERR_OK
		   : err_openssl(e, "hash-failed", "a hash failed");
}

enum err_code
issuer_id_of(const struct cert *ca, struct issuer_id *out, struct err *e)
{
	struct spki_parts k;
	struct issuer_id id;

	TRY(spki_split(ca->spki, &k, e));
	sha256(id.name_sha256, ca->subject);
	sha256(id.key_sha256, k.key);
	/* RFC 6960 4.1.1 and RFC 9919: a name for a key, not a signature. */
	if (!sha1(id.name_sha1, ca->subject) || !sha1(id.key_sha1, k.key))
		return err_openssl(e, "hash-failed", "a hash failed");
	*out = id;
	return ERR_OK;
}
