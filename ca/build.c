#include <string.h>

#include "inner.h"

/* Steps 1 to 3 of issuance: evaluate, build, ask. */

/* --- Keys (INCIDENTS rows 8 and 44) --------------------------------------------- */

/* Does another request of the same person still ask for this key? */
static enum err_code
key_is_open(struct issue *s, struct bytes id, bool *open, struct err *e)
{
	struct request other;
	bool found;

	*open = false;
	TRY(rec_get(s->d->v, &rec_request, ca_row_key(s->d->a, ROW_REQUEST, id),
	    s->d->a, &other, &found, e));
	*open = found &&
		(other.state == REQ_SUBMITTED || other.state == REQ_RETURNED ||
		    other.state == REQ_ENDORSED);
	return ERR_OK;
}

enum err_code
key_judge(struct issue *s, struct bytes spki_sha256, struct err *e)
{
	struct deed *d = s->d;
	struct key_row key;
	struct bytes run = s->is_appointment ? s->appt.run : s->req.holder_run;
	struct bytes id = s->is_appointment ? s->appt.id : s->req.id;
	const char *list =
	    weak_list_find(d->ca->weak, s->csr.spki, spki_sha256);
	bool found, open, certified;

	if (list != NULL)
		return err_at(e, ERR_DENIED, "key-listed", "BR 6.1.1.3",
		    at_field("csr"),
		    "this key is on the list %s of keys that others know; make "
		    "a new one with another program",
		    list);
	TRY(rec_get(d->v, &rec_key, ca_row_key(d->a, ROW_KEY, spki_sha256),
	    d->a, &key, &found, e));
	if (!found)
		return ERR_OK;
	if (key.compromised != 0)
		return err_at(e, ERR_DENIED, "key-compromised", "BR 6.1.1.3",
		    at_field("csr"),
		    "this key was reported as compromised and is never "
		    "certified again; make a new one");
	if (!bytes_eq(key.run, run))
		return err_at(e, ERR_DENIED, "key-of-another", NULL,
		    at_field("csr"),
		    "this key belongs to another person; each person makes his "
		    "or her own");
	if (s->is_appointment || bytes_eq(key.request, id))
		return ERR_OK;
	if (s->policy != NULL && s->policy->reuse == REUSE_SAME_PERSON)
		return ERR_OK;
	TRY(key_is_open(s, key.request, &open, e));
	TRY(key_certified(d->v, &key, d->a, &certified, e));
	if (s->policy == NULL || (!open && !certified))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "key-reused", NULL, at_field("csr"),
	    "this key is used by the request %s and the policy forbids using "
	    "it again; make a new one",
	    arena_str(d->a, key.request));
}

/* --- 1 evaluate -------------------------------------------------------------------- */

static struct bytes
spki_hash(struct issue *s)
{
	uint8_t *p = arena_get(s->d->a, SHA256_LEN);

	sha256(p, s->csr.spki);
	return bytes_of(p, SHA256_LEN);
}

/* The first reason is the answer; the log keeps the others. */
static enum err_code
refused_by_policy(struct issue *s, const struct verdicts *v, struct err *e)
{
	bool first = true;

	for (size_t i = 0; i < v->len; i++) {
		if (v->v[i].passed)
			continue;
		if (first)
			*e = v->v[i].err;
		else
			(void)err_why(e, "also %s", v->v[i].err.say);
		first = false;
	}
	refused_by_policy_keep(s, e);
	return e->code;
}

const struct policy *
policy_of(const struct ca *ca, struct bytes name, struct bytes sha256)
{
	const struct policy *p = NULL;

	if (sha256.len == SHA256_LEN)
		p = policy_find_hash(ca->policies, sha256.p);
	return p != NULL ? p : policy_find(ca->policies, name);
}

/* One of the beginning is in force before the signer by its line alone. */
static enum err_code
ceilings_must_name(struct deed *d, const struct policy *p, struct err *e)
{
	const struct ceilings *c = d->ca->ceilings;
	struct bytes hash = bytes_of(p->sha256, SHA256_LEN);
	struct policy_row row;
	bool found;

	for (size_t i = 0; i < c->n_policy; i++)
		if (bytes_eq(hash, bytes_of(c->policy[i].sha256, SHA256_LEN)))
			return ERR_OK;
	TRY(rec_get(d->v, &rec_policy, ca_row_key(d->a, ROW_POLICY, hash), d->a,
	    &row, &found, e));
	if (c->n_policy == 0 || !found || row.activation.len > 0)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "policy-not-in-ceilings", NULL,
	    at_field("policy"),
	    "the policy %s is in force since the beginning, and the ceilings "
	    "name it no more; officers must activate a later version",
	    p->name);
}

enum err_code
policy_named(struct deed *d, struct bytes name, const struct policy **out,
    struct err *e)
{
	const struct policy *p = policy_find(d->ca->policies, name);

	if (p == NULL)
		return err_at(e, ERR_NOTFOUND, "request-policy", NULL,
		    at_field("policy"),
		    "no policy in force has the name %s; look at the list of "
		    "policies",
		    arena_str(d->a, name));
	if (p->base)
		return err_at(e, ERR_DENIED, "policy-base-only", NULL,
		    at_field("policy"),
		    "the policy %s is only there to be extended; name one that "
		    "extends it",
		    p->name);
	TRY(ceilings_must_name(d, p, e));
	*out = p;
	return ERR_OK;
}

/* Neither stopped nor on the root's CRL, and the one that the log knows. */
enum err_code
issuer_must_issue(struct deed *d, const struct ca_issuer *is, struct err *e)
{
	struct bytes name = bytes_str(is->name);
	struct issuer_row row;

	TRY(issuer_get(d->v, name, d->a, &row, e));
	if (!bytes_eq(row.certificate, is->cert.der))
		return err_say(e, ERR_DENIED, "issuer-other",
		    "the CA %s has another certificate in the configuration "
		    "than in the log",
		    is->name);
	if (row.revoked != 0)
		return err_say(e, ERR_DENIED, "issuer-revoked",
		    "the CA %s was revoked by the root; policies must name "
		    "another one",
		    is->name);
	if (row.replaced_by.len > 0)
		return err_say(e, ERR_DENIED, "issuer-replaced",
		    "the CA %s signs no certificate with this key any more: "
		    "%s took its place; submit the request again",
		    is->name, arena_str(d->a, row.replaced_by));
	if (row.stopped != 0)
		return err_say(e, ERR_DENIED, "issuer-stopped",
		    "the CA %s issues no more; policies must name another one",
		    is->name);
	return ERR_OK;
}

static enum err_code
not_open(const struct ca_issuer *is, struct err *e)
{
	if (is->is_refused)
		return err_say(e, ERR_BUSY, "issuer-refused",
		    "the signer signs neither CRL nor responder of the CA %s, "
		    "and its log says why: if the key does not open, restore "
		    "the newest copy of signer/cas and start the engine again",
		    is->name);
	return err_say(e, ERR_BUSY, "issuer-not-open",
	    "the first CRL and the responder of the CA %s are being made; ask "
	    "again in a moment",
	    is->name);
}

/* Of an institution's CAs the one that began last, of those that issue. */
static enum err_code
own_issuer(struct issue *s, struct err *e)
{
	const struct ca_issuers *issuers = s->d->ca->issuers;
	const struct ca_issuer *is;
	const struct ca_issuer *being_made = NULL;
	size_t at = SIZE_MAX;

	while ((is = ca_issuer_next(issuers, s->inst.rut, &at)) != NULL) {
		struct err why;
		if (!is->is_open) {
			being_made = is;
			continue;
		}
		if (s->issuer != NULL &&
		    is->cert.not_before <= s->issuer->cert.not_before)
			continue;
		enum err_code code = issuer_must_issue(s->d, is, &why);
		if (code == ERR_OK)
			s->issuer = is;
		else if (code != ERR_DENIED && code != ERR_NOTFOUND) {
			*e = why;
			return code;
		}
	}
	if (s->issuer != NULL)
		return ERR_OK;
	if (being_made != NULL)
		return not_open(being_made, e);
	return err_say(e, ERR_DENIED, "request-no-ca",
	    "the institution %s has no issuing CA that issues; officers ask "
	    "the root for one with refrendo ca create --rut",
	    arena_str(s->d->a, s->inst.rut));
}

/* The newest generation of the CA that a policy names. */
static enum err_code
named_issuer(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct bytes name = bytes_str(s->policy->issuer);
	struct issuer_row row = { .replaced_by = name };
	bool found = true;

	while (found && row.replaced_by.len > 0) {
		name = row.replaced_by;
		TRY(rec_get(d->v, &rec_issuer,
		    ca_row_key(d->a, ROW_ISSUER, name), d->a, &row, &found, e));
	}
	s->issuer = ca_issuer_named(d->ca->issuers, name, NULL);
	return ERR_OK;
}

/* A CA that is for one institution signs for no other. */
static enum err_code
issuer_must_fit(const struct issue *s, struct err *e)
{
	if (s->issuer->institution[0] == '\0' ||
	    bytes_is(s->inst.rut, s->issuer->institution))
		return ERR_OK;
	return err_say(e, ERR_DENIED, "request-issuer-other",
	    "the issuing CA %s is for another institution alone; use a policy "
	    "that says issuer: institution",
	    s->issuer->name);
}

enum err_code
find_policy(struct issue *s, struct err *e)
{
	TRY(policy_named(s->d, s->req.policy, &s->policy, e));
	s->issuer = NULL;
	if (strcmp(s->policy->issuer, "institution") == 0)
		return own_issuer(s, e);
	TRY(named_issuer(s, e));
	if (s->issuer == NULL)
		return err_say(e, ERR_DENIED, "request-issuer",
		    "the policy %s names the issuing CA %s, which this engine "
		    "does not have",
		    s->policy->name, s->policy->issuer);
	if (!s->issuer->is_open)
		return not_open(s->issuer, e);
	return issuer_must_fit(s, e);
}

/* What the policy is to judge by: the registry and the request, as of now. */
void
take_facts(struct issue *s)
{
	struct policy_facts *f = &s->facts;

	*f = (struct policy_facts){
		.fact = {
			[FACT_PERSON_RUN] = s->person.run,
			[FACT_PERSON_NAME] = s->person.name,
			[FACT_PERSON_OFFICE] = s->person.office,
			[FACT_PERSON_EMAIL] = s->person.email,
			[FACT_INSTITUTION_NAME] = s->inst.name,
			[FACT_INSTITUTION_RUT] = s->inst.rut,
		},
		.person_kind = (enum person_kind)s->person.kind,
		.institution_kind = (enum institution_kind)s->inst.kind,
		.is_renewal = s->req.replaces.len > 0,
		.key = s->csr.type,
		.asked_s = s->req.asked_s,
		.now = s->d->now,
		.issuer_not_after = s->issuer->cert.not_after,
	};
	f->n_attribute = attributes_list(s->person.attributes, f->attribute);
}

static enum err_code
evaluate_request(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	struct verdicts verdicts;

	TRY(find_policy(s, e));
	TRY(issuer_must_issue(d, s->issuer, e));
	if (bytes_eq(r->operator_run, r->holder_run))
		return err_say(e, ERR_DENIED, "request-operator-is-holder",
		    "an operator does not submit a request for himself or "
		    "herself; another operator must");
	take_facts(s);
	policy_evaluate(s->policy, &s->facts, d->a, &s->spec, &verdicts);
	if (verdicts.failed > 0)
		return refused_by_policy(s, &verdicts, e);
	if (s->policy->subordinate)
		return err_at(e, ERR_DENIED, "request-subordinate", NULL,
		    at_field("policy"),
		    "the policy %s is for CAs, whose certificates are not "
		    "signed yet: it can be checked, explained and simulated",
		    s->policy->name);
	if (!cert_permits(&s->issuer->cert, s->spec.subject))
		return err_at(e, ERR_DENIED, "request-outside-ca",
		    "RFC 5280 4.2.1.10", at_field("policy"),
		    "the policy %s builds a subject that the issuing CA %s may "
		    "not certify: it must begin with C and O of the "
		    "institution",
		    s->policy->name, s->issuer->name);
	r->spki_sha256 = spki_hash(s);
	r->policy_sha256 =
	    arena_copy(d->a, bytes_of(s->policy->sha256, SHA256_LEN));
	r->issuer = arena_copy(d->a, bytes_str(s->issuer->name));
	return key_judge(s, r->spki_sha256, e);
}

/* The compiled profile of a minister's certificate. */
static enum err_code
evaluate_appointment(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;
	const struct ceilings *ceilings = d->ca->ceilings;
	struct name_attr subject[] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, s->inst.name, STRING_USUAL },
		{ OID_TITLE, ap->office, STRING_USUAL },
		{ OID_SERIAL_NUMBER, ap->run, STRING_USUAL },
		{ OID_CN, ap->name, STRING_USUAL },
	};
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);

	s->issuer = d->ca->endorser;
	if ((ceilings->keys >> s->csr.type & 1) == 0)
		return err_at(e, ERR_DENIED, "appointment-key", NULL,
		    at_field("csr"),
		    "the key is %s, which the ceilings do not allow; make one "
		    "of an allowed type",
		    key_type_name(s->csr.type));
	TRY(name_build(subject, ARRAY_LEN(subject), &name, e));
	s->spec.subject = arena_copy(d->a, buf_bytes(&name));
	s->spec.not_before = ap->from > d->now ? ap->from : d->now;
	/* Both ends of a certificate belong to it (INCIDENTS row 1). */
	s->spec.not_after = ap->until - 1;
	if (s->spec.not_after > s->issuer->cert.not_after)
		s->spec.not_after = s->issuer->cert.not_after;
	if (s->spec.not_after - s->spec.not_before >= ceilings->validity_max_s)
		s->spec.not_after =
		    s->spec.not_before + ceilings->validity_max_s - 1;
	if ((s->spec.not_after - s->spec.not_before) % DAY == 0)
		s->spec.not_after--;
	if (s->spec.not_after <= s->spec.not_before)
		return err_say(e, ERR_DENIED, "appointment-after-ca",
		    "the endorser CA ends before the appointment begins");
	s->spec.path_len = -1;
	s->spec.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
	s->spec.eku[0] = OID_EKU_ENDORSER;
	s->spec.n_eku = 1;
	s->spec.eku_critical = true;
	s->spec.n_san = 1;
	s->spec.san[0].kind = GN_OTHER_IA5;
	struct bytes oid = oid_known(OID_RUT_HOLDER);
	memcpy(s->spec.san[0].other.p, oid.p, oid.len);
	s->spec.san[0].other.len = (uint8_t)oid.len;
	s->spec.san[0].value = ap->run;
	ap->spki_sha256 = spki_hash(s);
	return key_judge(s, ap->spki_sha256, e);
}

enum err_code
issue_evaluate(struct issue *s, struct err *e)
{
	return s->is_appointment ? evaluate_appointment(s, e)
				 : evaluate_request(s, e);
}

/* --- 2 build ------------------------------------------------------------------------ */

#define SERIAL_LEN        20
#define SERIAL_PREFIX     8
#define SERIAL_INDEX_BITS 28
#define SERIAL_INDEX_MASK ((UINT64_C(1) << SERIAL_INDEX_BITS) - 1)

/*
 * 8 octets that strictly rise (seconds and the size of the log, which each
 * entry raises), then 12 from the CSPRNG.  Positive, no leading zero, ordered
 * like time: new rows go to the end of the tree (DESIGN 4, INCIDENTS row 2).
 */
static enum err_code
draw_serial(struct issue *s, struct bytes *serial, struct err *e)
{
	struct deed *d = s->d;
	uint8_t *p = arena_get(d->a, SERIAL_LEN);
	struct serial_row row;
	bool found;
	uint64_t prefix = ((uint64_t)d->now << SERIAL_INDEX_BITS) +
			  (view_log_size(d->v) & SERIAL_INDEX_MASK);
	size_t n = SERIAL_LEN - SERIAL_PREFIX;

	if (prefix >> 56 == 0 || prefix >> 63 != 0)
		return err_say(e, ERR_CONFLICT, "serial-clock",
		    "the clock is too far from the present to number "
		    "certificates by it; set it right");
	if (d->random->used + n > RANDOM_POOL)
		fatal("a decision used up its randomness");
	be64_print(p, prefix);
	memcpy(p + SERIAL_PREFIX, d->random->p + d->random->used, n);
	d->random->used += n;
	*serial = bytes_of(p, SERIAL_LEN);
	TRY(rec_get(d->v, &rec_serial, ca_row_key(d->a, ROW_SERIAL, *serial),
	    d->a, &row, &found, e));
	if (found)
		return err_say(e, ERR_CONFLICT, "serial-taken",
		    "the serial number drawn is reserved already; ask again");
	return ERR_OK;
}

/* The entry that reserves a number is the first of its decision: the last one
 * whose index ends in these bits. */
bool
past_index(struct bytes serial, uint64_t size, uint64_t *index)
{
	if (serial.len != SERIAL_LEN || size == 0)
		return false;
	uint64_t low = be64_parse(serial.p) & SERIAL_INDEX_MASK;
	uint64_t high = (size - 1) & ~SERIAL_INDEX_MASK;

	if (high + low < size)
		*index = high + low;
	else if (high > 0)
		*index = high + low - SERIAL_INDEX_MASK - 1;
	else
		return false;
	return true;
}

/* Parsed and linted as everybody else will see it: any error refuses. */
static enum err_code
judge_container(struct issue *s, struct bytes der, struct err *e)
{
	struct cert cert;

	TRY(cert_parse_own(der, &cert, e));
	for (size_t i = 0; i < s->spec.n_private_ext; i++)
		cert_declare(&cert, oid_bytes(&s->spec.private_ext[i].oid),
		    s->spec.private_ext[i].critical);
	cert_lint(&cert, s->is_appointment ? LINT_ENDORSER : LINT_HOLDER,
	    LINT_ALL, &s->lint);
	return lint_verdict(&s->lint, e);
}

enum err_code
tbs_build(const struct material *m, struct cert_spec *spec, struct buf *tbs,
    struct err *e)
{
	spec->serial = m->serial;
	spec->issuer = m->issuer->subject;
	spec->issuer_ski = m->issuer->ski;
	spec->issuer_type = m->issuer_type;
	spec->spki = m->spki;
	spec->crl_url = m->urls.crl;
	spec->freshest_url = m->deltas;
	spec->ocsp_url = m->urls.ocsp;
	spec->issuer_url = m->urls.ca;
	return cert_build_tbs(spec, tbs, e);
}

enum err_code
issue_build(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	const struct ca_issuer *is = s->issuer;
	struct cert_spec *spec = &s->spec;
	struct material material = {
		.issuer = &is->cert,
		.issuer_type = is->type,
		.spki = s->csr.spki,
	};
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	uint8_t *hash = arena_get(d->a, SHA256_LEN);

	TRY(partition_choose(s, &s->req.partition, e));
	TRY(delta_check(s, e));
	material.urls = urls_of(is, s->req.partition, d->a);
	if (!s->is_appointment)
		material.deltas =
		    deltas_of(s->policy, is->name, material.urls.crl, d->a);
	TRY(draw_serial(s, &material.serial, e));
	TRY(tbs_build(&material, spec, &tbs, e));
	TRY(unsigned_assemble(buf_bytes(&tbs), key_type_sigalg(is->type), &der,
	    e));
	TRY(judge_container(s, buf_bytes(&der), e));
	sha256(hash, buf_bytes(&tbs));
	struct bytes container = arena_copy(d->a, buf_bytes(&der));
	if (s->is_appointment) {
		s->appt.serial = spec->serial;
		s->appt.tbs_sha256 = bytes_of(hash, SHA256_LEN);
		s->appt.container = container;
		return ERR_OK;
	}
	s->req.serial = spec->serial;
	s->req.tbs_sha256 = bytes_of(hash, SHA256_LEN);
	s->req.container = container;
	s->req.not_before = spec->not_before;
	s->req.not_after = spec->not_after;
	return ERR_OK;
}

/* --- 3 ask -------------------------------------------------------------------------- */

/* What every statement says, whoever signs it. */
static enum err_code
statement_common(struct issue *s, struct statement *st, struct err *e)
{
	struct deed *d = s->d;
	uint8_t *root = arena_get(d->a, HASH_LEN);

	TRY(view_log_root(d->v, root, e));
	*st = (struct statement){
		.origin = d->ca->origin,
		.issuer = bytes_str(s->issuer->name),
		.institution = s->inst.rut,
		.institution_name = s->inst.name,
		.not_before = s->spec.not_before,
		.not_after = s->spec.not_after,
		.log_size = view_log_size(d->v),
		.log_root = bytes_of(root, HASH_LEN),
		.issued = d->now,
	};
	return ERR_OK;
}

/* Nothing was refused: what the lint found are warnings. */
static void
put_warnings(const struct issue *s, struct jw *w)
{
	if (s->lint.n == 0)
		return;
	jw_key(w, "lint");
	jw_array(w);
	for (size_t i = 0; i < s->lint.n; i++)
		jw_str(w, bytes_str(s->lint.v[i]->id));
	jw_close(w, ']');
}

int64_t
endorsements_needed(const struct ca *ca, int64_t asked)
{
	int64_t n = ca->ceilings->endorsements;

	n = asked > n ? asked : n;
	return n > 1 ? n : 0;
}

static enum err_code
draft_submitted(struct issue *s, struct bytes statement, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	struct pen pen AUTO_PEN = { .draft = NULL };
	struct issuer_urls urls = urls_of(s->issuer, r->partition, d->a);

	pen_begin(&pen, d, ENTRY_REQUEST_SUBMITTED);
	pen.draft->refs.institution = r->institution;
	pen.draft->refs.request = r->id;
	pen.draft->refs.serial = r->serial;
	pen.draft->refs.tbs = r->tbs_sha256;
	pen.draft->refs.policy = r->policy_sha256;
	if (r->csr.len > 0)
		jw_member_base64(&pen.w, "csr", r->csr);
	jw_key(&pen.w, "facts");
	facts_write(&pen.w, &s->facts, &urls);
	put_warnings(s, &pen.w);
	jw_key(&pen.w, "request");
	rec_write(&pen.w, &rec_request, r, false);
	if (r->csr.len == 0)
		jw_member_base64(&pen.w, "spki", s->csr.spki);
	/* A mandate is a statement that was signed before. */
	jw_member_str_opt(&pen.w, "statement", statement);
	jw_member_base64(&pen.w, "tbs", r->container);
	d->out->object = ca_row_key(d->a, ROW_REQUEST, r->id);
	return pen_end(&pen, d->a, e);
}

static enum err_code
ask_request(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct request *r = &s->req;
	struct statement st;
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf words AUTO_BUF = BUF(STATEMENT_MAX);

	r->version++;
	r->state = REQ_SUBMITTED;
	r->submitted = d->now;
	r->lapses = d->now + s->policy->request_ttl_s;
	r->expires = d->now + s->policy->statement_ttl_s;
	if (s->by_mandate)
		return draft_submitted(s, BYTES_NONE, e);
	r->needed = endorsements_needed(d->ca, s->policy->required);
	TRY(statement_common(s, &st, e));
	st.type = STATEMENT_ENDORSEMENT;
	st.request = r->id;
	st.request_version = r->version;
	st.endorsements = r->needed;
	st.tbs_sha256 = r->tbs_sha256;
	st.policy_sha256 = r->policy_sha256;
	st.policy = r->policy;
	st.policy_version = s->policy->version;
	st.holder_run = r->holder_run;
	st.holder_name = r->holder_name;
	st.holder_office = r->holder_office;
	st.spki_sha256 = r->spki_sha256;
	st.operator_run = r->operator_run;
	st.expires = r->expires;
	statement_in_words(&st, true, &words);
	st.text_es = buf_bytes(&words);
	TRY(statement_print(&st, &text, e));
	return draft_submitted(s, buf_bytes(&text), e);
}

static enum err_code
ask_appointment(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct appointment *ap = &s->appt;
	struct statement st;
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf words AUTO_BUF = BUF(STATEMENT_MAX);
	struct pen pen AUTO_PEN = { .draft = NULL };
	int64_t life = d->ca->ceilings->statement_max_s;

	TRY(statement_common(s, &st, e));
	st.type = STATEMENT_APPOINTMENT;
	st.request = ap->id;
	st.request_version = 1;
	st.tbs_sha256 = ap->tbs_sha256;
	st.holder_run = ap->run;
	st.holder_name = ap->name;
	st.holder_office = ap->office;
	st.spki_sha256 = ap->spki_sha256;
	st.operator_run = ap->proposed_by;
	st.act_number = ap->act_number;
	st.act_date = ap->act_date;
	st.from = ap->from;
	st.until = ap->until;
	st.deputy = ap->deputy != 0;
	/* Several people cannot all be asked within a day. */
	if (ap->needed == 0 && life > DAY)
		life = DAY;
	st.expires = d->now + life;
	statement_in_words(&st, true, &words);
	st.text_es = buf_bytes(&words);
	TRY(statement_print(&st, &text, e));
	pen_begin(&pen, d, ENTRY_APPOINTMENT_PROPOSED);
	pen.draft->refs.institution = ap->institution;
	pen.draft->refs.appointment = ap->id;
	pen.draft->refs.serial = ap->serial;
	pen.draft->refs.tbs = ap->tbs_sha256;
	jw_key(&pen.w, "appointment");
	rec_write(&pen.w, &rec_appointment, ap, false);
	put_warnings(s, &pen.w);
	jw_member_str(&pen.w, "statement", buf_bytes(&text));
	jw_member_base64(&pen.w, "tbs", ap->container);
	d->out->object = ca_row_key(d->a, ROW_APPOINTMENT, ap->id);
	return pen_end(&pen, d->a, e);
}

enum err_code
issue_ask(struct issue *s, struct err *e)
{
	return s->is_appointment ? ask_appointment(s, e) : ask_request(s, e);
}
