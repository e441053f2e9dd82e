/*
 * list - the entries of CRLs, as they will stand in them.  A row has those of
 * a few hundred certificates that follow each other; its key is a bound that all
 * of their serials are below, so that view_next() finds the row of a serial.
 * The last one of a list is bounded by what no serial reaches.  Where an entry
 * goes depends on the rows alone: a replay makes the same ones.
 */
#include <string.h>

#include <refrendo/crl.h>

#include "inner.h"

/* With its own fields, four pages of LMDB that lie together. */
#define LIST_MAX 16000u
#define ROOM     (LIST_MAX + CRL_ENTRY_MAX + LISTED_END)

struct mark {
	size_t index, at; /* of an entry, and of its first octet */
};

/* A row while it is changed. */
struct list {
	uint8_t key[ROW_KEY_MAX];
	size_t key_len;
	bool is_last;
	struct mark end; /* how many entries, and their octets */
	uint8_t entries[ROOM], ends[ROOM];
	struct mark place; /* where the serial is, or would be */
	size_t there;      /* octets of its entry; 0: none */
};

bool
listed_row_head(struct bytes value, struct listed_row *out)
{
	struct reader r = reader_of(value);

	if (get_u8(&r) != 1)
		return false;
	out->earliest = get_i64(&r);
	out->ends = get_bytes(&r);
	size_t used = 1 + 8 + 4 + out->ends.len + 4;
	if (r.bad || value.len <= used || out->ends.len == 0 ||
	    out->ends.len % LISTED_END != 0)
		return false;
	out->entries = bytes_of(value.p + used, value.len - used);
	return true;
}

bool
listed_row_read(struct bytes value, struct listed_row *out)
{
	if (!listed_row_head(value, out))
		return false;
	struct reader r = reader_of(bytes_of(out->entries.p - 4, 4));
	return get_u32(&r) == out->entries.len;
}

/* Entries off the front: those that are over, or those that are not, up to the
 * first that differs. */
static bool
take_while(struct listed_row *row, int64_t since, bool is_over,
    struct bytes *run, size_t *n)
{
	struct crl all = { .entries = row->entries };
	struct crl_cursor at = { 0 };
	struct crl_entry x;

	for (*n = 0; row->ends.len > 0; (*n)++) {
		int64_t end = (int64_t)be64_parse(row->ends.p);
		if ((end < since) != is_over)
			break;
		if (!crl_next(&all, &at, &x))
			return false;
		row->ends.p += LISTED_END;
		row->ends.len -= LISTED_END;
	}
	*run = bytes_of(row->entries.p, at.at);
	row->entries.p += at.at;
	row->entries.len -= at.at;
	return (row->ends.len == 0) == (row->entries.len == 0);
}

bool
listed_row_take(struct listed_row *row, int64_t since, struct bytes *run,
    size_t *n)
{
	if (row->earliest < since)
		return take_while(row, since, true, run, n) &&
		       take_while(row, since, false, run, n);
	*run = row->entries;
	*n = row->ends.len / LISTED_END;
	row->ends.len = row->entries.len = 0;
	return true;
}

struct bytes
ca_list_key(uint8_t out[ROW_KEY_MAX], struct bytes issuer, int64_t partition)
{
	size_t len = 1 + issuer.len;

	if (issuer.len >= POLICY_NAME_MAX)
		fatal("a list with a name of %zu octets", issuer.len);
	out[0] = partition > 0 ? ROW_PARTITIONED : ROW_REVOKED;
	memcpy(out + 1, issuer.p, issuer.len);
	out[len++] = 0;
	if (partition > 0) {
		be64_print(out + len, (uint64_t)partition);
		len += 8;
	}
	return bytes_of(out, len);
}

static enum err_code
broken(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "listed-row",
	    "a row of the ledger that a CRL is made from cannot be read; run "
	    "refrendo db check");
}

static size_t
key_put(uint8_t key[ROW_KEY_MAX], struct bytes prefix, struct bytes rest)
{
	if (prefix.len + rest.len > ROW_KEY_MAX)
		fatal("a key of %zu octets", prefix.len + rest.len);
	memcpy(key, prefix.p, prefix.len);
	if (rest.len > 0)
		memcpy(key + prefix.len, rest.p, rest.len);
	return prefix.len + rest.len;
}

/* Entries are read to find the one with this serial, or its place. */
static enum err_code
list_seek(struct list *l, struct bytes serial, struct err *e)
{
	struct crl all = { .entries = bytes_of(l->entries, l->end.at) };
	struct crl_cursor at = { 0 };
	struct crl_entry x;

	for (l->place.index = 0; l->place.index < l->end.index;
	    l->place.index++) {
		l->place.at = at.at;
		if (!crl_next(&all, &at, &x))
			return broken(e);
		int order = bytes_cmp(x.serial, serial);
		if (order == 0)
			l->there = at.at - l->place.at;
		if (order >= 0)
			return ERR_OK;
	}
	l->place.at = at.at;
	return at.at == l->end.at ? ERR_OK : broken(e);
}

static enum err_code
list_load(struct list *l, struct bytes key, struct bytes value, struct err *e)
{
	struct listed_row row;

	if (!listed_row_read(value, &row) ||
	    row.entries.len + row.ends.len > LIST_MAX)
		return broken(e);
	l->key_len = key_put(l->key, key, BYTES_NONE);
	l->end = (struct mark){ row.ends.len / LISTED_END, row.entries.len };
	memcpy(l->ends, row.ends.p, row.ends.len);
	memcpy(l->entries, row.entries.p, row.entries.len);
	return ERR_OK;
}

/* The row that a serial is or would be in; an empty one where there is none. */
static enum err_code
list_get(struct view *v, struct bytes prefix, struct bytes serial,
    struct list *l, struct err *e)
{
	uint8_t last[SERIAL_MAX + 1];
	struct bytes key, value;
	bool found;

	memset(last, 0xff, sizeof(last));
	l->end = (struct mark){ 0, 0 };
	l->there = 0;
	l->key_len = key_put(l->key, prefix, serial);
	TRY(view_next(v, prefix, bytes_of(l->key, l->key_len), &key, &value,
	    &found, e));
	if (found)
		TRY(list_load(l, key, value, e));
	else
		l->key_len =
		    key_put(l->key, prefix, bytes_of(last, sizeof(last)));
	l->is_last = l->key_len == prefix.len + sizeof(last);
	return list_seek(l, serial, e);
}

/* The entries between two marks, as the row of that key. */
static enum err_code
list_store(struct view *v, struct bytes key, const struct list *l,
    struct mark from, struct mark until, struct err *e)
{
	struct buf row AUTO_BUF = BUF(2 * ROOM);
	struct listed_row r = { .earliest = NEVER,
		.ends = bytes_of(l->ends + from.index * LISTED_END,
		    (until.index - from.index) * LISTED_END),
		.entries = bytes_of(l->entries + from.at, until.at - from.at) };

	for (size_t i = from.index; i < until.index; i++) {
		int64_t end = (int64_t)be64_parse(l->ends + i * LISTED_END);
		if (end < r.earliest)
			r.earliest = end;
	}
	rec_encode_row(&rec_revoked, &r, &row);
	TRY(buf_end(&row, e));
	return view_put(v, key, buf_bytes(&row), e);
}

/*
 * One that has become too long is cut in the middle, or before an entry that
 * came behind all others, as they mostly do.  The first half gets a bound of
 * its own, the serial that the second begins with.
 */
static enum err_code
list_split(struct view *v, struct bytes prefix, const struct list *l,
    struct err *e)
{
	static const struct mark start = { 0, 0 };
	struct crl all = { .entries = bytes_of(l->entries, l->end.at) };
	struct crl_cursor at = { 0 };
	struct crl_entry x;
	struct mark cut;
	uint8_t key[ROW_KEY_MAX];
	size_t n = l->end.index;
	bool is_behind = l->is_last && l->place.index == n - 1;

	cut.index = is_behind ? n - 1 : n / 2;
	for (size_t i = 0; i <= cut.index; i++) {
		cut.at = at.at;
		if (!crl_next(&all, &at, &x))
			return broken(e);
	}
	size_t len = key_put(key, prefix, x.serial);
	TRY(list_store(v, bytes_of(key, len), l, start, cut, e));
	return list_store(v, bytes_of(l->key, l->key_len), l, cut, l->end, e);
}

/* Other octets in the place of those that are there. */
static void
replace(uint8_t *all, size_t *len, size_t at, size_t there, struct bytes b)
{
	memmove(all + at + b.len, all + at + there, *len - at - there);
	if (b.len > 0)
		memcpy(all + at, b.p, b.len);
	*len += b.len - there;
}

/* The entry at the place, with the end of its certificate. */
static void
list_change(struct list *l, struct bytes der, struct bytes end)
{
	size_t ends = l->end.index * LISTED_END;
	replace(l->ends, &ends, l->place.index * LISTED_END,
	    l->there > 0 ? LISTED_END : 0, end);
	replace(l->entries, &l->end.at, l->place.at, l->there, der);
	l->end.index = ends / LISTED_END;
}

static enum err_code
list_save(struct view *v, struct bytes prefix, const struct list *l,
    struct err *e)
{
	static const struct mark start = { 0, 0 };
	struct bytes key = bytes_of(l->key, l->key_len);

	if (l->end.index == 0)
		return view_del(v, key, e);
	if (l->end.at + l->end.index * LISTED_END > LIST_MAX)
		return list_split(v, prefix, l, e);
	return list_store(v, key, l, start, l->end, e);
}

enum err_code
ca_list_put(struct view *v, struct bytes prefix, const struct crl_entry *x,
    int64_t not_after, struct err *e)
{
	struct list l;
	uint8_t der[CRL_ENTRY_MAX], end[LISTED_END];
	size_t len;

	TRY(crl_entry_print(x, der, &len, e));
	TRY(list_get(v, prefix, x->serial, &l, e));
	be64_print(end, (uint64_t)not_after);
	list_change(&l, bytes_of(der, len), bytes_of(end, sizeof(end)));
	return list_save(v, prefix, &l, e);
}

enum err_code
ca_list_del(struct view *v, struct bytes prefix, struct bytes serial,
    struct err *e)
{
	struct list l;

	TRY(list_get(v, prefix, serial, &l, e));
	if (l.there == 0)
		return broken(e);
	list_change(&l, BYTES_NONE, BYTES_NONE);
	return list_save(v, prefix, &l, e);
}
