/*
 * compose - a refinement and its base.  What the refinement does not say it
 * inherits, node by node; what it says may only narrow, each row in its way.
 */
#include "internal.h"

/* --- One map out of two ---------------------------------------------------------- */

static void
adopt(struct load *l, struct node *map, const struct node *child)
{
	struct node *n = arena_get(l->arena, sizeof(*n));

	*n = *child;
	n->next = NULL;
	if (map->last == NULL)
		map->child = n;
	else
		map->last->next = n;
	map->last = n;
	map->n++;
}

static struct node *
empty_like(struct load *l, const struct node *from)
{
	struct node *n = arena_get(l->arena, sizeof(*n));

	*n = *from;
	n->child = n->last = n->next = NULL;
	n->n = 0;
	return n;
}

/* The base's entries, then those of the refinement. */
static struct node *
joined(struct load *l, const struct node *own, const struct node *base)
{
	struct node *all = empty_like(l, own);

	for (const struct node *c = base->child; c != NULL; c = c->next)
		adopt(l, all, c);
	for (const struct node *c = own->child; c != NULL; c = c->next)
		adopt(l, all, c);
	return all;
}

static const struct row *
row_of(const struct table *t, const struct node *n)
{
	for (size_t i = 0; i < t->n; i++) {
		if (n->key->kind == NODE_TEXT &&
		    bytes_is(n->key->text, t->rows[i].key))
			return &t->rows[i];
	}
	return NULL;
}

struct node *
compose(struct load *l, const struct node *own, const struct node *base,
    const struct table *t)
{
	struct node *all = empty_like(l, own);

	for (const struct node *c = own->child; c != NULL; c = c->next) {
		const struct row *r = row_of(t, c);
		const struct node *old =
		    r != NULL ? node_find(base, r->key) : NULL;

		if (old == NULL || old->kind != c->kind)
			adopt(l, all, c);
		else if (r->type == T_MAP && c->kind == NODE_MAP)
			adopt(l, all, compose(l, c, old, r->sub));
		else if ((r->flags & ADDS) != 0 && c->kind == NODE_LIST)
			adopt(l, all, joined(l, c, old));
		else
			adopt(l, all, c);
	}
	for (const struct node *c = base->child; c != NULL; c = c->next) {
		const struct row *r = row_of(t, c);

		if (r != NULL && (r->flags & OWN) == 0 &&
		    node_find(own, r->key) == NULL)
			adopt(l, all, c);
	}
	return all;
}

bool
node_same(const struct node *a, const struct node *b)
{
	const struct node *d = b->child;

	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == NODE_TEXT)
		return bytes_eq(a->text, b->text);
	for (const struct node *c = a->child; c != NULL; c = c->next) {
		if (a->kind == NODE_MAP)
			d = node_find(b, (const char *)c->key->text.p);
		if (d == NULL || !node_same(c, d))
			return false;
		d = d->next;
	}
	return true;
}

/* --- Narrowing -------------------------------------------------------------------- */

struct narrow {
	struct load *l;
	const char *base; /* its name */
};

static const char *
said(const struct load *l, const struct value *v)
{
	const struct node *n = v->at;

	(void)l;
	return n->kind == NODE_TEXT ? (const char *)n->text.p : "that";
}

/* What a base says, or what holds because it says nothing. */
static const char *
usual_of(const struct narrow *x, const struct row *r, const struct value *v)
{
	return v->given || r->usual == NULL ? said(x->l, v) : r->usual;
}

static void
refuse_number(const struct narrow *x, const struct row *r,
    const struct value *v, const struct value *old)
{
	const char *had = usual_of(x, r, old);
	struct where at = where_of(x->l, v->at);
	struct err e;

	if ((r->flags & MORE) != 0)
		err_at(&e, ERR_DENIED, "policy-narrow-less", NULL, at,
		    "%s is less than the %s of %s", said(x->l, v), had,
		    x->base);
	else if (r->type == T_DURATION)
		err_at(&e, ERR_DENIED, "policy-narrow-longer", NULL, at,
		    "%s is longer than the %s of %s", said(x->l, v), had,
		    x->base);
	else if (r->type == T_DATE)
		err_at(&e, ERR_DENIED, "policy-narrow-later", NULL, at,
		    "%s is later than the %s of %s", said(x->l, v), had,
		    x->base);
	else if (r->type == T_WORD)
		err_at(&e, ERR_DENIED, "policy-narrow-looser", NULL, at,
		    "%s is looser than the %s of %s", said(x->l, v), had,
		    x->base);
	else
		err_at(&e, ERR_DENIED, "policy-narrow-more", NULL, at,
		    "%s is more than the %s of %s", said(x->l, v), had,
		    x->base);
	report(x->l, v->at->width, &e, "write %s or %s, or delete the key", had,
	    (r->flags & MORE) != 0  ? "more"
	    : r->type == T_DURATION ? "less"
	    : r->type == T_WORD     ? "what is stricter"
				    : "less");
}

static void
refuse_equal(const struct narrow *x, const struct value *v,
    const struct value *old)
{
	struct err e;

	err_at(&e, ERR_DENIED, "policy-narrow-fixed", NULL,
	    where_of(x->l, v->at),
	    "%s has set this to something else, and what extends it cannot "
	    "change it",
	    x->base);
	if (old->at->kind == NODE_TEXT && old->given)
		report(x->l, v->at->width, &e, "write %s, or delete the key",
		    said(x->l, old));
	else
		report(x->l, v->at->width, &e, "delete the key");
}

static void
check_words(const struct narrow *x, const struct row *r, const struct value *v,
    const struct value *old)
{
	char list[160];
	struct err e;

	words_of_bits(r->words, old->n, list, sizeof(list));
	for (const struct word *w = r->words; w->word != NULL; w++) {
		const struct node *at = v->at;

		if (w->refused != NULL || w->value == 0)
			continue;
		if ((r->flags & FEWER) != 0 && (v->n & w->value) != 0 &&
		    (old->n & w->value) == 0) {
			at = entry_of(v, r->words, w->value);
			err_at(&e, ERR_DENIED, "policy-narrow-word", NULL,
			    where_of(x->l, at),
			    "%s is not among those of %s: %s", w->word, x->base,
			    list);
			report(x->l, at->width, &e, "delete it");
		}
		if ((r->flags & MORE) != 0 && (v->n & w->value) == 0 &&
		    (old->n & w->value) != 0) {
			err_at(&e, ERR_DENIED, "policy-narrow-lost", NULL,
			    where_of(x->l, at),
			    "%s, which %s has, is missing here", w->word,
			    x->base);
			report(x->l, at->width, &e,
			    "add it: what a base demands stays");
		}
	}
}

/* Each entry of the base's list, or attribute of its map, is here too. */
static void
check_keeps(const struct narrow *x, const struct value *v,
    const struct value *old)
{
	struct err e;

	for (const struct node *c = old->at->child; c != NULL; c = c->next) {
		bool found = false;
		const struct node *d = v->at->child;
		char what[64];

		for (; d != NULL && !found; d = d->next) {
			found = node_same(c, d) &&
				(c->key == NULL || old->at->kind != NODE_MAP ||
				    bytes_eq(c->key->text, d->key->text));
		}
		if (found)
			continue;
		if (old->at->kind == NODE_MAP)
			snprintf(what, sizeof(what), "%.*s",
			    BYTES_FMT(c->key->text));
		else
			snprintf(what, sizeof(what), "entry %zu", c->index + 1);
		err_at(&e, ERR_DENIED, "policy-narrow-kept", NULL,
		    where_of(x->l, v->at),
		    "%s of %s is missing here, or says something else", what,
		    x->base);
		report(x->l, v->at->width, &e,
		    "repeat it as it is in %s, or delete the key", x->base);
	}
}

static void
check_value(const struct narrow *x, const struct row *r, const struct value *v,
    const struct value *old)
{
	/* Where a base says nothing and nothing is usual, all is open. */
	bool open = !old->given && r->usual == NULL;
	bool more = (r->flags & MORE) != 0;

	if (!v->ok || !v->given || open || !old->ok)
		return;
	if (r->type == T_WORDS) {
		check_words(x, r, v, old);
		return;
	}
	if ((r->flags & KEEPS) != 0 && old->given)
		check_keeps(x, v, old);
	if ((r->flags & EQUAL) != 0 &&
	    (old->given ? !node_same(v->at, old->at) : v->n != old->n))
		refuse_equal(x, v, old);
	if ((r->flags & (SHORTER | MORE)) != 0 &&
	    (more ? v->n < old->n : v->n > old->n))
		refuse_number(x, r, v, old);
}

/* Of a map that counts as a whole: does the base have it? */
static bool
has_whole(const struct table *t, const uint8_t *base)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		const struct value *v =
		    (const struct value *)(const void *)(base + r->into);

		if ((r->flags & REQUIRED) != 0 && !v->given)
			return false;
	}
	return true;
}

static void
check_rows(const struct narrow *x, const struct node *own,
    const struct table *t, const uint8_t *into, const uint8_t *base)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		const struct node *n = node_find(own, r->key);
		const void *v = into + r->into, *old = base + r->into;

		if (n == NULL || (r->flags & OWN) != 0)
			continue;
		if (r->type != T_MAP)
			check_value(x, r, v, old);
		else if ((r->flags & WHOLE) == 0 || has_whole(r->sub, old))
			check_rows(x, n, r->sub, v, old);
	}
}

/* Where the base's last day ends, said or usual: further west is later. */
static void
check_zone(const struct narrow *x, const struct said_policy *s,
    const struct said_policy *base)
{
	const struct value *v = &s->validity.zone, *old = &base->validity.zone;

	if (base->validity.ends.given && !old->given && v->given && v->ok &&
	    !bytes_eq(v->text, old->text))
		refuse_equal(x, v, old);
}

void
policy_check_narrow(struct load *l, const struct node *own,
    const struct said_policy *s, const struct said_policy *base)
{
	char name[POLICY_NAME_MAX];
	struct narrow x = { l, name };

	snprintf(name, sizeof(name), "%.*s", BYTES_FMT(base->name.text));
	check_rows(&x, own, &policy_table, (const uint8_t *)s,
	    (const uint8_t *)base);
	check_zone(&x, s, base);
}
