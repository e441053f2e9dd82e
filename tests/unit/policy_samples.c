/*
 * The policies of etc/policies/ as certificates: each is evaluated for whom it
 * is meant, built, read again and linted; others are refused.
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

#define NOW INT64_C(1795514400) /* 2026-11-24T10:00:00Z */
#define MAX 16

struct world {
	struct buf text[MAX + 1];
	char name[MAX][256];
	struct policy_file file[MAX];
	size_t n;
	struct ceilings ceilings;
	struct policy_set *set;
	struct key *key[KEY_TYPES]; /* made when first needed */
};

static void
slurp(const char *path, struct buf *out)
{
	uint8_t block[4096];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		fail_msg("%s cannot be read", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(out, block, n);
	fclose(f);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct findings f = { NULL, 0, 0 };
	DIR *d = opendir(SOURCE_DIR "/etc/policies");
	char path[600];

	assert_non_null(w);
	assert_non_null(d);
	w->text[MAX] = BUF(POLICY_FILE_MAX);
	slurp(SOURCE_DIR "/etc/signer.yaml", &w->text[MAX]);
	struct policy_file signer = { "signer.yaml", buf_bytes(&w->text[MAX]) };
	ceilings_load(&signer, &w->ceilings, &f);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		if (strstr(e->d_name, ".yaml") == NULL)
			continue;
		assert_true(w->n < MAX);
		snprintf(w->name[w->n], sizeof(w->name[0]), "%s", e->d_name);
		snprintf(path, sizeof(path), SOURCE_DIR "/etc/policies/%s",
		    e->d_name);
		w->text[w->n] = BUF(POLICY_FILE_MAX);
		slurp(path, &w->text[w->n]);
		w->file[w->n] = (struct policy_file){ w->name[w->n],
			buf_bytes(&w->text[w->n]) };
		w->n++;
	}
	closedir(d);
	policy_load(w->file, w->n, &w->ceilings, &w->set, &f);
	assert_non_null(w->set);
	findings_fini(&f);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	policy_set_free(w->set);
	for (size_t i = 0; i <= MAX; i++)
		buf_fini(&w->text[i]);
	for (size_t i = 0; i < KEY_TYPES; i++)
		key_free(w->key[i]);
	free(w);
	return 0;
}

/* What was issued by whatever policy can be read again. */
static void
widest_ceilings_allow_all(void **state)
{
	struct world *w = *state;
	static const char private_text[] =
	    "policy: privada\nversion: 1\nextends: estado-base@1\n"
	    "usage: {key: [digitalSignature], extended: [clientAuth]}\n"
	    "extensions: [{oid: 1.3.6.1.4.1.55555.1, critical: true, der: "
	    "{hex: "
	    "\"0C0141\"}}]\n";
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;
	struct ceilings widest;

	assert_true(w->n < MAX);
	w->file[w->n++] =
	    (struct policy_file){ "privada.yaml", bytes_str(private_text) };
	ceilings_widest(&widest);
	policy_load(w->file, w->n, &widest, &set, &f);
	if (set == NULL)
		fail_msg("%s", f.v[0].err.say);
	findings_fini(&f);
}

static struct key *
key_of(struct world *w, enum key_type type)
{
	struct err e;

	if (w->key[type] == NULL)
		assert_int_equal(key_generate(type, &w->key[type], &e), ERR_OK);
	return w->key[type];
}

static struct policy_facts
facts_of(enum person_kind kind, enum key_type key)
{
	static const struct attribute attributes[] = {
		{ { (const uint8_t *)"sistema", 7 },
		    { (const uint8_t *)"Oficina de partes", 17 } },
		{ { (const uint8_t *)"turno", 5 },
		    { (const uint8_t *)"noche", 5 } },
		{ { (const uint8_t *)"perfil", 6 },
		    { (const uint8_t *)"firmagob", 8 } },
	};
	struct policy_facts f = { .person_kind = kind,
		.institution_kind = INSTITUTION_SERVICE,
		.key = key,
		.n_attribute = ARRAY_LEN(attributes),
		.now = NOW,
		.issuer_not_after = NOW + 7300 * DAY };

	memcpy(f.attribute, attributes, sizeof(attributes));
	f.fact[FACT_PERSON_RUN] = bytes_str("12345678-5");
	f.fact[FACT_PERSON_NAME] = bytes_str("Mar\xc3\xad"
					     "a Soto");
	f.fact[FACT_PERSON_OFFICE] = bytes_str("Jefa de Gabinete");
	f.fact[FACT_PERSON_EMAIL] = bytes_str("maria.soto@example.cl");
	f.fact[FACT_INSTITUTION_NAME] = bytes_str("Servicio de Prueba Sur");
	f.fact[FACT_INSTITUTION_RUT] = bytes_str("60100003-2");
	return f;
}

/* clang-format off */
static const struct {
	const char *policy;
	enum person_kind kind, other; /* who gets one, and who does not */
	enum key_type key;
	int64_t life;
	const char *subject;
	const char *refused; /* why the other does not; NULL: nobody asks */
} rows[] = {
	{ "funcionario-firma", PERSON_OFFICIAL, PERSON_AUTHORITY, KEY_EC_P256, 730 * DAY,
	  "C=CL, O=Servicio de Prueba Sur, title=Jefa de Gabinete, serialNumber=12345678-5, CN=Mar\xc3\xad" "a Soto, emailAddress=maria.soto@example.cl", "policy-holder-when" },
	{ "funcionario-firma", PERSON_UNSTATED, PERSON_AUTHORITY, KEY_EC_P256, 730 * DAY, NULL, NULL },
	{ "autoridad-firma", PERSON_AUTHORITY, PERSON_OFFICIAL, KEY_EC_P384, 365 * DAY, NULL, "policy-holder-kind" },
	{ "sistema-desatendido", PERSON_SYSTEM, PERSON_OFFICIAL, KEY_EC_P256, 365 * DAY,
	  "C=CL, O=Servicio de Prueba Sur, OU=Oficina de partes, title=Jefa de Gabinete, serialNumber=12345678-5, CN=Mar\xc3\xad" "a Soto, emailAddress=maria.soto@example.cl", "policy-holder-kind" },
	{ "ministro-de-fe", PERSON_MINISTER, PERSON_SYSTEM, KEY_EC_P384, 365 * DAY, NULL, "policy-holder-kind" },
	{ "cliente-tls", PERSON_OFFICIAL, PERSON_SYSTEM, KEY_EC_P256, 180 * DAY, NULL, "policy-holder-kind" },
	{ "corta-duracion", PERSON_AUTHORITY, PERSON_MINISTER, KEY_EC_P256, DAY, NULL, "policy-holder-kind" },
	{ "perfil-chileno", PERSON_OFFICIAL, PERSON_OFFICIAL, KEY_RSA_3072, 1095 * DAY,
	  "emailAddress=maria.soto@example.cl, CN=Mar\xc3\xad" "a Soto, serialNumber=12345678-5, title=Jefa de Gabinete, O=Servicio de Prueba Sur, C=CL", NULL },
	{ "subordinada-institucion", PERSON_SUBORDINATE_CA, PERSON_OFFICIAL, KEY_EC_P384, 1825 * DAY,
	  "C=CL, O=Servicio de Prueba Sur, serialNumber=60100003-2, CN=CA Servicio de Prueba Sur", "policy-holder-kind" },
};
/* clang-format on */

/* The certificate that a policy makes, as a reader sees it. */
static void
make(struct world *w, const struct policy *p, const struct policy_facts *facts,
    struct arena *arena, struct cert *out)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct key *issuer = key_of(w, KEY_EC_P256);
	const struct name_attr attr[] = { { .type = OID_C,
					      .value = bytes_str("CL") },
		{ .type = OID_CN, .value = bytes_str("CA de Prueba") } };
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct cert_spec spec = { .issuer_type = KEY_EC_P256 };
	struct verdicts v;
	struct err e;

	policy_evaluate(p, facts, arena, &spec, &v);
	for (size_t i = 0; i < v.len; i++) {
		if (!v.v[i].passed)
			print_error("%s: %s: %s\n", p->name, v.v[i].rule,
			    v.v[i].err.say);
		assert_true(v.v[i].at.line == 0 || v.v[i].at.of == p ||
			    v.v[i].at.of == p->extends);
	}
	assert_int_equal(v.failed, 0);
	assert_int_equal(name_build(attr, 2, &name, &e), ERR_OK);
	spec.serial = bytes_str("\x11"
				"2345678901234567890");
	spec.serial.len = 20;
	spec.issuer = buf_bytes(&name);
	spec.issuer_ski = bytes_str("01234567890123456789");
	spec.spki = key_spki(key_of(w, facts->key));
	spec.crl_url = bytes_str("http://estado.example.cl/crl/emisora.crl");
	spec.ocsp_url = bytes_str("http://estado.example.cl/ocsp");
	spec.issuer_url = bytes_str("http://estado.example.cl/ca/emisora.cer");
	if (cert_build_tbs(&spec, &tbs, &e) != ERR_OK)
		fail_msg("%s: %s", p->name, e.say);
	assert_int_equal(key_sign(issuer, buf_bytes(&tbs), &sig, &e), ERR_OK);
	assert_int_equal(signed_assemble(buf_bytes(&tbs),
			     key_type_sigalg(KEY_EC_P256), buf_bytes(&sig),
			     &der, &e),
	    ERR_OK);
	if (cert_parse(arena_copy(arena, buf_bytes(&der)), out, &e) != ERR_OK)
		fail_msg("%s: %s", p->name, e.say);
}

static void
each_makes_a_certificate(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy *p =
		    policy_find(w->set, bytes_str(rows[i].policy));
		AUTO(arena) arena = arena_new();
		struct policy_facts facts = facts_of(rows[i].kind, rows[i].key);
		struct cert_spec spec = { .not_after = 0 };
		struct verdicts v;
		struct lint lint;
		struct cert cert;
		char shown[300];

		assert_non_null(p);
		make(w, p, &facts, arena, &cert);
		cert_lint(&cert, p->subordinate ? LINT_CA : LINT_HOLDER,
		    LINT_ALL, &lint);
		for (size_t k = 0; k < lint.n; k++)
			print_message("%s: %s%s\n", p->name,
			    lint.v[k]->is_warning ? "warning: " : "",
			    lint.v[k]->say);
		assert_int_equal(lint.errors, 0);
		assert_int_equal(cert.not_after - cert.not_before + 1,
		    rows[i].life);
		name_print(shown, sizeof(shown), cert.subject);
		if (rows[i].subject != NULL)
			assert_string_equal(shown, rows[i].subject);
		facts.person_kind = rows[i].other;
		if (rows[i].refused == NULL)
			continue;
		policy_evaluate(p, &facts, arena, &spec, &v);
		assert_true(v.failed > 0);
		for (size_t k = 0; k < v.len; k++) {
			if (v.v[k].passed)
				continue;
			assert_string_equal(v.v[k].err.id, rows[i].refused);
			break;
		}
	}
}

/* Every file is in a row above, but for the base. */
static void
each_is_tested(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->set->n; i++) {
		const struct policy *p = &w->set->policy[i];
		bool found = p->base;

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			found |= strcmp(rows[k].policy, p->name) == 0;
		if (!found)
			fail_msg("%s is in no row", p->name);
	}
}

/* DOMAIN 5.2 and 5.3: what FirmaGob's certificates hold, octet by octet. */
static void
chilean_profile_byte_for_byte(void **state)
{
	static const char san[] = "a01806082b06010401c10101a00c160a"
				  "31323334353637382d35";
	static const char ian[] = "301aa01806082b06010401c10102a00c160a"
				  "36303130303030332d32";
	struct world *w = *state;
	const struct policy *p =
	    policy_find(w->set, bytes_str("perfil-chileno"));
	AUTO(arena) arena = arena_new();
	struct policy_facts facts = facts_of(PERSON_OFFICIAL, KEY_RSA_3072);
	const struct cert_ext *x;
	struct cert cert;
	char hex[2048];

	make(w, p, &facts, arena, &cert);
	x = cert_find_ext(&cert, OID_EXT_SAN);
	assert_non_null(x);
	hex_print(hex, x->value);
	assert_non_null(strstr(hex, san));
	x = cert_find_ext(&cert, OID_EXT_IAN);
	assert_non_null(x);
	hex_print(hex, x->value);
	assert_string_equal(hex, ian);
	/* e-mail IA5String, CN, title and O UTF8String, the rest Printable. */
	hex_print(hex, cert.subject);
	assert_non_null(strstr(hex, "06092a864886f70d0109011615"));
	assert_non_null(strstr(hex, "06035504030c0b4d6172c3ad6120536f746f"));
	assert_non_null(strstr(hex, "0603550405130a31323334353637382d35"));
	assert_non_null(strstr(hex, "060355040c0c10"));
	assert_non_null(strstr(hex, "060355040a0c16"));
	assert_non_null(strstr(hex, "06035504061302434c"));
	x = cert_find_ext(&cert, OID_EXT_POLICIES);
	assert_non_null(x);
	hex_print(hex, x->value);
	assert_non_null(strstr(hex, "0606608118876903")); /* ...1001.3 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(widest_ceilings_allow_all,
		    setup, teardown),
		cmocka_unit_test(each_makes_a_certificate),
		cmocka_unit_test(each_is_tested),
		cmocka_unit_test(chilean_profile_byte_for_byte),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
