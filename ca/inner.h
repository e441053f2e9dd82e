/*
 * What the files of ca/ share and nobody else sees: keys of rows, the tables
 * of the state machines, a decision in the making, and the issuing function.
 */
#ifndef CA_INNER_H
#define CA_INNER_H

#include <refrendo/ca.h>

/* --- Rows ------------------------------------------------------------------ */

/* "A/B" as a key: people, terms. */
struct bytes key_of_pair(struct arena *a, enum row_class class,
    struct bytes first, struct bytes second);
struct bytes key_of_term(struct arena *a, struct bytes rut, struct bytes run,
    struct bytes appointment);
struct bytes key_of_mandated(struct arena *a, struct bytes rut,
    struct bytes run, struct bytes id);
struct bytes key_of_held(struct arena *a, struct bytes rut, struct bytes run,
    struct bytes serial);
struct bytes key_of_due(struct arena *a, int64_t when, enum row_class what,
    struct bytes id);

#define ROW_MAX (4u << 20) /* octets of a record in one piece */

/* The record, or ERR_NOTFOUND "…-unknown" that names it; request and
 * certificate without the blobs that stand apart: request_load() and
 * certificate_load() read them, the one named or all. */
MUST_CHECK enum err_code institution_get(struct view *v, struct bytes rut,
    struct arena *a, struct institution *out, struct err *e);
MUST_CHECK enum err_code person_get(struct view *v, struct bytes rut,
    struct bytes run, struct arena *a, struct person *out, struct err *e);
MUST_CHECK enum err_code appointment_get(struct view *v, struct bytes id,
    struct arena *a, struct appointment *out, struct err *e);
MUST_CHECK enum err_code request_get(struct view *v, struct bytes id,
    struct arena *a, struct request *out, struct err *e);
MUST_CHECK enum err_code agreement_get(struct view *v, enum row_class class,
    struct bytes id, struct arena *a, struct agreement_row *out, struct err *e);
MUST_CHECK enum err_code mandate_get(struct view *v, struct bytes id,
    struct arena *a, struct mandate *out, struct err *e);
MUST_CHECK enum err_code issuer_get(struct view *v, struct bytes name,
    struct arena *a, struct issuer_row *out, struct err *e);
MUST_CHECK enum err_code certificate_get(struct view *v, struct bytes serial,
    struct arena *a, struct certificate *out, struct err *e);

/* Was a certificate ever intended for this key? */
MUST_CHECK enum err_code key_certified(struct view *v,
    const struct key_row *key, struct arena *a, bool *yes, struct err *e);
MUST_CHECK enum err_code request_load(struct view *v, struct request *r,
    const char *name, struct arena *a, struct err *e);
MUST_CHECK enum err_code certificate_load(struct view *v, struct certificate *c,
    struct arena *a, struct err *e);

/* When a record falls due, or NEVER; one function for each interval. */
struct deed;
int64_t request_due(const struct request *r);
/* Its state by the clock: one that nobody has noted as lapsed yet is lapsed. */
enum request_state request_state_at(const struct request *r, int64_t now);
int64_t agreement_due(const struct agreement_row *g);
enum agreement_state agreement_state_at(const struct agreement_row *g,
    int64_t now);
int64_t mandate_due(const struct mandate *m);
enum mandate_state mandate_state_at(const struct mandate *m, int64_t now);
/* Does this CA sign by mandates still?  ERR_DENIED "mandate-issuer". */
MUST_CHECK enum err_code mandate_issuer_issues(struct deed *d,
    struct bytes name, struct err *e);
/* The one in force that something can still be renewed by. */
MUST_CHECK enum err_code mandate_find(struct deed *d, struct bytes rut,
    struct bytes run, struct bytes policy, struct mandate *out, bool *found,
    struct err *e);
/* Is everybody who signed it in office still?  If not, *out is whose
 * appointment is not in force. */
MUST_CHECK enum err_code mandate_ministers(struct deed *d,
    const struct mandate *m, struct appointment *out, bool *are, struct err *e);
struct bytes mandate_profile(struct arena *a, const struct cert *c);
int64_t appointment_due(const struct appointment *ap);
int64_t certificate_due(const struct certificate *c);

/* --- Attributes -------------------------------------------------------------- */

/* As a row holds them: sorted, none twice, none without a value. */
bool attributes_canonical(struct bytes lines);
/* Of a command: sorted into the arena; a name without a value is kept.
 * ERR_INVALID "attribute-many", "attribute-twice", what attribute_check() says. */
MUST_CHECK enum err_code attributes_check(struct bytes *lines, struct arena *a,
    struct err *e);
/* An object of texts, for JSON. */
void attributes_write(struct jw *w, struct bytes lines);
size_t attributes_list(struct bytes lines,
    struct attribute out[ATTRIBUTES_MAX]);
/* What a command gives, without those that have no value. */
struct bytes attributes_given(struct bytes lines, struct arena *a);

/* --- Tables ------------------------------------------------------------------ */

extern const char *const institution_words[INST_STATES + 1];
extern const char *const appointment_words[APPT_STATES + 1];
extern const char *const request_words[REQ_STATES + 1];
extern const char *const cert_words[CERT_STATES + 1];
extern const char *const mandate_words[MANDATE_STATES + 1];
extern const char *const activation_words[AGREEMENT_STATES + 1];
extern const char *const ceremony_words[AGREEMENT_STATES + 1];

struct transition {
	int from, event, to;
	const char *why; /* for doc/lifecycle.md */
};
struct machine {
	const char *title;
	const char *const *state; /* n_state words */
	size_t n_state;
	const char *const *event; /* n_event words */
	size_t n_event;
	const struct transition *table;
	size_t n;
};
extern const struct machine machine_institution, machine_appointment,
    machine_request, machine_certificate, machine_agreement, machine_mandate;

const struct legal_cause *cause_find(struct bytes word);
const char *role_word(unsigned role);

/* --- A decision in the making ------------------------------------------------- */

struct root_of {
	struct bytes name;
	struct cert cert;
};
struct deed {
	const struct ca *ca;
	struct view *v;
	const struct command *c; /* NULL: the engine's own act */
	int64_t now;
	struct random_pool *random;
	struct arena *a;
	struct decision *out;
	struct root_of *root; /* of a ceremony; NULL before it is known */
	struct bytes run;     /* of who acts; from CF_AS or from evidence */
	unsigned roles;       /* those of the act that this person has */
	unsigned role;        /* the one that was used */
	uint8_t command_sha256[SHA256_LEN];
};

/* Somebody's sentence as text for an entry: never anything that is not UTF-8. */
struct bytes sentence(struct arena *a, const char *say);

/* What is written of one entry's detail, until pen_end() closes it. */
struct pen {
	struct buf buf;
	struct jw w;
	struct draft *draft;
};
void pen_fini(struct pen *p);
#define AUTO_PEN __attribute__((cleanup(pen_fini)))
/* Writes the actor: d->c's person and command, or the engine. */
void pen_actor(struct jw *w, const struct deed *d);
/* A new draft of the decision, its detail begun with the actor. */
void pen_begin(struct pen *p, struct deed *d, enum entry_type type);
MUST_CHECK enum err_code pen_end(struct pen *p, struct arena *a, struct err *e);

/* The roles that the act allows and this person has; ERR_FORBIDDEN if none. */
MUST_CHECK enum err_code roles_find(struct deed *d, struct bytes institution,
    struct bytes holder_run, struct err *e);
bool is_officer(const struct ca *ca, struct bytes run);
bool appointment_in_force(const struct appointment *ap, int64_t now);
/* ERR_CONFLICT "institution-not-enabled". */
MUST_CHECK enum err_code
institution_must_be_enabled(const struct institution *i, struct err *e);
/* SOL-2026-000001, from the counter of the year. */
MUST_CHECK enum err_code id_new(struct deed *d, const char *prefix,
    struct bytes *out, struct err *e);
struct bytes field(const struct deed *d, enum ca_field f);
bool flag(const struct deed *d, enum ca_field f);
/* Is the object of this row key waiting for the signer? */
MUST_CHECK enum err_code is_work(struct view *v, struct bytes object,
    struct arena *a, bool *out, struct err *e);

/* --- Acts, by file -------------------------------------------------------------- */

MUST_CHECK enum err_code act_institution_add(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_institution_state(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_person_register(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_appointment_propose(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_appointment_confirm(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_appointment_close(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_request_new(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_request_submit(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_request_endorse(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_request_close(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_request_retry(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_certificate_renew(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_certificate_revoke(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_certificate_suspend(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_certificate_reinstate(struct deed *d,
    struct err *e);
MUST_CHECK enum err_code act_policy_propose(struct deed *d, struct err *e);
/* Roles, name and institution, before there is a key. */
MUST_CHECK enum err_code ceremony_may_create(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ceremony_ca(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ceremony_crl(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ceremony_cross(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ceremony_key(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ceremony_ceilings(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ceremony_root(struct deed *d, struct err *e);
/* What officers signed before others took their place counts no more. */
MUST_CHECK enum err_code officers_still(struct deed *d, struct bytes id,
    int64_t proposed, struct err *e);
MUST_CHECK enum err_code act_ceremony_import(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_ca_stop(struct deed *d, struct err *e);

/* --- Agreements: agreement.c -------------------------------------------------- */

MUST_CHECK enum err_code agreement_endorse(struct deed *d, enum row_class class,
    struct err *e);
MUST_CHECK enum err_code agreement_withdraw(struct deed *d,
    enum row_class class, struct err *e);
MUST_CHECK enum err_code due_agreement(struct deed *d, enum row_class class,
    struct bytes id, struct err *e);
/* Agreed on, and cannot be done: withdrawn by the engine. */
MUST_CHECK enum err_code agreement_fails(struct deed *d, enum row_class class,
    const struct agreement_row *g, struct bytes reason, struct err *e);
/* For what e says; but for trouble of the store, which is returned. */
MUST_CHECK enum err_code agreement_fails_by(struct deed *d,
    enum row_class class, const struct agreement_row *g, struct err *e);
/* The policies of an activation that was agreed on take effect. */
MUST_CHECK enum err_code activation_follow(struct deed *d,
    const struct agreement_row *g, struct err *e);
/* A key is destroyed; what the root must sign waits. */
MUST_CHECK enum err_code ceremony_follow(struct deed *d,
    const struct agreement_row *g, struct err *e);
void pen_agreement(struct pen *p, struct deed *d, enum entry_type type,
    const struct agreement_row *g);
/* SHA-256 in the arena. */
struct bytes hash_in(struct arena *a, struct bytes b);

MUST_CHECK enum err_code act_mandate_propose(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_mandate_endorse(struct deed *d, struct err *e);
MUST_CHECK enum err_code act_mandate_end(struct deed *d, struct err *e);
MUST_CHECK enum err_code due_mandate(struct deed *d, struct bytes id,
    struct err *e);

/* --- What a root is to sign: ceremony_build.c --------------------------------- */

#define ANSWER_MAX 98304u /* octets of what comes back */
/* The TBSCertificate of an issuing CA, and the TBSCertList of the root with
 * one more CA on it or none; both in the arena. */
MUST_CHECK enum err_code ceremony_build_ca(struct deed *d,
    struct agreement_row *c, struct err *e);
MUST_CHECK enum err_code ceremony_build_crl(struct deed *d,
    struct agreement_row *c, struct err *e);
/* A certificate over the key of a CA that is not ours. */
MUST_CHECK enum err_code ceremony_build_cross(struct deed *d,
    struct agreement_row *c, struct err *e);
/* What both certificates share: their name, key, life, bytes, judgement. */
MUST_CHECK enum err_code ceremony_name(struct deed *d, struct bytes name,
    struct err *e);
MUST_CHECK enum err_code ceremony_key_is_new(struct deed *d, struct bytes spki,
    const char *where, struct err *e);
/* Nobody takes our CAs and those of others for one another. */
MUST_CHECK enum err_code ceremony_is_apart(struct deed *d,
    const struct cert *cert, enum lint_kind kind, struct err *e);
int64_t ceremony_life(struct deed *d, int64_t usual);
MUST_CHECK enum err_code ceremony_times(struct deed *d, int64_t life,
    struct cert_spec *spec, struct err *e);
struct material;
MUST_CHECK enum err_code ceremony_tbs(struct deed *d, struct material *m,
    struct cert_spec *spec, struct buf *tbs, struct err *e);
MUST_CHECK enum err_code ceremony_judge_tbs(struct deed *d, struct bytes tbs,
    enum lint_kind kind, struct err *e);
/* The CRL of d->root that is published now, parsed; number 0: there is none. */
MUST_CHECK enum err_code root_list_now(struct deed *d, struct crl *out,
    struct err *e);

/* --- Roots: root.c ------------------------------------------------------------ */

#define ROOT_LIFE_MIN (365 * DAY) /* left of one that comes */
/* d->root: the one that signs certificates; or that of this name, if any. */
MUST_CHECK enum err_code root_in_force(struct deed *d, struct err *e);
MUST_CHECK enum err_code root_named(struct deed *d, struct bytes name,
    struct err *e);
/* Does the statement of the ceremony name d->root? */
MUST_CHECK enum err_code root_still(struct deed *d,
    const struct agreement_row *c, bool *is, struct err *e);
MUST_CHECK enum err_code root_may_follow(struct deed *d,
    const struct agreement_row *c, struct err *e);
MUST_CHECK enum err_code build_root(struct deed *d, struct agreement_row *c,
    struct err *e);
struct applying;
MUST_CHECK enum err_code put_root(struct applying *p,
    const struct agreement_row *c, struct err *e);

/* --- Policies in force --------------------------------------------------------- */

/* The texts in force, behind those of more, which stand for their namesakes.
 * ERR_DENIED "policy-too-many"; ERR_CORRUPT "policy-text-missing". */
MUST_CHECK enum err_code policies_texts(struct view *v,
    const struct policy_file *more, size_t n_more, struct arena *a,
    struct policy_file file[POLICIES_MAX], size_t *n, struct err *e);
/*
 * What would be in force with these files; policy i of *out is that of more[i].
 * ERR_CONFLICT "policy-in-force", "policy-version-behind"; the first mistake
 * of loading all of them together.
 */
MUST_CHECK enum err_code policies_judge(struct deed *d,
    const struct policy_file *more, size_t n_more, struct policy_set **out,
    struct err *e);

/* Drafts that more than one file writes. */
MUST_CHECK enum err_code draft_activated(struct deed *d, const struct policy *p,
    struct bytes activation, struct err *e);
/* consent.c */
/* How many officers must sign: the ceilings' number, and never fewer than the
 * log began with, by its first entry. */
MUST_CHECK enum err_code quorum_of(struct deed *d, bool is_appointment,
    int64_t *needed, struct err *e);
/* Has the one who acts signed this already? */
MUST_CHECK enum err_code consent_exists(struct deed *d, struct bytes id,
    bool *found, struct err *e);
/* Walks them: *after is empty at the start, and the last one's key later. */
MUST_CHECK enum err_code consent_next(struct view *v, struct bytes id,
    struct arena *a, struct bytes *after, struct consent *out, bool *found,
    struct err *e);
/* What the endorsements of this version of a request are kept under. */
struct bytes request_consents(const struct request *r, struct arena *a);
/* ERR_FORBIDDEN "evidence-person". */
MUST_CHECK enum err_code person_signs(struct deed *d, struct bytes run,
    struct err *e);
/* The officer whose key signed, who becomes the one who acts.
 * ERR_FORBIDDEN "confirm-not-officer", "evidence-person". */
MUST_CHECK enum err_code officer_of(struct deed *d, const struct cms *cms,
    struct err *e);
MUST_CHECK enum err_code draft_request_reason(struct deed *d,
    enum entry_type type, const struct request *r, struct bytes reason,
    struct err *e);
MUST_CHECK enum err_code draft_appointment_reason(struct deed *d,
    enum entry_type type, const struct appointment *ap, struct bytes reason,
    struct err *e);
MUST_CHECK enum err_code draft_revoked(struct deed *d,
    const struct certificate *c, struct bytes cause, int64_t reason,
    int64_t invalid_since, struct err *e);
MUST_CHECK enum err_code draft_proposed(struct deed *d,
    const struct certificate *c, const char *cause, struct err *e);
/* The cause of an intent that the signer refused for good. */
#define CAUSE_NEVER_SIGNED "never-signed"
MUST_CHECK enum err_code draft_reinstated(struct deed *d,
    const struct certificate *c, struct bytes reason, struct err *e);

/* --- Issuance: DESIGN 5 ----------------------------------------------------------- */

/*
 * The record that the steps share.  Whoever enters fills what is known: the
 * request or the appointment, the evidence, the signer's answer.
 */
struct issue {
	struct deed *d;
	bool is_appointment;
	struct request req;
	struct appointment appt;
	struct institution inst;
	struct person person; /* the holder, as registered */
	struct csr csr;       /* steps 1 to 3; spki empty: none */
	const struct policy *policy;
	const struct ca_issuer *issuer;
	struct policy_facts facts; /* what step 1 judged by */
	struct cert_spec spec;
	struct cms cms;              /* step 4 */
	struct appointment minister; /* step 4: whose evidence it is */
	int64_t needed;              /* steps 4 and 5: officers, or ministers */
	struct bytes der;  /* steps 7 and 8: what the signer answered */
	struct work *work; /* step 6: filled for the signer */
	bool by_mandate;   /* a renewal that no minister endorses anew */
	struct mandate mandate;
	struct bytes proof; /* of the key before over a new one; or empty */
	struct lint lint;   /* steps 2 and 3: warnings are recorded */
};
MUST_CHECK enum err_code issue_step(struct issue *s, int step, struct err *e);
/* Steps that have a file of their own. */
MUST_CHECK enum err_code issue_evaluate(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_build(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_ask(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_endorse(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_intend(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_sign(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_compare(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_record(struct issue *s, struct err *e);
MUST_CHECK enum err_code issue_publish(struct issue *s, struct err *e);
/* The CA whose key a ceremony replaces: an issuing one, and the newest of its
 * generations. */
MUST_CHECK enum err_code ceremony_replaced(struct deed *d, struct bytes name,
    struct issuer_row *out, struct err *e);
/* ERR_DENIED "issuer-stopped", "issuer-revoked", "issuer-other". */
MUST_CHECK enum err_code issuer_must_issue(struct deed *d,
    const struct ca_issuer *is, struct err *e);
/* Ministers who must endorse, by the ceilings and what is asked beside them:
 * 0 where it is one. */
int64_t endorsements_needed(const struct ca *ca, int64_t asked);
/* The policy of these bytes; else the one of its name that is in force; NULL
 * when neither is known here. */
const struct policy *policy_of(const struct ca *ca, struct bytes name,
    struct bytes sha256);
/* The minister behind the certificate that signed, in force, of that
 * institution; becomes the one who acts. */
MUST_CHECK enum err_code minister_of(struct deed *d, const struct cms *cms,
    struct bytes institution, struct appointment *out, struct err *e);
/* Minister, holder and operator by RUN.  ERR_FORBIDDEN "endorse-…". */
MUST_CHECK enum err_code three_persons(struct bytes minister,
    struct bytes holder, struct bytes operator_run, struct err *e);
/* Those who signed before: other people, and ministers still.  ERR_CONFLICT
 * "endorse-again", "endorse-earlier-ended". */
MUST_CHECK enum err_code ministers_before(struct deed *d, struct bytes consents,
    struct bytes id, struct err *e);
MUST_CHECK enum err_code statement_expired(int64_t expires, struct err *e);
/* request.c: the certificate that the command names, whose holder's roles are
 * looked for; of a minister it is refused. */
MUST_CHECK enum err_code certificate_of_field(struct deed *d,
    struct certificate *out, struct err *e);
/* ERR_CONFLICT "renew-replaced": it has a successor, or one that was intended. */
MUST_CHECK enum err_code renewal_must_be_first(struct deed *d,
    const struct certificate *old, struct err *e);
/* ERR_DENIED "renew-office". */
MUST_CHECK enum err_code office_must_be_same(struct deed *d,
    const struct request *old, const struct person *now, struct err *e);
/* mandate.c: the one by which this request renews, if there is one: the one
 * that the command names, or else the first of the holder that may.  Life and
 * key are as it allows. */
MUST_CHECK enum err_code mandate_choose(struct issue *s,
    const struct certificate *old, const struct policy *p, struct err *e);
/* Its certificate is revoked: nothing of its kind is renewed by a mandate, but
 * for one that was superseded. */
MUST_CHECK enum err_code mandate_revoked(struct deed *d,
    const struct certificate *c, int64_t reason, struct err *e);
/* A renewal that was intended is never issued: one with a new key ends the
 * mandate that it was by. */
MUST_CHECK enum err_code mandate_failed(struct deed *d, const struct request *r,
    struct err *e);
/* Is what step 2 built what the mandate is for?  Refused where the command
 * named it; else it is none of it, and built again without. */
MUST_CHECK enum err_code mandate_must_fit(struct issue *s, bool *again,
    struct err *e);
/* A policy in force that a request can name. */
MUST_CHECK enum err_code policy_named(struct deed *d, struct bytes name,
    const struct policy **out, struct err *e);
/* Whose key it is, and whether this person may have it certified. */
MUST_CHECK enum err_code key_judge(struct issue *s, struct bytes spki_sha256,
    struct err *e);

/* An entry about a request that its policy refused: decision.refused. */
void refused_by_policy_keep(struct issue *s, const struct err *why);
/* partition.c */
/* Which partition a certificate names; 0: none.  ERR_BUSY
 * "partition-not-open". */
MUST_CHECK enum err_code partition_choose(struct issue *s, int64_t *partition,
    struct err *e);
struct issuer_urls urls_of(const struct ca_issuer *is, int64_t partition,
    struct arena *a);
/* changed.c */
/* Where the deltas of the list at this address are, if the policy has them. */
struct bytes deltas_of(const struct policy *policy, const char *issuer,
    struct bytes crl_url, struct arena *a);
/* ERR_BUSY "delta-not-open": the certificate would name deltas that nobody has
 * published yet. */
MUST_CHECK enum err_code delta_check(struct issue *s, struct err *e);

/*
 * What the CA adds to what a policy decides: step 2 of a live request and of
 * one of the log that is judged again.
 */
struct material {
	const struct cert *issuer;
	enum key_type issuer_type;
	struct bytes serial, spki;
	struct issuer_urls urls;
	struct bytes deltas; /* address of them; empty: none are named */
};
/*
 * All that step 1 judges by and step 2 builds from, as an object of the log:
 * whoever has the policy's bytes makes the same TBS of it again, whatever the
 * registry says by then.
 */
void facts_write(struct jw *w, const struct policy_facts *f,
    const struct issuer_urls *urls);
/* Borrows from o.  ERR_INVALID "past-form" and what the kinds' parsers say;
 * what the members lack is told by o. */
MUST_CHECK enum err_code facts_read(struct json_obj o, struct policy_facts *f,
    struct issuer_urls *urls, struct err *e);
/* One more policy that was activated; copied. */
void history_add(struct history *h, struct bytes name, int64_t version,
    struct bytes text);
/* Step 1: policy and issuer of the request, and what it is judged by. */
MUST_CHECK enum err_code find_policy(struct issue *s, struct err *e);
void take_facts(struct issue *s);
enum err_code past_bad_form(const char *part, struct err *e);
MUST_CHECK enum err_code tbs_build(const struct material *m,
    struct cert_spec *spec, struct buf *tbs, struct err *e);

/* --- Apply, by file ------------------------------------------------------------------ */

struct applying {
	struct view *v;
	const struct entry *entry;
	struct json_obj o; /* the detail */
	struct arena *a;
};
typedef enum err_code (*apply_fn)(struct applying *p, struct err *e);
MUST_CHECK enum err_code row_partition_used(struct applying *p,
    struct bytes issuer, int64_t partition, struct err *e);
MUST_CHECK enum err_code row_partition_open(struct applying *p,
    struct bytes issuer, int64_t partition, struct err *e);
MUST_CHECK enum err_code row_partition_changed(struct applying *p,
    struct bytes issuer, struct err *e);
/* The status of c has changed: for the next lists of its issuer. */
MUST_CHECK enum err_code row_changed(struct applying *p,
    const struct certificate *c, struct err *e);
/* The row of one list that was published; what no delta will list goes. */
MUST_CHECK enum err_code row_crl_list(struct applying *p, struct crl_row *row,
    struct err *e);

MUST_CHECK enum err_code apply_initialized(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_policy(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_policy_proposed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_agreement_endorsed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_agreement_closed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_ceremony_proposed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_ceremony_completed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_ca_stopped(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_ceilings_taken(struct applying *p,
    struct err *e);
/* Those in force from this entry on; fills what follows from those before. */
MUST_CHECK enum err_code ceilings_put(struct applying *p,
    struct ceilings_row *row, struct err *e);
MUST_CHECK enum err_code apply_mandate_proposed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_mandate_endorsed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_mandate_closed(struct applying *p,
    struct err *e);
/* One renewal more, with that key. */
MUST_CHECK enum err_code apply_mandate_used(struct applying *p, struct bytes id,
    struct bytes spki_sha256, struct err *e);
MUST_CHECK enum err_code apply_institution(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_person(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_crl(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_responder(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_appointment_proposed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_appointment_confirmed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_appointment_in_force(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_appointment_closed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_request_written(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_request_closed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_request_endorsed(struct applying *p,
    struct err *e);
MUST_CHECK enum err_code apply_intended(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_issued(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_revoked(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_suspended(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_reinstated(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_proposed(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_replaced(struct applying *p, struct err *e);
MUST_CHECK enum err_code apply_nothing(struct applying *p, struct err *e);

/* Of an entry about an agreement: its row; its next state; the row back, and
 * its due time.  agreement_begin: what all proposals have, before the body. */
MUST_CHECK enum err_code agreement_load(struct applying *p,
    struct agreement_row *g, struct err *e);
MUST_CHECK enum err_code agreement_step(struct applying *p,
    struct agreement_row *g, enum agreement_event ev, struct err *e);
MUST_CHECK enum err_code agreement_put(struct applying *p,
    const struct agreement_row *before, const struct agreement_row *after,
    struct err *e);
MUST_CHECK enum err_code agreement_begin(struct applying *p,
    struct agreement_row *g, struct err *e);
/* Writes a record's row; those with a due time keep ROW_DUE in step. */
MUST_CHECK enum err_code row_put(struct applying *p, const struct rec_type *t,
    struct bytes key, const void *rec, struct err *e);
MUST_CHECK enum err_code row_due(struct applying *p, enum row_class what,
    struct bytes id, int64_t before, int64_t after, struct err *e);
MUST_CHECK enum err_code row_work(struct applying *p, struct bytes id,
    bool is_appointment, bool present, struct err *e);
MUST_CHECK enum err_code row_reserve(struct applying *p, struct bytes serial,
    struct bytes id, struct err *e);
MUST_CHECK enum err_code row_count(struct applying *p, struct bytes id,
    struct err *e);
MUST_CHECK enum err_code row_key_used(struct applying *p,
    struct bytes spki_sha256, struct bytes institution, struct bytes run,
    struct bytes request, struct err *e);
/* consent.c: of the entry's evidence and of the member who, whose RUN joins
 * signed_by. */
MUST_CHECK enum err_code row_consent(struct applying *p, struct bytes id,
    const char *who, struct bytes *signed_by, struct err *e);
MUST_CHECK enum err_code row_key_mark(struct applying *p,
    struct bytes spki_sha256, bool certified, bool compromised, struct err *e);
MUST_CHECK enum err_code certificate_put(struct applying *p,
    const struct certificate *before, const struct certificate *after,
    struct err *e);
/* ERR_CORRUPT "apply-contradicts": what an entry may not meet. */
MUST_CHECK enum err_code contradiction(const struct applying *p, struct err *e);
/* What would refuse an act is a contradiction when an entry is applied; a
 * view that fails is not. */
MUST_CHECK enum err_code apply_judge(const struct applying *p,
    enum err_code code, struct err *e);
#define APPLY_TRY(p, call, e) TRY(apply_judge((p), (call), (e)))

#endif
