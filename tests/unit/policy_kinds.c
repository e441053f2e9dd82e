/*
 * Kinds of people and institutions, and attributes: words and sentences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <refrendo/policy.h>

static void
every_word_parses(void **state)
{
	struct err e;

	(void)state;
	for (int i = 1; i < PERSON_KINDS; i++) {
		enum person_kind want = (enum person_kind)i, got;

		assert_int_equal(ERR_OK,
		    person_kind_parse(bytes_str(person_kind_name(want)), &got,
			&e));
		assert_int_equal(want, got);
	}
	for (int i = 1; i < INSTITUTION_KINDS; i++) {
		enum institution_kind want = (enum institution_kind)i, got;

		assert_int_equal(ERR_OK,
		    institution_kind_parse(bytes_str(
					       institution_kind_name(want)),
			&got, &e));
		assert_int_equal(want, got);
	}
}

static void
unstated_has_no_word(void **state)
{
	enum person_kind person = PERSON_SYSTEM;
	enum institution_kind inst = INSTITUTION_COURT;
	struct err e;

	(void)state;
	assert_string_equal("", person_kind_name(PERSON_UNSTATED));
	assert_string_equal("", person_kind_name(PERSON_KINDS));
	assert_string_equal("", institution_kind_name(INSTITUTION_UNSTATED));
	assert_int_equal(ERR_INVALID,
	    person_kind_parse(BYTES_NONE, &person, &e));
	assert_string_equal("\"\" is no kind of person; write official, "
			    "authority, minister, system or subordinate-ca",
	    e.say);
	assert_int_equal(PERSON_SYSTEM, person);
	assert_int_equal(ERR_INVALID,
	    institution_kind_parse(BYTES_NONE, &inst, &e));
	assert_int_equal(INSTITUTION_COURT, inst);
}

static void
unknown_words_have_a_sentence(void **state)
{
	enum person_kind person;
	enum institution_kind inst;
	struct err e;

	(void)state;
	assert_int_equal(ERR_INVALID,
	    person_kind_parse(bytes_str("Official"), &person, &e));
	assert_string_equal("person-kind", e.id);
	assert_string_equal("\"Official\" is no kind of person; write "
			    "official, authority, minister, system or "
			    "subordinate-ca",
	    e.say);
	assert_string_equal("kind", e.where.field);
	assert_int_equal(ERR_INVALID,
	    institution_kind_parse(bytes_str("town"), &inst, &e));
	assert_string_equal("institution-kind", e.id);
	assert_string_equal("\"town\" is no kind of institution; write "
			    "ministry, service, municipality, university, "
			    "court or other",
	    e.say);
}

#define NAME_SAY                                                           \
	"the name of an attribute is a small letter and up to 31 more of " \
	"a-z, 0-9, _ and -, as in grade"
#define VALUE_SAY                                                           \
	"the value of an attribute is 1 to 256 octets of text that people " \
	"can see; to take it away, leave the attribute out"

/* clang-format off */
static const struct {
	const char *name, *attribute, *value, *say;
} attributes[] = {
	{ "plain", "grade", "12", NULL },
	{ "every character", "a0_-z", "Subsecretar\xc3\xad" "a", NULL },
	{ "longest", "abcdefghijklmnopqrstuvwxyz012345", "x", NULL },
	{ "one more", "abcdefghijklmnopqrstuvwxyz0123456", "x", NAME_SAY },
	{ "no name", "", "x", NAME_SAY },
	{ "digit first", "1st", "x", NAME_SAY },
	{ "capital", "Grade", "x", NAME_SAY },
	{ "dot", "a.b", "x", NAME_SAY },
	{ "no value", "grade", "", VALUE_SAY },
	{ "not UTF-8", "grade", "\xed", VALUE_SAY },
	{ "backwards", "grade", "a\xe2\x80\xae", VALUE_SAY },
};
/* clang-format on */

static void
attributes_are_checked(void **state)
{
	char longest[ATTRIBUTE_VALUE_MAX + 2];
	struct attribute a;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		a.name = bytes_str(attributes[i].attribute);
		a.value = bytes_str(attributes[i].value);
		print_message("%s\n", attributes[i].name);
		if (attributes[i].say == NULL) {
			assert_int_equal(ERR_OK, attribute_check(&a, &e));
			continue;
		}
		assert_int_equal(ERR_INVALID, attribute_check(&a, &e));
		assert_string_equal(attributes[i].say, e.say);
	}
	memset(longest, 'x', sizeof(longest));
	a.name = bytes_str("grade");
	a.value = bytes_of(longest, ATTRIBUTE_VALUE_MAX);
	assert_int_equal(ERR_OK, attribute_check(&a, &e));
	a.value = bytes_of(longest, ATTRIBUTE_VALUE_MAX + 1);
	assert_int_equal(ERR_INVALID, attribute_check(&a, &e));
}

static void
an_attribute_is_found(void **state)
{
	struct policy_facts f = { .n_attribute = 2 };

	(void)state;
	f.attribute[0] =
	    (struct attribute){ bytes_str("grade"), bytes_str("12") };
	f.attribute[1] =
	    (struct attribute){ bytes_str("unit"), bytes_str("TI") };
	assert_true(bytes_is(policy_attribute(&f, bytes_str("unit")), "TI"));
	assert_true(bytes_is(policy_attribute(&f, bytes_str("uni")), ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_parses),
		cmocka_unit_test(unstated_has_no_word),
		cmocka_unit_test(unknown_words_have_a_sentence),
		cmocka_unit_test(attributes_are_checked),
		cmocka_unit_test(an_attribute_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
