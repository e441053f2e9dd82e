/*
 * Private keys: made here, or loaded by URI from a file or a token, and used
 * for nothing but signing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include "internal.h"

#define PBKDF2_ROUNDS 600000

struct key {
	OSSL_LIB_CTX *lib; /* of a token's key; NULL otherwise */
	EVP_PKEY *pkey;
	/* Both NULL where the message is signed and not its hash. */
	EVP_PKEY_CTX *ctx;
	EVP_MD *md;
	EVP_MD_CTX *hash;
	enum key_type type;
	uint8_t spki[SPKI_MAX];
	size_t spki_len;
};

bool
keys_lock(void)
{
	return CRYPTO_secure_malloc_init(256 << 10, 32) == 1;
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_CTX_free(k->ctx);
	EVP_PKEY_free(k->pkey);
	EVP_MD_free(k->md);
	EVP_MD_CTX_free(k->hash);
	free(k);
}

bool
key_is_token(const struct key *k)
{
	return k->lib != NULL;
}

enum key_type
key_type(const struct key *k)
{
	return k->type;
}

struct bytes
key_spki(const struct key *k)
{
	return bytes_of(k->spki, k->spki_len);
}

static enum err_code
unusable(const char *name, struct err *e)
{
	return err_at(e, ERR_INVALID, "key-unusable", NULL, NOWHERE,
	    "the key %s cannot be used for signing here; allowed are EC P-256 "
	    "and P-384, RSA and RSA-PSS 2048, 3072 and 4096, Ed25519, ML-DSA",
	    name);
}

bool
rsa_setup(EVP_PKEY_CTX *ctx, const EVP_MD *md, bool pss)
{
	if (EVP_PKEY_CTX_set_rsa_padding(ctx,
		pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		return false;
	return !pss || (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
			   EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx,
			       RSA_PSS_SALTLEN_DIGEST) == 1);
}

void
whole_params(bool is_digest, OSSL_PARAM *out)
{
	static int yes = 1;

	out[0] = out[1] = OSSL_PARAM_construct_end();
	if (is_digest)
		out[0] = OSSL_PARAM_construct_int("mu", &yes);
}

static bool
setup_context(struct key *k)
{
	enum hash_alg h = key_type_hash(k->type);

	k->hash = EVP_MD_CTX_new();
	if (k->hash == NULL || h == HASH_NONE)
		return k->hash != NULL;
	k->md =
	    EVP_MD_fetch(NULL, h == HASH_SHA256 ? "SHA256" : "SHA384", NULL);
	k->ctx = EVP_PKEY_CTX_new_from_pkey(k->lib, k->pkey, NULL);
	if (k->md == NULL || k->ctx == NULL || EVP_PKEY_sign_init(k->ctx) != 1)
		return false;
	if (k->type == KEY_EC_P256 || k->type == KEY_EC_P384)
		return true;
	return rsa_setup(k->ctx, k->md,
	    sig_alg_find(key_type_sigalg(k->type))->pss);
}

/* Takes pkey over, also on failure. */
static enum err_code
key_of(EVP_PKEY *pkey, OSSL_LIB_CTX *lib, const char *name, struct key **out,
    struct err *e)
{
	AUTO(key) k = calloc(1, sizeof(*k));
	unsigned char *p;
	struct err inner;
	int len;

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return err_nomem(e);
	}
	k->pkey = pkey;
	k->lib = lib;
	len = i2d_PUBKEY(pkey, NULL);
	p = k->spki;
	if (len <= 0 && lib != NULL)
		return err_openssl(e, "token-public-half",
		    "the token gives the private key but not its public half; "
		    "put its public key or its certificate into the token "
		    "under the same id");
	if (len <= 0 || len > SPKI_MAX || i2d_PUBKEY(pkey, &p) != len) {
		ERR_clear_error();
		return unusable(name, e);
	}
	k->spki_len = (size_t)len;
	if (spki_check(key_spki(k), &k->type, &inner) != ERR_OK) {
		(void)unusable(name, e);
		return err_why(e, "%s", inner.say);
	}
	/* Some RSA-PSS keys are for another hash than ours. */
	if (!setup_context(k))
		return err_openssl(e, "key-setup",
		    "the cryptographic library cannot sign with this key");
	*out = TAKE(k);
	return ERR_OK;
}

static EVP_PKEY *
make(const struct key_maker *m)
{
	EVP_PKEY_CTX *ctx =
	    EVP_PKEY_CTX_new_from_name(NULL, m->algorithm, NULL);
	size_t bits = m->bits;
	OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };
	EVP_PKEY *pkey = NULL;

	if (m->group != NULL)
		params[0] =
		    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
			(char *)(uintptr_t)m->group, 0);
	else if (bits != 0)
		params[0] =
		    OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS,
			&bits);
	if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	    EVP_PKEY_generate(ctx, &pkey) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

enum err_code
key_generate(enum key_type type, struct key **out, struct err *e)
{
	EVP_PKEY *pkey;

	TRY(key_type_check(type, e));
	pkey = make(key_type_maker(type));
	if (pkey == NULL)
		return err_openssl(e, "key-generate",
		    "the cryptographic library could not make a key");
	return key_of(pkey, NULL, key_type_name(type), out, e);
}

struct passphrase {
	struct bytes text;
	bool asked;
};

static int
give_passphrase(char *out, int size, int writing, void *data)
{
	struct passphrase *pass = data;

	(void)writing;
	pass->asked = true;
	if (pass->text.len == 0 || pass->text.len > (size_t)size)
		return -1;
	memcpy(out, pass->text.p, pass->text.len);
	return (int)pass->text.len;
}

/* "pkcs11:…?pin-value=1234": what follows the question mark stays ours. */
static void
name_of_uri(char *out, size_t size, const char *uri)
{
	size_t len = strcspn(uri, "?");
	const char *pin = strstr(uri, "pin-");

	if (pin != NULL && (size_t)(pin - uri) < len)
		len = (size_t)(pin - uri);
	if (len >= size)
		len = size - 1;
	memcpy(out, uri, len);
	out[len] = '\0';
}

/*
 * OSSL_STORE refuses "file:" with a relative path but takes a bare one; an
 * absolute path is the same in both forms.
 */
static const char *
bare_path(const char *uri)
{
	if (strncmp(uri, "file:", 5) == 0 && strncmp(uri, "file://", 7) != 0)
		return uri + 5;
	return uri;
}

static EVP_PKEY *
first_key(const char *uri, const UI_METHOD *ui, struct passphrase *pass)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, ui, pass, NULL, NULL);
	EVP_PKEY *pkey = NULL;

	if (store == NULL)
		return NULL;
	(void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
	while (pkey == NULL && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info == NULL) {
			if (OSSL_STORE_error(store))
				break;
			continue;
		}
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	return pkey;
}

bool
file_readable(const char *path)
{
	FILE *f =
	    fopen(strncmp(path, "file://", 7) == 0 ? path + 7 : path, "rb");

	if (f != NULL)
		fclose(f);
	return f != NULL;
}

static enum err_code
load_error(const char *path, const char *name, const struct passphrase *pass,
    struct err *e)
{
	enum err_code code;

	if (pass->asked)
		code = err_at(e, ERR_FORBIDDEN, "key-passphrase", NULL, NOWHERE,
		    "the passphrase does not open the key %s; give the right "
		    "one",
		    name);
	else if (!file_readable(path))
		code = err_at(e, ERR_NOTFOUND, "key-missing", NULL, NOWHERE,
		    "there is no readable key at %s; check the URI and the "
		    "permissions",
		    name);
	else
		code = unusable(name, e);
	ERR_clear_error();
	return code;
}

static enum err_code
load_from_token(const char *uri, struct bytes pin, struct key **out,
    struct err *e)
{
	EVP_PKEY *pkey;
	char name[64];

	name_of_uri(name, sizeof(name), uri);
	TRY(token_open(NULL, e));
	TRY(token_key(uri, pin, name, &pkey, e));
	return key_of(pkey, token_context(), name, out, e);
}

enum err_code
key_load(const char *uri, struct bytes passphrase, struct key **out,
    struct err *e)
{
	struct passphrase pass = { passphrase, false };
	const char *path = bare_path(uri);
	char name[64];
	EVP_PKEY *pkey;
	UI_METHOD *ui;

	if (uri_is_token(uri))
		return load_from_token(uri, passphrase, out, e);
	name_of_uri(name, sizeof(name), uri);
	ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	if (ui == NULL)
		return err_nomem(e);
	pkey = first_key(path, ui, &pass);
	UI_destroy_method(ui);
	if (pkey == NULL)
		return load_error(path, name, &pass, e);
	ERR_clear_error();
	return key_of(pkey, NULL, name, out, e);
}

static X509_SIG *
encrypt(const EVP_PKEY *pkey, struct bytes passphrase)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
	X509_ALGOR *pbe;
	X509_SIG *sig;

	if (plain == NULL)
		return NULL;
	pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL, 0, NULL,
	    NID_hmacWithSHA256);
	if (pbe == NULL) {
		PKCS8_PRIV_KEY_INFO_free(plain);
		return NULL;
	}
	/* On success the result owns pbe. */
	sig = PKCS8_set0_pbe((const char *)passphrase.p, (int)passphrase.len,
	    plain, pbe);
	if (sig == NULL)
		X509_ALGOR_free(pbe);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return sig;
}

/* --- Wrapped under a key of ours --------------------------------------------------- */

#define NONCE_LEN 12
#define TAG_LEN   16

bool
wrap_key_derive(struct bytes passphrase, struct bytes salt,
    uint8_t out[WRAP_KEY_LEN])
{
	return passphrase.len > 0 &&
	       PKCS5_PBKDF2_HMAC((const char *)passphrase.p,
		   (int)passphrase.len, salt.p, (int)salt.len, PBKDF2_ROUNDS,
		   EVP_sha256(), WRAP_KEY_LEN, out) == 1;
}

/* in and out may be the same octets; *tag is written, or compared. */
static bool
gcm(bool seal, const uint8_t *wrap_key, const uint8_t *nonce, struct bytes name,
    struct bytes in, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;
	bool good = c != NULL &&
		    EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, wrap_key,
			nonce, seal ? 1 : 0) == 1 &&
		    (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG,
				 TAG_LEN, tag) == 1) &&
		    EVP_CipherUpdate(c, NULL, &n, name.p, (int)name.len) == 1 &&
		    EVP_CipherUpdate(c, out, &n, in.p, (int)in.len) == 1 &&
		    EVP_CipherFinal_ex(c, out + n, &n) == 1 &&
		    (!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG,
				  TAG_LEN, tag) == 1);
	EVP_CIPHER_CTX_free(c);
	return good;
}

enum err_code
key_wrap(const struct key *k, const uint8_t wrap_key[WRAP_KEY_LEN],
    struct bytes name, struct buf *out, struct err *e)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(k->pkey);
	unsigned char *der = NULL;
	int len = plain == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(plain, &der);
	bool good = false;

	PKCS8_PRIV_KEY_INFO_free(plain);
	if (len > 0) {
		size_t n = (size_t)len;
		uint8_t *p = buf_room(out, NONCE_LEN + n + TAG_LEN);
		good = p != NULL && RAND_bytes(p, NONCE_LEN) == 1 &&
		       gcm(true, wrap_key, p, name, bytes_of(der, n),
			   p + NONCE_LEN, p + NONCE_LEN + n);
		OPENSSL_clear_free(der, n);
	}
	return good ? ERR_OK
		    : err_openssl(e, "key-export",
			  "this key cannot be exported");
}

enum err_code
key_unwrap(struct bytes wrapped, const uint8_t wrap_key[WRAP_KEY_LEN],
    struct bytes name, struct key **out, struct err *e)
{
	uint8_t tag[TAG_LEN];
	EVP_PKEY *pkey = NULL;

	if (wrapped.len <= NONCE_LEN + TAG_LEN || wrapped.len > WRAPPED_MAX)
		return unusable("of a CA", e);
	size_t n = wrapped.len - NONCE_LEN - TAG_LEN;
	uint8_t *der = OPENSSL_secure_malloc(n);
	if (der == NULL)
		return err_nomem(e);
	memcpy(tag, wrapped.p + NONCE_LEN + n, TAG_LEN);
	if (gcm(false, wrap_key, wrapped.p, name,
		bytes_of(wrapped.p + NONCE_LEN, n), der, tag)) {
		const unsigned char *p = der;
		PKCS8_PRIV_KEY_INFO *plain =
		    d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)n);
		if (plain != NULL)
			pkey = EVP_PKCS82PKEY(plain);
		PKCS8_PRIV_KEY_INFO_free(plain);
	}
	OPENSSL_secure_clear_free(der, n);
	ERR_clear_error();
	if (pkey == NULL)
		return unusable("of a CA", e);
	return key_of(pkey, NULL, "of a CA", out, e);
}

enum err_code
key_print(const struct key *k, struct bytes passphrase, struct buf *out,
    struct err *e)
{
	unsigned char *der = NULL;
	X509_SIG *sig;
	int len;

	if (passphrase.len == 0 || passphrase.len > 1024)
		return err_at(e, ERR_INVALID, "key-passphrase-size", NULL,
		    NOWHERE,
		    "a key is written only under a passphrase of 1 to 1024 "
		    "octets");
	sig = encrypt(k->pkey, passphrase);
	if (sig == NULL)
		return err_openssl(e, "key-export",
		    "this key cannot be exported");
	len = i2d_X509_SIG(sig, &der);
	X509_SIG_free(sig);
	if (len <= 0)
		return err_nomem(e);
	pem_put(out, "ENCRYPTED PRIVATE KEY", bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return buf_end(out, e);
}

/* The message, or of ML-DSA what digest_end() made of it. */
static enum err_code
sign_whole(struct key *k, struct bytes message, bool is_digest, uint8_t *sig,
    size_t *len, struct err *e)
{
	OSSL_PARAM external_mu[2];

	whole_params(is_digest, external_mu);
	if (EVP_DigestSignInit_ex(k->hash, NULL, NULL, k->lib, NULL, k->pkey,
		external_mu) != 1 ||
	    EVP_DigestSign(k->hash, sig, len, message.p, message.len) != 1)
		return err_openssl(e, "key-sign",
		    "the key did not sign; see the log");
	return ERR_OK;
}

enum err_code
key_sign(struct key *k, struct bytes message, struct buf *out, struct err *e)
{
	uint8_t hash[HASH_MAX], sig[SIG_MAX];
	size_t len = sizeof(sig);

	if (k->ctx == NULL)
		TRY(sign_whole(k, message, false, sig, &len, e));
	else if (EVP_DigestInit_ex2(k->hash, k->md, NULL) != 1 ||
		 EVP_DigestUpdate(k->hash, message.p, message.len) != 1 ||
		 EVP_DigestFinal_ex(k->hash, hash, NULL) != 1 ||
		 EVP_PKEY_sign(k->ctx, sig, &len, hash,
		     hash_len(key_type_hash(k->type))) != 1)
		return err_openssl(e, "key-sign",
		    "the key did not sign; see the log");
	buf_put(out, sig, len);
	return buf_end(out, e);
}

enum err_code
key_sign_digest(struct key *k, const struct digest_value *d, struct buf *out,
    struct err *e)
{
	uint8_t sig[SIG_MAX];
	size_t len = sizeof(sig);

	struct spki_parts parts;

	TRY(spki_split(key_spki(k), &parts, e));
	if (d->len != digest_len(parts.family) || d->len == 0)
		return err_say(e, ERR_CRYPTO, "key-digest",
		    "what is to be signed is no digest for this key");
	if (k->ctx == NULL)
		TRY(sign_whole(k, bytes_of(d->p, d->len), true, sig, &len, e));
	else if (EVP_PKEY_sign(k->ctx, sig, &len, d->p, d->len) != 1)
		return err_openssl(e, "key-sign",
		    "the key did not sign; see the log");
	buf_put(out, sig, len);
	return buf_end(out, e);
}
