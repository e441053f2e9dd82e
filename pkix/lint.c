/*
 * Lint: one row for each rule, with its citation.  It reads the bytes of the
 * certificate again on its own, so that a fault of the builder and a fault of
 * the parser do not excuse each other.
 */
#include <stdio.h>

#include "lint.h"

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
	f->names = lint_names(c);
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
	{ K_ALL, lint_name_missing, "lint-name-missing", "RFC 5280 4.1.2.4", "subject",
	  "the issuer or the subject has no attributes" },
	{ K_ROOT, lint_root_issuer, "lint-root-issuer", "RFC 5280 3.2", "issuer",
	  "a root names another issuer than itself" },
	{ K_CA | K_ENDS, lint_own_issuer, "lint-own-issuer", "RFC 5280 3.2", "issuer",
	  "the certificate names itself as its issuer" },
	{ K_ALL, lint_name_alphabet, "lint-name-alphabet", "X.680 41.4", "subject",
	  "a name holds a character outside the alphabet of its string type" },
	{ K_ALL, lint_name_string_type, "lint-name-string-type", "RFC 5280 4.1.2.4", "subject",
	  "a name holds an attribute in the wrong string type" },
	{ K_ALL, lint_name_length, "lint-name-length", "RFC 5280 appendix A.1", "subject",
	  "a name holds an attribute that is empty or over its upper bound" },
	{ K_ALL, lint_name_country, "lint-name-country", "ISO 3166-1", "subject",
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
	{ K_CA | K_ENDS, lint_key_ids, "lint-key-ids", "RFC 5280 4.2.1.1", "authorityKeyIdentifier",
	  "the subject or the authority key identifier is missing" },
	{ K_ROOT, lint_root_key_ids, "lint-root-key-ids", "RFC 5280 4.2.1.2", "subjectKeyIdentifier",
	  "a root lacks its key identifier or names another one as its issuer's" },
	{ K_ALL, lint_critical_set, "lint-critical", "RFC 5280 4.2", "extensions",
	  "an extension is critical that must not be" },
	{ K_ALL, lint_unknown_extension, "lint-extension", "RFC 5280 4.2", "extensions",
	  "there is an extension that no profile here has" },
	{ K_HOLDER, lint_san_missing, "lint-san-missing", "Ley 19.799 art. 15", "subjectAltName",
	  "the certificate of a holder has no subjectAltName" },
	{ K_ALL, lint_rut_form, "lint-rut-form", "DS 181/2002", "subjectAltName",
	  "a RUT is not an IA5String in the form 12345678-5 with its right check digit" },
	{ K_ALL, lint_email_form, "lint-email-form", "RFC 5280 4.2.1.6", "subjectAltName",
	  "a name holds something that is not an e-mail address" },
	{ K_ALL, lint_url_scheme, "lint-url", "RFC 5280 4.2.1.13", "cRLDistributionPoints",
	  "a URL of CRL, OCSP or issuer certificate does not begin with http://" },
	{ K_ALL, lint_policies, "lint-policies", "RFC 5280 4.2.1.4", "certificatePolicies",
	  "a policy qualifier is unknown, in the wrong string type or too long" },
	{ K_CAS | K_PEOPLE, lint_nocheck_elsewhere, "lint-nocheck-elsewhere", "RFC 6960 4.2.2.2.1", "extensions",
	  "ocsp-nocheck stands in a certificate that is not an OCSP responder's" },
	{ K_OCSP, lint_ocsp_extensions, "lint-ocsp-extensions", "BR 7.1.2.8", "extensions",
	  "the certificate of an OCSP responder lacks nocheck, or has CRLDP, AIA or subjectAltName" },
	{ K_OCSP, lint_ocsp_usage, "lint-ocsp-usage", "BR 7.1.2.8", "keyUsage",
	  "keyUsage of an OCSP responder is not digitalSignature alone" },
	{ K_OCSP, lint_ocsp_life, "lint-ocsp-life", "BR 7.1.2.8", "validity",
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

		if ((r->kinds & 1u << kind) == 0 || !r->broken(c, &f))
			continue;
		struct err found = {
			.code = ERR_DENIED,
			.id = r->id,
			.rule = r->rule,
		};
		found.where = at_field(r->field);
		snprintf(found.say, sizeof(found.say), "%s", r->say);
		err_list_add(findings, &found);
	}
}
