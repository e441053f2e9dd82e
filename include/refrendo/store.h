/*
 * store - two LMDB environments.  ledger/ is the truth: entries, tree tiles
 * and projections, one write transaction for each group of acts, synced
 * before any acknowledgement, opened by core alone.  public/ is what status
 * serves: derived, rebuilt whenever in doubt.
 *
 * Implements the view of ca.h.  May touch LMDB and the file system, nothing
 * else: it never reads the clock and never decides.  A failed commit leaves
 * the state unknown: the caller ends the process.  doc/store.md has the
 * layout on disk.
 *
 * What a view or reader hands out lies in the map.  It dies with its
 * transaction, and in a write transaction already with the next write; what
 * lives longer is copied first (arena_copy).
 *
 * Every call may also return ERR_IO "store-io" (the file system refused),
 * ERR_CORRUPT "store-damaged" (what LMDB found does not read), ERR_BUSY
 * "store-readers" and ERR_NOMEM "nomem".
 */
#ifndef REFRENDO_STORE_H
#define REFRENDO_STORE_H

#include <refrendo/audit.h>
#include <refrendo/base.h>
#include <refrendo/ca.h>

/* --- ledger/ -------------------------------------------------------------- */

struct store;
/*
 * store_open - opens DIR/ledger (create: makes it, and DIR, and opens it) and
 * holds DIR/ledger.lock until it is closed.
 *
 * dir        a local file system; no network file system.
 * map_bytes  the most that the ledger may grow to, set large once: only what
 *            is written takes room on disk.
 * out        on ERR_OK the caller's, for store_close(); in the same process
 *            and not in a child of it.
 *
 * What is stored is checked before LMDB maps it: meta pages, length of the
 * file, tables, version, head, number of entries.  An older but whole copy
 * passes: compare view_log_size() and view_log_root() with the last
 * checkpoint (INCIDENTS row 63), and call view_verify().
 *
 * ERR_NOTFOUND "store-missing" without create; ERR_CONFLICT "store-exists"
 * with it; ERR_CONFLICT "store-locked": a second engine; ERR_CORRUPT
 * "store-damaged", "store-version"; ERR_INVALID "store-path"; ERR_IO.
 */
MUST_CHECK enum err_code store_open(const char *dir, int64_t map_bytes,
    bool create, struct store **out, struct err *e);
/* After every view of it has ended; NULL is allowed. */
void store_close(struct store *s);
static inline void
store_free(struct store *s)
{
	store_close(s);
}
OWNED(store);

/*
 * store_begin - a transaction: one that writes at a time, on one thread from
 * begin to end; any number that read, on any thread, each seeing the last
 * commit before it began.  One that stays open pins every page freed since:
 * never hold it across a client.
 *
 * ERR_IO "store-failed" after a failed commit; ERR_CONFLICT "store-writing":
 * a write transaction is open; ERR_CONFLICT "store-forked" in a child;
 * ERR_CORRUPT "store-moved": the data file was replaced under us.
 */
MUST_CHECK enum err_code store_begin(struct store *s, bool write,
    struct view **out, struct err *e);
/*
 * view_commit - ends the transaction; v is gone whatever it returns.  On
 * ERR_OK everything is on disk.  A write transaction keeps its first error:
 * it is returned here and nothing was written.
 *
 * ERR_BUSY "store-full", "store-batch": nothing was written, others may go
 * on.  ERR_IO "store-commit": unknown what is on disk: acknowledge nothing,
 * end the process, verify at the next start.
 */
MUST_CHECK enum err_code view_commit(struct view *v, struct err *e);
void view_abort(struct view *v); /* NULL is allowed */

/*
 * The view_get, view_put, view_del, view_next and view_log_ functions are
 * declared in ca.h.  Here they add: ERR_INVALID "store-key" (keys have 1 to
 * 511 octets), ERR_CONFLICT "store-read-only", ERR_CONFLICT "store-index" (an
 * entry whose number is not view_log_size()), ERR_BUSY "store-full".  Deleting
 * what is not there is no error.
 */

/*
 * view_scan - rows in the order of their keys, a million in a few hundredths
 * of a second, for who walks many; view_next() looks each up.  A view that
 * reads.  Begin with a zeroed scan and end it before the view.
 *
 * *found  false behind the last key that has the prefix.
 *
 * prefix is borrowed until view_scan_end(); key and value until the view ends.
 */
struct view_scan {
	struct view *view;
	struct bytes prefix;
	void *cursor;
};
MUST_CHECK enum err_code view_scan_begin(struct view *v, struct bytes prefix,
    struct view_scan *scan, struct err *e);
/* To the first key that is not before this one. */
MUST_CHECK enum err_code view_scan_seek(struct view_scan *scan,
    struct bytes from, struct bytes *key, struct bytes *value, bool *found,
    struct err *e);
MUST_CHECK enum err_code view_scan_next(struct view_scan *scan,
    struct bytes *key, struct bytes *value, bool *found, struct err *e);
void view_scan_end(struct view_scan *scan);

/*
 * view_entry - an entry, judged by entry_parse() and copied into the arena.
 *
 * ERR_NOTFOUND "entry-missing": the log is shorter; ERR_CORRUPT "store-tree":
 * stored, but not as the log writes it.
 */
MUST_CHECK enum err_code view_entry(struct view *v, uint64_t index,
    struct arena *a, struct entry *out, struct err *e);
/*
 * view_entry_stored - an entry as it is stored, borrowed from the map and
 * judged by nobody: index, time, type, leaf, salt and detail, refs empty.  For
 * whoever passes over most of the log.
 *
 * ERR_NOTFOUND "entry-missing"; ERR_CORRUPT "store-tree".
 */
MUST_CHECK enum err_code view_entry_stored(struct view *v, uint64_t index,
    struct entry *out, struct err *e);
/*
 * Tiles of the tree as this transaction sees them, with exactly the hashes
 * that its size gives.  ctx is v: usable while v is open.
 *
 * ERR_NOTFOUND "store-tile": beyond the size; ERR_CORRUPT "store-tree".
 */
struct tile_source view_tiles(struct view *v);
/*
 * view_verify - what is read back from disk, hashed again: the entries
 * [from, size) with their details against the tiles, each full tile from
 * there on against the one above it, and the tiles against the peaks.  About
 * 300,000 entries a second.  Rows are not covered: see store_replay().
 *
 * ERR_CORRUPT "store-tree" names the entry, or the first one under a tile.
 */
MUST_CHECK enum err_code view_verify(struct view *v, uint64_t from,
    struct err *e);

/*
 * view_list_put, view_list_get, view_lists - CRLs by their paths, kept so that
 * public/ can be made anew with what nobody can sign again.  They are no rows:
 * no entry has them, and replay does not compare them; a snapshot has them.
 *
 * path  1 to 127 octets.
 * each  what it returns but ERR_OK ends the walk and is returned; path and der
 *       borrow from the map.
 */
typedef enum err_code (*view_list_each)(void *ctx, struct bytes path,
    struct bytes der, struct err *e);
MUST_CHECK enum err_code view_list_put(struct view *v, struct bytes path,
    struct bytes der, struct err *e);
MUST_CHECK enum err_code view_list_get(struct view *v, struct bytes path,
    struct bytes *der, bool *found, struct err *e);
MUST_CHECK enum err_code view_lists(struct view *v, view_list_each each,
    void *ctx, struct err *e);

struct store_stats {
	uint64_t entries;
	uint64_t map_bytes;  /* the most that used_bytes can become */
	uint64_t used_bytes; /* in pages that hold something */
	unsigned readers;    /* slots taken; one may be idle */
};
MUST_CHECK enum err_code store_stats(struct store *s, struct store_stats *out,
    struct err *e);
/*
 * store_snapshot - a consistent compact copy while the ledger is in use; what
 * is not committed is not in it.  store_open(dir, …) opens it.  dir appears
 * only when the copy is whole and on disk; DIR.part is used meanwhile.
 *
 * ERR_CONFLICT "snapshot-exists": dir or its part is already there.
 */
MUST_CHECK enum err_code store_snapshot(struct store *s, const char *dir,
    struct err *e);
/*
 * store_replay - rebuilds the projections of s from its entries in a new
 * environment at scratch_dir (removed afterwards) and compares rows, tiles
 * and head byte for byte, as of the commit before the call.
 *
 * progress  NULL, or called now and then with entries done and all of them.
 * entries   on ERR_OK how many were applied.
 *
 * ERR_CORRUPT "replay-differs": which class and key (in hex), or what
 * ca_apply() says; ERR_CONFLICT "replay-exists": scratch_dir is in use.
 */
MUST_CHECK enum err_code store_replay(struct store *s, const char *scratch_dir,
    void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx,
    uint64_t *entries, struct err *e);

/* --- public/ -------------------------------------------------------------- */

struct public;
/*
 * public_open - opens DIR/public.  write: core, which holds DIR/public.lock;
 * wipes and starts anew when the last writer did not close it and the machine
 * has restarted since, or when it does not read.  Otherwise status, read-only;
 * it needs write access to lock.mdb.
 *
 * fresh  written on success: nothing is in it and core must fill it; may be
 *        NULL for a reader.
 *
 * ERR_NOTFOUND "public-missing" for a reader; ERR_CONFLICT "store-locked";
 * ERR_INVALID "store-path"; ERR_CORRUPT "store-damaged" for a reader: core
 * will mend it.
 */
MUST_CHECK enum err_code public_open(const char *dir, int64_t map_bytes,
    bool write, bool *fresh, struct public **out, struct err *e);
/* A writer puts everything on disk first.  NULL is allowed. */
void public_close(struct public *p);
static inline void
public_free(struct public *p)
{
	public_close(p);
}
OWNED(public);

struct public_reader;
#define PUBLIC_FILE_NAME 24 /* octets, with NUL */

/* What status serves for one key: an answer with its caching data. */
struct public_row {
	int64_t this_update; /* seconds since 1970, never negative */
	int64_t next_update; /* the same; 0: it stays, or has no such time */
	/* Static.  One of application/ocsp-response, application/pkix-crl,
	 * application/pkix-cert, application/pkcs7-mime,
	 * application/octet-stream, application/json,
	 * "text/plain; charset=utf-8", "text/html; charset=utf-8". */
	const char *type;
	/* From SHA-256 of the body; of a packed answer, from its signature. */
	char etag[HEX_LEN(16)];
	/* Of OCSP answers alone; zero for files. */
	int64_t refresh_at; /* to be signed anew from then on */
	bool first;         /* not good: before all others when late */
	bool takes_nonce;   /* its policy has nonces repeated */
	struct bytes body;  /* borrowed; empty where a file has it */
	/* Of a long one: the file that holds it, from file_at on. */
	char file[PUBLIC_FILE_NAME]; /* "": none */
	uint64_t file_at, file_len;
	uint8_t file_sha256[SHA256_LEN]; /* what its etag is made from */
};
/*
 * The etag given is not read: it is computed from the body, or from
 * file_sha256, which is any hash that is never that of another body.
 *
 * ERR_INVALID "public-type", "public-time"; ERR_NOMEM "too-large".
 */
MUST_CHECK enum err_code public_row_encode(const struct public_row *row,
    struct buf *out, struct err *e);
/* In place: the body borrows from in.  ERR_CORRUPT "public-row". */
MUST_CHECK enum err_code public_row_decode(struct bytes in,
    struct public_row *out, struct err *e);
/*
 * Keys: "o" issuer-index (u16) serial for OCSP, "f" path for files ("/crl/x.crl").
 * Empty for a serial of none or more than 20 octets, and for a path of none
 * or more than 127: nothing is stored under it, and public_get() says so.
 */
#define PUBLIC_KEY_MAX 128
struct bytes public_ocsp_key(uint8_t out[PUBLIC_KEY_MAX], uint16_t issuer,
    struct bytes serial);
struct bytes public_file_key(uint8_t out[PUBLIC_KEY_MAX], struct bytes path);

/*
 * Long bodies are files beside the rows, DIR/public/body-…: written once under
 * a name that was never used, and served from the moment a row names it.
 *
 * public_file_create - a new file for core to write, *fd open for both and
 * *fd_read for reading alone; who closes them is the caller.  What no row names is removed by
 * public_file_sweep(), unless it is younger than grace_s seconds; call it
 * while none is being written.  ERR_IO "public-file".
 */
MUST_CHECK enum err_code public_file_create(struct public *p,
    char name[PUBLIC_FILE_NAME], int *fd, int *fd_read, struct err *e);
MUST_CHECK enum err_code public_file_sweep(struct public *p, int64_t grace_s,
    struct err *e);
/*
 * public_file_map - the body of a row that names a file, mapped; it lives
 * until public_file_unmap(), whatever becomes of row, file and reader.
 * ERR_NOTFOUND "public-file": replaced meanwhile; read the row again.
 */
MUST_CHECK enum err_code public_file_map(struct public_reader *r,
    const struct public_row *row, struct bytes *body, struct err *e);
void public_file_unmap(struct bytes body);

struct public_txn;
/*
 * One at a time.  ERR_CONFLICT "public-writing", "public-read-only",
 * "store-forked"; ERR_CORRUPT "store-moved".
 */
MUST_CHECK enum err_code public_begin(struct public *p, struct public_txn **out,
    struct err *e);
/* ERR_INVALID "public-key", "public-type", "public-time"; ERR_BUSY. */
MUST_CHECK enum err_code public_put(struct public_txn *t, struct bytes key,
    const struct public_row *row, struct err *e);
/* What is not there is no error. */
MUST_CHECK enum err_code public_del(struct public_txn *t, struct bytes key,
    struct err *e);
/* Index into the log up to which public/ is up to date, and issuers' ids. */
MUST_CHECK enum err_code public_put_meta(struct public_txn *t,
    uint64_t log_index, struct err *e);
/*
 * Places are 0, 1, 2, … without a gap, below ISSUERS_MAX.  A CA keeps its own
 * for as long as public/ lives: its answers lie under it.
 */
struct public_issuer {
	struct issuer_id id;
	char name[POLICY_NAME_MAX];
};
MUST_CHECK enum err_code public_put_issuer(struct public_txn *t, uint16_t place,
    const struct public_issuer *is, struct err *e);
/*
 * Returns the first error of the transaction; t is gone.  Readers see it at
 * their next renew; it is not synced.
 *
 * ERR_BUSY "store-full": nothing was written.  ERR_IO "public-commit": it is
 * not called clean any more, and may be wiped by the next public_open().
 */
MUST_CHECK enum err_code public_commit(struct public_txn *t, struct err *e);
void public_abort(struct public_txn *t); /* NULL is allowed */

/*
 * A reader that is renewed once for each turn of the loop and never held
 * across a client.  Rows borrow from the map until the next renew or release.
 * The functions that read end the process when it is not renewed: what they
 * would answer is undefined.
 */
struct public_reader;
MUST_CHECK enum err_code public_reader_new(struct public *p,
    struct public_reader **out, struct err *e);
void public_reader_free(struct public_reader *r); /* NULL is allowed */
/* ERR_CONFLICT "public-replaced": core made it anew; open it again. */
MUST_CHECK enum err_code public_renew(struct public_reader *r, struct err *e);
/* The same without a look whether core made it anew: for each turn of a loop
 * that calls public_renew() once a second. */
MUST_CHECK enum err_code public_again(struct public_reader *r, struct err *e);
void public_release(struct public_reader *r);
/* One lookup, nothing allocated.  False: not there, or it does not decode.
 * The body of an OCSP answer is valid until the next public_get(). */
bool public_get(struct public_reader *r, struct bytes key,
    struct public_row *row);
/*
 * public_answer - the OCSP answer about one certificate, by the index in
 * memory; as public_get() with its key, for the path that nearly all requests
 * take.  False: not there.
 */
struct ocsp_shape;
struct public_answer {
	int64_t this_update, next_update, refresh_at;
	bool first, takes_nonce;
	const uint8_t *tag; /* 16 octets: etag is their hex */
	size_t len;         /* octets of the body, at most OCSP_ANSWER_MAX */
	/* The store's own. */
	uint8_t tag_room[16];
	const struct ocsp_shape *shape;
	const uint8_t *serial, *fields;
};
bool public_answer(struct public_reader *r, uint16_t issuer,
    struct bytes serial, struct public_answer *out);
/* Writes the body, len octets, before the next renew or release. */
void public_answer_put(struct public_reader *r, const struct public_answer *a,
    uint8_t *out);
/* Reads the index and touches each page of packed answers once, so that the
 * first requests meet no page fault; at the start of who serves them. */
MUST_CHECK enum err_code public_warm(struct public_reader *r, struct err *e);
uint64_t public_log_index(struct public_reader *r); /* 0: nothing yet */
/* Reads up to max issuers from that place on; how many it read: fewer than
 * max, and there are no more. */
size_t public_issuers(struct public_reader *r, size_t from,
    struct public_issuer *out, size_t max);
/* Where public_due() stopped; zero: at the beginning. */
struct public_due_at {
	uint8_t key[8 + PUBLIC_KEY_MAX];
	size_t len;
};
/*
 * public_due - the OCSP rows whose refresh_at has come, at most max, for the
 * refresher: those that are not good first, and of either kind the longest
 * overdue first.  Files are refreshed by other rules.
 *
 * at         in: after which row to go on; out: the last one given.
 *            Unchanged: there is none left.
 * each       serial borrows until it returns.
 */
typedef void (*public_each)(void *ctx, uint16_t issuer, struct bytes serial);
MUST_CHECK enum err_code public_due(struct public_reader *r, int64_t now,
    size_t max, struct public_due_at *at, public_each each, void *ctx,
    struct err *e);
/* When the row that it gave last was due; 0: it gave none. */
int64_t public_due_when(const struct public_due_at *at);
/*
 * public_walk - at most max rows with their keys, in the order of the keys,
 * from where at stands, for what copies the store away.  One call needs one
 * transaction: take slices, renewing in between.
 *
 * at     zeroed: from the first; afterwards it stands behind the last.
 * each   what it returns but ERR_OK ends the walk and is returned.
 * more   false when none is left.
 *
 * A row that does not decode is passed over, as public_get() does.
 */
struct public_cursor {
	uint8_t key[PUBLIC_KEY_MAX];
	size_t len;
};
typedef enum err_code (*public_row_each)(void *ctx, struct bytes key,
    const struct public_row *row, struct err *e);
MUST_CHECK enum err_code public_walk(struct public_reader *r,
    struct public_cursor *at, size_t max, public_row_each each, void *ctx,
    bool *more, struct err *e);
/* Grows with each commit: equal means that nothing changed in between. */
uint64_t public_version(const struct public_reader *r);
/* Clears slots of readers that died; returns how many. */
int public_check_readers(struct public *p);

#endif
