/*
 * believe - may a client believe an answer (RFC 6960 3.2 and 4.2.2.2)?  The
 * one judgement of the tools and of the checker, for anybody's responder.
 */
#include "internal.h"

static enum err_code
judge_refusal(int status, struct err *e)
{
	if (status == OCSP_TRY_LATER)
		return err_at(e, ERR_BUSY, "ocsp-response-try-later",
		    "RFC 6960 2.3", NOWHERE,
		    "the responder is busy (tryLater); ask again later");
	return err_at(e, ERR_DENIED, "ocsp-response-refused", "RFC 6960 2.3",
	    NOWHERE, "the responder does not answer: %s",
	    ocsp_status_name(status));
}

/* --- Which of the statuses -------------------------------------------------------- */

static bool
is_asked_for(const struct ocsp_status *s, const struct ocsp_question *q)
{
	const struct issuer_id *ca = q->issuer;
	struct bytes serial = s->serial;
	size_t len = q->is_sha256 ? SHA256_LEN : SHA1_LEN;
	if (serial.len > 1 && serial.p[0] == 0)
		serial = bytes_of(serial.p + 1, serial.len - 1);
	else if (serial.p[0] >= 0x80)
		return false;
	return bytes_eq(s->hash,
		   oid_known(q->is_sha256 ? OID_SHA256 : OID_SHA1)) &&
	       bytes_eq(s->name_hash,
		   bytes_of(q->is_sha256 ? ca->name_sha256 : ca->name_sha1,
		       len)) &&
	       bytes_eq(s->key_hash,
		   bytes_of(q->is_sha256 ? ca->key_sha256 : ca->key_sha1,
		       len)) &&
	       bytes_eq(serial, q->serial);
}

static enum err_code
find_status(const struct ocsp_response *r, const struct ocsp_question *q,
    struct ocsp_status *out, struct err *e)
{
	struct bytes rest = r->statuses;
	while (ocsp_response_next(&rest, out)) {
		if (is_asked_for(out, q))
			return ERR_OK;
	}
	return err_at(e, ERR_DENIED, "ocsp-response-other", "RFC 6960 3.2",
	    NOWHERE,
	    "the OCSP answer speaks of another certificate than the one asked "
	    "for");
}

/* --- Times and nonce ----------------------------------------------------------------- */

/*
 * RFC 9919 5 has clients refuse an answer without nextUpdate; RFC 6960 4.2.2.1
 * lets responders send one, and those of others do.  It is believed for a day,
 * so that an old one cannot be replayed for ever.
 */
static enum err_code
judge_times(const struct ocsp_status *s, int64_t now, struct err *e)
{
	char text[TIME_TEXT];
	int64_t end =
	    s->next_update != 0 ? s->next_update : s->this_update + DAY;
	if (s->this_update > now + OCSP_SLACK_S) {
		time_print(text, s->this_update);
		return err_at(e, ERR_DENIED, "ocsp-response-early",
		    "RFC 6960 4.2.2.1", NOWHERE,
		    "the OCSP answer holds only from %s; check this machine's "
		    "clock",
		    text);
	}
	if (end < now - OCSP_SLACK_S) {
		time_print(text, end);
		return err_at(e, ERR_DENIED, "ocsp-response-stale",
		    "RFC 6960 4.2.2.1", NOWHERE,
		    "the OCSP answer held until %s; the responder hands out "
		    "old status",
		    text);
	}
	return ERR_OK;
}

static enum err_code
judge_nonce(const struct ocsp_response *r, struct bytes asked,
    enum ocsp_nonce *out, struct err *e)
{
	*out = OCSP_NONCE_NONE;
	if (asked.len == 0)
		return ERR_OK;
	*out = OCSP_NONCE_ABSENT;
	if (!r->has_nonce)
		return ERR_OK;
	*out = OCSP_NONCE_ECHOED;
	if (bytes_eq(r->nonce, asked))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ocsp-response-nonce", "RFC 6960 4.4.1",
	    NOWHERE,
	    "the OCSP answer repeats another nonce than the one sent: it "
	    "answers somebody else's request");
}

/* --- Who signed it --------------------------------------------------------------------- */

/* Is this the certificate of whoever the answer names? */
static bool
is_named(const struct ocsp_response *r, const struct cert *c)
{
	struct issuer_id id;
	struct err ignored;
	if (r->by_name.len > 0)
		return bytes_eq(r->by_name, c->subject);
	return issuer_id_of(c, &id, &ignored) == ERR_OK &&
	       bytes_eq(r->by_key, bytes_of(id.key_sha1, SHA1_LEN));
}

static enum err_code
judge_delegate(const struct cert *c, const struct cert *issuer, int64_t now,
    struct verifier *v, struct err *e)
{
	TRY(cert_check_issued(c, issuer, now, v, e));
	if (cert_has_eku(c, OID_EKU_OCSP) &&
	    (c->key_usage == 0 || (c->key_usage & KU_DIGITAL_SIGNATURE) != 0))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ocsp-response-delegate",
	    "RFC 6960 4.2.2.2", NOWHERE,
	    "the OCSP answer is signed with a certificate that is not one for "
	    "signing answers");
}

/*
 * The CA itself where the answer names it; else the first certificate beside
 * the answer that is the one it names.
 */
static enum err_code
judge_signer(const struct ocsp_response *r, const struct cert *issuer,
    int64_t now, struct verifier *v, struct ocsp_verdict *out, struct err *e)
{
	struct der certs = der_of(r->certs);
	out->by_ca = is_named(r, issuer);
	if (out->by_ca)
		return verifier_check(v, issuer->spki, r->sigalg, r->tbs,
		    r->signature, e);
	while (der_peek(&certs) != 0 && !certs.bad) {
		struct err unreadable;
		if (cert_parse(der_element(&certs), &out->responder,
			&unreadable) != ERR_OK ||
		    !is_named(r, &out->responder))
			continue;
		TRY(judge_delegate(&out->responder, issuer, now, v, e));
		return verifier_check(v, out->responder.spki, r->sigalg, r->tbs,
		    r->signature, e);
	}
	return err_at(e, ERR_DENIED, "ocsp-response-signer", "RFC 6960 4.2.2.2",
	    NOWHERE,
	    "the OCSP answer has no certificate of whoever it says signed it, "
	    "and that is not the CA itself");
}

enum err_code
ocsp_response_check(const struct ocsp_response *r,
    const struct ocsp_question *q, const struct cert *issuer, int64_t now,
    struct verifier *v, struct ocsp_verdict *out, struct err *e)
{
	struct ocsp_verdict w = { .by_ca = false };
	if (r->status != 0)
		return judge_refusal(r->status, e);
	TRY(find_status(r, q, &w.status, e));
	TRY(judge_nonce(r, q->nonce, &w.nonce, e));
	TRY(judge_signer(r, issuer, now, v, &w, e));
	TRY(judge_times(&w.status, now, e));
	*out = w;
	return ERR_OK;
}
