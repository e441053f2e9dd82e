/*
 * yaml - the bytes of a file to a tree of nodes with places.  libyaml gives
 * events; what it lets through and we do not want (anchors, aliases, tags,
 * merge keys, equal keys, several documents, depth) is refused as they arrive.
 */
#include <yaml.h>

#include "internal.h"

uint32_t
utf8_next(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *at = *p;
	int more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
	uint32_t c = more == 0 ? *at : *at & (0x3fu >> more);

	for (at++; more > 0 && at < end && (*at & 0xc0) == 0x80; more--)
		c = c << 6 | (*at++ & 0x3fu);
	*p = at;
	return c;
}

static bool
char_clean(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && c != 0xad &&
	       !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff &&
	       !(c >= 0xfff9 && c <= 0xfffb) && (c & 0xfffe) != 0xfffe;
}

bool
text_clean(struct bytes text)
{
	const uint8_t *p = text.p;
	/* Nothing may be at no address at all, to which nothing is added. */
	const uint8_t *end = text.len > 0 ? p + text.len : p;

	while (p < end) {
		if (!char_clean(utf8_next(&p, end)))
			return false;
	}
	return true;
}

/* --- Before libyaml: octets and characters ------------------------------------- */

static void
report_char(struct load *l, uint32_t c, struct where at)
{
	struct err e;
	char code[16];

	if (c == '\t') {
		err_at(&e, ERR_INVALID, "policy-tab", "YAML 1.2 6.1", at,
		    "there is a tab; only spaces may indent or separate");
		report(l, 1, &e, "write spaces instead");
		return;
	}
	if (c == 0) {
		err_at(&e, ERR_INVALID, "policy-nul", "YAML 1.2 5.1", at,
		    "there is a NUL octet; this is no text file");
		report(l, 1, &e, "save the file as plain text in UTF-8");
		return;
	}
	snprintf(code, sizeof(code), "U+%04X", c);
	err_at(&e, ERR_INVALID, "policy-control", "YAML 1.2 5.1", at,
	    "there is a control or invisible character (%s)", code);
	report(l, 1, &e, "%s",
	    c == 0xfeff ? "save the file in UTF-8 without a byte order mark"
			: "delete it");
}

/*
 * A copy with tabs as spaces, so that what follows them is judged too; false
 * when the text cannot be read at all.
 */
static bool
scan(struct load *l, uint8_t *copy)
{
	size_t len = l->file->text.len;
	const uint8_t *p = l->file->text.p, *start = p;
	const uint8_t *end = len > 0 ? p + len : p;
	uint32_t line = 1, col = 1, tab_line = 0;
	bool readable = true;

	while (p < end) {
		const uint8_t *at = p;
		uint32_t c = utf8_next(&p, end);
		bool newline =
		    c == '\n' || (c == '\r' && p < end && *p == '\n');

		if (!utf8_valid(bytes_of(at, (size_t)(p - at)))) {
			struct err e;

			err_at(&e, ERR_INVALID, "policy-utf8", "RFC 3629 3",
			    where_at(l, line, col),
			    "an octet here is not UTF-8");
			report(l, 1, &e, "save the file in UTF-8");
			return false;
		}
		if (c == '\t') {
			copy[at - start] = ' ';
			/* One finding for a line full of them. */
			if (tab_line != line)
				report_char(l, c, where_at(l, line, col));
			tab_line = line;
		} else if (!newline && !char_clean(c)) {
			report_char(l, c, where_at(l, line, col));
			readable = false;
		}
		col++;
		if (c == '\n') {
			line++;
			col = 1;
		}
	}
	return readable;
}

/* --- Events to nodes ---------------------------------------------------------------- */

struct builder {
	struct load *l;
	struct node *root;
	struct node *stack[POLICY_DEPTH_MAX + 1];
	size_t depth;
	struct node *key; /* waits for its value */
	size_t documents, nodes;
	bool stopped; /* the tree is not whole */
	bool done;    /* the tree is whole, whatever follows */
};

static uint32_t
width_of(const yaml_mark_t *start, const yaml_mark_t *end)
{
	size_t w = end->line == start->line ? end->column - start->column : 1;

	return w > 0 ? (uint32_t)w : 1;
}

static struct where
where_mark(const struct load *l, const yaml_mark_t *m)
{
	return where_at(l, (uint32_t)m->line + 1, (uint32_t)m->column + 1);
}

/* What an anchor, alias or tag looks like in the text: from & * ! on. */
static void
report_feature(struct builder *b, const yaml_event_t *ev, const char *anchor,
    const char *tag)
{
	struct err e;
	struct where at = where_mark(b->l, &ev->start_mark);
	const size_t core = strlen("tag:yaml.org,2002:");
	bool standard =
	    tag != NULL && strncmp(tag, "tag:yaml.org,2002:", core) == 0;

	if (ev->type == YAML_ALIAS_EVENT) {
		err_at(&e, ERR_INVALID, "policy-alias", "YAML 1.2 7.1", at,
		    "the alias *%s is not used here: each value stands where "
		    "it counts",
		    anchor);
		report(b->l, width_of(&ev->start_mark, &ev->end_mark), &e,
		    "write the value again");
		return;
	}
	if (anchor != NULL) {
		err_at(&e, ERR_INVALID, "policy-anchor", "YAML 1.2 6.9.2", at,
		    "the anchor &%s is not used here: each value stands where "
		    "it counts",
		    anchor);
		report(b->l, (uint32_t)strlen(anchor) + 1, &e,
		    "delete &%s and write the value again where it is needed",
		    anchor);
	}
	if (tag != NULL) {
		err_at(&e, ERR_INVALID, "policy-tag", "YAML 1.2 6.9.1", at,
		    "the tag %s%s is not used here: the key decides the type",
		    standard ? "!!" : "", standard ? tag + core : tag);
		report(b->l, 1, &e, "delete the tag");
	}
}

static void
report_key(struct builder *b, const struct node *key, const struct node *twin)
{
	struct err e;
	struct where at = where_of(b->l, key);
	const char *text = (const char *)key->text.p;

	if (key->kind != NODE_TEXT) {
		err_at(&e, ERR_INVALID, "policy-key-form", NULL, at,
		    "a key must be one plain word");
		report(b->l, key->width, &e, "as in  version: 1");
	} else if (key->plain && strcmp(text, "<<") == 0) {
		err_at(&e, ERR_INVALID, "policy-merge", "YAML 1.1 merge", at,
		    "the merge key << is not used here: each value stands "
		    "where it counts");
		report(b->l, key->width, &e, "write the keys again");
	} else if (twin != NULL) {
		err_at(&e, ERR_INVALID, "policy-key-twice", "YAML 1.2 3.2.1.3",
		    at, "the key %s stands here a second time", text);
		report(b->l, key->width, &e,
		    "delete one of the two; the first is in line %u",
		    twin->line);
	}
}

/* A key that was judged; what follows a bad one is silently dropped. */
static void
take_key(struct builder *b, struct node *map, struct node *key)
{
	const struct node *twin = NULL;

	key->key = key; /* so that its path ends with itself */
	b->key = key;
	if (key->kind == NODE_BAD)
		return;
	for (struct node *c = map->child; c != NULL; c = c->next) {
		if (key->kind == NODE_TEXT && c->key->kind == NODE_TEXT &&
		    bytes_eq(c->key->text, key->text))
			twin = c->key;
	}
	report_key(b, key, twin);
	if (twin != NULL || key->kind != NODE_TEXT ||
	    (key->plain && bytes_is(key->text, "<<")))
		key->kind = NODE_BAD;
}

static void
take_node(struct builder *b, struct node *n)
{
	struct node *top = b->depth > 0 ? b->stack[b->depth - 1] : NULL;
	struct err e;

	if (top == NULL) {
		if (b->root == NULL)
			b->root = n;
		return;
	}
	n->parent = top;
	if (top->kind == NODE_MAP && b->key == NULL) {
		take_key(b, top, n);
		return;
	}
	n->key = b->key;
	b->key = NULL;
	n->index = top->n++;
	if (top->last == NULL)
		top->child = n;
	else
		top->last->next = n;
	top->last = n;
	if (++b->nodes > NODES_MAX && !b->stopped) {
		err_at(&e, ERR_INVALID, "policy-nodes", NULL, where_of(b->l, n),
		    "there are more than 4096 values in one file");
		report(b->l, n->width, &e, "delete what nobody uses");
		b->stopped = true;
	}
	if (top->n > ENTRIES_MAX) {
		err_at(&e, ERR_INVALID, "policy-entries", NULL,
		    where_of(b->l, n),
		    "there are more than 256 entries in one place");
		report(b->l, n->width, &e,
		    "split the file, or delete what nobody uses");
		b->stopped = true;
	}
}

static struct node *
node_new(struct builder *b, enum node_kind kind, const yaml_event_t *ev)
{
	struct node *n = arena_get(b->l->arena, sizeof(*n));

	n->kind = kind;
	n->file = b->l->file;
	n->line = (uint32_t)ev->start_mark.line + 1;
	n->col = (uint32_t)ev->start_mark.column + 1;
	n->width = kind == NODE_TEXT || kind == NODE_BAD
		       ? width_of(&ev->start_mark, &ev->end_mark)
		       : 1;
	return n;
}

static void
open_node(struct builder *b, enum node_kind kind, const yaml_event_t *ev)
{
	struct node *n = node_new(b, kind, ev);
	bool is_key = b->depth > 0 && b->key == NULL &&
		      b->stack[b->depth - 1]->kind == NODE_MAP;
	struct err e;

	take_node(b, n);
	if (b->depth >= POLICY_DEPTH_MAX || is_key) {
		/* A map as a key has been reported; nothing below it counts. */
		if (!is_key) {
			err_at(&e, ERR_INVALID, "policy-depth", NULL,
			    where_mark(b->l, &ev->start_mark),
			    "more than 32 levels stand inside each other");
			report(b->l, 1, &e,
			    "no file of ours needs more than 5");
		}
		b->stopped = true;
		return;
	}
	b->stack[b->depth++] = n;
}

static void
take_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct node *n = node_new(b, NODE_TEXT, ev);
	yaml_scalar_style_t style = ev->data.scalar.style;

	n->text =
	    bytes_of(arena_str(b->l->arena, bytes_of(ev->data.scalar.value,
						ev->data.scalar.length)),
		ev->data.scalar.length);
	n->plain = style == YAML_PLAIN_SCALAR_STYLE;
	n->block = style == YAML_LITERAL_SCALAR_STYLE ||
		   style == YAML_FOLDED_SCALAR_STYLE;
	take_node(b, n);
}

static void
take_document(struct builder *b, const yaml_event_t *ev)
{
	struct err e;

	if (ev->data.document_start.version_directive != NULL ||
	    ev->data.document_start.tag_directives.start !=
		ev->data.document_start.tag_directives.end) {
		err_at(&e, ERR_INVALID, "policy-directive", "YAML 1.2 6.8",
		    where_mark(b->l, &ev->start_mark),
		    "lines that begin with a percent sign are not used here");
		report(b->l, 1, &e, "delete the line");
	}
	if (++b->documents == 2) {
		err_at(&e, ERR_INVALID, "policy-documents", "YAML 1.2 9.2",
		    where_mark(b->l, &ev->start_mark),
		    "a second document begins here; one file holds one");
		report(b->l, 3, &e, "put it into a file of its own");
		b->done = true;
	}
}

/* One event; false at the end of the stream. */
static bool
take_event(struct builder *b, const yaml_event_t *ev)
{
	struct node *n;

	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		take_document(b, ev);
		break;
	case YAML_ALIAS_EVENT:
		report_feature(b, ev, (char *)ev->data.alias.anchor, NULL);
		n = node_new(b, NODE_BAD, ev);
		take_node(b, n);
		break;
	case YAML_SCALAR_EVENT:
		report_feature(b, ev, (char *)ev->data.scalar.anchor,
		    (char *)ev->data.scalar.tag);
		take_scalar(b, ev);
		break;
	case YAML_SEQUENCE_START_EVENT:
		report_feature(b, ev, (char *)ev->data.sequence_start.anchor,
		    (char *)ev->data.sequence_start.tag);
		open_node(b, NODE_LIST, ev);
		break;
	case YAML_MAPPING_START_EVENT:
		report_feature(b, ev, (char *)ev->data.mapping_start.anchor,
		    (char *)ev->data.mapping_start.tag);
		open_node(b, NODE_MAP, ev);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		n = b->stack[--b->depth];
		/* The caret goes under a whole [list] or {map} in one line. */
		if ((uint32_t)ev->end_mark.line + 1 == n->line &&
		    ev->end_mark.column + 1 > n->col)
			n->width = (uint32_t)ev->end_mark.column + 1 - n->col;
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	case YAML_STREAM_END_EVENT:
		return false;
	}
	return true;
}

static void
report_syntax(struct load *l, const yaml_parser_t *p)
{
	struct err e;

	if (p->error == YAML_MEMORY_ERROR)
		fatal("no memory for a YAML file");
	err_at(&e, ERR_INVALID, "policy-syntax", "YAML 1.2",
	    where_mark(l, &p->problem_mark), "this is not YAML: %s",
	    p->problem != NULL ? p->problem : "unreadable");
	if (p->context != NULL && p->context_mark.line + 1 > 0)
		report(l, 1, &e, "%s that begins in line %zu", p->context,
		    p->context_mark.line + 1);
	else
		report(l, 1, &e, "compare with the samples in etc/");
}

static void
parse(struct builder *b, const uint8_t *text, size_t len)
{
	yaml_parser_t parser;
	yaml_event_t ev;
	bool more = true;

	if (yaml_parser_initialize(&parser) == 0)
		fatal("no memory for a YAML file");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text, len);
	while (more && !b->stopped && !b->done) {
		if (yaml_parser_parse(&parser, &ev) == 0) {
			report_syntax(b->l, &parser);
			b->l->partial = true;
			break;
		}
		more = take_event(b, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
}

/* The last value may be cut, or be misread for what follows it. */
static void
drop_last(struct node *map)
{
	struct node *before = NULL;

	if (map->last == NULL)
		return;
	for (struct node *c = map->child; c != map->last; c = c->next)
		before = c;
	if (before == NULL)
		map->child = NULL;
	else
		before->next = NULL;
	map->last = before;
	map->n--;
}

static struct node *
root_of(struct builder *b)
{
	struct load *l = b->l;
	struct err e;

	if (b->stopped)
		return NULL;
	if (l->partial) {
		if (b->root == NULL || b->root->kind != NODE_MAP)
			return NULL;
		drop_last(b->root);
	}
	if (b->root == NULL) {
		err_at(&e, ERR_INVALID, "policy-empty", NULL, where_at(l, 1, 1),
		    "the file says nothing");
		report(l, 1, &e, "compare with the samples in etc/");
		return NULL;
	}
	if (b->root->kind == NODE_MAP)
		return b->root;
	if (b->root->kind != NODE_BAD) {
		err_at(&e, ERR_INVALID, "policy-root", NULL,
		    where_of(l, b->root),
		    "a file begins with a key and a colon");
		report(l, b->root->width, &e, "as in  version: 1");
	}
	return NULL;
}

struct node *
tree_read(struct load *l)
{
	struct builder b = { .l = l };
	struct bytes text = l->file->text;
	struct err e;
	uint8_t *copy;

	if (text.len > POLICY_FILE_MAX) {
		err_at(&e, ERR_INVALID, "policy-file-large", NULL,
		    where_at(l, 0, 0),
		    "the file is larger than 64 KiB, the most that is read");
		report(l, 1, &e, "split it, or delete what nobody uses");
		return NULL;
	}
	copy = arena_get(l->arena, text.len + 1);
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	if (!scan(l, copy))
		return NULL;
	parse(&b, copy, text.len);
	return root_of(&b);
}

const struct node *
node_find(const struct node *map, const char *key)
{
	for (const struct node *c = map->child; c != NULL; c = c->next) {
		if (c->key->kind == NODE_TEXT && bytes_is(c->key->text, key))
			return c;
	}
	return NULL;
}
