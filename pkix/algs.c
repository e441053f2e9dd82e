/*
 * Algorithms: the signature algorithms, hashes and key types that exist here.
 * SHA-1 and MD5 are in no table of signatures, so nothing can name them.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "internal.h"

/* clang-format off */
static const uint8_t ecdsa_256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t ecdsa_384[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
static const uint8_t ecdsa_512[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 };
static const uint8_t rsa_256[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
static const uint8_t rsa_384[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00 };
static const uint8_t rsa_512[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00 };
/* RFC 4055 3.1: each with MGF1 over the same hash and a salt as long. */
#define PSS_HEAD(len) 0x30, len, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a
#define PSS_HASH(n)   0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n, 0x05, 0x00
#define PSS(n, salt)  { PSS_HEAD(0x41), 0x30, 0x34, 0xa0, 0x0f, PSS_HASH(n), 0xa1, 0x1c, 0x30, 0x1a, \
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, PSS_HASH(n), 0xa2, 0x03, 0x02, 0x01, salt }
static const uint8_t pss_256[] = PSS(0x01, 32);
static const uint8_t pss_384[] = PSS(0x02, 48);
static const uint8_t pss_512[] = PSS(0x03, 64);
static const uint8_t pss_any[] = { PSS_HEAD(0x0b) };
static const uint8_t rsa_bare[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
static const uint8_t ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };
/* RFC 9881 2 */
#define ML_DSA(n) { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, n }
static const uint8_t ml_dsa_44[] = ML_DSA(0x11);
static const uint8_t ml_dsa_65[] = ML_DSA(0x12);
static const uint8_t ml_dsa_87[] = ML_DSA(0x13);
static const uint8_t sha_256[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
static const uint8_t sha_384[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 };
static const uint8_t sha_512[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03 };

const struct bytes algid_rsa_encryption = STATIC_BYTES(rsa_bare);

#define BIT(f)  (1u << (f))
#define EC_ANY  (BIT(FAMILY_P256) | BIT(FAMILY_P384))
#define PSS_ANY (BIT(FAMILY_RSA) | BIT(FAMILY_RSA_PSS))

static const struct sig_alg sig_algs[] = {
	/* algid                     keys that may use it    hash         PSS */
	{ STATIC_BYTES(ecdsa_256), EC_ANY,                HASH_SHA256, false },
	{ STATIC_BYTES(ecdsa_384), EC_ANY,                HASH_SHA384, false },
	{ STATIC_BYTES(ecdsa_512), EC_ANY,                HASH_SHA512, false },
	{ STATIC_BYTES(rsa_256),   BIT(FAMILY_RSA),       HASH_SHA256, false },
	{ STATIC_BYTES(rsa_384),   BIT(FAMILY_RSA),       HASH_SHA384, false },
	{ STATIC_BYTES(rsa_512),   BIT(FAMILY_RSA),       HASH_SHA512, false },
	{ STATIC_BYTES(pss_256),   PSS_ANY,               HASH_SHA256, true },
	{ STATIC_BYTES(pss_384),   PSS_ANY,               HASH_SHA384, true },
	{ STATIC_BYTES(pss_512),   PSS_ANY,               HASH_SHA512, true },
	{ STATIC_BYTES(ed25519),   BIT(FAMILY_ED25519),   HASH_NONE,   false },
	{ STATIC_BYTES(ml_dsa_44), BIT(FAMILY_ML_DSA_44), HASH_NONE,   false },
	{ STATIC_BYTES(ml_dsa_65), BIT(FAMILY_ML_DSA_65), HASH_NONE,   false },
	{ STATIC_BYTES(ml_dsa_87), BIT(FAMILY_ML_DSA_87), HASH_NONE,   false },
};

static const struct {
	struct bytes algid;
	size_t len;
} hashes[] = {
	[HASH_SHA256] = { STATIC_BYTES(sha_256), 32 },
	[HASH_SHA384] = { STATIC_BYTES(sha_384), 48 },
	[HASH_SHA512] = { STATIC_BYTES(sha_512), 64 },
};

static const struct {
	const char *name;
	struct bytes sigalg;
	enum hash_alg hash;
	struct key_maker make;
} types[KEY_TYPES] = {
	[KEY_EC_P256] =      { "ec-p256",      STATIC_BYTES(ecdsa_256), HASH_SHA256, { "EC", "P-256", 0 } },
	[KEY_EC_P384] =      { "ec-p384",      STATIC_BYTES(ecdsa_384), HASH_SHA384, { "EC", "P-384", 0 } },
	[KEY_RSA_2048] =     { "rsa-2048",     STATIC_BYTES(rsa_256),   HASH_SHA256, { "RSA", NULL, 2048 } },
	[KEY_RSA_3072] =     { "rsa-3072",     STATIC_BYTES(rsa_256),   HASH_SHA256, { "RSA", NULL, 3072 } },
	[KEY_RSA_4096] =     { "rsa-4096",     STATIC_BYTES(rsa_256),   HASH_SHA256, { "RSA", NULL, 4096 } },
	[KEY_RSA_PSS_2048] = { "rsa-pss-2048", STATIC_BYTES(pss_256),   HASH_SHA256, { "RSA-PSS", NULL, 2048 } },
	[KEY_RSA_PSS_3072] = { "rsa-pss-3072", STATIC_BYTES(pss_256),   HASH_SHA256, { "RSA-PSS", NULL, 3072 } },
	[KEY_RSA_PSS_4096] = { "rsa-pss-4096", STATIC_BYTES(pss_256),   HASH_SHA256, { "RSA-PSS", NULL, 4096 } },
	[KEY_ED25519] =      { "ed25519",      STATIC_BYTES(ed25519),   HASH_NONE,   { "ED25519", NULL, 0 } },
	[KEY_ML_DSA_44] =    { "ml-dsa-44",    STATIC_BYTES(ml_dsa_44), HASH_NONE,   { "ML-DSA-44", NULL, 0 } },
	[KEY_ML_DSA_65] =    { "ml-dsa-65",    STATIC_BYTES(ml_dsa_65), HASH_NONE,   { "ML-DSA-65", NULL, 0 } },
	[KEY_ML_DSA_87] =    { "ml-dsa-87",    STATIC_BYTES(ml_dsa_87), HASH_NONE,   { "ML-DSA-87", NULL, 0 } },
};
/* clang-format on */

const char *
key_type_name(enum key_type t)
{
	return t < KEY_TYPES ? types[t].name : "unknown";
}

bool
key_type_parse(struct bytes name, enum key_type *out)
{
	unsigned i;

	for (i = 0; i < KEY_TYPES; i++) {
		if (bytes_is(name, types[i].name)) {
			*out = (enum key_type)i;
			return true;
		}
	}
	return false;
}

struct bytes
key_type_sigalg(enum key_type t)
{
	if (t >= KEY_TYPES)
		fatal("key_type_sigalg: no such type");
	return types[t].sigalg;
}

enum hash_alg
key_type_hash(enum key_type t)
{
	return types[t].hash;
}

const struct key_maker *
key_type_maker(enum key_type t)
{
	return &types[t].make;
}

bool
key_type_of_ca(enum key_type t)
{
	return t < KEY_TYPES && t != KEY_RSA_2048 && t != KEY_RSA_PSS_2048 &&
	       t != KEY_ED25519;
}

/* Asked of the library that is loaded, not of the headers that were there. */
bool
key_type_here(enum key_type t)
{
	EVP_KEYMGMT *found = NULL;

	if (t < KEY_TYPES)
		found = EVP_KEYMGMT_fetch(NULL, types[t].make.algorithm, NULL);
	EVP_KEYMGMT_free(found);
	ERR_clear_error();
	return found != NULL;
}

enum err_code
key_type_check(enum key_type t, struct err *e)
{
	if (key_type_here(t))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "key-type-missing", NULL, NOWHERE,
	    "OpenSSL %s, which is in use here, has no keys of type %s; ML-DSA "
	    "came with OpenSSL 3.5, as in Debian 13",
	    OpenSSL_version(OPENSSL_VERSION_STRING), key_type_name(t));
}

const struct sig_alg *
sig_alg_find(struct bytes algid)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(sig_algs); i++) {
		if (bytes_eq(algid, sig_algs[i].algid))
			return &sig_algs[i];
	}
	return NULL;
}

/* RFC 4055 1.2: without parameters, or with those of the one signature that
 * the key is for. */
bool
pss_key_algid(struct bytes algid)
{
	const struct sig_alg *alg = sig_alg_find(algid);

	return bytes_eq(algid, bytes_of(pss_any, sizeof(pss_any))) ||
	       (alg != NULL && alg->pss);
}

struct bytes
rsa_sig_algid(enum hash_alg h)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(sig_algs); i++) {
		if (sig_algs[i].families == BIT(FAMILY_RSA) &&
		    sig_algs[i].hash == h)
			return sig_algs[i].algid;
	}
	return BYTES_NONE;
}

size_t
hash_len(enum hash_alg h)
{
	return h == HASH_NONE ? 0 : hashes[h].len;
}

struct bytes
hash_algid(enum hash_alg h)
{
	return h == HASH_NONE ? BYTES_NONE : hashes[h].algid;
}

bool
hash_find(struct bytes algid, enum hash_alg *out)
{
	struct der d = der_of(algid), in = der_enter(&d, DER_SEQUENCE);
	struct bytes oid = der_get(&in, DER_OID), null;
	unsigned i;

	/* RFC 5754 2: absent is right, NULL must be accepted. */
	if (der_optional(&in, DER_NULL, &null) && null.len != 0)
		return false;
	if (!der_end(&in) || !der_end(&d))
		return false;
	for (i = 0; i < HASH_NONE; i++) {
		struct bytes own = hashes[i].algid;

		if (bytes_eq(oid, bytes_of(own.p + 4, own.len - 4))) {
			*out = (enum hash_alg)i;
			return true;
		}
	}
	return false;
}

enum err_code
hash_of(enum hash_alg h, struct bytes b, uint8_t *out, struct err *e)
{
	const EVP_MD *md = EVP_sha256();

	if (h == HASH_SHA256) {
		sha256(out, b);
		return ERR_OK;
	}
	if (h == HASH_SHA384)
		md = EVP_sha384();
	else if (h == HASH_SHA512)
		md = EVP_sha512();
	if (EVP_Digest(b.p, b.len, out, NULL, md, NULL) != 1)
		return err_openssl(e, "hash-failed", "a hash failed");
	return ERR_OK;
}
