#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define OUTPUT_MAX (4u << 20)
#define START_MS   60000

extern char **environ;

void
demo_step(struct demo *d, const char *es, const char *en)
{
	printf("\n%d. %s\n", ++d->steps, d->spanish ? es : en);
	fflush(stdout);
}

void
demo_check(struct demo *d, bool held, const char *es, const char *en)
{
	printf("   %s %s\n", held ? "✔" : "✘", d->spanish ? es : en);
	fflush(stdout);
	if (!held)
		d->failed++;
}

/* Shown as typed: what holds a space or a bracket in quotes, and this
 * program by its name. */
static void
show(struct demo *d, const char *const *argv)
{
	printf("   $");
	for (size_t i = 0; argv[i] != NULL; i++) {
		const char *a = argv[i];
		bool quoted = strpbrk(a, " ()'\"*?&;") != NULL || *a == '\0';
		printf(quoted ? " '%s'" : " %s",
		    i == 0 && strcmp(a, d->self) == 0 ? "refrendo" : a);
	}
	printf("\n");
	fflush(stdout);
}

static bool
spawn(struct demo *d, const char *const *argv, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	if (in < 0)
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
		    "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	/* posix_spawn takes what it will not change without const. */
	char *copy[DEMO_ARGS + 1];
	size_t n = 0;
	for (; argv[n] != NULL && n < DEMO_ARGS; n++)
		copy[n] = strdup(argv[n]);
	copy[n] = NULL;
	int rc = posix_spawnp(pid, argv[0], &files, NULL, copy, environ);
	for (size_t i = 0; i < n; i++)
		free(copy[i]);
	posix_spawn_file_actions_destroy(&files);
	if (rc != 0)
		buf_putf(&d->out, "%s: %s\n", argv[0], strerror(rc));
	return rc == 0;
}

/* Runs it to its end; output in d->out, exit status in d->status. */
bool
demo_quietly(struct demo *d, const char *const *argv)
{
	int pipe_fd[2];
	pid_t pid;
	uint8_t piece[4096];
	ssize_t n;
	buf_reset(&d->out);
	d->status = -1;
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return false;
	bool started = spawn(d, argv, -1, pipe_fd[1], &pid);
	close(pipe_fd[1]);
	if (d->passphrase > 0) {
		unsetenv("REFRENDO_PASSPHRASE_FD");
		close(d->passphrase);
		d->passphrase = 0;
	}
	while ((n = read(pipe_fd[0], piece, sizeof(piece))) > 0 ||
	       (n < 0 && errno == EINTR))
		buf_put(&d->out, piece, n < 0 ? 0 : (size_t)n);
	close(pipe_fd[0]);
	int status;
	if (!started || waitpid(pid, &status, 0) != pid)
		return false;
	d->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return true;
}

static void
show_line(const char *line, size_t len)
{
	int shown = len > 150 ? 150 : (int)len;
	printf("     %.*s%s\n", shown, line, len > 150 ? "…" : "");
}

/* Programs are talkative: the line that was looked for, or the first ones. */
static void
show_output(struct demo *d, const char *wanted, size_t lines)
{
	const char *text = buf_text(&d->out);
	const char *found = wanted == NULL ? NULL : strstr(text, wanted);
	if (found != NULL) {
		while (found > text && found[-1] != '\n')
			found--;
		text = found;
		lines = 1;
	}
	for (size_t i = 0; i < lines && *text != '\0'; i++) {
		size_t len = strcspn(text, "\n");
		show_line(text, len);
		text += len + (text[len] == '\n');
	}
	fflush(stdout);
}

bool
demo_run(struct demo *d, int want, const char *text, ...)
{
	const char *argv[DEMO_ARGS + 1];
	size_t n = 0;
	va_list list;
	va_start(list, text);
	do
		argv[n] = va_arg(list, const char *);
	while (argv[n] != NULL && ++n < DEMO_ARGS);
	va_end(list);
	argv[n] = NULL;
	if (strcmp(argv[0], "refrendo") == 0)
		argv[0] = d->self;
	show(d, argv);
	demo_quietly(d, argv);
	bool held = d->status == want &&
		    (text == NULL || strstr(buf_text(&d->out), text) != NULL);
	show_output(d, held ? text : NULL, held ? 3 : 40);
	if (!held) {
		printf("   ✘ %s %d, %s %d%s%s\n",
		    d->spanish ? "salida" : "exit status", d->status,
		    d->spanish ? "se esperaba" : "expected", want,
		    text == NULL ? "" : ", ", text == NULL ? "" : text);
		d->failed++;
	}
	return held;
}

void
demo_member(const struct demo *d, const char *name, char *out, size_t size)
{
	const char *start =
	    memchr(d->out.p == NULL ? (const uint8_t *)"" : d->out.p, '{',
		d->out.len);
	out[0] = '\0';
	if (start == NULL)
		return;
	size_t rest = d->out.len - (size_t)((const uint8_t *)start - d->out.p);
	json_t *root = json_loadb(start, rest, JSON_DISABLE_EOF_CHECK, NULL);
	const char *value = json_string_value(json_object_get(root, name));
	if (value != NULL)
		snprintf(out, size, "%s", value);
	json_decref(root);
}

/* Relative to the directory of the demo, where every program starts.  A few
 * dozen short names: they are freed with the process. */
const char *
demo_path(struct demo *d, const char *name)
{
	(void)d;
	char *path = strdup(name);
	if (path == NULL)
		fatal("no memory for a path");
	return path;
}

/* --- The engine --------------------------------------------------------------- */

static int
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int port = 0;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

/* The passphrase goes by a descriptor: here that of a file of ours. */
static int
open_passphrase(struct demo *d)
{
	int fd = open(demo_path(d, "passphrase"), O_RDONLY);
	char number[16];
	snprintf(number, sizeof(number), "%d", fd);
	setenv("REFRENDO_PASSPHRASE_FD", number, 1);
	return fd;
}

/* It is inherited: whoever starts next reads it and closes it. */
void
demo_passphrase(struct demo *d)
{
	d->passphrase = open_passphrase(d);
}

bool
demo_begin(struct demo *d)
{
	const char *base = getenv("TMPDIR");
	snprintf(d->work, sizeof(d->work), "%.120s/refrendo-demo-XXXXXX",
	    base == NULL ? "/tmp" : base);
	ssize_t n = readlink("/proc/self/exe", d->self, sizeof(d->self) - 1);
	if (n <= 0 || mkdtemp(d->work) == NULL)
		return false;
	d->self[n] = '\0';
	d->out = BUF(OUTPUT_MAX);
	d->port = free_port();
	snprintf(d->ca, sizeof(d->ca), "%s/ca", d->work);
	if (chdir(d->work) != 0)
		return false;
	setenv("REFRENDO_DIR", "ca", 1);
	printf("   $ cd %s; export REFRENDO_DIR=ca\n", d->work);
	int fd = open(demo_path(d, "passphrase"),
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool written = write(fd, "only for this demo\n", 19) == 19;
	close(fd);
	return written;
}

static bool
engine_answers(struct demo *d)
{
	const char *const argv[] = { d->self, "status", "--dir", "ca", "--json",
		NULL };
	return demo_quietly(d, argv) && d->status == 0 &&
	       strstr(buf_text(&d->out), "\"signer\":\"here\"") != NULL &&
	       strstr(buf_text(&d->out), "\"ocsp_signer\":\"here\"") != NULL;
}

bool
demo_start_engine(struct demo *d)
{
	const char *const argv[] = { d->self, "serve", "--dir", "ca", NULL };
	int log = open(demo_path(d, "engine.log"),
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int fd = open_passphrase(d);
	show(d, argv);
	bool started = log >= 0 && spawn(d, argv, -1, log, &d->engine);
	unsetenv("REFRENDO_PASSPHRASE_FD");
	if (fd >= 0)
		close(fd);
	if (log >= 0)
		close(log);
	if (!started)
		return false;
	int64_t end = clock_mono_ms() + START_MS;
	while (!engine_answers(d)) {
		struct timespec nap = { .tv_nsec = 50000000 };
		if (clock_mono_ms() > end ||
		    waitpid(d->engine, NULL, WNOHANG) == d->engine) {
			d->engine = 0;
			return false;
		}
		nanosleep(&nap, NULL);
	}
	return true;
}

void
demo_stop_engine(struct demo *d)
{
	if (d->engine == 0)
		return;
	kill(d->engine, SIGTERM);
	waitpid(d->engine, NULL, 0);
	d->engine = 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void
demo_end(struct demo *d, bool keep)
{
	demo_stop_engine(d);
	if (keep)
		printf("%s\n", d->work);
	else
		nftw(d->work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	buf_fini(&d->out);
}
