/* store_check - assertions that the tests of store share. */
#ifndef TEST_FAKE_STORE_CHECK_H
#define TEST_FAKE_STORE_CHECK_H

#include "fake/store_work.h"

/* Both use a struct err e of the caller; the sentence is compared too. */
#define OK(call) check_ok(call, &e, #call, __LINE__)
#define REFUSED(call, code, id, say) \
	check_refused(call, code, id, say, &e, #call, __LINE__)

void check_ok(enum err_code rc, const struct err *e, const char *call,
    int line);
void check_refused(enum err_code rc, enum err_code want, const char *id,
    const char *say, const struct err *e, const char *call, int line);

/* Sentences that several tests expect. */
extern const char say_damaged[], say_locked[];

/* A directory of the test's own, and the names in it. */
struct dirs {
	char base[64], dir[128], data[160], scratch[128], good[128];
};
void dirs_init(struct dirs *d);
/* A new ledger with so many entries; an open one. */
struct store *check_make(struct dirs *d, unsigned entries);
struct store *check_reopen(struct dirs *d, struct store *s);
void check_finish(struct dirs *d, struct store *s);
MUST_CHECK enum err_code check_verify(struct store *s, uint64_t from,
    struct err *e);
/* Also that the scratch directory is gone afterwards. */
MUST_CHECK enum err_code check_replay(struct dirs *d, struct store *s,
    struct err *e);

#endif
