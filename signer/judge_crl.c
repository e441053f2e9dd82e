/*
 * judge_crl - may this CRL be signed?  It arrives in pieces and is never held:
 * each is read once into memory of the signer's own, parsed and hashed there,
 * and what is signed at the end is the digest of what was judged (decisions
 * 0020 and 0031).
 */
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "walk.h"

void
crl_intake_fini(struct crl_intake *in)
{
	crl_stream_free(in->stream);
	digest_free(in->digest);
	*in = (struct crl_intake){ .by = NULL };
}

/* --- The file ------------------------------------------------------------------ */

void
signer_take_file(struct signer *s, int fd)
{
	if (s->crl_file >= 0)
		close(s->crl_file);
	s->crl_file = fd;
}

/* What core writes into the file afterwards is not what is judged.  What cannot
 * be read by place, as a pipe, is refused and not waited for. */
static enum err_code
read_piece(struct signer *s, const struct signer_crl *m, struct bytes *piece,
    struct err *e)
{
	struct err why;
	size_t got = 0;
	if (m->len > CRL_PIECE_MAX || m->at > CRL_MAX_BYTES ||
	    journal_pread(s->crl_file, m->at, s->crl_room, m->len, &got,
		&why) != ERR_OK ||
	    got != m->len)
		return err_say(e, ERR_INVALID, "signer-crl-file",
		    "a piece of the CRL is not in a file that came with it");
	*piece = bytes_of(s->crl_room, got);
	return ERR_OK;
}

/* --- Its entries --------------------------------------------------------------- */

/* A certificate is not revoked in the future. */
static enum err_code
judge_entry(void *ctx, const struct crl_entry *x, struct err *e)
{
	const struct crl_intake *in = ctx;
	if (x->revoked_at <= in->now + SKEW)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "signer-crl-entry-future",
	    "RFC 5280 5.1.2.6", NOWHERE,
	    "an entry of the CRL was revoked at a time that has not come");
}

static enum err_code
begin(struct signer *s, const struct signer_crl *m, uint64_t id, int64_t now,
    struct err *e)
{
	struct crl_intake *in = &s->crl;
	crl_intake_fini(in);
	TRY(signer_issuer(s, m->issuer, &in->by, e));
	in->id = id;
	in->now = now;
	TRY(digest_new(key_spki(in->by->key), &in->digest, e));
	return crl_stream_new(judge_entry, in, &in->stream, e);
}

/* --- The whole list ------------------------------------------------------------ */

static enum err_code
check_issuer(const struct authority *by, const struct crl *c, struct err *e)
{
	if (!bytes_eq(c->issuer, by->cert.subject) ||
	    !bytes_eq(c->aki, by->cert.ski))
		return err_at(e, ERR_DENIED, "signer-crl-issuer",
		    "RFC 5280 5.1.2.3", NOWHERE,
		    "the CRL is that of another CA than %s", by->name);
	if (!bytes_eq(c->sigalg, key_type_sigalg(key_type(by->key))))
		return err_at(e, ERR_DENIED, "signer-crl-algorithm",
		    "RFC 5280 5.1.1.2", NOWHERE,
		    "the CRL names another signature algorithm than that of "
		    "the CA %s",
		    by->name);
	return ERR_OK;
}

/* The addresses are those that the configuration gives this CA, and a delta
 * amends what was signed before it. */
static enum err_code
check_scope(const struct signer *s, const struct authority *by,
    const struct crl *c, const struct crl_seen *last, struct err *e)
{
	char delta[CRL_URL_MAX];
	int64_t partition = 0;
	bool good = c->url.len == 0 || crl_url_partition(c->url, s->public_url,
					   by->name, &partition);
	crl_url(delta, s->public_url, by->name, partition, true);
	if (!good || (c->freshest.len > 0 && !bytes_is(c->freshest, delta)))
		return err_at(e, ERR_DENIED, "signer-crl-address",
		    "RFC 5280 5.2.5", NOWHERE,
		    "the CRL names an address that is not one of the CA %s; "
		    "public_url must be the same for core and signer",
		    by->name);
	if (c->base > 0 && (last == NULL || c->base > (uint64_t)last->number))
		return err_at(e, ERR_DENIED, "signer-crl-base",
		    "RFC 5280 5.2.4", NOWHERE,
		    "the delta rests on a CRL that the CA %s never signed",
		    by->name);
	return ERR_OK;
}

static enum err_code
check_times(const struct signer *s, const struct crl *c,
    const struct crl_seen *last, int64_t now, struct err *e)
{
	if (c->this_update > now + SKEW)
		return err_say(e, ERR_DENIED, "signer-crl-future",
		    "the CRL begins in the future; check the clocks");
	if (c->next_update <= now)
		return err_say(e, ERR_DENIED, "signer-crl-over",
		    "the CRL is already over");
	if (c->next_update <= c->this_update ||
	    c->next_update - c->this_update > s->ceilings.crl_max_s)
		return err_say(e, ERR_DENIED, "signer-crl-life",
		    "the CRL is valid for longer than the ceiling of the "
		    "signer allows");
	if (last != NULL && c->this_update < last->this_update)
		return err_say(e, ERR_DENIED, "signer-crl-back",
		    "the CRL begins before the one that was signed last; "
		    "check the clock");
	return ERR_OK;
}

/* Numbers rise for each CA, whatever its lists cover (INCIDENTS row 63). */
static enum err_code
judge_list(struct signer *s, struct authority *by, const struct crl *c,
    int64_t now, struct job *job, struct err *e)
{
	struct bytes name = bytes_str(by->name);
	struct bytes hash = bytes_of(job->digest.sha256, SHA256_LEN);
	struct crl_seen *last = state_crl(&s->state, name);
	TRY(check_issuer(by, c, e));
	if (last != NULL && c->number < (uint64_t)last->number)
		return err_at(e, ERR_CONFLICT, "signer-crl-number",
		    "RFC 5280 5.2.3", NOWHERE,
		    "a CRL with a higher number was already signed for the CA "
		    "%s",
		    by->name);
	if (last != NULL && c->number == (uint64_t)last->number) {
		/* The same list again, after a crash: the same signature. */
		if (!bytes_eq(hash, bytes_of(last->tbs_sha256, SHA256_LEN)))
			return err_at(e, ERR_CONFLICT, "signer-crl-number-used",
			    "RFC 5280 5.2.3", NOWHERE,
			    "another CRL with this number was already signed "
			    "for the CA %s",
			    by->name);
		job->record = last->record;
		job->again = true;
		return ERR_OK;
	}
	TRY(check_times(s, c, last, now, e));
	TRY(check_scope(s, by, c, last, e));
	if (c->number > INT64_MAX || c->number == 0)
		return err_say(e, ERR_DENIED, "signer-crl-number-range",
		    "the number of the CRL is zero or too large");
	struct record r = { .kind = REC_CRL,
		.time = now,
		.issuer = name,
		.digest = hash,
		.value = (int64_t)c->number,
		.this_update = c->this_update };
	return signer_keep(s, &r, job, e);
}

/* --- Its pieces -------------------------------------------------------------------- */

static enum err_code
take_piece(struct signer *s, const struct signer_crl *m, int64_t now,
    struct job *job, struct err *e)
{
	struct crl_intake *in = &s->crl;
	struct crl c;
	struct bytes piece;
	if (!bytes_is(m->issuer, in->by->name))
		return err_say(e, ERR_INVALID, "signer-crl-piece-issuer",
		    "a piece of the CRL names another CA than the first one");
	if (m->offset != in->got)
		return err_say(e, ERR_INVALID, "signer-crl-offset",
		    "a piece of the CRL is missing or came twice");
	TRY(read_piece(s, m, &piece, e));
	TRY(crl_stream_put(in->stream, piece, e));
	digest_put(in->digest, piece);
	in->got += piece.len;
	job->wrap = WRAP_SILENT;
	if (!m->last)
		return ERR_OK;
	TRY(crl_stream_end(in->stream, &c, e));
	digest_end(in->digest, &job->digest);
	job->by = in->by;
	job->wrap = WRAP_CRL;
	return judge_list(s, in->by, &c, now, job, e);
}

enum err_code
may_sign_crl(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_crl *m = &it->in.crl;
	struct job *job = &it->job;
	struct crl_intake *in = &s->crl;
	enum err_code code = ERR_OK;
	job->wrap = WRAP_SILENT;
	if (m->offset == 0)
		code = begin(s, m, it->frame.id, now, e);
	else if (in->by == NULL || in->id != it->frame.id)
		return ERR_OK; /* of one that was refused already */
	if (code == ERR_OK)
		code = take_piece(s, m, now, job, e);
	if (code != ERR_OK || m->last) {
		crl_intake_fini(in);
		signer_take_file(s, -1);
	}
	return code;
}
