/*
 * status: OCSP, CRLs, CA certificates, log tiles and checkpoint over HTTP,
 * straight from what core published.  It holds no key; what needs a fresh
 * signature is asked of the ocsp-signer (status_ask.h).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refrendo/engine.h>
#include <refrendo/net.h>
#include <refrendo/signer.h>
#include <refrendo/store.h>

#include "control.h"
#include "counters.h"
#include "peer.h"
#include "role.h"
#include "status_ask.h"

#define CONNS_MAX   4096
#define REQUEST_MS  10000
#define IDLE_MS     60000
#define PENDING_MAX (64u << 20)
#define ANSWER_MAX  (33u << 20)
#define LOG_EVERY_S 60

struct status {
	uv_loop_t loop;
	uv_poll_t control;
	uv_timer_t second;
	uv_prepare_t before; /* the loop waits */
	uv_check_t after;
	bool reading; /* this turn has its read transaction */
	uint64_t turn_ns, turn_requests; /* since it has */
	struct role_context *role;
	struct public *public;
	struct net_server *server;
	struct status_view view;
	struct buf out;
	struct status_ask ask;
	struct net_counts net; /* as counted last */
	uint64_t logged;
	int64_t log_at;
	bool stopping;
	int result;
};

/* --- Requests ------------------------------------------------------------------------ */

static bool
renewed(struct status *s, enum err_code code, const struct err *e)
{
	s->reading = code == ERR_OK;
	if (code == ERR_OK)
		return true;
	/* The store was made anew: the parent starts a fresh reader. */
	log_err("public-renew", e);
	uv_stop(&s->loop);
	return false;
}

/*
 * One read transaction for all requests of a turn: what core has published
 * before the turn began is seen, and nothing is pinned while the loop waits.
 */
static bool
turn_begin(struct status *s)
{
	struct err e;
	if (s->reading)
		return true;
	s->turn_ns = uv_hrtime();
	s->turn_requests = 0;
	s->view.now = clock_now();
	return renewed(s, public_again(s->view.reader, &e), &e);
}

static void
turn_end(struct status *s)
{
	static const struct {
		uint64_t ns;
		enum counter place;
	} limits[] = { { 100000, COUNT_TURN_100US },
		{ 1000000, COUNT_TURN_1MS }, { 10000000, COUNT_TURN_10MS },
		{ 100000000, COUNT_TURN_100MS },
		{ UINT64_MAX, COUNT_TURN_ALL } };
	if (!s->reading)
		return;
	s->reading = false;
	public_release(s->view.reader);
	uint64_t ns = s->turn_requests > 0 ? uv_hrtime() - s->turn_ns : 0;
	for (size_t i = 0; s->turn_requests > 0 && i < ARRAY_LEN(limits); i++)
		if (ns <= limits[i].ns)
			count(limits[i].place, s->turn_requests);
}

static bool
ask_reads(void *ctx)
{
	return turn_begin(ctx);
}

static void
on_before(uv_prepare_t *h)
{
	turn_end(h->data);
}

static void
on_after(uv_check_t *h)
{
	turn_end(h->data);
}

static void
on_request(void *ctx, struct net_conn *c, const struct http_request *r)
{
	struct status *s = ctx;
	struct status_question question;
	size_t len;
	if (!turn_begin(s)) {
		net_answer(c, BYTES_NONE, false);
		return;
	}
	s->turn_requests++;
	uint8_t *room = net_room(c, STATUS_QUICK_MAX);
	if (room != NULL && status_quick(&s->view, r, room, &len)) {
		net_put(c, len, r->keep_alive);
		return;
	}
	s->out.len = 0;
	s->view.lent = BYTES_NONE;
	if (!status_answer(&s->view, r, &s->out, &question))
		ask_question(&s->ask, c, r, &question);
	else if (s->view.lent.len > 0)
		net_answer_lent(c, buf_bytes(&s->out), s->view.lent,
		    public_file_unmap, r->keep_alive);
	else
		net_answer(c, buf_bytes(&s->out), r->keep_alive);
}

/* --- The parent, the clock --------------------------------------------------------------- */

static void
on_control(uv_poll_t *poll, int status, int events)
{
	struct status *s = poll->data;
	struct control_frame f;
	struct err e;
	(void)events;
	if (status < 0 || control_read(CONTROL_FD, &f, &e) != ERR_OK) {
		uv_stop(&s->loop);
		return;
	}
	if (f.type == CONTROL_PEER && f.fd >= 0)
		ask_peer(&s->ask, f.fd);
	else if (f.fd >= 0)
		close(f.fd);
	if (f.type == CONTROL_STOP && !s->stopping) {
		s->stopping = true;
		net_stop(s->server);
		uv_stop(&s->loop);
	}
	buf_fini(&f.body);
}

static unsigned long long
counted(enum counter which)
{
	return atomic_load_explicit(&counters->value[which],
	    memory_order_relaxed);
}

/* What the server counts by itself, since the last time. */
static void
count_net(struct status *s)
{
	const struct net_counts *now = net_counts(s->server);
	count(COUNT_CONNS, now->accepted - s->net.accepted);
	count(COUNT_CONNS_REFUSED, now->refused - s->net.refused);
	count(COUNT_TIMEOUTS, now->timeouts - s->net.timeouts);
	count(COUNT_BYTES_IN, now->octets_in - s->net.octets_in);
	count(COUNT_BYTES_OUT, now->octets_out - s->net.octets_out);
	gauge(COUNT_CONNS_NOW, net_conns(s->server));
	s->net = *now;
}

static void
on_second(uv_timer_t *timer)
{
	struct status *s = timer->data;
	int64_t now = clock_now();
	struct err e;
	turn_end(s);
	s->turn_requests = 0;
	if (renewed(s, public_renew(s->view.reader, &e), &e))
		status_issuers(&s->view);
	turn_end(s);
	ask_second(&s->ask);
	count_net(s);
	uint64_t requests = 0;
	for (int i = COUNT_OCSP_GET; i <= COUNT_OTHER; i++)
		requests += counted((enum counter)i);
	if (now < s->log_at || requests == s->logged)
		return;
	log_info("status-served",
	    "requests=%llu answers=%llu unknown=%llu conns=%zu",
	    (unsigned long long)requests, counted(COUNT_ANSWER_MAP),
	    counted(COUNT_ANSWER_UNKNOWN), net_conns(s->server));
	s->logged = requests;
	s->log_at = now + LOG_EVERY_S;
}

static enum err_code
status_open(struct status *s, int *listen_fd, struct err *e)
{
	struct control_frame f;
	bool fresh;
	TRY(control_read(CONTROL_FD, &f, e));
	buf_fini(&f.body);
	if (f.type != CONTROL_LISTEN || f.fd < 0)
		return err_say(e, ERR_INVALID, "status-listen",
		    "status got no socket to listen on");
	*listen_fd = f.fd;
	TRY(public_open(s->role->inst.dir,
	    s->role->inst.config.public_map_bytes, false, &fresh, &s->public,
	    e));
	TRY(public_reader_new(s->public, &s->view.reader, e));
	TRY(public_warm(s->view.reader, e));
	s->ask.loop = &s->loop;
	s->ask.view = &s->view;
	s->ask.reads = ask_reads;
	s->ask.ctx = s;
	ask_open(&s->ask);
	return role_ready(s->role, e);
}

static enum err_code
status_serve(struct status *s, int listen_fd, struct err *e)
{
	struct net_setup setup = { .loop = &s->loop,
		.fd = listen_fd,
		.is_public = true,
		.limits = &http_limits_status,
		.conns_max = CONNS_MAX,
		.request_ms = REQUEST_MS,
		.idle_ms = IDLE_MS,
		.pending_max = PENDING_MAX,
		.handler = on_request,
		.ctx = s };
	TRY(net_serve(&setup, &s->server, e));
	uv_prepare_init(&s->loop, &s->before);
	uv_check_init(&s->loop, &s->after);
	s->before.data = s->after.data = s;
	uv_prepare_start(&s->before, on_before);
	uv_check_start(&s->after, on_after);
	control_watch(&s->loop, &s->control, CONTROL_FD, on_control);
	s->control.data = s;
	uv_timer_init(&s->loop, &s->second);
	s->second.data = s;
	on_second(&s->second);
	uv_timer_start(&s->second, on_second, 1000, 1000);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	return ERR_OK;
}

int
role_status(struct role_context *r)
{
	static struct status status;
	struct status *s = &status;
	struct err e;
	int listen_fd;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	s->role = r;
	s->out = BUF(ANSWER_MAX);
	uv_loop_init(&s->loop);
	net_prepare(&s->loop);
	enum err_code code = status_open(s, &listen_fd, &e);
	if (code == ERR_OK)
		code = status_serve(s, listen_fd, &e);
	if (code != ERR_OK)
		role_failed("status-start", &e);
	public_reader_free(s->view.reader);
	public_close(s->public);
	ask_close(&s->ask);
	buf_fini(&s->out);
	return code == ERR_OK ? 0 : 1;
}
