/*
 * Answers: what we build is what openssl accepts, and what we read is what we
 * built.
 */
#include "ocsp_world.h"

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

/* Archive cutoff and extended-revoke (RFC 6960 4.4.4, 4.4.8); openssl shows
 * the first by its name. */
static void
extensions_of_answers(void **state)
{
	struct world *w = *state;
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer_spec spec = usual(w);
	struct ocsp_answer a;
	struct err e;
	static const uint8_t nonce[20] = { 9 };
	spec.state = OCSP_REVOKED;
	spec.revoked_at = w->now - HOUR;
	spec.archive_cutoff = w->now - 6 * 365 * DAY;
	spec.extended_revoked = true;
	spec.nonce = bytes_of(nonce, sizeof(nonce));
	answer(w, &spec, &der);
	OK(ocsp_answer_parse(buf_bytes(&der), &a, &e), &e);
	assert_true(a.extended_revoked);
	assert_true(bytes_eq(a.nonce, spec.nonce));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(a.single[i].archive_cutoff,
		    spec.archive_cutoff);
	dir_write(&w->dir, "r.der", buf_bytes(&der));
	must_run(&w->dir, "extensions",
	    "openssl ocsp -respin r.der -noverify -resp_text");
	says(&w->dir, "extensions", "Archive Cutoff");
	spec.archive_cutoff = 0;
	spec.extended_revoked = false;
	buf_reset(&der);
	answer(w, &spec, &der);
	OK(ocsp_answer_parse(buf_bytes(&der), &a, &e), &e);
	assert_false(a.extended_revoked);
	assert_int_equal(a.single[0].archive_cutoff, 0);
}

/* Sixteen certificates and the longest nonce in one answer, each
 * SingleResponse as it stood in the answer it comes from. */
static void
composed_of_sixteen(void **state)
{
	struct world *w = *state;
	struct buf singles AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer_spec spec = usual(w);
	struct ocsp_answer a;
	struct err e;
	uint8_t serial[20] = { 0x7f }, nonce[128] = { 1 };
	spec.serial = bytes_of(serial, sizeof(serial));
	spec.archive_cutoff = w->now - DAY;
	spec.revoked_at = w->now - DAY;
	spec.reason = 1;
	size_t end[OCSP_IDS_MAX];
	for (size_t i = 0; i < OCSP_IDS_MAX; i++) {
		serial[19] = (uint8_t)i;
		spec.state = (enum ocsp_state)(i % 3);
		OK(ocsp_single_build(&spec, true, &singles, &e), &e);
		end[i] = singles.len;
	}
	struct ocsp_composed c = { .singles = buf_bytes(&singles),
		.responder_key_hash = spec.responder_key_hash,
		.produced_at = w->now,
		.nonce = bytes_of(nonce, sizeof(nonce)) };
	OK(ocsp_tbs_compose(&c, &tbs, &e), &e);
	sign_tbs(w, buf_bytes(&tbs), buf_bytes(&w->responder_der), &der);
	OK(ocsp_answer_parse(buf_bytes(&der), &a, &e), &e);
	assert_int_equal(a.n_single, OCSP_IDS_MAX);
	assert_true(bytes_eq(a.nonce, c.nonce));
	for (size_t i = 0; i < OCSP_IDS_MAX; i++) {
		size_t from = i == 0 ? 0 : end[i - 1];
		assert_true(bytes_eq(a.single[i].der,
		    bytes_of(singles.p + from, end[i] - from)));
		assert_int_equal(a.single[i].id.serial.p[19], i);
		assert_int_equal(a.single[i].state, i % 3);
	}
	c.singles = BYTES_NONE;
	assert_int_equal(ocsp_tbs_compose(&c, &tbs, &e), ERR_INVALID);
	assert_string_equal(e.id, "ocsp-spec");
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
		cmocka_unit_test(extensions_of_answers),
		cmocka_unit_test(composed_of_sixteen),
		cmocka_unit_test(read_back),
		cmocka_unit_test(orders),
		cmocka_unit_test(answers_of_others),
		cmocka_unit_test(error_answers),
		cmocka_unit_test(refresh),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
