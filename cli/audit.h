/* What audit.c and journal.c share. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "cli.h"

/* The whole log into a file, by a temporary one. */
MUST_CHECK enum err_code export_to(struct cli *c, const char *name,
    uint64_t *entries, struct err *e);
/* Lines of a file, without their line feeds. */
MUST_CHECK enum err_code each_line(const char *name,
    void (*line)(void *ctx, struct bytes line), void *ctx, struct err *e);

#endif
