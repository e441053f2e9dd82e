#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <refrendo/audit.h>

static const struct {
	const char *name, *text;
	bool canonical;
	const char *want_id, *want_say;
} parse_rows[] = {
	{ "empty object", "{}", true, NULL, NULL },
	{ "white space is allowed where bytes are not kept", " { \"a\" : 1 } ",
	    false, NULL, NULL },
	{ "white space is not canonical", "{ \"a\":1}", true, "json-canonical",
	    "the JSON is not in canonical form" },
	{ "members out of order", "{\"b\":1,\"a\":1}", true, "json-canonical",
	    NULL },
	{ "order does not matter otherwise", "{\"b\":1,\"a\":1}", false, NULL,
	    NULL },
	{ "twice the same member", "{\"a\":1,\"a\":2}", false, "json-duplicate",
	    "a member occurs twice in the JSON" },
	{ "twice, once escaped", "{\"a\":1,\"\\u0061\":2}", false,
	    "json-duplicate", NULL },
	{ "escape that the RFC writes in clear", "{\"a\":\"\\u0062\"}", true,
	    "json-canonical", NULL },
	{ "escaped slash", "{\"a\":\"\\/\"}", true, "json-canonical", NULL },
	{ "control in capitals", "{\"a\":\"\\u001F\"}", true, "json-canonical",
	    NULL },
	{ "control in lower case", "{\"a\":\"\\u001f\"}", true, NULL, NULL },
	{ "fraction", "{\"a\":1.0}", false, "json-real",
	    "a number in the JSON has a fraction or an exponent; only integers "
	    "are accepted" },
	{ "exponent", "{\"a\":1e3}", false, "json-real", NULL },
	{ "minus zero", "{\"a\":-0}", true, "json-canonical", NULL },
	{ "2^53 - 1", "{\"a\":9007199254740991}", true, NULL, NULL },
	{ "2^53", "{\"a\":9007199254740992}", true, "json-integer",
	    "a number in the JSON is beyond 2^53 - 1; write it as text" },
	{ "-2^53", "{\"a\":-9007199254740992}", false, "json-integer", NULL },
	{ "beyond 64 bits", "{\"a\":99999999999999999999}", false,
	    "json-syntax", NULL },
	{ "true", "{\"a\":true}", false, "json-literal",
	    "true, false and null are not used here; write a text or an "
	    "integer" },
	{ "null in an array", "{\"a\":[1,null]}", true, "json-literal", NULL },
	{ "an array at the root", "[1]", false, "json-no-object",
	    "the JSON document must be an object, in braces" },
	{ "a string at the root", "\"a\"", false, "json-syntax", NULL },
	{ "nothing", "", false, "json-empty", "JSON is missing" },
	{ "left over", "{}x", false, "json-syntax", "this is not JSON" },
	{ "cut", "{\"a\":", false, "json-syntax", NULL },
	{ "lone surrogate", "{\"a\":\"\\ud800\"}", false, "json-syntax", NULL },
	{ "NUL", "{\"a\":\"\\u0000\"}", false, "json-syntax", NULL },
	{ "bad UTF-8", "{\"a\":\"\xc3(\"}", false, "json-syntax", NULL },
	{ "16 levels", "{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", true, NULL,
	    NULL },
	{ "17 levels", "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", true,
	    "json-depth",
	    "the JSON is nested too deeply; 16 levels are allowed" },
	{ "brackets in a text are no levels",
	    "{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[\"}", true, NULL, NULL },
	/* RFC 8785 3.2.3: UTF-16 units, not the octets of UTF-8. */
	{ "RFC 8785 order of names",
	    "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":"
	    "\"Control\",\"\xc3\xb6\":\"Latin Small Letter O With "
	    "Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x82\":"
	    "\"Smiley\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With "
	    "Dagesh\"}",
	    true, NULL, NULL },
	{ "order of the octets of UTF-8",
	    "{\"\xef\xac\xb3\":1,\"\xf0\x9f\x98\x82\":1}", true,
	    "json-canonical", NULL },
	/* RFC 8259, at its edges. */
	{ "white space of all four kinds", "\t\r\n {\t\"a\"\r:\n[ 1 , 2 ] } \n",
	    false, NULL, NULL },
	{ "vertical tab is no white space", "{\v}", false, "json-syntax",
	    NULL },
	{ "no-break space is no white space", "{\xc2\xa0}", false,
	    "json-syntax", NULL },
	{ "byte order mark", "\xef\xbb\xbf{}", false, "json-syntax", NULL },
	{ "white space alone", "  \n", false, "json-syntax", NULL },
	{ "comma before a member", "{,\"a\":1}", false, "json-syntax", NULL },
	{ "comma after the last member", "{\"a\":1,}", false, "json-syntax",
	    NULL },
	{ "comma after the last element", "{\"a\":[1,]}", false, "json-syntax",
	    NULL },
	{ "comma alone", "{\"a\":[,]}", false, "json-syntax", NULL },
	{ "two commas", "{\"a\":[1,,2]}", false, "json-syntax", NULL },
	{ "no comma", "{\"a\":[1 2]}", false, "json-syntax", NULL },
	{ "no colon", "{\"a\" 1}", false, "json-syntax", NULL },
	{ "two colons", "{\"a\"::1}", false, "json-syntax", NULL },
	{ "no value", "{\"a\":}", false, "json-syntax", NULL },
	{ "no name", "{:1}", false, "json-syntax", NULL },
	{ "a name without quotes", "{a:1}", false, "json-syntax", NULL },
	{ "a number as a name", "{1:1}", false, "json-syntax", NULL },
	{ "apostrophes", "{'a':1}", false, "json-syntax", NULL },
	{ "brackets crossed", "{\"a\":[}]", false, "json-syntax", NULL },
	{ "the other bracket", "{\"a\":1]", false, "json-syntax", NULL },
	{ "one bracket too many", "{}}", false, "json-syntax", NULL },
	{ "two documents", "{}{}", false, "json-syntax", NULL },
	{ "a comment", "{/* a */}", false, "json-syntax", NULL },
	{ "an empty name", "{\"\":1}", true, NULL, NULL },
	{ "an empty text", "{\"a\":\"\"}", true, NULL, NULL },
	{ "an array at the root that is cut", "[1", false, "json-syntax",
	    NULL },
	{ "zero", "{\"a\":0}", true, NULL, NULL },
	{ "leading zero", "{\"a\":01}", false, "json-syntax", NULL },
	{ "leading zero after minus", "{\"a\":-01}", false, "json-syntax",
	    NULL },
	{ "plus", "{\"a\":+1}", false, "json-syntax", NULL },
	{ "minus alone", "{\"a\":-}", false, "json-syntax", NULL },
	{ "minus zero where bytes are not kept", "{\"a\":-0}", false, NULL,
	    NULL },
	{ "a point alone", "{\"a\":1.}", false, "json-syntax", NULL },
	{ "a fraction alone", "{\"a\":.5}", false, "json-syntax", NULL },
	{ "an exponent without digits", "{\"a\":1e+}", false, "json-syntax",
	    NULL },
	{ "a fraction with an exponent", "{\"a\":-0.5E-7}", false, "json-real",
	    NULL },
	{ "hexadecimal", "{\"a\":0x1}", false, "json-syntax", NULL },
	{ "NaN", "{\"a\":NaN}", false, "json-syntax", NULL },
	{ "2^63 - 1", "{\"a\":9223372036854775807}", false, "json-integer",
	    NULL },
	{ "2^63", "{\"a\":9223372036854775808}", false, "json-syntax", NULL },
	{ "-2^63", "{\"a\":-9223372036854775808}", false, "json-integer",
	    NULL },
	{ "-2^63 - 1", "{\"a\":-9223372036854775809}", false, "json-syntax",
	    NULL },
	{ "-2^53 + 1", "{\"a\":-9007199254740991}", true, NULL, NULL },
	{ "True", "{\"a\":True}", false, "json-syntax", NULL },
	{ "half a word", "{\"a\":tru}", false, "json-syntax", NULL },
	{ "a longer word", "{\"a\":nulls}", false, "json-syntax", NULL },
	{ "false, and then no JSON", "{\"a\":false,}", false, "json-syntax",
	    NULL },
	{ "a text that does not end", "{\"a", false, "json-syntax", NULL },
	{ "a text that ends with a backslash", "{\"a\\", false, "json-syntax",
	    NULL },
	{ "a quote that is escaped", "{\"a\\\"", false, "json-syntax", NULL },
	{ "line feed in a text", "{\"a\":\"\n\"}", false, "json-syntax", NULL },
	{ "control after eight octets", "{\"a\":\"12345678\x1f\"}", false,
	    "json-syntax", NULL },
	{ "DEL", "{\"a\":\"\x7f\"}", true, NULL, NULL },
	{ "DEL that is escaped", "{\"a\":\"\\u007f\"}", true, "json-canonical",
	    NULL },
	{ "an unknown escape", "{\"a\":\"\\x41\"}", false, "json-syntax",
	    NULL },
	{ "an escape in capitals", "{\"a\":\"\\N\"}", false, "json-syntax",
	    NULL },
	{ "\\u in capitals", "{\"a\":\"\\U0041\"}", false, "json-syntax",
	    NULL },
	{ "three digits", "{\"a\":\"\\u004\"}", false, "json-syntax", NULL },
	{ "no digit", "{\"a\":\"\\u00g0\"}", false, "json-syntax", NULL },
	{ "cut in the digits", "{\"a\":\"\\u00", false, "json-syntax", NULL },
	{ "NUL in a name", "{\"\\u0000\":1}", false, "json-syntax", NULL },
	{ "surrogates in the wrong order", "{\"a\":\"\\udc00\\ud800\"}", false,
	    "json-syntax", NULL },
	{ "a low surrogate alone", "{\"a\":\"\\udc00\"}", false, "json-syntax",
	    NULL },
	{ "a high one before another escape", "{\"a\":\"\\ud800\\n1234\"}",
	    false, "json-syntax", NULL },
	{ "a high one before no surrogate", "{\"a\":\"\\ud800\\u0041\"}", false,
	    "json-syntax", NULL },
	{ "cut between the surrogates", "{\"a\":\"\\ud83d\\u", false,
	    "json-syntax", NULL },
	{ "both surrogates", "{\"a\":\"\\ud83d\\ude02\"}", false, NULL, NULL },
	{ "both surrogates are not canonical", "{\"a\":\"\\ud83d\\ude02\"}",
	    true, "json-canonical", NULL },
	{ "\\n by its number", "{\"a\":\"\\u000a\"}", true, "json-canonical",
	    NULL },
	{ "a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", false,
	    "json-syntax", NULL },
	{ "an overlong slash", "{\"a\":\"\xc0\xaf\"}", false, "json-syntax",
	    NULL },
	{ "beyond U+10FFFF", "{\"a\":\"\xf4\x90\x80\x80\"}", false,
	    "json-syntax", NULL },
	{ "UTF-8 cut by the quote", "{\"a\":\"\xe2\x82\"}", false,
	    "json-syntax", NULL },
	{ "UTF-8 cut by the end", "{\"a\":\"\xe2\x82", false, "json-syntax",
	    NULL },
	{ "twice, far apart", "{\"c\":1,\"a\":2,\"b\":3,\"c\":4}", false,
	    "json-duplicate", NULL },
	{ "twice, at a deeper level", "{\"a\":[{\"b\":1,\"b\":2}]}", true,
	    "json-duplicate", NULL },
	{ "the same name at two levels", "{\"a\":{\"a\":1}}", true, NULL,
	    NULL },
	{ "a name that begins another", "{\"a\":1,\"aa\":2}", true, NULL,
	    NULL },
	{ "no order at a deeper level", "{\"a\":[{\"c\":1,\"b\":2}]}", true,
	    "json-canonical", NULL },
	{ "17 levels of objects",
	    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
	    "\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}}}}}}"
	    "}}",
	    false, "json-depth", NULL },
	{ "levels side by side",
	    "{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}",
	    true, NULL, NULL },
	/* RFC 8785 3.2.2.2. */
	{ "RFC 8785 escapes",
	    "{\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
	    true, NULL, NULL },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parse_rows); i++) {
		AUTO(json) j = NULL;
		struct err e = { .code = ERR_OK };
		print_message("%s\n", parse_rows[i].name);
		enum err_code code = json_parse(bytes_str(parse_rows[i].text),
		    parse_rows[i].canonical, &j, &e);
		if (parse_rows[i].want_id == NULL) {
			assert_int_equal(code, ERR_OK);
			assert_non_null(j);
			continue;
		}
		assert_int_equal(code, ERR_INVALID);
		assert_null(j);
		assert_string_equal(e.id, parse_rows[i].want_id);
		if (parse_rows[i].want_say != NULL)
			assert_string_equal(e.say, parse_rows[i].want_say);
	}
}

static void
test_parse_too_large(void **state)
{
	(void)state;
	struct buf big AUTO_BUF = BUF(JSON_MAX_BYTES + 16);
	AUTO(json) j = NULL;
	struct err e;
	uint8_t *p = buf_room(&big, JSON_MAX_BYTES + 1);
	assert_non_null(p);
	memset(p, ' ', JSON_MAX_BYTES + 1);
	assert_int_equal(json_parse(buf_bytes(&big), false, &j, &e),
	    ERR_INVALID);
	assert_string_equal(e.id, "json-too-large");
}

/* jansson 2.14 reads over a NUL behind a number. */
static void
test_parse_nul(void **state)
{
	(void)state;
	static const char at[][9] = { "{\"a\":1\0}", "{\"a\":\0001}",
		"{\0\"a\":1}", "{\"a\":1}\0", "\0{\"a\":1}", "{\"a\\\0\":1" };
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		AUTO(json) j = NULL;
		struct err e;
		assert_int_equal(json_parse(bytes_of(at[i], 8), false, &j, &e),
		    ERR_INVALID);
		assert_string_equal(e.id, "json-syntax");
	}
}

#define GET(fn, call)                                      \
	static void fn(struct json_obj o, struct arena *a) \
	{                                                  \
		(void)a;                                   \
		(void)call;                                \
	}
GET(get_missing, json_get_str(o, "zz"))
GET(get_text, json_get_str(o, "n"))
GET(get_opt_text, json_opt_str(o, "n"))
GET(get_integer, json_get_int(o, "s"))
GET(get_opt_integer, json_opt_int(o, "s", 7))
GET(get_flag, json_get_flag(o, "s"))
GET(get_object, (json_get_obj(o, "s"), 0))
GET(get_path, (json_get_obj(o, "o.q"), 0))
GET(get_count, json_count(o, "s"))
GET(get_at, json_at_str(o, "l", 2))
GET(get_at_text, json_at_str(o, "l", 1))
GET(get_at_object, (json_at_obj(o, "l", 0), 0))
GET(get_hex, json_get_hex(o, "s", a))
GET(get_hex_upper, json_get_hex(o, "u", a))
GET(get_base64, json_get_base64(o, "b", a))

static const char *const few[] = { "n", "s", "l", "b", "u", NULL };
static void
get_only(struct json_obj o, struct arena *a)
{
	(void)a;
	json_only(o, few);
}

static const struct {
	const char *name, *say;
	void (*get)(struct json_obj o, struct arena *a);
	const char *want_id;
} get_rows[] = {
	{ "missing", "the member zz is missing", get_missing, "json-missing" },
	{ "no text", "the member n must be a text", get_text, "json-no-text" },
	{ "no optional text", "the member n must be a text", get_opt_text,
	    "json-no-text" },
	{ "no integer", "the member s must be an integer", get_integer,
	    "json-no-integer" },
	{ "no optional integer", "the member s must be an integer",
	    get_opt_integer, "json-no-integer" },
	{ "no flag", "the member s must be true or false", get_flag,
	    "json-no-flag" },
	{ "no object", "the member s must be an object", get_object,
	    "json-no-member-object" },
	{ "path", "the member q is missing", get_path, "json-missing" },
	{ "no array", "the member s must be an array", get_count,
	    "json-no-array" },
	{ "beyond the array", "the member l is missing", get_at,
	    "json-missing" },
	{ "element no text", "the member l must be a text", get_at_text,
	    "json-no-text" },
	{ "element no object", "the member l must be an object", get_at_object,
	    "json-no-member-object" },
	{ "no hex", "the member s must be lower-case hexadecimal digits",
	    get_hex, "json-hex" },
	{ "hex in capitals",
	    "the member u must be lower-case hexadecimal digits", get_hex_upper,
	    "json-hex" },
	{ "no base64", "the member b must be base64", get_base64,
	    "json-base64" },
	{ "unknown", "the member o is not known here; remove it", get_only,
	    "json-unknown" },
};

static const char get_text_json[] =
    "{\"n\":-5,\"s\":\"text\",\"l\":[\"x\",3],\"o\":{\"p\":{\"h\":\"00ff\"}},"
    "\"b\":\"AAA\",\"u\":\"FF\"}";

static void
test_get_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(get_rows); i++) {
		AUTO(json) j = NULL;
		AUTO(arena) a = arena_new();
		struct err e = { .code = ERR_OK };
		bool bad = false;
		print_message("%s\n", get_rows[i].name);
		assert_int_equal(json_parse(bytes_str(get_text_json), false, &j,
				     &e),
		    ERR_OK);
		get_rows[i].get(json_root(j, &bad, &e), a);
		assert_true(bad);
		assert_string_equal(e.id, get_rows[i].want_id);
		assert_string_equal(e.say, get_rows[i].say);
		assert_true(e.where.field[0] != '\0');
		/* The first fault stays. */
		(void)json_get_str(json_root(j, &bad, &e), "yy");
		assert_string_equal(e.say, get_rows[i].say);
	}
}

static void
test_get(void **state)
{
	(void)state;
	AUTO(json) j = NULL;
	AUTO(arena) a = arena_new();
	struct err e;
	bool bad = false;
	assert_int_equal(json_parse(bytes_str(get_text_json), false, &j, &e),
	    ERR_OK);
	struct json_obj o = json_root(j, &bad, &e);
	assert_int_equal(json_get_int(o, "n"), -5);
	assert_int_equal(json_opt_int(o, "zz", 9), 9);
	assert_int_equal(json_opt_str(o, "zz").len, 0);
	assert_true(json_has(o, "s"));
	assert_false(json_has(o, "zz"));
	assert_true(bytes_is(json_get_str(o, "s"), "text"));
	assert_int_equal(json_count(o, "l"), 2);
	assert_true(bytes_is(json_at_str(o, "l", 0), "x"));
	struct bytes h = json_get_hex(json_get_obj(o, "o.p"), "h", a);
	assert_int_equal(h.len, 2);
	assert_int_equal(h.p[1], 0xff);
	assert_false(bad);
	/* What was absent is silent afterwards. */
	struct json_obj none = json_get_obj(o, "none");
	assert_true(bad);
	assert_int_equal(json_get_int(none, "n"), 0);
	json_only(none, few);
	assert_string_equal(e.say, "the member none is missing");
}

/* What texts say once their escapes are gone. */
static const struct {
	const char *name, *text, *want;
} text_rows[] = {
	{ "all short escapes", "\\\"\\\\\\/\\b\\f\\n\\r\\t",
	    "\"\\/\b\f\n\r\t" },
	{ "one octet", "\\u0041", "A" },
	{ "digits of both cases", "\\u00eF", "\xc3\xaf" },
	{ "two octets", "\\u0080\\u07ff", "\xc2\x80\xdf\xbf" },
	{ "three octets", "\\u0800\\ud7ff\\ue000\\uffff",
	    "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
	{ "four octets", "\\ud800\\udc00\\udbff\\udfff",
	    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
	{ "long runs between escapes",
	    "0123456789abcdef\\n0123456789abcdefg\\\"ni\xc3\xb1o 01234567\\t8",
	    "0123456789abcdef\n0123456789abcdefg\"ni\xc3\xb1o 01234567\t8" },
	{ "an escape right behind a run", "12345678\\\\12345678",
	    "12345678\\12345678" },
};

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
		struct buf text AUTO_BUF = BUF(1000);
		AUTO(json) j = NULL;
		struct err e;
		bool bad = false;
		print_message("%s\n", text_rows[i].name);
		buf_putf(&text, "{ \"z\" : \"%s\", \"%s\" : 1 }",
		    text_rows[i].text, text_rows[i].text);
		assert_int_equal(json_parse(buf_bytes(&text), false, &j, &e),
		    ERR_OK);
		/* The tree keeps what it needs of the input. */
		buf_reset(&text);
		struct json_obj o = json_root(j, &bad, &e);
		assert_true(bytes_is(json_get_str(o, "z"), text_rows[i].want));
		assert_int_equal(json_get_int(o, text_rows[i].want), 1);
		assert_false(bad);
	}
}

static void
test_arrays(void **state)
{
	(void)state;
	AUTO(json) j = NULL;
	struct err e;
	bool bad = false;
	assert_int_equal(json_parse(bytes_str("{\"l\":[{\"a\":[1,[2]]},{},{"
					      "\"a\":\"x\"}],\"m\":[],\"n\":"
					      "[\"p\",\"q\"]}"),
			     true, &j, &e),
	    ERR_OK);
	struct json_obj o = json_root(j, &bad, &e);
	assert_int_equal(json_count(o, "l"), 3);
	assert_int_equal(json_count(json_at_obj(o, "l", 0), "a"), 2);
	assert_false(json_has(json_at_obj(o, "l", 1), "a"));
	assert_true(bytes_is(json_get_str(json_at_obj(o, "l", 2), "a"), "x"));
	assert_int_equal(json_count(o, "m"), 0);
	assert_true(bytes_is(json_at_str(o, "n", 1), "q"));
	assert_false(bad);
	(void)json_at_str(o, "m", 0);
	assert_string_equal(e.id, "json-missing");
}

/* Members that do not ascend cost no comparison of each with each. */
static void
test_many_members(void **state)
{
	(void)state;
	const int n = 200000;
	struct buf text AUTO_BUF = BUF(JSON_MAX_BYTES);
	AUTO(json) j = NULL;
	struct err e;
	buf_puts(&text, "{");
	for (int i = n; i > 0; i--)
		buf_putf(&text, "\"%d\":1,", i);
	buf_puts(&text, "\"x\":1}");
	assert_int_equal(json_parse(buf_bytes(&text), false, &j, &e), ERR_OK);
	/* The last one becomes a second "1". */
	text.p[text.len - 5] = '1';
	AUTO(json) twice = NULL;
	assert_int_equal(json_parse(buf_bytes(&text), false, &twice, &e),
	    ERR_INVALID);
	assert_string_equal(e.id, "json-duplicate");
	assert_true(e.where.byte > text.len - 20);
}

static void
test_write(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(1000);
	struct jw w = jw_of(&b);
	AUTO(json) j = NULL;
	struct err e;
	jw_object(&w);
	jw_member_base64(&w, "a", bytes_str("hola"));
	jw_member_hex(&w, "b", bytes_str("\x01\xab"));
	jw_member_int(&w, "c", -9007199254740991);
	jw_key(&w, "d");
	jw_array(&w);
	jw_int(&w, 1);
	jw_str(&w, bytes_str("\"\x01\xf0\x9f\x98\x82"));
	jw_object(&w);
	jw_close(&w, '}');
	jw_array(&w);
	jw_hex(&w, BYTES_NONE);
	jw_close(&w, ']');
	jw_close(&w, ']');
	jw_member_str_opt(&w, "e", BYTES_NONE);
	jw_member_str(&w, "f", BYTES_NONE);
	jw_close(&w, '}');
	assert_int_equal(buf_end(&b, &e), ERR_OK);
	assert_string_equal(buf_text(&b),
	    "{\"a\":\"aG9sYQ==\",\"b\":\"01ab\",\"c\":-9007199254740991,"
	    "\"d\":[1,\"\\\"\\u0001\xf0\x9f\x98\x82\",{},[\"\"]],\"f\":\"\"}");
	assert_int_equal(json_parse(buf_bytes(&b), true, &j, &e), ERR_OK);
}

static void
test_write_refuses(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100);
	struct buf c AUTO_BUF = BUF(100);
	struct buf d AUTO_BUF = BUF(8);
	struct jw w = jw_of(&b);
	jw_str(&w, bytes_str("\xff"));
	assert_true(b.failed);
	w = jw_of(&c);
	jw_int(&w, NEVER);
	assert_true(c.failed);
	w = jw_of(&d);
	jw_hex(&w, bytes_str("too long"));
	assert_true(d.failed);
}

static const struct {
	const char *name, *text;
	enum json_flaw flaw;
	const char *want_field; /* of the error */
	int64_t want_byte;
} foreign_rows[] = {
	{ "no JSON", "rut=1", JSON_BROKEN, "", 1 },
	{ "a scalar", "true", JSON_BROKEN, "", 1 },
	{ "empty", "", JSON_BROKEN, "", -1 },
	{ "no end", "{\"a\":true", JSON_BROKEN, "", 10 },
	{ "half a literal", "{\"a\":tru}", JSON_BROKEN, "", 6 },
	{ "an array", "[true]", JSON_NO_OBJECT, "", -1 },
	{ "twice", "{\"a\":null,\"b\":1,\"a\":2}", JSON_TWICE, "a", 18 },
	{ "too large", "{\"a\":\"............................\"}", JSON_BROKEN,
	    "", -1 },
};

static void
test_foreign_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(foreign_rows); i++) {
		struct json *j = NULL;
		struct err e = { .code = ERR_OK };
		enum json_flaw flaw;
		print_message("  %s\n", foreign_rows[i].name);
		assert_int_equal(json_parse_foreign(bytes_str(
							foreign_rows[i].text),
				     32, &j, &flaw, &e),
		    ERR_INVALID);
		assert_null(j);
		assert_int_equal(flaw, foreign_rows[i].flaw);
		assert_string_equal(e.where.field, foreign_rows[i].want_field);
		if (foreign_rows[i].want_byte >= 0)
			assert_int_equal(e.where.byte,
			    foreign_rows[i].want_byte);
	}
}

/* What we never write has a place, and only flags a meaning. */
static void
test_foreign(void **state)
{
	(void)state;
	static const char text[] = "{\"t\":true,\"f\":false,\"z\":null,"
				   "\"r\":1.5,\"big\":9007199254740993}";
	AUTO(json) j = NULL;
	struct err e;
	enum json_flaw flaw;
	bool bad = false;
	assert_int_equal(json_parse_foreign(bytes_str(text), 100, &j, &flaw,
			     &e),
	    ERR_OK);
	struct json_obj o = json_root(j, &bad, &e);
	assert_true(json_get_flag(o, "t"));
	assert_false(json_get_flag(o, "f"));
	assert_false(bad);
	static const char *const others[] = { "z", "r", "big" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		bad = false;
		(void)json_get_flag(o, others[i]);
		assert_true(bad);
		bad = false;
		assert_int_equal(json_get_str(o, others[i]).len, 0);
		assert_true(bad);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_too_large),
		cmocka_unit_test(test_parse_nul),
		cmocka_unit_test(test_get_faults),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_foreign_refused),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
