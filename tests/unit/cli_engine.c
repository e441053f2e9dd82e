/*
 * The command line against a running engine, which is this very program: it
 * re-executes itself in its roles.  One story; each step checks the exit
 * status and what was printed.
 */
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <refrendo/api.h>
#include <refrendo/cli.h>

#define PASSPHRASE "only for this test\n"
#define ARGS_MAX   32
#define TEXT_MAX   (1 << 20)
#define WAIT_MS    60000
#define PARALLEL   24
#define OFFICER    "11111111-1"
#define OPERATOR   "22222222-2"
#define MINISTER   "33333333-3"
#define HOLDER     "12345678-5"
#define RUT        "60910000-1"

static char place[64]; /* a directory of this test's own */
static pid_t engine;
static char out[TEXT_MAX], err[TEXT_MAX];

/* --- Programs --------------------------------------------------------------------- */

/* Words parted by single spaces; '+' stands for a space in a word. */
static int
split(char *text, char *argv[ARGS_MAX + 1])
{
	static char name[] = "refrendo";
	int argc = 1;
	argv[0] = name;
	for (char *p = text; *p != '\0' && argc < ARGS_MAX;) {
		argv[argc++] = p;
		for (; *p != ' ' && *p != '\0'; p++)
			*p = *p == '+' ? ' ' : *p;
		if (*p == ' ')
			*p++ = '\0';
	}
	argv[argc] = NULL;
	return argc;
}

static void
give_passphrase(void)
{
	char number[12];
	int pipe_fd[2];
	if (pipe(pipe_fd) != 0 ||
	    write(pipe_fd[1], PASSPHRASE, strlen(PASSPHRASE)) < 0)
		_exit(125);
	close(pipe_fd[1]);
	snprintf(number, sizeof(number), "%d", pipe_fd[0]);
	setenv("REFRENDO_PASSPHRASE_FD", number, 1);
}

static pid_t
start(const char *line, const char *out_name, const char *err_name)
{
	char text[2048], *argv[ARGS_MAX + 1];
	snprintf(text, sizeof(text), "%s", line);
	int argc = split(text, argv);
	fflush(NULL);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	give_passphrase();
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(open(out_name, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
	dup2(open(err_name, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
	int status = cli_main(argc, argv);
	fflush(NULL);
	_exit(status);
}

static void
slurp(const char *path, char *to)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	to[fread(to, 1, TEXT_MAX - 1, f)] = '\0';
	fclose(f);
}

static int
run(const char *line)
{
	int status = 0;
	pid_t pid = start(line, "out", "err");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	slurp("out", out);
	slurp("err", err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The step must end so and print this. */
static void
step(const char *line, int want, const char *text)
{
	int status = run(line);
	if (status == want && (strstr(out, text) || strstr(err, text)))
		return;
	print_message("%s\nexit %d, expected %d and %s\n%s%s\n", line, status,
	    want, text, out, err);
	fail();
}

/* The member of the JSON that was printed last. */
static const char *
member(const char *name)
{
	static char value[128];
	char key[64];
	snprintf(key, sizeof(key), "\"%s\":\"", name);
	const char *at = strstr(out, key);
	assert_non_null(at);
	at += strlen(key);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\""), at);
	return value;
}

/* --- The engine ------------------------------------------------------------------------- */

static int
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void
start_engine(void)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	err[0] = '\0';
	(void)unlink("engine.err");
	engine = start("serve --dir ca", "engine.out", "engine.err");
	for (;;) {
		struct timespec nap = { .tv_nsec = 20000000 };
		/* It takes acts from then on, and not before. */
		if (access("engine.err", R_OK) == 0)
			slurp("engine.err", err);
		if (strstr(err, "event=engine-ready") != NULL)
			return;
		if (clock_mono_ms() > end ||
		    waitpid(engine, NULL, WNOHANG) == engine) {
			slurp("engine.err", err);
			print_message("the engine did not start:\n%s\n", err);
			engine = 0;
			fail();
		}
		nanosleep(&nap, NULL);
	}
}

static int
stop_engine(void)
{
	int status = 0;
	kill(engine, SIGTERM);
	assert_int_equal(waitpid(engine, &status, 0), engine);
	engine = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int
make_place(void **state)
{
	char line[512];
	(void)state;
	snprintf(place, sizeof(place), "/tmp/refrendo-engine-XXXXXX");
	unsetenv("REFRENDO_AS");
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("NOTIFY_SOCKET");
	setenv("LC_ALL", "C.UTF-8", 1);
	if (mkdtemp(place) == NULL || chdir(place) != 0)
		return -1;
	/* Its officer is the colleague of that of the installation here. */
	step("init --dir other --officer-run 44444444-4 --officer-name "
	     "Pedro+Rojas --json",
	    0, "\"directory\":\"other\"");
	FILE *f = fopen("officers", "wb");
	assert_non_null(f);
	assert_true(fputs("44444444-4 other/officer/officer.pem Pedro Rojas\n",
			f) >= 0);
	assert_int_equal(fclose(f), 0);
	int port = free_port();
	snprintf(line, sizeof(line),
	    "init --dir ca --listen 127.0.0.1:%d --officer-run " OFFICER
	    " --officer-name Olga+Soto --quorum 2 --officers officers "
	    "--json",
	    port);
	step(line, 0, "\"directory\":\"ca\"");
	start_engine();
	return 0;
}

static int
remove_place(void **state)
{
	(void)state;
	if (engine > 0)
		stop_engine();
	return chdir("/") == 0 &&
		       nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0
		   ? 0
		   : -1;
}

/* --- The story ------------------------------------------------------------------------------- */

#define AT " --dir ca --json"

static void
institution_people_minister(void **state)
{
	char line[512];
	(void)state;
	step("inst add --as " OFFICER " --rut " RUT " --name Universidad" AT, 0,
	    "\"state\":\"applied\"");
	step("inst enable " RUT " --as " OFFICER AT, 0,
	    "\"state\":\"enabled\"");
	step("person add --as " OFFICER " --rut " RUT " --run " OPERATOR
	     " --name Omar+Soto --office Personal --email o@example.org "
	     "--operator" AT,
	    0, "\"is_operator\":1");
	step("person add --as " OPERATOR " --rut " RUT " --run " HOLDER
	     " --name Ana+Soto --office Obras --email a@example.org" AT,
	    0, "\"run\":\"12345678-5\"");
	step("csr new --key-out m.key --out m.csr", 0, "");
	step("appointment propose --as " OFFICER " --rut " RUT
	     " --run " MINISTER
	     " --name Marta+Soto --office Secretaria --csr m.csr "
	     "--act-number Decreto+1 --act-date 2020-01-01 --until "
	     "2099-01-01" AT,
	    CLI_INVALID, "\"id\":\"");
	time_t until = (time_t)clock_now() + 200 * DAY;
	char date[TIME_TEXT];
	time_print(date, until);
	snprintf(line, sizeof(line),
	    "appointment propose --as " OFFICER " --rut " RUT " --run " MINISTER
	    " --name Marta+Soto --office Secretaria --csr m.csr "
	    "--act-number Decreto+1 --act-date 2020-01-01 --until %s" AT,
	    date);
	step(line, 0, "\"state\":\"proposed\"");
	snprintf(line, sizeof(line),
	    "appointment confirm %s --key ca/officer/officer.key --cert "
	    "ca/officer/officer.pem" AT,
	    member("id"));
	/* Nobody is there to be asked. */
	step(line, CLI_USAGE, "\"id\":\"cli-no-terminal\"");
	snprintf(line + strlen(line), sizeof(line) - strlen(line), " --yes");
	step(line, 0, "\"state\":\"proposed\"");
	step(line, CLI_CONFLICT, "\"id\":\"confirm-signed\"");
	step("appointment ls" AT, 0, "\"signed_by\":\"" OFFICER "\"");
	snprintf(line, sizeof(line),
	    "appointment confirm %s --key other/officer/officer.key --cert "
	    "other/officer/officer.pem --yes" AT,
	    member("id"));
	step(line, 0, "\"state\":\"in-force\"");
	snprintf(line, sizeof(line), "appointment get %s --out m.pem --dir ca",
	    member("id"));
	step(line, 0, "");
}

static void
request_endorsed_twice(void **state)
{
	char line[512], id[64];
	(void)state;
	step("csr new --key-out h.key --out h.csr", 0, "");
	step("request new --as " OPERATOR " --rut " RUT " --run " HOLDER
	     " --policy funcionario-firma --csr h.csr "
	     "--idempotency-key new-1" AT,
	    0, "\"state\":\"submitted\"");
	snprintf(id, sizeof(id), "%s", member("id"));
	/* The same key and the same words: nothing more happens. */
	step("request new --as " OPERATOR " --rut " RUT " --run " HOLDER
	     " --policy funcionario-firma --csr h.csr "
	     "--idempotency-key new-1" AT,
	    0, id);
	step("request new --as " OPERATOR " --rut " RUT " --run " MINISTER
	     " --policy funcionario-firma --csr h.csr "
	     "--idempotency-key new-1" AT,
	    CLI_CONFLICT, "act-key-used");
	snprintf(line, sizeof(line),
	    "endorse %s --key m.key --cert ca/officer/officer.pem --yes" AT,
	    id);
	step(line, CLI_INVALID, "cli-key-of-cert");
	/* A signature differs each time; the act must not. */
	snprintf(line, sizeof(line),
	    "endorse %s --key m.key --cert m.pem --idempotency-key e-1 "
	    "--yes" AT,
	    id);
	step(line, 0, "\"state\":\"issued\"");
	step(line, 0, "\"state\":\"issued\"");
	snprintf(line, sizeof(line),
	    "endorse %s --key m.key --cert m.pem --yes" AT, id);
	step(line, CLI_CONFLICT, "state-request");
	/* The statement is shown in words. */
	assert_non_null(strstr(err, "Ana Soto"));
}

static void
lists_and_records(void **state)
{
	char line[512];
	(void)state;
	step("status --dir ca", 0, "officers=2");
	assert_null(strstr(out, "(null)"));
	step("cert ls --dir ca --lang es", 0, "SERIE");
	assert_non_null(strstr(out, "vigente"));
	step("request ls --dir ca --lang es", 0, "emitida");
	step("inst show " RUT " --dir ca --lang es", 0, "habilitada");
	step("appointment ls --dir ca --lang es", 0, "vigente");
	step("appointment ls --dir ca --lang en", 0, "in-force");
	step("person ls " RUT " --dir ca", 0, "12.345.678-5  Ana Soto");
	step("request ls --dir ca --limit 1 --json", 0, "\"next\":\"");
	step("policy ls --dir ca", 0, "funcionario-firma");
	step("cert ls" AT, 0, "\"items\":[{");
	/* The holder's is the one with a policy. */
	const char *at = strstr(out, "\"policy\":\"funcionario-firma\"");
	assert_non_null(at);
	at = strstr(at, "\"serial\":\"");
	assert_non_null(at);
	snprintf(line, sizeof(line), "cert chain %.40s --dir ca", at + 10);
	step(line, 0, "-----BEGIN CERTIFICATE-----");
	size_t n = 0;
	for (at = out; (at = strstr(at, "BEGIN")) != NULL; at++)
		n++;
	assert_int_equal(n, 3);
	step("cert show 00 --dir ca", CLI_NOTFOUND, "row-missing");
	step("cert show xyz --dir ca --lang es", CLI_INVALID,
	    "xyz no es un número hexadecimal");
	step("person add --as " OPERATOR " --rut " RUT
	     " --run 12345678-9 --name Ana+Soto --office Obras --email "
	     "a@example.org --dir ca --lang es",
	    CLI_INVALID, "campo: /run");
	step("inst close " RUT " --as " OPERATOR AT, CLI_FORBIDDEN, "\"id\":");
}

/* What nobody asks for, as the engine tells it. */
static void
policies_and_their_use(void **state)
{
	(void)state;
	step("policy check --dir ca --since 2099-01-01", 0,
	    "warning: no request has ever named the policy autoridad-firma "
	    "[policy-never-used]");
	assert_non_null(strstr(err,
	    "warning: no request has named the policy funcionario-firma since "
	    "20"));
	step("policy check ca/etc/policies/funcionario-firma.yaml --dir ca "
	     "--since 2099-01-01 --json",
	    0, "\"code\":\"policy-unused\"");
	step("policy check --dir ca", 0, "4 files in order");
	assert_string_equal(err, "");
}

/* INCIDENTS row 58: what is left of a CRL's life, as a client gets it. */
static void
incident_58_doctor_measures_crls(void **state)
{
	(void)state;
	step("doctor" AT, 0, "\"wrong\":0");
	step("doctor --dir ca --lang es", 0, "a la CRL de emisora le queda");
	step("doctor --dir ca", 0, "% of its life left");
}

/* Fault F39: the same request many times at once is one request. */
static void
fault_39_submitted_in_parallel(void **state)
{
	char line[512], name[32], first[64];
	pid_t pid[PARALLEL];
	(void)state;
	step("csr new --key-out p.key --out p.csr", 0, "");
	snprintf(line, sizeof(line),
	    "request new --as " OPERATOR " --rut " RUT " --run " HOLDER
	    " --policy funcionario-firma --csr p.csr --idempotency-key "
	    "many" AT);
	for (size_t i = 0; i < PARALLEL; i++) {
		snprintf(name, sizeof(name), "many%zu", i);
		pid[i] = start(line, name, "many.err");
	}
	for (size_t i = 0; i < PARALLEL; i++) {
		int status = -1;
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
		snprintf(name, sizeof(name), "many%zu", i);
		slurp(name, out);
		if (i == 0)
			snprintf(first, sizeof(first), "%s", member("id"));
		assert_string_equal(member("id"), first);
	}
}

/* What the guide shows: one officer proposes and signs, a colleague signs. */
static void
activation_with_a_colleague(void **state)
{
	char line[512], id[64];
	(void)state;
	slurp("ca/etc/policies/autoridad-firma.yaml", out);
	char *version = strstr(out, "\nversion: 1");
	assert_non_null(version);
	version[10] = '2';
	FILE *f = fopen("two.yaml", "wb");
	assert_non_null(f);
	assert_true(fputs(out, f) >= 0);
	assert_int_equal(fclose(f), 0);
	step("policy activate two.yaml --as " OFFICER
	     " --key ca/officer/officer.key --cert ca/officer/officer.pem "
	     "--yes" AT,
	    0, "\"state\":\"proposed\"");
	snprintf(id, sizeof(id), "%s", member("id"));
	snprintf(line, sizeof(line),
	    "policy endorse %s --key ca/officer/officer.key --cert "
	    "ca/officer/officer.pem --yes" AT,
	    id);
	step(line, CLI_CONFLICT, "this officer has signed POL-");
	snprintf(line, sizeof(line),
	    "policy endorse %s --key other/officer/officer.key --cert "
	    "other/officer/officer.pem --yes" AT,
	    id);
	step(line, 0, "\"state\":\"active\"");
	step("policy history autoridad-firma --dir ca", 0,
	    "11111111-1 44444444-4");
}

/* --- INCIDENTS 37 and 41: journal and log, both ways -------------------------------------- */

/* Copies a file without the lines that hold text; returns how many. */
static size_t
drop_lines(const char *from, const char *to, const char *text)
{
	FILE *in = fopen(from, "rb"), *copy = fopen(to, "wb");
	char *line = NULL;
	size_t size = 0, dropped = 0;
	assert_true(in != NULL && copy != NULL);
	while (getline(&line, &size, in) > 0) {
		if (strstr(line, text) != NULL)
			dropped++;
		else
			fputs(line, copy);
	}
	free(line);
	fclose(in);
	fclose(copy);
	return dropped;
}

static void
incident_37_41_journal_and_log(void **state)
{
	(void)state;
	/* Of a file is judged what was signed in a second before its own. */
	for (int64_t now = clock_now(); clock_now() == now;)
		usleep(10000);
	step("audit export x.jsonl" AT, 0, "\"file\":\"x.jsonl\"");
	step("audit verify x.jsonl --log-key ca/ca/log.pem --json", 0,
	    "\"verdict\":\"intact\"");
	step("audit journal --export x.jsonl" AT, 0,
	    "\"faults\":0,\"issued\":2,\"named\":0,\"signed\":2}");
	step("audit journal" AT, 0, "\"faults\":0");
	/* Signed, and the log does not know. */
	assert_int_equal(drop_lines("x.jsonl", "y.jsonl",
			     "\\\"type\\\":\\\"certificate.intended\\\""),
	    1);
	step("audit journal --export y.jsonl" AT, CLI_UNVERIFIED,
	    "journal-not-intended");
	step("audit verify y.jsonl --log-key ca/ca/log.pem", CLI_UNVERIFIED,
	    "VERDICT: BROKEN");
	/* Whatever was taken out is named, and the checkpoints tell too. */
	static const struct {
		const char *type, *id;
	} kinds[] = {
		{ "crl.published", "journal-crl-unlogged" },
		{ "responder.certified", "journal-responder-unlogged" },
		{ "policy.proposed", "journal-agreed-unlogged" },
		{ "appointment.proposed", "journal-not-intended" },
	};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char part[80];
		snprintf(part, sizeof(part), "\\\"type\\\":\\\"%s\\\"",
		    kinds[i].type);
		assert_true(drop_lines("x.jsonl", "y.jsonl", part) > 0);
		step("audit journal --export y.jsonl" AT, CLI_UNVERIFIED,
		    kinds[i].id);
		step("audit journal --export y.jsonl" AT, CLI_UNVERIFIED,
		    "journal-checkpoint-other");
	}
	step("audit verify x.jsonl --log-key ca/ca/log.pem --journal "
	     "ca/signer/journal --json",
	    0, "\"named\":[]");
	/* In the log as issued, and the journal of another signer. */
	step("audit prove 0 --dir ca", 0, "c2sp.org/tlog-proof@v1");
	step("audit prove 100000 --dir ca", CLI_NOTFOUND, "proof-index");
	step("audit replay" AT, 0, "\"verdict\":\"equal\"");
	step("audit export /nowhere/x" AT, CLI_ERROR, "cli-export-create");
}

/* --- What is no request of ours -------------------------------------------------------------- */

static void
raw(const char *request, const char *want)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	static char answer[65536];
	size_t len = 0;
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "ca/run/admin.sock");
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL),
	    (ssize_t)strlen(request));
	shutdown(fd, SHUT_WR);
	while (len < sizeof(answer) - 1 &&
	       (n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(fd);
	answer[len] = '\0';
	if (strstr(answer, want) == NULL) {
		print_message("%s\nexpected %s, got\n%s\n", request, want,
		    answer);
		fail();
	}
}

static void
front_answers_what_is_wrong(void **state)
{
	(void)state;
	raw("PUT /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: 0\r\n\r\n",
	    "\r\nAllow: GET, HEAD\r\n");
	raw("HEAD /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: "
	    "close\r\n\r\n",
	    "Connection: close\r\n\r\n");
	raw("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "HTTP/1.1 404 Not Found\r\n");
	raw("POST /api/v1/institutions HTTP/1.1\r\nHost: x\r\nConnection: "
	    "close\r\nContent-Length: 2\r\n\r\n{}",
	    "\"id\":\"api-key-missing\"");
	raw("GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"
	    "GET /api/v1/checkpoint HTTP/1.1\r\nHost: x\r\nConnection: "
	    "close\r\n\r\n",
	    "text/plain");
	raw("nonsense\r\n\r\n", "HTTP/1.1 400");
}

/* The last step: nothing answers afterwards, and the ledger is read alone. */
static void
without_an_engine(void **state)
{
	(void)state;
	assert_int_equal(stop_engine(), 0);
	step("status" AT, CLI_UNAVAILABLE, "cli-engine-away");
	step("policy check --dir ca --since 2099-01-01", 0, "4 files in order");
	assert_string_equal(err, "");
	step("audit replay" AT, 0, "\"verdict\":\"equal\"");
	step("doctor" AT, CLI_ERROR, "\"name\":\"engine\",\"state\":\"wrong\"");
	step("audit journal --export x.jsonl" AT, 0, "\"faults\":0");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(institution_people_minister),
		cmocka_unit_test(request_endorsed_twice),
		cmocka_unit_test(lists_and_records),
		cmocka_unit_test(policies_and_their_use),
		cmocka_unit_test(incident_58_doctor_measures_crls),
		cmocka_unit_test(fault_39_submitted_in_parallel),
		cmocka_unit_test(activation_with_a_colleague),
		cmocka_unit_test(incident_37_41_journal_and_log),
		cmocka_unit_test(front_answers_what_is_wrong),
		cmocka_unit_test(without_an_engine),
	};
	if (argc > 1)
		return cli_main(argc, argv);
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
