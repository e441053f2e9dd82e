/*
 * diff - two effective policies, key by key, with the direction of a change
 * where the rows know one.
 */
#include "internal.h"

struct side {
	struct policy_file file;
	struct load l;
	struct findings f;
	struct node *root;
	struct said_policy *said;
};

/* A policy as its print says it, decoded again. */
static void
side_read(struct side *s, const struct policy *p, struct arena *a,
    struct buf *text)
{
	policy_print(text, p);
	s->file = (struct policy_file){ p->name, buf_bytes(text) };
	s->l = (struct load){ .file = &s->file, .arena = a, .f = &s->f };
	s->root = tree_read(&s->l);
	s->said = arena_get(a, sizeof(*s->said));
	if (s->root == NULL)
		fatal("a policy whose print is no YAML");
	rows_decode(&s->l, s->root, &policy_table, s->said);
	findings_fini(&s->f);
}

static void
put_node(struct buf *out, const struct node *n)
{
	const char *before = "";
	bool map;

	if (n == NULL) {
		buf_puts(out, "nothing");
		return;
	}
	if (n->kind == NODE_TEXT) {
		buf_put(out, n->text.p, n->text.len);
		return;
	}
	map = n->kind == NODE_MAP;
	buf_putc(out, map ? '{' : '[');
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		buf_puts(out, before);
		if (map)
			buf_putf(out, "%s: ", (const char *)c->key->text.p);
		put_node(out, c);
		before = ", ";
	}
	buf_putc(out, map ? '}' : ']');
}

enum turn { TURN_OTHER, TURN_NARROWER, TURN_WIDER };

static enum turn
turn_of_words(const struct row *r, const struct value *a, const struct value *b)
{
	/* No words at all is all of them, where a key may be left out. */
	int64_t all = (r->flags & FEWER) != 0 ? -1 : 0;
	int64_t x = a->given ? a->n : all, y = b->given ? b->n : all;

	if ((r->flags & MORE) != 0) {
		int64_t swap = x;

		x = y;
		y = swap;
	}
	return (y & ~x) == 0   ? TURN_NARROWER
	       : (x & ~y) == 0 ? TURN_WIDER
			       : TURN_OTHER;
}

static enum turn
turn_of(const struct row *r, const struct value *a, const struct value *b)
{
	bool more = (r->flags & MORE) != 0;

	if (r->type == T_WORDS && (r->flags & (FEWER | MORE)) != 0)
		return turn_of_words(r, a, b);
	if ((r->flags & (SHORTER | MORE)) == 0 || !a->given || !b->given) {
		/* Of a limit that only one of them has. */
		if (r->type == T_DATE && a->given != b->given)
			return b->given ? TURN_NARROWER : TURN_WIDER;
		return TURN_OTHER;
	}
	return (b->n < a->n) != more ? TURN_NARROWER : TURN_WIDER;
}

static size_t
diff_rows(struct buf *out, const char *path, const struct table *t,
    const struct node *a, const struct node *b, const uint8_t *x,
    const uint8_t *y)
{
	static const char *const words[] = { "", " (narrower)", " (wider)" };
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		const struct node *c = a != NULL ? node_find(a, r->key) : NULL;
		const struct node *d = b != NULL ? node_find(b, r->key) : NULL;
		char below[128];

		if (c == NULL && d == NULL)
			continue;
		if (r->type == T_MAP) {
			snprintf(below, sizeof(below), "%s%s.", path, r->key);
			n += diff_rows(out, below, r->sub, c, d, x + r->into,
			    y + r->into);
			continue;
		}
		if (c != NULL && d != NULL && node_same(c, d))
			continue;
		buf_putf(out, "%s%s: ", path, r->key);
		put_node(out, c);
		buf_puts(out, " -> ");
		put_node(out, d);
		buf_putf(out, "%s\n",
		    words[turn_of(r,
			(const struct value *)(const void *)(x + r->into),
			(const struct value *)(const void *)(y + r->into))]);
		n++;
	}
	return n;
}

size_t
policy_diff(struct buf *out, const struct policy *a, const struct policy *b)
{
	AUTO(arena) arena = arena_new();
	struct buf x AUTO_BUF = BUF(1 << 20), y AUTO_BUF = BUF(1 << 20);
	struct side left = { .root = NULL }, right = { .root = NULL };

	side_read(&left, a, arena, &x);
	side_read(&right, b, arena, &y);
	return diff_rows(out, "", &policy_table, left.root, right.root,
	    (const uint8_t *)left.said, (const uint8_t *)right.said);
}
