/*
 * shares - a passphrase in n parts, of which any k give it back and fewer say
 * nothing (Shamir over GF(256), by libgfshare).
 *
 * What is shared: u16 octets, the passphrase, zero octets, and 8 octets of the
 * SHA-256 of these; 64 octets, or a multiple where the passphrase is long.  A
 * share is one line of text:
 *
 *     refrendo-share-1-K-X-SET-DATA-CHECK
 *
 * K as many are needed, X its number from 1, SET 8 hexadecimal digits drawn at
 * random for all of one splitting, DATA hexadecimal, CHECK 8 digits of the
 * SHA-256 of what stands before it, so that one that was typed wrong is known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libgfshare.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <refrendo/engine.h>

#define SHARE_START "refrendo-share-1-"
#define CHECK_LEN   8u
#define STEP        64u
#define SECRET_MAX  1088u /* PASSPHRASE_MAX, its length and the check */
#define SET_LEN     4u

struct share {
	int64_t needed, number;
	uint8_t set[SET_LEN];
	uint8_t data[SECRET_MAX];
	size_t len;
};

bool
share_is(struct bytes text)
{
	return text.len >= strlen(SHARE_START) &&
	       memcmp(text.p, SHARE_START, strlen(SHARE_START)) == 0;
}

static void
fill_random(unsigned char *p, unsigned int n)
{
	if (RAND_bytes(p, (int)n) != 1)
		fatal("the random generator failed");
}

/* --- Text ------------------------------------------------------------------------ */

static void
share_print(const struct share *s, struct buf *out)
{
	uint8_t hash[SHA256_LEN];
	char set[HEX_LEN(SET_LEN)], check[HEX_LEN(SET_LEN)];
	char data[HEX_LEN(SECRET_MAX)];
	hex_print(set, bytes_of(s->set, SET_LEN));
	hex_print(data, bytes_of(s->data, s->len));
	buf_putf(out, SHARE_START "%lld-%lld-%s-%s", (long long)s->needed,
	    (long long)s->number, set, data);
	OPENSSL_cleanse(data, sizeof(data));
	sha256(hash, buf_bytes(out));
	hex_print(check, bytes_of(hash, SET_LEN));
	buf_putf(out, "-%s", check);
}

/* The next part between dashes. */
static struct bytes
part(struct bytes *rest)
{
	size_t n = 0;
	while (n < rest->len && rest->p[n] != '-')
		n++;
	struct bytes out = bytes_of(rest->p, n);
	size_t skip = n < rest->len ? n + 1 : n;
	*rest = bytes_of(rest->p + skip, rest->len - skip);
	return out;
}

/* False for a line that was typed wrong. */
static bool
share_read(struct bytes text, struct share *s)
{
	uint8_t hash[SHA256_LEN], check[SET_LEN];
	if (!share_is(text) || text.len < strlen(SHARE_START) + 9)
		return false;
	sha256(hash, bytes_of(text.p, text.len - 9));
	struct bytes rest = bytes_of(text.p + strlen(SHARE_START),
			 text.len - strlen(SHARE_START)),
		     data;
	return dec_parse(part(&rest), &s->needed) && s->needed >= 2 &&
	       s->needed <= SHARES_MAX && dec_parse(part(&rest), &s->number) &&
	       s->number >= 1 && s->number <= SHARES_MAX &&
	       hex_parse(part(&rest), s->set, SET_LEN) &&
	       (data = part(&rest), s->len = data.len / 2) > 0 &&
	       s->len % STEP == 0 && s->len <= SECRET_MAX &&
	       hex_parse(data, s->data, s->len) &&
	       hex_parse(part(&rest), check, SET_LEN) && rest.len == 0 &&
	       memcmp(hash, check, SET_LEN) == 0;
}

/* --- Splitting -------------------------------------------------------------------- */

enum err_code
shares_split(struct bytes passphrase, size_t n, size_t k,
    struct buf out[SHARES_MAX], struct err *e)
{
	uint8_t secret[SECRET_MAX] = { 0 }, hash[SHA256_LEN];
	unsigned char number[SHARES_MAX];
	size_t len = (passphrase.len + 2 + CHECK_LEN + STEP - 1) / STEP * STEP;
	struct share s = { .needed = (int64_t)k, .len = len };
	if (passphrase.len > PASSPHRASE_MAX)
		return err_say(e, ERR_INVALID, "shares-long",
		    "a passphrase of more than 1024 octets is not split");
	if (k < 2 || k > n || n > SHARES_MAX)
		return err_say(e, ERR_INVALID, "shares-count",
		    "a passphrase is split in 2 to 16 shares, of which 2 or "
		    "more are needed and not more than there are");
	secret[0] = (uint8_t)(passphrase.len >> 8);
	secret[1] = (uint8_t)passphrase.len;
	memcpy(secret + 2, passphrase.p, passphrase.len);
	sha256(hash, bytes_of(secret, len - CHECK_LEN));
	memcpy(secret + len - CHECK_LEN, hash, CHECK_LEN);
	for (size_t i = 0; i < n; i++)
		number[i] = (unsigned char)(i + 1);
	gfshare_fill_rand = fill_random;
	gfshare_ctx *g = gfshare_ctx_init_enc(number, (unsigned)n,
	    (unsigned char)k, (unsigned)len);
	if (g == NULL)
		return err_nomem(e);
	fill_random(s.set, SET_LEN);
	gfshare_ctx_enc_setsecret(g, secret);
	for (size_t i = 0; i < n; i++) {
		s.number = (int64_t)i + 1;
		gfshare_ctx_enc_getshare(g, (unsigned char)i, s.data);
		share_print(&s, &out[i]);
	}
	gfshare_ctx_free(g); /* with random octets over it */
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(hash, sizeof(hash));
	OPENSSL_cleanse(&s, sizeof(s));
	return ERR_OK;
}

/* --- Putting together ---------------------------------------------------------------- */

struct shares {
	struct share share[SHARES_MAX];
	size_t n;
};

enum err_code
shares_new(struct shares **out, struct err *e)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(e) : ERR_OK;
}

void
shares_free(struct shares *s)
{
	if (s != NULL)
		OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

enum err_code
shares_add(struct shares *s, struct bytes text, struct err *e)
{
	struct share *next = &s->share[s->n];
	char which[24];
	snprintf(which, sizeof(which), "%zu", s->n + 1);
	if (s->n == SHARES_MAX || !share_read(text, next))
		return err_say(e, ERR_INVALID, "share-check",
		    "share %s, in the order given, does not agree with its own "
		    "check: compare it with what was written down",
		    which);
	snprintf(which, sizeof(which), "%lld", (long long)next->number);
	for (size_t i = 0; i < s->n; i++) {
		const struct share *old = &s->share[i];
		if (memcmp(old->set, next->set, SET_LEN) != 0 ||
		    old->needed != next->needed || old->len != next->len)
			return err_say(e, ERR_INVALID, "share-other-set",
			    "share %s is of another splitting than those "
			    "before it",
			    which);
		if (old->number == next->number)
			return err_say(e, ERR_INVALID, "share-twice",
			    "share %s was given twice", which);
	}
	s->n++;
	return ERR_OK;
}

size_t
shares_missing(const struct shares *s)
{
	size_t needed = s->n == 0 ? SHARES_MAX : (size_t)s->share[0].needed;
	return s->n < needed ? needed - s->n : 0;
}

enum err_code
shares_join(struct shares *s, struct buf *out, struct err *e)
{
	uint8_t secret[SECRET_MAX], hash[SHA256_LEN];
	size_t all = s->share[0].len;
	unsigned char number[SHARES_MAX];
	char have[24], need[24];
	snprintf(have, sizeof(have), "%zu", s->n);
	snprintf(need, sizeof(need), "%lld", (long long)s->share[0].needed);
	if (s->n == 0 || shares_missing(s) > 0)
		return err_say(e, ERR_INVALID, "shares-few",
		    "%s shares of the passphrase were given and %s are "
		    "needed",
		    have, need);
	for (size_t i = 0; i < s->n; i++)
		number[i] = (unsigned char)s->share[i].number;
	gfshare_fill_rand = fill_random;
	gfshare_ctx *g =
	    gfshare_ctx_init_dec(number, (unsigned)s->n, (unsigned)all);
	if (g == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->n; i++)
		gfshare_ctx_dec_giveshare(g, (unsigned char)i,
		    s->share[i].data);
	gfshare_ctx_dec_extract(g, secret);
	gfshare_ctx_free(g);
	size_t len = (size_t)secret[0] << 8 | secret[1];
	sha256(hash, bytes_of(secret, all - CHECK_LEN));
	bool good =
	    len + 2 + CHECK_LEN <= all &&
	    CRYPTO_memcmp(hash, secret + all - CHECK_LEN, CHECK_LEN) == 0;
	if (good)
		buf_put(out, secret + 2, len);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(hash, sizeof(hash));
	if (!good)
		return err_say(e, ERR_INVALID, "shares-wrong",
		    "the shares do not give a passphrase: one of them was "
		    "made up");
	return buf_end(out, e);
}
