/*
 * Renewals under a mandate: what a minister signed once for many certificates,
 * and what a hostile core makes of it.
 */
#include <stdio.h>
#include <string.h>

#include "attempts.h"

/* The certificate that is renewed, signed here; and what the row lies about. */
static struct bytes renewed;
static wish_fn lie;

static void
t_mandate(struct world *w, struct wish *x)
{
	struct cert c;
	uint8_t *profile = arena_get(w->a, SHA256_LEN);
	OK(cert_parse_own(x->container, &c, e));
	cert_profile(&c, profile);
	x->st.type = STATEMENT_MANDATE;
	x->st.request_version = 0;
	x->st.tbs_sha256 = x->st.spki_sha256 = BYTES_NONE;
	x->st.not_before = x->st.not_after = 0;
	x->st.profile_sha256 = bytes_of(profile, SHA256_LEN);
	x->st.until = w->now + 300 * DAY;
	x->st.life_s = 100 * DAY;
	x->st.renewals = 3;
	if (lie != NULL)
		lie(w, x);
}

static void
renewal(struct world *w, struct wish *x, const char *id)
{
	wish_holder(w, x, 0);
	x->spec.not_after = w->now + 100 * DAY - 1;
	x->st.request = bytes_str(id);
	x->renewed = renewed;
}

static void
first_one_until(struct world *w, int64_t not_after)
{
	struct wish x;
	wish_holder(w, &x, 0);
	if (not_after != 0)
		x.spec.not_after = not_after;
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &renewed, e));
	renewed = arena_copy(w->a, renewed);
	attempt_begins(w);
}

static void
first_one(struct world *w)
{
	first_one_until(w, 0);
}

static const char *
under(struct world *w, wish_fn spec, wish_fn says, wish_fn bytes,
    struct err *refusal)
{
	static unsigned count;
	struct wish x;
	char id[32];
	first_one(w);
	snprintf(id, sizeof(id), "MAN-2028-%06u", ++count);
	renewal(w, &x, arena_str(w->a, bytes_str(id)));
	lie = says;
	wish_build(w, &x, spec, t_mandate, bytes);
	return wish_id(w, &x, refusal);
}

#define ROW(name, spec, says, bytes)                                  \
	static const char *name(struct world *w, struct err *refusal) \
	{                                                             \
		return under(w, spec, says, bytes, refusal);          \
	}
#define CHANGE(name, change)                              \
	static void name(struct world *w, struct wish *x) \
	{                                                 \
		(void)w;                                  \
		change;                                   \
	}

static void
profile_of_renewed(struct world *w, struct wish *x)
{
	struct cert c;
	uint8_t *profile = arena_get(w->a, SHA256_LEN);
	OK(cert_parse_own(renewed, &c, e));
	cert_profile(&c, profile);
	x->st.profile_sha256 = bytes_of(profile, SHA256_LEN);
}

CHANGE(s_person, wish_subject(w, x, "14-0"))
CHANGE(s_key, x->spec.spki = key_spki(w->stranger))
CHANGE(s_purpose, x->spec.n_eku = 1)
CHANGE(s_office, x->spec.san[1].value = bytes_str("jefa@prueba.example"))
CHANGE(s_too_long, x->spec.not_after = w->now + 200 * DAY - 1)
CHANGE(s_backdated,
    (x->spec.not_before -= 4 * DAY, x->spec.not_after -= 4 * DAY))
CHANGE(t_person, x->st.holder_run = bytes_str("14-0"))
CHANGE(t_policy, x->st.policy_sha256 = world_hash(w, bytes_str("none")))
CHANGE(t_past, (x->st.issued = w->now - DAY, x->st.until = w->now - 1,
		   x->st.expires = w->now - HOUR))
CHANGE(t_future,
    (x->st.issued = w->now + HOUR, x->st.expires = w->now + 2 * HOUR))
CHANGE(t_ceiling, x->st.until = w->now + 400 * DAY)
CHANGE(t_outlasts, x->st.until = w->now + 365 * DAY + HOUR)
CHANGE(t_short, x->st.until = w->now + 50 * DAY)
CHANGE(t_two, x->st.endorsements = 2)
CHANGE(t_other_institution,
    (x->st.institution = bytes_str(RUT_B), x->by = w->minister[2],
	x->by_cert = buf_bytes(&w->minister_der[2])))
CHANGE(t_other_minister,
    (x->by = w->minister[2], x->by_cert = buf_bytes(&w->minister_der[2])))
CHANGE(t_stranger,
    (x->by = w->stranger, x->by_cert = buf_bytes(&w->stranger_der)))
CHANGE(t_officer, (x->by = w->officer, x->by_cert = buf_bytes(&w->officer_der)))
CHANGE(t_issuer, x->st.issuer = bytes_str("dos"))
CHANGE(t_origin, x->st.origin = bytes_str("otra.example/log"))
CHANGE(b_nothing, x->renewed = BYTES_NONE)
CHANGE(b_container, x->renewed = x->container)
CHANGE(b_no_evidence, x->evidence = BYTES_NONE)

/* One renewal more than the minister signed for. */
static void
b_more(struct world *w, struct wish *x)
{
	uint8_t *p = writable(w, &x->statement);
	char *at = memmem(p, x->statement.len, "\"renewals\":3", 12);
	assert_non_null(at);
	at[11] = '9';
}

ROW(ask_person, s_person, profile_of_renewed, NULL)
ROW(ask_person_named, s_person, t_person, NULL)
ROW(ask_key, s_key, NULL, NULL)
ROW(ask_purpose, s_purpose, NULL, NULL)
ROW(ask_purpose_hidden, s_purpose, profile_of_renewed, NULL)
ROW(ask_names, s_office, profile_of_renewed, NULL)
ROW(ask_institution, NULL, t_other_institution, NULL)
ROW(ask_other_minister, NULL, t_other_minister, NULL)
ROW(ask_policy, NULL, t_policy, NULL)
ROW(ask_past, NULL, t_past, NULL)
ROW(ask_future, NULL, t_future, NULL)
ROW(ask_ceiling, NULL, t_ceiling, NULL)
ROW(ask_outlasts, NULL, t_outlasts, NULL)
ROW(ask_beyond, NULL, t_short, NULL)
ROW(ask_life, s_too_long, NULL, NULL)
ROW(ask_backdated, s_backdated, NULL, NULL)
ROW(ask_two, NULL, t_two, NULL)
ROW(ask_stranger, NULL, t_stranger, NULL)
ROW(ask_officer, NULL, t_officer, NULL)
ROW(ask_issuer, NULL, t_issuer, NULL)
ROW(ask_origin, NULL, t_origin, NULL)
ROW(ask_first, NULL, NULL, b_nothing)
ROW(ask_never_issued, NULL, NULL, b_container)
ROW(ask_no_evidence, NULL, NULL, b_no_evidence)
ROW(ask_other_bytes, NULL, NULL, b_more)

/* --- Again and again ------------------------------------------------------------- */

static void
one_that_may(struct world *w, struct wish *x, const char *id, wish_fn says)
{
	struct err refusal = { .id = "" };
	first_one(w);
	renewal(w, x, id);
	lie = says;
	/* It waited for the signer since the day before yesterday. */
	x->spec.not_before -= 2 * DAY;
	x->spec.not_after -= 2 * DAY;
	wish_build(w, x, NULL, t_mandate, NULL);
	assert_string_equal(wish_id(w, x, &refusal), "ok");
	attempt_begins(w);
}

/* The same mandate for one more. */
static const char *
once_more(struct world *w, const struct wish *first, struct err *refusal)
{
	struct wish x;
	renewal(w, &x, arena_str(w->a, first->st.request));
	lie = NULL;
	wish_build(w, &x, NULL, t_mandate, NULL);
	x.statement = first->statement;
	x.evidence = first->evidence;
	return wish_id(w, &x, refusal);
}

CHANGE(t_once, x->st.renewals = 1)
CHANGE(t_once_again, (x->st.renewals = 1, x->st.life_s = 101 * DAY))

static const char *
ask_used_up(struct world *w, struct err *refusal)
{
	struct wish x;
	one_that_may(w, &x, "MAN-2027-000011", t_once);
	return once_more(w, &x, refusal);
}

static const char *
ask_used_up_restart(struct world *w, struct err *refusal)
{
	struct wish x;
	one_that_may(w, &x, "MAN-2027-000012", t_once);
	world_stop(w);
	world_start(w);
	attempt_begins(w);
	return once_more(w, &x, refusal);
}

static void
end(struct world *w, const char *id)
{
	struct err refusal = { .id = "" };
	OK(end_ask(w, id, w->now, &refusal));
	attempt_begins(w);
}

static const char *
ask_ended(struct world *w, struct err *refusal)
{
	struct wish x;
	one_that_may(w, &x, "MAN-2027-000013", NULL);
	end(w, "MAN-2027-000013");
	return once_more(w, &x, refusal);
}

/* Ended before it was ever used. */
static const char *
ask_ended_unused(struct world *w, struct err *refusal)
{
	struct wish x;
	first_one(w);
	end(w, "MAN-2027-000014");
	renewal(w, &x, "MAN-2027-000014");
	lie = NULL;
	wish_build(w, &x, NULL, t_mandate, NULL);
	return wish_id(w, &x, refusal);
}

/* The number of one that was used, with other limits, signed as well. */
static const char *
ask_same_number(struct world *w, struct err *refusal)
{
	struct wish x;
	one_that_may(w, &x, "MAN-2027-000015", t_once);
	renewal(w, &x, "MAN-2027-000015");
	lie = t_once_again;
	wish_build(w, &x, NULL, t_mandate, NULL);
	return wish_id(w, &x, refusal);
}

/* A minister's own certificate, by a mandate. */
static const char *
ask_minister(struct world *w, struct err *refusal)
{
	struct wish x;
	first_one(w);
	wish_minister(w, &x, "NOM-2027-000016", "14-0", RUT_A, w->stranger);
	x.st.request = bytes_str("MAN-2027-000016");
	x.st.act_number = x.st.act_date = BYTES_NONE;
	x.st.from = 0;
	x.st.policy = bytes_str("funcionario-firma");
	x.st.policy_sha256 = world_hash(w, bytes_str("policy"));
	x.st.policy_version = 1;
	x.renewed = renewed;
	lie = NULL;
	wish_build(w, &x, NULL, t_mandate, NULL);
	return wish_id(w, &x, refusal);
}

/* What it renews ended an hour ago, and has the profile still. */
static const char *
ask_over(struct world *w, struct err *refusal)
{
	struct wish x;
	first_one_until(w, w->now + HOUR);
	world_forward(w, HOUR + 1);
	attempt_begins(w);
	renewal(w, &x, "MAN-2027-000017");
	lie = NULL;
	wish_build(w, &x, NULL, t_mandate, NULL);
	return wish_id(w, &x, refusal);
}

/* --- A new key -------------------------------------------------------------------- */

/* What the key of a certificate signs, or what a liar says that it did. */
static void
prove(struct world *w, struct wish *x, struct key *by, struct bytes cert,
    const char *mandate, struct bytes spki)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct cert old;
	OK(cert_parse_own(renewed, &old, e));
	OK(rekey_print(bytes_str(mandate), world_hash(w, old.tbs),
	    world_hash(w, spki), &text, e));
	OK(cms_sign(by, cert, buf_bytes(&text), w->now, &cms, e));
	x->proof = arena_copy(w->a, buf_bytes(&cms));
}

static void
prove_as(struct world *w, struct wish *x, struct key *by, struct bytes cert)
{
	prove(w, x, by, cert, arena_str(w->a, x->st.request), x->spec.spki);
}

/* Another person's, whom this CA certified too. */
static struct bytes
neighbour(struct world *w, const struct key *k)
{
	struct wish x;
	struct bytes der;
	struct err refusal = { .id = "" };
	wish_holder(w, &x, 0);
	wish_subject(w, &x, "14-0");
	x.st.holder_run = bytes_str("14-0");
	x.spec.spki = key_spki(k);
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &der, &refusal));
	return arena_copy(w->a, der);
}

CHANGE(t_rekey, x->st.rekey_sha256 = world_hash(w, key_spki(w->holder)))
CHANGE(t_rekey_other,
    x->st.rekey_sha256 = world_hash(w, key_spki(w->minister[0])))
CHANGE(t_rekey_policy, (t_rekey(w, x), t_policy(w, x)))
CHANGE(b_proof, prove_as(w, x, w->holder, renewed))
CHANGE(b_proof_new_key,
    prove_as(w, x, w->stranger, buf_bytes(&w->stranger_der)))
CHANGE(b_proof_minister,
    prove_as(w, x, w->minister[0], buf_bytes(&w->minister_der[0])))
CHANGE(b_proof_forged,
    (b_proof(w, x), writable(w, &x->proof)[x->proof.len - 1] ^= 1))
CHANGE(b_proof_other_mandate,
    prove(w, x, w->holder, renewed, "MAN-2020-000001", x->spec.spki))
CHANGE(b_proof_other_key,
    prove(w, x, w->holder, renewed, arena_str(w->a, x->st.request),
	key_spki(w->minister[0])))
CHANGE(b_proof_statement, (b_proof(w, x), x->proof = x->evidence))

ROW(ask_rekey_none, s_key, t_rekey, NULL)
ROW(ask_rekey_not_allowed, s_key, NULL, b_proof)
ROW(ask_rekey_new_key, s_key, t_rekey, b_proof_new_key)
ROW(ask_rekey_minister, s_key, t_rekey, b_proof_minister)
ROW(ask_rekey_forged, s_key, t_rekey, b_proof_forged)
ROW(ask_rekey_other_mandate, s_key, t_rekey, b_proof_other_mandate)
ROW(ask_rekey_other_key, s_key, t_rekey, b_proof_other_key)
ROW(ask_rekey_statement, s_key, t_rekey, b_proof_statement)
ROW(ask_rekey_other_start, s_key, t_rekey_other, b_proof)
ROW(ask_rekey_same_other_start, NULL, t_rekey_other, NULL)
ROW(ask_rekey_policy, s_key, t_rekey_policy, b_proof)

/* From the holder's key to a fresh one, as it may be. */
static struct key *fresh;
CHANGE(s_fresh, x->spec.spki = key_spki(fresh))

static void
rekeyed(struct world *w, struct wish *x, const char *id, struct bytes *der)
{
	struct err refusal = { .id = "" };
	key_free(fresh);
	OK(key_generate(KEY_EC_P256, &fresh, e));
	first_one(w);
	renewal(w, x, id);
	lie = t_rekey;
	wish_build(w, x, s_fresh, t_mandate, b_proof);
	OK(wish_ask(w, x, der, &refusal));
	*der = arena_copy(w->a, *der);
	attempt_begins(w);
}

/* And once more under it, with that proof or another one. */
static const char *
follow(struct world *w, const struct wish *first, struct bytes of, wish_fn spec,
    wish_fn bytes, struct err *refusal)
{
	struct wish x;
	renewed = of;
	renewal(w, &x, arena_str(w->a, first->st.request));
	lie = t_rekey;
	wish_build(w, &x, spec, t_mandate, bytes);
	x.statement = first->statement;
	x.evidence = first->evidence;
	return wish_id(w, &x, refusal);
}

static const char *
ask_rekey_again(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	rekeyed(w, &x, "MAN-2027-000021", &der);
	return follow(w, &x, renewed, s_fresh, b_proof, refusal);
}

static const char *
ask_rekey_back(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	rekeyed(w, &x, "MAN-2027-000022", &der);
	return follow(w, &x, renewed, NULL, NULL, refusal);
}

static const char *
ask_rekey_back_restart(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	rekeyed(w, &x, "MAN-2027-000023", &der);
	world_stop(w);
	world_start(w);
	attempt_begins(w);
	return follow(w, &x, renewed, NULL, NULL, refusal);
}

CHANGE(b_proof_fresh, prove_as(w, x, fresh, renewed))

/* On from the new key: back to the old one, which the new one signs for. */
static const char *
ask_rekey_on(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	rekeyed(w, &x, "MAN-2027-000024", &der);
	assert_string_equal(follow(w, &x, der, NULL, b_proof_fresh, refusal),
	    "ok");
	attempt_begins(w);
	/* It was the last key until then. */
	return follow(w, &x, der, s_fresh, NULL, refusal);
}

/* There and back again: the first signature of all, once more. */
static struct bytes first_proof;
CHANGE(b_proof_first, x->proof = first_proof)

static const char *
back_again(struct world *w, const char *id, wish_fn spec, wish_fn bytes,
    struct err *refusal)
{
	struct wish x;
	struct bytes der;
	rekeyed(w, &x, id, &der);
	struct bytes begun = renewed;
	first_proof = x.proof;
	assert_string_equal(follow(w, &x, der, NULL, b_proof_fresh, refusal),
	    "ok");
	world_stop(w);
	world_start(w);
	attempt_begins(w);
	return follow(w, &x, begun, spec, bytes, refusal);
}

static const char *
ask_rekey_twice(struct world *w, struct err *refusal)
{
	return back_again(w, "MAN-2027-000027", s_fresh, b_proof_first,
	    refusal);
}

static const char *
ask_rekey_begun(struct world *w, struct err *refusal)
{
	return back_again(w, "MAN-2027-000028", NULL, NULL, refusal);
}

static const char *
ask_rekey_ended(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	rekeyed(w, &x, "MAN-2027-000025", &der);
	end(w, "MAN-2027-000025");
	return follow(w, &x, der, NULL, b_proof_fresh, refusal);
}

/* A proof of somebody else whom this CA certified. */
static const char *
ask_rekey_neighbour(struct world *w, struct err *refusal)
{
	struct wish x;
	AUTO(key) k = NULL;
	OK(key_generate(KEY_EC_P256, &k, e));
	first_one(w);
	struct bytes der = neighbour(w, k);
	attempt_begins(w);
	renewal(w, &x, "MAN-2027-000026");
	lie = t_rekey;
	wish_build(w, &x, s_key, t_mandate, NULL);
	prove_as(w, &x, k, der);
	return wish_id(w, &x, refusal);
}

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "a mandate for another person", ASK(ask_person), .id = "signer-holder" },
	{ "a renewal of somebody else's certificate", ASK(ask_person_named), .id = "signer-profile" },
	{ "a renewal for a key of core's own", ASK(ask_key), .id = "signer-mandate-key" },
	{ "a mandate for fewer purposes", ASK(ask_purpose), .id = "signer-profile" },
	{ "a renewal with other purposes", ASK(ask_purpose_hidden), .id = "signer-profile" },
	{ "a renewal with another address", ASK(ask_names), .id = "signer-profile" },
	{ "a mandate of another institution", ASK(ask_institution), .id = "signer-profile" },
	{ "a mandate by a minister of another institution", ASK(ask_other_minister), .id = "signer-institution" },
	{ "a mandate under a policy that never was", ASK(ask_policy), .id = "signer-policy-unknown" },
	{ "a mandate that is over", ASK(ask_past), .id = "signer-statement-expired" },
	{ "a mandate of the future", ASK(ask_future), .id = "signer-statement-future" },
	{ "a mandate longer than the ceilings", ASK(ask_ceiling), .id = "signer-statement-life" },
	{ "a mandate longer than its minister's appointment", ASK(ask_outlasts), .id = "signer-mandate-outlasts" },
	{ "a renewal of what is over", ASK(ask_over), .id = "signer-renews-over" },
	{ "a renewal beyond its mandate", ASK(ask_beyond), .id = "signer-mandate-life" },
	{ "a renewal longer than its mandate lets it live", ASK(ask_life), .id = "signer-mandate-life" },
	{ "a renewal that began before a statement may live", ASK(ask_backdated), .id = "signer-backdated" },
	{ "a mandate by one minister of two", ASK(ask_two), .id = "signer-quorum" },
	{ "a mandate by a stranger, who holds it", ASK(ask_stranger), .id = "signer-minister-unknown" },
	{ "a mandate by an officer", ASK(ask_officer), .id = "signer-minister-unknown" },
	{ "a mandate for another CA", ASK(ask_issuer), .id = "signer-statement-issuer" },
	{ "a mandate of another installation", ASK(ask_origin), .id = "signer-statement-origin" },
	{ "a mandate instead of a first endorsement", ASK(ask_first), .id = "signer-renews-none" },
	{ "a renewal of what was never issued", ASK(ask_never_issued), .id = "signer-renews-none" },
	{ "a mandate that nobody signed", ASK(ask_no_evidence), .id = "signer-quorum" },
	{ "a mandate with one renewal more than was signed", ASK(ask_other_bytes), .id = "cms-other-content" },
	{ "one renewal too many", ASK(ask_used_up), .id = "signer-mandate-over" },
	{ "one renewal too many, after a restart", ASK(ask_used_up_restart), .id = "signer-mandate-over" },
	{ "a mandate that was ended", ASK(ask_ended), .id = "signer-mandate-over" },
	{ "a mandate that was ended before it was used", ASK(ask_ended_unused), .id = "signer-mandate-over" },
	{ "two mandates under one number", ASK(ask_same_number), .id = "signer-mandate-over" },
	{ "a new key that the old one did not sign for", ASK(ask_rekey_none), .id = "signer-quorum" },
	{ "a new key under a mandate that keeps it", ASK(ask_rekey_not_allowed), .id = "signer-mandate-key" },
	{ "a new key that signed for itself", ASK(ask_rekey_new_key), .id = "signer-rekey-other" },
	{ "a new key that a minister signed for", ASK(ask_rekey_minister), .id = "signer-rekey-other" },
	{ "a new key that somebody else signed for", ASK(ask_rekey_neighbour), .id = "signer-rekey-other" },
	{ "a new key with a forged signature of the old one", ASK(ask_rekey_forged), .id = "cms-signature" },
	{ "a new key signed for under another mandate", ASK(ask_rekey_other_mandate), .id = "cms-other-content" },
	{ "a signature of the old key for another key", ASK(ask_rekey_other_key), .id = "cms-other-content" },
	{ "a new key with the mandate's own signature", ASK(ask_rekey_statement), .id = "signer-rekey-other" },
	{ "a new key for one that the mandate does not begin with", ASK(ask_rekey_other_start), .id = "signer-mandate-key" },
	{ "a key that the mandate does not begin with", ASK(ask_rekey_same_other_start), .id = "signer-mandate-key" },
	{ "a new key under a policy that never was", ASK(ask_rekey_policy), .id = "signer-policy-unknown" },
	{ "a signature for a new key that was used", ASK(ask_rekey_again), .id = "signer-mandate-key" },
	{ "a key that another has followed", ASK(ask_rekey_back), .id = "signer-mandate-key" },
	{ "a key that another has followed, after a restart", ASK(ask_rekey_back_restart), .id = "signer-mandate-key" },
	{ "a key that was followed, by its own certificate", ASK(ask_rekey_on), .id = "signer-mandate-key" },
	{ "a signature for a new key once more, its key having come back", ASK(ask_rekey_twice), .id = "signer-mandate-key" },
	{ "a certificate of before its key left and came back", ASK(ask_rekey_begun), .id = "signer-mandate-key" },
	{ "a new key under a mandate that was ended", ASK(ask_rekey_ended), .id = "signer-mandate-over" },
	{ "a mandate instead of an appointment", ASK(ask_minister), .id = "signer-statement-type" },
};
/* clang-format on */

void
mandate_fini(void)
{
	key_free(fresh);
	fresh = NULL;
}

const struct attempt *
mandate_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
