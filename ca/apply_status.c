#include "inner.h"

/* Changes of a certificate's status. */

static enum err_code
change(struct applying *p, enum cert_event ev, struct certificate *c,
    struct certificate *before, struct err *e)
{
	enum cert_state to;

	APPLY_TRY(p, certificate_get(p->v, p->entry->refs.serial, p->a, c, e),
	    e);
	*before = *c;
	APPLY_TRY(p, cert_next((enum cert_state)c->state, ev, &to, e), e);
	c->state = to;
	return ERR_OK;
}

enum err_code
apply_revoked(struct applying *p, struct err *e)
{
	struct certificate c, before;
	struct bytes cause = json_get_str(p->o, "cause");
	bool never = bytes_is(cause, CAUSE_NEVER_SIGNED);

	TRY(change(p, never ? EV_NEVER_SIGNED : EV_REVOKE, &c, &before, e));
	c.cause = cause;
	c.reason = json_get_int(p->o, "reason");
	c.asked_by = json_get_str(p->o, "asked_by");
	c.revoked_at = json_get_int(p->o, "effective");
	c.invalid_since = json_opt_int(p->o, "invalid_since", 0);
	c.suspend_until = 0;
	/* INCIDENTS row 44: such a key is never certified again. */
	if (c.reason == 1)
		TRY(row_key_mark(p, c.spki_sha256, false, true, e));
	return certificate_put(p, &before, &c, e);
}

enum err_code
apply_suspended(struct applying *p, struct err *e)
{
	struct certificate c, before;

	TRY(change(p, EV_SUSPEND, &c, &before, e));
	c.cause = json_get_str(p->o, "cause");
	c.reason = json_get_int(p->o, "reason");
	c.asked_by = json_get_str(p->o, "asked_by");
	c.revoked_at = json_get_int(p->o, "effective");
	c.suspend_until = json_get_int(p->o, "until");
	return certificate_put(p, &before, &c, e);
}

enum err_code
apply_reinstated(struct applying *p, struct err *e)
{
	struct certificate c, before;

	TRY(change(p, EV_REINSTATE, &c, &before, e));
	c.cause = c.asked_by = BYTES_NONE;
	c.reason = c.revoked_at = c.suspend_until = 0;
	return certificate_put(p, &before, &c, e);
}

enum err_code
apply_proposed(struct applying *p, struct err *e)
{
	struct certificate c, before;

	TRY(change(p, EV_PROPOSE, &c, &before, e));
	c.proposed = json_get_str(p->o, "cause");
	return certificate_put(p, &before, &c, e);
}

enum err_code
apply_replaced(struct applying *p, struct err *e)
{
	struct certificate c, before;

	TRY(change(p, EV_REPLACE, &c, &before, e));
	c.replaced_by = json_get_hex(p->o, "by", p->a);
	c.retires = json_opt_int(p->o, "until", 0);
	return certificate_put(p, &before, &c, e);
}
