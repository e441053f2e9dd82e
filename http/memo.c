/*
 * memo - header blocks that were read, judged and found good, octet by octet.
 * A block that is the same as one of them, after a first line with the same
 * method and version, gets what that one got.
 */
#include <stdlib.h>
#include <string.h>

#include "scan.h"

#define MEMO_SLOTS  64u
#define MEMO_BLOCK  768 /* octets of fields; a browser sends some 500 */
#define MEMO_FIELDS 20

/* Places in block; what is longer than 16 bits say is not kept. */
struct place {
	uint16_t at, len;
};
struct slot {
	uint16_t len; /* 0: empty */
	uint8_t method, minor, n_field;
	bool keep_alive, has_length;
	struct place host;
	uint64_t length;
	struct {
		struct place name, value;
	} field[MEMO_FIELDS];
	uint8_t block[MEMO_BLOCK];
};
struct http_memo {
	struct slot slot[MEMO_SLOTS];
};

struct http_memo *
http_memo_new(void)
{
	return calloc(1, sizeof(struct http_memo));
}

void
http_memo_free(struct http_memo *m)
{
	free(m);
}

/* The fields with the empty line that ends them; none if it is not there. */
static struct bytes
block_of(struct bytes in, size_t at)
{
	/* The end of the first line may be half of the mark. */
	const uint8_t *from = in.p + at - 2;
	const uint8_t *end = memmem(from, in.len - at + 2, "\r\n\r\n", 4);
	if (end == NULL)
		return BYTES_NONE;
	return bytes_of(in.p + at, (size_t)(end + 4 - (in.p + at)));
}

/* Blocks of a kind of client differ in length, or near the beginning and the
 * end; where they do not, the last one has the slot. */
static struct slot *
slot_of(struct http_memo *m, struct bytes block)
{
	uint64_t first = 0, last = 0;
	size_t n = block.len < 8 ? block.len : 8;
	memcpy(&first, block.p + (block.len - n) / 2, n);
	memcpy(&last, block.p + block.len - n, n);
	uint64_t h =
	    (first ^ last << 7 ^ block.len) * UINT64_C(0x9e3779b97f4a7c15);
	return &m->slot[h >> 58];
}

static struct bytes
placed(const uint8_t *block, struct place p)
{
	return bytes_of(block + p.at, p.len);
}

bool
memo_find(struct http_memo *m, struct bytes in, enum http_method method,
    int minor, size_t head_max, struct head *h, struct http_framing *f)
{
	struct bytes block = block_of(in, h->end);
	if (block.len == 0 || block.len > MEMO_BLOCK ||
	    h->end + block.len > head_max)
		return false;
	const struct slot *s = slot_of(m, block);
	if (s->len != block.len || s->method != method || s->minor != minor ||
	    memcmp(s->block, block.p, block.len) != 0)
		return false;
	for (size_t i = 0; i < s->n_field; i++) {
		h->field[i].name = placed(block.p, s->field[i].name);
		h->field[i].value = placed(block.p, s->field[i].value);
	}
	h->n_field = s->n_field;
	h->end += block.len;
	*f = (struct http_framing){ .keep_alive = s->keep_alive,
		.has_length = s->has_length,
		.length = s->length };
	if (s->host.len > 0)
		f->host = placed(block.p, s->host);
	return true;
}

static struct place
place_of(struct bytes block, struct bytes part)
{
	if (part.len == 0)
		return (struct place){ 0, 0 };
	return (
	    struct place){ (uint16_t)(part.p - block.p), (uint16_t)part.len };
}

void
memo_keep(struct http_memo *m, struct bytes in, enum http_method method,
    int minor, const struct head *h, const struct http_framing *f)
{
	const uint8_t *first = h->start.p + h->start.len + 2;
	struct bytes block = bytes_of(first, (size_t)(in.p + h->end - first));
	if (block.len > MEMO_BLOCK || h->n_field > MEMO_FIELDS)
		return;
	struct slot *s = slot_of(m, block);
	*s = (struct slot){ .len = (uint16_t)block.len,
		.method = (uint8_t)method,
		.minor = (uint8_t)minor,
		.n_field = (uint8_t)h->n_field,
		.keep_alive = f->keep_alive,
		.has_length = f->has_length,
		.length = f->length,
		.host = place_of(block, f->host) };
	for (size_t i = 0; i < h->n_field; i++) {
		s->field[i].name = place_of(block, h->field[i].name);
		s->field[i].value = place_of(block, h->field[i].value);
	}
	memcpy(s->block, block.p, block.len);
}
