/* Rights that only officers give, and what a hostile core makes of them. */
#include "attempts.h"

typedef void (*lie_fn)(struct world *w, struct plan *p);

/* A plan of two officers, both of whom must sign, with a lie in it. */
static const char *
activation(struct world *w, lie_fn lie, struct err *refusal)
{
	static unsigned count;
	char id[32];
	struct plan p;
	snprintf(id, sizeof(id), "POL-2027-%06u", ++count);
	plan_init(w, &p, id, "policy of this row");
	lie(w, &p);
	attempt_begins(w);
	return plan_ask(w, &p, refusal) == ERR_OK ? "ok" : refusal->id;
}

#define LIE(name, change)                                             \
	static void name##_lie(struct world *w, struct plan *p)       \
	{                                                             \
		(void)w;                                              \
		change;                                               \
	}                                                             \
	static const char *name(struct world *w, struct err *refusal) \
	{                                                             \
		return activation(w, name##_lie, refusal);            \
	}
LIE(ask_one, p->signers = "o")
LIE(ask_twice, p->signers = "oo")
LIE(ask_nobody, p->signers = "")
LIE(ask_minister, p->signers = "om")
LIE(ask_stranger, p->signers = "oz")
LIE(ask_other_bytes, p->signers = "sx")
LIE(ask_expired, (p->st.issued = w->now - HOUR, p->st.expires = w->now - 1))
LIE(ask_future, (p->st.issued = p->st.effective = w->now + 2 * MINUTE))
LIE(ask_long, p->st.expires = w->now + 4 * DAY)
LIE(ask_origin, p->st.origin = bytes_str("log.example/otra"))

/* --- A quorum used a second time ------------------------------------------------ */

static void
send_policy(struct world *w, struct bytes statement,
    const struct signer_agreement *evidence, struct buf *body)
{
	struct signer_agreement m = *evidence;
	(void)w;
	m.statement = statement;
	signer_agreement_encode(&m, body);
}

static struct signer_agreement
signed_by_both(struct world *w, struct bytes statement)
{
	struct signer_agreement m = { .statement = statement };
	struct key *keys[] = { w->officer, w->second };
	struct buf *ders[] = { &w->officer_der, &w->second_der };
	struct buf list AUTO_BUF = BUF(1u << 20);
	for (size_t i = 0; i < 2; i++) {
		struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
		OK(cms_sign(keys[i], buf_bytes(ders[i]), statement, w->now,
		    &cms, e));
		put_bytes(&list, buf_bytes(&cms));
	}
	m.evidence = arena_copy(w->a, buf_bytes(&list));
	return m;
}

static struct bytes
plan_text(struct world *w, const char *id, const char *policy)
{
	struct plan p;
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	plan_init(w, &p, id, policy);
	p.st.policy[0].is.name = bytes_str("otra");
	OK(activation_print(&p.st, &text, e));
	return arena_copy(w->a, buf_bytes(&text));
}

/* The officers' signatures of one activation, beside another. */
static const char *
ask_reused(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	struct bytes first = plan_text(w, "POL-2028-000001", "policy A");
	struct signer_agreement m = signed_by_both(w, first);
	send_policy(w, first, &m, &body);
	OK(world_ask(w, SIGNER_AGREEMENT, buf_bytes(&body), &answer, e));
	buf_reset(&body);
	attempt_begins(w);
	send_policy(w, plan_text(w, "POL-2028-000002", "policy B"), &m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* A second statement under the number of one that was taken. */
static const char *
ask_same_id(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	struct bytes first = plan_text(w, "POL-2028-000003", "policy C");
	struct bytes other = plan_text(w, "POL-2028-000003", "policy D");
	struct signer_agreement m = signed_by_both(w, first);
	send_policy(w, first, &m, &body);
	OK(world_ask(w, SIGNER_AGREEMENT, buf_bytes(&body), &answer, e));
	buf_reset(&body);
	attempt_begins(w);
	m = signed_by_both(w, other);
	send_policy(w, other, &m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* Policies under the name that the signer keeps a CA by. */
static const char *
ask_as_ca(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	struct bytes text = plan_text(w, "ca.dos", "policy F");
	char *at =
	    memmem(writable(w, &text), text.len, "ca.dos", strlen("ca.dos"));
	assert_non_null(at);
	at[2] = '/';
	struct signer_agreement m = signed_by_both(w, text);
	send_policy(w, text, &m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* Withdrawn, and sent again with all its signatures. */
static const char *
ask_withdrawn(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	struct bytes text = plan_text(w, "POL-2028-000004", "policy E");
	struct signer_agreement m = signed_by_both(w, text);
	OK(end_ask(w, "POL-2028-000004", w->now, e));
	attempt_begins(w);
	send_policy(w, text, &m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* An endorsement of a certificate, passed off as an activation. */
static const char *
ask_endorsement_as_quorum(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct signer_agreement m = signed_by_both(w, x.statement);
	send_policy(w, x.statement, &m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

static const char *
ask_no_statement(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	struct signer_agreement m = signed_by_both(w, bytes_str("{}"));
	send_policy(w, bytes_str("{}"), &m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* --- Ends, and evidence by itself ------------------------------------------------------ */

static const char *
end_appointment(struct world *w, const char *id, int64_t at,
    struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_end m = { bytes_str(id), at };
	struct bytes answer;
	signer_end_encode(&m, &body);
	return ask(w, SIGNER_END, &body, &answer, refusal);
}

/* The end came before the appointment, which then never begins. */
static const char *
ask_ended_before(struct world *w, struct err *refusal)
{
	struct wish x;
	assert_string_equal(end_appointment(w, "NOM-2026-000777", w->now,
				refusal),
	    "ok");
	attempt_begins(w);
	wish_minister(w, &x, "NOM-2026-000777", "14-0", RUT_A, w->stranger);
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static const char *
ask_end_future(struct world *w, struct err *refusal)
{
	return end_appointment(w, "NOM-2026-000001", w->now + DAY, refusal);
}

static const char *
ask_policy_end_future(struct world *w, struct err *refusal)
{
	return end_ask(w, "POL-2028-000001", w->now + DAY, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

static const char *
ask_policy_end_nameless(struct world *w, struct err *refusal)
{
	return end_ask(w, "", w->now, refusal) == ERR_OK ? "ok" : refusal->id;
}

static const char *
ask_evidence_over_other(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(131072);
	struct bytes answer;
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct signer_evidence m = { bytes_str("{}"), x.evidence };
	signer_evidence_encode(&m, &body);
	return ask(w, SIGNER_EVIDENCE, &body, &answer, refusal);
}

/* Evidence that was found right, and then a statement that it is not for. */
static const char *
ask_proven_elsewhere(struct world *w, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(131072);
	struct bytes answer;
	struct wish x, y;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct signer_evidence m = { x.statement, x.evidence };
	signer_evidence_encode(&m, &body);
	assert_string_equal(ask(w, SIGNER_EVIDENCE, &body, &answer, refusal),
	    "ok");
	wish_holder(w, &y, 0);
	wish_build(w, &y, NULL, NULL, NULL);
	y.evidence = x.evidence;
	return wish_id(w, &y, refusal);
}

/* --- Keys for CAs that are to be ---------------------------------------------------- */

static const char *
key_for(struct world *w, const char *name, uint64_t type, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct bytes answer;
	struct signer_ca_key m = { bytes_str(name), type };
	signer_ca_key_encode(&m, &body);
	return ask(w, SIGNER_CA_KEY, &body, &answer, refusal);
}
#define KEY_FOR(f, name, type)                                     \
	static const char *f(struct world *w, struct err *refusal) \
	{                                                          \
		return key_for(w, name, type, refusal);            \
	}
KEY_FOR(ask_key_used, "uno", KEY_EC_P256)
KEY_FOR(ask_key_endorser, "endorser", KEY_EC_P256)
KEY_FOR(ask_key_root, "root", KEY_EC_P256)
KEY_FOR(ask_key_path, "../journal", KEY_EC_P256)
KEY_FOR(ask_key_slash, "a/b", KEY_EC_P256)
KEY_FOR(ask_key_newline, "a\nca=b", KEY_EC_P256)
KEY_FOR(ask_key_nameless, "", KEY_EC_P256)
KEY_FOR(ask_key_log, "tres", KEY_ED25519)
KEY_FOR(ask_key_type, "tres", UINT64_MAX)

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "policy by one officer of two", ASK(ask_one), .id = "signer-quorum" },
	{ "policy by one officer twice", ASK(ask_twice), .id = "signer-quorum" },
	{ "policy by nobody", ASK(ask_nobody), .id = "signer-quorum" },
	{ "policy by an officer and a minister", ASK(ask_minister), .id = "signer-officer-unknown" },
	{ "policy by an officer and a stranger", ASK(ask_stranger), .id = "signer-officer-unknown" },
	{ "quorum over other octets", ASK(ask_other_bytes), .id = "cms-other-content" },
	{ "quorum that expired", ASK(ask_expired), .id = "signer-statement-expired" },
	{ "quorum of the future", ASK(ask_future), .id = "signer-statement-future" },
	{ "quorum for too long", ASK(ask_long), .id = "signer-statement-life" },
	{ "quorum of another installation", ASK(ask_origin), .id = "signer-statement-origin" },
	{ "quorum used for another policy", ASK(ask_reused), .id = "cms-other-content" },
	{ "quorum under a number that was taken", ASK(ask_same_id), .id = "signer-agreed-again" },
	{ "policies under the name of a CA", ASK(ask_as_ca), .id = "statement-member" },
	{ "quorum for what was withdrawn", ASK(ask_withdrawn), .id = "signer-agreed-ended" },
	{ "an endorsement instead of an activation", ASK(ask_endorsement_as_quorum), .id = "statement-type" },
	{ "an activation that says nothing", ASK(ask_no_statement), .id = "json-missing" },
	{ "an appointment that ended before it came", ASK(ask_ended_before), .id = "signer-appointment-again" },
	{ "end of an appointment, dated tomorrow", ASK(ask_end_future), .id = "signer-end-future" },
	{ "end of a policy, dated tomorrow", ASK(ask_policy_end_future), .id = "signer-end-future" },
	{ "end of a policy without a name", ASK(ask_policy_end_nameless), .id = "signer-end-id" },
	{ "a key for a CA of a name that is taken", ASK(ask_key_used), .id = "signer-ca-name-used" },
	{ "a key for another ministers' CA", ASK(ask_key_endorser), .id = "signer-ca-name" },
	{ "a key for another root", ASK(ask_key_root), .id = "signer-ca-name" },
	{ "a key for a CA that is a path", ASK(ask_key_path), .id = "signer-ca-name" },
	{ "a key for a CA with a slash", ASK(ask_key_slash), .id = "signer-ca-name" },
	{ "a key for a CA with a line of the log", ASK(ask_key_newline), .id = "signer-ca-name" },
	{ "a key for a CA without a name", ASK(ask_key_nameless), .id = "signer-ca-name" },
	{ "a key of the log's kind for a CA", ASK(ask_key_log), .id = "signer-ca-key-type" },
	{ "a key of no kind for a CA", ASK(ask_key_type), .id = "signer-ca-key-type" },
	{ "evidence over another statement", ASK(ask_evidence_over_other), .id = "cms-other-content" },
	{ "evidence proven for another statement", ASK(ask_proven_elsewhere), .id = "cms-other-content" },
};
/* clang-format on */

const struct attempt *
quorum_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
