/*
 * A small and complete log for tests, made with keys made in the test, and
 * everything that can be wrong with one (enum twist).
 */
#ifndef FAKE_AUDIT_WORLD_H
#define FAKE_AUDIT_WORLD_H

#include <refrendo/audit.h>
#include <refrendo/crl.h>

#define T0       INT64_C(1795514400)
#define ORIGIN   "ca.example.cl/bitacora"
#define RUT      "60910000-1"

#define OPERATOR "22222222-2"
#define HOLDER   "11111111-1"
#define MINISTER "33333333-3"
#define OFFICER  "12345678-5"
#define OTHER    "87654321-4"

/* What is wrong with the log, though its checkpoint covers it. */
enum twist {
	NOTHING,
	EVIDENCE_BY_OTHER,
	EVIDENCE_OF_OTHER_TEXT,
	EVIDENCE_LATE,
	MINISTER_IS_OPERATOR,
	MINISTER_IS_HOLDER,
	OPERATOR_IS_HOLDER,
	MINISTER_NAMED_WRONG,
	APPOINTMENT_OVER,
	APPOINTMENT_ENDED_BEFORE,
	APPOINTMENT_UNCONFIRMED,
	CONFIRMED_BY_STRANGER,
	CONFIRMED_BY_HIMSELF,
	QUORUM_OF_TWO,
	NO_INTENT,
	NO_ENDORSEMENT,
	OLD_ENDORSEMENT,
	ENDORSED_ONCE_OF_TWO,
	ENDORSED_TWICE_BY_ONE,
	OTHER_TBS_ISSUED,
	OTHER_ISSUER_SIGNED,
	UNKNOWN_POLICY,
	POLICY_WANTS_TWO,
	POLICY_UNREADABLE,
	POLICY_KEY_TWICE,
	POLICY_ANCHOR,
	POLICY_TAG,
	POLICY_NO_BASE,
	POLICY_TEXT_CHANGED,
	STATEMENT_OF_OTHER_LOG,
	STATEMENT_OTHER_KEY,
	STATEMENT_ROOT,
	STATEMENT_FUTURE,
	SERIAL_TWICE,
	ISSUED_TWICE,
	REVOKED_TWICE,
	SUSPENDED_WRONG_REASON,
	CRL_LACKS,
	CRL_MORE,
	CRL_REASON,
	CRL_TIME,
	CRL_OLD_STATE,
	CRL_NUMBER,
	CRL_NONE,
	CRL_BY_OTHER,
	CRL_LINE_MISSING,
	CRL_OF_NO_PARTITION,
	CRL_DELTA_OF_NONE,
	CRL_DELTA_OF_OLDER,
	CRL_DELTA_TOO_SOON,
	TIME_BACK,
	NO_ACTOR,
	LOG_KEY,
	RESPONDER_NOT_OCSP,
	LOOSE_CERTIFICATE,
	LOOSE_POLICY,
	POLICY_UNSIGNED,
	POLICY_SIGNED_BY_STRANGER,
	POLICY_SIGNED_TWICE,
	POLICY_SIGNED_OTHER_TEXT,
	POLICY_SIGNED_LATE,
	POLICY_TOO_FEW,
	POLICY_EARLY,
	POLICY_OTHER_BYTES,
	POLICY_IN_PART,
	POLICY_WITHDRAWN_BEFORE,
	POLICY_REPLACED,
	POLICY_BEHIND,
	POLICY_OTHER_VERSION,
	CEREMONY_UNSIGNED,
	CEREMONY_SIGNED_BY_STRANGER,
	CEREMONY_LATE,
	CEREMONY_OTHER_OBJECT,
	CEREMONY_OTHER_ROOT,
	CEREMONY_OTHER_KEY,
	CEREMONY_TWICE,
	CEREMONY_WITHDRAWN_BEFORE,
	CEREMONY_LIST_BACK,
	CEREMONY_KEY_OF_OTHER,
	CEREMONY_KEY_UNSIGNED,
	CEREMONY_NEW_KEY_OTHER_NAME,
	CEREMONY_NEW_KEY_OTHER_BOUNDS,
	CEREMONY_NEW_KEY_OF_NONE,
	CEREMONY_NEW_KEY_TWICE,
	CEREMONY_NEW_KEY_BESIDE,
	CEREMONY_NEW_KEY_ALIKE,
	CEREMONY_NEW_KEY_UNSAID,
	CEREMONY_CROSS_ISSUES,
	CEREMONY_CROSS_NAMESAKE,
	CEREMONY_CROSS_UNSHOWN,
	CEREMONY_CROSS_SHOWN_OTHER,
	CEREMONY_CROSS_SHOWN_NAME,
	CEREMONY_CROSS_SHOWN_UNSIGNED,
	ROOT_BEFORE,
	ROOT_ONE_OF_TWO,
	ROOT_OTHER_NAME,
	ROOT_LINK_OTHER,
	ROOT_LINK_UNSIGNED,
	ROOT_BACK,
	ROOT_OLD_AGAIN,
	ROOT_LIST_OF_OTHER,
	CEILINGS_OTHER_FILE,
	CEILINGS_PEOPLE,
	CEILINGS_OTHER_BASE,
	CEILINGS_ONE_OF_TWO,
	CEILINGS_SIGNED_BEFORE,
	CEILINGS_FEWER,
	CEILINGS_STRANGER,
	CEILINGS_FIRST_AGAIN,
	CEILINGS_SAID,
	CEILINGS_SAID_AGREED,
	CEILINGS_WIDER,
	CEILINGS_UNREADABLE,
	CEILINGS_FOUNDED_ON_OTHER,
	CEILINGS_FOUNDED, /* no fault: it is named */
	TOP_VALIDITY,
	TOP_BACKDATE,
	TOP_KEYS,
	TOP_USAGE,
	TOP_PURPOSE,
	TOP_NAMES,
	TOP_QC,
	TOP_EXTENSION,
	TOP_STATEMENT,
	TOP_APPOINTMENT,
	TOP_CRL,
	TOP_HOUR,
	TOP_HOUR_INSTITUTION,
	TOP_ENDORSEMENTS,
	TOP_MANDATE,
	TOP_ISSUER,
	TOP_POLICY,
	TOP_OF_ANOTHER, /* the CA is another institution's */
	TOP_LESSENED,   /* no fault: it was intended before */
	LIST_OVER,
	LIST_OVER_KEY_GONE,
	MANDATE_UNSIGNED,
	MANDATE_BY_STRANGER,
	MANDATE_OTHER_PROFILE,
	MANDATE_USED_UP,
	MANDATE_OVER,
	MANDATE_ENDED_BEFORE,
	MANDATE_TOO_LONG,
	MANDATE_RENEWS_NONE,
	MANDATE_RENEWS_OVER,
	MANDATE_OUTLASTS,
	MANDATE_POLICY_FRESH,
	MANDATE_POLICY_TWO,
	MANDATE_ASKED_BY_HOLDER,
	MANDATE_ASKED_BY_MINISTER,
	MANDATE_POLICY_KEEPS,
	MANDATE_BEGAN_BEFORE,
	MANDATE_BEGINS_LATER,
	MANDATE_TWO_SUCCESSORS,
	MANDATE_AFTER_ANOTHER,
	MANDATE_OF_OTHER_REQUEST,
	MANDATE_FIRST_FAILED,
	MANDATE_FIRST_LATE,
	REKEY_NOT_ALLOWED,
	REKEY_UNSIGNED,
	REKEY_BY_ITSELF,
	REKEY_BY_MINISTER,
	REKEY_OTHER_MANDATE,
	REKEY_AGAIN,
	REKEY_BEGINS_OTHER,
	REKEY_TWO_SUBMITTED,
	REKEY_CAME_BACK,
	REKEY_UNSIGNED_ERASED,
	REKEY_UNSIGNED_LOST, /* no fault: it is named */
	CA_STOPPED_UNKNOWN,
	CA_STOPPED_ISSUES,
	TWISTS
};

struct keys {
	struct key *root, *issuer, *endorser, *log, *officer, *minister,
	    *holder, *ocsp, *other;
};

struct one {
	struct buf leaf, detail;
	uint8_t salt[ENTRY_SALT];
	enum entry_type type;
	bool erased;
};

#define ENTRIES_MAX 160
struct world {
	enum twist twist;
	struct one e[ENTRIES_MAX];
	size_t n;
	int64_t now;
	struct merkle tree;
	struct buf root, issuer, endorser, officer, minister, responder;
	uint8_t serials;
	struct bytes renews; /* what the next request says that it renews */
	uint8_t late[SERIAL_MAX]; /* revoked before the first list */
	size_t late_len;
	int64_t late_at;
	struct buf crl, note;
};

/* Filled by setup(); err is what the last refusal said. */
extern struct keys keys;
extern struct err err;

/* For calls that must work; print_message and fail are cmocka's. */
#define OK(call)                                                      \
	do {                                                          \
		if ((call) != ERR_OK) {                               \
			print_message("%s (%s)\n", err.say, err.why); \
			fail();                                       \
		}                                                     \
	} while (0)

struct want {
	const char *cn, *run;
	const struct key *key;
	const struct buf *ca; /* NULL: self-signed */
	struct key *signer;
	bool is_ca, ocsp;
	int64_t not_before, not_after;
	const char *rut; /* of a CA for one institution; or NULL */
};

struct stated {
	struct buf container, text;
	struct cert cert;
	uint8_t tbs[HASH_LEN], policy[HASH_LEN];
	struct entry_refs refs;
};
#define AUTO_STATED __attribute__((cleanup(stated_fini)))
#define AUTO_WORLD  __attribute__((cleanup(world_fini)))

/* What is to be signed, and by which ceremony. */
struct rite {
	const char *id, *name;
	const char *cn, *replaces; /* NULL: its name; none */
	const char *rut; /* the institution that it is for; NULL: all */
	enum ceremony_kind kind;
	struct buf whole; /* as the root signs it */
	struct bytes tbs;
	uint8_t hash[HASH_LEN];
	struct buf statement;
	struct buf shown;       /* by a CA that is not ours */
	const struct buf *root; /* NULL: the first */
	/* Of ceilings: */
	uint8_t base[HASH_LEN];
	char people[512];
};
void propose_rite(struct world *w, struct rite *r);
/* 0 and 1: the officers; 2: a third. */
void sign_rite(struct world *w, struct rite *r, int who);
void complete_rite(struct world *w, struct rite *r);
void rite_fini(struct rite *r);

bool twisted(const struct world *w, enum twist t);
/* Of the policy that all is issued by; twisted where the twist is in it. */
const char *policy_text(const struct world *w);
void build_cert(struct world *w, const struct want *want, struct buf *out);
struct jw detail_of(struct buf *detail);
void actor(struct world *w, struct jw *j, const char *run, const char *role);
void append(struct world *w, enum entry_type type, struct jw *j,
    struct entry_refs refs);
void destroy_issuer(struct world *w);
void stop_ca(struct world *w, const char *name);
void plain(struct world *w, enum entry_type type, struct entry_refs refs);
void initialize(struct world *w);
void policy(struct world *w);
void activate_policies(struct world *w);
void close_activations(struct world *w);
void hold_ceremonies(struct world *w);
void first_ceilings(struct world *w);
void lessen_ceilings(struct world *w);
void hold_ceilings(struct world *w);
void change_root(struct world *w);
int64_t change(struct world *w, enum entry_type type, struct stated *s,
    int reason);
void renew_by_mandate(struct world *w, const struct stated *old);
void put_evidence(struct jw *j, struct key *key, const struct buf *cert,
    struct bytes text, int64_t now);
void stated_fini(struct stated *s);
void submit(struct world *w, struct stated *s, const char *id);
void endorse(struct world *w, struct stated *s, const struct stated *text);
void intend(struct world *w, struct stated *s);
void issue(struct world *w, struct stated *s);
void propose(struct world *w, struct stated *s, const char *id);
void confirm(struct world *w, struct stated *s);
void in_force(struct world *w, struct stated *s);
void world_init(struct world *w, enum twist twist);
void world_fini(struct world *w);
int setup(void **state_);
int teardown(void **state_);

#endif
