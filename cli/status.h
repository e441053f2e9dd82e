/* What the tools of validators share: a CA, a certificate of it, and probes. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli.h"

/* A certificate in question, and who says what its status is. */
struct subject {
	struct buf issuer_der, cert_der;
	struct cert issuer; /* --issuer */
	struct issuer_id id;
	struct cert cert; /* of the file, with has_cert */
	bool has_cert;
	uint8_t serial[SERIAL_MAX];
	size_t serial_len;
	struct verifier *verifier;
};
/*
 * subject_read - --issuer, and the certificate in the file; file NULL: only
 * --serial, where it is given.
 *
 * ERR_INVALID "cli-missing", "cli-serial", "cli-not-issuer", and what files
 * and certificates give.  subject_fini() in any case.
 */
MUST_CHECK enum err_code subject_read(struct cli *c, const char *file,
    struct subject *out, struct err *e);
void subject_fini(struct subject *s);
/* --timeout in milliseconds; 10 s when not given.  ERR_INVALID "cli-number". */
MUST_CHECK enum err_code take_timeout(struct cli *c, int64_t *ms,
    struct err *e);
/* A whole number of an option, min..max.  ERR_INVALID "cli-number". */
MUST_CHECK enum err_code take_number(struct cli *c, enum cli_option option,
    int64_t min, int64_t max, int64_t *out, struct err *e);
/* The name of whoever signed, for people; lives in the arena. */
const char *name_text(struct cli *c, struct bytes name);
const char *time_text(struct cli *c, int64_t t);
const char *hex_text(struct cli *c, struct bytes b);
/* A certificate from a file, PEM or DER; der is its owner. */
MUST_CHECK enum err_code read_certificate(struct cli *c, const char *file,
    struct buf *der, struct cert *out, struct err *e);

/* ocsp_check.c */
MUST_CHECK enum err_code ocsp_check(struct cli *c, struct err *e);

#endif
