/*
 * signer_world - a signer with its files, three ministers, an officer and a
 * holder, and core's end of the socket, which may lie about anything.
 */
#ifndef TEST_FAKE_SIGNER_WORLD_H
#define TEST_FAKE_SIGNER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/signer.h>

#define WORLD_NOW INT64_C(1795000123)
#define MINISTERS 3
#define RUT_A     "60100003-2"
#define RUT_B     "60910000-1"

struct world {
	const char *passphrase; /* of keys that the signer makes */
	char dir[64];
	struct config config;
	struct ceilings ceilings;
	/* Of the signer in this process; empty: it has them from the above. */
	struct bytes ceilings_text;
	enum ceilings_how told_how; /* by the last world_told_ceilings() */
	/* "uno" and "dos", the ministers' CA, and what core would not have. */
	struct key *ca[2], *endorser, *log, *ocsp[2], *root;
	struct buf root_der;
	struct cert root_cert;
	struct buf ca_der[2], endorser_der;
	struct cert ca_cert[2], endorser_cert;
	struct key *throwaway, *officer, *second, *stranger, *holder;
	struct key *minister[MINISTERS]; /* 0 and 1 of RUT_A, 2 of RUT_B */
	struct buf officer_der, second_der, stranger_der;
	struct buf minister_der[MINISTERS];
	int file;              /* goes with what is asked for next; -1: none */
	struct signer *signer; /* signer_local.c */
	struct {               /* hostile/process.c */
		int pid, control, log;
		int asker[2]; /* by enum signer_asker; -1: closed */
		size_t log_at;
		int64_t ahead; /* its clock of ours */
		bool is_ocsp;
	} process;
	struct arena *a;
	int64_t now;
	uint32_t serials;
};

/* What core asks for: built step by step, so that a row can lie at each. */
struct wish {
	bool is_minister;
	struct bytes issuer;
	uint8_t serial[SERIAL_MAX];
	struct cert_spec spec;
	struct statement st;
	void (*edit)(struct world *w, struct wish *x); /* of the TBS */
	struct key *by;
	struct bytes by_cert;
	struct bytes tbs, container, statement, evidence;
	struct bytes more;    /* evidence of a second person */
	struct bytes renewed; /* under a mandate */
	struct bytes proof;   /* of its key over another */
	struct key *extra; /* a key that a row made; the row's test frees it */
};
typedef void (*wish_fn)(struct world *w, struct wish *x);

#define OK(call)                                                       \
	do {                                                           \
		struct err ok_e_ = { .code = ERR_OK };                 \
		struct err *e = &ok_e_;                                \
		enum err_code ok_code_ = (call);                       \
		if (ok_code_ != ERR_OK)                                \
			fail_msg("%s: %s (%s)", #call, e->id, e->say); \
	} while (0)

/*
 * The signer itself and the way to it: in this process (signer_local.c), or in
 * one of its own, confined as ever (hostile/process.c).
 *
 * world_open   starts it and greets nobody.
 * world_talk   whole frames in, answers out; ERR_INVALID when it closes.
 * world_tick   sets the world's clock where the signer has one of its own.
 * world_forward  later, for both; a process is started anew and greeted.
 */
void world_open(struct world *w, bool is_ocsp);
void world_stop(struct world *w);
enum err_code world_talk(struct world *w, enum signer_asker who,
    struct bytes in, struct buf *out, struct err *e);
void world_tick(struct world *w);
void world_forward(struct world *w, int64_t seconds);
/* Did the signer log this code since then?  True where nobody keeps its log. */
void world_log_from(struct world *w);
bool world_logged(struct world *w, const char *id);

/* The RUT that "dos" is for; NULL: it is shared.  Set before world_init(). */
extern const char *world_rut_of_dos;

/* Files and keys only; then the signer, greeted; then its three ministers. */
void world_init(struct world *w);
void world_start(struct world *w);
void world_hello(struct world *w);
void world_appoint(struct world *w);
struct world *world_new(void); /* all of it */
void world_free(struct world *w);

void world_path(const struct world *w, char out[128]); /* of the journal */
struct bytes world_file(struct world *w, const char *path);
void world_write(const char *path, struct bytes b);
/* signer_ceilings.c: signer.yaml as the process gets it. */
void world_ceilings(const struct ceilings *top, struct buf *out);

/* One frame in, one out; the answer lives in the arena. */
enum err_code world_ask_as(struct world *w, enum signer_asker who,
    uint16_t type, struct bytes body, struct bytes *answer,
    struct err *refusal);
enum err_code world_ask(struct world *w, uint16_t type, struct bytes body,
    struct bytes *answer, struct err *refusal);
/* Frames as they are; out is the caller's. */
enum err_code world_batch(struct world *w, struct bytes in, struct buf *out,
    struct err *e);

/* A good wish; by: which minister signs (or the officer, for a minister). */
void wish_holder(struct world *w, struct wish *x, size_t by);
void wish_minister(struct world *w, struct wish *x, const char *id,
    const char *run, const char *rut, struct key *key);
/* Subject and SAN of that person. */
void wish_subject(struct world *w, struct wish *x, const char *run);
/* The edits may be NULL; each comes before what it changes is used. */
void wish_build(struct world *w, struct wish *x, wish_fn spec,
    wish_fn statement, wish_fn bytes);
/* The signature of a second person over the same statement. */
void wish_more(struct world *w, struct wish *x, struct key *key,
    const struct buf *der);
enum err_code wish_ask(struct world *w, struct wish *x, struct bytes *answer,
    struct err *refusal);
/* Builds the container again, its serial cut to so many octets. */
void wish_shorten(struct world *w, struct wish *x, size_t len);
struct bytes wish_body(struct world *w, const struct wish *x);
/* A TBS with the signature of that key around it. */
struct bytes world_signed(struct world *w, struct key *key, struct bytes tbs);
struct bytes world_hash(struct world *w, struct bytes b);
/* What core sends of a ceremony, in the arena: o and s are officers, z is
 * nobody, x an officer who signed other octets.  object: what the root signed,
 * or the file of ceilings. */
struct bytes world_agreement(struct world *w,
    const struct ceremony_statement *st, struct bytes object,
    const char *signers);
/* A root, or a CA by it, in the file of that name too. */
void world_by_root(struct world *w, struct key *root, const char *file,
    const char *cn, struct key *key, struct buf *der, struct cert *cert);
/* Before the start: both CAs by the root, "dos" with the next key of "uno". */
void world_next_key(struct world *w);
/* Whole, signed with the throwaway key. */
struct bytes world_throwaway(struct world *w, struct bytes tbs,
    struct bytes sigalg);
struct bytes world_container(struct world *w, const struct cert_spec *spec,
    struct bytes *tbs);

#endif
