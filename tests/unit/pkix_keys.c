/* Keys, signatures, and what the gate for weak keys refuses. */
#include "unit/pkix_help.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static const struct bytes message = { (const uint8_t *)"message", 7 };

static void
sign_with(struct key *k, struct buf *sig)
{
	struct err e;

	OK(key_sign(k, message, sig, &e), &e);
}

/* One verifier, keys in turns: a key object that is reused must not stick. */
static void
verify_in_turns(void **state)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384,
		KEY_RSA_2048, KEY_RSA_PSS_2048, KEY_ED25519, KEY_ML_DSA_44,
		KEY_ML_DSA_65, KEY_ML_DSA_87 };
	AUTO(verifier) v = NULL;
	struct err e;
	size_t t;
	int round;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (t = 0; t < ARRAY_LEN(types); t++) {
		AUTO(key) a = NULL;
		AUTO(key) b = NULL;
		struct buf sa AUTO_BUF = BUF(SIG_MAX);
		struct buf sb AUTO_BUF = BUF(SIG_MAX);
		struct bytes alg = key_type_sigalg(types[t]);
		const char *row = key_type_name(types[t]);

		if (!key_type_here(types[t]))
			continue;
		OK(key_generate(types[t], &a, &e), &e);
		OK(key_generate(types[t], &b, &e), &e);
		sign_with(a, &sa);
		sign_with(b, &sb);
		for (round = 0; round < 3; round++) {
			ROW(verifier_check(v, key_spki(a), alg, message,
				buf_bytes(&sa), &e) == ERR_OK,
			    row);
			ROW(verifier_check(v, key_spki(b), alg, message,
				buf_bytes(&sb), &e) == ERR_OK,
			    row);
			refused(row,
			    verifier_check(v, key_spki(a), alg, message,
				buf_bytes(&sb), &e),
			    &e, ERR_INVALID, "signature-wrong",
			    "not that of this key");
			ROW(verifier_check(v, key_spki(a), alg, message,
				buf_bytes(&sa), &e) == ERR_OK,
			    row);
		}
		refused(row,
		    verifier_check(v, key_spki(a), alg, bytes_str("other"),
			buf_bytes(&sa), &e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
		sa.p[sa.len / 2] ^= 1;
		refused(row,
		    verifier_check(v, key_spki(a), alg, message, buf_bytes(&sa),
			&e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
	}
}

/* Two verifiers that share proofs of one place, which each right signature
 * takes: what is proven holds for exactly these four parts. */
static void
verify_shared(void **state)
{
	AUTO(proofs) p = NULL;
	AUTO(verifier) v = NULL;
	AUTO(verifier) w = NULL;
	AUTO(key) a = NULL;
	AUTO(key) b = NULL;
	struct buf sa AUTO_BUF = BUF(SIG_MAX);
	struct bytes alg = key_type_sigalg(KEY_EC_P256);
	struct err e;

	(void)state;
	OK(proofs_new(1, &p, &e), &e);
	OK(verifier_new(&v, &e), &e);
	OK(verifier_new(&w, &e), &e);
	verifier_share(v, p);
	verifier_share(w, p);
	OK(key_generate(KEY_EC_P256, &a, &e), &e);
	OK(key_generate(KEY_EC_P256, &b, &e), &e);
	sign_with(a, &sa);
	for (int round = 0; round < 2; round++) {
		OK(verifier_check(v, key_spki(a), alg, message, buf_bytes(&sa),
		       &e),
		    &e);
		OK(verifier_check(w, key_spki(a), alg, message, buf_bytes(&sa),
		       &e),
		    &e);
		/* Nothing that differs in one part is proven by it. */
		refused("other key",
		    verifier_check(w, key_spki(b), alg, message, buf_bytes(&sa),
			&e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
		refused("other message",
		    verifier_check(w, key_spki(a), alg, bytes_str("messagf"),
			buf_bytes(&sa), &e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
		refused("other algorithm",
		    verifier_check(w, key_spki(a), key_type_sigalg(KEY_EC_P384),
			message, buf_bytes(&sa), &e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
		sa.p[sa.len - 1] ^= 1;
		for (int again = 0; again < 2; again++)
			refused("other signature",
			    verifier_check(w, key_spki(a), alg, message,
				buf_bytes(&sa), &e),
			    &e, ERR_INVALID, "signature-wrong",
			    "not that of this key");
		sa.p[sa.len - 1] ^= 1;
	}
}

/* More RSA keys than the cache holds, each used after it was pushed out. */
static void
verify_beyond_cache(void **state)
{
	enum { N = 18 };
	struct key *k[N] = { NULL };
	struct buf sig[N];
	AUTO(verifier) v = NULL;
	struct err e;
	int i, round;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (i = 0; i < N; i++) {
		sig[i] = BUF(SIG_MAX);
		OK(key_generate(i < 2 ? KEY_RSA_2048 : KEY_ED25519, &k[i], &e),
		    &e);
		sign_with(k[i], &sig[i]);
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < N; i++)
			OK(verifier_check(v, key_spki(k[i]),
			       key_type_sigalg(key_type(k[i])), message,
			       buf_bytes(&sig[i]), &e),
			    &e);
	}
	for (i = 0; i < N; i++) {
		key_free(k[i]);
		buf_fini(&sig[i]);
	}
}

/* clang-format off */
static const uint8_t sha1_rsa[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00 };
static const uint8_t md5_rsa[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04, 0x05, 0x00 };
static const uint8_t sha1_ecdsa[] = { 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01 };
static const uint8_t pss[] = { 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a };
static const uint8_t ecdsa_null[] = { 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x05, 0x00 };
static const uint8_t rsa_256[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
static const uint8_t rsa_no_null[] = { 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b };
static const struct {
	const char *name;
	struct bytes alg;
} refused_algs[] = {
	{ "sha1WithRSAEncryption", { sha1_rsa, sizeof(sha1_rsa) } },
	{ "md5WithRSAEncryption",  { md5_rsa, sizeof(md5_rsa) } },
	{ "ecdsa-with-SHA1",       { sha1_ecdsa, sizeof(sha1_ecdsa) } },
	{ "PSS with its defaults", { pss, sizeof(pss) } },
	{ "ECDSA with NULL",       { ecdsa_null, sizeof(ecdsa_null) } },
	{ "RSA without NULL",      { rsa_no_null, sizeof(rsa_no_null) } },
	{ "RSA for an EC key",     { rsa_256, sizeof(rsa_256) } },
	{ "empty",                 { NULL, 0 } },
};
/* clang-format on */

static void
incident_09_no_sha1_no_md5(void **state)
{
	AUTO(verifier) v = NULL;
	AUTO(key) k = NULL;
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct err e;
	size_t i;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	OK(key_generate(KEY_EC_P256, &k, &e), &e);
	sign_with(k, &sig);
	for (i = 0; i < ARRAY_LEN(refused_algs); i++)
		refused(refused_algs[i].name,
		    verifier_check(v, key_spki(k), refused_algs[i].alg, message,
			buf_bytes(&sig), &e),
		    &e, ERR_INVALID, "signature-algorithm",
		    "SHA-256, SHA-384 or SHA-512");
}

/* --- Moduli made for the purpose ------------------------------------------- */

/* SPKI of an RSA key with this modulus and exponent. */
static void
rsa_spki(struct buf *out, const BIGNUM *n, uint64_t exponent)
{
	static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
		0x01, 0x01 };
	uint8_t magnitude[1024], memory[1200];
	struct der_w w = der_w_of(memory, sizeof(memory));
	struct bytes der, key;
	struct err e;
	size_t mark;
	int len = BN_bn2bin(n, magnitude);
	uint8_t inner[1100];

	der_put_uint(&w, exponent);
	der_put_integer(&w, bytes_of(magnitude, (size_t)len));
	der_wrap(&w, DER_SEQUENCE, sizeof(memory));
	OK(der_w_end(&w, &key, &e), &e);
	memcpy(inner, key.p, key.len);
	key.p = inner;
	w = der_w_of(memory, sizeof(memory));
	der_put_bits(&w, 0, key);
	mark = der_mark(&w);
	der_put(&w, DER_NULL, BYTES_NONE);
	der_put_oid(&w, bytes_of(oid, sizeof(oid)));
	der_wrap(&w, DER_SEQUENCE, mark);
	der_wrap(&w, DER_SEQUENCE, sizeof(memory));
	OK(der_w_end(&w, &der, &e), &e);
	buf_reset(out);
	buf_put(out, der.p, der.len);
	assert_false(out->failed);
}

static BIGNUM *
prime(int bits)
{
	BIGNUM *p = BN_new();

	assert_int_equal(BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL), 1);
	/* Two top bits, so that a product has its full length. */
	if (!BN_is_bit_set(p, bits - 2)) {
		BN_free(p);
		return prime(bits);
	}
	return p;
}

static void
expect_spki(const char *row, const BIGNUM *n, uint64_t exponent,
    enum err_code want, const char *id, const char *say)
{
	struct buf spki AUTO_BUF = BUF(2048);
	enum key_type type = KEY_TYPES;
	struct err e;

	rsa_spki(&spki, n, exponent);
	refused(row, spki_check(buf_bytes(&spki), &type, &e), &e, want, id,
	    say);
}

static void
incident_07_close_primes(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = prime(1024), *q = BN_dup(p), *n = BN_new();
	int gap;

	(void)state;
	/* The next prime, and one after a gap that a second round needs. */
	for (gap = 0; gap < 2; gap++) {
		do
			assert_int_equal(BN_add_word(q, 2), 1);
		while (BN_check_prime(q, ctx, NULL) != 1);
		assert_int_equal(BN_mul(n, p, q, ctx), 1);
		expect_spki("close primes", n, 65537, ERR_DENIED,
		    "key-weak-close-primes", "so close that anyone");
		assert_int_equal(BN_set_bit(q, 400), 1);
		assert_int_equal(BN_set_bit(q, 0), 1);
	}
	assert_int_equal(BN_sqr(n, p, ctx), 1);
	expect_spki("the same prime twice", n, 65537, ERR_DENIED,
	    "key-weak-close-primes", "so close that anyone");
	BN_free(p);
	BN_free(q);
	BN_free(n);
	BN_CTX_free(ctx);
}

/* p = k M + (65537^a mod M), M the product of the first 71 primes. */
static BIGNUM *
roca_prime(BN_CTX *ctx)
{
	BIGNUM *m = BN_new(), *r = BN_new(), *k = BN_new(), *p = BN_new();
	unsigned v, d, found = 0;

	BN_one(m);
	for (v = 2; found < 71; v++) {
		for (d = 2; d * d <= v && v % d != 0; d++)
			;
		if (d * d > v) {
			assert_int_equal(BN_mul_word(m, v), 1);
			found++;
		}
	}
	BN_set_word(r, 65537);
	do {
		BIGNUM *a = BN_new(), *f4 = BN_dup(r);

		BN_rand(a, 60, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
		BN_mod_exp(p, f4, a, m, ctx);
		BN_rand(k, 1025 - BN_num_bits(m), BN_RAND_TOP_ANY,
		    BN_RAND_BOTTOM_ANY);
		BN_mul(k, k, m, ctx);
		BN_add(p, p, k);
		BN_free(a);
		BN_free(f4);
	} while (BN_num_bits(p) != 1024 || !BN_is_bit_set(p, 1022) ||
		 BN_check_prime(p, ctx, NULL) != 1);
	BN_free(m);
	BN_free(r);
	BN_free(k);
	return p;
}

static void
incident_07_roca(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = roca_prime(ctx), *q = roca_prime(ctx), *n = BN_new();

	(void)state;
	BN_mul(n, p, q, ctx);
	expect_spki("ROCA", n, 65537, ERR_DENIED, "key-weak-roca",
	    "faulty generator");
	BN_free(p);
	BN_free(q);
	BN_free(n);
	BN_CTX_free(ctx);
}

static void
incident_08_corrupt_moduli(void **state)
{
	static const unsigned factors[] = { 3, 5, 7, 17, 251, 257, 997 };
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new(), *rest = BN_new();
	char say[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(factors); i++) {
		unsigned below = 0;

		/* No smaller factor may come first in the sentence. */
		do {
			BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
			BN_div_word(n, factors[i]);
			BN_mul_word(n, factors[i]);
			for (below = 3;
			    below < factors[i] && BN_mod_word(n, below) != 0;
			    below += 2)
				;
		} while (!BN_is_odd(n) || below != factors[i] ||
			 BN_num_bits(n) != 2048);
		snprintf(say, sizeof(say), "divisible by %u,", factors[i]);
		expect_spki("small factor", n, 65537, ERR_DENIED,
		    "key-weak-factor", say);
	}
	BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	BN_clear_bit(n, 0);
	expect_spki("even", n, 65537, ERR_DENIED, "key-weak-even", "is even");
	BN_free(n);
	BN_free(rest);
	BN_CTX_free(ctx);
}

static void
incident_06_sizes_and_exponents(void **state)
{
	static const int sizes[] = { 512, 1024, 2040, 2047, 2049, 2056, 3071,
		3080, 4095 };
	BIGNUM *n = BN_new();
	char say[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		BN_rand(n, sizes[i], BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
		snprintf(say, sizeof(say), "has %d bits", sizes[i]);
		expect_spki("size", n, 65537, ERR_DENIED, "key-weak-size", say);
	}
	BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	expect_spki("exponent 3", n, 3, ERR_DENIED, "key-weak-exponent",
	    "not 65537");
	expect_spki("exponent 1", n, 1, ERR_DENIED, "key-weak-exponent",
	    "not 65537");
	expect_spki("exponent of 40 bits", n, 0xff00010001, ERR_DENIED,
	    "key-weak-exponent", "not 65537");
	BN_rand(n, 8192, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	expect_spki("8192 bits", n, 65537, ERR_DENIED, "key-weak-size",
	    "has 8192 bits");
	static const uint8_t big[SPKI_MAX + 1] = { 0x30 };
	enum key_type type;
	struct err e;
	refused("longer than ML-DSA-87",
	    spki_check(bytes_of(big, sizeof(big)), &type, &e), &e, ERR_INVALID,
	    "spki-size", "longer than any key");
	BN_free(n);
}

static void
good_keys_pass(void **state)
{
	unsigned t;

	(void)state;
	for (t = 0; t < KEY_TYPES; t++) {
		AUTO(key) k = NULL;
		enum key_type type = KEY_TYPES, named;
		struct err e;

		/* Those take seconds; keys_on_disk makes one of each length. */
		if (t == KEY_RSA_4096 || t == KEY_RSA_PSS_4096 ||
		    !key_type_here((enum key_type)t))
			continue;
		OK(key_generate((enum key_type)t, &k, &e), &e);
		OK(spki_check(key_spki(k), &type, &e), &e);
		assert_int_equal(type, t);
		assert_int_equal(key_type(k), t);
		assert_true(
		    key_type_parse(bytes_str(key_type_name(type)), &named));
		assert_int_equal(named, t);
	}
}

/* --- Lists -------------------------------------------------------------------- */

/* The form of openssl-blacklist, by the openssl and sha1sum commands. */
static void
blacklist_line(struct bytes spki, char out[22])
{
	struct buf pem AUTO_BUF = BUF(1 << 16), text AUTO_BUF = BUF(1 << 16);
	struct dir d = dir_new();

	pem_put(&pem, "PUBLIC KEY", spki);
	dir_write(&d, "k.pem", buf_bytes(&pem));
	must_run(&d, "modulus", "openssl rsa -pubin -in k.pem -noout -modulus");
	dir_read(&d, "out", &text);
	dir_write(&d, "modulus", buf_bytes(&text));
	must_run(&d, "sha1sum", "sha1sum modulus");
	buf_reset(&text);
	dir_read(&d, "out", &text);
	snprintf(out, 22, "%.20s\n", buf_text(&text) + 20);
	dir_remove(&d);
}

static void
incident_06_listed_keys(void **state)
{
	AUTO(key) rsa = NULL;
	AUTO(key) ec = NULL;
	AUTO(weak_list) l = NULL;
	uint8_t hash_rsa[SHA256_LEN], hash_ec[SHA256_LEN];
	char line[22], hex[HEX_LEN(SHA256_LEN)];
	struct buf text AUTO_BUF = BUF(1 << 12);
	struct bytes h_rsa = bytes_of(hash_rsa, SHA256_LEN);
	struct bytes h_ec = bytes_of(hash_ec, SHA256_LEN);
	struct err e;

	(void)state;
	OK(key_generate(KEY_RSA_2048, &rsa, &e), &e);
	OK(key_generate(KEY_EC_P256, &ec, &e), &e);
	sha256(hash_rsa, key_spki(rsa));
	sha256(hash_ec, key_spki(ec));
	assert_null(weak_list_find(NULL, key_spki(rsa), h_rsa));
	OK(weak_list_new(&l, &e), &e);
	assert_null(weak_list_find(l, key_spki(rsa), h_rsa));

	blacklist_line(key_spki(rsa), line);
	buf_puts(&text, "# weak keys\r\n\nffffffffffffffffffff\n");
	buf_puts(&text, line);
	buf_puts(&text, "00000000000000000000");
	OK(weak_list_add(l, "blacklist.RSA-2048", buf_bytes(&text), &e), &e);
	assert_string_equal(weak_list_find(l, key_spki(rsa), h_rsa),
	    "blacklist.RSA-2048");
	assert_null(weak_list_find(l, BYTES_NONE, h_rsa));
	assert_null(weak_list_find(l, key_spki(ec), h_ec));

	hex_print(hex, h_ec);
	OK(weak_list_add(l, "leaked", bytes_str(hex), &e), &e);
	assert_string_equal(weak_list_find(l, key_spki(ec), h_ec), "leaked");
	assert_string_equal(weak_list_find(l, BYTES_NONE, h_ec), "leaked");
	assert_int_equal(weak_list_count(l), 4);

	refused("a line of something else",
	    weak_list_add(l, "mine", bytes_str("# a\n\nhello\n"), &e), &e,
	    ERR_INVALID, "weak-list-line",
	    "line 3 of the list of keys mine is neither 64 nor 20");
	assert_int_equal(e.where.line, 3);
	for (int i = 3; i < WEAK_LISTS_MAX; i++)
		OK(weak_list_add(l, "more", BYTES_NONE, &e), &e);
	refused("a ninth", weak_list_add(l, "ninth", BYTES_NONE, &e), &e,
	    ERR_INVALID, "weak-list-count", "more than 8 lists");
}

/* --- Points ------------------------------------------------------------------ */

static void
points(void **state)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384 };
	size_t t, i;

	(void)state;
	for (t = 0; t < 2; t++) {
		AUTO(key) k = NULL;
		uint8_t spki[SPKI_MAX];
		struct bytes b;
		enum key_type type;
		struct err e;

		OK(key_generate(types[t], &k, &e), &e);
		b = bytes_of(spki, key_spki(k).len);
		/* One wrong bit anywhere in the point puts it off its curve. */
		for (i = 1; i < b.len - 64 + 60; i += 7) {
			memcpy(spki, key_spki(k).p, b.len);
			spki[b.len - i % 64 - 1] ^= 0x10;
			refused("off the curve", spki_check(b, &type, &e), &e,
			    ERR_INVALID, "spki-point", "not on its curve");
		}
		/* x at least p, though it is right modulo p. */
		memcpy(spki, key_spki(k).p, b.len);
		memset(spki + b.len - (t == 0 ? 64 : 96), 0xff,
		    t == 0 ? 32 : 48);
		refused("x over p", spki_check(b, &type, &e), &e, ERR_INVALID,
		    "spki-point", "not on its curve");
		memset(spki + b.len - (t == 0 ? 64 : 96), 0, t == 0 ? 64 : 96);
		refused("zero", spki_check(b, &type, &e), &e, ERR_INVALID,
		    "spki-point", "not on its curve");
	}
}

/* Our curve arithmetic against OpenSSL's, on keys and on spoilt keys. */
static void
points_agree_with_openssl(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		AUTO(key) k = NULL;
		uint8_t spki[SPKI_MAX];
		const unsigned char *p = spki;
		enum key_type type;
		struct err e;
		EVP_PKEY *pkey;
		size_t len;

		OK(key_generate(i % 2 == 0 ? KEY_EC_P256 : KEY_EC_P384, &k, &e),
		    &e);
		len = key_spki(k).len;
		memcpy(spki, key_spki(k).p, len);
		if (i % 3 == 0)
			spki[len - 1] ^= (uint8_t)(1 + i);
		pkey = d2i_PUBKEY(NULL, &p, (long)len);
		assert_int_equal(pkey != NULL,
		    spki_check(bytes_of(spki, len), &type, &e) == ERR_OK);
		EVP_PKEY_free(pkey);
	}
}

/* clang-format off */
static const struct {
	const char *name, *command, *id, *say;
} foreign[] = {
	{ "compressed point",  "openssl ec -in ec.pem -pubout -conv_form compressed -outform DER -out k.der", "spki-point-form", "compressed" },
	{ "hybrid point",      "openssl ec -in ec.pem -pubout -conv_form hybrid -outform DER -out k.der", "spki-point-form", "compressed" },
	{ "explicit curve",    "openssl ec -in ec.pem -pubout -param_enc explicit -outform DER -out k.der", "spki-curve", "P-256 or P-384" },
	{ "secp256k1",         "openssl ec -in k1.pem -pubout -outform DER -out k.der", "spki-curve", "P-256 or P-384" },
	{ "Ed448",             "openssl pkey -in ed448.pem -pubout -outform DER -out k.der", "spki-algorithm", "EC P-256 or P-384, RSA, Ed25519 or ML-DSA" },
	{ "X25519",            "openssl pkey -in x.pem -pubout -outform DER -out k.der", "spki-algorithm", "EC P-256 or P-384" },
	{ "RSA-PSS, salt of 20", "openssl pkey -in pss.pem -pubout -outform DER -out k.der", "spki-algorithm", "EC P-256 or P-384" },
	{ "RSA-PSS, SHA-1",    "openssl pkey -in sha1.pem -pubout -outform DER -out k.der", "spki-algorithm", "EC P-256 or P-384" },
};
/* clang-format on */

static void
foreign_keys(void **state)
{
	struct dir d = dir_new();
	size_t i;

	(void)state;
	must_run(&d, "make",
	    "openssl ecparam -name prime256v1 -genkey -noout -out ec.pem");
	must_run(&d, "make",
	    "openssl ecparam -name secp256k1 -genkey -noout -out k1.pem");
	must_run(&d, "make", "openssl genpkey -algorithm ed448 -out ed448.pem");
	must_run(&d, "make", "openssl genpkey -algorithm x25519 -out x.pem");
	must_run(&d, "make",
	    "openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048 "
	    "-pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt "
	    "rsa_pss_keygen_mgf1_md:sha256 -pkeyopt "
	    "rsa_pss_keygen_saltlen:20 -out pss.pem");
	must_run(&d, "make",
	    "openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048 "
	    "-pkeyopt rsa_pss_keygen_md:sha1 -pkeyopt "
	    "rsa_pss_keygen_mgf1_md:sha1 -pkeyopt "
	    "rsa_pss_keygen_saltlen:20 -out sha1.pem");
	for (i = 0; i < ARRAY_LEN(foreign); i++) {
		struct buf der AUTO_BUF = BUF(4096);
		enum key_type type;
		struct err e;

		must_run(&d, foreign[i].name, foreign[i].command);
		dir_read(&d, "k.der", &der);
		refused(foreign[i].name, spki_check(buf_bytes(&der), &type, &e),
		    &e, ERR_INVALID, foreign[i].id, foreign[i].say);
	}
	dir_remove(&d);
}

/* --- Keys on disk ------------------------------------------------------------- */

static void
keys_on_disk(void **state)
{
	static const char *const forms[] = { "", "file:", "file://" };
	struct dir d = dir_new();
	unsigned t;
	size_t i;

	(void)state;
	for (t = 0; t < KEY_TYPES; t++) {
		AUTO(key) k = NULL;
		struct buf pem AUTO_BUF = BUF(16384);
		char uri[128];
		struct err e;

		if (t == KEY_RSA_3072 || t == KEY_RSA_PSS_3072 ||
		    t == KEY_RSA_PSS_4096 || !key_type_here((enum key_type)t))
			continue;
		OK(key_generate((enum key_type)t, &k, &e), &e);
		OK(key_print(k, bytes_str("una frase larga"), &pem, &e), &e);
		assert_non_null(
		    strstr(buf_text(&pem), "BEGIN ENCRYPTED PRIVATE KEY"));
		dir_write(&d, "k.pem", buf_bytes(&pem));
		for (i = 0; i < ARRAY_LEN(forms); i++) {
			AUTO(key) back = NULL;

			snprintf(uri, sizeof(uri), "%s%s/k.pem", forms[i],
			    d.path);
			OK(key_load(uri, bytes_str("una frase larga"), &back,
			       &e),
			    &e);
			assert_true(bytes_eq(key_spki(k), key_spki(back)));
			assert_int_equal(key_type(back), t);
		}
	}
	must_run(&d, "parameters", "openssl asn1parse -in k.pem");
	{
		struct buf out AUTO_BUF = BUF(1 << 16);

		dir_read(&d, "out", &out);
		/* 600000 is 0927C0. */
		assert_non_null(strstr(buf_text(&out), ":0927C0"));
		assert_non_null(strstr(buf_text(&out), "hmacWithSHA256"));
		assert_non_null(strstr(buf_text(&out), "aes-256-cbc"));
	}
	dir_remove(&d);
}

static void
key_refusals(void **state)
{
	struct dir d = dir_new();
	struct buf pem AUTO_BUF = BUF(8192);
	AUTO(key) k = NULL;
	AUTO(key) out = NULL;
	char uri[160];
	struct err e;

	(void)state;
	OK(key_generate(KEY_EC_P256, &k, &e), &e);
	OK(key_print(k, bytes_str("right"), &pem, &e), &e);
	dir_write(&d, "k.pem", buf_bytes(&pem));
	dir_write(&d, "text.pem", bytes_str("not a key\n"));
	snprintf(uri, sizeof(uri), "%s/k.pem", d.path);
	refused("wrong passphrase", key_load(uri, bytes_str("wrong"), &out, &e),
	    &e, ERR_FORBIDDEN, "key-passphrase", "does not open the key");
	refused("no passphrase", key_load(uri, BYTES_NONE, &out, &e), &e,
	    ERR_FORBIDDEN, "key-passphrase", "does not open the key");
	snprintf(uri, sizeof(uri), "%s/none.pem", d.path);
	refused("no file", key_load(uri, BYTES_NONE, &out, &e), &e,
	    ERR_NOTFOUND, "key-missing", "no readable key at");
	snprintf(uri, sizeof(uri), "%s/text.pem", d.path);
	refused("no key in it", key_load(uri, BYTES_NONE, &out, &e), &e,
	    ERR_INVALID, "key-unusable", "cannot be used for signing");
	refused("empty passphrase", key_print(k, BYTES_NONE, &pem, &e), &e,
	    ERR_INVALID, "key-passphrase-size", "1 to 1024 octets");
	must_run(&d, "a curve that is not allowed",
	    "openssl ecparam -name secp256k1 -genkey -noout -out k1.pem");
	snprintf(uri, sizeof(uri), "%s/k1.pem", d.path);
	refused("secp256k1", key_load(uri, BYTES_NONE, &out, &e), &e,
	    ERR_INVALID, "key-unusable", "cannot be used for signing");
	assert_null(out);
	dir_remove(&d);
}

/* The keys of a start, opened at once: each finds its owner, the first that
 * fails is the one that is told, and whoever gives up leaves no thread. */
static void
keys_at_once(void **state)
{
	struct dir d = dir_new();
	AUTO(key_loads) loads = key_loads_new();
	struct key *k[4] = { NULL }, *back[4] = { NULL };
	char uri[4][160];
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct buf pem AUTO_BUF = BUF(8192);
		char name[16];

		snprintf(name, sizeof(name), "k%zu.pem", i);
		OK(key_generate(KEY_EC_P256, &k[i], &e), &e);
		OK(key_print(k[i], bytes_str("right"), &pem, &e), &e);
		dir_write(&d, name, buf_bytes(&pem));
		snprintf(uri[i], sizeof(uri[i]), "%s/%s", d.path, name);
		OK(key_loads_add(loads, uri[i], bytes_str("right"), &back[i],
		       &e),
		    &e);
		/* Its own copy: the caller's may be gone. */
		uri[i][0] = '?';
	}
	OK(key_loads_wait(loads, &e), &e);
	for (i = 0; i < 4; i++) {
		assert_true(bytes_eq(key_spki(k[i]), key_spki(back[i])));
		key_free(TAKE(back[i]));
		uri[i][0] = '/';
	}
	key_loads_free(TAKE(loads));
	loads = key_loads_new();
	for (i = 0; i < 4; i++)
		OK(key_loads_add(loads, i == 2 ? "/no/such.pem" : uri[i],
		       bytes_str(i == 1 ? "wrong" : "right"), &back[i], &e),
		    &e);
	refused("the first that fails", key_loads_wait(loads, &e), &e,
	    ERR_FORBIDDEN, "key-passphrase", "k1.pem; give the right one");
	assert_non_null(back[0]);
	assert_null(back[1]);
	assert_null(back[2]);
	assert_non_null(back[3]);
	key_loads_free(TAKE(loads));
	refused("no memory for them",
	    key_loads_add(NULL, uri[0], BYTES_NONE, &back[1], &e), &e,
	    ERR_NOMEM, "nomem", "");
	/* Given up: freed while it runs. */
	loads = key_loads_new();
	OK(key_loads_add(loads, uri[1], bytes_str("right"), &back[1], &e), &e);
	key_loads_free(TAKE(loads));
	assert_non_null(back[1]);
	for (i = 0; i < 4; i++) {
		key_free(k[i]);
		key_free(back[i]);
	}
	dir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_in_turns),
		cmocka_unit_test(verify_shared),
		cmocka_unit_test(verify_beyond_cache),
		cmocka_unit_test(incident_06_sizes_and_exponents),
		cmocka_unit_test(incident_07_close_primes),
		cmocka_unit_test(incident_07_roca),
		cmocka_unit_test(incident_08_corrupt_moduli),
		cmocka_unit_test(incident_09_no_sha1_no_md5),
		cmocka_unit_test(good_keys_pass),
		cmocka_unit_test(incident_06_listed_keys),
		cmocka_unit_test(points),
		cmocka_unit_test(points_agree_with_openssl),
		cmocka_unit_test(foreign_keys),
		cmocka_unit_test(keys_on_disk),
		cmocka_unit_test(key_refusals),
		cmocka_unit_test(keys_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
