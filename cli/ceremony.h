/*
 * What the verbs of ceremonies share: ceremony.c reads, shows and signs;
 * ceremony_show.c writes what people read of them.
 */
#ifndef CLI_CEREMONY_H
#define CLI_CEREMONY_H

#include "cli.h"

/* A file of a ceremony, read and judged under its root. */
struct ceremony_run {
	struct cli *c;
	struct ceremony_file file;
	struct ceremony_object object[CEREMONY_OBJECTS_MAX];
	struct buf root_der; /* owned */
	struct cert root;
	struct verifier *verifier; /* owned */
	size_t people;             /* officers who signed, of the ceilings */
	int64_t quorum;            /* 0: no ceilings were given */
};
/* What it is, who asked, who signed, and each object with its terms: the body
 * of a transcript. */
void ceremony_tell(const struct ceremony_run *r, struct buf *out);
/*
 * ceremony_sign_here - a request signed where the host is, with the root's key
 * that init left among the others: judged, shown and asked for as on a machine
 * without network.  out: the file of the answer, to be brought back.
 */
#define ROOT_KEY "keys/root.key"
MUST_CHECK enum err_code ceremony_sign_here(struct cli *c,
    const struct ceremony_file *request, struct buf *out, struct err *e);

#endif
