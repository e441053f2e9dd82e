/*
 * core_last - the last CRLs of a CA whose key was destroyed.  Nobody can sign
 * them again, so they are kept in the ledger's environment, from the commit on
 * that destroys the key, and published where public/ was made anew.
 */
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "core_crl.h"

/* --- Keeping ------------------------------------------------------------------ */

/* What is served: in its row, or mapped until it is given back. */
static enum err_code
body_of(struct public_reader *r, const struct public_row *row,
    struct bytes *body, struct err *e)
{
	*body = row->body;
	return row->file[0] == '\0' ? ERR_OK : public_file_map(r, row, body, e);
}

/* By its number, for two may be of one second; what does not read is kept only
 * where nothing is. */
static enum err_code
keep_newer(struct view *v, struct bytes path, struct bytes body, struct err *e)
{
	struct bytes kept;
	struct crl list, old;
	struct err bad;
	bool found;
	TRY(view_list_get(v, path, &kept, &found, e));
	if (found && crl_parse(kept, &old, &bad) == ERR_OK &&
	    (crl_parse(body, &list, &bad) != ERR_OK ||
		list.number <= old.number))
		return ERR_OK;
	return view_list_put(v, path, body, e);
}

static enum err_code
keep_one(struct view *v, struct public_reader *r, const char *path,
    struct err *e)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	struct bytes body;
	if (!public_get(r, public_file_key(key, bytes_str(path)), &row))
		return ERR_OK;
	/* What public/ has lost is no reason to write nothing any more. */
	if (body_of(r, &row, &body, e) != ERR_OK) {
		log_err("last-list-unread", e);
		return ERR_OK;
	}
	enum err_code code = keep_newer(v, bytes_str(path), body, e);
	if (row.file[0] != '\0')
		public_file_unmap(body);
	return code;
}

/* Full and partitions, and their deltas. */
static enum err_code
keep_of(struct view *v, struct public_reader *r, struct bytes name,
    struct arena *a, struct err *e)
{
	struct partition_row parts;
	char path[CRL_URL_MAX];
	TRY(ca_partitions(v, name, a, &parts, e));
	const char *ca = arena_printf(a, "%.*s", BYTES_FMT(name));
	for (int64_t n = 0; n <= parts.open; n++) {
		crl_path(path, ca, n, false);
		TRY(keep_one(v, r, path, e));
		crl_path(path, ca, n, true);
		TRY(keep_one(v, r, path, e));
	}
	return ERR_OK;
}

static enum err_code
keep_all(struct view *v, struct public_reader *r, struct arena *a,
    struct err *e)
{
	struct bytes prefix = ca_row_key(a, ROW_ISSUER, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct issuer_row row;
	bool found;
	for (;;) {
		TRY(view_next(v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(a, key);
		TRY(rec_decode(&rec_issuer, arena_copy(a, value), &row, e));
		if (row.destroyed != 0)
			TRY(keep_of(v, r, row.name, a, e));
	}
}

enum err_code
last_keep(struct core *c, struct view *v, struct arena *a, struct err *e)
{
	struct public_reader *r = NULL;
	TRY(public_reader_new(c->public, &r, e));
	enum err_code code = public_renew(r, e);
	if (code == ERR_OK)
		code = keep_all(v, r, a, e);
	public_release(r);
	public_reader_free(r);
	return code;
}

/* --- Publishing ----------------------------------------------------------------- */

/* As a long list is written when it is made: into a file of its own. */
static enum err_code
put_file(struct core *c, struct public_row *row, struct err *e)
{
	int fd = -1, fd_read = -1;
	enum err_code code =
	    public_file_create(c->public, row->file, &fd, &fd_read, e);
	if (code == ERR_OK)
		code = crl_body_write(fd, row->body, 0, e);
	if (fd >= 0)
		close(fd);
	if (fd_read >= 0)
		close(fd_read);
	row->file_len = row->body.len;
	sha256(row->file_sha256, row->body);
	row->body = BYTES_NONE;
	return code;
}

static enum err_code
publish_one(void *ctx, struct bytes path, struct bytes der, struct err *e)
{
	struct core *c = ctx;
	uint8_t room[PUBLIC_KEY_MAX];
	struct bytes key = public_file_key(room, path);
	struct public_txn *t = NULL;
	struct public_row there;
	struct crl list;
	/* One that does not read keeps nobody from starting. */
	if (crl_parse(der, &list, e) != ERR_OK) {
		log_err("last-list", e);
		return ERR_OK;
	}
	TRY(public_renew(c->reader, e));
	bool found = public_get(c->reader, key, &there);
	public_release(c->reader);
	if (found && there.this_update >= list.this_update)
		return ERR_OK;
	struct public_row row = { .this_update = list.this_update,
		.next_update = list.next_update,
		.type = "application/pkix-crl",
		.body = der };
	if (der.len > ROW_BODY_MAX)
		TRY(put_file(c, &row, e));
	TRY(public_begin(c->public, &t, e));
	enum err_code code = public_put(t, key, &row, e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), e);
	public_abort(t);
	log_info("crl-published-again", "path=%.*s number=%llu",
	    BYTES_FMT(path), (unsigned long long)list.number);
	return code;
}

enum err_code
last_publish(struct core *c, struct view *v, struct err *e)
{
	return view_lists(v, publish_one, c, e);
}
