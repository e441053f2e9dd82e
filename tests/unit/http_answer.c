/* Answers, dates, problem documents, queries, and replies of a server. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/http.h>

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/http_reply/"

/* clang-format off */
static const struct {
	int64_t t;
	const char *date;
} dates[] = {
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ 1795514400, "Tue, 24 Nov 2026 10:00:00 GMT" },
	{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
	{ -604800, "Thu, 25 Dec 1969 00:00:00 GMT" },
	{ INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT" },
};
/* clang-format on */

static void
date(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		char text[HTTP_DATE];
		http_date(text, dates[i].t);
		assert_string_equal(text, dates[i].date);
	}
}

/* By the cache, empty or not, and where days share a place of it. */
static void
test_dates_quick(void **state)
{
	struct http_days days = { .slot = { { .day = 0 } } };
	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
			char text[HTTP_DATE] = "";
			http_date_quick(&days, text, dates[i].t);
			assert_string_equal(text, dates[i].date);
		}
		for (int64_t t = 0; t < 300 * DAY; t += DAY / 3 + 7) {
			char text[HTTP_DATE] = "", want[HTTP_DATE];
			http_date_quick(&days, text, t);
			http_date(want, t);
			assert_string_equal(text, want);
		}
	}
}

/* clang-format off */
static const struct {
	const char *name;
	int status;
	bool keep_alive, head_only;
	const char *type, *extra, *body, *want;
} answers[] = {
	{ "json", 200, true, false, "application/json", "", "{}",
	    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Content-Type: application/json\r\nContent-Length: 2\r\n"
	    "Connection: keep-alive\r\n\r\n{}" },
	{ "head", 200, true, true, "text/plain", "ETag: \"x\"\r\n", "hello",
	    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 5\r\n"
	    "Connection: keep-alive\r\nETag: \"x\"\r\n\r\n" },
	{ "refusal", 405, false, false, NULL, "Allow: GET\r\n", "",
	    "HTTP/1.1 405 Method Not Allowed\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n"
	    "Connection: close\r\nAllow: GET\r\n\r\n" },
	{ "no content", 204, true, false, "text/plain", "", "ignored",
	    "HTTP/1.1 204 No Content\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Connection: keep-alive\r\n\r\n" },
	{ "not modified", 304, true, false, "text/plain", "ETag: \"x\"\r\n",
	    "ignored",
	    "HTTP/1.1 304 Not Modified\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Connection: keep-alive\r\nETag: \"x\"\r\n\r\n" },
};
/* clang-format on */

static void
answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct buf out AUTO_BUF = BUF(4096);
		print_message("%s\n", answers[i].name);
		http_answer(&out, answers[i].status, 0, answers[i].keep_alive,
		    answers[i].type, answers[i].extra,
		    bytes_str(answers[i].body), answers[i].head_only);
		assert_string_equal(buf_text(&out), answers[i].want);
	}
}

static void
answers_are_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct buf out AUTO_BUF = BUF(4096);
		struct http_reply r;
		struct err e;
		size_t used = 0;
		if (answers[i].head_only)
			continue;
		print_message("%s\n", answers[i].name);
		http_answer(&out, answers[i].status, 0, answers[i].keep_alive,
		    answers[i].type, answers[i].extra,
		    bytes_str(answers[i].body), false);
		assert_int_equal(http_reply_parse(buf_bytes(&out), 4096, &r,
				     &used, &e),
		    ERR_OK);
		assert_int_equal(used, out.len);
		assert_int_equal(r.status, answers[i].status);
	}
}

static void
problem(void **state)
{
	(void)state;
	struct err e;
	struct buf out AUTO_BUF = BUF(4096);
	err_at(&e, ERR_INVALID, "http-percent", "RFC 3986 2.1", AT_BYTE(4),
	    "a \"%s\" stands here", "x\\y");
	http_problem(&out, &e, 400);
	assert_string_equal(buf_text(&out),
	    "{\"type\":\"about:blank\",\"title\":\"Bad Request\","
	    "\"status\":400,\"detail\":\"a \\\"x\\\\y\\\" stands here\","
	    "\"id\":\"http-percent\",\"rule\":\"RFC 3986 2.1\","
	    "\"where\":{\"byte\":5}}");
}

static void
problem_where(void **state)
{
	(void)state;
	struct buf out AUTO_BUF = BUF(4096);
	struct err e = { .code = ERR_DENIED,
		.id = "x",
		.say = "no",
		.where = { "a.yaml", 14, 30, 0, "validity.max" } };
	http_problem(&out, &e, http_status_of(e.code));
	assert_string_equal(buf_text(&out),
	    "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\","
	    "\"status\":422,\"detail\":\"no\",\"id\":\"x\","
	    "\"where\":{\"file\":\"a.yaml\",\"line\":14,\"col\":30,"
	    "\"field\":\"validity.max\"}}");
}

/* Half a character, as clipping might leave it, is left out. */
static void
problem_broken_field(void **state)
{
	(void)state;
	struct buf out AUTO_BUF = BUF(4096);
	struct err e = { .code = ERR_NOTFOUND,
		.id = "x",
		.say = "no",
		.where = { .field = "a\xc3" } };
	http_problem(&out, &e, 404);
	assert_string_equal(buf_text(&out),
	    "{\"type\":\"about:blank\",\"title\":\"Not Found\","
	    "\"status\":404,\"detail\":\"no\",\"id\":\"x\"}");
}

static void
status_of_each_category(void **state)
{
	(void)state;
	static const int want[] = { 200, 400, 403, 422, 404, 409, 503, 500, 500,
		500, 503 };
	for (size_t c = 0; c < ARRAY_LEN(want); c++) {
		print_message("%s\n", err_code_name((enum err_code)c));
		assert_int_equal(http_status_of((enum err_code)c), want[c]);
		assert_string_not_equal(http_reason(want[c]), "Unknown");
	}
	assert_string_equal(http_reason(799), "Unknown");
}

/* clang-format off */
static const struct {
	const char *query, *name, *want; /* NULL: absent */
} queries[] = {
	{ "", "a", NULL },
	{ "a=1", "a", "1" },
	{ "a=1&b=2", "b", "2" },
	{ "aa=1&a=2", "a", "2" },
	{ "a", "a", "" },
	{ "a=", "a", "" },
	{ "&&a=3", "a", "3" },
	{ "a=1=2", "a", "1=2" },
	{ "b=a", "a", NULL },
	{ "a=1&a=2", "a", "1" },
};
/* clang-format on */

static void
query(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct bytes value = BYTES_NONE;
		print_message("%s\n", queries[i].query);
		assert_int_equal(http_query(bytes_str(queries[i].query),
				     queries[i].name, &value),
		    queries[i].want != NULL);
		if (queries[i].want != NULL)
			assert_true(bytes_is(value, queries[i].want));
	}
}

/* clang-format off */
static const struct {
	const char *text, *want; /* NULL: refused */
	size_t byte;
} percents[] = {
	{ "", "", 0 },
	{ "a%2Fb", "a/b", 0 },
	{ "a%2fb+", "a/b+", 0 },
	{ "%41%42", "AB", 0 },
	{ "a%", NULL, 2 },
	{ "ab%4", NULL, 3 },
	{ "%4g", NULL, 1 },
	{ "%%41", NULL, 1 },
};
/* clang-format on */

static void
percent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
		struct buf out AUTO_BUF = BUF(64);
		struct err e;
		enum err_code code =
		    http_percent_decode(bytes_str(percents[i].text), &out, &e);
		print_message("%s\n", percents[i].text);
		if (percents[i].want != NULL) {
			assert_int_equal(code, ERR_OK);
			assert_true(
			    bytes_is(buf_bytes(&out), percents[i].want));
			continue;
		}
		assert_int_equal(code, ERR_INVALID);
		assert_string_equal(e.id, "http-percent");
		assert_string_equal(e.say,
		    "a percent sign in the address stands without its two hex "
		    "digits");
		assert_int_equal(e.where.byte, percents[i].byte);
	}
}

static void
find(void **state)
{
	(void)state;
	static const char in[] = "GET / HTTP/1.1\r\nHost: a\r\n"
				 "X-One: 1\r\nx-two:  2 \r\nX-ONE: 3\r\n\r\n";
	struct http_request q;
	struct bytes v;
	struct err e;
	size_t used;
	int status;
	assert_int_equal(http_parse(bytes_str(in), &http_limits_api, &q, &used,
			     &status, &e),
	    ERR_OK);
	assert_true(http_find(&q, "x-oNe", &v));
	assert_true(bytes_is(v, "1"));
	assert_true(http_find(&q, "X-Two", &v));
	assert_true(bytes_is(v, "2"));
	assert_false(http_find(&q, "X-On", &v));
	assert_false(http_find(&q, "X-Three", &v));
}

static void
method_names(void **state)
{
	(void)state;
	assert_string_equal(http_method_name(HTTP_GET), "GET");
	assert_string_equal(http_method_name(HTTP_DELETE), "DELETE");
}

/* clang-format off */
static const struct {
	const char *file;
	int status; /* 0: refused; -1: more must be read */
	const char *type, *body;
} replies[] = {
	{ "ok", 200, "application/json", "{}" },
	{ "no_reason", 404, "", "" },
	{ "no_content", 204, "", "" },
	{ "not_modified_length", 304, "", "" },
	{ "http10", 500, "", "x" },
	{ "part_head", -1, "", "" },
	{ "part_body", -1, "", "" },
	{ "part_empty", -1, "", "" },
	{ "no_length", 0, "", "" },
	{ "chunked", 0, "", "" },
	{ "length_and_chunked", 0, "", "" },
	{ "length_twice", 0, "", "" },
	{ "too_large", 0, "", "" },
	{ "continue", 0, "", "" },
	{ "http2", 0, "", "" },
	{ "status_600", 0, "", "" },
	{ "status_letters", 0, "", "" },
	{ "bare_lf", 0, "", "" },
	{ "is_request", 0, "", "" },
	{ "head_large", 0, "", "" },
};
/* clang-format on */

static struct bytes
load(const char *name)
{
	static uint8_t room[1 << 16];
	char path[512];
	snprintf(path, sizeof(path), CORPUS "%s.http", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s: no such file", path);
	size_t n = fread(room, 1, sizeof(room), f);
	fclose(f);
	return bytes_of(room, n);
}

static void
reply(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct bytes in = load(replies[i].file);
		struct http_reply r = { .status = 0 };
		struct err e;
		size_t used = 1;
		enum err_code code = http_reply_parse(in, 1000, &r, &used, &e);
		print_message("%s\n", replies[i].file);
		if (replies[i].status == 0) {
			assert_int_equal(code, ERR_INVALID);
			assert_string_equal(e.id, "http-reply");
			assert_string_equal(e.say,
			    "what the server sent is not a reply in HTTP/1.1 "
			    "with a Content-Length that is within the limit");
			assert_string_not_equal(e.why, "");
			continue;
		}
		assert_int_equal(code, ERR_OK);
		assert_int_equal(used, replies[i].status < 0 ? 0 : in.len);
		if (replies[i].status < 0)
			continue;
		assert_int_equal(r.status, replies[i].status);
		assert_true(bytes_is(r.content_type, replies[i].type));
		assert_true(bytes_is(r.body, replies[i].body));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates_quick),
		cmocka_unit_test(date),
		cmocka_unit_test(answer),
		cmocka_unit_test(answers_are_replies),
		cmocka_unit_test(problem),
		cmocka_unit_test(problem_where),
		cmocka_unit_test(problem_broken_field),
		cmocka_unit_test(status_of_each_category),
		cmocka_unit_test(query),
		cmocka_unit_test(percent),
		cmocka_unit_test(find),
		cmocka_unit_test(method_names),
		cmocka_unit_test(reply),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
