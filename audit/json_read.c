#include <refrendo/audit.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_order.h"

#define JSON_DEPTH_MAX 16
#define JSON_INT_MAX   ((INT64_C(1) << 53) - 1)

struct json {
	json_t *root; /* owned */
};

/* jansson allows 2,048 levels: ours are counted before it starts. */
static enum err_code
check_depth(struct bytes text, struct err *e)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return err_at(e, ERR_INVALID, "json-depth",
				    "RFC 8259 9", AT_BYTE(i),
				    "the JSON is nested too deeply; 16 levels "
				    "are allowed");
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return ERR_OK;
}

static struct bytes
text_of(const json_t *node)
{
	return bytes_of(json_string_value(node), json_string_length(node));
}

static enum err_code
judge_node(const json_t *node, struct err *e)
{
	switch (json_typeof(node)) {
	case JSON_STRING:
		return ERR_OK;
	case JSON_INTEGER:
		if (json_integer_value(node) > JSON_INT_MAX ||
		    json_integer_value(node) < -JSON_INT_MAX)
			return err_at(e, ERR_INVALID, "json-integer",
			    "RFC 8785 3.2.2.3", NOWHERE,
			    "a number in the JSON is beyond 2^53 - 1; write "
			    "it as text");
		return ERR_OK;
	case JSON_REAL:
		return err_at(e, ERR_INVALID, "json-real", NULL, NOWHERE,
		    "a number in the JSON has a fraction or an exponent; "
		    "only integers are accepted");
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return err_at(e, ERR_INVALID, "json-literal", NULL, NOWHERE,
		    "true, false and null are not used here; write a text or "
		    "an integer");
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return ERR_OK;
}

/*
 * The input that is still to be met while the tree is walked as the writer
 * would print it: comparing is cheaper than printing.
 */
struct expected {
	const uint8_t *p, *end;
	bool differs;
};

static void
expect(struct expected *x, const void *p, size_t len)
{
	if (x->differs || (size_t)(x->end - x->p) < len ||
	    memcmp(x->p, p, len) != 0)
		x->differs = true;
	else
		x->p += len;
}

static void
expect_escape(struct expected *x, uint8_t c)
{
	/* The two that are frequent, since JSON is quoted in JSON here. */
	if (c == '"' || c == '\\') {
		expect(x, (uint8_t[]){ '\\', c }, 2);
		return;
	}
	struct buf one AUTO_BUF = BUF(16);
	json_put_string(&one, bytes_of(&c, 1));
	expect(x, one.p + 1, one.len - 2);
}

static void
expect_string(struct expected *x, struct bytes text)
{
	size_t start = 0;

	expect(x, "\"", 1);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		expect(x, text.p + start, i - start);
		expect_escape(x, c);
		start = i + 1;
	}
	if (text.len > start)
		expect(x, text.p + start, text.len - start);
	expect(x, "\"", 1);
}

static void
expect_int(struct expected *x, int64_t v)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)v);

	expect(x, text, (size_t)len);
}

/* Judges every value and compares. */
static enum err_code
walk(json_t *node, struct expected *x, struct err *e)
{
	const char *key;
	json_t *value;
	size_t i, key_len;
	struct bytes last = BYTES_NONE;

	TRY(judge_node(node, e));
	if (json_is_array(node)) {
		expect(x, "[", 1);
		json_array_foreach(node, i, value)
		{
			if (i > 0)
				expect(x, ",", 1);
			TRY(walk(value, x, e));
		}
		expect(x, "]", 1);
	} else if (json_is_object(node)) {
		/* jansson keeps members in the order of the text. */
		expect(x, "{", 1);
		json_object_keylen_foreach(node, key, key_len, value)
		{
			struct bytes name = bytes_of(key, key_len);
			if (last.p != NULL && json_key_order(last, name) >= 0)
				x->differs = true;
			if (last.p != NULL)
				expect(x, ",", 1);
			last = name;
			expect_string(x, name);
			expect(x, ":", 1);
			TRY(walk(value, x, e));
		}
		expect(x, "}", 1);
	} else if (json_is_string(node)) {
		expect_string(x, text_of(node));
	} else {
		expect_int(x, json_integer_value(node));
	}
	return ERR_OK;
}

static enum err_code
judge(json_t *node, struct err *e)
{
	const char *key;
	json_t *value;
	size_t i;

	TRY(judge_node(node, e));
	if (json_is_array(node)) {
		json_array_foreach(node, i, value) TRY(judge(value, e));
	} else if (json_is_object(node)) {
		json_object_foreach(node, key, value) TRY(judge(value, e));
	}
	return ERR_OK;
}

static enum err_code
check_canonical(json_t *root, struct bytes text, struct err *e)
{
	struct expected x = { text.p, text.p + text.len, false };
	TRY(walk(root, &x, e));
	if (x.differs || x.p != x.end)
		return err_at(e, ERR_INVALID, "json-canonical", "RFC 8785 3.2",
		    NOWHERE, "the JSON is not in canonical form");
	return ERR_OK;
}

static enum err_code
parse_fault(const json_error_t *fault, struct err *e)
{
	struct where where = NOWHERE;
	if (fault->position >= 0)
		where = AT_BYTE(fault->position);
	if (json_error_code(fault) == json_error_duplicate_key)
		return err_at(e, ERR_INVALID, "json-duplicate", "RFC 8259 4",
		    where, "a member occurs twice in the JSON");
	if (json_error_code(fault) == json_error_out_of_memory)
		return err_nomem(e);
	(void)err_at(e, ERR_INVALID, "json-syntax", "RFC 8259 2", where,
	    "this is not JSON");
	return err_why(e, "%s", fault->text);
}

enum err_code
json_parse_max(struct bytes text, size_t max, bool canonical, struct json **out,
    struct err *e)
{
	json_error_t fault;

	if (text.len > max)
		return err_say(e, ERR_INVALID, "json-too-large",
		    "the JSON is too large; send less in one document");
	TRY(check_depth(text, e));
	if (text.len == 0)
		return err_say(e, ERR_INVALID, "json-empty", "JSON is missing");
	json_t *root = json_loadb((const char *)text.p, text.len,
	    JSON_REJECT_DUPLICATES, &fault);
	if (root == NULL)
		return parse_fault(&fault, e);
	enum err_code code = ERR_OK;
	if (!json_is_object(root))
		code = err_say(e, ERR_INVALID, "json-no-object",
		    "the JSON document must be an object, in braces");
	else if (canonical)
		code = check_canonical(root, text, e);
	else
		code = judge(root, e);
	struct json *j = code == ERR_OK ? calloc(1, sizeof(*j)) : NULL;
	if (j == NULL) {
		json_decref(root);
		return code == ERR_OK ? err_nomem(e) : code;
	}
	j->root = root;
	*out = j;
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
	json_decref(j->root);
	free(j);
}

struct json_obj
json_root(struct json *j, bool *bad, struct err *e)
{
	return (struct json_obj){ j->root, bad, e };
}

enum fault {
	MISSING,
	NO_TEXT,
	NO_INTEGER,
	NO_OBJECT,
	NO_ARRAY,
	NO_HEX,
	NO_BASE64,
	UNKNOWN
};

static enum err_code
say_fault(struct err *e, const char *key, enum fault fault)
{
	struct where at = at_field(key);

	switch (fault) {
	case MISSING:
		return err_at(e, ERR_INVALID, "json-missing", NULL, at,
		    "the member %s is missing", key);
	case NO_TEXT:
		return err_at(e, ERR_INVALID, "json-no-text", NULL, at,
		    "the member %s must be a text", key);
	case NO_INTEGER:
		return err_at(e, ERR_INVALID, "json-no-integer", NULL, at,
		    "the member %s must be an integer", key);
	case NO_OBJECT:
		return err_at(e, ERR_INVALID, "json-no-member-object", NULL, at,
		    "the member %s must be an object", key);
	case NO_ARRAY:
		return err_at(e, ERR_INVALID, "json-no-array", NULL, at,
		    "the member %s must be an array", key);
	case NO_HEX:
		return err_at(e, ERR_INVALID, "json-hex", NULL, at,
		    "the member %s must be lower-case hexadecimal digits", key);
	case NO_BASE64:
		return err_at(e, ERR_INVALID, "json-base64", NULL, at,
		    "the member %s must be base64", key);
	case UNKNOWN:
		break;
	}
	return err_at(e, ERR_INVALID, "json-unknown", NULL, at,
	    "the member %s is not known here; remove it", key);
}

/* The first fault stays; later ones are its consequence. */
static void
fault_at(struct json_obj o, const char *key, enum fault fault)
{
	if (o.bad == NULL || *o.bad)
		return;
	*o.bad = true;
	if (o.err != NULL)
		(void)say_fault(o.err, key, fault);
}

static const json_t *
member(struct json_obj o, const char *key)
{
	if (o.node == NULL)
		return NULL;
	return json_object_get(o.node, key);
}

static const json_t *
needed(struct json_obj o, const char *key)
{
	const json_t *v = member(o, key);
	if (v == NULL)
		fault_at(o, key, MISSING);
	return v;
}

struct json_obj
json_get_obj(struct json_obj o, const char *key)
{
	for (const char *at = key;; at++) {
		char name[40];
		size_t len = strcspn(at, ".");
		if (len >= sizeof(name))
			fatal("JSON path %s has too long a name", key);
		memcpy(name, at, len);
		name[len] = '\0';
		const json_t *v = needed(o, name);
		if (v != NULL && !json_is_object(v)) {
			fault_at(o, name, NO_OBJECT);
			v = NULL;
		}
		o.node = v;
		at += len;
		if (*at == '\0')
			return o;
	}
}

bool
json_has(struct json_obj o, const char *key)
{
	return member(o, key) != NULL;
}

static struct bytes
as_text(struct json_obj o, const char *key, const json_t *v)
{
	if (v == NULL)
		return BYTES_NONE;
	if (!json_is_string(v)) {
		fault_at(o, key, NO_TEXT);
		return BYTES_NONE;
	}
	return text_of(v);
}

struct bytes
json_get_str(struct json_obj o, const char *key)
{
	return as_text(o, key, needed(o, key));
}

struct bytes
json_opt_str(struct json_obj o, const char *key)
{
	return as_text(o, key, member(o, key));
}

static int64_t
as_int(struct json_obj o, const char *key, const json_t *v, int64_t absent)
{
	if (v == NULL)
		return absent;
	if (!json_is_integer(v)) {
		fault_at(o, key, NO_INTEGER);
		return absent;
	}
	return json_integer_value(v);
}

int64_t
json_get_int(struct json_obj o, const char *key)
{
	return as_int(o, key, needed(o, key), 0);
}

int64_t
json_opt_int(struct json_obj o, const char *key, int64_t absent)
{
	return as_int(o, key, member(o, key), absent);
}

struct bytes
json_get_hex(struct json_obj o, const char *key, struct arena *a)
{
	struct bytes text = json_get_str(o, key);
	if (text.len == 0)
		return BYTES_NONE;
	uint8_t *p = arena_get(a, text.len / 2 + 1);
	bool good = text.len % 2 == 0 && hex_parse(text, p, text.len / 2);
	for (size_t i = 0; i < text.len; i++)
		good = good && (text.p[i] < 'A' || text.p[i] > 'F');
	if (!good) {
		fault_at(o, key, NO_HEX);
		return BYTES_NONE;
	}
	return bytes_of(p, text.len / 2);
}

struct bytes
json_get_base64(struct json_obj o, const char *key, struct arena *a)
{
	struct bytes text = json_get_str(o, key);
	struct buf out AUTO_BUF = BUF(text.len / 4 * 3 + 3);
	if (text.len == 0)
		return BYTES_NONE;
	if (!base64_get(&out, text)) {
		fault_at(o, key, NO_BASE64);
		return BYTES_NONE;
	}
	return arena_copy(a, buf_bytes(&out));
}

static const json_t *
list_of(struct json_obj o, const char *key)
{
	const json_t *v = needed(o, key);
	if (v != NULL && !json_is_array(v)) {
		fault_at(o, key, NO_ARRAY);
		return NULL;
	}
	return v;
}

size_t
json_count(struct json_obj o, const char *key)
{
	return json_array_size(list_of(o, key));
}

static const json_t *
element(struct json_obj o, const char *key, size_t i)
{
	const json_t *v = json_array_get(list_of(o, key), i);
	if (v == NULL)
		fault_at(o, key, MISSING);
	return v;
}

struct bytes
json_at_str(struct json_obj o, const char *key, size_t i)
{
	return as_text(o, key, element(o, key, i));
}

struct json_obj
json_at_obj(struct json_obj o, const char *key, size_t i)
{
	const json_t *v = element(o, key, i);
	if (v != NULL && !json_is_object(v)) {
		fault_at(o, key, NO_OBJECT);
		v = NULL;
	}
	o.node = v;
	return o;
}

void
json_only(struct json_obj o, const char *const *keys)
{
	if (o.node == NULL)
		return;
	/* jansson's iterators take a non-const node but do not change it. */
	json_t *node = (json_t *)(uintptr_t)o.node;
	const char *key;
	json_t *value;
	json_object_foreach(node, key, value)
	{
		size_t i = 0;
		while (keys[i] != NULL && strcmp(keys[i], key) != 0)
			i++;
		if (keys[i] == NULL)
			fault_at(o, key, UNKNOWN);
	}
}
