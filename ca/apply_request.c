#include "inner.h"

static enum err_code
load(struct applying *p, struct request *r, struct err *e)
{
	APPLY_TRY(p, request_get(p->v, p->entry->refs.request, p->a, r, e), e);
	return ERR_OK;
}

static enum err_code
put(struct applying *p, const struct request *before,
    const struct request *after, struct err *e)
{
	TRY(row_put(p, &rec_request, ca_row_key(p->a, ROW_REQUEST, after->id),
	    after, e));
	return row_due(p, ROW_REQUEST, after->id,
	    before == NULL ? NEVER : request_due(before), request_due(after),
	    e);
}

/* Which event of the table leads from there to a new version. */
static enum request_event
version_event(int64_t state)
{
	if (state == REQ_SUBMITTED)
		return RV_RENEW_STATEMENT;
	return state == REQ_FAILED ? RV_RETRY : RV_SUBMIT;
}

static enum err_code
judge_version(struct applying *p, const struct request *old,
    const struct request *r, struct err *e)
{
	enum request_state to;

	APPLY_TRY(p,
	    request_next((enum request_state)old->state,
		version_event(old->state), &to, e),
	    e);
	if (r->state != (int64_t)to || r->version != old->version + 1 ||
	    !bytes_eq(r->holder_run, old->holder_run) ||
	    !bytes_eq(r->institution, old->institution))
		return contradiction(p, e);
	return ERR_OK;
}

enum err_code
apply_request_written(struct applying *p, struct err *e)
{
	struct request r, old;
	bool draft = p->entry->type == ENTRY_REQUEST_DRAFTED;
	bool found;

	rec_read(&rec_request, json_get_obj(p->o, "request"), p->a, &r);
	if (json_has(p->o, "csr"))
		r.csr = json_get_base64(p->o, "csr", p->a);
	TRY(rec_get(p->v, &rec_request, ca_row_key(p->a, ROW_REQUEST, r.id),
	    p->a, &old, &found, e));
	if (!bytes_eq(r.id, p->entry->refs.request) || (draft && found) ||
	    r.endorsements != 0 ||
	    r.state != (draft ? REQ_DRAFT : REQ_SUBMITTED))
		return contradiction(p, e);
	if (found)
		TRY(judge_version(p, &old, &r, e));
	else
		TRY(row_count(p, r.id, e));
	r.written_entry = (int64_t)p->entry->index;
	r.endorsed_entry = 0;
	if (draft)
		return put(p, NULL, &r, e);
	r.statement = arena_copy(p->a,
	    r.mandate.len > 0 ? BYTES_NONE : json_get_str(p->o, "statement"));
	r.container = json_get_base64(p->o, "tbs", p->a);
	if (!bytes_eq(r.serial, p->entry->refs.serial) ||
	    !bytes_eq(r.tbs_sha256, p->entry->refs.tbs))
		return contradiction(p, e);
	TRY(row_reserve(p, r.serial, r.id, e));
	TRY(row_partition_used(p, r.issuer, r.partition, e));
	TRY(row_key_used(p, r.spki_sha256, r.institution, r.holder_run, r.id,
	    e));
	return put(p, found ? &old : NULL, &r, e);
}

enum err_code
apply_request_closed(struct applying *p, struct err *e)
{
	/* clang-format off */
	static const struct {
		enum entry_type type;
		enum request_event event;
	} table[] = {
		{ ENTRY_REQUEST_RETURNED, RV_RETURN },
		{ ENTRY_REQUEST_REJECTED, RV_REJECT },
		{ ENTRY_REQUEST_WITHDRAWN, RV_WITHDRAW },
		{ ENTRY_REQUEST_LAPSED, RV_LAPSE },
		{ ENTRY_REQUEST_FAILED, RV_FAIL },
	};
	/* clang-format on */
	struct request r, before;
	enum request_state to;
	size_t i = 0;

	while (table[i].type != p->entry->type)
		i++;
	TRY(load(p, &r, e));
	before = r;
	APPLY_TRY(p,
	    request_next((enum request_state)r.state, table[i].event, &to, e),
	    e);
	r.state = to;
	r.reason = json_opt_str(p->o, "reason");
	if (to != REQ_RETURNED)
		r.closed = p->entry->time;
	if (to == REQ_FAILED)
		TRY(row_work(p, r.id, false, false, e));
	return put(p, &before, &r, e);
}

enum err_code
apply_request_endorsed(struct applying *p, struct err *e)
{
	struct request r, before;
	enum request_state to;
	/* Entries of before more than one could be asked for needed one. */
	int64_t needed = json_opt_int(p->o, "needed", 1);

	TRY(load(p, &r, e));
	before = r;
	bool several = needed > 1 || r.endorsements > 0;
	if (several) {
		r.needed = needed;
		r.endorsements++;
		TRY(row_consent(p, request_consents(&r, p->a), "minister",
		    &r.endorsed_by, e));
	}
	APPLY_TRY(p,
	    request_next((enum request_state)r.state,
		several && r.endorsements < needed ? RV_CONSENT : RV_ENDORSE,
		&to, e),
	    e);
	if (to == REQ_SUBMITTED)
		return put(p, &before, &r, e);
	r.state = to;
	if (r.mandate.len > 0) {
		if (json_has(p->o, "evidence"))
			r.evidence = json_get_base64(p->o, "evidence", p->a);
		TRY(apply_mandate_used(p, json_get_str(p->o, "mandate"),
		    r.spki_sha256, e));
	} else {
		r.evidence = json_get_base64(p->o, "evidence", p->a);
		r.minister_run = json_get_str(p->o, "minister");
		r.appointment = json_get_str(p->o, "appointment");
	}
	r.endorsed = p->entry->time;
	r.endorsed_entry = (int64_t)p->entry->index;
	TRY(row_work(p, r.id, false, true, e));
	return put(p, &before, &r, e);
}

enum err_code
apply_intended(struct applying *p, struct err *e)
{
	struct request r;
	struct certificate old;
	bool found;

	TRY(load(p, &r, e));
	TRY(rec_get(p->v, &rec_certificate,
	    ca_row_key(p->a, ROW_CERTIFICATE, r.serial), p->a, &old, &found,
	    e));
	if (found || r.state != REQ_ENDORSED ||
	    !bytes_eq(r.serial, p->entry->refs.serial) ||
	    !bytes_eq(r.tbs_sha256, p->entry->refs.tbs))
		return contradiction(p, e);
	struct certificate c = {
		.serial = r.serial,
		.issuer = r.issuer,
		.institution = r.institution,
		.holder_run = r.holder_run,
		.request = r.id,
		.policy = r.policy,
		.policy_sha256 = r.policy_sha256,
		.tbs_sha256 = r.tbs_sha256,
		.spki_sha256 = r.spki_sha256,
		.not_before = r.not_before,
		.not_after = r.not_after,
		.partition = r.partition,
		.state = CERT_INTENDED,
		.intended = p->entry->time,
	};
	TRY(row_put(p, &rec_held,
	    key_of_held(p->a, r.institution, r.holder_run, r.serial), NULL, e));
	return certificate_put(p, NULL, &c, e);
}

enum err_code
apply_issued(struct applying *p, struct err *e)
{
	struct request r, before;
	struct certificate c, c_before;
	enum request_state to;
	enum cert_state c_to;
	uint8_t hash[SHA256_LEN];

	TRY(load(p, &r, e));
	before = r;
	APPLY_TRY(p, certificate_get(p->v, p->entry->refs.serial, p->a, &c, e),
	    e);
	c_before = c;
	APPLY_TRY(p, cert_next((enum cert_state)c.state, EV_SIGNED, &c_to, e),
	    e);
	c.state = c_to;
	c.certificate = json_get_base64(p->o, "certificate", p->a);
	c.issued = p->entry->time;
	c.issued_entry = (int64_t)p->entry->index;
	sha256(hash, c.certificate);
	if (!bytes_eq(bytes_of(hash, SHA256_LEN), p->entry->refs.object) ||
	    c_before.certificate.len > 0)
		return contradiction(p, e);
	TRY(certificate_put(p, &c_before, &c, e));
	/* Revoked while it was being signed: the request has failed already,
	 * or waits for its next version. */
	if (c_to == CERT_REVOKED)
		return ERR_OK;
	APPLY_TRY(p,
	    request_next((enum request_state)r.state, RV_ISSUE, &to, e), e);
	r.state = to;
	r.closed = p->entry->time;
	TRY(row_work(p, r.id, false, false, e));
	return put(p, &before, &r, e);
}
