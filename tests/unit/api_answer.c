/* Messages between front and core, and core's answers as clients read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/api.h>

/* clang-format off */
static const struct {
	const char *name;
	struct query q;
} queries[] = {
	{ "get", { .what = CORE_GET, .class = ROW_REQUEST, .key = { (const uint8_t *)"SOL", 3 } } },
	{ "list", { .what = CORE_LIST, .class = ROW_PERSON, .key = { (const uint8_t *)"1-9/", 4 },
	    .after = { (const uint8_t *)"1-9/2-7", 7 }, .limit = 500 } },
	{ "status", { .what = CORE_STATUS } },
	{ "seal", { .what = CORE_SEAL } },
	{ "export", { .what = CORE_EXPORT, .index = 7, .limit = UINT64_MAX } },
	{ "closing", { .what = CORE_CLOSING, .limit = 9 } },
	{ "proof", { .what = CORE_PROOF, .index = UINT64_MAX } },
	{ "snapshot", { .what = CORE_SNAPSHOT, .key = { (const uint8_t *)"x-1", 3 } } },
};
/* clang-format on */

static void
queries_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct buf b AUTO_BUF = BUF(2048);
		const struct query *q = &queries[i].q;
		struct query got;
		struct err e;
		query_encode(q, &b);
		assert_true(b.len <= core_cap((uint16_t)q->what));
		assert_int_equal(query_decode(q->what, buf_bytes(&b), &got, &e),
		    ERR_OK);
		assert_int_equal(got.what, q->what);
		assert_int_equal(got.class, q->class);
		assert_int_equal(got.limit, q->limit);
		assert_int_equal(got.index, q->index);
		assert_true(bytes_eq(got.key, q->key));
		assert_true(bytes_eq(got.after, q->after));
		/* Shorter and longer ones are nobody's. */
		put_u8(&b, 0);
		assert_int_equal(query_decode(q->what, buf_bytes(&b), &got, &e),
		    ERR_INVALID);
		assert_string_equal(e.id, "query-form");
		assert_string_equal(e.say,
		    "the query is not in the form that queries have");
		for (size_t n = 0; n + 1 < b.len; n++)
			assert_int_equal(query_decode(q->what, bytes_of(b.p, n),
					     &got, &e),
			    ERR_INVALID);
	}
}

static void
queries_of_no_class(void **state)
{
	struct buf b AUTO_BUF = BUF(2048);
	uint8_t key[ROW_KEY_MAX] = { 0 };
	struct query q = { .what = CORE_GET, .class = (enum row_class)'!' };
	struct err e;
	(void)state;
	query_encode(&q, &b);
	assert_int_equal(query_decode(CORE_GET, buf_bytes(&b), &q, &e),
	    ERR_INVALID);
	buf_reset(&b);
	q = (struct query){ .what = CORE_GET,
		.class = ROW_KEY,
		.key = bytes_of(key, sizeof(key)) };
	query_encode(&q, &b);
	assert_int_equal(query_decode(CORE_GET, buf_bytes(&b), &q, &e),
	    ERR_INVALID);
	assert_int_equal(query_decode(CORE_COMMAND, BYTES_NONE, &q, &e),
	    ERR_INVALID);
	assert_int_equal(query_decode((enum core_message)99, BYTES_NONE, &q,
			     &e),
	    ERR_INVALID);
}

static void
caps_by_direction(void **state)
{
	(void)state;
	assert_int_equal(core_cap(CORE_GET), 512);
	assert_int_equal(core_cap(CORE_GET | CORE_ANSWER), CORE_ANSWER_MAX);
	assert_int_equal(core_cap(CORE_GET | CORE_REFUSAL), 4096);
	assert_int_equal(core_cap(CORE_GET | CORE_REFUSAL | CORE_ANSWER), 0);
	/* With blobs: a question for rows, never an answer or another. */
	assert_int_equal(core_cap(CORE_GET | CORE_WHOLE), 512);
	assert_int_equal(core_cap(CORE_COMMAND | CORE_WHOLE), 131072);
	assert_int_equal(core_cap(CORE_GET | CORE_WHOLE | CORE_ANSWER), 0);
	assert_int_equal(core_cap(CORE_STATUS | CORE_WHOLE), 0);
	assert_int_equal(core_cap(0), 0);
	assert_int_equal(core_cap(99), 0);
	assert_int_equal(core_cap(99 | CORE_ANSWER), 0);
}

/* --- Rendering -------------------------------------------------------------------- */

static void
put_institution(struct buf *out, const char *rut)
{
	struct institution i = { .rut = bytes_str(rut),
		.name = bytes_str("U"),
		.state = INST_ENABLED,
		.added = 1795514400 };
	struct buf row AUTO_BUF = BUF(1024), key AUTO_BUF = BUF(64);
	buf_putc(&key, ROW_INSTITUTION);
	buf_puts(&key, rut);
	rec_encode(&rec_institution, &i, &row);
	rows_put(out, buf_bytes(&key), buf_bytes(&row));
}

static void
put_request(struct buf *out, const char *statement, bool whole)
{
	struct request r = { .id = bytes_str("SOL-2026-000001"),
		.statement = bytes_str(statement) };
	struct buf row AUTO_BUF = BUF(4096);
	if (whole)
		rec_encode(&rec_request, &r, &row);
	else
		rec_encode_row(&rec_request, &r, &row);
	rows_put(out, bytes_str("rSOL-2026-000001"), buf_bytes(&row));
}

static const char *
render(const struct api_call *call, const struct buf *answer, struct buf *body,
    const char **type)
{
	struct err e;
	buf_reset(body);
	if (api_render(call, buf_bytes(answer), body, type, &e) != ERR_OK)
		return e.id;
	return buf_text(body);
}

#define ONE                                                                   \
	"{\"added\":\"2026-11-24T10:00:00Z\",\"name\":\"U\",\"rut\":\"1-9\"," \
	"\"state\":\"enabled\"}"

static void
rows_as_json(void **state)
{
	struct buf answer AUTO_BUF = BUF(65536), body AUTO_BUF = BUF(65536);
	struct api_call call = { .is_command = true };
	const char *type;
	(void)state;
	put_institution(&answer, "1-9");
	assert_string_equal(render(&call, &answer, &body, &type), ONE);
	assert_string_equal(type, "application/json");
	call = (struct api_call){ .query = { .what = CORE_GET } };
	assert_string_equal(render(&call, &answer, &body, &type), ONE);
	call.query = (struct query){ .what = CORE_LIST, .limit = 2 };
	assert_string_equal(render(&call, &answer, &body, &type),
	    "{\"items\":[" ONE "]}");
	put_institution(&answer, "2-7");
	assert_non_null(strstr(render(&call, &answer, &body, &type),
	    "}],\"next\":\"322d37\"}"));
	buf_reset(&answer);
	assert_string_equal(render(&call, &answer, &body, &type),
	    "{\"items\":[]}");
}

static void
raw_members(void **state)
{
	struct buf answer AUTO_BUF = BUF(65536), body AUTO_BUF = BUF(65536);
	struct api_call call = { .query = { .what = CORE_GET },
		.raw = "statement",
		.raw_type = "application/json" };
	const char *type;
	struct err e;
	(void)state;
	put_request(&answer, "{\"exact\":1}", true);
	assert_string_equal(render(&call, &answer, &body, &type),
	    "{\"exact\":1}");
	buf_reset(&answer);
	put_request(&answer, "", true);
	buf_reset(&body);
	assert_int_equal(api_render(&call, buf_bytes(&answer), &body, &type,
			     &e),
	    ERR_NOTFOUND);
	assert_string_equal(e.say,
	    "this request has no statement yet; look at its state");
	/* Core sent the row without what stands in the log: no octets. */
	buf_reset(&answer);
	put_request(&answer, "{\"exact\":1}", false);
	buf_reset(&body);
	assert_int_equal(api_render(&call, buf_bytes(&answer), &body, &type,
			     &e),
	    ERR_NOTFOUND);
	call = (struct api_call){ .query = { .what = CORE_GET },
		.with_blobs = true };
	buf_reset(&body);
	assert_null(strstr(render(&call, &answer, &body, &type), "exact"));
}

static void
other_answers(void **state)
{
	struct buf answer AUTO_BUF = BUF(65536), body AUTO_BUF = BUF(65536);
	struct api_call call = { .query = { .what = CORE_SNAPSHOT } };
	const char *type;
	(void)state;
	buf_puts(&answer, "/var/x");
	assert_string_equal(render(&call, &answer, &body, &type),
	    "{\"directory\":\"/var/x\"}");
	call.query.what = CORE_SEAL;
	assert_string_equal(render(&call, &answer, &body, &type), "/var/x");
	assert_string_equal(type, "text/plain; charset=utf-8");
	call.query.what = CORE_CLOSING;
	assert_string_equal(render(&call, &answer, &body, &type), "/var/x");
	assert_string_equal(type, "application/jsonl");
	buf_reset(&answer);
	put_u64(&answer, 12);
	buf_puts(&answer, "{}\n");
	call.query.what = CORE_EXPORT;
	assert_string_equal(render(&call, &answer, &body, &type), "{}\n");
}

/* clang-format off */
static const struct {
	const char *name, *bytes;
	size_t len;
	const char *id;
} broken[] = {
	{ "nothing", "", 0, "api-row-missing" },
	{ "a class of nobody", "\0\0\0\2!x\0\0\0\0", 10, "api-row-class" },
	{ "an empty key", "\0\0\0\0\0\0\0\0", 8, "api-row-missing" },
	{ "cut", "\0\0\0\4i1-9\0\0\1", 11, "api-row-missing" },
	{ "a row of another version", "\0\0\0\4i1-9\0\0\0\1\7", 13, "row-version" },
};
/* clang-format on */

static void
broken_answers(void **state)
{
	struct api_call call = { .is_command = true };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct buf body AUTO_BUF = BUF(4096);
		const char *type;
		struct err e;
		enum err_code code = api_render(&call,
		    bytes_of(broken[i].bytes, broken[i].len), &body, &type, &e);
		if (code != ERR_CORRUPT || strcmp(e.id, broken[i].id) != 0) {
			print_error("%s: %s\n", broken[i].name,
			    code == ERR_OK ? "accepted" : e.id);
			fail();
		}
	}
}

static void
problems_carry_their_arguments(void **state)
{
	struct buf out AUTO_BUF = BUF(4096);
	struct err e;
	(void)state;
	err_say(&e, ERR_CONFLICT, "x-y", "a %s is \"%s\"", "b", "c");
	api_problem(&out, &e, 409);
	assert_string_equal(buf_text(&out),
	    "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
	    "\"detail\":\"a b is \\\"c\\\"\",\"id\":\"x-y\","
	    "\"args\":[\"b\",\"c\"]}");
	buf_reset(&out);
	err_say(&e, ERR_CONFLICT, "x-y", "a %s is \"%s\"", "", "c");
	api_problem(&out, &e, 409);
	assert_non_null(strstr(buf_text(&out), "\"args\":[\"\",\"c\"]}"));
	buf_reset(&out);
	err_say(&e, ERR_BUSY, "x-y", "no");
	api_problem(&out, &e, 503);
	assert_null(strstr(buf_text(&out), "args"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_there_and_back),
		cmocka_unit_test(queries_of_no_class),
		cmocka_unit_test(caps_by_direction),
		cmocka_unit_test(rows_as_json),
		cmocka_unit_test(raw_members),
		cmocka_unit_test(other_answers),
		cmocka_unit_test(broken_answers),
		cmocka_unit_test(problems_carry_their_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
