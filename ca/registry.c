#include "inner.h"

/* Institutions and people. */

static enum err_code
draft_institution(struct deed *d, enum entry_type type,
    const struct institution *i, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, type);
	pen.draft->refs.institution = i->rut;
	jw_key(&pen.w, "institution");
	rec_write(&pen.w, &rec_institution, i, true);
	jw_member_str_opt(&pen.w, "reason", field(d, CF_REASON));
	TRY(pen_end(&pen, d->a, e));
	d->out->object = ca_row_key(d->a, ROW_INSTITUTION, i->rut);
	return ERR_OK;
}

/*
 * INCIDENTS row 18: what stands in a certificate is judged when it is
 * registered, not when somebody waits for it.
 */
static enum err_code
names_judge(const struct name_attr *attr, size_t n, struct err *e)
{
	struct buf b AUTO_BUF = BUF(NAME_DER_MAX);

	return name_build(attr, n, &b, e);
}

enum err_code
act_institution_add(struct deed *d, struct err *e)
{
	struct institution i;
	struct bytes rut = field(d, CF_RUT), word = field(d, CF_KIND);
	enum institution_kind kind = INSTITUTION_UNSTATED;
	bool found;

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	if (word.len > 0)
		TRY(institution_kind_parse(word, &kind, e));
	TRY(rec_get(d->v, &rec_institution,
	    ca_row_key(d->a, ROW_INSTITUTION, rut), d->a, &i, &found, e));
	if (found)
		return err_say(e, ERR_CONFLICT, "institution-exists",
		    "there is already an institution with the RUT %s; it is %s",
		    arena_str(d->a, rut), institution_words[i.state]);
	i = (struct institution){
		.rut = rut,
		.name = field(d, CF_NAME),
		.kind = kind,
		.state = INST_APPLIED,
		.added = d->now,
		.changed = d->now,
	};
	TRY(names_judge(&(struct name_attr){ OID_O, i.name, STRING_USUAL }, 1,
	    e));
	return draft_institution(d, ENTRY_INSTITUTION_APPLIED, &i, e);
}

enum err_code
act_institution_state(struct deed *d, struct err *e)
{
	struct institution i;
	struct bytes word = field(d, CF_KIND);
	enum institution_event ev = IV_CLOSE;
	enum entry_type type = ENTRY_INSTITUTION_CLOSED;
	enum institution_state to;
	enum institution_kind kind;

	if (d->c->act == ACT_INSTITUTION_ENABLE) {
		ev = IV_ENABLE;
		type = ENTRY_INSTITUTION_ENABLED;
	} else if (d->c->act == ACT_INSTITUTION_SUSPEND) {
		ev = IV_SUSPEND;
		type = ENTRY_INSTITUTION_SUSPENDED;
	}
	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(institution_get(d->v, field(d, CF_RUT), d->a, &i, e));
	TRY(institution_next((enum institution_state)i.state, ev, &to, e));
	kind = (enum institution_kind)i.kind;
	if (word.len > 0)
		TRY(institution_kind_parse(word, &kind, e));
	i.kind = kind;
	i.state = to;
	i.changed = d->now;
	return draft_institution(d, type, &i, e);
}

/*
 * A certificate that names an office which its holder no longer has is
 * proposed for revocation (DESIGN 6); a minister decides.
 */
static enum err_code
propose_held(struct deed *d, const struct person *p, struct err *e)
{
	struct bytes prefix =
	    key_of_held(d->a, p->institution, p->run, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct certificate c;
	enum cert_state to;
	struct err no;
	bool found;

	for (;;) {
		TRY(view_next(d->v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(d->a, key);
		struct bytes serial =
		    bytes_of(after.p + prefix.len, after.len - prefix.len);
		TRY(certificate_get(d->v, serial, d->a, &c, e));
		if (c.policy.len == 0 || c.not_after < d->now ||
		    cert_next((enum cert_state)c.state, EV_PROPOSE, &to, &no) !=
			ERR_OK)
			continue;
		if (d->out->n == DRAFTS_MAX)
			return err_say(e, ERR_BUSY, "person-holds-many",
			    "the person holds too many certificates for one "
			    "change of office; revoke some of them first");
		TRY(draft_proposed(d, &c, "data-changed", e));
	}
}

enum err_code
act_person_register(struct deed *d, struct err *e)
{
	struct institution i;
	struct person p, old = { .is_operator = 0 };
	struct bytes rut = field(d, CF_RUT), run = field(d, CF_RUN);
	struct bytes wish = field(d, CF_OPERATOR), word = field(d, CF_KIND);
	enum person_kind kind;
	struct pen pen AUTO_PEN = { .draft = NULL };
	bool found;

	TRY(institution_get(d->v, rut, d->a, &i, e));
	TRY(roles_find(d, rut, BYTES_NONE, e));
	TRY(rec_get(d->v, &rec_person, key_of_pair(d->a, ROW_PERSON, rut, run),
	    d->a, &old, &found, e));
	if (wish.len > 0 && d->role != ROLE_OFFICER &&
	    flag(d, CF_OPERATOR) != (old.is_operator != 0))
		return err_say(e, ERR_FORBIDDEN, "person-operator-flag",
		    "only a platform officer makes somebody an operator, or "
		    "ends it; leave the field operator out");
	kind = (enum person_kind)old.kind;
	if (word.len > 0)
		TRY(person_kind_parse(word, &kind, e));
	if (i.state == INST_CLOSED)
		return err_say(e, ERR_CONFLICT, "institution-closed",
		    "the institution is closed; nobody is registered in it");
	p = (struct person){
		.institution = rut,
		.run = run,
		.name = field(d, CF_NAME),
		.office = field(d, CF_OFFICE),
		.email = field(d, CF_EMAIL),
		.kind = kind,
		.attributes =
		    field(d, CF_ATTRIBUTE).len > 0
			? attributes_given(field(d, CF_ATTRIBUTE), d->a)
			: old.attributes,
		.is_operator =
		    wish.len > 0 ? flag(d, CF_OPERATOR) : old.is_operator,
		.registered = found ? old.registered : d->now,
		.changed = d->now,
	};
	struct name_attr attr[] = { { OID_TITLE, p.office, STRING_USUAL },
		{ OID_SERIAL_NUMBER, p.run, STRING_USUAL },
		{ OID_CN, p.name, STRING_USUAL } };
	TRY(names_judge(attr, ARRAY_LEN(attr), e));
	pen_begin(&pen, d, ENTRY_PERSON_REGISTERED);
	pen.draft->refs.institution = rut;
	jw_key(&pen.w, "person");
	rec_write(&pen.w, &rec_person, &p, true);
	d->out->object = key_of_pair(d->a, ROW_PERSON, rut, run);
	TRY(pen_end(&pen, d->a, e));
	if (!found || bytes_eq(old.office, p.office))
		return ERR_OK;
	return propose_held(d, &p, e);
}
