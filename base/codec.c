/* codec - big-endian integers and counted bytes, for rows and frames. */
#include <refrendo/base.h>

#include "room.h"

void
be64_print(uint8_t out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint64_t
be64_parse(const uint8_t p[8])
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/* The last n octets of v, n <= 8. */
static inline void
put_uint(struct buf *b, uint64_t v, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	for (size_t i = 0; i < n; i++)
		b->p[b->len++] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void
put_u8(struct buf *b, uint8_t v)
{
	put_uint(b, v, 1);
}

void
put_u16(struct buf *b, uint16_t v)
{
	put_uint(b, v, 2);
}

void
put_u32(struct buf *b, uint32_t v)
{
	put_uint(b, v, 4);
}

void
put_u64(struct buf *b, uint64_t v)
{
	put_uint(b, v, 8);
}

void
put_i64(struct buf *b, int64_t v)
{
	put_uint(b, (uint64_t)v, 8);
}

void
put_bytes(struct buf *b, struct bytes v)
{
	if (v.len > UINT32_MAX) {
		b->failed = true;
		return;
	}
	put_uint(b, v.len, 4);
	buf_add(b, v.p, v.len);
}

struct reader
reader_of(struct bytes b)
{
	/* NULL + 0 is undefined in C11. */
	return (struct reader){ b.p, b.len == 0 ? b.p : b.p + b.len, false };
}

struct bytes
get_raw(struct reader *r, size_t len)
{
	if (r->bad || len > (size_t)(r->end - r->p)) {
		r->bad = true;
		return BYTES_NONE;
	}
	struct bytes b = bytes_of(r->p, len);
	if (len > 0)
		r->p += len;
	return b;
}

static inline uint64_t
get_uint(struct reader *r, size_t n)
{
	struct bytes b = get_raw(r, n);
	uint64_t v = 0;
	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.p[i];
	return v;
}

uint8_t
get_u8(struct reader *r)
{
	return (uint8_t)get_uint(r, 1);
}

uint16_t
get_u16(struct reader *r)
{
	return (uint16_t)get_uint(r, 2);
}

uint32_t
get_u32(struct reader *r)
{
	return (uint32_t)get_uint(r, 4);
}

uint64_t
get_u64(struct reader *r)
{
	return get_uint(r, 8);
}

int64_t
get_i64(struct reader *r)
{
	return (int64_t)get_uint(r, 8);
}

struct bytes
get_bytes(struct reader *r)
{
	uint32_t len = get_u32(r);
	return get_raw(r, len);
}

enum err_code
reader_end(const struct reader *r, struct err *e)
{
	if (!r->bad && r->p == r->end)
		return ERR_OK;
	err_say(e, ERR_CORRUPT, "codec",
	    "a record is cut short, or something follows its end");
	return r->bad
		   ? err_why(e, "cut short")
		   : err_why(e, "%zu octets follow", (size_t)(r->end - r->p));
}
