#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/*
 * Random walks: any act by anybody about anything, the signer answering,
 * refusing or silent, time passing.  No act may find the state corrupt, apply
 * accepts all that decide gives, and at the end replay gives the same rows.
 */

static uint32_t
roll(uint64_t *state, uint32_t sides)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % sides;
}

#define PICK(array) array[roll(dice, ARRAY_LEN(array))]

/* The last number of a series, so that most references are to something. */
static uint32_t
last_of(struct world *w, const char *series)
{
	struct counter_row row = { 0 };
	bool found;

	world_must(w,
	    rec_get(w->v, &rec_counter,
		ca_row_key(w->a, ROW_COUNTER, bytes_str(series)), w->a, &row,
		&found, &w->e),
	    series);
	return (uint32_t)row.last;
}

/* Mostly somebody who may; one time in five anybody. */
static const char *
who(enum ca_act act, uint64_t *dice)
{
	static const char *const runs[] = { OFFICER_1, OPERATOR, OPERATOR_2,
		HOLDER, HOLDER_2, MINISTER, DEPUTY };
	static const struct {
		unsigned role;
		const char *run;
	} fit[] = { { ROLE_OFFICER, OFFICER_1 }, { ROLE_OPERATOR, OPERATOR },
		{ ROLE_MINISTER, MINISTER }, { ROLE_HOLDER, HOLDER } };

	for (size_t i = 0; i < 4 && roll(dice, 5) != 0; i++) {
		size_t k = roll(dice, ARRAY_LEN(fit));
		if ((ca_acts[act].roles & fit[k].role) != 0)
			return fit[k].run;
	}
	return PICK(runs);
}

/* What the walk knows while it fills one command. */
struct choice {
	struct world *w;
	uint64_t *dice;
	enum ca_act act;
	const char *request, *appointment, *holder;
	struct request r;
	bool has_request;
};

static struct bytes
any_cms(struct choice *k)
{
	static const char *const signers[] = { "minister", "deputy", "officer1",
		"officer2", "k1" };
	uint64_t *dice = k->dice;
	bool endorses = k->act == ACT_REQUEST_ENDORSE;
	struct bytes text = bytes_str("nothing");
	struct appointment ap;
	bool found;

	world_must(k->w,
	    rec_get(k->w->v, &rec_appointment,
		ca_row_key(k->w->a, ROW_APPOINTMENT, bytes_str(k->appointment)),
		k->w->a, &ap, &found, &k->w->e),
	    "an appointment");
	if (endorses && k->has_request && k->r.statement.len > 0)
		text = k->r.statement;
	else if (!endorses && found)
		text = ap.statement;
	return world_cms(k->w,
	    roll(dice, 4) ? (endorses ? "minister" : "officer2")
			  : PICK(signers),
	    text);
}

static struct bytes
any_csr(struct choice *k)
{
	return world_csr(k->w,
	    arena_printf(k->w->a, "%s.%u", roll(k->dice, 8) ? k->holder : "any",
		roll(k->dice, 8)));
}

static const char *
any_text(struct choice *k, enum ca_field f)
{
	static const char *const texts[] = { "Uno Dos", "Otra cosa" };
	static const char *const days[] = { "2027-01-20", "2027-06-01",
		"2028-01-01" };
	static const char *const policies[] = { "funcionario-firma",
		"firma-estricta" };
	uint64_t *dice = k->dice;

	switch ((unsigned)f) {
	case CF_AS:
		return who(k->act, dice);
	case CF_RUT:
		return roll(dice, 9) ? RUT_A : RUT_B;
	case CF_RUN:
		return k->holder;
	case CF_EMAIL:
		return "x@institucion.cl";
	case CF_OPERATOR:
	case CF_DEPUTY:
	case CF_DRAFT:
		return roll(dice, 4) ? "false" : "true";
	case CF_POLICY:
		return PICK(policies);
	case CF_REQUEST:
		return k->request;
	case CF_APPOINTMENT:
		return k->appointment;
	case CF_SERIAL:
		return k->has_request && k->r.serial.len > 0
			   ? world_serial(k->w, k->request)
			   : "00";
	case CF_CAUSE:
		return ca_causes[roll(dice, (uint32_t)ca_n_causes)].word;
	case CF_ACT_DATE:
		return "2026-12-01";
	case CF_FROM:
	case CF_UNTIL:
	case CF_INVALID_SINCE:
		return PICK(days);
	case CF_KIND:
		return roll(dice, 4) ? "official" : "other";
	case CF_ATTRIBUTE:
		return roll(dice, 2) ? "grade=5\nb=c" : "grade=";
	case CF_VALIDITY:
		return roll(dice, 5) ? "40d" : "9y";
	default:
		return PICK(texts);
	}
}

static struct command
any_command(struct world *w, uint64_t *dice)
{
	static const char *const holders[] = { HOLDER, HOLDER_2, HOLDER,
		HOLDER_2, OPERATOR, MINISTER };
	struct command c = world_command(w, ACT_COUNT, CF_COUNT);
	struct choice k = { .w = w, .dice = dice };

	/* All but the last two: ceilings and roots are files that no dice write. */
	c.act = (enum ca_act)roll(dice, ACT_CEREMONY_CEILINGS);
	if (c.act < ACT_REQUEST_NEW && roll(dice, 3) != 0)
		c.act = (enum ca_act)(ACT_REQUEST_NEW + roll(dice, 3));
	/* Closing for good would end the walk; suspending nearly does. */
	if (c.act == ACT_INSTITUTION_CLOSE ||
	    (c.act == ACT_INSTITUTION_SUSPEND && roll(dice, 4) != 0) ||
	    (c.act == ACT_APPOINTMENT_END && roll(dice, 4) != 0))
		c.act = ACT_INSTITUTION_ENABLE;
	k.act = c.act;
	k.holder = PICK(holders);
	k.request = arena_printf(w->a, "SOL-2027-%06u",
	    1 + roll(dice, last_of(w, "SOL-2027") + 1));
	k.appointment = arena_printf(w->a, "NOM-2027-%06u",
	    1 + roll(dice, last_of(w, "NOM-2027") + 1));
	struct bytes key = ca_row_key(w->a, ROW_REQUEST, bytes_str(k.request));
	world_must(w,
	    rec_get(w->v, &rec_request, key, w->a, &k.r, &k.has_request, &w->e),
	    "a request");
	if (k.has_request)
		world_must(w,
		    rec_load(w->v, &rec_request, NULL, w->a, &k.r, &w->e),
		    "its blobs");
	for (unsigned f = 0; f < CF_COUNT; f++) {
		uint64_t bit = UINT64_C(1) << f;
		bool may = (ca_acts[c.act].required & bit) != 0 ||
			   ((ca_acts[c.act].optional & bit) != 0 &&
			       roll(dice, 4) == 0);
		/* A request without its key is a draft at best. */
		may = may || (f == CF_CSR && c.act == ACT_REQUEST_NEW);
		if (!may || f == CF_KEY)
			continue;
		if (f == CF_CSR)
			c.f[f] = any_csr(&k);
		else if (f == CF_CMS)
			c.f[f] = any_cms(&k);
		else
			c.f[f] = bytes_str(any_text(&k, (enum ca_field)f));
	}
	return c;
}

static void
answer(struct world *w, uint64_t *dice)
{
	static const enum err_code codes[] = { ERR_DENIED, ERR_BUSY };
	struct err no;

	(void)err_say(&no, codes[roll(dice, 2)], "ceiling", "no");
	(void)world_sign(w, roll(dice, 4) == 0 ? &no : NULL);
}

static void
walk(uint64_t seed, size_t *done, size_t by_code[])
{
	AUTO(world) w = world_new("2027-01-01");
	uint64_t state = seed, *dice = &state;

	world_populate(w);
	world_person(w, RUT_A, OPERATOR_2, "Pedro Operador", true);
	world_person(w, RUT_A, DEPUTY, "Delia Suplente", false);
	world_person(w, RUT_A, MINISTER, "Marta Ministra", false);
	for (unsigned i = 0; i < 4; i++)
		(void)world_issue(w, i % 2 ? HOLDER : HOLDER_2,
		    arena_printf(w->a, "first.%u", i));
	for (size_t i = 0; i < 400; i++) {
		struct command c = any_command(w, dice);
		enum err_code code = world_run(w, &c);
		by_code[code]++;
		if (code == ERR_OK)
			done[c.act]++;
		else if (code == ERR_CORRUPT || code == ERR_IO ||
			 code == ERR_CRYPTO || code == ERR_NOMEM ||
			 w->e.say[0] == '\0')
			fail_msg("seed %llu, act %zu (%s): %s (%s)",
			    (unsigned long long)seed, i, ca_acts[c.act].name,
			    w->e.say, w->e.why);
		if (roll(dice, 4) == 0)
			answer(w, dice);
		if (roll(dice, 8) == 0)
			w->now += roll(dice, 2) ? roll(dice, 40000)
						: roll(dice, 3) * DAY;
		(void)world_tick(w);
	}
	assert_true(fake_view_replays(w->v));
}

static void
random_walks(void **state)
{
	(void)state;
	size_t done[ACT_COUNT] = { 0 }, by_code[ERR_NOMEM + 1] = { 0 };

	for (uint64_t seed = 1; seed <= 60; seed++)
		walk(seed, done, by_code);
	for (size_t i = 0; i < ARRAY_LEN(by_code); i++)
		print_message("%s %zu\n", err_code_name((enum err_code)i),
		    by_code[i]);
	for (size_t i = 0; i < ACT_COUNT; i++)
		print_message("%s %zu\n", ca_acts[i].name, done[i]);
	/* A walk that does nothing would prove nothing. */
	assert_true(by_code[ERR_OK] > 1000);
	assert_true(done[ACT_REQUEST_ENDORSE] > 20);
	assert_true(done[ACT_CERTIFICATE_REVOKE] > 50);
	assert_true(done[ACT_APPOINTMENT_CONFIRM] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
