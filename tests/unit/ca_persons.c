#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/*
 * INCIDENTS row 40: three persons, by RUN.  Three people, each of whom is
 * minister, operator and may be a holder, in all 27 combinations; the minister
 * signs with a first certificate, a second one, or one as deputy.
 */
static const struct person_row {
	const char *run, *name, *keys[2];
} people[] = {
	{ "87654321-4", "Ana Primera", { "ana1", "ana2" } },
	{ "99999999-9", "Berta Segunda", { "berta1", "berta2" } },
	{ "50000000-7", "Carla Tercera", { "carla1", "carla2" } },
};

static void
appoint_again(struct world *w, const struct person_row *p, const char *deputy)
{
	struct command c = world_command(w, ACT_APPOINTMENT_PROPOSE, CF_AS,
	    OFFICER_2, CF_RUT, RUT_A, CF_RUN, p->run, CF_ACT_NUMBER,
	    "Decreto 7", CF_ACT_DATE, "2026-12-01", CF_UNTIL, "2028-06-01",
	    CF_DEPUTY, deputy, CF_COUNT);

	c.f[CF_CSR] = world_csr(w, p->keys[1]);
	world_must(w, world_run(w, &c), "a second appointment");
	const char *id = arena_str(w->a,
	    bytes_of(w->out.object.p + 1, w->out.object.len - 1));
	c = world_command(w, ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT, id,
	    CF_COUNT);
	c.f[CF_CMS] = world_evidence(w, "officer2", id);
	world_must(w, world_run(w, &c), "its confirmation");
	assert_int_equal(world_sign(w, NULL), 1);
}

static struct world *
make_world(void)
{
	struct world *w = world_new("2027-01-01");

	world_institution(w, RUT_A, "Municipalidad de Prueba");
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		world_person(w, RUT_A, people[i].run, people[i].name, true);
		world_minister(w, RUT_A, people[i].run, people[i].name,
		    people[i].keys[0]);
		appoint_again(w, &people[i], i == 1 ? "true" : "false");
	}
	return w;
}

static void
try_one(struct world *w, size_t minister, size_t holder, size_t op)
{
	char key[24] = "holder-0-0-0";
	key[7] = (char)('0' + minister);
	key[9] = (char)('0' + holder);
	key[11] = (char)('0' + op);
	struct command c = world_command(w, ACT_REQUEST_NEW, CF_AS,
	    people[op].run, CF_RUT, RUT_A, CF_RUN, people[holder].run,
	    CF_POLICY, "funcionario-firma", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, key);
	enum err_code code = world_run(w, &c);
	if (op == holder) {
		assert_int_equal(code, ERR_DENIED);
		assert_string_equal(w->e.say,
		    "an operator does not submit a request for himself or "
		    "herself; another operator must");
		return;
	}
	world_must(w, code, key);
	const char *id = arena_str(w->a,
	    bytes_of(w->out.object.p + 1, w->out.object.len - 1));
	const char *say = NULL;
	if (minister == holder)
		say = "the minister would be the holder; another minister of "
		      "the institution must endorse it";
	else if (minister == op)
		say = "the minister submitted this request; another minister "
		      "of the institution must endorse it";
	for (size_t k = 0; k < 2; k++) {
		c = world_endorsement(w, people[minister].keys[k], id);
		struct view *before = fake_view_copy(w->v);
		code = world_run(w, &c);
		if (say != NULL) {
			assert_int_equal(code, ERR_FORBIDDEN);
			assert_string_equal(w->e.say, say);
			assert_true(fake_view_same(before, w->v));
		} else {
			world_must(w, code, key);
		}
		fake_view_free(before);
		if (say == NULL)
			break;
	}
	/* Nor does such a minister return or reject it by name. */
	if (say == NULL)
		return;
	c = world_command(w, ACT_REQUEST_REJECT, CF_AS, people[minister].run,
	    CF_REQUEST, id, CF_REASON, "no", CF_COUNT);
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.id, "request-own");
}

static void
incident_40_three_persons(void **state)
{
	(void)state;
	AUTO(world) w = make_world();
	size_t issued = 0;

	for (size_t minister = 0; minister < 3; minister++)
		for (size_t holder = 0; holder < 3; holder++)
			for (size_t op = 0; op < 3; op++)
				try_one(w, minister, holder, op);
	issued = world_sign(w, NULL);
	/* Three different people: 3! of the 27. */
	assert_int_equal(issued, 6);
	assert_true(fake_view_replays(w->v));
}

/* The operator who becomes minister after submitting is still one person. */
static void
incident_40_appointed_after_submitting(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");

	world_minister(w, RUT_A, OPERATOR, "Olga Operadora", "olga");
	struct command c = world_endorsement(w, "olga", id);
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.id, "endorse-submitted");
}

/* An institution's people do nothing in another one. */
static void
each_in_its_institution(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	world_institution(w, RUT_B, "Gobernación de Prueba");
	world_person(w, RUT_B, OPERATOR_2, "Berto Operador", true);
	world_minister(w, RUT_B, DEPUTY, "Berta Ministra", "other");
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");
	const char *serial = world_issue(w, HOLDER_2, "k2");
	static const struct {
		const char *name;
		enum ca_act act;
		const char *as;
	} rows[] = {
		{ "minister returns", ACT_REQUEST_RETURN, DEPUTY },
		{ "minister rejects", ACT_REQUEST_REJECT, DEPUTY },
		{ "operator withdraws", ACT_REQUEST_WITHDRAW, OPERATOR_2 },
		{ "operator submits", ACT_REQUEST_SUBMIT, OPERATOR_2 },
		{ "operator registers", ACT_PERSON_REGISTER, OPERATOR_2 },
		{ "minister revokes", ACT_CERTIFICATE_REVOKE, DEPUTY },
		{ "operator proposes", ACT_CERTIFICATE_REVOKE, OPERATOR_2 },
		{ "minister suspends", ACT_CERTIFICATE_SUSPEND, DEPUTY },
		{ "another holder revokes", ACT_CERTIFICATE_REVOKE, HOLDER },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static const char *const values[CF_COUNT] = {
			[CF_RUT] = RUT_A,
			[CF_RUN] = HOLDER,
			[CF_NAME] = "Uno Dos",
			[CF_OFFICE] = "Cargo",
			[CF_EMAIL] = "a@institucion.cl",
			[CF_CAUSE] = "office-ended",
			[CF_REASON] = "porque no",
		};
		struct command c =
		    world_command(w, rows[i].act, CF_AS, rows[i].as, CF_COUNT);
		for (unsigned f = 0; f < CF_COUNT; f++)
			if ((ca_acts[c.act].required >> f & 1) != 0 &&
			    values[f] != NULL)
				c.f[f] = bytes_str(values[f]);
		if ((ca_acts[c.act].required >> CF_REQUEST & 1) != 0)
			c.f[CF_REQUEST] = bytes_str(id);
		if ((ca_acts[c.act].required >> CF_SERIAL & 1) != 0)
			c.f[CF_SERIAL] = bytes_str(serial);
		enum err_code code = world_run(w, &c);
		if (code != ERR_FORBIDDEN ||
		    strcmp(w->e.id, "role-missing") != 0)
			fail_msg("%s: %s", rows[i].name, w->e.say);
	}
	struct command c = world_endorsement(w, "other", id);
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.say,
	    "this person is a minister of another institution than that of the "
	    "request");
	c = world_endorsement(w, "stranger", id);
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.say,
	    "the certificate that signed is not one of a minister of faith; "
	    "sign with the minister's own certificate");
	/* The right minister's signature over another statement. */
	const char *second =
	    world_request(w, HOLDER, "k3", "funcionario-firma");
	c = world_endorsement(w, "minister", second);
	c.f[CF_REQUEST] = bytes_str(id);
	assert_int_equal(world_run(w, &c), ERR_INVALID);
	c = world_endorsement(w, "minister", id);
	c.f[CF_AS] = bytes_str(DEPUTY);
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.say,
	    "the signature is of another person than the one who asks");
}

/* A change of office proposes what rests on it, all of it or nothing. */
static void
a_changed_office_proposes_all(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct command c = world_command(w, ACT_PERSON_REGISTER, CF_AS,
	    OPERATOR, CF_RUT, RUT_A, CF_RUN, HOLDER, CF_NAME, "Ana Rojas",
	    CF_OFFICE, "Alcaldesa", CF_EMAIL, "ana@institucion.cl", CF_COUNT);

	for (unsigned i = 0; i < DRAFTS_MAX; i++) {
		(void)world_issue(w, HOLDER, arena_printf(w->a, "many.%u", i));
		if (i + 2 < DRAFTS_MAX)
			continue;
		enum err_code code = world_decide(w, &c);
		if (i + 1 < DRAFTS_MAX) {
			assert_int_equal(code, ERR_OK);
			assert_int_equal(w->out.n, i + 2);
		} else {
			assert_int_equal(code, ERR_BUSY);
			assert_string_equal(w->e.say,
			    "the person holds too many certificates for one "
			    "change of office; revoke some of them first");
		}
	}
}

static void
an_officer_does_not_confirm_himself(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_institution(w, RUT_A, "Municipalidad de Prueba");
	world_person(w, RUT_A, OFFICER_1, "Oficial Uno", false);
	struct command c = world_command(w, ACT_APPOINTMENT_PROPOSE, CF_AS,
	    OFFICER_2, CF_RUT, RUT_A, CF_RUN, OFFICER_1, CF_ACT_NUMBER, "1",
	    CF_ACT_DATE, "2026-01-01", CF_UNTIL, "2028-01-01", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "own");
	world_must(w, world_run(w, &c), "propose");

	c = world_command(w, ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT,
	    "NOM-2027-000001", CF_COUNT);
	c.f[CF_CMS] = world_evidence(w, "officer1", "NOM-2027-000001");
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.say,
	    "an officer does not confirm his or her own appointment; another "
	    "officer must");
	c.f[CF_CMS] = world_evidence(w, "stranger", "NOM-2027-000001");
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.id, "confirm-not-officer");
	/* One who came after the log began is known to no verifier. */
	struct officer *late = &w->ceilings.officer[w->ceilings.n_officer++];
	*late = w->ceilings.officer[0];
	sha256(late->spki_sha256, key_spki(world_key(w, "stranger")->key));
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.say,
	    "the officer " OFFICER_1 " was added after the log began, and "
	    "whoever verifies it accepts signatures of its first officers "
	    "alone; one of them must sign");
	c.f[CF_CMS] = world_evidence(w, "officer2", "NOM-2027-000001");
	c.f[CF_AS] = bytes_str(OFFICER_1);
	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	assert_string_equal(w->e.id, "evidence-person");
	c.f[CF_AS] = bytes_str(OFFICER_2);
	world_must(w, world_run(w, &c), "confirm");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_40_three_persons),
		cmocka_unit_test(incident_40_appointed_after_submitting),
		cmocka_unit_test(each_in_its_institution),
		cmocka_unit_test(a_changed_office_proposes_all),
		cmocka_unit_test(an_officer_does_not_confirm_himself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
