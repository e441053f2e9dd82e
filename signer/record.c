/* record - the fields of each kind of journal record, as one table. */
#include <stddef.h>

#include "record.h"

#define FIELDS_MAX 12

struct field {
	enum { BYTES, INT } type;
	size_t offset;
};

#define B(name) { BYTES, offsetof(struct record, name) }
#define I(name) { INT, offsetof(struct record, name) }

/* clang-format off */
static const struct {
	const char *name;
	size_t n;
	struct field field[FIELDS_MAX];
} kinds[REC_KINDS] = {
	[REC_MARK] = { "mark", 1, { B(digest) } },
	[REC_CERTIFICATE_1] = { "certificate", 5,
	    { B(issuer), B(serial), B(digest), B(statement), B(evidence) } },
	[REC_APPOINTMENT_1] = { "appointment", 10,
	    { B(issuer), B(serial), B(digest), B(statement), B(evidence), B(id),
	      B(run), B(institution), I(from), I(until) } },
	[REC_CERTIFICATE] = { "certificate", 8,
	    { B(issuer), B(serial), B(digest), B(statement), B(evidence), B(key),
	      B(holder), B(institution) } },
	[REC_APPOINTMENT] = { "appointment", 12,
	    { B(issuer), B(serial), B(digest), B(statement), B(evidence), B(key),
	      B(holder), B(id), B(run), B(institution), I(from), I(until) } },
	[REC_APPOINTMENT_END] = { "appointment-end", 2, { B(id), I(value) } },
	[REC_RESPONDER] = { "responder", 3, { B(issuer), B(serial), B(digest) } },
	[REC_CRL] = { "crl", 4,
	    { B(issuer), B(digest), I(value), I(this_update) } },
	[REC_CHECKPOINT] = { "checkpoint", 2, { B(digest), I(value) } },
	[REC_POLICY] = { "policy", 6,
	    { B(id), B(name), B(digest), B(statement), I(from), I(value) } },
	[REC_POLICY_END] = { "policy-end", 2, { B(id), I(value) } },
	[REC_STOP] = { "stop", 1, { I(value) } },
	[REC_SIGNATURE] = { "signature", 3, { I(of), B(serial), B(signature) } },
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
	for (size_t i = 0; i < kinds[r->kind].n; i++) {
		const struct field *f = &kinds[r->kind].field[i];
		const void *p = (const uint8_t *)r + f->offset;
		if (f->type == BYTES)
			put_bytes(out, *(const struct bytes *)p);
		else
			put_i64(out, *(const int64_t *)p);
	}
}

/* What the rest of the signer takes for granted of a record of its own. */
static bool
sound(const struct record *r)
{
	bool hashes = r->digest.len == SHA256_LEN;
	bool serial = r->serial.len >= 1 && r->serial.len <= SERIAL_MAX;
	bool issuer = r->issuer.len < POLICY_NAME_MAX;
	bool evidence =
	    r->statement.len == SHA256_LEN && r->evidence.len == SHA256_LEN;
	bool key = r->key.len == SHA256_LEN && r->holder.len == SHA256_LEN;
	bool id = r->id.len >= 1 && r->id.len <= ID_LEN_MAX;
	switch (r->kind) {
	case REC_MARK:
		return hashes;
	case REC_CERTIFICATE_1:
		return hashes && serial && issuer && evidence;
	case REC_CERTIFICATE:
		return hashes && serial && issuer && evidence && key &&
		       r->institution.len <= ID_LEN_MAX;
	case REC_APPOINTMENT_1:
	case REC_APPOINTMENT:
		return hashes && serial && issuer && evidence && id &&
		       (key || r->kind == REC_APPOINTMENT_1) &&
		       r->run.len < RUN_TEXT &&
		       r->institution.len <= ID_LEN_MAX;
	case REC_POLICY:
		return hashes && id && r->statement.len == SHA256_LEN &&
		       r->name.len < POLICY_NAME_MAX;
	case REC_APPOINTMENT_END:
	case REC_POLICY_END:
		return id;
	case REC_RESPONDER:
		return hashes && serial && issuer;
	case REC_CRL:
		return hashes && issuer && r->value > 0;
	case REC_CHECKPOINT:
		return hashes && r->value > 0;
	case REC_SIGNATURE:
		return r->of > 0 && r->serial.len <= SERIAL_MAX &&
		       r->signature.len > 0;
	case REC_STOP:
		return true;
	case REC_KINDS:
		break;
	}
	return false;
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
	for (size_t i = 0; i < kinds[kind].n; i++) {
		const struct field *f = &kinds[kind].field[i];
		void *p = (uint8_t *)&r + f->offset;
		if (f->type == BYTES)
			*(struct bytes *)p = get_bytes(&in);
		else
			*(int64_t *)p = get_i64(&in);
	}
	struct err e;
	if (reader_end(&in, &e) != ERR_OK || !sound(&r))
		return false;
	if (r.kind == REC_CERTIFICATE_1)
		r.kind = REC_CERTIFICATE;
	if (r.kind == REC_APPOINTMENT_1)
		r.kind = REC_APPOINTMENT;
	*out = r;
	return true;
}
