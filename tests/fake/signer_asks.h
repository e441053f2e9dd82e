/*
 * signer_asks - each kind of question to a signer, good until a test changes
 * something in it.
 */
#ifndef TEST_FAKE_SIGNER_ASKS_H
#define TEST_FAKE_SIGNER_ASKS_H

#include "signer_world.h"

#include <refrendo/crl.h>
#include <refrendo/ocsp.h>

#define PUBLIC "http://crl.example.org"

struct crl_row {
	const char *name, *issuer;
	int ca; /* whose CRL it is */
	uint64_t number;
	int64_t from, life;
	const char *want, *say;
	const char *url, *freshest;
	uint64_t base;
};

#define LEAVES 12

/* Two logs that agree on their first five entries. */
struct log {
	struct merkle m[LEAVES + 1];
	uint8_t leaf[LEAVES][HASH_LEN];
};

enum spoil {
	NOTHING,
	OTHER_KEY,
	CA_KEY,
	TOO_LONG,
	THIRTY_ONE,
	FUTURE,
	OLD,
	NO_NOCHECK,
	NO_EKU,
	SECOND_EKU,
	CERT_SIGN,
	IS_CA,
	CRLDP,
	WITH_SAN,
	OTHER_CA
};

struct ocsp_row {
	const char *name, *issuer;
	int ca, key;
	int64_t produced, from, life;
	enum ocsp_state state;
	enum { RIGHT, FOREIGN } certificate;
	const char *want, *say;
};

/* What core sends: a good activation, with one lie in it for each row. */
struct plan {
	struct activation_statement st;
	uint8_t hash[SHA256_LEN];
	const char *signers; /* o, s: officers; m: a minister; z: nobody;
				x: other text */
	struct bytes statement;
};

const char *ask(struct world *w, uint16_t type, const struct buf *body,
    struct bytes *answer, struct err *refusal);
void crl_tbs(struct world *w, const struct crl_row *r, struct buf *tbs);
/* The file of the list that is asked for next; FILE_AT octets stand before. */
#define FILE_AT 6u
void give_file(struct world *w, struct bytes tbs);
void put_piece(struct buf *in, const char *issuer, size_t from, size_t to,
    bool last);
const char *ask_crl(struct world *w, const struct crl_row *r,
    struct bytes *signature, struct err *refusal);
void make_log(struct log *l, uint8_t from_fifth);
const char *ask_checkpoint(struct world *w, struct log *l, uint64_t old,
    uint64_t size, struct bytes *note, struct err *refusal);
void responder_spec(struct world *w, struct cert_spec *spec);
const char *ask_responder(struct world *w, const struct cert_spec *spec,
    const char *issuer, struct bytes *der, struct err *refusal);
void spoil(struct world *w, struct cert_spec *s, enum spoil how);
struct bytes become_ocsp(struct world *w);
struct bytes ocsp_tbs(struct world *w, const struct ocsp_row *r,
    struct bytes serial, struct bytes nonce);
struct bytes usual_tbs(struct world *w, const struct ocsp_row *r);
struct bytes batch_body(struct world *w, struct bytes responder,
    const struct bytes *tbs, size_t n);
struct bytes ocsp_body(struct world *w, const struct ocsp_row *r,
    struct bytes responder);
const char *status_asks(struct world *w, uint16_t type, struct bytes body,
    struct bytes *answer);
struct bytes compose_body(struct world *w, struct bytes responder,
    struct bytes tbs, const struct bytes *sources, size_t n);
struct bytes published(struct world *w, const struct ocsp_row *r,
    uint8_t number, struct bytes responder);
struct bytes composed_tbs(struct world *w, const struct bytes *sources,
    size_t n, bool sha256, struct bytes nonce);
void plan_init(struct world *w, struct plan *p, const char *id,
    const char *text);
enum err_code plan_ask(struct world *w, struct plan *p, struct err *refusal);
enum err_code end_ask(struct world *w, const char *id, int64_t at,
    struct err *refusal);
struct world *two_officers(void);
const char *certificate_under(struct world *w, const char *text,
    int64_t issued);

/* signer_ceilings.c: officers who agree on another file of ceilings. */
struct change {
	struct ceremony_statement st;
	const char *signers; /* o, s: officers; z: nobody; x: other text */
	struct bytes file;
};
/* The file that is in force, which this signer then was started with. */
struct bytes world_file_in_force(struct world *w);
struct bytes world_told_ceilings(struct world *w);
void change_init(struct world *w, struct change *x, const char *id,
    struct bytes base, const struct ceilings *to);
const char *change_ask(struct world *w, struct change *x, struct err *refusal);

#endif
