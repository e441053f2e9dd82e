/*
 * Golden files.  tests/data/policy/NAME.yaml goes with NAME.effective.yaml if
 * it loads, with NAME.errors.txt if not; RENEW=1 writes both, and
 * doc/policy.md and etc/schemas, for review as a diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/policy.h>

#define DATA TEST_DATA "/policy/"

static void
read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	uint8_t block[4096];
	size_t n;

	if (f == NULL)
		fail_msg("%s cannot be read", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(out, block, n);
	fclose(f);
	assert_false(out->failed);
}

static void
compare(const char *path, struct buf *got)
{
	struct buf want AUTO_BUF = BUF(1 << 20);

	if (getenv("RENEW") != NULL) {
		FILE *f = fopen(path, "wb");

		assert_non_null(f);
		fwrite(got->p, 1, got->len, f);
		fclose(f);
	}
	read_file(path, &want);
	if (!bytes_eq(buf_bytes(got), buf_bytes(&want)))
		fail_msg("%s differs (RENEW=1 writes it); now:\n%s", path,
		    buf_text(got));
}

static void
load_ceilings(struct ceilings *out)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	struct findings f = { NULL, 0, 0 };

	read_file(SOURCE_DIR "/etc/signer.yaml", &text);
	struct policy_file file = { "signer.yaml", buf_bytes(&text) };
	ceilings_load(&file, out, &f);
	for (size_t i = 0; i < f.len; i++)
		print_message("%s\n", f.v[i].err.say);
	assert_int_equal(f.errors, 0);
	findings_fini(&f);
}

/* What the policies here say beyond etc/signer.yaml. */
static void
allow_all(struct ceilings *c)
{
	static const char *const oids[] = { "1.3.6.1.4.1.55555.1",
		"1.3.6.1.4.1.55555.2" };
	struct err e;

	c->names = UINT16_MAX;
	c->qc_statements = true;
	for (size_t i = 0; i < ARRAY_LEN(oids); i++)
		assert_int_equal(oid_parse(bytes_str(oids[i]),
				     &c->extension[c->n_extension++].oid, &e),
		    ERR_OK);
}

/* The print of what loads, loads to the same print. */
static void
check_reload(const struct policy *p, const struct ceilings *c)
{
	struct buf once AUTO_BUF = BUF(1 << 20), twice AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;

	policy_print(&once, p);
	struct policy_file file = { "print", buf_bytes(&once) };
	policy_load(&file, 1, c, &set, &f);
	if (set == NULL)
		fail_msg("%s: %s", p->name, f.v[0].err.say);
	policy_print(&twice, &set->policy[0]);
	assert_string_equal(buf_text(&once), buf_text(&twice));
	findings_fini(&f);
}

static void
judge(const char *name, const struct ceilings *c)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	struct buf errors AUTO_BUF = BUF(1 << 20);
	struct buf print AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;
	char path[512];

	snprintf(path, sizeof(path), DATA "%s.yaml", name);
	read_file(path, &text);
	snprintf(path, sizeof(path), "%s.yaml", name);
	struct policy_file file = { path, buf_bytes(&text) };
	policy_load(&file, 1, c, &set, &f);
	for (size_t i = 0; i < f.len; i++)
		finding_print(&errors, &f.v[i], file.text);
	assert_true((set == NULL) == (f.errors > 0));
	if (set != NULL) {
		policy_print(&print, &set->policy[0]);
		check_reload(&set->policy[0], c);
	}
	snprintf(path, sizeof(path), DATA "%s.%s", name,
	    set != NULL ? "effective.yaml" : "errors.txt");
	compare(path, set != NULL ? &print : &errors);
	findings_fini(&f);
}

static void
golden_files(void **state)
{
	struct ceilings c;
	DIR *d = opendir(DATA);
	size_t seen = 0;

	(void)state;
	assert_non_null(d);
	load_ceilings(&c);
	allow_all(&c);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		char name[256];
		char *dot;

		snprintf(name, sizeof(name), "%s", e->d_name);
		dot = strchr(name, '.');
		if (dot == NULL || strcmp(dot, ".yaml") != 0)
			continue;
		*dot = '\0';
		judge(name, &c);
		seen++;
	}
	closedir(d);
	assert_true(seen >= 5);
}

/* What is shipped loads, without so much as a warning. */
static void
samples(void **state)
{
	static const char *const names[] = { "funcionario-firma",
		"autoridad-firma", "estado-base", "sistema-desatendido",
		"ministro-de-fe", "cliente-tls", "corta-duracion",
		"perfil-chileno", "subordinada-institucion" };
	struct buf text[ARRAY_LEN(names)];
	struct policy_file file[ARRAY_LEN(names)];
	struct policy_context context = { .now = 1795514400 };
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;
	struct ceilings c;
	char path[512];

	(void)state;
	load_ceilings(&c);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		text[i] = BUF(POLICY_FILE_MAX);
		snprintf(path, sizeof(path), SOURCE_DIR "/etc/policies/%s.yaml",
		    names[i]);
		read_file(path, &text[i]);
		file[i] = (struct policy_file){ names[i], buf_bytes(&text[i]) };
	}
	policy_load(file, ARRAY_LEN(names), &c, &set, &f);
	if (set != NULL)
		policy_warn(set, file, &context, &f);
	for (size_t i = 0; i < f.len; i++)
		print_message("%s: %s\n", f.v[i].err.where.field,
		    f.v[i].err.say);
	assert_int_equal(f.len, 0);
	assert_non_null(set);
	assert_int_equal(set->n, ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct policy *p = policy_find(set, bytes_str(names[i]));
		struct buf print AUTO_BUF = BUF(1 << 20);
		uint8_t hash[SHA256_LEN];

		assert_non_null(p);
		sha256(hash, file[i].text);
		assert_ptr_equal(policy_find_hash(set, hash), p);
		assert_true(bytes_eq(p->text, file[i].text));
		check_reload(p, &c);
		policy_print(&print, p);
		snprintf(path, sizeof(path), DATA "etc-%s.effective.yaml",
		    names[i]);
		compare(path, &print);
		buf_fini(&text[i]);
	}
	assert_null(policy_find(set, bytes_str("funcionario")));
	findings_fini(&f);
}

static void
reference_page(void **state)
{
	struct buf page AUTO_BUF = BUF(1 << 20);

	(void)state;
	policy_reference(&page);
	compare(SOURCE_DIR "/doc/policy.md", &page);
}

static void
schemas(void **state)
{
	static const char *const names[] = {
		[POLICY_KIND_POLICY] = "policy",
		[POLICY_KIND_CEILINGS] = "signer",
		[POLICY_KIND_CONFIG] = "refrendo",
	};

	(void)state;
	for (int k = 0; k < 3; k++) {
		struct buf text AUTO_BUF = BUF(1 << 20);
		char path[512];

		policy_schema(&text, (enum policy_kind)k);
		snprintf(path, sizeof(path),
		    SOURCE_DIR "/etc/schemas/%s.schema.json", names[k]);
		compare(path, &text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_files),
		cmocka_unit_test(samples),
		cmocka_unit_test(reference_page),
		cmocka_unit_test(schemas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
