/*
 * Lies about a certificate: each row is one good request with one lie in it.
 */
#include "attempts.h"

/* --- Lies in the certificate ------------------------------------------------------ */

static void
s_other_issuer(struct world *w, struct wish *x)
{
	x->spec.issuer = w->ca_cert[1].subject;
}

static void
s_other_key_id(struct world *w, struct wish *x)
{
	x->spec.issuer_ski = w->ca_cert[1].ski;
}

static void
s_algorithm(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.issuer_type = KEY_RSA_3072;
}

static void
s_is_ca(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.is_ca = true;
	x->spec.path_len = 0;
	x->spec.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
}

static void
s_cert_sign(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.key_usage |= KU_KEY_CERT_SIGN;
}

static void
s_too_long(struct world *w, struct wish *x)
{
	x->spec.not_after = w->now + 1097 * DAY - 1;
}

static void
s_outlives_ca(struct world *w, struct wish *x)
{
	x->spec.not_after = w->ca_cert[0].not_after + 1;
}

static void
s_backdated(struct world *w, struct wish *x)
{
	x->spec.not_before = w->now - 2 * HOUR;
}

static void
s_postdated(struct world *w, struct wish *x)
{
	x->spec.not_before = w->now + HOUR;
}

static void
s_over(struct world *w, struct wish *x)
{
	x->spec.not_before = w->now - HOUR / 2;
	x->spec.not_after = w->now - 1;
}

static void
s_key_agreement(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.key_usage |= KU_KEY_AGREEMENT;
}

static void
s_ocsp(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[1] = OID_EKU_OCSP;
}

static void
s_endorser(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[1] = OID_EKU_ENDORSER;
}

static void
s_nocheck(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.nocheck = true;
}

static void
s_key_type(struct world *w, struct wish *x)
{
	(void)w;
	OK(key_generate(KEY_EC_P384, &x->extra, e));
	x->spec.spki = key_spki(x->extra);
}

static void
s_san_of_other(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.san[0].value = bytes_str("14-0");
}

static void
s_nobody(struct world *w, struct wish *x)
{
	const struct name_attr attrs[] = { { OID_CN, bytes_str("Ana"),
	    STRING_USUAL } };
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	OK(name_build(attrs, 1, &name, e));
	x->spec.subject = arena_copy(w->a, buf_bytes(&name));
	x->spec.san[0].kind = GN_EMAIL;
	x->spec.san[0].value = bytes_str("ana@prueba.example");
}

static void
s_minister_himself(struct world *w, struct wish *x)
{
	wish_subject(w, x, "11111111-1");
	x->st.holder_run = bytes_str("11111111-1");
	x->spec.spki = key_spki(w->throwaway);
}

static void
s_officer_himself(struct world *w, struct wish *x)
{
	wish_subject(w, x, "33333333-3");
	x->st.holder_run = bytes_str("33333333-3");
	x->spec.spki = key_spki(w->throwaway);
}

static void
s_two_purposes(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[1] = OID_EKU_EMAIL;
	x->spec.n_eku = 2;
}

/* --- Lies in the statement ------------------------------------------------------------ */

static void
t_origin(struct world *w, struct wish *x)
{
	(void)w;
	x->st.origin = bytes_str("log.example/otra");
}

static void
t_issuer(struct world *w, struct wish *x)
{
	(void)w;
	x->st.issuer = bytes_str("dos");
}

static void
t_tbs(struct world *w, struct wish *x)
{
	x->st.tbs_sha256 = world_hash(w, bytes_str("another"));
}

static void
t_spki(struct world *w, struct wish *x)
{
	x->st.spki_sha256 = world_hash(w, bytes_str("another"));
}

static void
t_validity(struct world *w, struct wish *x)
{
	(void)w;
	x->st.not_after++;
}

static void
t_holder(struct world *w, struct wish *x)
{
	(void)w;
	x->st.holder_run = bytes_str("14-0");
}

static void
t_expired(struct world *w, struct wish *x)
{
	x->st.issued = w->now - HOUR / 2;
	x->st.expires = w->now - 1;
}

static void
t_future(struct world *w, struct wish *x)
{
	x->st.issued = w->now + 2 * MINUTE;
}

static void
t_long(struct world *w, struct wish *x)
{
	x->st.expires = w->now + 4 * DAY;
}

static void
t_institution(struct world *w, struct wish *x)
{
	(void)w;
	x->st.institution = bytes_str(RUT_B);
}

static void
t_two(struct world *w, struct wish *x)
{
	(void)w;
	x->st.endorsements = 2;
}

static void
t_operator_is_minister(struct world *w, struct wish *x)
{
	(void)w;
	x->st.operator_run = bytes_str("11111111-1");
}

static void
t_operator_is_holder(struct world *w, struct wish *x)
{
	(void)w;
	x->st.operator_run = x->st.holder_run;
}

static void
t_appointment(struct world *w, struct wish *x)
{
	x->st.type = STATEMENT_APPOINTMENT;
	x->st.policy = x->st.policy_sha256 = BYTES_NONE;
	x->st.policy_version = 0;
	x->st.act_number = bytes_str("Res. 1");
	x->st.act_date = bytes_str("2026-11-01");
	x->st.from = w->now;
	x->st.until = w->now + DAY;
}

static void
t_endorsement(struct world *w, struct wish *x)
{
	x->st.type = STATEMENT_ENDORSEMENT;
	x->st.policy = bytes_str("ministro");
	x->st.policy_sha256 = world_hash(w, bytes_str("policy"));
	x->st.policy_version = 1;
	x->st.act_number = x->st.act_date = BYTES_NONE;
	x->st.from = x->st.until = 0;
}

static void
t_by_stranger(struct world *w, struct wish *x)
{
	x->by = w->stranger;
	x->by_cert = buf_bytes(&w->stranger_der);
}

static void
t_by_officer(struct world *w, struct wish *x)
{
	x->by = w->officer;
	x->by_cert = buf_bytes(&w->officer_der);
}

static void
t_by_minister(struct world *w, struct wish *x)
{
	x->by = w->minister[0];
	x->by_cert = buf_bytes(&w->minister_der[0]);
}

/* A minister's TBS under a signature that the endorser CA never made. */
static void
t_by_forged_minister(struct world *w, struct wish *x)
{
	struct cert c;
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(cert_parse(buf_bytes(&w->minister_der[0]), &c, e));
	OK(key_sign(w->stranger, c.tbs, &sig, e));
	OK(signed_assemble(c.tbs, c.sigalg, buf_bytes(&sig), &der, e));
	x->by_cert = arena_copy(w->a, buf_bytes(&der));
}

/* The certificate that this CA itself gave to an ordinary holder. */
static void
t_by_holder(struct world *w, struct wish *x)
{
	struct wish other;
	struct err refusal;
	wish_holder(w, &other, 0);
	wish_build(w, &other, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &other, &x->by_cert, &refusal), ERR_OK);
	x->by = w->holder;
}

static void
t_appointment_long(struct world *w, struct wish *x)
{
	x->st.until = w->now + 401 * DAY;
}

static void
t_appointment_over(struct world *w, struct wish *x)
{
	x->st.from = w->now - 10;
	x->st.until = w->now - 1;
}

static void
t_appointment_again(struct world *w, struct wish *x)
{
	(void)w;
	x->st.request = bytes_str("NOM-2026-000001");
}

/* --- Lies in the octets ------------------------------------------------------------------ */

static void
b_statement_octet(struct world *w, struct wish *x)
{
	uint8_t *p = writable(w, &x->statement);
	char *at = strstr((char *)p, "Ana");
	assert_non_null(at);
	at[2] = 'o';
}

static void
b_statement_space(struct world *w, struct wish *x)
{
	writable(w, &x->statement)[x->statement.len] = ' ';
	x->statement.len++;
}

static void
b_no_statement(struct world *w, struct wish *x)
{
	(void)w;
	x->statement = BYTES_NONE;
}

static void
b_no_evidence(struct world *w, struct wish *x)
{
	(void)w;
	x->evidence = BYTES_NONE;
}

static void
b_evidence_octet(struct world *w, struct wish *x)
{
	writable(w, &x->evidence)[x->evidence.len - 1] ^= 1;
}

static void
b_evidence_of_other(struct world *w, struct wish *x)
{
	struct wish other;
	wish_holder(w, &other, 0);
	other.st.request = bytes_str("SOL-2026-000002");
	wish_build(w, &other, NULL, NULL, NULL);
	x->evidence = other.evidence;
}

/* The very endorsement, for another certificate. */
static void
b_container_of_other(struct world *w, struct wish *x)
{
	struct cert_spec spec = x->spec;
	struct bytes tbs;
	spec.spki = key_spki(w->stranger);
	x->container = world_container(w, &spec, &tbs);
}

static void
b_container_trailing(struct world *w, struct wish *x)
{
	writable(w, &x->container);
	x->container.len++;
}

static void
b_container_cut(struct world *w, struct wish *x)
{
	(void)w;
	x->container.len--;
}

static void
b_container_empty(struct world *w, struct wish *x)
{
	(void)w;
	x->container = BYTES_NONE;
}

static void
b_issuer_two(struct world *w, struct wish *x)
{
	(void)w;
	x->issuer = bytes_str("dos");
}

static void
b_issuer_unknown(struct world *w, struct wish *x)
{
	(void)w;
	x->issuer = bytes_str("raiz");
}

static void
b_issuer_endorser(struct world *w, struct wish *x)
{
	(void)w;
	x->issuer = bytes_str("endorser");
}

static void
b_issuer_one(struct world *w, struct wish *x)
{
	(void)w;
	x->issuer = bytes_str("uno");
}

static void
b_short_serial(struct world *w, struct wish *x)
{
	wish_shorten(w, x, 15);
}

static void
b_serial_used(struct world *w, struct wish *x)
{
	struct wish other;
	struct bytes der;
	struct err refusal;
	wish_holder(w, &other, 0);
	memcpy(other.serial, x->serial, SERIAL_MAX);
	other.spec.not_after -= 5;
	wish_build(w, &other, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &other, &der, &refusal), ERR_OK);
}

/* The same certificate under a fresh statement of another minister. */
static void
b_other_statement(struct world *w, struct wish *x)
{
	struct bytes der;
	struct err refusal;
	assert_int_equal(wish_ask(w, x, &der, &refusal), ERR_OK);
	x->st.expires++;
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(statement_print(&x->st, &text, e));
	x->statement = arena_copy(w->a, buf_bytes(&text));
	OK(cms_sign(w->minister[1], buf_bytes(&w->minister_der[1]),
	    x->statement, w->now, &cms, e));
	x->evidence = arena_copy(w->a, buf_bytes(&cms));
}

/* --- The table -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct attempt rows[] = {
	{ "issuer name of another CA", .spec = s_other_issuer, .id = "signer-issuer-name", .say = "names another issuer than the CA uno" },
	{ "authority key id of another CA", .spec = s_other_key_id, .id = "signer-issuer-key", .say = "key identifier is not that of the CA uno" },
	{ "signature algorithm of another CA", .spec = s_algorithm, .id = "signer-algorithm", .say = "another signature algorithm" },
	{ "CA true", .spec = s_is_ca, .id = "lint-is-ca", .say = "CA:TRUE" },
	{ "keyCertSign", .spec = s_cert_sign, .id = "lint-key-usage-end", .say = "keyUsage has a bit of CAs" },
	{ "one day over the ceiling", .spec = s_too_long, .id = "signer-validity", .say = "valid for longer than the ceiling" },
	{ "longer than its CA", .spec = s_outlives_ca, .id = "signer-outlives-ca", .say = "valid when the CA uno is not" },
	{ "backdated two hours", .spec = s_backdated, .id = "signer-backdated", .say = "begins longer before its statement" },
	{ "begins tomorrow", .spec = s_postdated, .id = "signer-begins-later", .say = "would begin in the future" },
	{ "already over", .spec = s_over, .id = "signer-over", .say = "is already over" },
	{ "keyAgreement", .spec = s_key_agreement, .id = "signer-key-usage", .say = "key usage that the ceilings" },
	{ "OCSPSigning for a holder", .spec = s_ocsp, .id = "lint-eku-ocsp-elsewhere", .say = "not an OCSP responder's" },
	{ "a holder who could endorse", .spec = s_endorser, .id = "lint-eku-endorser-elsewhere", .say = "only the certificate of an endorser" },
	{ "ocsp-nocheck for a holder", .spec = s_nocheck, .id = "lint-nocheck-elsewhere", .say = "ocsp-nocheck" },
	{ "key type outside the ceilings", .spec = s_key_type, .id = "signer-key-type", .say = "keys of type ec-p384 are not among" },
	{ "another person in the SAN", .spec = s_san_of_other, .id = "signer-holder", .say = "does not carry the RUN" },
	{ "no RUN anywhere", .spec = s_nobody, .id = "signer-holder", .say = "does not carry the RUN" },
	{ "serial of 15 octets", .bytes = b_short_serial, .id = "lint-serial-short", .say = "fewer than 16 octets" },
	{ "statement of another installation", .statement = t_origin, .id = "signer-statement-origin", .say = "another installation" },
	{ "statement for another issuer", .statement = t_issuer, .id = "signer-statement-issuer", .say = "another issuing CA than uno" },
	{ "statement for another TBS", .statement = t_tbs, .id = "signer-tbs-hash", .say = "made for another certificate" },
	{ "statement for another key", .statement = t_spki, .id = "signer-spki-hash", .say = "another public key" },
	{ "statement with another validity", .statement = t_validity, .id = "signer-validity-other", .say = "another validity" },
	{ "statement about another person", .statement = t_holder, .id = "signer-holder", .say = "does not carry the RUN" },
	{ "statement expired", .statement = t_expired, .id = "signer-statement-expired", .say = "could be used until 2026-" },
	{ "statement of the future", .statement = t_future, .id = "signer-statement-future", .say = "dated in the future" },
	{ "statement for ever", .statement = t_long, .id = "signer-statement-life", .say = "valid for longer than the ceiling" },
	{ "appointment instead of endorsement", .statement = t_appointment, .id = "signer-statement-type", .say = "wrong kind" },
	{ "minister of another institution", .base = BY_2, .id = "signer-institution", .say = "appointed by another institution" },
	{ "request of another institution", .statement = t_institution, .id = "signer-institution", .say = "appointed by another institution" },
	{ "minister endorses himself", .spec = s_minister_himself, .id = "signer-own-certificate", .say = "cannot endorse his or her own certificate" },
	{ "one minister where the statement asks for two", .statement = t_two, .id = "signer-quorum", .say = "signed by 1 people who may sign it, where 2 are needed" },
	{ "minister was the operator", .statement = t_operator_is_minister, .id = "signer-own-request", .say = "he or she submitted" },
	{ "operator is the holder", .statement = t_operator_is_holder, .id = "signer-operator-holder", .say = "are one person" },
	{ "a stranger endorses", .statement = t_by_stranger, .id = "signer-minister-unknown", .say = "never gave to a minister" },
	{ "an officer endorses", .statement = t_by_officer, .id = "signer-minister-unknown", .say = "never gave to a minister" },
	{ "a holder endorses with our certificate", .statement = t_by_holder, .id = "signer-minister-unknown", .say = "never gave to a minister" },
	{ "minister's TBS under a forged signature", .statement = t_by_forged_minister, .id = "signer-minister-forged", .say = "not signed by the ministers' CA" },
	{ "no evidence", .bytes = b_no_evidence, .id = "signer-quorum" },
	{ "evidence with one bit changed", .bytes = b_evidence_octet, .id = "cms-signature" },
	{ "evidence over another statement", .bytes = b_evidence_of_other, .id = "cms-other-content" },
	{ "statement with one octet changed", .bytes = b_statement_octet, .id = "cms-other-content" },
	{ "statement with a space behind", .bytes = b_statement_space, .id = "json-canonical" },
	{ "no statement", .bytes = b_no_statement, .id = "json-empty" },
	{ "endorsement moved to another container", .bytes = b_container_of_other, .id = "signer-tbs-hash", .say = "made for another certificate" },
	{ "octet after the container", .bytes = b_container_trailing, .id = "der-trailing" },
	{ "container cut short", .bytes = b_container_cut, .id = "der-short" },
	{ "empty container", .bytes = b_container_empty, .id = "cert-size" },
	{ "asked of another CA", .bytes = b_issuer_two, .id = "signer-issuer-name", .say = "names another issuer than the CA dos" },
	{ "asked of a CA that is not here", .bytes = b_issuer_unknown, .id = "signer-issuer", .say = "no issuing CA with the name \"raiz\"" },
	{ "asked of the ministers' CA", .bytes = b_issuer_endorser, .id = "signer-issuer-name", .say = "names another issuer than the CA endorser" },
	{ "serial of another certificate", .bytes = b_serial_used, .id = "signer-serial-used", .say = "already used for another certificate" },
	{ "signed before under another statement", .bytes = b_other_statement, .id = "signer-statement-other", .say = "under another statement" },
	{ "a stranger appoints", .base = NEW_MINISTER, .statement = t_by_stranger, .id = "signer-officer-unknown", .say = "not signed by a platform officer" },
	{ "a minister appoints", .base = NEW_MINISTER, .statement = t_by_minister, .id = "signer-officer-unknown", .say = "not signed by a platform officer" },
	{ "an officer appoints herself", .base = NEW_MINISTER, .spec = s_officer_himself, .id = "signer-officer-himself", .say = "cannot appoint himself" },
	{ "appointment over the ceiling", .base = NEW_MINISTER, .statement = t_appointment_long, .id = "signer-appointment-life", .say = "for longer than the ceiling" },
	{ "appointment already over", .base = NEW_MINISTER, .statement = t_appointment_over, .id = "signer-appointment-over", .say = "already over" },
	{ "second certificate for one appointment", .base = NEW_MINISTER, .statement = t_appointment_again, .id = "signer-appointment-again", .say = "already has a certificate" },
	{ "endorsement instead of appointment", .base = NEW_MINISTER, .statement = t_endorsement, .id = "signer-statement-type", .say = "wrong kind" },
	{ "minister with a second purpose", .base = NEW_MINISTER, .spec = s_two_purposes, .id = "lint-eku-endorser", .say = "that one purpose" },
	{ "minister by a holders' CA", .base = NEW_MINISTER, .bytes = b_issuer_one, .id = "signer-issuer-name", .say = "names another issuer than the CA uno" },
};
/* clang-format on */

const struct attempt *
certificate_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
