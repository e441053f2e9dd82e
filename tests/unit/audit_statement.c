#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/audit.h>

static const uint8_t hash[HASH_LEN] = { 1, 2, 3 };

static struct statement
endorsement(void)
{
	struct bytes h = bytes_of(hash, HASH_LEN);
	return (struct statement){ .type = STATEMENT_ENDORSEMENT,
		.origin = bytes_str("ca.example.cl/bitacora"),
		.request = bytes_str("SOL-2026-000123"),
		.request_version = 2,
		.tbs_sha256 = h,
		.policy_sha256 = h,
		.policy = bytes_str("funcionario-firma"),
		.policy_version = 7,
		.issuer = bytes_str("institucional"),
		.institution = bytes_str("60910000-1"),
		.institution_name = bytes_str("Universidad de Ejemplo"),
		.holder_run = bytes_str("11111111-1"),
		.holder_name = bytes_str("Ana Nu\xc3\xb1"
					 "ez"),
		.holder_office = bytes_str("Secretaria"),
		.spki_sha256 = h,
		.not_before = 1795514400,
		.not_after = 1858586400,
		.operator_run = bytes_str("22222222-2"),
		.log_size = 12,
		.log_root = h,
		.text_es = bytes_str("Certifico que \"Ana\" ejerce el cargo."),
		.issued = 1795514400,
		.expires = 1795518000 };
}

static struct statement
appointment(void)
{
	struct statement s = endorsement();
	s.type = STATEMENT_APPOINTMENT;
	s.policy_sha256 = s.policy = BYTES_NONE;
	s.policy_version = 0;
	s.act_number = bytes_str("Decreto 45");
	s.act_date = bytes_str("2026-11-02");
	s.from = 1795514400;
	s.until = 1858586400;
	s.deputy = true;
	return s;
}

static struct statement
mandate(void)
{
	struct statement s = endorsement();
	s.type = STATEMENT_MANDATE;
	s.request = bytes_str("MAN-2026-000009");
	s.request_version = 0;
	s.tbs_sha256 = s.spki_sha256 = BYTES_NONE;
	s.not_before = s.not_after = 0;
	s.profile_sha256 = bytes_of(hash, HASH_LEN);
	s.until = 1858586400;
	s.life_s = 90 * DAY;
	s.renewals = 4;
	return s;
}

static const char endorsement_text[] =
    "{\"act\":\"endorse\",\"expires\":1795518000,\"holder\":{\"name\":"
    "\"Ana Nu\xc3\xb1"
    "ez\",\"office\":\"Secretaria\",\"run\":\"11111111-1\"},"
    "\"institution\":{\"name\":\"Universidad de Ejemplo\",\"rut\":"
    "\"60910000-1\"},\"issued\":1795514400,\"issuer\":\"institucional\","
    "\"log\":{\"root\":\"010203000000000000000000000000000000000000000000000000"
    "0000000000\",\"size\":12},\"operator\":\"22222222-2\",\"origin\":"
    "\"ca.example.cl/bitacora\",\"policy\":{\"name\":\"funcionario-firma\","
    "\"sha256\":\"010203000000000000000000000000000000000000000000000000000000"
    "0000\",\"version\":7},\"request\":\"SOL-2026-000123\","
    "\"request_version\":2,\"spki_sha256\":\"0102030000000000000000000000000000"
    "000000000000000000000000000000\",\"tbs_sha256\":\"010203000000000000000000"
    "0000000000000000000000000000000000000000\",\"text_es\":\"Certifico que "
    "\\\"Ana\\\" ejerce el cargo.\",\"type\":\"refrendo/endorsement/v1\","
    "\"validity\":{\"not_after\":1858586400,\"not_before\":1795514400}}";

static void
test_text(void **state)
{
	(void)state;
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);
	struct statement s = endorsement();
	struct err e;
	assert_int_equal(statement_print(&s, &out, &e), ERR_OK);
	assert_string_equal(buf_text(&out), endorsement_text);
}

static void
check_same(const struct statement *a, const struct statement *b)
{
	assert_int_equal(a->type, b->type);
	assert_true(bytes_eq(a->origin, b->origin));
	assert_true(bytes_eq(a->request, b->request));
	assert_int_equal(a->request_version, b->request_version);
	assert_int_equal(a->endorsements, b->endorsements);
	assert_true(bytes_eq(a->tbs_sha256, b->tbs_sha256));
	assert_true(bytes_eq(a->policy_sha256, b->policy_sha256));
	assert_true(bytes_eq(a->policy, b->policy));
	assert_int_equal(a->policy_version, b->policy_version);
	assert_true(bytes_eq(a->issuer, b->issuer));
	assert_true(bytes_eq(a->institution, b->institution));
	assert_true(bytes_eq(a->institution_name, b->institution_name));
	assert_true(bytes_eq(a->holder_run, b->holder_run));
	assert_true(bytes_eq(a->holder_name, b->holder_name));
	assert_true(bytes_eq(a->holder_office, b->holder_office));
	assert_true(bytes_eq(a->spki_sha256, b->spki_sha256));
	assert_int_equal(a->not_before, b->not_before);
	assert_int_equal(a->not_after, b->not_after);
	assert_true(bytes_eq(a->operator_run, b->operator_run));
	assert_true(bytes_eq(a->act_number, b->act_number));
	assert_true(bytes_eq(a->act_date, b->act_date));
	assert_int_equal(a->from, b->from);
	assert_int_equal(a->until, b->until);
	assert_int_equal(a->deputy, b->deputy);
	assert_int_equal(a->log_size, b->log_size);
	assert_true(bytes_eq(a->log_root, b->log_root));
	assert_true(bytes_eq(a->text_es, b->text_es));
	assert_int_equal(a->issued, b->issued);
	assert_int_equal(a->expires, b->expires);
}

static void
test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct buf out AUTO_BUF = BUF(STATEMENT_MAX);
		AUTO(arena) a = arena_new();
		struct statement s = i != 1 ? endorsement() : appointment();
		struct statement got;
		struct err e;
		s.endorsements = i == 2 ? 2 : 0;
		assert_int_equal(statement_print(&s, &out, &e), ERR_OK);
		assert_int_equal(statement_parse(buf_bytes(&out), a, &got, &e),
		    ERR_OK);
		check_same(&s, &got);
	}
}

/* What is written in place of what, in a statement that was good. */
static const struct {
	const char *name, *old, *new, *want_id, *want_field;
} rows[] = {
	{ "a member more", "{\"act\"", "{\"a\":1,\"act\"", "json-unknown",
	    "a" },
	{ "a member less", "\"request_version\":2,", "", "json-missing",
	    "request_version" },
	{ "a member more inside", "\"size\":12", "\"size\":12,\"t\":1",
	    "json-unknown", "t" },
	{ "not canonical", "\"size\":12", "\"size\": 12", "json-canonical",
	    "" },
	{ "another type", "refrendo/endorsement/v1", "refrendo/endorsement/v2",
	    "statement-type", "type" },
	{ "the other type", "refrendo/endorsement/v1",
	    "refrendo/appointment/v1", "statement-type", "type" },
	{ "another act", "\"endorse\"", "\"reject\"", "statement-type",
	    "type" },
	{ "one endorsement, said", "\"expires\"",
	    "\"endorsements\":1,\"expires\"", "statement-member",
	    "endorsements" },
	{ "no endorsement", "\"expires\"", "\"endorsements\":0,\"expires\"",
	    "statement-member", "endorsements" },
	{ "more than any can be", "\"expires\"",
	    "\"endorsements\":5,\"expires\"", "statement-member",
	    "endorsements" },
	{ "version 0", "\"request_version\":2", "\"request_version\":0",
	    "statement-member", "request_version" },
	{ "negative size", "\"size\":12", "\"size\":-1", "statement-member",
	    "log.size" },
	{ "short hash", "\"tbs_sha256\":\"01", "\"tbs_sha256\":\"",
	    "statement-member", "tbs_sha256" },
	{ "hash in capitals", "\"tbs_sha256\":\"01", "\"tbs_sha256\":\"A1",
	    "json-hex", "tbs_sha256" },
	{ "wrong check digit", "11111111-1", "11111111-2", "statement-member",
	    "holder.run" },
	{ "RUN with dots", "\"22222222-2\"", "\"22.222.222-2\"",
	    "statement-member", "operator" },
	{ "no name",
	    "\"name\":\"Ana Nu\xc3\xb1"
	    "ez\"",
	    "\"name\":\"\"", "statement-member", "holder.name" },
	{ "expires before it was issued", "\"expires\":1795518000",
	    "\"expires\":1795514400", "statement-member", "expires" },
	{ "ends before it begins", "\"not_after\":1858586400",
	    "\"not_after\":1795514399", "statement-member",
	    "validity.not_after" },
	{ "no words", "Certifico que \\\"Ana\\\" ejerce el cargo.", "",
	    "statement-member", "text_es" },
	{ "policy as text", "\"version\":7", "\"version\":\"7\"",
	    "json-no-integer", "version" },
	{ "no policy hash", "\"sha256\":\"01", "\"sha256\":\"",
	    "statement-member", "policy.sha256" },
	{ "an array as holder",
	    "{\"name\":\"Ana Nu\xc3\xb1"
	    "ez\",\"office\":"
	    "\"Secretaria\",\"run\":\"11111111-1\"}",
	    "[]", "json-no-member-object", "holder" },
};

/* The signer counts renewals by this number: it is nothing else's. */
static void
test_mandate(void **state)
{
	AUTO(arena) a = arena_new();
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct statement s = mandate(), got;
	struct err e;
	(void)state;
	assert_int_equal(statement_print(&s, &text, &e), ERR_OK);
	assert_int_equal(statement_parse(buf_bytes(&text), a, &got, &e),
	    ERR_OK);
	assert_true(bytes_is(got.request, "MAN-2026-000009"));
	assert_int_equal(got.renewals, 4);
	char *number = strstr(buf_text(&text), "MAN-2026-000009");
	assert_non_null(number);
	memcpy(number, "POL", 3);
	assert_int_equal(statement_parse(buf_bytes(&text), a, &got, &e),
	    ERR_INVALID);
	assert_string_equal(e.id, "statement-member");
	assert_string_equal(e.where.field, "request");
	s.request = bytes_str("NOM-2026-000009");
	assert_int_equal(statement_print(&s, &text, &e), ERR_INVALID);
}

static void
test_parse_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) a = arena_new();
		struct statement s;
		struct err e;
		char text[4096];
		print_message("%s\n", rows[i].name);
		const char *at = strstr(endorsement_text, rows[i].old);
		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s",
		    (int)(at - endorsement_text), endorsement_text, rows[i].new,
		    at + strlen(rows[i].old));
		assert_int_equal(statement_parse(bytes_str(text), a, &s, &e),
		    ERR_INVALID);
		assert_string_equal(e.id, rows[i].want_id);
		assert_string_equal(e.where.field, rows[i].want_field);
		assert_true(e.say[0] != '\0');
	}
}

static void
test_print_refuses(void **state)
{
	(void)state;
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);
	struct statement s = appointment();
	struct err e;
	s.policy = bytes_str("p");
	assert_int_equal(statement_print(&s, &out, &e), ERR_INVALID);
	assert_string_equal(e.say,
	    "the statement of an appointment names no policy");
	s = appointment();
	s.act_date = bytes_str("2026-02-30");
	assert_int_equal(statement_print(&s, &out, &e), ERR_INVALID);
	assert_string_equal(e.where.field, "appointment.act_date");
	assert_string_equal(e.say,
	    "the member appointment.act_date of the statement is missing, too "
	    "long or not in its form");
	s = appointment();
	s.until = NEVER;
	assert_int_equal(statement_print(&s, &out, &e), ERR_INVALID);
	s = endorsement();
	s.deputy = true;
	assert_int_equal(statement_print(&s, &out, &e), ERR_INVALID);
	s = endorsement();
	s.holder_name = bytes_str("\xff");
	assert_int_equal(statement_print(&s, &out, &e), ERR_INVALID);
	assert_int_equal(out.len, 0);
}

static void
test_too_large(void **state)
{
	(void)state;
	static uint8_t text[STATEMENT_MAX + 1];
	AUTO(arena) a = arena_new();
	struct statement s;
	struct err e;
	assert_int_equal(statement_parse(bytes_of(text, sizeof(text)), a, &s,
			     &e),
	    ERR_INVALID);
	assert_string_equal(e.say, "the statement is larger than 8192 octets");
}

static void
said(const struct statement *s, const char *es, const char *en)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	statement_in_words(s, true, &text);
	assert_string_equal(buf_text(&text), es);
	buf_reset(&text);
	statement_in_words(s, false, &text);
	assert_string_equal(buf_text(&text), en);
}

/* Whoever signs reads the same in either language. */
static void
test_words(void **state)
{
	struct statement e = endorsement(), a = appointment(), m = mandate();
	(void)state;
	said(&e,
	    "Certifico que Ana Nuñez, RUN 11111111-1, ejerce como Secretaria "
	    "en Universidad de Ejemplo, y que es titular de la clave pública "
	    "de la solicitud SOL-2026-000123.",
	    "I certify that Ana Nuñez, RUN 11111111-1, holds the office of "
	    "Secretaria at Universidad de Ejemplo, and holds the public key of "
	    "the request SOL-2026-000123.");
	said(&a,
	    "Habilito a Ana Nuñez, RUN 11111111-1, como ministro/a de fe "
	    "subrogante de Universidad de Ejemplo según el acto Decreto 45 de "
	    "fecha 2026-11-02, con la clave pública de este nombramiento.",
	    "I appoint Ana Nuñez, RUN 11111111-1, as minister of faith, "
	    "deputy, of Universidad de Ejemplo by the act Decreto 45 dated "
	    "2026-11-02, with the public key of this appointment.");
	m.rekey_sha256 = bytes_of(hash, HASH_LEN);
	m.renewals = 4;
	m.life_s = 90 * DAY;
	said(&m,
	    "Certifico que Ana Nuñez, RUN 11111111-1, ejerce como Secretaria "
	    "en Universidad de Ejemplo, y autorizo que hasta el "
	    "2028-11-23T10:00:00Z su certificado se renueve sin una nueva "
	    "certificación hasta 4 veces, por 90 días cada vez, con la misma "
	    "llave o con otra que la anterior haya firmado, mientras yo sea "
	    "ministro/a de fe y no cambien sus datos, su cargo ni la política "
	    "funcionario-firma.",
	    "I certify that Ana Nuñez, RUN 11111111-1, holds the office of "
	    "Secretaria at Universidad de Ejemplo, and allow that until "
	    "2028-11-23T10:00:00Z his or her certificate is renewed without a "
	    "new endorsement up to 4 times, for 90 days each time, with the "
	    "same key or another that the one before has signed, while I am "
	    "minister of faith and neither the data nor the office changes, "
	    "nor the policy funcionario-firma.");
}

/* --- Activations of policies ---------------------------------------------------- */

static struct activation_statement
activation(void)
{
	struct bytes h = bytes_of(hash, HASH_LEN);
	struct activation_statement s = {
		.origin = bytes_str("ca.example.cl/bitacora"),
		.id = bytes_str("POL-2026-000001"),
		.n = 2,
		.effective = 1795515000,
		.proposed_by = bytes_str("11111111-1"),
		.log_size = 12,
		.log_root = h,
		.text_es = bytes_str("Autorizo."),
		.issued = 1795514400,
		.expires = 1795518000,
	};

	s.policy[0].is = (struct policy_name){ bytes_str("estado-base"), h, 3 };
	s.policy[1].is =
	    (struct policy_name){ bytes_str("funcionario-firma"), h, 8 };
	s.policy[1].base = s.policy[0].is;
	return s;
}

#define HASH                                    \
	"0102030000000000000000000000000000000" \
	"000000000000000000000000000"
static const char activation_text[] =
    "{\"act\":\"activate\",\"activation\":\"POL-2026-000001\",\"effective\":"
    "1795515000,\"expires\":1795518000,\"issued\":1795514400,\"log\":{"
    "\"root\":\"" HASH "\",\"size\":12},\"origin\":"
    "\"ca.example.cl/bitacora\",\"policies\":[{\"name\":\"estado-base\","
    "\"sha256\":\"" HASH "\",\"version\":3},{\"base\":{\"name\":"
    "\"estado-base\",\"sha256\":\"" HASH "\",\"version\":3},\"name\":"
    "\"funcionario-firma\",\"sha256\":\"" HASH "\",\"version\":8}],"
    "\"proposed_by\":\"11111111-1\",\"text_es\":\"Autorizo.\",\"type\":"
    "\"refrendo/policy-activation/v1\"}";

static void
test_activation_words(void **state)
{
	struct activation_statement s = activation();
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	(void)state;
	activation_in_words(&s, false, &text);
	assert_string_equal(buf_text(&text),
	    "I allow that from 2026-11-24T10:10:00Z on these certificate "
	    "policies are in force, with the hashes that stand here: "
	    "estado-base v3, funcionario-firma v8.");
}

static void
test_activation(void **state)
{
	(void)state;
	AUTO(arena) a = arena_new();
	struct activation_statement s = activation(), got;
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);
	struct statement other;
	struct err e;

	assert_int_equal(activation_print(&s, &out, &e), ERR_OK);
	assert_string_equal(buf_text(&out), activation_text);
	assert_true(statement_is_activation(buf_bytes(&out)));
	assert_int_equal(activation_parse(buf_bytes(&out), a, &got, &e),
	    ERR_OK);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.policy[0].base.name.len, 0);
	assert_true(bytes_is(got.policy[1].base.name, "estado-base"));
	assert_int_equal(got.effective, 1795515000);
	/* Domains are apart: neither is taken for the other. */
	assert_int_equal(statement_parse(buf_bytes(&out), a, &other, &e),
	    ERR_INVALID);
	assert_int_equal(activation_parse(bytes_str(endorsement_text), a, &got,
			     &e),
	    ERR_INVALID);
	assert_string_equal(e.say, "this is no statement that is known here");
	assert_false(statement_is_activation(bytes_str(endorsement_text)));
}

static void
test_activation_members(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *field;
	} changes[] = {
		{ "\"effective\":1795515000", "\"effective\":1795514399",
		    "effective" },
		{ "\"expires\":1795518000", "\"expires\":1795514400",
		    "expires" },
		{ "\"version\":8", "\"version\":0", "policies.version" },
		{ "\"name\":\"funcionario-firma\"", "\"name\":\"estado-base\"",
		    "policies.name" },
		{ "\"proposed_by\":\"11111111-1\"",
		    "\"proposed_by\":\"11111111-2\"", "proposed_by" },
		{ "\"text_es\":\"Autorizo.\"", "\"text_es\":\"\"", "text_es" },
		{ "\"size\":12", "\"size\":-1", "log.size" },
	};
	AUTO(arena) a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
		struct activation_statement s;
		struct err e = { .code = ERR_OK };
		const char *at = strstr(activation_text, changes[i].from);
		assert_non_null(at);
		buf_put(&text, activation_text, (size_t)(at - activation_text));
		buf_puts(&text, changes[i].to);
		buf_puts(&text, at + strlen(changes[i].from));
		assert_int_equal(activation_parse(buf_bytes(&text), a, &s, &e),
		    ERR_INVALID);
		assert_string_equal(e.id, "statement-member");
		assert_string_equal(e.where.field, changes[i].field);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_activation_words),
		cmocka_unit_test(test_activation),
		cmocka_unit_test(test_activation_members),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_mandate),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_print_refuses),
		cmocka_unit_test(test_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
