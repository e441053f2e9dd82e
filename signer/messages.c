/*
 * messages - both ends of every message to a signer, side by side.
 * doc/PROTOCOL.ipc.md has the fields in prose.
 */
#include <string.h>

#include "fields.h"
#include "internal.h"

/* Answers carry the same object plus a signature; only HELLO's is larger
 * than its question by more. */
#define ANSWER_MIN  16384u
#define ANSWER_MORE 1024u
#define REFUSAL_CAP 4096u

uint32_t
signer_cap(uint16_t type)
{
	uint32_t cap = 0;
	switch (type & ~(SIGNER_ANSWER | SIGNER_REFUSAL)) {
#define X(name, number, cap_, role) \
	case number:                \
		cap = cap_;         \
		break;
		SIGNER_MESSAGES(X)
#undef X
	default:
		return 0;
	}
	switch (type & (SIGNER_ANSWER | SIGNER_REFUSAL)) {
	case 0:
		return cap;
	case SIGNER_ANSWER:
		return (cap < ANSWER_MIN ? ANSWER_MIN : cap) + ANSWER_MORE;
	case SIGNER_REFUSAL:
		return REFUSAL_CAP;
	default:
		return 0;
	}
}

const char *
signer_message_name(uint16_t type)
{
	switch (type & ~(SIGNER_ANSWER | SIGNER_REFUSAL)) {
#define X(name, number, cap, role) \
	case number:               \
		return #name;
		SIGNER_MESSAGES(X)
#undef X
	default:
		return "unknown";
	}
}

/* What a peer sends is malformed, whatever the codec calls it. */
static enum err_code
nothing_left(const struct reader *r, struct err *e)
{
	if (reader_end(r, e) == ERR_OK)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "signer-message",
	    "a message for the signer is cut short or has something left "
	    "over");
}

/* --- HELLO ------------------------------------------------------------------ */

void
signer_hello_encode(const struct signer_hello *m, struct buf *out)
{
	put_u64(out, m->checkpoint_size);
	buf_put(out, m->checkpoint_root, HASH_LEN);
	put_u64(out, m->signed_certificates);
	put_bytes(out, m->ceilings);
	put_u8(out, (uint8_t)m->ceilings_how);
	put_u16(out, (uint16_t)m->n_issuer);
	for (size_t i = 0; i < m->n_issuer; i++) {
		put_bytes(out, bytes_str(m->issuer[i].issuer));
		put_i64(out, m->issuer[i].crl_number);
		buf_put(out, m->issuer[i].responder_spki_sha256, SHA256_LEN);
		put_u8(out, m->issuer[i].is_taken ? 1 : 0);
		put_bytes(out,
		    i < CONFIG_ISSUERS_MAX ? m->responder_spki[i] : BYTES_NONE);
	}
}

enum err_code
signer_hello_decode(struct bytes in, struct arena *a, struct signer_hello *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_hello m = { .checkpoint_size = get_u64(&r) };
	get_fixed(&r, m.checkpoint_root, HASH_LEN);
	m.signed_certificates = get_u64(&r);
	m.ceilings = arena_copy(a, get_bytes(&r));
	m.ceilings_how = (enum ceilings_how)get_u8(&r);
	m.n_issuer = get_u16(&r);
	if (m.n_issuer > ISSUERS_MAX || m.ceilings.len > CEILINGS_FILE_MAX ||
	    (unsigned)m.ceilings_how >= CEILINGS_HOWS)
		r.bad = true;
	for (size_t i = 0; i < m.n_issuer && !r.bad; i++) {
		struct bytes name = get_bytes(&r);
		if (name.len >= sizeof(m.issuer[i].issuer) ||
		    !ascii_printable(name))
			r.bad = true;
		else if (name.len > 0)
			memcpy(m.issuer[i].issuer, name.p, name.len);
		m.issuer[i].crl_number = get_i64(&r);
		get_fixed(&r, m.issuer[i].responder_spki_sha256, HASH_LEN);
		uint8_t is_taken = get_u8(&r);
		m.issuer[i].is_taken = is_taken == 1;
		struct bytes spki = get_bytes(&r);
		if (i < CONFIG_ISSUERS_MAX)
			m.responder_spki[i] = arena_copy(a, spki);
		else if (spki.len > 0)
			r.bad = true;
		r.bad = r.bad || is_taken > 1;
	}
	TRY(nothing_left(&r, e));
	*out = m;
	return ERR_OK;
}

/* --- Questions, by their tables ---------------------------------------------------- */

#define AT(message, member) offsetof(struct signer_##message, member)
#define B(message, member)  { F_BYTES, AT(message, member), 0, UINT32_MAX }

/* clang-format off */
static const struct field certificate_fields[] = {
	B(certificate, issuer), B(certificate, container),
	B(certificate, statement),
	{ F_LIST, AT(certificate, evidence), 0, OFFICERS_MAX },
	B(certificate, renewed),
	{ F_LIST, AT(certificate, proof), 0, 1 },
};
static const struct field crl_fields[] = {
	B(crl, issuer), { F_64, AT(crl, offset), 0, 0 },
	{ F_64, AT(crl, at), 0, 0 }, { F_64, AT(crl, len), 0, 0 },
	{ F_FLAG, AT(crl, last), 0, 0 },
};
static const struct field checkpoint_fields[] = {
	{ F_64, AT(checkpoint, size), 0, 0 },
	{ F_HASH, AT(checkpoint, root), 0, 0 },
	{ F_PROOF, AT(checkpoint, consistency), 0, 0 },
};
static const struct field responder_fields[] = {
	B(responder, issuer), B(responder, container),
};
static const struct field end_fields[] = {
	B(end, id), { F_64, AT(end, at), 0, 0 },
};
static const struct field agreement_fields[] = {
	B(agreement, statement),
	{ F_LIST, AT(agreement, evidence), 0, OFFICERS_MAX },
	B(agreement, certificate),
};
static const struct field ocsp_fields[] = {
	{ F_LIST, AT(ocsp, responders), 0, SIGNER_OCSP_MAX },
	{ F_LIST, AT(ocsp, cas), 0, SIGNER_OCSP_MAX },
	{ F_LIST, AT(ocsp, tbs), 0, SIGNER_OCSP_MAX },
};
static const struct field compose_fields[] = {
	B(compose, responder), B(compose, ca), B(compose, tbs),
	{ F_LIST, AT(compose, sources), 0, SIGNER_SOURCES_MAX },
};
static const struct field ca_key_fields[] = {
	B(ca_key, name), { F_64, AT(ca_key, type), 0, 0 },
};
static const struct field evidence_fields[] = {
	B(evidence, statement), B(evidence, evidence),
};
/* clang-format on */

#define ROW(number, message) \
	[number] = { message##_fields, ARRAY_LEN(message##_fields) }
static const struct {
	const struct field *field;
	size_t n;
} questions[] = {
	[SIGNER_HELLO] = { NULL, 0 },
	ROW(SIGNER_CERTIFICATE, certificate),
	ROW(SIGNER_CRL, crl),
	ROW(SIGNER_CHECKPOINT, checkpoint),
	ROW(SIGNER_RESPONDER, responder),
	ROW(SIGNER_END, end),
	ROW(SIGNER_OCSP, ocsp),
	ROW(SIGNER_AGREEMENT, agreement),
	ROW(SIGNER_EVIDENCE, evidence),
	ROW(SIGNER_COMPOSE, compose),
	ROW(SIGNER_CA_KEY, ca_key),
};

enum err_code
question_decode(uint16_t type, struct bytes in, union request *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	fields_decode(questions[type].field, questions[type].n, &r, out);
	return nothing_left(&r, e);
}

#define CODEC(number, message)                                               \
	void signer_##message##_encode(const struct signer_##message *m,     \
	    struct buf *out)                                                 \
	{                                                                    \
		fields_encode(message##_fields, ARRAY_LEN(message##_fields), \
		    m, out);                                                 \
	}                                                                    \
	enum err_code signer_##message##_decode(struct bytes in,             \
	    struct signer_##message *out, struct err *e)                     \
	{                                                                    \
		union request m;                                             \
		TRY(question_decode(number, in, &m, e));                     \
		*out = m.message;                                            \
		return ERR_OK;                                               \
	}
CODEC(SIGNER_CERTIFICATE, certificate)
CODEC(SIGNER_CRL, crl)
CODEC(SIGNER_CHECKPOINT, checkpoint)
CODEC(SIGNER_RESPONDER, responder)
CODEC(SIGNER_END, end)
CODEC(SIGNER_AGREEMENT, agreement)
CODEC(SIGNER_OCSP, ocsp)
CODEC(SIGNER_COMPOSE, compose)
CODEC(SIGNER_EVIDENCE, evidence)
CODEC(SIGNER_CA_KEY, ca_key)

bool
signer_next(struct bytes *list, struct bytes *item)
{
	struct reader r = reader_of(*list);
	*item = get_bytes(&r);
	if (r.bad)
		return false;
	size_t took = 4 + item->len;
	*list = bytes_of(list->p + took, list->len - took);
	return true;
}
