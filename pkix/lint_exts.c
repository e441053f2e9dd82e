/*
 * Lint of the extensions other than keyUsage, basicConstraints and EKU.
 */
#include "lint.h"

bool
lint_key_ids(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->ski.len == 0 || c->aki.len == 0;
}

bool
lint_root_key_ids(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->ski.len == 0 || (c->aki.len > 0 && !bytes_eq(c->ski, c->aki));
}

/* Only these may be critical; basicConstraints and keyUsage must be. */
bool
lint_critical_set(const struct cert *c, const struct facts *f)
{
	size_t i;

	(void)f;
	for (i = 0; i < c->n_ext; i++) {
		const struct cert_ext *x = &c->ext[i];

		if (x->critical && !x->declared &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_BASIC)) &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_CONSTRAINTS)) &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_KEY_USAGE)) &&
		    !bytes_eq(x->oid, oid_known(OID_EXT_EKU)))
			return true;
	}
	return false;
}

bool
lint_unknown_extension(const struct cert *c, const struct facts *f)
{
	static const enum pkix_oid ours[] = { OID_EXT_BASIC, OID_EXT_KEY_USAGE,
		OID_EXT_EKU, OID_EXT_SKI, OID_EXT_AKI, OID_EXT_POLICIES,
		OID_EXT_SAN, OID_EXT_IAN, OID_EXT_CRLDP, OID_EXT_AIA,
		OID_EXT_NOCHECK };
	size_t i, k;

	(void)f;
	for (i = 0; i < c->n_ext; i++) {
		for (k = 0; k < ARRAY_LEN(ours); k++) {
			if (bytes_eq(c->ext[i].oid, oid_known(ours[k])))
				break;
		}
		if (k == ARRAY_LEN(ours) && !c->ext[i].declared)
			return true;
	}
	return false;
}

bool
lint_san_missing(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_find_ext(c, OID_EXT_SAN) == NULL;
}

/* Runs over the GeneralNames of SAN and IAN. */
static bool
any_name(const struct cert *c, bool (*broken)(uint8_t tag, struct bytes v))
{
	static const enum pkix_oid exts[] = { OID_EXT_SAN, OID_EXT_IAN };
	size_t i;

	for (i = 0; i < ARRAY_LEN(exts); i++) {
		const struct cert_ext *x = cert_find_ext(c, exts[i]);
		struct der d, in;

		if (x == NULL)
			continue;
		d = der_of(x->value);
		in = der_enter(&d, DER_SEQUENCE);
		while (der_peek(&in) != 0) {
			uint8_t tag = der_peek(&in);

			if (broken(tag, der_get(&in, tag)) || in.bad)
				return true;
		}
	}
	return false;
}

/* A RUT is an IA5String in the stored form with the right check digit. */
static bool
rut_broken(uint8_t tag, struct bytes v)
{
	struct der d = der_of(v), in;
	char text[RUN_TEXT];
	struct err ignored;
	struct bytes oid;

	if (tag != DER_CONTEXT_CONS(0))
		return false;
	oid = der_get(&d, DER_OID);
	if (!bytes_eq(oid, oid_known(OID_RUT_HOLDER)) &&
	    !bytes_eq(oid, oid_known(OID_RUT_CERTIFIER)))
		return false;
	in = der_enter(&d, DER_CONTEXT_CONS(0));
	v = der_get(&in, DER_IA5_STRING);
	return !der_end(&in) || run_parse(v, text, &ignored) != ERR_OK ||
	       !bytes_is(v, text);
}

bool
lint_rut_form(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_name(c, rut_broken);
}

static bool
email_broken(uint8_t tag, struct bytes v)
{
	struct err ignored;

	return tag == DER_CONTEXT(1) && email_check(v, &ignored) != ERR_OK;
}

bool
lint_email_form(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_name(c, email_broken);
}

static bool
starts_http(struct bytes v)
{
	return v.len > 7 && memcmp(v.p, "http://", 7) == 0 &&
	       ascii_printable(v) && memchr(v.p, ' ', v.len) == NULL;
}

/* Every URL below CRLDP and AIA is http; nothing else is there. */
static bool
crl_urls(const struct cert *c)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_CRLDP);
	struct der d, all, dp, name, full;

	if (x == NULL)
		return true;
	d = der_of(x->value);
	all = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&all) != 0) {
		dp = der_enter(&all, DER_SEQUENCE);
		name = der_enter(&dp, DER_CONTEXT_CONS(0));
		full = der_enter(&name, DER_CONTEXT_CONS(0));
		if (!starts_http(der_get(&full, DER_CONTEXT(6))) ||
		    !der_end(&full) || !der_end(&dp))
			return false;
	}
	return der_end(&all);
}

static bool
access_urls(const struct cert *c)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_AIA);
	struct der d, all, ad;

	if (x == NULL)
		return true;
	d = der_of(x->value);
	all = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&all) != 0) {
		ad = der_enter(&all, DER_SEQUENCE);
		(void)der_get(&ad, DER_OID);
		if (!starts_http(der_get(&ad, DER_CONTEXT(6))) || !der_end(&ad))
			return false;
	}
	return der_end(&all);
}

bool
lint_url_scheme(const struct cert *c, const struct facts *f)
{
	(void)f;
	return !crl_urls(c) || !access_urls(c);
}

/* Content of a qualifier: CPS in IA5String, or UserNotice with UTF8String. */
static bool
qualifier_fits(struct der *q)
{
	struct bytes oid = der_get(q, DER_OID), v;
	struct der notice;

	if (bytes_eq(oid, oid_known(OID_QT_CPS))) {
		v = der_get(q, DER_IA5_STRING);
		return der_end(q) && v.len > 0 && ascii_printable(v);
	}
	if (!bytes_eq(oid, oid_known(OID_QT_NOTICE)))
		return false;
	notice = der_enter(q, DER_SEQUENCE);
	v = der_get(&notice, DER_UTF8_STRING);
	return der_end(&notice) && der_end(q) && v.len > 0 && utf8_valid(v) &&
	       utf8_count(v) <= 200;
}

bool
lint_policies(const struct cert *c, const struct facts *f)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_POLICIES);
	struct der d, all, info, q;
	struct bytes quals;

	(void)f;
	if (x == NULL)
		return false;
	d = der_of(x->value);
	all = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&all) != 0) {
		info = der_enter(&all, DER_SEQUENCE);
		(void)der_get(&info, DER_OID);
		if (!der_optional(&info, DER_SEQUENCE, &quals))
			continue;
		d = der_of(quals);
		while (der_peek(&d) != 0) {
			q = der_enter(&d, DER_SEQUENCE);
			if (!qualifier_fits(&q))
				return true;
		}
	}
	return !der_end(&all);
}

bool
lint_nocheck_elsewhere(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_find_ext(c, OID_EXT_NOCHECK) != NULL;
}

/* BR 7.1.2.8, which fits every delegated responder. */
bool
lint_ocsp_extensions(const struct cert *c, const struct facts *f)
{
	(void)f;
	return cert_find_ext(c, OID_EXT_NOCHECK) == NULL ||
	       cert_find_ext(c, OID_EXT_CRLDP) != NULL ||
	       cert_find_ext(c, OID_EXT_AIA) != NULL ||
	       cert_find_ext(c, OID_EXT_SAN) != NULL;
}

bool
lint_ocsp_usage(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->key_usage != KU_DIGITAL_SIGNATURE;
}

bool
lint_ocsp_life(const struct cert *c, const struct facts *f)
{
	(void)f;
	return c->not_after - c->not_before + 1 > 30 * DAY;
}
