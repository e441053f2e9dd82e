/* judge_other - may this checkpoint or responder's certificate be signed? */
#include <string.h>

#include "internal.h"

/* --- Checkpoint ------------------------------------------------------------------- */

enum err_code
may_sign_checkpoint(struct signer *s, struct item *it, int64_t now,
    struct err *e)
{
	const struct signer_checkpoint *m = &it->in.checkpoint;
	struct job *job = &it->job;
	const struct state *st = &s->state;
	struct bytes root = arena_copy(s->arena, bytes_of(m->root, HASH_LEN));
	bool same = m->size == st->checkpoint_size &&
		    bytes_eq(root, bytes_of(st->checkpoint_root, HASH_LEN));
	if (m->size == 0 || m->size > INT64_MAX)
		return err_say(e, ERR_DENIED, "checkpoint-size",
		    "no log has a tree of this size");
	if (m->size < st->checkpoint_size)
		return err_say(e, ERR_CONFLICT, "checkpoint-shrinks",
		    "this tree is smaller than the one whose checkpoint was "
		    "signed last: entries are missing");
	if (m->size == st->checkpoint_size && !same)
		return err_say(e, ERR_CONFLICT, "checkpoint-fork",
		    "this is another tree of the size whose checkpoint was "
		    "signed last: entries were changed");
	if (st->checkpoint_size > 0 && !same &&
	    merkle_check_consistency(&m->consistency, st->checkpoint_size,
		m->size, st->checkpoint_root, m->root, e) != ERR_OK)
		return err_at(e, ERR_CONFLICT, "checkpoint-proof",
		    "RFC 6962 2.1.2", NOWHERE,
		    "this tree does not extend the one whose checkpoint was "
		    "signed last, or its proof is wrong");
	job->wrap = WRAP_NOTE;
	job->checkpoint = (struct checkpoint){ .origin = bytes_str(s->origin),
		.size = m->size };
	memcpy(job->checkpoint.root, m->root, HASH_LEN);
	if (same) {
		job->record = st->checkpoint_record;
		job->again = true;
		return ERR_OK;
	}
	struct record r = { .kind = REC_CHECKPOINT,
		.time = now,
		.digest = root,
		.value = (int64_t)m->size };
	return signer_keep(s, &r, job, e);
}

/* --- The responder's certificate ------------------------------------------------------ */

/* Slow clocks accept it at once (INCIDENTS row 56). */
#define RESPONDER_BACK (5 * MINUTE)

static enum err_code
check_responder(const struct authority *by, const struct cert *c, int64_t now,
    struct err *e)
{
	if (!bytes_eq(c->spki, buf_bytes(&by->responder_spki)))
		return err_say(e, ERR_DENIED, "signer-responder-key",
		    "the certificate is not for the OCSP key that the "
		    "configuration names for the CA %s",
		    by->name);
	if (c->not_after < c->not_before ||
	    c->not_after - c->not_before + 1 > by->responder_max_s)
		return err_at(e, ERR_DENIED, "signer-responder-life",
		    "RFC 6960 4.2.2.2.1", NOWHERE,
		    "the responder's certificate is valid for longer than the "
		    "configuration allows");
	if (c->not_before > now + SKEW || c->not_after < now ||
	    c->not_before < now - RESPONDER_BACK - SKEW)
		return err_say(e, ERR_DENIED, "signer-responder-not-now",
		    "the responder's certificate does not begin now");
	return ERR_OK;
}

enum err_code
may_sign_responder(struct signer *s, struct item *it, int64_t now,
    struct err *e)
{
	const struct signer_responder *m = &it->in.responder;
	struct job *job = &it->job;
	enum key_type key;
	struct cert c;
	bool again, done;
	TRY(signer_issuer(s, m->issuer, &job->by, e));
	TRY(signer_container(s, job->by, m->container, LINT_OCSP, &c, &key, e));
	struct bytes hash = signer_hash(s, c.tbs);
	job->wrap = WRAP_SIGNED;
	job->tbs = c.tbs;
	job->serial = c.serial;
	/* No statement stands behind it, nor in its record. */
	TRY(signer_serial(s, &c, hash, BYTES_NONE, job, &again, &done, e));
	if (done)
		return ERR_OK;
	TRY(check_responder(job->by, &c, now, e));
	if (again)
		return ERR_OK;
	struct record r = { .kind = REC_RESPONDER,
		.time = now,
		.issuer = bytes_str(job->by->name),
		.serial = c.serial,
		.digest = hash };
	return signer_keep(s, &r, job, e);
}
