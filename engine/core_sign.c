/*
 * Core's side of the two signers: what they are asked, what they answer, and
 * what happens when one goes away and comes back.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

/* What is told ahead of its time is heard before it. */
#define AHEAD_S 10

/* A CA that cannot have one asks no more often. */
#define RESPONDER_RETRY_MS (60 * 1000)

void
sign_end(struct core *c, struct bytes id, int64_t at)
{
	struct signer_end m = { .id = id, .at = at };
	struct buf body AUTO_BUF = BUF(1024);
	signer_end_encode(&m, &body);
	peer_send(c->signer, SIGNER_END, 0, buf_bytes(&body));
}

void
sign_end_appointment(struct core *c, struct bytes id)
{
	if (c->signer_ready)
		sign_end(c, id, clock_now());
}

/* Everything that ended is told again: the signer may have missed it. */
static enum err_code
tell_ended_appointment(struct core *c, struct view *v, struct bytes value,
    struct err *e)
{
	struct appointment a;
	(void)v;
	TRY(rec_decode(&rec_appointment, value, &a, e));
	if (a.state == APPT_ENDED)
		sign_end(c, a.id, a.ended);
	return ERR_OK;
}

/* What nobody signed, or has expired, nobody can use. */
static void
tell_mandate(struct core *c, const struct mandate *m)
{
	if (m->state != MANDATE_PROPOSED && m->state != MANDATE_IN_FORCE &&
	    m->signatures > 0 && m->until >= clock_now())
		sign_end(c, m->id, m->closed);
}

void
sign_end_mandate(struct core *c, struct bytes id)
{
	struct mandate m;
	struct err e;
	bool found;
	struct view *v = core_view(c);
	if (v == NULL || !c->signer_ready)
		return; /* told when it is back */
	if (rec_get(v, &rec_mandate, ca_row_key(c->arena, ROW_MANDATE, id),
		c->arena, &m, &found, &e) != ERR_OK)
		log_err("sign-mandate", &e);
	else if (found)
		tell_mandate(c, &m);
}

static enum err_code
tell_ended_mandate(struct core *c, struct view *v, struct bytes value,
    struct err *e)
{
	struct mandate m;
	(void)v;
	TRY(rec_decode(&rec_mandate, value, &m, e));
	tell_mandate(c, &m);
	return ERR_OK;
}

/* --- Policies that officers signed ----------------------------------------------- */

enum err_code
sign_agreed(struct core *c, struct view *v, struct bytes id, uint64_t frame,
    struct signer_agreement *m, struct err *e)
{
	struct buf body AUTO_BUF = BUF(AGREEMENT_MAX);
	TRY(ca_consents(v, id, c->arena, &m->evidence, e));
	signer_agreement_encode(m, &body);
	TRY(buf_end(&body, e));
	peer_send(c->signer, SIGNER_AGREEMENT, frame, buf_bytes(&body));
	return ERR_OK;
}

static enum err_code
tell_policy(struct core *c, struct view *v, const struct agreement_row *ac,
    struct err *e)
{
	/* Ahead of its time, and once more when it is in force: until then the
	 * one before it is, should this one not load on its day. */
	if (ac->state == AGREEMENT_DONE ||
	    (ac->state == AGREEMENT_AGREED &&
		ac->effective - AHEAD_S > clock_now()))
		return sign_agreed(c, v, ac->id, 0,
		    &(struct signer_agreement){ .statement = ac->statement },
		    e);
	/* If fewer signed it, the signer never heard of it. */
	if (ac->state == AGREEMENT_WITHDRAWN && ac->agreed != 0)
		sign_end(c, ac->id, ac->closed);
	return ERR_OK;
}

void
sign_policy(struct core *c, struct bytes id)
{
	struct agreement_row ac;
	struct err e;
	bool found;
	struct view *v = core_view(c);
	if (v == NULL || !c->signer_ready)
		return; /* told when it is back */
	enum err_code code = rec_get(v, &rec_activation,
	    ca_row_key(c->arena, ROW_ACTIVATION, id), c->arena, &ac, &found,
	    &e);
	if (code == ERR_OK && found)
		code = tell_policy(c, v, &ac, &e);
	if (code != ERR_OK)
		log_err("sign-policy", &e);
}

/* Everything that was signed is told again, in its order: what is known
 * already changes nothing. */
static enum err_code
tell_signed_policy(struct core *c, struct view *v, struct bytes value,
    struct err *e)
{
	struct agreement_row ac;
	TRY(rec_decode(&rec_activation, value, &ac, e));
	return tell_policy(c, v, &ac, e);
}

/* Reconcile: whatever was on its way to a signature is asked for again. */
static enum err_code
ask_all_work(struct core *c, struct view *v, struct err *e)
{
	char last[ID_LEN] = "";
	for (;;) {
		struct bytes id;
		bool found;
		TRY(ca_work_next(v, bytes_str(last), c->arena, &id, &found, e));
		if (!found)
			return ERR_OK;
		snprintf(last, sizeof(last), "%.*s", BYTES_FMT(id));
		log_info("reconcile-sign", "request=%s", last);
		sign_ask(c, bytes_str(last));
	}
}

/* --- The delegated responder ------------------------------------------------- */

enum err_code
responder_take(struct core_issuer *i, struct bytes der, struct err *e)
{
	struct cert cert;
	TRY(cert_parse(der, &cert, e));
	TRY(spki_key_sha1(cert.spki, i->responder_key_hash, e));
	buf_reset(&i->responder);
	buf_put(&i->responder, der.p, der.len);
	TRY(spki_check(cert.spki, &i->responder_type, e));
	i->responder_not_before = cert.not_before;
	i->responder_not_after = cert.not_after;
	i->responder_retry_ms = 0;
	return buf_end(&i->responder, e);
}

bool
responder_is_last(const struct core_issuer *i, int64_t now)
{
	return i->has_no_key || now + SLOW_CLOCK_S >= i->ca.cert.not_after;
}

bool
responder_fails(const struct core_issuer *i)
{
	return !i->responder_asked &&
	       (i->responder_retry_ms > 0 || responder_is_last(i, clock_now()));
}

/* Of one that is made now: a clock that is slow accepts it at once. */
static int64_t
responder_end(const struct core_issuer *i, int64_t now)
{
	int64_t end = now - SLOW_CLOCK_S + i->responder_life_s - 1;
	return end < i->ca.cert.not_after ? end : i->ca.cert.not_after;
}

/*
 * Is there a responder's certificate for the key that ocsp-signer has?  Also
 * one that is almost over, when another would last no longer: the CA ends.
 */
static bool
responder_is_good(const struct core_issuer *i, int64_t now)
{
	if (i->responder.len == 0)
		return false;
	int64_t life = i->responder_not_after - i->responder_not_before;
	return memcmp(i->responder_key_hash, i->key->hash,
		   sizeof(i->key->hash)) == 0 &&
	       (now < i->responder_not_after - life / 3 ||
		   i->responder_not_after >= responder_end(i, now));
}

static enum err_code
responder_build(const struct core_issuer *i, int64_t now, struct buf *out,
    struct err *e)
{
	uint8_t serial[SERIAL_MAX];
	if (RAND_bytes(serial, sizeof(serial)) != 1)
		fatal("the random generator failed");
	/* Positive, and without a leading zero octet. */
	serial[0] = (uint8_t)(serial[0] % 0x7f + 1);
	char name[POLICY_NAME_MAX + 8];
	snprintf(name, sizeof(name), "OCSP %s", i->ca.name);
	/* Country and organization of the CA: its name constraints hold here. */
	struct bytes org = name_find(i->ca.cert.subject, OID_O);
	struct name_attr attrs[3] = { { OID_C, bytes_str("CL"),
	    STRING_USUAL } };
	size_t n = 1;
	if (org.len > 0)
		attrs[n++] = (struct name_attr){ OID_O, org, STRING_USUAL };
	attrs[n++] =
	    (struct name_attr){ OID_CN, bytes_str(name), STRING_USUAL };
	struct buf subject AUTO_BUF = BUF(NAME_DER_MAX);
	TRY(name_build(attrs, n, &subject, e));
	struct cert_spec spec = {
		.serial = bytes_of(serial, sizeof(serial)),
		.issuer = i->ca.cert.subject,
		.issuer_ski = i->ca.cert.ski,
		.issuer_type = i->ca.type,
		.subject = buf_bytes(&subject),
		.not_before = now - SLOW_CLOCK_S,
		.not_after = responder_end(i, now),
		.spki = bytes_of(i->key->spki, i->key->len),
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = { OID_EKU_OCSP },
		.n_eku = 1,
		.nocheck = true,
	};
	if (spec.not_before < i->ca.cert.not_before)
		spec.not_before = i->ca.cert.not_before;
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	TRY(cert_build_tbs(&spec, &tbs, e));
	return unsigned_assemble(buf_bytes(&tbs), key_type_sigalg(i->ca.type),
	    out, e);
}

void
sign_responder_check(struct core *c)
{
	struct err e;
	if (!c->signer_ready || !c->ocsp_ready || c->read_only)
		return;
	for (size_t n = 0; n < c->n_issuer; n++) {
		struct core_issuer *i = c->issuer[n];
		if (responder_is_last(i, clock_now()) || i->responder_asked ||
		    clock_mono_ms() < i->responder_retry_ms ||
		    (i->is_made && !i->is_held) ||
		    responder_is_good(i, clock_now()))
			continue;
		i->responder_retry_ms = clock_mono_ms() + RESPONDER_RETRY_MS;
		struct buf container AUTO_BUF = BUF(CERT_MAX_BYTES);
		if (responder_build(i, clock_now(), &container, &e) != ERR_OK) {
			log_err("responder-build", &e);
			continue;
		}
		struct signer_responder m = { .issuer = bytes_str(i->ca.name),
			.container = buf_bytes(&container) };
		struct buf body AUTO_BUF = BUF(32768);
		signer_responder_encode(&m, &body);
		i->responder_asked = true;
		peer_send(c->signer, SIGNER_RESPONDER, n, buf_bytes(&body));
	}
}

/* --- Answers -------------------------------------------------------------------- */

/*
 * The log has CRLs that the signer must have signed.  One that does not
 * remember them has lost its journal, and with it every serial and every
 * appointment that it ever judged.
 */
static enum err_code
compare_crl_numbers(struct core *c, struct err *e)
{
	for (size_t n = 0; n < c->hello.n_issuer; n++) {
		const struct core_issuer *i =
		    core_issuer_find(c, bytes_str(c->hello.issuer[n].issuer));
		if (i == NULL || i->crl_number <= c->hello.issuer[n].crl_number)
			continue;
		return err_say(e, ERR_CORRUPT, "signer-behind-ledger",
		    "the signer's journal does not know the last CRL of %s: an "
		    "old copy was put back or it is lost; restore "
		    "signer/journal",
		    i->ca.name);
	}
	return ERR_OK;
}

/*
 * The signer remembers the last checkpoint it signed.  A ledger that is
 * shorter, or that has another root there, was taken back or altered:
 * nothing is signed any more (INCIDENTS rows 39 and 63).
 */
static enum err_code
compare_with_signer(struct core *c, struct view *v, struct err *e)
{
	const struct signer_hello *h = &c->hello;
	uint64_t size = view_log_size(v);
	char there[24], here[24];
	snprintf(there, sizeof(there), "%llu",
	    (unsigned long long)h->checkpoint_size);
	snprintf(here, sizeof(here), "%llu", (unsigned long long)size);
	if (h->checkpoint_size > size)
		return err_say(e, ERR_CORRUPT, "ledger-behind-signer",
		    "the signer signed a checkpoint of %s entries and the "
		    "ledger has %s: an old copy was put back; restore the "
		    "newest one",
		    there, here);
	if (h->checkpoint_size == 0)
		return ERR_OK;
	struct tile_source tiles = view_tiles(v);
	struct merkle then;
	uint8_t root[HASH_LEN];
	TRY(merkle_load(h->checkpoint_size, &tiles, &then, e));
	merkle_root(&then, root);
	if (memcmp(root, h->checkpoint_root, HASH_LEN) != 0)
		return err_say(e, ERR_CORRUPT, "ledger-forked",
		    "the ledger differs from the checkpoint of %s entries "
		    "that the signer signed: entries were altered; restore a "
		    "copy that agrees",
		    there);
	return ERR_OK;
}

static void
signer_said_hello(struct core *c, struct bytes body)
{
	struct err e;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	enum err_code code = signer_hello_decode(body, c->arena, &c->hello, &e);
	if (code == ERR_OK)
		code = compare_crl_numbers(c, &e);
	if (code == ERR_OK)
		code = compare_with_signer(c, v, &e);
	if (code != ERR_OK) {
		core_read_only(c, &e);
		return;
	}
	c->hello_size = c->hello.checkpoint_size;
	c->signer_ready = true;
	log_info("signer-here", "checkpoint=%llu",
	    (unsigned long long)c->hello_size);
	for (size_t i = 0; i < c->hello.n_issuer; i++) {
		struct core_issuer *issuer =
		    core_issuer_find(c, bytes_str(c->hello.issuer[i].issuer));
		if (issuer != NULL)
			issuer->is_held = true;
		if (issuer != NULL)
			issuer->is_taken = c->hello.issuer[i].is_taken;
		if (issuer != NULL &&
		    c->hello.issuer[i].crl_number > issuer->crl_number)
			issuer->crl_number = c->hello.issuer[i].crl_number;
	}
	core_ceilings_told(c, v);
	/* A policy that began on its day before: what was intended since then
	 * is behind the checkpoint, and its beginning is not. */
	code = core_each_row(c, v, ROW_ACTIVATION, tell_signed_policy, &e);
	if (code == ERR_OK)
		code = follow_missed(c, v, c->hello_size, &e);
	/* And whatever may be known already, which changes nothing then. */
	if (code == ERR_OK)
		code = core_each_row(c, v, ROW_APPOINTMENT,
		    tell_ended_appointment, &e);
	if (code == ERR_OK)
		code = core_each_row(c, v, ROW_MANDATE, tell_ended_mandate, &e);
	if (code == ERR_OK)
		code =
		    core_each_row(c, v, ROW_ACTIVATION, tell_signed_policy, &e);
	if (code == ERR_OK)
		code = tell_cas(c, v, &e);
	if (code == ERR_OK)
		code = ask_all_work(c, v, &e);
	if (code != ERR_OK)
		core_read_only(c, &e);
	writer_wake(c);
}

static enum err_code
take_key(struct responder_key *k, struct bytes spki, struct err *e)
{
	TRY(spki_key_sha1(spki, k->hash, e));
	if (spki.len > sizeof(k->spki))
		return err_say(e, ERR_INVALID, "core-responder-key",
		    "the ocsp-signer has a key that is too long");
	memcpy(k->spki, spki.p, spki.len);
	k->len = spki.len;
	return ERR_OK;
}

static void
ocsp_said_hello(struct core *c, struct bytes body)
{
	struct err e;
	struct signer_hello h;
	if (signer_hello_decode(body, c->arena, &h, &e) != ERR_OK) {
		log_err("ocsp-hello", &e);
		return;
	}
	for (size_t i = 0; i < h.n_issuer && i < CONFIG_ISSUERS_MAX; i++) {
		if (take_key(&c->responder_key[i], h.responder_spki[i], &e) ==
		    ERR_OK)
			continue;
		log_err("ocsp-hello", &e);
		return;
	}
	c->ocsp_ready = true;
	log_info("ocsp-signer-here", "keys=%zu", h.n_issuer);
}

static void
responder_answered(struct core *c, const struct frame *f)
{
	if (f->id >= c->n_issuer)
		return;
	c->issuer[f->id]->ca.is_refused = (f->type & SIGNER_REFUSAL) != 0;
	if ((f->type & SIGNER_REFUSAL) != 0) {
		c->issuer[f->id]->responder_asked = false;
		return;
	}
	struct job *j = job_new(JOB_RESPONDER);
	snprintf(j->id, sizeof(j->id), "%s", c->issuer[f->id]->ca.name);
	buf_put(&j->body, f->body.p, f->body.len);
	writer_push(c, j);
}

static void
log_refusal(struct core *c, const struct frame *f)
{
	struct err refusal, e;
	if (err_decode(f->body, c->arena, &refusal, &e) == ERR_OK)
		log_err("signer-said-no", &refusal);
}

static enum err_code
on_signer_frame(void *ctx, struct peer *p, const struct frame *f, struct err *e)
{
	struct core *c = ctx;
	(void)p;
	uint16_t what = f->type & 0xff;
	if ((f->type & SIGNER_REFUSAL) != 0 && what != SIGNER_CERTIFICATE &&
	    what != SIGNER_EVIDENCE && what != SIGNER_CA_KEY)
		log_refusal(c, f);
	switch (what) {
	case SIGNER_HELLO:
		if (p == c->signer)
			signer_said_hello(c, f->body);
		else
			ocsp_said_hello(c, f->body);
		sign_responder_check(c);
		core_ready(c); /* if nothing is to be made anew */
		break;
	case SIGNER_CERTIFICATE:
		ask_answered(c, f);
		break;
	case SIGNER_CRL:
		crl_answer(c, f);
		break;
	case SIGNER_CHECKPOINT:
		publish_checkpoint(c, f);
		break;
	case SIGNER_RESPONDER:
		responder_answered(c, f);
		break;
	case SIGNER_AGREEMENT:
		if (f->id == CEILINGS_FRAME)
			core_ceilings_answer(c, f);
		else
			core_issuer_held(c, f->id,
			    (f->type & SIGNER_REFUSAL) == 0);
		break;
	case SIGNER_END:
		break;
	case SIGNER_EVIDENCE:
		evidence_answer(c, f);
		break;
	case SIGNER_CA_KEY:
		create_answer(c, f);
		break;
	case SIGNER_OCSP:
		answers_signed(c, f);
		break;
	default:
		return err_say(e, ERR_INVALID, "core-signer-frame",
		    "a signer sent a message that core does not know");
	}
	arena_reset(c->arena);
	publish_pump(c);
	crl_pump(c);
	reply_pump(c);
	return ERR_OK;
}

static void
on_signer_gone(void *ctx, struct peer *p)
{
	struct core *c = ctx;
	if (p == c->ocsp) {
		c->ocsp = NULL;
		c->ocsp_ready = false;
		answers_abandon(c);
		log_warn("ocsp-signer-away", "waits=%s", "status-answers");
	} else if (p == c->signer) {
		c->signer = NULL;
		c->signer_ready = false;
		c->seal.running = false;
		log_warn("signer-away", "waits=%s", "issuance");
		evidence_abandon(c);
		create_abandon(c);
		ask_abandon(c);
		crl_abandon(c);
		for (size_t i = 0; i < c->n_issuer; i++) {
			c->issuer[i]->responder_asked = false;
			c->issuer[i]->responder_retry_ms = 0;
			c->issuer[i]->is_held = c->issuer[i]->is_taken = false;
			c->issuer[i]->ca.is_refused = false;
		}
		c->greeted_again = false;
	}
}

static void
on_signer_written(void *ctx, struct peer *p)
{
	struct core *c = ctx;
	if (p == c->signer)
		crl_step(c);
}

void
sign_peer(struct core *c, enum role role, int fd)
{
	struct err e;
	struct peer **slot = role == ROLE_SIGNER ? &c->signer : &c->ocsp;
	if (*slot != NULL) {
		struct peer *old = *slot;
		on_signer_gone(c, old);
		peer_close(old);
	}
	struct peer_setup setup = { .loop = &c->loop,
		.fd = fd,
		.name = role_name(role),
		.cap = signer_cap,
		.frame = on_signer_frame,
		.gone = on_signer_gone,
		.written = on_signer_written,
		.ctx = c };
	if (peer_open(&setup, slot, &e) != ERR_OK) {
		log_err("peer-open", &e);
		return;
	}
	peer_send(*slot, SIGNER_HELLO, 0, BYTES_NONE);
}
