/*
 * front: the JSON API on the local socket.  It turns requests into commands
 * and queries for core and core's answers into JSON; it decides nothing and
 * keeps nothing.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <refrendo/api.h>
#include <refrendo/net.h>

#include "control.h"
#include "metrics.h"
#include "peer.h"
#include "role.h"

#define CONNS_MAX       512
#define REQUEST_MS      10000
#define IDLE_MS         60000
#define PENDING_MAX     (64u << 20)
#define ANSWER_MAX      (CORE_ANSWER_MAX * 3) /* JSON of the largest answer */
#define ASKED_MAX       1024                  /* requests that wait for core */
#define CORE_ANSWER_MS  30000
#define SNAPSHOT_MS     3600000 /* copies the whole ledger */
#define STOP_MS         15000
#define METRICS_CONNS   16
#define METRICS_PENDING (1u << 20)
#define RETRY_LATER     "Retry-After: 1\r\n"
#define TYPE_PROBLEM    "application/problem+json"

/* A client that waits for core. */
struct asked {
	struct net_conn *conn; /* NULL: free */
	struct api_call call;  /* what rendering needs of it */
	uint32_t turn;         /* counts the uses of this slot */
	int64_t deadline_ms;
	bool keep_alive, head_only;
};

struct front {
	uv_loop_t loop;
	uv_poll_t control;
	uv_timer_t second;
	struct role_context *role;
	struct net_server *server, *metrics;
	struct counters_view counters; /* of all processes */
	struct peer *core;
	struct arena *arena; /* of one event */
	struct buf body, out;
	struct asked asked[ASKED_MAX];
	size_t n_asked;
	uint32_t own_uid;
	bool stopping;
	int64_t stop_ms;
};

/* --- Answers ------------------------------------------------------------------ */

/* A refusal as a whole HTTP answer in f->out. */
static void
put_problem(struct front *f, const struct err *e, int status, const char *extra,
    bool keep_alive, bool head_only)
{
	buf_reset(&f->body);
	buf_reset(&f->out);
	api_problem(&f->body, e, status);
	http_answer(&f->out, status, clock_now(), keep_alive, TYPE_PROBLEM,
	    status == 503 ? RETRY_LATER : extra, buf_bytes(&f->body),
	    head_only);
}

static enum err_code
core_away(struct err *e)
{
	return err_say(e, ERR_BUSY, "core-away",
	    "the core process is away for a moment; repeat the request with "
	    "the same Idempotency-Key");
}

static void
release(struct front *f, struct asked *a)
{
	struct net_conn *conn = a->conn;
	a->conn = NULL;
	a->turn++;
	f->n_asked--;
	net_answer_held(conn, buf_bytes(&f->out), a->keep_alive);
}

static void
refuse_held(struct front *f, struct asked *a, const struct err *e)
{
	put_problem(f, e, http_status_of(e->code), "", a->keep_alive,
	    a->head_only);
	release(f, a);
}

static void
answer_held(struct front *f, struct asked *a, struct bytes answer)
{
	const char *type;
	struct err e;
	buf_reset(&f->body);
	buf_reset(&f->out);
	if (api_render(&a->call, answer, &f->body, &type, &e) != ERR_OK) {
		if (e.code != ERR_NOTFOUND)
			log_err("front-render", &e);
		refuse_held(f, a, &e);
		return;
	}
	http_answer(&f->out, 200, clock_now(), a->keep_alive, type, "",
	    buf_bytes(&f->body), a->head_only);
	release(f, a);
}

/* --- Core ----------------------------------------------------------------------- */

/* The slot of a frame's id, if its client still waits. */
static struct asked *
find_asked(struct front *f, uint64_t id)
{
	struct asked *a = &f->asked[id % ASKED_MAX];
	return a->conn != NULL && id / ASKED_MAX == a->turn ? a : NULL;
}

static enum err_code
on_core_frame(void *ctx, struct peer *p, const struct frame *frame,
    struct err *e)
{
	struct front *f = ctx;
	(void)p;
	/* Somebody whose time ran out was answered already. */
	struct asked *a = find_asked(f, frame->id);
	if ((frame->type & (CORE_ANSWER | CORE_REFUSAL)) == 0)
		return err_say(e, ERR_INVALID, "front-core-frame",
		    "core sent a request where front expects answers");
	if (a == NULL)
		return ERR_OK;
	if ((frame->type & CORE_ANSWER) != 0) {
		answer_held(f, a, frame->body);
		return ERR_OK;
	}
	struct err refusal;
	enum err_code code = err_decode(frame->body, f->arena, &refusal, e);
	if (code == ERR_OK)
		refuse_held(f, a, &refusal);
	arena_reset(f->arena);
	return code;
}

static void
on_core_gone(void *ctx, struct peer *p)
{
	struct front *f = ctx;
	struct err e;
	if (f->core != p)
		return;
	f->core = NULL;
	core_away(&e);
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (f->asked[i].conn != NULL)
			refuse_held(f, &f->asked[i], &e);
	}
}

static void
core_peer(struct front *f, int fd)
{
	struct err e;
	if (f->core != NULL) {
		struct peer *old = f->core;
		on_core_gone(f, old);
		peer_close(old);
	}
	struct peer_setup setup = { .loop = &f->loop,
		.fd = fd,
		.name = "core",
		.cap = core_cap,
		.frame = on_core_frame,
		.gone = on_core_gone,
		.ctx = f };
	if (peer_open(&setup, &f->core, &e) != ERR_OK)
		log_err("peer-open", &e);
}

/* --- Requests --------------------------------------------------------------------- */

static bool
may_call(const struct front *f, uint32_t uid)
{
	const struct config *c = &f->role->inst.config;
	bool may = uid == 0 || uid == f->own_uid;
	for (size_t i = 0; i < c->n_admin_uid; i++)
		may = may || c->admin_uids[i] == uid;
	return may;
}

static struct asked *
take_slot(struct front *f)
{
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (f->asked[i].conn == NULL)
			return &f->asked[i];
	}
	return NULL;
}

/* Only what rendering needs: the rest borrows from the request. */
static struct api_call
for_rendering(const struct api_call *call)
{
	return (struct api_call){ .is_command = call->is_command,
		.query = { .what = call->query.what,
		    .limit = call->query.limit },
		.with_blobs = call->with_blobs,
		.raw = call->raw,
		.raw_type = call->raw_type };
}

static enum err_code
ask(struct front *f, struct net_conn *c, const struct http_request *r,
    const struct api_call *call, struct err *e)
{
	if (f->core == NULL)
		return core_away(e);
	struct asked *a = take_slot(f);
	if (a == NULL)
		return err_say(e, ERR_BUSY, "front-busy",
		    "too many requests wait for an answer; repeat this one "
		    "with the same Idempotency-Key");
	struct buf body AUTO_BUF = BUF(131072);
	if (call->is_command)
		command_encode(&call->command, &body);
	else
		query_encode(&call->query, &body);
	TRY(buf_end(&body, e));
	a->conn = net_hold(c);
	a->call = for_rendering(call);
	a->keep_alive = r->keep_alive;
	a->head_only = r->method == HTTP_HEAD;
	bool is_copy = !call->is_command && call->query.what == CORE_SNAPSHOT;
	a->deadline_ms =
	    clock_mono_ms() + (is_copy ? SNAPSHOT_MS : CORE_ANSWER_MS);
	f->n_asked++;
	uint64_t id = (uint64_t)a->turn * ASKED_MAX + (uint64_t)(a - f->asked);
	uint16_t type =
	    (uint16_t)(call->is_command ? CORE_COMMAND : call->query.what);
	if (call->with_blobs || call->raw != NULL)
		type |= CORE_WHOLE;
	peer_send(f->core, type, id, buf_bytes(&body));
	return ERR_OK;
}

/* --- What front knows itself ---------------------------------------------------------- */

/*
 * Metrics and health are the counters of all processes: front answers these
 * two itself, so that they are there when core is not.
 */
static bool
answer_own(struct front *f, struct net_conn *c, const struct http_request *r,
    const char *prefix)
{
	struct bytes path = r->path;
	size_t len = strlen(prefix);
	const char *type = METRICS_TYPE;
	int status = 200;
	if ((r->method != HTTP_GET && r->method != HTTP_HEAD) ||
	    path.len < len || memcmp(path.p, prefix, len) != 0)
		return false;
	path = bytes_of(path.p + len, path.len - len);
	buf_reset(&f->body);
	buf_reset(&f->out);
	if (bytes_is(path, "/metrics")) {
		metrics_print(&f->counters, &f->role->inst.config, &f->body);
	} else if (bytes_is(path, "/health")) {
		type = "application/json";
		/* Whoever balances load reads the status alone. */
		if (!health_json(&f->counters, &f->role->inst.config,
			clock_now(), &f->body) &&
		    len == 0)
			status = 503;
	} else {
		return false;
	}
	http_answer(&f->out, status, clock_now(), r->keep_alive, type,
	    "Cache-Control: no-store\r\n", buf_bytes(&f->body),
	    r->method == HTTP_HEAD);
	net_answer(c, buf_bytes(&f->out), r->keep_alive);
	return true;
}

/* The listener of the configuration: these two, to whoever reaches it. */
static void
on_metrics(void *ctx, struct net_conn *c, const struct http_request *r)
{
	struct front *f = ctx;
	struct err e;
	if (answer_own(f, c, r, ""))
		return;
	err_say(&e, ERR_NOTFOUND, "front-metrics-path",
	    "only GET /metrics and GET /health are here");
	put_problem(f, &e, 404, "", r->keep_alive, r->method == HTTP_HEAD);
	net_answer(c, buf_bytes(&f->out), r->keep_alive);
}

static enum err_code
handle(struct front *f, struct net_conn *c, const struct http_request *r,
    int *status, struct err *e)
{
	struct api_call call;
	uint32_t uid = UINT32_MAX;
	*status = 0;
	if (!net_peer_uid(c, &uid) || !may_call(f, uid))
		return err_say(e, ERR_FORBIDDEN, "front-uid",
		    "this user may not use the engine; run the command as "
		    "root, or add the user's number to admin.uids in "
		    "etc/refrendo.yaml");
	if (answer_own(f, c, r, "/api/v1"))
		return ERR_OK;
	TRY(api_route(r, uid, f->arena, &call, status, e));
	return ask(f, c, r, &call, e);
}

static void
on_request(void *ctx, struct net_conn *c, const struct http_request *r)
{
	struct front *f = ctx;
	struct err e;
	int status;
	if (handle(f, c, r, &status, &e) != ERR_OK) {
		struct buf extra AUTO_BUF = BUF(128);
		if (status == 405) {
			struct buf allow AUTO_BUF = BUF(64);
			api_allow(r->path, &allow);
			buf_putf(&extra, "Allow: %s\r\n", buf_text(&allow));
		}
		put_problem(f, &e,
		    status != 0 ? status : http_status_of(e.code),
		    buf_text(&extra), r->keep_alive, r->method == HTTP_HEAD);
		net_answer(c, buf_bytes(&f->out), r->keep_alive);
	}
	arena_reset(f->arena);
}

/* --- The parent, the clock ----------------------------------------------------------- */

static void
stop_when_done(struct front *f)
{
	if (f->stopping && (f->n_asked == 0 || clock_mono_ms() > f->stop_ms))
		uv_stop(&f->loop);
}

static void
on_control(uv_poll_t *poll, int status, int events)
{
	struct front *f = poll->data;
	struct control_frame frame;
	struct err e;
	(void)events;
	if (status < 0 || control_read(CONTROL_FD, &frame, &e) != ERR_OK) {
		uv_stop(&f->loop);
		return;
	}
	if (frame.type == CONTROL_PEER && frame.fd >= 0)
		core_peer(f, frame.fd);
	else if (frame.fd >= 0)
		close(frame.fd);
	if (frame.type == CONTROL_STOP && !f->stopping) {
		f->stopping = true;
		f->stop_ms = clock_mono_ms() + STOP_MS;
		net_stop(f->server);
		if (f->metrics != NULL)
			net_stop(f->metrics);
		stop_when_done(f);
	}
	buf_fini(&frame.body);
}

static void
on_second(uv_timer_t *timer)
{
	struct front *f = timer->data;
	int64_t now = clock_mono_ms();
	struct err e;
	for (size_t i = 0; f->n_asked > 0 && i < ASKED_MAX; i++) {
		struct asked *a = &f->asked[i];
		if (a->conn == NULL || now < a->deadline_ms)
			continue;
		err_say(&e, ERR_BUSY, "front-timeout",
		    "no answer came within 30 seconds and the act may have "
		    "happened; repeat the request with the same "
		    "Idempotency-Key to learn its result");
		refuse_held(f, a, &e);
	}
	stop_when_done(f);
}

static enum err_code
take_listener(int *listen_fd, struct err *e)
{
	struct control_frame frame;
	TRY(control_read(CONTROL_FD, &frame, e));
	buf_fini(&frame.body);
	if (frame.type != CONTROL_LISTEN || frame.fd < 0)
		return err_say(e, ERR_INVALID, "front-listen",
		    "front got no socket to listen on");
	*listen_fd = frame.fd;
	return ERR_OK;
}

static enum err_code
front_open(struct front *f, int *listen_fd, int *metrics_fd, struct err *e)
{
	*metrics_fd = -1;
	TRY(take_listener(listen_fd, e));
	if (f->role->inst.config.metrics[0] != '\0')
		TRY(take_listener(metrics_fd, e));
	TRY(counters_all(f->role->counters_fd, &f->counters, e));
	return role_ready(f->role, e);
}

/* Few clients and small answers: those that scrape. */
static enum err_code
metrics_serve(struct front *f, int fd, struct err *e)
{
	struct net_setup setup = { .loop = &f->loop,
		.fd = fd,
		.limits = &http_limits_status,
		.conns_max = METRICS_CONNS,
		.request_ms = REQUEST_MS,
		.idle_ms = IDLE_MS,
		.pending_max = METRICS_PENDING,
		.handler = on_metrics,
		.ctx = f };
	return net_serve(&setup, &f->metrics, e);
}

static enum err_code
front_serve(struct front *f, int listen_fd, int metrics_fd, struct err *e)
{
	struct net_setup setup = { .loop = &f->loop,
		.fd = listen_fd,
		.is_unix = true,
		.limits = &http_limits_api,
		.conns_max = CONNS_MAX,
		.request_ms = REQUEST_MS,
		.idle_ms = IDLE_MS,
		.pending_max = PENDING_MAX,
		.handler = on_request,
		.ctx = f };
	TRY(net_serve(&setup, &f->server, e));
	if (metrics_fd >= 0)
		TRY(metrics_serve(f, metrics_fd, e));
	control_watch(&f->loop, &f->control, CONTROL_FD, on_control);
	f->control.data = f;
	uv_timer_init(&f->loop, &f->second);
	f->second.data = f;
	uv_timer_start(&f->second, on_second, 1000, 1000);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	return ERR_OK;
}

int
role_front(struct role_context *r)
{
	static struct front front; /* a quarter of a MiB: not for a stack */
	struct front *f = &front;
	struct err e;
	int listen_fd, metrics_fd;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	f->role = r;
	f->own_uid = (uint32_t)geteuid();
	f->arena = arena_new();
	f->body = BUF(ANSWER_MAX);
	f->out = BUF(ANSWER_MAX + 4096);
	uv_loop_init(&f->loop);
	net_prepare(&f->loop);
	enum err_code code = front_open(f, &listen_fd, &metrics_fd, &e);
	if (code == ERR_OK)
		code = front_serve(f, listen_fd, metrics_fd, &e);
	if (code != ERR_OK)
		role_failed("front-start", &e);
	counters_close(&f->counters);
	buf_fini(&f->body);
	buf_fini(&f->out);
	arena_free(f->arena);
	return code == ERR_OK ? 0 : 1;
}
