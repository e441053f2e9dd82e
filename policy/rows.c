/*
 * rows - a map of the tree into a struct, as the rows of a table say.  The
 * same rows give ranges for hints and the reference page.
 */
#include "internal.h"

void
duration_print(char out[24], int64_t s)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {
		{ 'y', 365 * DAY },
		{ 'd', DAY },
		{ 'h', HOUR },
		{ 'm', MINUTE },
		{ 's', 1 },
	};
	size_t i = 0;

	while (
	    i + 1 < ARRAY_LEN(units) && (s == 0 || s % units[i].seconds != 0))
		i++;
	snprintf(out, 24, "%lld%c", (long long)(s / units[i].seconds),
	    units[i].letter);
}

void
size_print(char out[24], int64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB" };
	size_t i = 0;

	for (n /= 1024; i < 2 && n > 0 && n % 1024 == 0; i++)
		n /= 1024;
	snprintf(out, 24, "%lld%s", (long long)n, units[i]);
}

void
words_list(const struct word *words, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (; words->word != NULL && len < size; words++) {
		if (words->refused != NULL)
			continue;
		snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "",
		    words->word);
		len = strlen(out);
	}
}

void
words_of_bits(const struct word *words, int64_t set, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (; words->word != NULL; words++) {
		if (words->refused != NULL || (words->value & set) == 0)
			continue;
		/* What does not fit is said to be there, and not cut. */
		if (len + strlen(words->word) + strlen(", , …") >= size) {
			snprintf(out + len, size - len, ", …");
			return;
		}
		snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "",
		    words->word);
		len = strlen(out);
	}
}

const struct node *
entry_of(const struct value *v, const struct word *words, int64_t bit)
{
	const char *word = word_of_bit(words, bit);

	if (v->at->kind != NODE_LIST)
		return v->at;
	for (const struct node *c = v->at->child; c != NULL; c = c->next) {
		if (c->kind == NODE_TEXT && bytes_is(c->text, word))
			return c;
	}
	return v->at;
}

const char *
word_of_bit(const struct word *words, int64_t bit)
{
	for (; words->word != NULL; words++) {
		if (words->refused == NULL && (words->value & bit) != 0)
			return words->word;
	}
	return "?";
}

void
row_range(const struct row *r, char *out, size_t size)
{
	char a[24], b[24], list[120];

	switch (r->type) {
	case T_TEXT:
		if (r->min == r->max)
			snprintf(out, size, "a text of exactly %lld characters",
			    (long long)r->max);
		else
			snprintf(out, size, "a text of %lld to %lld characters",
			    (long long)r->min, (long long)r->max);
		return;
	case T_SLUG:
		snprintf(out, size, "small letters, digits and dashes");
		return;
	case T_INT:
	case T_INTS:
		snprintf(out, size, "%lld to %lld", (long long)r->min,
		    (long long)r->max);
		return;
	case T_BOOL:
		snprintf(out, size, "true or false");
		return;
	case T_DURATION:
		duration_print(a, r->min);
		duration_print(b, r->max);
		snprintf(out, size, "%s to %s", a, b);
		return;
	case T_PERCENT:
		snprintf(out, size, "%lld%% to %lld%%", (long long)r->min,
		    (long long)r->max);
		return;
	case T_SIZE:
		size_print(a, r->min);
		size_print(b, r->max);
		snprintf(out, size, "%s to %s", a, b);
		return;
	case T_OID:
		snprintf(out, size, "an object identifier, as in 2.16.152.1.3");
		return;
	case T_REF:
		snprintf(out, size, "name@version, as in estado-base@3");
		return;
	case T_DATE:
		snprintf(out, size, "a day in quotes, as in \"2027-12-31\"");
		return;
	case T_ZONE:
		snprintf(out, size, "UTC, -03:00 or America/Santiago");
		return;
	case T_EXPR:
		snprintf(out, size,
		    "a condition, as in 'request.validity <= "
		    "365d'");
		return;
	case T_TEXTS:
		snprintf(out, size,
		    "a list of texts of %lld to %lld characters",
		    (long long)r->min, (long long)r->max);
		return;
	case T_SPANS:
		duration_print(a, r->min);
		duration_print(b, r->max);
		snprintf(out, size, "a list of %s to %s, longest first", a, b);
		return;
	case T_WORD:
		words_list(r->words, list, sizeof(list));
		snprintf(out, size, "%s%s",
		    strchr(list, ',') != NULL ? "one of " : "", list);
		return;
	case T_WORDS:
		words_list(r->words, list, sizeof(list));
		snprintf(out, size, "some of %s", list);
		return;
	case T_TMPL:
		snprintf(out, size,
		    "a text with facts, as in \"{person.name}\"");
		return;
	case T_SUBJECT:
		snprintf(out, size, "attributes, as in  CN: \"{person.name}\"");
		return;
	case T_MAP:
		snprintf(out, size, "a map");
		return;
	case T_LIST:
		snprintf(out, size, "a list of maps");
		return;
	}
	fatal("row_range: no such type");
}

/* --- Lists ------------------------------------------------------------------------- */

static bool
is_list(struct load *l, const struct node *n, const struct row *r)
{
	struct err e;

	if (n->kind == NODE_LIST)
		return true;
	if (n->kind == NODE_BAD)
		return false;
	err_at(&e, ERR_INVALID, "policy-list", NULL, where_of(l, n),
	    "a list belongs here");
	if (n->kind == NODE_TEXT && n->text.len > 0 && r->type != T_LIST)
		report(l, n->width, &e, "write [%s]", (const char *)n->text.p);
	else
		report(l, n->width, &e, "write it in brackets or with dashes");
	return false;
}

bool
is_count(struct load *l, const struct node *n, size_t min, size_t max)
{
	struct err e;
	char least[24], most[24];

	if (n->n >= min && n->n <= max)
		return true;
	snprintf(least, sizeof(least), "%zu", min);
	snprintf(most, sizeof(most), "%zu", max);
	err_at(&e, ERR_INVALID, "policy-count", NULL, where_of(l, n),
	    "there must be %s to %s entries", least, most);
	report(l, n->width, &e, "%s", n->n < min ? "add one" : "remove some");
	return false;
}

static bool
words_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	struct err e;
	bool ok = true;

	if (!is_list(l, n, r) || !is_count(l, n, (size_t)r->min, 16))
		return false;
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		int64_t bit = 0;

		if (!word_decode(l, c, r, &bit)) {
			ok = false;
		} else if ((v->n & bit) != 0) {
			err_at(&e, ERR_INVALID, "policy-word-twice", NULL,
			    where_of(l, c), "%s stands twice in the list",
			    (const char *)c->text.p);
			report(l, c->width, &e, "delete one of the two");
			ok = false;
		}
		v->n |= bit;
	}
	return ok;
}

#define INTS_MAX 16

static bool
ints_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	int64_t *items = arena_get(l->arena, INTS_MAX * sizeof(*items));
	bool ok = true;

	if (!is_list(l, n, r) || !is_count(l, n, 0, INTS_MAX))
		return false;
	v->items = items;
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		struct value one = { .at = c };

		ok &= scalar_decode(l, c, r, &one);
		items[v->count++] = one.n;
	}
	return ok;
}

/* Durations, each shorter than the one before. */
static bool
spans_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	struct row one = *r;
	struct err e;

	one.type = T_DURATION;
	if (!is_list(l, n, r) || !is_count(l, n, 0, NOTICES_MAX) ||
	    !ints_decode(l, n, &one, v))
		return false;
	const int64_t *items = v->items;
	const struct node *c = n->child;
	for (size_t i = 1; i < v->count; i++) {
		c = c->next;
		if (items[i] < items[i - 1])
			continue;
		err_at(&e, ERR_INVALID, "policy-spans-order", NULL,
		    where_of(l, c), "%s is not shorter than the one before it",
		    (const char *)c->text.p);
		report(l, c->width, &e, "write the longest first");
		return false;
	}
	return true;
}

static bool
texts_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	struct bytes *items = arena_get(l->arena, INTS_MAX * sizeof(*items));
	struct row single = *r;
	bool ok = true;

	single.type = T_TEXT;
	if (!is_list(l, n, r) || !is_count(l, n, 1, INTS_MAX))
		return false;
	v->items = items;
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		struct value one = { .at = c };

		ok &= scalar_decode(l, c, &single, &one);
		items[v->count++] = one.text;
	}
	return ok;
}

bool
is_map(struct load *l, const struct node *n, const struct table *t)
{
	struct err e;

	if (n->kind == NODE_MAP)
		return true;
	if (n->kind == NODE_BAD)
		return false;
	err_at(&e, ERR_INVALID, "policy-map", NULL, where_of(l, n),
	    "keys with values belong here");
	report(l, n->width, &e, "as in  %s: ...",
	    t != NULL ? t->rows[0].key : "CN");
	return false;
}

static bool
list_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	uint8_t *items;
	bool ok = true;

	if (!is_list(l, n, r) ||
	    !is_count(l, n, (size_t)r->min, (size_t)r->max))
		return false;
	items = arena_get(l->arena, (n->n + 1) * r->sub->size);
	v->items = items;
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		size_t errors = l->f->errors;

		/* A bad entry is decoded too: its values carry places. */
		if (is_map(l, c, r->sub))
			rows_decode(l, c, r->sub,
			    items + v->count * r->sub->size);
		else
			ok = false;
		ok &= l->f->errors == errors;
		v->count++;
	}
	return ok;
}

/* --- Maps ----------------------------------------------------------------------------- */

static void
report_unknown(struct load *l, const struct node *c, const struct table *t)
{
	const struct node *key = c->key;
	const char *words[32], *near;
	struct err e;

	for (size_t i = 0; i < t->n && i < ARRAY_LEN(words); i++)
		words[i] = t->rows[i].key;
	near = nearest_word(key->text, words, t->n);
	err_at(&e, ERR_INVALID, "policy-key-unknown", NULL, where_of(l, key),
	    "there is no key %s here", (const char *)key->text.p);
	for (const struct foreign *f = t->foreign; f != NULL && f->key; f++) {
		if (!bytes_is(key->text, f->key))
			continue;
		report(l, key->width, &e, "%s", f->hint);
		return;
	}
	if (near != NULL) {
		report(l, key->width, &e, "did you mean %s?", near);
		return;
	}
	char list[150] = "";
	for (size_t i = 0; i < t->n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
		    "%s%s", i > 0 ? ", " : "", t->rows[i].key);
	report(l, key->width, &e, "allowed in %s: %s", t->what, list);
}

static void
report_missing(struct load *l, const struct node *map, const struct row *r)
{
	const struct node *at = map->key != NULL ? map->key : map;
	char range[128];
	struct err e;

	row_range(r, range, sizeof(range));
	err_at(&e, ERR_INVALID, "policy-key-missing", NULL, where_of(l, at),
	    "the key %s is missing", r->key);
	report(l, at->width, &e, "add  %s: %s", r->key, range);
}

static bool
value_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	switch (r->type) {
	case T_WORDS:
		return words_decode(l, n, r, v);
	case T_INTS:
		return ints_decode(l, n, r, v);
	case T_SPANS:
		return spans_decode(l, n, r, v);
	case T_TEXTS:
		return texts_decode(l, n, r, v);
	case T_LIST:
		return list_decode(l, n, r, v);
	case T_SUBJECT:
		return subject_decode(l, n, v);
	case T_TEXT:
	case T_SLUG:
	case T_INT:
	case T_BOOL:
	case T_DURATION:
	case T_PERCENT:
	case T_SIZE:
	case T_OID:
	case T_REF:
	case T_DATE:
	case T_ZONE:
	case T_EXPR:
	case T_WORD:
	case T_TMPL:
	case T_MAP:
		break;
	}
	return scalar_decode(l, n, r, v);
}

/* The bits of "[csr, p12-once]". */
static int64_t
words_usual(const struct row *r)
{
	const char *p = r->usual;
	int64_t bits = 0;

	for (p += strspn(p, "[, "); *p != '\0' && *p != ']';) {
		size_t len = strcspn(p, ", ]");

		for (const struct word *w = r->words; w->word != NULL; w++) {
			if (bytes_is(bytes_of(p, len), w->word))
				bits |= w->value;
		}
		p += len;
		p += strspn(p, ", ");
	}
	return bits;
}

/* A default goes the way of what a file says, and cannot fail. */
static void
usual_decode(struct load *l, const struct node *map, const struct row *r,
    struct value *v)
{
	struct node *n = arena_get(l->arena, sizeof(*n));

	*n = *map;
	v->at = n;
	if (r->usual == NULL)
		return;
	if (r->type == T_WORDS) {
		v->n = words_usual(r);
	} else if (r->type != T_INTS && r->type != T_SPANS &&
		   r->type != T_LIST) {
		n->kind = NODE_TEXT;
		n->plain = true;
		n->text = bytes_str(r->usual);
		if (!value_decode(l, n, r, v))
			fatal("a default that its row refuses");
	}
	v->ok = true;
}

/* A map that is not there: defaults, and no demand. */
static void
absent_decode(struct load *l, const struct node *empty, const struct table *t,
    uint8_t *into)
{
	bool partial = l->partial;

	l->partial = true;
	rows_decode(l, empty, t, into);
	l->partial = partial;
}

static void
row_decode(struct load *l, const struct node *map, const struct row *r,
    uint8_t *into)
{
	const struct node *n = node_find(map, r->key);
	struct value *v = (struct value *)(void *)(into + r->into);
	struct node nothing = { .kind = NODE_MAP };

	if (n == NULL && (r->flags & REQUIRED) != 0 && !l->partial)
		report_missing(l, map, r);
	if (r->type == T_MAP) {
		struct node *empty = arena_get(l->arena, sizeof(*empty));

		nothing = *map;
		nothing.child = NULL;
		nothing.n = 0;
		*empty = nothing;
		if (n != NULL && is_map(l, n, r->sub))
			rows_decode(l, n, r->sub, into + r->into);
		else if ((r->flags & (REQUIRED | WHOLE)) == 0)
			rows_decode(l, empty, r->sub, into + r->into);
		else if ((r->flags & WHOLE) != 0)
			absent_decode(l, empty, r->sub, into + r->into);
		return;
	}
	if (n == NULL) {
		usual_decode(l, map, r, v);
		return;
	}
	v->at = n;
	v->given = true;
	v->ok = value_decode(l, n, r, v);
}

void
rows_decode(struct load *l, const struct node *map, const struct table *t,
    void *into)
{
	for (const struct node *c = map->child; c != NULL; c = c->next) {
		size_t i = 0;

		if (c->key->kind != NODE_TEXT)
			continue;
		while (i < t->n && !bytes_is(c->key->text, t->rows[i].key))
			i++;
		if (i == t->n)
			report_unknown(l, c, t);
	}
	for (size_t i = 0; i < t->n; i++)
		row_decode(l, map, &t->rows[i], into);
}
