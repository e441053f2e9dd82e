/* A passphrase in shares: any k give it back, and k - 1 say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <libgfshare.h>
#include <refrendo/engine.h>

#define SECRET "una frase de paso que nadie sabe"

struct set {
	struct buf share[SHARES_MAX];
};

static void
set_init(struct set *s, const char *secret, size_t n, size_t k)
{
	struct err e;
	for (size_t i = 0; i < SHARES_MAX; i++)
		s->share[i] = BUF(4096);
	assert_int_equal(shares_split(bytes_str(secret), n, k, s->share, &e),
	    ERR_OK);
}

static void
set_fini(struct set *s)
{
	for (size_t i = 0; i < SHARES_MAX; i++)
		buf_fini(&s->share[i]);
}

/* Those whose bits are set, in their order; the id of what was refused. */
static const char *
join(const struct buf *share, unsigned which, struct buf *out, struct err *e)
{
	AUTO(shares) s = NULL;
	*e = (struct err){ .code = ERR_OK };
	assert_int_equal(shares_new(&s, e), ERR_OK);
	for (unsigned i = 0; i < SHARES_MAX; i++) {
		if ((which >> i & 1) != 0 &&
		    shares_add(s, buf_bytes(&share[i]), e) != ERR_OK)
			return e->id;
	}
	buf_reset(out);
	return shares_join(s, out, e) == ERR_OK ? "" : e->id;
}

static void
any_k_and_no_fewer(void **state)
{
	struct buf out AUTO_BUF = BUF(4096);
	struct set s;
	struct err e;
	(void)state;
	for (size_t k = 2; k <= 5; k++) {
		set_init(&s, SECRET, 5, k);
		for (unsigned which = 1; which < 32; which++) {
			size_t n = (size_t)__builtin_popcount(which);
			const char *id = join(s.share, which, &out, &e);
			if (n >= k) {
				assert_string_equal(id, "");
				assert_string_equal(buf_text(&out), SECRET);
				continue;
			}
			assert_string_equal(id, "shares-few");
			assert_int_equal(out.len, 0);
		}
		set_fini(&s);
	}
}

/* The line with another number of needed shares, and its check made right. */
static void
say_fewer(struct buf *share, char needed)
{
	uint8_t hash[SHA256_LEN];
	char check[9];
	share->p[strlen("refrendo-share-1-")] = (uint8_t)needed;
	sha256(hash, bytes_of(share->p, share->len - 9));
	hex_print(check, bytes_of(hash, 4));
	memcpy(share->p + share->len - 8, check, 8);
}

/* Two of three, taken for enough, give something else. */
static void
fewer_are_something_else(void **state)
{
	static const unsigned pairs[] = { 3, 5, 6 };
	struct buf out AUTO_BUF = BUF(4096);
	struct set s;
	struct err e;
	(void)state;
	set_init(&s, SECRET, 3, 3);
	for (size_t i = 0; i < 3; i++)
		say_fewer(&s.share[i], '2');
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_string_equal(join(s.share, pairs[i], &out, &e),
		    "shares-wrong");
		assert_int_equal(out.len, 0);
	}
	set_fini(&s);
}

/* And whatever the secret is, some third share fits the two: every octet of it
 * is as possible as any other. */
static void
fewer_say_nothing(void **state)
{
	struct set s;
	unsigned char number[3] = { 1, 2, 3 }, octet[3][1], secret[1];
	bool seen[256] = { false };
	(void)state;
	set_init(&s, SECRET, 3, 3);
	/* Octet 5 of shares 1 and 2. */
	for (size_t i = 0; i < 2; i++) {
		const char *p = buf_text(&s.share[i]);
		p += strlen("refrendo-share-1-3-1-00000000-") + 10;
		assert_true(
		    hex_parse(bytes_of((const uint8_t *)p, 2), octet[i], 1));
	}
	for (unsigned guess = 0; guess < 256; guess++) {
		gfshare_ctx *g = gfshare_ctx_init_dec(number, 3, 1);
		octet[2][0] = (unsigned char)guess;
		for (unsigned char i = 0; i < 3; i++)
			gfshare_ctx_dec_giveshare(g, i, octet[i]);
		gfshare_ctx_dec_extract(g, secret);
		gfshare_ctx_free(g);
		assert_false(seen[secret[0]]);
		seen[secret[0]] = true;
	}
	set_fini(&s);
}

/* Any one character that is not what was written down. */
static void
a_wrong_one_is_named(void **state)
{
	struct buf out AUTO_BUF = BUF(4096);
	struct set s;
	struct err e;
	(void)state;
	set_init(&s, SECRET, 3, 2);
	for (size_t at = 0; at < s.share[1].len; at++) {
		uint8_t was = s.share[1].p[at];
		s.share[1].p[at] = was == 'a' ? 'b' : was == '1' ? '2' : '1';
		assert_string_equal(join(s.share, 3, &out, &e), "share-check");
		assert_non_null(strstr(e.say, "share 2, in the order given"));
		s.share[1].p[at] = was;
	}
	s.share[1].len--;
	assert_string_equal(join(s.share, 3, &out, &e), "share-check");
	set_fini(&s);
}

static void
not_together(void **state)
{
	struct buf out AUTO_BUF = BUF(4096);
	struct set s, other;
	struct err e;
	(void)state;
	set_init(&s, SECRET, 3, 2);
	set_init(&other, SECRET, 3, 2);
	struct buf mixed[SHARES_MAX] = { s.share[0], other.share[1],
		s.share[0] };
	assert_string_equal(join(mixed, 3, &out, &e), "share-other-set");
	assert_non_null(strstr(e.say, "share 2 is of another splitting"));
	assert_string_equal(join(mixed, 5, &out, &e), "share-twice");
	/* One that was made up: its check is right. */
	uint8_t *digit =
	    s.share[1].p + strlen("refrendo-share-1-2-2-00000000-") + 7;
	*digit = *digit == '0' ? '1' : '0';
	say_fewer(&s.share[1], '2');
	assert_string_equal(join(s.share, 3, &out, &e), "shares-wrong");
	set_fini(&s);
	set_fini(&other);
}

static void
lengths(void **state)
{
	static char secret[PASSPHRASE_MAX + 2];
	struct buf out AUTO_BUF = BUF(4096);
	struct buf none[SHARES_MAX] = { BUF(0) };
	struct set s;
	struct err e;
	size_t same = 0;
	(void)state;
	for (size_t n = 1; n <= PASSPHRASE_MAX; n += n < 64 ? 1 : 96) {
		memset(secret, 'x', n);
		secret[n] = '\0';
		set_init(&s, secret, SHARES_MAX, SHARES_MAX);
		assert_string_equal(join(s.share, 0xffff, &out, &e), "");
		assert_string_equal(buf_text(&out), secret);
		/* Nor does it say how long a usual one is. */
		if (n == 1)
			same = s.share[0].len;
		if (n <= 54)
			assert_int_equal(s.share[0].len, same);
		set_fini(&s);
	}
	memset(secret, 'x', PASSPHRASE_MAX + 1);
	assert_int_equal(shares_split(bytes_str(secret), 3, 2, none, &e),
	    ERR_INVALID);
	assert_string_equal(e.id, "shares-long");
	static const size_t counts[][2] = { { 1, 1 }, { 3, 1 }, { 2, 3 },
		{ 17, 2 }, { 0, 0 } };
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		assert_int_equal(shares_split(bytes_str("x"), counts[i][0],
				     counts[i][1], none, &e),
		    ERR_INVALID);
		assert_string_equal(e.id, "shares-count");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_k_and_no_fewer),
		cmocka_unit_test(fewer_are_something_else),
		cmocka_unit_test(fewer_say_nothing),
		cmocka_unit_test(a_wrong_one_is_named),
		cmocka_unit_test(not_together),
		cmocka_unit_test(lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
