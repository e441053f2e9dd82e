/*
 * control - the socket pair between the parent and one role: frames, each
 * with at most one file descriptor beside it.  Blocking on both sides: the
 * parent writes whole frames, so a role that sees the first octet gets the
 * rest at once.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <refrendo/base.h>
#include <sys/types.h>

/*  name             number  body                                   descriptor   */
#define CONTROL_MESSAGES(X)                                                   \
	X(CONTROL_SETUP, 1)    /* to a role: role, …, files; the counters */  \
	X(CONTROL_PEER, 2)     /* to a role: u8 role, u8 index; its socket */ \
	X(CONTROL_LISTEN, 3)   /* to a role: a listening socket */            \
	X(CONTROL_POLICIES, 4) /* to core: files, after SIGHUP */             \
	X(CONTROL_STOP, 5)     /* to a role: finish and end */                \
	X(CONTROL_READY, 6)    /* from a role: what confines it, in words */  \
	X(CONTROL_FAILED, 7)   /* from a role: why it ends, err_encode() */
#define CONTROL_CAP (8u << 20)

enum control_message {
#define X(name, number) name = number,
	CONTROL_MESSAGES(X)
#undef X
};

enum role {
	ROLE_SIGNER,
	ROLE_OCSP_SIGNER,
	ROLE_CORE,
	ROLE_FRONT,
	ROLE_STATUS,
	ROLE_CHECKER,
	ROLES
};
const char *role_name(enum role r); /* "ocsp-signer" */
bool role_parse(const char *name, enum role *out);

#define CONTROL_FD 3 /* in every role */

struct control_frame {
	enum control_message type;
	struct buf body; /* the caller's to free */
	int fd;          /* -1, or the caller's to close */
};
/* fd -1: none.  ERR_IO "control-lost". */
MUST_CHECK enum err_code control_send(int sock, enum control_message type,
    struct bytes body, int fd, struct err *e);
/* Waits for one frame.  ERR_IO "control-lost" when the other side is gone. */
MUST_CHECK enum err_code control_read(int sock, struct control_frame *out,
    struct err *e);

/* Octets with a descriptor beside them, or -1: as sendmsg() and recvmsg(), of
 * one descriptor; what more was sent is closed. */
ssize_t fd_send(int sock, struct bytes octets, int fd, int flags);
ssize_t fd_receive(int sock, void *room, size_t size, int *fd, int flags);

/* CONTROL_SETUP, both ends. */
struct setup {
	enum role role;
	uint8_t index, slot; /* slot: its page of the counters */
	struct bytes dir;
	struct bytes passphrase, pin; /* for the signers only */
	struct bytes name[66], text[66];
	size_t n_file;
};
void setup_encode(const struct setup *s, struct buf *out);
MUST_CHECK enum err_code setup_decode(struct bytes in, struct setup *out,
    struct err *e);

#endif
