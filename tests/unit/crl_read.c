/*
 * crl_parse() over its corpus: each file of tests/fuzz/corpus/crl is a row
 * here with what must come of it (CONFORMANCE 5.3).
 */
#include <dirent.h>

#include <refrendo/crl.h>

#include "pkix_help.h"

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/crl/"

#define FORM                                                               \
	"this is not a CRL of version 2: its parts are not those that it " \
	"must have"
#define EXTENSIONS                                                            \
	"the CRL's extensions are not authorityKeyIdentifier and cRLNumber, " \
	"with those of a partition or a delta, once each and critical as "    \
	"they must be"
#define ENTRY                                                                 \
	"an entry of the CRL is malformed, or has an extension, a reason or " \
	"a date that it may not have"
#define ORDER                                                                \
	"the entries of the CRL are not in ascending order of serial, each " \
	"once"
#define NO_NEXT "the CRL has no nextUpdate and would never end"
#define EMPTY_LIST \
	"the CRL encodes an empty list of entries, which must be left out"
#define ALGORITHMS \
	"the CRL names one signature algorithm inside and another outside"
#define SIGNED                                                          \
	"this is not a signed object: it wants content, algorithm and " \
	"signature"
#define SHORT "an element at this octet is longer than what contains it"
#define LENGTH \
	"a length at this octet is not definite and minimal, as DER demands"
#define TRAILING "something follows the end of the object"

/* clang-format off */
static const struct {
	const char *file, *id, *say;
} bad[] = {
	{ "aki_empty", "crl-extensions", EXTENSIONS },
	{ "aki_twice", "crl-extensions", EXTENSIONS },
	{ "aki_with_issuer", "crl-extensions", EXTENSIONS },
	{ "algorithms_differ", "crl-algorithms", ALGORITHMS },
	{ "cut", "der-short", SHORT },
	{ "empty", "der-short", SHORT },
	{ "empty_list", "crl-empty-list", EMPTY_LIST },
	{ "empty_sequence", "signed-form", SIGNED },
	{ "entry_date_1960", "crl-entry", ENTRY },
	{ "entry_date_wrong_kind", "crl-entry", ENTRY },
	{ "entry_extension_unknown", "crl-entry", ENTRY },
	{ "entry_extensions_empty", "crl-entry", ENTRY },
	{ "entry_extensions_swapped", "crl-entry", ENTRY },
	{ "entry_not_sequence", "crl-entry", ENTRY },
	{ "entry_trailing", "crl-entry", ENTRY },
	{ "entry_without_date", "crl-entry", ENTRY },
	{ "extensions_empty", "crl-extensions", EXTENSIONS },
	{ "february_30", "crl-form", FORM },
	{ "fraction", "crl-form", FORM },
	{ "idp_in_full", "crl-extensions", EXTENSIONS },
	{ "indefinite", "der-length", LENGTH },
	{ "invalidity_twice", "crl-entry", ENTRY },
	{ "invalidity_utc", "crl-entry", ENTRY },
	{ "next_before_this", "crl-form", FORM },
	{ "next_is_this", "crl-form", FORM },
	{ "no_aki", "crl-extensions", EXTENSIONS },
	{ "no_extensions", "crl-form", FORM },
	{ "no_next_update", "crl-next-update", NO_NEXT },
	{ "no_next_update_with_entries", "crl-next-update", NO_NEXT },
	{ "no_number", "crl-extensions", EXTENSIONS },
	{ "no_seconds", "crl-form", FORM },
	{ "number_65_bits", "crl-extensions", EXTENSIONS },
	{ "number_critical", "crl-extensions", EXTENSIONS },
	{ "number_false_written", "crl-extensions", EXTENSIONS },
	{ "number_negative", "crl-extensions", EXTENSIONS },
	{ "number_not_minimal", "crl-extensions", EXTENSIONS },
	{ "number_trailing", "crl-extensions", EXTENSIONS },
	{ "number_twice", "crl-extensions", EXTENSIONS },
	{ "offset_instead_of_z", "crl-form", FORM },
	{ "order_descending", "crl-order", ORDER },
	{ "order_twice", "crl-order", ORDER },
	{ "reason_0", "crl-entry", ENTRY },
	{ "reason_10", "crl-entry", ENTRY },
	{ "reason_7", "crl-entry", ENTRY },
	{ "reason_8", "crl-entry", ENTRY },
	{ "reason_critical", "crl-entry", ENTRY },
	{ "reason_integer", "crl-entry", ENTRY },
	{ "reason_twice", "crl-entry", ENTRY },
	{ "serial_21_octets", "crl-entry", ENTRY },
	{ "serial_negative", "crl-entry", ENTRY },
	{ "serial_zero", "crl-entry", ENTRY },
	{ "signature_empty", "signed-form", SIGNED },
	{ "signature_unused_bits", "signed-form", SIGNED },
	{ "tail_after_extensions", "crl-form", FORM },
	{ "this_generalized_before_2050", "crl-form", FORM },
	{ "trailing", "der-trailing", TRAILING },
	{ "unknown_critical", "crl-extensions", EXTENSIONS },
	{ "unknown_extension", "crl-extensions", EXTENSIONS },
	{ "version_1", "crl-form", FORM },
	{ "version_2_written_as_2", "crl-form", FORM },
};

static const struct {
	const char *file;
	size_t n;       /* entries */
	uint64_t number;
	int reason;     /* of the first */
	int64_t revoked_at, invalid_since;
	size_t serial;  /* octets */
} good[] = {
	{ "good_empty", 0, 7, 0, 0, 0, 0 },
	{ "good_delta", 0, 7, 0, 0, 0, 0 },
	{ "good_one", 1, 7, 0, 1795000000, 0, 1 },
	{ "good_two", 2, 7, 1, 1795000000, 0, 1 },
	{ "good_invalidity_alone", 1, 7, 0, 1795000000, 1790000000, 1 },
	{ "good_2050", 1, 7, 0, INT64_C(2524608000), 0, 1 },
	{ "good_sign_octet", 1, 7, 0, 1795000000, 0, 1 },
	{ "good_serial_20_octets", 1, 7, 0, 1795000000, 0, 20 },
	{ "good_number_largest", 0, UINT64_MAX, 0, 0, 0, 0 },
	{ "good_number_zero", 0, 0, 0, 0, 0, 0 },
};
/* clang-format on */

static struct bytes
load(const char *name)
{
	static uint8_t room[1 << 16];
	char path[512];
	snprintf(path, sizeof(path), CORPUS "%s.der", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s: no such file", path);
	size_t n = fread(room, 1, sizeof(room), f);
	fclose(f);
	return bytes_of(room, n);
}

static void
incident_62_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct crl c;
		struct err e = { .say = "" };
		enum err_code code = crl_parse(load(bad[i].file), &c, &e);
		refused(bad[i].file, code, &e, ERR_INVALID, bad[i].id,
		    bad[i].say);
	}
}

static void
accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct crl_cursor at = { 0 };
		struct crl_entry x, first = { .reason = 0 };
		struct crl c;
		struct err e;
		size_t n = 0;
		OK(crl_parse(load(good[i].file), &c, &e), &e);
		ROW(c.number == good[i].number, good[i].file);
		for (; crl_next(&c, &at, &x); n++)
			first = n == 0 ? x : first;
		ROW(n == good[i].n, good[i].file);
		ROW(first.reason == good[i].reason, good[i].file);
		ROW(first.revoked_at == good[i].revoked_at, good[i].file);
		ROW(first.invalid_since == good[i].invalid_since, good[i].file);
		ROW(first.serial.len == good[i].serial, good[i].file);
	}
}

static void
tbs_alone(void **state)
{
	(void)state;
	struct crl c;
	struct err e;
	OK(crl_tbs_parse(load("good_tbs"), &c, &e), &e);
	assert_int_equal(c.signature.len, 0);
	assert_int_equal(crl_parse(load("good_tbs"), &c, &e), ERR_INVALID);
	assert_int_equal(crl_tbs_parse(load("good_one"), &c, &e), ERR_INVALID);
}

/* Where the fault stands, in octets of what was given. */
static void
place_of_an_entry(void **state)
{
	(void)state;
	struct bytes der = load("order_descending");
	struct crl c;
	struct err e;
	assert_int_equal(crl_parse(der, &c, &e), ERR_INVALID);
	assert_in_range(e.where.byte, 2, der.len);
	/* The second entry: SEQUENCE of INTEGER 1 and its date. */
	assert_memory_equal(der.p + e.where.byte - 1, "\x30\x12\x02\x01\x01",
	    5);
}

/* Those that crl_lint.c makes have their rows there. */
static bool
is_row(const char *file)
{
	if (strncmp(file, "lint_", 5) == 0)
		return true;
	size_t len = strlen(file) - strlen(".der");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (strlen(bad[i].file) == len &&
		    strncmp(bad[i].file, file, len) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (strlen(good[i].file) == len &&
		    strncmp(good[i].file, file, len) == 0)
			return true;
	return strcmp(file, "good_tbs.der") == 0;
}

static void
each_file_has_a_row(void **state)
{
	(void)state;
	DIR *d = opendir(CORPUS);
	assert_non_null(d);
	for (struct dirent *f = readdir(d); f != NULL; f = readdir(d))
		if (strstr(f->d_name, ".der") != NULL && !is_row(f->d_name))
			fail_msg("%s has no row", f->d_name);
	closedir(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_62_refused),
		cmocka_unit_test(accepted),
		cmocka_unit_test(tbs_alone),
		cmocka_unit_test(place_of_an_entry),
		cmocka_unit_test(each_file_has_a_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
