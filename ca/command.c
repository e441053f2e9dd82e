#include <string.h>

#include "inner.h"

#define COMMAND_VERSION 2

void
command_encode(const struct command *c, struct buf *out)
{
	uint64_t given = 0;

	for (size_t i = 0; i < CF_COUNT; i++)
		if (c->f[i].len > 0)
			given |= UINT64_C(1) << i;
	put_u8(out, COMMAND_VERSION);
	put_u8(out, (uint8_t)c->act);
	put_u32(out, c->uid);
	put_u64(out, given);
	for (size_t i = 0; i < CF_COUNT; i++)
		if (c->f[i].len > 0)
			put_bytes(out, c->f[i]);
}

static enum err_code
malformed(struct err *e)
{
	return err_say(e, ERR_INVALID, "command-form",
	    "the command is not in the form that commands have");
}

enum err_code
command_decode(struct bytes in, struct command *out, struct err *e)
{
	struct command c = { .act = ACT_COUNT };
	struct reader r = reader_of(in);
	struct err ignored;

	if (get_u8(&r) != COMMAND_VERSION)
		return malformed(e);
	uint8_t act = get_u8(&r);
	c.uid = get_u32(&r);
	uint64_t given = get_u64(&r);
	if (act >= ACT_COUNT || given >> CF_COUNT != 0)
		return malformed(e);
	c.act = (enum ca_act)act;
	for (size_t i = 0; i < CF_COUNT; i++) {
		if ((given >> i & 1) == 0)
			continue;
		c.f[i] = get_bytes(&r);
		/* An empty field is one that is not given: one encoding. */
		if (c.f[i].len == 0)
			return malformed(e);
	}
	if (reader_end(&r, &ignored) != ERR_OK)
		return malformed(e);
	*out = c;
	return ERR_OK;
}

/* --- Each field of its type ---------------------------------------------------- */

static enum err_code
refuse(const struct cf_def *f, const char *want, struct err *e)
{
	return err_at(e, ERR_INVALID, "command-field", NULL, at_field(f->name),
	    "the field %s must be %s", f->name, want);
}

static bool
each_of(struct bytes b, const char *others)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');
		if (!alnum && (c == 0 || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

/* Text of people: UTF-8, no control characters, no space at its ends. */
static bool
good_text(struct bytes b)
{
	if (!utf8_valid(b) || b.p[0] == ' ' || b.p[b.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < b.len; i++) {
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return false;
		/* U+0080 to U+009F. */
		if (b.p[i] == 0xc2 && i + 1 < b.len && b.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}

static enum err_code
check_run(struct bytes *b, struct arena *a, const struct cf_def *f,
    struct err *e)
{
	char stored[RUN_TEXT];
	enum err_code code = run_parse(*b, stored, e);

	if (code != ERR_OK) {
		e->where = at_field(f->name);
		return code;
	}
	*b = arena_copy(a, bytes_str(stored));
	return ERR_OK;
}

static enum err_code
check_flag(struct bytes *b, const struct cf_def *f, struct err *e)
{
	static const char *const yes[] = { "true", "yes", "1" };
	static const char *const no[] = { "false", "no", "0" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (bytes_is(*b, yes[i])) {
			*b = bytes_str("true");
			return ERR_OK;
		}
		if (bytes_is(*b, no[i])) {
			*b = bytes_str("false");
			return ERR_OK;
		}
	}
	return refuse(f, "true or false", e);
}

static enum err_code
check_hex(struct bytes *b, struct arena *a, const struct cf_def *f,
    struct err *e)
{
	uint8_t *raw = arena_get(a, b->len / 2 + 1);
	char *text = arena_get(a, HEX_LEN(b->len / 2));

	if (b->len % 2 != 0 || !hex_parse(*b, raw, b->len / 2))
		return refuse(f, "an even number of hexadecimal digits", e);
	hex_print(text, bytes_of(raw, b->len / 2));
	*b = bytes_str(text);
	return ERR_OK;
}

static enum err_code
check_email(struct bytes b, const struct cf_def *f, struct err *e)
{
	enum err_code code = email_check(b, e);

	if (code != ERR_OK)
		e->where = at_field(f->name);
	return code;
}

static enum err_code
check_files(struct bytes b, const struct cf_def *f, struct err *e)
{
	struct reader r = reader_of(b);
	struct err ignored;
	size_t n = 0;
	bool good = true;

	for (; good && r.p < r.end && !r.bad; n++) {
		struct bytes text = get_bytes(&r);
		good = text.len > 0 && text.len <= POLICY_FILE_MAX;
	}
	if (good && n > 0 && n <= ACTIVATION_FILES_MAX &&
	    reader_end(&r, &ignored) == ERR_OK)
		return ERR_OK;
	return refuse(f, "1 to 12 policy files of at most 64 KiB each", e);
}

static enum err_code
check_field(enum ca_field which, struct bytes *b, struct arena *a,
    struct err *e)
{
	const struct cf_def *f = &ca_fields[which];
	int64_t number;

	if (f->type == CFT_NUMBER)
		return dec_parse(*b, &number) && number > 0 &&
			       (size_t)number <= f->max
			   ? ERR_OK
			   : refuse(f,
				 arena_printf(a, "a number from 1 to %zu",
				     f->max),
				 e);
	if (b->len > f->max)
		return err_at(e, ERR_INVALID, "command-field-size", NULL,
		    at_field(f->name),
		    "the field %s has %s octets; at most %s are allowed",
		    f->name, arena_printf(a, "%zu", b->len),
		    arena_printf(a, "%zu", f->max));
	switch (f->type) {
	case CFT_RUN:
		return check_run(b, a, f, e);
	case CFT_EMAIL:
		return check_email(*b, f, e);
	case CFT_FLAG:
		return check_flag(b, f, e);
	case CFT_HEX:
		return check_hex(b, a, f, e);
	case CFT_OCTETS:
	case CFT_NUMBER:
		return ERR_OK;
	case CFT_MAP:
		return attributes_check(b, a, e);
	case CFT_FILES:
		return check_files(*b, f, e);
	case CFT_TEXT:
		return good_text(*b) ? ERR_OK
				     : refuse(f,
					   "text of one line without "
					   "spaces at its ends",
					   e);
	case CFT_WORD:
		return each_of(*b, "._-")
			   ? ERR_OK
			   : refuse(f,
				 "letters, digits, dot, dash and "
				 "underscore",
				 e);
	case CFT_ID:
		return each_of(*b, "-")
			   ? ERR_OK
			   : refuse(f, "a number such as SOL-2026-000001", e);
	case CFT_TIME:
		return time_parse(*b, &number)
			   ? ERR_OK
			   : refuse(f,
				 "a date, 2026-11-24, or an instant, "
				 "2026-11-24T10:00:00Z",
				 e);
	case CFT_DURATION:
		return duration_parse(*b, &number) && number > 0
			   ? ERR_OK
			   : refuse(f, "a duration such as 90d or 2y", e);
	}
	return ERR_OK;
}

enum err_code
command_check(struct command *c, struct arena *a, struct err *e)
{
	if ((unsigned)c->act >= ACT_COUNT)
		return malformed(e);
	const struct ca_act_def *act = &ca_acts[c->act];
	for (size_t i = 0; i < CF_COUNT; i++) {
		uint64_t bit = UINT64_C(1) << i;
		const char *name = ca_fields[i].name;
		if (c->f[i].len == 0 && (act->required & bit) != 0)
			return err_at(e, ERR_INVALID, "command-field-missing",
			    NULL, at_field(name),
			    "%s needs the field %s, which is missing",
			    act->name, name);
		if (c->f[i].len == 0)
			continue;
		if (((act->required | act->optional) & bit) == 0)
			return err_at(e, ERR_INVALID, "command-field-unknown",
			    NULL, at_field(name),
			    "%s has no field %s; leave it out", act->name,
			    name);
		TRY(check_field((enum ca_field)i, &c->f[i], a, e));
	}
	return ERR_OK;
}
