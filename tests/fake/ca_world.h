/*
 * A small world for ca's tests: two platform officers, an issuing CA, an
 * endorser CA, policies from YAML, people with real keys.  Everything below
 * ca/ is the real thing; only the store is in memory and the signer is a
 * function that signs what ca_work() gives.
 */
#ifndef FAKE_CA_WORLD_H
#define FAKE_CA_WORLD_H

#include <refrendo/ca.h>

#include "ca_view.h"

#define RUT_A      "76543210-3" /* an institution */
#define RUT_B      "1000-6"     /* another one */
#define OFFICER_1  "11111111-1"
#define OFFICER_2  "22222222-2"
#define OPERATOR   "33333333-3"
#define HOLDER     "12345678-5"
#define HOLDER_2   "1234567-4"
#define MINISTER   "87654321-4"
#define DEPUTY     "99999999-9"
#define OPERATOR_2 "50000000-7"

#define WORLD_KEYS 160
struct world_key {
	char name[24];
	struct key *key;
	struct bytes certificate; /* for CMS; in the world's arena */
};
struct world {
	struct view *v;
	struct ca ca;
	struct ca_issuer issuer, endorser;
	struct ca_issuers issuers;
	struct ceilings ceilings;
	struct policy_set *policies;
	struct verifier *verifier;
	struct key *issuer_key, *endorser_key, *log_key;
	struct cert root;
	struct world_key key[WORLD_KEYS];
	size_t n_key;
	int64_t now;
	uint64_t seed;   /* of the randomness: the world repeats itself */
	uint64_t values; /* 0, or how many different random pools exist */
	unsigned n_command;
	struct arena *a;
	struct decision out; /* of the last command */
	struct err e;        /* of the last refusal */
	unsigned fail_at;    /* view call that fails in the next command */
	bool struck;
	bool activated; /* a policy, in what is being appended */
};

struct world *world_new(const char *when); /* with its first entries */
void world_free(struct world *w);
OWNED(world);
/* The key of that name, made when it is first asked for. */
struct world_key *world_key(struct world *w, const char *name);
struct bytes world_csr(struct world *w, const char *key);
/* Files of a proposal: "funcionario-firma:2+firma-estricta:2"; a letter behind
 * the version makes other bytes of it, an exclamation mark a mistake, and ^2
 * lets it extend version 2 of its base. */
struct bytes world_files(struct world *w, const char *spec);
/* CMS over text by that key with its certificate. */
struct bytes world_cms(struct world *w, const char *key, struct bytes text);
/* What that key answers to a ceremony: "root:CER-2027-000001". */
struct bytes world_answer(struct world *w, const char *spec);
/* CMS over what a request or an appointment asks to be signed. */
struct bytes world_evidence(struct world *w, const char *key, const char *id);
/* Fields in pairs (enum ca_field, const char *), ended by CF_COUNT; the
 * idempotency key is a fresh one unless given. */
struct command world_command(struct world *w, enum ca_act act, ...);
/* Decides, appends and applies on a copy; keeps it only if all went well. */
enum err_code world_run(struct world *w, const struct command *c);
enum err_code world_decide(struct world *w, const struct command *c);
/* Appends drafts of a decision in the same way. */
enum err_code world_append(struct world *w, const struct decision *d);
/* Signs what waits, or refuses it; how many were answered. */
size_t world_sign(struct world *w, const struct err *refusal);
size_t world_tick(struct world *w);
/* The short way through: fails the test when a step is refused. */
void world_institution(struct world *w, const char *rut, const char *name);
void world_person(struct world *w, const char *rut, const char *run,
    const char *name, bool is_operator);
/* Appointed, confirmed and in force, with the key of that name. */
const char *world_minister(struct world *w, const char *rut, const char *run,
    const char *name, const char *key);
/* Institution A with operator, holder and minister ("minister"). */
void world_populate(struct world *w);
const char *world_request(struct world *w, const char *run, const char *key,
    const char *policy);
struct command world_endorsement(struct world *w, const char *key,
    const char *id);
struct request world_get_request(struct world *w, const char *id);
struct certificate world_get_certificate(struct world *w, struct bytes serial);
const char *world_serial(struct world *w, const char *request); /* hex */
/* Submitted, endorsed, signed; its serial in hex. */
const char *world_issue(struct world *w, const char *run, const char *key);
void world_must(struct world *w, enum err_code code, const char *what);

#endif
