/*
 * Answers to front: at once for what is only written, later for what must be
 * signed or published first.  Nothing is acknowledged before its commit.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* A committed act is answered after this long even if publication lags. */
#define WAIT_MAX_MS 20000

void
reply_refusal(struct peer *front, uint16_t type, uint64_t id,
    const struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(4096);
	err_encode(refusal, &body);
	peer_send(front, (uint16_t)(type | CORE_REFUSAL), id, buf_bytes(&body));
}

/* The present row of what the act was about. */
static void
reply_object(struct core *c, struct peer *front, uint64_t id, bool whole,
    struct bytes object)
{
	struct err e;
	struct bytes value;
	bool found = false;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	struct buf body AUTO_BUF = BUF(CORE_ANSWER_MAX);
	enum err_code code = view_get(v, object, &value, &found, &e);
	if (code == ERR_OK && found && whole)
		code = rec_whole(v, object, value, c->arena, &value, &e);
	if (code == ERR_OK && found) {
		rows_put(&body, object, value);
		peer_send(front, CORE_COMMAND | CORE_ANSWER, id,
		    buf_bytes(&body));
	} else {
		if (code == ERR_OK)
			err_say(&e, ERR_CORRUPT, "core-object-missing",
			    "the act was written but its record is missing");
		reply_refusal(front, CORE_COMMAND, id, &e);
	}
}

static bool
is_front(const struct core *c, const struct peer *p)
{
	for (size_t i = 0; p != NULL && i < FRONTS_MAX; i++) {
		if (c->front[i] == p)
			return true;
	}
	return false;
}

/* The CA whose status the act changes, of which there is one; NULL: none. */
static const struct core_issuer *
issuer_of(struct core *c, const struct job *j)
{
	struct err e;
	struct view *v = core_view(c);
	const struct core_issuer *found = NULL;
	for (size_t i = 0; v != NULL && found == NULL && i < j->n_entry; i++) {
		struct cert_status s;
		struct bytes serial =
		    bytes_of(j->entry[i].serial, j->entry[i].serial_len);
		if (serial.len == 0)
			continue;
		if (ca_status(v, serial, &s, &e) != ERR_OK)
			core_read_only(c, &e);
		else if (s.known)
			found = core_issuer_find(c, s.issuer);
	}
	return found;
}

static void
wait_for(struct core *c, const struct job *j)
{
	struct waiter *w = calloc(1, sizeof(*w));
	if (w == NULL)
		fatal("no memory for an answer that waits");
	w->front = j->front;
	w->frame_id = j->frame_id;
	w->whole = j->whole;
	memcpy(w->object, j->object, j->object_len);
	w->object_len = j->object_len;
	w->log_size = j->waits ? 0 : j->log_size;
	w->needs_crl = j->changes_status;
	w->issuer = issuer_of(c, j);
	w->since_ms = clock_mono_ms();
	TAILQ_INSERT_TAIL(&c->waiters, w, link);
}

void
reply_job(struct core *c, struct job *j)
{
	if (!is_front(c, j->front))
		return;
	if (j->code != ERR_OK)
		reply_refusal(j->front, CORE_COMMAND, j->frame_id, &j->err);
	else if (j->waits || (j->changes_status && j->n_entry > 0))
		wait_for(c, j);
	else
		reply_object(c, j->front, j->frame_id, j->whole,
		    bytes_of(j->object, j->object_len));
}

/* The signer's answer about an object was written at j->log_size. */
void
reply_resolved(struct core *c, const struct job *j)
{
	struct waiter *w;
	struct bytes object = bytes_of(j->object, j->object_len);
	TAILQ_FOREACH (w, &c->waiters, link) {
		if (w->log_size == 0 &&
		    bytes_eq(bytes_of(w->object, w->object_len), object)) {
			w->log_size = j->log_size;
			w->issuer = issuer_of(c, j);
		}
	}
}

/* A CA that cannot sign, or that has nobody who answers for it, holds up what
 * was done with its own certificates, and nothing else. */
static bool
is_ready(const struct core *c, const struct waiter *w)
{
	const struct core_issuer *i = w->issuer;

	if (clock_mono_ms() - w->since_ms > WAIT_MAX_MS)
		return true;
	if (w->log_size == 0)
		return false;
	if (c->tried < w->log_size || c->sealed < w->log_size)
		return false;
	return i == NULL || (i->n_late == 0 &&
				(!w->needs_crl || crl_covers(i, w->log_size)));
}

void
reply_pump(struct core *c)
{
	struct waiter *w = TAILQ_FIRST(&c->waiters);
	while (w != NULL) {
		struct waiter *next = TAILQ_NEXT(w, link);
		if (w->front == NULL || is_ready(c, w)) {
			if (w->front != NULL)
				reply_object(c, w->front, w->frame_id, w->whole,
				    bytes_of(w->object, w->object_len));
			TAILQ_REMOVE(&c->waiters, w, link);
			free(w);
		}
		w = next;
	}
}

void
reply_forget(struct core *c, const struct peer *front)
{
	struct waiter *w;
	TAILQ_FOREACH (w, &c->waiters, link) {
		if (w->front == front)
			w->front = NULL;
	}
}
