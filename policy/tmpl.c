/*
 * tmpl - texts with facts in braces: "{person.name}".
 */
#include "internal.h"

static const char *const fact_names[FACTS_ALL] = {
	[FACT_PERSON_RUN] = "person.run",
	[FACT_PERSON_NAME] = "person.name",
	[FACT_PERSON_OFFICE] = "person.office",
	[FACT_PERSON_EMAIL] = "person.email",
	[FACT_INSTITUTION_NAME] = "institution.name",
	[FACT_INSTITUTION_RUT] = "institution.rut",
	[FACT_PERSON_KIND] = "person.kind",
	[FACT_INSTITUTION_KIND] = "institution.kind",
	[FACT_ATTRIBUTE] = "person.attribute.",
};

const char *
policy_fact_name(enum policy_fact f)
{
	return fact_names[f];
}

uint32_t
place_in(const struct load *l, const struct node *n, size_t from, size_t len,
    struct where *at)
{
	size_t quotes = n->plain ? 0 : 2;

	*at = where_of(l, n);
	if (utf8_count(n->text) + quotes != n->width)
		return n->width;
	at->col +=
	    (uint32_t)(utf8_count(bytes_of(n->text.p, from)) + quotes / 2);
	return (uint32_t)utf8_count(bytes_of(n->text.p + from, len));
}

static bool
refuse_brace(struct load *l, const struct node *n, size_t from)
{
	struct where at;
	uint32_t width = place_in(l, n, from, 1, &at);
	struct err e;

	err_at(&e, ERR_INVALID, "policy-brace", NULL, at,
	    "this brace does not enclose the name of a fact");
	report(l, width, &e, "write facts as {person.name}");
	return false;
}

/* The name in person.attribute.NAME. */
static bool
attribute_of(struct bytes name, struct bytes *out)
{
	const char *head = fact_names[FACT_ATTRIBUTE];
	size_t len = strlen(head);

	if (name.len <= len || memcmp(name.p, head, len) != 0)
		return false;
	*out = bytes_of(name.p + len, name.len - len);
	return attribute_name_valid(*out);
}

static bool
fact_decode(struct load *l, const struct node *n, size_t from, size_t len,
    struct tmpl_part *out)
{
	struct bytes name = bytes_of(n->text.p + from + 1, len - 2);
	struct where at;
	struct err e;
	const char *near;
	uint32_t width;

	for (int f = 0; f < FACT_ATTRIBUTE; f++) {
		if (bytes_is(name, fact_names[f])) {
			out->fact = f;
			return true;
		}
	}
	if (attribute_of(name, &out->literal)) {
		out->fact = FACT_ATTRIBUTE;
		return true;
	}
	width = place_in(l, n, from, len, &at);
	near = nearest_word(name, fact_names, FACT_ATTRIBUTE);
	err_at(&e, ERR_INVALID, "policy-fact-unknown", NULL, at,
	    "there is no fact %s",
	    arena_str(l->arena, bytes_of(n->text.p + from, len)));
	if (near != NULL)
		report(l, width, &e, "did you mean {%s}?", near);
	else
		report(l, width, &e,
		    "allowed: person.run, .name, .office, .email, .kind, "
		    ".attribute.NAME, institution.name, .rut, .kind");
	return false;
}

static bool
part_add(struct load *l, const struct node *n, struct tmpl *t,
    const struct tmpl_part *part)
{
	struct err e;

	if (t->n < ARRAY_LEN(t->part)) {
		t->part[t->n++] = *part;
		return true;
	}
	err_at(&e, ERR_INVALID, "policy-pieces", NULL, where_of(l, n),
	    "the text has more than 6 pieces of text and facts");
	report(l, n->width, &e, "use fewer facts");
	return false;
}

bool
tmpl_decode(struct load *l, const struct node *n, struct tmpl *out)
{
	struct bytes t = n->text;
	struct tmpl made = { .n = 0 };
	size_t i = 0;
	bool ok = true;

	if (!text_is(l, n, "write a text, as in \"{person.name}\""))
		return false;
	while (i < t.len && ok) {
		size_t from = i;
		struct tmpl_part part = { .fact = -1 };

		if (t.p[i] == '}')
			return refuse_brace(l, n, i);
		if (t.p[i] != '{') {
			while (i < t.len && t.p[i] != '{' && t.p[i] != '}')
				i++;
			part.literal = bytes_of(t.p + from, i - from);
			ok = part_add(l, n, &made, &part);
			continue;
		}
		for (i++; i < t.len && t.p[i] != '}' && t.p[i] != '{'; i++)
			;
		if (i == t.len || t.p[i] == '{')
			return refuse_brace(l, n, from);
		i++;
		ok = fact_decode(l, n, from, i - from, &part) &&
		     part_add(l, n, &made, &part);
	}
	if (ok)
		*out = made;
	return ok;
}

bool
tmpl_uses(const struct tmpl *t, enum policy_fact fact)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->part[i].fact == (int)fact)
			return true;
	}
	return false;
}

struct bytes
tmpl_fact(const struct tmpl_part *part, const struct policy_facts *facts)
{
	if (part->fact < 0)
		return part->literal;
	if (part->fact < FACT_COUNT)
		return facts->fact[part->fact];
	if (part->fact == FACT_ATTRIBUTE)
		return policy_attribute(facts, part->literal);
	return bytes_str(part->fact == FACT_PERSON_KIND
			     ? person_kind_name(facts->person_kind)
			     : institution_kind_name(facts->institution_kind));
}

struct bytes
tmpl_text(const struct tmpl *t, const struct policy_facts *facts,
    struct arena *a)
{
	struct bytes piece[ARRAY_LEN(t->part)];
	size_t len = 0, at = 0;
	uint8_t *p;

	for (size_t i = 0; i < t->n; i++) {
		piece[i] = tmpl_fact(&t->part[i], facts);
		len += piece[i].len;
	}
	p = arena_get(a, len + 1);
	for (size_t i = 0; i < t->n; i++) {
		if (piece[i].len > 0)
			memcpy(p + at, piece[i].p, piece[i].len);
		at += piece[i].len;
	}
	return bytes_of(p, len);
}
