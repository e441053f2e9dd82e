/*
 * store - two LMDB environments.  ledger/ is the truth: entries, tree tiles
 * and projections, one write transaction for each group of acts, synced
 * before any acknowledgement, opened by core alone.  public/ is what status
 * serves: derived, rebuilt whenever in doubt.
 *
 * Implements the view of ca.h.  May touch LMDB and the file system, nothing
 * else.  A failed commit leaves the state unknown: the caller ends the process.
 */
#ifndef REFRENDO_STORE_H
#define REFRENDO_STORE_H

#include <refrendo/audit.h>
#include <refrendo/base.h>
#include <refrendo/ca.h>

/* --- ledger/ ------------------------------------------------------------------ */

struct store;
/*
 * store_open - opens DIR/ledger (create: makes it, which must not exist yet)
 * and takes its lock: a second engine is ERR_CONFLICT "store-locked".
 *
 * ERR_CORRUPT "store-version", "store-damaged"; ERR_IO.
 */
MUST_CHECK enum err_code store_open(const char *dir, int64_t map_bytes,
    bool create, struct store **out, struct err *e);
void store_close(struct store *s);
static inline void
store_free(struct store *s)
{
	store_close(s);
}
OWNED(store);

/* One write transaction at a time, on one thread; readers see the last commit. */
MUST_CHECK enum err_code store_begin(
    struct store *s, bool write, struct view **out, struct err *e);
/* Keeps the first error of the transaction and returns it; then v is gone. */
MUST_CHECK enum err_code view_commit(struct view *v, struct err *e);
void view_abort(struct view *v); /* NULL is allowed */

/* An entry, copied into the arena.  ERR_NOTFOUND "entry-missing". */
MUST_CHECK enum err_code view_entry(struct view *v, uint64_t index,
    struct arena *a, struct entry *out, struct err *e);
/* Tiles of the tree as this transaction sees them. */
struct tile_source view_tiles(struct view *v);
/*
 * view_verify - what is read back from disk, hashed again: the leaves of the
 * entries [from, size) against the tiles, and the root against the peaks.
 * ERR_CORRUPT "store-tree" names the entry.
 */
MUST_CHECK enum err_code view_verify(
    struct view *v, uint64_t from, struct err *e);

struct store_stats {
	uint64_t entries, map_bytes, used_bytes;
	unsigned readers;
};
MUST_CHECK enum err_code store_stats(
    struct store *s, struct store_stats *out, struct err *e);
/* A consistent compact copy into a new directory, safe while in use. */
MUST_CHECK enum err_code store_snapshot(
    struct store *s, const char *dir, struct err *e);
/*
 * store_replay - rebuilds the projections of s from its entries in a new
 * environment at scratch_dir (removed afterwards) and compares all rows byte
 * for byte.  *entries: how many were applied.
 *
 * ERR_CORRUPT "replay-differs": which class and key.
 */
MUST_CHECK enum err_code store_replay(struct store *s,
    const char *scratch_dir, void (*progress)(void *ctx, uint64_t done,
    uint64_t all), void *ctx, uint64_t *entries, struct err *e);

/* --- public/ -------------------------------------------------------------------- */

struct public;
/*
 * public_open - write: core.  Wipes and starts anew when the last writer did
 * not close it and the machine has restarted since, or when it does not read.
 * *fresh says so.  Read-only: status; the environment must exist.
 */
MUST_CHECK enum err_code public_open(const char *dir, int64_t map_bytes,
    bool write, bool *fresh, struct public **out, struct err *e);
void public_close(struct public *p);
static inline void
public_free(struct public *p)
{
	public_close(p);
}
OWNED(public);

/* What status serves for one key: an answer with its caching data. */
struct public_row {
	int64_t this_update, next_update; /* next 0: may be cached for ever */
	const char *type; /* "application/ocsp-response", static */
	char etag[HEX_LEN(16)]; /* from SHA-256 of the body */
	struct bytes body;      /* borrowed */
};
/* The etag given is not read: it is computed from the body. */
MUST_CHECK enum err_code public_row_encode(
    const struct public_row *row, struct buf *out, struct err *e);
MUST_CHECK enum err_code public_row_decode(
    struct bytes in, struct public_row *out, struct err *e);
/* Keys: "o" issuer-index serial for OCSP, "f" path for files ("/crl/x.crl"). */
#define PUBLIC_KEY_MAX 128
struct bytes public_ocsp_key(
    uint8_t out[PUBLIC_KEY_MAX], uint8_t issuer, struct bytes serial);
struct bytes public_file_key(uint8_t out[PUBLIC_KEY_MAX], struct bytes path);

struct public_txn;
MUST_CHECK enum err_code public_begin(
    struct public *p, struct public_txn **out, struct err *e);
MUST_CHECK enum err_code public_put(struct public_txn *t, struct bytes key,
    const struct public_row *row, struct err *e);
/* What is not there is no error. */
MUST_CHECK enum err_code public_del(
    struct public_txn *t, struct bytes key, struct err *e);
/* Index into the log up to which public/ is up to date, and issuers' ids. */
MUST_CHECK enum err_code public_put_meta(
    struct public_txn *t, uint64_t log_index, struct err *e);
MUST_CHECK enum err_code public_put_issuer(struct public_txn *t,
    uint8_t index, const struct issuer_id *id, struct err *e);
MUST_CHECK enum err_code public_commit(struct public_txn *t, struct err *e);
void public_abort(struct public_txn *t);

/*
 * A reader that is renewed once for each turn of the loop and never held
 * across a client.  Rows borrow from the map until the next renew or release.
 */
struct public_reader;
MUST_CHECK enum err_code public_reader_new(
    struct public *p, struct public_reader **out, struct err *e);
void public_reader_free(struct public_reader *r);
MUST_CHECK enum err_code public_renew(struct public_reader *r, struct err *e);
void public_release(struct public_reader *r);
bool public_get(struct public_reader *r, struct bytes key,
    struct public_row *row);
uint64_t public_log_index(struct public_reader *r); /* 0: nothing yet */
/* Fills up to max ids; returns how many issuers there are. */
size_t public_issuers(
    struct public_reader *r, struct issuer_id *ids, size_t max);
/* The OCSP row with the earliest refresh time, for the refresher. */
MUST_CHECK enum err_code public_oldest(struct public_reader *r,
    int64_t refresh_before, uint8_t *issuer, uint8_t serial[SERIAL_MAX],
    size_t *serial_len, bool *found, struct err *e);
/* Clears slots of readers that died; returns how many. */
int public_check_readers(struct public *p);

#endif
