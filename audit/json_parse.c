/*
 * json_parse - the small subset of RFC 8259 that this project writes, read in
 * one pass over a copy of the input.  Why it is not a library's work stands in
 * doc/decisions/0008-json-reader.md.
 */
#include <refrendo/audit.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "json_order.h"
#include "json_tree.h"

#define JSON_DEPTH_MAX 16
#define JSON_INT_MAX   ((INT64_C(1) << 53) - 1)

enum judgement { GOOD, REAL, LITERAL, BEYOND };

/* What the parser has met; of the judgements only the first is kept. */
struct parser {
	struct json *j;
	uint8_t *start, *p, *end;
	unsigned depth;
	bool differs; /* from the canonical form */
	enum judgement judged;
	struct err *err;
};

static enum err_code
syntax(struct parser *ps, const char *why)
{
	(void)err_at(ps->err, ERR_INVALID, "json-syntax", "RFC 8259 2",
	    AT_BYTE(ps->p - ps->start), "this is not JSON");
	return err_why(ps->err, "%s", why);
}

static void
judge(struct parser *ps, enum judgement what)
{
	if (ps->judged == GOOD)
		ps->judged = what;
}

static void
skip_space(struct parser *ps)
{
	while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' ||
				      *ps->p == '\r' || *ps->p == '\t')) {
		ps->differs = true;
		ps->p++;
	}
}

/* The octet that comes next after white space; 0 at the end. */
static uint8_t
peek(struct parser *ps)
{
	skip_space(ps);
	return ps->p < ps->end ? *ps->p : 0;
}

/* The node's index: its address changes while the array grows. */
static enum err_code
add_node(struct parser *ps, struct bytes key, size_t *at)
{
	struct json *j = ps->j;

	if (j->n == j->size) {
		size_t size = j->size == 0 ? 64 : 2 * j->size;
		struct json_node *grown =
		    realloc(j->node, size * sizeof(*grown));
		if (grown == NULL)
			return err_nomem(ps->err);
		j->node = grown;
		j->size = size;
	}
	j->node[j->n] = (struct json_node){ .key = key.p,
		.key_len = (uint32_t)key.len,
		.skip = 1 };
	*at = j->n++;
	return ERR_OK;
}

/* --- Strings ----------------------------------------------------------------- */

#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet))

/*
 * The high bits of those of eight octets that are a control, '"', '\\' or
 * beyond ASCII.  The lowest one is right; above it there may be more.
 */
static uint64_t
specials(uint64_t w)
{
	uint64_t quote = w ^ EACH('"'), slash = w ^ EACH('\\');

	return (w | ((w - EACH(0x20)) & ~w) | ((quote - EACH(1)) & ~quote) |
		   ((slash - EACH(1)) & ~slash)) &
	       EACH(0x80);
}

/*
 * Moves ordinary ASCII from ps->p to *to, which is never ahead of it.  Texts
 * with a quote in every few octets are what an export is made of: what stands
 * in front of one moves in one step too.
 */
static void
move_plain(struct parser *ps, uint8_t **to)
{
	uint8_t *p = ps->p, *out = *to;

	while (ps->end - p >= 8) {
		uint64_t w, found;
		memcpy(&w, p, 8);
		found = specials(le64toh(w));
		if (found != 0 && p - out < 8)
			break;
		/* What is written beyond the special octet was read before. */
		memcpy(out, &w, 8);
		size_t n = found == 0 ? 8 : (size_t)__builtin_ctzll(found) / 8;
		p += n;
		out += n;
		if (n < 8) {
			ps->p = p;
			*to = out;
			return;
		}
	}
	while (
	    p < ps->end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		*out++ = *p++;
	ps->p = p;
	*to = out;
}

/* Four digits after \u, the first at p; -1 for what they are not. */
static int32_t
unit_of(struct parser *ps, const uint8_t *p)
{
	uint8_t pair[2];

	if (ps->end - p < 4 || !hex_parse(bytes_of(p, 4), pair, 2))
		return -1;
	return pair[0] << 8 | pair[1];
}

static uint8_t *
put_utf8(uint8_t *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (uint8_t)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (uint8_t)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (uint8_t)(0xe0 | c >> 12);
		} else {
			*to++ = (uint8_t)(0xf0 | c >> 18);
			*to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (uint8_t)(0x80 | (c & 0x3f));
	return to;
}

/*
 * RFC 8785 3.2.2.2 writes \u for controls without a short form alone, with
 * lower-case digits.
 */
static bool
unit_is_canonical(const uint8_t *digits, int32_t unit)
{
	return unit < 0x20 && strchr("\b\t\n\f\r", unit) == NULL &&
	       (digits[3] < 'A' || digits[3] > 'F');
}

/* \uXXXX, or two for what is beyond U+FFFF; ps->p is at the 'u'. */
static enum err_code
unicode_escape(struct parser *ps, uint8_t **to)
{
	int32_t unit = unit_of(ps, ps->p + 1);

	if (unit < 0)
		return syntax(ps, "four hexadecimal digits are due");
	if (unit == 0)
		return syntax(ps, "U+0000 in a string");
	if (!unit_is_canonical(ps->p + 1, unit))
		ps->differs = true;
	uint32_t c = (uint32_t)unit;
	if (c >= 0xd800 && c <= 0xdfff) {
		int32_t low = -1;
		if (c < 0xdc00 && ps->end - ps->p > 7 && ps->p[5] == '\\' &&
		    ps->p[6] == 'u')
			low = unit_of(ps, ps->p + 7);
		if (low < 0xdc00 || low > 0xdfff)
			return syntax(ps, "a surrogate without its other half");
		c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
		ps->p += 6;
	}
	ps->p += 5;
	*to = put_utf8(*to, c);
	return ERR_OK;
}

/* ps->p is at the backslash. */
static enum err_code
escape(struct parser *ps, uint8_t **to)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char stand_for[] = "\"\\/\b\f\n\r\t";

	if (ps->end - ps->p < 2)
		return syntax(ps, "the end in a string");
	ps->p++;
	/* By far the most, in JSON that is a text of JSON. */
	if (*ps->p == '"' || *ps->p == '\\') {
		*(*to)++ = *ps->p++;
		return ERR_OK;
	}
	if (*ps->p == 'u')
		return unicode_escape(ps, to);
	const char *letter = *ps->p == 0 ? NULL : strchr(letters, *ps->p);
	if (letter == NULL)
		return syntax(ps, "an escape that is not known");
	ps->differs = ps->differs || *letter == '/';
	*(*to)++ = (uint8_t)stand_for[letter - letters];
	ps->p++;
	return ERR_OK;
}

/* Characters beyond ASCII that follow each other. */
static enum err_code
move_beyond(struct parser *ps, uint8_t **to)
{
	const uint8_t *start = ps->p;

	while (ps->p < ps->end && *ps->p >= 0x80)
		ps->p++;
	size_t len = (size_t)(ps->p - start);
	if (!utf8_valid(bytes_of(start, len))) {
		ps->p -= len;
		return syntax(ps, "not UTF-8");
	}
	memmove(*to, start, len);
	*to += len;
	return ERR_OK;
}

/*
 * ps->p is at the opening quote.  The text is unescaped where it stands and
 * gets a NUL, at the latest where the closing quote was.
 */
static enum err_code
string(struct parser *ps, struct bytes *out)
{
	uint8_t *to = ++ps->p;

	out->p = to;
	for (;;) {
		move_plain(ps, &to);
		if (ps->p == ps->end)
			return syntax(ps, "the end in a string");
		if (*ps->p == '"')
			break;
		if (*ps->p < 0x20)
			return syntax(ps, "a control in a string");
		TRY(*ps->p == '\\' ? escape(ps, &to) : move_beyond(ps, &to));
	}
	ps->p++;
	*to = '\0';
	out->len = (size_t)(to - out->p);
	return ERR_OK;
}

/* --- Values ------------------------------------------------------------------ */

static bool
is_digit(const struct parser *ps)
{
	return ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9';
}

static enum err_code
digits(struct parser *ps)
{
	if (!is_digit(ps))
		return syntax(ps, "a digit is due");
	while (is_digit(ps))
		ps->p++;
	return ERR_OK;
}

/* The rest of a number with a fraction or an exponent: refused, if it is one.
 */
static enum err_code
real(struct parser *ps)
{
	if (*ps->p == '.') {
		ps->p++;
		TRY(digits(ps));
	}
	if (ps->p < ps->end && (*ps->p | 0x20) == 'e') {
		ps->p++;
		if (ps->p < ps->end && (*ps->p == '+' || *ps->p == '-'))
			ps->p++;
		TRY(digits(ps));
	}
	judge(ps, REAL);
	return ERR_OK;
}

static enum err_code
number(struct parser *ps, size_t at)
{
	bool minus = *ps->p == '-';
	uint8_t *start = ps->p += minus ? 1 : 0;
	int64_t v = 0;

	TRY(digits(ps));
	if (*start == '0' && ps->p - start > 1) {
		ps->p = start + 1;
		return syntax(ps, "a number begins with a zero");
	}
	if (ps->p < ps->end && (*ps->p == '.' || (*ps->p | 0x20) == 'e')) {
		ps->j->node[at].kind = JSON_REFUSED;
		return real(ps);
	}
	struct bytes text = bytes_of(start, (size_t)(ps->p - start));
	if (!dec_parse(text, &v)) {
		/* The least integer of 64 bits has no positive twin. */
		v = INT64_MAX;
		if (!minus || !bytes_is(text, "9223372036854775808")) {
			ps->p = start;
			return syntax(ps, "a number beyond 64 bits");
		}
	}
	if (v > JSON_INT_MAX)
		judge(ps, BEYOND);
	ps->differs = ps->differs || (minus && v == 0);
	ps->j->node[at].kind = JSON_INTEGER;
	ps->j->node[at].integer = minus ? -v : v;
	return ERR_OK;
}

static enum err_code
literal(struct parser *ps, size_t at)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t left = (size_t)(ps->end - ps->p);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);
		if (left < len || memcmp(ps->p, words[i], len) != 0)
			continue;
		ps->p += len;
		ps->j->node[at].kind = JSON_REFUSED;
		judge(ps, LITERAL);
		return ERR_OK;
	}
	return syntax(ps, "a value is due");
}

static int
by_key(const void *a, const void *b)
{
	const struct json_node *const *x = a, *const *y = b;
	return bytes_cmp(json_node_key(*x), json_node_key(*y));
}

/*
 * Members that do not ascend are sorted to find equal ones: comparing each
 * with each would let one large object keep us busy for hours.
 */
static enum err_code
check_twice(struct parser *ps, size_t at)
{
	const struct json_node *object = ps->j->node + at, *node = object + 1;
	const struct json_node **members = calloc(object->n, sizeof(*members));
	const struct json_node *twice = NULL;

	if (members == NULL)
		return err_nomem(ps->err);
	for (size_t i = 0; i < object->n; i++, node += node->skip)
		members[i] = node;
	qsort(members, object->n, sizeof(*members), by_key);
	for (size_t i = 1; i < object->n && twice == NULL; i++)
		if (by_key(&members[i - 1], &members[i]) == 0)
			twice = members[i];
	free(members);
	if (twice == NULL)
		return ERR_OK;
	return err_at(ps->err, ERR_INVALID, "json-duplicate", "RFC 8259 4",
	    AT_BYTE(twice->key - ps->start),
	    "a member occurs twice in the JSON");
}

static enum err_code value(struct parser *ps, struct bytes key);

/* A name and its colon. */
static enum err_code
name(struct parser *ps, struct bytes *key)
{
	if (peek(ps) != '"')
		return syntax(ps, "the name of a member is due");
	TRY(string(ps, key));
	if (peek(ps) != ':')
		return syntax(ps, "a colon is due");
	ps->p++;
	return ERR_OK;
}

/* After a child: true with a comma, false with the closing bracket. */
static enum err_code
go_on(struct parser *ps, uint8_t close, bool *more)
{
	uint8_t c = peek(ps);

	if (c != ',' && c != close)
		return syntax(ps, "a comma or the end of a list is due");
	ps->p++;
	*more = c == ',';
	return ERR_OK;
}

static enum err_code
object(struct parser *ps, size_t at)
{
	struct bytes last = BYTES_NONE, key;
	bool ascend = true, more = true;
	uint32_t n = 0;

	for (; more; n++) {
		TRY(name(ps, &key));
		ascend = ascend && (n == 0 || json_key_order(last, key) < 0);
		last = key;
		TRY(value(ps, key));
		TRY(go_on(ps, '}', &more));
	}
	ps->j->node[at].n = n;
	if (ascend)
		return ERR_OK;
	ps->differs = true;
	return check_twice(ps, at);
}

static enum err_code
array(struct parser *ps, size_t at)
{
	bool more = true;
	uint32_t n = 0;

	for (; more; n++) {
		TRY(value(ps, BYTES_NONE));
		TRY(go_on(ps, ']', &more));
	}
	ps->j->node[at].n = n;
	return ERR_OK;
}

/* An object or an array; ps->p is at its bracket. */
static enum err_code
list(struct parser *ps, size_t at)
{
	bool is_object = *ps->p == '{';

	if (ps->depth == JSON_DEPTH_MAX)
		return err_at(ps->err, ERR_INVALID, "json-depth", "RFC 8259 9",
		    AT_BYTE(ps->p - ps->start),
		    "the JSON is nested too deeply; 16 levels are allowed");
	ps->depth++;
	ps->p++;
	ps->j->node[at].kind = is_object ? JSON_OBJECT : JSON_ARRAY;
	if (peek(ps) == (is_object ? '}' : ']'))
		ps->p++;
	else
		TRY(is_object ? object(ps, at) : array(ps, at));
	ps->j->node[at].skip = (uint32_t)(ps->j->n - at);
	ps->depth--;
	return ERR_OK;
}

static enum err_code
value(struct parser *ps, struct bytes key)
{
	uint8_t c = peek(ps);
	size_t at;

	TRY(add_node(ps, key, &at));
	if (c == '{' || c == '[')
		return list(ps, at);
	if (c == '-' || (c >= '0' && c <= '9'))
		return number(ps, at);
	if (c != '"')
		return literal(ps, at);
	struct bytes text;
	TRY(string(ps, &text));
	struct json_node *node = &ps->j->node[at];
	node->kind = JSON_STRING;
	node->text = text.p;
	node->n = (uint32_t)text.len;
	return ERR_OK;
}

/* --- Documents --------------------------------------------------------------- */

static enum err_code
document(struct parser *ps)
{
	uint8_t c = peek(ps);

	if (c != '{' && c != '[')
		return syntax(ps, "a brace is due");
	TRY(value(ps, BYTES_NONE));
	skip_space(ps);
	if (ps->p != ps->end)
		return syntax(ps, "something follows the end");
	if (c != '{')
		return err_say(ps->err, ERR_INVALID, "json-no-object",
		    "the JSON document must be an object, in braces");
	return ERR_OK;
}

static enum err_code
say_judged(const struct parser *ps)
{
	switch (ps->judged) {
	case BEYOND:
		return err_at(ps->err, ERR_INVALID, "json-integer",
		    "RFC 8785 3.2.2.3", NOWHERE,
		    "a number in the JSON is beyond 2^53 - 1; write it as "
		    "text");
	case REAL:
		return err_at(ps->err, ERR_INVALID, "json-real", NULL, NOWHERE,
		    "a number in the JSON has a fraction or an exponent; only "
		    "integers are accepted");
	case LITERAL:
		return err_at(ps->err, ERR_INVALID, "json-literal", NULL,
		    NOWHERE,
		    "true, false and null are not used here; write a text or "
		    "an integer");
	case GOOD:
		break;
	}
	return ERR_OK;
}

enum err_code
json_parse_max(struct bytes text, size_t max, bool canonical, struct json **out,
    struct err *e)
{
	if (text.len > max || text.len > UINT32_MAX)
		return err_say(e, ERR_INVALID, "json-too-large",
		    "the JSON is too large; send less in one document");
	if (text.len == 0)
		return err_say(e, ERR_INVALID, "json-empty", "JSON is missing");
	AUTO(json) j = malloc(sizeof(*j) + text.len);
	if (j == NULL)
		return err_nomem(e);
	*j = (struct json){ .node = NULL };
	memcpy(j->text, text.p, text.len);
	struct parser ps = { .j = j,
		.start = j->text,
		.p = j->text,
		.end = j->text + text.len,
		.err = e };
	TRY(document(&ps));
	TRY(say_judged(&ps));
	if (canonical && ps.differs)
		return err_at(e, ERR_INVALID, "json-canonical", "RFC 8785 3.2",
		    NOWHERE, "the JSON is not in canonical form");
	*out = TAKE(j);
	return ERR_OK;
}

enum err_code
json_parse(struct bytes text, bool canonical, struct json **out, struct err *e)
{
	return json_parse_max(text, JSON_MAX_BYTES, canonical, out, e);
}

void
json_free(struct json *j)
{
	if (j == NULL)
		return;
	free(j->node);
	free(j);
}
