#include <string.h>

#include "inner.h"

/*
 * Ceremonies: officers agree on what an offline root is to sign, by its hash,
 * and what comes back is held against that; or on a key that is destroyed.
 */

/* --- Propose ------------------------------------------------------------------ */

static enum err_code
ceilings_say(struct deed *d, const struct agreement_row *c,
    struct ceremony_statement *st, struct err *e)
{
	struct buf people AUTO_BUF = BUF(CEILINGS_PEOPLE_MAX);
	struct ceilings *to = arena_get(d->a, sizeof(*to));
	struct ceilings_row now;
	bool found;

	TRY(ca_ceilings(d->v, d->a, &now, &found, e));
	TRY(ceilings_read(c->tbs, to, e));
	ceilings_people(to, &people);
	TRY(buf_end(&people, e));
	st->people = arena_copy(d->a, buf_bytes(&people));
	st->base_sha256 = now.sha256;
	return ERR_OK;
}

/* Also those who sign elsewhere read all of it. */
static enum err_code
say_text(struct deed *d, const struct agreement_row *c,
    struct ceremony_statement *st, struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct ceremony_told told = { c->tbs, c->policy, c->revokes,
		c->reason };

	TRY(ceremony_text(st, &told, d->a, true, &text, e));
	st->text_es = arena_copy(d->a, buf_bytes(&text));
	return ERR_OK;
}

static enum err_code
put_statement(struct deed *d, struct agreement_row *c, struct err *e)
{
	struct buf out AUTO_BUF = BUF(STATEMENT_MAX);
	uint8_t *log_root = arena_get(d->a, HASH_LEN);

	TRY(view_log_root(d->v, log_root, e));
	struct ceremony_statement st = {
		.origin = d->ca->origin,
		.id = c->id,
		.root_sha256 = hash_in(d->a, d->root->cert.der),
		.n = 1,
		.proposed_by = c->proposed_by,
		.log_size = view_log_size(d->v),
		.log_root = bytes_of(log_root, HASH_LEN),
		.issued = c->proposed,
		.expires = c->expires,
	};
	st.object[0].kind = (enum ceremony_kind)c->kind;
	st.object[0].name = c->name;
	st.object[0].replaces = c->replaces;
	st.object[0].tbs_sha256 = hash_in(d->a, c->tbs);
	if (c->kind == CEREMONY_CEILINGS)
		TRY(ceilings_say(d, c, &st, e));
	TRY(say_text(d, c, &st, e));
	TRY(ceremony_print(&st, &out, e));
	c->statement = arena_copy(d->a, buf_bytes(&out));
	return ERR_OK;
}

static enum err_code
draft_proposal(struct deed *d, const struct agreement_row *c, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_agreement(&pen, d, ENTRY_CEREMONY_PROPOSED, c);
	pen.draft->refs.tbs = hash_in(d->a, c->tbs);
	pen.draft->refs.institution = c->institution;
	/* What showed the key of a CA that is not ours, for who audits. */
	if (c->possession.len > 0)
		jw_member_base64(&pen.w, "possession", c->possession);
	jw_key(&pen.w, "proposal");
	rec_write(&pen.w, &rec_ceremony, c, false);
	jw_member_str(&pen.w, "statement", c->statement);
	jw_member_base64(&pen.w, "tbs", c->tbs);
	return pen_end(&pen, d->a, e);
}

static enum err_code
propose(struct deed *d,
    enum err_code (
	*build)(struct deed *d, struct agreement_row *c, struct err *e),
    struct err *e)
{
	struct agreement_row c = {
		.proposed_by = d->run,
		.reason = field(d, CF_REASON),
		.proposed = d->now,
		.expires = d->now + CEREMONY_LIFE_S,
	};

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	/* Another one than that in force makes CRLs alone. */
	TRY(root_named(d,
	    d->c->act == ACT_CEREMONY_CRL ? field(d, CF_NAME) : BYTES_NONE, e));
	TRY(quorum_of(d, false, &c.needed, e));
	TRY(id_new(d, "CER", &c.id, e));
	TRY(build(d, &c, e));
	TRY(put_statement(d, &c, e));
	return draft_proposal(d, &c, e);
}

enum err_code
act_ceremony_ca(struct deed *d, struct err *e)
{
	return propose(d, ceremony_build_ca, e);
}

enum err_code
act_ceremony_cross(struct deed *d, struct err *e)
{
	return propose(d, ceremony_build_cross, e);
}

enum err_code
act_ceremony_crl(struct deed *d, struct err *e)
{
	return propose(d, ceremony_build_crl, e);
}

/* --- A key that is destroyed ------------------------------------------------------ */

static enum err_code
build_key(struct deed *d, struct agreement_row *c, struct err *e)
{
	struct issuer_row row;
	struct cert cert;

	TRY(issuer_get(d->v, field(d, CF_NAME), d->a, &row, e));
	const char *name = arena_str(d->a, row.name);
	if (!bytes_is(row.role, "issuer"))
		return err_say(e, ERR_DENIED, "ceremony-key-role",
		    "%s is no issuing CA: only keys of issuing CAs are "
		    "destroyed by ceremony",
		    name);
	if (row.destroyed != 0)
		return err_say(e, ERR_CONFLICT, "ceremony-key-destroyed",
		    "the key of the CA %s was destroyed already", name);
	/* Without its key it has no next CRL: nothing new may rest on it. */
	if (row.stopped == 0 && row.revoked == 0)
		return err_say(e, ERR_CONFLICT, "ceremony-key-issues",
		    "the CA %s still issues; let it stop first, with refrendo "
		    "ca stop",
		    name);
	TRY(cert_parse(row.certificate, &cert, e));
	c->kind = CEREMONY_KEY;
	c->name = row.name;
	c->institution = row.institution;
	c->tbs = cert.tbs;
	return ERR_OK;
}

enum err_code
act_ceremony_key(struct deed *d, struct err *e)
{
	return propose(d, build_key, e);
}

/* --- Other ceilings ------------------------------------------------------------- */

/* What nobody signed for since the beginning is in force by its line alone. */
static enum err_code
keeps_policies(struct deed *d, const struct ceilings *to, struct err *e)
{
	const struct ceilings *now = d->ca->ceilings;
	struct policy_row row;
	bool found;

	for (size_t i = 0; i < now->n_policy; i++) {
		const struct first_policy *p = &now->policy[i];
		struct bytes hash = bytes_of(p->sha256, SHA256_LEN);
		bool kept = false;
		for (size_t k = 0; k < to->n_policy; k++)
			kept = kept ||
			       bytes_eq(hash,
				   bytes_of(to->policy[k].sha256, SHA256_LEN));
		if (kept)
			continue;
		TRY(rec_get(d->v, &rec_policy,
		    ca_row_key(d->a, ROW_POLICY, hash), d->a, &row, &found, e));
		if (found && row.activation.len == 0 && row.activated != 0 &&
		    row.until == 0)
			return err_say(e, ERR_CONFLICT,
			    "ceremony-ceilings-policy",
			    "the file leaves out the policy %s, which is in "
			    "force since the beginning by its line alone; keep "
			    "the line under policies, or activate a later "
			    "version first",
			    p->name);
	}
	return ERR_OK;
}

static enum err_code
keeps_issuers(struct deed *d, const struct ceilings *to, struct err *e)
{
	const struct ceilings *now = d->ca->ceilings;
	struct issuer_row row;
	bool found;

	for (size_t i = 0; i < now->n_ca; i++) {
		if (ceilings_name_ca(to, now->ca[i].name,
			now->ca[i].tbs_sha256))
			continue;
		TRY(rec_get(d->v, &rec_issuer,
		    ca_row_key(d->a, ROW_ISSUER, bytes_str(now->ca[i].name)),
		    d->a, &row, &found, e));
		if (found && row.stopped == 0 && row.revoked == 0)
			return err_say(e, ERR_CONFLICT,
			    "ceremony-ceilings-issuer",
			    "the file leaves out the CA %s, which issues; keep "
			    "its line under issuers, or stop the CA first",
			    now->ca[i].name);
	}
	return ERR_OK;
}

static enum err_code
build_ceilings(struct deed *d, struct agreement_row *c, struct err *e)
{
	struct ceilings *to = arena_get(d->a, sizeof(*to));
	struct reader r = reader_of(field(d, CF_FILES));
	struct ceilings_row now;
	bool found;

	c->kind = CEREMONY_CEILINGS;
	c->name = bytes_str("ceilings");
	c->tbs = get_bytes(&r);
	if (r.p < r.end)
		return err_at(e, ERR_INVALID, "ceremony-ceilings-one", NULL,
		    at_field("files"),
		    "the ceilings are one file, and more were given");
	TRY(ceilings_read(c->tbs, to, e));
	TRY(ca_ceilings(d->v, d->a, &now, &found, e));
	if (!found)
		return err_say(e, ERR_BUSY, "ceremony-ceilings-none",
		    "the signer has not told yet which ceilings are in force; "
		    "try again when it is here");
	if (bytes_eq(now.sha256, hash_in(d->a, c->tbs)))
		return err_say(e, ERR_CONFLICT, "ceremony-ceilings-same",
		    "these very ceilings are in force; there is nothing to "
		    "agree on");
	TRY(keeps_policies(d, to, e));
	return keeps_issuers(d, to, e);
}

enum err_code
act_ceremony_ceilings(struct deed *d, struct err *e)
{
	return propose(d, build_ceilings, e);
}

enum err_code
act_ceremony_root(struct deed *d, struct err *e)
{
	return propose(d, build_root, e);
}

/* --- Import ---------------------------------------------------------------------- */

/* Whoever judges the log finds it at the time of its entry. */
static enum err_code
still_valid(const struct deed *d, const struct agreement_row *c,
    const struct ceremony_object *o, struct err *e)
{
	bool is_list = c->kind == CEREMONY_CRL;
	int64_t from = is_list ? o->crl.this_update : o->cert.not_before;
	int64_t end = is_list ? o->crl.next_update - 1 : o->cert.not_after;

	if (from <= d->now && d->now <= end)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "ceremony-answer-over",
	    "what the root signed is over, or not valid yet: withdraw %s and "
	    "ask for it anew",
	    arena_str(d->a, c->id));
}

/* Another ceremony for the same name, key or list may have been quicker. */
static enum err_code
still_next(struct deed *d, const struct agreement_row *c,
    const struct ceremony_object *o, struct err *e)
{
	struct issuer_row row;
	struct crl now;
	bool found = false;

	if (c->kind != CEREMONY_CRL)
		TRY(rec_get(d->v, &rec_issuer,
		    ca_row_key(d->a, ROW_ISSUER, c->name), d->a, &row, &found,
		    e));
	if (found)
		return err_say(e, ERR_CONFLICT, "ceremony-name-used",
		    "there is a CA %s already; a new generation has a name of "
		    "its own",
		    arena_str(d->a, c->name));
	if (c->kind != CEREMONY_CRL)
		TRY(ceremony_is_apart(d, &o->cert,
		    c->kind == CEREMONY_CROSS ? LINT_CROSS : LINT_CA, e));
	if (c->replaces.len > 0)
		return ceremony_replaced(d, c->replaces, &row, e);
	if (c->kind != CEREMONY_CRL)
		return ERR_OK;
	TRY(root_list_now(d, &now, e));
	if (o->crl.number == now.number + 1)
		return ERR_OK;
	return err_at(e, ERR_CONFLICT, "ceremony-list-behind", "RFC 5280 5.2.3",
	    NOWHERE,
	    "another CRL of the root was brought meanwhile: ask for one that "
	    "continues it");
}

/* The ceremony that the file answers, as it was agreed on. */
static enum err_code
read_answer(struct deed *d, struct agreement_row *c, struct ceremony_file *f,
    struct err *e)
{
	TRY(ceremony_file_parse(field(d, CF_ANSWER), d->a, f, e));
	TRY(agreement_get(d->v, ROW_CEREMONY, f->is.id, d->a, c, e));
	if (f->is_answer && f->is.n == 1 &&
	    bytes_eq(f->statement, c->statement))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "ceremony-answer", NULL,
	    at_field("answer"), "the file is not the answer to the ceremony %s",
	    arena_str(d->a, c->id));
}

/* der: what the root signed, or the certificate of the key; transcript: of
 * the root's machine. */
static enum err_code
draft_completed(struct deed *d, const struct agreement_row *c, struct bytes der,
    struct bytes transcript, const struct ceremony_object *o, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_agreement(&pen, d, ENTRY_CEREMONY_COMPLETED, c);
	pen.draft->refs.institution = c->institution;
	pen.draft->refs.tbs = hash_in(d->a, c->tbs);
	pen.draft->refs.object = hash_in(d->a, der);
	if (c->kind == CEREMONY_CERTIFICATE || c->kind == CEREMONY_CROSS)
		pen.draft->refs.serial = arena_copy(d->a, o->cert.serial);
	if (c->kind == CEREMONY_CRL)
		pen.draft->refs.number = (int64_t)o->crl.number;
	/* Also here, so that what follows can be judged without the proposal. */
	jw_member_str(&pen.w, "kind",
	    bytes_str(ceremony_kind_name((enum ceremony_kind)c->kind)));
	jw_member_str(&pen.w, "name", c->name);
	jw_member_base64(&pen.w, "object", der);
	jw_member_str_opt(&pen.w, "replaces", c->replaces);
	jw_member_str(&pen.w, "transcript", transcript);
	return pen_end(&pen, d->a, e);
}

/* Others may have come in force since they were proposed. */
static enum err_code
follow_ceilings(struct deed *d, const struct agreement_row *g, struct err *e)
{
	struct ceremony_statement st;
	struct ceilings_row now;
	bool found;

	TRY(ceremony_parse(g->statement, d->a, &st, e));
	TRY(ca_ceilings(d->v, d->a, &now, &found, e));
	if (!found || !bytes_eq(st.base_sha256, now.sha256))
		return agreement_fails(d, ROW_CEREMONY, g,
		    bytes_str("other ceilings came in force meanwhile"), e);
	return draft_completed(d, g, g->tbs, BYTES_NONE, NULL, e);
}

enum err_code
ceremony_follow(struct deed *d, const struct agreement_row *g, struct err *e)
{
	struct issuer_row row;
	bool is;

	/* What the root must sign waits for it. */
	if (g->kind != CEREMONY_KEY &&
	    !ceremony_is_whole((enum ceremony_kind)g->kind))
		return ERR_OK;
	TRY(root_in_force(d, e));
	TRY(root_still(d, g, &is, e));
	if (!is)
		return agreement_fails(d, ROW_CEREMONY, g,
		    bytes_str("another root came in force meanwhile"), e);
	if (g->kind == CEREMONY_CEILINGS)
		return follow_ceilings(d, g, e);
	if (g->kind == CEREMONY_ROOT && root_may_follow(d, g, e) != ERR_OK)
		return agreement_fails_by(d, ROW_CEREMONY, g, e);
	if (g->kind == CEREMONY_ROOT)
		return draft_completed(d, g, g->tbs, BYTES_NONE, NULL, e);
	TRY(issuer_get(d->v, g->name, d->a, &row, e));
	/* Another ceremony may have been quicker. */
	if (row.destroyed != 0)
		return agreement_fails(d, ROW_CEREMONY, g,
		    bytes_str("the key was destroyed already"), e);
	return draft_completed(d, g, row.certificate, BYTES_NONE, NULL, e);
}

enum err_code
act_ceremony_import(struct deed *d, struct err *e)
{
	struct ceremony_object object[CEREMONY_OBJECTS_MAX];
	struct ceremony_file *f = arena_get(d->a, sizeof(*f));
	enum agreement_state to;
	struct agreement_row c;

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(read_answer(d, &c, f, e));
	TRY(agreement_next(agreement_state_at(&c, d->now), GV_COMPLETE, &to,
	    e));
	TRY(officers_still(d, c.id, c.proposed, e));
	TRY(root_named(d, c.kind == CEREMONY_CRL ? c.name : BYTES_NONE, e));
	TRY(ceremony_judge(f, &d->root->cert, d->ca->verifier, d->a, object,
	    e));
	TRY(still_valid(d, &c, &object[0], e));
	TRY(still_next(d, &c, &object[0], e));
	return draft_completed(d, &c, object[0].der, f->transcript, &object[0],
	    e);
}

/* --- A CA that issues no more -------------------------------------------------------- */

/* To take a right away needs one officer, and no quorum. */
enum err_code
act_ca_stop(struct deed *d, struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };
	struct issuer_row row;

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(issuer_get(d->v, field(d, CF_NAME), d->a, &row, e));
	if (!bytes_is(row.role, "issuer"))
		return err_say(e, ERR_DENIED, "ca-not-issuing",
		    "%s is no issuing CA: it cannot be stopped like one",
		    arena_str(d->a, row.name));
	if (row.stopped != 0)
		return err_say(e, ERR_CONFLICT, "ca-stopped",
		    "the CA %s issues no more; its status goes on",
		    arena_str(d->a, row.name));
	pen_begin(&pen, d, ENTRY_CA_STOPPED);
	d->out->object = ca_row_key(d->a, ROW_ISSUER, row.name);
	jw_member_str(&pen.w, "name", row.name);
	jw_member_str_opt(&pen.w, "reason", field(d, CF_REASON));
	return pen_end(&pen, d->a, e);
}
