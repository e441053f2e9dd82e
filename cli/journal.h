/* journal - the signer's journal against a log. */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include "audit.h"

/* Kinds of what a signer signs and remembers. */
enum signed_kind {
	KIND_CERTIFICATE, /* a minister's too */
	KIND_RESPONDER,
	KIND_CRL,
	KIND_AGREED,   /* a policy, or a CA that a ceremony brought */
	KIND_CEILINGS, /* that came in force */
	KIND_END,      /* of one, or of an appointment */
	KINDS
};
/* The sentence that names it; always ERR_CORRUPT. */
enum err_code journal_unlogged(enum signed_kind kind, const char *what,
    struct err *e);
enum err_code journal_unsigned(enum signed_kind kind, const char *what,
    struct err *e);

struct journal_report {
	size_t signed_, issued, crls, checkpoints;
	size_t beyond; /* checkpoints of more entries than the export has */
	struct err_list faults;
	struct err_list named; /* in one alone, and perhaps no fault */
};
/*
 * journal_compare - every certificate, CRL, responder, policy, end of a right
 * and checkpoint, both ways.
 *
 * journal  NULL: that of the installation.
 * export   NULL: the engine is asked.
 * out      its lists are the caller's to free, also after an error.
 *
 * ERR_CORRUPT "journal-compare", "journal-export"; what journal_read() says.
 */
MUST_CHECK enum err_code journal_compare(struct cli *c, const char *journal,
    const char *export, struct journal_report *out, struct err *e);

#endif
