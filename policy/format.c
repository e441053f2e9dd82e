/*
 * format - a file in its usual layout, line by line, so that comments stay
 * where they are.  What comes out must say the same: it is read again.
 */
#include "internal.h"

#define LEVELS_MAX (2 * POLICY_DEPTH_MAX)

/* One block that is open: its column before and after. */
struct level {
	size_t was, is;
	bool list;
};

struct layout {
	struct buf *out;
	struct level level[LEVELS_MAX];
	size_t n;
	size_t brackets;                /* open in the lines so far */
	struct bytes held[ENTRIES_MAX]; /* comments that wait for their level */
	size_t n_held;
	bool blank; /* one empty line is due */
	bool lost;  /* more than there is room for */
};

static size_t
indent_of(struct bytes line)
{
	size_t n = 0;

	while (n < line.len && line.p[n] == ' ')
		n++;
	return n;
}

static struct bytes
trimmed(struct bytes line)
{
	size_t from = indent_of(line);

	line = bytes_of(line.p + from, line.len - from);
	while (line.len > 0 && strchr(" \t\r", line.p[line.len - 1]) != NULL)
		line.len--;
	return line;
}

static void
put_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_putc(out, ' ');
}

/* --- Within a line -------------------------------------------------------------- */

/* Where a text in quotes ends, or the line. */
static size_t
quoted_end(struct bytes t, size_t at)
{
	uint8_t quote = t.p[at++];

	while (at < t.len) {
		if (quote == '"' && t.p[at] == '\\')
			at++;
		else if (t.p[at] == quote &&
			 (quote != '\'' || at + 1 == t.len ||
			     t.p[at + 1] != '\''))
			return at + 1;
		else if (t.p[at] == quote)
			at++;
		at++;
	}
	return t.len;
}

static bool
begins_text(const struct buf *out, size_t start)
{
	uint8_t last = out->len > start ? out->p[out->len - 1] : ' ';

	return last == ' ' || last == '{' || last == '[' || last == ',';
}

static void
drop_spaces(struct buf *out, size_t start)
{
	while (out->len > start && out->p[out->len - 1] == ' ')
		out->len--;
}

/* Spaces of a line: one where there are some, none inside brackets. */
static void
put_line(struct layout *x, struct bytes t)
{
	struct buf *out = x->out;
	size_t start = out->len, i = 0;

	while (i < t.len) {
		uint8_t c = t.p[i];
		size_t spaces = 0;

		if ((c == '"' || c == '\'') && begins_text(out, start)) {
			size_t end = quoted_end(t, i);

			buf_put(out, t.p + i, end - i);
			i = end;
			continue;
		}
		while (i + spaces < t.len && t.p[i + spaces] == ' ')
			spaces++;
		if (spaces > 0 && i + spaces < t.len &&
		    t.p[i + spaces] == '#') {
			/* A comment keeps its distance, two at least. */
			put_spaces(out, spaces < 2 ? 2 : spaces);
			buf_put(out, t.p + i + spaces, t.len - i - spaces);
			return;
		}
		if (spaces > 0) {
			if (out->p[out->len - 1] != '{' &&
			    out->p[out->len - 1] != '[')
				buf_putc(out, ' ');
			i += spaces;
			continue;
		}
		if (c == '{' || c == '[')
			x->brackets += begins_text(out, start) ? 1 : 0;
		if (x->brackets > 0 && (c == '}' || c == ']' || c == ','))
			drop_spaces(out, start);
		if (x->brackets > 0 && (c == '}' || c == ']'))
			x->brackets--;
		buf_putc(out, c);
		i++;
		if (c == ',' && x->brackets > 0 && i < t.len && t.p[i] != ' ')
			buf_putc(out, ' ');
	}
}

/* --- Levels ------------------------------------------------------------------------- */

static size_t
push(struct layout *x, size_t was, size_t is, bool list)
{
	if (x->n == LEVELS_MAX) {
		x->lost = true;
		return is;
	}
	x->level[x->n++] = (struct level){ was, is, list };
	return is;
}

static bool
is_item(struct bytes t)
{
	return t.len > 0 && t.p[0] == '-' && (t.len == 1 || t.p[1] == ' ');
}

/* The new column of a line of a block. */
static size_t
level_of(struct layout *x, size_t was, bool item)
{
	const struct level *top;

	while (x->n > 0 && (x->level[x->n - 1].was > was ||
			       (x->level[x->n - 1].was == was && !item &&
				   x->level[x->n - 1].list)))
		x->n--;
	if (x->n == 0)
		return push(x, was, item ? 2 : 0, item);
	top = &x->level[x->n - 1];
	if (top->was == was && top->list == item)
		return top->is;
	return push(x, was, top->is + 2, item);
}

/* "key: …" behind a dash opens a map at its own column. */
static bool
opens_map(struct bytes t)
{
	size_t i = 0;

	if (t.len > 0 && (t.p[0] == '"' || t.p[0] == '\''))
		i = quoted_end(t, 0);
	else if (t.len > 0 && (t.p[0] == '{' || t.p[0] == '['))
		return false;
	for (; i < t.len; i++) {
		if (t.p[i] == '#' && i > 0 && t.p[i - 1] == ' ')
			return false;
		if (t.p[i] == ':' && (i + 1 == t.len || t.p[i + 1] == ' '))
			return true;
	}
	return false;
}

static void
flush(struct layout *x, size_t is)
{
	for (size_t i = 0; i < x->n_held; i++) {
		if (x->held[i].len == 0) {
			buf_putc(x->out, '\n');
			continue;
		}
		put_spaces(x->out, is);
		buf_put(x->out, x->held[i].p, x->held[i].len);
		buf_putc(x->out, '\n');
	}
	x->n_held = 0;
}

static void
hold(struct layout *x, struct bytes t)
{
	/* One empty line is enough, and none at the top. */
	if (t.len == 0 && ((x->n_held > 0 && x->held[x->n_held - 1].len == 0) ||
			      (x->n_held == 0 && x->out->len == 0)))
		return;
	if (x->n_held == ENTRIES_MAX) {
		x->lost = true;
		return;
	}
	x->held[x->n_held++] = t;
}

static void
put_block(struct layout *x, size_t was, struct bytes t)
{
	size_t is = level_of(x, was, is_item(t));

	flush(x, is);
	put_spaces(x->out, is);
	while (is_item(t) && t.len > 1) {
		struct bytes rest = trimmed(bytes_of(t.p + 1, t.len - 1));
		size_t skipped = (size_t)(rest.p - t.p);

		buf_puts(x->out, "- ");
		was += skipped;
		is += 2;
		if (is_item(rest))
			push(x, was, is, true);
		else if (opens_map(rest))
			push(x, was, is, false);
		t = rest;
	}
	put_line(x, t);
	buf_putc(x->out, '\n');
}

static void
put_any(struct layout *x, struct bytes line)
{
	struct bytes t = trimmed(line);
	size_t inner;

	if (t.len == 0 || t.p[0] == '#') {
		hold(x, t);
		return;
	}
	if (x->brackets == 0) {
		put_block(x, indent_of(line), t);
		return;
	}
	inner = x->brackets - (t.p[0] == '}' || t.p[0] == ']' ? 1 : 0);
	inner = (x->n > 0 ? x->level[x->n - 1].is : 0) + 2 * inner;
	flush(x, inner);
	put_spaces(x->out, inner);
	put_line(x, t);
	buf_putc(x->out, '\n');
}

/* --- All of it -------------------------------------------------------------------------- */

static const struct node *
read_text(struct bytes text, struct arena *a, struct findings *f)
{
	static const struct policy_file none = { "", { NULL, 0 } };
	struct policy_file *file = arena_get(a, sizeof(*file));
	struct load l = { .file = file, .arena = a, .f = f };
	const struct node *root;

	*file = none;
	file->text = text;
	root = tree_read(&l);
	return f->errors == 0 ? root : NULL;
}

enum err_code
policy_format(struct bytes text, struct buf *out, struct err *e)
{
	AUTO(arena) arena = arena_new();
	struct layout x = { .out = out };
	struct findings f = { NULL, 0, 0 };
	const struct node *before = read_text(text, arena, &f), *after;
	struct bytes rest = text;

	if (before == NULL) {
		struct where at = f.len > 0 ? f.v[0].err.where : NOWHERE;

		err_at(e, ERR_INVALID, "policy-format", NULL, at,
		    "this is no file that can be laid out: %s",
		    f.len > 0 ? f.v[0].err.say : "it says nothing");
		findings_fini(&f);
		return e->code;
	}
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;

		put_any(&x, bytes_of(rest.p, len));
		len += end != NULL ? 1 : 0;
		rest = bytes_of(rest.p + len, rest.len - len);
	}
	while (x.n_held > 0 && x.held[x.n_held - 1].len == 0)
		x.n_held--;
	flush(&x, 0);
	after = read_text(buf_bytes(out), arena, &f);
	findings_fini(&f);
	if (x.lost || after == NULL || !node_same(before, after))
		return err_say(e, ERR_CONFLICT, "policy-format-meaning",
		    "laid out, the file would say something else; write each "
		    "value in one line");
	return buf_end(out, e);
}
