#include "verify.h"

#include <string.h>

/* --- Requests ------------------------------------------------------------------ */

static enum err_code
wrong_state(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-request-order",
	    "entry %s: a request is submitted, endorsed, intended and issued, "
	    "in this order; a step is missing before it",
	    a->at);
}

static bool
is_open(const struct record *r)
{
	return r->state == RECORD_SUBMITTED || r->state == RECORD_ENDORSED;
}

/* The record that it says it renews, and whether it is by a mandate. */
static bool
is_renewal(struct audit *a, struct json_obj d, struct record *r)
{
	if (!json_has(d, "request"))
		return false;
	struct json_obj request = json_get_obj(d, "request");
	if (json_has(request, "replaces"))
		r->renews = map_get(&a->map, MAP_SERIAL,
		    json_get_hex(request, "replaces", a->arena));
	return json_has(request, "mandate");
}

static enum err_code
submitted(struct audit *a, const struct entry *en, struct json_obj d,
    uint32_t last, struct err *e)
{
	struct statement s;
	uint32_t at = NONE;

	/* A new version voids the endorsement of the one before. */
	if (last != NONE && is_open(&a->record[last])) {
		a->record[last].state = RECORD_VOID;
		buf_fini(&a->record[last].statement);
	}
	TRY(record_add(a, en->refs.serial, &at, e));
	struct record *r = &a->record[at];
	r->state = RECORD_SUBMITTED;
	memcpy(r->tbs, en->refs.tbs.p, HASH_LEN);
	memcpy(r->policy, en->refs.policy.p, HASH_LEN);
	r->rate = rate_of(a, en->refs.institution);
	map_put(&a->map, MAP_REQUEST, en->refs.request, at);
	if (map_get(&a->map, MAP_POLICY, en->refs.policy) == NONE)
		return err_say(e, ERR_INVALID, "audit-policy",
		    "entry %s: it rests on a policy whose text is not in the "
		    "log",
		    a->at);
	uint32_t policy = map_get(&a->map, MAP_POLICY, en->refs.policy);
	if (a->policy_quorum > 0 && a->policy[policy].replaced)
		return err_say(e, ERR_INVALID, "audit-policy-replaced",
		    "entry %s: the policy that it rests on was replaced before "
		    "it",
		    a->at);
	r->erased = a->erased;
	if (a->erased)
		return ERR_OK;
	if (is_renewal(a, d, r))
		return judge_renewal(a, en, d, r, e);
	return judge_statement(a, en, d, STATEMENT_ENDORSEMENT, r, &s, e);
}

/* Another person than all who endorsed it before. */
static enum err_code
judge_other(struct audit *a, uint32_t at, uint32_t endorser[ENDORSEMENTS_MAX],
    uint32_t *n, struct err *e)
{
	const struct appointment *all = a->appointment;

	for (uint32_t i = 0; i < *n; i++)
		if (endorser[i] == at ||
		    (!all[at].erased &&
			strcmp(all[endorser[i]].run, all[at].run) == 0))
			return err_say(e, ERR_INVALID, "audit-endorsed-twice",
			    "entry %s: this minister endorsed the same version "
			    "of the request before",
			    a->at);
	if (*n == ENDORSEMENTS_MAX)
		return err_say(e, ERR_INVALID, "audit-endorsed-much",
		    "entry %s: the request was endorsed more often than any "
		    "can be",
		    a->at);
	endorser[(*n)++] = at;
	return ERR_OK;
}

enum err_code
judge_minister(struct audit *a, const struct entry *en, struct json_obj d,
    const struct statement *s, const struct cms *c,
    uint32_t endorser[ENDORSEMENTS_MAX], uint32_t *n, struct err *e)
{
	struct bytes run = json_get_str(d, "minister");
	struct bytes id = json_get_str(d, "appointment");
	uint8_t hash[HASH_LEN];

	TRY(detail_end(a, e));
	sha256(hash, c->signer.der);
	struct bytes certificate = bytes_of(hash, HASH_LEN);
	uint32_t at = map_get(&a->map, MAP_MINISTER, certificate);
	if (at == NONE || at != map_get(&a->map, MAP_APPOINTMENT, id))
		return err_say(e, ERR_INVALID, "audit-not-minister",
		    "entry %s: the certificate that signed is of no "
		    "appointment, or of another one",
		    a->at);
	const struct appointment *p = &a->appointment[at];
	if (p->state != APPOINTMENT_IN_FORCE ||
	    (!p->erased && (en->time < p->from || en->time > p->until)))
		return err_say(e, ERR_INVALID, "audit-not-in-force",
		    "entry %s: the minister's appointment was not in force",
		    a->at);
	if (!p->erased && (!bytes_is(run, p->run) ||
			      !bytes_is(s->institution, p->institution)))
		return err_say(e, ERR_INVALID, "audit-other-minister",
		    "entry %s: the minister is another person, or of another "
		    "institution, than the appointment says",
		    a->at);
	if (bytes_eq(run, s->operator_run) || bytes_eq(run, s->holder_run) ||
	    bytes_eq(s->operator_run, s->holder_run))
		return err_say(e, ERR_INVALID, "audit-three-people",
		    "entry %s: minister, operator and holder must be three "
		    "people",
		    a->at);
	return judge_other(a, at, endorser, n, e);
}

enum err_code
judge_endorsers(struct audit *a, const uint32_t endorser[ENDORSEMENTS_MAX],
    uint32_t n, struct err *e)
{
	for (uint32_t i = 0; i < n; i++)
		if (a->appointment[endorser[i]].state != APPOINTMENT_IN_FORCE)
			return err_say(e, ERR_INVALID, "audit-endorser-ended",
			    "entry %s: the appointment of a minister who "
			    "endorsed it had ended before",
			    a->at);
	return ERR_OK;
}

static enum err_code
endorsed(struct audit *a, const struct entry *en, struct json_obj d,
    struct record *r, struct err *e)
{
	struct statement s;
	struct cms c;

	r->erased = r->erased || a->erased;
	if (r->state != RECORD_SUBMITTED &&
	    !(r->state == RECORD_ENDORSED && r->erased))
		return wrong_state(a, e);
	r->endorsed_at = en->index;
	if (r->mandate != NONE || (!a->erased && json_has(d, "mandate"))) {
		r->state = RECORD_ENDORSED;
		return judge_mandate_used(a, en, d, r, e);
	}
	a->report.endorsements++;
	/* Without the statement there is nothing left to verify. */
	if (r->erased || r->statement.len == 0) {
		r->state = RECORD_ENDORSED;
		return ERR_OK;
	}
	int64_t needed = json_opt_int(d, "needed", 1);
	struct policy_consent says;
	enum err_code code = policy_consent(a, r->policy, &says, e);
	if (code == ERR_OK)
		code = judge_evidence(a, en, d, buf_bytes(&r->statement), &s,
		    &c, e);
	if (code == ERR_OK)
		code = judge_minister(a, en, d, &s, &c, r->endorser,
		    &r->n_endorser, e);
	/* A fault is named once: what follows is not one more. */
	if (code != ERR_OK ||
	    (r->n_endorser >= needed && r->n_endorser >= s.endorsements &&
		r->n_endorser >= says.required)) {
		r->state = RECORD_ENDORSED;
		buf_fini(&r->statement);
	}
	return code;
}

enum err_code
judge_request(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	uint32_t at = map_get(&a->map, MAP_REQUEST, en->refs.request);

	if (en->type == ENTRY_REQUEST_SUBMITTED)
		return submitted(a, en, d, at, e);
	/* A draft may be withdrawn or lapse before it was ever submitted. */
	if (at == NONE)
		return en->type == ENTRY_REQUEST_WITHDRAWN ||
			       en->type == ENTRY_REQUEST_LAPSED
			   ? ERR_OK
			   : wrong_state(a, e);
	struct record *r = &a->record[at];
	if (en->type == ENTRY_REQUEST_ENDORSED)
		return endorsed(a, en, d, r, e);
	if (en->type == ENTRY_REQUEST_FAILED) {
		if (r->state != RECORD_INTENDED)
			return wrong_state(a, e);
		r->state = RECORD_FAILED;
		r->any_listing = true;
		return ERR_OK;
	}
	if (is_open(r))
		r->state = RECORD_VOID;
	buf_fini(&r->statement);
	return ERR_OK;
}

/* --- Certificates ------------------------------------------------------------------ */

/* One has a successor, or will have: what was intended and did not fail. */
static bool
is_second(struct audit *a, const struct record *r)
{
	if (r->renews == NONE)
		return false;
	struct record *old = &a->record[r->renews];
	if (old->followed != NONE) {
		const struct record *first = &a->record[old->followed];
		if (first->state == RECORD_ISSUED ||
		    (first->state == RECORD_INTENDED &&
			first->status != STATUS_REVOKED))
			return true;
	}
	old->followed = (uint32_t)(r - a->record);
	return false;
}

static enum err_code
intended(struct audit *a, const struct entry *en, struct json_obj d,
    struct record *r, struct err *e)
{
	int64_t evidence = json_opt_int(d, "evidence_index", -1);

	TRY(detail_end(a, e));
	if (r->state == RECORD_SUBMITTED && r->n_endorser > 0)
		return err_say(e, ERR_INVALID, "audit-endorsements",
		    "entry %s: fewer ministers endorsed the request than it "
		    "needs",
		    a->at);
	if (r->state != RECORD_ENDORSED ||
	    (evidence >= 0 && (uint64_t)evidence != r->endorsed_at))
		return wrong_state(a, e);
	r->state = RECORD_INTENDED;
	r->intended = en->time;
	r->top = (uint32_t)a->n_top;
	/* What ministers endorse may say that it renews what it likes. */
	if (is_second(a, r) && r->mandate != NONE)
		return err_say(e, ERR_INVALID, "audit-renewed-twice",
		    "entry %s: the certificate that it renews by a mandate has "
		    "a successor already, or one that was intended",
		    a->at);
	if (r->ca != NONE && a->ca[r->ca].stopped)
		return err_say(e, ERR_INVALID, "audit-ca-issues-not",
		    "entry %s: the certificate is to be signed by a CA that "
		    "was stopped or revoked before",
		    a->at);
	TRY(judge_endorsers(a, r->endorser, r->n_endorser, e));
	if (!bytes_eq(en->refs.tbs, bytes_of(r->tbs, HASH_LEN)) ||
	    !bytes_eq(en->refs.policy, bytes_of(r->policy, HASH_LEN)))
		return err_say(e, ERR_INVALID, "audit-intent-other",
		    "entry %s: the intent is for another TBS or policy than "
		    "the one endorsed",
		    a->at);
	return ERR_OK;
}

static enum err_code
issued(struct audit *a, const struct entry *en, struct json_obj d,
    struct record *r, struct err *e)
{
	/* Revoked while it was being signed: recorded, and stays revoked. */
	bool late = r->state == RECORD_FAILED && r->status == STATUS_REVOKED;

	if (r->state != RECORD_INTENDED && !late)
		return wrong_state(a, e);
	/* Its place was free when it failed: it is no successor any more. */
	if (late && r->renews != NONE &&
	    &a->record[a->record[r->renews].followed] == r)
		a->record[r->renews].followed = NONE;
	r->state = RECORD_ISSUED;
	a->report.certificates++;
	if (!bytes_eq(en->refs.tbs, bytes_of(r->tbs, HASH_LEN)))
		return err_say(e, ERR_INVALID, "audit-issued-other",
		    "entry %s: the certificate has another TBS than the one "
		    "endorsed",
		    a->at);
	return judge_issued(a, en, d, "issuer", r, e);
}

static enum err_code
read_change(struct audit *a, const struct entry *en, struct json_obj d,
    struct change *c, struct err *e)
{
	c->status = en->type == ENTRY_CERTIFICATE_REVOKED     ? STATUS_REVOKED
		    : en->type == ENTRY_CERTIFICATE_SUSPENDED ? STATUS_SUSPENDED
							      : STATUS_GOOD;
	c->erased = a->erased;
	if (a->erased || c->status == STATUS_GOOD)
		return ERR_OK;
	int64_t reason = json_get_int(d, "reason");
	c->effective = json_get_int(d, "effective");
	c->invalid_since = json_opt_int(d, "invalid_since", 0);
	(void)json_get_str(d, "cause");
	(void)json_get_str(d, "asked_by");
	(void)json_get_int(d, "notice");
	TRY(detail_end(a, e));
	bool hold = reason == CRL_HOLD;
	if (reason < 0 || reason > 10 || crl_reason_name((int)reason) == NULL ||
	    hold != (c->status == STATUS_SUSPENDED))
		return err_say(e, ERR_INVALID, "audit-reason",
		    "entry %s: the reason is not one for such a change of "
		    "status",
		    a->at);
	c->reason = (int)reason;
	return ERR_OK;
}

static enum err_code
changed(struct audit *a, const struct entry *en, struct json_obj d, uint32_t at,
    struct err *e)
{
	struct record *r = &a->record[at];
	struct change c = { .index = en->index, .record = at };
	bool exists = r->state == RECORD_ISSUED ||
		      r->state == RECORD_INTENDED || r->state == RECORD_FAILED;
	bool revokes = en->type == ENTRY_CERTIFICATE_REVOKED;

	a->report.revocations += revokes;
	TRY(read_change(a, en, d, &c, e));
	bool may = revokes ? exists && r->status != STATUS_REVOKED
		   : c.status == STATUS_SUSPENDED
		       ? r->state == RECORD_ISSUED && r->status == STATUS_GOOD
		       : r->status == STATUS_SUSPENDED;
	if (!may)
		return err_say(e, ERR_INVALID, "audit-status-order",
		    "entry %s: a certificate in that state cannot be revoked, "
		    "suspended or reinstated",
		    a->at);
	r->status = c.status;
	a->change =
	    grow(a->change, a->n_change, &a->size_change, sizeof(*a->change));
	a->change[a->n_change++] = c;
	return ERR_OK;
}

enum err_code
judge_certificate(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	uint32_t at = map_get(&a->map, MAP_SERIAL, en->refs.serial);
	char text[HEX_LEN(SERIAL_MAX)];

	hex_print(text, en->refs.serial);
	if (at == NONE)
		return err_say(e, ERR_INVALID, "audit-no-serial",
		    "entry %s: the serial number %s was never submitted", a->at,
		    text);
	if (en->type == ENTRY_CERTIFICATE_PROPOSED ||
	    en->type == ENTRY_CERTIFICATE_REPLACED)
		return ERR_OK;
	if (en->type != ENTRY_CERTIFICATE_INTENDED &&
	    en->type != ENTRY_CERTIFICATE_ISSUED)
		return changed(a, en, d, at, e);
	/* Both belong to the version that was submitted last. */
	if (map_get(&a->map, MAP_REQUEST, en->refs.request) != at)
		return err_say(e, ERR_INVALID, "audit-other-request",
		    "entry %s: the serial number %s is not of the request's "
		    "last version",
		    a->at, text);
	return en->type == ENTRY_CERTIFICATE_INTENDED
		   ? intended(a, en, d, &a->record[at], e)
		   : issued(a, en, d, &a->record[at], e);
}
