/*
 * arena - many small pieces with one life.
 *
 * Blocks come from calloc() and are wiped before they are used again, so
 * that what an arena hands out is always zero.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/base.h>

#define BLOCK_LEN ((size_t)8192)

struct block {
	struct block *next; /* owned */
	size_t len, size;
	alignas(max_align_t) uint8_t data[];
};

struct arena {
	struct block *first; /* owned; NULL until a piece is asked for */
};

struct arena *
arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));
	if (a == NULL)
		fatal("no memory for an arena");
	return a;
}

static void
block_wipe(struct block *b)
{
	explicit_bzero(b->data, b->len);
	b->len = 0;
}

static void
blocks_free(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;
		block_wipe(b);
		free(b);
		b = next;
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	blocks_free(a->first);
	free(a);
}

void
arena_reset(struct arena *a)
{
	/* Keeps a block of the usual size: one great piece must not stay. */
	struct block *keep = NULL, *b = a->first;
	while (b != NULL) {
		struct block *next = b->next;
		b->next = NULL;
		if (keep == NULL && b->size == BLOCK_LEN) {
			block_wipe(b);
			keep = b;
		} else {
			blocks_free(b);
		}
		b = next;
	}
	a->first = keep;
}

static struct block *
block_new(size_t size)
{
	struct block *b = NULL;
	if (size <= SIZE_MAX - sizeof(*b))
		b = calloc(1, sizeof(*b) + size);
	if (b == NULL)
		fatal("no memory for %zu octets of an arena", size);
	b->size = size;
	return b;
}

void *
arena_get(struct arena *a, size_t len)
{
	const size_t unit = alignof(max_align_t);
	if (len > SIZE_MAX - unit)
		fatal("a piece of %zu octets asked of an arena", len);
	size_t need = len == 0 ? unit : (len + unit - 1) / unit * unit;
	struct block *b = a->first;
	if (b == NULL || need > b->size - b->len) {
		struct block *fresh =
		    block_new(need > BLOCK_LEN ? need : BLOCK_LEN);
		/* A great piece goes behind, so that the first block keeps
		 * taking small ones. */
		if (b != NULL && need > BLOCK_LEN / 4) {
			fresh->next = b->next;
			b->next = fresh;
		} else {
			fresh->next = b;
			a->first = fresh;
		}
		b = fresh;
	}
	void *piece = b->data + b->len;
	b->len += need;
	return piece;
}

struct bytes
arena_copy(struct arena *a, struct bytes b)
{
	void *p = arena_get(a, b.len);
	if (b.len > 0)
		memcpy(p, b.p, b.len);
	return bytes_of(p, b.len);
}

char *
arena_str(struct arena *a, struct bytes b)
{
	if (b.len == SIZE_MAX)
		fatal("a text of %zu octets asked of an arena", b.len);
	char *text = arena_get(a, b.len + 1);
	if (b.len > 0)
		memcpy(text, b.p, b.len);
	return text;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("arena_printf: a text that cannot be printed");
	char *text = arena_get(a, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}
