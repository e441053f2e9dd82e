/*
 * What the files of refrendo init share: init.c tells and moves, init_ca.c
 * makes keys and certificates, init_officers.c reads the other officers,
 * init_files.c writes what etc/ holds, samples.c has the policies.
 */
#ifndef CLI_INIT_H
#define CLI_INIT_H

#include "cli.h"

#define SAMPLE_URL "http://estado.example.cl" /* in the sample policies */
#define ISSUER     "emisora"

struct sample {
	const char *name, *text;
};
extern const struct sample init_samples[];
extern const size_t init_n_samples;

/* A key with its certificate. */
struct made {
	struct key *key; /* owned */
	struct buf der;
	struct cert cert; /* borrows from der */
};

struct init {
	struct cli *c;
	char dir[PATH_LEN];   /* where it is built, DIR.new */
	char final[PATH_LEN]; /* DIR */
	struct buf passphrase;
	int64_t now;
	bool rsa;
	const char *origin, *public_url, *listen;
	char officer_run[RUN_TEXT];
	const char *officer_name;
	struct officer more[OFFICERS_MAX - 1]; /* beside the first */
	size_t n_more;
	int64_t quorum; /* who must sign an activation of policies */
	struct made root, issuer, endorser, officer;
	struct key *ocsp, *log; /* owned */
	struct buf root_crl;
	struct ceilings ceilings; /* as they were written and read back */
	struct config config;
	struct policy_set *policies; /* owned */
};

/* init_ca.c */
MUST_CHECK enum err_code init_authorities(struct init *i, struct err *e);
MUST_CHECK enum err_code init_officer(struct init *i, struct err *e);
void init_fini(struct init *i);

/* init_officers.c: those of --officers, and --quorum.  ERR_INVALID
 * "cli-officers-line", "cli-officers-many", "cli-quorum". */
MUST_CHECK enum err_code init_more_officers(struct init *i, struct err *e);

/* init_files.c */
MUST_CHECK enum err_code init_directories(struct init *i, struct err *e);
MUST_CHECK enum err_code init_write_config(struct init *i, struct err *e);
MUST_CHECK enum err_code init_write_keys(struct init *i, struct err *e);
MUST_CHECK enum err_code init_write_etc(struct init *i, struct err *e);

#endif
