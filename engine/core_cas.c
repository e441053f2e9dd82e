/*
 * Which CAs may issue: the signer is told of each ceremony that brought one,
 * with the officers' signatures, and of each CA that was stopped or revoked.
 */
#include "core.h"

/* Ceilings that others have replaced are past. */
static enum err_code
is_in_force(struct core *c, struct view *v, const struct agreement_row *ce,
    bool *is, struct err *e)
{
	struct ceilings_row row;
	bool found;
	TRY(ca_ceilings(v, c->arena, &row, &found, e));
	*is = ce->state == AGREEMENT_DONE && found &&
	      bytes_eq(row.ceremony, ce->id);
	return ERR_OK;
}

/* A CA that a completed ceremony brought, while it may issue, the end of its
 * key, another root, or ceilings: each change of these when it is new, for it
 * begins with the one before. */
static enum err_code
is_to_be_told(struct core *c, struct view *v, const struct agreement_row *ce,
    bool is_new, bool *does, struct err *e)
{
	struct issuer_row row;
	bool found;
	*does = ce->state == AGREEMENT_DONE &&
		(ce->kind == CEREMONY_KEY || ce->kind == CEREMONY_ROOT ||
		    ce->kind == CEREMONY_CEILINGS);
	if (ce->kind == CEREMONY_CEILINGS && !is_new)
		return is_in_force(c, v, ce, does, e);
	if (ce->state != AGREEMENT_DONE || ce->kind != CEREMONY_CERTIFICATE)
		return ERR_OK;
	TRY(rec_get(v, &rec_issuer, ca_row_key(c->arena, ROW_ISSUER, ce->name),
	    c->arena, &row, &found, e));
	*does = !found || (row.stopped == 0 && row.revoked == 0);
	return ERR_OK;
}

static enum err_code
tell_ca(struct core *c, struct view *v, const struct agreement_row *ce,
    bool is_new, struct err *e)
{
	struct signer_agreement m = { .statement = ce->statement,
		.certificate = ce->object };
	bool does;
	size_t n = 0;
	/* What it said that it has changes nothing. */
	if (ce->kind == CEREMONY_CERTIFICATE &&
	    ca_issuer_named(&c->issuers, ce->name, &n) != NULL) {
		if (c->issuer[n]->is_taken)
			return ERR_OK;
		n++;
	}
	TRY(is_to_be_told(c, v, ce, is_new, &does, e));
	uint64_t frame = ce->kind == CEREMONY_CEILINGS ? CEILINGS_FRAME : n;
	return does ? sign_agreed(c, v, ce->id, frame, &m, e) : ERR_OK;
}

enum err_code
core_each_row(struct core *c, struct view *v, enum row_class class, row_fn fn,
    struct err *e)
{
	struct bytes prefix = ca_row_key(c->arena, class, BYTES_NONE);
	struct view_scan scan = { .view = NULL };
	struct bytes key, value;
	bool found;
	TRY(view_scan_begin(v, prefix, &scan, e));
	enum err_code code =
	    view_scan_seek(&scan, prefix, &key, &value, &found, e);
	while (code == ERR_OK && found) {
		code = fn(c, v, value, e);
		if (code == ERR_OK)
			code = view_scan_next(&scan, &key, &value, &found, e);
	}
	view_scan_end(&scan);
	return code;
}

static enum err_code
tell_brought(struct core *c, struct view *v, struct bytes value, struct err *e)
{
	struct agreement_row ce;
	TRY(rec_decode(&rec_ceremony, value, &ce, e));
	return tell_ca(c, v, &ce, false, e);
}

/* What names a root before the one in force. */
static enum err_code
tell_past(struct core *c, struct view *v, struct bytes value, struct err *e)
{
	struct ceremony_statement st;
	struct agreement_row ce;
	uint8_t hash[SHA256_LEN];
	struct issuer_row root;
	TRY(rec_decode(&rec_ceremony, value, &ce, e));
	TRY(ceremony_parse(ce.statement, c->arena, &st, e));
	TRY(ca_root_now(v, c->arena, &root, e));
	sha256(hash, root.certificate);
	return ce.kind == CEREMONY_ROOT ||
		       bytes_eq(st.root_sha256, bytes_of(hash, SHA256_LEN))
		   ? ERR_OK
		   : tell_ca(c, v, &ce, false, e);
}

static enum err_code
tell_ended(struct core *c, struct view *v, struct bytes value, struct err *e)
{
	struct issuer_row row;
	(void)v;
	TRY(rec_decode(&rec_issuer, value, &row, e));
	struct core_issuer *i = core_issuer_find(c, row.name);
	if (i != NULL)
		i->has_no_key = row.destroyed != 0;
	/* The signer has no key of one that is not ours. */
	if ((row.stopped == 0 && row.revoked == 0) ||
	    bytes_is(row.role, "cross") || bytes_is(row.role, "root"))
		return ERR_OK;
	sign_end(c,
	    bytes_str(arena_printf(c->arena, CEREMONY_CA_ID "%.*s",
		BYTES_FMT(row.name))),
	    row.stopped != 0 ? row.stopped : row.revoked);
	return ERR_OK;
}

/* What is known already changes nothing. */
enum err_code
tell_cas(struct core *c, struct view *v, struct err *e)
{
	struct issuer_row root;
	TRY(ca_root_now(v, c->arena, &root, e));
	/*
	 * By their numbers: what names a root was proposed when it was in force.
	 * But what was done under the one before may have been proposed after
	 * the ceremony of the next, and the signer takes nothing new under a
	 * root that is past.
	 */
	if (root.replaces.len > 0)
		TRY(core_each_row(c, v, ROW_CEREMONY, tell_past, e));
	TRY(core_each_row(c, v, ROW_CEREMONY, tell_brought, e));
	return core_each_row(c, v, ROW_ISSUER, tell_ended, e);
}

void
sign_ca(struct core *c, struct bytes ceremony)
{
	struct agreement_row ce;
	struct err e;
	bool found = false;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	enum err_code code = rec_get(v, &rec_ceremony,
	    ca_row_key(c->arena, ROW_CEREMONY, ceremony), c->arena, &ce, &found,
	    &e);
	if (code == ERR_OK && found && ce.state == AGREEMENT_DONE)
		code = core_issuer_brought(c, v, ce.name, &e);
	/* If it is away, it is told when it is back. */
	if (code == ERR_OK && found && c->signer_ready)
		code = tell_ca(c, v, &ce, true, &e);
	if (code == ERR_OK && c->signer_ready)
		code = core_each_row(c, v, ROW_ISSUER, tell_ended, &e);
	if (code != ERR_OK)
		core_read_only(c, &e);
}
