/* client - the other end of the routes: a command as path and body. */
#include <string.h>

#include "internal.h"

static const struct route *
route_of_act(enum ca_act act)
{
	for (size_t i = 0; i < api_n_routes; i++) {
		if (api_routes[i].is_act && api_routes[i].act == act)
			return &api_routes[i];
	}
	fatal("api: an act has no route");
}

const char *
api_path_of_act(enum ca_act act, enum http_method *method)
{
	const struct route *r = route_of_act(act);
	*method = r->method;
	return r->path;
}

/* RFC 3986 2.3: unreserved characters stand for themselves. */
void
api_put_segment(struct buf *out, struct bytes text)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != 0 && strchr("-._~", c) != NULL)) {
			buf_putc(out, c);
			continue;
		}
		buf_putc(out, '%');
		buf_putc(out, (uint8_t)digits[c >> 4]);
		buf_putc(out, (uint8_t)digits[c & 15]);
	}
}

static struct bytes
field_of_var(const struct command *c, const char *name, size_t len)
{
	for (int f = 0; f < CF_COUNT; f++) {
		if (bytes_is(bytes_of(name, len), ca_fields[f].name))
			return c->f[f];
	}
	fatal("api: a path has a variable that is no field");
}

static void
put_path(const struct route *r, const struct command *c, struct buf *out)
{
	buf_puts(out, API_PREFIX);
	for (const char *p = r->path; *p != '\0'; p++) {
		if (*p != '{') {
			buf_putc(out, (uint8_t)*p);
			continue;
		}
		size_t len = strcspn(p, "}");
		api_put_segment(out, field_of_var(c, p + 1, len - 1));
		p += len;
	}
}

static bool
is_true(struct bytes b)
{
	return bytes_is(b, "true") || bytes_is(b, "yes") || bytes_is(b, "1");
}

static void
put_map(struct bytes lines, struct buf *out)
{
	struct attribute at;
	size_t n = 0;
	buf_putc(out, '{');
	while (attribute_next(&lines, &at)) {
		buf_puts(out, n++ > 0 ? "," : "");
		json_put_string(out, at.name);
		buf_putc(out, ':');
		json_put_string(out, at.value);
	}
	buf_putc(out, '}');
}

static void
put_files(struct bytes files, struct buf *out)
{
	struct reader r = reader_of(files);
	size_t n = 0;
	buf_putc(out, '[');
	while (!r.bad && r.p < r.end) {
		buf_puts(out, n++ > 0 ? ",\"" : "\"");
		base64_put(out, get_bytes(&r));
		buf_putc(out, '"');
	}
	buf_putc(out, ']');
}

static void
put_field(const struct cf_def *f, struct bytes value, struct buf *out)
{
	json_put_string(out, bytes_str(f->name));
	buf_putc(out, ':');
	if (f->type == CFT_FLAG) {
		buf_puts(out, is_true(value) ? "true" : "false");
	} else if (f->type == CFT_OCTETS) {
		buf_putc(out, '"');
		base64_put(out, value);
		buf_putc(out, '"');
	} else if (f->type == CFT_MAP) {
		put_map(value, out);
	} else if (f->type == CFT_FILES) {
		put_files(value, out);
	} else {
		json_put_string(out, value);
	}
}

void
api_request_of(const struct command *c, enum http_method *method,
    struct buf *path, struct buf *body)
{
	const struct route *r = route_of_act(c->act);
	size_t n = 0;
	*method = r->method;
	put_path(r, c, path);
	buf_putc(body, '{');
	for (int f = 0; f < CF_COUNT; f++) {
		if (c->f[f].len == 0 || f == CF_KEY ||
		    path_has(r->path, ca_fields[f].name))
			continue;
		buf_puts(body, n++ > 0 ? "," : "");
		put_field(&ca_fields[f], c->f[f], body);
	}
	buf_putc(body, '}');
}
