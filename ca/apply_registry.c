#include "inner.h"

/* Entries of the engine, of institutions and of people. */

enum err_code
apply_initialized(struct applying *p, struct err *e)
{
	if (p->entry->index != 0)
		return contradiction(p, e);
	size_t n = json_count(p->o, "certificates");
	for (size_t i = 0; i < n; i++) {
		struct json_obj o = json_at_obj(p->o, "certificates", i);
		struct issuer_row row = {
			.role = json_get_str(o, "role"),
			.name = json_get_str(o, "name"),
			.certificate = json_get_base64(o, "der", p->a),
		};
		TRY(row_put(p, &rec_issuer,
		    ca_row_key(p->a, ROW_ISSUER, row.name), &row, e));
	}
	return ERR_OK;
}

enum err_code
apply_institution(struct applying *p, struct err *e)
{
	/* clang-format off */
	static const struct {
		enum entry_type type;
		enum institution_event event;
	} table[] = {
		{ ENTRY_INSTITUTION_ENABLED, IV_ENABLE },
		{ ENTRY_INSTITUTION_SUSPENDED, IV_SUSPEND },
		{ ENTRY_INSTITUTION_CLOSED, IV_CLOSE },
	};
	/* clang-format on */
	struct institution i, old;
	enum institution_state to;
	bool found;

	rec_read(&rec_institution, json_get_obj(p->o, "institution"), p->a, &i);
	struct bytes key = ca_row_key(p->a, ROW_INSTITUTION, i.rut);
	if (!bytes_eq(i.rut, p->entry->refs.institution))
		return contradiction(p, e);
	TRY(rec_get(p->v, &rec_institution, key, p->a, &old, &found, e));
	if (found == (p->entry->type == ENTRY_INSTITUTION_APPLIED))
		return contradiction(p, e);
	for (size_t n = 0; found && n < ARRAY_LEN(table); n++) {
		if (table[n].type != p->entry->type)
			continue;
		APPLY_TRY(p,
		    institution_next((enum institution_state)old.state,
			table[n].event, &to, e),
		    e);
		if (i.state != (int64_t)to)
			return contradiction(p, e);
	}
	return row_put(p, &rec_institution, key, &i, e);
}

enum err_code
apply_person(struct applying *p, struct err *e)
{
	struct person person;

	rec_read(&rec_person, json_get_obj(p->o, "person"), p->a, &person);
	if (!bytes_eq(person.institution, p->entry->refs.institution) ||
	    person.run.len == 0)
		return contradiction(p, e);
	return row_put(p, &rec_person,
	    key_of_pair(p->a, ROW_PERSON, person.institution, person.run),
	    &person, e);
}

enum err_code
apply_crl(struct applying *p, struct err *e)
{
	struct crl_row row = {
		.issuer = json_get_str(p->o, "issuer"),
		.partition = json_opt_int(p->o, "partition", 0),
		.base = json_opt_int(p->o, "base", 0),
		.number = p->entry->refs.number,
		.this_update = json_get_int(p->o, "this_update"),
		.next_update = json_get_int(p->o, "next_update"),
		.covers = json_get_int(p->o, "covers"),
		.periodic = json_opt_int(p->o, "periodic", 0),
		.sha256 = json_get_hex(p->o, "tbs_sha256", p->a),
	};
	struct bytes key = ca_row_key(p->a, ROW_CRL, row.issuer);
	struct crl_row old;
	bool found;

	TRY(rec_get(p->v, &rec_crl, key, p->a, &old, &found, e));
	if ((found && row.number <= old.number) || row.partition < 0)
		return contradiction(p, e);
	TRY(row_put(p, &rec_crl, key, &row, e));
	if (row.partition > 0)
		TRY(row_partition_open(p, row.issuer, row.partition, e));
	return row_crl_list(p, &row, e);
}

enum err_code
apply_responder(struct applying *p, struct err *e)
{
	struct responder_row row = {
		.issuer = json_get_str(p->o, "issuer"),
		.certificate = json_get_base64(p->o, "certificate", p->a),
		.since = p->entry->time,
	};

	return row_put(p, &rec_responder,
	    ca_row_key(p->a, ROW_RESPONDER, row.issuer), &row, e);
}
