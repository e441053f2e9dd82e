/*
 * build - answers from parts (RFC 6960 4.2), with no object of OpenSSL.  DER
 * is written from the end, so that each function here reads backwards.
 */
#include "internal.h"

#define GENERALIZED_LEN 17

/* An instant as a whole GeneralizedTime, made once and used twice. */
struct instant {
	uint8_t room[GENERALIZED_LEN];
	struct bytes der;
};

MUST_CHECK static enum err_code
instant_of(int64_t t, struct instant *out, struct err *e)
{
	struct der_w w = der_w_of(out->room, sizeof(out->room));
	der_put_generalized(&w, t);
	return der_w_end(&w, &out->der, e);
}

struct times {
	struct instant this_update, next_update, revoked, archive;
};

static void
put_status(struct der_w *w, const struct ocsp_answer_spec *s,
    const struct times *t)
{
	const uint8_t reason = (uint8_t)s->reason;
	size_t mark = der_mark(w), in;
	switch (s->state) {
	case OCSP_GOOD:
		der_put(w, DER_CONTEXT(0), BYTES_NONE);
		break;
	case OCSP_UNKNOWN:
		der_put(w, DER_CONTEXT(2), BYTES_NONE);
		break;
	case OCSP_REVOKED:
		if (reason != 0) {
			in = der_mark(w);
			der_put(w, DER_ENUMERATED, bytes_of(&reason, 1));
			der_wrap(w, DER_CONTEXT_CONS(0), in);
		}
		der_raw(w, t->revoked.der);
		der_wrap(w, DER_CONTEXT_CONS(1), mark);
		break;
	}
}

/* One Extension, not critical, around the value's DER. */
static void
put_extension(struct der_w *w, enum pkix_oid oid, struct bytes value)
{
	size_t mark = der_mark(w);
	der_put(w, DER_OCTET_STRING, value);
	der_put_oid(w, oid_known(oid));
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
put_single(struct der_w *w, const struct ocsp_answer_spec *s,
    const struct times *t, bool is_sha256)
{
	size_t whole = der_mark(w);
	if (s->archive_cutoff != 0) {
		put_extension(w, OID_OCSP_ARCHIVE, t->archive.der);
		der_wrap(w, DER_SEQUENCE, whole);
		der_wrap(w, DER_CONTEXT_CONS(1), whole);
	}
	size_t next = der_mark(w);
	der_raw(w, t->next_update.der);
	der_wrap(w, DER_CONTEXT_CONS(0), next);
	der_raw(w, t->this_update.der);
	put_status(w, s, t);
	certid_put(w, s->issuer, s->serial, is_sha256);
	der_wrap(w, DER_SEQUENCE, whole);
}

static void
put_extensions(struct der_w *w, struct bytes nonce, bool extended_revoked)
{
	static const uint8_t null[] = { DER_NULL, 0x00 };
	size_t mark = der_mark(w);
	if (nonce.len == 0 && !extended_revoked)
		return;
	if (extended_revoked)
		put_extension(w, OID_OCSP_EXTENDED,
		    bytes_of(null, sizeof(null)));
	if (nonce.len > 0) {
		size_t one = der_mark(w);
		der_put(w, DER_OCTET_STRING, nonce);
		der_wrap(w, DER_OCTET_STRING, one);
		der_put_oid(w, oid_known(OID_EXT_NONCE));
		der_wrap(w, DER_SEQUENCE, one);
	}
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_CONTEXT_CONS(1), mark);
}

static bool
reason_exists(int reason)
{
	return (reason >= 0 && reason <= 6) || reason == 9;
}

static enum err_code
bad_spec(struct err *e)
{
	return err_at(e, ERR_INVALID, "ocsp-spec", "RFC 6960 4.2.1", NOWHERE,
	    "an OCSP answer was ordered whose serial number, responder or "
	    "nonce has a length that none may have");
}

static enum err_code
judge_spec(const struct ocsp_answer_spec *s, struct err *e)
{
	if (s->serial.len == 0 || s->serial.len > SERIAL_MAX)
		return bad_spec(e);
	if (s->state == OCSP_REVOKED && !reason_exists(s->reason))
		return err_at(e, ERR_INVALID, "ocsp-reason", "RFC 5280 5.3.1",
		    NOWHERE,
		    "a reason for revocation is one of 0 to 6 and 9, which "
		    "this is not");
	if (s->next_update <= s->this_update)
		return err_at(e, ERR_INVALID, "ocsp-times", "RFC 6960 4.2.2.1",
		    NOWHERE,
		    "an OCSP answer was ordered that ends before it begins");
	return ERR_OK;
}

static enum err_code
times_of(const struct ocsp_answer_spec *s, struct times *t, struct err *e)
{
	TRY(judge_spec(s, e));
	TRY(instant_of(s->this_update, &t->this_update, e));
	TRY(instant_of(s->next_update, &t->next_update, e));
	if (s->archive_cutoff != 0)
		TRY(instant_of(s->archive_cutoff, &t->archive, e));
	return s->state == OCSP_REVOKED
		   ? instant_of(s->revoked_at, &t->revoked, e)
		   : ERR_OK;
}

enum err_code
ocsp_single_build(const struct ocsp_answer_spec *spec, bool is_sha256,
    struct buf *out, struct err *e)
{
	uint8_t room[512];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes der;
	struct times t;
	TRY(times_of(spec, &t, e));
	put_single(&w, spec, &t, is_sha256);
	TRY(der_w_end(&w, &der, e));
	buf_put(out, der.p, der.len);
	return buf_end(out, e);
}

enum err_code
ocsp_tbs_compose(const struct ocsp_composed *c, struct buf *tbs, struct err *e)
{
	uint8_t room[OCSP_ANSWER_MAX];
	struct der_w w = der_w_of(room, sizeof(room));
	struct instant produced;
	struct bytes out;
	if (c->singles.len == 0 || c->responder_key_hash.len != SHA1_LEN ||
	    c->nonce.len > NONCE_MAX)
		return bad_spec(e);
	TRY(instant_of(c->produced_at, &produced, e));
	size_t whole = der_mark(&w);
	put_extensions(&w, c->nonce, c->extended_revoked);
	size_t singles = der_mark(&w);
	der_raw(&w, c->singles);
	der_wrap(&w, DER_SEQUENCE, singles);
	der_raw(&w, produced.der);
	size_t id = der_mark(&w);
	der_put(&w, DER_OCTET_STRING, c->responder_key_hash);
	der_wrap(&w, DER_CONTEXT_CONS(2), id);
	der_wrap(&w, DER_SEQUENCE, whole);
	TRY(der_w_end(&w, &out, e));
	buf_put(tbs, out.p, out.len);
	return buf_end(tbs, e);
}

enum err_code
ocsp_tbs_build(const struct ocsp_answer_spec *spec, struct buf *tbs,
    struct err *e)
{
	uint8_t room[1024];
	struct der_w w = der_w_of(room, sizeof(room));
	struct ocsp_composed c = { .responder_key_hash =
				       spec->responder_key_hash,
		.produced_at = spec->produced_at,
		.extended_revoked = spec->extended_revoked,
		.nonce = spec->nonce };
	struct times t;
	TRY(times_of(spec, &t, e));
	/* SHA-1 stands first: some clients look at the first one only. */
	put_single(&w, spec, &t, true);
	put_single(&w, spec, &t, false);
	TRY(der_w_end(&w, &c.singles, e));
	return ocsp_tbs_compose(&c, tbs, e);
}

enum err_code
ocsp_assemble(struct bytes tbs, struct bytes sigalg, struct bytes signature,
    struct bytes responder, struct buf *out, struct err *e)
{
	uint8_t room[OCSP_ANSWER_MAX];
	const uint8_t successful = 0;
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes der;
	size_t whole = der_mark(&w);
	if (responder.len > 0) {
		der_raw(&w, responder);
		der_wrap(&w, DER_SEQUENCE, whole);
		der_wrap(&w, DER_CONTEXT_CONS(0), whole);
	}
	der_put_bits(&w, 0, signature);
	der_raw(&w, sigalg);
	der_raw(&w, tbs);
	der_wrap(&w, DER_SEQUENCE, whole);
	der_wrap(&w, DER_OCTET_STRING, whole);
	der_put_oid(&w, oid_known(OID_OCSP_BASIC));
	der_wrap(&w, DER_SEQUENCE, whole);
	der_wrap(&w, DER_CONTEXT_CONS(0), whole);
	der_put(&w, DER_ENUMERATED, bytes_of(&successful, 1));
	der_wrap(&w, DER_SEQUENCE, whole);
	TRY(der_w_end(&w, &der, e));
	buf_put(out, der.p, der.len);
	return buf_end(out, e);
}

struct bytes
ocsp_error_answer(enum ocsp_error which)
{
	static const uint8_t answers[][5] = {
		{ 0x30, 0x03, 0x0a, 0x01, OCSP_MALFORMED },
		{ 0x30, 0x03, 0x0a, 0x01, OCSP_INTERNAL },
		{ 0x30, 0x03, 0x0a, 0x01, OCSP_TRY_LATER },
		{ 0x30, 0x03, 0x0a, 0x01, OCSP_UNAUTHORIZED },
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (answers[i][4] == (uint8_t)which)
			return bytes_of(answers[i], sizeof(answers[i]));
	fatal("ocsp_error_answer: no such status: %d", (int)which);
}

int64_t
ocsp_refresh_at(int64_t this_update, int64_t next_update, int percent)
{
	if (percent < 0 || percent > 100 || next_update <= this_update)
		return this_update;
	int64_t life = next_update - this_update;
	return this_update + life / 100 * percent + life % 100 * percent / 100;
}
