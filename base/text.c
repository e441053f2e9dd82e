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

/* What an octet is worth as a digit; a character that is none has NO. */
#define NO 0xff
/* clang-format off */
#define NO8  NO, NO, NO, NO, NO, NO, NO, NO
#define NO16 NO8, NO8
#define NO32 NO16, NO16
#define NO64 NO32, NO32
static const uint8_t hex_digit[256] = {
	NO32,
	NO16,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, NO, NO, NO, NO, NO, NO,
	NO, 10, 11, 12, 13, 14, 15, NO, NO8,
	NO16,
	NO, 10, 11, 12, 13, 14, 15, NO, NO8,
	NO16,
	NO64, NO64,
};
static const uint8_t base64_digit[256] = {
	NO32,
	NO8, NO, NO, NO, 62, NO, NO, NO, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
	NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
	NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
	NO64, NO64,
};
/* clang-format on */

bool
hex_parse(struct bytes text, uint8_t *out, size_t len)
{
	if (text.len % 2 != 0 || text.len / 2 != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t high = hex_digit[text.p[2 * i]];
		uint8_t low = hex_digit[text.p[2 * i + 1]];
		if ((high | low) == NO)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t
base64_letter(uint32_t v, unsigned shift)
{
	return (uint8_t)base64_letters[v >> shift & 63];
}

void
base64_put(struct buf *out, struct bytes b)
{
	if (b.len > SIZE_MAX / 2) {
		out->failed = true;
		return;
	}
	uint8_t *to = buf_room(out, (b.len + 2) / 3 * 4);
	if (to == NULL)
		return;
	const uint8_t *p = b.p;
	size_t left = b.len;
	for (; left >= 3; left -= 3, p += 3, to += 4) {
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		to[0] = base64_letter(v, 18);
		to[1] = base64_letter(v, 12);
		to[2] = base64_letter(v, 6);
		to[3] = base64_letter(v, 0);
	}
	if (left == 0)
		return;
	uint32_t v =
	    (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0);
	to[0] = base64_letter(v, 18);
	to[1] = base64_letter(v, 12);
	to[2] = left == 2 ? base64_letter(v, 6) : '=';
	to[3] = '=';
}

/* Decodes n digits (2..4) to n - 1 octets; false when bits are left over. */
static bool
base64_group(const uint8_t *text, size_t n, uint8_t *out)
{
	uint32_t v = 0;
	for (size_t i = 0; i < 4; i++) {
		uint8_t digit = i < n ? base64_digit[text[i]] : 0;
		if (digit == NO)
			return false;
		v = v << 6 | digit;
	}
	for (size_t i = 0; i + 1 < n; i++)
		out[i] = (uint8_t)(v >> (16 - 8 * i));
	return (v & ((UINT32_C(1) << (8 * (4 - n))) - 1)) == 0;
}

/* The whole groups; the caller's room is three octets for each. */
static bool
base64_groups(const uint8_t *p, size_t groups, uint8_t *to)
{
	for (; groups > 0; groups--, p += 4, to += 3) {
		uint32_t a = base64_digit[p[0]], b = base64_digit[p[1]];
		uint32_t c = base64_digit[p[2]], d = base64_digit[p[3]];
		/* Digits are below 64. */
		if ((a | b | c | d) > 63)
			return false;
		to[0] = (uint8_t)(a << 2 | b >> 4);
		to[1] = (uint8_t)(b << 4 | c >> 2);
		to[2] = (uint8_t)(c << 6 | d);
	}
	return true;
}

bool
base64_get(struct buf *out, struct bytes text)
{
	if (text.len % 4 != 0)
		return false;
	size_t digits = text.len;
	for (int i = 0; i < 2 && digits > 0 && text.p[digits - 1] == '='; i++)
		digits--;
	size_t before = out->len, groups = digits / 4, rest = digits % 4;
	uint8_t *to = buf_room(out, groups * 3 + rest * 3 / 4);
	if (to == NULL)
		return false;
	if (base64_groups(text.p, groups, to) &&
	    (rest == 0 ||
		base64_group(text.p + 4 * groups, rest, to + 3 * groups)))
		return true;
	/* Half an answer, perhaps of a secret, is no answer. */
	memset(out->p + before, 0, out->len - before);
	out->len = before;
	return false;
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
