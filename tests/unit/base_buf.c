/* Borrowed bytes, owned bytes, arenas, and taking ownership. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdalign.h>
#include <string.h>

#include <refrendo/base.h>

/* One test asks for more than there is, and wants NULL. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

#define LIT(s) bytes_of(s, sizeof(s) - 1)

static void
comparing(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = { { "", "", 0 }, { "", "a", -1 }, { "a", "", 1 },
		{ "a", "a", 0 }, { "a", "b", -1 }, { "ab", "a", 1 },
		{ "ab", "b", -1 }, { "\xff", "a", 1 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes a = bytes_str(rows[i].a), b = bytes_str(rows[i].b);
		int order = bytes_cmp(a, b);
		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		assert_int_equal(bytes_eq(a, b), rows[i].order == 0);
		assert_int_equal(bytes_is(a, rows[i].b), rows[i].order == 0);
	}
	assert_true(bytes_eq(BYTES_NONE, bytes_str("")));
	assert_int_equal(bytes_cmp(BYTES_NONE, BYTES_NONE), 0);
	assert_false(bytes_is(LIT("a\0"), "a"));
}

static void
puts_read_straight(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(1000);
	assert_string_equal(buf_text(&b), "");
	buf_puts(&b, "one");
	buf_putc(&b, ' ');
	buf_put(&b, "two!", 3);
	buf_put(&b, NULL, 0);
	buf_putf(&b, " %d%s", 3, "");
	memcpy(buf_room(&b, 2), "<>", 2);
	assert_true(bytes_is(buf_bytes(&b), "one two 3<>"));
	assert_string_equal(buf_text(&b), "one two 3<>");
	buf_drop(&b, 4);
	assert_string_equal(buf_text(&b), "two 3<>");
	buf_drop(&b, 0);
	buf_drop(&b, 7);
	assert_string_equal(buf_text(&b), "");
	struct err e;
	assert_int_equal(buf_end(&b, &e), ERR_OK);
}

/* Every way to put octets, at the cap and one beyond it. */
static void
put_by(int way, struct buf *b, const char *text)
{
	uint8_t *room = NULL;
	switch (way) {
	case 0:
		buf_put(b, text, strlen(text));
		break;
	case 1:
		buf_puts(b, text);
		break;
	case 2:
		buf_putf(b, "%s", text);
		break;
	case 3:
		for (size_t i = 0; text[i] != '\0'; i++)
			buf_putc(b, (uint8_t)text[i]);
		break;
	default:
		room = buf_room(b, strlen(text));
		if (room != NULL)
			memcpy(room, text, strlen(text));
	}
}

static void
caps_are_exact_and_failures_stick(void **state)
{
	(void)state;
	static const char text[] = "0123456789012345678901234567890123456789"
				   "0123456789012345678901234567890123456789";
	for (size_t max = 0; max <= sizeof(text); max++) {
		for (int way = 0; way < 5; way++) {
			struct buf b AUTO_BUF = BUF(max);
			struct err e;
			put_by(way, &b, text);
			bool fits = max >= sizeof(text) - 1;
			assert_int_equal(b.failed, !fits);
			assert_int_equal(buf_end(&b, &e),
			    fits ? ERR_OK : ERR_NOMEM);
			size_t len = b.len;
			assert_int_equal(len, fits       ? sizeof(text) - 1
					      : way == 3 ? max
							 : 0);
			assert_string_equal(buf_text(&b), fits ? text : "");
			assert_true(b.size <= max + 1);
			assert_true(b.p == NULL || b.size > b.len);
			if (fits)
				continue;
			buf_putc(&b, 'x');
			buf_put(&b, NULL, 0);
			buf_putf(&b, "y");
			assert_null(buf_room(&b, 0));
			assert_int_equal(b.len, len);
			buf_reset(&b);
			assert_false(b.failed);
			put_by(way, &b, "");
			assert_string_equal(buf_text(&b), "");
		}
	}
}

static void
a_refusal_names_the_cap(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(10);
	buf_puts(&b, "01234567890");
	struct err e;
	assert_int_equal(buf_end(&b, &e), ERR_NOMEM);
	assert_string_equal(e.id, "too-large");
	assert_string_equal(e.say,
	    "this does not fit in the 10 bytes that it may take; "
	    "ask for less");
}

static void
no_memory_is_a_failure(void **state)
{
	(void)state;
	struct err e;
	struct buf b AUTO_BUF = BUF(SIZE_MAX);
	buf_puts(&b, "kept");
	assert_null(buf_room(&b, SIZE_MAX / 4));
	assert_int_equal(buf_end(&b, &e), ERR_NOMEM);
	assert_true(bytes_is(buf_bytes(&b), "kept"));
	struct buf wrap AUTO_BUF = BUF(SIZE_MAX);
	buf_puts(&wrap, "kept");
	assert_null(buf_room(&wrap, SIZE_MAX - 2));
	assert_int_equal(buf_end(&wrap, &e), ERR_NOMEM);
}

static void
growing_keeps_what_is_there(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100000);
	for (uint32_t i = 0; i < 100000; i++)
		buf_putc(&b, (uint8_t)(i * 7));
	assert_false(b.failed);
	for (uint32_t i = 0; i < 100000; i++)
		if (b.p[i] != (uint8_t)(i * 7))
			fail_msg("octet %u", i);
	buf_putc(&b, 0);
	assert_true(b.failed);
	buf_fini(&b);
	assert_null(b.p);
	assert_int_equal(b.max, 100000);
	buf_puts(&b, "usable");
	assert_string_equal(buf_text(&b), "usable");
}

static void
what_leaves_is_wiped(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100);
	buf_puts(&b, "first SECRET");
	buf_drop(&b, 6);
	assert_memory_equal(b.p, "SECRET\0\0\0\0\0\0", 12);
	buf_reset(&b);
	assert_memory_equal(b.p, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	buf_puts(&b, "ab");
	assert_false(base64_get(&b, bytes_str("U0VDUkVU*A==")));
	assert_memory_equal(b.p, "ab\0\0\0\0\0\0\0", 9);
}

static void
pieces_are_zero_and_aligned(void **state)
{
	(void)state;
	AUTO(arena) a = arena_new();
	for (int round = 0; round < 3; round++) {
		static uint8_t *pieces[300];
		for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
			size_t len = i * i % 20011;
			uint8_t *p = arena_get(a, len);
			assert_int_equal((uintptr_t)p % alignof(max_align_t),
			    0);
			for (size_t j = 0; j < len; j++)
				if (p[j] != 0)
					fail_msg("piece %zu not zero", i);
			memset(p, (int)(i + 1), len);
			pieces[i] = p;
		}
		/* No piece lies in another. */
		for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
			for (size_t j = 0; j < i * i % 20011; j++)
				if (pieces[i][j] != (uint8_t)(i + 1))
					fail_msg("piece %zu changed", i);
		arena_reset(a);
	}
	arena_free(NULL);
}

static void
copies(void **state)
{
	(void)state;
	AUTO(arena) a = arena_new();
	char given[] = "given";
	struct bytes b = arena_copy(a, bytes_str(given));
	char *s = arena_str(a, bytes_str(given));
	char *f = arena_printf(a, "%s %d", given, 7);
	memset(given, 'x', 5);
	assert_true(bytes_is(b, "given"));
	assert_string_equal(s, "given");
	assert_string_equal(f, "given 7");
	assert_int_equal(arena_copy(a, BYTES_NONE).len, 0);
	assert_string_equal(arena_str(a, BYTES_NONE), "");
	assert_string_equal(arena_printf(a, "%s", ""), "");
}

struct thing {
	int *freed;
};

static void
thing_free(struct thing *t)
{
	if (t != NULL)
		++*t->freed;
}
OWNED(thing);

static struct thing *
make(struct thing *t, bool keep)
{
	AUTO(thing) made = t;
	return keep ? TAKE(made) : NULL;
}

static void
owned_is_freed_unless_taken(void **state)
{
	(void)state;
	int freed = 0;
	struct thing t = { &freed };
	assert_ptr_equal(make(&t, true), &t);
	assert_int_equal(freed, 0);
	assert_null(make(&t, false));
	assert_int_equal(freed, 1);
}

static void
hashing(void **state)
{
	(void)state;
	/* FIPS 180-4's examples; the hasher is used again and again. */
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb924"
		      "27ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223"
			 "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1" },
	};
	AUTO(hasher) h = hasher_new();
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		uint8_t out[SHA256_LEN];
		char text[HEX_LEN(SHA256_LEN)];
		struct bytes in = bytes_str(rows[i / 2].text);
		if (i % 2 == 0)
			sha256(out, in);
		else
			hasher_sha256(h, out, in);
		hex_print(text, bytes_of(out, sizeof(out)));
		assert_string_equal(text, rows[i / 2].want);
	}
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	sha256(one, BYTES_NONE);
	hasher_sha256(h, two, BYTES_NONE);
	assert_memory_equal(one, two, SHA256_LEN);
	hasher_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparing),
		cmocka_unit_test(puts_read_straight),
		cmocka_unit_test(caps_are_exact_and_failures_stick),
		cmocka_unit_test(a_refusal_names_the_cap),
		cmocka_unit_test(no_memory_is_a_failure),
		cmocka_unit_test(growing_keeps_what_is_there),
		cmocka_unit_test(what_leaves_is_wiped),
		cmocka_unit_test(pieces_are_zero_and_aligned),
		cmocka_unit_test(copies),
		cmocka_unit_test(owned_is_freed_unless_taken),
		cmocka_unit_test(hashing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
