/*
 * Public keys, read in place (RFC 5480, RFC 3279 2.3.1, RFC 4055 1.2, RFC 8410,
 * RFC 9881 4).
 */
#include <stdio.h>

#include <openssl/bn.h>

#include "internal.h"

/* clang-format off */
/* Everything before the point or the key; these forms have no variants. */
static const uint8_t p256_head[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00
};
static const uint8_t p384_head[] = {
	0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00
};
static const uint8_t ed25519_head[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
};
/* Lengths of the whole and of the BIT STRING, and the last octet of the OID. */
#define ML_DSA_HEAD(a, b, n, x, y) { 0x30, 0x82, a, b, 0x30, 0x0b, \
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, n, 0x03, 0x82, x, y, 0x00 }
static const uint8_t ml_dsa_44_head[] = ML_DSA_HEAD(0x05, 0x32, 0x11, 0x05, 0x21);
static const uint8_t ml_dsa_65_head[] = ML_DSA_HEAD(0x07, 0xb2, 0x12, 0x07, 0xa1);
static const uint8_t ml_dsa_87_head[] = ML_DSA_HEAD(0x0a, 0x32, 0x13, 0x0a, 0x21);

static const struct {
	enum key_family family;
	struct bytes head;
	size_t len; /* of the key after it */
	int first;  /* its first octet; -1: any */
} heads[] = {
	{ FAMILY_P256,      STATIC_BYTES(p256_head),      65,   0x04 },
	{ FAMILY_P384,      STATIC_BYTES(p384_head),      97,   0x04 },
	{ FAMILY_ED25519,   STATIC_BYTES(ed25519_head),   32,   -1 },
	{ FAMILY_ML_DSA_44, STATIC_BYTES(ml_dsa_44_head), 1312, -1 },
	{ FAMILY_ML_DSA_65, STATIC_BYTES(ml_dsa_65_head), 1952, -1 },
	{ FAMILY_ML_DSA_87, STATIC_BYTES(ml_dsa_87_head), 2592, -1 },
};

static const enum key_type types[FAMILIES] = {
	[FAMILY_P256] =      KEY_EC_P256,
	[FAMILY_P384] =      KEY_EC_P384,
	[FAMILY_RSA] =       KEY_RSA_2048,
	[FAMILY_RSA_PSS] =   KEY_RSA_PSS_2048,
	[FAMILY_ED25519] =   KEY_ED25519,
	[FAMILY_ML_DSA_44] = KEY_ML_DSA_44,
	[FAMILY_ML_DSA_65] = KEY_ML_DSA_65,
	[FAMILY_ML_DSA_87] = KEY_ML_DSA_87,
};
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };

/* FIPS 186-5 and SP 800-186 3.2.1: y^2 = x^3 - 3x + b over p, cofactor 1. */
static const uint8_t p256_b[32] = {
	0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55,
	0x76, 0x98, 0x86, 0xbc, 0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6,
	0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b
};
static const uint8_t p384_b[48] = {
	0xb3, 0x31, 0x2f, 0xa7, 0xe2, 0x3e, 0xe7, 0xe4, 0x98, 0x8e, 0x05, 0x6b,
	0xe3, 0xf8, 0x2d, 0x19, 0x18, 0x1d, 0x9c, 0x6e, 0xfe, 0x81, 0x41, 0x12,
	0x03, 0x14, 0x08, 0x8f, 0x50, 0x13, 0x87, 0x5a, 0xc6, 0x56, 0x39, 0x8d,
	0x8a, 0x2e, 0xd1, 0x9d, 0x2a, 0x85, 0xc8, 0xed, 0xd3, 0xec, 0x2a, 0xef
};
/* clang-format on */

static struct bytes
after(struct bytes b, size_t n)
{
	return bytes_of(b.p + n, b.len - n);
}

static enum err_code
form_error(struct err *e)
{
	return err_at(e, ERR_INVALID, "spki-form", "RFC 5280 4.1.2.7",
	    at_field("subjectPublicKeyInfo"),
	    "the public key is not a well-formed SubjectPublicKeyInfo");
}

/* Only what did not match one of the exact heads comes here. */
static enum err_code
ec_error(struct der *alg, struct bytes key, struct err *e)
{
	struct bytes curve = BYTES_NONE;

	if (der_peek(alg) == DER_OID)
		curve = der_get(alg, DER_OID);
	if (!bytes_eq(curve, bytes_of(oid_p256, sizeof(oid_p256))) &&
	    !bytes_eq(curve, bytes_of(oid_p384, sizeof(oid_p384))))
		return err_at(e, ERR_INVALID, "spki-curve", "RFC 5480 2.1.1",
		    at_field("subjectPublicKeyInfo"),
		    "the key is on a curve that is not allowed; use P-256 or "
		    "P-384, named by its identifier");
	if (key.len > 0 && key.p[0] != 0x04)
		return err_at(e, ERR_INVALID, "spki-point-form", "RFC 5480 2.2",
		    at_field("subjectPublicKeyInfo"),
		    "the point of the key is compressed; write it "
		    "uncompressed");
	return form_error(e);
}

static enum err_code
split_rsa(struct spki_parts *out, struct err *e)
{
	struct bytes n, x;
	struct der d, in;

	TRY(der_strict(out->key, e));
	d = der_of(out->key);
	in = der_enter(&d, DER_SEQUENCE);
	n = der_get(&in, DER_INTEGER);
	x = der_get(&in, DER_INTEGER);
	if (!der_end(&in) || !der_end(&d) || n.p[0] >= 0x80 || x.p[0] >= 0x80)
		return form_error(e);
	out->modulus = magnitude_of(n);
	out->exponent = magnitude_of(x);
	return ERR_OK;
}

static bool
split_exact(struct bytes spki, struct spki_parts *out)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct bytes head = heads[i].head;

		if (spki.len != head.len + heads[i].len ||
		    memcmp(spki.p, head.p, head.len) != 0 ||
		    (heads[i].first >= 0 && spki.p[head.len] != heads[i].first))
			continue;
		out->family = heads[i].family;
		out->key = after(spki, head.len);
		return true;
	}
	return false;
}

enum err_code
spki_split(struct bytes spki, struct spki_parts *out, struct err *e)
{
	struct der d, in, alg;
	struct bytes algid, oid, bits;

	*out = (struct spki_parts){ .family = FAMILIES };
	if (split_exact(spki, out))
		return ERR_OK;
	if (spki.len == 0 || spki.len > SPKI_MAX)
		return err_at(e, ERR_INVALID, "spki-size", NULL,
		    at_field("subjectPublicKeyInfo"),
		    "the public key is empty or longer than any key that is "
		    "allowed");
	TRY(der_strict(spki, e));
	d = der_of(spki);
	in = der_enter(&d, DER_SEQUENCE);
	algid = der_element(&in);
	d = der_of(algid);
	alg = der_enter(&d, DER_SEQUENCE);
	oid = der_get(&alg, DER_OID);
	bits = der_get(&in, DER_BIT_STRING);
	if (in.bad || alg.bad || !der_end(&in) || bits.p[0] != 0)
		return form_error(e);
	out->key = after(bits, 1);
	if (bytes_eq(algid, algid_rsa_encryption))
		out->family = FAMILY_RSA;
	else if (pss_key_algid(algid))
		out->family = FAMILY_RSA_PSS;
	if (out->family != FAMILIES)
		return split_rsa(out, e);
	if (bytes_eq(oid, bytes_of(oid_ec, sizeof(oid_ec))))
		return ec_error(&alg, out->key, e);
	if (bytes_eq(oid, bytes_of(oid_rsa, sizeof(oid_rsa))))
		return form_error(e);
	return err_at(e, ERR_INVALID, "spki-algorithm", NULL,
	    at_field("subjectPublicKeyInfo"),
	    "the key is of a kind that is not allowed; use EC P-256 or P-384, "
	    "RSA, Ed25519 or ML-DSA");
}

/* What one check of a point needs; all freed together. */
struct curve_math {
	BN_CTX *ctx;
	BIGNUM *b, *x, *y, *l, *r;
};

static void
curve_math_free(struct curve_math *m)
{
	BN_CTX_free(m->ctx);
	BN_free(m->b);
	BN_free(m->x);
	BN_free(m->y);
	BN_free(m->l);
	BN_free(m->r);
}

/* The primes have forms of their own, by which OpenSSL divides faster. */
static int
reduce(BIGNUM *a, const BIGNUM *p, BN_CTX *ctx)
{
	if (p == BN_get0_nist_prime_256())
		return BN_nist_mod_256(a, a, p, ctx);
	return BN_nist_mod_384(a, a, p, ctx);
}

/* 1 on the curve, 0 not, -1 without memory. */
static int
on_curve(struct curve_math *m, const BIGNUM *p, const uint8_t *b,
    struct bytes point)
{
	int half = (int)(point.len / 2);

	m->ctx = BN_CTX_new();
	m->l = BN_new();
	m->r = BN_new();
	m->b = BN_bin2bn(b, half, NULL);
	m->x = BN_bin2bn(point.p + 1, half, NULL);
	m->y = BN_bin2bn(point.p + 1 + half, half, NULL);
	if (m->ctx == NULL || m->l == NULL || m->r == NULL || m->b == NULL ||
	    m->x == NULL || m->y == NULL)
		return -1;
	if (BN_cmp(m->x, p) >= 0 || BN_cmp(m->y, p) >= 0)
		return 0;
	/* y^2 = (x^2 - 3) x + b; what is negative is reduced all the same. */
	if (!BN_sqr(m->l, m->y, m->ctx) || !reduce(m->l, p, m->ctx) ||
	    !BN_sqr(m->r, m->x, m->ctx) || !reduce(m->r, p, m->ctx) ||
	    !BN_sub_word(m->r, 3) || !BN_mul(m->r, m->r, m->x, m->ctx) ||
	    !BN_add(m->r, m->r, m->b) || !reduce(m->r, p, m->ctx))
		return -1;
	return BN_cmp(m->l, m->r) == 0;
}

static enum err_code
check_point(const struct spki_parts *k, struct err *e)
{
	struct curve_math m = { .ctx = NULL };
	bool p256 = k->family == FAMILY_P256;
	int is_on = on_curve(&m,
	    p256 ? BN_get0_nist_prime_256() : BN_get0_nist_prime_384(),
	    p256 ? p256_b : p384_b, k->key);

	curve_math_free(&m);
	if (is_on < 0)
		return err_nomem(e);
	if (is_on == 0)
		return err_at(e, ERR_INVALID, "spki-point",
		    "SP 800-56A 5.6.2.3.3", at_field("subjectPublicKeyInfo"),
		    "the point of the key is not on its curve; make a new "
		    "key");
	return ERR_OK;
}

static enum err_code
check_rsa(const struct spki_parts *k, enum key_type *type, struct err *e)
{
	static const uint8_t f4[] = { 0x01, 0x00, 0x01 };
	size_t step = k->modulus.len / 128 - 2; /* 2048, 3072, 4096 bits */
	char bits[24];

	*type = (enum key_type)(family_type(k->family) + step);
	if (k->modulus.len % 128 != 0 || step > 2 || k->modulus.p[0] < 0x80) {
		size_t n = k->modulus.len * 8;
		uint8_t top = k->modulus.p[0];

		for (; n > 0 && top < 0x80; n--)
			top = (uint8_t)(top << 1);
		snprintf(bits, sizeof(bits), "%zu", n);
		return err_at(e, ERR_DENIED, "key-weak-size", "SP 800-131A 3",
		    at_field("subjectPublicKeyInfo"),
		    "the RSA modulus has %s bits; allowed are exactly 2048, "
		    "3072 or 4096",
		    bits);
	}
	if (!bytes_eq(k->exponent, bytes_of(f4, sizeof(f4))))
		return err_at(e, ERR_DENIED, "key-weak-exponent",
		    "FIPS 186-5 5.4", at_field("subjectPublicKeyInfo"),
		    "the RSA exponent is not 65537; make a new key");
	return weak_modulus(k->modulus, e);
}

enum key_type
family_type(enum key_family f)
{
	return types[f];
}

enum err_code
spki_check(struct bytes spki, enum key_type *type, struct err *e)
{
	struct spki_parts k;

	TRY(spki_split(spki, &k, e));
	*type = family_type(k.family);
	if (k.family == FAMILY_P256 || k.family == FAMILY_P384)
		return check_point(&k, e);
	if (k.family == FAMILY_RSA || k.family == FAMILY_RSA_PSS)
		return check_rsa(&k, type, e);
	return key_type_check(*type, e);
}

enum err_code
spki_key_id(struct bytes spki, uint8_t out[KEY_ID_LEN], struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct spki_parts k;

	TRY(spki_split(spki, &k, e));
	sha256(hash, k.key);
	memcpy(out, hash, KEY_ID_LEN);
	return ERR_OK;
}
