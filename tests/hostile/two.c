/*
 * An installation whose ceilings ask for two: two ministers who endorse, two
 * officers who appoint.
 */
#include "attempts.h"

static void
b_one(struct world *w, struct wish *x)
{
	(void)w;
	x->more = BYTES_NONE;
}

static void
b_twice(struct world *w, struct wish *x)
{
	(void)w;
	x->more = x->evidence;
}

/* The same person again, with a signature of another moment. */
static void
b_again(struct world *w, struct wish *x)
{
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(cms_sign(x->by, x->by_cert, x->statement, w->now - 1, &cms, e));
	x->more = arena_copy(w->a, buf_bytes(&cms));
}

static void
b_stranger(struct world *w, struct wish *x)
{
	wish_more(w, x, w->stranger, &w->stranger_der);
}

static void
b_officer(struct world *w, struct wish *x)
{
	wish_more(w, x, w->officer, &w->officer_der);
}

static void
b_other_institution(struct world *w, struct wish *x)
{
	wish_more(w, x, w->minister[2], &w->minister_der[2]);
}

static void
b_minister(struct world *w, struct wish *x)
{
	wish_more(w, x, w->minister[0], &w->minister_der[0]);
}

/* The second signed a statement, and it was another. */
static void
b_other_statement(struct world *w, struct wish *x)
{
	struct bytes kept = x->statement;
	x->statement = bytes_str("{}");
	if (x->is_minister)
		wish_more(w, x, w->second, &w->second_der);
	else
		wish_more(w, x, w->minister[1], &w->minister_der[1]);
	x->statement = kept;
}

/* The second of the two is the holder, or asked for it. */
static void
t_second_holds(struct world *w, struct wish *x)
{
	(void)w;
	x->st.operator_run = bytes_str("22222222-2");
}

static void
s_second_is_appointed(struct world *w, struct wish *x)
{
	wish_subject(w, x, "44444444-4");
	x->st.holder_run = bytes_str("44444444-4");
	x->spec.spki = key_spki(w->throwaway);
}

static void
t_too_late(struct world *w, struct wish *x)
{
	x->st.issued = w->now - HOUR;
	x->st.expires = w->now - 1;
}

/* Both officers signed the appointment of the same person, but another. */
static void
b_both_of_another(struct world *w, struct wish *x)
{
	struct wish other;
	wish_minister(w, &other, "NOM-2026-000770", "14-0", RUT_A, w->stranger);
	wish_build(w, &other, NULL, NULL, NULL);
	x->evidence = other.evidence;
	x->more = other.more;
}

/* A good one, whose number and signatures are used again for other octets. */
static const char *
ask_used_twice(struct world *w, struct err *refusal)
{
	struct wish x, y;
	wish_minister(w, &x, "NOM-2026-000772", "14-0", RUT_A, w->stranger);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(wish_id(w, &x, refusal), "ok");
	attempt_begins(w);
	wish_minister(w, &y, "NOM-2026-000772", "14-0", RUT_A, w->stranger);
	wish_build(w, &y, NULL, NULL, NULL);
	y.evidence = x.evidence;
	y.more = x.more;
	return wish_id(w, &y, refusal);
}

/* And with signatures of its own. */
static const char *
ask_number_twice(struct world *w, struct err *refusal)
{
	struct wish x;
	for (int i = 0; i < 2; i++) {
		attempt_begins(w);
		wish_minister(w, &x, "NOM-2026-000773", "14-0", RUT_A,
		    w->stranger);
		wish_build(w, &x, NULL, NULL, NULL);
		if (i == 0)
			assert_string_equal(wish_id(w, &x, refusal), "ok");
	}
	return wish_id(w, &x, refusal);
}

/* clang-format off */
static const struct attempt rows[] = {
	{ "one minister of two", .bytes = b_one, .id = "signer-quorum", .say = "signed by 1 people who may sign it, where 2 are needed" },
	{ "one minister's signature twice", .bytes = b_twice, .id = "signer-quorum" },
	{ "one minister, who signed twice", .bytes = b_again, .id = "signer-quorum" },
	{ "a minister and a stranger", .bytes = b_stranger, .id = "signer-minister-unknown" },
	{ "a minister and an officer", .bytes = b_officer, .id = "signer-minister-unknown" },
	{ "a minister and one of another institution", .bytes = b_other_institution, .id = "signer-institution" },
	{ "the second minister signed something else", .bytes = b_other_statement, .id = "cms-other-content" },
	{ "the second minister was the operator", .statement = t_second_holds, .id = "signer-own-request" },
	{ "an appointment by one officer of two", .base = NEW_MINISTER, .bytes = b_one, .id = "signer-quorum", .say = "signed by 1 people who may sign it, where 2 are needed" },
	{ "an appointment by one officer twice", .base = NEW_MINISTER, .bytes = b_twice, .id = "signer-quorum" },
	{ "an appointment by one officer, who signed twice", .base = NEW_MINISTER, .bytes = b_again, .id = "signer-quorum" },
	{ "an appointment by an officer and a stranger", .base = NEW_MINISTER, .bytes = b_stranger, .id = "signer-officer-unknown" },
	{ "an appointment by an officer and a minister", .base = NEW_MINISTER, .bytes = b_minister, .id = "signer-officer-unknown" },
	{ "the second officer signed another appointment", .base = NEW_MINISTER, .bytes = b_other_statement, .id = "cms-other-content" },
	{ "an appointment by two officers, too late", .base = NEW_MINISTER, .statement = t_too_late, .id = "signer-statement-expired" },
	{ "the two signatures of another appointment", .base = NEW_MINISTER, .bytes = b_both_of_another, .id = "cms-other-content" },
	{ "two signatures used for a second appointment", .base = ASKED, .ask = ask_used_twice, .id = "cms-other-content" },
	{ "a second appointment under one number, signed by two", .base = ASKED, .ask = ask_number_twice, .id = "signer-appointment-again" },
	{ "the second officer is the one appointed", .base = NEW_MINISTER, .spec = s_second_is_appointed, .id = "signer-officer-himself" },
};
/* clang-format on */

const struct attempt *
two_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
