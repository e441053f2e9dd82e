/*
 * Keys that nobody may have certified, and addresses and purposes that are not
 * the holder's to choose.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "attempts.h"

/* --- Weak keys ------------------------------------------------------------------ */

static void
use_pkey(struct world *w, struct wish *x, EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	assert_non_null(pkey);
	int len = i2d_PUBKEY(pkey, &der);
	assert_true(len > 0);
	x->spec.spki = arena_copy(w->a, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

/* The builder judges the key too: a good one is built, its octets changed. */
static void
swap_spki(struct world *w, struct wish *x, struct bytes with)
{
	uint8_t *p = arena_get(w->a, x->tbs.len + with.len), *at;
	struct bytes old = x->spec.spki;
	assert_int_equal(old.len, with.len);
	memcpy(p, x->tbs.p, x->tbs.len);
	at = memmem(p, x->tbs.len, old.p, old.len);
	assert_non_null(at);
	memcpy(at, with.p, with.len);
	x->tbs = bytes_of(p, x->tbs.len);
	x->spec.spki = with;
	x->container =
	    world_throwaway(w, x->tbs, key_type_sigalg(x->spec.issuer_type));
}

static void
s_rsa(struct world *w, struct wish *x)
{
	static struct key *rsa; /* slow to make: one for all rows */
	(void)w;
	if (rsa == NULL)
		OK(key_generate(KEY_RSA_3072, &rsa, e));
	x->spec.spki = key_spki(rsa);
}

static void
change_rsa(struct world *w, struct wish *x, size_t from_end, uint8_t to)
{
	uint8_t *p = arena_get(w->a, x->spec.spki.len);
	memcpy(p, x->spec.spki.p, x->spec.spki.len);
	p[x->spec.spki.len - from_end] = to;
	swap_spki(w, x, bytes_of(p, x->spec.spki.len));
}

/* 65537 is 01 00 01 at the end; the modulus ends five octets before. */
static void
x_exponent_65536(struct world *w, struct wish *x)
{
	change_rsa(w, x, 1, 0);
}

static void
x_exponent_other(struct world *w, struct wish *x)
{
	change_rsa(w, x, 1, 3);
}

static void
x_even_modulus(struct world *w, struct wish *x)
{
	change_rsa(w, x, 6, 0x42);
}

static void
x_small_factor(struct world *w, struct wish *x)
{
	struct bytes spki = x->spec.spki;
	/* The last octets so that 3 divides it: the digits' sum says how. */
	unsigned rest = 0;
	for (size_t i = spki.len - 5 - 384; i < spki.len - 5; i++)
		rest = (rest * 256 + spki.p[i]) % 3;
	uint8_t last = spki.p[spki.len - 6];
	last = (uint8_t)(last > 9 ? last - 2 * ((2 * rest) % 3)
				  : last + 2 * (rest % 3));
	change_rsa(w, x, 6, last);
}

static void
x_off_the_curve(struct world *w, struct wish *x)
{
	uint8_t *p = arena_get(w->a, x->spec.spki.len);
	memcpy(p, x->spec.spki.p, x->spec.spki.len);
	p[x->spec.spki.len - 1] ^= 1;
	swap_spki(w, x, bytes_of(p, x->spec.spki.len));
}

static void
x_no_such_form(struct world *w, struct wish *x)
{
	uint8_t *p = arena_get(w->a, x->spec.spki.len);
	memcpy(p, x->spec.spki.p, x->spec.spki.len);
	p[x->spec.spki.len - 65] = 6; /* hybrid */
	swap_spki(w, x, bytes_of(p, x->spec.spki.len));
}

/* 1.2.840.10045.3.1.6 is prime239v3: an OID as long as that of P-256. */
static void
x_other_curve(struct world *w, struct wish *x)
{
	static const uint8_t p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
	uint8_t *p = arena_get(w->a, x->spec.spki.len), *at;
	memcpy(p, x->spec.spki.p, x->spec.spki.len);
	at = memmem(p, x->spec.spki.len, p256, sizeof(p256));
	assert_non_null(at);
	at[7] = 6;
	swap_spki(w, x, bytes_of(p, x->spec.spki.len));
}

static void
s_ed25519(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.spki = key_spki(w->log);
}

static void
s_rsa_2048(struct world *w, struct wish *x)
{
	use_pkey(w, x, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
}

/* --- Keys of somebody else --------------------------------------------------------- */

static void
s_key_of_ca(struct world *w, struct wish *x)
{
	x->spec.spki = key_spki(w->ca[0]);
}

static void
s_key_of_other_ca(struct world *w, struct wish *x)
{
	x->spec.spki = key_spki(w->ca[1]);
}

static void
s_key_of_endorser(struct world *w, struct wish *x)
{
	x->spec.spki = key_spki(w->endorser);
}

static void
s_key_of_responder(struct world *w, struct wish *x)
{
	x->spec.spki = key_spki(w->ocsp[0]);
}

static void
s_key_of_minister(struct world *w, struct wish *x)
{
	x->spec.spki = key_spki(w->minister[1]);
}

static void
s_key_of_officer(struct world *w, struct wish *x)
{
	x->spec.spki = key_spki(w->officer);
}

/* A key that was certified for one person, asked for another. */
static const char *
ask_key_of_other(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &der, e));
	attempt_begins(w);
	wish_holder(w, &x, 0);
	wish_subject(w, &x, "14-0");
	x.st.holder_run = bytes_str("14-0");
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static const char *
ask_minister_key_of_holder(struct world *w, struct err *refusal)
{
	struct wish x;
	struct bytes der;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	OK(wish_ask(w, &x, &der, e));
	attempt_begins(w);
	wish_minister(w, &x, "NOM-2026-000701", "14-0", RUT_A, w->holder);
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

/* --- Addresses ------------------------------------------------------------------------- */

static void
s_crl_host(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.crl_url = bytes_str("http://evil.example.org/crl/uno.crl");
}

static void
s_crl_of_other(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.crl_url = bytes_str(PUBLIC "/crl/dos.crl");
}

static void
s_crl_delta(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.crl_url = bytes_str(PUBLIC "/crl/uno/delta.crl");
}

static void
s_ocsp_host(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.ocsp_url = bytes_str("http://evil.example.org/ocsp");
}

static void
s_issuer_host(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.issuer_url = bytes_str("http://evil.example.org/ca/uno.cer");
}

static void
s_issuer_of_other(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.issuer_url = bytes_str(PUBLIC "/ca/dos.cer");
}

/* --- Names and purposes ------------------------------------------------------------------ */

static void
s_host_name(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.san[x->spec.n_san++] = (struct general_name){ .kind = GN_DNS,
		.value = bytes_str("www.example.cl") };
}

static void
s_code(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[0] = OID_EKU_CODE;
	x->spec.n_eku = 1;
}

static void
s_private(struct world *w, struct wish *x)
{
	struct private_ext *p = &x->spec.private_ext[x->spec.n_private_ext++];
	(void)w;
	OK(oid_parse(bytes_str("1.3.6.1.4.1.99999.1"), &p->oid, e));
	p->der = bytes_of("\x0c\x02si", 4);
}

static void
s_qualified(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.qc.compliance = true;
	x->spec.qc.types = QC_ESIGN;
	x->spec.qc.country[0][0] = 'C';
	x->spec.qc.country[0][1] = 'L';
	x->spec.qc.n_country = 1;
}

/* clang-format off */
static const struct attempt rows[] = {
	{ "RSA exponent 65536", .spec = s_rsa, .edit = x_exponent_65536, .id = "key-weak-exponent" },
	{ "RSA exponent 65539", .spec = s_rsa, .edit = x_exponent_other, .id = "key-weak-exponent" },
	{ "even RSA modulus", .spec = s_rsa, .edit = x_even_modulus, .id = "key-weak-even" },
	{ "RSA modulus that 3 divides", .spec = s_rsa, .edit = x_small_factor, .id = "key-weak-factor" },
	{ "RSA of 2048 bits over the ceilings", .spec = s_rsa_2048, .id = "signer-key-type" },
	{ "point that is not on the curve", .edit = x_off_the_curve, .id = "spki-point" },
	{ "point in hybrid form", .edit = x_no_such_form, .id = "spki-point-form" },
	{ "another curve", .edit = x_other_curve, .id = "spki-curve" },
	{ "Ed25519, and the key of the log", .spec = s_ed25519, .id = "signer-key-type" },
	{ "key of the CA itself", .spec = s_key_of_ca, .id = "signer-key-ours" },
	{ "key of another CA", .spec = s_key_of_other_ca, .id = "signer-key-ours" },
	{ "key of the ministers' CA", .spec = s_key_of_endorser, .id = "signer-key-ours" },
	{ "key of an OCSP responder", .spec = s_key_of_responder, .id = "signer-key-ours" },
	{ "key of a minister for another person", .spec = s_key_of_minister, .id = "signer-key-of-other" },
	{ "key of an officer", .spec = s_key_of_officer, .id = "signer-key-ours" },
	{ "key of another holder", .base = ASKED, .ask = ask_key_of_other, .id = "signer-key-of-other" },
	{ "key of a holder for a minister who is another person", .base = ASKED, .ask = ask_minister_key_of_holder, .id = "signer-key-of-other" },
	{ "certificate with its CRL at another host", .spec = s_crl_host, .id = "signer-crl-place" },
	{ "certificate with the CRL of another CA", .spec = s_crl_of_other, .id = "signer-crl-place" },
	{ "a delta instead of the CRL", .spec = s_crl_delta, .id = "signer-crl-place" },
	{ "OCSP at another host", .spec = s_ocsp_host, .id = "signer-aia-place" },
	{ "CA certificate at another host", .spec = s_issuer_host, .id = "signer-aia-place" },
	{ "CA certificate of another CA", .spec = s_issuer_of_other, .id = "signer-aia-place" },
	{ "host name of a server", .spec = s_host_name, .id = "signer-name-kind" },
	{ "purpose outside the ceilings", .spec = s_code, .id = "signer-purpose" },
	{ "private extension outside the ceilings", .spec = s_private, .id = "signer-extension" },
	{ "statements of a qualified certificate", .spec = s_qualified, .id = "signer-qc-statements" },
};
/* clang-format on */

const struct attempt *
key_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
