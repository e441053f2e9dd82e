/*
 * ocsp - what the ocsp-signer signs: answers that core wants ahead of time, by
 * the batch, and one that status composes for one client out of these.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/ocsp.h>

#include "internal.h"

/* --- The responder's certificate -------------------------------------------------- */

/* Who answers for certificates of this CA; NULL: nobody here. */
static struct authority *
who_answers(const struct signer *s, struct bytes key_hash,
    bool (*is_it)(const void *ctx, const struct issuer_id *id), const void *ctx)
{
	size_t at = SIZE_MAX, n;
	while (places_next(&s->by_key, hash64(key_hash), &at, &n)) {
		if (is_it(ctx, &s->issuer[n]->id))
			return s->issuer[n];
	}
	return NULL;
}

void
signer_answers_for(struct signer *s, const struct authority *a)
{
	size_t n = s->n_issuer - 1;
	const struct issuer_id *id = &a->id;
	places_put(&s->by_key, hash64(bytes_of(id->key_sha1, 20)), n);
	places_put(&s->by_key, hash64(bytes_of(id->key_sha256, SHA256_LEN)), n);
}

static bool
is_same(const void *ctx, const struct issuer_id *id)
{
	return memcmp(ctx, id, sizeof(*id)) == 0;
}

static bool
is_named(const void *ctx, const struct issuer_id *id)
{
	return ocsp_id_matches(ctx, id);
}

/*
 * A CA that is not in the configuration: a root must have signed it.  The
 * key of the first responder answers for all of these (decision 0042).
 */
static enum err_code
add_ca(struct signer *s, const struct cert *c, int64_t now, struct err *e)
{
	AUTO(authority) a = calloc(1, sizeof(*a));
	const struct authority *first = s->issuer[0];
	const struct cert *root = roots_issuer(s, c);
	if (a == NULL)
		return err_nomem(e);
	if (root == NULL)
		return err_say(e, ERR_DENIED, "signer-ocsp-root",
		    "the OCSP signer has no root certificate to judge this CA "
		    "by");
	if (s->n_issuer == ISSUERS_MAX)
		return err_say(e, ERR_BUSY, "signer-ocsp-cas",
		    "the OCSP signer answers for as many CAs as one can have");
	TRY(cert_check_issued(c, root, now, s->theirs, e));
	a->der = BUF(CERT_MAX_BYTES);
	buf_put(&a->der, c->der.p, c->der.len);
	TRY(authority_fill(a, "of a ceremony", e));
	a->borrows_key = true;
	a->key = first->key;
	a->responder_spki = BUF(SPKI_MAX);
	buf_put(&a->responder_spki, first->responder_spki.p,
	    first->responder_spki.len);
	memcpy(a->responder_key_sha1, first->responder_key_sha1,
	    sizeof(a->responder_key_sha1));
	s->issuer[s->n_issuer++] = a;
	signer_answers_for(s, TAKE(a));
	return ERR_OK;
}

/* The CA with this certificate, or with none that whose responder has spki. */
static enum err_code
find_ca(struct signer *s, struct bytes der, struct bytes spki, int64_t now,
    struct authority **out, struct err *e)
{
	struct issuer_id id;
	struct cert c;
	*out = NULL;
	for (size_t i = 0; der.len == 0 && i < s->n_configured; i++) {
		if (bytes_eq(spki, key_spki(s->issuer[i]->key)))
			*out = s->issuer[i];
	}
	if (der.len == 0)
		return ERR_OK;
	TRY(cert_parse(der, &c, e));
	TRY(issuer_id_of(&c, &id, e));
	struct bytes key = bytes_of(id.key_sha1, sizeof(id.key_sha1));
	*out = who_answers(s, key, is_same, &id);
	if (*out != NULL)
		return ERR_OK;
	TRY(add_ca(s, &c, now, e));
	*out = s->issuer[s->n_issuer - 1];
	return ERR_OK;
}

/* The certificate that goes with the answers; checked once for each. */
static enum err_code
take_responder(struct signer *s, struct bytes der, struct bytes ca, int64_t now,
    struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct authority *by;
	struct cert c;
	hasher_sha256(s->hasher, hash, der);
	uint64_t tag = be64_parse(hash);
	for (size_t i = 0; i < s->n_issuer; i++) {
		if (tag == s->responder[i] &&
		    memcmp(hash, s->issuer[i]->responder_checked, SHA256_LEN) ==
			0)
			return ERR_OK;
	}
	TRY(cert_parse(der, &c, e));
	TRY(find_ca(s, ca, c.spki, now, &by, e));
	if (by == NULL || !bytes_eq(c.spki, buf_bytes(&by->responder_spki)) ||
	    !cert_has_eku(&c, OID_EKU_OCSP))
		return err_say(e, ERR_DENIED, "signer-ocsp-certificate",
		    "the certificate beside the OCSP answer is not that of "
		    "this responder");
	TRY(cert_check_issued(&c, &by->cert, now, s->theirs, e));
	memcpy(by->responder_checked, hash, SHA256_LEN);
	by->responder_not_before = c.not_before;
	by->responder_not_after = c.not_after;
	for (size_t i = 0; i < s->n_issuer; i++) {
		if (s->issuer[i] == by)
			s->responder[i] = tag;
	}
	return ERR_OK;
}

/* --- Judging -------------------------------------------------------------------------- */

static enum err_code
check_single(const struct signer *s, const struct authority *by,
    const struct ocsp_single *one, int64_t now, struct err *e)
{
	if (!ocsp_id_matches(&one->id, &by->id))
		return err_say(e, ERR_DENIED, "signer-ocsp-issuer",
		    "the OCSP answer speaks of certificates of another CA "
		    "than %s",
		    by->name);
	if (one->this_update > now + SKEW)
		return err_at(e, ERR_DENIED, "signer-ocsp-future",
		    "RFC 6960 4.2.2.1", NOWHERE,
		    "the OCSP answer begins in the future; check the clocks");
	if (one->next_update <= now || one->next_update <= one->this_update)
		return err_at(e, ERR_DENIED, "signer-ocsp-over",
		    "RFC 6960 4.2.2.1", NOWHERE,
		    "the OCSP answer is over, or ends before it begins");
	if (one->next_update > by->responder_not_after)
		return err_say(e, ERR_DENIED, "signer-ocsp-outlives",
		    "the OCSP answer outlives its responder's certificate");
	if (one->next_update - one->this_update > s->ceilings.ocsp_max_s)
		return err_say(e, ERR_DENIED, "signer-ocsp-life",
		    "the OCSP answer is valid for longer than the ceiling of "
		    "the signer allows");
	return ERR_OK;
}

static bool
has_key(const struct authority *by, const struct ocsp_answer *a)
{
	return by != NULL &&
	       bytes_eq(a->key_hash, bytes_of(by->responder_key_sha1, 20));
}

/* What holds of every answer: by this key, about this CA, about now. */
static enum err_code
judge_answer(struct signer *s, struct bytes tbs, int64_t now,
    struct ocsp_answer *a, struct authority **by, struct err *e)
{
	TRY(ocsp_tbs_parse(tbs, a, e));
	*by = who_answers(s, a->single[0].id.key_hash, is_named,
	    &a->single[0].id);
	/* One that has the key tells below that it is not about its CA. */
	for (size_t i = 0; i < s->n_configured && !has_key(*by, a); i++)
		*by = s->issuer[i];
	if (!has_key(*by, a))
		return err_at(e, ERR_DENIED, "signer-ocsp-key", "RFC 9919",
		    NOWHERE, "the OCSP answer names another responder's key");
	if (now < (*by)->responder_not_before ||
	    now > (*by)->responder_not_after)
		return err_say(e, ERR_DENIED, "signer-ocsp-certificate-time",
		    "the certificate of this OCSP responder is not valid now");
	if (a->produced_at > now + SKEW)
		return err_say(e, ERR_DENIED, "signer-ocsp-produced",
		    "the OCSP answer was produced in the future");
	for (size_t i = 0; i < a->n_single; i++)
		TRY(check_single(s, *by, &a->single[i], now, e));
	return ERR_OK;
}

/* --- Core's batches ------------------------------------------------------------------- */

enum err_code
may_sign_ocsp(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_ocsp *m = &it->in.ocsp;
	struct job *job = &it->job;
	struct bytes list = m->responders, cas = m->cas, der, ca;
	bool any = list.len == 0;
	/* One that is refused holds up no other: the answers of its CA are. */
	while (signer_next(&list, &der)) {
		(void)signer_next(&cas, &ca); /* empty where there is none */
		if (take_responder(s, der, ca, now, e) == ERR_OK)
			any = true;
		else
			log_err("signer-ocsp-responder", e);
	}
	job->wrap = WRAP_OCSP;
	return any ? ERR_OK : e->code;
}

static enum err_code
sign_one(struct signer *s, struct bytes tbs, int64_t now, bool check,
    struct buf *signature, struct err *e)
{
	struct ocsp_answer a;
	struct authority *by;
	TRY(judge_answer(s, tbs, now, &a, &by, e));
	for (size_t i = 1; i < a.n_single; i++) {
		if (!bytes_eq(a.single[i].id.serial, a.single[0].id.serial) ||
		    a.single[i].state != a.single[0].state)
			return err_say(e, ERR_DENIED, "signer-ocsp-mixed",
			    "the OCSP answer speaks of more than one "
			    "certificate");
	}
	TRY(signer_signed(s, by->key, key_sign(by->key, tbs, signature, e)));
	const struct job job = { .wrap = WRAP_OCSP, .by = by, .tbs = tbs };
	return check ? signer_check_own(s, &job, buf_bytes(signature), e)
		     : ERR_OK;
}

/*
 * The first signature of each message is checked: of those that are signed
 * alone, as a revocation is, that is every one; of a renewal of all answers
 * one in SIGNER_OCSP_MAX, so that a key that fails shows within the first
 * ones (decision 0019).
 */
enum err_code
sign_batch(struct signer *s, const struct signer_ocsp *m, int64_t now,
    struct buf *body, struct err *e)
{
	struct bytes list = m->tbs, tbs;
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	size_t n_signed = 0;
	for (bool check = true; signer_next(&list, &tbs); check = false) {
		buf_reset(&signature);
		if (sign_one(s, tbs, now, check, &signature, e) == ERR_OK) {
			n_signed++;
		} else {
			log_err("signer-ocsp-refused", e);
			buf_reset(&signature);
		}
		put_bytes(body, buf_bytes(&signature));
	}
	/* One reason says more than a list of nothing. */
	return n_signed > 0 || m->tbs.len == 0 ? ERR_OK : e->code;
}

/* --- What status composes ------------------------------------------------------------- */

/*
 * Marks in *said which SingleResponses stand in this answer, octet for octet.
 * An answer that was signed here is told by its signature: whoever owns status
 * can have nothing said that core did not have said, only say it later, for as
 * long as it is valid anyway.
 */
static enum err_code
take_source(struct signer *s, const struct authority *by, struct bytes der,
    const struct ocsp_answer *a, uint32_t *said, struct err *e)
{
	struct ocsp_answer source;
	TRY(ocsp_answer_parse(der, &source, e));
	TRY(verifier_check(s->theirs, key_spki(by->key),
	    key_type_sigalg(key_type(by->key)), source.tbs, source.signature,
	    e));
	if (source.extended_revoked && !a->extended_revoked)
		return err_at(e, ERR_DENIED, "signer-compose-extended",
		    "RFC 6960 4.4.8", NOWHERE,
		    "the OCSP answer leaves out that \"revoked\" may speak of "
		    "what was never issued");
	for (size_t i = 0; i < a->n_single; i++) {
		for (size_t j = 0; j < source.n_single; j++) {
			if (bytes_eq(a->single[i].der, source.single[j].der))
				*said |= UINT32_C(1) << i;
		}
	}
	return ERR_OK;
}

/* Status faces the network: it gets one kind of answer, so many times a
 * second. */
enum err_code
may_ask_status(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	if (it->frame.type != SIGNER_COMPOSE)
		return err_say(e, ERR_FORBIDDEN, "signer-status-message",
		    "status may ask for OCSP answers only");
	if (s->composed_second != now) {
		s->composed_second = now;
		s->composed_count = 0;
	}
	if (++s->composed_count > COMPOSED_PER_SECOND)
		return err_say(e, ERR_BUSY, "signer-status-rate",
		    "too many answers were asked for; try later");
	return ERR_OK;
}

enum err_code
may_compose(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_compose *m = &it->in.compose;
	struct job *job = &it->job;
	struct ocsp_answer a;
	struct bytes list = m->sources, der;
	uint32_t said = 0;
	TRY(take_responder(s, m->responder, m->ca, now, e));
	TRY(judge_answer(s, m->tbs, now, &a, &job->by, e));
	while (signer_next(&list, &der))
		TRY(take_source(s, job->by, der, &a, &said, e));
	for (size_t i = 0; i < a.n_single; i++) {
		if (a.single[i].state != OCSP_UNKNOWN && (said >> i & 1) == 0)
			return err_say(e, ERR_FORBIDDEN, "signer-status-state",
			    "status may have nothing signed but unknown, and "
			    "what core had signed before");
	}
	job->wrap = WRAP_COMPOSED;
	job->tbs = m->tbs;
	job->responder = m->responder;
	return ERR_OK;
}
