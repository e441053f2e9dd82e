/*
 * public_pack - core's side of packed answers: the page that is being written,
 * the shapes in use, and the feed that tells readers what changed.
 */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

/* A shape that is in public/, as its octets. */
struct shape_known {
	uint16_t id;
	int64_t until;
	uint64_t hash;
	struct buf octets;
};
struct pack_shapes {
	struct shape_known *v;
	size_t n, size;
	uint16_t next;
};

struct packer {
	struct public *p;
	MDB_txn *txn;
	/* The page that is open: rows from key on, up to end. */
	bool open, dirty;
	struct buf key, end; /* end empty: up to the issuer's last */
	struct pack_page page;
	struct buf feed;
	size_t n_changed;
	/* For one row at a time: some KiB. */
	struct ocsp_shape shape;
	struct ocsp_days days;
	uint8_t fields[OCSP_FIELDS_MAX], whole[OCSP_ANSWER_MAX];
};

#define SHAPE_OCTETS (OCSP_ANSWER_MAX + 128)
#define SHAPE_SPARE  DAY /* until rises by steps, not with every answer */
#define SHAPES_MAX   4096u

struct packer *
packer_new(struct public *p, MDB_txn *txn)
{
	struct packer *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	k->p = p;
	k->txn = txn;
	k->key = k->end = BUF(ROW_KEY);
	k->feed = BUF(FEED_KEYS * (ROW_KEY + 1));
	return k;
}

void
packer_free(struct packer *k)
{
	if (k == NULL)
		return;
	buf_fini(&k->key);
	buf_fini(&k->end);
	buf_fini(&k->feed);
	free(k);
}

void
packer_forget(struct public *p)
{
	struct pack_shapes *s = p->shapes;
	for (size_t i = 0; s != NULL && i < s->n; i++)
		buf_fini(&s->v[i].octets);
	if (s != NULL)
		free(s->v);
	free(s);
	p->shapes = NULL;
}

static void
changed(struct packer *k, struct bytes key)
{
	k->n_changed++;
	put_u8(&k->feed, (uint8_t)key.len);
	buf_put(&k->feed, key.p, key.len);
}

/* --- The open page ------------------------------------------------------------ */

static enum err_code
page_flush(struct packer *k, struct err *e)
{
	MDB_val key = val_of(buf_bytes(&k->key));
	MDB_val d = { .mv_size = PACK_BYTES, .mv_data = &k->page };
	if (!k->open || !k->dirty)
		return ERR_OK;
	k->dirty = false;
	changed(k, buf_bytes(&k->key));
	/* The first page of an issuer stays, so that all serials have one. */
	if (k->page.n > 0 || k->key.len == KEY_HEAD)
		return env_error(mdb_put(k->txn, k->p->packs, &key, &d, 0), e);
	int rc = mdb_del(k->txn, k->p->packs, &key, NULL);
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

static bool
of_issuer(MDB_val k, struct bytes key)
{
	return k.mv_size >= KEY_HEAD && memcmp(k.mv_data, key.p, KEY_HEAD) == 0;
}

static void
page_open(struct packer *k, struct bytes key, struct bytes end)
{
	buf_reset(&k->key);
	buf_reset(&k->end);
	buf_put(&k->key, key.p, key.len);
	buf_put(&k->end, end.p, end.len);
	k->open = true;
	k->dirty = false;
}

static enum err_code
page_locate(struct packer *k, MDB_cursor *c, struct bytes key, struct err *e)
{
	const struct pack_page *page;
	MDB_val at = val_of(key), d;
	int rc = mdb_cursor_get(c, &at, &d, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &at, &d, MDB_LAST);
	else if (rc == 0 && !bytes_eq(bytes_of_val(at), key))
		rc = mdb_cursor_get(c, &at, &d, MDB_PREV);
	if (rc == MDB_NOTFOUND || (rc == 0 && !of_issuer(at, key))) {
		page_open(k, bytes_of(key.p, KEY_HEAD), BYTES_NONE);
		(void)pack_build(&k->page, NULL, 0);
		return ERR_OK;
	}
	TRY(env_error(rc, e));
	if (!pack_page_of(d, &page))
		return env_damaged(e);
	k->page = *page;
	page_open(k, bytes_of_val(at), BYTES_NONE);
	rc = mdb_cursor_get(c, &at, &d, MDB_NEXT);
	if (rc == 0 && of_issuer(at, key))
		buf_put(&k->end, at.mv_data, at.mv_size);
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

/* Opens the page that the key belongs to. */
static enum err_code
page_seek(struct packer *k, struct bytes key, struct err *e)
{
	MDB_cursor *c;
	if (k->open && memcmp(k->key.p, key.p, KEY_HEAD) == 0 &&
	    bytes_cmp(buf_bytes(&k->key), key) <= 0 &&
	    (k->end.len == 0 || bytes_cmp(key, buf_bytes(&k->end)) < 0))
		return ERR_OK;
	TRY(page_flush(k, e));
	k->open = false;
	TRY(env_error(mdb_cursor_open(k->txn, k->p->packs, &c), e));
	enum err_code code = page_locate(k, c, key, e);
	mdb_cursor_close(c);
	return code;
}

/* The rows from half on, or the last alone when they come in order, go to a
 * page of their own. */
static enum err_code
page_split(struct packer *k, const struct bytes *row, size_t n, size_t at,
    struct err *e)
{
	size_t left = at == n - 1 ? n - 1 : n / 2;
	uint8_t key[ROW_KEY];
	struct pack_page right;
	struct buf end AUTO_BUF = BUF(ROW_KEY);
	size_t len = row[left].p[2];
	memcpy(key, k->key.p, KEY_HEAD);
	memcpy(key + KEY_HEAD, row[left].p + 3, len);
	if (!pack_build(&right, row + left, n - left) ||
	    !pack_build(&k->page, row, left))
		return env_damaged(e);
	k->dirty = true;
	TRY(page_flush(k, e));
	buf_put(&end, k->end.p, k->end.len);
	page_open(k, bytes_of(key, KEY_HEAD + len), buf_bytes(&end));
	k->page = right;
	k->dirty = true;
	return ERR_OK;
}

/* The rows of the open page but that of serial; *at: where it belongs. */
static enum err_code
page_rows(struct packer *k, struct bytes serial,
    struct bytes row[PACK_ROWS + 1], size_t *n, size_t *at, struct err *e)
{
	struct pack_row r;
	*n = *at = 0;
	for (size_t i = 0; i < k->page.n; i++) {
		if (!pack_row_at(&k->page, i, &r))
			return env_damaged(e);
		int order = bytes_cmp(r.serial, serial);
		if (order == 0)
			continue;
		row[(*n)++] = pack_raw(&k->page, i);
		*at += order < 0 ? 1 : 0;
	}
	return ERR_OK;
}

static enum err_code
page_put(struct packer *k, struct bytes serial, struct bytes one, struct err *e)
{
	struct bytes row[PACK_ROWS + 1];
	struct pack_page old = k->page;
	size_t n, at;
	TRY(page_rows(k, serial, row, &n, &at, e));
	/* They borrow from the page that is about to be written. */
	for (size_t i = 0; i < n; i++)
		row[i].p = (const uint8_t *)&old +
			   (row[i].p - (const uint8_t *)&k->page);
	memmove(row + at + 1, row + at, (n - at) * sizeof(row[0]));
	row[at] = one;
	n++;
	if (!pack_build(&k->page, row, n))
		return page_split(k, row, n, at, e);
	k->dirty = true;
	return ERR_OK;
}

/* --- Shapes --------------------------------------------------------------------- */

static uint64_t
hash_of(struct bytes b)
{
	uint64_t h = b.len;
	for (size_t i = 0; i < b.len; i += 8) {
		uint64_t v = 0;
		memcpy(&v, b.p + i, b.len - i < 8 ? b.len - i : 8);
		h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static struct shape_known *
shape_add(struct pack_shapes *s, uint16_t id, int64_t until,
    struct bytes octets)
{
	if (s->n == s->size) {
		size_t size = s->size == 0 ? 64 : 2 * s->size;
		struct shape_known *v = realloc(s->v, size * sizeof(*v));
		if (v == NULL)
			return NULL;
		s->v = v;
		s->size = size;
	}
	struct shape_known *one = &s->v[s->n];
	*one = (struct shape_known){ .id = id,
		.until = until,
		.hash = hash_of(octets),
		.octets = BUF(SHAPE_OCTETS) };
	buf_put(&one->octets, octets.p, octets.len);
	if (one->octets.failed)
		return NULL;
	s->n++;
	if (id >= s->next)
		s->next = (uint16_t)(id + 1);
	return one;
}

/* All that are in public/, once. */
static enum err_code
shapes_load(struct packer *k, struct err *e)
{
	MDB_cursor *c;
	if (k->p->shapes != NULL)
		return ERR_OK;
	struct pack_shapes *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(e);
	k->p->shapes = s;
	TRY(env_error(mdb_cursor_open(k->txn, k->p->meta, &c), e));
	MDB_val key = val_of(bytes_str("t")), d;
	int rc = mdb_cursor_get(c, &key, &d, MDB_SET_RANGE);
	enum err_code code = ERR_OK;
	while (rc == 0 && code == ERR_OK && key.mv_size == 3 &&
	       *(const uint8_t *)key.mv_data == 't') {
		const uint8_t *p = key.mv_data;
		struct reader r = reader_of(bytes_of_val(d));
		int64_t until = get_i64(&r);
		if (r.bad)
			code = env_damaged(e);
		else if (shape_add(s, (uint16_t)(p[1] << 8 | p[2]), until,
			     bytes_of(r.p, (size_t)(r.end - r.p))) == NULL)
			code = err_nomem(e);
		rc = mdb_cursor_get(c, &key, &d, MDB_NEXT);
	}
	mdb_cursor_close(c);
	TRY(code);
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

static enum err_code
shape_write(struct packer *k, const struct shape_known *one, struct err *e)
{
	const uint8_t key[3] = { 't', (uint8_t)(one->id >> 8),
		(uint8_t)one->id };
	struct buf b AUTO_BUF = BUF(SHAPE_OCTETS + 8);
	put_i64(&b, one->until);
	buf_put(&b, one->octets.p, one->octets.len);
	TRY(buf_end(&b, e));
	MDB_val at = val_of(bytes_of(key, 3)), d = val_of(buf_bytes(&b));
	return env_error(mdb_put(k->txn, k->p->meta, &at, &d, 0), e);
}

/* What no answer can have any more, since all have passed nextUpdate. */
static enum err_code
shapes_prune(struct packer *k, int64_t now, struct err *e)
{
	struct pack_shapes *s = k->p->shapes;
	for (size_t i = 0; i < s->n;) {
		struct shape_known *one = &s->v[i];
		const uint8_t key[3] = { 't', (uint8_t)(one->id >> 8),
			(uint8_t)one->id };
		if (one->until > now) {
			i++;
			continue;
		}
		MDB_val at = val_of(bytes_of(key, 3));
		int rc = mdb_del(k->txn, k->p->meta, &at, NULL);
		if (rc != 0 && rc != MDB_NOTFOUND)
			return env_error(rc, e);
		changed(k, bytes_of(key, 3));
		buf_fini(&one->octets);
		*one = s->v[--s->n];
	}
	return ERR_OK;
}

static bool
id_free(const struct pack_shapes *s, uint16_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].id == id)
			return false;
	return true;
}

/* The number of a shape, new or known; *known false: there are too many. */
static enum err_code
shape_id(struct packer *k, struct bytes octets, int64_t until, int64_t now,
    uint16_t *id, bool *known, struct err *e)
{
	TRY(shapes_load(k, e));
	struct pack_shapes *s = k->p->shapes;
	uint64_t hash = hash_of(octets);
	for (size_t i = 0; i < s->n; i++) {
		struct shape_known *one = &s->v[i];
		if (one->hash != hash ||
		    !bytes_eq(buf_bytes(&one->octets), octets))
			continue;
		*id = one->id;
		*known = true;
		if (one->until >= until)
			return ERR_OK;
		one->until = until + SHAPE_SPARE;
		return shape_write(k, one, e);
	}
	TRY(shapes_prune(k, now, e));
	*known = s->n < SHAPES_MAX;
	if (!*known)
		return ERR_OK;
	while (!id_free(s, s->next))
		s->next++;
	*id = s->next;
	struct shape_known *one =
	    shape_add(s, *id, until + SHAPE_SPARE, octets);
	if (one == NULL)
		return err_nomem(e);
	s->next = (uint16_t)(*id + 1);
	const uint8_t key[3] = { 't', (uint8_t)(*id >> 8), (uint8_t)*id };
	changed(k, bytes_of(key, 3));
	return shape_write(k, one, e);
}

/* --- Rows ------------------------------------------------------------------------- */

static struct bytes
serial_of(struct bytes key)
{
	return bytes_of(key.p + KEY_HEAD, key.len - KEY_HEAD);
}

enum err_code
packer_get(struct packer *k, struct bytes key, struct public_row *times,
    bool *found, struct err *e)
{
	struct pack_row row;
	TRY(page_seek(k, key, e));
	*found = pack_find(&k->page, serial_of(key), &row) >= 0;
	if (*found)
		*times = (struct public_row){
			.this_update = row.this_update,
			.next_update = row.next_update,
			.refresh_at = row.refresh_at,
			.first = (row.flags & PACK_FIRST) != 0,
		};
	return ERR_OK;
}

/* Shape and fields that make these very octets again. */
static bool
packs(struct packer *k, struct bytes serial, const struct public_row *row)
{
	if (row->type == NULL || row->refresh_at < 0 ||
	    row->refresh_at > UINT32_MAX ||
	    strcmp(row->type, "application/ocsp-response") != 0 ||
	    !ocsp_pack(row->body, serial, row->this_update, row->next_update,
		&k->shape, k->fields))
		return false;
	ocsp_unpack(&k->shape, &k->days, serial.p, (uint32_t)row->this_update,
	    (uint32_t)row->next_update, k->fields, k->whole);
	return bytes_eq(bytes_of(k->whole, k->shape.len), row->body);
}

enum err_code
packer_put(struct packer *k, struct bytes key, const struct public_row *row,
    bool *packed, struct err *e)
{
	struct buf octets AUTO_BUF = BUF(SHAPE_OCTETS);
	struct buf one AUTO_BUF = BUF(PACK_BYTES);
	struct bytes serial = serial_of(key);
	struct pack_row r = { .serial = serial,
		.this_update = (uint32_t)row->this_update,
		.next_update = (uint32_t)row->next_update,
		.refresh_at = (uint32_t)row->refresh_at,
		.flags = (uint8_t)((row->first ? PACK_FIRST : 0) |
				   (row->takes_nonce ? PACK_NONCE : 0)) };
	*packed = packs(k, serial, row);
	if (*packed) {
		ocsp_shape_encode(&k->shape, &octets);
		TRY(buf_end(&octets, e));
		TRY(shape_id(k, buf_bytes(&octets), row->next_update,
		    row->this_update, &r.shape, packed, e));
	}
	r.fields = bytes_of(k->fields, k->shape.fields_len);
	if (*packed)
		*packed = pack_row_put(&r, &one);
	if (!*packed)
		return packer_del(k, key, e);
	TRY(page_seek(k, key, e));
	return page_put(k, serial, buf_bytes(&one), e);
}

enum err_code
packer_del(struct packer *k, struct bytes key, struct err *e)
{
	struct bytes row[PACK_ROWS + 1];
	size_t n, at;
	TRY(page_seek(k, key, e));
	TRY(page_rows(k, serial_of(key), row, &n, &at, e));
	if (n == k->page.n)
		return ERR_OK;
	struct pack_page rest;
	if (!pack_build(&rest, row, n))
		return env_damaged(e);
	k->page = rest;
	k->dirty = true;
	return ERR_OK;
}

/* --- The feed ----------------------------------------------------------------------- */

static struct bytes
feed_key(uint8_t out[9], uint64_t sequence)
{
	out[0] = 'c';
	be64_print(out + 1, sequence);
	return bytes_of(out, 9);
}

static enum err_code
feed_last(struct packer *k, uint64_t *sequence, struct err *e)
{
	MDB_cursor *c;
	uint8_t room[9];
	MDB_val at = val_of(feed_key(room, UINT64_MAX)), d;
	*sequence = 0;
	TRY(env_error(mdb_cursor_open(k->txn, k->p->meta, &c), e));
	int rc = mdb_cursor_get(c, &at, &d, MDB_SET_RANGE);
	rc = mdb_cursor_get(c, &at, &d, rc == 0 ? MDB_PREV : MDB_LAST);
	if (rc == 0 && at.mv_size == 9 && *(const uint8_t *)at.mv_data == 'c')
		*sequence = be64_parse((const uint8_t *)at.mv_data + 1);
	mdb_cursor_close(c);
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

enum err_code
packer_end(struct packer *k, struct err *e)
{
	uint8_t room[9];
	uint64_t last;
	TRY(page_flush(k, e));
	if (k->n_changed == 0)
		return ERR_OK;
	TRY(feed_last(k, &last, e));
	struct bytes keys =
	    k->n_changed > FEED_KEYS ? BYTES_NONE : buf_bytes(&k->feed);
	MDB_val at = val_of(feed_key(room, last + 1)), d = val_of(keys);
	TRY(env_error(mdb_put(k->txn, k->p->meta, &at, &d, 0), e));
	if (last < FEED_KEPT)
		return ERR_OK;
	at = val_of(feed_key(room, last - FEED_KEPT));
	int rc = mdb_del(k->txn, k->p->meta, &at, NULL);
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}
