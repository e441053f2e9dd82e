/* hash - SHA-256, once or many times. */
#include <stdlib.h>

#include <openssl/evp.h>

#include <refrendo/base.h>

void
sha256(uint8_t out[SHA256_LEN], struct bytes b)
{
	if (EVP_Digest(b.p, b.len, out, NULL, EVP_sha256(), NULL) != 1)
		fatal("OpenSSL has no SHA-256");
}

/* Looking an algorithm up costs OpenSSL 3 many times what a short hash does:
 * here that happens once. */
struct hasher {
	EVP_MD *md;      /* owned */
	EVP_MD_CTX *ctx; /* owned */
};

struct hasher *
hasher_new(void)
{
	struct hasher *h = calloc(1, sizeof(*h));
	if (h == NULL)
		fatal("no memory for a hasher");
	h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (h->md == NULL || h->ctx == NULL ||
	    EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1)
		fatal("OpenSSL has no SHA-256");
	return h;
}

void
hasher_free(struct hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
}

void
hasher_sha256(struct hasher *h, uint8_t out[SHA256_LEN], struct bytes b)
{
	if (EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1 ||
	    EVP_DigestUpdate(h->ctx, b.p, b.len) != 1 ||
	    EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		fatal("OpenSSL's SHA-256 failed");
}
