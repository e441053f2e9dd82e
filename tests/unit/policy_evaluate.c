/*
 * One request against one policy: verdicts in order, and the certificate that
 * results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

#define NOW INT64_C(1795514400) /* 2026-11-24T10:00:00Z */

static const struct ceilings law = {
	.validity_max_s = 1096 * DAY,
	.backdate_max_s = HOUR,
	.keys = 1u << KEY_EC_P256 | 1u << KEY_RSA_3072,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.names = UINT16_MAX,
	.extension = { { { { 0x2a, 0x03 }, 2 }, true } }, /* 1.2.3 */
	.n_extension = 1,
	.statement_max_s = 72 * HOUR,
	.ocsp_max_s = 10 * DAY,
	.crl_max_s = 10 * DAY,
};

static struct policy_set *
policy_of(const char *validity)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	struct findings f = { NULL, 0, 0 };
	struct policy_set *set = NULL;

	buf_puts(&text,
	    "policy: one\nversion: 1\nissuer: emisora\n"
	    "subject: {C: CL, O: \"{institution.name}\", title: "
	    "\"{person.office}\", serialNumber: \"{person.run}\", CN: "
	    "\"{person.name}\", emailAddress: \"{person.email}\"}\n"
	    "names: {subject_alt: [{other: 1.3.6.1.4.1.8321.1, ia5: "
	    "\"{person.run}\"}, {email: \"{person.email}\"}, {other: 1.2.3, "
	    "ia5: \"{person.office}\"}], issuer_alt: "
	    "[{other: 1.3.6.1.4.1.8321.2, ia5: \"{institution.rut}\"}]}\n"
	    "certificate_policies: [{oid: 2.16.152.1.3.1, cps: "
	    "\"http://x.cl/cps\", notice: \"nada\"}]\n"
	    "keys: {allowed: [ec-p256, rsa-3072]}\n"
	    "usage: {key: [digitalSignature, nonRepudiation], extended: "
	    "[emailProtection, clientAuth]}\n");
	buf_putf(&text, "validity: %s\n", validity);
	struct policy_file file = { "one.yaml", buf_bytes(&text) };
	policy_load(&file, 1, &law, &set, &f);
	if (set == NULL)
		fail_msg("%s", f.v[0].err.say);
	findings_fini(&f);
	return set;
}

static struct policy_facts
good_facts(void)
{
	struct policy_facts f = { .key = KEY_EC_P256,
		.now = NOW,
		.issuer_not_after = NOW + 3650 * DAY };

	f.fact[FACT_PERSON_RUN] = bytes_str("12345678-5");
	f.fact[FACT_PERSON_NAME] = bytes_str("Mar\xc3\xad"
					     "a Soto");
	f.fact[FACT_PERSON_OFFICE] = bytes_str("Jefa de Gabinete");
	f.fact[FACT_PERSON_EMAIL] = bytes_str("maria.soto@example.cl");
	f.fact[FACT_INSTITUTION_NAME] = bytes_str("Servicio de Prueba Sur");
	f.fact[FACT_INSTITUTION_RUT] = bytes_str("60100003-2");
	return f;
}

static void
all_pass(void **state)
{
	static const char *const rules[] = { "person.run", "person.name",
		"person.office", "person.email", "institution.name",
		"institution.rut", "keys.allowed", "validity.max",
		"issuer.not_after", "subject", "names.subject_alt",
		"names.issuer_alt" };
	AUTO(policy_set) set = policy_of("{default: 2y, max: 3y}");
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = good_facts();
	struct cert_spec spec = { .serial = bytes_str("kept"), .is_ca = true };
	struct verdicts v;
	char name[256];

	(void)state;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_int_equal(v.failed, 0);
	assert_int_equal(v.len, ARRAY_LEN(rules));
	for (size_t i = 0; i < v.len; i++) {
		assert_true(v.v[i].passed);
		assert_string_equal(v.v[i].rule, rules[i]);
		assert_true(v.v[i].fact[0] != '\0');
	}
	assert_string_equal(v.v[0].fact, "12345678-5");
	assert_string_equal(v.v[6].fact, "ec-p256");
	assert_string_equal(v.v[7].fact, "2y");
	name_print(name, sizeof(name), spec.subject);
	assert_string_equal(name, "C=CL, O=Servicio de Prueba Sur, "
				  "title=Jefa de Gabinete, "
				  "serialNumber=12345678-5, "
				  "CN=Mar\xc3\xad"
				  "a Soto, "
				  "emailAddress=maria.soto@example.cl");
	assert_true(bytes_is(spec.serial, "kept"));
	assert_false(spec.is_ca);
	assert_int_equal(spec.path_len, -1);
	assert_int_equal(spec.key_usage,
	    KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
	assert_int_equal(spec.n_eku, 2);
	assert_int_equal(spec.eku[0], OID_EKU_CLIENT);
	assert_int_equal(spec.eku[1], OID_EKU_EMAIL);
	assert_false(spec.eku_critical);
	assert_false(spec.nocheck);
	assert_int_equal(spec.n_san, 3);
	assert_int_equal(spec.san[0].kind, GN_OTHER_IA5);
	assert_true(bytes_is(spec.san[0].value, "12345678-5"));
	assert_true(
	    bytes_eq(oid_bytes(&spec.san[0].other), oid_known(OID_RUT_HOLDER)));
	assert_int_equal(spec.san[1].kind, GN_EMAIL);
	assert_int_equal(spec.n_ian, 1);
	assert_true(bytes_is(spec.ian[0].value, "60100003-2"));
	assert_int_equal(spec.n_policy, 1);
	assert_true(bytes_is(spec.policy[0].cps, "http://x.cl/cps"));
	assert_true(bytes_is(spec.policy[0].notice, "nada"));
}

/* clang-format off */
static const struct {
	const char *name;
	int fact;
	const char *text;
	const char *rule, *id, *say;
} bad_facts[] = {
	{ "no RUN", FACT_PERSON_RUN, "", "person.run", "policy-fact-missing", "person.run is not known, and this policy puts it into the certificate; register it first" },
	{ "wrong digit", FACT_PERSON_RUN, "12345678-9", "person.run", "run-digit", NULL },
	{ "RUN with dots", FACT_PERSON_RUN, "12.345.678-5", "person.run", "policy-run-stored", "certificates hold a RUN or RUT as 12345678-5: without dots, spaces or leading zeros" },
	{ "padded RUN", FACT_PERSON_RUN, "01000-6", "person.run", "policy-run-stored", NULL },
	{ "small k", FACT_PERSON_RUN, "6-k", "person.run", "policy-run-stored", NULL },
	{ "zero", FACT_PERSON_RUN, "0-0", "person.run", "run-form", NULL },
	{ "no name", FACT_PERSON_NAME, "", "person.name", "policy-fact-missing", NULL },
	{ "name of nothing", FACT_PERSON_NAME, "N/A", "subject", "name-meta", NULL },
	{ "long name", FACT_PERSON_NAME, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "subject", "name-too-long", NULL },
	{ "not UTF-8", FACT_PERSON_NAME, "Mar\xed" "a", "person.name", "policy-fact-text", "person.name is too long, or holds characters that nobody can see; register it again" },
	{ "backwards", FACT_PERSON_OFFICE, "Jefa \xe2\x80\xae", "person.office", "policy-fact-text", NULL },
	{ "office beyond ASCII", FACT_PERSON_OFFICE, "Jefa \xc3\xb1", "names.subject_alt", "policy-alt-value", "an alternative name is longer than 128 characters or not plain ASCII" },
	{ "no e-mail", FACT_PERSON_EMAIL, "", "person.email", "policy-fact-missing", NULL },
	{ "e-mail without host", FACT_PERSON_EMAIL, "maria", "person.email", "email-form", NULL },
	{ "no institution", FACT_INSTITUTION_NAME, "", "institution.name", "policy-fact-missing", NULL },
	{ "RUT with the wrong digit", FACT_INSTITUTION_RUT, "69170600-2", "institution.rut", "run-digit", NULL },
};
/* clang-format on */

static const struct verdict *
failed_rule(const struct verdicts *v)
{
	for (size_t i = 0; i < v->len; i++) {
		if (!v->v[i].passed)
			return &v->v[i];
	}
	return NULL;
}

static void
facts_by_row(void **state)
{
	AUTO(policy_set) set = policy_of("{default: 2y, max: 3y}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_facts); i++) {
		AUTO(arena) arena = arena_new();
		struct policy_facts facts = good_facts();
		struct cert_spec spec = { .not_after = 77 };
		const struct verdict *got;
		struct verdicts v;

		facts.fact[bad_facts[i].fact] = bytes_str(bad_facts[i].text);
		policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
		got = failed_rule(&v);
		if (v.failed != 1 || got == NULL ||
		    strcmp(got->rule, bad_facts[i].rule) != 0 ||
		    strcmp(got->err.id, bad_facts[i].id) != 0 ||
		    (bad_facts[i].say != NULL &&
			strcmp(got->err.say, bad_facts[i].say) != 0))
			fail_msg("%s: %zu failed, %s %s: %s", bad_facts[i].name,
			    v.failed, got != NULL ? got->rule : "",
			    got != NULL ? got->err.id : "",
			    got != NULL ? got->err.say : "");
		assert_true(got->err.where.field[0] != '\0');
		assert_int_equal(spec.not_after, 77);
	}
}

/* Every reason at once, in order. */
static void
all_reasons(void **state)
{
	AUTO(policy_set) set = policy_of("{default: 2y, max: 3y}");
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = { .key = KEY_RSA_2048,
		.asked_s = 1095 * DAY + 1,
		.now = NOW,
		.issuer_not_after = NOW };
	struct cert_spec spec = { .not_after = 77 };
	struct verdicts v;

	(void)state;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_int_equal(v.len, 9);
	assert_int_equal(v.failed, 9);
	assert_string_equal(v.v[6].err.say,
	    "the key is rsa-2048; this policy allows ec-p256, rsa-3072");
	assert_string_equal(v.v[7].err.say,
	    "a validity of 94608001s is longer than the 3y that this policy "
	    "allows");
	assert_string_equal(v.v[8].err.say,
	    "the issuing CA's certificate ends at 2026-11-24T10:00:00Z: "
	    "nothing can be issued from it any more");
	assert_int_equal(spec.not_after, 77);
	facts.asked_s = HOUR - 1;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_string_equal(v.v[7].err.say,
	    "a validity of 3599s is shorter than an hour; ask for 1h to 3y");
	facts.asked_s = -1;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_string_equal(v.v[7].err.id, "policy-validity-short");
	facts.asked_s = INT64_MAX;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_string_equal(v.v[7].err.id, "policy-validity-long");
	facts.key = KEY_TYPES;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_string_equal(v.v[6].err.id, "policy-key-type");
}

/* Certificates last what the policy says, not a second longer. */
static void
incident_01_both_ends_count(void **state)
{
	/* clang-format off */
	static const struct {
		const char *validity;
		int64_t asked, left, life;
		int64_t backdate;
	} rows[] = {
		{ "{default: 90d, max: 90d}",              0, 3650 * DAY,   90 * DAY, 0 },
		{ "{default: 2y, max: 3y}",                0, 3650 * DAY,  730 * DAY, 0 },
		{ "{default: 2y, max: 3y}",     1095 * DAY, 3650 * DAY, 1095 * DAY, 0 },
		{ "{default: 2y, max: 1096d}",  1096 * DAY, 3650 * DAY, 1096 * DAY, 0 },
		{ "{default: 1h, max: 3y}",                0, 3650 * DAY,      HOUR,  0 },
		{ "{default: 2y, max: 3y, backdate: 1h}",  0, 3650 * DAY,  730 * DAY, HOUR },
		/* Clipped to the issuer: its last second is ours too. */
		{ "{default: 2y, max: 3y}",                0,  100 * DAY, 100 * DAY + 1, 0 },
		{ "{default: 2y, max: 3y}",                0,  730 * DAY - 1, 730 * DAY, 0 },
		{ "{default: 2y, max: 3y}",                0,  730 * DAY - 2, 730 * DAY - 1, 0 },
		{ "{default: 2y, max: 3y}",                0,       HOUR,  HOUR + 1, 0 },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(policy_set) set = policy_of(rows[i].validity);
		AUTO(arena) arena = arena_new();
		struct policy_facts facts = good_facts();
		struct cert_spec spec = { .not_after = 0 };
		struct verdicts v;

		facts.asked_s = rows[i].asked;
		facts.issuer_not_after = NOW + rows[i].left;
		policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
		assert_int_equal(v.failed, 0);
		assert_int_equal(spec.not_before, NOW - rows[i].backdate);
		assert_int_equal(spec.not_after - spec.not_before + 1,
		    rows[i].life);
		assert_true(spec.not_after <= facts.issuer_not_after);
		assert_true(spec.not_after - spec.not_before + 1 <=
			    set->policy[0].max_s);
	}
}

/* What comes out is a certificate: the builder takes it, the reader too. */
static void
builds(void **state)
{
	AUTO(policy_set) set = policy_of("{default: 2y, max: 3y}");
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = good_facts();
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert_spec spec = { .issuer_type = KEY_EC_P256 };
	struct verdicts v;
	struct err e;
	AUTO(key) key = NULL;

	(void)state;
	assert_int_equal(key_generate(KEY_EC_P256, &key, &e), ERR_OK);
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_int_equal(v.failed, 0);
	spec.serial = bytes_str("\x01"
				"23456789abcdef01");
	spec.issuer = spec.subject;
	spec.issuer_ski = bytes_str("01234567890123456789");
	spec.spki = key_spki(key);
	spec.crl_url = bytes_str("http://x.cl/crl");
	spec.ocsp_url = bytes_str("http://x.cl/ocsp");
	spec.issuer_url = bytes_str("http://x.cl/ca");
	if (cert_build_tbs(&spec, &tbs, &e) != ERR_OK)
		fail_msg("%s", e.say);
	assert_true(tbs.len > 300);
}

/* --- What policies of issue 3 can say -------------------------------------------------- */

/* The good policy with more keys; its lines are counted from their end. */
static struct policy_set *
policy_with(const char *subject, const char *validity, const char *more)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	struct findings f = { NULL, 0, 0 };
	struct policy_set *set = NULL;

	buf_putf(&text,
	    "policy: one\nversion: 1\nissuer: emisora\n"
	    "subject: {serialNumber: \"{person.run}\", emailAddress: "
	    "\"{person.email}\", %s}\n"
	    "validity: %s\n"
	    "keys: {allowed: [ec-p256, rsa-3072]}\n"
	    "usage: {key: [digitalSignature], extended: [clientAuth]}\n%s",
	    subject, validity, more);
	struct policy_file file = { "one.yaml", buf_bytes(&text) };
	policy_load(&file, 1, &law, &set, &f);
	if (set == NULL)
		fail_msg("%s: %s", f.v[0].err.where.field, f.v[0].err.say);
	findings_fini(&f);
	return set;
}

#define NAME     "CN: \"{person.name}\""
#define TWO      "{default: 2y, max: 3y}"
#define ATTR(a)  NAME ", OU: \"{person.attribute." a "}\""
#define GIVEN(a) ", givenName: \"{person.attribute." a "}\""

/* clang-format off */
static const struct {
	const char *name, *subject, *validity, *more;
	const char *rule, *id, *say; /* what fails; NULL: nothing */
	uint32_t line;
	const char *fact; /* of that rule; NULL: not asked */
} rules[] = {
	{ "attribute", ATTR("grade"), TWO, "", "person.attribute.grade", NULL, NULL, 4, "12" },
	{ "no such attribute", ATTR("rank"), TWO, "", "person.attribute.rank", "policy-fact-missing",
	  "person.attribute.rank is not known, and this policy puts it into the certificate; register it first", 4, "" },
	{ "given name", NAME GIVEN("given"), TWO, "", "subject", NULL, NULL, 4, NULL },
	{ "given name with digits", NAME GIVEN("grade"), TWO, "", "subject", "name-digit", NULL, 4, NULL },
	{ "kinds in a name", NAME ", OU: \"{person.kind} {institution.kind}\"", TWO, "", "person.kind", NULL, NULL, 4, "official" },
	{ "kind", NAME, TWO, "holders: {kinds: [authority, official]}\n", "holders.kinds", NULL, NULL, 8, "official" },
	{ "another kind", NAME, TWO, "holders: {kinds: [minister, system]}\n", "holders.kinds", "policy-holder-kind",
	  "this policy is for minister, system; the person is registered as official", 8, "official" },
	{ "institution", NAME, TWO, "holders: {institutions: [service]}\n", "holders.institutions", NULL, NULL, 8, "service" },
	{ "another institution", NAME, TWO, "holders:\n  institutions: [court]\n", "holders.institutions", "policy-holder-institution",
	  "this policy is for institutions of the kind court; this one is registered as service", 9, "service" },
	{ "when", NAME, TWO, "holders: {when: 'person.attribute(\"grade\") == \"12\"'}\n", "holders.when", NULL, NULL, 8, NULL },
	{ "when not", NAME, TWO, "holders: {when: 'person.attribute(\"grade\") == \"1\"'}\n", "holders.when", "policy-holder-when",
	  "this policy is for holders for whom this is true: person.attribute(\"grade\") == \"1\"", 8, "person.attribute(\"grade\") = \"12\"" },
	{ "condition", NAME, TWO, "conditions: [{must: request.validity <= 2y, say: s, es: e}]\n", "conditions", NULL, NULL, 8, "request.validity <= 2y" },
	{ "condition broken", NAME, TWO, "conditions:\n  - must: request.validity <= 1y\n    say: a year at most; ask for 365d\n    es: un a\xc3\xb1o a lo m\xc3\xa1s\n",
	  "conditions", "policy-condition", "a year at most; ask for 365d", 9, "request.validity = 2y" },
	{ "ends later", NAME, "{default: 1y, max: 1y, renew_window: 1d, ends: \"2030-12-31\"}", "", "validity.ends", NULL, NULL, 5, "2030-12-31T23:59:59Z" },
	{ "ends here", NAME, "{default: 1y, max: 1y, renew_window: 1d, ends: \"2026-11-24\", zone: America/Santiago}", "", "validity.ends", NULL, NULL, 5, "2026-11-25T02:59:59Z" },
	{ "ended", NAME, "{default: 1y, max: 1y, renew_window: 1d, ends: \"2026-11-23\"}", "", "validity.ends", "policy-validity-ended",
	  "no certificate of this policy lasts beyond 2026-11-23T23:59:59Z: use another policy", 5, NULL },
	{ "issuer too short", NAME, "{default: 2y, max: 2y, renew_window: 1d, issuer: refuse}", "", "issuer.not_after", "policy-issuer-short",
	  "the issuing CA's certificate ends at 2028-01-01T00:00:00Z, before this one would; ask for a shorter validity", 5, NULL },
	{ "name cut", "CN: {value: \"{person.name}\", max: 8, too_long: clip}", TWO, "", "subject", NULL, NULL, 4, NULL },
	{ "name refused", "CN: {value: \"{person.name}\", max: 8}", TWO, "", "subject", "policy-too-long",
	  "CN is longer than the 8 characters that this policy allows; use a shorter form", 4, NULL },
	{ "extension", NAME, TWO, "extensions: [{oid: 1.2.3, critical: true, der: {utf8: \"{person.office}\"}}]\n", "extensions", NULL, NULL, 8, NULL },
	{ "extension beyond its alphabet", NAME, TWO, "extensions: [{oid: 1.2.3, critical: true, der: {ia5: \"{person.name}\"}}]\n", "extensions", "policy-extension-text", NULL, 8, NULL },
	{ "host of a person", NAME, TWO, "names: {subject_alt: [{dns: \"{person.attribute.host}\"}]}\n", "names.subject_alt", NULL, NULL, 8, "web.example.cl" },
	{ "address of a person", NAME, TWO, "names: {subject_alt: [{ip: \"{person.attribute.host}\"}]}\n", "names.subject_alt", "ip-form", NULL, 8, NULL },
};
/* clang-format on */

static void
rules_by_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		AUTO(policy_set)
		set = policy_with(rules[i].subject, rules[i].validity,
		    rules[i].more);
		AUTO(arena) arena = arena_new();
		struct policy_facts facts = good_facts();
		struct cert_spec spec = { .not_after = 77 };
		const struct verdict *got = NULL;
		struct verdicts v;

		facts.person_kind = PERSON_OFFICIAL;
		facts.institution_kind = INSTITUTION_SERVICE;
		facts.attribute[0] =
		    (struct attribute){ bytes_str("grade"), bytes_str("12") };
		facts.attribute[1] = (struct attribute){ bytes_str("host"),
			bytes_str("web.example.cl") };
		facts.attribute[2] =
		    (struct attribute){ bytes_str("given"), bytes_str("Ana") };
		facts.n_attribute = 3;
		facts.issuer_not_after = INT64_C(1830297600);
		policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
		for (size_t k = 0; k < v.len; k++) {
			if (strcmp(v.v[k].rule, rules[i].rule) == 0)
				got = &v.v[k];
		}
		if (got == NULL || v.failed != (rules[i].id != NULL ? 1 : 0) ||
		    got->passed != (rules[i].id == NULL) ||
		    (rules[i].id != NULL &&
			strcmp(got->err.id, rules[i].id) != 0) ||
		    (rules[i].say != NULL &&
			strcmp(got->err.say, rules[i].say) != 0) ||
		    got->at.line != rules[i].line || got->at.col == 0 ||
		    got->at.of != &set->policy[0] ||
		    (rules[i].fact != NULL &&
			strcmp(got->fact, rules[i].fact) != 0))
			fail_msg("%s: %zu failed, %s:%u %s: %s (%s)",
			    rules[i].name, v.failed,
			    got != NULL ? got->rule : "no rule",
			    got != NULL ? got->at.line : 0,
			    got != NULL && !got->passed ? got->err.id : "",
			    got != NULL && !got->passed ? got->err.say : "",
			    got != NULL ? got->fact : "");
	}
}

/* Cut at a character, without the space before it, and told of. */
static void
name_is_cut_and_told(void **state)
{
	AUTO(policy_set)
	set = policy_with(
	    "CN: {value: \"{person.name}\", max: 6, too_long: clip}", TWO, "");
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = good_facts();
	struct cert_spec spec = { .not_after = 0 };
	struct verdicts v;

	(void)state;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_int_equal(v.failed, 0);
	assert_true(bytes_is(name_find(spec.subject, OID_CN), "Mar\xc3\xad"
							      "a"));
	assert_string_equal(v.v[v.len - 1].rule, "subject");
	assert_string_equal(v.v[v.len - 1].fact, "CN cut to 6 characters");
}

/* Both attributes of a directory name, in one verdict at the first. */
static void
directory_is_cut_and_told(void **state)
{
	AUTO(policy_set)
	set = policy_with(NAME, TWO,
	    "names:\n  subject_alt:\n    - directory:\n        CN: {value: "
	    "\"{person.name}\", max: 5, too_long: clip}\n        O: {value: "
	    "\"{institution.name}\", max: 8, too_long: clip}\n");
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = good_facts();
	struct cert_spec spec = { .not_after = 0 };
	struct verdicts v;
	const struct verdict *told;

	(void)state;
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_int_equal(v.failed, 0);
	told = &v.v[v.len - 2];
	assert_string_equal(told->rule, "names.subject_alt");
	assert_string_equal(told->fact,
	    "CN cut to 5 characters, O cut to 8 characters");
	assert_int_equal(told->at.line, 11);
}

/* The Spanish of a condition travels whole, in the arguments. */
static void
condition_speaks_spanish(void **state)
{
	static const char es[] =
	    "los funcionarios obtienen un a\xc3\xb1o a lo m\xc3\xa1s, "
	    "salvo que sean autoridades del servicio; pida una vigencia "
	    "de 365d o menos, por favor y gracias";
	struct buf more AUTO_BUF = BUF(1024);
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = good_facts();
	struct cert_spec spec = { .not_after = 0 };
	const struct verdict *got;
	struct verdicts v;
	char all[200];

	(void)state;
	buf_putf(&more,
	    "conditions: [{must: request.validity < 1h, say: \"ask less\", "
	    "es: \"%s\"}]\n",
	    es);
	AUTO(policy_set) set = policy_with(NAME, TWO, buf_text(&more));
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	got = failed_rule(&v);
	assert_non_null(got);
	assert_string_equal(got->err.say, "ask less");
	snprintf(all, sizeof(all), "%s%s%s", got->err.arg[0], got->err.arg[1],
	    got->err.arg[2]);
	assert_string_equal(all, es);
}

/* Ends of days: both rules of Santiago, and offsets. */
static void
days_end_where_they_are(void **state)
{
	/* clang-format off */
	static const struct {
		const char *zone, *day, *end;
	} rows[] = {
		{ "UTC",              "2027-12-31", "2027-12-31T23:59:59Z" },
		{ "-03:00",           "2027-12-31", "2028-01-01T02:59:59Z" },
		{ "+05:30",           "2027-12-31", "2027-12-31T18:29:59Z" },
		{ "America/Santiago", "2027-12-31", "2028-01-01T02:59:59Z" },
		{ "America/Santiago", "2027-07-01", "2027-07-02T03:59:59Z" },
		/* Clocks go back at 24:00: that day ends an hour later. */
		{ "America/Santiago", "2027-04-02", "2027-04-03T02:59:59Z" },
		{ "America/Santiago", "2027-04-03", "2027-04-04T03:59:59Z" },
		{ "America/Santiago", "2027-09-04", "2027-09-05T03:59:59Z" },
		{ "America/Santiago", "2027-09-05", "2027-09-06T02:59:59Z" },
		{ "America/Santiago", "2026-04-04", "2026-04-05T03:59:59Z" },
		{ "America/Santiago", "2026-09-05", "2026-09-06T03:59:59Z" },
	};
	static const char *const none[] = { "", "utc", "Z", "-3:00", "-03",
		"America/santiago", "-03:60", "+14:01", "-0a:00", " UTC" };
	/* clang-format on */
	struct zone z;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char got[TIME_TEXT], name[ZONE_TEXT];
		int64_t day;

		assert_true(zone_parse(bytes_str(rows[i].zone), &z));
		assert_true(time_parse(bytes_str(rows[i].day), &day));
		time_print(got, zone_day_end(&z, day));
		assert_string_equal(got, rows[i].end);
		zone_print(name, &z);
		assert_string_equal(name, rows[i].zone);
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(zone_parse(bytes_str(none[i]), &z));
}

/* A CA below the issuer: everything of a holder is away. */
static void
subordinate_ca(void **state)
{
	static const char text[] =
	    "policy: ca\nversion: 1\nissuer: emisora\n"
	    "subject: {CN: \"CA de {institution.name}\", C: CL}\n"
	    "keys: {allowed: [ec-p256]}\n"
	    "validity: {default: 5y, max: 10y}\n"
	    "usage: {key: [keyCertSign, cRLSign]}\n"
	    "subordinate: {path_length: 0, permitted: [{dns: example.cl}]}\n";
	struct policy_file file = { "ca.yaml", bytes_str(text) };
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = good_facts();
	struct cert_spec spec = { .is_ca = false };
	struct verdicts v;

	(void)state;
	policy_load(&file, 1, &law, &set, &f);
	assert_int_equal(f.errors, 0);
	assert_non_null(set);
	policy_evaluate(&set->policy[0], &facts, arena, &spec, &v);
	assert_int_equal(v.failed, 0);
	assert_true(spec.is_ca);
	assert_int_equal(spec.path_len, 0);
	assert_int_equal(spec.key_usage, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(spec.n_eku, 0);
	assert_int_equal(spec.constraints.n_permitted, 1);
	assert_true(
	    bytes_is(spec.constraints.permitted[0].value, "example.cl"));
	findings_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pass),
		cmocka_unit_test(facts_by_row),
		cmocka_unit_test(all_reasons),
		cmocka_unit_test(incident_01_both_ends_count),
		cmocka_unit_test(builds),
		cmocka_unit_test(rules_by_row),
		cmocka_unit_test(name_is_cut_and_told),
		cmocka_unit_test(directory_is_cut_and_told),
		cmocka_unit_test(condition_speaks_spanish),
		cmocka_unit_test(days_end_where_they_are),
		cmocka_unit_test(subordinate_ca),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
