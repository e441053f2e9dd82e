/*
 * crash_shim - preloaded: ends one role by SIGKILL at its n-th write to a
 * disk or a socket after SIGUSR2, whose value is n.  Each such call is a
 * boundary between two steps of whatever is under way, so a sweep over n
 * visits them all; nothing of this is in the program itself.
 *
 * CRASH_ROLE    the role ("core"); others are left alone
 * CRASH_RENAME  or: any program, before its n-th rename
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int left;    /* points until the end; 0: not armed */
static int renames; /* until the end, before the next one of them */

static void
on_arm(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	left = info->si_value.sival_int;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *role = getenv("CRASH_ROLE"), *at = getenv("CRASH_RENAME");
	renames = at == NULL ? 0 : (int)strtol(at, NULL, 10);
	char line[256] = "";
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (fd >= 0)
		close(fd);
	if (role == NULL || len <= 0)
		return;
	/* refrendo NUL role NUL core NUL */
	const char *verb = line + strlen(line) + 1;
	if (verb >= line + len || strcmp(verb, "role") != 0 ||
	    strcmp(verb + strlen(verb) + 1, role) != 0)
		return;
	struct sigaction arm = { .sa_sigaction = on_arm,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	sigaction(SIGUSR2, &arm, NULL);
}

static void
point(void)
{
	if (left > 0 && __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) == 0)
		raise(SIGKILL);
}

int
rename(const char *from, const char *to)
{
	static int (*real)(const char *, const char *);
	if (real == NULL)
		real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT,
		    "rename");
	if (renames > 0 && --renames == 0)
		raise(SIGKILL);
	return real(from, to);
}

/* Before and after: a call that was made and one that was not. */
#define WRAP(type, name, params, args)                                  \
	type name params                                                \
	{                                                               \
		static type(*real) params;                              \
		if (real == NULL)                                       \
			real = (type(*) params)dlsym(RTLD_NEXT, #name); \
		point();                                                \
		type result = real args;                                \
		point();                                                \
		return result;                                          \
	}

/* clang-format off */
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o))
WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t o), (fd, p, n, o))
WRAP(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o))
WRAP(ssize_t, send, (int fd, const void *p, size_t n, int f), (fd, p, n, f))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, fsync, (int fd), (fd))
/* clang-format on */
