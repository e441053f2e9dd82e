/*
 * The signer and the ocsp-signer: one blocking thread that waits for frames,
 * lets signer/ judge and sign what has arrived, and answers.
 */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <refrendo/engine.h>
#include <refrendo/signer.h>

#include "control.h"
#include "counters.h"
#include "role.h"

#define BATCH_READ 262144u
#define ASKERS_MAX 17 /* core, and up to 16 status processes */

/* One that asks; slot 0 is core. */
struct asker {
	int fd;          /* -1: free */
	bool has_frames; /* perhaps: what arrived was not looked through */
	struct buf in;
	size_t used; /* octets of it that were served */
};

struct signing {
	struct signer *signer;
	struct asker asker[ASKERS_MAX];
	unsigned in_a_row; /* batches of core since status had its turn */
	struct buf out;
	uint64_t refused; /* counted already */
};

static void
asker_close(struct asker *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->has_frames = false;
	a->used = 0;
	buf_fini(&a->in);
}

/* An asker that does not take its answers is gone, not waited for: core and
 * status read whatever they do. */
static bool
send_all(int fd, struct bytes b)
{
	while (b.len > 0) {
		ssize_t n = send(fd, b.p, b.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		b.p += n;
		b.len -= (size_t)n;
	}
	return true;
}

/* Room for what arrives behind what is not served yet; that is moved to the
 * front only when it must be. */
static uint8_t *
asker_room(struct asker *a)
{
	if (a->used == a->in.len)
		a->in.len = a->used = 0;
	if (a->in.size - a->in.len <= BATCH_READ) {
		buf_drop(&a->in, a->used);
		a->used = 0;
	}
	return buf_room(&a->in, BATCH_READ);
}

/* What has arrived is taken in; an asker that is gone is closed. */
static void
read_asker(struct signing *s, struct asker *a)
{
	uint8_t *room = asker_room(a);
	int file = -1;
	ssize_t n = room == NULL ? 0
				 : fd_receive(a->fd, room, BATCH_READ, &file,
				       MSG_DONTWAIT);
	bool waits = n < 0 && (errno == EINTR || errno == EAGAIN);
	if (room != NULL)
		a->in.len -= BATCH_READ - (n > 0 ? (size_t)n : 0);
	/* Core alone has lists. */
	if (file >= 0 && a == &s->asker[0])
		signer_take_file(s->signer, file);
	else if (file >= 0)
		close(file);
	if (n > 0)
		a->has_frames = true;
	else if (!waits)
		asker_close(a);
}

static void
show_numbers(struct signing *s)
{
	struct signer_numbers now;
	signer_numbers(s->signer, &now);
	/* A counter that is set: the journal remembers it, not this page. */
	gauge(COUNT_SIGNER_CERTIFICATES, now.certificates);
	gauge(COUNT_SIGNER_STOPPED, (uint64_t)now.stopped_until);
	count(COUNT_SIGNER_REFUSED, now.refused - s->refused);
	s->refused = now.refused;
}

/*
 * One batch of what has arrived from one asker: nothing waits for more.
 * Returns an error only when the process must end; what an asker sent closes
 * that asker.
 */
static enum err_code
serve_asker(struct signing *s, struct asker *a, struct err *e)
{
	enum signer_asker who = a == &s->asker[0] ? ASKER_CORE : ASKER_STATUS;
	size_t used = 0;
	struct bytes in = bytes_of(a->in.p + a->used, a->in.len - a->used);
	enum err_code code =
	    signer_batch(s->signer, who, in, &used, clock_now(), &s->out, e);
	a->has_frames = code == ERR_OK && used > 0;
	a->used += used;
	bool sent = send_all(a->fd, buf_bytes(&s->out));
	show_numbers(s);
	if (code != ERR_OK)
		log_err("signer-asker", e);
	if (code != ERR_OK || !sent)
		asker_close(a);
	buf_reset(&s->out);
	if (code == ERR_OK && signer_token_lost(s->signer)) {
		(void)err_say(e, ERR_BUSY, "signer-token",
		    "the token that has the keys no longer signs; nothing is "
		    "issued until it is back, which is tried by itself");
		log_err("token-lost", e);
		return ERR_BUSY;
	}
	return code == ERR_INVALID ? ERR_OK : code;
}

static void
asker_add(struct signing *s, enum role role, uint8_t index, int fd)
{
	size_t slot = role == ROLE_CORE ? 0 : (size_t)index + 1;
	if (slot >= ASKERS_MAX) {
		close(fd);
		return;
	}
	asker_close(&s->asker[slot]);
	s->asker[slot] =
	    (struct asker){ .fd = fd, .in = BUF(FRAME_MAX + BATCH_READ) };
}

/* False when it is time to end. */
static bool
serve_control(struct signing *s)
{
	struct control_frame f;
	struct err e;
	if (control_read(CONTROL_FD, &f, &e) != ERR_OK)
		return false; /* the parent is gone */
	if (f.type == CONTROL_PEER && f.fd >= 0 && f.body.len == 2)
		asker_add(s, (enum role)f.body.p[0], f.body.p[1], f.fd);
	else if (f.fd >= 0)
		close(f.fd);
	buf_fini(&f.body);
	return f.type != CONTROL_STOP;
}

/*
 * Core comes first: revocations and renewals before what status asks for one
 * client.  While core has more, each status process gets a few answers after
 * every few batches, so that it slows down and does not stop.
 */
#define CORE_IN_A_ROW 4
#define STATUS_TURN   4

static enum err_code
serve_askers(struct signing *s, struct err *e)
{
	if (s->asker[0].has_frames) {
		TRY(serve_asker(s, &s->asker[0], e));
		if (++s->in_a_row < CORE_IN_A_ROW)
			return ERR_OK;
	}
	s->in_a_row = 0;
	for (size_t i = 1; i < ASKERS_MAX; i++) {
		for (int n = 0; n < STATUS_TURN && s->asker[i].has_frames; n++)
			TRY(serve_asker(s, &s->asker[i], e));
	}
	return ERR_OK;
}

static bool
has_frames(const struct signing *s)
{
	for (size_t i = 0; i < ASKERS_MAX; i++) {
		if (s->asker[i].has_frames)
			return true;
	}
	return false;
}

static int
serve(struct signing *s)
{
	struct err e;
	for (;;) {
		struct pollfd wait[ASKERS_MAX + 1];
		for (size_t i = 0; i < ASKERS_MAX; i++)
			wait[i] = (struct pollfd){ s->asker[i].fd, POLLIN, 0 };
		wait[ASKERS_MAX] = (struct pollfd){ CONTROL_FD, POLLIN, 0 };
		if (poll(wait, ARRAY_LEN(wait), has_frames(s) ? 0 : -1) < 0) {
			if (errno == EINTR)
				continue;
			fatal("poll fails");
		}
		for (size_t i = 0; i < ASKERS_MAX; i++) {
			if (wait[i].revents != 0 && s->asker[i].fd >= 0)
				read_asker(s, &s->asker[i]);
		}
		if (serve_askers(s, &e) != ERR_OK)
			return 1;
		if (wait[ASKERS_MAX].revents != 0 && !serve_control(s))
			return 0;
	}
}

/*
 * The keys at least are never swapped; everything, the passphrase and the
 * journal's table too, where this process may lock as much as it likes: else a
 * table that grows would one day find no memory.
 */
static void
memory_lock(void)
{
	struct rlimit most = { 0, 0 };
	bool keys = keys_lock();
	bool all = getrlimit(RLIMIT_MEMLOCK, &most) == 0 &&
		   most.rlim_cur == RLIM_INFINITY &&
		   mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
	log_info("memory-locked", "what=%s",
	    all    ? "all"
	    : keys ? "keys"
		   : "none");
}

static enum err_code
signing_open(struct role_context *r, struct signing *s, struct err *e)
{
	struct signer_setup setup = { .config = &r->inst.config,
		.ceilings = &r->inst.ceilings,
		.ceilings_text = r->inst.file[1].text,
		.now = clock_now(),
		.dir = r->inst.dir,
		.passphrase = r->passphrase,
		.pin = r->pin,
		.is_ocsp = r->role == ROLE_OCSP_SIGNER };
	s->out = BUF(FRAME_MAX);
	for (size_t i = 0; i < ASKERS_MAX; i++)
		s->asker[i].fd = -1;
	/* The threads that open keys, which end before the sandbox closes, share
	 * the one heap: others are managed by calls that it does not allow. */
	(void)mallopt(M_ARENA_MAX, 1);
	memory_lock();
	TRY(signer_new(&setup, &s->signer, e));
	buf_fini(&r->frame);
	r->passphrase = r->pin = BYTES_NONE;
	return role_ready(r, e);
}

/* Did refrendo keys passphrase leave files of its own behind? */
static bool
is_half_changed(const char *dir)
{
	char path[2 * PATH_LEN];
	const struct dirent *f;
	snprintf(path, sizeof(path), "%s/signer/cas.new", dir);
	bool is_half = access(path, F_OK) == 0;
	snprintf(path, sizeof(path), "%s/keys", dir);
	DIR *keys = opendir(path);
	while (keys != NULL && (f = readdir(keys)) != NULL)
		is_half = is_half || strstr(f->d_name, ".key.fresh") != NULL;
	if (keys != NULL)
		closedir(keys);
	return is_half;
}

/* A secret gets no better by trying again; a token comes back. */
static int
refuse_start(const struct role_context *r, const struct err *e)
{
	struct err half;
	role_failed("signer-start", e);
	if (strcmp(e->id, "token-away") == 0 ||
	    strcmp(e->id, "token-module") == 0)
		return ROLE_NO_TOKEN;
	if (strcmp(e->id, "token-pin") == 0)
		return ROLE_NO_RETRY;
	if (strcmp(e->id, "key-passphrase") != 0 &&
	    strcmp(e->id, "cas-passphrase") != 0)
		return 1;
	if (is_half_changed(r->inst.dir)) {
		(void)err_say(&half, ERR_FORBIDDEN, "passphrase-half",
		    "a change of the passphrase was interrupted; make it once "
		    "more, with the same two: refrendo keys passphrase");
		role_failed("passphrase-half", &half);
	}
	return ROLE_NO_RETRY;
}

int
role_signer(struct role_context *r)
{
	struct err e;
	signal(SIGPIPE, SIG_IGN);
	/* The terminal's Ctrl-C reaches every role; the parent decides. */
	signal(SIGINT, SIG_IGN);
	struct signing *s = calloc(1, sizeof(*s));
	if (s == NULL)
		fatal("no memory for the signer");
	int status = 1;
	if (signing_open(r, s, &e) == ERR_OK)
		status = serve(s);
	else
		status = refuse_start(r, &e);
	for (size_t i = 0; i < ASKERS_MAX; i++)
		asker_close(&s->asker[i]);
	signer_free(s->signer);
	buf_fini(&s->out);
	free(s);
	return status;
}
