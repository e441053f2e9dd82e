/*
 * What can be read of a certificate that is malformed: for the lint alone.
 * Reading ends where the bytes make no sense, and nothing is refused.
 */
#include "internal.h"

static void
skim_key_usage(struct cert *c, struct bytes v)
{
	struct der d = der_of(v);
	struct bytes bits = der_get(&d, DER_BIT_STRING);
	unsigned i;

	for (i = 0; bits.len > 1 && i < (bits.len - 1) * 8 && i < 9; i++) {
		if ((bits.p[1 + i / 8] & (0x80u >> (i % 8))) != 0)
			c->key_usage |= (uint16_t)(1u << i);
	}
}

static void
skim_basic(struct cert *c, struct bytes v)
{
	struct der d = der_of(v), in = der_enter(&d, DER_SEQUENCE);
	int64_t len;

	if (der_peek(&in) == DER_BOOLEAN)
		c->is_ca = der_get_bool(&in);
	if (der_peek(&in) == DER_INTEGER) {
		len = der_get_int(&in);
		c->path_len = len > 255 ? 255 : (int)len;
	}
}

static void
skim_known(struct cert *c, const struct cert_ext *x)
{
	struct der d = der_of(x->value), in;

	if (bytes_eq(x->oid, oid_known(OID_EXT_BASIC))) {
		skim_basic(c, x->value);
	} else if (bytes_eq(x->oid, oid_known(OID_EXT_KEY_USAGE))) {
		skim_key_usage(c, x->value);
	} else if (bytes_eq(x->oid, oid_known(OID_EXT_SKI))) {
		c->ski = der_get(&d, DER_OCTET_STRING);
	} else if (bytes_eq(x->oid, oid_known(OID_EXT_AKI))) {
		in = der_enter(&d, DER_SEQUENCE);
		(void)der_optional(&in, DER_CONTEXT(0), &c->aki);
	}
}

static void
skim_extensions(struct cert *c, struct bytes content)
{
	struct der d = der_of(content), all = der_enter(&d, DER_SEQUENCE);

	while (der_peek(&all) != 0 && c->n_ext < CERT_EXTS_MAX) {
		struct der ext = der_enter(&all, DER_SEQUENCE);
		struct cert_ext x = { .oid = der_get(&ext, DER_OID) };

		if (der_peek(&ext) == DER_BOOLEAN)
			x.critical = der_get_bool(&ext);
		x.value = der_get(&ext, DER_OCTET_STRING);
		if (ext.bad)
			continue;
		skim_known(c, &x);
		c->ext[c->n_ext++] = x;
	}
}

static void
skim_tbs(struct cert *c)
{
	struct der d = der_of(c->tbs), t = der_enter(&d, DER_SEQUENCE), v;
	struct bytes part;

	(void)der_optional(&t, DER_CONTEXT_CONS(0), &part);
	c->serial = magnitude_of(der_get(&t, DER_INTEGER));
	(void)der_element(&t);
	c->issuer = der_element(&t);
	v = der_enter(&t, DER_SEQUENCE);
	c->not_before = der_get_time(&v);
	c->not_after = der_get_time(&v);
	c->subject = der_element(&t);
	c->spki = der_element(&t);
	(void)der_optional(&t, DER_CONTEXT(1), &part);
	(void)der_optional(&t, DER_CONTEXT(2), &part);
	if (der_optional(&t, DER_CONTEXT_CONS(3), &part))
		skim_extensions(c, part);
}

bool
cert_skim(struct bytes der, struct cert *out)
{
	struct cert c = { .der = der, .path_len = -1 };
	struct err ignored;

	if (der.len > CERT_MAX_BYTES || signed_split(der, &c.tbs, &c.sigalg,
					    &c.signature, &ignored) != ERR_OK)
		return false;
	skim_tbs(&c);
	*out = c;
	return true;
}
