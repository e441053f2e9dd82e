/*
 * core_crl_list - the lists that an issuer has, and what policies ask of them.
 */
#include <stdlib.h>
#include <string.h>

#include "core_crl.h"

#define DEFAULT_EVERY_S   (6 * HOUR)
#define DEFAULT_OVERLAP_S DAY

/* Places are for good: the array grows at its end. */
static size_t
list_place(const struct core_issuer *i, int64_t partition, bool is_delta)
{
	for (size_t n = 0; n < i->n_crl; n++)
		if (i->crl[n].partition == partition &&
		    i->crl[n].is_delta == is_delta)
			return n;
	return TWIN_NONE;
}

struct core_crl *
crl_list_of(struct core_issuer *i, int64_t partition, bool is_delta)
{
	size_t place = list_place(i, partition, is_delta);
	if (place != TWIN_NONE)
		return &i->crl[place];
	struct core_crl *more = calloc(i->n_crl + 1, sizeof(*more));
	if (more == NULL)
		fatal("no memory for the lists of a CA");
	if (i->n_crl > 0)
		memcpy(more, i->crl, i->n_crl * sizeof(*more));
	free(i->crl);
	i->crl = more;
	/* Made anew, unless it is known to be what the log says.  A delta
	 * follows its base. */
	i->crl[i->n_crl] = (struct core_crl){ .partition = partition,
		.is_delta = is_delta,
		.twin = list_place(i, partition, !is_delta),
		.is_wanted = !is_delta };
	if (i->crl[i->n_crl].twin != TWIN_NONE)
		i->crl[i->crl[i->n_crl].twin].twin = i->n_crl;
	return &i->crl[i->n_crl++];
}

struct core_crl *
crl_twin(struct core_issuer *i, const struct core_crl *l)
{
	return l->twin == TWIN_NONE ? NULL : &i->crl[l->twin];
}

struct core_crl *
crl_list(struct core_issuer *i, int64_t partition)
{
	return crl_list_of(i, partition, false);
}

/*
 * Is the newest list of the log what is in public/, and has no status changed
 * since?  Then it is not made anew at a start, of which there may be a
 * thousand.  One with deltas is: they rest on lists of one run.
 */
static bool
list_is_current(struct core *c, const struct core_issuer *i,
    const struct crl_row *row, int64_t changed)
{
	char path[CRL_URL_MAX];
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row there;
	crl_path(path, i->ca.name, row->partition, false);
	return row->number > 0 && row->kept_since == 0 &&
	       changed < row->covers &&
	       public_get(c->reader, public_file_key(key, bytes_str(path)),
		   &there) &&
	       there.this_update == row->this_update &&
	       there.next_update == row->next_update;
}

/* What the log knows of it: both kinds, where it was published before. */
static enum err_code
list_load(struct core *c, struct core_issuer *i, int64_t partition,
    int64_t changed, struct view *v, struct err *e)
{
	struct core_crl *l = crl_list(i, partition);
	struct crl_row row;
	bool found;
	TRY(ca_complete(v, bytes_str(i->ca.name), partition, c->arena, &row,
	    e));
	l->is_open = true;
	l->periodic = row.periodic;
	if (list_is_current(c, i, &row, changed)) {
		l->is_wanted = false;
		l->number = row.number;
		l->this_update = row.this_update;
		l->next_update = row.next_update;
		l->covers = (uint64_t)row.covers;
	}
	TRY(rec_get(v, &rec_crl,
	    ca_crl_key(c->arena, bytes_str(i->ca.name), partition, true),
	    c->arena, &row, &found, e));
	if (found)
		crl_list_of(i, partition, true)->is_open = true;
	return ERR_OK;
}

/* A policy that names a CA means its newest key; lists of the keys before go on
 * by the same terms. */
static enum err_code
older_load(struct core *c, struct core_issuer *i, struct view *v, struct err *e)
{
	struct issuer_row row = { .replaces = bytes_str(i->ca.name) };
	bool found;
	if (i->is_made) { /* its row was read: what it replaces stands there */
		if (i->older.len == 0)
			return ERR_OK;
		row.replaces = bytes_str(buf_text(&i->older));
	}
	for (;;) {
		TRY(rec_get(v, &rec_issuer,
		    ca_row_key(c->arena, ROW_ISSUER, row.replaces), c->arena,
		    &row, &found, e));
		if (!found || row.replaces.len == 0)
			return buf_end(&i->older, e);
		buf_put(&i->older, row.replaces.p, row.replaces.len);
		buf_put(&i->older, "", 1);
	}
}

enum err_code
crl_load(struct core *c, struct core_issuer *i, struct view *v, struct err *e)
{
	struct crl_row row;
	bool found;
	struct bytes name = bytes_str(i->ca.name);
	TRY(older_load(c, i, v, e));
	TRY(rec_get(v, &rec_crl, ca_row_key(c->arena, ROW_CRL, name), c->arena,
	    &row, &found, e));
	if (found)
		i->crl_number = row.number;
	struct partition_row parts;
	TRY(ca_partitions(v, name, c->arena, &parts, e));
	for (int64_t n = 0; n <= parts.open; n++)
		TRY(list_load(c, i, n, parts.changed, v, e));
	return ERR_OK;
}

/* Does that policy mean this CA, by its name or that of a key before? */
static bool
is_meant(const struct core_issuer *i, const char *name)
{
	struct bytes older = buf_bytes(&i->older);
	bool is =
	    strcmp(name, i->ca.name) == 0 ||
	    (i->ca.institution[0] != '\0' && strcmp(name, "institution") == 0);
	for (size_t at = 0; !is && at < older.len;
	    at += strlen((const char *)older.p + at) + 1)
		is = strcmp(name, (const char *)older.p + at) == 0;
	return is;
}

struct crl_terms
crl_terms(const struct core *c, const struct core_issuer *i)
{
	struct crl_terms t = { .every = 0 };
	for (size_t n = 0; n < c->policies->n; n++) {
		const struct policy *p = &c->policies->policy[n];
		if (!is_meant(i, p->issuer))
			continue;
		if (t.every == 0 || p->crl_every_s < t.every)
			t.every = p->crl_every_s;
		if (p->crl_overlap_s > t.overlap)
			t.overlap = p->crl_overlap_s;
		if (p->crl_delta_s > 0 &&
		    (t.delta == 0 || p->crl_delta_s < t.delta))
			t.delta = p->crl_delta_s;
		t.partitions |= p->crl_partition > 0;
	}
	if (t.every == 0)
		t = (struct crl_terms){ .every = DEFAULT_EVERY_S,
			.overlap = DEFAULT_OVERLAP_S };
	return t;
}

int64_t
crl_jitter(const struct core_issuer *i, const struct core_crl *l, int64_t every)
{
	uint64_t x = ((uint64_t)l->partition + i->place * UINT64_C(4099)) *
		     UINT64_C(0x9e3779b97f4a7c15);
	return every / 10 * (int64_t)(x >> 54) / 1024;
}
