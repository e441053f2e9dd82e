/*
 * kinds - the words of the registry that policies decide by: kinds of people
 * and of institutions, names of attributes.
 */
#include "internal.h"

const char *const person_kind_words[PERSON_KINDS + 1] = {
	[PERSON_UNSTATED] = "",
	[PERSON_OFFICIAL] = "official",
	[PERSON_AUTHORITY] = "authority",
	[PERSON_MINISTER] = "minister",
	[PERSON_SYSTEM] = "system",
	[PERSON_SUBORDINATE_CA] = "subordinate-ca",
};

const char *const institution_kind_words[INSTITUTION_KINDS + 1] = {
	[INSTITUTION_UNSTATED] = "",
	[INSTITUTION_MINISTRY] = "ministry",
	[INSTITUTION_SERVICE] = "service",
	[INSTITUTION_MUNICIPALITY] = "municipality",
	[INSTITUTION_UNIVERSITY] = "university",
	[INSTITUTION_COURT] = "court",
	[INSTITUTION_OTHER] = "other",
};

const char *
person_kind_name(enum person_kind k)
{
	return k < PERSON_KINDS ? person_kind_words[k] : "";
}

const char *
institution_kind_name(enum institution_kind k)
{
	return k < INSTITUTION_KINDS ? institution_kind_words[k] : "";
}

/* The place of a word among words[1..n), or 0: no word is unstated. */
static int
kind_find(struct bytes word, const char *const *words, int n)
{
	for (int k = 1; k < n; k++) {
		if (bytes_is(word, words[k]))
			return k;
	}
	return 0;
}

enum err_code
person_kind_parse(struct bytes word, enum person_kind *out, struct err *e)
{
	int k = kind_find(word, person_kind_words, PERSON_KINDS);
	char got[48];

	if (k != 0) {
		*out = (enum person_kind)k;
		return ERR_OK;
	}
	snprintf(got, sizeof(got), "\"%.*s\"", BYTES_FMT(word));
	return err_at(e, ERR_INVALID, "person-kind", NULL, at_field("kind"),
	    "%s is no kind of person; write official, authority, minister, "
	    "system or subordinate-ca",
	    got);
}

enum err_code
institution_kind_parse(struct bytes word, enum institution_kind *out,
    struct err *e)
{
	int k = kind_find(word, institution_kind_words, INSTITUTION_KINDS);
	char got[48];

	if (k != 0) {
		*out = (enum institution_kind)k;
		return ERR_OK;
	}
	snprintf(got, sizeof(got), "\"%.*s\"", BYTES_FMT(word));
	return err_at(e, ERR_INVALID, "institution-kind", NULL,
	    at_field("kind"),
	    "%s is no kind of institution; write ministry, service, "
	    "municipality, university, court or other",
	    got);
}

/* --- Attributes ------------------------------------------------------------------ */

bool
attribute_name_valid(struct bytes name)
{
	if (name.len == 0 || name.len > ATTRIBUTE_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		bool letter = name.p[i] >= 'a' && name.p[i] <= 'z';
		bool rest = (name.p[i] >= '0' && name.p[i] <= '9') ||
			    name.p[i] == '_' || name.p[i] == '-';

		if (!letter && (i == 0 || !rest))
			return false;
	}
	return true;
}

enum err_code
attribute_check(const struct attribute *a, struct err *e)
{
	if (!attribute_name_valid(a->name))
		return err_at(e, ERR_INVALID, "attribute-name", NULL,
		    at_field("attributes"),
		    "the name of an attribute is a small letter and up to 31 "
		    "more of a-z, 0-9, _ and -, as in grade");
	if (a->value.len > 0 && a->value.len <= ATTRIBUTE_VALUE_MAX &&
	    utf8_valid(a->value) && text_clean(a->value))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "attribute-value", NULL,
	    at_field("attributes"),
	    "the value of an attribute is 1 to 256 octets of text that people "
	    "can see; to take it away, leave the attribute out");
}

struct bytes
policy_attribute(const struct policy_facts *facts, struct bytes name)
{
	for (size_t i = 0; i < facts->n_attribute; i++) {
		if (bytes_eq(facts->attribute[i].name, name))
			return facts->attribute[i].value;
	}
	return BYTES_NONE;
}
