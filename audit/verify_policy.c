#include "verify.h"

#include <stdio.h>
#include <string.h>

/* Policies: in force since the beginning, or because officers signed so. */

static bool
hash_is(const uint8_t want[HASH_LEN], struct bytes data)
{
	uint8_t hash[HASH_LEN];

	sha256(hash, data);
	return memcmp(want, hash, HASH_LEN) == 0;
}

/* --- policy.proposed --------------------------------------------------------- */

/* The texts are those whose hashes the statement names, in its order. */
static enum err_code
judge_texts(struct audit *a, struct json_obj d,
    const struct activation_statement *s, struct err *e)
{
	bool same = json_count(d, "policies") == s->n;

	for (size_t i = 0; same && i < s->n; i++) {
		struct json_obj o = json_at_obj(d, "policies", i);
		struct bytes text = json_get_base64(o, "text", a->arena);
		same = hash_is(s->policy[i].is.sha256.p, text) &&
		       bytes_eq(json_get_str(o, "name"), s->policy[i].is.name);
	}
	TRY(detail_end(a, e));
	if (same)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-activation-texts",
	    "entry %s: the policies proposed are not those that the statement "
	    "names by their hash",
	    a->at);
}

enum err_code
judge_policy_proposed(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e)
{
	struct activation_statement s;
	struct agreement_noted *p;
	struct err below = { .code = ERR_OK };
	struct bytes text;

	TRY(note_agreement(a, en, d, &p, &text, e));
	if (a->erased)
		return ERR_OK;
	if (activation_parse(text, a->arena, &s, &below) != ERR_OK)
		return fault_below(a, &below, e);
	p->n = s.n;
	p->effective = s.effective;
	p->issued = s.issued;
	p->expires = s.expires;
	for (size_t i = 0; i < s.n; i++) {
		memcpy(p->hash[i], s.policy[i].is.sha256.p, HASH_LEN);
		p->version[i] = s.policy[i].is.version;
	}
	if (!bytes_eq(s.id, en->refs.request) ||
	    !bytes_eq(s.origin, buf_bytes(&a->origin)))
		return err_say(e, ERR_INVALID, "audit-activation-statement",
		    "entry %s: the statement is of another log or activation "
		    "than the entry",
		    a->at);
	TRY(judge_log(a, en, s.log_size, s.log_root, e));
	return judge_texts(a, d, &s, e);
}

/* --- policy.activated ----------------------------------------------------------- */

/*
 * In force from here on, in the place of its namesake.  false: that one's
 * version is not below, so that a name and version could mean two texts.
 */
static bool
note_policy(struct audit *a, struct bytes hash, struct bytes name,
    int64_t version, const struct policy_consent *says)
{
	uint32_t before = map_get(&a->map, MAP_POLICY_NAME, name);
	bool rises = true;

	a->policy =
	    grow(a->policy, a->n_policy, &a->size_policy, sizeof(*a->policy));
	struct policy_noted *p = &a->policy[a->n_policy];
	*p = (struct policy_noted){ .version = version, .says = *says };
	snprintf(p->name, sizeof(p->name), "%.*s", BYTES_FMT(name));
	if (name.len > 0 && before != NONE) {
		a->policy[before].replaced = true;
		rises = version > a->policy[before].version;
	}
	if (name.len > 0)
		map_put(&a->map, MAP_POLICY_NAME, name, (uint32_t)a->n_policy);
	map_put(&a->map, MAP_POLICY, hash, (uint32_t)a->n_policy++);
	return rises;
}

/* Enough officers signed these very bytes, for this time or an earlier one. */
static enum err_code
judge_activation(struct audit *a, const struct entry *en, int64_t version,
    struct err *e)
{
	struct agreement_noted *p;
	size_t i = 0;

	TRY(open_agreement(a, en, &p, e));
	p->done++;
	if (p->erased)
		return ERR_OK;
	a->partial = p->done < p->n ? (uint32_t)(p - a->agreement) : NONE;
	while (i < p->n &&
	       !bytes_eq(en->refs.policy, bytes_of(p->hash[i], HASH_LEN)))
		i++;
	if (i == p->n || (p->in_force & 1u << i) != 0 ||
	    (!a->erased && p->version[i] != version))
		return err_say(e, ERR_INVALID, "audit-activation-other",
		    "entry %s: the activation does not name this policy, or it "
		    "took effect before",
		    a->at);
	p->in_force |= 1u << i;
	if (!has_quorum(a, p))
		return err_say(e, ERR_INVALID, "audit-policy-quorum",
		    "entry %s: fewer officers signed the activation of this "
		    "policy than this log needs",
		    a->at);
	if (en->time < p->effective)
		return err_say(e, ERR_INVALID, "audit-policy-early",
		    "entry %s: the policy took effect before the time that the "
		    "officers signed",
		    a->at);
	if (is_life_within(a, p->top, a->n_top, LIFE_STATEMENT,
		p->expires - p->issued))
		return ERR_OK;
	return over_ceiling(a->at, "statement_max", e);
}

enum err_code
judge_policy(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	struct bytes text = BYTES_NONE, name = BYTES_NONE;
	struct policy_consent says = { .renewal = -1 };
	int64_t version = 0;
	bool readable = true;

	a->report.policies++;
	if (!a->erased) {
		text = json_get_base64(d, "text", a->arena);
		name = json_get_str(d, "name");
		version = json_get_int(d, "version");
		readable = version > 0 && policy_consent_of(text, &says);
	}
	bool rises = note_policy(a, en->refs.policy, name, version, &says);
	a->policy[a->n_policy - 1].first = en->refs.request.len == 0;
	TRY(detail_end(a, e));
	if (!a->erased && !hash_is(en->refs.policy.p, text))
		return err_say(e, ERR_INVALID, "audit-policy-text",
		    "entry %s: the policy's text is not the one whose hash is "
		    "named",
		    a->at);
	if (!readable)
		return err_say(e, ERR_INVALID, "audit-policy-unreadable",
		    "entry %s: the policy's text is none that can be read, so "
		    "nobody can say what it asks for",
		    a->at);
	if (en->refs.request.len > 0)
		TRY(judge_activation(a, en, version, e));
	if (a->policy_quorum > 0 && !rises)
		return err_say(e, ERR_INVALID, "audit-policy-version",
		    "entry %s: the version of the policy does not rise above "
		    "that of the one in force before it",
		    a->at);
	if (en->refs.request.len > 0)
		return ERR_OK;
	/* Logs that began without a quorum took what lay in the files. */
	if (a->policy_quorum == 0 || !a->begun)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-policy-unsigned",
	    "entry %s: the policy took effect without the signatures of "
	    "officers",
	    a->at);
}

/* Of this name and version, which stand for one text for ever; or NULL. */
static const struct policy_noted *
find_base(const struct audit *a, const struct policy_consent *says)
{
	for (size_t i = 0; i < a->n_policy; i++)
		if (a->policy[i].version == says->base_version &&
		    strcmp(a->policy[i].name, says->base) == 0)
			return &a->policy[i];
	return NULL;
}

static bool
lost_a_policy(const struct audit *a)
{
	size_t i = 0;

	while (i < a->n_policy && a->policy[i].version != 0)
		i++;
	return i < a->n_policy;
}

/* Of a base only what the refinement does not say; each is looked up once. */
enum err_code
policy_consent(struct audit *a, const uint8_t hash[HASH_LEN],
    struct policy_consent *out, struct err *e)
{
	uint32_t at = map_get(&a->map, MAP_POLICY, bytes_of(hash, HASH_LEN));
	struct policy_consent *says = &a->policy[at].says;
	const struct policy_noted *base;
	/* Of those whose text was erased nothing is known. */
	bool lost = a->policy[at].version == 0;

	for (size_t depth = 0; says->base_version != 0; depth++) {
		base = find_base(a, says);
		lost = base == NULL && lost_a_policy(a);
		if (lost)
			break;
		if (base == NULL || depth == POLICIES_MAX)
			return err_say(e, ERR_INVALID, "audit-policy-base",
			    "entry %s: the policy that it rests on extends one "
			    "whose text is not in the log",
			    a->at);
		if (says->required == 0)
			says->required = base->says.required;
		if (says->renewal == -1)
			says->renewal = base->says.renewal;
		memcpy(says->base, base->says.base, sizeof(says->base));
		says->base_version = base->says.base_version;
	}
	*out = *says;
	if (out->required == 0)
		out->required = 1;
	if (out->renewal == -1)
		out->renewal = lost ? RENEWAL_REKEY : RENEWAL_FRESH;
	return ERR_OK;
}

enum err_code
judge_whole(struct audit *a, const struct entry *en, struct err *e)
{
	uint32_t at = a->partial;

	if (en->type != ENTRY_SYSTEM_INITIALIZED &&
	    en->type != ENTRY_POLICY_ACTIVATED)
		a->begun = true;
	if (at == NONE ||
	    (en->type == ENTRY_POLICY_ACTIVATED &&
		map_get(&a->map, MAP_AGREEMENT, en->refs.request) == at))
		return ERR_OK;
	a->partial = NONE;
	return err_say(e, ERR_INVALID, "audit-activation-part",
	    "entry %s: the policies of one activation take effect together; "
	    "before this entry some are missing",
	    a->at);
}
