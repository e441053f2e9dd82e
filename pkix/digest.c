/* digest - what a key signs, over a message that comes in pieces. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "internal.h"

#define MU_LEN 64 /* FIPS 204 6.2, and the length of tr there */

struct digest {
	EVP_MD *sha256, *other; /* other: NULL where SHA-256 is signed */
	EVP_MD_CTX *ctx[2];
	size_t len;                 /* of what is signed */
	uint8_t prefix[MU_LEN + 2]; /* of ML-DSA: what comes before a message */
	size_t prefix_len;
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
		   (EVP_DigestInit_ex2(d->ctx[1], d->other, NULL) == 1 &&
		       EVP_DigestUpdate(d->ctx[1], d->prefix, d->prefix_len) ==
			   1));
}

size_t
digest_len(enum key_family f)
{
	if (f == FAMILY_ED25519)
		return 0;
	if (f >= FAMILY_ML_DSA_44)
		return MU_LEN;
	return hash_len(key_type_hash(family_type(f)));
}

/* FIPS 204 5.2 and 6.2: mu is SHAKE256 of the key's own hash, a domain octet
 * and the length of the context, both zero, and the message. */
static bool
begin_with_key(struct digest *d, struct bytes key)
{
	EVP_MD_CTX *c = d->ctx[1];

	d->prefix_len = sizeof(d->prefix);
	return EVP_DigestInit_ex2(c, d->other, NULL) == 1 &&
	       EVP_DigestUpdate(c, key.p, key.len) == 1 &&
	       EVP_DigestFinalXOF(c, d->prefix, MU_LEN) == 1;
}

enum err_code
digest_new(struct bytes spki, struct digest **out, struct err *e)
{
	struct spki_parts k;
	TRY(spki_split(spki, &k, e));
	TRY(key_type_check(family_type(k.family), e));
	if (digest_len(k.family) == 0)
		return err_say(e, ERR_INVALID, "digest-key",
		    "a key of type %s signs only what is there whole",
		    key_type_name(family_type(k.family)));
	AUTO(digest) d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_nomem(e);
	d->len = digest_len(k.family);
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->ctx[0] = EVP_MD_CTX_new();
	d->ctx[1] = EVP_MD_CTX_new();
	bool good = d->sha256 != NULL && d->ctx[0] != NULL && d->ctx[1] != NULL;
	if (d->len != SHA256_LEN) {
		d->other = EVP_MD_fetch(NULL,
		    d->len == MU_LEN ? "SHAKE256" : "SHA384", NULL);
		good = good && d->other != NULL &&
		       (d->len != MU_LEN || begin_with_key(d, k.key));
	}
	if (!good || !restart(d))
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

static bool
end_other(struct digest *d, uint8_t *out)
{
	if (d->prefix_len > 0)
		return EVP_DigestFinalXOF(d->ctx[1], out, d->len) == 1;
	return EVP_DigestFinal_ex(d->ctx[1], out, NULL) == 1;
}

void
digest_end(struct digest *d, struct digest_value *out)
{
	if (EVP_DigestFinal_ex(d->ctx[0], out->sha256, NULL) != 1)
		fatal("OpenSSL's hash failed");
	out->len = d->len;
	if (d->other == NULL)
		memcpy(out->p, out->sha256, SHA256_LEN);
	else if (!end_other(d, out->p))
		fatal("OpenSSL's hash failed");
	if (!restart(d))
		fatal("OpenSSL's hash failed");
}
