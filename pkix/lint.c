/*
 * Lint: one row for each rule, with its citation.  It reads the bytes of the
 * certificate again on its own, so that a fault of the builder and a fault of
 * the parser do not excuse each other.
 */
#include <stdio.h>

#include "internal.h"

#define K_ROOT           (1u << LINT_ROOT)
#define K_CA             (1u << LINT_CA)
#define K_HOLDER         (1u << LINT_HOLDER)
#define K_ENDORSER       (1u << LINT_ENDORSER)
#define K_OCSP           (1u << LINT_OCSP)
#define K_CAS            (K_ROOT | K_CA)
#define K_PEOPLE         (K_HOLDER | K_ENDORSER)
#define K_ENDS           (K_PEOPLE | K_OCSP)
#define K_ALL            (K_CAS | K_ENDS)

#define KU_ENCIPHER_ONLY (1u << 7)
#define KU_DECIPHER_ONLY (1u << 8)

/* What several rules need, read once. */
struct facts {
	struct bytes serial; /* content of the INTEGER, with sign octet */
	struct bytes inner_sigalg;
	uint8_t before_tag, after_tag;
	struct spki_parts key;
	bool key_known;
};

static void
gather(const struct cert *c, struct facts *f)
{
	struct der d = der_of(c->tbs), t = der_enter(&d, DER_SEQUENCE), v;
	struct err ignored;

	*f = (struct facts){ .before_tag = 0 };
	(void)der_get(&t, DER_CONTEXT_CONS(0));
	f->serial = der_get(&t, DER_INTEGER);
	f->inner_sigalg = der_element(&t);
	(void)der_element(&t);
	v = der_enter(&t, DER_SEQUENCE);
	f->before_tag = der_peek(&v);
	(void)der_element(&v);
	f->after_tag = der_peek(&v);
	f->key_known = spki_split(c->spki, &f->key, &ignored) == ERR_OK;
}

/* --- Serial, algorithm, validity ------------------------------------------------ */

static bool
serial_size(const struct cert *c, const struct facts *f)
{
	(void)c;
	return f->serial.len == 0 || f->serial.len > 20 ||
	       f->serial.p[0] >= 0x80;
}

static bool
serial_short(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->serial.len < 16;
}

static bool
algorithm_differs(const struct cert *c, const struct facts *f)
{
	return !bytes_eq(f->inner_sigalg, c->sigalg);
}

static bool
algorithm_unknown(const struct cert *c, const struct facts *f)
{
	(void)f;
	return sig_alg_find(c->sigalg) == NULL;
}

/* 2050-01-01T00:00:00Z */
#define YEAR_2050 INT64_C(2524608000)

static bool
time_form(const struct cert *c, const struct facts *f)
{
	return (f->before_tag == DER_UTC_TIME) != (c->not_before < YEAR_2050) ||
	       (f->after_tag == DER_UTC_TIME) != (c->not_after < YEAR_2050);
}

static bool
validity_order(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->not_after < c->not_before;
}

/* Both ends belong to the period: 90 days end at 23:59:59, not at 00:00:00. */
static bool
extra_second(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->not_after > c->not_before &&
	       (c->not_after - c->not_before) % DAY == 0;
}

/* --- Names ------------------------------------------------------------------------ */

static bool
is_empty_name(struct bytes name)
{
	return name.len <= 2;
}

static bool
name_missing(const struct cert *c, const struct facts *f)
{
	(void)f;
	return is_empty_name(c->issuer) || is_empty_name(c->subject);
}

static bool
root_issuer(const struct cert *c, const struct facts *f)
{
	(void)f;
	return !bytes_eq(c->issuer, c->subject);
}

static bool
own_issuer(const struct cert *c, const struct facts *f)
{
	(void)f;
	return bytes_eq(c->issuer, c->subject);
}

struct attr {
	struct bytes oid, value;
	uint8_t tag;
};

/* Is there an attribute of the subject or the issuer that breaks the rule? */
static bool
any_attr(const struct cert *c, bool (*broken)(const struct attr *a))
{
	const struct bytes names[] = { c->issuer, c->subject };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		struct der d = der_of(names[i]);
		struct der rdns = der_enter(&d, DER_SEQUENCE);

		while (der_peek(&rdns) != 0) {
			struct der rdn = der_enter(&rdns, DER_SET);

			while (der_peek(&rdn) != 0) {
				struct der atv = der_enter(&rdn, DER_SEQUENCE);
				struct attr a;

				a.oid = der_get(&atv, DER_OID);
				a.tag = der_peek(&atv);
				a.value = der_get(&atv, a.tag);
				if (atv.bad || broken(&a))
					return true;
			}
		}
	}
	return false;
}

static bool
attr_is(const struct attr *a, enum pkix_oid type)
{
	return bytes_eq(a->oid, oid_known(type));
}

static bool
alphabet_broken(const struct attr *a)
{
	if (a->tag == DER_PRINTABLE_STRING)
		return !printable_valid(a->value);
	if (a->tag == DER_IA5_STRING)
		return !ia5_valid(a->value);
	return a->tag == DER_UTF8_STRING && !utf8_valid(a->value);
}

static bool
name_alphabet(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, alphabet_broken);
}

static bool
string_type_broken(const struct attr *a)
{
	if (attr_is(a, OID_C) || attr_is(a, OID_SERIAL_NUMBER))
		return a->tag != DER_PRINTABLE_STRING;
	if (attr_is(a, OID_EMAIL))
		return a->tag != DER_IA5_STRING;
	return a->tag != DER_UTF8_STRING && a->tag != DER_PRINTABLE_STRING;
}

static bool
name_string_type(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, string_type_broken);
}

static bool
length_broken(const struct attr *a)
{
	size_t n = a->tag == DER_UTF8_STRING && utf8_valid(a->value)
		       ? utf8_count(a->value)
		       : a->value.len;

	if (attr_is(a, OID_EMAIL))
		return n == 0 || n > 255;
	return n == 0 || n > 64;
}

static bool
name_length(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, length_broken);
}

static bool
country_broken(const struct attr *a)
{
	return attr_is(a, OID_C) && !country_known(a->value);
}

static bool
name_country(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, country_broken);
}

/* --- Key and usage ------------------------------------------------------------------ */

static bool
key_refused(const struct cert *c, const struct facts *f)
{
	enum key_type type;
	struct err ignored;

	(void)f;
	return spki_check(c->spki, &type, &ignored) != ERR_OK;
}

static bool
basic_missing(const struct cert *c, const struct facts *f)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_BASIC);

	(void)f;
	return x == NULL || !x->critical;
}

static bool
not_ca(const struct cert *c, const struct facts *f)
{
	(void)f;
	return !c->is_ca;
}

static bool
is_ca(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->is_ca;
}

/* Without cA the content is an empty SEQUENCE and nothing else. */
static bool
basic_not_empty(const struct cert *c, const struct facts *f)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_BASIC);

	(void)f;
	return x != NULL && !c->is_ca && x->value.len != 2;
}

static bool
path_length(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->path_len != 0;
}

static bool
usage_missing(const struct cert *c, const struct facts *f)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_KEY_USAGE);

	(void)f;
	return x == NULL || !x->critical;
}

static bool
usage_of_ca(const struct cert *c, const struct facts *f)
{
	const unsigned want = KU_KEY_CERT_SIGN | KU_CRL_SIGN;

	(void)f;
	return (c->key_usage & want) != want ||
	       (c->key_usage & ~(want | KU_DIGITAL_SIGNATURE)) != 0;
}

static bool
usage_of_end(const struct cert *c, const struct facts *f)
{
	(void)f;
	return (c->key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0 ||
	       (c->key_usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) ==
		   0;
}

static bool
usage_and_key(const struct cert *c, const struct facts *f)
{
	const unsigned only = KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
	unsigned refused = KU_KEY_AGREEMENT | only;

	if (!f->key_known)
		return true;
	/* RSA does not agree on keys, EC does not encipher, Ed25519 neither. */
	if (f->key.family == FAMILY_P256 || f->key.family == FAMILY_P384)
		refused = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
	else if (f->key.family == FAMILY_ED25519)
		refused |= KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
	return (c->key_usage & refused) != 0 ||
	       ((c->key_usage & only) != 0 &&
		   (c->key_usage & KU_KEY_AGREEMENT) == 0);
}

static bool
eku_critical(const struct cert *c, const struct facts *f)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_EKU);

	(void)f;
	return x != NULL && x->critical;
}

/* The extension holds this one purpose and no other. */
static bool
eku_is_only(const struct cert *c, enum pkix_oid eku)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_EKU);

	return x != NULL && cert_has_eku(c, eku) &&
	       x->value.len == oid_known(eku).len + 4;
}

static bool
eku_of_endorser(const struct cert *c, const struct facts *f)
{
	return !eku_critical(c, f) || !eku_is_only(c, OID_EKU_ENDORSER);
}

static bool
endorser_purpose(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_has_eku(c, OID_EKU_ENDORSER);
}

static bool
ocsp_purpose(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_has_eku(c, OID_EKU_OCSP);
}

static bool
eku_of_ocsp(const struct cert *c, const struct facts *f)
{
	(void)f;
	return !eku_is_only(c, OID_EKU_OCSP);
}

/* --- Other extensions --------------------------------------------------------------- */

static bool
key_ids(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->ski.len == 0 || c->aki.len == 0;
}

static bool
root_key_ids(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->ski.len == 0 || (c->aki.len > 0 && !bytes_eq(c->ski, c->aki));
}

/* Only these may be critical; basicConstraints and keyUsage must be. */
static bool
critical_set(const struct cert *c, const struct facts *f)
{
	size_t i;

	(void)f;
	for (i = 0; i < c->n_ext; i++) {
		const struct cert_ext *x = &c->ext[i];

		if (x->critical &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_BASIC)) &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_KEY_USAGE)) &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_EKU)))
			return true;
	}
	return false;
}

static bool
unknown_extension(const struct cert *c, const struct facts *f)
{
	static const enum pkix_oid ours[] = { OID_EXT_BASIC, OID_EXT_KEY_USAGE,
		OID_EXT_EKU, OID_EXT_SKI, OID_EXT_AKI, OID_EXT_POLICIES,
		OID_EXT_SAN, OID_EXT_IAN, OID_EXT_CRLDP, OID_EXT_AIA,
		OID_EXT_NOCHECK };
	size_t i, k;

	(void)f;
	for (i = 0; i < c->n_ext; i++) {
		for (k = 0; k < ARRAY_LEN(ours); k++) {
			if (bytes_eq(c->ext[i].oid, oid_known(ours[k])))
				break;
		}
		if (k == ARRAY_LEN(ours))
			return true;
	}
	return false;
}

static bool
san_missing(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_find_ext(c, OID_EXT_SAN) == NULL;
}

/* Runs over the GeneralNames of SAN and IAN. */
static bool
any_name(const struct cert *c, bool (*broken)(uint8_t tag, struct bytes v))
{
	static const enum pkix_oid exts[] = { OID_EXT_SAN, OID_EXT_IAN };
	size_t i;

	for (i = 0; i < ARRAY_LEN(exts); i++) {
		const struct cert_ext *x = cert_find_ext(c, exts[i]);
		struct der d, in;

		if (x == NULL)
			continue;
		d = der_of(x->value);
		in = der_enter(&d, DER_SEQUENCE);
		while (der_peek(&in) != 0) {
			uint8_t tag = der_peek(&in);

			if (broken(tag, der_get(&in, tag)) || in.bad)
				return true;
		}
	}
	return false;
}

/* A RUT is an IA5String in the stored form with the right check digit. */
static bool
rut_broken(uint8_t tag, struct bytes v)
{
	struct der d = der_of(v), in;
	char text[RUN_TEXT];
	struct err ignored;
	struct bytes oid;

	if (tag != DER_CONTEXT_CONS(0))
		return false;
	oid = der_get(&d, DER_OID);
	if (!bytes_eq(oid, oid_known(OID_RUT_HOLDER)) &&
	    !bytes_eq(oid, oid_known(OID_RUT_CERTIFIER)))
		return false;
	in = der_enter(&d, DER_CONTEXT_CONS(0));
	v = der_get(&in, DER_IA5_STRING);
	return !der_end(&in) || run_parse(v, text, &ignored) != ERR_OK ||
	       !bytes_is(v, text);
}

static bool
rut_form(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_name(c, rut_broken);
}

static bool
email_broken(uint8_t tag, struct bytes v)
{
	struct err ignored;

	return tag == DER_CONTEXT(1) && email_check(v, &ignored) != ERR_OK;
}

static bool
email_form(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_name(c, email_broken);
}

static bool
starts_http(struct bytes v)
{
	return v.len > 7 && memcmp(v.p, "http://", 7) == 0 &&
	       ascii_printable(v) && memchr(v.p, ' ', v.len) == NULL;
}

/* Every URL below CRLDP and AIA is http; nothing else is there. */
static bool
crl_urls(const struct cert *c)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_CRLDP);
	struct der d, all, dp, name, full;

	if (x == NULL)
		return true;
	d = der_of(x->value);
	all = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&all) != 0) {
		dp = der_enter(&all, DER_SEQUENCE);
		name = der_enter(&dp, DER_CONTEXT_CONS(0));
		full = der_enter(&name, DER_CONTEXT_CONS(0));
		if (!starts_http(der_get(&full, DER_CONTEXT(6))) ||
		    !der_end(&full) || !der_end(&dp))
			return false;
	}
	return der_end(&all);
}

static bool
access_urls(const struct cert *c)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_AIA);
	struct der d, all, ad;

	if (x == NULL)
		return true;
	d = der_of(x->value);
	all = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&all) != 0) {
		ad = der_enter(&all, DER_SEQUENCE);
		(void)der_get(&ad, DER_OID);
		if (!starts_http(der_get(&ad, DER_CONTEXT(6))) || !der_end(&ad))
			return false;
	}
	return der_end(&all);
}

static bool
url_scheme(const struct cert *c, const struct facts *f)
{
	(void)f;
	return !crl_urls(c) || !access_urls(c);
}

/* Content of a qualifier: CPS in IA5String, or UserNotice with UTF8String. */
static bool
qualifier_fits(struct der *q)
{
	struct bytes oid = der_get(q, DER_OID), v;
	struct der notice;

	if (bytes_eq(oid, oid_known(OID_QT_CPS))) {
		v = der_get(q, DER_IA5_STRING);
		return der_end(q) && v.len > 0 && ascii_printable(v);
	}
	if (!bytes_eq(oid, oid_known(OID_QT_NOTICE)))
		return false;
	notice = der_enter(q, DER_SEQUENCE);
	v = der_get(&notice, DER_UTF8_STRING);
	return der_end(&notice) && der_end(q) && v.len > 0 && utf8_valid(v) &&
	       utf8_count(v) <= 200;
}

static bool
policies(const struct cert *c, const struct facts *f)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_POLICIES);
	struct der d, all, info, q;
	struct bytes quals;

	(void)f;
	if (x == NULL)
		return false;
	d = der_of(x->value);
	all = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&all) != 0) {
		info = der_enter(&all, DER_SEQUENCE);
		(void)der_get(&info, DER_OID);
		if (!der_optional(&info, DER_SEQUENCE, &quals))
			continue;
		d = der_of(quals);
		while (der_peek(&d) != 0) {
			q = der_enter(&d, DER_SEQUENCE);
			if (!qualifier_fits(&q))
				return true;
		}
	}
	return !der_end(&all);
}

static bool
nocheck_elsewhere(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_find_ext(c, OID_EXT_NOCHECK) != NULL;
}

/* BR 7.1.2.8, which fits every delegated responder. */
static bool
ocsp_extensions(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_find_ext(c, OID_EXT_NOCHECK) == NULL ||
	       cert_find_ext(c, OID_EXT_CRLDP) != NULL ||
	       cert_find_ext(c, OID_EXT_AIA) != NULL ||
	       cert_find_ext(c, OID_EXT_SAN) != NULL;
}

static bool
ocsp_usage(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->key_usage != KU_DIGITAL_SIGNATURE;
}

static bool
ocsp_life(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->not_after - c->not_before + 1 > 30 * DAY;
}

/* clang-format off */
static const struct rule {
	unsigned kinds;
	bool (*broken)(const struct cert *c, const struct facts *f);
	const char *id, *rule, *field, *say;
} rules[] = {
	{ K_ALL, serial_size, "lint-serial-size", "RFC 5280 4.1.2.2", "serialNumber",
	  "the serial number is not positive or longer than 20 octets" },
	{ K_ALL, serial_short, "lint-serial-short", "BR 7.1", "serialNumber",
	  "the serial number has fewer than 16 octets" },
	{ K_ALL, algorithm_differs, "lint-algorithm-differs", "RFC 5280 4.1.1.2", "signature",
	  "the signature algorithms inside and outside differ" },
	{ K_ALL, algorithm_unknown, "lint-algorithm", "RFC 8603 3", "signatureAlgorithm",
	  "the signature algorithm is not one that exists here" },
	{ K_ALL, time_form, "lint-time-form", "RFC 5280 4.1.2.5", "validity",
	  "times through 2049 are UTCTime, later ones GeneralizedTime" },
	{ K_ALL, validity_order, "lint-validity-order", "RFC 5280 4.1.2.5", "validity",
	  "the certificate ends before it begins" },
	{ K_ALL, extra_second, "lint-extra-second", "RFC 5280 4.1.2.5", "validity",
	  "the period is one second longer than a whole number of days: both its ends belong to it" },
	{ K_ALL, name_missing, "lint-name-missing", "RFC 5280 4.1.2.4", "subject",
	  "the issuer or the subject has no attributes" },
	{ K_ROOT, root_issuer, "lint-root-issuer", "RFC 5280 3.2", "issuer",
	  "a root names another issuer than itself" },
	{ K_CA | K_ENDS, own_issuer, "lint-own-issuer", "RFC 5280 3.2", "issuer",
	  "the certificate names itself as its issuer" },
	{ K_ALL, name_alphabet, "lint-name-alphabet", "X.680 41.4", "subject",
	  "a name holds a character outside the alphabet of its string type" },
	{ K_ALL, name_string_type, "lint-name-string-type", "RFC 5280 4.1.2.4", "subject",
	  "a name holds an attribute in the wrong string type" },
	{ K_ALL, name_length, "lint-name-length", "RFC 5280 appendix A.1", "subject",
	  "a name holds an attribute that is empty or over its upper bound" },
	{ K_ALL, name_country, "lint-name-country", "ISO 3166-1", "subject",
	  "a name holds a country that ISO 3166-1 does not know" },
	{ K_ALL, key_refused, "lint-key", "RFC 5280 4.1.2.7", "subjectPublicKeyInfo",
	  "the public key is weak, malformed or of a kind that is not allowed" },
	{ K_ALL, basic_missing, "lint-basic-missing", "RFC 5280 4.2.1.9", "basicConstraints",
	  "basicConstraints is missing or not critical" },
	{ K_CAS, not_ca, "lint-not-ca", "RFC 5280 4.2.1.9", "basicConstraints",
	  "the certificate of a CA does not say that it is one" },
	{ K_ENDS, is_ca, "lint-is-ca", "RFC 5280 4.2.1.9", "basicConstraints",
	  "the certificate says CA:TRUE, which only a CA may" },
	{ K_ENDS, basic_not_empty, "lint-basic-content", "BR 7.1.2.7.8", "basicConstraints",
	  "basicConstraints of an end entity is not exactly an empty SEQUENCE" },
	{ K_CA, path_length, "lint-path-length", "RFC 5280 4.2.1.9", "basicConstraints",
	  "an issuing CA must have a path length of 0" },
	{ K_ALL, usage_missing, "lint-key-usage-missing", "RFC 5280 4.2.1.3", "keyUsage",
	  "keyUsage is missing or not critical" },
	{ K_CAS, usage_of_ca, "lint-key-usage-ca", "RFC 5280 4.2.1.3", "keyUsage",
	  "keyUsage of a CA is not keyCertSign and cRLSign" },
	{ K_ENDS, usage_of_end, "lint-key-usage-end", "RFC 5280 4.2.1.3", "keyUsage",
	  "keyUsage has a bit of CAs, or neither digitalSignature nor nonRepudiation" },
	{ K_ALL, usage_and_key, "lint-key-usage-key", "RFC 5480 3", "keyUsage",
	  "keyUsage has a bit that this kind of key cannot serve" },
	{ K_CAS | K_HOLDER | K_OCSP, eku_critical, "lint-eku-critical", "RFC 5280 4.2.1.12", "extKeyUsage",
	  "extKeyUsage is critical, which only that of an endorser is" },
	{ K_ENDORSER, eku_of_endorser, "lint-eku-endorser", "RFC 5280 4.2.1.12", "extKeyUsage",
	  "the certificate of an endorser must have that one purpose, critical" },
	{ K_CAS | K_HOLDER | K_OCSP, endorser_purpose, "lint-eku-endorser-elsewhere", NULL, "extKeyUsage",
	  "only the certificate of an endorser has the purpose of endorsing" },
	{ K_CAS | K_PEOPLE, ocsp_purpose, "lint-eku-ocsp-elsewhere", "BR 4.9.9", "extKeyUsage",
	  "OCSPSigning stands in a certificate that is not an OCSP responder's" },
	{ K_OCSP, eku_of_ocsp, "lint-eku-ocsp", "RFC 6960 4.2.2.2", "extKeyUsage",
	  "the certificate of an OCSP responder must have OCSPSigning and no other purpose" },
	{ K_CA | K_ENDS, key_ids, "lint-key-ids", "RFC 5280 4.2.1.1", "authorityKeyIdentifier",
	  "the subject or the authority key identifier is missing" },
	{ K_ROOT, root_key_ids, "lint-root-key-ids", "RFC 5280 4.2.1.2", "subjectKeyIdentifier",
	  "a root lacks its key identifier or names another one as its issuer's" },
	{ K_ALL, critical_set, "lint-critical", "RFC 5280 4.2", "extensions",
	  "an extension is critical that must not be" },
	{ K_ALL, unknown_extension, "lint-extension", "RFC 5280 4.2", "extensions",
	  "there is an extension that no profile here has" },
	{ K_HOLDER, san_missing, "lint-san-missing", "Ley 19.799 art. 15", "subjectAltName",
	  "the certificate of a holder has no subjectAltName" },
	{ K_ALL, rut_form, "lint-rut-form", "DS 181/2002", "subjectAltName",
	  "a RUT is not an IA5String in the form 12345678-5 with its right check digit" },
	{ K_ALL, email_form, "lint-email-form", "RFC 5280 4.2.1.6", "subjectAltName",
	  "a name holds something that is not an e-mail address" },
	{ K_ALL, url_scheme, "lint-url", "RFC 5280 4.2.1.13", "cRLDistributionPoints",
	  "a URL of CRL, OCSP or issuer certificate does not begin with http://" },
	{ K_ALL, policies, "lint-policies", "RFC 5280 4.2.1.4", "certificatePolicies",
	  "a policy qualifier is unknown, in the wrong string type or too long" },
	{ K_CAS | K_PEOPLE, nocheck_elsewhere, "lint-nocheck-elsewhere", "RFC 6960 4.2.2.2.1", "extensions",
	  "ocsp-nocheck stands in a certificate that is not an OCSP responder's" },
	{ K_OCSP, ocsp_extensions, "lint-ocsp-extensions", "BR 7.1.2.8", "extensions",
	  "the certificate of an OCSP responder lacks nocheck, or has CRLDP, AIA or subjectAltName" },
	{ K_OCSP, ocsp_usage, "lint-ocsp-usage", "BR 7.1.2.8", "keyUsage",
	  "keyUsage of an OCSP responder is not digitalSignature alone" },
	{ K_OCSP, ocsp_life, "lint-ocsp-life", "BR 7.1.2.8", "validity",
	  "the certificate of an OCSP responder lives longer than 30 days" },
};
/* clang-format on */

void
cert_lint(const struct cert *c, enum lint_kind kind, struct err_list *findings)
{
	struct facts f;
	size_t i;

	gather(c, &f);
	for (i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];
		struct err found = {
			.code = ERR_DENIED,
			.id = r->id,
			.rule = r->rule,
		};

		if ((r->kinds & 1u << kind) == 0 || !r->broken(c, &f))
			continue;
		found.where = at_field(r->field);
		snprintf(found.say, sizeof(found.say), "%s", r->say);
		err_list_add(findings, &found);
	}
}
