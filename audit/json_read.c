/* json_read - what a document says, asked member by member. */
#include <refrendo/audit.h>

#include <string.h>

#include "json_tree.h"

struct json_obj
json_root(struct json *j, bool *bad, struct err *e)
{
	return (struct json_obj){ j->node, bad, e };
}

enum fault {
	MISSING,
	NO_TEXT,
	NO_INTEGER,
	NO_FLAG,
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
	case NO_FLAG:
		return err_at(e, ERR_INVALID, "json-no-flag", NULL, at,
		    "the member %s must be true or false", key);
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

static const struct json_node *
member(struct json_obj o, const char *key)
{
	const struct json_node *object = o.node;

	if (object == NULL)
		return NULL;
	const struct json_node *node = object + 1;
	size_t len = strlen(key);
	for (size_t i = 0; i < object->n; i++, node += node->skip)
		if (node->key_len == len && memcmp(node->key, key, len) == 0)
			return node;
	return NULL;
}

static const struct json_node *
needed(struct json_obj o, const char *key)
{
	const struct json_node *v = member(o, key);
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
		const struct json_node *v = needed(o, name);
		if (v != NULL && v->kind != JSON_OBJECT) {
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

const char *
json_name_at(struct json_obj o, size_t i)
{
	const struct json_node *object = o.node;

	if (object == NULL || i >= object->n)
		return NULL;
	const struct json_node *node = object + 1;
	for (; i > 0; i--)
		node += node->skip;
	return (const char *)node->key;
}

static struct bytes
as_text(struct json_obj o, const char *key, const struct json_node *v)
{
	if (v == NULL)
		return BYTES_NONE;
	if (v->kind != JSON_STRING) {
		fault_at(o, key, NO_TEXT);
		return BYTES_NONE;
	}
	return bytes_of(v->text, v->n);
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

bool
json_get_flag(struct json_obj o, const char *key)
{
	const struct json_node *v = needed(o, key);
	if (v != NULL && v->kind != JSON_TRUE && v->kind != JSON_FALSE)
		fault_at(o, key, NO_FLAG);
	return v != NULL && v->kind == JSON_TRUE;
}

static int64_t
as_int(struct json_obj o, const char *key, const struct json_node *v,
    int64_t absent)
{
	if (v == NULL)
		return absent;
	if (v->kind != JSON_INTEGER) {
		fault_at(o, key, NO_INTEGER);
		return absent;
	}
	return v->integer;
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
	if (text.len == 0)
		return BYTES_NONE;
	/* Decoded where it is to stay; a buf over it must not be freed. */
	size_t size = text.len / 4 * 3 + 1;
	struct buf out = { arena_get(a, size), 0, size, size - 1, false };
	if (!base64_get(&out, text)) {
		fault_at(o, key, NO_BASE64);
		return BYTES_NONE;
	}
	return buf_bytes(&out);
}

static const struct json_node *
list_of(struct json_obj o, const char *key)
{
	const struct json_node *v = needed(o, key);
	if (v != NULL && v->kind != JSON_ARRAY) {
		fault_at(o, key, NO_ARRAY);
		return NULL;
	}
	return v;
}

size_t
json_count(struct json_obj o, const char *key)
{
	const struct json_node *v = list_of(o, key);
	return v == NULL ? 0 : v->n;
}

static const struct json_node *
element(struct json_obj o, const char *key, size_t i)
{
	const struct json_node *v = list_of(o, key);
	if (v == NULL || i >= v->n) {
		fault_at(o, key, MISSING);
		return NULL;
	}
	/* Elements without children need no walk. */
	if (v->skip == v->n + 1)
		return v + 1 + i;
	for (v++; i > 0; i--)
		v += v->skip;
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
	const struct json_node *v = element(o, key, i);
	if (v != NULL && v->kind != JSON_OBJECT) {
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
	const struct json_node *object = o.node, *node = object + 1;
	for (size_t n = 0; n < object->n; n++, node += node->skip) {
		size_t i = 0;
		while (
		    keys[i] != NULL && !bytes_is(json_node_key(node), keys[i]))
			i++;
		if (keys[i] == NULL)
			fault_at(o, (const char *)node->key, UNKNOWN);
	}
}
