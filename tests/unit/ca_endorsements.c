#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/* A request that more than one minister of faith must endorse. */

static void
policy_needs(struct world *w, int64_t n)
{
	for (size_t i = 0; i < w->policies->n; i++)
		w->policies->policy[i].required = n;
}

static struct world *
two_ministers(void)
{
	struct world *w = world_new("2027-01-01");

	world_populate(w);
	world_minister(w, RUT_A, DEPUTY, "Delia Suplente", "deputy");
	policy_needs(w, 2);
	return w;
}

static void
must(struct world *w, struct command c)
{
	world_must(w, world_run(w, &c), ca_acts[c.act].name);
}

static void
refused(struct world *w, struct command c, const char *id)
{
	struct view *before = fake_view_copy(w->v);

	assert_int_not_equal(world_run(w, &c), ERR_OK);
	assert_string_equal(w->e.id, id);
	assert_true(fake_view_same(before, w->v));
	fake_view_free(before);
}

static const char *
ask(struct world *w, const char *key)
{
	return world_request(w, HOLDER, key, "funcionario-firma");
}

static void
both_and_then_it_is_signed(void **state)
{
	(void)state;
	AUTO(world) w = two_ministers();
	const char *id = ask(w, "a");

	assert_non_null(
	    strstr(arena_str(w->a, world_get_request(w, id).statement),
		"\"endorsements\":2,"));
	struct command first = world_endorsement(w, "minister", id);
	must(w, first);
	assert_false(w->out.waits);
	assert_int_equal(w->out.n, 1);
	struct request r = world_get_request(w, id);
	assert_int_equal(r.state, REQ_SUBMITTED);
	assert_int_equal(r.endorsements, 1);
	assert_int_equal(r.needed, 2);
	assert_true(bytes_is(r.endorsed_by, MINISTER));
	assert_int_equal(world_sign(w, NULL), 0);
	/* The same act with the same key is the one that happened. */
	must(w, first);
	assert_int_equal(w->out.n, 0);
	must(w, world_endorsement(w, "deputy", id));
	assert_true(w->out.waits);
	assert_int_equal(w->out.n, 2);
	r = world_get_request(w, id);
	assert_int_equal(r.state, REQ_ENDORSED);
	assert_true(bytes_is(r.endorsed_by, MINISTER " " DEPUTY));
	struct work work;
	world_must(w, ca_work(w->v, r.id, w->a, &work, &w->e), id);
	struct reader list = reader_of(work.evidence);
	for (size_t i = 0; i < 2; i++)
		assert_true(get_bytes(&list).len > 0);
	assert_int_equal(reader_end(&list, &w->e), ERR_OK);
	assert_int_equal(world_sign(w, NULL), 1);
	assert_int_equal(world_get_request(w, id).state, REQ_ISSUED);
}

/* --- Who may not be one of the two -------------------------------------------- */

static void
appoint_deputy_of_same(struct world *w)
{
	struct command c = world_command(w, ACT_APPOINTMENT_PROPOSE, CF_AS,
	    OFFICER_2, CF_RUT, RUT_A, CF_RUN, MINISTER, CF_NAME,
	    "Marta Ministra", CF_OFFICE, "Secretaria", CF_ACT_NUMBER,
	    "Decreto 7", CF_ACT_DATE, "2026-12-01", CF_UNTIL, "2028-06-01",
	    CF_DEPUTY, "true", CF_COUNT);

	c.f[CF_CSR] = world_csr(w, "again");
	must(w, c);
	const char *id = arena_str(w->a,
	    bytes_of(w->out.object.p + 1, w->out.object.len - 1));
	c = world_command(w, ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT, id,
	    CF_COUNT);
	c.f[CF_CMS] = world_evidence(w, "officer2", id);
	must(w, c);
	assert_int_equal(world_sign(w, NULL), 1);
}

static void
end_of(struct world *w, const char *appointment)
{
	must(w, world_command(w, ACT_APPOINTMENT_END, CF_AS, OFFICER_1,
		    CF_APPOINTMENT, appointment, CF_COUNT));
}

static void
nothing(struct world *w)
{
	(void)w;
}

static void
holder_is_minister(struct world *w)
{
	world_minister(w, RUT_A, HOLDER, "Héctor Titular", "holds");
}

static void
operator_is_minister(struct world *w)
{
	world_minister(w, RUT_A, OPERATOR, "Olga Operadora", "operates");
}

static void
other_institution(struct world *w)
{
	world_institution(w, RUT_B, "Otra Municipalidad");
	world_minister(w, RUT_B, OPERATOR_2, "Otto Ajeno", "elsewhere");
}

static void
first_ends(struct world *w)
{
	end_of(w, "NOM-2027-000001");
}

static void
second_ends(struct world *w)
{
	end_of(w, "NOM-2027-000002");
}

/* Nobody noted the end of its term yet: the clock alone says so. */
static void
statement_lapses(struct world *w)
{
	w->now += 9 * HOUR;
}

static void
institution_stops(struct world *w)
{
	must(w, world_command(w, ACT_INSTITUTION_SUSPEND, CF_AS, OFFICER_1,
		    CF_RUT, RUT_A, CF_COUNT));
}

static const struct {
	const char *name;
	void (*between)(struct world *w);
	const char *second, *id, *say;
} rows[] = {
	{ "the same minister", nothing, "minister", "endorse-again",
	    "this minister endorsed SOL-2027-000001 already; another minister "
	    "of the institution must" },
	{ "the same person, as deputy", appoint_deputy_of_same, "again",
	    "endorse-again", NULL },
	{ "the holder", holder_is_minister, "holds", "endorse-own", NULL },
	{ "the operator", operator_is_minister, "operates", "endorse-submitted",
	    NULL },
	{ "one of another institution", other_institution, "elsewhere",
	    "endorse-institution", NULL },
	{ "nobody's key", nothing, "stranger", "endorse-not-minister", NULL },
	{ "the first one's appointment ended", first_ends, "deputy",
	    "endorse-earlier-ended",
	    "the appointment NOM-2027-000001 of a minister who endorsed this "
	    "before is not in force any more; return or withdraw "
	    "SOL-2027-000001, so that it is endorsed anew" },
	{ "the second one's appointment ended", second_ends, "deputy",
	    "endorse-not-in-force", NULL },
	{ "too late", statement_lapses, "deputy", "statement-expired", NULL },
	{ "the institution was suspended", institution_stops, "deputy",
	    "institution-not-enabled", NULL },
};

static void
second_ones(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(world) w = two_ministers();
		print_message("%s\n", rows[i].name);
		const char *id = ask(w, "a");
		must(w, world_endorsement(w, "minister", id));
		rows[i].between(w);
		refused(w, world_endorsement(w, rows[i].second, id),
		    rows[i].id);
		if (rows[i].say != NULL)
			assert_string_equal(w->e.say, rows[i].say);
		assert_int_equal(world_sign(w, NULL), 0);
	}
}

/* --- What voids the first --------------------------------------------------------- */

static void
edit_voids_all(void **state)
{
	(void)state;
	AUTO(world) w = two_ministers();
	const char *id = ask(w, "a");
	struct command old = world_endorsement(w, "deputy", id);

	must(w, world_endorsement(w, "minister", id));
	must(w, world_command(w, ACT_REQUEST_RETURN, CF_AS, DEPUTY, CF_REQUEST,
		    id, CF_REASON, "falta el decreto", CF_COUNT));
	must(w, world_command(w, ACT_REQUEST_SUBMIT, CF_AS, OPERATOR,
		    CF_REQUEST, id, CF_COUNT));
	struct request r = world_get_request(w, id);
	assert_int_equal(r.endorsements, 0);
	assert_int_equal(r.endorsed_by.len, 0);
	refused(w, old, "cms-other-content");
	must(w, world_endorsement(w, "minister", id));
	assert_int_equal(world_get_request(w, id).endorsements, 1);
	must(w, world_endorsement(w, "deputy", id));
	assert_int_equal(world_sign(w, NULL), 1);
}

static void
any_minister_rejects(void **state)
{
	(void)state;
	AUTO(world) w = two_ministers();
	const char *id = ask(w, "a");

	must(w, world_endorsement(w, "minister", id));
	must(w, world_command(w, ACT_REQUEST_REJECT, CF_AS, MINISTER,
		    CF_REQUEST, id, CF_REASON, "me equivoqué", CF_COUNT));
	refused(w, world_endorsement(w, "deputy", id), "state-request");
}

/* The ceilings ask for as many as they say when the last one signs. */
static void
ceilings_ask_for_more(void **state)
{
	(void)state;
	AUTO(world) w = two_ministers();
	const char *id;

	policy_needs(w, 1);
	id = ask(w, "a");
	assert_int_equal(world_get_request(w, id).needed, 0);
	w->ceilings.endorsements = 2;
	must(w, world_endorsement(w, "minister", id));
	struct request r = world_get_request(w, id);
	assert_int_equal(r.state, REQ_SUBMITTED);
	assert_int_equal(r.needed, 2);
	must(w, world_endorsement(w, "deputy", id));
	assert_int_equal(world_sign(w, NULL), 1);
	/* And never for fewer than the statement that was signed says. */
	id = ask(w, "b");
	w->ceilings.endorsements = 1;
	must(w, world_endorsement(w, "minister", id));
	assert_int_equal(world_get_request(w, id).state, REQ_SUBMITTED);
}

static void
each_way_replays(void **state)
{
	(void)state;
	AUTO(world) w = two_ministers();
	const char *id = ask(w, "a");

	must(w, world_endorsement(w, "deputy", id));
	must(w, world_endorsement(w, "minister", id));
	world_sign(w, NULL);
	id = ask(w, "b");
	must(w, world_endorsement(w, "minister", id));
	assert_true(fake_view_replays(w->v));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_and_then_it_is_signed),
		cmocka_unit_test(second_ones),
		cmocka_unit_test(edit_voids_all),
		cmocka_unit_test(any_minister_rejects),
		cmocka_unit_test(ceilings_ask_for_more),
		cmocka_unit_test(each_way_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
