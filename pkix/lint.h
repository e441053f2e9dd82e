/*
 * What the files of the lint share: the names of the rules, and facts about
 * one certificate that several of them need.  A judge walks one part of the
 * certificate once and marks every rule that it breaks.
 */
#ifndef PKIX_LINT_H
#define PKIX_LINT_H

#include "internal.h"

/* One for each row of lint_rules.c, in the order of the findings. */
enum lint_id {
	/* Serial number, algorithm, validity */
	R_SERIAL_SIZE,
	R_SERIAL_SHORT,
	R_SERIAL_ENTROPY,
	R_ALGORITHM_DIFFERS,
	R_ALGORITHM,
	R_ALGORITHM_HASH,
	R_ALGORITHM_PARAMETERS,
	R_TIME_FORM,
	R_VALIDITY_ORDER,
	R_EXTRA_SECOND,
	R_VALIDITY_SMIME,
	R_UNIQUE_ID,
	/* Names */
	R_NAME_MISSING,
	R_ISSUER_EMPTY,
	R_CA_SUBJECT_EMPTY,
	R_SUBJECT_EMPTY_SAN,
	R_ROOT_ISSUER,
	R_OWN_ISSUER,
	R_NAME_ALPHABET,
	R_NAME_STRING_TYPE,
	R_NAME_LENGTH,
	R_NAME_COUNTRY,
	R_NAME_TWICE,
	R_NAME_MULTI,
	R_NAME_SPACE,
	R_NAME_NOTHING,
	R_NAME_CONTROL,
	R_NAME_PSEUDONYM,
	R_NAME_EMAIL_SAN,
	R_NAME_EMAIL_FORM,
	R_NAME_CN_MAILBOX,
	R_NAME_CN_HOST,
	R_NAME_CA_ORGANIZATION,
	/* Key */
	R_KEY,
	R_KEY_WEAK,
	R_KEY_SIZE,
	R_KEY_FORM,
	/* Basic constraints, usages, purposes */
	R_BASIC_MISSING,
	R_NOT_CA,
	R_IS_CA,
	R_BASIC_CONTENT,
	R_BASIC_CRITICAL,
	R_PATH_LENGTH,
	R_PATH_LENGTH_USAGE,
	R_KEY_USAGE_MISSING,
	R_KEY_USAGE_CA,
	R_KEY_USAGE_END,
	R_KEY_USAGE_KEY,
	R_KEY_USAGE_ABSENT_CA,
	R_KEY_USAGE_CRITICAL,
	R_KEY_USAGE_EMPTY,
	R_KEY_CERT_SIGN,
	R_KEY_USAGE_SMIME,
	R_EKU_CRITICAL,
	R_EKU_ENDORSER,
	R_EKU_ENDORSER_ELSEWHERE,
	R_EKU_OCSP_ELSEWHERE,
	R_EKU_OCSP,
	R_EKU_ANY,
	R_EKU_ANY_CRITICAL,
	R_EKU_SMIME_MIXED,
	R_EKU_TIME,
	R_EKU_TWICE,
	R_EKU_USAGE,
	/* Key identifiers */
	R_KEY_IDS,
	R_ROOT_KEY_IDS,
	R_AKI_MISSING,
	R_AKI_CRITICAL,
	R_AKI_KEY_ID,
	R_AKI_ISSUER,
	R_SKI_MISSING_CA,
	R_SKI_MISSING_END,
	R_SKI_CRITICAL,
	/* Other extensions */
	R_CRITICAL,
	R_EXTENSION,
	R_EXT_EMPTY,
	R_EXT_TWICE,
	R_CRITICAL_ACCESS,
	R_CRITICAL_DIRECTORY,
	R_CRITICAL_FRESHEST,
	R_CRITICAL_ALT,
	R_CRITICAL_CRLDP,
	R_CRITICAL_NOCHECK,
	R_KEY_PERIOD,
	R_NC_CRITICAL,
	R_NC_ELSEWHERE,
	R_NC_EMPTY,
	R_NC_RANGE,
	R_NC_KIND,
	R_NC_FORM,
	R_PC_CRITICAL,
	R_PC_EMPTY,
	R_INHIBIT_CRITICAL,
	R_POLICY_PATH_END,
	R_MAPPING_ANY,
	R_MAPPING_CRITICAL,
	R_NOREV_CA,
	R_NOREV_CRITICAL,
	R_NOREV_FORM,
	R_NOREV_BESIDE,
	/* Alternative names */
	R_SAN_MISSING,
	R_RUT_FORM,
	R_EMAIL_FORM,
	R_SAN_TWICE,
	R_SAN_EMAIL_MISSING,
	R_ALT_KIND,
	R_ALT_ALPHABET,
	R_DNS_FORM,
	R_DNS_UNDERSCORE,
	R_DNS_HYPHENS,
	R_DNS_IDN,
	R_DNS_WILDCARD,
	R_DNS_INTERNAL,
	R_IP_FORM,
	R_IP_RESERVED,
	R_URI_FORM,
	R_URI_HOST,
	R_SMTP_UTF8,
	/* Where status and issuer are found */
	R_URL,
	R_CRLDP_INCOMPLETE,
	R_CRLDP_PARTS,
	R_CRLDP_HTTP,
	R_CRLDP_MISSING,
	R_FRESHEST_ALONE,
	R_FRESHEST_KIND,
	R_AIA_KIND,
	R_AIA_HTTP,
	R_AIA_MISSING,
	R_AIA_INTERNAL,
	/* Certificate policies */
	R_POLICIES,
	R_POLICIES_TWICE,
	R_POLICIES_ANY,
	R_POLICIES_MISSING,
	R_POLICIES_QUALIFIER,
	R_NOTICE_LENGTH,
	R_NOTICE_TYPE,
	R_NOTICE_UTF8,
	R_NOTICE_REF,
	R_NOTICE_CONTROL,
	R_CPS_FORM,
	/* OCSP responders */
	R_NOCHECK_ELSEWHERE,
	R_OCSP_EXTENSIONS,
	R_OCSP_USAGE,
	R_OCSP_LIFE,
	/* Qualified certificates and natural persons */
	R_QC_FORM,
	R_QC_CRITICAL,
	R_QC_TWICE,
	R_QC_STATEMENT_TYPE,
	R_QC_INFO,
	R_QC_TYPE_ONE,
	R_QC_TYPE_KNOWN,
	R_QC_TYPE_WEB,
	R_QC_TYPE_SIGN,
	R_QC_SSCD_ALONE,
	R_QC_CURRENCY,
	R_QC_LIMIT,
	R_QC_RETENTION,
	R_QC_PDS,
	R_QC_PDS_HTTPS,
	R_QC_PDS_LANGUAGE,
	R_QC_PDS_CASE,
	R_QC_PDS_ENGLISH,
	R_QC_PDS_TWICE,
	R_QC_COUNTRY,
	R_QC_USAGE,
	R_SEMANTICS,
	R_SEMANTICS_SERIAL,
	R_ORGANIZATION_ID,
	R_NATURAL_COUNTRY,
	R_NATURAL_NAMES,
	R_NATURAL_CN,
	R_NATURAL_SERIAL,
	R_NATURAL_TWICE,
	R_NATURAL_ISSUER,
	R_COUNT
};
extern const struct lint_rule cert_lint_rules[R_COUNT];

/* The extensions that rules know, each at most once. */
enum lint_ext {
	X_BASIC,
	X_KEY_USAGE,
	X_EKU,
	X_SKI,
	X_AKI,
	X_POLICIES,
	X_SAN,
	X_IAN,
	X_CRLDP,
	X_AIA,
	X_NOCHECK,
	X_QC,
	X_DIRECTORY,
	X_KEY_PERIOD,
	X_NAME_CONSTRAINTS,
	X_MAPPINGS,
	X_POLICY_CONSTRAINTS,
	X_FRESHEST,
	X_INHIBIT,
	X_NOREV,
	X_SIA,
	X_COUNT /* any other */
};

/* Attributes of names that rules know. */
enum lint_attr {
	A_CN,
	A_SURNAME,
	A_SERIAL,
	A_C,
	A_L,
	A_ST,
	A_STREET,
	A_O,
	A_OU,
	A_TITLE,
	A_POSTAL,
	A_GIVEN,
	A_QUALIFIER,
	A_PSEUDONYM,
	A_ORG_ID,
	A_EMAIL,
	A_DC,
	A_COUNT /* any other */
};

/* Purposes, as bits. */
#define E_SERVER       (1u << 0)
#define E_CLIENT       (1u << 1)
#define E_CODE         (1u << 2)
#define E_EMAIL        (1u << 3)
#define E_TIME         (1u << 4)
#define E_OCSP         (1u << 5)
#define E_ANY          (1u << 6)
#define E_ENDORSER     (1u << 7)
#define E_OTHER        (1u << 8)

#define ALT_NAMES_KEPT 16

struct facts {
	const struct cert *c;
	enum lint_kind kind;
	uint64_t broken[(R_COUNT + 63) / 64];
	const struct cert_ext *ext[X_COUNT];
	struct spki_parts key;
	bool key_known;
	unsigned eku; /* E_… */
	size_t n_eku;
	/* The subject: which attributes (1u << A_…), and some values. */
	unsigned subject_has, subject_twice, issuer_has;
	struct bytes subject_cn, subject_email, subject_serial;
	/* subjectAltName: the first e-mail addresses and hosts. */
	struct bytes san_email[ALT_NAMES_KEPT], san_dns[ALT_NAMES_KEPT];
	size_t n_san_email, n_san_dns;
	bool san_smtp; /* a SmtpUTF8Mailbox */
};

/* Marks a rule as broken, if it is. */
static inline void
judge(struct facts *f, enum lint_id r, bool is_broken)
{
	f->broken[r / 64] |= (uint64_t)is_broken << (r % 64);
}

static inline struct bytes
ext_value(const struct facts *f, enum lint_ext x)
{
	return f->ext[x] == NULL ? BYTES_NONE : f->ext[x]->value;
}

void lint_usage(struct facts *f);
void lint_names(struct facts *f);
void lint_exts(struct facts *f);
void lint_constraints(struct facts *f);
void lint_policies(struct facts *f);
void lint_alt_names(struct facts *f);
void lint_places(struct facts *f); /* CRLDP and AIA */
void lint_etsi(struct facts *f);

/* URI of RFC 3986 with a scheme; its host, if it has one. */
bool uri_valid(struct bytes uri);
bool uri_host_valid(struct bytes uri);
bool uri_is_http(struct bytes uri);
bool uri_is_internal(struct bytes uri);
bool host_is_internal(struct bytes host);

bool is_any_policy(struct bytes oid);
bool language_known(struct bytes code); /* ISO 639-1, lower case */
bool currency_known(struct bytes code); /* ISO 4217 */

#endif
