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

static bool
string_type_broken(const struct attr *a)
{
	if (attr_is(a, OID_C) || attr_is(a, OID_SERIAL_NUMBER))
		return a->tag != DER_PRINTABLE_STRING;
	if (attr_is(a, OID_EMAIL))
		return a->tag != DER_IA5_STRING;
	return a->tag != DER_UTF8_STRING && a->tag != DER_PRINTABLE_STRING;
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

static bool
country_broken(const struct attr *a)
{
	return attr_is(a, OID_C) && !country_known(a->value);
}

static void
judge_attr(const struct attr *a, struct name_faults *out)
{
	out->alphabet |= alphabet_broken(a);
	out->string_type |= string_type_broken(a);
	out->length |= length_broken(a);
	out->country |= country_broken(a);
}

/* False for an attribute that does not read: it breaks every rule. */
static bool
judge_name(struct bytes name, struct name_faults *out)
{
	struct der d = der_of(name);
	struct der rdns = der_enter(&d, DER_SEQUENCE);

	while (der_peek(&rdns) != 0) {
		struct der rdn = der_enter(&rdns, DER_SET);

		while (der_peek(&rdn) != 0) {
			struct der atv = der_enter(&rdn, DER_SEQUENCE);
			struct attr a;

			a.oid = der_get(&atv, DER_OID);
			a.tag = der_peek(&atv);
			a.value = der_get(&atv, a.tag);
			if (atv.bad)
				return false;
			judge_attr(&a, out);
		}
	}
	return true;
}

/* Both names are walked once for the four rules about their attributes. */
struct name_faults
lint_names(const struct cert *c)
{
	struct name_faults f = { .alphabet = false };

	if (!judge_name(c->issuer, &f) || !judge_name(c->subject, &f))
		f = (struct name_faults){ true, true, true, true };
	return f;
}

bool
lint_name_alphabet(const struct cert *c, const struct facts *f)
{
	(void)c;
	return f->names.alphabet;
}

bool
lint_name_string_type(const struct cert *c, const struct facts *f)
{
	(void)c;
	return f->names.string_type;
}

bool
lint_name_length(const struct cert *c, const struct facts *f)
{
	(void)c;
	return f->names.length;
}

bool
lint_name_country(const struct cert *c, const struct facts *f)
{
	(void)c;
	return f->names.country;
}
