/*
 * Checking signatures.  OpenSSL 3.0 takes longer to decode a key than to use
 * it, so keys on P-256 and P-384 are a point set into one key object for each
 * curve, and RSA keys stay decoded in a small cache.
 */
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "internal.h"

#define CACHED_KEYS 16

struct cached {
	uint8_t id[SHA256_LEN]; /* of the SPKI */
	uint64_t used;          /* tick of the last use; 0: empty */
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx;         /* RSA only */
	const struct sig_alg *alg; /* what ctx is set to */
};

struct curve {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx;
};

struct verifier {
	EVP_MD *md[HASH_NONE];
	EVP_MD_CTX *hash;
	struct curve curve[2]; /* P-256, P-384 */
	struct cached cached[CACHED_KEYS];
	uint64_t tick;
	struct proofs *proofs; /* NULL: shared with nobody */
};

static void
cached_clear(struct cached *c)
{
	EVP_PKEY_CTX_free(c->ctx);
	EVP_PKEY_free(c->pkey);
	*c = (struct cached){ .pkey = NULL };
}

void
verifier_free(struct verifier *v)
{
	size_t i;

	if (v == NULL)
		return;
	for (i = 0; i < CACHED_KEYS; i++)
		cached_clear(&v->cached[i]);
	for (i = 0; i < ARRAY_LEN(v->curve); i++) {
		EVP_PKEY_CTX_free(v->curve[i].ctx);
		EVP_PKEY_free(v->curve[i].pkey);
	}
	for (i = 0; i < HASH_NONE; i++)
		EVP_MD_free(v->md[i]);
	EVP_MD_CTX_free(v->hash);
	free(v);
}

/* A key object with the curve's parameters; its point is set for each use. */
static bool
curve_init(struct curve *c, const char *group)
{
	EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	bool made = make != NULL && EVP_PKEY_paramgen_init(make) == 1 &&
		    EVP_PKEY_CTX_set_group_name(make, group) == 1 &&
		    EVP_PKEY_paramgen(make, &c->pkey) == 1;

	EVP_PKEY_CTX_free(make);
	if (!made)
		return false;
	c->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, c->pkey, NULL);
	return c->ctx != NULL && EVP_PKEY_verify_init(c->ctx) == 1;
}

static bool
verifier_init(struct verifier *v)
{
	v->md[HASH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	v->md[HASH_SHA384] = EVP_MD_fetch(NULL, "SHA384", NULL);
	v->md[HASH_SHA512] = EVP_MD_fetch(NULL, "SHA512", NULL);
	v->hash = EVP_MD_CTX_new();
	return v->md[HASH_SHA256] != NULL && v->md[HASH_SHA384] != NULL &&
	       v->md[HASH_SHA512] != NULL && v->hash != NULL &&
	       curve_init(&v->curve[0], "P-256") &&
	       curve_init(&v->curve[1], "P-384");
}

enum err_code
verifier_new(struct verifier **out, struct err *e)
{
	AUTO(verifier) v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_nomem(e);
	if (!verifier_init(v))
		return err_openssl(e, "verifier-setup",
		    "the cryptographic library cannot check signatures");
	*out = TAKE(v);
	return ERR_OK;
}

static enum err_code
wrong(struct err *e)
{
	ERR_clear_error();
	return err_at(e, ERR_INVALID, "signature-wrong", NULL, NOWHERE,
	    "the signature is not that of this key over these bytes");
}

static enum err_code
unusable(struct err *e)
{
	ERR_clear_error();
	return err_at(e, ERR_INVALID, "signature-key", NULL, NOWHERE,
	    "the key of the signature is not a valid key of its kind");
}

static enum err_code
misfit(struct err *e)
{
	ERR_clear_error();
	return err_at(e, ERR_INVALID, "signature-algorithm", NULL, NOWHERE,
	    "the signature algorithm is unknown or does not fit the key; use "
	    "ECDSA, RSA or RSA-PSS (salt as long as the hash) with SHA-256, "
	    "SHA-384 or SHA-512, Ed25519 or ML-DSA");
}

static enum err_code
digest(struct verifier *v, enum hash_alg h, struct bytes message,
    uint8_t out[HASH_MAX], struct err *e)
{
	if (EVP_DigestInit_ex2(v->hash, v->md[h], NULL) != 1 ||
	    EVP_DigestUpdate(v->hash, message.p, message.len) != 1 ||
	    EVP_DigestFinal_ex(v->hash, out, NULL) != 1)
		return err_openssl(e, "hash-failed", "a hash failed");
	return ERR_OK;
}

static enum err_code
verify_ec(struct verifier *v, const struct spki_parts *k, struct bytes hash,
    struct bytes signature, struct err *e)
{
	struct curve *c = &v->curve[k->family == FAMILY_P256 ? 0 : 1];

	/* This decodes the point and checks that it is on the curve. */
	if (EVP_PKEY_set1_encoded_public_key(c->pkey, k->key.p, k->key.len) !=
	    1)
		return unusable(e);
	if (EVP_PKEY_verify(c->ctx, signature.p, signature.len, hash.p,
		hash.len) != 1)
		return wrong(e);
	return ERR_OK;
}

/* A key that signs the message and not its hash. */
static bool
is_whole(const struct spki_parts *k)
{
	return key_type_hash(family_type(k->family)) == HASH_NONE;
}

static EVP_PKEY *
decode(struct bytes spki, const struct spki_parts *k)
{
	const unsigned char *p = spki.p;

	if (is_whole(k))
		return EVP_PKEY_new_raw_public_key_ex(NULL,
		    key_type_maker(family_type(k->family))->algorithm, NULL,
		    k->key.p, k->key.len);
	return d2i_PUBKEY(NULL, &p, (long)spki.len);
}

static enum err_code
cache_fill(struct cached *c, struct bytes spki, const struct spki_parts *k,
    struct err *e)
{
	cached_clear(c);
	TRY(key_type_check(family_type(k->family), e));
	c->pkey = decode(spki, k);
	if (c->pkey == NULL)
		return unusable(e);
	if (is_whole(k))
		return ERR_OK;
	if (EVP_PKEY_get_bits(c->pkey) < 2048 ||
	    EVP_PKEY_get_bits(c->pkey) > 4096)
		return unusable(e);
	c->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, c->pkey, NULL);
	if (c->ctx == NULL || EVP_PKEY_verify_init(c->ctx) != 1)
		return err_openssl(e, "verifier-setup",
		    "the cryptographic library cannot check signatures");
	return ERR_OK;
}

/* The decoded key, from the cache or in the place of the oldest one there. */
static enum err_code
cache_get(struct verifier *v, struct bytes spki, const struct spki_parts *k,
    struct cached **out, struct err *e)
{
	struct cached *oldest = &v->cached[0];
	uint8_t id[SHA256_LEN];
	enum err_code code;
	size_t i;

	sha256(id, spki);
	v->tick++;
	for (i = 0; i < CACHED_KEYS; i++) {
		struct cached *c = &v->cached[i];

		if (c->used != 0 && memcmp(c->id, id, sizeof(id)) == 0) {
			c->used = v->tick;
			*out = c;
			return ERR_OK;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	code = cache_fill(oldest, spki, k, e);
	if (code != ERR_OK) {
		cached_clear(oldest);
		return code;
	}
	memcpy(oldest->id, id, sizeof(id));
	oldest->used = v->tick;
	*out = oldest;
	return ERR_OK;
}

static enum err_code
verify_rsa(struct verifier *v, struct cached *c, const struct sig_alg *alg,
    struct bytes hash, struct bytes signature, struct err *e)
{
	if (c->alg != alg) {
		c->alg = NULL;
		/* A key may be for PSS with one hash only. */
		if (!rsa_setup(c->ctx, v->md[alg->hash], alg->pss))
			return misfit(e);
		c->alg = alg;
	}
	if (EVP_PKEY_verify(c->ctx, signature.p, signature.len, hash.p,
		hash.len) != 1)
		return wrong(e);
	return ERR_OK;
}

static enum err_code
verify_whole(struct cached *c, struct bytes message, bool is_digest,
    struct bytes signature, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	OSSL_PARAM external_mu[2];
	bool right;

	if (ctx == NULL)
		return err_nomem(e);
	whole_params(is_digest, external_mu);
	right = EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, c->pkey,
		    external_mu) == 1 &&
		EVP_DigestVerify(ctx, signature.p, signature.len, message.p,
		    message.len) == 1;
	EVP_MD_CTX_free(ctx);
	return right ? ERR_OK : wrong(e);
}

/* Key and algorithm, which must fit one another. */
static enum err_code
check_kind(struct bytes spki, struct bytes sigalg, struct bytes signature,
    const struct sig_alg **out, struct spki_parts *k, struct err *e)
{
	const struct sig_alg *alg = sig_alg_find(sigalg);

	TRY(spki_split(spki, k, e));
	if (alg == NULL || (alg->families >> k->family & 1) == 0)
		return misfit(e);
	if (signature.len == 0 || signature.len > SIG_MAX)
		return wrong(e);
	*out = alg;
	return ERR_OK;
}

static enum err_code
check_hash(struct verifier *v, struct bytes spki, const struct spki_parts *k,
    const struct sig_alg *alg, struct bytes hash, struct bytes signature,
    struct err *e)
{
	struct cached *c;

	if (k->family == FAMILY_P256 || k->family == FAMILY_P384)
		return verify_ec(v, k, hash, signature, e);
	TRY(cache_get(v, spki, k, &c, e));
	return verify_rsa(v, c, alg, hash, signature, e);
}

static enum err_code
check(struct verifier *v, struct bytes spki, struct bytes sigalg,
    struct bytes message, struct bytes signature, struct err *e)
{
	const struct sig_alg *alg;
	struct spki_parts k;
	struct cached *c;
	uint8_t hash[HASH_MAX];

	TRY(check_kind(spki, sigalg, signature, &alg, &k, e));
	if (is_whole(&k)) {
		TRY(cache_get(v, spki, &k, &c, e));
		return verify_whole(c, message, false, signature, e);
	}
	TRY(digest(v, alg->hash, message, hash, e));
	return check_hash(v, spki, &k, alg, bytes_of(hash, hash_len(alg->hash)),
	    signature, e);
}

enum err_code
verifier_check_digest(struct verifier *v, struct bytes spki,
    struct bytes sigalg, const struct digest_value *d, struct bytes signature,
    struct err *e)
{
	struct bytes value = bytes_of(d->p, d->len);
	const struct sig_alg *alg;
	struct spki_parts k;
	struct cached *c;

	TRY(check_kind(spki, sigalg, signature, &alg, &k, e));
	if (d->len != digest_len(k.family))
		return wrong(e);
	if (is_whole(&k)) {
		TRY(cache_get(v, spki, &k, &c, e));
		return verify_whole(c, value, true, signature, e);
	}
	/* The hash that a key signs with here, not another of its length. */
	if (alg->hash != key_type_hash(family_type(k.family)))
		return wrong(e);
	return check_hash(v, spki, &k, alg, value, signature, e);
}

void
verifier_share(struct verifier *v, struct proofs *p)
{
	v->proofs = p;
}

/* What stands for one signature over one message: all four, with lengths. */
static enum err_code
proof_id(struct verifier *v, const struct bytes part[4], uint8_t id[SHA256_LEN],
    struct err *e)
{
	bool good = EVP_DigestInit_ex2(v->hash, v->md[HASH_SHA256], NULL) == 1;

	for (size_t i = 0; i < 4 && good; i++) {
		uint8_t len[8];

		be64_print(len, part[i].len);
		good = EVP_DigestUpdate(v->hash, len, sizeof(len)) == 1 &&
		       EVP_DigestUpdate(v->hash, part[i].p, part[i].len) == 1;
	}
	if (!good || EVP_DigestFinal_ex(v->hash, id, NULL) != 1)
		return err_openssl(e, "hash-failed", "a hash failed");
	return ERR_OK;
}

enum err_code
verifier_vouch(struct verifier *v, struct bytes spki, struct bytes sigalg,
    struct bytes message, struct bytes signature, struct err *e)
{
	const struct bytes part[4] = { spki, sigalg, message, signature };
	uint8_t id[SHA256_LEN];

	if (v->proofs == NULL)
		return ERR_OK;
	TRY(proof_id(v, part, id, e));
	proofs_add(v->proofs, id);
	return ERR_OK;
}

enum err_code
verifier_check(struct verifier *v, struct bytes spki, struct bytes sigalg,
    struct bytes message, struct bytes signature, struct err *e)
{
	const struct bytes part[4] = { spki, sigalg, message, signature };
	uint8_t id[SHA256_LEN];

	if (v->proofs == NULL)
		return check(v, spki, sigalg, message, signature, e);
	TRY(proof_id(v, part, id, e));
	if (proofs_have(v->proofs, id))
		return ERR_OK;
	TRY(check(v, spki, sigalg, message, signature, e));
	proofs_add(v->proofs, id);
	return ERR_OK;
}
