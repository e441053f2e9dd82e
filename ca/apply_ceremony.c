#include "inner.h"

/* Ceremonies of the root, and the CAs and lists that come of them. */

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
	struct agreement_row c;
	struct ceremony_statement st;

	TRY(agreement_begin(p, &c, e));
	c.tbs = json_get_base64(p->o, "tbs", p->a);
	if (json_has(p->o, "possession"))
		c.possession = json_get_base64(p->o, "possession", p->a);
	APPLY_TRY(p, ceremony_parse(c.statement, p->a, &st, e), e);
	if (st.n != 1 || (int64_t)st.object[0].kind != c.kind ||
	    !bytes_eq(st.object[0].name, c.name) ||
	    !bytes_eq(st.object[0].replaces, c.replaces) ||
	    !hash_is(st.object[0].tbs_sha256, c.tbs))
		return contradiction(p, e);
	return agreement_put(p, NULL, &c, e);
}

/* --- What the root signed -------------------------------------------------------- */

/* From here on the key before signs no certificates. */
static enum err_code
note_replaced(struct applying *p, const struct agreement_row *c, struct err *e)
{
	struct issuer_row old;

	APPLY_TRY(p, issuer_get(p->v, c->replaces, p->a, &old, e), e);
	if (old.replaced_by.len > 0)
		return contradiction(p, e);
	old.replaced_by = c->name;
	if (old.stopped == 0)
		old.stopped = p->entry->time;
	return row_put(p, &rec_issuer, ca_row_key(p->a, ROW_ISSUER, old.name),
	    &old, e);
}

static enum err_code
put_issuer(struct applying *p, const struct agreement_row *c, struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_ISSUER, c->name);
	struct issuer_row old, row = {
		.role =
		    bytes_str(c->kind == CEREMONY_CROSS ? "cross" : "issuer"),
		.name = c->name,
		.certificate = c->object,
		.institution = c->institution,
		.since = p->entry->time,
		.held = c->held,
		.replaces = c->replaces,
	};
	bool found;

	TRY(rec_get(p->v, &rec_issuer, key, p->a, &old, &found, e));
	if (found || !bytes_eq(c->replaces, json_opt_str(p->o, "replaces")))
		return contradiction(p, e);
	if (c->replaces.len > 0)
		TRY(note_replaced(p, c, e));
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
put_list(struct applying *p, const struct agreement_row *c, struct err *e)
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
	TRY(row_put(p, &rec_root_list, ca_row_key(p->a, ROW_ROOT_LIST, c->name),
	    &row, e));
	return mark_revoked(p, &list, e);
}

/* Its certificate is the one that was agreed on. */
static enum err_code
note_destroyed(struct applying *p, const struct agreement_row *c, struct err *e)
{
	struct issuer_row row;

	APPLY_TRY(p, issuer_get(p->v, c->name, p->a, &row, e), e);
	if (row.destroyed != 0 || !bytes_eq(row.certificate, c->object))
		return contradiction(p, e);
	row.destroyed = p->entry->time;
	return row_put(p, &rec_issuer, ca_row_key(p->a, ROW_ISSUER, row.name),
	    &row, e);
}

static enum err_code
put_ceilings(struct applying *p, const struct agreement_row *c, struct err *e)
{
	struct ceremony_statement st;

	APPLY_TRY(p, ceremony_parse(c->statement, p->a, &st, e), e);
	struct ceilings_row row = {
		.sha256 = st.object[0].tbs_sha256,
		.how = CEILINGS_AGREED,
		.ceremony = c->id,
		.people = st.people,
		.text = c->object,
	};
	return ceilings_put(p, &row, e);
}

enum err_code
apply_ceremony_completed(struct applying *p, struct err *e)
{
	struct bytes tbs, sigalg, signature;
	struct agreement_row c, before;

	TRY(agreement_load(p, &c, e));
	before = c;
	TRY(agreement_step(p, &c, GV_COMPLETE, e));
	c.object = json_get_base64(p->o, "object", p->a);
	c.closed = p->entry->time;
	/* A file is signed whole, by nobody but the officers. */
	tbs = c.object;
	if (!ceremony_is_whole((enum ceremony_kind)c.kind))
		APPLY_TRY(p,
		    signed_split(c.object, &tbs, &sigalg, &signature, e), e);
	if (!bytes_eq(tbs, c.tbs) || !hash_is(p->entry->refs.object, c.object))
		return contradiction(p, e);
	TRY(agreement_put(p, &before, &c, e));
	return c.kind == CEREMONY_CRL        ? put_list(p, &c, e)
	       : c.kind == CEREMONY_KEY      ? note_destroyed(p, &c, e)
	       : c.kind == CEREMONY_CEILINGS ? put_ceilings(p, &c, e)
	       : c.kind == CEREMONY_ROOT     ? put_root(p, &c, e)
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
