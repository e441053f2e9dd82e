/*
 * What the tests of CRLs share: two CAs of one name, a person, entries of
 * every kind, and a source that gives them.
 */
#ifndef CRL_WORLD_H
#define CRL_WORLD_H

#include <refrendo/crl.h>

#include "status_help.h"

/* --- Sources of entries ---------------------------------------------------------- */

struct list {
	const struct crl_entry *v;
	size_t n, at;
	int passes;
	size_t fewer; /* entries that the second pass no longer gives */
};

static inline enum err_code
list_rewind(void *ctx, struct err *e)
{
	struct list *l = ctx;
	(void)e;
	l->at = 0;
	l->passes++;
	return ERR_OK;
}

static inline enum err_code
list_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	struct list *l = ctx;
	size_t n = l->passes > 1 ? l->n - l->fewer : l->n;
	(void)e;
	*more = l->at < n;
	if (*more)
		*entry = l->v[l->at++];
	return ERR_OK;
}

static inline struct crl_source
source_of(struct list *l)
{
	return (struct crl_source){ l, list_rewind, list_next };
}

/* --- A world ---------------------------------------------------------------------- */

struct world {
	struct dir dir;
	struct test_ca ca, other_ca;
	struct cert ca_cert, other_cert;
	struct verifier *v;
	int64_t now;
};

static inline void
put_pem(const struct world *w, const char *file, const char *label,
    struct bytes der)
{
	struct buf pem AUTO_BUF = BUF(1 << 20);
	pem_put(&pem, label, der);
	dir_write(&w->dir, file, buf_bytes(&pem));
}

static inline int
world_new(void **state)
{
	static struct world w;
	struct buf holder AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct err e;
	w = (struct world){ .dir = dir_new(), .now = clock_now() };
	present_ca(&w.ca, KEY_EC_P384, w.now);
	present_ca(&w.other_ca, KEY_EC_P384, w.now);
	OK(cert_parse(buf_bytes(&w.ca.der), &w.ca_cert, &e), &e);
	OK(cert_parse(buf_bytes(&w.other_ca.der), &w.other_cert, &e), &e);
	OK(verifier_new(&w.v, &e), &e);
	present_holder(&w.ca, key_spki(w.ca.key), w.now, &holder);
	put_pem(&w, "ca.pem", "CERTIFICATE", buf_bytes(&w.ca.der));
	put_pem(&w, "ana.pem", "CERTIFICATE", buf_bytes(&holder));
	*state = &w;
	return 0;
}

static inline int
world_free(void **state)
{
	struct world *w = *state;
	test_ca_fini(&w->ca);
	test_ca_fini(&w->other_ca);
	verifier_free(w->v);
	dir_remove(&w->dir);
	return 0;
}

static inline struct crl_spec
usual(const struct world *w, const struct test_ca *ca)
{
	return (struct crl_spec){
		.issuer = buf_bytes(&ca->name),
		.issuer_ski = bytes_of(ca->ski, sizeof(ca->ski)),
		.issuer_type = key_type(ca->key),
		.number = 7,
		.this_update = w->now - 5 * MINUTE,
		.next_update = w->now + DAY,
	};
}

static inline void
sign_tbs(const struct test_ca *ca, struct bytes tbs, struct buf *out)
{
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct err e;
	OK(key_sign(ca->key, tbs, &sig, &e), &e);
	OK(signed_assemble(tbs, key_type_sigalg(key_type(ca->key)),
	       buf_bytes(&sig), out, &e),
	    &e);
}

static inline void
build(const struct test_ca *ca, const struct crl_spec *spec,
    const struct crl_entry *v, size_t n, struct buf *out)
{
	struct list l = { .v = v, .n = n };
	struct crl_source source = source_of(&l);
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct err e;
	OK(crl_build_tbs(spec, &source, &tbs, &e), &e);
	assert_int_equal(l.passes, 2 - (n == 0));
	sign_tbs(ca, buf_bytes(&tbs), out);
}

/* --- Entries of every kind ----------------------------------------------------------- */

static const uint8_t s0[16] = { 0x01, 0x02 };
static const uint8_t s2[16] = { 0x7f, 0xff };
static const uint8_t s3[20] = { 0x80 }; /* needs a sign octet */
static const uint8_t s4[20] = { 0xff, 0xff };

#define SERIAL(s) { (s), sizeof(s) }

/* clang-format off */
static const struct crl_entry entries[] = {
	{ SERIAL(s0), 1795000000, CRL_UNSPECIFIED, 0 },
	{ SERIAL(test_serial), 1795000001, CRL_KEY_COMPROMISE, 1790000000 },
	{ SERIAL(s2), 1795090000, CRL_HOLD, 0 },
	{ SERIAL(s3), INT64_C(2524607999), CRL_UNSPECIFIED, 1 },
	{ SERIAL(s4), INT64_C(2524608000), CRL_PRIVILEGE_WITHDRAWN,
	    INT64_C(2524608000) },
};
/* clang-format on */

#endif
