#include "inner.h"

/* Revocation, suspension, reinstatement: what becomes of a certificate. */

static enum err_code
load(struct deed *d, struct certificate *c, struct err *e)
{
	uint8_t serial[SERIAL_MAX];
	size_t len = field(d, CF_SERIAL).len / 2;

	/* command_check() has read it once: hexadecimal, short enough. */
	(void)!hex_parse(field(d, CF_SERIAL), serial, len);
	TRY(certificate_get(d->v, bytes_of(serial, len), d->a, c, e));
	TRY(roles_find(d, c->institution, c->holder_run, e));
	d->out->object = ca_row_key(d->a, ROW_CERTIFICATE, c->serial);
	if (c->policy.len == 0)
		return err_say(e, ERR_DENIED, "status-minister",
		    "a minister's certificate follows its appointment; end the "
		    "appointment %s",
		    arena_str(d->a, c->request));
	return ERR_OK;
}

/*
 * What this person may: at once, or only propose.  Without a policy the law's
 * minimum holds: the holder's request revokes, an operator proposes.
 */
static enum err_code
right_find(struct deed *d, const struct policy *p, enum revoke_right *out,
    struct err *e)
{
	enum revoke_right holder =
	    p == NULL ? RIGHT_IMMEDIATE : p->holder_right;
	enum revoke_right op = p == NULL ? RIGHT_PROPOSE : p->operator_right;

	*out = RIGHT_IMMEDIATE;
	if ((d->roles & (ROLE_OFFICER | ROLE_MINISTER)) != 0) {
		d->role = (d->roles & ROLE_OFFICER) != 0 ? ROLE_OFFICER
							 : ROLE_MINISTER;
		return ERR_OK;
	}
	if ((d->roles & ROLE_HOLDER) == 0)
		holder = RIGHT_NONE;
	if ((d->roles & ROLE_OPERATOR) == 0)
		op = RIGHT_NONE;
	d->role = holder >= op ? ROLE_HOLDER : ROLE_OPERATOR;
	*out = holder >= op ? holder : op;
	if (*out != RIGHT_NONE)
		return ERR_OK;
	return err_say(e, ERR_FORBIDDEN, "status-no-right",
	    "the policy of this certificate gives the %s no right to do this; "
	    "ask a minister of the institution",
	    role_word(d->role));
}

static enum err_code
cause_take(struct deed *d, bool suspension, const struct legal_cause **out,
    struct err *e)
{
	const char *words[16];
	const struct legal_cause *cause = cause_find(field(d, CF_CAUSE));
	size_t n = 0;

	if (cause != NULL && cause->for_suspension == suspension) {
		*out = cause;
		return ERR_OK;
	}
	if (cause != NULL)
		return err_at(e, ERR_INVALID, "cause-other-act", cause->rule,
		    at_field("cause"),
		    "%s is a cause for %s; choose one for this act",
		    cause->word, suspension ? "revocation" : "suspension");
	for (size_t i = 0; i < ca_n_causes && n < ARRAY_LEN(words); i++)
		if (ca_causes[i].for_suspension == suspension)
			words[n++] = ca_causes[i].word;
	const char *near = nearest_word(field(d, CF_CAUSE), words, n);
	return err_at(e, ERR_INVALID, "cause-unknown", "Ley 19.799 art. 16",
	    at_field("cause"),
	    "%s is not a legal cause that is known here; one that is: %s",
	    arena_str(d->a, field(d, CF_CAUSE)),
	    near != NULL ? near : words[0]);
}

enum err_code
draft_revoked(struct deed *d, const struct certificate *c, struct bytes cause,
    int64_t reason, int64_t invalid_since, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_CERTIFICATE_REVOKED);
	pen.draft->refs.institution = c->institution;
	pen.draft->refs.serial = c->serial;
	jw_member_str(&pen.w, "asked_by", d->run);
	jw_member_str(&pen.w, "cause", cause);
	jw_member_int(&pen.w, "effective", d->now);
	if (invalid_since != 0)
		jw_member_int(&pen.w, "invalid_since", invalid_since);
	jw_member_str_opt(&pen.w, "note", field(d, CF_REASON));
	jw_member_int(&pen.w, "notice", d->now);
	jw_member_int(&pen.w, "reason", reason);
	return pen_end(&pen, d->a, e);
}

enum err_code
draft_proposed(struct deed *d, const struct certificate *c, const char *cause,
    struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_CERTIFICATE_PROPOSED);
	pen.draft->refs.institution = c->institution;
	pen.draft->refs.serial = c->serial;
	jw_member_str(&pen.w, "asked_by", d->run);
	jw_member_str(&pen.w, "cause", bytes_str(cause));
	jw_member_str_opt(&pen.w, "note", field(d, CF_REASON));
	return pen_end(&pen, d->a, e);
}

static enum err_code
propose(struct deed *d, const struct certificate *c, const char *cause,
    struct err *e)
{
	enum cert_state to;

	TRY(cert_next((enum cert_state)c->state, EV_PROPOSE, &to, e));
	return draft_proposed(d, c, cause, e);
}

/* Since when the key is not to be trusted: only for a compromise. */
static enum err_code
invalid_since_take(struct deed *d, const struct certificate *c,
    const struct legal_cause *cause, int64_t *out, struct err *e)
{
	struct bytes text = field(d, CF_INVALID_SINCE);

	*out = 0;
	if (text.len == 0)
		return ERR_OK;
	(void)!time_parse(text, out);
	if (cause->reason != 1)
		return err_at(e, ERR_INVALID, "status-invalid-since-cause",
		    "RFC 5280 5.3.2", at_field("invalid_since"),
		    "a date of invalidity goes with the cause key-compromise "
		    "only");
	if (*out > d->now || *out < c->not_before)
		return err_at(e, ERR_INVALID, "status-invalid-since",
		    "RFC 5280 5.3.2", at_field("invalid_since"),
		    "the date of invalidity lies between the start of the "
		    "certificate and now");
	return ERR_OK;
}

/* An intent that is revoked is not signed any more: its request has failed. */
static enum err_code
fail_request(struct deed *d, const struct certificate *c, struct err *e)
{
	struct request r;

	TRY(request_get(d->v, c->request, d->a, &r, e));
	TRY(mandate_failed(d, &r, e));
	return draft_request_reason(d, ENTRY_REQUEST_FAILED, &r,
	    bytes_str("the certificate was revoked before it was issued"), e);
}

enum err_code
act_certificate_revoke(struct deed *d, struct err *e)
{
	struct certificate c;
	const struct legal_cause *cause;
	enum revoke_right right;
	enum cert_state to;
	int64_t since;

	TRY(load(d, &c, e));
	TRY(right_find(d, policy_of(d->ca, c.policy, c.policy_sha256), &right,
	    e));
	if (right == RIGHT_PROPOSE) {
		TRY(cause_take(d, false, &cause, e));
		return propose(d, &c, cause->word, e);
	}
	TRY(cert_next((enum cert_state)c.state, EV_REVOKE, &to, e));
	TRY(cause_take(d, false, &cause, e));
	TRY(invalid_since_take(d, &c, cause, &since, e));
	TRY(draft_revoked(d, &c, bytes_str(cause->word), cause->reason, since,
	    e));
	TRY(mandate_revoked(d, &c, cause->reason, e));
	return c.state == CERT_INTENDED ? fail_request(d, &c, e) : ERR_OK;
}

/* INCIDENTS row 47: suspension is the policy's to offer, and has an end. */
static enum err_code
until_take(struct deed *d, const struct certificate *c, const struct policy *p,
    int64_t *out, struct err *e)
{
	char text[TIME_TEXT];

	if (p == NULL || p->suspend_max_s == 0)
		return err_say(e, ERR_DENIED, "suspend-not-offered",
		    "the policy %s offers no suspension; revoke the "
		    "certificate, or leave it",
		    arena_str(d->a, c->policy));
	*out = d->now + p->suspend_max_s;
	if (field(d, CF_UNTIL).len == 0)
		return ERR_OK;
	time_print(text, *out);
	int64_t last = *out;
	(void)!time_parse(field(d, CF_UNTIL), out);
	if (*out <= d->now || *out > last)
		return err_at(e, ERR_DENIED, "suspend-until", NULL,
		    at_field("until"),
		    "a suspension that begins now ends in the future, on %s "
		    "at the latest",
		    text);
	return ERR_OK;
}

enum err_code
act_certificate_suspend(struct deed *d, struct err *e)
{
	struct certificate c;
	const struct legal_cause *cause;
	enum revoke_right right;
	enum cert_state to;
	int64_t until;
	struct pen pen AUTO_PEN = { .draft = NULL };

	TRY(load(d, &c, e));
	const struct policy *p = policy_of(d->ca, c.policy, c.policy_sha256);
	TRY(right_find(d, p, &right, e));
	if (right == RIGHT_PROPOSE) {
		TRY(cause_take(d, true, &cause, e));
		return propose(d, &c, cause->word, e);
	}
	TRY(cert_next((enum cert_state)c.state, EV_SUSPEND, &to, e));
	TRY(cause_take(d, true, &cause, e));
	TRY(until_take(d, &c, p, &until, e));
	pen_begin(&pen, d, ENTRY_CERTIFICATE_SUSPENDED);
	pen.draft->refs.institution = c.institution;
	pen.draft->refs.serial = c.serial;
	jw_member_str(&pen.w, "asked_by", d->run);
	jw_member_str(&pen.w, "cause", bytes_str(cause->word));
	jw_member_int(&pen.w, "effective", d->now);
	jw_member_str_opt(&pen.w, "note", field(d, CF_REASON));
	jw_member_int(&pen.w, "notice", d->now);
	jw_member_int(&pen.w, "reason", cause->reason);
	jw_member_int(&pen.w, "until", until);
	return pen_end(&pen, d->a, e);
}

enum err_code
draft_reinstated(struct deed *d, const struct certificate *c,
    struct bytes reason, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_CERTIFICATE_REINSTATED);
	pen.draft->refs.institution = c->institution;
	pen.draft->refs.serial = c->serial;
	jw_member_str_opt(&pen.w, "reason", reason);
	d->out->object = ca_row_key(d->a, ROW_CERTIFICATE, c->serial);
	return pen_end(&pen, d->a, e);
}

enum err_code
act_certificate_reinstate(struct deed *d, struct err *e)
{
	struct certificate c;
	enum cert_state to;

	TRY(load(d, &c, e));
	TRY(cert_next((enum cert_state)c.state, EV_REINSTATE, &to, e));
	return draft_reinstated(d, &c, field(d, CF_REASON), e);
}

enum err_code
ca_status(struct view *v, struct bytes serial, struct cert_status *out,
    struct err *e)
{
	uint8_t key[1 + SERIAL_MAX];
	struct certificate c;
	struct bytes row;
	bool found;

	*out = (struct cert_status){ .known = false };
	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return ERR_OK;
	key[0] = ROW_CERTIFICATE;
	for (size_t i = 0; i < serial.len; i++)
		key[1 + i] = serial.p[i];
	TRY(view_get(v, bytes_of(key, 1 + serial.len), &row, &found, e));
	if (!found)
		return ERR_OK;
	TRY(rec_decode(&rec_certificate, row, &c, e));
	*out = (struct cert_status){
		.known = true,
		.issuer = c.issuer,
		.state = (enum cert_state)c.state,
		.revoked_at = c.revoked_at,
		.invalid_since = c.invalid_since,
		.not_after = c.not_after,
		.intended = c.intended,
		.issued = c.issued,
		.reason = (int)c.reason,
		.policy = c.policy,
		.policy_sha256 = c.policy_sha256,
		.partition = c.partition,
	};
	return ERR_OK;
}
