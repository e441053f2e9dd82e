/*
 * audit - entries of the ledger, the Merkle tree over them, signed
 * checkpoints, proofs, statements that people sign, and verification of an
 * export by somebody who trusts nobody.
 *
 * Pure.  doc/PROTOCOL.ledger.md is the same in prose.  Used by core (writes),
 * signer (statements, checkpoints), cli (verifies).
 */
#ifndef REFRENDO_AUDIT_H
#define REFRENDO_AUDIT_H

#include <refrendo/base.h>
#include <refrendo/crl.h>
#include <refrendo/pkix.h>

/* --- Canonical JSON (RFC 8785; integers and strings only) ------------------------ */

/*
 * jw - a writer whose caller gives members in canonical order (sorted by
 * UTF-16 code units); one that does not is our own broken invariant: fatal.
 *
 * Text that is not UTF-8 and integers beyond 2^53 - 1 (NEVER is one: leave
 * the member out) make the buffer fail, as too much of them does: buf_end()
 * tells.  A buffer that failed holds no JSON.
 */
#define JW_DEPTH 8
struct jw {
	struct buf *out;
	int depth;
	bool more[JW_DEPTH];     /* a comma is due before the next one */
	bool array[JW_DEPTH];    /* this level is an array */
	char last[JW_DEPTH][40]; /* the key written last at each level */
};
struct jw jw_of(struct buf *out);
void jw_object(struct jw *w);
void jw_array(struct jw *w);
void jw_close(struct jw *w, char bracket); /* '}' or ']' */
void jw_key(struct jw *w, const char *key);
void jw_int(struct jw *w, int64_t v); /* |v| <= 2^53 - 1 */
void jw_str(struct jw *w, struct bytes text);
void jw_hex(struct jw *w, struct bytes b);
void jw_base64(struct jw *w, struct bytes b);
/* jw_key and value; the _opt forms write nothing when the value is empty. */
void jw_member_str(struct jw *w, const char *key, struct bytes text);
void jw_member_int(struct jw *w, const char *key, int64_t v);
void jw_member_hex(struct jw *w, const char *key, struct bytes b);
void jw_member_base64(struct jw *w, const char *key, struct bytes b);
void jw_member_str_opt(struct jw *w, const char *key, struct bytes text);

#define JSON_MAX_BYTES (4u << 20)

/*
 * json - one parsed document, an object.  Strict: no duplicate members, no
 * reals, no true, false or null (texts and integers up to 2^53 - 1 say all
 * that is said here), 16 levels, size capped, nothing left over; canonical ==
 * the input bytes are what the writer would have written.  text is borrowed for
 * the call: a json has its own copy, and each text in it a NUL behind it.
 *
 * ERR_INVALID "json-too-large", "json-empty", "json-depth", "json-syntax",
 * "json-duplicate" (where.byte), "json-no-object", "json-integer",
 * "json-real", "json-literal", "json-canonical"; ERR_NOMEM.
 */
struct json; /* owned; values below borrow from it */
MUST_CHECK enum err_code json_parse(struct bytes text, bool canonical,
    struct json **out, struct err *e);
void json_free(struct json *j);
OWNED(json);
/*
 * json_parse_foreign - JSON of somebody else, of at most max octets: true and
 * false are read by json_get_flag(), a fraction or null is a value of no type.
 * Errors as above, but for the judgements on values; *flaw tells a client's
 * mistakes apart, with the member in where.field for JSON_TWICE.
 */
enum json_flaw { JSON_BROKEN, JSON_NO_OBJECT, JSON_TWICE };
MUST_CHECK enum err_code json_parse_foreign(struct bytes text, size_t max,
    struct json **out, enum json_flaw *flaw, struct err *e);
/*
 * Members of the root object, or of the object at "a.b" (json_get_obj only).
 * Sticky: a get that fails sets *bad, gives an empty value and keeps the
 * first fault in err, so that a run of gets reads straight: "json-missing",
 * "json-no-text", "json-no-integer", "json-no-flag",
 * "json-no-member-object", "json-no-array", "json-hex", "json-base64", "json-unknown", with the
 * member in where.field.  A get from an object that was absent is silent.
 */
struct json_obj {
	const void *node; /* NULL: absent */
	bool *bad;        /* shared: a member missing or of another type */
	struct err *err;  /* the first fault, with where.field */
};
struct json_obj json_root(struct json *j, bool *bad, struct err *e);
struct json_obj json_get_obj(struct json_obj o, const char *key);
bool json_has(struct json_obj o, const char *key);
/* The name of the i-th member, in the order of the text; NULL behind the last. */
const char *json_name_at(struct json_obj o, size_t i);
struct bytes json_get_str(struct json_obj o, const char *key);
struct bytes json_opt_str(struct json_obj o, const char *key);
bool json_get_flag(struct json_obj o, const char *key);
int64_t json_get_int(struct json_obj o, const char *key);
int64_t json_opt_int(struct json_obj o, const char *key, int64_t absent);
/* Decoded into the arena; an empty text gives no octets. */
struct bytes json_get_hex(struct json_obj o, const char *key, struct arena *a);
struct bytes json_get_base64(struct json_obj o, const char *key,
    struct arena *a);
size_t json_count(struct json_obj o, const char *key); /* array length */
struct bytes json_at_str(struct json_obj o, const char *key, size_t i);
struct json_obj json_at_obj(struct json_obj o, const char *key, size_t i);
/* Every member of o must be one of these (NULL ends them). */
void json_only(struct json_obj o, const char *const *keys);

/* --- Entries ------------------------------------------------------------------------- */

#define ENTRY_SALT       16
#define ENTRY_LEAF_MAX   2048
#define ENTRY_DETAIL_MAX (2u << 20)

enum entry_type {
	ENTRY_SYSTEM_INITIALIZED = 1, /* keys, certificates, officers */
	ENTRY_POLICY_ACTIVATED,
	ENTRY_INSTITUTION_APPLIED,
	ENTRY_INSTITUTION_ENABLED,
	ENTRY_INSTITUTION_SUSPENDED,
	ENTRY_INSTITUTION_CLOSED,
	ENTRY_PERSON_REGISTERED, /* also a change of data */
	ENTRY_APPOINTMENT_PROPOSED,
	ENTRY_APPOINTMENT_CONFIRMED, /* evidence of an officer; then signed */
	ENTRY_APPOINTMENT_IN_FORCE,
	ENTRY_APPOINTMENT_ENDED,
	ENTRY_APPOINTMENT_WITHDRAWN,
	ENTRY_REQUEST_DRAFTED,
	ENTRY_REQUEST_SUBMITTED, /* with TBS, statement and reserved serial */
	ENTRY_REQUEST_RETURNED,
	ENTRY_REQUEST_REJECTED,
	ENTRY_REQUEST_WITHDRAWN,
	ENTRY_REQUEST_LAPSED,
	ENTRY_REQUEST_ENDORSED,
	ENTRY_REQUEST_FAILED,
	ENTRY_CERTIFICATE_INTENDED,
	ENTRY_CERTIFICATE_ISSUED,
	ENTRY_CERTIFICATE_REVOKED,
	ENTRY_CERTIFICATE_SUSPENDED,
	ENTRY_CERTIFICATE_REINSTATED,
	ENTRY_CERTIFICATE_PROPOSED, /* revocation proposed by an operator */
	ENTRY_CERTIFICATE_REPLACED,
	ENTRY_CRL_PUBLISHED,
	ENTRY_RESPONDER_CERTIFIED, /* a delegated OCSP responder */
	ENTRY_ACT_REFUSED, /* an act that was refused and is worth keeping */
	ENTRY_POLICY_PROPOSED, /* texts and statement of an activation */
	ENTRY_POLICY_ENDORSED, /* an officer's signature over it */
	ENTRY_POLICY_WITHDRAWN,
	ENTRY_POLICY_LAPSED,
	ENTRY_CEREMONY_PROPOSED, /* what the root is to sign, and a statement */
	ENTRY_CEREMONY_ENDORSED, /* an officer's signature over it */
	ENTRY_CEREMONY_WITHDRAWN,
	ENTRY_CEREMONY_LAPSED,
	ENTRY_CEREMONY_COMPLETED, /* the root signed; transcript */
	ENTRY_CA_STOPPED,         /* a CA issues no more; its status goes on */
	ENTRY_MANDATE_PROPOSED,   /* with its statement */
	ENTRY_MANDATE_ENDORSED,   /* a minister's signature over it */
	ENTRY_MANDATE_ENDED,      /* or withdrawn before it was in force */
	ENTRY_MANDATE_LAPSED,     /* or expired */
	ENTRY_CEILINGS_TAKEN,     /* without a quorum: the first, or lessened */
	ENTRY_TYPES
};
const char *entry_type_name(enum entry_type t); /* "certificate.issued" */
bool entry_type_parse(struct bytes name, enum entry_type *out);

/* Public members of the leaf; empty ones are left out. */
struct entry_refs {
	struct bytes institution; /* RUT */
	struct bytes request;     /* "SOL-2026-000123", "POL-2026-000001" */
	struct bytes appointment; /* "NOM-2026-000001" */
	struct bytes serial;      /* octets, printed in hex */
	struct bytes policy;      /* SHA-256 of the policy's bytes */
	struct bytes tbs;         /* SHA-256 of the to-be-signed part */
	struct bytes object;      /* SHA-256 of the signed object */
	int64_t number;           /* of a CRL; 0: none */
};

/* leaf and detail are canonical JSON; both are borrowed. */
struct entry {
	uint64_t index;
	int64_t time;
	enum entry_type type;
	struct entry_refs refs; /* decoded from the leaf by entry_parse */
	struct bytes leaf;
	uint8_t salt[ENTRY_SALT];
	struct bytes detail; /* empty when erased after its retention */
};
/*
 * Appends the leaf: {"detail":SHA-256(salt || detail),"index":…,…,"v":1}.
 * Reads index, time, type, refs, salt and detail of in.
 *
 * ERR_INVALID "entry-head", "entry-refs" (a word with other characters than
 * letters, digits, dot and dash, or a hash that is not 32 octets),
 * "entry-detail-size".
 */
MUST_CHECK enum err_code entry_leaf_build(const struct entry *in,
    struct buf *leaf, struct err *e);
/*
 * entry_parse - judges leaf, salt and detail together and fills the rest;
 * what refs borrows is put into the arena.  The leaf must be byte for byte
 * what entry_leaf_build() writes; the detail is judged by its hash alone, and
 * an empty one is taken as erased.  On failure *e_ is untouched.
 *
 * ERR_CORRUPT "entry-too-large", "entry-leaf", "entry-detail".
 */
MUST_CHECK enum err_code entry_parse(struct entry *e_, struct arena *a,
    struct err *e);

/*
 * entry_parse_leaf - the same without the detail's hash: for whoever reads much
 * of a log whose hashes another reader checks.  ERR_CORRUPT as entry_parse().
 */
MUST_CHECK enum err_code entry_parse_leaf(struct entry *e_, struct arena *a,
    struct err *e);
/*
 * entry_glance - type and time from the last octets of a leaf, so that most of
 * a log can be passed over.  Judges nothing else; false when it does not end
 * as leaves do.
 */
bool entry_glance(struct bytes leaf, enum entry_type *type, int64_t *time);

/* --- Merkle tree (RFC 6962 2.1, C2SP tlog-tiles) -------------------------------------- */

#define TILE_HEIGHT 8
#define TILE_WIDTH  256
#define HASH_LEN    32
/* As a level: the bundles of leaves, "tile/entries/…". */
#define TILE_ENTRIES ((unsigned)-1)

void merkle_leaf_hash(uint8_t out[HASH_LEN], struct bytes leaf);
void merkle_node_hash(uint8_t out[HASH_LEN], const uint8_t left[HASH_LEN],
    const uint8_t right[HASH_LEN]);

/* The size and the roots of the perfect subtrees, largest first. */
struct merkle {
	uint64_t size;
	uint8_t peak[64][HASH_LEN]; /* popcount(size) of them */
};
/*
 * merkle_append - adds one leaf hash.  For each tile level L that gets a new
 * hash, put(ctx, L, N, i, hash) is called: hash i of tile N at level L.  put
 * may be NULL.
 */
void merkle_append(struct merkle *m, const uint8_t leaf[HASH_LEN],
    void (*put)(void *ctx, unsigned level, uint64_t n, unsigned i,
	const uint8_t hash[HASH_LEN]),
    void *ctx);
void merkle_root(const struct merkle *m, uint8_t out[HASH_LEN]);

/*
 * Where tiles are read from: hashes of tile n at a level, 1..256 of them, as
 * many as the size asks for or more.  They are borrowed until the next call.
 */
struct tile_source {
	void *ctx;
	MUST_CHECK enum err_code (*get)(void *ctx, unsigned level, uint64_t n,
	    struct bytes *hashes, struct err *e);
};
#define PROOF_MAX 64
struct proof {
	uint8_t hash[PROOF_MAX][HASH_LEN];
	size_t n;
};
/* Rebuilds peaks of a tree of that size; ERR_CORRUPT "tile-short". */
MUST_CHECK enum err_code merkle_load(uint64_t size,
    const struct tile_source *tiles, struct merkle *out, struct err *e);
/*
 * Proofs in the order of RFC 6962 2.1.1 and 2.1.2.  A consistency proof from
 * size 0, or between equal sizes, is empty.
 * ERR_INVALID "proof-range", "proof-order"; ERR_CORRUPT "tile-short".
 */
MUST_CHECK enum err_code merkle_inclusion(uint64_t index, uint64_t size,
    const struct tile_source *tiles, struct proof *out, struct err *e);
MUST_CHECK enum err_code merkle_consistency(uint64_t old_size,
    uint64_t new_size, const struct tile_source *tiles, struct proof *out,
    struct err *e);
/* ERR_INVALID "proof-wrong". */
MUST_CHECK enum err_code merkle_check_inclusion(const struct proof *p,
    uint64_t index, uint64_t size, const uint8_t leaf[HASH_LEN],
    const uint8_t root[HASH_LEN], struct err *e);
MUST_CHECK enum err_code merkle_check_consistency(const struct proof *p,
    uint64_t old_size, uint64_t new_size, const uint8_t old_root[HASH_LEN],
    const uint8_t new_root[HASH_LEN], struct err *e);
/*
 * "tile/0/x001/067", "tile/0/000.p/12" for a partial one (width 1..255), C2SP.
 * TILE_PATH_MAX octets are enough.
 */
#define TILE_PATH_MAX 64
void tile_path(char *out, size_t size, unsigned level, uint64_t n,
    unsigned width);
/* The same backwards, also "tile/entries/…" (level -1). False: no tile. */
bool tile_path_parse(struct bytes path, int *level, uint64_t *n,
    unsigned *width);

/* --- Checkpoints (C2SP tlog-checkpoint in signed-note form) ----------------------------- */

#define CHECKPOINT_MAX 1024
struct checkpoint {
	struct bytes origin;
	uint64_t size;
	uint8_t root[HASH_LEN];
};
/* Text to sign: origin, size, base64 root, each on a line. */
void checkpoint_body(struct buf *out, const struct checkpoint *c);
/*
 * body, blank line, "— origin base64(key id || signature)" appended to note.
 * ERR_INVALID "checkpoint-origin", "checkpoint-key".
 */
MUST_CHECK enum err_code checkpoint_sign(const struct checkpoint *c,
    struct key *log_key, struct buf *note, struct err *e);
/*
 * checkpoint_verify - a note with exactly three lines of text whose origin is
 * this one and that carries one signature by the log's key.  Lines of other
 * signers (witnesses) are passed over, as signed-note says.
 *
 * spki       of the log's Ed25519 key.
 * out        its origin borrows from note.
 * ERR_INVALID "checkpoint-key", "checkpoint-form", "checkpoint-origin",
 * "checkpoint-other-log", "checkpoint-signature", "checkpoint-unsigned".
 */
MUST_CHECK enum err_code checkpoint_verify(struct bytes note,
    struct bytes origin, struct bytes spki, struct verifier *v,
    struct checkpoint *out, struct err *e);
/* C2SP vkey of the log: origin+hash+base64, for public tools. */
MUST_CHECK enum err_code checkpoint_vkey(struct bytes origin, struct bytes spki,
    struct buf *out, struct err *e);

/* --- Statements (doc/PROTOCOL.endorsement.md) --------------------------------------------- */

#define STATEMENT_MAX 8192

enum statement_type {
	STATEMENT_ENDORSEMENT, /* "refrendo/endorsement/v1", signed by a minister */
	STATEMENT_APPOINTMENT, /* "refrendo/appointment/v1", by an officer */
	STATEMENT_MANDATE,     /* "refrendo/mandate/v1", by a minister */
	STATEMENT_TYPES
};
#define MANDATE_RENEWALS_MAX 1000

/*
 * What a person signs.  Everything borrows.  For an appointment holder is the
 * minister who is appointed, request is the appointment's id, and act, from,
 * until and deputy are set; for an endorsement they are empty.  For a mandate
 * request is its id, and TBS, key, validity and version are empty.
 */
struct statement {
	enum statement_type type;
	struct bytes origin; /* of the log: this CA and no other */
	struct bytes request;
	int64_t request_version;
	int64_t endorsements;       /* ministers who must sign it; 0: one */
	struct bytes tbs_sha256;    /* 32 octets */
	struct bytes policy_sha256; /* 32 octets; empty for an appointment */
	struct bytes policy;        /* its name */
	int64_t policy_version;
	struct bytes issuer; /* name of the issuing CA */
	struct bytes institution, institution_name;
	struct bytes holder_run, holder_name, holder_office;
	struct bytes spki_sha256; /* 32 octets */
	int64_t not_before, not_after;
	struct bytes operator_run;         /* who asked */
	struct bytes act_number, act_date; /* appointment */
	int64_t from, until;               /* until: of a mandate too */
	bool deputy;
	/* Of a mandate: cert_profile() of what is renewed, how many times it
	 * may be, and for how long each. */
	struct bytes profile_sha256;
	int64_t renewals, life_s;
	/* Of one that lets a renewal bring another key: that which it begins
	 * with, 32 octets.  Empty: the key stays. */
	struct bytes rekey_sha256;
	uint64_t log_size;
	struct bytes log_root; /* 32 octets */
	struct bytes text_es;  /* what the signer certifies, in words */
	int64_t issued, expires;
};
/*
 * Appends the canonical bytes.  Both functions hold a statement to the same
 * rules; RUNs must be in their stored form with a right check digit.
 * ERR_INVALID "statement-member" (where.field), "statement-policy".
 */
MUST_CHECK enum err_code statement_print(const struct statement *s,
    struct buf *out, struct err *e);
/*
 * statement_in_words - what is signed, in Spanish, as the statement has it in
 * text_es, or in English, with the same facts: from the other members alone.
 */
void statement_in_words(const struct statement *s, bool spanish,
    struct buf *out);
/*
 * rekey_print - what the key of a certificate signs, so that under a mandate its
 * renewal may have another (PROTOCOL.endorsement section 5): canonical JSON,
 * appended.  Who asks and who judges write it alike; nobody sends it.
 *
 * old_tbs_sha256  of the certificate's TBS.
 * spki_sha256     of the new key's SubjectPublicKeyInfo.
 */
MUST_CHECK enum err_code rekey_print(struct bytes mandate,
    struct bytes old_tbs_sha256, struct bytes spki_sha256, struct buf *out,
    struct err *e);
/*
 * Canonical bytes only, exactly the members of its type; decoded values go
 * into the arena.
 * ERR_INVALID also "json-…", "statement-too-large", "statement-type".
 */
MUST_CHECK enum err_code statement_parse(struct bytes text, struct arena *a,
    struct statement *out, struct err *e);

/* A policy by its name, version and the hash of its file's bytes. */
struct policy_name {
	struct bytes name, sha256; /* 32 octets */
	int64_t version;
};
/*
 * What officers sign so that policies take effect: all of them together, at
 * one time.  "refrendo/policy-activation/v1"; everything borrows.
 */
#define ACTIVATION_FILES_MAX 12
struct activation_statement {
	struct bytes origin, id; /* id: "POL-2026-000001" */
	struct {
		struct policy_name is, base; /* base.name empty: none */
	} policy[ACTIVATION_FILES_MAX];      /* sorted by name */
	size_t n;
	int64_t effective;        /* when they take effect, from issued on */
	struct bytes proposed_by; /* RUN */
	uint64_t log_size;
	struct bytes log_root; /* 32 octets */
	struct bytes text_es;
	int64_t issued, expires; /* of the signatures */
};
/* As statement_print() and statement_parse(), with the same errors. */
MUST_CHECK enum err_code activation_print(const struct activation_statement *s,
    struct buf *out, struct err *e);
MUST_CHECK enum err_code activation_parse(struct bytes text, struct arena *a,
    struct activation_statement *out, struct err *e);
/* As statement_in_words(). */
void activation_in_words(const struct activation_statement *s, bool spanish,
    struct buf *out);
/* Is this the statement of an activation, good or not? */
bool statement_is_activation(struct bytes text);

/* --- Ceremonies: what an offline root signs (doc/ceremony.md) ------------------------------ */

/*
 * Objects of the root, by the hash of what is to be signed: officers sign this
 * statement, the root then signs just those bytes.  "refrendo/ceremony/v1";
 * everything borrows.
 */
#define CEREMONY_OBJECTS_MAX  8
#define CEREMONY_EVIDENCE_MAX 16
#define CEREMONY_FILE_MAX     (1u << 20)
#define CEREMONY_LIFE_S       (30 * DAY) /* from the statement to its import */

enum ceremony_kind {
	CEREMONY_CERTIFICATE,
	CEREMONY_CRL,
	CEREMONY_KEY,   /* a CA's key is destroyed: the root signs nothing */
	CEREMONY_CROSS, /* a certificate over the key of a CA that is not ours */
	CEREMONY_CEILINGS, /* another signer.yaml: the root signs nothing */
	CEREMONY_ROOT, /* another root: the one before signs nothing for it */
	CEREMONY_KINDS
};
const char *ceremony_kind_name(enum ceremony_kind k); /* "certificate", "crl" */
/* Officers sign the whole object, and the root nothing: ceilings, a root. */
bool ceremony_is_whole(enum ceremony_kind k);
struct ceremony_statement {
	struct bytes origin, id;  /* id: "CER-2026-000001" */
	struct bytes root_sha256; /* of the root's certificate */
	/* Of ceilings: SHA-256 of the file that they replace, and who may sign
	 * by them, as ceilings_people() says it; else empty. */
	struct bytes base_sha256, people;
	struct {
		enum ceremony_kind kind;
		struct bytes name;       /* of the CA; of a CRL its root */
		struct bytes tbs_sha256; /* of a key: its CA's certificate; of
					  * ceilings: the file; of a root: its
					  * certificates, ceremony_roots_read() */
		struct bytes replaces;   /* of a certificate: the CA whose key
					  * this one replaces, under the
					  * same subject; empty: none */
	} object[CEREMONY_OBJECTS_MAX];  /* no two of one kind and name; a key
					 * stands alone */
	size_t n;
	struct bytes proposed_by; /* RUN */
	uint64_t log_size;
	struct bytes log_root; /* 32 octets */
	struct bytes text_es;
	int64_t issued, expires;
};
/* As activation_print() and activation_parse(), with the same errors. */
MUST_CHECK enum err_code ceremony_print(const struct ceremony_statement *s,
    struct buf *out, struct err *e);
MUST_CHECK enum err_code ceremony_parse(struct bytes text, struct arena *a,
    struct ceremony_statement *out, struct err *e);
bool statement_is_ceremony(struct bytes text);
/* What officers read of a ceremony that its statement does not say. */
struct ceremony_told {
	struct bytes object; /* that it names by hash: a TBS, or the ceilings */
	struct bytes policy; /* of a cross-certificate: whose limits it has */
	struct bytes revokes; /* of a list: the name of the CA that it adds */
	struct bytes reason;  /* as it was given; empty: none */
};
/*
 * ceremony_text - what is signed, in Spanish, as the statement has it in
 * text_es, or in English, with the same facts: whose certificate, which list,
 * key or ceilings, within which limits, and the reason.  s names one object,
 * whose hash is not compared here; s->text_es is not read.
 *
 * Errors of cert_parse(), crl_tbs_parse() and ceilings_read().
 */
MUST_CHECK enum err_code ceremony_text(const struct ceremony_statement *s,
    const struct ceremony_told *t, struct arena *a, bool spanish,
    struct buf *out, struct err *e);
/* A certificate by its TBS alone, with a signature of nobody; out borrows of
 * the arena. */
MUST_CHECK enum err_code cert_tbs_parse(struct bytes tbs, struct arena *a,
    struct cert *out, struct err *e);

/*
 * What travels to the root and back, as one canonical JSON object: a request
 * has TBS bytes and the officers' signatures, an answer what the root signed
 * and the transcript of who did what.
 */
struct ceremony_file {
	bool is_answer;
	struct bytes statement; /* the exact bytes that were signed */
	struct ceremony_statement is;
	struct bytes object[CEREMONY_OBJECTS_MAX];
	struct bytes evidence[CEREMONY_EVIDENCE_MAX]; /* CMS; of a request */
	size_t n_evidence;
	struct bytes transcript; /* UTF-8; of an answer */
};
/* Reads statement, object, evidence or transcript of f; buf_end() tells. */
void ceremony_file_print(const struct ceremony_file *f, struct buf *out);
/*
 * ceremony_file_parse - either file; every object is the one that the
 * statement names by its hash.  Nothing else is judged: ceremony_judge().
 *
 * ERR_INVALID "ceremony-form", "ceremony-object" (arg: its name), "json-…",
 * those of ceremony_parse().
 */
MUST_CHECK enum err_code ceremony_file_parse(struct bytes text, struct arena *a,
    struct ceremony_file *out, struct err *e);

/* One object of a file, read; which of the two its kind says. */
struct ceremony_object {
	struct bytes der; /* in the arena; with a signature of nobody in a
			   * request */
	struct cert cert;
	struct crl crl;
};
/*
 * ceremony_judge - may this root sign it, or did it: of this root's name and
 * key, within its time; a certificate of an issuing CA, one that can make no
 * other CA, without purposes; a complete CRL for at most 400 days.  An answer's
 * signatures are checked.
 *
 * out        one for each object of the file.
 * ERR_DENIED "ceremony-root" (no root, or another than the statement names),
 * "ceremony-not-signed" (a key that is destroyed, ceilings, another root), "ceremony-issuer", "ceremony-key" (the root's own), "ceremony-usage",
 * "ceremony-extension", "ceremony-times", "ceremony-list", what the lint finds, "key-weak-…";
 * ERR_INVALID what cert_parse(), crl_tbs_parse() and verifier_check() say.
 */
MUST_CHECK enum err_code ceremony_judge(const struct ceremony_file *f,
    const struct cert *root, struct verifier *v, struct arena *a,
    struct ceremony_object out[CEREMONY_OBJECTS_MAX], struct err *e);

/* --- Another root (decision 0058) ------------------------------------------------------------ */

#define ROOTS_MAX    8      /* generations, the first included */
#define ROOT_OLD_END "-old" /* NAME-old: the one before, signed by NAME */
/* A root, and with its key the certificate over the key of the one before
 * (OldWithNew, RFC 4210 4.4); both borrow. */
struct ceremony_roots {
	struct cert root, link; /* link.der.len 0: there is none */
};
/*
 * ceremony_roots_read - the object of a ceremony about another root: one
 * certificate or two, in DER, the second behind the first.
 *
 * ERR_DENIED "ceremony-new-root" (not under the subject of old with a key and
 * an identifier of its own), "ceremony-link" (not over the key of old, or not by
 * the new one); ERR_INVALID what cert_parse() and verifier_check() say.
 */
MUST_CHECK enum err_code ceremony_roots_read(struct bytes object,
    const struct cert *old, struct verifier *v, struct ceremony_roots *out,
    struct err *e);
/* Also what changes with the rules of the house.  ERR_DENIED "ceremony-link", what
 * the lint finds, "key-weak-…". */
MUST_CHECK enum err_code ceremony_roots_lint(const struct ceremony_roots *r,
    struct err *e);
/* That object from files, each behind its length, PEM or DER.  ERR_INVALID
 * "ceremony-root-files", what pem_or_der() says. */
MUST_CHECK enum err_code ceremony_roots_pack(struct bytes files,
    struct buf *out, struct err *e);

/* The roots that are known, and which of them is in force. */
struct root_set {
	struct cert cert[ROOTS_MAX];
	size_t n, in_force; /* in_force == n: none */
};
/* The one with this certificate; n when there is none. */
size_t root_set_find(const struct root_set *s, struct bytes sha256);

/* --- Ceilings: how they came in force -------------------------------------------------------- */

enum ceilings_how {
	CEILINGS_FIRST,  /* they lay there when the signer began to keep them */
	CEILINGS_AGREED, /* officers signed them */
	CEILINGS_LESSENED,  /* they only take away: root's hand is enough */
	CEILINGS_REFOUNDED, /* root began anew, without the officers */
	CEILINGS_KEPT, /* in the log alone: the signer did not take what came
			  after them */
	CEILINGS_HOWS
};
const char *ceilings_how_name(enum ceilings_how how);    /* "lessened" */
enum ceilings_how ceilings_how_parse(struct bytes word); /* or CEILINGS_HOWS */

/* --- What a signer takes because officers signed it ---------------------------------------- */

enum agreed_kind {
	AGREED_ENDED, /* only its end is known */
	AGREED_MINISTER,
	AGREED_POLICY,
	AGREED_CA,
	AGREED_KEY,     /* that was destroyed */
	AGREED_MANDATE, /* a minister's; counted */
	AGREED_CEILINGS,
	AGREED_ROOT,
	AGREED_KINDS
};
#define CEREMONY_CA_ID    "ca/"
#define CEREMONY_KEY_ID   "key/"
#define CEREMONY_LATE_S   (7 * DAY)
#define CEREMONY_NAME_MAX 40 /* of a CA */
struct agreement {
	enum agreed_kind kind;
	struct bytes origin, id; /* id: "POL-2026-000001"; "ca/NAME" */
	struct policy_name item[ACTIVATION_FILES_MAX]; /* or the TBS of a CA,
	     the public half of a key that is destroyed, a root's certificate */
	size_t n;
	struct bytes ends; /* the id that ends with it, "ca/NAME" of the CA
			    * whose key a new one replaces; empty: none */
	struct bytes base, people; /* of ceilings, as in their statement */
	bool is_past; /* the root that it names is not the one in force */
	int64_t from; /* in force */
	int64_t issued, expires;
	int64_t life_s; /* most that lies between the two; 0: as ceilings say */
};
/*
 * agreement_read - a statement of any kind, as a signer keeps it.
 *
 * certificate  of a ceremony: what the root signed, or the CA's whose key is
 *              destroyed: the object that the statement names, by this root;
 *              of ceilings the file, octet for octet, which is read by the
 *              caller; of a root its certificates, judged against the one in
 *              force unless is_past; else empty.
 * roots        what was agreed on is told again when another root is in force:
 *              the statement names one of them.
 *
 * A CA has its name for an id, so that a name comes once.  It may be told
 * CEREMONY_LATE_S later: the signer may have been away while core took the
 * answer in time.
 *
 * ERR_DENIED "ceremony-one-ca"; ERR_INVALID "ceremony-object"; those of
 * activation_parse(), ceremony_parse() and ceremony_judge().
 */
MUST_CHECK enum err_code agreement_read(struct bytes statement,
    struct bytes certificate, const struct root_set *roots, struct verifier *v,
    struct arena *a, struct agreement *out, struct err *e);

/*
 * agreement_ceilings - the file of an agreement on ceilings, read, and held
 * against what its statement says of it.  To be asked when officers are known
 * to have signed: nobody else's file is read.
 *
 * in_force  SHA-256 of the file that it would replace.
 *
 * ERR_DENIED "ceremony-ceilings-base", "ceremony-ceilings-people"; what
 * ceilings_read() says.
 */
struct ceilings;
MUST_CHECK enum err_code agreement_ceilings(const struct agreement *g,
    struct bytes in_force, struct bytes file, struct ceilings *out,
    struct err *e);

/* --- Export and its offline verification ----------------------------------------------------- */

/*
 * One file of lines, each a canonical JSON object: a header; the CA
 * certificates; every entry with salt and detail; the CRLs; the checkpoint.
 * The writer functions append one line each.
 */
void export_header(struct buf *out, struct bytes origin, int64_t now);
void export_certificate(struct buf *out, const char *role, const char *name,
    struct bytes der);
void export_policy(struct buf *out, struct bytes text);
void export_entry(struct buf *out, const struct entry *e);
/*
 * The same with the leaf hash that the store keeps in its tile: a leaf that
 * changed afterwards is then named by the verifier.  Prefer it.
 */
void export_entry_stored(struct buf *out, const struct entry *e,
    const uint8_t hash[HASH_LEN]);
/* The same glance at a line, without its line feed; false for other lines. */
bool export_glance(struct bytes line, enum entry_type *type, int64_t *time);
/*
 * export_entry_read - leaf, salt and detail of such a line, to be judged by
 * entry_parse().
 *
 * keep       what out borrows from, beside the arena; freed by the caller.
 * ERR_INVALID "export-no-entry", "json-…".
 */
MUST_CHECK enum err_code export_entry_read(struct bytes line,
    struct json **keep, struct arena *a, struct entry *out, struct err *e);
void export_crl(struct buf *out, const char *issuer, struct bytes der);
void export_checkpoint(struct buf *out, struct bytes note);

/* The longest line is a CRL of CRL_MAX_BYTES in base64. */
#define EXPORT_LINE_MAX (48u << 20)

struct audit_report {
	uint64_t entries, endorsements, appointments, certificates, revocations,
	    policies, crls, erased;
	uint64_t unsigned_ceilings; /* which gave rights without officers */
	uint64_t unsigned_at;       /* index of the last of those */
	uint64_t unproven;    /* renewals of which nobody can say whether they
				 have a new key without its proof */
	uint64_t unproven_at; /* index of the last of those */
	uint8_t root[HASH_LEN];
	int64_t checkpoint_size;
};
struct audit;
/*
 * spki: the log's public key, copied; the only thing that is trusted.  The
 * verifier keeps some 600 octets for each certificate, so 100,000 of them fit
 * in memory; it ends the process without memory, as an arena does.
 * ERR_NOMEM.
 */
MUST_CHECK enum err_code audit_new(struct bytes log_spki, struct audit **out,
    struct err *e);
void audit_free(struct audit *a);
OWNED(audit);
/*
 * One line without its line feed, any octets at all; faults go to the list as
 * "audit-…" (INVALID, or CORRUPT where hashes disagree), with "entry N" in
 * where.field or the line in where.line, and the verifier goes on.  A fault
 * that a lower layer found is "audit-below", with its id in why.
 */
void audit_line(struct audit *a, struct bytes line, struct err_list *faults);
/*
 * After the last line: tree root == checkpoint; every endorsement is a CMS of
 * a minister whose appointment was in force, over a statement that names the
 * TBS of the certificate; minister, operator and holder three persons; every
 * certificate has its intent and endorsement before it, an issuer's valid
 * signature, a policy whose bytes are in the log; serials unique; every
 * status change agrees with the newest CRL of its issuer and the reverse.
 */
void audit_finish(struct audit *a, struct audit_report *report,
    struct err_list *faults);

/* --- Status packs (doc/PROTOCOL.pack.md) ---------------------------------------------- */

/*
 * A pack is a file of lines like those of an export: a header; for each CRL
 * its line, the entry crl.published with salt and detail, and a C2SP
 * tlog-proof of that entry; an end.  Nothing in it is signed for the pack: the
 * CAs signed the CRLs, the log its checkpoints.  The writer functions append
 * one line each; CRL and entry lines are those of export_crl() and
 * export_entry().
 */
#define PACK_FORMAT    "refrendo/status-pack/v1"
#define PACK_MAX       (64u << 20) /* octets */
#define PACK_LISTS_MAX 64
void pack_header(struct buf *out, struct bytes origin, int64_t now);
void pack_proof(struct buf *out, struct bytes tlog_proof);
void pack_end(struct buf *out, size_t lists);

struct pack_list {
	struct bytes issuer; /* name of the CA */
	struct crl crl;
	uint64_t index;    /* of its entry */
	uint64_t log_size; /* of the checkpoint that covers the entry */
	uint64_t covers;   /* size of the log that the list was made from */
};
struct pack {
	struct bytes origin;
	int64_t created; /* seconds since 1970, and nobody's promise */
	struct pack_list list[PACK_LISTS_MAX];
	size_t n;
};
/*
 * pack_read - every list is in the log, and a delta behind the one it amends: its entry names the hash of its TBS,
 * and is under a checkpoint that the log's key signed.  Who signed the lists
 * is left to pack_status().
 *
 * text      at most PACK_MAX octets from anybody.  *out lives in the arena.
 * log_spki  of the log's Ed25519 key: the only thing that is trusted here.
 *
 * ERR_CORRUPT "pack-form"; ERR_INVALID "proof-wrong" and what
 * checkpoint_verify() refuses.
 */
MUST_CHECK enum err_code pack_read(struct bytes text, struct bytes log_spki,
    struct arena *a, struct verifier *v, struct pack *out, struct err *e);

enum pack_state { PACK_GOOD, PACK_REVOKED, PACK_HELD, PACK_UNKNOWN };
struct pack_answer {
	enum pack_state state;
	const struct pack_list *list;   /* that says so; NULL: none is for it */
	const struct pack_list *newest; /* its delta, or list: as of when */
	int64_t revoked_at;             /* 0 unless revoked or held */
	int reason;                     /* RFC 5280 5.3.1 */
};
/*
 * pack_status - of a certificate that the caller has found signed by issuer.
 * Unknown: no list is for it, or it began after the list was made, or had
 * ended before.
 *
 * now  for what has ended or has not begun.
 *
 * ERR_DENIED "crl-expired", "crl-future", "crl-sign-usage"; what
 * verifier_check() refuses: the list is not that CA's.
 */
MUST_CHECK enum err_code pack_status(const struct pack *p,
    const struct cert *cert, const struct cert *issuer, int64_t now,
    struct verifier *v, struct pack_answer *out, struct err *e);

#endif
