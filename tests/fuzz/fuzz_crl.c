/* libs: crl */
/*
 * A refusal has a sentence.  What is accepted is built again from its parts,
 * to the same length, and what was built is read to the same parts.  A list
 * that arrives in pieces is judged as the whole list is.
 */
#include <stdlib.h>

#include <refrendo/crl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct copy {
	const struct crl *from;
	struct crl_cursor at;
};

static enum err_code
copy_rewind(void *ctx, struct err *e)
{
	struct copy *c = ctx;
	(void)e;
	c->at = (struct crl_cursor){ 0 };
	return ERR_OK;
}

static enum err_code
copy_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	struct copy *c = ctx;
	(void)e;
	*more = crl_next(c->from, &c->at, entry);
	return ERR_OK;
}

static bool
spec_of(const struct crl *c, struct crl_spec *spec)
{
	*spec = (struct crl_spec){ .issuer = c->issuer,
		.issuer_ski = c->aki,
		.number = c->number,
		.this_update = c->this_update,
		.next_update = c->next_update,
		.url = c->url,
		.base = c->base,
		.freshest = c->freshest };
	for (int t = 0; t < KEY_TYPES; t++) {
		spec->issuer_type = (enum key_type)t;
		if (bytes_eq(key_type_sigalg(spec->issuer_type), c->sigalg))
			return c->issuer.len > 2 &&
			       c->issuer.len <= NAME_DER_MAX &&
			       c->aki.len <= SHA256_LEN && c->this_update >= 0;
	}
	return false;
}

static void
same(const struct crl *a, const struct crl *b)
{
	struct crl_cursor at_a = { 0 }, at_b = { 0 };
	struct crl_entry x, y;
	while (crl_next(a, &at_a, &x))
		if (!crl_next(b, &at_b, &y) || !bytes_eq(x.serial, y.serial) ||
		    x.revoked_at != y.revoked_at || x.reason != y.reason ||
		    x.invalid_since != y.invalid_since)
			abort();
	/* Each entry was judged, so that the walk ends at the end only. */
	if (at_a.at != a->entries.len || crl_next(b, &at_b, &y) ||
	    a->number != b->number || a->this_update != b->this_update ||
	    a->next_update != b->next_update || a->base != b->base ||
	    !bytes_eq(a->url, b->url) || !bytes_eq(a->freshest, b->freshest) ||
	    !bytes_eq(a->issuer, b->issuer) || !bytes_eq(a->aki, b->aki) ||
	    a->tbs.len != b->tbs.len)
		abort();
}

static void
build_again(const struct crl *c)
{
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct copy copy = { c, { 0 } };
	struct crl_source source = { &copy, copy_rewind, copy_next };
	struct crl_spec spec;
	struct crl again;
	struct err e;
	if (!spec_of(c, &spec))
		return;
	if (crl_build_tbs(&spec, &source, &tbs, &e) != ERR_OK ||
	    crl_tbs_parse(buf_bytes(&tbs), &again, &e) != ERR_OK)
		abort();
	same(c, &again);
}

/* Pieces as long as the first octets say. */
static void
in_pieces(struct bytes tbs)
{
	AUTO(crl_stream) s = NULL;
	struct crl whole, c;
	struct err e = { .say = "" };
	enum err_code code = crl_stream_new(NULL, NULL, &s, &e);
	for (size_t at = 0, n; at < tbs.len && code == ERR_OK; at += n) {
		n = 1 + (size_t)tbs.p[at / 3] % 61;
		if (n > tbs.len - at)
			n = tbs.len - at;
		code = crl_stream_put(s, bytes_of(tbs.p + at, n), &e);
	}
	if (code == ERR_OK)
		code = crl_stream_end(s, &c, &e);
	if (code != ERR_OK && e.say[0] == '\0')
		abort();
	if ((code == ERR_OK) != (crl_tbs_parse(tbs, &whole, &e) == ERR_OK) ||
	    (code == ERR_OK && (c.number != whole.number ||
				   !bytes_eq(c.issuer, whole.issuer) ||
				   !bytes_eq(c.url, whole.url))))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl c;
	struct err e = { .say = "" };
	struct lint all, standards;
	crl_lint(bytes_of(data, size), 0, LINT_ALL, &all);
	crl_lint(bytes_of(data, size), 0, LINT_STANDARDS, &standards);
	if (standards.n > all.n || all.errors > all.n)
		abort();
	in_pieces(bytes_of(data, size));
	if (crl_parse(bytes_of(data, size), &c, &e) == ERR_OK) {
		in_pieces(c.tbs);
		build_again(&c);
	} else if (e.say[0] == '\0' || e.code != ERR_INVALID)
		abort();
	if (crl_tbs_parse(bytes_of(data, size), &c, &e) == ERR_OK)
		build_again(&c);
	return 0;
}
