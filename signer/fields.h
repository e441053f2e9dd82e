/*
 * fields - a structure and its octets, by one table: what the messages and the
 * records of the journal share.
 */
#ifndef SIGNER_FIELDS_H
#define SIGNER_FIELDS_H

#include <refrendo/signer.h>

enum field_type {
	F_BYTES, /* struct bytes, of min to max octets */
	F_64,    /* int64_t or uint64_t; where min is not 0, at least that */
	F_FLAG,  /* bool: 0 or 1 */
	F_HASH,  /* uint8_t[HASH_LEN] */
	F_PROOF, /* struct proof */
	F_LIST   /* struct bytes that holds up to max items */
};
struct field {
	enum field_type type;
	size_t offset, min, max;
};

void fields_encode(const struct field *f, size_t n, const void *from,
    struct buf *out);
/* Sets r->bad where a field does not fit its row. */
void fields_decode(const struct field *f, size_t n, struct reader *r, void *to);
/* So many octets to out, or the reader is bad. */
void get_fixed(struct reader *r, uint8_t *out, size_t len);

#endif
