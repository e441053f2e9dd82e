#include <string.h>

#include "inner.h"

/* Acts that were refused and are worth keeping: who asked for what, and why
 * not. */

/* act, actor, error, what a policy judged by, say. */
static enum err_code
refused_write(const struct deed *d, const struct err *why,
    const struct issue *s, struct draft *out, struct err *e)
{
	struct buf b AUTO_BUF = BUF(ENTRY_DETAIL_MAX);
	struct jw w = jw_of(&b);

	*out = (struct draft){ .type = ENTRY_ACT_REFUSED };
	jw_object(&w);
	jw_member_str(&w, "act", bytes_str(ca_acts[d->c->act].name));
	pen_actor(&w, d);
	jw_member_str(&w, "error", sentence(d->a, why->id));
	if (s != NULL) {
		struct issuer_urls urls = urls_of(s->issuer, 0, d->a);
		jw_key(&w, "facts");
		facts_write(&w, &s->facts, &urls);
		jw_member_str(&w, "policy", bytes_str(s->policy->name));
	}
	jw_member_str(&w, "say", sentence(d->a, why->say));
	jw_close(&w, '}');
	TRY(buf_end(&b, e));
	out->detail = arena_copy(d->a, buf_bytes(&b));
	return ERR_OK;
}

/* Text of a fact that was not judged yet: whatever it is, JSON can hold it. */
static bool
facts_are_text(const struct policy_facts *f)
{
	for (int i = 0; i < FACT_COUNT; i++)
		if (!utf8_valid(f->fact[i]))
			return false;
	return true;
}

void
refused_by_policy_keep(struct issue *s, const struct err *why)
{
	struct deed *d = s->d;
	struct draft draft;
	struct err ignored;
	bool has_id =
	    d->c->act == ACT_REQUEST_SUBMIT || d->c->act == ACT_REQUEST_RETRY;

	/* It is beside the refusal: what cannot be kept is not. */
	if (!facts_are_text(&s->facts) ||
	    refused_write(d, why, s, &draft, &ignored) != ERR_OK)
		return;
	draft.refs.institution = s->inst.rut;
	if (has_id)
		draft.refs.request = s->req.id;
	draft.refs.policy =
	    arena_copy(d->a, bytes_of(s->policy->sha256, SHA256_LEN));
	d->out->refused = draft;
}

static struct bytes
kept_text(const struct bytes *b, size_t max)
{
	if (b->len == 0 || b->len > max || !utf8_valid(*b) ||
	    memchr(b->p, '\0', b->len) != NULL)
		return BYTES_NONE;
	return *b;
}

enum err_code
ca_decide_refused(const struct command *c, const struct err *why,
    struct arena *a, struct draft *out, struct err *e)
{
	struct buf encoded AUTO_BUF = BUF(FRAME_MAX);
	struct command said = *c;
	struct deed d = { .a = a, .c = &said };

	if ((unsigned)c->act >= ACT_COUNT)
		return err_say(e, ERR_INVALID, "command-form",
		    "the command is not in the form that commands have");
	/* Who says so is noted as far as it is text that can be kept. */
	d.run = kept_text(&c->f[CF_AS], ca_fields[CF_AS].max);
	said.f[CF_KEY] = kept_text(&c->f[CF_KEY], ca_fields[CF_KEY].max);
	command_encode(c, &encoded);
	TRY(buf_end(&encoded, e));
	sha256(d.command_sha256, buf_bytes(&encoded));
	return refused_write(&d, why, NULL, out, e);
}
