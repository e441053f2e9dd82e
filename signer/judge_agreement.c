/*
 * judge_agreement - what officers agreed on: policies by their hash and CAs,
 * from when on, and what ended of it.
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

enum err_code
signer_judge_officer(struct signer *s, void *ctx, const struct cms *cms,
    const char **run, struct err *e)
{
	const struct bytes *appointed = ctx;
	const struct officer *who =
	    signer_officer(s, signer_hash(s, cms->signer.spki));
	if (who == NULL)
		return err_say(e, ERR_FORBIDDEN, "signer-officer-unknown",
		    "the statement was not signed by a platform officer of the "
		    "signer's ceilings");
	if (appointed != NULL && bytes_is(*appointed, who->run))
		return err_say(e, ERR_FORBIDDEN, "signer-officer-himself",
		    "an officer cannot appoint himself or herself");
	*run = who->run;
	return ERR_OK;
}

/* --- What they agreed on ----------------------------------------------------------- */

/*
 * How often an item of this very statement is known, and how often it is to be:
 * of policies told ahead of their time once more at it, when core put them in
 * force.  Those that it could not put in force are ended until then.
 */
static enum err_code
seen_before(struct signer *s, const struct agreement *g, struct bytes statement,
    int64_t now, size_t *n, size_t *most, struct err *e)
{
	const struct agreed *a;
	size_t at = SIZE_MAX;
	*most = g->n;
	for (*n = 0; (a = state_agreed(&s->state, BY_ID, g->id, &at)) != NULL;
	    (*n)++) {
		if (a->ended != NEVER)
			return err_say(e, ERR_DENIED, "signer-agreed-ended",
			    "this was withdrawn, or this CA was stopped");
		if (!bytes_eq(statement, bytes_of(a->statement, SHA256_LEN)))
			return err_say(e, ERR_CONFLICT, "signer-agreed-again",
			    "another statement was taken; propose it anew");
		if (a->heard < a->from && now >= a->from)
			*most = 2 * g->n;
	}
	return ERR_OK;
}

static enum err_code
keep_end(struct signer *s, struct item *it, struct bytes id, int64_t at,
    int64_t now, struct err *e)
{
	const struct agreed *a = state_agreed_id(&s->state, id);
	if (a != NULL && a->ended != NEVER)
		return ERR_OK;
	/* Noted even when it was never heard of: it may come later. */
	struct record r = { .kind = REC_END,
		.time = now,
		.id = id,
		.value = at };
	return signer_keep(s, &r, &it->job, e);
}

enum err_code
may_take_agreement(struct signer *s, struct item *it, int64_t now,
    struct err *e)
{
	const struct signer_agreement *m = &it->in.agreement;
	struct agreement g;
	struct bytes statement = signer_hash(s, m->statement), who;
	struct ceilings *to = NULL;
	size_t known, most;
	it->job.wrap = WRAP_NONE;
	TRY(agreement_read(m->statement, m->certificate, &s->roots, s->theirs,
	    s->arena, &g, e));
	TRY(seen_before(s, &g, statement, now, &known, &most, e));
	if (known < g.n && g.is_past)
		return err_say(e, ERR_DENIED, "signer-root-past",
		    "the statement names another root than the one in force");
	/* Some items are known after power was lost in between: all again. */
	if (known < g.n)
		TRY(signer_fresh(s, g.origin, g.issued, g.expires,
		    g.life_s > 0 ? g.life_s : s->ceilings.statement_max_s, now,
		    e));
	if (known < g.n)
		TRY(signer_people(s, m->evidence, m->statement,
		    signer_judge_officer, NULL, s->ceilings.quorum, &who, e));
	if (g.kind == AGREED_CA)
		TRY(cas_certify(s, &g, m->certificate, e));
	/* Their own record follows: power may have been lost in between. */
	if (known < g.n ? g.kind == AGREED_CEILINGS
			: bytes_is(g.id, s->state.ceilings_due)) {
		to = arena_get(s->arena, sizeof(*to));
		TRY(agreement_ceilings(&g,
		    bytes_of(s->ceilings_sha256, SHA256_LEN), m->certificate,
		    to, e));
	}
	/* First, so that no crash leaves two generations that issue. */
	if (g.ends.len > 0)
		TRY(keep_end(s, it, g.ends, now, now, e));
	for (size_t i = known; i < most; i++) {
		struct record r = { .kind = REC_AGREED,
			.time = now,
			.agreed = g.kind,
			.id = g.id,
			.name = g.item[i % g.n].name,
			.digest = g.item[i % g.n].sha256,
			.statement = statement,
			.from = g.from,
			.value = g.item[i % g.n].version };
		TRY(signer_keep(s, &r, &it->job, e));
	}
	s->key_ended = s->key_ended || g.kind == AGREED_KEY;
	if (g.kind == AGREED_ROOT && known < g.n)
		TRY(roots_take(s, &g, m->certificate, e));
	return to == NULL ? ERR_OK
			  : signer_put_ceilings(s, m->certificate, to,
				CEILINGS_AGREED, now, e);
}

/* --- Its end ------------------------------------------------------------------------- */

/* Ends of what nobody heard of: more would only fill the disk.  What officers
 * signed ends a CA of the beginning all the same. */
#define UNHEARD_MAX 8192

/* Whoever owns core may take a right away, never give one. */
enum err_code
may_end(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_end *m = &it->in.end;
	it->job.wrap = WRAP_NONE;
	/* What was destroyed does not come back. */
	if (m->id.len == 0 || m->id.len > ID_LEN_MAX ||
	    memcmp(m->id.p, CEREMONY_KEY_ID, m->id.len < 4 ? m->id.len : 4) ==
		0)
		return err_say(e, ERR_DENIED, "signer-end-id",
		    "what officers agreed on has an id of 1 to 64 octets, and "
		    "is no key that was destroyed");
	if (m->at > now + SKEW)
		return err_say(e, ERR_DENIED, "signer-end-future",
		    "this end of an agreement is dated in the future");
	if (state_agreed_id(&s->state, m->id) == NULL &&
	    s->state.n_unheard >= UNHEARD_MAX)
		return err_say(e, ERR_DENIED, "signer-ends",
		    "the signer has noted 8192 ends of what it never heard of "
		    "and notes no more of them");
	return keep_end(s, it, m->id, m->at, now, e);
}

/* --- A certificate under a policy -------------------------------------------------- */

/*
 * When one of that name with a higher version took its place; NEVER if none
 * did.  Versions decide, as in core: activations may come in any order.  What
 * was heard before its day has not begun: it is told once more when it has.
 */
static int64_t
replaced_at(struct state *st, const struct agreed *p)
{
	int64_t when = NEVER;
	const struct agreed *q;
	size_t at = SIZE_MAX;
	while (
	    (q = state_agreed(st, BY_NAME, bytes_str(p->name), &at)) != NULL) {
		/* One that took effect and then ended replaced it all the same:
		 * to end a right gives none back. */
		if (q->kind == AGREED_POLICY && q->heard >= q->from &&
		    q->version > p->version && q->heard < when)
			when = q->heard;
	}
	return when;
}

/* The one with these bytes: if there are several, one that is in force. */
static const struct agreed *
find_policy(struct state *st, struct bytes sha256)
{
	const struct agreed *found = NULL, *p;
	size_t at = SIZE_MAX;
	while ((p = state_agreed(st, BY_SHA256, sha256, &at)) != NULL) {
		if (p->kind == AGREED_POLICY && p->ended == NEVER &&
		    (found == NULL || found->heard < found->from))
			found = p;
	}
	return found;
}

enum err_code
check_policy(struct signer *s, const struct statement *st, struct err *e)
{
	const struct agreed *p = find_policy(&s->state, st->policy_sha256);
	char name[POLICY_NAME_MAX];
	snprintf(name, sizeof(name), "%.*s", BYTES_FMT(st->policy));
	if (p == NULL)
		return err_say(e, ERR_DENIED, "signer-policy-unknown",
		    "the policy %s of the statement, with its hash, never came "
		    "in force before this signer; officers must sign it",
		    name);
	/* The ceilings name policies without their versions. */
	if (!bytes_is(st->policy, p->name) ||
	    (p->version != 0 && st->policy_version != p->version))
		return err_say(e, ERR_DENIED, "signer-policy-name",
		    "the policy with the hash of the statement has another "
		    "name or version than %s in it",
		    name);
	if (p->heard < p->from)
		return err_say(e, ERR_DENIED, "signer-policy-early",
		    "the policy %s of the statement is not in force yet", name);
	if (st->issued - SKEW > replaced_at(&s->state, p))
		return err_say(e, ERR_DENIED, "signer-policy-replaced",
		    "the policy %s of the statement was replaced by a later "
		    "version before the statement was written",
		    name);
	return ERR_OK;
}
