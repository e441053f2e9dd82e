/*
 * core - the only writer of the ledger.  A libuv loop talks to the other
 * roles; one writer thread decides, appends and commits whatever is waiting,
 * together (group commit).  In front of it a second thread checks signatures,
 * so that the writer meets them proven.  After each commit the loop follows
 * the log: entries lead to signatures, status answers, CRLs, tiles and
 * checkpoints.
 *
 * Files: core.c start and stop; core_writer.c the writer; core_prover.c the
 * thread in front of it; core_follow.c what entries lead to; core_sign.c the signer's side, core_ask.c the
 * certificates that it is asked for; core_ocsp.c status
 * answers; core_publish.c checkpoints and files; core_crl.c CRLs, core_crl_list.c the lists of an issuer,
 * core_crl_delta.c deltas, core_crl_build.c the thread that makes one;
 * core_issuers.c the issuing CAs, core_cas.c those that the signer is told of;
 * core_last.c the last lists of those whose keys are gone;
 * core_query.c reading; core_reply.c answers.
 */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include <pthread.h>
#include <sys/queue.h>

#include <refrendo/api.h>
#include <refrendo/ca.h>
#include <refrendo/crl.h>
#include <refrendo/engine.h>
#include <refrendo/ocsp.h>
#include <refrendo/signer.h>
#include <refrendo/store.h>
#include <uv.h>

#include "control.h"
#include "peer.h"
#include "role.h"

struct core;
#define FRONTS_MAX 16
/* A client whose clock is this slow still accepts what is fresh. */
#define SLOW_CLOCK_S 300
#define ID_LEN       24 /* "SOL-2026-000001" and NUL */

/* --- The writer thread ------------------------------------------------------ */

enum job_kind {
	JOB_COMMAND,
	JOB_SIGNED,
	JOB_TICK,
	JOB_CRL,
	JOB_RESPONDER,
	JOB_CEILINGS,
	JOB_LAST,  /* last_keep() alone */
	JOB_VERIFY /* of all that is in the ledger; the first of a start */
};

/* What the loop needs to know of an entry. */
struct followed {
	enum entry_type type;
	uint8_t serial[SERIAL_MAX];
	size_t serial_len;
	char id[ID_LEN]; /* of the request or appointment */
};

/* One thing to decide and write; passes to the writer and back. */
struct job {
	TAILQ_ENTRY(job) link;
	enum job_kind kind;
	struct buf body; /* command, certificate or CRL; owned */
	char id
	    [POLICY_NAME_MAX]; /* JOB_SIGNED: request; CRL, RESPONDER: issuer */
	struct err refusal;    /* what the signer said */
	char refusal_id[64];
	bool is_refused;
	struct crl_published crl; /* JOB_CRL; its bytes are in this job */
	uint8_t crl_sha256[SHA256_LEN];
	struct policy_set *policies; /* in force after it, if it changed them */
	struct ceilings *ceilings;   /* the same; owned */
	enum ceilings_how how;       /* JOB_CEILINGS; their text is the body */
	/* Who asked, for JOB_COMMAND. */
	struct peer *front;
	uint64_t frame_id;
	bool whole; /* answered with blobs */
	/* What came of it. */
	enum err_code code;
	struct err err;
	struct followed entry[POLICIES_MAX];
	size_t n_entry;
	uint64_t log_size; /* after its entries */
	uint8_t object[ROW_KEY_MAX];
	size_t object_len;
	bool waits, changes_status;
	struct buf statement; /* that its evidence is about; owned */
	struct buf csr;       /* ACT_CA_CREATE: the signer's; owned */
	uint64_t asked;       /* id of the question to the signer */
	int64_t since_ms;     /* when; monotonic */
};
TAILQ_HEAD(jobs, job);

/* Octets of the CSPRNG, asked for many at a time; the writer's. */
struct randomness {
	uint8_t p[4096];
	size_t left;
};

struct job *job_new(enum job_kind kind);
void job_free(struct job *j);
/* j->refusal was decoded: it is kept as long as the job. */
void job_keep_refusal(struct job *j);
void writer_start(struct core *c);
void writer_push(struct core *c, struct job *j); /* takes it over; the loop's */
void writer_queue(struct core *c, struct job *j); /* counted already */
/* Begun with the next one, or when the writer is woken. */
void writer_push_later(struct core *c, struct job *j);
void writer_wake(struct core *c);
void writer_stop(struct core *c); /* after everything waiting is written */

/* core_prover.c: what carries signatures goes to the writer through it. */
MUST_CHECK enum err_code prover_open(struct core *c, struct err *e);
void prover_start(struct core *c);
void prover_push(struct core *c, struct job *j); /* counted already */
void prover_stop(struct core *c); /* after everything waiting was passed on */
void prover_close(struct core *c);

/* --- State of the loop ------------------------------------------------------- */

/* An answer that waits until what it speaks of is published. */
struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct peer *front; /* NULL once that front is gone */
	uint64_t frame_id;
	bool whole;
	uint8_t object[ROW_KEY_MAX];
	size_t object_len;
	uint64_t log_size; /* published at least so far; 0: not known yet */
	bool needs_crl;
	/* Whose status answers and lists it waits for; NULL: nobody's. */
	const struct core_issuer *issuer;
	int64_t since_ms;
};
TAILQ_HEAD(waiters, waiter);

#define TWIN_NONE SIZE_MAX
/* One list of an issuer: the full one, or a partition's; or the deltas of
 * either. */
struct core_crl {
	int64_t partition; /* 0: the full one */
	bool is_delta;
	size_t twin; /* place of its deltas, or of what they amend; TWIN_NONE */
	bool is_wanted, is_building;
	bool is_open; /* the log knows it: certificates may name it */
	/* Of the one in public/; zero: none since the start. */
	int64_t number, this_update, next_update;
	uint64_t covers;    /* log that it was built from */
	uint64_t log_size;  /* log, with its entry */
	int64_t periodic;   /* this_update of the last periodic one */
	bool names_deltas;  /* a complete one */
	int64_t kept_since; /* a complete one: as in its row */
	int64_t base;       /* a delta: number of what it rests on */
	int64_t retry_at;   /* monotonic ms: not before, after a failure */
};

/* A key of the ocsp-signer, which its HELLO named. */
struct responder_key {
	uint8_t spki[SPKI_MAX];
	size_t len; /* 0: not known yet */
	uint8_t hash[20];
};

#define PLACE_NONE UINT16_MAX
struct core_issuer {
	struct ca_issuer ca; /* ca.cert borrows from der */
	struct buf der;
	uint16_t place; /* in public/ */
	bool is_made;   /* the signer made its key */
	bool is_held;   /* and said that it has it */
	bool is_taken;  /* the signer has the officers' agreement */
	/* The delegated responder: certificate in force and its key hash. */
	const struct responder_key *key; /* that it is to have */
	int64_t responder_life_s;
	struct buf responder;
	uint8_t responder_key_hash[20];
	enum key_type responder_type;
	int64_t responder_not_before, responder_not_after;
	bool responder_asked;
	/* Monotonic: not before; 0 when the last one was had. */
	int64_t responder_retry_ms;
	bool has_no_key;    /* it was destroyed: nothing new is signed by it */
	bool is_over;       /* and what it signed has ended, in public/ too */
	int64_t crl_number; /* the last of all its lists */
	/* Names of its generations before, each with a 0 behind it. */
	struct buf older;
	struct core_crl *crl; /* owned; the full one first */
	size_t n_crl;
	size_t n_late; /* of its answers: could not be signed so far */
};
void core_issuer_free(struct core_issuer *i);
OWNED(core_issuer);

/* Why a status answer is to be signed; what comes first stands first. */
enum due_kind {
	DUE_CHANGED, /* revoked, suspended, reinstated */
	DUE_NEW,
	DUE_QUEUES,
	DUE_REFRESH = DUE_QUEUES /* found in public/, never queued */
};
struct due_answer {
	uint8_t serial[SERIAL_MAX];
	uint8_t serial_len;
	uint8_t kind;
	bool is_late; /* it is among its CA's n_late */
};
/* A ring. */
struct due_queue {
	struct due_answer *ring; /* owned */
	size_t at, len, size;
};

/* Answers that travel to the ocsp-signer together. */
struct answer_item {
	struct due_answer due;
	struct core_issuer *issuer;
	bool ended;              /* no longer published: nothing to sign */
	bool first, takes_nonce; /* as in struct public_row */
	size_t tbs_at, tbs_len;  /* in the batch's list */
	int64_t this_update, next_update, refresh_at;
};
#define BATCHES_MAX 4
struct answer_batch {
	uint64_t id;      /* of its frame */
	uint64_t follows; /* the log up to here is answered with it; 0: no */
	uint64_t tried;   /* the same, but for what is late */
	size_t n, asked;  /* items, and those to be signed */
	struct answer_item item[SIGNER_OCSP_MAX];
	struct buf tbs; /* list, as in struct signer_ocsp */
};

/* A checkpoint that the signer was asked for. */
struct seal {
	bool running;
	uint64_t id;      /* of its frame */
	uint64_t size;    /* of the log */
	int64_t after_ms; /* monotonic: not before, after a refusal */
};

/* Refusals of one kind that the log kept of late. */
struct kept_refusals {
	int64_t kept, since;
};

/* A file of the directory of policies, as it was read last. */
struct core_policy_file {
	char file[PATH_LEN], policy[POLICY_NAME_MAX];
	uint8_t sha256[SHA256_LEN];
};

struct core {
	struct role_context *role;
	struct installation *inst;
	uv_loop_t loop;
	uv_poll_t control;
	uv_timer_t second, pace, renew;
	uv_prepare_t turn;
	struct view *view; /* of this turn; NULL: none yet */
	struct store *store;
	struct public *public;
	struct public_reader *reader;
	struct arena *arena; /* of one event on the loop */
	struct verifier *verifier;
	struct ca ca; /* the writer thread's, but for what never changes */
	struct weak_list *weak;      /* of refrendo.yaml; NULL: none */
	struct policy_set *policies; /* in force, for the loop */
	struct ceilings *ceilings;   /* the same; NULL: the log has none yet */
	struct buf told; /* ceilings that the signer has and the log has not */
	enum ceilings_how told_how;
	bool greeted_again; /* to hear what became of them */
	struct core_policy_file policy_file[POLICIES_MAX];
	size_t n_policy_file;
	struct core_issuer *issuer[ISSUERS_MAX]; /* owned */
	struct ca_issuers issuers;               /* of the same, for ca */
	struct core_issuer endorser;
	size_t n_issuer, n_place;
	size_t n_complete; /* of them, when core was not ready yet */
	struct responder_key responder_key[CONFIG_ISSUERS_MAX];
	struct buf root_der, root_crl; /* of the files: the first root's */
	struct buf later_der[CONFIG_ROOTS_MAX]; /* owned; of those after it */
	struct ca_root later[CONFIG_ROOTS_MAX];

	/* The writer. */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct jobs waiting, done;
	uv_async_t written;
	bool writer_ends, writer_rests;
	struct randomness randomness;
	size_t jobs_out; /* pushed and not yet back on the loop */

	/* The prover in front of it. */
	struct {
		pthread_t thread;
		pthread_mutex_t lock;
		pthread_cond_t wake;
		struct jobs waiting;
		bool ends;
		struct ca ca; /* with a verifier of its own */
	} prover;
	struct proofs *proofs;  /* what prover and writer found right */
	struct ca vouching;     /* the loop's, to tell the proofs */
	struct jobs asking;     /* commands whose evidence the signer checks */
	struct jobs creating;   /* those that wait for a key of the signer */
	TAILQ_HEAD(, ask) asks; /* certificates that it is not asked for yet */
	size_t asks_out;        /* those that it was, and has not answered */

	/* Peers. */
	struct peer *front[FRONTS_MAX], *signer, *ocsp, *checker;
	int64_t check_after_ms;       /* monotonic: not before */
	struct public_due_at checked; /* how far samples were taken */
	bool signer_ready, ocsp_ready;
	uint64_t next_id;
	struct signer_hello hello;
	uint64_t hello_size; /* last checkpoint that the signer signed */

	/* Following the log. */
	uint64_t log_size;  /* committed */
	uint64_t published; /* everything before it is in public/ */
	uint64_t sealed;    /* size of the last checkpoint in public/ */
	uint64_t answered;  /* statuses of all before it are in public/ */
	uint64_t tried;     /* the same, but for what is late */
	struct due_queue due[DUE_QUEUES], refused;
	struct answer_batch batch[BATCHES_MAX]; /* a ring */
	size_t batch_at, batches_out;
	struct public_due_at renewed; /* how far renewals were looked for */
	bool renewed_all;
	bool renews_late;       /* without a pace */
	int64_t renew_after_ms; /* monotonic: not before */
	struct buf answer;      /* one at a time */
	struct seal seal;
	struct crl_build *crl; /* the one that is being made; owned */
	uv_async_t crl_block;
	uv_timer_t crl_pace;
	size_t crl_turn;      /* which list had its turn last */
	int64_t crl_look_ms;  /* monotonic: none was due; look again then */
	int64_t crl_sweep_ms; /* the same: files that no row names any more */
	struct buf bundle;    /* of the last, partial entry bundle */
	uint64_t bundle_size;
	struct waiters waiters;

	_Atomic bool read_only; /* writing has stopped; status goes on */
	bool is_damaged; /* the writer's: no ledger, or not all was read */
	char read_only_why[200];
	bool is_ready; /* said to the parent; no act is taken before */
	bool stopping;
	bool tick_out; /* one is on its way: the next waits for it */
	uint64_t acts, refusals;
	/* The writer thread: refusals that the log keeps. */
	struct kept_refusals by_policy, of_evidence;
};

/* Stops all writing and says why, once. */
void core_read_only(struct core *c, const struct err *e);
/* Says that core is ready, once, when all that a certificate will name is in
 * public/ (INCIDENTS 13 and 60). */
void core_ready(struct core *c);
/* The read transaction of this turn of the loop; NULL after a logged failure. */
struct view *core_view(struct core *c);
void core_view_end(struct core *c);

/* core_issuers.c */
struct core_issuer *core_issuer_find(struct core *c, struct bytes name);
MUST_CHECK enum err_code core_issuer_load(struct core *c, struct core_issuer *i,
    const char *name, const char *file, struct err *e);
MUST_CHECK enum err_code core_issuers_configured(struct core *c, struct err *e);
/* What the rows have beyond those that are known. */
MUST_CHECK enum err_code core_issuers_made(struct core *c, struct view *v,
    struct err *e);
MUST_CHECK enum err_code core_issuer_brought(struct core *c, struct view *v,
    struct bytes name, struct err *e);
/* SIGNER_AGREEMENT was answered: its frame is the CA's place and 1. */
void core_issuer_held(struct core *c, uint64_t frame, bool is_held);
MUST_CHECK enum err_code core_issuers_place(struct core *c, struct err *e);
MUST_CHECK enum err_code core_issuer_place(struct core *c,
    struct core_issuer *i, struct err *e);

/* core_ask.c */
void sign_ask(struct core *c, struct bytes id);
void ask_answered(struct core *c, const struct frame *f);
void ask_abandon(struct core *c); /* the signer is away */

/* core_sign.c */
void sign_peer(struct core *c, enum role role, int fd);
void sign_end_appointment(struct core *c, struct bytes id);
void sign_end_mandate(struct core *c, struct bytes id);
/* Tells the signer that what officers agreed on has ended. */
void sign_end(struct core *c, struct bytes id, int64_t at);
void sign_policy(struct core *c, struct bytes id); /* of an activation */
/* The statement of m, with the officers' signatures over it, in one message. */
MUST_CHECK enum err_code sign_agreed(struct core *c, struct view *v,
    struct bytes id, uint64_t frame, struct signer_agreement *m, struct err *e);
void sign_responder_check(struct core *c);
/* No other follows the one that it has. */
bool responder_is_last(const struct core_issuer *i, int64_t now);
/* The signer refused one, or none is to be had. */
bool responder_fails(const struct core_issuer *i);
/* core_ceilings.c: which are in force. */
#define CEILINGS_FRAME UINT64_MAX /* of the agreement on them */
MUST_CHECK enum err_code core_ceilings_load(struct core *c, struct view *v,
    struct err *e);
/* The writer: after the entries of a job, and of JOB_CEILINGS its draft. */
MUST_CHECK enum err_code core_ceilings_take(struct core *c, struct job *j,
    struct view *v, struct arena *a, bool *changed, struct err *e);
MUST_CHECK enum err_code core_ceilings_record(struct job *j, struct view *v,
    int64_t now, struct arena *a, struct draft *out, bool *is_news,
    struct err *e);
/* The signer was greeted; it answered an agreement on ceilings. */
void core_ceilings_told(struct core *c, struct view *v);
void core_ceilings_answer(struct core *c, const struct frame *f);
void core_ceilings_swap(struct core *c, struct job *j);
void core_ceilings_json(struct core *c, struct jw *w); /* of the status */
/* core_last.c: the last CRLs of CAs whose keys are gone. */
#define ROW_BODY_MAX 65536u /* a shorter CRL is kept in its row of public/ */
/* The writer's: keeps what public/ has of them and is newer than what is kept. */
MUST_CHECK enum err_code last_keep(struct core *c, struct view *v,
    struct arena *a, struct err *e);
/* At a start: those that public/ lacks. */
MUST_CHECK enum err_code last_publish(struct core *c, struct view *v,
    struct err *e);

/* core_cas.c: CAs that ceremonies brought, and those that issue no more. */
/* Each row of a class, as it lies in the map: there may be many. */
typedef enum err_code (
    *row_fn)(struct core *c, struct view *v, struct bytes value, struct err *e);
MUST_CHECK enum err_code core_each_row(struct core *c, struct view *v,
    enum row_class class, row_fn fn, struct err *e);
MUST_CHECK enum err_code tell_cas(struct core *c, struct view *v,
    struct err *e);
/* By its ceremony's id; without one what ended is told alone. */
void sign_ca(struct core *c, struct bytes ceremony);
MUST_CHECK enum err_code responder_take(struct core_issuer *i, struct bytes der,
    struct err *e);

/* core_evidence.c: the signature of an endorsement is the signer's to check */
/* A command goes to the writer, by way of whoever checks its signatures. */
void evidence_command(struct core *c, struct job *j); /* takes it over */
void evidence_answer(struct core *c, const struct frame *f);
/* What the signer owes, or owes for so long, is checked by the prover. */
void evidence_abandon(struct core *c);
void evidence_late(struct core *c);

/* core_create.c: the signer makes the key of a CA before it is decided on */
void create_command(struct core *c, struct job *j,
    const struct command *command);
void create_answer(struct core *c, const struct frame *f);
void create_abandon(struct core *c);
void create_late(struct core *c);

/* core_follow.c */
void follow_job(struct core *c, struct job *j);
void follow_from(struct core *c, uint64_t index, uint64_t size);
struct followed followed_of(enum entry_type type,
    const struct entry_refs *refs);
/* To the signer that comes back: all since the size of the checkpoint that it
 * signed last. */
MUST_CHECK enum err_code follow_missed(struct core *c, struct view *v,
    uint64_t signed_size, struct err *e);

/* core_explain.c: JSON, as explain_write() has it. */
MUST_CHECK enum err_code core_explain(struct core *c, struct view *v,
    struct bytes id, struct buf *out, struct err *e);

/* core_ocsp.c */
void due_push(struct core *c, enum due_kind kind, struct bytes serial);
size_t due_count(const struct core *c);
void answers_open(struct core *c);
void answers_close(struct core *c);
void answers_pump(struct core *c);
/* A frame of no batch that is out is passed over. */
void answers_signed(struct core *c, const struct frame *f);
void answers_abandon(struct core *c); /* the ocsp-signer went away */
void answers_second(struct core *c);

/* core_publish.c */
/* Everything before it is in public/, and under a checkpoint there. */
uint64_t published_to(const struct core *c);
void publish_open(struct core *c);
void publish_pump(struct core *c);
void publish_checkpoint(struct core *c, const struct frame *f);
MUST_CHECK enum err_code publish_files(struct core *c, struct view *v,
    struct err *e);
/* Its certificate, its place, and its responder. */
MUST_CHECK enum err_code publish_issuer(struct core *c,
    const struct core_issuer *i, struct err *e);
void root_list_changed(struct core *c); /* a ceremony brought one */
MUST_CHECK enum err_code bundle_load(struct core *c, struct view *v,
    struct err *e);
struct crl_build;
/* body: empty where the file of the build has it. */
MUST_CHECK enum err_code publish_crl(struct core *c, const char *path,
    const struct crl_build *b, struct bytes body, struct err *e);

/* core_crl.c */
void crl_open(struct core *c);
MUST_CHECK enum err_code crl_load(struct core *c, struct core_issuer *i,
    struct view *v, struct err *e);
/* The list of a partition; begun, and wanted, where there was none. */
struct core_crl *crl_list(struct core_issuer *i, int64_t partition);
/* The same, or its deltas, which are not wanted by themselves. */
struct core_crl *crl_list_of(struct core_issuer *i, int64_t partition,
    bool is_delta);
/* The status of this certificate has changed. */
void crl_want(struct core *c, const struct cert_status *s);
void crl_pump(struct core *c);
void crl_step(struct core *c);
void crl_abandon(struct core *c); /* the signer went away */
bool crl_is_idle(const struct core *c);
void crl_answer(struct core *c, const struct frame *f);
void crl_written(struct core *c, struct job *j);
/* Has it no list that must still say what the log had then? */
bool crl_covers(const struct core_issuer *i, uint64_t size);

/* core_check.c: the checker is told what to ask status for */
void check_peer(struct core *c, int fd);
void check_second(struct core *c);

/* core_query.c */
MUST_CHECK enum err_code query_answer(struct core *c, struct peer *front,
    const struct frame *f, bool whole, struct err *e);
void core_status_json(struct core *c, struct buf *out);

/* core_reply.c */
void reply_refusal(struct peer *front, uint16_t type, uint64_t id,
    const struct err *refusal);
void reply_job(struct core *c, struct job *j);
void reply_resolved(struct core *c, const struct job *j);
void reply_pump(struct core *c);
void reply_forget(struct core *c, const struct peer *front);

#endif
