/*
 * Weak RSA moduli, by arithmetic on the public half alone: even, a small
 * factor, two close primes (Fermat), and the fingerprint of a generator whose
 * primes were powers of 65537 (CVE-2017-15361, called ROCA).
 *
 * Keys of a generator with too little entropy look like any other: only a
 * list of known ones finds them, and such lists belong to whoever keeps the
 * record of refused keys, not here.
 */
#include <stdio.h>

#include <openssl/bn.h>

#include "internal.h"

#define FACTOR_MAX    1000
#define FERMAT_ROUNDS 100
/* The smallest keys of that generator used the primes up to this one. */
#define ROCA_MAX 167

/* n modulo m; faster than a bignum and needs no memory. */
static uint64_t
mod_word(struct bytes n, uint64_t m)
{
	unsigned __int128 r = 0;
	size_t i = 0;

	for (; i + 8 <= n.len; i += 8) {
		uint64_t word = 0;
		size_t k;

		for (k = 0; k < 8; k++)
			word = word << 8 | n.p[i + k];
		r = (r << 64 | word) % m;
	}
	for (; i < n.len; i++)
		r = (r << 8 | n.p[i]) % m;
	return (uint64_t)r;
}

static bool
is_prime(uint32_t p)
{
	uint32_t d;

	for (d = 2; d * d <= p; d++) {
		if (p % d == 0)
			return false;
	}
	return p >= 2;
}

/* Is r a power of 65537 modulo p? */
static bool
power_of_f4(uint32_t r, uint32_t p)
{
	uint32_t base = 65537 % p, v = 1;

	do {
		if (v == r)
			return true;
		v = v * base % p;
	} while (v != 1);
	return false;
}

/* One long division serves as many primes as fit in a word together. */
static uint32_t
small_factor(struct bytes n, bool *roca)
{
	uint32_t p = 3, q;

	*roca = true;
	while (p < FACTOR_MAX) {
		uint32_t first = p;
		uint64_t product = 1, rest;

		for (; p < FACTOR_MAX && product <= UINT64_MAX / p; p += 2)
			product *= is_prime(p) ? p : 1;
		rest = mod_word(n, product);
		for (q = first; q < p; q += 2) {
			uint32_t r = (uint32_t)(rest % q);

			if (!is_prime(q))
				continue;
			if (r == 0)
				return q;
			if (q <= ROCA_MAX && *roca)
				*roca = power_of_f4(r, q);
		}
	}
	return 0;
}

struct fermat {
	BN_CTX *ctx;
	BIGNUM *n, *a, *b2, *root, *t;
};

static void
fermat_free(struct fermat *f)
{
	BN_CTX_free(f->ctx);
	BN_free(f->n);
	BN_free(f->a);
	BN_free(f->b2);
	BN_free(f->root);
	BN_free(f->t);
}

static bool
fermat_init(struct fermat *f, struct bytes n)
{
	f->ctx = BN_CTX_new();
	f->n = BN_bin2bn(n.p, (int)n.len, NULL);
	f->a = BN_new();
	f->b2 = BN_new();
	f->root = BN_new();
	f->t = BN_new();
	return f->ctx != NULL && f->n != NULL && f->a != NULL &&
	       f->b2 != NULL && f->root != NULL && f->t != NULL;
}

/* out = floor(sqrt(v)), by Newton from above; false without memory. */
static bool
root_floor(struct fermat *f, BIGNUM *out, const BIGNUM *v)
{
	BN_zero(out);
	if (BN_is_zero(v))
		return true;
	if (!BN_set_bit(out, (BN_num_bits(v) + 1) / 2))
		return false;
	for (;;) {
		/* t = (out + v / out) / 2; it falls until it is the root. */
		if (!BN_div(f->t, NULL, v, out, f->ctx) ||
		    !BN_add(f->t, f->t, out) || !BN_rshift1(f->t, f->t))
			return false;
		if (BN_cmp(f->t, out) >= 0)
			return true;
		if (BN_copy(out, f->t) == NULL)
			return false;
	}
}

/* 1 a square, 0 not, -1 without memory. */
static int
is_square(struct fermat *f, const BIGNUM *v)
{
	if (!root_floor(f, f->root, v) || !BN_sqr(f->t, f->root, f->ctx))
		return -1;
	return BN_cmp(f->t, v) == 0;
}

/* Of a thousand numbers that are no square, one passes all of these. */
static const uint8_t sieves[] = { 63, 31, 37, 41, 43, 47, 53, 59, 61 };

/* Which residues are squares, as masks. */
static void
sieve_fill(uint64_t mask[ARRAY_LEN(sieves)], uint64_t *product)
{
	size_t i;
	uint32_t x;

	*product = 1;
	for (i = 0; i < ARRAY_LEN(sieves); i++) {
		*product *= sieves[i];
		mask[i] = 0;
		for (x = 0; x < sieves[i]; x++)
			mask[i] |= UINT64_C(1) << (x * x % sieves[i]);
	}
}

static bool
may_be_square(const uint64_t mask[ARRAY_LEN(sieves)], uint64_t v)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(sieves); i++) {
		if ((mask[i] >> (v % sieves[i]) & 1) == 0)
			return false;
	}
	return true;
}

/* Is (a + plus)^2 - n a square? */
static int
round_is_square(struct fermat *f, int plus)
{
	if (!BN_copy(f->b2, f->a) || !BN_add_word(f->b2, (BN_ULONG)plus) ||
	    !BN_sqr(f->b2, f->b2, f->ctx) || !BN_sub(f->b2, f->b2, f->n))
		return -1;
	return is_square(f, f->b2);
}

/*
 * 1 when n = a^2 - b^2 for one of the first values of a: its two primes then
 * agree in their upper half.  0 not, -1 without memory.  The residues of b^2
 * say of nearly every round that it is none.
 */
static int
close_primes(struct fermat *f)
{
	uint64_t mask[ARRAY_LEN(sieves)], m, a, b2;
	int i, square;

	if (!root_floor(f, f->a, f->n) || !BN_sqr(f->b2, f->a, f->ctx))
		return -1;
	if (BN_cmp(f->b2, f->n) == 0)
		return 1;
	if (!BN_add_word(f->a, 1) || !BN_sqr(f->b2, f->a, f->ctx) ||
	    !BN_sub(f->b2, f->b2, f->n))
		return -1;
	sieve_fill(mask, &m);
	a = BN_mod_word(f->a, m);
	b2 = BN_mod_word(f->b2, m);
	for (i = 0; i < FERMAT_ROUNDS; i++) {
		if (may_be_square(mask, b2)) {
			square = round_is_square(f, i);
			if (square != 0)
				return square;
		}
		/* (a + 1)^2 - n = (a^2 - n) + 2a + 1 */
		b2 = (b2 + 2 * a + 1) % m;
		a = (a + 1) % m;
	}
	return 0;
}

static enum err_code
check_close(struct bytes n, struct err *e)
{
	struct fermat f = { .ctx = NULL };
	int found = fermat_init(&f, n) ? close_primes(&f) : -1;

	fermat_free(&f);
	if (found < 0)
		return err_nomem(e);
	if (found > 0)
		return err_at(e, ERR_DENIED, "key-weak-close-primes",
		    "CVE-2022-26320", at_field("subjectPublicKeyInfo"),
		    "the two primes of the RSA key are so close that anyone "
		    "can find them; make a new key with another program");
	return ERR_OK;
}

enum err_code
weak_modulus(struct bytes modulus, struct err *e)
{
	char text[12];
	uint32_t factor;
	bool roca;

	if ((modulus.p[modulus.len - 1] & 1) == 0)
		return err_at(e, ERR_DENIED, "key-weak-even", NULL,
		    at_field("subjectPublicKeyInfo"),
		    "the RSA modulus is even, which no real key is; make a "
		    "new key");
	factor = small_factor(modulus, &roca);
	if (factor != 0) {
		snprintf(text, sizeof(text), "%u", (unsigned)factor);
		return err_at(e, ERR_DENIED, "key-weak-factor",
		    "SP 800-89 5.3.3", at_field("subjectPublicKeyInfo"),
		    "the RSA modulus is divisible by %s, so it is corrupt; "
		    "make a new key",
		    text);
	}
	if (roca)
		return err_at(e, ERR_DENIED, "key-weak-roca", "CVE-2017-15361",
		    at_field("subjectPublicKeyInfo"),
		    "the RSA key was made by a faulty generator of certain "
		    "cards (ROCA); make a new key elsewhere");
	return check_close(modulus, e);
}
