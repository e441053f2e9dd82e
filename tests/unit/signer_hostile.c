/*
 * A hostile core tries to get a certificate that it should not get.  Each row
 * is one good request with one lie in it, and the refusal that it earns.
 */
#include "fake/signer_world.h"

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
s_exact_limit(struct world *w, struct wish *x)
{
	x->spec.not_after = w->now + 1096 * DAY - 1;
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
}

static void
s_officer_himself(struct world *w, struct wish *x)
{
	wish_subject(w, x, "33333333-3");
	x->st.holder_run = bytes_str("33333333-3");
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

static uint8_t *
writable(struct world *w, struct bytes *b)
{
	uint8_t *copy = arena_get(w->a, b->len + 1);
	memcpy(copy, b->p, b->len);
	*b = bytes_of(copy, b->len);
	return copy;
}

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

/* The TBS again with the first octets of its serial. */
static void
shorten_serial(struct world *w, struct wish *x, size_t len)
{
	uint8_t room[4096];
	struct der d = der_of(x->tbs);
	struct der in = der_enter(&d, DER_SEQUENCE);
	struct bytes version = der_element(&in);
	(void)der_element(&in);
	struct bytes rest = bytes_of(in.p, (size_t)(in.end - in.p));
	struct der_w out = der_w_of(room, sizeof(room));
	size_t mark = der_mark(&out);
	der_raw(&out, rest);
	der_put_integer(&out, bytes_of(x->serial, len));
	der_raw(&out, version);
	der_wrap(&out, DER_SEQUENCE, mark);
	struct bytes tbs;
	OK(der_w_end(&out, &tbs, e));
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(key_sign(w->throwaway, tbs, &sig, e));
	OK(signed_assemble(tbs, key_type_sigalg(KEY_EC_P256), buf_bytes(&sig),
	    &der, e));
	x->container = arena_copy(w->a, buf_bytes(&der));
}

static void
b_short_serial(struct world *w, struct wish *x)
{
	shorten_serial(w, x, 15);
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

enum base { BY_0, BY_2, NEW_MINISTER };

struct row {
	const char *name;
	enum base base;
	wish_fn spec, statement, bytes;
	enum err_code want_code;
	const char *want_id, *want_say;
};

/* clang-format off */
static const struct row rows[] = {
	{ "nothing wrong", BY_0, NULL, NULL, NULL, ERR_OK, NULL, NULL },
	{ "exactly the ceiling of validity", BY_0, s_exact_limit, NULL, NULL, ERR_OK, NULL, NULL },
	{ "a new minister", NEW_MINISTER, NULL, NULL, NULL, ERR_OK, NULL, NULL },

	{ "issuer name of another CA", BY_0, s_other_issuer, NULL, NULL, ERR_DENIED, "signer-issuer-name", "names another issuer than the CA uno" },
	{ "authority key id of another CA", BY_0, s_other_key_id, NULL, NULL, ERR_DENIED, "signer-issuer-key", "key identifier is not that of the CA uno" },
	{ "signature algorithm of another CA", BY_0, s_algorithm, NULL, NULL, ERR_DENIED, "signer-algorithm", "another signature algorithm" },
	{ "CA true", BY_0, s_is_ca, NULL, NULL, ERR_DENIED, "lint-is-ca", "CA:TRUE" },
	{ "keyCertSign", BY_0, s_cert_sign, NULL, NULL, ERR_DENIED, "lint-key-usage-end", "keyUsage has a bit of CAs" },
	{ "one day over the ceiling", BY_0, s_too_long, NULL, NULL, ERR_DENIED, "signer-validity", "valid for longer than the ceiling" },
	{ "longer than its CA", BY_0, s_outlives_ca, NULL, NULL, ERR_DENIED, "signer-outlives-ca", "valid when the CA uno is not" },
	{ "backdated two hours", BY_0, s_backdated, NULL, NULL, ERR_DENIED, "signer-backdated", "begins longer before its statement" },
	{ "begins tomorrow", BY_0, s_postdated, NULL, NULL, ERR_DENIED, "signer-not-now", "would begin in the future" },
	{ "already over", BY_0, s_over, NULL, NULL, ERR_DENIED, "signer-not-now", "is already over" },
	{ "keyAgreement", BY_0, s_key_agreement, NULL, NULL, ERR_DENIED, "signer-key-usage", "key usage that the ceilings" },
	{ "OCSPSigning for a holder", BY_0, s_ocsp, NULL, NULL, ERR_DENIED, "lint-eku-ocsp-elsewhere", "not an OCSP responder's" },
	{ "a holder who could endorse", BY_0, s_endorser, NULL, NULL, ERR_DENIED, "lint-eku-endorser-elsewhere", "only the certificate of an endorser" },
	{ "ocsp-nocheck for a holder", BY_0, s_nocheck, NULL, NULL, ERR_DENIED, "lint-nocheck-elsewhere", "ocsp-nocheck" },
	{ "key type outside the ceilings", BY_0, s_key_type, NULL, NULL, ERR_DENIED, "signer-key-type", "keys of type ec-p384 are not among" },
	{ "another person in the SAN", BY_0, s_san_of_other, NULL, NULL, ERR_DENIED, "signer-holder", "does not carry the RUN" },
	{ "no RUN anywhere", BY_0, s_nobody, NULL, NULL, ERR_DENIED, "signer-holder", "does not carry the RUN" },
	{ "serial of 15 octets", BY_0, NULL, NULL, b_short_serial, ERR_DENIED, "lint-serial-short", "fewer than 16 octets" },

	{ "statement of another installation", BY_0, NULL, t_origin, NULL, ERR_DENIED, "signer-statement-origin", "another installation" },
	{ "statement for another issuer", BY_0, NULL, t_issuer, NULL, ERR_DENIED, "signer-statement-issuer", "another issuing CA than uno" },
	{ "statement for another TBS", BY_0, NULL, t_tbs, NULL, ERR_DENIED, "signer-tbs-hash", "made for another certificate" },
	{ "statement for another key", BY_0, NULL, t_spki, NULL, ERR_DENIED, "signer-spki-hash", "another public key" },
	{ "statement with another validity", BY_0, NULL, t_validity, NULL, ERR_DENIED, "signer-validity-other", "another validity" },
	{ "statement about another person", BY_0, NULL, t_holder, NULL, ERR_DENIED, "signer-holder", "does not carry the RUN" },
	{ "statement expired", BY_0, NULL, t_expired, NULL, ERR_DENIED, "signer-statement-expired", "could be used until 2026-" },
	{ "statement of the future", BY_0, NULL, t_future, NULL, ERR_DENIED, "signer-statement-future", "dated in the future" },
	{ "statement for ever", BY_0, NULL, t_long, NULL, ERR_DENIED, "signer-statement-life", "valid for longer than the ceiling" },
	{ "appointment instead of endorsement", BY_0, NULL, t_appointment, NULL, ERR_DENIED, "signer-statement-type", "wrong kind" },
	{ "minister of another institution", BY_2, NULL, NULL, NULL, ERR_FORBIDDEN, "signer-institution", "appointed by another institution" },
	{ "request of another institution", BY_0, NULL, t_institution, NULL, ERR_FORBIDDEN, "signer-institution", "appointed by another institution" },
	{ "minister endorses himself", BY_0, s_minister_himself, NULL, NULL, ERR_FORBIDDEN, "signer-own-certificate", "cannot endorse his or her own certificate" },
	{ "minister was the operator", BY_0, NULL, t_operator_is_minister, NULL, ERR_FORBIDDEN, "signer-own-request", "he or she submitted" },
	{ "operator is the holder", BY_0, NULL, t_operator_is_holder, NULL, ERR_FORBIDDEN, "signer-operator-holder", "are one person" },

	{ "a stranger endorses", BY_0, NULL, t_by_stranger, NULL, ERR_FORBIDDEN, "signer-minister-unknown", "never gave to a minister" },
	{ "an officer endorses", BY_0, NULL, t_by_officer, NULL, ERR_FORBIDDEN, "signer-minister-unknown", "never gave to a minister" },
	{ "a holder endorses with our certificate", BY_0, NULL, t_by_holder, NULL, ERR_FORBIDDEN, "signer-minister-unknown", "never gave to a minister" },
	{ "minister's TBS under a forged signature", BY_0, NULL, t_by_forged_minister, NULL, ERR_FORBIDDEN, "signer-minister-unknown", "never gave to a minister" },
	{ "no evidence", BY_0, NULL, NULL, b_no_evidence, ERR_INVALID, "cms-", "" },
	{ "evidence with one bit changed", BY_0, NULL, NULL, b_evidence_octet, ERR_INVALID, "", "" },
	{ "evidence over another statement", BY_0, NULL, NULL, b_evidence_of_other, ERR_INVALID, "cms-", "" },
	{ "statement with one octet changed", BY_0, NULL, NULL, b_statement_octet, ERR_INVALID, "cms-", "" },
	{ "statement with a space behind", BY_0, NULL, NULL, b_statement_space, ERR_INVALID, "json-", "" },
	{ "no statement", BY_0, NULL, NULL, b_no_statement, ERR_INVALID, "", "" },

	{ "endorsement moved to another container", BY_0, NULL, NULL, b_container_of_other, ERR_DENIED, "signer-tbs-hash", "made for another certificate" },
	{ "octet after the container", BY_0, NULL, NULL, b_container_trailing, ERR_INVALID, "", "" },
	{ "container cut short", BY_0, NULL, NULL, b_container_cut, ERR_INVALID, "", "" },
	{ "empty container", BY_0, NULL, NULL, b_container_empty, ERR_INVALID, "", "" },
	{ "asked of another CA", BY_0, NULL, NULL, b_issuer_two, ERR_DENIED, "signer-issuer-name", "names another issuer than the CA dos" },
	{ "asked of a CA that is not here", BY_0, NULL, NULL, b_issuer_unknown, ERR_NOTFOUND, "signer-issuer", "no issuing CA with the name \"raiz\"" },
	{ "asked of the ministers' CA", BY_0, NULL, NULL, b_issuer_endorser, ERR_DENIED, "signer-issuer-name", "names another issuer than the CA endorser" },
	{ "serial of another certificate", BY_0, NULL, NULL, b_serial_used, ERR_CONFLICT, "signer-serial-used", "already used for another certificate" },
	{ "signed before under another statement", BY_0, NULL, NULL, b_other_statement, ERR_CONFLICT, "signer-statement-other", "under another statement" },

	{ "a stranger appoints", NEW_MINISTER, NULL, t_by_stranger, NULL, ERR_FORBIDDEN, "signer-officer-unknown", "not signed by a platform officer" },
	{ "a minister appoints", NEW_MINISTER, NULL, t_by_minister, NULL, ERR_FORBIDDEN, "signer-officer-unknown", "not signed by a platform officer" },
	{ "an officer appoints herself", NEW_MINISTER, s_officer_himself, NULL, NULL, ERR_FORBIDDEN, "signer-officer-himself", "cannot appoint himself" },
	{ "appointment over the ceiling", NEW_MINISTER, NULL, t_appointment_long, NULL, ERR_DENIED, "signer-appointment-life", "for longer than the ceiling" },
	{ "appointment already over", NEW_MINISTER, NULL, t_appointment_over, NULL, ERR_DENIED, "signer-appointment-over", "already over" },
	{ "second certificate for one appointment", NEW_MINISTER, NULL, t_appointment_again, NULL, ERR_CONFLICT, "signer-appointment-again", "already has a certificate" },
	{ "endorsement instead of appointment", NEW_MINISTER, NULL, t_endorsement, NULL, ERR_DENIED, "signer-statement-type", "wrong kind" },
	{ "minister with a second purpose", NEW_MINISTER, s_two_purposes, NULL, NULL, ERR_DENIED, "lint-eku-endorser", "that one purpose" },
	{ "minister by a holders' CA", NEW_MINISTER, NULL, NULL, b_issuer_one, ERR_DENIED, "signer-issuer-name", "names another issuer than the CA uno" },
};
/* clang-format on */

static void
run_row(struct world *w, const struct row *r)
{
	struct wish x;
	struct bytes der;
	struct err refusal = { .id = "" };
	if (r->base == NEW_MINISTER)
		wish_minister(w, &x, "NOM-2026-000099", "14-0", RUT_A,
		    w->stranger);
	else
		wish_holder(w, &x, r->base == BY_2 ? 2 : 0);
	wish_build(w, &x, r->spec, r->statement, r->bytes);
	enum err_code code = wish_ask(w, &x, &der, &refusal);
	if (code != r->want_code)
		fail_msg("row \"%s\": %s %s: %s", r->name, err_code_name(code),
		    code == ERR_OK ? "" : refusal.id, refusal.say);
	if (code == ERR_OK) {
		struct cert c;
		OK(cert_parse(der, &c, e));
		if (!bytes_eq(c.tbs, x.tbs))
			fail_msg("row \"%s\": the TBS changed", r->name);
	} else if (strncmp(refusal.id, r->want_id, strlen(r->want_id)) != 0 ||
		   strstr(refusal.say, r->want_say) == NULL ||
		   refusal.say[0] == '\0') {
		fail_msg("row \"%s\": %s: %s", r->name, refusal.id,
		    refusal.say);
	}
	key_free(x.extra);
}

static void
hostile_core_gets_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		run_row(w, &rows[i]);
	world_free(w);
}

/* --- What depends on time and on what happened before ------------------------------------ */

static const char *
ask_id(struct world *w, struct wish *x)
{
	static struct err refusal;
	struct bytes der;
	return wish_ask(w, x, &der, &refusal) == ERR_OK ? "ok" : refusal.id;
}

static void
end_appointment(struct world *w, const char *id, int64_t at)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_appointment_end m = { bytes_str(id), at };
	struct bytes answer;
	struct err refusal = { .id = "" };
	signer_appointment_end_encode(&m, &body);
	if (world_ask(w, SIGNER_APPOINTMENT_END, buf_bytes(&body), &answer,
		&refusal) != ERR_OK)
		fail_msg("%s", refusal.id);
	assert_int_equal(answer.len, 0);
}

/* F34: the endorsement was good when it was given. */
static void
f34_appointment_ends_before_the_signature(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish before, after;
	wish_holder(w, &before, 0);
	wish_build(w, &before, NULL, NULL, NULL);
	wish_holder(w, &after, 0);
	wish_build(w, &after, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &before), "ok");
	end_appointment(w, "NOM-2026-000001", w->now);
	assert_string_equal(ask_id(w, &after), "signer-appointment-ended");
	/* What was signed stays signed, and is answered again. */
	assert_string_equal(ask_id(w, &before), "ok");
	/* Nor does a restart give the right back. */
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_id(w, &after), "signer-appointment-ended");
	/* Other ministers are not touched. */
	wish_holder(w, &after, 1);
	wish_build(w, &after, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &after), "ok");
	world_free(w);
}

static void
appointment_in_force_only_from_until(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	struct bytes der;
	struct err refusal;
	struct key *key = w->stranger;
	wish_minister(w, &x, "NOM-2026-000050", "14-0", RUT_A, key);
	x.st.from = w->now + 10 * DAY;
	x.st.until = w->now + 20 * DAY;
	x.spec.not_before = x.st.from;
	x.spec.not_after = x.st.until - 1;
	wish_build(w, &x, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_OK);
	static const struct {
		int64_t day;
		const char *want;
	} days[] = { { 0, "signer-appointment-time" }, { 11, "ok" },
		{ 21, "signer-appointment-time" } };
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		w->now = WORLD_NOW + days[i].day * DAY;
		struct wish h;
		wish_holder(w, &h, 0);
		h.by = key;
		h.by_cert = der;
		wish_build(w, &h, NULL, NULL, NULL);
		assert_string_equal(ask_id(w, &h), days[i].want);
	}
	world_free(w);
}

/* F33: the same bytes for another request, or after their time. */
static void
f33_endorsement_replayed(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish good, other;
	wish_holder(w, &good, 0);
	wish_build(w, &good, NULL, NULL, NULL);
	wish_holder(w, &other, 0);
	wish_build(w, &other, NULL, NULL, NULL);
	struct wish replay = other;
	replay.statement = good.statement;
	replay.evidence = good.evidence;
	assert_string_equal(ask_id(w, &replay), "signer-tbs-hash");
	w->now += 2 * HOUR;
	assert_string_equal(ask_id(w, &good), "signer-statement-expired");
	world_free(w);
}

static void
per_hour_is_counted_across_restarts(void **state)
{
	(void)state;
	struct world *w = world_new(); /* three ministers count */
	w->ceilings.per_hour = 5;
	world_stop(w);
	world_start(w);
	struct wish x;
	for (int i = 0; i < 3; i++) {
		wish_holder(w, &x, 0);
		wish_build(w, &x, NULL, NULL, NULL);
		assert_string_equal(ask_id(w, &x),
		    i < 2 ? "ok" : "signer-rate");
	}
	world_stop(w);
	world_start(w);
	assert_string_equal(ask_id(w, &x), "signer-rate");
	w->now += HOUR + MINUTE;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &x), "ok");
	world_free(w);
}

static void
clock_behind_the_journal(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	w->now -= HOUR;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct bytes der;
	struct err refusal;
	/* A clock is set right: the same bytes may be asked for again. */
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_BUSY);
	assert_string_equal(refusal.id, "signer-clock");
	end_appointment(w, "NOM-2026-000001", w->now);
	world_free(w);
}

/* --- Incidents ------------------------------------------------------------------------------ */

static void
incident_02_short_serials(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (size_t len = 1; len <= SERIAL_MAX; len++) {
		struct wish x;
		wish_holder(w, &x, 0);
		wish_build(w, &x, NULL, NULL, NULL);
		shorten_serial(w, &x, len);
		/* From 16 on it is only another TBS than the endorsed one. */
		const char *want = len < 16   ? "lint-serial-short"
				   : len < 20 ? "signer-tbs-hash"
					      : "ok";
		assert_string_equal(ask_id(w, &x), want);
	}
	world_free(w);
}

static void
incident_03_serial_twice_after_restart(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x, y;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &x), "ok");
	world_stop(w);
	world_start(w);
	wish_holder(w, &y, 1);
	memcpy(y.serial, x.serial, SERIAL_MAX);
	y.spec.not_after--;
	wish_build(w, &y, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &y), "signer-serial-used");
	/* Nor within one batch: the second of the two is refused. */
	struct wish a, b;
	wish_holder(w, &a, 0);
	wish_build(w, &a, NULL, NULL, NULL);
	wish_holder(w, &b, 1);
	memcpy(b.serial, a.serial, SERIAL_MAX);
	b.spec.not_after--;
	wish_build(w, &b, NULL, NULL, NULL);
	struct buf in AUTO_BUF = BUF(1u << 20), out AUTO_BUF = BUF(1u << 20);
	struct err e;
	frame_put(&in, SIGNER_CERTIFICATE, 1, wish_body(w, &a));
	frame_put(&in, SIGNER_CERTIFICATE, 2, wish_body(w, &b));
	assert_int_equal(world_batch(w, buf_bytes(&in), &out, &e), ERR_OK);
	struct frame f;
	size_t used;
	assert_int_equal(frame_cut(buf_bytes(&out), signer_cap, &f, &used, &e),
	    ERR_OK);
	assert_int_equal(f.type, SIGNER_CERTIFICATE | SIGNER_ANSWER);
	buf_drop(&out, used);
	assert_int_equal(frame_cut(buf_bytes(&out), signer_cap, &f, &used, &e),
	    ERR_OK);
	assert_int_equal(f.type, SIGNER_CERTIFICATE | SIGNER_REFUSAL);
	world_free(w);
}

/* F38 and row 15: any octet of the stored TBS changed after endorsement. */
static void
incident_15_one_octet_changed_after_endorsement(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, NULL);
	struct cert good;
	OK(cert_parse(x.container, &good, e));
	size_t first = (size_t)(good.tbs.p - x.container.p);
	for (size_t i = first; i < first + good.tbs.len; i++) {
		struct wish bad = x;
		writable(w, &bad.container)[i] ^= 1;
		const char *id = ask_id(w, &bad);
		if (strcmp(id, "ok") == 0)
			fail_msg("octet %zu was changed and signed", i);
	}
	assert_string_equal(ask_id(w, &x), "ok");
	world_free(w);
}

/* Row 37: whoever writes to the socket gets nothing without an endorsement. */
static void
incident_37_no_signature_without_endorsement(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, NULL, b_no_evidence);
	assert_memory_equal(ask_id(w, &x), "cms-", 4);
	wish_holder(w, &x, 0);
	wish_build(w, &x, NULL, t_by_stranger, NULL);
	assert_string_equal(ask_id(w, &x), "signer-minister-unknown");
	world_free(w);
}

/* Row 40: 27 combinations of three persons; only three different ones. */
static void
incident_40_three_persons(void **state)
{
	(void)state;
	static const char *const runs[] = { "11111111-1", "22222222-2",
		"14-0" };
	struct world *w = world_new();
	struct wish third;
	struct bytes der;
	struct err refusal;
	/* The third person is a deputy of the same institution. */
	wish_minister(w, &third, "NOM-2026-000060", "14-0", RUT_A, w->stranger);
	third.st.deputy = true;
	wish_build(w, &third, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &third, &der, &refusal), ERR_OK);
	int signed_ = 0;
	for (int i = 0; i < 27; i++) {
		int minister = i % 3, holder = i / 3 % 3, operator_ = i / 9;
		struct wish x;
		wish_holder(w, &x, minister == 2 ? 0 : (size_t)minister);
		if (minister == 2) {
			x.by = w->stranger;
			x.by_cert = der;
		}
		wish_subject(w, &x, runs[holder]);
		x.st.holder_run = bytes_str(runs[holder]);
		x.st.operator_run = bytes_str(runs[operator_]);
		wish_build(w, &x, NULL, NULL, NULL);
		bool ok = strcmp(ask_id(w, &x), "ok") == 0;
		bool distinct = minister != holder && holder != operator_ &&
				minister != operator_;
		if (ok != distinct)
			fail_msg("minister %d holder %d operator %d", minister,
			    holder, operator_);
		signed_ += ok;
	}
	assert_int_equal(signed_, 6);
	/* A second certificate of the same person is the same person. */
	wish_minister(w, &third, "NOM-2026-000061", "14-0", RUT_A, w->holder);
	wish_build(w, &third, NULL, NULL, NULL);
	assert_int_equal(wish_ask(w, &third, &der, &refusal), ERR_OK);
	struct wish x;
	wish_holder(w, &x, 0);
	x.by = w->holder;
	x.by_cert = der;
	wish_subject(w, &x, "14-0");
	x.st.holder_run = bytes_str("14-0");
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(ask_id(w, &x), "signer-own-certificate");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_core_gets_nothing),
		cmocka_unit_test(f34_appointment_ends_before_the_signature),
		cmocka_unit_test(appointment_in_force_only_from_until),
		cmocka_unit_test(f33_endorsement_replayed),
		cmocka_unit_test(per_hour_is_counted_across_restarts),
		cmocka_unit_test(clock_behind_the_journal),
		cmocka_unit_test(incident_02_short_serials),
		cmocka_unit_test(incident_03_serial_twice_after_restart),
		cmocka_unit_test(
		    incident_15_one_octet_changed_after_endorsement),
		cmocka_unit_test(incident_37_no_signature_without_endorsement),
		cmocka_unit_test(incident_40_three_persons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
