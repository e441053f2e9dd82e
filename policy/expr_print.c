/*
 * expr_print - conditions as text, and the facts they ask for with their
 * values.
 */
#include "expr.h"

/* How strongly an operation holds its operands together. */
static int
rank(const struct expr_op *op)
{
	switch (op->kind) {
	case EXPR_AND:
	case EXPR_OR:
		return 1;
	case EXPR_NOT:
		return 2;
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_IN:
	case EXPR_NOT_IN:
		return 3;
	case EXPR_PLUS:
	case EXPR_MINUS:
		return 4;
	case EXPR_LITERAL:
	case EXPR_FACT:
	case EXPR_ATTRIBUTE:
	case EXPR_STARTS_WITH:
	case EXPR_ENDS_WITH:
	case EXPR_CONTAINS:
	case EXPR_MATCHES:
	case EXPR_LENGTH:
		return 5;
	}
	fatal("an operation of no kind");
}

/* No text of a condition holds both kinds of quotes; a fact may. */
static void
put_quoted(struct buf *out, struct bytes text)
{
	bool has = text.len > 0 && memchr(text.p, '"', text.len) != NULL;
	uint8_t quote = has ? '\'' : '"';

	buf_putc(out, quote);
	buf_put(out, text.p, text.len);
	buf_putc(out, quote);
}

static void
put_value(struct buf *out, enum expr_type type, int64_t n, struct bytes text)
{
	char shown[24], when[TIME_TEXT];

	switch (type) {
	case TYPE_BOOL:
		buf_puts(out, n != 0 ? "true" : "false");
		return;
	case TYPE_INT:
		buf_putf(out, "%lld", (long long)n);
		return;
	case TYPE_TEXT:
		put_quoted(out, text);
		return;
	case TYPE_DURATION:
		duration_print(shown, n);
		buf_puts(out, shown);
		return;
	case TYPE_DATE:
		time_print(when, n);
		/* The first second of a day is the day. */
		if (strcmp(when + 10, "T00:00:00Z") == 0)
			when[10] = '\0';
		buf_puts(out, when);
		return;
	case TYPE_PERSON_KIND:
	case TYPE_INSTITUTION_KIND:
	case TYPE_KEY:
		put_quoted(out, bytes_str(expr_word(type, n)));
		return;
	case TYPE_BAD:
		break;
	}
	fatal("a value of no type");
}

static void put(struct buf *out, const struct expr_op *op);

static void
put_within(struct buf *out, const struct expr_op *op, bool enclosed)
{
	if (enclosed)
		buf_putc(out, '(');
	put(out, op);
	if (enclosed)
		buf_putc(out, ')');
}

static void
put_list(struct buf *out, const struct expr_op *first, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		buf_puts(out, i == 0 ? " [" : ", ");
		put(out, first + i);
	}
	buf_putc(out, ']');
}

static void
put_infix(struct buf *out, const struct expr_op *op)
{
	const struct expr_op *right = op - 1, *left = right - right->size;
	bool logic = rank(op) == 1;
	/* "and" and "or" never stand side by side; chains lean to the left. */
	bool mixed = logic && rank(left) == 1 && left->kind != op->kind;
	bool chained = rank(op) == 3 && rank(left) == 3;

	put_within(out, left, rank(left) < rank(op) || mixed || chained);
	buf_putf(out, " %s ", expr_kind_name(op->kind));
	put_within(out, right, rank(right) <= rank(op));
}

static void
put_call(struct buf *out, const struct expr_op *op)
{
	const struct expr_op *last = op - 1;

	buf_putf(out, "%s(", expr_kind_name(op->kind));
	if (op->kind != EXPR_LENGTH) {
		put(out, last - last->size);
		buf_puts(out, ", ");
	}
	put(out, last);
	buf_putc(out, ')');
}

/* Calls itself at most as deep as EXPR_OPS_MAX. */
static void
put(struct buf *out, const struct expr_op *op)
{
	switch (op->kind) {
	case EXPR_LITERAL:
		put_value(out, op->type, op->n, op->text);
		return;
	case EXPR_FACT:
		buf_puts(out, expr_fact[op->n].name);
		return;
	case EXPR_ATTRIBUTE:
		buf_putf(out, "%s(\"%.*s\")", expr_kind_name(op->kind),
		    BYTES_FMT(op->text));
		return;
	case EXPR_NOT:
		buf_puts(out, "not ");
		put_within(out, op - 1, rank(op - 1) < rank(op));
		return;
	case EXPR_IN:
	case EXPR_NOT_IN:
		put_within(out, op - 1 - op->n,
		    rank(op - 1 - op->n) <= rank(op));
		buf_putf(out, " %s", expr_kind_name(op->kind));
		put_list(out, op - op->n, op->n);
		return;
	case EXPR_STARTS_WITH:
	case EXPR_ENDS_WITH:
	case EXPR_CONTAINS:
	case EXPR_MATCHES:
	case EXPR_LENGTH:
		put_call(out, op);
		return;
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_PLUS:
	case EXPR_MINUS:
		put_infix(out, op);
		return;
	}
	fatal("an operation of no kind");
}

void
expr_print(struct buf *out, const struct expr *x)
{
	put(out, &x->op[x->n - 1]);
}

void
expr_print_all(struct buf *out, const struct policy_condition *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct expr_op *op = &c[i].expr->op[c[i].expr->n - 1];

		buf_puts(out, i > 0 ? " and " : "");
		put_within(out, op, n > 1 && op->kind == EXPR_OR);
	}
}

/* --- Facts ---------------------------------------------------------------------------- */

/* Was this fact named by an operation before? */
static bool
named_before(const struct expr *x, size_t at)
{
	const struct expr_op *op = &x->op[at];

	for (size_t i = 0; i < at; i++) {
		if (x->op[i].kind == op->kind && x->op[i].n == op->n &&
		    bytes_eq(x->op[i].text, op->text))
			return true;
	}
	return false;
}

void
expr_facts(struct buf *out, const struct expr *x, const struct expr_env *env)
{
	bool first = true;

	for (size_t i = 0; i < x->n; i++) {
		const struct expr_op *op = &x->op[i];
		struct expr_value v;

		if ((op->kind != EXPR_FACT && op->kind != EXPR_ATTRIBUTE) ||
		    named_before(x, i))
			continue;
		buf_puts(out, first ? "" : ", ");
		first = false;
		put(out, op);
		buf_puts(out, " = ");
		v = expr_ask(op, env);
		/* What the registry holds broken may not even be text. */
		if (utf8_valid(v.text) && text_clean(v.text))
			put_value(out, op->type, v.n, v.text);
		else
			buf_puts(out, "unreadable");
	}
}
