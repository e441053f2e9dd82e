/* digest - the hash that a key signs, over a message that comes in pieces. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "internal.h"

struct digest {
	EVP_MD *sha256, *other; /* other: NULL where SHA-256 is signed */
	EVP_MD_CTX *ctx[2];
};

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx[0]);
	EVP_MD_CTX_free(d->ctx[1]);
	EVP_MD_free(d->sha256);
	EVP_MD_free(d->other);
	free(d);
}

static bool
restart(struct digest *d)
{
	return EVP_DigestInit_ex2(d->ctx[0], d->sha256, NULL) == 1 &&
	       (d->other == NULL ||
		   EVP_DigestInit_ex2(d->ctx[1], d->other, NULL) == 1);
}

enum err_code
digest_new(enum key_type type, struct digest **out, struct err *e)
{
	enum hash_alg h = key_type_hash(type);
	if (h == HASH_NONE)
		return err_say(e, ERR_INVALID, "digest-key",
		    "a key of type %s signs only what is there whole",
		    key_type_name(type));
	AUTO(digest) d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_nomem(e);
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->ctx[0] = EVP_MD_CTX_new();
	d->ctx[1] = EVP_MD_CTX_new();
	if (h == HASH_SHA384)
		d->other = EVP_MD_fetch(NULL, "SHA384", NULL);
	if (d->sha256 == NULL || d->ctx[0] == NULL || d->ctx[1] == NULL ||
	    (h == HASH_SHA384) != (d->other != NULL) || !restart(d))
		return err_openssl(e, "hash-failed", "a hash failed");
	*out = TAKE(d);
	return ERR_OK;
}

void
digest_put(struct digest *d, struct bytes piece)
{
	if (EVP_DigestUpdate(d->ctx[0], piece.p, piece.len) != 1 ||
	    (d->other != NULL &&
		EVP_DigestUpdate(d->ctx[1], piece.p, piece.len) != 1))
		fatal("OpenSSL's hash failed");
}

void
digest_end(struct digest *d, struct digest_value *out)
{
	if (EVP_DigestFinal_ex(d->ctx[0], out->sha256, NULL) != 1)
		fatal("OpenSSL's hash failed");
	out->len = SHA256_LEN;
	memcpy(out->p, out->sha256, SHA256_LEN);
	if (d->other != NULL) {
		out->len = hash_len(HASH_SHA384);
		if (EVP_DigestFinal_ex(d->ctx[1], out->p, NULL) != 1)
			fatal("OpenSSL's hash failed");
	}
	if (!restart(d))
		fatal("OpenSSL's hash failed");
}
