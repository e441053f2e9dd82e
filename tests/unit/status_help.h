/*
 * A CA whose certificate is valid now, by the real clock: for the tests in
 * which the openssl command judges status, since it cannot be told the time.
 */
#ifndef STATUS_HELP_H
#define STATUS_HELP_H

#include "pkix_help.h"

static inline void
present_ca(struct test_ca *ca, enum key_type type, int64_t now)
{
	struct cert_spec spec = {
		.serial = bytes_of(ca_serial, sizeof(ca_serial)),
		.issuer_type = type,
		.not_before = now - 30 * DAY,
		.not_after = now + 3650 * DAY - 1,
		.is_ca = true,
		.path_len = 0,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
	};
	test_ca_init(ca, type);
	buf_reset(&ca->der);
	spec.issuer = spec.subject = buf_bytes(&ca->name);
	spec.spki = key_spki(ca->key);
	spec.issuer_ski = bytes_of(ca->ski, sizeof(ca->ski));
	sign_cert(ca->key, &spec, &ca->der);
}

/* A person's certificate of that CA, valid now; its serial is test_serial. */
static inline void
present_holder(const struct test_ca *ca, struct bytes spki, int64_t now,
    struct buf *out)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct cert_spec spec;
	build_name(&name, "Ana Ejemplo");
	holder_spec(&spec, ca, buf_bytes(&name), spki);
	spec.not_before = now - DAY;
	spec.not_after = now + 700 * DAY - 1;
	sign_cert(ca->key, &spec, out);
}

#endif
