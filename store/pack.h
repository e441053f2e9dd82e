/*
 * pack - how OCSP answers lie in public/: packed (ocsp_pack), some 35 to a
 * page in the order of their serial numbers, each page an overflow page of
 * LMDB, which stays where it is until it is itself written anew.  A reader
 * therefore keeps the places of all pages in memory, a million answers to a
 * MiB, and follows a feed of the pages that each commit changed.  Decision
 * 0016.
 */
#ifndef REFRENDO_STORE_PACK_H
#define REFRENDO_STORE_PACK_H

#include <refrendo/ocsp.h>

#include "published.h"

/* All that fits an overflow page beside LMDB's header: smaller values would
 * lie in pages that move when a neighbour changes. */
#define PACK_BYTES   4080u
#define PACK_ROWS    44u /* count, version and tags fill the first line */
#define PACK_HEAD    (2u + 1 + 2 + 4 + 4 + 4 + 1) /* of a row, beside serial */
#define PACK_VERSION 1
#define KEY_HEAD     3u /* 'o' and the issuer, before the serial */
#define ROW_KEY      (KEY_HEAD + SERIAL_MAX)

/*
 * Rows in the order of their serials.  Each: u16 octets in all, u8 octets of
 * serial, serial, u16 shape, u32 this update, next update, refresh at, u8
 * flags, fields.
 */
struct pack_page {
	uint8_t n, version;
	uint16_t used;           /* octets of heap */
	uint8_t tag[PACK_ROWS];  /* last octet of the serial, which is random */
	uint16_t off[PACK_ROWS]; /* of the row in heap */
	uint8_t heap[PACK_BYTES - 4 - 3 * PACK_ROWS];
};
_Static_assert(sizeof(struct pack_page) == PACK_BYTES, "one page");

/* A row in place. */
struct pack_row {
	struct bytes serial, fields;
	uint16_t shape;
	uint32_t this_update, next_update, refresh_at;
	uint8_t flags;
};
enum { PACK_FIRST = 1, PACK_NONCE = 2 };

/* False for a page that is not one, or a row outside it. */
bool pack_page_of(MDB_val v, const struct pack_page **out);
bool pack_row_at(const struct pack_page *p, size_t i, struct pack_row *out);
/* Index of the serial's row, or -1. */
int pack_find(const struct pack_page *p, struct bytes serial,
    struct pack_row *out);
/* The octets of a row; false if it is longer than a page takes. */
bool pack_row_put(const struct pack_row *row, struct buf *out);
/* A page of the rows given, whole as pack_row_put() made them; false if they
 * do not fit.  They may lie in out. */
bool pack_build(struct pack_page *out, const struct bytes *row, size_t n);
struct bytes pack_raw(const struct pack_page *p, size_t i);

/* --- Writing: public_pack.c ------------------------------------------------- */

struct packer;
struct packer *packer_new(struct public *p, MDB_txn *txn); /* NULL: no memory */
void packer_free(struct packer *k);
/* The row under an OCSP key; found false if none is packed. */
MUST_CHECK enum err_code packer_get(struct packer *k, struct bytes key,
    struct public_row *times, bool *found, struct err *e);
/* packed false: the answer has no shape, and nothing was kept. */
MUST_CHECK enum err_code packer_put(struct packer *k, struct bytes key,
    const struct public_row *row, bool *packed, struct err *e);
MUST_CHECK enum err_code packer_del(struct packer *k, struct bytes key,
    struct err *e);
/* Writes what is open, and the feed; before the commit. */
MUST_CHECK enum err_code packer_end(struct packer *k, struct err *e);
/* After an abort: what the transaction taught is not so. */
void packer_forget(struct public *p);

/* --- The feed and shapes, in meta --------------------------------------------
 *
 * "c" be64 sequence: the keys that a commit changed, each u8 length and key:
 * of pages "o…", of shapes "t" u16.  FEED_KEPT of them are there.
 * "t" u16: i64 until when it is in use at most, shape.
 */
#define FEED_KEPT 512
#define FEED_KEYS 4096u /* of more than so many: none, readers begin anew */

/* --- Reading: public_index.c ---------------------------------------------------- */

struct pack_index;
struct pack_index *pack_index_new(struct public *p); /* NULL: no memory */
void pack_index_free(struct pack_index *x);
/* Brings it to the state of the transaction.  Whatever it gave before is
 * invalid. */
MUST_CHECK enum err_code pack_index_follow(struct pack_index *x, MDB_txn *txn,
    struct err *e);
void pack_index_touch(const struct pack_index *x);
/* The issuer of an OCSP key. */
static inline uint16_t
key_issuer(struct bytes key)
{
	return (uint16_t)(key.p[1] << 8 | key.p[2]);
}
bool pack_index_find(struct pack_index *x, MDB_txn *txn, uint16_t issuer,
    struct bytes serial, struct public_answer *out);

#endif
