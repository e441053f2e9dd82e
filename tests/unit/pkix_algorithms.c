/*
 * Every type of key that exists: the longest objects that it makes fit their
 * caps, and what the OpenSSL in use does not have is refused with a sentence.
 */
#include "unit/pkix_help.h"

#include <openssl/crypto.h>

/* RFC 9881 and FIPS 204, table 2; of RSA the modulus. */
static const struct {
	enum key_type type;
	size_t spki, signature;
} sizes[] = {
	{ KEY_EC_P384, 120, 104 },
	{ KEY_RSA_4096, 550, 512 },
	{ KEY_RSA_PSS_3072, 420, 384 },
	{ KEY_ED25519, 44, 64 },
	{ KEY_ML_DSA_44, 1334, 2420 },
	{ KEY_ML_DSA_65, 1974, 3309 },
	{ KEY_ML_DSA_87, 2614, 4627 },
};

/* A CA of each type certifies a holder of the same, who proves possession and
 * signs evidence; openssl reads the chain. */
static void
the_longest_objects(void **state)
{
	AUTO(verifier) v = NULL;
	struct err e;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		enum key_type type = sizes[i].type;
		const char *row = key_type_name(type);
		struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
		struct buf csr AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct buf sig AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct buf pem AUTO_BUF = BUF(1 << 16);
		AUTO(key) holder = NULL;
		struct test_ca ca;
		struct cert_spec spec;
		struct cert c, issuer;
		struct csr r;
		struct cms cms;

		if (!key_type_here(type))
			continue;
		test_ca_init(&ca, type);
		OK(key_generate(type, &holder, &e), &e);
		ROW(key_spki(holder).len == sizes[i].spki, row);
		OK(csr_build(holder, "Ana", &csr, &e), &e);
		OK(csr_parse(buf_bytes(&csr), &scratch, &r, &e), &e);
		ROW(r.type == type, row);
		OK(csr_prove(&r, v, &e), &e);
		build_name(&name, "Ana Mar\303\255a \303\221anco");
		holder_spec(&spec, &ca, buf_bytes(&name), key_spki(holder));
		sign_cert(ca.key, &spec, &der);
		OK(cert_parse(buf_bytes(&der), &c, &e), &e);
		ROW(c.signature.len <= sizes[i].signature, row);
		OK(cert_parse(buf_bytes(&ca.der), &issuer, &e), &e);
		OK(cert_check_issued(&c, &issuer, TEST_NOW + 5, v, &e), &e);
		OK(cms_sign(holder, buf_bytes(&der), bytes_str("{}"), TEST_NOW,
		       &sig, &e),
		    &e);
		buf_reset(&scratch);
		OK(cms_parse(buf_bytes(&sig), &scratch, &cms, &e), &e);
		OK(cms_verify(&cms, bytes_str("{}"), v, &e), &e);
		struct dir d = dir_new();
		pem_put(&pem, "CERTIFICATE", buf_bytes(&ca.der));
		dir_write(&d, "ca.pem", buf_bytes(&pem));
		buf_reset(&pem);
		pem_put(&pem, "CERTIFICATE", buf_bytes(&der));
		dir_write(&d, "ana.pem", buf_bytes(&pem));
		must_run(&d, row,
		    "openssl verify -x509_strict -attime 1795000100 "
		    "-CAfile ca.pem ana.pem");
		dir_remove(&d);
		test_ca_fini(&ca);
	}
}

/* A key that only says to be one of a type: the head is right, the rest zero
 * or short. */
static void
ml_dsa_by_hand(void **state)
{
	static const struct {
		const char *name;
		uint8_t oid;
		size_t whole, key;
		bool exact;
	} rows[] = {
		{ "44", 0x11, 1330, 1312, true },
		{ "65", 0x12, 1970, 1952, true },
		{ "87", 0x13, 2610, 2592, true },
		{ "44 with the key of 65", 0x11, 1970, 1952, false },
		{ "SLH-DSA", 0x14, 1330, 1312, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t spki[SPKI_MAX] = { 0x30, 0x82,
			(uint8_t)(rows[i].whole >> 8), (uint8_t)rows[i].whole,
			0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
			0x03, 0x04, 0x03, rows[i].oid, 0x03, 0x82,
			(uint8_t)((rows[i].key + 1) >> 8),
			(uint8_t)(rows[i].key + 1), 0x00 };
		struct bytes whole = bytes_of(spki, rows[i].whole + 4);
		bool here = key_type_here(KEY_ML_DSA_44);
		uint8_t id[KEY_ID_LEN];
		enum key_type type = KEY_TYPES;
		struct err e;
		enum err_code code = spki_check(whole, &type, &e);

		if (!rows[i].exact) {
			refused(rows[i].name, code, &e, ERR_INVALID,
			    "spki-algorithm", "RSA, Ed25519 or ML-DSA");
			continue;
		}
		/* Read everywhere; used where it can be. */
		OK(spki_key_id(whole, id, &e), &e);
		if (here)
			ROW(code == ERR_OK && strcmp(key_type_name(type) + 7,
						  rows[i].name) == 0,
			    rows[i].name);
		else
			refused(rows[i].name, code, &e, ERR_DENIED,
			    "key-type-missing", "ML-DSA came with OpenSSL 3.5");
	}
}

/* What is not here is refused before anything is made of it. */
static void
missing_types(void **state)
{
	bool old = OpenSSL_version_num() < 0x30500000;
	AUTO(verifier) v = NULL;
	struct err e;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (int t = 0; t < KEY_TYPES; t++) {
		enum key_type type = (enum key_type)t;
		AUTO(key) k = NULL;

		ROW(key_type_here(type) == (!old || t < KEY_ML_DSA_44),
		    key_type_name(type));
		if (key_type_here(type))
			continue;
		refused(key_type_name(type), key_generate(type, &k, &e), &e,
		    ERR_DENIED, "key-type-missing", key_type_name(type));
		assert_null(k);
	}
}

static void
types_of_cas(void **state)
{
	(void)state;
	for (int t = 0; t < KEY_TYPES; t++) {
		enum key_type type = (enum key_type)t;
		bool no = type == KEY_RSA_2048 || type == KEY_RSA_PSS_2048 ||
			  type == KEY_ED25519;

		ROW(key_type_of_ca(type) == !no, key_type_name(type));
	}
	assert_false(key_type_of_ca(KEY_TYPES));
}

/* A key that is for PSS alone makes and proves nothing else, and one that is
 * restricted to a hash proves no other. */
static void
pss_keys(void **state)
{
	struct dir d = dir_new();
	struct buf der AUTO_BUF = BUF(4096), sig AUTO_BUF = BUF(SIG_MAX);
	AUTO(verifier) v = NULL;
	AUTO(key) pss = NULL;
	AUTO(key) rsa = NULL;
	struct bytes pkcs1 = key_type_sigalg(KEY_RSA_2048);
	struct bytes alg = key_type_sigalg(KEY_RSA_PSS_2048);
	struct bytes message = bytes_str("message");
	struct err e;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	OK(key_generate(KEY_RSA_PSS_2048, &pss, &e), &e);
	OK(key_generate(KEY_RSA_2048, &rsa, &e), &e);
	OK(key_sign(pss, message, &sig, &e), &e);
	OK(verifier_check(v, key_spki(pss), alg, message, buf_bytes(&sig), &e),
	    &e);
	refused("as PKCS #1",
	    verifier_check(v, key_spki(pss), pkcs1, message, buf_bytes(&sig),
		&e),
	    &e, ERR_INVALID, "signature-algorithm", "does not fit the key");
	/* One key object, both paddings in turns. */
	for (int round = 0; round < 2; round++) {
		buf_reset(&sig);
		OK(key_sign(rsa, message, &sig, &e), &e);
		OK(verifier_check(v, key_spki(rsa), pkcs1, message,
		       buf_bytes(&sig), &e),
		    &e);
		refused("PKCS #1 as PSS",
		    verifier_check(v, key_spki(rsa), alg, message,
			buf_bytes(&sig), &e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
	}
	must_run(&d, "make",
	    "openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048 "
	    "-pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt "
	    "rsa_pss_keygen_mgf1_md:sha384 -pkeyopt "
	    "rsa_pss_keygen_saltlen:48 -out k.pem");
	must_run(&d, "public",
	    "openssl pkey -in k.pem -pubout -outform DER -out k.der");
	dir_read(&d, "k.der", &der);
	refused("restricted to SHA-384",
	    verifier_check(v, buf_bytes(&der), alg, message, buf_bytes(&sig),
		&e),
	    &e, ERR_INVALID, "signature-algorithm", "does not fit the key");
	/* As a key of ours it would have to sign with SHA-256. */
	AUTO(key) loaded = NULL;
	char uri[128];
	snprintf(uri, sizeof(uri), "%s/k.pem", d.path);
	assert_int_equal(key_load(uri, BYTES_NONE, &loaded, &e), ERR_CRYPTO);
	assert_string_equal(e.id, "key-setup");
	dir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_objects),
		cmocka_unit_test(ml_dsa_by_hand),
		cmocka_unit_test(missing_types),
		cmocka_unit_test(types_of_cas),
		cmocka_unit_test(pss_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
