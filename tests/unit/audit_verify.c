/*
 * Everything that a verifier must notice in a log.  With a directory as its
 * argument the program writes the good export there: data/audit/ was made so;
 * with "forged" behind it also one for each row of what is wrong, and says
 * which entry is to be named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/audit_world.h"

/* --- Exports --------------------------------------------------------------------------------- */

/* What somebody did to the export. */
struct tamper {
	size_t from, drop; /* entries left out */
	size_t changed;    /* this entry, 1 + index: */
	enum { DETAIL, SALT, LEAF, REWRITTEN, ERASED } how;
};

static struct entry
entry_at(struct world *w, size_t i)
{
	struct entry en = { .leaf = buf_bytes(&w->e[i].leaf),
		.detail = buf_bytes(&w->e[i].detail) };
	memcpy(en.salt, w->e[i].salt, ENTRY_SALT);
	return en;
}

/* The entry as it was, or as somebody would like it. */
static void
put_entry(struct world *w, size_t i, const struct tamper *t, struct buf *out)
{
	struct entry en = entry_at(w, i), made;
	AUTO(arena) a = arena_new();
	uint8_t stored[HASH_LEN];
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);

	merkle_leaf_hash(stored, en.leaf);
	if (w->e[i].erased)
		en.detail = BYTES_NONE;
	if (t->changed != i + 1) {
		export_entry_stored(out, &en, stored);
		return;
	}
	made = en;
	OK(entry_parse(&made, a, &err));
	switch (t->how) {
	case DETAIL:
		en.detail = arena_copy(a, en.detail);
		((uint8_t *)(uintptr_t)en.detail.p)[en.detail.len - 3] ^= 1;
		break;
	case SALT:
		en.salt[3] ^= 1;
		break;
	case ERASED:
		en.detail = BYTES_NONE;
		break;
	case LEAF:
	case REWRITTEN:
		made.time++;
		OK(entry_leaf_build(&made, &leaf, &err));
		en.leaf = buf_bytes(&leaf);
		if (t->how == REWRITTEN)
			merkle_leaf_hash(stored, en.leaf);
		break;
	}
	export_entry_stored(out, &en, stored);
}

static void
put_export(struct world *w, const struct tamper *t, struct buf *out)
{
	export_header(out, bytes_str(ORIGIN), w->now);
	export_certificate(out, "root", "raiz", buf_bytes(&w->root));
	export_certificate(out, "issuer", "institucional",
	    buf_bytes(&w->issuer));
	export_certificate(out, "endorser", "refrendo",
	    buf_bytes(&w->endorser));
	if (twisted(w, LOOSE_CERTIFICATE))
		export_certificate(out, "issuer", "otra",
		    buf_bytes(&w->officer));
	export_policy(out,
	    bytes_str(twisted(w, LOOSE_POLICY) ? "x" : policy_text(w)));
	for (size_t i = 0; i < w->n; i++)
		if (i < t->from || i >= t->from + t->drop)
			put_entry(w, i, t, out);
	if (w->crl.len > 0 && !twisted(w, CRL_LINE_MISSING))
		export_crl(out, "institucional", buf_bytes(&w->crl));
	export_checkpoint(out, buf_bytes(&w->note));
	assert_false(out->failed);
}

static void
verify(struct bytes text, struct audit_report *report, struct err_list *faults)
{
	AUTO(audit) a = NULL;

	OK(audit_new(key_spki(keys.log), &a, &err));
	while (text.len > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.len);
		assert_non_null(end);
		size_t len = (size_t)(end - text.p);
		audit_line(a, bytes_of(text.p, len), faults);
		text = bytes_of(end + 1, text.len - len - 1);
	}
	audit_finish(a, report, faults);
}

static void
verify_world(struct world *w, const struct tamper *t,
    struct audit_report *report, struct err_list *faults)
{
	struct buf out AUTO_BUF = BUF(8u << 20);
	put_export(w, t, &out);
	verify(buf_bytes(&out), report, faults);
}

static bool
has_fault(const struct err_list *l, const char *id, const char *start)
{
	for (size_t i = 0; i < l->len; i++)
		if ((id == NULL || strcmp(l->v[i].id, id) == 0) &&
		    strncmp(l->v[i].say, start, strlen(start)) == 0)
			return true;
	return false;
}

static void
print_faults(const struct err_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		print_message("  %s: %s [%s]\n", l->v[i].id, l->v[i].say,
		    l->v[i].why);
}

/* --- Tests -------------------------------------------------------------------------------------- */

static void
test_good(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	bool seen[ENTRY_TYPES] = { false };

	world_init(&w, NOTHING);
	for (size_t i = 0; i < w.n; i++)
		seen[w.e[i].type] = true;
	for (unsigned t = 1; t < ENTRY_TYPES; t++)
		assert_true(seen[t]);
	verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
	print_faults(&faults);
	assert_int_equal(r.unsigned_ceilings, 0);
	assert_int_equal(faults.count, 0);
	assert_int_equal(r.entries, w.n);
	assert_int_equal(r.checkpoint_size, w.n);
	assert_int_equal(r.endorsements, 4);
	assert_int_equal(r.appointments, 1);
	assert_int_equal(r.certificates, 4);
	assert_int_equal(r.revocations, 1);
	assert_int_equal(r.policies, 3);
	assert_int_equal(r.crls, 1);
	assert_int_equal(r.erased, 0);
	assert_int_equal(r.unproven, 0);
}

/* GTS 1959867: one entry of each type deleted or altered is named. */
static void
test_incident_65_every_entry(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	world_init(&w, NOTHING);
	for (size_t i = 0; i < w.n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "entry %zu: ", i);
		for (int how = -1; how <= REWRITTEN; how++) {
			struct err_list faults = { .len = 0 };
			struct audit_report r;
			struct tamper t = { .changed = i + 1 };
			if (how == -1)
				t = (struct tamper){ .from = i, .drop = 1 };
			else
				t.how = (unsigned)how;
			verify_world(&w, &t, &r, &faults);
			bool named = how == REWRITTEN
					 ? has_fault(&faults, "audit-fork",
					       "the entries")
					 : has_fault(&faults, NULL, name);
			if (!named) {
				print_message("%s%s, %d\n", name,
				    entry_type_name(w.e[i].type), how);
				print_faults(&faults);
			}
			assert_true(named);
			/* The first fault is the one that was made. */
			if (how >= 0 && how < REWRITTEN)
				assert_memory_equal(faults.v[0].say, name,
				    strlen(name));
			err_list_fini(&faults);
		}
	}
}

/* DigiNotar: the last ten entries cut off, or written anew. */
static void
test_incident_39_last_ten(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	char name[80];

	world_init(&w, NOTHING);
	struct tamper cut = { .from = w.n - 10, .drop = 10 };
	verify_world(&w, &cut, &r, &faults);
	snprintf(name, sizeof(name),
	    "entry %zu: it and all after it are missing: the checkpoint covers "
	    "%zu entries",
	    w.n - 10, w.n);
	assert_true(has_fault(&faults, "audit-cut", name));
	err_list_fini(&faults);
	/* Written anew, with all hashes beside them right. */
	struct world other AUTO_WORLD;
	world_init(&other, NOTHING);
	struct buf keep = w.note;
	for (size_t i = w.n - 10; i < w.n; i++) {
		struct one swap = w.e[i];
		w.e[i] = other.e[i];
		other.e[i] = swap;
	}
	w.note = other.note;
	verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
	assert_true(has_fault(&faults, "audit-fork",
	    "the entries are not those that the checkpoint covers: the log "
	    "was forked or rewritten"));
	w.note = keep;
	err_list_fini(&faults);
}

/* A certificate whose record of authorisation is not whole. */
static const struct {
	enum twist twist;
	const char *name, *want_id, *want_say;
} rows[] = {
	{ EVIDENCE_BY_OTHER, "endorsed by somebody else", "audit-not-minister",
	    ": the certificate that signed is of no appointment, or of "
	    "another one" },
	{ EVIDENCE_OF_OTHER_TEXT, "signature over another text", "audit-below",
	    NULL },
	{ EVIDENCE_LATE, "statement expired", "audit-expired",
	    ": the statement was not valid when its signature was brought" },
	{ MINISTER_IS_OPERATOR, "minister and operator are one",
	    "audit-three-people",
	    ": minister, operator and holder must be three people" },
	{ MINISTER_IS_HOLDER, "minister and holder are one",
	    "audit-three-people", NULL },
	{ OPERATOR_IS_HOLDER, "operator and holder are one",
	    "audit-three-people", NULL },
	{ MINISTER_NAMED_WRONG, "another minister is named",
	    "audit-other-minister", NULL },
	{ ENDORSED_ONCE_OF_TWO, "one minister where two are needed",
	    "audit-endorsements",
	    ": fewer ministers endorsed the request than it needs" },
	{ ENDORSED_TWICE_BY_ONE, "one minister twice", "audit-endorsed-twice",
	    ": this minister endorsed the same version of the request "
	    "before" },
	{ MANDATE_UNSIGNED, "a mandate that nobody signed",
	    "audit-mandate-not-in-force",
	    ": the mandate that it rests on was not signed, or was over" },
	{ MANDATE_BY_STRANGER, "a mandate by no minister", "audit-not-minister",
	    NULL },
	{ MANDATE_OTHER_PROFILE, "a mandate for another profile",
	    "audit-mandate-other",
	    ": the mandate that it rests on is for another person, profile, "
	    "policy or CA, or for a shorter life" },
	{ MANDATE_TOO_LONG, "a renewal longer than its mandate",
	    "audit-mandate-other", NULL },
	{ MANDATE_USED_UP, "one renewal too many", "audit-mandate-used-up",
	    ": it is one renewal more than the mandate allows" },
	{ MANDATE_OVER, "a renewal beyond its mandate", "audit-mandate-other",
	    NULL },
	{ MANDATE_ENDED_BEFORE, "a mandate that was ended",
	    "audit-mandate-not-in-force", NULL },
	{ MANDATE_RENEWS_NONE, "a renewal of nothing", "audit-renews-none",
	    NULL },
	{ MANDATE_RENEWS_OVER, "a renewal of what is over", "audit-renews-over",
	    ": the certificate that it renews by a mandate was over before" },
	{ MANDATE_OUTLASTS, "a mandate longer than its minister's term",
	    "audit-mandate-outlasts",
	    ": the mandate would outlast the appointment of the minister who "
	    "signed it" },
	{ MANDATE_POLICY_FRESH, "a mandate that the policy does not know",
	    "audit-mandate-policy",
	    ": the text of the policy asks for a new endorsement of each "
	    "renewal, or knows no mandates with a new key" },
	{ MANDATE_POLICY_KEEPS, "a new key where the policy keeps it",
	    "audit-mandate-policy", NULL },
	{ REKEY_NOT_ALLOWED, "a new key where the mandate keeps it",
	    "audit-renews-none", NULL },
	{ REKEY_UNSIGNED, "a new key that the old one did not sign for",
	    "audit-below", NULL },
	{ REKEY_BY_ITSELF, "a new key that signed for itself",
	    "audit-rekey-other",
	    ": the new key was signed for with another certificate than the "
	    "one that is renewed" },
	{ REKEY_BY_MINISTER, "a new key that a minister signed for",
	    "audit-rekey-other", NULL },
	{ REKEY_OTHER_MANDATE, "a new key signed for under another mandate",
	    "audit-below",
	    ": the signature is over another text than this one" },
	{ REKEY_AGAIN, "a key that another has followed", "audit-renews-none",
	    NULL },
	{ REKEY_BEGINS_OTHER, "a key that the mandate does not begin with",
	    "audit-renews-none", NULL },
	{ REKEY_TWO_SUBMITTED, "a key that was left between asking and using",
	    "audit-renews-none", NULL },
	{ REKEY_CAME_BACK, "a certificate of before its key left and came back",
	    "audit-renews-left",
	    ": the key of the certificate that it renews by a mandate was "
	    "left since: what it signed for then was used" },
	{ REKEY_UNSIGNED_ERASED, "a new key of one that was erased, unsigned",
	    "audit-below", NULL },
	{ MANDATE_POLICY_TWO, "a mandate by one, where the policy wants two",
	    "audit-mandate-not-in-force", NULL },
	{ MANDATE_ASKED_BY_HOLDER, "a holder renews by a mandate",
	    "audit-renewal-people",
	    ": who asked for the renewal, its holder and the ministers who "
	    "signed the mandate must be different people" },
	{ MANDATE_ASKED_BY_MINISTER, "a minister renews by his mandate",
	    "audit-renewal-people", NULL },
	{ MANDATE_BEGAN_BEFORE, "a renewal that begins too early",
	    "audit-renewal-begins",
	    ": the renewal begins later than it was asked for, or earlier than "
	    "a policy can set it back" },
	{ MANDATE_BEGINS_LATER, "a renewal that begins later",
	    "audit-renewal-begins", NULL },
	{ MANDATE_TWO_SUCCESSORS, "two renewals of one certificate",
	    "audit-renewed-twice",
	    ": the certificate that it renews by a mandate has a successor "
	    "already, or one that was intended" },
	{ MANDATE_AFTER_ANOTHER, "a renewal of what was renewed without it",
	    "audit-renewed-twice", NULL },
	{ MANDATE_OF_OTHER_REQUEST, "a mandate for what a minister should see",
	    "audit-mandate-other", NULL },
	{ POLICY_WANTS_TWO, "one endorsement, where the policy wants two",
	    "audit-endorsements", NULL },
	{ POLICY_UNREADABLE, "a policy that nobody can read",
	    "audit-policy-unreadable",
	    ": the policy's text is none that can be read, so nobody can say "
	    "what it asks for" },
	{ POLICY_KEY_TWICE, "a policy that says it twice",
	    "audit-policy-unreadable", NULL },
	{ POLICY_ANCHOR, "a policy with an alias", "audit-policy-unreadable",
	    NULL },
	{ POLICY_TAG, "a policy with a tag", "audit-policy-unreadable", NULL },
	{ POLICY_NO_BASE, "a policy whose base is missing", "audit-policy-base",
	    ": the policy that it rests on extends one whose text is not in "
	    "the log" },
	{ APPOINTMENT_OVER, "appointment over", "audit-not-in-force",
	    ": the minister's appointment was not in force" },
	{ APPOINTMENT_ENDED_BEFORE, "appointment ended", "audit-not-in-force",
	    NULL },
	{ APPOINTMENT_UNCONFIRMED, "appointment without officers",
	    "audit-quorum",
	    ": fewer officers confirmed the appointment than it needs" },
	{ CONFIRMED_BY_STRANGER, "confirmed by no officer", "audit-not-officer",
	    NULL },
	{ CONFIRMED_BY_HIMSELF, "officer confirms himself", "audit-not-officer",
	    NULL },
	{ QUORUM_OF_TWO, "one officer of two", "audit-quorum", NULL },
	{ NO_INTENT, "no intent", "audit-request-order", NULL },
	{ NO_ENDORSEMENT, "no endorsement", "audit-request-order",
	    ": a request is submitted, endorsed, intended and issued, in this "
	    "order; a step is missing before it" },
	{ OLD_ENDORSEMENT, "endorsement of the version before", "audit-below",
	    NULL },
	{ OTHER_TBS_ISSUED, "another certificate issued",
	    "audit-other-certificate",
	    ": the certificate is not the one that was endorsed" },
	{ OTHER_ISSUER_SIGNED, "not signed by the issuer", "audit-below",
	    NULL },
	{ UNKNOWN_POLICY, "policy not in the log", "audit-policy", NULL },
	{ POLICY_TEXT_CHANGED, "policy text changed", "audit-policy-text",
	    NULL },
	{ STATEMENT_OF_OTHER_LOG, "statement of another log", "audit-statement",
	    NULL },
	{ STATEMENT_OTHER_KEY, "statement of another key", "audit-tbs-says",
	    NULL },
	{ STATEMENT_ROOT, "statement with a root that never was",
	    "audit-log-root", NULL },
	{ STATEMENT_FUTURE, "statement with a size to come", "audit-log-size",
	    NULL },
	{ SERIAL_TWICE, "a serial number twice", "audit-serial-twice", NULL },
	{ ISSUED_TWICE, "issued twice", "audit-request-order", NULL },
	{ REVOKED_TWICE, "revoked twice", "audit-status-order", NULL },
	{ SUSPENDED_WRONG_REASON, "suspended for a reason of revocation",
	    "audit-reason", NULL },
	{ CRL_LACKS, "revoked and not on the CRL", "audit-crl-lacks", NULL },
	{ CRL_MORE, "on the CRL and unknown", "audit-crl-more", NULL },
	{ CRL_REASON, "another reason on the CRL", "audit-crl-differs", NULL },
	{ CRL_TIME, "another time on the CRL", "audit-crl-differs", NULL },
	{ CRL_OLD_STATE, "reinstated and still on the CRL", "audit-crl-differs",
	    NULL },
	{ CRL_NUMBER, "a CRL number twice", "audit-crl-number", NULL },
	{ CRL_NONE, "revoked without any CRL", "audit-crl-none", NULL },
	{ CRL_BY_OTHER, "CRL by another key", "audit-crl-bad", NULL },
	{ CRL_LINE_MISSING, "CRL left out", "audit-crl-line", NULL },
	{ CRL_OF_NO_PARTITION, "a partition left out", "audit-crl-partition",
	    ": the CRL is of a partition that does not follow those before "
	    "it" },
	{ CRL_DELTA_OF_NONE, "a delta of a list that names none",
	    "audit-crl-base",
	    ": the delta rests on another list than the newest of its scope, "
	    "or on one behind which changes were not kept" },
	{ CRL_DELTA_OF_OLDER, "a delta of an older list", "audit-crl-base",
	    NULL },
	{ CRL_DELTA_TOO_SOON, "a delta of the first list that names any",
	    "audit-crl-base", NULL },
	{ TIME_BACK, "time goes back", "audit-time",
	    ": it is older than the entry before it" },
	{ NO_ACTOR, "nobody acted", "audit-actor", NULL },
	{ LOG_KEY, "another log key", "audit-log-key", NULL },
	{ RESPONDER_NOT_OCSP, "responder without its usage",
	    "audit-responder-usage", NULL },
	{ LOOSE_CERTIFICATE, "a certificate that no entry names", "audit-loose",
	    NULL },
	{ LOOSE_POLICY, "a policy that no entry names", "audit-loose", NULL },
	{ POLICY_UNSIGNED, "a policy that nobody signed",
	    "audit-policy-unsigned",
	    ": the policy took effect without the signatures of officers" },
	{ POLICY_SIGNED_BY_STRANGER, "activation signed by no officer",
	    "audit-agreement-officer",
	    ": the signature is by no officer of this log, or by one who has "
	    "signed the same already" },
	{ POLICY_SIGNED_TWICE, "activation signed twice by one",
	    "audit-agreement-officer", NULL },
	{ POLICY_SIGNED_TWICE, "one person twice are not two",
	    "audit-policy-quorum",
	    ": fewer officers signed the activation of this policy than this "
	    "log needs" },
	{ POLICY_SIGNED_OTHER_TEXT, "activation: signature over another text",
	    "audit-below", NULL },
	{ POLICY_SIGNED_LATE, "activation signed too late", "audit-expired",
	    NULL },
	{ POLICY_TOO_FEW, "activation by one officer of two",
	    "audit-policy-quorum", NULL },
	{ POLICY_EARLY, "a policy before its time", "audit-policy-early",
	    ": the policy took effect before the time that the officers "
	    "signed" },
	{ POLICY_OTHER_BYTES, "other bytes proposed than stated",
	    "audit-activation-texts",
	    ": the policies proposed are not those that the statement names "
	    "by their hash" },
	{ POLICY_IN_PART, "half of an activation", "audit-activation-part",
	    ": the policies of one activation take effect together; before "
	    "this entry some are missing" },
	{ POLICY_WITHDRAWN_BEFORE, "withdrawn and in force",
	    "audit-agreement-order",
	    ": what officers agree on is proposed, endorsed, and then done, "
	    "withdrawn or lapsed, in this order" },
	{ POLICY_REPLACED, "submitted under a policy of before",
	    "audit-policy-replaced",
	    ": the policy that it rests on was replaced before it" },
	{ CEREMONY_UNSIGNED, "a ceremony by one officer of two",
	    "audit-ceremony-quorum",
	    ": fewer officers signed this ceremony than this log needs" },
	{ CEREMONY_SIGNED_BY_STRANGER, "a ceremony signed by no officer",
	    "audit-agreement-officer", NULL },
	{ CEREMONY_LATE, "a ceremony completed too late", "audit-ceremony-late",
	    ": the ceremony was completed after its statement had expired" },
	{ CEREMONY_OTHER_OBJECT, "the root signed something else",
	    "audit-ceremony-object",
	    ": the root signed something else than the officers agreed on" },
	{ CEREMONY_OTHER_ROOT, "a ceremony of another root",
	    "audit-ceremony-statement", NULL },
	{ CEREMONY_OTHER_KEY, "not signed by the root", "audit-below", NULL },
	{ CEREMONY_TWICE, "completed twice", "audit-agreement-order", NULL },
	{ CEREMONY_WITHDRAWN_BEFORE, "withdrawn and completed",
	    "audit-agreement-order",
	    ": what officers agree on is proposed, endorsed, and then done, "
	    "withdrawn or lapsed, in this order" },
	{ CEREMONY_KEY_OF_OTHER, "the key of another CA is destroyed",
	    "audit-key",
	    ": the key that was destroyed is that of no CA of this log" },
	{ CEREMONY_KEY_UNSIGNED, "a key is destroyed by one officer of two",
	    "audit-ceremony-quorum", NULL },
	{ CEREMONY_NEW_KEY_OTHER_NAME, "a new key under another subject",
	    "audit-ca-replaced",
	    ": the CA has no key of this subject, institution and name "
	    "constraints to replace, or it was replaced before" },
	{ CEREMONY_NEW_KEY_OTHER_BOUNDS,
	    "a new key for one institution, of a CA for all",
	    "audit-ca-replaced", NULL },
	{ CEREMONY_NEW_KEY_ALIKE, "a CA under a subject that reads alike",
	    "audit-ca-subject", NULL },
	{ CEREMONY_NEW_KEY_OF_NONE, "a new key of a CA that nobody knows",
	    "audit-ca-replaced", NULL },
	{ CEREMONY_NEW_KEY_TWICE, "two new keys of one CA", "audit-ca-replaced",
	    NULL },
	{ CEREMONY_NEW_KEY_BESIDE, "a CA under the subject of another",
	    "audit-ca-subject",
	    ": another CA of this log has the same subject, and officers did "
	    "not agree that the new one replaces its key" },
	{ CEREMONY_NEW_KEY_UNSAID, "a new key that officers agreed on as a CA",
	    "audit-ceremony-object",
	    ": the root signed something else than the officers agreed on" },
	{ CEREMONY_CROSS_ISSUES, "a cross-certificate as a CA that issues",
	    "audit-ceremony-object", NULL },
	{ CEREMONY_CROSS_NAMESAKE, "another's CA under the name of ours",
	    "audit-cross-name",
	    ": a CA of this log and one that is not of this installation "
	    "have the same subject, or two keys the same identifier" },
	{ CEREMONY_CROSS_UNSHOWN, "another's CA that showed no key",
	    "audit-cross-possession",
	    ": neither a request nor a certificate shows that the CA of "
	    "others has the key that is to be certified, and its name" },
	{ CEREMONY_CROSS_SHOWN_OTHER, "another's CA that showed another key",
	    "audit-cross-possession", NULL },
	{ CEREMONY_CROSS_SHOWN_NAME, "another's CA with another's name",
	    "audit-cross-possession", NULL },
	{ CEREMONY_CROSS_SHOWN_UNSIGNED, "a CA that did not sign itself",
	    "audit-cross-possession", NULL },
	{ ROOT_BEFORE, "a CA by the next root, before the officers agreed",
	    "audit-ceremony-statement", NULL },
	{ ROOT_ONE_OF_TWO, "another root by one officer of two",
	    "audit-ceremony-quorum", NULL },
	{ ROOT_OTHER_NAME, "another root under another name", "audit-below",
	    ": the certificate is not that of a root under the subject of the "
	    "one in force, with a key and a key identifier of its own" },
	{ ROOT_LINK_OTHER, "another root that vouches for another key",
	    "audit-below", NULL },
	{ ROOT_LINK_UNSIGNED, "another root that did not vouch for the first",
	    "audit-below", NULL },
	{ ROOT_BACK, "a CA by the root before, agreed on before",
	    "audit-ceremony-root",
	    ": the officers agreed on this with another root than the one in "
	    "force, or with one that this log does not have" },
	{ ROOT_OLD_AGAIN, "a CA by the root before, agreed on after",
	    "audit-ceremony-statement", NULL },
	{ ROOT_LIST_OF_OTHER, "a list of another root than named",
	    "audit-below", NULL },
	{ CEILINGS_OTHER_FILE, "other ceilings than named",
	    "audit-ceilings-file",
	    ": the ceilings are not the file whose hash the entry names" },
	{ CEILINGS_PEOPLE, "ceilings of nobody", "audit-ceilings-people",
	    ": the officers and quorums of the ceilings are not in their "
	    "form" },
	{ CEILINGS_OTHER_BASE, "ceilings in the place of others",
	    "audit-ceilings-base",
	    ": the officers agreed to replace other ceilings than those in "
	    "force" },
	{ CEILINGS_ONE_OF_TWO, "ceilings by one officer of two",
	    "audit-ceremony-quorum", NULL },
	{ CEILINGS_SIGNED_BEFORE, "a ceremony of before, signed after",
	    "audit-agreement-officer", NULL },
	{ CEILINGS_FEWER, "fewer must sign, by nobody's signature",
	    "audit-ceilings-unsigned",
	    ": the ceilings give more than those before them, and the "
	    "officers did not sign them" },
	{ CEILINGS_STRANGER, "another officer, by nobody's signature",
	    "audit-ceilings-unsigned", NULL },
	{ CEILINGS_FIRST_AGAIN, "the first ceilings twice",
	    "audit-ceilings-unsigned", NULL },
	{ TOP_VALIDITY, "a certificate longer than the ceilings",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "validity_max" },
	{ TOP_BACKDATE, "a certificate that begins before its statement",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "backdate_max" },
	{ TOP_KEYS, "a key of a kind that the ceilings lack",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of keys" },
	{ TOP_USAGE, "a key usage that the ceilings lack", "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of key_usage" },
	{ TOP_PURPOSE, "a purpose that the ceilings lack", "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of extended" },
	{ TOP_NAMES, "a name of a kind that the ceilings lack",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of names" },
	{ TOP_QC, "a qualified certificate, where there is none",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "qc_statements" },
	{ TOP_EXTENSION, "an extension that the ceilings lack",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "extensions" },
	{ TOP_STATEMENT, "a statement that lives too long",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "statement_max" },
	{ TOP_APPOINTMENT, "an appointment for too long", "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "appointment_max" },
	{ TOP_CRL, "a list that lives too long", "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of crl_max" },
	{ TOP_HOUR, "more in an hour than the ceilings say",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of per_hour" },
	{ TOP_HOUR_INSTITUTION, "more of one institution in an hour",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "per_hour_institution" },
	{ TOP_ENDORSEMENTS, "one minister, where the ceilings want two",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "endorsements" },
	{ TOP_MANDATE, "a mandate longer than the ceilings",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of "
	    "mandate_max" },
	{ TOP_ISSUER, "a CA that the ceilings do not name",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of issuers" },
	{ TOP_POLICY, "a policy that the ceilings do not name",
	    "audit-over-ceiling",
	    ": it is beyond what the ceilings in force then say of policies" },
	{ TOP_OF_ANOTHER, "a CA of another institution", "audit-below",
	    ": the CA is for another institution alone" },
	{ CEILINGS_SAID, "other officers than those of the file",
	    "audit-ceilings-said",
	    ": the officers and quorums that it names are not those of the "
	    "file of the ceilings" },
	{ CEILINGS_SAID_AGREED, "other officers than those of the file signed",
	    "audit-ceilings-said", NULL },
	{ CEILINGS_WIDER, "more in an hour, by nobody's signature",
	    "audit-ceilings-unsigned", NULL },
	{ CEILINGS_UNREADABLE, "ceilings that nobody can read",
	    "audit-ceilings-unreadable",
	    ": the file of the ceilings cannot be read, so nobody can say "
	    "what they allow" },
	{ CEILINGS_FOUNDED_ON_OTHER, "begun anew in the place of another file",
	    "audit-ceilings-refounds",
	    ": the file in whose place root is said to have begun anew is not "
	    "the one that was in force" },
	{ LIST_OVER, "the export's CRL is over", "audit-crl-bad", NULL },
	{ CEREMONY_LIST_BACK, "the root's list again with its number",
	    "audit-below", NULL },
	{ CA_STOPPED_UNKNOWN, "a CA that nobody knows is stopped",
	    "audit-ca-stopped", NULL },
	{ CA_STOPPED_ISSUES, "a CA issues that was stopped",
	    "audit-ca-issues-not",
	    ": the certificate is to be signed by a CA that was stopped or "
	    "revoked before" },
	{ POLICY_BEHIND, "a version that does not rise", "audit-policy-version",
	    ": the version of the policy does not rise above that of the one "
	    "in force before it" },
	{ POLICY_OTHER_VERSION, "another version than the officers signed",
	    "audit-activation-other", NULL },
};

static void
test_incident_64_whole_chain(void **state_)
{
	(void)state_;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w AUTO_WORLD;
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		bool found = false;
		print_message("%s\n", rows[i].name);
		world_init(&w, rows[i].twist);
		verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
		for (size_t k = 0; k < faults.len; k++) {
			const char *say = strchr(faults.v[k].say, ':');
			if (strcmp(faults.v[k].id, rows[i].want_id) != 0)
				continue;
			if (rows[i].want_say != NULL)
				assert_string_equal(say, rows[i].want_say);
			found = true;
		}
		if (!found)
			print_faults(&faults);
		assert_true(found);
		err_list_fini(&faults);
	}
}

/* Root began anew: no fault, and named. */
static void
test_founded(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	world_init(&w, CEILINGS_FOUNDED);
	verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
	print_faults(&faults);
	assert_int_equal(faults.count, 0);
	assert_int_equal(r.unsigned_ceilings, 1);
	assert_int_equal(w.e[r.unsigned_at].type, ENTRY_CEILINGS_TAKEN);
	err_list_fini(&faults);
}

/* Whether it has a new key nobody can say any more: no fault, and named. */
static void
test_unproven(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	world_init(&w, REKEY_UNSIGNED_LOST);
	verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
	print_faults(&faults);
	assert_int_equal(faults.count, 0);
	/* Of the one that was erased nothing is known, nor whose the next is. */
	assert_int_equal(r.unproven, 2);
	assert_int_equal(w.e[r.unproven_at].type, ENTRY_REQUEST_ENDORSED);
	assert_true(w.e[r.unproven_at - 2].erased);
	err_list_fini(&faults);
}

/* What looks wrong and is not. */
static const struct {
	enum twist twist;
	const char *name;
} intact[] = {
	{ LIST_OVER_KEY_GONE, "the last list of a key destroyed is over" },
	{ TOP_LESSENED, "intended before the ceilings were lessened" },
	{ REKEY_UNSIGNED_LOST, "a renewal of which nobody knows the key" },
	{ MANDATE_FIRST_FAILED, "a second renewal, where the first failed" },
	{ MANDATE_FIRST_LATE, "a second renewal, the first revoked and late" },
};

static void
test_intact(void **state_)
{
	(void)state_;
	for (size_t i = 0; i < ARRAY_LEN(intact); i++) {
		struct world w AUTO_WORLD;
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		print_message("%s\n", intact[i].name);
		world_init(&w, intact[i].twist);
		verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
		print_faults(&faults);
		assert_int_equal(faults.count, 0);
		err_list_fini(&faults);
	}
}

/* After its retention a detail goes; what the leaves say still holds. */
static void
test_erased(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	world_init(&w, NOTHING);
	for (size_t i = 1; i < w.n; i++) {
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		struct tamper t = { .changed = i + 1, .how = ERASED };
		verify_world(&w, &t, &r, &faults);
		/* Only what needs the erased detail may be missed then. */
		bool needed = w.e[i].type == ENTRY_CRL_PUBLISHED ||
			      w.e[i].type == ENTRY_APPOINTMENT_IN_FORCE;
		if (!needed && faults.count != 0) {
			print_message("%zu %s\n", i,
			    entry_type_name(w.e[i].type));
			print_faults(&faults);
		}
		assert_int_equal(r.erased, 1);
		if (!needed)
			assert_int_equal(faults.count, 0);
		err_list_fini(&faults);
	}
}

/* Lines that are no lines, in places that are no places. */
static void
test_lines(void **state_)
{
	(void)state_;
	static const struct {
		const char *name, *text, *want_say;
	} lines[] = {
		{ "nothing", "",
		    "the export ends without a good checkpoint: nothing in it "
		    "is proven" },
		{ "no JSON", "x\n", "line 1 of the export: this is not JSON" },
		{ "no kind", "{}\n",
		    "line 1 of the export: a line of the export is of no known "
		    "kind" },
		{ "no header", "{\"kind\":\"policy\",\"text\":\"YQ==\"}\n",
		    "line 1 of the export: a line of the export stands where "
		    "lines of its kind (policy) cannot stand" },
		{ "another format",
		    "{\"created\":1,\"format\":\"x\",\"kind\":\"header\","
		    "\"origin\":\"o\"}\n",
		    "line 1 of the export: this is not an export of refrendo, "
		    "or of a newer one" },
		{ "no origin",
		    "{\"created\":1,\"format\":\"refrendo/export/v1\","
		    "\"kind\":\"header\"}\n",
		    "line 1 of the export: the member origin is missing" },
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		print_message("%s\n", lines[i].name);
		verify(bytes_str(lines[i].text), &r, &faults);
		assert_true(has_fault(&faults, NULL, lines[i].want_say));
		err_list_fini(&faults);
	}
}

/* --- The export for the other verifier ------------------------------------------------- */

static void
write_file(const char *dir, const char *name, struct bytes b)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (f == NULL || fwrite(b.p, 1, b.len, f) != b.len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

/* Its number, the entry that this verifier names, and what was done. */
static void
write_forged(const char *dir, size_t i)
{
	struct world w AUTO_WORLD;
	struct buf out AUTO_BUF = BUF(8u << 20);
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	char name[32];
	size_t k = 0;

	world_init(&w, rows[i].twist);
	put_export(&w, &(struct tamper){ 0 }, &out);
	verify(buf_bytes(&out), &r, &faults);
	while (strcmp(faults.v[k].id, rows[i].want_id) != 0)
		k++;
	snprintf(name, sizeof(name), "%zu.jsonl", i);
	write_file(dir, name, buf_bytes(&out));
	printf("%zu\t%.*s\t%s\n", i, (int)strcspn(faults.v[k].say, ":"),
	    faults.v[k].say, rows[i].name);
	err_list_fini(&faults);
}

static void
write_intact(const char *dir, size_t i)
{
	struct world w AUTO_WORLD;
	struct buf out AUTO_BUF = BUF(8u << 20);
	char name[32];

	world_init(&w, intact[i].twist);
	put_export(&w, &(struct tamper){ 0 }, &out);
	snprintf(name, sizeof(name), "intact%zu.jsonl", i);
	write_file(dir, name, buf_bytes(&out));
	printf("intact%zu\t\t%s\n", i, intact[i].name);
}

static int
write_export(const char *dir, bool forged)
{
	struct world w AUTO_WORLD;
	struct buf out AUTO_BUF = BUF(8u << 20);
	struct buf pem AUTO_BUF = BUF(1000);

	(void)setup(NULL);
	world_init(&w, NOTHING);
	put_export(&w, &(struct tamper){ 0 }, &out);
	for (size_t i = 0; forged && i < ARRAY_LEN(rows); i++)
		write_forged(dir, i);
	for (size_t i = 0; forged && i < ARRAY_LEN(intact); i++)
		write_intact(dir, i);
	pem_put(&pem, "PUBLIC KEY", key_spki(keys.log));
	write_file(dir, "export.jsonl", buf_bytes(&out));
	write_file(dir, "log.pem", buf_bytes(&pem));
	return teardown(NULL);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_incident_65_every_entry),
		cmocka_unit_test(test_incident_39_last_ten),
		cmocka_unit_test(test_incident_64_whole_chain),
		cmocka_unit_test(test_erased),
		cmocka_unit_test(test_founded),
		cmocka_unit_test(test_unproven),
		cmocka_unit_test(test_intact),
		cmocka_unit_test(test_lines),
	};
	if (argc == 2 || (argc == 3 && strcmp(argv[2], "forged") == 0))
		return write_export(argv[1], argc == 3);
	return cmocka_run_group_tests(tests, setup, teardown);
}
