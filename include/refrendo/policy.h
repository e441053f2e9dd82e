/*
 * policy - YAML files to typed, validated values, and their judgement of one
 * request.  Three kinds of file share the reader: policies, the signer's
 * ceilings (signer.yaml) and the configuration (refrendo.yaml).
 *
 * Pure: text in, values or findings out.  What a file says and what was
 * validated are different types; only the second leaves this folder.
 * Defaults are resolved while decoding: the engine never meets "unset".
 */
#ifndef REFRENDO_POLICY_H
#define REFRENDO_POLICY_H

#include <refrendo/base.h>
#include <refrendo/pkix.h>

#define POLICY_FILE_MAX  65536 /* octets of one YAML file */
#define POLICY_NAME_MAX  48    /* with its NUL */
#define POLICY_DEPTH_MAX 32    /* levels of lists and maps in a file */
#define POLICIES_MAX     64    /* files of one set */

/* --- Findings ---------------------------------------------------------------- */

/*
 * One mistake in a file: err.where has file (clipped to fit), line, column
 * and key path ("names.subject_alt[1].email", entries counted from 1).  line
 * and col are 0 only where a whole file or set is too large.
 *
 * err.code is ERR_INVALID for what is malformed, ERR_DENIED for what law,
 * ceiling or version do not allow, ERR_CONFLICT between two files or entries.
 */
struct finding {
	struct err err;
	uint32_t width; /* characters under the caret, at least 1 */
	char hint[400]; /* "write 3y or less"; may be "" */
	bool is_warning;
};
/*
 * What loading files found, in the order of files and of each text.  Starts
 * as { NULL, 0, 0 }; several loads may add to one.
 */
struct findings {
	struct finding *v; /* owned; the first 500 are kept */
	size_t len,
	    errors; /* errors: those that are no warnings, all counted */
};
void findings_fini(struct findings *f); /* f is empty and usable */
/*
 * finding_print - appends for people, with the line it stands in; of a long
 * line what is near the caret.  A PIN in a key's URI is shown as asterisks.
 *
 * source_text  the bytes of the file; empty: no line is shown.
 *
 * file:14:30: validity.max: 4y is longer than the ceiling of 3y [policy-ceiling]
 *   14 | validity: {default: 2y, max: 4y}
 *      |                              ^^
 *   write 3y or less
 */
void finding_print(struct buf *out, const struct finding *f,
    struct bytes source_text);
/* The same in other words: another language's. */
struct finding_words {
	const char *warning, *say, *hint;
};
void finding_print_as(struct buf *out, const struct finding *f,
    struct bytes source_text, const struct finding_words *words);

/* What a code of this folder means; index 0: English, 1: Spanish. */
struct policy_help {
	const char *id, *rule; /* rule may be NULL */
	const char *why[2], *todo[2];
};
const struct policy_help *policy_help(const char *id); /* or NULL */
const struct policy_help *policy_help_at(size_t i);    /* NULL after the last */

/* A file that was read: name as people know it, and its bytes, borrowed. */
struct policy_file {
	const char *name;
	struct bytes text;
};

/* --- Ceilings: etc/signer.yaml -------------------------------------------------- */

#define OFFICERS_MAX     16
#define CEILING_EXTS_MAX 16

struct officer {
	char run[RUN_TEXT];              /* stored form */
	char name[96];                   /* UTF-8 */
	uint8_t spki_sha256[SHA256_LEN]; /* of his or her public key */
};

#define ISSUERS_MAX 1024 /* issuing CAs that one engine has */
/* Of them named in refrendo.yaml, with keys by URI: those of the beginning,
 * and others whose keys live in a token. */
#define CONFIG_ISSUERS_MAX 8
/* An issuing CA that refrendo init put in force. */
struct first_ca {
	char name[POLICY_NAME_MAX];
	uint8_t tbs_sha256[SHA256_LEN];
};
struct first_policy {
	char name[POLICY_NAME_MAX];
	uint8_t sha256[SHA256_LEN]; /* of the file's bytes */
};

/* What no policy can exceed; enforced again in the signer. */
struct ceilings {
	int64_t validity_max_s; /* law: at most 3 years (1096 days) */
	int64_t backdate_max_s; /* at most an hour */
	uint32_t keys;          /* bit i: enum key_type i */
	uint16_t key_usage;     /* KU_ bits a holder may have */
	uint32_t eku;           /* bit i: enum pkix_oid OID_EKU_… of a holder */
	uint16_t names;         /* bit i: kinds with general_name_tag() i */
	bool qc_statements;     /* may they stand in a certificate? */
	struct {
		struct oid oid;
		bool critical;         /* must it be, or must it not? */
	} extension[CEILING_EXTS_MAX]; /* private ones that may */
	size_t n_extension;
	bool any_extension; /* whatever it is; of ceilings_widest() alone */
	int64_t statement_max_s; /* life of a statement to endorse */
	int64_t appointment_max_s;
	int64_t ocsp_max_s, crl_max_s; /* nextUpdate - thisUpdate */
	int64_t per_hour; /* certificates signed in an hour, from 1 */
	int64_t per_hour_institution; /* of them for one institution */
	int64_t refusals_per_hour;    /* before no certificate is signed */
	/* Until its last instant (0: none) these count where they are more. */
	int64_t campaign_until, campaign_per_hour,
	    campaign_per_hour_institution;
	int64_t endorsements;       /* ministers who must endorse */
	int64_t mandate_max_s;      /* longest mandate of renewals; 0: none */
	int64_t appointment_quorum; /* officers who must sign one */
	struct officer officer[OFFICERS_MAX];
	size_t n_officer;
	int64_t quorum; /* officers who must sign an activation of policies */
	/* In force since the installation was made: nobody activated them. */
	struct first_policy policy[POLICIES_MAX];
	size_t n_policy;
	struct first_ca ca[CONFIG_ISSUERS_MAX];
	size_t n_ca; /* 0: a file of before the list */
	/* Of the file in whose place root puts this one, without officers. */
	uint8_t refounds[SHA256_LEN];
	bool has_refounds;
};
/* How many certificates the signer signs in an hour, by its clock: in all, and
 * for one institution. */
int64_t ceilings_hour(const struct ceilings *c, int64_t now);
int64_t ceilings_hour_institution(const struct ceilings *c, int64_t now);
#define CEILINGS_FILE_MAX   16384 /* octets that a signer takes */
#define CEILINGS_PEOPLE_MAX 2048
/* Is this CA, by its TBS, of the beginning?  All are where there is no list. */
bool ceilings_name_ca(const struct ceilings *c, const char *name,
    const uint8_t tbs_sha256[SHA256_LEN]);
/*
 * ceilings_load - signer.yaml.  Either *out is filled and this file added no
 * error to f, or f says why not and *out is untouched.  The law's three years
 * and the other limits of doc/policy.md hold for the ceilings too.
 */
void ceilings_load(const struct policy_file *file, struct ceilings *out,
    struct findings *f);
/* ceilings_load() of one file, alone: the first mistake is the error; also
 * ERR_INVALID "ceilings-bad". */
MUST_CHECK enum err_code ceilings_read(struct bytes text, struct ceilings *out,
    struct err *e);
/*
 * ceilings_grant - the key of a member by which the new ceilings allow what the
 * old ones do not; NULL: they only take rights away, for which nobody is asked.
 * Fewer officers are less while they reach the quorums.
 */
const char *ceilings_grant(const struct ceilings *old,
    const struct ceilings *new);
/*
 * ceilings_people - who may sign by these ceilings, as a statement names it:
 * "quorum=2 appointment_quorum=1 RUN=SHA256 …", the officers in the file's order.
 */
void ceilings_people(const struct ceilings *c, struct buf *out);
/*
 * The most that a signer.yaml can allow, without officers: for what is loaded
 * to be read, not to be issued by.
 */
void ceilings_widest(struct ceilings *out);

/* --- Configuration: refrendo.yaml ------------------------------------------------ */

#define PATH_LEN 256
#define URL_LEN  128

struct issuer_config {
	char name[POLICY_NAME_MAX];
	char certificate[PATH_LEN]; /* PEM file, relative to the directory */
	char key[PATH_LEN];         /* URI */
	char ocsp_key[PATH_LEN];    /* URI of the delegated responder's key */
	int64_t ocsp_certificate_s; /* life of the responder's certificate */
};
#define CONFIG_ROOTS_MAX 7
struct root_config {
	char name[POLICY_NAME_MAX]; /* as the officers' agreement calls it */
	char certificate[PATH_LEN];
};
#define TOKEN_PATHS_MAX 4
struct config {
	char origin[64];          /* name of the log, as in its checkpoints */
	char public_url[URL_LEN]; /* http://host[:port], no final slash */
	char listen[64];          /* address:port of status; IPv4 or [IPv6] */
	char metrics[64];         /* the same, of the metrics; "": none */
	int64_t check_every_s;    /* 1..3600 */
	char admin_socket[PATH_LEN];
	uint32_t admin_uids[16]; /* who may use it beside root */
	size_t n_admin_uid;
	int64_t status_processes; /* 0..16; 0: one for each core, at most 8 */
	int64_t front_processes;  /* 1..16 */
	int64_t ledger_map_bytes, public_map_bytes;
	char log_key[PATH_LEN], endorser_key[PATH_LEN];
	char compromised[WEAK_LISTS_MAX][PATH_LEN]; /* lists of keys */
	size_t n_compromised;
	char pkcs11_module[PATH_LEN]; /* ""; what p11-kit knows */
	char pkcs11_path[TOKEN_PATHS_MAX][PATH_LEN];
	size_t n_pkcs11_path;
	bool pkcs11_network; /* the module may open sockets */
	char log_public[PATH_LEN], endorser_certificate[PATH_LEN],
	    root_certificate[PATH_LEN], signer_yaml[PATH_LEN],
	    policies[PATH_LEN]; /* directory of *.yaml */
	struct issuer_config issuer[CONFIG_ISSUERS_MAX];
	size_t n_issuer;
	struct root_config root[CONFIG_ROOTS_MAX]; /* after the first */
	size_t n_root;
};
/*
 * config_load - refrendo.yaml, as ceilings_load(): *out is filled, or untouched
 * and f says why.  That the files exist is not looked at.
 */
void config_load(const struct policy_file *file, struct config *out,
    struct findings *f);
/* Does any key of it live in a token? */
bool config_has_token(const struct config *c);

/* --- Words of the registry --------------------------------------------------------- */

/*
 * What a person or an institution is, as the registry says it.  Zero is what
 * was registered before kinds were asked for: no word names it, so that a
 * policy that asks for a kind refuses it.  A row keeps the word, not the number.
 */
enum person_kind {
	PERSON_UNSTATED,
	PERSON_OFFICIAL,      /* holds an office */
	PERSON_AUTHORITY,     /* head of a service */
	PERSON_MINISTER,      /* minister of faith */
	PERSON_SYSTEM,        /* software that signs unattended */
	PERSON_SUBORDINATE_CA /* a CA of the institution */
};
#define PERSON_KINDS (PERSON_SUBORDINATE_CA + 1)
enum institution_kind {
	INSTITUTION_UNSTATED,
	INSTITUTION_MINISTRY,
	INSTITUTION_SERVICE,
	INSTITUTION_MUNICIPALITY,
	INSTITUTION_UNIVERSITY,
	INSTITUTION_COURT,
	INSTITUTION_OTHER
};
#define INSTITUTION_KINDS (INSTITUTION_OTHER + 1)
/* The words in order, "" for the unstated, NULL behind the last. */
extern const char *const person_kind_words[PERSON_KINDS + 1];
extern const char *const institution_kind_words[INSTITUTION_KINDS + 1];
/* "official"; "" for what is unstated or no kind. */
const char *person_kind_name(enum person_kind k);
const char *institution_kind_name(enum institution_kind k);
/* ERR_INVALID "person-kind", "institution-kind" (where.field "kind"). */
MUST_CHECK enum err_code person_kind_parse(struct bytes word,
    enum person_kind *out, struct err *e);
MUST_CHECK enum err_code institution_kind_parse(struct bytes word,
    enum institution_kind *out, struct err *e);

#define ATTRIBUTES_MAX      16 /* of one person */
#define ATTRIBUTE_NAME_MAX  32 /* octets */
#define ATTRIBUTE_VALUE_MAX 256

/* What an institution registers of a person beside the rest: grade, "12". */
struct attribute {
	struct bytes name, value;
};
/* A small letter, then a-z 0-9 _ -; at most ATTRIBUTE_NAME_MAX octets. */
bool attribute_name_valid(struct bytes name);
/*
 * attribute_check - may the registry hold this one?  That no name comes twice
 * and that there are at most ATTRIBUTES_MAX is for whoever holds the list.
 *
 * ERR_INVALID "attribute-name", "attribute-value" (where.field "attributes").
 */
MUST_CHECK enum err_code attribute_check(const struct attribute *a,
    struct err *e);

/* --- Policies ------------------------------------------------------------------------ */

/* How a holder comes by a key: bits. */
enum key_mode { MODE_CSR = 1 };
/* May a key that has a certificate get another?  Never another person's. */
enum renewal_by { RENEWAL_FRESH, RENEWAL_MANDATE, RENEWAL_REKEY };
enum key_reuse { REUSE_FORBID, REUSE_SAME_PERSON };
enum revoke_right { RIGHT_NONE, RIGHT_PROPOSE, RIGHT_IMMEDIATE };

/* "{person.run}" and literal text, in order; n is at least 1. */
struct tmpl_part {
	int fact;             /* enum policy_fact, or -1: literal */
	struct bytes literal; /* text; of FACT_ATTRIBUTE its name */
};
struct tmpl {
	struct tmpl_part part[6];
	size_t n;
};

enum policy_fact {
	FACT_PERSON_RUN,
	FACT_PERSON_NAME,
	FACT_PERSON_OFFICE,
	FACT_PERSON_EMAIL,
	FACT_INSTITUTION_NAME,
	FACT_INSTITUTION_RUT,
	FACT_COUNT, /* of those in policy_facts.fact */
	FACT_PERSON_KIND = FACT_COUNT,
	FACT_INSTITUTION_KIND,
	FACT_ATTRIBUTE, /* of the person, by name */
	FACTS_ALL
};
/* "person.run"; of FACT_ATTRIBUTE "person.attribute." */
const char *policy_fact_name(enum policy_fact f);

struct policy;

/* Where a rule stands: in the file of this policy, or of a base. */
struct place {
	const struct policy *of;
	uint32_t line, col; /* 0: in no file, a default */
};

struct subject_attr {
	enum pkix_oid type;
	struct tmpl value;
	enum name_string string;
	size_t max; /* characters */
	bool clip;  /* a longer one is cut; else refused */
	struct place at;
};
struct alt_name {
	enum name_kind kind;
	struct oid other; /* of GN_OTHER_… */
	struct tmpl value;
	struct subject_attr *directory; /* of GN_DIRECTORY */
	size_t n_directory;
	struct place at;
};

/* One condition; all must be true. */
struct policy_condition {
	const struct expr *expr;
	struct bytes text;    /* as the file says it */
	struct bytes say, es; /* what the person is told, in both languages */
	struct place at;
};
#define CONDITIONS_MAX 16 /* with those of the bases */
#define WHENS_MAX      4  /* one for each file of a chain */

/* An extension that a policy defines: a template, or octets as they are. */
struct policy_extension {
	struct oid oid;
	bool critical;
	uint8_t tag; /* of a string with the text of value; 0: der is given */
	struct tmpl value;
	struct bytes der;
	struct place at;
};

/* A fact that some template uses. */
struct used_fact {
	int fact;               /* enum policy_fact */
	struct bytes attribute; /* of FACT_ATTRIBUTE */
	const char *rule;       /* "person.attribute.grade" */
	struct place at;        /* of the first that uses it */
};
#define USED_FACTS_MAX 16

/* What a calendar day means. */
struct zone {
	bool santiago;    /* America/Santiago, by the rule of 2023 */
	int32_t offset_s; /* else: seconds east of Greenwich */
};
#define ZONE_TEXT 24
void zone_print(char out[ZONE_TEXT], const struct zone *z);
bool zone_parse(struct bytes text, struct zone *out);
/* The last second of the day that begins at this UTC midnight, there. */
int64_t zone_day_end(const struct zone *z, int64_t midnight);

#define NOTICES_MAX 6

enum policy_rule { /* rules with one place each */
	RULE_NAME,
	RULE_HOLDER_KINDS,
	RULE_HOLDER_INSTITUTIONS,
	RULE_KEYS,
	RULE_VALIDITY_DEFAULT,
	RULE_VALIDITY_MAX,
	RULE_VALIDITY_ENDS,
	RULE_ISSUER_END,
	RULE_SUBJECT,
	RULE_SUBJECT_ALT,
	RULE_ISSUER_ALT,
	RULE_EXTENSIONS,
	RULE_COUNT
};

/* A validated policy; everything borrows from the policy_set that holds it. */
struct policy {
	char name[POLICY_NAME_MAX];
	int64_t version;            /* from 1, only rises */
	uint8_t sha256[SHA256_LEN]; /* of the file's bytes */
	struct bytes text;          /* the file's bytes */
	bool base; /* only to be extended: no request can name it */
	/*
	 * What it extends, of the same set, or NULL.  Values are effective: what
	 * the base says stands here too.  The file names its base by name and
	 * version, which stand for one text for ever.
	 */
	const struct policy *extends;
	char issuer[POLICY_NAME_MAX]; /* an issuer_config.name; not compared */
	/* Who may have it. */
	uint32_t person_kinds;      /* bit i: enum person_kind i; 0: anyone */
	uint32_t institution_kinds; /* bit i; 0: any */
	struct policy_condition when[WHENS_MAX]; /* say and es are empty */
	size_t n_when;
	struct policy_condition condition[CONDITIONS_MAX];
	size_t n_condition;
	struct subject_attr subject[NAME_ATTRS_MAX];
	size_t n_subject;
	struct alt_name san[SPEC_NAMES_MAX], ian[SPEC_NAMES_MAX];
	size_t n_san, n_ian;
	uint32_t modes; /* MODE_ bits */
	uint32_t keys;  /* bit i: enum key_type i */
	enum key_reuse reuse;
	/* Lives count both ends; 1 hour <= default_s <= max_s. */
	int64_t default_s, max_s, backdate_s, renew_window_s;
	int64_t overlap_s;  /* of a renewed one and its successor; 0: no end */
	int64_t ends;       /* no certificate lasts longer; NEVER */
	char ends_text[11]; /* "2027-12-31", or empty */
	struct zone zone;   /* where that day ends */
	bool issuer_refuse; /* a life that its issuer cuts; else it is cut */
	uint16_t key_usage; /* always critical */
	enum pkix_oid eku[SPEC_EKUS_MAX];
	size_t n_eku;
	struct cert_policy certificate_policy[SPEC_POLICIES_MAX];
	size_t n_certificate_policy;
	struct qc_statements qc;
	struct policy_extension extension[SPEC_PRIVATE_MAX];
	size_t n_extension;
	bool subordinate; /* of a CA below the issuer */
	int path_length;  /* of that CA */
	struct name_constraints constraints;
	int64_t required; /* ministers who must endorse */
	enum renewal_by renewal;
	int64_t request_ttl_s, statement_ttl_s;
	int64_t batch_max; /* statements that one act may endorse */
	enum revoke_right holder_right, operator_right;
	int64_t suspend_max_s;    /* 0: suspension not allowed */
	int64_t ocsp_validity_s;  /* nextUpdate - thisUpdate */
	int ocsp_refresh_percent; /* of that life, 10..90 */
	bool ocsp_nonce;          /* repeated in answers */
	int64_t ocsp_archive_s; /* status is kept after the end; 0: it is not */
	int64_t crl_every_s, crl_overlap_s; /* nextUpdate: both together */
	bool crl_on_revoke;
	int64_t crl_partition; /* certificates of one; 0: no partitions */
	int64_t crl_delta_s;   /* from one delta to the next; 0: no deltas */
	int64_t notify_s[NOTICES_MAX]; /* before the end, falling */
	size_t n_notify;
	struct used_fact use[USED_FACTS_MAX];
	size_t n_use;
	struct place rule[RULE_COUNT];
};

struct policy_set {
	struct policy *policy; /* owned, n of them */
	size_t n;
	struct arena *arena; /* owned: texts and templates */
};
/*
 * policy_load - all files, every error of every file.
 *
 * files, n   at most POLICIES_MAX, borrowed for the call; the set keeps copies.
 * ceilings   none may be exceeded: "policy-ceiling", "policy-ceiling-word";
 *            NULL: held to none.
 * out        set only when f has no errors at all, those of earlier loads
 *            included; freed with policy_set_free().  Otherwise untouched, so
 *            that the set in force stays.
 *
 * Names are unique over the files, policy i is that of file i.  A base must be
 * among the files, in the version that is named; what extends it inherits what
 * it does not say, and may only narrow: "policy-narrow-…", "policy-base-…".
 * That versions rise over time is for whoever knows the set in force (ca).
 */
void policy_load(const struct policy_file *files, size_t n,
    const struct ceilings *ceilings, struct policy_set **out,
    struct findings *f);
void policy_set_free(struct policy_set *s);
OWNED(policy_set);
/* What a text calls its policy, before loading it; false when nothing. */
bool policy_name_of(struct bytes text, char name[POLICY_NAME_MAX]);
/*
 * The base that a policy's text names, to find that text before loading both;
 * false when there is none.
 */
bool policy_base_of(struct bytes text, char name[POLICY_NAME_MAX],
    int64_t *version);
/*
 * What a text by itself says of endorsements, without its bases, for whoever
 * has the texts of a log and neither their set nor the ceilings of its time.
 */
struct policy_consent {
	int64_t required; /* ministers; 0: not said */
	int64_t renewal;  /* enum renewal_by; -1: not said */
	char base[POLICY_NAME_MAX];
	int64_t base_version; /* 0: it extends none */
};
/* false: it is no policy, or says one of these in no form that there is. */
bool policy_consent_of(struct bytes text, struct policy_consent *out);
/* The policy of this name, or whose file's bytes hash to this, or NULL. */
const struct policy *policy_find(const struct policy_set *s, struct bytes name);
const struct policy *policy_find_hash(const struct policy_set *s,
    const uint8_t sha256[SHA256_LEN]);

/* --- Conditions ------------------------------------------------------------------------ */

#define EXPR_TEXT_MAX \
	1024 /* octets of a condition, as expr_print() writes it */

/* A checked condition: flat, never changed, in the arena it was made in. */
struct expr;
struct policy_facts;
struct expr_env {
	const struct policy_facts *facts;
	int64_t validity_s; /* after the default: request.validity */
};
/*
 * expr_compile - the condition that a text says, outside any policy.
 *
 * one        its name, and one line of text.
 * arena      holds the condition.
 * f          every mistake with its place; a warning ("expr-constant") for a
 *            condition that asks for nothing.
 *
 * Returns NULL when f says why not: the "expr-…" errors, and "policy-text-…".
 */
const struct expr *expr_compile(const struct policy_file *one,
    struct arena *arena, struct findings *f);
/* A copy that borrows nothing but arena. */
const struct expr *expr_copy(struct arena *arena, const struct expr *x);
/*
 * expr_true - the condition's verdict on these facts.  Total: what is not
 * known is an empty text, or no word of its list; dates and durations stop at
 * the ends of their range.  At most 64 steps, of which the patterns together
 * cost at worst 1,024 octets for each character of a fact; allocates nothing.
 */
bool expr_true(const struct expr *x, const struct expr_env *env);
/* Appends the canonical text: compiles to a condition that prints the same. */
void expr_print(struct buf *out, const struct expr *x);
/*
 * Appends each fact that x asks for with its value, in the order of the text:
 * request.validity = 2y, person.attribute("grade") = "12".
 */
void expr_facts(struct buf *out, const struct expr *x,
    const struct expr_env *env);

/* --- Judgement of one request ---------------------------------------------------------- */

struct policy_facts {
	struct bytes fact[FACT_COUNT]; /* empty: not known */
	enum person_kind person_kind;
	enum institution_kind institution_kind;
	struct attribute attribute[ATTRIBUTES_MAX]; /* of the person */
	size_t n_attribute;
	bool is_renewal; /* of a certificate that the person has */
	enum key_type key;
	int64_t asked_s; /* validity asked for; 0: the default */
	int64_t now;
	int64_t issuer_not_after; /* notAfter is clipped to it */
};
/* The value of the person's attribute, borrowed; empty when there is none. */
struct bytes policy_attribute(const struct policy_facts *facts,
    struct bytes name);

/*
 * One rule with its verdict, for explain.  In this order: each fact that the
 * policy uses, under its name ("policy-fact-missing", "policy-fact-text",
 * "policy-run-stored", "run-form", "run-digit", "email-form"); "holders.kinds",
 * "holders.institutions" ("policy-holder-kind", "policy-holder-institution"),
 * "holders.when" ("policy-holder-when"); "conditions" ("policy-condition", with
 * the sentence that the policy gives); "keys.allowed" ("policy-key-type");
 * "validity.max" ("policy-validity-short", "policy-validity-long");
 * "validity.ends" ("policy-validity-ended"); "issuer.not_after"
 * ("policy-issuer-ends", "policy-issuer-short"); and, when all facts are good,
 * "subject" ("name-…", "policy-too-long"), "names.subject_alt",
 * "names.issuer_alt" ("policy-alt-…", and those of general_name_check()),
 * "extensions" ("policy-extension-text").  A name of which something was cut
 * has one more verdict, which says what.
 */
struct verdict {
	const char *rule; /* "keys.allowed" */
	bool passed;
	struct place at; /* the line that says so */
	struct err err;  /* when not passed; else undefined */
	char fact[80];   /* what was looked at: "ec-p256"; clipped, may be "" */
};
#define VERDICTS_MAX 64
struct verdicts {
	struct verdict v[VERDICTS_MAX];
	size_t len, failed;
};

/*
 * policy_evaluate - the certificate that this policy makes of these facts,
 * or every reason why not (step 1 of issuance).
 *
 * arena      holds what out borrows.
 * out        subject, names, usages, policies, statements, extensions,
 *            constraints, validity, is_ca; the caller adds serial, issuer,
 *            spki and URLs.  Untouched unless nothing failed.
 *            notBefore = now - backdate, and notAfter = notBefore + life - 1
 *            (INCIDENTS row 1), or validity.ends or the issuer's end where
 *            those come first.
 */
void policy_evaluate(const struct policy *p, const struct policy_facts *facts,
    struct arena *arena, struct cert_spec *out, struct verdicts *verdicts);
/*
 * The same for many requests of which only the verdicts that did not pass are
 * read: "fact" of the others may be empty.
 */
void policy_evaluate_quick(const struct policy *p,
    const struct policy_facts *facts, struct arena *arena,
    struct cert_spec *out, struct verdicts *verdicts);

/* --- Warnings ------------------------------------------------------------------------------ */

/* What is known of the world that policies are for; zero: nothing. */
struct policy_context {
	int64_t now;
	struct {
		const char *name;
		int64_t not_after;
	} issuer[CONFIG_ISSUERS_MAX];
	size_t n_issuer;
	/* The policies in force; NULL: not known.  Of others nothing is said. */
	const struct policy_use {
		struct bytes name;
		int64_t since; /* when one of this name took effect */
		int64_t last;  /* when a request last named it; 0: never */
	} *use;
	size_t n_use;
	int64_t unused_s; /* longer ago than this is worth a warning */
};
/*
 * policy_warn - what is legal and likely wrong.  files are those that set was
 * loaded from.  Adds warnings to f: "policy-outlives", "policy-ends-past",
 * "policy-unused", "policy-never-used", "policy-base-unused",
 * "policy-same-person".
 */
void policy_warn(const struct policy_set *set, const struct policy_file *files,
    const struct policy_context *c, struct findings *f);

/* --- Text ------------------------------------------------------------------------------------ */

/*
 * The effective policy after defaults and narrowing, canonical YAML (golden
 * files): loads to a policy that prints the same.
 */
void policy_print(struct buf *out, const struct policy *p);
/*
 * policy_diff - each key whose effective value differs, in the order of the
 * reference: "validity.max: 3y -> 2y (narrower)".  Says narrower or wider where
 * the key has such an order.  Returns how many.
 */
size_t policy_diff(struct buf *out, const struct policy *a,
    const struct policy *b);
/*
 * policy_format - the file in its usual layout: two spaces for each level, one
 * space where one is needed, no more than one empty line.  Comments and the
 * order of keys stay.
 *
 * ERR_INVALID "policy-format" (where: the first mistake of its YAML);
 * ERR_CONFLICT "policy-format-meaning": the new text would say something else.
 */
MUST_CHECK enum err_code policy_format(struct bytes text, struct buf *out,
    struct err *e);
/* Every key with type, range and default, as Markdown: doc/policy.md. */
void policy_reference(struct buf *out);
/*
 * The same rows as JSON Schema draft-07, for editors: it accepts a little more
 * than loading does (rules across keys, ceilings, ranges of durations).
 */
enum policy_kind {
	POLICY_KIND_POLICY,
	POLICY_KIND_CEILINGS,
	POLICY_KIND_CONFIG
};
void policy_schema(struct buf *out, enum policy_kind kind);

#endif
