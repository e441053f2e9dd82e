/* json_parser - what json_parse.c and json_string.c share of one reading. */
#ifndef AUDIT_JSON_PARSER_H
#define AUDIT_JSON_PARSER_H

#include <refrendo/audit.h>

#include "json_tree.h"

enum judgement { GOOD, REAL, LITERAL, BEYOND };

/* What the parser has met; of the judgements only the first is kept. */
struct json_parser {
	struct json *j;
	uint8_t *start, *p, *end;
	unsigned depth;
	bool differs; /* from the canonical form */
	enum judgement judged;
	enum json_flaw flaw; /* of an error */
	struct err *err;
};

/* ERR_INVALID "json-syntax" at ps->p. */
enum err_code json_syntax(struct json_parser *ps, const char *why);
/*
 * ps->p is at the opening quote.  The text is unescaped where it stands and
 * gets a NUL, at the latest where the closing quote was.
 */
MUST_CHECK enum err_code json_text(struct json_parser *ps, struct bytes *out);

#endif
