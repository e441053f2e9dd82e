/*
 * CRLs: which one is due, and what becomes of it.  One is made at a time:
 * built from the projections of one log size, judged and signed by the signer
 * as it is written, checked, entered in the log, then published; so the list
 * in public/ is never one that the log does not know.
 */
#include <stdio.h>
#include <string.h>

#include "core_crl.h"

#define RETRY_MS      1000
#define SECOND_MS     100 /* until the second is looked at again */
#define LOOK_MS       250 /* until all lists are looked through again */
#define SWEEP_GRACE_S 60

/* --- Which one is due ---------------------------------------------------------------- */

/*
 * One partition is always published before a certificate can name it: there
 * is a next one, empty, as soon as the present one is in use (INCIDENTS 60).
 */
static enum err_code
open_next(struct core *c, struct err *e)
{
	for (size_t n = 0; n < c->n_issuer; n++) {
		struct core_issuer *i = c->issuer[n];
		struct partition_row row;
		if (!crl_terms(c, i).partitions)
			continue;
		struct view *v = core_view(c);
		if (v == NULL)
			return ERR_OK;
		TRY(ca_partitions(v, bytes_str(i->ca.name), c->arena, &row, e));
		if (row.open <= row.current)
			(void)crl_list(i, row.open + 1);
	}
	return ERR_OK;
}

static bool
list_is_due(struct core_issuer *i, const struct core_crl *l, struct crl_terms t)
{
	if (l->is_delta)
		return delta_is_due(i, l, t, clock_now());
	if (l->is_wanted || delta_wants_complete(l, t))
		return true;
	return clock_now() >=
	       crl_due_at(l->this_update, l->next_update, t.every) -
		   crl_jitter(i, l, t.every);
}

/* A list and its delta that begin in one second would have to have one number
 * and say the same (RFC 5280 5.2.4). */
static bool
is_same_second(struct core_issuer *i, const struct core_crl *l)
{
	const struct core_crl *other = crl_twin(i, l);
	return other != NULL && other->number > 0 &&
	       other->this_update >= clock_now();
}

static void
on_pace(uv_timer_t *timer)
{
	struct core *c = timer->data;
	c->crl_look_ms = 0;
	crl_pump(c);
	reply_pump(c);
	arena_reset(c->arena);
}

/* May it begin now?  If only the second has to pass, it is asked again. */
static bool
list_may_begin(struct core *c, struct core_issuer *i, const struct core_crl *l,
    struct crl_terms t, bool wanted)
{
	if (i->has_no_key || (wanted && !l->is_wanted) ||
	    clock_mono_ms() < l->retry_at || !list_is_due(i, l, t))
		return false;
	if (!is_same_second(i, l))
		return true;
	uv_timer_start(&c->crl_pace, on_pace, SECOND_MS, 0);
	return false;
}

void
crl_want(struct core *c, const struct cert_status *s)
{
	struct core_issuer *i = core_issuer_find(c, s->issuer);
	const struct policy *p = NULL;
	c->crl_look_ms = 0;
	if (s->policy_sha256.len == SHA256_LEN)
		p = policy_find_hash(c->policies, s->policy_sha256.p);
	/* A policy may leave it to the next periodic one. */
	if (i == NULL || (p != NULL && !p->crl_on_revoke))
		return;
	if (p == NULL)
		p = policy_find(c->policies, s->policy);
	/* The list that the certificate names, or its delta; the full one
	 * beside it, which may be long, follows by its period. */
	if (crl_terms(c, i).delta > 0 && (p == NULL || p->crl_delta_s > 0))
		delta_want(i, s->partition);
	else
		crl_list(i, s->partition)->is_wanted = true;
}

/* --- Beginning one ------------------------------------------------------------------ */

static void
build_ended(uv_work_t *work, int status)
{
	struct crl_build *b = work->data;
	(void)status;
	b->has_ended = true;
	crl_step(b->core);
}

static void
urls_fill(struct core *c, struct crl_build *b, const char *issuer,
    bool names_deltas)
{
	const char *at = c->inst->config.public_url;
	if (b->partition > 0) {
		crl_url(b->url, at, issuer, b->partition, false);
		b->spec.url = bytes_str(b->url);
	}
	if (names_deltas) {
		crl_url(b->freshest, at, issuer, b->partition, true);
		b->spec.freshest = bytes_str(b->freshest);
	}
}

static void
spec_fill(struct core *c, struct crl_build *b, struct core_issuer *i,
    struct crl_terms t)
{
	int64_t now = clock_now();
	b->spec = (struct crl_spec){ .issuer = i->ca.cert.subject,
		.issuer_ski = i->ca.cert.ski,
		.issuer_type = i->ca.type,
		.number = (uint64_t)i->crl_number + 1,
		.this_update = now,
		.next_update = now + t.every + t.overlap };
	if (b->is_delta)
		delta_spec(b, i, now, t);
	urls_fill(c, b, i->ca.name, !b->is_delta && t.delta > 0);
}

static enum err_code
build_begin(struct core *c, struct core_issuer *i, struct core_crl *l,
    struct err *e)
{
	AUTO(crl_build) b = NULL;
	TRY(crl_build_new(c, &b, e));
	TRY(digest_new(i->ca.cert.spki, &b->digest, e));
	if (clock_mono_ms() >= c->crl_sweep_ms) {
		TRY(public_file_sweep(c->public, SWEEP_GRACE_S, e));
		c->crl_sweep_ms = clock_mono_ms() + SWEEP_GRACE_S * 1000;
	}
	b->issuer = i;
	b->partition = l->partition;
	b->is_delta = l->is_delta;
	b->drop_before = l->periodic;
	b->id = ++c->next_id;
	b->since_ms = clock_mono_ms();
	snprintf(b->issuer_name, sizeof(b->issuer_name), "%s", i->ca.name);
	struct crl_terms t = crl_terms(c, i);
	spec_fill(c, b, i, t);
	/* One that comes when a periodic one would be due counts as that. */
	bool is_periodic = b->spec.this_update >= l->periodic + t.every;
	b->periodic = is_periodic ? b->spec.this_update : l->periodic;
	/* What changes from here on is not in it. */
	l->is_wanted = false;
	l->is_building = true;
	b->work.data = b;
	c->crl = b;
	if (uv_queue_work(&c->loop, &b->work, crl_build_run, build_ended) != 0)
		fatal("a thread cannot be asked for a CRL");
	b = NULL;
	return ERR_OK;
}

/* The next list after the one that was made last, so that each has its turn;
 * those that are wanted before those that are only due. */
static bool
next_due(struct core *c, bool wanted, struct core_issuer **issuer,
    struct core_crl **list)
{
	for (size_t turn = 0; turn < 2; turn++) {
		size_t n = 0;
		for (size_t i = 0; i < c->n_issuer; i++) {
			struct core_issuer *is = c->issuer[i];
			struct crl_terms t = crl_terms(c, is);
			if (is->is_made && !is->is_held)
				continue; /* nobody would sign it */
			for (size_t k = 0; k < is->n_crl; k++, n++) {
				if ((turn == 0) != (n > c->crl_turn) ||
				    !list_may_begin(c, is, &is->crl[k], t,
					wanted))
					continue;
				c->crl_turn = n;
				*issuer = is;
				*list = &is->crl[k];
				return true;
			}
		}
	}
	return false;
}

void
crl_pump(struct core *c)
{
	struct core_issuer *i;
	struct core_crl *l;
	struct err e;
	if (c->crl != NULL)
		crl_step(c); /* perhaps the signer took no descriptor */
	if (c->crl != NULL || !c->signer_ready || c->read_only || c->stopping ||
	    clock_mono_ms() < c->crl_look_ms)
		return;
	if (open_next(c, &e) != ERR_OK || deltas_turn(c, &e) != ERR_OK) {
		core_read_only(c, &e);
		return;
	}
	if (!next_due(c, true, &i, &l) && !next_due(c, false, &i, &l)) {
		c->crl_look_ms = clock_mono_ms() + LOOK_MS;
		return;
	}
	if (build_begin(c, i, l, &e) != ERR_OK) {
		log_err("crl-begin", &e);
		l->retry_at = clock_mono_ms() + RETRY_MS;
	}
}

/* --- Its pieces ----------------------------------------------------------------------- */

static bool
send_piece(struct core *c, struct crl_build *b, size_t len)
{
	struct signer_crl m = { .issuer = bytes_str(b->issuer_name),
		.offset = b->sent,
		.at = CRL_FILE_HEAD + b->sent,
		.len = len,
		.last = b->sent + len == b->plan.length };
	struct buf body AUTO_BUF = BUF(CRL_FRAME_MAX);
	signer_crl_encode(&m, &body);
	if (b->sent > 0)
		peer_send(c->signer, SIGNER_CRL, b->id, buf_bytes(&body));
	else if (!peer_send_file(c->signer, SIGNER_CRL, b->id, buf_bytes(&body),
		     b->fd_read))
		return false;
	b->sent += len;
	return true;
}

/* Of what is in the file now. */
static void
send_pieces(struct core *c, struct crl_build *b)
{
	size_t written = atomic_load(&b->written);
	while (c->signer != NULL && c->signer_ready && !b->is_given_up &&
	       b->sent < written) {
		size_t len = written - b->sent;
		if (!send_piece(c, b,
			len < CRL_PIECE_MAX ? len : CRL_PIECE_MAX))
			return;
	}
}

/* --- Its end ------------------------------------------------------------------------------ */

static struct core_crl *
build_list(const struct crl_build *b)
{
	return crl_list_of(b->issuer, b->partition, b->is_delta);
}

static enum err_code
build_check(struct core *c, struct crl_build *b, struct err *e)
{
	struct core_issuer *i = b->issuer;
	struct bytes first = bytes_of(b->first, b->first_len);
	struct bytes last = bytes_of(b->last, b->last_len);
	TRY(crl_ends_parse(first, last, b->plan.length, &b->crl, e));
	b->crl.signature = bytes_of(b->signature, b->signature_len);
	return crl_check_digest(&b->crl, &b->value, &i->ca.cert,
	    (uint64_t)i->crl_number, clock_now(), c->verifier, e);
}

static enum err_code
put_in_public(struct core *c, const struct crl_build *b, struct err *e)
{
	char path[CRL_URL_MAX];
	uint8_t small[ROW_BODY_MAX];
	struct bytes body = BYTES_NONE;
	crl_path(path, b->issuer_name, b->partition, b->is_delta);
	if (b->file_len <= sizeof(small)) {
		ssize_t n =
		    pread(b->fd, small, (size_t)b->file_len, (off_t)b->file_at);
		if (n != (ssize_t)b->file_len)
			return err_errno(e, "crl-write",
			    "the file of a CRL cannot be written; look at the "
			    "disk");
		body = bytes_of(small, (size_t)n);
	}
	return publish_crl(c, path, b, body, e);
}

/* Good: its entry goes into the log, and then it may be seen. */
static enum err_code
build_accept(struct core *c, struct crl_build *b, struct err *e)
{
	struct core_issuer *i = b->issuer;
	TRY(build_check(c, b, e));
	TRY(crl_build_finish(b, b->crl.sigalg, &b->file_at, &b->file_len, e));
	i->crl_number = (int64_t)b->crl.number;
	struct job *j = job_new(JOB_CRL);
	snprintf(j->id, sizeof(j->id), "%s", i->ca.name);
	j->crl = (struct crl_published){ .issuer = bytes_str(j->id),
		.partition = b->partition,
		.number = (int64_t)b->crl.number,
		.base = (int64_t)b->crl.base,
		.covers = b->covers,
		.names_deltas = b->crl.freshest.len > 0,
		.periodic = b->is_delta ? 0 : b->periodic,
		.this_update = b->crl.this_update,
		.next_update = b->crl.next_update };
	memcpy(j->crl_sha256, b->value.sha256, SHA256_LEN);
	j->crl.sha256 = bytes_of(j->crl_sha256, SHA256_LEN);
	b->is_writing = true;
	/* The log opens a partition for certificates that name it: by then it
	 * is there. */
	if (!build_list(b)->is_open) {
		enum err_code code = put_in_public(c, b, e);
		if (code != ERR_OK) {
			job_free(j);
			b->is_writing = false;
			return code;
		}
	}
	writer_push(c, j);
	return ERR_OK;
}

/* Tried again by the clock, not in a loop. */
static void
build_fail(struct core *c, const char *event, const struct err *e)
{
	struct crl_build *b = c->crl;
	struct core_crl *l = build_list(b);
	log_err(event, e);
	l->is_building = false;
	l->is_wanted = true;
	if (b->is_long)
		delta_give_up(b->issuer, l);
	l->retry_at = clock_mono_ms() + RETRY_MS;
	c->crl = NULL;
	crl_build_free(b);
}

/* Whatever is next for the one under way. */
void
crl_step(struct core *c)
{
	struct crl_build *b = c->crl;
	struct err e;
	if (b == NULL || b->is_writing)
		return;
	send_pieces(c, b);
	if (!b->has_ended)
		return;
	if (b->code == ERR_OK && !b->is_given_up && !b->is_answered)
		return;
	if (b->code == ERR_CORRUPT && !b->is_given_up)
		core_read_only(c, &b->err);
	if (b->is_given_up)
		b->code = err_say(&b->err, ERR_BUSY, "crl-no-signature",
		    "the signer refused a CRL or went away; see its log");
	if (b->code == ERR_OK)
		b->code = build_accept(c, b, &b->err);
	e = b->err;
	if (b->code != ERR_OK)
		build_fail(c, "crl-refused", &e);
}

void
crl_answer(struct core *c, const struct frame *f)
{
	struct crl_build *b = c->crl;
	if (b == NULL || f->id != b->id || b->is_answered || b->is_given_up)
		return;
	b->issuer->ca.is_refused = (f->type & SIGNER_REFUSAL) != 0;
	bool good = (f->type & SIGNER_REFUSAL) == 0 &&
		    f->body.len <= sizeof(b->signature) &&
		    b->sent == b->plan.length;
	if (good) {
		memcpy(b->signature, f->body.p, f->body.len);
		b->signature_len = f->body.len;
		b->is_answered = true;
	} else
		b->is_given_up = true;
	crl_step(c);
}

void
crl_abandon(struct core *c)
{
	if (c->crl == NULL || c->crl->is_writing)
		return;
	c->crl->is_given_up = true;
	crl_step(c);
}

bool
crl_is_idle(const struct core *c)
{
	return c->crl == NULL;
}

/* --- Published ------------------------------------------------------------------------------ */

static void
list_published(const struct crl_build *b, const struct job *j)
{
	struct core_issuer *i = b->issuer;
	struct core_crl *l = build_list(b);
	l->this_update = b->crl.this_update;
	l->next_update = b->crl.next_update;
	l->number = (int64_t)b->crl.number;
	l->covers = b->covers;
	l->log_size = j->log_size;
	l->is_open = true;
	l->base = (int64_t)b->crl.base;
	l->names_deltas = b->crl.freshest.len > 0;
	l->periodic = b->periodic;
	log_info("crl-published",
	    "issuer=%s partition=%lld number=%lld base=%lld entries=%zu "
	    "octets=%llu ms=%lld",
	    i->ca.name, (long long)b->partition, (long long)b->crl.number,
	    (long long)b->crl.base, b->plan.entries,
	    (unsigned long long)b->file_len,
	    (long long)(clock_mono_ms() - b->since_ms));
}

/* The key was destroyed while it was on its way: then it is the last. */
static enum err_code
keep_if_last(struct core *c, const struct crl_build *b, struct view *v,
    struct err *e)
{
	struct issuer_row row;
	bool found;
	TRY(rec_get(v, &rec_issuer,
	    ca_row_key(c->arena, ROW_ISSUER, bytes_str(b->issuer_name)),
	    c->arena, &row, &found, e));
	if (found && row.destroyed != 0)
		writer_push(c, job_new(JOB_LAST));
	return ERR_OK;
}

/* Since when what changes behind it is kept: the log's row says it. */
static enum err_code
list_kept(struct core *c, const struct crl_build *b, struct err *e)
{
	struct crl_row row;
	struct view *v = core_view(c);
	if (v == NULL)
		return ERR_OK;
	TRY(keep_if_last(c, b, v, e));
	if (b->is_delta)
		return ERR_OK;
	TRY(ca_complete(v, bytes_str(b->issuer_name), b->partition, c->arena,
	    &row, e));
	build_list(b)->kept_since = row.kept_since;
	return ERR_OK;
}

/* Its entry is in the log: now it may be seen. */
void
crl_written(struct core *c, struct job *j)
{
	struct crl_build *b = c->crl;
	struct err e = j->err;
	enum err_code code = j->code;
	if (code == ERR_OK)
		code = put_in_public(c, b, &e);
	if (code == ERR_OK)
		code = list_kept(c, b, &e);
	if (code != ERR_OK) {
		build_fail(c, "crl-publish", &e);
		return;
	}
	list_published(b, j);
	build_list(b)->is_building = false;
	c->crl = NULL;
	crl_build_free(b);
	crl_pump(c);
}

bool
crl_covers(const struct core_issuer *i, uint64_t size)
{
	for (size_t k = 0; k < i->n_crl; k++) {
		const struct core_crl *l = &i->crl[k];
		if ((l->is_wanted || l->is_building) && l->covers < size)
			return false;
	}
	return true;
}

static void
on_block(uv_async_t *async)
{
	crl_step(async->data);
}

void
crl_open(struct core *c)
{
	if (uv_async_init(&c->loop, &c->crl_block, on_block) != 0)
		fatal("the loop takes no messages");
	c->crl_block.data = c;
	uv_timer_init(&c->loop, &c->crl_pace);
	c->crl_pace.data = c;
}
