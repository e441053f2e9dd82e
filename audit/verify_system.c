#include "verify.h"

#include <stdio.h>
#include <string.h>

/* What every entry needs, the CAs and responders. */

enum ref {
	REF_INSTITUTION = 1u << 0,
	REF_REQUEST = 1u << 1,
	REF_APPOINTMENT = 1u << 2,
	REF_SERIAL = 1u << 3,
	REF_POLICY = 1u << 4,
	REF_TBS = 1u << 5,
	REF_OBJECT = 1u << 6,
	REF_NUMBER = 1u << 7
};

struct rule {
	unsigned refs; /* what the leaf must name */
	enum err_code (*judge)(struct audit *a, const struct entry *en,
	    struct json_obj d, struct err *e);
};

#define CERT_REFS (REF_SERIAL | REF_TBS | REF_REQUEST)
#define APPT_REFS (REF_SERIAL | REF_TBS | REF_APPOINTMENT)

/* clang-format off */
static const struct rule rules[ENTRY_TYPES] = {
	[ENTRY_SYSTEM_INITIALIZED]     = { 0, judge_system },
	[ENTRY_POLICY_ACTIVATED]       = { REF_POLICY, judge_policy },
	[ENTRY_INSTITUTION_APPLIED]    = { REF_INSTITUTION, NULL },
	[ENTRY_INSTITUTION_ENABLED]    = { REF_INSTITUTION, NULL },
	[ENTRY_INSTITUTION_SUSPENDED]  = { REF_INSTITUTION, NULL },
	[ENTRY_INSTITUTION_CLOSED]     = { REF_INSTITUTION, NULL },
	[ENTRY_PERSON_REGISTERED]      = { REF_INSTITUTION, NULL },
	[ENTRY_APPOINTMENT_PROPOSED]   = { APPT_REFS | REF_INSTITUTION, judge_appointment },
	[ENTRY_APPOINTMENT_CONFIRMED]  = { REF_APPOINTMENT, judge_appointment },
	[ENTRY_APPOINTMENT_IN_FORCE]   = { APPT_REFS | REF_OBJECT, judge_appointment },
	[ENTRY_APPOINTMENT_ENDED]      = { REF_APPOINTMENT, judge_appointment },
	[ENTRY_APPOINTMENT_WITHDRAWN]  = { REF_APPOINTMENT, judge_appointment },
	[ENTRY_REQUEST_DRAFTED]        = { REF_REQUEST | REF_INSTITUTION, NULL },
	[ENTRY_REQUEST_SUBMITTED]      = { CERT_REFS | REF_POLICY | REF_INSTITUTION, judge_request },
	[ENTRY_REQUEST_RETURNED]       = { REF_REQUEST, judge_request },
	[ENTRY_REQUEST_REJECTED]       = { REF_REQUEST, judge_request },
	[ENTRY_REQUEST_WITHDRAWN]      = { REF_REQUEST, judge_request },
	[ENTRY_REQUEST_LAPSED]         = { REF_REQUEST, judge_request },
	[ENTRY_REQUEST_ENDORSED]       = { REF_REQUEST, judge_request },
	[ENTRY_REQUEST_FAILED]         = { REF_REQUEST, judge_request },
	[ENTRY_CERTIFICATE_INTENDED]   = { CERT_REFS | REF_POLICY, judge_certificate },
	[ENTRY_CERTIFICATE_ISSUED]     = { CERT_REFS | REF_OBJECT, judge_certificate },
	[ENTRY_CERTIFICATE_REVOKED]    = { REF_SERIAL, judge_certificate },
	[ENTRY_CERTIFICATE_SUSPENDED]  = { REF_SERIAL, judge_certificate },
	[ENTRY_CERTIFICATE_REINSTATED] = { REF_SERIAL, judge_certificate },
	[ENTRY_CERTIFICATE_PROPOSED]   = { REF_SERIAL, judge_certificate },
	[ENTRY_CERTIFICATE_REPLACED]   = { REF_SERIAL, judge_certificate },
	[ENTRY_CRL_PUBLISHED]          = { REF_NUMBER, judge_crl },
	[ENTRY_RESPONDER_CERTIFIED]    = { 0, judge_responder },
	[ENTRY_ACT_REFUSED]            = { 0, NULL },
	[ENTRY_POLICY_PROPOSED]        = { REF_REQUEST, judge_policy_proposed },
	[ENTRY_POLICY_ENDORSED]        = { REF_REQUEST, judge_agreement_endorsed },
	[ENTRY_POLICY_WITHDRAWN]       = { REF_REQUEST, judge_agreement_closed },
	[ENTRY_POLICY_LAPSED]          = { REF_REQUEST, judge_agreement_closed },
	[ENTRY_CEREMONY_PROPOSED]      = { REF_REQUEST | REF_TBS, judge_ceremony_proposed },
	[ENTRY_CEREMONY_ENDORSED]      = { REF_REQUEST, judge_agreement_endorsed },
	[ENTRY_CEREMONY_WITHDRAWN]     = { REF_REQUEST, judge_agreement_closed },
	[ENTRY_CEREMONY_LAPSED]        = { REF_REQUEST, judge_agreement_closed },
	[ENTRY_CEREMONY_COMPLETED]     = { REF_REQUEST | REF_TBS | REF_OBJECT, judge_ceremony_completed },
	[ENTRY_CA_STOPPED]             = { 0, judge_ca_stopped },
	[ENTRY_MANDATE_PROPOSED]       = { REF_REQUEST | REF_POLICY | REF_INSTITUTION, judge_mandate },
	[ENTRY_MANDATE_ENDORSED]       = { REF_REQUEST, judge_mandate },
	[ENTRY_MANDATE_ENDED]          = { REF_REQUEST, judge_mandate },
	[ENTRY_MANDATE_LAPSED]         = { REF_REQUEST, judge_mandate },
	[ENTRY_CEILINGS_TAKEN]         = { REF_OBJECT, judge_ceilings_taken },
};
/* clang-format on */

static unsigned
refs_of(const struct entry_refs *r)
{
	return (r->institution.len > 0 ? REF_INSTITUTION : 0u) |
	       (r->request.len > 0 ? REF_REQUEST : 0u) |
	       (r->appointment.len > 0 ? REF_APPOINTMENT : 0u) |
	       (r->serial.len > 0 ? REF_SERIAL : 0u) |
	       (r->policy.len > 0 ? REF_POLICY : 0u) |
	       (r->tbs.len > 0 ? REF_TBS : 0u) |
	       (r->object.len > 0 ? REF_OBJECT : 0u) |
	       (r->number > 0 ? REF_NUMBER : 0u);
}

enum err_code
judge_entry(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	const struct rule *rule = &rules[en->type];
	const char *type = entry_type_name(en->type);

	if ((en->index == 0) != (en->type == ENTRY_SYSTEM_INITIALIZED))
		return err_say(e, ERR_INVALID, "audit-first",
		    "entry %s: the first entry, and no other, is "
		    "system.initialized; this is %s",
		    a->at, type);
	if ((rule->refs & ~refs_of(&en->refs)) != 0)
		return err_say(e, ERR_INVALID, "audit-refs",
		    "entry %s: the public part of %s does not name what it is "
		    "about",
		    a->at, type);
	if (!a->erased) {
		struct json_obj actor = json_get_obj(d, "actor");
		bool none = json_get_str(actor, "run").len == 0;
		bool system = bytes_is(json_get_str(actor, "role"), "system");
		(void)json_opt_int(actor, "uid", 0);
		(void)json_get_str(actor, "via");
		TRY(detail_end(a, e));
		/* Who was refused need not have said who it was. */
		if (none != system && en->type != ENTRY_ACT_REFUSED)
			return err_say(e, ERR_INVALID, "audit-actor",
			    "entry %s: nobody is named as the one who acted",
			    a->at);
	}
	TRY(judge_whole(a, en, e));
	return rule->judge == NULL ? ERR_OK : rule->judge(a, en, d, e);
}

/* --- Records ---------------------------------------------------------------- */

struct bytes
record_serial(const struct record *r)
{
	return bytes_of(r->serial, r->serial_len);
}

enum err_code
record_add(struct audit *a, struct bytes serial, uint32_t *out, struct err *e)
{
	char text[HEX_LEN(SERIAL_MAX)];

	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return err_say(e, ERR_INVALID, "audit-serial",
		    "entry %s: the serial number is empty or too long", a->at);
	hex_print(text, serial);
	if (map_get(&a->map, MAP_SERIAL, serial) != NONE)
		return err_say(e, ERR_INVALID, "audit-serial-twice",
		    "entry %s: the serial number %s was used before", a->at,
		    text);
	a->record =
	    grow(a->record, a->n_record, &a->size_record, sizeof(*a->record));
	struct record *r = &a->record[a->n_record];
	*r = (struct record){ .serial_len = (uint8_t)serial.len,
		.ca = NONE,
		.mandate = NONE,
		.renews = NONE,
		.followed = NONE,
		.statement = BUF(STATEMENT_MAX) };
	memcpy(r->serial, serial.p, serial.len);
	*out = (uint32_t)a->n_record++;
	map_put(&a->map, MAP_SERIAL, serial, *out);
	return ERR_OK;
}

uint32_t
ca_find(const struct audit *a, struct bytes name)
{
	for (uint32_t i = 0; i < a->n_ca; i++)
		if (bytes_is(name, a->ca[i].name))
			return i;
	return NONE;
}

static void
note_object(struct audit *a, struct bytes der)
{
	uint8_t hash[HASH_LEN];

	sha256(hash, der);
	map_put(&a->map, MAP_OBJECT, bytes_of(hash, HASH_LEN), 0);
}

/* --- system.initialized --------------------------------------------------------- */

static enum err_code
unexpected_ca(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-ca",
	    "entry %s: one root first, then issuers and an endorser, each with "
	    "a name of its own, are expected",
	    a->at);
}

enum err_code
add_ca(struct audit *a, const struct entry *en, struct bytes role,
    struct bytes name, struct bytes der, struct err *e)
{
	struct err below = { .code = ERR_OK };
	uint32_t record;

	TRY(detail_end(a, e));
	a->ca = grow(a->ca, a->n_ca, &a->size_ca, sizeof(*a->ca));
	struct ca *c = &a->ca[a->n_ca];
	*c = (struct ca){ .last_number = 0 };
	bool root = bytes_is(role, "root");
	if ((!root && !bytes_is(role, "issuer") && !bytes_is(role, "cross") &&
		!bytes_is(role, "endorser")) ||
	    (!root && a->n_ca == 0) || name.len == 0 || name.len >= NAME_LEN ||
	    ca_find(a, name) != NONE)
		return unexpected_ca(a, e);
	c->der = BUF(CERT_MAX_BYTES);
	buf_put(&c->der, der.p, der.len);
	if (buf_end(&c->der, &below) != ERR_OK ||
	    cert_parse(buf_bytes(&c->der), &c->cert, &below) != ERR_OK ||
	    (!(a->any_root && !root) &&
		cert_check_issued(&c->cert,
		    root ? &c->cert : &a->ca[a->root].cert, en->time, a->v,
		    &below) != ERR_OK)) {
		buf_fini(&c->der);
		return fault_below(a, &below, e);
	}
	snprintf(c->role, sizeof(c->role), "%.*s", BYTES_FMT(role));
	snprintf(c->name, sizeof(c->name), "%.*s", BYTES_FMT(name));
	a->n_ca++;
	note_object(a, der);
	return record_add(a, c->cert.serial, &record, e);
}

static enum err_code
add_officer(struct audit *a, struct json_obj o, struct err *e)
{
	struct bytes key = json_get_hex(o, "key_sha256", a->arena);
	struct bytes run = json_get_str(o, "run");
	struct officer_noted *f = &a->officer[a->n_officer];

	(void)json_get_str(o, "name");
	TRY(detail_end(a, e));
	if (key.len != HASH_LEN || run.len == 0 || run.len >= RUN_TEXT)
		return err_say(e, ERR_INVALID, "audit-officer",
		    "entry %s: an officer has no RUN or no key", a->at);
	snprintf(f->run, sizeof(f->run), "%.*s", BYTES_FMT(run));
	memcpy(f->key, key.p, HASH_LEN);
	a->n_officer++;
	return ERR_OK;
}

enum err_code
judge_system(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	if (a->erased)
		return err_say(e, ERR_INVALID, "audit-roots-erased",
		    "entry %s: without its detail nothing that follows can be "
		    "judged",
		    a->at);
	struct bytes key = json_get_base64(d, "log_key", a->arena);
	struct bytes origin = json_get_str(d, "origin");
	size_t n_ca = json_count(d, "certificates");
	size_t n_officer = json_count(d, "officers");
	a->quorum = json_opt_int(d, "quorum", 1);
	a->policy_quorum = json_opt_int(d, "policy_quorum", 0);
	TRY(detail_end(a, e));
	if (n_ca > CAS_MAX || n_officer > OFFICERS_NOTED || a->quorum < 1 ||
	    a->policy_quorum < 0)
		return err_say(e, ERR_INVALID, "audit-many",
		    "entry %s: it names more CAs or officers than 64, or no "
		    "quorum",
		    a->at);
	for (size_t i = 0; i < n_ca; i++) {
		struct json_obj o = json_at_obj(d, "certificates", i);
		if (bytes_is(json_get_str(o, "role"), "root") != (i == 0))
			return unexpected_ca(a, e);
		TRY(add_ca(a, en, json_get_str(o, "role"),
		    json_get_str(o, "name"),
		    json_get_base64(o, "der", a->arena), e));
	}
	for (size_t i = 0; i < n_officer; i++)
		TRY(add_officer(a, json_at_obj(d, "officers", i), e));
	TRY(detail_end(a, e));
	if (!bytes_eq(key, buf_bytes(&a->spki)) ||
	    !bytes_eq(origin, buf_bytes(&a->origin)))
		return err_say(e, ERR_INVALID, "audit-log-key",
		    "entry %s: this log began with another key or origin",
		    a->at);
	return ERR_OK;
}

/* --- Responders ------------------------------------------------------- */

enum err_code
judge_responder(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	struct err below = { .code = ERR_OK };
	struct cert c;
	uint32_t record;

	if (a->erased)
		return ERR_OK;
	uint32_t ca = ca_find(a, json_get_str(d, "issuer"));
	struct bytes der = json_get_base64(d, "certificate", a->arena);
	TRY(detail_end(a, e));
	note_object(a, der);
	if (ca == NONE)
		return err_say(e, ERR_INVALID, "audit-responder-issuer",
		    "entry %s: the responder is of no CA of this log", a->at);
	if (cert_parse(der, &c, &below) != ERR_OK ||
	    cert_check_issued(&c, &a->ca[ca].cert, en->time, a->v, &below) !=
		ERR_OK)
		return fault_below(a, &below, e);
	if (!cert_has_eku(&c, OID_EKU_OCSP))
		return err_say(e, ERR_INVALID, "audit-responder-usage",
		    "entry %s: the certificate is not one of an OCSP "
		    "responder",
		    a->at);
	return record_add(a, c.serial, &record, e);
}
