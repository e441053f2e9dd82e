/*
 * What the tests of answers share: a CA, its responder and a person, whose
 * certificates are valid now.
 */
#ifndef OCSP_WORLD_H
#define OCSP_WORLD_H

#include <refrendo/ocsp.h>

#include "status_help.h"

/* openssl judges by the real clock, so that these tests live in the present. */
struct world {
	struct dir dir;
	struct test_ca ca, other_ca;
	struct cert ca_cert, other_cert;
	struct issuer_id id, other_id;
	struct key *responder;
	struct buf responder_der, holder_der;
	uint8_t key_hash[20];
	struct verifier *v;
	int64_t now;
};

static const uint8_t responder_serial[16] = { 0x33, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	10, 11, 12, 13, 14, 15 };

static inline void
responder_spec(const struct world *w, const struct test_ca *ca,
    struct bytes name, struct cert_spec *spec)
{
	*spec = (struct cert_spec){
		.serial = bytes_of(responder_serial, 16),
		.issuer = buf_bytes(&ca->name),
		.issuer_ski = bytes_of(ca->ski, sizeof(ca->ski)),
		.issuer_type = key_type(ca->key),
		.subject = name,
		.not_before = w->now - DAY,
		.not_after = w->now + 20 * DAY - 1,
		.spki = key_spki(w->responder),
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = { OID_EKU_OCSP },
		.n_eku = 1,
		.nocheck = true,
	};
}

static inline void
make_certificates(struct world *w)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct cert_spec spec;
	struct cert c;
	struct issuer_id id;
	struct err e;
	build_name(&name, "Respondedor de Ejemplo");
	responder_spec(w, &w->ca, buf_bytes(&name), &spec);
	sign_cert(w->ca.key, &spec, &w->responder_der);
	OK(cert_parse(buf_bytes(&w->responder_der), &c, &e), &e);
	OK(issuer_id_of(&c, &id, &e), &e);
	memcpy(w->key_hash, id.key_sha1, 20);
	present_holder(&w->ca, key_spki(w->responder), w->now, &w->holder_der);
}

static inline int
world_new(void **state)
{
	static struct world w;
	struct buf pem AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct err e;
	w = (struct world){ .dir = dir_new(),
		.responder_der = BUF(CERT_MAX_BYTES),
		.holder_der = BUF(CERT_MAX_BYTES),
		.now = clock_now() };
	present_ca(&w.ca, KEY_EC_P256, w.now);
	present_ca(&w.other_ca, KEY_EC_P256, w.now);
	OK(cert_parse(buf_bytes(&w.ca.der), &w.ca_cert, &e), &e);
	OK(cert_parse(buf_bytes(&w.other_ca.der), &w.other_cert, &e), &e);
	OK(issuer_id_of(&w.ca_cert, &w.id, &e), &e);
	OK(issuer_id_of(&w.other_cert, &w.other_id, &e), &e);
	OK(key_generate(KEY_EC_P256, &w.responder, &e), &e);
	OK(verifier_new(&w.v, &e), &e);
	make_certificates(&w);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&w.ca.der));
	dir_write(&w.dir, "ca.pem", buf_bytes(&pem));
	buf_reset(&pem);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&w.holder_der));
	dir_write(&w.dir, "ana.pem", buf_bytes(&pem));
	*state = &w;
	return 0;
}

static inline int
world_free(void **state)
{
	struct world *w = *state;
	test_ca_fini(&w->ca);
	test_ca_fini(&w->other_ca);
	key_free(w->responder);
	verifier_free(w->v);
	buf_fini(&w->responder_der);
	buf_fini(&w->holder_der);
	dir_remove(&w->dir);
	return 0;
}

static inline struct ocsp_answer_spec
usual(const struct world *w)
{
	return (struct ocsp_answer_spec){
		.issuer = &w->id,
		.serial = bytes_of(test_serial, sizeof(test_serial)),
		.responder_key_hash = bytes_of(w->key_hash, 20),
		.state = OCSP_GOOD,
		.produced_at = w->now,
		.this_update = w->now - 5 * MINUTE,
		.next_update = w->now + 4 * DAY,
	};
}

/* Signs a ResponseData with the responder's key. */
static inline void
sign_tbs(const struct world *w, struct bytes tbs, struct bytes responder,
    struct buf *out)
{
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct err e;
	OK(key_sign(w->responder, tbs, &sig, &e), &e);
	OK(ocsp_assemble(tbs, key_type_sigalg(KEY_EC_P256), buf_bytes(&sig),
	       responder, out, &e),
	    &e);
}

static inline void
answer(const struct world *w, const struct ocsp_answer_spec *spec,
    struct buf *out)
{
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	OK(ocsp_tbs_build(spec, &tbs, &e), &e);
	sign_tbs(w, buf_bytes(&tbs), buf_bytes(&w->responder_der), out);
}

#endif
