/*
 * What the tests of pkix share: table rows that name themselves on failure,
 * a directory of one's own, and the openssl command as an oracle.
 */
#ifndef PKIX_HELP_H
#define PKIX_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <refrendo/pkix.h>

extern char **environ;

/* Prints which row failed, before cmocka prints what. */
#define ROW(ok, name)                                             \
	do {                                                      \
		if (!(ok)) {                                      \
			print_error("row \"%s\" failed\n", name); \
			assert_true(ok);                          \
		}                                                 \
	} while (0)

#define OK(call, e)                                                     \
	do {                                                            \
		enum err_code ok_code_ = (call);                        \
		if (ok_code_ != ERR_OK) {                               \
			print_error("%s: %s (%s)\n", (e)->id, (e)->say, \
			    (e)->why);                                  \
			assert_int_equal(ok_code_, ERR_OK);             \
		}                                                       \
	} while (0)

/* A refusal has this category, this id and this sentence (a part of it). */
static inline void
refused(const char *row, enum err_code got, const struct err *e,
    enum err_code want, const char *id, const char *say)
{
	if (got != want || got == ERR_OK || strcmp(e->id, id) != 0 ||
	    strstr(e->say, say) == NULL) {
		print_error("row \"%s\": got %s \"%s\": %s; want %s \"%s\": "
			    "%s\n",
		    row, err_code_name(got), got == ERR_OK ? "" : e->id,
		    got == ERR_OK ? "" : e->say, err_code_name(want), id, say);
		fail();
	}
}

static inline int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

struct dir {
	char path[64];
};

static inline struct dir
dir_new(void)
{
	struct dir d = { "/tmp/refrendo-pkix-XXXXXX" };

	assert_non_null(mkdtemp(d.path));
	return d;
}

static inline void
dir_remove(const struct dir *d)
{
	assert_int_equal(nftw(d->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void
dir_write(const struct dir *d, const char *name, struct bytes b)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	assert_int_equal(fclose(f), 0);
}

static inline void
dir_read(const struct dir *d, const char *name, struct buf *out)
{
	char path[128];
	uint8_t block[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(out, block, n);
	assert_int_equal(fclose(f), 0);
	assert_false(out->failed);
}

#define RUN_ARGS 32

/*
 * Runs a program in d with its output in d/out (both streams); the command is
 * one string, cut at spaces.  Gives the exit status.
 */
static inline int
run_in(const struct dir *d, const char *command)
{
	posix_spawn_file_actions_t files;
	char text[1024], out[128], *argv[RUN_ARGS + 1], *p = text, *word;
	int status, n = 0;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", command);
	snprintf(out, sizeof(out), "%s/out", d->path);
	while ((word = strsep(&p, " ")) != NULL && n < RUN_ARGS) {
		if (*word != '\0')
			argv[n++] = word;
	}
	argv[n] = NULL;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addchdir_np(&files, d->path);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, out,
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) != 0)
		return 127;
	posix_spawn_file_actions_destroy(&files);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The same; on failure the row, the command and its output are printed. */
static inline void
must_run(const struct dir *d, const char *row, const char *command)
{
	struct buf out AUTO_BUF = BUF(1 << 20);
	int status = run_in(d, command);

	if (status == 0)
		return;
	dir_read(d, "out", &out);
	print_error("row \"%s\": %s\nstatus %d\n%s\n", row, command, status,
	    buf_text(&out));
	fail();
}

/* Certificates for tests: a CA and one person, real keys, real signatures. */
static inline void
build_name(struct buf *out, const char *cn)
{
	const struct name_attr attrs[] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, bytes_str("Municipalidad de Ejemplo"), STRING_USUAL },
		{ OID_CN, bytes_str(cn), STRING_USUAL },
	};
	struct err e;

	OK(name_build(attrs, ARRAY_LEN(attrs), out, &e), &e);
}

static inline void
sign_cert(struct key *issuer, const struct cert_spec *spec, struct buf *out)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct err e;

	OK(cert_build_tbs(spec, &tbs, &e), &e);
	OK(key_sign(issuer, buf_bytes(&tbs), &sig, &e), &e);
	OK(signed_assemble(buf_bytes(&tbs), key_type_sigalg(key_type(issuer)),
	       buf_bytes(&sig), out, &e),
	    &e);
}

#define TEST_NOW INT64_C(1795000000) /* 2026-11-18 */

static const uint8_t test_serial[20] = { 0x01, 0x93, 0x10, 0x20, 0x30, 0x40,
	0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x11,
	0x22, 0x33 };

static const uint8_t ca_serial[16] = { 0x7f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
	12, 13, 14, 15 };

struct test_ca {
	struct key *key;
	struct buf name, der;
	uint8_t ski[KEY_ID_LEN];
};

static inline void
test_ca_init(struct test_ca *ca, enum key_type type)
{
	struct cert_spec spec = {
		.serial = bytes_of(ca_serial, sizeof(ca_serial)),
		.issuer_type = type,
		.not_before = TEST_NOW - DAY,
		.not_after = TEST_NOW + 3650 * DAY - 1,
		.is_ca = true,
		.path_len = 0,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
	};
	struct err e;

	*ca = (struct test_ca){ .name = BUF(NAME_DER_MAX),
		.der = BUF(CERT_MAX_BYTES) };
	OK(key_generate(type, &ca->key, &e), &e);
	build_name(&ca->name, "Autoridad de Ejemplo");
	OK(spki_key_id(key_spki(ca->key), ca->ski, &e), &e);
	spec.issuer = spec.subject = buf_bytes(&ca->name);
	spec.spki = key_spki(ca->key);
	spec.issuer_ski = bytes_of(ca->ski, sizeof(ca->ski));
	sign_cert(ca->key, &spec, &ca->der);
}

static inline void
test_ca_fini(struct test_ca *ca)
{
	key_free(ca->key);
	buf_fini(&ca->name);
	buf_fini(&ca->der);
}

/* A holder as DESIGN 7 wants one; the caller owns name and may edit spec. */
static inline void
holder_spec(struct cert_spec *spec, const struct test_ca *ca, struct bytes name,
    struct bytes spki)
{
	static const uint8_t policy[] = { 0x60, 0x86, 0x48, 0x01 };

	*spec = (struct cert_spec){
		.serial = bytes_of(test_serial, 20),
		.issuer = buf_bytes(&ca->name),
		.issuer_ski = bytes_of(ca->ski, sizeof(ca->ski)),
		.issuer_type = key_type(ca->key),
		.subject = name,
		.not_before = TEST_NOW,
		.not_after = TEST_NOW + 730 * DAY - 1,
		.spki = spki,
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		.eku = { OID_EKU_EMAIL, OID_EKU_CLIENT },
		.n_eku = 2,
		.n_san = 2,
		.n_ian = 1,
		.n_policy = 1,
		.crl_url = bytes_str("http://crl.example/1.crl"),
		.ocsp_url = bytes_str("http://ocsp.example/"),
		.issuer_url = bytes_str("http://ca.example/1.cer"),
	};
	spec->san[0].kind = GN_OTHER_IA5;
	spec->san[0].value = bytes_str("12345678-5");
	spec->san[1].kind = GN_EMAIL;
	spec->san[1].value = bytes_str("ana@municipio.example");
	spec->ian[0].kind = GN_OTHER_IA5;
	spec->ian[0].value = bytes_str("60100003-2");
	memcpy(spec->policy[0].oid.p, policy, sizeof(policy));
	spec->policy[0].oid.len = sizeof(policy);
	spec->policy[0].cps = bytes_str("http://ca.example/cps");
	spec->policy[0].notice = bytes_str("Funcionaria p\303\272blica");
	spec->san[0].other.len = (uint8_t)oid_known(OID_RUT_HOLDER).len;
	memcpy(spec->san[0].other.p, oid_known(OID_RUT_HOLDER).p,
	    spec->san[0].other.len);
	spec->ian[0].other.len = (uint8_t)oid_known(OID_RUT_CERTIFIER).len;
	memcpy(spec->ian[0].other.p, oid_known(OID_RUT_CERTIFIER).p,
	    spec->ian[0].other.len);
}

#endif
