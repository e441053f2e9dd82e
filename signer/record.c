/* record - the fields of each kind of journal record, as one table. */
#include <stddef.h>

#include "fields.h"
#include "record.h"

#define FIELDS_MAX    12

#define AT(name)      offsetof(struct record, name)
#define H(name)       { F_BYTES, AT(name), SHA256_LEN, SHA256_LEN }
#define I(name)       { F_64, AT(name), 0, 0 }
#define ABOVE_0(name) { F_64, AT(name), 1, 0 }
#define ISSUER        { F_BYTES, AT(issuer), 0, POLICY_NAME_MAX - 1 }
#define SERIAL(min)   { F_BYTES, AT(serial), min, SERIAL_MAX }
#define ID            { F_BYTES, AT(id), 1, ID_LEN_MAX }
#define RUN           { F_BYTES, AT(run), 0, RUN_TEXT - 1 }
#define INSTITUTION   { F_BYTES, AT(institution), 0, ID_LEN_MAX }
#define SIGNED        ISSUER, SERIAL(1), H(digest)
#define ENDORSED      SIGNED, H(statement), H(evidence)
#define APPOINTED     ID, RUN, INSTITUTION, I(from), I(until)

/* What the rest of the signer takes for granted of a record is here too. */
/* clang-format off */
static const struct {
	const char *name;
	size_t n;
	struct field field[FIELDS_MAX];
} kinds[REC_KINDS] = {
	[REC_MARK] = { "mark", 1, { H(digest) } },
	[REC_CERTIFICATE] = { "certificate", 8,
	    { ENDORSED, H(key), H(holder), INSTITUTION } },
	[REC_RENEWAL] = { "certificate", 9,
	    { ENDORSED, H(key), H(holder), INSTITUTION, ID } },
	[REC_APPOINTMENT] = { "appointment", 12,
	    { ENDORSED, H(key), H(holder), APPOINTED } },
	[REC_RESPONDER] = { "responder", 3, { SIGNED } },
	[REC_CRL] = { "crl", 4,
	    { ISSUER, H(digest), ABOVE_0(value), I(this_update) } },
	[REC_CHECKPOINT] = { "checkpoint", 2, { H(digest), ABOVE_0(value) } },
	[REC_AGREED] = { "agreed", 7,
	    { I(agreed), ID, { F_BYTES, AT(name), 0, POLICY_NAME_MAX - 1 },
	      H(digest), H(statement), I(from), I(value) } },
	[REC_END] = { "end", 2, { ID, I(value) } },
	[REC_STOP] = { "stop", 1, { I(value) } },
	[REC_CEILINGS] = { "ceilings", 4,
	    { H(digest), H(evidence), I(value),
	      { F_BYTES, AT(signature), 1, CEILINGS_FILE_MAX } } },
	[REC_CA_KEY] = { "ca-key", 2, { ISSUER, H(digest) } },
	[REC_SIGNATURE] = { "signature", 3,
	    { ABOVE_0(of), SERIAL(0),
	      { F_BYTES, AT(signature), 1, RECORD_MAX } } },
};
/* clang-format on */

const char *
record_kind_name(enum record_kind kind)
{
	return kinds[kind].name;
}

void
record_encode(const struct record *r, struct buf *out)
{
	put_u8(out, (uint8_t)r->kind);
	put_i64(out, r->time);
	fields_encode(kinds[r->kind].field, kinds[r->kind].n, r, out);
}

bool
record_decode(struct bytes body, struct record *out)
{
	struct reader in = reader_of(body);
	struct record r = { .at = 0 };
	uint8_t kind = get_u8(&in);
	if (kind < REC_MARK || kind >= REC_KINDS)
		return false;
	r.kind = (enum record_kind)kind;
	r.time = get_i64(&in);
	fields_decode(kinds[kind].field, kinds[kind].n, &in, &r);
	struct err e;
	if (reader_end(&in, &e) != ERR_OK)
		return false;
	*out = r;
	return true;
}
