/*
 * attempts - what a hostile core (or status) tries, so as to obtain a
 * signature that it should not get.  One row is one attempt: what it does, and
 * the code with which it must be refused.
 */
#ifndef TEST_HOSTILE_ATTEMPTS_H
#define TEST_HOSTILE_ATTEMPTS_H

#include "fake/signer_asks.h"

enum base {
	BY_0, /* a holder, endorsed by minister 0 of the right institution */
	BY_2, /* the same, by a minister of another institution */
	NEW_MINISTER,
	ASKED /* ask() does it all */
};

struct attempt {
	const char *what;
	enum base base;
	/* Each comes before what it changes is used: see wish_build(). */
	wish_fn spec, edit, statement, bytes;
	/* Returns the code of the refusal, or "ok". */
	const char *(*ask)(struct world *w, struct err *refusal);
	const char *id;  /* the code */
	const char *say; /* part of the sentence, or NULL */
};

const struct attempt *certificate_attempts(size_t *n);
const struct attempt *octet_attempts(size_t *n);
const struct attempt *key_attempts(size_t *n);
const struct attempt *past_attempts(size_t *n);
const struct attempt *list_attempts(size_t *n);
const struct attempt *quorum_attempts(size_t *n);
const struct attempt *mandate_attempts(size_t *n);
void mandate_fini(void);
const struct attempt *ceilings_attempts(size_t *n);
const struct attempt *frame_attempts(size_t *n);
const struct attempt *destroyed_attempts(
    size_t *n);                                 /* the last: "dos" is gone */
const struct attempt *ocsp_attempts(size_t *n); /* of the ocsp-signer */

const struct attempt *two_attempts(size_t *n); /* where two are needed */

/*
 * What follows is the attempt itself: from here on nothing may be signed or
 * journalled.  Called by the harness before each attempt, and again by one
 * that first has something signed that it may have.
 */
void attempt_begins(struct world *w);
/* The certificate of the responder of "uno", for ocsp_attempts(). */
struct bytes attempt_responder(void);
const char *wish_id(struct world *w, struct wish *x, struct err *refusal);
uint8_t *writable(struct world *w, struct bytes *b);

#endif
