/*
 * engine - the processes: the parent that starts and watches, and the mains
 * of the roles it starts by re-executing itself (DESIGN 2).
 *
 * Wiring, no judgement: what may happen is decided in ca/ and signer/.
 */
#ifndef REFRENDO_ENGINE_H
#define REFRENDO_ENGINE_H

#include <refrendo/base.h>
#include <refrendo/http.h>
#include <refrendo/ocsp.h>
#include <refrendo/pkix.h>
#include <refrendo/policy.h>

/* --- What an installation is made of -------------------------------------------- */

#define INSTALLATION_FILES (POLICIES_MAX + 2)

/* The files of DIR/etc, read once; everything borrows from text. */
struct installation {
	char dir[PATH_LEN];
	struct policy_file
	    file[INSTALLATION_FILES]; /* refrendo.yaml, signer.yaml, policies */
	char name[INSTALLATION_FILES][PATH_LEN];
	struct buf text[INSTALLATION_FILES];
	size_t n_file;
	struct config config;
	struct ceilings ceilings;
	struct policy_set *policies;
};
/*
 * installation_read - refrendo.yaml, signer.yaml and every policy of dir, all
 * findings of all files; usable only when f has no errors.
 * ERR_NOTFOUND "engine-dir" when there is no installation.
 */
MUST_CHECK enum err_code installation_read(const char *dir,
    struct installation *out, struct findings *f, struct err *e);
/*
 * The same, but policies are not held to the file of ceilings: which ones are
 * in force the signer's journal says, and which policies are, the log.
 */
MUST_CHECK enum err_code installation_start(const char *dir,
    struct installation *out, struct findings *f, struct err *e);
/* That from files that are in memory already: how roles get theirs. */
void installation_parse(struct installation *in, struct findings *f);
/* The policies' files of fresh become those of in, for the next role that is
 * started; in->policies stays as it was.  fresh is only to be freed. */
void installation_take_policies(struct installation *in,
    struct installation *fresh);
void installation_fini(struct installation *in);
/* Prints findings the way compilers do, on standard error. */
void installation_print(const struct installation *in,
    const struct findings *f);
/* A file below dir, at most max octets.  ERR_NOTFOUND "file-missing",
 * ERR_INVALID "file-directory", "file-large", ERR_IO. */
MUST_CHECK enum err_code file_read(const char *dir, const char *name,
    size_t max, struct buf *out, struct err *e);
/* Temporary file, fsync, rename, fsync of the directory.  Whatever lay at
 * PATH.new is removed: the file is a new one, of this mode or less.
 * ERR_IO "file-create". */
MUST_CHECK enum err_code file_write(const char *path, struct bytes content,
    unsigned mode, struct err *e);
/* The same for what must not take another's place: ERR_CONFLICT "file-exists". */
MUST_CHECK enum err_code file_write_new(const char *path, struct bytes content,
    unsigned mode, struct err *e);
/* To refuse that before anything is made or signed. */
MUST_CHECK enum err_code file_is_new(const char *path, struct err *e);
/* Certificate in DER from a PEM file of the installation. */
MUST_CHECK enum err_code file_certificate(const char *dir, const char *name,
    struct buf *der, struct err *e);

/* Whose passphrase is asked for, and of whom. */
struct key_asking {
	const char *key; /* its file or URI; NULL: all of the installation */
	bool is_new;     /* keys to be made: typed twice */
	bool spanish;
};
/*
 * passphrase_read - the next line of the descriptor that REFRENDO_PASSPHRASE_FD
 * names, $CREDENTIALS_DIRECTORY/refrendo-passphrase, DIR/passphrase (0600), or
 * a prompt when there is a terminal.  Never an argument, never the environment.
 * A command that opens several keys takes a line for each, in the order in which
 * it asks for them.
 *
 * ERR_FORBIDDEN "passphrase-none", "passphrase-none-key", "passphrase-mode"; of
 * shares what follows.
 */
MUST_CHECK enum err_code passphrase_read(const char *dir,
    const struct key_asking *a, struct buf *out, struct err *e);
/* The one that is to follow it, in the same ways: REFRENDO_NEW_PASSPHRASE_FD,
 * DIR/passphrase.new, a prompt.  ERR_FORBIDDEN "passphrase-new-none". */
MUST_CHECK enum err_code passphrase_new_read(const char *dir, bool spanish,
    struct buf *out, struct err *e);
/* Nothing more will be asked for: closes their descriptors. */
void passphrase_end(void);
/* No engine runs on it from here on until this process ends.  ERR_CONFLICT
 * "engine-running". */
MUST_CHECK enum err_code engine_lock(const char *dir, struct err *e);
/* A file that is on disk in the place of another, with its owner; and synced. */
MUST_CHECK enum err_code file_settle(const char *from, const char *to,
    struct err *e);
/*
 * A passphrase in shares, of which some number is enough and fewer say nothing;
 * a line of text each.  passphrase_read() takes them where it takes a
 * passphrase: all lines on the descriptor, credentials refrendo-share-1 … -16,
 * or one after the other at the prompt.
 */
#define PASSPHRASE_MAX 1024
#define SHARES_MAX     16
bool share_is(struct bytes text);
/* ERR_INVALID "shares-count", "shares-long". */
MUST_CHECK enum err_code shares_split(struct bytes passphrase, size_t n,
    size_t k, struct buf out[SHARES_MAX], struct err *e);
struct shares;
MUST_CHECK enum err_code shares_new(struct shares **out, struct err *e);
void shares_free(struct shares *s); /* wiped */
OWNED(shares);
/* ERR_INVALID "share-check" (as given it is none), "share-other-set",
 * "share-twice"; then it was not taken. */
MUST_CHECK enum err_code shares_add(struct shares *s, struct bytes text,
    struct err *e);
size_t shares_missing(const struct shares *s); /* SHARES_MAX before the first */
/* ERR_INVALID "shares-few", "shares-wrong". */
MUST_CHECK enum err_code shares_join(struct shares *s, struct buf *out,
    struct err *e);

/* pin_read - of the token, likewise: REFRENDO_PIN_FD, credential refrendo-pin,
 * DIR/pin (0600), or a prompt.  ERR_FORBIDDEN "pin-none". */
MUST_CHECK enum err_code pin_read(const char *dir, bool spanish,
    struct buf *out, struct err *e);

/* --- Processes ---------------------------------------------------------------------- */

/* refrendo serve: runs until SIGTERM.  Refuses where it cannot start, with what
 * the role said that could not, in a; ERR_IO "engine-role-ended". */
MUST_CHECK enum err_code engine_serve(const char *dir, bool spanish,
    struct arena *a, struct err *e);
/* A role, re-executed by the parent: refrendo role NAME. */
int engine_role(const char *name);

/* What the kernel offers for confinement, in words, for doctor and the log. */
void sandbox_offer(char *out, size_t size);

/* --- Probes: what a client of anybody's status service sees ------------------------- */

struct probe {
	const char *url;            /* of the responder: http://… */
	const struct cert *issuer;  /* the CA in question */
	const struct issuer_id *id; /* issuer_id_of(issuer) */
	struct bytes serial;        /* magnitude, 1..20 octets */
	struct verifier *verifier;
	int64_t timeout_ms; /* for one question and its answer */
	bool numeric;       /* see struct net_ask */
};
struct probe_how {
	bool by_get, is_sha256; /* else POST, SHA-1 */
	struct bytes nonce;     /* empty: none */
	const char *extra;      /* header lines; NULL: none */
};
struct probe_answer {
	bool is_http;     /* some answer in HTTP came: http is filled */
	bool is_response; /* it holds an OCSPResponse */
	bool is_believed; /* ocsp_response_check() has no objection */
	int64_t asked_at; /* when, seconds since 1970 */
	struct http_response http;
	struct ocsp_response response; /* borrows from http */
	struct ocsp_verdict verdict;   /* with is_believed */
	struct err err;                /* why not, unless is_believed */
};
/*
 * probe_ocsp - asks once and judges; everything that can go wrong is in *out,
 * to be freed with probe_fini().
 *
 * Beside what net_fetch(), ocsp_response_parse() and ocsp_response_check()
 * refuse: ERR_NOTFOUND "probe-status" (HTTP, another than 200), ERR_DENIED
 * "probe-redirect".
 */
void probe_ocsp(const struct probe *p, const struct probe_how *how,
    struct probe_answer *out);
void probe_fini(struct probe_answer *a);
/*
 * probe_get - what is at a URL: a CRL, a certificate.  out is the caller's to
 * free with http_response_fini() on ERR_OK.  Refuses as probe_ocsp() does.
 */
MUST_CHECK enum err_code probe_get(const char *url, size_t max,
    int64_t timeout_ms, bool numeric, struct http_response *out, struct err *e);

#endif
