/*
 * verify - what is read back is hashed again.  LMDB has no checksums: a bit
 * that flipped on disk is found here or nowhere (INCIDENTS row 66).
 */
#include <string.h>

#include "ledger.h"

/* Entries are read through one cursor, in order. */
struct scan {
	struct view *v;
	MDB_cursor *c;   /* owned */
	struct arena *a; /* owned */
};

static enum err_code
next_row(struct scan *s, uint64_t index, struct bytes *row, struct err *e)
{
	uint8_t key[8];
	MDB_val k, d;

	be64_print(key, index);
	k = val_of(bytes_of(key, sizeof(key)));
	int rc = mdb_cursor_get(s->c, &k, &d, MDB_SET_KEY);
	if (rc == MDB_NOTFOUND)
		return log_tree_error(index, "the row is missing", e);
	TRY(env_error(rc, e));
	*row = bytes_of_val(d);
	return ERR_OK;
}

static enum err_code
check_entry(struct scan *s, uint64_t index, const uint8_t want[HASH_LEN],
    struct err *e)
{
	uint8_t leaf[HASH_LEN];
	struct bytes row;
	struct entry entry;

	TRY(next_row(s, index, &row, e));
	arena_reset(s->a);
	/* Judges salt, detail and the row's copy of time and type too. */
	TRY(log_entry_decode(row, index, s->a, &entry, e));
	merkle_leaf_hash(leaf, entry.leaf);
	if (memcmp(leaf, want, HASH_LEN) != 0)
		return log_tree_error(index, "leaf hash", e);
	return ERR_OK;
}

/* The hash of a full tile is a hash in the tile above it. */
static enum err_code
check_parent(struct view *v, unsigned level, uint64_t n, struct bytes tile,
    struct err *e)
{
	uint8_t row[TILE_WIDTH][HASH_LEN];
	struct tile_source tiles = view_tiles(v);
	struct bytes above;
	size_t at = (size_t)(n % TILE_WIDTH) * HASH_LEN;

	memcpy(row, tile.p, sizeof(row));
	for (unsigned w = TILE_WIDTH; w > 1; w /= 2)
		for (unsigned i = 0; i < w / 2; i++)
			merkle_node_hash(row[i], row[2 * i], row[2 * i + 1]);
	TRY(tiles.get(tiles.ctx, level + 1, n / TILE_WIDTH, &above, e));
	if (memcmp(row[0], above.p + at, HASH_LEN) != 0)
		return log_tree_error((n * TILE_WIDTH) << (TILE_HEIGHT * level),
		    "tile and the tile above it", e);
	return ERR_OK;
}

static enum err_code
check_level(struct scan *s, unsigned level, uint64_t from, struct err *e)
{
	struct view *v = s->v;
	struct tile_source tiles = view_tiles(v);
	uint64_t all = v->tree.size >> (TILE_HEIGHT * level);

	for (uint64_t at = from; at < all;) {
		uint64_t n = at / TILE_WIDTH, end = (n + 1) * TILE_WIDTH;
		struct bytes tile;
		TRY(tiles.get(tiles.ctx, level, n, &tile, e));
		uint64_t stop = end < all ? end : all;
		for (; level == 0 && at < stop; at++)
			TRY(check_entry(s, at,
			    tile.p + (size_t)(at % TILE_WIDTH) * HASH_LEN, e));
		if (end <= all)
			TRY(check_parent(v, level, n, tile, e));
		at = stop;
	}
	return ERR_OK;
}

/* The peaks in the head are those that the tiles give. */
static enum err_code
check_peaks(struct view *v, struct err *e)
{
	struct tile_source tiles = view_tiles(v);
	struct merkle again;
	size_t n = (size_t)__builtin_popcountll(v->tree.size);
	uint64_t first = 0;

	TRY(merkle_load(v->tree.size, &tiles, &again, e));
	for (size_t i = 0; i < n; i++) {
		if (memcmp(again.peak[i], v->tree.peak[i], HASH_LEN) != 0)
			return log_tree_error(first, "peak", e);
		/* Peaks stand largest first: the next begins behind it. */
		uint64_t rest = v->tree.size - first;
		first += UINT64_C(1) << (63 - __builtin_clzll(rest));
	}
	return ERR_OK;
}

static enum err_code
check_size(struct view *v, struct err *e)
{
	MDB_stat stat;
	TRY(env_error(mdb_stat(v->txn, v->store->entries, &stat), e));
	if (stat.ms_entries != v->tree.size)
		return log_tree_error(v->tree.size,
		    "rows beyond the size, or fewer", e);
	return ERR_OK;
}

static enum err_code
check_all(struct scan *s, uint64_t from, struct err *e)
{
	TRY(check_size(s->v, e));
	for (unsigned level = 0; level < LEVELS; level++)
		TRY(check_level(s, level, from >> (TILE_HEIGHT * level), e));
	return check_peaks(s->v, e);
}

enum err_code
view_verify(struct view *v, uint64_t from, struct err *e)
{
	struct scan s = { .v = v };

	TRY(view_sound(v, e));
	TRY(env_error(mdb_cursor_open(v->txn, v->store->entries, &s.c), e));
	s.a = arena_new();
	enum err_code rc = check_all(&s, from, e);
	arena_free(s.a);
	mdb_cursor_close(s.c);
	return rc;
}
