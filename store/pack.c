/* pack - a page of packed answers: rows found, put in, taken out. */
#include <string.h>

#include "pack.h"

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

bool
pack_page_of(MDB_val v, const struct pack_page **out)
{
	const struct pack_page *p = v.mv_data;
	if (v.mv_size != PACK_BYTES || p->version != PACK_VERSION ||
	    p->n > PACK_ROWS || p->used > sizeof(p->heap))
		return false;
	*out = p;
	return true;
}

struct bytes
pack_raw(const struct pack_page *p, size_t i)
{
	size_t off = p->off[i];
	if (off + PACK_HEAD > sizeof(p->heap))
		return BYTES_NONE;
	size_t len = get16(p->heap + off);
	if (len < PACK_HEAD || off + len > sizeof(p->heap))
		return BYTES_NONE;
	return bytes_of(p->heap + off, len);
}

bool
pack_row_at(const struct pack_page *p, size_t i, struct pack_row *out)
{
	struct bytes raw = pack_raw(p, i);
	if (raw.len < PACK_HEAD)
		return false;
	size_t serial = raw.p[2];
	if (serial == 0 || serial > SERIAL_MAX || PACK_HEAD + serial > raw.len)
		return false;
	const uint8_t *q = raw.p + 3 + serial;
	*out = (struct pack_row){ .serial = bytes_of(raw.p + 3, serial),
		.shape = get16(q),
		.this_update = get32(q + 2),
		.next_update = get32(q + 6),
		.refresh_at = get32(q + 10),
		.flags = q[14],
		.fields = bytes_of(q + 15, raw.len - PACK_HEAD - serial) };
	return true;
}

int
pack_find(const struct pack_page *p, struct bytes serial, struct pack_row *out)
{
	const uint8_t tag = serial.p[serial.len - 1];
	const size_t n = p->n;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *at = memchr(p->tag + i, tag, n - i);
		if (at == NULL)
			return -1;
		i = (size_t)(at - p->tag);
		if (pack_row_at(p, i, out) && bytes_eq(out->serial, serial))
			return (int)i;
	}
	return -1;
}

bool
pack_row_put(const struct pack_row *row, struct buf *out)
{
	size_t len = PACK_HEAD + row->serial.len + row->fields.len;
	put_u16(out, (uint16_t)len);
	put_u8(out, (uint8_t)row->serial.len);
	buf_put(out, row->serial.p, row->serial.len);
	put_u16(out, row->shape);
	put_u32(out, row->this_update);
	put_u32(out, row->next_update);
	put_u32(out, row->refresh_at);
	put_u8(out, row->flags);
	buf_put(out, row->fields.p, row->fields.len);
	return !out->failed &&
	       len <= sizeof(((struct pack_page *)NULL)->heap) / 2;
}

bool
pack_build(struct pack_page *out, const struct bytes *row, size_t n)
{
	struct pack_page page = { .n = (uint8_t)n, .version = PACK_VERSION };
	if (n > PACK_ROWS)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (page.used + row[i].len > sizeof(page.heap))
			return false;
		page.off[i] = page.used;
		page.tag[i] = row[i].p[2 + row[i].p[2]];
		memcpy(page.heap + page.used, row[i].p, row[i].len);
		page.used = (uint16_t)(page.used + row[i].len);
	}
	*out = page;
	return true;
}
