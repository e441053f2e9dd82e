#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/* Rows 1 to 33 of INCIDENTS as far as ca/ answers for them, named by row;
 * row 40 is in ca_persons.c. */

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
incident_01_both_ends_count(void **state)
{
	(void)state;
	static const struct {
		const char *policy, *asked;
		int64_t life;
	} rows[] = {
		{ "funcionario-firma", NULL, 730 * DAY },
		{ "funcionario-firma", "90d", 90 * DAY },
		{ "firma-estricta", NULL, 90 * DAY },
		{ "firma-estricta", "30d", 30 * DAY },
	};
	AUTO(world) w = world_new(WHEN);
	world_populate(w);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char key[16];
		snprintf(key, sizeof(key), "life%zu", i);
		struct command c = world_command(w, ACT_REQUEST_NEW, CF_AS,
		    OPERATOR, CF_RUT, RUT_A, CF_RUN, HOLDER, CF_POLICY,
		    rows[i].policy, CF_COUNT);
		c.f[CF_CSR] = world_csr(w, key);
		if (rows[i].asked != NULL)
			c.f[CF_VALIDITY] = bytes_str(rows[i].asked);
		world_must(w, world_run(w, &c), rows[i].policy);
		struct request r = world_get_request(w,
		    arena_str(w->a,
			bytes_of(w->out.object.p + 1, w->out.object.len - 1)));
		assert_int_equal(r.not_after - r.not_before + 1, rows[i].life);
		assert_true(rows[i].life <= w->ceilings.validity_max_s);
	}
}

static void
incident_02_serials(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *id = world_request(w, HOLDER, "a", "funcionario-firma");
	struct request a = world_get_request(w, id);

	assert_int_equal(a.serial.len, 20);
	assert_true(a.serial.p[0] >= 0x01 && a.serial.p[0] <= 0x7f);
	/* A source stubbed to 00… or FF… gives positive, rising serials. */
	static const uint8_t octets[] = { 0x00, 0xff, 0x80 };
	struct bytes last = a.serial;
	for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
		char key[16];
		snprintf(key, sizeof(key), "s%zu", i);
		struct command c = new_request(w, HOLDER_2, key);
		struct random_pool pool = { .used = 0 };
		memset(pool.p, octets[i], sizeof(pool.p));
		world_must(w,
		    ca_decide(&w->ca, w->v, &c, w->now, &pool, w->a, &w->out,
			&w->e),
		    "decide");
		assert_true(pool.used >= 12);
		world_must(w, world_append(w, &w->out), "append");
		struct bytes s = w->out.draft[0].refs.serial;
		assert_int_equal(s.len, 20);
		assert_true(s.p[0] >= 0x01 && s.p[0] <= 0x7f);
		assert_true(bytes_cmp(s, last) > 0);
		/* 96 bits are the source's, none of them masked. */
		assert_memory_equal(s.p + 8, pool.p, 12);
		last = s;
	}
}

static void
incident_03_no_serial_twice(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	struct bytes seen[64];

	/* 64 requesters of one second, a random source of 10 values. */
	w->values = 10;
	for (size_t i = 0; i < 64; i++) {
		char key[16];
		snprintf(key, sizeof(key), "r%zu", i);
		struct command c = new_request(w, HOLDER, key);
		world_must(w, world_run(w, &c), key);
		seen[i] = arena_copy(w->a, w->out.draft[0].refs.serial);
		for (size_t k = 0; k < i; k++)
			assert_false(bytes_eq(seen[i], seen[k]));
	}
	/* A reservation that is there already: refused, nothing changes. */
	struct command c = new_request(w, HOLDER_2, "again");
	uint64_t seed = w->seed;
	world_must(w, world_decide(w, &c), "decide");
	struct serial_row row = { .serial = w->out.draft[0].refs.serial,
		.request = bytes_str("SOL-2027-000001") };
	struct buf b AUTO_BUF = BUF(1000);
	rec_encode(&rec_serial, &row, &b);
	fake_view_force(w->v, ca_row_key(w->a, ROW_SERIAL, row.serial),
	    buf_bytes(&b));
	w->seed = seed;
	refuses(w, &c, ERR_CONFLICT, "serial-taken",
	    "the serial number drawn is reserved already; ask again");
}

static void
incident_04_renewal_takes_the_same_steps(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *serial = world_issue(w, HOLDER, "first");

	struct command c = world_command(w, ACT_CERTIFICATE_RENEW, CF_AS,
	    OPERATOR, CF_SERIAL, serial, CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "second");
	refuses(w, &c, ERR_DENIED, "renew-too-early",
	    "the certificate can be renewed from 2028-11-01T00:00:00Z on");
	w->now += 700 * DAY;
	/* The same policy judges it: a life over its ceiling is refused. */
	struct command longer = c;
	longer.f[CF_VALIDITY] = bytes_str("10y");
	assert_int_equal(world_run(w, &longer), ERR_DENIED);
	world_must(w, world_run(w, &c), "renew");
	assert_int_equal(w->out.draft[0].type, ENTRY_REQUEST_SUBMITTED);
	assert_false(w->out.waits);
}

static void
incident_05_not_before_is_the_clock(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	struct command c = new_request(w, HOLDER, "k");

	c.f[CF_FROM] = bytes_str("2020-01-01");
	refuses(w, &c, ERR_INVALID, "command-field-unknown",
	    "request.new has no field from; leave it out");
	c.f[CF_FROM] = BYTES_NONE;
	world_must(w, world_run(w, &c), "request");
	struct request r = world_get_request(w, "SOL-2027-000001");
	assert_int_equal(r.not_before, w->now);
	assert_true(r.expires - r.not_before <= DAY);
}

static void
incident_08_one_key_one_person(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	struct command c = new_request(w, HOLDER, "shared");

	world_must(w, world_run(w, &c), "the first");
	c = new_request(w, HOLDER_2, "shared");
	refuses(w, &c, ERR_DENIED, "key-of-another",
	    "this key belongs to another person; each person makes his or her "
	    "own");
	/* A minister's key is somebody's key too. */
	c = new_request(w, HOLDER_2, "minister");
	refuses(w, &c, ERR_DENIED, "key-of-another",
	    "this key belongs to another person; each person makes his or her "
	    "own");
	/* And the same person's, where the policy forbids it. */
	c = new_request(w, HOLDER, "shared");
	refuses(w, &c, ERR_DENIED, "key-reused",
	    "this key is used by the request SOL-2027-000001 and the policy "
	    "forbids using it again; make a new one");
	/* Possession is proven: a request signed by another key is not. */
	c = new_request(w, HOLDER, "fresh");
	uint8_t *der = arena_get(w->a, c.f[CF_CSR].len);
	memcpy(der, c.f[CF_CSR].p, c.f[CF_CSR].len);
	der[c.f[CF_CSR].len - 1] ^= 1;
	c.f[CF_CSR].p = der;
	assert_int_equal(world_run(w, &c), ERR_INVALID);
}

static void
incident_06_listed_key(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	AUTO(weak_list) list = NULL;
	world_populate(w);
	struct command c = new_request(w, HOLDER, "leaked");
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	uint8_t hash[SHA256_LEN];
	char hex[HEX_LEN(SHA256_LEN)];
	struct csr csr;

	world_must(w, csr_parse(c.f[CF_CSR], &scratch, &csr, &w->e), "a CSR");
	sha256(hash, csr.spki);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	world_must(w, weak_list_new(&list, &w->e), "a list");
	world_must(w, weak_list_add(list, "leaked.txt", bytes_str(hex), &w->e),
	    "a line");
	w->ca.weak = list;
	refuses(w, &c, ERR_DENIED, "key-listed",
	    "this key is on the list leaked.txt of keys that others know; make "
	    "a new one with another program");
	c = new_request(w, HOLDER, "own");
	world_must(w, world_run(w, &c), "another key");
}

static void
incident_12_criticality(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	(void)world_request(w, HOLDER, "k", "funcionario-firma");
	struct request r = world_get_request(w, "SOL-2027-000001");
	struct appointment ap;
	bool found;
	struct cert c;

	world_must(w, cert_parse(r.container, &c, &w->e), "container");
	assert_true(cert_find_ext(&c, OID_EXT_KEY_USAGE)->critical);
	assert_true(cert_find_ext(&c, OID_EXT_BASIC)->critical);
	assert_false(c.is_ca);
	assert_int_equal(c.key_usage,
	    KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
	world_must(w,
	    rec_get(w->v, &rec_appointment,
		ca_row_key(w->a, ROW_APPOINTMENT, bytes_str("NOM-2027-000001")),
		w->a, &ap, &found, &w->e),
	    "appointment");
	world_must(w, cert_parse(ap.certificate, &c, &w->e), "minister's");
	assert_true(cert_find_ext(&c, OID_EXT_KEY_USAGE)->critical);
	assert_true(cert_find_ext(&c, OID_EXT_EKU)->critical);
	assert_true(cert_has_eku(&c, OID_EKU_ENDORSER));
	assert_true(c.not_after < ap.until);
}

static void
incident_15_an_edit_is_a_new_version(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");
	struct command old = world_endorsement(w, "minister", id);
	struct command c = world_command(w, ACT_REQUEST_RETURN, CF_AS, MINISTER,
	    CF_REQUEST, id, CF_REASON, "falta el cargo", CF_COUNT);

	world_must(w, world_run(w, &c), "return");
	c = world_command(w, ACT_PERSON_REGISTER, CF_AS, OPERATOR, CF_RUT,
	    RUT_A, CF_RUN, HOLDER, CF_NAME, "Héctor Titular", CF_OFFICE,
	    "Administrador", CF_EMAIL, "h@institucion.cl", CF_COUNT);
	world_must(w, world_run(w, &c), "register");
	c = world_command(w, ACT_REQUEST_SUBMIT, CF_AS, OPERATOR, CF_REQUEST,
	    id, CF_COUNT);
	struct request before = world_get_request(w, id);
	world_must(w, world_run(w, &c), "submit");
	struct request after = world_get_request(w, id);
	assert_int_equal(after.version, before.version + 1);
	assert_false(bytes_eq(after.serial, before.serial));
	assert_true(bytes_is(after.holder_office, "Administrador"));
	/* The signature over the old statement is worth nothing. */
	assert_int_equal(world_run(w, &old), ERR_INVALID);
	assert_int_equal(world_get_request(w, id).state, REQ_SUBMITTED);
	c = world_endorsement(w, "minister", id);
	world_must(w, world_run(w, &c), "endorse");
	assert_int_equal(world_sign(w, NULL), 1);
}

/* INCIDENTS row 15, the bytes: what the signer answers is what was endorsed. */
static void
incident_15_the_signer_answers_other_bytes(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	const char *other = world_issue(w, HOLDER, "k1");
	uint8_t serial[20];
	assert_true(hex_parse(bytes_str(other), serial, 20));
	struct certificate c =
	    world_get_certificate(w, bytes_of(serial, sizeof(serial)));
	const char *id = world_request(w, HOLDER_2, "k2", "funcionario-firma");
	struct command endorse = world_endorsement(w, "minister", id);
	struct random_pool pool = { .used = 0 };

	world_must(w, world_run(w, &endorse), "endorse");
	assert_true(w->out.waits);
	assert_int_equal(ca_signed(&w->ca, w->v, bytes_str(id), c.certificate,
			     NULL, w->now, &pool, w->a, &w->out, &w->e),
	    ERR_INVALID);
	assert_string_equal(w->e.say,
	    "the signer answered with another certificate than the one that "
	    "was endorsed");
}

static void
incident_16_only_the_key_of_a_csr(void **state)
{
	(void)state;
	AUTO(world) w = world_new(WHEN);
	world_populate(w);
	struct buf b AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct command c = new_request(w, HOLDER, "k");

	world_must(w,
	    csr_build(world_key(w, "k")->key, "Some-State evil.example", &b,
		&w->e),
	    "csr");
	c.f[CF_CSR] = arena_copy(w->a, buf_bytes(&b));
	world_must(w, world_run(w, &c), "request");
	struct request r = world_get_request(w, "SOL-2027-000001");
	struct cert cert;
	world_must(w, cert_parse(r.container, &cert, &w->e), "container");
	assert_true(bytes_is(name_find(cert.subject, OID_CN), "H\xc3\xa9"
							      "ctor Titular"));
	assert_null(memmem(r.container.p, r.container.len, "Some-State", 10));
}

static void
incident_18_human_data(void **state)
{
	(void)state;
	static const struct {
		enum ca_field field;
		const char *value;
		const char *id;
	} rows[] = {
		{ CF_RUN, "12345678-9", "run-digit" },
		{ CF_RUN, "12345678", "run-form" },
		{ CF_NAME, "N/A", "name-meta" },
		{ CF_NAME, "-", "name-meta" },
		{ CF_NAME, ".", "name-meta" },
		{ CF_NAME, "0", "name-meta" },
		{ CF_NAME, "test", "name-meta" },
		{ CF_OFFICE, "N/A", "name-meta" },
		{ CF_NAME, " con espacio", "command-field" },
		{ CF_NAME, "dos\nlineas", "command-field" },
		{ CF_NAME, "\xff", "command-field" },
		{ CF_EMAIL, "nobody", "email-form" },
		{ CF_EMAIL, "a@b@c", "email-form" },
	};
	AUTO(world) w = world_new(WHEN);
	world_populate(w);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command c = world_command(w, ACT_PERSON_REGISTER, CF_AS,
		    OFFICER_1, CF_RUT, RUT_A, CF_RUN, DEPUTY, CF_NAME,
		    "Ana Rojas", CF_OFFICE, "Alcaldesa", CF_EMAIL,
		    "ana@institucion.cl", CF_COUNT);
		c.f[rows[i].field] = bytes_str(rows[i].value);
		enum err_code code = world_run(w, &c);
		if (code != ERR_INVALID || strcmp(w->e.id, rows[i].id) != 0)
			print_message("row %zu: %s [%s]\n", i, rows[i].value,
			    code == ERR_OK ? "" : w->e.id);
		assert_int_equal(code, ERR_INVALID);
		assert_string_equal(w->e.id, rows[i].id);
	}
}

/* How often a word stands in the sources of ca/, comments included. */
static size_t
occurrences(const char *word)
{
	struct dirent **list;
	int n = scandir(SOURCE_DIR "/ca", &list, NULL, alphasort);
	size_t count = 0;

	assert_true(n > 10);
	for (int i = 0; i < n; i++) {
		char path[512];
		const char *dot = strrchr(list[i]->d_name, '.');
		struct buf text AUTO_BUF = BUF(1 << 20);
		if (dot != NULL && strcmp(dot, ".c") == 0) {
			snprintf(path, sizeof(path), "%s/ca/%s", SOURCE_DIR,
			    list[i]->d_name);
			FILE *f = fopen(path, "r");
			assert_non_null(f);
			for (int c = fgetc(f); c != EOF; c = fgetc(f))
				buf_putc(&text, (uint8_t)c);
			fclose(f);
			const char *at = buf_text(&text);
			while ((at = strcasestr(at, word)) != NULL) {
				count++;
				at++;
			}
		}
		free(list[i]);
	}
	free(list);
	return count;
}

static void
incident_33_no_bypass(void **state)
{
	(void)state;
	static const char *const words[] = { "bypass", "skip", "forced",
		"test_", "override", "debug", "getenv" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_int_equal(occurrences(words[i]), 0);
}

/* INCIDENTS row 4: one function issues, and each step has one caller. */
static void
incident_04_one_issuing_function(void **state)
{
	(void)state;
	static const char *const once[] = { "cert_build_tbs(",
		"TRY(issue_evaluate(", "TRY(issue_build(", "TRY(issue_ask(",
		"TRY(issue_endorse(", "return issue_intend(",
		"return issue_sign(", "TRY(issue_compare(",
		"TRY(issue_record(" };

	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		if (occurrences(once[i]) != 1)
			fail_msg("%s stands %zu times in ca/", once[i],
			    occurrences(once[i]));
	/* The definition and its one call. */
	assert_int_equal(occurrences("issue_sign("), 2);
	assert_int_equal(occurrences("issue_build("), 2);
	/* And nothing in ca/ signs. */
	assert_int_equal(occurrences("key_sign("), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_01_both_ends_count),
		cmocka_unit_test(incident_02_serials),
		cmocka_unit_test(incident_03_no_serial_twice),
		cmocka_unit_test(incident_04_renewal_takes_the_same_steps),
		cmocka_unit_test(incident_05_not_before_is_the_clock),
		cmocka_unit_test(incident_08_one_key_one_person),
		cmocka_unit_test(incident_06_listed_key),
		cmocka_unit_test(incident_12_criticality),
		cmocka_unit_test(incident_33_no_bypass),
		cmocka_unit_test(incident_04_one_issuing_function),
		cmocka_unit_test(incident_15_an_edit_is_a_new_version),
		cmocka_unit_test(incident_15_the_signer_answers_other_bytes),
		cmocka_unit_test(incident_16_only_the_key_of_a_csr),
		cmocka_unit_test(incident_18_human_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
