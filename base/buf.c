/* buf and bytes - owned bytes that grow up to a cap; borrowed bytes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/base.h>

#include "room.h"

#define SIZE_LEAST ((size_t)256)

struct bytes
bytes_of(const void *p, size_t len)
{
	return (struct bytes){ p, len };
}

struct bytes
bytes_str(const char *s)
{
	return bytes_of(s, strlen(s));
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.p, b.p, common);
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

void
buf_fini(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->size);
	free(b->p);
	*b = BUF(b->max);
}

void
buf_reset(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->len);
	b->len = 0;
	b->failed = false;
}

/*
 * Makes room for len more octets and for the NUL of buf_text(), which the
 * cap does not count.  realloc() would leave the old copy behind unwiped.
 */
bool
buf_grow(struct buf *b, size_t len)
{
	if (b->failed)
		return false;
	size_t max = b->max == SIZE_MAX ? SIZE_MAX - 1 : b->max;
	b->failed = len > max - b->len;
	if (b->failed)
		return false;
	size_t need = b->len + len + 1;
	if (need <= b->size)
		return true;
	size_t size = b->size < SIZE_LEAST ? SIZE_LEAST : b->size;
	while (size < need)
		size = size > SIZE_MAX / 2 ? need : 2 * size;
	if (size > max + 1)
		size = max + 1;
	uint8_t *p = malloc(size);
	b->failed = p == NULL;
	if (p == NULL)
		return false;
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		explicit_bzero(b->p, b->size);
		free(b->p);
	}
	b->p = p;
	b->size = size;
	return true;
}

uint8_t *
buf_room(struct buf *b, size_t len)
{
	if (!buf_reserve(b, len))
		return NULL;
	uint8_t *at = b->p + b->len;
	b->len += len;
	return at;
}

void
buf_put(struct buf *b, const void *p, size_t len)
{
	buf_add(b, p, len);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, uint8_t c)
{
	if (buf_reserve(b, 1))
		b->p[b->len++] = c;
}

void
buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
	} else if (buf_reserve(b, (size_t)n)) {
		/* buf_reserve() counts the NUL. */
		vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void
buf_drop(struct buf *b, size_t len)
{
	if (len > b->len)
		fatal("buf_drop: %zu octets of %zu", len, b->len);
	if (len == 0)
		return;
	memmove(b->p, b->p + len, b->len - len);
	explicit_bzero(b->p + b->len - len, len);
	b->len -= len;
}

struct bytes
buf_bytes(const struct buf *b)
{
	return bytes_of(b->p, b->len);
}

enum err_code
buf_end(const struct buf *b, struct err *e)
{
	if (!b->failed)
		return ERR_OK;
	char max[24];
	snprintf(max, sizeof(max), "%zu", b->max);
	return err_say(e, ERR_NOMEM, "too-large",
	    "this does not fit in the %s bytes that it may take; ask for less",
	    max);
}

const char *
buf_text(struct buf *b)
{
	if (!buf_reserve(b, 0))
		return "";
	b->p[b->len] = '\0';
	return (const char *)b->p;
}
