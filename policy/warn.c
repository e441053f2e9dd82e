/*
 * warn - what is legal and likely wrong: seen only beside the other policies,
 * the issuers and the clock.  A warning stops nothing.
 */
#include "internal.h"

struct warner {
	const struct policy_set *set;
	const struct policy_file *files;
	const struct policy_context *c;
	struct findings *f;
};

/* A place of this policy's own file; its name where a rule is inherited. */
static struct load
load_at(const struct warner *x, const struct policy *p, enum policy_rule rule,
    struct where *at)
{
	const struct place *place = &p->rule[rule];
	struct load l = { .file = &x->files[p - x->set->policy], .f = x->f };

	if (place->of != p || place->line == 0)
		place = &p->rule[RULE_NAME];
	*at = where_at(&l, place->line, place->col);
	return l;
}

static void
warn_outlives(const struct warner *x, const struct policy *p)
{
	struct load l;
	struct where at;
	char end[TIME_TEXT];
	struct err e;

	for (size_t i = 0; i < x->c->n_issuer; i++) {
		int64_t not_after = x->c->issuer[i].not_after;

		if (strcmp(x->c->issuer[i].name, p->issuer) != 0 ||
		    x->c->now + p->default_s - 1 <= not_after)
			continue;
		l = load_at(x, p, RULE_VALIDITY_DEFAULT, &at);
		time_print(end, not_after);
		err_at(&e, ERR_CONFLICT, "policy-outlives", "RFC 5280 6.1", at,
		    "certificates of %s would outlive their issuer, which "
		    "ends at %s",
		    p->name, end);
		report_warning(&l, 1, &e, "%s",
		    p->issuer_refuse
			? "such requests are refused: shorten the default, or "
			  "renew the issuer"
			: "they are cut to that: shorten the default, or renew "
			  "the issuer");
	}
}

static void
warn_over(const struct warner *x, const struct policy *p)
{
	struct load l;
	struct where at;
	struct err e;

	if (p->ends == NEVER || x->c->now + HOUR <= p->ends)
		return;
	l = load_at(x, p, RULE_VALIDITY_ENDS, &at);
	err_at(&e, ERR_CONFLICT, "policy-ends-past", NULL, at,
	    "the last day of %s is over: it refuses every request", p->name);
	report_warning(&l, 1, &e, "raise validity.ends, or take the file away");
}

/* What is known of the use of a policy, or NULL. */
static const struct policy_use *
use_of(const struct warner *x, const struct policy *p)
{
	for (size_t i = 0; x->c->use != NULL && i < x->c->n_use; i++) {
		if (bytes_is(x->c->use[i].name, p->name))
			return &x->c->use[i];
	}
	return NULL;
}

static void
warn_unused(const struct warner *x, const struct policy *p)
{
	const struct policy_use *use = use_of(x, p);
	struct load l;
	struct where at;
	char last[TIME_TEXT];
	struct err e;

	/* A new one has had no time to be used. */
	if (use == NULL || p->base ||
	    x->c->now - (use->last != 0 ? use->last : use->since) <=
		x->c->unused_s)
		return;
	l = load_at(x, p, RULE_NAME, &at);
	time_print(last, use->last);
	if (use->last == 0)
		err_at(&e, ERR_CONFLICT, "policy-never-used", NULL, at,
		    "no request has ever named the policy %s", p->name);
	else
		err_at(&e, ERR_CONFLICT, "policy-unused", NULL, at,
		    "no request has named the policy %s since %s", p->name,
		    last);
	report_warning(&l, 1, &e, "take the file away if nobody needs it");
}

static void
warn_base(const struct warner *x, const struct policy *p)
{
	struct load l;
	struct where at;
	struct err e;

	for (size_t i = 0; i < x->set->n; i++) {
		if (x->set->policy[i].extends == p)
			return;
	}
	if (!p->base)
		return;
	l = load_at(x, p, RULE_NAME, &at);
	err_at(&e, ERR_CONFLICT, "policy-base-unused", NULL, at,
	    "no policy extends the base %s, and no request can name it",
	    p->name);
	report_warning(&l, 1, &e,
	    "extend it, or delete base: true to use it by itself");
}

/* Sets of kinds: 0 is all of them. */
static bool
overlap(uint32_t a, uint32_t b)
{
	return a == 0 || b == 0 || (a & b) != 0;
}

static bool
same_usages(const struct policy *a, const struct policy *b)
{
	return a->key_usage == b->key_usage && a->n_eku == b->n_eku &&
	       a->subordinate == b->subordinate &&
	       memcmp(a->eku, b->eku, a->n_eku * sizeof(a->eku[0])) == 0;
}

/* Conditions may part them in ways that nobody can see here. */
static bool
same_holders(const struct policy *a, const struct policy *b)
{
	return !a->base && !b->base && a->n_when == 0 && b->n_when == 0 &&
	       overlap(a->person_kinds, b->person_kinds) &&
	       overlap(a->institution_kinds, b->institution_kinds) &&
	       same_usages(a, b);
}

static void
warn_same(const struct warner *x, const struct policy *p)
{
	struct load l;
	struct where at;
	struct err e;

	for (const struct policy *q = x->set->policy; q < p; q++) {
		if (!same_holders(p, q))
			continue;
		l = load_at(x, p, RULE_HOLDER_KINDS, &at);
		err_at(&e, ERR_CONFLICT, "policy-same-person", NULL, at,
		    "%s and %s are for the same people and the same usages",
		    q->name, p->name);
		report_warning(&l, 1, &e,
		    "say in holders.kinds whom each is for");
		return;
	}
}

void
policy_warn(const struct policy_set *set, const struct policy_file *files,
    const struct policy_context *c, struct findings *f)
{
	const struct warner x = { set, files, c, f };

	for (size_t i = 0; i < set->n; i++) {
		const struct policy *p = &set->policy[i];
		size_t from = f->len;

		warn_outlives(&x, p);
		warn_over(&x, p);
		warn_unused(&x, p);
		warn_base(&x, p);
		warn_same(&x, p);
		findings_sort(f, from);
	}
}
