#include <string.h>

#include "inner.h"

/* clang-format off */
const char *const institution_words[INST_STATES + 1] = {
	"applied", "enabled", "suspended", "closed", NULL
};
const char *const appointment_words[APPT_STATES + 1] = {
	"proposed", "confirmed", "in-force", "ended", "withdrawn", "failed",
	NULL
};
const char *const request_words[REQ_STATES + 1] = {
	"draft", "submitted", "returned", "rejected", "withdrawn", "lapsed",
	"endorsed", "issued", "failed", NULL
};
const char *const cert_words[CERT_STATES + 1] = {
	"intended", "valid", "suspended", "revoked", NULL
};

const char *const activation_words[AGREEMENT_STATES + 1] = {
	"proposed", "scheduled", "active", "withdrawn", "lapsed", NULL
};

const char *const ceremony_words[AGREEMENT_STATES + 1] = {
	"proposed", "agreed", "completed", "withdrawn", "lapsed", NULL
};
const char *const mandate_words[MANDATE_STATES + 1] = {
	"proposed", "in-force", "ended", "withdrawn", "lapsed", "expired", NULL
};
static const char *const ceremony_kinds[CEREMONY_KINDS + 1] = {
	"certificate", "crl", "key", "cross", "ceilings", "root", NULL
};
static const char *const ceilings_words[CEILINGS_HOWS + 1] = {
	"first", "agreed", "lessened", "refounded", "kept", NULL
};

/* Rows and JSON alike: members sorted by name, so that JSON is canonical. */
#define AT(s, m)       offsetof(struct s, m)
#define TEXT(s, m)     { #m, REC_TEXT, AT(s, m), NULL, false, false, 1, NULL, 0 }
#define OCTETS(s, m)   { #m, REC_BYTES, AT(s, m), NULL, false, false, 1, NULL, 0 }
#define INT(s, m)      { #m, REC_INT, AT(s, m), NULL, false, false, 1, NULL, 0 }
#define TIME(s, m)     { #m, REC_INT, AT(s, m), NULL, true, false, 1, NULL, 0 }
#define TIME_AS(s, m, n) { n, REC_INT, AT(s, m), NULL, true, false, 1, NULL, 0 }
#define WORD(s, m, w)  { #m, REC_WORD, AT(s, m), w, false, false, 1, NULL, 0 }
#define BLOB(s, m)     { #m, REC_BYTES, AT(s, m), NULL, false, true, 1, NULL, 0 }
#define TEXTBLOB(s, m) { #m, REC_TEXT, AT(s, m), NULL, false, true, 1, NULL, 0 }
/* Since version 2 of the row. */
#define OCTETS2(s, m)  { #m, REC_BYTES, AT(s, m), NULL, false, false, 2, NULL, 0 }
#define TEXT2(s, m)    { #m, REC_TEXT, AT(s, m), NULL, false, false, 2, NULL, 0 }
#define INT2(s, m)     { #m, REC_INT, AT(s, m), NULL, false, false, 2, NULL, 0 }
#define TIME2(s, m)    { #m, REC_INT, AT(s, m), NULL, true, false, 2, NULL, 0 }
#define WORD2(s, m, w) { #m, REC_WORD, AT(s, m), w, false, false, 2, NULL, 0 }
#define MAP2(s, m)     { #m, REC_MAP, AT(s, m), NULL, false, false, 2, NULL, 0 }
#define ENTRY(s, m)    { #m, REC_ENTRY, AT(s, m), NULL, false, false, 1, NULL, 0 }
#define TEXT3(s, m)    { #m, REC_TEXT, AT(s, m), NULL, false, false, 3, NULL, 0 }
#define TEXT4(s, m)    { #m, REC_TEXT, AT(s, m), NULL, false, false, 4, NULL, 0 }
#define BLOB4(s, m)    { #m, REC_BYTES, AT(s, m), NULL, false, true, 4, NULL, 0 }
/* A number that JSON leaves out while it is 0. */
#define COUNT2(s, m)   { #m, REC_ENTRY, AT(s, m), NULL, false, false, 2, NULL, 0 }
#define ENTRY2(s, m)   { #m, REC_ENTRY, AT(s, m), NULL, false, false, 2, NULL, 0 }
/* Blobs that an entry of the log has: which member, and where its index is. */
#define APART(s, m, member, at)                                                \
	{ #m, REC_BYTES, AT(s, m), NULL, false, true, 1, member, AT(s, at) }
#define TEXTAPART(s, m, member, at)                                            \
	{ #m, REC_TEXT, AT(s, m), NULL, false, true, 1, member, AT(s, at) }

static const struct rec_field institution_fields[] = {
	TIME(institution, added),
	TIME(institution, changed),
	WORD2(institution, kind, institution_kind_words),
	TEXT(institution, name),
	TEXT(institution, rut),
	WORD(institution, state, institution_words),
};
static const struct rec_field person_fields[] = {
	MAP2(person, attributes),
	TIME(person, changed),
	TEXT(person, email),
	TEXT(person, institution),
	INT(person, is_operator),
	WORD2(person, kind, person_kind_words),
	TEXT(person, name),
	TEXT(person, office),
	TIME(person, registered),
	TEXT(person, run),
};
static const struct rec_field appointment_fields[] = {
	TEXT(appointment, act_date),
	TEXT(appointment, act_number),
	BLOB(appointment, certificate),
	TIME(appointment, confirmed),
	BLOB(appointment, container),
	INT(appointment, deputy),
	TIME(appointment, ended),
	BLOB(appointment, evidence),
	TIME(appointment, from),
	TEXT(appointment, id),
	TIME(appointment, in_force),
	TEXT(appointment, institution),
	TEXT(appointment, name),
	COUNT2(appointment, needed),
	TEXT(appointment, office),
	TEXT(appointment, officer),
	TIME(appointment, proposed),
	TEXT(appointment, proposed_by),
	TEXT(appointment, reason),
	TEXT(appointment, run),
	OCTETS(appointment, serial),
	COUNT2(appointment, signatures),
	TEXT2(appointment, signed_by),
	OCTETS(appointment, spki_sha256),
	WORD(appointment, state, appointment_words),
	TEXTBLOB(appointment, statement),
	OCTETS(appointment, tbs_sha256),
	TIME(appointment, until),
};
static const struct rec_field request_fields[] = {
	TEXT(request, appointment),
	INT(request, asked_s),
	TIME(request, closed),
	APART(request, container, "tbs", written_entry),
	TIME(request, created),
	APART(request, csr, "csr", written_entry),
	TIME(request, endorsed),
	TEXT2(request, endorsed_by),
	ENTRY(request, endorsed_entry),
	COUNT2(request, endorsements),
	APART(request, evidence, "evidence", endorsed_entry),
	TIME(request, expires),
	TEXT(request, holder_name),
	TEXT(request, holder_office),
	TEXT(request, holder_run),
	TEXT(request, id),
	TEXT(request, institution),
	TEXT(request, issuer),
	TIME(request, lapses),
	TEXT2(request, mandate),
	TEXT(request, minister_run),
	COUNT2(request, needed),
	TIME(request, not_after),
	TIME(request, not_before),
	TEXT(request, operator_run),
	INT2(request, partition),
	TEXT(request, policy),
	OCTETS(request, policy_sha256),
	TEXT(request, reason),
	OCTETS(request, replaces),
	OCTETS(request, serial),
	OCTETS(request, spki_sha256),
	WORD(request, state, request_words),
	TEXTAPART(request, statement, "statement", written_entry),
	TIME(request, submitted),
	OCTETS(request, tbs_sha256),
	INT(request, version),
	ENTRY(request, written_entry),
};
static const struct rec_field certificate_fields[] = {
	TEXT(certificate, asked_by),
	TEXT(certificate, cause),
	APART(certificate, certificate, "certificate", issued_entry),
	TEXT(certificate, holder_run),
	TEXT(certificate, institution),
	TIME(certificate, intended),
	TIME(certificate, invalid_since),
	TIME(certificate, issued),
	ENTRY(certificate, issued_entry),
	TEXT(certificate, issuer),
	TIME(certificate, not_after),
	TIME(certificate, not_before),
	INT2(certificate, partition),
	TEXT(certificate, policy),
	OCTETS(certificate, policy_sha256),
	TEXT(certificate, proposed),
	INT(certificate, reason),
	OCTETS(certificate, replaced_by),
	TEXT(certificate, request),
	TIME2(certificate, retires),
	TIME(certificate, revoked_at),
	OCTETS(certificate, serial),
	OCTETS(certificate, spki_sha256),
	WORD(certificate, state, cert_words),
	TIME(certificate, suspend_until),
	OCTETS(certificate, tbs_sha256),
};
static const struct rec_field crl_fields[] = {
	INT(crl_row, base),
	INT(crl_row, covers),
	TEXT(crl_row, issuer),
	ENTRY2(crl_row, kept_since),
	TIME(crl_row, next_update),
	INT(crl_row, number),
	INT(crl_row, partition),
	TIME2(crl_row, periodic),
	OCTETS(crl_row, sha256),
	TIME(crl_row, this_update),
};
static const struct rec_field policy_fields[] = {
	TIME(policy_row, activated),
	TEXT2(policy_row, activation),
	TEXT(policy_row, name),
	TEXT2(policy_row, proposed_by),
	OCTETS(policy_row, sha256),
	TEXT2(policy_row, signed_by),
	TEXTBLOB(policy_row, text),
	TIME2(policy_row, until),
	INT(policy_row, version),
};
static const struct rec_field activation_fields[] = {
	TIME(agreement_row, closed),
	TIME(agreement_row, effective),
	TIME_AS(agreement_row, agreed, "endorsed"),
	TIME(agreement_row, expires),
	TEXT(agreement_row, id),
	INT(agreement_row, needed),
	TEXT(agreement_row, policies),
	TIME(agreement_row, proposed),
	TEXT(agreement_row, proposed_by),
	TEXT(agreement_row, reason),
	INT(agreement_row, signatures),
	TEXT(agreement_row, signed_by),
	WORD(agreement_row, state, activation_words),
	TEXTBLOB(agreement_row, statement),
};
static const struct rec_field ceremony_fields[] = {
	TIME(agreement_row, agreed),
	TIME(agreement_row, closed),
	TIME(agreement_row, expires),
	COUNT2(agreement_row, held),
	TEXT(agreement_row, id),
	TEXT(agreement_row, institution),
	WORD(agreement_row, kind, ceremony_kinds),
	TEXT(agreement_row, name),
	INT(agreement_row, needed),
	BLOB(agreement_row, object),
	TEXT4(agreement_row, policy),
	BLOB4(agreement_row, possession),
	TIME(agreement_row, proposed),
	TEXT(agreement_row, proposed_by),
	TEXT(agreement_row, reason),
	TEXT3(agreement_row, replaces),
	TEXT4(agreement_row, revokes),
	INT(agreement_row, signatures),
	TEXT(agreement_row, signed_by),
	WORD(agreement_row, state, ceremony_words),
	TEXTBLOB(agreement_row, statement),
	BLOB(agreement_row, tbs),
};
static const struct rec_field ceilings_fields[] = {
	OCTETS(ceilings_row, base),
	TEXT(ceilings_row, ceremony),
	WORD(ceilings_row, how, ceilings_words),
	TEXT(ceilings_row, people),
	TIME(ceilings_row, people_since),
	OCTETS(ceilings_row, sha256),
	TIME(ceilings_row, since),
	TEXTBLOB(ceilings_row, text),
};
static const struct rec_field mandate_fields[] = {
	TIME(mandate, agreed),
	TIME(mandate, closed),
	TIME(mandate, expires),
	TEXT(mandate, holder_name),
	TEXT(mandate, holder_office),
	TEXT(mandate, holder_run),
	TEXT(mandate, id),
	TEXT(mandate, institution),
	TEXT(mandate, issuer),
	INT(mandate, life_s),
	INT(mandate, needed),
	TEXT(mandate, policy),
	OCTETS(mandate, policy_sha256),
	OCTETS(mandate, profile_sha256),
	TIME(mandate, proposed),
	TEXT(mandate, proposed_by),
	TEXT(mandate, reason),
	OCTETS2(mandate, rekey_sha256),
	INT(mandate, renewals),
	OCTETS(mandate, serial),
	INT(mandate, signatures),
	TEXT(mandate, signed_by),
	WORD(mandate, state, mandate_words),
	TEXTBLOB(mandate, statement),
	TIME(mandate, until),
	INT(mandate, used),
};
static const struct rec_field root_list_fields[] = {
	TEXT(root_list_row, ceremony),
	BLOB(root_list_row, list),
	TIME(root_list_row, next_update),
	INT(root_list_row, number),
	TIME(root_list_row, this_update),
};
static const struct rec_field consent_fields[] = {
	TEXT(consent, activation),
	TEXT2(consent, appointment),
	TIME(consent, at),
	BLOB(consent, evidence),
	TEXT(consent, officer),
};
static const struct rec_field listed_fields[] = {
	TIME(listed_row, earliest),
	OCTETS(listed_row, ends),
	OCTETS(listed_row, entries),
};
static const struct rec_field changed_fields[] = {
	TIME(changed_row, at),
	OCTETS(changed_row, serial),
};
static const struct rec_field partition_fields[] = {
	INT(partition_row, assigned),
	COUNT2(partition_row, changed),
	INT(partition_row, current),
	TEXT(partition_row, issuer),
	INT(partition_row, open),
};
static const struct rec_field key_fields[] = {
	INT(key_row, certified),
	INT(key_row, compromised),
	TEXT(key_row, institution),
	TEXT(key_row, request),
	TEXT(key_row, run),
	OCTETS(key_row, spki_sha256),
};
static const struct rec_field serial_fields[] = {
	TEXT(serial_row, request),
	OCTETS(serial_row, serial),
};
static const struct rec_field in_force_fields[] = {
	TEXT(in_force_row, name),
	COUNT2(in_force_row, renew_window),
	OCTETS(in_force_row, sha256),
	INT(in_force_row, version),
};
static const struct rec_field minister_fields[] = {
	TEXT(minister_row, appointment),
	OCTETS(minister_row, certificate_sha256),
};
static const struct rec_field counter_fields[] = {
	INT(counter_row, last),
};
static const struct rec_field work_fields[] = {
	TEXT(work_row, id),
	INT(work_row, is_appointment),
	TIME(work_row, since),
};
static const struct rec_field act_fields[] = {
	TIME(act_row, at),
	OCTETS(act_row, command_sha256),
	OCTETS(act_row, object),
};
static const struct rec_field responder_fields[] = {
	BLOB(responder_row, certificate),
	TEXT(responder_row, issuer),
	TIME(responder_row, since),
};
static const struct rec_field issuer_fields[] = {
	BLOB(issuer_row, certificate),
	TIME2(issuer_row, destroyed),
	COUNT2(issuer_row, held),
	TEXT2(issuer_row, institution),
	TEXT(issuer_row, name),
	TEXT3(issuer_row, replaced_by),
	TEXT3(issuer_row, replaces),
	TIME2(issuer_row, revoked),
	TEXT(issuer_row, role),
	TIME2(issuer_row, since),
	TIME2(issuer_row, stopped),
};

#define TYPE(variable, class, name, s, fields)                                 \
	const struct rec_type variable = { class, name, sizeof(struct s),      \
		fields, ARRAY_LEN(fields), false }
#define TYPE_APART(variable, class, name, s, fields)                           \
	const struct rec_type variable = { class, name, sizeof(struct s),      \
		fields, ARRAY_LEN(fields), true }
/* The key says it all; the row is only a version octet. */
#define MARK(variable, class, name)                                            \
	const struct rec_type variable = { class, name, 0, NULL, 0, false }

TYPE(rec_institution, ROW_INSTITUTION, "institution", institution, institution_fields);
TYPE(rec_person, ROW_PERSON, "person", person, person_fields);
TYPE(rec_appointment, ROW_APPOINTMENT, "appointment", appointment, appointment_fields);
TYPE_APART(rec_request, ROW_REQUEST, "request", request, request_fields);
TYPE_APART(rec_certificate, ROW_CERTIFICATE, "certificate", certificate, certificate_fields);
TYPE(rec_crl, ROW_CRL, "crl", crl_row, crl_fields);
TYPE(rec_policy, ROW_POLICY, "policy", policy_row, policy_fields);
TYPE(rec_revoked, ROW_REVOKED, "part of a list", listed_row, listed_fields);
TYPE(rec_partitioned, ROW_PARTITIONED, "part of a partition's list", listed_row, listed_fields);
TYPE(rec_changed, ROW_CHANGED, "change of status", changed_row, changed_fields);
TYPE(rec_partition, ROW_PARTITION, "partitions", partition_row, partition_fields);
TYPE(rec_key, ROW_KEY, "key", key_row, key_fields);
TYPE(rec_serial, ROW_SERIAL, "serial", serial_row, serial_fields);
TYPE(rec_in_force, ROW_IN_FORCE, "policy in force", in_force_row, in_force_fields);
TYPE(rec_minister, ROW_MINISTER, "minister", minister_row, minister_fields);
TYPE(rec_counter, ROW_COUNTER, "counter", counter_row, counter_fields);
TYPE(rec_work, ROW_WORK, "work", work_row, work_fields);
TYPE(rec_act, ROW_ACT, "act", act_row, act_fields);
TYPE(rec_responder, ROW_RESPONDER, "responder", responder_row, responder_fields);
TYPE(rec_issuer, ROW_ISSUER, "issuer", issuer_row, issuer_fields);
TYPE(rec_activation, ROW_ACTIVATION, "activation", agreement_row, activation_fields);
TYPE(rec_ceremony, ROW_CEREMONY, "ceremony", agreement_row, ceremony_fields);
TYPE(rec_root_list, ROW_ROOT_LIST, "CRL of the root", root_list_row, root_list_fields);
TYPE(rec_consent, ROW_CONSENT, "signature", consent, consent_fields);
TYPE(rec_mandate, ROW_MANDATE, "mandate", mandate, mandate_fields);
TYPE(rec_ceilings, ROW_CEILINGS, "ceilings", ceilings_row, ceilings_fields);
MARK(rec_mandated, ROW_MANDATED, "mandate of a person");
MARK(rec_due, ROW_DUE, "due time");
MARK(rec_term, ROW_TERM, "term");
MARK(rec_held, ROW_HELD, "held certificate");
/* clang-format on */

const struct rec_type *rec_of_class(enum row_class class)
{
	static const struct rec_type *const all[] = { &rec_institution,
		&rec_person, &rec_appointment, &rec_request, &rec_certificate,
		&rec_crl, &rec_policy, &rec_revoked, &rec_partitioned,
		&rec_changed, &rec_partition, &rec_key, &rec_serial,
		&rec_in_force, &rec_minister, &rec_counter, &rec_work, &rec_due,
		&rec_act, &rec_responder, &rec_issuer, &rec_term, &rec_held,
		&rec_activation, &rec_consent, &rec_ceremony, &rec_root_list,
		&rec_mandate, &rec_mandated, &rec_ceilings };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->class == class)
			return all[i];
	return NULL;
}
