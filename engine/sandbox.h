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
 * config     of its keys in a token, if there are any, the signers keep the
 *            paths that pkcs11 names, and sockets where it says so; the checker
 *            may connect to the port of listen alone, where Landlock knows
 *            ports (version 4).
 * report     what confines the role now: "seccomp=yes landlock=7".
 *
 * A build with the address or thread sanitizer leaves seccomp out and says
 * so: "seccomp=no (sanitizer) landlock=7".
 *
 * Where the kernel lacks one of them the report says so and the role runs
 * with what there is; a filter that the kernel refuses is ERR_IO.
 */
MUST_CHECK enum err_code sandbox_close(enum role role, const char *dir,
    const struct config *config, char *report, size_t size, struct err *e);

/*
 * sandbox_begin - before a role makes its loop: no io_uring, for nothing that
 * is asked through a ring passes seccomp.  libuv from 1.45 on would make one
 * for its epoll calls and end the process when it is refused later; without
 * one it calls epoll itself.
 *
 * ERR_IO "sandbox-ring" where the kernel has seccomp and refuses it.
 */
MUST_CHECK enum err_code sandbox_begin(struct err *e);

#endif
