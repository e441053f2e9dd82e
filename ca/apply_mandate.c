#include "inner.h"

/* Mandates: proposed, in force, used, and over. */

static enum err_code
load(struct applying *p, struct bytes id, struct mandate *m, struct err *e)
{
	APPLY_TRY(p, mandate_get(p->v, id, p->a, m, e), e);
	return ERR_OK;
}

static enum err_code
put(struct applying *p, const struct mandate *before,
    const struct mandate *after, struct err *e)
{
	TRY(row_put(p, &rec_mandate, ca_row_key(p->a, ROW_MANDATE, after->id),
	    after, e));
	return row_due(p, ROW_MANDATE, after->id,
	    before == NULL ? NEVER : mandate_due(before), mandate_due(after),
	    e);
}

static enum err_code
step(struct applying *p, struct mandate *m, enum mandate_event ev,
    struct err *e)
{
	enum mandate_state to;

	APPLY_TRY(p, mandate_next((enum mandate_state)m->state, ev, &to, e), e);
	m->state = to;
	return ERR_OK;
}

enum err_code
apply_mandate_proposed(struct applying *p, struct err *e)
{
	struct mandate m, old;
	bool found;

	rec_read(&rec_mandate, json_get_obj(p->o, "mandate"), p->a, &m);
	m.statement = arena_copy(p->a, json_get_str(p->o, "statement"));
	TRY(rec_get(p->v, &rec_mandate, ca_row_key(p->a, ROW_MANDATE, m.id),
	    p->a, &old, &found, e));
	if (found || m.state != MANDATE_PROPOSED || m.signatures != 0 ||
	    m.used != 0 || !bytes_eq(m.id, p->entry->refs.request))
		return contradiction(p, e);
	TRY(row_count(p, m.id, e));
	TRY(row_put(p, &rec_mandated,
	    key_of_mandated(p->a, m.institution, m.holder_run, m.id), NULL, e));
	return put(p, NULL, &m, e);
}

enum err_code
apply_mandate_endorsed(struct applying *p, struct err *e)
{
	struct mandate m, before;

	TRY(load(p, p->entry->refs.request, &m, e));
	before = m;
	m.signatures++;
	m.needed = json_get_int(p->o, "needed");
	TRY(row_consent(p, m.id, "minister", &m.signed_by, e));
	TRY(step(p, &m, m.signatures >= m.needed ? MV_AGREE : MV_CONSENT, e));
	if (m.state == MANDATE_IN_FORCE)
		m.agreed = p->entry->time;
	return put(p, &before, &m, e);
}

enum err_code
apply_mandate_closed(struct applying *p, struct err *e)
{
	struct mandate m, before;

	TRY(load(p, p->entry->refs.request, &m, e));
	before = m;
	TRY(step(p, &m,
	    p->entry->type == ENTRY_MANDATE_ENDED ? MV_END : MV_LAPSE, e));
	m.reason = json_opt_str(p->o, "reason");
	m.closed = p->entry->time;
	return put(p, &before, &m, e);
}

enum err_code
apply_mandate_used(struct applying *p, struct bytes id,
    struct bytes spki_sha256, struct err *e)
{
	struct mandate m, before;

	TRY(load(p, id, &m, e));
	before = m;
	TRY(step(p, &m, MV_RENEW, e));
	m.used++;
	if (m.used > m.renewals)
		return contradiction(p, e);
	if (m.rekey_sha256.len > 0)
		m.rekey_sha256 = spki_sha256;
	return put(p, &before, &m, e);
}
