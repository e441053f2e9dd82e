/*
 * get - the request in a GET's path (RFC 6960 A.1).  Clients differ in what
 * they percent-encode, in the case of the hex digits, in the final '=', and
 * in the slashes before it (INCIDENTS row 54); a request never begins with
 * a slash in base64.
 */
#include "internal.h"

struct bits {
	uint8_t *out;
	size_t room, len; /* octets */
	size_t chars, pads;
	uint32_t acc;
	unsigned n; /* bits in acc that are not out yet */
};

/* One more than what the character stands for; 0: for nothing. */
/* clang-format off */
static const uint8_t sextets[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
	43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64,
};
/* clang-format on */

static int
sextet(uint8_t c)
{
	return sextets[c] - 1;
}

/*
 * Whole groups of four plain characters, as long as there are any: all but
 * the end of most paths.  Returns how many characters it took.
 */
static size_t
put_groups(struct bits *b, const uint8_t *p, size_t len)
{
	size_t i = 0;
	while (len - i >= 4 && b->room - b->len >= 3 &&
	       b->chars + 4 <= OCSP_GET_MAX) {
		int v0 = sextet(p[i]), v1 = sextet(p[i + 1]);
		int v2 = sextet(p[i + 2]), v3 = sextet(p[i + 3]);
		if ((v0 | v1 | v2 | v3) < 0)
			break;
		uint32_t v = (uint32_t)(v0 << 18 | v1 << 12 | v2 << 6 | v3);
		b->out[b->len++] = (uint8_t)(v >> 16);
		b->out[b->len++] = (uint8_t)(v >> 8);
		b->out[b->len++] = (uint8_t)v;
		b->chars += 4;
		i += 4;
	}
	return i;
}

static bool
put_char(struct bits *b, uint8_t c)
{
	if (b->chars + b->pads == OCSP_GET_MAX)
		return false;
	if (c == '=') {
		b->pads++;
		return b->pads <= 2;
	}
	int v = sextet(c);
	if (v < 0 || b->pads > 0)
		return false;
	b->chars++;
	b->acc = b->acc << 6 | (uint32_t)v;
	b->n += 6;
	if (b->n < 8)
		return true;
	if (b->len == b->room)
		return false;
	b->n -= 8;
	b->out[b->len++] = (uint8_t)(b->acc >> b->n);
	b->acc &= (1u << b->n) - 1;
	return true;
}

/* Unused bits are zero, and '=' is there as often as it should, or never. */
static bool
complete(const struct bits *b)
{
	return b->len > 0 && b->chars % 4 != 1 && b->acc == 0 &&
	       (b->pads == 0 || (b->chars + b->pads) % 4 == 0);
}

static bool
decode(struct bytes path, struct bits *b)
{
	size_t i = 0;
	while (i < path.len && path.p[i] == '/')
		i++;
	for (; i < path.len; i++) {
		if (b->chars % 4 == 0 && b->pads == 0)
			i += put_groups(b, path.p + i, path.len - i);
		if (i == path.len)
			break;
		uint8_t c = path.p[i];
		if (c == '%') {
			if (path.len - i < 3 ||
			    !hex_parse(bytes_of(path.p + i + 1, 2), &c, 1))
				return false;
			i += 2;
		}
		if (!put_char(b, c))
			return false;
	}
	return complete(b);
}

enum err_code
ocsp_get_decode(struct bytes path, uint8_t *out, size_t *len, struct err *e)
{
	struct bits b = { .out = out, .room = *len };
	if (!decode(path, &b))
		return err_at(e, ERR_INVALID, "ocsp-get", "RFC 6960 A.1",
		    NOWHERE,
		    "the address does not end in a request in base64 of at "
		    "most %s characters; send longer ones by POST",
		    "1024");
	*len = b.len;
	return ERR_OK;
}
