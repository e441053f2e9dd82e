#include <refrendo/audit.h>

#include <string.h>

#include "json_order.h"

#define JSON_INT_MAX ((INT64_C(1) << 53) - 1)

struct jw
jw_of(struct buf *out)
{
	return (struct jw){ .out = out };
}

/* A comma where one is due before an element of an array. */
static void
before_value(struct jw *w)
{
	if (w->depth == 0 || !w->array[w->depth - 1])
		return;
	if (w->more[w->depth - 1])
		buf_putc(w->out, ',');
	w->more[w->depth - 1] = true;
}

static void
open_level(struct jw *w, uint8_t bracket, bool array)
{
	before_value(w);
	if (w->depth == JW_DEPTH)
		fatal("JSON is written deeper than %d levels", JW_DEPTH);
	w->more[w->depth] = false;
	w->array[w->depth] = array;
	w->last[w->depth][0] = '\0';
	w->depth++;
	buf_putc(w->out, bracket);
}

void
jw_object(struct jw *w)
{
	open_level(w, '{', false);
}

void
jw_array(struct jw *w)
{
	open_level(w, '[', true);
}

void
jw_close(struct jw *w, char bracket)
{
	if (w->depth == 0 || w->array[w->depth - 1] != (bracket == ']'))
		fatal("JSON bracket %c closes nothing", bracket);
	w->depth--;
	buf_putc(w->out, (uint8_t)bracket);
}

void
jw_key(struct jw *w, const char *key)
{
	size_t len = strlen(key);
	if (w->depth == 0 || w->array[w->depth - 1])
		fatal("JSON member %s stands outside an object", key);
	char *last = w->last[w->depth - 1];
	if (len >= sizeof(w->last[0]))
		fatal("JSON member %s has too long a name", key);
	if (w->more[w->depth - 1]) {
		if (json_key_order(bytes_str(last), bytes_str(key)) >= 0)
			fatal("JSON member %s is written after %s", key, last);
		buf_putc(w->out, ',');
	}
	w->more[w->depth - 1] = true;
	memcpy(last, key, len + 1);
	json_put_string(w->out, bytes_str(key));
	buf_putc(w->out, ':');
}

void
jw_int(struct jw *w, int64_t v)
{
	before_value(w);
	if (v > JSON_INT_MAX || v < -JSON_INT_MAX) {
		w->out->failed = true;
		return;
	}
	/* 16 digits and a sign; printf() takes ten times as long. */
	char text[20], *at = text + sizeof(text);
	uint64_t left = (uint64_t)(v < 0 ? -v : v);
	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		*--at = '-';
	buf_put(w->out, at, (size_t)(text + sizeof(text) - at));
}

void
jw_str(struct jw *w, struct bytes text)
{
	before_value(w);
	if (!utf8_valid(text))
		w->out->failed = true;
	else
		json_put_string(w->out, text);
}

void
jw_hex(struct jw *w, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";

	before_value(w);
	uint8_t *p = buf_room(w->out, 2 * b.len + 2);
	if (p == NULL)
		return;
	*p++ = '"';
	for (size_t i = 0; i < b.len; i++) {
		*p++ = (uint8_t)digits[b.p[i] >> 4];
		*p++ = (uint8_t)digits[b.p[i] & 15];
	}
	*p = '"';
}

void
jw_base64(struct jw *w, struct bytes b)
{
	before_value(w);
	buf_putc(w->out, '"');
	base64_put(w->out, b);
	buf_putc(w->out, '"');
}

void
jw_member_str(struct jw *w, const char *key, struct bytes text)
{
	jw_key(w, key);
	jw_str(w, text);
}

void
jw_member_int(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void
jw_member_hex(struct jw *w, const char *key, struct bytes b)
{
	jw_key(w, key);
	jw_hex(w, b);
}

void
jw_member_base64(struct jw *w, const char *key, struct bytes b)
{
	jw_key(w, key);
	jw_base64(w, b);
}

void
jw_member_str_opt(struct jw *w, const char *key, struct bytes text)
{
	if (text.len > 0)
		jw_member_str(w, key, text);
}
