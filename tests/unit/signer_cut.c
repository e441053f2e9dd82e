/*
 * Power is lost between two records of one act: the journal is cut behind each
 * of them, and the act is asked for again.  It counts once, whole or not at
 * all, wherever the cut is.
 */
#include "fake/signer_asks.h"

#define HEAD "refrendo-journal/2\n"

/* --- The journal of an act ------------------------------------------------------ */

/* What it has, but for marks and signatures. */
struct acts {
	char text[4096];
};

static void
note(void *ctx, const struct journal_record *r)
{
	struct acts *a = ctx;
	char hash[HEX_LEN(SHA256_LEN)] = "";
	size_t len = strlen(a->text);
	if (strcmp(r->kind, "mark") == 0 || strcmp(r->kind, "signature") == 0)
		return;
	if (r->digest.len > 0)
		hex_print(hash, r->digest);
	snprintf(a->text + len, sizeof(a->text) - len, "%s %.*s %s\n", r->kind,
	    BYTES_FMT(r->id), hash);
}

static struct acts
acts(struct world *w)
{
	struct acts a = { "" };
	char path[128];
	world_path(w, path);
	OK(journal_read(path, note, &a, e));
	return a;
}

/* The end of the record that begins at that octet. */
static size_t
next_record(struct bytes file, size_t at)
{
	struct reader r = reader_of(bytes_of(file.p + at, file.len - at));
	get_raw(&r, (size_t)get_u32(&r) + SHA256_LEN);
	assert_false(r.bad);
	return (size_t)(r.p - file.p);
}

struct act {
	const char *(*ask)(struct world *w, struct err *refusal);
	/* What must not be had a second time, or NULL. */
	void (*later)(struct world *w);
};

/* Cut behind each record that the act wrote; it wrote at least so many. */
static void
cut(struct world *w, const struct act *x, size_t records)
{
	struct err refusal = { .id = "" };
	char path[128];
	world_path(w, path);
	size_t before = world_file(w, path).len, n = 0;
	assert_string_equal(x->ask(w, &refusal), "ok");
	struct acts whole = acts(w);
	world_stop(w);
	struct bytes file = world_file(w, path);
	for (size_t at = before;; at = next_record(file, at), n++) {
		world_write(path, bytes_of(file.p, at));
		world_start(w);
		assert_string_equal(x->ask(w, &refusal), "ok");
		struct acts now = acts(w);
		if (strcmp(now.text, whole.text) != 0)
			fail_msg("cut behind record %zu:\n%sand not\n%s", n,
			    now.text, whole.text);
		if (x->later != NULL)
			x->later(w);
		world_stop(w);
		if (at == file.len)
			break;
	}
	assert_true(n >= records);
	world_start(w);
}

/* --- Other ceilings ------------------------------------------------------------- */

static struct change wide, back;

static const char *
ask_wide(struct world *w, struct err *refusal)
{
	return change_ask(w, &wide, refusal);
}

/* The officers go back, and the first agreement is told once more. */
static void
no_second_time(struct world *w)
{
	struct err refusal;
	assert_true(bytes_eq(world_told_ceilings(w), wide.file));
	assert_string_equal(change_ask(w, &back, &refusal), "ok");
	(void)change_ask(w, &wide, &refusal);
	assert_true(bytes_eq(world_told_ceilings(w), back.file));
}

static struct world *
begin_ceilings(void)
{
	struct world *w = two_officers();
	struct ceilings c = w->ceilings;
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	world_stop(w);
	world_start(w);
	struct bytes first = world_file_in_force(w);
	change_init(w, &back, "CER-2029-000002", first, &c);
	c.per_hour += 5;
	change_init(w, &wide, "CER-2029-000001", first, &c);
	back.st.base_sha256 = world_hash(w, wide.file);
	return w;
}

static void
ceilings_once(void **state)
{
	struct world *w = begin_ceilings();
	(void)state;
	cut(w, &(struct act){ ask_wide, no_second_time }, 2);
	world_free(w);
}

/* Gone back to between the loss and the second time. */
static void
ceilings_gone_back(void **state)
{
	struct world *w = begin_ceilings();
	struct err refusal = { .id = "" };
	char path[128];
	(void)state;
	world_path(w, path);
	size_t at = world_file(w, path).len;
	assert_string_equal(ask_wide(w, &refusal), "ok");
	world_stop(w);
	struct bytes file = world_file(w, path);
	for (; at < file.len; at = next_record(file, at)) {
		world_write(path, bytes_of(file.p, at));
		world_start(w);
		if (bytes_eq(world_told_ceilings(w), wide.file)) {
			assert_string_equal(change_ask(w, &back, &refusal),
			    "ok");
			(void)ask_wide(w, &refusal);
			assert_true(
			    bytes_eq(world_told_ceilings(w), back.file));
		}
		world_stop(w);
	}
	world_start(w);
	world_free(w);
}

/* --- Policies ------------------------------------------------------------------- */

static struct plan plan;

static const char *
ask_plan(struct world *w, struct err *refusal)
{
	return plan_ask(w, &plan, refusal) == ERR_OK ? "ok" : refusal->id;
}

/* Withdrawn, it does not come back. */
static void
withdrawn(struct world *w)
{
	struct err refusal;
	assert_string_equal(certificate_under(w, "policy 2", w->now), "ok");
	assert_int_equal(end_ask(w, "POL-2029-000001", w->now, &refusal),
	    ERR_OK);
	assert_string_equal(ask_plan(w, &refusal), "signer-agreed-ended");
	assert_string_equal(certificate_under(w, "policy 2", w->now),
	    "signer-policy-unknown");
}

static void
policies_once(void **state)
{
	struct world *w = two_officers();
	(void)state;
	plan_init(w, &plan, "POL-2029-000001", "policy 2");
	plan.st.n = 2;
	plan.st.policy[1] = plan.st.policy[0];
	plan.st.policy[1].is.name = bytes_str("otra");
	plan.st.policy[1].is.sha256 = world_hash(w, bytes_str("otra"));
	cut(w, &(struct act){ ask_plan, withdrawn }, 2);
	world_free(w);
}

/* --- A CA in the place of another ----------------------------------------------- */

static struct ceremony_statement rite;

static const char *
ask_rite(struct world *w, struct err *refusal)
{
	struct bytes answer;
	struct bytes m =
	    world_agreement(w, &rite, buf_bytes(&w->ca_der[1]), "os");
	return world_ask(w, SIGNER_AGREEMENT, m, &answer, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

/* Only the new one signs, until it is stopped; and then none. */
static void
stopped(struct world *w)
{
	struct err refusal;
	assert_string_equal(certificate_under(w, "policy", w->now),
	    "signer-ca-ended");
	assert_int_equal(end_ask(w, CEREMONY_CA_ID "dos", w->now, &refusal),
	    ERR_OK);
	assert_string_equal(ask_rite(w, &refusal), "signer-agreed-ended");
}

static void
ca_once(void **state)
{
	struct world *w = two_officers();
	(void)state;
	world_next_key(w);
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	world_stop(w);
	world_start(w);
	rite = (struct ceremony_statement){
		.origin = bytes_str(w->config.origin),
		.id = bytes_str("CER-2029-000003"),
		.root_sha256 = world_hash(w, buf_bytes(&w->root_der)),
		.n = 1,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + CEREMONY_LIFE_S,
	};
	rite.object[0].kind = CEREMONY_CERTIFICATE;
	rite.object[0].name = bytes_str("dos");
	rite.object[0].replaces = bytes_str("uno");
	rite.object[0].tbs_sha256 = world_hash(w, w->ca_cert[1].tbs);
	cut(w, &(struct act){ ask_rite, stopped }, 2);
	world_free(w);
}

/* --- Certificates ----------------------------------------------------------------- */

static struct wish wish;

static const char *
ask_wish(struct world *w, struct err *refusal)
{
	struct bytes der;
	return wish_ask(w, &wish, &der, refusal) == ERR_OK ? "ok" : refusal->id;
}

static void
appointed_once(struct world *w)
{
	struct err refusal;
	struct bytes der;
	struct wish x;
	wish_minister(w, &x, "NOM-2029-000001", "14-0", RUT_A, w->stranger);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_int_not_equal(wish_ask(w, &x, &der, &refusal), ERR_OK);
	assert_string_equal(refusal.id, "signer-appointment-again");
}

static void
appointment_once(void **state)
{
	struct world *w = two_officers();
	(void)state;
	wish_minister(w, &wish, "NOM-2029-000001", "14-0", RUT_A, w->stranger);
	wish_build(w, &wish, NULL, NULL, NULL);
	cut(w, &(struct act){ ask_wish, appointed_once }, 1);
	world_free(w);
}

static struct bytes renewed;

static void
t_mandate(struct world *w, struct wish *x)
{
	struct cert c;
	uint8_t *profile = arena_get(w->a, SHA256_LEN);
	OK(cert_parse_own(x->container, &c, e));
	cert_profile(&c, profile);
	x->st.type = STATEMENT_MANDATE;
	x->st.request = bytes_str("MAN-2029-000001");
	x->st.request_version = 0;
	x->st.tbs_sha256 = x->st.spki_sha256 = BYTES_NONE;
	x->st.not_before = x->st.not_after = 0;
	x->st.profile_sha256 = bytes_of(profile, SHA256_LEN);
	x->st.until = w->now + 300 * DAY;
	x->st.life_s = 100 * DAY;
	x->st.renewals = 1;
	x->renewed = renewed;
}

/* The mandate, for another certificate. */
static void
renewed_once(struct world *w)
{
	struct err refusal;
	struct bytes der;
	struct wish x;
	wish_holder(w, &x, 0);
	x.spec.not_after = w->now + 100 * DAY - 1;
	wish_build(w, &x, NULL, t_mandate, NULL);
	assert_int_not_equal(wish_ask(w, &x, &der, &refusal), ERR_OK);
	assert_string_equal(refusal.id, "signer-mandate-over");
}

static void
renewal_once(void **state)
{
	struct world *w = two_officers();
	struct err refusal;
	struct bytes der;
	struct wish x;
	(void)state;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_OK);
	renewed = arena_copy(w->a, der);
	wish_holder(w, &wish, 0);
	wish.spec.not_after = w->now + 100 * DAY - 1;
	wish_build(w, &wish, NULL, t_mandate, NULL);
	cut(w, &(struct act){ ask_wish, renewed_once }, 1);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceilings_once),
		cmocka_unit_test(ceilings_gone_back),
		cmocka_unit_test(policies_once),
		cmocka_unit_test(ca_once),
		cmocka_unit_test(appointment_once),
		cmocka_unit_test(renewal_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
