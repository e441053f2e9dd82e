/*
 * signer - the trust kernel: holds keys, judges whole objects against the
 * endorsement, its own journal and root-owned ceilings, and signs.
 *
 * Two roles run this code: signer (CA keys, endorser key, log key) and
 * ocsp-signer (delegated responder keys only).  One thread, one socket; no
 * network, no LMDB, no exec.  It never signs a digest: the object arrives
 * whole, is parsed again, and its to-be-signed bytes leave unchanged.
 * doc/PROTOCOL.ipc.md describes the messages.
 */
#ifndef REFRENDO_SIGNER_H
#define REFRENDO_SIGNER_H

#include <refrendo/audit.h>
#include <refrendo/base.h>
#include <refrendo/pkix.h>
#include <refrendo/policy.h>

/* --- Messages: one list generates number, name, cap, flags and dispatch ------------- */

/*  name                 number cap (octets of body)  role that answers it        */
#define SIGNER_MESSAGES(X)                                                         \
	X(SIGNER_HELLO,          1, 1024,          BOTH)                           \
	X(SIGNER_CERTIFICATE,    2, 131072,        SIGNER)                         \
	X(SIGNER_CRL,            3, CRL_FRAME_MAX, SIGNER)                         \
	X(SIGNER_CHECKPOINT,     4, 8192,          SIGNER)                         \
	X(SIGNER_RESPONDER,      5, 32768,         SIGNER)                         \
	X(SIGNER_APPOINTMENT_END, 6, 1024,         SIGNER)                         \
	X(SIGNER_OCSP,           7, 8192,          OCSP)
#define CRL_FRAME_MAX (32u << 20)

enum signer_message {
#define X(name, number, cap, role) name = number,
	SIGNER_MESSAGES(X)
#undef X
};
/* Answers: type is the request's | SIGNER_ANSWER or | SIGNER_REFUSAL. */
#define SIGNER_ANSWER  0x4000
#define SIGNER_REFUSAL 0x8000
uint32_t signer_cap(uint16_t type); /* for frame_cut(), both directions */
const char *signer_message_name(uint16_t type);

/* SIGNER_HELLO is asked first; its answer says what the journal remembers. */
struct signer_hello {
	uint64_t checkpoint_size; /* last checkpoint signed; 0: none */
	uint8_t checkpoint_root[HASH_LEN];
	uint64_t signed_certificates;
	struct { char issuer[POLICY_NAME_MAX]; int64_t crl_number;
		uint8_t responder_spki_sha256[SHA256_LEN]; } issuer[ISSUERS_MAX];
	size_t n_issuer;
	/* ocsp-signer: its responder keys, in the order of the configuration. */
	struct bytes responder_spki[ISSUERS_MAX];
};

struct signer_certificate { /* holder's, or a minister's by the endorser CA */
	struct bytes issuer;    /* name; "endorser" for a minister's */
	struct bytes container; /* whole certificate, throwaway signature */
	struct bytes statement; /* exact bytes that were signed */
	struct bytes evidence;  /* CMS */
};
struct signer_crl {
	struct bytes issuer, tbs;
};
struct signer_checkpoint {
	uint64_t size;
	uint8_t root[HASH_LEN];
	struct proof consistency; /* from the last one signed */
};
struct signer_responder {
	struct bytes issuer, container;
};
struct signer_appointment_end {
	struct bytes appointment; /* id */
	int64_t at;
};
struct signer_ocsp {
	struct bytes issuer, tbs, responder; /* responder: its certificate */
};
void signer_hello_encode(const struct signer_hello *m, struct buf *out);
MUST_CHECK enum err_code signer_hello_decode(struct bytes in, struct arena *a,
    struct signer_hello *out, struct err *e);
void signer_certificate_encode(
    const struct signer_certificate *m, struct buf *out);
MUST_CHECK enum err_code signer_certificate_decode(
    struct bytes in, struct signer_certificate *out, struct err *e);
void signer_crl_encode(const struct signer_crl *m, struct buf *out);
MUST_CHECK enum err_code signer_crl_decode(
    struct bytes in, struct signer_crl *out, struct err *e);
void signer_checkpoint_encode(
    const struct signer_checkpoint *m, struct buf *out);
MUST_CHECK enum err_code signer_checkpoint_decode(
    struct bytes in, struct signer_checkpoint *out, struct err *e);
void signer_responder_encode(const struct signer_responder *m, struct buf *out);
MUST_CHECK enum err_code signer_responder_decode(
    struct bytes in, struct signer_responder *out, struct err *e);
void signer_appointment_end_encode(
    const struct signer_appointment_end *m, struct buf *out);
MUST_CHECK enum err_code signer_appointment_end_decode(
    struct bytes in, struct signer_appointment_end *out, struct err *e);
void signer_ocsp_encode(const struct signer_ocsp *m, struct buf *out);
MUST_CHECK enum err_code signer_ocsp_decode(
    struct bytes in, struct signer_ocsp *out, struct err *e);
/* A refusal travels whole: err_encode() and err_decode() of base.h. */

/* --- The process ------------------------------------------------------------------------- */

struct signer_setup {
	const struct config *config;
	const struct ceilings *ceilings;
	const char *dir;          /* the installation; keys and journal below it */
	struct bytes passphrase;
	bool is_ocsp;             /* ocsp-signer: responder keys only, no journal */
};
struct signer;
/*
 * signer_new - loads keys and certificates, checks that they belong together,
 * opens and verifies the journal (DIR/signer/journal).  Everything that needs
 * the file system happens here, before the sandbox is closed.
 *
 * ERR_CORRUPT "journal-…"; what key_load() says; ERR_INVALID "key-not-of-ca".
 */
MUST_CHECK enum err_code signer_new(
    const struct signer_setup *setup, struct signer **out, struct err *e);
void signer_free(struct signer *s); /* wipes */
OWNED(signer);
/* Who asks: status may only have "unknown" signed by ocsp-signer, without a
 * HELLO and UNKNOWN_PER_SECOND times. */
enum signer_asker { ASKER_CORE, ASKER_STATUS };
#define UNKNOWN_PER_SECOND 500

/*
 * signer_batch - answers the whole frames at the front of in: judges all,
 * journals all with one sync, signs, and appends the answers to out.
 *
 * *used      octets consumed.
 * ERR_INVALID closes the peer; ERR_IO "journal-sync" ends the process.
 */
MUST_CHECK enum err_code signer_batch(struct signer *s,
    enum signer_asker who, struct bytes in, size_t *used, int64_t now, struct buf *out, struct err *e);

/* --- Journal: append-only, hash-chained, synced before a signature leaves -------------------- */

/* Walks a journal file for audits; ERR_CORRUPT "journal-chain". */
struct journal_record {
	uint64_t number;
	int64_t time;
	const char *kind; /* "certificate", "crl", "checkpoint", … */
	struct bytes issuer, serial, digest; /* digest: of the TBS or the root */
	int64_t value; /* CRL number or log size */
};
MUST_CHECK enum err_code journal_read(const char *path,
    void (*each)(void *ctx, const struct journal_record *r), void *ctx,
    struct err *e);

#endif
