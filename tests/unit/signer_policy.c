/*
 * Policies before the signer: a hostile core tries to have one taken that too
 * few officers signed, and to have certificates signed under others.
 */
#include "fake/signer_asks.h"

/* --- Lies ------------------------------------------------------------------------- */

static void
l_expired(struct world *w, struct plan *p)
{
	p->st.issued = w->now - HOUR;
	p->st.expires = w->now - 1;
}

static void
l_future(struct world *w, struct plan *p)
{
	p->st.issued = p->st.effective = w->now + 2 * MINUTE;
}

static void
l_long(struct world *w, struct plan *p)
{
	p->st.expires = w->now + 4 * DAY;
}

static void
l_origin(struct world *w, struct plan *p)
{
	(void)w;
	p->st.origin = bytes_str("log.example/otra");
}

static void
l_one(struct world *w, struct plan *p)
{
	(void)w;
	p->signers = "o";
}

static void
l_one_twice(struct world *w, struct plan *p)
{
	(void)w;
	p->signers = "oo";
}

static void
l_nobody(struct world *w, struct plan *p)
{
	(void)w;
	p->signers = "";
}

static void
l_minister(struct world *w, struct plan *p)
{
	(void)w;
	p->signers = "om";
}

static void
l_other_bytes(struct world *w, struct plan *p)
{
	(void)w;
	p->signers = "sx";
}

static const struct {
	const char *name;
	void (*lie)(struct world *w, struct plan *p);
	const char *id, *say;
} lies[] = {
	{ "statement expired", l_expired, "signer-statement-expired", NULL },
	{ "statement of the future", l_future, "signer-statement-future",
	    NULL },
	{ "statement without end", l_long, "signer-statement-life", NULL },
	{ "of another log", l_origin, "signer-statement-origin", NULL },
	{ "one officer of two", l_one, "signer-quorum",
	    "the statement was signed by 1 people who may sign it, where 2 are "
	    "needed" },
	{ "one person twice", l_one_twice, "signer-quorum",
	    "the statement was signed by 1 people who may sign it, where 2 are "
	    "needed" },
	{ "nobody", l_nobody, "signer-quorum",
	    "the statement was signed by 0 people who may sign it, where 2 are "
	    "needed" },
	{ "a minister is no officer", l_minister, "signer-officer-unknown",
	    "the statement was not signed by a platform officer of the "
	    "signer's ceilings" },
	{ "a signature over other bytes", l_other_bytes, "cms-other-content",
	    NULL },
};

static void
each_lie_is_refused(void **state)
{
	(void)state;
	struct world *w = two_officers();

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct plan p;
		struct err refusal = { .code = ERR_OK };
		plan_init(w, &p, "POL-2026-000001", "policy 2");
		lies[i].lie(w, &p);
		enum err_code code = plan_ask(w, &p, &refusal);
		if (code == ERR_OK || strcmp(refusal.id, lies[i].id) != 0 ||
		    (lies[i].say != NULL &&
			strcmp(refusal.say, lies[i].say) != 0))
			fail_msg("%s: %s: %s", lies[i].name,
			    code == ERR_OK ? "taken" : refusal.id, refusal.say);
		assert_string_equal(certificate_under(w, "policy 2", w->now),
		    "signer-policy-unknown");
	}
	assert_string_equal(certificate_under(w, "policy", w->now), "ok");
	world_free(w);
}

/* Core's table of messages: what is not whole closes the peer. */
static void
too_many_signatures(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct buf body AUTO_BUF = BUF(1024), list AUTO_BUF = BUF(1024);
	struct buf frame AUTO_BUF = BUF(4096), out AUTO_BUF = BUF(4096);
	struct err e;

	put_bytes(&body, bytes_str("x"));
	for (size_t i = 0; i <= OFFICERS_MAX; i++)
		put_bytes(&list, bytes_str("y"));
	put_bytes(&body, buf_bytes(&list));
	frame_put(&frame, SIGNER_AGREEMENT, 1, buf_bytes(&body));
	assert_int_equal(world_batch(w, buf_bytes(&frame), &out, &e),
	    ERR_INVALID);
	assert_string_equal(e.id, "signer-message");
	world_free(w);
}

/* Taken once, the same octets again change nothing; nothing else has its id. */
static void
taken_once(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;
	struct err refusal;

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	OK(plan_ask(w, &p, e));
	assert_string_equal(certificate_under(w, "policy 2", w->now), "ok");
	w->now += 2 * DAY; /* its statement is over: known is known */
	OK(plan_ask(w, &p, e));
	struct plan other;
	plan_init(w, &other, "POL-2026-000001", "policy 3");
	assert_int_equal(plan_ask(w, &other, &refusal), ERR_CONFLICT);
	assert_string_equal(refusal.id, "signer-agreed-again");
	/* The journal remembers it. */
	world_stop(w);
	world_start(w);
	assert_string_equal(certificate_under(w, "policy 2", w->now), "ok");
	assert_string_equal(certificate_under(w, "policy 3", w->now),
	    "signer-policy-unknown");
	world_free(w);
}

/* Not before its time; and then the one before it is over. */
static void
at_its_time(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	p.st.effective = w->now + HOUR;
	OK(plan_ask(w, &p, e));
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-early");
	assert_string_equal(certificate_under(w, "policy", w->now), "ok");
	w->now += HOUR - 1;
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-early");
	w->now++;
	/* Core has to put it in force, and tells it once more then. */
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-early");
	for (int again = 0; again < 3; again++)
		OK(plan_ask(w, &p, e));
	assert_string_equal(certificate_under(w, "policy 2", w->now), "ok");
	/* Stated while it was in force, and a moment of grace for the clocks. */
	assert_string_equal(certificate_under(w, "policy", w->now + MINUTE),
	    "ok");
	w->now += 5 * MINUTE;
	assert_string_equal(certificate_under(w, "policy",
				w->now - 10 * MINUTE),
	    "ok");
	assert_string_equal(certificate_under(w, "policy", w->now),
	    "signer-policy-replaced");
	world_stop(w);
	world_start(w);
	assert_string_equal(certificate_under(w, "policy", w->now),
	    "signer-policy-replaced");
	world_free(w);
}

/* A right is taken away by whoever owns core, and never given back. */
static void
withdrawn(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;
	struct err refusal;

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	p.st.effective = w->now + HOUR;
	OK(plan_ask(w, &p, e));
	assert_int_equal(end_ask(w, "POL-2026-000001", w->now + DAY, &refusal),
	    ERR_DENIED);
	assert_string_equal(refusal.id, "signer-end-future");
	assert_int_equal(end_ask(w, "", w->now, &refusal), ERR_DENIED);
	OK(end_ask(w, "POL-2026-000001", w->now, e));
	OK(end_ask(w, "POL-2026-000001", w->now, e));
	/* One that was withdrawn before the signer heard of it. */
	OK(end_ask(w, "POL-2026-000002", w->now, e));
	for (int again = 0; again < 2; again++) {
		assert_int_equal(plan_ask(w, &p, &refusal), ERR_DENIED);
		assert_string_equal(refusal.id, "signer-agreed-ended");
		p.st.id = bytes_str("POL-2026-000002");
		assert_int_equal(plan_ask(w, &p, &refusal), ERR_DENIED);
		assert_string_equal(refusal.id, "signer-agreed-ended");
		p.st.id = bytes_str("POL-2026-000001");
		world_stop(w);
		world_start(w);
	}
	w->now += 2 * HOUR;
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-unknown");
	/* Nothing took the place of the one in force. */
	assert_string_equal(certificate_under(w, "policy", w->now), "ok");
	world_free(w);
}

/* What does not load on its day leaves the one before it in force, whenever
 * the signer hears of that; what began gives nothing back by its end. */
static void
fails_on_its_day(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;
	struct err refusal;

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	p.st.effective = w->now + HOUR;
	OK(plan_ask(w, &p, e));
	w->now += 2 * HOUR;
	OK(end_ask(w, "POL-2026-000001", w->now, e));
	w->now += HOUR;
	for (int again = 0; again < 2; again++) {
		assert_string_equal(certificate_under(w, "policy", w->now),
		    "ok");
		assert_int_equal(plan_ask(w, &p, &refusal), ERR_DENIED);
		assert_string_equal(refusal.id, "signer-agreed-ended");
		world_stop(w);
		world_start(w);
	}
	plan_init(w, &p, "POL-2026-000002", "policy 2");
	p.st.effective = w->now + HOUR;
	OK(plan_ask(w, &p, e));
	w->now += HOUR;
	OK(plan_ask(w, &p, e));
	OK(end_ask(w, "POL-2026-000002", w->now, e));
	w->now += 5 * MINUTE;
	assert_string_equal(certificate_under(w, "policy", w->now),
	    "signer-policy-replaced");
	world_free(w);
}

/* The version decides, not the order in which they came: v3, and then v2. */
static void
in_any_order(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;

	plan_init(w, &p, "POL-2026-000001", "policy 3");
	p.st.policy[0].is.version = 3;
	OK(plan_ask(w, &p, e));
	w->now += HOUR;
	plan_init(w, &p, "POL-2026-000002", "policy 2");
	OK(plan_ask(w, &p, e));
	w->now += 5 * MINUTE;
	for (int again = 0; again < 2; again++) {
		assert_string_equal(certificate_under(w, "policy 3", w->now),
		    "ok");
		assert_string_equal(certificate_under(w, "policy 2", w->now),
		    "signer-policy-replaced");
		world_stop(w);
		world_start(w);
	}
	world_free(w);
}

/* One dated before the other, and heard of only now: what was stated under
 * the one that was in force until then is still signed. */
static void
heard_late(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;
	int64_t stated = w->now;

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	w->now += 10 * MINUTE;
	OK(plan_ask(w, &p, e));
	assert_string_equal(certificate_under(w, "policy", stated + 5 * MINUTE),
	    "ok");
	w->now += 5 * MINUTE;
	assert_string_equal(certificate_under(w, "policy", w->now),
	    "signer-policy-replaced");
	world_free(w);
}

/* The same bytes again, for a later day, take nothing from those in force. */
static void
activated_twice(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	OK(plan_ask(w, &p, e));
	plan_init(w, &p, "POL-2026-000002", "policy 2");
	p.st.effective = w->now + HOUR;
	OK(plan_ask(w, &p, e));
	assert_string_equal(certificate_under(w, "policy 2", w->now), "ok");
	OK(end_ask(w, "POL-2026-000001", w->now, e));
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-early");
	world_free(w);
}

/* A hostile core ends what never was, to fill the journal. */
static void
endless_ends(void **state)
{
	(void)state;
	struct world *w = two_officers();
	struct plan p;
	struct err refusal;
	char id[32];

	plan_init(w, &p, "POL-2026-000001", "policy 2");
	OK(plan_ask(w, &p, e));
	for (int i = 0; i < 8192; i++) {
		snprintf(id, sizeof(id), "POL-2027-%06d", i);
		OK(end_ask(w, id, w->now, e));
	}
	assert_int_equal(end_ask(w, "POL-2028-000001", w->now, &refusal),
	    ERR_DENIED);
	assert_string_equal(refusal.say,
	    "the signer has noted 8192 ends of what it never heard of and "
	    "notes no more of them");
	OK(end_ask(w, "POL-2026-000001", w->now, e));
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-unknown");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lie_is_refused),
		cmocka_unit_test(too_many_signatures),
		cmocka_unit_test(taken_once),
		cmocka_unit_test(at_its_time),
		cmocka_unit_test(withdrawn),
		cmocka_unit_test(fails_on_its_day),
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(heard_late),
		cmocka_unit_test(activated_twice),
		cmocka_unit_test(endless_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
