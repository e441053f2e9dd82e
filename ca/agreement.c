#include "inner.h"

/*
 * What takes the signatures of several officers over one statement, whatever
 * it is about: proposed, endorsed by each, agreed on, and then done, withdrawn
 * or lapsed.  A family is a row here; what is proposed and what follows from it
 * stand in files of their own.
 */

static const struct family {
	enum row_class class;
	const struct rec_type *rec;
	enum ca_field id;
	enum entry_type proposed, endorsed, withdrawn, lapsed, done;
	/* What follows at once when it is agreed on and its time has come. */
	enum err_code (*follow)(struct deed *d, const struct agreement_row *g,
	    struct err *e);
} families[] = {
	{ ROW_ACTIVATION, &rec_activation, CF_ACTIVATION, ENTRY_POLICY_PROPOSED,
	    ENTRY_POLICY_ENDORSED, ENTRY_POLICY_WITHDRAWN, ENTRY_POLICY_LAPSED,
	    ENTRY_POLICY_ACTIVATED, activation_follow },
	{ ROW_CEREMONY, &rec_ceremony, CF_CEREMONY, ENTRY_CEREMONY_PROPOSED,
	    ENTRY_CEREMONY_ENDORSED, ENTRY_CEREMONY_WITHDRAWN,
	    ENTRY_CEREMONY_LAPSED, ENTRY_CEREMONY_COMPLETED, ceremony_follow },
};

static const struct family *family_of_class(enum row_class class)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].class == class)
			return &families[i];
	fatal("rows of class %d are not agreed on", (int)class);
}

static const struct family *
family_of(enum entry_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		if (type == f->proposed || type == f->endorsed ||
		    type == f->withdrawn || type == f->lapsed ||
		    type == f->done)
			return f;
	}
	fatal("entries of type %d are not about an agreement", (int)type);
}

/* --- By the clock ----------------------------------------------------------------- */

int64_t
agreement_due(const struct agreement_row *g)
{
	if (g->state == AGREEMENT_AGREED && g->effective != 0)
		return g->effective;
	return g->state == AGREEMENT_PROPOSED || g->state == AGREEMENT_AGREED
		   ? g->expires + 1
		   : NEVER;
}

/* Past its time it has lapsed, unless its time is when it takes effect. */
static bool
is_late(const struct agreement_row *g, int64_t now)
{
	return agreement_due(g) <= now &&
	       (g->state == AGREEMENT_PROPOSED || g->effective == 0);
}

enum agreement_state
agreement_state_at(const struct agreement_row *g, int64_t now)
{
	return is_late(g, now) ? AGREEMENT_LAPSED
			       : (enum agreement_state)g->state;
}

/* --- Drafts ----------------------------------------------------------------------- */

enum err_code
agreement_get(struct view *v, enum row_class class, struct bytes id,
    struct arena *a, struct agreement_row *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, family_of_class(class)->rec, ca_row_key(a, class, id), a,
	    out, &found, e));
	if (!found)
		return err_say(e, ERR_NOTFOUND, "agreement-unknown",
		    "nothing with the number %s was proposed to the officers",
		    arena_str(a, id));
	return ERR_OK;
}

void
pen_agreement(struct pen *p, struct deed *d, enum entry_type type,
    const struct agreement_row *g)
{
	pen_begin(p, d, type);
	p->draft->refs.request = g->id;
	d->out->object = ca_row_key(d->a, family_of(type)->class, g->id);
}

static enum err_code
draft_closed(struct deed *d, enum entry_type type,
    const struct agreement_row *g, struct bytes reason, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_agreement(&pen, d, type, g);
	jw_member_str_opt(&pen.w, "reason", reason);
	return pen_end(&pen, d->a, e);
}

enum err_code
agreement_fails(struct deed *d, enum row_class class,
    const struct agreement_row *g, struct bytes reason, struct err *e)
{
	return draft_closed(d, family_of_class(class)->withdrawn, g, reason, e);
}

enum err_code
agreement_fails_by(struct deed *d, enum row_class class,
    const struct agreement_row *g, struct err *e)
{
	if (e->code == ERR_CORRUPT || e->code == ERR_IO || e->code == ERR_NOMEM)
		return e->code;
	return agreement_fails(d, class, g, sentence(d->a, e->say), e);
}

static enum err_code
must_be_new(struct deed *d, const struct agreement_row *g, struct err *e)
{
	bool found;

	TRY(consent_exists(d, g->id, &found, e));
	if (!found)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "agreement-signed",
	    "this officer has signed %s already; another officer must",
	    arena_str(d->a, g->id));
}

enum err_code
agreement_endorse(struct deed *d, enum row_class class, struct err *e)
{
	const struct family *f = family_of_class(class);
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct pen pen AUTO_PEN = { .draft = NULL };
	struct agreement_row g;
	enum agreement_state to;
	int64_t needed;
	struct cms cms;

	TRY(agreement_get(d->v, class, field(d, f->id), d->a, &g, e));
	TRY(cms_parse(field(d, CF_CMS), &scratch, &cms, e));
	TRY(officer_of(d, &cms, e));
	TRY(quorum_of(d, false, &needed, e));
	bool enough = g.signatures + 1 >= needed;
	TRY(agreement_next(agreement_state_at(&g, d->now),
	    enough ? GV_APPROVE : GV_ENDORSE, &to, e));
	TRY(officers_still(d, g.id, g.proposed, e));
	TRY(must_be_new(d, &g, e));
	TRY(cms_verify(&cms, g.statement, d->ca->verifier, e));
	pen_agreement(&pen, d, f->endorsed, &g);
	jw_member_base64(&pen.w, "evidence", cms.der);
	jw_member_int(&pen.w, "needed", needed);
	jw_member_str(&pen.w, "officer", d->run);
	TRY(pen_end(&pen, d->a, e));
	if (!enough || g.effective > d->now)
		return ERR_OK;
	return f->follow(d, &g, e);
}

/* To take back what is not done yet needs one officer, and no quorum. */
enum err_code
agreement_withdraw(struct deed *d, enum row_class class, struct err *e)
{
	const struct family *f = family_of_class(class);
	struct agreement_row g;
	enum agreement_state to;

	TRY(agreement_get(d->v, class, field(d, f->id), d->a, &g, e));
	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(agreement_next(agreement_state_at(&g, d->now), GV_WITHDRAW, &to,
	    e));
	return draft_closed(d, f->withdrawn, &g, field(d, CF_REASON), e);
}

enum err_code
due_agreement(struct deed *d, enum row_class class, struct bytes id,
    struct err *e)
{
	const struct family *f = family_of_class(class);
	struct agreement_row g;

	TRY(agreement_get(d->v, class, id, d->a, &g, e));
	if (agreement_due(&g) > d->now)
		return err_say(e, ERR_CORRUPT, "due-not-due",
		    "a stored due time disagrees with its record");
	if (!is_late(&g, d->now))
		return f->follow(d, &g, e);
	return draft_closed(d, f->lapsed, &g,
	    bytes_str(g.state == AGREEMENT_AGREED
			  ? "no answer of the root came in time"
			  : "too few officers signed it in time"),
	    e);
}

/* --- Apply -------------------------------------------------------------------------- */

enum err_code
agreement_load(struct applying *p, struct agreement_row *g, struct err *e)
{
	APPLY_TRY(p,
	    agreement_get(p->v, family_of(p->entry->type)->class,
		p->entry->refs.request, p->a, g, e),
	    e);
	return ERR_OK;
}

enum err_code
agreement_put(struct applying *p, const struct agreement_row *before,
    const struct agreement_row *after, struct err *e)
{
	const struct family *f = family_of(p->entry->type);

	TRY(row_put(p, f->rec, ca_row_key(p->a, f->class, after->id), after,
	    e));
	return row_due(p, f->class, after->id,
	    before == NULL ? NEVER : agreement_due(before),
	    agreement_due(after), e);
}

enum err_code
agreement_step(struct applying *p, struct agreement_row *g,
    enum agreement_event ev, struct err *e)
{
	enum agreement_state to;

	APPLY_TRY(p, agreement_next((enum agreement_state)g->state, ev, &to, e),
	    e);
	g->state = to;
	return ERR_OK;
}

enum err_code
agreement_begin(struct applying *p, struct agreement_row *g, struct err *e)
{
	const struct family *f = family_of(p->entry->type);
	struct agreement_row old;
	bool found;

	rec_read(f->rec, json_get_obj(p->o, "proposal"), p->a, g);
	g->statement = arena_copy(p->a, json_get_str(p->o, "statement"));
	TRY(rec_get(p->v, f->rec, ca_row_key(p->a, f->class, g->id), p->a, &old,
	    &found, e));
	if (found || g->state != AGREEMENT_PROPOSED || g->signatures != 0 ||
	    !bytes_eq(g->id, p->entry->refs.request))
		return contradiction(p, e);
	return row_count(p, g->id, e);
}

enum err_code
apply_agreement_endorsed(struct applying *p, struct err *e)
{
	struct agreement_row g, before;

	TRY(agreement_load(p, &g, e));
	before = g;
	g.signatures++;
	TRY(row_consent(p, g.id, "officer", &g.signed_by, e));
	g.needed = json_get_int(p->o, "needed");
	TRY(agreement_step(p, &g,
	    g.signatures >= g.needed ? GV_APPROVE : GV_ENDORSE, e));
	if (g.state == AGREEMENT_AGREED)
		g.agreed = p->entry->time;
	return agreement_put(p, &before, &g, e);
}

enum err_code
apply_agreement_closed(struct applying *p, struct err *e)
{
	struct agreement_row g, before;
	enum entry_type type = p->entry->type;

	TRY(agreement_load(p, &g, e));
	before = g;
	TRY(agreement_step(p, &g,
	    type == family_of(type)->lapsed ? GV_LAPSE : GV_WITHDRAW, e));
	g.reason = json_opt_str(p->o, "reason");
	g.closed = p->entry->time;
	return agreement_put(p, &before, &g, e);
}
