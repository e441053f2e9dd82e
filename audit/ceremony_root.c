/*
 * ceremony_root - another root in the place of the one in force: its
 * certificate, and with its key one over the key of the one before (RFC 4210
 * 4.4).  Both have one subject; keys and their identifiers tell them apart.
 */
#include "statement.h"

/* --- Reading and writing ------------------------------------------------------ */

static enum err_code
not_two(struct err *e)
{
	return err_at(e, ERR_INVALID, "ceremony-root-files", NULL,
	    at_field("files"),
	    "another root is one certificate, or two: the new root's, and the "
	    "old root's key signed by the new one");
}

enum err_code
ceremony_roots_pack(struct bytes files, struct buf *out, struct err *e)
{
	struct reader r = reader_of(files);

	for (size_t n = 0; r.p < r.end; n++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct bytes text = get_bytes(&r);
		if (n == 2 || text.len == 0)
			return not_two(e);
		TRY(pem_or_der(text, "CERTIFICATE", &der, e));
		buf_put(out, der.p, der.len);
	}
	return out->len == 0 ? not_two(e) : buf_end(out, e);
}

size_t
root_set_find(const struct root_set *s, struct bytes hash)
{
	uint8_t is[HASH_LEN];
	size_t i;

	for (i = 0; i < s->n; i++) {
		sha256(is, s->cert[i].der);
		if (bytes_eq(bytes_of(is, HASH_LEN), hash))
			break;
	}
	return i;
}

/* --- Judgement ---------------------------------------------------------------- */

/* By this key, whatever the names. */
static enum err_code
signed_by(const struct cert *c, const struct cert *by, struct verifier *v,
    struct err *e)
{
	return verifier_check(v, by->spki, c->sigalg, c->tbs, c->signature, e);
}

static enum err_code
judge_root(const struct cert *c, const struct cert *old, struct verifier *v,
    struct err *e)
{
	if (!c->is_ca || !bytes_eq(c->issuer, c->subject) ||
	    !bytes_eq(c->subject, old->subject) ||
	    bytes_eq(c->spki, old->spki) || c->ski.len == 0 ||
	    bytes_eq(c->ski, old->ski))
		return err_say(e, ERR_DENIED, "ceremony-new-root",
		    "the certificate is not that of a root under the subject "
		    "of the one in force, with a key and a key identifier of "
		    "its own");
	return signed_by(c, c, v, e);
}

static enum err_code
no_link(struct err *e)
{
	return err_say(e, ERR_DENIED, "ceremony-link",
	    "the second certificate is not the key of the root in force, "
	    "signed by the new root and for no longer than that one lives");
}

static enum err_code
judge_link(const struct cert *c, const struct cert *root,
    const struct cert *old, struct verifier *v, struct err *e)
{
	if (!c->is_ca || !bytes_eq(c->issuer, root->subject) ||
	    !bytes_eq(c->aki, root->ski) ||
	    !bytes_eq(c->subject, old->subject) ||
	    !bytes_eq(c->spki, old->spki) || !bytes_eq(c->ski, old->ski) ||
	    c->not_after > root->not_after)
		return no_link(e);
	return signed_by(c, root, v, e);
}

enum err_code
ceremony_roots_lint(const struct ceremony_roots *r, struct err *e)
{
	enum key_type type;
	struct lint found;

	cert_lint(&r->root, LINT_ROOT, LINT_ALL, &found);
	TRY(lint_verdict(&found, e));
	TRY(spki_check(r->root.spki, &type, e));
	if (r->link.der.len == 0)
		return ERR_OK;
	/* What is below it has an end. */
	if (r->link.path_len < 0)
		return no_link(e);
	cert_lint(&r->link, LINT_CROSS, LINT_ALL, &found);
	return lint_verdict(&found, e);
}

enum err_code
ceremony_roots_read(struct bytes object, const struct cert *old,
    struct verifier *v, struct ceremony_roots *out, struct err *e)
{
	struct der in = der_of(object);
	struct bytes root = der_element(&in), link = BYTES_NONE;
	struct ceremony_roots r = { .link = { .der = BYTES_NONE } };

	if (!der_end(&in))
		link = der_element(&in);
	if (!der_end(&in))
		return not_two(e);
	TRY(cert_parse(root, &r.root, e));
	TRY(judge_root(&r.root, old, v, e));
	if (link.len > 0) {
		TRY(cert_parse(link, &r.link, e));
		TRY(judge_link(&r.link, &r.root, old, v, e));
	}
	*out = r;
	return ERR_OK;
}
