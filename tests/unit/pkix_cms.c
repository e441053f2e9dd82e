/* CMS evidence: ours through openssl, openssl's through ours, and refusals. */
#include "unit/pkix_help.h"

static const struct bytes text = { (const uint8_t *)"{\"statement\":1}", 15 };

struct person {
	struct dir dir;
	struct test_ca ca;
	struct key *key;
	struct buf der; /* certificate */
};

/* A CA and a signer, also as files for the openssl command. */
static void
person_init(struct person *p, enum key_type type)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf pem AUTO_BUF = BUF(1 << 16);
	struct cert_spec spec;
	struct err e;

	p->dir = dir_new();
	p->key = NULL;
	p->der = BUF(CERT_MAX_BYTES);
	test_ca_init(&p->ca, KEY_EC_P256);
	OK(key_generate(type, &p->key, &e), &e);
	build_name(&name, "Ana Mar\303\255a \303\221anco");
	holder_spec(&spec, &p->ca, buf_bytes(&name), key_spki(p->key));
	sign_cert(p->ca.key, &spec, &p->der);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&p->ca.der));
	dir_write(&p->dir, "ca.pem", buf_bytes(&pem));
	buf_reset(&pem);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&p->der));
	dir_write(&p->dir, "ana.pem", buf_bytes(&pem));
	buf_reset(&pem);
	OK(key_print(p->key, bytes_str("x"), &pem, &e), &e);
	dir_write(&p->dir, "ana.key", buf_bytes(&pem));
	dir_write(&p->dir, "text", text);
}

static void
person_fini(struct person *p)
{
	dir_remove(&p->dir);
	test_ca_fini(&p->ca);
	key_free(p->key);
	buf_fini(&p->der);
}

#define VERIFY                                                           \
	"openssl cms -verify -binary -cades -purpose any -content text " \
	"-inform DER -in sig -CAfile ca.pem -attime 1795000100 -out back"

static void
ours_passes_openssl(void **state)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384,
		KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_PSS_3072, KEY_ED25519,
		KEY_ML_DSA_44, KEY_ML_DSA_65, KEY_ML_DSA_87 };
	size_t t;

	(void)state;
	for (t = 0; t < ARRAY_LEN(types); t++) {
		if (!key_type_here(types[t]))
			continue;
		struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		AUTO(verifier) v = NULL;
		struct person p;
		struct cms c;
		struct err e;

		person_init(&p, types[t]);
		OK(verifier_new(&v, &e), &e);
		OK(cms_sign(p.key, buf_bytes(&p.der), text, TEST_NOW + 5, &sig,
		       &e),
		    &e);
		dir_write(&p.dir, "sig", buf_bytes(&sig));
		/* OpenSSL 3.0 has no evidence by Ed25519 (RFC 8419). */
		if (types[t] != KEY_ED25519 || key_type_here(KEY_ML_DSA_44))
			must_run(&p.dir, key_type_name(types[t]), VERIFY);
		OK(cms_parse(buf_bytes(&sig), &scratch, &c, &e), &e);
		OK(cms_verify(&c, text, v, &e), &e);
		assert_int_equal(c.signing_time, TEST_NOW + 5);
		assert_true(bytes_eq(c.signer.der, buf_bytes(&p.der)));
		assert_true(bytes_eq(c.signer.spki, key_spki(p.key)));
		person_fini(&p);
	}
}

#define SIGN                                                                 \
	"openssl cms -sign -binary -in text -signer ana.pem -inkey ana.key " \
	"-passin pass:x -out sig "

/* clang-format off */
static const struct {
	const char *name;
	enum key_type type;
	const char *command;
} theirs[] = {
	{ "as the manual says, P-256", KEY_EC_P256,  SIGN "-md sha256 -cades -outform DER" },
	{ "as the manual says, RSA",   KEY_RSA_2048, SIGN "-md sha256 -cades -outform DER" },
	{ "as the manual says, P-384", KEY_EC_P384,  SIGN "-md sha256 -cades -outform DER" },
	{ "SHA-384",                   KEY_EC_P384,  SIGN "-md sha384 -cades -outform DER" },
	{ "SHA-512, RSA",              KEY_RSA_2048, SIGN "-md sha512 -cades -outform DER" },
	{ "SHA-512, P-256",            KEY_EC_P256,  SIGN "-md sha512 -cades -outform DER" },
	{ "the default digest",        KEY_EC_P256,  SIGN "-cades -outform DER" },
	{ "with the chain",            KEY_EC_P256,  SIGN "-md sha256 -cades -outform DER -certfile ca.pem" },
	{ "no capabilities",           KEY_RSA_2048, SIGN "-md sha256 -cades -outform DER -nosmimecap" },
	{ "no capabilities, chain",    KEY_EC_P256,  SIGN "-md sha256 -cades -outform DER -nosmimecap -certfile ca.pem" },
	{ "named by key identifier",   KEY_EC_P256,  SIGN "-md sha256 -cades -outform DER -keyid" },
	{ "RSA and PSS",               KEY_RSA_2048, SIGN "-md sha256 -cades -outform DER -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest" },
	{ "RSA-PSS",                   KEY_RSA_PSS_2048, SIGN "-md sha512 -cades -outform DER -keyopt rsa_pss_saltlen:digest" },
	{ "ML-DSA-44",                 KEY_ML_DSA_44, SIGN "-md sha512 -cades -outform DER" },
	{ "ML-DSA-87, with the chain", KEY_ML_DSA_87, SIGN "-md sha512 -cades -outform DER -certfile ca.pem" },
	{ "PEM",                       KEY_EC_P256,  SIGN "-md sha256 -cades -outform PEM" },
};
/* clang-format on */

static void
openssl_passes_ours(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(theirs); i++) {
		if (!key_type_here(theirs[i].type))
			continue;
		struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		AUTO(verifier) v = NULL;
		struct person p;
		struct cms c;
		struct err e;
		enum err_code code;

		person_init(&p, theirs[i].type);
		must_run(&p.dir, theirs[i].name, theirs[i].command);
		dir_read(&p.dir, "sig", &sig);
		OK(verifier_new(&v, &e), &e);
		code = cms_parse(buf_bytes(&sig), &scratch, &c, &e);
		if (code != ERR_OK)
			print_error("%s: %s at %zu\n", theirs[i].name, e.say,
			    e.where.byte);
		ROW(code == ERR_OK, theirs[i].name);
		OK(cms_verify(&c, text, v, &e), &e);
		ROW(bytes_eq(c.signer.der, buf_bytes(&p.der)), theirs[i].name);
		refused(theirs[i].name,
		    cms_verify(&c, bytes_str("{\"statement\":2}"), v, &e), &e,
		    ERR_INVALID, "cms-other-content", "over another text");
		person_fini(&p);
	}
}

/* Another's word replaces the check, of this text alone, and only where
 * proofs are shared: that is all that it does. */
static void
vouched(void **state)
{
	struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	AUTO(proofs) proofs = NULL;
	AUTO(verifier) v = NULL;
	AUTO(verifier) alone = NULL;
	struct person p;
	struct cms c;
	struct err e;

	(void)state;
	person_init(&p, KEY_EC_P256);
	OK(proofs_new(16, &proofs, &e), &e);
	OK(verifier_new(&v, &e), &e);
	OK(verifier_new(&alone, &e), &e);
	verifier_share(v, proofs);
	OK(cms_sign(p.key, buf_bytes(&p.der), text, TEST_NOW, &sig, &e), &e);
	sig.p[sig.len - 1] ^= 1; /* the last octet of the signature */
	OK(cms_parse(buf_bytes(&sig), &scratch, &c, &e), &e);
	refused("not vouched for", cms_verify(&c, text, v, &e), &e, ERR_INVALID,
	    "cms-signature", "was not made with the key");
	refused("vouched for another text",
	    cms_vouch(&c, bytes_str("{}"), v, &e), &e, ERR_INVALID,
	    "cms-other-content", "over another text");
	refused("still not", cms_verify(&c, text, v, &e), &e, ERR_INVALID,
	    "cms-signature", "was not made with the key");
	OK(cms_vouch(&c, text, v, &e), &e);
	OK(cms_verify(&c, text, v, &e), &e);
	OK(cms_vouch(&c, text, alone, &e), &e);
	refused("shares nothing", cms_verify(&c, text, alone, &e), &e,
	    ERR_INVALID, "cms-signature", "was not made with the key");
	person_fini(&p);
}

/* clang-format off */
static const struct {
	const char *name, *command, *id, *say;
} wrong[] = {
	{ "not CAdES",      SIGN "-md sha256 -outform DER", "cms-attribute-missing", "signing-certificate-v2 is missing" },
	{ "no attributes",  SIGN "-md sha256 -noattr -outform DER", "cms-attributes-missing", "has no signed attributes" },
	{ "no certificate", SIGN "-md sha256 -cades -nocerts -outform DER", "cms-signer-missing", "sign without -nocerts" },
	{ "attached",       SIGN "-md sha256 -cades -nodetach -outform DER", "cms-attached", "contains the signed text" },
	{ "SHA-1",          SIGN "-md sha1 -cades -outform DER", "cms-digest", "use -md sha256" },
	{ "S/MIME text",    SIGN "-md sha256 -cades", "pem-missing", "neither DER nor PEM" },
	{ "streamed BER",   SIGN "-md sha256 -cades -nodetach -stream -outform DER", "cms-not-der", "breaks a rule of DER (der-length)" },
	{ "two signers",    "openssl cms -sign -binary -in text -signer ana.pem -inkey ana.key -signer b.pem -inkey b.key -passin pass:x -out sig -md sha256 -cades -outform DER", "cms-signers", "each person signs alone" },
	{ "receipt asked",  SIGN "-md sha256 -cades -outform DER -receipt_request_to a@b.example -receipt_request_all", "cms-attribute-unknown", "1.2.840.113549.1.9.16.2.1 is not known" },
	{ "encrypted",      "openssl cms -encrypt -in text -out sig -outform DER -aes256 ana.pem", "cms-not-signed", "not a CMS signature" },
	{ "other content type", SIGN "-md sha256 -cades -outform DER -econtent_type 1.2.3.4", "cms-content-type", "not over plain data" },
	{ "nine certificates", SIGN "-md sha256 -cades -outform DER -certfile many.pem", "cms-certificates", "more than 8 certificates" },
	{ "PSS, long salt", "openssl cms -sign -binary -in text -signer b.pem -inkey b.key -passin pass:x -out sig -md sha256 -cades -outform DER -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:94", "cms-algorithm", "(rsa_pss_saltlen:digest) with -md sha256" },
	{ "a certificate",  "openssl x509 -in ana.pem -outform DER -out sig", "cms-not-signed", "not a CMS signature" },
};
/* clang-format on */

static void
refusals(void **state)
{
	struct buf many AUTO_BUF = BUF(1 << 18);
	struct person p;
	size_t i;

	(void)state;
	person_init(&p, KEY_RSA_2048);
	must_run(&p.dir, "a second person",
	    "openssl req -x509 -newkey rsa:2048 -nodes -keyout b.key -out "
	    "b.pem -subj /CN=Beto");
	for (i = 0; i < 8; i++) {
		struct buf more AUTO_BUF = BUF(1 << 16);

		must_run(&p.dir, "other certificates",
		    "openssl req -x509 -newkey ec -pkeyopt "
		    "ec_paramgen_curve:P-256 -nodes -keyout o.key -out o.pem "
		    "-subj /CN=Otro");
		dir_read(&p.dir, "o.pem", &more);
		buf_put(&many, more.p, more.len);
	}
	dir_write(&p.dir, "many.pem", buf_bytes(&many));
	for (i = 0; i < ARRAY_LEN(wrong); i++) {
		struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct cms c;
		struct err e;

		must_run(&p.dir, wrong[i].name, wrong[i].command);
		dir_read(&p.dir, "sig", &sig);
		refused(wrong[i].name,
		    cms_parse(buf_bytes(&sig), &scratch, &c, &e), &e,
		    ERR_INVALID, wrong[i].id, wrong[i].say);
	}
	person_fini(&p);
}

/*
 * Every single octet spoilt: the file is refused, or the signature is, or the
 * octet said nothing about it (other certificates are not there, so none).
 */
static void
every_octet_matters(void **state)
{
	struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
	AUTO(verifier) v = NULL;
	struct person p;
	struct err e;
	size_t i, passed = 0;

	(void)state;
	person_init(&p, KEY_EC_P256);
	OK(verifier_new(&v, &e), &e);
	OK(cms_sign(p.key, buf_bytes(&p.der), text, TEST_NOW, &sig, &e), &e);
	for (i = 0; i < sig.len; i++) {
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct cms c;

		sig.p[i] ^= 0x01;
		if (cms_parse(buf_bytes(&sig), &scratch, &c, &e) == ERR_OK &&
		    cms_verify(&c, text, v, &e) == ERR_OK) {
			print_error("octet %zu may change\n", i);
			passed++;
		} else {
			assert_true(strlen(e.say) > 10);
		}
		sig.p[i] ^= 0x01;
	}
	assert_int_equal(passed, 0);
	person_fini(&p);
}

/* One place of our own signature file changed, the rest left as it is. */
/* clang-format off */
static const struct {
	const char *name, *from, *to;
	size_t len;
	bool last; /* the last place where it stands, not the first */
	const char *id, *say;
} patches[] = {
	{ "contentType twice", "\xf7\x0d\x01\x09\x05", "\xf7\x0d\x01\x09\x03", 5, false, "cms-attribute-twice", "contentType stands there twice" },
	{ "countersignature", "\xf7\x0d\x01\x09\x05", "\xf7\x0d\x01\x09\x06", 5, false, "cms-attribute-unknown", "1.2.840.113549.1.9.6 is not known" },
	{ "no messageDigest", "\xf7\x0d\x01\x09\x04", "\xf7\x0d\x01\x09\x0f", 5, false, "cms-attribute-missing", "messageDigest is missing" },
	{ "digest of another length", "\x65\x03\x04\x02\x01", "\x65\x03\x04\x02\x03", 5, true, "cms-algorithm", "does not fit the digest" },
	{ "another digest listed", "\x65\x03\x04\x02\x01", "\x65\x03\x04\x02\x02", 5, false, "cms-form", "malformed in its SignedData" },
	{ "SHA-224", "\x65\x03\x04\x02\x01", "\x65\x03\x04\x02\x04", 5, true, "cms-digest", "use -md sha256" },
	{ "another serial", "\x02\x14\x01\x93\x10", "\x02\x14\x01\x93\x11", 5, true, "cms-form", "malformed in its signing-certificate-v2" },
	{ "enveloped", "\xf7\x0d\x01\x07\x02", "\xf7\x0d\x01\x07\x03", 5, false, "cms-not-signed", "not a CMS signature" },
	{ "over something else", "\xf7\x0d\x01\x07\x01", "\xf7\x0d\x01\x07\x05", 5, false, "cms-content-type", "not over plain data" },
	{ "contentType of something else", "\xf7\x0d\x01\x07\x01", "\xf7\x0d\x01\x07\x05", 5, true, "cms-form", "malformed in its contentType" },
};
/* clang-format on */

static uint8_t *
find_in(struct buf *b, const char *what, size_t len, bool last)
{
	uint8_t *at = memmem(b->p, b->len, what, len), *next = at;

	while (last && next != NULL) {
		at = next;
		next =
		    memmem(at + 1, (size_t)(b->p + b->len - at - 1), what, len);
	}
	return at;
}

static void
patched(void **state)
{
	struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct person p;
	struct err e;
	size_t i;

	(void)state;
	person_init(&p, KEY_EC_P256);
	OK(cms_sign(p.key, buf_bytes(&p.der), text, TEST_NOW, &sig, &e), &e);
	for (i = 0; i < ARRAY_LEN(patches); i++) {
		struct buf copy AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct cms c;
		uint8_t *at;

		buf_put(&copy, sig.p, sig.len);
		at = find_in(&copy, patches[i].from, patches[i].len,
		    patches[i].last);
		ROW(at != NULL, patches[i].name);
		memcpy(at, patches[i].to, patches[i].len);
		refused(patches[i].name,
		    cms_parse(buf_bytes(&copy), &scratch, &c, &e), &e,
		    ERR_INVALID, patches[i].id, patches[i].say);
	}
	person_fini(&p);
}

/* One RSA key, one verifier, three hashes in turns: none may stick. */
static void
hashes_in_turns(void **state)
{
	static const char *const commands[] = { SIGN
		"-md sha256 -cades -outform DER",
		SIGN "-md sha512 -cades -outform DER",
		SIGN "-md sha384 -cades -outform DER" };
	struct buf sig[3] = { BUF(CMS_MAX_BYTES), BUF(CMS_MAX_BYTES),
		BUF(CMS_MAX_BYTES) };
	AUTO(verifier) v = NULL;
	struct person p;
	struct err e;
	size_t i;

	(void)state;
	person_init(&p, KEY_RSA_2048);
	OK(verifier_new(&v, &e), &e);
	for (i = 0; i < 3; i++) {
		must_run(&p.dir, commands[i], commands[i]);
		dir_read(&p.dir, "sig", &sig[i]);
	}
	for (i = 0; i < 9; i++) {
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct cms c;

		OK(cms_parse(buf_bytes(&sig[i % 3]), &scratch, &c, &e), &e);
		OK(cms_verify(&c, text, v, &e), &e);
	}
	for (i = 0; i < 3; i++)
		buf_fini(&sig[i]);
	person_fini(&p);
}

/* A minister's certificate has one private, critical purpose. */
static void
endorsers_pass_openssl(void **state)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct cert_spec spec;
	struct person p;
	struct err e;

	(void)state;
	person_init(&p, KEY_EC_P256);
	build_name(&name, "Ministra de Fe");
	holder_spec(&spec, &p.ca, buf_bytes(&name), key_spki(p.key));
	spec.eku[0] = OID_EKU_ENDORSER;
	spec.n_eku = 1;
	spec.eku_critical = true;
	sign_cert(p.ca.key, &spec, &der);
	OK(cms_sign(p.key, buf_bytes(&der), text, TEST_NOW, &sig, &e), &e);
	dir_write(&p.dir, "sig", buf_bytes(&sig));
	must_run(&p.dir, "endorser", VERIFY);
	person_fini(&p);
}

/* Same key, other certificate: CAdES binds the certificate, not the key. */
static void
certificate_is_bound(void **state)
{
	struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct person p;
	struct cms c;
	struct err e;
	uint8_t *cert;

	(void)state;
	person_init(&p, KEY_EC_P256);
	OK(cms_sign(p.key, buf_bytes(&p.der), text, TEST_NOW, &sig, &e), &e);
	cert = memmem(sig.p, sig.len, p.der.p, p.der.len);
	assert_non_null(cert);
	/* The last octet of the CA's signature over it. */
	cert[p.der.len - 1] ^= 1;
	refused("other certificate",
	    cms_parse(buf_bytes(&sig), &scratch, &c, &e), &e, ERR_INVALID,
	    "cms-signer-differs", "made for another certificate");
	person_fini(&p);
}

static void
sign_refusals(void **state)
{
	struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
	AUTO(key) other = NULL;
	struct person p;
	struct err e;

	(void)state;
	person_init(&p, KEY_EC_P256);
	OK(key_generate(KEY_EC_P256, &other, &e), &e);
	refused("another's key",
	    cms_sign(other, buf_bytes(&p.der), text, TEST_NOW, &sig, &e), &e,
	    ERR_INVALID, "cms-key-differs", "belongs to another key");
	assert_int_equal(sig.len, 0);
	person_fini(&p);
}

static void
sizes(void **state)
{
	static uint8_t big[CMS_MAX_BYTES + 1];
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct cms c;
	struct err e;

	(void)state;
	big[0] = 0x30;
	refused("too large",
	    cms_parse(bytes_of(big, sizeof(big)), &scratch, &c, &e), &e,
	    ERR_INVALID, "cms-size", "longer than 32768 octets");
	refused("empty", cms_parse(BYTES_NONE, &scratch, &c, &e), &e,
	    ERR_INVALID, "cms-size", "is empty");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_passes_openssl),
		cmocka_unit_test(vouched),
		cmocka_unit_test(openssl_passes_ours),
		cmocka_unit_test(refusals),
		cmocka_unit_test(every_octet_matters),
		cmocka_unit_test(patched),
		cmocka_unit_test(endorsers_pass_openssl),
		cmocka_unit_test(hashes_in_turns),
		cmocka_unit_test(certificate_is_bound),
		cmocka_unit_test(sign_refusals),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
