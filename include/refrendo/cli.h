/*
 * cli - the command line: nouns, then verbs, from one table.  Data goes to
 * standard output, talk to standard error; no secret is ever an argument.
 *
 * Wiring and words: what may happen is decided by the engine, which is asked
 * over its local socket.
 */
#ifndef REFRENDO_CLI_H
#define REFRENDO_CLI_H

#include <refrendo/base.h>

/* What a program that calls us can tell apart. */
enum cli_exit {
	CLI_OK = 0,
	CLI_ERROR = 1,
	CLI_USAGE = 2,
	CLI_NOTFOUND = 3,
	CLI_FORBIDDEN = 4,
	CLI_CONFLICT = 5,
	CLI_INVALID = 6, /* policy, law or the rules of the input say no */
	CLI_UNVERIFIED = 7,
	CLI_UNAVAILABLE = 8, /* repeat with the same idempotency key */
	CLI_PARTIAL = 9,
	/* Of what asks for the status of a certificate; CLI_OK is good. */
	CLI_REVOKED = 10,
	CLI_UNKNOWN = 11
};
enum cli_exit cli_exit_of(enum err_code code); /* the one table */

/* The whole program, but for main(). */
int cli_main(int argc, char **argv);

/*
 * The Spanish sentence of an error, filled from its arguments; the English
 * one when its id has none.  Lives in out.
 */
void cli_sentence(const struct err *e, bool spanish, char *out, size_t size);
/* The Spanish pattern of an id, or NULL. */
const char *cli_spanish(const char *id);

/* Every verb with its options, as Markdown: doc/cli.md. */
void cli_reference(struct buf *out);

#endif
