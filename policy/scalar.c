/*
 * scalar - single values.  A text without quotes is taken only where every
 * YAML program reads it alike; what looks like a number, a date or a truth
 * value to some of them needs quotes.
 */
#include "internal.h"

/* --- How programs read a text without quotes --------------------------------- */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* One of words, whatever the case of its letters. */
static bool
is_any(struct bytes text, const char *const *words)
{
	for (; *words != NULL; words++) {
		size_t i = 0;

		if (strlen(*words) != text.len)
			continue;
		while (i < text.len &&
		       (text.p[i] | 0x20) == ((uint8_t)(*words)[i] | 0x20))
			i++;
		if (i == text.len)
			return true;
	}
	return false;
}

/* 2026-11-24 and longer: a date in YAML 1.1, a text in 1.2. */
static bool
is_date(struct bytes t)
{
	size_t i = 5, digits = 0;

	if (t.len < 8 || t.p[4] != '-')
		return false;
	for (size_t k = 0; k < 4; k++)
		digits += is_digit(t.p[k]) ? 1 : 0;
	for (; i < t.len && i < 7 && is_digit(t.p[i]); i++)
		;
	return digits == 4 && i > 5 && i + 1 < t.len && t.p[i] == '-' &&
	       is_digit(t.p[i + 1]);
}

/* 1e3, 1.5e-3, 12:30, 1_000: numbers in one version at least. */
static enum plain
number_kind(struct bytes t)
{
	size_t dots = 0, colons = 0, lows = 0, exps = 0, digits = 0, i;

	for (i = 0; i < t.len; i++) {
		uint8_t c = t.p[i];

		if (is_digit(c))
			digits++;
		else if (c == '.')
			dots++;
		else if (c == ':')
			colons++;
		else if (c == '_')
			lows++;
		else if ((c | 0x20) == 'e' && i > 0)
			exps++;
		else if ((c != '+' && c != '-') || i == 0 ||
			 (t.p[i - 1] | 0x20) != 'e')
			return PLAIN_TEXT;
	}
	/* 1.2.3 is a number nowhere: object identifiers look like it. */
	if (digits == 0 || dots > 1 || exps > 1)
		return PLAIN_TEXT;
	if (colons > 0)
		return is_digit(t.p[0]) ? PLAIN_AMBIGUOUS : PLAIN_TEXT;
	if (lows > 0 || exps > 0)
		return is_digit(t.p[0]) || t.p[0] == '.' ? PLAIN_AMBIGUOUS
							 : PLAIN_TEXT;
	if (dots > 0)
		return PLAIN_FLOAT;
	return t.len > 1 && t.p[0] == '0' ? PLAIN_AMBIGUOUS : PLAIN_INT;
}

enum plain
plain_kind(struct bytes t)
{
	static const char *const nulls[] = { "~", "null", NULL };
	static const char *const truths[] = { "y", "n", "yes", "no", "on",
		"off", "true", "false", NULL };
	static const char *const odd[] = { ".inf", "+.inf", "-.inf", ".nan",
		"=", "<<", NULL };
	struct bytes rest = t;

	if (t.len == 0 || is_any(t, nulls))
		return PLAIN_NULL;
	if (bytes_is(t, "true") || bytes_is(t, "false"))
		return PLAIN_BOOL;
	if (is_any(t, truths) || is_any(t, odd) || is_date(t))
		return PLAIN_AMBIGUOUS;
	if (t.p[0] == '+' || t.p[0] == '-')
		rest = bytes_of(t.p + 1, t.len - 1);
	if (rest.len > 2 && rest.p[0] == '0' &&
	    memchr("box", rest.p[1] | 0x20, 3) != NULL && is_digit(rest.p[2]))
		return PLAIN_AMBIGUOUS;
	return number_kind(rest);
}

/* --- Refusals ------------------------------------------------------------------- */

static const char *
said(const struct node *n)
{
	return n->text.len > 0 ? (const char *)n->text.p : "nothing";
}

static bool
refuse(struct load *l, const struct node *n, const struct row *r,
    const struct err *e)
{
	char range[128];

	row_range(r, range, sizeof(range));
	report(l, n->width, e, "write %s", range);
	return false;
}

static bool
refuse_range(struct load *l, const struct node *n, const struct row *r)
{
	struct err e;

	err_at(&e, ERR_INVALID, "policy-range", r->rule, where_of(l, n),
	    "%s is outside what is allowed", said(n));
	return refuse(l, n, r, &e);
}

/* A text of the wrong kind: a list or a map where one value belongs. */
static bool
is_single(struct load *l, const struct node *n, const struct row *r)
{
	struct err e;

	if (n->kind == NODE_TEXT && !n->block)
		return true;
	if (n->kind == NODE_BAD)
		return false;
	err_at(&e, ERR_INVALID, "policy-single", NULL, where_of(l, n),
	    "one value in one line belongs here");
	return refuse(l, n, r, &e);
}

/* Null, and what YAML programs do not agree on. */
static bool
is_certain(struct load *l, const struct node *n, const struct row *r)
{
	struct err e;
	char range[128];
	enum plain kind = n->plain ? plain_kind(n->text) : PLAIN_TEXT;
	bool quotable = r->type == T_TEXT || r->type == T_TMPL ||
			r->type == T_DATE || r->type == T_ZONE ||
			r->type == T_EXPR;

	row_range(r, range, sizeof(range));
	if (kind == PLAIN_NULL) {
		err_at(&e, ERR_INVALID, "policy-null", NULL, where_of(l, n),
		    "there is no value here");
		report(l, n->width, &e, "write %s, or delete the key", range);
		return false;
	}
	if (kind != PLAIN_AMBIGUOUS)
		return true;
	err_at(&e, ERR_INVALID, "policy-ambiguous", "YAML 1.1, 1.2 10.3",
	    where_of(l, n),
	    "YAML programs do not agree on what %s means without quotes",
	    said(n));
	if (quotable)
		report(l, n->width, &e, "write it in quotes: \"%s\"", said(n));
	else
		report(l, n->width, &e, "write %s", range);
	return false;
}

/* --- Types -------------------------------------------------------------------------- */

/* Numbers and truth values stand without quotes, everything else may not. */
static bool
is_bare(struct load *l, const struct node *n)
{
	struct err e;

	if (n->plain)
		return true;
	err_at(&e, ERR_INVALID, "policy-quoted", NULL, where_of(l, n),
	    "%s is a text because it stands in quotes", said(n));
	report(l, n->width, &e, "write it without quotes");
	return false;
}

static bool
int_decode(struct load *l, const struct node *n, const struct row *r,
    int64_t *out)
{
	struct err e;

	if (!is_bare(l, n))
		return false;
	if (plain_kind(n->text) == PLAIN_FLOAT) {
		err_at(&e, ERR_INVALID, "policy-fraction", NULL, where_of(l, n),
		    "%s is not a whole number", said(n));
		report(l, n->width, &e, "fractions are never used here");
		return false;
	}
	if (plain_kind(n->text) != PLAIN_INT) {
		err_at(&e, ERR_INVALID, "policy-not-number", NULL,
		    where_of(l, n), "%s is not a number", said(n));
		return refuse(l, n, r, &e);
	}
	if (!dec_parse(n->text, out) || *out < r->min || *out > r->max)
		return refuse_range(l, n, r);
	return true;
}

static bool
bool_decode(struct load *l, const struct node *n, const struct row *r,
    int64_t *out)
{
	struct err e;

	if (!is_bare(l, n))
		return false;
	*out = bytes_is(n->text, "true") ? 1 : 0;
	if (*out == 1 || bytes_is(n->text, "false"))
		return true;
	err_at(&e, ERR_INVALID, "policy-not-bool", NULL, where_of(l, n),
	    "%s is neither true nor false", said(n));
	return refuse(l, n, r, &e);
}

static bool
size_parse(struct bytes t, int64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;
	int64_t n;

	if (t.len < 4 || t.p[t.len - 1] != 'B' || t.p[t.len - 2] != 'i' ||
	    t.p[t.len - 3] == '\0')
		return false;
	unit = strchr(units, t.p[t.len - 3]);
	if (unit == NULL || !dec_parse(bytes_of(t.p, t.len - 3), &n))
		return false;
	/* An EiB or more is no size of a file. */
	if (n >= INT64_C(1) << 30)
		return false;
	*out = n << (10 * (unit - units + 1));
	return true;
}

static bool
percent_parse(struct bytes t, int64_t *out)
{
	return t.len >= 2 && t.p[t.len - 1] == '%' &&
	       dec_parse(bytes_of(t.p, t.len - 1), out);
}

static bool
unit_decode(struct load *l, const struct node *n, const struct row *r,
    int64_t *out)
{
	struct bytes t = n->text;
	struct err e = { .code = ERR_OK };

	if (r->type == T_DURATION && !duration_parse(t, out))
		err_at(&e, ERR_INVALID, "policy-not-duration", NULL,
		    where_of(l, n),
		    "%s is not a duration: a whole number and s, m, h, d or y",
		    said(n));
	else if (r->type == T_SIZE && !size_parse(t, out))
		err_at(&e, ERR_INVALID, "policy-not-size", NULL, where_of(l, n),
		    "%s is not a size: a whole number and KiB, MiB or GiB",
		    said(n));
	else if (r->type == T_PERCENT && !percent_parse(t, out))
		err_at(&e, ERR_INVALID, "policy-not-percent", NULL,
		    where_of(l, n),
		    "%s is not a percentage: a whole number and a percent sign",
		    said(n));
	if (e.code != ERR_OK)
		return refuse(l, n, r, &e);
	if (*out < r->min || *out > r->max)
		return refuse_range(l, n, r);
	return true;
}

static bool
slug_valid(struct bytes t)
{
	for (size_t i = 0; i < t.len; i++) {
		uint8_t c = t.p[i];
		bool inner = i > 0 && i + 1 < t.len;

		if ((c < 'a' || c > 'z') && !is_digit(c) &&
		    (c != '-' || !inner || t.p[i - 1] == '-'))
			return false;
	}
	return t.len > 0;
}

bool
text_is(struct load *l, const struct node *n, const char *want)
{
	struct err e;
	bool numeric = n->plain && plain_kind(n->text) != PLAIN_TEXT;

	if (numeric) {
		err_at(&e, ERR_INVALID, "policy-not-text", NULL, where_of(l, n),
		    "%s is no text without quotes", said(n));
		report(l, n->width, &e, "write it in quotes: \"%s\"", said(n));
		return false;
	}
	if (n->text.len == 0) {
		err_at(&e, ERR_INVALID, "policy-text-empty", NULL,
		    where_of(l, n), "there is nothing between the quotes");
		report(l, n->width, &e, "%s", want);
		return false;
	}
	if (!text_clean(n->text)) {
		err_at(&e, ERR_INVALID, "policy-text-control", NULL,
		    where_of(l, n),
		    "the text holds a line break, or a control or invisible "
		    "character");
		report(l, n->width, &e, "write it in one line");
		return false;
	}
	return true;
}

static bool
text_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	struct err e;
	char range[128];
	int64_t chars = (int64_t)utf8_count(n->text);

	row_range(r, range, sizeof(range));
	if (!text_is(l, n, range))
		return false;
	/* Octets count too: the typed struct has room for max of them. */
	if (chars < r->min || (int64_t)n->text.len > r->max) {
		err_at(&e, ERR_INVALID, "policy-text-length", r->rule,
		    where_of(l, n), "the text is too long or too short");
		report(l, n->width, &e, "write %s", range);
		return false;
	}
	v->text = n->text;
	if (r->type != T_SLUG || slug_valid(n->text))
		return true;
	err_at(&e, ERR_INVALID, "policy-slug", NULL, where_of(l, n),
	    "%s is no name: small letters, digits and single dashes between "
	    "them",
	    said(n));
	report(l, n->width, &e, "as in funcionario-firma");
	return false;
}

static bool
oid_decode(struct load *l, const struct node *n, struct value *v)
{
	struct err e;

	if (oid_parse(n->text, &v->oid, &e) == ERR_OK)
		return true;
	e.where = where_of(l, n);
	report(l, n->width, &e, "as in 2.16.152.1.3");
	return false;
}

static bool
date_decode(struct load *l, const struct node *n, struct value *v)
{
	struct err e;

	v->text = n->text;
	if (n->text.len == strlen("2027-12-31") && time_parse(n->text, &v->n))
		return true;
	err_at(&e, ERR_INVALID, "policy-not-date", NULL, where_of(l, n),
	    "%s is not a day", said(n));
	report(l, n->width, &e, "write it in quotes, as in \"2027-12-31\"");
	return false;
}

static bool
zone_decode(struct load *l, const struct node *n, struct value *v)
{
	struct zone z;
	struct err e;

	v->text = n->text;
	if (zone_parse(n->text, &z))
		return true;
	err_at(&e, ERR_INVALID, "policy-zone", NULL, where_of(l, n),
	    "%s is no time zone that is known here", said(n));
	report(l, n->width, &e,
	    "write UTC, an offset in quotes as in \"-03:00\", or "
	    "America/Santiago");
	return false;
}

static bool
ref_decode(struct load *l, const struct node *n, struct value *v)
{
	struct bytes t = n->text, number;
	const uint8_t *mark = t.len > 0 ? memchr(t.p, '@', t.len) : NULL;
	struct err e;

	if (mark != NULL) {
		v->text = bytes_of(t.p, (size_t)(mark - t.p));
		number = bytes_of(mark + 1, t.len - v->text.len - 1);
		if (slug_valid(v->text) && v->text.len < POLICY_NAME_MAX &&
		    dec_parse(number, &v->n) && v->n > 0)
			return true;
	}
	err_at(&e, ERR_INVALID, "policy-extends-form", NULL, where_of(l, n),
	    "%s does not name a policy and its version", said(n));
	report(l, n->width, &e, "write name@version, as in estado-base@3");
	return false;
}

bool
word_decode(struct load *l, const struct node *n, const struct row *r,
    int64_t *out)
{
	const char *words[24], *near;
	char list[160];
	size_t count = 0;
	struct err e;

	if (!is_single(l, n, r) || !is_certain(l, n, r))
		return false;
	words_list(r->words, list, sizeof(list));
	if (n->text.len == 0)
		return text_is(l, n, list);
	for (const struct word *w = r->words; w->word != NULL; w++) {
		if (w->refused == NULL && count < ARRAY_LEN(words))
			words[count++] = w->word;
		if (!bytes_is(n->text, w->word))
			continue;
		*out = w->value;
		if (w->refused == NULL)
			return true;
		if (w->later)
			err_at(&e, ERR_DENIED, "policy-word-later", r->rule,
			    where_of(l, n),
			    "%s belongs to a version of Refrendo that is yet "
			    "to come",
			    said(n));
		else
			err_at(&e, ERR_DENIED, "policy-word-refused", r->rule,
			    where_of(l, n), "%s has no place here", said(n));
		report(l, n->width, &e, "%s", w->refused);
		return false;
	}
	near = nearest_word(n->text, words, count);
	err_at(&e, ERR_INVALID, "policy-word-unknown", r->rule, where_of(l, n),
	    "there is no choice called %s here", said(n));
	if (near != NULL && count > 1)
		report(l, n->width, &e, "did you mean %s? allowed: %s", near,
		    list);
	else
		report(l, n->width, &e, "allowed: %s", list);
	return false;
}

bool
scalar_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v)
{
	if (r->type == T_WORD)
		return word_decode(l, n, r, &v->n);
	if (!is_single(l, n, r) || !is_certain(l, n, r))
		return false;
	switch (r->type) {
	case T_EXPR:
		v->expr = expr_decode(l, n);
		return v->expr != NULL;
	case T_TEXT:
	case T_SLUG:
		return text_decode(l, n, r, v);
	case T_INT:
	case T_INTS:
		return int_decode(l, n, r, &v->n);
	case T_BOOL:
		return bool_decode(l, n, r, &v->n);
	case T_DURATION:
	case T_PERCENT:
	case T_SIZE:
		return unit_decode(l, n, r, &v->n);
	case T_OID:
		return oid_decode(l, n, v);
	case T_REF:
		return ref_decode(l, n, v);
	case T_DATE:
		return date_decode(l, n, v);
	case T_ZONE:
		return zone_decode(l, n, v);
	case T_TMPL:
		return tmpl_decode(l, n, &v->tmpl);
	case T_WORD:
	case T_WORDS:
	case T_SPANS:
	case T_TEXTS:
	case T_SUBJECT:
	case T_MAP:
	case T_LIST:
		break;
	}
	fatal("scalar_decode: a row of another type");
}
