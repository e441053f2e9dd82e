/*
 * Lint: for each rule a certificate that breaks it and as little else as can
 * be.  The certificates are files of the fuzz corpus too, where interop tests
 * find them; RENEW=1 writes them and doc/lint.md, for review as a diff.
 */
#include "unit/der_text.h"

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/cert/"

/* --- Parts ------------------------------------------------------------------------- */

#define ATTR(oid, tag, text) "31{30{06@" oid " " tag "'" text "'}}"
#define CL                   ATTR("2.5.4.6", "13", "CL")
#define ORG                  ATTR("2.5.4.10", "0c", "Municipalidad de Ejemplo")
#define TITLE                ATTR("2.5.4.12", "0c", "Alcaldesa")
#define NUMBER               ATTR("2.5.4.5", "13", "12345678-5")
#define GIVEN                ATTR("2.5.4.42", "0c", "Ana")
#define SURNAME              ATTR("2.5.4.4", "0c", "Soto")
#define CN                   ATTR("2.5.4.3", "0c", "Ana Soto")
#define EMAIL(s)             ATTR("1.2.840.113549.1.9.1", "16", s)
#define NAME(s)              "30{" s "}"
#define CA_NAME              NAME(CL ORG ATTR("2.5.4.3", "0c", "Emisora de Ejemplo"))
#define ROOT_NAME            NAME(CL ORG ATTR("2.5.4.3", "0c", "Raiz de Ejemplo"))
#define HOLDER               NAME(CL ORG TITLE NUMBER GIVEN SURNAME CN)

#define ECDSA_256            "30{06@1.2.840.10045.4.3.2}"
#define RSA_256              "30{06@1.2.840.113549.1.1.11 05}"
/* Of a private key that nobody kept. */
#define P256_KEY                                                               \
	"30{30{06@1.2.840.10045.2.1 06@1.2.840.10045.3.1.7} "                  \
	"03:"                                                                  \
	"0004f61cba396e50768bd30a63d80031fcad926d81f0592628d791f02af880d3558e" \
	"f4d6241589d37f16f55dc70b2fc7929bd159100215163211949ff078ba27b052}"
#define KEY_ID     "0102030405060708090a0b0c0d0e0f1011121314"
#define ISSUER_ID  "1112131415161718191a1b1c1d1e1f2021222324"

#define BASIC      "2.5.29.19"
#define USAGE      "2.5.29.15"
#define EKU        "2.5.29.37"
#define SKI        "2.5.29.14"
#define AKI        "2.5.29.35"
#define POLICIES   "2.5.29.32"
#define SAN        "2.5.29.17"
#define IAN        "2.5.29.18"
#define CRLDP      "2.5.29.31"
#define AIA        "1.3.6.1.5.5.7.1.1"
#define QC         "1.3.6.1.5.5.7.1.3"
#define NOCHECK    "1.3.6.1.5.5.7.48.1.5"
#define NC         "2.5.29.30"
#define MAPPINGS   "2.5.29.33"
#define PC         "2.5.29.36"
#define FRESHEST   "2.5.29.46"
#define INHIBIT    "2.5.29.54"
#define NOREV      "2.5.29.56"
#define SIA        "1.3.6.1.5.5.7.1.11"
#define DIRECTORY  "2.5.29.9"
#define PERIOD     "2.5.29.16"

#define PURPOSE(n) "06@1.3.6.1.5.5.7.3." n " "
#define EMAIL_EKU  PURPOSE("4")
#define ENDORSING  "06@2.25.295227800890228242059973903580110891240 "
#define RUT        "a0{06@1.3.6.1.4.1.8321.1 a0{16'12345678-5'}}"
#define MAILBOX    "81'ana@municipio.example.cl'"
#define URLS(s)    "30{a0{a0{86'" s "'}}}"
#define OCSP(s)    "30{06@1.3.6.1.5.5.7.48.1 " s "}"
#define ISSUERS(s) "30{06@1.3.6.1.5.5.7.48.2 " s "}"
#define POLICY     "06@2.16.152.1.3.1 "
#define ANY_POLICY "06@2.5.29.32.0 "
#define CPS(s)     "30{06@1.3.6.1.5.5.7.2.1 " s "}"
#define NOTICE(s)  "30{06@1.3.6.1.5.5.7.2.2 30{" s "}}"

/* Extensions in their order; ! before the identifier says critical. */
struct part {
	const char *what, *text;
};

#define PARTS_MAX 16

/* clang-format off */
static const struct part holder_parts[PARTS_MAX] = {
	{ "serial", "02:0193102030405060708090a0b0c0d0e0f0112233" },
	{ "inner", ECDSA_256 }, { "issuer", CA_NAME },
	{ "validity", "30{17'261118110640Z' 17'281117110639Z'}" },
	{ "subject", HOLDER }, { "key", P256_KEY },
	{ "!" BASIC, "30{}" }, { "!" USAGE, "03:06c0" },
	{ EKU, "30{" EMAIL_EKU PURPOSE("2") "}" },
	{ SKI, "04:" KEY_ID }, { AKI, "30{80:" ISSUER_ID "}" },
	{ POLICIES, "30{30{" POLICY "30{" CPS("16'http://estado.example.cl/cps'") NOTICE("0c'Firma'") "}}}" },
	{ SAN, "30{" RUT MAILBOX "}" },
	{ IAN, "30{a0{06@1.3.6.1.4.1.8321.2 a0{16'60100003-2'}}}" },
	{ CRLDP, "30{" URLS("http://crl.example.cl/1.crl") "}" },
	{ AIA, "30{" OCSP("86'http://ocsp.example.cl/'") ISSUERS("86'http://ca.example.cl/1.cer'") "}" },
};
static const struct part ca_parts[PARTS_MAX] = {
	{ "serial", "02:0193102030405060708090a0b0c0d0e0f0112233" },
	{ "inner", ECDSA_256 }, { "issuer", ROOT_NAME },
	{ "validity", "30{17'261118110640Z' 17'361118110639Z'}" },
	{ "subject", CA_NAME }, { "key", P256_KEY },
	{ "!" BASIC, "30{01:ff 02:00}" }, { "!" USAGE, "03:0106" },
	{ SKI, "04:" ISSUER_ID }, { AKI, "30{80:" KEY_ID "}" },
	{ CRLDP, "30{" URLS("http://crl.example.cl/0.crl") "}" },
};
static const struct part root_parts[PARTS_MAX] = {
	{ "serial", "02:0193102030405060708090a0b0c0d0e0f0112233" },
	{ "inner", ECDSA_256 }, { "issuer", ROOT_NAME },
	{ "validity", "30{17'261118110640Z' 17'461118110639Z'}" },
	{ "subject", ROOT_NAME }, { "key", P256_KEY },
	{ "!" BASIC, "30{01:ff}" }, { "!" USAGE, "03:0106" },
	{ SKI, "04:" ISSUER_ID }, { AKI, "30{80:" ISSUER_ID "}" },
};
static const struct part ocsp_parts[PARTS_MAX] = {
	{ "serial", "02:0193102030405060708090a0b0c0d0e0f0112233" },
	{ "inner", ECDSA_256 }, { "issuer", CA_NAME },
	{ "validity", "30{17'261118110640Z' 17'261218110639Z'}" },
	{ "subject", NAME(CL ORG ATTR("2.5.4.3", "0c", "OCSP")) }, { "key", P256_KEY },
	{ "!" BASIC, "30{}" }, { "!" USAGE, "03:0780" },
	{ EKU, "30{" PURPOSE("9") "}" },
	{ SKI, "04:" KEY_ID }, { AKI, "30{80:" ISSUER_ID "}" }, { NOCHECK, "05" },
};
static const struct part endorser_parts[PARTS_MAX] = {
	{ "serial", "02:0193102030405060708090a0b0c0d0e0f0112233" },
	{ "inner", ECDSA_256 }, { "issuer", CA_NAME },
	{ "validity", "30{17'261118110640Z' 17'281117110639Z'}" },
	{ "subject", HOLDER }, { "key", P256_KEY },
	{ "!" BASIC, "30{}" }, { "!" USAGE, "03:06c0" },
	{ "!" EKU, "30{" ENDORSING "}" },
	{ SKI, "04:" KEY_ID }, { AKI, "30{80:" ISSUER_ID "}" }, { SAN, "30{" RUT "}" },
};
static const struct part *const base[] = {
	[LINT_ROOT] = root_parts, [LINT_CA] = ca_parts, [LINT_HOLDER] = holder_parts,
	[LINT_ENDORSER] = endorser_parts, [LINT_OCSP] = ocsp_parts,
};
/* clang-format on */

/* --- Composing ------------------------------------------------------------------------ */

static const char *
text_of(const struct part *parts, const char *what)
{
	size_t i;

	for (i = 0; i < 2 * PARTS_MAX; i++) {
		if (parts[i].what != NULL && strcmp(parts[i].what, what) == 0)
			return parts[i].text;
	}
	return "";
}

static const char *
plain(const char *what)
{
	return what[0] == '!' ? what + 1 : what;
}

/* Takes the place of the part with that name, or stands behind the others. */
static void
set_part(struct part *parts, const char *what, const char *text)
{
	size_t i;

	for (i = 0; i < 2 * PARTS_MAX; i++) {
		if (parts[i].what == NULL ||
		    (what[0] != '+' &&
			strcmp(plain(parts[i].what), plain(what)) == 0)) {
			parts[i].what = what[0] == '+' ? what + 1 : what;
			parts[i].text = text;
			return;
		}
	}
	fail_msg("too many parts");
}

static void
put_extension(struct buf *out, const struct part *p)
{
	struct buf value AUTO_BUF = BUF(1 << 16), in AUTO_BUF = BUF(1 << 16);
	struct oid oid;
	struct err e;

	der_text(&value, p->text);
	OK(oid_parse(bytes_str(plain(p->what)), &oid, &e), &e);
	der_text_put(&in, DER_OID, oid_bytes(&oid));
	if (p->what[0] == '!')
		buf_put(&in, "\x01\x01\xff", 3);
	der_text_put(&in, DER_OCTET_STRING, buf_bytes(&value));
	der_text_put(out, DER_SEQUENCE, buf_bytes(&in));
}

static void
compose(const struct part *parts, struct buf *out)
{
	static const char *const fields[] = { "inner", "issuer", "validity",
		"subject", "key", "unique" };
	struct buf exts AUTO_BUF = BUF(1 << 16), list AUTO_BUF = BUF(1 << 16);
	struct buf tbs AUTO_BUF = BUF(1 << 16), all AUTO_BUF = BUF(1 << 16);
	const char *outer = text_of(parts, "outer");
	size_t i;

	der_text(&tbs, "a0{02:02}");
	der_text(&tbs, text_of(parts, "serial"));
	for (i = 0; i < ARRAY_LEN(fields); i++)
		der_text(&tbs, text_of(parts, fields[i]));
	for (i = 0; i < 2 * PARTS_MAX && parts[i].what != NULL; i++) {
		const char *what = plain(parts[i].what);

		if (what[0] >= '0' && what[0] <= '9' && parts[i].text != NULL)
			put_extension(&exts, &parts[i]);
	}
	der_text_put(&list, DER_SEQUENCE, buf_bytes(&exts));
	der_text_put(&tbs, DER_CONTEXT_CONS(3), buf_bytes(&list));
	der_text_put(&all, DER_SEQUENCE, buf_bytes(&tbs));
	der_text(&all, outer[0] != '\0' ? outer : text_of(parts, "inner"));
	der_text(&all, "03:003006020101020101");
	der_text_put(out, DER_SEQUENCE, buf_bytes(&all));
}

/* --- Rows -------------------------------------------------------------------------------- */

struct row {
	const char *id;
	enum lint_kind kind;
	struct part edit[3];
	const char *also; /* what such a certificate breaks besides */
};

#include "unit/pkix_lint_rows.h"

static void
row_der(const struct row *r, struct buf *out)
{
	struct part parts[2 * PARTS_MAX] = { { NULL, NULL } };
	size_t i;

	memcpy(parts, base[r->kind], sizeof(struct part) * PARTS_MAX);
	for (i = 0; i < ARRAY_LEN(r->edit) && r->edit[i].what != NULL; i++)
		set_part(parts, r->edit[i].what, r->edit[i].text);
	compose(parts, out);
}

static void
lint_der(struct bytes der, enum lint_kind kind, enum lint_scope scope,
    struct lint *out)
{
	struct cert c;
	struct err e;

	if (cert_parse(der, &c, &e) != ERR_OK)
		assert_true(cert_skim(der, &c));
	cert_lint(&c, kind, scope, out);
}

static const struct lint_rule *
rule_named(const char *id)
{
	const struct lint_rule *r;
	size_t i;

	for (i = 0; (r = cert_lint_rule(i)) != NULL; i++) {
		if (strcmp(r->id, id) == 0)
			return r;
	}
	fail_msg("no rule has the id %s", id);
	return NULL;
}

/* Every finding is the rule's or one of those that go with it. */
static void
each_rule(void **state)
{
	size_t i, k;
	bool bad = false;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct lint_rule *rule = rule_named(r->id);
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		char want[600], got[600] = " ";
		struct lint l;

		row_der(r, &der);
		lint_der(buf_bytes(&der), r->kind,
		    rule->source == LINT_HOUSE ? LINT_ALL : LINT_STANDARDS, &l);
		for (k = 0; k < l.n; k++) {
			if (l.v[k] != rule)
				snprintf(got + strlen(got),
				    sizeof(got) - strlen(got), "%s ",
				    l.v[k]->id);
		}
		snprintf(want, sizeof(want), " %s%s",
		    r->also == NULL ? "" : r->also, r->also == NULL ? "" : " ");
		for (k = 0; k < l.n && l.v[k] != rule; k++)
			;
		if (k == l.n || strcmp(got, want) != 0) {
			print_error("row %s: %s, also:%s\n", r->id,
			    k == l.n ? "not found" : "found", got);
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
	bool bad = false;

	(void)state;
	for (i = 0; (r = cert_lint_rule(i)) != NULL; i++) {
		assert_non_null(r->id);
		assert_true(strlen(r->say) > 10 && r->field != NULL);
		assert_true(r->kinds != 0);
		for (k = 0; k < ARRAY_LEN(rows); k++) {
			if (strcmp(rows[k].id, r->id) == 0)
				break;
		}
		if (k == ARRAY_LEN(rows)) {
			print_error("no row for %s\n", r->id);
			bad = true;
		}
	}
	assert_false(bad);
	assert_true(i >= 90 && i <= LINT_MAX);
}

static void
bases_are_clean(void **state)
{
	size_t kind;

	(void)state;
	for (kind = 0; kind < ARRAY_LEN(base); kind++) {
		struct row r = { .kind = (enum lint_kind)kind };
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert c;
		struct lint l;
		struct err e;

		row_der(&r, &der);
		OK(cert_parse(buf_bytes(&der), &c, &e), &e);
		cert_lint(&c, r.kind, LINT_ALL, &l);
		if (l.n > 0)
			fail_msg("kind %zu: %s", kind, l.v[0]->id);
		assert_int_equal(lint_guess(&c), r.kind);
	}
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

/* lint_serial_size.der of the first row of lint-serial-size. */
static void
corpus(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		char path[512], *p;

		if (i > 0 && strcmp(rows[i - 1].id, rows[i].id) == 0)
			continue;
		snprintf(path, sizeof(path), "%s%s.der", CORPUS, rows[i].id);
		for (p = path + strlen(CORPUS); *p != '\0'; p++)
			*p = *p == '-' ? '_' : *p;
		row_der(&rows[i], &der);
		compare(path, buf_bytes(&der));
	}
}

/* A rule with a date does not judge what began before it. */
static void
dates(void **state)
{
	static const char *const before[] = { "30{17'160929000000Z' "
					      "17'170929000000Z'}",
		"30{17'160930000000Z' 17'170930000000Z'}" };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_LEN(before); i++) {
		struct row r = { .kind = LINT_HOLDER,
			.edit = { { "serial", "02:01" },
			    { "validity", before[i] } } };
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		bool found = false;
		struct lint l;

		row_der(&r, &der);
		lint_der(buf_bytes(&der), r.kind, LINT_STANDARDS, &l);
		for (k = 0; k < l.n; k++)
			found |= strcmp(l.v[k]->id, "lint-serial-entropy") == 0;
		assert_int_equal(found, i == 1);
	}
}

static void
verdict(void **state)
{
	const struct lint_rule *twice = rule_named("lint-eku-twice");
	const struct lint_rule *is_ca = rule_named("lint-is-ca");
	const struct lint_rule *not_ca = rule_named("lint-not-ca");
	struct lint l = { .v = { twice }, .n = 1 };
	struct err e;

	(void)state;
	OK(lint_verdict(&l, &e), &e);
	l = (struct lint){ .v = { twice, is_ca, not_ca }, .n = 3, .errors = 2 };
	refused("two errors", lint_verdict(&l, &e), &e, ERR_DENIED,
	    "lint-is-ca", "which only a CA may");
	assert_string_equal(e.rule, "RFC 5280 4.2.1.9");
	assert_string_equal(e.where.field, "basicConstraints");
	assert_non_null(strstr(e.why, "does not say that it is one"));
}

static void
skim_refuses(void **state)
{
	struct cert c;

	(void)state;
	assert_false(cert_skim(BYTES_NONE, &c));
	assert_false(cert_skim(bytes_str("-----BEGIN"), &c));
}

static void
reference_page(void **state)
{
	struct buf page AUTO_BUF = BUF(1 << 20);

	(void)state;
	buf_puts(&page,
	    "# Lint: every rule for certificates\n\n"
	    "Made from the table in `pkix/lint_rules.c` by `test_pkix_lint` "
	    "with `RENEW=1`. Errors block issuance, warnings are\nrecorded in "
	    "the log beside the request. A rule with a date is for what "
	    "begins on it or later. Rules of the house are\nthose of the "
	    "profiles of Refrendo; `refrendo lint` leaves them out unless a "
	    "profile is named. Those for CRLs are in\n"
	    "[lint-crl.md](lint-crl.md).\n\n");
	lint_reference(&page, cert_lint_rule);
	compare(SOURCE_DIR "/doc/lint.md", buf_bytes(&page));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bases_are_clean),
		cmocka_unit_test(each_rule),
		cmocka_unit_test(each_rule_has_a_row),
		cmocka_unit_test(corpus),
		cmocka_unit_test(dates),
		cmocka_unit_test(verdict),
		cmocka_unit_test(skim_refuses),
		cmocka_unit_test(reference_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
