/* json_string - texts of JSON, unescaped where they stand. */
#include <endian.h>
#include <string.h>

#include "json_parser.h"

enum err_code
json_syntax(struct json_parser *ps, const char *why)
{
	(void)err_at(ps->err, ERR_INVALID, "json-syntax", "RFC 8259 2",
	    AT_BYTE(ps->p - ps->start), "this is not JSON");
	return err_why(ps->err, "%s", why);
}

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
move_plain(struct json_parser *ps, uint8_t **to)
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
unit_of(struct json_parser *ps, const uint8_t *p)
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
unicode_escape(struct json_parser *ps, uint8_t **to)
{
	int32_t unit = unit_of(ps, ps->p + 1);

	if (unit < 0)
		return json_syntax(ps, "four hexadecimal digits are due");
	if (unit == 0)
		return json_syntax(ps, "U+0000 in a string");
	if (!unit_is_canonical(ps->p + 1, unit))
		ps->differs = true;
	uint32_t c = (uint32_t)unit;
	if (c >= 0xd800 && c <= 0xdfff) {
		int32_t low = -1;
		if (c < 0xdc00 && ps->end - ps->p > 7 && ps->p[5] == '\\' &&
		    ps->p[6] == 'u')
			low = unit_of(ps, ps->p + 7);
		if (low < 0xdc00 || low > 0xdfff)
			return json_syntax(ps,
			    "a surrogate without its other half");
		c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
		ps->p += 6;
	}
	ps->p += 5;
	*to = put_utf8(*to, c);
	return ERR_OK;
}

/* ps->p is at the backslash. */
static enum err_code
escape(struct json_parser *ps, uint8_t **to)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char stand_for[] = "\"\\/\b\f\n\r\t";

	if (ps->end - ps->p < 2)
		return json_syntax(ps, "the end in a string");
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
		return json_syntax(ps, "an escape that is not known");
	ps->differs = ps->differs || *letter == '/';
	*(*to)++ = (uint8_t)stand_for[letter - letters];
	ps->p++;
	return ERR_OK;
}

/* Characters beyond ASCII that follow each other. */
static enum err_code
move_beyond(struct json_parser *ps, uint8_t **to)
{
	const uint8_t *start = ps->p;

	while (ps->p < ps->end && *ps->p >= 0x80)
		ps->p++;
	size_t len = (size_t)(ps->p - start);
	if (!utf8_valid(bytes_of(start, len))) {
		ps->p -= len;
		return json_syntax(ps, "not UTF-8");
	}
	memmove(*to, start, len);
	*to += len;
	return ERR_OK;
}

enum err_code
json_text(struct json_parser *ps, struct bytes *out)
{
	uint8_t *to = ++ps->p;

	out->p = to;
	for (;;) {
		move_plain(ps, &to);
		if (ps->p == ps->end)
			return json_syntax(ps, "the end in a string");
		if (*ps->p == '"')
			break;
		if (*ps->p < 0x20)
			return json_syntax(ps, "a control in a string");
		TRY(*ps->p == '\\' ? escape(ps, &to) : move_beyond(ps, &to));
	}
	ps->p++;
	*to = '\0';
	out->len = (size_t)(to - out->p);
	return ERR_OK;
}
