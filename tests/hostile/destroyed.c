/* A key whose destruction officers agree on, and what is tried before and
 * after: to destroy one without them, and to sign with it all the same. */
#include "attempts.h"

/* What core sends about the key of "dos", with one lie in it for each row. */
struct rite {
	struct ceremony_statement st;
	uint8_t tbs[SHA256_LEN], root[SHA256_LEN];
	const char *signers; /* o, s: officers; z: nobody; x: other text */
	struct bytes certificate;
};

static void
rite_init(struct world *w, struct rite *r)
{
	memset(r, 0, sizeof(*r));
	r->signers = "os";
	r->certificate = buf_bytes(&w->ca_der[1]);
	sha256(r->tbs, w->ca_cert[1].tbs);
	sha256(r->root, buf_bytes(&w->root_der));
	r->st = (struct ceremony_statement){
		.origin = bytes_str(w->config.origin),
		.id = bytes_str("CER-2029-000001"),
		.root_sha256 = bytes_of(r->root, SHA256_LEN),
		.n = 1,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + CEREMONY_LIFE_S,
	};
	r->st.object[0].kind = CEREMONY_KEY;
	r->st.object[0].name = bytes_str("dos");
	r->st.object[0].tbs_sha256 = bytes_of(r->tbs, SHA256_LEN);
}

static const char *
rite_ask(struct world *w, struct rite *r, struct err *refusal)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer,
	    m = world_agreement(w, &r->st, r->certificate, r->signers);
	buf_put(&body, m.p, m.len);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

#define LIE(name, change)                                             \
	static const char *name(struct world *w, struct err *refusal) \
	{                                                             \
		struct rite r;                                        \
		rite_init(w, &r);                                     \
		change;                                               \
		return rite_ask(w, &r, refusal);                      \
	}
LIE(ask_one, r.signers = "o")
LIE(ask_twice, r.signers = "oo")
LIE(ask_nobody, r.signers = "")
LIE(ask_stranger, r.signers = "oz")
LIE(ask_text, r.signers = "ox")
LIE(ask_origin, r.st.origin = bytes_str("otra.example/log"))
LIE(ask_expired,
    (r.st.issued = w->now - 40 * DAY, r.st.expires = w->now - 8 * DAY))
LIE(ask_long, r.st.expires = w->now + CEREMONY_LIFE_S + 1)
LIE(ask_future, r.st.issued = w->now + 2 * MINUTE)
LIE(ask_root, r.st.root_sha256 = world_hash(w, bytes_str("another")))
LIE(ask_other_ca, r.certificate = buf_bytes(&w->ca_der[0]))
LIE(ask_no_ca, r.certificate = BYTES_NONE)

/* What officers signed so that the root signs: the same CA, another act. */
static const char *
ask_reused(struct world *w, struct err *refusal)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct rite r;
	rite_init(w, &r);
	OK(ceremony_print(&r.st, &text, e));
	struct bytes other = buf_bytes(&text);
	char *act = strstr((char *)writable(w, &other), "\"destroy\"");
	assert_non_null(act);
	memcpy(act, "\"destrox\"", 9);
	struct signer_agreement m = { .statement = other,
		.certificate = r.certificate };
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct bytes answer;
	signer_agreement_encode(&m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* --- A new key that ends the old --------------------------------------------- */

static struct bytes
certificate_of_root(struct world *w, bool is_bound)
{
	static const uint8_t serial[SERIAL_MAX] = { 0x51, 7 };
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert_spec spec = { .serial = bytes_of(serial, SERIAL_MAX),
		.issuer = w->root_cert.subject,
		.issuer_ski = w->root_cert.ski,
		.issuer_type = key_type(w->root),
		.subject = w->ca_cert[1].subject,
		.not_before = w->now - DAY,
		.not_after = w->now + 3000 * DAY - 1,
		.spki = key_spki(w->stranger),
		.is_ca = true,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.crl_url = bytes_str("http://crl.example.org/crl/root.crl"),
		.issuer_url = bytes_str("http://crl.example.org/ca/root.cer"),
		.n_policy = 1 };
	OK(oid_parse(bytes_str("2.5.29.32.0"), &spec.policy[0].oid, e));
	if (is_bound) {
		spec.constraints.n_excluded = 1;
		spec.constraints.excluded[0] =
		    (struct general_name){ .kind = GN_DNS,
			    .value = bytes_str("example.org") };
	}
	OK(cert_build_tbs(&spec, &tbs, e));
	return world_signed(w, w->root, buf_bytes(&tbs));
}

/* "tres" is to have the place of "dos", by a certificate of the root. */
static void
new_key_of(struct world *w, struct rite *r, bool is_bound)
{
	struct bytes tbs, sigalg, signature;
	rite_init(w, r);
	r->certificate = certificate_of_root(w, is_bound);
	OK(signed_split(r->certificate, &tbs, &sigalg, &signature, e));
	sha256(r->tbs, tbs);
	r->st.id = bytes_str("CER-2029-000009");
	r->st.object[0].kind = CEREMONY_CERTIFICATE;
	r->st.object[0].name = bytes_str("tres");
	r->st.object[0].replaces = bytes_str("dos");
}

static void
new_key(struct world *w, struct rite *r)
{
	new_key_of(w, r, false);
}

/* Officers read of a new key, and not of what else is new. */
static const char *
ask_other_bounds(struct world *w, struct err *refusal)
{
	struct rite r;
	new_key_of(w, &r, true);
	return rite_ask(w, &r, refusal);
}

/* Officers were told of a CA of its own, and "dos" would sign on. */
static const char *
ask_same_subject(struct world *w, struct err *refusal)
{
	struct rite r;
	new_key(w, &r);
	r.st.object[0].replaces = BYTES_NONE;
	return rite_ask(w, &r, refusal);
}

static const char *
ask_rolled_by_one(struct world *w, struct err *refusal)
{
	struct rite r;
	new_key(w, &r);
	r.signers = "o";
	return rite_ask(w, &r, refusal);
}

/* What officers signed for a CA of its own, sent as a new key of "uno". */
static const char *
ask_rolled_other(struct world *w, struct err *refusal)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf list AUTO_BUF = BUF(1u << 20), body AUTO_BUF = BUF(1u << 20);
	struct rite r;
	struct bytes answer;
	new_key(w, &r);
	OK(ceremony_print(&r.st, &text, e));
	OK(cms_sign(w->officer, buf_bytes(&w->officer_der), buf_bytes(&text),
	    w->now, &cms, e));
	put_bytes(&list, buf_bytes(&cms));
	struct bytes other = buf_bytes(&text);
	char *at = strstr((char *)writable(w, &other), "\"replaces\":\"dos\"");
	assert_non_null(at);
	memcpy(at, "\"replaces\":\"uno\"", 16);
	struct signer_agreement m = { .statement = other,
		.certificate = r.certificate,
		.evidence = buf_bytes(&list) };
	signer_agreement_encode(&m, &body);
	return ask(w, SIGNER_AGREEMENT, &body, &answer, refusal);
}

/* What officers agreed on for a CA that is not ours is none of ours. */
static const char *
ask_crossed(struct world *w, struct err *refusal)
{
	struct rite r;
	new_key(w, &r);
	r.st.object[0].kind = CEREMONY_CROSS;
	r.st.object[0].replaces = BYTES_NONE;
	return rite_ask(w, &r, refusal);
}

static const char *
rolled(struct world *w)
{
	static bool done;
	struct rite r;
	struct err refusal = { .id = "" };
	new_key(w, &r);
	if (!done && strcmp(rite_ask(w, &r, &refusal), "ok") != 0)
		return refusal.id;
	done = true;
	attempt_begins(w);
	return NULL;
}

static const char *
by_dos(struct world *w, struct err *refusal)
{
	struct wish x;
	wish_holder(w, &x, 0);
	x.issuer = x.st.issuer = bytes_str("dos");
	x.spec.issuer = w->ca_cert[1].subject;
	x.spec.issuer_ski = w->ca_cert[1].ski;
	x.spec.crl_url = bytes_str("http://crl.example.org/crl/dos.crl");
	x.spec.issuer_url = bytes_str("http://crl.example.org/ca/dos.cer");
	wish_build(w, &x, NULL, NULL, NULL);
	return wish_id(w, &x, refusal);
}

static const char *
ask_by_old_key(struct world *w, struct err *refusal)
{
	const char *no = rolled(w);
	return no != NULL ? no : by_dos(w, refusal);
}

static const char *
ask_by_old_key_later(struct world *w, struct err *refusal)
{
	const char *no = rolled(w);
	if (no != NULL)
		return no;
	world_stop(w);
	world_start(w);
	attempt_begins(w);
	return by_dos(w, refusal);
}

/* The ceremony that once put "dos" in force, told again. */
static const char *
ask_old_key_again(struct world *w, struct err *refusal)
{
	struct rite r;
	const char *no = rolled(w);
	new_key(w, &r);
	r.st.object[0].name = bytes_str("dos");
	r.st.object[0].replaces = BYTES_NONE;
	return no != NULL ? no : rite_ask(w, &r, refusal);
}

/* --- Once they agreed --------------------------------------------------------- */

static const char *
destroyed(struct world *w)
{
	static bool done;
	struct rite r;
	struct err refusal = { .id = "" };
	rite_init(w, &r);
	if (!done && strcmp(rite_ask(w, &r, &refusal), "ok") != 0)
		return refusal.id;
	done = true;
	attempt_begins(w);
	return NULL;
}

static const char *
ask_list(struct world *w, struct err *refusal)
{
	struct crl_row r = { .issuer = "dos",
		.ca = 1,
		.number = 70000,
		.life = DAY };
	struct bytes signature;
	const char *no = destroyed(w);
	return no != NULL ? no : ask_crl(w, &r, &signature, refusal);
}

static const char *
ask_its_responder(struct world *w, struct err *refusal)
{
	struct cert_spec spec;
	struct bytes der;
	const char *no = destroyed(w);
	responder_spec(w, &spec);
	return no != NULL ? no : ask_responder(w, &spec, "dos", &der, refusal);
}

static const char *
ask_certificate(struct world *w, struct err *refusal)
{
	struct wish x;
	const char *no = destroyed(w);
	if (no != NULL)
		return no;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	x.issuer = bytes_str("dos");
	return wish_id(w, &x, refusal);
}

/* The file of the key is back, and the signer begins anew. */
static const char *
ask_restored(struct world *w, struct err *refusal)
{
	const char *no = destroyed(w);
	if (no != NULL)
		return no;
	world_stop(w);
	world_start(w);
	attempt_begins(w);
	return ask_list(w, refusal);
}

static const char *
ask_its_end(struct world *w, struct err *refusal)
{
	const char *no = destroyed(w);
	if (no != NULL)
		return no;
	return end_ask(w, CEREMONY_KEY_ID "dos", w->now, refusal) == ERR_OK
		   ? "ok"
		   : refusal->id;
}

static const char *
ask_other_statement(struct world *w, struct err *refusal)
{
	struct rite r;
	const char *no = destroyed(w);
	rite_init(w, &r);
	r.st.id = bytes_str("CER-2029-000002");
	return no != NULL ? no : rite_ask(w, &r, refusal);
}

#define ASK(f) .base = ASKED, .ask = f
/* clang-format off */
static const struct attempt rows[] = {
	{ "a key destroyed by one officer of two", ASK(ask_one), .id = "signer-quorum" },
	{ "a key destroyed by one officer twice", ASK(ask_twice), .id = "signer-quorum" },
	{ "a key destroyed by nobody", ASK(ask_nobody), .id = "signer-quorum" },
	{ "a key destroyed by an officer and a stranger", ASK(ask_stranger), .id = "signer-officer-unknown" },
	{ "a key destroyed by signatures over other octets", ASK(ask_text), .id = "cms-other-content" },
	{ "a key destroyed for another installation", ASK(ask_origin), .id = "signer-statement-origin" },
	{ "a key destroyed by a statement of long ago", ASK(ask_expired), .id = "signer-statement-expired" },
	{ "a key destroyed by a statement for too long", ASK(ask_long), .id = "signer-statement-life" },
	{ "a key destroyed by a statement of the future", ASK(ask_future), .id = "signer-statement-future" },
	{ "a key destroyed under another root", ASK(ask_root), .id = "ceremony-root" },
	{ "the key of another CA than the one agreed on", ASK(ask_other_ca), .id = "ceremony-object" },
	{ "a key destroyed without its certificate", ASK(ask_no_ca), .id = "signed-form" },
	{ "a key destroyed by another act", ASK(ask_reused), .id = "statement-type" },
	{ "a CA under the subject of another", ASK(ask_same_subject), .id = "signer-ca-subject", .say = "does not say that the new one replaces" },
	{ "a new key under other name constraints", ASK(ask_other_bounds), .id = "signer-ca-successor" },
	{ "a new key by one officer of two", ASK(ask_rolled_by_one), .id = "signer-quorum" },
	{ "a new key of another CA than officers agreed on", ASK(ask_rolled_other), .id = "cms-other-content" },
	{ "a cross-certificate as a CA of ours", ASK(ask_crossed), .id = "ceremony-one-ca" },
	{ "a certificate with the key of before", ASK(ask_by_old_key), .id = "signer-ca-ended", .say = "given a new key" },
	{ "a certificate with the key of before, after a start", ASK(ask_by_old_key_later), .id = "signer-ca-ended" },
	{ "the key of before, put in force again", ASK(ask_old_key_again), .id = "signer-agreed-ended" },
	{ "a CRL with a key that was destroyed", ASK(ask_list), .id = "signer-key-destroyed", .say = "it never signs again" },
	{ "a responder with a key that was destroyed", ASK(ask_its_responder), .id = "signer-key-destroyed" },
	{ "a certificate with a key that was destroyed", ASK(ask_certificate), .id = "signer-key-destroyed" },
	{ "a key that was destroyed, and its file again", ASK(ask_restored), .id = "signer-key-destroyed" },
	{ "the end of a destruction", ASK(ask_its_end), .id = "signer-end-id" },
	{ "a destroyed key, destroyed by another statement", ASK(ask_other_statement), .id = "signer-agreed-again" },
};
/* clang-format on */

const struct attempt *
destroyed_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
