#include <string.h>

#include "inner.h"

/*
 * Blobs with rows of their own: requests and certificates change state often,
 * while their DER and statements stay, so that a change writes little.
 */

static enum err_code
load_one(struct view *v, const struct rec_field *f, struct bytes key,
    struct arena *a, struct bytes *blob, struct err *e)
{
	struct bytes octets;
	bool found;

	TRY(view_get(v, key_of_blob(a, f->name, key), &octets, &found, e));
	if (!found || octets.len != blob->len)
		return err_say(e, ERR_CORRUPT, "row-blob",
		    "the member %s of a stored record is missing or of "
		    "another length",
		    f->name);
	/* It borrows from the view until its next write. */
	*blob = arena_copy(a, octets);
	return ERR_OK;
}

enum err_code
rec_load(struct view *v, const struct rec_type *t, struct bytes key,
    const char *name, struct arena *a, void *rec, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		if (!f->is_private_blob ||
		    (name != NULL && strcmp(f->name, name) != 0))
			continue;
		struct bytes *blob =
		    (struct bytes *)(void *)((uint8_t *)rec + f->offset);
		if (blob->p == NULL && blob->len > 0)
			TRY(load_one(v, f, key, a, blob, e));
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
	TRY(rec_load(v, t, key, NULL, a, rec, e));
	rec_encode(t, rec, &b);
	TRY(buf_end(&b, e));
	*whole = arena_copy(a, buf_bytes(&b));
	return ERR_OK;
}

/* A blob without octets is one that was not loaded: it stays as it is. */
static enum err_code
put_blob(struct applying *p, struct bytes key, struct bytes blob, struct err *e)
{
	struct bytes old;
	bool found;

	if (blob.p != NULL && blob.len > 0)
		return view_put(p->v, key, blob, e);
	if (blob.len > 0)
		return ERR_OK;
	TRY(view_get(p->v, key, &old, &found, e));
	return found ? view_del(p->v, key, e) : ERR_OK;
}

enum err_code
blobs_put(struct applying *p, const struct rec_type *t, struct bytes key,
    const void *rec, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct rec_field *f = &t->field[i];
		if (!f->is_private_blob)
			continue;
		struct bytes blob =
		    *(const struct bytes *)(const void *)((const uint8_t *)rec +
							  f->offset);
		TRY(put_blob(p, key_of_blob(p->a, f->name, key), blob, e));
	}
	return ERR_OK;
}
