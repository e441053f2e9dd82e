/* walk - reads a journal file from its start and checks each hash. */
#ifndef SIGNER_WALK_H
#define SIGNER_WALK_H

#include "record.h"

#define HEAD_MAX   128
#define RECORD_OUT (4 + SHA256_LEN) /* octets around a record's body */
/* Length, kind, time and the digest with its length. */
#define MARK_BODY (1 + 8 + 4 + SHA256_LEN)

/* "refrendo-journal/2", a line feed, and the origin of the log. */
void journal_head(struct bytes origin, struct buf *out);
/* SHA-256(chain || length || body): what follows the body. */
void journal_hash(struct hasher *h, const uint8_t chain[SHA256_LEN],
    struct bytes framed, uint8_t out[SHA256_LEN]);

struct walk {
	int fd;
	struct hasher *hasher;
	uint8_t chain[SHA256_LEN]; /* of the records before at */
	uint64_t at;               /* where the next record begins */
	uint64_t size;             /* of the file */
	uint64_t settled;          /* end of the last mark, or of the head */
	bool torn;                 /* at is not the start of a whole record */
	struct bytes origin;       /* of the head; borrows from head */
	struct buf head, window;
	uint64_t window_at;
};
MUST_CHECK enum err_code walk_init(struct walk *w, int fd, struct err *e);
void walk_fini(struct walk *w);
/*
 * walk_next - the next record; *more false at the end, or at a torn tail.
 * ERR_CORRUPT "journal-chain" when what does not read was once synced.
 */
MUST_CHECK enum err_code walk_next(struct walk *w, struct record *out,
    bool *more, struct err *e);
/* Reads up to len octets; fewer only at the end of the file. */
MUST_CHECK enum err_code journal_pread(int fd, uint64_t at, uint8_t *out,
    size_t len, size_t *got, struct err *e);

#endif
