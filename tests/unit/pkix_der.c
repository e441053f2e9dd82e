/* The strict walk, the cursor, the writer, object identifiers and PEM. */
#include "unit/pkix_help.h"

/* clang-format off */
static const struct {
	const char *name;
	uint8_t der[40];
	size_t len;
	const char *id; /* NULL: accepted */
	size_t byte;    /* where.byte: offset + 1 */
} rows[] = {
	{ "NULL",                { 5, 0 }, 2, NULL, 0 },
	{ "empty SEQUENCE",      { 0x30, 0 }, 2, NULL, 0 },
	{ "negative INTEGER",    { 2, 1, 0xff }, 3, NULL, 0 },
	{ "INTEGER 128",         { 2, 2, 0, 0x80 }, 4, NULL, 0 },
	{ "INTEGER -129",        { 2, 2, 0xff, 0x7f }, 4, NULL, 0 },
	{ "TRUE",                { 1, 1, 0xff }, 3, NULL, 0 },
	{ "FALSE",               { 1, 1, 0 }, 3, NULL, 0 },
	{ "bits",                { 3, 2, 6, 0xc0 }, 4, NULL, 0 },
	{ "no bits",             { 3, 1, 0 }, 3, NULL, 0 },
	{ "SET in order",        { 0x31, 6, 2, 1, 1, 2, 1, 2 }, 8, NULL, 0 },
	{ "SET of equals",       { 0x31, 6, 2, 1, 1, 2, 1, 1 }, 8, NULL, 0 },
	{ "context tags",        { 0x30, 5, 0x80, 1, 0, 0xa1, 0 }, 7, NULL, 0 },
	{ "OID",                 { 6, 3, 0x55, 4, 3 }, 5, NULL, 0 },
	{ "nothing",             { 0 }, 0, "der-short", 1 },
	{ "a tag alone",         { 0x30 }, 1, "der-short", 1 },
	{ "cut off",             { 0x30, 3, 5, 0 }, 4, "der-short", 1 },
	{ "inner beyond outer",  { 0x30, 2, 4, 1 }, 4, "der-short", 3 },
	{ "length cut off",      { 0x30, 0x82, 1 }, 3, "der-short", 1 },
	{ "end of contents",     { 0, 0 }, 2, "der-tag", 1 },
	{ "tag of two octets",   { 0x1f, 0x20, 0 }, 3, "der-tag", 1 },
	{ "indefinite",          { 0x30, 0x80, 0, 0 }, 4, "der-length", 1 },
	{ "81 7F",               { 4, 0x81, 1, 0 }, 4, "der-length", 1 },
	{ "82 00 80",            { 4, 0x82, 0, 0x80 }, 4, "der-length", 1 },
	{ "five octets of length", { 4, 0x85, 1, 0, 0, 0, 0 }, 7, "der-length", 1 },
	{ "length of 2^32 - 1",  { 4, 0x84, 0xff, 0xff, 0xff, 0xff }, 6, "der-short", 1 },
	{ "reserved length FF",  { 4, 0xff, 0 }, 3, "der-length", 1 },
	{ "empty INTEGER",       { 2, 0 }, 2, "der-integer", 1 },
	{ "INTEGER 00 7F",       { 2, 2, 0, 0x7f }, 4, "der-integer", 1 },
	{ "INTEGER FF 80",       { 2, 2, 0xff, 0x80 }, 4, "der-integer", 1 },
	{ "ENUMERATED 00 01",    { 10, 2, 0, 1 }, 4, "der-integer", 1 },
	{ "BOOLEAN 01",          { 1, 1, 1 }, 3, "der-boolean", 1 },
	{ "BOOLEAN of two",      { 1, 2, 0xff, 0xff }, 4, "der-boolean", 1 },
	{ "empty BOOLEAN",       { 1, 0 }, 2, "der-boolean", 1 },
	{ "padding bits",        { 3, 2, 1, 1 }, 4, "der-bits", 1 },
	{ "eight unused bits",   { 3, 2, 8, 0 }, 4, "der-bits", 1 },
	{ "unused bits of none", { 3, 1, 1 }, 3, "der-bits", 1 },
	{ "empty BIT STRING",    { 3, 0 }, 2, "der-bits", 1 },
	{ "NULL with content",   { 5, 1, 0 }, 3, "der-null", 1 },
	{ "empty OID",           { 6, 0 }, 2, "der-oid", 1 },
	{ "OID cut off",         { 6, 2, 0x55, 0x84 }, 4, "der-oid", 1 },
	{ "OID padded",          { 6, 3, 0x55, 0x80, 4 }, 5, "der-oid", 1 },
	{ "constructed OCTET STRING", { 0x24, 2, 4, 0 }, 4, "der-constructed", 1 },
	{ "constructed INTEGER", { 0x22, 2, 2, 0 }, 4, "der-constructed", 1 },
	{ "primitive SEQUENCE",  { 0x10, 0 }, 2, "der-constructed", 1 },
	{ "primitive SET",       { 0x11, 0 }, 2, "der-constructed", 1 },
	{ "EXTERNAL",            { 0x28, 0 }, 2, "der-constructed", 1 },
	{ "SET out of order",    { 0x31, 6, 2, 1, 2, 2, 1, 1 }, 8, "der-set-order", 6 },
	{ "SET, lengths",        { 0x31, 7, 4, 2, 0, 0, 4, 1, 9 }, 9, "der-set-order", 7 },
	{ "two objects",         { 5, 0, 5, 0 }, 4, "der-trailing", 3 },
	{ "an octet after",      { 0x30, 0, 0 }, 3, "der-trailing", 3 },
};
/* clang-format on */

static void
incident_14_strict_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes b = bytes_of(rows[i].der, rows[i].len);
		struct err e;
		enum err_code code = der_strict(b, &e);

		if (rows[i].id == NULL) {
			ROW(code == ERR_OK, rows[i].name);
			continue;
		}
		refused(rows[i].name, code, &e, ERR_INVALID, rows[i].id, "");
		ROW(e.where.byte == rows[i].byte, rows[i].name);
		ROW(strlen(e.say) > 20, rows[i].name);
	}
}

static void
depth(void **state)
{
	int n;

	(void)state;
	for (n = 1; n <= 40; n++) {
		uint8_t memory[128];
		struct der_w w = der_w_of(memory, sizeof(memory));
		struct bytes der;
		struct err e;
		int i;

		for (i = 0; i < n; i++)
			der_wrap(&w, DER_SEQUENCE, sizeof(memory));
		OK(der_w_end(&w, &der, &e), &e);
		if (n <= DER_DEPTH_MAX)
			OK(der_strict(der, &e), &e);
		else
			refused("deep", der_strict(der, &e), &e, ERR_INVALID,
			    "der-depth", "deeper than 32 levels");
	}
}

/* --- The cursor ------------------------------------------------------------------ */

/* clang-format off */
static const struct {
	const char *name;
	uint8_t der[12];
	size_t len;
	bool ok;
	int64_t value;
} ints[] = {
	{ "0",        { 2, 1, 0 }, 3, true, 0 },
	{ "127",      { 2, 1, 127 }, 3, true, 127 },
	{ "128",      { 2, 2, 0, 128 }, 4, true, 128 },
	{ "2^53",     { 2, 7, 0x20, 0, 0, 0, 0, 0, 0 }, 9, true, INT64_C(1) << 53 },
	{ "2^53 + 1", { 2, 7, 0x20, 0, 0, 0, 0, 0, 1 }, 9, false, 0 },
	{ "-1",       { 2, 1, 0xff }, 3, false, 0 },
	{ "8 octets", { 2, 8, 1, 0, 0, 0, 0, 0, 0, 0 }, 10, false, 0 },
	{ "padded",   { 2, 2, 0, 1 }, 4, false, 0 },
	{ "empty",    { 2, 0 }, 2, false, 0 },
	{ "no INTEGER", { 4, 1, 0 }, 3, false, 0 },
};

static const struct {
	const char *name, *text;
	uint8_t tag;
	bool ok;
	int64_t value;
} times[] = {
	{ "UTCTime",         "261118110640Z", DER_UTC_TIME, true, INT64_C(1795000000) },
	{ "1950",            "500101000000Z", DER_UTC_TIME, true, INT64_C(-631152000) },
	{ "2049",            "491231235959Z", DER_UTC_TIME, true, INT64_C(2524607999) },
	{ "29 February",     "280229000000Z", DER_UTC_TIME, true, INT64_C(1835395200) },
	{ "GeneralizedTime", "20500101000000Z", DER_GENERALIZED_TIME, true, INT64_C(2524608000) },
	{ "the last",        "99991231235959Z", DER_GENERALIZED_TIME, true, INT64_C(253402300799) },
	{ "29 February 2027", "270229000000Z", DER_UTC_TIME, false, 0 },
	{ "month 13",        "261301000000Z", DER_UTC_TIME, false, 0 },
	{ "day 0",           "261100000000Z", DER_UTC_TIME, false, 0 },
	{ "hour 24",         "261118240000Z", DER_UTC_TIME, false, 0 },
	{ "leap second",     "261231235960Z", DER_UTC_TIME, false, 0 },
	{ "no seconds",      "2611181106Z", DER_UTC_TIME, false, 0 },
	{ "no Z",            "261118110640", DER_UTC_TIME, false, 0 },
	{ "zone",            "261118110640+0000", DER_UTC_TIME, false, 0 },
	{ "fraction",        "20261118110640.5Z", DER_GENERALIZED_TIME, false, 0 },
	{ "sign",            "26111811064-Z", DER_UTC_TIME, false, 0 },
	{ "wrong tag",       "20261118110640Z", DER_UTC_TIME, false, 0 },
	{ "wrong tag, short", "261118110640Z", DER_GENERALIZED_TIME, false, 0 },
};
/* clang-format on */

static void
cursor(void **state)
{
	static const uint8_t two[] = { 0x30, 6, 1, 1, 0xff, 2, 1, 7 };
	struct der d = der_of(bytes_of(two, sizeof(two))), in;
	struct bytes out = BYTES_NONE;
	size_t i;

	(void)state;
	assert_int_equal(der_peek(&d), DER_SEQUENCE);
	in = der_enter(&d, DER_SEQUENCE);
	assert_true(der_end(&d));
	assert_int_equal(der_peek(&d), 0);
	assert_false(der_optional(&in, DER_NULL, &out));
	assert_true(der_get_bool(&in));
	assert_int_equal(der_get_int(&in), 7);
	assert_true(der_end(&in));
	/* After the first fault nothing is given any more. */
	in = der_of(bytes_of(two + 2, 6));
	assert_int_equal(der_get(&in, DER_INTEGER).len, 0);
	assert_true(in.bad);
	assert_false(der_end(&in));
	assert_int_equal(der_peek(&in), 0);
	assert_int_equal(der_element(&in).len, 0);
	assert_false(der_get_bool(&in));
	for (i = 0; i < ARRAY_LEN(ints); i++) {
		d = der_of(bytes_of(ints[i].der, ints[i].len));
		ROW(der_get_int(&d) == ints[i].value, ints[i].name);
		ROW(d.bad != ints[i].ok, ints[i].name);
	}
	d = der_of(BYTES_NONE);
	assert_true(der_end(&d));
}

static void
read_times(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(times); i++) {
		uint8_t memory[64];
		struct der_w w = der_w_of(memory, sizeof(memory));
		struct bytes der;
		struct der d;
		struct err e;

		der_put(&w, times[i].tag, bytes_str(times[i].text));
		OK(der_w_end(&w, &der, &e), &e);
		d = der_of(der);
		ROW(der_get_time(&d) == times[i].value, times[i].name);
		ROW(d.bad != times[i].ok, times[i].name);
		if (!times[i].ok)
			continue;
		w = der_w_of(memory, sizeof(memory));
		der_put_time(&w, times[i].value);
		OK(der_w_end(&w, &der, &e), &e);
		ROW(memmem(der.p, der.len, times[i].text,
			strlen(times[i].text)) != NULL,
		    times[i].name);
	}
}

/* --- The writer ------------------------------------------------------------------- */

/* Every length around the places where its form changes, written and read. */
static void
lengths(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 129, 255, 256, 257,
		65535, 65536 };
	static uint8_t content[65536], memory[65536 + 16];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct der_w w = der_w_of(memory, sizeof(memory));
		struct bytes der;
		struct der d;
		struct err e;

		der_put(&w, DER_OCTET_STRING, bytes_of(content, sizes[i]));
		OK(der_w_end(&w, &der, &e), &e);
		OK(der_strict(der, &e), &e);
		d = der_of(der);
		assert_int_equal(der_get(&d, DER_OCTET_STRING).len, sizes[i]);
		assert_true(der_end(&d));
	}
}

static void
writer_full(void **state)
{
	uint8_t memory[8];
	struct bytes der;
	struct err e;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(memory); n++) {
		struct der_w w = der_w_of(memory, n);

		der_put_uint(&w, UINT64_C(0xffffffffffff));
		refused("full", der_w_end(&w, &der, &e), &e, ERR_NOMEM,
		    "der-full", "larger than an object");
		/* And it stays so, though this one would fit. */
		der_put_bool(&w, true);
		assert_int_equal(der_w_end(&w, &der, &e), ERR_NOMEM);
	}
}

static void
integers_written(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 255, 256, 32767,
		32768, INT64_C(1) << 53 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(values); i++) {
		uint8_t memory[32];
		struct der_w w = der_w_of(memory, sizeof(memory));
		struct bytes der;
		struct der d;
		struct err e;

		der_put_uint(&w, values[i]);
		OK(der_w_end(&w, &der, &e), &e);
		OK(der_strict(der, &e), &e);
		d = der_of(der);
		assert_int_equal(der_get_int(&d), values[i]);
		assert_true(der_end(&d));
	}
}

/* --- Object identifiers -------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *text;
	bool ok;
} oids[] = {
	{ "1.3.6.1.4.1.8321.1", true },
	{ "2.16.152.1001.3", true },
	{ "0.9.2342.19200300.100.1.1", true },
	{ "2.5.29.37.0", true },
	{ "2.999.1", true },
	{ "1.39", true },
	{ "2.48", true },
	{ "2.25.295227800890228242059973903580110891240", true },
	{ "2.25.340282366920938463463374607431768211455", true },
	{ "2.25.340282366920938463463374607431768211456", false },
	{ "2.340282366920938463463374607431768211455", false },
	{ "", false },
	{ "1", false },
	{ "1.", false },
	{ ".1", false },
	{ "1..2", false },
	{ "1.2.", false },
	{ "1.40", false },
	{ "3.1", false },
	{ "1.02", false },
	{ "1.2.x", false },
	{ "1.2 ", false },
	{ "-1.2", false },
	{ "1.2.25.340282366920938463463374607431768211455.340282366920938463463374607431768211455", false },
};
/* clang-format on */

static void
object_identifiers(void **state)
{
	char text[160];
	unsigned k;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(oids); i++) {
		struct oid o;
		struct err e;
		enum err_code code = oid_parse(bytes_str(oids[i].text), &o, &e);

		if (!oids[i].ok) {
			refused(oids[i].text, code, &e, ERR_INVALID, "oid-text",
			    "with dots between them");
			continue;
		}
		ROW(code == ERR_OK, oids[i].text);
		oid_print(text, sizeof(text), oid_bytes(&o));
		ROW(strcmp(text, oids[i].text) == 0, oids[i].text);
	}
	/* Each known one is well formed, distinct, and survives its text. */
	for (k = 0; k < OID_COUNT; k++) {
		struct bytes a = oid_known((enum pkix_oid)k);
		struct oid o;
		struct err e;
		unsigned other;

		oid_print(text, sizeof(text), a);
		OK(oid_parse(bytes_str(text), &o, &e), &e);
		assert_true(bytes_eq(oid_bytes(&o), a));
		for (other = 0; other < k; other++)
			assert_false(
			    bytes_eq(a, oid_known((enum pkix_oid)other)));
	}
	oid_print(text, 6, oid_known(OID_RUT_HOLDER));
	assert_string_equal(text, "1.3.6");
}

/* --- PEM ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name, *text, *id; /* id NULL: the octets 01 02 03 */
} pems[] = {
	{ "plain",        "-----BEGIN X-----\nAQID\n-----END X-----\n", NULL },
	{ "CRLF",         "-----BEGIN X-----\r\nAQID\r\n-----END X-----\r\n", NULL },
	{ "text before",  "Subject: a\n-----BEGIN X-----\nAQID\n-----END X-----", NULL },
	{ "other before", "-----BEGIN Y-----\nAAAA\n-----END Y-----\n-----BEGIN X-----\nAQID\n-----END X-----\n", NULL },
	{ "the first of two", "-----BEGIN X-----\nAQID\n-----END X-----\n-----BEGIN X-----\nAAAA\n-----END X-----\n", NULL },
	{ "short lines",  "-----BEGIN X-----\nAQ\nID\n-----END X-----\n", NULL },
	{ "no block",     "AQID", "pem-missing" },
	{ "other label",  "-----BEGIN Y-----\nAQID\n-----END Y-----\n", "pem-missing" },
	{ "no end",       "-----BEGIN X-----\nAQID\n", "pem-end" },
	{ "end of another", "-----BEGIN X-----\nAQID\n-----END Y-----\n", "pem-end" },
	{ "empty",        "-----BEGIN X-----\n-----END X-----\n", "pem-base64" },
	{ "no base64",    "-----BEGIN X-----\nA?ID\n-----END X-----\n", "pem-base64" },
	{ "header lines", "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n", "pem-base64" },
	{ "padding within", "-----BEGIN X-----\nAQ==\nAQ==\n-----END X-----\n", "pem-base64" },
	{ "too much",     "-----BEGIN X-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END X-----\n", "pem-base64" },
	{ "nothing",      "", "pem-missing" },
};
/* clang-format on */

static void
pem(void **state)
{
	struct buf text AUTO_BUF = BUF(4096);
	uint8_t octets[100];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(pems); i++) {
		struct buf out AUTO_BUF = BUF(16);
		struct err e;
		enum err_code code =
		    pem_or_der(bytes_str(pems[i].text), "X", &out, &e);

		if (pems[i].id != NULL) {
			refused(pems[i].name, code, &e, ERR_INVALID, pems[i].id,
			    "");
			continue;
		}
		ROW(code == ERR_OK, pems[i].name);
		ROW(bytes_is(buf_bytes(&out), "\1\2\3"), pems[i].name);
	}
	for (i = 1; i <= sizeof(octets); i++) {
		struct buf out AUTO_BUF = BUF(100);
		struct err e;

		memset(octets, (int)i, sizeof(octets));
		buf_reset(&text);
		pem_put(&text, "X", bytes_of(octets, i));
		OK(pem_or_der(buf_bytes(&text), "X", &out, &e), &e);
		assert_true(bytes_eq(buf_bytes(&out), bytes_of(octets, i)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_14_strict_table),
		cmocka_unit_test(depth),
		cmocka_unit_test(cursor),
		cmocka_unit_test(read_times),
		cmocka_unit_test(lengths),
		cmocka_unit_test(writer_full),
		cmocka_unit_test(integers_written),
		cmocka_unit_test(object_identifiers),
		cmocka_unit_test(pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
