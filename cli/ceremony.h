/*
 * What the verbs of ceremonies share: ceremony.c reads, shows and signs;
 * ceremony_show.c writes what people read of them.
 */
#ifndef CLI_CEREMONY_H
#define CLI_CEREMONY_H

#include "cli.h"

/* A file of a ceremony, read and judged under its root. */
struct ceremony_run {
	struct cli *c;
	struct ceremony_file file;
	struct ceremony_object object[CEREMONY_OBJECTS_MAX];
	struct buf root_der; /* owned */
	struct cert root;
	struct verifier *verifier; /* owned */
	size_t people;             /* officers who signed, of the ceilings */
	int64_t quorum;            /* 0: no ceilings were given */
};
/* What it is, who asked, who signed, and each object with its terms: the body
 * of a transcript. */
void ceremony_tell(const struct ceremony_run *r, struct buf *out);
/*
 * ceremony_is_asked - what core gives for an officer to sign is what was asked
 * for: one object of that kind, its name, whom it replaces, who asked; and of a
 * certificate, by its TBS, name and institution, and the key where it was given;
 * of a list, the entries of the published one and the CA asked for; of a key
 * that is destroyed, that of the certificate of this name in the installation.
 * ERR_DENIED "cli-asked-other".
 */
MUST_CHECK enum err_code ceremony_is_asked(struct cli *c,
    const struct command *asked, struct bytes statement, struct bytes tbs,
    struct err *e);
/*
 * ceremony_in_words - in the language of who reads: what the ceremony is about, by
 * the object that its statement names by hash; and the Spanish that is signed
 * says just that.  ERR_DENIED "cli-asked-other".
 */
MUST_CHECK enum err_code ceremony_in_words(struct cli *c,
    const struct ceremony_statement *s, struct buf *out, struct err *e);
/* ceremony_object.c: what differs from the file in force, line by line. */
void ceilings_changes(struct cli *c, const struct ceremony_statement *s,
    struct bytes file, struct buf *out);
MUST_CHECK enum err_code run_ceremony_get(struct cli *c, struct err *e);
/* ca_show.c: with what their certificates say. */
MUST_CHECK enum err_code run_ca_ls(struct cli *c, struct err *e);
MUST_CHECK enum err_code run_ca_show(struct cli *c, struct err *e);
/* As text; "" where it is none.  Lives as long as the record. */
const char *text_in(const json_t *record, const char *member);
/* A member in base64, kept in the arena; false: it is not there or not that. */
bool get_octets(struct cli *c, const json_t *record, const char *member,
    struct bytes *out);
/* Of ca.c and ceremony_engine.c: --key and --cert, both or neither; what was
 * typed, into a command. */
MUST_CHECK enum err_code check_signing(struct cli *c, struct err *e);
void take_fields(struct cli *c, struct command *command);
/* ceremony_is_asked() with the object that core has for this number. */
MUST_CHECK enum err_code ceremony_check_asked(struct cli *c,
    const struct command *asked, const char *id, struct bytes statement,
    struct err *e);
/* The officer signs what the command asked for and core proposed. */
MUST_CHECK enum err_code ceremony_sign_first(struct cli *c,
    const struct command *asked, const char *id, struct buf *answer,
    struct err *e);
/* Statement, object and signatures of one, as core has them. */
struct taken {
	const char *state; /* in the arena */
	bool held;         /* the signer made the key, as core says */
};
MUST_CHECK enum err_code ceremony_take(struct cli *c, const char *id,
    struct ceremony_file *f, struct taken *out, struct err *e);
/* ERR_CONFLICT "cli-ceremony-state". */
MUST_CHECK enum err_code ceremony_not_agreed(const char *id, struct err *e);
/* What the root signed, to the engine; the certificate to ca/. */
MUST_CHECK enum err_code ceremony_bring(struct cli *c, struct bytes text,
    struct err *e);
/* After a failure: what stays in the log, and what goes on with it. */
void ceremony_say_where(struct cli *c, const char *id);
/*
 * ceremony_is_made_here - the certificate is for the key that the signer's
 * journal, which core cannot write, names as the one made for this CA; and with
 * the subject and the names of the CA that it replaces (empty: none).
 * ERR_DENIED "cli-ceremony-key", "cli-asked-other"; those of journal_read().
 */
MUST_CHECK enum err_code ceremony_is_made_here(struct cli *c, struct bytes name,
    struct bytes replaces, const struct cert *cert, struct err *e);
/*
 * ceremony_may_leave - before a request goes to a root elsewhere: the key of a
 * CA is the one that the signer's journal has for it, where the signer made it
 * (held, as core says) or one of this name; where it can be read at all.
 * ERR_DENIED "cli-ceremony-key".
 */
MUST_CHECK enum err_code ceremony_may_leave(struct cli *c,
    const struct ceremony_file *f, bool held, struct err *e);
/*
 * ceremony_sign_here - a request signed where the host is, with the root's key
 * that init left among the others: judged, shown and asked for as on a machine
 * without network, the officers counted by the ceilings, and the key held to the
 * signer's journal.  out: the file of the answer, to be brought back.
 */
MUST_CHECK enum err_code ceremony_sign_here(struct cli *c,
    const struct ceremony_file *request, struct buf *out, struct err *e);

/* The root of refrendo.yaml with this certificate, and where its key would lie:
 * keys/root.key of the first, keys/NAME.key.  ERR_CONFLICT "cli-root-unknown". */
struct root_here {
	struct bytes der; /* in the arena */
	const char *name; /* "root" of the first */
	const char *key;
	bool has_key;
};
MUST_CHECK enum err_code root_here_find(struct cli *c, struct bytes sha256_of,
    struct root_here *out, struct err *e);

#endif
