/*
 * store_io - liblmdb calls these through its table of symbols, and the
 * program's own definitions come first there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fake/store_io.h"

ssize_t pwrite(int fd, const void *p, size_t len, off_t at);
ssize_t writev(int fd, const struct iovec *v, int n);
int fdatasync(int fd);
int fsync(int fd);

enum rule { PASS, FAIL, SHORT, KILL };

static struct {
	enum rule rule;
	enum io_call call;
	unsigned at;
	int error;
	bool persisted;
	unsigned seen[3];
	bool recording;
	struct io_op *op;
	size_t n, room;
} io;

void
io_reset(void)
{
	for (size_t i = 0; i < io.n; i++)
		free(io.op[i].data);
	free(io.op);
	memset(&io, 0, sizeof(io));
}

static void
arm(enum rule rule, enum io_call call, unsigned n)
{
	io_reset();
	io.rule = rule;
	io.call = call;
	io.at = n;
}

void
io_fail(enum io_call call, unsigned n, int error, bool persisted)
{
	arm(FAIL, call, n);
	io.error = error;
	io.persisted = persisted;
}

void
io_short(unsigned n)
{
	arm(SHORT, IO_WRITE, n);
}

void
io_kill(enum io_call call, unsigned n, bool after)
{
	arm(KILL, call, n);
	io.persisted = after;
}

unsigned
io_seen(enum io_call call)
{
	return io.seen[call];
}

void
io_record(void)
{
	io_reset();
	io.recording = true;
}

const struct io_op *
io_ops(size_t *n)
{
	*n = io.n;
	return io.op;
}

static void
keep(struct io_op op)
{
	if (!io.recording)
		return;
	if (io.n == io.room) {
		io.room = io.room == 0 ? 64 : 2 * io.room;
		io.op = realloc(io.op, io.room * sizeof(*io.op));
		if (io.op == NULL)
			abort();
	}
	io.op[io.n++] = op;
}

static void
keep_write(int fd, const void *p, size_t len, off_t at)
{
	struct io_op op = { .at = at, .len = len };
	if (!io.recording)
		return;
	op.durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
	op.data = malloc(len == 0 ? 1 : len);
	if (op.data == NULL)
		abort();
	memcpy(op.data, p, len);
	keep(op);
}

/* Counts the call; true when the rule strikes now. */
static bool
strikes(enum io_call call)
{
	io.seen[call]++;
	io.seen[IO_ANY]++;
	bool now = io.rule != PASS && (io.call == call || io.call == IO_ANY) &&
		   io.seen[io.call] == io.at;
	if (now && io.rule == KILL && !io.persisted)
		raise(SIGKILL);
	return now;
}

static bool
is_file(int fd)
{
	return fd > 2; /* reports of the test go to 1 and 2 */
}

ssize_t
pwrite(int fd, const void *p, size_t len, off_t at)
{
	bool now = strikes(IO_WRITE);
	if (now && io.rule == SHORT)
		len /= 2;
	if (now && io.rule == FAIL && !io.persisted) {
		errno = io.error;
		return -1;
	}
	ssize_t n = syscall(SYS_pwrite64, fd, p, len, at);
	if (n > 0)
		keep_write(fd, p, (size_t)n, at);
	if (now && io.rule == KILL)
		raise(SIGKILL);
	if (now && io.rule == FAIL) {
		errno = io.error;
		return -1;
	}
	return n;
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	if (!is_file(fd))
		return syscall(SYS_writev, fd, v, n);
	/* LMDB has set the position; one piece after the other is the same. */
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t all = 0;
	if (at < 0)
		return syscall(SYS_writev, fd, v, n);
	for (int i = 0; i < n; i++) {
		ssize_t w = pwrite(fd, v[i].iov_base, v[i].iov_len, at + all);
		if (w < 0)
			return -1;
		all += w;
		if ((size_t)w < v[i].iov_len)
			break;
	}
	if (lseek(fd, at + all, SEEK_SET) < 0)
		return -1;
	return all;
}

static int
sync_call(long number, int fd)
{
	bool now = strikes(IO_SYNC);
	if (now && io.rule == FAIL && !io.persisted) {
		errno = io.error;
		return -1;
	}
	int rc = (int)syscall(number, fd);
	if (rc == 0)
		keep((struct io_op){ .sync = true });
	if (now && io.rule == KILL)
		raise(SIGKILL);
	if (now && io.rule == FAIL) {
		errno = io.error;
		return -1;
	}
	return rc;
}

int
fdatasync(int fd)
{
	return sync_call(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return sync_call(SYS_fsync, fd);
}
