#include <refrendo/audit.h>

#include <openssl/evp.h>
#include <string.h>

#include "merkle_tiles.h"

/* Long leaves are hashed in pieces instead of being copied behind the 00. */
static void
hash_long(uint8_t out[HASH_LEN], struct bytes leaf)
{
	static const uint8_t prefix = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &prefix, 1) != 1 ||
	    EVP_DigestUpdate(ctx, leaf.p, leaf.len) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		fatal("SHA-256 is not available");
	EVP_MD_CTX_free(ctx);
}

void
merkle_leaf_hash(uint8_t out[HASH_LEN], struct bytes leaf)
{
	uint8_t data[1 + ENTRY_LEAF_MAX];

	if (leaf.len > ENTRY_LEAF_MAX) {
		hash_long(out, leaf);
		return;
	}
	data[0] = 0;
	if (leaf.len > 0)
		memcpy(data + 1, leaf.p, leaf.len);
	sha256(out, bytes_of(data, 1 + leaf.len));
}

void
merkle_node_hash(uint8_t out[HASH_LEN], const uint8_t left[HASH_LEN],
    const uint8_t right[HASH_LEN])
{
	uint8_t data[1 + 2 * HASH_LEN];

	data[0] = 1;
	memcpy(data + 1, left, HASH_LEN);
	memcpy(data + 1 + HASH_LEN, right, HASH_LEN);
	sha256(out, bytes_of(data, sizeof(data)));
}

static size_t
peaks_of(uint64_t size)
{
	return (size_t)__builtin_popcountll(size);
}

void
merkle_append(struct merkle *m, const uint8_t leaf[HASH_LEN],
    void (*put)(void *ctx, unsigned level, uint64_t n, unsigned i,
	const uint8_t hash[HASH_LEN]),
    void *ctx)
{
	uint8_t node[HASH_LEN];
	size_t n = peaks_of(m->size);

	if (m->size == UINT64_MAX)
		fatal("the log is full");
	memcpy(node, leaf, HASH_LEN);
	/* Each trailing one bit of the size is a peak of the node's height. */
	for (unsigned h = 0;; h++) {
		uint64_t at = m->size >> h;
		if (h % TILE_HEIGHT == 0 && put != NULL)
			put(ctx, h / TILE_HEIGHT, at / TILE_WIDTH,
			    (unsigned)(at % TILE_WIDTH), node);
		if ((at & 1) == 0)
			break;
		n--;
		merkle_node_hash(node, m->peak[n], node);
	}
	memcpy(m->peak[n], node, HASH_LEN);
	m->size++;
}

void
merkle_root(const struct merkle *m, uint8_t out[HASH_LEN])
{
	size_t n = peaks_of(m->size);

	if (n == 0) {
		sha256(out, BYTES_NONE);
		return;
	}
	memcpy(out, m->peak[n - 1], HASH_LEN);
	for (size_t i = n - 1; i > 0; i--)
		merkle_node_hash(out, m->peak[i - 1], out);
}

/* The root of the perfect subtree number at of that height. */
static enum err_code
subtree(const struct tile_source *tiles, unsigned height, uint64_t at,
    uint8_t out[HASH_LEN], struct err *e)
{
	unsigned level = height / TILE_HEIGHT;
	unsigned count = 1u << (height % TILE_HEIGHT);
	uint64_t first = at * count;
	size_t from = (size_t)(first % TILE_WIDTH);
	uint8_t row[TILE_WIDTH / 2][HASH_LEN];
	struct bytes tile = BYTES_NONE;

	TRY(tiles->get(tiles->ctx, level, first / TILE_WIDTH, &tile, e));
	if (tile.len % HASH_LEN != 0 ||
	    tile.len > (size_t)TILE_WIDTH * HASH_LEN ||
	    tile.len / HASH_LEN < from + count)
		return err_say(e, ERR_CORRUPT, "tile-short",
		    "a tile of the log holds fewer hashes than the size of the "
		    "log asks for; restore it or rebuild the tiles");
	memcpy(row, tile.p + from * HASH_LEN, count * HASH_LEN);
	for (; count > 1; count /= 2)
		for (unsigned i = 0; i < count / 2; i++)
			merkle_node_hash(row[i], row[2 * i], row[2 * i + 1]);
	memcpy(out, row[0], HASH_LEN);
	return ERR_OK;
}

/* Peaks of the leaves from..to; from is aligned to the greatest of them. */
static enum err_code
load_range(uint64_t from, uint64_t to, const struct tile_source *tiles,
    struct merkle *out, struct err *e)
{
	uint64_t size = to - from;
	uint64_t at = from;
	size_t n = 0;

	for (unsigned h = 64; h-- > 0;) {
		if ((size >> h & 1) == 0)
			continue;
		TRY(subtree(tiles, h, at >> h, out->peak[n++], e));
		at += UINT64_C(1) << h;
	}
	out->size = size;
	return ERR_OK;
}

enum err_code
merkle_load(uint64_t size, const struct tile_source *tiles, struct merkle *out,
    struct err *e)
{
	struct merkle m = { .size = 0 };
	TRY(load_range(0, size, tiles, &m, e));
	*out = m;
	return ERR_OK;
}

enum err_code
merkle_range(uint64_t from, uint64_t to, const struct tile_source *tiles,
    uint8_t out[HASH_LEN], struct err *e)
{
	struct merkle m = { .size = 0 };
	TRY(load_range(from, to, tiles, &m, e));
	merkle_root(&m, out);
	return ERR_OK;
}
