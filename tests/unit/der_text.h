/*
 * DER from text, for rows of tests that spoil one part of an object:
 *
 *   30{06@2.5.4.6 13'CL'}    tag in hex, then content: elements in braces,
 *   04:0a0b  05              an OID after @, text in quotes, octets after a
 *                            colon, or nothing
 *
 * White space parts elements.  A fault of the text ends the test.
 */
#ifndef DER_TEXT_H
#define DER_TEXT_H

#include <ctype.h>

#include "unit/pkix_help.h"

static inline uint8_t
der_text_octet(const char **p)
{
	uint8_t v;

	if (!hex_parse(bytes_of(*p, 2), &v, 1))
		fail_msg("no two hexadecimal digits: %s", *p);
	*p += 2;
	return v;
}

static inline void
der_text_put(struct buf *out, uint8_t tag, struct bytes content)
{
	uint8_t head[4] = { tag, (uint8_t)content.len };
	size_t n = 2;

	if (content.len >= 0x80) {
		head[1] = 0x82;
		head[2] = (uint8_t)(content.len >> 8);
		head[3] = (uint8_t)content.len;
		n = 4;
		if (content.len < 0x100) {
			head[1] = 0x81;
			head[2] = (uint8_t)content.len;
			n = 3;
		}
	}
	buf_put(out, head, n);
	buf_put(out, content.p, content.len);
}

/* Everything until the end or a closing brace. */
static inline void
der_text_list(struct buf *out, const char **p)
{
	for (;;) {
		struct buf in AUTO_BUF = BUF(1 << 16);
		const char *start;
		struct oid oid;
		struct err e;
		uint8_t tag;

		while (**p == ' ')
			++*p;
		if (**p == '\0' || **p == '}')
			return;
		tag = der_text_octet(p);
		start = *p + 1;
		switch (**p) {
		case '{':
			++*p;
			der_text_list(&in, p);
			if (*(*p)++ != '}')
				fail_msg("no closing brace: %s", start);
			break;
		case '\'':
			for (++*p; **p != '\''; ++*p)
				buf_putc(&in, (uint8_t)**p);
			++*p;
			break;
		case '@':
			*p += strcspn(*p, " }");
			OK(oid_parse(bytes_of(start, (size_t)(*p - start)),
			       &oid, &e),
			    &e);
			buf_put(&in, oid.p, oid.len);
			break;
		case ':':
			++*p;
			while (isxdigit((unsigned char)**p))
				buf_putc(&in, der_text_octet(p));
			break;
		default:
			break;
		}
		der_text_put(out, tag, buf_bytes(&in));
	}
}

static inline void
der_text(struct buf *out, const char *text)
{
	const char *p = text;

	der_text_list(out, &p);
	if (*p != '\0')
		fail_msg("a brace too many: %s", text);
}

#endif
