/*
 * messages - both ends of every message to a signer, side by side.
 * doc/PROTOCOL.ipc.md has the fields in prose.
 */
#include <string.h>

#include <refrendo/signer.h>

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
end(const struct reader *r, struct err *e)
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
	put_u8(out, (uint8_t)m->n_issuer);
	for (size_t i = 0; i < m->n_issuer; i++) {
		put_bytes(out, bytes_str(m->issuer[i].issuer));
		put_i64(out, m->issuer[i].crl_number);
		buf_put(out, m->issuer[i].responder_spki_sha256, SHA256_LEN);
		put_bytes(out, m->responder_spki[i]);
	}
}

static void
get_fixed(struct reader *r, uint8_t *out, size_t len)
{
	struct bytes b = get_raw(r, len);
	if (b.len == len)
		memcpy(out, b.p, len);
}

enum err_code
signer_hello_decode(struct bytes in, struct arena *a, struct signer_hello *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_hello m = { .checkpoint_size = get_u64(&r) };
	get_fixed(&r, m.checkpoint_root, HASH_LEN);
	m.signed_certificates = get_u64(&r);
	m.n_issuer = get_u8(&r);
	if (m.n_issuer > ISSUERS_MAX)
		r.bad = true;
	for (size_t i = 0; i < m.n_issuer && !r.bad; i++) {
		struct bytes name = get_bytes(&r);
		if (name.len >= sizeof(m.issuer[i].issuer) ||
		    !ascii_printable(name))
			r.bad = true;
		else if (name.len > 0)
			memcpy(m.issuer[i].issuer, name.p, name.len);
		m.issuer[i].crl_number = get_i64(&r);
		get_fixed(&r, m.issuer[i].responder_spki_sha256, SHA256_LEN);
		m.responder_spki[i] = arena_copy(a, get_bytes(&r));
	}
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

/* --- Objects to sign ---------------------------------------------------------- */

void
signer_certificate_encode(const struct signer_certificate *m, struct buf *out)
{
	put_bytes(out, m->issuer);
	put_bytes(out, m->container);
	put_bytes(out, m->statement);
	put_bytes(out, m->evidence);
}

enum err_code
signer_certificate_decode(struct bytes in, struct signer_certificate *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_certificate m = { .issuer = get_bytes(&r) };
	m.container = get_bytes(&r);
	m.statement = get_bytes(&r);
	m.evidence = get_bytes(&r);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_crl_encode_head(const struct signer_crl *m, struct buf *out)
{
	put_bytes(out, m->issuer);
	put_u64(out, m->offset);
	put_u8(out, m->last ? 1 : 0);
	put_u32(out, (uint32_t)m->piece.len);
}

void
signer_crl_encode(const struct signer_crl *m, struct buf *out)
{
	signer_crl_encode_head(m, out);
	buf_put(out, m->piece.p, m->piece.len);
}

enum err_code
signer_crl_decode(struct bytes in, struct signer_crl *out, struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_crl m = { .issuer = get_bytes(&r) };
	m.offset = get_u64(&r);
	uint8_t last = get_u8(&r);
	m.piece = get_bytes(&r);
	m.last = last == 1;
	if (last > 1)
		r.bad = true;
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_checkpoint_encode(const struct signer_checkpoint *m, struct buf *out)
{
	put_u64(out, m->size);
	buf_put(out, m->root, HASH_LEN);
	put_u8(out, (uint8_t)m->consistency.n);
	for (size_t i = 0; i < m->consistency.n; i++)
		buf_put(out, m->consistency.hash[i], HASH_LEN);
}

enum err_code
signer_checkpoint_decode(struct bytes in, struct signer_checkpoint *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_checkpoint m = { .size = get_u64(&r) };
	get_fixed(&r, m.root, HASH_LEN);
	m.consistency.n = get_u8(&r);
	if (m.consistency.n > PROOF_MAX)
		r.bad = true;
	for (size_t i = 0; i < m.consistency.n && !r.bad; i++)
		get_fixed(&r, m.consistency.hash[i], HASH_LEN);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_responder_encode(const struct signer_responder *m, struct buf *out)
{
	put_bytes(out, m->issuer);
	put_bytes(out, m->container);
}

enum err_code
signer_responder_decode(struct bytes in, struct signer_responder *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_responder m = { .issuer = get_bytes(&r) };
	m.container = get_bytes(&r);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_appointment_end_encode(const struct signer_appointment_end *m,
    struct buf *out)
{
	put_bytes(out, m->appointment);
	put_i64(out, m->at);
}

enum err_code
signer_appointment_end_decode(struct bytes in,
    struct signer_appointment_end *out, struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_appointment_end m = { .appointment = get_bytes(&r) };
	m.at = get_i64(&r);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_policy_encode(const struct signer_policy *m, struct buf *out)
{
	put_bytes(out, m->statement);
	put_u8(out, (uint8_t)m->n);
	for (size_t i = 0; i < m->n; i++)
		put_bytes(out, m->evidence[i]);
}

enum err_code
signer_policy_decode(struct bytes in, struct signer_policy *out, struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_policy m = { .statement = get_bytes(&r) };
	m.n = get_u8(&r);
	if (m.n > OFFICERS_MAX)
		r.bad = true;
	for (size_t i = 0; i < m.n && !r.bad; i++)
		m.evidence[i] = get_bytes(&r);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_policy_end_encode(const struct signer_policy_end *m, struct buf *out)
{
	put_bytes(out, m->activation);
	put_i64(out, m->at);
}

enum err_code
signer_policy_end_decode(struct bytes in, struct signer_policy_end *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_policy_end m = { .activation = get_bytes(&r) };
	m.at = get_i64(&r);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

/* --- OCSP answers --------------------------------------------------------------- */

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

/* Whole items and nothing else, not more than so many. */
static void
check_list(struct reader *r, struct bytes list, size_t max)
{
	struct bytes item;
	size_t n = 0;
	while (n <= max && signer_next(&list, &item))
		n++;
	if (n > max || list.len > 0)
		r->bad = true;
}

void
signer_ocsp_encode(const struct signer_ocsp *m, struct buf *out)
{
	put_bytes(out, m->responders);
	put_bytes(out, m->tbs);
}

enum err_code
signer_ocsp_decode(struct bytes in, struct signer_ocsp *out, struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_ocsp m = { .responders = get_bytes(&r) };
	m.tbs = get_bytes(&r);
	check_list(&r, m.responders, ISSUERS_MAX);
	check_list(&r, m.tbs, SIGNER_OCSP_MAX);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

void
signer_compose_encode(const struct signer_compose *m, struct buf *out)
{
	put_bytes(out, m->responder);
	put_bytes(out, m->tbs);
	put_bytes(out, m->sources);
}

enum err_code
signer_compose_decode(struct bytes in, struct signer_compose *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_compose m = { .responder = get_bytes(&r) };
	m.tbs = get_bytes(&r);
	m.sources = get_bytes(&r);
	check_list(&r, m.sources, SIGNER_SOURCES_MAX);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}

/* --- Evidence ------------------------------------------------------------------- */

void
signer_evidence_encode(const struct signer_evidence *m, struct buf *out)
{
	put_bytes(out, m->statement);
	put_bytes(out, m->evidence);
}

enum err_code
signer_evidence_decode(struct bytes in, struct signer_evidence *out,
    struct err *e)
{
	struct reader r = reader_of(in);
	struct signer_evidence m = { .statement = get_bytes(&r) };
	m.evidence = get_bytes(&r);
	TRY(end(&r, e));
	*out = m;
	return ERR_OK;
}
