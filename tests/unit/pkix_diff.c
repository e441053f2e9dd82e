/*
 * Two certificates side by side: which parts differ, and how that is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/pkix.h>

#define NOW INT64_C(1795514400) /* 2026-11-24T10:00:00Z */

struct world {
	struct key *key;
	struct buf subject, other_subject, reordered;
	struct cert_spec spec;
	struct buf der[2];
	struct cert cert[2];
};

static void
name_of(struct buf *out, const char *cn, const char *office, bool reorder)
{
	struct name_attr a[] = {
		{ .type = OID_C, .value = bytes_str("CL") },
		{ .type = OID_TITLE, .value = bytes_str(office) },
		{ .type = OID_CN, .value = bytes_str(cn) },
	};
	struct err e;

	if (reorder) {
		struct name_attr first = a[1];
		a[1] = a[2];
		a[2] = first;
	}
	*out = BUF(NAME_DER_MAX);
	assert_int_equal(name_build(a, ARRAY_LEN(a), out, &e), ERR_OK);
}

static int
setup(void **state)
{
	static struct world w;
	static const uint8_t serial[20] = { 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		11, 12, 13, 14, 15, 16, 17, 18, 19 };
	struct err e;

	if (w.key == NULL)
		assert_int_equal(key_generate(KEY_EC_P256, &w.key, &e), ERR_OK);
	name_of(&w.subject, "Ana Núñez", "Jefa", false);
	name_of(&w.other_subject, "Ana Soto", "Jefa", false);
	name_of(&w.reordered, "Ana Núñez", "Jefa", true);
	w.spec = (struct cert_spec){
		.serial = bytes_of(serial, sizeof(serial)),
		.issuer = buf_bytes(&w.subject),
		.issuer_type = KEY_EC_P256,
		.subject = buf_bytes(&w.subject),
		.not_before = NOW,
		.not_after = NOW + 365 * DAY - 1,
		.spki = key_spki(w.key),
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = { OID_EKU_CLIENT },
		.n_eku = 1,
		.san = { { .kind = GN_EMAIL, .value = bytes_str("a@x.cl") } },
		.n_san = 1,
		.crl_url = bytes_str("http://x.cl/crl/a.crl"),
	};
	*state = &w;
	return 0;
}

static void
build(struct world *w, int i, const struct cert_spec *spec)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct err e;

	w->der[i] = BUF(CERT_MAX_BYTES);
	assert_int_equal(cert_build_tbs(spec, &tbs, &e), ERR_OK);
	assert_int_equal(signed_assemble(buf_bytes(&tbs),
			     key_type_sigalg(spec->issuer_type),
			     bytes_str("not judged"), &w->der[i], &e),
	    ERR_OK);
	assert_int_equal(cert_parse(buf_bytes(&w->der[i]), &w->cert[i], &e),
	    ERR_OK);
}

static int
teardown(void **state)
{
	struct world *w = *state;

	buf_fini(&w->subject);
	buf_fini(&w->other_subject);
	buf_fini(&w->reordered);
	buf_fini(&w->der[0]);
	buf_fini(&w->der[1]);
	return 0;
}

static void
expect(struct world *w, const struct cert_spec *other, const char *field,
    const char *before, const char *after)
{
	struct cert_change c[CERT_CHANGES_MAX];

	build(w, 0, &w->spec);
	build(w, 1, other);
	assert_int_equal(cert_diff(&w->cert[0], &w->cert[1], c), 1);
	assert_string_equal(c[0].field, field);
	assert_string_equal(c[0].before, before);
	assert_string_equal(c[0].after, after);
	/* The other way round it is said the other way round. */
	assert_int_equal(cert_diff(&w->cert[1], &w->cert[0], c), 1);
	assert_string_equal(c[0].before, after);
	assert_string_equal(c[0].after, before);
	buf_fini(&w->der[0]);
	buf_fini(&w->der[1]);
}

static void
equal_certificates(void **state)
{
	struct world *w = *state;
	struct cert_change c[CERT_CHANGES_MAX];

	build(w, 0, &w->spec);
	build(w, 1, &w->spec);
	assert_int_equal(cert_diff(&w->cert[0], &w->cert[1], c), 0);
}

static void
validity(void **state)
{
	struct world *w = *state;
	struct cert_spec other = w->spec;

	other.not_after -= 365 * DAY - HOUR;
	expect(w, &other, "notAfter", "2027-11-24T09:59:59Z",
	    "2026-11-24T10:59:59Z");
	other = w->spec;
	other.not_before -= HOUR;
	expect(w, &other, "notBefore", "2026-11-24T10:00:00Z",
	    "2026-11-24T09:00:00Z");
}

static void
subject(void **state)
{
	struct world *w = *state;
	struct cert_spec other = w->spec;

	other.subject = buf_bytes(&w->other_subject);
	expect(w, &other, "subject.CN", "Ana Núñez", "Ana Soto");
	other.subject = buf_bytes(&w->reordered);
	expect(w, &other, "subject", "C=CL, title=Jefa, CN=Ana Núñez",
	    "C=CL, CN=Ana Núñez, title=Jefa");
}

static void
extensions(void **state)
{
	struct world *w = *state;
	struct cert_spec other = w->spec;

	other.key_usage |= KU_NON_REPUDIATION;
	expect(w, &other, "keyUsage", "critical digitalSignature",
	    "critical digitalSignature nonRepudiation");
	other = w->spec;
	other.eku[other.n_eku++] = OID_EKU_EMAIL;
	expect(w, &other, "extKeyUsage", "clientAuth",
	    "clientAuth emailProtection");
	other = w->spec;
	other.n_san = 0;
	expect(w, &other, "subjectAltName", "a@x.cl", "");
	other = w->spec;
	other.n_policy = 1;
	assert_int_equal(oid_parse(bytes_str("2.16.152.1.3.1"),
			     &other.policy[0].oid, &(struct err){ 0 }),
	    ERR_OK);
	other.policy[0].notice = bytes_str("Sólo actos del cargo");
	expect(w, &other, "certificatePolicies", "",
	    "2.16.152.1.3.1 notice Sólo actos del cargo");
	other = w->spec;
	other.crl_url = bytes_str("http://x.cl/crl/b.crl");
	expect(w, &other, "cRLDistributionPoints", "http://x.cl/crl/a.crl",
	    "http://x.cl/crl/b.crl");
}

/* All at once, and each part has its own line. */
static void
many(void **state)
{
	struct world *w = *state;
	struct cert_spec other = w->spec;
	struct cert_change c[CERT_CHANGES_MAX];
	static const char *const fields[] = { "notAfter", "subject.CN",
		"extKeyUsage", "issuerAltName" };

	other.not_after++;
	other.subject = buf_bytes(&w->other_subject);
	other.n_eku = 0;
	other.ian[0] = (struct general_name){ .kind = GN_URI,
		.value = bytes_str("http://x.cl") };
	other.n_ian = 1;
	build(w, 0, &w->spec);
	build(w, 1, &other);
	assert_int_equal(cert_diff(&w->cert[0], &w->cert[1], c),
	    ARRAY_LEN(fields));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		assert_string_equal(c[i].field, fields[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_certificates, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(validity, setup, teardown),
		cmocka_unit_test_setup_teardown(subject, setup, teardown),
		cmocka_unit_test_setup_teardown(extensions, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
