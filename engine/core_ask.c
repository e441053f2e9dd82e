/*
 * core_ask - the certificates that the signer is asked for: so many ahead that
 * it never waits for core, and the others here.  What it is sent it takes in
 * turn, and one signature by RSA takes as long as thirty pieces of evidence,
 * which are the way to the next certificates, or the checkpoint that an answer
 * waits for: behind all that wait these would wait too (decision 0057).
 */
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

#define AHEAD_SLOW 20 /* of keys other than P-256: more than a round */
#define AHEAD_FAST 512

/* One request, by the id of its frame. */
struct ask {
	TAILQ_ENTRY(ask) link;
	uint64_t frame;
	size_t ahead; /* how many may be; 0: not known yet */
};

/*
 * The frame of a certificate carries its request in its id, so that nothing
 * has to be remembered: "SOL-2026-000123" is letter, year and number.
 */
static uint64_t
frame_of_id(struct bytes id)
{
	int64_t year, number;
	if (id.len < 10 || id.len >= ID_LEN || id.p[3] != '-' ||
	    id.p[8] != '-' || !dec_parse(bytes_of(id.p + 4, 4), &year))
		return 0;
	struct bytes digits = bytes_of(id.p + 9, id.len - 9);
	while (digits.len > 1 && digits.p[0] == '0')
		digits = bytes_of(digits.p + 1, digits.len - 1);
	if (!dec_parse(digits, &number))
		return 0;
	return (uint64_t)id.p[0] << 56 | (uint64_t)year << 40 |
	       (uint64_t)number;
}

static void
id_of_frame(char out[ID_LEN], uint64_t frame)
{
	snprintf(out, ID_LEN, "%s-%04u-%06llu",
	    frame >> 56 == 'S' ? "SOL" : "NOM",
	    (unsigned)(frame >> 40 & 0xffff),
	    (unsigned long long)(frame & 0xffffffffff));
}

static void
ask_send(struct core *c, uint64_t frame, const struct work *w)
{
	struct signer_certificate m = { .issuer = w->issuer,
		.container = w->container,
		.statement = w->statement,
		.evidence = w->evidence,
		.renewed = w->renewed,
		.proof = w->proof };
	struct buf body AUTO_BUF = BUF(CERT_FRAME_MAX);
	signer_certificate_encode(&m, &body);
	peer_send(c->signer, SIGNER_CERTIFICATE, frame, buf_bytes(&body));
	c->asks_out++;
}

static size_t
ahead_of(struct core *c, const struct work *w)
{
	const struct core_issuer *i = core_issuer_find(c, w->issuer);
	return i == NULL || i->ca.type == KEY_EC_P256 ? AHEAD_FAST : AHEAD_SLOW;
}

/* False: the first one has to wait. */
static bool
ask_next(struct core *c, struct ask *first)
{
	char id[ID_LEN];
	struct work w;
	struct err e;
	if (first->ahead > 0 && c->asks_out >= first->ahead)
		return false;
	struct view *v = core_view(c);
	if (v == NULL)
		return true; /* nothing is signed any more */
	id_of_frame(id, first->frame);
	enum err_code code = ca_work(v, bytes_str(id), c->arena, &w, &e);
	first->ahead = code == ERR_OK ? ahead_of(c, &w) : 0;
	if (code == ERR_OK && c->asks_out >= first->ahead)
		return false;
	if (code == ERR_OK)
		ask_send(c, first->frame, &w);
	else if (code != ERR_NOTFOUND)
		log_err("sign-ask", &e);
	return true;
}

static void
ask_drop(struct core *c, struct ask *a)
{
	TAILQ_REMOVE(&c->asks, a, link);
	free(a);
}

static void
ask_pump(struct core *c)
{
	struct ask *a;
	while ((a = TAILQ_FIRST(&c->asks)) != NULL && ask_next(c, a))
		ask_drop(c, a);
}

void
sign_ask(struct core *c, struct bytes id)
{
	if (!c->signer_ready)
		return; /* asked again when it is back */
	struct ask *a = calloc(1, sizeof(*a));
	if (a == NULL)
		fatal("no memory for a request");
	a->frame = frame_of_id(id);
	TAILQ_INSERT_TAIL(&c->asks, a, link);
	ask_pump(c);
}

/* They are asked for again by the rows of work, when the signer is back. */
void
ask_abandon(struct core *c)
{
	c->asks_out = 0;
	while (!TAILQ_EMPTY(&c->asks))
		ask_drop(c, TAILQ_FIRST(&c->asks));
}

void
ask_answered(struct core *c, const struct frame *f)
{
	struct err e;
	struct job *j = job_new(JOB_SIGNED);
	c->asks_out -= c->asks_out > 0;
	ask_pump(c);
	id_of_frame(j->id, f->id);
	if ((f->type & SIGNER_REFUSAL) == 0)
		buf_put(&j->body, f->body.p, f->body.len);
	else if (err_decode(f->body, c->arena, &j->refusal, &e) == ERR_OK) {
		job_keep_refusal(j);
		log_warn("signer-refused", "request=%s id=%s", j->id,
		    j->refusal.id);
	} else {
		log_err("signer-refusal", &e);
		job_free(j);
		return;
	}
	c->jobs_out++;
	prover_push(c, j);
}
