#include <string.h>

#include "inner.h"

/*
 * Blobs that stand in entries of the log.  Requests and certificates change
 * state often, while their DER and statements stay, and the log has them.
 */

static struct bytes *
blob_of(const struct rec_field *f, void *rec)
{
	return (struct bytes *)(void *)((uint8_t *)rec + f->offset);
}

static uint64_t
entry_of(const struct rec_field *f, const void *rec)
{
	return (uint64_t)*(
	    const int64_t *)(const void *)((const uint8_t *)rec + f->entry);
}

static bool
is_wanted(const struct rec_field *f, const char *name, void *rec)
{
	return f->member != NULL &&
	       (name == NULL || strcmp(f->name, name) == 0) &&
	       blob_of(f, rec)->p == NULL && blob_of(f, rec)->len > 0;
}

static enum err_code
take(const struct rec_field *f, struct json_obj o, struct arena *a,
    struct bytes *blob, struct err *e)
{
	struct bytes octets = f->kind == REC_TEXT
				  ? arena_copy(a, json_get_str(o, f->member))
				  : json_get_base64(o, f->member, a);

	if (*o.bad || octets.len != blob->len)
		return err_say(e, ERR_CORRUPT, "row-blob",
		    "the member %s of a stored record is missing from its "
		    "entry or of another length",
		    f->name);
	*blob = octets;
	return ERR_OK;
}

/* All that is wanted of the entry of this field. */
static enum err_code
load_entry(struct view *v, const struct rec_type *t, uint64_t index,
    const char *name, struct arena *a, void *rec, struct err *e)
{
	struct bytes detail;
	AUTO(json) j = NULL;
	bool bad = false;

	TRY(view_log_detail(v, index, &detail, e));
	if (detail.len > 0)
		TRY(json_parse(detail, false, &j, e));
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		if (!is_wanted(f, name, rec) || entry_of(f, rec) != index)
			continue;
		if (j == NULL)
			*blob_of(f, rec) = BYTES_NONE;
		else
			TRY(take(f, json_root(j, &bad, e), a, blob_of(f, rec),
			    e));
	}
	return ERR_OK;
}

enum err_code
rec_load(struct view *v, const struct rec_type *t, const char *name,
    struct arena *a, void *rec, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		if (is_wanted(f, name, rec))
			TRY(load_entry(v, t, entry_of(f, rec), name, a, rec,
			    e));
	}
	return ERR_OK;
}

enum err_code
rec_whole(struct view *v, struct bytes key, struct bytes row, struct arena *a,
    struct bytes *whole, struct err *e)
{
	const struct rec_type *t = rec_of_class((enum row_class)key.p[0]);
	struct buf b AUTO_BUF = BUF(ROW_MAX);

	if (t == NULL || !t->blobs_apart) {
		*whole = row;
		return ERR_OK;
	}
	void *rec = arena_get(a, t->size);
	TRY(rec_decode(t, row, rec, e));
	TRY(rec_load(v, t, NULL, a, rec, e));
	rec_encode(t, rec, &b);
	TRY(buf_end(&b, e));
	*whole = arena_copy(a, buf_bytes(&b));
	return ERR_OK;
}
