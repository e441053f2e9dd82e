/*
 * lists - CRLs that nobody can sign anew, kept beside the log, so that public/
 * can be made again with them (decision 0059).  Written in the transaction of
 * the entry that they follow from; no part of what replay rebuilds.
 */
#include <string.h>

#include "ledger.h"

enum err_code
view_list_put(struct view *v, struct bytes path, struct bytes der,
    struct err *e)
{
	uint8_t copy[PUBLIC_KEY_MAX];

	TRY(view_writable(v, e));
	if (path.len == 0 || path.len > sizeof(copy))
		fatal("a list without a path, or with a long one");
	/* It may lie in the very page that this call changes. */
	memcpy(copy, path.p, path.len);
	MDB_val k = val_of(bytes_of(copy, path.len)), d = val_of(der);
	view_count(v, der.len);
	enum err_code code =
	    env_error(mdb_put(v->txn, v->store->lists, &k, &d, 0), e);
	return code == ERR_OK ? ERR_OK : view_fail(v, e);
}

enum err_code
view_list_get(struct view *v, struct bytes path, struct bytes *der, bool *found,
    struct err *e)
{
	MDB_val k = val_of(path), d;

	TRY(view_sound(v, e));
	int rc = mdb_get(v->txn, v->store->lists, &k, &d);
	*found = rc == 0;
	if (rc == MDB_NOTFOUND)
		return ERR_OK;
	TRY(env_error(rc, e));
	*der = bytes_of_val(d);
	return ERR_OK;
}

enum err_code
view_lists(struct view *v, view_list_each each, void *ctx, struct err *e)
{
	MDB_cursor *c;
	MDB_val k, d;
	enum err_code code = ERR_OK;

	TRY(view_sound(v, e));
	TRY(env_error(mdb_cursor_open(v->txn, v->store->lists, &c), e));
	int rc = mdb_cursor_get(c, &k, &d, MDB_FIRST);
	for (; rc == 0 && code == ERR_OK;
	    rc = mdb_cursor_get(c, &k, &d, MDB_NEXT))
		code = each(ctx, bytes_of_val(k), bytes_of_val(d), e);
	mdb_cursor_close(c);
	if (code != ERR_OK || rc == MDB_NOTFOUND || rc == 0)
		return code;
	return env_error(rc, e);
}
