/* json - a text as JSON writes it. */
#include <refrendo/base.h>

#include "ascii.h"
#include "room.h"

/* How many octets at the front are written as they are. */
static size_t
plain_run(struct bytes text)
{
	size_t i = 0;

	while (text.len - i >= 8 && !ascii_escaped(ascii_load(text.p + i)))
		i += 8;
	while (i < text.len && text.p[i] >= 0x20 && text.p[i] != '"' &&
	       text.p[i] != '\\')
		i++;
	return i;
}

static void
put_escape(struct buf *out, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	/* \b \t \n, none for the vertical tab, \f \r */
	static const char letters[] = "btn-fr";

	if (c == '"' || c == '\\') {
		buf_add(out, (uint8_t[]){ '\\', c }, 2);
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		uint8_t letter = (uint8_t)letters[c - '\b'];
		buf_add(out, (uint8_t[]){ '\\', letter }, 2);
	} else {
		uint8_t high = (uint8_t)digits[c >> 4];
		uint8_t low = (uint8_t)digits[c & 15];
		buf_add(out, (uint8_t[]){ '\\', 'u', '0', '0', high, low }, 6);
	}
}

void
json_put_string(struct buf *out, struct bytes text)
{
	buf_putc(out, '"');
	while (text.len > 0) {
		size_t run = plain_run(text);
		buf_add(out, text.p, run);
		if (run < text.len)
			put_escape(out, text.p[run++]);
		text = bytes_of(text.p + run, text.len - run);
	}
	buf_putc(out, '"');
}
