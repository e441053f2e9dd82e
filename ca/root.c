#include "inner.h"

/*
 * Roots, one after the other under one name: which one signs certificates, and
 * how officers put another in its place.  The one before goes on with its CRL.
 */

enum err_code
ca_root_now(struct view *v, struct arena *a, struct issuer_row *out,
    struct err *e)
{
	struct bytes name = bytes_str(FIRST_ROOT);

	for (;;) {
		TRY(issuer_get(v, name, a, out, e));
		if (out->replaced_by.len == 0)
			return ERR_OK;
		name = out->replaced_by;
	}
}

static enum err_code
keep_root(struct deed *d, struct issuer_row *row, struct err *e)
{
	d->root = arena_get(d->a, sizeof(*d->root));
	d->root->name = row->name;
	return cert_parse(row->certificate, &d->root->cert, e);
}

enum err_code
root_in_force(struct deed *d, struct err *e)
{
	struct issuer_row row;

	TRY(ca_root_now(d->v, d->a, &row, e));
	return keep_root(d, &row, e);
}

enum err_code
root_named(struct deed *d, struct bytes name, struct err *e)
{
	struct issuer_row row;

	if (name.len == 0)
		return root_in_force(d, e);
	TRY(issuer_get(d->v, name, d->a, &row, e));
	if (bytes_is(row.role, "root"))
		return keep_root(d, &row, e);
	return err_at(e, ERR_DENIED, "ceremony-crl-root", NULL,
	    at_field("name"),
	    "%s is no root: the others' CRLs need no ceremony",
	    arena_str(d->a, row.name));
}

enum err_code
root_still(struct deed *d, const struct agreement_row *c, bool *is,
    struct err *e)
{
	struct ceremony_statement st;

	TRY(ceremony_parse(c->statement, d->a, &st, e));
	*is = bytes_eq(st.root_sha256, hash_in(d->a, d->root->cert.der));
	return ERR_OK;
}

/* --- Another one ---------------------------------------------------------------- */

/* The signers read it at their start, so it must lie there before. */
static enum err_code
is_configured(struct deed *d, struct bytes name, const struct cert *root,
    struct err *e)
{
	for (size_t i = 0; i < d->ca->n_root; i++)
		if (bytes_is(name, d->ca->root[i].name) &&
		    bytes_eq(d->ca->root[i].der, root->der))
			return ERR_OK;
	return err_at(e, ERR_CONFLICT, "ceremony-root-file", NULL,
	    at_field("name"),
	    "refrendo.yaml has no root %s with this certificate: add it below "
	    "roots: and start the engine again first",
	    arena_str(d->a, name));
}

static enum err_code
judge_times(struct deed *d, const struct ceremony_roots *next, struct err *e)
{
	const struct cert *root = &next->root, *link = &next->link;

	if (root->not_before > d->now ||
	    root->not_after - d->now < ROOT_LIFE_MIN)
		return err_at(e, ERR_DENIED, "ceremony-root-times", NULL,
		    at_field("files"),
		    "the new root is not valid yet, or ends within a year");
	if (link->der.len == 0 ||
	    (link->not_before <= d->now && d->now <= link->not_after))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-link-times", NULL,
	    at_field("files"),
	    "the certificate over the key of the root in force is over, or "
	    "not valid yet: leave it out, or have another one signed");
}

/* The name that its certificate over the key before has. */
static struct bytes
link_name(struct arena *a, struct bytes root)
{
	return bytes_str(arena_printf(a, "%.*s" ROOT_OLD_END, BYTES_FMT(root)));
}

static enum err_code
judge_next(struct deed *d, const struct agreement_row *c,
    struct ceremony_roots *next, struct err *e)
{
	TRY(ceremony_name(d, c->name, e));
	TRY(ceremony_name(d, link_name(d->a, c->name), e));
	TRY(ceremony_roots_read(c->tbs, &d->root->cert, d->ca->verifier, next,
	    e));
	TRY(ceremony_roots_lint(next, e));
	TRY(judge_times(d, next, e));
	TRY(ceremony_key_is_new(d, next->root.spki, "files", e));
	return ceremony_is_apart(d, &next->root, LINT_ROOT, e);
}

enum err_code
build_root(struct deed *d, struct agreement_row *c, struct err *e)
{
	struct buf both AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	struct ceremony_roots next;

	c->kind = CEREMONY_ROOT;
	c->name = field(d, CF_NAME);
	TRY(ceremony_roots_pack(field(d, CF_FILES), &both, e));
	c->tbs = arena_copy(d->a, buf_bytes(&both));
	TRY(judge_next(d, c, &next, e));
	return is_configured(d, c->name, &next.root, e);
}

/* Time went on since it was proposed, and others may have its name. */
enum err_code
root_may_follow(struct deed *d, const struct agreement_row *c, struct err *e)
{
	struct ceremony_roots next;

	return judge_next(d, c, &next, e);
}

/* --- Apply ------------------------------------------------------------------------ */

static enum err_code
put_new(struct applying *p, struct issuer_row *row, struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_ISSUER, row->name);
	struct issuer_row old;
	bool found;

	row->since = p->entry->time;
	TRY(rec_get(p->v, &rec_issuer, key, p->a, &old, &found, e));
	return found ? contradiction(p, e)
		     : row_put(p, &rec_issuer, key, row, e);
}

enum err_code
put_root(struct applying *p, const struct agreement_row *c, struct err *e)
{
	struct der in = der_of(c->object);
	struct issuer_row old, root = { .role = bytes_str("root"),
		.name = c->name,
		.certificate = der_element(&in) };
	struct issuer_row link = { .role = bytes_str("cross"),
		.name = link_name(p->a, c->name) };

	APPLY_TRY(p, ca_root_now(p->v, p->a, &old, e), e);
	root.replaces = old.name;
	old.replaced_by = c->name;
	old.stopped = p->entry->time;
	if (!der_end(&in))
		link.certificate = der_element(&in);
	if (!der_end(&in))
		return contradiction(p, e);
	TRY(put_new(p, &root, e));
	if (link.certificate.len > 0)
		TRY(put_new(p, &link, e));
	return row_put(p, &rec_issuer, ca_row_key(p->a, ROW_ISSUER, old.name),
	    &old, e);
}
