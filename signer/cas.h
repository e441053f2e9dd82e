/*
 * cas - the file signer/cas, shared by cas_file.c, which reads and writes it,
 * cas.c, which lets the signer use it, and cas_offline.c.  What other files of
 * the folder may ask of it is in internal.h.
 */
#ifndef SIGNER_CAS_H
#define SIGNER_CAS_H

#include "internal.h"

#define CAS_BODY_MAX   (64u + SPKI_MAX + WRAPPED_MAX + CERT_MAX_BYTES)
#define CAS_SALT_LEN   16u
#define CAS_SECRET_MAX 1024

enum cas_kind { CAS_KEY = 1, CAS_CERTIFICATE, CAS_WIPED };

struct ca {
	char name[POLICY_NAME_MAX];
	uint8_t spki_sha256[SHA256_LEN];
	/* In the file; length 0: not there. */
	uint64_t spki_at, wrapped_at, certificate_at;
	uint32_t spki_len, wrapped_len, certificate_len;
	bool is_heard; /* the journal has its key */
	bool is_wiped;
	struct authority *loaded; /* owned; NULL: not now */
	uint64_t used;            /* the higher the later */
};

struct cas {
	int fd;
	bool is_damaged; /* a key of the journal is missing: nothing is added */
	/* The last record begins, and ends; size is that of the file as it was
	 * found, and if it is more, something unreadable follows. */
	uint64_t last, end, size;
	uint8_t chain[SHA256_LEN];
	struct ca ca[ISSUERS_MAX];
	size_t n, n_loaded, n_pending;
	uint16_t able[ISSUERS_MAX]; /* those that can sign */
	size_t n_able;
	struct places by_name, by_key;
	uint64_t clock;
	/* In memory that is never swapped: a passphrase, or what follows. */
	uint8_t salt[CAS_SALT_LEN], check[SHA256_LEN];
	uint8_t *secret;
	size_t secret_len; /* 0: there is none */
	bool is_derived, is_wrong;
};
OWNED(cas);

struct ca *cas_find(struct cas *c, struct bytes name);
struct bytes ca_hash(const struct ca *ca); /* borrows */
/* 1 to 40 of a-z, 0-9 and dash, a letter first, and no reserved word. */
bool cas_name_is_good(struct bytes name);
void cas_forget(struct cas *c, struct ca *ca); /* it signs no more */

/* cas_open() of a file of that name in DIR/signer. */
MUST_CHECK enum err_code cas_open_named(const char *dir, const char *name,
    struct bytes passphrase, struct cas **out, struct err *e);
/* Appends len octets from at to out.  ERR_IO "cas-read". */
MUST_CHECK enum err_code cas_get(struct cas *c, uint64_t at, uint32_t len,
    struct buf *out, struct err *e);
/*
 * cas_append - a record, on disk when this returns.  first is the key's SPKI or
 *              the certificate, second the wrapped key; BYTES_NONE where the
 *              kind has none.
 *
 * ERR_IO "cas-write": what the file has is not known, and it is written to no
 * more.
 */
MUST_CHECK enum err_code cas_append(struct cas *c, enum cas_kind kind,
    struct bytes name, struct bytes first, struct bytes second, struct err *e);
/* Zeros over the wrapped key.  ERR_IO "cas-write". */
MUST_CHECK enum err_code cas_wipe_rest(struct cas *c, const struct ca *ca,
    struct err *e);

/*
 * The key that wraps the others, from the passphrase, which is wiped: at the
 * first call.  ERR_CRYPTO "cas-passphrase", "signer-ca-passphrase".
 */
MUST_CHECK enum err_code cas_derive(struct cas *c, struct err *e);
/* cas_derive(), with a salt for a file that has no head yet. */
MUST_CHECK enum err_code cas_begin(struct cas *c, struct err *e);
/* The head of such a file, on disk.  ERR_IO "cas-write". */
MUST_CHECK enum err_code cas_write_head(struct cas *c, struct err *e);
/* ERR_CORRUPT "cas-key"; else as cas_derive() and cas_get(). */
MUST_CHECK enum err_code cas_unwrap(struct cas *c, const struct ca *ca,
    struct key **out, struct err *e);
MUST_CHECK enum err_code cas_append_key(struct cas *c, struct bytes name,
    const struct key *key, struct err *e);

/* What more than one of the files says. */
enum err_code cas_damaged(struct err *e);      /* ERR_CORRUPT */
enum err_code cas_cannot_write(struct err *e); /* ERR_IO, from errno */
enum err_code cas_unknown(struct err *e);      /* ERR_NOTFOUND */

#endif
