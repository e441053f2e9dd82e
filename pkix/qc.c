/*
 * qcStatements: what a qualified certificate states of itself (RFC 3739 3.2.6,
 * ETSI EN 319 412-5).
 */
#include "internal.h"

#define PDS_URL_MAX   200
#define RETENTION_MAX 100
#define EXPONENT_MAX  20

/* id-etsi-qcs, 0.4.0.1862.1; one more octet is the statement. */
static const uint8_t etsi[] = { 0x04, 0x00, 0x8e, 0x46, 0x01 };
enum etsi_statement {
	QCS_COMPLIANCE = 1,
	QCS_LIMIT = 2,
	QCS_RETENTION = 3,
	QCS_SSCD = 4,
	QCS_PDS = 5,
	QCS_TYPE = 6,
	QCS_LEGISLATION = 7,
};
/* id-qcs-pkixQCSyntax-v2 */
static const uint8_t syntax_v2[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0b,
	0x02 };

bool
qc_present(const struct qc_statements *q)
{
	return q->compliance || q->sscd || q->types != 0 || q->n_country > 0 ||
	       q->currency[0] != '\0' || q->retention_years != 0 ||
	       q->n_pds > 0 || q->semantics.len > 0;
}

/* --- Judgement ----------------------------------------------------------------- */

static bool
letters(const char *p, size_t n, char first, char last)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] < first || p[i] > last)
			return false;
	}
	return p[n] == '\0';
}

static enum err_code
check_limit(const struct qc_statements *q, struct err *e)
{
	if (q->currency[0] == '\0' && q->amount == 0 && q->exponent == 0)
		return ERR_OK;
	if (letters(q->currency, 3, 'A', 'Z') && q->amount >= 1 &&
	    q->exponent >= 0 && q->exponent <= EXPONENT_MAX)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "qc-limit", "EN 319 412-5 4.3.2",
	    at_field("qc_statements.limit"),
	    "a limit of value is a currency of three capital letters, as in "
	    "CLP, an amount from 1 and an exponent from 0 to 20");
}

static enum err_code
check_pds(const struct qc_statements *q, struct err *e)
{
	bool good = q->n_pds <= SPEC_PDS_MAX;
	struct err ignored;
	size_t i;

	for (i = 0; good && i < q->n_pds; i++) {
		const struct qc_pds *p = &q->pds[i];

		good = letters(p->lang, 2, 'a', 'z') &&
		       p->url.len <= PDS_URL_MAX && p->url.len > 8 &&
		       memcmp(p->url.p, "https://", 8) == 0 &&
		       uri_check(p->url, &ignored) == ERR_OK;
	}
	if (good)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "qc-pds", "EN 319 412-5 4.3.4",
	    at_field("qc_statements.pds"),
	    "a disclosure statement is an address that begins with https://, "
	    "and a language of two small letters, as in es");
}

enum err_code
qc_check(const struct qc_statements *q, struct err *e)
{
	size_t i;

	if (q->types > (QC_ESIGN | QC_ESEAL | QC_WEB))
		return err_at(e, ERR_INVALID, "qc-types", "EN 319 412-5 4.2.3",
		    at_field("qc_statements.types"),
		    "a certificate is for esign, eseal or web, and nothing "
		    "else");
	if (q->n_country > SPEC_LAWS_MAX)
		return err_at(e, ERR_INVALID, "qc-countries",
		    "EN 319 412-5 4.2.4", at_field("qc_statements.countries"),
		    "more than 4 countries are named");
	for (i = 0; i < q->n_country; i++) {
		if (q->country[i][2] != '\0' ||
		    !country_known(bytes_of(q->country[i], 2)))
			return err_at(e, ERR_INVALID, "qc-country",
			    "EN 319 412-5 4.2.4",
			    at_field("qc_statements.countries"),
			    "a country of legislation is not a code of "
			    "ISO 3166-1; write two capital letters, as in CL");
	}
	TRY(check_limit(q, e));
	if (q->retention_years < 0 || q->retention_years > RETENTION_MAX)
		return err_at(e, ERR_INVALID, "qc-retention",
		    "EN 319 412-5 4.3.3", at_field("qc_statements.retention"),
		    "records are retained for 1 to 100 years after the end of "
		    "the certificate");
	return check_pds(q, e);
}

/* --- Writing -------------------------------------------------------------------- */

static void
put_etsi_oid(struct der_w *w, enum etsi_statement which)
{
	uint8_t oid[sizeof(etsi) + 1];

	memcpy(oid, etsi, sizeof(etsi));
	oid[sizeof(etsi)] = (uint8_t)which;
	der_put_oid(w, bytes_of(oid, sizeof(oid)));
}

/* Writes the statement around its information, written since mark. */
static void
wrap_statement(struct der_w *w, enum etsi_statement which, size_t mark)
{
	put_etsi_oid(w, which);
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
put_countries(struct der_w *w, const struct qc_statements *q)
{
	size_t mark = der_mark(w), n = q->n_country;

	if (n == 0)
		return;
	while (n-- > 0)
		der_put(w, DER_PRINTABLE_STRING, bytes_of(q->country[n], 2));
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_statement(w, QCS_LEGISLATION, mark);
}

static void
put_types(struct der_w *w, const struct qc_statements *q)
{
	static const uint8_t base[] = { 0x04, 0x00, 0x8e, 0x46, 0x01, 0x06 };
	uint8_t oid[sizeof(base) + 1];
	size_t mark = der_mark(w);
	unsigned i;

	if (q->types == 0)
		return;
	memcpy(oid, base, sizeof(base));
	for (i = 3; i-- > 0;) {
		if ((q->types >> i & 1u) == 0)
			continue;
		oid[sizeof(base)] = (uint8_t)(i + 1);
		der_put_oid(w, bytes_of(oid, sizeof(oid)));
	}
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_statement(w, QCS_TYPE, mark);
}

static void
put_pds(struct der_w *w, const struct qc_statements *q)
{
	size_t all = der_mark(w), n = q->n_pds;

	if (n == 0)
		return;
	while (n-- > 0) {
		size_t mark = der_mark(w);

		der_put(w, DER_PRINTABLE_STRING, bytes_of(q->pds[n].lang, 2));
		der_put(w, DER_IA5_STRING, q->pds[n].url);
		der_wrap(w, DER_SEQUENCE, mark);
	}
	der_wrap(w, DER_SEQUENCE, all);
	wrap_statement(w, QCS_PDS, all);
}

static void
put_limit(struct der_w *w, const struct qc_statements *q)
{
	size_t mark = der_mark(w);

	if (q->currency[0] == '\0')
		return;
	der_put_uint(w, (uint64_t)q->exponent);
	der_put_uint(w, (uint64_t)q->amount);
	der_put(w, DER_PRINTABLE_STRING, bytes_of(q->currency, 3));
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_statement(w, QCS_LIMIT, mark);
}

static void
put_semantics(struct der_w *w, const struct qc_statements *q)
{
	size_t mark = der_mark(w);

	if (q->semantics.len == 0)
		return;
	der_put_oid(w, oid_bytes(&q->semantics));
	der_wrap(w, DER_SEQUENCE, mark);
	der_put_oid(w, bytes_of(syntax_v2, sizeof(syntax_v2)));
	der_wrap(w, DER_SEQUENCE, mark);
}

/* From the last statement to the first: they stand in the order of numbers. */
void
put_qc(struct der_w *w, const struct qc_statements *q)
{
	size_t all = der_mark(w), mark;

	put_countries(w, q);
	put_types(w, q);
	put_pds(w, q);
	if (q->sscd)
		wrap_statement(w, QCS_SSCD, der_mark(w));
	if (q->retention_years > 0) {
		mark = der_mark(w);
		der_put_uint(w, (uint64_t)q->retention_years);
		wrap_statement(w, QCS_RETENTION, mark);
	}
	put_limit(w, q);
	if (q->compliance)
		wrap_statement(w, QCS_COMPLIANCE, der_mark(w));
	put_semantics(w, q);
	der_wrap(w, DER_SEQUENCE, all);
}

/* --- Reading -------------------------------------------------------------------- */

static bool
oids_valid(struct der *d)
{
	struct der in = der_enter(d, DER_SEQUENCE);

	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0)
		(void)der_get(&in, DER_OID);
	return der_end(&in);
}

static bool
countries_valid(struct der *d)
{
	struct der in = der_enter(d, DER_SEQUENCE);

	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0) {
		if (!country_known(der_get(&in, DER_PRINTABLE_STRING)))
			return false;
	}
	return der_end(&in);
}

static bool
pds_valid(struct der *d)
{
	struct der in = der_enter(d, DER_SEQUENCE), one;
	struct bytes url, lang;

	if (der_peek(&in) == 0)
		return false;
	while (der_peek(&in) != 0) {
		one = der_enter(&in, DER_SEQUENCE);
		url = der_get(&one, DER_IA5_STRING);
		lang = der_get(&one, DER_PRINTABLE_STRING);
		if (!der_end(&one) || url.len == 0 || !ascii_printable(url) ||
		    lang.len != 2)
			return false;
	}
	return der_end(&in);
}

static bool
limit_valid(struct der *d)
{
	struct der in = der_enter(d, DER_SEQUENCE);

	if (der_peek(&in) == DER_INTEGER) { /* a number of ISO 4217 */
		int64_t currency = der_get_int(&in);

		if (currency < 1 || currency > 999)
			return false;
	} else if (der_get(&in, DER_PRINTABLE_STRING).len != 3) {
		return false;
	}
	(void)der_get(&in, DER_INTEGER);
	(void)der_get(&in, DER_INTEGER);
	return der_end(&in);
}

/* The information of one of ETSI's statements. */
static bool
etsi_valid(uint8_t which, struct der *d)
{
	switch (which) {
	case QCS_LIMIT:
		return limit_valid(d);
	case QCS_RETENTION:
		(void)der_get_int(d);
		return true;
	case QCS_PDS:
		return pds_valid(d);
	case QCS_TYPE:
		return oids_valid(d);
	case QCS_LEGISLATION:
		return countries_valid(d);
	case QCS_COMPLIANCE:
	case QCS_SSCD:
		return true; /* they have none */
	default:
		if (der_peek(d) != 0)
			(void)der_element(d);
		return true;
	}
}

bool
qc_valid(struct bytes statements)
{
	struct der d = der_of(statements), all = der_enter(&d, DER_SEQUENCE);

	if (der_peek(&all) == 0)
		return false;
	while (der_peek(&all) != 0) {
		struct der one = der_enter(&all, DER_SEQUENCE);
		struct bytes oid = der_get(&one, DER_OID);
		uint8_t which = 0;

		if (oid.len == sizeof(etsi) + 1 &&
		    memcmp(oid.p, etsi, sizeof(etsi)) == 0)
			which = oid.p[sizeof(etsi)];
		if (!etsi_valid(which, &one) || !der_end(&one))
			return false;
	}
	return der_end(&all) && der_end(&d);
}
