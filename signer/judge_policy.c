/*
 * judge_policy - policies by their hash: which ones officers have put in force,
 * from when, and which ones they took back.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

const struct officer *
signer_officer(const struct signer *s, struct bytes spki_sha256)
{
	for (size_t i = 0; i < s->ceilings.n_officer; i++) {
		const struct officer *o = &s->ceilings.officer[i];
		if (bytes_eq(spki_sha256, bytes_of(o->spki_sha256, SHA256_LEN)))
			return o;
	}
	return NULL;
}

/* --- An activation ---------------------------------------------------------------- */

static enum err_code
is_officer(struct signer *s, void *ctx, const struct cms *cms, const char **run,
    struct err *e)
{
	const struct officer *who =
	    signer_officer(s, signer_hash(s, cms->signer.spki));
	(void)ctx;
	if (who == NULL)
		return err_say(e, ERR_FORBIDDEN, "signer-policy-officer",
		    "the activation was signed by somebody who is no platform "
		    "officer of the signer's ceilings");
	*run = who->run;
	return ERR_OK;
}

static enum err_code
check_quorum(struct signer *s, const struct signer_policy *m, struct err *e)
{
	size_t people;
	struct bytes hash;
	char have[24], need[24];
	TRY(signer_people(s, m->evidence, m->statement, is_officer, NULL,
	    &people, &hash, e));
	if (people >= (size_t)s->ceilings.quorum)
		return ERR_OK;
	snprintf(have, sizeof(have), "%zu", people);
	snprintf(need, sizeof(need), "%lld", (long long)s->ceilings.quorum);
	return err_say(e, ERR_FORBIDDEN, "signer-policy-quorum",
	    "the activation was signed by %s officers where %s are needed",
	    have, need);
}

/* Known already under this very statement: every file of it, or none. */
static enum err_code
seen_before(struct signer *s, const struct activation_statement *st,
    struct bytes statement, size_t *n, struct err *e)
{
	*n = 0;
	for (size_t i = 0; i < s->state.n_policy; i++) {
		const struct policy_seen *p = &s->state.policy[i];
		if (!bytes_is(st->id, p->id))
			continue;
		if (!bytes_eq(statement, bytes_of(p->statement, SHA256_LEN)))
			return err_say(e, ERR_CONFLICT, "signer-policy-again",
			    "the activation was accepted with another "
			    "statement; propose a new one");
		(*n)++;
	}
	return ERR_OK;
}

enum err_code
may_take_policy(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_policy *m = &it->in.policy;
	struct job *job = &it->job;
	struct activation_statement st;
	struct bytes statement = signer_hash(s, m->statement);
	bool is_ca = statement_is_ceremony(m->statement);
	size_t known;
	job->wrap = WRAP_NONE;
	TRY(is_ca ? ceremony_of_ca(m->statement, m->certificate, &s->root,
			s->theirs, s->arena, &st, e)
		  : activation_parse(m->statement, s->arena, &st, e));
	const struct policy_seen *p = state_activation(&s->state, st.id);
	if (p != NULL && p->ended)
		return err_say(e, ERR_DENIED, "signer-policy-withdrawn",
		    "the activation was withdrawn, or this CA was stopped");
	TRY(seen_before(s, &st, statement, &known, e));
	if (known == st.n)
		return ERR_OK;
	/* Some files are known after power was lost in between: all again. */
	TRY(signer_fresh(s, st.origin, st.issued, st.expires,
	    is_ca ? CEREMONY_LIFE_S + CEREMONY_LATE_S
		  : s->ceilings.statement_max_s,
	    now, e));
	TRY(check_quorum(s, m, e));
	for (size_t i = known; i < st.n; i++) {
		struct record r = { .kind = REC_POLICY,
			.time = now,
			.id = st.id,
			.name = st.policy[i].is.name,
			.digest = st.policy[i].is.sha256,
			.statement = statement,
			.from = st.effective,
			.value = st.policy[i].is.version };
		TRY(signer_keep(s, &r, job, e));
	}
	return ERR_OK;
}

/* Ends of activations that nobody heard of: more would only fill the disk. */
#define UNHEARD_MAX 1024

/* Whoever owns core may take a right away, never give one. */
enum err_code
may_end_policy(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_policy_end *m = &it->in.policy_end;
	struct job *job = &it->job;
	job->wrap = WRAP_NONE;
	if (m->activation.len == 0 || m->activation.len > ID_LEN_MAX)
		return err_say(e, ERR_DENIED, "signer-policy-id",
		    "an activation has an id of 1 to 64 octets");
	if (m->at > now + SKEW)
		return err_say(e, ERR_DENIED, "signer-policy-end-future",
		    "an activation is withdrawn now or not at all: this is "
		    "dated in the future");
	const struct policy_seen *p =
	    state_activation(&s->state, m->activation);
	if (p != NULL && p->ended)
		return ERR_OK;
	/* Noted even when it was never heard of: it may come later. */
	if (p == NULL && s->state.n_unheard >= UNHEARD_MAX)
		return err_say(e, ERR_DENIED, "signer-policy-ends",
		    "the signer has noted the end of 1024 activations and "
		    "notes no more of those that it never heard of");
	struct record r = { .kind = REC_POLICY_END,
		.time = now,
		.id = m->activation,
		.value = m->at };
	return signer_keep(s, &r, job, e);
}

/* --- A certificate under a policy -------------------------------------------------- */

/*
 * When one of that name with a higher version took its place; NEVER if none
 * did.  Versions decide, as in core: activations may come in any order.
 */
static int64_t
replaced_at(const struct state *st, const struct policy_seen *p)
{
	int64_t at = NEVER;
	for (size_t i = 0; i < st->n_policy; i++) {
		const struct policy_seen *q = &st->policy[i];
		int64_t since = q->from > q->heard ? q->from : q->heard;
		if (q->version > p->version && since < at &&
		    strcmp(q->name, p->name) == 0 && !q->ended)
			at = since;
	}
	return at;
}

/* The one with these bytes: if there are several, one that is in force. */
static const struct policy_seen *
find_policy(const struct state *st, struct bytes sha256, int64_t now)
{
	const struct policy_seen *found = NULL;
	for (size_t i = 0; i < st->n_policy; i++) {
		const struct policy_seen *p = &st->policy[i];
		if (bytes_eq(sha256, bytes_of(p->sha256, SHA256_LEN)) &&
		    !p->ended && (found == NULL || found->from > now))
			found = p;
	}
	return found;
}

enum err_code
check_policy(const struct signer *s, const struct statement *st, int64_t now,
    struct err *e)
{
	const struct state *state = &s->state;
	const struct policy_seen *p =
	    find_policy(state, st->policy_sha256, now);
	char name[POLICY_NAME_MAX];
	snprintf(name, sizeof(name), "%.*s", BYTES_FMT(st->policy));
	if (p == NULL)
		return err_say(e, ERR_DENIED, "signer-policy-unknown",
		    "the policy %s of the statement, with its hash, was never "
		    "put in force before this signer; officers must sign its "
		    "activation",
		    name);
	/* The ceilings name policies without their versions. */
	if (!bytes_is(st->policy, p->name) ||
	    (p->version != 0 && st->policy_version != p->version))
		return err_say(e, ERR_DENIED, "signer-policy-name",
		    "the policy with the hash of the statement has another "
		    "name or version than %s in it",
		    name);
	if (now < p->from)
		return err_say(e, ERR_DENIED, "signer-policy-early",
		    "the policy %s of the statement is not in force yet", name);
	if (st->issued - SKEW > replaced_at(state, p))
		return err_say(e, ERR_DENIED, "signer-policy-replaced",
		    "the policy %s of the statement was replaced by a later "
		    "version before the statement was written",
		    name);
	return ERR_OK;
}
