#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/crl.h>

#include "fake/ca_world.h"

/*
 * What ca/ writes satisfies the auditor who trusts nobody: the log of a world
 * in which everything happened is exported and verified.
 */

/* --- CRLs from the rows of ROW_REVOKED ---------------------------------------- */

struct walk {
	struct world *w;
	struct bytes prefix, after;
	uint8_t room[ROW_KEY_MAX];
};

static enum err_code
walk_rewind(void *ctx, struct err *e)
{
	struct walk *k = ctx;

	(void)e;
	k->after = k->prefix;
	return ERR_OK;
}

static enum err_code
walk_next(void *ctx, struct bytes *run, size_t *n, bool *more, struct err *e)
{
	struct walk *k = ctx;
	struct bytes key, value;
	struct listed_row row;

	TRY(view_next(k->w->v, k->prefix, k->after, &key, &value, more, e));
	if (!*more)
		return ERR_OK;
	k->after = arena_copy(k->w->a, key);
	TRY(rec_decode(&rec_revoked, arena_copy(k->w->a, value), &row, e));
	*run = row.entries;
	*n = row.ends.len / LISTED_END;
	return ERR_OK;
}

static enum err_code
put_block(void *ctx, struct bytes block, struct err *e)
{
	buf_put(ctx, block.p, block.len);
	return buf_end(ctx, e);
}

static struct bytes
make_crl(struct world *w, const struct ca_issuer *is, struct key *key,
    uint64_t number)
{
	struct walk walk = { .w = w };
	struct crl_runs runs = { &walk, walk_rewind, walk_next };
	struct crl_plan plan;
	uint8_t block[CRL_BLOCK_MIN];
	struct crl_spec spec = { .issuer = is->cert.subject,
		.issuer_ski = is->cert.ski,
		.issuer_type = is->type,
		.number = number,
		.this_update = w->now,
		.next_update = w->now + DAY };
	struct buf tbs AUTO_BUF = BUF(1 << 16);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(1 << 16);
	struct crl_sink sink = { &tbs, put_block, block, sizeof(block) };

	walk.prefix = ca_list_key(walk.room, bytes_str(is->name), 0);
	world_must(w, crl_plan_runs(&spec, &runs, &plan, &w->e), "a CRL");
	world_must(w, crl_write_runs(&spec, &plan, &runs, &sink, &w->e),
	    "a CRL");
	world_must(w, key_sign(key, buf_bytes(&tbs), &sig, &w->e), "a CRL");
	world_must(w,
	    signed_assemble(buf_bytes(&tbs), key_type_sigalg(is->type),
		buf_bytes(&sig), &der, &w->e),
	    "a CRL");
	return arena_copy(w->a, buf_bytes(&der));
}

static struct bytes
publish(struct world *w, const struct ca_issuer *is, struct key *key,
    uint64_t number)
{
	struct bytes der = make_crl(w, is, key, number);
	struct decision d = { .n = 1 };
	struct bytes tbs, alg, signature;
	uint8_t hash[SHA256_LEN];

	world_must(w, signed_split(der, &tbs, &alg, &signature, &w->e), "tbs");
	sha256(hash, tbs);
	struct crl_published crl = { .issuer = bytes_str(is->name),
		.number = (int64_t)number,
		.covers = fake_view_entries(w->v),
		.sha256 = bytes_of(hash, sizeof(hash)),
		.this_update = w->now,
		.next_update = w->now + DAY };
	world_must(w,
	    ca_decide_crl(w->v, &crl, w->now, w->a, &d.draft[0], &w->e),
	    "crl.published");
	world_must(w, world_append(w, &d), "crl.published");
	return der;
}

/* --- Everything that can happen -------------------------------------------------- */

static void
must(struct world *w, struct command c)
{
	world_must(w, world_run(w, &c), ca_acts[c.act].name);
}

static void
much_happens(struct world *w)
{
	struct err no;

	world_populate(w);
	world_minister(w, RUT_A, DEPUTY, "Delia Suplente", "deputy");
	const char *a = world_issue(w, HOLDER, "a");
	const char *b = world_issue(w, HOLDER, "b");
	const char *c = world_issue(w, HOLDER_2, "c");
	w->ceilings.endorsements = 2;
	const char *both =
	    world_request(w, HOLDER_2, "both", "funcionario-firma");
	must(w, world_endorsement(w, "deputy", both));
	must(w, world_endorsement(w, "minister", both));
	assert_int_equal(world_sign(w, NULL), 1);
	w->ceilings.endorsements = 1;
	must(w, world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, HOLDER,
		    CF_SERIAL, a, CF_CAUSE, "key-compromise", CF_INVALID_SINCE,
		    "2027-01-01", CF_COUNT));
	must(w, world_command(w, ACT_CERTIFICATE_SUSPEND, CF_AS, MINISTER,
		    CF_SERIAL, b, CF_CAUSE, "technical", CF_COUNT));
	must(w, world_command(w, ACT_CERTIFICATE_SUSPEND, CF_AS, MINISTER,
		    CF_SERIAL, c, CF_CAUSE, "technical", CF_COUNT));
	must(w, world_command(w, ACT_CERTIFICATE_REINSTATE, CF_AS, MINISTER,
		    CF_SERIAL, c, CF_COUNT));
	must(w, world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, OPERATOR,
		    CF_SERIAL, c, CF_CAUSE, "office-ended", CF_COUNT));
	/* One that the signer refuses for good, then tried again. */
	const char *id = world_request(w, HOLDER, "d", "firma-estricta");
	must(w, world_endorsement(w, "deputy", id));
	(void)err_say(&no, ERR_DENIED, "ceiling", "the signer says no");
	assert_int_equal(world_sign(w, &no), 1);
	must(w, world_command(w, ACT_REQUEST_RETRY, CF_AS, OPERATOR, CF_REQUEST,
		    id, CF_COUNT));
	must(w, world_endorsement(w, "deputy", id));
	assert_int_equal(world_sign(w, NULL), 1);
	/* Returned, submitted again, rejected; one withdrawn as a draft. */
	id = world_request(w, HOLDER_2, "e", "firma-estricta");
	must(w, world_command(w, ACT_REQUEST_RETURN, CF_AS, MINISTER,
		    CF_REQUEST, id, CF_REASON, "otra clave", CF_COUNT));
	must(w, world_command(w, ACT_REQUEST_SUBMIT, CF_AS, OPERATOR,
		    CF_REQUEST, id, CF_COUNT));
	must(w, world_command(w, ACT_REQUEST_REJECT, CF_AS, MINISTER,
		    CF_REQUEST, id, CF_REASON, "no ejerce", CF_COUNT));
	must(w, world_command(w, ACT_REQUEST_NEW, CF_AS, HOLDER, CF_RUT, RUT_A,
		    CF_RUN, HOLDER, CF_POLICY, "firma-estricta", CF_DRAFT,
		    "true", CF_COUNT));
	/* An intent that is revoked. */
	id = world_request(w, HOLDER_2, "f", "funcionario-firma");
	must(w, world_endorsement(w, "minister", id));
	must(w,
	    world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS, MINISTER, CF_SERIAL,
		world_serial(w, id), CF_CAUSE, "data-changed", CF_COUNT));
	must(w, world_command(w, ACT_APPOINTMENT_END, CF_AS, OFFICER_2,
		    CF_APPOINTMENT, "NOM-2027-000002", CF_REASON, "cesa",
		    CF_COUNT));
	w->now += 6 * DAY;
	assert_int_equal(world_tick(w), 1);
}

/* --- The export ------------------------------------------------------------------- */

static void
put_log(struct world *w, struct buf *out)
{
	export_header(out, w->ca.origin, w->now);
	export_certificate(out, "issuer", w->issuer.name, w->issuer.cert.der);
	for (size_t i = 0; i < w->policies->n; i++)
		export_policy(out, w->policies->policy[i].text);
	for (size_t i = 0; i < fake_view_entries(w->v); i++) {
		struct entry en = *fake_view_entry(w->v, i);
		world_must(w, entry_parse(&en, w->a, &w->e), "an entry");
		export_entry(out, &en);
	}
}

static void
put_checkpoint(struct world *w, struct buf *out)
{
	struct checkpoint cp = { .origin = w->ca.origin,
		.size = fake_view_entries(w->v) };
	struct buf note AUTO_BUF = BUF(CHECKPOINT_MAX);

	world_must(w, view_log_root(w->v, cp.root, &w->e), "root");
	world_must(w, checkpoint_sign(&cp, w->log_key, &note, &w->e), "note");
	export_checkpoint(out, buf_bytes(&note));
}

static void
verify(struct world *w, struct bytes text, struct audit_report *report,
    struct err_list *faults)
{
	AUTO(audit) audit = NULL;

	world_must(w, audit_new(key_spki(w->log_key), &audit, &w->e),
	    "an auditor");
	for (size_t at = 0; at < text.len;) {
		const uint8_t *end = memchr(text.p + at, '\n', text.len - at);
		assert_non_null(end);
		size_t len = (size_t)(end - text.p) - at;
		audit_line(audit, bytes_of(text.p + at, len), faults);
		at += len + 1;
	}
	audit_finish(audit, report, faults);
}

static void
an_auditor_finds_nothing(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	struct buf out AUTO_BUF = BUF(16u << 20);
	struct audit_report report;
	struct err_list faults = { NULL, 0, 0 };

	much_happens(w);
	(void)publish(w, &w->issuer, w->issuer_key, 1);
	w->now += HOUR;
	struct bytes last = publish(w, &w->issuer, w->issuer_key, 2);
	assert_true(fake_view_replays(w->v));
	put_log(w, &out);
	export_crl(&out, w->issuer.name, last);
	put_checkpoint(w, &out);
	world_must(w, buf_end(&out, &w->e), "the export");
	verify(w, buf_bytes(&out), &report, &faults);
	for (size_t i = 0; i < faults.len; i++)
		print_message("%s [%s] %s\n", faults.v[i].say, faults.v[i].id,
		    faults.v[i].why);
	assert_int_equal(faults.count, 0);
	assert_int_equal(report.entries, fake_view_entries(w->v));
	assert_int_equal(report.certificates, 5);
	assert_int_equal(report.endorsements, 8);
	err_list_fini(&faults);
}

static void
the_engines_own_entries(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct decision d = { .n = 1 };
	uint8_t hash[SHA256_LEN] = { 0 };
	struct crl_published one = { .issuer = bytes_str(w->issuer.name),
		.number = 7,
		.sha256 = bytes_of(hash, sizeof(hash)),
		.this_update = w->now,
		.next_update = w->now + DAY };

	(void)publish(w, &w->issuer, w->issuer_key, 7);
	/* Numbers rise (RFC 5280 5.2.3). */
	assert_int_equal(ca_decide_crl(w->v, &one, w->now, w->a, &d.draft[0],
			     &w->e),
	    ERR_CONFLICT);
	assert_string_equal(w->e.say,
	    "the number of a CRL must be greater than 7, the one published "
	    "last");
	one.number = 8;
	one.base = 8;
	assert_int_equal(ca_decide_crl(w->v, &one, w->now, w->a, &d.draft[0],
			     &w->e),
	    ERR_INVALID);
	/* A responder's certificate is kept under its issuer. */
	world_must(w,
	    ca_decide_responder(w->v, bytes_str(w->issuer.name),
		w->issuer.cert.der, w->now, w->a, &d.draft[0], &w->e),
	    "responder");
	world_must(w, world_append(w, &d), "responder");
	struct responder_row row;
	bool found;
	world_must(w,
	    rec_get(w->v, &rec_responder,
		ca_row_key(w->a, ROW_RESPONDER, bytes_str(w->issuer.name)),
		w->a, &row, &found, &w->e),
	    "its row");
	assert_true(found && bytes_eq(row.certificate, w->issuer.cert.der));
	assert_true(fake_view_replays(w->v));
}

/* What was refused is kept, changes no row, and its key stays free. */
static void
refused_acts_are_kept(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, HOLDER_2, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "funcionario-firma", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "k");
	struct decision d = { .n = 1 };
	size_t rows = fake_view_rows(w->v);

	assert_int_equal(world_run(w, &c), ERR_FORBIDDEN);
	struct err why = w->e;
	world_must(w, ca_decide_refused(&c, &why, w->a, &d.draft[0], &w->e),
	    "refused");
	world_must(w, world_append(w, &d), "act.refused");
	assert_int_equal(fake_view_rows(w->v), rows);
	const struct entry *en =
	    fake_view_entry(w->v, fake_view_entries(w->v) - 1);
	assert_int_equal(en->type, ENTRY_ACT_REFUSED);
	assert_non_null(
	    memmem(en->detail.p, en->detail.len, "\"error\":\"role-missing\"",
		strlen("\"error\":\"role-missing\"")));
	/* Bytes that are no text are left out of it. */
	struct command junk = c;
	junk.f[CF_AS] = bytes_of("a\0b", 3);
	junk.f[CF_KEY] = junk.f[CF_CSR];
	assert_int_equal(world_run(w, &junk), ERR_INVALID);
	why = w->e;
	world_must(w, ca_decide_refused(&junk, &why, w->a, &d.draft[0], &w->e),
	    "junk");
	world_must(w, world_append(w, &d), "act.refused of junk");
	struct bytes key = c.f[CF_KEY];
	c.f[CF_AS] = bytes_str(OPERATOR);
	c.f[CF_KEY] = key;
	world_must(w, world_run(w, &c), "the same key, by who may");
	/* From now on it stands for this command alone. */
	c.f[CF_RUN] = bytes_str(HOLDER_2);
	assert_int_equal(world_run(w, &c), ERR_CONFLICT);
	assert_string_equal(w->e.say,
	    "the idempotency key was used for another command; choose a new "
	    "key");
}

/* A signer that lies in bytes that are no text moves nothing but its act. */
static void
a_refusal_that_is_no_text(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	struct err no;
	world_populate(w);
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");
	struct command c = world_endorsement(w, "minister", id);

	world_must(w, world_run(w, &c), "endorse");
	(void)err_say(&no, ERR_DENIED, "ceiling", "no");
	no.say[0] = (char)0xff;
	assert_int_equal(world_sign(w, &no), 1);
	assert_true(bytes_is(world_get_request(w, id).reason,
	    "(a sentence that is not UTF-8)"));
	assert_true(fake_view_replays(w->v));
}

/* The answer that arrives twice, as after a crash, and one that differs. */
static void
answers_that_repeat(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	(void)world_issue(w, HOLDER, "k");
	struct request r = world_get_request(w, "SOL-2027-000001");
	struct bytes der = world_get_certificate(w, r.serial).certificate;
	struct random_pool pool = { .used = 0 };
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf other AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct bytes tbs, sigalg, signature;
	struct decision d;
	struct work work;

	world_must(w,
	    ca_signed(&w->ca, w->v, r.id, der, NULL, w->now, &pool, w->a, &d,
		&w->e),
	    "the same answer");
	assert_int_equal(d.n, 0);
	assert_true(bytes_eq(d.object, ca_row_key(w->a, ROW_REQUEST, r.id)));
	world_must(w, signed_split(der, &tbs, &sigalg, &signature, &w->e), "");
	world_must(w, key_sign(w->issuer_key, tbs, &sig, &w->e), "again");
	world_must(w,
	    signed_assemble(tbs, sigalg, buf_bytes(&sig), &other, &w->e), "");
	assert_int_equal(ca_signed(&w->ca, w->v, r.id, buf_bytes(&other), NULL,
			     w->now, &pool, w->a, &d, &w->e),
	    ERR_CONFLICT);
	assert_string_equal(w->e.say,
	    "the signer answered twice with different certificates for one "
	    "serial number");
	assert_int_equal(ca_work(w->v, r.id, w->a, &work, &w->e), ERR_NOTFOUND);
	assert_string_equal(w->e.say,
	    "nothing waits for a signature under SOL-2027-000001");
	assert_int_equal(ca_signed(&w->ca, w->v, bytes_str("SOL-2027-000009"),
			     der, NULL, w->now, &pool, w->a, &d, &w->e),
	    ERR_NOTFOUND);
}

/* The container is signed by nobody: not good enough. */
static void
the_container_is_no_answer(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	const char *id = world_request(w, HOLDER, "k", "funcionario-firma");
	struct command c = world_endorsement(w, "minister", id);
	struct random_pool pool = { .used = 0 };
	struct decision d;

	world_must(w, world_run(w, &c), "endorse");
	struct request r = world_get_request(w, id);
	assert_int_equal(ca_signed(&w->ca, w->v, r.id, r.container, NULL,
			     w->now, &pool, w->a, &d, &w->e),
	    ERR_INVALID);
	assert_int_equal(ca_signed(&w->ca, w->v, r.id, bytes_str("junk"), NULL,
			     w->now, &pool, w->a, &d, &w->e),
	    ERR_INVALID);
	assert_int_equal(world_get_request(w, id).state, REQ_ENDORSED);
	assert_int_equal(world_sign(w, NULL), 1);
}

/* A serial needs a clock near the present. */
static void
a_clock_from_1970(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "funcionario-firma", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "k");
	w->now = 5 * DAY;
	assert_int_equal(world_decide(w, &c), ERR_CONFLICT);
	assert_string_equal(w->e.id, "serial-clock");
}

/* Printed for whoever tunes it; the budget is in PERFORMANCE. */
static void
how_long_a_submission_takes(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "funcionario-firma", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "k");
	int64_t start = clock_mono_ms();
	size_t n = 500;

	for (size_t i = 0; i < n; i++)
		world_must(w, world_decide(w, &c), "decide");
	print_message("ca_decide of request.new: %lld us\n",
	    (long long)((clock_mono_ms() - start) * 1000 / (int64_t)n));
	assert_int_equal(w->out.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_auditor_finds_nothing),
		cmocka_unit_test(the_engines_own_entries),
		cmocka_unit_test(refused_acts_are_kept),
		cmocka_unit_test(a_refusal_that_is_no_text),
		cmocka_unit_test(answers_that_repeat),
		cmocka_unit_test(the_container_is_no_answer),
		cmocka_unit_test(a_clock_from_1970),
		cmocka_unit_test(how_long_a_submission_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
