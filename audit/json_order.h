/* How RFC 8785 3.2.3 orders the names of members. */
#ifndef AUDIT_JSON_ORDER_H
#define AUDIT_JSON_ORDER_H

#include <refrendo/base.h>

/*
 * Order by UTF-16 code units, of valid UTF-8.  It differs from the order of
 * the octets only where one side is beyond U+FFFF (its surrogates, D800 to
 * DFFF, come before E000) and the other is U+E000 to U+FFFF.
 */
static inline int
json_key_order(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	for (size_t i = 0; i < n; i++) {
		uint8_t x = a.p[i], y = b.p[i];
		if (x == y)
			continue;
		if (x >= 0xf0 && (y == 0xee || y == 0xef))
			return -1;
		if (y >= 0xf0 && (x == 0xee || x == 0xef))
			return 1;
		return x < y ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

struct json;
/* json_parse() with another cap than JSON_MAX_BYTES. */
MUST_CHECK enum err_code json_parse_max(struct bytes text, size_t max,
    bool canonical, struct json **out, struct err *e);

#endif
