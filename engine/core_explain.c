/*
 * explain - a request before the policy that governs it: the entry of its
 * last submission, or a draft as the registry is now.
 */
#include "core.h"

/* The entry that its serial number points at. */
static enum err_code
read_submission(struct core *c, struct view *v, struct bytes id, uint64_t index,
    struct json **keep, struct past *out, struct err *e)
{
	struct entry en;
	TRY(view_entry(v, index, c->arena, &en, e));
	if (en.type != ENTRY_REQUEST_SUBMITTED ||
	    !bytes_eq(en.refs.request, id))
		return err_say(e, ERR_NOTFOUND, "explain-elsewhere",
		    "the log does not have the submission of this request "
		    "where its serial number says; use refrendo audit "
		    "reproduce");
	return past_read(&en, keep, c->arena, out, e);
}

static enum err_code
explain(struct core *c, struct view *v, struct bytes id, struct history *h,
    struct buf *out, struct err *e)
{
	AUTO(json) keep = NULL;
	struct past past;
	const struct policy *policy;
	struct verdicts *verdicts = arena_get(c->arena, sizeof(*verdicts));
	uint64_t index = 0;
	bool in_log;
	/* The writer's own may be about to change. */
	struct ca ca = c->vouching;
	ca.policies = c->policies;
	TRY(explain_find(&ca, v, id, clock_now(), c->arena, &past, &index,
	    &in_log, e));
	if (in_log)
		TRY(read_submission(c, v, id, index, &keep, &past, e));
	/* In force, most often; else out of the rows, with its bases. */
	policy = past.policy_sha256.len == SHA256_LEN
		     ? policy_find_hash(c->policies, past.policy_sha256.p)
		     : NULL;
	if (policy == NULL) {
		TRY(history_take_rows(h, v, c->arena, e));
		TRY(history_policy(h, past.policy_sha256, &policy, e));
	}
	explain_write(&past, policy, verdicts, c->arena, out);
	return ERR_OK;
}

enum err_code
core_explain(struct core *c, struct view *v, struct bytes id, struct buf *out,
    struct err *e)
{
	AUTO(history) h = history_new();
	return explain(c, v, id, h, out, e);
}
