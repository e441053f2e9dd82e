/*
 * request - the table of messages, and the order of things: judge all, one
 * sync, sign all, check each signature, write it down, answer.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/ocsp.h>

#include "internal.h"

/* Who answers what: generated from the one list. */
enum role { ROLE_BOTH, ROLE_SIGNER, ROLE_OCSP };
#define X(name, number, cap, role) [number] = ROLE_##role,
static const enum role roles[] = { SIGNER_MESSAGES(X) };
#undef X

/* How it is judged. */
static const struct handler {
	enum err_code (*judge)(struct signer *s, struct item *it, int64_t now,
	    struct err *e);
	bool any_clock; /* to take a right away needs no good clock */
} handlers[ARRAY_LEN(roles)] = {
	[SIGNER_HELLO] = { may_greet, true },
	[SIGNER_CERTIFICATE] = { may_sign_certificate, false },
	[SIGNER_CRL] = { may_sign_crl, false },
	[SIGNER_CHECKPOINT] = { may_sign_checkpoint, false },
	[SIGNER_RESPONDER] = { may_sign_responder, false },
	[SIGNER_END] = { may_end, true },
	[SIGNER_OCSP] = { may_sign_ocsp, false },
	[SIGNER_AGREEMENT] = { may_take_agreement, false },
	[SIGNER_EVIDENCE] = { check_evidence, false },
	[SIGNER_COMPOSE] = { may_compose, false },
	[SIGNER_CA_KEY] = { may_make_key, false },
};

/* --- Reading --------------------------------------------------------------------- */

/* The caps of questions alone: a peer does not answer what nobody asked. */
static uint32_t
question_cap(uint16_t type)
{
	bool is_answer = (type & (SIGNER_ANSWER | SIGNER_REFUSAL)) != 0;
	return is_answer ? 0 : signer_cap(type);
}

/* --- Judging ---------------------------------------------------------------------- */

enum err_code
may_greet(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	(void)now;
	(void)e;
	s->said_hello = true;
	it->job.wrap = WRAP_HELLO;
	return ERR_OK;
}

/* Permitted now?  Then what the message itself is judged by. */
static enum err_code
judge(struct signer *s, struct item *it, enum signer_asker who, int64_t now,
    struct err *e)
{
	const struct handler *h = &handlers[it->frame.type];
	enum role role = roles[it->frame.type];
	if (role != ROLE_BOTH && (role == ROLE_OCSP) != s->is_ocsp)
		return err_say(e, ERR_FORBIDDEN, "signer-role",
		    "this process does not sign that: CA keys and OCSP keys "
		    "are kept apart");
	if (who == ASKER_STATUS)
		TRY(may_ask_status(s, it, now, e));
	else if (it->frame.type != SIGNER_HELLO && !s->said_hello)
		return err_say(e, ERR_CONFLICT, "signer-hello-first",
		    "the signer must be greeted first");
	if (!h->any_clock && now < s->state.last_time - SKEW)
		return err_say(e, ERR_BUSY, "signer-clock",
		    "the clock is behind the signer's journal; set it right "
		    "before anything is signed");
	return h->judge(s, it, now, e);
}

/* --- Signing ------------------------------------------------------------------------- */

/* The signature that the journal already has for this job, if it has one. */
static enum err_code
find_signature(struct signer *s, const struct job *job, struct buf *out,
    struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(2 * RECORD_MAX);
	struct record r;
	uint64_t at = 0;
	bool found;
	if (job->serial.len > 0)
		TRY(state_serial(&s->state, s->journal, job->serial, &scratch,
		    &r, &at, &found, e));
	else if (job->record == s->state.checkpoint_record)
		at = s->state.checkpoint_signature;
	for (size_t i = 0; i < s->state.n_crl && at == 0; i++) {
		if (s->state.crl[i].record == job->record)
			at = s->state.crl[i].signature;
	}
	if (at == 0)
		return ERR_OK;
	TRY(journal_get(s->journal, at, &scratch, &r, e));
	buf_put(out, r.signature.p, r.signature.len);
	return buf_end(out, e);
}

enum err_code
signer_signed(struct signer *s, const struct key *key, enum err_code code)
{
	s->token_lost = s->token_lost || (code != ERR_OK && key_is_token(key));
	return code;
}

static struct key *
key_of(const struct signer *s, const struct job *job)
{
	return job->wrap == WRAP_NOTE ? s->log_key : job->by->key;
}

static enum err_code
make_signature(struct signer *s, const struct job *job, struct buf *out,
    struct err *e)
{
	struct key *key = key_of(s, job);
	enum err_code code =
	    job->wrap == WRAP_NOTE
		? checkpoint_sign(&job->checkpoint, key, out, e)
	    : job->wrap == WRAP_CRL ? key_sign_digest(key, &job->digest, out, e)
				    : key_sign(key, job->tbs, out, e);
	return signer_signed(s, key, code);
}

/*
 * A token may be faulty and a bit may flip, so every signature is checked
 * once before a client gets it.  The certificates of keys in files are checked
 * by core (step 7), which compares the whole object anyway; a check costs
 * three signatures.  For OCSP answers see sign_batch(); of those that are
 * composed, one in so many.
 */
#define COMPOSED_CHECK_EVERY 32

static bool
is_checked_elsewhere(struct signer *s, const struct job *job)
{
	if (job->wrap == WRAP_COMPOSED)
		return s->composed++ % COMPOSED_CHECK_EVERY != 0;
	return job->wrap == WRAP_SIGNED && job->serial.len > 0 &&
	       !key_is_token(job->by->key);
}

enum err_code
signer_check_own(struct signer *s, const struct job *job,
    struct bytes signature, struct err *e)
{
	const struct key *key = key_of(s, job);
	struct bytes spki = key_spki(key);
	struct bytes sigalg = key_type_sigalg(key_type(key));
	struct err detail;
	struct checkpoint c;
	enum err_code code =
	    job->wrap == WRAP_NOTE
		? checkpoint_verify(signature, job->checkpoint.origin, spki,
		      s->ours, &c, &detail)
	    : job->wrap == WRAP_CRL
		? verifier_check_digest(s->ours, spki, sigalg, &job->digest,
		      signature, &detail)
		: verifier_check(s->ours, spki, sigalg, job->tbs, signature,
		      &detail);
	if (code == ERR_OK)
		return ERR_OK;
	log_err("signature-not-verified", &detail);
	return err_say(e, ERR_CRYPTO, "signer-own-signature",
	    "the signature that the key made does not verify: it was not "
	    "given out; check the key's device");
}

static enum err_code
sign(struct signer *s, const struct job *job, int64_t now, struct buf *out,
    struct err *e)
{
	if (job->again) {
		TRY(find_signature(s, job, out, e));
		/* Asked for again because it was lost, or because it was bad. */
		if (out->len > 0 &&
		    signer_check_own(s, job, buf_bytes(out), e) == ERR_OK)
			return ERR_OK;
		buf_reset(out);
	}
	TRY(make_signature(s, job, out, e));
	TRY(buf_end(out, e));
	if (!is_checked_elsewhere(s, job))
		TRY(signer_check_own(s, job, buf_bytes(out), e));
	struct record r = { .kind = REC_SIGNATURE,
		.time = now,
		.of = (int64_t)job->record,
		.serial = job->serial,
		.signature = buf_bytes(out) };
	return job->record == 0 ? ERR_OK
				: signer_keep(s, &r, &(struct job){ 0 }, e);
}

/* --- Answering --------------------------------------------------------------------------- */

static enum err_code
fill(struct signer *s, const struct item *it, int64_t now, struct buf *body,
    struct err *e)
{
	const struct job *job = &it->job;
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	if (job->wrap == WRAP_NONE)
		buf_put(body, job->tbs.p, job->tbs.len);
	if (job->wrap == WRAP_HELLO)
		signer_say_hello(s, body);
	if (job->wrap == WRAP_NONE || job->wrap == WRAP_HELLO)
		return ERR_OK;
	if (job->wrap == WRAP_OCSP)
		return sign_batch(s, &it->in.ocsp, now, body, e);
	TRY(sign(s, job, now, &signature, e));
	if (job->wrap == WRAP_NOTE || job->wrap == WRAP_CRL) {
		buf_put(body, signature.p, signature.len);
		return ERR_OK;
	}
	struct bytes sigalg = key_type_sigalg(key_type(job->by->key));
	if (job->wrap == WRAP_COMPOSED)
		return ocsp_assemble(job->tbs, sigalg, buf_bytes(&signature),
		    job->responder, body, e);
	/* The very bytes that were judged: nothing is encoded anew. */
	return signed_assemble(job->tbs, sigalg, buf_bytes(&signature), body,
	    e);
}

static void
refuse(const struct item *it, struct buf *out)
{
	struct buf body AUTO_BUF = BUF(4096);
	/* The sentence may name a person's data; the id does not. */
	log_warn("signer-refused", "message=%s id=%s rule=%s why=%s",
	    signer_message_name(it->frame.type), it->refusal.id,
	    it->refusal.rule == NULL ? "" : it->refusal.rule, it->refusal.why);
	err_encode(&it->refusal, &body);
	frame_put(out, it->frame.type | SIGNER_REFUSAL, it->frame.id,
	    buf_bytes(&body));
}

/*
 * Core asks for nothing that it has not judged itself, so what is refused here
 * is a fault or an enemy.  EVIDENCE is not counted: there anybody's mistake is
 * found before core writes an intent.  The stop is journalled: neither a
 * restart nor more refusals end it, and an hour later it is over.
 */
static enum err_code
count_refusal(struct signer *s, const struct item *it, int64_t now,
    struct err *e)
{
	bool counts = it->frame.type == SIGNER_CERTIFICATE ||
		      it->frame.type == SIGNER_RESPONDER ||
		      it->frame.type == SIGNER_CHECKPOINT;
	if (s->journal == NULL || !counts || it->refusal.code == ERR_BUSY ||
	    it->refusal.code == ERR_CRYPTO)
		return ERR_OK;
	hour_add(&s->state.refused, now);
	if (now < s->state.stopped_until ||
	    hour_sum(&s->state.refused, now) <= s->ceilings.refusals_per_hour)
		return ERR_OK;
	s->state.refused = (struct hour){ .minute = { 0 } };
	struct record r = { .kind = REC_STOP,
		.time = now,
		.value = now + HOUR };
	log_error("signer-stopped", "refusals=%lld",
	    (long long)s->ceilings.refusals_per_hour);
	return signer_keep(s, &r, &(struct job){ 0 }, e);
}

/* What concerns one object is told to the peer; a journal that is not known
 * any more ends the process. */
static bool
is_fatal(const struct signer *s)
{
	return s->journal != NULL && journal_failed(s->journal);
}

#define ANSWER_MAX OCSP_FRAME_MAX

static enum err_code
answer(struct signer *s, struct item *it, int64_t now, struct buf *out,
    struct err *e)
{
	struct buf body AUTO_BUF = BUF(ANSWER_MAX);
	if (it->refusal.code == ERR_OK && it->job.wrap == WRAP_SILENT)
		return ERR_OK;
	if (it->refusal.code == ERR_OK) {
		enum err_code code = fill(s, it, now, &body, e);
		if (code == ERR_OK)
			code = buf_end(&body, e);
		if (is_fatal(s))
			return code;
		if (code != ERR_OK)
			it->refusal = *e;
	}
	if (it->refusal.code != ERR_OK) {
		s->refused++;
		refuse(it, out);
		TRY(count_refusal(s, it, now, e));
	} else {
		frame_put(out, it->frame.type | SIGNER_ANSWER, it->frame.id,
		    buf_bytes(&body));
	}
	return buf_end(out, e);
}

/* --- A round -------------------------------------------------------------------------------- */

/* Judged, journalled, made durable; only then the first key is touched. */
static enum err_code
run(struct signer *s, enum signer_asker who, struct item *item, size_t n,
    int64_t now, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		enum err_code code = judge(s, &item[i], who, now, e);
		if (is_fatal(s))
			return code;
		if (code != ERR_OK)
			item[i].refusal = *e;
	}
	if (s->journal != NULL)
		TRY(journal_sync(s->journal, now, e));
	for (size_t i = 0; i < n; i++)
		TRY(answer(s, &item[i], now, out, e));
	return s->journal == NULL ? ERR_OK : journal_flush(s->journal, e);
}

/* Whole frames at the front; a bad one waits for its own round. */
static enum err_code
gather(struct bytes in, struct item *item, size_t max, size_t *n, size_t *used,
    struct err *e)
{
	for (*n = 0, *used = 0; *n < max; (*n)++) {
		struct item *it = &item[*n];
		size_t took;
		memset(it, 0, sizeof(*it));
		struct bytes rest = bytes_of(in.p + *used, in.len - *used);
		enum err_code code =
		    frame_cut(rest, question_cap, &it->frame, &took, e);
		if (code == ERR_OK && took > 0)
			code = question_decode(it->frame.type, it->frame.body,
			    &it->in, e);
		if (code != ERR_OK)
			return *n > 0 ? ERR_OK : code;
		if (took == 0)
			break;
		*used += took;
	}
	return ERR_OK;
}

enum err_code
signer_batch(struct signer *s, enum signer_asker who, struct bytes in,
    size_t *used, int64_t now, struct buf *out, struct err *e)
{
	*used = 0;
	if (is_fatal(s))
		return err_say(e, ERR_IO, "signer-stopped",
		    "the signer's journal failed before: the signer must be "
		    "started again");
	size_t n, before = out->len, max = signer_round(s);
	TRY(gather(in, s->item, max, &n, used, e));
	if (n == 0)
		return ERR_OK;
	enum err_code code = run(s, who, s->item, n, now, out, e);
	signer_end_keys(s);
	arena_reset(s->arena);
	cas_trim(s);
	/* What is not written down must not be sent either. */
	if (code != ERR_OK) {
		out->len = before;
		*used = 0;
	}
	return code;
}
