/* record - journal records to octets and back. */
#ifndef SIGNER_RECORD_H
#define SIGNER_RECORD_H

#include "internal.h"

const char *record_kind_name(enum record_kind kind); /* "certificate" */
/* Kind, time and fields; lengths and hash are the journal's. */
void record_encode(const struct record *r, struct buf *out);
/* False: not a record of this version. Borrows from body. */
bool record_decode(struct bytes body, struct record *out);

#endif
