/*
 * The writer thread: takes everything that waits, decides and appends it in
 * one transaction, commits once, and hands the jobs back to the loop.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

#define GROUP_MAX 512 /* jobs of one commit */
/* Refusals of one kind that the log keeps, at once and then. */
#define REFUSALS_AT_ONCE 60
#define REFUSAL_EVERY_S  10

struct job *
job_new(enum job_kind kind)
{
	struct job *j = calloc(1, sizeof(*j));
	if (j == NULL)
		fatal("no memory for a job");
	j->kind = kind;
	j->body = BUF(FRAME_MAX);
	j->statement = BUF(STATEMENT_MAX);
	j->csr = BUF(CSR_MAX_BYTES);
	return j;
}

/* The arena that it was decoded into ends before the writer reads it. */
void
job_keep_refusal(struct job *j)
{
	j->is_refused = true;
	snprintf(j->refusal_id, sizeof(j->refusal_id), "%s", j->refusal.id);
	j->refusal.id = j->refusal_id;
	j->refusal.rule = NULL;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	buf_fini(&j->body);
	buf_fini(&j->statement);
	buf_fini(&j->csr);
	policy_set_free(j->policies);
	free(j->ceilings);
	free(j);
}

static void
random_fill(struct randomness *r, uint8_t *out, size_t len)
{
	/* Without randomness no serial may be drawn: nothing goes on. */
	if (r->left < len) {
		if (RAND_bytes(r->p, sizeof(r->p)) != 1)
			fatal("the random generator failed");
		r->left = sizeof(r->p);
	}
	r->left -= len;
	memcpy(out, r->p + r->left, len);
	OPENSSL_cleanse(r->p + r->left, len);
}

static void
job_note_entry(struct job *j, const struct draft *d)
{
	if (j->n_entry == ARRAY_LEN(j->entry))
		fatal("a decision with more entries than a job can hold");
	j->entry[j->n_entry++] = followed_of(d->type, &d->refs);
}

static enum err_code
append(struct core *c, struct job *j, struct view *v, const struct draft *d,
    int64_t now, struct err *e)
{
	uint8_t salt[ENTRY_SALT];
	random_fill(&c->randomness, salt, sizeof(salt));
	TRY(ca_append(v, d, now, salt, e));
	job_note_entry(j, d);
	return ERR_OK;
}

/*
 * The refusal of a job, unless the store itself is in trouble: then the whole
 * group is given up, and e says why.
 */
static enum err_code
job_refuse(struct job *j, enum err_code code, struct err *e)
{
	if (code == ERR_CORRUPT || code == ERR_IO || code == ERR_NOMEM)
		return code;
	j->code = code;
	j->err = *e;
	return ERR_OK;
}

static enum err_code
write_decision(struct core *c, struct job *j, struct view *v,
    const struct decision *d, int64_t now, struct err *e)
{
	for (size_t i = 0; i < d->n; i++)
		TRY(append(c, j, v, &d->draft[i], now, e));
	if (d->object.len > sizeof(j->object))
		fatal("a row key longer than ROW_KEY_MAX");
	/* What falls due by itself may be about no row that anybody waits for. */
	if (d->object.len > 0)
		memcpy(j->object, d->object.p, d->object.len);
	j->object_len = d->object.len;
	j->waits = d->waits;
	return ERR_OK;
}

static bool
is_evidence_act(enum ca_act act)
{
	return act == ACT_REQUEST_ENDORSE || act == ACT_APPOINTMENT_CONFIRM ||
	       act == ACT_POLICY_ENDORSE;
}

/*
 * May one more refusal of this kind go into the log?  Whoever is refused could
 * fill the disk with them: so many at once, then one in a while.
 */
static bool
refusal_fits(struct kept_refusals *r, int64_t now)
{
	int64_t due = (now - r->since) / REFUSAL_EVERY_S;
	if (now < r->since || due > REFUSALS_AT_ONCE)
		due = REFUSALS_AT_ONCE;
	r->kept = r->kept > due ? r->kept - due : 0;
	r->since = due > 0 ? now : r->since;
	if (r->kept == REFUSALS_AT_ONCE)
		return false;
	if (++r->kept == REFUSALS_AT_ONCE)
		log_warn("refusals-not-kept", "every_s=%d", REFUSAL_EVERY_S);
	return true;
}

/*
 * A refused endorsement is an act of somebody: the log keeps it.  A request
 * that its policy refused is kept so that other policies can be simulated.
 */
static enum err_code
write_refusal(struct core *c, struct job *j, struct view *v,
    const struct command *command, const struct decision *decision, int64_t now,
    struct arena *a, struct err *e)
{
	struct draft d;
	if (j->code == ERR_BUSY)
		return ERR_OK;
	if (decision->refused.detail.len > 0)
		return refusal_fits(&c->by_policy, now)
			   ? append(c, j, v, &decision->refused, now, e)
			   : ERR_OK;
	if (!is_evidence_act(command->act) ||
	    !refusal_fits(&c->of_evidence, now))
		return ERR_OK;
	TRY(ca_decide_refused(command, &j->err, a, &d, e));
	return append(c, j, v, &d, now, e);
}

static enum err_code
run_command(struct core *c, struct job *j, struct view *v, int64_t now,
    struct arena *a, struct err *e)
{
	struct command command;
	struct random_pool random = { .used = 0 };
	struct decision d = { .n = 0 };
	enum err_code code = command_decode(buf_bytes(&j->body), &command, e);
	if (code == ERR_OK && j->is_refused) {
		*e = j->refusal;
		code = e->code;
	}
	if (code != ERR_OK)
		return job_refuse(j, code, e);
	command.made_csr = buf_bytes(&j->csr);
	j->changes_status = command.act == ACT_CERTIFICATE_REVOKE ||
			    command.act == ACT_CERTIFICATE_SUSPEND ||
			    command.act == ACT_CERTIFICATE_REINSTATE;
	random_fill(&c->randomness, random.p, sizeof(random.p));
	code = ca_decide(&c->ca, v, &command, now, &random, a, &d, e);
	if (code != ERR_OK) {
		TRY(job_refuse(j, code, e));
		return write_refusal(c, j, v, &command, &d, now, a, e);
	}
	return write_decision(c, j, v, &d, now, e);
}

static enum err_code
run_signed(struct core *c, struct job *j, struct view *v, int64_t now,
    struct arena *a, struct err *e)
{
	struct random_pool random = { .used = 0 };
	struct decision d = { .n = 0 };
	random_fill(&c->randomness, random.p, sizeof(random.p));
	enum err_code code =
	    ca_signed(&c->ca, v, bytes_str(j->id), buf_bytes(&j->body),
		j->is_refused ? &j->refusal : NULL, now, &random, a, &d, e);
	if (code != ERR_OK)
		return job_refuse(j, code, e);
	return write_decision(c, j, v, &d, now, e);
}

static enum err_code
run_tick(struct core *c, struct job *j, struct view *v, int64_t now,
    struct arena *a, struct err *e)
{
	/* A job holds so many entries; the next tick takes the rest. */
	while (j->n_entry + DRAFTS_MAX <= ARRAY_LEN(j->entry)) {
		struct decision d = { .n = 0 };
		TRY(ca_tick(&c->ca, v, now, a, &d, e));
		if (d.n == 0)
			break;
		TRY(write_decision(c, j, v, &d, now, e));
	}
	return ERR_OK;
}

/* What was activated is in force for the next job of the group already. */
static enum err_code
take_policies(struct core *c, struct job *j, struct view *v, struct arena *a,
    struct err *e)
{
	bool activated = false;
	TRY(core_ceilings_take(c, j, v, a, &activated, e));
	for (size_t i = 0; i < j->n_entry; i++)
		activated |= j->entry[i].type == ENTRY_POLICY_ACTIVATED;
	if (!activated)
		return ERR_OK;
	TRY(ca_policies_in_force(v, c->ca.ceilings, a, &j->policies, e));
	c->ca.policies = j->policies;
	return ERR_OK;
}

/* Before the commit: from then on nobody can sign them again. */
static enum err_code
keep_last(struct core *c, struct job *j, struct view *v, struct arena *a,
    struct err *e)
{
	bool ended = j->kind == JOB_LAST;
	for (size_t i = 0; i < j->n_entry; i++)
		ended |= j->entry[i].type == ENTRY_CEREMONY_COMPLETED;
	return ended ? last_keep(c, v, a, e) : ERR_OK;
}

static enum err_code
run_job(struct core *c, struct job *j, struct view *v, int64_t now,
    struct arena *a, struct err *e)
{
	struct draft d;
	enum err_code code = ERR_OK;
	bool is_news;
	switch (j->kind) {
	case JOB_COMMAND:
		return run_command(c, j, v, now, a, e);
	case JOB_SIGNED:
		return run_signed(c, j, v, now, a, e);
	case JOB_TICK:
		return run_tick(c, j, v, now, a, e);
	case JOB_CRL:
		code = ca_decide_crl(v, &j->crl, now, a, &d, e);
		break;
	case JOB_RESPONDER:
		code = ca_decide_responder(v, bytes_str(j->id),
		    buf_bytes(&j->body), now, a, &d, e);
		break;
	case JOB_VERIFY:
		return view_verify(v, 0, e);
	case JOB_LAST:
		return ERR_OK; /* see keep_last() */
	case JOB_CEILINGS:
		code = core_ceilings_record(j, v, now, a, &d, &is_news, e);
		if (code == ERR_OK && !is_news)
			return ERR_OK;
		break;
	}
	if (code != ERR_OK)
		return job_refuse(j, code, e);
	return append(c, j, v, &d, now, e);
}

static enum err_code
write_group(struct core *c, struct jobs *group, struct arena *a, struct err *e)
{
	const struct policy_set *before = c->ca.policies;
	const struct ceilings *ceilings = c->ca.ceilings;
	struct view *v = NULL;
	struct job *j;
	TRY(store_begin(c->store, true, &v, e));
	int64_t now = clock_now();
	TAILQ_FOREACH (j, group, link) {
		if (now < view_log_time(v) && j->kind != JOB_VERIFY) {
			j->code = err_say(&j->err, ERR_BUSY, "clock-behind",
			    "the clock is behind the last entry of the log; "
			    "nothing is written until it is right");
			log_err("clock-behind", &j->err);
			continue;
		}
		enum err_code code = run_job(c, j, v, now, a, e);
		if (code == ERR_OK)
			code = take_policies(c, j, v, a, e);
		if (code == ERR_OK)
			code = keep_last(c, j, v, a, e);
		if (code != ERR_OK) {
			view_abort(v);
			c->ca.policies = before;
			c->ca.ceilings = ceilings;
			return code;
		}
		j->log_size = view_log_size(v);
	}
	enum err_code code = view_commit(v, e);
	/*
	 * After a failed sync nobody knows what is on the disk: nothing is
	 * acknowledged, the process ends, and the next start reads it back.
	 */
	if (code != ERR_OK && code != ERR_BUSY) {
		log_err("commit-failed", e);
		_exit(1);
	}
	if (code != ERR_OK) {
		c->ca.policies = before;
		c->ca.ceilings = ceilings;
	}
	return code;
}

static void
group_fail(struct jobs *group, const struct err *e)
{
	struct job *j;
	TAILQ_FOREACH (j, group, link) {
		j->code = e->code;
		j->err = *e;
		j->n_entry = 0;
		j->log_size = 0; /* one that never was committed */
	}
}

static void
run_group(struct core *c, struct jobs *group, struct arena *a)
{
	struct err e;
	if (c->read_only || c->is_damaged) {
		err_say(&e, ERR_BUSY, "engine-read-only",
		    "the engine is read-only; see refrendo status for the "
		    "reason");
		group_fail(group, &e);
	} else if (write_group(c, group, a, &e) != ERR_OK) {
		log_err("group-failed", &e);
		group_fail(group, &e);
		/* The loop hears of it while the next group waits already. */
		c->is_damaged = e.code == ERR_CORRUPT ||
				TAILQ_FIRST(group)->kind == JOB_VERIFY;
	}
}

static void *
writer_main(void *arg)
{
	struct core *c = arg;
	AUTO(arena) a = arena_new();
	for (;;) {
		struct jobs group = TAILQ_HEAD_INITIALIZER(group);
		pthread_mutex_lock(&c->lock);
		while ((TAILQ_EMPTY(&c->waiting) || c->writer_rests) &&
		       !c->writer_ends)
			pthread_cond_wait(&c->wake, &c->lock);
		for (size_t n = 0; n < GROUP_MAX; n++) {
			struct job *j = TAILQ_FIRST(&c->waiting);
			if (j == NULL)
				break;
			TAILQ_REMOVE(&c->waiting, j, link);
			TAILQ_INSERT_TAIL(&group, j, link);
		}
		pthread_mutex_unlock(&c->lock);
		if (TAILQ_EMPTY(&group))
			return NULL;
		run_group(c, &group, a);
		arena_reset(a);
		pthread_mutex_lock(&c->lock);
		TAILQ_CONCAT(&c->done, &group, link);
		pthread_mutex_unlock(&c->lock);
		uv_async_send(&c->written);
	}
}

static void
on_written(uv_async_t *async)
{
	struct core *c = async->data;
	struct jobs done = TAILQ_HEAD_INITIALIZER(done);
	core_view_end(c); /* it does not see what was committed now */
	pthread_mutex_lock(&c->lock);
	TAILQ_CONCAT(&done, &c->done, link);
	pthread_mutex_unlock(&c->lock);
	struct job *j;
	while ((j = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, j, link);
		c->jobs_out--;
		if (j->code == ERR_CORRUPT)
			core_read_only(c, &j->err);
		follow_job(c, j);
		job_free(j);
	}
	publish_pump(c);
	crl_pump(c);
	reply_pump(c);
}

void
writer_start(struct core *c)
{
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->done);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	uv_async_init(&c->loop, &c->written, on_written);
	c->written.data = c;
	if (pthread_create(&c->thread, NULL, writer_main, c) != 0)
		fatal("the writer thread cannot be started");
}

void
writer_queue(struct core *c, struct job *j)
{
	pthread_mutex_lock(&c->lock);
	TAILQ_INSERT_TAIL(&c->waiting, j, link);
	c->writer_rests = false;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

void
writer_push_later(struct core *c, struct job *j)
{
	pthread_mutex_lock(&c->lock);
	TAILQ_INSERT_TAIL(&c->waiting, j, link);
	c->writer_rests = true;
	pthread_mutex_unlock(&c->lock);
	c->jobs_out++;
}

void
writer_wake(struct core *c)
{
	pthread_mutex_lock(&c->lock);
	c->writer_rests = false;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

void
writer_push(struct core *c, struct job *j)
{
	c->jobs_out++;
	writer_queue(c, j);
}

void
writer_stop(struct core *c)
{
	pthread_mutex_lock(&c->lock);
	c->writer_ends = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
}
