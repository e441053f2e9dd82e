/* Routes: every one of the table, what each refuses, and where it points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/api.h>

#define KEY  "Idempotency-Key: k1\r\n"
#define JSON "Content-Type: application/json\r\n"

/* One whole request, parsed and routed; lives in the arena. */
struct routed {
	enum err_code code;
	int status;
	struct api_call call;
	struct err e;
};

static struct routed
route(struct arena *a, const char *line, const char *fields, const char *body)
{
	struct routed r = { .status = 0 };
	struct http_request request;
	size_t used;
	const char *text = arena_printf(a,
	    "%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s", line,
	    fields, strlen(body), body);
	if (http_parse(bytes_str(text), &http_limits_api, &request, &used,
		&r.status, &r.e) != ERR_OK) {
		print_error("%s: %s\n", line, r.e.say);
		fail();
	}
	r.code = api_route(&request, 1000, a, &r.call, &r.status, &r.e);
	return r;
}

static void
is_text(const char *row, struct bytes got, const char *want)
{
	if (bytes_is(got, want))
		return;
	print_error("%s: got %.*s, want %s\n", row, BYTES_FMT(got), want);
	fail();
}

/* --- Acts ----------------------------------------------------------------------- */

#define CSR "TUlJ" /* base64 of MII */

/* clang-format off */
static const struct {
	const char *line, *body;
	enum ca_act act;
	enum ca_field field; /* that the path gives */
	const char *want;
} acts[] = {
	{ "POST /api/v1/institutions", "{\"as\":\"11111111-1\",\"rut\":\"60.910.000-1\",\"name\":\"U\"}",
	    ACT_INSTITUTION_ADD, CF_RUT, "60910000-1" },
	{ "POST /api/v1/institutions/60.910.000-1:enable", "{\"as\":\"11111111-1\"}",
	    ACT_INSTITUTION_ENABLE, CF_RUT, "60910000-1" },
	{ "POST /api/v1/institutions/60910000-1:suspend", "{\"as\":\"11111111-1\"}",
	    ACT_INSTITUTION_SUSPEND, CF_RUT, "60910000-1" },
	{ "POST /api/v1/institutions/60910000-1:close", "{\"as\":\"11111111-1\",\"reason\":\"x\"}",
	    ACT_INSTITUTION_CLOSE, CF_REASON, "x" },
	{ "POST /api/v1/people", "{\"as\":\"22222222-2\",\"rut\":\"60910000-1\",\"run\":\"12.345.678-5\","
	    "\"name\":\"Mar\xc3\xad" "a\",\"office\":\"D\",\"email\":\"m@example.org\",\"operator\":true}",
	    ACT_PERSON_REGISTER, CF_OPERATOR, "true" },
	{ "POST /api/v1/people", "{\"as\":\"22222222-2\",\"rut\":\"60910000-1\",\"run\":\"12.345.678-5\","
	    "\"name\":\"M\",\"office\":\"D\",\"email\":\"m@example.org\",\"kind\":\"authority\","
	    "\"attribute\":{\"host\":\"a=b.cl\",\"grade\":\"5\",\"x\":\"\"}}",
	    ACT_PERSON_REGISTER, CF_ATTRIBUTE, "grade=5\nhost=a=b.cl\nx=" },
	{ "POST /api/v1/appointments", "{\"as\":\"11111111-1\",\"rut\":\"60910000-1\",\"run\":\"33333333-3\","
	    "\"csr\":\"" CSR "\",\"act_number\":\"D 1\",\"act_date\":\"2026-11-01\",\"until\":\"2027-11-01\",\"deputy\":false}",
	    ACT_APPOINTMENT_PROPOSE, CF_CSR, "MII" },
	{ "POST /api/v1/appointments/NOM-2026-000001:confirm", "{\"cms\":\"" CSR "\"}",
	    ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT, "NOM-2026-000001" },
	{ "POST /api/v1/appointments/NOM-2026-000001:end", "{\"as\":\"11111111-1\"}",
	    ACT_APPOINTMENT_END, CF_APPOINTMENT, "NOM-2026-000001" },
	{ "POST /api/v1/appointments/NOM-2026-000001:withdraw", "{\"as\":\"11111111-1\"}",
	    ACT_APPOINTMENT_WITHDRAW, CF_APPOINTMENT, "NOM-2026-000001" },
	{ "POST /api/v1/requests", "{\"as\":\"22222222-2\",\"rut\":\"60910000-1\",\"run\":\"12345678-5\","
	    "\"policy\":\"p\",\"csr\":\"" CSR "\",\"validity\":\"2y\"}",
	    ACT_REQUEST_NEW, CF_VALIDITY, "2y" },
	{ "POST /api/v1/requests/SOL-2026-000001:submit", "{\"as\":\"22222222-2\"}",
	    ACT_REQUEST_SUBMIT, CF_REQUEST, "SOL-2026-000001" },
	{ "POST /api/v1/requests/SOL-2026-000001:endorse", "{\"cms\":\"" CSR "\"}",
	    ACT_REQUEST_ENDORSE, CF_CMS, "MII" },
	{ "POST /api/v1/requests/SOL-2026-000001:return", "{\"as\":\"33333333-3\",\"reason\":\"x\"}",
	    ACT_REQUEST_RETURN, CF_REASON, "x" },
	{ "POST /api/v1/requests/SOL-2026-000001:reject", "{\"as\":\"33333333-3\",\"reason\":\"x\"}",
	    ACT_REQUEST_REJECT, CF_REASON, "x" },
	{ "POST /api/v1/requests/SOL-2026-000001:withdraw", "{\"as\":\"22222222-2\"}",
	    ACT_REQUEST_WITHDRAW, CF_REQUEST, "SOL-2026-000001" },
	{ "POST /api/v1/requests/SOL-2026-000001:retry", "{\"as\":\"22222222-2\"}",
	    ACT_REQUEST_RETRY, CF_REQUEST, "SOL-2026-000001" },
	{ "POST /api/v1/certificates/0A0b:renew", "{\"as\":\"22222222-2\",\"csr\":\"" CSR "\"}",
	    ACT_CERTIFICATE_RENEW, CF_SERIAL, "0a0b" },
	{ "POST /api/v1/certificates/0a0b:revoke", "{\"as\":\"33333333-3\",\"cause\":\"office-ended\","
	    "\"invalid_since\":\"2026-11-01\"}",
	    ACT_CERTIFICATE_REVOKE, CF_CAUSE, "office-ended" },
	{ "POST /api/v1/certificates/0a0b:suspend", "{\"as\":\"33333333-3\",\"cause\":\"key-doubt\"}",
	    ACT_CERTIFICATE_SUSPEND, CF_CAUSE, "key-doubt" },
	{ "POST /api/v1/certificates/0a0b:reinstate", "{\"as\":\"33333333-3\"}",
	    ACT_CERTIFICATE_REINSTATE, CF_AS, "33333333-3" },
	{ "POST /api/v1/policy-activations", "{\"as\":\"11111111-1\",\"files\":[\"cG9saWN5OiBh\",\"YQ==\"]}",
	    ACT_POLICY_PROPOSE, CF_AS, "11111111-1" },
	{ "POST /api/v1/policy-activations/POL-2026-000001:endorse", "{\"cms\":\"" CSR "\"}",
	    ACT_POLICY_ENDORSE, CF_ACTIVATION, "POL-2026-000001" },
	{ "POST /api/v1/policy-activations/POL-2026-000001:withdraw", "{\"as\":\"11111111-1\"}",
	    ACT_POLICY_WITHDRAW, CF_ACTIVATION, "POL-2026-000001" },
	{ "POST /api/v1/ceremonies:ca", "{\"as\":\"11111111-1\",\"name\":\"g2\",\"csr\":\"" CSR "\"}",
	    ACT_CEREMONY_CA, CF_NAME, "g2" },
	{ "POST /api/v1/ceremonies:crl", "{\"as\":\"11111111-1\",\"serial\":\"0A0b\",\"cause\":\"superseded\"}",
	    ACT_CEREMONY_CRL, CF_SERIAL, "0a0b" },
	{ "POST /api/v1/ceremonies:key", "{\"as\":\"11111111-1\",\"name\":\"emisora\"}",
	    ACT_CEREMONY_KEY, CF_NAME, "emisora" },
	{ "POST /api/v1/ceremonies:cross", "{\"as\":\"11111111-1\",\"name\":\"vecina\",\"policy\":\"cruzada\",\"certificate\":\"" CSR "\"}",
	    ACT_CEREMONY_CROSS, CF_CERTIFICATE, "MII" },
	{ "POST /api/v1/ceremonies:ceilings", "{\"as\":\"11111111-1\",\"files\":[\"" CSR "\"]}",
	    ACT_CEREMONY_CEILINGS, CF_AS, "11111111-1" },
	{ "POST /api/v1/ceremonies:root", "{\"as\":\"11111111-1\",\"name\":\"raiz-g2\",\"files\":[\"" CSR "\"]}",
	    ACT_CEREMONY_ROOT, CF_NAME, "raiz-g2" },
	{ "POST /api/v1/ceremonies/CER-2026-000001:endorse", "{\"cms\":\"" CSR "\"}",
	    ACT_CEREMONY_ENDORSE, CF_CEREMONY, "CER-2026-000001" },
	{ "POST /api/v1/ceremonies/CER-2026-000001:withdraw", "{\"as\":\"11111111-1\"}",
	    ACT_CEREMONY_WITHDRAW, CF_CEREMONY, "CER-2026-000001" },
	{ "POST /api/v1/ceremonies:import", "{\"as\":\"11111111-1\",\"answer\":\"" CSR "\"}",
	    ACT_CEREMONY_IMPORT, CF_ANSWER, "MII" },
	{ "POST /api/v1/cas", "{\"as\":\"11111111-1\",\"name\":\"g3\",\"key_type\":\"ec-p384\"}",
	    ACT_CA_CREATE, CF_KEY_TYPE, "ec-p384" },
	{ "POST /api/v1/cas/emisora:stop", "{\"as\":\"11111111-1\"}",
	    ACT_CA_STOP, CF_NAME, "emisora" },
	{ "POST /api/v1/mandates", "{\"as\":\"22222222-2\",\"serial\":\"0a0b\",\"until\":\"2027-06-30\",\"renewals\":\"30\"}",
	    ACT_MANDATE_PROPOSE, CF_RENEWALS, "30" },
	{ "POST /api/v1/mandates/MAN-2026-000001:endorse", "{\"cms\":\"" CSR "\"}",
	    ACT_MANDATE_ENDORSE, CF_MANDATE, "MAN-2026-000001" },
	{ "POST /api/v1/mandates/MAN-2026-000001:end", "{\"as\":\"22222222-2\"}",
	    ACT_MANDATE_END, CF_MANDATE, "MAN-2026-000001" },
};
/* clang-format on */

static void
acts_become_commands(void **state)
{
	bool seen[ACT_COUNT] = { false };
	AUTO(arena) a = arena_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		const char *row = acts[i].line;
		struct routed r = route(a, row, KEY JSON, acts[i].body);
		if (r.code != ERR_OK) {
			print_error("%s: %s\n", row, r.e.say);
			fail();
		}
		assert_true(r.call.is_command);
		assert_int_equal(r.call.command.act, acts[i].act);
		assert_int_equal(r.call.command.uid, 1000);
		is_text(row, r.call.command.f[CF_KEY], "k1");
		is_text(row, r.call.command.f[acts[i].field], acts[i].want);
		seen[acts[i].act] = true;
	}
	for (size_t i = 0; i < ACT_COUNT; i++) {
		if (!seen[i])
			print_error("no row for %s\n", ca_acts[i].name);
		assert_true(seen[i]);
	}
}

/* The client's end makes the same command again. */
static void
client_and_server_agree(void **state)
{
	AUTO(arena) a = arena_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		struct buf path AUTO_BUF = BUF(4096),
				body AUTO_BUF = BUF(65536);
		enum http_method method, again;
		struct routed one =
		    route(a, acts[i].line, KEY JSON, acts[i].body);
		api_request_of(&one.call.command, &method, &path, &body);
		struct routed two = route(a,
		    arena_printf(a, "%s %s", http_method_name(method),
			buf_text(&path)),
		    KEY JSON, buf_text(&body));
		assert_int_equal(two.code, ERR_OK);
		assert_int_equal(two.call.command.act, acts[i].act);
		for (size_t f = 0; f < CF_COUNT; f++)
			assert_true(bytes_eq(one.call.command.f[f],
			    two.call.command.f[f]));
		assert_non_null(
		    strstr(api_path_of_act(acts[i].act, &again), "/"));
		assert_int_equal(again, HTTP_POST);
	}
}

/* --- Queries ------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
	const char *line;
	enum core_message what;
	enum row_class class;
	const char *key; /* as hex where it is a number */
	const char *raw;
	uint64_t limit, index;
} queries[] = {
	{ "GET /api/v1/institutions", CORE_LIST, ROW_INSTITUTION, "", NULL, 100, 0 },
	{ "GET /api/v1/institutions/60.910.000-1", CORE_GET, ROW_INSTITUTION, "60910000-1", NULL, 0, 0 },
	{ "GET /api/v1/institutions/60910000-1/people?limit=7", CORE_LIST, ROW_PERSON, "60910000-1/", NULL, 7, 0 },
	{ "GET /api/v1/institutions/60910000-1/people/12.345.678-5", CORE_GET, ROW_PERSON, "60910000-1/12345678-5", NULL, 0, 0 },
	{ "GET /api/v1/people", CORE_LIST, ROW_PERSON, "", NULL, 100, 0 },
	{ "GET /api/v1/appointments", CORE_LIST, ROW_APPOINTMENT, "", NULL, 100, 0 },
	{ "GET /api/v1/appointments/NOM-2026-000001", CORE_GET, ROW_APPOINTMENT, "NOM-2026-000001", NULL, 0, 0 },
	{ "GET /api/v1/appointments/NOM-2026-000001/statement", CORE_GET, ROW_APPOINTMENT, "NOM-2026-000001", "statement", 0, 0 },
	{ "GET /api/v1/appointments/NOM-2026-000001/certificate", CORE_GET, ROW_APPOINTMENT, "NOM-2026-000001", "certificate", 0, 0 },
	{ "GET /api/v1/requests?after=53&limit=500", CORE_LIST, ROW_REQUEST, "", NULL, 500, 0 },
	{ "GET /api/v1/requests/SOL%2D2026-000001?blobs=1", CORE_GET, ROW_REQUEST, "SOL-2026-000001", NULL, 0, 0 },
	{ "GET /api/v1/requests/SOL-2026-000001/statement", CORE_GET, ROW_REQUEST, "SOL-2026-000001", "statement", 0, 0 },
	{ "GET /api/v1/certificates", CORE_LIST, ROW_CERTIFICATE, "", NULL, 100, 0 },
	{ "GET /api/v1/certificates/4142", CORE_GET, ROW_CERTIFICATE, "AB", NULL, 0, 0 },
	{ "GET /api/v1/certificates/4142/certificate", CORE_GET, ROW_CERTIFICATE, "AB", "certificate", 0, 0 },
	{ "GET /api/v1/policies", CORE_LIST, ROW_IN_FORCE, "", NULL, 100, 0 },
	{ "GET /api/v1/policies/funcionario-firma", CORE_GET, ROW_IN_FORCE, "funcionario-firma", NULL, 0, 0 },
	{ "GET /api/v1/policy-texts/4142", CORE_GET, ROW_POLICY, "AB", NULL, 0, 0 },
	{ "GET /api/v1/policy-texts/4142/text", CORE_GET, ROW_POLICY, "AB", "text", 0, 0 },
	{ "GET /api/v1/crls", CORE_LIST, ROW_CRL, "", NULL, 100, 0 },
	{ "GET /api/v1/log/entries?start=3&size=9", CORE_EXPORT, 0, "", NULL, 9, 3 },
	{ "GET /api/v1/log/seal", CORE_SEAL, 0, "", NULL, 0, 0 },
	{ "GET /api/v1/log/closing", CORE_CLOSING, 0, "", NULL, 0, 0 },
	{ "GET /api/v1/requests/SOL-2026-000001/explain", CORE_EXPLAIN, 0, "SOL-2026-000001", NULL, 0, 0 },
	{ "GET /api/v1/log/proof?index=5", CORE_PROOF, 0, "", NULL, 0, 5 },
	{ "GET /api/v1/checkpoint", CORE_SEAL, 0, "", NULL, 0, 0 },
	{ "GET /api/v1/status", CORE_STATUS, 0, "", NULL, 0, 0 },
};
/* clang-format on */

static void
paths_become_queries(void **state)
{
	AUTO(arena) a = arena_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		const char *row = queries[i].line;
		struct routed r = route(a, row, "", "");
		if (r.code != ERR_OK) {
			print_error("%s: %s\n", row, r.e.say);
			fail();
		}
		assert_false(r.call.is_command);
		assert_int_equal(r.call.query.what, queries[i].what);
		assert_int_equal(r.call.query.class, queries[i].class);
		assert_int_equal(r.call.query.limit, queries[i].limit);
		assert_int_equal(r.call.query.index, queries[i].index);
		is_text(row, r.call.query.key, queries[i].key);
		assert_int_equal(r.call.with_blobs,
		    strstr(row, "blobs=1") != NULL);
		if (queries[i].raw == NULL)
			assert_null(r.call.raw);
		else
			assert_string_equal(r.call.raw, queries[i].raw);
	}
	struct routed r =
	    route(a, "POST /api/v1/snapshots", JSON, "{\"name\":\"night-1\"}");
	assert_int_equal(r.code, ERR_OK);
	assert_int_equal(r.call.query.what, CORE_SNAPSHOT);
	is_text("snapshot", r.call.query.key, "night-1");
	r = route(a, "GET /api/v1/requests?after=534f4c", "", "");
	is_text("after", r.call.query.after, "SOL");
}

/* --- Refusals ---------------------------------------------------------------------------- */

#define ADD    "POST /api/v1/institutions"
#define ENABLE "POST /api/v1/institutions/60910000-1:enable"
#define PEOPLE "POST /api/v1/people"

/* clang-format off */
static const struct {
	const char *name, *line, *fields, *body;
	int status;
	const char *id, *field, *say;
} refusals[] = {
	{ "no such path", "GET /api/v1/institution", "", "", 404, "api-path", "",
	    "there is nothing at this path; doc/api.md lists what there is" },
	{ "outside the prefix", "GET /institutions", "", "", 404, "api-path", "",
	    "there is nothing at this path; doc/api.md lists what there is" },
	{ "a slash more", "GET /api/v1/institutions/", "", "", 404, "api-path", "", NULL },
	{ "no such verb", "POST /api/v1/institutions/60910000-1:open", KEY, "", 404, "api-path", "", NULL },
	{ "empty variable", "POST /api/v1/institutions/:enable", KEY, "", 404, "api-path", "", NULL },
	{ "a slash in a variable", "GET /api/v1/requests/a/b", "", "", 404, "api-path", "", NULL },
	{ "wrong method", "DELETE /api/v1/institutions", "", "", 405, "api-method", "",
	    "DELETE is not possible here; the field Allow of this answer says what is" },
	{ "head of an act", "HEAD /api/v1/people/x", "", "", 404, "api-path", "", NULL },
	{ "get of an act", "GET /api/v1/institutions/60910000-1:enable", "", "", 405, "api-method", "", NULL },
	{ "no key", ENABLE, "", "{\"as\":\"11111111-1\"}", 400, "api-key-missing", "Idempotency-Key",
	    "a request that changes something needs the header field Idempotency-Key: any text of 1 to 64 "
	    "letters and digits, and the same one when it is repeated" },
	{ "bad key", ENABLE, "Idempotency-Key: a b\r\n", "{\"as\":\"11111111-1\"}", 400, "command-field",
	    "Idempotency-Key", NULL },
	{ "key in the body", ENABLE, KEY, "{\"as\":\"11111111-1\",\"key\":\"k\"}", 400, "api-member-unknown", "/key",
	    "the body has a member key that this act does not have; leave it out" },
	{ "member of the path again", ENABLE, KEY, "{\"as\":\"11111111-1\",\"rut\":\"60910000-1\"}", 400,
	    "api-member-unknown", "/rut", NULL },
	{ "misspelt member", ADD, KEY, "{\"as\":\"11111111-1\",\"nmae\":\"U\"}", 400, "api-member-near", "/nmae",
	    "the body has a member nmae that is not known here; is name meant?" },
	{ "member of another act", ADD, KEY, "{\"as\":\"11111111-1\",\"deputy\":true}", 400, "api-member-unknown",
	    "/deputy", "the body has a member deputy that this act does not have; leave it out" },
	{ "member twice", ADD, KEY, "{\"rut\":\"60910000-1\",\"rut\":\"1-9\"}", 400, "api-member-twice", "/rut",
	    "the member rut stands twice in the body; give it once" },
	{ "number for text", ADD, KEY, "{\"name\":7}", 400, "api-member-type", "/name",
	    "the member name must be text in quotes" },
	{ "null", ADD, KEY, "{\"name\":null}", 400, "api-member-type", "/name", NULL },
	{ "nested", ADD, KEY, "{\"name\":{\"x\":1}}", 400, "api-member-type", "/name", NULL },
	{ "empty text", ADD, KEY, "{\"name\":\"\"}", 400, "api-member-type", "/name",
	    "the member name must be left out, or have a value" },
	{ "text for a flag", PEOPLE, KEY, "{\"operator\":\"true\"}", 400, "api-member-type", "/operator",
	    "the member operator must be true or false" },
	{ "no base64", "POST /api/v1/requests", KEY, "{\"csr\":\"***\"}", 400, "api-member-type", "/csr",
	    "the member csr must be base64 with padding on one line" },
	{ "not JSON", ADD, KEY, "rut=1-9", 400, "api-json", "",
	    "the body is not JSON in UTF-8; send one object of texts" },
	{ "something after", ADD, KEY, "{} {}", 400, "api-json", "", NULL },
	{ "a NUL in text", ADD, KEY, "{\"name\":\"a\\u0000b\"}", 400, "api-json", "", NULL },
	{ "no UTF-8", ADD, KEY, "{\"name\":\"\xff\"}", 400, "api-json", "", NULL },
	{ "an array", ADD, KEY, "[]", 400, "api-no-object", "",
	    "the body is JSON but no object; send {\"member\": …}" },
	{ "other type", ADD, KEY "Content-Type: text/plain\r\n", "{}", 415, "api-content-type", "Content-Type",
	    "the body is of type text/plain where application/json is needed" },
	{ "two people", ENABLE, KEY "Refrendo-As: 22222222-2\r\n", "{\"as\":\"11111111-1\"}", 400, "api-as-twice",
	    "Refrendo-As", "the member as and the header field Refrendo-As name two people; give one of them" },
	{ "key twice", ENABLE, KEY "idempotency-key: k2\r\n", "{\"as\":\"11111111-1\"}", 400, "api-header-twice",
	    "Idempotency-Key", "the header field Idempotency-Key stands there twice; give it once" },
	{ "nobody of the header", ENABLE, KEY "Refrendo-As: 11111111-2\r\n", "", 400, "run-digit", "Refrendo-As", NULL },
	{ "nobody acts", ENABLE, KEY, "", 400, "command-field-missing", "/as",
	    "institution.enable needs the field as, which is missing" },
	{ "wrong digit in the body", ADD, KEY, "{\"as\":\"11111111-1\",\"rut\":\"60910000-2\",\"name\":\"U\"}", 400,
	    "run-digit", "/rut", NULL },
	{ "wrong digit in the path", "POST /api/v1/institutions/60910000-2:enable", KEY, "{\"as\":\"11111111-1\"}",
	    400, "run-digit", "path:rut", NULL },
	{ "wrong digit of a query", "GET /api/v1/institutions/60910000-2", "", "", 400, "run-digit", "path:rut", NULL },
	{ "odd serial", "GET /api/v1/certificates/abc", "", "", 400, "api-hex", "path:serial",
	    "abc is not a number in hexadecimal with two digits for each octet, at most 64" },
	{ "bad escape", "GET /api/v1/requests/%4", "", "", 400, "http-percent", "", NULL },
	{ "unknown parameter", "GET /api/v1/requests?page=2", "", "", 400, "api-parameter-unknown", "page",
	    "this path has no parameter page; leave it out" },
	{ "parameter of another path", "GET /api/v1/status?limit=2", "", "", 400, "api-parameter-unknown", "limit", NULL },
	{ "parameter twice", "GET /api/v1/requests?limit=2&limit=3", "", "", 400, "api-parameter", "limit",
	    "the parameter limit must be given once" },
	{ "too many rows", "GET /api/v1/requests?limit=501", "", "", 400, "api-parameter", "limit",
	    "the parameter limit must be a number from 1 to 500" },
	{ "no rows", "GET /api/v1/requests?limit=0", "", "", 400, "api-parameter", "limit", NULL },
	{ "odd cursor", "GET /api/v1/requests?after=abc", "", "", 400, "api-parameter", "after",
	    "the parameter after must be the next of a page" },
	{ "blobs=2", "GET /api/v1/requests?blobs=2", "", "", 400, "api-parameter", "blobs",
	    "the parameter blobs must be 0 or 1" },
	{ "negative index", "GET /api/v1/log/proof?index=-1", "", "", 400, "api-parameter", "index",
	    "the parameter index must be a number" },
	{ "no index", "GET /api/v1/log/proof", "", "", 400, "api-parameter-missing", "index",
	    "this path needs the parameter index" },
	{ "parameter of an act", ENABLE "?limit=1", KEY, "{\"as\":\"11111111-1\"}", 400, "api-parameter-unknown", "limit", NULL },
	{ "body of a query", "GET /api/v1/status", "", "{}", 400, "api-body-unexpected", "",
	    "a request that only reads has no body; leave it out" },
	{ "snapshot without name", "POST /api/v1/snapshots", "", "{}", 400, "api-snapshot-name", "/name",
	    "a snapshot needs the member name, a text" },
	{ "snapshot with more", "POST /api/v1/snapshots", "", "{\"name\":\"x\",\"dir\":\"/\"}", 400, "api-member-unknown", "/dir", NULL },
};
/* clang-format on */

static void
refused_with_a_pointer(void **state)
{
	AUTO(arena) a = arena_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct routed r = route(a, refusals[i].line, refusals[i].fields,
		    refusals[i].body);
		if (r.code == ERR_OK || r.status != refusals[i].status ||
		    strcmp(r.e.id, refusals[i].id) != 0 ||
		    strcmp(r.e.where.field, refusals[i].field) != 0 ||
		    (refusals[i].say != NULL &&
			strcmp(r.e.say, refusals[i].say) != 0)) {
			print_error("%s: %d %s at \"%s\": %s\n",
			    refusals[i].name, r.status,
			    r.code == ERR_OK ? "accepted" : r.e.id,
			    r.code == ERR_OK ? "" : r.e.where.field,
			    r.code == ERR_OK ? "" : r.e.say);
			fail();
		}
	}
}

static void
too_large_a_request(void **state)
{
	AUTO(arena) a = arena_new();
	char *body = malloc(80000);
	(void)state;
	memset(body, 'A', 79999);
	memcpy(body, "{\"csr\":\"", 8);
	memcpy(body + 8 + 79984, "\"}", 3);
	struct routed r = route(a, "POST /api/v1/requests", KEY, body);
	free(body);
	assert_int_equal(r.code, ERR_INVALID);
	assert_string_equal(r.e.id, "api-member-size");
	assert_string_equal(r.e.where.field, "/csr");
}

static void
methods_of_a_path(void **state)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
		{ "/api/v1/institutions", "GET, HEAD, POST" },
		{ "/api/v1/institutions/60910000-1", "GET, HEAD" },
		{ "/api/v1/institutions/60910000-1:enable", "POST" },
		{ "/api/v1/nothing", "" },
		{ "/", "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out AUTO_BUF = BUF(64);
		api_allow(bytes_str(rows[i].path), &out);
		assert_string_equal(buf_text(&out), rows[i].want);
	}
}

/* REFRENDO_GOLDEN=write makes the page anew. */
static void
reference_is_current(void **state)
{
	struct buf want AUTO_BUF = BUF(1 << 20);
	static char have[1 << 20];
	(void)state;
	api_reference(&want);
	const char *mode = getenv("REFRENDO_GOLDEN");
	bool write = mode != NULL && strcmp(mode, "write") == 0;
	FILE *f = fopen(SOURCE_DIR "/doc/api.md", write ? "wb" : "rb");
	assert_non_null(f);
	if (write)
		fwrite(want.p, 1, want.len, f);
	size_t n = write ? 0 : fread(have, 1, sizeof(have) - 1, f);
	fclose(f);
	have[n] = '\0';
	if (!write)
		assert_string_equal(have, buf_text(&want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acts_become_commands),
		cmocka_unit_test(client_and_server_agree),
		cmocka_unit_test(paths_become_queries),
		cmocka_unit_test(refused_with_a_pointer),
		cmocka_unit_test(too_large_a_request),
		cmocka_unit_test(methods_of_a_path),
		cmocka_unit_test(reference_is_current),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
