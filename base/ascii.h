/* ascii - eight octets at once; private to base. */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ASCII_EACH(octet) (UINT64_C(0x0101010101010101) * (octet))

static inline uint64_t
ascii_load(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

/* All eight are below 0x80. */
static inline bool
ascii_all(uint64_t w)
{
	return (w & ASCII_EACH(0x80)) == 0;
}

/* One of them is a control, '"' or '\\', or perhaps beyond ASCII. */
static inline bool
ascii_escaped(uint64_t w)
{
	uint64_t quote = w ^ ASCII_EACH('"'), slash = w ^ ASCII_EACH('\\');
	uint64_t found = ((w - ASCII_EACH(0x20)) & ~w) |
			 ((quote - ASCII_EACH(1)) & ~quote) |
			 ((slash - ASCII_EACH(1)) & ~slash);
	return (found & ASCII_EACH(0x80)) != 0;
}

#endif
