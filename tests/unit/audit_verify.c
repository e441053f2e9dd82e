/*
 * A small and complete log, made here with keys made here, and everything
 * that a verifier must notice in it.  With a directory as its argument the
 * program writes the good export there: data/audit/ was made so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/audit.h>
#include <refrendo/crl.h>

#define T0       INT64_C(1795514400)
#define ORIGIN   "ca.example.cl/bitacora"
#define RUT      "60910000-1"

#define OPERATOR "22222222-2"
#define HOLDER   "11111111-1"
#define MINISTER "33333333-3"
#define OFFICER  "12345678-5"
#define OTHER    "87654321-4"

static const char policy_text[] = "policy: funcionario-firma\nversion: 7\n";

/* What is wrong with the log, though its checkpoint covers it. */
enum twist {
	NOTHING,
	EVIDENCE_BY_OTHER,
	EVIDENCE_OF_OTHER_TEXT,
	EVIDENCE_LATE,
	MINISTER_IS_OPERATOR,
	MINISTER_IS_HOLDER,
	OPERATOR_IS_HOLDER,
	MINISTER_NAMED_WRONG,
	APPOINTMENT_OVER,
	APPOINTMENT_ENDED_BEFORE,
	APPOINTMENT_UNCONFIRMED,
	CONFIRMED_BY_STRANGER,
	CONFIRMED_BY_HIMSELF,
	QUORUM_OF_TWO,
	NO_INTENT,
	NO_ENDORSEMENT,
	OLD_ENDORSEMENT,
	OTHER_TBS_ISSUED,
	OTHER_ISSUER_SIGNED,
	UNKNOWN_POLICY,
	POLICY_TEXT_CHANGED,
	STATEMENT_OF_OTHER_LOG,
	STATEMENT_OTHER_KEY,
	STATEMENT_ROOT,
	STATEMENT_FUTURE,
	SERIAL_TWICE,
	ISSUED_TWICE,
	REVOKED_TWICE,
	SUSPENDED_WRONG_REASON,
	CRL_LACKS,
	CRL_MORE,
	CRL_REASON,
	CRL_TIME,
	CRL_OLD_STATE,
	CRL_NUMBER,
	CRL_NONE,
	CRL_BY_OTHER,
	CRL_LINE_MISSING,
	TIME_BACK,
	NO_ACTOR,
	LOG_KEY,
	RESPONDER_NOT_OCSP,
	LOOSE_CERTIFICATE,
	LOOSE_POLICY,
	TWISTS
};

struct keys {
	struct key *root, *issuer, *endorser, *log, *officer, *minister,
	    *holder, *ocsp, *other;
};

struct one {
	struct buf leaf, detail;
	uint8_t salt[ENTRY_SALT];
	enum entry_type type;
	bool erased;
};

#define ENTRIES_MAX 80
struct world {
	enum twist twist;
	struct one e[ENTRIES_MAX];
	size_t n;
	int64_t now;
	struct merkle tree;
	struct buf root, issuer, endorser, officer, minister, responder;
	uint8_t serials;
	struct buf crl, note;
};

static struct keys keys;
static struct err err;

#define OK(call)                                                      \
	do {                                                          \
		if ((call) != ERR_OK) {                               \
			print_message("%s (%s)\n", err.say, err.why); \
			fail();                                       \
		}                                                     \
	} while (0)

static bool
twisted(const struct world *w, enum twist t)
{
	return w->twist == t;
}

/* --- Certificates -------------------------------------------------------------- */

static void
next_serial(struct world *w, uint8_t out[18])
{
	memset(out, 0x5c, 18);
	out[1] = ++w->serials;
}

static void
build_name(struct buf *out, const char *cn, const char *run)
{
	struct name_attr attr[4] = {
		{ OID_C, bytes_str("CL") },
		{ OID_O, bytes_str("Universidad de Ejemplo") },
		{ OID_SERIAL_NUMBER, bytes_str(run == NULL ? "" : run) },
		{ OID_CN, bytes_str(cn) },
	};
	if (run == NULL)
		attr[2] = attr[3];
	OK(name_build(attr, run == NULL ? 3 : 4, out, &err));
}

struct want {
	const char *cn, *run;
	const struct key *key;
	const struct buf *ca; /* NULL: self-signed */
	struct key *signer;
	bool is_ca, ocsp;
	int64_t not_before, not_after;
};

static void
build_cert(struct world *w, const struct want *want, struct buf *out)
{
	struct buf subject AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	uint8_t serial[18], ski[KEY_ID_LEN];
	struct cert ca;
	struct cert_spec spec = { .path_len = -1,
		.issuer_type = key_type(want->signer),
		.not_before = want->not_before,
		.not_after = want->not_after,
		.spki = key_spki(want->key),
		.is_ca = want->is_ca };

	next_serial(w, serial);
	spec.serial = bytes_of(serial, sizeof(serial));
	build_name(&subject, want->cn, want->run);
	spec.subject = spec.issuer = buf_bytes(&subject);
	OK(spki_key_id(key_spki(want->signer), ski, &err));
	spec.issuer_ski = bytes_of(ski, KEY_ID_LEN);
	if (want->ca != NULL) {
		OK(cert_parse(buf_bytes(want->ca), &ca, &err));
		spec.issuer = ca.subject;
		spec.issuer_ski = ca.ski;
	}
	spec.key_usage =
	    want->is_ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE;
	if (want->ocsp) {
		spec.eku[spec.n_eku++] = OID_EKU_OCSP;
		spec.nocheck = true;
	}
	OK(cert_build_tbs(&spec, &tbs, &err));
	OK(key_sign(want->signer, buf_bytes(&tbs), &signature, &err));
	OK(signed_assemble(buf_bytes(&tbs),
	    key_type_sigalg(key_type(want->signer)), buf_bytes(&signature), out,
	    &err));
}

/* The same TBS under another key. */
static void
sign_again(struct bytes der, struct key *key, struct buf *out)
{
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct bytes tbs, alg, old;
	OK(signed_split(der, &tbs, &alg, &old, &err));
	OK(key_sign(key, tbs, &signature, &err));
	OK(signed_assemble(tbs, key_type_sigalg(key_type(key)),
	    buf_bytes(&signature), out, &err));
}

/* --- Entries --------------------------------------------------------------------- */

static struct jw
detail_of(struct buf *detail)
{
	*detail = BUF(ENTRY_DETAIL_MAX);
	struct jw w = jw_of(detail);
	jw_object(&w);
	return w;
}

static void
actor(struct world *w, struct jw *j, const char *run, const char *role)
{
	jw_key(j, "actor");
	jw_object(j);
	jw_member_str(j, "role", bytes_str(role));
	jw_member_str(j, "run",
	    bytes_str(twisted(w, NO_ACTOR) && w->n == 4 ? "" : run));
	jw_member_int(j, "uid", 1000);
	jw_member_str(j, "via", bytes_str("local"));
	jw_close(j, '}');
}

static void
append(struct world *w, enum entry_type type, struct jw *j,
    struct entry_refs refs)
{
	struct one *o = &w->e[w->n];
	uint8_t hash[HASH_LEN];
	struct entry en = { .index = w->n,
		.time = w->now,
		.type = type,
		.refs = refs };

	assert_true(w->n < ENTRIES_MAX);
	jw_close(j, '}');
	assert_false(o->detail.failed);
	memset(o->salt, (int)w->n + 1, ENTRY_SALT);
	memcpy(en.salt, o->salt, ENTRY_SALT);
	en.detail = buf_bytes(&o->detail);
	o->type = type;
	o->leaf = BUF(ENTRY_LEAF_MAX);
	OK(entry_leaf_build(&en, &o->leaf, &err));
	merkle_leaf_hash(hash, buf_bytes(&o->leaf));
	merkle_append(&w->tree, hash, NULL, NULL);
	w->n++;
	w->now += twisted(w, TIME_BACK) && w->n == 5 ? -100 : 10;
}

/* An entry whose detail says no more than who acted. */
static void
plain(struct world *w, enum entry_type type, struct entry_refs refs)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, OPERATOR, "operator");
	jw_member_str(&j, "reason", bytes_str("porque s\xc3\xad"));
	append(w, type, &j, refs);
}

static void
put_ca(struct jw *j, const char *role, const char *name, const struct buf *der)
{
	jw_object(j);
	jw_member_base64(j, "der", buf_bytes(der));
	jw_member_str(j, "name", bytes_str(name));
	jw_member_str(j, "role", bytes_str(role));
	jw_close(j, '}');
}

static void
initialize(struct world *w)
{
	uint8_t key[HASH_LEN];
	struct jw j = detail_of(&w->e[w->n].detail);

	jw_key(&j, "actor");
	jw_object(&j);
	jw_member_str(&j, "role", bytes_str("system"));
	jw_member_str(&j, "run", BYTES_NONE);
	jw_member_int(&j, "uid", 0);
	jw_member_str(&j, "via", bytes_str("local"));
	jw_close(&j, '}');
	jw_key(&j, "certificates");
	jw_array(&j);
	put_ca(&j, "root", "raiz", &w->root);
	put_ca(&j, "issuer", "institucional", &w->issuer);
	put_ca(&j, "endorser", "refrendo", &w->endorser);
	jw_close(&j, ']');
	jw_member_base64(&j, "log_key",
	    key_spki(twisted(w, LOG_KEY) ? keys.other : keys.log));
	jw_key(&j, "officers");
	jw_array(&j);
	for (int i = 0; i < 2; i++) {
		sha256(key, key_spki(i == 0 ? keys.officer : keys.minister));
		jw_object(&j);
		jw_member_hex(&j, "key_sha256", bytes_of(key, HASH_LEN));
		jw_member_str(&j, "name", bytes_str("Oficial"));
		jw_member_str(&j, "run",
		    bytes_str(i == 0 ? OFFICER : MINISTER));
		jw_close(&j, '}');
	}
	jw_close(&j, ']');
	jw_member_str(&j, "origin", bytes_str(ORIGIN));
	jw_member_int(&j, "quorum", twisted(w, QUORUM_OF_TWO) ? 2 : 1);
	append(w, ENTRY_SYSTEM_INITIALIZED, &j, (struct entry_refs){ 0 });
}

static void
policy(struct world *w)
{
	uint8_t hash[HASH_LEN];
	struct jw j = detail_of(&w->e[w->n].detail);
	struct bytes text = bytes_str(policy_text);

	sha256(hash, text);
	if (twisted(w, POLICY_TEXT_CHANGED))
		text.len--;
	actor(w, &j, OFFICER, "officer");
	jw_member_str(&j, "name", bytes_str("funcionario-firma"));
	jw_member_base64(&j, "text", text);
	jw_member_int(&j, "version", 7);
	append(w, ENTRY_POLICY_ACTIVATED, &j,
	    (struct entry_refs){ .policy = bytes_of(hash, HASH_LEN) });
}

/* --- What is stated and signed --------------------------------------------------------- */

struct stated {
	struct buf container, text;
	struct cert cert;
	uint8_t tbs[HASH_LEN], policy[HASH_LEN];
	struct entry_refs refs;
};

static void
stated_fini(struct stated *s)
{
	buf_fini(&s->container);
	buf_fini(&s->text);
}
#define AUTO_STATED __attribute__((cleanup(stated_fini)))

static struct statement
statement_of(struct world *w, struct stated *s, uint8_t spki[HASH_LEN],
    uint8_t root[HASH_LEN])
{
	sha256(s->tbs, s->cert.tbs);
	sha256(spki, s->cert.spki);
	merkle_root(&w->tree, root);
	return (struct statement){ .origin = bytes_str(ORIGIN),
		.request_version = 1,
		.tbs_sha256 = bytes_of(s->tbs, HASH_LEN),
		.institution = bytes_str(RUT),
		.institution_name = bytes_str("Universidad de Ejemplo"),
		.holder_name = bytes_str("Ana"),
		.holder_office = bytes_str("Secretaria"),
		.spki_sha256 = bytes_of(spki, HASH_LEN),
		.not_before = s->cert.not_before,
		.not_after = s->cert.not_after,
		.log_size = w->tree.size,
		.log_root = bytes_of(root, HASH_LEN),
		.text_es = bytes_str("Certifico."),
		.issued = w->now,
		.expires = w->now + HOUR };
}

/* Prints the statement and writes the entry with it. */
static void
state(struct world *w, struct stated *s, const struct statement *st,
    enum entry_type type, struct entry_refs refs)
{
	struct jw j = detail_of(&w->e[w->n].detail);

	OK(statement_print(st, &s->text, &err));
	refs.institution = bytes_str(RUT);
	refs.serial = s->cert.serial;
	refs.tbs = bytes_of(s->tbs, HASH_LEN);
	s->refs = refs;
	actor(w, &j, OPERATOR, "operator");
	jw_member_str(&j, "statement", buf_bytes(&s->text));
	jw_member_base64(&j, "tbs", buf_bytes(&s->container));
	append(w, type, &j, refs);
}

static void
submit(struct world *w, struct stated *s, const char *id)
{
	uint8_t spki[HASH_LEN], root[HASH_LEN];
	bool bare = twisted(w, MINISTER_IS_HOLDER);
	const char *holder = bare ? MINISTER : HOLDER;
	struct want want = { "Ana", holder, keys.holder, &w->issuer, keys.other,
		false, false, w->now, w->now + 730 * DAY };

	*s = (struct stated){ .container = BUF(CERT_MAX_BYTES),
		.text = BUF(STATEMENT_MAX) };
	if (twisted(w, SERIAL_TWICE) && strcmp(id, "SOL-2") == 0)
		w->serials--;
	build_cert(w, &want, &s->container);
	OK(cert_parse(buf_bytes(&s->container), &s->cert, &err));
	struct statement st = statement_of(w, s, spki, root);
	sha256(s->policy, bytes_str(policy_text));
	if (twisted(w, UNKNOWN_POLICY))
		s->policy[0] ^= 1;
	st.type = STATEMENT_ENDORSEMENT;
	st.request = bytes_str(id);
	st.policy = bytes_str("funcionario-firma");
	st.policy_version = 7;
	st.policy_sha256 = bytes_of(s->policy, HASH_LEN);
	st.issuer = bytes_str("institucional");
	st.holder_run = bytes_str(holder);
	st.operator_run =
	    bytes_str(twisted(w, MINISTER_IS_OPERATOR) ? MINISTER
		      : twisted(w, OPERATOR_IS_HOLDER) ? HOLDER
						       : OPERATOR);
	if (twisted(w, STATEMENT_OF_OTHER_LOG))
		st.origin = bytes_str("ca.example.cl/otra");
	if (twisted(w, STATEMENT_OTHER_KEY))
		spki[3] ^= 1;
	if (twisted(w, STATEMENT_ROOT))
		root[3] ^= 1;
	if (twisted(w, STATEMENT_FUTURE))
		st.log_size++;
	state(w, s, &st, ENTRY_REQUEST_SUBMITTED,
	    (struct entry_refs){ .request = bytes_str(id),
		.policy = bytes_of(s->policy, HASH_LEN) });
}

static void
put_evidence(struct jw *j, struct key *key, const struct buf *cert,
    struct bytes text, int64_t now)
{
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(cms_sign(key, buf_bytes(cert), text, now, &cms, &err));
	jw_member_base64(j, "evidence", buf_bytes(&cms));
}

static void
endorse(struct world *w, struct stated *s, const struct stated *text)
{
	if (twisted(w, NO_ENDORSEMENT))
		return;
	if (twisted(w, EVIDENCE_LATE))
		w->now += 2 * HOUR;
	struct jw j = detail_of(&w->e[w->n].detail);
	bool other = twisted(w, EVIDENCE_BY_OTHER);
	struct bytes bytes = buf_bytes(&text->text);
	if (twisted(w, EVIDENCE_OF_OTHER_TEXT))
		bytes.len--;
	actor(w, &j, MINISTER, "minister");
	jw_member_str(&j, "appointment", bytes_str("NOM-1"));
	put_evidence(&j, other ? keys.officer : keys.minister,
	    other ? &w->officer : &w->minister, bytes, w->now);
	jw_member_str(&j, "minister",
	    bytes_str(twisted(w, MINISTER_NAMED_WRONG) ? OTHER : MINISTER));
	append(w, ENTRY_REQUEST_ENDORSED, &j,
	    (struct entry_refs){ .request = s->refs.request });
}

static void
intend(struct world *w, struct stated *s)
{
	if (twisted(w, NO_INTENT))
		return;
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, MINISTER, "minister");
	jw_member_int(&j, "evidence_index", (int64_t)w->n - 1);
	append(w, ENTRY_CERTIFICATE_INTENDED, &j,
	    (struct entry_refs){ .request = s->refs.request,
		.serial = s->refs.serial,
		.tbs = s->refs.tbs,
		.policy = s->refs.policy });
}

static void
issue(struct world *w, struct stated *s)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf other AUTO_BUF = BUF(CERT_MAX_BYTES);
	uint8_t hash[HASH_LEN];
	struct bytes tbs = buf_bytes(&s->container);

	if (twisted(w, OTHER_TBS_ISSUED)) {
		struct want want = { "Eva", HOLDER, keys.holder, &w->issuer,
			keys.other, false, false, w->now, w->now + DAY };
		build_cert(w, &want, &other);
		tbs = buf_bytes(&other);
	}
	sign_again(tbs,
	    twisted(w, OTHER_ISSUER_SIGNED) ? keys.other : keys.issuer, &der);
	sha256(hash, buf_bytes(&der));
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, MINISTER, "minister");
	jw_member_base64(&j, "certificate", buf_bytes(&der));
	append(w, ENTRY_CERTIFICATE_ISSUED, &j,
	    (struct entry_refs){ .request = s->refs.request,
		.serial = s->refs.serial,
		.tbs = s->refs.tbs,
		.object = bytes_of(hash, HASH_LEN) });
}

/* --- Appointments -------------------------------------------------------------------------- */

static void
propose(struct world *w, struct stated *s, const char *id)
{
	uint8_t spki[HASH_LEN], root[HASH_LEN];
	struct want want = { "Ministro", MINISTER, keys.minister, &w->endorser,
		keys.other, false, false, w->now, w->now + 365 * DAY };

	*s = (struct stated){ .container = BUF(CERT_MAX_BYTES),
		.text = BUF(STATEMENT_MAX) };
	build_cert(w, &want, &s->container);
	OK(cert_parse(buf_bytes(&s->container), &s->cert, &err));
	struct statement st = statement_of(w, s, spki, root);
	st.type = STATEMENT_APPOINTMENT;
	st.request = bytes_str(id);
	st.issuer = bytes_str("refrendo");
	st.holder_run = bytes_str(MINISTER);
	st.operator_run = bytes_str(OFFICER);
	st.act_number = bytes_str("Decreto 45");
	st.act_date = bytes_str("2026-11-02");
	st.from = w->now;
	st.until = w->now + (twisted(w, APPOINTMENT_OVER) ? 40 : 365 * DAY);
	state(w, s, &st, ENTRY_APPOINTMENT_PROPOSED,
	    (struct entry_refs){ .appointment = bytes_str(id) });
}

static void
confirm(struct world *w, struct stated *s)
{
	if (twisted(w, APPOINTMENT_UNCONFIRMED))
		return;
	struct jw j = detail_of(&w->e[w->n].detail);
	bool self = twisted(w, CONFIRMED_BY_HIMSELF);
	struct key *key = self                                ? keys.minister
			  : twisted(w, CONFIRMED_BY_STRANGER) ? keys.other
							      : keys.officer;
	struct buf cert AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct want want = { "Oficial", OFFICER, key, NULL, key, false, false,
		T0 - DAY, T0 + DAY };
	build_cert(w, &want, &cert);
	actor(w, &j, OFFICER, "officer");
	put_evidence(&j, key, &cert, buf_bytes(&s->text), w->now);
	jw_member_str(&j, "officer", bytes_str(self ? MINISTER : OFFICER));
	append(w, ENTRY_APPOINTMENT_CONFIRMED, &j,
	    (struct entry_refs){ .appointment = s->refs.appointment });
}

static void
in_force(struct world *w, struct stated *s)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	uint8_t hash[HASH_LEN];

	w->minister = BUF(CERT_MAX_BYTES);
	sign_again(buf_bytes(&s->container), keys.endorser, &w->minister);
	sha256(hash, buf_bytes(&w->minister));
	actor(w, &j, OFFICER, "officer");
	jw_member_base64(&j, "certificate", buf_bytes(&w->minister));
	append(w, ENTRY_APPOINTMENT_IN_FORCE, &j,
	    (struct entry_refs){ .appointment = s->refs.appointment,
		.serial = s->refs.serial,
		.tbs = s->refs.tbs,
		.object = bytes_of(hash, HASH_LEN) });
}

/* --- Status ------------------------------------------------------------------------------- */

static int64_t
change(struct world *w, enum entry_type type, struct stated *s, int reason)
{
	struct jw j = detail_of(&w->e[w->n].detail);
	int64_t at = w->now;

	actor(w, &j, HOLDER, "holder");
	jw_member_str(&j, "asked_by", bytes_str(HOLDER));
	jw_member_str(&j, "cause", bytes_str("key-compromise"));
	jw_member_int(&j, "effective", at);
	if (reason == CRL_KEY_COMPROMISE)
		jw_member_int(&j, "invalid_since", at - DAY);
	jw_member_int(&j, "notice", at - 5);
	jw_member_int(&j, "reason", reason);
	if (reason == CRL_HOLD)
		jw_member_int(&j, "until", at + 30 * DAY);
	append(w, type, &j, (struct entry_refs){ .serial = s->refs.serial });
	return at;
}

struct list {
	struct crl_entry e[3];
	size_t n, at;
};
static enum err_code
list_rewind(void *ctx, struct err *e)
{
	(void)e;
	((struct list *)ctx)->at = 0;
	return ERR_OK;
}
static enum err_code
list_next(void *ctx, struct crl_entry *out, bool *more, struct err *e)
{
	struct list *l = ctx;
	(void)e;
	*more = l->at < l->n;
	if (*more)
		*out = l->e[l->at++];
	return ERR_OK;
}

static void
publish(struct world *w, struct list *list, uint64_t number, uint64_t covers)
{
	struct crl_source source = { list, list_rewind, list_next };
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct cert ca;
	struct key *key = twisted(w, CRL_BY_OTHER) ? keys.other : keys.issuer;
	uint8_t hash[HASH_LEN];

	OK(cert_parse(buf_bytes(&w->issuer), &ca, &err));
	struct crl_spec spec = { .issuer = ca.subject,
		.issuer_ski = ca.ski,
		.issuer_type = KEY_EC_P256,
		.number = number,
		.this_update = w->now,
		.next_update = w->now + DAY };
	OK(crl_build_tbs(&spec, &source, &tbs, &err));
	OK(key_sign(key, buf_bytes(&tbs), &signature, &err));
	buf_fini(&w->crl);
	w->crl = BUF(CRL_MAX_BYTES);
	OK(signed_assemble(buf_bytes(&tbs), key_type_sigalg(KEY_EC_P256),
	    buf_bytes(&signature), &w->crl, &err));
	sha256(hash, buf_bytes(&w->crl));
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, OFFICER, "officer");
	jw_member_int(&j, "covers", (int64_t)covers);
	jw_member_hex(&j, "crl_sha256", bytes_of(hash, HASH_LEN));
	jw_member_str(&j, "issuer", bytes_str("institucional"));
	append(w, ENTRY_CRL_PUBLISHED, &j,
	    (struct entry_refs){ .number = (int64_t)number });
}

/* --- The story ----------------------------------------------------------------------------- */

static void
make_cas(struct world *w)
{
	struct want root = { "Raiz", NULL, keys.root, NULL, keys.root, true,
		false, T0 - DAY, T0 + 3650 * DAY };
	struct want issuer = { "Institucional", NULL, keys.issuer, &w->root,
		keys.root, true, false, T0 - DAY, T0 + 3000 * DAY };
	struct want endorser = { "Refrendo", NULL, keys.endorser, &w->root,
		keys.root, true, false, T0 - DAY, T0 + 3000 * DAY };
	struct want officer = { "Oficial", OFFICER, keys.officer, NULL,
		keys.officer, false, false, T0 - DAY, T0 + 365 * DAY };
	struct want ocsp = { "OCSP", NULL, keys.ocsp, &w->issuer, keys.issuer,
		false, !twisted(w, RESPONDER_NOT_OCSP), T0 - DAY,
		T0 + 30 * DAY };
	w->root = w->issuer = w->endorser = w->officer = w->responder =
	    BUF(CERT_MAX_BYTES);
	build_cert(w, &root, &w->root);
	build_cert(w, &issuer, &w->issuer);
	build_cert(w, &endorser, &w->endorser);
	build_cert(w, &officer, &w->officer);
	build_cert(w, &ocsp, &w->responder);
}

static void
beginnings(struct world *w)
{
	struct entry_refs rut = { .institution = bytes_str(RUT) };
	struct stated s AUTO_STATED, t AUTO_STATED;

	initialize(w);
	policy(w);
	plain(w, ENTRY_INSTITUTION_APPLIED, rut);
	plain(w, ENTRY_INSTITUTION_ENABLED, rut);
	plain(w, ENTRY_PERSON_REGISTERED, rut);
	propose(w, &s, "NOM-1");
	confirm(w, &s);
	in_force(w, &s);
	propose(w, &t, "NOM-2");
	plain(w, ENTRY_APPOINTMENT_WITHDRAWN, t.refs);
	if (twisted(w, APPOINTMENT_ENDED_BEFORE))
		plain(w, ENTRY_APPOINTMENT_ENDED, s.refs);
	struct jw j = detail_of(&w->e[w->n].detail);
	actor(w, &j, OFFICER, "officer");
	jw_member_base64(&j, "certificate", buf_bytes(&w->responder));
	jw_member_str(&j, "issuer", bytes_str("institucional"));
	append(w, ENTRY_RESPONDER_CERTIFIED, &j, (struct entry_refs){ 0 });
}

/* Requests that end otherwise than in a certificate. */
static void
dead_ends(struct world *w)
{
	static const struct {
		const char *id;
		enum entry_type type;
	} ends[] = {
		{ "SOL-11", ENTRY_REQUEST_REJECTED },
		{ "SOL-12", ENTRY_REQUEST_WITHDRAWN },
		{ "SOL-13", ENTRY_REQUEST_LAPSED },
	};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct stated s AUTO_STATED;
		submit(w, &s, ends[i].id);
		plain(w, ends[i].type, s.refs);
	}
	struct stated s AUTO_STATED;
	submit(w, &s, "SOL-14");
	endorse(w, &s, &s);
	intend(w, &s);
	plain(w, ENTRY_REQUEST_FAILED, s.refs);
}

static void
two_certificates(struct world *w, struct stated *one, struct stated *two)
{
	struct stated old AUTO_STATED;
	struct entry_refs refs = { .request = bytes_str("SOL-1"),
		.institution = bytes_str(RUT) };

	plain(w, ENTRY_REQUEST_DRAFTED, refs);
	submit(w, &old, "SOL-1");
	plain(w, ENTRY_REQUEST_RETURNED, refs);
	submit(w, one, "SOL-1");
	endorse(w, one, twisted(w, OLD_ENDORSEMENT) ? &old : one);
	intend(w, one);
	issue(w, one);
	if (twisted(w, ISSUED_TWICE))
		issue(w, one);
	submit(w, two, "SOL-2");
	endorse(w, two, two);
	intend(w, two);
	issue(w, two);
	plain(w, ENTRY_CERTIFICATE_REPLACED,
	    (struct entry_refs){ .serial = two->refs.serial });
}

static void
status(struct world *w, struct stated *one, struct stated *two)
{
	struct list list = { .n = 0 };
	struct entry_refs refs = { .serial = one->refs.serial };

	if (!twisted(w, CRL_NONE))
		publish(w, &list, 1, w->n);
	plain(w, ENTRY_CERTIFICATE_PROPOSED, refs);
	int64_t at =
	    change(w, ENTRY_CERTIFICATE_REVOKED, one, CRL_KEY_COMPROMISE);
	if (twisted(w, REVOKED_TWICE))
		(void)change(w, ENTRY_CERTIFICATE_REVOKED, one, CRL_CESSATION);
	(void)change(w, ENTRY_CERTIFICATE_SUSPENDED, two,
	    twisted(w, SUSPENDED_WRONG_REASON) ? CRL_CESSATION : CRL_HOLD);
	plain(w, ENTRY_CERTIFICATE_REINSTATED,
	    (struct entry_refs){ .serial = two->refs.serial });
	int64_t held = change(w, ENTRY_CERTIFICATE_SUSPENDED, two, CRL_HOLD);
	list.e[list.n++] = (struct crl_entry){ one->refs.serial,
		twisted(w, CRL_TIME) ? at + 1 : at,
		twisted(w, CRL_REASON) ? CRL_CESSATION : CRL_KEY_COMPROMISE,
		at - DAY };
	if (twisted(w, CRL_LACKS))
		list.n = 0;
	if (!twisted(w, SERIAL_TWICE))
		list.e[list.n++] =
		    (struct crl_entry){ two->refs.serial, held, CRL_HOLD, 0 };
	if (twisted(w, CRL_MORE)) {
		static const uint8_t unknown[18] = { 0x7f, 1 };
		list.e[list.n++] =
		    (struct crl_entry){ bytes_of(unknown, sizeof(unknown)), at,
			    CRL_CESSATION, 0 };
	}
	uint64_t covers = w->n;
	/* What happens while the CRL is being signed is not on it. */
	plain(w, ENTRY_CERTIFICATE_REINSTATED,
	    (struct entry_refs){ .serial = two->refs.serial });
	if (twisted(w, CRL_OLD_STATE))
		covers = w->n;
	if (!twisted(w, CRL_NONE))
		publish(w, &list, twisted(w, CRL_NUMBER) ? 1 : 2, covers);
}

static void
world_init(struct world *w, enum twist twist)
{
	struct entry_refs rut = { .institution = bytes_str(RUT) };
	struct stated one AUTO_STATED, two AUTO_STATED;

	memset(w, 0, sizeof(*w));
	w->twist = twist;
	w->now = T0;
	make_cas(w);
	beginnings(w);
	two_certificates(w, &one, &two);
	dead_ends(w);
	status(w, &one, &two);
	plain(w, ENTRY_ACT_REFUSED, (struct entry_refs){ 0 });
	plain(w, ENTRY_APPOINTMENT_ENDED,
	    (struct entry_refs){ .appointment = bytes_str("NOM-1") });
	plain(w, ENTRY_INSTITUTION_SUSPENDED, rut);
	plain(w, ENTRY_INSTITUTION_CLOSED, rut);
	struct checkpoint c = { .origin = bytes_str(ORIGIN),
		.size = w->tree.size };
	merkle_root(&w->tree, c.root);
	w->note = BUF(CHECKPOINT_MAX);
	OK(checkpoint_sign(&c, keys.log, &w->note, &err));
}

static void
world_fini(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		buf_fini(&w->e[i].leaf);
		buf_fini(&w->e[i].detail);
	}
	struct buf *bufs[] = { &w->root, &w->issuer, &w->endorser, &w->officer,
		&w->minister, &w->responder, &w->crl, &w->note };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_fini(bufs[i]);
}
#define AUTO_WORLD __attribute__((cleanup(world_fini)))

/* --- Exports --------------------------------------------------------------------------------- */

/* What somebody did to the export. */
struct tamper {
	size_t from, drop; /* entries left out */
	size_t changed;    /* this entry, 1 + index: */
	enum { DETAIL, SALT, LEAF, REWRITTEN, ERASED } how;
};

static struct entry
entry_at(struct world *w, size_t i)
{
	struct entry en = { .leaf = buf_bytes(&w->e[i].leaf),
		.detail = buf_bytes(&w->e[i].detail) };
	memcpy(en.salt, w->e[i].salt, ENTRY_SALT);
	return en;
}

/* The entry as it was, or as somebody would like it. */
static void
put_entry(struct world *w, size_t i, const struct tamper *t, struct buf *out)
{
	struct entry en = entry_at(w, i), made;
	AUTO(arena) a = arena_new();
	uint8_t stored[HASH_LEN];
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);

	merkle_leaf_hash(stored, en.leaf);
	if (t->changed != i + 1) {
		export_entry_stored(out, &en, stored);
		return;
	}
	made = en;
	OK(entry_parse(&made, a, &err));
	switch (t->how) {
	case DETAIL:
		en.detail = arena_copy(a, en.detail);
		((uint8_t *)(uintptr_t)en.detail.p)[en.detail.len - 3] ^= 1;
		break;
	case SALT:
		en.salt[3] ^= 1;
		break;
	case ERASED:
		en.detail = BYTES_NONE;
		break;
	case LEAF:
	case REWRITTEN:
		made.time++;
		OK(entry_leaf_build(&made, &leaf, &err));
		en.leaf = buf_bytes(&leaf);
		if (t->how == REWRITTEN)
			merkle_leaf_hash(stored, en.leaf);
		break;
	}
	export_entry_stored(out, &en, stored);
}

static void
put_export(struct world *w, const struct tamper *t, struct buf *out)
{
	export_header(out, bytes_str(ORIGIN), w->now);
	export_certificate(out, "root", "raiz", buf_bytes(&w->root));
	export_certificate(out, "issuer", "institucional",
	    buf_bytes(&w->issuer));
	export_certificate(out, "endorser", "refrendo",
	    buf_bytes(&w->endorser));
	if (twisted(w, LOOSE_CERTIFICATE))
		export_certificate(out, "issuer", "otra",
		    buf_bytes(&w->officer));
	export_policy(out,
	    bytes_str(twisted(w, LOOSE_POLICY) ? "x" : policy_text));
	for (size_t i = 0; i < w->n; i++)
		if (i < t->from || i >= t->from + t->drop)
			put_entry(w, i, t, out);
	if (w->crl.len > 0 && !twisted(w, CRL_LINE_MISSING))
		export_crl(out, "institucional", buf_bytes(&w->crl));
	export_checkpoint(out, buf_bytes(&w->note));
	assert_false(out->failed);
}

static void
verify(struct bytes text, struct audit_report *report, struct err_list *faults)
{
	AUTO(audit) a = NULL;

	OK(audit_new(key_spki(keys.log), &a, &err));
	while (text.len > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.len);
		assert_non_null(end);
		size_t len = (size_t)(end - text.p);
		audit_line(a, bytes_of(text.p, len), faults);
		text = bytes_of(end + 1, text.len - len - 1);
	}
	audit_finish(a, report, faults);
}

static void
verify_world(struct world *w, const struct tamper *t,
    struct audit_report *report, struct err_list *faults)
{
	struct buf out AUTO_BUF = BUF(8u << 20);
	put_export(w, t, &out);
	verify(buf_bytes(&out), report, faults);
}

static bool
has_fault(const struct err_list *l, const char *id, const char *start)
{
	for (size_t i = 0; i < l->len; i++)
		if ((id == NULL || strcmp(l->v[i].id, id) == 0) &&
		    strncmp(l->v[i].say, start, strlen(start)) == 0)
			return true;
	return false;
}

static void
print_faults(const struct err_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		print_message("  %s: %s [%s]\n", l->v[i].id, l->v[i].say,
		    l->v[i].why);
}

/* --- Tests -------------------------------------------------------------------------------------- */

static void
test_good(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	bool seen[ENTRY_TYPES] = { false };

	world_init(&w, NOTHING);
	for (size_t i = 0; i < w.n; i++)
		seen[w.e[i].type] = true;
	for (unsigned t = 1; t < ENTRY_TYPES; t++)
		assert_true(seen[t]);
	verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
	print_faults(&faults);
	assert_int_equal(faults.count, 0);
	assert_int_equal(r.entries, w.n);
	assert_int_equal(r.checkpoint_size, w.n);
	assert_int_equal(r.endorsements, 3);
	assert_int_equal(r.appointments, 1);
	assert_int_equal(r.certificates, 2);
	assert_int_equal(r.revocations, 1);
	assert_int_equal(r.policies, 1);
	assert_int_equal(r.crls, 1);
	assert_int_equal(r.erased, 0);
}

/* GTS 1959867: one entry of each type deleted or altered is named. */
static void
test_incident_65_every_entry(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	world_init(&w, NOTHING);
	for (size_t i = 0; i < w.n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "entry %zu: ", i);
		for (int how = -1; how <= REWRITTEN; how++) {
			struct err_list faults = { .len = 0 };
			struct audit_report r;
			struct tamper t = { .changed = i + 1 };
			if (how == -1)
				t = (struct tamper){ .from = i, .drop = 1 };
			else
				t.how = (unsigned)how;
			verify_world(&w, &t, &r, &faults);
			bool named = how == REWRITTEN
					 ? has_fault(&faults, "audit-fork",
					       "the entries")
					 : has_fault(&faults, NULL, name);
			if (!named) {
				print_message("%s%s, %d\n", name,
				    entry_type_name(w.e[i].type), how);
				print_faults(&faults);
			}
			assert_true(named);
			/* The first fault is the one that was made. */
			if (how >= 0 && how < REWRITTEN)
				assert_memory_equal(faults.v[0].say, name,
				    strlen(name));
			err_list_fini(&faults);
		}
	}
}

/* DigiNotar: the last ten entries cut off, or written anew. */
static void
test_incident_39_last_ten(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	struct err_list faults = { .len = 0 };
	struct audit_report r;
	char name[80];

	world_init(&w, NOTHING);
	struct tamper cut = { .from = w.n - 10, .drop = 10 };
	verify_world(&w, &cut, &r, &faults);
	snprintf(name, sizeof(name),
	    "entry %zu: it and all after it are missing: the checkpoint covers "
	    "%zu entries",
	    w.n - 10, w.n);
	assert_true(has_fault(&faults, "audit-cut", name));
	err_list_fini(&faults);
	/* Written anew, with all hashes beside them right. */
	struct buf out AUTO_BUF = BUF(8u << 20);
	struct world other AUTO_WORLD;
	world_init(&other, NOTHING);
	struct buf keep = w.note;
	for (size_t i = w.n - 10; i < w.n; i++) {
		struct one swap = w.e[i];
		w.e[i] = other.e[i];
		other.e[i] = swap;
	}
	w.note = other.note;
	verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
	assert_true(has_fault(&faults, "audit-fork",
	    "the entries are not those that the checkpoint covers: the log "
	    "was forked or rewritten"));
	w.note = keep;
	err_list_fini(&faults);
}

/* A certificate whose record of authorisation is not whole. */
static const struct {
	enum twist twist;
	const char *name, *want_id, *want_say;
} rows[] = {
	{ EVIDENCE_BY_OTHER, "endorsed by somebody else", "audit-not-minister",
	    ": the certificate that signed is of no appointment, or of "
	    "another one" },
	{ EVIDENCE_OF_OTHER_TEXT, "signature over another text", "audit-below",
	    NULL },
	{ EVIDENCE_LATE, "statement expired", "audit-expired",
	    ": the statement was not valid when its signature was brought" },
	{ MINISTER_IS_OPERATOR, "minister and operator are one",
	    "audit-three-people",
	    ": minister, operator and holder must be three people" },
	{ MINISTER_IS_HOLDER, "minister and holder are one",
	    "audit-three-people", NULL },
	{ OPERATOR_IS_HOLDER, "operator and holder are one",
	    "audit-three-people", NULL },
	{ MINISTER_NAMED_WRONG, "another minister is named",
	    "audit-other-minister", NULL },
	{ APPOINTMENT_OVER, "appointment over", "audit-not-in-force",
	    ": the minister's appointment was not in force" },
	{ APPOINTMENT_ENDED_BEFORE, "appointment ended", "audit-not-in-force",
	    NULL },
	{ APPOINTMENT_UNCONFIRMED, "appointment without officers",
	    "audit-quorum",
	    ": fewer officers confirmed the appointment than it needs" },
	{ CONFIRMED_BY_STRANGER, "confirmed by no officer", "audit-not-officer",
	    NULL },
	{ CONFIRMED_BY_HIMSELF, "officer confirms himself", "audit-not-officer",
	    NULL },
	{ QUORUM_OF_TWO, "one officer of two", "audit-quorum", NULL },
	{ NO_INTENT, "no intent", "audit-request-order", NULL },
	{ NO_ENDORSEMENT, "no endorsement", "audit-request-order",
	    ": a request is submitted, endorsed, intended and issued, in this "
	    "order; a step is missing before it" },
	{ OLD_ENDORSEMENT, "endorsement of the version before", "audit-below",
	    NULL },
	{ OTHER_TBS_ISSUED, "another certificate issued",
	    "audit-other-certificate",
	    ": the certificate is not the one that was endorsed" },
	{ OTHER_ISSUER_SIGNED, "not signed by the issuer", "audit-below",
	    NULL },
	{ UNKNOWN_POLICY, "policy not in the log", "audit-policy", NULL },
	{ POLICY_TEXT_CHANGED, "policy text changed", "audit-policy-text",
	    NULL },
	{ STATEMENT_OF_OTHER_LOG, "statement of another log", "audit-statement",
	    NULL },
	{ STATEMENT_OTHER_KEY, "statement of another key", "audit-tbs-says",
	    NULL },
	{ STATEMENT_ROOT, "statement with a root that never was",
	    "audit-log-root", NULL },
	{ STATEMENT_FUTURE, "statement with a size to come", "audit-log-size",
	    NULL },
	{ SERIAL_TWICE, "a serial number twice", "audit-serial-twice", NULL },
	{ ISSUED_TWICE, "issued twice", "audit-request-order", NULL },
	{ REVOKED_TWICE, "revoked twice", "audit-status-order", NULL },
	{ SUSPENDED_WRONG_REASON, "suspended for a reason of revocation",
	    "audit-reason", NULL },
	{ CRL_LACKS, "revoked and not on the CRL", "audit-crl-lacks", NULL },
	{ CRL_MORE, "on the CRL and unknown", "audit-crl-more", NULL },
	{ CRL_REASON, "another reason on the CRL", "audit-crl-differs", NULL },
	{ CRL_TIME, "another time on the CRL", "audit-crl-differs", NULL },
	{ CRL_OLD_STATE, "reinstated and still on the CRL", "audit-crl-differs",
	    NULL },
	{ CRL_NUMBER, "a CRL number twice", "audit-crl-number", NULL },
	{ CRL_NONE, "revoked without any CRL", "audit-crl-none", NULL },
	{ CRL_BY_OTHER, "CRL by another key", "audit-crl-bad", NULL },
	{ CRL_LINE_MISSING, "CRL left out", "audit-crl-line", NULL },
	{ TIME_BACK, "time goes back", "audit-time",
	    ": it is older than the entry before it" },
	{ NO_ACTOR, "nobody acted", "audit-actor", NULL },
	{ LOG_KEY, "another log key", "audit-log-key", NULL },
	{ RESPONDER_NOT_OCSP, "responder without its usage",
	    "audit-responder-usage", NULL },
	{ LOOSE_CERTIFICATE, "a certificate that no entry names", "audit-loose",
	    NULL },
	{ LOOSE_POLICY, "a policy that no entry names", "audit-loose", NULL },
};

static void
test_incident_64_whole_chain(void **state_)
{
	(void)state_;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w AUTO_WORLD;
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		bool found = false;
		print_message("%s\n", rows[i].name);
		world_init(&w, rows[i].twist);
		verify_world(&w, &(struct tamper){ 0 }, &r, &faults);
		for (size_t k = 0; k < faults.len; k++) {
			const char *say = strchr(faults.v[k].say, ':');
			if (strcmp(faults.v[k].id, rows[i].want_id) != 0)
				continue;
			if (rows[i].want_say != NULL)
				assert_string_equal(say, rows[i].want_say);
			found = true;
		}
		if (!found)
			print_faults(&faults);
		assert_true(found);
		err_list_fini(&faults);
	}
}

/* After its retention a detail goes; what the leaves say still holds. */
static void
test_erased(void **state_)
{
	(void)state_;
	struct world w AUTO_WORLD;
	world_init(&w, NOTHING);
	for (size_t i = 1; i < w.n; i++) {
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		struct tamper t = { .changed = i + 1, .how = ERASED };
		verify_world(&w, &t, &r, &faults);
		/* Only what needs the erased detail may be missed then. */
		bool needed = w.e[i].type == ENTRY_CRL_PUBLISHED ||
			      w.e[i].type == ENTRY_APPOINTMENT_IN_FORCE;
		if (!needed && faults.count != 0) {
			print_message("%zu %s\n", i,
			    entry_type_name(w.e[i].type));
			print_faults(&faults);
		}
		assert_int_equal(r.erased, 1);
		if (!needed)
			assert_int_equal(faults.count, 0);
		err_list_fini(&faults);
	}
}

/* Lines that are no lines, in places that are no places. */
static void
test_lines(void **state_)
{
	(void)state_;
	static const struct {
		const char *name, *text, *want_say;
	} lines[] = {
		{ "nothing", "",
		    "the export ends without a good checkpoint: nothing in it "
		    "is proven" },
		{ "no JSON", "x\n", "line 1 of the export: this is not JSON" },
		{ "no kind", "{}\n",
		    "line 1 of the export: a line of the export is of no known "
		    "kind" },
		{ "no header", "{\"kind\":\"policy\",\"text\":\"YQ==\"}\n",
		    "line 1 of the export: a line of the export stands where "
		    "lines of its kind (policy) cannot stand" },
		{ "another format",
		    "{\"created\":1,\"format\":\"x\",\"kind\":\"header\","
		    "\"origin\":\"o\"}\n",
		    "line 1 of the export: this is not an export of refrendo, "
		    "or of a newer one" },
		{ "no origin",
		    "{\"created\":1,\"format\":\"refrendo/export/v1\","
		    "\"kind\":\"header\"}\n",
		    "line 1 of the export: the member origin is missing" },
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct err_list faults = { .len = 0 };
		struct audit_report r;
		print_message("%s\n", lines[i].name);
		verify(bytes_str(lines[i].text), &r, &faults);
		assert_true(has_fault(&faults, NULL, lines[i].want_say));
		err_list_fini(&faults);
	}
}

/* --- Keys, and the export for the other verifier ------------------------------------------------- */

static int
setup(void **state_)
{
	(void)state_;
	struct key **all[] = { &keys.root, &keys.issuer, &keys.endorser,
		&keys.officer, &keys.minister, &keys.holder, &keys.ocsp,
		&keys.other };
	OK(key_generate(KEY_ED25519, &keys.log, &err));
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		OK(key_generate(KEY_EC_P256, all[i], &err));
	return 0;
}

static int
teardown(void **state_)
{
	(void)state_;
	struct key *all[] = { keys.root, keys.issuer, keys.endorser, keys.log,
		keys.officer, keys.minister, keys.holder, keys.ocsp,
		keys.other };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		key_free(all[i]);
	return 0;
}

static void
write_file(const char *dir, const char *name, struct bytes b)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (f == NULL || fwrite(b.p, 1, b.len, f) != b.len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static int
write_export(const char *dir)
{
	struct world w AUTO_WORLD;
	struct buf out AUTO_BUF = BUF(8u << 20);
	struct buf pem AUTO_BUF = BUF(1000);

	(void)setup(NULL);
	world_init(&w, NOTHING);
	put_export(&w, &(struct tamper){ 0 }, &out);
	pem_put(&pem, "PUBLIC KEY", key_spki(keys.log));
	write_file(dir, "export.jsonl", buf_bytes(&out));
	write_file(dir, "log.pem", buf_bytes(&pem));
	return teardown(NULL);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_incident_65_every_entry),
		cmocka_unit_test(test_incident_39_last_ten),
		cmocka_unit_test(test_incident_64_whole_chain),
		cmocka_unit_test(test_erased),
		cmocka_unit_test(test_lines),
	};
	if (argc == 2)
		return write_export(argv[1]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
