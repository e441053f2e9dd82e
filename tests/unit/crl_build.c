/*
 * CRLs: what we build is what openssl reads and obeys, and what we read is
 * what we built (INCIDENTS 61, 62).
 */
#include "crl_world.h"

static void
says(const struct dir *d, const char *text)
{
	struct buf out AUTO_BUF = BUF(1 << 16);
	dir_read(d, "out", &out);
	if (strstr(buf_text(&out), text) != NULL)
		return;
	print_error("no \"%s\" in\n%s\n", text, buf_text(&out));
	fail();
}

static void
says_not(const struct dir *d, const char *text)
{
	struct buf out AUTO_BUF = BUF(1 << 16);
	dir_read(d, "out", &out);
	assert_null(strstr(buf_text(&out), text));
}

static void
openssl_reads(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"Version 2 (0x1)", "Signature Algorithm: ecdsa-with-SHA384",
		"X509v3 CRL Number: \n                7",
		"X509v3 Authority Key Identifier",
		"Serial Number: 01020000000000000000000000000000",
		"Serial Number: 0193102030405060708090A0B0C0D0E0F0112233",
		"Serial Number: 8000000000000000000000000000000000000000",
		"Serial Number: FFFF000000000000000000000000000000000000",
		"Revocation Date: Nov 18 11:06:40 2026 GMT",
		"Key Compromise", "Certificate Hold",
		"Invalidity Date: \n                Sep 21 14:13:20 2026 GMT",
		"Revocation Date: Dec 31 23:59:59 2049 GMT",
		"Revocation Date: Jan  1 00:00:00 2050 GMT",
	};
	/* clang-format on */
	struct world *w = *state;
	struct crl_spec spec = usual(w, &w->ca);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	build(&w->ca, &spec, entries, ARRAY_LEN(entries), &der);
	dir_write(&w->dir, "c.crl", buf_bytes(&der));
	must_run(&w->dir, "text", "openssl crl -inform DER -in c.crl -text");
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		says(&w->dir, want[i]);
	says_not(&w->dir, "critical");
	must_run(&w->dir, "signature",
	    "openssl crl -inform DER -in c.crl -CAfile ca.pem -noout");
	says(&w->dir, "verify OK");
}

static void
openssl_verify_obeys(void **state)
{
	struct world *w = *state;
	const char *command = "openssl verify -x509_strict -crl_check -CAfile "
			      "ca.pem -CRLfile c.pem ana.pem";
	struct crl_spec spec = usual(w, &w->ca);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	build(&w->ca, &spec, entries, 1, &der);
	put_pem(w, "c.pem", "X509 CRL", buf_bytes(&der));
	must_run(&w->dir, "not listed", command);
	buf_reset(&der);
	build(&w->ca, &spec, entries, 2, &der);
	put_pem(w, "c.pem", "X509 CRL", buf_bytes(&der));
	assert_int_equal(run_in(&w->dir, command), 2);
	says(&w->dir, "certificate revoked");
}

/* An empty list is not encoded at all, and clients accept that. */
static void
incident_62_empty(void **state)
{
	struct world *w = *state;
	struct crl_spec spec = usual(w, &w->ca);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl_cursor at = { 0 };
	struct crl_entry x;
	struct crl c;
	struct err e;
	build(&w->ca, &spec, NULL, 0, &der);
	OK(crl_parse(buf_bytes(&der), &c, &e), &e);
	assert_int_equal(c.entries.len, 0);
	assert_false(crl_next(&c, &at, &x));
	dir_write(&w->dir, "c.crl", buf_bytes(&der));
	must_run(&w->dir, "text",
	    "openssl crl -inform DER -in c.crl -noout -text");
	says(&w->dir, "No Revoked Certificates.");
	put_pem(w, "c.pem", "X509 CRL", buf_bytes(&der));
	must_run(&w->dir, "empty",
	    "openssl verify -crl_check -CAfile ca.pem -CRLfile c.pem "
	    "ana.pem");
}

static void
read_back(void **state)
{
	struct world *w = *state;
	struct crl_spec spec = usual(w, &w->ca);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl_cursor at = { 0 };
	struct crl_entry x;
	struct crl c, t;
	struct err e;
	spec.number = UINT64_MAX;
	build(&w->ca, &spec, entries, ARRAY_LEN(entries), &der);
	OK(crl_parse(buf_bytes(&der), &c, &e), &e);
	assert_true(c.number == UINT64_MAX);
	assert_true(c.this_update == spec.this_update);
	assert_true(c.next_update == spec.next_update);
	assert_true(bytes_eq(c.aki, spec.issuer_ski));
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		assert_true(crl_next(&c, &at, &x));
		assert_true(bytes_eq(x.serial, entries[i].serial));
		assert_true(x.revoked_at == entries[i].revoked_at);
		assert_int_equal(x.reason, entries[i].reason);
		assert_true(x.invalid_since == entries[i].invalid_since);
		assert_true(crl_find(&c, entries[i].serial, &x));
		assert_true(x.revoked_at == entries[i].revoked_at);
	}
	assert_false(crl_next(&c, &at, &x));
	assert_false(crl_find(&c, bytes_of(s0, 15), &x));
	assert_false(crl_find(&c, bytes_of("\x7e", 1), &x));
	assert_false(crl_find(&c, bytes_of("\xff\xff\xff", 3), &x));
	OK(crl_tbs_parse(c.tbs, &t, &e), &e);
	assert_int_equal(t.signature.len, 0);
	assert_true(bytes_eq(t.sigalg, c.sigalg));
	OK(crl_check_publish(&c, &w->ca_cert, 6, w->now, w->v, &e), &e);
}

/* Name bytes are copied whatever string type they use (row 61). */
static void
incident_61_issuer_bytes(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint8_t tag;
	} rows[] = {
		{ "UTF8String", DER_UTF8_STRING },
		{ "PrintableString", DER_PRINTABLE_STRING },
		{ "T61String", 0x14 },
	};
	/* clang-format on */
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t name[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 3,
			0x55, 4, 3, rows[i].tag, 2, 'C', 'A' };
		struct crl_spec spec = usual(w, &w->ca);
		struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
		struct crl c;
		struct err e;
		spec.issuer = bytes_of(name, sizeof(name));
		build(&w->ca, &spec, NULL, 0, &der);
		OK(crl_parse(buf_bytes(&der), &c, &e), &e);
		ROW(bytes_eq(c.issuer, spec.issuer), rows[i].name);
	}
}

/* Lengths around each size of a length's own encoding. */
static void
many_entries(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 4, 6, 7, 8, 1800, 1900,
		70000 };
	struct world *w = *state;
	uint8_t(*serials)[20] = calloc(70000, 20);
	struct crl_entry *v = calloc(70000, sizeof(*v));
	assert_non_null(serials);
	assert_non_null(v);
	for (size_t i = 0; i < 70000; i++) {
		serials[i][0] = 0x40;
		serials[i][2] = (uint8_t)(i >> 16);
		serials[i][3] = (uint8_t)(i >> 8);
		serials[i][4] = (uint8_t)i;
		v[i] = (struct crl_entry){ bytes_of(serials[i], 20),
			INT64_C(1795000000) + (int64_t)i * 977, (int)(i % 7),
			0 };
	}
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct list l = { .v = v, .n = counts[i] };
		struct crl_source source = source_of(&l);
		struct crl_spec spec = usual(w, &w->ca);
		struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
		struct crl_cursor at = { 0 };
		struct crl_entry x;
		struct crl c;
		struct err e;
		size_t n = 0;
		OK(crl_build_tbs(&spec, &source, &tbs, &e), &e);
		OK(crl_tbs_parse(buf_bytes(&tbs), &c, &e), &e);
		for (; crl_next(&c, &at, &x); n++) {
			assert_true(bytes_eq(x.serial, v[n].serial));
			assert_true(x.revoked_at == v[n].revoked_at);
			assert_int_equal(x.reason, v[n].reason);
		}
		assert_int_equal(n, counts[i]);
	}
	free(serials);
	free(v);
}

/* --- Orders that are refused -------------------------------------------------------- */

#define CORRUPT_REASON(hex) \
	"the entry " hex " for a CRL has a reason other than 0 to 6 and 9"

static void
bad_entries(void **state)
{
	static const uint8_t zero[] = { 0 }, leading[] = { 0, 1 },
			     one[] = { 1 }, two[] = { 2 }, big[21] = { 1 };
	/* clang-format off */
	static const struct {
		const char *name;
		struct crl_entry v[2];
		const char *id, *say;
	} rows[] = {
		{ "empty serial", { { { one, 0 }, 1, 0, 0 } },
		    "crl-entry-serial", "has the serial number , which" },
		{ "serial zero", { { SERIAL(zero), 1, 0, 0 } },
		    "crl-entry-serial", "has the serial number 00, which" },
		{ "leading zero", { { SERIAL(leading), 1, 0, 0 } },
		    "crl-entry-serial", "has the serial number 0001, which" },
		{ "21 octets", { { SERIAL(big), 1, 0, 0 } },
		    "crl-entry-serial", "no certificate may have" },
		{ "reason 7", { { SERIAL(one), 1, 7, 0 } },
		    "crl-entry-reason", CORRUPT_REASON("01") },
		{ "reason 8", { { SERIAL(one), 1, 8, 0 } },
		    "crl-entry-reason", CORRUPT_REASON("01") },
		{ "reason 10", { { SERIAL(one), 1, 10, 0 } },
		    "crl-entry-reason", CORRUPT_REASON("01") },
		{ "reason -1", { { SERIAL(one), 1, -1, 0 } },
		    "crl-entry-reason", CORRUPT_REASON("01") },
		{ "before 1970", { { SERIAL(one), -1, 0, 0 } },
		    "crl-entry-time", "a date outside 1970 to 9999" },
		{ "never", { { SERIAL(one), NEVER, 0, 0 } },
		    "crl-entry-time", "a date outside 1970 to 9999" },
		{ "invalid for ever", { { SERIAL(one), 1, 0, NEVER } },
		    "crl-entry-time", "a date outside 1970 to 9999" },
		{ "twice", { { SERIAL(one), 1, 0, 0 },
		    { SERIAL(one), 1, 0, 0 } }, "crl-entry-order",
		    "not in ascending order of serial at 01" },
		{ "descending", { { SERIAL(two), 1, 0, 0 },
		    { SERIAL(one), 1, 0, 0 } }, "crl-entry-order",
		    "not in ascending order of serial at 01" },
	};
	/* clang-format on */
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct crl_spec spec = usual(w, &w->ca);
		struct list l = { .v = rows[i].v,
			.n = rows[i].v[1].serial.len > 0 ? 2 : 1 };
		struct crl_source source = source_of(&l);
		struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
		struct err e = { .say = "" };
		refused(rows[i].name, crl_build_tbs(&spec, &source, &tbs, &e),
		    &e, ERR_CORRUPT, rows[i].id, rows[i].say);
	}
}

static void
bad_orders(void **state)
{
	struct world *w = *state;
	struct list l = { .v = entries, .n = 2, .fewer = 1 };
	struct crl_source source = source_of(&l);
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl_spec spec = usual(w, &w->ca);
	struct err e;
	refused("source changes", crl_build_tbs(&spec, &source, &tbs, &e), &e,
	    ERR_CORRUPT, "crl-source",
	    "the entries for a CRL changed between two readings of them");
	spec.issuer = BYTES_NONE;
	refused("no issuer", crl_build_tbs(&spec, &source, &tbs, &e), &e,
	    ERR_INVALID, "crl-spec",
	    "a CRL was ordered without its issuer's name or key identifier");
	spec = usual(w, &w->ca);
	spec.issuer_ski = BYTES_NONE;
	refused("no key", crl_build_tbs(&spec, &source, &tbs, &e), &e,
	    ERR_INVALID, "crl-spec",
	    "a CRL was ordered without its issuer's name or key identifier");
	spec = usual(w, &w->ca);
	spec.next_update = spec.this_update;
	refused("no time", crl_build_tbs(&spec, &source, &tbs, &e), &e,
	    ERR_INVALID, "crl-spec-times",
	    "a CRL was ordered that ends before it begins");
}

/* A failing source fails the CRL with its own sentence. */
static enum err_code
broken_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)more;
	return err_say(e, ERR_IO, "test-broken", "the source is broken");
}

static void
source_fails(void **state)
{
	struct world *w = *state;
	struct list l = { .n = 0 };
	struct crl_source source = { &l, list_rewind, broken_next };
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl_spec spec = usual(w, &w->ca);
	struct err e;
	refused("broken", crl_build_tbs(&spec, &source, &tbs, &e), &e, ERR_IO,
	    "test-broken", "the source is broken");
}

/* --- Small things ------------------------------------------------------------------------ */

static void
reason_names(void **state)
{
	(void)state;
	assert_string_equal(crl_reason_name(0), "unspecified");
	assert_string_equal(crl_reason_name(1), "keyCompromise");
	assert_string_equal(crl_reason_name(2), "cACompromise");
	assert_string_equal(crl_reason_name(3), "affiliationChanged");
	assert_string_equal(crl_reason_name(4), "superseded");
	assert_string_equal(crl_reason_name(5), "cessationOfOperation");
	assert_string_equal(crl_reason_name(6), "certificateHold");
	assert_string_equal(crl_reason_name(9), "privilegeWithdrawn");
	assert_null(crl_reason_name(7));
	assert_null(crl_reason_name(8));
	assert_null(crl_reason_name(10));
	assert_null(crl_reason_name(-1));
}

static void
due(void **state)
{
	(void)state;
	assert_int_equal(crl_due_at(1000, 1000 + 2 * DAY, 0), 1000 + DAY);
	assert_int_equal(crl_due_at(1000, 1000 + 2 * DAY, 6 * HOUR),
	    1000 + 6 * HOUR);
	assert_int_equal(crl_due_at(1000, 1000 + 2 * HOUR, 6 * HOUR),
	    1000 + HOUR);
	assert_int_equal(crl_due_at(1000, 1000, 6 * HOUR), 1000);
}

/* Deltas stand beside the list that they amend, whatever the host. */
static void
delta_addresses(void **state)
{
	/* clang-format off */
	static const struct {
		const char *url, *issuer, *deltas; /* NULL: none */
	} rows[] = {
		{ "http://a.cl/crl/uno.crl", "uno", "http://a.cl/crl/uno/delta.crl" },
		{ "http://a.cl/crl/uno/7.crl", "uno", "http://a.cl/crl/uno/7-delta.crl" },
		{ "http://a.cl/x/crl/uno/12.crl", "uno", "http://a.cl/x/crl/uno/12-delta.crl" },
		{ "http://a.cl/crl/7.crl", "7", "http://a.cl/crl/7/delta.crl" },
		{ "http://a.cl/crl/7/7.crl", "7", "http://a.cl/crl/7/7-delta.crl" },
		{ "http://a.cl/crl/crl.crl", "crl", "http://a.cl/crl/crl/delta.crl" },
		{ "http://a.cl/crl/crl/7.crl", "crl", "http://a.cl/crl/crl/7-delta.crl" },
		{ "http://a.cl/crl/dos.crl", "uno", NULL },
		{ "http://a.cl/crl/uno/7.crl", "dos", NULL },
		{ "http://a.cl/crl/uno/0.crl", "uno", NULL },
		{ "http://a.cl/crl/uno/07.crl", "uno", NULL },
		{ "http://a.cl/crl/uno/delta.crl", "uno", NULL },
		{ "http://a.cl/crl/uno/7-delta.crl", "uno", NULL },
		{ "/crl/uno.crl", "uno", NULL },
		{ "", "uno", NULL },
	};
	/* clang-format on */
	char out[CRL_URL_MAX], again[CRL_URL_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool found =
		    crl_url_delta(out, bytes_str(rows[i].url), rows[i].issuer);
		if (found != (rows[i].deltas != NULL) ||
		    (found && strcmp(out, rows[i].deltas) != 0))
			fail_msg("%s of %s", rows[i].url, rows[i].issuer);
	}
	crl_url(again, "http://a.cl", "uno", 7, true);
	assert_true(
	    crl_url_delta(out, bytes_str("http://a.cl/crl/uno/7.crl"), "uno"));
	assert_string_equal(out, again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_reads),
		cmocka_unit_test(openssl_verify_obeys),
		cmocka_unit_test(incident_62_empty),
		cmocka_unit_test(read_back),
		cmocka_unit_test(incident_61_issuer_bytes),
		cmocka_unit_test(many_entries),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(bad_orders),
		cmocka_unit_test(source_fails),
		cmocka_unit_test(reason_names),
		cmocka_unit_test(due),
		cmocka_unit_test(delta_addresses),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
