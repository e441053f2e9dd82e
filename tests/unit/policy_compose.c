/*
 * Bases and what extends them: what is inherited, what may only narrow, and
 * the sentence for each way of widening.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

/* Line numbers count. */
#define STATE                                                                  \
	"policy: estado\n"                                                     \
	"version: 3\n"                                                         \
	"base: true\n"                                                         \
	"issuer: emisora\n"                                                    \
	"subject: {C: CL, CN: \"{person.name}\", serialNumber: "               \
	"\"{person.run}\", emailAddress: \"{person.email}\"}\n"                \
	"names: {subject_alt: [{email: \"{person.email}\"}]}\n"                \
	"keys: {allowed: [ec-p256, ec-p384]}\n"                                \
	"validity: {default: 1y, max: 2y, renew_window: 30d}\n"                \
	"usage: {key: [digitalSignature, nonRepudiation], extended: "          \
	"[clientAuth, emailProtection]}\n"                                     \
	"endorsement: {request_ttl: 10d}\n"                                    \
	"revocation: {holder: propose, operator: propose, suspend_max: 30d}\n" \
	"status: {ocsp: {validity: 2d}}\n"
#define HEAD "policy: fina\nversion: 1\nextends: estado@3\n"

/* Conditions of a chain: a file between the base and the last, and the last. */
#define WHEN(name, base, when)                         \
	"policy: " name "\nversion: 1\nextends: " base \
	"\nholders: {when: '" when "'}\n"
#define MIDDLE(when) WHEN("media", "estado@3", when)
#define LAST(when)   WHEN("x", "media@1", when)
#define NINE(ten)                                                        \
	"\"" ten "1\", \"" ten "2\", \"" ten "3\", \"" ten "4\", \"" ten \
	"5\", \"" ten "6\", \"" ten "7\", \"" ten "8\", \"" ten "9\""
/* 29, 32 and 31 operations. */
#define IN_27 "person.run in [" NINE("") ", " NINE("1") ", " NINE("2") "]"
#define IN_30                                                \
	"person.run in [" NINE("") ", " NINE("1") ", " NINE( \
	    "2") ", \"10\", \"20\", \"30\"]"
#define IN_29                                                \
	"person.run in [" NINE("") ", " NINE("1") ", " NINE( \
	    "2") ", \"10\", \"20\"]"
#define NOTS_4 "not not not not "
#define LEVELS_16 \
	"now > 2026-01-01 or " NOTS_4 NOTS_4 NOTS_4 NOTS_4 "now > 2026-02-01"
#define X_60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
/* 510 octets, and with " and " between two of them one too many. */
#define OCTETS_510                                                  \
	"person.name != \"" X_60 X_60 X_60 X_60 X_60 X_60 X_60 X_60 \
	"1234567890123\""

static const struct ceilings law = {
	.validity_max_s = 1095 * DAY,
	.backdate_max_s = HOUR,
	.keys = 0x1f,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.names = 1u << 0 | 1u << 1, /* otherName, e-mail */
	.qc_statements = true,
	.statement_max_s = 72 * HOUR,
	.ocsp_max_s = 4 * DAY,
	.crl_max_s = 7 * DAY,
};

static struct policy_set *
load(const char *const *texts, size_t n, struct findings *f)
{
	static const char *const names[] = { "a.yaml", "b.yaml", "c.yaml",
		"d.yaml", "e.yaml", "f.yaml" };
	struct policy_file files[6];
	struct policy_set *set = NULL;

	for (size_t i = 0; i < n; i++)
		files[i] =
		    (struct policy_file){ names[i], bytes_str(texts[i]) };
	policy_load(files, n, &law, &set, f);
	assert_true((set == NULL) == (f->errors > 0));
	return set;
}

/* clang-format off */
static const struct {
	const char *name, *own; /* after HEAD */
	uint32_t line, col, width;
	const char *id, *field, *say, *hint;
} widened[] = {
	{ "longer", "validity: {max: 3y}\n", 4, 17, 2, "policy-narrow-longer", "validity.max",
	  "3y is longer than the 2y of estado", "write 2y or less, or delete the key" },
	{ "a default of the base", "revocation: {suspend_max: 31d}\n", 4, 27, 3, "policy-narrow-longer", "revocation.suspend_max",
	  "31d is longer than the 30d of estado", NULL },
	{ "longer than what the base leaves out", "validity: {backdate: 1s}\n", 4, 22, 2, "policy-narrow-longer", NULL,
	  "1s is longer than the 0s of estado", "write 0s or less, or delete the key" },
	{ "another key", "keys: {allowed: [ec-p256, rsa-3072]}\n", 4, 27, 8, "policy-narrow-word", "keys.allowed[2]",
	  "rsa-3072 is not among those of estado: ec-p256, ec-p384", "delete it" },
	{ "reuse", "keys: {reuse: same-person}\n", 4, 15, 11, "policy-narrow-looser", "keys.reuse",
	  "same-person is looser than the forbid of estado", "write forbid or what is stricter, or delete the key" },
	{ "mandates with a new key", "endorsement: {renewal: mandate-rekey}\n", 4, 24, 13, "policy-narrow-looser", "endorsement.renewal", NULL, NULL },
	{ "less for the holder", "revocation: {holder: none}\n", 4, 22, 4, "policy-narrow-less", "revocation.holder",
	  "none is less than the propose of estado", "write propose or more, or delete the key" },
	{ "more for the operator", "revocation: {operator: immediate}\n", 4, 24, 9, "policy-narrow-looser", NULL, NULL, NULL },
	{ "another issuer", "issuer: otra\n", 4, 9, 4, "policy-narrow-fixed", "issuer",
	  "estado has set this to something else, and what extends it cannot change it", "write emisora, or delete the key" },
	{ "another subject", "subject: {C: CL, CN: \"{person.name}\", serialNumber: \"{person.run}\", emailAddress: \"x@example.cl\"}\n",
	  4, 10, 0, "policy-narrow-kept", "subject",
	  "emailAddress of estado is missing here, or says something else", "repeat it as it is in estado, or delete the key" },
	{ "a name less", "names: {subject_alt: []}\n", 4, 22, 2, "policy-narrow-kept", "names.subject_alt",
	  "entry 1 of estado is missing here, or says something else", NULL },
	{ "CRL at leisure", "status: {crl: {every: 7h}}\n", 4, 23, 2, "policy-narrow-longer", NULL,
	  "7h is longer than the 6h of estado", NULL },
	{ "revocation in silence", "status: {crl: {on_revoke: false}}\n", 4, 27, 5, "policy-narrow-less", NULL,
	  "false is less than the true of estado", NULL },
	/* A mistake that only the two together make stands at extends. */
	{ "default of the base over the max here", "validity: {max: 90d}\n", 3, 10, 8, "policy-default-over-max", "validity.default",
	  "the default of 1y is longer than the max of 90d", NULL },
};

static const struct {
	const char *name, *texts[6];
	const char *file, *id, *say, *hint;
} chains[] = {
	{ "no such base", { HEAD }, "a.yaml", "policy-base-missing", "no file has the policy estado", "add its file: a base stands beside what extends it" },
	{ "mistyped", { STATE, "policy: x\nversion: 1\nextends: estdo@3\n" }, "b.yaml", "policy-base-missing", "no file has the policy estdo", "did you mean estado?" },
	{ "another version", { STATE, "policy: x\nversion: 1\nextends: estado@2\n" }, "b.yaml", "policy-base-version",
	  "the files have estado in version 3, not in version 2", "look at what changed, then write estado@3" },
	{ "no version", { STATE, "policy: x\nversion: 1\nextends: estado\n" }, "b.yaml", "policy-extends-form",
	  "estado does not name a policy and its version", "write name@version, as in estado-base@3" },
	{ "version zero", { STATE, "policy: x\nversion: 1\nextends: estado@0\n" }, "b.yaml", "policy-extends-form", NULL, NULL },
	{ "itself", { "policy: x\nversion: 1\nextends: x@1\n" }, "a.yaml", "policy-base-cycle", "the policy extends itself, by way of x@1", "delete extends in one of them" },
	{ "each other", { "policy: x\nversion: 1\nextends: z@1\n", "policy: z\nversion: 1\nextends: x@1\n" }, "b.yaml", "policy-base-cycle", NULL, NULL },
	{ "five in a row", { "policy: p5\nversion: 1\nextends: p4@1\n", "policy: p4\nversion: 1\nextends: p3@1\n", "policy: p3\nversion: 1\nextends: p2@1\n",
	  "policy: p2\nversion: 1\nextends: estado@3\n", STATE }, "a.yaml", "policy-base-deep", "more than 4 policies extend each other in a row", NULL },
	{ "conditions of 65 operations together", { STATE, MIDDLE(IN_30), LAST(IN_30) }, "c.yaml", "policy-when-large",
	  "with what media asks the condition is larger than one may be: 64 facts, values and operators, 1024 octets, 16 levels",
	  "shorten it, or move part of it to conditions" },
	{ "three of them", { STATE, MIDDLE(IN_27), WHEN("media2", "media@1", IN_27), WHEN("x", "media2@1", IN_27) }, "d.yaml", "policy-when-large", NULL, NULL },
	{ "1025 octets together", { STATE, MIDDLE(OCTETS_510), LAST(OCTETS_510) }, "c.yaml", "policy-when-large", NULL, NULL },
	{ "17 levels together", { STATE, MIDDLE(LEVELS_16), LAST("now > 2026-01-01") }, "c.yaml", "policy-when-large", NULL, NULL },
};
/* clang-format on */

static bool
same(const char *want, const char *got)
{
	return want == NULL || strcmp(want, got) == 0;
}

static const struct finding *
find_id(const struct findings *f, const char *id)
{
	for (size_t i = 0; i < f->len; i++) {
		if (strcmp(f->v[i].err.id, id) == 0)
			return &f->v[i];
	}
	return NULL;
}

static void
widening_by_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(widened); i++) {
		struct buf own AUTO_BUF = BUF(1 << 16);
		struct findings f = { NULL, 0, 0 };
		const struct finding *got;

		buf_puts(&own, HEAD);
		buf_puts(&own, widened[i].own);
		const char *texts[] = { STATE, buf_text(&own) };
		AUTO(policy_set) set = load(texts, 2, &f);
		got = find_id(&f, widened[i].id);
		if (set != NULL || got == NULL || f.len != 1 ||
		    strcmp(got->err.where.file, "b.yaml") != 0 ||
		    got->err.where.line != widened[i].line ||
		    got->err.where.col != widened[i].col ||
		    (widened[i].width != 0 && got->width != widened[i].width) ||
		    !same(widened[i].field, got->err.where.field) ||
		    !same(widened[i].say, got->err.say) ||
		    !same(widened[i].hint, got->hint))
			fail_msg("%s: %zu findings, first %s %u:%u+%u %s: %s "
				 "(%s)",
			    widened[i].name, f.len,
			    f.len > 0 ? f.v[0].err.id : "",
			    f.len > 0 ? f.v[0].err.where.line : 0,
			    f.len > 0 ? f.v[0].err.where.col : 0,
			    f.len > 0 ? f.v[0].width : 0,
			    f.len > 0 ? f.v[0].err.where.field : "",
			    f.len > 0 ? f.v[0].err.say : "",
			    f.len > 0 ? f.v[0].hint : "");
		findings_fini(&f);
	}
}

static void
chains_by_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
		struct findings f = { NULL, 0, 0 };
		const struct finding *got;
		size_t n = 0;

		while (n < 6 && chains[i].texts[n] != NULL)
			n++;
		AUTO(policy_set) set = load(chains[i].texts, n, &f);
		got = find_id(&f, chains[i].id);
		if (set != NULL || got == NULL || f.len != 1 ||
		    strcmp(got->err.where.file, chains[i].file) != 0 ||
		    !same(chains[i].say, got->err.say) ||
		    !same(chains[i].hint, got->hint))
			fail_msg("%s: %zu findings, first %s %s: %s (%s)",
			    chains[i].name, f.len,
			    f.len > 0 ? f.v[0].err.where.file : "",
			    f.len > 0 ? f.v[0].err.id : "",
			    f.len > 0 ? f.v[0].err.say : "",
			    f.len > 0 ? f.v[0].hint : "");
		findings_fini(&f);
	}
}

/* The order of files does not count, and each keeps its own hash. */
static void
inherits(void **state)
{
	static const char narrow[] =
	    HEAD "keys: {allowed: [ec-p384]}\n"
		 "subject: {C: CL, O: \"{institution.name}\", CN: "
		 "\"{person.name}\", serialNumber: \"{person.run}\", "
		 "emailAddress: \"{person.email}\"}\n"
		 "validity: {max: 400d}\n";
	const char *texts[] = { narrow, STATE,
		"policy: tercera\nversion: 9\nextends: fina@1\n"
		"validity: {default: 30d, renew_window: 5d}\n" };
	struct findings f = { NULL, 0, 0 };
	const struct policy *base, *p, *q;
	uint8_t hash[SHA256_LEN];

	(void)state;
	AUTO(policy_set) set = load(texts, 3, &f);
	for (size_t i = 0; i < f.len; i++)
		print_error("%s: %s\n", f.v[i].err.where.field, f.v[i].err.say);
	assert_non_null(set);
	assert_int_equal(f.len, 0);
	assert_int_equal(set->n, 3);
	p = &set->policy[0];
	base = &set->policy[1];
	q = &set->policy[2];
	assert_true(base->base);
	assert_null(base->extends);
	assert_false(p->base);
	assert_ptr_equal(p->extends, base);
	assert_ptr_equal(q->extends, p);
	assert_string_equal(p->issuer, "emisora");
	assert_int_equal(p->keys, 1u << KEY_EC_P384);
	assert_int_equal(p->max_s, 400 * DAY);
	assert_int_equal(p->default_s, 365 * DAY);
	assert_int_equal(p->renew_window_s, 30 * DAY);
	assert_int_equal(p->request_ttl_s, 10 * DAY);
	assert_int_equal(p->n_subject, 5);
	assert_int_equal(p->n_san, 1);
	assert_int_equal(q->max_s, 400 * DAY);
	assert_int_equal(q->default_s, 30 * DAY);
	assert_int_equal(q->n_subject, 5);
	assert_int_equal(q->ocsp_validity_s, 2 * DAY);
	sha256(hash, bytes_str(narrow));
	assert_memory_equal(p->sha256, hash, SHA256_LEN);
	assert_true(bytes_is(p->text, narrow));
	findings_fini(&f);
}

/*
 * What a base leaves to its defaults: its last day ends in UTC, so that a zone
 * further west would be later; what it has nothing of is open.
 */
static void
defaults_of_a_base(void **state)
{
	/* clang-format off */
	static const struct {
		const char *base, *own; /* in validity; behind HEAD */
		const char *id, *field;
	} rows[] = {
		{ ", ends: \"2027-12-31\"", "validity: {zone: \"-14:00\"}\n", "policy-narrow-fixed", "validity.zone" },
		{ ", ends: \"2027-12-31\"", "validity: {zone: \"-14:00\", ends: \"2027-12-31\"}\n", "policy-narrow-fixed", "validity.zone" },
		{ ", ends: \"2027-12-31\"", "validity: {zone: UTC, ends: \"2027-12-30\"}\n", NULL, NULL },
		{ ", ends: \"2027-12-31\"", "validity: {ends: \"2028-01-01\"}\n", "policy-narrow-later", "validity.ends" },
		{ "", "validity: {zone: America/Santiago, ends: \"2027-12-31\"}\n", NULL, NULL },
		{ "", "qc_statements: {compliance: true, limit: {currency: CLP, amount: 5, exponent: 6}}\n", NULL, NULL },
	};
	/* clang-format on */
	static const char validity[] = "renew_window: 30d";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf base AUTO_BUF = BUF(1 << 16);
		struct buf own AUTO_BUF = BUF(1 << 16);
		struct findings f = { NULL, 0, 0 };
		const char *at = strstr(STATE, validity) + strlen(validity);

		buf_put(&base, (const uint8_t *)STATE,
		    strlen(STATE) - strlen(at));
		buf_puts(&base, rows[i].base);
		buf_puts(&base, at);
		buf_puts(&own, HEAD);
		buf_puts(&own, rows[i].own);
		const char *texts[] = { buf_text(&base), buf_text(&own) };
		AUTO(policy_set) set = load(texts, 2, &f);
		if (f.errors != (rows[i].id != NULL) ||
		    (set == NULL) != (f.errors > 0) ||
		    (f.errors > 0 && (strcmp(f.v[0].err.id, rows[i].id) != 0 ||
					 strcmp(f.v[0].err.where.field,
					     rows[i].field) != 0)))
			fail_msg("%zu: %zu errors, first %s %s", i, f.errors,
			    f.len > 0 ? f.v[0].err.id : "",
			    f.len > 0 ? f.v[0].err.say : "");
		findings_fini(&f);
	}
}

/* What a chain asks of a holder is printed as one condition that loads. */
static void
when_of_a_chain(void **state)
{
	static const struct {
		const char *name, *texts[5];
		const char *print; /* NULL: whatever, as long as it loads */
	} rows[] = {
		{ "or in parentheses, and without",
		    { STATE, MIDDLE("person.run == \"1\" or now > 2026-01-01"),
			WHEN("media2", "media@1",
			    "person.run != \"2\" and person.name != \"\""),
			WHEN("x", "media2@1", "not person.run == \"3\"") },
		    "(person.run == \\\"1\\\" or now > 2026-01-01) and "
		    "person.run != \\\"2\\\" and person.name != \\\"\\\" "
		    "and not person.run == \\\"3\\\"" },
		{ "64 operations", { STATE, MIDDLE(IN_30), LAST(IN_29) },
		    NULL },
		{ "16 levels",
		    { STATE, MIDDLE("now > 2026-01-01 or now > 2026-02-01"),
			LAST(NOTS_4 NOTS_4 NOTS_4 NOTS_4 "now > 2026-01-01") },
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf once AUTO_BUF = BUF(1 << 20);
		struct buf twice AUTO_BUF = BUF(1 << 20);
		struct findings f = { NULL, 0, 0 };
		size_t n = 0;

		while (rows[i].texts[n] != NULL)
			n++;
		AUTO(policy_set) set = load(rows[i].texts, n, &f);
		if (set == NULL)
			fail_msg("%s: %s", rows[i].name, f.v[0].err.say);
		policy_print(&once, &set->policy[n - 1]);
		const char *text = buf_text(&once);
		AUTO(policy_set) again = load(&text, 1, &f);
		if (again == NULL)
			fail_msg("%s: %s", rows[i].name, f.v[0].err.say);
		policy_print(&twice, &again->policy[0]);
		assert_string_equal(buf_text(&once), buf_text(&twice));
		if (rows[i].print != NULL &&
		    strstr(text, rows[i].print) == NULL)
			fail_msg("%s: %s", rows[i].name, text);
		findings_fini(&f);
	}
}

/* A broken base is told of once, not again for all that extend it. */
static void
broken_base(void **state)
{
	const char *texts[] = { HEAD "validity: {max: 1y}\n",
		"policy: estado\nversion: 3\nisuer: x\n" };
	struct findings f = { NULL, 0, 0 };

	(void)state;
	AUTO(policy_set) set = load(texts, 2, &f);
	assert_null(set);
	for (size_t i = 0; i < f.len; i++)
		assert_string_equal(f.v[i].err.where.file, "b.yaml");
	findings_fini(&f);
}

static void
base_of(void **state)
{
	char name[POLICY_NAME_MAX];
	int64_t version = 0;

	(void)state;
	assert_true(policy_base_of(bytes_str(HEAD), name, &version));
	assert_string_equal(name, "estado");
	assert_int_equal(version, 3);
	assert_false(policy_base_of(bytes_str(STATE), name, &version));
	assert_false(policy_base_of(bytes_str("extends: x"), name, &version));
	assert_false(policy_base_of(bytes_str("["), name, &version));
}

/* What an auditor reads of a text that no set holds any more. */
static void
consent_of(void **state)
{
	static const struct {
		const char *text;
		bool want;
		int64_t required, renewal;
		const char *base;
	} rows[] = {
		{ "policy: x\n", true, 0, -1, "" },
		{ "endorsement: {required: 3}\n", true, 3, -1, "" },
		{ "extends: estado@3\nendorsement: {renewal: mandate}\n", true,
		    0, RENEWAL_MANDATE, "estado" },
		{ "endorsement: {renewal: mandate-rekey}\n", true, 0,
		    RENEWAL_REKEY, "" },
		{ "endorsement:\n  renewal: fresh\n  required: 1\n", true, 1,
		    RENEWAL_FRESH, "" },
		{ "of: {a: later, version: 9}\n", true, 0, -1, "" },
		{ "endorsement: {required: 0}\n", false, 0, 0, NULL },
		{ "endorsement: {required: 5}\n", false, 0, 0, NULL },
		{ "endorsement: {required: \"2\"}\n", false, 0, 0, NULL },
		{ "endorsement: {renewal: never}\n", false, 0, 0, NULL },
		{ "endorsement: {required: 1, required: 2}\n", false, 0, 0,
		    NULL },
		{ "endorsement: {required: 1}\nendorsement: {}\n", false, 0, 0,
		    NULL },
		{ "endorsement: 2\n", false, 0, 0, NULL },
		{ "extends: estado\n", false, 0, 0, NULL },
		{ "- endorsement\n", false, 0, 0, NULL },
		{ "endorsement: {required: 1", false, 0, 0, NULL },
		{ "", false, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_consent c;
		print_message("%s\n", rows[i].text);
		assert_int_equal(policy_consent_of(bytes_str(rows[i].text), &c),
		    rows[i].want);
		if (!rows[i].want)
			continue;
		assert_int_equal(c.required, rows[i].required);
		assert_int_equal(c.renewal, rows[i].renewal);
		assert_string_equal(c.base, rows[i].base);
		assert_int_equal(c.base_version, *c.base != 0 ? 3 : 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widening_by_row),
		cmocka_unit_test(chains_by_row),
		cmocka_unit_test(inherits),
		cmocka_unit_test(defaults_of_a_base),
		cmocka_unit_test(when_of_a_chain),
		cmocka_unit_test(broken_base),
		cmocka_unit_test(base_of),
		cmocka_unit_test(consent_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
