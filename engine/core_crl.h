/*
 * core_crl - what core_crl.c and core_crl_build.c share: one CRL on its way
 * from the ledger's cursor to public/.
 *
 * A thread of libuv's pool walks the ledger and writes the list into its file,
 * block after block, and hashes it; the loop tells the signer how far it is,
 * which reads the same file, parses and hashes it again (decision 0031).
 */
#ifndef ENGINE_CORE_CRL_H
#define ENGINE_CORE_CRL_H

#include <stdatomic.h>

#include "core.h"

struct crl_build {
	struct core *core;
	struct core_issuer *issuer;
	int64_t partition;
	bool is_delta;
	/* Given to the thread. */
	struct crl_spec spec;
	char url[CRL_URL_MAX], freshest[CRL_URL_MAX];
	char issuer_name[POLICY_NAME_MAX];
	int64_t drop_before;  /* expired ones leave after one more CRL */
	int64_t periodic;     /* of a complete one: as in crl_published */
	uint64_t base_covers; /* of a delta: what its base was built from */
	uv_work_t work;
	/* The thread's, the loop's once it has ended. */
	struct crl_plan plan; /* known before the first block is queued */
	uint64_t covers;
	char file[PUBLIC_FILE_NAME];
	int fd, fd_read; /* -1: none; the signer gets the second */
	uint64_t at;     /* octets in the file */
	uint8_t *block;
	struct digest *digest;
	struct digest_value value;
	uint8_t first[CRL_ENDS_MAX], last[CRL_ENDS_MAX];
	size_t first_len, last_len;
	bool is_long; /* a delta of too many changes */
	enum err_code code;
	struct err err;
	/* Between both. */
	_Atomic size_t written;   /* octets of the TBS in the file */
	_Atomic bool is_given_up; /* the loop wants no more of it */
	/* The loop's. */
	uint64_t id;                 /* of its frames */
	size_t sent;                 /* octets that the signer was told of */
	bool has_ended, is_answered; /* the thread; the signer */
	uint8_t signature[SIG_MAX];
	size_t signature_len;
	struct crl crl;             /* borrows from first, last and signature */
	bool is_writing;            /* its entry is on its way into the log */
	uint64_t file_at, file_len; /* the whole CRL in its file */
	int64_t since_ms;
};

/* What the policies in force ask of their issuer: the shortest periods and the
 * longest overlap. */
struct crl_terms {
	int64_t every, overlap;
	int64_t delta; /* 0: no deltas */
	bool partitions;
};
struct crl_terms crl_terms(const struct core *c, const struct core_issuer *i);
/* The deltas of a complete list, or what deltas amend; NULL: not there. */
struct core_crl *crl_twin(struct core_issuer *i, const struct core_crl *l);
/* Lists of one age come due apart: a tenth of the period, by CA and number. */
int64_t crl_jitter(const struct core_issuer *i, const struct core_crl *l,
    int64_t every);

/* What stands before the TBS in the file: a head of two to six octets. */
#define CRL_FILE_HEAD 6u

/* core_crl_build.c */
/* All of b at that place of the file.  ERR_IO "crl-write". */
MUST_CHECK enum err_code crl_body_write(int fd, struct bytes b, uint64_t at,
    struct err *e);
MUST_CHECK enum err_code crl_build_new(struct core *c, struct crl_build **out,
    struct err *e);
void crl_build_free(struct crl_build *b);
OWNED(crl_build);
/* On a thread of the pool; result in b->code. */
void crl_build_run(uv_work_t *work);
/* Puts head and signature around the TBS in the file. */
MUST_CHECK enum err_code crl_build_finish(struct crl_build *b,
    struct bytes sigalg, uint64_t *at, uint64_t *len, struct err *e);

/* core_crl_delta.c */
/* Each list has deltas where the terms say so, and none where they do not. */
MUST_CHECK enum err_code deltas_turn(struct core *c, struct err *e);
/* Is a complete one to be made, for what it says of deltas to be right? */
bool delta_wants_complete(const struct core_crl *l, struct crl_terms t);
bool delta_is_due(struct core_issuer *i, const struct core_crl *l,
    struct crl_terms t, int64_t now);
/* A change of status, where the list has deltas: the next one tells it. */
void delta_want(struct core_issuer *i, int64_t partition);
void delta_spec(struct crl_build *b, struct core_issuer *i, int64_t now,
    struct crl_terms t);
/* The delta had more changes than one may: a complete list tells them. */
void delta_give_up(struct core_issuer *i, struct core_crl *l);
/* The thread's: entries of a delta. */
struct delta_walk;
MUST_CHECK enum err_code delta_walk_new(struct crl_build *b, struct view *v,
    struct delta_walk **out, struct err *e);
void delta_walk_free(struct delta_walk *w);
OWNED(delta_walk);
struct crl_source delta_source(struct delta_walk *w);

#endif
