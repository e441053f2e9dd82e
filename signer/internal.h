/*
 * internal - what the files of the signer share: its journal, what it
 * remembers of it, its keys, and the judgement of each message.
 */
#ifndef SIGNER_INTERNAL_H
#define SIGNER_INTERNAL_H

#include <refrendo/crl.h>
#include <refrendo/signer.h>

/* How far a peer's clock may run ahead of ours. */
#define SKEW MINUTE

/* --- journal.c: the file ---------------------------------------------------- */

enum record_kind {
	REC_MARK = 1, /* everything before it has been synced */
	REC_RESPONDER,
	REC_CRL,
	REC_CHECKPOINT,
	REC_SIGNATURE, /* made for the record at 'of' */
	REC_CERTIFICATE,
	REC_APPOINTMENT, /* a minister's certificate, and what it stands for */
	REC_AGREED,      /* another thing that officers signed */
	REC_END,         /* of an appointment, or of what was agreed */
	REC_STOP,        /* too much was refused: no certificate until value */
	REC_CA_KEY,      /* made here for the CA of that name */
	REC_RENEWAL,     /* a certificate under a mandate, whose id it has */
	REC_CEILINGS,    /* those in force from here on, octet for octet */
	REC_KINDS
};

/* Octets of kind, time and fields; ceilings are the longest. */
#define RECORD_MAX (CEILINGS_FILE_MAX + 4096)
#define ID_LEN_MAX 64 /* of an agreement or an institution */

/* One record; which fields a kind has is a table in journal.c. */
struct record {
	uint64_t at; /* offset in the file; set when written or read */
	int64_t time;
	enum record_kind kind;
	struct bytes issuer, serial;
	struct bytes digest;    /* of the TBS, or the root of the log */
	struct bytes statement; /* SHA-256 of the statement */
	struct bytes evidence;  /* SHA-256 of the certificate that signed it */
	struct bytes key;    /* SHA-256 of the public key that was certified */
	struct bytes holder; /* SHA-256 of that key and the holder's RUN */
	struct bytes id, run, institution;
	struct bytes name;      /* of a policy */
	int64_t agreed;         /* enum agreed_kind */
	int64_t from, until;    /* of an appointment; from: of a policy too */
	int64_t value;          /* CRL number, size of the log, when it ended,
				   version of a policy, enum ceilings_how */
	int64_t this_update;    /* of a CRL */
	int64_t of;             /* offset of the record that was signed */
	struct bytes signature; /* or the whole signed note; or ceilings */
};

struct journal;
typedef enum err_code (
    *record_fn)(void *ctx, const struct record *r, struct err *e);
/*
 * journal_open - opens or creates DIR/signer/journal, locks it against a
 * second process, walks and checks the whole chain, calls each() for every
 * record, cuts a torn tail, and syncs what a killed process left unsynced.
 *
 * ERR_CORRUPT "journal-chain", "journal-head"; ERR_CONFLICT "journal-in-use";
 * ERR_IO "journal-open", "journal-read", "journal-write", "journal-sync".
 */
MUST_CHECK enum err_code journal_open(const char *dir, struct bytes origin,
    record_fn each, void *ctx, struct journal **out, struct err *e);
void journal_free(struct journal *j);
OWNED(journal);
/* Since the last error the file is not known: the process must end. */
bool journal_failed(const struct journal *j);
void journal_give_up(struct journal *j);
/* Adds a record to those that the next flush writes; sets r->at. */
MUST_CHECK enum err_code journal_add(struct journal *j, struct record *r,
    struct err *e);
/* Hands what was added to the kernel: from here on kill -9 cannot undo it. */
MUST_CHECK enum err_code journal_flush(struct journal *j, struct err *e);
/* Flushes and syncs, if anything was added: power loss cannot undo it. */
MUST_CHECK enum err_code journal_sync(struct journal *j, int64_t now,
    struct err *e);
/*
 * journal_get - the record at an offset, its hash checked again; borrows from
 * scratch.  ERR_CORRUPT "journal-record", ERR_IO "journal-read".
 */
MUST_CHECK enum err_code journal_get(struct journal *j, uint64_t at,
    struct buf *scratch, struct record *out, struct err *e);

/* --- table.c: 64-bit keyed hashes to offsets, 16 octets a slot ------------------ */

struct slot {
	uint64_t hash, value; /* value 0: free */
};
struct table {
	struct slot *slot; /* owned, mask + 1 of them */
	size_t mask, used;
};
void table_fini(struct table *t);
MUST_CHECK enum err_code table_put(struct table *t, uint64_t hash,
    uint64_t value, struct err *e);
/* The next slot with this hash, or NULL; start with *at = SIZE_MAX. */
struct slot *table_next(const struct table *t, uint64_t hash, size_t *at);

/* --- state.c: what the journal says, in memory ---------------------------------- */

/* What officers agreed on, or only its end if that came first. */
struct agreed {
	enum agreed_kind kind;
	char id[ID_LEN_MAX + 1];    /* "": of the ceilings */
	char name[ID_LEN_MAX + 1];  /* of a policy; a minister's institution */
	char run[RUN_TEXT];         /* a minister's */
	uint8_t sha256[SHA256_LEN]; /* of a policy; of a certificate's TBS */
	uint8_t statement[SHA256_LEN];
	int64_t
	    version; /* of a policy; 0: any, before all others.  Of a mandate
			    how many renewals were made by it */
	int64_t from, until; /* until: of an appointment.  From: of a mandate
			where in the journal its key changed last; 0 */
	int64_t heard; /* when it was taken: nothing is replaced before that;
			before from it is told once more at its time */
	int64_t ended; /* when that was heard; NEVER unless it was */
	uint8_t issuer_checked[SHA256_LEN]; /* SHA-256 of a minister's whole
	     certificate whose CA signature was checked; zero until then */
};
enum agreed_by { BY_ID, BY_SHA256, BY_NAME, BY_KINDS };

struct crl_seen {
	char issuer[POLICY_NAME_MAX];
	int64_t number, this_update;
	uint8_t tbs_sha256[SHA256_LEN];
	uint64_t record, signature; /* offsets; signature 0: none yet */
};

/* What happened in an hour, by minutes: the running one and sixty before. */
#define MINUTES 61
struct hour {
	int64_t minute[MINUTES];
	int64_t count[MINUTES];
};
void hour_add(struct hour *h, int64_t time);
/* Those of the sixty minutes before now; rather too many than too few. */
int64_t hour_sum(const struct hour *h, int64_t now);

struct institution_seen {
	char rut[ID_LEN_MAX + 1];
	struct hour hour; /* certificates */
};

struct state {
	struct hasher *hasher;
	uint8_t key[16];         /* of the hash: a peer chooses the serials */
	struct table serials;    /* serial -> record, or its signature */
	struct table keys;       /* hash of a public key -> record */
	struct table agreements; /* id, hash, name -> index + 1 */
	struct agreed *agreed;   /* owned, in the order they came */
	size_t n_agreed;
	size_t n_unheard;     /* of them only the end came */
	struct table crls;    /* issuer -> index + 1 */
	struct crl_seen *crl; /* owned, of issuers past and present */
	size_t n_crl;
	uint64_t checkpoint_size; /* 0: none */
	uint8_t checkpoint_root[HASH_LEN];
	uint64_t checkpoint_record, checkpoint_signature;
	uint64_t certificates; /* signed, ministers' included */
	struct hour hour;      /* certificates */
	struct hour refused;   /* of certificates and checkpoints, not kept */
	int64_t stopped_until; /* no certificate before */
	struct table institutions;            /* RUT -> index + 1 */
	struct institution_seen *institution; /* owned */
	size_t n_institution;
	int64_t last_time; /* of the newest record */
	/* Of the agreement whose ceilings are not in force yet; or "". */
	char ceilings_due[ID_LEN_MAX + 1];
};
MUST_CHECK enum err_code state_init(struct state *s, struct err *e);
void state_fini(struct state *s);
/* The one way in which a record changes the memory, at start and later. */
MUST_CHECK enum err_code state_apply(struct state *s, const struct record *r,
    struct err *e);
/* Certificates of that institution in the sixty minutes before now. */
int64_t state_institution_hour(struct state *s, struct bytes rut, int64_t now);
/* The next one of that id, hash or name, or NULL; start with *at = SIZE_MAX. */
struct agreed *state_agreed(struct state *s, enum agreed_by by,
    struct bytes what, size_t *at);
/* The first one of that id, or of that hash and kind; or NULL. */
struct agreed *state_agreed_id(struct state *s, struct bytes id);
struct agreed *state_agreed_hash(struct state *s, enum agreed_kind kind,
    struct bytes sha256);
struct crl_seen *state_crl(struct state *s, struct bytes issuer);
/* Policies of the ceilings: in force from the beginning. */
MUST_CHECK enum err_code state_first_policies(struct state *s,
    const struct ceilings *c, struct err *e);
/*
 * state_serial - was this serial journalled?  *record is then its record
 * (borrowing from scratch) and *signature the offset of its signature, or 0.
 */
MUST_CHECK enum err_code state_serial(struct state *s, struct journal *j,
    struct bytes serial, struct buf *scratch, struct record *record,
    uint64_t *signature, bool *found, struct err *e);

/* Was this key certified for somebody else?  Both are hashes: see record. */
MUST_CHECK enum err_code state_key(struct state *s, struct journal *j,
    struct bytes key, struct bytes holder, bool *is_other, struct err *e);

/* --- setup.c: keys ----------------------------------------------------------------- */

/* A CA of this signer, or in the ocsp-signer a CA and its responder's key. */
struct authority {
	char name[POLICY_NAME_MAX];
	struct buf der;
	struct cert cert; /* the CA's, borrows from der */
	struct key *key;  /* the CA's; in the ocsp-signer the responder's */
	struct buf responder_spki;      /* public half of the responder's key */
	int64_t responder_max_s;        /* life of its certificate */
	uint8_t tbs_sha256[SHA256_LEN]; /* of the CA's */
	struct issuer_id id;
	uint8_t responder_key_sha1[20];
	/* ocsp-signer: the responder certificate that was checked last. */
	uint8_t responder_checked[SHA256_LEN];
	int64_t responder_not_before, responder_not_after;
	bool borrows_key; /* ocsp-signer: that of the first CA */
};
void authority_free(struct authority *a);
OWNED(authority);
/* setup.c: a PEM or DER file. */
MUST_CHECK enum err_code signer_read_certificate(const char *dir,
    const char *name, struct buf *der, struct cert *cert, struct err *e);
/* setup.c: what follows from the certificate in out->der. */
MUST_CHECK enum err_code authority_fill(struct authority *out, const char *name,
    struct err *e);
/* Does a CA or a responder of this signer have this key? */
bool signer_has_key(const struct signer *s, struct bytes spki);

/* The CRL that is arriving; by is NULL while there is none. */
struct crl_intake {
	struct authority *by;
	uint64_t id;  /* of its frames */
	uint64_t got; /* octets */
	int64_t now;  /* when it began */
	struct crl_stream *stream;
	struct digest *digest;
};
void crl_intake_fini(struct crl_intake *in);

struct signer {
	bool is_ocsp, said_hello;
	bool token_lost;         /* a key in a token did not sign */
	bool key_ended;          /* officers agreed that one is destroyed */
	int64_t composed_second; /* answers for status in this second */
	unsigned composed_count;
	uint64_t composed;
	uint64_t refused;         /* messages */
	struct ceilings ceilings; /* in force */
	struct buf ceilings_text; /* empty in the ocsp-signer */
	uint8_t ceilings_sha256[SHA256_LEN];
	/* Of the file that lay in etc/ when they came in force: it is no news. */
	uint8_t ceilings_lay[SHA256_LEN];
	uint8_t file_sha256[SHA256_LEN]; /* of the one that lies there now */
	bool file_was_in_force;          /* or is, by the journal */
	enum ceilings_how ceilings_how;
	char origin[64], public_url[URL_LEN];
	struct crl_intake crl;
	int crl_file; /* -1: none */
	uint8_t crl_room[CRL_PIECE_MAX];
	/* Those of the configuration; in the ocsp-signer others behind them,
	 * as they come.  Owned. */
	struct authority *issuer[ISSUERS_MAX];
	size_t n_issuer, n_configured;
	struct places by_key; /* ocsp-signer: by the CA's key, both hashes */
	uint64_t responder[ISSUERS_MAX]; /* and by responder_checked */
	struct authority *endorser;
	struct buf root_der[ROOTS_MAX];
	struct root_set roots; /* none in force: no ceremony is taken */
	struct key *log_key;
	/* Two, so that no peer's keys push ours out of the cache. */
	struct verifier *theirs, *ours;
	struct proofs *proofs; /* evidence that check_evidence() found right */
	struct hasher *hasher;
	struct cas *cas;
	struct journal *journal; /* NULL in the ocsp-signer, as cas */
	struct state state;
	struct arena *arena; /* one round */
	struct item *item;   /* of one round; owned */
};

/* --- roots.c: who signs certificates of CAs ---------------------------------------- */

/* Those of the configuration; the journal was read. */
MUST_CHECK enum err_code roots_load(const struct signer_setup *setup,
    struct signer *s, struct err *e);
/* Officers agreed on it: in force from here on.  object: its certificates. */
MUST_CHECK enum err_code roots_take(struct signer *s, const struct agreement *g,
    struct bytes object, struct err *e);
/* The root whose key c names; NULL: there is no root. */
const struct cert *roots_issuer(const struct signer *s, const struct cert *c);

/* --- cas.c, cas_file.c: keys that were made here --------------------------------- */

/*
 * cas_open - DIR/signer/cas, begun where it is not there; locked by nobody but
 * the journal beside it.  What was torn stays until cas_settle().
 *
 * passphrase  of the other keys; with none, no key can be made.  Kept, or what
 *             follows from it, until cas_free().
 *
 * ERR_CORRUPT "cas-damaged", "cas-version"; ERR_IO "cas-open", "cas-read",
 * "cas-write".
 */
struct cas;
MUST_CHECK enum err_code cas_open(const char *dir, struct bytes passphrase,
    struct cas **out, struct err *e);
void cas_free(struct cas *c); /* wipes; NULL is allowed */
/* A REC_CA_KEY of the journal. */
void cas_heard(struct cas *c, const struct record *r);
/*
 * Do those of the configuration and these go together?
 *
 * ERR_INVALID "signer-ca-twice", "signer-cas-many".
 */
MUST_CHECK enum err_code cas_check_names(struct cas *c,
    const struct config *config, struct err *e);
/* The whole journal was heard: drops what was torn, unless a key is missing, and
 * makes the last record durable.  ERR_IO "cas-write". */
MUST_CHECK enum err_code cas_settle(struct cas *c, struct err *e);
/* Where a change of the passphrase left its file: does the one given open the
 * keys of CAs?  ERR_CRYPTO "cas-passphrase". */
MUST_CHECK enum err_code cas_check_change(struct cas *c, const char *dir,
    struct err *e);
enum err_code cas_destroyed(const char *name, struct err *e);
/* The CA of that name, until the end of the round; or NULL.  ERR_CRYPTO. */
MUST_CHECK enum err_code cas_authority(struct signer *s, struct bytes name,
    struct authority **out, struct err *e);
/* Those of no round leave, but for a few. */
void cas_trim(struct signer *s);
bool cas_has_key(const struct cas *c, struct bytes spki);
/*
 * The root signed this for a CA that officers agreed on.  Kept if the key was
 * made here, else nothing happens.  Once; the same again changes nothing.
 *
 * ERR_DENIED "signer-ca-subject": another CA signs under its subject, whose
 * place it does not take; "signer-ca-other-key", ERR_CONFLICT
 * "signer-ca-certified", ERR_CORRUPT "signer-cas-behind".
 */
MUST_CHECK enum err_code cas_certify(struct signer *s,
    const struct agreement *g, struct bytes certificate, struct err *e);
/* Destroys the key of that CA, for good: no copy is left in the file.  While one
 * is missing from the file, it gets no record: the next start does it again. */
MUST_CHECK enum err_code cas_wipe(struct signer *s, struct bytes name,
    struct err *e);
/* Those of which officers agreed on it. */
void cas_end_keys(struct signer *s);
/* The i-th CA that can sign, of cas_count(). */
size_t cas_count(const struct cas *c);
const char *cas_name(const struct cas *c, size_t i);

/* --- judge_*.c: may this be signed? ---------------------------------------------------- */

enum wrap {
	WRAP_NONE,   /* nothing to sign: the answer is tbs, mostly empty */
	WRAP_SILENT, /* a part of something: no answer yet */
	WRAP_HELLO,
	WRAP_SIGNED, /* TBS, algorithm, signature */
	WRAP_NOTE,
	WRAP_CRL,  /* the signature alone: who asked has the rest */
	WRAP_OCSP, /* signatures alone */
	WRAP_COMPOSED
};

/* What is left to do once the journal is durable. */
struct job {
	enum wrap wrap;
	struct authority *by;
	struct bytes tbs;
	struct bytes serial;    /* WRAP_SIGNED of a certificate */
	struct bytes responder; /* WRAP_COMPOSED */
	struct checkpoint checkpoint;
	struct digest_value digest; /* WRAP_CRL */
	uint64_t record; /* offset of the record that this signs; 0: none */
	bool again;      /* it was there before: perhaps signed already */
};

/* Messages that share one sync; more are taken in another round. */
#define ROUND_MAX  256
#define ROUND_SLOW 16 /* of messages for keys other than P-256 */
size_t signer_round(const struct signer *s); /* which of them, now */

/* A message, decoded. */
union request {
	struct signer_certificate certificate;
	struct signer_crl crl;
	struct signer_checkpoint checkpoint;
	struct signer_responder responder;
	struct signer_end end;
	struct signer_ocsp ocsp;
	struct signer_compose compose;
	struct signer_evidence evidence;
	struct signer_agreement agreement;
	struct signer_ca_key ca_key;
};

/* One message of a round. */
struct item {
	struct frame frame;
	union request in;
	struct job job;
	struct err refusal; /* code ERR_OK: to be answered */
};

/*
 * One for each message, by the table in request.c: ERR_OK leaves in it->job
 * what is to be done once the journal is durable.
 */
#define JUDGE(name)                                                      \
	MUST_CHECK enum err_code name(struct signer *s, struct item *it, \
	    int64_t now, struct err *e)
JUDGE(may_greet);
JUDGE(may_sign_certificate);
JUDGE(may_sign_responder);
JUDGE(may_sign_crl);
JUDGE(may_sign_checkpoint);
JUDGE(may_take_agreement);
JUDGE(may_end);
/* Is the signature right?  Whose it is and what it may do is not asked yet. */
JUDGE(check_evidence);
JUDGE(may_sign_ocsp);
JUDGE(may_compose);
JUDGE(may_ask_status); /* whatever it is */
JUDGE(may_make_key);
/* messages.c: by the table of that question. */
MUST_CHECK enum err_code question_decode(uint16_t type, struct bytes in,
    union request *out, struct err *e);
/* ocsp.c: judged one by one while they are signed; body: a list of signatures,
 * empty where one was refused; the last reason if all were. */
MUST_CHECK enum err_code sign_batch(struct signer *s,
    const struct signer_ocsp *m, int64_t now, struct buf *body, struct err *e);
/* setup.c: what HELLO is answered with. */
void signer_say_hello(struct signer *s, struct buf *body);
/* ocsp.c: the newest of s->issuer is found by the CertIDs of its certificates. */
void signer_answers_for(struct signer *s, const struct authority *a);
/* request.c: a signature that our key just made; ERR_CRYPTO
 * "signer-own-signature". */
MUST_CHECK enum err_code signer_check_own(struct signer *s,
    const struct job *job, struct bytes signature, struct err *e);

/* Is the policy of an endorsement in force before this signer? */
MUST_CHECK enum err_code check_policy(struct signer *s,
    const struct statement *st, struct err *e);
/* Did officers agree that the key of this CA is destroyed?  Then it signs
 * nothing, under whatever name or certificate. */
bool signer_key_ended(struct signer *s, const struct authority *a);
/* setup.c: wipes the keys of which that is so from memory, after the round that
 * heard of it. */
void signer_end_keys(struct signer *s);
/*
 * setup.c: journals other ceilings, which are in force from here on.  They were
 * read from text; nothing leaves before the journal is durable.
 */
MUST_CHECK enum err_code signer_put_ceilings(struct signer *s,
    struct bytes text, const struct ceilings *to, enum ceilings_how how,
    int64_t now, struct err *e);
/* The officer of the ceilings who has this key, or NULL. */
const struct officer *signer_officer(const struct signer *s,
    struct bytes spki_sha256);

/* Every signature passes here: what the key said, and whether its token is
 * lost. */
MUST_CHECK enum err_code signer_signed(struct signer *s, const struct key *key,
    enum err_code code);

/* judge_container.c: what everything must fulfil, whoever it is for. */
/* SHA-256, in the arena of the round. */
struct bytes signer_hash(struct signer *s, struct bytes b);
/* Of both, one after the other. */
struct bytes signer_hash_of(struct signer *s, struct bytes a, struct bytes b);
/*
 * signer_people - did as many people sign the statement as must?  Counted are
 * people, not signatures, and one that is wrong spoils all.
 *
 * list    CMS files, up to OFFICERS_MAX.
 * who     may this one sign?  *run tells people apart, and lives on.
 * *hash   SHA-256 of the certificate of the one who signed; of several, over
 *         that of those before and the next.
 *
 * ERR_FORBIDDEN "signer-quorum"; what who, cms_parse() and cms_verify() say.
 */
typedef enum err_code (*who_fn)(struct signer *s, void *ctx,
    const struct cms *cms, const char **run, struct err *e);
MUST_CHECK enum err_code signer_people(struct signer *s, struct bytes list,
    struct bytes statement, who_fn who, void *ctx, int64_t need,
    struct bytes *hash, struct err *e);
/* A who_fn: an officer of the ceilings; ctx: the RUN of the one whom they
 * appoint, who is none of them, or NULL. */
MUST_CHECK enum err_code signer_judge_officer(struct signer *s, void *ctx,
    const struct cms *cms, const char **run, struct err *e);
/* A statement is this installation's, and may be used now. */
MUST_CHECK enum err_code signer_fresh(const struct signer *s,
    struct bytes origin, int64_t issued, int64_t expires, int64_t life_max,
    int64_t now, struct err *e);
/* The authority of that name; ERR_NOTFOUND "signer-issuer". */
MUST_CHECK enum err_code signer_issuer(struct signer *s, struct bytes name,
    struct authority **out, struct err *e);
/*
 * Parsed, linted, and that CA's in issuer, key identifier and algorithm; its
 * public key is strong.  No private extension but a holder's that the ceilings
 * name, and no place of a holder's status but that CA's.
 */
MUST_CHECK enum err_code signer_container(const struct signer *s,
    const struct authority *by, struct bytes container, enum lint_kind kind,
    struct cert *out, enum key_type *key, struct err *e);
/*
 * signer_serial - is the serial fresh, or is this the same certificate again?
 * *again: already journalled with this TBS and statement; job->record is set.
 * *done: and signed, so that nothing is left to judge.
 */
MUST_CHECK enum err_code signer_serial(struct signer *s, const struct cert *c,
    struct bytes tbs_sha256, struct bytes statement_sha256, struct job *job,
    bool *again, bool *done, struct err *e);
/* Adds the record to the journal and applies it; job signs it. */
MUST_CHECK enum err_code signer_keep(struct signer *s, struct record *r,
    struct job *job, struct err *e);

#endif
