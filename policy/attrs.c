/*
 * attrs - attributes of a name: a text, or a map with the text, its type of
 * string and what happens when it is too long.
 */
#include "internal.h"

static void
refuse_attribute(struct load *l, const struct node *key)
{
	const char *words[24], *near;
	char list[150] = "";
	struct err e;

	for (size_t i = 0; i < n_subject_types; i++) {
		size_t len = strlen(list);

		words[i] = name_attr_word(subject_types[i]);
		snprintf(list + len, sizeof(list) - len, "%s%s",
		    i > 0 ? ", " : "", words[i]);
	}
	near = nearest_word(key->text, words, n_subject_types);
	err_at(&e, ERR_INVALID, "policy-attribute-unknown", "X.520",
	    where_of(l, key), "there is no attribute %s in names of ours",
	    (const char *)key->text.p);
	report(l, key->width, &e, "%s%s%s",
	    near != NULL ? "did you mean " : "allowed: ",
	    near != NULL ? near : list, near != NULL ? "?" : "");
}

/* What is cut of these is somebody else's, or nobody's. */
static void
check_clip(struct load *l, const struct said_attr *said, enum pkix_oid type)
{
	const struct value *clip = &said->too_long;
	struct err e;

	if (!clip->ok || clip->n == 0 ||
	    (type != OID_C && type != OID_SERIAL_NUMBER && type != OID_EMAIL &&
		type != OID_ORGANIZATION_ID))
		return;
	err_at(&e, ERR_DENIED, "policy-attribute-clip", "RFC 5280 4.1.2.6",
	    where_of(l, clip->at),
	    "%s identifies the holder: a part of it is another identity",
	    name_attr_word(type));
	report(l, clip->at->width, &e, "write refuse, or delete the key");
}

/* value, string, max, too_long. */
static bool
attr_decode(struct load *l, const struct node *n, struct said_subject *s)
{
	struct said_attr *said = arena_get(l->arena, sizeof(*said));
	size_t errors = l->f->errors;
	const struct value *max = &said->max;
	char most[24];
	struct err e;

	rows_decode(l, n, &attr_table, said);
	s->value = said->value.tmpl;
	s->clip = said->too_long.n != 0;
	s->string = (enum name_string)said->string.n;
	if (max->given && max->ok && max->n > s->max) {
		snprintf(most, sizeof(most), "%lld", (long long)s->max);
		err_at(&e, ERR_DENIED, "policy-attribute-max",
		    "RFC 5280 appendix A.1", where_of(l, max->at),
		    "%s may have %s characters at most",
		    name_attr_word(s->type), most);
		report(l, max->at->width, &e, "write %s or less", most);
	} else if (max->given) {
		s->max = max->n;
	}
	if (said->string.ok && !name_attr_takes(s->type, s->string)) {
		err_at(&e, ERR_INVALID, "policy-attribute-string",
		    "RFC 5280 appendix A.1", where_of(l, said->string.at),
		    "%s is never a string of this type",
		    name_attr_word(s->type));
		report(l, said->string.at->width, &e, "delete the key");
	}
	check_clip(l, said, s->type);
	return l->f->errors == errors && said->value.ok;
}

bool
subject_decode(struct load *l, const struct node *n, struct value *v)
{
	struct said_subject *s;

	if (!is_map(l, n, NULL) || !is_count(l, n, 1, NAME_ATTRS_MAX))
		return false;
	s = arena_get(l->arena, n->n * sizeof(*s));
	v->items = s;
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		const struct row r = { .key = "", .type = T_TMPL };
		struct said_subject *one = &s[v->count];
		struct value text = { .at = c };

		if (c->key->kind != NODE_TEXT)
			continue;
		if (!name_attr_parse(c->key->text, &one->type)) {
			refuse_attribute(l, c->key);
			continue;
		}
		one->at = c;
		one->max = (int64_t)name_attr_max(one->type);
		if (c->kind == NODE_MAP) {
			one->ok = attr_decode(l, c, one);
		} else {
			one->ok = scalar_decode(l, c, &r, &text);
			one->value = text.tmpl;
		}
		v->count++;
	}
	return true;
}
