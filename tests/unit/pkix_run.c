/* RUN and RUT: every row of DOMAIN 6, the forms of input, the names in DER. */
#include "unit/pkix_help.h"

/* clang-format off */
static const struct {
	const char *name, *text, *want, *id, *say;
} rows[] = {
	{ "repeated ones",      "11111111-1", "11111111-1", NULL, NULL },
	{ "repeated twos",      "22222222-2", "22222222-2", NULL, NULL },
	{ "repeated threes",    "33333333-3", "33333333-3", NULL, NULL },
	{ "the worked example", "12345678-5", "12345678-5", NULL, NULL },
	{ "falling digits",     "87654321-4", "87654321-4", NULL, NULL },
	{ "falling to zero",    "76543210-3", "76543210-3", NULL, NULL },
	{ "seven digits",       "1234567-4",  "1234567-4",  NULL, NULL },
	{ "four digits",        "1000-6",     "1000-6",     NULL, NULL },
	{ "the greatest",       "99999999-9", "99999999-9", NULL, NULL },
	{ "legal persons",      "50000000-7", "50000000-7", NULL, NULL },
	{ "digit 0, short",     "14-0",       "14-0",       NULL, NULL },
	{ "digit 0",            "10000004-0", "10000004-0", NULL, NULL },
	{ "digit 0, second",    "10000018-0", "10000018-0", NULL, NULL },
	{ "K, one digit",       "6-K",        "6-K",        NULL, NULL },
	{ "K, two digits",      "23-K",       "23-K",       NULL, NULL },
	{ "K",                  "10000013-K", "10000013-K", NULL, NULL },
	{ "K, second",          "10000027-K", "10000027-K", NULL, NULL },
	{ "one",                "1-9",        "1-9",        NULL, NULL },
	{ "two",                "2-7",        "2-7",        NULL, NULL },
	{ "five",               "5-1",        "5-1",        NULL, NULL },
	{ "SEGPRES",            "60100003-2", "60100003-2", NULL, NULL },
	{ "U. de Chile",        "60910000-1", "60910000-1", NULL, NULL },
	{ "E-Sign",             "99551740-K", "99551740-K", NULL, NULL },
	{ "E-CertChile",        "96928180-5", "96928180-5", NULL, NULL },
	{ "Acepta",             "96919050-8", "96919050-8", NULL, NULL },
	{ "wrong digit",        "12345678-9", NULL, "run-digit", "should be 5" },
	{ "wrong digit, ones",  "11111111-2", NULL, "run-digit", "should be 1" },
	{ "a municipality's",   "69170600-2", NULL, "run-digit", "should be 1" },
	{ "digit for K",        "10000013-0", NULL, "run-digit", "should be K" },
	{ "nine digits",        "123456789-2", NULL, "run-form", "one to eight digits" },
	{ "no check digit",     "12345678",   NULL, "run-form", "one to eight digits" },
	{ "dots, no digit",     "12.345.678", NULL, "run-form", "one to eight digits" },
	{ "digit alone",        "-5",         NULL, "run-form", "one to eight digits" },
	{ "empty",              "",           NULL, "run-form", "one to eight digits" },
	{ "zero",               "0-0",        NULL, "run-form", "one to eight digits" },
	{ "zeros",              "00000000-0", NULL, "run-form", "one to eight digits" },
	{ "as people write it", "12.345.678-5", "12345678-5", NULL, NULL },
	{ "small k",            "10000013-k", "10000013-K", NULL, NULL },
	{ "spaces",             " 12 345 678 - 5 ", "12345678-5", NULL, NULL },
	{ "leading zero",       "01234567-4", "1234567-4",  NULL, NULL },
	{ "many zeros",         "0000000012345678-5", "12345678-5", NULL, NULL },
	{ "absurdly long",      "00000000000000000000000012345678-5", NULL, "run-form", "dash" },
	{ "two dashes",         "1234-5678-5", NULL, "run-form", "dash" },
	{ "a letter within",    "1234A678-5", NULL, "run-form", "dash" },
	{ "K within",           "1234K678-5", NULL, "run-form", "dash" },
	{ "another letter",     "12345678-X", NULL, "run-form", "dash" },
	{ "text after it",      "12345678-5x", NULL, "run-form", "dash" },
	{ "an en dash",         "12345678\342\200\2235", NULL, "run-form", "dash" },
};
/* clang-format on */

static void
incident_18_run_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		char out[RUN_TEXT] = "unset";
		struct err e;
		enum err_code code =
		    run_parse(bytes_str(rows[i].text), out, &e);

		if (rows[i].want != NULL) {
			ROW(code == ERR_OK, rows[i].name);
			ROW(strcmp(out, rows[i].want) == 0, rows[i].name);
		} else {
			refused(rows[i].name, code, &e, ERR_INVALID, rows[i].id,
			    rows[i].say);
			ROW(strcmp(out, "unset") == 0, rows[i].name);
		}
	}
}

/* Exactly one of eleven check digits fits, for every number tried. */
static void
one_digit_fits(void **state)
{
	static const char digits[] = "0123456789K";
	unsigned n;

	(void)state;
	for (n = 1; n < 100000000; n += 99991) {
		unsigned fits = 0, i;

		for (i = 0; i < 11; i++) {
			char text[16], out[RUN_TEXT];
			struct err e;

			snprintf(text, sizeof(text), "%u-%c", n, digits[i]);
			if (run_parse(bytes_str(text), out, &e) == ERR_OK) {
				assert_string_equal(out, text);
				fits++;
			} else {
				assert_string_equal(e.id, "run-digit");
			}
		}
		assert_int_equal(fits, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_18_run_table),
		cmocka_unit_test(one_digit_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
