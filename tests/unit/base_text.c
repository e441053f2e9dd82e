/* Hexadecimal, base64, decimal, UTF-8, JSON strings, the nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <refrendo/base.h>

#define LIT(s) bytes_of(s, sizeof(s) - 1)

static void
hex(void **state)
{
	(void)state;
	char text[HEX_LEN(4)];
	hex_print(text, LIT("\x00\x7f\x80\xff"));
	assert_string_equal(text, "007f80ff");
	hex_print(text, BYTES_NONE);
	assert_string_equal(text, "");

	uint8_t out[4];
	assert_true(hex_parse(bytes_str("007f80FF"), out, 4));
	assert_memory_equal(out, "\x00\x7f\x80\xff", 4);
	assert_true(hex_parse(bytes_str("aAfF0990"), out, 4));
	assert_memory_equal(out, "\xaa\xff\x09\x90", 4);
	assert_true(hex_parse(BYTES_NONE, out, 0));
	static const char *const bad[] = { "", "0", "00", "007f80f",
		"007f80ff0", "007f80ff00", "007f80fg", "007f80f ", "0x7f80ff",
		"007f80f@", "007f80f`", "007f80f/", "007f80f:" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (hex_parse(bytes_str(bad[i]), out, 4))
			fail_msg("accepted: %s", bad[i]);
	/* 2 * len must not wrap around to the length of the text. */
	assert_false(hex_parse(BYTES_NONE, out, SIZE_MAX / 2 + 1));
}

static void
base64_round_trip(void **state)
{
	(void)state;
	/* RFC 4648 10, and the two digits that the URL variant changes. */
	static const struct {
		struct bytes bytes;
		const char *text;
	} rows[] = { { { NULL, 0 }, "" },
		{ { (const uint8_t *)"f", 1 }, "Zg==" },
		{ { (const uint8_t *)"fo", 2 }, "Zm8=" },
		{ { (const uint8_t *)"foo", 3 }, "Zm9v" },
		{ { (const uint8_t *)"foob", 4 }, "Zm9vYg==" },
		{ { (const uint8_t *)"fooba", 5 }, "Zm9vYmE=" },
		{ { (const uint8_t *)"foobar", 6 }, "Zm9vYmFy" },
		{ { (const uint8_t *)"\xfb\xff\xbf", 3 }, "+/+/" },
		{ { (const uint8_t *)"\0", 1 }, "AA==" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("\"%s\"\n", rows[i].text);
		struct buf b AUTO_BUF = BUF(100);
		base64_put(&b, rows[i].bytes);
		assert_string_equal(buf_text(&b), rows[i].text);
		buf_reset(&b);
		buf_puts(&b, "before");
		assert_true(base64_get(&b, bytes_str(rows[i].text)));
		assert_int_equal(b.len, 6 + rows[i].bytes.len);
		assert_true(
		    bytes_eq(bytes_of(b.p + 6, b.len - 6), rows[i].bytes));
	}
}

static void
base64_strict(void **state)
{
	(void)state;
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "Zm8",
		"Zm9v=", "Zm9v==", "Zm9v====", "=",
		"==", "===", "====", "Zg==Zg==", "Zg==\n",
		"\nZg==", "Zm9v\nYg==", "Zm 9",
		"Z=g=", "Zh==", "Zn==", "Zm9=", "Zm-_", "Zm9v!mFy",
		"Z\0g=", "=m8=", "Zg=a", "Zm8=Zm8=", "Zm9vYmF\x80" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf b AUTO_BUF = BUF(100);
		buf_puts(&b, "before");
		if (base64_get(&b, bytes_str(bad[i])))
			fail_msg("accepted: %s", bad[i]);
		assert_false(b.failed);
		assert_true(bytes_is(buf_bytes(&b), "before"));
	}
	struct buf b AUTO_BUF = BUF(100);
	assert_false(base64_get(&b, LIT("Zm\0v")));
	assert_false(b.failed);
}

static void
base64_caps(void **state)
{
	(void)state;
	struct err e;
	struct buf b AUTO_BUF = BUF(8);
	base64_put(&b, LIT("foobar"));
	assert_int_equal(buf_end(&b, &e), ERR_OK);
	base64_put(&b, LIT("f"));
	assert_int_equal(buf_end(&b, &e), ERR_NOMEM);
	struct buf small AUTO_BUF = BUF(2);
	assert_false(base64_get(&small, bytes_str("Zm9v")));
	assert_int_equal(buf_end(&small, &e), ERR_NOMEM);
	struct buf exact AUTO_BUF = BUF(2);
	assert_true(base64_get(&exact, bytes_str("Zm8=")));
	struct buf huge AUTO_BUF = BUF(100);
	base64_put(&huge, bytes_of("", SIZE_MAX));
	assert_int_equal(buf_end(&huge, &e), ERR_NOMEM);
}

static void
decimal(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = { { "0", 0 }, { "7", 7 }, { "10", 10 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", -1 }, { "9223372036854775810", -1 },
		{ "10000000000000000000", -1 }, { "99999999999999999999", -1 },
		{ "", -1 }, { "00", -1 }, { "01", -1 }, { "+1", -1 },
		{ "-1", -1 }, { " 1", -1 }, { "1 ", -1 }, { "1a", -1 },
		{ "0x1", -1 }, { "1.0", -1 }, { "1_0", -1 }, { "/", -1 },
		{ ":", -1 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("\"%s\"\n", rows[i].text);
		int64_t got = -1;
		bool ok = dec_parse(bytes_str(rows[i].text), &got);
		assert_int_equal(ok, rows[i].want >= 0);
		assert_int_equal(got, rows[i].want);
	}
	int64_t got;
	assert_false(dec_parse(LIT("1\0"), &got));
	assert_false(dec_parse(BYTES_NONE, &got));
}

static void
utf8(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		size_t len;
		int count; /* code points, -1: not valid */
	} rows[] = {
#define ROW(name, s, n) { name, s, sizeof(s) - 1, n }
		ROW("empty", "", 0),
		ROW("ascii", "abc", 3),
		ROW("nul", "a\0b", 3),
		ROW("del", "\x7f", 1),
		ROW("first of 2", "\xc2\x80", 1),
		ROW("last of 2", "\xdf\xbf", 1),
		ROW("first of 3", "\xe0\xa0\x80", 1),
		ROW("before surrogates", "\xed\x9f\xbf", 1),
		ROW("after surrogates", "\xee\x80\x80", 1),
		ROW("last of 3", "\xef\xbf\xbf", 1),
		ROW("first of 4", "\xf0\x90\x80\x80", 1),
		ROW("last", "\xf4\x8f\xbf\xbf", 1),
		ROW("words", "Nu\xc3\xb1oa \xe2\x82\xac", 7),
		ROW("continuation alone", "\x80", -1),
		ROW("last continuation alone", "\xbf", -1),
		ROW("overlong 2", "\xc0\xaf", -1),
		ROW("overlong 2 of 7f", "\xc1\xbf", -1),
		ROW("overlong NUL", "\xc0\x80", -1),
		ROW("overlong 3", "\xe0\x9f\xbf", -1),
		ROW("overlong 4", "\xf0\x8f\xbf\xbf", -1),
		ROW("first surrogate", "\xed\xa0\x80", -1),
		ROW("last surrogate", "\xed\xbf\xbf", -1),
		ROW("pair of surrogates", "\xed\xa0\x80\xed\xb0\x80", -1),
		ROW("beyond", "\xf4\x90\x80\x80", -1),
		ROW("f5", "\xf5\x80\x80\x80", -1),
		ROW("5 octets", "\xf8\x88\x80\x80\x80", -1),
		ROW("fe", "\xfe", -1),
		ROW("ff", "\xff", -1),
		ROW("cut 2", "a\xc3", -1),
		ROW("cut 3", "\xe2\x82", -1),
		ROW("cut 4", "\xf0\x90\x80", -1),
		ROW("lead then ascii", "\xc3o", -1),
		ROW("third is no continuation", "\xe2\x82o", -1),
		ROW("fourth is no continuation", "\xf0\x90\x80o", -1),
		ROW("lead then lead", "\xc3\xc3\xb1", -1),
#undef ROW
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		struct bytes b = bytes_of(rows[i].text, rows[i].len);
		assert_int_equal(utf8_valid(b), rows[i].count >= 0);
		if (rows[i].count >= 0)
			assert_int_equal(utf8_count(b), rows[i].count);
	}
	assert_true(utf8_valid(BYTES_NONE));
	assert_int_equal(utf8_count(BYTES_NONE), 0);
}

/* Each code point encoded by the bit layout is valid, or a surrogate. */
static void
utf8_every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c < 0x200000; c++) {
		uint8_t p[4];
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		uint32_t rest = c;
		for (size_t i = n - 1; i > 0; i--) {
			p[i] = (uint8_t)(0x80 | (rest & 63));
			rest >>= 6;
		}
		p[0] = (uint8_t)((0xf00 >> n & 0xff) | rest);
		bool want = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
		if (utf8_valid(bytes_of(p, n)) != want)
			fail_msg("U+%04X", c);
	}
}

static void
printable(void **state)
{
	(void)state;
	assert_true(ascii_printable(BYTES_NONE));
	for (int c = 0; c < 256; c++) {
		uint8_t text[3] = { 'a', (uint8_t)c, 'b' };
		assert_int_equal(ascii_printable(bytes_of(text, 3)),
		    c >= 0x20 && c <= 0x7e);
	}
}

static void
nearest(void **state)
{
	(void)state;
	static const char *const words[] = { "validity", "profile", "validate",
		"max", "min", "on", "a-b" };
	static const struct {
		const char *got, *want;
	} rows[] = { { "validity", "validity" }, { "validty", "validity" },
		{ "vaildity", "validity" }, { "valditiy", "validity" },
		{ "validdity", "validity" }, { "xvalidityx", "validity" },
		{ "validitxyzw", NULL }, { "validat", "validate" },
		{ "porfile", "profile" }, { "pofiles", "profile" },
		{ "PROFILE", NULL }, { "mx", "max" }, { "mxa", "max" },
		{ "mix", "max" }, { "no", "on" }, { "o", "on" }, { "x", "max" },
		{ "q", NULL }, { "", NULL }, { "zz", NULL }, { "a_b", "a-b" },
		{ "validity-and-much-more-of-it-and-more-and-more-and-more-and-"
		  "more-and-more",
		    NULL } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("\"%s\"\n", rows[i].got);
		const char *got = nearest_word(bytes_str(rows[i].got), words,
		    ARRAY_LEN(words));
		assert_string_equal(got == NULL ? "" : got,
		    rows[i].want == NULL ? "" : rows[i].want);
	}
	assert_null(nearest_word(bytes_str("max"), words, 0));
	assert_null(nearest_word(BYTES_NONE, words, ARRAY_LEN(words)));
	/* Optimal string alignment: ca -> abc takes 3, not 2. */
	static const char *const abc[] = { "abc" };
	assert_null(nearest_word(bytes_str("ca"), abc, 1));
}

static void
json_strings(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(200);
	json_put_string(&b,
	    LIT("\"\\/\b\f\n\r\t\0\x1f\x7f \xc3\xb1 \xe2\x80\xa8"));
	assert_string_equal(buf_text(&b),
	    "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f \xc3\xb1 "
	    "\xe2\x80\xa8\"");
	buf_reset(&b);
	json_put_string(&b, BYTES_NONE);
	assert_string_equal(buf_text(&b), "\"\"");
}

/* What each function says of one octet, told the slow way. */
static bool
is_base64(int c)
{
	return c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789+/",
			     c) != NULL;
}

static void
expect_json(struct buf *want, uint8_t c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if ((uint8_t)letters[i] == c) {
			buf_putf(want, "\\%c", letters[i + 1]);
			return;
		}
	}
	if (c < 0x20)
		buf_putf(want, "\\u%04x", c);
	else
		buf_putc(want, c);
}

/*
 * The functions that take several octets at once say the same of an octet
 * wherever it stands: in the first group, in a later one, in the rest.
 */
static void
every_octet_at_every_place(void **state)
{
	(void)state;
	uint8_t text[20], out[10];
	for (size_t at = 0; at < sizeof(text); at++) {
		for (int c = 0; c < 256; c++) {
			struct buf got AUTO_BUF = BUF(200);
			struct buf want AUTO_BUF = BUF(200);
			bool padded = c == '=' && at == sizeof(text) - 1;
			memset(text, '0', sizeof(text));
			text[at] = (uint8_t)c;
			assert_int_equal(base64_get(&got,
					     bytes_of(text, sizeof(text))),
			    is_base64(c) || padded);
			assert_int_equal(hex_parse(bytes_of(text, sizeof(text)),
					     out, sizeof(out)),
			    c != 0 &&
				strchr("0123456789abcdefABCDEF", c) != NULL);
			assert_int_equal(utf8_valid(
					     bytes_of(text, sizeof(text))),
			    c < 0x80);
			buf_reset(&got);
			json_put_string(&got, bytes_of(text, sizeof(text)));
			buf_putc(&want, '"');
			for (size_t i = 0; i < sizeof(text); i++)
				expect_json(&want, text[i]);
			buf_putc(&want, '"');
			assert_true(
			    bytes_eq(buf_bytes(&got), buf_bytes(&want)));
		}
	}
}

/* All octets in all lengths of rest come back as they went. */
static void
base64_comes_back(void **state)
{
	(void)state;
	uint8_t in[256];
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 167 + 3);
	for (size_t len = 0; len <= sizeof(in); len++) {
		struct buf text AUTO_BUF = BUF(1000);
		struct buf back AUTO_BUF = BUF(1000);
		base64_put(&text, bytes_of(in, len));
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_true(base64_get(&back, buf_bytes(&text)));
		assert_true(bytes_eq(buf_bytes(&back), bytes_of(in, len)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex),
		cmocka_unit_test(base64_round_trip),
		cmocka_unit_test(base64_strict),
		cmocka_unit_test(base64_caps),
		cmocka_unit_test(decimal),
		cmocka_unit_test(utf8),
		cmocka_unit_test(utf8_every_code_point),
		cmocka_unit_test(printable),
		cmocka_unit_test(nearest),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(every_octet_at_every_place),
		cmocka_unit_test(base64_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
