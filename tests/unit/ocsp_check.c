/* What must not be served is refused (INCIDENTS 50, 53, 56). */
#include "ocsp_world.h"

/* Every single octet matters: none may change without a refusal. */
static void
each_octet_matters(void **state)
{
	struct world *w = *state;
	struct ocsp_answer_spec spec = usual(w);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	spec.state = OCSP_REVOKED;
	spec.reason = 1;
	spec.revoked_at = w->now - HOUR;
	answer(w, &spec, &der);
	for (size_t i = 0; i < der.len; i++) {
		der.p[i] ^= 0x01;
		if (ocsp_answer_check(buf_bytes(&der), &spec, &w->ca_cert,
			w->now, w->v, &e) == ERR_OK)
			fail_msg("octet %zu may change", i);
		der.p[i] ^= 0x01;
	}
	for (size_t i = 0; i < der.len; i++)
		if (ocsp_answer_check(bytes_of(der.p, i), &spec, &w->ca_cert,
			w->now, w->v, &e) == ERR_OK)
			fail_msg("%zu octets suffice", i);
}

#define DELEGATE                                                      \
	"the OCSP answer is signed with a certificate that is not a " \
	"responder's and nothing else"

static void
plain(struct cert_spec *spec)
{
	(void)spec;
}

static void
without_nocheck(struct cert_spec *spec)
{
	spec->nocheck = false;
}

static void
without_eku(struct cert_spec *spec)
{
	spec->eku[0] = OID_EKU_CLIENT;
}

static void
two_ekus(struct cert_spec *spec)
{
	spec->eku[spec->n_eku++] = OID_EKU_CLIENT;
}

static void
is_a_ca(struct cert_spec *spec)
{
	spec->is_ca = true;
	spec->key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN;
}

static void
other_usage(struct cert_spec *spec)
{
	spec->key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
}

static void
with_crldp(struct cert_spec *spec)
{
	spec->crl_url = bytes_str("http://crl.example/1.crl");
}

static void
with_aia(struct cert_spec *spec)
{
	spec->ocsp_url = bytes_str("http://ocsp.example/");
}

static void
too_long(struct cert_spec *spec)
{
	spec->not_after = spec->not_before + 30 * DAY;
}

static void
exactly_30_days(struct cert_spec *spec)
{
	spec->not_after = spec->not_before + 30 * DAY - 1;
}

static void
expired(struct cert_spec *spec)
{
	spec->not_after = spec->not_before + HOUR;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*change)(struct cert_spec *spec);
	enum err_code code; /* ERR_OK: accepted */
	const char *id, *say;
} delegates[] = {
	{ "the profile", plain, ERR_OK, NULL, NULL },
	{ "exactly 30 days", exactly_30_days, ERR_OK, NULL, NULL },
	{ "without nocheck", without_nocheck, ERR_DENIED,
	    "ocsp-answer-delegate", DELEGATE },
	{ "without OCSPSigning", without_eku, ERR_DENIED,
	    "ocsp-answer-delegate", DELEGATE },
	{ "another usage beside", two_ekus, ERR_DENIED, "ocsp-answer-delegate",
	    DELEGATE },
	{ "a CA with OCSPSigning", is_a_ca, ERR_DENIED, "ocsp-answer-delegate",
	    DELEGATE },
	{ "non-repudiation too", other_usage, ERR_DENIED,
	    "ocsp-answer-delegate", DELEGATE },
	{ "with CRLDP", with_crldp, ERR_DENIED, "ocsp-answer-delegate",
	    DELEGATE },
	{ "with AIA", with_aia, ERR_DENIED, "ocsp-answer-delegate", DELEGATE },
	{ "30 days and a second", too_long, ERR_DENIED,
	    "ocsp-answer-long-delegate",
	    "the responder's certificate is valid for longer than 30 days" },
	{ "expired", expired, ERR_INVALID, "cert-expired", "" },
};
/* clang-format on */

static void
incident_50_delegates(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(delegates); i++) {
		struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
		struct buf cert AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
		struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
		struct ocsp_answer_spec want = usual(w);
		struct cert_spec spec;
		struct err e;
		build_name(&name, "Respondedor de Ejemplo");
		responder_spec(w, &w->ca, buf_bytes(&name), &spec);
		delegates[i].change(&spec);
		sign_cert(w->ca.key, &spec, &cert);
		OK(ocsp_tbs_build(&want, &tbs, &e), &e);
		sign_tbs(w, buf_bytes(&tbs), buf_bytes(&cert), &der);
		enum err_code code = ocsp_answer_check(buf_bytes(&der), &want,
		    &w->ca_cert, w->now, w->v, &e);
		if (delegates[i].code == ERR_OK)
			ROW(code == ERR_OK, delegates[i].name);
		else
			refused(delegates[i].name, code, &e, delegates[i].code,
			    delegates[i].id, delegates[i].say);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	int64_t produced, this_update, next_update; /* from now */
	const char *id, *say;
} times[] = {
	{ "four days", 0, 0, 4 * DAY, NULL, NULL },
	{ "with margin", 0, -5 * MINUTE, 4 * DAY, NULL, NULL },
	{ "ten days", 0, 0, 10 * DAY, NULL, NULL },
	{ "last second", -DAY, -DAY, 1, NULL, NULL },
	{ "ten days and a second", 0, 0, 10 * DAY + 1, "ocsp-answer-long",
	    "the OCSP answer is valid for longer than 10 days" },
	{ "a year", 0, 0, 365 * DAY, "ocsp-answer-long",
	    "the OCSP answer is valid for longer than 10 days" },
	{ "thisUpdate in the future", 0, 1, 4 * DAY, "ocsp-answer-future",
	    "the OCSP answer is dated in the future" },
	{ "producedAt in the future", 1, 0, 4 * DAY, "ocsp-answer-future",
	    "the OCSP answer is dated in the future" },
	{ "expired", -DAY, -DAY, 0, "ocsp-answer-expired",
	    "the OCSP answer has passed its nextUpdate" },
};
/* clang-format on */

static void
incident_53_56_times(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct ocsp_answer_spec spec = usual(w);
		struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
		struct err e;
		spec.produced_at = w->now + times[i].produced;
		spec.this_update = w->now + times[i].this_update;
		spec.next_update = w->now + times[i].next_update;
		answer(w, &spec, &der);
		enum err_code code = ocsp_answer_check(buf_bytes(&der), &spec,
		    &w->ca_cert, w->now, w->v, &e);
		if (times[i].id == NULL)
			ROW(code == ERR_OK, times[i].name);
		else
			refused(times[i].name, code, &e, ERR_DENIED,
			    times[i].id, times[i].say);
	}
}

/* A responder for one issuer never answers for another (row 56). */
static void
incident_56_responder_of_another_issuer(void **state)
{
	struct world *w = *state;
	struct ocsp_answer_spec spec = usual(w);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	spec.issuer = &w->other_id;
	answer(w, &spec, &der);
	refused("other issuer",
	    ocsp_answer_check(buf_bytes(&der), &spec, &w->other_cert, w->now,
		w->v, &e),
	    &e, ERR_INVALID, "cert-aki", "another key of this issuer");
}

static void
other_content(void **state)
{
	struct world *w = *state;
	struct ocsp_answer_spec spec = usual(w), want = usual(w);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	answer(w, &spec, &der);
	want.state = OCSP_REVOKED;
	refused("good for revoked",
	    ocsp_answer_check(buf_bytes(&der), &want, &w->ca_cert, w->now, w->v,
		&e),
	    &e, ERR_DENIED, "ocsp-answer-other-state",
	    "the OCSP answer gives another state than the one on record");
	want = usual(w);
	want.serial = bytes_of(ca_serial, sizeof(ca_serial));
	refused("another serial",
	    ocsp_answer_check(buf_bytes(&der), &want, &w->ca_cert, w->now, w->v,
		&e),
	    &e, ERR_DENIED, "ocsp-answer-other-certificate",
	    "the OCSP answer speaks of another certificate than the one asked "
	    "for");
	want = usual(w);
	want.issuer = &w->other_id;
	refused("another issuer",
	    ocsp_answer_check(buf_bytes(&der), &want, &w->ca_cert, w->now, w->v,
		&e),
	    &e, ERR_DENIED, "ocsp-answer-other-certificate",
	    "the OCSP answer speaks of another certificate than the one asked "
	    "for");
	want = usual(w);
	want.responder_key_hash = bytes_of(w->id.key_sha1, 20);
	refused("another responder",
	    ocsp_answer_check(buf_bytes(&der), &want, &w->ca_cert, w->now, w->v,
		&e),
	    &e, ERR_DENIED, "ocsp-answer-other-responder",
	    "the OCSP answer names another responder than the one whose "
	    "certificate it carries");
}

static void
no_responder(void **state)
{
	struct world *w = *state;
	struct ocsp_answer_spec spec = usual(w);
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	OK(ocsp_tbs_build(&spec, &tbs, &e), &e);
	sign_tbs(w, buf_bytes(&tbs), BYTES_NONE, &der);
	refused("no certificate",
	    ocsp_answer_check(buf_bytes(&der), &spec, &w->ca_cert, w->now, w->v,
		&e),
	    &e, ERR_DENIED, "ocsp-answer-no-responder",
	    "the OCSP answer does not carry its responder's certificate");
}

/* One SingleResponse instead of two, or two that differ. */
static void
pair_that_differs(void **state)
{
	struct world *w = *state;
	struct ocsp_answer_spec spec = usual(w);
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer a;
	struct err e;
	OK(ocsp_tbs_build(&spec, &tbs, &e), &e);
	OK(ocsp_tbs_parse(buf_bytes(&tbs), &a, &e), &e);
	/* The last digit of the second serial. */
	size_t at = (size_t)(a.single[1].id.serial.p - tbs.p) +
		    a.single[1].id.serial.len - 1;
	tbs.p[at] ^= 1;
	sign_tbs(w, buf_bytes(&tbs), buf_bytes(&w->responder_der), &der);
	refused("serials differ",
	    ocsp_answer_check(buf_bytes(&der), &spec, &w->ca_cert, w->now, w->v,
		&e),
	    &e, ERR_DENIED, "ocsp-answer-pair",
	    "the OCSP answer does not say the same twice, once by SHA-1 and "
	    "once by SHA-256");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_octet_matters),
		cmocka_unit_test(incident_50_delegates),
		cmocka_unit_test(incident_53_56_times),
		cmocka_unit_test(incident_56_responder_of_another_issuer),
		cmocka_unit_test(other_content),
		cmocka_unit_test(no_responder),
		cmocka_unit_test(pair_that_differs),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
