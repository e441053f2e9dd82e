/* What the files of ocsp/ share and nobody else sees. */
#ifndef OCSP_INTERNAL_H
#define OCSP_INTERNAL_H

#include <string.h>

#include <refrendo/ocsp.h>

#define SHA1_LEN  20
#define NONCE_MAX 128 /* RFC 9654 2.1 */

/*
 * certid_read - the CertID at d (RFC 6960 4.1.1); d->bad when its form is
 * not that.  ERR_INVALID "ocsp-hash-length", "ocsp-serial"; ERR_NOTFOUND
 * "ocsp-hash".
 */
MUST_CHECK enum err_code certid_read(struct der *d, struct ocsp_certid *out,
    struct err *e);

/* Written from its end, as everything with a der_w. */
void certid_put(struct der_w *w, const struct issuer_id *ca,
    struct bytes serial, bool is_sha256);

/* The octets of the Nonce in an extension's value; false if it is none. */
bool nonce_read(struct bytes value, struct bytes *out);

#endif
