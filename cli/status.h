/* What the tools of validators share: a CA, a certificate of it, and probes. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <refrendo/crl.h>

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

#define CRL_READ_MAX (256u << 20) /* octets of a CRL that a tool reads */
/*
 * read_list - the CRL in a file, PEM or DER, or at an http: address; der is
 * its owner.  ERR_INVALID of crl_any_parse(); what files and servers give.
 */
MUST_CHECK enum err_code read_list(struct cli *c, const char *name,
    struct buf *der, struct crl_any *out, struct err *e);
/* Number of a list as people write it: decimal as far as it fits, else hex. */
const char *list_number(struct cli *c, struct bytes number);
const char *reason_text(struct cli *c, int reason);

/* A row of a report: what was seen, whether it is right, whose rule. */
enum row_state { ROW_OK, ROW_WARN, ROW_FAIL };
struct report {
	struct cli *c;
	json_t *rows; /* array */
	size_t warn, fail;
};
void report_row(struct report *r, enum row_state state, const char *name,
    const char *rule, const char *text);
/* The sentence of an error in the language of the run; lives in the arena. */
const char *sentence_text(struct cli *c, const struct err *e);
/* Prints the JSON or the sums; takes the rows. */
void report_end(struct report *r);

/* crl_verify.c, crl_build.c */
MUST_CHECK enum err_code crl_verify(struct cli *c, struct err *e);
MUST_CHECK enum err_code crl_diff(struct cli *c, struct err *e);
MUST_CHECK enum err_code crl_build(struct cli *c, struct err *e);

/* metrics.c */
MUST_CHECK enum err_code ocsp_stats(struct cli *c, struct err *e);

/* ocsp_check.c */
MUST_CHECK enum err_code ocsp_check(struct cli *c, struct err *e);

#endif
