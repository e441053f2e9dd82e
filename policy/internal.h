/*
 * What the files of policy/ share: the tree of a YAML file, the rows that
 * describe its keys, and the values decoded with them.
 */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

/* --- Tree -------------------------------------------------------------------- */

enum node_kind {
	NODE_TEXT,
	NODE_MAP,
	NODE_LIST,
	NODE_BAD /* already reported: whoever meets it stays silent */
};

struct node {
	enum node_kind kind;
	bool plain;         /* a text without quotes */
	bool block;         /* a text after | or > */
	struct bytes text;  /* of NODE_TEXT, NUL-terminated, valid UTF-8 */
	uint32_t line, col; /* from 1, in characters */
	uint32_t width;     /* characters on that line, at least 1 */
	const struct policy_file *file;
	const struct node *parent;
	struct node *key; /* in a map; of a key itself; else NULL */
	struct node *child, *last, *next;
	size_t n, index; /* children; place among the parent's */
};

/* One file being read. */
struct load {
	const struct policy_file *file;
	struct arena *arena; /* owns the tree */
	struct findings *f;
	size_t errors_before; /* f->errors when this file began */
	bool partial; /* the YAML broke off: what is missing may stand behind */
	const struct node *extends; /* where what is inherited is told of */
};

#define ENTRIES_MAX 256  /* of one map or list */
#define NODES_MAX   4096 /* of one file */

/*
 * The root map, or NULL when nothing can be judged.  Where the YAML breaks off
 * the whole values before that are there, and l->partial is set.
 */
struct node *tree_read(struct load *l);
const struct node *node_find(const struct node *map, const char *key);

/* Control, bidirectional and other characters that nobody sees. */
bool text_clean(struct bytes text);
/* One character of valid UTF-8; moves *p behind it. */
uint32_t utf8_next(const uint8_t **p, const uint8_t *end);

/* --- Findings ----------------------------------------------------------------- */

#define FINDINGS_MAX 500 /* kept; all are counted */

/* Place and key path of a node, for err_at(). */
struct where where_of(const struct load *l, const struct node *n);
struct where where_at(const struct load *l, uint32_t line, uint32_t col);
/*
 * The place and the width of octets of a text, where the file writes each
 * character as itself; else those of the whole text.
 */
uint32_t place_in(const struct load *l, const struct node *n, size_t from,
    size_t len, struct where *at);
/* Adds e, a hint, and the width under the caret. */
void report(struct load *l, uint32_t width, const struct err *e,
    const char *hint, ...) __attribute__((format(printf, 4, 5)));
void report_warning(struct load *l, uint32_t width, const struct err *e,
    const char *hint, ...) __attribute__((format(printf, 4, 5)));
bool load_clean(const struct load *l); /* no error in this file so far */
/* Puts those since from into the order of the text. */
void findings_sort(struct findings *f, size_t from);
/* Appends those of one to f; one is empty then. */
void findings_take(struct findings *f, struct findings *one);

/* --- Rows ------------------------------------------------------------------------ */

enum row_type {
	T_TEXT,     /* min..max characters */
	T_SLUG,     /* a-z 0-9 and single dashes */
	T_INT,      /* min..max */
	T_BOOL,     /* true, false */
	T_DURATION, /* 90s 15m 6h 30d 2y, min..max seconds */
	T_PERCENT,  /* 50% */
	T_SIZE,     /* 16GiB, min..max octets */
	T_OID,
	T_WORD,  /* one of words; n is its value */
	T_REF,   /* name@version: text and n */
	T_DATE,  /* a day, in quotes: n is its first second in UTC */
	T_ZONE,  /* UTC, -03:00, America/Santiago: text */
	T_EXPR,  /* a condition: text */
	T_TEXTS, /* a list of at least one text, each of min..max characters */
	T_SPANS, /* a list of durations, falling, as T_INTS */
	T_WORDS, /* a list of at least min words; n is the sum of bits */
	T_INTS,  /* a list of at most ENTRIES whole numbers, min..max each */
	T_TMPL,  /* text with {facts} */
	T_SUBJECT, /* a map from attribute to template */
	T_MAP,     /* sub, decoded in place: into is the sub-structure */
	T_LIST     /* a list of min..max maps, each as sub */
};

#define REQUIRED 1u /* absent is an error */
/*
 * How a refinement may change what its base says; rows of policies have one
 * each.  Without any: freely.
 */
#define OWN     4u   /* never inherited */
#define EQUAL   8u   /* not at all, once the base says it */
#define SHORTER 16u  /* numbers: the same or less; words: stricter, so lower */
#define MORE    32u  /* the same or more: words, numbers, true */
#define FEWER   64u  /* a subset of the words */
#define KEEPS   128u /* a list or map with all that the base's has */
#define ADDS    256u /* a list that is added to the base's */
#define WHOLE   512u /* a map whose required keys count where it stands */

struct word {
	const char *word;
	int64_t value;
	const char *refused; /* what to write instead; NULL: it may be used */
	bool later;          /* refused only until a later version */
};

struct row {
	const char *key;
	enum row_type type;
	unsigned flags;
	int64_t min, max;
	const char *usual; /* default, as the file would say it; NULL: none */
	size_t into; /* offset of a struct value, or of the sub-structure */
	const struct word *words; /* ends with { NULL } */
	const struct table *sub;
	const char *rule; /* the text that sets min and max */
	const char *doc;  /* one sentence for the reference */
};

/* Keys that people expect here, with why they will not find them. */
struct foreign {
	const char *key, *hint;
};

struct table {
	const char *what; /* "a policy" */
	const struct row *rows;
	size_t n;
	size_t size;                   /* of the sub-structure, for T_LIST */
	const struct foreign *foreign; /* ends with { NULL, NULL } */
};

/* One value as the file says it. */
struct value {
	const struct node *at; /* never NULL after rows_decode() */
	bool ok;               /* no error; else the rest is zero */
	bool given;            /* by the file, not by a default */
	int64_t n;
	struct bytes text;
	struct oid oid;
	struct tmpl tmpl;
	const struct expr *expr;
	void *items; /* T_LIST: of sub->size; T_INTS, T_SPANS: int64_t; T_TEXTS:
		      * struct bytes; T_SUBJECT: struct said_subject */
	size_t count;
};

#define OFF(type, member) offsetof(struct type, member)

void rows_decode(struct load *l, const struct node *map, const struct table *t,
    void *into);
/* Reported when not: keys with values; a list or map of min..max entries. */
bool is_map(struct load *l, const struct node *n, const struct table *t);
bool is_count(struct load *l, const struct node *n, size_t min, size_t max);
bool subject_decode(struct load *l, const struct node *n, struct value *v);
/* What a row lets one write: "90s to 15m", "csr", for hints and reference. */
void row_range(const struct row *r, char *out, size_t size);
/* The words that may be used, "a, b, c". */
void words_list(const struct word *words, char *out, size_t size);

/* How YAML programs read a text without quotes. */
enum plain {
	PLAIN_TEXT,
	PLAIN_BOOL,     /* true, false */
	PLAIN_INT,      /* decimal, without leading zero */
	PLAIN_FLOAT,    /* 1.5 */
	PLAIN_NULL,     /* ~ null and nothing */
	PLAIN_AMBIGUOUS /* YAML 1.1 and 1.2 disagree, or programs do */
};
enum plain plain_kind(struct bytes text);

/* Types of single values; false: reported. */
bool scalar_decode(struct load *l, const struct node *n, const struct row *r,
    struct value *v);
bool text_is(struct load *l, const struct node *n, const char *want);
bool word_decode(struct load *l, const struct node *n, const struct row *r,
    int64_t *out);
void duration_print(char out[24], int64_t seconds);
void size_print(char out[24], int64_t octets);

/* Cut into literals and facts. */
bool tmpl_decode(struct load *l, const struct node *n, struct tmpl *out);
bool tmpl_uses(const struct tmpl *t, enum policy_fact fact);
/* The text with facts filled in. */
struct bytes tmpl_text(const struct tmpl *t, const struct policy_facts *facts,
    struct arena *a);
/* The text of one fact; empty: not known. */
struct bytes tmpl_fact(const struct tmpl_part *part,
    const struct policy_facts *facts);

/*
 * A condition; NULL: reported.  The result is in the arena of the load: keep it
 * with expr_copy().
 */
const struct expr *expr_decode(struct load *l, const struct node *n);
/*
 * Appends conditions that must all be true as one.  The text is canonical; what
 * it compiles to may be larger than one condition can be.
 */
void expr_print_all(struct buf *out, const struct policy_condition *c,
    size_t n);
/* The facts of conditions with their types, for the reference. */
void expr_reference(struct buf *out);

/* Attributes of names that a policy can write, in the order of the help. */
extern const enum pkix_oid subject_types[];
extern const size_t n_subject_types;

/* --- The three kinds of file ------------------------------------------------------- */

extern const struct word key_words[], usage_words[], eku_words[], qc_words[],
    holder_person_words[], holder_institution_words[], string_words[],
    name_kind_words[];
extern const struct table attr_table, alt_table, der_table, subtree_table,
    cert_policy_table, endorsement_table, ocsp_table, usage_table;
extern const struct table policy_table, ceilings_table, config_table;
/* Keys of signer.yaml: each has a row in ceilings.c and in ceilings_less.c. */
#define CEILINGS_MEMBERS 26

/* Of a word list with bits: the first word whose bit is in set. */
const char *word_of_bit(const struct word *words, int64_t bit);
/* Those words whose bits are in set, "a, b, c". */
void words_of_bits(const struct word *words, int64_t set, char *out,
    size_t size);
/* The entry of a list that says this bit, or the list itself. */
const struct node *entry_of(const struct value *v, const struct word *words,
    int64_t bit);

/* What a policy file says. */
struct said_alt {
	struct value other, ia5, utf8, printable, email, dns, ip, uri,
	    directory;
};
struct said_attr {
	struct value value, string, max, too_long;
};
struct said_condition {
	struct value must, say, es;
};
struct said_pds {
	struct value url, lang;
};
struct said_extension {
	struct value oid, critical;
	struct {
		struct value utf8, ia5, printable, hex;
	} der;
};
struct said_subtree {
	struct value email, dns, uri, ip, directory;
};
struct said_cert_policy {
	struct value oid, cps, notice;
};
struct said_subject {
	enum pkix_oid type;
	struct tmpl value;
	enum name_string string;
	int64_t max;
	bool clip;
	const struct node *at;
	bool ok;
};
struct said_policy {
	struct value name, version, extends, base, issuer, subject, conditions;
	struct {
		struct value kinds, institutions, when;
	} holders;
	struct {
		struct value subject_alt, issuer_alt;
	} names;
	struct value certificate_policies;
	struct {
		struct value modes, allowed, reuse;
	} keys;
	struct {
		struct value usual, max, backdate, renew_window, overlap, ends,
		    zone, issuer;
	} validity;
	struct {
		struct value key, extended, critical;
	} usage;
	struct {
		struct value compliance, sscd, types, retention, pds, countries,
		    semantics;
		struct {
			struct value currency, amount, exponent;
		} limit;
	} qc;
	struct value extensions;
	struct {
		struct value path_length, permitted, excluded;
	} subordinate;
	struct {
		struct value required, evidence, authenticator, distinct_from,
		    request_ttl, statement_ttl, batch_max, renewal;
	} endorsement;
	struct {
		struct value holder, operator, suspend_max;
	} revocation;
	struct {
		struct {
			struct value validity, refresh, nonce, archive_cutoff;
		} ocsp;
		struct {
			struct value every, on_revoke, overlap, partition,
			    delta;
		} crl;
	} status;
	struct {
		struct value before_end;
	} notify;
};

/* A subordinate CA: its own usages, and nothing of a holder's. */
bool policy_is_ca(const struct said_policy *s);

/* --- Composition --------------------------------------------------------------- */

/* What a refinement says, with what it inherits, as one map. */
struct node *compose(struct load *l, const struct node *own,
    const struct node *base, const struct table *t);
/* Whether all that a refinement gives narrows what its base says. */
void policy_check_narrow(struct load *l, const struct node *own,
    const struct said_policy *s, const struct said_policy *base);
/* The same keys, values and order of lists. */
bool node_same(const struct node *a, const struct node *b);

/* Cross-field checks, then ceilings. */
void policy_check(struct load *l, const struct said_policy *s);
void policy_check_ceilings(struct load *l, const struct said_policy *s,
    const struct ceilings *c);
/* Any mention of a broken hash, anywhere in the tree. */
void refuse_weak_hashes(struct load *l, struct node *n);
/* Law 19.799 article 15: what a certificate must say of its holder. */
void policy_check_holder(struct load *l, const struct said_policy *s);
void policy_check_names(struct load *l, const struct said_policy *s);
/* Statements, private extensions, constraints, conditions. */
void policy_check_parts(struct load *l, const struct said_policy *s);
/* Names, statements and extensions against the ceilings. */
void policy_check_parts_ceilings(struct load *l, const struct said_policy *s,
    const struct ceilings *c);
/*
 * One alternative name as it is with these facts; *cut: which attributes of a
 * directory name were, bit i.
 */
enum err_code alt_fill(const struct alt_name *from,
    const struct policy_facts *facts, struct arena *a, struct general_name *to,
    uint32_t *cut, struct err *e);
/* The same for attributes of a name. */
enum err_code name_fill(const struct subject_attr *attr, size_t n,
    const struct policy_facts *facts, struct arena *a, struct bytes *der,
    uint32_t *cut, struct err *e);
/* The element of a private extension. */
enum err_code extension_fill(const struct policy_extension *x,
    const struct policy_facts *facts, struct arena *a, struct bytes *der,
    struct err *e);
/* Somebody who does not exist, to try literals and alphabets on. */
void sample_facts(struct policy_facts *out, const struct tmpl *t);

/* What was said to what was validated, in the arena of the set. */
struct kept_set {
	const struct policy_file *files;
	struct policy *policy; /* policy i is that of file i */
};
void policy_keep(struct arena *a, const struct kept_set *set, size_t index,
    const struct said_policy *s); /* its extends is set */
/* The value that an alternative name was given, or NULL, and its kind. */
const struct value *alt_value(const struct said_alt *s, enum name_kind *kind);
/* Of a person, and of nobody else. */
bool fact_is_personal(int fact);
void qc_keep(struct arena *a, struct qc_statements *out,
    const struct said_policy *s);
void extension_keep(struct arena *a, struct policy_extension *out,
    const struct said_extension *s);
struct oid qc_semantics(int64_t word); /* empty for 0 */
enum err_code subtree_read(struct arena *a, const struct said_subtree *s,
    struct general_name *out, struct err *e);

#endif
