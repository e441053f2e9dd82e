/* published - private shape of the environment that status serves from. */
#ifndef REFRENDO_STORE_PUBLISHED_H
#define REFRENDO_STORE_PUBLISHED_H

#include <stdatomic.h>

#include <refrendo/store.h>

#include "env.h"

#define BOOT_ID 36 /* characters of /proc/sys/kernel/random/boot_id */
#define DUE_KEY (8 + PUBLIC_KEY_MAX)
/* Octets of a stored issuer: ids and name. */
#define ISSUER_ROW (1 + 20 + 20 + 32 + 32 + 4 + POLICY_NAME_MAX)

struct public
{
	struct env env;
	int lock; /* of the only writer; -1 for a reader */
	bool write;
	atomic_bool writing;
	bool failed; /* a write is not certain: do not call it clean */
	/* answers: key -> row, of OCSP answers those that have no shape; packs:
	 * the others (pack.h); due: refresh time and key, for OCSP rows;
	 * meta: "state", and "i" with its index for each issuer. */
	MDB_dbi answers, due, meta, packs;
	struct pack_shapes *shapes; /* the writer's; NULL: not read yet */
};

#define STATE_KEY "state"
struct public_state {
	bool clean; /* closed in order: everything is on disk */
	char boot[BOOT_ID];
	uint64_t log_index;
};
MUST_CHECK enum err_code public_state_get(struct public *p, MDB_txn *txn,
    struct public_state *out, struct err *e);
MUST_CHECK enum err_code public_state_put(struct public *p, MDB_txn *txn,
    const struct public_state *state, struct err *e);

/*
 * be64 of the time, then the row's key.  The highest bit, which no time has,
 * is set for what is good: a walk meets it after what is not.
 */
#define DUE_GOOD (UINT64_C(1) << 63)
struct bytes due_key(uint8_t out[DUE_KEY], const struct public_row *row,
    struct bytes key);

MUST_CHECK enum err_code public_file_read(const struct public *p,
    const struct public_row *row, struct bytes *body, struct err *e);

#endif
