/*
 * Which CAs may issue: the signer is told of each ceremony that brought one,
 * with the officers' signatures, and of each CA that was stopped or revoked.
 */
#include "core.h"

/* A CA that a completed ceremony brought, while it may issue, or the end of
 * its key. */
static enum err_code
is_to_be_told(struct core *c, struct view *v, const struct agreement_row *ce,
    bool *does, struct err *e)
{
	struct issuer_row row;
	bool found;
	*does = ce->state == AGREEMENT_DONE && ce->kind == CEREMONY_KEY;
	if (ce->state != AGREEMENT_DONE || ce->kind != CEREMONY_CERTIFICATE)
		return ERR_OK;
	TRY(rec_get(v, &rec_issuer, ca_row_key(c->arena, ROW_ISSUER, ce->name),
	    c->arena, &row, &found, e));
	*does = !found || (row.stopped == 0 && row.revoked == 0);
	return ERR_OK;
}

static enum err_code
tell_ca(struct core *c, struct view *v, const struct agreement_row *ce,
    struct err *e)
{
	struct signer_agreement m = { .statement = ce->statement,
		.certificate = ce->object };
	bool does;
	TRY(is_to_be_told(c, v, ce, &does, e));
	return does ? sign_agreed(c, v, ce->id, &m, e) : ERR_OK;
}

static enum err_code
tell_brought(struct core *c, struct view *v, struct err *e)
{
	struct bytes prefix = ca_row_key(c->arena, ROW_CEREMONY, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct agreement_row ce;
	bool found;
	for (;;) {
		TRY(view_next(v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(c->arena, key);
		TRY(rec_decode(&rec_ceremony, arena_copy(c->arena, value), &ce,
		    e));
		TRY(tell_ca(c, v, &ce, e));
	}
}

static enum err_code
tell_ended(struct core *c, struct view *v, struct err *e)
{
	struct bytes prefix = ca_row_key(c->arena, ROW_ISSUER, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct issuer_row row;
	bool found;
	for (;;) {
		TRY(view_next(v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(c->arena, key);
		TRY(rec_decode(&rec_issuer, arena_copy(c->arena, value), &row,
		    e));
		struct core_issuer *i = core_issuer_find(c, row.name);
		if (i != NULL)
			i->has_no_key = row.destroyed != 0;
		if (row.stopped == 0 && row.revoked == 0)
			continue;
		sign_end(c,
		    bytes_str(arena_printf(c->arena, CEREMONY_CA_ID "%.*s",
			BYTES_FMT(row.name))),
		    row.stopped != 0 ? row.stopped : row.revoked);
	}
}

/* What is known already changes nothing. */
enum err_code
tell_cas(struct core *c, struct view *v, struct err *e)
{
	TRY(tell_brought(c, v, e));
	return tell_ended(c, v, e);
}

void
sign_ca(struct core *c, struct bytes ceremony)
{
	struct agreement_row ce;
	struct err e;
	bool found = false;
	struct view *v = core_view(c);
	if (v == NULL || !c->signer_ready)
		return; /* told when it is back */
	enum err_code code = rec_get(v, &rec_ceremony,
	    ca_row_key(c->arena, ROW_CEREMONY, ceremony), c->arena, &ce, &found,
	    &e);
	if (code == ERR_OK && found)
		code = tell_ca(c, v, &ce, &e);
	if (code == ERR_OK)
		code = tell_ended(c, v, &e);
	if (code != ERR_OK)
		core_read_only(c, &e);
}
