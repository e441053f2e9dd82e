/*
 * scan - splits a header block into lines and fields.  One pass, each octet
 * looked at once; what either parser library would forgive is refused here.
 */
#include <stdio.h>

#include "scan.h"

/* clang-format off */
#define V CH_VALUE
#define K (CH_VALUE | CH_TOKEN)
#define T (CH_VALUE | CH_TARGET)
#define B (CH_VALUE | CH_TOKEN | CH_TARGET)
#define H (CH_VALUE | CH_TOKEN | CH_TARGET | CH_HOST)
static const uint8_t classes[256] = {
	['\t'] = V, [' '] = V,
	['!'] = B, ['"'] = V, ['#'] = K, ['$'] = B, ['%'] = B, ['&'] = B,
	['\''] = B, ['('] = T, [')'] = T, ['*'] = B, ['+'] = B, [','] = T,
	['-'] = H, ['.'] = H, ['/'] = T,
	['0' ... '9'] = H,
	[':'] = T, [';'] = T, ['<'] = V, ['='] = T, ['>'] = V, ['?'] = T,
	['@'] = T,
	['A' ... 'Z'] = H,
	['['] = T, ['\\'] = V, [']'] = T, ['^'] = K, ['_'] = H, ['`'] = K,
	['a' ... 'z'] = H,
	['{'] = V, ['|'] = K, ['}'] = V, ['~'] = H,
	[0x80 ... 0xff] = V,
};
#undef V
#undef K
#undef T
#undef B
#undef H
/* clang-format on */

bool
char_all(struct bytes text, enum char_class of)
{
	for (size_t i = 0; i < text.len; i++)
		if ((classes[text.p[i]] & of) == 0)
			return false;
	return true;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool
http_text_is(struct bytes text, const char *word)
{
	size_t i = 0;
	while (i < text.len && word[i] != '\0' &&
	       lower(text.p[i]) == (uint8_t)word[i])
		i++;
	return i == text.len && word[i] == '\0';
}

enum err_code
refuse(int *status, int with, enum err_code code)
{
	*status = with;
	return code;
}

struct scan {
	const uint8_t *start, *p, *end;
	struct err *e;
	int *status;
};

enum line_end { LINE_WHOLE, LINE_MORE, LINE_BAD };

/* s->p stands on what ended the line; LINE_WHOLE means CR LF. */
static enum line_end
judge_end(const struct scan *s)
{
	if (s->p == s->end)
		return LINE_MORE;
	if (*s->p != '\r')
		return LINE_BAD;
	if (s->p + 1 == s->end)
		return LINE_MORE;
	return s->p[1] == '\n' ? LINE_WHOLE : LINE_BAD;
}

static enum err_code
bad_octet(const struct scan *s)
{
	struct where at = AT_BYTE(s->p - s->start);
	if (*s->p == '\n')
		return refuse(s->status, 400,
		    err_at(s->e, ERR_INVALID, "http-line-end", "RFC 9112 2.2",
			at,
			"a line of the header ends in LF alone; end each with "
			"CR LF"));
	char octet[8];
	snprintf(octet, sizeof(octet), "%02X", *s->p);
	return refuse(s->status, 400,
	    err_at(s->e, ERR_INVALID, "http-control", "RFC 9110 5.5", at,
		"the header holds the control octet %s; only visible "
		"characters, spaces and tabs may stand in it",
		octet));
}

static void
skip_value(struct scan *s)
{
	while (s->p < s->end && (classes[*s->p] & CH_VALUE) != 0)
		s->p++;
}

static enum err_code
scan_start(struct scan *s, size_t line_max, struct bytes *line, bool *more)
{
	const uint8_t *first = s->p, *end = s->end;
	if ((size_t)(end - first) > line_max)
		s->end = first + line_max + 1;
	skip_value(s);
	bool long_line = (size_t)(s->p - first) > line_max;
	s->end = end;
	if (long_line) {
		char max[24];
		snprintf(max, sizeof(max), "%zu", line_max);
		return refuse(s->status, 414,
		    err_at(s->e, ERR_INVALID, "http-line-long", "RFC 9112 3",
			NOWHERE,
			"the first line is longer than the %s octets that it "
			"may have",
			max));
	}
	enum line_end how = judge_end(s);
	*more = how == LINE_MORE;
	if (how == LINE_BAD)
		return bad_octet(s);
	if (*more)
		return ERR_OK;
	*line = bytes_of(first, (size_t)(s->p - first));
	s->p += 2;
	if (line->len > 0)
		return ERR_OK;
	return refuse(s->status, 400,
	    err_at(s->e, ERR_INVALID, "http-blank", "RFC 9112 2.2", NOWHERE,
		"more than one empty line stands before the first line; send "
		"none"));
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static enum err_code
bad_name(const struct scan *s, const uint8_t *line)
{
	struct where at = AT_BYTE(s->p - s->start);
	if (s->p == line && is_space(*s->p))
		return refuse(s->status, 400,
		    err_at(s->e, ERR_INVALID, "http-fold", "RFC 9112 5.2", at,
			"a line of the header begins with a space; write each "
			"field on one line"));
	return refuse(s->status, 400,
	    err_at(s->e, ERR_INVALID, "http-field-name", "RFC 9112 5.1", at,
		"a field of the header has no name, no colon, or something "
		"between its name and its colon that may not stand there"));
}

static enum err_code
scan_field(struct scan *s, struct http_field *out, bool *more)
{
	const uint8_t *line = s->p;
	while (s->p < s->end && (classes[*s->p] & CH_TOKEN) != 0)
		s->p++;
	*more = s->p == s->end;
	if (*more)
		return ERR_OK;
	if (*s->p != ':' || s->p == line)
		return bad_name(s, line);
	out->name = bytes_of(line, (size_t)(s->p - line));
	s->p++;
	while (s->p < s->end && is_space(*s->p))
		s->p++;
	const uint8_t *value = s->p;
	skip_value(s);
	enum line_end how = judge_end(s);
	*more = how == LINE_MORE;
	if (how == LINE_BAD)
		return bad_octet(s);
	const uint8_t *last = s->p;
	while (last > value && is_space(last[-1]))
		last--;
	out->value = bytes_of(value, (size_t)(last - value));
	s->p += *more ? 0 : 2;
	return ERR_OK;
}

static enum err_code
too_many(const struct scan *s, size_t max)
{
	char text[24];
	snprintf(text, sizeof(text), "%zu", max);
	return refuse(s->status, 431,
	    err_at(s->e, ERR_INVALID, "http-fields-many", "RFC 6585 5",
		AT_BYTE(s->p - s->start),
		"the header has more than the %s fields that it may have",
		text));
}

static enum err_code
scan_fields(struct scan *s, size_t max, struct head *h, bool *more)
{
	*more = true;
	while (s->p < s->end) {
		if (*s->p == '\r') {
			enum line_end how = judge_end(s);
			*more = how == LINE_MORE;
			if (how == LINE_BAD)
				return bad_octet(s);
			s->p += *more ? 0 : 2;
			return ERR_OK;
		}
		if (*s->p == '\n')
			return bad_octet(s);
		if (h->n_field == max)
			return too_many(s, max);
		TRY(scan_field(s, &h->field[h->n_field], more));
		if (*more)
			return ERR_OK;
		h->n_field++;
		*more = true;
	}
	return ERR_OK;
}

/* RFC 9112 2.2: one empty line before a request is skipped. */
static void
skip_blank(struct scan *s)
{
	if (s->end - s->p >= 2 && s->p[0] == '\r' && s->p[1] == '\n')
		s->p += 2;
}

static enum err_code
head_open(const struct scan *s, size_t max)
{
	char text[24];
	snprintf(text, sizeof(text), "%zu", max);
	return refuse(s->status, 431,
	    err_at(s->e, ERR_INVALID, "http-head-long", "RFC 6585 5", NOWHERE,
		"the header is longer than the %s octets that it may have",
		text));
}

enum err_code
head_start(struct bytes in, const struct http_limits *limits, struct head *out,
    int *status, struct err *e)
{
	out->start = BYTES_NONE;
	out->n_field = 0;
	out->end = 0;
	if (in.len == 0)
		return ERR_OK;
	size_t len = in.len < limits->head_max ? in.len : limits->head_max;
	struct scan s = { in.p, in.p, in.p + len, e, status };
	bool more = false;
	skip_blank(&s);
	out->block.p = s.p;
	TRY(scan_start(&s, limits->line_max, &out->start, &more));
	if (!more)
		out->end = (size_t)(s.p - in.p);
	else if (len == limits->head_max)
		return head_open(&s, limits->head_max);
	return ERR_OK;
}

enum err_code
head_scan(struct bytes in, const struct http_limits *limits, struct head *out,
    int *status, struct err *e)
{
	TRY(head_start(in, limits, out, status, e));
	return out->end == 0 ? ERR_OK : head_fields(in, limits, out, status, e);
}

enum err_code
head_fields(struct bytes in, const struct http_limits *limits, struct head *out,
    int *status, struct err *e)
{
	size_t len = in.len < limits->head_max ? in.len : limits->head_max;
	struct scan s = { in.p, in.p + out->end, in.p + len, e, status };
	bool more = false;
	out->end = 0;
	TRY(scan_fields(&s, limits->field_max, out, &more));
	if (more)
		return len == limits->head_max ? head_open(&s, limits->head_max)
					       : ERR_OK;
	out->block.len = (size_t)(s.p - out->block.p);
	out->end = (size_t)(s.p - in.p);
	return ERR_OK;
}
