#include "inner.h"

/* The tables are the specification; doc/lifecycle.md is made from them. */
/* clang-format off */

static const char *const institution_events[] = {
	[IV_ENABLE] = "enable", [IV_SUSPEND] = "suspend", [IV_CLOSE] = "close",
};
static const struct transition institution_table[] = {
	{ INST_APPLIED,   IV_ENABLE,  INST_ENABLED,
	    "an officer found the application in order" },
	{ INST_APPLIED,   IV_CLOSE,   INST_CLOSED, "the application fell" },
	{ INST_ENABLED,   IV_SUSPEND, INST_SUSPENDED,
	    "nothing new is submitted, endorsed or signed; status goes on" },
	{ INST_SUSPENDED, IV_ENABLE,  INST_ENABLED, "" },
	{ INST_SUSPENDED, IV_CLOSE,   INST_CLOSED,
	    "for good; its certificates keep their status" },
};

static const char *const appointment_events[] = {
	[AV_CONSENT] = "sign", [AV_CONFIRM] = "confirm", [AV_SIGNED] = "signed",
	[AV_NEVER_SIGNED] = "never signed", [AV_END] = "end",
	[AV_WITHDRAW] = "withdraw",
};
static const struct transition appointment_table[] = {
	{ APPT_PROPOSED,  AV_CONSENT,      APPT_PROPOSED,
	    "an officer signed the statement, and another must" },
	{ APPT_PROPOSED,  AV_CONFIRM,      APPT_CONFIRMED,
	    "as many officers signed it as must; the signer is asked" },
	{ APPT_PROPOSED,  AV_WITHDRAW,     APPT_WITHDRAWN, "" },
	{ APPT_CONFIRMED, AV_SIGNED,       APPT_IN_FORCE,
	    "the minister's certificate exists" },
	{ APPT_CONFIRMED, AV_NEVER_SIGNED, APPT_FAILED,
	    "the signer refused for good" },
	{ APPT_IN_FORCE,  AV_END,          APPT_ENDED,
	    "at once or at its term; past endorsements stay, pending ones freeze" },
};

static const char *const request_events[] = {
	[RV_SUBMIT] = "submit", [RV_RENEW_STATEMENT] = "submit again",
	[RV_CONSENT] = "sign",
	[RV_ENDORSE] = "endorse", [RV_RETURN] = "return",
	[RV_REJECT] = "reject", [RV_WITHDRAW] = "withdraw",
	[RV_LAPSE] = "lapse", [RV_ISSUE] = "issue", [RV_FAIL] = "fail",
	[RV_RETRY] = "retry",
};
static const struct transition request_table[] = {
	{ REQ_DRAFT,     RV_SUBMIT,   REQ_SUBMITTED, "" },
	{ REQ_DRAFT,     RV_WITHDRAW, REQ_WITHDRAWN, "" },
	{ REQ_DRAFT,     RV_LAPSE,    REQ_LAPSED, "request_ttl of the policy" },
	{ REQ_SUBMITTED, RV_RENEW_STATEMENT, REQ_SUBMITTED,
	    "only once its statement has expired; a new version" },
	{ REQ_SUBMITTED, RV_CONSENT,  REQ_SUBMITTED,
	    "a minister endorsed it, and another must" },
	{ REQ_SUBMITTED, RV_ENDORSE,  REQ_ENDORSED,
	    "as many ministers endorsed it as must; with certificate.intended in the same commit" },
	{ REQ_SUBMITTED, RV_RETURN,   REQ_RETURNED, "with what is to be changed" },
	{ REQ_SUBMITTED, RV_REJECT,   REQ_REJECTED, "with the reason" },
	{ REQ_SUBMITTED, RV_WITHDRAW, REQ_WITHDRAWN, "" },
	{ REQ_SUBMITTED, RV_LAPSE,    REQ_LAPSED, "request_ttl of the policy" },
	{ REQ_RETURNED,  RV_SUBMIT,   REQ_SUBMITTED,
	    "a new version with a new serial; the old endorsement is void" },
	{ REQ_RETURNED,  RV_WITHDRAW, REQ_WITHDRAWN, "" },
	{ REQ_RETURNED,  RV_LAPSE,    REQ_LAPSED, "request_ttl of the policy" },
	{ REQ_ENDORSED,  RV_ISSUE,    REQ_ISSUED, "" },
	{ REQ_ENDORSED,  RV_FAIL,     REQ_FAILED,
	    "the signer refused for good, or the intent was revoked" },
	{ REQ_ENDORSED,  RV_RETRY,    REQ_ENDORSED,
	    "the same bytes are asked for again, the minister is not" },
	{ REQ_FAILED,    RV_RETRY,    REQ_SUBMITTED,
	    "a new version with a new serial, to be endorsed" },
};

static const char *const cert_events[] = {
	[EV_SIGNED] = "signed", [EV_REVOKE] = "revoke",
	[EV_SUSPEND] = "suspend", [EV_REINSTATE] = "reinstate",
	[EV_NEVER_SIGNED] = "never signed", [EV_PROPOSE] = "propose revocation",
	[EV_RENEW] = "renew", [EV_REPLACE] = "replace",
};
static const struct transition cert_table[] = {
	{ CERT_INTENDED,  EV_SIGNED,       CERT_VALID, "" },
	{ CERT_INTENDED,  EV_REVOKE,       CERT_REVOKED,
	    "perhaps signed: revocable even if no answer ever came" },
	{ CERT_INTENDED,  EV_NEVER_SIGNED, CERT_REVOKED,
	    "the signer refused for good: the serial is burnt" },
	{ CERT_INTENDED,  EV_PROPOSE,      CERT_INTENDED, "" },
	{ CERT_VALID,     EV_REVOKE,       CERT_REVOKED, "for one of the causes below" },
	{ CERT_VALID,     EV_SUSPEND,      CERT_SUSPENDED,
	    "certificateHold with an end, where the policy offers it" },
	{ CERT_VALID,     EV_PROPOSE,      CERT_VALID, "by an operator" },
	{ CERT_VALID,     EV_RENEW,        CERT_VALID,
	    "inside the window of the policy: a new request" },
	{ CERT_VALID,     EV_REPLACE,      CERT_VALID,
	    "its successor was issued; it stays valid until its end" },
	{ CERT_SUSPENDED, EV_REINSTATE,    CERT_VALID, "by an act, or at the end set" },
	{ CERT_SUSPENDED, EV_REVOKE,       CERT_REVOKED, "" },
	{ CERT_SUSPENDED, EV_PROPOSE,      CERT_SUSPENDED, "" },
	{ CERT_SUSPENDED, EV_REPLACE,      CERT_SUSPENDED, "" },
	{ CERT_REVOKED,   EV_SIGNED,       CERT_REVOKED,
	    "revoked while it was being signed: recorded, and stays revoked" },
	{ CERT_REVOKED,   EV_REPLACE,      CERT_REVOKED, "" },
};

static const char *const agreement_events[] = {
	[GV_ENDORSE] = "endorse", [GV_APPROVE] = "endorse as the last one needed",
	[GV_COMPLETE] = "complete", [GV_WITHDRAW] = "withdraw",
	[GV_LAPSE] = "lapse",
};
static const struct transition agreement_table[] = {
	{ AGREEMENT_PROPOSED, GV_ENDORSE,  AGREEMENT_PROPOSED,
	    "fewer officers than the quorum have signed" },
	{ AGREEMENT_PROPOSED, GV_APPROVE,  AGREEMENT_AGREED,
	    "the signer is told; what is due at once is done in the same commit" },
	{ AGREEMENT_PROPOSED, GV_WITHDRAW, AGREEMENT_WITHDRAWN, "by any officer" },
	{ AGREEMENT_PROPOSED, GV_LAPSE,    AGREEMENT_LAPSED,
	    "too few signed before the statement expired" },
	{ AGREEMENT_AGREED,   GV_COMPLETE, AGREEMENT_DONE,
	    "policies at their time, all in one commit; a ceremony when what the root signed is what was agreed on" },
	{ AGREEMENT_AGREED,   GV_WITHDRAW, AGREEMENT_WITHDRAWN,
	    "by any officer, or because it can no longer be done" },
	{ AGREEMENT_AGREED,   GV_LAPSE,    AGREEMENT_LAPSED,
	    "no answer of the root came in time" },
};

static const char *const mandate_events[] = {
	[MV_CONSENT] = "sign", [MV_AGREE] = "endorse", [MV_RENEW] = "renew",
	[MV_END] = "end", [MV_LAPSE] = "lapse",
};
static const struct transition mandate_table[] = {
	{ MANDATE_PROPOSED, MV_CONSENT, MANDATE_PROPOSED,
	    "a minister signed it, and another must" },
	{ MANDATE_PROPOSED, MV_AGREE,   MANDATE_IN_FORCE,
	    "as many ministers signed it as must" },
	{ MANDATE_PROPOSED, MV_END,     MANDATE_WITHDRAWN, "" },
	{ MANDATE_PROPOSED, MV_LAPSE,   MANDATE_LAPSED,
	    "too few signed before the statement expired" },
	{ MANDATE_IN_FORCE, MV_RENEW,   MANDATE_IN_FORCE,
	    "as often as it says, while the appointment of each minister who signed it is in force" },
	{ MANDATE_IN_FORCE, MV_END,     MANDATE_ENDED,
	    "by anybody who has a part in it; the signer is told at once" },
	{ MANDATE_IN_FORCE, MV_LAPSE,   MANDATE_EXPIRED, "its last day has passed" },
};

#define MACHINE(variable, title, states, n_state, events, table)               \
	const struct machine variable = { title, states, n_state, events,      \
		ARRAY_LEN(events), table, ARRAY_LEN(table) }

MACHINE(machine_institution, "institution", institution_words, INST_STATES,
    institution_events, institution_table);
MACHINE(machine_appointment, "appointment", appointment_words, APPT_STATES,
    appointment_events, appointment_table);
MACHINE(machine_request, "request", request_words, REQ_STATES,
    request_events, request_table);
MACHINE(machine_certificate, "certificate", cert_words, CERT_STATES,
    cert_events, cert_table);
MACHINE(machine_agreement,
    "agreement of officers (policies: agreed is scheduled, completed is active)",
    ceremony_words, AGREEMENT_STATES, agreement_events, agreement_table);

MACHINE(machine_mandate, "mandate of renewal", mandate_words, MANDATE_STATES,
    mandate_events, mandate_table);

/* RFC 5280 5.3.1; 0, 2 and 7 are never chosen for a person's certificate. */
const struct legal_cause ca_causes[] = {
	{ "court-decision",   9, false, "Ley 19.799 art. 16 2 c",
	    "resolución judicial ejecutoriada" },
	{ "data-changed",     3, false, "Ley 19.799 art. 24",
	    "cambio en los datos del titular o de su cargo" },
	{ "death",            5, false, "Ley 19.799 art. 16 2 b",
	    "fallecimiento del titular" },
	{ "duties-breached",  9, false, "Ley 19.799 art. 16 2 d",
	    "incumplimiento de las obligaciones del titular" },
	{ "holder-request",   5, false, "Ley 19.799 art. 16 2 a",
	    "solicitud del titular" },
	{ "institution-ended", 5, false, "Ley 19.799 art. 16 2 b",
	    "término de la institución" },
	{ "key-compromise",   1, false, "Ley 19.799 art. 24",
	    "clave privada comprometida o perdida" },
	{ "key-doubt",        6, true,  "Ley 19.799 art. 16",
	    "duda sobre el control de la clave privada" },
	{ "office-ended",     5, false, "Ley 19.799 art. 9",
	    "término del cargo o función" },
	{ "superseded",       4, false, "Ley 19.799 art. 16",
	    "reemplazado por otro certificado" },
	{ "technical",        6, true,  "Ley 19.799 art. 16",
	    "suspensión por razones técnicas" },
};
const size_t ca_n_causes = ARRAY_LEN(ca_causes);
/* clang-format on */

const struct legal_cause *
cause_find(struct bytes word)
{
	for (size_t i = 0; i < ARRAY_LEN(ca_causes); i++)
		if (bytes_is(word, ca_causes[i].word))
			return &ca_causes[i];
	return NULL;
}

const char *
role_word(unsigned role)
{
	switch (role) {
	case ROLE_OFFICER:
		return "officer";
	case ROLE_OPERATOR:
		return "operator";
	case ROLE_MINISTER:
		return "minister";
	case ROLE_HOLDER:
		return "holder";
	default:
		return "system";
	}
}

static bool
step(const struct machine *m, int from, int event, int *to)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->table[i].from == from && m->table[i].event == event) {
			*to = m->table[i].to;
			return true;
		}
	}
	return false;
}

#define ALLOWED_MAX 64
/* The events that the table has for this state, as a list for a person. */
static void
allowed(const struct machine *m, int from, char out[ALLOWED_MAX])
{
	struct buf b AUTO_BUF = BUF(ALLOWED_MAX - 1);

	for (size_t i = 0; i < m->n; i++)
		if (m->table[i].from == from)
			buf_putf(&b, "%s%s", b.len > 0 ? ", " : "",
			    m->event[m->table[i].event]);
	if (b.len == 0)
		buf_puts(&b, "nothing");
	size_t n = b.len < ALLOWED_MAX ? b.len : ALLOWED_MAX - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)b.p[i];
	out[n] = '\0';
}

enum err_code
cert_next(enum cert_state from, enum cert_event ev, enum cert_state *to,
    struct err *e)
{
	char can[ALLOWED_MAX];
	int next;

	if (step(&machine_certificate, (int)from, (int)ev, &next)) {
		*to = (enum cert_state)next;
		return ERR_OK;
	}
	allowed(&machine_certificate, (int)from, can);
	return err_say(e, ERR_CONFLICT, "state-certificate",
	    "a certificate that is %s cannot do this (%s); it can: %s",
	    cert_words[from], cert_events[ev], can);
}

enum err_code
request_next(enum request_state from, enum request_event ev,
    enum request_state *to, struct err *e)
{
	char can[ALLOWED_MAX];
	int next;

	if (step(&machine_request, (int)from, (int)ev, &next)) {
		*to = (enum request_state)next;
		return ERR_OK;
	}
	allowed(&machine_request, (int)from, can);
	return err_say(e, ERR_CONFLICT, "state-request",
	    "a request that is %s cannot do this (%s); it can: %s",
	    request_words[from], request_events[ev], can);
}

enum err_code
appointment_next(enum appointment_state from, enum appointment_event ev,
    enum appointment_state *to, struct err *e)
{
	char can[ALLOWED_MAX];
	int next;

	if (step(&machine_appointment, (int)from, (int)ev, &next)) {
		*to = (enum appointment_state)next;
		return ERR_OK;
	}
	allowed(&machine_appointment, (int)from, can);
	return err_say(e, ERR_CONFLICT, "state-appointment",
	    "an appointment that is %s cannot do this (%s); it can: %s",
	    appointment_words[from], appointment_events[ev], can);
}

enum err_code
agreement_next(enum agreement_state from, enum agreement_event ev,
    enum agreement_state *to, struct err *e)
{
	char can[ALLOWED_MAX];
	int next;

	if (step(&machine_agreement, (int)from, (int)ev, &next)) {
		*to = (enum agreement_state)next;
		return ERR_OK;
	}
	allowed(&machine_agreement, (int)from, can);
	return err_say(e, ERR_CONFLICT, "state-agreement",
	    "an agreement that is %s cannot do this (%s); it can: %s",
	    ceremony_words[from], agreement_events[ev], can);
}

enum err_code
mandate_next(enum mandate_state from, enum mandate_event ev,
    enum mandate_state *to, struct err *e)
{
	char can[ALLOWED_MAX];
	int next;

	if (step(&machine_mandate, (int)from, (int)ev, &next)) {
		*to = (enum mandate_state)next;
		return ERR_OK;
	}
	allowed(&machine_mandate, (int)from, can);
	return err_say(e, ERR_CONFLICT, "state-mandate",
	    "a mandate that is %s cannot do this (%s); it can: %s",
	    mandate_words[from], mandate_events[ev], can);
}

enum err_code
institution_next(enum institution_state from, enum institution_event ev,
    enum institution_state *to, struct err *e)
{
	char can[ALLOWED_MAX];
	int next;

	if (step(&machine_institution, (int)from, (int)ev, &next)) {
		*to = (enum institution_state)next;
		return ERR_OK;
	}
	allowed(&machine_institution, (int)from, can);
	return err_say(e, ERR_CONFLICT, "state-institution",
	    "an institution that is %s cannot do this (%s); it can: %s",
	    institution_words[from], institution_events[ev], can);
}
