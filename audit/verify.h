/* The offline verifier's memory: what it must remember of a log it has read. */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include <refrendo/audit.h>
#include <refrendo/crl.h>
#include <refrendo/policy.h>

#define CAS_MAX        64
#define OFFICERS_NOTED 64
#define NAME_LEN       64
#define RECENT         1024 /* sizes whose root can still be asked for */
#define NONE           UINT32_MAX

/* Digest of a kind and a name -> position in one of the arrays. */
#define MAP_KEY 16
enum map_kind {
	MAP_SERIAL = 1,  /* records */
	MAP_REQUEST,     /* the record submitted last */
	MAP_APPOINTMENT, /* appointments */
	MAP_MINISTER,    /* appointments, by hash of the certificate */
	MAP_POLICY,      /* policies, by their hash */
	MAP_OBJECT,      /* presence: certificates that the log names */
	MAP_AGREEMENT,   /* agreements */
	MAP_POLICY_NAME, /* policies, the one in force under a name */
	MAP_MANDATE,     /* mandates */
	MAP_RATE         /* rates, by RUT; "" for all */
};
struct map_slot {
	uint8_t key[MAP_KEY];
	uint32_t value;
	bool used;
};
struct map {
	struct map_slot *slot; /* owned */
	size_t size, used;
};
void map_fini(struct map *m);
/* Puts or replaces. */
void map_put(struct map *m, enum map_kind kind, struct bytes name,
    uint32_t value);
uint32_t map_get(const struct map *m, enum map_kind kind, struct bytes name);

enum record_state {
	RECORD_SUBMITTED,
	RECORD_ENDORSED,
	RECORD_INTENDED,
	RECORD_ISSUED,
	RECORD_FAILED,
	RECORD_VOID
};
enum status { STATUS_GOOD, STATUS_SUSPENDED, STATUS_REVOKED };

/* One serial number. */
struct record {
	uint8_t serial[SERIAL_MAX], serial_len;
	enum record_state state;
	enum status status;
	bool for_minister;
	bool any_listing; /* may be on a CRL for whatever reason */
	bool on_crl;
	uint8_t tbs[HASH_LEN], policy[HASH_LEN], request[MAP_KEY];
	uint32_t ca;          /* NONE when its details are erased */
	uint64_t endorsed_at; /* the last one */
	uint32_t endorser[ENDORSEMENTS_MAX]; /* appointments */
	uint32_t n_endorser;
	bool erased;      /* how many it needs, or who they are, is not known */
	uint32_t mandate; /* by which it renews; NONE */
	uint32_t renews;  /* the record that it renews; NONE */
	uint32_t followed; /* by the record intended that renews it; NONE */
	uint8_t profile[HASH_LEN]; /* cert_profile(); zero: not known */
	uint8_t key[HASH_LEN];     /* SHA-256 of its SPKI; zero: not known */
	int64_t not_after;         /* 0: not known */
	/* Of its statement, 0 where it has none or it was erased; a minister's
	 * term; of the intent the time, and how many ceilings there were. */
	int64_t stated, life, term, intended;
	uint32_t top, rate;   /* rate: its institution's */
	struct buf statement; /* owned; until it is endorsed */
	uint32_t listed;      /* while a CRL is compared: change + 1 */
};

/* One change of status, in the order of the log. */
struct change {
	uint64_t index;
	uint32_t record;
	enum status status;
	bool erased;
	int reason;
	int64_t effective, invalid_since;
};

enum appointment_state {
	APPOINTMENT_PROPOSED,
	APPOINTMENT_IN_FORCE,
	APPOINTMENT_ENDED,
	APPOINTMENT_WITHDRAWN
};
struct appointment {
	enum appointment_state state;
	bool erased;
	uint32_t record;
	char run[RUN_TEXT], institution[RUN_TEXT];
	int64_t from, until;
	uint64_t confirmed; /* officers, a bit each */
	bool agreed;        /* by as many as were needed then */
	uint32_t people;    /* whose officers confirm it, see struct audit */
	uint8_t certificate[HASH_LEN];
	struct buf statement; /* owned; until it is in force */
};

/* The newest complete CRL of one scope. */
struct scope {
	int64_t number;
	uint64_t covers;
	uint64_t kept_since; /* first of those in a row that name deltas; 0 */
};
struct ca {
	char role[16], name[NAME_LEN];
	struct buf der; /* owned */
	struct cert cert;
	int64_t last_number; /* of all its crl.published; of a root's lists */
	struct scope *scope; /* by partition, 0 the full list; owned */
	size_t n_scope, size_scope;
	bool agreed;    /* it came by a ceremony */
	bool stopped;   /* it issues no more */
	bool replaced;  /* by a new key under its subject */
	bool destroyed; /* its key: no list follows its last */
	/* The last one of the full list. */
	int64_t crl_number;
	uint64_t crl_index, crl_covers;
	uint32_t crl_top; /* how many ceilings there were */
	uint8_t crl_sha256[HASH_LEN];
	struct buf crl; /* owned; the line of the export */
};

/* What officers agreed on. */
struct agreement_noted {
	bool erased, closed;
	uint64_t signed_by; /* officers, a bit each */
	bool agreed;        /* by as many as were needed then */
	uint32_t people;    /* whose officers sign it, see struct audit */
	uint32_t top;       /* how many ceilings there were */
	int64_t issued, expires;
	struct buf statement; /* owned */
	/* Of policies: */
	size_t n, done;    /* named; in force */
	uint32_t in_force; /* a bit each */
	uint8_t hash[ACTIVATION_FILES_MAX][HASH_LEN];
	int64_t version[ACTIVATION_FILES_MAX];
	int64_t effective;
	/* Of a ceremony of the root: */
	enum ceremony_kind kind;
	char name[NAME_LEN], replaces[NAME_LEN];
	uint8_t tbs[HASH_LEN], root[HASH_LEN]; /* root: its certificate's */
};
/* A mandate of renewals. */
struct mandate_noted {
	enum { MANDATE_PROPOSED, MANDATE_IN_FORCE, MANDATE_CLOSED } state;
	bool erased;
	uint32_t endorser[ENDORSEMENTS_MAX]; /* appointments */
	uint32_t n_endorser;
	uint8_t policy[HASH_LEN], profile[HASH_LEN];
	uint8_t
	    rekey[HASH_LEN]; /* the key that the first renewal begins with */
	bool may_rekey;
	uint32_t last;  /* the record that it renewed last; NONE */
	uint32_t since; /* the first with that one's key; 0: the mandate's */
	char institution[RUN_TEXT], holder[RUN_TEXT];
	uint32_t ca;
	int64_t until, life, renewals, used;
	int64_t term;         /* from its statement to until */
	struct buf statement; /* owned; until it is in force */
};
struct policy_noted {
	int64_t version; /* 0: its detail was erased */
	bool replaced;   /* by a later version of its name */
	bool first;      /* no officers activated it */
	char name[NAME_LEN];
	/* What its text says, and from policy_consent() on that of its bases. */
	struct policy_consent says;
};

/* Ceilings, from an entry on. */
struct top {
	int64_t since;
	bool known; /* false: their detail was erased */
	struct ceilings is;
};
/* Certificates, by the minute of their intent. */
#define RATE_MINUTES 61
struct rate {
	char rut[RUN_TEXT];
	int64_t minute[RATE_MINUTES], count[RATE_MINUTES];
};

struct officer_noted {
	char run[RUN_TEXT];
	uint8_t key[HASH_LEN];
};

struct audit {
	struct buf spki;     /* the log's key: all that is trusted */
	struct verifier *v;  /* owned */
	struct arena *arena; /* one line */
	struct buf origin;
	int phase; /* kinds of lines come in order */
	uint64_t line;
	char at[24]; /* index of the entry that is judged, as text */

	uint64_t next; /* index of the next entry */
	int64_t time;  /* of the last */
	bool gap;
	struct merkle tree, stored; /* of the leaves; of the hashes beside */
	struct merkle *recent;      /* owned, RECENT of them */

	struct map map;
	struct record *record; /* owned, like the two below */
	size_t n_record, size_record;
	struct change *change;
	size_t n_change, size_change;
	struct appointment *appointment;
	size_t n_appointment, size_appointment;
	struct ca *ca; /* owned */
	size_t n_ca, size_ca;
	struct officer_noted officer[OFFICERS_NOTED];
	size_t n_officer;
	uint32_t people;            /* how often they changed */
	bool any_people;            /* not known: a detail was erased */
	bool has_ceilings;          /* their hash is known */
	uint8_t ceilings[HASH_LEN]; /* of the file in force */
	struct top *top;            /* owned; the last is in force */
	size_t n_top, size_top;
	struct rate *rate; /* owned */
	size_t n_rate, size_rate;
	int64_t quorum;
	int64_t policy_quorum; /* 0: a log of before activations */
	bool begun; /* something followed the policies of the beginning */
	struct agreement_noted *agreement; /* owned */
	size_t n_agreement, size_agreement;
	struct mandate_noted *mandate; /* owned */
	size_t n_mandate, size_mandate;
	bool lost_ca;  /* some CA is unknown: its entry lost its detail */
	uint32_t root; /* position of the CA that is the root in force */
	bool any_root; /* not known: a detail was erased */
	struct policy_noted *policy; /* owned */
	size_t n_policy, size_policy;
	uint32_t partial; /* the activation whose policies are missing */
	struct buf loose; /* SHA-256 of certificates and policies in lines */

	bool has_note;
	struct checkpoint note;
	struct audit_report report;

	/* The detail of the entry that is judged. */
	bool erased, bad;
	bool lists_erased; /* some crl.published was */
	struct err json_err;
};

/* Room for one more; ends the process without memory, as an arena does. */
void *grow(void *list, size_t n, size_t *size, size_t each);

struct bytes record_serial(const struct record *r);
/* A new record for a serial; ERR_INVALID "audit-serial-twice". */
MUST_CHECK enum err_code record_add(struct audit *a, struct bytes serial,
    uint32_t *out, struct err *e);
uint32_t ca_find(const struct audit *a, struct bytes name);
/* Passes a fault of the detail's members up, with the entry. */
MUST_CHECK enum err_code detail_end(struct audit *a, struct err *e);
/* A sentence from a lower layer behind the entry's number. */
enum err_code fault_below(struct audit *a, const struct err *below,
    struct err *e);

/* Judge an entry by its type; what they return is that entry's fault. */
MUST_CHECK enum err_code judge_entry(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_system(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_policy(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_policy_proposed(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_ceremony_proposed(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_ceremony_completed(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_ca_stopped(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
/* One more CA, issued by the root in force, or such a root; counts its serial. */
MUST_CHECK enum err_code add_ca(struct audit *a, const struct entry *en,
    struct bytes role, struct bytes name, struct bytes der, struct err *e);
/* verify_ceilings.c */
MUST_CHECK enum err_code judge_ceilings_taken(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
/* Officers signed them. */
MUST_CHECK enum err_code take_agreed_ceilings(struct audit *a,
    const struct ceremony_statement *s, struct bytes file, struct err *e);
/* Officers and limits that nobody may know any more: a detail was erased. */
void lose_ceilings(struct audit *a);
/* verify_limits.c */
/* What was issued against the ceilings in force between its intent and now, and
 * against its CA's names; ERR_INVALID "audit-over-ceiling". */
MUST_CHECK enum err_code judge_limits(struct audit *a, const struct entry *en,
    struct record *r, struct cert *c, struct err *e);
enum err_code over_ceiling(const char *at, const char *key, struct err *e);
/* Does a statement of officers, or a list, fit any of the ceilings from when
 * there were since of them on, until there were until? */
enum life { LIFE_STATEMENT, LIFE_CRL };
bool is_life_within(const struct audit *a, uint32_t since, size_t until,
    enum life what, int64_t life);
/* The rate of an institution; BYTES_NONE: of all. */
uint32_t rate_of(struct audit *a, struct bytes rut);
MUST_CHECK enum err_code judge_agreement_endorsed(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_agreement_closed(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
/* A new one, and its statement unless that was erased.  ERR_INVALID
 * "audit-agreement-order". */
MUST_CHECK enum err_code note_agreement(struct audit *a, const struct entry *en,
    struct json_obj d, struct agreement_noted **out, struct bytes *statement,
    struct err *e);
/* The one that the entry is about, which is not over.  ERR_INVALID
 * "audit-agreement-order". */
MUST_CHECK enum err_code open_agreement(struct audit *a, const struct entry *en,
    struct agreement_noted **out, struct err *e);
enum err_code agreed_out_of_order(struct audit *a, struct err *e);
void close_agreement(struct agreement_noted *p);
bool has_quorum(const struct audit *a, const struct agreement_noted *p);
/*
 * What the text of the policy of this hash, which is in the log, and those of
 * its bases say together; what no text says has its default.  ERR_INVALID
 * "audit-policy-base".
 */
MUST_CHECK enum err_code policy_consent(struct audit *a,
    const uint8_t hash[HASH_LEN], struct policy_consent *out, struct err *e);
/* What must not stand between the policies of one activation. */
MUST_CHECK enum err_code judge_whole(struct audit *a, const struct entry *en,
    struct err *e);
/* The root that a statement names is that of the log at that size. */
MUST_CHECK enum err_code judge_log(struct audit *a, const struct entry *en,
    uint64_t size, struct bytes root, struct err *e);
MUST_CHECK enum err_code judge_responder(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_appointment(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_request(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_certificate(struct audit *a,
    const struct entry *en, struct json_obj d, struct err *e);
MUST_CHECK enum err_code judge_crl(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e);

/* Statement and container against refs; out borrows from the arena. */
MUST_CHECK enum err_code judge_statement(struct audit *a,
    const struct entry *en, struct json_obj d, enum statement_type type,
    struct record *r, struct statement *out, struct err *e);
/* A CMS over a statement that has not expired; signer's certificate in *c. */
MUST_CHECK enum err_code judge_evidence(struct audit *a, const struct entry *en,
    struct json_obj d, struct bytes statement, struct statement *s,
    struct cms *c, struct err *e);
/* Who signed is a minister in force, three people took part, and none of those
 * who signed before is the same: joins them. */
MUST_CHECK enum err_code judge_minister(struct audit *a, const struct entry *en,
    struct json_obj d, const struct statement *s, const struct cms *c,
    uint32_t endorser[ENDORSEMENTS_MAX], uint32_t *n, struct err *e);
/* Is the appointment of each of them in force still? */
MUST_CHECK enum err_code judge_endorsers(struct audit *a,
    const uint32_t endorser[ENDORSEMENTS_MAX], uint32_t n, struct err *e);
/* verify_mandate.c */
MUST_CHECK enum err_code judge_mandate(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e);
/* A request that renews by a mandate: container and record against it. */
MUST_CHECK enum err_code judge_renewal(struct audit *a, const struct entry *en,
    struct json_obj d, struct record *r, struct err *e);
/* The endorsement of such a request: one renewal more. */
MUST_CHECK enum err_code judge_mandate_used(struct audit *a,
    const struct entry *en, struct json_obj d, struct record *r, struct err *e);
/* A certificate against its record and refs, issued by a CA of that role. */
MUST_CHECK enum err_code judge_issued(struct audit *a, const struct entry *en,
    struct json_obj d, const char *role, struct record *r, struct err *e);

/* All CRL lines against all changes of status. */
void compare_crls(struct audit *a, struct err_list *faults);

#endif
