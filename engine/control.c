#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

#define FRAME_WAIT_MS 10000

static const char *const role_names[ROLES] = { "signer", "ocsp-signer", "core",
	"front", "status", "checker" };

const char *
role_name(enum role r)
{
	return role_names[r];
}

bool
role_parse(const char *name, enum role *out)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (strcmp(name, role_names[i]) == 0) {
			*out = (enum role)i;
			return true;
		}
	}
	return false;
}

static enum err_code
control_lost(struct err *e)
{
	return err_errno(e, "control-lost",
	    "the connection between the parent and a role is gone");
}

/*
 * A loop makes its sockets non-blocking; here they are waited for.  The other
 * side is a process of ours in the middle of one frame: it comes at once.
 */
static bool
again(int sock, short what)
{
	struct pollfd wait = { sock, what, 0 };
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	int n;
	do /* a child that ends or stops is a signal to the parent */
		n = poll(&wait, 1, FRAME_WAIT_MS);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static enum err_code
write_all(int sock, struct bytes b, struct err *e)
{
	while (b.len > 0) {
		ssize_t n = send(sock, b.p, b.len, MSG_NOSIGNAL);
		if (n < 0 && again(sock, POLLOUT))
			continue;
		if (n <= 0)
			return control_lost(e);
		b.p += n;
		b.len -= (size_t)n;
	}
	return ERR_OK;
}

static enum err_code
read_all(int sock, uint8_t *p, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n = recv(sock, p, len, 0);
		if (n < 0 && again(sock, POLLIN))
			continue;
		if (n <= 0)
			return control_lost(e);
		p += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

/* Aligned for the kernel's head of a message. */
union fd_room {
	struct cmsghdr head;
	uint8_t octets[CMSG_SPACE(sizeof(int))];
};

ssize_t
fd_send(int sock, struct bytes octets, int fd, int flags)
{
	union fd_room control = { .octets = { 0 } };
	struct iovec part = { (void *)(uintptr_t)octets.p, octets.len };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &m, flags | MSG_NOSIGNAL);
}

ssize_t
fd_receive(int sock, void *room, size_t size, int *fd, int flags)
{
	union fd_room control;
	struct iovec part = { room, size };
	/* Room for exactly one: the kernel closes the others. */
	struct msghdr m = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	*fd = -1;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return n;
}

/* The descriptor rides on the header, which is sent in one piece. */
enum err_code
control_send(int sock, enum control_message type, struct bytes body, int fd,
    struct err *e)
{
	struct buf head AUTO_BUF = BUF(FRAME_HEAD);
	put_u32(&head, (uint32_t)(FRAME_HEAD - 4 + body.len));
	put_u16(&head, (uint16_t)type);
	put_u64(&head, 0);
	TRY(buf_end(&head, e));
	ssize_t n;
	do
		n = fd_send(sock, buf_bytes(&head), fd, 0);
	while (n < 0 && again(sock, POLLOUT));
	if (n != (ssize_t)FRAME_HEAD)
		return control_lost(e);
	return write_all(sock, body, e);
}

static uint32_t
control_cap(uint16_t type)
{
	return type >= CONTROL_SETUP && type <= CONTROL_FAILED ? CONTROL_CAP
							       : 0;
}

enum err_code
control_read(int sock, struct control_frame *out, struct err *e)
{
	uint8_t head[FRAME_HEAD];
	int fd;
	ssize_t n;
	do
		n = fd_receive(sock, head, sizeof(head), &fd, 0);
	while (n < 0 && again(sock, POLLIN));
	if (n <= 0)
		return control_lost(e);
	enum err_code code =
	    read_all(sock, head + n, sizeof(head) - (size_t)n, e);
	struct frame f;
	size_t used;
	if (code == ERR_OK)
		code = frame_cut(bytes_of(head, sizeof(head)), control_cap, &f,
		    &used, e);
	struct reader r = reader_of(bytes_of(head, sizeof(head)));
	uint32_t len = get_u32(&r) - (FRAME_HEAD - 4);
	struct buf body = BUF(CONTROL_CAP);
	if (code == ERR_OK && len > 0) {
		uint8_t *room = buf_room(&body, len);
		code =
		    room == NULL ? err_nomem(e) : read_all(sock, room, len, e);
	}
	if (code != ERR_OK) {
		buf_fini(&body);
		if (fd >= 0)
			close(fd);
		return code;
	}
	*out =
	    (struct control_frame){ .type = (enum control_message)get_u16(&r),
		    .body = body,
		    .fd = fd };
	return ERR_OK;
}

void
setup_encode(const struct setup *s, struct buf *out)
{
	put_u8(out, (uint8_t)s->role);
	put_u8(out, s->index);
	put_u8(out, s->slot);
	put_bytes(out, s->dir);
	put_bytes(out, s->passphrase);
	put_bytes(out, s->pin);
	put_u16(out, (uint16_t)s->n_file);
	for (size_t i = 0; i < s->n_file; i++) {
		put_bytes(out, s->name[i]);
		put_bytes(out, s->text[i]);
	}
}

enum err_code
setup_decode(struct bytes in, struct setup *out, struct err *e)
{
	struct reader r = reader_of(in);
	*out = (struct setup){ .role = (enum role)get_u8(&r) };
	out->index = get_u8(&r);
	out->slot = get_u8(&r);
	out->dir = get_bytes(&r);
	out->passphrase = get_bytes(&r);
	out->pin = get_bytes(&r);
	out->n_file = get_u16(&r);
	if (out->role >= ROLES || out->n_file > ARRAY_LEN(out->name))
		return err_say(e, ERR_INVALID, "control-setup",
		    "the set-up that the parent sent names no role");
	for (size_t i = 0; i < out->n_file; i++) {
		out->name[i] = get_bytes(&r);
		out->text[i] = get_bytes(&r);
	}
	return reader_end(&r, e);
}
