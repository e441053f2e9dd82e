/*
 * expr - conditions: what they may ask for, from a text to one that is
 * checked, and their verdict.
 */
#include "expr.h"

/* --- Facts and words ------------------------------------------------------------ */

enum asked {
	ASK_PERSON_RUN,
	ASK_PERSON_NAME,
	ASK_PERSON_OFFICE,
	ASK_PERSON_EMAIL,
	ASK_PERSON_KIND,
	ASK_INSTITUTION_RUT,
	ASK_INSTITUTION_NAME,
	ASK_INSTITUTION_KIND,
	ASK_REQUEST_KEY,
	ASK_REQUEST_VALIDITY,
	ASK_REQUEST_IS_RENEWAL,
	ASK_NOW,
	ASK_ISSUER_NOT_AFTER
};

/* clang-format off */
const struct expr_fact expr_fact[] = {
	[ASK_PERSON_RUN]       = { "person.run",        TYPE_TEXT, "Without dots: 12345678-5." },
	[ASK_PERSON_NAME]      = { "person.name",       TYPE_TEXT, "Names and surnames." },
	[ASK_PERSON_OFFICE]    = { "person.office",     TYPE_TEXT, "The office held." },
	[ASK_PERSON_EMAIL]     = { "person.email",      TYPE_TEXT, "The address that goes into certificates." },
	[ASK_PERSON_KIND]      = { "person.kind",       TYPE_PERSON_KIND, "What the registry says the holder is." },
	[ASK_INSTITUTION_RUT]  = { "institution.rut",   TYPE_TEXT, "Without dots." },
	[ASK_INSTITUTION_NAME] = { "institution.name",  TYPE_TEXT, "Its name." },
	[ASK_INSTITUTION_KIND] = { "institution.kind",  TYPE_INSTITUTION_KIND, "What the registry says the institution is." },
	[ASK_REQUEST_KEY]      = { "request.key",       TYPE_KEY, "Type of the key to be certified." },
	[ASK_REQUEST_VALIDITY] = { "request.validity",  TYPE_DURATION, "The life asked for, or the policy's default." },
	[ASK_REQUEST_IS_RENEWAL] = { "request.is_renewal", TYPE_BOOL, "Does the person have the certificate that this one follows?" },
	[ASK_NOW]              = { "now",               TYPE_DATE, "The instant of the decision." },
	[ASK_ISSUER_NOT_AFTER] = { "issuer.not_after",  TYPE_DATE, "The last second of the issuing CA's certificate." },
};
/* clang-format on */
const size_t n_expr_fact = ARRAY_LEN(expr_fact);

const char *
expr_type_name(enum expr_type t)
{
	static const char *const names[] = { "nothing", "true or false",
		"a number", "a text", "a date", "a duration",
		"a kind of person", "a kind of institution", "a type of key" };

	return names[t];
}

const char *
expr_kind_name(enum expr_kind k)
{
	static const char *const names[] = { "a value", "a fact",
		"person.attribute", "not", "and", "or", "==", "!=", "<",
		"<=", ">", ">=", "in", "not in", "+", "-", "starts_with",
		"ends_with", "contains", "matches", "length" };

	return names[k];
}

static int
word_count(enum expr_type t)
{
	return t == TYPE_PERSON_KIND        ? PERSON_KINDS
	       : t == TYPE_INSTITUTION_KIND ? INSTITUTION_KINDS
	       : t == TYPE_KEY              ? KEY_TYPES
					    : 0;
}

const char *
expr_word(enum expr_type t, int64_t n)
{
	if (n < 0 || n >= word_count(t))
		return "";
	if (t == TYPE_PERSON_KIND)
		return person_kind_name((enum person_kind)n);
	if (t == TYPE_INSTITUTION_KIND)
		return institution_kind_name((enum institution_kind)n);
	return key_type_name((enum key_type)n);
}

size_t
expr_words(enum expr_type t, const char *out[EXPR_WORDS_MAX])
{
	size_t count = 0;

	for (int n = 0; n < word_count(t) && count < EXPR_WORDS_MAX; n++) {
		if (expr_word(t, n)[0] != '\0')
			out[count++] = expr_word(t, n);
	}
	return count;
}

bool
expr_word_find(enum expr_type t, struct bytes word, int64_t *n)
{
	for (*n = 0; *n < word_count(t); ++*n) {
		if (word.len > 0 && bytes_is(word, expr_word(t, *n)))
			return true;
	}
	return false;
}

void
expr_reference(struct buf *out)
{
	const char *words[EXPR_WORDS_MAX];

	buf_puts(out, "| fact | is | meaning |\n|---|---|---|\n");
	for (size_t i = 0; i < n_expr_fact; i++) {
		const struct expr_fact *f = &expr_fact[i];
		size_t n = expr_words(f->type, words);

		buf_putf(out, "| `%s` | %s", f->name, expr_type_name(f->type));
		for (size_t k = 0; k < n; k++)
			buf_putf(out, "%s `\"%s\"`", k > 0 ? "," : ":",
			    words[k]);
		buf_putf(out, " | %s |\n", f->doc);
	}
	buf_puts(out,
	    "| `person.attribute(\"NAME\")` | a text | What the institution "
	    "registered under that name; empty when nothing. |\n");
}

/* --- From text  --------------------------------------------------------------------------- */

#define WANT "write a condition, as in person.kind == \"official\""

static const struct expr *
refuse_long(struct load *l, const struct node *n)
{
	struct err e;

	err_at(&e, ERR_INVALID, "expr-long", NULL, where_of(l, n),
	    "the condition is longer than 1024 octets, written with one space "
	    "around each operator");
	report(l, n->width, &e, "make two conditions of it");
	return NULL;
}

static void
warn_constant(struct load *l, const struct node *n, const struct expr *x)
{
	struct err e;

	for (size_t i = 0; i < x->n; i++) {
		if (x->op[i].kind == EXPR_FACT ||
		    x->op[i].kind == EXPR_ATTRIBUTE)
			return;
	}
	err_at(&e, ERR_INVALID, "expr-constant", NULL, where_of(l, n),
	    "the condition asks for no fact: it is always the same");
	report_warning(l, n->width, &e, "delete it, or name a fact");
}

static const struct expr *
compile(struct load *l, const struct node *n)
{
	struct buf text AUTO_BUF = BUF(EXPR_TEXT_MAX);
	struct parser p = { .r = { .l = l, .n = n } };
	struct expr *x;

	if (n->text.len > EXPR_TEXT_MAX)
		return refuse_long(l, n);
	if (!expr_parse(&p))
		return NULL;
	x = arena_get(l->arena, sizeof(*x) + p.n * sizeof(x->op[0]));
	x->n = p.n;
	memcpy(x->op, p.op, p.n * sizeof(x->op[0]));
	expr_print(&text, x);
	if (text.failed)
		return refuse_long(l, n);
	warn_constant(l, n, x);
	return x;
}

const struct expr *
expr_decode(struct load *l, const struct node *n)
{
	if (!text_is(l, n, WANT))
		return NULL;
	return compile(l, n);
}

const struct expr *
expr_compile(const struct policy_file *one, struct arena *arena,
    struct findings *f)
{
	struct load l = { .file = one,
		.arena = arena,
		.f = f,
		.errors_before = f->errors };
	struct node n = { .kind = NODE_TEXT, .line = 1, .col = 1, .width = 1 };
	struct err e;

	if (!utf8_valid(one->text)) {
		err_at(&e, ERR_INVALID, "policy-utf8", "RFC 3629 3",
		    where_of(&l, &n), "an octet here is not UTF-8");
		report(&l, 1, &e, "save the file in UTF-8");
		return NULL;
	}
	n.text = bytes_str(arena_str(arena, one->text));
	n.text.len = one->text.len;
	n.width = (uint32_t)utf8_count(n.text) + (n.text.len == 0 ? 1 : 0);
	if (!text_is(&l, &n, WANT))
		return NULL;
	/* Each character stands for itself from here on. */
	n.plain = true;
	return compile(&l, &n);
}

/* --- Verdict -------------------------------------------------------------------------- */

static struct expr_value
ask(enum asked fact, const struct expr_env *env)
{
	const struct policy_facts *f = env->facts;
	struct expr_value v = { .n = 0 };

	switch (fact) {
	case ASK_PERSON_RUN:
		v.text = f->fact[FACT_PERSON_RUN];
		break;
	case ASK_PERSON_NAME:
		v.text = f->fact[FACT_PERSON_NAME];
		break;
	case ASK_PERSON_OFFICE:
		v.text = f->fact[FACT_PERSON_OFFICE];
		break;
	case ASK_PERSON_EMAIL:
		v.text = f->fact[FACT_PERSON_EMAIL];
		break;
	case ASK_PERSON_KIND:
		v.n = f->person_kind;
		break;
	case ASK_INSTITUTION_RUT:
		v.text = f->fact[FACT_INSTITUTION_RUT];
		break;
	case ASK_INSTITUTION_NAME:
		v.text = f->fact[FACT_INSTITUTION_NAME];
		break;
	case ASK_INSTITUTION_KIND:
		v.n = f->institution_kind;
		break;
	case ASK_REQUEST_KEY:
		v.n = f->key;
		break;
	case ASK_REQUEST_VALIDITY:
		v.n = env->validity_s;
		break;
	case ASK_REQUEST_IS_RENEWAL:
		v.n = f->is_renewal;
		break;
	case ASK_NOW:
		v.n = f->now;
		break;
	case ASK_ISSUER_NOT_AFTER:
		v.n = f->issuer_not_after;
		break;
	}
	return v;
}

struct expr_value
expr_ask(const struct expr_op *op, const struct expr_env *env)
{
	if (op->kind == EXPR_FACT)
		return ask((enum asked)op->n, env);
	return (struct expr_value){ 0, policy_attribute(env->facts, op->text) };
}

/* What would leave the range stops at its end. */
static int64_t
sum(int64_t a, int64_t b)
{
	int64_t n;

	if (!__builtin_add_overflow(a, b, &n))
		return n;
	return b < 0 ? INT64_MIN : INT64_MAX;
}

static int64_t
difference(int64_t a, int64_t b)
{
	int64_t n;

	if (!__builtin_sub_overflow(a, b, &n))
		return n;
	return b < 0 ? INT64_MAX : INT64_MIN;
}

static bool
same(const struct expr_value *a, const struct expr_value *b, bool texts)
{
	return texts ? bytes_eq(a->text, b->text) : a->n == b->n;
}

static bool
starts_with(struct bytes text, struct bytes with)
{
	return text.len >= with.len &&
	       bytes_eq(bytes_of(text.p, with.len), with);
}

static bool
ends_with(struct bytes text, struct bytes with)
{
	return text.len >= with.len &&
	       (with.len == 0 ||
		   bytes_eq(bytes_of(text.p + (text.len - with.len), with.len),
		       with));
}

static bool
contains(struct bytes text, struct bytes part)
{
	return part.len == 0 || (text.len > 0 && memmem(text.p, text.len,
						     part.p, part.len) != NULL);
}

static bool
is_among(const struct expr_value *v, int64_t n, bool texts)
{
	for (int64_t i = 1; i <= n; i++) {
		if (same(v, v + i, texts))
			return true;
	}
	return false;
}

static bool
compares(enum expr_kind kind, const struct expr_value *a,
    const struct expr_value *b)
{
	switch (kind) {
	case EXPR_LT:
		return a->n < b->n;
	case EXPR_LE:
		return a->n <= b->n;
	case EXPR_GT:
		return a->n > b->n;
	case EXPR_GE:
		return a->n >= b->n;
	case EXPR_AND:
		return a->n != 0 && b->n != 0;
	case EXPR_OR:
		return a->n != 0 || b->n != 0;
	case EXPR_STARTS_WITH:
		return starts_with(a->text, b->text);
	case EXPR_ENDS_WITH:
		return ends_with(a->text, b->text);
	case EXPR_CONTAINS:
		return contains(a->text, b->text);
	case EXPR_MATCHES:
		return pattern_matches(b->text, a->text);
	case EXPR_LITERAL:
	case EXPR_FACT:
	case EXPR_ATTRIBUTE:
	case EXPR_NOT:
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_IN:
	case EXPR_NOT_IN:
	case EXPR_PLUS:
	case EXPR_MINUS:
	case EXPR_LENGTH:
		break;
	}
	fatal("an operation that compares nothing");
}

/*
 * One operation.  Its operands lie at v[0], v[1] …, and its result takes the
 * place of the first.
 */
static void
step(const struct expr_op *op, const struct expr_env *env, struct expr_value *v)
{
	/* The last operand is the operation just before. */
	bool texts = op->size > 1 && op[-1].type == TYPE_TEXT;

	switch (op->kind) {
	case EXPR_LITERAL:
		*v = (struct expr_value){ op->n, op->text };
		return;
	case EXPR_FACT:
	case EXPR_ATTRIBUTE:
		*v = expr_ask(op, env);
		return;
	case EXPR_NOT:
		v->n = v->n == 0;
		return;
	case EXPR_EQ:
		v->n = same(&v[0], &v[1], texts);
		return;
	case EXPR_NE:
		v->n = !same(&v[0], &v[1], texts);
		return;
	case EXPR_IN:
		v->n = is_among(v, op->n, texts);
		return;
	case EXPR_NOT_IN:
		v->n = !is_among(v, op->n, texts);
		return;
	case EXPR_PLUS:
		v->n = sum(v[0].n, v[1].n);
		return;
	case EXPR_MINUS:
		v->n = difference(v[0].n, v[1].n);
		return;
	case EXPR_LENGTH:
		v->n = utf8_valid(v->text) ? (int64_t)utf8_count(v->text)
					   : (int64_t)v->text.len;
		return;
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE:
	case EXPR_STARTS_WITH:
	case EXPR_ENDS_WITH:
	case EXPR_CONTAINS:
	case EXPR_MATCHES:
		v->n = compares(op->kind, &v[0], &v[1]);
		return;
	}
	fatal("an operation of no kind");
}

static size_t
operands(const struct expr_op *op)
{
	switch (op->kind) {
	case EXPR_LITERAL:
	case EXPR_FACT:
	case EXPR_ATTRIBUTE:
		return 0;
	case EXPR_NOT:
	case EXPR_LENGTH:
		return 1;
	case EXPR_IN:
	case EXPR_NOT_IN:
		return 1 + (size_t)op->n;
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
	case EXPR_STARTS_WITH:
	case EXPR_ENDS_WITH:
	case EXPR_CONTAINS:
	case EXPR_MATCHES:
		return 2;
	}
	fatal("an operation of no kind");
}

bool
expr_true(const struct expr *x, const struct expr_env *env)
{
	struct expr_value stack[EXPR_OPS_MAX];
	size_t top = 0;

	for (size_t i = 0; i < x->n; i++) {
		top -= operands(&x->op[i]);
		step(&x->op[i], env, &stack[top]);
		top++;
	}
	return stack[0].n != 0;
}

/* --- Copies --------------------------------------------------------------------------- */

const struct expr *
expr_copy(struct arena *arena, const struct expr *x)
{
	size_t size = sizeof(*x) + x->n * sizeof(x->op[0]);
	struct expr *copy = arena_get(arena, size);

	memcpy(copy, x, size);
	for (size_t i = 0; i < copy->n; i++)
		copy->op[i].text = arena_copy(arena, copy->op[i].text);
	return copy;
}
