/*
 * Responses of anybody's server: the same in one piece and octet by octet,
 * bounded whatever it sends; addresses; dates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <refrendo/http.h>

#define BODY_MAX 64

/* --- Responses -------------------------------------------------------------------- */

#define OK_ID   NULL
#define MORE    "more" /* not whole, not wrong */
#define SIXTEEN "0123456789abcdef"

/* clang-format off */
static const struct {
	const char *name, *in;
	bool ended, head_only;
	const char *id;   /* of the refusal; OK_ID; MORE */
	int status;
	const char *body;
} rows[] = {
	{ "a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, false, OK_ID, 200, "abc" },
	{ "what follows is left", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", false, false, OK_ID, 200, "abc" },
	{ "no reason, no space", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, false, OK_ID, 200, "" },
	{ "until it closes", "HTTP/1.0 200 OK\r\n\r\nabc", true, false, OK_ID, 200, "abc" },
	{ "not closed yet", "HTTP/1.0 200 OK\r\n\r\nabc", false, false, MORE, 0, "" },
	{ "chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", false, false, OK_ID, 200, "abcde" },
	{ "chunks and a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", false, false, OK_ID, 200, "0123456789" },
	{ "interim first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false, false, OK_ID, 200, "x" },
	{ "304 has no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, false, OK_ID, 304, "" },
	{ "HEAD has no body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, true, OK_ID, 200, "" },
	{ "an error has one", "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", false, false, OK_ID, 503, "no" },
	{ "exactly the limit", "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" SIXTEEN SIXTEEN SIXTEEN SIXTEEN, false, false, OK_ID, 200, SIXTEEN SIXTEEN SIXTEEN SIXTEEN },
	{ "one octet too many", "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", false, false, "http-response-large", 0, "" },
	{ "too many until it closes", "HTTP/1.0 200 OK\r\n\r\n" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x", false, false, "http-response-large", 0, "" },
	{ "a large chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", false, false, "http-response-large", 0, "" },
	{ "chunks that add up", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "\r\n1\r\n", false, false, "http-response-large", 0, "" },
	{ "a chunk of 64 bits", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", false, false, "http-response-chunk", 0, "" },
	{ "a chunk without size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", false, false, "http-response-chunk", 0, "" },
	{ "a chunk of no hex", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", false, false, "http-response-chunk", 0, "" },
	{ "a chunk ends in LF", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na", false, false, "http-response-chunk", 0, "" },
	{ "a chunk is longer than said", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", false, false, "http-response-chunk", 0, "" },
	{ "the last chunk is missing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true, false, "http-response-cut", 0, "" },
	{ "cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true, false, "http-response-cut", 0, "" },
	{ "cut in the head", "HTTP/1.1 200 OK\r\nContent-", true, false, "http-response-cut", 0, "" },
	{ "length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false, false, "http-response-length", 0, "" },
	{ "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", false, false, "http-response-length", 0, "" },
	{ "a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, false, "http-response-length", 0, "" },
	{ "an endless length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", false, false, "http-response-length", 0, "" },
	{ "packed", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, false, "http-response-coding", 0, "" },
	{ "another protocol", "SSH-2.0-OpenSSH\r\n\r\n", false, false, "http-response-head", 0, "" },
	{ "HTTP/2", "HTTP/2 200\r\n\r\n", false, false, "http-response-head", 0, "" },
	{ "status 600", "HTTP/1.1 600 No\r\n\r\n", false, false, "http-response-head", 0, "" },
	{ "bare LF", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", false, false, "http-response-head", 0, "" },
	{ "switching protocols", "HTTP/1.1 101 X\r\n\r\n", false, false, "http-response-head", 0, "" },
};
/* clang-format on */

/* Feeds in pieces of step octets; the id of the refusal, OK_ID, or MORE. */
static const char *
feed(struct http_response *r, struct bytes in, bool ended, size_t step)
{
	struct err e;
	bool done = false;
	for (size_t at = 0; at < in.len && !done; at += step) {
		size_t n = in.len - at < step ? in.len - at : step;
		if (http_response_feed(r, bytes_of(in.p + at, n), false, &done,
			&e) != ERR_OK)
			return e.id;
	}
	if (!done && ended &&
	    http_response_feed(r, BYTES_NONE, true, &done, &e) != ERR_OK)
		return e.id;
	return done ? OK_ID : MORE;
}

static void
every_row_in_any_pieces(void **state)
{
	static const size_t steps[] = { 1, 2, 7, 100000 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(steps); i++) {
		size_t n = i / ARRAY_LEN(steps);
		struct http_response r;
		http_response_init(&r, BODY_MAX, rows[n].head_only);
		const char *id = feed(&r, bytes_str(rows[n].in), rows[n].ended,
		    steps[i % ARRAY_LEN(steps)]);
		if (id != rows[n].id && (id == NULL || rows[n].id == NULL ||
					    strcmp(id, rows[n].id) != 0))
			fail_msg("%s: %s", rows[n].name, id == NULL ? "-" : id);
		if (id == OK_ID) {
			assert_int_equal(r.status, rows[n].status);
			assert_int_equal(r.body.len, strlen(rows[n].body));
			assert_string_equal(buf_text(&r.body), rows[n].body);
		}
		http_response_fini(&r);
	}
}

static void
fields_are_kept(void **state)
{
	static const char in[] =
	    "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60, public\r\n"
	    "ETag: \"x\"\r\nExpires: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
	    "Content-Type: application/ocsp-response\r\n"
	    "Content-Length: 0\r\n\r\n";
	struct http_response r;
	(void)state;
	http_response_init(&r, BODY_MAX, false);
	assert_null(feed(&r, bytes_str(in), false, 1000));
	assert_string_equal(r.etag, "\"x\"");
	assert_string_equal(r.content_type, "application/ocsp-response");
	assert_int_equal(http_max_age(r.cache_control), 60);
	assert_string_equal(r.location, "");
	http_response_fini(&r);
}

/* A header that never ends costs 16 KiB, and then a refusal. */
static void
endless_headers_end(void **state)
{
	struct http_response r;
	struct err e;
	bool done = false;
	enum err_code code = ERR_OK;
	size_t fed = 0;
	(void)state;
	http_response_init(&r, BODY_MAX, false);
	code = http_response_feed(&r, bytes_str("HTTP/1.1 200 OK\r\n"), false,
	    &done, &e);
	while (code == ERR_OK && fed < 1000000) {
		code = http_response_feed(&r, bytes_str("X: yyyyyyyy\r\n"),
		    false, &done, &e);
		fed += 13;
	}
	assert_int_equal(code, ERR_INVALID);
	assert_true(fed <= 16384);
	http_response_fini(&r);
}

/* So do interim responses and trailers. */
static void
endless_repetition_ends(void **state)
{
	static const char *const starts[] = { "",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" };
	static const char *const again[] = { "HTTP/1.1 102 Wait\r\n\r\n",
		"X: y\r\n" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct http_response r;
		struct err e;
		bool done = false;
		size_t n = 0;
		http_response_init(&r, BODY_MAX, false);
		enum err_code code = http_response_feed(&r,
		    bytes_str(starts[i]), false, &done, &e);
		while (code == ERR_OK && n++ < 1000)
			code = http_response_feed(&r, bytes_str(again[i]),
			    false, &done, &e);
		assert_int_equal(code, ERR_INVALID);
		assert_true(n < 100);
		http_response_fini(&r);
	}
}

/* --- Addresses ------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
	const char *url, *host, *port, *target; /* host NULL: refused */
	const char *id;
} urls[] = {
	{ "http://a.example/ocsp", "a.example", "80", "/ocsp", NULL },
	{ "HTTP://a.example", "a.example", "80", "/", NULL },
	{ "http://a.example:8080?x=1", "a.example", "8080", "/?x=1", NULL },
	{ "http://a.example:/x", "a.example", "80", "/x", NULL },
	{ "http://127.0.0.1:1/", "127.0.0.1", "1", "/", NULL },
	{ "http://[::1]:81/a//b", "::1", "81", "/a//b", NULL },
	{ "http://[::1]", "::1", "80", "/", NULL },
	{ "https://a.example/", NULL, NULL, NULL, "http-url-scheme" },
	{ "ldap://a.example/", NULL, NULL, NULL, "http-url-scheme" },
	{ "", NULL, NULL, NULL, "http-url" },
	{ "a.example/ocsp", NULL, NULL, NULL, "http-url" },
	{ "http:/a.example/", NULL, NULL, NULL, "http-url" },
	{ "http:///x", NULL, NULL, NULL, "http-url" },
	{ "http://user@a.example/", NULL, NULL, NULL, "http-url" },
	{ "http://a.example:99999/", NULL, NULL, NULL, "http-url" },
	{ "http://a.example:x/", NULL, NULL, NULL, "http-url" },
	{ "http://[::1/", NULL, NULL, NULL, "http-url" },
	{ "http://a.example/ b", NULL, NULL, NULL, "http-url" },
	{ "http://a.example/#b", NULL, NULL, NULL, "http-url" },
	{ "http://a.example/\r\nX: y", NULL, NULL, NULL, "http-url" },
	{ "http://a.example/\"", NULL, NULL, NULL, "http-url" },
	{ "http://a.example/ñ", NULL, NULL, NULL, "http-url" },
};
/* clang-format on */

static void
addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct http_url u;
		struct err e;
		enum err_code code =
		    http_url_parse(bytes_str(urls[i].url), &u, &e);
		if ((code == ERR_OK) != (urls[i].host != NULL))
			fail_msg("%s", urls[i].url);
		if (code != ERR_OK) {
			assert_string_equal(e.id, urls[i].id);
			continue;
		}
		assert_string_equal(u.host, urls[i].host);
		assert_string_equal(u.port, urls[i].port);
		assert_string_equal(u.target, urls[i].target);
	}
}

static void
long_addresses(void **state)
{
	char url[HTTP_URL_MAX + 1];
	struct http_url u;
	struct err e;
	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "http://a/", 9);
	assert_int_equal(http_url_parse(bytes_of(url, HTTP_URL_MAX - 1), &u,
			     &e),
	    ERR_OK);
	assert_int_equal(http_url_parse(bytes_of(url, HTTP_URL_MAX), &u, &e),
	    ERR_INVALID);
	memcpy(url, "http:/", 6);
	url[6] = '/';
	memset(url + 7, 'a', 300);
	assert_int_equal(http_url_parse(bytes_of(url, 300), &u, &e),
	    ERR_INVALID);
}

/* --- Dates and ages --------------------------------------------------------------------- */

static void
dates(void **state)
{
	static const char *const wrong[] = { "", "now",
		"Tue, 24 Nov 2026 10:00:00 UTC",
		"Mon, 24 Nov 2026 10:00:00 GMT",
		"Tue, 31 Feb 2026 10:00:00 GMT",
		"Tue, 24 Nov 2026 1x:00:00 GMT",
		"Tue, 24 nov 2026 10:00:00 GMT",
		"Tuesday, 24-Nov-26 10:00:00 GMT" };
	char text[HTTP_DATE];
	int64_t t;
	(void)state;
	for (int64_t at = 0; at < 4102444800; at += 86400 * 11 + 3671) {
		http_date(text, at);
		assert_true(http_date_parse(text, &t));
		assert_int_equal(t, at);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (http_date_parse(wrong[i], &t))
			fail_msg("%s", wrong[i]);
}

static void
ages(void **state)
{
	(void)state;
	assert_int_equal(http_max_age("max-age=0"), 0);
	assert_int_equal(http_max_age("public, Max-Age=345600"), 345600);
	assert_int_equal(http_max_age("s-maxage=5,max-age=7"), 7);
	assert_int_equal(http_max_age(""), -1);
	assert_int_equal(http_max_age("max-age=x"), -1);
	assert_int_equal(http_max_age("no-store"), -1);
	assert_int_equal(http_max_age("max-age=-1"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_in_any_pieces),
		cmocka_unit_test(fields_are_kept),
		cmocka_unit_test(endless_headers_end),
		cmocka_unit_test(endless_repetition_ends),
		cmocka_unit_test(addresses),
		cmocka_unit_test(long_addresses),
		cmocka_unit_test(dates),
		cmocka_unit_test(ages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
