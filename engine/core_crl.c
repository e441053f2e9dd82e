/*
 * CRLs: one under way for each issuer at a time.  Built from the projections
 * of one log size, signed, checked, entered in the log, then published; so
 * the list in public/ is never one that the log does not know.
 */
#include <stdio.h>
#include <string.h>

#include "core.h"

#define DEFAULT_EVERY_S   (6 * HOUR)
#define DEFAULT_OVERLAP_S DAY

/* --- The entries of one issuer ------------------------------------------------ */

struct revoked_walk {
	struct view *view;
	uint8_t prefix[ROW_KEY_MAX], last[ROW_KEY_MAX];
	size_t prefix_len, last_len;
	int64_t drop_before; /* expired ones leave after one more CRL */
};

static enum err_code
walk_rewind(void *ctx, struct err *e)
{
	struct revoked_walk *w = ctx;
	(void)e;
	memcpy(w->last, w->prefix, w->prefix_len);
	w->last_len = w->prefix_len;
	return ERR_OK;
}

static enum err_code
walk_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	struct revoked_walk *w = ctx;
	struct revoked_row row;
	do {
		struct bytes key, value;
		TRY(view_next(w->view, bytes_of(w->prefix, w->prefix_len),
		    bytes_of(w->last, w->last_len), &key, &value, more, e));
		if (!*more)
			return ERR_OK;
		memcpy(w->last, key.p, key.len);
		w->last_len = key.len;
		TRY(rec_decode(&rec_revoked, value, &row, e));
	} while (row.not_after < w->drop_before);
	*entry = (struct crl_entry){ .serial = row.serial,
		.revoked_at = row.revoked_at,
		.reason = (int)row.reason,
		.invalid_since = row.invalid_since };
	return ERR_OK;
}

/* --- Asking for one -------------------------------------------------------------- */

static void
crl_terms(const struct core *c, const char *issuer, int64_t *every,
    int64_t *overlap)
{
	*every = 0;
	*overlap = 0;
	for (size_t i = 0; i < c->policies->n; i++) {
		const struct policy *p = &c->policies->policy[i];
		if (strcmp(p->issuer, issuer) != 0)
			continue;
		if (*every == 0 || p->crl_every_s < *every)
			*every = p->crl_every_s;
		if (p->crl_overlap_s > *overlap)
			*overlap = p->crl_overlap_s;
	}
	if (*every == 0) {
		*every = DEFAULT_EVERY_S;
		*overlap = DEFAULT_OVERLAP_S;
	}
}

static enum err_code
crl_build(struct core *c, struct core_issuer *i, struct view *v, int64_t now,
    struct err *e)
{
	int64_t every, overlap;
	crl_terms(c, i->ca.name, &every, &overlap);
	struct revoked_walk walk = { .view = v,
		.drop_before = i->crl_this_update };
	struct bytes prefix = ca_row_key(c->arena, ROW_REVOKED,
	    bytes_of(i->ca.name, strlen(i->ca.name) + 1));
	memcpy(walk.prefix, prefix.p, prefix.len);
	walk.prefix_len = prefix.len;
	struct crl_source source = { &walk, walk_rewind, walk_next };
	struct crl_spec spec = { .issuer = i->ca.cert.subject,
		.issuer_ski = i->ca.cert.ski,
		.issuer_type = i->ca.type,
		.number = (uint64_t)i->crl_number + 1,
		.this_update = now,
		.next_update = now + every + overlap };
	buf_reset(&i->crl_tbs);
	return crl_build_tbs(&spec, &source, &i->crl_tbs, e);
}

static enum err_code
crl_ask(struct core *c, size_t n, struct view *v, struct err *e)
{
	struct core_issuer *i = &c->issuer[n];
	TRY(crl_build(c, i, v, clock_now(), e));
	struct signer_crl m = { .issuer = bytes_str(i->ca.name),
		.tbs = buf_bytes(&i->crl_tbs) };
	struct buf body AUTO_BUF = BUF(CRL_FRAME_MAX);
	signer_crl_encode(&m, &body);
	TRY(buf_end(&body, e));
	i->crl_building = view_log_size(v);
	i->crl_wanted = false;
	i->crl_asked = true;
	peer_send(c->signer, SIGNER_CRL, n, buf_bytes(&body));
	return ERR_OK;
}

static bool
crl_is_due(const struct core *c, const struct core_issuer *i)
{
	int64_t every, overlap;
	crl_terms(c, i->ca.name, &every, &overlap);
	return i->crl_wanted || clock_now() >= crl_due_at(i->crl_this_update,
						   i->crl_next_update, every);
}

void
crl_pump(struct core *c)
{
	struct err e;
	for (size_t n = 0; n < c->n_issuer; n++) {
		if (c->issuer[n].crl_asked || !c->signer_ready ||
		    c->read_only || !crl_is_due(c, &c->issuer[n]) ||
		    clock_mono_ms() < c->issuer[n].crl_retry_at)
			continue;
		struct view *v = core_view(c);
		if (v == NULL)
			return;
		if (crl_ask(c, n, v, &e) != ERR_OK)
			core_read_only(c, &e);
	}
}

/* --- Its answer --------------------------------------------------------------------- */

static enum err_code
crl_accept(struct core *c, struct core_issuer *i, struct bytes der,
    struct err *e)
{
	struct crl crl;
	TRY(crl_parse(der, &crl, e));
	if (!bytes_eq(crl.tbs, buf_bytes(&i->crl_tbs)))
		return err_say(e, ERR_CRYPTO, "core-crl-altered",
		    "the signer returned another CRL than it was asked for");
	TRY(crl_check_publish(&crl, &i->ca.cert, (uint64_t)i->crl_number,
	    clock_now(), c->verifier, e));
	i->crl_number = (int64_t)crl.number;
	i->crl_this_update = crl.this_update;
	i->crl_next_update = crl.next_update;
	return ERR_OK;
}

void
crl_answer(struct core *c, const struct frame *f)
{
	struct err e;
	if (f->id >= c->n_issuer || !c->issuer[f->id].crl_asked)
		return;
	struct core_issuer *i = &c->issuer[f->id];
	enum err_code code = ERR_CRYPTO;
	if ((f->type & SIGNER_REFUSAL) == 0) {
		code = crl_accept(c, i, f->body, &e);
		if (code != ERR_OK)
			log_err("crl-refused", &e);
	}
	if (code != ERR_OK) {
		/* Tried again by the clock, not in a loop. */
		i->crl_asked = false;
		i->crl_building = 0;
		i->crl_retry_at = clock_mono_ms() + 1000;
		return;
	}
	struct job *j = job_new(JOB_CRL);
	snprintf(j->id, sizeof(j->id), "%s", i->ca.name);
	j->covers = i->crl_building;
	buf_put(&j->body, f->body.p, f->body.len);
	writer_push(c, j);
}

/* Its entry is in the log: now it may be seen. */
void
crl_written(struct core *c, struct job *j)
{
	struct err e;
	struct core_issuer *i = core_issuer_find(c, bytes_str(j->id));
	i->crl_asked = false;
	enum err_code code = j->code;
	if (code != ERR_OK)
		e = j->err;
	else
		code = publish_crl(c, i, buf_bytes(&j->body), &e);
	if (code != ERR_OK) {
		log_err("crl-publish", &e);
		i->crl_wanted = true;
		i->crl_retry_at = clock_mono_ms() + 1000;
		return;
	}
	i->crl_covers = j->covers;
	i->crl_log_size = j->log_size;
	i->crl_building = 0;
	log_info("crl-published", "issuer=%s number=%lld octets=%zu",
	    i->ca.name, (long long)i->crl_number, j->body.len);
}

bool
crl_covers(const struct core *c, uint64_t size)
{
	for (size_t n = 0; n < c->n_issuer; n++) {
		const struct core_issuer *i = &c->issuer[n];
		if ((i->crl_wanted || i->crl_asked) && i->crl_covers < size)
			return false;
	}
	return true;
}
