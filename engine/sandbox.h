/*
 * sandbox - Landlock and seccomp for the roles, closed before the first
 * octet from outside is read (DESIGN 2).
 */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

#include "control.h"

/*
 * sandbox_close - confines this process as its role; cannot be undone.
 *
 * dir        the installation: core keeps its ledger/ and public/, status
 *            reads public/; the signers keep no path at all.
 * report     what confines the role now: "seccomp=yes landlock=7".
 *
 * A build with the address or thread sanitizer leaves seccomp out and says
 * so: "seccomp=no (sanitizer) landlock=7".
 *
 * Where the kernel lacks one of them the report says so and the role runs
 * with what there is; a filter that the kernel refuses is ERR_IO.
 */
MUST_CHECK enum err_code sandbox_close(enum role role, const char *dir,
    char *report, size_t size, struct err *e);

#endif
