#include <string.h>

#include <refrendo/crl.h>

#include "inner.h"

/*
 * What a delta CRL lists: whose status changed since its base.  Rows stand in
 * the order of the log, so that a delta begins at the entries that its base
 * covers and costs what has changed since, and not what is revoked.  They are
 * written for lists that name deltas alone.
 */

/* So many old rows leave with each list that is published. */
#define FORGET_MAX 1024

struct bytes
ca_changed_key(struct arena *a, struct bytes issuer, int64_t partition,
    uint64_t index)
{
	uint8_t *p = arena_get(a, issuer.len + 17);

	memcpy(p, issuer.p, issuer.len);
	p[issuer.len] = 0;
	be64_print(p + issuer.len + 1, (uint64_t)partition);
	be64_print(p + issuer.len + 9, index);
	return ca_row_key(a, ROW_CHANGED, bytes_of(p, issuer.len + 17));
}

enum err_code
ca_complete(struct view *v, struct bytes issuer, int64_t partition,
    struct arena *a, struct crl_row *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_crl, ca_crl_key(a, issuer, partition, false), a,
	    out, &found, e));
	if (!found)
		*out = (struct crl_row){ .issuer = issuer,
			.partition = partition };
	return ERR_OK;
}

bool
ca_takes_deltas(const struct crl_row *complete)
{
	return complete->kept_since > 0 &&
	       complete->covers > complete->kept_since;
}

/* --- Certificates that name deltas --------------------------------------------- */

struct bytes
deltas_of(const struct policy *policy, const char *issuer, struct bytes crl_url,
    struct arena *a)
{
	char url[CRL_URL_MAX];

	if (policy->crl_delta_s == 0 || !crl_url_delta(url, crl_url, issuer))
		return BYTES_NONE;
	return arena_copy(a, bytes_str(url));
}

/* Like a partition, they are there before anybody is sent to them. */
enum err_code
delta_check(struct issue *s, struct err *e)
{
	struct deed *d = s->d;
	struct crl_row row;
	bool found;

	if (s->is_appointment || s->policy->crl_delta_s == 0)
		return ERR_OK;
	struct bytes key = ca_crl_key(d->a, bytes_str(s->issuer->name),
	    s->req.partition, true);
	TRY(rec_get(d->v, &rec_crl, key, d->a, &row, &found, e));
	if (found)
		return ERR_OK;
	return err_say(e, ERR_BUSY, "delta-not-open",
	    "the delta CRL that this certificate will name is being made; ask "
	    "again in a moment");
}

/* --- Applied ------------------------------------------------------------------- */

static enum err_code
note(struct applying *p, const struct certificate *c, int64_t partition,
    struct err *e)
{
	struct changed_row row = { .at = p->entry->time, .serial = c->serial };
	struct crl_row list;

	TRY(ca_complete(p->v, c->issuer, partition, p->a, &list, e));
	if (list.kept_since == 0)
		return ERR_OK;
	return row_put(p, &rec_changed,
	    ca_changed_key(p->a, c->issuer, partition, p->entry->index), &row,
	    e);
}

enum err_code
row_changed(struct applying *p, const struct certificate *c, struct err *e)
{
	TRY(row_partition_changed(p, c->issuer, e));
	TRY(note(p, c, 0, e));
	return c->partition > 0 ? note(p, c, c->partition, e) : ERR_OK;
}

/* What the list's complete one covers, and all where it names no deltas. */
static enum err_code
forget(struct applying *p, const struct crl_row *complete, struct err *e)
{
	struct bytes first =
	    ca_changed_key(p->a, complete->issuer, complete->partition, 0);
	struct bytes prefix = bytes_of(first.p, first.len - 8);
	uint64_t until = complete->kept_since > 0 ? (uint64_t)complete->covers
						  : p->entry->index;

	for (size_t i = 0; i < FORGET_MAX; i++) {
		struct bytes key, value;
		bool found;
		TRY(view_next(p->v, prefix, prefix, &key, &value, &found, e));
		if (!found || key.len != first.len ||
		    be64_parse(key.p + key.len - 8) >= until)
			return ERR_OK;
		TRY(view_del(p->v, arena_copy(p->a, key), e));
	}
	return ERR_OK;
}

/* A list that names no deltas any more has none. */
static enum err_code
drop_delta(struct applying *p, const struct crl_row *complete, struct err *e)
{
	struct bytes key =
	    ca_crl_key(p->a, complete->issuer, complete->partition, true);
	struct crl_row row;
	bool found;

	TRY(rec_get(p->v, &rec_crl, key, p->a, &row, &found, e));
	return found ? view_del(p->v, key, e) : ERR_OK;
}

enum err_code
row_crl_list(struct applying *p, struct crl_row *row, struct err *e)
{
	struct crl_row old;

	TRY(ca_complete(p->v, row->issuer, row->partition, p->a, &old, e));
	if (row->base > 0) {
		if (row->base != old.number || !ca_takes_deltas(&old))
			return contradiction(p, e);
		TRY(row_put(p, &rec_crl,
		    ca_crl_key(p->a, row->issuer, row->partition, true), row,
		    e));
		return forget(p, &old, e);
	}
	if (json_opt_int(p->o, "deltas", 0) != 0)
		row->kept_since = old.kept_since > 0 ? old.kept_since
						     : (int64_t)p->entry->index;
	TRY(row_put(p, &rec_crl,
	    ca_crl_key(p->a, row->issuer, row->partition, false), row, e));
	if (row->kept_since == 0 && old.kept_since > 0)
		TRY(drop_delta(p, row, e));
	return forget(p, row, e);
}
