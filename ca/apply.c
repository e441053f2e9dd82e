#include "inner.h"

/*
 * The effect of one entry: live work, recovery, replay and replicas come
 * through here, and nothing else writes a row.
 */

/* clang-format off */
static const apply_fn effects[ENTRY_TYPES] = {
	[ENTRY_SYSTEM_INITIALIZED]     = apply_initialized,
	[ENTRY_POLICY_ACTIVATED]       = apply_policy,
	[ENTRY_INSTITUTION_APPLIED]    = apply_institution,
	[ENTRY_INSTITUTION_ENABLED]    = apply_institution,
	[ENTRY_INSTITUTION_SUSPENDED]  = apply_institution,
	[ENTRY_INSTITUTION_CLOSED]     = apply_institution,
	[ENTRY_PERSON_REGISTERED]      = apply_person,
	[ENTRY_APPOINTMENT_PROPOSED]   = apply_appointment_proposed,
	[ENTRY_APPOINTMENT_CONFIRMED]  = apply_appointment_confirmed,
	[ENTRY_APPOINTMENT_IN_FORCE]   = apply_appointment_in_force,
	[ENTRY_APPOINTMENT_ENDED]      = apply_appointment_closed,
	[ENTRY_APPOINTMENT_WITHDRAWN]  = apply_appointment_closed,
	[ENTRY_REQUEST_DRAFTED]        = apply_request_written,
	[ENTRY_REQUEST_SUBMITTED]      = apply_request_written,
	[ENTRY_REQUEST_RETURNED]       = apply_request_closed,
	[ENTRY_REQUEST_REJECTED]       = apply_request_closed,
	[ENTRY_REQUEST_WITHDRAWN]      = apply_request_closed,
	[ENTRY_REQUEST_LAPSED]         = apply_request_closed,
	[ENTRY_REQUEST_FAILED]         = apply_request_closed,
	[ENTRY_REQUEST_ENDORSED]       = apply_request_endorsed,
	[ENTRY_CERTIFICATE_INTENDED]   = apply_intended,
	[ENTRY_CERTIFICATE_ISSUED]     = apply_issued,
	[ENTRY_CERTIFICATE_REVOKED]    = apply_revoked,
	[ENTRY_CERTIFICATE_SUSPENDED]  = apply_suspended,
	[ENTRY_CERTIFICATE_REINSTATED] = apply_reinstated,
	[ENTRY_CERTIFICATE_PROPOSED]   = apply_proposed,
	[ENTRY_CERTIFICATE_REPLACED]   = apply_replaced,
	[ENTRY_CRL_PUBLISHED]          = apply_crl,
	[ENTRY_RESPONDER_CERTIFIED]    = apply_responder,
	[ENTRY_ACT_REFUSED]            = apply_nothing,
	[ENTRY_POLICY_PROPOSED]        = apply_policy_proposed,
	[ENTRY_POLICY_ENDORSED]        = apply_agreement_endorsed,
	[ENTRY_POLICY_WITHDRAWN]       = apply_agreement_closed,
	[ENTRY_POLICY_LAPSED]          = apply_agreement_closed,
	[ENTRY_CEREMONY_PROPOSED]      = apply_ceremony_proposed,
	[ENTRY_CEREMONY_ENDORSED]      = apply_agreement_endorsed,
	[ENTRY_CEREMONY_WITHDRAWN]     = apply_agreement_closed,
	[ENTRY_CEREMONY_LAPSED]        = apply_agreement_closed,
	[ENTRY_CEREMONY_COMPLETED]     = apply_ceremony_completed,
	[ENTRY_CA_STOPPED]             = apply_ca_stopped,
	[ENTRY_MANDATE_PROPOSED]       = apply_mandate_proposed,
	[ENTRY_MANDATE_ENDORSED]       = apply_mandate_endorsed,
	[ENTRY_MANDATE_ENDED]          = apply_mandate_closed,
	[ENTRY_MANDATE_LAPSED]         = apply_mandate_closed,
	[ENTRY_CEILINGS_TAKEN]         = apply_ceilings_taken,
};
/* clang-format on */

enum err_code
contradiction(const struct applying *p, struct err *e)
{
	char why[sizeof(e->say)];
	size_t n = 0;

	while (n + 1 < sizeof(why) && e->say[n] != '\0') {
		why[n] = e->say[n];
		n++;
	}
	why[n] = '\0';
	(void)err_say(e, ERR_CORRUPT, "apply-contradicts",
	    "entry %s of the log (%s) contradicts what the entries before it "
	    "lead to",
	    arena_printf(p->a, "%llu", (unsigned long long)p->entry->index),
	    entry_type_name(p->entry->type));
	return err_why(e, "%s", why);
}

enum err_code
apply_judge(const struct applying *p, enum err_code code, struct err *e)
{
	if (code == ERR_CONFLICT || code == ERR_NOTFOUND || code == ERR_INVALID)
		return contradiction(p, e);
	return code;
}

enum err_code
apply_nothing(struct applying *p, struct err *e)
{
	(void)p;
	(void)e;
	return ERR_OK;
}

/* The row that an act leads to, by the type of its first entry. */
static struct bytes
object_of(struct applying *p)
{
	const struct entry_refs *r = &p->entry->refs;

	switch ((unsigned)p->entry->type) {
	case ENTRY_INSTITUTION_APPLIED:
	case ENTRY_INSTITUTION_ENABLED:
	case ENTRY_INSTITUTION_SUSPENDED:
	case ENTRY_INSTITUTION_CLOSED:
		return ca_row_key(p->a, ROW_INSTITUTION, r->institution);
	case ENTRY_PERSON_REGISTERED:
		return key_of_pair(p->a, ROW_PERSON, r->institution,
		    json_get_str(json_get_obj(p->o, "person"), "run"));
	case ENTRY_APPOINTMENT_PROPOSED:
	case ENTRY_APPOINTMENT_CONFIRMED:
	case ENTRY_APPOINTMENT_ENDED:
	case ENTRY_APPOINTMENT_WITHDRAWN:
		return ca_row_key(p->a, ROW_APPOINTMENT, r->appointment);
	case ENTRY_CERTIFICATE_REVOKED:
	case ENTRY_CERTIFICATE_SUSPENDED:
	case ENTRY_CERTIFICATE_REINSTATED:
	case ENTRY_CERTIFICATE_PROPOSED:
		return ca_row_key(p->a, ROW_CERTIFICATE, r->serial);
	case ENTRY_POLICY_PROPOSED:
	case ENTRY_POLICY_ENDORSED:
	case ENTRY_POLICY_ACTIVATED:
	case ENTRY_POLICY_WITHDRAWN:
		return ca_row_key(p->a, ROW_ACTIVATION, r->request);
	case ENTRY_CEREMONY_PROPOSED:
	case ENTRY_CEREMONY_ENDORSED:
	case ENTRY_CEREMONY_WITHDRAWN:
	case ENTRY_CEREMONY_COMPLETED:
		return ca_row_key(p->a, ROW_CEREMONY, r->request);
	case ENTRY_MANDATE_PROPOSED:
	case ENTRY_MANDATE_ENDORSED:
	case ENTRY_MANDATE_ENDED:
		return ca_row_key(p->a, ROW_MANDATE, r->request);
	case ENTRY_CA_STOPPED:
		return ca_row_key(p->a, ROW_ISSUER, json_get_str(p->o, "name"));
	default:
		return ca_row_key(p->a, ROW_REQUEST, r->request);
	}
}

/* The first entry of an act stands for it; the others carry the same key. */
static enum err_code
note_act(struct applying *p, struct err *e)
{
	struct json_obj actor = json_get_obj(p->o, "actor");
	struct act_row act, old;
	bool found;

	if (p->entry->type == ENTRY_ACT_REFUSED || !json_has(actor, "key"))
		return ERR_OK;
	struct bytes key =
	    ca_row_key(p->a, ROW_ACT, json_get_str(actor, "key"));
	act = (struct act_row){
		.command_sha256 = json_get_hex(actor, "command", p->a),
		.object = object_of(p),
		.at = p->entry->time,
	};
	TRY(rec_get(p->v, &rec_act, key, p->a, &old, &found, e));
	if (!found)
		return row_put(p, &rec_act, key, &act, e);
	if (!bytes_eq(old.command_sha256, act.command_sha256))
		return contradiction(p, e);
	return ERR_OK;
}

enum err_code
ca_apply(struct view *v, const struct entry *entry, struct err *e)
{
	AUTO(arena) a = arena_new();
	AUTO(json) j = NULL;
	struct err fault = { .code = ERR_OK };
	bool bad = false;
	struct applying p = { .v = v, .entry = entry, .a = a };

	if (entry->detail.len == 0)
		return err_say(e, ERR_CORRUPT, "apply-erased",
		    "the detail of an entry was erased; its effect cannot be "
		    "rebuilt from the log");
	if ((unsigned)entry->type >= ENTRY_TYPES ||
	    effects[entry->type] == NULL)
		return contradiction(&p, e);
	APPLY_TRY(&p, json_parse(entry->detail, false, &j, e), e);
	p.o = json_root(j, &bad, &fault);
	TRY(effects[entry->type](&p, e));
	TRY(note_act(&p, e));
	if (!bad)
		return ERR_OK;
	*e = fault;
	return contradiction(&p, e);
}

enum err_code
ca_append(struct view *v, const struct draft *d, int64_t now,
    const uint8_t salt[ENTRY_SALT], struct err *e)
{
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	struct entry entry = {
		.index = view_log_size(v),
		.time = now,
		.type = d->type,
		.refs = d->refs,
		.detail = d->detail,
	};
	char last[TIME_TEXT], text[TIME_TEXT];

	if (now < view_log_time(v)) {
		time_print(last, view_log_time(v));
		time_print(text, now);
		return err_say(e, ERR_CONFLICT, "clock-moved-back",
		    "the clock says %s and the last entry of the log was "
		    "written at %s; set the clock right",
		    text, last);
	}
	for (size_t i = 0; i < ENTRY_SALT; i++)
		entry.salt[i] = salt[i];
	TRY(entry_leaf_build(&entry, &leaf, e));
	entry.leaf = buf_bytes(&leaf);
	TRY(view_log_append(v, &entry, e));
	return ca_apply(v, &entry, e);
}
