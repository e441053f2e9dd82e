/* json_tree - the tree that json_parse() builds and json_get_...() read. */
#ifndef AUDIT_JSON_TREE_H
#define AUDIT_JSON_TREE_H

#include <refrendo/base.h>

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_INTEGER,
	/* No document of ours keeps one of these. */
	JSON_TRUE,
	JSON_FALSE,
	JSON_REFUSED /* a fraction or null */
};

/*
 * One value.  Nodes stand in one array in the order of the text, so that the
 * first child of a node follows it and its next sibling is skip nodes on.
 * Names and texts lie in the document's own copy of the input, each with a
 * NUL behind it.
 */
struct json_node {
	const uint8_t *key; /* NULL in an array and at the root */
	union {
		const uint8_t *text; /* of a string */
		int64_t integer;
	};
	uint32_t key_len;
	uint32_t n;    /* octets of a string, children of the others */
	uint32_t skip; /* nodes of this subtree, itself included */
	enum json_kind kind;
};

struct json {
	struct json_node *node; /* owned; the root is the first */
	size_t n, size;
	uint8_t text[]; /* the input; strings are unescaped in place */
};

static inline struct bytes
json_node_key(const struct json_node *n)
{
	return (struct bytes){ n->key, n->key_len };
}

#endif
