/*
 * CAs before the signer: a hostile core tries to have one taken that officers
 * or the root never signed, and certificates by one that may not sign them.
 */
#include "fake/signer_world.h"

#include <sys/stat.h>
#include <unistd.h>

/* What core sends: a good ceremony, with one lie in it for each row. */
struct rite {
	struct ceremony_statement st;
	uint8_t tbs[SHA256_LEN], root[SHA256_LEN];
	const char *signers; /* o: the officer; s: nobody; x: other text */
	struct bytes certificate;
};

static struct bytes
tbs_of(struct world *w, struct bytes der)
{
	struct bytes tbs, sigalg, signature;
	OK(signed_split(der, &tbs, &sigalg, &signature, e));
	return arena_copy(w->a, tbs);
}

static void
rite_init(struct world *w, struct rite *r)
{
	memset(r, 0, sizeof(*r));
	r->signers = "o";
	r->certificate = buf_bytes(&w->ca_der[1]);
	sha256(r->tbs, w->ca_cert[1].tbs);
	sha256(r->root, buf_bytes(&w->root_der));
	r->st = (struct ceremony_statement){
		.origin = bytes_str(w->config.origin),
		.id = bytes_str("CER-2026-000001"),
		.root_sha256 = bytes_of(r->root, SHA256_LEN),
		.n = 1,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + CEREMONY_LIFE_S,
	};
	r->st.object[0].kind = CEREMONY_CERTIFICATE;
	r->st.object[0].name = bytes_str("dos");
	r->st.object[0].tbs_sha256 = bytes_of(r->tbs, SHA256_LEN);
}

static enum err_code
rite_ask(struct world *w, struct rite *r, struct err *refusal)
{
	struct bytes answer;
	return world_ask(w, SIGNER_AGREEMENT,
	    world_agreement(w, &r->st, r->certificate, r->signers), &answer,
	    refusal);
}

static const char *
end_ask(struct world *w, const char *name, int64_t at)
{
	static struct err refusal;
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_end m = {
		bytes_str(arena_printf(w->a, CEREMONY_CA_ID "%s", name)), at
	};
	struct bytes answer;
	signer_end_encode(&m, &body);
	return world_ask(w, SIGNER_END, buf_bytes(&body), &answer, &refusal) ==
		       ERR_OK
		   ? "ok"
		   : refusal.id;
}

static struct world *
begin_with(const char *rut_of_dos)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_rut_of_dos = rut_of_dos;
	world_init(w);
	if (rut_of_dos == NULL)
		world_next_key(w);
	struct first_ca *first = &w->ceilings.ca[w->ceilings.n_ca++];
	snprintf(first->name, sizeof(first->name), "uno");
	sha256(first->tbs_sha256, w->ca_cert[0].tbs);
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	world_start(w);
	world_appoint(w);
	return w;
}

/* "uno" is of the beginning; "dos" is in the configuration, and no more. */
static struct world *
begin(void)
{
	return begin_with(RUT_A);
}

static void
l_subject(struct world *w, struct wish *x)
{
	const struct name_attr attrs[] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, bytes_str("Ministerio de Prueba y Otros"),
		    STRING_USUAL },
		{ OID_SERIAL_NUMBER, x->st.holder_run, STRING_USUAL },
		{ OID_CN, bytes_str("Ana Pérez Soto"), STRING_USUAL },
	};
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	x->spec.subject = arena_copy(w->a, buf_bytes(&name));
}

/* What the signer says to a certificate by that CA. */
static const char *
certificate_by(struct world *w, size_t ca, size_t minister, wish_fn spec)
{
	static struct err refusal;
	struct wish x;
	struct bytes answer;
	wish_holder(w, &x, minister);
	x.issuer = bytes_str(ca == 0 ? "uno" : "dos");
	x.st.issuer = x.issuer;
	x.spec.issuer = w->ca_cert[ca].subject;
	x.spec.issuer_ski = w->ca_cert[ca].ski;
	if (ca == 1) {
		x.spec.crl_url =
		    bytes_str("http://crl.example.org/crl/dos.crl");
		x.spec.issuer_url =
		    bytes_str("http://crl.example.org/ca/dos.cer");
	}
	if (minister == 2)
		x.st.institution = bytes_str(RUT_B);
	wish_build(w, &x, spec, NULL, NULL);
	return wish_ask(w, &x, &answer, &refusal) == ERR_OK ? "ok" : refusal.id;
}

/* --- Lies ------------------------------------------------------------------------- */

static void
l_origin(struct world *w, struct rite *r)
{
	(void)w;
	r->st.origin = bytes_str("otra.example/log");
}

static void
l_expired(struct world *w, struct rite *r)
{
	r->st.issued = w->now - 40 * DAY;
	r->st.expires = w->now - 8 * DAY;
}

static void
l_long(struct world *w, struct rite *r)
{
	r->st.expires = w->now + CEREMONY_LIFE_S + 1;
}

static void
l_future(struct world *w, struct rite *r)
{
	r->st.issued = w->now + 2 * MINUTE;
}

static void
l_nobody(struct world *w, struct rite *r)
{
	(void)w;
	r->signers = "";
}

static void
l_stranger(struct world *w, struct rite *r)
{
	(void)w;
	r->signers = "z";
}

static void
l_text(struct world *w, struct rite *r)
{
	(void)w;
	r->signers = "x";
}

static void
l_other_bytes(struct world *w, struct rite *r)
{
	r->certificate = buf_bytes(&w->ca_der[0]);
}

static void
l_other_key(struct world *w, struct rite *r)
{
	r->certificate =
	    world_signed(w, w->throwaway, tbs_of(w, r->certificate));
}

static void
l_kind(struct world *w, struct rite *r)
{
	(void)w;
	r->st.object[0].kind = CEREMONY_CRL;
}

/* Agreed on, and signed by the root, for a CA that is not ours. */
static void
l_cross(struct world *w, struct rite *r)
{
	(void)w;
	r->st.object[0].kind = CEREMONY_CROSS;
}

static void
l_root(struct world *w, struct rite *r)
{
	r->st.root_sha256 = world_hash(w, bytes_str("another root"));
}

static void
l_name(struct world *w, struct rite *r)
{
	(void)w;
	r->st.object[0].name =
	    bytes_str("una-ca-con-un-nombre-demasiado-largo-para-el");
}

/* A CA of the beginning, self-signed: agreed on, but not by this root. */
static void
l_not_below(struct world *w, struct rite *r)
{
	r->certificate = buf_bytes(&w->ca_der[0]);
	sha256(r->tbs, w->ca_cert[0].tbs);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*lie)(struct world *w, struct rite *r);
	const char *id, *say;
} lies[] = {
	{ "of another log", l_origin, "signer-statement-origin", "for another installation" },
	{ "long ago", l_expired, "signer-statement-expired", "could be used until" },
	{ "for longer than ceremonies are", l_long, "signer-statement-life", "longer than the ceiling" },
	{ "in the future", l_future, "signer-statement-future", "dated in the future" },
	{ "nobody signed", l_nobody, "signer-quorum", "signed by 0 people who may sign it, where 1 are needed" },
	{ "somebody else signed", l_stranger, "signer-officer-unknown", "not signed by a platform officer" },
	{ "signed over another text", l_text, "cms-other-content", "" },
	{ "another certificate", l_other_bytes, "ceremony-object", "is not the one that its statement names" },
	{ "signed by another key", l_other_key, "signature-wrong", "" },
	{ "a list", l_kind, "ceremony-one-ca", "not about one CA, its certificate or its key" },
	{ "a cross-certificate", l_cross, "ceremony-one-ca", "not about one CA, its certificate or its key" },
	{ "of another root", l_root, "ceremony-root", "not that of the root" },
	{ "a name that is too long", l_name, "ceremony-one-ca", "not about one CA, its certificate or its key" },
	{ "not below the root", l_not_below, "ceremony-issuer", "has another issuer" },
};
/* clang-format on */

static void
nobody_agreed(void **state)
{
	struct world *w = begin();
	(void)state;
	assert_string_equal(certificate_by(w, 0, 0, NULL), "ok");
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct rite r;
		struct err refusal = { .id = "" };
		rite_init(w, &r);
		lies[i].lie(w, &r);
		if (rite_ask(w, &r, &refusal) == ERR_OK ||
		    strcmp(refusal.id, lies[i].id) != 0 ||
		    strstr(refusal.say, lies[i].say) == NULL)
			fail_msg("%s: %s: %s", lies[i].name, refusal.id,
			    refusal.say);
		assert_string_equal(certificate_by(w, 1, 0, NULL),
		    "signer-ca-new");
	}
	world_free(w);
}

static void
officers_agreed(void **state)
{
	struct world *w = begin();
	struct rite r, again;
	struct err refusal = { .id = "" };
	struct bytes before;
	char path[128];
	(void)state;
	rite_init(w, &r);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(certificate_by(w, 1, 0, NULL), "ok");
	/* Told again it is nothing new, also much later. */
	world_path(w, path);
	before = world_file(w, path);
	w->now += 40 * DAY;
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_int_equal(world_file(w, path).len, before.len);
	w->now -= 40 * DAY;
	rite_init(w, &again);
	again.st.id = bytes_str("CER-2026-000002");
	assert_int_equal(rite_ask(w, &again, &refusal), ERR_CONFLICT);
	assert_string_equal(refusal.id, "signer-agreed-again");
	/* For its institution, and names within. */
	assert_string_equal(certificate_by(w, 1, 2, NULL),
	    "ca-other-institution");
	assert_string_equal(certificate_by(w, 1, 0, l_subject),
	    "ca-other-names");
	assert_string_equal(certificate_by(w, 0, 2, NULL), "ok");
	world_free(w);
}

static void
it_ends(void **state)
{
	struct world *w = begin();
	struct rite r;
	struct err refusal = { .id = "" };
	(void)state;
	rite_init(w, &r);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(end_ask(w, "dos", w->now + 2 * MINUTE),
	    "signer-end-future");
	assert_string_equal(end_ask(w, "nadie", w->now), "ok");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "ok");
	assert_string_equal(end_ask(w, "dos", w->now), "ok");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "signer-ca-ended");
	/* No ceremony brings it back, and no restart forgets it. */
	world_stop(w);
	world_start(w);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_DENIED);
	assert_string_equal(refusal.id, "signer-agreed-ended");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "signer-ca-ended");
	/* One of the beginning ends too, and the ministers'. */
	assert_string_equal(end_ask(w, "uno", w->now), "ok");
	assert_string_equal(certificate_by(w, 0, 0, NULL), "signer-ca-ended");
	assert_string_equal(end_ask(w, "endorser", w->now), "ok");
	struct wish x;
	struct bytes answer;
	wish_minister(w, &x, "NOM-2026-000009", "44444444-4", RUT_A, w->holder);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &x, &answer, &refusal), ERR_DENIED);
	assert_string_equal(refusal.id, "signer-ca-ended");
	world_free(w);
}

/* "dos" has the new key of "uno": from there on the old one signs no
 * certificate, whoever core says should. */
static void
a_new_key_ends_the_old(void **state)
{
	struct world *w = begin_with(NULL);
	struct rite r;
	struct err refusal = { .id = "" };
	char path[128];
	(void)state;
	/* Nobody's signature, or one for another key: nothing changes. */
	rite_init(w, &r);
	r.st.object[0].replaces = bytes_str("uno");
	r.signers = "";
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_FORBIDDEN);
	assert_string_equal(refusal.id, "signer-quorum");
	r.signers = "o";
	r.certificate = buf_bytes(&w->ca_der[0]);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_INVALID);
	assert_string_equal(refusal.id, "ceremony-object");
	assert_string_equal(certificate_by(w, 0, 0, NULL), "ok");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "signer-ca-new");
	r.certificate = buf_bytes(&w->ca_der[1]);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(certificate_by(w, 0, 0, NULL), "signer-ca-ended");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "ok");
	/* Told again, and with the end that core notes too, it is the same. */
	world_path(w, path);
	assert_string_equal(end_ask(w, "uno", w->now), "ok");
	struct bytes before = world_file(w, path);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_int_equal(world_file(w, path).len, before.len);
	world_stop(w);
	world_start(w);
	assert_string_equal(certificate_by(w, 0, 0, NULL), "signer-ca-ended");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "ok");
	/* No ceremony brings the old key back under its name. */
	rite_init(w, &r);
	r.st.id = bytes_str("CER-2026-000002");
	r.st.object[0].name = bytes_str("uno");
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_DENIED);
	assert_string_equal(refusal.id, "signer-agreed-ended");
	world_free(w);
}

/* Ended before it was ever heard of: then it never begins. */
static void
it_ended_before(void **state)
{
	struct world *w = begin();
	struct rite r;
	struct err refusal = { .id = "" };
	(void)state;
	assert_string_equal(end_ask(w, "dos", w->now), "ok");
	rite_init(w, &r);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_DENIED);
	assert_string_equal(refusal.id, "signer-agreed-ended");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "signer-ca-ended");
	world_free(w);
}

/* Ends of what is not, as many as are noted, in batches. */
static void
end_nothing(struct world *w)
{
	char id[32];
	for (int i = 0; i < 8192;) {
		struct buf in AUTO_BUF = BUF(1u << 20),
			      out AUTO_BUF = BUF(1u << 20);
		size_t done = 0, used = 0;
		for (int k = 0; k < 512; k++, i++) {
			struct buf body AUTO_BUF = BUF(1024);
			snprintf(id, sizeof(id), CEREMONY_CA_ID "nada%d", i);
			struct signer_end m = { bytes_str(id), w->now };
			signer_end_encode(&m, &body);
			frame_put(&in, SIGNER_END, 1, buf_bytes(&body));
		}
		do {
			OK(signer_batch(w->signer, ASKER_CORE,
			    bytes_of(in.p + done, in.len - done), &used, w->now,
			    &out, e));
			done += used;
		} while (used > 0 && done < in.len);
		assert_int_equal(done, in.len);
	}
}

/* Core has noted all the ends of nothing that it may: what officers agree on
 * ends the old key all the same. */
static void
ends_of_nothing_stop_no_new_key(void **state)
{
	struct world *w = begin_with(NULL);
	struct rite r;
	struct err refusal = { .id = "" };
	(void)state;
	end_nothing(w);
	assert_string_equal(end_ask(w, "nada", w->now), "signer-ends");
	assert_string_equal(end_ask(w, "uno", w->now), "signer-ends");
	rite_init(w, &r);
	r.st.object[0].replaces = bytes_str("uno");
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(certificate_by(w, 0, 0, NULL), "signer-ca-ended");
	assert_string_equal(certificate_by(w, 1, 0, NULL), "ok");
	world_free(w);
}

/* Its key signs nothing any more, whatever stands in the directory; and what
 * stood there is gone after the next start. */
static void
its_key_is_destroyed(void **state)
{
	struct world *w = begin();
	struct rite r;
	struct err refusal = { .id = "" };
	char path[192];
	struct stat st;
	(void)state;
	rite_init(w, &r);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(certificate_by(w, 1, 0, NULL), "ok");
	r.st.id = bytes_str("CER-2026-000002");
	r.st.object[0].kind = CEREMONY_KEY;
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(certificate_by(w, 1, 0, NULL),
	    "signer-key-destroyed");
	assert_string_equal(certificate_by(w, 0, 0, NULL), "ok");
	snprintf(path, sizeof(path), "%s/ca1.key", w->dir);
	assert_int_equal(stat(path, &st), 0);
	/* Told again it is nothing new; nothing brings it back. */
	w->now += 40 * DAY;
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	w->now -= 40 * DAY;
	world_stop(w);
	world_start(w);
	assert_string_equal(certificate_by(w, 1, 0, NULL),
	    "signer-key-destroyed");
	assert_int_equal(stat(path, &st), -1);
	/* It starts without the file too. */
	world_stop(w);
	world_start(w);
	assert_string_equal(certificate_by(w, 0, 0, NULL), "ok");
	world_free(w);
}

/* The same key under another name or certificate is the same key. */
static void
it_has_no_other_name(void **state)
{
	struct world *w = begin();
	struct rite r;
	struct err refusal = { .id = "" };
	(void)state;
	rite_init(w, &r);
	r.st.object[0].kind = CEREMONY_KEY;
	r.st.object[0].name = bytes_str("otra");
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_OK);
	assert_string_equal(certificate_by(w, 1, 0, NULL),
	    "signer-key-destroyed");
	world_free(w);
}

static void
no_root(void **state)
{
	struct world *w = begin();
	struct rite r;
	struct err refusal = { .id = "" };
	(void)state;
	world_stop(w);
	w->config.root_certificate[0] = '\0';
	world_start(w);
	rite_init(w, &r);
	assert_int_equal(rite_ask(w, &r, &refusal), ERR_DENIED);
	assert_string_equal(refusal.id, "ceremony-root");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_agreed),
		cmocka_unit_test(officers_agreed),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(a_new_key_ends_the_old),
		cmocka_unit_test(it_ended_before),
		cmocka_unit_test(ends_of_nothing_stop_no_new_key),
		cmocka_unit_test(its_key_is_destroyed),
		cmocka_unit_test(it_has_no_other_name),
		cmocka_unit_test(no_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
