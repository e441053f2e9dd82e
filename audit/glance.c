/*
 * glance - type and time of an entry from the end of its leaf, for whoever
 * passes over most of a log; and the entry in a line of an export.
 */
#include <refrendo/audit.h>

#include <string.h>

#include "json_order.h"

/* Text that is read from its end. */
struct tail {
	const uint8_t *start, *end;
};

static bool
ends(struct tail *t, const char *with)
{
	size_t len = strlen(with);

	if ((size_t)(t->end - t->start) < len ||
	    memcmp(t->end - len, with, len) != 0)
		return false;
	t->end -= len;
	return true;
}

/* What stands in front of the end and is made of these. */
static struct bytes
run_of(struct tail *t, bool (*is)(uint8_t))
{
	const uint8_t *end = t->end;

	while (t->end > t->start && is(t->end[-1]))
		t->end--;
	return bytes_of(t->end, (size_t)(end - t->end));
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool
is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || c == '.' || c == '_';
}

/* What leaves end with, as they are and inside a JSON string. */
static const struct {
	const char *close, *type, *time;
} shapes[] = {
	{ "\",\"v\":1}", ",\"type\":\"", "\"time\":" },
	{ "\\\",\\\"v\\\":1}", ",\\\"type\\\":\\\"", "\\\"time\\\":" },
};

static bool
glance(struct tail *t, bool is_escaped, enum entry_type *type, int64_t *time)
{
	if (!ends(t, shapes[is_escaped].close))
		return false;
	struct bytes word = run_of(t, is_word);
	if (!ends(t, shapes[is_escaped].type))
		return false;
	struct bytes digits = run_of(t, is_digit);
	return ends(t, shapes[is_escaped].time) && dec_parse(digits, time) &&
	       entry_type_parse(word, type);
}

bool
entry_glance(struct bytes leaf, enum entry_type *type, int64_t *time)
{
	struct tail t = { leaf.p, leaf.p + leaf.len };

	return leaf.len > 0 && glance(&t, false, type, time);
}

bool
export_glance(struct bytes line, enum entry_type *type, int64_t *time)
{
	struct tail t = { line.p, line.p + line.len };

	if (line.len == 0 || !ends(&t, "\"}"))
		return false;
	/* Without detail and salt when it was erased. */
	if (t.end > t.start && is_hex(t.end[-1]) &&
	    (run_of(&t, is_hex).len != 2 * ENTRY_SALT ||
		!ends(&t, "\",\"salt\":\"")))
		return false;
	return glance(&t, true, type, time);
}

enum err_code
export_entry_read(struct bytes line, struct json **keep, struct arena *a,
    struct entry *out, struct err *e)
{
	AUTO(json) j = NULL;
	bool bad = false;

	TRY(json_parse_max(line, EXPORT_LINE_MAX, true, &j, e));
	struct json_obj o = json_root(j, &bad, e);
	struct entry en = { .leaf = json_get_str(o, "leaf"),
		.detail = json_opt_str(o, "detail") };
	bool is_entry = bytes_is(json_get_str(o, "kind"), "entry");
	struct bytes salt =
	    en.detail.len > 0 ? json_get_hex(o, "salt", a) : BYTES_NONE;

	if (bad)
		return e->code;
	if (!is_entry || (en.detail.len > 0 && salt.len != ENTRY_SALT))
		return err_say(e, ERR_INVALID, "export-no-entry",
		    "a line of the export that stands among the entries is "
		    "none; verify the export with refrendo audit verify");
	if (en.detail.len > 0)
		memcpy(en.salt, salt.p, ENTRY_SALT);
	*out = en;
	*keep = TAKE(j);
	return ERR_OK;
}
