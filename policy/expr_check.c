/*
 * expr_check - the types of what conditions put together.  A mistake is
 * reported and reading goes on, so that one run shows all of them.
 */
#include <stdarg.h>

#include "expr.h"

/* --- Refusals ---------------------------------------------------------------------- */

void
expr_refuse(struct parser *p, size_t from, size_t to, struct err *e,
    const char *hint, ...)
{
	char said[160];
	uint32_t width;
	va_list ap;

	va_start(ap, hint);
	vsnprintf(said, sizeof(said), hint, ap);
	va_end(ap);
	width = place_in(p->r.l, p->r.n, from, to - from, &e->where);
	report(p->r.l, width, e, "%s", said);
	p->bad = true;
}

const char *
expr_shown(const struct parser *p, size_t from, size_t to)
{
	return token_shown(&p->r, from, to);
}

/* "official, authority": into out. */
static void
list_words(enum expr_type t, char *out, size_t size)
{
	const char *words[EXPR_WORDS_MAX];
	size_t n = expr_words(t, words), len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s",
		    i > 0 ? ", " : "", words[i]);
}

/* --- Types ---------------------------------------------------------------------------- */

static bool
has_words(enum expr_type t)
{
	return t == TYPE_PERSON_KIND || t == TYPE_INSTITUTION_KIND ||
	       t == TYPE_KEY;
}

void
check_bool(struct parser *p, const struct operand *o)
{
	struct err e;

	if (o->type == TYPE_BOOL || o->type == TYPE_BAD || p->r.broken)
		return;
	err_at(&e, ERR_INVALID, "expr-truth", NULL, NOWHERE,
	    "this is %s, where something true or false belongs",
	    expr_type_name(o->type));
	expr_refuse(p, o->from, o->to, &e, "compare it, as in %s == ...",
	    expr_shown(p, o->from, o->to));
}

/* A text in quotes beside something that has words: it becomes one of them. */
static void
word_take(struct parser *p, struct operand *o, const struct operand *beside)
{
	const char *words[EXPR_WORDS_MAX], *near;
	struct expr_op *op = &p->op[o->first];
	char list[192];
	struct err e;

	if (p->r.broken || !has_words(beside->type) || o->type != TYPE_TEXT ||
	    op->kind != EXPR_LITERAL)
		return;
	o->type = beside->type;
	op->type = beside->type;
	if (expr_word_find(beside->type, op->text, &op->n))
		return;
	near = nearest_word(op->text, words, expr_words(beside->type, words));
	list_words(beside->type, list, sizeof(list));
	err_at(&e, ERR_INVALID, "expr-word", NULL, NOWHERE, "%s is never %s",
	    expr_shown(p, beside->from, beside->to),
	    expr_shown(p, o->from, o->to));
	if (near != NULL)
		expr_refuse(p, o->from, o->to, &e,
		    "did you mean \"%s\"? allowed: %s", near, list);
	else
		expr_refuse(p, o->from, o->to, &e, "allowed: %s", list);
}

static const char *
type_hint(enum expr_type a, enum expr_type b)
{
	bool number = a == TYPE_INT || b == TYPE_INT;

	if (number && (a == TYPE_DURATION || b == TYPE_DURATION))
		return "write a duration with its unit, as in 365d";
	if (number && (a == TYPE_TEXT || b == TYPE_TEXT))
		return "write the number in quotes; length(...) counts "
		       "characters";
	if ((a == TYPE_DATE && b == TYPE_DURATION) ||
	    (a == TYPE_DURATION && b == TYPE_DATE))
		return "date + duration is a date, date - date is a duration";
	if ((a == TYPE_DATE && b == TYPE_TEXT) ||
	    (a == TYPE_TEXT && b == TYPE_DATE))
		return "write a date without quotes";
	if ((a == TYPE_DURATION && b == TYPE_TEXT) ||
	    (a == TYPE_TEXT && b == TYPE_DURATION))
		return "write a duration without quotes, as in 365d";
	if ((a == TYPE_BOOL) != (b == TYPE_BOOL))
		return "what is true or false stands alone, or after not";
	return "compare things of one type";
}

bool
check_same(struct parser *p, const char *operator, struct operand * a,
    struct operand *b)
{
	struct err e;

	word_take(p, a, b);
	word_take(p, b, a);
	if (p->r.broken || a->type == TYPE_BAD || b->type == TYPE_BAD)
		return false;
	if (a->type == b->type)
		return true;
	err_at(&e, ERR_INVALID, "expr-types", NULL, NOWHERE,
	    "%s cannot compare %s with %s", operator, expr_type_name(a->type),
	    expr_type_name(b->type));
	expr_refuse(p, b->from, b->to, &e, "%s", type_hint(a->type, b->type));
	return false;
}

void
check_order(struct parser *p, const char *operator, const struct operand * a)
{
	struct err e;

	if (a->type == TYPE_INT || a->type == TYPE_DATE ||
	    a->type == TYPE_DURATION)
		return;
	err_at(&e, ERR_INVALID, "expr-order", NULL, NOWHERE,
	    "%s has no order for %s", expr_type_name(a->type), operator);
	if (a->type == TYPE_BOOL)
		expr_refuse(p, a->from, a->to, &e,
		    "what is true or false stands alone, or after not");
	else
		expr_refuse(p, a->from, a->to, &e,
		    "name the values: %s in [\"...\", \"...\"]",
		    expr_shown(p, a->from, a->to));
}

/* --- Arguments ------------------------------------------------------------------------ */

void
check_pattern(struct parser *p, const struct operand *o)
{
	static const char *const lacks[] = { "", "[ without a ] behind it",
		"brackets with nothing between them", "^, where ! means none",
		"a range that runs backwards", "more than 48 pieces" };
	static const char *const hints[] = { "",
		"write [abc] for one of these, [[] for the bracket itself",
		"name the characters, as in [a-z]", "write [!a-z]",
		"write the smaller first, as in [a-z]",
		"shorten it, or make two patterns of it" };
	const struct expr_op *op = &p->op[o->first];
	enum pattern_fault fault;
	size_t from = 0, len = 0;
	struct err e;

	if (p->r.broken || o->type != TYPE_TEXT)
		return;
	if (op->kind != EXPR_LITERAL) {
		err_at(&e, ERR_INVALID, "expr-pattern-fixed", NULL, NOWHERE,
		    "a pattern is a text in quotes, not %s",
		    expr_shown(p, o->from, o->to));
		expr_refuse(p, o->from, o->to, &e,
		    "contains(TEXT, PART) looks for a fact in another");
		return;
	}
	fault = pattern_check(op->text, &from, &len);
	if (fault == PATTERN_GOOD)
		return;
	from += (size_t)(op->text.p - p->r.n->text.p);
	err_at(&e, ERR_INVALID, "expr-pattern", NULL, NOWHERE,
	    "the pattern has %s", lacks[fault]);
	expr_refuse(p, from, from + len, &e, "%s", hints[fault]);
}

void
check_text(struct parser *p, enum expr_kind kind, const struct operand *o)
{
	struct err e;

	if (o->type == TYPE_TEXT || o->type == TYPE_BAD || p->r.broken)
		return;
	err_at(&e, ERR_INVALID, "expr-argument", NULL, NOWHERE,
	    "%s takes a text, and this is %s", expr_kind_name(kind),
	    expr_type_name(o->type));
	expr_refuse(p, o->from, o->to, &e,
	    has_words(o->type) ? "compare it with == or in"
			       : "write a text, as in \"text\"");
}

/* --- Sums and lists ------------------------------------------------------------------ */

enum expr_type
check_sum(struct parser *p, bool plus, const struct operand *a,
    const struct operand *b)
{
	struct err e;

	if (a->type == TYPE_BAD || b->type == TYPE_BAD || p->r.broken)
		return TYPE_BAD;
	if (a->type == TYPE_DATE && b->type == TYPE_DURATION)
		return TYPE_DATE;
	if (!plus && a->type == TYPE_DATE && b->type == TYPE_DATE)
		return TYPE_DURATION;
	err_at(&e, ERR_INVALID, "expr-sum", NULL, NOWHERE,
	    "%s %s %s has no meaning", expr_type_name(a->type),
	    plus ? "+" : "-", expr_type_name(b->type));
	expr_refuse(p, a->from, b->to, &e,
	    "date + duration, date - duration and date - date are known");
	return TYPE_BAD;
}

void
check_twice(struct parser *p, const struct operand *o, size_t first)
{
	const struct expr_op *last = &p->op[o->first];
	struct err e;

	for (size_t i = first; i < o->first && !p->r.broken; i++) {
		if (o->type == TYPE_BAD || p->op[i].n != last->n ||
		    !bytes_eq(p->op[i].text, last->text))
			continue;
		err_at(&e, ERR_INVALID, "expr-twice", NULL, NOWHERE,
		    "%s stands in the list a second time",
		    expr_shown(p, o->from, o->to));
		expr_refuse(p, o->from, o->to, &e, "delete it");
		return;
	}
}
