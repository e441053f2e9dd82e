#include <openssl/rand.h>
#include <string.h>

#include <refrendo/signer.h>

#include "counters.h"
#include "status_ask.h"

/* --- Answering a client --------------------------------------------------------- */

/* Without a signature: what was signed ahead of time, or later. */
static void
put_otherwise(struct status_ask *a, const struct http_request *r,
    const struct status_question *q)
{
	struct public_row row;
	count(COUNT_NO_BUDGET, 1);
	buf_reset(&a->out);
	if (a->reads(a->ctx) && status_published(a->view, q, &row)) {
		count(COUNT_ANSWER_MAP, 1);
		status_row(a->view, r, &row, row.body, &a->out);
		return;
	}
	count(COUNT_OCSP_LATER, 1);
	status_ocsp(a->view, r->keep_alive, r->method == HTTP_HEAD,
	    ocsp_error_answer(OCSP_TRY_LATER), &a->out);
}

static void
put_composed(struct status_ask *a, const struct http_request *r,
    struct bytes der)
{
	struct ocsp_answer answer;
	struct err e;
	buf_reset(&a->out);
	if (ocsp_answer_parse(der, &answer, &e) != ERR_OK) {
		log_err("status-composed", &e);
		count(COUNT_OCSP_INTERNAL, 1);
		der = ocsp_error_answer(OCSP_INTERNAL);
		answer.n_single = 0;
	}
	struct public_row row = { .type = "application/ocsp-response",
		.next_update = NEVER };
	for (size_t i = 0; i < answer.n_single; i++) {
		const struct ocsp_single *s = &answer.single[i];
		if (s->this_update > row.this_update)
			row.this_update = s->this_update;
		if (s->next_update < row.next_update)
			row.next_update = s->next_update;
		if (s->state == OCSP_UNKNOWN)
			row.next_update = 0;
	}
	bool cached = answer.n_single > 0 && row.next_update > 0;
	if (answer.n_single > 0)
		count(cached ? COUNT_ANSWER_SIGNED : COUNT_ANSWER_UNKNOWN, 1);
	/* What says unknown is not kept: it may be issued tomorrow. */
	if (!cached) {
		status_ocsp(a->view, r->keep_alive, r->method == HTTP_HEAD, der,
		    &a->out);
		return;
	}
	uint8_t hash[SHA256_LEN];
	sha256(hash, der);
	hex_print(row.etag, bytes_of(hash, 16));
	status_row(a->view, r, &row, der, &a->out);
}

/* Frees the slot.  der empty: otherwise. */
static void
answer_slot(struct status_ask *a, size_t slot, struct bytes der)
{
	struct asked *w = &a->asked[slot];
	struct net_conn *conn = w->conn;
	const struct http_request r = { .method = w->method,
		.keep_alive = w->keep_alive };
	if (w->is_sent)
		a->n_sent--;
	w->conn = NULL;
	w->turn++;
	w->is_sent = false;
	a->view->now = clock_now();
	if (der.len > 0)
		put_composed(a, &r, der);
	else
		put_otherwise(a, &r, &w->question);
	net_answer_held(conn, buf_bytes(&a->out), r.keep_alive);
}

/* --- The ocsp-signer ---------------------------------------------------------------- */

/* As many as may be there at once, in turns by address. */
static void
ask_pump(struct status_ask *a)
{
	while (a->peer != NULL && a->n_sent < ASK_AT_ONCE) {
		struct err e;
		struct buf body AUTO_BUF = BUF(COMPOSE_FRAME_MAX);
		uint16_t slot = fair_next(&a->fair);
		if (slot == FAIR_NONE)
			return;
		struct asked *w = &a->asked[slot];
		if (!a->reads(a->ctx) || status_compose(a->view, &w->question,
					     &body, &e) != ERR_OK) {
			answer_slot(a, slot, BYTES_NONE);
			continue;
		}
		w->is_sent = true;
		w->deadline_ms = clock_mono_ms() + ASK_MS;
		a->n_sent++;
		peer_send(a->peer, SIGNER_COMPOSE,
		    (uint64_t)w->turn * FAIR_PLACES + slot, buf_bytes(&body));
	}
}

static enum err_code
on_frame(void *ctx, struct peer *p, const struct frame *f, struct err *e)
{
	struct status_ask *a = ctx;
	(void)p;
	struct asked *w = &a->asked[f->id % FAIR_PLACES];
	if ((f->type & 0xff) != SIGNER_COMPOSE || f->id / FAIR_PLACES > w->turn)
		return err_say(e, ERR_INVALID, "status-ocsp-frame",
		    "the ocsp-signer sent what status did not ask for");
	/* Too late: that client has had its answer, and another may have its
	 * place. */
	if (f->id / FAIR_PLACES == w->turn && w->is_sent)
		answer_slot(a, f->id % FAIR_PLACES,
		    (f->type & SIGNER_REFUSAL) != 0 ? BYTES_NONE : f->body);
	ask_pump(a);
	return ERR_OK;
}

static void
answer_all(struct status_ask *a)
{
	while (fair_next(&a->fair) != FAIR_NONE)
		continue;
	for (size_t i = 0; i < FAIR_PLACES; i++) {
		if (a->asked[i].conn != NULL)
			answer_slot(a, i, BYTES_NONE);
	}
}

static void
on_gone(void *ctx, struct peer *p)
{
	struct status_ask *a = ctx;
	if (a->peer != p)
		return;
	a->peer = NULL;
	answer_all(a);
}

void
ask_peer(struct status_ask *a, int fd)
{
	struct err e;
	if (a->peer != NULL) {
		struct peer *old = a->peer;
		on_gone(a, old);
		peer_close(old);
	}
	struct peer_setup setup = { .loop = a->loop,
		.fd = fd,
		.name = "ocsp-signer",
		.cap = signer_cap,
		.frame = on_frame,
		.gone = on_gone,
		.ctx = a };
	if (peer_open(&setup, &a->peer, &e) != ERR_OK)
		log_err("peer-open", &e);
}

/* --- Asking --------------------------------------------------------------------------- */

static uint16_t
free_slot(const struct status_ask *a)
{
	for (uint16_t i = 0; i < FAIR_PLACES; i++) {
		if (a->asked[i].conn == NULL)
			return i;
	}
	return FAIR_NONE;
}

void
ask_question(struct status_ask *a, struct net_conn *c,
    const struct http_request *r, const struct status_question *q)
{
	struct fair_address who;
	int64_t now = clock_mono_ms();
	uint16_t slot = FAIR_NONE;
	net_peer_address(c, who.octets);
	if (a->peer != NULL && fair_allows(&a->fair, &who, now)) {
		slot = free_slot(a);
		if (slot == FAIR_NONE) {
			slot = fair_give_way(&a->fair, &who);
			if (slot != FAIR_NONE)
				answer_slot(a, slot, BYTES_NONE);
		}
	}
	if (slot == FAIR_NONE) {
		put_otherwise(a, r, q);
		net_answer(c, buf_bytes(&a->out), r->keep_alive);
		return;
	}
	struct asked *w = &a->asked[slot];
	w->conn = net_hold(c);
	w->method = r->method;
	w->keep_alive = r->keep_alive;
	w->deadline_ms = now + ASK_WAIT_MS;
	w->question = *q;
	fair_wait(&a->fair, &who, slot);
	ask_pump(a);
}

void
ask_second(struct status_ask *a)
{
	int64_t now = clock_mono_ms();
	for (uint16_t i = 0; i < FAIR_PLACES; i++) {
		struct asked *w = &a->asked[i];
		if (w->conn == NULL || now < w->deadline_ms)
			continue;
		if (!w->is_sent)
			fair_leave(&a->fair, i);
		answer_slot(a, i, BYTES_NONE);
	}
	ask_pump(a);
}

void
ask_open(struct status_ask *a)
{
	uint8_t key[16];
	if (RAND_bytes(key, sizeof(key)) != 1)
		fatal("the random generator failed");
	fair_init(&a->fair, key);
	a->out = BUF(OCSP_ANSWER_MAX + 4096);
}

void
ask_close(struct status_ask *a)
{
	buf_fini(&a->out);
}
