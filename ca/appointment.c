#include "inner.h"

/* Ministers of faith: proposed and confirmed by officers, ended at once. */

enum err_code
draft_appointment_reason(struct deed *d, enum entry_type type,
    const struct appointment *ap, struct bytes reason, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, type);
	pen.draft->refs.institution = ap->institution;
	pen.draft->refs.appointment = ap->id;
	if (type == ENTRY_APPOINTMENT_ENDED)
		pen.draft->refs.serial = ap->serial;
	jw_member_str_opt(&pen.w, "reason", reason);
	d->out->object = ca_row_key(d->a, ROW_APPOINTMENT, ap->id);
	return pen_end(&pen, d->a, e);
}

/* Who is appointed: as given, or as the institution registered the person. */
static enum err_code
fill_person(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;

	ap->name = field(d, CF_NAME);
	ap->office = field(d, CF_OFFICE);
	if (ap->name.len > 0 && ap->office.len > 0)
		return ERR_OK;
	TRY(person_get(d->v, ap->institution, ap->run, d->a, &s->person, e));
	if (ap->name.len == 0)
		ap->name = s->person.name;
	if (ap->office.len == 0)
		ap->office = s->person.office;
	return ERR_OK;
}

static enum err_code
fill_term(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;
	int64_t act_date = 0, max = d->ca->ceilings->appointment_max_s;

	/* command_check() has parsed them once: they are dates. */
	ap->from = d->now;
	if (field(d, CF_FROM).len > 0)
		(void)!time_parse(field(d, CF_FROM), &ap->from);
	(void)!time_parse(field(d, CF_UNTIL), &ap->until);
	(void)!time_parse(field(d, CF_ACT_DATE), &act_date);
	if (act_date > d->now)
		return err_at(e, ERR_DENIED, "appointment-act-future", NULL,
		    at_field("act_date"),
		    "the administrative act has a date in the future");
	if (ap->until <= ap->from || ap->until <= d->now)
		return err_at(e, ERR_DENIED, "appointment-term", NULL,
		    at_field("until"),
		    "the appointment would end before it begins, or has ended "
		    "already; give a later end");
	if (ap->until - ap->from >= max)
		return err_at(e, ERR_DENIED, "appointment-too-long", NULL,
		    at_field("until"),
		    "the appointment would last longer than the ceiling of %s "
		    "days; give an earlier end",
		    arena_printf(d->a, "%lld", (long long)(max / DAY)));
	ap->act_date = bytes_of(field(d, CF_ACT_DATE).p, 10);
	return ERR_OK;
}

enum err_code
act_appointment_propose(struct deed *d, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct issue s = { .d = d, .is_appointment = true };
	struct appointment *ap = &s.appt;

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(institution_get(d->v, field(d, CF_RUT), d->a, &s.inst, e));
	TRY(institution_must_be_enabled(&s.inst, e));
	ap->institution = s.inst.rut;
	ap->run = field(d, CF_RUN);
	ap->act_number = field(d, CF_ACT_NUMBER);
	ap->deputy = flag(d, CF_DEPUTY);
	ap->state = APPT_PROPOSED;
	ap->proposed = d->now;
	ap->proposed_by = d->run;
	TRY(fill_person(&s, e));
	TRY(fill_term(&s, e));
	TRY(quorum_of(d, true, &ap->needed, e));
	if (ap->needed == 1)
		ap->needed = 0;
	TRY(csr_parse(field(d, CF_CSR), &scratch, &s.csr, e));
	TRY(csr_prove(&s.csr, d->ca->verifier, e));
	TRY(id_new(d, "NOM", &ap->id, e));
	return issue_step(&s, 1, e);
}

enum err_code
act_appointment_confirm(struct deed *d, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct issue s = { .d = d, .is_appointment = true };

	TRY(appointment_get(d->v, field(d, CF_APPOINTMENT), d->a, &s.appt, e));
	TRY(cms_parse(field(d, CF_CMS), &scratch, &s.cms, e));
	return issue_step(&s, 4, e);
}

enum err_code
act_appointment_close(struct deed *d, struct err *e)
{
	struct appointment ap;
	enum appointment_state to;
	bool end = d->c->act == ACT_APPOINTMENT_END;

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(appointment_get(d->v, field(d, CF_APPOINTMENT), d->a, &ap, e));
	TRY(appointment_next((enum appointment_state)ap.state,
	    end ? AV_END : AV_WITHDRAW, &to, e));
	return draft_appointment_reason(d,
	    end ? ENTRY_APPOINTMENT_ENDED : ENTRY_APPOINTMENT_WITHDRAWN, &ap,
	    field(d, CF_REASON), e);
}
