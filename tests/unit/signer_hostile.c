/*
 * What a hostile core cannot reach by time, restarts and repetition; what it
 * cannot reach by lying is in tests/hostile.
 */
#include "fake/signer_world.h"

static uint8_t *
writable(struct world *w, struct bytes *b)
{
	uint8_t *copy = arena_get(w->a, b->len + 1);
	memcpy(copy, b->p, b->len);
	*b = bytes_of(copy, b->len);
	return copy;
}

static void
t_by_stranger(struct world *w, struct wish *x)
{
	x->by = w->stranger;
	x->by_cert = buf_bytes(&w->stranger_der);
}

static void
b_no_evidence(struct world *w, struct wish *x)
{
	(void)w;
	x->evidence = BYTES_NONE;
}

/* --- What depends on time and on what happened before ------------------------------------ */

static const char *
ask_id(struct world *w, struct wish *x)
{
	static struct err refusal;
	struct bytes der;
	return wish_ask(w, x, &der, &refusal) == ERR_OK ? "ok" : refusal.id;
}

static void
end_appointment(struct world *w, const char *id, int64_t at)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_end m = { bytes_str(id), at };
	struct bytes answer;
	struct err refusal = { .id = "" };
	signer_end_encode(&m, &body);
	if (world_ask(w, SIGNER_END, buf_bytes(&body), &answer, &refusal) !=
	    ERR_OK)
		fail_msg("%s", refusal.id);
	assert_int_equal(answer.len, 0);
}

/* F34: the endorsement was good when it was given. */
static void
f34_appointment_ends_before_the_signature(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish before, after;
	wish_holder(w, &before, 0);
	wish_build(w, &before, NULL, NULL, NULL);
	wish_holder(w, &after, 0);
	wish_build(w, &after, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &before), "ok");
	end_appointment(w, "NOM-2026-000001", w->now);
	assert_string_equal(ask_id(w, &after), "signer-appointment-ended");
	/* What was signed stays signed, and is answered again. */
	assert_string_equal(ask_id(w, &before), "ok");
	/* Nor does a restart give the right back. */
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_id(w, &after), "signer-appointment-ended");
	/* Other ministers are not touched. */
	wish_holder(w, &after, 1);
	wish_build(w, &after, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &after), "ok");
	world_free(w);
}

static void
appointment_in_force_only_from_until(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	struct bytes der;
	struct err refusal;
	struct key *key = w->stranger;
	wish_minister(w, &x, "NOM-2026-000050", "14-0", RUT_A, key);
	x.st.from = w->now + 10 * DAY;
	x.st.until = w->now + 20 * DAY;
	x.spec.not_before = x.st.from;
	x.spec.not_after = x.st.until - 1;
	wish_build(w, &x, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_OK);
	static const struct {
		int64_t day;
		const char *want;
	} days[] = { { 0, "signer-appointment-time" }, { 11, "ok" },
		{ 21, "signer-appointment-time" } };
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		w->now = WORLD_NOW + days[i].day * DAY;
		struct wish h;
		wish_holder(w, &h, 0);
		h.by = key;
		h.by_cert = der;
		wish_build(w, &h, NULL, NULL, NULL);
		assert_string_equal(ask_id(w, &h), days[i].want);
	}
	world_free(w);
}

/* F33: the same bytes for another request, or after their time. */
static void
f33_endorsement_replayed(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish good, other;
	wish_holder(w, &good, 0);
	wish_build(w, &good, NULL, NULL, NULL);
	wish_holder(w, &other, 0);
	wish_build(w, &other, NULL, NULL, NULL);
	struct wish replay = other;
	replay.statement = good.statement;
	replay.evidence = good.evidence;
	assert_string_equal(ask_id(w, &replay), "signer-tbs-hash");
	w->now += 2 * HOUR;
	assert_string_equal(ask_id(w, &good), "signer-statement-expired");
	world_free(w);
}

static void
per_hour_is_counted_across_restarts(void **state)
{
	(void)state;
	struct world *w = world_new(); /* three ministers count */
	w->ceilings.per_hour = 5;
	world_stop(w);
	world_start(w);
	struct wish x;
	for (int i = 0; i < 3; i++) {
		wish_holder(w, &x, 0);
		wish_build(w, &x, NULL, NULL, NULL);
		assert_string_equal(ask_id(w, &x),
		    i < 2 ? "ok" : "signer-rate");
	}
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_id(w, &x), "signer-rate");
	w->now += HOUR + MINUTE;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &x), "ok");
	world_free(w);
}

static const char *
ask_for(struct world *w, size_t minister)
{
	struct wish x;
	wish_holder(w, &x, minister);
	if (minister == 2)
		x.st.institution = bytes_str(RUT_B);
	wish_build(w, &x, NULL, NULL, NULL);
	return ask_id(w, &x);
}

/* One institution's officials do not use up what the others may have. */
static void
each_institution_has_its_hour(void **state)
{
	(void)state;
	struct world *w = world_new(); /* two ministers of A, one of B */
	w->ceilings.per_hour_institution = 4;
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_for(w, 0), "ok");
	assert_string_equal(ask_for(w, 1), "ok");
	assert_string_equal(ask_for(w, 0), "signer-rate-institution");
	assert_string_equal(ask_for(w, 2), "ok");
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_for(w, 1), "signer-rate-institution");
	assert_string_equal(ask_for(w, 2), "ok");
	w->now += HOUR + MINUTE;
	assert_string_equal(ask_for(w, 0), "ok");
	world_free(w);
}

/* After its last instant a campaign counts no more, whoever asks. */
static void
a_campaign_ends_by_itself(void **state)
{
	(void)state;
	struct world *w = world_new(); /* three ministers count in all */
	w->ceilings.per_hour = 4;
	w->ceilings.per_hour_institution = 3;
	w->ceilings.campaign_until = w->now + 2 * HOUR;
	w->ceilings.campaign_per_hour = 100;
	w->ceilings.campaign_per_hour_institution = 6;
	world_stop(w);
	world_start(w);
	for (int i = 0; i < 4; i++)
		assert_string_equal(ask_for(w, 0), "ok");
	assert_string_equal(ask_for(w, 0), "signer-rate-institution");
	w->now = w->ceilings.campaign_until - MINUTE;
	for (int i = 0; i < 6; i++)
		assert_string_equal(ask_for(w, 1), "ok");
	w->now = w->ceilings.campaign_until;
	assert_string_equal(ask_for(w, 2), "ok");
	/* What was signed while it lasted counts, by the lower count. */
	w->now++;
	assert_string_equal(ask_for(w, 2), "signer-rate");
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_for(w, 0), "signer-rate");
	w->now += HOUR + MINUTE;
	for (int i = 0; i < 3; i++)
		assert_string_equal(ask_for(w, 0), "ok");
	assert_string_equal(ask_for(w, 0), "signer-rate-institution");
	world_free(w);
}

/* Who tries too much gets nothing more for an hour, by whatever restarts; what
 * takes rights away, and what certificates that exist need, goes on. */
static void
too_many_refusals_stop_the_signer(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	w->ceilings.refusals_per_hour = 3;
	world_stop(w);
	world_start(w);
	for (int i = 0; i < 4; i++) {
		assert_string_equal(ask_for(w, 0), "ok");
		wish_holder(w, &x, 0);
		wish_build(w, &x, NULL, NULL, b_no_evidence);
		assert_string_equal(ask_id(w, &x), "signer-quorum");
	}
	int64_t stopped = w->now;
	for (int again = 0; again < 2; again++) {
		assert_string_equal(ask_for(w, 0), "signer-anomaly");
		world_stop(w);
		world_start(w);
	}
	struct signer_numbers numbers;
	signer_numbers(w->signer, &numbers);
	assert_int_equal(numbers.stopped_until, stopped + HOUR);
	assert_int_equal(numbers.certificates, MINISTERS + 4);
	end_appointment(w, "NOM-2026-000002", w->now);
	w->now += HOUR - 1;
	assert_string_equal(ask_for(w, 0), "signer-anomaly");
	w->now++;
	assert_string_equal(ask_for(w, 0), "ok");
	/* Spread over hours, as many are no anomaly. */
	for (int i = 0; i < 9; i++) {
		w->now += HOUR / 3 + MINUTE;
		wish_holder(w, &x, 0);
		wish_build(w, &x, NULL, NULL, b_no_evidence);
		assert_string_equal(ask_id(w, &x), "signer-quorum");
	}
	assert_string_equal(ask_for(w, 0), "ok");
	world_free(w);
}

static void
clock_behind_the_journal(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	w->now -= HOUR;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct bytes der;
	struct err refusal;
	/* A clock is set right: the same bytes may be asked for again. */
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_BUSY);
	assert_string_equal(refusal.id, "signer-clock");
	end_appointment(w, "NOM-2026-000001", w->now);
	world_free(w);
}

/* --- Incidents ------------------------------------------------------------------------------ */

static void
incident_02_short_serials(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (size_t len = 1; len <= SERIAL_MAX; len++) {
		struct wish x;
		wish_holder(w, &x, 0);
		wish_build(w, &x, NULL, NULL, NULL);
		wish_shorten(w, &x, len);
		/* From 16 on it is only another TBS than the endorsed one. */
		const char *want = len < 16   ? "lint-serial-short"
				   : len < 20 ? "signer-tbs-hash"
					      : "ok";
		assert_string_equal(ask_id(w, &x), want);
	}
	world_free(w);
}

static void
incident_03_serial_twice_after_restart(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x, y;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &x), "ok");
	world_stop(w);
	world_start(w);
	wish_holder(w, &y, 1);
	memcpy(y.serial, x.serial, SERIAL_MAX);
	y.spec.not_after--;
	wish_build(w, &y, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &y), "signer-serial-used");
	/* Nor within one batch: the second of the two is refused. */
	struct wish a, b;
	wish_holder(w, &a, 0);
	wish_build(w, &a, NULL, NULL, NULL);
	wish_holder(w, &b, 1);
	memcpy(b.serial, a.serial, SERIAL_MAX);
	b.spec.not_after--;
	wish_build(w, &b, NULL, NULL, NULL);
	struct buf in AUTO_BUF = BUF(1u << 20), out AUTO_BUF = BUF(1u << 20);
	struct err e;
	frame_put(&in, SIGNER_CERTIFICATE, 1, wish_body(w, &a));
	frame_put(&in, SIGNER_CERTIFICATE, 2, wish_body(w, &b));
	assert_int_equal(world_batch(w, buf_bytes(&in), &out, &e), ERR_OK);
	struct frame f;
	size_t used;
	assert_int_equal(frame_cut(buf_bytes(&out), signer_cap, &f, &used, &e),
	    ERR_OK);
	assert_int_equal(f.type, SIGNER_CERTIFICATE | SIGNER_ANSWER);
	buf_drop(&out, used);
	assert_int_equal(frame_cut(buf_bytes(&out), signer_cap, &f, &used, &e),
	    ERR_OK);
	assert_int_equal(f.type, SIGNER_CERTIFICATE | SIGNER_REFUSAL);
	world_free(w);
}

/* F38 and row 15: any octet of the stored TBS changed after endorsement. */
static void
incident_15_one_octet_changed_after_endorsement(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct cert good;
	OK(cert_parse(x.container, &good, e));
	size_t first = (size_t)(good.tbs.p - x.container.p);
	for (size_t i = first; i < first + good.tbs.len; i++) {
		struct wish bad = x;
		writable(w, &bad.container)[i] ^= 1;
		const char *id = ask_id(w, &bad);
		if (strcmp(id, "ok") == 0)
			fail_msg("octet %zu was changed and signed", i);
	}
	assert_string_equal(ask_id(w, &x), "ok");
	world_free(w);
}

/* Row 37: whoever writes to the socket gets nothing without an endorsement. */
static void
incident_37_no_signature_without_endorsement(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, b_no_evidence);
	assert_string_equal(ask_id(w, &x), "signer-quorum");
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, t_by_stranger, NULL);
	assert_string_equal(ask_id(w, &x), "signer-minister-unknown");
	world_free(w);
}

/* Row 40: 27 combinations of three persons; only three different ones. */
static void
incident_40_three_persons(void **state)
{
	(void)state;
	static const char *const runs[] = { "11111111-1", "22222222-2",
		"14-0" };
	struct world *w = world_new();
	struct wish third;
	struct bytes der;
	struct err refusal;
	/* The third person is a deputy of the same institution. */
	wish_minister(w, &third, "NOM-2026-000060", "14-0", RUT_A, w->stranger);
	third.st.deputy = true;
	wish_build(w, &third, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &third, &der, &refusal), ERR_OK);
	int signed_ = 0;
	for (int i = 0; i < 27; i++) {
		int minister = i % 3, holder = i / 3 % 3, operator_ = i / 9;
		struct wish x;
		wish_holder(w, &x, minister == 2 ? 0 : (size_t)minister);
		if (minister == 2) {
			x.by = w->stranger;
			x.by_cert = der;
		}
		wish_subject(w, &x, runs[holder]);
		x.st.holder_run = bytes_str(runs[holder]);
		/* A key belongs to one person. */
		x.spec.spki =
		    key_spki(holder == 2 ? w->stranger : w->minister[holder]);
		x.st.operator_run = bytes_str(runs[operator_]);
		wish_build(w, &x, NULL, NULL, NULL);
		bool ok = strcmp(ask_id(w, &x), "ok") == 0;
		bool distinct = minister != holder && holder != operator_ &&
				minister != operator_;
		if (ok != distinct)
			fail_msg("minister %d holder %d operator %d", minister,
			    holder, operator_);
		signed_ += ok;
	}
	assert_int_equal(signed_, 6);
	/* A second certificate of the same person is the same person. */
	wish_minister(w, &third, "NOM-2026-000061", "14-0", RUT_A, w->holder);
	wish_build(w, &third, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &third, &der, &refusal), ERR_OK);
	struct wish x;
	wish_holder(w, &x, 0);
	x.by = w->holder;
	x.by_cert = der;
	wish_subject(w, &x, "14-0");
	x.st.holder_run = bytes_str("14-0");
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &x), "signer-own-certificate");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f34_appointment_ends_before_the_signature),
		cmocka_unit_test(appointment_in_force_only_from_until),
		cmocka_unit_test(f33_endorsement_replayed),
		cmocka_unit_test(per_hour_is_counted_across_restarts),
		cmocka_unit_test(each_institution_has_its_hour),
		cmocka_unit_test(a_campaign_ends_by_itself),
		cmocka_unit_test(too_many_refusals_stop_the_signer),
		cmocka_unit_test(clock_behind_the_journal),
		cmocka_unit_test(incident_02_short_serials),
		cmocka_unit_test(incident_03_serial_twice_after_restart),
		cmocka_unit_test(
		    incident_15_one_octet_changed_after_endorsement),
		cmocka_unit_test(incident_37_no_signature_without_endorsement),
		cmocka_unit_test(incident_40_three_persons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
