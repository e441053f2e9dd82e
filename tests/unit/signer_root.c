/*
 * Another root before the signer: it signs from the officers' agreement on, not
 * before, and nothing gives the one before back.
 */
#include "fake/signer_world.h"

/* The next root, and CAs by both. */
struct roots {
	struct key *key;
	struct buf der, old_ca, new_ca;
	struct cert cert, ca;
};

static struct world *
begin(struct roots *r)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	memset(r, 0, sizeof(*r));
	world_rut_of_dos = RUT_A;
	world_init(w);
	OK(key_generate(KEY_EC_P256, &r->key, e));
	world_by_root(w, r->key, "raiz-g2", "Raíz", r->key, &r->der, &r->cert);
	world_by_root(w, r->key, "nueva", "CA nueva", w->throwaway, &r->new_ca,
	    &r->ca);
	world_by_root(w, w->root, "vieja", "CA vieja", w->throwaway, &r->old_ca,
	    &r->ca);
	struct officer *o = &w->ceilings.officer[w->ceilings.n_officer++];
	snprintf(o->run, sizeof(o->run), "44444444-4");
	sha256(o->spki_sha256, key_spki(w->second));
	w->ceilings.quorum = 2;
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	snprintf(w->config.root[0].name, POLICY_NAME_MAX, "raiz-g2");
	snprintf(w->config.root[0].certificate, PATH_LEN, "raiz-g2.pem");
	w->config.n_root = 1;
	world_start(w);
	return w;
}

static void
end(struct world *w, struct roots *r)
{
	key_free(r->key);
	buf_fini(&r->der);
	buf_fini(&r->old_ca);
	buf_fini(&r->new_ca);
	world_free(w);
}

/* What core sends, of the ceremony with that number; "ok" or why not. */
static const char *
tell(struct world *w, unsigned number, enum ceremony_kind kind,
    const char *name, const struct buf *root, struct bytes object,
    const char *signers)
{
	static struct err refusal;
	struct bytes answer, sigalg, signature, tbs = object;
	if (kind == CEREMONY_CERTIFICATE)
		OK(signed_split(object, &tbs, &sigalg, &signature, e));
	struct ceremony_statement st = {
		.origin = bytes_str(w->config.origin),
		.id = bytes_str(arena_printf(w->a, "CER-2029-%06u", number)),
		.root_sha256 = world_hash(w, buf_bytes(root)),
		.n = 1,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + CEREMONY_LIFE_S,
	};
	st.object[0].kind = kind;
	st.object[0].name = bytes_str(name);
	st.object[0].tbs_sha256 = world_hash(w, tbs);
	return world_ask(w, SIGNER_AGREEMENT,
		   world_agreement(w, &st, object, signers), &answer,
		   &refusal) == ERR_OK
		   ? "ok"
		   : refusal.id;
}

#define TELL(number, kind, name, root, object, signers) \
	tell(w, number, CEREMONY_##kind, name, root, buf_bytes(object), signers)

static void
officers_change_it(void **state)
{
	struct roots r;
	struct world *w = begin(&r);
	(void)state;
	/* Named in refrendo.yaml it signs nothing yet. */
	assert_string_equal(TELL(1, CERTIFICATE, "nueva", &r.der, &r.new_ca,
				"os"),
	    "signer-root-past");
	assert_string_equal(TELL(1, CERTIFICATE, "nueva", &w->root_der,
				&r.new_ca, "os"),
	    "ceremony-issuer");
	/* Nobody changes it but officers, as many as must sign. */
	assert_string_equal(TELL(2, ROOT, "raiz-g2", &w->root_der, &r.der, "o"),
	    "signer-quorum");
	assert_string_equal(TELL(2, ROOT, "raiz-g2", &w->root_der, &r.der, ""),
	    "signer-quorum");
	assert_string_equal(TELL(2, ROOT, "raiz-g2", &r.der, &r.der, "os"),
	    "ceremony-new-root");
	assert_string_equal(TELL(2, ROOT, "raiz-g2", &w->root_der, &w->root_der,
				"os"),
	    "ceremony-new-root");
	assert_string_equal(TELL(3, CERTIFICATE, "vieja", &w->root_der,
				&r.old_ca, "os"),
	    "ok");
	assert_string_equal(TELL(2, ROOT, "raiz-g2", &w->root_der, &r.der,
				"os"),
	    "ok");
	assert_string_equal(TELL(1, CERTIFICATE, "nueva", &r.der, &r.new_ca,
				"os"),
	    "ok");
	end(w, &r);
}

static void
it_stays(void **state)
{
	struct roots r;
	struct world *w = begin(&r);
	struct signer_end m = { bytes_str("CER-2029-000002"), w->now };
	struct buf body AUTO_BUF = BUF(1024);
	struct bytes answer;
	struct err refusal;
	(void)state;
	assert_string_equal(TELL(3, CERTIFICATE, "vieja", &w->root_der,
				&r.old_ca, "os"),
	    "ok");
	assert_string_equal(TELL(2, ROOT, "raiz-g2", &w->root_der, &r.der,
				"os"),
	    "ok");
	/* Core cannot end it; a start does not either. */
	signer_end_encode(&m, &body);
	(void)world_ask(w, SIGNER_END, buf_bytes(&body), &answer, &refusal);
	for (int starts = 0; starts < 2; starts++) {
		assert_string_equal(TELL(4, CERTIFICATE, "otra", &w->root_der,
					&r.old_ca, "os"),
		    "signer-root-past");
		/* Told again, what was agreed on under the first is known. */
		assert_string_equal(TELL(3, CERTIFICATE, "vieja", &w->root_der,
					&r.old_ca, "os"),
		    "ok");
		world_stop(w);
		world_start(w);
	}
	/* Without its file there is no root at all, and not the first. */
	world_stop(w);
	w->config.n_root = 0;
	world_start(w);
	assert_string_equal(TELL(4, CERTIFICATE, "otra", &w->root_der,
				&r.old_ca, "os"),
	    "signer-root-past");
	assert_string_equal(TELL(6, CERTIFICATE, "nueva", &r.der, &r.new_ca,
				"os"),
	    "ceremony-root");
	end(w, &r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(officers_change_it),
		cmocka_unit_test(it_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
