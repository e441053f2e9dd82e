/*
 * Everything a signer signs besides people's certificates: CRLs, checkpoints,
 * responders' certificates, OCSP answers; and who may ask for what.
 */
#include <unistd.h>

#include "fake/signer_asks.h"

#define SAYS(row, got, want, refusal, want_say)                           \
	do {                                                              \
		if (strcmp(got, want) != 0)                               \
			fail_msg("row \"%s\": %s: %s", row, got,          \
			    strcmp(got, "ok") == 0 ? "" : (refusal).say); \
		if (strcmp(want, "ok") != 0 &&                            \
		    strstr((refusal).say, want_say) == NULL)              \
			fail_msg("row \"%s\": %s", row, (refusal).say);   \
	} while (0)

/* --- CRL --------------------------------------------------------------------------- */

/* clang-format off */
static const struct crl_row crl_rows[] = {
	{ "first", "uno", 0, 5, 0, DAY, "ok", "", NULL, NULL, 0 },
	{ "again, the same", "uno", 0, 5, 0, DAY, "ok", "", NULL, NULL, 0 },
	{ "same number, other content", "uno", 0, 5, 0, 2 * DAY, "signer-crl-number-used", "another CRL with this number was already", NULL, NULL, 0 },
	{ "number going back", "uno", 0, 4, 0, DAY, "signer-crl-number", "already signed for the CA uno", NULL, NULL, 0 },
	{ "of another CA", "uno", 1, 6, 0, DAY, "signer-crl-issuer", "the CRL is that of another CA than uno", NULL, NULL, 0 },
	{ "for another CA", "dos", 0, 6, 0, DAY, "signer-crl-issuer", "the CRL is that of another CA than dos", NULL, NULL, 0 },
	{ "unknown CA", "tres", 0, 6, 0, DAY, "signer-issuer", "no issuing CA with the name \"tres\"", NULL, NULL, 0 },
	{ "of the future", "uno", 0, 6, 2 * MINUTE, DAY, "signer-crl-future", "begins in the future", NULL, NULL, 0 },
	{ "expired", "uno", 0, 6, -2 * DAY, DAY, "signer-crl-over", "is already over", NULL, NULL, 0 },
	{ "too long", "uno", 0, 6, 0, 11 * DAY, "signer-crl-life", "longer than the ceiling", NULL, NULL, 0 },
	{ "before the last one", "uno", 0, 6, -HOUR, DAY, "signer-crl-back", "begins before the one", NULL, NULL, 0 },
	{ "the next", "uno", 0, 6, 0, DAY, "ok", "", NULL, NULL, 0 },
	{ "the other CA counts for itself", "dos", 1, 1, 0, DAY, "ok", "", NULL, NULL, 0 },
	{ "a partition", "uno", 0, 7, 0, DAY, "ok", "", PUBLIC "/crl/uno/3.crl", PUBLIC "/crl/uno/3-delta.crl", 0 },
	{ "its delta", "uno", 0, 8, 0, DAY, "ok", "", PUBLIC "/crl/uno/3.crl", "", 7 },
	{ "another CA's address", "uno", 0, 9, 0, DAY, "signer-crl-address", "not one of the CA uno", PUBLIC "/crl/dos/3.crl", "", 0 },
	{ "another host", "uno", 0, 9, 0, DAY, "signer-crl-address", "not one of the CA uno", "http://evil.example.org/crl/uno/3.crl", "", 0 },
	{ "partition 0", "uno", 0, 9, 0, DAY, "signer-crl-address", "not one of the CA uno", PUBLIC "/crl/uno/0.crl", "", 0 },
	{ "deltas of another partition", "uno", 0, 9, 0, DAY, "signer-crl-address", "not one of the CA uno", PUBLIC "/crl/uno/3.crl", PUBLIC "/crl/uno/4-delta.crl", 0 },
	{ "deltas of the full one", "uno", 0, 9, 0, DAY, "ok", "", "", PUBLIC "/crl/uno/delta.crl", 0 },
	{ "a base that never was", "uno", 0, 12, 0, DAY, "signer-crl-base", "rests on a CRL that the CA uno never signed", "", "", 11 },
};
/* clang-format on */

static void
incident_59_crl_rows(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes der, first = BYTES_NONE;
	struct err refusal = { .id = "" };
	for (size_t i = 0; i < ARRAY_LEN(crl_rows); i++) {
		const struct crl_row *r = &crl_rows[i];
		SAYS(r->name, ask_crl(w, r, &der, &refusal), r->want, refusal,
		    r->say);
		if (i == 0)
			first = der;
		if (i == 1)
			assert_true(bytes_eq(first, der));
	}
	world_free(w);
}

/*
 * In pieces: nothing is said before the last; what is refused is refused once,
 * and what follows of it is passed over.
 */
static void
crl_in_pieces(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t from[3], to[3]; /* in percent of the list */
		int last;              /* which piece says so */
		const char *want;
	} rows[] = {
		{ "two", { 0, 40, 40 }, { 40, 40, 100 }, 2, "ok" },
		{ "nothing at first", { 0, 0, 50 }, { 0, 50, 100 }, 2, "ok" },
		{ "one is missing", { 0, 40, 90 }, { 40, 80, 100 }, 2,
		    "signer-crl-offset" },
		{ "one came twice", { 0, 40, 40 }, { 40, 80, 100 }, 2,
		    "signer-crl-offset" },
		{ "no beginning", { 10, 40, 80 }, { 40, 80, 100 }, 2, "" },
		{ "ends early", { 0, 40, 60 }, { 40, 60, 90 }, 2, "crl-form" },
		{ "goes on after the end", { 0, 40, 80 }, { 40, 80, 100 }, 1,
		    "crl-form" },
		{ "begins anew", { 0, 0, 50 }, { 30, 50, 100 }, 2, "ok" },
	};
	struct world *w = world_new();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct crl_row r = crl_rows[0];
		struct buf tbs AUTO_BUF = BUF(1u << 16);
		struct buf in AUTO_BUF = BUF(1u << 17);
		struct buf out AUTO_BUF = BUF(1u << 17);
		struct err refusal = { .id = "" }, e2;
		struct frame f = { .type = 0 };
		size_t used = 0;
		r.number = 20 + i;
		crl_tbs(w, &r, &tbs);
		give_file(w, buf_bytes(&tbs));
		for (int p = 0; p < 3; p++)
			put_piece(&in, "uno", tbs.len * rows[i].from[p] / 100,
			    tbs.len * rows[i].to[p] / 100, rows[i].last == p);
		OK(world_batch(w, buf_bytes(&in), &out, e));
		OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
		if (used != out.len)
			fail_msg("row \"%s\": more than one answer",
			    rows[i].name);
		const char *got = used == 0 ? "" : "ok";
		if (f.type == (SIGNER_CRL | SIGNER_REFUSAL)) {
			OK(err_decode(f.body, w->a, &refusal, &e2));
			got = refusal.id;
		}
		SAYS(rows[i].name, got, rows[i].want, refusal, "");
	}
	world_free(w);
}

/* A list that is not where its first message says, or that cannot be read by
 * place: refused, never waited for, and the next one is signed. */
static void
crl_files(void **state)
{
	(void)state;
	static const char *const names[] = { "none", "short", "pipe",
		"behind the end of all lists" };
	struct world *w = world_new();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct crl_row r = crl_rows[0];
		struct buf tbs AUTO_BUF = BUF(1u << 16);
		struct buf body AUTO_BUF = BUF(CRL_FRAME_MAX);
		struct err refusal = { .id = "" };
		struct bytes answer;
		int ends[2];
		r.number = 20 + i;
		crl_tbs(w, &r, &tbs);
		struct signer_crl m = { bytes_str("uno"), 0,
			i == 3 ? UINT64_MAX - 4 : FILE_AT, tbs.len, true };
		signer_crl_encode(&m, &body);
		assert_int_equal(pipe(ends), 0);
		if (i == 1)
			give_file(w, bytes_of(tbs.p, tbs.len - 1));
		else if (i == 2)
			w->file = ends[0];
		else if (i == 3)
			give_file(w, buf_bytes(&tbs));
		SAYS(names[i], ask(w, SIGNER_CRL, &body, &answer, &refusal),
		    "signer-crl-file", refusal,
		    "is not in a file that came with it");
		close(ends[1]);
		if (i != 2)
			close(ends[0]);
		assert_string_equal(ask_crl(w, &r, &answer, &refusal), "ok");
	}
	world_free(w);
}

/* Row 63: an old ledger would count CRLs from an old number. */
static void
incident_63_numbers_survive_a_restart(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes der, answer;
	struct err refusal = { .id = "" };
	struct signer_hello hello;
	assert_string_equal(ask_crl(w, &crl_rows[0], &der, &refusal), "ok");
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_crl(w, &crl_rows[3], &answer, &refusal),
	    "signer-crl-number");
	assert_string_equal(ask_crl(w, &crl_rows[1], &answer, &refusal), "ok");
	assert_true(bytes_eq(der, answer));
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	OK(signer_hello_decode(answer, w->a, &hello, e));
	assert_int_equal(hello.n_issuer, 2);
	assert_string_equal(hello.issuer[0].issuer, "uno");
	assert_int_equal(hello.issuer[0].crl_number, 5);
	assert_int_equal(hello.issuer[1].crl_number, 0);
	uint8_t spki[SHA256_LEN];
	sha256(spki, key_spki(w->ocsp[1]));
	assert_memory_equal(hello.issuer[1].responder_spki_sha256, spki,
	    SHA256_LEN);
	world_free(w);
}

/* --- Checkpoints ---------------------------------------------------------------------- */

static void
incident_39_checkpoints_never_fork(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct log good, other;
	struct bytes note, again;
	struct err refusal = { .id = "" };
	make_log(&good, 0);
	make_log(&other, 9);
	const char *fork = "entries were changed";
	SAYS("empty tree", ask_checkpoint(w, &good, 0, 0, &note, &refusal),
	    "checkpoint-size", refusal, "no log has a tree");
	SAYS("first", ask_checkpoint(w, &good, 0, 7, &note, &refusal), "ok",
	    refusal, "");
	struct checkpoint c;
	AUTO(verifier) v = NULL;
	OK(verifier_new(&v, e));
	OK(checkpoint_verify(note, bytes_str(w->config.origin),
	    key_spki(w->log), v, &c, e));
	assert_int_equal(c.size, 7);
	SAYS("again", ask_checkpoint(w, &good, 0, 7, &again, &refusal), "ok",
	    refusal, "");
	assert_true(bytes_eq(note, again));
	SAYS("F31: another tree of that size",
	    ask_checkpoint(w, &other, 0, 7, &again, &refusal),
	    "checkpoint-fork", refusal, fork);
	SAYS("last entries cut",
	    ask_checkpoint(w, &good, 0, 6, &again, &refusal),
	    "checkpoint-shrinks", refusal, "entries are missing");
	SAYS("rewritten and longer",
	    ask_checkpoint(w, &other, 7, 9, &again, &refusal),
	    "checkpoint-proof", refusal, "does not extend");
	SAYS("without a proof",
	    ask_checkpoint(w, &good, 0, 9, &again, &refusal),
	    "checkpoint-proof", refusal, "its proof is wrong");
	world_stop(w);
	world_start(w);
	SAYS("after a restart",
	    ask_checkpoint(w, &good, 0, 6, &again, &refusal),
	    "checkpoint-shrinks", refusal, "entries are missing");
	SAYS("the same after a restart",
	    ask_checkpoint(w, &good, 0, 7, &again, &refusal), "ok", refusal,
	    "");
	assert_true(bytes_eq(note, again));
	SAYS("longer", ask_checkpoint(w, &good, 7, LEAVES, &note, &refusal),
	    "ok", refusal, "");
	world_free(w);
}

/* --- The responder's certificate ----------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	enum spoil spoil;
	const char *want, *say;
} responder_rows[] = {
	{ "key of the other CA's responder", OTHER_KEY, "signer-responder-key", "not for the OCSP key" },
	{ "key of the CA itself", CA_KEY, "signer-responder-key", "not for the OCSP key" },
	{ "longer than configured", TOO_LONG, "signer-responder-life", "longer than the configuration allows" },
	{ "over 30 days", THIRTY_ONE, "lint-ocsp-life", "longer than 30 days" },
	{ "begins tomorrow", FUTURE, "signer-responder-not-now", "does not begin now" },
	{ "begins yesterday", OLD, "signer-responder-not-now", "does not begin now" },
	{ "no nocheck", NO_NOCHECK, "lint-ocsp-extensions", "lacks nocheck" },
	{ "another purpose", NO_EKU, "lint-eku-ocsp", "OCSPSigning and no other purpose" },
	{ "a second purpose", SECOND_EKU, "lint-eku-ocsp", "OCSPSigning and no other purpose" },
	{ "keyCertSign", CERT_SIGN, "lint-key-usage-end", "keyUsage has a bit of CAs" },
	{ "CA true with OCSPSigning", IS_CA, "lint-is-ca", "CA:TRUE" },
	{ "with CRLDP", CRLDP, "lint-ocsp-extensions", "or has CRLDP" },
	{ "with SAN", WITH_SAN, "lint-ocsp-extensions", "subjectAltName" },
	{ "asked of the other CA", OTHER_CA, "signer-issuer-name", "another issuer than the CA dos" },
	{ "good", NOTHING, "ok", "" },
};
/* clang-format on */

static void
incident_50_one_profile_of_responders(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct cert_spec spec;
	struct bytes der, again;
	struct err refusal = { .id = "" };
	for (size_t i = 0; i < ARRAY_LEN(responder_rows); i++) {
		responder_spec(w, &spec);
		spoil(w, &spec, responder_rows[i].spoil);
		const char *issuer =
		    responder_rows[i].spoil == OTHER_CA ? "dos" : "uno";
		SAYS(responder_rows[i].name,
		    ask_responder(w, &spec, issuer, &der, &refusal),
		    responder_rows[i].want, refusal, responder_rows[i].say);
	}
	assert_string_equal(ask_responder(w, &spec, "uno", &again, &refusal),
	    "ok");
	assert_true(bytes_eq(der, again));
	/* The same serial under a holder's certificate. */
	struct wish x;
	wish_holder(w, &x, 0);
	memcpy(x.serial, spec.serial.p, SERIAL_MAX);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &x, &again, &refusal), ERR_CONFLICT);
	assert_string_equal(refusal.id, "signer-serial-used");
	world_free(w);
}

/* --- OCSP answers ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct ocsp_row ocsp_rows[] = {
	{ "good", "uno", 0, 0, 0, 0, DAY, OCSP_GOOD, RIGHT, "ok", "" },
	{ "revoked", "uno", 0, 0, 0, 0, DAY, OCSP_REVOKED, RIGHT, "ok", "" },
	{ "another CA's certificate", "uno", 1, 0, 0, 0, DAY, OCSP_GOOD, RIGHT, "signer-ocsp-issuer", "of another CA than uno" },
	{ "nobody's key", "uno", 0, 2, 0, 0, DAY, OCSP_GOOD, RIGHT, "signer-ocsp-key", "another responder's key" },
	{ "key that has no certificate", "uno", 0, 1, 0, 0, DAY, OCSP_GOOD, RIGHT, "signer-ocsp-certificate-time", "not valid now" },
	{ "of the future", "uno", 0, 0, 0, 2 * MINUTE, DAY, OCSP_GOOD, RIGHT, "signer-ocsp-future", "begins in the future" },
	{ "produced tomorrow", "uno", 0, 0, DAY, 0, DAY, OCSP_GOOD, RIGHT, "signer-ocsp-produced", "was produced in the future" },
	{ "too long", "uno", 0, 0, 0, 0, 11 * DAY, OCSP_GOOD, RIGHT, "signer-ocsp-life", "longer than the ceiling" },
	{ "over", "uno", 0, 0, 0, -2 * DAY, DAY, OCSP_GOOD, RIGHT, "signer-ocsp-over", "is over" },
	{ "certificate of somebody else", "uno", 0, 0, 0, 0, DAY, OCSP_GOOD, FOREIGN, "signer-ocsp-certificate", "not that of this responder" },
};
/* clang-format on */

static void
must_verify(struct world *w, struct bytes tbs, struct bytes signature)
{
	AUTO(verifier) v = NULL;
	OK(verifier_new(&v, e));
	OK(verifier_check(v, key_spki(w->ocsp[0]), key_type_sigalg(KEY_EC_P256),
	    tbs, signature, e));
}

static enum err_code
ask_batch(struct world *w, const struct ocsp_row *r, struct bytes responder,
    struct err *refusal)
{
	struct bytes list, signature;
	enum err_code code = world_ask(w, SIGNER_OCSP,
	    ocsp_body(w, r, responder), &list, refusal);
	if (code != ERR_OK)
		return code;
	assert_true(signer_next(&list, &signature));
	assert_int_equal(list.len, 0);
	must_verify(w, usual_tbs(w, r), signature);
	return ERR_OK;
}

static void
ocsp_answers(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes responder = become_ocsp(w), der;
	struct err refusal = { .id = "" };
	SAYS("before hello",
	    ask_batch(w, &ocsp_rows[0], responder, &refusal) == ERR_OK
		? "ok"
		: refusal.id,
	    "signer-hello-first", refusal, "greeted first");
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &der, &refusal),
	    ERR_OK);
	struct signer_hello hello;
	OK(signer_hello_decode(der, w->a, &hello, e));
	assert_true(bytes_eq(hello.responder_spki[0], key_spki(w->ocsp[0])));
	for (size_t i = 0; i < ARRAY_LEN(ocsp_rows); i++) {
		const struct ocsp_row *r = &ocsp_rows[i];
		enum err_code code = ask_batch(w, r, responder, &refusal);
		SAYS(r->name, code == ERR_OK ? "ok" : refusal.id, r->want,
		    refusal, r->say);
	}
	/* When the responder's certificate is over, so is its signing. */
	w->now += 20 * DAY - HOUR;
	SAYS("outlives its responder",
	    ask_batch(w, &ocsp_rows[0], responder, &refusal) == ERR_OK
		? "ok"
		: refusal.id,
	    "signer-ocsp-outlives", refusal,
	    "outlives its responder's certificate");
	w->now += 2 * HOUR;
	SAYS("certificate over",
	    ask_batch(w, &ocsp_rows[0], responder, &refusal) == ERR_OK
		? "ok"
		: refusal.id,
	    "signer-ocsp-certificate-time", refusal, "not valid now");
	world_free(w);
}

/* Each of a batch for itself: one that is refused holds up no other. */
static void
batch_answers_each(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes responder = become_ocsp(w), list, signature;
	struct bytes tbs[SIGNER_OCSP_MAX];
	struct err refusal;
	uint8_t serial[20] = { 0x12 };
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &list,
			     &refusal),
	    ERR_OK);
	for (size_t i = 0; i < SIGNER_OCSP_MAX; i++) {
		/* One in five is of another CA. */
		serial[19] = (uint8_t)i;
		tbs[i] = ocsp_tbs(w, &ocsp_rows[i % 5 == 3 ? 2 : 0],
		    bytes_of(serial, sizeof(serial)), BYTES_NONE);
	}
	assert_int_equal(world_ask(w, SIGNER_OCSP,
			     batch_body(w, responder, tbs, SIGNER_OCSP_MAX),
			     &list, &refusal),
	    ERR_OK);
	for (size_t i = 0; i < SIGNER_OCSP_MAX; i++) {
		assert_true(signer_next(&list, &signature));
		assert_int_equal(signature.len == 0, i % 5 == 3);
		if (signature.len > 0)
			must_verify(w, tbs[i], signature);
	}
	assert_false(signer_next(&list, &signature));
	world_free(w);
}

/* A responder that is refused: answers of the others are signed all the same. */
static void
batch_responders_each(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes responder = become_ocsp(w), list, signature;
	struct bytes tbs = usual_tbs(w, &ocsp_rows[0]);
	struct buf certs AUTO_BUF = BUF(16384), one AUTO_BUF = BUF(8192);
	struct buf body AUTO_BUF = BUF(32768);
	struct err refusal;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &list,
			     &refusal),
	    ERR_OK);
	put_bytes(&certs, buf_bytes(&w->minister_der[0]));
	put_bytes(&certs, responder);
	put_bytes(&one, tbs);
	struct signer_ocsp m = { buf_bytes(&certs), BYTES_NONE,
		buf_bytes(&one) };
	signer_ocsp_encode(&m, &body);
	assert_false(body.failed);
	assert_int_equal(world_ask(w, SIGNER_OCSP, buf_bytes(&body), &list,
			     &refusal),
	    ERR_OK);
	assert_true(signer_next(&list, &signature));
	must_verify(w, tbs, signature);
	world_free(w);
}

/* INCIDENTS row 56: what one issuer's responder signs is never another's. */
static void
one_responder_key_an_issuer(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_stop(w);
	memcpy(w->config.issuer[1].ocsp_key, w->config.issuer[0].ocsp_key,
	    sizeof(w->config.issuer[1].ocsp_key));
	struct signer_setup setup = { .config = &w->config,
		.ceilings = &w->ceilings,
		.dir = w->dir,
		.is_ocsp = true };
	struct err fault;
	assert_int_equal(signer_new(&setup, &w->signer, &fault), ERR_INVALID);
	SAYS("one OCSP key for two CAs", fault.id, "signer-responder-shared",
	    fault, "give each one of its own");
	w->signer = NULL;
	world_free(w);
}

/* --- What status may have ------------------------------------------------------------------------ */

static void
status_gets_unknown(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes responder = become_ocsp(w), answer;
	struct ocsp_row row = ocsp_rows[0];
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, usual_tbs(w, &row),
				    NULL, 0),
				NULL),
	    "signer-status-state");
	row.state = OCSP_REVOKED;
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, usual_tbs(w, &row),
				    NULL, 0),
				NULL),
	    "signer-status-state");
	assert_string_equal(status_asks(w, SIGNER_HELLO, BYTES_NONE, NULL),
	    "signer-status-message");
	assert_string_equal(status_asks(w, SIGNER_OCSP,
				ocsp_body(w, &row, responder), NULL),
	    "signer-status-message");
	row.state = OCSP_UNKNOWN;
	struct bytes body =
	    compose_body(w, responder, usual_tbs(w, &row), NULL, 0);
	w->now++;
	for (int i = 0; i < COMPOSED_PER_SECOND; i++)
		assert_string_equal(status_asks(w, SIGNER_COMPOSE, body,
					&answer),
		    "ok");
	assert_string_equal(status_asks(w, SIGNER_COMPOSE, body, NULL),
	    "signer-status-rate");
	struct ocsp_answer a;
	OK(ocsp_answer_parse(answer, &a, e));
	must_verify(w, a.tbs, a.signature);
	assert_true(bytes_eq(a.responder, responder));
	w->now++;
	assert_string_equal(status_asks(w, SIGNER_COMPOSE, body, NULL), "ok");
	world_free(w);
}

/* INCIDENTS rows 45 and 57: a nonce and a second certificate add nothing to
 * what core had said, and take nothing from it. */
static void
status_gets_what_core_said(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes responder = become_ocsp(w), answer;
	struct err refusal;
	static const uint8_t nonce[32] = { 7 };
	struct ocsp_answer a, b;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	const struct bytes both[] = { published(w, &ocsp_rows[0], 1, responder),
		published(w, &ocsp_rows[1], 2, responder) };
	struct bytes tbs =
	    composed_tbs(w, both, 2, true, bytes_of(nonce, sizeof(nonce)));
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, both, 2),
				&answer),
	    "ok");
	OK(ocsp_answer_parse(answer, &a, e));
	must_verify(w, a.tbs, a.signature);
	assert_int_equal(a.n_single, 2);
	assert_true(bytes_eq(a.nonce, bytes_of(nonce, sizeof(nonce))));
	for (size_t i = 0; i < 2; i++) {
		OK(ocsp_answer_parse(both[i], &b, e));
		assert_true(bytes_eq(a.single[i].der, b.single[1].der));
	}
	/* With one of them alone the other is not covered. */
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, both, 1), NULL),
	    "signer-status-state");
	/* Nor by an answer about the same certificate that says another
	 * thing, or the same at another time. */
	struct ocsp_row later = ocsp_rows[0];
	later.life += 1;
	struct bytes other[] = { published(w, &later, 1, responder),
		published(w, &ocsp_rows[0], 2, responder) };
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, other, 2),
				NULL),
	    "signer-status-state");
	world_free(w);
}

/* What status makes up as a source is told by its signature. */
static void
status_cannot_lie(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes responder = become_ocsp(w), answer;
	struct err refusal;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	struct bytes revoked = published(w, &ocsp_rows[1], 1, responder);
	struct ocsp_answer a;
	OK(ocsp_answer_parse(revoked, &a, e));
	/* "good" under the signature of "revoked". */
	uint8_t serial[20] = { 0x12, 1 };
	struct bytes good = ocsp_tbs(w, &ocsp_rows[0],
	    bytes_of(serial, sizeof(serial)), BYTES_NONE);
	struct buf forged AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	OK(ocsp_assemble(good, a.sigalg, a.signature, responder, &forged, e));
	struct bytes lie = arena_copy(w->a, buf_bytes(&forged));
	struct bytes tbs = composed_tbs(w, &lie, 1, false, BYTES_NONE);
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, &lie, 1), NULL),
	    "signature-wrong");
	/* Signed by a key of its own, with a certificate of its own making. */
	AUTO(key) own = NULL;
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	OK(key_generate(KEY_EC_P256, &own, e));
	OK(key_sign(own, good, &signature, e));
	buf_reset(&forged);
	OK(ocsp_assemble(good, a.sigalg, buf_bytes(&signature), responder,
	    &forged, e));
	lie = arena_copy(w->a, buf_bytes(&forged));
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, &lie, 1), NULL),
	    "signature-wrong");
	/* What core said once and what is over cannot be said again. */
	struct bytes once = published(w, &ocsp_rows[0], 3, responder);
	tbs = composed_tbs(w, &once, 1, false, BYTES_NONE);
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, &once, 1),
				NULL),
	    "ok");
	w->now += DAY;
	tbs = composed_tbs(w, &once, 1, false, BYTES_NONE);
	assert_string_equal(status_asks(w, SIGNER_COMPOSE,
				compose_body(w, responder, tbs, &once, 1),
				NULL),
	    "signer-ocsp-over");
	world_free(w);
}

/* --- Who may ask for what ------------------------------------------------------------------------ */

static void
roles_and_order(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct bytes answer;
	struct err refusal = { .id = "" };
	struct wish x;
	struct ocsp_row row = ocsp_rows[0];
	/* The signer has CA keys and signs no OCSP answer with them. */
	assert_int_equal(world_ask(w, SIGNER_OCSP,
			     ocsp_body(w, &row, BYTES_NONE), &answer, &refusal),
	    ERR_FORBIDDEN);
	SAYS("OCSP with a CA key", refusal.id, "signer-role", refusal,
	    "CA keys and OCSP keys are kept apart");
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	/* Nothing before the greeting. */
	world_stop(w);
	struct signer_setup setup = { .config = &w->config,
		.ceilings = &w->ceilings,
		.dir = w->dir };
	OK(signer_new(&setup, &w->signer, e));
	assert_int_equal(wish_ask(w, &x, &answer, &refusal), ERR_CONFLICT);
	assert_string_equal(refusal.id, "signer-hello-first");
	world_stop(w);
	/* Nor does ocsp-signer know anything of certificates. */
	setup.is_ocsp = true;
	OK(signer_new(&setup, &w->signer, e));
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	static const uint16_t not_ocsp[] = { SIGNER_CRL, SIGNER_CHECKPOINT,
		SIGNER_RESPONDER, SIGNER_END, SIGNER_EVIDENCE };
	assert_int_equal(wish_ask(w, &x, &answer, &refusal), ERR_FORBIDDEN);
	assert_string_equal(refusal.id, "signer-role");
	for (size_t i = 0; i < ARRAY_LEN(not_ocsp); i++) {
		struct buf body AUTO_BUF = BUF(1024);
		struct signer_end end = { bytes_str("NOM-1"), 1 };
		struct signer_crl crl = { .issuer = bytes_str("uno") };
		struct signer_checkpoint point = { .size = 1 };
		struct signer_responder resp = { bytes_str("uno"), BYTES_NONE };
		struct signer_evidence said = { BYTES_NONE, BYTES_NONE };
		if (not_ocsp[i] == SIGNER_CRL)
			signer_crl_encode(&crl, &body);
		else if (not_ocsp[i] == SIGNER_CHECKPOINT)
			signer_checkpoint_encode(&point, &body);
		else if (not_ocsp[i] == SIGNER_RESPONDER)
			signer_responder_encode(&resp, &body);
		else if (not_ocsp[i] == SIGNER_EVIDENCE)
			signer_evidence_encode(&said, &body);
		else
			signer_end_encode(&end, &body);
		assert_int_equal(world_ask(w, not_ocsp[i], buf_bytes(&body),
				     &answer, &refusal),
		    ERR_FORBIDDEN);
		assert_string_equal(refusal.id, "signer-role");
	}
	world_free(w);
}

/* A peer that breaks the protocol is closed; what came before is answered. */
static void
malformed_frames_close_the_peer(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint16_t type;
		const char *body;
		size_t len;
		const char *want;
	} rows[] = {
		{ "hello with a body", SIGNER_HELLO, "x", 1, "signer-message" },
		{ "cut certificate", SIGNER_CERTIFICATE, "\0\0\0\5ab", 6,
		    "signer-message" },
		{ "certificate with a rest", SIGNER_CERTIFICATE,
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0z", 17, "signer-message" },
		{ "proof of 255 hashes", SIGNER_CHECKPOINT,
		    "\0\0\0\0\0\0\0\1"
		    "01234567890123456789012345678901\377",
		    41, "signer-message" },
		{ "an answer nobody asked for", SIGNER_CRL | SIGNER_ANSWER, "",
		    0, "frame-type" },
		{ "a refusal", SIGNER_CRL | SIGNER_REFUSAL, "", 0,
		    "frame-type" },
		{ "unknown type", 99, "", 0, "frame-type" },
		{ "type zero", 0, "", 0, "frame-type" },
	};
	struct world *w = world_new();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf in AUTO_BUF = BUF(4096), out AUTO_BUF = BUF(65536);
		struct err fault;
		struct frame f;
		size_t used, cut;
		frame_put(&in, SIGNER_HELLO, 1, BYTES_NONE);
		size_t first = in.len;
		frame_put(&in, rows[i].type, 2,
		    bytes_of(rows[i].body, rows[i].len));
		OK(signer_batch(w->signer, ASKER_CORE, buf_bytes(&in), &used,
		    w->now, &out, &fault));
		assert_int_equal(used, first);
		buf_drop(&in, used);
		enum err_code code = signer_batch(w->signer, ASKER_CORE,
		    buf_bytes(&in), &used, w->now, &out, &fault);
		if (code != ERR_INVALID || strcmp(fault.id, rows[i].want) != 0)
			fail_msg("row \"%s\": %s", rows[i].name,
			    code == ERR_OK ? "ok" : fault.id);
		assert_int_equal(used, 0);
		OK(frame_cut(buf_bytes(&out), signer_cap, &f, &cut, e));
		assert_int_equal(f.type, SIGNER_HELLO | SIGNER_ANSWER);
		assert_int_equal(cut, out.len);
	}
	/* Half a frame is waited for, an octet at a time. */
	struct buf in AUTO_BUF = BUF(4096), out AUTO_BUF = BUF(65536);
	struct err fault;
	size_t used;
	frame_put(&in, SIGNER_HELLO, 1, BYTES_NONE);
	for (size_t n = 0; n < in.len; n++) {
		assert_int_equal(signer_batch(w->signer, ASKER_CORE,
				     bytes_of(in.p, n), &used, w->now, &out,
				     &fault),
		    ERR_OK);
		assert_int_equal(used, 0);
	}
	world_free(w);
}

static void
appointment_end_rows(void **state)
{
	(void)state;
	struct world *w = world_new();
	static const struct {
		const char *name, *id;
		int64_t at;
		const char *want, *say;
	} rows[] = {
		{ "never made", "NOM-2026-000777", 0, "ok", "" },
		{ "later", "NOM-2026-000001", DAY, "signer-end-future",
		    "dated in the future" },
		{ "now", "NOM-2026-000001", 0, "ok", "" },
		{ "again", "NOM-2026-000001", 0, "ok", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body AUTO_BUF = BUF(1024);
		struct signer_end m = { bytes_str(rows[i].id),
			w->now + rows[i].at };
		struct bytes answer;
		struct err refusal = { .id = "" };
		signer_end_encode(&m, &body);
		SAYS(rows[i].name, ask(w, SIGNER_END, &body, &answer, &refusal),
		    rows[i].want, refusal, rows[i].say);
	}
	world_free(w);
}

/*
 * EVIDENCE says whether a signature is right, and nothing more: whoever made
 * it, and whatever the certificate asked for afterwards is judged as ever.
 */
static void
evidence_rows(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	uint8_t spoilt[CMS_MAX_BYTES];
	memcpy(spoilt, x.evidence.p, x.evidence.len);
	spoilt[x.evidence.len - 1] ^= 1;
	const struct {
		const char *name;
		struct bytes statement, evidence;
		const char *want, *say;
	} rows[] = {
		{ "right", x.statement, x.evidence, "ok", "" },
		{ "right, again", x.statement, x.evidence, "ok", "" },
		{ "other statement", bytes_str("{}"), x.evidence,
		    "cms-other-content", "over another text" },
		{ "spoilt", x.statement, bytes_of(spoilt, x.evidence.len),
		    "cms-signature", "was not made with the key" },
		{ "no evidence", x.statement, BYTES_NONE, "cms-size", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body AUTO_BUF = BUF(131072);
		struct signer_evidence m = { rows[i].statement,
			rows[i].evidence };
		struct bytes answer;
		struct err refusal = { .id = "" };
		signer_evidence_encode(&m, &body);
		SAYS(rows[i].name,
		    ask(w, SIGNER_EVIDENCE, &body, &answer, &refusal),
		    rows[i].want, refusal, rows[i].say);
		if (refusal.id[0] == '\0')
			assert_int_equal(answer.len, 0);
	}
	/* The signature is proven now; the spoilt one still signs nothing. */
	struct bytes answer;
	struct err refusal;
	struct bytes right = x.evidence;
	x.evidence = bytes_of(spoilt, right.len);
	assert_int_equal(wish_ask(w, &x, &answer, &refusal), ERR_INVALID);
	assert_string_equal(refusal.id, "cms-signature");
	x.evidence = right;
	OK(wish_ask(w, &x, &answer, e));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incident_59_crl_rows),
		cmocka_unit_test(crl_in_pieces),
		cmocka_unit_test(crl_files),
		cmocka_unit_test(incident_63_numbers_survive_a_restart),
		cmocka_unit_test(incident_39_checkpoints_never_fork),
		cmocka_unit_test(incident_50_one_profile_of_responders),
		cmocka_unit_test(ocsp_answers),
		cmocka_unit_test(batch_answers_each),
		cmocka_unit_test(batch_responders_each),
		cmocka_unit_test(one_responder_key_an_issuer),
		cmocka_unit_test(status_gets_what_core_said),
		cmocka_unit_test(status_cannot_lie),
		cmocka_unit_test(status_gets_unknown),
		cmocka_unit_test(roles_and_order),
		cmocka_unit_test(malformed_frames_close_the_peer),
		cmocka_unit_test(appointment_end_rows),
		cmocka_unit_test(evidence_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
