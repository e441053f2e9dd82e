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
	struct key_plan keys;
	const char *origin, *public_url, *listen;
	bool is_offline; /* root has no key: a ceremony signs */
	char officer_run[RUN_TEXT];
	const char *officer_name;
	struct officer more[OFFICERS_MAX - 1]; /* beside the first */
	size_t n_more;
	int64_t quorum; /* who must sign: ministers, policies, ceremonies */
	struct made root, issuer, endorser, officer;
	struct key *ocsp, *log; /* owned */
	struct buf root_crl;    /* its TBS where the root is offline */
	struct bytes log_spki;
	struct buf log_der;       /* owned */
	struct ceilings ceilings; /* as they were written and read back */
	struct config config;
	struct policy_set *policies; /* owned */
};

/* init_ca.c */
MUST_CHECK enum err_code init_root(struct init *i, struct err *e);
/* The key of the root before, signed by the new one. */
MUST_CHECK enum err_code init_link(struct init *i, const struct cert *old,
    struct buf *der, struct err *e);
MUST_CHECK enum err_code init_authorities(struct init *i, struct err *e);
MUST_CHECK enum err_code init_officer(struct init *i, struct err *e);
void init_fini(struct init *i);

/* init.c */
MUST_CHECK enum err_code init_take_place(struct init *i, struct err *e);
/* Removes what an interrupted end of init wrote of the ledger. */
void init_forget_ledger(struct init *i);
MUST_CHECK enum err_code init_end(struct init *i, struct err *e);
#define INIT_MARK "init-unfinished" /* in what an interrupted init left */
/* SHA-256 of a certificate, in hexadecimal. */
const char *init_fingerprint(struct cli *c, struct bytes der);
void init_put_fingerprint(struct cli *c, const char *what, struct bytes der);

/* init_offline.c: the root's certificate; what it is asked; what it signed. */
#define INIT_WAITS "init-waits" /* in DIR.new until the root has signed */
MUST_CHECK enum err_code init_offline_root(struct init *i, struct err *e);
MUST_CHECK enum err_code init_ask(struct init *i, struct err *e);
MUST_CHECK enum err_code init_answered(struct init *i, struct err *e);

/* init_officers.c: those of --officers, and --quorum.  ERR_INVALID
 * "cli-officers-line", "cli-officers-many", "cli-quorum". */
MUST_CHECK enum err_code init_more_officers(struct init *i, struct err *e);

/* init_files.c */
MUST_CHECK enum err_code init_directories(struct init *i, struct err *e);
MUST_CHECK enum err_code init_write_config(struct init *i, struct err *e);
MUST_CHECK enum err_code init_write_keys(struct init *i, struct err *e);
MUST_CHECK enum err_code init_write_etc(struct init *i, struct err *e);
/* A certificate's PEM below DIR.new. */
MUST_CHECK enum err_code init_write_pem(struct init *i, const char *name,
    const char *label, struct bytes der, struct err *e);
/* What was written is read the way the engine will read it. */
MUST_CHECK enum err_code init_read_back(struct init *i, struct err *e);
const char *init_inside(struct init *i, const char *name);

#endif
