/*
 * Lint of CRLs: for each rule a list that breaks it and as little else as can
 * be.  RENEW=1 writes the lists to the fuzz corpus, and doc/lint-crl.md.
 */
#include "unit/der_text.h"

#include <refrendo/crl.h>

#define CORPUS    SOURCE_DIR "/tests/fuzz/corpus/crl/"

#define ECDSA     "30{06@1.2.840.10045.4.3.2}"
#define CA        "30{31{30{06@2.5.4.3 0c'Emisora de Ejemplo'}}}"
#define THIS      "17'261118110640Z'"
#define NEXT      "17'261119110640Z'"
#define OLD       "17'261110110640Z'"
#define X(n, s)   "30{06@2.5.29." n " 04{" s "}}"
#define XC(n, s)  "30{06@2.5.29." n " 01:ff 04{" s "}}"
#define KEY       X("35", "30{80:0102030405060708}")
#define NUMBER    X("20", "02:07")
#define EXTS(s)   "a0{30{" s "}}"
#define ENTRY(s)  "30{02:05 " OLD s "}"
#define REASON(s) ENTRY("30{" s "}")

/* What stands in the list; NULL: as in a good one. */
struct row {
	const char *id;
	const char *head, *times, *entries, *exts, *outer;
	const char *also;
};

/* clang-format off */
static const struct row rows[] = {
	{ "lint-crl-form", NULL, NULL, NULL, EXTS(KEY NUMBER) "a1{05}", NULL, NULL },
	{ "lint-crl-version", ECDSA CA, NULL, NULL, NULL, NULL, NULL },
	{ "lint-crl-algorithms", NULL, NULL, NULL, NULL, "30{06@1.2.840.10045.4.3.3}", NULL },
	{ "lint-crl-hash", "02:01 30{06@1.2.840.10045.4.1}" CA, NULL, NULL, NULL, "30{06@1.2.840.10045.4.1}", NULL },
	{ "lint-crl-parameters", "02:01 30{06@1.2.840.10045.4.3.2 05}" CA, NULL, NULL, NULL, "30{06@1.2.840.10045.4.3.2 05}", NULL },
	{ "lint-crl-issuer", "02:01 " ECDSA "30{}", NULL, NULL, NULL, NULL, NULL },
	{ "lint-crl-time-form", NULL, "18'20261118110640Z'" NEXT, NULL, NULL, NULL, NULL },
	{ "lint-crl-next-missing", NULL, THIS, NULL, NULL, NULL, NULL },
	{ "lint-crl-next-order", NULL, NEXT NEXT, NULL, NULL, NULL, "lint-crl-future" },
	{ "lint-crl-future", NULL, "17'261119000000Z' 17'261120000000Z'", NULL, NULL, NULL, NULL },
	{ "lint-crl-expired", NULL, "17'261110000000Z' 17'261111000000Z'", NULL, NULL, NULL, NULL },
	{ "lint-crl-life", NULL, THIS "17'281118110640Z'", NULL, NULL, NULL, NULL },
	{ "lint-crl-empty-list", NULL, NULL, "30{}", NULL, NULL, NULL },
	{ "lint-crl-number-missing", NULL, NULL, NULL, EXTS(KEY), NULL, NULL },
	{ "lint-crl-number-form", NULL, NULL, NULL, EXTS(KEY X("20", "02:ff")), NULL, NULL },
	{ "lint-crl-number-critical", NULL, NULL, NULL, EXTS(KEY XC("20", "02:07")), NULL, NULL },
	{ "lint-crl-aki-missing", NULL, NULL, NULL, EXTS(NUMBER), NULL, NULL },
	{ "lint-crl-aki-critical", NULL, NULL, NULL, EXTS(XC("35", "30{80:0102}") NUMBER), NULL, NULL },
	{ "lint-crl-aki-key-id", NULL, NULL, NULL, EXTS(X("35", "30{}") NUMBER), NULL, NULL },
	{ "lint-crl-idp-critical", NULL, NULL, NULL, EXTS(KEY NUMBER X("28", "30{81:ff}")), NULL, NULL },
	{ "lint-crl-idp-form", NULL, NULL, NULL, EXTS(KEY NUMBER XC("28", "30{}")), NULL, NULL },
	{ "lint-crl-idp-scope", NULL, NULL, NULL, EXTS(KEY NUMBER XC("28", "30{81:ff 82:ff}")), NULL, NULL },
	{ "lint-crl-delta-critical", NULL, NULL, NULL, EXTS(KEY NUMBER X("27", "02:06")), NULL, NULL },
	{ "lint-crl-delta-base", NULL, NULL, NULL, EXTS(KEY NUMBER XC("27", "02:07")), NULL, NULL },
	{ "lint-crl-freshest-critical", NULL, NULL, NULL, EXTS(KEY NUMBER XC("46", "30{30{a0{a0{86'http://a.example.cl/'}}}}")), NULL, NULL },
	{ "lint-crl-freshest-delta", NULL, NULL, NULL, EXTS(KEY NUMBER XC("27", "02:06") X("46", "30{30{a0{a0{86'http://a.example.cl/'}}}}")), NULL, NULL },
	{ "lint-crl-extension-twice", NULL, NULL, NULL, EXTS(KEY NUMBER NUMBER), NULL, NULL },
	{ "lint-crl-extension-critical", NULL, NULL, NULL, EXTS(KEY NUMBER "30{06@1.3.6.1.4.1.9 01:ff 04{05}}"), NULL, NULL },
	{ "lint-crl-extension", NULL, NULL, NULL, EXTS(KEY NUMBER X("18", "30{82'a.cl'}")), NULL, NULL },
	{ "lint-crl-entry-form", NULL, NULL, "30{30{02:05 " OLD "05}}", NULL, NULL, NULL },
	{ "lint-crl-entry-serial", NULL, NULL, "30{30{02:00 " OLD "}}", NULL, NULL, NULL },
	{ "lint-crl-entry-twice", NULL, NULL, "30{" ENTRY("") ENTRY("") "}", NULL, NULL, NULL },
	{ "lint-crl-entry-order", NULL, NULL, "30{" ENTRY("") "30{02:04 " OLD "}}", NULL, NULL, NULL },
	{ "lint-crl-entry-date", NULL, NULL, "30{30{02:05 " NEXT "}}", NULL, NULL, NULL },
	{ "lint-crl-entry-extension-twice", NULL, NULL, "30{" REASON(X("21", "0a:01") X("21", "0a:01")) "}", NULL, NULL, NULL },
	{ "lint-crl-entry-extension-empty", NULL, NULL, "30{" REASON("") "}", NULL, NULL, NULL },
	{ "lint-crl-entry-critical", NULL, NULL, "30{" REASON(XC("24", "18'20261101000000Z'")) "}", NULL, NULL, NULL },
	{ "lint-crl-reason-form", NULL, NULL, "30{" REASON(X("21", "0a:07")) "}", NULL, NULL, NULL },
	{ "lint-crl-reason-zero", NULL, NULL, "30{" REASON(X("21", "0a:00")) "}", NULL, NULL, NULL },
	{ "lint-crl-reason-critical", NULL, NULL, "30{" REASON(XC("21", "0a:01")) "}", NULL, NULL, NULL },
	{ "lint-crl-reason-remove", NULL, NULL, "30{" REASON(X("21", "0a:08")) "}", NULL, NULL, NULL },
	{ "lint-crl-invalidity-form", NULL, NULL, "30{" REASON(X("24", "17'261101000000Z'")) "}", NULL, NULL, NULL },
	{ "lint-crl-invalidity-late", NULL, NULL, "30{" REASON(X("24", "18'20261112000000Z'")) "}", NULL, NULL, NULL },
	{ "lint-crl-entry-issuer", NULL, NULL, "30{" REASON(X("29", "30{a4{" CA "}}")) "}", NULL, NULL, NULL },
};
/* clang-format on */

static void
put(struct buf *out, const char *given, const char *usual)
{
	der_text(out, given != NULL ? given : usual);
}

static void
row_der(const struct row *r, struct buf *out)
{
	struct buf tbs AUTO_BUF = BUF(1 << 16), all AUTO_BUF = BUF(1 << 16);
	put(&tbs, r->head, "02:01 " ECDSA CA);
	put(&tbs, r->times, THIS NEXT);
	put(&tbs, r->entries, "");
	put(&tbs, r->exts, EXTS(KEY NUMBER));
	der_text_put(&all, DER_SEQUENCE, buf_bytes(&tbs));
	put(&all, r->outer, ECDSA);
	der_text(&all, "03:003006020101020101");
	der_text_put(out, DER_SEQUENCE, buf_bytes(&all));
}

static const struct lint_rule *
rule_named(const char *id)
{
	const struct lint_rule *r;
	for (size_t i = 0; (r = crl_lint_rule(i)) != NULL; i++) {
		if (strcmp(r->id, id) == 0)
			return r;
	}
	fail_msg("no rule has the id %s", id);
	return NULL;
}

static void
each_rule(void **state)
{
	bool bad = false;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct lint_rule *rule = rule_named(rows[i].id);
		struct buf der AUTO_BUF = BUF(1 << 16);
		char got[400] = "";
		bool found = false;
		struct lint l;
		row_der(&rows[i], &der);
		crl_lint(buf_bytes(&der), TEST_NOW,
		    rule->source == LINT_HOUSE ? LINT_ALL : LINT_STANDARDS, &l);
		for (size_t k = 0; k < l.n; k++) {
			found |= l.v[k] == rule;
			if (l.v[k] != rule)
				snprintf(got + strlen(got),
				    sizeof(got) - strlen(got), "%s%s",
				    got[0] != '\0' ? " " : "", l.v[k]->id);
		}
		if (!found ||
		    strcmp(got, rows[i].also == NULL ? "" : rows[i].also) !=
			0) {
			print_error("row %s: %s, also: %s\n", rows[i].id,
			    found ? "found" : "not found", got);
			bad = true;
		}
	}
	assert_false(bad);
}

static void
each_rule_has_a_row(void **state)
{
	const struct lint_rule *r;
	size_t i, k;
	(void)state;
	for (i = 0; (r = crl_lint_rule(i)) != NULL; i++) {
		assert_true(r->id != NULL && strlen(r->say) > 10);
		for (k = 0; k < ARRAY_LEN(rows); k++) {
			if (strcmp(rows[k].id, r->id) == 0)
				break;
		}
		if (k == ARRAY_LEN(rows))
			fail_msg("no row for %s", r->id);
	}
}

static void
good_ones(void **state)
{
	static const struct row good[] = {
		{ .id = "plain" },
		{ .id = "two",
		    .entries = "30{" ENTRY("") "30{02:06 " OLD "30{" X("21",
			"0a:04") X("24", "18'20261101000000Z'") "}}}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct buf der AUTO_BUF = BUF(1 << 16);
		struct crl c;
		struct err e;
		struct lint l;
		row_der(&good[i], &der);
		OK(crl_parse(buf_bytes(&der), &c, &e), &e);
		crl_lint(buf_bytes(&der), TEST_NOW, LINT_ALL, &l);
		ROW(l.n == 0, good[i].id);
	}
	struct lint l;
	crl_lint(BYTES_NONE, TEST_NOW, LINT_ALL, &l);
	assert_true(l.n == 1 && l.errors == 1);
	assert_string_equal(l.v[0]->id, "lint-crl-form");
}

static void
compare(const char *path, struct bytes got)
{
	struct buf want AUTO_BUF = BUF(1 << 20);
	uint8_t block[4096];
	size_t n;
	FILE *f;
	if (getenv("RENEW") != NULL) {
		f = fopen(path, "wb");
		assert_non_null(f);
		assert_int_equal(fwrite(got.p, 1, got.len, f), got.len);
		assert_int_equal(fclose(f), 0);
	}
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s is missing; RENEW=1 writes it", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(&want, block, n);
	fclose(f);
	if (!bytes_eq(got, buf_bytes(&want)))
		fail_msg("%s differs; RENEW=1 writes it", path);
}

static void
corpus(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(1 << 16);
		char path[512];
		snprintf(path, sizeof(path), "%s%s.der", CORPUS, rows[i].id);
		for (char *p = path + strlen(CORPUS); *p != '\0'; p++)
			*p = *p == '-' ? '_' : *p;
		row_der(&rows[i], &der);
		compare(path, buf_bytes(&der));
	}
}

static void
reference_page(void **state)
{
	struct buf page AUTO_BUF = BUF(1 << 20);
	(void)state;
	buf_puts(&page, "# Lint: every rule for CRLs\n\n"
			"Made from the table in `crl/lint_rules.c` by "
			"`test_crl_lint` with `RENEW=1`. Read by `refrendo "
			"lint`; those for\ncertificates are in "
			"[lint.md](lint.md).\n\n");
	lint_reference(&page, crl_lint_rule);
	compare(SOURCE_DIR "/doc/lint-crl.md", buf_bytes(&page));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(each_rule),
		cmocka_unit_test(each_rule_has_a_row),
		cmocka_unit_test(corpus),
		cmocka_unit_test(reference_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
