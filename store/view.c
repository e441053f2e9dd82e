/* view - the seam of ca.h over rows in LMDB. */
#include <string.h>

#include "ledger.h"

enum err_code
view_fail(struct view *v, const struct err *e)
{
	if (v->write && !v->failed) {
		v->failed = true;
		v->first = *e;
	}
	return e->code;
}

enum err_code
view_sound(const struct view *v, struct err *e)
{
	if (!v->failed)
		return ERR_OK;
	*e = v->first;
	return e->code;
}

enum err_code
view_writable(struct view *v, struct err *e)
{
	TRY(view_sound(v, e));
	if (!v->write)
		return err_say(e, ERR_CONFLICT, "store-read-only",
		    "this view of the ledger only reads; nothing was written");
	return ERR_OK;
}

static enum err_code
check_key(struct view *v, struct bytes key, struct err *e)
{
	if (key.len > 0 && key.len <= KEY_MAX)
		return ERR_OK;
	(void)err_say(e, ERR_INVALID, "store-key",
	    "a key of the store must have between 1 and 511 octets");
	return view_fail(v, e);
}

static enum err_code
result(struct view *v, int rc, struct err *e)
{
	if (rc == 0)
		return ERR_OK;
	enum err_code code = env_error(rc, e);
	view_fail(v, e);
	return code;
}

enum err_code
view_get(struct view *v, struct bytes key, struct bytes *value, bool *found,
    struct err *e)
{
	MDB_val k = val_of(key), d;

	TRY(view_sound(v, e));
	TRY(check_key(v, key, e));
	int rc = mdb_get(v->txn, v->store->rows, &k, &d);
	*found = rc == 0;
	if (rc == MDB_NOTFOUND)
		return ERR_OK;
	TRY(result(v, rc, e));
	*value = bytes_of_val(d);
	return ERR_OK;
}

enum err_code
view_put(struct view *v, struct bytes key, struct bytes value, struct err *e)
{
	uint8_t copy[KEY_MAX];

	TRY(view_writable(v, e));
	TRY(check_key(v, key, e));
	/* The key may lie in the very page that this call changes. */
	memcpy(copy, key.p, key.len);
	MDB_val k = val_of(bytes_of(copy, key.len)), d = val_of(value);
	view_count(v, value.len);
	return result(v, mdb_put(v->txn, v->store->rows, &k, &d, 0), e);
}

enum err_code
view_del(struct view *v, struct bytes key, struct err *e)
{
	uint8_t copy[KEY_MAX];

	TRY(view_writable(v, e));
	TRY(check_key(v, key, e));
	memcpy(copy, key.p, key.len);
	MDB_val k = val_of(bytes_of(copy, key.len));
	view_count(v, 0);
	int rc = mdb_del(v->txn, v->store->rows, &k, NULL);
	return rc == MDB_NOTFOUND ? ERR_OK : result(v, rc, e);
}

static bool
has_prefix(struct bytes key, struct bytes prefix)
{
	return key.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(key.p, prefix.p, prefix.len) == 0);
}

static int
seek(struct view *v, struct bytes prefix, struct bytes after, MDB_val *k,
    MDB_val *d)
{
	/* An "after" in front of the prefix leaves nothing to skip. */
	bool skip = after.len > 0 && bytes_cmp(after, prefix) >= 0;
	struct bytes from = skip ? after : prefix;

	if (v->cursor == NULL) {
		int rc = mdb_cursor_open(v->txn, v->store->rows, &v->cursor);
		if (rc != 0)
			return rc;
	}
	if (from.len == 0)
		return mdb_cursor_get(v->cursor, k, d, MDB_FIRST);
	*k = val_of(from);
	int rc = mdb_cursor_get(v->cursor, k, d, MDB_SET_RANGE);
	if (rc == 0 && skip && bytes_eq(bytes_of_val(*k), after))
		rc = mdb_cursor_get(v->cursor, k, d, MDB_NEXT);
	return rc;
}

enum err_code
view_next(struct view *v, struct bytes prefix, struct bytes after,
    struct bytes *key, struct bytes *value, bool *found, struct err *e)
{
	MDB_val k, d;

	TRY(view_sound(v, e));
	if (prefix.len > KEY_MAX || after.len > KEY_MAX)
		return check_key(v, prefix.len > KEY_MAX ? prefix : after, e);
	int rc = seek(v, prefix, after, &k, &d);
	*found = false;
	if (rc == MDB_NOTFOUND)
		return ERR_OK;
	TRY(result(v, rc, e));
	if (!has_prefix(bytes_of_val(k), prefix))
		return ERR_OK;
	*found = true;
	*key = bytes_of_val(k);
	*value = bytes_of_val(d);
	return ERR_OK;
}

/* --- Scans ------------------------------------------------------------------ */

enum err_code
view_scan_begin(struct view *v, struct bytes prefix, struct view_scan *scan,
    struct err *e)
{
	MDB_cursor *c;

	TRY(view_sound(v, e));
	TRY(check_key(v, prefix, e));
	TRY(env_error(mdb_cursor_open(v->txn, v->store->rows, &c), e));
	*scan = (struct view_scan){ v, prefix, c };
	return ERR_OK;
}

void
view_scan_end(struct view_scan *scan)
{
	if (scan->cursor != NULL)
		mdb_cursor_close(scan->cursor);
	scan->cursor = NULL;
}

static enum err_code
scan_give(struct view_scan *scan, int rc, const MDB_val *k, const MDB_val *d,
    struct bytes *key, struct bytes *value, bool *found, struct err *e)
{
	*found = false;
	if (rc == MDB_NOTFOUND)
		return ERR_OK;
	if (rc != 0)
		return env_error(rc, e);
	*key = bytes_of_val(*k);
	*value = bytes_of_val(*d);
	*found = has_prefix(*key, scan->prefix);
	return ERR_OK;
}

enum err_code
view_scan_seek(struct view_scan *scan, struct bytes from, struct bytes *key,
    struct bytes *value, bool *found, struct err *e)
{
	MDB_val k = val_of(from), d;
	int rc = mdb_cursor_get(scan->cursor, &k, &d, MDB_SET_RANGE);
	return scan_give(scan, rc, &k, &d, key, value, found, e);
}

enum err_code
view_scan_next(struct view_scan *scan, struct bytes *key, struct bytes *value,
    bool *found, struct err *e)
{
	MDB_val k, d;
	int rc = mdb_cursor_get(scan->cursor, &k, &d, MDB_NEXT);
	return scan_give(scan, rc, &k, &d, key, value, found, e);
}
