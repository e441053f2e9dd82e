/*
 * Lint of the two names: types, alphabets, bounds, countries.
 */
#include "lint.h"

static bool
is_empty_name(struct bytes name)
{
	return name.len <= 2;
}

bool
lint_name_missing(const struct cert *c, const struct facts *f)
{
	(void)f;
	return is_empty_name(c->issuer) || is_empty_name(c->subject);
}

bool
lint_root_issuer(const struct cert *c, const struct facts *f)
{
	(void)f;
	return !bytes_eq(c->issuer, c->subject);
}

bool
lint_own_issuer(const struct cert *c, const struct facts *f)
{
	(void)f;
	return bytes_eq(c->issuer, c->subject);
}

struct attr {
	struct bytes oid, value;
	uint8_t tag;
};

/* Is there an attribute of the subject or the issuer that breaks the rule? */
static bool
any_attr(const struct cert *c, bool (*broken)(const struct attr *a))
{
	const struct bytes names[] = { c->issuer, c->subject };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		struct der d = der_of(names[i]);
		struct der rdns = der_enter(&d, DER_SEQUENCE);

		while (der_peek(&rdns) != 0) {
			struct der rdn = der_enter(&rdns, DER_SET);

			while (der_peek(&rdn) != 0) {
				struct der atv = der_enter(&rdn, DER_SEQUENCE);
				struct attr a;

				a.oid = der_get(&atv, DER_OID);
				a.tag = der_peek(&atv);
				a.value = der_get(&atv, a.tag);
				if (atv.bad || broken(&a))
					return true;
			}
		}
	}
	return false;
}

static bool
attr_is(const struct attr *a, enum pkix_oid type)
{
	return bytes_eq(a->oid, oid_known(type));
}

static bool
alphabet_broken(const struct attr *a)
{
	if (a->tag == DER_PRINTABLE_STRING)
		return !printable_valid(a->value);
	if (a->tag == DER_IA5_STRING)
		return !ia5_valid(a->value);
	return a->tag == DER_UTF8_STRING && !utf8_valid(a->value);
}

bool
lint_name_alphabet(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, alphabet_broken);
}

static bool
string_type_broken(const struct attr *a)
{
	if (attr_is(a, OID_C) || attr_is(a, OID_SERIAL_NUMBER))
		return a->tag != DER_PRINTABLE_STRING;
	if (attr_is(a, OID_EMAIL))
		return a->tag != DER_IA5_STRING;
	return a->tag != DER_UTF8_STRING && a->tag != DER_PRINTABLE_STRING;
}

bool
lint_name_string_type(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, string_type_broken);
}

static bool
length_broken(const struct attr *a)
{
	size_t n = a->tag == DER_UTF8_STRING && utf8_valid(a->value)
		       ? utf8_count(a->value)
		       : a->value.len;

	if (attr_is(a, OID_EMAIL))
		return n == 0 || n > 255;
	return n == 0 || n > 64;
}

bool
lint_name_length(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, length_broken);
}

static bool
country_broken(const struct attr *a)
{
	return attr_is(a, OID_C) && !country_known(a->value);
}

bool
lint_name_country(const struct cert *c, const struct facts *f)
{
	(void)f;
	return any_attr(c, country_broken);
}
