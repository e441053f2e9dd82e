/*
 * ocsp_request_parse() over its corpus: each file of
 * tests/fuzz/corpus/ocsp_request is a row here (INCIDENTS F23, F24), and
 * requests in the path of a GET (row 54).
 */
#include <dirent.h>

#include <refrendo/ocsp.h>

#include "pkix_help.h"

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/ocsp_request/"

#define FORM                                                                 \
	"this is not an OCSP request: its parts are not those that it must " \
	"have"
#define NONCE \
	"the nonce is not one OCTET STRING of 1 to 128 octets; 32 are usual"
#define CRITICAL                                                              \
	"the request has a critical extension that is not known here; leave " \
	"it out"
#define HASH                                                                  \
	"a certificate is named by a hash other than SHA-1 and SHA-256; ask " \
	"again with SHA-256"
#define LENGTH                                                               \
	"a hash that names an issuer is not as long as its algorithm makes " \
	"it"
#define SERIAL                                                      \
	"a serial number is negative or longer than 20 octets; no " \
	"certificate "                                              \
	"may have it"
#define LARGE "the request is longer than the 4096 octets that it may have"
#define DER_LENGTH \
	"a length at this octet is not definite and minimal, as DER demands"
#define DER_SHORT "an element at this octet is longer than what contains it"

/* clang-format off */
static const struct {
	const char *file;
	enum err_code code;
	const char *id, *say;
} bad[] = {
	{ "empty", ERR_INVALID, "der-short", DER_SHORT },
	{ "one_octet", ERR_INVALID, "der-short", DER_SHORT },
	{ "empty_sequence", ERR_INVALID, "ocsp-form", FORM },
	{ "text", ERR_INVALID, "der-short", DER_SHORT },
	{ "no_certificates", ERR_INVALID, "ocsp-empty",
	    "the request names no certificate" },
	{ "seventeen", ERR_INVALID, "ocsp-too-many", "the request names more "
	    "than the 16 certificates that one request may name" },
	{ "ten_thousand", ERR_INVALID, "ocsp-too-large", LARGE },
	{ "one_mebibyte", ERR_INVALID, "ocsp-too-large", LARGE },
	{ "over_4096", ERR_INVALID, "ocsp-too-large", LARGE },
	{ "hash_sha512", ERR_NOTFOUND, "ocsp-hash", HASH },
	{ "hash_md5", ERR_NOTFOUND, "ocsp-hash", HASH },
	{ "hash_mixed_unknown", ERR_NOTFOUND, "ocsp-hash", HASH },
	{ "hash_length", ERR_INVALID, "ocsp-hash-length", LENGTH },
	{ "hash_length_key", ERR_INVALID, "ocsp-hash-length", LENGTH },
	{ "hash_parameters", ERR_INVALID, "ocsp-form", FORM },
	{ "serial_negative", ERR_INVALID, "ocsp-serial", SERIAL },
	{ "serial_21_octets", ERR_INVALID, "ocsp-serial", SERIAL },
	{ "serial_empty", ERR_INVALID, "der-integer",
	    "an INTEGER at this octet is not minimal" },
	{ "serial_not_minimal", ERR_INVALID, "der-integer",
	    "an INTEGER at this octet is not minimal" },
	{ "nonce_0", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "nonce_129", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "nonce_twice", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "nonce_bare", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "nonce_trailing", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "nonce_indefinite", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "nonce_long_length", ERR_INVALID, "ocsp-nonce", NONCE },
	{ "critical_unknown", ERR_INVALID, "ocsp-critical", CRITICAL },
	{ "service_locator_critical", ERR_INVALID, "ocsp-critical", CRITICAL },
	{ "critical_01", ERR_INVALID, "der-boolean",
	    "a BOOLEAN at this octet is neither 00 nor FF" },
	{ "extensions_empty", ERR_INVALID, "ocsp-form", FORM },
	{ "single_extensions_empty", ERR_INVALID, "ocsp-form", FORM },
	{ "extension_trailing", ERR_INVALID, "ocsp-form", FORM },
	{ "version_v2", ERR_INVALID, "ocsp-version",
	    "the request is of another version than v1" },
	{ "version_text", ERR_INVALID, "ocsp-form", FORM },
	{ "trailing_octet", ERR_INVALID, "der-trailing",
	    "something follows the end of the object" },
	{ "trailing_inside", ERR_INVALID, "ocsp-form", FORM },
	{ "signature_not_sequence", ERR_INVALID, "ocsp-form", FORM },
	{ "indefinite", ERR_INVALID, "der-length", DER_LENGTH },
	{ "indefinite_inner", ERR_INVALID, "der-length", DER_LENGTH },
	{ "length_2_31", ERR_INVALID, "der-short", DER_SHORT },
	{ "length_2_32", ERR_INVALID, "der-length", DER_LENGTH },
	{ "length_not_minimal", ERR_INVALID, "der-length", DER_LENGTH },
	{ "cut", ERR_INVALID, "der-short", DER_SHORT },
	{ "deep", ERR_INVALID, "der-depth",
	    "elements are nested deeper than 32 levels" },
	{ "certid_extra", ERR_INVALID, "ocsp-form", FORM },
	{ "list_is_set", ERR_INVALID, "ocsp-form", FORM },
};

static const struct {
	const char *file;
	size_t n_id;
	const char *hashes; /* '1' or '2' for each CertID */
	size_t nonce;       /* octets; 0: none */
} good[] = {
	{ "sha1", 1, "1", 0 },
	{ "sha256", 1, "2", 0 },
	{ "sha1_without_null", 1, "1", 0 },
	{ "both_hashes", 2, "12", 0 },
	{ "repeated", 3, "111", 0 },
	{ "sixteen", 16, "1111111111111111", 0 },
	{ "nonce_1", 1, "1", 1 },
	{ "nonce_15", 1, "1", 15 },
	{ "nonce_16", 1, "1", 16 },
	{ "nonce_32", 1, "1", 32 },
	{ "nonce_33", 1, "1", 33 },
	{ "nonce_128", 1, "1", 128 },
	{ "nonce_critical", 1, "1", 32 },
	{ "critical_false_written", 1, "1", 32 },
	{ "other_extension", 1, "1", 0 },
	{ "service_locator", 1, "1", 0 },
	{ "version_v1_written", 1, "1", 0 },
	{ "requestor_name", 1, "1", 0 },
	{ "signed", 1, "1", 0 },
	{ "serial_zero", 1, "1", 0 },
	{ "serial_20_octets", 1, "1", 0 },
	{ "serial_sign_octet", 1, "1", 0 },
};
/* clang-format on */

static uint8_t room[2 << 20];

static struct bytes
load(const char *name)
{
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
incident_f23_f24_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ocsp_request q;
		struct err e = { .say = "" };
		enum err_code code =
		    ocsp_request_parse(load(bad[i].file), &q, &e);
		refused(bad[i].file, code, &e, bad[i].code, bad[i].id,
		    bad[i].say);
		ROW(strcmp(e.say, bad[i].say) == 0, bad[i].file);
	}
}

static void
incident_f24_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct ocsp_request q;
		struct err e;
		enum err_code code =
		    ocsp_request_parse(load(good[i].file), &q, &e);
		if (code != ERR_OK)
			print_error("%s: %s\n", good[i].file, e.say);
		ROW(code == ERR_OK, good[i].file);
		ROW(q.n_id == good[i].n_id, good[i].file);
		for (size_t k = 0; k < q.n_id; k++)
			ROW(q.id[k].is_sha256 == (good[i].hashes[k] == '2'),
			    good[i].file);
		ROW(q.has_nonce == (good[i].nonce > 0), good[i].file);
		ROW(q.nonce.len == good[i].nonce, good[i].file);
	}
}

static void
serials_are_magnitudes(void **state)
{
	(void)state;
	static const uint8_t one[] = { 0x80 }, zero[] = { 0 };
	struct ocsp_request q;
	struct err e;
	OK(ocsp_request_parse(load("serial_sign_octet"), &q, &e), &e);
	assert_true(bytes_eq(q.id[0].serial, bytes_of(one, 1)));
	OK(ocsp_request_parse(load("serial_zero"), &q, &e), &e);
	assert_true(bytes_eq(q.id[0].serial, bytes_of(zero, 1)));
	OK(ocsp_request_parse(load("serial_20_octets"), &q, &e), &e);
	assert_int_equal(q.id[0].serial.len, 20);
}

static bool
is_row(const char *file)
{
	size_t len = strlen(file) - strlen(".der");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (strlen(bad[i].file) == len &&
		    strncmp(bad[i].file, file, len) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (strlen(good[i].file) == len &&
		    strncmp(good[i].file, file, len) == 0)
			return true;
	return false;
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

/* --- GET ---------------------------------------------------------------------- */

/* FB EF FF 30 01 in base64 has '+', '/' and one '='. */
static const uint8_t get_want[] = { 0xfb, 0xef, 0xff, 0x30, 0x01 };
/* clang-format off */
static const char *const get_good[] = {
	"++//MAE=", "/++//MAE=", "//++//MAE=", "++//MAE",
	"%2B%2B%2F%2FMAE%3D", "%2b%2b%2f%2fMAE%3d", "%2B+%2f/MAE",
	"%2B%2B%2F%2F%4DAE", "/%2b%2b//MAE%3D",
};
static const struct {
	const char *name, *path;
} get_bad[] = {
	{ "empty", "" }, { "only a slash", "/" }, { "one character", "A" },
	{ "five characters", "AAAAA" }, { "too many pads", "MAE==" },
	{ "three pads", "MA===" }, { "pad alone", "=" },
	{ "data after pad", "MAE=AAAA" }, { "bits left over", "MAF" },
	{ "percent cut", "++//MAE%3" }, { "percent letters", "++//MAE%zz" },
	{ "space", "++// MAE" }, { "line break", "++//%0AMAE" },
	{ "url alphabet", "--__MAE" }, { "high octet", "\xc3\xb1""AA" },
	{ "NUL", "++%00/" },
};
/* clang-format on */

#define GET_SAY                                                            \
	"the address does not end in a request in base64 of at most 1024 " \
	"characters; send longer ones by POST"

static void
incident_54_get_encodings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(get_good); i++) {
		uint8_t out[16];
		size_t len = sizeof(out);
		struct err e;
		OK(ocsp_get_decode(bytes_str(get_good[i]), out, &len, &e), &e);
		ROW(bytes_eq(bytes_of(out, len),
			bytes_of(get_want, sizeof(get_want))),
		    get_good[i]);
	}
}

static void
get_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(get_bad); i++) {
		uint8_t out[16];
		size_t len = sizeof(out);
		struct err e = { .say = "" };
		enum err_code code =
		    ocsp_get_decode(bytes_str(get_bad[i].path), out, &len, &e);
		refused(get_bad[i].name, code, &e, ERR_INVALID, "ocsp-get",
		    GET_SAY);
	}
}

static void
get_limits(void **state)
{
	(void)state;
	char path[OCSP_GET_MAX + 5];
	uint8_t out[OCSP_GET_MAX];
	struct err e;
	memset(path, 'A', sizeof(path));
	size_t len = sizeof(out);
	OK(ocsp_get_decode(bytes_of(path, OCSP_GET_MAX), out, &len, &e), &e);
	assert_int_equal(len, OCSP_GET_MAX / 4 * 3);
	len = sizeof(out);
	refused("1028 characters",
	    ocsp_get_decode(bytes_of(path, OCSP_GET_MAX + 4), out, &len, &e),
	    &e, ERR_INVALID, "ocsp-get", GET_SAY);
	len = 2;
	refused("no room", ocsp_get_decode(bytes_of(path, 4), out, &len, &e),
	    &e, ERR_INVALID, "ocsp-get", GET_SAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_f23_f24_refused),
		cmocka_unit_test(incident_f24_accepted),
		cmocka_unit_test(serials_are_magnitudes),
		cmocka_unit_test(each_file_has_a_row),
		cmocka_unit_test(incident_54_get_encodings),
		cmocka_unit_test(get_refused),
		cmocka_unit_test(get_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
