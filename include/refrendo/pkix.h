/*
 * pkix - X.509 with nothing of our policy in it: strict DER, PKCS #10
 * requests, certificates read in place and built from parts, names, keys,
 * CMS evidence, lint, and the Chilean RUN/RUT.
 *
 * Pure: bytes, now and randomness are arguments; the one exception is
 * key_load(), which opens the URI it is given (signer and cli only).
 * Decoding is ours and strict (DER only); OpenSSL computes.  Used by every
 * process that sees a certificate.
 */
#ifndef REFRENDO_PKIX_H
#define REFRENDO_PKIX_H

#include <refrendo/base.h>

/* --- DER ------------------------------------------------------------------ */

#define DER_DEPTH_MAX 32

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_CONTEXT(n)      (0x80u | (n)) /* primitive [n] */
#define DER_CONTEXT_CONS(n) (0xa0u | (n)) /* constructed [n] */

/*
 * der_strict - one walk over one whole element: definite and minimal
 * lengths, single-octet tags, minimal INTEGER, BOOLEAN 00 or FF, BIT STRING
 * padding zero, NULL empty, OIDs well formed, strings primitive, elements of
 * a SET in order, depth <= DER_DEPTH_MAX, nothing left over (X.690 10, 11).
 * It does not look inside OCTET STRINGs: walk again what is decoded from one.
 *
 * ERR_INVALID "der-short", "der-tag", "der-length", "der-constructed",
 * "der-integer", "der-boolean", "der-bits", "der-null", "der-oid",
 * "der-set-order", "der-depth", "der-trailing", all with where.byte.
 */
MUST_CHECK enum err_code der_strict(struct bytes der, struct err *e);

/*
 * der - a cursor over the elements of one constructed value.  Reading is
 * sticky: after the first fault gets return false or zero and bad stays set.
 */
struct der {
	const uint8_t *p, *end;
	bool bad;
};
struct der der_of(struct bytes content);
bool der_end(const struct der *d);     /* nothing left and never bad */
uint8_t der_peek(const struct der *d); /* next tag, 0 at the end */
/* The content of the next element, which must have this tag. */
struct bytes der_get(struct der *d, uint8_t tag);
/* A cursor inside the next element, which must have this tag. */
struct der der_enter(struct der *d, uint8_t tag);
/* The next element whole, tag and length included; any tag. */
struct bytes der_element(struct der *d);
/* If the next tag is this one, its content in *out and true. */
bool der_optional(struct der *d, uint8_t tag, struct bytes *out);
bool der_get_bool(struct der *d);
int64_t der_get_int(struct der *d); /* 0..2^53; bad otherwise */
/* UTCTime or GeneralizedTime, seconds and Z (RFC 5280 4.1.2.5). */
int64_t der_get_time(struct der *d);

/*
 * der_w - writes DER from the end to the front, so that lengths are known
 * when they are written.  Sticky like buf.  The caller owns the memory.
 */
struct der_w {
	uint8_t *start;
	size_t at, size; /* used: start[at..size) */
	bool full;
};
struct der_w der_w_of(uint8_t *memory, size_t size);
size_t der_mark(const struct der_w *w); /* for der_wrap */
void der_raw(struct der_w *w, struct bytes b);
void der_put(struct der_w *w, uint8_t tag, struct bytes content);
void der_wrap(struct der_w *w, uint8_t tag, size_t mark); /* since mark */
void der_put_uint(struct der_w *w, uint64_t v);
/* A positive INTEGER from big-endian octets without sign octet. */
void der_put_integer(struct der_w *w, struct bytes magnitude);
void der_put_bool(struct der_w *w, bool v);
void der_put_bits(struct der_w *w, uint8_t unused, struct bytes content);
void der_put_oid(struct der_w *w, struct bytes oid); /* content octets */
/*
 * UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5); what
 * lies outside the years 0 to 9999 makes the writer full.
 */
void der_put_time(struct der_w *w, int64_t t);
void der_put_generalized(struct der_w *w, int64_t t);
/* What was written; ERR_NOMEM "der-full" when it did not fit. */
MUST_CHECK enum err_code der_w_end(const struct der_w *w, struct bytes *out,
    struct err *e);

#define OID_MAX 32 /* content octets */
struct oid {
	uint8_t p[OID_MAX];
	uint8_t len;
};
/*
 * "1.3.6.1.4.1.8321.1" <-> content octets; arcs up to 2^128 - 1, since those
 * below 2.25 are UUIDs.  ERR_INVALID "oid-text".  oid_print() clips to size
 * and ends the text with NUL.
 */
MUST_CHECK enum err_code oid_parse(struct bytes text, struct oid *out,
    struct err *e);
void oid_print(char *out, size_t size, struct bytes oid);
struct bytes oid_bytes(const struct oid *o);

/* OIDs used by more than one folder; content octets. */
enum pkix_oid {
	OID_CN,
	OID_C,
	OID_O,
	OID_OU,
	OID_TITLE,
	OID_SERIAL_NUMBER,
	OID_GIVEN_NAME,
	OID_SURNAME,
	OID_EMAIL,
	OID_L,
	OID_ST,
	OID_INITIALS,
	OID_PSEUDONYM,
	OID_ORGANIZATION_ID, /* 2.5.4.97, EN 319 412-1 5.1.4 */
	/* Purposes: early, since sets of them are 32 bits. */
	OID_EKU_CLIENT,
	OID_EKU_EMAIL,
	OID_EKU_OCSP,
	OID_EKU_SERVER,
	OID_EKU_CODE,
	OID_EKU_TIME,     /* critical and alone (RFC 3161 2.3) */
	OID_EKU_DOCUMENT, /* RFC 9336 */
	/* Private, critical, of ministers' certificates: 2.25 and a UUID,
	 * 2.25.295227800890228242059973903580110891240. */
	OID_EKU_ENDORSER,
	OID_EXT_SKI,
	OID_EXT_AKI,
	OID_EXT_KEY_USAGE,
	OID_EXT_SAN,
	OID_EXT_IAN,
	OID_EXT_BASIC,
	OID_EXT_CRLDP,
	OID_EXT_POLICIES,
	OID_EXT_EKU,
	OID_EXT_AIA,
	OID_EXT_CRL_NUMBER,
	OID_EXT_REASON,
	OID_EXT_INVALIDITY,
	OID_EXT_IDP,
	OID_EXT_DELTA,
	OID_EXT_FRESHEST,
	OID_EXT_NOCHECK,
	OID_EXT_NONCE,
	OID_EXT_CONSTRAINTS,
	OID_EXT_QC,
	OID_AD_OCSP,
	OID_AD_CA_ISSUERS,
	OID_QT_CPS,
	OID_QT_NOTICE,
	OID_RUT_HOLDER,    /* 1.3.6.1.4.1.8321.1 */
	OID_RUT_CERTIFIER, /* 1.3.6.1.4.1.8321.2 */
	OID_OCSP_BASIC,
	OID_OCSP_ACCEPTABLE, /* RFC 6960 4.4.3: kinds of answers */
	OID_OCSP_ARCHIVE,    /* 4.4.4 */
	OID_OCSP_PREFERRED,  /* 4.4.7: signature algorithms */
	OID_OCSP_EXTENDED,   /* 4.4.8: revoked of what was never issued */
	OID_SHA1,
	OID_SHA256,
	OID_COUNT
};
struct bytes oid_known(enum pkix_oid which);

/* --- RUN and RUT (DOMAIN: modulo 11) --------------------------------------- */

#define RUN_TEXT 11 /* "12345678-5" and NUL */
/*
 * run_parse - accepts dots, spaces, leading zeros and lower-case k; gives the
 * stored form, one to eight digits, dash, digit or K.
 *
 * ERR_INVALID "run-form", "run-digit" (arg: what the digit should be).
 */
MUST_CHECK enum err_code run_parse(struct bytes text, char out[RUN_TEXT],
    struct err *e);

/* --- Algorithms and keys ---------------------------------------------------- */

enum key_type { /* what a policy and a ceiling name: "ec-p256", … */
	KEY_EC_P256,
	KEY_EC_P384,
	KEY_RSA_2048,
	KEY_RSA_3072,
	KEY_RSA_4096,
	/* id-RSASSA-PSS (RFC 4055 1.2): they sign nothing but PSS. */
	KEY_RSA_PSS_2048,
	KEY_RSA_PSS_3072,
	KEY_RSA_PSS_4096,
	KEY_ED25519,   /* the log; persons, where a policy says so; no CA */
	KEY_ML_DSA_44, /* these three from OpenSSL 3.5 on */
	KEY_ML_DSA_65,
	KEY_ML_DSA_87,
	KEY_TYPES
};
const char *key_type_name(enum key_type t);
bool key_type_parse(struct bytes name, enum key_type *out);
/* Can the OpenSSL that is loaded do it?  Asked each time, some microseconds. */
bool key_type_here(enum key_type t);
/* ERR_DENIED "key-type-missing": no, and which version could. */
MUST_CHECK enum err_code key_type_check(enum key_type t, struct err *e);
/* May a CA or a responder have it: not RSA of 2048 bits, and not Ed25519, which
 * signs only what is there whole, as a list of millions never is. */
bool key_type_of_ca(enum key_type t);

/* The AlgorithmIdentifier with which keys of that type sign, whole element:
 * ecdsa-with-SHA256, -SHA384, sha256WithRSAEncryption with NULL, RSASSA-PSS
 * with SHA-256, MGF1 with SHA-256 and a salt of 32 octets, Ed25519, ML-DSA. */
struct bytes key_type_sigalg(enum key_type t);

#define SPKI_MAX 2640 /* ML-DSA-87 */
#define SIG_MAX  4640

/*
 * spki_check - the strict reading of a SubjectPublicKeyInfo: known algorithm
 * and parameters, point on the curve and not compressed, RSA modulus odd, of
 * exact length, exponent 65537, no small factor, not two close primes
 * (100 Fermat rounds), not ROCA.
 *
 * *type      its type; meaningless after a refusal.
 *
 * ERR_INVALID "spki-size", "spki-form", "spki-algorithm", "spki-curve",
 * "spki-point-form", "spki-point", "der-…"; ERR_DENIED "key-weak-size",
 * "key-weak-exponent", "key-weak-even", "key-weak-factor",
 * "key-weak-close-primes", "key-weak-roca", "key-type-missing"; ERR_NOMEM.  Keys of generators
 * with too little entropy are found by list only, and the list is not here.
 */
MUST_CHECK enum err_code spki_check(struct bytes spki, enum key_type *type,
    struct err *e);

#define KEY_ID_LEN 20
/*
 * spki_key_id - the key identifier that our certificates carry: the leftmost
 * 160 bits of the SHA-256 of the key's bits (RFC 7093 2, method 1).
 *
 * ERR_INVALID "spki-…", "der-…": spki is not a key of a kind that is known.
 */
MUST_CHECK enum err_code spki_key_id(struct bytes spki, uint8_t out[KEY_ID_LEN],
    struct err *e);

/*
 * weak_list - keys that nobody may use, from files of one key a line: 64
 * hexadecimal digits are the SHA-256 of a SubjectPublicKeyInfo, 20 the end of
 * the SHA-1 of "Modulus=HEX\n", as openssl-blacklist has Debian's weak RSA
 * keys.  Empty lines and those that begin with # say nothing.
 */
#define WEAK_LISTS_MAX      8
#define WEAK_LIST_MAX_BYTES (64u << 20)
struct weak_list;
MUST_CHECK enum err_code weak_list_new(struct weak_list **out, struct err *e);
void weak_list_free(struct weak_list *l);
OWNED(weak_list);
/* ERR_INVALID "weak-list-line" (where.line), "weak-list-count"; ERR_NOMEM. */
MUST_CHECK enum err_code weak_list_add(struct weak_list *l, const char *name,
    struct bytes text, struct err *e);
size_t weak_list_count(const struct weak_list *l); /* keys, of all */
/*
 * The name of the first list that has the key, or NULL; l may be NULL.  An
 * empty spki is looked for by its hash alone.
 */
const char *weak_list_find(const struct weak_list *l, struct bytes spki,
    struct bytes spki_sha256);

/*
 * verifier - checks signatures.  Holds reusable OpenSSL objects, and the last
 * keys it met by the hash of their SPKI: decoding a key costs more than using
 * it.  One thread at a time.
 */
struct verifier;
/* ERR_CRYPTO "verifier-setup"; ERR_NOMEM. */
MUST_CHECK enum err_code verifier_new(struct verifier **out, struct err *e);
void verifier_free(struct verifier *v);
OWNED(verifier);
/*
 * verifier_check - is this the signature of that key over the message?
 *
 * spki       whole SubjectPublicKeyInfo: P-256, P-384, RSA of 2048 to 4096
 *            bits, Ed25519, ML-DSA.  Not judged as spki_check() does.
 * sigalg     whole AlgorithmIdentifier, as the object carries it: ECDSA, RSA
 *            PKCS #1 v1.5 or RSASSA-PSS with SHA-256, -384, -512 (of PSS with
 *            MGF1 over the same hash and a salt as long), Ed25519, ML-DSA.
 * signature  without the first octet of a BIT STRING.
 *
 * ERR_INVALID "signature-wrong", "signature-key" (no such point, or size),
 * "signature-algorithm" (unknown, or not one that this key may use; SHA-1 and
 * MD5 do not exist here), "spki-…", "der-…"; ERR_DENIED "key-type-missing";
 * ERR_CRYPTO "hash-failed", "verifier-setup".
 */
MUST_CHECK enum err_code verifier_check(struct verifier *v, struct bytes spki,
    struct bytes sigalg, struct bytes message, struct bytes signature,
    struct err *e);

/*
 * proofs - signatures that were found right, shared by the verifiers of
 * several threads: what one thread has checked, another need not check again.
 * Bounded; what was forgotten is checked anew, and nothing depends on it.
 */
struct proofs;
/* Remembers about n signatures, 32 octets each.  ERR_NOMEM. */
MUST_CHECK enum err_code proofs_new(size_t n, struct proofs **out,
    struct err *e);
void proofs_free(struct proofs *p); /* after all its verifiers */
OWNED(proofs);
/* verifier_check() of v asks p first, and tells it what it found right.
 * p is borrowed until v is freed. */
void verifier_share(struct verifier *v, struct proofs *p);
/* Takes another's word that verifier_check() would find this right: tells the
 * proofs of v without a check.  ERR_CRYPTO "hash-failed". */
MUST_CHECK enum err_code verifier_vouch(struct verifier *v, struct bytes spki,
    struct bytes sigalg, struct bytes message, struct bytes signature,
    struct err *e);

/*
 * keys_lock - private numbers go to memory that is never swapped, never dumped
 * and wiped when it is freed; once, before the first key is loaded.  False
 * where the machine does not let this process lock 256 KiB.
 */
bool keys_lock(void);

/* key - a private key, wherever it lives.  One thread at a time. */
struct key;
/*
 * RSA takes up to seconds, so never on a loop.
 *
 * ERR_DENIED "key-type-missing"; ERR_CRYPTO "key-generate", "key-setup".
 */
MUST_CHECK enum err_code key_generate(enum key_type type, struct key **out,
    struct err *e);
/*
 * token_open - the PKCS #11 module in which "pkcs11:" URIs are looked up; once
 * in a process, before the first of them, and for good.  Later calls do
 * nothing.  Needs pkcs11-provider.
 *
 * module     absolute path of a library; NULL: what the machine's p11-kit
 *            knows, as key_load() does when nothing was opened.
 *
 * ERR_CRYPTO "token-module" (away, or not a module), "token-provider";
 * ERR_NOTFOUND "token-module-missing"; ERR_INVALID "token-module-path".
 */
MUST_CHECK enum err_code token_open(const char *module, struct err *e);
/* RFC 7512: "pkcs11:…". */
bool uri_is_token(const char *uri);
/* As it may be shown: it may hold its PIN, "pin-value=1234". */
void uri_without_pin(char *out, size_t size, const char *uri);
/*
 * key_load - through OSSL_STORE; "file:PATH", a bare path, or "pkcs11:…".
 *
 * passphrase of an encrypted PKCS #8, or the PIN; may be empty.  A wrong PIN is
 * tried once: tokens count them.
 *
 * ERR_NOTFOUND "key-missing"; ERR_FORBIDDEN "key-passphrase"; ERR_INVALID
 * "key-unusable" (no key there, or of a type or strength that is not allowed).
 * Of a token: what token_open() says; ERR_BUSY "token-away"; ERR_NOTFOUND
 * "token-key-missing"; ERR_FORBIDDEN "token-pin"; ERR_INVALID "token-key-many",
 * "token-pin-size"; ERR_CRYPTO "token-public-half".  Sentences give the URI
 * without its PIN.
 */
MUST_CHECK enum err_code key_load(const char *uri, struct bytes passphrase,
    struct key **out, struct err *e);
/*
 * key_loads - several of them at once, each in a thread of its own but those of
 * a token: a start waits for the rounds of one, and not for those of all.
 *
 * key_loads_add()   begins one; passphrase and *out live until all have ended,
 *                   and what is behind *out is the key's owner.
 * key_loads_wait()  until then; the error of the first that was added and failed,
 *                   as key_load().
 * key_loads_free()  waits too.
 */
struct key_loads;
struct key_loads *key_loads_new(void); /* NULL: the next call says so */
MUST_CHECK enum err_code key_loads_add(struct key_loads *loads, const char *uri,
    struct bytes passphrase, struct key **out, struct err *e);
MUST_CHECK enum err_code key_loads_wait(struct key_loads *loads, struct err *e);
void key_loads_free(struct key_loads *loads);
OWNED(key_loads);
/*
 * Encrypted PKCS #8 PEM (PBES2, PBKDF2-HMAC-SHA256 600000 rounds,
 * AES-256-CBC), appended to out.
 *
 * ERR_INVALID "key-passphrase-size"; ERR_CRYPTO "key-export" (a token's key).
 */
MUST_CHECK enum err_code key_print(const struct key *k, struct bytes passphrase,
    struct buf *out, struct err *e);
/*
 * key_wrap - the private key under one of 32 octets, by AES-256-GCM; appended
 * to out, of at most WRAPPED_MAX octets.  key_unwrap() gives it back to who has
 * the same key and name.
 *
 * name       bound to it: another's does not open it.
 *
 * ERR_CRYPTO "key-export" (a token's key); ERR_INVALID "key-unusable": another
 * wrapping key or name, or altered.
 */
#define WRAP_KEY_LEN 32
#define WRAPPED_MAX  8192u /* ML-DSA-87 */
MUST_CHECK enum err_code key_wrap(const struct key *k,
    const uint8_t wrap_key[WRAP_KEY_LEN], struct bytes name, struct buf *out,
    struct err *e);
MUST_CHECK enum err_code key_unwrap(struct bytes wrapped,
    const uint8_t wrap_key[WRAP_KEY_LEN], struct bytes name, struct key **out,
    struct err *e);
/* PBKDF2-HMAC-SHA256 with 600000 rounds, as key_print(); false: no passphrase,
 * or the library has none of it. */
bool wrap_key_derive(struct bytes passphrase, struct bytes salt,
    uint8_t out[WRAP_KEY_LEN]);
void key_free(struct key *k);
OWNED(key);
bool key_is_token(const struct key *k);
enum key_type key_type(const struct key *k);
struct bytes key_spki(const struct key *k); /* borrowed, lives with the key */
/* Signs with key_type_sigalg(); appends to out.  ERR_CRYPTO "key-sign". */
MUST_CHECK enum err_code key_sign(struct key *k, struct bytes message,
    struct buf *out, struct err *e);

/*
 * digest - what a key signs of a message that comes in pieces, for objects
 * that nobody holds whole.  Whoever makes it has seen every octet: a digest
 * never crosses from one process to another.
 */
#define DIGEST_MAX 64
struct digest;
struct digest_value {
	uint8_t sha256[SHA256_LEN]; /* by which journal and log name it */
	uint8_t p[DIGEST_MAX];      /* what is signed; len octets */
	size_t len;
};
/*
 * For signatures by that key, a SubjectPublicKeyInfo: what ML-DSA signs of a
 * message begins with the key (FIPS 204 6.2, mu).  ERR_INVALID "digest-key":
 * Ed25519 signs only what is there whole; "spki-…"; ERR_DENIED
 * "key-type-missing"; ERR_CRYPTO "hash-failed".
 */
MUST_CHECK enum err_code digest_new(struct bytes spki, struct digest **out,
    struct err *e);
void digest_free(struct digest *d);
OWNED(digest);
void digest_put(struct digest *d, struct bytes piece);
/* After it, the next message begins. */
void digest_end(struct digest *d, struct digest_value *out);
/* As key_sign(), of a digest for this key.  ERR_CRYPTO "key-sign". */
MUST_CHECK enum err_code key_sign_digest(struct key *k,
    const struct digest_value *d, struct buf *out, struct err *e);
/* As verifier_check(), without asking proofs. */
MUST_CHECK enum err_code verifier_check_digest(struct verifier *v,
    struct bytes spki, struct bytes sigalg, const struct digest_value *d,
    struct bytes signature, struct err *e);

/* --- Names ------------------------------------------------------------------ */

/* The type of an attribute's string; the usual one unless said otherwise. */
enum name_string {
	STRING_USUAL,
	STRING_UTF8,
	STRING_PRINTABLE,
	STRING_IA5,
	NAME_STRINGS
};

/* One attribute of a distinguished name, one per RDN, in encoding order. */
struct name_attr {
	enum pkix_oid type;      /* OID_CN … OID_ORGANIZATION_ID */
	struct bytes value;      /* UTF-8, validated while encoding */
	enum name_string string; /* where name_attr_takes() it */
};
#define NAME_ATTRS_MAX 12
#define NAME_DER_MAX   1024

/*
 * name_build - DER of a Name: UTF8String, but PrintableString for C,
 * serialNumber and IA5String for e-mail; upper bounds of RFC 5280 appendix A
 * counted in characters (CN, O, OU, title 64); C an ISO 3166-1 code.
 *
 * ERR_INVALID "name-count", "name-string", "name-too-long", "name-too-large",
 * "name-alphabet", "name-country", "name-empty", "name-meta" (N/A, -, ., 0,
 * test: values that stand for nothing), "name-control" (also invisible and
 * bidirectional ones), "name-utf8", "name-space", "name-digit" (in givenName
 * and surname), "email-form"; where.field is the attribute.
 */
MUST_CHECK enum err_code name_build(const struct name_attr *attrs, size_t n,
    struct buf *out, struct err *e);
/* The same in memory of the caller's, where out then lies. */
MUST_CHECK enum err_code name_encode(const struct name_attr *attrs, size_t n,
    uint8_t memory[NAME_DER_MAX], struct bytes *out, struct err *e);
/*
 * "CN=…, O=…" for people, in encoding order, escaped, valid UTF-8; clipped to
 * size between characters.
 */
void name_print(char *out, size_t size, struct bytes name);
/* Would somebody take one for the other, as RFC 5280 7.1 compares them: without
 * case (of ASCII), white space and the type of string? */
bool name_alike(struct bytes a, struct bytes b);
const char *name_attr_word(enum pkix_oid type); /* "CN", "title", … or NULL */
bool name_attr_parse(struct bytes word, enum pkix_oid *out); /* its inverse */
size_t name_attr_max(enum pkix_oid type); /* characters; 0: no attribute */
/*
 * May this attribute be in this type of string?  C and serialNumber are always
 * PrintableString and emailAddress IA5String; the others are a
 * DirectoryString, which in new certificates is UTF8String or PrintableString
 * (RFC 5280 4.1.2.4 and appendix A.1).
 */
bool name_attr_takes(enum pkix_oid type, enum name_string string);
/* The value of the first attribute of this type, or BYTES_NONE. */
struct bytes name_find(struct bytes name, enum pkix_oid type);
/* Host and mailbox of an ASCII address; ERR_INVALID "email-form". */
MUST_CHECK enum err_code email_check(struct bytes address, struct err *e);
/*
 * dns_check - a host's name as a certificate carries it: two labels or more of
 * letters, digits and inner hyphens, 253 characters, no final dot; names in
 * other alphabets as A-labels of IDNA 2008; "*" only as the whole first label
 * (RFC 5280 4.2.1.6, RFC 9525 6.3).
 *
 * ERR_INVALID "dns-form", "dns-wildcard", "dns-underscore", "dns-address" (an
 * IP address), "dns-idna" (arg: the A-labels to write, where there are any).
 */
MUST_CHECK enum err_code dns_check(struct bytes name, struct err *e);
/*
 * uri_check - an absolute URI in ASCII with its scheme; where it names a host,
 * that is a name as dns_check() wants it, without wildcard, or an IP address;
 * no user, no password (RFC 5280 4.2.1.6, RFC 3986).
 *
 * ERR_INVALID "uri-form", "uri-host".
 */
MUST_CHECK enum err_code uri_check(struct bytes uri, struct err *e);
/*
 * ip_parse - "192.0.2.7" or "2001:db8::7" to its 4 or 16 octets.
 * ip_range_parse - "192.0.2.0/24" to address and mask, 8 or 32 octets, as
 * name constraints have them (RFC 5280 4.2.1.10); the rest of the address is
 * zero.
 *
 * ERR_INVALID "ip-form"; "ip-range".
 */
#define IP_MAX       16
#define IP_RANGE_MAX 32
MUST_CHECK enum err_code ip_parse(struct bytes text, uint8_t out[IP_MAX],
    size_t *len, struct err *e);
MUST_CHECK enum err_code ip_range_parse(struct bytes text,
    uint8_t out[IP_RANGE_MAX], size_t *len, struct err *e);

/* --- PKCS #10 (RFC 2986) ------------------------------------------------------ */

#define CSR_MAX_BYTES 16384

/* From a request only the key is taken, and the proof that it is held. */
struct csr {
	struct bytes der, info, spki, sigalg, signature; /* borrowed */
	enum key_type type;
};
/*
 * csr_parse - DER or PEM (PEM is decoded into scratch, which must outlive
 * out).  Strict; the key is judged by spki_check(); the signature is not
 * checked here.  A private key instead of a request is refused and wiped.
 *
 * ERR_INVALID "csr-too-large", "csr-not-der" (where.byte; in PEM counted in
 * what it decodes to), "csr-trailing", "csr-form" (where.field),
 * "csr-version", "csr-algorithm", "csr-private-key" (PEM, PKCS #1, #8, #12,
 * SEC 1, JWK), "pem-…", "spki-…"; ERR_DENIED "key-weak-…".
 */
MUST_CHECK enum err_code csr_parse(struct bytes input, struct buf *scratch,
    struct csr *out, struct err *e);
/* Proof of possession; ERR_INVALID "csr-signature". */
MUST_CHECK enum err_code csr_prove(const struct csr *r, struct verifier *v,
    struct err *e);
/* DER of a request for key with this one CN (cli, demo, tests). */
MUST_CHECK enum err_code csr_build(struct key *key, const char *cn,
    struct buf *out, struct err *e);

/*
 * pem_or_der - appends the octets of the first block with this label
 * ("CERTIFICATE"), or what begins as DER as it is, to out.
 *
 * ERR_INVALID "pem-missing", "pem-end", "pem-base64".
 */
MUST_CHECK enum err_code pem_or_der(struct bytes input, const char *label,
    struct buf *out, struct err *e);
void pem_put(struct buf *out, const char *label, struct bytes der);

/* --- Certificates --------------------------------------------------------------- */

#define CERT_MAX_BYTES 16384
#define CERT_EXTS_MAX  20
#define SERIAL_MAX     20

struct cert_ext {
	struct bytes oid, value; /* value: content of the OCTET STRING */
	bool critical;
	bool declared; /* see cert_declare() */
};

/* A certificate read in place: everything borrows from der. */
struct cert {
	struct bytes der, tbs, sigalg, signature;
	struct bytes serial;                /* magnitude, without sign octet */
	struct bytes issuer, subject, spki; /* whole elements */
	int64_t not_before, not_after;
	struct cert_ext ext[CERT_EXTS_MAX];
	size_t n_ext;
	/* Decoded from the extensions: */
	bool is_ca;
	int path_len;          /* -1: none */
	uint16_t key_usage;    /* bit 0 = digitalSignature … ; 0 if absent */
	struct bytes ski, aki; /* key identifiers, or empty */
};
/*
 * cert_parse - version 3; strict DER throughout, inner and outer algorithm
 * equal, known extensions well formed, none twice, no unknown critical one.
 * The signature is not checked, the key not judged.
 *
 * ERR_INVALID "cert-size", "der-…" (where.byte), "cert-form" (where.field),
 * "cert-version", "cert-serial", "cert-algorithm", "cert-critical",
 * "cert-ext-twice", "cert-ext-count".
 */
MUST_CHECK enum err_code cert_parse(struct bytes der, struct cert *out,
    struct err *e);
/*
 * cert_parse_own - the same for certificates of our own CAs, whose policies
 * may give them critical extensions that nobody else knows.  That each may be
 * there is for whoever calls: cert_declare() and cert_lint().
 *
 * As cert_parse(), never "cert-critical".
 */
MUST_CHECK enum err_code cert_parse_own(struct bytes der, struct cert *out,
    struct err *e);
/*
 * cert_declare - this private extension may stand in the certificate, critical
 * or not, as policy or ceiling says: the lint lets it pass.  Any other OID is
 * ignored.
 */
void cert_declare(struct cert *c, struct bytes oid, bool critical);
const struct cert_ext *cert_find_ext(const struct cert *c, enum pkix_oid oid);
bool cert_has_eku(const struct cert *c, enum pkix_oid eku);
/*
 * cert_aia_url - the first http: URL of that access method, OID_AD_OCSP or
 * OID_AD_CA_ISSUERS, in the certificate (RFC 5280 4.2.2.1), or BYTES_NONE.
 */
struct bytes cert_aia_url(const struct cert *c, enum pkix_oid method);
/* The address of cRLDistributionPoints or freshestCRL, where that is one point
 * with one address and nothing else. */
bool cert_one_point(const struct cert *c, enum pkix_oid oid, struct bytes *url);
/* How many URLs stand in that extension, at any depth; *last of them. */
size_t cert_urls(const struct cert *c, enum pkix_oid extension,
    struct bytes *last);
/*
 * cert_is_of - does every serialNumber of the subject, and every RUN in
 * subjectAltName, say this person, and is there one at all?
 */
bool cert_is_of(const struct cert *c, struct bytes run);
/* Purposes that a holder may have, bit i: OID i; false: it has another one. */
bool cert_purposes(const struct cert *c, uint32_t *purposes);
/* Kinds of its alternative names, bit i: general_name_tag() i. */
bool cert_name_kinds(const struct cert *c, unsigned *kinds);
/*
 * cert_profile - a hash of all that the certificates of one person in one
 * office under one policy have in common: issuer, subject and extensions, but
 * not serial number, validity, key and its identifier, and CRLs.
 */
void cert_profile(const struct cert *c, uint8_t out[SHA256_LEN]);
bool cert_has_profile(const struct cert *c, struct bytes sha256_of);
/* Is this URL one of its cRLDistributionPoints (RFC 5280 4.2.1.13)? */
bool cert_names_crl(const struct cert *c, struct bytes url);
/*
 * cert_check_issued - did issuer issue c, and are both valid at t: names byte
 * for byte, key identifiers, CA with keyCertSign, validity, signature.
 *
 * ERR_INVALID "cert-issuer", "cert-aki", "cert-not-ca", "cert-not-yet",
 * "cert-expired", "cert-issuer-expired", and those of verifier_check().
 */
MUST_CHECK enum err_code cert_check_issued(const struct cert *c,
    const struct cert *issuer, int64_t t, struct verifier *v, struct err *e);

/*
 * cert_rut - the RUT in its subjectAltName, otherName 1.3.6.1.4.1.8321.1 of
 * an IA5String, borrowed: in a CA's certificate the one institution that it is
 * for.  False where there is none, or two.
 */
bool cert_rut(const struct cert *c, struct bytes *out);
/*
 * cert_succeeds - may this be the same CA with another key: is it under the same
 * subject, for the same institution or none, and under the same name
 * constraints, octet for octet?
 */
bool cert_succeeds(const struct cert *c, const struct cert *old);
/* A GeneralName, whole, for people: a directory name as name_print() has it,
 * of any other "[2] example.org", its number and what of it can be printed. */
void general_name_print(char *out, size_t size, struct bytes whole);
/*
 * cert_permits - do the name constraints of this CA, its directory names, allow
 * that subject (RFC 5280 4.2.1.10)?  Compared octet for octet, as our CAs and
 * policies write names; other kinds of name are for whoever verifies a chain.
 */
bool cert_permits(const struct cert *ca, struct bytes subject);
/*
 * cert_check_below - both: may this CA certify that subject for the institution
 * of that RUT?  ERR_DENIED "ca-other-institution", "ca-other-names".
 */
MUST_CHECK enum err_code cert_check_below(const struct cert *ca,
    struct bytes subject, struct bytes rut, struct err *e);

/*
 * cert_check_names_issuer - is it that CA's in issuer, key identifier, algorithm
 * of its signature (not the signature itself) and time?  name: for sentences.
 * ERR_DENIED "signer-issuer-name", "signer-issuer-key", "signer-algorithm",
 * "signer-outlives-ca".
 */
MUST_CHECK enum err_code cert_check_names_issuer(const struct cert *c,
    const struct cert *ca, enum key_type type, const char *name, struct err *e);

enum key_usage_bit {
	KU_DIGITAL_SIGNATURE = 1u << 0,
	KU_NON_REPUDIATION = 1u << 1,
	KU_KEY_ENCIPHERMENT = 1u << 2,
	KU_DATA_ENCIPHERMENT = 1u << 3,
	KU_KEY_AGREEMENT = 1u << 4,
	KU_KEY_CERT_SIGN = 1u << 5,
	KU_CRL_SIGN = 1u << 6,
};

#define SPEC_EKUS_MAX     6
#define SPEC_POLICIES_MAX 4
#define SPEC_NAMES_MAX    6
#define SPEC_SUBTREES_MAX 6
#define SPEC_PRIVATE_MAX  4
#define SPEC_PDS_MAX      4
#define SPEC_LAWS_MAX     4

enum name_kind {
	GN_EMAIL,
	GN_OTHER_IA5,
	GN_URI,
	GN_DNS,
	GN_OTHER_UTF8,
	GN_OTHER_PRINTABLE,
	GN_IP,
	GN_DIRECTORY,
	NAME_KINDS
};
struct general_name {
	enum name_kind kind;
	struct oid other; /* GN_OTHER_…: type-id */
	/* Text; of GN_IP 4 or 16 octets, of GN_DIRECTORY a whole Name. */
	struct bytes value;
};
/* The number n of its tag [n] (RFC 5280 4.2.1.6): 1 of GN_EMAIL. */
unsigned general_name_tag(enum name_kind kind);
/*
 * general_name_check - may it stand in a certificate: a value that is neither
 * empty nor over 320 octets (a Name: NAME_DER_MAX) and right for its kind.
 *
 * ERR_INVALID "other-name" (its string, or no type-id), "ip-size",
 * "directory-name", and those of email_check(), dns_check(), uri_check().
 */
MUST_CHECK enum err_code general_name_check(const struct general_name *n,
    struct err *e);
/*
 * subtree_check - the same for a name constraint (RFC 5280 4.2.1.10): of
 * GN_EMAIL a mailbox, a host, or a domain with a dot in front; of GN_DNS a
 * domain, which holds its subdomains; of GN_URI a host, or a domain with a dot
 * in front; of GN_IP address and mask; of GN_DIRECTORY a Name.
 *
 * ERR_INVALID "subtree-form".
 */
MUST_CHECK enum err_code subtree_check(const struct general_name *n,
    struct err *e);

/* Which names the certificates below a CA may carry; with is_ca only. */
struct name_constraints {
	struct general_name permitted[SPEC_SUBTREES_MAX],
	    excluded[SPEC_SUBTREES_MAX];
	size_t n_permitted, n_excluded; /* both 0: no such extension */
};

enum qc_type { QC_ESIGN = 1, QC_ESEAL = 2, QC_WEB = 4 }; /* bits */
struct qc_pds {
	struct bytes url; /* https://… of the disclosure statement */
	char lang[3];     /* ISO 639-1: "es" */
};
/*
 * What a qualified certificate states of itself (ETSI EN 319 412-5 4, RFC 3739
 * 3.2.6); what is zero is not stated, all zero: no such extension.
 */
struct qc_statements {
	bool compliance; /* 4.2.1: qualified, by EU law or country's */
	bool sscd;       /* 4.2.2: key in a qualified device */
	unsigned types;  /* 4.2.3: QC_ bits */
	char country[SPEC_LAWS_MAX][3]; /* 4.2.4: whose law, if not the EU's */
	size_t n_country;
	char currency[4];        /* 4.3.2: ISO 4217; "": no limit stated */
	int64_t amount;          /* of the limit, times 10^exponent; from 1 */
	int64_t exponent;        /* 0 to 20 */
	int64_t retention_years; /* 4.3.3: of records, after the end; to 100 */
	struct qc_pds pds[SPEC_PDS_MAX]; /* 4.3.4 */
	size_t n_pds;
	struct oid semantics; /* EN 319 412-1 5.1: of serialNumber */
};
bool qc_present(const struct qc_statements *q);
/*
 * ERR_INVALID "qc-country", "qc-limit", "qc-retention", "qc-pds",
 * "qc-types", "qc-countries"; where.field is the statement.
 */
MUST_CHECK enum err_code qc_check(const struct qc_statements *q, struct err *e);

/* An extension that only those who agreed on it know. */
struct private_ext {
	struct oid oid; /* ext_is_private() */
	bool critical;
	struct bytes der; /* one whole element, strict DER */
};
/*
 * May a policy define it?  Not what stands below 2.5.29 (X.509),
 * 1.3.6.1.5.5.7.1 (PKIX) or 1.3.6.1.5.5.7.48.1 (OCSP): those have a form and
 * a meaning of their own, and what of them is allowed has its own key.
 */
bool ext_is_private(struct bytes oid);

struct cert_policy {
	struct oid oid;
	struct bytes cps, notice; /* empty: no such qualifier */
};

/* What a certificate says; the order of extensions is fixed by the builder. */
struct cert_spec {
	struct bytes
	    serial; /* 16..20 octets, positive, no leading zero octet */
	struct bytes issuer; /* Name of the issuer, copied byte for byte */
	struct bytes issuer_ski;
	struct bytes ski; /* that others name its key by; empty: ours */
	enum key_type issuer_type;     /* decides the signature algorithm */
	struct bytes subject;          /* Name from name_build() */
	int64_t not_before, not_after; /* both ends included */
	struct bytes spki;
	bool is_ca;
	int path_len; /* with is_ca; -1: none */
	uint16_t key_usage;
	enum pkix_oid eku[SPEC_EKUS_MAX];
	size_t n_eku;
	bool eku_critical;
	struct general_name san[SPEC_NAMES_MAX], ian[SPEC_NAMES_MAX];
	size_t n_san, n_ian;
	struct cert_policy policy[SPEC_POLICIES_MAX];
	size_t n_policy;
	struct bytes crl_url, ocsp_url,
	    issuer_url;            /* empty: no such extension */
	struct bytes freshest_url; /* deltas of crl_url's list; or empty */
	bool nocheck;              /* OCSP responder: id-pkix-ocsp-nocheck */
	struct name_constraints constraints;
	struct qc_statements qc;
	struct private_ext private_ext[SPEC_PRIVATE_MAX];
	size_t n_private_ext;
};
/*
 * cert_build_tbs - appends the to-be-signed part, whole SEQUENCE.  Subject key
 * identifier: spki_key_id().  An empty issuer_ski leaves the authority key
 * identifier out.
 *
 * ERR_INVALID "spec-serial", "spec-part" (where.field), "spec-notice" (over
 * 200 characters), "spec-validity", "spec-private" (an extension that is not
 * for policies, twice, or not DER), "spki-…", and those of subtree_check() and
 * qc_check(); ERR_NOMEM "der-full".  Of alternative names only the form is
 * judged here: see general_name_check().
 */
MUST_CHECK enum err_code cert_build_tbs(const struct cert_spec *spec,
    struct buf *tbs, struct err *e);
/*
 * signed_assemble - SEQUENCE { tbs, sigalg, BIT STRING signature }: the outer
 * form that certificates, CRLs and OCSP answers share.
 */
MUST_CHECK enum err_code signed_assemble(struct bytes tbs, struct bytes sigalg,
    struct bytes signature, struct buf *out, struct err *e);
/* A container: that form with a signature of nobody, eight zero octets. */
MUST_CHECK enum err_code unsigned_assemble(struct bytes tbs,
    struct bytes sigalg, struct buf *out, struct err *e);
/* Splits that form without judging the content; ERR_INVALID "signed-form". */
MUST_CHECK enum err_code signed_split(struct bytes der, struct bytes *tbs,
    struct bytes *sigalg, struct bytes *signature, struct err *e);

/* One part in which two certificates differ, as text for people. */
struct cert_change {
	char field[48]; /* "notAfter", "subject.CN", "keyUsage", "1.2.3.4" */
	char before[160], after[160]; /* UTF-8, clipped; "": not there */
};
#define CERT_CHANGES_MAX 64
/*
 * cert_diff - the parts of the to-be-signed certificates that differ, in the
 * order in which they stand; the subject attribute by attribute, extensions one
 * by one.  0: the parts are equal.  How many of out were filled.
 */
size_t cert_diff(const struct cert *before, const struct cert *after,
    struct cert_change out[CERT_CHANGES_MAX]);

/* SHA-256 of the issuer's key bits and of its Name: for CertIDs. Both hashes. */
struct issuer_id {
	uint8_t name_sha1[20], key_sha1[20];
	uint8_t name_sha256[32], key_sha256[32];
};
MUST_CHECK enum err_code issuer_id_of(const struct cert *ca,
    struct issuer_id *out, struct err *e);
/* The key's bits alone: what OCSP names a responder by (RFC 6960 4.2.1). */
MUST_CHECK enum err_code spki_key_sha1(struct bytes spki, uint8_t out[20],
    struct err *e);

/* --- Lint ------------------------------------------------------------------------- */

/* What a certificate is for: which rules of the house it must follow. */
enum lint_kind {
	LINT_ROOT,
	LINT_CA,
	LINT_HOLDER,
	LINT_ENDORSER,
	LINT_OCSP,
	LINT_CROSS /* over the key of a CA that is not ours */
};

/* Whose rule it is; the house's are those of this project alone. */
enum lint_source { LINT_RFC, LINT_ETSI, LINT_CABF, LINT_HOUSE };

/* One rule: a row of a table that never changes. */
struct lint_rule {
	unsigned kinds;  /* 1u << LINT_ROOT | … */
	bool is_warning; /* recorded; an error blocks issuance */
	enum lint_source source;
	const char *since; /* "2023-09-01": not for what is older; or NULL */
	const char *id;    /* "lint-serial-size": stable, for machines */
	const char *rule;  /* "RFC 5280 4.1.2.2", or NULL */
	const char *field; /* the part that it judges */
	const char *say;   /* one English sentence */
};

/* What was found, in the order of the table; borrows from it. */
#define LINT_MAX 192
struct lint {
	const struct lint_rule *v[LINT_MAX];
	size_t n, errors;
};

enum lint_scope { LINT_ALL, LINT_STANDARDS }; /* the latter: no house rule */
/*
 * cert_lint - every rule that the certificate breaks, one row of a table for
 * each rule with its citation.  Judges the bytes, not the intention; a rule
 * with a date judges what begins on it or later.  Some microseconds, nothing
 * allocated but by the arithmetic of keys.
 *
 * c  from cert_parse(), or from cert_skim() where that refused.
 */
void cert_lint(const struct cert *c, enum lint_kind kind, enum lint_scope scope,
    struct lint *out);
/* ERR_DENIED with the first error's id, the others in why; or ERR_OK. */
MUST_CHECK enum err_code lint_verdict(const struct lint *l, struct err *e);
/* The finding as an error, so that it has its Spanish sentence. */
void lint_say(const struct lint_rule *r, struct err *e);
/* What the certificate says that it is. */
enum lint_kind lint_guess(const struct cert *c);
const char *lint_source_name(enum lint_source s); /* "RFC", … "house" */
/*
 * cert_skim - what can be read of a certificate that cert_parse() refuses,
 * for cert_lint() alone: nothing is judged, and what is unreadable is empty.
 * False when not even the outer form is there.
 */
bool cert_skim(struct bytes der, struct cert *out);
/* The table, for doc/lint.md and tests: row i, or NULL after the last. */
const struct lint_rule *cert_lint_rule(size_t i);
/* Rows of a table as Markdown. */
void lint_reference(struct buf *out, const struct lint_rule *(*row)(size_t i));

/* --- CMS evidence (RFC 5652, CAdES-BES) ---------------------------------------------- */

#define CMS_MAX_BYTES    32768
#define ENDORSEMENTS_MAX 4 /* ministers who sign one statement */

/* A detached signature of one person over one statement, read in place. */
struct cms {
	struct bytes der;
	struct cert signer; /* the certificate that the SignerInfo names */
	struct bytes
	    signed_attrs; /* re-tagged SET OF is hashed, RFC 5652 5.4 */
	struct bytes message_digest;    /* 32, 48 or 64 octets */
	struct bytes sigalg, signature; /* sigalg with its hash, also where the
					 * file says rsaEncryption alone */
	int64_t signing_time;           /* informative; 0 if absent */
};
/*
 * cms_parse - SignedData, detached, id-data, SHA-256 (or 384, 512: then the
 * digest length follows; of Ed25519 and ML-DSA 512, RFC 8419 and 9882), exactly one SignerInfo whose certificate is
 * included, signed attributes contentType, messageDigest and
 * signing-certificate-v2 each once, nothing unknown.  DER or PEM.
 *
 * Known and ignored: SMIMECapabilities, which openssl cms adds by default.
 *
 * ERR_INVALID "cms-size", "cms-not-der" (where.byte), "cms-form"
 * (where.field), "cms-not-signed", "cms-content-type", "cms-attached",
 * "cms-crls", "cms-certificates", "cms-signers", "cms-signer-missing",
 * "cms-signer-differs", "cms-digest", "cms-algorithm",
 * "cms-attributes-missing", "cms-attributes-size", "cms-attribute-missing",
 * "cms-attribute-twice", "cms-attribute-unknown", "cms-unsigned-attributes",
 * "pem-…", and those of cert_parse().
 */
MUST_CHECK enum err_code cms_parse(struct bytes input, struct buf *scratch,
    struct cms *out, struct err *e);
/*
 * The digest is that of content and the signature is the signer's; whether
 * the signer may sign is for the caller.
 *
 * ERR_INVALID "cms-other-content", "cms-signature".
 */
MUST_CHECK enum err_code cms_verify(const struct cms *c, struct bytes content,
    struct verifier *v, struct err *e);
/*
 * cms_vouch - somebody else, who is believed, found cms_verify() to succeed:
 * the digest is compared, and verifier_vouch() told of the signature.
 *
 * ERR_INVALID "cms-other-content"; ERR_CRYPTO "hash-failed".
 */
MUST_CHECK enum err_code cms_vouch(const struct cms *c, struct bytes content,
    struct verifier *v, struct err *e);
/*
 * A detached CAdES-BES signature over content, appended to out; cert_der is
 * key's certificate.  ERR_INVALID "cms-key-differs".
 */
MUST_CHECK enum err_code cms_sign(struct key *key, struct bytes cert_der,
    struct bytes content, int64_t now, struct buf *out, struct err *e);

/*
 * cms_certificates - certificates alone, "certs-only" (RFC 5652 5.1, RFC 8551
 * 3.8), for AIA (RFC 5280 4.2.2.1).  der: n of them, which it puts in order.
 */
MUST_CHECK enum err_code cms_certificates(struct bytes *der, size_t n,
    struct buf *out, struct err *e);

#endif
