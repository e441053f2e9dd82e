/*
 * public_read - status reads: one transaction for each turn of its loop, one
 * mdb_get for each answer, nothing allocated, nothing copied but the head.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pack.h"

struct public_reader {
	struct public *p;
	MDB_txn *txn;
	int fd; /* of the data file, LMDB's */
	bool active;
	struct pack_index *index;
	struct ocsp_days days;
	uint8_t body[OCSP_ANSWER_MAX]; /* of the answer that was got last */
};

enum err_code
public_reader_new(struct public *p, struct public_reader **out, struct err *e)
{
	struct public_reader *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(e);
	r->p = p;
	r->index = pack_index_new(p);
	if (r->index == NULL) {
		free(r);
		return err_nomem(e);
	}
	enum err_code rc = env_error(mdb_env_get_fd(p->env.mdb, &r->fd), e);
	if (rc == ERR_OK)
		rc = env_error(mdb_txn_begin(p->env.mdb, NULL, MDB_RDONLY,
				   &r->txn),
		    e);
	if (rc != ERR_OK) {
		pack_index_free(r->index);
		free(r);
		return rc;
	}
	mdb_txn_reset(r->txn);
	*out = r;
	return ERR_OK;
}

void
public_reader_free(struct public_reader *r)
{
	if (r == NULL)
		return;
	mdb_txn_abort(r->txn);
	pack_index_free(r->index);
	free(r);
}

enum err_code
public_renew(struct public_reader *r, struct err *e)
{
	struct stat st;

	public_release(r);
	/* Core may have thrown the files away and begun new ones: then this
	 * map would show old answers for ever. */
	if (fstat(r->fd, &st) != 0 || st.st_nlink == 0)
		return err_say(e, ERR_CONFLICT, "public-replaced",
		    "the published store was made anew; open it again");
	return public_again(r, e);
}

enum err_code
public_again(struct public_reader *r, struct err *e)
{
	public_release(r);
	TRY(env_error(mdb_txn_renew(r->txn), e));
	r->active = true;
	return ERR_OK;
}

void
public_release(struct public_reader *r)
{
	if (r->active)
		mdb_txn_reset(r->txn);
	r->active = false;
}

static void
must_be_active(const struct public_reader *r)
{
	if (!r->active)
		fatal("a published row was read outside a transaction");
}

bool
public_answer(struct public_reader *r, uint16_t issuer, struct bytes serial,
    struct public_answer *out)
{
	struct err e;

	must_be_active(r);
	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return false;
	/* It goes on without: slower, and as right. */
	if (pack_index_follow(r->index, r->txn, &e) != ERR_OK)
		log_err("public-index", &e);
	return pack_index_find(r->index, r->txn, issuer, serial, out);
}

enum err_code
public_warm(struct public_reader *r, struct err *e)
{
	TRY(public_renew(r, e));
	enum err_code code = pack_index_follow(r->index, r->txn, e);
	if (code == ERR_OK)
		pack_index_touch(r->index);
	public_release(r);
	return code;
}

void
public_answer_put(struct public_reader *r, const struct public_answer *a,
    uint8_t *out)
{
	must_be_active(r);
	ocsp_unpack(a->shape, &r->days, a->serial, (uint32_t)a->this_update,
	    (uint32_t)a->next_update, a->fields, out);
}

static bool
get_packed(struct public_reader *r, struct bytes key, struct public_row *row)
{
	struct public_answer a;

	if (key.len <= KEY_HEAD || key.p[0] != 'o' ||
	    !public_answer(r, key_issuer(key),
		bytes_of(key.p + KEY_HEAD, key.len - KEY_HEAD), &a))
		return false;
	public_answer_put(r, &a, r->body);
	*row = (struct public_row){ .this_update = a.this_update,
		.next_update = a.next_update,
		.refresh_at = a.refresh_at,
		.first = a.first,
		.takes_nonce = a.takes_nonce,
		.type = "application/ocsp-response",
		.body = bytes_of(r->body, a.len) };
	hex_print(row->etag, bytes_of(a.tag, sizeof(a.tag_room)));
	return true;
}

bool
public_get(struct public_reader *r, struct bytes key, struct public_row *row)
{
	MDB_val k = val_of(key), d;
	struct err e;

	must_be_active(r);
	if (key.len == 0 || key.len > PUBLIC_KEY_MAX)
		return false;
	if (get_packed(r, key, row))
		return true;
	if (mdb_get(r->txn, r->p->answers, &k, &d) != 0)
		return false;
	/* One that does not decode is as good as absent: core makes it anew
	 * when the store is opened after a doubt. */
	return public_row_decode(bytes_of_val(d), row, &e) == ERR_OK;
}

enum err_code
public_file_map(struct public_reader *r, const struct public_row *row,
    struct bytes *body, struct err *e)
{
	return public_file_read(r->p, row, body, e);
}

uint64_t
public_log_index(struct public_reader *r)
{
	struct public_state state;
	struct err e;

	must_be_active(r);
	if (public_state_get(r->p, r->txn, &state, &e) != ERR_OK)
		return 0;
	return state.log_index;
}

static bool
get_issuer(struct bytes row, struct public_issuer *out)
{
	struct issuer_id *id = &out->id;
	struct reader r = reader_of(row);
	struct err e;

	uint8_t version = get_u8(&r);
	struct bytes name_sha1 = get_raw(&r, sizeof(id->name_sha1));
	struct bytes key_sha1 = get_raw(&r, sizeof(id->key_sha1));
	struct bytes name_sha256 = get_raw(&r, sizeof(id->name_sha256));
	struct bytes key_sha256 = get_raw(&r, sizeof(id->key_sha256));
	struct bytes name = get_bytes(&r);
	if (version != 2 || reader_end(&r, &e) != ERR_OK ||
	    name.len >= sizeof(out->name) || !ascii_printable(name))
		return false;
	memset(out->name, 0, sizeof(out->name));
	memcpy(out->name, name.p, name.len);
	memcpy(id->name_sha1, name_sha1.p, name_sha1.len);
	memcpy(id->key_sha1, key_sha1.p, key_sha1.len);
	memcpy(id->name_sha256, name_sha256.p, name_sha256.len);
	memcpy(id->key_sha256, key_sha256.p, key_sha256.len);
	return true;
}

size_t
public_issuers(struct public_reader *r, size_t from, struct public_issuer *out,
    size_t max)
{
	must_be_active(r);
	for (size_t n = 0; n < max; n++) {
		size_t i = from + n;
		const uint8_t key[3] = { 'i', (uint8_t)(i >> 8), (uint8_t)i };
		MDB_val k = val_of(bytes_of(key, sizeof(key))), d;
		if (i >= ISSUERS_MAX ||
		    mdb_get(r->txn, r->p->meta, &k, &d) != 0 ||
		    !get_issuer(bytes_of_val(d), &out[n]))
			return n;
	}
	return max;
}

/* --- What to refresh next ------------------------------------------------- */

static enum err_code
due_decode(struct bytes key, uint64_t *when, uint16_t *issuer,
    struct bytes *serial, struct err *e)
{
	if (key.len <= 8 + KEY_HEAD || key.len > 8 + ROW_KEY || key.p[8] != 'o')
		return env_damaged(e);
	*when = be64_parse(key.p);
	*issuer = key_issuer(bytes_of(key.p + 8, key.len - 8));
	*serial = bytes_of(key.p + 8 + KEY_HEAD, key.len - 8 - KEY_HEAD);
	return ERR_OK;
}

/* To the first row after a key, or at it when it is a time alone. */
static int
due_seek(MDB_cursor *c, struct bytes after, MDB_val *k)
{
	MDB_val d;

	if (after.len == 0)
		return mdb_cursor_get(c, k, &d, MDB_FIRST);
	*k = val_of(after);
	int rc = mdb_cursor_get(c, k, &d, MDB_SET_RANGE);
	if (rc == 0 && k->mv_size == after.len &&
	    memcmp(k->mv_data, after.p, after.len) == 0)
		rc = mdb_cursor_get(c, k, &d, MDB_NEXT);
	return rc;
}

static enum err_code
due_walk(MDB_cursor *c, int64_t now, size_t max, struct public_due_at *at,
    public_each each, void *ctx, struct err *e)
{
	MDB_val k, d;
	static const uint8_t good[8] = { 0x80 };
	const uint64_t end = (uint64_t)now;
	int rc = due_seek(c, bytes_of(at->key, at->len), &k);

	while (rc == 0 && max > 0) {
		uint64_t when = 0;
		uint16_t issuer = 0;
		struct bytes serial = BYTES_NONE;
		TRY(due_decode(bytes_of_val(k), &when, &issuer, &serial, e));
		if (when > end && (when & DUE_GOOD) == 0) {
			/* Of these no more is due: on to what is good. */
			rc = due_seek(c, bytes_of(good, sizeof(good)), &k);
			continue;
		}
		if ((when & ~DUE_GOOD) > end)
			return ERR_OK;
		at->len = k.mv_size;
		memcpy(at->key, k.mv_data, k.mv_size);
		max--;
		each(ctx, issuer, serial);
		rc = mdb_cursor_get(c, &k, &d, MDB_NEXT);
	}
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

enum err_code
public_due(struct public_reader *r, int64_t now, size_t max,
    struct public_due_at *at, public_each each, void *ctx, struct err *e)
{
	MDB_cursor *c;

	must_be_active(r);
	TRY(env_error(mdb_cursor_open(r->txn, r->p->due, &c), e));
	enum err_code code = due_walk(c, now, max, at, each, ctx, e);
	mdb_cursor_close(c);
	return code;
}

int64_t
public_due_when(const struct public_due_at *at)
{
	return at->len < 8 ? 0 : (int64_t)(be64_parse(at->key) & ~DUE_GOOD);
}

/* --- Everything, for what copies it away ---------------------------------- */

/* The next keys of both tables that hold rows: the smaller one's turn. */
struct walk {
	MDB_cursor *answers, *packs;
	struct bytes answer; /* empty: no more */
	uint8_t packed[ROW_KEY];
	size_t packed_len; /* 0: no more; its head is that of the page */
	const struct pack_page *page;
	size_t i;
	bool ended;
};

static enum err_code
next_answer(struct walk *w, struct bytes after, bool first, struct err *e)
{
	MDB_val k = val_of(after), d;
	int rc = mdb_cursor_get(w->answers, &k, &d,
	    !first           ? MDB_NEXT
	    : after.len == 0 ? MDB_FIRST
			     : MDB_SET_RANGE);
	if (rc == 0 && first && bytes_eq(bytes_of_val(k), after))
		rc = mdb_cursor_get(w->answers, &k, &d, MDB_NEXT);
	w->answer = rc == 0 ? bytes_of_val(k) : BYTES_NONE;
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

static enum err_code
next_page(struct walk *w, struct bytes after, bool first, struct err *e)
{
	MDB_val k = val_of(after), d;
	MDB_cursor *c = w->packs;
	int rc = mdb_cursor_get(c, &k, &d,
	    !first           ? MDB_NEXT
	    : after.len == 0 ? MDB_FIRST
			     : MDB_SET_RANGE);
	/* A page's key is not greater than its first row's: what comes after
	 * may lie in the one before. */
	if (first && after.len > 0 && rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &k, &d, MDB_LAST);
	else if (first && after.len > 0 && rc == 0 &&
		 mdb_cursor_get(c, &k, &d, MDB_PREV) != 0)
		rc = mdb_cursor_get(c, &k, &d, MDB_FIRST);
	w->i = 0;
	w->ended = rc == MDB_NOTFOUND;
	if (w->ended)
		return ERR_OK;
	TRY(env_error(rc, e));
	if (k.mv_size < KEY_HEAD || !pack_page_of(d, &w->page))
		return env_damaged(e);
	memcpy(w->packed, k.mv_data, KEY_HEAD);
	return ERR_OK;
}

static enum err_code
next_packed(struct walk *w, struct bytes after, struct err *e)
{
	for (w->packed_len = 0; !w->ended;) {
		struct pack_row row;
		if (w->i == w->page->n) {
			TRY(next_page(w, after, false, e));
			continue;
		}
		if (!pack_row_at(w->page, w->i++, &row))
			continue;
		size_t len = KEY_HEAD + row.serial.len;
		memcpy(w->packed + KEY_HEAD, row.serial.p, row.serial.len);
		if (bytes_cmp(bytes_of(w->packed, len), after) <= 0)
			continue;
		w->packed_len = len;
		return ERR_OK;
	}
	return ERR_OK;
}

static enum err_code
walk_on(struct walk *w, struct public_reader *r, struct public_cursor *at,
    size_t max, public_row_each each, void *ctx, bool *more, struct err *e)
{
	struct bytes after = bytes_of(at->key, at->len);
	TRY(next_answer(w, after, true, e));
	TRY(next_page(w, after, true, e));
	TRY(next_packed(w, after, e));
	for (;; max--) {
		struct bytes packed = bytes_of(w->packed, w->packed_len);
		struct bytes key = w->answer;
		struct public_row row;
		bool is_packed = packed.len > 0 &&
				 (key.len == 0 || bytes_cmp(packed, key) < 0);
		if (is_packed)
			key = packed;
		*more = key.len > 0;
		if (key.len == 0 || max == 0)
			return ERR_OK;
		if (key.len > PUBLIC_KEY_MAX)
			return env_damaged(e);
		memcpy(at->key, key.p, key.len);
		at->len = key.len;
		after = bytes_of(at->key, at->len);
		if (public_get(r, after, &row))
			TRY(each(ctx, after, &row, e));
		TRY(is_packed ? next_packed(w, after, e)
			      : next_answer(w, after, false, e));
	}
}

enum err_code
public_walk(struct public_reader *r, struct public_cursor *at, size_t max,
    public_row_each each, void *ctx, bool *more, struct err *e)
{
	struct walk w = { .page = NULL };

	must_be_active(r);
	TRY(env_error(mdb_cursor_open(r->txn, r->p->answers, &w.answers), e));
	enum err_code code =
	    env_error(mdb_cursor_open(r->txn, r->p->packs, &w.packs), e);
	if (code == ERR_OK) {
		code = walk_on(&w, r, at, max, each, ctx, more, e);
		mdb_cursor_close(w.packs);
	}
	mdb_cursor_close(w.answers);
	return code;
}

uint64_t
public_version(const struct public_reader *r)
{
	must_be_active(r);
	return mdb_txn_id(r->txn);
}
