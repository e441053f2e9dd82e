/*
 * expr_lex - the text of a condition to tokens, each with its place.
 */
#include <stdarg.h>

#include "expr.h"

static const char *const signs[] = { "==", "!=", "<=", ">=", "<", ">", "+", "-",
	"(", ")", "[", "]", "," };

/* What people bring along from other languages. */
static const struct {
	const char *got, *hint;
} foreign_signs[] = {
	{ "<>", "write !=" },
	{ "=~", "write matches(TEXT, \"PATTERN\")" },
	{ "=", "write ==" },
	{ "&&", "write and" },
	{ "||", "write or" },
	{ "!", "write not" },
	{ "{", "facts stand here without braces, as in person.kind" },
	{ "}", "facts stand here without braces, as in person.kind" },
	{ "\xe2\x80\x9c", "write straight quotes: \"text\"" },
	{ "\xe2\x80\x9d", "write straight quotes: \"text\"" },
	{ "\xe2\x80\x98", "write straight quotes: \"text\"" },
	{ "\xe2\x80\x99", "write straight quotes: \"text\"" },
	{ "*", "only + and - of dates and durations are known" },
	{ "/", "only + and - of dates and durations are known" },
};

const char *
token_shown(const struct reader_of_tokens *r, size_t from, size_t to)
{
	if (from == to)
		return "the end";
	return arena_str(r->l->arena, bytes_of(r->n->text.p + from, to - from));
}

void
token_refuse(struct reader_of_tokens *r, size_t from, size_t to, struct err *e,
    const char *hint, ...)
{
	size_t len = r->n->text.len;
	char said[160];
	uint32_t width;
	va_list ap;

	va_start(ap, hint);
	vsnprintf(said, sizeof(said), hint, ap);
	va_end(ap);
	/* At the end the last character is shown. */
	if (from == len && len > 0) {
		from--;
		while (from > 0 && (r->n->text.p[from] & 0xc0) == 0x80)
			from--;
		to = len;
	}
	width = place_in(r->l, r->n, from, to - from, &e->where);
	report(r->l, width, e, "%s", said);
	r->broken = true;
	r->now.kind = TOKEN_END;
}

bool
token_is(const struct reader_of_tokens *r, const char *word)
{
	const struct token *t = &r->now;

	return (t->kind == TOKEN_WORD || t->kind == TOKEN_SIGN) &&
	       bytes_is(bytes_of(r->n->text.p + t->from, t->to - t->from),
		   word);
}

static struct bytes
text_from(const struct reader_of_tokens *r, size_t from)
{
	return bytes_of(r->n->text.p + from, r->n->text.len - from);
}

static bool
begins(struct bytes text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.p, with, len) == 0;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* --- Literals ------------------------------------------------------------------------ */

static void
literal(struct reader_of_tokens *r, size_t to, enum expr_type type, int64_t n,
    struct bytes text)
{
	r->now.kind = TOKEN_LITERAL;
	r->now.to = to;
	r->now.value = (struct expr_op){ .kind = EXPR_LITERAL,
		.type = type,
		.size = 1,
		.n = n,
		.text = text };
}

static void
quoted_read(struct reader_of_tokens *r, size_t from)
{
	struct bytes rest = text_from(r, from + 1);
	uint8_t quote = r->n->text.p[from];
	const uint8_t *close = memchr(rest.p, quote, rest.len);
	struct err e;

	if (close != NULL) {
		size_t len = (size_t)(close - rest.p);

		literal(r, from + len + 2, TYPE_TEXT, 0, bytes_of(rest.p, len));
		return;
	}
	err_at(&e, ERR_INVALID, "expr-quote", NULL, NOWHERE,
	    "the text that begins here does not end");
	token_refuse(r, from, from + 1, &e, "write a second %c behind it",
	    quote);
}

/* 2027-12-31 or 2027-12-31T10:00:00Z: what begins as a date is one. */
static size_t
date_length(struct bytes t)
{
	size_t i = 0, len = 10;

	while (i < t.len && i < 4 && is_digit(t.p[i]))
		i++;
	if (i < 4 || t.len < 7 || t.p[4] != '-' || !is_digit(t.p[5]) ||
	    !is_digit(t.p[6]) || (t.len > 7 && t.p[7] != '-'))
		return 0;
	if (t.len < len)
		return t.len;
	while (len < t.len &&
	       (is_digit(t.p[len]) || is_letter(t.p[len]) || t.p[len] == ':'))
		len++;
	return len;
}

static void
date_read(struct reader_of_tokens *r, size_t from, size_t len)
{
	struct bytes t = bytes_of(r->n->text.p + from, len);
	int64_t when;
	struct err e;

	if (time_parse(t, &when)) {
		literal(r, from + len, TYPE_DATE, when, BYTES_NONE);
		return;
	}
	err_at(&e, ERR_INVALID, "expr-date", NULL, NOWHERE,
	    "%s is no day of the calendar", token_shown(r, from, from + len));
	token_refuse(r, from, from + len, &e,
	    "write 2027-12-31, or 2027-12-31T10:00:00Z");
}

static void
number_read(struct reader_of_tokens *r, size_t from)
{
	struct bytes t = text_from(r, from);
	size_t len = date_length(t);
	int64_t n;
	struct err e;

	if (len > 0) {
		date_read(r, from, len);
		return;
	}
	while (len < t.len &&
	       (is_digit(t.p[len]) || is_letter(t.p[len]) || t.p[len] == '.'))
		len++;
	t.len = len;
	if (dec_parse(t, &n)) {
		literal(r, from + len, TYPE_INT, n, BYTES_NONE);
		return;
	}
	if (duration_parse(t, &n)) {
		literal(r, from + len, TYPE_DURATION, n, BYTES_NONE);
		return;
	}
	err_at(&e, ERR_INVALID, "expr-number", NULL, NOWHERE,
	    "%s is no whole number, no duration and no date",
	    token_shown(r, from, from + len));
	token_refuse(r, from, from + len, &e,
	    "write 12, 90s 15m 6h 30d 2y, or 2027-12-31");
}

/* --- Words and signs -------------------------------------------------------------------- */

static void
sign_read(struct reader_of_tokens *r, size_t from)
{
	struct bytes rest = text_from(r, from);
	const uint8_t *p = rest.p;
	const char *hint =
	    "write names, values in quotes, and or not in == != < <= > >= + -";
	size_t len;
	struct err e;

	(void)utf8_next(&p, rest.p + rest.len);
	len = (size_t)(p - rest.p);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		bool twice = begins(rest, "<>");

		if (twice || !begins(rest, signs[i]))
			continue;
		r->now.kind = TOKEN_SIGN;
		r->now.to = from + strlen(signs[i]);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(foreign_signs); i++) {
		if (!begins(rest, foreign_signs[i].got))
			continue;
		len = strlen(foreign_signs[i].got);
		hint = foreign_signs[i].hint;
		break;
	}
	err_at(&e, ERR_INVALID, "expr-sign", NULL, NOWHERE,
	    "%s means nothing in a condition",
	    token_shown(r, from, from + len));
	token_refuse(r, from, from + len, &e, "%s", hint);
}

void
token_next(struct reader_of_tokens *r)
{
	struct bytes t = r->n->text;
	size_t at = r->now.to;

	if (r->broken)
		return;
	r->end = at;
	while (at < t.len && t.p[at] == ' ')
		at++;
	r->now = (struct token){ .kind = TOKEN_END, .from = at, .to = at };
	if (at == t.len)
		return;
	if (t.p[at] == '"' || t.p[at] == '\'') {
		quoted_read(r, at);
		return;
	}
	if (is_digit(t.p[at])) {
		number_read(r, at);
		return;
	}
	if (!is_letter(t.p[at])) {
		sign_read(r, at);
		return;
	}
	r->now.kind = TOKEN_WORD;
	while (at < t.len &&
	       (is_letter(t.p[at]) || is_digit(t.p[at]) || t.p[at] == '.'))
		at++;
	r->now.to = at;
}
