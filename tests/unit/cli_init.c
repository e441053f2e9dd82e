/*
 * init: an installation that is whole, closed to others and made of
 * certificates that hold; or nothing at all.
 */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <refrendo/cli.h>
#include <refrendo/crl.h>
#include <refrendo/engine.h>
#include <refrendo/store.h>

#define PASSPHRASE "only for this test"
#define OFFICER    "--officer-run", "11111111-1", "--officer-name", "Olga Soto"

static char place[64]; /* a directory of this test's own */

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
	(void)state;
	snprintf(place, sizeof(place), "/tmp/refrendo-init-XXXXXX");
	unsetenv("REFRENDO_AS");
	unsetenv("CREDENTIALS_DIRECTORY");
	setenv("LC_ALL", "C.UTF-8", 1);
	return mkdtemp(place) != NULL && chdir(place) == 0 ? 0 : -1;
}

static int
remove_place(void **state)
{
	(void)state;
	return chdir("/") == 0 &&
		       nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0
		   ? 0
		   : -1;
}

static void
clear(const char *name)
{
	if (access(name, F_OK) == 0)
		nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* refrendo with these words, the passphrase by a descriptor. */
static int
command(const char *const *words)
{
	char *argv[24];
	int argc = 0, status, pipe_fd[2];
	for (; *words != NULL; words++)
		argv[argc++] = strdup(*words);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(write(pipe_fd[1], PASSPHRASE "\n", 19), 19);
	close(pipe_fd[1]);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		char number[12];
		int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		snprintf(number, sizeof(number), "%d", pipe_fd[0]);
		setenv("REFRENDO_PASSPHRASE_FD", number, 1);
		int code = cli_main(argc, argv);
		fflush(NULL);
		_exit(code);
	}
	close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* refrendo init --dir DIR … */
static int
init(const char *dir, const char *const *more)
{
	const char *words[24] = { "refrendo", "init", "--dir", dir };
	size_t n = 4;
	while (*more != NULL && n < ARRAY_LEN(words) - 1)
		words[n++] = *more++;
	assert_null(*more);
	return command(words);
}

static const char *
printed(void)
{
	static char text[16384];
	FILE *f = fopen("out", "rb");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* --- Whole ----------------------------------------------------------------------- */

static void
load(const char *name, struct buf *der, struct cert *cert)
{
	struct err e;
	*der = BUF(CERT_MAX_BYTES);
	if (file_certificate("ca", name, der, &e) != ERR_OK ||
	    cert_parse(buf_bytes(der), cert, &e) != ERR_OK) {
		print_message("%s: %s\n", name, e.say);
		fail();
	}
}

static void
check_certificates(void)
{
	struct buf root_der AUTO_BUF, der AUTO_BUF = BUF(0);
	struct buf crl_der AUTO_BUF = BUF(65536);
	struct cert root, cert;
	struct crl crl;
	AUTO(verifier) v = NULL;
	struct err e;
	static const char *const below[] = { "ca/emisora.pem",
		"ca/endorser.pem" };
	assert_int_equal(verifier_new(&v, &e), ERR_OK);
	load("ca/root.pem", &root_der, &root);
	assert_int_equal(cert_check_issued(&root, &root, clock_now(), v, &e),
	    ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		buf_fini(&der);
		load(below[i], &der, &cert);
		assert_int_equal(cert_check_issued(&cert, &root, clock_now(), v,
				     &e),
		    ERR_OK);
		assert_true(cert.is_ca && cert.path_len == 0);
	}
	/* The endorser was last: it certified the officer. */
	struct buf officer_der AUTO_BUF;
	struct cert officer;
	load("officer/officer.pem", &officer_der, &officer);
	assert_int_equal(cert_check_issued(&officer, &cert, clock_now(), v, &e),
	    ERR_OK);
	assert_true(cert_has_eku(&officer, OID_EKU_ENDORSER));
	assert_int_equal(file_read("ca", "ca/root.crl", 65536, &crl_der, &e),
	    ERR_OK);
	assert_int_equal(crl_parse(buf_bytes(&crl_der), &crl, &e), ERR_OK);
	assert_int_equal(crl_check_publish(&crl, &root, 0, clock_now(), v, &e),
	    ERR_OK);
}

static void
check_key(const char *name)
{
	AUTO(key) key = NULL;
	struct stat st;
	struct err e;
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(key_load(name, BYTES_NONE, &key, &e), ERR_FORBIDDEN);
	if (key_load(name, bytes_str(PASSPHRASE), &key, &e) != ERR_OK) {
		print_message("%s: %s\n", name, e.say);
		fail();
	}
}

static void
check_ledger(void)
{
	AUTO(store) s = NULL;
	AUTO(arena) a = arena_new();
	struct view *v;
	struct entry entry;
	struct err e;
	assert_int_equal(store_open("ca", 1 << 30, false, &s, &e), ERR_OK);
	assert_int_equal(store_begin(s, false, &v, &e), ERR_OK);
	assert_true(view_log_size(v) > 1);
	assert_int_equal(view_verify(v, 0, &e), ERR_OK);
	assert_int_equal(view_entry(v, 0, a, &entry, &e), ERR_OK);
	assert_int_equal(entry.type, ENTRY_SYSTEM_INITIALIZED);
	/* The policies of the beginning, without an activation. */
	for (uint64_t i = 1; i < view_log_size(v); i++) {
		assert_int_equal(view_entry(v, i, a, &entry, &e), ERR_OK);
		assert_int_equal(entry.type, ENTRY_POLICY_ACTIVATED);
	}
	view_abort(v);
}

static void
write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "wb");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What the signer has in force may be more than the file gives: that is no
 * reason not to start. */
static void
start_with_less(void)
{
	struct installation in;
	struct findings findings = { 0 };
	struct err e;
	struct buf before AUTO_BUF = BUF(1 << 16);
	assert_int_equal(file_read("ca", "etc/signer.yaml", 1 << 16, &before,
			     &e),
	    ERR_OK);
	buf_putc(&before, '\0');
	char *text = (char *)before.p;
	char *line = strstr(text, "validity_max: 3y");
	assert_non_null(line);
	memcpy(line, "validity_max: 9d", 16);
	write_text("ca/etc/signer.yaml", text);
	assert_int_equal(installation_read("ca", &in, &findings, &e), ERR_OK);
	assert_true(findings.errors > 0);
	assert_string_equal(findings.v[0].err.id, "policy-ceiling");
	findings_fini(&findings);
	installation_fini(&in);
	assert_int_equal(installation_start("ca", &in, &findings, &e), ERR_OK);
	assert_int_equal(findings.errors, 0);
	assert_int_equal(in.policies->n, 2);
	findings_fini(&findings);
	installation_fini(&in);
	memcpy(line, "validity_max: 3y", 16);
	write_text("ca/etc/signer.yaml", text);
}

static void
whole_installation(void **state)
{
	static const char *const more[] = { OFFICER, "--public-url",
		"http://estado.example.org", NULL };
	static const char *const keys[] = { "ca/keys/root.key",
		"ca/keys/emisora.key", "ca/keys/endorser.key",
		"ca/keys/emisora-ocsp.key", "ca/keys/log.key",
		"ca/officer/officer.key" };
	struct findings findings = { NULL, 0, 0 };
	static struct installation in;
	struct stat st;
	struct err e;
	(void)state;
	clear("ca");
	if (init("ca", more) != 0) {
		print_message("%s\n", printed());
		fail();
	}
	assert_non_null(strstr(printed(), "Next: refrendo serve --dir ca"));
	assert_int_equal(stat("ca", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat("ca.new", &st), -1);
	assert_int_equal(stat("ca/init-unfinished", &st), -1);
	check_certificates();
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		check_key(keys[i]);
	check_ledger();
	assert_int_equal(installation_read("ca", &in, &findings, &e), ERR_OK);
	assert_int_equal(findings.len, 0);
	assert_string_equal(in.config.origin, "estado.example.org/log");
	assert_int_equal(in.ceilings.n_officer, 1);
	assert_string_equal(in.ceilings.officer[0].run, "11111111-1");
	assert_int_equal(in.policies->n, 2);
	findings_fini(&findings);
	installation_fini(&in);
	start_with_less();
	/* A second one does not touch the first. */
	assert_int_equal(init("ca", more), CLI_CONFLICT);
	assert_non_null(strstr(printed(), "[init-exists]"));
	check_certificates();
}

/* --- With a root that is elsewhere -------------------------------------------------- */

static void
must(const char *const *words)
{
	if (command(words) == 0)
		return;
	print_message("%s\n", printed());
	fail();
}

static void
must_not(const char *const *words, const char *id)
{
	assert_int_not_equal(command(words), 0);
	if (strstr(printed(), id) == NULL) {
		print_message("want %s: %s\n", id, printed());
		fail();
	}
}

#define WORDS(...)                            \
	(const char *const[])                 \
	{                                     \
		"refrendo", __VA_ARGS__, NULL \
	}
#define ROOT_FILES \
	"--key", "medium/root.key", "--cert", "medium/root.pem", "--yes"

static void
offline_root(void **state)
{
	static const char *const names[] = { "keys/root.key", "init-waits",
		"init-unfinished" };
	char path[64];
	(void)state;
	clear("ca");
	clear("medium");
	must(WORDS("ceremony", "root", "--to", "medium", "--origin",
	    "estado.example.org/log"));
	check_key("medium/root.key");
	must_not(WORDS("ceremony", "root", "--to", "medium", "--origin",
		     "estado"),
	    "[cli-ceremony-place]");
	must(WORDS("init", "--dir", "ca", OFFICER, "--public-url",
	    "http://estado.example.org", "--root", "medium/root.pem"));
	assert_non_null(strstr(printed(), "ca.new/ceremony/init.request"));
	assert_int_equal(access("ca", F_OK), -1);
	/* The root of another installation is not asked. */
	must(WORDS("ceremony", "root", "--to", "other-medium", "--origin",
	    "otra.example.org/log"));
	must_not(WORDS("ceremony", "sign", "ca.new/ceremony/init.request",
		     "--key", "other-medium/root.key", "--cert",
		     "other-medium/root.pem", "--out", "answer", "--yes"),
	    "[ceremony-root]");
	must_not(WORDS("ceremony", "sign", "ca.new/ceremony/init.request",
		     "--key", "other-medium/root.key", "--cert",
		     "medium/root.pem", "--out", "answer", "--yes"),
	    "[cli-key-of-cert]");
	/* No officer has signed, and whoever wants them says so. */
	must_not(WORDS("ceremony", "sign", "ca.new/ceremony/init.request",
		     ROOT_FILES, "--out", "answer", "--ceilings",
		     "ca.new/etc/signer.yaml"),
	    "[cli-ceremony-quorum]");
	/* Nobody is there to be asked, and nobody answered. */
	assert_int_equal(command(WORDS("ceremony", "sign",
			     "ca.new/ceremony/init.request", "--key",
			     "medium/root.key", "--cert", "medium/root.pem",
			     "--out", "answer")),
	    CLI_USAGE);
	assert_non_null(strstr(printed(), "[cli-no-terminal]"));
	assert_int_equal(access("answer", F_OK), -1);
	must(WORDS("ceremony", "sign", "ca.new/ceremony/init.request",
	    ROOT_FILES, "--out", "answer"));
	assert_non_null(strstr(printed(), "Signed by the root at 20"));
	/* An answer, or a key whose name was typed by mistake. */
	must_not(WORDS("ceremony", "sign", "ca.new/ceremony/init.request",
		     ROOT_FILES, "--out", "answer"),
	    "[file-exists]");
	must_not(WORDS("ceremony", "sign", "ca.new/ceremony/init.request",
		     ROOT_FILES, "--out", "medium/root.key"),
	    "[file-exists]");
	must_not(WORDS("ceremony", "sign", "answer", ROOT_FILES, "--out",
		     "again"),
	    "[cli-ceremony-signed]");
	must(WORDS("ceremony", "check", "answer", "--cert", "medium/root.pem"));
	/* What was asked is no answer, and one that ended is not believed. */
	must_not(WORDS("init", "--dir", "ca", "--answer",
		     "ca.new/ceremony/init.request"),
	    "[init-answer-other]");
	must_not(WORDS("init", "--dir", "elsewhere", "--answer", "answer"),
	    "[init-waits-not]");
	must(WORDS("init", "--dir", "ca", "--answer", "answer"));
	check_certificates();
	check_ledger();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "ca/%s", names[i]);
		assert_int_equal(access(path, F_OK), -1);
	}
	must_not(WORDS("init", "--dir", "ca", "--answer", "answer"),
	    "[init-waits-not]");
	clear("ca");
}

/* --- Files of keys -------------------------------------------------------------------- */

static void write_text(const char *name, const char *text);

static bool
has_text(const char *name, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(name, "rb");
	assert_non_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	return strcmp(got, text) == 0;
}

static const char *const new_key[] = { "refrendo", "csr", "new", "--key-out",
	"ana.key", "--out", "ana.csr", NULL };

/* A key that is there is somebody's: nothing is written over it. */
static void
keys_are_not_written_over(void **state)
{
	(void)state;
	write_text("ana.key", "of the first");
	assert_int_equal(command(new_key), CLI_CONFLICT);
	assert_non_null(strstr(printed(), "[file-exists]"));
	assert_non_null(strstr(printed(), "ana.key"));
	assert_true(has_text("ana.key", "of the first"));
	assert_int_equal(access("ana.csr", F_OK), -1);
	assert_int_equal(unlink("ana.key"), 0);
	/* Nor by what comes out beside it. */
	assert_int_equal(command(WORDS("csr", "new", "--key-out", "ana.key",
			     "--out", "ana.key")),
	    CLI_CONFLICT);
	check_key("ana.key");
	assert_int_equal(unlink("ana.key"), 0);
}

/* What lies where a key is written first gives it neither mode nor place. */
static void
keys_are_files_of_their_own(void **state)
{
	(void)state;
	write_text("ana.key.new", "of anybody");
	assert_int_equal(chmod("ana.key.new", 0666), 0);
	must(new_key);
	check_key("ana.key");
	assert_int_equal(unlink("ana.key"), 0);
	write_text("elsewhere", "of anybody");
	assert_int_equal(symlink("elsewhere", "ana.key.new"), 0);
	must(new_key);
	check_key("ana.key");
	assert_true(has_text("elsewhere", "of anybody"));
	assert_int_equal(unlink("ana.key"), 0);
	assert_int_equal(command(WORDS("csr", "new", "--key-out",
			     "nowhere/ana.key")),
	    CLI_ERROR);
	assert_non_null(
	    strstr(printed(), "the file nowhere/ana.key cannot be created"));
}

/* --- Or not at all ------------------------------------------------------------------ */

/* clang-format off */
static const struct {
	const char *name;
	const char *more[8];
	int status;
	const char *id;
} refusals[] = {
	{ "wrong digit", { "--officer-run", "11111111-2", "--officer-name", "O", NULL }, CLI_INVALID, "[run-digit]" },
	{ "https", { OFFICER, "--public-url", "https://x.example", NULL }, CLI_INVALID, "[init-configuration]" },
	{ "no port", { OFFICER, "--listen", "127.0.0.1", NULL }, CLI_INVALID, "[init-configuration]" },
	{ "origin with a space", { OFFICER, "--origin", "a b", NULL }, CLI_INVALID, "[init-configuration]" },
	{ "a name that stands for nothing", { "--officer-run", "11111111-1", "--officer-name", "N/A", NULL }, CLI_INVALID, "[name-meta]" },
	{ "a certificate that is none", { OFFICER, "--officer-cert", "out", NULL }, CLI_INVALID, "[pem-missing]" },
	{ "no list of officers", { OFFICER, "--officers", "missing.txt", NULL }, CLI_NOTFOUND, "[file-missing]" },
	{ "an officer without a name", { OFFICER, "--officers", "nameless.txt", NULL }, CLI_INVALID, "[cli-officers-line]" },
	{ "an officer's wrong digit", { OFFICER, "--officers", "digit.txt", NULL }, CLI_INVALID, "[run-digit]" },
	{ "an officer without certificate", { OFFICER, "--officers", "certless.txt", NULL }, CLI_NOTFOUND, "[file-missing]" },
	{ "the same officer twice", { OFFICER, "--officers", "twice.txt", NULL }, CLI_INVALID, "[init-configuration]" },
	{ "a quorum of nobody", { OFFICER, "--quorum", "0", NULL }, CLI_INVALID, "[cli-quorum]" },
	{ "a quorum beyond the officers", { OFFICER, "--quorum", "2", NULL }, CLI_INVALID, "[cli-quorum]" },
	{ "a certificate that is missing", { OFFICER, "--officer-cert", "missing.pem", NULL }, CLI_NOTFOUND, "[file-missing]" },
};
/* clang-format on */

static void
refused_leaves_nothing(void **state)
{
	(void)state;
	write_text("nameless.txt", "22222222-2 ca/officer/officer.pem\n");
	write_text("digit.txt", "22222222-3 ca/officer/officer.pem Ana\n");
	write_text("certless.txt", "22222222-2 none.pem Ana Rojas\n");
	write_text("twice.txt", "11111111-1 ca/officer/officer.pem Ana\n");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		int status = init("other", refusals[i].more);
		if (status != refusals[i].status ||
		    strstr(printed(), refusals[i].id) == NULL ||
		    access("other", F_OK) == 0 ||
		    access("other.new", F_OK) == 0) {
			print_message("%s: exit %d\n%s\n", refusals[i].name,
			    status, printed());
			fail();
		}
	}
}

/* What an interrupted init left is replaced; anything else is left alone. */
static void
unfinished_is_replaced(void **state)
{
	static const char *const more[] = { OFFICER, NULL };
	struct stat st;
	(void)state;
	clear("third");
	assert_int_equal(mkdir("third.new", 0700), 0);
	assert_int_equal(mkdir("third.new/keys", 0700), 0);
	assert_int_equal(init("third", more), CLI_CONFLICT);
	assert_non_null(strstr(printed(), "[init-new-exists]"));
	assert_int_equal(stat("third.new/keys", &st), 0);
	int fd = open("third.new/init-unfinished", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(init("third", more), 0);
	assert_int_equal(stat("third/keys/log.key", &st), 0);
	assert_int_equal(stat("third.new", &st), -1);
}

/* An officer who has a certificate keeps the key; RSA for the CAs. */
static void
officer_with_a_certificate(void **state)
{
	static const char *const more[] = { OFFICER, "--officer-cert",
		"ca/officer/officer.pem", "--algorithm", "rsa", NULL };
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert root;
	enum key_type type;
	struct stat st;
	struct err e;
	(void)state;
	assert_int_equal(stat("ca", &st), 0);
	clear("rsa");
	assert_int_equal(init("rsa", more), 0);
	assert_int_equal(stat("rsa/officer/officer.key", &st), -1);
	assert_int_equal(stat("rsa/officer/officer.pem", &st), 0);
	assert_int_equal(file_certificate("rsa", "ca/root.pem", &der, &e),
	    ERR_OK);
	assert_int_equal(cert_parse(buf_bytes(&der), &root, &e), ERR_OK);
	assert_int_equal(spki_check(root.spki, &type, &e), ERR_OK);
	assert_int_equal(type, KEY_RSA_4096);
}

/* Two officers who must both sign: signer.yaml and the log's first entry. */
static void
two_officers(void **state)
{
	static const char *const more[] = { OFFICER, "--officers", "two.txt",
		"--quorum", "2", NULL };
	struct findings findings = { NULL, 0, 0 };
	static struct installation in;
	AUTO(store) s = NULL;
	AUTO(arena) a = arena_new();
	struct view *v;
	struct entry first;
	struct err e;
	(void)state;
	/* Another's certificate: the endorser's will do as one. */
	write_text("two.txt",
	    "# the others\n\n22.222.222-2  ca/ca/endorser.pem  "
	    "Ana Rojas Vera\r\n");
	clear("two");
	if (init("two", more) != 0) {
		print_message("%s\n", printed());
		fail();
	}
	assert_int_equal(installation_read("two", &in, &findings, &e), ERR_OK);
	assert_int_equal(in.ceilings.n_officer, 2);
	assert_int_equal(in.ceilings.quorum, 2);
	assert_int_equal(in.ceilings.appointment_quorum, 2);
	assert_string_equal(in.ceilings.officer[1].run, "22222222-2");
	assert_string_equal(in.ceilings.officer[1].name, "Ana Rojas Vera");
	findings_fini(&findings);
	installation_fini(&in);
	assert_int_equal(store_open("two", 1 << 30, false, &s, &e), ERR_OK);
	assert_int_equal(store_begin(s, false, &v, &e), ERR_OK);
	assert_int_equal(view_entry(v, 0, a, &first, &e), ERR_OK);
	const char *detail = arena_str(a, first.detail);
	assert_non_null(strstr(detail, "\"policy_quorum\":2"));
	assert_non_null(strstr(detail, "\"quorum\":2"));
	assert_non_null(strstr(detail, "\"run\":\"22222222-2\""));
	view_abort(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_installation),
		cmocka_unit_test(refused_leaves_nothing),
		cmocka_unit_test(two_officers),
		cmocka_unit_test(unfinished_is_replaced),
		cmocka_unit_test(officer_with_a_certificate),
		cmocka_unit_test(offline_root),
		cmocka_unit_test(keys_are_not_written_over),
		cmocka_unit_test(keys_are_files_of_their_own),
	};
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
