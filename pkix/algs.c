/*
 * Algorithms: the signature algorithms, hashes and key types that exist here.
 * SHA-1 and MD5 are in no table of signatures, so nothing can name them.
 */
#include <openssl/evp.h>

#include "internal.h"

/* clang-format off */
static const uint8_t ecdsa_256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t ecdsa_384[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
static const uint8_t ecdsa_512[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 };
static const uint8_t rsa_256[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
static const uint8_t rsa_384[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00 };
static const uint8_t rsa_512[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00 };
static const uint8_t rsa_bare[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
static const uint8_t ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };
static const uint8_t sha_256[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
static const uint8_t sha_384[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 };
static const uint8_t sha_512[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03 };

const struct bytes algid_rsa_encryption = STATIC_BYTES(rsa_bare);

static const struct sig_alg sig_algs[] = {
	/* algid                     rsa    ed     hash */
	{ STATIC_BYTES(ecdsa_256), false, false, HASH_SHA256 },
	{ STATIC_BYTES(ecdsa_384), false, false, HASH_SHA384 },
	{ STATIC_BYTES(ecdsa_512), false, false, HASH_SHA512 },
	{ STATIC_BYTES(rsa_256),   true,  false, HASH_SHA256 },
	{ STATIC_BYTES(rsa_384),   true,  false, HASH_SHA384 },
	{ STATIC_BYTES(rsa_512),   true,  false, HASH_SHA512 },
	{ STATIC_BYTES(ed25519),   false, true,  HASH_NONE },
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
} types[KEY_TYPES] = {
	[KEY_EC_P256] =  { "ec-p256",  STATIC_BYTES(ecdsa_256), HASH_SHA256 },
	[KEY_EC_P384] =  { "ec-p384",  STATIC_BYTES(ecdsa_384), HASH_SHA384 },
	[KEY_RSA_2048] = { "rsa-2048", STATIC_BYTES(rsa_256),   HASH_SHA256 },
	[KEY_RSA_3072] = { "rsa-3072", STATIC_BYTES(rsa_256),   HASH_SHA256 },
	[KEY_RSA_4096] = { "rsa-4096", STATIC_BYTES(rsa_256),   HASH_SHA256 },
	[KEY_ED25519] =  { "ed25519",  STATIC_BYTES(ed25519),   HASH_NONE },
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

struct bytes
rsa_sig_algid(enum hash_alg h)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(sig_algs); i++) {
		if (sig_algs[i].rsa && sig_algs[i].hash == h)
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
