/*
 * What the files of cli/ share: the context of one run, the table of verbs,
 * the client of the local socket, and printing.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdio.h>

#include <refrendo/api.h>
#include <refrendo/base.h>
#include <refrendo/ca.h>
#include <refrendo/cli.h>
#include <refrendo/engine.h>

/* --- Options ------------------------------------------------------------------ */

/*  name            word               takes a value   */
#define CLI_OPTIONS(X)                                   \
	X(OPT_DIR, "dir", "DIR")                         \
	X(OPT_JSON, "json", NULL)                        \
	X(OPT_LANG, "lang", "es|en")                     \
	X(OPT_HELP, "help", NULL)                        \
	X(OPT_SOCKET, "socket", "PATH")                  \
	X(OPT_IDEMPOTENCY_KEY, "idempotency-key", "KEY") \
	X(OPT_OUT, "out", "FILE")                        \
	X(OPT_AFTER, "after", "CURSOR")                  \
	X(OPT_LIMIT, "limit", "N")                       \
	X(OPT_ALL, "all", NULL)                          \
	X(OPT_BLOBS, "blobs", NULL)                      \
	X(OPT_YES, "yes", NULL)                          \
	X(OPT_KEY, "key", "URI")                         \
	X(OPT_CERT, "cert", "FILE")                      \
	X(OPT_LOG_KEY, "log-key", "FILE")                \
	X(OPT_ORIGIN, "origin", "NAME")                  \
	X(OPT_PUBLIC_URL, "public-url", "URL")           \
	X(OPT_LISTEN, "listen", "ADDRESS:PORT")          \
	X(OPT_ALGORITHM, "algorithm", "SET")             \
	X(OPT_KEYS, "keys", "ROLE=TYPE,...")             \
	X(OPT_OFFICER_RUN, "officer-run", "RUN")         \
	X(OPT_OFFICER_NAME, "officer-name", "NAME")      \
	X(OPT_OFFICER_CERT, "officer-cert", "FILE")      \
	X(OPT_OFFICERS, "officers", "FILE")              \
	X(OPT_QUORUM, "quorum", "N")                     \
	X(OPT_CN, "cn", "NAME")                          \
	X(OPT_TYPE, "type", "KEY-TYPE")                  \
	X(OPT_KEY_OUT, "key-out", "FILE")                \
	X(OPT_DER, "der", NULL)                          \
	X(OPT_CEILINGS, "ceilings", "FILE")              \
	X(OPT_EXPORT, "export", "FILE")                  \
	X(OPT_CHECK, "check", NULL)                      \
	X(OPT_KEEP, "keep", NULL)                        \
	X(OPT_SINCE, "since", "TIME")                    \
	X(OPT_DEEP, "deep", NULL)                        \
	X(OPT_POLICY, "policy", "FILE")                  \
	X(OPT_PROFILE, "profile", "KIND")                \
	X(OPT_VERSION, "version", "N")                   \
	X(OPT_ISSUER, "issuer", "CERT")                  \
	X(OPT_SERIAL, "serial", "HEX")                   \
	X(OPT_URL, "url", "URL")                         \
	X(OPT_GET, "get", NULL)                          \
	X(OPT_POST, "post", NULL)                        \
	X(OPT_NONCE, "nonce", NULL)                      \
	X(OPT_NONCE_SIZE, "nonce-size", "N")             \
	X(OPT_SHA1, "sha1", NULL)                        \
	X(OPT_SHA256, "sha256", NULL)                    \
	X(OPT_TIMEOUT, "timeout", "SECONDS")             \
	X(OPT_BASE, "base", "FILE|URL")                  \
	X(OPT_FROM_CRL, "previous", "FILE")              \
	X(OPT_NUMBER, "number", "N")                     \
	X(OPT_LIFE, "life", "DURATION")                  \
	X(OPT_TO, "to", "DIR")                           \
	X(OPT_EVERY, "every", "TIME")                    \
	X(OPT_FULL, "full", NULL)                        \
	X(OPT_PACK, "pack", "FILE")                      \
	X(OPT_MAX_AGE, "max-age", "DURATION")            \
	X(OPT_ROOT, "root", "FILE")                      \
	X(OPT_ANSWER, "answer", "FILE")                  \
	X(OPT_SHARES, "shares", "N")                     \
	X(OPT_THRESHOLD, "threshold", "K")               \
	X(OPT_JOURNAL, "journal", "FILE")                \
	X(OPT_DUE, "due", NULL)

enum cli_option {
#define X(name, word, value) name,
	CLI_OPTIONS(X)
#undef X
	    OPT_COUNT
};
#define OPTION(o) (UINT64_C(1) << (o))
struct option_def {
	const char *word;
	const char *value; /* its name in help; NULL: a switch */
	const char *en, *es;
};
extern const struct option_def cli_options[OPT_COUNT];

/* The passphrase of the keys, which opens them: the engine knows one.  Those of
 * passphrase_read() and key_load(). */
struct cli;
MUST_CHECK enum err_code keys_passphrase(struct cli *c, struct buf *out,
    struct err *e);

/* --- Types of keys ----------------------------------------------------------------- */

enum key_role {
	KEY_ROLE_ROOT,
	KEY_ROLE_ISSUER,
	KEY_ROLE_ENDORSER,
	KEY_ROLE_RESPONDER,
	KEY_ROLE_OFFICER,
	KEY_ROLES
};
#define KEY_ROLE(name) (1u << KEY_ROLE_##name)
struct key_plan {
	enum key_type type[KEY_ROLES];
};
struct cli;
/*
 * key_plan_take - from --algorithm and --keys; wanted: KEY_ROLE() of those that
 * the verb makes.  ERR_INVALID "cli-missing", "cli-keys", "cli-keys-type";
 * ERR_DENIED "key-type-missing".
 */
MUST_CHECK enum err_code key_plan_take(struct cli *c, unsigned wanted,
    struct key_plan *out, struct err *e);

/* --- Verbs ------------------------------------------------------------------------ */

struct cli;
#define NO_ACT     (-1)
#define NO_OPERAND (-1)

struct verb {
	const char *noun, *name; /* name NULL: the noun is the command */
	MUST_CHECK enum err_code (*run)(struct cli *c, struct err *e);
	int act;              /* enum ca_act: its fields are options; NO_ACT */
	int operand;          /* enum ca_field that the first operand gives */
	const char *operands; /* for help: "RUT", "FILE…"; "" */
	size_t min, max;      /* operands */
	uint64_t options;     /* beside the common ones */
	const char *en, *es;  /* one line */
	const char *example;  /* after "refrendo " */
	const char *list;     /* what a list or record is asked for */
};
#define FILES_MAX 64

/* One table for each file of a noun. */
struct verbs {
	const struct verb *v;
	size_t n;
};
extern const struct verbs cli_verbs_system, cli_verbs_init, cli_verbs_inst,
    cli_verbs_person, cli_verbs_appointment, cli_verbs_request,
    cli_verbs_endorse, cli_verbs_renew, cli_verbs_mandate, cli_verbs_cert,
    cli_verbs_csr, cli_verbs_policy, cli_verbs_policy_text, cli_verbs_crl,
    cli_verbs_ocsp, cli_verbs_metrics, cli_verbs_publish, cli_verbs_pack,
    cli_verbs_audit, cli_verbs_journal, cli_verbs_doctor, cli_verbs_lint,
    cli_verbs_ceremony, cli_verbs_keys, cli_verbs_ceremony_engine, cli_verbs_ca,
    cli_verbs_campaign;
/* Walks all of them; NULL after the last. */
const struct verb *cli_verb_at(size_t i);

/* Everything about one run of the program. */
struct cli {
	const struct verb *verb;
	const char *dir;
	bool json, spanish;
	const char *option[OPT_COUNT]; /* "" for a switch that was given */
	const char *field[CF_COUNT];   /* as typed; NULL: not given */
	const char *operand[FILES_MAX];
	size_t n_operand;
	struct arena *arena;
	struct buf problem; /* the engine's refusal, as it came */
	enum cli_exit exit; /* where the error's category does not decide */
};
#define SAY(c, en, es) ((c)->spanish ? (es) : (en))

/* args.c: ERR_INVALID with c->exit CLI_USAGE. */
MUST_CHECK enum err_code cli_parse(struct cli *c, int argc, char **argv,
    struct err *e);
MUST_CHECK enum err_code cli_usage_missing(struct cli *c, const char *what,
    struct err *e);
/* The fields that a verb takes as options, bit i: enum ca_field i. */
uint64_t cli_fields_of(const struct verb *v, bool required);
void cli_flag_of(enum ca_field f, char out[32]); /* "act-number" */
uint64_t cli_options_of(const struct verb *v);
extern const char *const cli_fields_es[CF_COUNT];

/* help.c */
void cli_help_program(struct buf *out, bool spanish);
void cli_help_noun(struct buf *out, const char *noun, bool spanish);
void cli_help_verb(struct buf *out, const struct verb *v, bool spanish);

/* --- The engine --------------------------------------------------------------------- */

/*
 * engine_call - one request over the local socket.
 *
 * path       with its query, after /api/v1 or with it.
 * body       JSON of an act; empty: none.
 * key        idempotency key; NULL: none.
 * out        the body of a 2xx answer, appended.
 *
 * What the engine refuses comes back as its own error, whole, and verbatim in
 * c->problem.  ERR_BUSY "cli-engine-away", "cli-engine-lost".
 */
MUST_CHECK enum err_code engine_call(struct cli *c, enum http_method method,
    const char *path, struct bytes body, const char *key, struct buf *out,
    struct err *e);
MUST_CHECK enum err_code engine_get(struct cli *c, const char *path,
    struct buf *out, struct err *e);
/* An act from the options and operands of the command line; cms beside them. */
MUST_CHECK enum err_code engine_act(struct cli *c, enum ca_act act,
    struct bytes cms, struct buf *out, struct err *e);
/* The same from a command; key NULL: one drawn at random. */
MUST_CHECK enum err_code engine_command(struct cli *c,
    const struct command *command, const char *given, struct buf *out,
    struct err *e);
/* GET of a JSON object; the caller frees it. */
MUST_CHECK enum err_code engine_json(struct cli *c, const char *path,
    json_t **out, struct err *e);
/* Each item of a list, page after page; lent for the call. */
MUST_CHECK enum err_code engine_each(struct cli *c, const char *path,
    void (*each)(void *ctx, json_t *item), void *ctx, struct err *e);
/* On stderr: what a CA signed that has not ended, before its key is destroyed.
 * Nothing where all has. */
MUST_CHECK enum err_code campaign_warn(struct cli *c, const char *ca,
    struct err *e);
/* What status serves at a path, asked for as any client would. */
MUST_CHECK enum err_code status_get(const struct config *config,
    const char *path, struct buf *out, struct err *e);
#define ANSWER_BUF BUF(64u << 20)

/* Paths: text of the first operand as one segment, "/requests/%s/statement". */
const char *path_of(struct cli *c, const char *before, const char *operand,
    const char *after);

/* The configuration of the installation at c->dir, without its policies. */
MUST_CHECK enum err_code cli_config(struct cli *c, struct config *out,
    struct err *e);

/* --- Verbs that several nouns share ----------------------------------------------------- */

/* policy_activate.c */
MUST_CHECK enum err_code run_policy_activate(struct cli *c, struct err *e);
MUST_CHECK enum err_code run_policy_history(struct cli *c, struct err *e);
/* Every page of verb->list, or one, as one; the caller frees it. */
MUST_CHECK enum err_code read_pages(struct cli *c, json_t **out, struct err *e);
/* What read_pages() gave, in either form; takes it. */
void print_page(struct cli *c, json_t *page);
/* Core says what is to be signed, and it is not what was asked for: 'what'
 * differs.  ERR_DENIED "cli-asked-other". */
MUST_CHECK enum err_code asked_other(const char *what, struct err *e);
/* Shows a statement, asks, and signs it with --key and --cert. */
MUST_CHECK enum err_code sign_shown(struct cli *c, struct bytes statement,
    struct buf *cms, struct err *e);
/* Without showing it. */
MUST_CHECK enum err_code sign_statement(struct cli *c, struct bytes statement,
    struct buf *cms, struct err *e);
MUST_CHECK enum err_code run_act(struct cli *c, struct err *e);
/* GET verb->list, with {…} replaced by the operand. */
MUST_CHECK enum err_code run_show(struct cli *c, struct err *e);
MUST_CHECK enum err_code run_list(struct cli *c, struct err *e);
MUST_CHECK enum err_code run_statement(struct cli *c, struct err *e);
MUST_CHECK enum err_code run_certificate(struct cli *c, struct err *e);
/* --cms FILE, or --key and --cert: evidence over the statement of the object. */
MUST_CHECK enum err_code run_sign(struct cli *c, struct err *e);
/* 40 bits of SHA-256 in base32, for eyes: "K7QD-2MXA". */
void verification_code(struct bytes text, char out[10]);
/* Asks, unless --yes.  ERR_FORBIDDEN "cli-not-yes";
 * ERR_INVALID "cli-no-terminal" with exit status CLI_USAGE. */
MUST_CHECK enum err_code ask_yes(struct cli *c, const char *question,
    struct err *e);
/* Whether to sign. */
MUST_CHECK enum err_code ask_consent(struct cli *c, struct err *e);
/* speak.c: 22 words to be read aloud, "bata chedo …". */
void speak_hash(const uint8_t sha256_of[SHA256_LEN], struct buf *out);

/* --- Printing and files ------------------------------------------------------------------- */

/* An answer of the engine: its JSON, or what people() makes of it. */
MUST_CHECK enum err_code print_answer(struct cli *c, struct bytes json,
    void (*people)(struct cli *c, json_t *root), struct err *e);
/* An answer of the engine: its JSON, or members aligned for people. */
MUST_CHECK enum err_code print_record(struct cli *c, struct bytes json,
    struct err *e);
/* An object of our own making, in either form; takes it. */
void print_object(struct cli *c, json_t *root);
void print_refusal(const struct cli *c, const struct err *e);
/* Text for people; with --json and without --out as a member of one object. */
MUST_CHECK enum err_code print_text(struct cli *c, const char *member,
    struct bytes text, struct err *e);
/* With --json, what was written to --out: {"file":…}; of more facts in o, or
 * NULL.  Takes o. */
void print_written(struct cli *c, json_t *o, const char *name);
/* Octets to --out or standard output. */
MUST_CHECK enum err_code print_octets(struct cli *c, struct bytes b,
    struct err *e);
/* "12.345.678-5" for people; text itself where it is no RUN. */
void run_for_people(const char *text, char *out, size_t size);
/* The state of a record, as people say it; the word itself if it has none. */
const char *state_for_people(const struct cli *c, const json_t *record,
    const char *word);
/* The same of a word inside a sentence, "un certificado en estado %s"; the
 * record by its name as in "state-certificate". */
const char *state_in_spanish(const char *record, const char *word);
/* What may be done, as a list: "sign, confirm". */
void acts_in_spanish(const char *list, char *out, size_t size);
/* The name of a member, and what stands for words of ours in it. */
const char *label_for_people(const struct cli *c, const char *member);
const char *word_for_people(const struct cli *c, const char *member,
    const char *word);
/* phrases.c: text of ours in the language of who reads, in the arena. */
const char *phrase(struct cli *c, const char *english);
#define PHRASE_DEPTH 3 /* phrases in phrases */
void phrase_spanish(const char *english, unsigned depth, char *out,
    size_t size);
/* Each finding with the line that it is about, to standard error. */
void findings_show(const struct cli *c, const struct findings *findings,
    const struct policy_file *file, size_t n);
/* A heading with "ls" of this path, and its columns. */
void print_rows(struct cli *c, const char *list, json_t *items);

/* A file, or standard input for "-". */
MUST_CHECK enum err_code input_read(struct cli *c, const char *name, size_t max,
    struct buf *out, struct err *e);
/* Made, or an empty one that was there, as of a medium. */
bool place_is_new(const char *dir);
/* A private key by URI; asks for its passphrase only when it has one. */
MUST_CHECK enum err_code input_key(struct cli *c, const char *uri,
    struct key **out, struct err *e);

/* demo.c */
int demo_main(bool check, bool keep, bool spanish);

#endif
