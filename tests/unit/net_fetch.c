/*
 * The client against servers that mean it no good: endless, slow, lying,
 * silent and absent ones.  Each costs what its limits say and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <refrendo/net.h>

#define BODY_MAX 4096

enum behaviour {
	DO_GOOD,
	DO_ECHO, /* the request is the body */
	DO_ENDLESS_BODY,
	DO_ENDLESS_HEAD,
	DO_ENDLESS_CHUNKS,
	DO_SLOW, /* an octet every 20 ms, for ever */
	DO_SILENT,
	DO_CUT,
	DO_CLOSES,
	DO_GARBAGE,
	DO_REDIRECT,
};

struct server {
	pthread_t thread;
	int fd, family;
	char url[64];
	enum behaviour behaviour;
};

static void
put(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Until the client has enough of it. */
static void
repeat(int fd, const char *text, unsigned pause_us)
{
	while (send(fd, text, strlen(text), MSG_NOSIGNAL) > 0) {
		if (pause_us > 0)
			usleep(pause_us);
	}
}

static void
behave(enum behaviour b, int fd, const char *request)
{
	char text[8192];
	switch (b) {
	case DO_GOOD:
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
		break;
	case DO_ECHO:
		snprintf(text, sizeof(text),
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		    strlen(request), request);
		put(fd, text);
		break;
	case DO_ENDLESS_BODY:
		put(fd, "HTTP/1.0 200 OK\r\n\r\n");
		repeat(fd, "0123456789abcdef0123456789abcdef", 0);
		break;
	case DO_ENDLESS_HEAD:
		put(fd, "HTTP/1.1 200 OK\r\n");
		repeat(fd, "X-Again: yes\r\n", 0);
		break;
	case DO_ENDLESS_CHUNKS:
		put(fd,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		repeat(fd, "1\r\nx\r\n", 0);
		break;
	case DO_SLOW:
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n");
		repeat(fd, "x", 20000);
		break;
	case DO_SILENT:
		(void)!recv(fd, text, 1, 0); /* until the client goes */
		break;
	case DO_CUT:
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nabc");
		break;
	case DO_CLOSES:
		break;
	case DO_GARBAGE:
		put(fd, "220 mail.example ESMTP\r\n\r\n");
		break;
	case DO_REDIRECT:
		put(fd, "HTTP/1.1 302 Found\r\nLocation: http://b.example/\r\n"
			"Content-Length: 0\r\n\r\n");
		break;
	}
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	char request[4096];
	int fd = accept(s->fd, NULL, NULL);
	if (fd < 0)
		return NULL;
	ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
	request[n > 0 ? n : 0] = '\0';
	behave(s->behaviour, fd, request);
	close(fd);
	return NULL;
}

static void
server_start(struct server *s, enum behaviour b, int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	bool is_v6 = family == AF_INET6;
	struct sockaddr *at =
	    is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t len = is_v6 ? sizeof(v6) : sizeof(v4);
	*s = (struct server){ .behaviour = b, .family = family };
	s->fd = socket(family, SOCK_STREAM, 0);
	if (s->fd < 0 || bind(s->fd, at, len) != 0)
		skip(); /* a machine without IPv6 */
	assert_int_equal(listen(s->fd, 4), 0);
	assert_int_equal(getsockname(s->fd, at, &len), 0);
	unsigned port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
	snprintf(s->url, sizeof(s->url), "http://%s:%u/x?y",
	    is_v6 ? "[::1]" : "127.0.0.1", port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
server_end(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* clang-format off */
static const struct {
	const char *name;
	enum behaviour behaviour;
	enum err_code code;
	const char *id;
} rows[] = {
	{ "good", DO_GOOD, ERR_OK, NULL },
	{ "a redirect comes back", DO_REDIRECT, ERR_OK, NULL },
	{ "endless body", DO_ENDLESS_BODY, ERR_INVALID, "http-response-large" },
	{ "endless header", DO_ENDLESS_HEAD, ERR_INVALID, "http-response-head" },
	{ "endless chunks", DO_ENDLESS_CHUNKS, ERR_INVALID, "http-response-large" },
	{ "slow drip", DO_SLOW, ERR_BUSY, "fetch-time" },
	{ "silence", DO_SILENT, ERR_BUSY, "fetch-time" },
	{ "cut", DO_CUT, ERR_INVALID, "http-response-cut" },
	{ "closes", DO_CLOSES, ERR_BUSY, "fetch-lost" },
	{ "another protocol", DO_GARBAGE, ERR_INVALID, "http-response-head" },
};
/* clang-format on */

#define TOTAL_MS 400

static void
hostile_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s;
		struct http_response r = { .status = -1 };
		struct err e = { .say = "" };
		server_start(&s, rows[i].behaviour, AF_INET);
		struct net_ask ask = { .url = s.url,
			.method = HTTP_GET,
			.body_max = BODY_MAX,
			.total_ms = TOTAL_MS,
			.numeric = true };
		int64_t began = clock_mono_ms();
		enum err_code code = net_fetch(&ask, &r, &e);
		int64_t took = clock_mono_ms() - began;
		server_end(&s);
		if (code != rows[i].code ||
		    (code != ERR_OK && strcmp(e.id, rows[i].id) != 0))
			fail_msg("%s: %d %s", rows[i].name, (int)code, e.say);
		/* The machine may be busy; the deadline is what counts. */
		if (took > 10 * TOTAL_MS)
			fail_msg("%s took %lld ms", rows[i].name,
			    (long long)took);
		if (code == ERR_OK)
			http_response_fini(&r);
		else
			assert_int_equal(r.status, -1);
	}
}

static void
what_is_asked(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct server s;
		struct http_response r;
		struct err e;
		server_start(&s, DO_ECHO, families[i]);
		struct net_ask ask = { .url = s.url,
			.method = HTTP_POST,
			.content_type = "application/ocsp-request",
			.body = bytes_str("abc"),
			.extra = "X-Own: 1\r\n",
			.body_max = BODY_MAX,
			.total_ms = 5000,
			.numeric = true };
		enum err_code code = net_fetch(&ask, &r, &e);
		server_end(&s);
		assert_int_equal(code, ERR_OK);
		const char *text = buf_text(&r.body);
		assert_non_null(strstr(text, "POST /x?y HTTP/1.1\r\nHost: "));
		assert_non_null(
		    strstr(text, families[i] == AF_INET ? "Host: 127.0.0.1:"
							: "Host: [::1]:"));
		assert_non_null(
		    strstr(text, "Content-Type: application/ocsp-request\r\n"
				 "Content-Length: 3\r\n\r\nabc"));
		assert_non_null(strstr(text, "X-Own: 1\r\n"));
		http_response_fini(&r);
	}
}

static void
nobody_there(void **state)
{
	struct server s;
	struct http_response r;
	struct err e;
	(void)state;
	server_start(&s, DO_GOOD, AF_INET);
	server_end(&s);
	struct net_ask ask = { .url = s.url,
		.method = HTTP_GET,
		.body_max = BODY_MAX,
		.total_ms = 2000 };
	assert_int_equal(net_fetch(&ask, &r, &e), ERR_BUSY);
	assert_string_equal(e.id, "fetch-connect");
	ask.url = "http://localhost:1/";
	ask.numeric = true;
	assert_int_equal(net_fetch(&ask, &r, &e), ERR_NOTFOUND);
	assert_string_equal(e.id, "fetch-host");
	ask.url = "https://127.0.0.1/";
	assert_int_equal(net_fetch(&ask, &r, &e), ERR_DENIED);
	assert_string_equal(e.id, "http-url-scheme");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_servers),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(nobody_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
