/*
 * tables - the keys of a policy.  Decoder, effective print and reference page
 * all come from these rows; a feature of a later version stands here too, so
 * that its refusal can say what to write today.
 */
#include "internal.h"

/* clang-format off */
#define BIT(n) (INT64_C(1) << (n))
#define NOT_HOLDER "only certificates of CAs have it; delete it"
#define NOT_OFFICIAL "officials sign and log in with their certificates; delete it"

const struct word key_words[] = {
	{ "ec-p256",  BIT(KEY_EC_P256),  NULL, false },
	{ "ec-p384",  BIT(KEY_EC_P384),  NULL, false },
	{ "rsa-2048", BIT(KEY_RSA_2048), NULL, false },
	{ "rsa-3072", BIT(KEY_RSA_3072), NULL, false },
	{ "rsa-4096", BIT(KEY_RSA_4096), NULL, false },
	{ "ed25519",  0, "only the log signs with it; write ec-p256", false },
	{ NULL, 0, NULL, false },
};

/* RFC 5280 4.2.1.3 */
const struct word usage_words[] = {
	{ "digitalSignature",  KU_DIGITAL_SIGNATURE,  NULL, false },
	{ "nonRepudiation",    KU_NON_REPUDIATION,    NULL, false },
	{ "keyEncipherment",   KU_KEY_ENCIPHERMENT,   NULL, false },
	{ "dataEncipherment",  KU_DATA_ENCIPHERMENT,  NULL, false },
	{ "keyAgreement",      KU_KEY_AGREEMENT,      NULL, false },
	{ "contentCommitment", 0, "write its older name, nonRepudiation", false },
	{ "keyCertSign",       0, NOT_HOLDER, false },
	{ "cRLSign",           0, NOT_HOLDER, false },
	{ "encipherOnly",      0, "it only narrows keyAgreement; delete it", false },
	{ "decipherOnly",      0, "it only narrows keyAgreement; delete it", false },
	{ NULL, 0, NULL, false },
};

const struct word eku_words[] = {
	{ "emailProtection", BIT(OID_EKU_EMAIL),  NULL, false },
	{ "clientAuth",      BIT(OID_EKU_CLIENT), NULL, false },
	{ "OCSPSigning",     0, "only the responders that the signer makes itself have it; delete it", false },
	{ "serverAuth",      0, NOT_OFFICIAL, false },
	{ "codeSigning",     0, NOT_OFFICIAL, false },
	{ "timeStamping",    0, NOT_OFFICIAL, false },
	{ "anyExtendedKeyUsage", 0, "name each purpose", false },
	{ NULL, 0, NULL, false },
};

static const struct word mode_words[] = {
	{ "csr",      MODE_CSR, NULL, false },
	{ "p12-once", 0, "write csr: the holder makes the key", true },
	{ "remote",   0, "write csr: the holder keeps the key", true },
	{ NULL, 0, NULL, false },
};
static const struct word reuse_words[] = {
	{ "forbid",      REUSE_FORBID,      NULL, false },
	{ "same-person", REUSE_SAME_PERSON, NULL, false },
	{ NULL, 0, NULL, false },
};
static const struct word critical_words[] = {
	{ "key",      1, NULL, false },
	{ "basic",    2, NULL, false },
	{ "extended", 0, "clients that do not know a purpose would refuse the certificate; delete it", false },
	{ NULL, 0, NULL, false },
};
static const struct word evidence_words[] = {
	{ "cms",      1, NULL, false },
	{ "webauthn", 0, "write [cms]", true },
	{ NULL, 0, NULL, false },
};
static const struct word authenticator_words[] = {
	{ "any",          1, NULL, false },
	{ "device-bound", 0, "write any", true },
	{ "syncable",     0, "write any", true },
	{ NULL, 0, NULL, false },
};
static const struct word renewal_words[] = {
	{ "fresh",   1, NULL, false },
	{ "mandate", 0, "write fresh: each renewal is endorsed", true },
	{ NULL, 0, NULL, false },
};
static const struct word right_words[] = {
	{ "none",      RIGHT_NONE,      NULL, false },
	{ "propose",   RIGHT_PROPOSE,   NULL, false },
	{ "immediate", RIGHT_IMMEDIATE, NULL, false },
	{ NULL, 0, NULL, false },
};

#define LAW16 "Ley 19.799 art. 16"
#define LAW15 "Ley 19.799 art. 15"

static const struct row alt_rows[] = {
	/* key       type    flags min max default into words sub rule doc */
	{ "other", T_OID,  0, 0, 0, NULL, OFF(said_alt, other), NULL, NULL, NULL, "Type of an otherName, with ia5." },
	{ "ia5",   T_TMPL, 0, 0, 0, NULL, OFF(said_alt, ia5),   NULL, NULL, NULL, "Its value, an IA5String." },
	{ "email", T_TMPL, 0, 0, 0, NULL, OFF(said_alt, email), NULL, NULL, NULL, "An rfc822Name." },
};
static const struct foreign alt_foreign[] = {
	{ "dns", "officials have no host names; write email or other" },
	{ "uri", "officials have no addresses of pages; write email or other" },
	{ "utf8", "both RUT names are IA5String: write ia5" },
	{ NULL, NULL },
};
static const struct table alt_table = { "an alternative name", alt_rows,
	ARRAY_LEN(alt_rows), sizeof(struct said_alt), alt_foreign };

#define IN(member) OFF(said_policy, names.member) - OFF(said_policy, names)
static const struct row names_rows[] = {
	{ "subject_alt", T_LIST, KEEPS, 0, SPEC_NAMES_MAX, "[]", IN(subject_alt), NULL, &alt_table, "RFC 5280 4.2.1.6", "Names of the holder beside the subject." },
	{ "issuer_alt",  T_LIST, KEEPS, 0, SPEC_NAMES_MAX, "[]", IN(issuer_alt),  NULL, &alt_table, "RFC 5280 4.2.1.7", "Names of the certifier: facts of the institution." },
};
static const struct table names_table = { "names", names_rows, ARRAY_LEN(names_rows), 0, NULL };

static const struct row cert_policy_rows[] = {
	{ "oid",    T_OID,  REQUIRED, 0, 0,   NULL, OFF(said_cert_policy, oid),    NULL, NULL, "RFC 5280 4.2.1.4", "Identifier of the certificate policy." },
	{ "cps",    T_TEXT, 0,        8, 200, NULL, OFF(said_cert_policy, cps),    NULL, NULL, "RFC 5280 4.2.1.4", "Address of the practice statement, http:// or https://." },
	{ "notice", T_TEXT, 0,        1, 200, NULL, OFF(said_cert_policy, notice), NULL, NULL, "RFC 5280 4.2.1.4", "Text shown to whoever relies on it; limits of use (Ley 19.799 art. 14)." },
};
static const struct table cert_policy_table = { "a certificate policy", cert_policy_rows,
	ARRAY_LEN(cert_policy_rows), sizeof(struct said_cert_policy), NULL };

#undef IN
#define IN(member) OFF(said_policy, keys.member) - OFF(said_policy, keys)
static const struct row keys_rows[] = {
	{ "modes",   T_WORDS, FEWER,        1, 0, "[csr]",  IN(modes),   mode_words,  NULL, NULL, "How a holder comes by a key." },
	{ "allowed", T_WORDS, REQUIRED | FEWER, 1, 0, NULL,     IN(allowed), key_words,   NULL, NULL, "Kinds of key that may be certified." },
	{ "reuse",   T_WORD,  SHORTER,        0, 0, "forbid", IN(reuse),   reuse_words, NULL, NULL, "Whether a key may be certified again, for the same person." },
};
static const struct table keys_table = { "keys", keys_rows, ARRAY_LEN(keys_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, validity.member) - OFF(said_policy, validity)
static const struct row validity_rows[] = {
	{ "default",      T_DURATION, REQUIRED, HOUR, 3650 * DAY, NULL,  IN(usual),        NULL, NULL, LAW16, "Validity when a request asks for none; both ends included." },
	{ "max",          T_DURATION, REQUIRED | SHORTER, HOUR, 3650 * DAY, NULL,  IN(max),          NULL, NULL, LAW16, "The longest that a request may ask for; the ceiling, three years at most, ends it." },
	{ "backdate",     T_DURATION, SHORTER,        0,    HOUR,       "0s",  IN(backdate),     NULL, NULL, NULL,  "How long before its making a certificate begins." },
	{ "renew_window", T_DURATION, SHORTER,        0,    365 * DAY,  "60d", IN(renew_window), NULL, NULL, NULL,  "How long before its end a certificate may be renewed." },
};
static const struct foreign validity_foreign[] = {
	{ "notBefore",  "the clock sets the beginning; backdate moves it by at most 1h" },
	{ "not_before", "the clock sets the beginning; backdate moves it by at most 1h" },
	{ "notAfter",   "default and max set the end" },
	{ "not_after",  "default and max set the end" },
	{ NULL, NULL },
};
static const struct table validity_table = { "validity", validity_rows, ARRAY_LEN(validity_rows), 0, validity_foreign };

#undef IN
#define IN(member) OFF(said_policy, usage.member) - OFF(said_policy, usage)
static const struct row usage_rows[] = {
	{ "key",      T_WORDS, REQUIRED | FEWER, 1, 0, NULL,    IN(key),      usage_words,    NULL, "RFC 5280 4.2.1.3",  "keyUsage; always critical." },
	{ "extended", T_WORDS, REQUIRED | FEWER, 1, 0, NULL,    IN(extended), eku_words,      NULL, "RFC 5280 4.2.1.12", "extKeyUsage; never critical." },
	{ "critical", T_WORDS, 0,        0, 0, "[key]", IN(critical), critical_words, NULL, "RFC 5280 4.2",      "Says what is so anyway: keyUsage (key) and basicConstraints (basic) are critical." },
};
static const struct table usage_table = { "usage", usage_rows, ARRAY_LEN(usage_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, endorsement.member) - OFF(said_policy, endorsement)
static const struct row endorsement_rows[] = {
	{ "required",      T_INT,      MORE, 1,      9,        "1",     IN(required),      NULL,                NULL, NULL, "Ministers of faith that must endorse; more than one belongs to a later version." },
	{ "evidence",      T_WORDS,    FEWER, 1,      0,        "[cms]", IN(evidence),      evidence_words,      NULL, NULL, "What an endorsement is made with." },
	{ "authenticator", T_WORD,     SHORTER, 0,      0,        "any",   IN(authenticator), authenticator_words, NULL, NULL, "Demands on the minister's device." },
	{ "request_ttl",   T_DURATION, SHORTER, HOUR,   90 * DAY, "15d",   IN(request_ttl),   NULL,                NULL, NULL, "How long a request waits before it lapses." },
	{ "statement_ttl", T_DURATION, SHORTER, MINUTE, 7 * DAY,  "24h",   IN(statement_ttl), NULL,                NULL, NULL, "How long a statement can be endorsed." },
	{ "renewal",       T_WORD,     SHORTER, 0,      0,        "fresh", IN(renewal),       renewal_words,       NULL, NULL, "Whether a renewal needs a new endorsement." },
};
static const struct table endorsement_table = { "endorsement", endorsement_rows, ARRAY_LEN(endorsement_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, revocation.member) - OFF(said_policy, revocation)
static const struct row revocation_rows[] = {
	{ "holder",      T_WORD,     MORE, 0, 0,        "immediate", IN(holder),      right_words, NULL, LAW16, "What the holder may do to the own certificate." },
	{ "operator",    T_WORD,     SHORTER, 0, 0,        "propose",   IN(operator),    right_words, NULL, NULL,  "What the institution's operator may do." },
	{ "suspend_max", T_DURATION, SHORTER, 0, 180 * DAY, "30d",      IN(suspend_max), NULL,        NULL, LAW16, "Longest suspension; 0s allows none." },
};
static const struct table revocation_table = { "revocation", revocation_rows, ARRAY_LEN(revocation_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, status.ocsp.member) - OFF(said_policy, status.ocsp)
static const struct row ocsp_rows[] = {
	{ "validity", T_DURATION, SHORTER, HOUR, 10 * DAY, "4d",    IN(validity), NULL, NULL, "RFC 6960 2.4", "From thisUpdate to nextUpdate of an OCSP answer." },
	{ "refresh",  T_PERCENT,  0, 10,   90,       "50%",   IN(refresh),  NULL, NULL, NULL,           "Part of that life after which a new answer is signed." },
	{ "nonce",    T_BOOL,     EQUAL, 0,    0,        "false", IN(nonce),    NULL, NULL, "RFC 9654",     "Answers that repeat a nonce belong to a later version: false." },
};
static const struct table ocsp_table = { "status.ocsp", ocsp_rows, ARRAY_LEN(ocsp_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, status.crl.member) - OFF(said_policy, status.crl)
static const struct row crl_rows[] = {
	{ "every",     T_DURATION, SHORTER,     10 * MINUTE, 7 * DAY, "6h",   IN(every),     NULL, NULL, "RFC 5280 3.3", "Longest time between two CRLs." },
	{ "on_revoke", T_BOOL,     MORE,     0,           0,       "true", IN(on_revoke), NULL, NULL, NULL,           "Whether a revocation makes a new CRL at once." },
	{ "overlap",   T_DURATION, 0,     10 * MINUTE, 7 * DAY, "24h",  IN(overlap),   NULL, NULL, "RFC 5280 3.3", "How long a CRL lives beyond the next one." },
	{ "partition", T_INT,      LATER, 0,           0,       NULL,   IN(partition), NULL, NULL, NULL,           "Partitioned CRLs come later: delete the key, CRLs are full" },
	{ "delta",     T_DURATION, LATER, 0,           0,       NULL,   IN(delta),     NULL, NULL, NULL,           "Delta CRLs come later: delete the key, CRLs are full" },
};
static const struct table crl_table = { "status.crl", crl_rows, ARRAY_LEN(crl_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, status.member) - OFF(said_policy, status)
static const struct row status_rows[] = {
	{ "ocsp", T_MAP, 0, 0, 0, NULL, IN(ocsp), NULL, &ocsp_table, NULL, "OCSP answers." },
	{ "crl",  T_MAP, 0, 0, 0, NULL, IN(crl),  NULL, &crl_table,  NULL, "CRLs." },
};
static const struct table status_table = { "status", status_rows, ARRAY_LEN(status_rows), 0, NULL };

#define AT(member) OFF(said_policy, member)
static const struct row policy_rows[] = {
	{ "policy",      T_SLUG,    REQUIRED | OWN, 1, POLICY_NAME_MAX - 1, NULL, AT(name),    NULL, NULL, NULL, "Name of the policy; unique." },
	{ "version",     T_INT,     REQUIRED | OWN, 1, 1000000000,          NULL, AT(version), NULL, NULL, NULL, "Counts changes: only rises." },
	{ "extends",     T_REF,     OWN, 0, 0,                        NULL, AT(extends), NULL, NULL, NULL, "The policy, by name@version, whose keys hold where this one is silent; what this one says may only narrow them." },
	{ "base",        T_BOOL,    OWN, 0, 0,                     "false", AT(base),    NULL, NULL, NULL, "Whether it is only there to be extended: no request can name it." },
	{ "issuer",      T_SLUG,    REQUIRED | EQUAL, 1, POLICY_NAME_MAX - 1, NULL, AT(issuer),  NULL, NULL, NULL, "Name of an issuing CA of refrendo.yaml." },
	{ "subject",     T_SUBJECT, REQUIRED | KEEPS, 0, 0,                   NULL, AT(subject), NULL, NULL, LAW15, "Attributes of the subject, in encoding order." },
	{ "names",       T_MAP,     0,        0, 0,                   NULL, AT(names),   NULL, &names_table, NULL, "Alternative names." },
	{ "certificate_policies", T_LIST, KEEPS,  0, SPEC_POLICIES_MAX,   "[]", AT(certificate_policies), NULL, &cert_policy_table, "RFC 5280 4.2.1.4", "Certificate policies." },
	{ "keys",        T_MAP,     REQUIRED, 0, 0,                   NULL, AT(keys),        NULL, &keys_table,        NULL, "Keys of holders." },
	{ "validity",    T_MAP,     REQUIRED, 0, 0,                   NULL, AT(validity),    NULL, &validity_table,    NULL, "How long certificates last." },
	{ "usage",       T_MAP,     REQUIRED, 0, 0,                   NULL, AT(usage),       NULL, &usage_table,       NULL, "What the key is for." },
	{ "endorsement", T_MAP,     0,        0, 0,                   NULL, AT(endorsement), NULL, &endorsement_table, NULL, "The minister's part." },
	{ "revocation",  T_MAP,     0,        0, 0,                   NULL, AT(revocation),  NULL, &revocation_table,  NULL, "Who may end or suspend a certificate." },
	{ "status",      T_MAP,     0,        0, 0,                   NULL, AT(status),      NULL, &status_table,      NULL, "Status services." },
};
#define CLOCK "the clock sets the beginning of each certificate; validity.backdate moves it by at most 1h"
#define LEAF "a policy is for holders, whose certificates are never those of a CA; delete it"
static const struct foreign policy_foreign[] = {
	{ "notBefore", CLOCK }, { "not_before", CLOCK },
	{ "notAfter", "validity sets the end" }, { "not_after", "validity sets the end" },
	{ "basicConstraints", LEAF }, { "basic_constraints", LEAF }, { "ca", LEAF }, { "CA", LEAF },
	{ "is_ca", LEAF }, { "pathLen", LEAF }, { "path_len", LEAF }, { "pathLenConstraint", LEAF },
	{ "algorithm", "the issuer's key decides how it signs; delete it" },
	{ "signature", "the issuer's key decides how it signs; delete it" },
	{ "serial", "serial numbers are drawn, never chosen; delete it" },
	{ "nocheck", "only OCSP responders have it; delete it" },
	{ NULL, NULL },
};
const struct table policy_table = { "a policy", policy_rows, ARRAY_LEN(policy_rows), 0, policy_foreign };

const char *const subject_words[] = { "C", "O", "OU", "title", "serialNumber",
	"givenName", "surname", "CN", "emailAddress" };
const enum pkix_oid subject_types[] = { OID_C, OID_O, OID_OU, OID_TITLE, OID_SERIAL_NUMBER,
	OID_GIVEN_NAME, OID_SURNAME, OID_CN, OID_EMAIL };
const size_t n_subject_words = ARRAY_LEN(subject_words);
/* clang-format on */
