/*
 * ca - the heart: institutions, people, appointments, requests, endorsements
 * and certificates; what may happen to them and what follows.
 *
 * Pure.  decide: a view of the state, a command, now and randomness give
 * entries, or a refusal with its reason.  apply: an entry changes the
 * projections; live work, recovery, replicas and audits all run it.  The view
 * is a link-time seam: store/ implements it over LMDB, tests/fake over memory.
 *
 * Used by core (decides, applies), by cli and audit replay (apply), by front
 * (fields, acts, records as JSON).  It never reads a clock, never asks the
 * signer and never writes a row outside ca_apply().  Times are seconds since
 * 1970 UTC; a time of 0 means that it has not happened or was not given.
 */
#ifndef REFRENDO_CA_H
#define REFRENDO_CA_H

#include <refrendo/audit.h>
#include <refrendo/base.h>
#include <refrendo/pkix.h>
#include <refrendo/policy.h>

/* --- The view: a transaction over the projections and the log --------------------- */

struct ca;
struct view; /* defined by store/, or by a fake */

/*
 * Keys and values are borrowed for the call.  What a view returns is passed
 * up as it is; ERR_IO and ERR_CORRUPT end the transaction.
 * view_get: *found says whether; value borrows until the next write or the
 * end of the transaction.  view_put replaces; view_del of a row that is not
 * there is the view's to refuse: apply deletes only what it knows of.
 */
MUST_CHECK enum err_code view_get(struct view *v, struct bytes key,
    struct bytes *value, bool *found, struct err *e);
MUST_CHECK enum err_code view_put(struct view *v, struct bytes key,
    struct bytes value, struct err *e);
MUST_CHECK enum err_code view_del(struct view *v, struct bytes key,
    struct err *e);
/* The first row with this prefix whose key is greater than after. */
MUST_CHECK enum err_code view_next(struct view *v, struct bytes prefix,
    struct bytes after, struct bytes *key, struct bytes *value, bool *found,
    struct err *e);
uint64_t view_log_size(struct view *v);
int64_t view_log_time(struct view *v); /* of the last entry; 0 when empty */
/* The root over the entries so far. */
MUST_CHECK enum err_code view_log_root(struct view *v, uint8_t root[HASH_LEN],
    struct err *e);
/* Stores the entry and its tree nodes; its index is view_log_size(). */
MUST_CHECK enum err_code view_log_append(struct view *v,
    const struct entry *entry, struct err *e);
/* The detail of an entry as it was written, borrowed until the next write;
 * empty where it was erased.  ERR_NOTFOUND where the log is shorter. */
MUST_CHECK enum err_code view_log_detail(struct view *v, uint64_t index,
    struct bytes *detail, struct err *e);

/* --- Rows --------------------------------------------------------------------------- */

/* First octet of every key.  Keys preserve order and fit 511 octets. */
enum row_class {
	ROW_INSTITUTION = 'i', /* RUT */
	ROW_PERSON = 'p',      /* RUT / RUN */
	ROW_APPOINTMENT = 'a', /* NOM-2026-000001 */
	ROW_REQUEST = 'r',     /* SOL-2026-000001 */
	ROW_CERTIFICATE = 'c', /* serial */
	ROW_REVOKED = 'v',     /* issuer 0 bound: entries of CRLs, with serials
			    of less than the bound */
	ROW_PARTITIONED = 'q', /* issuer 0 partition bound: the same again */
	ROW_CHANGED = 'm',     /* issuer 0 partition, index of an entry: whose
			    status it changed, for deltas of that list */
	ROW_PARTITION = 'u',   /* issuer -> which partitions it has */
	ROW_KEY = 'k',         /* SHA-256 of an SPKI -> who has it */
	ROW_SERIAL = 's',      /* reserved serial -> request */
	ROW_POLICY = 'y',      /* SHA-256 -> bytes of the policy */
	ROW_IN_FORCE = 'z',    /* policy name -> SHA-256, version */
	ROW_MINISTER = 'f',    /* hash of a minister's cert -> appointment */
	ROW_COUNTER = 'n',     /* "SOL-2026" -> last number */
	ROW_CRL = 'l',  /* issuer -> its newest; issuer 0 partition kind -> of
			  that list; kind 0: complete, 1: delta */
	ROW_WORK = 'w', /* request or appointment to be signed */
	ROW_DUE = 'd',  /* time, what: lapses, ends, suspensions */
	ROW_ACT = 'x',  /* idempotency key -> its result */
	ROW_RESPONDER = 'o', /* issuer -> certificate of its responder */
	ROW_ISSUER = 'g',    /* name -> CA certificate, as initialized */
	ROW_TERM = 't', /* RUT / RUN / appointment: who is minister where */
	ROW_HELD = 'h', /* RUT / RUN / serial: certificates of a person */
	ROW_ACTIVATION = 'b', /* POL-2026-000001 */
	ROW_CONSENT = 'e',    /* POL-2026-000001 / RUN: an officer signed; or
			      SOL-2026-000001 / version / RUN: a minister */
	ROW_CEREMONY = 'j',   /* CER-2026-000001 */
	ROW_ROOT_LIST = 'R',  /* name of a root -> its newest CRL */
	ROW_MANDATE = 'M',    /* MAN-2026-000001 */
	ROW_MANDATED = 'N',   /* RUT / RUN / mandate: those of a person */
	ROW_CEILINGS = 'C',   /* "in-force": the file of the ceilings */
};
#define ROW_KEY_MAX 200

/* The key of a row: class octet, then part ("RUT/RUN" for a person).  Lives
 * in the arena. */
struct bytes ca_row_key(struct arena *a, enum row_class class,
    struct bytes part);

/* Row values begin with a version octet; struct fields follow as the table
 * of the record type says.  Strings borrow from the row. */
enum rec_kind {
	REC_TEXT,
	REC_BYTES,
	REC_INT,
	REC_WORD, /* enum with names */
	REC_MAP,  /* lines of name=value; in JSON an object of texts */
	REC_ENTRY /* index of an entry; 0: none, and then not in JSON */
};
struct rec_field {
	const char *name; /* also the member of JSON; sorted within a table */
	enum rec_kind kind;
	size_t offset;
	const char *const *words; /* REC_WORD: names by value, NULL-ended */
	bool is_time;             /* REC_INT printed as a date in JSON */
	bool is_private_blob;     /* left out of JSON lists: DER, statements */
	uint8_t since; /* first version of the row that has it: 1 or 2 */
	/* A blob that stands in an entry of the log, not in the row: member of
	 * the detail, and offset of the field that says which entry.  NULL: in
	 * the row. */
	const char *member;
	size_t entry;
};
struct rec_type {
	enum row_class class;
	const char *name; /* "request" */
	size_t size;
	const struct rec_field *field;
	size_t n;
	bool blobs_apart; /* some blobs stand in entries: a row that changes
			   * often stays small, and nothing is kept twice */
};
extern const struct rec_type rec_institution, rec_person, rec_appointment,
    rec_request, rec_certificate, rec_crl, rec_policy, rec_revoked, rec_key,
    rec_serial, rec_in_force, rec_minister, rec_counter, rec_work, rec_due,
    rec_partitioned, rec_changed, rec_partition, rec_act, rec_responder,
    rec_issuer, rec_term, rec_held, rec_activation, rec_consent, rec_ceremony,
    rec_root_list, rec_mandate, rec_mandated, rec_ceilings;
const struct rec_type *rec_of_class(enum row_class class); /* or NULL */
/*
 * A record in one piece: version octet, then the fields in the table's order:
 * text and octets with a 32-bit length, integers in 8 octets, words in one.
 * The version is 2 only where a field that came with it says something, so
 * that a record of before keeps its octets.
 */
void rec_encode(const struct rec_type *t, const void *rec, struct buf *out);
/* The row that the store keeps: where blobs are apart, 0x80 in the version
 * octet and of each blob its length alone.  The same as rec_encode() elsewhere. */
void rec_encode_row(const struct rec_type *t, const void *rec, struct buf *out);
/*
 * rec_decode - either of the two.  A blob that stands apart has its length and
 * no octets (p is NULL) until rec_load().
 *
 * ERR_CORRUPT "row-version", "row-text" (a text that is not UTF-8),
 * "row-word" (a word beyond its table), "row-map" (attributes not in their
 * form), "codec" (short, or something left).
 */
MUST_CHECK enum err_code rec_decode(const struct rec_type *t, struct bytes row,
    void *rec, struct err *e);
/*
 * rec_load - the blobs of a record that rec_decode() left without octets; only
 * the one with this name, or all where it is NULL.
 *
 * Where the detail was erased the blob is empty.
 *
 * ERR_CORRUPT "row-blob": the entry does not have it, or of another length.
 */
MUST_CHECK enum err_code rec_load(struct view *v, const struct rec_type *t,
    const char *name, struct arena *a, void *rec, struct err *e);
/* A row of the store as a record in one piece, for another process. */
MUST_CHECK enum err_code rec_whole(struct view *v, struct bytes key,
    struct bytes row, struct arena *a, struct bytes *whole, struct err *e);
/* JSON object; times as RFC 3339, octets as hex, blobs as base64 (texts among
 * them as strings).  What is empty or not loaded, and a time of 0, is left out.
 */
void rec_json(const struct rec_type *t, const void *rec, bool with_blobs,
    struct buf *out);
/* rec_json() into a writer that others began, and back from its members. */
void rec_write(struct jw *w, const struct rec_type *t, const void *rec,
    bool with_blobs);
void rec_read(const struct rec_type *t, struct json_obj o, struct arena *a,
    void *rec);
/* The row of a key, decoded in the arena, blobs that stand apart not loaded;
 * *found says whether it is there. */
MUST_CHECK enum err_code rec_get(struct view *v, const struct rec_type *t,
    struct bytes key, struct arena *a, void *rec, bool *found, struct err *e);

enum institution_state {
	INST_APPLIED,
	INST_ENABLED,
	INST_SUSPENDED,
	INST_CLOSED,
	INST_STATES
};
struct institution {
	struct bytes rut, name;
	int64_t kind;  /* enum institution_kind of policy.h */
	int64_t state; /* enum institution_state */
	int64_t added, changed;
};

struct person {
	struct bytes institution, run, name, office, email;
	int64_t kind;            /* enum person_kind of policy.h */
	struct bytes attributes; /* as attribute_next() reads them */
	int64_t is_operator;     /* 0 or 1 */
	int64_t registered, changed;
};

/* Lines of name=value, sorted by name, with a line feed between them. */
#define ATTRIBUTES_TEXT_MAX \
	(ATTRIBUTES_MAX * (ATTRIBUTE_NAME_MAX + ATTRIBUTE_VALUE_MAX + 2))
/* The first line of rest, which goes on behind it; false at the end. */
bool attribute_next(struct bytes *rest, struct attribute *out);

enum appointment_state {
	APPT_PROPOSED,
	APPT_CONFIRMED,
	APPT_IN_FORCE,
	APPT_ENDED,
	APPT_WITHDRAWN,
	APPT_FAILED,
	APPT_STATES
};
struct appointment {
	struct bytes id, institution, run, name, office;
	struct bytes act_number, act_date; /* act_date: 2026-11-24 */
	int64_t from, until;               /* in force from <= now < until */
	int64_t deputy;                    /* 0 or 1 */
	int64_t state;                     /* enum appointment_state */
	struct bytes proposed_by, officer; /* RUN */
	struct bytes serial, spki_sha256, tbs_sha256;
	struct bytes reason; /* why it ended or failed */
	int64_t proposed, confirmed, in_force, ended;
	/* Where one officer is enough, evidence is that officer's signature and
	 * these say nothing; else each signature is a row of ROW_CONSENT. */
	int64_t signatures, needed;
	struct bytes signed_by; /* RUNs, with spaces between */
	struct bytes statement, container, evidence; /* blobs */
	struct bytes certificate;                    /* DER, once in force */
};

enum request_state {
	REQ_DRAFT,
	REQ_SUBMITTED,
	REQ_RETURNED,
	REQ_REJECTED,
	REQ_WITHDRAWN,
	REQ_LAPSED,
	REQ_ENDORSED,
	REQ_ISSUED,
	REQ_FAILED,
	REQ_STATES
};
struct request {
	struct bytes id, institution, holder_run, holder_name, holder_office;
	struct bytes policy; /* its name */
	struct bytes policy_sha256, issuer;
	int64_t version; /* 0: a draft; each submission is a new one */
	int64_t state;   /* enum request_state */
	struct bytes operator_run;
	/* Of the endorsement that was the last one needed.  Where one is enough
	 * the three below say nothing; else each is a row of ROW_CONSENT. */
	struct bytes minister_run, appointment;
	int64_t endorsements, needed;
	struct bytes endorsed_by; /* RUNs, with spaces between */
	struct bytes serial, spki_sha256, tbs_sha256;
	int64_t not_before, not_after;
	int64_t asked_s; /* life asked for; 0: the policy's default */
	/* Entries that wrote this version and its endorsement; blobs of the
	 * request are read from them. */
	int64_t written_entry, endorsed_entry;
	struct bytes replaces; /* serial that this one renews */
	struct bytes mandate;  /* by which it does, without a new act */
	int64_t partition;     /* of its issuer's CRL; 0: none */
	struct bytes reason;   /* why returned, rejected, failed */
	int64_t created, submitted, expires /* statement */, lapses, endorsed,
	    closed;
	struct bytes csr, statement, container, evidence; /* blobs */
};

enum cert_state {
	CERT_INTENDED,
	CERT_VALID,
	CERT_SUSPENDED,
	CERT_REVOKED,
	CERT_STATES
}; /* expired follows from not_after and now */
struct certificate {
	struct bytes serial, issuer, institution, holder_run, request, policy,
	    policy_sha256, tbs_sha256, spki_sha256;
	int64_t not_before, not_after; /* both ends included */
	int64_t partition;  /* of its issuer's CRL, for good; 0: none */
	int64_t state;      /* enum cert_state */
	int64_t reason;     /* RFC 5280 5.3.1; 0: none, encoded by omission */
	struct bytes cause; /* legal cause */
	struct bytes asked_by; /* RUN; empty: the engine */
	/* request: of a minister's certificate the appointment, and policy is
	 * empty.  revoked_at: of the suspension too; 0 while valid. */
	int64_t revoked_at, invalid_since, suspend_until;
	struct bytes replaced_by,
	    proposed;    /* proposed: cause, by an operator */
	int64_t retires; /* replaced, and revoked then; 0: never */
	int64_t intended, issued;
	int64_t issued_entry;     /* the certificate is read from it */
	struct bytes certificate; /* DER, blob; empty until issued */
};

/* The newest of an issuer, and the newest of each of its lists. */
struct crl_row {
	struct bytes issuer;
	int64_t partition, base; /* as in crl_published */
	int64_t number, this_update, next_update;
	int64_t covers;
	struct bytes sha256; /* of its TBS */
	/* Of a complete one that names deltas: the entry behind which changes
	 * of its scope are kept (ROW_CHANGED); 0: they are not. */
	int64_t kept_since;
	int64_t periodic; /* as in crl_published */
};

struct policy_row {
	struct bytes sha256, name;
	int64_t version, activated; /* activated 0: only proposed */
	int64_t until;              /* when another took its place; 0: none */
	struct bytes activation;    /* id; empty: since the beginning */
	struct bytes proposed_by, signed_by; /* RUNs */
	struct bytes text;                   /* blob */
};

enum mandate_state {
	MANDATE_PROPOSED,
	MANDATE_IN_FORCE,
	MANDATE_ENDED,
	MANDATE_WITHDRAWN,
	MANDATE_LAPSED,
	MANDATE_EXPIRED,
	MANDATE_STATES
};
/* A standing endorsement: renewals of one person, office and policy. */
struct mandate {
	struct bytes id, institution, holder_run, holder_name, holder_office;
	struct bytes policy, policy_sha256, issuer; /* name */
	struct bytes serial;         /* of the certificate it was made from */
	struct bytes profile_sha256; /* cert_profile() of that */
	struct bytes rekey_sha256;   /* of the key that the next renewal begins
				      with; empty: it stays the same */
	struct bytes proposed_by;    /* RUN */
	struct bytes signed_by;      /* RUNs of ministers, spaces between */
	struct bytes reason;
	int64_t state;              /* enum mandate_state */
	int64_t signatures, needed; /* of ministers */
	int64_t until, life_s;      /* of each renewal */
	int64_t renewals, used;
	int64_t proposed, expires /* signatures */, agreed, closed;
	struct bytes statement; /* blob */
};

/*
 * ca_mandate_over - as it is shown: one that is in force in its row and can
 * never serve again becomes MANDATE_EXPIRED, and its reason says why: the last
 * day, all renewals made, its CA, its institution, a minister or its policy.
 * Nothing is stored: an entry of the log follows its last day alone.
 */
MUST_CHECK enum err_code ca_mandate_over(struct view *v, const struct ca *ca,
    int64_t now, struct arena *a, struct mandate *m, struct err *e);

enum agreement_state {
	AGREEMENT_PROPOSED,
	AGREEMENT_AGREED, /* enough officers signed; its time or the root's
			     answer is waited for */
	AGREEMENT_DONE,
	AGREEMENT_WITHDRAWN,
	AGREEMENT_LAPSED,
	AGREEMENT_STATES
};
/*
 * What officers agree on by their signatures: policies that are to be in force
 * (rec_activation), or what an offline root is to sign: a CA's certificate, or
 * its own CRL; or that the key of a CA is destroyed (rec_ceremony).
 */
struct agreement_row {
	struct bytes id, proposed_by; /* RUN */
	struct bytes signed_by; /* RUNs of officers, with spaces between */
	struct bytes reason;
	int64_t state;              /* enum agreement_state */
	int64_t signatures, needed; /* of officers, so far and in all */
	int64_t proposed, expires, agreed, closed;
	struct bytes statement; /* blob */
	/* Of policies: */
	struct bytes policies; /* "funcionario-firma v8 estado-base v2" */
	int64_t effective;     /* 0: of a ceremony */
	/* Of a ceremony: */
	int64_t kind;             /* enum ceremony_kind */
	int64_t held;             /* 1: the signer made the CA's key */
	struct bytes name;        /* of the CA; of a CRL its root */
	struct bytes institution; /* RUT that the CA is for; empty: shared */
	struct bytes replaces;    /* the CA whose key this one replaces */
	struct bytes policy;      /* of a cross-certificate: whose limits */
	struct bytes possession; /* blob: of a cross-certificate, the request or
				   * certificate that was shown for its key */
	struct bytes revokes;    /* the CA that the root's list adds */
	struct bytes tbs;        /* blob; of a key: of its CA's certificate */
	struct bytes object;     /* blob: what the root signed */
};
/* The file of the ceilings that is in force before the signer. */
#define CEILINGS_ROW "in-force"
struct ceilings_row {
	struct bytes sha256, base; /* of it; of the one that it replaced */
	int64_t how;               /* enum ceilings_how */
	int64_t since;
	struct bytes ceremony;
	struct bytes people;  /* as ceilings_people() says it */
	int64_t people_since; /* since when; 0: from the first on */
	struct bytes text;    /* blob */
};
/* "superseded": the enum crl_reason by which the root's list has a CA for that
 * cause; CRL_UNSPECIFIED: a CA is not revoked for it. */
int ceremony_cause(struct bytes word);
/* A root's newest CRL, by a ceremony. */
struct root_list_row {
	struct bytes ceremony;
	int64_t number, this_update, next_update;
	struct bytes list; /* blob: DER */
};
/* An officer's signature over the statement of an activation, a ceremony, or
 * an appointment that takes more than one; a minister's, over a request that
 * takes more than one: officer is then the minister. */
struct consent {
	struct bytes activation, officer; /* RUN */
	struct bytes appointment;         /* a minister's */
	int64_t at;
	struct bytes evidence; /* blob */
};

/*
 * What a CRL lists, revoked and suspended certificates, as it lists them: a
 * row has the entries of a few hundred neighbours, so that a list is made by
 * copying (decision 0030).
 */
struct listed_row {
	int64_t earliest;     /* of ends: none of them is expired before */
	struct bytes ends;    /* not_after of each, 8 octets */
	struct bytes entries; /* DER, one behind the other, by serial */
};
#define LISTED_END 8u
/* As rec_decode() of rec_revoked, for who reads all of them: the entries are
 * not looked at.  False: not in that form. */
bool listed_row_read(struct bytes value, struct listed_row *out);
/* The same of its first octets alone, for who only wants to know how much it
 * has: the length that stands before the entries is not compared. */
bool listed_row_head(struct bytes value, struct listed_row *out);
/* Takes the next entries off a row whose certificates end at since or later;
 * none are left, and perhaps none found, when row->entries is empty.  False: it
 * is broken. */
bool listed_row_take(struct listed_row *row, int64_t since, struct bytes *run,
    size_t *n);
/* What the keys of a list's rows begin with, in out; partition 0: of the full
 * list. */
struct bytes ca_list_key(uint8_t out[ROW_KEY_MAX], struct bytes issuer,
    int64_t partition);
/*
 * ca_list_put, ca_list_del - an entry of one list, by its serial: put in or
 * replaced, and taken out.  Apply's, and of tools that fill a ledger.
 *
 * prefix  of ca_list_key().
 *
 * ERR_CORRUPT "crl-entry-...", "listed-row".
 */
struct crl_entry;
MUST_CHECK enum err_code ca_list_put(struct view *v, struct bytes prefix,
    const struct crl_entry *x, int64_t not_after, struct err *e);
MUST_CHECK enum err_code ca_list_del(struct view *v, struct bytes prefix,
    struct bytes serial, struct err *e);

/* A change of status behind the complete list; its entry is in the key. */
struct changed_row {
	struct bytes serial;
	int64_t at; /* time of the entry */
};
/* The key of that entry's change, for the deltas of a list: see ROW_CHANGED. */
struct bytes ca_changed_key(struct arena *a, struct bytes issuer,
    int64_t partition, uint64_t index);
/* The complete list that was published last, of this partition (0: the full
 * one); number 0 where there is none. */
MUST_CHECK enum err_code ca_complete(struct view *v, struct bytes issuer,
    int64_t partition, struct arena *a, struct crl_row *out, struct err *e);
/* Were all changes kept that it does not have?  Only then can a delta rest on
 * it. */
bool ca_takes_deltas(const struct crl_row *complete);

/* Partitions are numbered from 1. */
struct partition_row {
	struct bytes issuer;
	int64_t open;     /* last whose CRL was published */
	int64_t current;  /* last that a certificate names; 0: none yet */
	int64_t assigned; /* certificates that name it */
	/* Index of the last entry that changed the status of any certificate
	 * of this issuer; 0: none did. */
	int64_t changed;
};
/* All zero where the issuer has none. */
MUST_CHECK enum err_code ca_partitions(struct view *v, struct bytes issuer,
    struct arena *a, struct partition_row *out, struct err *e);
/* Whose a public key is.  Kept for ever: row 8 and row 44 of the incidents. */
struct key_row {
	struct bytes spki_sha256, institution, run;
	struct bytes request; /* request or appointment that used it last */
	/* 1: a certificate was intended for it, by an appointment or before
	 * the last request, whose row says the same of itself. */
	int64_t certified;
	int64_t compromised; /* 1: revoked for key compromise */
};

struct serial_row {
	struct bytes serial, request; /* request or appointment */
};
struct in_force_row {
	struct bytes name, sha256;
	int64_t version;
	int64_t renew_window; /* seconds; 0: it says none */
};
struct minister_row {
	struct bytes certificate_sha256, appointment;
};
struct counter_row {
	int64_t last;
};
struct work_row {
	struct bytes id;
	int64_t is_appointment, since;
};
struct act_row {
	struct bytes command_sha256, object;
	int64_t at;
};
struct responder_row {
	struct bytes issuer, certificate;
	int64_t since;
};
struct issuer_row {
	struct bytes role, name, certificate; /* role: root, issuer, endorser,
		 * cross: over the key of a CA that is not ours */
	struct bytes institution; /* RUT that it is for; empty: shared */
	int64_t since;            /* 0: since the beginning */
	int64_t stopped;          /* 0: it issues; of a root: CRLs alone */
	int64_t revoked;          /* on the root's CRL since; 0: it is not */
	int64_t destroyed;        /* its key, by a ceremony; 0: it is not */
	int64_t held;             /* 1: the signer made its key and keeps it */
	/* Generations of one CA, under one subject: the key before, and after.
	 * Empty: none. */
	struct bytes replaces, replaced_by;
};

/* --- State machines: tables --------------------------------------------------------- */

/* What the tables allow; ERR_CONFLICT names the present state. */
enum cert_event {
	EV_SIGNED,
	EV_REVOKE,
	EV_SUSPEND,
	EV_REINSTATE,
	EV_NEVER_SIGNED,
	EV_PROPOSE,
	EV_RENEW,
	EV_REPLACE,
	EV_CERT_EVENTS
};
/* ERR_CONFLICT "state-certificate". */
MUST_CHECK enum err_code cert_next(enum cert_state from, enum cert_event ev,
    enum cert_state *to, struct err *e);
enum request_event {
	RV_SUBMIT,
	RV_RENEW_STATEMENT,
	RV_CONSENT, /* one of several */
	RV_ENDORSE,
	RV_RETURN,
	RV_REJECT,
	RV_WITHDRAW,
	RV_LAPSE,
	RV_ISSUE,
	RV_FAIL,
	RV_RETRY,
	RV_EVENTS
};
/* ERR_CONFLICT "state-request". */
MUST_CHECK enum err_code request_next(enum request_state from,
    enum request_event ev, enum request_state *to, struct err *e);
enum appointment_event {
	AV_CONSENT, /* one of several */
	AV_CONFIRM,
	AV_SIGNED,
	AV_NEVER_SIGNED,
	AV_END,
	AV_WITHDRAW,
	AV_EVENTS
};
/* ERR_CONFLICT "state-appointment". */
MUST_CHECK enum err_code appointment_next(enum appointment_state from,
    enum appointment_event ev, enum appointment_state *to, struct err *e);
enum agreement_event {
	GV_ENDORSE, /* one of several */
	GV_APPROVE,
	GV_COMPLETE,
	GV_WITHDRAW,
	GV_LAPSE,
	GV_EVENTS
};
/* ERR_CONFLICT "state-agreement". */
MUST_CHECK enum err_code agreement_next(enum agreement_state from,
    enum agreement_event ev, enum agreement_state *to, struct err *e);
enum mandate_event {
	MV_CONSENT, /* one of several */
	MV_AGREE,
	MV_RENEW,
	MV_END,
	MV_LAPSE,
	MV_EVENTS
};
/* ERR_CONFLICT "state-mandate". */
MUST_CHECK enum err_code mandate_next(enum mandate_state from,
    enum mandate_event ev, enum mandate_state *to, struct err *e);
enum institution_event { IV_ENABLE, IV_SUSPEND, IV_CLOSE, IV_EVENTS };
/* ERR_CONFLICT "state-institution". */
MUST_CHECK enum err_code institution_next(enum institution_state from,
    enum institution_event ev, enum institution_state *to, struct err *e);
/* The tables as Markdown with diagrams: doc/lifecycle.md. */
void ca_lifecycle(struct buf *out);

/* Legal causes of Ley 19.799 art. 16 and their RFC 5280 reasons. */
struct legal_cause {
	const char *word; /* "office-ended" */
	int reason;       /* enum crl_reason; 0 is encoded by omission */
	bool for_suspension;
	const char *rule; /* "Ley 19.799 art. 16" */
	const char *es;   /* label for people */
};
extern const struct legal_cause ca_causes[];
extern const size_t ca_n_causes;

/* --- Commands ---------------------------------------------------------------------------- */

enum ca_field {
	CF_KEY, /* idempotency key, 1..64 of [A-Za-z0-9._-] */
	CF_AS,  /* RUN of the person who acts */
	CF_RUT,
	CF_RUN,
	CF_NAME,
	CF_OFFICE,
	CF_EMAIL,
	CF_OPERATOR, /* flag: the person is an operator */
	CF_CSR,
	CF_CMS, /* octets */
	CF_POLICY,
	CF_REQUEST,
	CF_APPOINTMENT,
	CF_SERIAL,
	CF_CAUSE,
	CF_REASON,
	CF_FROM,
	CF_UNTIL,
	CF_INVALID_SINCE,
	CF_ACT_NUMBER,
	CF_ACT_DATE,
	CF_DEPUTY,
	CF_VALIDITY,
	CF_DRAFT,
	CF_KIND,
	CF_ATTRIBUTE,
	CF_KEY_TYPE,
	CF_ACTIVATION,
	CF_FILES, /* texts of policies, each after its length */
	CF_CEREMONY,
	CF_ANSWER, /* octets: a file of a ceremony */
	CF_MANDATE,
	CF_RENEWALS,
	CF_REPLACES,    /* a CA's name */
	CF_CERTIFICATE, /* octets: of a CA that is not ours */
	CF_COUNT
};
enum cf_type {
	CFT_TEXT,
	CFT_RUN,
	CFT_EMAIL,
	CFT_WORD,
	CFT_ID,
	CFT_HEX,
	CFT_OCTETS /* base64 in JSON */,
	CFT_TIME,
	CFT_DURATION,
	CFT_NUMBER, /* digits, also in JSON as text; max: its most */
	CFT_FLAG, /* true or false in JSON; as text true, yes, 1, false, no, 0 */
	CFT_MAP,  /* object of texts in JSON; as text lines of name=value */
	CFT_FILES /* array of base64 in JSON; put_bytes() of each */
};
struct cf_def {
	const char
	    *name; /* JSON member, and the flag: act_number, --act-number */
	enum cf_type type;
	size_t max;       /* octets */
	const char *help; /* one line */
};
extern const struct cf_def ca_fields[CF_COUNT];

enum ca_role {
	ROLE_OFFICER = 1,
	ROLE_OPERATOR = 2,
	ROLE_MINISTER = 4,
	ROLE_HOLDER = 8
};

enum ca_act {
	ACT_INSTITUTION_ADD,
	ACT_INSTITUTION_ENABLE,
	ACT_INSTITUTION_SUSPEND,
	ACT_INSTITUTION_CLOSE,
	ACT_PERSON_REGISTER,
	ACT_APPOINTMENT_PROPOSE,
	ACT_APPOINTMENT_CONFIRM,
	ACT_APPOINTMENT_END,
	ACT_APPOINTMENT_WITHDRAW,
	ACT_REQUEST_NEW,
	ACT_REQUEST_SUBMIT,
	ACT_REQUEST_ENDORSE,
	ACT_REQUEST_RETURN,
	ACT_REQUEST_REJECT,
	ACT_REQUEST_WITHDRAW,
	ACT_REQUEST_RETRY,
	ACT_CERTIFICATE_RENEW,
	ACT_CERTIFICATE_REVOKE,
	ACT_CERTIFICATE_SUSPEND,
	ACT_CERTIFICATE_REINSTATE,
	ACT_POLICY_PROPOSE,
	ACT_POLICY_ENDORSE,
	ACT_POLICY_WITHDRAW,
	ACT_CEREMONY_CA,
	ACT_CEREMONY_CRL,
	ACT_CEREMONY_ENDORSE,
	ACT_CEREMONY_WITHDRAW,
	ACT_CEREMONY_IMPORT,
	ACT_CA_STOP,
	ACT_CEREMONY_KEY,
	ACT_CA_CREATE,
	ACT_MANDATE_PROPOSE,
	ACT_MANDATE_ENDORSE,
	ACT_MANDATE_END,
	ACT_CEREMONY_CROSS,
	ACT_CEREMONY_CEILINGS,
	ACT_CEREMONY_ROOT,
	ACT_COUNT
};
struct ca_act_def {
	const char *name;            /* "request.endorse" */
	uint64_t required, optional; /* bit i: enum ca_field i */
	unsigned roles;              /* who may: ROLE_ bits */
	const char *help;            /* one line */
};
extern const struct ca_act_def ca_acts[ACT_COUNT];

struct command {
	enum ca_act act;
	uint32_t uid; /* of the local peer, from SO_PEERCRED */
	struct bytes
	    f[CF_COUNT]; /* empty: not given; as text, octets decoded */
	/* Of ACT_CA_CREATE, not part of what was asked: the PKCS #10 request
	 * of the signer, which made the key. */
	struct bytes made_csr;
};
/* Version, act, uid, bits of the fields given, then each of them. */
void command_encode(const struct command *c, struct buf *out);
/* One encoding for each command; fields borrow from in.
 * ERR_INVALID "command-form". */
MUST_CHECK enum err_code command_decode(struct bytes in, struct command *out,
    struct err *e);
/*
 * command_check - required and allowed fields, each of its type.  RUNs, flags
 * and serials are put in their stored form, which lives in the arena.
 *
 * ERR_INVALID with where.field: "command-form", "command-field-missing",
 * "command-field-unknown", "command-field-size", "command-field"; of RUNs and
 * e-mail addresses what run_parse() and email_check() say.
 */
MUST_CHECK enum err_code command_check(struct command *c, struct arena *a,
    struct err *e);

/* --- Decide and apply ------------------------------------------------------------------------ */

/* An issuing CA as core knows it: everything but its key. */
struct ca_issuer {
	char name[POLICY_NAME_MAX];
	struct cert cert; /* borrows from bytes that live as long */
	enum key_type type;
	char institution[RUN_TEXT]; /* RUT that it is for; "": shared */
	char public_url[URL_LEN];
	char crl_url[URL_LEN * 2], ocsp_url[URL_LEN * 2], ca_url[URL_LEN * 2];
	struct issuer_id id;
	/* Its CRL and its responder are published: certificates may name them
	 * (INCIDENTS 13 and 60).  Set once. */
	_Atomic bool is_open;
	/* The signer refused the one or the other, or does not have its key. */
	_Atomic bool is_refused;
};
/*
 * The issuing CAs, in an order that stays: one thread adds while others read.
 * Zeroed it is empty.
 */
struct ca_issuers {
	const struct ca_issuer *list[ISSUERS_MAX];
	_Atomic size_t n;
	struct places by_name, by_institution, by_subject;
};
_Static_assert(ISSUERS_MAX <= PLACES_MAX, "each CA has a place");
/* is is borrowed for as long as the list lives; but for is_open and is_refused it stays.
 * ERR_BUSY "issuers-full". */
MUST_CHECK enum err_code ca_issuers_add(struct ca_issuers *t,
    const struct ca_issuer *is, struct err *e);
/* NULL: there is none.  place may be NULL. */
const struct ca_issuer *ca_issuer_named(const struct ca_issuers *t,
    struct bytes name, size_t *place);
/* By subject and subject key identifier: generations share the first. */
const struct ca_issuer *ca_issuer_of(const struct ca_issuers *t,
    struct bytes subject, struct bytes ski);
/* Those of an institution one by one; start with *at = SIZE_MAX. */
const struct ca_issuer *ca_issuer_next(const struct ca_issuers *t,
    struct bytes rut, size_t *at);

struct ca_root {
	const char *name;
	struct bytes der;
};
/* Borrowed for each call; what else is here does not change during one. */
struct ca {
	struct bytes origin;               /* of the log */
	const struct policy_set *policies; /* in force */
	const struct ceilings *ceilings;
	const struct ca_issuers *issuers;
	const struct ca_issuer *endorser;
	/* Those that come after the first, by the configuration. */
	const struct ca_root *root;
	size_t n_root;
	struct bytes root_list; /* the first root's CRL of the beginning, DER */
	const char *public_url;
	struct verifier *verifier;
	const struct weak_list *weak; /* keys to refuse; NULL: no list */
};

/* Octets from the CSPRNG for one decision; taken from the front. */
#define RANDOM_POOL 128
struct random_pool {
	uint8_t p[RANDOM_POOL];
	size_t used;
};

/* An act and what follows from it for the certificates of one person. */
#define DRAFTS_MAX 16
struct draft {
	enum entry_type type;
	struct entry_refs refs;
	struct bytes detail; /* canonical JSON */
};
/* What a command leads to; everything borrows from the arena. */
struct decision {
	struct draft draft[DRAFTS_MAX];
	size_t n;            /* 0: an idempotent repetition, nothing to write */
	struct bytes object; /* row key of what the client is answered with */
	bool waits;          /* answer when object has left the state of work */
	/* Beside a failure: where a policy refused a request, an act.refused
	 * with all that it judged by, so that other policies can be simulated;
	 * else its detail is empty.  Keeping it is the caller's choice. */
	struct draft refused;
};

/* Before the signer is asked for the key of ACT_CA_CREATE: would the rest of it
 * be refused?  As ca_decide(), of what does not depend on the key. */
MUST_CHECK enum err_code ca_may_create(const struct ca *ca, struct view *v,
    const struct command *c, int64_t now, struct arena *a, struct err *e);
/*
 * ca_decide - what a command leads to, or why not.  Reads the view only.
 * Order: fields, idempotency key, role table, state table, rules.
 *
 * c          as it came; it is checked and put in stored form here.
 * now        not before the last entry, or ca_append() will refuse.
 * random     filled from the CSPRNG for this decision.
 * out        untouched unless ERR_OK, but for "refused".  n is 0 when the key
 *            was used for the same command ("object" is then what it led to), and when a retry
 *            finds its work still waiting.
 *
 * ERR_INVALID  as command_check(), what the CSR or CMS parsers say,
 *              "cause-unknown", "request-csr-missing", …
 * ERR_FORBIDDEN "role-missing"; the person of evidence: "evidence-person",
 *              "endorse-…", "confirm-…", "request-own", "status-no-right"
 * ERR_DENIED   what the policy says; "key-…", "renew-…", "suspend-…",
 *              "appointment-…", and what the lint finds in a container
 * ERR_NOTFOUND "institution-unknown", "person-unknown", "request-unknown",
 *              "appointment-unknown", "certificate-unknown", "request-policy"
 * ERR_CONFLICT "act-key-used"; "state-…" names the present state;
 *              "statement-expired", "request-waits", "serial-taken",
 *              "institution-not-enabled"
 */
MUST_CHECK enum err_code ca_decide(const struct ca *ca, struct view *v,
    const struct command *c, int64_t now, struct random_pool *random,
    struct arena *a, struct decision *out, struct err *e);

/*
 * Ahead of a decision, on another thread: checks the signatures that it will
 * want to see checked, with a verifier whose proofs are shared with that of
 * the decision (pkix.h).  Nothing is judged and nothing is refused: what does
 * not fit here is found again by ca_decide() or ca_signed(), which say why.
 *
 * ca         its own verifier; its policies are not looked at.
 * v          for the statement that evidence is about; NULL without evidence.
 */
void ca_prove_command(const struct ca *ca, struct view *v,
    const struct command *c, struct arena *a);
void ca_prove_signed(const struct ca *ca, struct bytes der);
/* The statement that the evidence of this command is about, in the arena;
 * empty when it is about none. */
struct bytes ca_statement(struct view *v, const struct command *c,
    struct arena *a);
/* The signer found that evidence right: the proofs of ca's verifier are told,
 * so that ca_decide() need not check it again. */
void ca_vouch(const struct ca *ca, const struct command *c,
    struct bytes statement);

/* What the signer is to be asked for a row of ROW_WORK (steps 5 and 6). */
struct work {
	struct bytes id; /* of the request or appointment */
	bool is_appointment;
	struct bytes issuer; /* name; the endorser's for an appointment */
	struct bytes container, statement;
	struct bytes evidence; /* list (put_bytes): CMS of each who signed */
	struct bytes renewed;  /* DER; under a mandate alone */
	struct bytes proof;    /* list: of its key over another; or empty */
	/* For the signer's own judgement, as core sees it: */
	struct bytes serial, tbs_sha256;
};
/* Signatures over the statement of an activation, an appointment or a version
 * of a request, as a list (put_bytes) in the arena, in the order of RUNs. */
MUST_CHECK enum err_code ca_consents(struct view *v, struct bytes id,
    struct arena *a, struct bytes *list, struct err *e);
/* All in the arena.  ERR_NOTFOUND "work-unknown"; ERR_CONFLICT
 * "institution-not-enabled": it waits, and ca_work_next() passes it over. */
MUST_CHECK enum err_code ca_work(struct view *v, struct bytes id,
    struct arena *a, struct work *out, struct err *e);
/* Walks ROW_WORK: the first id greater than after (empty: from the start). */
MUST_CHECK enum err_code ca_work_next(struct view *v, struct bytes after,
    struct arena *a, struct bytes *id, bool *found, struct err *e);
/*
 * ca_signed - steps 7 and 8: the signer's answer.  refusal is NULL and der
 * the certificate, or der is empty and refusal says why.  A refusal of the
 * categories INVALID, FORBIDDEN, DENIED and CONFLICT is final: the intent is
 * revoked, because it was never signed; others leave it for a retry (n is 0).
 *
 * The same answer twice is nothing new (n is 0); ERR_CONFLICT "signed-twice"
 * when it differs.  A certificate whose intent was revoked meanwhile is
 * recorded and stays revoked.  ERR_INVALID "issue-other-bytes", or what the
 * parser or the lint finds: the signer answered with something that nobody
 * endorsed; nothing is recorded, and the work stays.
 */
MUST_CHECK enum err_code ca_signed(const struct ca *ca, struct view *v,
    struct bytes id, struct bytes der, const struct err *refusal, int64_t now,
    struct random_pool *random, struct arena *a, struct decision *out,
    struct err *e);
/* What falls due by now (lapses, ends of appointments and suspensions); at
 * most one act for each call; out->n is 0 when nothing is due.
 * ERR_CORRUPT "due-not-due", "row-due". */
MUST_CHECK enum err_code ca_tick(const struct ca *ca, struct view *v,
    int64_t now, struct arena *a, struct decision *out, struct err *e);
MUST_CHECK enum err_code ca_next_due(struct view *v, int64_t *when,
    struct err *e); /* NEVER if nothing */

/*
 * Entries of the engine itself.  Drafts live in the arena.
 *
 * ca_decide_policy: a policy that is in force from the beginning, right after
 * the first entry.  Every later one needs an activation.
 */
MUST_CHECK enum err_code ca_decide_policy(const struct policy *p, int64_t now,
    struct arena *a, struct draft *out, struct err *e);
/* What the log says of a CRL that is signed and about to be published. */
struct crl_published {
	struct bytes issuer;
	int64_t partition; /* 0: the full one */
	int64_t base;      /* number that a delta rests on; 0: complete */
	int64_t number;    /* rises for the issuer, whatever it covers */
	uint64_t covers;   /* size of the log that it was built from */
	bool names_deltas; /* a complete one with freshestCRL */
	/* this_update of the newest periodic list of its scope, perhaps of this
	 * one: what ended before it stands on no later one.  0: of a delta. */
	int64_t periodic;
	struct bytes sha256; /* of its TBS */
	int64_t this_update, next_update;
};
/* ERR_INVALID "crl-entry-form"; ERR_CONFLICT "crl-number-behind",
 * "crl-entry-base" (a delta of another list than the newest complete one). */
/* The key of one list's row: see ROW_CRL. */
struct bytes ca_crl_key(struct arena *a, struct bytes issuer, int64_t partition,
    bool is_delta);
MUST_CHECK enum err_code ca_decide_crl(struct view *v,
    const struct crl_published *crl, int64_t now, struct arena *a,
    struct draft *out, struct err *e);
MUST_CHECK enum err_code ca_decide_responder(struct view *v,
    struct bytes issuer, struct bytes der, int64_t now, struct arena *a,
    struct draft *out, struct err *e);
/* An act that was refused and is worth keeping: who asked for what, and why
 * not.  It changes no row; the same key may be used again.  Whatever bytes the
 * command holds, it fails only for an act that does not exist. */
MUST_CHECK enum err_code ca_decide_refused(const struct command *c,
    const struct err *why, struct arena *a, struct draft *out, struct err *e);
/* The first entry, written by init. */
struct ca_init {
	struct bytes origin, log_spki;
	struct {
		const char *role, *name;
		struct bytes der;
	} cert[CONFIG_ISSUERS_MAX + 2];
	size_t n_cert;
	const struct ceilings *ceilings; /* officers */
};
MUST_CHECK enum err_code ca_decide_init(const struct ca_init *init, int64_t now,
    struct arena *a, struct draft *out, struct err *e);

/* The root that signs certificates: the last of those that officers put in the
 * place of the first. */
#define FIRST_ROOT "root"
MUST_CHECK enum err_code ca_root_now(struct view *v, struct arena *a,
    struct issuer_row *out, struct err *e);
/* Those in force; *found is false before the first were recorded. */
MUST_CHECK enum err_code ca_ceilings(struct view *v, struct arena *a,
    struct ceilings_row *out, bool *found, struct err *e);
/* What the signer says is in force, and how it came so. */
MUST_CHECK enum err_code ca_decide_ceilings(struct view *v, struct bytes text,
    enum ceilings_how how, int64_t now, struct arena *a, struct draft *out,
    struct err *e);
/*
 * ca_append - gives a draft its index, time and salt, stores it, applies it.
 * On any error the transaction is to be given up: the log and the rows may
 * disagree in it.
 *
 * ERR_CONFLICT "clock-moved-back" when now is before the last entry.
 */
MUST_CHECK enum err_code ca_append(struct view *v, const struct draft *d,
    int64_t now, const uint8_t salt[ENTRY_SALT], struct err *e);
/*
 * ca_apply - the effect of one entry on the projections.  The only writer of
 * rows; deterministic in the view's rows and the entry (index, time, refs,
 * detail).  refs as entry_parse() fills them.
 *
 * ERR_CORRUPT "apply-contradicts" when an entry contradicts the state,
 * "apply-erased" when its detail is gone.
 */
MUST_CHECK enum err_code ca_apply(struct view *v, const struct entry *entry,
    struct err *e);

/*
 * ca_policies_in_force - the set that the log says is in force, from the texts
 * that it keeps.  One that does not load under these ceilings is left out, with
 * what extends it and a line in the log of the process.
 *
 * ERR_INVALID "core-policies"; ERR_CORRUPT "policy-text-missing".
 */
MUST_CHECK enum err_code ca_policies_in_force(struct view *v,
    const struct ceilings *ceilings, struct arena *a, struct policy_set **out,
    struct err *e);

/* Status of a serial for OCSP: what is published for it now.  Borrows from
 * the view until its next write. */
struct cert_status {
	bool known; /* false: never intended */
	struct bytes issuer;
	enum cert_state state;
	int64_t revoked_at, invalid_since, not_after, intended;
	int64_t issued; /* 0: intended only */
	int reason;
	struct bytes policy, policy_sha256;
	int64_t partition; /* whose CRL lists it; 0: the full one alone */
};
MUST_CHECK enum err_code ca_status(struct view *v, struct bytes serial,
    struct cert_status *out, struct err *e);

/* --- Judged again: the requests of a log ------------------------------------------------------ */

/* What certificates say of where their issuer is found. */
struct issuer_urls {
	struct bytes ca, crl, ocsp;
};
/*
 * A request as the log keeps it from when a policy accepted or refused it: all
 * that steps 1 and 2 of issuance judged by and built from.  Borrows from the
 * arena and from the document it was read from.
 */
struct past {
	uint64_t index; /* of its entry */
	int64_t time;
	bool refused;
	struct bytes request; /* empty: refused before it had an id */
	struct bytes institution, holder_run;
	struct bytes policy, policy_sha256; /* name; hash of its bytes */
	struct policy_facts facts;
	struct issuer_urls urls;
	/* Of an accepted one: */
	struct bytes serial, tbs_sha256, spki;
	struct bytes container; /* DER in base64 */
	/* Of a refused one: id and sentence of the first reason. */
	struct bytes error, say;
};
/*
 * past_read - from a request.submitted, or an act.refused by a policy, that
 * entry_parse() or entry_parse_leaf() judged.
 *
 * keep       what out borrows from beside the arena; freed by the caller.
 *
 * ERR_NOTFOUND "past-erased": its detail is gone; "past-no-facts": it was
 * written before facts were kept; "past-no-request": another type of entry, or
 * a refusal by something else than a policy.  ERR_INVALID "past-form",
 * "json-…".
 */
MUST_CHECK enum err_code past_read(const struct entry *en, struct json **keep,
    struct arena *a, struct past *out, struct err *e);
/* Its facts as the log has them: an object. */
void past_write_facts(struct jw *w, const struct past *p);
/*
 * The index of the entry in which a serial number was reserved, which the
 * number itself tells, below size; to be compared with what stands there.
 * False: it is no number that was drawn here.
 */
bool past_index(struct bytes serial, uint64_t size, uint64_t *index);

/*
 * history - what of a log must be known to judge its requests again: the
 * issuing CAs, and every policy that was ever activated.
 */
struct history;
struct history *history_new(void);
void history_free(struct history *h);
OWNED(history);
/*
 * history_take - notes what a system.initialized or a policy.activated says
 * and passes over the rest; entries in the order of the log, judged by
 * entry_parse().
 *
 * ERR_INVALID "past-form", "json-…", what cert_parse() and spki_check() say.
 */
MUST_CHECK enum err_code history_take(struct history *h, const struct entry *en,
    struct err *e);
/*
 * history_policy - the policy whose bytes have this hash, with the bases that
 * it names, loaded within the widest ceilings: those of then are not in the
 * log.  Lives as long as h.
 *
 * ERR_NOTFOUND "past-policy", "past-base"; ERR_INVALID "past-policy-text":
 * this program does not load these bytes.
 */
MUST_CHECK enum err_code history_policy(struct history *h, struct bytes sha256,
    const struct policy **out, struct err *e);
/*
 * history_base - the bytes of the policy of this name and version, which stand
 * for one text for ever; empty when the log never had it.
 */
struct bytes history_base(const struct history *h, struct bytes name,
    int64_t version);
/*
 * past_build - steps 1 and 2 once more.
 *
 * policy     that of then, or any other.
 * verdicts   what policy_evaluate() said.
 * tbs        appended unless a rule failed; empty then.  By the policy of then
 *            it is the TBS that was endorsed, byte for byte.
 *
 * ERR_DENIED "request-issuer": the log has no CA of that name; ERR_INVALID
 * what cert_build_tbs() says.
 */
MUST_CHECK enum err_code past_build(const struct history *h,
    const struct past *p, const struct policy *policy, struct arena *a,
    struct verdicts *verdicts, struct buf *tbs, struct err *e);

enum past_verdict {
	PAST_SAME,         /* the same certificate, byte for byte */
	PAST_DIFFERS,      /* another certificate */
	PAST_REFUSED,      /* accepted then, refused now */
	PAST_ACCEPTED,     /* refused then, accepted now */
	PAST_STILL_REFUSED /* refused then and now */
};
struct past_result {
	enum past_verdict verdict;
	struct verdicts verdicts; /* of the policy that it was judged by */
	struct bytes
	    tbs; /* empty when refused; like the two below in the arena */
	struct bytes before,
	    after; /* PAST_DIFFERS: certificates for cert_diff(),
				     * signed by nobody */
};
/*
 * past_judge - past_build() by a policy, compared with what the log says of
 * then; of the verdicts only those that did not pass say their fact.  ERR_CORRUPT "past-container": what the log holds is no certificate.
 */
MUST_CHECK enum err_code past_judge(const struct history *h,
    const struct past *p, const struct policy *policy, struct arena *a,
    struct past_result *out, struct err *e);

/* --- One request, rule by rule ---------------------------------------------------------------- */

/*
 * explain_find - what the request of this id was judged by.
 *
 * in_log     whether it was submitted; then *index is the entry that
 *            past_read() is for, if that is a submission of this request.  A
 *            draft is filled into out as the registry is now, with the policy
 *            in force.
 * ERR_NOTFOUND "request-unknown", "request-policy"; ERR_INVALID
 * "request-csr-missing", "past-form"; what the CSR's parser says.
 */
MUST_CHECK enum err_code explain_find(const struct ca *ca, struct view *v,
    struct bytes id, int64_t now, struct arena *a, struct past *out,
    uint64_t *index, bool *in_log, struct err *e);
/* Every policy that was ever activated, from the rows. */
MUST_CHECK enum err_code history_take_rows(struct history *h, struct view *v,
    struct arena *a, struct err *e);
/*
 * explain_write - policy_evaluate() on what the request was judged by, as a
 * JSON object: as_of, facts, policy, request, result ("accepted", "refused")
 * and rules: each with rule, verdict ("passed", "failed"), fact, the place in
 * the policy ("funcionario-firma@7:31") and, failed, id, detail and args.
 */
void explain_write(const struct past *p, const struct policy *policy,
    struct verdicts *verdicts, struct arena *a, struct buf *out);
/* Facts, request and name of the policy back, to put another policy before
 * them.  ERR_INVALID "past-form", "json-…". */
MUST_CHECK enum err_code explain_read(struct bytes text, struct json **keep,
    struct past *out, struct err *e);

#endif
