/*
 * roots - the roots of refrendo.yaml, and which of them is in force: the one
 * that officers agreed on last, by the journal; before that, the first.
 */
#include "internal.h"

static enum err_code
keep(struct signer *s, struct bytes der, struct err *e)
{
	struct buf *own = &s->root_der[s->roots.n];
	if (s->roots.n == ROOTS_MAX)
		return err_say(e, ERR_BUSY, "signer-roots",
		    "the signer has as many roots as one can have, %s", "8");
	*own = BUF(CERT_MAX_BYTES);
	buf_put(own, der.p, der.len);
	TRY(buf_end(own, e));
	return cert_parse(buf_bytes(own), &s->roots.cert[s->roots.n++], e);
}

enum err_code
roots_load(const struct signer_setup *setup, struct signer *s, struct err *e)
{
	const struct config *c = setup->config;
	const char *first = c->root_certificate;
	for (size_t i = 0; i < c->n_root + (first[0] != '\0'); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert cert;
		TRY(signer_read_certificate(setup->dir,
		    i == 0 ? first : c->root[i - 1].certificate, &der, &cert,
		    e));
		TRY(keep(s, buf_bytes(&der), e));
	}
	for (size_t i = 0; i < s->state.n_agreed; i++) {
		const struct agreed *a = &s->state.agreed[i];
		/* Whatever core says that has ended. */
		if (a->kind == AGREED_ROOT)
			s->roots.in_force = root_set_find(&s->roots,
			    bytes_of(a->sha256, SHA256_LEN));
	}
	if (s->roots.n > 0 && s->roots.in_force == s->roots.n)
		log_warn("root-missing", "ceremonies=%s", "none");
	return ERR_OK;
}

enum err_code
roots_take(struct signer *s, const struct agreement *g, struct bytes object,
    struct err *e)
{
	struct der in = der_of(object);
	struct bytes der = der_element(&in);
	size_t at = root_set_find(&s->roots, g->item[0].sha256);
	if (at == s->roots.n)
		TRY(keep(s, der, e));
	s->roots.in_force = at;
	log_warn("root-in-force", "name=%.*s", BYTES_FMT(g->item[0].name));
	return ERR_OK;
}

/* By their key identifiers; no root without one has a certificate below it
 * that names another. */
const struct cert *
roots_issuer(const struct signer *s, const struct cert *c)
{
	const struct cert *found = NULL;
	for (size_t i = 0; i < s->roots.n; i++)
		if (found == NULL || bytes_eq(c->aki, s->roots.cert[i].ski))
			found = &s->roots.cert[i];
	return found;
}
