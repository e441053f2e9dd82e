/*
 * Conditions: what they print as, what they say of one request, and each
 * mistake with its sentence and the text under the caret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

#include "../../policy/expr.h"

#define NOW INT64_C(1795514400) /* 2026-11-24T10:00:00Z */

static const struct expr *
compile(const char *text, struct arena *a, struct findings *f)
{
	struct policy_file one = { "when", bytes_str(text) };

	return expr_compile(&one, a, f);
}

/* --- Canonical text -------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *text, *canonical; /* NULL: the same */
} prints[] = {
	{ "person.kind == \"official\"", NULL },
	{ "person.kind=='official'", "person.kind == \"official\"" },
	{ "\"official\" == person.kind", NULL },
	{ "person.name == 'say \"hi\"'", NULL },
	{ "person.name == \"it's\"", NULL },
	{ "person.attribute('grade')in['1','2']", "person.attribute(\"grade\") in [\"1\", \"2\"]" },
	{ "person.kind not  in [\"official\"]", "person.kind not in [\"official\"]" },
	{ "request.validity <= 365d or person.kind == \"authority\"", "request.validity <= 1y or person.kind == \"authority\"" },
	{ "not(person.kind == \"system\")", "not person.kind == \"system\"" },
	{ "not (request.is_renewal and now < 2027-12-31)", NULL },
	{ "(request.is_renewal) and (now < 2027-12-31)", "request.is_renewal and now < 2027-12-31" },
	{ "(request.is_renewal and true) and false", "request.is_renewal and true and false" },
	{ "request.is_renewal and (true and false)", NULL },
	{ "request.is_renewal or (true and false)", NULL },
	{ "(request.is_renewal or true) and false", NULL },
	{ "(person.name == \"a\") == request.is_renewal", NULL },
	{ "request.is_renewal == (not false)", NULL },
	{ "not not request.is_renewal", NULL },
	{ "now+30d<issuer.not_after-1y", "now + 30d < issuer.not_after - 1y" },
	{ "now - (now - 30d) == 720h", "now - (now - 30d) == 30d" },
	{ "(now - 30d) - 2d < now", "now - 30d - 2d < now" },
	{ "2027-12-31T00:00:00Z > now", "2027-12-31 > now" },
	{ "2027-12-31T10:00:01Z > now", NULL },
	{ "request.key in [\"ec-p256\", \"ec-p384\"]", NULL },
	{ "institution.kind != \"court\"", NULL },
	{ "length(person.name) >= 3", NULL },
	{ "starts_with(person.office, \"Jef\") or ends_with(person.email, \".cl\")", NULL },
	{ "contains(person.name, person.attribute(\"unit\"))", NULL },
	{ "matches(person.email, \"[a-z]*@*.example.cl\")", NULL },
	{ "issuer.not_after - now in [1d, 2d]", NULL },
	{ "request.is_renewal in [true]", NULL },
};
/* clang-format on */

static void
canonical_text_is_stable(void **state)
{
	AUTO(arena) a = arena_new();
	struct findings f = { NULL, 0, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
		struct buf out AUTO_BUF = BUF(EXPR_TEXT_MAX);
		const char *want = prints[i].canonical != NULL
				       ? prints[i].canonical
				       : prints[i].text;
		const struct expr *x = compile(prints[i].text, a, &f);

		print_message("%s\n", prints[i].text);
		if (x == NULL)
			fail_msg("%s", f.v[0].err.say);
		assert_int_equal(0, f.len);
		expr_print(&out, expr_copy(a, x));
		assert_string_equal(want, buf_text(&out));
		x = compile(buf_text(&out), a, &f);
		assert_non_null(x);
		buf_reset(&out);
		expr_print(&out, x);
		assert_string_equal(want, buf_text(&out));
	}
}

/* --- Verdicts ----------------------------------------------------------------------- */

static struct policy_facts
good_facts(void)
{
	struct policy_facts f = { .key = KEY_EC_P256,
		.person_kind = PERSON_OFFICIAL,
		.institution_kind = INSTITUTION_MUNICIPALITY,
		.n_attribute = 2,
		.is_renewal = true,
		.now = NOW,
		.issuer_not_after = NOW + 3650 * DAY };

	f.fact[FACT_PERSON_RUN] = bytes_str("12345678-5");
	f.fact[FACT_PERSON_NAME] = bytes_str("Mar\xc3\xad"
					     "a Soto");
	f.fact[FACT_PERSON_OFFICE] = bytes_str("Jefa de Gabinete");
	f.fact[FACT_PERSON_EMAIL] = bytes_str("maria.soto@example.cl");
	f.fact[FACT_INSTITUTION_NAME] = bytes_str("Servicio de Prueba Sur");
	f.fact[FACT_INSTITUTION_RUT] = bytes_str("60100003-2");
	f.attribute[0] =
	    (struct attribute){ bytes_str("grade"), bytes_str("12") };
	f.attribute[1] =
	    (struct attribute){ bytes_str("unit"), bytes_str("TI") };
	return f;
}

/* clang-format off */
static const struct {
	const char *text;
	bool want;
} verdicts[] = {
	/* each fact */
	{ "person.run == \"12345678-5\"", true },
	{ "person.name == \"Mar\xc3\xad" "a Soto\"", true },
	{ "person.office == \"Jefa de Gabinete\"", true },
	{ "person.email == \"maria.soto@example.cl\"", true },
	{ "person.kind == \"official\"", true },
	{ "person.kind == \"authority\"", false },
	{ "person.kind != \"authority\"", true },
	{ "person.kind in [\"authority\", \"official\"]", true },
	{ "person.kind not in [\"authority\", \"official\"]", false },
	{ "institution.rut == \"60100003-2\"", true },
	{ "institution.name == \"Servicio de Prueba Sur\"", true },
	{ "institution.kind == \"municipality\"", true },
	{ "\"municipality\" == institution.kind", true },
	{ "request.key == \"ec-p256\"", true },
	{ "request.key in [\"rsa-3072\", \"rsa-4096\"]", false },
	{ "request.validity == 2y", true },
	{ "request.is_renewal", true },
	{ "request.is_renewal == false", false },
	{ "now == 2026-11-24T10:00:00Z", true },
	{ "issuer.not_after == now + 3650d", true },
	{ "person.attribute(\"grade\") == \"12\"", true },
	{ "person.attribute(\"grade\") in [\"1\", \"2\"]", false },
	/* what is not known is an empty text */
	{ "person.attribute(\"none\") == \"\"", true },
	{ "length(person.attribute(\"none\")) == 0", true },
	{ "contains(person.attribute(\"none\"), \"\")", true },
	{ "contains(person.attribute(\"none\"), \"a\")", false },
	{ "starts_with(person.attribute(\"none\"), \"\")", true },
	{ "matches(person.attribute(\"none\"), \"\")", true },
	{ "matches(person.attribute(\"none\"), \"*\")", true },
	{ "matches(person.attribute(\"none\"), \"?\")", false },
	/* numbers, dates, durations */
	{ "length(person.name) == 10", true },
	{ "length(person.name) < 10", false },
	{ "length(person.name) <= 10", true },
	{ "length(person.name) > 9", true },
	{ "length(person.name) >= 11", false },
	{ "length(person.name) in [9, 10]", true },
	{ "request.validity <= 365d", false },
	{ "request.validity > 365d", true },
	{ "now < 2026-11-25", true },
	{ "now <= 2026-11-24", false },
	{ "now + 14h >= 2026-11-25", true },
	{ "now - 10h == 2026-11-24", true },
	{ "2026-12-24 - now < 30d", true },
	{ "now - 2026-12-24 < 0s", true },
	{ "issuer.not_after - now >= request.validity", true },
	/* sums stop at the ends of their range */
	{ "now + 292277020000y >= now", true },
	{ "now + 292277020000y + 292277020000y >= now", true },
	{ "now - 292277020000y - 292277020000y - 292277020000y < now", true },
	/* and, or, not */
	{ "request.is_renewal and true", true },
	{ "request.is_renewal and false", false },
	{ "false or request.is_renewal", true },
	{ "false or not request.is_renewal", false },
	{ "not not request.is_renewal", true },
	{ "not (request.is_renewal and false)", true },
	{ "not request.validity == 1y", true },
	{ "false and (false or true)", false },
	{ "(false and false) or true", true },
	/* texts */
	{ "starts_with(person.email, \"maria\")", true },
	{ "starts_with(person.email, \"soto\")", false },
	{ "starts_with(\"a\", person.email)", false },
	{ "ends_with(person.email, \"@example.cl\")", true },
	{ "ends_with(person.email, \"@example\")", false },
	{ "ends_with(person.email, \"\")", true },
	{ "contains(person.email, \"soto@\")", true },
	{ "contains(person.email, \"Soto@\")", false },
	{ "person.name == \"mar\xc3\xad" "a soto\"", false },
};

static const struct {
	const char *pattern, *text;
	bool want;
} patterns[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "a", true },
	{ "a", "aa", false },
	{ "a", "", false },
	{ "*", "", true },
	{ "*", "anything", true },
	{ "**", "", true },
	{ "***a***", "a", true },
	{ "***a***", "b", false },
	{ "a*", "a", true },
	{ "*a", "ba", true },
	{ "*a", "ab", false },
	{ "*@example.cl", "maria@example.cl", true },
	{ "*@example.cl", "maria@example.cl.org", false },
	{ "*@*.example.cl", "m@sur.example.cl", true },
	{ "*@*.example.cl", "m@example.cl", false },
	{ "*ab*abc", "abababc", true },
	{ "*aab", "aaaaab", true },
	{ "*a*b*c*", "xxaxxbxxcxx", true },
	{ "*a*b*c*", "xxaxxcxxbxx", false },
	{ "?", "\xc3\xad", true },
	{ "??", "\xc3\xad", false },
	{ "[a-z]", "m", true },
	{ "[a-z]", "M", false },
	{ "[!a-z]", "M", true },
	{ "[!a-z]", "m", false },
	{ "[!a-z]", "", false },
	{ "[a-c0-9]x", "7x", true },
	{ "[-a]", "-", true },
	{ "[a-]", "-", true },
	{ "[\xc3\xa0-\xc3\xbf]", "\xc3\xad", true },
	{ "[\xc3\xa0-\xc3\xbf]", "i", false },
	{ "[*]", "*", true },
	{ "[*]", "a", false },
	{ "[?]", "?", true },
	{ "[[]", "[", true },
	{ "[a!]", "!", true },
	{ "]", "]", true },
	{ "????????????????????????????????????????????????", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv", true },
	{ "????????????????????????????????????????????????", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw", false },
	{ "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};
/* clang-format on */

static void
conditions_say_what_is_so(void **state)
{
	AUTO(arena) a = arena_new();
	struct findings f = { NULL, 0, 0 };
	struct policy_facts facts = good_facts();
	struct expr_env env = { &facts, 730 * DAY };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		const struct expr *x = compile(verdicts[i].text, a, &f);

		print_message("%s\n", verdicts[i].text);
		if (x == NULL)
			fail_msg("%s", f.v[0].err.say);
		assert_int_equal(verdicts[i].want, expr_true(x, &env));
		assert_int_equal(verdicts[i].want,
		    expr_true(expr_copy(a, x), &env));
	}
	findings_fini(&f);
}

static void
patterns_match_the_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		size_t from, len;

		print_message("%s %s\n", patterns[i].pattern, patterns[i].text);
		assert_int_equal(PATTERN_GOOD,
		    pattern_check(bytes_str(patterns[i].pattern), &from, &len));
		assert_int_equal(patterns[i].want,
		    pattern_matches(bytes_str(patterns[i].pattern),
			bytes_str(patterns[i].text)));
	}
}

/* By definition, going back whenever that may help. */
static bool
slow_match(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return slow_match(pattern + 1, text) ||
		       (*text != '\0' && slow_match(pattern, text + 1));
	return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
	       slow_match(pattern + 1, text + 1);
}

/* The n-th text over an alphabet, the shorter first. */
static void
spell(char *out, size_t n, const char *alphabet)
{
	size_t letters = strlen(alphabet);

	for (; n > 0; n = (n - 1) / letters)
		*out++ = alphabet[(n - 1) % letters];
	*out = '\0';
}

static void
patterns_agree_with_their_definition(void **state)
{
	char pattern[16], text[16];

	(void)state;
	/* All patterns of up to 5 pieces on all texts of up to 6 letters. */
	for (size_t i = 0; i < 1365; i++) {
		spell(pattern, i, "ab*?");
		for (size_t k = 0; k < 127; k++) {
			spell(text, k, "ab");
			if (pattern_matches(bytes_str(pattern),
				bytes_str(text)) != slow_match(pattern, text))
				fail_msg("%s on %s", pattern, text);
		}
	}
}

/* A person of whom nothing is known: no comparison with a word holds. */
static void
nothing_known_is_no_word(void **state)
{
	static const char *const no[] = { "person.kind == \"official\"",
		"institution.kind in [\"other\", \"court\"]",
		"person.name == \"x\"", "request.is_renewal",
		"starts_with(person.name, \"x\")" };
	AUTO(arena) a = arena_new();
	struct findings f = { NULL, 0, 0 };
	struct policy_facts facts = { .now = NOW, .key = KEY_TYPES };
	struct expr_env env = { &facts, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(expr_true(compile(no[i], a, &f), &env));
	assert_true(
	    expr_true(compile("person.kind != \"system\"", a, &f), &env));
	for (int k = 1; k < PERSON_KINDS; k++) {
		char text[64];

		snprintf(text, sizeof(text), "person.kind == \"%s\"",
		    person_kind_name((enum person_kind)k));
		facts.person_kind = (enum person_kind)k;
		assert_true(expr_true(compile(text, a, &f), &env));
	}
}

/* --- Facts for explain ------------------------------------------------------------------ */

static void
facts_are_named_once(void **state)
{
	AUTO(arena) a = arena_new();
	struct buf out AUTO_BUF = BUF(4096);
	struct findings f = { NULL, 0, 0 };
	struct policy_facts facts = good_facts();
	struct expr_env env = { &facts, 730 * DAY };

	(void)state;
	expr_facts(&out,
	    compile("(request.validity <= 1y or person.kind == \"authority\") "
		    "and request.validity > 1d and person.attribute(\"none\") "
		    "!= \"x\" and person.attribute(\"grade\") != \"x\" and "
		    "not request.is_renewal and now < 2027-12-31",
		a, &f),
	    &env);
	assert_string_equal("request.validity = 2y, person.kind = "
			    "\"official\", person.attribute(\"none\") = \"\", "
			    "person.attribute(\"grade\") = \"12\", "
			    "request.is_renewal = true, now = "
			    "2026-11-24T10:00:00Z",
	    buf_text(&out));
	facts.fact[FACT_PERSON_NAME] = bytes_str("\xff");
	buf_reset(&out);
	expr_facts(&out, compile("person.name == \"x\"", a, &f), &env);
	assert_string_equal("person.name = unreadable", buf_text(&out));
}

/* --- Mistakes --------------------------------------------------------------------------- */

struct refusal {
	const char *name, *text;
	const char *under;           /* what the caret is under */
	const char *id, *say, *hint; /* NULL: not asked */
};

/* clang-format off */
static const struct refusal refusals[] = {
	/* --- the text itself --- */
	{ "nothing", "", "", "policy-text-empty", NULL, "write a condition, as in person.kind == \"official\"" },
	{ "line break", "true\nand true", NULL, "policy-text-control", NULL, NULL },
	{ "not UTF-8", "\xff", NULL, "policy-utf8", "an octet here is not UTF-8", NULL },
	{ "spaces", "  ", " ", "expr-operand", "something is missing before the end", NULL },
	/* --- signs --- */
	{ "one equals sign", "person.kind = \"official\"", "=", "expr-sign", "= means nothing in a condition", "write ==" },
	{ "and of C", "request.is_renewal && true", "&&", "expr-sign", NULL, "write and" },
	{ "or of C", "request.is_renewal || true", "||", "expr-sign", NULL, "write or" },
	{ "not of C", "!request.is_renewal", "!", "expr-sign", NULL, "write not" },
	{ "other than of SQL", "person.kind <> \"system\"", "<>", "expr-sign", NULL, "write !=" },
	{ "braces of templates", "{person.kind} == \"official\"", "{", "expr-sign", NULL, "facts stand here without braces, as in person.kind" },
	{ "curly quotes", "person.kind == \xe2\x80\x9cofficial\xe2\x80\x9d", "\xe2\x80\x9c", "expr-sign", "\xe2\x80\x9c means nothing in a condition", "write straight quotes: \"text\"" },
	{ "beyond ASCII", "\xc3\xb1 == 1", "\xc3\xb1", "expr-sign", "\xc3\xb1 means nothing in a condition", "write names, values in quotes, and or not in == != < <= > >= + -" },
	{ "times", "2 * 3 == 6", "*", "expr-sign", NULL, "only + and - of dates and durations are known" },
	/* --- values --- */
	{ "open quote", "person.name == \"Ana", "\"", "expr-quote", "the text that begins here does not end", "write a second \" behind it" },
	{ "open single quote", "person.name == 'Ana", "'", "expr-quote", NULL, "write a second ' behind it" },
	{ "unknown unit", "request.validity < 3w", "3w", "expr-number", "3w is no whole number, no duration and no date", "write 12, 90s 15m 6h 30d 2y, or 2027-12-31" },
	{ "fraction", "length(person.name) < 1.5", "1.5", "expr-number", NULL, NULL },
	{ "leading zero", "length(person.name) < 01", "01", "expr-number", NULL, NULL },
	{ "huge number", "length(person.name) < 99999999999999999999", "99999999999999999999", "expr-number", NULL, NULL },
	{ "30 February", "now < 2027-02-30", "2027-02-30", "expr-date", "2027-02-30 is no day of the calendar", "write 2027-12-31, or 2027-12-31T10:00:00Z" },
	{ "month only", "now < 2027-02", "2027-02", "expr-date", NULL, NULL },
	{ "hours without Z", "now < 2027-02-03T10:00:00", "2027-02-03T10:00:00", "expr-date", NULL, NULL },
	/* --- grammar --- */
	{ "nothing behind ==", "person.kind ==", "=", "expr-operand", "something is missing before the end", "write a fact, or a value as 'text', 12, 365d, 2027-12-31, true or false" },
	{ "and first", "and request.is_renewal", "and", "expr-operand", "something is missing before and", NULL },
	{ "minus first", "-1 < 2", "-", "expr-operand", NULL, NULL },
	{ "list first", "[\"a\"] == person.name", "[", "expr-operand", NULL, "a list stands behind in, as in person.kind in [\"official\"]" },
	{ "not behind ==", "true == not request.is_renewal", "not", "expr-operand", NULL, "put not and what it denies into parentheses" },
	{ "two facts", "person.name person.email", "person.email", "expr-operator", "person.email cannot stand here", "write one of == != < <= > >= in, not in, and, or, + - before it" },
	{ "capitals", "request.is_renewal AND true", "AND", "expr-operator", NULL, "did you mean and?" },
	{ "misspelt and", "request.is_renewal adn true", "adn", "expr-operator", NULL, "did you mean and?" },
	{ "is", "person.kind is \"official\"", "is", "expr-operator", NULL, "did you mean ==?" },
	{ "not without in", "person.name not \"x\"", "\"x\"", "expr-operator", NULL, NULL },
	{ "function between", "person.name ends_with \"x\"", "ends_with", "expr-operator", NULL, "write ends_with(TEXT, TEXT)" },
	{ "one ) too many", "(request.is_renewal))", ")", "expr-operator", ") cannot stand here", "delete it" },
	{ "open (", "(request.is_renewal", "(", "expr-open", "what ( opens is not closed", "write ) behind it" },
	{ "open [", "person.name in [\"a\"", "[", "expr-open", "what [ opens is not closed", "write ] behind it" },
	{ "open call", "length(person.name", "(", "expr-open", NULL, NULL },
	{ "and beside or", "request.is_renewal and true or false", "or", "expr-mixed", "and and or stand side by side: which comes first is not said", "write (a and b) or c, or else a and (b or c)" },
	{ "chain", "1d < request.validity < 2d", "<", "expr-chain", "< would compare the result of a comparison", "write two comparisons with and between them" },
	{ "chain with in", "request.validity == 2d in [true]", "in", "expr-chain", NULL, NULL },
	{ "in a fact", "person.name in person.email", "person.email", "expr-list", "person.email is no value of a list in brackets", "write in [\"one\", \"two\"]; a list holds values, not facts" },
	{ "fact in a list", "person.name in [\"a\", person.email]", "person.email", "expr-list", NULL, NULL },
	{ "empty list", "person.name in []", "]", "expr-list", "] is no value of a list in brackets", NULL },
	{ "comma at the end", "person.name in [\"a\",]", "]", "expr-list", NULL, NULL },
	{ "17 parentheses", "(((((((((((((((((true)))))))))))))))))", "(", "expr-depth", "there are more than 16 levels of parentheses and not", "make two conditions of it" },
	/* --- names --- */
	{ "misspelt fact", "persn.kind == \"official\"", "persn.kind", "expr-fact", "conditions know no fact persn.kind", "did you mean person.kind?" },
	{ "unknown fact", "weather == \"official\"", "weather", "expr-fact", NULL, "texts stand in quotes; facts are person.*, institution.*, request.*, now, issuer.not_after" },
	{ "word without quotes", "person.kind == official", "official", "expr-fact", NULL, "write it in quotes: \"official\"" },
	{ "word with a dash without quotes", "person.kind == subordinate-ca", "subordinate-ca", "expr-fact", "conditions know no fact subordinate-ca", "write it in quotes: \"subordinate-ca\"" },
	{ "attribute of templates", "person.attribute.grade == \"1\"", "person.attribute.grade", "expr-fact", NULL, "write person.attribute(\"grade\")" },
	{ "misspelt function", "lenght(person.name) < 3", "lenght", "expr-function", "conditions know no function lenght", "did you mean length?" },
	{ "unknown function", "system(person.name)", "system", "expr-function", NULL, "allowed: starts_with, ends_with, contains, matches, length" },
	{ "function alone", "length < 3", "length", "expr-call", "length needs parentheses", "write length(TEXT)" },
	{ "attribute alone", "person.attribute == \"x\"", "person.attribute", "expr-call", NULL, "write person.attribute(\"grade\")" },
	{ "three texts", "contains(person.name, \"a\", \"b\")", "contains(person.name, \"a\", \"b\")", "expr-arguments", "contains has too many or too few texts between its parentheses", "write contains(TEXT, TEXT)" },
	{ "one text", "matches(person.name)", "matches(person.name)", "expr-arguments", NULL, NULL },
	{ "no text", "length()", ")", "expr-operand", NULL, NULL },
	{ "attribute in capitals", "person.attribute(\"Grade\") == \"1\"", "\"Grade\"", "expr-attribute", "\"Grade\" is no name of an attribute", "write it in quotes: a small letter, then a-z 0-9 _ -, as in \"grade\"" },
	{ "attribute by a fact", "person.attribute(person.name) == \"1\"", "person.name", "expr-attribute", NULL, NULL },
	/* --- types --- */
	{ "misspelt word", "person.kind == \"offical\"", "\"offical\"", "expr-word", "person.kind is never \"offical\"", "did you mean \"official\"? allowed: official, authority, minister, system, subordinate-ca" },
	{ "word of another list", "institution.kind == \"official\"", "\"official\"", "expr-word", NULL, "allowed: ministry, service, municipality, university, court, other" },
	{ "misspelt word in a list", "person.kind in [\"official\", \"sistem\"]", "\"sistem\"", "expr-word", NULL, NULL },
	{ "misspelt word on the left", "\"offical\" == person.kind", "\"offical\"", "expr-word", NULL, NULL },
	{ "empty word", "person.kind == \"\"", "\"\"", "expr-word", "person.kind is never \"\"", NULL },
	{ "key of no type", "request.key == \"ed448\"", "\"ed448\"", "expr-word", NULL, "allowed: ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096, rsa-pss-2048, rsa-pss-3072, rsa-pss-4096, ed25519, ml-dsa-44, ml-dsa-65, ml-dsa-87" },
	{ "text and number", "person.attribute(\"grade\") == 12", "12", "expr-types", "== cannot compare a text with a number", "write the number in quotes; length(...) counts characters" },
	{ "duration without unit", "request.validity <= 365", "365", "expr-types", "<= cannot compare a duration with a number", "write a duration with its unit, as in 365d" },
	{ "duration in quotes", "request.validity <= \"365d\"", "\"365d\"", "expr-types", NULL, "write a duration without quotes, as in 365d" },
	{ "date in quotes", "now < \"2027-12-31\"", "\"2027-12-31\"", "expr-types", NULL, "write a date without quotes" },
	{ "date and duration", "request.validity < now", "now", "expr-types", NULL, "date + duration is a date, date - date is a duration" },
	{ "truth and number", "request.is_renewal == 1", "1", "expr-types", "== cannot compare true or false with a number", "what is true or false stands alone, or after not" },
	{ "kinds of two things", "person.kind == institution.kind", "institution.kind", "expr-types", "== cannot compare a kind of person with a kind of institution", "compare things of one type" },
	{ "kind and fact", "person.kind == person.name", "person.name", "expr-types", NULL, NULL },
	{ "mixed list", "person.name in [\"a\", 2]", "2", "expr-types", "in cannot compare a text with a number", NULL },
	{ "text twice in a list", "person.name in [\"a\", \"b\", 'a']", "'a'", "expr-twice", "'a' stands in the list a second time", "delete it" },
	{ "duration twice in a list", "request.validity in [365d, 1y]", "1y", "expr-twice", NULL, NULL },
	{ "less than a text", "person.attribute(\"grade\") < \"12\"", "person.attribute(\"grade\")", "expr-order", "a text has no order for <", "name the values: person.attribute(\"grade\") in [\"...\", \"...\"]" },
	{ "less than a kind", "person.kind >= \"official\"", "person.kind", "expr-order", "a kind of person has no order for >=", NULL },
	{ "less than true", "request.is_renewal < true", "request.is_renewal", "expr-order", NULL, "what is true or false stands alone, or after not" },
	{ "two dates", "now + issuer.not_after > now", "now + issuer.not_after", "expr-sum", "a date + a date has no meaning", "date + duration, date - duration and date - date are known" },
	{ "two numbers", "length(person.name) + 1 > 3", "length(person.name) + 1", "expr-sum", NULL, NULL },
	{ "two texts", "person.name + \"x\" == \"yx\"", "person.name + \"x\"", "expr-sum", NULL, NULL },
	{ "a date alone", "now", "now", "expr-truth", "this is a date, where something true or false belongs", "compare it, as in now == ..." },
	{ "a text for and", "request.is_renewal and person.name", "person.name", "expr-truth", NULL, NULL },
	{ "not a text", "not person.name", "person.name", "expr-truth", NULL, NULL },
	{ "length of a kind", "length(person.kind) > 3", "person.kind", "expr-argument", "length takes a text, and this is a kind of person", "compare it with == or in" },
	{ "contains a number", "contains(person.name, 3)", "3", "expr-argument", NULL, "write a text, as in \"text\"" },
	{ "pattern from the registry", "matches(person.name, person.email)", "person.email", "expr-pattern-fixed", "a pattern is a text in quotes, not person.email", "contains(TEXT, PART) looks for a fact in another" },
	{ "[ without ]", "matches(person.name, \"a[bc\")", "[bc", "expr-pattern", "the pattern has [ without a ] behind it", "write [abc] for one of these, [[] for the bracket itself" },
	{ "nothing in brackets", "matches(person.name, \"a[]\")", "[]", "expr-pattern", "the pattern has brackets with nothing between them", "name the characters, as in [a-z]" },
	{ "not in nothing", "matches(person.name, \"a[!]\")", "[!]", "expr-pattern", NULL, NULL },
	{ "caret", "matches(person.name, \"[^a]\")", "[^a]", "expr-pattern", "the pattern has ^, where ! means none", "write [!a-z]" },
	{ "backwards", "matches(person.name, \"\xc3\xad[z-a]\")", "[z-a]", "expr-pattern", "the pattern has a range that runs backwards", "write the smaller first, as in [a-z]" },
	{ "49 pieces, in parentheses", "matches(person.name, (\"????????????????????????????????????????????????x\"))", "x", "expr-pattern", "the pattern has more than 48 pieces", "shorten it, or make two patterns of it" },
};
/* clang-format on */

static bool
is_under(const struct finding *f, const char *text, const char *under)
{
	const uint8_t *p = (const uint8_t *)text, *end = p + strlen(text);
	const uint8_t *from;

	for (uint32_t c = 1; c < f->err.where.col; c++)
		(void)utf8_next(&p, end);
	from = p;
	for (uint32_t c = 0; c < f->width && p < end; c++)
		(void)utf8_next(&p, end);
	return bytes_is(bytes_of(from, (size_t)(p - from)), under);
}

static void
mistakes_have_place_and_sentence(void **state)
{
	AUTO(arena) a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct findings f = { NULL, 0, 0 };

		print_message("%s\n", r->name);
		assert_null(compile(r->text, a, &f));
		assert_int_equal(1, f.errors);
		assert_string_equal(r->id, f.v[0].err.id);
		assert_int_equal(1, f.v[0].err.where.line);
		assert_string_equal("when", f.v[0].err.where.file);
		if (r->say != NULL)
			assert_string_equal(r->say, f.v[0].err.say);
		if (r->hint != NULL)
			assert_string_equal(r->hint, f.v[0].hint);
		if (r->under != NULL && !is_under(&f.v[0], r->text, r->under))
			fail_msg("%u+%u", f.v[0].err.where.col, f.v[0].width);
		findings_fini(&f);
	}
}

static void
all_mistakes_in_one_run(void **state)
{
	static const char *const ids[] = { "expr-word", "expr-fact",
		"expr-types", "expr-pattern", "expr-truth" };
	AUTO(arena) a = arena_new();
	struct findings f = { NULL, 0, 0 };

	(void)state;
	assert_null(compile("person.kind == \"x\" and persn.name == \"x\" and "
			    "request.validity < 3 and matches(person.name, "
			    "\"[\") and person.name",
	    a, &f));
	assert_int_equal(ARRAY_LEN(ids), f.errors);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_string_equal(ids[i], f.v[i].err.id);
	findings_fini(&f);
}

/* --- Limits ------------------------------------------------------------------------------ */

static void
limits_are_exact(void **state)
{
	AUTO(arena) a = arena_new();
	struct findings f = { NULL, 0, 0 };
	struct buf text AUTO_BUF = BUF(8192);

	(void)state;
	/* 32 facts and 31 operators, then two more. */
	buf_puts(&text, "request.is_renewal");
	for (int i = 0; i < 31; i++)
		buf_puts(&text, " or request.is_renewal");
	assert_non_null(compile(buf_text(&text), a, &f));
	buf_puts(&text, " or request.is_renewal");
	assert_null(compile(buf_text(&text), a, &f));
	assert_string_equal("expr-operations", f.v[0].err.id);
	assert_string_equal("the condition has more than 64 facts, values and "
			    "operators",
	    f.v[0].err.say);
	findings_fini(&f);
	/* 1024 octets, then one more. */
	buf_reset(&text);
	buf_puts(&text, "person.name == \"");
	while (text.len < EXPR_TEXT_MAX - 1)
		buf_putc(&text, 'a');
	buf_putc(&text, '"');
	assert_non_null(compile(buf_text(&text), a, &f));
	text.p[text.len - 1] = 'a';
	buf_putc(&text, '"');
	assert_null(compile(buf_text(&text), a, &f));
	assert_string_equal("expr-long", f.v[0].err.id);
	findings_fini(&f);
	/* The same without spaces: printed it would not be read again. */
	buf_drop(&text, text.len);
	buf_puts(&text, "person.name==\"");
	while (text.len < EXPR_TEXT_MAX - 1)
		buf_putc(&text, 'a');
	buf_putc(&text, '"');
	assert_null(compile(buf_text(&text), a, &f));
	assert_string_equal("the condition is longer than 1024 octets, written "
			    "with one space around each operator",
	    f.v[0].err.say);
	findings_fini(&f);
}

static void
a_condition_without_facts_is_a_warning(void **state)
{
	AUTO(arena) a = arena_new();
	struct findings f = { NULL, 0, 0 };

	(void)state;
	assert_non_null(compile("1 < 2", a, &f));
	assert_int_equal(0, f.errors);
	assert_int_equal(1, f.len);
	assert_true(f.v[0].is_warning);
	assert_string_equal("the condition asks for no fact: it is always the "
			    "same",
	    f.v[0].err.say);
	assert_int_equal(5, f.v[0].width);
	findings_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_text_is_stable),
		cmocka_unit_test(conditions_say_what_is_so),
		cmocka_unit_test(patterns_match_the_whole),
		cmocka_unit_test(patterns_agree_with_their_definition),
		cmocka_unit_test(nothing_known_is_no_word),
		cmocka_unit_test(facts_are_named_once),
		cmocka_unit_test(mistakes_have_place_and_sentence),
		cmocka_unit_test(all_mistakes_in_one_run),
		cmocka_unit_test(limits_are_exact),
		cmocka_unit_test(a_condition_without_facts_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
