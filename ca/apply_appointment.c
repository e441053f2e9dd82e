#include "inner.h"

static enum err_code
load(struct applying *p, struct appointment *ap, struct err *e)
{
	APPLY_TRY(p,
	    appointment_get(p->v, p->entry->refs.appointment, p->a, ap, e), e);
	return ERR_OK;
}

static enum err_code
put(struct applying *p, const struct appointment *before,
    const struct appointment *after, struct err *e)
{
	TRY(row_put(p, &rec_appointment,
	    ca_row_key(p->a, ROW_APPOINTMENT, after->id), after, e));
	return row_due(p, ROW_APPOINTMENT, after->id,
	    before == NULL ? NEVER : appointment_due(before),
	    appointment_due(after), e);
}

enum err_code
apply_appointment_proposed(struct applying *p, struct err *e)
{
	struct appointment ap, old;
	bool found;

	rec_read(&rec_appointment, json_get_obj(p->o, "appointment"), p->a,
	    &ap);
	ap.statement = arena_copy(p->a, json_get_str(p->o, "statement"));
	ap.container = json_get_base64(p->o, "tbs", p->a);
	TRY(rec_get(p->v, &rec_appointment,
	    ca_row_key(p->a, ROW_APPOINTMENT, ap.id), p->a, &old, &found, e));
	if (found || ap.state != APPT_PROPOSED || ap.signatures != 0 ||
	    !bytes_eq(ap.id, p->entry->refs.appointment) ||
	    !bytes_eq(ap.serial, p->entry->refs.serial))
		return contradiction(p, e);
	TRY(row_reserve(p, ap.serial, ap.id, e));
	TRY(row_key_used(p, ap.spki_sha256, ap.institution, ap.run, ap.id, e));
	TRY(row_count(p, ap.id, e));
	TRY(row_put(p, &rec_term,
	    key_of_term(p->a, ap.institution, ap.run, ap.id), NULL, e));
	return put(p, NULL, &ap, e);
}

/* The intent of a minister's certificate: from here on it may exist. */
static enum err_code
intend(struct applying *p, const struct appointment *ap, struct err *e)
{
	struct statement st;

	APPLY_TRY(p, statement_parse(ap->statement, p->a, &st, e), e);
	struct certificate c = {
		.serial = ap->serial,
		.issuer = st.issuer,
		.institution = ap->institution,
		.holder_run = ap->run,
		.request = ap->id,
		.tbs_sha256 = ap->tbs_sha256,
		.spki_sha256 = ap->spki_sha256,
		.not_before = st.not_before,
		.not_after = st.not_after,
		.state = CERT_INTENDED,
		.intended = p->entry->time,
	};
	TRY(row_key_mark(p, ap->spki_sha256, true, false, e));
	TRY(row_put(p, &rec_held,
	    key_of_held(p->a, ap->institution, ap->run, ap->serial), NULL, e));
	return certificate_put(p, NULL, &c, e);
}

enum err_code
apply_appointment_confirmed(struct applying *p, struct err *e)
{
	struct appointment ap, before;
	enum appointment_state to;
	/* Entries of before quorums needed one. */
	int64_t needed = json_opt_int(p->o, "needed", 1);

	TRY(load(p, &ap, e));
	before = ap;
	bool several = needed > 1 || ap.signatures > 0;
	if (several) {
		ap.needed = needed;
		ap.signatures++;
		TRY(row_consent(p, ap.id, "officer", &ap.signed_by, e));
	} else {
		ap.evidence = json_get_base64(p->o, "evidence", p->a);
	}
	APPLY_TRY(p,
	    appointment_next((enum appointment_state)ap.state,
		ap.signatures < needed && several ? AV_CONSENT : AV_CONFIRM,
		&to, e),
	    e);
	ap.state = to;
	if (to == APPT_PROPOSED)
		return put(p, &before, &ap, e);
	ap.officer = json_get_str(p->o, "officer");
	ap.confirmed = p->entry->time;
	TRY(intend(p, &ap, e));
	TRY(row_work(p, ap.id, true, true, e));
	return put(p, &before, &ap, e);
}

enum err_code
apply_appointment_in_force(struct applying *p, struct err *e)
{
	struct appointment ap, before;
	struct certificate c, c_before;
	enum appointment_state to;
	enum cert_state c_to;
	uint8_t *hash = arena_get(p->a, SHA256_LEN);

	TRY(load(p, &ap, e));
	before = ap;
	APPLY_TRY(p,
	    appointment_next((enum appointment_state)ap.state, AV_SIGNED, &to,
		e),
	    e);
	APPLY_TRY(p, certificate_get(p->v, ap.serial, p->a, &c, e), e);
	c_before = c;
	APPLY_TRY(p, cert_next((enum cert_state)c.state, EV_SIGNED, &c_to, e),
	    e);
	ap.state = to;
	ap.certificate = json_get_base64(p->o, "certificate", p->a);
	ap.in_force = p->entry->time;
	c.state = c_to;
	c.certificate = ap.certificate;
	c.issued = p->entry->time;
	c.issued_entry = (int64_t)p->entry->index;
	sha256(hash, ap.certificate);
	struct minister_row row = {
		.certificate_sha256 = bytes_of(hash, SHA256_LEN),
		.appointment = ap.id,
	};
	if (!bytes_eq(row.certificate_sha256, p->entry->refs.object))
		return contradiction(p, e);
	TRY(row_put(p, &rec_minister,
	    ca_row_key(p->a, ROW_MINISTER, row.certificate_sha256), &row, e));
	TRY(certificate_put(p, &c_before, &c, e));
	TRY(row_work(p, ap.id, true, false, e));
	return put(p, &before, &ap, e);
}

/* The certificate follows its appointment: no act of its own is needed. */
static enum err_code
end_certificate(struct applying *p, const struct appointment *ap,
    enum cert_event ev, struct err *e)
{
	struct certificate c, before;
	enum cert_state to;

	APPLY_TRY(p, certificate_get(p->v, ap->serial, p->a, &c, e), e);
	before = c;
	APPLY_TRY(p, cert_next((enum cert_state)c.state, ev, &to, e), e);
	c.state = to;
	c.reason = ev == EV_NEVER_SIGNED ? 0 : 5;
	c.cause = bytes_str(
	    ev == EV_NEVER_SIGNED ? CAUSE_NEVER_SIGNED : "office-ended");
	c.revoked_at = p->entry->time;
	return certificate_put(p, &before, &c, e);
}

enum err_code
apply_appointment_closed(struct applying *p, struct err *e)
{
	struct appointment ap, before;
	enum appointment_state to;
	enum appointment_event ev = AV_WITHDRAW;

	TRY(load(p, &ap, e));
	before = ap;
	if (p->entry->type == ENTRY_APPOINTMENT_ENDED)
		ev = AV_END;
	else if (ap.state == APPT_CONFIRMED)
		ev = AV_NEVER_SIGNED;
	APPLY_TRY(p,
	    appointment_next((enum appointment_state)ap.state, ev, &to, e), e);
	ap.state = to;
	ap.reason = json_opt_str(p->o, "reason");
	ap.ended = p->entry->time;
	if (ev != AV_WITHDRAW)
		TRY(end_certificate(p, &ap,
		    ev == AV_END ? EV_REVOKE : EV_NEVER_SIGNED, e));
	if (ev == AV_NEVER_SIGNED)
		TRY(row_work(p, ap.id, true, false, e));
	return put(p, &before, &ap, e);
}
