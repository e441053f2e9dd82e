#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca_view.h"

struct row {
	struct bytes key, value; /* owned */
};
struct view {
	struct row *row;
	size_t n, size;
	struct entry *entry; /* leaf and detail owned */
	size_t n_entry, size_entry;
	struct merkle tree;
	unsigned calls, fail_at;
	bool failed;
};

static void *
need(void *p)
{
	if (p == NULL)
		fatal("the fake view has no memory");
	return p;
}

static struct bytes
dup(struct bytes b)
{
	uint8_t *p = need(malloc(b.len + 1));
	if (b.len > 0)
		memcpy(p, b.p, b.len);
	return bytes_of(p, b.len);
}

static void
drop(struct bytes b)
{
	free((void *)(uintptr_t)b.p);
}

struct view *
fake_view_new(void)
{
	return need(calloc(1, sizeof(struct view)));
}

void
fake_view_free(struct view *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n; i++) {
		drop(v->row[i].key);
		drop(v->row[i].value);
	}
	for (size_t i = 0; i < v->n_entry; i++) {
		drop(v->entry[i].leaf);
		drop(v->entry[i].detail);
	}
	free(v->row);
	free(v->entry);
	free(v);
}

static void
add_entry(struct view *v, const struct entry *e)
{
	if (v->n_entry == v->size_entry) {
		v->size_entry = v->size_entry * 2 + 16;
		v->entry =
		    need(realloc(v->entry, v->size_entry * sizeof(*v->entry)));
	}
	struct entry *to = &v->entry[v->n_entry++];
	*to = *e;
	to->leaf = dup(e->leaf);
	to->detail = dup(e->detail);
	/* What it borrowed is read from the leaf again. */
	to->refs = (struct entry_refs){ .number = 0 };
}

struct view *
fake_view_copy(const struct view *from)
{
	struct view *v = fake_view_new();

	v->size = v->n = from->n;
	v->row = need(calloc(from->n + 1, sizeof(*v->row)));
	for (size_t i = 0; i < from->n; i++)
		v->row[i] = (struct row){ dup(from->row[i].key),
			dup(from->row[i].value) };
	for (size_t i = 0; i < from->n_entry; i++)
		add_entry(v, &from->entry[i]);
	v->tree = from->tree;
	v->fail_at = from->fail_at;
	v->calls = from->calls;
	return v;
}

void
fake_view_fail(struct view *v, unsigned n)
{
	v->fail_at = n;
	v->calls = 0;
	v->failed = false;
}

unsigned
fake_view_calls(const struct view *v)
{
	return v->calls;
}

bool
fake_view_failed(const struct view *v)
{
	return v->failed;
}

static enum err_code
count(struct view *v, struct err *e)
{
	v->calls++;
	if (v->fail_at == 0 || v->calls != v->fail_at)
		return ERR_OK;
	v->failed = true;
	return err_say(e, ERR_IO, "fake-view",
	    "the fake view fails at this call");
}

/* The first row whose key is not less. */
static size_t
place(const struct view *v, struct bytes key)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (bytes_cmp(v->row[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_at(const struct view *v, size_t i, struct bytes key)
{
	return i < v->n && bytes_eq(v->row[i].key, key);
}

enum err_code
view_get(struct view *v, struct bytes key, struct bytes *value, bool *found,
    struct err *e)
{
	TRY(count(v, e));
	size_t i = place(v, key);
	*found = is_at(v, i, key);
	if (*found)
		*value = v->row[i].value;
	return ERR_OK;
}

void
fake_view_force(struct view *v, struct bytes key, struct bytes value)
{
	size_t i = place(v, key);

	if (is_at(v, i, key)) {
		struct bytes fresh = dup(value);
		drop(v->row[i].value);
		v->row[i].value = fresh;
		return;
	}
	if (v->n == v->size) {
		v->size = v->size * 2 + 16;
		v->row = need(realloc(v->row, v->size * sizeof(*v->row)));
	}
	memmove(&v->row[i + 1], &v->row[i], (v->n - i) * sizeof(*v->row));
	v->row[i] = (struct row){ dup(key), dup(value) };
	v->n++;
}

enum err_code
view_put(struct view *v, struct bytes key, struct bytes value, struct err *e)
{
	TRY(count(v, e));
	if (key.len == 0 || key.len > ROW_KEY_MAX)
		return err_say(e, ERR_IO, "fake-view",
		    "a key has a length of its own");
	fake_view_force(v, key, value);
	return ERR_OK;
}

/* As in LMDB, deleting what is not there is a fault of the caller. */
enum err_code
view_del(struct view *v, struct bytes key, struct err *e)
{
	TRY(count(v, e));
	size_t i = place(v, key);
	if (!is_at(v, i, key))
		return err_say(e, ERR_NOTFOUND, "fake-view",
		    "this row is not there");
	drop(v->row[i].key);
	drop(v->row[i].value);
	memmove(&v->row[i], &v->row[i + 1], (v->n - i - 1) * sizeof(*v->row));
	v->n--;
	return ERR_OK;
}

enum err_code
view_next(struct view *v, struct bytes prefix, struct bytes after,
    struct bytes *key, struct bytes *value, bool *found, struct err *e)
{
	TRY(count(v, e));
	size_t i = place(v, bytes_cmp(after, prefix) > 0 ? after : prefix);
	if (is_at(v, i, after))
		i++;
	*found = i < v->n && v->row[i].key.len >= prefix.len &&
		 memcmp(v->row[i].key.p, prefix.p, prefix.len) == 0;
	if (*found) {
		*key = v->row[i].key;
		*value = v->row[i].value;
	}
	return ERR_OK;
}

uint64_t
view_log_size(struct view *v)
{
	return v->n_entry;
}

int64_t
view_log_time(struct view *v)
{
	return v->n_entry == 0 ? 0 : v->entry[v->n_entry - 1].time;
}

enum err_code
view_log_root(struct view *v, uint8_t root[HASH_LEN], struct err *e)
{
	TRY(count(v, e));
	merkle_root(&v->tree, root);
	return ERR_OK;
}

static void
no_tile(void *ctx, unsigned level, uint64_t n, unsigned i,
    const uint8_t hash[HASH_LEN])
{
	(void)ctx;
	(void)level;
	(void)n;
	(void)i;
	(void)hash;
}

enum err_code
view_log_detail(struct view *v, uint64_t index, struct bytes *detail,
    struct err *e)
{
	TRY(count(v, e));
	if (index >= v->n_entry)
		return err_say(e, ERR_NOTFOUND, "fake-view",
		    "this entry is not there");
	*detail = v->entry[index].detail;
	return ERR_OK;
}

enum err_code
view_log_append(struct view *v, const struct entry *entry, struct err *e)
{
	uint8_t hash[HASH_LEN];

	TRY(count(v, e));
	merkle_leaf_hash(hash, entry->leaf);
	merkle_append(&v->tree, hash, no_tile, NULL);
	add_entry(v, entry);
	return ERR_OK;
}

size_t
fake_view_entries(const struct view *v)
{
	return v->n_entry;
}

const struct entry *
fake_view_entry(const struct view *v, size_t i)
{
	return &v->entry[i];
}

size_t
fake_view_rows(const struct view *v)
{
	return v->n;
}

static void
tell(const char *what, const struct row *r)
{
	fprintf(stderr, "%s: ", what);
	for (size_t i = 0; i < r->key.len; i++) {
		uint8_t c = r->key.p[i];
		if (c >= 0x20 && c < 0x7f)
			fprintf(stderr, "%c", c);
		else
			fprintf(stderr, "\\%02x", c);
	}
	fprintf(stderr, " (%zu octets)\n", r->value.len);
}

bool
fake_view_same(const struct view *a, const struct view *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++) {
		if (bytes_eq(a->row[i].key, b->row[i].key) &&
		    bytes_eq(a->row[i].value, b->row[i].value))
			continue;
		tell("one has", &a->row[i]);
		tell("other has", &b->row[i]);
		return false;
	}
	if (a->n == b->n)
		return true;
	tell("only one has", a->n > b->n ? &a->row[i] : &b->row[i]);
	return false;
}

bool
fake_view_replays(const struct view *v)
{
	struct view *fresh = fake_view_new();
	struct arena *a = arena_new();
	struct err e;
	bool same = true;

	for (size_t i = 0; same && i < v->n_entry; i++) {
		struct entry entry = v->entry[i];
		same = entry_parse(&entry, a, &e) == ERR_OK &&
		       ca_apply(fresh, &entry, &e) == ERR_OK;
		if (!same)
			fprintf(stderr, "entry %zu: %s (%s)\n", i, e.say,
			    e.why);
		arena_reset(a);
	}
	same = same && fake_view_same(v, fresh);
	arena_free(a);
	fake_view_free(fresh);
	return same;
}
