/*
 * Lint of what points elsewhere: CRL distribution points, authority
 * information access, certificate policies with their qualifiers.
 */
#include "lint.h"

#define NOTICE_MAX 200 /* characters, RFC 5280 4.2.1.4 */

#define BMP_STRING 0x1e
#define VISIBLE    0x1a

/* The house writes small letters and nothing else than http. */
static bool
is_house_url(struct bytes v)
{
	return v.len > 7 && memcmp(v.p, "http://", 7) == 0 &&
	       ascii_printable(v) && memchr(v.p, ' ', v.len) == NULL;
}

static void
judge_uri(struct facts *f, struct bytes uri)
{
	judge(f, R_URI_FORM, !uri_valid(uri));
	judge(f, R_URI_HOST, uri_valid(uri) && !uri_host_valid(uri));
	judge(f, R_AIA_INTERNAL, uri_is_internal(uri));
}

/* --- CRL distribution points ------------------------------------------------------------ */

/* True when one of the names of the point is an http address. */
static bool
judge_point_name(struct facts *f, struct bytes content)
{
	struct der name = der_of(content), full;
	bool has_http = false;

	if (der_peek(&name) != DER_CONTEXT_CONS(0)) {
		judge(f, R_URL, true);
		return false;
	}
	full = der_enter(&name, DER_CONTEXT_CONS(0));
	judge(f, R_URL, der_end(&full));
	while (der_peek(&full) != 0) {
		uint8_t tag = der_peek(&full);
		struct bytes v = der_get(&full, tag);

		judge(f, R_URL, tag != DER_CONTEXT(6) || !is_house_url(v));
		if (tag != DER_CONTEXT(6))
			continue;
		judge_uri(f, v);
		has_http |= uri_is_http(v);
	}
	judge(f, R_URL, full.bad);
	return has_http;
}

/* freshestCRL has the same form (RFC 5280 4.2.1.15). */
static void
judge_points(struct facts *f, enum lint_ext ext)
{
	struct der d = der_of(ext_value(f, ext));
	struct der all = der_enter(&d, DER_SEQUENCE);
	bool has_http = false;

	if (f->ext[ext] == NULL)
		return;
	judge(f, R_EXT_EMPTY, der_end(&all));
	while (der_peek(&all) != 0) {
		struct der dp = der_enter(&all, DER_SEQUENCE);
		struct bytes name, part;
		bool named, reasons, issuer;

		named = der_optional(&dp, DER_CONTEXT_CONS(0), &name);
		if (named)
			has_http |= judge_point_name(f, name);
		reasons = der_optional(&dp, DER_CONTEXT(1), &part);
		issuer = der_optional(&dp, DER_CONTEXT_CONS(2), &part);
		judge(f, R_CRLDP_INCOMPLETE, !named && !issuer);
		judge(f, R_CRLDP_PARTS, reasons || issuer);
		judge(f, R_URL, !named || reasons || issuer || !der_end(&dp));
	}
	judge(f, R_CRLDP_HTTP, !has_http);
	judge(f, R_URL, all.bad);
}

/* --- Authority information access ---------------------------------------------------------- */

static void
judge_access(struct facts *f)
{
	struct der d = der_of(ext_value(f, X_AIA));
	struct der all = der_enter(&d, DER_SEQUENCE);
	bool ocsp = false, issuer = false, ocsp_http = false,
	     issuer_http = false;

	judge(f, R_EXT_EMPTY, f->ext[X_AIA] != NULL && der_end(&all));
	while (der_peek(&all) != 0) {
		struct der ad = der_enter(&all, DER_SEQUENCE);
		struct bytes method = der_get(&ad, DER_OID);
		uint8_t tag = der_peek(&ad);
		struct bytes v = der_get(&ad, tag);
		bool is_ocsp = bytes_eq(method, oid_known(OID_AD_OCSP));
		bool is_issuer = bytes_eq(method, oid_known(OID_AD_CA_ISSUERS));

		judge(f, R_AIA_KIND, tag != DER_CONTEXT(6));
		judge(f, R_URL,
		    tag != DER_CONTEXT(6) || !is_house_url(v) || !der_end(&ad));
		if (tag == DER_CONTEXT(6))
			judge_uri(f, v);
		ocsp |= is_ocsp;
		issuer |= is_issuer;
		ocsp_http |= is_ocsp && uri_is_http(v);
		issuer_http |= is_issuer && uri_is_http(v);
	}
	judge(f, R_URL, f->ext[X_AIA] != NULL && all.bad);
	judge(f, R_AIA_HTTP, (ocsp && !ocsp_http) || (issuer && !issuer_http));
	judge(f, R_AIA_MISSING, !issuer || (!ocsp && f->ext[X_NOREV] == NULL));
}

void
lint_places(struct facts *f)
{
	judge(f, R_CRLDP_MISSING,
	    f->ext[X_CRLDP] == NULL && f->ext[X_NOREV] == NULL);
	judge(f, R_FRESHEST_ALONE,
	    f->ext[X_FRESHEST] != NULL && f->ext[X_CRLDP] == NULL);
	judge(f, R_FRESHEST_KIND, f->ext[X_FRESHEST] != NULL);
	judge_points(f, X_CRLDP);
	judge_points(f, X_FRESHEST);
	judge_access(f);
}

/* --- Certificate policies -------------------------------------------------------------------- */

static bool
has_control(struct bytes v)
{
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return true;
	}
	return false;
}

static void
judge_notice_text(struct facts *f, uint8_t tag, struct bytes v)
{
	size_t n = v.len;

	if (tag == DER_UTF8_STRING && utf8_valid(v))
		n = utf8_count(v);
	else if (tag == BMP_STRING)
		n = v.len / 2;
	judge(f, R_NOTICE_LENGTH, n == 0 || n > NOTICE_MAX);
	judge(f, R_NOTICE_TYPE,
	    tag != DER_UTF8_STRING && tag != BMP_STRING && tag != VISIBLE);
	judge(f, R_NOTICE_UTF8, tag == BMP_STRING || tag == VISIBLE);
	judge(f, R_NOTICE_CONTROL, tag != BMP_STRING && has_control(v));
	judge(f, R_POLICIES,
	    tag != DER_UTF8_STRING || n == 0 || n > NOTICE_MAX ||
		!utf8_valid(v));
}

static void
judge_notice(struct facts *f, struct der *q)
{
	struct der notice = der_enter(q, DER_SEQUENCE);
	struct bytes ref;
	uint8_t tag;

	if (der_optional(&notice, DER_SEQUENCE, &ref)) {
		judge(f, R_NOTICE_REF, true);
		judge(f, R_POLICIES, true);
	}
	tag = der_peek(&notice);
	if (tag != 0)
		judge_notice_text(f, tag, der_get(&notice, tag));
	else
		judge(f, R_POLICIES, true);
	judge(f, R_POLICIES, !der_end(&notice) || !der_end(q));
}

/* CPS in IA5String, or a user notice. */
static void
judge_qualifier(struct facts *f, struct der *q, bool is_any)
{
	struct bytes oid = der_get(q, DER_OID), v;
	uint8_t tag;

	if (bytes_eq(oid, oid_known(OID_QT_NOTICE))) {
		judge_notice(f, q);
		return;
	}
	if (!bytes_eq(oid, oid_known(OID_QT_CPS))) {
		judge(f, R_POLICIES, true);
		judge(f, R_POLICIES_QUALIFIER, is_any);
		return;
	}
	tag = der_peek(q);
	v = der_get(q, tag);
	judge(f, R_CPS_FORM, tag != DER_IA5_STRING || !uri_valid(v));
	judge(f, R_POLICIES,
	    !der_end(q) || tag != DER_IA5_STRING || v.len == 0 ||
		!ascii_printable(v));
}

#define POLICIES_KEPT 8

void
lint_policies(struct facts *f)
{
	struct der d = der_of(ext_value(f, X_POLICIES)), all, quals, q;
	struct bytes seen[POLICIES_KEPT], list;
	size_t n = 0, i;

	judge(f, R_POLICIES_MISSING, f->ext[X_POLICIES] == NULL);
	if (f->ext[X_POLICIES] == NULL)
		return;
	all = der_enter(&d, DER_SEQUENCE);
	judge(f, R_EXT_EMPTY, der_end(&all));
	while (der_peek(&all) != 0) {
		struct der info = der_enter(&all, DER_SEQUENCE);
		struct bytes oid = der_get(&info, DER_OID);
		bool is_any = is_any_policy(oid);

		for (i = 0; i < n; i++)
			judge(f, R_POLICIES_TWICE, bytes_eq(oid, seen[i]));
		if (n < POLICIES_KEPT)
			seen[n++] = oid;
		judge(f, R_POLICIES_ANY, is_any);
		if (!der_optional(&info, DER_SEQUENCE, &list))
			continue;
		quals = der_of(list);
		while (der_peek(&quals) != 0) {
			q = der_enter(&quals, DER_SEQUENCE);
			judge_qualifier(f, &q, is_any);
		}
	}
	judge(f, R_POLICIES, !der_end(&all));
}
