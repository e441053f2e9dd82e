/* fields - see fields.h. */
#include <string.h>

#include "fields.h"

void
fields_encode(const struct field *f, size_t n, const void *from,
    struct buf *out)
{
	for (; n > 0; n--, f++) {
		const void *p = (const uint8_t *)from + f->offset;
		const struct bytes *b = p;
		const struct proof *proof = p;
		switch (f->type) {
		case F_BYTES:
		case F_LIST:
			put_bytes(out, *b);
			break;
		case F_64:
			put_i64(out, *(const int64_t *)p);
			break;
		case F_FLAG:
			put_u8(out, *(const bool *)p ? 1 : 0);
			break;
		case F_HASH:
			buf_put(out, p, HASH_LEN);
			break;
		case F_PROOF:
			put_u8(out, (uint8_t)proof->n);
			buf_put(out, proof->hash, proof->n * HASH_LEN);
			break;
		}
	}
}

void
get_fixed(struct reader *r, uint8_t *out, size_t len)
{
	struct bytes b = get_raw(r, len);
	if (len > 0 && b.len == len)
		memcpy(out, b.p, len);
}

/* Whole items and nothing else, not more than so many. */
static bool
is_list(struct bytes list, size_t max)
{
	struct bytes item;
	size_t n = 0;
	while (n <= max && signer_next(&list, &item))
		n++;
	return n <= max && list.len == 0;
}

void
fields_decode(const struct field *f, size_t n, struct reader *r, void *to)
{
	for (; n > 0 && !r->bad; n--, f++) {
		void *p = (uint8_t *)to + f->offset;
		struct bytes *b = p;
		struct proof *proof = p;
		bool good = true;
		switch (f->type) {
		case F_BYTES:
			*b = get_bytes(r);
			good = b->len >= f->min && b->len <= f->max;
			break;
		case F_LIST:
			*b = get_bytes(r);
			good = is_list(*b, f->max);
			break;
		case F_64:
			*(int64_t *)p = get_i64(r);
			good = f->min == 0 || *(int64_t *)p >= (int64_t)f->min;
			break;
		case F_FLAG: {
			uint8_t flag = get_u8(r);
			*(bool *)p = flag == 1;
			good = flag <= 1;
			break;
		}
		case F_HASH:
			get_fixed(r, p, HASH_LEN);
			break;
		case F_PROOF:
			proof->n = get_u8(r);
			good = proof->n <= PROOF_MAX;
			for (size_t i = 0; i < proof->n && good; i++)
				get_fixed(r, proof->hash[i], HASH_LEN);
			break;
		}
		r->bad = r->bad || !good;
	}
}
