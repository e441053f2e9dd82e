/*
 * expr - what the files of the expression language share: operations, facts,
 * and the tokens of a text.  Private to policy/expr*.c.
 */
#ifndef POLICY_EXPR_H
#define POLICY_EXPR_H

#include "internal.h"

#define EXPR_OPS_MAX     64 /* names, values and operators */
#define EXPR_DEPTH_MAX   16 /* parentheses and "not" one inside another */
#define EXPR_PATTERN_MAX 48 /* pieces of a pattern: bits of the matcher */

enum expr_type {
	TYPE_BAD, /* already reported: whoever meets it stays silent */
	TYPE_BOOL,
	TYPE_INT,
	TYPE_TEXT,
	TYPE_DATE,
	TYPE_DURATION,
	/* One of the words of a list; see expr_word(). */
	TYPE_PERSON_KIND,
	TYPE_INSTITUTION_KIND,
	TYPE_KEY
};

/* In the order of the operators' and functions' rows. */
enum expr_kind {
	EXPR_LITERAL,
	EXPR_FACT,
	EXPR_ATTRIBUTE,
	EXPR_NOT,
	EXPR_AND,
	EXPR_OR,
	EXPR_EQ,
	EXPR_NE,
	EXPR_LT,
	EXPR_LE,
	EXPR_GT,
	EXPR_GE,
	EXPR_IN,
	EXPR_NOT_IN,
	EXPR_PLUS,
	EXPR_MINUS,
	EXPR_STARTS_WITH,
	EXPR_ENDS_WITH,
	EXPR_CONTAINS,
	EXPR_MATCHES,
	EXPR_LENGTH
};

/* One operation; its operands are the operations before it. */
struct expr_op {
	enum expr_kind kind;
	enum expr_type type; /* of its result */
	unsigned size;       /* operations of it and its operands */
	int64_t n;           /* a literal; place of a fact; entries of a list */
	struct bytes text;   /* a literal; name of an attribute */
};
struct expr {
	size_t n;
	struct expr_op op[]; /* the whole is the last */
};

/* --- Facts and words ------------------------------------------------------------ */

struct expr_fact {
	const char *name;
	enum expr_type type;
	const char *doc; /* one sentence for the reference */
};
extern const struct expr_fact expr_fact[];
extern const size_t n_expr_fact;

/* "a kind of person" */
const char *expr_type_name(enum expr_type t);
#define EXPR_WORDS_MAX 16 /* of one type */
/* The word of a value; "" for the unstated and what no condition names. */
const char *expr_word(enum expr_type t, int64_t n);
/* The words that a type has, none for most; returns how many. */
size_t expr_words(enum expr_type t, const char *out[EXPR_WORDS_MAX]);
bool expr_word_find(enum expr_type t, struct bytes word, int64_t *n);
/* "==", "starts_with" */
const char *expr_kind_name(enum expr_kind k);

struct expr_value {
	int64_t n; /* of all types but texts */
	struct bytes text;
};
/* The value of EXPR_FACT or EXPR_ATTRIBUTE. */
struct expr_value expr_ask(const struct expr_op *op,
    const struct expr_env *env);

/* --- Patterns ---------------------------------------------------------------------- */

/*
 * pattern_check - is text a pattern?  Otherwise the octets at fault, and what
 * they lack.
 */
enum pattern_fault {
	PATTERN_GOOD,
	PATTERN_OPEN,  /* [ without ] */
	PATTERN_EMPTY, /* [] and [!] */
	PATTERN_CARET, /* [^a]: elsewhere that is [!a] */
	PATTERN_RANGE, /* [z-a] */
	PATTERN_LONG
};
enum pattern_fault pattern_check(struct bytes text, size_t *from, size_t *len);
/*
 * pattern_matches - the whole of text; in one pass, without going back: time
 * grows with the product of the lengths, memory does not.
 */
bool pattern_matches(struct bytes pattern, struct bytes text);

/* --- Tokens -------------------------------------------------------------------------- */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,    /* a-z 0-9 _ and dots: facts, functions, and, or … */
	TOKEN_LITERAL, /* value tells which */
	TOKEN_SIGN     /* == != < <= > >= + - ( ) [ ] , */
};
struct token {
	enum token_kind kind;
	size_t from, to; /* octets of the text */
	struct expr_op value;
};
struct reader_of_tokens {
	struct load *l;
	const struct node *n; /* whose text is read */
	struct token now;
	size_t end;  /* of the token before now */
	bool broken; /* reported; only TOKEN_END follows */
};

void token_next(struct reader_of_tokens *r);
/* Is the present token this word or sign? */
bool token_is(const struct reader_of_tokens *r, const char *word);
/* Reports at octets from..to of the text and breaks off. */
void token_refuse(struct reader_of_tokens *r, size_t from, size_t to,
    struct err *e, const char *hint, ...) __attribute__((format(printf, 5, 6)));
/* The octets from..to, for sentences; "the end" for nothing. */
const char *token_shown(const struct reader_of_tokens *r, size_t from,
    size_t to);

/* --- Parser and types ------------------------------------------------------------------ */

struct parser {
	struct reader_of_tokens r;
	struct expr_op op[EXPR_OPS_MAX];
	size_t n;
	unsigned depth;
	bool bad; /* a type was reported */
};

/* What was read: operations first..n, octets from..to. */
struct operand {
	enum expr_type type;
	size_t first, from, to;
};

/* Reads the whole of p->r into p->op; false: reported. */
bool expr_parse(struct parser *p);

/* Reports at octets from..to and goes on. */
void expr_refuse(struct parser *p, size_t from, size_t to, struct err *e,
    const char *hint, ...) __attribute__((format(printf, 5, 6)));
const char *expr_shown(const struct parser *p, size_t from, size_t to);
/* Something true or false belongs here. */
void check_bool(struct parser *p, const struct operand *o);
/*
 * Are both of one type, so that operator can compare them?  A text in quotes
 * beside something that has words becomes one of them.
 */
bool check_same(struct parser *p, const char *operator, struct operand * a,
    struct operand *b);
void check_order(struct parser *p, const char *operator,
    const struct operand * a);
/* An argument of a function. */
void check_text(struct parser *p, enum expr_kind kind, const struct operand *o);
void check_pattern(struct parser *p, const struct operand *o);
enum expr_type check_sum(struct parser *p, bool plus, const struct operand *a,
    const struct operand *b);
/* The value o of a list that begins with operation first. */
void check_twice(struct parser *p, const struct operand *o, size_t first);

#endif
