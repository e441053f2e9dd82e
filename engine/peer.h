/*
 * peer - frames to and from another role over a libuv stream.  A malformed
 * frame, or one that the handler refuses, closes the peer with a log line.
 */
#ifndef ENGINE_PEER_H
#define ENGINE_PEER_H

#include <refrendo/base.h>
#include <uv.h>

#define PEER_PENDING_MAX (256u << 20) /* octets queued for a peer */

struct peer;
struct peer_setup {
	uv_loop_t *loop;
	int fd;           /* the peer owns it from now on */
	const char *name; /* for the log; static */
	uint32_t (*cap)(uint16_t type);
	/* An error closes the peer. */
	MUST_CHECK enum err_code (*frame)(void *ctx, struct peer *p,
	    const struct frame *f, struct err *e);
	/* Once, after the last frame; p must not be used afterwards. */
	void (*gone)(void *ctx, struct peer *p);
	/* NULL, or called when octets have left that waited for the peer. */
	void (*written)(void *ctx, struct peer *p);
	void *ctx;
};
MUST_CHECK enum err_code peer_open(const struct peer_setup *setup,
    struct peer **out, struct err *e);
/* Frames of one turn of the loop leave in one write. */
void peer_send(struct peer *p, uint16_t type, uint64_t id, struct bytes body);
/* A frame with a descriptor, which stays the caller's.  False: something waits
 * for the peer; try again when octets have left, or a little later. */
bool peer_send_file(struct peer *p, uint16_t type, uint64_t id,
    struct bytes body, int fd);
size_t peer_pending(const struct peer *p); /* octets that have not left */
void peer_close(struct peer *p);           /* calls gone later */

/* Calls readable on the loop whenever the control socket has a frame. */
void control_watch(uv_loop_t *loop, uv_poll_t *poll, int fd,
    void (*readable)(uv_poll_t *poll, int status, int events));

#endif
