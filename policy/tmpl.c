/*
 * tmpl - texts with facts in braces: "{person.name}".
 */
#include "internal.h"

static const char *const fact_names[FACT_COUNT] = {
	[FACT_PERSON_RUN] = "person.run",
	[FACT_PERSON_NAME] = "person.name",
	[FACT_PERSON_OFFICE] = "person.office",
	[FACT_PERSON_EMAIL] = "person.email",
	[FACT_INSTITUTION_NAME] = "institution.name",
	[FACT_INSTITUTION_RUT] = "institution.rut",
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

static bool
fact_decode(struct load *l, const struct node *n, size_t from, size_t len,
    int *out)
{
	struct bytes name = bytes_of(n->text.p + from + 1, len - 2);
	struct where at;
	struct err e;
	const char *near;
	uint32_t width;

	for (int f = 0; f < FACT_COUNT; f++) {
		if (bytes_is(name, fact_names[f])) {
			*out = f;
			return true;
		}
	}
	width = place_in(l, n, from, len, &at);
	near = nearest_word(name, fact_names, FACT_COUNT);
	err_at(&e, ERR_INVALID, "policy-fact-unknown", NULL, at,
	    "there is no fact %s",
	    arena_str(l->arena, bytes_of(n->text.p + from, len)));
	if (near != NULL)
		report(l, width, &e, "did you mean {%s}?", near);
	else
		report(l, width, &e,
		    "allowed: person.run, person.name, person.office, "
		    "person.email, institution.name, institution.rut");
	return false;
}

static bool
part_add(struct load *l, const struct node *n, struct tmpl *t, int fact,
    struct bytes literal)
{
	struct err e;

	if (t->n < ARRAY_LEN(t->part)) {
		t->part[t->n++] = (struct tmpl_part){ fact, literal };
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
		int fact = -1;

		if (t.p[i] == '}')
			return refuse_brace(l, n, i);
		if (t.p[i] != '{') {
			while (i < t.len && t.p[i] != '{' && t.p[i] != '}')
				i++;
			ok = part_add(l, n, &made, -1,
			    bytes_of(t.p + from, i - from));
			continue;
		}
		for (i++; i < t.len && t.p[i] != '}' && t.p[i] != '{'; i++)
			;
		if (i == t.len || t.p[i] == '{')
			return refuse_brace(l, n, from);
		i++;
		ok = fact_decode(l, n, from, i - from, &fact) &&
		     part_add(l, n, &made, fact, BYTES_NONE);
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

void
tmpl_fill(const struct tmpl *t, const struct bytes fact[FACT_COUNT],
    struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tmpl_part *part = &t->part[i];
		struct bytes b =
		    part->fact < 0 ? part->literal : fact[part->fact];

		buf_put(out, b.p, b.len);
	}
}
