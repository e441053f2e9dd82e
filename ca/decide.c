#include <string.h>

#include "inner.h"

struct bytes
sentence(struct arena *a, const char *say)
{
	struct bytes b = bytes_str(say == NULL ? "" : say);

	if (!utf8_valid(b))
		b = bytes_str("(a sentence that is not UTF-8)");
	return arena_copy(a, b);
}

/* --- Drafts ----------------------------------------------------------------- */

void
pen_fini(struct pen *p)
{
	buf_fini(&p->buf);
}

void
pen_actor(struct jw *w, const struct deed *d)
{
	const struct command *c = d->c;

	jw_key(w, "actor");
	jw_object(w);
	if (c != NULL) {
		jw_member_hex(w, "command",
		    bytes_of(d->command_sha256, SHA256_LEN));
		jw_member_str(w, "key", c->f[CF_KEY]);
	}
	/* What was refused before a role was found is a claim. */
	bool claimed = d->role == 0 && d->run.len > 0;
	jw_member_str(w, "role",
	    bytes_str(claimed ? "claimed" : role_word(d->role)));
	jw_member_str(w, "run", d->run);
	jw_member_int(w, "uid", c != NULL ? c->uid : 0);
	jw_member_str(w, "via", bytes_str(c != NULL ? "local" : "engine"));
	jw_close(w, '}');
}

void
pen_begin(struct pen *p, struct deed *d, enum entry_type type)
{
	if (d->out->n == DRAFTS_MAX)
		fatal("a decision has more than %d entries", DRAFTS_MAX);
	p->draft = &d->out->draft[d->out->n++];
	*p->draft = (struct draft){ .type = type };
	p->buf = BUF(ENTRY_DETAIL_MAX);
	p->w = jw_of(&p->buf);
	jw_object(&p->w);
	pen_actor(&p->w, d);
}

enum err_code
pen_end(struct pen *p, struct arena *a, struct err *e)
{
	jw_close(&p->w, '}');
	TRY(buf_end(&p->buf, e));
	p->draft->detail = arena_copy(a, buf_bytes(&p->buf));
	return ERR_OK;
}

/* --- Fields -------------------------------------------------------------------- */

struct bytes
field(const struct deed *d, enum ca_field f)
{
	return d->c == NULL ? BYTES_NONE : d->c->f[f];
}

bool
flag(const struct deed *d, enum ca_field f)
{
	return bytes_is(field(d, f), "true");
}

enum err_code
id_new(struct deed *d, const char *prefix, struct bytes *out, struct err *e)
{
	struct counter_row counter = { 0 };
	struct civil civil;
	bool found;

	civil_from_time(d->now, &civil);
	const char *series = arena_printf(d->a, "%s-%04d", prefix, civil.year);
	TRY(rec_get(d->v, &rec_counter,
	    ca_row_key(d->a, ROW_COUNTER, bytes_str(series)), d->a, &counter,
	    &found, e));
	*out = bytes_str(arena_printf(d->a, "%s-%06lld", series,
	    (long long)counter.last + 1));
	return ERR_OK;
}

/* --- Roles: who may (DESIGN 6) --------------------------------------------------- */

bool
is_officer(const struct ca *ca, struct bytes run)
{
	for (size_t i = 0; i < ca->ceilings->n_officer; i++)
		if (run.len > 0 && bytes_is(run, ca->ceilings->officer[i].run))
			return true;
	return false;
}

bool
appointment_in_force(const struct appointment *ap, int64_t now)
{
	return ap->state == APPT_IN_FORCE && ap->from <= now && now < ap->until;
}

static enum err_code
is_operator(struct deed *d, struct bytes institution, bool *yes, struct err *e)
{
	struct person p = { .is_operator = 0 };
	bool found;

	*yes = false;
	TRY(rec_get(d->v, &rec_person,
	    key_of_pair(d->a, ROW_PERSON, institution, d->run), d->a, &p,
	    &found, e));
	*yes = found && p.is_operator != 0;
	return ERR_OK;
}

/* By person, not by credential: any appointment of this RUN that is in force. */
static enum err_code
is_minister(struct deed *d, struct bytes institution, bool *yes, struct err *e)
{
	struct bytes prefix =
	    key_of_term(d->a, institution, d->run, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct appointment ap;
	bool found;

	*yes = false;
	for (;;) {
		TRY(view_next(d->v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(d->a, key);
		struct bytes id =
		    bytes_of(after.p + prefix.len, after.len - prefix.len);
		TRY(appointment_get(d->v, id, d->a, &ap, e));
		if (appointment_in_force(&ap, d->now)) {
			*yes = true;
			return ERR_OK;
		}
	}
}

static const char *
roles_text(struct arena *a, unsigned roles)
{
	const char *text = "";

	for (unsigned r = 1; r <= ROLE_HOLDER; r <<= 1)
		if ((roles & r) != 0)
			text = arena_printf(a, "%s%s%s", text,
			    *text == '\0' ? "" : ", ", role_word(r));
	return text;
}

enum err_code
roles_find(struct deed *d, struct bytes institution, struct bytes holder_run,
    struct err *e)
{
	unsigned may = ca_acts[d->c->act].roles;
	bool yes = false;

	d->roles = 0;
	if ((may & ROLE_OFFICER) != 0 && is_officer(d->ca, d->run))
		d->roles |= ROLE_OFFICER;
	if ((may & ROLE_OPERATOR) != 0 && institution.len > 0)
		TRY(is_operator(d, institution, &yes, e));
	d->roles |= yes ? ROLE_OPERATOR : 0;
	yes = false;
	if ((may & ROLE_MINISTER) != 0 && institution.len > 0)
		TRY(is_minister(d, institution, &yes, e));
	d->roles |= yes ? ROLE_MINISTER : 0;
	if ((may & ROLE_HOLDER) != 0 && holder_run.len > 0 &&
	    bytes_eq(holder_run, d->run))
		d->roles |= ROLE_HOLDER;
	if (d->roles == 0)
		return err_say(e, ERR_FORBIDDEN, "role-missing",
		    "%s is for: %s; the person who asks is none of these here",
		    ca_acts[d->c->act].name, roles_text(d->a, may));
	/* The first in the order of the enum, until a rule needs another. */
	d->role = d->roles & (~d->roles + 1);
	return ERR_OK;
}

enum err_code
institution_must_be_enabled(const struct institution *i, struct err *e)
{
	if (i->state == INST_ENABLED)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "institution-not-enabled",
	    "the institution is %s; only one that is enabled may ask for, "
	    "endorse or receive anything new",
	    institution_words[i->state]);
}

/* --- The decision -------------------------------------------------------------------- */

enum err_code
is_work(struct view *v, struct bytes object, struct arena *a, bool *out,
    struct err *e)
{
	struct work_row work;

	*out = false;
	if (object.len < 2 ||
	    (object.p[0] != ROW_REQUEST && object.p[0] != ROW_APPOINTMENT))
		return ERR_OK;
	return rec_get(v, &rec_work,
	    ca_row_key(a, ROW_WORK, bytes_of(object.p + 1, object.len - 1)), a,
	    &work, out, e);
}

/* The same key and the same command: the stored result, nothing to write. */
static enum err_code
repeated(struct deed *d, bool *done, struct err *e)
{
	struct act_row act;

	TRY(rec_get(d->v, &rec_act, ca_row_key(d->a, ROW_ACT, field(d, CF_KEY)),
	    d->a, &act, done, e));
	if (!*done)
		return ERR_OK;
	if (!bytes_eq(act.command_sha256,
		bytes_of(d->command_sha256, SHA256_LEN)))
		return err_say(e, ERR_CONFLICT, "act-key-used",
		    "the idempotency key was used for another command; choose "
		    "a new key");
	d->out->object = act.object;
	return is_work(d->v, act.object, d->a, &d->out->waits, e);
}

static enum err_code
decide_act(struct deed *d, struct err *e)
{
	switch (d->c->act) {
	case ACT_INSTITUTION_ADD:
		return act_institution_add(d, e);
	case ACT_INSTITUTION_ENABLE:
	case ACT_INSTITUTION_SUSPEND:
	case ACT_INSTITUTION_CLOSE:
		return act_institution_state(d, e);
	case ACT_PERSON_REGISTER:
		return act_person_register(d, e);
	case ACT_APPOINTMENT_PROPOSE:
		return act_appointment_propose(d, e);
	case ACT_APPOINTMENT_CONFIRM:
		return act_appointment_confirm(d, e);
	case ACT_APPOINTMENT_END:
	case ACT_APPOINTMENT_WITHDRAW:
		return act_appointment_close(d, e);
	case ACT_REQUEST_NEW:
		return act_request_new(d, e);
	case ACT_REQUEST_SUBMIT:
		return act_request_submit(d, e);
	case ACT_REQUEST_ENDORSE:
		return act_request_endorse(d, e);
	case ACT_REQUEST_RETURN:
	case ACT_REQUEST_REJECT:
	case ACT_REQUEST_WITHDRAW:
		return act_request_close(d, e);
	case ACT_REQUEST_RETRY:
		return act_request_retry(d, e);
	case ACT_CERTIFICATE_RENEW:
		return act_certificate_renew(d, e);
	case ACT_CERTIFICATE_REVOKE:
		return act_certificate_revoke(d, e);
	case ACT_CERTIFICATE_SUSPEND:
		return act_certificate_suspend(d, e);
	case ACT_CERTIFICATE_REINSTATE:
		return act_certificate_reinstate(d, e);
	case ACT_POLICY_PROPOSE:
		return act_policy_propose(d, e);
	case ACT_POLICY_ENDORSE:
		return agreement_endorse(d, ROW_ACTIVATION, e);
	case ACT_POLICY_WITHDRAW:
		return agreement_withdraw(d, ROW_ACTIVATION, e);
	case ACT_CEREMONY_CA:
	case ACT_CA_CREATE:
		return act_ceremony_ca(d, e);
	case ACT_CEREMONY_CRL:
		return act_ceremony_crl(d, e);
	case ACT_CEREMONY_CROSS:
		return act_ceremony_cross(d, e);
	case ACT_CEREMONY_ENDORSE:
		return agreement_endorse(d, ROW_CEREMONY, e);
	case ACT_CEREMONY_WITHDRAW:
		return agreement_withdraw(d, ROW_CEREMONY, e);
	case ACT_CEREMONY_IMPORT:
		return act_ceremony_import(d, e);
	case ACT_CA_STOP:
		return act_ca_stop(d, e);
	case ACT_CEREMONY_KEY:
		return act_ceremony_key(d, e);
	case ACT_CEREMONY_CEILINGS:
		return act_ceremony_ceilings(d, e);
	case ACT_CEREMONY_ROOT:
		return act_ceremony_root(d, e);
	case ACT_MANDATE_PROPOSE:
		return act_mandate_propose(d, e);
	case ACT_MANDATE_ENDORSE:
		return act_mandate_endorse(d, e);
	case ACT_MANDATE_END:
		return act_mandate_end(d, e);
	case ACT_COUNT:
		break;
	}
	fatal("act %d has no decision", (int)d->c->act);
}

/* No act has both octets and files. */
#define COMMAND_MAX (CSR_MAX_BYTES + CMS_MAX_BYTES + 98304u + 8192u)

static enum err_code
hash_command(struct deed *d, struct err *e)
{
	struct buf b AUTO_BUF = BUF(COMMAND_MAX);

	command_encode(d->c, &b);
	TRY(buf_end(&b, e));
	sha256(d->command_sha256, buf_bytes(&b));
	return ERR_OK;
}

enum err_code
ca_may_create(const struct ca *ca, struct view *v, const struct command *c,
    int64_t now, struct arena *a, struct err *e)
{
	struct command checked = *c;
	struct deed d = { .ca = ca, .v = v, .c = &checked, .now = now, .a = a };

	TRY(command_check(&checked, a, e));
	d.run = checked.f[CF_AS];
	return ceremony_may_create(&d, e);
}

enum err_code
ca_decide(const struct ca *ca, struct view *v, const struct command *c,
    int64_t now, struct random_pool *random, struct arena *a,
    struct decision *out, struct err *e)
{
	struct command checked = *c;
	struct decision decision = { .n = 0 };
	struct deed d = { .ca = ca,
		.v = v,
		.c = &checked,
		.now = now,
		.random = random,
		.a = a,
		.out = &decision };
	bool done;

	TRY(command_check(&checked, a, e));
	d.run = checked.f[CF_AS];
	TRY(hash_command(&d, e));
	TRY(repeated(&d, &done, e));
	enum err_code code = done ? ERR_OK : decide_act(&d, e);
	if (code == ERR_OK)
		*out = decision;
	else
		out->refused = decision.refused;
	return code;
}
