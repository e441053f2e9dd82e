/* What must not be published is refused (INCIDENTS 59). */
#include "crl_world.h"

static void
incident_59_publication(void **state)
{
	struct world *w = *state;
	struct crl_spec spec = usual(w, &w->ca);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl c;
	struct err e;
	build(&w->ca, &spec, entries, 2, &der);
	OK(crl_parse(buf_bytes(&der), &c, &e), &e);
	OK(crl_check_publish(&c, &w->ca_cert, 0, w->now, w->v, &e), &e);
	OK(crl_check_publish(&c, &w->ca_cert, 6, w->now, w->v, &e), &e);
	refused("same number",
	    crl_check_publish(&c, &w->ca_cert, 7, w->now, w->v, &e), &e,
	    ERR_DENIED, "crl-number",
	    "the CRL's number is not greater than that of the one already "
	    "published");
	refused("older number",
	    crl_check_publish(&c, &w->ca_cert, 8, w->now, w->v, &e), &e,
	    ERR_DENIED, "crl-number", "not greater");
	refused("future",
	    crl_check_publish(&c, &w->ca_cert, 0, spec.this_update - 1, w->v,
		&e),
	    &e, ERR_DENIED, "crl-future", "the CRL is dated in the future");
	refused("expired",
	    crl_check_publish(&c, &w->ca_cert, 0, spec.next_update, w->v, &e),
	    &e, ERR_DENIED, "crl-expired", "the CRL has passed its nextUpdate");
	refused("another CA of the same name",
	    crl_check_publish(&c, &w->other_cert, 0, w->now, w->v, &e), &e,
	    ERR_DENIED, "crl-other-key",
	    "the CRL names another key of its issuer than the CA's");
	struct cert renamed = w->ca_cert;
	renamed.subject = bytes_str("0\015another");
	refused("another name",
	    crl_check_publish(&c, &renamed, 0, w->now, w->v, &e), &e,
	    ERR_DENIED, "crl-other-issuer",
	    "the CRL's issuer is not byte for byte the name of the CA whose "
	    "place it would take");
	struct cert no_crl_sign = w->ca_cert;
	no_crl_sign.key_usage = KU_KEY_CERT_SIGN;
	refused("no cRLSign",
	    crl_check_publish(&c, &no_crl_sign, 0, w->now, w->v, &e), &e,
	    ERR_DENIED, "crl-sign-usage",
	    "the certificate of this CA does not allow it to sign CRLs");
}

/* The right names, signed by somebody else. */
static void
incident_59_signed_by_another(void **state)
{
	struct world *w = *state;
	struct crl_spec spec = usual(w, &w->ca);
	struct list l = { .v = entries, .n = 1 };
	struct crl_source source = source_of(&l);
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl c;
	struct err e;
	OK(crl_build_tbs(&spec, &source, &tbs, &e), &e);
	sign_tbs(&w->other_ca, buf_bytes(&tbs), &der);
	OK(crl_parse(buf_bytes(&der), &c, &e), &e);
	refused("another key",
	    crl_check_publish(&c, &w->ca_cert, 0, w->now, w->v, &e), &e,
	    ERR_INVALID, "signature-wrong", "");
}

/* No octet may change, and none may be missing (row 59, "truncated"). */
static void
incident_59_each_octet_matters(void **state)
{
	struct world *w = *state;
	struct crl_spec spec = usual(w, &w->ca);
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl c;
	struct err e;
	build(&w->ca, &spec, entries, ARRAY_LEN(entries), &der);
	for (size_t i = 0; i < der.len; i++) {
		der.p[i] ^= 0x01;
		if (crl_parse(buf_bytes(&der), &c, &e) == ERR_OK &&
		    crl_check_publish(&c, &w->ca_cert, 0, w->now, w->v, &e) ==
			ERR_OK)
			fail_msg("octet %zu may change", i);
		der.p[i] ^= 0x01;
		assert_int_not_equal(crl_parse(bytes_of(der.p, i), &c, &e),
		    ERR_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_59_publication),
		cmocka_unit_test(incident_59_signed_by_another),
		cmocka_unit_test(incident_59_each_octet_matters),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
