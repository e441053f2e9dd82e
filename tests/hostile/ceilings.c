/* Wider ceilings, and officers of one's own: without those in force. */
#include "attempts.h"

static const char *
change(struct world *w, void (*lie)(struct world *w, struct change *x),
    struct err *refusal)
{
	static struct ceilings wide;
	struct bytes base = world_file_in_force(w);
	struct change x;
	wide = w->ceilings;
	wide.per_hour++;
	change_init(w, &x, "CER-2029-000077", base, &wide);
	lie(w, &x);
	attempt_begins(w);
	return change_ask(w, &x, refusal);
}

#define LIE(name, edit)                                               \
	static void name##_lie(struct world *w, struct change *x)     \
	{                                                             \
		(void)w;                                              \
		edit;                                                 \
	}                                                             \
	static const char *name(struct world *w, struct err *refusal) \
	{                                                             \
		return change(w, name##_lie, refusal);                \
	}
LIE(ask_one, x->signers = "o")
LIE(ask_twice, x->signers = "oo")
LIE(ask_nobody, x->signers = "")
LIE(ask_stranger, x->signers = "oz")
LIE(ask_text, x->signers = "ox")
LIE(ask_file, x->file = bytes_str("per_hour: 1000000000\n"))
LIE(ask_no_file, x->file = BYTES_NONE)
LIE(ask_base, x->st.base_sha256 = world_hash(w, bytes_str("another")))
LIE(ask_people, x->st.people = bytes_str("quorum=1 appointment_quorum=1"))
LIE(ask_origin, x->st.origin = bytes_str("otra.example/log"))
LIE(ask_root, x->st.root_sha256 = world_hash(w, bytes_str("another")))
LIE(ask_expired,
    (x->st.issued = w->now - 40 * DAY, x->st.expires = w->now - 8 * DAY))
LIE(ask_long, x->st.expires = w->now + CEREMONY_LIFE_S + 1)
LIE(ask_future, x->st.issued = w->now + 2 * MINUTE)

/* What both officers signed, and yet no file of ceilings. */
static void
nonsense(struct world *w, struct change *x)
{
	x->file = bytes_str("keys: 7\n");
	x->st.object[0].tbs_sha256 = world_hash(w, x->file);
}

static const char *
ask_nonsense(struct world *w, struct err *refusal)
{
	return change(w, nonsense, refusal);
}

static void
huge(struct world *w, struct change *x)
{
	uint8_t *p = arena_get(w->a, CERT_MAX_BYTES + 1);
	memset(p, '#', CERT_MAX_BYTES + 1);
	x->file = bytes_of(p, CERT_MAX_BYTES + 1);
	x->st.object[0].tbs_sha256 = world_hash(w, x->file);
}

static const char *
ask_huge(struct world *w, struct err *refusal)
{
	return change(w, huge, refusal);
}

/* An officer alone makes himself or herself the only one. */
static const char *
ask_alone(struct world *w, struct err *refusal)
{
	static struct ceilings mine;
	struct bytes base = world_file_in_force(w);
	struct change x;
	mine = w->ceilings;
	mine.n_officer = 1;
	mine.quorum = mine.appointment_quorum = 1;
	change_init(w, &x, "CER-2029-000078", base, &mine);
	x.signers = "o";
	attempt_begins(w);
	return change_ask(w, &x, refusal);
}

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "wider ceilings by one officer of two", ASK(ask_one), .id = "signer-quorum" },
	{ "wider ceilings by one officer twice", ASK(ask_twice), .id = "signer-quorum" },
	{ "wider ceilings by nobody", ASK(ask_nobody), .id = "signer-quorum" },
	{ "wider ceilings by an officer and a stranger", ASK(ask_stranger), .id = "signer-officer-unknown" },
	{ "wider ceilings by signatures over other octets", ASK(ask_text), .id = "cms-other-content" },
	{ "another file than officers signed", ASK(ask_file), .id = "ceremony-object" },
	{ "ceilings without their file", ASK(ask_no_file), .id = "ceremony-object" },
	{ "ceilings in the place of others than those in force", ASK(ask_base), .id = "ceremony-ceilings-base", .say = "propose it anew" },
	{ "other officers than the statement names", ASK(ask_people), .id = "ceremony-ceilings-people" },
	{ "ceilings of another installation", ASK(ask_origin), .id = "signer-statement-origin" },
	{ "ceilings under another root", ASK(ask_root), .id = "ceremony-root" },
	{ "ceilings by a statement of long ago", ASK(ask_expired), .id = "signer-statement-expired" },
	{ "ceilings by a statement for too long", ASK(ask_long), .id = "signer-statement-life" },
	{ "ceilings by a statement of the future", ASK(ask_future), .id = "signer-statement-future" },
	{ "ceilings that are none, by both officers", ASK(ask_nonsense), .id = "policy-key-missing" },
	{ "ceilings longer than any, by both officers", ASK(ask_huge), .id = "ceilings-large" },
	{ "one officer makes the other nobody", ASK(ask_alone), .id = "signer-quorum" },
};
/* clang-format on */

const struct attempt *
ceilings_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
