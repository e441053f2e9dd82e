/* Errors as values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include <refrendo/base.h>

static void
every_field_is_filled(void **state)
{
	(void)state;
	struct err e;
	memset(&e, 0xff, sizeof(e));
	assert_int_equal(err_at(&e, ERR_DENIED, "too-long", "RFC 5280 4.1.2.5",
			     AT_LINE(14, 30), "%s is longer than %s (%s)", "4y",
			     "3y", "signer.yaml:6"),
	    ERR_DENIED);
	assert_int_equal(e.code, ERR_DENIED);
	assert_string_equal(e.id, "too-long");
	assert_string_equal(e.rule, "RFC 5280 4.1.2.5");
	assert_int_equal(e.where.line, 14);
	assert_int_equal(e.where.col, 30);
	assert_int_equal(e.where.byte, 0);
	assert_string_equal(e.where.field, "");
	assert_string_equal(e.say, "4y is longer than 3y (signer.yaml:6)");
	assert_string_equal(e.arg[0], "4y");
	assert_string_equal(e.arg[1], "3y");
	assert_string_equal(e.arg[2], "signer.yaml:6");
	assert_string_equal(e.why, "");
	err_why(&e, "old");
	assert_int_equal(err_say(&e, ERR_BUSY, "full", "full"), ERR_BUSY);
	assert_null(e.rule);
	assert_string_equal(e.why, "");
	assert_string_equal(e.arg[0], "");
	err_at(&e, ERR_INVALID, "x", NULL, AT_BYTE(0), "x");
	assert_int_equal(e.where.byte, 1);
}

#define TEN      "0123456789"
#define SIXTY    TEN TEN TEN TEN TEN TEN
#define ENYE     "\xc3\xb1"
#define EURO     "\xe2\x82\xac"
#define HALF_BAD "\xe2\x82"

static void
arguments_are_clipped_and_cleaned(void **state)
{
	(void)state;
	static const struct {
		const char *name, *given, *want;
	} rows[] = {
		{ "nothing", "", "" },
		{ "NULL", NULL, "" },
		{ "fits exactly", SIXTY "abc", SIXTY "abc" },
		{ "one too long", SIXTY "abcd", SIXTY "abc" },
		{ "character at the end", SIXTY "a" ENYE, SIXTY "a" ENYE },
		{ "character over the end", SIXTY "ab" ENYE, SIXTY "ab" },
		{ "three octets that fit", SIXTY EURO, SIXTY EURO },
		{ "three octets, one over", SIXTY "a" EURO, SIXTY "a" },
		{ "three octets, two over", SIXTY "ab" EURO, SIXTY "ab" },
		{ "four octets", SIXTY "\xf0\x9f\x94\x91x", SIXTY },
		{ "control bytes", "a\x1b[2Jb\r\n\x7f", "a?[2Jb???" },
		{ "C1 control", "a\xc2\x9b" ENYE, "a?" ENYE },
		{ "not UTF-8", "a\xff\xc0\xaf" ENYE, "a???" ENYE },
		{ "half a character", "a" HALF_BAD, "a??" },
		{ "a percent sign", "100%s %n", "100%s %n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		struct err e;
		const char *given = rows[i].given;
		err_at(&e, ERR_INVALID, "x", NULL, NOWHERE, "<%s>", given);
		assert_string_equal(e.arg[0], rows[i].want);
		char say[200];
		snprintf(say, sizeof(say), "<%s>", rows[i].want);
		assert_string_equal(e.say, say);
	}
}

static void
the_sentence_is_clipped(void **state)
{
	(void)state;
	struct err e;
	err_say(&e, ERR_INVALID, "x", SIXTY SIXTY SIXTY TEN "12345678" ENYE);
	assert_string_equal(e.say, SIXTY SIXTY SIXTY TEN "12345678");
	err_say(&e, ERR_INVALID, "x", SIXTY SIXTY SIXTY TEN "1234567" ENYE);
	assert_string_equal(e.say, SIXTY SIXTY SIXTY TEN "1234567" ENYE);
	/* Three arguments of full length fill it, and one more octet. */
	err_say(&e, ERR_INVALID, "x", "%s%s%sABCDEFGHIJ%s", SIXTY TEN,
	    SIXTY TEN, SIXTY TEN, "never");
	assert_int_equal(strlen(e.say), 199);
	assert_string_equal(e.say + 189, "ABCDEFGHIJ");
}

static void
the_arguments_may_lie_in_the_error(void **state)
{
	(void)state;
	struct err e;
	err_say(&e, ERR_INVALID, "x", "%s", "word");
	err_at(&e, ERR_DENIED, "y", NULL, at_field(e.arg[0]), "not %s",
	    e.arg[0]);
	assert_string_equal(e.say, "not word");
	assert_string_equal(e.where.field, "word");
}

static void
fields_are_clipped(void **state)
{
	(void)state;
	assert_string_equal(at_field("a.b").field, "a.b");
	assert_string_equal(at_field(SIXTY "ab" ENYE).field, SIXTY "ab");
	assert_string_equal(at_field(SIXTY "abcd").field, SIXTY "abc");
}

static void
why_accumulates(void **state)
{
	(void)state;
	struct err e;
	err_say(&e, ERR_CONFLICT, "x", "x");
	assert_int_equal(err_why(&e, "first %d", 1), ERR_CONFLICT);
	err_why(&e, "second");
	assert_string_equal(e.why, "first 1; second");
	for (int i = 0; i < 100; i++)
		err_why(&e, "%s", ENYE ENYE ENYE);
	assert_true(strlen(e.why) >= sizeof(e.why) - 3);
	assert_true(utf8_valid(bytes_str(e.why)));
	err_say(&e, ERR_CONFLICT, "x", "x");
	err_why(&e, "%s",
	    SIXTY SIXTY SIXTY TEN TEN TEN TEN TEN "12345678" ENYE);
	assert_string_equal(e.why,
	    SIXTY SIXTY SIXTY TEN TEN TEN TEN TEN "12345678");
}

static void
errno_goes_to_why(void **state)
{
	(void)state;
	struct err e;
	errno = ENOSPC;
	assert_int_equal(err_errno(&e, "disk", SIXTY SIXTY), ERR_IO);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(e.say, SIXTY SIXTY);
	assert_string_equal(e.arg[0], "");
	assert_string_equal(e.why, "No space left on device");
}

static void
openssl_goes_to_why_without_pins(void **state)
{
	(void)state;
	struct err e;
	ERR_clear_error();
	errno = ENOENT;
	err_openssl(&e, "key", "the key cannot be used");
	assert_string_equal(e.why, "");
	ERR_raise_data(ERR_LIB_PEM, ERR_R_MALLOC_FAILURE, "file %s", "a.pem");
	ERR_raise_data(ERR_LIB_PKCS12, ERR_R_INTERNAL_ERROR,
	    "pkcs11:token=ca?pin-value=%d", 1234);
	assert_int_equal(err_openssl(&e, "key", "the key cannot be used"),
	    ERR_CRYPTO);
	assert_int_equal(e.code, ERR_CRYPTO);
	assert_string_equal(e.id, "key");
	assert_string_equal(e.say, "the key cannot be used");
	assert_non_null(strstr(e.why, "malloc failure: file a.pem; error:"));
	assert_non_null(strstr(e.why, "internal error"));
	assert_null(strstr(e.why, "1234"));
	assert_null(strstr(e.why, "No such file"));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
categories_have_names(void **state)
{
	(void)state;
	static const char *const names[] = { "ok", "invalid", "forbidden",
		"denied", "notfound", "conflict", "busy", "io", "crypto",
		"corrupt", "nomem" };
	assert_int_equal(ARRAY_LEN(names), ERR_NOMEM + 1);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(err_code_name((enum err_code)i), names[i]);
	struct err e;
	assert_int_equal(err_nomem(&e), ERR_NOMEM);
	assert_string_equal(e.say,
	    "there is not enough memory for this now; try again later");
}

static enum err_code
passes_up(enum err_code code, int *after)
{
	TRY(code);
	*after = 1;
	return ERR_OK;
}

static void
try_passes_up(void **state)
{
	(void)state;
	int after = 0;
	assert_int_equal(passes_up(ERR_BUSY, &after), ERR_BUSY);
	assert_int_equal(after, 0);
	assert_int_equal(passes_up(ERR_OK, &after), ERR_OK);
	assert_int_equal(after, 1);
}

static void
lists_keep_a_hundred_and_count_on(void **state)
{
	(void)state;
	struct err_list l = { NULL, 0, 0 };
	for (uint32_t i = 1; i <= 250; i++) {
		struct err e;
		err_at(&e, ERR_INVALID, "x", NULL, AT_LINE(i, 1), "x");
		err_list_add(&l, &e);
	}
	assert_int_equal(l.len, ERR_LIST_MAX);
	assert_int_equal(l.count, 250);
	for (uint32_t i = 0; i < ERR_LIST_MAX; i++)
		assert_int_equal(l.v[i].where.line, i + 1);
	err_list_fini(&l);
	assert_null(l.v);
	assert_int_equal(l.count, 0);
	err_list_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_filled),
		cmocka_unit_test(arguments_are_clipped_and_cleaned),
		cmocka_unit_test(the_sentence_is_clipped),
		cmocka_unit_test(the_arguments_may_lie_in_the_error),
		cmocka_unit_test(fields_are_clipped),
		cmocka_unit_test(why_accumulates),
		cmocka_unit_test(errno_goes_to_why),
		cmocka_unit_test(openssl_goes_to_why_without_pins),
		cmocka_unit_test(categories_have_names),
		cmocka_unit_test(try_passes_up),
		cmocka_unit_test(lists_keep_a_hundred_and_count_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
