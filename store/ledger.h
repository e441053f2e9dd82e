/* ledger - private shape of the authoritative environment and its views. */
#ifndef REFRENDO_STORE_LEDGER_H
#define REFRENDO_STORE_LEDGER_H

#include <stdatomic.h>

#include <refrendo/store.h>

#include "env.h"

#define SCHEMA_VERSION 5
#define KEY_MAX        511 /* LMDB's own limit */
/* Levels of tiles that a 64-bit size can have. */
#define LEVELS (64 / TILE_HEIGHT)

struct store {
	struct env env;
	int lock; /* descriptor; -1 for a scratch environment */
	size_t map_bytes;
	MDB_dbi rows, entries, tiles, meta;
	MDB_dbi lists;       /* lists.c; not of a scratch environment */
	atomic_bool writing; /* a write transaction is open */
	atomic_bool failed;  /* a commit failed: what is on disk is unknown */
	struct {
		MDB_txn *txn; /* NULL: there is none */
		size_t left;  /* pages until it is renewed */
	} hold;
	/* Of a replay: entries are counted and hashed, but not copied. */
	bool scratch;
};

/* The tile of one level that is being filled. */
struct filling {
	uint64_t n;
	unsigned count; /* hashes in it; 0: nothing loaded yet */
	bool dirty;
	uint8_t hash[TILE_WIDTH][HASH_LEN];
};

struct view {
	struct store *store;
	MDB_txn *txn;
	MDB_cursor *cursor; /* over rows, opened when first needed */
	bool write, failed;
	struct err first; /* the first error of a write transaction */
	bool grown;       /* entries were appended */
	size_t pages;     /* leaves and overflow that it may have changed */
	struct merkle tree;
	int64_t time; /* of the last entry */
	struct filling *filling[LEVELS];
};

/* hold.c: freed pages are kept until much was written; begun once the ledger
 * is open, ended before it is closed, and used by whoever writes. */
void hold_begin(struct store *s);
void hold_end(struct store *s);
void hold_release(struct store *s); /* the map is full: what it kept is free */
void hold_after_commit(struct store *s, size_t pages);

/* A value of so many octets is put. */
static inline void
view_count(struct view *v, size_t len)
{
	v->pages += 1 + len / 4096;
}

/* Remembers the first error of a write transaction; returns the code of e. */
enum err_code view_fail(struct view *v, const struct err *e);
/* ERR_OK, or the error that a write transaction already has. */
MUST_CHECK enum err_code view_sound(const struct view *v, struct err *e);
/* The same, and ERR_CONFLICT "store-read-only" for a reading view. */
MUST_CHECK enum err_code view_writable(struct view *v, struct err *e);

/* log.c: the head row, and what a transaction still owes the disk. */
MUST_CHECK enum err_code log_load(struct view *v, struct err *e);
MUST_CHECK enum err_code log_flush(struct view *v, struct err *e);
MUST_CHECK enum err_code log_put_head(struct store *s, MDB_txn *txn,
    const struct merkle *tree, int64_t time, struct err *e);
/* ERR_CORRUPT "store-tree" about the entry, why for the log. */
enum err_code log_tree_error(uint64_t index, const char *why, struct err *e);
/* An entry out of its row; leaf and detail borrow from the row. */
MUST_CHECK enum err_code log_entry_decode(struct bytes row, uint64_t index,
    struct arena *a, struct entry *out, struct err *e);

/* ledger.c: the named databases of an environment that is already open. */
MUST_CHECK enum err_code ledger_tables(struct store *s, bool create,
    struct err *e);

#endif
