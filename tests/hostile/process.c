/*
 * process - the signer as the parent starts it: a process of its own, confined,
 * that gets its set-up over descriptor 3 and answers on a socket.  This end of
 * that socket is core's, or that of status.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../engine/control.h"
#include "../../engine/counters.h"
#include "fake/signer_world.h"

#define WAIT_MS 20000

/* --- The configuration as its files say it -------------------------------------------- */

static void
put_config(const struct world *w, struct buf *out)
{
	const struct config *c = &w->config;
	buf_putf(out,
	    "origin: %s\npublic_url: %s\nlisten: 127.0.0.1:0\n"
	    "admin:\n  socket: run/admin.sock\n  uids: []\n"
	    "processes: {status: 1, front: 1}\n"
	    "maps: {ledger: 1GiB, public: 1GiB}\n"
	    "keys:\n  log: %s\n  endorser: file:%s\n"
	    "files:\n  log_public: log.pub\n  endorser: %s\n"
	    "  root: root.pem\n  signer: signer.yaml\n"
	    "  policies: policies\nissuers:\n",
	    c->origin, c->public_url, c->log_key, c->endorser_key,
	    c->endorser_certificate);
	for (size_t i = 0; i < c->n_issuer; i++)
		buf_putf(out,
		    "  - name: %s\n    certificate: %s\n    key: %s\n"
		    "    ocsp_key: file:%s\n"
		    "    ocsp_certificate: 20d\n",
		    c->issuer[i].name, c->issuer[i].certificate,
		    c->issuer[i].key, c->issuer[i].ocsp_key);
}

static void
send_setup(struct world *w, bool is_ocsp)
{
	struct buf config AUTO_BUF = BUF(16384), top AUTO_BUF = BUF(16384);
	struct buf body AUTO_BUF = BUF(CONTROL_CAP);
	int counters_fd;
	put_config(w, &config);
	world_ceilings(&w->ceilings, &top);
	struct setup s = {
		.role = is_ocsp ? ROLE_OCSP_SIGNER : ROLE_SIGNER,
		.dir = bytes_str(w->dir),
		.n_file = 2,
		.name = { bytes_str("etc/refrendo.yaml"),
		    bytes_str("etc/signer.yaml") },
		.text = { buf_bytes(&config), buf_bytes(&top) },
	};
	setup_encode(&s, &body);
	OK(counters_make(1, &counters_fd, e));
	OK(control_send(w->process.control, CONTROL_SETUP, buf_bytes(&body),
	    counters_fd, e));
	close(counters_fd);
}

/* --- The process ------------------------------------------------------------------------- */

static void
become_signer(struct world *w, int control, bool is_ocsp)
{
	const char *path = getenv("REFRENDO"), *shim = getenv("CLOCK_SHIM");
	char ahead[32];
	snprintf(ahead, sizeof(ahead), "%lld", (long long)w->process.ahead);
	/* A confined role cannot look at its threads in /proc for leaks; those of
	 * the signer's code show in the local world. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:verify_asan_link_order=0", 0);
	if (w->process.ahead != 0) {
		setenv("CLOCK_OFFSET", ahead, 1);
		setenv("LD_PRELOAD", shim, 1);
	}
	dup2(w->process.log, STDERR_FILENO);
	if (dup2(control, CONTROL_FD) == CONTROL_FD)
		execl(path, "refrendo", "role",
		    is_ocsp ? "ocsp-signer" : "signer", (char *)NULL);
	_exit(127);
}

static void
connect_asker(struct world *w, enum signer_asker who)
{
	int pair[2];
	uint8_t peer[2] = { who == ASKER_CORE ? ROLE_CORE : ROLE_STATUS, 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	OK(control_send(w->process.control, CONTROL_PEER, bytes_of(peer, 2),
	    pair[1], e));
	close(pair[1]);
	w->process.asker[who] = pair[0];
}

void
world_open(struct world *w, bool is_ocsp)
{
	int pair[2];
	char path[128];
	struct control_frame f;
	assert_non_null(getenv("REFRENDO"));
	w->process.is_ocsp = is_ocsp;
	snprintf(path, sizeof(path), "%s/log", w->dir);
	w->process.log =
	    open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(w->process.log >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	w->process.pid = fork();
	assert_true(w->process.pid >= 0);
	if (w->process.pid == 0)
		become_signer(w, pair[1], is_ocsp);
	close(pair[1]);
	w->process.control = pair[0];
	send_setup(w, is_ocsp);
	/* It says how it is confined, and is the real thing only then. */
	OK(control_read(w->process.control, &f, e));
	assert_int_equal(f.type, CONTROL_READY);
	buf_fini(&f.body);
	connect_asker(w, ASKER_CORE);
	connect_asker(w, ASKER_STATUS);
	world_tick(w);
}

void
world_stop(struct world *w)
{
	int status;
	if (w->process.pid == 0)
		return;
	OK(control_send(w->process.control, CONTROL_STOP, BYTES_NONE, -1, e));
	assert_int_equal(waitpid(w->process.pid, &status, 0), w->process.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (size_t i = 0; i < 2; i++)
		close(w->process.asker[i]);
	close(w->process.control);
	close(w->process.log);
	w->process.pid = 0;
}

void
world_tick(struct world *w)
{
	w->now = clock_now() + w->process.ahead;
}

void
world_forward(struct world *w, int64_t seconds)
{
	world_stop(w);
	w->process.ahead += seconds;
	world_open(w, w->process.is_ocsp);
	world_hello(w);
}

/* --- Its log -------------------------------------------------------------------------------- */

static void
read_log(struct world *w, struct buf *out)
{
	uint8_t room[4096];
	ssize_t n;
	off_t at = (off_t)w->process.log_at;
	while ((n = pread(w->process.log, room, sizeof(room), at)) > 0) {
		buf_put(out, room, (size_t)n);
		at += n;
	}
	buf_put(out, "", 1);
	assert_false(out->failed);
}

void
world_log_from(struct world *w)
{
	w->process.log_at = (size_t)lseek(w->process.log, 0, SEEK_END);
}

bool
world_logged(struct world *w, const char *id)
{
	struct buf text AUTO_BUF = BUF(1u << 20);
	char want[96];
	read_log(w, &text);
	int n = snprintf(want, sizeof(want), " id=%s", id);
	for (const char *at = (const char *)text.p;
	    (at = strstr(at, want)) != NULL; at += n) {
		if (strchr(" \n", at[n]) != NULL)
			return true;
	}
	return false;
}

/* --- Talking --------------------------------------------------------------------------------- */

#define MARKER UINT64_C(0x6d61726b6572)

static void
send_all(int fd, struct bytes b)
{
	while (b.len > 0) {
		ssize_t n = send(fd, b.p, b.len, MSG_NOSIGNAL);
		if (n < 0)
			return; /* closed: the answer says so */
		b = bytes_of(b.p + n, b.len - (size_t)n);
	}
}

/* The next whole frame; false when the signer closed the connection. */
static bool
next_frame(int fd, struct buf *in, struct frame *f, size_t *used)
{
	uint8_t room[65536];
	for (;;) {
		struct pollfd wait = { fd, POLLIN, 0 };
		OK(frame_cut(buf_bytes(in), signer_cap, f, used, e));
		if (*used > 0)
			return true;
		assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
		ssize_t n = recv(fd, room, sizeof(room), 0);
		if (n <= 0)
			return false;
		buf_put(in, room, (size_t)n);
	}
}

/* What it says of the peer that it closed; the peer comes again. */
static enum err_code
closed(struct world *w, enum signer_asker who, struct err *e)
{
	static char id[64];
	struct buf text AUTO_BUF = BUF(1u << 20);
	close(w->process.asker[who]);
	connect_asker(w, who);
	/* Answered once it has the new peer, and has written its log. */
	world_hello(w);
	read_log(w, &text);
	const char *at = strstr((const char *)text.p, "event=signer-asker");
	if (at == NULL)
		at = strstr((const char *)text.p, "signer-asker");
	assert_non_null(at);
	at = strstr(at, " id=");
	assert_non_null(at);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 4, " \n"), at + 4);
	*e = (struct err){ .code = ERR_INVALID, .id = id, .say = "closed" };
	return ERR_INVALID;
}

enum err_code
world_talk(struct world *w, enum signer_asker who, struct bytes in,
    struct buf *out, struct err *e)
{
	struct buf got AUTO_BUF = BUF(4u << 20), marker AUTO_BUF = BUF(64);
	struct frame f;
	size_t used;
	int fd = w->process.asker[who];
	if (w->file >= 0) {
		ssize_t n = fd_send(fd, in, w->file, 0);
		assert_true(n > 0);
		in = bytes_of(in.p + n, in.len - (size_t)n);
		close(w->file);
		w->file = -1;
	}
	send_all(fd, in);
	frame_put(&marker, SIGNER_HELLO, MARKER, BYTES_NONE);
	/* Core's questions are answered in their order, and some not at all;
	 * status asks for one thing and gets one answer. */
	if (who == ASKER_CORE)
		send_all(fd, buf_bytes(&marker));
	while (next_frame(fd, &got, &f, &used)) {
		if (f.id == MARKER)
			return ERR_OK;
		buf_put(out, got.p, used);
		buf_drop(&got, used);
		if (who == ASKER_STATUS)
			return ERR_OK;
	}
	return closed(w, who, e);
}
