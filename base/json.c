#include <refrendo/base.h>

void
json_put_string(struct buf *out, struct bytes text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		switch (c) {
		case '"':
			buf_puts(out, "\\\"");
			break;
		case '\\':
			buf_puts(out, "\\\\");
			break;
		case '\b':
			buf_puts(out, "\\b");
			break;
		case '\f':
			buf_puts(out, "\\f");
			break;
		case '\n':
			buf_puts(out, "\\n");
			break;
		case '\r':
			buf_puts(out, "\\r");
			break;
		case '\t':
			buf_puts(out, "\\t");
			break;
		default:
			if (c < 0x20)
				buf_putf(out, "\\u%04x", c);
			else
				buf_putc(out, c);
		}
	}
	buf_putc(out, '"');
}
