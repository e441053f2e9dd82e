/*
 * body - the JSON of a request into fields of a command, by the table of
 * fields.  audit/ reads; here is judged: one flat object, no duplicates, no
 * member that the act does not have, each of its type.
 */
#include <string.h>

#include <refrendo/audit.h>
#include <refrendo/http.h>

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

static enum err_code
load(struct bytes body, struct json **out, struct err *e)
{
	struct err fault;
	enum json_flaw flaw;
	enum err_code code = json_parse_foreign(body, http_limits_api.body_max,
	    out, &flaw, &fault);
	if (code == ERR_OK || code == ERR_NOMEM) {
		*e = fault;
		return code;
	}
	switch (flaw) {
	case JSON_NO_OBJECT:
		return err_say(e, ERR_INVALID, "api-no-object",
		    "the body is JSON but no object; send {\"member\": …}");
	case JSON_TWICE: {
		struct where where = at_member(fault.where.field);
		where.byte = fault.where.byte;
		return err_at(e, ERR_INVALID, "api-member-twice", NULL, where,
		    "the member %s stands twice in the body; give it once",
		    fault.where.field);
	}
	case JSON_BROKEN:
		break;
	}
	err_at(e, ERR_INVALID, "api-json", "RFC 8259", fault.where,
	    "the body is not JSON in UTF-8; send one object of texts");
	return err_why(e, "%s", fault.why);
}

/* The member as a text; false if it is another value. */
static bool
text_of(struct json_obj o, const char *name, struct bytes *out)
{
	bool bad = false;
	o.bad = &bad;
	*out = json_get_str(o, name);
	return !bad;
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
take_map(int f, struct json_obj root, struct arena *a, struct bytes *out,
    struct err *e)
{
	struct buf lines AUTO_BUF = BUF(ca_fields[f].max);
	bool bad = false;
	const char *name;
	root.bad = &bad;
	struct json_obj map = json_get_obj(root, ca_fields[f].name);
	if (bad || json_name_at(map, 0) == NULL)
		return wrong_type(f, "an object of texts, {\"grade\": \"5\"}",
		    e);
	for (size_t i = 0;
	    !lines.failed && (name = json_name_at(map, i)) != NULL; i++) {
		struct bytes text;
		if (!text_of(map, name, &text) ||
		    strpbrk(name, "=\n") != NULL ||
		    memchr(text.p, '\n', text.len) != NULL)
			return wrong_type(f,
			    "an object of texts of one line each", e);
		buf_puts(&lines, i > 0 ? "\n" : "");
		buf_puts(&lines, name);
		buf_putc(&lines, '=');
		buf_put(&lines, text.p, text.len);
	}
	if (lines.failed)
		return too_large(f, a, e);
	*out = arena_copy(a, buf_bytes(&lines));
	return ERR_OK;
}

static enum err_code
take_files(int f, struct json_obj root, struct arena *a, struct bytes *out,
    struct err *e)
{
	struct buf all AUTO_BUF = BUF(ca_fields[f].max);
	const char *name = ca_fields[f].name;
	bool bad = false;
	root.bad = &bad;
	size_t n = json_count(root, name);
	for (size_t i = 0; i < n && !all.failed; i++) {
		struct bytes octets = BYTES_NONE;
		struct bytes text = json_at_str(root, name, i);
		if (bad)
			break;
		TRY(take_octets(f, text, a, &octets, e));
		put_bytes(&all, octets);
	}
	if (bad || n == 0)
		return wrong_type(f, "an array of files in base64", e);
	if (all.failed)
		return too_large(f, a, e);
	*out = arena_copy(a, buf_bytes(&all));
	return ERR_OK;
}

static enum err_code
take_flag(int f, struct json_obj root, struct bytes *out, struct err *e)
{
	bool bad = false;
	root.bad = &bad;
	bool yes = json_get_flag(root, ca_fields[f].name);
	if (bad)
		return wrong_type(f, "true or false", e);
	*out = bytes_str(yes ? "true" : "false");
	return ERR_OK;
}

static enum err_code
take_member(int f, struct json_obj root, struct arena *a, struct bytes *out,
    struct err *e)
{
	struct bytes text;
	if (ca_fields[f].type == CFT_FLAG)
		return take_flag(f, root, out, e);
	if (ca_fields[f].type == CFT_MAP)
		return take_map(f, root, a, out, e);
	if (ca_fields[f].type == CFT_FILES)
		return take_files(f, root, a, out, e);
	if (!text_of(root, ca_fields[f].name, &text))
		return wrong_type(f, "text in quotes", e);
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
		uint64_t bit = UINT64_C(1) << f;
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
decode_members(const struct route *route, struct json_obj root, struct arena *a,
    struct command *c, struct err *e)
{
	const char *names[CF_COUNT], *name;
	size_t n = members_of(route, names);
	for (size_t m = 0; (name = json_name_at(root, m)) != NULL; m++) {
		size_t i = 0;
		while (i < n && strcmp(names[i], name) != 0)
			i++;
		if (i == n)
			return unknown(name, names, n, e);
		int f = field_named(name);
		TRY(take_member(f, root, a, &c->f[f], e));
	}
	return ERR_OK;
}

enum err_code
body_decode(const struct route *route, struct bytes body, struct arena *a,
    struct command *c, struct err *e)
{
	AUTO(json) j = NULL;
	/* Where path and header say it all a body may be missing. */
	if (body.len == 0)
		return ERR_OK;
	TRY(load(body, &j, e));
	return decode_members(route, json_root(j, NULL, NULL), a, c, e);
}

enum err_code
body_snapshot(struct bytes body, struct arena *a, struct bytes *name,
    struct err *e)
{
	static const char *const names[] = { "name" };
	AUTO(json) j = NULL;
	const char *member;
	struct bytes text;
	TRY(load(body, &j, e));
	struct json_obj root = json_root(j, NULL, NULL);
	for (size_t i = 0; (member = json_name_at(root, i)) != NULL; i++) {
		if (strcmp(member, names[0]) != 0)
			return unknown(member, names, 1, e);
	}
	if (!text_of(root, names[0], &text))
		return err_at(e, ERR_INVALID, "api-snapshot-name", NULL,
		    at_member(names[0]),
		    "a snapshot needs the member name, a text");
	if (text.len > 64)
		return err_at(e, ERR_INVALID, "api-snapshot-long", NULL,
		    at_member(names[0]),
		    "the name of a snapshot has at most 64 characters");
	*name = arena_copy(a, text);
	return ERR_OK;
}
