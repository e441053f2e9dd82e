/* points - the addresses that a certificate names for its status. */
#include "internal.h"

struct bytes
cert_aia_url(const struct cert *c, enum pkix_oid method)
{
	static const char scheme[] = "http://";
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_AIA);
	struct der d, in;

	if (x == NULL)
		return BYTES_NONE;
	d = der_of(x->value);
	in = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&in) != 0) {
		struct der ad = der_enter(&in, DER_SEQUENCE);
		struct bytes oid = der_get(&ad, DER_OID), url;

		if (der_optional(&ad, DER_CONTEXT(6), &url) &&
		    bytes_eq(oid, oid_known(method)) &&
		    url.len > sizeof(scheme) &&
		    memcmp(url.p, scheme, sizeof(scheme) - 1) == 0)
			return url;
	}
	return BYTES_NONE;
}

bool
cert_one_point(const struct cert *c, enum pkix_oid oid, struct bytes *url)
{
	const struct cert_ext *x = cert_find_ext(c, oid);
	struct der d, points, point, name, full;

	if (x == NULL)
		return false;
	d = der_of(x->value);
	points = der_enter(&d, DER_SEQUENCE);
	point = der_enter(&points, DER_SEQUENCE);
	name = der_enter(&point, DER_CONTEXT_CONS(0));
	full = der_enter(&name, DER_CONTEXT_CONS(0));
	*url = der_get(&full, DER_CONTEXT(6));
	return der_end(&full) && der_end(&name) && der_end(&point) &&
	       der_end(&points) && der_end(&d);
}

bool
cert_names_crl(const struct cert *c, struct bytes url)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_CRLDP);
	struct der d, points;

	if (x == NULL)
		return false;
	d = der_of(x->value);
	points = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&points) != 0 && !points.bad) {
		struct der point = der_enter(&points, DER_SEQUENCE), names;
		struct bytes name, full, one;

		if (!der_optional(&point, DER_CONTEXT_CONS(0), &name))
			continue;
		names = der_of(name);
		if (!der_optional(&names, DER_CONTEXT_CONS(0), &full))
			continue;
		names = der_of(full);
		while (der_peek(&names) != 0 && !names.bad) {
			if (!der_optional(&names, DER_CONTEXT(6), &one))
				(void)der_element(&names);
			else if (bytes_eq(one, url))
				return true;
		}
	}
	return false;
}
