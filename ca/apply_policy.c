#include "inner.h"

/* Policies: proposed, endorsed, in force, withdrawn. */

/* --- Texts -------------------------------------------------------------------- */

/* Kept by its hash; one that is or was in force stays as it is. */
static enum err_code
keep_text(struct applying *p, struct json_obj o, struct bytes activation,
    struct bytes hash, struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_POLICY, hash);
	struct policy_row row = {
		.sha256 = hash,
		.name = json_get_str(o, "name"),
		.version = json_get_int(o, "version"),
		.activation = activation,
		.text = json_get_base64(o, "text", p->a),
	};
	struct policy_row old;
	bool found;

	TRY(rec_get(p->v, &rec_policy, key, p->a, &old, &found, e));
	if (found && old.activated != 0)
		return ERR_OK;
	return row_put(p, &rec_policy, key, &row, e);
}

enum err_code
apply_policy_proposed(struct applying *p, struct err *e)
{
	struct agreement_row ac;
	struct activation_statement st;

	TRY(agreement_begin(p, &ac, e));
	APPLY_TRY(p, activation_parse(ac.statement, p->a, &st, e), e);
	if (st.n != json_count(p->o, "policies"))
		return contradiction(p, e);
	for (size_t i = 0; i < st.n; i++) {
		struct json_obj o = json_at_obj(p->o, "policies", i);
		struct bytes hash =
		    hash_in(p->a, json_get_base64(o, "text", p->a));
		if (!bytes_eq(hash, st.policy[i].is.sha256))
			return contradiction(p, e);
		TRY(keep_text(p, o, ac.id, hash, e));
	}
	return agreement_put(p, NULL, &ac, e);
}

/* The first file of an activation makes it active, with all the others. */
static enum err_code
activate(struct applying *p, struct policy_row *row, struct err *e)
{
	struct agreement_row ac, before;
	struct activation_statement st;
	bool named = false;

	TRY(agreement_load(p, &ac, e));
	before = ac;
	row->proposed_by = ac.proposed_by;
	row->signed_by = ac.signed_by;
	APPLY_TRY(p, activation_parse(ac.statement, p->a, &st, e), e);
	for (size_t i = 0; i < st.n; i++)
		named = named || bytes_eq(st.policy[i].is.sha256, row->sha256);
	if (!named || p->entry->time < ac.effective)
		return contradiction(p, e);
	if (ac.state == AGREEMENT_DONE && ac.closed == p->entry->time)
		return ERR_OK;
	TRY(agreement_step(p, &ac, GV_COMPLETE, e));
	ac.closed = p->entry->time;
	return agreement_put(p, &before, &ac, e);
}

/* The one that was in force under this name ends where this one begins. */
static enum err_code
end_predecessor(struct applying *p, struct bytes name, struct err *e)
{
	struct in_force_row in_force;
	struct policy_row row;
	bool found;

	TRY(rec_get(p->v, &rec_in_force, ca_row_key(p->a, ROW_IN_FORCE, name),
	    p->a, &in_force, &found, e));
	if (!found)
		return ERR_OK;
	struct bytes key = ca_row_key(p->a, ROW_POLICY, in_force.sha256);
	TRY(rec_get(p->v, &rec_policy, key, p->a, &row, &found, e));
	if (!found)
		return contradiction(p, e);
	row.until = p->entry->time;
	return row_put(p, &rec_policy, key, &row, e);
}

enum err_code
apply_policy(struct applying *p, struct err *e)
{
	struct bytes hash = p->entry->refs.policy;
	struct policy_row row = {
		.sha256 = hash,
		.name = json_get_str(p->o, "name"),
		.version = json_get_int(p->o, "version"),
		.activated = p->entry->time,
		.activation = p->entry->refs.request,
		.text = json_get_base64(p->o, "text", p->a),
	};
	struct in_force_row in_force = {
		.name = row.name,
		.sha256 = hash,
		.version = row.version,
		.renew_window = json_opt_int(p->o, "renew_window", 0),
	};

	if (!bytes_eq(hash, hash_in(p->a, row.text)))
		return contradiction(p, e);
	if (row.activation.len > 0) {
		TRY(activate(p, &row, e));
		TRY(end_predecessor(p, row.name, e));
	}
	TRY(row_put(p, &rec_policy, ca_row_key(p->a, ROW_POLICY, hash), &row,
	    e));
	return row_put(p, &rec_in_force,
	    ca_row_key(p->a, ROW_IN_FORCE, row.name), &in_force, e);
}
