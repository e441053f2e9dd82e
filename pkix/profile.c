/* profile - what one certificate of a person has in common with the next. */
#include "internal.h"

/* These follow from the key, or from which list the certificate is on. */
static bool
is_of_one(struct bytes oid)
{
	static const enum pkix_oid own[] = { OID_EXT_SKI, OID_EXT_CRLDP,
		OID_EXT_FRESHEST };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (bytes_eq(oid, oid_known(own[i])))
			return true;
	return false;
}

void
cert_profile(const struct cert *c, uint8_t out[SHA256_LEN])
{
	struct buf b AUTO_BUF = BUF(2 * CERT_MAX_BYTES);

	put_bytes(&b, c->sigalg);
	put_bytes(&b, c->issuer);
	put_bytes(&b, c->subject);
	for (size_t i = 0; i < c->n_ext; i++) {
		if (is_of_one(c->ext[i].oid))
			continue;
		put_bytes(&b, c->ext[i].oid);
		put_u8(&b, c->ext[i].critical);
		put_bytes(&b, c->ext[i].value);
	}
	if (b.failed)
		fatal("no memory for the profile of a certificate");
	sha256(out, buf_bytes(&b));
}

bool
cert_has_profile(const struct cert *c, struct bytes sha256_of)
{
	uint8_t is[SHA256_LEN];

	cert_profile(c, is);
	return bytes_eq(bytes_of(is, SHA256_LEN), sha256_of);
}
