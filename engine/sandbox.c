#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <refrendo/engine.h>

#include "role.h"
#include "sandbox.h"

/* --- seccomp --------------------------------------------------------------
 *
 * What each role may call.  Whatever is not listed fails with EPERM, except
 * what would start another program, which kills the process: no role ever
 * does that.
 */
enum group {
	G_ALL = 1,
	G_SIGNER = 2,
	G_LOOP = 4,
	G_STORE = 8,
	G_SERVER = 16,
	G_FILES = 32, /* status opens what is too long for a row */
	G_TOKEN = 64,
	G_TOKEN_NET = 128,
	G_CLIENT = 256,
	/* What libraries call, for all but signers whose keys are in files:
	 * these were watched, and call none of it. */
	G_REST = 512
};

static const struct {
	int call;
	int groups;
} calls[] = {
	/* Memory, time, signals, ending. */
	{ SCMP_SYS(read), G_ALL },
	{ SCMP_SYS(write), G_ALL },
	{ SCMP_SYS(writev), G_REST },
	{ SCMP_SYS(close), G_ALL },
	{ SCMP_SYS(brk), G_ALL },
	{ SCMP_SYS(mmap), G_REST }, /* others: filter_fill() */
	{ SCMP_SYS(munmap), G_ALL },
	{ SCMP_SYS(mremap), G_ALL },
	{ SCMP_SYS(madvise), G_REST },
	{ SCMP_SYS(mprotect), G_REST },
	{ SCMP_SYS(futex), G_ALL },
	{ SCMP_SYS(getrandom), G_ALL },
	{ SCMP_SYS(clock_gettime), G_ALL },
	{ SCMP_SYS(gettimeofday), G_REST },
	{ SCMP_SYS(getpid), G_ALL },
	{ SCMP_SYS(gettid), G_ALL },
	{ SCMP_SYS(tgkill), G_ALL },
	{ SCMP_SYS(rt_sigaction), G_ALL },
	{ SCMP_SYS(rt_sigprocmask), G_ALL },
	{ SCMP_SYS(rt_sigreturn), G_ALL },
	{ SCMP_SYS(sigaltstack), G_REST },
	{ SCMP_SYS(restart_syscall), G_ALL },
	{ SCMP_SYS(sched_yield), G_REST },
	{ SCMP_SYS(exit), G_REST },
	{ SCMP_SYS(exit_group), G_ALL },
	/* Sockets that are open already. */
	{ SCMP_SYS(recvmsg), G_ALL },
	{ SCMP_SYS(recvfrom), G_ALL },
	{ SCMP_SYS(sendmsg), G_ALL },
	{ SCMP_SYS(sendto), G_ALL },
	{ SCMP_SYS(shutdown), G_REST },
	{ SCMP_SYS(poll), G_ALL },
	/* The journal of the signer. */
	{ SCMP_SYS(pread64), G_SIGNER | G_STORE },
	{ SCMP_SYS(pwrite64), G_SIGNER | G_STORE },
	{ SCMP_SYS(fdatasync), G_SIGNER | G_STORE },
	{ SCMP_SYS(fsync), G_STORE | G_TOKEN },
	{ SCMP_SYS(lseek), G_STORE | G_TOKEN },
	{ SCMP_SYS(ftruncate), G_STORE | G_TOKEN },
	{ SCMP_SYS(fstat), G_REST },
	{ SCMP_SYS(newfstatat), G_REST },
	{ SCMP_SYS(fcntl), G_REST },
	/* libuv. */
	{ SCMP_SYS(epoll_wait), G_LOOP },
	{ SCMP_SYS(epoll_pwait), G_LOOP },
	{ SCMP_SYS(epoll_ctl), G_LOOP },
	{ SCMP_SYS(epoll_create1), G_LOOP },
	{ SCMP_SYS(eventfd2), G_LOOP },
	{ SCMP_SYS(pipe2), G_LOOP },
	{ SCMP_SYS(ioctl), G_LOOP },
	{ SCMP_SYS(getsockopt), G_LOOP | G_TOKEN_NET },
	{ SCMP_SYS(setsockopt), G_LOOP | G_TOKEN_NET },
	{ SCMP_SYS(getsockname), G_LOOP | G_TOKEN_NET },
	{ SCMP_SYS(getpeername), G_LOOP | G_TOKEN_NET },
	{ SCMP_SYS(accept4), G_SERVER },
	{ SCMP_SYS(listen), G_SERVER },
	/* The checker asks status, as any client. */
	{ SCMP_SYS(connect), G_CLIENT },
	{ SCMP_SYS(getsockopt), G_CLIENT },
	/* LMDB and the threads of core; clone3 must answer ENOSYS. */
	{ SCMP_SYS(openat), G_STORE | G_TOKEN },
	{ SCMP_SYS(open), G_STORE | G_TOKEN },
	{ SCMP_SYS(mkdir), G_STORE },
	{ SCMP_SYS(mkdirat), G_STORE },
	{ SCMP_SYS(rename), G_STORE },
	{ SCMP_SYS(renameat), G_STORE },
	{ SCMP_SYS(unlink), G_STORE | G_TOKEN },
	{ SCMP_SYS(unlinkat), G_STORE },
	{ SCMP_SYS(rmdir), G_STORE },
	{ SCMP_SYS(getdents64), G_STORE | G_TOKEN },
	{ SCMP_SYS(stat), G_STORE | G_TOKEN },
	{ SCMP_SYS(lstat), G_STORE | G_TOKEN },
	{ SCMP_SYS(access), G_STORE | G_TOKEN },
	{ SCMP_SYS(uname), G_STORE },
	{ SCMP_SYS(flock), G_STORE | G_TOKEN },
	{ SCMP_SYS(fstatfs), G_STORE },
	{ SCMP_SYS(statfs), G_STORE },
	{ SCMP_SYS(msync), G_STORE },
	{ SCMP_SYS(clone), G_STORE },
	{ SCMP_SYS(set_robust_list), G_STORE },
	{ SCMP_SYS(rseq), G_STORE },
	{ SCMP_SYS(prctl), G_STORE },
	{ SCMP_SYS(sched_getaffinity), G_STORE },
	{ SCMP_SYS(prlimit64), G_STORE },
	{ SCMP_SYS(getrusage), G_STORE },
	{ SCMP_SYS(copy_file_range), G_STORE },
	/* The library of a token that is reached by pcscd or a network. */
	{ SCMP_SYS(socket), G_TOKEN_NET },
	{ SCMP_SYS(connect), G_TOKEN_NET },
	{ SCMP_SYS(select), G_TOKEN_NET },
	{ SCMP_SYS(pselect6), G_TOKEN_NET },
};

static int
role_groups(enum role role, const struct config *config)
{
	switch (role) {
	case ROLE_SIGNER:
	case ROLE_OCSP_SIGNER:
		return G_ALL | G_SIGNER |
		       (config_has_token(config) ? G_TOKEN | G_REST : 0) |
		       (config_has_token(config) && config->pkcs11_network
			       ? G_TOKEN_NET
			       : 0);
	case ROLE_CORE:
		return G_ALL | G_REST | G_LOOP | G_STORE;
	case ROLE_FRONT:
		return G_ALL | G_REST | G_LOOP | G_SERVER;
	case ROLE_STATUS:
		return G_ALL | G_REST | G_LOOP | G_SERVER | G_FILES;
	case ROLE_CHECKER:
		return G_ALL | G_REST | G_CLIENT;
	case ROLES:
		break;
	}
	fatal("no such role");
}

static bool
filter_fill(scmp_filter_ctx ctx, int groups)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if ((calls[i].groups & groups) != 0 &&
		    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i].call, 0) !=
			0)
			return false;
	}
	/* Memory for data, never for code. */
	if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
		return false;
	/* For reading alone: Landlock lets it write its slot of the lock file. */
	if ((groups & G_FILES) != 0 &&
	    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY)) != 0)
		return false;
	/* New sockets of the Internet alone, and of TCP. */
	for (size_t i = 0; (groups & G_CLIENT) != 0 && i < 2; i++) {
		const int families[] = { AF_INET, AF_INET6 };
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM)) != 0)
			return false;
	}
	/* glibc falls back to clone when clone3 is absent, not when refused. */
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
		0) != 0)
		return false;
	return seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve),
		   0) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execveat),
		   0) == 0;
}

/*
 * The run-time libraries of the address and thread sanitizers make system
 * calls of their own at any moment, so that no filter fits such a build: it
 * is for tests, and its report says that seccomp is left out.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

static bool
seccomp_close(int groups)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (ctx == NULL)
		return false;
	bool done = filter_fill(ctx, groups) && seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return done;
}

/* --- Landlock ------------------------------------------------------------- */

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                          \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR)
#define FS_ALL ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* version 1 */
/* Version 4; the headers of Debian 12 do not know it yet. */
#define NET_BIND_TCP    (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)

struct ruleset {
	uint64_t fs, net;
};

static int
landlock_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	return v < 0 ? 0 : (int)v;
}

static bool
landlock_allow(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	struct landlock_path_beneath_attr rule = { .allowed_access = access,
		.parent_fd = fd };
	long rc = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(fd);
	return rc == 0;
}

/* What the library of a token reads and writes. */
static bool
landlock_token(int ruleset, const struct config *config)
{
	for (size_t i = 0; i < config->n_pkcs11_path; i++) {
		if (!landlock_allow(ruleset, config->pkcs11_path[i],
			FS_READ | FS_WRITE))
			return false;
	}
	return true;
}

static bool
landlock_fill(int ruleset, enum role role, const char *dir,
    const struct config *config)
{
	static const char *const core_paths[] = { "ledger", "public",
		"snapshots" };
	char path[PATH_LEN * 2];
	if (role == ROLE_STATUS) {
		/* A reader of LMDB writes its slot into the lock file. */
		snprintf(path, sizeof(path), "%.400s/public", dir);
		return landlock_allow(ruleset, path,
		    FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
	}
	if (role == ROLE_SIGNER || role == ROLE_OCSP_SIGNER)
		return landlock_token(ruleset, config);
	for (size_t i = 0; role == ROLE_CORE && i < ARRAY_LEN(core_paths);
	    i++) {
		snprintf(path, sizeof(path), "%.400s/%s", dir, core_paths[i]);
		if (!landlock_allow(ruleset, path, FS_READ | FS_WRITE))
			return false;
	}
	return role != ROLE_CORE ||
	       landlock_allow(ruleset, "/proc/sys/kernel/random",
		   LANDLOCK_ACCESS_FS_READ_FILE);
}

/* Where the kernel can tell ports apart: connections to this one alone. */
static bool
landlock_allow_port(int ruleset, uint16_t port)
{
	/* struct landlock_net_port_attr and its type, of version 4. */
	const struct {
		uint64_t access, port;
	} rule = { NET_CONNECT_TCP, port };
	const int net_port = 2;
	return syscall(SYS_landlock_add_rule, ruleset, net_port, &rule, 0) == 0;
}

static bool
landlock_close(enum role role, const char *dir, const struct config *config,
    int version)
{
	struct ruleset rules = { .fs = FS_ALL };
	size_t size = sizeof(rules.fs);
	bool connects = (role_groups(role, config) & G_TOKEN_NET) != 0;
	if (version >= 4) {
		rules.net = NET_BIND_TCP | (connects ? 0 : NET_CONNECT_TCP);
		size = sizeof(rules);
	}
	int ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (ruleset < 0)
		return false;
	uint16_t port = role == ROLE_CHECKER ? address_port(config->listen) : 0;
	bool done =
	    landlock_fill(ruleset, role, dir, config) &&
	    (port == 0 || version < 4 || landlock_allow_port(ruleset, port)) &&
	    syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	close(ruleset);
	return done;
}

/* --- Both ------------------------------------------------------------------ */

static bool
has_seccomp(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

enum err_code
sandbox_begin(struct err *e)
{
	if (!has_seccomp())
		return ERR_OK;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool done = ctx != NULL &&
		    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
			SCMP_SYS(io_uring_setup), 0) == 0 &&
		    seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return done ? ERR_OK
		    : err_errno(e, "sandbox-ring",
			  "the kernel has seccomp but refuses to forbid "
			  "io_uring");
}

void
sandbox_offer(char *out, size_t size)
{
	int version = landlock_version();
	bool seccomp =
	    prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 || errno != EINVAL;
	snprintf(out, size, "seccomp=%s landlock=%d", seccomp ? "yes" : "no",
	    version);
}

enum err_code
sandbox_close(enum role role, const char *dir, const struct config *config,
    char *report, size_t size, struct err *e)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(e, "sandbox-prctl",
		    "the kernel refuses to give up privileges");
	int version = landlock_version();
	if (version > 0 && !landlock_close(role, dir, config, version))
		return err_errno(e, "sandbox-landlock",
		    "the kernel has Landlock but refuses the rules");
	bool is_filtered = has_seccomp() && !IS_SANITIZED;
	if (is_filtered && !seccomp_close(role_groups(role, config)))
		return err_errno(e, "sandbox-seccomp",
		    "the kernel has seccomp but refuses the filter");
	snprintf(report, size, "seccomp=%s landlock=%d",
	    is_filtered     ? "yes"
	    : has_seccomp() ? "no (sanitizer)"
			    : "no",
	    version);
	return ERR_OK;
}
