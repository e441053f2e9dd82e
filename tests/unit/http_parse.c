/*
 * http_parse() over the corpus: each file of tests/fuzz/corpus/http is a row
 * here with what must come of it.  Together they are the table of
 * CONVENTIONS 5.2, and more.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/http.h>

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/http/"

struct refused {
	const char *file;
	int status;
	const char *id, *say;
};

#define LINE_END "a line of the header ends in LF alone; end each with CR LF"
#define CHUNKED  "chunked bodies are not taken here; send Content-Length"
#define CODING \
	"this transfer coding is not known here; send Content-Length instead"
#define ORDER                                                              \
	"a transfer coding follows chunked, which must be the last; send " \
	"Content-Length instead"
#define CONTROL(x)                                                            \
	"the header holds the control octet " x "; only visible characters, " \
	"spaces and tabs may stand in it"
#define FOLD                                                                 \
	"a line of the header begins with a space; write each field on one " \
	"line"
#define NAME                                                                 \
	"a field of the header has no name, no colon, or something between " \
	"its name and its colon that may not stand there"
#define HOST_FORM  "Host is not one name or address with an optional port"
#define HOST_NONE  "HTTP/1.1 needs a Host; send one"
#define HOST_TWICE "Host is there twice; send it once"
#define BODY_LARGE "the body is longer than the 1048576 octets that it may have"
#define BESIDE                                                           \
	"Content-Length and Transfer-Encoding stand side by side; send " \
	"Content-Length alone"
#define LENGTH_FORM  "Content-Length is not a number; write decimal digits only"
#define LENGTH_TWICE "Content-Length is there twice; send it once"
#define LINE                                                                   \
	"the first line is not METHOD TARGET HTTP/1.1 with one space between " \
	"them"
#define LINE_LONG \
	"the first line is longer than the 8192 octets that it may have"
#define HEAD_LONG "the header is longer than the 16384 octets that it may have"
#define MANY      "the header has more than the 48 fields that it may have"
#define TARGET                                                          \
	"the target is neither a path nor an http address, or holds a " \
	"character to be written as a percent sign and two hex digits"
#define FRAGMENT                                                              \
	"the target has a fragment; a client keeps # and what follows it to " \
	"itself"
#define UNKNOWN(m) \
	"the method " m " is not known here; methods are written in capitals"
#define VERSION(v) "the request speaks " v "; write HTTP/1.1 or HTTP/1.0"

/* clang-format off */
static const struct refused refused[] = {
	/* Both libraries refuse these too. */
	{ "length_beside_coding", 400, "http-length-and-coding", BESIDE },
	{ "coding_beside_length", 400, "http-length-and-coding", BESIDE },
	{ "length_twice_same", 400, "http-length-twice", LENGTH_TWICE },
	{ "length_twice_other", 400, "http-length-twice", LENGTH_TWICE },
	{ "length_listed", 400, "http-length-form", LENGTH_FORM },
	{ "length_plus", 400, "http-length-form", LENGTH_FORM },
	{ "length_minus", 400, "http-length-form", LENGTH_FORM },
	{ "length_empty", 400, "http-length-form", LENGTH_FORM },
	{ "length_hex", 400, "http-length-form", LENGTH_FORM },
	{ "length_space_inside", 400, "http-length-form", LENGTH_FORM },
	{ "length_huge", 413, "http-body-large", BODY_LARGE },
	{ "length_2_64", 413, "http-body-large", BODY_LARGE },
	{ "length_2_64_less_one", 413, "http-body-large", BODY_LARGE },
	{ "length_over_limit", 413, "http-body-large", BODY_LARGE },
	{ "coding_unknown", 501, "http-coding", CODING },
	{ "coding_identity", 501, "http-coding", CODING },
	{ "coding_empty", 501, "http-coding", CODING },
	{ "coding_gzip_chunked", 501, "http-coding", CODING },
	{ "coding_not_final", 400, "http-coding-order", ORDER },
	{ "coding_chunked_twice", 400, "http-coding-order", ORDER },
	{ "coding_twice", 400, "http-coding-twice", "Transfer-Encoding is there "
	    "twice; send Content-Length instead" },
	{ "coding_name_longer", 400, "http-coding-name", "the name of a field "
	    "begins with Transfer-Encoding and goes on; leave that field out" },
	{ "nul_in_value", 400, "http-control", CONTROL("00") },
	{ "control_in_value", 400, "http-control", CONTROL("01") },
	{ "delete_in_value", 400, "http-control", CONTROL("7F") },
	{ "lone_cr_in_value", 400, "http-control", CONTROL("0D") },
	{ "coding_vertical_tab", 400, "http-control", CONTROL("0B") },
	{ "nul_in_name", 400, "http-field-name", NAME },
	{ "method_unknown", 501, "http-method-unknown", UNKNOWN("FETCH") },
	{ "method_lower_case", 501, "http-method-unknown", UNKNOWN("get") },
	{ "method_long", 501, "http-method-unknown",
	    UNKNOWN("AAAAAAAAAAAAAAAAAAAA") },
	{ "name_empty", 400, "http-field-name", NAME },
	{ "no_colon", 400, "http-field-name", NAME },
	/* http-parser lets these through, llhttp does not. */
	{ "bare_lf_all", 400, "http-line-end", LINE_END },
	{ "bare_lf_field", 400, "http-line-end", LINE_END },
	{ "bare_lf_end", 400, "http-line-end", LINE_END },
	{ "space_before_colon", 400, "http-field-name", NAME },
	{ "folded_line", 400, "http-fold", FOLD },
	{ "folded_line_tab", 400, "http-fold", FOLD },
	{ "first_field_space", 400, "http-fold", FOLD },
	{ "version_1_2", 505, "http-version", VERSION("HTTP/1.2") },
	{ "version_9_9", 505, "http-version", VERSION("HTTP/9.9") },
	{ "version_0_9", 505, "http-version", VERSION("HTTP/0.9") },
	{ "target_high_octet", 400, "http-target", TARGET },
	{ "target_utf8", 400, "http-target", TARGET },
	{ "chunked", 411, "http-chunked", CHUNKED },
	{ "chunked_capitals", 411, "http-chunked", CHUNKED },
	{ "coding_tab", 411, "http-chunked", CHUNKED },
	{ "chunk_extension_junk", 411, "http-chunked", CHUNKED },
	{ "chunk_size_space", 411, "http-chunked", CHUNKED },
	{ "chunk_trailer_length", 411, "http-chunked", CHUNKED },
	{ "connect", 405, "http-method", "the method CONNECT is not served here" },
	{ "options_star", 405, "http-method",
	    "the method OPTIONS is not served here" },
	{ "trace", 405, "http-method", "the method TRACE is not served here" },
	/* Both libraries let these through. */
	{ "host_missing", 400, "http-host-missing", HOST_NONE },
	{ "host_missing_absolute", 400, "http-host-missing", HOST_NONE },
	{ "host_twice", 400, "http-host-twice", HOST_TWICE },
	{ "host_twice_http10", 400, "http-host-twice", HOST_TWICE },
	{ "host_empty", 400, "http-host-form", HOST_FORM },
	{ "host_empty_http10", 400, "http-host-form", HOST_FORM },
	{ "host_list", 400, "http-host-form", HOST_FORM },
	{ "host_comma", 400, "http-host-form", HOST_FORM },
	{ "host_user", 400, "http-host-form", HOST_FORM },
	{ "host_path", 400, "http-host-form", HOST_FORM },
	{ "host_port_letters", 400, "http-host-form", HOST_FORM },
	{ "host_port_large", 400, "http-host-form", HOST_FORM },
	{ "host_only_port", 400, "http-host-form", HOST_FORM },
	{ "host_bracket_open", 400, "http-host-form", HOST_FORM },
	{ "host_bracket_empty", 400, "http-host-form", HOST_FORM },
	{ "host_bracket_junk", 400, "http-host-form", HOST_FORM },
	{ "host_bracket_name", 400, "http-host-form", HOST_FORM },
	{ "no_version", 400, "http-request-line", LINE },
	{ "two_spaces", 400, "http-request-line", LINE },
	{ "two_spaces_before_version", 400, "http-request-line", LINE },
	{ "trailing_space", 400, "http-request-line", LINE },
	{ "leading_space", 400, "http-request-line", LINE },
	{ "tab_between", 400, "http-request-line", LINE },
	{ "version_lower_case", 400, "http-request-line", LINE },
	{ "version_leading_zero", 400, "http-request-line", LINE },
	{ "version_three_digits", 400, "http-request-line", LINE },
	{ "ssh_banner", 400, "http-request-line", LINE },
	{ "version_2_0", 505, "http-version", VERSION("HTTP/2.0") },
	{ "http2_preface", 505, "http-version", VERSION("HTTP/2.0") },
	{ "fragment", 400, "http-fragment", FRAGMENT },
	{ "target_quote", 400, "http-target", TARGET },
	{ "target_backslash", 400, "http-target", TARGET },
	{ "target_relative", 400, "http-target", TARGET },
	{ "target_star", 400, "http-target", TARGET },
	{ "target_ftp", 400, "http-target", TARGET },
	{ "target_scheme_only", 400, "http-target", TARGET },
	{ "target_no_authority", 400, "http-target", TARGET },
	{ "target_user", 400, "http-target", TARGET },
	{ "coding_in_http10", 400, "http-coding-old",
	    "HTTP/1.0 has no Transfer-Encoding; send Content-Length" },
	{ "blank_line_twice", 400, "http-blank", "more than one empty line "
	    "stands before the first line; send none" },
	{ "blank_line_lf", 400, "http-line-end", LINE_END },
	{ "tls_hello", 400, "http-control", CONTROL("16") },
	{ "header_large", 431, "http-head-long", HEAD_LONG },
	{ "header_large_many", 431, "http-head-long", HEAD_LONG },
	{ "header_large_unfinished", 431, "http-head-long", HEAD_LONG },
	{ "fields_49", 431, "http-fields-many", MANY },
	{ "fields_14000", 431, "http-fields-many", MANY },
	{ "line_8193", 414, "http-line-long", LINE_LONG },
	{ "line_64k_unfinished", 414, "http-line-long", LINE_LONG },
};

struct accepted {
	const char *file;
	size_t used; /* 0: more must be read; -1: all of the file */
	enum http_method method;
	const char *path, *query, *host;
	int minor;
	bool keep_alive;
	size_t n_field;
	const char *body;
};
#define ALL SIZE_MAX

static const struct accepted accepted[] = {
	{ "get_plain", ALL, HTTP_GET, "/", "", "a.test", 1, true, 1, "" },
	{ "get_ocsp", ALL, HTTP_GET,
	    "/ocsp/MFEwTzBNMEswSTAJBgUrDgMCGgUABBQ%2Ba%2FbcD%3D%3D", "",
	    "a.test", 1, true, 2, "" },
	{ "get_query", ALL, HTTP_GET, "/a/b", "x=1&y=%20", "a.test", 1, true,
	    1, "" },
	{ "get_absolute", ALL, HTTP_GET, "/x", "y", "b.test:8080", 1, true, 1,
	    "" },
	{ "get_absolute_no_path", ALL, HTTP_GET, "/", "", "b.test", 1, true,
	    1, "" },
	{ "get_absolute_query_only", ALL, HTTP_GET, "/", "q", "b.test", 1,
	    true, 1, "" },
	{ "get_bracket_host", ALL, HTTP_GET, "/", "", "[::1]:443", 1, true, 1,
	    "" },
	{ "get_host_port", ALL, HTTP_GET, "/", "", "a.test:8443", 1, true, 1,
	    "" },
	{ "get_obs_text_value", ALL, HTTP_GET, "/", "", "a.test", 1, true, 2,
	    "" },
	{ "get_empty_value", ALL, HTTP_GET, "/", "", "a.test", 1, true, 2,
	    "" },
	{ "get_blank_line_first", ALL, HTTP_GET, "/", "", "a.test", 1, true,
	    1, "" },
	{ "get_close", ALL, HTTP_GET, "/", "", "a.test", 1, false, 2, "" },
	{ "get_close_among_others", ALL, HTTP_GET, "/", "", "a.test", 1,
	    false, 2, "" },
	{ "get_upgrade_ignored", ALL, HTTP_GET, "/", "", "a.test", 1, true, 3,
	    "" },
	{ "get_upgrade_then_bytes", 67, HTTP_GET, "/", "", "a.test", 1, true,
	    3, "" },
	/* The library knows this field; then the connection ends early. */
	{ "get_proxy_connection_close", ALL, HTTP_GET, "/", "", "a.test", 1,
	    false, 2, "" },
	{ "get_slashes", ALL, HTTP_GET, "//a//b", "", "a.test", 1, true, 1,
	    "" },
	{ "http10_no_host", ALL, HTTP_GET, "/x", "", "", 0, false, 0, "" },
	{ "http10_host_without_port", ALL, HTTP_POST, "/", "", "a.test", 0,
	    false, 3, "0" /* and NUL, compared below */ },
	{ "http10_keep_alive", ALL, HTTP_GET, "/x", "", "", 0, true, 1, "" },
	{ "http10_keep_alive_and_close", ALL, HTTP_GET, "/x", "", "", 0,
	    false, 1, "" },
	{ "post_body", ALL, HTTP_POST, "/", "", "a.test", 1, true, 2,
	    "hello" },
	{ "post_no_length", ALL, HTTP_POST, "/", "", "a.test", 1, true, 1,
	    "" },
	{ "post_length_zero", ALL, HTTP_POST, "/", "", "a.test", 1, true, 2,
	    "" },
	{ "post_length_leading_zeros", ALL, HTTP_POST, "/", "", "a.test", 1,
	    true, 2, "hello" },
	{ "post_expect_continue", ALL, HTTP_POST, "/", "", "a.test", 1, true,
	    3, "hi" },
	{ "pipelined", 57, HTTP_POST, "/", "", "a.test", 1, true, 2,
	    "hello" },
	{ "bytes_after_close", 73, HTTP_POST, "/", "", "a.test", 1, false, 3,
	    "hi" },
	{ "delete_plain", ALL, HTTP_DELETE, "/a", "", "a.test", 1, true, 1,
	    "" },
	{ "head_plain", ALL, HTTP_HEAD, "/a", "", "a.test", 1, true, 1, "" },
	{ "put_plain", ALL, HTTP_PUT, "/a", "", "a.test", 1, true, 1, "" },
	{ "patch_plain", ALL, HTTP_PATCH, "/a", "", "a.test", 1, true, 1, "" },
	{ "fields_48", ALL, HTTP_GET, "/", "", "a.test", 1, true, 48, "" },
	{ .file = "line_8192", .used = ALL, HTTP_GET, NULL, "", "a.test", 1,
	    true, 1, "" },
	{ .file = "part_empty" },
	{ .file = "part_cr" },
	{ .file = "part_line" },
	{ .file = "part_line_cr" },
	{ .file = "part_name" },
	{ .file = "part_value" },
	{ .file = "part_value_cr" },
	{ .file = "part_last_cr" },
	{ .file = "part_body" },
};
/* clang-format on */

static struct bytes
load(const char *name, uint8_t *room, size_t size)
{
	char path[512];
	snprintf(path, sizeof(path), CORPUS "%s.http", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s: no such file", path);
	size_t n = fread(room, 1, size, f);
	fclose(f);
	return bytes_of(room, n);
}

static uint8_t room[1 << 17];

static void
refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct refused *r = &refused[i];
		struct bytes in = load(r->file, room, sizeof(room));
		struct http_request q;
		struct err e = { .code = ERR_OK };
		size_t used = 1;
		int status = 0;
		print_message("%s\n", r->file);
		assert_int_equal(http_parse(in, &http_limits_api, &q, &used,
				     &status, &e),
		    ERR_INVALID);
		assert_int_equal(status, r->status);
		assert_string_equal(e.id, r->id);
		assert_string_equal(e.say, r->say);
		assert_non_null(e.rule);
		assert_int_equal(used, 0);
	}
}

static void
same(struct bytes got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_true(bytes_is(got, want));
}

static void
accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		const struct accepted *r = &accepted[i];
		struct bytes in = load(r->file, room, sizeof(room));
		struct http_request q;
		struct err e;
		size_t used = 1;
		int status = 0;
		print_message("%s\n", r->file);
		assert_int_equal(http_parse(in, &http_limits_api, &q, &used,
				     &status, &e),
		    ERR_OK);
		assert_int_equal(used, r->used == ALL ? in.len : r->used);
		if (used == 0)
			continue;
		assert_int_equal(q.method, r->method);
		if (r->path != NULL)
			same(q.path, r->path);
		same(q.query, r->query);
		same(q.host, r->host);
		assert_int_equal(q.minor, r->minor);
		assert_int_equal(q.keep_alive, r->keep_alive);
		assert_int_equal(q.n_field, r->n_field);
		if (strcmp(r->body, "0") == 0)
			assert_memory_equal(q.body.p, "0\0", 2);
		else
			same(q.body, r->body);
	}
}

/* A request that comes octet by octet ends the same, and never earlier. */
static void
piecemeal(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct bytes in = load(accepted[i].file, room, sizeof(room));
		size_t whole =
		    accepted[i].used == ALL ? in.len : accepted[i].used;
		print_message("%s\n", accepted[i].file);
		for (size_t n = 0; n < whole; n++) {
			struct http_request q;
			struct err e;
			size_t used = 1;
			int status = 0;
			assert_int_equal(http_parse(bytes_of(in.p, n),
					     &http_limits_api, &q, &used,
					     &status, &e),
			    ERR_OK);
			assert_int_equal(used, 0);
		}
	}
}

/* What follows the first request of a pipeline is the second. */
static void
pipelined(void **state)
{
	(void)state;
	struct bytes in = load("pipelined", room, sizeof(room));
	struct http_request q;
	struct err e;
	size_t used = 0;
	int status = 0;
	assert_int_equal(http_parse(in, &http_limits_api, &q, &used, &status,
			     &e),
	    ERR_OK);
	in = bytes_of(in.p + used, in.len - used);
	assert_int_equal(http_parse(in, &http_limits_api, &q, &used, &status,
			     &e),
	    ERR_OK);
	assert_int_equal(used, in.len);
	assert_int_equal(q.method, HTTP_GET);
}

static bool
is_row(const char *file)
{
	size_t len = strlen(file) - strlen(".http");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strlen(refused[i].file) == len &&
		    strncmp(refused[i].file, file, len) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
		if (strlen(accepted[i].file) == len &&
		    strncmp(accepted[i].file, file, len) == 0)
			return true;
	return false;
}

/* A file without a row would be an input that nobody judges. */
static void
each_file_has_a_row(void **state)
{
	(void)state;
	DIR *d = opendir(CORPUS);
	assert_non_null(d);
	for (struct dirent *f = readdir(d); f != NULL; f = readdir(d)) {
		const char *end = strstr(f->d_name, ".http");
		if (end != NULL && !is_row(f->d_name))
			fail_msg("%s has no row", f->d_name);
	}
	closedir(d);
}

static void
limits_of_status(void **state)
{
	(void)state;
	static const char head[] = "POST /ocsp HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 16385\r\n\r\n";
	struct http_request q;
	struct err e;
	size_t used = 0;
	int status = 0;
	assert_int_equal(http_parse(bytes_str(head), &http_limits_status, &q,
			     &used, &status, &e),
	    ERR_INVALID);
	assert_int_equal(status, 413);
	assert_string_equal(e.say,
	    "the body is longer than the 16384 octets that it may have");
	assert_string_equal(e.where.field, "Content-Length");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(accepts),
		cmocka_unit_test(piecemeal),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(each_file_has_a_row),
		cmocka_unit_test(limits_of_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
