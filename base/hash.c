/* hash - SHA-256, once or many times. */
#include <pthread.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include <refrendo/base.h>

/*
 * The one static of base that is written, once: with EVP_sha256() OpenSSL 3
 * looks the algorithm up for each hash, 0.37 us instead of 0.16 for a node of
 * the tree, and an issuance takes some sixty.  Lives as long as the process.
 */
static EVP_MD *sha256_md;

static void
fetch_sha256(void)
{
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void
sha256(uint8_t out[SHA256_LEN], struct bytes b)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, fetch_sha256) != 0 || sha256_md == NULL ||
	    EVP_Digest(b.p, b.len, out, NULL, sha256_md, NULL) != 1)
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
