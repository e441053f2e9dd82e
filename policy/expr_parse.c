/*
 * expr_parse - the grammar of conditions and the types of their operands.
 * Operations are put down as they are read, each behind its operands.  What
 * is wrongly typed is reported and reading goes on; what is wrongly written
 * ends it.
 *
 *   condition  = unary { "and" unary } | unary { "or" unary }
 *   unary      = "not" unary | comparison
 *   comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum
 *                    | [ "not" ] "in" "[" value { "," value } "]" ]
 *   sum        = primary { ( "+" | "-" ) primary }
 *   primary    = value | fact | function "(" sum { "," sum } ")"
 *              | "(" condition ")"
 */
#include "expr.h"

/* --- What is wrongly written --------------------------------------------------------- */

#define FUNCTIONS "starts_with, ends_with, contains, matches, length"

static void
refuse_missing(struct parser *p)
{
	const struct token *t = &p->r.now;
	const char *hint = "write a fact, or a value as 'text', 12, 365d, "
			   "2027-12-31, true or false";
	struct err e;

	if (token_is(&p->r, "["))
		hint = "a list stands behind in, as in person.kind in "
		       "[\"official\"]";
	if (token_is(&p->r, "not"))
		hint = "put not and what it denies into parentheses";
	err_at(&e, ERR_INVALID, "expr-operand", NULL, NOWHERE,
	    "something is missing before %s", expr_shown(p, t->from, t->to));
	token_refuse(&p->r, t->from, t->to, &e, "%s", hint);
}

/* The function that a word names, or EXPR_LITERAL: none. */
static enum expr_kind
function_of(const struct parser *p)
{
	static const enum expr_kind kinds[] = { EXPR_ATTRIBUTE,
		EXPR_STARTS_WITH, EXPR_ENDS_WITH, EXPR_CONTAINS, EXPR_MATCHES,
		EXPR_LENGTH };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (token_is(&p->r, expr_kind_name(kinds[i])))
			return kinds[i];
	}
	return EXPR_LITERAL;
}

static void
refuse_behind(struct parser *p)
{
	static const char *const words[] = { "and", "or", "not", "in" };
	const struct token *t = &p->r.now;
	const char *got = expr_shown(p, t->from, t->to);
	const char *near = nearest_word(bytes_str(got), words, 4);
	struct err e;

	if (p->r.broken)
		return;
	if (strcmp(got, "AND") == 0 || strcmp(got, "OR") == 0 ||
	    strcmp(got, "IN") == 0)
		near = got[0] == 'A' ? "and" : got[0] == 'O' ? "or" : "in";
	if (strcmp(got, "is") == 0 || strcmp(got, "equals") == 0)
		near = "==";
	err_at(&e, ERR_INVALID, "expr-operator", NULL, NOWHERE,
	    "%s cannot stand here", got);
	if (function_of(p) != EXPR_LITERAL)
		token_refuse(&p->r, t->from, t->to, &e, "write %s(TEXT, TEXT)",
		    got);
	else if (near != NULL)
		token_refuse(&p->r, t->from, t->to, &e, "did you mean %s?",
		    near);
	else if (token_is(&p->r, ")") || token_is(&p->r, "]"))
		token_refuse(&p->r, t->from, t->to, &e, "delete it");
	else
		token_refuse(&p->r, t->from, t->to, &e,
		    "write one of == != < <= > >= in, not in, and, or, + - "
		    "before it");
}

/* --- Operations ---------------------------------------------------------------------- */

/* Puts an operation down, behind those from first on. */
static void
emit(struct parser *p, size_t first, struct expr_op op)
{
	struct err e;

	if (p->r.broken)
		return;
	if (p->n < EXPR_OPS_MAX) {
		op.size = (unsigned)(p->n - first + 1);
		p->op[p->n++] = op;
		return;
	}
	err_at(&e, ERR_INVALID, "expr-operations", NULL, NOWHERE,
	    "the condition has more than 64 facts, values and operators");
	token_refuse(&p->r, 0, p->r.n->text.len, &e,
	    "make two conditions of it");
}

static void
emit_kind(struct parser *p, size_t first, enum expr_kind kind,
    enum expr_type type, int64_t n)
{
	emit(p, first, (struct expr_op){ .kind = kind, .type = type, .n = n });
}

static bool
deeper(struct parser *p)
{
	const struct token *t = &p->r.now;
	struct err e;

	if (++p->depth <= EXPR_DEPTH_MAX)
		return true;
	err_at(&e, ERR_INVALID, "expr-depth", NULL, NOWHERE,
	    "there are more than 16 levels of parentheses and not");
	token_refuse(&p->r, t->from, t->to, &e, "make two conditions of it");
	return false;
}

static bool
expect(struct parser *p, const char *sign, size_t opened)
{
	struct err e;

	if (token_is(&p->r, sign)) {
		token_next(&p->r);
		return true;
	}
	if (p->r.broken)
		return false;
	if (p->r.now.kind != TOKEN_END) {
		refuse_behind(p);
		return false;
	}
	err_at(&e, ERR_INVALID, "expr-open", NULL, NOWHERE,
	    "what %s opens is not closed", expr_shown(p, opened, opened + 1));
	token_refuse(&p->r, opened, opened + 1, &e, "write %s behind it", sign);
	return false;
}

/* --- Values and facts ------------------------------------------------------------------- */

static struct operand parse_condition(struct parser *p);
static struct operand parse_sum(struct parser *p);

static struct operand
parse_literal(struct parser *p)
{
	const struct token t = p->r.now;

	emit(p, p->n, t.value);
	token_next(&p->r);
	return (struct operand){ t.value.type, p->n - 1, t.from, t.to };
}

/* A word of some list without its quotes. */
static const char *
bare_word(const struct parser *p, size_t from)
{
	const char *words[EXPR_WORDS_MAX], *best = NULL;
	struct bytes t = p->r.n->text;

	for (int type = TYPE_PERSON_KIND; type <= TYPE_KEY; type++) {
		size_t n = expr_words((enum expr_type)type, words);

		for (size_t i = 0; i < n; i++) {
			size_t len = strlen(words[i]);

			if (t.len - from >= len &&
			    memcmp(t.p + from, words[i], len) == 0 &&
			    (best == NULL || len > strlen(best)))
				best = words[i];
		}
	}
	return best;
}

static void
refuse_fact(struct parser *p, const struct token *t)
{
	const char *names[24], *near, *word = bare_word(p, t->from);
	struct bytes got = bytes_of(p->r.n->text.p + t->from, t->to - t->from);
	size_t n = 0, to = t->to;
	struct err e;

	/* A word with a dash was read as a difference. */
	if (word != NULL && strlen(word) > got.len && !p->r.broken) {
		to = t->from + strlen(word);
		p->r.now.to = to;
		token_next(&p->r);
	}
	for (; n < n_expr_fact && n < ARRAY_LEN(names); n++)
		names[n] = expr_fact[n].name;
	near = nearest_word(got, names, n);
	err_at(&e, ERR_INVALID, "expr-fact", NULL, NOWHERE,
	    "conditions know no fact %s", expr_shown(p, t->from, to));
	if (got.len > 17 && memcmp(got.p, "person.attribute.", 17) == 0)
		expr_refuse(p, t->from, to, &e,
		    "write person.attribute(\"%.*s\")", (int)(got.len - 17),
		    (const char *)got.p + 17);
	else if (near != NULL)
		expr_refuse(p, t->from, to, &e, "did you mean %s?", near);
	else if (word != NULL)
		expr_refuse(p, t->from, to, &e, "write it in quotes: \"%s\"",
		    word);
	else
		expr_refuse(p, t->from, to, &e,
		    "texts stand in quotes; facts are person.*, "
		    "institution.*, request.*, now, issuer.not_after");
}

static struct operand
parse_fact(struct parser *p, const struct token *t)
{
	struct bytes name = bytes_of(p->r.n->text.p + t->from, t->to - t->from);
	struct operand o = { TYPE_BAD, p->n, t->from, t->to };

	for (size_t i = 0; i < n_expr_fact; i++) {
		if (!bytes_is(name, expr_fact[i].name))
			continue;
		o.type = expr_fact[i].type;
		emit_kind(p, p->n, EXPR_FACT, o.type, (int64_t)i);
		return o;
	}
	refuse_fact(p, t);
	return o;
}

/* --- Functions ------------------------------------------------------------------------- */

/* person.attribute("grade") */
static struct operand
attribute_end(struct parser *p, const struct token *t, struct operand arg)
{
	struct expr_op *op = &p->op[arg.first];
	struct err e;

	if (p->r.broken || arg.type == TYPE_BAD)
		return arg;
	if (arg.type == TYPE_TEXT && op->kind == EXPR_LITERAL &&
	    attribute_name_valid(op->text)) {
		op->kind = EXPR_ATTRIBUTE;
		return (
		    struct operand){ TYPE_TEXT, arg.first, t->from, p->r.end };
	}
	err_at(&e, ERR_INVALID, "expr-attribute", NULL, NOWHERE,
	    "%s is no name of an attribute", expr_shown(p, arg.from, arg.to));
	expr_refuse(p, arg.from, arg.to, &e,
	    "write it in quotes: a small letter, then a-z 0-9 _ -, as in "
	    "\"grade\"");
	arg.type = TYPE_BAD;
	return arg;
}

static void
refuse_arguments(struct parser *p, enum expr_kind kind, size_t from)
{
	struct err e;

	if (p->r.broken)
		return;
	err_at(&e, ERR_INVALID, "expr-arguments", NULL, NOWHERE,
	    "%s has too many or too few texts between its parentheses",
	    expr_kind_name(kind));
	expr_refuse(p, from, p->r.end, &e, "write %s(%s)", expr_kind_name(kind),
	    kind == EXPR_ATTRIBUTE ? "\"grade\""
	    : kind == EXPR_LENGTH  ? "TEXT"
				   : "TEXT, TEXT");
}

static struct operand
parse_call(struct parser *p, enum expr_kind kind, const struct token *t)
{
	struct operand all = { TYPE_BAD, p->n, t->from, t->to }, arg[2];
	size_t open = p->r.now.from, n = 0;
	size_t want = kind == EXPR_ATTRIBUTE || kind == EXPR_LENGTH ? 1 : 2;

	if (!deeper(p))
		return all;
	token_next(&p->r);
	do {
		struct operand one = parse_sum(p);

		if (n < ARRAY_LEN(arg))
			arg[n] = one;
		n++;
		if (!token_is(&p->r, ","))
			break;
		token_next(&p->r);
	} while (!p->r.broken);
	p->depth--;
	if (!expect(p, ")", open))
		return all;
	all.to = p->r.end;
	if (n != want) {
		refuse_arguments(p, kind, t->from);
		return all;
	}
	if (kind == EXPR_ATTRIBUTE)
		return attribute_end(p, t, arg[0]);
	for (size_t i = 0; i < n; i++)
		check_text(p, kind, &arg[i]);
	if (kind == EXPR_MATCHES)
		check_pattern(p, &arg[1]);
	all.type = kind == EXPR_LENGTH ? TYPE_INT : TYPE_BOOL;
	emit_kind(p, all.first, kind, all.type, 0);
	return all;
}

static void
refuse_function(struct parser *p, const struct token *t)
{
	static const char *const names[] = { "starts_with", "ends_with",
		"contains", "matches", "length", "person.attribute" };
	const char *got = expr_shown(p, t->from, t->to);
	const char *near =
	    nearest_word(bytes_str(got), names, ARRAY_LEN(names));
	struct err e;

	err_at(&e, ERR_INVALID, "expr-function", NULL, NOWHERE,
	    "conditions know no function %s", got);
	if (near != NULL)
		token_refuse(&p->r, t->from, t->to, &e, "did you mean %s?",
		    near);
	else
		token_refuse(&p->r, t->from, t->to, &e, "allowed: %s",
		    FUNCTIONS);
}

static struct operand
parse_word(struct parser *p)
{
	const struct token t = p->r.now;
	enum expr_kind kind = function_of(p);
	bool truth = token_is(&p->r, "true"), lie = token_is(&p->r, "false");
	struct operand o = { TYPE_BAD, p->n, t.from, t.to };
	struct err e;

	token_next(&p->r);
	if (truth || lie) {
		emit_kind(p, p->n, EXPR_LITERAL, TYPE_BOOL, truth ? 1 : 0);
		o.type = TYPE_BOOL;
		return o;
	}
	if (kind == EXPR_LITERAL && token_is(&p->r, "(")) {
		refuse_function(p, &t);
		return o;
	}
	if (kind == EXPR_LITERAL)
		return parse_fact(p, &t);
	if (token_is(&p->r, "("))
		return parse_call(p, kind, &t);
	if (p->r.broken)
		return o;
	err_at(&e, ERR_INVALID, "expr-call", NULL, NOWHERE,
	    "%s needs parentheses", expr_kind_name(kind));
	token_refuse(&p->r, t.from, t.to, &e, "write %s(%s)",
	    expr_kind_name(kind),
	    kind == EXPR_ATTRIBUTE ? "\"grade\""
	    : kind == EXPR_LENGTH  ? "TEXT"
				   : "TEXT, TEXT");
	return o;
}

static struct operand
parse_primary(struct parser *p)
{
	const struct token t = p->r.now;
	struct operand o = { TYPE_BAD, p->n, t.from, t.to };

	if (t.kind == TOKEN_LITERAL)
		return parse_literal(p);
	if (t.kind == TOKEN_WORD && !token_is(&p->r, "and") &&
	    !token_is(&p->r, "or") && !token_is(&p->r, "in") &&
	    !token_is(&p->r, "not"))
		return parse_word(p);
	if (!token_is(&p->r, "(")) {
		if (!p->r.broken)
			refuse_missing(p);
		return o;
	}
	if (!deeper(p))
		return o;
	token_next(&p->r);
	o = parse_condition(p);
	p->depth--;
	(void)expect(p, ")", t.from);
	o.from = t.from;
	o.to = p->r.end;
	return o;
}

/* --- Operators --------------------------------------------------------------------------- */

static struct operand
parse_sum(struct parser *p)
{
	struct operand left = parse_primary(p);

	while (token_is(&p->r, "+") || token_is(&p->r, "-")) {
		bool plus = token_is(&p->r, "+");
		struct operand right;

		token_next(&p->r);
		right = parse_primary(p);
		left.type = check_sum(p, plus, &left, &right);
		left.to = right.to;
		emit_kind(p, left.first, plus ? EXPR_PLUS : EXPR_MINUS,
		    left.type, 0);
	}
	return left;
}

static void
refuse_list(struct parser *p)
{
	const struct token *t = &p->r.now;
	struct err e;

	if (p->r.broken)
		return;
	err_at(&e, ERR_INVALID, "expr-list", NULL, NOWHERE,
	    "%s is no value of a list in brackets",
	    expr_shown(p, t->from, t->to));
	token_refuse(&p->r, t->from, t->to, &e,
	    "write in [\"one\", \"two\"]; a list holds values, not facts");
}

/* After "in": the values, each of the type of what is looked for. */
static struct operand
parse_list(struct parser *p, struct operand left, enum expr_kind kind)
{
	size_t open = p->r.now.from, first = p->n;

	if (!token_is(&p->r, "[")) {
		refuse_list(p);
		return left;
	}
	do {
		struct operand one;

		token_next(&p->r);
		if (token_is(&p->r, "true") || token_is(&p->r, "false")) {
			one = parse_word(p);
		} else if (p->r.now.kind == TOKEN_LITERAL) {
			one = parse_literal(p);
		} else {
			if (p->r.now.kind != TOKEN_END)
				refuse_list(p);
			else
				(void)expect(p, "]", open);
			return left;
		}
		if (check_same(p, "in", &left, &one))
			check_twice(p, &one, first);
	} while (token_is(&p->r, ","));
	(void)expect(p, "]", open);
	emit_kind(p, left.first, kind, TYPE_BOOL, (int64_t)(p->n - first));
	left.type = TYPE_BOOL;
	left.to = p->r.end;
	return left;
}

/* The comparison that the present sign is, or EXPR_LITERAL: none. */
static enum expr_kind
comparison_of(const struct parser *p)
{
	for (int k = EXPR_EQ; k <= EXPR_GE; k++) {
		if (token_is(&p->r, expr_kind_name((enum expr_kind)k)))
			return (enum expr_kind)k;
	}
	return EXPR_LITERAL;
}

static void
refuse_chain(struct parser *p)
{
	const struct token *t = &p->r.now;
	struct err e;

	if (comparison_of(p) == EXPR_LITERAL && !token_is(&p->r, "in"))
		return;
	err_at(&e, ERR_INVALID, "expr-chain", NULL, NOWHERE,
	    "%s would compare the result of a comparison",
	    expr_shown(p, t->from, t->to));
	token_refuse(&p->r, t->from, t->to, &e,
	    "write two comparisons with and between them");
}

static struct operand
parse_comparison(struct parser *p)
{
	struct operand left = parse_sum(p), right;
	enum expr_kind kind = comparison_of(p);
	bool not = token_is(&p->r, "not");

	if (not|| token_is(&p->r, "in")) {
		token_next(&p->r);
		if (not&&!token_is(&p->r, "in")) {
			refuse_behind(p);
			return left;
		}
		if (not)
			token_next(&p->r);
		left = parse_list(p, left, not? EXPR_NOT_IN : EXPR_IN);
	} else if (kind != EXPR_LITERAL) {
		token_next(&p->r);
		right = parse_sum(p);
		if (check_same(p, expr_kind_name(kind), &left, &right) &&
		    kind >= EXPR_LT)
			check_order(p, expr_kind_name(kind), &left);
		emit_kind(p, left.first, kind, TYPE_BOOL, 0);
		left.type = TYPE_BOOL;
		left.to = right.to;
	} else {
		return left;
	}
	refuse_chain(p);
	return left;
}

static struct operand
parse_unary(struct parser *p)
{
	size_t from = p->r.now.from;
	struct operand o;

	if (!token_is(&p->r, "not"))
		return parse_comparison(p);
	if (!deeper(p))
		return (struct operand){ TYPE_BAD, p->n, from, from };
	token_next(&p->r);
	o = parse_unary(p);
	p->depth--;
	check_bool(p, &o);
	emit_kind(p, o.first, EXPR_NOT, TYPE_BOOL, 0);
	return (struct operand){ TYPE_BOOL, o.first, from, o.to };
}

static void
refuse_mixed(struct parser *p)
{
	const struct token *t = &p->r.now;
	struct err e;

	err_at(&e, ERR_INVALID, "expr-mixed", NULL, NOWHERE,
	    "and and or stand side by side: which comes first is not said");
	token_refuse(&p->r, t->from, t->to, &e,
	    "write (a and b) or c, or else a and (b or c)");
}

static struct operand
parse_condition(struct parser *p)
{
	struct operand left = parse_unary(p), right;
	enum expr_kind used = EXPR_LITERAL;

	while (token_is(&p->r, "and") || token_is(&p->r, "or")) {
		enum expr_kind kind =
		    token_is(&p->r, "and") ? EXPR_AND : EXPR_OR;

		if (used != EXPR_LITERAL && kind != used) {
			refuse_mixed(p);
			return left;
		}
		used = kind;
		token_next(&p->r);
		right = parse_unary(p);
		check_bool(p, &left);
		check_bool(p, &right);
		emit_kind(p, left.first, kind, TYPE_BOOL, 0);
		left.type = TYPE_BOOL;
		left.to = right.to;
	}
	return left;
}

bool
expr_parse(struct parser *p)
{
	struct operand whole;

	token_next(&p->r);
	whole = parse_condition(p);
	if (p->r.now.kind != TOKEN_END)
		refuse_behind(p);
	check_bool(p, &whole);
	return !p->r.broken && !p->bad;
}
