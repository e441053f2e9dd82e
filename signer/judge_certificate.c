/*
 * judge_certificate - may this certificate be signed?  Promise 1: not without
 * the signature of the person who answers for it, over these very bytes.
 *
 * A holder's certificate needs an endorsement, signed by a minister whose own
 * certificate this signer made; a minister's needs an appointment, signed by
 * an officer of the ceilings.  Core is believed in nothing: whoever owns it
 * can ask only for what a person has signed.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* Everything that is known about the request while it is judged. */
struct view {
	struct signer *s;
	struct authority *by;
	bool is_minister;
	bool again; /* journalled before, and perhaps not signed */
	int64_t now;
	struct cert cert;
	enum key_type key;
	struct statement st;
	struct bytes tbs_sha256, statement_sha256, evidence_sha256;
	struct bytes key_sha256, holder_sha256; /* of the key; and the RUN */
};

/* --- The statement by itself --------------------------------------------------- */

static enum err_code
check_statement(struct view *v, struct err *e)
{
	struct statement *st = &v->st;
	const struct ceilings *top = &v->s->ceilings;
	bool mandate = st->type == STATEMENT_MANDATE;
	if (v->is_minister != (st->type == STATEMENT_APPOINTMENT))
		return err_say(e, ERR_DENIED, "signer-statement-type",
		    "the statement is of the wrong kind: a holder's "
		    "certificate needs an endorsement or a mandate, a "
		    "minister's an appointment");
	TRY(signer_fresh(v->s, st->origin, st->issued,
	    mandate ? st->until : st->expires,
	    mandate ? top->mandate_max_s : top->statement_max_s, v->now, e));
	/* A mandate is used today: its policy must still be in force. */
	st->issued = mandate ? v->now : st->issued;
	if (!bytes_is(st->issuer, v->by->name))
		return err_say(e, ERR_DENIED, "signer-statement-issuer",
		    "the statement names another issuing CA than %s",
		    v->by->name);
	return v->is_minister ? ERR_OK : check_policy(v->s, st, e);
}

/* --- The CA ------------------------------------------------------------------------ */

/* May it issue, and this for that institution? */
static enum err_code
check_ca(const struct view *v, struct err *e)
{
	const struct authority *by = v->by;
	const struct agreed *a = state_agreed_id(&v->s->state,
	    bytes_str(
		arena_printf(v->s->arena, CEREMONY_CA_ID "%s", by->name)));
	if (a != NULL && a->ended != NEVER)
		return err_say(e, ERR_DENIED, "signer-ca-ended",
		    "the CA %s was stopped, revoked, or given a new key",
		    by->name);
	if (v->is_minister)
		return ERR_OK;
	if (!ceilings_name_ca(&v->s->ceilings, by->name, by->tbs_sha256) &&
	    (a == NULL || memcmp(a->sha256, by->tbs_sha256, SHA256_LEN) != 0))
		return err_say(e, ERR_DENIED, "signer-ca-new",
		    "officers never put this CA %s in force before the "
		    "signer; complete its ceremony",
		    by->name);
	return cert_check_below(&by->cert, v->cert.subject, v->st.institution,
	    e);
}

/* --- A renewal against its mandate ------------------------------------------------------ */

/* With the key of the one that is renewed, which no core has. */
static enum err_code
judge_holder(struct signer *s, void *ctx, const struct cms *cms,
    const char **run, struct err *e)
{
	const struct cert *old = ctx;
	(void)s;
	*run = "";
	if (bytes_eq(cms->signer.tbs, old->tbs))
		return ERR_OK;
	return err_say(e, ERR_FORBIDDEN, "signer-rekey-other",
	    "the new key was signed for with another certificate than the one "
	    "that is renewed");
}

/* What it renews is in the journal, and both are what the minister signed for;
 * counted is by the mandate's id. */
static enum err_code
check_mandate(const struct view *v, const struct signer_certificate *m,
    struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(2 * RECORD_MAX);
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	const struct statement *st = &v->st;
	const struct agreed *g = state_agreed_id(&v->s->state, st->request);
	struct record old;
	uint64_t signature;
	bool found = false;
	struct cert c;
	if (g != NULL && (g->ended != NEVER || g->kind != AGREED_MANDATE ||
			     (!v->again && g->version >= st->renewals)))
		return err_say(e, ERR_DENIED, "signer-mandate-over",
		    "the mandate was ended, or all its renewals were made");
	if (v->cert.not_after > st->until ||
	    v->cert.not_after - v->cert.not_before + 1 > st->life_s)
		return err_say(e, ERR_DENIED, "signer-mandate-life",
		    "the certificate would live longer than the mandate, or "
		    "than it lets a renewal live");
	if (cert_parse_own(m->renewed, &c, e) == ERR_OK)
		TRY(state_serial(&v->s->state, v->s->journal, c.serial,
		    &scratch, &old, &signature, &found, e));
	if (!found || !bytes_eq(old.digest, signer_hash(v->s, c.tbs)))
		return err_say(e, ERR_DENIED, "signer-renews-none",
		    "this signer never accepted the certificate to be renewed");
	if (c.not_after < v->now)
		return err_say(e, ERR_DENIED, "signer-renews-over",
		    "the certificate to be renewed is over; the holder needs "
		    "an endorsement");
	/* The minister signed for no key: it stays, or is followed by another
	 * that it signs, and then all certificates of before are over, also
	 * when their key comes back: what it signed for them was used. */
	bool same = bytes_eq(v->cert.spki, c.spki);
	struct bytes last = st->rekey_sha256;
	if (g != NULL && last.len > 0)
		last = bytes_of(g->sha256, SHA256_LEN);
	bool left = g != NULL && old.at < (uint64_t)g->from;
	if (last.len == 0 ? !same
			  : !v->again && (left || !bytes_eq(old.key, last)))
		return err_say(e, ERR_DENIED, "signer-mandate-key",
		    "a renewal under a mandate keeps the key of the "
		    "certificate that it renews, or follows the key that was "
		    "certified last where the mandate allows another");
	if (!cert_has_profile(&c, st->profile_sha256) ||
	    !cert_has_profile(&v->cert, st->profile_sha256) ||
	    !bytes_eq(st->institution, old.institution))
		return err_say(e, ERR_DENIED, "signer-profile",
		    "the mandate is for certificates of another person, "
		    "office, institution or profile");
	if (same)
		return ERR_OK;
	TRY(rekey_print(st->request, old.digest, v->key_sha256, &text, e));
	return signer_people(v->s, m->proof, buf_bytes(&text), judge_holder, &c,
	    1, &last, e);
}

/* --- The certificate against the statement ------------------------------------------ */

static enum err_code
check_agreement(const struct view *v, const struct signer_certificate *m,
    struct err *e)
{
	const struct statement *st = &v->st;
	const struct cert *c = &v->cert;
	if (!cert_is_of(c, st->holder_run))
		return err_say(e, ERR_DENIED, "signer-holder",
		    "the certificate does not carry the RUN of the person "
		    "whom the statement names");
	if (st->type == STATEMENT_MANDATE)
		return check_mandate(v, m, e);
	if (!bytes_eq(st->tbs_sha256, v->tbs_sha256))
		return err_say(e, ERR_DENIED, "signer-tbs-hash",
		    "the statement was made for another certificate: the hash "
		    "of the part to be signed differs");
	if (!bytes_eq(st->spki_sha256, v->key_sha256))
		return err_say(e, ERR_DENIED, "signer-spki-hash",
		    "the statement names another public key than the "
		    "certificate");
	if (st->not_before != c->not_before || st->not_after != c->not_after)
		return err_say(e, ERR_DENIED, "signer-validity-other",
		    "the statement names another validity than the "
		    "certificate");
	return ERR_OK;
}

/* --- Ceilings ------------------------------------------------------------------------ */

static enum err_code
check_validity(const struct view *v, struct err *e)
{
	const struct cert *c = &v->cert;
	const struct ceilings *top = &v->s->ceilings;
	int64_t max =
	    v->is_minister ? top->appointment_max_s : top->validity_max_s;
	/* Both ends count (RFC 5280 4.1.2.5), hence the second more. */
	if (c->not_after < c->not_before ||
	    c->not_after - c->not_before + 1 > max)
		return err_at(e, ERR_DENIED, "signer-validity",
		    "Ley 19.799 art. 16", NOWHERE,
		    "the certificate is valid for longer than the ceiling of "
		    "the signer allows; shorten its validity");
	/* What a mandate renews has no statement of its own: it may wait for
	 * this signer as long as one may live. */
	int64_t from = v->st.issued - top->backdate_max_s;
	if (v->st.type == STATEMENT_MANDATE)
		from -= top->statement_max_s;
	if (c->not_before < from)
		return err_say(e, ERR_DENIED, "signer-backdated",
		    "the certificate begins longer before its statement than "
		    "the ceiling of the signer allows");
	int64_t latest = v->now;
	if (v->is_minister && v->st.from > latest)
		latest = v->st.from;
	if (c->not_before > latest + SKEW)
		return err_say(e, ERR_DENIED, "signer-begins-later",
		    "the certificate would begin in the future");
	if (c->not_after < v->now)
		return err_say(e, ERR_DENIED, "signer-over",
		    "the certificate is already over");
	return ERR_OK;
}

/*
 * A holder's usages and purposes: no file can allow one that pkix does not
 * know as a holder's.  A minister's are exact in the lint.
 */
static enum err_code
check_usage(const struct view *v, struct err *e)
{
	const struct ceilings *top = &v->s->ceilings;
	uint32_t purposes;
	if ((v->cert.key_usage & ~top->key_usage) != 0)
		return err_say(e, ERR_DENIED, "signer-key-usage",
		    "the certificate has a key usage that the ceilings of the "
		    "signer do not allow");
	if (!cert_purposes(&v->cert, &purposes) || (purposes & ~top->eku) != 0)
		return err_say(e, ERR_DENIED, "signer-purpose",
		    "the certificate has an extended key usage that the "
		    "ceilings of the signer do not allow");
	return ERR_OK;
}

/* A minister's alternative names are those of people: otherName, e-mail. */
static enum err_code
check_name_kinds(const struct view *v, struct err *e)
{
	const unsigned people = 1u << general_name_tag(GN_OTHER_IA5) |
				1u << general_name_tag(GN_EMAIL);
	unsigned allowed = v->is_minister ? people : v->s->ceilings.names;
	unsigned kinds;
	if (!cert_name_kinds(&v->cert, &kinds) || (kinds & ~allowed) != 0)
		return err_at(e, ERR_DENIED, "signer-name-kind",
		    "RFC 5280 4.2.1.6", NOWHERE,
		    "the certificate has an alternative name of a kind that "
		    "the ceilings of the signer do not allow");
	return ERR_OK;
}

static enum err_code
check_key(const struct view *v, struct err *e)
{
	bool is_other;
	if ((v->s->ceilings.keys >> v->key & 1) == 0)
		return err_say(e, ERR_DENIED, "signer-key-type",
		    "keys of type %s are not among those that the ceilings of "
		    "the signer allow",
		    key_type_name(v->key));
	/* A key that signs for this installation signs for no person. */
	if (signer_has_key(v->s, v->cert.spki) ||
	    signer_officer(v->s, v->key_sha256) != NULL)
		return err_say(e, ERR_DENIED, "signer-key-ours",
		    "the public key is that of a CA, of a responder, of the "
		    "log or of an officer; the person must make one of his or "
		    "her own");
	TRY(state_key(&v->s->state, v->s->journal, v->key_sha256,
	    v->holder_sha256, &is_other, e));
	if (is_other)
		return err_say(e, ERR_DENIED, "signer-key-of-other",
		    "the public key was certified for another person before; "
		    "the person must make one of his or her own");
	return ERR_OK;
}

/* What stops a core in an enemy's hands that has an endorsement for all that
 * it asks, or that tries what it may have. */
static enum err_code
check_rate(const struct view *v, struct err *e)
{
	struct state *st = &v->s->state;
	const struct ceilings *top = &v->s->ceilings;
	char when[TIME_TEXT];
	if (v->now < st->stopped_until) {
		time_print(when, st->stopped_until);
		return err_say(e, ERR_BUSY, "signer-anomaly",
		    "the signer refused more than its ceilings allow in an "
		    "hour, and signs no certificate before %s; find out who "
		    "asked for what it refused",
		    when);
	}
	if (hour_sum(&st->hour, v->now) >= ceilings_hour(top, v->now))
		return err_say(e, ERR_BUSY, "signer-rate",
		    "the signer has signed as many certificates as its "
		    "ceilings allow in an hour; try later");
	if (state_institution_hour(st, v->st.institution, v->now) >=
	    ceilings_hour_institution(top, v->now))
		return err_say(e, ERR_BUSY, "signer-rate-institution",
		    "the signer has signed as many certificates for this "
		    "institution as its ceilings allow in an hour; try later");
	return ERR_OK;
}

/* --- Who signed ------------------------------------------------------------------------- */

/*
 * The appointment that this certificate stands for.  It is found by its TBS,
 * because the journal was written before the certificate was signed; that the
 * rest is the endorser CA's signature is checked once and then remembered by
 * the hash of the whole.
 */
static enum err_code
find_minister(struct signer *s, const struct cert *c, const struct agreed **out,
    struct err *e)
{
	struct bytes whole = signer_hash(s, c->der);
	struct agreed *a = state_agreed_hash(&s->state, AGREED_MINISTER,
	    signer_hash(s, c->tbs));
	if (a == NULL)
		return err_say(e, ERR_FORBIDDEN, "signer-minister-unknown",
		    "the endorsement was signed with a certificate that this "
		    "signer never gave to a minister of faith");
	if (!bytes_eq(whole, bytes_of(a->issuer_checked, SHA256_LEN))) {
		const struct cert *ca = &s->endorser->cert;
		if (verifier_check(s->ours, ca->spki, c->sigalg, c->tbs,
			c->signature, e) != ERR_OK)
			return err_say(e, ERR_FORBIDDEN,
			    "signer-minister-forged",
			    "the certificate of the minister of faith was not "
			    "signed by the ministers' CA");
		memcpy(a->issuer_checked, whole.p, SHA256_LEN);
	}
	*out = a;
	return ERR_OK;
}

static enum err_code
check_in_force(const struct view *v, const struct agreed *a,
    const struct cert *c, struct err *e)
{
	/* A right that was taken away is gone at once, to the second. */
	if (a->ended != NEVER)
		return err_say(e, ERR_FORBIDDEN, "signer-appointment-ended",
		    "the appointment %s of the minister has ended", a->id);
	if (v->now < a->from || v->now > a->until || v->now < c->not_before ||
	    v->now > c->not_after)
		return err_say(e, ERR_FORBIDDEN, "signer-appointment-time",
		    "the appointment %s of the minister is not in force today",
		    a->id);
	if (v->st.type == STATEMENT_MANDATE && v->st.until > a->until)
		return err_say(e, ERR_DENIED, "signer-mandate-outlasts",
		    "the mandate would outlast the appointment %s of the "
		    "minister who signed it",
		    a->id);
	if (!bytes_is(v->st.institution, a->name))
		return err_say(e, ERR_FORBIDDEN, "signer-institution",
		    "the minister was appointed by another institution than "
		    "the one of the request");
	return ERR_OK;
}

static enum err_code
judge_minister(struct signer *s, void *ctx, const struct cms *cms,
    const char **run, struct err *e)
{
	const struct view *v = ctx;
	const struct agreed *a = NULL;
	TRY(find_minister(s, &cms->signer, &a, e));
	TRY(check_in_force(v, a, &cms->signer, e));
	if (bytes_is(v->st.holder_run, a->run))
		return err_say(e, ERR_FORBIDDEN, "signer-own-certificate",
		    "a minister cannot endorse his or her own certificate; "
		    "ask another minister");
	if (bytes_is(v->st.operator_run, a->run))
		return err_say(e, ERR_FORBIDDEN, "signer-own-request",
		    "a minister cannot endorse a request that he or she "
		    "submitted; ask another minister");
	*run = a->run;
	return ERR_OK;
}

static enum err_code
check_appointment(const struct view *v, struct err *e)
{
	const struct statement *st = &v->st;
	if (st->until - st->from > v->s->ceilings.appointment_max_s)
		return err_say(e, ERR_DENIED, "signer-appointment-life",
		    "the appointment is for longer than the ceiling of the "
		    "signer allows");
	if (st->until < v->now)
		return err_say(e, ERR_DENIED, "signer-appointment-over",
		    "the appointment is already over");
	return ERR_OK;
}

/* What the statement alone says against it. */
static enum err_code
check_people(const struct view *v, struct err *e)
{
	if (!v->is_minister && bytes_eq(v->st.operator_run, v->st.holder_run))
		return err_say(e, ERR_FORBIDDEN, "signer-operator-holder",
		    "the operator who asks and the holder are one person; ask "
		    "another operator");
	return v->is_minister ? check_appointment(v, e) : ERR_OK;
}

/* --- All together ------------------------------------------------------------------------- */

enum err_code
check_evidence(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_evidence *m = &it->in.evidence;
	(void)now;
	it->job.wrap = WRAP_NONE;
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct cms cms;
	TRY(cms_parse(m->evidence, &scratch, &cms, e));
	return cms_verify(&cms, m->statement, s->theirs, e);
}

static enum err_code
judge_evidence(struct view *v, const struct signer_certificate *m,
    struct err *e)
{
	const struct ceilings *top = &v->s->ceilings;
	int64_t need =
	    v->is_minister ? top->appointment_quorum : top->endorsements;
	need = v->st.endorsements > need ? v->st.endorsements : need;
	TRY(check_people(v, e));
	void *ctx = v->is_minister ? (void *)&v->st.holder_run : v;
	return signer_people(v->s, m->evidence, m->statement,
	    v->is_minister ? signer_judge_officer : judge_minister, ctx, need,
	    &v->evidence_sha256, e);
}

static enum err_code
judge(struct view *v, const struct signer_certificate *m, struct err *e)
{
	TRY(statement_parse(m->statement, v->s->arena, &v->st, e));
	v->holder_sha256 = signer_hash_of(v->s, v->cert.spki, v->st.holder_run);
	TRY(check_statement(v, e));
	TRY(check_ca(v, e));
	TRY(check_agreement(v, m, e));
	TRY(check_validity(v, e));
	if (!v->is_minister)
		TRY(check_usage(v, e));
	TRY(check_name_kinds(v, e));
	TRY(check_key(v, e));
	return judge_evidence(v, m, e);
}

/* The record of what was judged; a minister's is also an appointment. */
static enum err_code
remember(const struct view *v, struct job *job, struct err *e)
{
	const struct statement *st = &v->st;
	struct record r = { .kind = st->type == STATEMENT_MANDATE
					? REC_RENEWAL
					: REC_CERTIFICATE,
		.id = st->request,
		.time = v->now,
		.issuer = bytes_str(v->by->name),
		.serial = v->cert.serial,
		.digest = v->tbs_sha256,
		.statement = v->statement_sha256,
		.evidence = v->evidence_sha256,
		.key = v->key_sha256,
		.holder = v->holder_sha256,
		.institution = st->institution };
	TRY(check_rate(v, e));
	if (v->is_minister) {
		if (state_agreed_id(&v->s->state, st->request) != NULL)
			return err_say(e, ERR_CONFLICT,
			    "signer-appointment-again",
			    "this appointment already has a certificate, or "
			    "has ended; propose a new appointment");
		r.kind = REC_APPOINTMENT;
		r.run = st->holder_run;
		r.from = st->from;
		r.until = st->until;
	}
	return signer_keep(v->s, &r, job, e);
}

/* Journalled before a crash, but not signed: the same evidence only. */
static enum err_code
same_evidence(const struct view *v, const struct job *job, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(2 * RECORD_MAX);
	struct record old;
	TRY(journal_get(v->s->journal, job->record, &scratch, &old, e));
	if (bytes_eq(old.evidence, v->evidence_sha256))
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "signer-evidence-other",
	    "this certificate was accepted with another person's signature; "
	    "send that one again");
}

enum err_code
may_sign_certificate(struct signer *s, struct item *it, int64_t now,
    struct err *e)
{
	const struct signer_certificate *m = &it->in.certificate;
	struct job *job = &it->job;
	struct view v = { .s = s, .now = now };
	bool done;
	v.is_minister = bytes_is(m->issuer, s->endorser->name);
	v.by = s->endorser;
	if (!v.is_minister)
		TRY(signer_issuer(s, m->issuer, &v.by, e));
	TRY(signer_container(s, v.by, m->container,
	    v.is_minister ? LINT_ENDORSER : LINT_HOLDER, &v.cert, &v.key, e));
	v.key_sha256 = signer_hash(s, v.cert.spki);
	v.tbs_sha256 = signer_hash(s, v.cert.tbs);
	v.statement_sha256 = signer_hash(s, m->statement);
	job->wrap = WRAP_SIGNED;
	job->by = v.by;
	job->tbs = v.cert.tbs;
	job->serial = v.cert.serial;
	TRY(signer_serial(s, &v.cert, v.tbs_sha256, v.statement_sha256, job,
	    &v.again, &done, e));
	if (done)
		return ERR_OK;
	TRY(judge(&v, m, e));
	return v.again ? same_evidence(&v, job, e) : remember(&v, job, e);
}
