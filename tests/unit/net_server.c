/*
 * The server over real sockets on one loop: what clients do that hurry, that
 * dawdle, that send too much, and that go away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <refrendo/net.h>

#define WAIT_MS 10000
#define MIB     ((size_t)1 << 20)

struct world {
	unsigned in_turns;
	uv_loop_t loop;
	uv_timer_t tick; /* so that waiting never waits for ever */
	struct net_server *server;
	struct sockaddr_in at;
	struct net_conn *held[8];
	size_t n_held, requests;
	uint32_t uid;
	bool has_uid;
	struct buf out;
};

struct client {
	int fd;
	bool ended; /* the server closed */
	struct buf got;
};

/* --- The server's side --------------------------------------------------------- */

static void
reply(struct world *w, bool keep_alive, struct bytes body)
{
	buf_reset(&w->out);
	http_answer(&w->out, 200, 0, keep_alive, "text/plain", "", body, false);
}

/* "/hold" is answered later, "/big/N" with N MiB, the rest with its path. */
static void
on_request(void *ctx, struct net_conn *c, const struct http_request *r)
{
	struct world *w = ctx;
	w->requests++;
	w->has_uid = net_peer_uid(c, &w->uid);
	if (bytes_is(r->path, "/hold")) {
		assert_true(w->n_held < ARRAY_LEN(w->held));
		w->held[w->n_held++] = net_hold(c);
		return;
	}
	if (r->path.len == 6 && memcmp(r->path.p, "/big/", 5) == 0) {
		size_t len = (size_t)(r->path.p[5] - '0') * MIB;
		uint8_t *big = malloc(len);
		assert_non_null(big);
		for (size_t i = 0; i < len; i++)
			big[i] = (uint8_t)(i * 7 >> 9);
		reply(w, r->keep_alive, bytes_of(big, len));
		free(big);
	} else
		reply(w, r->keep_alive, r->path);
	/* Small answers by either way, in turns: their order must hold. */
	if (w->out.len <= NET_ROOM_MAX && ++w->in_turns % 2 == 0) {
		uint8_t *room = net_room(c, w->out.len);
		assert_non_null(room);
		memcpy(room, w->out.p, w->out.len);
		net_put(c, w->out.len, r->keep_alive);
		return;
	}
	net_answer(c, buf_bytes(&w->out), r->keep_alive);
}

static void
release_held(struct world *w, size_t i, const char *body, bool keep_alive)
{
	reply(w, keep_alive, bytes_str(body));
	net_answer_held(w->held[i], buf_bytes(&w->out), keep_alive);
}

static void
on_tick(uv_timer_t *t)
{
	(void)t;
}

static struct net_setup
usual(struct world *w)
{
	return (struct net_setup){ .loop = &w->loop,
		.limits = &http_limits_status,
		.conns_max = 8,
		.request_ms = 60000,
		.idle_ms = 60000,
		.pending_max = 64 * MIB,
		.handler = on_request,
		.ctx = w };
}

static void
world_open(struct world *w)
{
	*w = (struct world){ .out = BUF(64 * MIB) };
	uv_loop_init(&w->loop);
	uv_timer_init(&w->loop, &w->tick);
	uv_timer_start(&w->tick, on_tick, 5, 5);
}

static void
serve(struct world *w, struct net_setup *setup)
{
	struct err e;
	socklen_t len = sizeof(w->at);
	setup->fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	w->at = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(setup->fd, (struct sockaddr *)&w->at,
			     sizeof(w->at)),
	    0);
	assert_int_equal(getsockname(setup->fd, (struct sockaddr *)&w->at,
			     &len),
	    0);
	assert_int_equal(net_serve(setup, &w->server, &e), ERR_OK);
}

/* The loop must end with nothing left open: no handle of ours leaks. */
static void
world_close(struct world *w)
{
	if (w->server != NULL)
		net_close(w->server);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	buf_fini(&w->out);
}

/* --- Clients ---------------------------------------------------------------------- */

static struct client
client_new(const struct world *w)
{
	struct client c = { .got = BUF(64 * MIB) };
	c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(c.fd, (const struct sockaddr *)&w->at,
			     sizeof(w->at)),
	    0);
	assert_int_equal(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
	return c;
}

static void
client_end(struct client *c)
{
	close(c->fd);
	buf_fini(&c->got);
}

static void
client_send(struct client *c, const char *text)
{
	size_t len = strlen(text);
	assert_int_equal(send(c->fd, text, len, MSG_NOSIGNAL), len);
}

static void
client_read(struct client *c)
{
	static uint8_t piece[65536];
	ssize_t n;
	while ((n = recv(c->fd, piece, sizeof(piece), 0)) > 0)
		buf_put(&c->got, piece, (size_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->ended = true;
}

/* Runs the loop, the client reading, until it has ended or has this many
 * octets; false if that takes too long. */
static bool
run_until(struct world *w, struct client *c, size_t len)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	while (!c->ended && c->got.len < len && clock_mono_ms() < end) {
		uv_run(&w->loop, UV_RUN_ONCE);
		client_read(c);
	}
	return c->got.len >= len || (c->ended && len == SIZE_MAX);
}

static bool
run_until_ended(struct world *w, struct client *c)
{
	return run_until(w, c, SIZE_MAX) && c->ended;
}

static void
run_until_held(struct world *w, size_t n)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	while (w->n_held < n && clock_mono_ms() < end)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(w->n_held, n);
}

static void
run_until_conns(struct world *w, size_t n)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	while (net_conns(w->server) != n && clock_mono_ms() < end)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(net_conns(w->server), n);
}

/* How often a text stands in what the client got. */
static size_t
count(struct client *c, const char *text)
{
	size_t n = 0;
	for (const char *at = buf_text(&c->got); (at = strstr(at, text)); at++)
		n++;
	return n;
}

static bool
run_until_text(struct world *w, struct client *c, const char *text)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	while (count(c, text) == 0 && !c->ended && clock_mono_ms() < end) {
		uv_run(&w->loop, UV_RUN_ONCE);
		client_read(c);
	}
	return count(c, text) > 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- Tests ---------------------------------------------------------------------------- */

static void
test_pipelining(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c, GET("/uno") GET("/dos") GET("/tres"));
	assert_true(run_until_text(&w, &c, "/tres"));
	const char *text = buf_text(&c.got);
	assert_true(strstr(text, "/uno") < strstr(text, "/dos"));
	assert_true(strstr(text, "/dos") < strstr(text, "/tres"));
	assert_int_equal(count(&c, "HTTP/1.1 200 OK"), 3);
	assert_int_equal(w.requests, 3);
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* However TCP cuts the octets, the requests are the same. */
static void
test_cut_anywhere(void **state)
{
	static const char both[] =
	    "POST /uno HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
	    "GET /dos HTTP/1.1\r\nHost: x\r\n\r\n";
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	for (size_t cut = 1; cut < sizeof(both) - 1; cut += 3) {
		struct client c = client_new(&w);
		size_t before = w.requests;
		assert_int_equal(send(c.fd, both, cut, 0), cut);
		for (int i = 0; i < 3; i++)
			uv_run(&w.loop, UV_RUN_NOWAIT);
		client_send(&c, both + cut);
		assert_true(run_until_text(&w, &c, "/dos"));
		assert_int_equal(w.requests, before + 2);
		assert_int_equal(count(&c, "HTTP/1.1 200 OK"), 2);
		client_end(&c);
	}
	run_until_conns(&w, 0);
	world_close(&w);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *name, *request, *status, *id, *field;
	} rows[] = {
		{ "a bare LF", "GET / HTTP/1.1\nHost: x\r\n\r\n",
		    "HTTP/1.1 400 ", "\"id\":\"http-line-end\"", "" },
		{ "no Host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ",
		    "\"id\":\"http-host-missing\"", "" },
		{ "CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
		    "HTTP/1.1 405 ", "\"id\":\"http-method\"",
		    "\r\nAllow: GET, HEAD, POST\r\n" },
		{ "chunked",
		    "POST / HTTP/1.1\r\nHost: x\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    "HTTP/1.1 411 ", "\"id\":\"http-chunked\"", "" },
		{ "a body beyond the limit",
		    "POST / HTTP/1.1\r\nHost: x\r\n"
		    "Content-Length: 16385\r\n\r\n",
		    "HTTP/1.1 413 ", "\"id\":\"http-body-large\"", "" },
		{ "both lengths",
		    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    "HTTP/1.1 400 ", "\"id\":\"http-length-and-coding\"", "" },
		{ "after a good one", GET("/uno") "GARBAGE\r\n\r\n" GET("/dos"),
		    "HTTP/1.1 400 ", "\"id\":\"http-request-line\"", "/uno" },
	};
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = client_new(&w);
		client_send(&c, rows[i].request);
		bool ended = run_until_ended(&w, &c);
		if (!ended || count(&c, rows[i].status) != 1 ||
		    count(&c, rows[i].id) != 1 ||
		    count(&c, "Connection: close") != 1 ||
		    strstr(buf_text(&c.got), rows[i].field) == NULL ||
		    count(&c, "/dos") != 0) {
			print_error("row \"%s\": %s\n", rows[i].name,
			    buf_text(&c.got));
			fail();
		}
		client_end(&c);
	}
	world_close(&w);
}

/* A header that never ends is refused as soon as it is too long. */
static void
test_oversized_head(void **state)
{
	struct world w;
	char field[64];
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 600 && !c.ended; i++) {
		snprintf(field, sizeof(field), "X-%d: aaaaaaaaaaaaaaaaaaaa\r\n",
		    i);
		if (send(c.fd, field, strlen(field), MSG_NOSIGNAL) < 0)
			break;
		uv_run(&w.loop, UV_RUN_NOWAIT);
		client_read(&c);
	}
	assert_true(run_until_text(&w, &c, "HTTP/1.1 431 "));
	assert_int_equal(w.requests, 0);
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* INCIDENTS F21: each octet in time does not buy a request more time. */
static void
test_slow_request(void **state)
{
	static const char request[] = GET("/lento");
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	setup.request_ms = 300;
	serve(&w, &setup);
	struct client silent = client_new(&w), slow = client_new(&w);
	int64_t begin = clock_mono_ms(), next = begin;
	size_t sent = 0;
	while ((!slow.ended || !silent.ended) &&
	       clock_mono_ms() < begin + WAIT_MS) {
		/* The last octet never comes. */
		if (clock_mono_ms() >= next && sent + 2 < sizeof(request) &&
		    !slow.ended) {
			send(slow.fd, request + sent++, 1, MSG_NOSIGNAL);
			next += 100;
		}
		uv_run(&w.loop, UV_RUN_ONCE);
		client_read(&slow);
		client_read(&silent);
	}
	assert_true(slow.ended && silent.ended);
	assert_true(sent < sizeof(request) - 2);
	assert_int_equal(w.requests, 0);
	client_end(&slow);
	client_end(&silent);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* Between requests a connection may be idle for so long and no longer. */
static void
test_idle(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	setup.idle_ms = 100;
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c, GET("/uno"));
	assert_true(run_until_text(&w, &c, "/uno"));
	assert_true(run_until_ended(&w, &c));
	client_end(&c);
	world_close(&w);
}

/* Who waits for us is not timed out, and what it sent meanwhile waits too. */
static void
test_held(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	setup.request_ms = 50;
	setup.idle_ms = 50;
	serve(&w, &setup);
	struct client c = client_new(&w), idle = client_new(&w);
	client_send(&c, GET("/hold") GET("/despues"));
	run_until_held(&w, 1);
	/* The sweep that ends the idle one has seen this one as well. */
	assert_true(run_until_ended(&w, &idle));
	client_read(&c);
	assert_int_equal(c.got.len, 0);
	assert_false(c.ended);
	assert_int_equal(w.requests, 1);
	release_held(&w, 0, "tarde", true);
	assert_true(run_until_text(&w, &c, "/despues"));
	assert_true(strstr(buf_text(&c.got), "tarde") <
		    strstr(buf_text(&c.got), "/despues"));
	client_end(&idle);
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
}

static void
test_held_twice_in_a_row(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c, GET("/hold") GET("/hold") GET("/fin"));
	run_until_held(&w, 1);
	release_held(&w, 0, "primera", true);
	run_until_held(&w, 2);
	release_held(&w, 1, "segunda", true);
	assert_true(run_until_text(&w, &c, "/fin"));
	assert_int_equal(count(&c, "primera") + count(&c, "segunda"), 2);
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* The client left while it was held: the answer goes nowhere, and nothing of
 * it stays behind. */
static void
test_gone_while_held(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client left = client_new(&w), stays = client_new(&w);
	client_send(&left, GET("/hold"));
	run_until_held(&w, 1);
	client_send(&stays, GET("/hold"));
	run_until_held(&w, 2);
	client_end(&left);
	for (int i = 0; i < 3; i++)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	release_held(&w, 0, "nadie", true);
	run_until_conns(&w, 1);
	release_held(&w, 1, "alguien", true);
	assert_true(run_until_text(&w, &stays, "alguien"));
	client_end(&stays);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* The server is closed while somebody is held: freed once it is given back. */
static void
test_closed_while_held(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c, GET("/hold"));
	run_until_held(&w, 1);
	net_close(w.server);
	assert_true(run_until_ended(&w, &c));
	assert_int_equal(net_conns(w.server), 1);
	release_held(&w, 0, "nadie", true);
	w.server = NULL;
	client_end(&c);
	world_close(&w);
}

static void
test_conns_max(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	setup.conns_max = 2;
	serve(&w, &setup);
	struct client one = client_new(&w), two = client_new(&w);
	client_send(&one, GET("/uno"));
	client_send(&two, GET("/dos"));
	assert_true(run_until_text(&w, &one, "/uno"));
	assert_true(run_until_text(&w, &two, "/dos"));
	struct client three = client_new(&w);
	assert_true(run_until_ended(&w, &three));
	assert_int_equal(three.got.len, 0);
	/* The others go on, and a place that is free again is given away. */
	client_send(&one, GET("/otra"));
	assert_true(run_until_text(&w, &one, "/otra"));
	client_end(&one);
	run_until_conns(&w, 1);
	struct client four = client_new(&w);
	client_send(&four, GET("/cuatro"));
	assert_true(run_until_text(&w, &four, "/cuatro"));
	client_end(&two);
	client_end(&three);
	client_end(&four);
	run_until_conns(&w, 0);
	world_close(&w);
}

static void
check_big(struct client *c, size_t len)
{
	const uint8_t *end = memmem(c->got.p, c->got.len, "\r\n\r\n", 4);
	assert_non_null(end);
	const uint8_t *body = end + 4;
	assert_int_equal(c->got.p + c->got.len - body, len);
	for (size_t i = 0; i < len; i++) {
		if (body[i] != (uint8_t)(i * 7 >> 9))
			fail_msg("octet %zu differs", i);
	}
}

/* More than the socket takes at once arrives whole and in order. */
static void
test_large_answer(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c,
	    "GET /big/8 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	/* Nobody reads yet: the rest waits in the server. */
	for (int i = 0; i < 5; i++)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_true(run_until_ended(&w, &c));
	check_big(&c, 8 * MIB);
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* A small answer behind a large one does not overtake it. */
static void
test_small_behind_large(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c, GET("/big/6") GET("/chica"));
	assert_true(run_until(&w, &c, 6 * MIB + 100));
	struct bytes tail = bytes_of(c.got.p + c.got.len - 6, 6);
	assert_true(bytes_is(tail, "/chica"));
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
}

/* INCIDENTS F21: who asks and does not read is cut off, at a bound. */
static void
test_slow_reader(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	setup.pending_max = 12 * MIB;
	serve(&w, &setup);
	struct client c = client_new(&w), other = client_new(&w);
	client_send(&c, GET("/big/9") GET("/big/9") GET("/big/9"));
	client_send(&other, GET("/uno"));
	assert_true(run_until_text(&w, &other, "/uno"));
	run_until_conns(&w, 1);
	client_end(&c);
	client_end(&other);
	world_close(&w);
}

static void
test_last_request(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client c = client_new(&w);
	client_send(&c,
	    "GET /uno HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET(
		"/dos"));
	assert_true(run_until_ended(&w, &c));
	assert_int_equal(count(&c, "/uno"), 1);
	assert_int_equal(count(&c, "/dos"), 0);
	assert_int_equal(w.requests, 1);
	client_end(&c);
	world_close(&w);
}

/* Stopping: nobody new, idle ones end, who waits is answered and then ends. */
static void
test_stop(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	serve(&w, &setup);
	struct client idle = client_new(&w), waits = client_new(&w);
	client_send(&idle, GET("/uno"));
	assert_true(run_until_text(&w, &idle, "/uno"));
	client_send(&waits, GET("/hold"));
	run_until_held(&w, 1);
	net_stop(w.server);
	assert_true(run_until_ended(&w, &idle));
	assert_false(waits.ended);
	release_held(&w, 0, "ultima", true);
	w.server = NULL;
	assert_true(run_until_ended(&w, &waits));
	assert_int_equal(count(&waits, "ultima"), 1);
	int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(late, (struct sockaddr *)&w.at, sizeof(w.at)),
	    -1);
	close(late);
	client_end(&idle);
	client_end(&waits);
	world_close(&w);
}

static void
test_local_socket(void **state)
{
	char dir[] = "/tmp/refrendo-net-XXXXXX";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct client c = { .got = BUF(MIB) };
	struct world w;
	struct err e;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	world_open(&w);
	struct net_setup setup = usual(&w);
	setup.is_unix = true;
	setup.fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(setup.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(net_serve(&setup, &w.server, &e), ERR_OK);
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(c.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	client_send(&c, GET("/uno"));
	assert_true(run_until_text(&w, &c, "/uno"));
	assert_true(w.has_uid);
	assert_int_equal(w.uid, geteuid());
	client_end(&c);
	run_until_conns(&w, 0);
	world_close(&w);
	unlink(at.sun_path);
	rmdir(dir);
}

static void
test_no_socket(void **state)
{
	struct world w;
	struct err e;
	int pipes[2];
	(void)state;
	world_open(&w);
	struct net_setup setup = usual(&w);
	assert_int_equal(pipe(pipes), 0);
	setup.fd = pipes[0];
	assert_int_equal(net_serve(&setup, &w.server, &e), ERR_IO);
	assert_string_equal(e.id, "net-listen");
	assert_string_equal(e.say,
	    "the engine cannot listen on the socket it was given");
	assert_null(w.server);
	world_close(&w);
	close(pipes[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_oversized_head),
		cmocka_unit_test(test_slow_request),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_held_twice_in_a_row),
		cmocka_unit_test(test_gone_while_held),
		cmocka_unit_test(test_closed_while_held),
		cmocka_unit_test(test_conns_max),
		cmocka_unit_test(test_large_answer),
		cmocka_unit_test(test_small_behind_large),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_last_request),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_local_socket),
		cmocka_unit_test(test_no_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
