/* The pieces of the log: certificates, entries, what is signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_world.h"

struct keys keys;
struct err err;

bool
twisted(const struct world *w, enum twist t)
{
	return w->twist == t;
}

const char *
policy_text(const struct world *w)
{
	static const struct {
		enum twist twist;
		const char *text;
	} rows[] = {
#define TEXT(more) "policy: funcionario-firma\nversion: 7\n" more "\n"
		{ POLICY_WANTS_TWO, TEXT("endorsement: {required: 2}") },
		{ POLICY_UNREADABLE, TEXT("endorsement: {required: two}") },
		{ POLICY_KEY_TWICE,
		    TEXT("endorsement: {renewal: fresh}\n"
			 "endorsement: {renewal: mandate-rekey}") },
		{ POLICY_ANCHOR,
		    TEXT("was: &a mandate-rekey\nendorsement: {renewal: *a}") },
		{ POLICY_TAG,
		    TEXT("endorsement: {renewal: !!str mandate-rekey}") },
		{ POLICY_NO_BASE, TEXT("extends: base@3") },
		{ MANDATE_POLICY_FRESH, TEXT("endorsement: {renewal: fresh}") },
		{ MANDATE_POLICY_TWO,
		    TEXT(
			"endorsement: {required: 2, renewal: mandate-rekey}") },
		{ MANDATE_POLICY_KEEPS,
		    TEXT("endorsement: {renewal: mandate}") },
		{ NOTHING, TEXT("endorsement: {renewal: mandate-rekey}") },
	};
	size_t i = 0;

	while (rows[i].twist != NOTHING && !twisted(w, rows[i].twist))
		i++;
	return rows[i].text;
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
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, bytes_str("Universidad de Ejemplo"), STRING_USUAL },
		{ OID_SERIAL_NUMBER, bytes_str(run == NULL ? "" : run),
		    STRING_USUAL },
		{ OID_CN, bytes_str(cn), STRING_USUAL },
	};
	if (run == NULL)
		attr[2] = attr[3];
	OK(name_build(attr, run == NULL ? 3 : 4, out, &err));
}

/* Beyond the ceilings, or for them. */
static void
twist_cert(const struct world *w, const struct want *want,
    struct cert_spec *spec)
{
	static const uint8_t null[] = { 5, 0 };
	bool holder = want->ca == &w->issuer && !want->ocsp && !want->is_ca;
	struct general_name *san = &spec->san[0];

	if (twisted(w, TOP_OF_ANOTHER) && want->is_ca &&
	    strcmp(want->cn, "Institucional") == 0)
		*san = (struct general_name){ .kind = GN_OTHER_IA5,
			.value = bytes_str("60100003-2") };
	else if (want->rut != NULL)
		*san = (struct general_name){ .kind = GN_OTHER_IA5,
			.value = bytes_str(want->rut) };
	else if (holder && twisted(w, TOP_NAMES))
		*san = (struct general_name){ .kind = GN_DNS,
			.value = bytes_str("a.cl") };
	else
		san = NULL;
	spec->n_san = san != NULL ? 1 : 0;
	if (san != NULL && san->kind == GN_OTHER_IA5)
		OK(oid_parse(bytes_str("1.3.6.1.4.1.8321.1"), &san->other,
		    &err));
	if (holder && twisted(w, TOP_PURPOSE))
		spec->eku[spec->n_eku++] = OID_EKU_EMAIL;
	if (holder && twisted(w, TOP_QC))
		spec->qc.compliance = true;
	if (holder && twisted(w, TOP_EXTENSION)) {
		OK(oid_parse(bytes_str("1.3.6.1.4.1.8321.9"),
		    &spec->private_ext[0].oid, &err));
		spec->private_ext[0].der = bytes_of(null, sizeof(null));
		spec->n_private_ext = 1;
	}
}

void
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
	twist_cert(w, want, &spec);
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

struct jw
detail_of(struct buf *detail)
{
	*detail = BUF(ENTRY_DETAIL_MAX);
	struct jw w = jw_of(detail);
	jw_object(&w);
	return w;
}

void
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

void
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
void
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

void
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
	put_ca(&j, "root", "root", &w->root);
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
	jw_member_int(&j, "policy_quorum", 2);
	jw_member_int(&j, "quorum", twisted(w, QUORUM_OF_TWO) ? 2 : 1);
	append(w, ENTRY_SYSTEM_INITIALIZED, &j, (struct entry_refs){ 0 });
}

void
policy(struct world *w)
{
	uint8_t hash[HASH_LEN];
	struct jw j = detail_of(&w->e[w->n].detail);
	struct bytes text = bytes_str(policy_text(w));

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

void
stated_fini(struct stated *s)
{
	buf_fini(&s->container);
	buf_fini(&s->text);
}

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
	if (w->renews.len > 0) {
		jw_key(&j, "request");
		jw_object(&j);
		jw_member_hex(&j, "replaces", w->renews);
		jw_close(&j, '}');
	}
	jw_member_str(&j, "statement", buf_bytes(&s->text));
	jw_member_base64(&j, "tbs", buf_bytes(&s->container));
	append(w, type, &j, refs);
}

void
submit(struct world *w, struct stated *s, const char *id)
{
	uint8_t spki[HASH_LEN], root[HASH_LEN];
	bool bare = twisted(w, MINISTER_IS_HOLDER);
	const char *holder = bare ? MINISTER : HOLDER;
	struct want want = { "Ana", holder, keys.holder, &w->issuer, keys.other,
		false, false, w->now, w->now + 730 * DAY, NULL };

	*s = (struct stated){ .container = BUF(CERT_MAX_BYTES),
		.text = BUF(STATEMENT_MAX) };
	if (twisted(w, SERIAL_TWICE) && strcmp(id, "SOL-2") == 0)
		w->serials--;
	if (twisted(w, MANDATE_RENEWS_OVER) && strcmp(id, "SOL-2") == 0)
		want.not_after = w->now + 55;
	want.not_before -= twisted(w, TOP_BACKDATE) ? 10 * MINUTE : 0;
	build_cert(w, &want, &s->container);
	OK(cert_parse(buf_bytes(&s->container), &s->cert, &err));
	struct statement st = statement_of(w, s, spki, root);
	sha256(s->policy, bytes_str(policy_text(w)));
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
	if (twisted(w, ENDORSED_ONCE_OF_TWO) ||
	    twisted(w, ENDORSED_TWICE_BY_ONE))
		st.endorsements = 2;
	state(w, s, &st, ENTRY_REQUEST_SUBMITTED,
	    (struct entry_refs){ .request = bytes_str(id),
		.policy = bytes_of(s->policy, HASH_LEN) });
}

void
put_evidence(struct jw *j, struct key *key, const struct buf *cert,
    struct bytes text, int64_t now)
{
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(cms_sign(key, buf_bytes(cert), text, now, &cms, &err));
	jw_member_base64(j, "evidence", buf_bytes(&cms));
}

void
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

void
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

void
issue(struct world *w, struct stated *s)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf other AUTO_BUF = BUF(CERT_MAX_BYTES);
	uint8_t hash[HASH_LEN];
	struct bytes tbs = buf_bytes(&s->container);

	if (twisted(w, OTHER_TBS_ISSUED)) {
		struct want want = { "Eva", HOLDER, keys.holder, &w->issuer,
			keys.other, false, false, w->now, w->now + DAY, NULL };
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

void
propose(struct world *w, struct stated *s, const char *id)
{
	uint8_t spki[HASH_LEN], root[HASH_LEN];
	struct want want = { "Ministro", MINISTER, keys.minister, &w->endorser,
		keys.other, false, false, w->now, w->now + 1000 * DAY, NULL };

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
	st.until = w->now + (twisted(w, APPOINTMENT_OVER)      ? 40
				: twisted(w, MANDATE_OUTLASTS) ? 700 * DAY
							       : 1000 * DAY);
	state(w, s, &st, ENTRY_APPOINTMENT_PROPOSED,
	    (struct entry_refs){ .appointment = bytes_str(id) });
}

void
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
		T0 - DAY, T0 + DAY, NULL };
	build_cert(w, &want, &cert);
	actor(w, &j, OFFICER, "officer");
	put_evidence(&j, key, &cert, buf_bytes(&s->text), w->now);
	jw_member_str(&j, "officer", bytes_str(self ? MINISTER : OFFICER));
	append(w, ENTRY_APPOINTMENT_CONFIRMED, &j,
	    (struct entry_refs){ .appointment = s->refs.appointment });
}

void
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
