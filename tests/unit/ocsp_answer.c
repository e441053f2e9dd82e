/*
 * Answers: what we build is what openssl accepts, what we read is what we
 * built, and what must not be served is refused (INCIDENTS 50, 53, 56).
 */
#include <refrendo/ocsp.h>

#include "status_help.h"

/* openssl judges by the real clock, so that these tests live in the present. */
struct world {
	struct dir dir;
	struct test_ca ca, other_ca;
	struct cert ca_cert, other_cert;
	struct issuer_id id, other_id;
	struct key *responder;
	struct buf responder_der, holder_der;
	uint8_t key_hash[20];
	struct verifier *v;
	int64_t now;
};

static const uint8_t responder_serial[16] = { 0x33, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	10, 11, 12, 13, 14, 15 };

static void
responder_spec(const struct world *w, const struct test_ca *ca,
    struct bytes name, struct cert_spec *spec)
{
	*spec = (struct cert_spec){
		.serial = bytes_of(responder_serial, 16),
		.issuer = buf_bytes(&ca->name),
		.issuer_ski = bytes_of(ca->ski, sizeof(ca->ski)),
		.issuer_type = key_type(ca->key),
		.subject = name,
		.not_before = w->now - DAY,
		.not_after = w->now + 20 * DAY - 1,
		.spki = key_spki(w->responder),
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = { OID_EKU_OCSP },
		.n_eku = 1,
		.nocheck = true,
	};
}

static void
make_certificates(struct world *w)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct cert_spec spec;
	struct cert c;
	struct issuer_id id;
	struct err e;
	build_name(&name, "Respondedor de Ejemplo");
	responder_spec(w, &w->ca, buf_bytes(&name), &spec);
	sign_cert(w->ca.key, &spec, &w->responder_der);
	OK(cert_parse(buf_bytes(&w->responder_der), &c, &e), &e);
	OK(issuer_id_of(&c, &id, &e), &e);
	memcpy(w->key_hash, id.key_sha1, 20);
	present_holder(&w->ca, key_spki(w->responder), w->now, &w->holder_der);
}

static int
world_new(void **state)
{
	static struct world w;
	struct buf pem AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct err e;
	w = (struct world){ .dir = dir_new(),
		.responder_der = BUF(CERT_MAX_BYTES),
		.holder_der = BUF(CERT_MAX_BYTES),
		.now = clock_now() };
	present_ca(&w.ca, KEY_EC_P256, w.now);
	present_ca(&w.other_ca, KEY_EC_P256, w.now);
	OK(cert_parse(buf_bytes(&w.ca.der), &w.ca_cert, &e), &e);
	OK(cert_parse(buf_bytes(&w.other_ca.der), &w.other_cert, &e), &e);
	OK(issuer_id_of(&w.ca_cert, &w.id, &e), &e);
	OK(issuer_id_of(&w.other_cert, &w.other_id, &e), &e);
	OK(key_generate(KEY_EC_P256, &w.responder, &e), &e);
	OK(verifier_new(&w.v, &e), &e);
	make_certificates(&w);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&w.ca.der));
	dir_write(&w.dir, "ca.pem", buf_bytes(&pem));
	buf_reset(&pem);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&w.holder_der));
	dir_write(&w.dir, "ana.pem", buf_bytes(&pem));
	*state = &w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	test_ca_fini(&w->ca);
	test_ca_fini(&w->other_ca);
	key_free(w->responder);
	verifier_free(w->v);
	buf_fini(&w->responder_der);
	buf_fini(&w->holder_der);
	dir_remove(&w->dir);
	return 0;
}

static struct ocsp_answer_spec
usual(const struct world *w)
{
	return (struct ocsp_answer_spec){
		.issuer = &w->id,
		.serial = bytes_of(test_serial, sizeof(test_serial)),
		.responder_key_hash = bytes_of(w->key_hash, 20),
		.state = OCSP_GOOD,
		.produced_at = w->now,
		.this_update = w->now - 5 * MINUTE,
		.next_update = w->now + 4 * DAY,
	};
}

/* Signs a ResponseData with the responder's key. */
static void
sign_tbs(const struct world *w, struct bytes tbs, struct bytes responder,
    struct buf *out)
{
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct err e;
	OK(key_sign(w->responder, tbs, &sig, &e), &e);
	OK(ocsp_assemble(tbs, key_type_sigalg(KEY_EC_P256), buf_bytes(&sig),
	       responder, out, &e),
	    &e);
}

static void
answer(const struct world *w, const struct ocsp_answer_spec *spec,
    struct buf *out)
{
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	OK(ocsp_tbs_build(spec, &tbs, &e), &e);
	sign_tbs(w, buf_bytes(&tbs), buf_bytes(&w->responder_der), out);
}

/* --- openssl ---------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	enum ocsp_state state;
	int reason;
	const char *want[3];
} states[] = {
	{ "good", OCSP_GOOD, 0, { "ana.pem: good" } },
	{ "unknown", OCSP_UNKNOWN, 0, { "ana.pem: unknown" } },
	{ "revoked without reason", OCSP_REVOKED, 0,
	    { "ana.pem: revoked", "Revocation Time:" } },
	{ "key compromise", OCSP_REVOKED, 1,
	    { "ana.pem: revoked", "Reason: keyCompromise" } },
	{ "superseded", OCSP_REVOKED, 4,
	    { "ana.pem: revoked", "Reason: superseded" } },
	{ "hold", OCSP_REVOKED, 6,
	    { "ana.pem: revoked", "Reason: certificateHold" } },
	/* openssl has no word for 9. */
	{ "privilege withdrawn", OCSP_REVOKED, 9, { "ana.pem: revoked" } },
};
static const char *const hashes[] = {
	"-cert ana.pem",
	"-sha256 -cert ana.pem",
	"-sha1 -cert ana.pem -sha256 -cert ana.pem",
};
/* clang-format on */

static void
says(const struct dir *d, const char *row, const char *text)
{
	struct buf out AUTO_BUF = BUF(1 << 16);
	dir_read(d, "out", &out);
	if (strstr(buf_text(&out), text) != NULL)
		return;
	print_error("row \"%s\": no \"%s\" in\n%s\n", row, text,
	    buf_text(&out));
	fail();
}

static void
openssl_accepts(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(states) * ARRAY_LEN(hashes); i++) {
		size_t s = i / ARRAY_LEN(hashes);
		struct ocsp_answer_spec spec = usual(w);
		struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
		char command[256];
		spec.state = states[s].state;
		spec.reason = states[s].reason;
		spec.revoked_at = w->now - HOUR;
		answer(w, &spec, &der);
		dir_write(&w->dir, "r.der", buf_bytes(&der));
		snprintf(command, sizeof(command),
		    "openssl ocsp -issuer ca.pem %s -respin r.der -CAfile "
		    "ca.pem -no_nonce",
		    hashes[i % ARRAY_LEN(hashes)]);
		must_run(&w->dir, states[s].name, command);
		says(&w->dir, states[s].name, "Response verify OK");
		for (size_t k = 0; k < 3 && states[s].want[k] != NULL; k++)
			says(&w->dir, states[s].name, states[s].want[k]);
	}
}

/* Requests that openssl makes, of every kind it makes, are read. */
static void
openssl_requests(void **state)
{
	/* clang-format off */
	static const struct {
		const char *options;
		size_t n_id;
		bool has_nonce, first_sha256;
	} rows[] = {
		{ "-cert ana.pem -no_nonce", 1, false, false },
		{ "-sha256 -cert ana.pem", 1, true, true },
		{ "-cert ana.pem -cert ana.pem -serial 0x1234", 3, true,
		    false },
		{ "-cert ana.pem -signer s.pem -signkey s.key", 1, true,
		    false },
	};
	/* clang-format on */
	struct world *w = *state;
	must_run(&w->dir, "signer",
	    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=s -keyout "
	    "s.key -out s.pem");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(1 << 16);
		struct ocsp_request q;
		char command[256];
		struct err e;
		snprintf(command, sizeof(command),
		    "openssl ocsp -issuer ca.pem %s -reqout q.der",
		    rows[i].options);
		must_run(&w->dir, rows[i].options, command);
		dir_read(&w->dir, "q.der", &der);
		OK(ocsp_request_parse(buf_bytes(&der), &q, &e), &e);
		ROW(q.n_id == rows[i].n_id, rows[i].options);
		ROW(q.has_nonce == rows[i].has_nonce, rows[i].options);
		ROW(q.id[0].is_sha256 == rows[i].first_sha256, rows[i].options);
		ROW(ocsp_id_matches(&q.id[0], &w->id), rows[i].options);
		ROW(bytes_eq(q.id[0].serial,
			bytes_of(test_serial, sizeof(test_serial))),
		    rows[i].options);
	}
}

/* The issuer's key is part of the name: same name, other key, no match. */
static void
incident_55_other_issuer_does_not_match(void **state)
{
	struct world *w = *state;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer_spec spec = usual(w);
	struct ocsp_answer a;
	struct err e;
	answer(w, &spec, &der);
	OK(ocsp_answer_parse(buf_bytes(&der), &a, &e), &e);
	for (size_t i = 0; i < a.n_single; i++) {
		assert_true(ocsp_id_matches(&a.single[i].id, &w->id));
		assert_false(ocsp_id_matches(&a.single[i].id, &w->other_id));
	}
}

/* --- Read what was built ------------------------------------------------------------ */

static void
read_back(void **state)
{
	struct world *w = *state;
	static const uint8_t nonce[32] = { 9 };
	for (size_t i = 0; i < 2 * ARRAY_LEN(states); i++) {
		struct ocsp_answer_spec spec = usual(w);
		struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
		struct ocsp_answer a;
		struct err e;
		const char *name = states[i / 2].name;
		spec.state = states[i / 2].state;
		spec.reason = states[i / 2].reason;
		spec.revoked_at = w->now - HOUR;
		spec.nonce = bytes_of(nonce, i % 2 == 0 ? 0 : 32);
		answer(w, &spec, &der);
		OK(ocsp_answer_parse(buf_bytes(&der), &a, &e), &e);
		ROW(a.n_single == 2, name);
		ROW(!a.single[0].id.is_sha256 && a.single[1].id.is_sha256,
		    name);
		ROW(bytes_eq(a.nonce, spec.nonce), name);
		ROW(bytes_eq(a.key_hash, spec.responder_key_hash), name);
		ROW(bytes_eq(a.responder, buf_bytes(&w->responder_der)), name);
		ROW(a.produced_at == spec.produced_at, name);
		for (size_t k = 0; k < 2; k++) {
			const struct ocsp_single *s = &a.single[k];
			bool revoked = spec.state == OCSP_REVOKED;
			ROW(s->state == spec.state, name);
			ROW(s->reason == (revoked ? spec.reason : 0), name);
			ROW(s->revoked_at == (revoked ? spec.revoked_at : 0),
			    name);
			ROW(bytes_eq(s->id.serial, spec.serial), name);
			ROW(s->this_update == spec.this_update, name);
			ROW(s->next_update == spec.next_update, name);
		}
		OK(ocsp_answer_check(buf_bytes(&der), &spec, &w->ca_cert,
		       w->now, w->v, &e),
		    &e);
	}
}

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

/* --- What must not be served ---------------------------------------------------------- */

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

/* --- Orders that are refused, small things ---------------------------------------------- */

static void
orders(void **state)
{
	struct world *w = *state;
	static const uint8_t long_serial[21] = { 1 };
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	struct ocsp_answer_spec spec = usual(w);
	spec.serial = BYTES_NONE;
	refused("no serial", ocsp_tbs_build(&spec, &tbs, &e), &e, ERR_INVALID,
	    "ocsp-spec", "whose serial number, responder or nonce");
	spec.serial = bytes_of(long_serial, sizeof(long_serial));
	refused("21 octets", ocsp_tbs_build(&spec, &tbs, &e), &e, ERR_INVALID,
	    "ocsp-spec", "whose serial number, responder or nonce");
	spec = usual(w);
	spec.next_update = spec.this_update;
	refused("no time", ocsp_tbs_build(&spec, &tbs, &e), &e, ERR_INVALID,
	    "ocsp-times", "ends before it begins");
	for (int reason = -1; reason < 12; reason++) {
		bool exists = (reason >= 0 && reason <= 6) || reason == 9;
		spec = usual(w);
		spec.state = OCSP_REVOKED;
		spec.reason = reason;
		spec.revoked_at = w->now;
		enum err_code code = ocsp_tbs_build(&spec, &tbs, &e);
		assert_int_equal(code, exists ? ERR_OK : ERR_INVALID);
		if (!exists)
			assert_string_equal(e.id, "ocsp-reason");
	}
}

static void
load(const char *name, struct buf *out)
{
	char path[512];
	uint8_t block[4096];
	snprintf(path, sizeof(path),
	    SOURCE_DIR "/tests/fuzz/corpus/ocsp_answer/%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s: no such file", path);
	buf_put(out, block, fread(block, 1, sizeof(block), f));
	fclose(f);
}

/* What openssl's own responder makes by default is not what we serve. */
static void
answers_of_others(void **state)
{
	/* clang-format off */
	static const struct {
		const char *file, *id, *say;
	} rows[] = {
		{ "by_name.der", "ocsp-answer-by-name", "the OCSP answer names "
		    "its responder by name; it must be by the hash of its key" },
		{ "no_next_update.der", "ocsp-answer-next", "the OCSP answer has "
		    "no nextUpdate, without which clients must refuse it" },
		{ "cut.der", "der-short", "longer than what contains it" },
		{ "empty.der", "der-short", "longer than what contains it" },
		{ "one_single.der", NULL, NULL },
		{ "no_responder.der", NULL, NULL },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(1 << 16);
		struct ocsp_answer a;
		struct err e = { .say = "" };
		load(rows[i].file, &der);
		enum err_code code = ocsp_answer_parse(buf_bytes(&der), &a, &e);
		if (rows[i].id == NULL)
			ROW(code == ERR_OK, rows[i].file);
		else
			refused(rows[i].file, code, &e, ERR_INVALID, rows[i].id,
			    rows[i].say);
	}
}

static void
error_answers(void **state)
{
	(void)state;
	static const enum ocsp_error all[] = { OCSP_MALFORMED, OCSP_INTERNAL,
		OCSP_TRY_LATER, OCSP_UNAUTHORIZED };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const uint8_t want[] = { 0x30, 3, 0x0a, 1, (uint8_t)all[i] };
		struct bytes got = ocsp_error_answer(all[i]);
		struct ocsp_answer a;
		struct err e;
		assert_true(bytes_eq(got, bytes_of(want, 5)));
		refused("refusal", ocsp_answer_parse(got, &a, &e), &e,
		    ERR_INVALID, "ocsp-answer-status",
		    "is a refusal and says nothing of a certificate");
	}
}

static void
refresh(void **state)
{
	(void)state;
	assert_int_equal(ocsp_refresh_at(1000, 2000, 50), 1500);
	assert_int_equal(ocsp_refresh_at(1000, 2001, 50), 1500);
	assert_int_equal(ocsp_refresh_at(1000, 2000, 0), 1000);
	assert_int_equal(ocsp_refresh_at(1000, 2000, 100), 2000);
	assert_int_equal(ocsp_refresh_at(0, 4 * DAY, 25), DAY);
	assert_int_equal(ocsp_refresh_at(2000, 1000, 50), 2000);
	assert_true(ocsp_refresh_at(0, NEVER, 50) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_accepts),
		cmocka_unit_test(openssl_requests),
		cmocka_unit_test(incident_55_other_issuer_does_not_match),
		cmocka_unit_test(read_back),
		cmocka_unit_test(each_octet_matters),
		cmocka_unit_test(incident_50_delegates),
		cmocka_unit_test(incident_53_56_times),
		cmocka_unit_test(incident_56_responder_of_another_issuer),
		cmocka_unit_test(other_content),
		cmocka_unit_test(no_responder),
		cmocka_unit_test(pair_that_differs),
		cmocka_unit_test(orders),
		cmocka_unit_test(answers_of_others),
		cmocka_unit_test(error_answers),
		cmocka_unit_test(refresh),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
