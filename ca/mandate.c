#include <refrendo/crl.h>

#include "inner.h"

/*
 * Mandates: a minister's signature under the renewals of one certificate, for
 * the same person, office and policy, until a day and so many times.  It is a
 * pending endorsement until the last of them: it ends with the office of any
 * minister who signed it (decision 0047).
 */

int64_t
mandate_due(const struct mandate *m)
{
	if (m->state == MANDATE_PROPOSED)
		return m->expires + 1;
	return m->state == MANDATE_IN_FORCE ? m->until + 1 : NEVER;
}

enum mandate_state
mandate_state_at(const struct mandate *m, int64_t now)
{
	if (now < mandate_due(m))
		return (enum mandate_state)m->state;
	return m->state == MANDATE_PROPOSED ? MANDATE_LAPSED : MANDATE_EXPIRED;
}

static void
pen_mandate(struct pen *p, struct deed *d, enum entry_type type,
    const struct mandate *m)
{
	pen_begin(p, d, type);
	p->draft->refs.institution = m->institution;
	p->draft->refs.request = m->id;
	d->out->object = ca_row_key(d->a, ROW_MANDATE, m->id);
}

/* The next one of a person; *after is empty at the start. */
static enum err_code
mandate_of(struct deed *d, struct bytes rut, struct bytes run,
    struct bytes *after, struct mandate *out, bool *found, struct err *e)
{
	struct bytes prefix = key_of_mandated(d->a, rut, run, BYTES_NONE);
	struct bytes key, value;

	if (after->len == 0)
		*after = prefix;
	TRY(view_next(d->v, prefix, *after, &key, &value, found, e));
	if (!*found)
		return ERR_OK;
	*after = arena_copy(d->a, key);
	return mandate_get(d->v,
	    bytes_of(after->p + prefix.len, after->len - prefix.len), d->a, out,
	    e);
}

/* The next one that is in force for renewals of that person under that policy. */
static enum err_code
next_in_force(struct deed *d, struct bytes rut, struct bytes run,
    struct bytes policy, struct bytes *after, struct mandate *out, bool *found,
    struct err *e)
{
	do
		TRY(mandate_of(d, rut, run, after, out, found, e));
	while (*found && (mandate_state_at(out, d->now) != MANDATE_IN_FORCE ||
			     !bytes_eq(out->policy, policy)));
	return ERR_OK;
}

/* A CA that was stopped, revoked or got a new key signs by none any more. */
static enum err_code
ca_ended(struct deed *d, struct bytes name, bool *is, struct err *e)
{
	struct issuer_row row;

	TRY(issuer_get(d->v, name, d->a, &row, e));
	*is = row.stopped != 0 || row.revoked != 0;
	return ERR_OK;
}

enum err_code
mandate_issuer_issues(struct deed *d, struct bytes name, struct err *e)
{
	bool is;

	TRY(ca_ended(d, name, &is, e));
	if (!is)
		return ERR_OK;
	return err_say(e, ERR_DENIED, "mandate-issuer",
	    "a mandate is for the CA that signed the certificate, and %s "
	    "issues no more; renew the certificate with an endorsement, and "
	    "propose a mandate for the new one",
	    arena_str(d->a, name));
}

/* --- What it comes to by itself --------------------------------------------------- */

/* Is everybody who signed it in office still, with a certificate that counts? */
enum err_code
mandate_ministers(struct deed *d, const struct mandate *m,
    struct appointment *out, bool *are, struct err *e)
{
	struct bytes after = BYTES_NONE;
	struct consent one;
	struct certificate cert;
	bool found;

	for (*are = true;;) {
		TRY(consent_next(d->v, m->id, d->a, &after, &one, &found, e));
		if (!found)
			return ERR_OK;
		TRY(appointment_get(d->v, one.appointment, d->a, out, e));
		TRY(certificate_get(d->v, out->serial, d->a, &cert, e));
		/* It may end sooner than the appointment, with its CA. */
		*are = appointment_in_force(out, d->now) &&
		       d->now <= cert.not_after;
		if (!*are)
			return ERR_OK;
	}
}

/* Why nothing can ever be renewed by one that is in force in its row. */
static enum err_code
why_over(struct deed *d, const struct mandate *m, const char **why,
    struct err *e)
{
	const struct policy *p = policy_find(d->ca->policies, m->policy);
	struct institution inst;
	struct appointment ap;
	bool ended, are;

	*why = NULL;
	TRY(ca_ended(d, m->issuer, &ended, e));
	TRY(institution_get(d->v, m->institution, d->a, &inst, e));
	TRY(mandate_ministers(d, m, &ap, &are, e));
	if (d->now > m->until)
		*why = "its last day has passed";
	else if (m->used >= m->renewals)
		*why = "all its renewals were made";
	else if (ended)
		*why = "its CA issues no more";
	else if (inst.state == INST_CLOSED)
		*why = "its institution was closed";
	else if (!are)
		*why = "a minister who signed it is not in office any more";
	else if (p == NULL || p->renewal == RENEWAL_FRESH ||
		 !bytes_eq(m->policy_sha256, bytes_of(p->sha256, SHA256_LEN)))
		*why = "its version of the policy is not in force any more";
	return ERR_OK;
}

enum err_code
ca_mandate_over(struct view *v, const struct ca *ca, int64_t now,
    struct arena *a, struct mandate *m, struct err *e)
{
	struct deed d = { .ca = ca, .v = v, .now = now, .a = a };
	const char *why;

	if (m->state != MANDATE_IN_FORCE)
		return ERR_OK;
	TRY(why_over(&d, m, &why, e));
	if (why == NULL)
		return ERR_OK;
	m->state = MANDATE_EXPIRED;
	m->reason = bytes_str(why);
	return ERR_OK;
}

enum err_code
mandate_find(struct deed *d, struct bytes rut, struct bytes run,
    struct bytes policy, struct mandate *out, bool *found, struct err *e)
{
	struct bytes after = BYTES_NONE;
	const char *why = "";

	for (;;) {
		TRY(next_in_force(d, rut, run, policy, &after, out, found, e));
		if (!*found)
			return ERR_OK;
		TRY(why_over(d, out, &why, e));
		if (why == NULL)
			return ERR_OK;
	}
}

/* --- Propose ------------------------------------------------------------------ */

struct bytes
mandate_profile(struct arena *a, const struct cert *c)
{
	uint8_t *p = arena_get(a, SHA256_LEN);

	cert_profile(c, p);
	return bytes_of(p, SHA256_LEN);
}

/* What the policy in force says of it; the certificate must be by that one. */
static enum err_code
policy_allows(struct deed *d, const struct certificate *c,
    const struct policy **out, struct err *e)
{
	const struct policy *p = policy_find(d->ca->policies, c->policy);
	const char *name = arena_str(d->a, c->policy);

	if (p == NULL || p->renewal == RENEWAL_FRESH)
		return err_say(e, ERR_DENIED, "mandate-policy",
		    "the policy %s asks for a new endorsement of each renewal; "
		    "renew the certificate with one",
		    name);
	if (p->renewal == RENEWAL_MANDATE && p->reuse != REUSE_SAME_PERSON)
		return err_say(e, ERR_DENIED, "mandate-policy-keys",
		    "the policy %s forbids that a key is used again, and a "
		    "renewal under a mandate keeps its key; renew the "
		    "certificate with an endorsement, or let its mandates "
		    "allow a new key",
		    name);
	if (!bytes_eq(c->policy_sha256, bytes_of(p->sha256, SHA256_LEN)))
		return err_say(e, ERR_DENIED, "mandate-policy-other",
		    "another version of the policy %s is in force now; renew "
		    "the certificate with an endorsement, and propose a new "
		    "mandate for that one",
		    name);
	*out = p;
	return ERR_OK;
}

static enum err_code
take_limits(struct deed *d, struct mandate *m, struct err *e)
{
	int64_t most = d->ca->ceilings->mandate_max_s;
	char text[TIME_TEXT];

	/* command_check() has parsed both once. */
	(void)!time_parse(field(d, CF_UNTIL), &m->until);
	(void)!dec_parse(field(d, CF_RENEWALS), &m->renewals);
	time_print(text, d->now + most);
	if (m->until <= d->now)
		return err_at(e, ERR_DENIED, "mandate-past", NULL,
		    at_field("until"),
		    "a mandate ends in the future; name a later day");
	if (m->until > d->now + most)
		return err_at(e, ERR_DENIED, "mandate-long", NULL,
		    at_field("until"),
		    "the ceilings let a mandate last until %s at most", text);
	return ERR_OK;
}

static enum err_code
take_profile(struct deed *d, struct certificate *c, struct mandate *m,
    struct err *e)
{
	struct cert cert;

	TRY(certificate_load(d->v, c, d->a, e));
	TRY(cert_parse_own(c->certificate, &cert, e));
	m->profile_sha256 = mandate_profile(d->a, &cert);
	return ERR_OK;
}

static enum err_code
put_statement(struct deed *d, const struct mandate *m,
    const struct institution *inst, const struct policy *p, struct buf *out,
    struct err *e)
{
	uint8_t *root = arena_get(d->a, HASH_LEN);
	struct buf words AUTO_BUF = BUF(STATEMENT_MAX);

	TRY(view_log_root(d->v, root, e));
	struct statement st = {
		.type = STATEMENT_MANDATE,
		.origin = d->ca->origin,
		.request = m->id,
		.endorsements = m->needed > 1 ? m->needed : 0,
		.policy = m->policy,
		.policy_sha256 = m->policy_sha256,
		.policy_version = p->version,
		.issuer = m->issuer,
		.institution = m->institution,
		.institution_name = inst->name,
		.holder_run = m->holder_run,
		.holder_name = m->holder_name,
		.holder_office = m->holder_office,
		.operator_run = m->proposed_by,
		.profile_sha256 = m->profile_sha256,
		.rekey_sha256 = m->rekey_sha256,
		.until = m->until,
		.renewals = m->renewals,
		.life_s = m->life_s,
		.log_size = view_log_size(d->v),
		.log_root = bytes_of(root, HASH_LEN),
		.issued = d->now,
		.expires = m->expires,
	};
	statement_in_words(&st, true, &words);
	st.text_es = buf_bytes(&words);
	return statement_print(&st, out, e);
}

static enum err_code
draft_proposed_mandate(struct deed *d, const struct mandate *m,
    const struct institution *inst, const struct policy *p, struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct pen pen AUTO_PEN = { .draft = NULL };

	TRY(put_statement(d, m, inst, p, &text, e));
	pen_mandate(&pen, d, ENTRY_MANDATE_PROPOSED, m);
	pen.draft->refs.policy = m->policy_sha256;
	jw_key(&pen.w, "mandate");
	rec_write(&pen.w, &rec_mandate, m, false);
	jw_member_str(&pen.w, "statement", buf_bytes(&text));
	return pen_end(&pen, d->a, e);
}

static enum err_code
holder_must_be_same(struct deed *d, const struct certificate *c,
    struct mandate *m, struct err *e)
{
	struct request old;
	struct person person;

	TRY(request_get(d->v, c->request, d->a, &old, e));
	TRY(person_get(d->v, c->institution, c->holder_run, d->a, &person, e));
	if (bytes_eq(d->run, c->holder_run))
		return err_say(e, ERR_FORBIDDEN, "mandate-own",
		    "an operator does not propose a mandate for his or her own "
		    "certificate; another operator must");
	TRY(office_must_be_same(d, &old, &person, e));
	m->holder_name = person.name;
	m->holder_office = person.office;
	return ERR_OK;
}

enum err_code
act_mandate_propose(struct deed *d, struct err *e)
{
	struct certificate c;
	struct institution inst;
	struct mandate m = { .state = MANDATE_PROPOSED };
	const struct policy *p;
	enum cert_state to;

	TRY(certificate_of_field(d, &c, e));
	TRY(cert_next((enum cert_state)c.state, EV_RENEW, &to, e));
	TRY(institution_get(d->v, c.institution, d->a, &inst, e));
	TRY(institution_must_be_enabled(&inst, e));
	TRY(mandate_issuer_issues(d, c.issuer, e));
	TRY(policy_allows(d, &c, &p, e));
	TRY(holder_must_be_same(d, &c, &m, e));
	TRY(take_limits(d, &m, e));
	TRY(take_profile(d, &c, &m, e));
	TRY(id_new(d, "MAN", &m.id, e));
	m.institution = c.institution;
	m.holder_run = c.holder_run;
	m.policy = c.policy;
	m.policy_sha256 = c.policy_sha256;
	m.issuer = c.issuer;
	m.serial = c.serial;
	if (p->renewal == RENEWAL_REKEY)
		m.rekey_sha256 = c.spki_sha256;
	m.proposed_by = d->run;
	m.life_s = p->default_s;
	m.needed = endorsements_needed(d->ca, p->required);
	m.needed = m.needed > 0 ? m.needed : 1;
	m.proposed = d->now;
	m.expires = d->now + p->statement_ttl_s;
	return draft_proposed_mandate(d, &m, &inst, p, e);
}

/* --- Endorse ------------------------------------------------------------------------ */

/* One at a time: whoever ends it knows that there is no other. */
static enum err_code
must_be_only_one(struct deed *d, const struct mandate *m, struct err *e)
{
	struct mandate other;
	bool found;

	TRY(mandate_find(d, m->institution, m->holder_run, m->policy, &other,
	    &found, e));
	if (!found)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "mandate-another",
	    "the mandate %s is in force for the same person and policy; end it "
	    "first",
	    arena_str(d->a, other.id));
}

static enum err_code
draft_closed(struct deed *d, enum entry_type type, const struct mandate *m,
    struct bytes reason, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_mandate(&pen, d, type, m);
	jw_member_str_opt(&pen.w, "reason", reason);
	return pen_end(&pen, d->a, e);
}

/* Those that serve no more: so there is one at most to end at a revocation. */
static enum err_code
end_those_before(struct deed *d, const struct mandate *m, struct err *e)
{
	struct bytes after = BYTES_NONE;
	const char *why = arena_printf(d->a, "the mandate %s took its place",
	    arena_str(d->a, m->id));
	struct mandate before;
	bool found;

	for (;;) {
		TRY(next_in_force(d, m->institution, m->holder_run, m->policy,
		    &after, &before, &found, e));
		if (!found)
			return ERR_OK;
		TRY(draft_closed(d, ENTRY_MANDATE_ENDED, &before,
		    bytes_str(why), e));
	}
}

enum err_code
act_mandate_endorse(struct deed *d, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct pen pen AUTO_PEN = { .draft = NULL };
	struct institution inst;
	struct appointment ap;
	struct mandate m;
	struct certificate cert;
	struct cms cms;
	enum mandate_state to;
	enum cert_state renewed;
	char text[TIME_TEXT];

	TRY(mandate_get(d->v, field(d, CF_MANDATE), d->a, &m, e));
	TRY(cms_parse(field(d, CF_CMS), &scratch, &cms, e));
	TRY(minister_of(d, &cms, m.institution, &ap, e));
	TRY(three_persons(d->run, m.holder_run, m.proposed_by, e));
	int64_t needed = endorsements_needed(d->ca, m.needed);
	needed = needed > 0 ? needed : 1;
	TRY(mandate_next(mandate_state_at(&m, d->now),
	    m.signatures + 1 >= needed ? MV_AGREE : MV_CONSENT, &to, e));
	TRY(ministers_before(d, m.id, m.id, e));
	/* It may have been revoked since. */
	TRY(certificate_get(d->v, m.serial, d->a, &cert, e));
	TRY(cert_next((enum cert_state)cert.state, EV_RENEW, &renewed, e));
	TRY(mandate_issuer_issues(d, m.issuer, e));
	TRY(must_be_only_one(d, &m, e));
	TRY(institution_get(d->v, m.institution, d->a, &inst, e));
	TRY(institution_must_be_enabled(&inst, e));
	time_print(text, ap.until);
	if (m.until >= ap.until)
		return err_say(e, ERR_DENIED, "mandate-outlasts",
		    "the mandate would outlast the appointment of the "
		    "minister, "
		    "which ends on %s; propose a shorter one",
		    text);
	TRY(cms_verify(&cms, m.statement, d->ca->verifier, e));
	if (to == MANDATE_IN_FORCE)
		TRY(end_those_before(d, &m, e));
	pen_mandate(&pen, d, ENTRY_MANDATE_ENDORSED, &m);
	jw_member_str(&pen.w, "appointment", ap.id);
	jw_member_base64(&pen.w, "evidence", cms.der);
	jw_member_str(&pen.w, "minister", d->run);
	jw_member_int(&pen.w, "needed", needed);
	return pen_end(&pen, d->a, e);
}

/* --- Its end -------------------------------------------------------------------------- */

/* Whoever has a part in it: a right is taken away without a quorum. */
enum err_code
act_mandate_end(struct deed *d, struct err *e)
{
	struct mandate m;
	enum mandate_state to;

	TRY(mandate_get(d->v, field(d, CF_MANDATE), d->a, &m, e));
	TRY(roles_find(d, m.institution, m.holder_run, e));
	TRY(mandate_next(mandate_state_at(&m, d->now), MV_END, &to, e));
	return draft_closed(d, ENTRY_MANDATE_ENDED, &m, field(d, CF_REASON), e);
}

enum err_code
mandate_revoked(struct deed *d, const struct certificate *c, int64_t reason,
    struct err *e)
{
	struct bytes object = d->out->object, after = BYTES_NONE;
	struct mandate m;
	bool found;

	if (reason == CRL_SUPERSEDED)
		return ERR_OK;
	/* Also one that core renews by no more: the signer knows of no policy
	 * and no office of a holder. */
	for (;;) {
		TRY(next_in_force(d, c->institution, c->holder_run, c->policy,
		    &after, &m, &found, e));
		if (!found)
			break;
		TRY(draft_closed(d, ENTRY_MANDATE_ENDED, &m,
		    bytes_str("its certificate was revoked"), e));
	}
	d->out->object = object;
	return ERR_OK;
}

/*
 * Whether the signer has the new key in its journal is not known: it may have
 * died before or after.  Neither the old key nor the new one is sure to go on.
 */
enum err_code
mandate_failed(struct deed *d, const struct request *r, struct err *e)
{
	struct bytes object = d->out->object;
	struct certificate old;
	struct mandate m;

	if (r->mandate.len == 0)
		return ERR_OK;
	/* By the same act, for its cause. */
	for (size_t i = 0; i < d->out->n; i++)
		if (d->out->draft[i].type == ENTRY_MANDATE_ENDED &&
		    bytes_eq(d->out->draft[i].refs.request, r->mandate))
			return ERR_OK;
	TRY(mandate_get(d->v, r->mandate, d->a, &m, e));
	TRY(certificate_get(d->v, r->replaces, d->a, &old, e));
	if (mandate_state_at(&m, d->now) != MANDATE_IN_FORCE ||
	    m.rekey_sha256.len == 0 ||
	    bytes_eq(old.spki_sha256, r->spki_sha256))
		return ERR_OK;
	TRY(draft_closed(d, ENTRY_MANDATE_ENDED, &m,
	    bytes_str("its renewal with a new key failed"), e));
	d->out->object = object;
	return ERR_OK;
}

enum err_code
due_mandate(struct deed *d, struct bytes id, struct err *e)
{
	struct mandate m;

	TRY(mandate_get(d->v, id, d->a, &m, e));
	if (mandate_due(&m) > d->now)
		return err_say(e, ERR_CORRUPT, "due-not-due",
		    "a stored due time disagrees with its record");
	return draft_closed(d, ENTRY_MANDATE_LAPSED, &m,
	    bytes_str(m.state == MANDATE_PROPOSED
			  ? "too few ministers signed it in time"
			  : "its last day has passed"),
	    e);
}
