/* room - what every put of a buf asks first, without a call; private to base. */
#ifndef BASE_ROOM_H
#define BASE_ROOM_H

#include <string.h>

#include <refrendo/base.h>

/* Room for len octets behind those of b and for a NUL; grows, or fails. */
bool buf_grow(struct buf *b, size_t len);

/* size never exceeds max + 1: what fits in size is within the cap. */
static inline bool
buf_reserve(struct buf *b, size_t len)
{
	if (len < b->size - b->len && !b->failed)
		return true;
	return buf_grow(b, len);
}

static inline void
buf_add(struct buf *b, const void *p, size_t len)
{
	if (!buf_reserve(b, len) || len == 0)
		return;
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

#endif
