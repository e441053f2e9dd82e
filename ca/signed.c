#include "inner.h"

/* What is asked of the signer, and what follows from its answer. */

static bool
names_appointment(struct bytes id)
{
	return id.len > 4 && bytes_is(bytes_of(id.p, 4), "NOM-");
}

static enum err_code
load(struct issue *s, struct bytes id, struct err *e)
{
	struct deed *d = s->d;

	s->is_appointment = names_appointment(id);
	if (s->is_appointment)
		return appointment_get(d->v, id, d->a, &s->appt, e);
	return request_get(d->v, id, d->a, &s->req, e);
}

static enum err_code
load_institution(struct issue *s, struct err *e)
{
	return institution_get(s->d->v,
	    s->is_appointment ? s->appt.institution : s->req.institution,
	    s->d->a, &s->inst, e);
}

enum err_code
ca_work(struct view *v, struct bytes id, struct arena *a, struct work *out,
    struct err *e)
{
	struct deed d = { .v = v, .a = a };
	struct issue s = { .d = &d, .work = out };
	struct work_row row;
	bool found;

	TRY(rec_get(v, &rec_work, ca_row_key(a, ROW_WORK, id), a, &row, &found,
	    e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "work-unknown",
		    "nothing waits for a signature under %s", arena_str(a, id));
	TRY(load(&s, id, e));
	TRY(load_institution(&s, e));
	TRY(institution_must_be_enabled(&s.inst, e));
	return issue_step(&s, 6, e);
}

/* What rests on an institution that is not enabled waits (INCIDENTS row 35). */
enum err_code
ca_work_next(struct view *v, struct bytes after, struct arena *a,
    struct bytes *id, bool *found, struct err *e)
{
	struct bytes prefix = ca_row_key(a, ROW_WORK, BYTES_NONE);
	struct bytes at = ca_row_key(a, ROW_WORK, after), key, value;

	for (;;) {
		struct deed d = { .v = v, .a = a };
		struct issue s = { .d = &d };
		TRY(view_next(v, prefix, at, &key, &value, found, e));
		if (!*found)
			return ERR_OK;
		at = arena_copy(a, key);
		struct bytes name = bytes_of(at.p + 1, at.len - 1);
		TRY(load(&s, name, e));
		TRY(load_institution(&s, e));
		if (s.inst.state == INST_ENABLED) {
			*id = name;
			return ERR_OK;
		}
	}
}

/* Whether the same bytes can never be signed. */
static bool
is_final(enum err_code code)
{
	return code == ERR_INVALID || code == ERR_FORBIDDEN ||
	       code == ERR_DENIED || code == ERR_CONFLICT;
}

static enum err_code
refused(struct issue *s, const struct err *refusal, struct err *e)
{
	struct deed *d = s->d;
	struct bytes why = sentence(d->a, refusal->say);
	struct certificate c;

	if (s->is_appointment) {
		if (s->appt.state != APPT_CONFIRMED || !is_final(refusal->code))
			return ERR_OK;
		return draft_appointment_reason(d, ENTRY_APPOINTMENT_WITHDRAWN,
		    &s->appt, why, e);
	}
	if (s->req.state != REQ_ENDORSED || !is_final(refusal->code))
		return ERR_OK;
	TRY(certificate_get(d->v, s->req.serial, d->a, &c, e));
	TRY(draft_revoked(d, &c, bytes_str(CAUSE_NEVER_SIGNED), 0, 0, e));
	TRY(mandate_failed(d, &s->req, e));
	return draft_request_reason(d, ENTRY_REQUEST_FAILED, &s->req, why, e);
}

/* Recorded already: the same answer twice is nothing, another is a conflict. */
static enum err_code
answered_before(struct issue *s, bool *done, struct err *e)
{
	struct deed *d = s->d;
	struct bytes serial =
	    s->is_appointment ? s->appt.serial : s->req.serial;
	struct certificate c;

	*done = false;
	TRY(certificate_get(d->v, serial, d->a, &c, e));
	if (c.certificate.len == 0)
		return ERR_OK;
	*done = true;
	TRY(certificate_load(d->v, &c, d->a, e));
	if (bytes_eq(c.certificate, s->der))
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "signed-twice",
	    "the signer answered twice with different certificates for one "
	    "serial number");
}

enum err_code
ca_signed(const struct ca *ca, struct view *v, struct bytes id,
    struct bytes der, const struct err *refusal, int64_t now,
    struct random_pool *random, struct arena *a, struct decision *out,
    struct err *e)
{
	struct decision decision = { .n = 0 };
	struct deed d = { .ca = ca,
		.v = v,
		.now = now,
		.random = random,
		.a = a,
		.out = &decision };
	struct issue s = { .d = &d, .der = der };
	bool done = false;

	TRY(load(&s, id, e));
	decision.object =
	    ca_row_key(a, s.is_appointment ? ROW_APPOINTMENT : ROW_REQUEST, id);
	if (refusal != NULL)
		TRY(refused(&s, refusal, e));
	else
		TRY(answered_before(&s, &done, e));
	if (refusal == NULL && !done)
		TRY(issue_step(&s, 7, e));
	decision.object =
	    ca_row_key(a, s.is_appointment ? ROW_APPOINTMENT : ROW_REQUEST, id);
	decision.waits = false;
	*out = decision;
	return ERR_OK;
}
