#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control.h"
#include "peer.h"

#define PEER_READ 262144u

struct peer {
	uv_pipe_t pipe;
	uv_prepare_t flush; /* runs before the loop waits */
	struct peer_setup setup;
	struct buf in, out;
	char read[PEER_READ];
	size_t writing; /* octets handed to libuv and not yet written */
	int handles;
	bool closing;
};

struct peer_write {
	uv_write_t req;
	struct peer *peer;
	struct buf octets;
};

static void
on_closed(uv_handle_t *h)
{
	struct peer *p = h->data;
	if (--p->handles > 0)
		return;
	p->setup.gone(p->setup.ctx, p);
	buf_fini(&p->in);
	buf_fini(&p->out);
	free(p);
}

void
peer_close(struct peer *p)
{
	if (p->closing)
		return;
	p->closing = true;
	uv_close((uv_handle_t *)&p->pipe, on_closed);
	uv_close((uv_handle_t *)&p->flush, on_closed);
}

static void
on_written(uv_write_t *req, int status)
{
	struct peer_write *w = (struct peer_write *)req;
	struct peer *p = w->peer;
	p->writing -= w->octets.len;
	buf_fini(&w->octets);
	free(w);
	if (status < 0)
		peer_close(p);
	else if (p->setup.written != NULL && !p->closing)
		p->setup.written(p->setup.ctx, p);
}

static void
on_flush(uv_prepare_t *h)
{
	struct peer *p = h->data;
	if (p->out.len == 0 || p->closing)
		return;
	struct peer_write *w = calloc(1, sizeof(*w));
	if (w == NULL || p->out.failed) {
		free(w);
		log_error("peer-full", "peer=%s", p->setup.name);
		peer_close(p);
		return;
	}
	w->peer = p;
	w->octets = p->out;
	p->out = BUF(PEER_PENDING_MAX);
	uv_buf_t all =
	    uv_buf_init((char *)w->octets.p, (unsigned)w->octets.len);
	if (uv_write(&w->req, (uv_stream_t *)&p->pipe, &all, 1, on_written) !=
	    0) {
		buf_fini(&w->octets);
		free(w);
		peer_close(p);
		return;
	}
	p->writing += w->octets.len;
}

void
peer_send(struct peer *p, uint16_t type, uint64_t id, struct bytes body)
{
	frame_put(&p->out, type, id, body);
}

bool
peer_send_file(struct peer *p, uint16_t type, uint64_t id, struct bytes body,
    int fd)
{
	struct buf frame AUTO_BUF = BUF(FRAME_HEAD + body.len);
	uv_os_fd_t sock;
	if (p->closing || peer_pending(p) > 0 ||
	    uv_fileno((uv_handle_t *)&p->pipe, &sock) != 0)
		return false;
	frame_put(&frame, type, id, body);
	ssize_t n = fd_send(sock, buf_bytes(&frame), fd, MSG_DONTWAIT);
	if (n == (ssize_t)frame.len)
		return true;
	/* A short one is sent whole or not at all. */
	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		peer_close(p);
	return false;
}

size_t
peer_pending(const struct peer *p)
{
	return p->out.len + p->writing;
}

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	(void)suggested;
	struct peer *p = h->data;
	*out = uv_buf_init(p->read, sizeof(p->read));
}

/* Cuts frames off the front of in; returns what is left, or closes. */
static struct bytes
peer_frames(struct peer *p, struct bytes in)
{
	while (!p->closing) {
		struct frame f;
		struct err e;
		size_t used;
		if (frame_cut(in, p->setup.cap, &f, &used, &e) != ERR_OK) {
			log_err("peer-malformed", &e);
			peer_close(p);
			break;
		}
		if (used == 0)
			break;
		in.p += used;
		in.len -= used;
		if (p->setup.frame(p->setup.ctx, p, &f, &e) != ERR_OK) {
			log_err("peer-refused", &e);
			peer_close(p);
		}
	}
	return in;
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *octets)
{
	struct peer *p = stream->data;
	if (n < 0) {
		peer_close(p);
		return;
	}
	struct bytes all = bytes_of(octets->base, (size_t)n);
	if (p->in.len == 0) {
		struct bytes rest = peer_frames(p, all);
		buf_put(&p->in, rest.p, rest.len);
	} else {
		buf_put(&p->in, all.p, all.len);
		all = buf_bytes(&p->in);
		struct bytes rest = peer_frames(p, all);
		buf_drop(&p->in, all.len - rest.len);
	}
	if (p->in.failed)
		peer_close(p);
}

enum err_code
peer_open(const struct peer_setup *setup, struct peer **out, struct err *e)
{
	struct peer *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_nomem(e);
	p->setup = *setup;
	p->in = BUF(FRAME_MAX + PEER_READ);
	p->out = BUF(PEER_PENDING_MAX);
	uv_pipe_init(setup->loop, &p->pipe, 0);
	uv_prepare_init(setup->loop, &p->flush);
	p->handles = 2;
	p->pipe.data = p;
	p->flush.data = p;
	int rc = uv_pipe_open(&p->pipe, setup->fd);
	if (rc == 0)
		rc = uv_read_start((uv_stream_t *)&p->pipe, on_alloc, on_read);
	if (rc != 0)
		fatal("a socket pair of our own cannot be opened: %s",
		    uv_strerror(rc));
	uv_prepare_start(&p->flush, on_flush);
	/* Having something to say is no reason to keep the loop alive. */
	uv_unref((uv_handle_t *)&p->flush);
	*out = p;
	return ERR_OK;
}

void
control_watch(uv_loop_t *loop, uv_poll_t *poll, int fd,
    void (*readable)(uv_poll_t *poll, int status, int events))
{
	uv_poll_init(loop, poll, fd);
	uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, readable);
}
