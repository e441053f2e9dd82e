#include <string.h>

#include <refrendo/crl.h>

#include "inner.h"

/*
 * Partitions of an issuer's CRL.  A certificate gets one for good when its
 * TBS is built; it is only ever one whose CRL is published already
 * (INCIDENTS row 60).
 */

static enum err_code
partitions_get(struct view *v, struct bytes issuer, struct arena *a,
    struct partition_row *out, struct err *e)
{
	bool found;

	TRY(rec_get(v, &rec_partition, ca_row_key(a, ROW_PARTITION, issuer), a,
	    out, &found, e));
	if (!found)
		*out = (struct partition_row){ .issuer = issuer };
	return ERR_OK;
}

enum err_code
ca_partitions(struct view *v, struct bytes issuer, struct arena *a,
    struct partition_row *out, struct err *e)
{
	return partitions_get(v, issuer, a, out, e);
}

enum err_code
partition_choose(struct issue *s, int64_t *partition, struct err *e)
{
	struct partition_row row;

	*partition = 0;
	if (s->is_appointment || s->policy->crl_partition == 0)
		return ERR_OK;
	TRY(partitions_get(s->d->v, bytes_str(s->issuer->name), s->d->a, &row,
	    e));
	if (row.open == 0)
		return err_say(e, ERR_BUSY, "partition-not-open",
		    "the CRL that this certificate will name is being made; "
		    "ask again in a moment");
	*partition = row.current == 0 ? 1 : row.current;
	/* A full one takes more only while the next is not published. */
	if (row.current > 0 && row.assigned >= s->policy->crl_partition &&
	    row.open > row.current)
		*partition = row.current + 1;
	return ERR_OK;
}

struct issuer_urls
urls_of(const struct ca_issuer *is, int64_t partition, struct arena *a)
{
	struct issuer_urls urls = {
		.ca = bytes_str(is->ca_url),
		.crl = bytes_str(is->crl_url),
		.ocsp = bytes_str(is->ocsp_url),
	};
	char url[CRL_URL_MAX];

	if (partition == 0)
		return urls;
	crl_url(url, is->public_url, is->name, partition, false);
	urls.crl = arena_copy(a, bytes_str(url));
	return urls;
}

/* --- Applied ------------------------------------------------------------------ */

enum err_code
row_partition_used(struct applying *p, struct bytes issuer, int64_t partition,
    struct err *e)
{
	struct partition_row row;

	if (partition == 0)
		return ERR_OK;
	TRY(partitions_get(p->v, issuer, p->a, &row, e));
	if (partition < row.current || partition > row.open)
		return contradiction(p, e);
	row.assigned = partition == row.current ? row.assigned + 1 : 1;
	row.current = partition;
	return row_put(p, &rec_partition,
	    ca_row_key(p->a, ROW_PARTITION, issuer), &row, e);
}

enum err_code
row_partition_changed(struct applying *p, struct bytes issuer, struct err *e)
{
	struct partition_row row;

	TRY(partitions_get(p->v, issuer, p->a, &row, e));
	row.changed = (int64_t)p->entry->index;
	return row_put(p, &rec_partition,
	    ca_row_key(p->a, ROW_PARTITION, issuer), &row, e);
}

enum err_code
row_partition_open(struct applying *p, struct bytes issuer, int64_t partition,
    struct err *e)
{
	struct partition_row row;

	TRY(partitions_get(p->v, issuer, p->a, &row, e));
	if (partition <= row.open)
		return ERR_OK;
	if (partition != row.open + 1)
		return contradiction(p, e);
	row.open = partition;
	return row_put(p, &rec_partition,
	    ca_row_key(p->a, ROW_PARTITION, issuer), &row, e);
}
