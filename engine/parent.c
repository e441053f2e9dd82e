/*
 * The parent: reads the configuration, binds the sockets, starts the roles
 * by re-executing itself and starts again what dies.  It parses nothing that
 * comes from a network.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <refrendo/engine.h>

#include "control.h"
#include "counters.h"
#include "listen.h"
#include "peer.h"
#include "role.h"

#define PROCESSES_MAX    36
#define STATUS_USUAL_MAX 8 /* of a machine with more cores */
#define BACKOFF_MIN_MS   100
#define BACKOFF_READY_MS 250 /* for one that had come up */
#define BACKOFF_MAX_MS   10000
#define STEADY_MS        30000 /* alive so long: the next restart is at once */
#define STOP_MS          20000 /* then a role that does not end is killed */

enum process_state { P_IDLE, P_STARTING, P_READY, P_WAITING, P_ENDED };

struct parent;
struct process {
	uv_process_t handle;
	uv_poll_t control;
	uv_timer_t retry;
	struct parent *parent;
	enum role role;
	uint8_t index;
	enum process_state state;
	bool lacks_token; /* a signer that is tried until its token is back */
	int control_fd;   /* ours; -1: none */
	int listen_fd;    /* handed to it at every start; -1: none */
	int metrics_fd;   /* of a front, after that; -1: none */
	int64_t backoff_ms, started_ms;
	struct err last; /* what it said of its end; ERR_OK: nothing */
};

struct parent {
	uv_loop_t loop;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t deadline;
	struct installation inst;
	struct buf passphrase, pin;
	char self[PATH_LEN];
	int counters_fd;
	struct process process[PROCESSES_MAX];
	size_t n;
	bool stopping, announced;
	struct arena *arena; /* what these borrow */
	struct err failure;  /* why the start failed; ERR_OK: it did not */
};

static void process_start(struct process *p);

/* --- Talking to roles ------------------------------------------------------- */

static void
process_send(struct process *p, enum control_message type, struct bytes body,
    int fd)
{
	struct err e;
	if (p->control_fd < 0)
		return;
	if (control_send(p->control_fd, type, body, fd, &e) != ERR_OK)
		log_err("control-send", &e);
}

static void
send_setup(struct process *p)
{
	struct parent *parent = p->parent;
	struct installation *in = &parent->inst;
	struct setup s = { .role = p->role,
		.index = p->index,
		.slot = (uint8_t)(p - parent->process),
		.dir = bytes_str(in->dir),
		.n_file = in->n_file };
	if (p->role == ROLE_SIGNER || p->role == ROLE_OCSP_SIGNER) {
		s.passphrase = buf_bytes(&parent->passphrase);
		s.pin = buf_bytes(&parent->pin);
	}
	for (size_t i = 0; i < in->n_file; i++) {
		s.name[i] = bytes_str(in->name[i]);
		s.text[i] = in->file[i].text;
	}
	struct buf body AUTO_BUF = BUF(CONTROL_CAP);
	setup_encode(&s, &body);
	process_send(p, CONTROL_SETUP, buf_bytes(&body), parent->counters_fd);
}

static void
send_peer(struct process *to, const struct process *about, int fd)
{
	uint8_t body[2] = { (uint8_t)about->role, about->index };
	process_send(to, CONTROL_PEER, bytes_of(body, sizeof(body)), fd);
}

static bool
is_alive(const struct process *p)
{
	return p->state == P_STARTING || p->state == P_READY;
}

/* A new socket pair between two roles. */
static void
connect_pair(struct process *one, struct process *other)
{
	int pair[2];
	if (!is_alive(one) || !is_alive(other))
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		log_error("engine-pair", "why=%s", strerror(errno));
		return;
	}
	send_peer(one, other, pair[0]);
	send_peer(other, one, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

/* Who talks to whom: core with the signers and fronts; status asks the
 * ocsp-signer for what cannot be signed ahead of time. */
static bool
are_peers(enum role a, enum role b)
{
	static const struct {
		enum role one, other;
	} pairs[] = {
		{ ROLE_CORE, ROLE_SIGNER },
		{ ROLE_CORE, ROLE_OCSP_SIGNER },
		{ ROLE_CORE, ROLE_FRONT },
		{ ROLE_CORE, ROLE_CHECKER },
		{ ROLE_STATUS, ROLE_OCSP_SIGNER },
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if ((pairs[i].one == a && pairs[i].other == b) ||
		    (pairs[i].one == b && pairs[i].other == a))
			return true;
	}
	return false;
}

static void
connect_peers(struct process *p)
{
	for (size_t i = 0; i < p->parent->n; i++) {
		struct process *q = &p->parent->process[i];
		if (are_peers(p->role, q->role))
			connect_pair(p, q);
	}
}

/* --- Life of a role ---------------------------------------------------------- */

static void
all_ended(struct parent *parent)
{
	for (size_t i = 0; i < parent->n; i++) {
		if (is_alive(&parent->process[i]))
			return;
	}
	uv_stop(&parent->loop);
}

/* Who serves what core publishes, and who asks for that. */
static void
process_start_idle(struct parent *parent)
{
	for (size_t i = 0; i < parent->n; i++)
		if (parent->process[i].state == P_IDLE)
			process_start(&parent->process[i]);
}

/* Once, when everything that must be there is. */
static void
announce(struct parent *parent)
{
	for (size_t i = 0; i < parent->n; i++) {
		const struct process *p = &parent->process[i];
		if (p->state != P_READY && !p->lacks_token)
			return;
	}
	if (parent->announced)
		return;
	parent->announced = true;
	log_info("engine-ready", "listen=%s socket=%s",
	    parent->inst.config.listen, parent->inst.config.admin_socket);
	const char *notify = getenv("NOTIFY_SOCKET");
	if (notify == NULL || strlen(notify) >= 100)
		return;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", notify);
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    strlen(notify));
	if (fd < 0 || sendto(fd, "READY=1", 7, MSG_NOSIGNAL,
			  (struct sockaddr *)&at, len) < 0)
		log_warn("engine-notify", "why=%s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void
take_failure(struct process *p, struct bytes body)
{
	struct err e, why;
	if (!p->parent->announced &&
	    err_decode(body, p->parent->arena, &why, &e) == ERR_OK)
		p->last = why;
}

/* What a role that is gone said at last. */
static void
hear_last(struct process *p)
{
	struct control_frame f;
	struct err e;
	while (p->control_fd >= 0 &&
	       control_read(p->control_fd, &f, &e) == ERR_OK) {
		if (f.type == CONTROL_FAILED)
			take_failure(p, buf_bytes(&f.body));
		if (f.fd >= 0)
			close(f.fd);
		buf_fini(&f.body);
	}
}

static void
on_control(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct process *p = poll->data;
	struct control_frame f;
	struct err e;
	if (status < 0 || control_read(p->control_fd, &f, &e) != ERR_OK) {
		/* Its exit is about to be reported. */
		uv_poll_stop(poll);
		return;
	}
	if (f.type == CONTROL_FAILED)
		take_failure(p, buf_bytes(&f.body));
	if (f.fd >= 0)
		close(f.fd);
	buf_fini(&f.body);
	if (f.type != CONTROL_READY || p->state != P_STARTING)
		return;
	p->state = P_READY;
	p->lacks_token = false;
	/* public/ exists and is right once core is ready. */
	if (p->role == ROLE_CORE)
		process_start_idle(p->parent);
	announce(p->parent);
}

/* Nothing new comes in while core finishes what it has acknowledged; for that
 * it needs the signers, who are told when it is done. */
static void
stop_roles(struct parent *parent)
{
	static const enum role order[] = { ROLE_FRONT, ROLE_CHECKER,
		ROLE_STATUS, ROLE_CORE, ROLE_SIGNER, ROLE_OCSP_SIGNER };
	for (size_t k = 0; k < ARRAY_LEN(order); k++) {
		for (size_t i = 0; i < parent->n; i++) {
			struct process *p = &parent->process[i];
			if (p->role != order[k] || !is_alive(p))
				continue;
			process_send(p, CONTROL_STOP, BYTES_NONE, -1);
			if (p->role == ROLE_CORE)
				return;
		}
	}
}

static void
on_retry(uv_timer_t *timer)
{
	process_start(timer->data);
}

static void
on_poll_closed(uv_handle_t *h)
{
	struct process *p = h->data;
	close(p->control_fd);
	p->control_fd = -1;
	if (p->state == P_WAITING)
		uv_timer_start(&p->retry, on_retry, (uint64_t)p->backoff_ms, 0);
}

/* The first counts: the others fail for the same reason, or for its end. */
static void
start_failed(struct process *p)
{
	struct parent *parent = p->parent;
	hear_last(p);
	if (parent->failure.code != ERR_OK)
		return;
	parent->failure = p->last;
	if (parent->failure.code == ERR_OK)
		(void)err_say(&parent->failure, ERR_IO, "engine-role-ended",
		    "the role %s ended while the engine was starting; its last "
		    "lines in the log say why",
		    role_name(p->role));
}

static void
on_exit_role(uv_process_t *handle, int64_t code, int signal)
{
	struct process *p = handle->data;
	struct parent *parent = p->parent;
	bool was_starting = p->state == P_STARTING;
	log_warn("role-ended", "ended=%s index=%u pid=%d status=%d signal=%d",
	    role_name(p->role), p->index, handle->pid, (int)code, signal);
	uv_close((uv_handle_t *)handle, NULL);
	p->state = P_ENDED;
	if (!parent->stopping) {
		int64_t lived = clock_mono_ms() - p->started_ms;
		int64_t most = was_starting ? BACKOFF_MAX_MS : BACKOFF_READY_MS;
		p->backoff_ms *= 2;
		if (lived > STEADY_MS || p->backoff_ms < BACKOFF_MIN_MS)
			p->backoff_ms = BACKOFF_MIN_MS;
		if (p->backoff_ms > most)
			p->backoff_ms = most;
		p->state = P_WAITING;
		if (was_starting && code == ROLE_NO_RETRY) {
			log_error("role-credential", "role=%s",
			    role_name(p->role));
			p->state = P_ENDED;
		}
		p->lacks_token = was_starting && code == ROLE_NO_TOKEN;
		/* A role that never came up will not by being tried again. */
		if (was_starting && !parent->announced && code != 0 &&
		    !p->lacks_token) {
			log_error("engine-start-failed", "role=%s",
			    role_name(p->role));
			start_failed(p);
			p->state = P_ENDED;
			uv_kill(getpid(), SIGTERM);
		}
		announce(parent);
	}
	uv_close((uv_handle_t *)&p->control, on_poll_closed);
	if (parent->stopping) {
		if (p->role == ROLE_CORE)
			stop_roles(parent);
		all_ended(parent);
	}
}

static enum err_code
process_spawn(struct process *p, int child_fd, struct err *e)
{
	char role[16];
	snprintf(role, sizeof(role), "%s", role_name(p->role));
	char name[] = "refrendo", verb[] = "role";
	char *args[] = { name, verb, role, NULL };
	uv_stdio_container_t stdio[4] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = child_fd },
	};
	uv_process_options_t options = { .exit_cb = on_exit_role,
		.file = p->parent->self,
		.args = args,
		.stdio_count = 4,
		.stdio = stdio };
	int rc = uv_spawn(&p->parent->loop, &p->handle, &options);
	if (rc == 0)
		return ERR_OK;
	uv_close((uv_handle_t *)&p->handle, NULL);
	err_say(e, ERR_IO, "engine-spawn", "a role cannot be started");
	return err_why(e, "%s", uv_strerror(rc));
}

static void
process_start(struct process *p)
{
	struct err e;
	int pair[2];
	if (p->parent->stopping)
		return;
	p->handle.data = p;
	p->started_ms = clock_mono_ms();
	p->last = (struct err){ .code = ERR_OK };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		fatal("no socket pair for a role: %s", strerror(errno));
	enum err_code code = process_spawn(p, pair[1], &e);
	close(pair[1]);
	if (code != ERR_OK) {
		log_err("engine-spawn", &e);
		close(pair[0]);
		uv_timer_start(&p->retry, on_retry, BACKOFF_MAX_MS, 0);
		return;
	}
	p->control_fd = pair[0];
	p->state = P_STARTING;
	p->control.data = p;
	control_watch(&p->parent->loop, &p->control, p->control_fd, on_control);
	log_info("role-started", "started=%s index=%u pid=%d",
	    role_name(p->role), p->index, p->handle.pid);
	send_setup(p);
	if (p->listen_fd >= 0)
		process_send(p, CONTROL_LISTEN, BYTES_NONE, p->listen_fd);
	if (p->metrics_fd >= 0)
		process_send(p, CONTROL_LISTEN, BYTES_NONE, p->metrics_fd);
	connect_peers(p);
}

/* --- Signals ------------------------------------------------------------------ */

static void
on_deadline(uv_timer_t *timer)
{
	struct parent *parent = timer->data;
	for (size_t i = 0; i < parent->n; i++) {
		if (is_alive(&parent->process[i]))
			uv_process_kill(&parent->process[i].handle, SIGKILL);
	}
}

static void
on_term(uv_signal_t *handle, int signal)
{
	(void)signal;
	struct parent *parent = handle->data;
	if (parent->stopping)
		return;
	parent->stopping = true;
	log_info("engine-stopping", "pid=%d", getpid());
	stop_roles(parent);
	uv_timer_start(&parent->deadline, on_deadline, STOP_MS, 0);
	all_ended(parent);
}

/* All or nothing: a mistake anywhere leaves every old policy in force. */
static void
on_hangup(uv_signal_t *handle, int signal)
{
	(void)signal;
	struct parent *parent = handle->data;
	struct installation fresh;
	struct findings findings = { NULL, 0, 0 };
	struct err e;
	enum err_code code =
	    installation_start(parent->inst.dir, &fresh, &findings, &e);
	if (code != ERR_OK)
		log_err("policies-refused", &e);
	else if (findings.errors > 0) {
		installation_print(&fresh, &findings);
		log_error("policies-refused", "errors=%zu", findings.errors);
	}
	if (code != ERR_OK || findings.errors > 0) {
		findings_fini(&findings);
		installation_fini(&fresh);
		return;
	}
	findings_fini(&findings);
	/* Only policies are taken: the rest needs a restart. */
	struct setup s = { .role = ROLE_CORE, .dir = bytes_str(fresh.dir) };
	for (size_t i = 2; i < fresh.n_file; i++) {
		s.name[s.n_file] = bytes_str(fresh.name[i]);
		s.text[s.n_file] = fresh.file[i].text;
		s.n_file++;
	}
	struct buf body AUTO_BUF = BUF(CONTROL_CAP);
	setup_encode(&s, &body);
	for (size_t i = 0; i < parent->n; i++) {
		if (parent->process[i].role == ROLE_CORE)
			process_send(&parent->process[i], CONTROL_POLICIES,
			    buf_bytes(&body), -1);
	}
	/* A core that is started again gets these. */
	installation_take_policies(&parent->inst, &fresh);
	installation_fini(&fresh);
}

/* --- Start ---------------------------------------------------------------------- */

static struct process *
process_add(struct parent *parent, enum role role, uint8_t index)
{
	if (parent->n == PROCESSES_MAX)
		fatal("more processes than the configuration can name");
	struct process *p = &parent->process[parent->n++];
	*p = (struct process){ .parent = parent,
		.role = role,
		.index = index,
		.control_fd = -1,
		.listen_fd = -1,
		.metrics_fd = -1 };
	uv_timer_init(&parent->loop, &p->retry);
	p->retry.data = p;
	return p;
}

static int64_t
status_processes(const struct config *c)
{
	cpu_set_t cores;
	if (c->status_processes > 0)
		return c->status_processes;
	if (sched_getaffinity(0, sizeof(cores), &cores) != 0)
		return 1;
	int n = CPU_COUNT(&cores);
	return n < STATUS_USUAL_MAX ? n : STATUS_USUAL_MAX;
}

/* Metrics are served where the configuration asks for it: off by default. */
static enum err_code
front_add(struct parent *parent, uint8_t index, int admin, struct err *e)
{
	const struct config *c = &parent->inst.config;
	struct process *p = process_add(parent, ROLE_FRONT, index);
	p->listen_fd = admin;
	return c->metrics[0] == '\0'
		   ? ERR_OK
		   : listen_tcp(c->metrics, &p->metrics_fd, e);
}

static enum err_code
parent_processes(struct parent *parent, struct err *e)
{
	const struct config *c = &parent->inst.config;
	int admin;
	TRY(listen_unix(parent->inst.dir, c->admin_socket, &admin, e));
	process_add(parent, ROLE_SIGNER, 0);
	process_add(parent, ROLE_OCSP_SIGNER, 0);
	process_add(parent, ROLE_CORE, 0);
	for (int64_t i = 0; i < c->front_processes; i++)
		TRY(front_add(parent, (uint8_t)i, admin, e));
	struct process *first = NULL;
	for (int64_t i = 0; i < status_processes(c); i++) {
		struct process *p =
		    process_add(parent, ROLE_STATUS, (uint8_t)i);
		/* Port 0 is drawn once, for all of them. */
		if (first == NULL)
			TRY(listen_tcp(c->listen, &p->listen_fd, e));
		else
			TRY(listen_again(first->listen_fd, &p->listen_fd, e));
		first = first == NULL ? p : first;
	}
	process_add(parent, ROLE_CHECKER, 0);
	return ERR_OK;
}

static enum err_code
parent_prepare(struct parent *parent, const char *dir, bool spanish,
    struct err *e)
{
	struct key_asking asking = { .spanish = spanish };
	struct findings findings = { NULL, 0, 0 };
	enum err_code code =
	    installation_start(dir, &parent->inst, &findings, e);
	if (code == ERR_OK && findings.len > 0)
		installation_print(&parent->inst, &findings);
	if (code == ERR_OK && findings.errors > 0)
		code = err_say(e, ERR_INVALID, "engine-configuration",
		    "the configuration has errors; nothing was started");
	findings_fini(&findings);
	TRY(code);
	TRY(engine_lock(dir, e));
	TRY(counters_make(PROCESSES_MAX, &parent->counters_fd, e));
	TRY(passphrase_read(dir, &asking, &parent->passphrase, e));
	if (config_has_token(&parent->inst.config))
		TRY(pin_read(dir, spanish, &parent->pin, e));
	passphrase_end();
	ssize_t n =
	    readlink("/proc/self/exe", parent->self, sizeof(parent->self) - 1);
	if (n <= 0)
		return err_errno(e, "engine-self",
		    "the program cannot find its own file");
	parent->self[n] = '\0';
	return parent_processes(parent, e);
}

static void
on_signal(struct parent *parent, uv_signal_t *handle, int number,
    uv_signal_cb cb)
{
	uv_signal_init(&parent->loop, handle);
	handle->data = parent;
	uv_signal_start(handle, cb, number);
}

enum err_code
engine_serve(const char *dir, bool spanish, struct arena *a, struct err *e)
{
	static struct parent parent; /* 100 KiB: too much for a stack */
	char absolute[PATH_MAX];
	parent.arena = a;
	log_role("parent");
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&parent.loop);
	uv_timer_init(&parent.loop, &parent.deadline);
	parent.deadline.data = &parent;
	if (realpath(dir, absolute) == NULL || strlen(absolute) >= PATH_LEN)
		snprintf(absolute, PATH_LEN, "%s", dir);
	if (parent_prepare(&parent, absolute, spanish, e) != ERR_OK) {
		log_err("engine-start", e);
		return e->code;
	}
	on_signal(&parent, &parent.term, SIGTERM, on_term);
	on_signal(&parent, &parent.interrupt, SIGINT, on_term);
	on_signal(&parent, &parent.hangup, SIGHUP, on_hangup);
	for (size_t i = 0; i < parent.n; i++) {
		enum role role = parent.process[i].role;
		if (role != ROLE_STATUS && role != ROLE_CHECKER)
			process_start(&parent.process[i]);
	}
	uv_run(&parent.loop, UV_RUN_DEFAULT);
	buf_fini(&parent.passphrase);
	buf_fini(&parent.pin);
	installation_fini(&parent.inst);
	log_info("engine-stopped", "status=%d",
	    parent.failure.code == ERR_OK ? 0 : 1);
	*e = parent.failure;
	return parent.failure.code;
}
