#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <refrendo/net.h>

#define READ_SIZE  65536u
#define WRITE_SIZE 4194304u /* answers to the requests of one read */
#define BACKLOG    1024
#define SWEEP_MS   1000

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct net_conn {
	union stream io;
	struct net_server *server;
	TAILQ_ENTRY(net_conn) link;
	struct buf in;       /* the beginning of a request, between reads */
	int64_t deadline_ms; /* closed when it passes; time of the loop */
	size_t pending;      /* octets handed to libuv and not yet written */
	struct lent_write *lent; /* a body that is being sent; NULL: none */
	bool is_mid_request;     /* the deadline counts from its first octet */
	bool held;               /* somebody will call net_answer_held() */
	bool last;               /* close once everything is written */
	bool closing, closed;
};
TAILQ_HEAD(conns, net_conn);

struct net_server {
	union stream listen;
	uv_timer_t sweep;
	struct net_setup setup;
	struct conns conns;
	size_t n;
	struct net_counts counts;
	int handles; /* its own, that libuv has still to close */
	bool stopping;
	struct buf out; /* answers of the read that is being handled */
	struct net_conn *reading;
	char *read;
	struct http_memo *memo; /* NULL where something is secret */
};

/* What the socket did not take at once. */
struct pending_write {
	uv_write_t req;
	struct net_conn *conn;
	size_t len;
	char octets[];
};

/* A body that stays where it is until it was sent. */
struct lent_write {
	uv_write_t req;
	struct net_conn *conn;
	struct bytes body;
	void (*done)(struct bytes body);
	size_t left; /* octets at the last look: is the client taking them? */
	int64_t since_ms; /* when that changed last */
	bool keep_alive;
};

/* libuv takes char * for what it only reads. */
static uv_buf_t
uv_bytes(struct bytes b)
{
	return uv_buf_init((char *)(uintptr_t)b.p, (unsigned)b.len);
}

static void
server_release(struct net_server *s)
{
	if (s->handles > 0 || s->n > 0)
		return;
	buf_fini(&s->out);
	http_memo_free(s->memo);
	free(s->read);
	free(s);
}

static void
on_server_closed(uv_handle_t *h)
{
	struct net_server *s = h->data;
	s->handles--;
	server_release(s);
}

static void
conn_release(struct net_conn *c)
{
	if (!c->closed || c->held)
		return;
	struct net_server *s = c->server;
	TAILQ_REMOVE(&s->conns, c, link);
	s->n--;
	buf_fini(&c->in);
	free(c);
	server_release(s);
}

static void
on_conn_closed(uv_handle_t *h)
{
	struct net_conn *c = h->data;
	c->closed = true;
	conn_release(c);
}

static void
conn_close(struct net_conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close(&c->io.handle, on_conn_closed);
}

static void
conn_wait(struct net_conn *c, int64_t ms)
{
	c->deadline_ms = (int64_t)uv_now(c->server->setup.loop) + ms;
}

static void
conn_close_if_done(struct net_conn *c)
{
	if (c->last && c->pending == 0 && !c->held)
		conn_close(c);
}

static void
on_written(uv_write_t *req, int status)
{
	struct pending_write *w = (struct pending_write *)req;
	struct net_conn *c = w->conn;
	c->pending -= w->len;
	if (status == 0)
		c->server->counts.octets_out += w->len;
	free(w);
	if (status < 0)
		conn_close(c);
	else
		conn_close_if_done(c);
}

/* Queues with libuv what the socket would not take now. */
static void
conn_send_later(struct net_conn *c, struct bytes b)
{
	if (c->pending + b.len > c->server->setup.pending_max) {
		log_warn("net-slow-reader", "pending=%zu", c->pending);
		conn_close(c);
		return;
	}
	struct pending_write *w = malloc(sizeof(*w) + b.len);
	if (w == NULL) {
		conn_close(c);
		return;
	}
	memcpy(w->octets, b.p, b.len);
	w->conn = c;
	w->len = b.len;
	uv_buf_t all = uv_bytes(bytes_of(w->octets, b.len));
	if (uv_write(&w->req, &c->io.stream, &all, 1, on_written) != 0) {
		free(w);
		conn_close(c);
		return;
	}
	c->pending += b.len;
	conn_wait(c, c->server->setup.idle_ms);
}

static void
conn_send(struct net_conn *c, struct bytes b)
{
	if (c->closing || b.len == 0)
		return;
	size_t sent = 0;
	if (c->pending == 0) {
		uv_buf_t all = uv_bytes(b);
		int n = uv_try_write(&c->io.stream, &all, 1);
		if (n < 0 && n != UV_EAGAIN) {
			conn_close(c);
			return;
		}
		if (n > 0)
			sent = (size_t)n;
		c->server->counts.octets_out += sent;
	}
	if (sent < b.len)
		conn_send_later(c, bytes_of(b.p + sent, b.len - sent));
}

static void
conn_flush(struct net_conn *c)
{
	struct buf *out = &c->server->out;
	if (out->failed)
		conn_close(c);
	else
		conn_send(c, buf_bytes(out));
	if (c->server->setup.is_public && !out->failed)
		out->len = 0;
	else
		buf_reset(out);
}

static void
conn_refuse(struct net_conn *c, int status, const struct err *e)
{
	struct buf body AUTO_BUF = BUF(8192);
	http_problem(&body, e, status);
	/* RFC 9110 15.5.6; the method was none that any path knows. */
	http_answer(&c->server->out, status, clock_now(), false,
	    "application/problem+json",
	    status == 405 ? "Allow: GET, HEAD, POST\r\n" : "", buf_bytes(&body),
	    false);
	c->last = true;
}

/* Handles the whole requests at the front of in; returns what is left. */
static struct bytes
conn_requests(struct net_conn *c, struct bytes in)
{
	const struct net_setup *setup = &c->server->setup;
	while (in.len > 0 && !c->held && !c->last && !c->closing) {
		struct http_request r;
		struct err e;
		size_t used = 0;
		int status = 400;
		if (http_parse_memo(c->server->memo, in, setup->limits, &r,
			&used, &status, &e) != ERR_OK) {
			log_info("http-refused", "id=%s status=%d", e.id,
			    status);
			conn_refuse(c, status, &e);
			break;
		}
		if (used == 0)
			break;
		in.p += used;
		in.len -= used;
		setup->handler(setup->ctx, c, &r);
	}
	return in;
}

static void
conn_feed(struct net_conn *c, struct bytes octets)
{
	const struct net_setup *setup = &c->server->setup;
	struct bytes in = octets;
	bool is_kept = c->in.len > 0;
	if (is_kept) {
		buf_put(&c->in, octets.p, octets.len);
		in = buf_bytes(&c->in);
	}
	c->server->reading = c;
	struct bytes rest = conn_requests(c, in);
	c->server->reading = NULL;
	conn_flush(c);
	if (c->closing)
		return;
	if (is_kept)
		buf_drop(&c->in, in.len - rest.len);
	else
		buf_put(&c->in, rest.p, rest.len);
	if (c->in.failed) {
		conn_close(c);
		return;
	}
	bool was_mid_request = c->is_mid_request;
	c->is_mid_request = rest.len > 0;
	if (!c->is_mid_request)
		conn_wait(c, setup->idle_ms);
	else if (!was_mid_request || rest.len < in.len)
		conn_wait(c, setup->request_ms);
	if (c->held || c->last)
		uv_read_stop(&c->io.stream);
	conn_close_if_done(c);
}

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	(void)suggested;
	struct net_conn *c = h->data;
	*out = uv_buf_init(c->server->read, READ_SIZE);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *octets)
{
	struct net_conn *c = stream->data;
	if (n < 0)
		conn_close(c);
	if (n <= 0)
		return;
	c->server->counts.octets_in += (uint64_t)n;
	conn_feed(c, bytes_of(octets->base, (size_t)n));
}

static void
on_connection(uv_stream_t *listen, int status)
{
	struct net_server *s = listen->data;
	if (status < 0 || s->stopping)
		return;
	struct net_conn *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return;
	c->server = s;
	c->in = BUF(
	    s->setup.limits->head_max + s->setup.limits->body_max + READ_SIZE);
	if (s->setup.is_unix)
		uv_pipe_init(s->setup.loop, &c->io.pipe, 0);
	else
		uv_tcp_init(s->setup.loop, &c->io.tcp);
	c->io.handle.data = c;
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->n++;
	bool taken = uv_accept(listen, &c->io.stream) == 0;
	if (!taken || s->n > s->setup.conns_max) {
		s->counts.refused += taken ? 1 : 0;
		conn_close(c);
		return;
	}
	s->counts.accepted++;
	if (!s->setup.is_unix)
		uv_tcp_nodelay(&c->io.tcp, 1);
	conn_wait(c, s->setup.request_ms);
	if (uv_read_start(&c->io.stream, on_alloc, on_read) != 0)
		conn_close(c);
}

/* True when a client has taken nothing of it for too long. */
static bool
lent_stands_still(struct net_conn *c)
{
	size_t left = uv_stream_get_write_queue_size(&c->io.stream);
	int64_t now = clock_mono_ms();
	if (left != c->lent->left) {
		c->lent->left = left;
		c->lent->since_ms = now;
	}
	return now - c->lent->since_ms > c->server->setup.idle_ms;
}

/* Time-outs need no more precision than a second. */
static void
on_sweep(uv_timer_t *timer)
{
	struct net_server *s = timer->data;
	int64_t now = (int64_t)uv_now(timer->loop);
	struct net_conn *c;
	TAILQ_FOREACH (c, &s->conns, link) {
		bool waits = c->lent != NULL && lent_stands_still(c);
		if (c->closing || (c->held && !waits) ||
		    (!c->held && now <= c->deadline_ms))
			continue;
		s->counts.timeouts++;
		conn_close(c);
	}
}

static void
on_spare_closed(uv_handle_t *h)
{
	free(h);
}

/* It opens the spare with the first stream. */
void
net_prepare(uv_loop_t *loop)
{
	uv_tcp_t *t = malloc(sizeof(*t));
	if (t == NULL)
		return;
	if (uv_tcp_init(loop, t) == 0)
		uv_close((uv_handle_t *)t, on_spare_closed);
	else
		free(t);
}

enum err_code
net_serve(const struct net_setup *setup, struct net_server **out, struct err *e)
{
	struct net_server *s = calloc(1, sizeof(*s));
	char *read = malloc(READ_SIZE);
	if (s == NULL || read == NULL) {
		free(s);
		free(read);
		return err_nomem(e);
	}
	s->setup = *setup;
	s->read = read;
	/* Without memory for it all is read twice, to the same end. */
	if (setup->is_public)
		s->memo = http_memo_new();
	s->out = BUF(WRITE_SIZE);
	TAILQ_INIT(&s->conns);
	int rc;
	if (setup->is_unix) {
		uv_pipe_init(setup->loop, &s->listen.pipe, 0);
		rc = uv_pipe_open(&s->listen.pipe, setup->fd);
	} else {
		uv_tcp_init(setup->loop, &s->listen.tcp);
		rc = uv_tcp_open(&s->listen.tcp, setup->fd);
	}
	uv_timer_init(setup->loop, &s->sweep);
	s->listen.handle.data = s;
	s->sweep.data = s;
	s->handles = 2;
	if (rc == 0)
		rc = uv_listen(&s->listen.stream, BACKLOG, on_connection);
	if (rc != 0) {
		net_close(s);
		err_say(e, ERR_IO, "net-listen",
		    "the engine cannot listen on the socket it was given");
		return err_why(e, "%s", uv_strerror(rc));
	}
	uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	*out = s;
	return ERR_OK;
}

static void
server_close_handles(struct net_server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	uv_close(&s->listen.handle, on_server_closed);
	uv_close((uv_handle_t *)&s->sweep, on_server_closed);
}

void
net_stop(struct net_server *s)
{
	struct net_conn *c;
	TAILQ_FOREACH (c, &s->conns, link) {
		c->last = true;
		conn_close_if_done(c);
	}
	server_close_handles(s);
}

void
net_close(struct net_server *s)
{
	struct net_conn *c;
	TAILQ_FOREACH (c, &s->conns, link)
		conn_close(c);
	server_close_handles(s);
}

size_t
net_conns(const struct net_server *s)
{
	return s->n;
}

const struct net_counts *
net_counts(const struct net_server *s)
{
	return &s->counts;
}

void
net_answer(struct net_conn *c, struct bytes answer, bool keep_alive)
{
	if (!keep_alive)
		c->last = true;
	/* Small answers to one read leave in one write. */
	if (c->server->reading == c && answer.len <= READ_SIZE) {
		buf_put(&c->server->out, answer.p, answer.len);
		return;
	}
	if (c->server->reading == c)
		conn_flush(c);
	conn_send(c, answer);
}

uint8_t *
net_room(struct net_conn *c, size_t max)
{
	struct buf *out = &c->server->out;
	if (max > NET_ROOM_MAX || c->server->reading != c)
		fatal("net_room: not for this answer");
	/* Answers to one read that grow long leave before the rest. */
	if (out->len > READ_SIZE)
		conn_flush(c);
	uint8_t *room = buf_room(out, max);
	if (room != NULL)
		out->len -= max;
	return room;
}

void
net_put(struct net_conn *c, size_t len, bool keep_alive)
{
	if (!keep_alive)
		c->last = true;
	c->server->out.len += len;
}

struct net_conn *
net_hold(struct net_conn *c)
{
	c->held = true;
	return c;
}

void
net_answer_held(struct net_conn *c, struct bytes answer, bool keep_alive)
{
	c->held = false;
	if (c->closing) {
		conn_release(c);
		return;
	}
	net_answer(c, answer, keep_alive && !c->server->stopping);
	if (c->closing)
		return;
	conn_close_if_done(c);
	if (c->closing || c->last)
		return;
	/* A pipelined request may be waiting already. */
	c->is_mid_request = false;
	conn_wait(c, c->server->setup.idle_ms);
	conn_feed(c, BYTES_NONE);
	if (!c->closing && !c->held && !c->last)
		uv_read_start(&c->io.stream, on_alloc, on_read);
}

/* --- Long bodies ------------------------------------------------------------ */

static void
on_lent(uv_write_t *req, int status)
{
	struct lent_write *w = (struct lent_write *)req;
	struct net_conn *c = w->conn;
	bool keep_alive = w->keep_alive;
	c->lent = NULL;
	w->done(w->body);
	free(w);
	if (status < 0)
		conn_close(c);
	net_answer_held(c, BYTES_NONE, keep_alive);
}

void
net_answer_lent(struct net_conn *c, struct bytes head, struct bytes body,
    void (*done)(struct bytes body), bool keep_alive)
{
	struct lent_write *w = calloc(1, sizeof(*w));
	if (c->server->reading == c)
		conn_flush(c);
	conn_send(c, head);
	if (w == NULL || c->closing) {
		free(w);
		done(body);
		conn_close(c);
		return;
	}
	*w = (struct lent_write){ .conn = c,
		.body = body,
		.done = done,
		.left = body.len,
		.since_ms = clock_mono_ms(),
		.keep_alive = keep_alive };
	uv_buf_t all = uv_bytes(body);
	if (uv_write(&w->req, &c->io.stream, &all, 1, on_lent) != 0) {
		free(w);
		done(body);
		conn_close(c);
		return;
	}
	c->lent = w;
	c->held = true;
	c->server->counts.octets_out += body.len;
}

void
net_peer_address(const struct net_conn *c, uint8_t out[16])
{
	struct sockaddr_storage any;
	socklen_t len = sizeof(any);
	uv_os_fd_t fd;
	memset(out, 0, 16);
	if (uv_fileno(&c->io.handle, &fd) != 0 ||
	    getpeername(fd, (struct sockaddr *)&any, &len) != 0)
		return;
	if (any.ss_family == AF_INET6) {
		struct sockaddr_in6 six;
		memcpy(&six, &any, sizeof(six));
		memcpy(out, &six.sin6_addr, 16);
	} else if (any.ss_family == AF_INET) {
		struct sockaddr_in four;
		memcpy(&four, &any, sizeof(four));
		out[10] = out[11] = 0xff;
		memcpy(out + 12, &four.sin_addr, 4);
	}
}

bool
net_peer_uid(const struct net_conn *c, uint32_t *uid)
{
	uv_os_fd_t fd;
	struct ucred who;
	socklen_t len = sizeof(who);
	if (uv_fileno(&c->io.handle, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	*uid = (uint32_t)who.uid;
	return true;
}
