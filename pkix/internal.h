/*
 * What the files of pkix/ share and nobody else sees.
 */
#ifndef PKIX_INTERNAL_H
#define PKIX_INTERNAL_H

#include <string.h>

#include <openssl/types.h>

#include <refrendo/pkix.h>

/* What kind of arithmetic a key does, whatever its size. */
enum key_family {
	FAMILY_P256,
	FAMILY_P384,
	FAMILY_RSA,
	FAMILY_RSA_PSS, /* id-RSASSA-PSS: for that signature alone */
	FAMILY_ED25519,
	FAMILY_ML_DSA_44,
	FAMILY_ML_DSA_65,
	FAMILY_ML_DSA_87,
	FAMILIES
};
/* Those that the point, the modulus or the octets of a key alone make; of RSA
 * the one of 2048 bits. */
enum key_type family_type(enum key_family f);

struct spki_parts {
	enum key_family family;
	struct bytes key; /* content of the BIT STRING after its first octet */
	struct bytes modulus;  /* RSA only: magnitude, no sign octet */
	struct bytes exponent; /* RSA only, likewise */
};

/* Structure only: known algorithm, exact parameters, well-formed key. */
MUST_CHECK enum err_code spki_split(struct bytes spki, struct spki_parts *out,
    struct err *e);

/* The arithmetic tests of an RSA modulus (size and exponent were judged). */
MUST_CHECK enum err_code weak_modulus(struct bytes modulus, struct err *e);

enum hash_alg { HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_NONE };
#define HASH_MAX 64
/* Of the content of evidence that Ed25519 or ML-DSA signs (RFC 8419 3.1, RFC
 * 9882 3.3, where it fits all three). */
#define CMS_WHOLE_HASH HASH_SHA512

size_t hash_len(enum hash_alg h);
/* Whole AlgorithmIdentifier without parameters, as RFC 5754 2 writes it. */
struct bytes hash_algid(enum hash_alg h);
/* From an AlgorithmIdentifier with absent or NULL parameters. */
bool hash_find(struct bytes algid, enum hash_alg *out);
MUST_CHECK enum err_code hash_of(enum hash_alg h, struct bytes b, uint8_t *out,
    struct err *e);

/* A signature algorithm that exists here. */
struct sig_alg {
	struct bytes algid; /* whole AlgorithmIdentifier */
	unsigned families;  /* of the keys that may use it, 1u << FAMILY_… */
	enum hash_alg hash; /* HASH_NONE: the message is signed whole */
	bool pss;
};
const struct sig_alg *sig_alg_find(struct bytes algid);
/* For a bare rsaEncryption in CMS, whose hash stands elsewhere. */
struct bytes rsa_sig_algid(enum hash_alg h);
extern const struct bytes algid_rsa_encryption;

/* Is that AlgorithmIdentifier one of an id-RSASSA-PSS key? */
bool pss_key_algid(struct bytes algid);

enum hash_alg key_type_hash(enum key_type t);
/* What OpenSSL makes such a key of. */
struct key_maker {
	const char *algorithm, *group; /* group: of EC only */
	size_t bits;                   /* of RSA only */
};
const struct key_maker *key_type_maker(enum key_type t);

/* Octets of what digest_end() gives for such a key; 0: it has no digest. */
size_t digest_len(enum key_family f);
/* For PKCS #1 v1.5 or PSS with that hash, signing and checking alike. */
bool rsa_setup(EVP_PKEY_CTX *ctx, const EVP_MD *md, bool pss);
/*
 * Of a signature over a message that is not hashed first.  is_digest: what
 * comes is ML-DSA's own digest of it, mu; ask digest_len() first, since the
 * provider of Ed25519 does not know the word and would sign the digest.
 */
void whole_params(bool is_digest, OSSL_PARAM *out); /* of 2 */

/* token.c: where the keys of tokens live; NULL before token_open(). */
OSSL_LIB_CTX *token_context(void);
/* key.c: a path, or file://PATH. */
bool file_readable(const char *path);
/* After token_open(): the one private key that the URI names, for the caller
 * to free.  name: as it may be shown.  Errors as key_load(). */
MUST_CHECK enum err_code token_key(const char *uri, struct bytes pin,
    const char *name, EVP_PKEY **out, struct err *e);

/* Well-formed Name: one walk; an empty one is fine. */
bool name_valid(struct bytes name);
/* Well-formed GeneralNames, at least one. */
bool general_names_valid(struct bytes names);
/* The content of qcStatements: those that are known in their form. */
bool qc_valid(struct bytes statements);
bool constraints_valid(struct bytes constraints);
/* A GeneralName by its tag and content; of an IP address 4 or 16 octets. */
bool name_shape_valid(uint8_t tag, struct bytes v);
bool general_name_fits(const struct general_name *n);
bool has_invisible(struct bytes text); /* valid UTF-8 */
bool ia5_valid(struct bytes b);
bool printable_valid(struct bytes b);
bool country_known(struct bytes code);

#define EMAIL_MAX 254 /* RFC 5321 4.5.3.1.3, less the angle brackets */
bool letter_or_digit(uint8_t c);
/* A host's name of two labels or more, without wildcard. */
bool dns_host_valid(const char *host);
/* Writes an extension's value; whether there is one was asked before. */
void put_general_name(struct der_w *w, const struct general_name *n);
void put_constraints(struct der_w *w, const struct name_constraints *c);
void put_qc(struct der_w *w, const struct qc_statements *q);

/* The octets of an INTEGER's content without the sign octet. */
struct bytes magnitude_of(struct bytes integer);

/* Was this signature found right lately; and it is now.  Any thread. */
bool proofs_have(struct proofs *p, const uint8_t id[SHA256_LEN]);
void proofs_add(struct proofs *p, const uint8_t id[SHA256_LEN]);

/* Bytes of a static table as struct bytes. */
#define STATIC_BYTES(a) { (a), sizeof(a) }

#endif
