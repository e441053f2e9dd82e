/*
 * says - what a certificate says, for whoever judges it: which person, which
 * purposes, which kinds of name, which addresses.
 */
#include "internal.h"

/*
 * The number alone, or as EN 319 412-1 5.1.3 writes it: in Chile one number is
 * a person's, the identity card's and the taxpayer's.
 */
static bool
is_run(struct bytes value, struct bytes run)
{
	static const char heads[][7] = { "PNOCL-", "IDCCL-", "TINCL-" };
	const size_t n = sizeof(heads[0]) - 1;

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		if (value.len > n && memcmp(value.p, heads[i], n) == 0)
			return bytes_eq(bytes_of(value.p + n, value.len - n),
			    run);
	}
	return bytes_eq(value, run);
}

/* *found counts; false when one says something else. */
static bool
subject_says(struct bytes subject, struct bytes run, int *found)
{
	struct der d = der_of(subject);
	struct der rdns = der_enter(&d, DER_SEQUENCE);

	while (!rdns.bad && der_peek(&rdns) != 0) {
		struct der rdn = der_enter(&rdns, DER_SET);
		struct der attr = der_enter(&rdn, DER_SEQUENCE);
		struct bytes type = der_get(&attr, DER_OID);
		struct bytes value = der_get(&attr, der_peek(&attr));

		if (attr.bad || !der_end(&rdn))
			return false;
		if (!bytes_eq(type, oid_known(OID_SERIAL_NUMBER)))
			continue;
		if (!is_run(value, run))
			return false;
		(*found)++;
	}
	return !rdns.bad && !d.bad;
}

static bool
san_says(const struct cert *c, struct bytes run, int *found)
{
	const struct cert_ext *ext = cert_find_ext(c, OID_EXT_SAN);
	struct der d, names;

	if (ext == NULL)
		return true;
	d = der_of(ext->value);
	names = der_enter(&d, DER_SEQUENCE);
	while (!names.bad && der_peek(&names) != 0) {
		if (der_peek(&names) != DER_CONTEXT_CONS(0)) {
			der_element(&names);
			continue;
		}
		struct der other = der_enter(&names, DER_CONTEXT_CONS(0));
		struct bytes type = der_get(&other, DER_OID);
		struct der value = der_enter(&other, DER_CONTEXT_CONS(0));

		if (other.bad)
			return false;
		if (!bytes_eq(type, oid_known(OID_RUT_HOLDER)))
			continue;
		if (!bytes_eq(der_get(&value, DER_IA5_STRING), run))
			return false;
		(*found)++;
	}
	return !names.bad && !d.bad;
}

bool
cert_is_of(const struct cert *c, struct bytes run)
{
	int found = 0;

	return subject_says(c->subject, run, &found) &&
	       san_says(c, run, &found) && found > 0;
}

bool
cert_purposes(const struct cert *c, uint32_t *purposes)
{
	static const enum pkix_oid known[] = { OID_EKU_CLIENT, OID_EKU_EMAIL,
		OID_EKU_SERVER, OID_EKU_CODE, OID_EKU_TIME, OID_EKU_DOCUMENT };
	const struct cert_ext *ext = cert_find_ext(c, OID_EXT_EKU);
	struct der d, list;

	*purposes = 0;
	if (ext == NULL)
		return true;
	d = der_of(ext->value);
	list = der_enter(&d, DER_SEQUENCE);
	while (!list.bad && der_peek(&list) != 0) {
		struct bytes oid = der_get(&list, DER_OID);
		uint32_t before = *purposes;

		for (size_t i = 0; i < ARRAY_LEN(known); i++) {
			if (bytes_eq(oid, oid_known(known[i])))
				*purposes |= UINT32_C(1) << known[i];
		}
		if (*purposes == before)
			return false;
	}
	return der_end(&list);
}

bool
cert_name_kinds(const struct cert *c, unsigned *kinds)
{
	static const enum pkix_oid lists[] = { OID_EXT_SAN, OID_EXT_IAN };

	*kinds = 0;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct cert_ext *ext = cert_find_ext(c, lists[i]);
		struct der d = der_of(ext == NULL ? BYTES_NONE : ext->value);
		struct der names = der_enter(&d, DER_SEQUENCE);

		if (ext == NULL)
			continue;
		while (!names.bad && der_peek(&names) != 0) {
			*kinds |= 1u << (der_peek(&names) & 0x1fu);
			(void)der_element(&names);
		}
		if (!der_end(&names))
			return false;
	}
	return true;
}

static size_t
count_urls(struct der d, struct bytes *last)
{
	size_t n = 0;

	while (!d.bad && der_peek(&d) != 0) {
		uint8_t tag = der_peek(&d);

		if (tag == DER_CONTEXT(6)) {
			*last = der_get(&d, tag);
			n++;
		} else if ((tag & 0x20u) != 0) {
			n += count_urls(der_enter(&d, tag), last);
		} else {
			(void)der_element(&d);
		}
	}
	return n;
}

size_t
cert_urls(const struct cert *c, enum pkix_oid extension, struct bytes *last)
{
	const struct cert_ext *ext = cert_find_ext(c, extension);

	*last = BYTES_NONE;
	return ext == NULL ? 0 : count_urls(der_of(ext->value), last);
}
