/* text - hexadecimal, base64, decimal, and the word somebody meant. */
#include <string.h>

#include <refrendo/base.h>

void
hex_print(char *out, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < b.len; i++) {
		*out++ = digits[b.p[i] >> 4];
		*out++ = digits[b.p[i] & 15];
	}
	*out = '\0';
}

/* 0..15, or -1. */
static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
hex_parse(struct bytes text, uint8_t *out, size_t len)
{
	if (text.len % 2 != 0 || text.len / 2 != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text.p[2 * i]);
		int low = hex_digit(text.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
base64_put(struct buf *out, struct bytes b)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	if (b.len > SIZE_MAX / 2) {
		out->failed = true;
		return;
	}
	uint8_t *to = buf_room(out, (b.len + 2) / 3 * 4);
	if (to == NULL)
		return;
	for (size_t i = 0; i < b.len; i += 3) {
		size_t left = b.len - i;
		uint32_t v = (uint32_t)b.p[i] << 16;
		v |= left > 1 ? (uint32_t)b.p[i + 1] << 8 : 0;
		v |= left > 2 ? b.p[i + 2] : 0;
		*to++ = (uint8_t)digits[v >> 18];
		*to++ = (uint8_t)digits[v >> 12 & 63];
		*to++ = (uint8_t)(left > 1 ? digits[v >> 6 & 63] : '=');
		*to++ = (uint8_t)(left > 2 ? digits[v & 63] : '=');
	}
}

/* 0..63, or -1. */
static int
base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes n digits (2..4) to n - 1 octets; false when bits are left over. */
static bool
base64_group(const uint8_t *text, size_t n, uint8_t *out)
{
	uint32_t v = 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = i < n ? base64_digit(text[i]) : 0;
		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
	}
	for (size_t i = 0; i + 1 < n; i++)
		out[i] = (uint8_t)(v >> (16 - 8 * i));
	return (v & ((UINT32_C(1) << (8 * (4 - n))) - 1)) == 0;
}

bool
base64_get(struct buf *out, struct bytes text)
{
	if (text.len % 4 != 0)
		return false;
	size_t digits = text.len;
	for (int i = 0; i < 2 && digits > 0 && text.p[digits - 1] == '='; i++)
		digits--;
	size_t before = out->len;
	uint8_t *to = buf_room(out, digits / 4 * 3 + (digits % 4) * 3 / 4);
	if (to == NULL)
		return false;
	for (size_t i = 0; i < digits; i += 4) {
		size_t n = digits - i < 4 ? digits - i : 4;
		if (!base64_group(text.p + i, n, to)) {
			/* Half an answer, perhaps of a secret, is no answer. */
			memset(out->p + before, 0, out->len - before);
			out->len = before;
			return false;
		}
		to += n - 1;
	}
	return true;
}

bool
dec_parse(struct bytes text, int64_t *out)
{
	if (text.len == 0 || (text.len > 1 && text.p[0] == '0'))
		return false;
	int64_t v = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		int digit = text.p[i] - '0';
		if (v > (INT64_MAX - digit) / 10)
			return false;
		v = 10 * v + digit;
	}
	*out = v;
	return true;
}

bool
ascii_printable(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e)
			return false;
	return true;
}

#define WORD_MAX 64

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: inserting, deleting, changing one octet, or
 * swapping two neighbours, costs one.  Both are at most WORD_MAX long.
 */
static size_t
distance(struct bytes a, struct bytes b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *above2 = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b.len; j++)
		above[j] = above2[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = a.p[i - 1] == b.p[j - 1];
			size_t d = above[j - 1] + (same ? 0 : 1);
			d = min(d, min(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1])
				d = min(d, above2[j - 2] + 1);
			row[j] = d;
		}
		size_t *oldest = above2;
		above2 = above;
		above = row;
		row = oldest;
	}
	return above[b.len];
}

const char *
nearest_word(struct bytes got, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t least = 3;
	for (size_t i = 0; i < n; i++) {
		struct bytes word = bytes_str(words[i]);
		if (got.len > WORD_MAX || word.len > WORD_MAX)
			continue;
		size_t d = distance(got, word);
		/* A word that shares no letter with got helps nobody. */
		bool related = d == 0 || d < got.len || d < word.len;
		if (related && d < least) {
			least = d;
			best = words[i];
		}
	}
	return best;
}
