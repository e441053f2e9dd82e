#include "verify.h"

#include <stdio.h>
#include <string.h>

/* Mandates, and the renewals that rest on them. */

static enum err_code
wrong_state(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-mandate-order",
	    "entry %s: a mandate is proposed, signed, used and ended, in this "
	    "order",
	    a->at);
}

static struct mandate_noted *
find(struct audit *a, struct bytes id)
{
	uint32_t at = map_get(&a->map, MAP_MANDATE, id);

	return at == NONE ? NULL : &a->mandate[at];
}

/* --- The mandate itself --------------------------------------------------------- */

static enum err_code
take_statement(struct audit *a, const struct entry *en,
    const struct statement *s, struct mandate_noted *m, struct err *e)
{
	if (s->type != STATEMENT_MANDATE ||
	    !bytes_eq(s->request, en->refs.request) ||
	    !bytes_eq(s->institution, en->refs.institution) ||
	    !bytes_eq(s->policy_sha256, en->refs.policy) ||
	    !bytes_eq(s->origin, buf_bytes(&a->origin)))
		return err_say(e, ERR_INVALID, "audit-statement",
		    "entry %s: the statement is of another kind, log, "
		    "institution, policy or object than the entry",
		    a->at);
	m->ca = ca_find(a, s->issuer);
	if (m->ca == NONE)
		return err_say(e, ERR_INVALID, "audit-issuer",
		    "entry %s: the statement names an issuer that is no CA of "
		    "this log",
		    a->at);
	snprintf(m->holder, sizeof(m->holder), "%.*s",
	    BYTES_FMT(s->holder_run));
	snprintf(m->institution, sizeof(m->institution), "%.*s",
	    BYTES_FMT(s->institution));
	memcpy(m->policy, s->policy_sha256.p, HASH_LEN);
	memcpy(m->profile, s->profile_sha256.p, HASH_LEN);
	m->may_rekey = s->rekey_sha256.len == HASH_LEN;
	if (m->may_rekey)
		memcpy(m->rekey, s->rekey_sha256.p, HASH_LEN);
	m->until = s->until;
	m->term = s->until - s->issued;
	m->life = s->life_s;
	m->renewals = s->renewals;
	return judge_log(a, en, s->log_size, s->log_root, e);
}

static enum err_code
proposed(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	struct err below = { .code = ERR_OK };
	struct statement s;

	if (find(a, en->refs.request) != NULL)
		return wrong_state(a, e);
	a->mandate = grow(a->mandate, a->n_mandate, &a->size_mandate,
	    sizeof(*a->mandate));
	struct mandate_noted *m = &a->mandate[a->n_mandate];
	*m = (struct mandate_noted){ .erased = a->erased,
		.ca = NONE,
		.last = NONE,
		.statement = BUF(STATEMENT_MAX) };
	map_put(&a->map, MAP_MANDATE, en->refs.request,
	    (uint32_t)a->n_mandate++);
	if (a->erased)
		return ERR_OK;
	struct bytes text = json_get_str(d, "statement");
	TRY(detail_end(a, e));
	buf_put(&m->statement, text.p, text.len);
	if (statement_parse(text, a->arena, &s, &below) != ERR_OK)
		return fault_below(a, &below, e);
	return take_statement(a, en, &s, m, e);
}

/* The text of its policy, and not core, says whether there are mandates. */
static enum err_code
policy_must_allow(struct audit *a, const struct mandate_noted *m,
    struct policy_consent *says, struct err *e)
{
	if (map_get(&a->map, MAP_POLICY, bytes_of(m->policy, HASH_LEN)) == NONE)
		return err_say(e, ERR_INVALID, "audit-policy",
		    "entry %s: it rests on a policy whose text is not in the "
		    "log",
		    a->at);
	TRY(policy_consent(a, m->policy, says, e));
	if (says->renewal == RENEWAL_REKEY ||
	    (says->renewal == RENEWAL_MANDATE && !m->may_rekey))
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-mandate-policy",
	    "entry %s: the text of the policy asks for a new endorsement of "
	    "each renewal, or knows no mandates with a new key",
	    a->at);
}

/* It does not outlast the appointment of the minister who signed it now. */
static enum err_code
judge_term(struct audit *a, const struct mandate_noted *m, struct err *e)
{
	const struct appointment *p =
	    &a->appointment[m->endorser[m->n_endorser - 1]];

	if (p->erased || m->until <= p->until)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-mandate-outlasts",
	    "entry %s: the mandate would outlast the appointment of the "
	    "minister who signed it",
	    a->at);
}

static enum err_code
signed_(struct audit *a, const struct entry *en, struct json_obj d,
    struct mandate_noted *m, struct err *e)
{
	struct statement s;
	struct cms c;

	m->erased = m->erased || a->erased;
	if (m->state != MANDATE_PROPOSED &&
	    !(m->erased && m->state == MANDATE_IN_FORCE))
		return wrong_state(a, e);
	a->report.endorsements++;
	if (m->erased) {
		m->state = MANDATE_IN_FORCE;
		return ERR_OK;
	}
	int64_t needed = json_get_int(d, "needed");
	struct policy_consent says;
	enum err_code code = policy_must_allow(a, m, &says, e);
	if (code == ERR_OK)
		code = judge_evidence(a, en, d, buf_bytes(&m->statement), &s,
		    &c, e);
	if (code == ERR_OK)
		code = judge_minister(a, en, d, &s, &c, m->endorser,
		    &m->n_endorser, e);
	if (code == ERR_OK)
		code = judge_term(a, m, e);
	if (code != ERR_OK ||
	    (m->n_endorser >= needed && m->n_endorser >= s.endorsements &&
		m->n_endorser >= says.required)) {
		m->state = MANDATE_IN_FORCE;
		buf_fini(&m->statement);
	}
	return code;
}

enum err_code
judge_mandate(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	struct mandate_noted *m = find(a, en->refs.request);

	if (en->type == ENTRY_MANDATE_PROPOSED)
		return proposed(a, en, d, e);
	if (m == NULL || m->state == MANDATE_CLOSED)
		return wrong_state(a, e);
	if (en->type == ENTRY_MANDATE_ENDORSED)
		return signed_(a, en, d, m, e);
	m->state = MANDATE_CLOSED;
	buf_fini(&m->statement);
	return ERR_OK;
}

/* --- A renewal ---------------------------------------------------------------------- */

static enum err_code
not_for_it(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-mandate-other",
	    "entry %s: the mandate that it rests on is for another person, "
	    "profile, policy or CA, or for a shorter life",
	    a->at);
}

/* Who asks for it is neither the holder nor a minister who signed. */
static enum err_code
judge_asker(struct audit *a, struct json_obj d, const struct mandate_noted *m,
    struct err *e)
{
	struct bytes run = json_get_str(json_get_obj(d, "actor"), "run");
	bool is_other = !bytes_is(run, m->holder);

	TRY(detail_end(a, e));
	for (uint32_t i = 0; i < m->n_endorser; i++)
		is_other = is_other &&
			   !bytes_is(run, a->appointment[m->endorser[i]].run);
	if (is_other)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-renewal-people",
	    "entry %s: who asked for the renewal, its holder and the ministers "
	    "who signed the mandate must be different people",
	    a->at);
}

/* The key of the one that is renewed signed for the new one. */
static enum err_code
judge_proof(struct audit *a, struct json_obj d, struct bytes id,
    const struct record *r, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct err below = { .code = ERR_OK };
	struct bytes tbs = bytes_of(a->record[r->renews].tbs, HASH_LEN);
	struct bytes der = json_get_base64(d, "evidence", a->arena);
	uint8_t hash[HASH_LEN];
	struct cms c;

	TRY(detail_end(a, e));
	TRY(rekey_print(id, tbs, bytes_of(r->key, HASH_LEN), &text, e));
	if (cms_parse(der, &scratch, &c, &below) != ERR_OK ||
	    cms_verify(&c, buf_bytes(&text), a->v, &below) != ERR_OK)
		return fault_below(a, &below, e);
	sha256(hash, c.signer.tbs);
	if (bytes_eq(tbs, bytes_of(hash, HASH_LEN)))
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-rekey-other",
	    "entry %s: the new key was signed for with another certificate "
	    "than the one that is renewed",
	    a->at);
}

enum err_code
judge_renewal(struct audit *a, const struct entry *en, struct json_obj d,
    struct record *r, struct err *e)
{
	struct json_obj request = json_get_obj(d, "request");
	struct bytes tbs = json_get_base64(d, "tbs", a->arena);
	struct bytes id = json_get_str(request, "mandate");
	struct err below = { .code = ERR_OK };
	uint8_t hash[HASH_LEN];
	struct cert c;

	TRY(detail_end(a, e));
	r->mandate = map_get(&a->map, MAP_MANDATE, id);
	if (r->mandate == NONE)
		return wrong_state(a, e);
	const struct mandate_noted *m = &a->mandate[r->mandate];
	if (cert_parse_own(tbs, &c, &below) != ERR_OK)
		return fault_below(a, &below, e);
	cert_profile(&c, r->profile);
	sha256(r->key, c.spki);
	r->not_after = c.not_after;
	r->ca = m->ca;
	sha256(hash, c.tbs);
	if (memcmp(hash, r->tbs, HASH_LEN) != 0 ||
	    !bytes_eq(c.serial, record_serial(r)))
		return err_say(e, ERR_INVALID, "audit-tbs",
		    "entry %s: statement, entry and the certificate to be "
		    "signed do not name the same TBS or serial number",
		    a->at);
	/* The clock set it, and a policy moves it by an hour at most. */
	if (c.not_before > en->time || c.not_before < en->time - HOUR)
		return err_say(e, ERR_INVALID, "audit-renewal-begins",
		    "entry %s: the renewal begins later than it was asked for, "
		    "or earlier than a policy can set it back",
		    a->at);
	if (m->erased)
		return ERR_OK;
	if (memcmp(r->profile, m->profile, HASH_LEN) != 0 ||
	    memcmp(r->policy, m->policy, HASH_LEN) != 0 ||
	    !bytes_is(en->refs.institution, m->institution) ||
	    !cert_is_of(&c, bytes_str(m->holder)) || c.not_after > m->until ||
	    c.not_after - c.not_before + 1 > m->life)
		return not_for_it(a, e);
	return judge_asker(a, d, m, e);
}

/* --- Its use -------------------------------------------------------------------------- */

static bool
is_known(const uint8_t key[HASH_LEN])
{
	static const uint8_t none[HASH_LEN];

	return memcmp(key, none, HASH_LEN) != 0;
}

/* What it renews was issued, is neither revoked, suspended nor over, is of the
 * same profile, and of the key that the mandate goes on from. */
static enum err_code
judge_replaced(struct audit *a, const struct entry *en, const struct record *r,
    const struct mandate_noted *m, struct err *e)
{
	const uint8_t *key = !m->may_rekey     ? r->key
			     : m->last == NONE ? m->rekey
					       : a->record[m->last].key;
	const struct record *old =
	    r->renews == NONE ? NULL : &a->record[r->renews];
	bool known = old != NULL && is_known(old->profile);

	if (old == NULL || old->state != RECORD_ISSUED ||
	    old->status != STATUS_GOOD ||
	    (known && !m->erased &&
		(memcmp(old->profile, m->profile, HASH_LEN) != 0 ||
		    (is_known(key) && memcmp(old->key, key, HASH_LEN) != 0))))
		return err_say(e, ERR_INVALID, "audit-renews-none",
		    "entry %s: it renews by a mandate what was never issued, "
		    "is revoked or suspended, or is of another profile or key",
		    a->at);
	if (known && r->renews < m->since)
		return err_say(e, ERR_INVALID, "audit-renews-left",
		    "entry %s: the key of the certificate that it renews by a "
		    "mandate was left since: what it signed for then was used",
		    a->at);
	if (old->not_after != 0 && en->time > old->not_after)
		return err_say(e, ERR_INVALID, "audit-renews-over",
		    "entry %s: the certificate that it renews by a mandate was "
		    "over before",
		    a->at);
	return ERR_OK;
}

/*
 * A new key has its proof.  Where details were erased it may be that nobody can
 * say whether the key is new, or whether there was a proof: that is reported.
 */
static enum err_code
judge_key(struct audit *a, const struct entry *en, struct json_obj d,
    struct bytes id, const struct record *r, struct err *e)
{
	const struct record *old =
	    r->renews == NONE ? NULL : &a->record[r->renews];
	bool known = old != NULL && is_known(old->key) && is_known(r->key);

	if (known && memcmp(old->key, r->key, HASH_LEN) == 0)
		return ERR_OK;
	if (!a->erased && old != NULL && is_known(r->key) &&
	    (known || json_has(d, "evidence")))
		return judge_proof(a, d, id, r, e);
	a->report.unproven++;
	a->report.unproven_at = en->index;
	return ERR_OK;
}

/* One more is made by it; with another key, none of before is renewed again. */
static void
note_use(struct audit *a, const struct record *r, struct mandate_noted *m)
{
	uint32_t at = (uint32_t)(r - a->record);
	const uint8_t *last = m->last == NONE ? r->key : a->record[m->last].key;

	if (is_known(last) && is_known(r->key) &&
	    memcmp(last, r->key, HASH_LEN) != 0)
		m->since = at;
	m->last = at;
	m->used++;
}

enum err_code
judge_mandate_used(struct audit *a, const struct entry *en, struct json_obj d,
    struct record *r, struct err *e)
{
	struct bytes id = a->erased ? BYTES_NONE : json_get_str(d, "mandate");
	uint32_t at = r->mandate;

	TRY(detail_end(a, e));
	if (!a->erased)
		at = map_get(&a->map, MAP_MANDATE, id);
	/* What was submitted may be erased; what is known was for this one. */
	bool other = r->mandate != NONE || is_known(r->profile);
	if (at == NONE || (other && at != r->mandate))
		return not_for_it(a, e);
	struct mandate_noted *m = &a->mandate[at];
	const struct mandate_noted before = *m;
	note_use(a, r, m);
	if (m->state != MANDATE_IN_FORCE || (!m->erased && en->time > m->until))
		return err_say(e, ERR_INVALID, "audit-mandate-not-in-force",
		    "entry %s: the mandate that it rests on was not signed, or "
		    "was over",
		    a->at);
	if (!m->erased && m->used > m->renewals)
		return err_say(e, ERR_INVALID, "audit-mandate-used-up",
		    "entry %s: it is one renewal more than the mandate allows",
		    a->at);
	if (r->mandate != NONE)
		TRY(judge_replaced(a, en, r, &before, e));
	TRY(judge_key(a, en, d, id, r, e));
	return judge_endorsers(a, m->endorser, m->n_endorser, e);
}
