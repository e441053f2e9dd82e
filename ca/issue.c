#include <string.h>

#include "inner.h"

/*
 * Issuance, DESIGN 5: the one function through which every certificate comes,
 * a holder's by an issuing CA and a minister's by the endorser CA, first ones
 * and renewals.  A case returns when somebody else must act (a person after
 * 3, the signer after 6) and is entered again with the record.
 */
enum err_code
issue_step(struct issue *s, int step, struct err *e)
{
	bool again;

	switch (step) {
	case 1: /* evaluate: policy x request x registry */
		TRY(issue_evaluate(s, e));
		__attribute__((fallthrough));
	case 2: /* build: TBS with a fresh serial, container, lint */
		TRY(issue_build(s, e));
		TRY(mandate_must_fit(s, &again, e));
		if (again) /* a renewal like any other */
			return issue_step(s, 1, e);
		__attribute__((fallthrough));
	case 3: /* ask: the statement, stored with the TBS in one commit */
		TRY(issue_ask(s, e));
		/* A mandate was signed before: nobody is waited for. */
		return s->by_mandate ? issue_intend(s, e) : ERR_OK;
	case 4: /* endorse: the evidence of a minister, or of an officer */
		TRY(issue_endorse(s, e));
		__attribute__((fallthrough));
	case 5: /* intend: from this commit on it may exist */
		return issue_intend(s, e);
	case 6: /* sign: what the signer is asked */
		return issue_sign(s, e);
	case 7: /* compare: what the signer answered with what was endorsed */
		TRY(issue_compare(s, e));
		__attribute__((fallthrough));
	case 8: /* issue: certificate, status and request in one commit */
		TRY(issue_record(s, e));
		__attribute__((fallthrough));
	case 9: /* publish: the engine does; the client is answered after it */
		return issue_publish(s, e);
	default:
		fatal("issuance has no step %d", step);
	}
}

/* --- 4 endorse ------------------------------------------------------------------ */

/* CF_AS may be empty: the evidence says who.  Given, it must agree. */
enum err_code
person_signs(struct deed *d, struct bytes run, struct err *e)
{
	if (d->run.len > 0 && !bytes_eq(d->run, run))
		return err_say(e, ERR_FORBIDDEN, "evidence-person",
		    "the signature is of another person than the one who asks");
	d->run = run;
	return ERR_OK;
}

/* Three persons, by RUN: whatever certificate or appointment each one uses. */
enum err_code
three_persons(struct bytes minister, struct bytes holder,
    struct bytes operator_run, struct err *e)
{
	if (bytes_eq(minister, holder))
		return err_say(e, ERR_FORBIDDEN, "endorse-own",
		    "the minister would be the holder; another minister of the "
		    "institution must endorse it");
	if (bytes_eq(minister, operator_run))
		return err_say(e, ERR_FORBIDDEN, "endorse-submitted",
		    "the minister submitted this request; another minister of "
		    "the institution must endorse it");
	if (bytes_eq(holder, operator_run))
		return err_say(e, ERR_FORBIDDEN, "endorse-self-service",
		    "the holder submitted this request; another operator must "
		    "submit it");
	return ERR_OK;
}

/* The appointment behind the certificate that signed. */
enum err_code
minister_of(struct deed *d, const struct cms *cms, struct bytes institution,
    struct appointment *out, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct minister_row row;
	char text[TIME_TEXT];
	bool found;

	sha256(hash, cms->signer.der);
	TRY(rec_get(d->v, &rec_minister,
	    ca_row_key(d->a, ROW_MINISTER, bytes_of(hash, SHA256_LEN)), d->a,
	    &row, &found, e));
	if (!found)
		return err_say(e, ERR_FORBIDDEN, "endorse-not-minister",
		    "the certificate that signed is not one of a minister of "
		    "faith; sign with the minister's own certificate");
	TRY(appointment_get(d->v, row.appointment, d->a, out, e));
	TRY(person_signs(d, out->run, e));
	d->role = ROLE_MINISTER;
	if (!appointment_in_force(out, d->now)) {
		time_print(text, out->until);
		return err_say(e, ERR_FORBIDDEN, "endorse-not-in-force",
		    "the appointment %s of this minister is not in force now; "
		    "it is %s, with its term until %s",
		    arena_str(d->a, out->id), appointment_words[out->state],
		    text);
	}
	if (cms->signer.not_after < d->now)
		return err_say(e, ERR_FORBIDDEN, "endorse-expired",
		    "the minister's certificate has expired; a new appointment "
		    "gives a new one");
	if (!bytes_eq(out->institution, institution))
		return err_say(e, ERR_FORBIDDEN, "endorse-institution",
		    "this person is a minister of another institution than "
		    "that of the request");
	return ERR_OK;
}

enum err_code
statement_expired(int64_t expires, struct err *e)
{
	char text[TIME_TEXT];

	time_print(text, expires);
	return err_say(e, ERR_CONFLICT, "statement-expired",
	    "the statement could be signed until %s; ask for a new one and "
	    "sign that",
	    text);
}

/* With this signature, one of several, it may have all that it needs. */
static bool
is_enough(const struct issue *s)
{
	return s->needed <= 1 + (s->is_appointment ? s->appt.signatures
						   : s->req.endorsements);
}

/*
 * Those who endorsed this version before: other people, and ministers still.
 * Nobody takes the place of one who is not, because his or her signature is in
 * the log for these bytes: the request is returned, and endorsed anew.
 */
enum err_code
ministers_before(struct deed *d, struct bytes consents, struct bytes id,
    struct err *e)
{
	struct bytes after = BYTES_NONE;
	struct consent before;
	struct appointment ap;
	bool found;

	for (;;) {
		TRY(consent_next(d->v, consents, d->a, &after, &before, &found,
		    e));
		if (!found)
			return ERR_OK;
		if (bytes_eq(before.officer, d->run))
			return err_say(e, ERR_CONFLICT, "endorse-again",
			    "this minister endorsed %s already; another "
			    "minister of the institution must",
			    arena_str(d->a, id));
		TRY(appointment_get(d->v, before.appointment, d->a, &ap, e));
		if (!appointment_in_force(&ap, d->now))
			return err_say(e, ERR_CONFLICT, "endorse-earlier-ended",
			    "the appointment %s of a minister who endorsed "
			    "this before is not in force any more; return or "
			    "withdraw %s, so that it is endorsed anew",
			    arena_str(d->a, ap.id), arena_str(d->a, id));
	}
}

static enum err_code
endorse_request(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	enum request_state to;

	TRY(minister_of(d, &s->cms, r->institution, &s->minister, e));
	TRY(three_persons(d->run, r->holder_run, r->operator_run, e));
	s->needed = endorsements_needed(d->ca, r->needed);
	TRY(request_next(request_state_at(r, d->now),
	    is_enough(s) ? RV_ENDORSE : RV_CONSENT, &to, e));
	TRY(ministers_before(d, request_consents(r, d->a), r->id, e));
	TRY(institution_get(d->v, r->institution, d->a, &s->inst, e));
	TRY(institution_must_be_enabled(&s->inst, e));
	if (d->now > r->expires)
		return statement_expired(r->expires, e);
	TRY(request_load(d->v, r, "statement", d->a, e));
	return cms_verify(&s->cms, r->statement, d->ca->verifier, e);
}

static enum err_code
officer_must_be_new(struct issue *s, struct err *e)
{
	bool found;

	TRY(consent_exists(s->d, s->appt.id, &found, e));
	if (!found)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "confirm-signed",
	    "this officer has signed the appointment %s already; another "
	    "officer must",
	    arena_str(s->d->a, s->appt.id));
}

static enum err_code
endorse_appointment(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;
	struct statement st;
	enum appointment_state to;

	TRY(officer_of(d, &s->cms, e));
	TRY(officers_still(d, s->appt.id, s->appt.proposed, e));
	if (bytes_eq(d->run, ap->run))
		return err_say(e, ERR_FORBIDDEN, "confirm-own",
		    "an officer does not confirm his or her own appointment; "
		    "another officer must");
	TRY(quorum_of(d, true, &s->needed, e));
	TRY(appointment_next((enum appointment_state)ap->state,
	    is_enough(s) ? AV_CONFIRM : AV_CONSENT, &to, e));
	TRY(officer_must_be_new(s, e));
	TRY(institution_get(d->v, ap->institution, d->a, &s->inst, e));
	TRY(institution_must_be_enabled(&s->inst, e));
	TRY(statement_parse(ap->statement, d->a, &st, e));
	if (d->now > st.expires || d->now >= ap->until)
		return statement_expired(st.expires, e);
	return cms_verify(&s->cms, ap->statement, d->ca->verifier, e);
}

enum err_code
issue_endorse(struct issue *s, struct err *e)
{
	return s->is_appointment ? endorse_appointment(s, e)
				 : endorse_request(s, e);
}

/* --- 5 intend ---------------------------------------------------------------------- */

static enum err_code
intend_request(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	struct pen endorsed AUTO_PEN = { .draft = NULL };
	struct pen intended AUTO_PEN = { .draft = NULL };

	pen_begin(&endorsed, d, ENTRY_REQUEST_ENDORSED);
	endorsed.draft->refs.institution = r->institution;
	endorsed.draft->refs.request = r->id;
	endorsed.draft->refs.tbs = r->tbs_sha256;
	if (s->by_mandate) {
		if (s->proof.len > 0)
			jw_member_base64(&endorsed.w, "evidence", s->proof);
		jw_member_str(&endorsed.w, "mandate", s->mandate.id);
	} else {
		jw_member_str(&endorsed.w, "appointment", s->minister.id);
		jw_member_base64(&endorsed.w, "evidence", s->cms.der);
		jw_member_str(&endorsed.w, "minister", d->run);
	}
	if (s->needed > 1)
		jw_member_int(&endorsed.w, "needed", s->needed);
	d->out->object = ca_row_key(d->a, ROW_REQUEST, r->id);
	TRY(pen_end(&endorsed, d->a, e));
	if (!is_enough(s))
		return ERR_OK;
	pen_begin(&intended, d, ENTRY_CERTIFICATE_INTENDED);
	intended.draft->refs.institution = r->institution;
	intended.draft->refs.request = r->id;
	intended.draft->refs.serial = r->serial;
	intended.draft->refs.tbs = r->tbs_sha256;
	intended.draft->refs.policy = r->policy_sha256;
	return pen_end(&intended, d->a, e);
}

static enum err_code
intend_appointment(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_APPOINTMENT_CONFIRMED);
	pen.draft->refs.institution = ap->institution;
	pen.draft->refs.appointment = ap->id;
	pen.draft->refs.serial = ap->serial;
	pen.draft->refs.tbs = ap->tbs_sha256;
	jw_member_base64(&pen.w, "evidence", s->cms.der);
	if (s->needed > 1)
		jw_member_int(&pen.w, "needed", s->needed);
	jw_member_str(&pen.w, "officer", d->run);
	d->out->object = ca_row_key(d->a, ROW_APPOINTMENT, ap->id);
	return pen_end(&pen, d->a, e);
}

static enum err_code
issuer_gone(struct err *e)
{
	return err_say(e, ERR_NOTFOUND, "issue-issuer-gone",
	    "the issuing CA of this request is no longer configured");
}

static const struct ca_issuer *
issuer_of(const struct ca *ca, const struct issue *s)
{
	if (s->is_appointment)
		return ca->endorser;
	return ca_issuer_named(ca->issuers, s->req.issuer, NULL);
}

enum err_code
issue_intend(struct issue *s, struct err *e)
{
	s->issuer = issuer_of(s->d->ca, s);
	if (s->issuer == NULL)
		return issuer_gone(e);
	/* It may have been stopped since the statement was written. */
	TRY(issuer_must_issue(s->d, s->issuer, e));
	/* Read again in the transaction of the intent (INCIDENTS row 44). */
	TRY(key_judge(s,
	    s->is_appointment ? s->appt.spki_sha256 : s->req.spki_sha256, e));
	if (!s->is_appointment && s->req.replaces.len > 0) {
		struct certificate old;

		TRY(certificate_get(s->d->v, s->req.replaces, s->d->a, &old,
		    e));
		TRY(renewal_must_be_first(s->d, &old, e));
	}
	TRY(s->is_appointment ? intend_appointment(s, e)
			      : intend_request(s, e));
	s->d->out->waits = is_enough(s);
	return ERR_OK;
}

/* --- 6 sign -------------------------------------------------------------------------- */

/* A list, of one signature or of several. */
static enum err_code
list_evidence(struct issue *s, struct bytes *list, struct err *e)
{
	struct buf one AUTO_BUF = BUF(CMS_MAX_BYTES + 4u);

	if (s->is_appointment && s->appt.signatures > 0)
		return ca_consents(s->d->v, s->appt.id, s->d->a, list, e);
	if (!s->is_appointment && s->req.endorsements > 0)
		return ca_consents(s->d->v, request_consents(&s->req, s->d->a),
		    s->d->a, list, e);
	put_bytes(&one, s->is_appointment ? s->appt.evidence : s->req.evidence);
	TRY(buf_end(&one, e));
	*list = arena_copy(s->d->a, buf_bytes(&one));
	return ERR_OK;
}

/* Under a mandate: what was signed, and the certificate that is renewed. */
static enum err_code
sign_by_mandate(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct work *w = s->work;
	struct certificate old;

	TRY(mandate_get(d->v, s->req.mandate, d->a, &s->mandate, e));
	TRY(certificate_get(d->v, s->req.replaces, d->a, &old, e));
	TRY(certificate_load(d->v, &old, d->a, e));
	w->statement = s->mandate.statement;
	w->renewed = old.certificate;
	if (s->req.evidence.len > 0)
		TRY(list_evidence(s, &w->proof, e));
	return ca_consents(d->v, s->mandate.id, d->a, &w->evidence, e);
}

enum err_code
issue_sign(struct issue *s, struct err *e)
{
	struct work *w = s->work;
	struct statement st;

	*w = (struct work){ .is_appointment = s->is_appointment };
	if (!s->is_appointment) {
		TRY(request_load(s->d->v, &s->req, NULL, s->d->a, e));
		if (s->req.mandate.len > 0)
			TRY(sign_by_mandate(s, e));
		else
			TRY(list_evidence(s, &w->evidence, e));
		w->id = s->req.id;
		w->issuer = s->req.issuer;
		w->container = s->req.container;
		if (s->req.mandate.len == 0)
			w->statement = s->req.statement;
		w->serial = s->req.serial;
		w->tbs_sha256 = s->req.tbs_sha256;
		return ERR_OK;
	}
	TRY(statement_parse(s->appt.statement, s->d->a, &st, e));
	TRY(list_evidence(s, &w->evidence, e));
	w->id = s->appt.id;
	w->issuer = st.issuer;
	w->container = s->appt.container;
	w->statement = s->appt.statement;
	w->serial = s->appt.serial;
	w->tbs_sha256 = s->appt.tbs_sha256;
	return ERR_OK;
}

/* --- 7 compare ------------------------------------------------------------------------ */

enum err_code
issue_compare(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct bytes want =
	    s->is_appointment ? s->appt.tbs_sha256 : s->req.tbs_sha256;
	uint8_t got[SHA256_LEN];
	struct cert cert;
	struct lint found;

	s->issuer = issuer_of(d->ca, s);
	if (s->issuer == NULL)
		return issuer_gone(e);
	TRY(cert_parse_own(s->der, &cert, e));
	sha256(got, cert.tbs);
	if (!bytes_eq(bytes_of(got, sizeof(got)), want))
		return err_say(e, ERR_INVALID, "issue-other-bytes",
		    "the signer answered with another certificate than the one "
		    "that was endorsed");
	TRY(cert_check_issued(&cert, &s->issuer->cert, d->now, d->ca->verifier,
	    e));
	/* These bytes were linted with the extensions of their policy. */
	for (size_t i = 0; i < cert.n_ext; i++)
		cert_declare(&cert, cert.ext[i].oid, cert.ext[i].critical);
	cert_lint(&cert, s->is_appointment ? LINT_ENDORSER : LINT_HOLDER,
	    LINT_ALL, &found);
	return lint_verdict(&found, e);
}

/* --- 8 issue -------------------------------------------------------------------------- */

static enum err_code
draft_replaced(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct pen pen AUTO_PEN = { .draft = NULL };

	const struct policy *p =
	    policy_of(d->ca, s->req.policy, s->req.policy_sha256);
	struct certificate old;

	TRY(certificate_get(d->v, s->req.replaces, d->a, &old, e));
	pen_begin(&pen, d, ENTRY_CERTIFICATE_REPLACED);
	pen.draft->refs.institution = s->req.institution;
	pen.draft->refs.serial = s->req.replaces;
	jw_member_hex(&pen.w, "by", s->req.serial);
	/* Not at once: who relies on the old one has that long to change. */
	if (p != NULL && p->overlap_s > 0 &&
	    d->now + p->overlap_s <= old.not_after)
		jw_member_int(&pen.w, "until", d->now + p->overlap_s);
	return pen_end(&pen, d->a, e);
}

static enum err_code
record_request(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_CERTIFICATE_ISSUED);
	pen.draft->refs.institution = r->institution;
	pen.draft->refs.request = r->id;
	pen.draft->refs.serial = r->serial;
	pen.draft->refs.policy = r->policy_sha256;
	pen.draft->refs.tbs = r->tbs_sha256;
	pen.draft->refs.object = hash_in(d->a, s->der);
	jw_member_base64(&pen.w, "certificate", s->der);
	TRY(pen_end(&pen, d->a, e));
	if (r->replaces.len > 0 && r->state == REQ_ENDORSED)
		return draft_replaced(s, e);
	return ERR_OK;
}

static enum err_code
record_appointment(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_APPOINTMENT_IN_FORCE);
	pen.draft->refs.institution = ap->institution;
	pen.draft->refs.appointment = ap->id;
	pen.draft->refs.serial = ap->serial;
	pen.draft->refs.tbs = ap->tbs_sha256;
	pen.draft->refs.object = hash_in(d->a, s->der);
	jw_member_base64(&pen.w, "certificate", s->der);
	return pen_end(&pen, d->a, e);
}

enum err_code
issue_record(struct issue *s, struct err *e)
{
	return s->is_appointment ? record_appointment(s, e)
				 : record_request(s, e);
}

/* --- 9 publish ------------------------------------------------------------------------- */

enum err_code
issue_publish(struct issue *s, struct err *e)
{
	struct decision *out = s->d->out;

	(void)e;
	out->object = s->is_appointment
			  ? ca_row_key(s->d->a, ROW_APPOINTMENT, s->appt.id)
			  : ca_row_key(s->d->a, ROW_REQUEST, s->req.id);
	out->waits = false;
	return ERR_OK;
}
