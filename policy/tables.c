/*
 * tables - the keys of a policy.  Decoder, effective print and reference page
 * all come from these rows; a feature of a later version stands here too, so
 * that its refusal can say what to write today.
 */
#include "internal.h"

/* clang-format off */
#define BIT(n) (INT64_C(1) << (n))

const struct word key_words[] = {
	{ "ec-p256",      BIT(KEY_EC_P256),       NULL, false },
	{ "ec-p384",      BIT(KEY_EC_P384),       NULL, false },
	{ "rsa-2048",     BIT(KEY_RSA_2048),      NULL, false },
	{ "rsa-3072",     BIT(KEY_RSA_3072),      NULL, false },
	{ "rsa-4096",     BIT(KEY_RSA_4096),      NULL, false },
	{ "rsa-pss-2048", BIT(KEY_RSA_PSS_2048), NULL, false },
	{ "rsa-pss-3072", BIT(KEY_RSA_PSS_3072), NULL, false },
	{ "rsa-pss-4096", BIT(KEY_RSA_PSS_4096), NULL, false },
	{ "ed25519",      BIT(KEY_ED25519),      NULL, false },
	{ "ml-dsa-44",    BIT(KEY_ML_DSA_44),    NULL, false },
	{ "ml-dsa-65",    BIT(KEY_ML_DSA_65),    NULL, false },
	{ "ml-dsa-87",    BIT(KEY_ML_DSA_87),    NULL, false },
	{ NULL, 0, NULL, false },
};

/* RFC 5280 4.2.1.3 */
const struct word usage_words[] = {
	{ "digitalSignature",  KU_DIGITAL_SIGNATURE,  NULL, false },
	{ "nonRepudiation",    KU_NON_REPUDIATION,    NULL, false },
	{ "keyEncipherment",   KU_KEY_ENCIPHERMENT,   NULL, false },
	{ "dataEncipherment",  KU_DATA_ENCIPHERMENT,  NULL, false },
	{ "keyAgreement",      KU_KEY_AGREEMENT,      NULL, false },
	{ "keyCertSign",       KU_KEY_CERT_SIGN,      NULL, false },
	{ "cRLSign",           KU_CRL_SIGN,           NULL, false },
	{ "contentCommitment", 0, "write its older name, nonRepudiation", false },
	{ "encipherOnly",      0, "it only narrows keyAgreement; delete it", false },
	{ "decipherOnly",      0, "it only narrows keyAgreement; delete it", false },
	{ NULL, 0, NULL, false },
};

const struct word eku_words[] = {
	{ "emailProtection", BIT(OID_EKU_EMAIL),    NULL, false },
	{ "clientAuth",      BIT(OID_EKU_CLIENT),   NULL, false },
	{ "serverAuth",      BIT(OID_EKU_SERVER),   NULL, false },
	{ "codeSigning",     BIT(OID_EKU_CODE),     NULL, false },
	{ "timeStamping",    BIT(OID_EKU_TIME),     NULL, false },
	{ "documentSigning", BIT(OID_EKU_DOCUMENT), NULL, false },
	{ "OCSPSigning",     0, "only the responders that the signer makes itself have it; delete it", false },
	{ "anyExtendedKeyUsage", 0, "name each purpose", false },
	{ NULL, 0, NULL, false },
};

const struct word holder_person_words[] = {
	{ "official",       BIT(PERSON_OFFICIAL),       NULL, false },
	{ "authority",      BIT(PERSON_AUTHORITY),      NULL, false },
	{ "minister",       BIT(PERSON_MINISTER),       NULL, false },
	{ "system",         BIT(PERSON_SYSTEM),         NULL, false },
	{ "subordinate-ca", BIT(PERSON_SUBORDINATE_CA), NULL, false },
	{ NULL, 0, NULL, false },
};
const struct word holder_institution_words[] = {
	{ "ministry",     BIT(INSTITUTION_MINISTRY),     NULL, false },
	{ "service",      BIT(INSTITUTION_SERVICE),      NULL, false },
	{ "municipality", BIT(INSTITUTION_MUNICIPALITY), NULL, false },
	{ "university",   BIT(INSTITUTION_UNIVERSITY),   NULL, false },
	{ "court",        BIT(INSTITUTION_COURT),        NULL, false },
	{ "other",        BIT(INSTITUTION_OTHER),        NULL, false },
	{ NULL, 0, NULL, false },
};
const struct word string_words[] = {
	{ "utf8",      STRING_UTF8,      NULL, false },
	{ "printable", STRING_PRINTABLE, NULL, false },
	{ "ia5",       STRING_IA5,       NULL, false },
	{ NULL, 0, NULL, false },
};
/* RFC 5280 4.2.1.6: bit n is the kind with the tag [n]. */
const struct word name_kind_words[] = {
	{ "other",     BIT(0), NULL, false },
	{ "email",     BIT(1), NULL, false },
	{ "dns",       BIT(2), NULL, false },
	{ "directory", BIT(4), NULL, false },
	{ "uri",       BIT(6), NULL, false },
	{ "ip",        BIT(7), NULL, false },
	{ NULL, 0, NULL, false },
};
static const struct word long_words[] = {
	{ "refuse", 0, NULL, false },
	{ "clip",   1, NULL, false },
	{ NULL, 0, NULL, false },
};
const struct word qc_words[] = {
	{ "esign", QC_ESIGN, NULL, false },
	{ "eseal", QC_ESEAL, NULL, false },
	{ "web",   QC_WEB,   NULL, false },
	{ NULL, 0, NULL, false },
};
static const struct word semantics_words[] = {
	{ "natural", 1, NULL, false },
	{ "legal",   2, NULL, false },
	{ NULL, 0, NULL, false },
};
static const struct word distinct_words[] = {
	{ "holder",   1, NULL, false },
	{ "operator", 2, NULL, false },
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
	{ "fresh",   RENEWAL_FRESH,   NULL, false },
	{ "mandate", RENEWAL_MANDATE, NULL, false },
	{ "mandate-rekey", RENEWAL_REKEY, NULL, false },
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

static const struct row attr_rows[] = {
	/* key        type    flags     min max  default   into words sub rule doc */
	{ "value",    T_TMPL, REQUIRED, 0, 0,    NULL,     OFF(said_attr, value),    NULL,         NULL, NULL, "The text, with facts." },
	{ "string",   T_WORD, 0,        0, 0,    NULL,     OFF(said_attr, string),   string_words, NULL, "RFC 5280 4.1.2.4", "Its type of string; utf8 where the attribute leaves a choice." },
	{ "max",      T_INT,  0,        1, 254,  NULL,     OFF(said_attr, max),      NULL,         NULL, "RFC 5280 appendix A.1", "Longest, in characters; what the attribute allows is the most." },
	{ "too_long", T_WORD, 0,        0, 0,    "refuse", OFF(said_attr, too_long), long_words,   NULL, NULL, "What happens to a longer text: the request is refused, or the text cut at a character." },
};
const struct table attr_table = { "an attribute", attr_rows, ARRAY_LEN(attr_rows), 0, NULL };

#define OF(member) OFF(said_alt, member), NULL, NULL
static const struct row alt_rows[] = {
	{ "other",     T_OID,     0, 0, 0, NULL, OF(other),     NULL, "Type of an otherName, with ia5, utf8 or printable." },
	{ "ia5",       T_TMPL,    0, 0, 0, NULL, OF(ia5),       NULL, "Its value, an IA5String." },
	{ "utf8",      T_TMPL,    0, 0, 0, NULL, OF(utf8),      NULL, "Its value, a UTF8String." },
	{ "printable", T_TMPL,    0, 0, 0, NULL, OF(printable), NULL, "Its value, a PrintableString." },
	{ "email",     T_TMPL,    0, 0, 0, NULL, OF(email),     NULL, "An rfc822Name." },
	{ "dns",       T_TMPL,    0, 0, 0, NULL, OF(dns),       NULL, "A dNSName." },
	{ "ip",        T_TMPL,    0, 0, 0, NULL, OF(ip),        NULL, "An iPAddress, as people write it." },
	{ "uri",       T_TMPL,    0, 0, 0, NULL, OF(uri),       NULL, "A uniformResourceIdentifier." },
	{ "directory", T_SUBJECT, 0, 0, 0, NULL, OF(directory), NULL, "A directoryName: attributes as those of the subject." },
};
#undef OF
const struct table alt_table = { "an alternative name", alt_rows,
	ARRAY_LEN(alt_rows), sizeof(struct said_alt), NULL };

static const struct row condition_rows[] = {
	{ "must", T_EXPR, REQUIRED, 1, 1000, NULL, OFF(said_condition, must), NULL, NULL, NULL, "What must be true of a request." },
	{ "say",  T_TEXT, REQUIRED, 1, 180,  NULL, OFF(said_condition, say),  NULL, NULL, NULL, "What whoever asked is told when it is not, in English: what to do." },
	{ "es",   T_TEXT, REQUIRED, 1, 180,  NULL, OFF(said_condition, es),   NULL, NULL, NULL, "The same in Spanish." },
};
static const struct table condition_table = { "a condition", condition_rows,
	ARRAY_LEN(condition_rows), sizeof(struct said_condition), NULL };

#define IN(member) OFF(said_policy, holders.member) - OFF(said_policy, holders)
static const struct row holders_rows[] = {
	{ "kinds",        T_WORDS, FEWER, 1, 0,    NULL, IN(kinds),        holder_person_words,      NULL, NULL, "Kinds of person who may have a certificate; without it anyone." },
	{ "institutions", T_WORDS, FEWER, 1, 0,    NULL, IN(institutions), holder_institution_words, NULL, NULL, "Kinds of institution that they belong to; without it any." },
	{ "when",         T_EXPR,  0,     1, 1000, NULL, IN(when),         NULL,              NULL, NULL, "What must be true of the person; that of a base must be true as well." },
};
static const struct table holders_table = { "holders", holders_rows, ARRAY_LEN(holders_rows), 0, NULL };

#undef IN
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
const struct table cert_policy_table = { "a certificate policy", cert_policy_rows,
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
	{ "overlap",      T_DURATION, 0,              HOUR, 3650 * DAY, NULL,  IN(overlap),      NULL, NULL, NULL,  "How long a renewed certificate stays valid beside its successor, before it is revoked as superseded; unset: until its own end." },
	{ "ends",         T_DATE,     SHORTER,        0,    0,          NULL,  IN(ends),         NULL, NULL, NULL,  "The last day, at 23:59:59 in zone, of every certificate; longer ones are cut." },
	{ "zone",         T_ZONE,     EQUAL,          0,    0,          "UTC", IN(zone),         NULL, NULL, NULL,  "Where that day ends." },
	{ "issuer",       T_WORD,     SHORTER,        0,    0,          "clip", IN(issuer),      long_words, NULL, "RFC 5280 6.1", "What happens to a validity beyond the issuer's end." },
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
	{ "extended", T_WORDS, FEWER, 1, 0, NULL,    IN(extended), eku_words,      NULL, "RFC 5280 4.2.1.12", "extKeyUsage; every holder's has some; critical for timeStamping alone." },
	{ "critical", T_WORDS, 0,        0, 0, "[key]", IN(critical), critical_words, NULL, "RFC 5280 4.2",      "Says what is so anyway: keyUsage (key) and basicConstraints (basic) are critical." },
};
const struct table usage_table = { "usage", usage_rows, ARRAY_LEN(usage_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, qc.limit.member) - OFF(said_policy, qc.limit)
static const struct row limit_rows[] = {
	{ "currency", T_TEXT, REQUIRED | EQUAL,   3, 3,  NULL, IN(currency), NULL, NULL, "ISO 4217", "Currency, as in CLP." },
	{ "amount",   T_INT,  REQUIRED | SHORTER, 1, INT64_C(1000000000000), NULL, IN(amount), NULL, NULL, NULL, "Highest value of a transaction." },
	{ "exponent", T_INT,  EQUAL,              0, 20, "0",  IN(exponent), NULL, NULL, NULL, "Zeros to add to the amount." },
};
static const struct table limit_table = { "limit", limit_rows, ARRAY_LEN(limit_rows), 0, NULL };

static const struct row pds_rows[] = {
	{ "url",  T_TEXT, REQUIRED, 12, 200, NULL, OFF(said_pds, url),  NULL, NULL, NULL, "Address of the statement, https://." },
	{ "lang", T_TEXT, REQUIRED, 2,  2,   NULL, OFF(said_pds, lang), NULL, NULL, "ISO 639-1", "Its language, as in es." },
};
static const struct table pds_table = { "a disclosure statement", pds_rows,
	ARRAY_LEN(pds_rows), sizeof(struct said_pds), NULL };

#undef IN
#define IN(member) OFF(said_policy, qc.member) - OFF(said_policy, qc)
#define QC "EN 319 412-5 "
static const struct row qc_rows[] = {
	{ "compliance", T_BOOL,  EQUAL, 0, 0,   NULL, IN(compliance), NULL,     NULL, QC "4.2.1", "States that the certificate is qualified." },
	{ "sscd",       T_BOOL,  EQUAL, 0, 0,   NULL, IN(sscd),       NULL,     NULL, QC "4.2.2", "States that the key is in a qualified device." },
	{ "types",      T_WORDS, FEWER, 1, 0,   NULL, IN(types),      qc_words, NULL, QC "4.2.3", "What it is for." },
	{ "retention",  T_INT,   EQUAL, 1, 100, NULL, IN(retention),  NULL,     NULL, QC "4.3.3", "Years that records are kept after its end." },
	{ "limit",      T_MAP,   WHOLE, 0, 0,   NULL, IN(limit),      NULL,     &limit_table, QC "4.3.2", "Highest value that it may be used for." },
	{ "pds",        T_LIST,  EQUAL, 0, SPEC_PDS_MAX, "[]", IN(pds), NULL,   &pds_table,   QC "4.3.4", "Disclosure statements." },
	{ "countries",  T_TEXTS, EQUAL, 2, 2,   NULL, IN(countries),  NULL,     NULL, QC "4.2.4", "Countries whose law makes it qualified, as in CL." },
	{ "semantics",  T_WORD,  EQUAL, 0, 0,   NULL, IN(semantics),  semantics_words, NULL, "EN 319 412-1 5.1", "What serialNumber means: of a natural or a legal person." },
};
#undef QC
static const struct table qc_table = { "qc_statements", qc_rows, ARRAY_LEN(qc_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_extension, der.member) - OFF(said_extension, der)
static const struct row der_rows[] = {
	{ "utf8",      T_TMPL, 0, 0, 0,   NULL, IN(utf8),      NULL, NULL, NULL, "A UTF8String with this text." },
	{ "ia5",       T_TMPL, 0, 0, 0,   NULL, IN(ia5),       NULL, NULL, NULL, "An IA5String with this text." },
	{ "printable", T_TMPL, 0, 0, 0,   NULL, IN(printable), NULL, NULL, NULL, "A PrintableString with this text." },
	{ "hex",       T_TEXT, 0, 4, 512, NULL, IN(hex),       NULL, NULL, "X.690", "One whole DER element in hexadecimal digits, the same for all." },
};
const struct table der_table = { "der", der_rows, ARRAY_LEN(der_rows), 0, NULL };
static const struct row extension_rows[] = {
	{ "oid",      T_OID,  REQUIRED, 0, 0, NULL, OFF(said_extension, oid),      NULL, NULL, "RFC 5280 4.2", "Identifier of the extension." },
	{ "critical", T_BOOL, REQUIRED, 0, 0, NULL, OFF(said_extension, critical), NULL, NULL, "RFC 5280 4.2", "Whether programs that do not know it must refuse the certificate." },
	{ "der",      T_MAP,  REQUIRED, 0, 0, NULL, OFF(said_extension, der),      NULL, &der_table, NULL, "Its content: one of utf8, ia5, printable, hex." },
};
static const struct table extension_table = { "an extension", extension_rows,
	ARRAY_LEN(extension_rows), sizeof(struct said_extension), NULL };

#define OF(member) OFF(said_subtree, member), NULL, NULL
static const struct row subtree_rows[] = {
	{ "email",     T_TEXT,    0, 1, 200, NULL, OF(email),     NULL, "A mailbox, a host, or a domain with a dot in front." },
	{ "dns",       T_TEXT,    0, 1, 200, NULL, OF(dns),       NULL, "A domain, with all below it." },
	{ "uri",       T_TEXT,    0, 1, 200, NULL, OF(uri),       NULL, "A host, or a domain with a dot in front." },
	{ "ip",        T_TEXT,    0, 1, 60,  NULL, OF(ip),        NULL, "Addresses, as in 192.0.2.0/24." },
	{ "directory", T_SUBJECT, 0, 0, 0,   NULL, OF(directory), NULL, "A directoryName and all that begin with it, without facts." },
};
#undef OF
const struct table subtree_table = { "a subtree", subtree_rows,
	ARRAY_LEN(subtree_rows), sizeof(struct said_subtree), NULL };

#undef IN
#define IN(member) OFF(said_policy, subordinate.member) - OFF(said_policy, subordinate)
static const struct row subordinate_rows[] = {
	{ "path_length", T_INT,  REQUIRED | SHORTER, 0, 4, NULL, IN(path_length), NULL, NULL, "RFC 5280 4.2.1.9", "CAs that may stand between it and a holder." },
	{ "permitted",   T_LIST, EQUAL, 0, SPEC_SUBTREES_MAX, "[]", IN(permitted), NULL, &subtree_table, "RFC 5280 4.2.1.10", "Names that certificates below it may have." },
	{ "excluded",    T_LIST, KEEPS, 0, SPEC_SUBTREES_MAX, "[]", IN(excluded),  NULL, &subtree_table, "RFC 5280 4.2.1.10", "Names that they may not have." },
};
static const struct table subordinate_table = { "subordinate", subordinate_rows, ARRAY_LEN(subordinate_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, notify.member) - OFF(said_policy, notify)
static const struct row notify_rows[] = {
	{ "before_end", T_SPANS, 0, HOUR, 365 * DAY, "[]", IN(before_end), NULL, NULL, NULL, "When the holder is told of the coming end, longest first; mails are sent by a later version." },
};
static const struct table notify_table = { "notify", notify_rows, ARRAY_LEN(notify_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, endorsement.member) - OFF(said_policy, endorsement)
static const struct row endorsement_rows[] = {
	{ "required",      T_INT,      MORE, 1, ENDORSEMENTS_MAX, "1",   IN(required),      NULL,                NULL, NULL, "Different ministers of faith who must endorse; signer.yaml may ask for more." },
	{ "evidence",      T_WORDS,    FEWER, 1,      0,        "[cms]", IN(evidence),      evidence_words,      NULL, NULL, "What an endorsement is made with." },
	{ "authenticator", T_WORD,     SHORTER, 0,      0,        "any",   IN(authenticator), authenticator_words, NULL, NULL, "Demands on the minister's device." },
	{ "distinct_from", T_WORDS,    MORE,  0,  0, "[holder, operator]", IN(distinct_from), distinct_words,     NULL, NULL, "Whom the minister must differ from; always both." },
	{ "request_ttl",   T_DURATION, SHORTER, HOUR,   90 * DAY, "15d",   IN(request_ttl),   NULL,                NULL, NULL, "How long a request waits before it lapses." },
	{ "statement_ttl", T_DURATION, SHORTER, MINUTE, 7 * DAY,  "24h",   IN(statement_ttl), NULL,                NULL, NULL, "How long a statement can be endorsed." },
	{ "batch_max",     T_INT,      SHORTER, 1,    500,      "1",     IN(batch_max),     NULL,                NULL, NULL, "Statements that a minister may sign in one act." },
	{ "renewal",       T_WORD,     SHORTER, 0,      0,        "fresh", IN(renewal),       renewal_words,       NULL, NULL, "Whether each renewal needs a new endorsement, or a mandate that a minister signed for several counts; with mandate-rekey each may bring a new key that the old one signs for." },
};
const struct table endorsement_table = { "endorsement", endorsement_rows, ARRAY_LEN(endorsement_rows), 0, NULL };

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
	{ "nonce",    T_BOOL,     EQUAL, 0,    0,        "false", IN(nonce),    NULL, NULL, "RFC 9654",     "Answers repeat a client's nonce, signed on demand while the rate of signing allows it." },
	{ "archive_cutoff", T_DURATION, EQUAL, 0, 11000 * DAY, "0s", IN(archive_cutoff), NULL, NULL, "RFC 6960 4.4.4", "Status is kept for so long after a certificate has ended, and answers say so; 0s: not at all." },
};
const struct table ocsp_table = { "status.ocsp", ocsp_rows, ARRAY_LEN(ocsp_rows), 0, NULL };

#undef IN
#define IN(member) OFF(said_policy, status.crl.member) - OFF(said_policy, status.crl)
static const struct row crl_rows[] = {
	{ "every",     T_DURATION, SHORTER,     10 * MINUTE, 7 * DAY, "6h",   IN(every),     NULL, NULL, "RFC 5280 3.3", "Longest time between two CRLs." },
	{ "on_revoke", T_BOOL,     MORE,     0,           0,       "true", IN(on_revoke), NULL, NULL, NULL,           "Whether a revocation makes a new CRL at once." },
	{ "overlap",   T_DURATION, 0,     10 * MINUTE, 7 * DAY, "24h",  IN(overlap),   NULL, NULL, "RFC 5280 3.3", "How long a CRL lives beyond the next one." },
	{ "partition", T_INT,      0,     10,          1000000, NULL,   IN(partition), NULL, NULL, "RFC 5280 5.2.5", "Certificates that share one CRL of a partition, beside the full one; unset: only the full one." },
	{ "delta",     T_DURATION, SHORTER, 5 * MINUTE, 2 * DAY, NULL,  IN(delta),     NULL, NULL, "RFC 5280 5.2.4", "Longest time between two delta CRLs, which a revocation then renews in place of the complete one; unset: no deltas." },
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
	{ "holders",     T_MAP,     0,        0, 0,                   NULL, AT(holders), NULL, &holders_table, NULL, "Who may have a certificate." },
	{ "conditions",  T_LIST,    ADDS,     0, CONDITIONS_MAX,      "[]", AT(conditions), NULL, &condition_table, NULL, "What must be true of a request; those of a base as well." },
	{ "subject",     T_SUBJECT, REQUIRED | KEEPS, 0, 0,                   NULL, AT(subject), NULL, NULL, LAW15, "Attributes of the subject, in encoding order." },
	{ "names",       T_MAP,     0,        0, 0,                   NULL, AT(names),   NULL, &names_table, NULL, "Alternative names." },
	{ "certificate_policies", T_LIST, KEEPS,  0, SPEC_POLICIES_MAX,   "[]", AT(certificate_policies), NULL, &cert_policy_table, "RFC 5280 4.2.1.4", "Certificate policies." },
	{ "keys",        T_MAP,     REQUIRED, 0, 0,                   NULL, AT(keys),        NULL, &keys_table,        NULL, "Keys of holders." },
	{ "validity",    T_MAP,     REQUIRED, 0, 0,                   NULL, AT(validity),    NULL, &validity_table,    NULL, "How long certificates last." },
	{ "usage",       T_MAP,     REQUIRED, 0, 0,                   NULL, AT(usage),       NULL, &usage_table,       NULL, "What the key is for." },
	{ "qc_statements", T_MAP,   0,        0, 0,                   NULL, AT(qc),          NULL, &qc_table,          "EN 319 412-5", "What a qualified certificate states of itself." },
	{ "extensions",  T_LIST,    KEEPS,    0, SPEC_PRIVATE_MAX,    "[]", AT(extensions),  NULL, &extension_table,   "RFC 5280 4.2", "Extensions of one's own." },
	{ "subordinate", T_MAP,     WHOLE,    0, 0,                   NULL, AT(subordinate), NULL, &subordinate_table, "RFC 5280 4.2.1.9", "Makes it a policy for CAs below the issuer." },
	{ "endorsement", T_MAP,     0,        0, 0,                   NULL, AT(endorsement), NULL, &endorsement_table, NULL, "The minister's part." },
	{ "revocation",  T_MAP,     0,        0, 0,                   NULL, AT(revocation),  NULL, &revocation_table,  NULL, "Who may end or suspend a certificate." },
	{ "status",      T_MAP,     0,        0, 0,                   NULL, AT(status),      NULL, &status_table,      NULL, "Status services." },
	{ "notify",      T_MAP,     0,        0, 0,                   NULL, AT(notify),      NULL, &notify_table,      NULL, "Who is told of what, when." },
};
#define CLOCK "the clock sets the beginning of each certificate; validity.backdate moves it by at most 1h"
#define LEAF "a policy is for holders unless it has subordinate, which makes it one for CAs"
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

const enum pkix_oid subject_types[] = { OID_C, OID_ST, OID_L, OID_O, OID_ORGANIZATION_ID,
	OID_OU, OID_TITLE, OID_SERIAL_NUMBER, OID_GIVEN_NAME, OID_SURNAME, OID_INITIALS,
	OID_PSEUDONYM, OID_CN, OID_EMAIL };
const size_t n_subject_types = ARRAY_LEN(subject_types);
/* clang-format on */
