#include "verify.h"

#include <stdio.h>
#include <string.h>

/*
 * What was issued against the ceilings of the log.  The signer judged by those
 * in force between the intent and the entry that has the certificate: what fits
 * none of them was signed by a signer that did not keep to its ceilings, or
 * under others than the log says.
 */

static const struct ceilings *
ceilings_at(const struct audit *a, uint32_t i)
{
	return a->top[i].known ? &a->top[i].is : NULL;
}

/* --- How many in an hour ----------------------------------------------------------- */

uint32_t
rate_of(struct audit *a, struct bytes rut)
{
	uint32_t at = map_get(&a->map, MAP_RATE, rut);

	if (at != NONE)
		return at;
	a->rate = grow(a->rate, a->n_rate, &a->size_rate, sizeof(*a->rate));
	struct rate *r = &a->rate[a->n_rate];
	*r = (struct rate){ .count = { 0 } };
	snprintf(r->rut, sizeof(r->rut), "%.*s", BYTES_FMT(rut));
	map_put(&a->map, MAP_RATE, rut, (uint32_t)a->n_rate);
	return (uint32_t)a->n_rate++;
}

/* By the minute of the intent: it was signed in that one or later. */
static void
count(struct rate *r, int64_t intended)
{
	int64_t minute = intended / MINUTE;
	size_t i = (size_t)(minute % RATE_MINUTES);

	if (r->minute[i] > minute)
		return;
	if (r->minute[i] < minute)
		r->count[i] = 0;
	r->minute[i] = minute;
	r->count[i]++;
}

/* Signed for certain within the hour before now, rather too few. */
static int64_t
in_hour(const struct rate *r, int64_t now)
{
	int64_t n = 0;

	for (size_t i = 0; i < RATE_MINUTES; i++)
		if (r->minute[i] * MINUTE >= now - HOUR)
			n += r->count[i];
	return n;
}

/* The most that any ceilings allowed which were in force in that hour. */
static bool
is_too_many(const struct audit *a, int64_t n, int64_t now, bool all)
{
	for (uint32_t i = (uint32_t)a->n_top; i-- > 0;) {
		const struct ceilings *c = ceilings_at(a, i);
		/* A campaign ends by itself: what began the hour may be more. */
		if (c == NULL ||
		    n <= (all ? ceilings_hour(c, now - HOUR)
			      : ceilings_hour_institution(c, now - HOUR)))
			return false;
		if (a->top[i].since < now - HOUR)
			return true;
	}
	return true; /* nothing is counted that was intended before the first */
}

static const char *
beyond_rate(struct audit *a, const struct record *r, int64_t now)
{
	static const char *const keys[] = { "per_hour_institution",
		"per_hour" };
	const char *key = NULL;

	for (int all = 0; all < 2 && r->top > 0; all++) {
		uint32_t at = all != 0 ? rate_of(a, BYTES_NONE) : r->rate;
		struct rate *rate = &a->rate[at];
		count(rate, r->intended);
		if (is_too_many(a, in_hour(rate, now), now, all != 0))
			key = keys[all];
	}
	return key;
}

/* --- One certificate ---------------------------------------------------------------- */

static bool
has_extensions(const struct ceilings *top, struct cert *c)
{
	for (size_t i = 0; i < c->n_ext; i++)
		c->ext[i].declared = false;
	for (size_t i = 0; i < top->n_extension; i++)
		cert_declare(c, oid_bytes(&top->extension[i].oid),
		    top->extension[i].critical);
	for (size_t i = 0; i < c->n_ext; i++)
		if (ext_is_private(c->ext[i].oid) && !c->ext[i].declared)
			return false;
	return true;
}

/* What a holder's alone is held to. */
static const char *
beyond_use(const struct ceilings *top, struct cert *c)
{
	uint32_t purposes;
	unsigned kinds;

	if ((c->key_usage & ~top->key_usage) != 0)
		return "key_usage";
	if (!cert_purposes(c, &purposes) || (purposes & ~top->eku) != 0)
		return "extended";
	if (!cert_name_kinds(c, &kinds) || (kinds & ~top->names) != 0)
		return "names";
	if (!top->qc_statements && cert_find_ext(c, OID_EXT_QC) != NULL)
		return "qc_statements";
	return has_extensions(top, c) ? NULL : "extensions";
}

/* Its CA and its policy: of the file, or by officers since. */
static const char *
beyond_lists(const struct audit *a, const struct ceilings *top,
    const struct record *r)
{
	const struct ca *ca = &a->ca[r->ca];
	uint32_t at =
	    map_get(&a->map, MAP_POLICY, bytes_of(r->policy, HASH_LEN));
	uint8_t tbs[HASH_LEN];

	sha256(tbs, ca->cert.tbs);
	if (!ca->agreed && !ceilings_name_ca(top, ca->name, tbs))
		return "issuers";
	if (at == NONE || !a->policy[at].first || a->policy_quorum == 0)
		return NULL;
	for (size_t i = 0; i < top->n_policy; i++)
		if (memcmp(top->policy[i].sha256, r->policy, HASH_LEN) == 0)
			return NULL;
	return "policies";
}

/* How it was endorsed, as far as that is left. */
static const char *
beyond_statement(const struct audit *a, const struct ceilings *top,
    const struct record *r, const struct cert *c)
{
	const struct mandate_noted *m =
	    r->mandate == NONE ? NULL : &a->mandate[r->mandate];
	uint32_t n = m != NULL ? m->n_endorser : r->n_endorser;

	if (r->life > top->statement_max_s)
		return "statement_max";
	if (r->life > 0 && c->not_before < r->stated - top->backdate_max_s)
		return "backdate_max";
	if (r->erased || (m != NULL && m->erased) || r->for_minister)
		return NULL;
	if (n < top->endorsements)
		return "endorsements";
	return m != NULL && m->term > top->mandate_max_s ? "mandate_max" : NULL;
}

static const char *
beyond(const struct audit *a, const struct ceilings *top,
    const struct record *r, struct cert *c)
{
	int64_t max =
	    r->for_minister ? top->appointment_max_s : top->validity_max_s;
	const char *key = beyond_statement(a, top, r, c);
	enum key_type type;
	struct err below;

	if (key != NULL)
		return key;
	/* Both ends count (RFC 5280 4.1.2.5). */
	if (c->not_after - c->not_before + 1 > max || r->term > max)
		return r->for_minister ? "appointment_max" : "validity_max";
	if (spki_check(c->spki, &type, &below) != ERR_OK ||
	    (top->keys >> type & 1) == 0)
		return "keys";
	if (r->for_minister)
		return NULL;
	key = beyond_use(top, c);
	return key != NULL ? key : beyond_lists(a, top, r);
}

enum err_code
over_ceiling(const char *at, const char *key, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-over-ceiling",
	    "entry %s: it is beyond what the ceilings in force then say of %s",
	    at, key);
}

enum err_code
judge_limits(struct audit *a, const struct entry *en, struct record *r,
    struct cert *c, struct err *e)
{
	const char *rate = beyond_rate(a, r, en->time), *key = NULL;
	struct bytes rut = bytes_str(a->rate[r->rate].rut);
	struct err below = { .code = ERR_OK };

	if (!r->for_minister && cert_check_below(&a->ca[r->ca].cert, c->subject,
				    rut, &below) != ERR_OK)
		return fault_below(a, &below, e);
	/* Nothing is known of what was in force before the first. */
	for (uint32_t i = r->top; i <= a->n_top; i++) {
		const struct ceilings *top =
		    i == 0 ? NULL : ceilings_at(a, i - 1);
		key = top == NULL ? NULL : beyond(a, top, r, c);
		if (key == NULL)
			break;
	}
	key = key != NULL ? key : rate;
	return key == NULL ? ERR_OK : over_ceiling(a->at, key, e);
}

/* --- What else has a life ------------------------------------------------------------- */

bool
is_life_within(const struct audit *a, uint32_t since, size_t until,
    enum life what, int64_t life)
{
	for (uint32_t i = since; i <= until; i++) {
		const struct ceilings *c =
		    i == 0 ? NULL : ceilings_at(a, i - 1);
		if (c == NULL ||
		    life <=
			(what == LIFE_CRL ? c->crl_max_s : c->statement_max_s))
			return true;
	}
	return false;
}
