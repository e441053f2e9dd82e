#include "inner.h"

/* Requests: asked for, submitted, returned, rejected, withdrawn, retried. */

enum err_code
draft_request_reason(struct deed *d, enum entry_type type,
    const struct request *r, struct bytes reason, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, type);
	pen.draft->refs.institution = r->institution;
	pen.draft->refs.request = r->id;
	jw_member_str_opt(&pen.w, "reason", reason);
	if (d->out->object.len == 0)
		d->out->object = ca_row_key(d->a, ROW_REQUEST, r->id);
	return pen_end(&pen, d->a, e);
}

/* The CSR of this command, proven; or the one that the request holds, which
 * was proven when it came. */
/* A renewal without a new key: the one that was proven, and judged by the
 * policy again. */
static enum err_code
take_same_key(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct certificate old;
	struct cert cert;

	TRY(certificate_get(d->v, s->req.replaces, d->a, &old, e));
	TRY(certificate_load(d->v, &old, d->a, e));
	TRY(cert_parse_own(old.certificate, &cert, e));
	s->csr.spki = cert.spki;
	return spki_check(cert.spki, &s->csr.type, e);
}

static enum err_code
take_csr(struct issue *s, struct buf *scratch, struct err *e)
{
	struct deed *d = s->d;

	if (field(d, CF_CSR).len > 0) {
		TRY(csr_parse(field(d, CF_CSR), scratch, &s->csr, e));
		TRY(csr_prove(&s->csr, d->ca->verifier, e));
		s->req.csr = s->csr.der;
		return ERR_OK;
	}
	if (s->req.csr.len == 0 && s->req.replaces.len > 0)
		return take_same_key(s, e);
	if (s->req.csr.len == 0)
		return err_at(e, ERR_INVALID, "request-csr-missing", NULL,
		    at_field("csr"),
		    "the request has no key yet; add the holder's PKCS #10 "
		    "request");
	TRY(request_load(d->v, &s->req, "csr", d->a, e));
	return csr_parse(s->req.csr, scratch, &s->csr, e);
}

static void
take_validity(struct issue *s)
{
	struct bytes text = field(s->d, CF_VALIDITY);

	/* command_check() has parsed it once: it is a duration. */
	if (text.len > 0)
		(void)!duration_parse(text, &s->req.asked_s);
}

static void
take_holder(struct issue *s)
{
	s->req.holder_run = s->person.run;
	s->req.holder_name = s->person.name;
	s->req.holder_office = s->person.office;
}

static enum err_code
draft_drafted(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	struct pen pen AUTO_PEN = { .draft = NULL };
	const struct policy *p;

	TRY(policy_named(d, r->policy, &p, e));
	r->state = REQ_DRAFT;
	r->lapses = d->now + p->request_ttl_s;
	pen_begin(&pen, d, ENTRY_REQUEST_DRAFTED);
	pen.draft->refs.institution = r->institution;
	pen.draft->refs.request = r->id;
	if (r->csr.len > 0)
		jw_member_base64(&pen.w, "csr", r->csr);
	jw_key(&pen.w, "request");
	rec_write(&pen.w, &rec_request, r, false);
	d->out->object = ca_row_key(d->a, ROW_REQUEST, r->id);
	return pen_end(&pen, d->a, e);
}

enum err_code
act_request_new(struct deed *d, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct issue s = { .d = d };

	TRY(institution_get(d->v, field(d, CF_RUT), d->a, &s.inst, e));
	TRY(roles_find(d, s.inst.rut, field(d, CF_RUN), e));
	if (d->role == ROLE_HOLDER && !flag(d, CF_DRAFT))
		return err_say(e, ERR_FORBIDDEN, "request-holder-draft",
		    "a holder writes a draft of a request; an operator of the "
		    "institution submits it");
	TRY(institution_must_be_enabled(&s.inst, e));
	TRY(person_get(d->v, s.inst.rut, field(d, CF_RUN), d->a, &s.person, e));
	TRY(id_new(d, "SOL", &s.req.id, e));
	s.req.institution = s.inst.rut;
	s.req.policy = field(d, CF_POLICY);
	s.req.created = d->now;
	take_holder(&s);
	take_validity(&s);
	if (flag(d, CF_DRAFT)) {
		if (field(d, CF_CSR).len > 0)
			TRY(take_csr(&s, &scratch, e));
		return draft_drafted(&s, e);
	}
	s.req.operator_run = d->run;
	TRY(take_csr(&s, &scratch, e));
	return issue_step(&s, 1, e);
}

/* A new version of a request that exists: everything is judged anew. */
static enum err_code
submit_again(struct issue *s, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct deed *d = s->d;
	struct request *r = &s->req;

	TRY(institution_get(d->v, r->institution, d->a, &s->inst, e));
	TRY(institution_must_be_enabled(&s->inst, e));
	TRY(person_get(d->v, r->institution, r->holder_run, d->a, &s->person,
	    e));
	take_holder(s);
	take_validity(s);
	TRY(take_csr(s, &scratch, e));
	r->operator_run = d->run;
	/* What an older version was told and given does not carry over. */
	r->minister_run = r->appointment = r->reason = BYTES_NONE;
	r->evidence = r->endorsed_by = r->mandate = BYTES_NONE;
	r->endorsed = r->closed = r->endorsements = 0;
	return issue_step(s, 1, e);
}

enum err_code
act_request_submit(struct deed *d, struct err *e)
{
	struct issue s = { .d = d };
	struct request *r = &s.req;
	enum request_state to;
	char text[TIME_TEXT];

	TRY(request_get(d->v, field(d, CF_REQUEST), d->a, r, e));
	TRY(roles_find(d, r->institution, r->holder_run, e));
	if (r->state != REQ_SUBMITTED) {
		TRY(request_next(request_state_at(r, d->now), RV_SUBMIT, &to,
		    e));
		return submit_again(&s, e);
	}
	TRY(request_next(request_state_at(r, d->now), RV_RENEW_STATEMENT, &to,
	    e));
	if (d->now <= r->expires) {
		time_print(text, r->expires);
		return err_say(e, ERR_CONFLICT, "request-waits",
		    "the request is submitted and its statement may be "
		    "endorsed until %s; return or withdraw it to change it",
		    text);
	}
	return submit_again(&s, e);
}

/*
 * An intent that a person revoked may have been signed all the same, and its
 * answer may still come: the request keeps that version for good.
 */
static enum err_code
never_signed(struct deed *d, const struct request *r, struct err *e)
{
	struct certificate c;

	TRY(certificate_get(d->v, r->serial, d->a, &c, e));
	if (bytes_is(c.cause, CAUSE_NEVER_SIGNED))
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "retry-revoked",
	    "the certificate of this request was revoked before it was issued; "
	    "write a new request");
}

enum err_code
act_request_retry(struct deed *d, struct err *e)
{
	struct issue s = { .d = d };
	struct request *r = &s.req;
	enum request_state to;

	TRY(request_get(d->v, field(d, CF_REQUEST), d->a, r, e));
	TRY(roles_find(d, r->institution, r->holder_run, e));
	TRY(request_next(request_state_at(r, d->now), RV_RETRY, &to, e));
	if (to == REQ_SUBMITTED) {
		TRY(never_signed(d, r, e));
		return submit_again(&s, e);
	}
	/* Endorsed: the signer is asked for the same bytes, nobody else is. */
	d->out->object = ca_row_key(d->a, ROW_REQUEST, r->id);
	d->out->waits = true;
	return ERR_OK;
}

enum err_code
act_request_endorse(struct deed *d, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct issue s = { .d = d };

	TRY(request_get(d->v, field(d, CF_REQUEST), d->a, &s.req, e));
	TRY(cms_parse(field(d, CF_CMS), &scratch, &s.cms, e));
	return issue_step(&s, 4, e);
}

enum err_code
act_request_close(struct deed *d, struct err *e)
{
	/* clang-format off */
	static const struct {
		enum ca_act act;
		enum request_event event;
		enum entry_type type;
	} table[] = {
		{ ACT_REQUEST_RETURN, RV_RETURN, ENTRY_REQUEST_RETURNED },
		{ ACT_REQUEST_REJECT, RV_REJECT, ENTRY_REQUEST_REJECTED },
		{ ACT_REQUEST_WITHDRAW, RV_WITHDRAW, ENTRY_REQUEST_WITHDRAWN },
	};
	/* clang-format on */
	struct request r;
	enum request_state to;
	size_t i = 0;

	while (table[i].act != d->c->act)
		i++;
	TRY(request_get(d->v, field(d, CF_REQUEST), d->a, &r, e));
	TRY(roles_find(d, r.institution, r.holder_run, e));
	if (d->role == ROLE_MINISTER && (bytes_eq(d->run, r.holder_run) ||
					    bytes_eq(d->run, r.operator_run)))
		return err_say(e, ERR_FORBIDDEN, "request-own",
		    "a minister does not judge a request that he or she "
		    "submitted or would hold; another minister must");
	TRY(request_next(request_state_at(&r, d->now), table[i].event, &to, e));
	return draft_request_reason(d, table[i].type, &r, field(d, CF_REASON),
	    e);
}

/*
 * One successor, of several requests for one: that which is intended first.
 * Its certificate is issued soon after, and is named as the successor then.
 */
enum err_code
renewal_must_be_first(struct deed *d, const struct certificate *old,
    struct err *e)
{
	struct bytes prefix =
	    key_of_held(d->a, old->institution, old->holder_run, BYTES_NONE);
	struct bytes after = prefix, key, value;
	bool replaced = old->replaced_by.len > 0;
	struct certificate c;
	struct request r;
	bool found;

	for (;;) {
		TRY(view_next(d->v, prefix, after, &key, &value, &found, e));
		if (replaced)
			return err_say(e, ERR_CONFLICT, "renew-replaced",
			    "the certificate was renewed already; renew its "
			    "successor");
		if (!found)
			return ERR_OK;
		after = arena_copy(d->a, key);
		TRY(certificate_get(d->v,
		    bytes_of(after.p + prefix.len, after.len - prefix.len),
		    d->a, &c, e));
		if (c.state != CERT_INTENDED || c.policy.len == 0)
			continue;
		TRY(request_get(d->v, c.request, d->a, &r, e));
		replaced = bytes_eq(r.replaces, old->serial);
	}
}

/*
 * Inside the window only; the date says from when.  What a CA signed that
 * issues no more has until that CA's end to find another one: at any time.
 */
static enum err_code
renew_window(struct deed *d, const struct certificate *c,
    const struct policy *p, struct err *e)
{
	int64_t opens = c->not_after + 1 - p->renew_window_s;
	char text[TIME_TEXT];
	struct issuer_row ca;

	TRY(issuer_get(d->v, c->issuer, d->a, &ca, e));
	if (ca.stopped != 0 || ca.revoked != 0)
		opens = 0;
	if (d->now > c->not_after) {
		time_print(text, c->not_after);
		return err_say(e, ERR_CONFLICT, "renew-expired",
		    "the certificate expired on %s; ask for a new one", text);
	}
	TRY(renewal_must_be_first(d, c, e));
	if (d->now < opens) {
		time_print(text, opens);
		return err_say(e, ERR_DENIED, "renew-too-early",
		    "the certificate can be renewed from %s on", text);
	}
	return ERR_OK;
}

enum err_code
office_must_be_same(struct deed *d, const struct request *old,
    const struct person *now, struct err *e)
{
	if (bytes_eq(old->holder_office, now->office))
		return ERR_OK;
	return err_say(e, ERR_DENIED, "renew-office",
	    "the holder's office was %s and is now %s; ask for a new "
	    "certificate",
	    arena_str(d->a, old->holder_office), arena_str(d->a, now->office));
}

enum err_code
certificate_of_field(struct deed *d, struct certificate *out, struct err *e)
{
	uint8_t serial[SERIAL_MAX];
	size_t len = field(d, CF_SERIAL).len / 2;

	(void)!hex_parse(field(d, CF_SERIAL), serial, len);
	TRY(certificate_get(d->v, bytes_of(serial, len), d->a, out, e));
	TRY(roles_find(d, out->institution, out->holder_run, e));
	if (out->policy.len == 0)
		return err_say(e, ERR_DENIED, "renew-minister",
		    "a minister's certificate is not renewed; propose a new "
		    "appointment");
	return ERR_OK;
}

/*
 * The successor of a certificate is a new request for the same person, office
 * and policy: it takes the nine steps like any other (INCIDENTS row 4).
 */
enum err_code
act_certificate_renew(struct deed *d, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct issue s = { .d = d };
	struct certificate c;
	struct request old;
	enum cert_state to;

	TRY(certificate_of_field(d, &c, e));
	TRY(cert_next((enum cert_state)c.state, EV_RENEW, &to, e));
	TRY(institution_get(d->v, c.institution, d->a, &s.inst, e));
	TRY(institution_must_be_enabled(&s.inst, e));
	const struct policy *p = policy_find(d->ca->policies, c.policy);
	if (p == NULL)
		return err_say(e, ERR_DENIED, "renew-policy",
		    "the policy %s is no longer in force; ask for a "
		    "certificate under another one",
		    arena_str(d->a, c.policy));
	TRY(renew_window(d, &c, p, e));
	TRY(request_get(d->v, c.request, d->a, &old, e));
	TRY(person_get(d->v, c.institution, c.holder_run, d->a, &s.person, e));
	TRY(office_must_be_same(d, &old, &s.person, e));
	TRY(id_new(d, "SOL", &s.req.id, e));
	s.req.institution = c.institution;
	s.req.policy = c.policy;
	s.req.replaces = c.serial;
	s.req.created = d->now;
	s.req.operator_run = d->run;
	take_holder(&s);
	take_validity(&s);
	TRY(take_csr(&s, &scratch, e));
	TRY(mandate_choose(&s, &c, p, e));
	return issue_step(&s, 1, e);
}
