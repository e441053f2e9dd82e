/*
 * The second reading of a header block, by llhttp or http-parser.  Their
 * headers define names that ours define too, so that parser.c sees this one
 * alone.
 */
#ifndef HTTP_PARSER_PRIVATE_H
#define HTTP_PARSER_PRIVATE_H

#include <refrendo/base.h>

struct framing {
	bool has_length;
	uint64_t length; /* Content-Length */
	bool keep_alive;
	size_t names; /* octets in the names of all fields */
};

/*
 * NULL when the library accepts the block, which it gets in n parts, else
 * what it says of it.
 */
const char *parser_frame(const struct bytes *part, size_t n, bool is_reply,
    struct framing *out);

#endif
