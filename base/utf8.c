#include <string.h>

#include <refrendo/base.h>

#include "ascii.h"
#include "utf8.h"

/* Least and greatest second octet after a lead octet (RFC 3629 4). */
static void
second_range(uint8_t lead, uint8_t *least, uint8_t *most)
{
	*least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}

size_t
utf8_char(const uint8_t *p, size_t len)
{
	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint8_t least, most;
	second_range(p[0], &least, &most);
	if (len < n || p[1] < least || p[1] > most)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool
utf8_valid(struct bytes b)
{
	for (size_t i = 0; i < b.len;) {
		if (b.len - i >= 8 && ascii_all(ascii_load(b.p + i))) {
			i += 8;
			continue;
		}
		size_t n = utf8_char(b.p + i, b.len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

size_t
utf8_count(struct bytes b)
{
	size_t count = 0;
	for (size_t i = 0; i < b.len; i++)
		count += (b.p[i] & 0xc0) != 0x80;
	return count;
}

size_t
utf8_floor(const char *text, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		uint8_t c = (uint8_t)text[len - back];
		if ((c & 0xc0) == 0x80)
			continue;
		size_t whole = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		return whole > back ? len - back : len;
	}
	return len;
}

void
utf8_clip(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size);
	if (len == size)
		len = utf8_floor(text, size - 1);
	memcpy(out, text, len);
	out[len] = '\0';
}

void
utf8_clean(char *text)
{
	size_t len = strlen(text), to = 0;
	for (size_t i = 0; i < len;) {
		const uint8_t *p = (const uint8_t *)text + i;
		size_t n = utf8_char(p, len - i);
		bool control = p[0] < 0x20 || p[0] == 0x7f ||
			       (p[0] == 0xc2 && n == 2 && p[1] < 0xa0);
		if (n == 0 || control)
			text[to++] = '?';
		else
			memmove(text + to, p, n);
		to += n == 0 || control ? 0 : n;
		i += n == 0 ? 1 : n;
	}
	text[to] = '\0';
}
