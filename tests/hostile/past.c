/*
 * What depends on what went before: appointments that ended or have not begun,
 * endorsements that were used, policies that came and went.
 */
#include "attempts.h"

static struct bytes
appoint(struct world *w, const char *id, const char *run, struct key *key,
    int64_t from, int64_t until)
{
	struct wish x;
	struct bytes der;
	wish_minister(w, &x, id, run, RUT_A, key);
	x.st.from = from;
	x.st.until = until;
	x.spec.not_before = from;
	x.spec.not_after = until - 1;
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &der, e));
	return der;
}

static const char *
endorsed_by(struct world *w, struct key *key, struct bytes der,
    struct err *refusal)
{
	struct wish x;
	attempt_begins(w);
	wish_holder(w, &x, 0);
	x.by = key;
	x.by_cert = der;
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static void
end_appointment(struct world *w, const char *id)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_end m = { bytes_str(id), w->now };
	struct bytes answer;
	struct err refusal = { .id = "" };
	signer_end_encode(&m, &body);
	assert_string_equal(ask(w, SIGNER_END, &body, &answer, &refusal), "ok");
}

static const char *
ask_ended(struct world *w, struct err *refusal)
{
	AUTO(key) key = NULL;
	OK(key_generate(KEY_EC_P256, &key, e));
	struct bytes der = appoint(w, "NOM-2026-000801", "14-0", key, w->now,
	    w->now + 9 * DAY);
	end_appointment(w, "NOM-2026-000801");
	return endorsed_by(w, key, der, refusal);
}

/* Endorsed while it was in force, asked for when it is over. */
static const char *
ask_ended_between(struct world *w, struct err *refusal)
{
	AUTO(key) key = NULL;
	struct wish x;
	OK(key_generate(KEY_EC_P256, &key, e));
	struct bytes der = appoint(w, "NOM-2026-000802", "14-0", key, w->now,
	    w->now + 9 * DAY);
	wish_holder(w, &x, 0);
	x.by = key;
	x.by_cert = der;
	wish_build(w, &x, NULL, NULL, NULL);
	end_appointment(w, "NOM-2026-000802");
	attempt_begins(w);
	return wish_id(w, &x, refusal);
}

static const char *
ask_ended_restart(struct world *w, struct err *refusal)
{
	AUTO(key) key = NULL;
	OK(key_generate(KEY_EC_P256, &key, e));
	struct bytes der = appoint(w, "NOM-2026-000803", "14-0", key, w->now,
	    w->now + 9 * DAY);
	end_appointment(w, "NOM-2026-000803");
	world_stop(w);
	world_start(w);
	return endorsed_by(w, key, der, refusal);
}

static const char *
ask_not_begun(struct world *w, struct err *refusal)
{
	AUTO(key) key = NULL;
	OK(key_generate(KEY_EC_P256, &key, e));
	struct bytes der = appoint(w, "NOM-2026-000804", "14-0", key,
	    w->now + DAY, w->now + 9 * DAY);
	return endorsed_by(w, key, der, refusal);
}

/* The appointment of one that ended, under its old number. */
static const char *
ask_appointed_again(struct world *w, struct err *refusal)
{
	AUTO(key) key = NULL;
	struct wish x;
	OK(key_generate(KEY_EC_P256, &key, e));
	(void)appoint(w, "NOM-2026-000805", "14-0", key, w->now,
	    w->now + 9 * DAY);
	end_appointment(w, "NOM-2026-000805");
	attempt_begins(w);
	wish_minister(w, &x, "NOM-2026-000805", "14-0", RUT_A, key);
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static const char *
ask_replayed(struct world *w, struct err *refusal)
{
	struct wish good, other;
	struct bytes der;
	wish_holder(w, &good, 0);
	wish_build(w, &good, NULL, NULL, NULL);
	OK(wish_ask(w, &good, &der, e));
	attempt_begins(w);
	wish_holder(w, &other, 0);
	wish_build(w, &other, NULL, NULL, NULL);
	other.statement = good.statement;
	other.evidence = good.evidence;
	return wish_id(w, &other, refusal);
}

/* The same serial in one round: what was judged first must count. */
static const char *
ask_two_in_a_round(struct world *w, struct err *refusal)
{
	struct wish a, b;
	struct buf in AUTO_BUF = BUF(1u << 20), out AUTO_BUF = BUF(1u << 20);
	struct frame f;
	size_t used;
	wish_holder(w, &a, 0);
	wish_build(w, &a, NULL, NULL, NULL);
	wish_holder(w, &b, 0);
	memcpy(b.serial, a.serial, SERIAL_MAX);
	b.spec.not_after--;
	wish_build(w, &b, NULL, NULL, NULL);
	frame_put(&in, SIGNER_CERTIFICATE, 1, wish_body(w, &a));
	frame_put(&in, SIGNER_CERTIFICATE, 2, wish_body(w, &b));
	OK(world_batch(w, buf_bytes(&in), &out, e));
	OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
	assert_int_equal(f.type, SIGNER_CERTIFICATE | SIGNER_ANSWER);
	attempt_begins(w); /* and again, alone */
	buf_drop(&out, used);
	OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
	assert_int_equal(f.type, SIGNER_CERTIFICATE | SIGNER_REFUSAL);
	return wish_id(w, &b, refusal);
}

static const char *
ask_after_restart(struct world *w, struct err *refusal)
{
	struct wish a, b;
	struct bytes der;
	wish_holder(w, &a, 0);
	wish_build(w, &a, NULL, NULL, NULL);
	OK(wish_ask(w, &a, &der, e));
	world_stop(w);
	world_start(w);
	attempt_begins(w);
	wish_holder(w, &b, 1);
	memcpy(b.serial, a.serial, SERIAL_MAX);
	b.spec.not_after--;
	wish_build(w, &b, NULL, NULL, NULL);
	return wish_id(w, &b, refusal);
}

/* --- Policies of certificates ------------------------------------------------------- */

static void
activate(struct world *w, const char *id, const char *name, const char *text,
    int64_t version, int64_t effective)
{
	struct plan p;
	plan_init(w, &p, id, text);
	p.st.policy[0].is.name = bytes_str(name);
	p.st.policy[0].is.version = version;
	p.st.effective = effective;
	OK(plan_ask(w, &p, e));
}

static const char *
under(struct world *w, const char *name, const char *text, int64_t version,
    struct err *refusal)
{
	struct wish x;
	attempt_begins(w);
	wish_holder(w, &x, 0);
	x.st.policy = bytes_str(name);
	x.st.policy_sha256 = world_hash(w, bytes_str(text));
	x.st.policy_version = version;
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static const char *
ask_wrong_hash(struct world *w, struct err *refusal)
{
	return under(w, "funcionario-firma", "another policy", 1, refusal);
}

static const char *
ask_wrong_name(struct world *w, struct err *refusal)
{
	return under(w, "otra-politica", "policy", 1, refusal);
}

static const char *
ask_wrong_version(struct world *w, struct err *refusal)
{
	activate(w, "POL-2026-000801", "version", "v7", 7, w->now);
	return under(w, "version", "v7", 6, refusal);
}

static const char *
ask_early(struct world *w, struct err *refusal)
{
	activate(w, "POL-2026-000802", "temprana", "early", 1, w->now + DAY);
	return under(w, "temprana", "early", 1, refusal);
}

static const char *
ask_withdrawn(struct world *w, struct err *refusal)
{
	activate(w, "POL-2026-000803", "retirada", "gone", 1, w->now);
	OK(end_ask(w, "POL-2026-000803", w->now, e));
	return under(w, "retirada", "gone", 1, refusal);
}

static const char *
ask_replaced(struct world *w, struct err *refusal)
{
	activate(w, "POL-2026-000804", "vieja", "old 1", 1, w->now);
	activate(w, "POL-2026-000805", "vieja", "old 2", 2, w->now);
	world_forward(w, 5 * MINUTE);
	return under(w, "vieja", "old 1", 1, refusal);
}

/* Whoever owns core takes the new one away, and has the old one back? */
static const char *
ask_replaced_withdrawn(struct world *w, struct err *refusal)
{
	activate(w, "POL-2026-000807", "repuesta", "mild 1", 1, w->now);
	activate(w, "POL-2026-000808", "repuesta", "mild 2", 2, w->now);
	world_forward(w, 5 * MINUTE);
	OK(end_ask(w, "POL-2026-000808", 0, e));
	return under(w, "repuesta", "mild 1", 1, refusal);
}

static const char *
ask_endorsed_long_ago(struct world *w, struct err *refusal)
{
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	world_forward(w, HOUR + MINUTE);
	attempt_begins(w);
	return wish_id(w, &x, refusal);
}

static const char *
ask_clock_back(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &der, e));
	world_forward(w, -HOUR);
	attempt_begins(w);
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	const char *id = wish_id(w, &x, refusal);
	world_forward(w, HOUR);
	return id;
}

/* The minister's own certificate is over before the appointment. */
static const char *
ask_after_its_end(struct world *w, struct err *refusal)
{
	AUTO(key) key = NULL;
	OK(key_generate(KEY_EC_P256, &key, e));
	struct bytes der =
	    appoint(w, "NOM-2026-000806", "14-0", key, w->now, w->now + HOUR);
	world_forward(w, HOUR + 1);
	return endorsed_by(w, key, der, refusal);
}

/* A policy may promise five years, and officers may sign it. */
static const char *
ask_beyond_ceilings(struct world *w, struct err *refusal)
{
	struct wish x;
	activate(w, "POL-2026-000806", "larga", "validity: 5y", 1, w->now);
	attempt_begins(w);
	wish_holder(w, &x, 0);
	x.st.policy = bytes_str("larga");
	x.st.policy_sha256 = world_hash(w, bytes_str("validity: 5y"));
	x.spec.not_after = w->now + 1826 * DAY - 1;
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

/* clang-format off */
static const struct attempt rows[] = {
	{ "endorsed by one whose appointment ended", .base = ASKED, .ask = ask_ended, .id = "signer-appointment-ended" },
	{ "endorsed before the appointment ended", .base = ASKED, .ask = ask_ended_between, .id = "signer-appointment-ended" },
	{ "ended before the signer was started again", .base = ASKED, .ask = ask_ended_restart, .id = "signer-appointment-ended" },
	{ "endorsed before the appointment begins", .base = ASKED, .ask = ask_not_begun, .id = "signer-appointment-time" },
	{ "an ended appointment made again", .base = ASKED, .ask = ask_appointed_again, .id = "signer-appointment-again" },
	{ "an endorsement used for a second certificate", .base = ASKED, .ask = ask_replayed, .id = "signer-tbs-hash" },
	{ "two certificates with one serial in one round", .base = ASKED, .ask = ask_two_in_a_round, .id = "signer-serial-used" },
	{ "a serial of before the signer was started again", .base = ASKED, .ask = ask_after_restart, .id = "signer-serial-used" },
	{ "hash of no policy", .base = ASKED, .ask = ask_wrong_hash, .id = "signer-policy-unknown" },
	{ "hash of a policy with another name", .base = ASKED, .ask = ask_wrong_name, .id = "signer-policy-name" },
	{ "hash of a policy with another version", .base = ASKED, .ask = ask_wrong_version, .id = "signer-policy-name" },
	{ "policy before its time", .base = ASKED, .ask = ask_early, .id = "signer-policy-early" },
	{ "policy that was withdrawn", .base = ASKED, .ask = ask_withdrawn, .id = "signer-policy-unknown" },
	{ "policy that was replaced", .base = ASKED, .ask = ask_replaced, .id = "signer-policy-replaced" },
	{ "policy that was replaced, the new one being withdrawn", .base = ASKED, .ask = ask_replaced_withdrawn, .id = "signer-policy-replaced" },
	{ "endorsed before midnight, asked for after its time", .base = ASKED, .ask = ask_endorsed_long_ago, .id = "signer-statement-expired" },
	{ "a clock behind the journal", .base = ASKED, .ask = ask_clock_back, .id = "signer-clock" },
	{ "endorsed after the appointment's last day", .base = ASKED, .ask = ask_after_its_end, .id = "signer-appointment-time" },
	{ "policy of five years, by the officers", .base = ASKED, .ask = ask_beyond_ceilings, .id = "signer-validity" },
};
/* clang-format on */

const struct attempt *
past_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
