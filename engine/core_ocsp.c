/*
 * Status answers: what is due to be signed, batches of it on their way to the
 * ocsp-signer, and public/ when they come back.  A few batches are out at a
 * time, so that the key never waits for a write, and short enough for what
 * comes first to wait a few milliseconds.  First come changes (revoked,
 * suspended, reinstated), then what is new, then renewals in the order of
 * public_due(): what is not good, then the longest overdue; these keep a pace.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "counters.h"

#define DEFAULT_OCSP_S  (4 * DAY)
#define DEFAULT_REFRESH 50
/* With time to spare: a million in less than two minutes. */
#define RENEWED_PER_SECOND 10000
#define RENEWED_AT_ONCE    20

/* --- What is due -------------------------------------------------------------- */

static void
queue_grow(struct due_queue *q)
{
	size_t size = q->size == 0 ? 1024 : q->size * 2;
	struct due_answer *bigger = calloc(size, sizeof(*bigger));
	if (bigger == NULL)
		fatal("no memory for the queue of status answers");
	for (size_t i = 0; i < q->len; i++)
		bigger[i] = q->ring[(q->at + i) % q->size];
	free(q->ring);
	*q = (struct due_queue){ bigger, 0, q->len, size };
}

static void
queue_push(struct due_queue *q, const struct due_answer *d)
{
	if (q->len == q->size)
		queue_grow(q);
	q->ring[(q->at + q->len++) % q->size] = *d;
}

static struct due_answer
queue_pop(struct due_queue *q)
{
	struct due_answer d = q->ring[q->at];
	q->at = (q->at + 1) % q->size;
	q->len--;
	return d;
}

static struct due_answer
due_of(enum due_kind kind, struct bytes serial)
{
	if (serial.len == 0 || serial.len > SERIAL_MAX)
		fatal("a serial of %zu octets in the log", serial.len);
	struct due_answer d = { .kind = (uint8_t)kind,
		.serial_len = (uint8_t)serial.len };
	memcpy(d.serial, serial.p, serial.len);
	return d;
}

void
due_push(struct core *c, enum due_kind kind, struct bytes serial)
{
	struct due_answer d = due_of(kind, serial);
	queue_push(&c->due[kind], &d);
}

static bool
nothing_queued(const struct core *c)
{
	return c->due[DUE_CHANGED].len == 0 && c->due[DUE_NEW].len == 0;
}

size_t
due_count(const struct core *c)
{
	return c->due[DUE_CHANGED].len + c->due[DUE_NEW].len + c->refused.len;
}

/*
 * Due again, a second later: it would be refused again and again.  Acts of its
 * CA wait for it, those of others do not.
 */
static void
due_again(struct core *c, struct answer_item *item)
{
	/* A renewal is found due until it is done. */
	if (item->due.kind == DUE_REFRESH)
		return;
	item->issuer->n_late += !item->due.is_late;
	item->due.is_late = true;
	queue_push(&c->refused, &item->due);
}

/* Published, or never to be. */
static void
due_done(struct answer_item *item)
{
	item->issuer->n_late -= item->due.is_late;
	item->due.is_late = false;
}

/* --- One answer ---------------------------------------------------------------- */

/* Of a version that is no longer in force: the one that is. */
static const struct policy *
policy_of(const struct core *c, const struct cert_status *s)
{
	const struct policy *p = NULL;
	if (s->policy_sha256.len == SHA256_LEN)
		p = policy_find_hash(c->policies, s->policy_sha256.p);
	return p != NULL ? p : policy_find(c->policies, s->policy);
}

/* Not before the fact that it states, and never in the future. */
static int64_t
begins_at(const struct cert_status *s, bool revoked, int64_t now)
{
	int64_t fact = revoked ? s->revoked_at : s->intended;
	int64_t t = now - SLOW_CLOCK_S < fact ? fact : now - SLOW_CLOCK_S;
	return t < now ? t : now;
}

static void
item_of(const struct core_issuer *i, const struct cert_status *s,
    const struct policy *p, int64_t now, struct answer_item *item,
    struct ocsp_answer_spec *out)
{
	bool revoked = s->state == CERT_REVOKED || s->state == CERT_SUSPENDED;
	int64_t life = p == NULL ? DEFAULT_OCSP_S : p->ocsp_validity_s;
	*out = (struct ocsp_answer_spec){ .issuer = &i->ca.id,
		.serial = bytes_of(item->due.serial, item->due.serial_len),
		.responder_key_hash = bytes_of(i->responder_key_hash,
		    sizeof(i->responder_key_hash)),
		.state = revoked ? OCSP_REVOKED : OCSP_GOOD,
		.revoked_at = s->revoked_at,
		.reason = s->reason,
		.produced_at = now,
		.this_update = begins_at(s, revoked, now),
		.next_update = now + life,
		/* RFC 6960 4.4.8: of what was intended and never issued. */
		.extended_revoked = revoked && s->issued == 0 };
	if (out->next_update > i->responder_not_after)
		out->next_update = i->responder_not_after;
	if (p != NULL && p->ocsp_archive_s > 0)
		out->archive_cutoff = now - p->ocsp_archive_s;
	item->this_update = out->this_update;
	item->next_update = out->next_update;
	/* Earlier when the responder's certificate cuts its life short. */
	item->refresh_at = ocsp_refresh_at(out->this_update, out->next_update,
	    p == NULL ? DEFAULT_REFRESH : p->ocsp_refresh_percent);
	item->first = revoked;
	item->takes_nonce = p != NULL && p->ocsp_nonce;
}

/* Status after the end of a certificate is kept for as long as its policy
 * says (RFC 6960 4.4.4). */
static bool
is_over(const struct core_issuer *i, const struct cert_status *s,
    const struct policy *p, int64_t now)
{
	/* Nobody can sign it any more. */
	bool is_lost = i->has_no_key && i->responder_not_after <= now;
	int64_t kept = p == NULL || is_lost ? 0 : p->ocsp_archive_s;
	return now - kept > s->not_after;
}

static enum err_code
batch_add(struct core *c, struct view *v, struct answer_batch *b,
    const struct due_answer *due, int64_t now, struct err *e)
{
	struct cert_status status;
	struct ocsp_answer_spec spec;
	struct bytes serial = bytes_of(due->serial, due->serial_len);
	TRY(ca_status(v, serial, &status, e));
	struct core_issuer *i =
	    status.known ? core_issuer_find(c, status.issuer) : NULL;
	if (i == NULL)
		return ERR_OK; /* a minister's: nobody publishes its status */
	const struct policy *p = policy_of(c, &status);
	struct answer_item *item = &b->item[b->n++];
	*item = (struct answer_item){ .due = *due,
		.issuer = i,
		.ended = is_over(i, &status, p, now) };
	if (item->ended)
		return ERR_OK;
	if (i->responder_not_after <= now) {
		b->n--;
		if (responder_is_last(i, now))
			due_done(item);
		else
			due_again(c, item);
		return ERR_OK;
	}
	item_of(i, &status, p, now, item, &spec);
	buf_reset(&c->answer);
	TRY(ocsp_tbs_build(&spec, &c->answer, e));
	put_bytes(&b->tbs, buf_bytes(&c->answer));
	item->tbs_len = c->answer.len;
	item->tbs_at = b->tbs.len - item->tbs_len;
	b->asked++;
	return ERR_OK;
}

/* --- A batch on its way ---------------------------------------------------------- */

/* Serials that public_due() gives. */
struct due_found {
	struct due_answer due[SIGNER_OCSP_MAX];
	size_t n;
};

static void
due_found(void *ctx, uint16_t issuer, struct bytes serial)
{
	struct due_found *f = ctx;
	(void)issuer;
	f->due[f->n++] = due_of(DUE_REFRESH, serial);
}

/*
 * Renewal has half the life of an answer or so to be done in: it keeps a pace
 * that serving does not feel.  Behind by an eighth of that life, after a
 * downtime say, it hurries.
 */
static bool
is_late(const struct core *c, const struct answer_item *item, int64_t now)
{
	int64_t due = public_due_when(&c->renewed);
	return now - due > (item->next_update - item->this_update) / 8;
}

static bool
renewal_waits(const struct core *c)
{
	return clock_mono_ms() < c->renew_after_ms;
}

static enum err_code
batch_renew(struct core *c, struct view *v, struct answer_batch *b, int64_t now,
    struct err *e)
{
	struct due_found f = { .n = 0 };
	size_t first = b->n, most = SIGNER_OCSP_MAX - first;
	if (c->renewed_all || most == 0 || renewal_waits(c))
		return ERR_OK;
	if (!c->renews_late && most > RENEWED_AT_ONCE)
		most = RENEWED_AT_ONCE;
	TRY(public_renew(c->reader, e));
	enum err_code code =
	    public_due(c->reader, now, most, &c->renewed, due_found, &f, e);
	public_release(c->reader);
	TRY(code);
	c->renewed_all = f.n == 0;
	for (size_t i = 0; i < f.n; i++)
		TRY(batch_add(c, v, b, &f.due[i], now, e));
	c->renews_late = first < b->n && is_late(c, &b->item[first], now);
	if (!c->renews_late)
		c->renew_after_ms =
		    clock_mono_ms() + (int64_t)f.n * 1000 / RENEWED_PER_SECOND;
	return ERR_OK;
}

static enum err_code
batch_fill(struct core *c, struct view *v, struct answer_batch *b,
    struct err *e)
{
	int64_t now = clock_now();
	b->n = b->asked = 0;
	b->follows = b->tried = 0;
	buf_reset(&b->tbs);
	for (int kind = 0; kind < DUE_QUEUES; kind++) {
		while (c->due[kind].len > 0 && b->n < SIGNER_OCSP_MAX) {
			struct due_answer due = queue_pop(&c->due[kind]);
			TRY(batch_add(c, v, b, &due, now, e));
		}
	}
	/* Whatever was followed is in this batch or in those before it. */
	if (nothing_queued(c))
		b->tried = c->log_size;
	if (due_count(c) == 0)
		b->follows = c->log_size;
	return batch_renew(c, v, b, now, e);
}

/* Is it the first of its CA that is asked for? */
static bool
is_first(const struct answer_batch *b, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!b->item[k].ended && b->item[k].issuer == b->item[n].issuer)
			return false;
	return !b->item[n].ended;
}

static void
put_responder(const struct core_issuer *i, struct buf *responders,
    struct buf *cas)
{
	put_bytes(responders, buf_bytes(&i->responder));
	put_bytes(cas, buf_bytes(&i->der));
}

static enum err_code
batch_send(struct core *c, struct answer_batch *b, struct err *e)
{
	struct buf body AUTO_BUF = BUF(OCSP_FRAME_MAX);
	struct buf responders AUTO_BUF = BUF(OCSP_FRAME_MAX);
	struct buf cas AUTO_BUF = BUF(OCSP_FRAME_MAX);
	for (size_t n = 0; n < b->n; n++)
		if (is_first(b, n))
			put_responder(b->item[n].issuer, &responders, &cas);
	struct signer_ocsp m = { buf_bytes(&responders), buf_bytes(&cas),
		buf_bytes(&b->tbs) };
	signer_ocsp_encode(&m, &body);
	TRY(buf_end(&body, e));
	b->id = ++c->next_id;
	peer_send(c->ocsp, SIGNER_OCSP, b->id, buf_bytes(&body));
	return ERR_OK;
}

/* --- And back ------------------------------------------------------------------------ */

static enum err_code
put_item(struct core *c, struct public_txn *t, const struct answer_batch *b,
    const struct answer_item *item, struct bytes signature, struct err *e)
{
	uint8_t room[PUBLIC_KEY_MAX];
	struct buf *answer = &c->answer;
	const struct core_issuer *i = item->issuer;
	struct bytes key = public_ocsp_key(room, i->place,
	    bytes_of(item->due.serial, item->due.serial_len));
	if (item->ended)
		return public_del(t, key, e);
	buf_reset(answer);
	TRY(ocsp_assemble(bytes_of(b->tbs.p + item->tbs_at, item->tbs_len),
	    key_type_sigalg(i->responder_type), signature,
	    buf_bytes(&i->responder), answer, e));
	struct public_row row = { .this_update = item->this_update,
		.next_update = item->next_update,
		.refresh_at = item->refresh_at,
		.first = item->first,
		.takes_nonce = item->takes_nonce,
		.type = "application/ocsp-response",
		.body = buf_bytes(answer) };
	count(COUNT_PUBLISHED, 1);
	return public_put(t, key, &row, e);
}

static enum err_code
put_batch(struct core *c, struct public_txn *t, struct answer_batch *b,
    struct bytes signatures, struct err *e)
{
	bool refused = false;
	for (size_t i = 0; i < b->n; i++) {
		struct bytes signature = BYTES_NONE;
		if (!b->item[i].ended)
			(void)signer_next(&signatures, &signature);
		if (b->item[i].ended || signature.len > 0) {
			TRY(put_item(c, t, b, &b->item[i], signature, e));
			due_done(&b->item[i]);
			continue;
		}
		due_again(c, &b->item[i]);
		refused = true;
	}
	/* Nothing counts as published that is not. */
	for (size_t i = 0; refused && i < BATCHES_MAX; i++)
		c->batch[i].follows = 0;
	if (b->follows > c->answered)
		c->answered = b->follows;
	if (b->tried > c->tried)
		c->tried = b->tried;
	return public_put_meta(t, published_to(c), e);
}

static struct answer_batch *
batch_oldest(struct core *c)
{
	return &c->batch[c->batch_at % BATCHES_MAX];
}

static void
batch_end(struct core *c, struct bytes signatures)
{
	struct err e;
	struct public_txn *t = NULL;
	struct answer_batch *b = batch_oldest(c);
	enum err_code code = public_begin(c->public, &t, &e);
	if (code == ERR_OK)
		code = put_batch(c, t, b, signatures, &e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), &e);
	public_abort(t);
	if (code != ERR_OK)
		core_read_only(c, &e);
	c->batch_at++;
	c->batches_out--;
	c->published = published_to(c);
	count(COUNT_ROUNDS, 1);
	gauge(COUNT_DUE, due_count(c));
}

/*
 * Signatures alone come back, in the order of the question: what is published
 * is what was built here, and a signature of something else does not verify.
 */
void
answers_signed(struct core *c, const struct frame *f)
{
	if (c->batches_out == 0 || batch_oldest(c)->id != f->id)
		return;
	batch_end(c, (f->type & SIGNER_REFUSAL) != 0 ? BYTES_NONE : f->body);
}

void
answers_abandon(struct core *c)
{
	for (; c->batches_out > 0; c->batches_out--, c->batch_at++) {
		struct answer_batch *b = batch_oldest(c);
		for (size_t i = 0; i < b->n; i++)
			due_again(c, &b->item[i]);
	}
}

/* --- Turning ------------------------------------------------------------------------- */

static bool
nothing_due(const struct core *c)
{
	return nothing_queued(c) && (c->renewed_all || renewal_waits(c));
}

static void
on_renew(uv_timer_t *timer)
{
	struct core *c = timer->data;
	answers_pump(c);
	arena_reset(c->arena);
}

static void
renew_later(struct core *c)
{
	int64_t wait = c->renew_after_ms - clock_mono_ms();
	if (!c->renewed_all && wait > 0)
		uv_timer_start(&c->renew, on_renew, (uint64_t)wait, 0);
}

void
answers_pump(struct core *c)
{
	struct err e;
	struct view *v;
	while (!nothing_due(c) && c->batches_out < BATCHES_MAX &&
	       !c->read_only && c->ocsp_ready && (v = core_view(c)) != NULL) {
		struct answer_batch *b =
		    &c->batch[(c->batch_at + c->batches_out) % BATCHES_MAX];
		enum err_code code = batch_fill(c, v, b, &e);
		if (code == ERR_OK && b->asked > 0)
			code = batch_send(c, b, &e);
		if (code != ERR_OK) {
			core_read_only(c, &e);
			return;
		}
		if (b->n == 0)
			continue;
		c->batches_out++;
		/* One that has nothing to sign goes with those before it. */
		while (c->batches_out > 0 && batch_oldest(c)->asked == 0)
			batch_end(c, BYTES_NONE);
	}
	renew_later(c);
	if (nothing_queued(c) && c->batches_out == 0)
		c->tried = c->log_size;
	if (due_count(c) == 0 && c->batches_out == 0)
		c->answered = c->log_size;
	c->published = published_to(c);
}

/* Each second: what was refused is tried again, and renewals are looked for
 * from the beginning unless some are still out. */
void
answers_second(struct core *c)
{
	while (c->refused.len > 0) {
		struct due_answer d = queue_pop(&c->refused);
		queue_push(&c->due[d.kind], &d);
	}
	if (c->renewed_all && c->batches_out == 0) {
		c->renewed.len = 0;
		c->renewed_all = false;
	}
}

void
answers_open(struct core *c)
{
	uv_timer_init(&c->loop, &c->renew);
	c->renew.data = c;
	c->answer = BUF(OCSP_ANSWER_MAX);
	for (size_t i = 0; i < BATCHES_MAX; i++)
		c->batch[i].tbs = BUF(OCSP_FRAME_MAX);
}

void
answers_close(struct core *c)
{
	for (size_t i = 0; i < BATCHES_MAX; i++)
		buf_fini(&c->batch[i].tbs);
	for (size_t i = 0; i < DUE_QUEUES; i++)
		free(c->due[i].ring);
	free(c->refused.ring);
	buf_fini(&c->answer);
}
