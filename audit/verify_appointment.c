#include "verify.h"

#include <stdio.h>
#include <string.h>

static enum err_code
wrong_state(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-appointment-order",
	    "entry %s: an appointment is proposed, confirmed, in force and "
	    "ended, in this order",
	    a->at);
}

static enum err_code
proposed(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	struct statement s;
	uint32_t record = NONE;

	if (map_get(&a->map, MAP_APPOINTMENT, en->refs.appointment) != NONE)
		return wrong_state(a, e);
	TRY(record_add(a, en->refs.serial, &record, e));
	a->appointment = grow(a->appointment, a->n_appointment,
	    &a->size_appointment, sizeof(*a->appointment));
	struct appointment *p = &a->appointment[a->n_appointment];
	struct record *r = &a->record[record];
	*p = (struct appointment){ .state = APPOINTMENT_PROPOSED,
		.erased = a->erased,
		.people = a->people,
		.record = record,
		.statement = BUF(STATEMENT_MAX) };
	map_put(&a->map, MAP_APPOINTMENT, en->refs.appointment,
	    (uint32_t)a->n_appointment++);
	r->for_minister = true;
	r->rate = rate_of(a, en->refs.institution);
	memcpy(r->tbs, en->refs.tbs.p, HASH_LEN);
	if (a->erased)
		return ERR_OK;
	enum err_code code =
	    judge_statement(a, en, d, STATEMENT_APPOINTMENT, r, &s, e);
	/* The record keeps statements of requests; this one is kept here. */
	p->statement = r->statement;
	r->statement = BUF(STATEMENT_MAX);
	if (code != ERR_OK)
		return code;
	snprintf(p->run, sizeof(p->run), "%.*s", BYTES_FMT(s.holder_run));
	snprintf(p->institution, sizeof(p->institution), "%.*s",
	    BYTES_FMT(s.institution));
	p->from = s.from;
	p->until = s.until;
	r->term = s.until - s.from;
	return ERR_OK;
}

static enum err_code
confirmed(struct audit *a, const struct entry *en, struct json_obj d,
    struct appointment *p, struct err *e)
{
	struct statement s;
	struct cms c;
	uint8_t key[HASH_LEN];

	if (p->state != APPOINTMENT_PROPOSED)
		return wrong_state(a, e);
	a->report.appointments += p->confirmed == 0 ? 1 : 0;
	a->record[p->record].intended = en->time;
	a->record[p->record].top = (uint32_t)a->n_top;
	p->erased = p->erased || a->erased;
	if (p->erased)
		return ERR_OK;
	struct bytes run = json_get_str(d, "officer");
	TRY(judge_evidence(a, en, d, buf_bytes(&p->statement), &s, &c, e));
	sha256(key, c.signer.spki);
	for (size_t i = 0; p->people == a->people && i < a->n_officer; i++) {
		uint64_t bit = UINT64_C(1) << i;
		if (!bytes_is(run, a->officer[i].run) ||
		    memcmp(key, a->officer[i].key, HASH_LEN) != 0 ||
		    bytes_is(run, p->run) || (p->confirmed & bit) != 0)
			continue;
		p->confirmed |= bit;
		p->agreed = __builtin_popcountll(p->confirmed) >= a->quorum;
		return ERR_OK;
	}
	if (a->any_people)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-not-officer",
	    "entry %s: the signature is by no officer who may confirm this "
	    "appointment, or who has not confirmed it yet",
	    a->at);
}

static enum err_code
in_force(struct audit *a, const struct entry *en, struct json_obj d,
    struct appointment *p, uint32_t at, struct err *e)
{
	struct record *r = &a->record[p->record];

	if (p->state != APPOINTMENT_PROPOSED)
		return wrong_state(a, e);
	p->state = APPOINTMENT_IN_FORCE;
	r->state = RECORD_ISSUED;
	memcpy(p->certificate, en->refs.object.p, HASH_LEN);
	map_put(&a->map, MAP_MINISTER, en->refs.object, at);
	buf_fini(&p->statement);
	if (!bytes_eq(en->refs.serial, record_serial(r)) ||
	    !bytes_eq(en->refs.tbs, bytes_of(r->tbs, HASH_LEN)))
		return err_say(e, ERR_INVALID, "audit-appointment-other",
		    "entry %s: it names another serial number or TBS than the "
		    "one proposed",
		    a->at);
	if (!p->erased && !p->agreed && !a->any_people)
		return err_say(e, ERR_INVALID, "audit-quorum",
		    "entry %s: fewer officers confirmed the appointment than "
		    "it needs",
		    a->at);
	return judge_issued(a, en, d, "endorser", r, e);
}

enum err_code
judge_appointment(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	if (en->type == ENTRY_APPOINTMENT_PROPOSED)
		return proposed(a, en, d, e);
	uint32_t at = map_get(&a->map, MAP_APPOINTMENT, en->refs.appointment);
	if (at == NONE)
		return err_say(e, ERR_INVALID, "audit-no-appointment",
		    "entry %s: the appointment it names was never proposed",
		    a->at);
	struct appointment *p = &a->appointment[at];
	if (en->type == ENTRY_APPOINTMENT_CONFIRMED)
		return confirmed(a, en, d, p, e);
	if (en->type == ENTRY_APPOINTMENT_IN_FORCE)
		return in_force(a, en, d, p, at, e);
	bool ends = en->type == ENTRY_APPOINTMENT_ENDED;
	if (p->state != (ends ? APPOINTMENT_IN_FORCE : APPOINTMENT_PROPOSED))
		return wrong_state(a, e);
	p->state = ends ? APPOINTMENT_ENDED : APPOINTMENT_WITHDRAWN;
	a->record[p->record].any_listing = true;
	buf_fini(&p->statement);
	return ERR_OK;
}
