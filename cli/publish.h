/*
 * publish - a directory that any web server can serve in place of status:
 * publish.c is the verb and its clock, publish_pass.c decides row by row what
 * changes, publish_crl.c judges CRLs, publish_files.c writes files whole,
 * publish_state.c remembers what is there.  doc/publish.md has the layout.
 */
#ifndef CLI_PUBLISH_H
#define CLI_PUBLISH_H

#include <refrendo/audit.h>
#include <refrendo/crl.h>
#include <refrendo/ocsp.h>
#include <refrendo/store.h>

#include "cli.h"

#define PUBLISH_OWN   ".refrendo" /* lock, state and what is half written */
#define PUBLISH_BATCH 8192        /* files that are synced together */
/* "ocsp/XY/" and a path of base64, or a file's. */
#define PUBLISH_PATH  (OCSP_GET_PATH + 24)
#define PUBLISH_NAMES OCSP_FORMS

/* --- Files (publish_files.c) ------------------------------------------------- */

struct sink;
/*
 * Takes DIR, which is made if it is not there, and its lock.
 *
 * ERR_CONFLICT "publish-running", "publish-not-ours" (it holds files that no
 * export put there); ERR_IO "publish-open".
 */
MUST_CHECK enum err_code sink_open(const char *dir, struct sink **out,
    struct err *e);
void sink_free(struct sink *s); /* NULL is allowed */
OWNED(sink);
int sink_own(const struct sink *s);     /* descriptor of PUBLISH_OWN */
int sink_root(const struct sink *s);    /* and of the directory */
bool sink_is_new(const struct sink *s); /* nothing was in it */
/*
 * One file under n names, hard links of each other.  It is not seen before
 * the next sink_flush(), which comes by itself after PUBLISH_BATCH files.
 * Names are relative, without empty, "." or ".." parts.
 *
 * ERR_INVALID "publish-name"; ERR_IO "publish-write".
 */
MUST_CHECK enum err_code sink_put(struct sink *s, char (*name)[PUBLISH_PATH],
    size_t n, struct bytes body, struct err *e);
/* Everything to the disk, then each file to its place.  ERR_IO. */
MUST_CHECK enum err_code sink_flush(struct sink *s, struct err *e);
/* Is that what the file holds, under this name?  Compared octet by octet. */
bool sink_has(struct sink *s, const char *name, struct bytes body);
/* What a file holds; false when it is not there or larger than out takes. */
bool sink_read(struct sink *s, const char *name, struct buf *out);
/* What is not there is no error.  ERR_IO "publish-remove". */
MUST_CHECK enum err_code sink_remove(struct sink *s, const char *name,
    struct err *e);
/* A directory with the plain files in it, as far as that is possible. */
void sink_remove_dir(struct sink *s, const char *name);
/* A file of the sink's own, beside the published ones. */
MUST_CHECK enum err_code sink_rename_own(struct sink *s, const char *from,
    const char *to, struct err *e);

/* --- What is there (publish_state.c) ------------------------------------------- */

/* What was exported of one row; key is that of public/. */
struct exported {
	uint8_t key[PUBLIC_KEY_MAX];
	uint8_t key_len; /* 0: after the last */
	uint8_t etag[16];
	/* 0: for ever; of a full tile, when its partial ones go. */
	int64_t next_update;
	uint64_t number; /* of a CRL; width of a tile */
};

struct state_in;
/* NULL where there is none, or it does not read: then files are compared. */
struct state_in *state_open(int own);
void state_close(struct state_in *s);
/* In the order of keys; key_len 0 after the last.  False: it does not read on,
 * and what comes after is compared with the files. */
bool state_next(struct state_in *s, struct exported *out);

struct state_out;
MUST_CHECK enum err_code state_create(int own, struct state_out **out,
    struct err *e);
void state_put(struct state_out *s, const struct exported *x);
/* Ends, syncs and closes it: "state.new", to be renamed.  ERR_IO. */
MUST_CHECK enum err_code state_end(struct state_out *s, struct err *e);
void state_abandon(struct state_out *s); /* NULL is allowed */

/* --- CRLs (publish_crl.c) -------------------------------------------------------- */

struct publish_ca {
	char name[PATH_LEN];
	struct buf der;
	struct cert cert; /* borrows from der */
};

/* --- A pass ---------------------------------------------------------------------- */

struct publish {
	struct cli *c;
	struct config config;
	const char *dir;
	bool full; /* compare every file, not only what changed */
	struct publish_ca ca[ISSUERS_MAX + ROOTS_MAX]; /* the roots first */
	size_t n_root, n_ca;
	struct verifier *verifier;
	struct sink *sink;
	struct public_issuer issuer[ISSUERS_MAX]; /* by their places */
	size_t n_issuer;
	int64_t now;
	/* The pass under way. */
	struct public_reader *reader; /* borrowed */
	struct state_in *in;
	struct state_out *out;
	/* The last state was not there, or not whole: files are compared. */
	bool forgot;
	struct exported next; /* the row of the last state that comes next */
	struct buf checkpoint;
	uint64_t log_size;
	bool shows;
	int64_t shown_ms;
	/* Its result. */
	uint64_t rows, written, removed, refused, octets, version;
	struct err_list refusals; /* where.field has the path */
};

/* The CAs whose CRLs may be published: from the installation's files, and of
 * the published ones those that its root signed. */
MUST_CHECK enum err_code publish_authorities(struct publish *p, struct err *e);
MUST_CHECK enum err_code publish_made(struct publish *p,
    struct public_reader *r, struct err *e);
/*
 * May this CRL take the place of what stands at path (INCIDENTS row 59)?
 *
 * last    number of the one that was exported, 0: none; what stands there
 *         counts too when it is a CRL of this CA.
 * number  its own.
 *
 * What crl_parse() and crl_check_publish() refuse; ERR_DENIED
 * "publish-no-ca", "publish-other-url".
 */
MUST_CHECK enum err_code publish_judge_crl(struct publish *p, const char *path,
    struct bytes der, uint64_t last, uint64_t *number, struct err *e);
/*
 * One pass over public/: what changed is written, what ended is removed.  It
 * ends early once publish_stopped(), and is then done again.
 */
MUST_CHECK enum err_code publish_pass(struct publish *p,
    struct public_reader *r, struct err *e);
/* Removes answers that have ended, by looking at each file. */
void publish_sweep(struct publish *p);
bool publish_stopped(void); /* a signal asked for the end */

#endif
