#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/*
 * Each call of the view fails once, in every act: nothing is acknowledged, no
 * change is visible, and the same command with the same key then succeeds and
 * gives what it would have given.
 */

struct story {
	const char *name;
	/* Brings the world to where the act can be done, and gives it. */
	struct command (*prepare)(struct world *w);
};

static struct command
propose(struct world *w)
{
	struct command c = world_command(w, ACT_APPOINTMENT_PROPOSE, CF_AS,
	    OFFICER_1, CF_RUT, RUT_A, CF_RUN, DEPUTY, CF_NAME, "Delia Suplente",
	    CF_OFFICE, "Secretaria", CF_ACT_NUMBER, "1", CF_ACT_DATE,
	    "2026-01-01", CF_UNTIL, "2028-01-01", CF_COUNT);

	c.f[CF_CSR] = world_csr(w, "deputy");
	return c;
}

static struct command
confirm(struct world *w)
{
	struct command c = propose(w);

	world_must(w, world_run(w, &c), "propose");
	c = world_command(w, ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT,
	    "NOM-2027-000002", CF_COUNT);
	c.f[CF_CMS] = world_evidence(w, "officer2", "NOM-2027-000002");
	return c;
}

static struct command
end(struct world *w)
{
	return world_command(w, ACT_APPOINTMENT_END, CF_AS, OFFICER_1,
	    CF_APPOINTMENT, "NOM-2027-000001", CF_COUNT);
}

static struct command
person(struct world *w)
{
	return world_command(w, ACT_PERSON_REGISTER, CF_AS, OPERATOR, CF_RUT,
	    RUT_A, CF_RUN, DEPUTY, CF_NAME, "Ana Rojas", CF_OFFICE, "Alcaldesa",
	    CF_EMAIL, "ana@institucion.cl", CF_COUNT);
}

static struct command
suspend_institution(struct world *w)
{
	return world_command(w, ACT_INSTITUTION_SUSPEND, CF_AS, OFFICER_1,
	    CF_RUT, RUT_A, CF_COUNT);
}

static struct command
request(struct world *w)
{
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "funcionario-firma", CF_COUNT);

	c.f[CF_CSR] = world_csr(w, "k");
	return c;
}

static struct command
submit_again(struct world *w)
{
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");

	w->now += DAY;
	return world_command(w, ACT_REQUEST_SUBMIT, CF_AS, OPERATOR, CF_REQUEST,
	    id, CF_COUNT);
}

static struct command
endorse(struct world *w)
{
	return world_endorsement(w, "minister",
	    world_request(w, HOLDER, "k", "funcionario-firma"));
}

static struct command
reject(struct world *w)
{
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");

	return world_command(w, ACT_REQUEST_REJECT, CF_AS, MINISTER, CF_REQUEST,
	    id, CF_REASON, "no", CF_COUNT);
}

static struct command
renew(struct world *w)
{
	const char *serial = world_issue(w, HOLDER, "k");

	w->now += 690 * DAY;
	struct command c = world_command(w, ACT_CERTIFICATE_RENEW, CF_AS,
	    OPERATOR, CF_SERIAL, serial, CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "k2");
	return c;
}

static struct command
revoke(struct world *w)
{
	return world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, HOLDER,
	    CF_SERIAL, world_issue(w, HOLDER, "k"), CF_CAUSE, "key-compromise",
	    CF_COUNT);
}

static struct command
revoke_intent(struct world *w)
{
	struct command c = endorse(w);

	world_must(w, world_run(w, &c), "endorse");
	return world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, MINISTER,
	    CF_SERIAL, world_serial(w, "SOL-2027-000001"), CF_CAUSE,
	    "office-ended", CF_COUNT);
}

static struct command
suspend(struct world *w)
{
	return world_command(w, ACT_CERTIFICATE_SUSPEND, CF_AS, HOLDER,
	    CF_SERIAL, world_issue(w, HOLDER, "k"), CF_CAUSE, "technical",
	    CF_COUNT);
}

static struct command
reinstate(struct world *w)
{
	struct command c = suspend(w);

	world_must(w, world_run(w, &c), "suspend");
	c.act = ACT_CERTIFICATE_REINSTATE;
	return world_command(w, ACT_CERTIFICATE_REINSTATE, CF_AS, MINISTER,
	    CF_SERIAL, world_serial(w, "SOL-2027-000001"), CF_COUNT);
}

static const struct story stories[] = {
	{ "appointment.propose", propose },
	{ "appointment.confirm", confirm },
	{ "appointment.end", end },
	{ "person.register", person },
	{ "institution.suspend", suspend_institution },
	{ "request.new", request },
	{ "request.submit", submit_again },
	{ "request.endorse", endorse },
	{ "request.reject", reject },
	{ "certificate.renew", renew },
	{ "certificate.revoke", revoke },
	{ "certificate.revoke of an intent", revoke_intent },
	{ "certificate.suspend", suspend },
	{ "certificate.reinstate", reinstate },
};

static void
every_call_fails_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		AUTO(world) w = world_new("2027-01-01");
		world_populate(w);
		struct command c = stories[i].prepare(w);
		struct view *before = fake_view_copy(w->v);
		unsigned n = 0;
		for (;;) {
			w->fail_at = ++n;
			enum err_code code = world_run(w, &c);
			if (!w->struck) {
				world_must(w, code, stories[i].name);
				break;
			}
			if (code != ERR_IO || !fake_view_same(before, w->v) ||
			    fake_view_entries(before) !=
				fake_view_entries(w->v))
				fail_msg("%s: call %u failed and the answer "
					 "is %s",
				    stories[i].name, n, err_code_name(code));
		}
		print_message("%s: %u calls\n", stories[i].name, n - 1);
		assert_true(n > 5);
		assert_true(w->out.n > 0);
		assert_true(fake_view_replays(w->v));
		/* The answer got lost: the same command changes nothing. */
		struct bytes object = arena_copy(w->a, w->out.object);
		size_t entries = fake_view_entries(w->v);
		w->fail_at = 0;
		world_must(w, world_run(w, &c), "the repetition");
		assert_int_equal(w->out.n, 0);
		assert_true(bytes_eq(object, w->out.object));
		assert_int_equal(fake_view_entries(w->v), entries);
		fake_view_free(before);
	}
}

/* The engine's own acts: the signer's answer and what falls due. */
static void
answers_and_ticks_fail(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct command c = endorse(w);
	world_must(w, world_run(w, &c), "endorse");
	struct err no;
	(void)err_say(&no, ERR_DENIED, "ceiling", "no");

	for (unsigned n = 1;; n++) {
		struct random_pool pool = { .used = 0 };
		struct decision d;
		fake_view_fail(w->v, n);
		enum err_code code =
		    ca_signed(&w->ca, w->v, bytes_str("SOL-2027-000001"),
			BYTES_NONE, &no, w->now, &pool, w->a, &d, &w->e);
		if (!fake_view_failed(w->v)) {
			world_must(w, code, "refused");
			assert_int_equal(d.n, 2);
			break;
		}
		assert_int_equal(code, ERR_IO);
	}
	w->now += 5000 * DAY;
	for (unsigned n = 1;; n++) {
		struct decision d;
		fake_view_fail(w->v, n);
		enum err_code code =
		    ca_tick(&w->ca, w->v, w->now, w->a, &d, &w->e);
		if (!fake_view_failed(w->v)) {
			world_must(w, code, "tick");
			assert_int_equal(d.n, 1);
			break;
		}
		assert_int_equal(code, ERR_IO);
		assert_int_equal(d.n, 0);
	}
}

/* What contradicts the state is corrupt, whoever wrote it. */
static void
contradictions(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	(void)world_issue(w, HOLDER, "k");
	size_t n = fake_view_entries(w->v);

	/* Every entry of the log, applied a second time. */
	for (size_t i = 0; i < n; i++) {
		struct entry en = *fake_view_entry(w->v, i);
		struct err e;
		world_must(w, entry_parse(&en, w->a, &e), "an entry");
		/* Data may be written twice; what moves a state may not. */
		if (en.type == ENTRY_PERSON_REGISTERED ||
		    en.type == ENTRY_POLICY_ACTIVATED ||
		    en.type == ENTRY_SYSTEM_INITIALIZED)
			continue;
		struct view *v = fake_view_copy(w->v);
		enum err_code code = ca_apply(v, &en, &e);
		if (code != ERR_CORRUPT)
			fail_msg("entry %zu (%s) was applied twice", i,
			    entry_type_name(en.type));
		assert_string_equal(e.id, "apply-contradicts");
		fake_view_free(v);
	}
}

static void
clock_and_erased_details(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct command c = person(w);

	w->now -= 1;
	assert_int_equal(world_run(w, &c), ERR_CONFLICT);
	assert_string_equal(w->e.say,
	    "the clock says 2026-12-31T23:59:59Z and the last entry of the log "
	    "was written at 2027-01-01T00:00:00Z; set the clock right");
	struct entry en = *fake_view_entry(w->v, 3);
	en.detail = BYTES_NONE;
	assert_int_equal(ca_apply(w->v, &en, &w->e), ERR_CORRUPT);
	assert_string_equal(w->e.id, "apply-erased");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_fails_once),
		cmocka_unit_test(answers_and_ticks_fail),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(clock_and_erased_details),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
