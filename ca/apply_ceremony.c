#include "inner.h"

/* Ceremonies of the root, and the CAs and lists that come of them. */

static enum err_code
load(struct applying *p, struct ceremony *c, struct err *e)
{
	APPLY_TRY(p, ceremony_get(p->v, p->entry->refs.request, p->a, c, e), e);
	return ERR_OK;
}

static enum err_code
put(struct applying *p, const struct ceremony *before,
    const struct ceremony *after, struct err *e)
{
	TRY(row_put(p, &rec_ceremony, ca_row_key(p->a, ROW_CEREMONY, after->id),
	    after, e));
	return row_due(p, ROW_CEREMONY, after->id,
	    before == NULL ? NEVER : ceremony_due(before), ceremony_due(after),
	    e);
}

static enum err_code
step(struct applying *p, struct ceremony *c, enum ceremony_event ev,
    struct err *e)
{
	enum ceremony_state to;

	APPLY_TRY(p, ceremony_next((enum ceremony_state)c->state, ev, &to, e),
	    e);
	c->state = to;
	return ERR_OK;
}

static bool
hash_is(struct bytes want, struct bytes data)
{
	uint8_t hash[SHA256_LEN];

	sha256(hash, data);
	return bytes_eq(want, bytes_of(hash, SHA256_LEN));
}

enum err_code
apply_ceremony_proposed(struct applying *p, struct err *e)
{
	struct ceremony c, old;
	struct ceremony_statement st;
	bool found;

	rec_read(&rec_ceremony, json_get_obj(p->o, "proposal"), p->a, &c);
	c.statement = arena_copy(p->a, json_get_str(p->o, "statement"));
	c.tbs = json_get_base64(p->o, "tbs", p->a);
	TRY(rec_get(p->v, &rec_ceremony, ca_row_key(p->a, ROW_CEREMONY, c.id),
	    p->a, &old, &found, e));
	APPLY_TRY(p, ceremony_parse(c.statement, p->a, &st, e), e);
	if (found || c.state != CER_PROPOSED || c.signatures != 0 ||
	    !bytes_eq(c.id, p->entry->refs.request) || st.n != 1 ||
	    (int64_t)st.object[0].kind != c.kind ||
	    !bytes_eq(st.object[0].name, c.name) ||
	    !hash_is(st.object[0].tbs_sha256, c.tbs))
		return contradiction(p, e);
	TRY(row_count(p, c.id, e));
	return put(p, NULL, &c, e);
}

enum err_code
apply_ceremony_endorsed(struct applying *p, struct err *e)
{
	struct ceremony c, before;

	TRY(load(p, &c, e));
	before = c;
	c.signatures++;
	TRY(row_consent(p, c.id, "officer", &c.signed_by, e));
	c.needed = json_get_int(p->o, "needed");
	TRY(step(p, &c, c.signatures >= c.needed ? YV_APPROVE : YV_ENDORSE, e));
	if (c.state == CER_AGREED)
		c.agreed = p->entry->time;
	return put(p, &before, &c, e);
}

enum err_code
apply_ceremony_closed(struct applying *p, struct err *e)
{
	struct ceremony c, before;
	bool lapsed = p->entry->type == ENTRY_CEREMONY_LAPSED;

	TRY(load(p, &c, e));
	before = c;
	TRY(step(p, &c, lapsed ? YV_LAPSE : YV_WITHDRAW, e));
	c.reason = json_opt_str(p->o, "reason");
	c.closed = p->entry->time;
	return put(p, &before, &c, e);
}

/* --- What the root signed -------------------------------------------------------- */

static enum err_code
put_issuer(struct applying *p, const struct ceremony *c, struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_ISSUER, c->name);
	struct issuer_row old, row = {
		.role = bytes_str("issuer"),
		.name = c->name,
		.certificate = c->object,
		.institution = c->institution,
		.since = p->entry->time,
	};
	bool found;

	TRY(rec_get(p->v, &rec_issuer, key, p->a, &old, &found, e));
	if (found)
		return contradiction(p, e);
	return row_put(p, &rec_issuer, key, &row, e);
}

/* A CA on the list issues no more, from the entry on that brought it. */
static enum err_code
mark_revoked(struct applying *p, const struct crl *list, struct err *e)
{
	struct bytes prefix = ca_row_key(p->a, ROW_ISSUER, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct issuer_row row;
	struct crl_entry entry;
	struct cert cert;
	bool found;

	for (;;) {
		TRY(view_next(p->v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(p->a, key);
		TRY(rec_decode(&rec_issuer, arena_copy(p->a, value), &row, e));
		APPLY_TRY(p, cert_parse(row.certificate, &cert, e), e);
		if (row.revoked != 0 || bytes_is(row.role, "root") ||
		    !crl_find(list, cert.serial, &entry))
			continue;
		row.revoked = p->entry->time;
		TRY(row_put(p, &rec_issuer, after, &row, e));
	}
}

static enum err_code
put_list(struct applying *p, const struct ceremony *c, struct err *e)
{
	struct crl list;

	APPLY_TRY(p, crl_parse(c->object, &list, e), e);
	struct root_list_row row = {
		.ceremony = c->id,
		.number = (int64_t)list.number,
		.this_update = list.this_update,
		.next_update = list.next_update,
		.list = c->object,
	};
	TRY(row_put(p, &rec_root_list,
	    ca_row_key(p->a, ROW_ROOT_LIST, bytes_str("root")), &row, e));
	return mark_revoked(p, &list, e);
}

enum err_code
apply_ceremony_completed(struct applying *p, struct err *e)
{
	struct bytes tbs, sigalg, signature;
	struct ceremony c, before;

	TRY(load(p, &c, e));
	before = c;
	TRY(step(p, &c, YV_IMPORT, e));
	c.object = json_get_base64(p->o, "object", p->a);
	c.closed = p->entry->time;
	APPLY_TRY(p, signed_split(c.object, &tbs, &sigalg, &signature, e), e);
	if (!bytes_eq(tbs, c.tbs) || !hash_is(p->entry->refs.object, c.object))
		return contradiction(p, e);
	TRY(put(p, &before, &c, e));
	return c.kind == CEREMONY_CRL ? put_list(p, &c, e)
				      : put_issuer(p, &c, e);
}

enum err_code
apply_ca_stopped(struct applying *p, struct err *e)
{
	struct issuer_row row;

	APPLY_TRY(p,
	    issuer_get(p->v, json_get_str(p->o, "name"), p->a, &row, e), e);
	if (row.stopped != 0)
		return contradiction(p, e);
	row.stopped = p->entry->time;
	return row_put(p, &rec_issuer, ca_row_key(p->a, ROW_ISSUER, row.name),
	    &row, e);
}
