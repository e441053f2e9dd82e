/*
 * The sandbox from inside: a child confines itself as a role and then tries
 * what that role must never be able to do, and what it has to do all day.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <refrendo/engine.h>
#include <refrendo/store.h>

#include "../../engine/sandbox.h"

/* What a child ends with. */
enum {
	DONE = 0,
	REFUSED = 10,
	NOT_APPLICABLE = 11,
	FAILED = 12,
	NOT_CONFINED = 13
};
#define STATUS_PORT 7

/* What refuses a call: either is enough. */
enum { BY_SECCOMP = 1, BY_LANDLOCK = 2, BY_LANDLOCK_NET = 4 };
enum {
	SIGNER = 1 << ROLE_SIGNER,
	OCSP_SIGNER = 1 << ROLE_OCSP_SIGNER,
	CORE = 1 << ROLE_CORE,
	FRONT = 1 << ROLE_FRONT,
	STATUS = 1 << ROLE_STATUS,
	CHECKER = 1 << ROLE_CHECKER,
	SIGNERS = SIGNER | OCSP_SIGNER,
	EVERY = (1 << ROLES) - 1
};

static const struct config no_token = { .listen = "127.0.0.1:7" };

/* What a role has open when it closes its sandbox. */
struct held {
	char dir[64];
	int tcp;       /* a TCP socket, neither bound nor connected */
	int listening; /* a local socket that somebody has connected to */
	int pair[2];
	int journal; /* DIR/signer/journal, open for writing */
	struct public *public;
	struct public_reader *reader;
};

static int
refused_or(bool did)
{
	if (did)
		return DONE;
	return errno == EPERM || errno == EACCES ? REFUSED : FAILED;
}

static int
try_open(const struct held *h, const char *name, int flags)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	return refused_or(open(path, flags | O_CLOEXEC, 0600) >= 0);
}

/* --- What must be refused ----------------------------------------------------- */

static int
try_socket_inet(struct held *h)
{
	(void)h;
	return refused_or(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int
try_socket_udp(struct held *h)
{
	(void)h;
	return refused_or(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
}

static int
try_socket_unix(struct held *h)
{
	(void)h;
	return refused_or(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static int
try_socket_packet(struct held *h)
{
	(void)h;
	return refused_or(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int
try_bind(struct held *h)
{
	struct sockaddr_in at = loopback(0);
	return refused_or(
	    bind(h->tcp, (struct sockaddr *)&at, sizeof(at)) == 0);
}

static int
try_connect(struct held *h)
{
	struct sockaddr_in at = loopback(9);
	return refused_or(
	    connect(h->tcp, (struct sockaddr *)&at, sizeof(at)) == 0);
}

static int
try_passwd(struct held *h)
{
	(void)h;
	return refused_or(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
}

static int
try_key(struct held *h)
{
	return try_open(h, "keys/x.key", O_RDONLY);
}

static int
try_etc(struct held *h)
{
	return try_open(h, "etc/signer.yaml", O_RDONLY);
}

static int
try_write_etc(struct held *h)
{
	return try_open(h, "etc/new.yaml", O_WRONLY | O_CREAT);
}

static int
try_read_ledger(struct held *h)
{
	return try_open(h, "ledger/data.mdb", O_RDONLY);
}

static int
try_write_public(struct held *h)
{
	return try_open(h, "public/data.mdb", O_RDWR);
}

static int
try_execve(struct held *h)
{
	char name[] = "true";
	char *args[] = { name, NULL };
	(void)h;
	execve("/bin/true", args, args + 1);
	return refused_or(false);
}

static int
try_fork(struct held *h)
{
	(void)h;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return refused_or(pid > 0);
}

static int
try_kill(struct held *h)
{
	(void)h;
	return refused_or(kill(getppid(), 0) == 0);
}

static int
try_trace(struct held *h)
{
	(void)h;
	return refused_or(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
}

/* Code that was written by whoever got in. */
static int
try_executable_memory(struct held *h)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)h;
	return refused_or(
	    p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
}

static int
try_executable_map(struct held *h)
{
	(void)h;
	return refused_or(
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0) != MAP_FAILED);
}

static int
try_cut_journal(struct held *h)
{
	return refused_or(ftruncate(h->journal, 0) == 0);
}

static int
try_flags(struct held *h)
{
	return refused_or(fcntl(h->journal, F_SETFL, O_APPEND) == 0);
}

static int
try_stat(struct held *h)
{
	struct stat st;
	return refused_or(stat(h->dir, &st) == 0);
}

/* clang-format off */
static const struct refusal {
	const char *name;
	int (*try)(struct held *h);
	int roles, by;
} refusals[] = {
	{ "an Internet socket", try_socket_inet, EVERY & ~CHECKER, BY_SECCOMP },
	{ "a socket for datagrams", try_socket_udp, EVERY, BY_SECCOMP },
	{ "a local socket", try_socket_unix, EVERY, BY_SECCOMP },
	{ "a socket to the kernel", try_socket_packet, EVERY, BY_SECCOMP },
	{ "bind", try_bind, EVERY, BY_SECCOMP | BY_LANDLOCK_NET },
	{ "connect", try_connect, EVERY & ~CHECKER, BY_SECCOMP | BY_LANDLOCK_NET },
	{ "connect elsewhere", try_connect, CHECKER, BY_LANDLOCK_NET },
	{ "reading /etc/passwd", try_passwd, EVERY, BY_SECCOMP | BY_LANDLOCK },
	{ "reading a key", try_key, EVERY, BY_SECCOMP | BY_LANDLOCK },
	{ "reading the ceilings", try_etc, EVERY, BY_SECCOMP | BY_LANDLOCK },
	{ "writing the ceilings", try_write_etc, EVERY, BY_SECCOMP | BY_LANDLOCK },
	{ "reading the ledger", try_read_ledger, EVERY & ~CORE, BY_SECCOMP | BY_LANDLOCK },
	{ "writing public", try_write_public, SIGNERS | FRONT | CHECKER, BY_SECCOMP | BY_LANDLOCK },
	{ "writing public as a reader", try_write_public, STATUS, BY_SECCOMP },
	{ "another process", try_fork, EVERY & ~CORE, BY_SECCOMP },
	{ "a signal to the parent", try_kill, EVERY, BY_SECCOMP },
	{ "being traced", try_trace, EVERY, BY_SECCOMP },
	{ "memory made executable", try_executable_memory, SIGNERS, BY_SECCOMP },
	{ "executable memory", try_executable_map, SIGNERS, BY_SECCOMP },
	{ "cutting the journal", try_cut_journal, EVERY & ~CORE, BY_SECCOMP },
	{ "flags of a descriptor", try_flags, SIGNERS, BY_SECCOMP },
	{ "looking at a file's name", try_stat, SIGNERS, BY_SECCOMP },
};
/* clang-format on */

/* --- What must go on working ---------------------------------------------------- */

static int
works(bool did)
{
	return did ? DONE : FAILED;
}

static int
do_talk(struct held *h)
{
	char got[8] = "";
	struct pollfd wait = { h->pair[1], POLLIN, 0 };
	return works(send(h->pair[0], "hola", 4, MSG_NOSIGNAL) == 4 &&
		     poll(&wait, 1, 1000) == 1 &&
		     recv(h->pair[1], got, sizeof(got), 0) == 4);
}

static int
do_memory_time_random(struct held *h)
{
	uint8_t random[16];
	(void)h;
	size_t len = 8u << 20;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return works(p != MAP_FAILED && munmap(p, len) == 0 &&
		     clock_now() > 0 && clock_mono_ms() > 0 &&
		     getrandom(random, sizeof(random), 0) == sizeof(random));
}

static int
do_journal(struct held *h)
{
	return works(pwrite(h->journal, "line\n", 5, 0) == 5 &&
		     fdatasync(h->journal) == 0);
}

static int
do_accept(struct held *h)
{
	return works(accept4(h->listening, NULL, NULL, SOCK_CLOEXEC) >= 0);
}

static int
do_ledger(struct held *h)
{
	char path[128], moved[128];
	snprintf(path, sizeof(path), "%s/ledger/new", h->dir);
	snprintf(moved, sizeof(moved), "%s/ledger/moved", h->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return works(fd >= 0 && pwrite(fd, "row", 3, 0) == 3 &&
		     fdatasync(fd) == 0 && rename(path, moved) == 0 &&
		     unlink(moved) == 0);
}

static int
do_snapshot(struct held *h)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/snapshots/one", h->dir);
	return works(mkdir(path, 0700) == 0 && rmdir(path) == 0);
}

static void *
thread_main(void *arg)
{
	*(bool *)arg = true;
	return NULL;
}

static int
do_thread(struct held *h)
{
	pthread_t thread;
	bool ran = false;
	(void)h;
	return works(pthread_create(&thread, NULL, thread_main, &ran) == 0 &&
		     pthread_join(thread, NULL) == 0 && ran);
}

static int
do_public(struct held *h)
{
	struct public_row row;
	uint8_t key[PUBLIC_KEY_MAX];
	struct err e;
	if (public_renew(h->reader, &e) != ERR_OK)
		return FAILED;
	bool found = public_get(h->reader,
	    public_file_key(key, bytes_str("/checkpoint")), &row);
	public_release(h->reader);
	return works(found && bytes_is(row.body, "a checkpoint"));
}

/* Nobody listens there; that the kernel says so is enough. */
static int
do_ask(struct held *h)
{
	struct sockaddr_in at = loopback(STATUS_PORT);
	(void)h;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = connect(fd, (struct sockaddr *)&at, sizeof(at));
	return works(fd >= 0 && (rc == 0 || errno == ECONNREFUSED ||
				    errno == EINPROGRESS));
}

/* clang-format off */
static const struct refusal duties[] = {
	{ "frames over the socket pair", do_talk, EVERY, 0 },
	{ "memory, time, randomness", do_memory_time_random, EVERY, 0 },
	{ "the journal", do_journal, SIGNERS, 0 },
	{ "the ledger", do_ledger, CORE, 0 },
	{ "a snapshot's directory", do_snapshot, CORE, 0 },
	{ "the writer's thread", do_thread, CORE, 0 },
	{ "clients", do_accept, FRONT | STATUS, 0 },
	{ "what is published", do_public, STATUS, 0 },
	{ "asking status", do_ask, CHECKER, 0 },
};
/* clang-format on */

/* --- The child --------------------------------------------------------------------- */

static bool
hold(struct held *h)
{
	char path[128];
	struct err e;
	bool fresh;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/run.sock", h->dir);
	unlink(at.sun_path);
	h->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	h->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(path, sizeof(path), "%s/signer/journal", h->dir);
	h->journal = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return h->tcp >= 0 && h->journal >= 0 &&
	       bind(h->listening, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	       listen(h->listening, 4) == 0 &&
	       connect(client, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	       socketpair(AF_UNIX, SOCK_STREAM, 0, h->pair) == 0 &&
	       public_open(h->dir, 16 << 20, false, &fresh, &h->public, &e) ==
		   ERR_OK &&
	       public_reader_new(h->public, &h->reader, &e) == ERR_OK;
}

static int
confined_by(const char *report)
{
	const char *landlock = strstr(report, "landlock=");
	int version = landlock == NULL ? 0 : landlock[9] - '0';
	return (strstr(report, "seccomp=yes") != NULL ? BY_SECCOMP : 0) |
	       (version > 0 ? BY_LANDLOCK : 0) |
	       (version >= 4 ? BY_LANDLOCK_NET : 0);
}

static void
child_main(const char *dir, enum role role, const struct refusal *row)
{
	struct held h = { .tcp = -1 };
	struct err e;
	char report[96];
	snprintf(h.dir, sizeof(h.dir), "%s", dir);
	if (!hold(&h))
		_exit(FAILED);
	if (sandbox_close(role, dir, &no_token, report, sizeof(report), &e) !=
	    ERR_OK)
		_exit(NOT_CONFINED);
	if (row->by != 0 && (row->by & confined_by(report)) == 0)
		_exit(NOT_APPLICABLE);
	_exit(row->try(&h));
}

/* Runs one row as one role; its wait status. */
static int
as_role(const char *dir, enum role role, const struct refusal *row)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_main(dir, role, row);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int applicable;

static void
check(const char *dir, const struct refusal *row, int want)
{
	for (int role = 0; role < ROLES; role++) {
		if ((row->roles & 1 << role) == 0)
			continue;
		int status = as_role(dir, (enum role)role, row);
		int got = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		if (got == NOT_APPLICABLE)
			continue;
		applicable++;
		if (got != want) {
			print_error("%s as %s: wait status %x, want %d\n",
			    row->name, role_name((enum role)role), status,
			    want);
			fail();
		}
	}
}

/* --- The directory -------------------------------------------------------------------- */

static void
put_file(const char *dir, const char *name)
{
	char path[128];
	struct err e;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_write(path, bytes_str("secret"), 0600, &e),
	    ERR_OK);
}

static void
fill_public(const char *dir)
{
	struct public *p;
	struct public_txn *t;
	struct err e;
	bool fresh;
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row = { .type = "text/plain; charset=utf-8",
		.this_update = 1,
		.body = bytes_str("a checkpoint") };
	assert_int_equal(public_open(dir, 16 << 20, true, &fresh, &p, &e),
	    ERR_OK);
	assert_int_equal(public_begin(p, &t, &e), ERR_OK);
	assert_int_equal(public_put(t,
			     public_file_key(key, bytes_str("/checkpoint")),
			     &row, &e),
	    ERR_OK);
	assert_int_equal(public_commit(t, &e), ERR_OK);
	public_close(p);
}

static int
dir_make(void **state)
{
	static char dir[] = "/tmp/refrendo-sandbox-XXXXXX";
	static const char *const below[] = { "etc", "keys", "ledger", "signer",
		"snapshots" };
	char path[128];
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, below[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put_file(dir, "etc/signer.yaml");
	put_file(dir, "keys/x.key");
	put_file(dir, "ledger/data.mdb");
	fill_public(dir);
	*state = dir;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
dir_drop(void **state)
{
	return nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- Tests ------------------------------------------------------------------------------ */

static void
test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		check(*state, &refusals[i], REFUSED);
	assert_true(applicable > 0);
}

static void
test_duties(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(duties); i++)
		check(*state, &duties[i], DONE);
}

/* Another program ends the role; with Landlock alone it is refused. */
static void
test_another_program(void **state)
{
	static const struct refusal row = { "another program", try_execve,
		EVERY, BY_SECCOMP | BY_LANDLOCK };
	for (int role = 0; role < ROLES; role++) {
		int status = as_role(*state, (enum role)role, &row);
		bool is_killed =
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
		bool is_refused = WIFEXITED(status) &&
				  (WEXITSTATUS(status) == REFUSED ||
				      WEXITSTATUS(status) == NOT_APPLICABLE);
		if (!is_killed && !is_refused) {
			print_error("%s: wait status %x\n",
			    role_name((enum role)role), status);
			fail();
		}
	}
}

static int
report_main(const char *dir)
{
	char report[96];
	struct err e;
	if (sandbox_close(ROLE_SIGNER, dir, &no_token, report, sizeof(report),
		&e) != ERR_OK)
		return FAILED;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return works(strstr(report, "seccomp=no (sanitizer)") != NULL);
#else
	return works(strstr(report, "sanitizer") == NULL);
#endif
}

/* A build that cannot close seccomp says so where an operator sees it. */
static void
test_report(void **state)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(report_main(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Before its sandbox is closed a role makes a loop, and no ring with it. */
static int
ring_main(void)
{
	struct io_uring_params none = { 0 };
	struct err e;
	if (sandbox_begin(&e) != ERR_OK)
		return FAILED;
	long fd = syscall(SYS_io_uring_setup, 4, &none);
	return works(fd < 0 && errno == ENOSYS);
}

static void
test_no_ring(void **state)
{
	int status;
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(ring_main());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_ring),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_duties),
		cmocka_unit_test(test_another_program),
		cmocka_unit_test(test_report),
	};
	char offer[64];
	sandbox_offer(offer, sizeof(offer));
	if (strcmp(offer, "seccomp=no landlock=0") == 0) {
		printf("skipped: this kernel has neither seccomp nor "
		       "Landlock\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, dir_make, dir_drop);
}
