/*
 * body - the JSON of a request into fields of a command, by the table of
 * fields.  jansson reads; here is judged: one flat object, no duplicates, no
 * member that the act does not have, each of its type.
 */
#include <jansson.h>
#include <string.h>

#include "internal.h"

struct where
at_member(const char *name)
{
	char pointer[64] = "/";
	size_t len = strnlen(name, sizeof(pointer) - 2);
	memcpy(pointer + 1, name, len);
	pointer[len + 1] = '\0';
	return at_field(pointer);
}

/* jansson names the second of two equal members only in its message. */
static enum err_code
duplicate(const json_error_t *error, struct err *e)
{
	char name[64] = "";
	const char *quote = strchr(error->text, '"');
	const char *end = quote == NULL ? NULL : strrchr(error->text, '"');
	if (end != NULL && end > quote &&
	    (size_t)(end - quote) < sizeof(name)) {
		memcpy(name, quote + 1, (size_t)(end - quote) - 1);
		name[end - quote - 1] = '\0';
	}
	struct where where = at_member(name);
	where.byte = (size_t)error->position;
	return err_at(e, ERR_INVALID, "api-member-twice", NULL, where,
	    "the member %s stands twice in the body; give it once", name);
}

static enum err_code
load(struct bytes body, json_t **out, struct err *e)
{
	json_error_t error;
	json_t *root = json_loadb(body.len == 0 ? "" : (const char *)body.p,
	    body.len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL && json_error_code(&error) == json_error_duplicate_key)
		return duplicate(&error, e);
	if (root == NULL) {
		err_at(e, ERR_INVALID, "api-json", "RFC 8259",
		    AT_BYTE(error.position > 0 ? error.position - 1 : 0),
		    "the body is not JSON in UTF-8; send one object of texts");
		return err_why(e, "%s", error.text);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return err_say(e, ERR_INVALID, "api-no-object",
		    "the body is JSON but no object; send {\"member\": …}");
	}
	*out = root;
	return ERR_OK;
}

static int
field_named(const char *name)
{
	for (int f = 0; f < CF_COUNT; f++) {
		if (strcmp(name, ca_fields[f].name) == 0)
			return f;
	}
	return -1;
}

static enum err_code
wrong_type(int f, const char *want, struct err *e)
{
	return err_at(e, ERR_INVALID, "api-member-type", NULL,
	    at_member(ca_fields[f].name), "the member %s must be %s",
	    ca_fields[f].name, want);
}

static enum err_code
too_large(int f, struct arena *a, struct err *e)
{
	return err_at(e, ERR_INVALID, "api-member-size", NULL,
	    at_member(ca_fields[f].name),
	    "the member %s holds more octets than the %s allowed",
	    ca_fields[f].name, arena_printf(a, "%zu", ca_fields[f].max));
}

static enum err_code
take_octets(int f, struct bytes text, struct arena *a, struct bytes *out,
    struct err *e)
{
	struct buf octets AUTO_BUF = BUF(ca_fields[f].max);
	if (!base64_get(&octets, text) && octets.failed)
		return too_large(f, a, e);
	if (octets.len == 0)
		return wrong_type(f, "base64 with padding on one line", e);
	*out = arena_copy(a, buf_bytes(&octets));
	return ERR_OK;
}

/* {"grade": "5"} as the line grade=5; command_check() judges what it says. */
static enum err_code
take_map(int f, json_t *value, struct arena *a, struct bytes *out,
    struct err *e)
{
	struct buf lines AUTO_BUF = BUF(ca_fields[f].max);
	const char *name;
	json_t *text;
	size_t n = 0;
	if (!json_is_object(value) || json_object_size(value) == 0)
		return wrong_type(f, "an object of texts, {\"grade\": \"5\"}",
		    e);
	json_object_foreach(value, name, text)
	{
		if (!json_is_string(text) || strpbrk(name, "=\n") != NULL ||
		    strchr(json_string_value(text), '\n') != NULL)
			return wrong_type(f,
			    "an object of texts of one line each", e);
		buf_puts(&lines, n++ > 0 ? "\n" : "");
		buf_puts(&lines, name);
		buf_putc(&lines, '=');
		buf_put(&lines, json_string_value(text),
		    json_string_length(text));
	}
	if (lines.failed)
		return too_large(f, a, e);
	*out = arena_copy(a, buf_bytes(&lines));
	return ERR_OK;
}

static enum err_code
take_files(int f, json_t *value, struct arena *a, struct bytes *out,
    struct err *e)
{
	struct buf all AUTO_BUF = BUF(ca_fields[f].max);
	json_t *text;
	size_t i;
	if (!json_is_array(value) || json_array_size(value) == 0)
		return wrong_type(f, "an array of files in base64", e);
	json_array_foreach(value, i, text)
	{
		struct bytes octets = BYTES_NONE;
		if (!json_is_string(text))
			return wrong_type(f, "an array of files in base64", e);
		TRY(take_octets(f,
		    bytes_of(json_string_value(text), json_string_length(text)),
		    a, &octets, e));
		put_bytes(&all, octets);
	}
	if (all.failed)
		return too_large(f, a, e);
	*out = arena_copy(a, buf_bytes(&all));
	return ERR_OK;
}

static enum err_code
take_member(int f, json_t *value, struct arena *a, struct bytes *out,
    struct err *e)
{
	if (ca_fields[f].type == CFT_FLAG) {
		if (!json_is_boolean(value))
			return wrong_type(f, "true or false", e);
		*out = bytes_str(json_is_true(value) ? "true" : "false");
		return ERR_OK;
	}
	if (ca_fields[f].type == CFT_MAP)
		return take_map(f, value, a, out, e);
	if (ca_fields[f].type == CFT_FILES)
		return take_files(f, value, a, out, e);
	if (!json_is_string(value))
		return wrong_type(f, "text in quotes", e);
	struct bytes text =
	    bytes_of(json_string_value(value), json_string_length(value));
	if (text.len == 0)
		return wrong_type(f, "left out, or have a value", e);
	if (ca_fields[f].type == CFT_OCTETS)
		return take_octets(f, text, a, out, e);
	*out = arena_copy(a, text);
	return ERR_OK;
}

/* Names of the members that the body of this route may have. */
static size_t
members_of(const struct route *route, const char *names[CF_COUNT])
{
	const struct ca_act_def *act = &ca_acts[route->act];
	size_t n = 0;
	for (int f = 0; f < CF_COUNT; f++) {
		uint32_t bit = UINT32_C(1) << f;
		if (f != CF_KEY && ((act->required | act->optional) & bit) &&
		    !path_has(route->path, ca_fields[f].name))
			names[n++] = ca_fields[f].name;
	}
	return n;
}

static enum err_code
unknown(const char *name, const char *const *names, size_t n, struct err *e)
{
	const char *near = nearest_word(bytes_str(name), names, n);
	if (near != NULL)
		return err_at(e, ERR_INVALID, "api-member-near", NULL,
		    at_member(name),
		    "the body has a member %s that is not known here; is %s "
		    "meant?",
		    name, near);
	return err_at(e, ERR_INVALID, "api-member-unknown", NULL,
	    at_member(name),
	    "the body has a member %s that this act does not have; leave it "
	    "out",
	    name);
}

static enum err_code
decode_members(const struct route *route, json_t *root, struct arena *a,
    struct command *c, struct err *e)
{
	const char *names[CF_COUNT], *name;
	size_t n = members_of(route, names);
	json_t *value;
	json_object_foreach(root, name, value)
	{
		size_t i = 0;
		while (i < n && strcmp(names[i], name) != 0)
			i++;
		if (i == n)
			return unknown(name, names, n, e);
		int f = field_named(name);
		TRY(take_member(f, value, a, &c->f[f], e));
	}
	return ERR_OK;
}

enum err_code
body_decode(const struct route *route, struct bytes body, struct arena *a,
    struct command *c, struct err *e)
{
	json_t *root;
	/* Where path and header say it all a body may be missing. */
	if (body.len == 0)
		return ERR_OK;
	TRY(load(body, &root, e));
	enum err_code code = decode_members(route, root, a, c, e);
	json_decref(root);
	return code;
}

enum err_code
body_snapshot(struct bytes body, struct arena *a, struct bytes *name,
    struct err *e)
{
	static const char *const names[] = { "name" };
	const char *member;
	json_t *root, *value;
	enum err_code code = ERR_OK;
	TRY(load(body, &root, e));
	json_object_foreach(root, member, value)
	{
		if (code == ERR_OK && strcmp(member, names[0]) != 0)
			code = unknown(member, names, 1, e);
	}
	value = json_object_get(root, names[0]);
	if (code == ERR_OK && !json_is_string(value))
		code = err_at(e, ERR_INVALID, "api-snapshot-name", NULL,
		    at_member(names[0]),
		    "a snapshot needs the member name, a text");
	if (code == ERR_OK && json_string_length(value) > 64)
		code = err_at(e, ERR_INVALID, "api-snapshot-long", NULL,
		    at_member(names[0]),
		    "the name of a snapshot has at most 64 characters");
	if (code == ERR_OK)
		*name = arena_copy(a, bytes_of(json_string_value(value),
					  json_string_length(value)));
	json_decref(root);
	return code;
}
