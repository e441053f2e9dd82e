/*
 * Lint of qualified certificates and of the names of natural persons:
 * RFC 3739, ETSI EN 319 412-1, -2 and -5.
 */
#include "lint.h"

/* 0.4.0.1862.1.n of EN 319 412-5, by n. */
enum statement {
	QC_COMPLIANCE = 1,
	QC_LIMIT,
	QC_RETENTION,
	QC_SSCD,
	QC_PDS,
	QC_TYPE,
	QC_LEGISLATION,
	QC_SEMANTICS, /* id-qcs-pkixQCSyntax-v2, not of that arc */
	QC_OTHER
};

/* What the statements together say. */
struct qc {
	unsigned seen; /* 1u << QC_… */
	unsigned types;
	bool semantics_natural;
};

#define TYPE_SIGN (1u << 1)
#define TYPE_SEAL (1u << 2)
#define TYPE_WEB  (1u << 3)

static const uint8_t qc_arc[] = { 0x04, 0x00, 0x8e, 0x46, 0x01 };

static bool
under(struct bytes oid, struct bytes arc)
{
	return oid.len == arc.len + 1 && memcmp(oid.p, arc.p, arc.len) == 0;
}

static enum statement
statement_of(struct bytes oid)
{
	/* 1.3.6.1.5.5.7.11.2 */
	static const uint8_t syntax_v2[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
		0x0b, 0x02 };

	if (bytes_eq(oid, bytes_of(syntax_v2, sizeof(syntax_v2))))
		return QC_SEMANTICS;
	if (!under(oid, bytes_of(qc_arc, sizeof(qc_arc))) ||
	    oid.p[sizeof(qc_arc)] < QC_COMPLIANCE ||
	    oid.p[sizeof(qc_arc)] > QC_LEGISLATION)
		return QC_OTHER;
	return (enum statement)oid.p[sizeof(qc_arc)];
}

/* 1, 2, 3 of 0.4.0.1862.1.6.n; 0 for anything else. */
static unsigned
type_of(struct bytes oid)
{
	static const uint8_t arc[] = { 0x04, 0x00, 0x8e, 0x46, 0x01, 0x06 };

	if (!under(oid, bytes_of(arc, sizeof(arc))) || oid.p[sizeof(arc)] > 3)
		return 0;
	return oid.p[sizeof(arc)];
}

/* --- The information of each statement -------------------------------------------------- */

static void
judge_types(struct facts *f, struct der *info, struct qc *qc)
{
	struct der all = der_enter(info, DER_SEQUENCE);
	size_t n = 0;

	for (; der_peek(&all) != 0; n++) {
		unsigned type = type_of(der_get(&all, DER_OID));

		judge(f, R_QC_TYPE_KNOWN, type == 0);
		qc->types |= 1u << type;
	}
	judge(f, R_QC_TYPE_ONE, n != 1);
	judge(f, R_QC_TYPE_KNOWN, !der_end(&all));
}

/* MonetaryValue: letters or number of the currency, amount, exponent. */
static void
judge_limit(struct facts *f, struct der *info)
{
	struct der in = der_enter(info, DER_SEQUENCE);
	int64_t number;

	if (der_peek(&in) == DER_PRINTABLE_STRING) {
		judge(f, R_QC_CURRENCY,
		    !currency_known(der_get(&in, DER_PRINTABLE_STRING)));
	} else {
		number = der_get_int(&in);
		judge(f, R_QC_CURRENCY, number < 1 || number > 999);
	}
	(void)der_get_int(&in);
	(void)der_get_int(&in);
	judge(f, R_QC_LIMIT, !der_end(&in));
}

static void
judge_language(struct facts *f, struct bytes code, bool *english)
{
	uint8_t small[2];
	size_t i;

	if (code.len != 2) {
		judge(f, R_QC_PDS_LANGUAGE, true);
		return;
	}
	for (i = 0; i < 2; i++) {
		bool is_capital = code.p[i] >= 'A' && code.p[i] <= 'Z';

		judge(f, R_QC_PDS_CASE, is_capital);
		small[i] = is_capital ? code.p[i] | 0x20u : code.p[i];
	}
	judge(f, R_QC_PDS_LANGUAGE, !language_known(bytes_of(small, 2)));
	*english |= small[0] == 'e' && small[1] == 'n';
}

#define LANGUAGES_KEPT 8

static void
judge_disclosures(struct facts *f, struct der *info)
{
	struct der all = der_enter(info, DER_SEQUENCE);
	struct bytes seen[LANGUAGES_KEPT];
	size_t n = 0, i;
	bool english = false;

	judge(f, R_QC_PDS, der_peek(&all) == 0);
	while (der_peek(&all) != 0) {
		struct der one = der_enter(&all, DER_SEQUENCE);
		struct bytes url = der_get(&one, DER_IA5_STRING);
		struct bytes code = der_get(&one, DER_PRINTABLE_STRING);

		judge(f, R_QC_PDS, !der_end(&one));
		judge(f, R_QC_PDS_HTTPS,
		    !uri_valid(url) || url.len < 9 ||
			memcmp(url.p, "https://", 8) != 0);
		judge_language(f, code, &english);
		for (i = 0; i < n; i++)
			judge(f, R_QC_PDS_TWICE, bytes_eq(code, seen[i]));
		if (n < LANGUAGES_KEPT)
			seen[n++] = code;
	}
	judge(f, R_QC_PDS, all.bad);
	judge(f, R_QC_PDS_ENGLISH, !english);
}

static void
judge_legislation(struct facts *f, struct der *info)
{
	struct der all = der_enter(info, DER_SEQUENCE);

	judge(f, R_QC_COUNTRY, der_peek(&all) == 0);
	while (der_peek(&all) != 0)
		judge(f, R_QC_COUNTRY,
		    !country_known(der_get(&all, DER_PRINTABLE_STRING)));
	judge(f, R_QC_COUNTRY, all.bad);
}

/* SemanticsInformation of RFC 3739: an identifier, or who registers names. */
static void
judge_semantics(struct facts *f, struct der *info, struct qc *qc)
{
	/* 0.4.0.194121.1.1, natural persons; .3 is that of eIDAS. */
	static const uint8_t natural[] = { 0x04, 0x00, 0x8b, 0xec, 0x49, 0x01,
		0x01 };
	struct der in = der_enter(info, DER_SEQUENCE);
	struct bytes id = BYTES_NONE, names;
	bool has_id = der_optional(&in, DER_OID, &id);
	bool has_names = der_optional(&in, DER_SEQUENCE, &names);

	judge(f, R_SEMANTICS, !der_end(&in) || (!has_id && !has_names));
	qc->semantics_natural |=
	    bytes_eq(id, bytes_of(natural, sizeof(natural)));
}

static void
judge_info(struct facts *f, enum statement s, struct der *info, struct qc *qc)
{
	switch (s) {
	case QC_COMPLIANCE:
	case QC_SSCD:
		judge(f, R_QC_INFO, der_peek(info) != 0);
		break;
	case QC_LIMIT:
		judge_limit(f, info);
		break;
	case QC_RETENTION:
		(void)der_get_int(info);
		judge(f, R_QC_RETENTION, !der_end(info));
		break;
	case QC_PDS:
		judge_disclosures(f, info);
		break;
	case QC_TYPE:
		judge_types(f, info, qc);
		break;
	case QC_LEGISLATION:
		judge_legislation(f, info);
		break;
	case QC_SEMANTICS:
		judge_semantics(f, info, qc);
		break;
	case QC_OTHER:
		break;
	}
}

static void
judge_statements(struct facts *f, struct qc *qc)
{
	struct der d = der_of(ext_value(f, X_QC));
	struct der all = der_enter(&d, DER_SEQUENCE);

	if (f->ext[X_QC] == NULL)
		return;
	judge(f, R_QC_FORM, der_peek(&all) == 0 || !der_end(&d));
	while (der_peek(&all) != 0) {
		struct der one = der_enter(&all, DER_SEQUENCE);
		struct bytes oid = der_get(&one, DER_OID);
		enum statement s = statement_of(oid);

		judge(f, R_QC_FORM, one.bad);
		judge(f, R_QC_STATEMENT_TYPE, type_of(oid) != 0);
		judge(f, R_QC_TWICE, s != QC_OTHER && (qc->seen >> s & 1) != 0);
		qc->seen |= 1u << s;
		judge_info(f, s, &one, qc);
	}
	judge(f, R_QC_FORM, all.bad);
}

/* --- Statements and the rest of the certificate ------------------------------------------- */

/* Table 1 of EN 319 412-2 4.3.2: settings A to F. */
static bool
usage_is_setting(unsigned usage)
{
	const unsigned ds = KU_DIGITAL_SIGNATURE, nr = KU_NON_REPUDIATION;
	unsigned exchange = usage & ~(ds | nr);

	if (exchange != 0 && exchange != KU_KEY_ENCIPHERMENT &&
	    exchange != KU_KEY_AGREEMENT)
		return false;
	/* Only nonRepudiation with an exchange of keys is none of them. */
	return usage != 0 && (exchange == 0 || (usage & (ds | nr)) != nr);
}

static void
judge_qualified(struct facts *f, const struct qc *qc)
{
	bool compliance = (qc->seen >> QC_COMPLIANCE & 1) != 0;
	bool sscd = (qc->seen >> QC_SSCD & 1) != 0;
	bool signs = (qc->types & TYPE_SIGN) != 0 ||
		     (compliance && (qc->seen >> QC_TYPE & 1) == 0);

	judge(f, R_QC_SSCD_ALONE, sscd && !compliance);
	judge(f, R_QC_TYPE_WEB,
	    (qc->types & TYPE_WEB) != 0 && (f->eku & E_SERVER) == 0);
	judge(f, R_QC_TYPE_SIGN,
	    (qc->types & TYPE_SIGN) != 0 &&
		(f->c->key_usage & KU_NON_REPUDIATION) == 0);
	judge(f, R_QC_USAGE, signs && !usage_is_setting(f->c->key_usage));
}

/* --- Identifiers of persons and organizations ------------------------------------------------ */

static bool
is_capital(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
type_among(struct bytes v, const char *const *types, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (memcmp(v.p, types[i], 3) == 0)
			return true;
	}
	/* Two letters and a colon: a scheme of the country itself. */
	return is_capital(v.p[0]) && is_capital(v.p[1]) && v.p[2] == ':';
}

/* Codes that EN 319 412-1 takes beside those of ISO 3166-1. */
static bool
scheme_country(struct bytes v)
{
	return country_known(v) || memcmp(v.p, "XG", 2) == 0 ||
	       memcmp(v.p, "EL", 2) == 0 || memcmp(v.p, "XI", 2) == 0;
}

/* Type, country, perhaps + and a part of it, hyphen, identifier. */
static bool
identifier_valid(struct bytes v, const char *const *types, size_t n)
{
	const uint8_t *hyphen;

	if (v.len < 7 || !type_among(v, types, n) ||
	    !scheme_country(bytes_of(v.p + 3, 2)))
		return false;
	hyphen = memchr(v.p + 5, '-', v.len - 5);
	return hyphen != NULL && hyphen + 1 < v.p + v.len &&
	       (hyphen == v.p + 5 || v.p[5] == '+');
}

/* Looks as if it were meant to be in that form: IDCCL-… */
static bool
looks_typed(struct bytes v, const char *const *types, size_t n)
{
	return v.len >= 6 && type_among(v, types, n) && v.p[5] == '-';
}

static const char *const person_types[] = { "PAS", "IDC", "PNO", "TAX", "TIN" };
static const char *const organization_types[] = { "VAT", "NTR", "PSD", "LEI",
	"GOV", "INT", "EID", "TAX" };

/* The value of organizationIdentifier, 2.5.4.97, in the subject. */
static bool
organization_id(const struct facts *f, struct bytes *out)
{
	static const uint8_t oid[] = { 0x55, 0x04, 0x61 };
	struct der d = der_of(f->c->subject);
	struct der rdns = der_enter(&d, DER_SEQUENCE);

	while (der_peek(&rdns) != 0) {
		struct der rdn = der_enter(&rdns, DER_SET);
		struct der atv = der_enter(&rdn, DER_SEQUENCE);

		if (!bytes_eq(der_get(&atv, DER_OID),
			bytes_of(oid, sizeof(oid))))
			continue;
		*out = der_get(&atv, der_peek(&atv));
		return !atv.bad;
	}
	return false;
}

static void
judge_identifiers(struct facts *f, const struct qc *qc)
{
	size_t n = ARRAY_LEN(person_types);
	struct bytes serial = f->subject_serial, id = BYTES_NONE;

	judge(f, R_SEMANTICS_SERIAL,
	    serial.len > 0 &&
		(qc->semantics_natural ||
		    looks_typed(serial, person_types, n)) &&
		!identifier_valid(serial, person_types, n));
	if ((f->subject_has & 1u << A_ORG_ID) != 0)
		judge(f, R_ORGANIZATION_ID,
		    !organization_id(f, &id) ||
			!identifier_valid(id, organization_types,
			    ARRAY_LEN(organization_types)));
}

/* --- Natural persons ---------------------------------------------------------------------------- */

static bool
is_person(const struct facts *f, const struct qc *qc)
{
	return (f->subject_has & 1u << A_ORG_ID) == 0 &&
	       (f->eku & (E_SERVER | E_CODE | E_TIME)) == 0 &&
	       (qc->types & (TYPE_SEAL | TYPE_WEB)) == 0;
}

static void
judge_person(struct facts *f, const struct qc *qc)
{
	const unsigned both = 1u << A_GIVEN | 1u << A_SURNAME;
	const unsigned of_issuer = 1u << A_C | 1u << A_O | 1u << A_CN;
	const unsigned once = 1u << A_C | 1u << A_CN | 1u << A_SERIAL;
	unsigned has = f->subject_has;

	if (!is_person(f, qc))
		return;
	judge(f, R_NATURAL_COUNTRY, (has & 1u << A_C) == 0);
	judge(f, R_NATURAL_NAMES,
	    (has & both) != both && (has & 1u << A_PSEUDONYM) == 0);
	judge(f, R_NATURAL_CN, (has & 1u << A_CN) == 0);
	judge(f, R_NATURAL_SERIAL, (has & 1u << A_SERIAL) == 0);
	judge(f, R_NATURAL_TWICE, (f->subject_twice & once) != 0);
	judge(f, R_NATURAL_ISSUER, (f->issuer_has & of_issuer) != of_issuer);
}

void
lint_etsi(struct facts *f)
{
	struct qc qc = { .seen = 0 };

	judge_statements(f, &qc);
	judge_qualified(f, &qc);
	judge_identifiers(f, &qc);
	judge_person(f, &qc);
}
