/* Certificates: built, read back, judged by openssl and by our lint. */
#include "unit/pkix_help.h"

struct world {
	struct test_ca ca;
	struct key *key; /* the holder's */
	struct buf name;
	struct cert_spec spec;
};

static void
world_init(struct world *w, enum key_type ca, enum key_type holder)
{
	struct err e;

	w->key = NULL;
	w->name = BUF(NAME_DER_MAX);
	test_ca_init(&w->ca, ca);
	OK(key_generate(holder, &w->key, &e), &e);
	build_name(&w->name, "Ana Mar\303\255a \303\221anco");
	holder_spec(&w->spec, &w->ca, buf_bytes(&w->name), key_spki(w->key));
}

static void
world_fini(struct world *w)
{
	test_ca_fini(&w->ca);
	key_free(w->key);
	buf_fini(&w->name);
}

/* Prints what the lint found; the number of errors. */
static size_t
lint(struct bytes der, enum lint_kind kind, const char *wanted, bool *found)
{
	struct lint l;
	struct cert c;
	struct err e;
	size_t i;

	OK(cert_parse(der, &c, &e), &e);
	cert_lint(&c, kind, LINT_ALL, &l);
	*found = false;
	for (i = 0; i < l.n; i++) {
		if (strcmp(l.v[i]->id, wanted) == 0)
			*found = true;
		else if (!l.v[i]->is_warning)
			print_message("  also %s\n", l.v[i]->id);
	}
	return l.errors;
}

static void
clean(const char *row, struct bytes der, enum lint_kind kind)
{
	bool found;

	ROW(lint(der, kind, "", &found) == 0, row);
}

static void
holder_passes_everything(void **state)
{
	static const enum key_type cas[] = { KEY_EC_P256, KEY_EC_P384,
		KEY_RSA_2048 };
	static const enum key_type holders[] = { KEY_EC_P256, KEY_EC_P384,
		KEY_RSA_3072 };
	AUTO(verifier) v = NULL;
	struct err e;
	size_t i;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (i = 0; i < ARRAY_LEN(cas); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct buf pem AUTO_BUF = BUF(1 << 15);
		struct dir d = dir_new();
		const char *row = key_type_name(cas[i]);
		struct cert c, issuer;
		struct world w;

		world_init(&w, cas[i], holders[i]);
		sign_cert(w.ca.key, &w.spec, &der);
		clean(row, buf_bytes(&der), LINT_HOLDER);
		OK(cert_parse(buf_bytes(&der), &c, &e), &e);
		OK(cert_parse(buf_bytes(&w.ca.der), &issuer, &e), &e);
		clean(row, buf_bytes(&w.ca.der), LINT_ROOT);
		OK(cert_check_issued(&c, &issuer, TEST_NOW, v, &e), &e);
		OK(cert_check_issued(&c, &issuer, w.spec.not_after, v, &e), &e);
		OK(cert_check_issued(&issuer, &issuer, TEST_NOW, v, &e), &e);
		ROW(bytes_eq(c.serial, w.spec.serial), row);
		ROW(bytes_eq(c.subject, w.spec.subject), row);
		ROW(bytes_eq(c.issuer, w.spec.issuer), row);
		ROW(bytes_eq(c.spki, w.spec.spki), row);
		ROW(c.not_before == w.spec.not_before, row);
		ROW(c.not_after == w.spec.not_after, row);
		ROW(c.key_usage == w.spec.key_usage, row);
		ROW(cert_has_eku(&c, OID_EKU_EMAIL), row);
		ROW(cert_has_eku(&c, OID_EKU_CLIENT), row);
		ROW(!cert_has_eku(&c, OID_EKU_OCSP), row);
		ROW(bytes_eq(c.aki, issuer.ski), row);
		ROW(!c.is_ca && issuer.is_ca && issuer.path_len == 0, row);

		pem_put(&pem, "CERTIFICATE", buf_bytes(&w.ca.der));
		dir_write(&d, "ca.pem", buf_bytes(&pem));
		buf_reset(&pem);
		pem_put(&pem, "CERTIFICATE", buf_bytes(&der));
		dir_write(&d, "ana.pem", buf_bytes(&pem));
		must_run(&d, row,
		    "openssl verify -x509_strict -purpose smimesign -attime "
		    "1795000100 -CAfile ca.pem ana.pem");
		must_run(&d, row, "openssl x509 -in ana.pem -noout -text");
		dir_remove(&d);
		world_fini(&w);
	}
}

/* In the order of the extensions, as openssl prints them. */
static const char *const in_text[] = { "Version: 3 (0x2)",
	"01:93:10:20:30:40:50:60:70:80:90:a0:b0:c0:d0:e0:f0:11:22:33",
	"Not Before: Nov 18 11:06:40 2026 GMT",
	"Not After : Nov 17 11:06:39 2028 GMT",
	"X509v3 Basic Constraints: critical", "CA:FALSE",
	"X509v3 Key Usage: critical", "Digital Signature, Non Repudiation",
	"X509v3 Extended Key Usage:",
	"E-mail Protection, TLS Web Client Authentication",
	"X509v3 Subject Key Identifier:", "X509v3 Authority Key Identifier:",
	"X509v3 Certificate Policies:", "CPS: http://ca.example/cps",
	"X509v3 Subject Alternative Name:", "email:ana@municipio.example",
	"X509v3 Issuer Alternative Name:", "X509v3 CRL Distribution Points:",
	"URI:http://crl.example/1.crl",
	"Authority Information Access:", "OCSP - URI:http://ocsp.example/",
	"CA Issuers - URI:http://ca.example/1.cer" };

static void
text_of_openssl(void **state)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf out AUTO_BUF = BUF(1 << 16);
	struct dir d = dir_new();
	struct world w;
	const char *p;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	sign_cert(w.ca.key, &w.spec, &der);
	dir_write(&d, "a.der", buf_bytes(&der));
	must_run(&d, "text", "openssl x509 -in a.der -inform DER -noout -text");
	dir_read(&d, "out", &out);
	p = buf_text(&out);
	for (i = 0; i < ARRAY_LEN(in_text); i++) {
		const char *next = strstr(p, in_text[i]);

		if (next == NULL)
			print_error("%s\n", p);
		ROW(next != NULL, in_text[i]);
		p = next;
	}
	world_fini(&w);
	dir_remove(&d);
}

/* DOMAIN 5.3, octet for octet. */
static void
rut_names(void **state)
{
	static const uint8_t san[] = { 0x30, 0x1a, 0xa0, 0x18, 0x06, 0x08, 0x2b,
		0x06, 0x01, 0x04, 0x01, 0xc1, 0x01, 0x01, 0xa0, 0x0c, 0x16,
		0x0a, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x2d,
		0x35 };
	static const uint8_t ian[] = { 0x30, 0x1a, 0xa0, 0x18, 0x06, 0x08, 0x2b,
		0x06, 0x01, 0x04, 0x01, 0xc1, 0x01, 0x02, 0xa0, 0x0c, 0x16,
		0x0a, 0x36, 0x30, 0x31, 0x30, 0x30, 0x30, 0x30, 0x33, 0x2d,
		0x32 };
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct world w;
	struct cert c;
	struct err e;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	w.spec.n_san = 1;
	sign_cert(w.ca.key, &w.spec, &der);
	OK(cert_parse(buf_bytes(&der), &c, &e), &e);
	assert_true(bytes_eq(cert_find_ext(&c, OID_EXT_SAN)->value,
	    bytes_of(san, sizeof(san))));
	assert_true(bytes_eq(cert_find_ext(&c, OID_EXT_IAN)->value,
	    bytes_of(ian, sizeof(ian))));
	world_fini(&w);
}

/* --- Serial numbers ------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	uint8_t octets[21];
	size_t len;
	uint8_t der[24]; /* the INTEGER; empty: refused */
	size_t der_len;
} serials[] = {
	{ "all ones, 16", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 16,
	  { 0x02, 0x11, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 19 },
	{ "greatest, 20", { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 20,
	  { 0x02, 0x14, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 22 },
	{ "prefix and zeros", { 0x01 }, 20,
	  { 0x02, 0x14, 0x01 }, 22 },
	{ "top bit of 19", { 0x80 }, 19,
	  { 0x02, 0x14, 0x00, 0x80 }, 22 },
	{ "all ones, 20", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 20, { 0 }, 0 },
	{ "top bit of 20", { 0x80 }, 20, { 0 }, 0 },
	{ "all zeros, 20", { 0 }, 20, { 0 }, 0 },
	{ "leading zero",  { 0, 1 }, 20, { 0 }, 0 },
	{ "21 octets",     { 1 }, 21, { 0 }, 0 },
	{ "15 octets",     { 1 }, 15, { 0 }, 0 },
	{ "8 octets",      { 0x7f, 1 }, 8, { 0 }, 0 },
	{ "none",          { 0 }, 0, { 0 }, 0 },
};
/* clang-format on */

static void
incident_02_serials(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	for (i = 0; i < ARRAY_LEN(serials); i++) {
		struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct err e;
		enum err_code code;
		const uint8_t *at;

		w.spec.serial = bytes_of(serials[i].octets, serials[i].len);
		code = cert_build_tbs(&w.spec, &tbs, &e);
		if (serials[i].der_len == 0) {
			refused(serials[i].name, code, &e, ERR_INVALID,
			    "spec-serial", "16 to 20 octets below 2^159");
			ROW(tbs.len == 0, serials[i].name);
			continue;
		}
		ROW(code == ERR_OK, serials[i].name);
		/* SEQUENCE, its length in two more octets, [0] version. */
		at = tbs.p + 4 + 5;
		ROW(memcmp(at, serials[i].der, serials[i].der_len) == 0,
		    serials[i].name);
	}
	world_fini(&w);
}

/* --- Other parts of the specification --------------------------------------------- */

static const char long_url[] =
    "http://"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void
spec_no_subject(struct cert_spec *s)
{
	s->subject = BYTES_NONE;
}
static void
spec_bad_issuer(struct cert_spec *s)
{
	s->issuer = bytes_str("CN=x");
}
static void
spec_backwards(struct cert_spec *s)
{
	s->not_after = s->not_before - 1;
}
static void
spec_notice(struct cert_spec *s)
{
	s->policy[0].notice = bytes_of(long_url, 201);
}
static void
spec_notice_bytes(struct cert_spec *s)
{
	s->policy[0].notice = bytes_str("\377\376");
}
static void
spec_url(struct cert_spec *s)
{
	s->crl_url = bytes_str(long_url);
}
static void
spec_deltas_alone(struct cert_spec *s)
{
	s->crl_url = BYTES_NONE;
	s->freshest_url = bytes_str("http://crl.example/1-delta.crl");
}
static void
spec_url_line(struct cert_spec *s)
{
	s->ocsp_url = bytes_str("http://a\nb/");
}
static void
spec_san(struct cert_spec *s)
{
	s->san[1].value = bytes_str("\303\261@x.example");
}
static void
spec_san_empty(struct cert_spec *s)
{
	s->san[1].value = BYTES_NONE;
}
static void
spec_usage(struct cert_spec *s)
{
	s->key_usage = 1u << 9;
}
static void
spec_key(struct cert_spec *s)
{
	s->spki = bytes_str("key");
}
static void
spec_years(struct cert_spec *s)
{
	s->not_after = NEVER;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*spoil)(struct cert_spec *s);
	enum err_code code;
	const char *id, *say;
} bad_specs[] = {
	{ "no subject",        spec_no_subject,   ERR_INVALID, "spec-part", "its subject" },
	{ "issuer as text",    spec_bad_issuer,   ERR_INVALID, "spec-part", "its issuer" },
	{ "ends before it begins", spec_backwards, ERR_INVALID, "spec-validity", "end before it begins" },
	{ "long notice",       spec_notice,       ERR_INVALID, "spec-notice", "longer than 200" },
	{ "notice not UTF-8",  spec_notice_bytes, ERR_INVALID, "spec-notice", "not UTF-8" },
	{ "long URL",          spec_url,          ERR_INVALID, "spec-part", "cRLDistributionPoints" },
	{ "deltas of no CRL",  spec_deltas_alone, ERR_INVALID, "spec-part", "freshestCRL" },
	{ "line in a URL",     spec_url_line,     ERR_INVALID, "spec-part", "authorityInfoAccess" },
	{ "letters in e-mail", spec_san,          ERR_INVALID, "spec-part", "subjectAltName" },
	{ "empty e-mail",      spec_san_empty,    ERR_INVALID, "spec-part", "subjectAltName" },
	{ "a tenth usage",     spec_usage,        ERR_INVALID, "spec-part", "keyUsage" },
	{ "no key",            spec_key,          ERR_INVALID, "der-short", "longer than what contains it" },
	{ "after year 9999",   spec_years,        ERR_NOMEM, "der-full", "larger than an object" },
};
/* clang-format on */

static void
specs_refused(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	for (i = 0; i < ARRAY_LEN(bad_specs); i++) {
		struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert_spec s = w.spec;
		struct err e;

		bad_specs[i].spoil(&s);
		refused(bad_specs[i].name, cert_build_tbs(&s, &tbs, &e), &e,
		    bad_specs[i].code, bad_specs[i].id, bad_specs[i].say);
		ROW(tbs.len == 0, bad_specs[i].name);
	}
	world_fini(&w);
}

/* 2049 is UTCTime, 2050 GeneralizedTime; both read back. */
static void
times(void **state)
{
	static const int64_t ends[] = { INT64_C(2524607999),
		INT64_C(2524608000), INT64_C(253402300799) };
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	for (i = 0; i < ARRAY_LEN(ends); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert c;
		struct err e;
		bool found;

		w.spec.not_after = ends[i];
		sign_cert(w.ca.key, &w.spec, &der);
		OK(cert_parse(buf_bytes(&der), &c, &e), &e);
		assert_int_equal(c.not_after, ends[i]);
		assert_int_equal(memmem(der.p, der.len, "\x18\x0f", 2) != NULL,
		    i > 0);
		(void)lint(buf_bytes(&der), LINT_HOLDER, "lint-time-form",
		    &found);
		assert_false(found);
	}
	world_fini(&w);
}

/* --- Reading what is spoilt --------------------------------------------------------- */

static void
incident_14_every_octet_matters(void **state)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	AUTO(verifier) v = NULL;
	struct cert c, issuer;
	struct world w;
	struct err e;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	OK(verifier_new(&v, &e), &e);
	sign_cert(w.ca.key, &w.spec, &der);
	OK(cert_parse(buf_bytes(&w.ca.der), &issuer, &e), &e);
	for (i = 0; i < der.len; i++) {
		assert_int_equal(cert_parse(bytes_of(der.p, i), &c, &e),
		    ERR_INVALID);
		der.p[i] ^= 1;
		if (cert_parse(buf_bytes(&der), &c, &e) == ERR_OK)
			assert_int_equal(cert_check_issued(&c, &issuer,
					     TEST_NOW, v, &e),
			    ERR_INVALID);
		der.p[i] ^= 1;
	}
	world_fini(&w);
}

static void
issued_refusals(void **state)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf der2 AUTO_BUF = BUF(CERT_MAX_BYTES);
	AUTO(verifier) v = NULL;
	struct cert c, issuer, other, twin;
	struct world w, w2;
	struct err e;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	world_init(&w2, KEY_EC_P256, KEY_EC_P256);
	OK(verifier_new(&v, &e), &e);
	sign_cert(w.ca.key, &w.spec, &der);
	OK(cert_parse(buf_bytes(&der), &c, &e), &e);
	OK(cert_parse(buf_bytes(&w.ca.der), &issuer, &e), &e);
	OK(cert_parse(buf_bytes(&w2.ca.der), &twin, &e), &e);
	refused("a second too early",
	    cert_check_issued(&c, &issuer, TEST_NOW - 1, v, &e), &e,
	    ERR_INVALID, "cert-not-yet", "not yet valid");
	refused("a second too late",
	    cert_check_issued(&c, &issuer, w.spec.not_after + 1, v, &e), &e,
	    ERR_INVALID, "cert-expired", "no longer valid at that time");
	refused("same name, other key",
	    cert_check_issued(&c, &twin, TEST_NOW, v, &e), &e, ERR_INVALID,
	    "cert-aki", "another key of this issuer");
	refused("issued by a holder",
	    cert_check_issued(&c, &c, TEST_NOW, v, &e), &e, ERR_INVALID,
	    "cert-issuer", "names another issuer");
	issuer.not_after = TEST_NOW - 1;
	refused("issuer expired first",
	    cert_check_issued(&c, &issuer, TEST_NOW, v, &e), &e, ERR_INVALID,
	    "cert-issuer-expired", "issuer was not valid");
	w.spec.issuer = w.spec.subject;
	w.spec.issuer_ski = c.ski;
	sign_cert(w.ca.key, &w.spec, &der2);
	OK(cert_parse(buf_bytes(&der2), &other, &e), &e);
	refused("a holder as CA",
	    cert_check_issued(&other, &c, TEST_NOW, v, &e), &e, ERR_INVALID,
	    "cert-not-ca", "not that of a CA");
	world_fini(&w);
	world_fini(&w2);
}

/* --- Lint --------------------------------------------------------------------------- */

static void
l_extra(struct cert_spec *s)
{
	s->not_after++;
}
static void
l_extra_day(struct cert_spec *s)
{
	s->not_after = s->not_before + DAY;
}
static void
l_no_usage(struct cert_spec *s)
{
	s->key_usage = 0;
}
static void
l_encipher(struct cert_spec *s)
{
	s->key_usage |= KU_KEY_ENCIPHERMENT;
}
static void
l_ca_bit(struct cert_spec *s)
{
	s->key_usage |= KU_KEY_CERT_SIGN;
}
static void
l_crl_bit(struct cert_spec *s)
{
	s->key_usage |= KU_CRL_SIGN;
}
static void
l_agree_only(struct cert_spec *s)
{
	s->key_usage = KU_KEY_AGREEMENT;
}
static void
l_ca(struct cert_spec *s)
{
	s->is_ca = true;
}
static void
l_eku_critical(struct cert_spec *s)
{
	s->eku_critical = true;
}
static void
l_ocsp_eku(struct cert_spec *s)
{
	s->eku[s->n_eku++] = OID_EKU_OCSP;
}
static void
l_endorser_eku(struct cert_spec *s)
{
	s->eku[s->n_eku++] = OID_EKU_ENDORSER;
}
static void
l_no_san(struct cert_spec *s)
{
	s->n_san = 0;
}
static void
l_rut_digit(struct cert_spec *s)
{
	s->san[0].value = bytes_str("12345678-9");
}
static void
l_rut_dots(struct cert_spec *s)
{
	s->ian[0].value = bytes_str("60.100.003-2");
}
static void
l_rut_small_k(struct cert_spec *s)
{
	s->san[0].value = bytes_str("10000013-k");
}
static void
l_email(struct cert_spec *s)
{
	s->san[1].value = bytes_str("ana");
}
static void
l_https(struct cert_spec *s)
{
	s->crl_url = bytes_str("https://crl.example/1.crl");
}
static void
l_ldap(struct cert_spec *s)
{
	s->ocsp_url = bytes_str("ldap://x.example/");
}
static void
l_url_space(struct cert_spec *s)
{
	s->issuer_url = bytes_str("http://x.example/a b");
}
static void
l_nocheck(struct cert_spec *s)
{
	s->nocheck = true;
}
static void
l_no_aki(struct cert_spec *s)
{
	s->issuer_ski = BYTES_NONE;
}
static void
l_self(struct cert_spec *s)
{
	s->subject = s->issuer;
}

/* A name with one attribute in the wrong type, made without name_build(). */
static const uint8_t utf8_country[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09,
	0x06, 0x03, 0x55, 0x04, 0x06, 0x0c, 0x02, 'C', 'L' };
static const uint8_t uk[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
	0x55, 0x04, 0x06, 0x13, 0x02, 'U', 'K' };
static const uint8_t at_sign[] = { 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06,
	0x03, 0x55, 0x04, 0x05, 0x13, 0x03, 'a', '@', 'b' };
static const uint8_t empty_name[] = { 0x30, 0x00 };
static const uint8_t bmp[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
	0x55, 0x04, 0x03, 0x1e, 0x02, 0, 'A' };

static void
l_utf8_country(struct cert_spec *s)
{
	s->subject = bytes_of(utf8_country, sizeof(utf8_country));
}
static void
l_uk(struct cert_spec *s)
{
	s->subject = bytes_of(uk, sizeof(uk));
}
static void
l_alphabet(struct cert_spec *s)
{
	s->subject = bytes_of(at_sign, sizeof(at_sign));
}
static void
l_empty_subject(struct cert_spec *s)
{
	s->subject = bytes_of(empty_name, sizeof(empty_name));
}
static void
l_bmp(struct cert_spec *s)
{
	s->subject = bytes_of(bmp, sizeof(bmp));
}

/* clang-format off */
static const struct {
	const char *name;
	void (*spoil)(struct cert_spec *s);
	const char *id;
} holder_lints[] = {
	{ "incident 01: 730 days and a second", l_extra, "lint-extra-second" },
	{ "incident 01: a day and a second", l_extra_day, "lint-extra-second" },
	{ "no keyUsage",            l_no_usage,     "lint-key-usage-missing" },
	{ "keyEncipherment for EC", l_encipher,     "lint-key-usage-key" },
	{ "keyCertSign",            l_ca_bit,       "lint-key-usage-end" },
	{ "cRLSign",                l_crl_bit,      "lint-key-usage-end" },
	{ "keyAgreement alone",     l_agree_only,   "lint-key-usage-end" },
	{ "CA:TRUE",                l_ca,           "lint-is-ca" },
	{ "critical EKU",           l_eku_critical, "lint-eku-critical" },
	{ "incident 50: OCSPSigning", l_ocsp_eku,   "lint-eku-ocsp-elsewhere" },
	{ "endorsing",              l_endorser_eku, "lint-eku-endorser-elsewhere" },
	{ "no SAN",                 l_no_san,       "lint-san-missing" },
	{ "wrong check digit",      l_rut_digit,    "lint-rut-form" },
	{ "RUT with dots",          l_rut_dots,     "lint-rut-form" },
	{ "RUT with small k",       l_rut_small_k,  "lint-rut-form" },
	{ "no e-mail address",      l_email,        "lint-email-form" },
	{ "https",                  l_https,        "lint-url" },
	{ "ldap",                   l_ldap,         "lint-url" },
	{ "space in a URL",         l_url_space,    "lint-url" },
	{ "incident 50: nocheck",   l_nocheck,      "lint-nocheck-elsewhere" },
	{ "no AKI",                 l_no_aki,       "lint-key-ids" },
	{ "its own issuer",         l_self,         "lint-own-issuer" },
	{ "incident 10: C in UTF8String", l_utf8_country, "lint-name-string-type" },
	{ "incident 24: UK",        l_uk,           "lint-name-country" },
	{ "incident 10: @ in PrintableString", l_alphabet, "lint-name-alphabet" },
	{ "no subject",             l_empty_subject, "lint-name-missing" },
	{ "BMPString",              l_bmp,          "lint-name-string-type" },
};
/* clang-format on */

static void
lint_of_holders(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	for (i = 0; i < ARRAY_LEN(holder_lints); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert_spec s = w.spec;
		bool found;

		holder_lints[i].spoil(&s);
		sign_cert(w.ca.key, &s, &der);
		(void)lint(buf_bytes(&der), LINT_HOLDER, holder_lints[i].id,
		    &found);
		ROW(found, holder_lints[i].name);
	}
	world_fini(&w);
}

/* Bytes that the builder would never write, put in afterwards. */
/* clang-format off */
static const struct {
	const char *name, *from, *to;
	size_t len;
	const char *id;
} patches[] = {
	{ "UTCTime before 2050 is exact", "\x17\x0d" "261118110640Z\x17\x0d" "281117110639Z", NULL, 0, NULL },
	{ "empty SEQUENCE of basicConstraints is exact", "\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00", NULL, 10, NULL },
	{ "keyUsage not critical", "\x55\x1d\x0f\x01\x01\xff", "\x55\x1d\x0f\x01\x01\x00", 6, "cert-form" },
	{ "another algorithm inside", "\x2a\x86\x48\xce\x3d\x04\x03\x02\x30", "\x2a\x86\x48\xce\x3d\x04\x03\x03\x30", 9, "cert-algorithm" },
	{ "version 2", "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x01", 5, "cert-version" },
	{ "negative serial", "\x02\x14\x01\x93", "\x02\x14\x81\x93", 4, "cert-serial" },
	{ "keyUsage with a zero at its end", "\x03\x02\x06\xc0", "\x03\x02\x05\xc0", 4, "cert-form" },
	{ "an extension twice", "\x06\x03\x55\x1d\x12", "\x06\x03\x55\x1d\x11", 5, "cert-ext-twice" },
	{ "a critical extension nobody knows", "\x55\x1d\x0f\x01\x01\xff", "\x55\x1d\x7f\x01\x01\xff", 6, "cert-critical" },
	{ "30 February", "261118110640Z", "260230110640Z", 13, "cert-form" },
	{ "hour 24", "261118110640Z", "261118240640Z", 13, "cert-form" },
};
/* clang-format on */

static void
incident_12_14_patched(void **state)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	sign_cert(w.ca.key, &w.spec, &der);
	for (i = 0; i < ARRAY_LEN(patches); i++) {
		struct buf copy AUTO_BUF = BUF(CERT_MAX_BYTES);
		size_t len = patches[i].len == 0 ? strlen(patches[i].from)
						 : patches[i].len;
		struct cert c;
		struct err e;
		uint8_t *at;

		buf_put(&copy, der.p, der.len);
		at = memmem(copy.p, copy.len, patches[i].from, len);
		ROW(at != NULL, patches[i].name);
		if (patches[i].to == NULL)
			continue;
		memcpy(at, patches[i].to, len);
		refused(patches[i].name, cert_parse(buf_bytes(&copy), &c, &e),
		    &e, ERR_INVALID, patches[i].id, "");
	}
	world_fini(&w);
}

static void
responder_spec(struct world *w)
{
	w->spec.eku[0] = OID_EKU_OCSP;
	w->spec.n_eku = 1;
	w->spec.key_usage = KU_DIGITAL_SIGNATURE;
	w->spec.n_san = w->spec.n_ian = w->spec.n_policy = 0;
	w->spec.crl_url = w->spec.ocsp_url = w->spec.issuer_url = BYTES_NONE;
	w->spec.nocheck = true;
	w->spec.not_after = w->spec.not_before + 30 * DAY - 1;
}

static void
r_no_nocheck(struct cert_spec *s)
{
	s->nocheck = false;
}
static void
r_crldp(struct cert_spec *s)
{
	s->crl_url = bytes_str("http://crl.example/");
}
static void
r_aia(struct cert_spec *s)
{
	s->ocsp_url = bytes_str("http://ocsp.example/");
}
static void
r_two_ekus(struct cert_spec *s)
{
	s->eku[s->n_eku++] = OID_EKU_CLIENT;
}
static void
r_wrong_eku(struct cert_spec *s)
{
	s->eku[0] = OID_EKU_CLIENT;
}
static void
r_usage(struct cert_spec *s)
{
	s->key_usage |= KU_NON_REPUDIATION;
}
static void
r_life(struct cert_spec *s)
{
	s->not_after = s->not_before + 31 * DAY - 1;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*spoil)(struct cert_spec *s);
	const char *id;
} responder_lints[] = {
	{ "without nocheck",    r_no_nocheck, "lint-ocsp-extensions" },
	{ "with CRLDP",         r_crldp,      "lint-ocsp-extensions" },
	{ "with AIA",           r_aia,        "lint-ocsp-extensions" },
	{ "a second purpose",   r_two_ekus,   "lint-eku-ocsp" },
	{ "another purpose",    r_wrong_eku,  "lint-eku-ocsp" },
	{ "nonRepudiation",     r_usage,      "lint-ocsp-usage" },
	{ "CA:TRUE",            l_ca,         "lint-is-ca" },
	{ "critical EKU",       l_eku_critical, "lint-eku-critical" },
	{ "31 days",            r_life,       "lint-ocsp-life" },
};
/* clang-format on */

static void
incident_50_responders(void **state)
{
	static const uint8_t nocheck[] = { 0x06, 0x09, 0x2b, 0x06, 0x01, 0x05,
		0x05, 0x07, 0x30, 0x01, 0x05, 0x04, 0x02, 0x05, 0x00 };
	struct buf good AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	responder_spec(&w);
	sign_cert(w.ca.key, &w.spec, &good);
	clean("responder", buf_bytes(&good), LINT_OCSP);
	assert_non_null(memmem(good.p, good.len, nocheck, sizeof(nocheck)));
	for (i = 0; i < ARRAY_LEN(responder_lints); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert_spec s = w.spec;
		bool found;

		responder_lints[i].spoil(&s);
		sign_cert(w.ca.key, &s, &der);
		(void)lint(buf_bytes(&der), LINT_OCSP, responder_lints[i].id,
		    &found);
		ROW(found, responder_lints[i].name);
	}
	world_fini(&w);
}

static void
endorser_and_ca(void **state)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf ca AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct world w;
	bool found;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	w.spec.eku[0] = OID_EKU_ENDORSER;
	w.spec.n_eku = 1;
	w.spec.eku_critical = true;
	sign_cert(w.ca.key, &w.spec, &der);
	clean("endorser", buf_bytes(&der), LINT_ENDORSER);
	(void)lint(buf_bytes(&der), LINT_HOLDER, "lint-eku-critical", &found);
	assert_true(found);
	w.spec.n_eku = 0;
	w.spec.eku_critical = false;
	w.spec.is_ca = true;
	w.spec.path_len = 0;
	w.spec.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	sign_cert(w.ca.key, &w.spec, &ca);
	clean("issuing CA", buf_bytes(&ca), LINT_CA);
	(void)lint(buf_bytes(&ca), LINT_ROOT, "lint-root-issuer", &found);
	assert_true(found);
	buf_reset(&ca);
	w.spec.path_len = -1;
	sign_cert(w.ca.key, &w.spec, &ca);
	(void)lint(buf_bytes(&ca), LINT_CA, "lint-path-length", &found);
	assert_true(found);
	buf_reset(&ca);
	w.spec.path_len = 0;
	w.spec.key_usage |= KU_NON_REPUDIATION;
	sign_cert(w.ca.key, &w.spec, &ca);
	(void)lint(buf_bytes(&ca), LINT_CA, "lint-key-usage-ca", &found);
	assert_true(found);
	world_fini(&w);
}

/* Row 12: keyUsage x key type against the RFCs' words, written again here. */
static void
incident_12_key_usage_table(void **state)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_RSA_2048,
		KEY_ED25519, KEY_RSA_PSS_2048, KEY_ML_DSA_44 };
	size_t t;
	unsigned usage;

	(void)state;
	for (t = 0; t < ARRAY_LEN(types); t++) {
		struct world w;

		if (!key_type_here(types[t]))
			continue;
		world_init(&w, KEY_EC_P256, types[t]);
		for (usage = 1; usage < 1u << 9; usage++) {
			struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
			struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
			struct lint l;
			unsigned serves = 0x063; /* both signatures, CA bits */
			bool only = (usage & 0x180) != 0, fits, said = false;
			struct cert c;
			struct err e;
			size_t i;

			if (types[t] == KEY_EC_P256)
				serves |= 0x190;
			if (types[t] == KEY_RSA_2048)
				serves |= 0x00c;
			fits = (usage & ~serves) == 0 &&
			       (!only || (usage & KU_KEY_AGREEMENT) != 0);
			w.spec.key_usage = (uint16_t)usage;
			OK(cert_build_tbs(&w.spec, &tbs, &e), &e);
			OK(signed_assemble(buf_bytes(&tbs),
			       key_type_sigalg(KEY_EC_P256), bytes_str("sig"),
			       &der, &e),
			    &e);
			OK(cert_parse(buf_bytes(&der), &c, &e), &e);
			assert_int_equal(c.key_usage, usage);
			cert_lint(&c, LINT_HOLDER, LINT_ALL, &l);
			for (i = 0; i < l.n; i++)
				said |= strcmp(l.v[i]->id,
					    "lint-key-usage-key") == 0;
			assert_int_equal(said, !fits);
		}
		world_fini(&w);
	}
}

static void
issuer_ids(void **state)
{
	struct dir d = dir_new();
	struct buf out AUTO_BUF = BUF(1 << 16);
	struct buf pem AUTO_BUF = BUF(1 << 16);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	char hex[HEX_LEN(32)];
	struct issuer_id id;
	struct world w;
	struct cert c;
	struct err e;

	(void)state;
	world_init(&w, KEY_EC_P256, KEY_EC_P256);
	sign_cert(w.ca.key, &w.spec, &der);
	OK(cert_parse(buf_bytes(&w.ca.der), &c, &e), &e);
	OK(issuer_id_of(&c, &id, &e), &e);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&w.ca.der));
	dir_write(&d, "ca.pem", buf_bytes(&pem));
	buf_reset(&pem);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&der));
	dir_write(&d, "a.pem", buf_bytes(&pem));
	must_run(&d, "openssl ocsp",
	    "openssl ocsp -issuer ca.pem -cert a.pem -sha256 -cert a.pem "
	    "-no_nonce -reqout r -text");
	must_run(&d, "openssl ocsp", "openssl ocsp -reqin r -req_text");
	dir_read(&d, "out", &out);
	hex_print(hex, bytes_of(id.name_sha1, 20));
	assert_non_null(strcasestr(buf_text(&out), hex));
	hex_print(hex, bytes_of(id.key_sha1, 20));
	assert_non_null(strcasestr(buf_text(&out), hex));
	hex_print(hex, bytes_of(id.name_sha256, 32));
	assert_non_null(strcasestr(buf_text(&out), hex));
	hex_print(hex, bytes_of(id.key_sha256, 32));
	assert_non_null(strcasestr(buf_text(&out), hex));
	world_fini(&w);
	dir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holder_passes_everything),
		cmocka_unit_test(text_of_openssl),
		cmocka_unit_test(rut_names),
		cmocka_unit_test(incident_02_serials),
		cmocka_unit_test(specs_refused),
		cmocka_unit_test(times),
		cmocka_unit_test(incident_14_every_octet_matters),
		cmocka_unit_test(issued_refusals),
		cmocka_unit_test(lint_of_holders),
		cmocka_unit_test(incident_12_14_patched),
		cmocka_unit_test(incident_50_responders),
		cmocka_unit_test(endorser_and_ca),
		cmocka_unit_test(incident_12_key_usage_table),
		cmocka_unit_test(issuer_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
