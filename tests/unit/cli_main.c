/*
 * The command line as a program: what it prints, and how it ends.  Golden
 * texts in data/cli/ and doc/cli.md are made anew by REFRENDO_GOLDEN=write.
 */
#include <fcntl.h>
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
#include <refrendo/pkix.h>

#define ARGS_MAX 24
#define TEXT_MAX (1 << 18)

static char place[64]; /* a directory of this test's own */

struct ran {
	int status;
	char out[TEXT_MAX], err[TEXT_MAX];
};
static struct ran ran;

static void
slurp(const char *path, char *to)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	to[fread(to, 1, TEXT_MAX - 1, f)] = '\0';
	fclose(f);
}

static void
redirect(const char *path, int fd, int flags)
{
	int file = open(path, flags, 0600);
	if (file < 0 || dup2(file, fd) != fd)
		_exit(125);
	close(file);
}

/* Words are parted by single spaces; '+' stands for a space in a word. */
static const struct ran *
run(const char *line)
{
	char text[1024], name[] = "refrendo", out[96], err[96];
	char *argv[ARGS_MAX + 1] = { name };
	int argc = 1;
	snprintf(text, sizeof(text), "%s", line);
	snprintf(out, sizeof(out), "%s/out", place);
	snprintf(err, sizeof(err), "%s/err", place);
	for (char *p = text; *p != '\0' && argc < ARGS_MAX;) {
		argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p == ' ')
			*p++ = '\0';
	}
	for (int i = 1; i < argc; i++) {
		for (char *p = argv[i]; *p != '\0'; p++)
			*p = *p == '+' ? ' ' : *p;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		redirect("/dev/null", STDIN_FILENO, O_RDONLY);
		redirect(out, STDOUT_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
		redirect(err, STDERR_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
		int status = cli_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	slurp(out, ran.out);
	slurp(err, ran.err);
	return &ran;
}

static int
make_place(void **state)
{
	(void)state;
	snprintf(place, sizeof(place), "/tmp/refrendo-cli-XXXXXX");
	unsetenv("REFRENDO_AS");
	unsetenv("REFRENDO_PASSPHRASE_FD");
	unsetenv("CREDENTIALS_DIRECTORY");
	setenv("LC_ALL", "C.UTF-8", 1);
	if (mkdtemp(place) == NULL || chdir(place) != 0)
		return -1;
	setenv("REFRENDO_DIR", "nowhere", 1);
	return 0;
}

static int
remove_place(void **state)
{
	static const char *const files[] = { "out", "err", "s.json", "k.csr",
		"bad.yaml", "ceilings.yaml", "x.crl", "export", "wide.yaml",
		"loose.yaml" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(files[i]);
	return chdir("/") == 0 && rmdir(place) == 0 ? 0 : -1;
}

static void
write_file(const char *name, const void *p, size_t len)
{
	FILE *f = fopen(name, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

/* --- Usage ---------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *line;
	int status;
	const char *err; /* all of standard error */
} usage[] = {
	{ "", 2, "refrendo: the command is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "frobnicate", 2, "refrendo: there is no command frobnicate; see refrendo help [cli-unknown]\n" },
	{ "isnt ls", 2, "refrendo: there is no command isnt; is inst meant? [cli-unknown-near]\n" },
	{ "inst", 2, "refrendo: the verb is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "inst addd", 2, "refrendo: there is no verb addd; is add meant? [cli-unknown-near]\n" },
	{ "inst --json", 2, NULL },
	{ "inst add --as 1-9 --rut 2-7 --nmae x", 2, "refrendo: there is no option nmae; is name meant? [cli-unknown-near]\n" },
	{ "inst add --zzz", 2, "refrendo: there is no option zzz; see refrendo help [cli-unknown]\n" },
	{ "inst add --name", 2, "refrendo: --name is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "inst add --as 1-9 --rut 2-7", 2, "refrendo: --name is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "inst enable --as 1-9", 2, "refrendo: RUT is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "inst enable 2-7 3-5 --as 1-9", 2, "refrendo: 3-5 is one word too many; see --help [cli-operand]\n" },
	{ "inst enable 2-7", 2, "refrendo: --as is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "status --lang fr", 2, "refrendo: --lang es|en is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "frobnicate --lang es", 2, "refrendo: no existe: comando frobnicate; vea refrendo help [cli-unknown]\n" },
	{ "inst add --lang=es --nmae x", 2, "refrendo: no existe: opción nmae; ¿quiso decir name? [cli-unknown-near]\n" },
	{ "endorse SOL-2026-000001", 2, "refrendo: --cms, or --key and --cert, is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "endorse SOL-2026-000001 --cms x --key y --cert z", 2, NULL },
	{ "endorse SOL-2026-000001 --key y", 2, "refrendo: --cert is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "audit verify x", 2, "refrendo: --log-key is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "init", 2, "refrendo: --officer-run is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "init --officer-run 11111111-1", 2, "refrendo: --officer-name is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "init --officer-run 11111111-1 --officer-name O --algorithm dsa", 2, NULL },
	{ "csr new --key-out k", 4, "refrendo: no passphrase for the key k: type it at a terminal, or give REFRENDO_PASSPHRASE_FD a line for each key in the order in which they are asked for [passphrase-none-key]\n" },
	{ "csr new", 2, "refrendo: --key-out is missing; add --help to see what this command needs [cli-missing]\n" },
	{ "help frobnicate", 2, "refrendo: there is no help about frobnicate; see refrendo help [cli-no-help]\n" },
	/* Nothing is there to talk to. */
	{ "status", 3, "refrendo: nowhere/etc/refrendo.yaml cannot be read; name the installation with --dir, or make one with refrendo init [cli-no-installation]\n" },
	{ "status --socket nowhere.sock", 8, "refrendo: the engine does not answer at nowhere.sock; start it with refrendo serve [cli-engine-away]\n  (No such file or directory)\n" },
	{ "status --socket nowhere.sock --lang es", 8, "refrendo: el motor no responde en nowhere.sock; inícielo con refrendo serve [cli-engine-away]\n  (No such file or directory)\n" },
	{ "crl show nowhere.crl", 3, NULL },
	{ "init --officer-run 11111111-2 --officer-name O", 6, "refrendo: the check digit does not fit the number: it should be 1; compare with the identity card [run-digit]\n  rule: DS 181/2002\n" },
};
/* clang-format on */

static void
mistakes_have_a_status_and_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(usage); i++) {
		const struct ran *r = run(usage[i].line);
		if (r->status != usage[i].status || r->out[0] != '\0' ||
		    (usage[i].err != NULL &&
			strcmp(r->err, usage[i].err) != 0)) {
			print_error("%s: exit %d\n%s%s", usage[i].line,
			    r->status, r->out, r->err);
			fail();
		}
	}
}

static void
problems_for_programs(void **state)
{
	(void)state;
	const struct ran *r = run("status --socket nowhere.sock --json");
	assert_int_equal(r->status, CLI_UNAVAILABLE);
	assert_string_equal(r->out, "");
	assert_string_equal(r->err,
	    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
	    "\"status\":503,\"detail\":\"the engine does not answer at "
	    "nowhere.sock; start it with refrendo serve\","
	    "\"id\":\"cli-engine-away\",\"args\":[\"nowhere.sock\"]}\n");
	r = run("inst frob --json");
	assert_int_equal(r->status, CLI_USAGE);
	assert_non_null(strstr(r->err, "\"id\":\"cli-unknown"));
}

static void
one_status_for_each_category(void **state)
{
	static const struct {
		enum err_code code;
		int status;
	} rows[] = {
		{ ERR_OK, 0 },
		{ ERR_INVALID, 6 },
		{ ERR_FORBIDDEN, 4 },
		{ ERR_DENIED, 6 },
		{ ERR_NOTFOUND, 3 },
		{ ERR_CONFLICT, 5 },
		{ ERR_BUSY, 8 },
		{ ERR_IO, 1 },
		{ ERR_CRYPTO, 1 },
		{ ERR_CORRUPT, 7 },
		{ ERR_NOMEM, 8 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(cli_exit_of(rows[i].code), rows[i].status);
}

static void
sentences_in_spanish(void **state)
{
	struct err e;
	char text[1024];
	(void)state;
	err_say(&e, ERR_INVALID, "cli-unknown-near",
	    "there is no %s %s; is %s meant?", "comando", "isnt", "inst");
	cli_sentence(&e, true, text, sizeof(text));
	assert_string_equal(text,
	    "no existe: comando isnt; ¿quiso decir inst?");
	cli_sentence(&e, false, text, sizeof(text));
	assert_string_equal(text, "there is no comando isnt; is inst meant?");
	e.id = "nobody-has-this";
	cli_sentence(&e, true, text, sizeof(text));
	assert_string_equal(text, "there is no comando isnt; is inst meant?");
	assert_null(cli_spanish("nobody-has-this"));
	err_say(&e, ERR_CONFLICT, "state-certificate",
	    "a certificate that is %s cannot do this (%s); it can: %s",
	    "revoked", "suspend", "nothing");
	cli_sentence(&e, true, text, sizeof(text));
	assert_string_equal(text,
	    "un certificado en estado revocado no admite esto (suspender); "
	    "admite: nada");
	err_say(&e, ERR_INVALID, "command-field", "%s must be %s", "until",
	    "a date, 2026-11-24, or an instant, 2026-11-24T10:00:00Z");
	cli_sentence(&e, true, text, sizeof(text));
	assert_string_equal(text,
	    "el campo until debe ser una fecha, 2026-11-24, o un instante, "
	    "2026-11-24T10:00:00Z");
	err_say(&e, ERR_INVALID, "audit-line", "line %s of the export: %s%s",
	    "3", "this is not", " JSON");
	err_why(&e, "json-syntax");
	cli_sentence(&e, true, text, sizeof(text));
	assert_string_equal(text, "línea 3 de la exportación: esto no es JSON");
	assert_null(cli_spanish(NULL));
}

/* --- Tools that need no engine ------------------------------------------------------- */

static void
code_of_a_file(void **state)
{
	(void)state;
	/* sha256sum: afbf9d0f97... (USERS 4.3), the first 40 bits. */
	write_file("s.json", "{\"v\":1}", 7);
	const struct ran *r = run("verify-code s.json");
	assert_int_equal(r->status, 0);
	uint8_t hash[SHA256_LEN];
	sha256(hash, bytes_str("{\"v\":1}"));
	assert_int_equal(hash[0], 0xaf);
	assert_int_equal(strlen(r->out), 10);
	assert_int_equal(r->out[4], '-');
	/* base32 of af bf 9d 0f 35. */
	assert_string_equal(r->out, "V67Z-2DZV\n");
	assert_string_equal(run("verify-code s.json --json")->out,
	    "{\"code\":\"V67Z-2DZV\"}\n");
}

static void
request_inspected(void **state)
{
	struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
	AUTO(key) key = NULL;
	struct err e;
	(void)state;
	assert_int_equal(key_generate(KEY_EC_P256, &key, &e), ERR_OK);
	assert_int_equal(csr_build(key, "Ana Soto", &der, &e), ERR_OK);
	write_file("k.csr", der.p, der.len);
	const struct ran *r = run("csr inspect k.csr --json");
	assert_int_equal(r->status, 0);
	assert_non_null(
	    strstr(r->out, "{\"key\":\"ec-p256\",\"proof\":\"held\""));
	der.p[der.len - 1] ^= 1;
	write_file("k.csr", der.p, der.len);
	r = run("csr inspect k.csr");
	assert_int_equal(r->status, CLI_INVALID);
	assert_non_null(strstr(r->err, "[csr-signature]"));
	assert_int_equal(run("csr inspect s.json")->status, CLI_INVALID);
}

static void
policies_checked(void **state)
{
	(void)state;
	const struct ran *r = run(
	    "policy check " SOURCE_DIR "/etc/policies/funcionario-firma.yaml "
	    "--ceilings " SOURCE_DIR "/etc/signer.yaml");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->out, "1 files in order\n");
	write_file("bad.yaml", "policy: x\npolicy: y\n", 20);
	r = run(
	    "policy check bad.yaml --ceilings " SOURCE_DIR "/etc/signer.yaml");
	assert_int_equal(r->status, CLI_INVALID);
	assert_non_null(strstr(r->err, "bad.yaml:2:1:"));
	assert_non_null(strstr(r->err, "[cli-policy-errors]"));
	write_file("bad.yaml", "policy: x\nversion: many\n", 24);
	r = run("policy check bad.yaml --lang es --ceilings " SOURCE_DIR
		"/etc/signer.yaml");
	assert_non_null(
	    strstr(r->err, "bad.yaml:2:10: version: many no es un número"));
	assert_non_null(strstr(r->err, "\n  escriba de 1 a "));
	r = run("policy check bad.yaml --json --ceilings " SOURCE_DIR
		"/etc/signer.yaml");
	assert_non_null(strstr(r->out, "\"hint_es\":\"escriba de 1 a "));
}

/* Requests of the export named it until 2026-11-24. */
static void
policies_and_their_use(void **state)
{
#define CHECK                                                         \
	"policy check " SOURCE_DIR                                    \
	"/etc/policies/funcionario-firma.yaml --ceilings " SOURCE_DIR \
	"/etc/signer.yaml"
#define USE_OF CHECK " --export " SOURCE_DIR "/tests/data/audit/export.jsonl"
	const struct ran *r = run(USE_OF " --since 2026-11-24");
	(void)state;
	assert_int_equal(r->status, 0);
	assert_string_equal(r->err, "");
	r = run(USE_OF " --since 2099-01-01");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->out, "1 files in order\n");
	assert_non_null(strstr(r->err,
	    "warning: no request has named the policy funcionario-firma since "
	    "2026-11-24T10:07:10Z [policy-unused]\n"));
	r = run(USE_OF " --since 2099-01-01 --json");
	assert_int_equal(r->status, 0);
	assert_non_null(strstr(r->out, "\"warning\":true"));
	assert_non_null(strstr(r->out, "\"code\":\"policy-unused\""));
	/* Nobody knows: no word. */
	r = run(CHECK " --since 2099-01-01");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->err, "");
	write_file("export", "{\"detail\":1}\n", 13);
	r = run(CHECK " --export export");
	assert_int_equal(r->status, CLI_INVALID);
	assert_non_null(strstr(r->err, "[cli-export-line]"));
	assert_int_equal(run(CHECK " --export none")->status, CLI_NOTFOUND);
	assert_int_equal(run(CHECK " --since soon")->status, CLI_USAGE);
}

static void
copy(const char *from, const char *to)
{
	static char text[TEXT_MAX];
	slurp(from, text);
	write_file(to, text, strlen(text));
}

/* Bases come from the installation; each finding is told to scripts too. */
static void
policies_beside_an_installation(void **state)
{
	static const char wide[] = "policy: w\nversion: 1\n"
				   "extends: estado-base@1\n"
				   "validity: {max: 3y, backdate: 1s}\n";
	static const char *const made[] = { "inst/etc/refrendo.yaml",
		"inst/signer.yaml", "inst/policies/base.yaml", "inst/etc",
		"inst/policies", "inst" };
	const struct ran *r;
	(void)state;
	assert_int_equal(mkdir("inst", 0700), 0);
	assert_int_equal(mkdir("inst/etc", 0700), 0);
	assert_int_equal(mkdir("inst/policies", 0700), 0);
	copy(SOURCE_DIR "/etc/refrendo.yaml", "inst/etc/refrendo.yaml");
	copy(SOURCE_DIR "/etc/signer.yaml", "inst/signer.yaml");
	copy(SOURCE_DIR "/etc/policies/estado-base.yaml",
	    "inst/policies/base.yaml");
	r = run("policy check --dir inst " SOURCE_DIR
		"/etc/policies/cliente-tls.yaml");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->out, "2 files in order\n");
	write_file("wide.yaml", wide, strlen(wide));
	r = run("policy check --dir inst --json wide.yaml");
	assert_int_equal(r->status, CLI_INVALID);
	assert_non_null(strstr(r->out, "\"code\":\"policy-narrow-longer\""));
	assert_non_null(
	    strstr(r->out, "\"es\":\"1s es m\xc3\xa1s largo que los 0s de "
			   "estado-base\""));
	r = run("policy diff --dir inst estado-base " SOURCE_DIR
		"/etc/policies/cliente-tls.yaml");
	assert_int_equal(r->status, 0);
	assert_non_null(
	    strstr(r->out, "\nvalidity.max: 3y -> 1y (narrower)\n"));
	assert_int_equal(run("policy diff --dir inst estado-base none")->status,
	    CLI_NOTFOUND);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		assert_int_equal(remove(made[i]), 0);
}

static void
policies_laid_out(void **state)
{
	static const char loose[] = "policy:   x   # a name\n";
	static char text[TEXT_MAX];
	(void)state;
	write_file("loose.yaml", loose, strlen(loose));
	const struct ran *r = run("policy fmt --check loose.yaml");
	assert_int_equal(r->status, CLI_INVALID);
	assert_string_equal(r->out, "loose.yaml\n");
	assert_non_null(strstr(r->err, "[cli-policy-layout]"));
	assert_int_equal(run("policy fmt loose.yaml")->status, 0);
	slurp("loose.yaml", text);
	assert_string_equal(text, "policy: x   # a name\n");
	r = run("policy fmt --check loose.yaml");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->out, "");
}

static void
codes_explained(void **state)
{
	(void)state;
	const struct ran *r = run("help policy-ceiling");
	assert_int_equal(r->status, 0);
	assert_non_null(strstr(r->out, "\n  rule: signer.yaml\n"));
	r = run("help policy-ceiling --lang es");
	assert_non_null(strstr(r->out, "\n  remedio: Escriba un valor"));
	r = run("help codes");
	assert_non_null(strstr(r->out, "\npolicy-zone "));
	assert_int_equal(run("help no-such-code")->status, CLI_USAGE);
	r = run("policy schema signer");
	assert_non_null(strstr(r->out, "json-schema.org/draft-07"));
}

static void
exports_that_do_not_verify(void **state)
{
	struct buf pem AUTO_BUF = BUF(4096);
	AUTO(key) key = NULL;
	struct err e;
	(void)state;
	assert_int_equal(key_generate(KEY_ED25519, &key, &e), ERR_OK);
	pem_put(&pem, "PUBLIC KEY", key_spki(key));
	write_file("k.csr", pem.p, pem.len);
	write_file("export", "{}\n", 3);
	const struct ran *r = run("audit verify export --log-key k.csr --json");
	assert_int_equal(r->status, CLI_UNVERIFIED);
	assert_non_null(strstr(r->out, "\"verdict\":\"broken\""));
	r = run("audit verify export --log-key k.csr --lang es");
	assert_int_equal(r->status, CLI_UNVERIFIED);
	assert_non_null(strstr(r->out, "VEREDICTO: ALTERADA"));
	assert_int_equal(run("audit verify missing --log-key k.csr")->status,
	    CLI_NOTFOUND);
	assert_int_equal(run("audit verify export --log-key export")->status,
	    CLI_INVALID);
}

/* --- Golden texts ------------------------------------------------------------------------- */

static void
compare_with(const char *path, const char *text)
{
	static char want[TEXT_MAX];
	const char *mode = getenv("REFRENDO_GOLDEN");
	if (mode != NULL && strcmp(mode, "write") == 0) {
		write_file(path, text, strlen(text));
		return;
	}
	slurp(path, want);
	if (strcmp(want, text) != 0)
		print_error("%s is stale: REFRENDO_GOLDEN=write renews it\n",
		    path);
	assert_string_equal(want, text);
}

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/"

/* clang-format off */
static const struct {
	const char *line;
	int status;
	const char *out, *err; /* a part of each */
} lints[] = {
	{ "lint --lang en " CORPUS "cert/holder.der", 0, "0 errors, ", "" },
	{ "lint --lang en " CORPUS "cert/lint_serial_entropy.der", 6, "error    the serial number is too short to hold 64 bits of randomness (S/MIME BR 7.1) [lint-serial-entropy]\n1 errors, 0 warnings\n", "" },
	{ "lint --lang es " CORPUS "cert/lint_qc_sscd.der", 0, "aviso    se declara un dispositivo seguro y no la conformidad", "" },
	{ "lint --lang en " CORPUS "cert/lint_serial_short.der", 0, "0 errors, 0 warnings\n", "" },
	{ "lint --lang en --profile holder " CORPUS "cert/lint_serial_short.der", 6, "[lint-serial-short]", "" },
	{ "lint --lang en " CORPUS "cert/lint_extension_twice.der", 6, "[cert-ext-twice]", "" },
	{ "lint --lang en " CORPUS "cert/cut_off.der", 6, "error ", "" },
	{ "lint --lang en " CORPUS "crl/lint_crl_reason_zero.der", 6, "the reason unspecified (0) is written, which must be left out (BR 7.2.2) [lint-crl-reason-zero]", "" },
	{ "lint --json " CORPUS "cert/lint_serial_entropy.der", 6, "\"severity\":\"error\"", "" },
	{ "lint --lang en --profile x a", 2, "", "there is no profile x; write holder, ca, cross, root, ocsp, endorser or any [cli-lint-profile]" },
	{ "lint --lang en /dev/null", 6, "", "the file /dev/null holds no certificate and no CRL" },
	{ "lint --lang en /nonexistent", 3, "", "cannot be opened" },
};
/* clang-format on */

static void
lint_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lints); i++) {
		const struct ran *r = run(lints[i].line);
		if (r->status != lints[i].status ||
		    strstr(r->out, lints[i].out) == NULL ||
		    strstr(r->err, lints[i].err) == NULL)
			fail_msg("%s: %d\n%s%s", lints[i].line, r->status,
			    r->out, r->err);
	}
}

/* clang-format off */
static const struct {
	const char *line;
	int status;
	const char *err; /* a part */
} inputs[] = {
	{ "lint --lang en /tmp", CLI_INVALID, "/tmp is a directory; name a file [file-directory]" },
	{ "lint --lang en /dev/zero", CLI_INVALID, "the file /dev/zero has more octets than the " },
	{ "policy fmt --lang en /dev/zero", CLI_INVALID, "the file /dev/zero has more octets than the 65536 that are read of it [file-large]" },
	{ "policy activate --lang en --as 11111111-1 /dev/null", CLI_INVALID, "the file /dev/null says nothing [cli-policy-empty]" },
	{ "audit reproduce --lang en --export nothing 01", CLI_INVALID, "the file has no entries of a log; name one of refrendo audit export [cli-export-empty]" },
};
/* clang-format on */

static void
wrong_inputs(void **state)
{
	(void)state;
	write_file("nothing", "{}\n", 3);
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		const struct ran *r = run(inputs[i].line);
		if (r->status != inputs[i].status ||
		    strstr(r->err, inputs[i].err) == NULL)
			fail_msg("%s: %d\n%s", inputs[i].line, r->status,
			    r->err);
	}
	assert_int_equal(remove("nothing"), 0);
}

static void
help_texts(void **state)
{
	static const char *const rows[][2] = {
		{ "--help --lang en", "help.en" },
		{ "help --lang es", "help.es" },
		{ "inst --help --lang en", "inst.en" },
		{ "request --help --lang es", "request.es" },
		{ "person add --help --lang en", "person_add.en" },
		{ "cert suspend --help --lang es", "cert_suspend.es" },
		{ "help endorse --lang es", "endorse.es" },
		{ "init --help --lang en", "init.en" },
		{ "lint --help --lang en", "lint.en" },
		{ "lint --help --lang es", "lint.es" },
		{ "help audit verify --lang en", "audit_verify.en" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[512];
		const struct ran *r = run(rows[i][0]);
		snprintf(path, sizeof(path), TEST_DATA "/cli/%s", rows[i][1]);
		assert_int_equal(r->status, 0);
		assert_string_equal(r->err, "");
		compare_with(path, r->out);
	}
}

static void
reference_is_current(void **state)
{
	struct buf out AUTO_BUF = BUF(TEXT_MAX);
	(void)state;
	cli_reference(&out);
	assert_false(out.failed);
	compare_with(SOURCE_DIR "/doc/cli.md", buf_text(&out));
}

/* Every command, option and field has its text in both languages. */
static void
help_is_whole(void **state)
{
	static const char *const langs[] = { "en", "es" };
	struct buf out AUTO_BUF = BUF(TEXT_MAX);
	char verb[64], line[128];
	size_t n = 0;
	(void)state;
	cli_reference(&out);
	for (const char *at = buf_text(&out);
	    (at = strstr(at, "```\nrefrendo ")) != NULL; at++) {
		const char *word = at + strlen("```\nrefrendo ");
		/* Operands are in capitals. */
		size_t len = strcspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\n");
		const char *dash = strstr(word, " - ");
		assert_non_null(dash);
		if (len > (size_t)(dash - word) + 1)
			len = (size_t)(dash - word) + 1;
		snprintf(verb, sizeof(verb), "%.*s", (int)len, word);
		for (size_t i = 0; i < ARRAY_LEN(langs); i++) {
			snprintf(line, sizeof(line), "help %s--lang %s", verb,
			    langs[i]);
			const struct ran *r = run(line);
			if (r->status != 0 || strstr(r->out, "(null)") != NULL)
				fail_msg("%s: %d\n%s%s", line, r->status,
				    r->out, r->err);
			n++;
		}
	}
	assert_true(n > 150);
}

static void
version_told(void **state)
{
	(void)state;
	const struct ran *r = run("version --json");
	assert_int_equal(r->status, 0);
	assert_non_null(strstr(r->out, "\"version\":\"" REFRENDO_VERSION "\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_have_a_status_and_a_sentence),
		cmocka_unit_test(problems_for_programs),
		cmocka_unit_test(one_status_for_each_category),
		cmocka_unit_test(sentences_in_spanish),
		cmocka_unit_test(code_of_a_file),
		cmocka_unit_test(request_inspected),
		cmocka_unit_test(policies_checked),
		cmocka_unit_test(policies_and_their_use),
		cmocka_unit_test(policies_beside_an_installation),
		cmocka_unit_test(policies_laid_out),
		cmocka_unit_test(codes_explained),
		cmocka_unit_test(exports_that_do_not_verify),
		cmocka_unit_test(lint_told),
		cmocka_unit_test(wrong_inputs),
		cmocka_unit_test(help_texts),
		cmocka_unit_test(reference_is_current),
		cmocka_unit_test(help_is_whole),
		cmocka_unit_test(version_told),
	};
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
