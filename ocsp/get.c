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

static int
sextet(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
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
