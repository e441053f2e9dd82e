#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/* Rows 35 to 64 of INCIDENTS as far as ca/ answers for them. */

#define WHEN "2027-01-01"

static void
refuses(struct world *w, const struct command *c, enum err_code code,
    const char *id, const char *say)
{
	enum err_code got = world_run(w, c);

	if (got != code || strcmp(w->e.id, id) != 0)
		print_message("%s: %s [%s] %s\n", ca_acts[c->act].name,
		    err_code_name(got), got == ERR_OK ? "" : w->e.id,
		    got == ERR_OK ? "" : w->e.say);
	assert_int_equal(got, code);
	assert_string_equal(w->e.id, id);
	assert_string_equal(w->e.say, say);
}

static struct command
new_request(struct world *w, const char *run, const char *key)
{
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
		CF_RUN, run, CF_POLICY, "funcionario-firma", CF_COUNT);

	c.f[CF_CSR] = world_csr(w, key);
	return c;
}

static void
incident_35_suspending_an_institution_stops_it(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *serial = world_issue(w, HOLDER, "k1");
	const char *id = world_request(w, HOLDER_2, "k2", "funcionario-firma");
	const char *id3 = world_request(w, HOLDER_2, "k3", "funcionario-firma");
	struct command endorse = world_endorsement(w, "minister", id);
	world_must(w, world_run(w, &endorse), "endorse");
	struct command c = world_command(w, ACT_INSTITUTION_SUSPEND, CF_AS,
	    OFFICER_2, CF_RUT, RUT_A, CF_COUNT);
	world_must(w, world_run(w, &c), "suspend");

	static const char say[] =
	    "the institution is suspended; only one that is enabled may ask "
	    "for, endorse or receive anything new";
	c = new_request(w, HOLDER, "k4");
	refuses(w, &c, ERR_CONFLICT, "institution-not-enabled", say);
	c = world_endorsement(w, "minister", id3);
	refuses(w, &c, ERR_CONFLICT, "institution-not-enabled", say);
	/* What was endorsed is not signed, and waits. */
	assert_int_equal(world_sign(w, NULL), 0);
	struct work work;
	assert_int_equal(ca_work(w->v, bytes_str(id), w->a, &work, &w->e),
	    ERR_CONFLICT);
	/* Status goes on. */
	c = world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, HOLDER, CF_SERIAL,
	    serial, CF_CAUSE, "holder-request", CF_COUNT);
	world_must(w, world_run(w, &c), "revoke");
	c = world_command(w, ACT_INSTITUTION_ENABLE, CF_AS, OFFICER_2, CF_RUT,
	    RUT_A, CF_COUNT);
	world_must(w, world_run(w, &c), "enable");
	assert_int_equal(world_sign(w, NULL), 1);
	/* Every entry about it names it: "all issued under X" is exact. */
	for (size_t i = 0; i < fake_view_entries(w->v); i++) {
		const struct entry *en = fake_view_entry(w->v, i);
		if (en->type == ENTRY_CERTIFICATE_ISSUED)
			assert_non_null(memmem(en->leaf.p, en->leaf.len,
			    "\"institution\":\"" RUT_A "\"",
			    strlen("\"institution\":\"" RUT_A "\"")));
	}
}

static void
incident_44_compromised_keys_never_return(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *serial = world_issue(w, HOLDER, "lost");
	static const char say[] =
	    "this key was reported as compromised and is never certified "
	    "again; make a new one";
	struct command c = world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS,
	    HOLDER, CF_SERIAL, serial, CF_CAUSE, "key-compromise",
	    CF_INVALID_SINCE, WHEN, CF_COUNT);

	world_must(w, world_run(w, &c), "revoke");
	/* As another person, under another policy, as a minister. */
	c = new_request(w, HOLDER_2, "lost");
	refuses(w, &c, ERR_DENIED, "key-compromised", say);
	c = new_request(w, HOLDER, "lost");
	c.f[CF_POLICY] = bytes_str("firma-estricta");
	refuses(w, &c, ERR_DENIED, "key-compromised", say);
	c = world_command(w, ACT_APPOINTMENT_PROPOSE, CF_AS, OFFICER_1, CF_RUT,
	    RUT_A, CF_RUN, HOLDER, CF_ACT_NUMBER, "1", CF_ACT_DATE,
	    "2026-01-01", CF_UNTIL, "2028-01-01", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "lost");
	refuses(w, &c, ERR_DENIED, "key-compromised", say);
}

/* The key is reported between the request and its endorsement. */
static void
incident_44_read_again_at_the_intent(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "firma-estricta", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "k");
	world_must(w, world_run(w, &c), "first");
	const char *first = "SOL-2027-000001", *second = "SOL-2027-000002";
	c = world_endorsement(w, "minister", first);
	world_must(w, world_run(w, &c), "endorse");
	assert_int_equal(world_sign(w, NULL), 1);
	c = world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
	    CF_RUN, HOLDER, CF_POLICY, "firma-estricta", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "k");
	world_must(w, world_run(w, &c), "second, same person and key");
	struct command endorse = world_endorsement(w, "minister", second);
	c = world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, MINISTER, CF_SERIAL,
	    world_serial(w, first), CF_CAUSE, "key-compromise", CF_COUNT);
	world_must(w, world_run(w, &c), "revoke");
	refuses(w, &endorse, ERR_DENIED, "key-compromised",
	    "this key was reported as compromised and is never certified "
	    "again; make a new one");
}

static void
incident_46_the_reason_follows_from_the_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < ca_n_causes; i++) {
		const struct legal_cause *cause = &ca_causes[i];
		AUTO(world) w = world_new(WHEN);
		world_populate(w);
		const char *serial = world_issue(w, HOLDER, "k");
		struct command c = world_command(w,
		    cause->for_suspension ? ACT_CERTIFICATE_SUSPEND
					  : ACT_CERTIFICATE_REVOKE,
		    CF_AS, MINISTER, CF_SERIAL, serial, CF_CAUSE, cause->word,
		    CF_COUNT);
		world_must(w, world_run(w, &c), cause->word);
		uint8_t raw[20];
		assert_true(hex_parse(bytes_str(serial), raw, 20));
		struct cert_status st;
		world_must(w, ca_status(w->v, bytes_of(raw, 20), &st, &w->e),
		    "status");
		assert_int_equal(st.reason, cause->reason);
		assert_int_equal(cause->reason == 6, cause->for_suspension);
		assert_non_null(strchr("\1\3\4\5\6\11", cause->reason));
		assert_int_equal(st.revoked_at, w->now);
		/* The cause of the other act is refused. */
		c = world_command(w,
		    cause->for_suspension ? ACT_CERTIFICATE_REVOKE
					  : ACT_CERTIFICATE_SUSPEND,
		    CF_AS, MINISTER, CF_SERIAL, serial, CF_CAUSE, cause->word,
		    CF_COUNT);
		enum err_code code = world_run(w, &c);
		assert_int_equal(code,
		    cause->for_suspension ? ERR_INVALID : ERR_CONFLICT);
	}
}

static void
incident_47_suspension_is_the_policys(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *id = world_request(w, HOLDER, "k", "firma-estricta");
	struct command c = world_endorsement(w, "minister", id);
	world_must(w, world_run(w, &c), "endorse");
	assert_int_equal(world_sign(w, NULL), 1);
	c = world_command(w, ACT_CERTIFICATE_SUSPEND, CF_AS, MINISTER,
	    CF_SERIAL, world_serial(w, id), CF_CAUSE, "technical", CF_COUNT);
	refuses(w, &c, ERR_DENIED, "suspend-not-offered",
	    "the policy firma-estricta offers no suspension; revoke the "
	    "certificate, or leave it");
	/* Where it is offered it has an end, and no later one than offered. */
	const char *serial = world_issue(w, HOLDER_2, "k2");
	c = world_command(w, ACT_CERTIFICATE_SUSPEND, CF_AS, HOLDER_2,
	    CF_SERIAL, serial, CF_CAUSE, "key-doubt", CF_UNTIL, "2027-02-01",
	    CF_COUNT);
	refuses(w, &c, ERR_DENIED, "suspend-until",
	    "a suspension that begins now ends in the future, on "
	    "2027-01-31T00:00:00Z at the latest");
}

static void
incident_51_status_from_the_intent_on(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");
	struct bytes serial = world_get_request(w, id).serial;
	struct cert_status st;

	world_must(w, ca_status(w->v, serial, &st, &w->e), "status");
	assert_false(st.known);
	struct command c = world_endorsement(w, "minister", id);
	world_must(w, world_run(w, &c), "endorse");
	world_must(w, ca_status(w->v, serial, &st, &w->e), "status");
	assert_true(st.known);
	assert_int_equal(st.state, CERT_INTENDED);
	assert_true(bytes_is(st.issuer, "institucional"));
	/* An intent can be revoked; what the signer signed nevertheless is
	 * recorded and stays revoked. */
	struct work work;
	world_must(w, ca_work(w->v, bytes_str(id), w->a, &work, &w->e), "work");
	c = world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, MINISTER, CF_SERIAL,
	    world_serial(w, id), CF_CAUSE, "office-ended", CF_COUNT);
	struct view *before = fake_view_copy(w->v);
	world_must(w, world_run(w, &c), "revoke the intent");
	world_must(w, ca_status(w->v, serial, &st, &w->e), "status");
	assert_int_equal(st.state, CERT_REVOKED);
	assert_int_equal(world_get_request(w, id).state, REQ_FAILED);
	assert_int_equal(world_sign(w, NULL), 0);
	/* The answer arrives now: made from the work as it was. */
	struct view *now = w->v;
	w->v = before;
	assert_int_equal(world_sign(w, NULL), 1);
	struct bytes der = world_get_certificate(w, serial).certificate;
	fake_view_free(w->v);
	w->v = now;
	struct random_pool pool = { .used = 0 };
	struct decision d;
	world_must(w,
	    ca_signed(&w->ca, w->v, bytes_str(id), der, NULL, w->now, &pool,
		w->a, &d, &w->e),
	    "the late answer");
	assert_int_equal(d.n, 1);
	world_must(w, world_append(w, &d), "the late entry");
	struct certificate cert = world_get_certificate(w, serial);
	assert_int_equal(cert.state, CERT_REVOKED);
	assert_true(bytes_eq(cert.certificate, der));
	assert_true(fake_view_replays(w->v));
}

static void
incident_64_the_chain_is_complete(void **state)
{
	(void)state;
	static const char *const chain[] = { "request.submitted",
		"request.endorsed", "certificate.intended",
		"certificate.issued" };
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	(void)world_issue(w, HOLDER, "k1");
	(void)world_issue(w, HOLDER_2, "k2");
	const char *ids[] = { "SOL-2027-000001", "SOL-2027-000002" };

	for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
		size_t at = 0;
		for (size_t i = 0; i < fake_view_entries(w->v); i++) {
			const struct entry *en = fake_view_entry(w->v, i);
			if (memmem(en->leaf.p, en->leaf.len, ids[k],
				strlen(ids[k])) == NULL)
				continue;
			assert_true(at < ARRAY_LEN(chain));
			assert_string_equal(entry_type_name(en->type),
			    chain[at]);
			at++;
		}
		assert_int_equal(at, ARRAY_LEN(chain));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    incident_35_suspending_an_institution_stops_it),
		cmocka_unit_test(incident_44_compromised_keys_never_return),
		cmocka_unit_test(incident_44_read_again_at_the_intent),
		cmocka_unit_test(incident_46_the_reason_follows_from_the_cause),
		cmocka_unit_test(incident_47_suspension_is_the_policys),
		cmocka_unit_test(incident_51_status_from_the_intent_on),
		cmocka_unit_test(incident_64_the_chain_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
