#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "audit_world.h"

/* A mandate in the small log: signed, used once, and ended; and another that
 * nobody signed in time. */

#define MANDATE "MAN-2027-000001"

static void
propose_mandate(struct world *w, const struct stated *old, const char *id,
    struct buf *text)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	uint8_t profile[HASH_LEN], root[HASH_LEN], key[HASH_LEN];

	cert_profile(&old->cert, profile);
	if (twisted(w, MANDATE_OTHER_PROFILE))
		profile[5] ^= 1;
	merkle_root(&w->tree, root);
	sha256(key,
	    twisted(w, REKEY_BEGINS_OTHER) ? old->cert.tbs : old->cert.spki);
	struct statement st = { .type = STATEMENT_MANDATE,
		.origin = bytes_str(ORIGIN),
		.request = bytes_str(id),
		.policy = bytes_str("funcionario-firma"),
		.policy_version = 7,
		.policy_sha256 = bytes_of(old->policy, HASH_LEN),
		.issuer = bytes_str("institucional"),
		.institution = bytes_str(RUT),
		.institution_name = bytes_str("Universidad de Ejemplo"),
		.holder_run = bytes_str(HOLDER),
		.holder_name = bytes_str("Ana"),
		.holder_office = bytes_str("Secretaria"),
		.operator_run = bytes_str(OPERATOR),
		.profile_sha256 = bytes_of(profile, HASH_LEN),
		.until = w->now + 800 * DAY,
		.rekey_sha256 = bytes_of(key, HASH_LEN),
		.renewals =
		    twisted(w, REKEY_CAME_BACK) || twisted(w, REKEY_AGAIN) ? 3
									   : 2,
		.life_s = twisted(w, MANDATE_TOO_LONG) ? DAY : 730 * DAY + 1,
		.log_size = w->tree.size,
		.log_root = bytes_of(root, HASH_LEN),
		.text_es = bytes_str("Certifico."),
		.issued = w->now,
		.expires = w->now + HOUR };
	if (twisted(w, MANDATE_OVER))
		st.until = w->now + 1;
	if (twisted(w, REKEY_NOT_ALLOWED))
		st.rekey_sha256 = BYTES_NONE;
	OK(statement_print(&st, text, &err));
	actor(w, &j, OPERATOR, "operator");
	jw_member_str(&j, "statement", buf_bytes(text));
	append(w, ENTRY_MANDATE_PROPOSED, &j,
	    (struct entry_refs){ .request = bytes_str(id),
		.institution = bytes_str(RUT),
		.policy = bytes_of(old->policy, HASH_LEN) });
}

static void
sign_mandate(struct world *w, const struct buf *text)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	bool other = twisted(w, MANDATE_BY_STRANGER);

	actor(w, &j, MINISTER, "minister");
	jw_member_str(&j, "appointment", bytes_str("NOM-1"));
	put_evidence(&j, other ? keys.officer : keys.minister,
	    other ? &w->officer : &w->minister, buf_bytes(text), w->now);
	jw_member_str(&j, "minister", bytes_str(MINISTER));
	jw_member_int(&j, "needed", 1);
	append(w, ENTRY_MANDATE_ENDORSED, &j,
	    (struct entry_refs){ .request = bytes_str(MANDATE) });
}

/* The key of the one before signs for that of the next. */
static void
put_proof(struct world *w, struct jw *j, const struct stated *s,
    const struct stated *old)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	uint8_t key[HASH_LEN];

	sha256(key, s->cert.spki);
	OK(rekey_print(bytes_str(twisted(w, REKEY_OTHER_MANDATE) ? "MAN-2027-9"
								 : MANDATE),
	    bytes_of(old->tbs, HASH_LEN), bytes_of(key, HASH_LEN), &text,
	    &err));
	if (twisted(w, REKEY_BY_ITSELF))
		put_evidence(j, keys.other, &s->container, buf_bytes(&text),
		    w->now);
	else if (twisted(w, REKEY_BY_MINISTER))
		put_evidence(j, keys.minister, &w->minister, buf_bytes(&text),
		    w->now);
	else
		put_evidence(j,
		    bytes_eq(old->cert.spki, key_spki(keys.other))
			? keys.other
			: keys.holder,
		    &old->container, buf_bytes(&text), w->now);
}

/* Revoked while it was being signed: the answer is recorded all the same. */
static void
fail_and_issue(struct world *w, struct stated *s)
{
	w->late_at = change(w, ENTRY_CERTIFICATE_REVOKED, s, CRL_SUPERSEDED);
	w->late_len = s->refs.serial.len;
	memcpy(w->late, s->refs.serial.p, w->late_len);
	plain(w, ENTRY_REQUEST_FAILED,
	    (struct entry_refs){ .request = s->refs.request });
	issue(w, s);
}

/* Submitted by the mandate: no statement. */
static void
ask(struct world *w, struct stated *s, const struct stated *old, const char *id,
    const struct key *key)
{
	struct want want = { "Ana", HOLDER, key, &w->issuer, keys.other, false,
		false, w->now, w->now + 730 * DAY, NULL };

	if (twisted(w, MANDATE_BEGAN_BEFORE))
		want.not_before = w->now - HOUR - 1;
	if (twisted(w, MANDATE_BEGINS_LATER))
		want.not_before = w->now + 1;
	want.not_after = want.not_before + 730 * DAY;
	*s = (struct stated){ .container = BUF(CERT_MAX_BYTES),
		.text = BUF(STATEMENT_MAX) };
	build_cert(w, &want, &s->container);
	OK(cert_parse(buf_bytes(&s->container), &s->cert, &err));
	sha256(s->tbs, s->cert.tbs);
	memcpy(s->policy, old->policy, HASH_LEN);
	s->refs = (struct entry_refs){ .request = bytes_str(id),
		.institution = bytes_str(RUT),
		.policy = bytes_of(s->policy, HASH_LEN),
		.serial = s->cert.serial,
		.tbs = bytes_of(s->tbs, HASH_LEN) };
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j,
	    twisted(w, MANDATE_ASKED_BY_HOLDER)     ? HOLDER
	    : twisted(w, MANDATE_ASKED_BY_MINISTER) ? MINISTER
						    : OPERATOR,
	    "operator");
	jw_key(&j, "request");
	jw_object(&j);
	jw_member_str(&j, "mandate", bytes_str(MANDATE));
	jw_member_hex(&j, "replaces",
	    twisted(w, MANDATE_RENEWS_NONE) ? bytes_str("none")
					    : old->cert.serial);
	jw_close(&j, '}');
	jw_member_base64(&j, "tbs", buf_bytes(&s->container));
	append(w, ENTRY_REQUEST_SUBMITTED, &j, s->refs);
}

/* Endorsed by the mandate: no evidence but for a new key. */
static void
use(struct world *w, struct stated *s, const struct stated *old, const char *id)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	bool proven = !twisted(w, REKEY_UNSIGNED) &&
		      !twisted(w, REKEY_UNSIGNED_ERASED) &&
		      !twisted(w, REKEY_UNSIGNED_LOST);

	actor(w, &j, OPERATOR, "operator");
	if (!bytes_eq(s->cert.spki, old->cert.spki) && proven)
		put_proof(w, &j, s, old);
	jw_member_str(&j, "mandate", bytes_str(MANDATE));
	append(w, ENTRY_REQUEST_ENDORSED, &j,
	    (struct entry_refs){ .request = s->refs.request });
	intend(w, s);
	if (twisted(w, TOP_LESSENED) && strcmp(id, "SOL-31") == 0)
		lessen_ceilings(w);
	if (twisted(w, MANDATE_FIRST_FAILED) && strcmp(id, "SOL-30") == 0)
		plain(w, ENTRY_REQUEST_FAILED,
		    (struct entry_refs){ .request = s->refs.request });
	else if (twisted(w, MANDATE_FIRST_LATE) && strcmp(id, "SOL-30") == 0)
		fail_and_issue(w, s);
	else
		issue(w, s);
}

static void
renew(struct world *w, struct stated *s, const struct stated *old,
    const char *id, const struct key *key)
{
	size_t from = w->n;

	ask(w, s, old, id, key);
	use(w, s, old, id);
	if (strcmp(id, "SOL-30") != 0)
		return;
	/* What was submitted, and what was issued. */
	w->e[from].erased = twisted(w, REKEY_UNSIGNED_ERASED) ||
			    twisted(w, REKEY_UNSIGNED_LOST);
	w->e[w->n - 1].erased = twisted(w, REKEY_UNSIGNED_LOST);
}

/* Two asked for before either is made: one is of a key that was left then. */
static void
renew_both(struct world *w, struct stated *one, struct stated *two,
    const struct stated *old)
{
	ask(w, one, old, "SOL-30", keys.other);
	ask(w, two, old, "SOL-31", keys.holder);
	use(w, one, old, "SOL-30");
	use(w, two, old, "SOL-31");
}

/* By an endorsement of its own. */
static void
renew_endorsed(struct world *w, struct stated *s, const struct stated *old,
    const char *id)
{
	w->renews = old->cert.serial;
	submit(w, s, id);
	w->renews = BYTES_NONE;
	endorse(w, s, s);
	intend(w, s);
	issue(w, s);
}

void
renew_by_mandate(struct world *w, const struct stated *old)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf other AUTO_BUF = BUF(STATEMENT_MAX);
	struct stated one AUTO_STATED, two AUTO_STATED, three AUTO_STATED;
	struct entry_refs refs = { .request = bytes_str(MANDATE) };

	one = two = three =
	    (struct stated){ .container = BUF(0), .text = BUF(0) };
	propose_mandate(w, old, MANDATE, &text);
	if (!twisted(w, MANDATE_UNSIGNED))
		sign_mandate(w, &text);
	if (twisted(w, MANDATE_ENDED_BEFORE))
		plain(w, ENTRY_MANDATE_ENDED, refs);
	bool again = twisted(w, MANDATE_TWO_SUCCESSORS) ||
		     twisted(w, MANDATE_AFTER_ANOTHER) ||
		     twisted(w, MANDATE_FIRST_FAILED) ||
		     twisted(w, MANDATE_FIRST_LATE);
	if (twisted(w, REKEY_TWO_SUBMITTED)) {
		renew_both(w, &one, &two, old);
	} else if (twisted(w, REKEY_CAME_BACK)) {
		renew(w, &one, old, "SOL-30", keys.other);
		renew(w, &two, &one, "SOL-31", keys.holder);
		renew(w, &three, old, "SOL-32", keys.other);
	} else {
		if (twisted(w, MANDATE_AFTER_ANOTHER))
			renew_endorsed(w, &one, old, "SOL-30");
		else
			renew(w, &one, old, "SOL-30", keys.holder);
		renew(w, &two, again ? old : &one, "SOL-31",
		    again ? keys.holder : keys.other);
	}
	if (twisted(w, MANDATE_USED_UP))
		renew(w, &three, &two, "SOL-32", keys.other);
	if (twisted(w, REKEY_AGAIN))
		renew(w, &three, &one, "SOL-32", keys.other);
	if (twisted(w, MANDATE_OF_OTHER_REQUEST)) {
		submit(w, &three, "SOL-32");
		use(w, &three, &two, "SOL-32");
	}
	if (!twisted(w, MANDATE_ENDED_BEFORE))
		plain(w, ENTRY_MANDATE_ENDED, refs);
	propose_mandate(w, old, "MAN-2027-000002", &other);
	plain(w, ENTRY_MANDATE_LAPSED,
	    (struct entry_refs){ .request = bytes_str("MAN-2027-000002") });
}
