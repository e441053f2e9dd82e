/*
 * findings - the mistakes of a file, kept in the order of its text and shown
 * with the line they stand in.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "internal.h"

#define SHOWN_MAX 120 /* characters of a source line */

void
findings_fini(struct findings *f)
{
	free(f->v);
	*f = (struct findings){ NULL, 0, 0 };
}

static void
path_put(char *out, size_t size, const struct node *n)
{
	size_t len;

	if (n->parent == NULL)
		return;
	path_put(out, size, n->parent);
	len = strlen(out);
	if (n->key == NULL)
		snprintf(out + len, size - len, "[%zu]", n->index + 1);
	else if (n->key->kind == NODE_TEXT)
		snprintf(out + len, size - len, "%s%s", len > 0 ? "." : "",
		    (const char *)n->key->text.p);
}

struct where
where_at(const struct load *l, uint32_t line, uint32_t col)
{
	struct where w = at_field(l->file->name);

	memcpy(w.file, w.field, sizeof(w.file));
	w.field[0] = '\0';
	w.line = line;
	w.col = col;
	return w;
}

struct where
where_of(const struct load *l, const struct node *n)
{
	char path[512] = "";
	struct where w = where_at(l, n->line, n->col), field;

	/* What a base says cannot be mended here: extends stands for it. */
	if (n->file != NULL && n->file != l->file && l->extends != NULL)
		w = where_at(l, l->extends->line, l->extends->col);

	path_put(path, sizeof(path), n);
	field = at_field(path);
	memcpy(w.field, field.field, sizeof(w.field));
	return w;
}

static void
add(struct findings *f, const struct finding *one)
{
	struct finding *grown;

	if (!one->is_warning)
		f->errors++;
	if (f->len >= FINDINGS_MAX)
		return;
	/* Grows by doubling at powers of two. */
	if ((f->len & (f->len - 1)) == 0) {
		size_t room = f->len == 0 ? 1 : 2 * f->len;

		grown = realloc(f->v, room * sizeof(*grown));
		if (grown == NULL)
			fatal("no memory for findings");
		f->v = grown;
	}
	f->v[f->len++] = *one;
}

__attribute__((format(printf, 4, 0))) static void
finding_make(struct finding *out, uint32_t width, const struct err *e,
    const char *hint, va_list ap)
{
	*out = (struct finding){ .err = *e, .width = width > 0 ? width : 1 };
	vsnprintf(out->hint, sizeof(out->hint), hint, ap);
	/* A hint may quote the file; cut text may end inside a character. */
	while (!utf8_valid(bytes_str(out->hint)))
		out->hint[strlen(out->hint) - 1] = '\0';
	for (char *c = out->hint; *c != '\0'; c++) {
		if ((uint8_t)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

/* Of what stands at the place of extends, that of extends. */
static uint32_t
width_at(const struct load *l, const struct err *e, uint32_t width)
{
	const struct node *x = l->extends;

	return x != NULL && e->where.line == x->line && e->where.col == x->col
		   ? x->width
		   : width;
}

void
report(struct load *l, uint32_t width, const struct err *e, const char *hint,
    ...)
{
	struct finding one;
	va_list ap;

	va_start(ap, hint);
	finding_make(&one, width_at(l, e, width), e, hint, ap);
	va_end(ap);
	add(l->f, &one);
}

void
report_warning(struct load *l, uint32_t width, const struct err *e,
    const char *hint, ...)
{
	struct finding one;
	va_list ap;

	va_start(ap, hint);
	finding_make(&one, width_at(l, e, width), e, hint, ap);
	va_end(ap);
	one.is_warning = true;
	add(l->f, &one);
}

void
findings_take(struct findings *f, struct findings *one)
{
	for (size_t i = 0; i < one->len; i++)
		add(f, &one->v[i]);
	/* All are counted, those that were not kept too. */
	for (size_t i = 0; i < one->len; i++)
		one->errors -= one->v[i].is_warning ? 0 : 1;
	f->errors += one->errors;
	findings_fini(one);
}

bool
load_clean(const struct load *l)
{
	return l->f->errors == l->errors_before;
}

static bool
before(const struct finding *a, const struct finding *b)
{
	const struct where *x = &a->err.where, *y = &b->err.where;

	return x->line < y->line || (x->line == y->line && x->col < y->col);
}

void
findings_sort(struct findings *f, size_t from)
{
	/* Stable, and nearly sorted already: checks follow the text. */
	for (size_t i = from + 1; i < f->len; i++) {
		struct finding one = f->v[i];
		size_t j = i;

		for (; j > from && before(&one, &f->v[j - 1]); j--)
			f->v[j] = f->v[j - 1];
		f->v[j] = one;
	}
}

/* The line with this number, without its end. */
static struct bytes
line_of(struct bytes text, uint32_t line)
{
	const uint8_t *end;

	for (; line > 1; line--) {
		end = text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
		if (end == NULL)
			return BYTES_NONE;
		text.len -= (size_t)(end + 1 - text.p);
		text.p = end + 1;
	}
	end = text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
	if (end != NULL)
		text.len = (size_t)(end - text.p);
	if (text.len > 0 && text.p[text.len - 1] == '\r')
		text.len--;
	return text;
}

/* A PIN that somebody wrote into a key's URI: it is refused, and not shown. */
static bool
is_secret(struct bytes line, size_t at)
{
	static const char word[] = "pin-value";
	const size_t len = sizeof(word) - 1;

	for (size_t i = at; i-- > 0;) {
		if (strchr(";&\"' ,}", line.p[i]) != NULL)
			return false;
		if (i >= len && memcmp(line.p + i - len, word, len) == 0)
			return line.p[i] == '=';
	}
	return false;
}

/* Characters from..to of a line; what a terminal might act on is shown as ?. */
static void
put_shown(struct buf *out, struct bytes line, size_t from, size_t to)
{
	const uint8_t *p = line.p, *end = line.p + line.len;

	for (size_t i = 0; i < to && p < end; i++) {
		const uint8_t *start = p;
		struct bytes one;

		(void)utf8_next(&p, end);
		one = bytes_of(start, (size_t)(p - start));
		if (i < from)
			continue;
		if (is_secret(line, (size_t)(start - line.p)))
			buf_putc(out, '*');
		else if (*start == '\t')
			buf_putc(out, ' ');
		else if (!utf8_valid(one) || !text_clean(one))
			buf_putc(out, '?');
		else
			buf_put(out, one.p, one.len);
	}
}

static size_t
count_shown(struct bytes line)
{
	const uint8_t *p = line.p, *end;
	size_t n = 0;

	if (line.len == 0)
		return 0;
	for (end = p + line.len; p < end; n++)
		(void)utf8_next(&p, end);
	return n;
}

/* The source line and the caret under it. */
static void
put_source(struct buf *out, const struct finding *f, struct bytes text)
{
	struct bytes line = line_of(text, f->err.where.line);
	size_t chars = count_shown(line), from = 0, to = chars;
	size_t at = f->err.where.col - 1, width = f->width;

	if (line.len == 0 || at > chars)
		return;
	if (at + 10 > SHOWN_MAX)
		from = at - SHOWN_MAX / 2;
	if (to > from + SHOWN_MAX)
		to = from + SHOWN_MAX;
	if (width > to - at)
		width = to > at ? to - at : 1;
	buf_putf(out, "%4u | %s", f->err.where.line, from > 0 ? "… " : "");
	put_shown(out, line, from, to);
	buf_puts(out, to < chars ? " …\n     | " : "\n     | ");
	for (size_t i = from > 0 ? from - 2 : 0; i < at; i++)
		buf_putc(out, ' ');
	for (size_t i = 0; i < width; i++)
		buf_putc(out, '^');
	buf_putc(out, '\n');
}

void
finding_print(struct buf *out, const struct finding *f, struct bytes text)
{
	const struct finding_words words = { "warning", f->err.say, f->hint };

	finding_print_as(out, f, text, &words);
}

void
finding_print_as(struct buf *out, const struct finding *f, struct bytes text,
    const struct finding_words *words)
{
	const struct where *w = &f->err.where;

	buf_puts(out, w->file);
	if (w->line > 0)
		buf_putf(out, ":%u:%u", w->line, w->col);
	if (f->is_warning)
		buf_putf(out, ": %s", words->warning);
	buf_puts(out, ": ");
	if (w->field[0] != '\0')
		buf_putf(out, "%s: ", w->field);
	buf_putf(out, "%s [%s]\n", words->say, f->err.id);
	if (w->line > 0 && w->col > 0)
		put_source(out, f, text);
	if (words->hint[0] != '\0')
		buf_putf(out, "  %s\n", words->hint);
}
