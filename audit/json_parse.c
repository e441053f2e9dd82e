/*
 * json_parse - the small subset of RFC 8259 that this project writes, read in
 * one pass over a copy of the input.  Why it is not a library's work stands in
 * doc/decisions/0008-json-reader.md.
 */
#include <refrendo/audit.h>

#include <stdlib.h>
#include <string.h>

#include "json_order.h"
#include "json_parser.h"

#define JSON_DEPTH_MAX 16
#define JSON_INT_MAX   ((INT64_C(1) << 53) - 1)

static void
judge(struct json_parser *ps, enum judgement what)
{
	if (ps->judged == GOOD)
		ps->judged = what;
}

static void
skip_space(struct json_parser *ps)
{
	while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' ||
				      *ps->p == '\r' || *ps->p == '\t')) {
		ps->differs = true;
		ps->p++;
	}
}

/* The octet that comes next after white space; 0 at the end. */
static uint8_t
peek(struct json_parser *ps)
{
	skip_space(ps);
	return ps->p < ps->end ? *ps->p : 0;
}

/* The node's index: its address changes while the array grows. */
static enum err_code
add_node(struct json_parser *ps, struct bytes key, size_t *at)
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

/* --- Values ------------------------------------------------------------------ */

static bool
is_digit(const struct json_parser *ps)
{
	return ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9';
}

static enum err_code
digits(struct json_parser *ps)
{
	if (!is_digit(ps))
		return json_syntax(ps, "a digit is due");
	while (is_digit(ps))
		ps->p++;
	return ERR_OK;
}

/* The rest of a number with a fraction or an exponent: refused, if it is one.
 */
static enum err_code
real(struct json_parser *ps)
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
number(struct json_parser *ps, size_t at)
{
	bool minus = *ps->p == '-';
	uint8_t *start = ps->p += minus ? 1 : 0;
	int64_t v = 0;

	TRY(digits(ps));
	if (*start == '0' && ps->p - start > 1) {
		ps->p = start + 1;
		return json_syntax(ps, "a number begins with a zero");
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
			return json_syntax(ps, "a number beyond 64 bits");
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
literal(struct json_parser *ps, size_t at)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t left = (size_t)(ps->end - ps->p);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);
		if (left < len || memcmp(ps->p, words[i], len) != 0)
			continue;
		ps->p += len;
		ps->j->node[at].kind = i == 0   ? JSON_TRUE
				       : i == 1 ? JSON_FALSE
						: JSON_REFUSED;
		judge(ps, LITERAL);
		return ERR_OK;
	}
	return json_syntax(ps, "a value is due");
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
check_twice(struct json_parser *ps, size_t at)
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
	ps->flaw = JSON_TWICE;
	struct where where = at_field((const char *)twice->key);
	where.byte = (size_t)(twice->key - ps->start) + 1;
	return err_at(ps->err, ERR_INVALID, "json-duplicate", "RFC 8259 4",
	    where, "a member occurs twice in the JSON");
}

static enum err_code value(struct json_parser *ps, struct bytes key);

/* A name and its colon. */
static enum err_code
name(struct json_parser *ps, struct bytes *key)
{
	if (peek(ps) != '"')
		return json_syntax(ps, "the name of a member is due");
	TRY(json_text(ps, key));
	if (peek(ps) != ':')
		return json_syntax(ps, "a colon is due");
	ps->p++;
	return ERR_OK;
}

/* After a child: true with a comma, false with the closing bracket. */
static enum err_code
go_on(struct json_parser *ps, uint8_t close, bool *more)
{
	uint8_t c = peek(ps);

	if (c != ',' && c != close)
		return json_syntax(ps, "a comma or the end of a list is due");
	ps->p++;
	*more = c == ',';
	return ERR_OK;
}

static enum err_code
object(struct json_parser *ps, size_t at)
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
array(struct json_parser *ps, size_t at)
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
list(struct json_parser *ps, size_t at)
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
value(struct json_parser *ps, struct bytes key)
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
	TRY(json_text(ps, &text));
	struct json_node *node = &ps->j->node[at];
	node->kind = JSON_STRING;
	node->text = text.p;
	node->n = (uint32_t)text.len;
	return ERR_OK;
}

/* --- Documents --------------------------------------------------------------- */

static enum err_code
document(struct json_parser *ps)
{
	uint8_t c = peek(ps);

	if (c != '{' && c != '[')
		return json_syntax(ps, "a brace is due");
	TRY(value(ps, BYTES_NONE));
	skip_space(ps);
	if (ps->p != ps->end)
		return json_syntax(ps, "something follows the end");
	if (c == '{')
		return ERR_OK;
	ps->flaw = JSON_NO_OBJECT;
	return err_say(ps->err, ERR_INVALID, "json-no-object",
	    "the JSON document must be an object, in braces");
}

static enum err_code
say_judged(const struct json_parser *ps)
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

static enum err_code
parse(struct json_parser *ps, struct bytes text, size_t max)
{
	if (text.len > max || text.len > UINT32_MAX)
		return err_say(ps->err, ERR_INVALID, "json-too-large",
		    "the JSON is too large; send less in one document");
	if (text.len == 0)
		return err_say(ps->err, ERR_INVALID, "json-empty",
		    "JSON is missing");
	AUTO(json) j = malloc(sizeof(*j) + text.len);
	if (j == NULL)
		return err_nomem(ps->err);
	*j = (struct json){ .node = NULL };
	memcpy(j->text, text.p, text.len);
	ps->j = j;
	ps->start = ps->p = j->text;
	ps->end = j->text + text.len;
	enum err_code code = document(ps);
	ps->j = code == ERR_OK ? TAKE(j) : NULL;
	return code;
}

enum err_code
json_parse_max(struct bytes text, size_t max, bool canonical, struct json **out,
    struct err *e)
{
	struct json_parser ps = { .err = e };

	TRY(parse(&ps, text, max));
	AUTO(json) j = ps.j;
	TRY(say_judged(&ps));
	if (canonical && ps.differs)
		return err_at(e, ERR_INVALID, "json-canonical", "RFC 8785 3.2",
		    NOWHERE, "the JSON is not in canonical form");
	*out = TAKE(j);
	return ERR_OK;
}

enum err_code
json_parse_foreign(struct bytes text, size_t max, struct json **out,
    enum json_flaw *flaw, struct err *e)
{
	struct json_parser ps = { .flaw = JSON_BROKEN, .err = e };
	enum err_code code = parse(&ps, text, max);

	*flaw = ps.flaw;
	if (code == ERR_OK)
		*out = ps.j;
	return code;
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
