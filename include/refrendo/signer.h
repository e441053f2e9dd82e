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
#include <refrendo/ocsp.h>
#include <refrendo/pkix.h>
#include <refrendo/policy.h>

/* --- Messages: one list generates number, name, cap, flags and dispatch ------------- */

/*  name                 number cap (octets of body)  role that answers it        */
#define SIGNER_MESSAGES(X)                               \
	X(SIGNER_HELLO, 1, HELLO_MAX, BOTH)              \
	X(SIGNER_CERTIFICATE, 2, CERT_FRAME_MAX, SIGNER) \
	X(SIGNER_CRL, 3, CRL_FRAME_MAX, SIGNER)          \
	X(SIGNER_CHECKPOINT, 4, 8192, SIGNER)            \
	X(SIGNER_RESPONDER, 5, 32768, SIGNER)            \
	X(SIGNER_END, 6, 1024, SIGNER)                   \
	X(SIGNER_OCSP, 7, OCSP_FRAME_MAX, OCSP)          \
	X(SIGNER_AGREEMENT, 8, AGREEMENT_MAX, SIGNER)    \
	X(SIGNER_EVIDENCE, 9, 131072, SIGNER)            \
	X(SIGNER_COMPOSE, 10, COMPOSE_FRAME_MAX, OCSP)   \
	X(SIGNER_CA_KEY, 11, 1024, SIGNER)
/* Its answer names all CAs, and has keys of those in the configuration. */
#define HELLO_MAX                                             \
	(ISSUERS_MAX * 128u + CONFIG_ISSUERS_MAX * SPKI_MAX + \
	    CEILINGS_FILE_MAX + 128u)
/* SIGNER_OCSP_MAX answers of as many CAs, by ML-DSA-87 each. */
#define OCSP_FRAME_MAX    (4u << 20)
#define COMPOSE_FRAME_MAX ((SIGNER_SOURCES_MAX + 4u) * (OCSP_ANSWER_MAX + 8u))
#define CRL_PIECE_MAX     262144u
#define CRL_FRAME_MAX     256u
#define AGREEMENT_MAX                                          \
	(STATEMENT_MAX + OFFICERS_MAX * (CMS_MAX_BYTES + 8u) + \
	    CERT_MAX_BYTES + 8u)
#define CERT_FRAME_MAX (AGREEMENT_MAX + CERT_MAX_BYTES + CMS_MAX_BYTES + 256u)

enum signer_message {
#define X(name, number, cap, role) name = number,
	SIGNER_MESSAGES(X)
#undef X
};
/* Answers: type is the request's | SIGNER_ANSWER or | SIGNER_REFUSAL. */
#define SIGNER_ANSWER  0x4000
#define SIGNER_REFUSAL 0x8000
/* Octets of body for frame_cut(), both directions; 0: there is no such type. */
uint32_t signer_cap(uint16_t type);
/* "SIGNER_CRL" for question, answer and refusal alike; "unknown". */
const char *signer_message_name(uint16_t type);

/*
 * SIGNER_HELLO is asked first, with an empty body; its answer says what the
 * journal remembers.  In the ocsp-signer, which has none, that is zero.
 */
struct signer_hello {
	uint64_t checkpoint_size; /* last checkpoint signed; 0: none */
	uint8_t checkpoint_root[HASH_LEN];
	uint64_t signed_certificates; /* journalled, ministers' included */
	struct {
		char issuer[POLICY_NAME_MAX];
		int64_t crl_number;
		uint8_t responder_spki_sha256[SHA256_LEN];
		bool is_taken; /* it may issue, as the journal says */
	} issuer[ISSUERS_MAX];
	size_t n_issuer;
	/* Those in force, octet for octet; empty in the ocsp-signer. */
	struct bytes ceilings;
	enum ceilings_how ceilings_how;
	/* ocsp-signer: its responder keys, in the order of the configuration. */
	struct bytes responder_spki[CONFIG_ISSUERS_MAX];
};

struct signer_certificate {  /* holder's, or a minister's by the endorser CA */
	struct bytes issuer; /* name; "endorser" for a minister's */
	struct bytes container; /* whole certificate, signed by nobody */
	struct bytes statement; /* exact bytes that were signed */
	struct bytes evidence;  /* list: CMS of each minister, or officer */
	struct bytes renewed;   /* under a mandate: whole, the one before; else
			       * empty */
	struct bytes proof; /* list: CMS of its key over another, or empty */
};
/*
 * A TBSCertList in pieces, in order, under one frame id; they are in the file
 * whose descriptor came with the first.  The answer to the last is the
 * signature alone.  A refusal of any piece is the answer to all.
 */
struct signer_crl {
	struct bytes issuer;
	uint64_t offset; /* octets before this piece; 0 begins a list anew */
	uint64_t at;     /* of the piece in the file */
	uint64_t len;    /* up to CRL_PIECE_MAX octets */
	bool last;
};
struct signer_checkpoint {
	uint64_t size; /* at least 1 */
	uint8_t root[HASH_LEN];
	struct proof consistency; /* from the last one signed */
};
struct signer_responder {
	struct bytes issuer, container;
};
/* What officers agreed on: policies, or a CA whose certificate the root signed. */
struct signer_agreement {
	struct bytes statement;   /* exact bytes that were signed, of an
				   activation or a ceremony */
	struct bytes evidence;    /* list: CMS of each officer */
	struct bytes certificate; /* of a ceremony: what the root signed; of
				   * ceilings the file */
};
/* An appointment that ended, an activation that was withdrawn, or "ca/NAME"
 * that issues no more. */
struct signer_end {
	struct bytes id;
	int64_t at; /* not in the future: it takes effect at once */
};
/*
 * A key for a CA that is to be, made here and kept in signer/cas (decision
 * 0042).  The answer is a PKCS #10 request with it; asked again for the name,
 * for the same key, until the CA has its certificate.
 */
struct signer_ca_key {
	struct bytes name;
	uint64_t type; /* enum key_type: one that a CA may have */
};
/*
 * Lists hold items one after the other, each with its length before it
 * (put_bytes); signer_next() takes them apart.
 *
 * Answers that core wants signed ahead of time, each about one certificate, of
 * whichever issuers: ResponseData names its responder's key.  The answer is a
 * list of signatures in the same order; an empty one was refused, and if all
 * are, so is the message.
 */
#define SIGNER_OCSP_MAX 128 /* answers in one message */
struct signer_ocsp {
	struct bytes responders; /* list: certificates, one an issuer */
	struct bytes cas;        /* list: of the CAs that issued them */
	struct bytes tbs;        /* list: 1 to SIGNER_OCSP_MAX ResponseData */
};
/*
 * One answer that status wants signed for one client, because of a nonce or
 * of several CertIDs.  Each SingleResponse says unknown, or stands octet for
 * octet in an answer that this responder signed for core and that is valid
 * still (decision 0018).  The answer is an OCSPResponse.
 */
#define SIGNER_SOURCES_MAX 16
struct signer_compose {
	struct bytes responder; /* its certificate */
	struct bytes ca;        /* and that of the CA that issued it */
	struct bytes tbs;
	struct bytes sources; /* list: up to SIGNER_SOURCES_MAX OCSPResponses */
};
/* The next item of a list that was decoded; false at its end. */
bool signer_next(struct bytes *list, struct bytes *item);
/*
 * Asked before core writes an intent: is this somebody's signature over the
 * statement?  Nothing is signed, kept or permitted by it; the signer must
 * check the signature anyway, and remembers that it did (decision 0015).
 */
struct signer_evidence {
	struct bytes statement, evidence;
};
/*
 * Encoders append a body to out; buf_end() tells whether it fitted.  Decoders
 * borrow from in, and take it whole or not at all.
 * ERR_INVALID "signer-message": cut short, or something is left over.
 *
 * Answers: CERTIFICATE and RESPONDER give the signed object in DER with the
 * to-be-signed octets of the question; CRL the signature over its pieces;
 * CHECKPOINT a signed note; OCSP a list of signatures; COMPOSE an
 * OCSPResponse; AGREEMENT, END and EVIDENCE nothing.  A
 * refusal is ERR_DENIED or ERR_FORBIDDEN (do not repeat it), ERR_CONFLICT
 * (something else was signed before), ERR_BUSY "signer-rate", "signer-clock"
 * (repeat it later), ERR_CRYPTO (the key did not sign, the intent stays open),
 * with the ids of signer/es.def or of the parser that refused.  The same
 * question always gets the same octets.
 */
void signer_hello_encode(const struct signer_hello *m, struct buf *out);
MUST_CHECK enum err_code signer_hello_decode(struct bytes in, struct arena *a,
    struct signer_hello *out, struct err *e);
void signer_certificate_encode(const struct signer_certificate *m,
    struct buf *out);
MUST_CHECK enum err_code signer_certificate_decode(struct bytes in,
    struct signer_certificate *out, struct err *e);
void signer_crl_encode(const struct signer_crl *m, struct buf *out);
MUST_CHECK enum err_code signer_crl_decode(struct bytes in,
    struct signer_crl *out, struct err *e);
void signer_checkpoint_encode(const struct signer_checkpoint *m,
    struct buf *out);
MUST_CHECK enum err_code signer_checkpoint_decode(struct bytes in,
    struct signer_checkpoint *out, struct err *e);
void signer_responder_encode(const struct signer_responder *m, struct buf *out);
MUST_CHECK enum err_code signer_responder_decode(struct bytes in,
    struct signer_responder *out, struct err *e);
void signer_end_encode(const struct signer_end *m, struct buf *out);
MUST_CHECK enum err_code signer_end_decode(struct bytes in,
    struct signer_end *out, struct err *e);
void signer_agreement_encode(const struct signer_agreement *m, struct buf *out);
MUST_CHECK enum err_code signer_agreement_decode(struct bytes in,
    struct signer_agreement *out, struct err *e);
void signer_ocsp_encode(const struct signer_ocsp *m, struct buf *out);
MUST_CHECK enum err_code signer_ocsp_decode(struct bytes in,
    struct signer_ocsp *out, struct err *e);
void signer_compose_encode(const struct signer_compose *m, struct buf *out);
MUST_CHECK enum err_code signer_compose_decode(struct bytes in,
    struct signer_compose *out, struct err *e);
void signer_ca_key_encode(const struct signer_ca_key *m, struct buf *out);
MUST_CHECK enum err_code signer_ca_key_decode(struct bytes in,
    struct signer_ca_key *out, struct err *e);
void signer_evidence_encode(const struct signer_evidence *m, struct buf *out);
MUST_CHECK enum err_code signer_evidence_decode(struct bytes in,
    struct signer_evidence *out, struct err *e);
/* A refusal travels whole: err_encode() and err_decode() of base.h. */

/* --- The process ------------------------------------------------------------------------- */

struct signer_setup {
	const struct config *config;
	/* As they lie in etc/: in force if the journal has no others, or if they
	 * only take away. */
	const struct ceilings *ceilings;
	struct bytes ceilings_text; /* empty: taken as they are, of tests */
	int64_t now;                /* for the journal */
	const char *dir; /* the installation; keys and journal below it */
	struct bytes passphrase; /* of key files */
	struct bytes pin;        /* of the token, if there is one */
	bool is_ocsp; /* ocsp-signer: responder keys only, no journal */
};
struct signer;
/*
 * signer_new - loads keys and certificates, checks that they belong together,
 * opens and verifies the journal (DIR/signer/journal).  Everything that needs
 * the file system happens here, before the sandbox is closed.
 *
 * A journal that is missing is begun, with a warning.  setup and what it points
 * to are borrowed for the call.  Afterwards no file is opened any more.
 *
 * ERR_CORRUPT "journal-chain", "journal-head", "journal-origin",
 * "journal-version", "cas-damaged", "cas-version"; ERR_CONFLICT "journal-in-use"; ERR_IO
 * "journal-open", "journal-read", "journal-write", "journal-sync"; ERR_INVALID
 * "key-not-of-ca", "signer-not-ca", "signer-log-key", "signer-key-uri",
 * "signer-issuer-reserved", "signer-ca-twice", "signer-cas-many"; ERR_NOTFOUND
 * "signer-certificate-file"; ERR_CRYPTO "signer-random"; ERR_IO
 * "signer-token-lock", "cas-open", "cas-read", "cas-write"; what key_load() and cert_parse() say.
 */
MUST_CHECK enum err_code signer_new(const struct signer_setup *setup,
    struct signer **out, struct err *e);
void signer_free(struct signer *s); /* wipes */
/*
 * signer_cas_rewrap - DIR/signer/cas under another passphrase, in DIR/signer/
 * cas.new, on disk, which the caller then puts in its place.  No signer may run.
 *
 * made  false: there is no such key, or all is under the other one already.
 *
 * ERR_CRYPTO "cas-passphrase": it is under neither; ERR_CORRUPT "cas-damaged"
 * also where its end waits for a start; and what signer_new() says.
 */
MUST_CHECK enum err_code signer_cas_rewrap(const char *dir, struct bytes old,
    struct bytes fresh, bool *made, struct err *e);
/*
 * signer_cas_drop - destroys the key that was made for a CA that has no
 * certificate; its name stays used.  No signer may run.
 *
 * before    on ERR_OK: it was destroyed already.
 *
 * ERR_NOTFOUND "signer-ca-unknown"; ERR_CONFLICT "cas-not-pending".
 */
MUST_CHECK enum err_code signer_cas_drop(const char *dir, struct bytes name,
    bool *before, struct err *e);
/*
 * A key in a token did not sign.  Its library may be past mending: answer what
 * was asked and begin anew, which opens the token again when it is back.
 */
bool signer_token_lost(const struct signer *s);
/* For the metrics. */
struct signer_numbers {
	uint64_t certificates; /* in the journal */
	uint64_t refused;      /* messages, since the process began */
	int64_t stopped_until; /* "signer-anomaly" before; 0: never stopped */
};
void signer_numbers(const struct signer *s, struct signer_numbers *out);
OWNED(signer);
/* The file that the next CRL of core is in, which the signer closes; each octet
 * of it is read once. */
void signer_take_file(struct signer *s, int fd);
/* Who asks: status may only have answers composed by ocsp-signer, without a
 * HELLO and COMPOSED_PER_SECOND times in one second, all of them together. */
enum signer_asker { ASKER_CORE, ASKER_STATUS };
#define COMPOSED_PER_SECOND 2000

/*
 * signer_batch - answers whole frames at the front of in: judges all,
 * journals all with one sync, signs, and appends the answers to out.  Many at
 * once in the signer, where a sync is dear; one in the ocsp-signer, so that
 * what comes first also leaves first.
 *
 * *used      octets consumed, 0: there is no whole frame; call again for the
 *            rest.
 * now        seconds since 1970; more than a minute behind the journal nothing
 *            is signed ("signer-clock").
 * out        has all answers of the frames consumed, also when a later frame
 *            is ERR_INVALID.
 *
 * ERR_INVALID "frame-…", "signer-message" closes the peer.
 * ERR_IO "journal-sync", "journal-write", "journal-read", ERR_CORRUPT
 * "journal-record" and, after one of them, "signer-stopped" end the process.
 */
MUST_CHECK enum err_code signer_batch(struct signer *s, enum signer_asker who,
    struct bytes in, size_t *used, int64_t now, struct buf *out, struct err *e);

/* --- Journal: append-only, hash-chained, synced before a signature leaves -------------------- */

/* One record; everything is borrowed for the call that gets it. */
struct journal_record {
	uint64_t number;
	int64_t time;
	const char *kind; /* "certificate", "crl", "checkpoint", … */
	struct bytes issuer, serial,
	    digest,    /* of the TBS or the root, or the policy's */
	    id;        /* of an appointment or an activation */
	int64_t value; /* CRL number, log size, or when an appointment ended */
};
/*
 * journal_read - walks a journal file for audits and calls each() for every
 * record, in order, from number 1.  A torn tail that was never synced ends the
 * walk without an error, as it does at start.
 *
 * ERR_CORRUPT "journal-chain", "journal-head", "journal-version"; ERR_IO
 * "journal-open", "journal-read".
 */
MUST_CHECK enum err_code journal_read(const char *path,
    void (*each)(void *ctx, const struct journal_record *r), void *ctx,
    struct err *e);

#endif
