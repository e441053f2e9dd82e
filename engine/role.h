/*
 * role - what the main of every role does first: read its set-up from the
 * parent, parse the installation, close the sandbox, say that it is ready.
 */
#ifndef ENGINE_ROLE_H
#define ENGINE_ROLE_H

#include <refrendo/engine.h>

#include "control.h"

/* Exit status of a role that must not be started again: a token counts wrong
 * PINs and locks itself. */
#define ROLE_NO_RETRY 3
/* Of a signer whose token is away: tried until it is back, and the rest of the
 * engine starts without it. */
#define ROLE_NO_TOKEN 4

struct role_context {
	enum role role;
	uint8_t index;
	int counters_fd;  /* front's, to read all; -1 in other roles */
	struct buf frame; /* owns what these borrow; wiped early */
	struct bytes passphrase, pin;
	struct installation inst;
	char sandbox[96]; /* report of it, once it is closed */
};
/* Reads CONTROL_SETUP; ends the process when the parent is gone. */
MUST_CHECK enum err_code role_setup(struct role_context *r, struct err *e);
/* Closes the sandbox. */
MUST_CHECK enum err_code role_confine(struct role_context *r, struct err *e);
/* Sends CONTROL_READY with the sandbox's report; closes it before, if it is
 * open still. */
MUST_CHECK enum err_code role_ready(struct role_context *r, struct err *e);
/* Logs why it does not come up, and tells the parent, who has the user. */
void role_failed(const char *event, const struct err *why);
/* The port of "127.0.0.1:8080"; 0: any. */
uint16_t address_port(const char *address);
void role_fini(struct role_context *r);

int role_signer(struct role_context *r); /* signer and ocsp-signer */
int role_core(struct role_context *r);
int role_front(struct role_context *r);
int role_status(struct role_context *r);
int role_checker(struct role_context *r);

#endif
