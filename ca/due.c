#include "inner.h"

/*
 * What falls due by itself.  Each waiting interval has one function; ROW_DUE
 * is only their index, kept in step by apply, so that a late, early or
 * missing timer does no harm.
 */

int64_t
request_due(const struct request *r)
{
	if (r->state == REQ_DRAFT || r->state == REQ_SUBMITTED ||
	    r->state == REQ_RETURNED)
		return r->lapses + 1;
	return NEVER;
}

enum request_state
request_state_at(const struct request *r, int64_t now)
{
	return request_due(r) <= now ? REQ_LAPSED
				     : (enum request_state)r->state;
}

/* A term ends where until begins. */
int64_t
appointment_due(const struct appointment *ap)
{
	return ap->state == APPT_IN_FORCE ? ap->until : NEVER;
}

int64_t
certificate_due(const struct certificate *c)
{
	bool ends = c->state == CERT_VALID || c->state == CERT_SUSPENDED;
	int64_t lifted = c->state == CERT_SUSPENDED ? c->suspend_until : NEVER;

	return ends && c->retires != 0 && c->retires < lifted ? c->retires
							      : lifted;
}

static enum err_code
first_due(struct view *v, struct bytes *key, bool *found, struct err *e)
{
	static const uint8_t prefix[1] = { ROW_DUE };
	struct bytes p = bytes_of(prefix, 1), value;

	TRY(view_next(v, p, p, key, &value, found, e));
	if (*found && key->len < 10)
		return err_say(e, ERR_CORRUPT, "row-due",
		    "a stored due time is not in its form");
	return ERR_OK;
}

enum err_code
ca_next_due(struct view *v, int64_t *when, struct err *e)
{
	struct bytes key;
	bool found;

	TRY(first_due(v, &key, &found, e));
	*when = found ? (int64_t)be64_parse(key.p + 1) : NEVER;
	return ERR_OK;
}

static enum err_code
due_request(struct deed *d, struct bytes id, struct err *e)
{
	struct request r;

	TRY(request_get(d->v, id, d->a, &r, e));
	if (request_due(&r) > d->now)
		return err_say(e, ERR_CORRUPT, "due-not-due",
		    "a stored due time disagrees with its record");
	return draft_request_reason(d, ENTRY_REQUEST_LAPSED, &r,
	    bytes_str("nobody endorsed it in the time that the policy gives"),
	    e);
}

static enum err_code
due_appointment(struct deed *d, struct bytes id, struct err *e)
{
	struct appointment ap;

	TRY(appointment_get(d->v, id, d->a, &ap, e));
	if (appointment_due(&ap) > d->now)
		return err_say(e, ERR_CORRUPT, "due-not-due",
		    "a stored due time disagrees with its record");
	return draft_appointment_reason(d, ENTRY_APPOINTMENT_ENDED, &ap,
	    bytes_str("its term has ended"), e);
}

static enum err_code
due_certificate(struct deed *d, struct bytes serial, struct err *e)
{
	struct certificate c;

	TRY(certificate_get(d->v, serial, d->a, &c, e));
	if (certificate_due(&c) > d->now)
		return err_say(e, ERR_CORRUPT, "due-not-due",
		    "a stored due time disagrees with its record");
	d->out->object = ca_row_key(d->a, ROW_CERTIFICATE, c.serial);
	if (c.retires != 0 && c.retires <= d->now)
		return draft_revoked(d, &c, bytes_str("superseded"),
		    cause_find(bytes_str("superseded"))->reason, 0, e);
	return draft_reinstated(d, &c,
	    bytes_str("the suspension has reached its end"), e);
}

enum err_code
ca_tick(const struct ca *ca, struct view *v, int64_t now, struct arena *a,
    struct decision *out, struct err *e)
{
	struct decision decision = { .n = 0 };
	struct deed d = { .ca = ca,
		.v = v,
		.now = now,
		.a = a,
		.out = &decision };
	struct bytes key;
	bool found;

	*out = decision;
	TRY(first_due(v, &key, &found, e));
	if (!found || (int64_t)be64_parse(key.p + 1) > now)
		return ERR_OK;
	key = arena_copy(a, key);
	struct bytes id = bytes_of(key.p + 10, key.len - 10);
	if (key.p[9] == ROW_REQUEST)
		TRY(due_request(&d, id, e));
	else if (key.p[9] == ROW_APPOINTMENT)
		TRY(due_appointment(&d, id, e));
	else if (key.p[9] == ROW_ACTIVATION || key.p[9] == ROW_CEREMONY)
		TRY(due_agreement(&d, (enum row_class)key.p[9], id, e));
	else if (key.p[9] == ROW_MANDATE)
		TRY(due_mandate(&d, id, e));
	else
		TRY(due_certificate(&d, id, e));
	*out = decision;
	return ERR_OK;
}
