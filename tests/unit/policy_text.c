/*
 * Policies as text: layout, differences, warnings, and what each code means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/policy.h>

#define NOW INT64_C(1795514400) /* 2026-11-24T10:00:00Z */

static const struct ceilings law = {
	.validity_max_s = 1096 * DAY,
	.backdate_max_s = HOUR,
	.keys = 0x1f,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.statement_max_s = 72 * HOUR,
	.ocsp_max_s = 10 * DAY,
	.crl_max_s = 10 * DAY,
};

/* --- Layout ------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
	const char *name, *from, *to; /* to NULL: as it was */
	const char *id, *say;         /* of a refusal */
} layouts[] = {
	{ "as it should be", "# a\npolicy: x\nkeys: {a: [b, c]}\n", NULL, NULL, NULL },
	{ "spaces", "policy:   x  \n", "policy: x\n", NULL, NULL },
	{ "indentation", "a:\n     b: 1\n     c:\n        d: 2\ne: 3\n", "a:\n  b: 1\n  c:\n    d: 2\ne: 3\n", NULL, NULL },
	{ "dashes", "a:\n- b: 1\n  c: 2\n-   d: 3\n", "a:\n  - b: 1\n    c: 2\n  - d: 3\n", NULL, NULL },
	{ "dashes in dashes", "a:\n- - b\n  - c\n- d\n", "a:\n  - - b\n    - c\n  - d\n", NULL, NULL },
	{ "brackets", "a: [ b,c ,d ]\nb: {  c: d,e: f }\n", "a: [b, c, d]\nb: {c: d, e: f}\n", NULL, NULL },
	{ "brackets over lines", "a: [b,\n        c,\n  d]\ne: f\n", "a: [b,\n  c,\n  d]\ne: f\n", NULL, NULL },
	{ "comments stay", "a: b # x\n    # of c\nc: d     # aligned\n#end\n", "a: b  # x\n# of c\nc: d     # aligned\n#end\n", NULL, NULL },
	{ "comment of what is inside", "a:\n   # of b\n   b: 1\n", "a:\n  # of b\n  b: 1\n", NULL, NULL },
	{ "empty lines", "\n\na: b\n\n\n\nc: d\n\n", "a: b\n\nc: d\n", NULL, NULL },
	{ "no end of line", "a: b", "a: b\n", NULL, NULL },
	{ "Windows", "a: b\r\nc: d\r\n", "a: b\nc: d\n", NULL, NULL },
	{ "quotes keep what they hold", "a: \"b,  c # d }\"\nb: 'it''s  [x'\n", NULL, NULL, NULL },
	{ "dates and colons", "a: \"12:30\"\nb: x:y\n", NULL, NULL, NULL },
	{ "no YAML", "a: [b\n", NULL, "policy-format", "this is no file that can be laid out: this is not YAML: did not find expected ',' or ']'" },
	{ "nothing", "# x\n", NULL, "policy-format", NULL },
	{ "tab", "a:\tb\n", NULL, "policy-format", NULL },
	{ "text over lines", "a: \"b\n\n  c\"\n", NULL, NULL, NULL },
	{ "block text", "a: |\n   b\n     c\n\n\n\n   d\n", NULL, "policy-format-meaning", "laid out, the file would say something else; write each value in one line" },
};
/* clang-format on */

static void
layouts_by_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		struct buf out AUTO_BUF = BUF(1 << 16);
		struct buf twice AUTO_BUF = BUF(1 << 16);
		const char *want = layouts[i].to;
		struct err e = { .code = ERR_OK };
		enum err_code code =
		    policy_format(bytes_str(layouts[i].from), &out, &e);

		if (layouts[i].id != NULL) {
			if (code == ERR_OK ||
			    strcmp(e.id, layouts[i].id) != 0 ||
			    (layouts[i].say != NULL &&
				strcmp(e.say, layouts[i].say) != 0))
				fail_msg("%s: %s\n%s", layouts[i].name,
				    code == ERR_OK ? "was laid out" : e.say,
				    buf_text(&out));
			continue;
		}
		if (code != ERR_OK ||
		    strcmp(buf_text(&out),
			want != NULL ? want : layouts[i].from) != 0)
			fail_msg("%s: %s\n%s", layouts[i].name,
			    code != ERR_OK ? e.say : "", buf_text(&out));
		assert_int_equal(policy_format(buf_bytes(&out), &twice, &e),
		    ERR_OK);
		assert_string_equal(buf_text(&out), buf_text(&twice));
	}
}

/* --- Differences --------------------------------------------------------------------- */

#define TOP "policy: one\nversion: %d\nissuer: emisora\n"

static struct policy_set *
load_one(int version, const char *rest)
{
	struct buf text AUTO_BUF = BUF(1 << 16);
	struct findings f = { NULL, 0, 0 };
	struct policy_set *set = NULL;

	buf_putf(&text,
	    TOP "subject: {C: CL, CN: \"{person.name}\", serialNumber: "
		"\"{person.run}\", emailAddress: \"{person.email}\"}\n%s",
	    version, rest);
	struct policy_file file = { "one.yaml", buf_bytes(&text) };
	policy_load(&file, 1, &law, &set, &f);
	if (set == NULL)
		fail_msg("%s: %s", f.v[0].err.where.field, f.v[0].err.say);
	findings_fini(&f);
	return set;
}

static void
differences(void **state)
{
	AUTO(policy_set)
	a = load_one(1,
	    "keys: {allowed: [ec-p256, rsa-3072]}\n"
	    "validity: {default: 1y, max: 2y}\n"
	    "usage: {key: [digitalSignature], extended: [clientAuth]}\n"
	    "revocation: {holder: propose}\n");
	AUTO(policy_set)
	b = load_one(2,
	    "keys: {allowed: [ec-p256], reuse: same-person}\n"
	    "validity: {default: 1y, max: 3y, ends: \"2030-12-31\"}\n"
	    "usage: {key: [digitalSignature, nonRepudiation], extended: "
	    "[emailProtection]}\n"
	    "holders: {kinds: [official]}\n"
	    "revocation: {holder: immediate}\n");
	struct buf out AUTO_BUF = BUF(1 << 16), none AUTO_BUF = BUF(1 << 16);

	(void)state;
	assert_int_equal(policy_diff(&out, &a->policy[0], &b->policy[0]), 9);
	assert_string_equal(buf_text(&out),
	    "version: 1 -> 2\n"
	    "holders.kinds: nothing -> [official] (narrower)\n"
	    "keys.allowed: [ec-p256, rsa-3072] -> [ec-p256] (narrower)\n"
	    "keys.reuse: forbid -> same-person (wider)\n"
	    "validity.max: 2y -> 3y (wider)\n"
	    "validity.ends: nothing -> 2030-12-31 (narrower)\n"
	    "usage.key: [digitalSignature] -> [digitalSignature, "
	    "nonRepudiation] (wider)\n"
	    "usage.extended: [clientAuth] -> [emailProtection]\n"
	    "revocation.holder: propose -> immediate (narrower)\n");
	assert_int_equal(policy_diff(&none, &a->policy[0], &a->policy[0]), 0);
	assert_int_equal(none.len, 0);
}

/* --- Warnings --------------------------------------------------------------------------- */

#define POLICY(name, more)                                                  \
	"policy: " name "\nversion: 1\nissuer: emisora\nsubject: {CN: "     \
	"\"{person.name}\", serialNumber: \"{person.run}\", emailAddress: " \
	"\"{person.email}\"}\nkeys: {allowed: [ec-p256]}\nusage: {key: "    \
	"[digitalSignature], extended: [clientAuth]}\nvalidity: {default: " \
	"1y, max: 2y}\n" more

/* clang-format off */
static const struct {
	const char *name, *texts[2];
	int64_t issuer_left, used; /* seconds from and before NOW; 0: not known */
	const char *file;
	uint32_t line;
	const char *id, *say, *hint;
} warnings[] = {
	{ "nothing to say", { POLICY("a", "holders: {kinds: [official]}\n"), POLICY("b", "holders: {kinds: [system]}\n") }, 400 * DAY, 0, NULL, 0, NULL, NULL, NULL },
	{ "outlives", { POLICY("a", "") }, 364 * DAY, 0, "a.yaml", 7, "policy-outlives",
	  "certificates of a would outlive their issuer, which ends at 2027-11-23T10:00:00Z", "they are cut to that: shorten the default, or renew the issuer" },
	{ "just does not", { POLICY("a", "") }, 365 * DAY - 1, 0, NULL, 0, NULL, NULL, NULL },
	{ "same people", { POLICY("a", "holders: {kinds: [official, system]}\n"), POLICY("b", "holders: {kinds: [official]}\n") }, 0, 0, "b.yaml", 8, "policy-same-person",
	  "a and b are for the same people and the same usages", "say in holders.kinds whom each is for" },
	{ "parted by a condition", { POLICY("a", "holders: {when: 'length(person.name) > 3'}\n"), POLICY("b", "") }, 0, 0, NULL, 0, NULL, NULL, NULL },
	{ "unused", { POLICY("a", "") }, 0, 100 * DAY, "a.yaml", 1, "policy-unused", "no request has named the policy a since 2026-08-16T10:00:00Z", NULL },
	{ "used", { POLICY("a", "") }, 0, 90 * DAY, NULL, 0, NULL, NULL, NULL },
	{ "never used", { POLICY("z", "") }, 0, 100 * DAY, "a.yaml", 1, "policy-never-used", "no request has ever named the policy z", NULL },
	{ "in force for a short time", { POLICY("b", "") }, 0, 100 * DAY, NULL, 0, NULL, NULL, NULL },
	{ "not in force", { POLICY("x", "") }, 0, 100 * DAY, NULL, 0, NULL, NULL, NULL },
	{ "a base that no request can name", { POLICY("z", "base: true\n"), "policy: a\nversion: 1\nextends: z@1\n" }, 0, DAY, NULL, 0, NULL, NULL, NULL },
	{ "base alone", { POLICY("z", "base: true\n") }, 0, 0, "a.yaml", 1, "policy-base-unused", "no policy extends the base z, and no request can name it", NULL },
	{ "base in use", { POLICY("z", "base: true\n"), "policy: a\nversion: 1\nextends: z@1\n" }, 0, 0, NULL, 0, NULL, NULL, NULL },
	{ "inherited", { POLICY("z", "base: true\n"), "policy: a\nversion: 1\nextends: z@1\n" }, DAY, 0, "b.yaml", 1, "policy-outlives", NULL, NULL },
};
/* clang-format on */

static void
warnings_by_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(warnings); i++) {
		struct policy_file files[2] = {
			{ "a.yaml", bytes_str(warnings[i].texts[0]) },
			{ "b.yaml", BYTES_NONE }
		};
		struct policy_use use[] = {
			{ bytes_str("b"), NOW - 90 * DAY, 0 },
			{ bytes_str("z"), NOW - 91 * DAY, 0 },
			{ bytes_str("a"), NOW - 400 * DAY,
			    NOW - warnings[i].used },
		};
		struct policy_context c = { .now = NOW,
			.unused_s = 90 * DAY,
			.use = warnings[i].used != 0 ? use : NULL,
			.n_use = ARRAY_LEN(use) };
		struct findings f = { NULL, 0, 0 };
		const struct finding *got = NULL;
		AUTO(policy_set) set = NULL;
		size_t n = 1;

		if (warnings[i].texts[1] != NULL)
			files[n++].text = bytes_str(warnings[i].texts[1]);
		if (warnings[i].issuer_left != 0) {
			c.issuer[0].name = "emisora";
			c.issuer[0].not_after = NOW + warnings[i].issuer_left;
			c.n_issuer = 1;
		}
		policy_load(files, n, &law, &set, &f);
		assert_int_equal(f.len, 0);
		policy_warn(set, files, &c, &f);
		assert_int_equal(f.errors, 0);
		for (size_t k = 0; k < f.len; k++) {
			if (warnings[i].id != NULL &&
			    strcmp(f.v[k].err.id, warnings[i].id) == 0 &&
			    strcmp(f.v[k].err.where.file, warnings[i].file) ==
				0)
				got = &f.v[k];
		}
		if (warnings[i].id == NULL ? f.len > 0 : got == NULL)
			fail_msg("%s: %zu warnings, %s", warnings[i].name,
			    f.len, f.len > 0 ? f.v[0].err.say : "");
		if (got != NULL &&
		    (!got->is_warning ||
			got->err.where.line != warnings[i].line ||
			(warnings[i].say != NULL &&
			    strcmp(got->err.say, warnings[i].say) != 0) ||
			(warnings[i].hint != NULL &&
			    strcmp(got->hint, warnings[i].hint) != 0)))
			fail_msg("%s: %u: %s (%s)", warnings[i].name,
			    got->err.where.line, got->err.say, got->hint);
		findings_fini(&f);
	}
}

/* --- Codes ------------------------------------------------------------------------------- */

/* Every code that has a sentence here has a cause and a remedy, in order. */
static void
every_code_has_help(void **state)
{
#define ES(id, text) id,
	static const char *const ids[] = {
#include "../../policy/es.def"
	};
#undef ES
	const struct policy_help *h, *last = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		h = policy_help(ids[i]);
		if (h == NULL)
			fail_msg("policy/help.def lacks %s", ids[i]);
		for (int es = 0; es < 2; es++) {
			assert_true(h->why[es][0] != '\0');
			assert_true(h->todo[es][0] != '\0');
			assert_true(utf8_valid(bytes_str(h->why[es])));
			assert_true(utf8_valid(bytes_str(h->todo[es])));
		}
	}
	for (size_t i = 0; (h = policy_help_at(i)) != NULL; last = h, i++)
		assert_true(last == NULL || strcmp(last->id, h->id) != 0);
	assert_null(policy_help("no-such-code"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts_by_row),
		cmocka_unit_test(differences),
		cmocka_unit_test(warnings_by_row),
		cmocka_unit_test(every_code_has_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
