/*
 * public_index - a reader's side of packed answers: where each page lies, as of
 * one snapshot, in the order of the serials.  A page stays in its place until
 * it is written anew, and each commit says which ones it wrote; what a commit
 * did is learnt before anything of its snapshot is read.
 */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define SHAPES 65536u

/* The key of a page without 'o' and issuer: from here on, up to the next. */
struct from {
	uint8_t len, serial[SERIAL_MAX];
};
/* Three arrays, since a search nearly always needs no more than the first of
 * them and one place of the second. */
struct directory {
	uint64_t *first; /* the first octets of the key, by themselves */
	const struct pack_page **page;
	struct from *from;
	size_t n, size;
};

struct pack_index {
	struct public *p;
	uint64_t txn_id, sequence; /* what it is the state of; 0: of nothing */
	struct directory *of[ISSUERS_MAX]; /* issuer */
	struct ocsp_shape **shape;         /* SHAPES, where it was needed */
	struct ocsp_shape room;
};

struct pack_index *
pack_index_new(struct public *p)
{
	struct pack_index *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	x->p = p;
	x->shape = calloc(SHAPES, sizeof(struct ocsp_shape *));
	if (x->shape != NULL)
		return x;
	free(x);
	return NULL;
}

static void
shapes_clear(struct pack_index *x)
{
	for (size_t i = 0; i < SHAPES; i++) {
		if (x->shape[i] == NULL)
			continue;
		free(x->shape[i]);
		x->shape[i] = NULL;
	}
}

static void
directories_clear(struct pack_index *x)
{
	for (size_t i = 0; i < ARRAY_LEN(x->of); i++)
		if (x->of[i] != NULL)
			x->of[i]->n = 0;
}

void
pack_index_free(struct pack_index *x)
{
	if (x == NULL)
		return;
	shapes_clear(x);
	free(x->shape);
	for (size_t i = 0; i < ARRAY_LEN(x->of); i++) {
		if (x->of[i] == NULL)
			continue;
		free(x->of[i]->first);
		free(x->of[i]->page);
		free(x->of[i]->from);
		free(x->of[i]);
	}
	free(x);
}

/* --- Directories ---------------------------------------------------------------- */

static uint64_t
first_of(struct bytes serial)
{
	uint8_t p[8] = { 0 };
	memcpy(p, serial.p, serial.len < 8 ? serial.len : 8);
	return be64_parse(p);
}

/* How many places begin before v, or at it too. */
static size_t
count_below(const struct directory *d, uint64_t v, bool at_too)
{
	const uint64_t *base = d->first;
	size_t n = d->n;
	if (n == 0)
		return 0;
	/* Without a branch that depends on what is compared. */
	while (n > 1) {
		size_t half = n / 2;
		bool right = at_too ? base[half - 1] <= v : base[half - 1] < v;
		base += right ? half : 0;
		n -= half;
	}
	bool last = at_too ? *base <= v : *base < v;
	return (size_t)(base - d->first) + (last ? 1 : 0);
}

static struct bytes
serial_at(const struct directory *d, size_t i)
{
	return bytes_of(d->from[i].serial, d->from[i].len);
}

/* How many places begin before a serial, or at it too. */
static size_t
rank_of(const struct directory *d, struct bytes serial, bool at_too)
{
	uint64_t first = first_of(serial);
	size_t i = count_below(d, first, true);
	while (i > 0 && d->first[i - 1] == first) {
		int order = bytes_cmp(serial_at(d, i - 1), serial);
		if (order < 0 || (order == 0 && at_too))
			break;
		i--;
	}
	return i;
}

static enum err_code
directory_grow(struct directory *d, struct err *e)
{
	size_t size = d->size == 0 ? 256 : d->size + d->size / 2;
	uint64_t *first = realloc(d->first, size * sizeof(*first));
	if (first == NULL)
		return err_nomem(e);
	d->first = first;
	const struct pack_page **page = realloc(d->page, size * sizeof(*page));
	if (page == NULL)
		return err_nomem(e);
	d->page = page;
	struct from *from = realloc(d->from, size * sizeof(*from));
	if (from == NULL)
		return err_nomem(e);
	d->from = from;
	d->size = size;
	return ERR_OK;
}

static enum err_code
directory_of(struct pack_index *x, uint16_t issuer, struct directory **out,
    struct err *e)
{
	if (x->of[issuer] == NULL)
		x->of[issuer] = calloc(1, sizeof(struct directory));
	*out = x->of[issuer];
	return *out == NULL ? err_nomem(e) : ERR_OK;
}

/* All from one place on, to another. */
static void
directory_shift(struct directory *d, size_t at, size_t to)
{
	size_t n = d->n - at;
	memmove(d->first + to, d->first + at, n * sizeof(d->first[0]));
	memmove(d->page + to, d->page + at, n * sizeof(d->page[0]));
	memmove(d->from + to, d->from + at, n * sizeof(d->from[0]));
	d->n = to + n;
}

/* page NULL: there is none any more. */
static enum err_code
directory_set(struct directory *d, struct bytes serial,
    const struct pack_page *page, struct err *e)
{
	size_t i = rank_of(d, serial, false);
	bool there = i < d->n && bytes_eq(serial_at(d, i), serial);
	if (page == NULL) {
		if (there)
			directory_shift(d, i + 1, i);
		return ERR_OK;
	}
	if (!there) {
		if (d->n == d->size)
			TRY(directory_grow(d, e));
		directory_shift(d, i, i + 1);
		d->first[i] = first_of(serial);
		d->from[i].len = (uint8_t)serial.len;
		memcpy(d->from[i].serial, serial.p, serial.len);
	}
	d->page[i] = page;
	return ERR_OK;
}

/* --- Following ---------------------------------------------------------------------- */

/* One page of the table; its key was "o", issuer, serial. */
static enum err_code
take_page(struct pack_index *x, struct bytes key, const MDB_val *d,
    struct err *e)
{
	struct directory *dir;
	if (key.len < KEY_HEAD || key.len > ROW_KEY || key.p[0] != 'o' ||
	    key_issuer(key) >= ISSUERS_MAX ||
	    (d != NULL && d->mv_size != PACK_BYTES))
		return env_damaged(e);
	TRY(directory_of(x, key_issuer(key), &dir, e));
	return directory_set(dir,
	    bytes_of(key.p + KEY_HEAD, key.len - KEY_HEAD),
	    d == NULL ? NULL : d->mv_data, e);
}

static enum err_code
feed_sequence(struct pack_index *x, MDB_cursor *c, struct err *e)
{
	uint8_t key[9] = { 'c', 255, 255, 255, 255, 255, 255, 255, 255 };
	MDB_val at = val_of(bytes_of(key, 9)), d;
	int rc = mdb_cursor_get(c, &at, &d, MDB_SET_RANGE);
	rc = mdb_cursor_get(c, &at, &d, rc == 0 ? MDB_PREV : MDB_LAST);
	x->sequence = 0;
	if (rc == 0 && at.mv_size == 9 && *(const uint8_t *)at.mv_data == 'c')
		x->sequence = be64_parse((const uint8_t *)at.mv_data + 1);
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

/* Everything, from the table: it gives the places and touches no page. */
static enum err_code
begin_anew(struct pack_index *x, MDB_txn *txn, struct err *e)
{
	MDB_cursor *c;
	MDB_val k, d;
	directories_clear(x);
	shapes_clear(x);
	TRY(env_error(mdb_cursor_open(txn, x->p->packs, &c), e));
	enum err_code code = ERR_OK;
	int rc = mdb_cursor_get(c, &k, &d, MDB_FIRST);
	while (rc == 0 && code == ERR_OK) {
		code = take_page(x, bytes_of_val(k), &d, e);
		rc = mdb_cursor_get(c, &k, &d, MDB_NEXT);
	}
	mdb_cursor_close(c);
	TRY(code);
	return rc == MDB_NOTFOUND ? ERR_OK : env_error(rc, e);
}

static enum err_code
take_changed(struct pack_index *x, MDB_txn *txn, struct bytes key,
    struct err *e)
{
	MDB_val at = val_of(key), d;
	if (key.len == 3 && key.p[0] == 't') {
		size_t id = (size_t)key.p[1] << 8 | key.p[2];
		free(x->shape[id]);
		x->shape[id] = NULL;
		return ERR_OK;
	}
	int rc = mdb_get(txn, x->p->packs, &at, &d);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return env_error(rc, e);
	return take_page(x, key, rc == 0 ? &d : NULL, e);
}

static enum err_code
take_feed(struct pack_index *x, MDB_txn *txn, struct bytes feed, struct err *e)
{
	while (feed.len > 0) {
		size_t len = feed.p[0];
		if (len + 1 > feed.len)
			return env_damaged(e);
		TRY(take_changed(x, txn, bytes_of(feed.p + 1, len), e));
		feed = bytes_of(feed.p + 1 + len, feed.len - 1 - len);
	}
	return ERR_OK;
}

/* *whole false: the feed does not reach back that far. */
static enum err_code
follow_feed(struct pack_index *x, MDB_txn *txn, MDB_cursor *c, bool *whole,
    struct err *e)
{
	uint8_t key[9] = { 'c' };
	MDB_val at, d;
	uint64_t from = x->sequence, last;
	TRY(feed_sequence(x, c, e));
	last = x->sequence;
	*whole = from <= last;
	for (uint64_t i = from + 1; *whole && i <= last; i++) {
		be64_print(key + 1, i);
		at = val_of(bytes_of(key, 9));
		int rc = mdb_get(txn, x->p->meta, &at, &d);
		*whole = rc == 0 && d.mv_size > 0;
		if (*whole)
			TRY(take_feed(x, txn, bytes_of_val(d), e));
		else if (rc != 0 && rc != MDB_NOTFOUND)
			return env_error(rc, e);
	}
	return ERR_OK;
}

enum err_code
pack_index_follow(struct pack_index *x, MDB_txn *txn, struct err *e)
{
	MDB_cursor *c;
	uint64_t id = mdb_txn_id(txn);
	bool whole = false;
	if (id == x->txn_id)
		return ERR_OK;
	TRY(env_error(mdb_cursor_open(txn, x->p->meta, &c), e));
	enum err_code code = x->txn_id == 0 ? feed_sequence(x, c, e)
					    : follow_feed(x, txn, c, &whole, e);
	mdb_cursor_close(c);
	if (code == ERR_OK && !whole)
		code = begin_anew(x, txn, e);
	x->txn_id = code == ERR_OK ? id : 0;
	return code;
}

void
pack_index_touch(const struct pack_index *x)
{
	volatile uint8_t sink = 0;
	for (size_t i = 0; i < ARRAY_LEN(x->of); i++) {
		const struct directory *d = x->of[i];
		for (size_t k = 0; d != NULL && k < d->n; k++)
			sink = (uint8_t)(sink + d->page[k]->n);
	}
}

/* --- Finding -------------------------------------------------------------------------- */

/* A copy of its own: the octets in the map move. */
static const struct ocsp_shape *
shape_load(struct pack_index *x, MDB_txn *txn, uint16_t id)
{
	const uint8_t key[3] = { 't', (uint8_t)(id >> 8), (uint8_t)id };
	MDB_val at = val_of(bytes_of(key, 3)), d;
	struct err e;
	if (mdb_get(txn, x->p->meta, &at, &d) != 0 || d.mv_size < 8 ||
	    ocsp_shape_decode(bytes_of((const uint8_t *)d.mv_data + 8,
				  d.mv_size - 8),
		&x->room, &e) != ERR_OK)
		return NULL;
	size_t size = offsetof(struct ocsp_shape, der) + x->room.len;
	x->shape[id] = malloc(size);
	if (x->shape[id] != NULL)
		memcpy(x->shape[id], &x->room, size);
	return x->shape[id];
}

/* Without the index, should there have been no memory for it. */
static bool
page_by_table(struct pack_index *x, MDB_txn *txn, uint16_t issuer,
    struct bytes serial, MDB_val *out)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct bytes want = public_ocsp_key(key, issuer, serial);
	MDB_val k = val_of(want);
	MDB_cursor *c;
	if (mdb_cursor_open(txn, x->p->packs, &c) != 0)
		return false;
	int rc = mdb_cursor_get(c, &k, out, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &k, out, MDB_LAST);
	else if (rc == 0 && !bytes_eq(bytes_of_val(k), want))
		rc = mdb_cursor_get(c, &k, out, MDB_PREV);
	bool found = rc == 0 && k.mv_size >= KEY_HEAD &&
		     memcmp(k.mv_data, want.p, KEY_HEAD) == 0;
	mdb_cursor_close(c);
	return found;
}

static bool
page_of_serial(struct pack_index *x, MDB_txn *txn, uint16_t issuer,
    struct bytes serial, MDB_val *out)
{
	if (issuer >= ISSUERS_MAX)
		return false;
	const struct directory *d = x->of[issuer];
	if (x->txn_id == 0)
		return page_by_table(x, txn, issuer, serial, out);
	size_t i = d == NULL ? 0 : rank_of(d, serial, true);
	if (i == 0)
		return false;
	*out = (MDB_val){ .mv_size = PACK_BYTES,
		.mv_data = (void *)(uintptr_t)d->page[i - 1] };
	return true;
}

bool
pack_index_find(struct pack_index *x, MDB_txn *txn, uint16_t issuer,
    struct bytes serial, struct public_answer *out)
{
	const struct pack_page *page;
	struct pack_row row;
	MDB_val v;
	if (!page_of_serial(x, txn, issuer, serial, &v) ||
	    !pack_page_of(v, &page) || pack_find(page, serial, &row) < 0)
		return false;
	const struct ocsp_shape *shape = x->shape[row.shape];
	if (shape == NULL)
		shape = shape_load(x, txn, row.shape);
	if (shape == NULL || shape->fields_len != row.fields.len ||
	    shape->serial_len != row.serial.len)
		return false;
	*out = (struct public_answer){ .this_update = row.this_update,
		.next_update = row.next_update,
		.refresh_at = row.refresh_at,
		.first = (row.flags & PACK_FIRST) != 0,
		.takes_nonce = (row.flags & PACK_NONCE) != 0,
		.tag = row.fields.p + row.fields.len - sizeof(out->tag_room),
		.len = shape->len,
		.shape = shape,
		.serial = row.serial.p,
		.fields = row.fields.p };
	return true;
}
