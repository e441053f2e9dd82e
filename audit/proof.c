#include <refrendo/audit.h>

#include <string.h>

#include "merkle_tiles.h"

/* The largest power of two below n, n > 1 (RFC 6962 2.1). */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Proofs are found from the root down and given from the leaf up. */
static void
reverse(struct proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		uint8_t keep[HASH_LEN];
		memcpy(keep, p->hash[i], HASH_LEN);
		memcpy(p->hash[i], p->hash[p->n - 1 - i], HASH_LEN);
		memcpy(p->hash[p->n - 1 - i], keep, HASH_LEN);
	}
}

enum err_code
merkle_inclusion(uint64_t index, uint64_t size, const struct tile_source *tiles,
    struct proof *out, struct err *e)
{
	struct proof p = { .n = 0 };
	uint64_t from = 0, to = size;

	if (index >= size)
		return err_say(e, ERR_INVALID, "proof-range",
		    "there is no such entry in a log of that size");
	while (to - from > 1) {
		uint64_t middle = from + split(to - from);
		if (index < middle) {
			TRY(merkle_range(middle, to, tiles, p.hash[p.n++], e));
			to = middle;
		} else {
			TRY(merkle_range(from, middle, tiles, p.hash[p.n++],
			    e));
			from = middle;
		}
	}
	reverse(&p);
	*out = p;
	return ERR_OK;
}

enum err_code
merkle_consistency(uint64_t old_size, uint64_t new_size,
    const struct tile_source *tiles, struct proof *out, struct err *e)
{
	struct proof p = { .n = 0 };
	uint64_t from = 0, to = new_size;

	if (old_size > new_size)
		return err_say(e, ERR_INVALID, "proof-order",
		    "the older size of the log is greater than the newer one");
	while (old_size > 0 && old_size < to) {
		uint64_t middle = from + split(to - from);
		if (old_size <= middle) {
			TRY(merkle_range(middle, to, tiles, p.hash[p.n++], e));
			to = middle;
		} else {
			TRY(merkle_range(from, middle, tiles, p.hash[p.n++],
			    e));
			from = middle;
		}
	}
	/* Whoever holds the old root need not be told it. */
	if (from > 0)
		TRY(merkle_range(from, to, tiles, p.hash[p.n++], e));
	reverse(&p);
	*out = p;
	return ERR_OK;
}

static enum err_code
wrong(struct err *e)
{
	return err_at(e, ERR_INVALID, "proof-wrong", "RFC 6962 2.1", NOWHERE,
	    "the proof does not lead to this root");
}

/* RFC 9162 2.1.3.2. */
enum err_code
merkle_check_inclusion(const struct proof *p, uint64_t index, uint64_t size,
    const uint8_t leaf[HASH_LEN], const uint8_t root[HASH_LEN], struct err *e)
{
	uint8_t r[HASH_LEN];
	uint64_t fn = index, sn = size - 1;

	if (index >= size || p->n > PROOF_MAX)
		return wrong(e);
	memcpy(r, leaf, HASH_LEN);
	for (size_t i = 0; i < p->n; i++) {
		if (sn == 0)
			return wrong(e);
		if ((fn & 1) == 1 || fn == sn) {
			merkle_node_hash(r, p->hash[i], r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node_hash(r, r, p->hash[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0 || memcmp(r, root, HASH_LEN) != 0)
		return wrong(e);
	return ERR_OK;
}

/* Equal sizes, and the empty log, which every log continues. */
static enum err_code
check_trivial(const struct proof *p, bool equal,
    const uint8_t old_root[HASH_LEN], const uint8_t new_root[HASH_LEN],
    struct err *e)
{
	uint8_t empty[HASH_LEN];

	sha256(empty, BYTES_NONE);
	if (p->n != 0 ||
	    memcmp(old_root, equal ? new_root : empty, HASH_LEN) != 0)
		return wrong(e);
	return ERR_OK;
}

/* RFC 9162 2.1.4.2. */
enum err_code
merkle_check_consistency(const struct proof *p, uint64_t old_size,
    uint64_t new_size, const uint8_t old_root[HASH_LEN],
    const uint8_t new_root[HASH_LEN], struct err *e)
{
	uint8_t fr[HASH_LEN], sr[HASH_LEN];

	if (old_size > new_size || p->n > PROOF_MAX)
		return wrong(e);
	if (old_size == 0 || old_size == new_size)
		return check_trivial(p, old_size == new_size, old_root,
		    new_root, e);
	bool whole = (old_size & (old_size - 1)) == 0;
	if (p->n == 0 && !whole)
		return wrong(e);
	const uint8_t *first = whole ? old_root : p->hash[0];
	memcpy(fr, first, HASH_LEN);
	memcpy(sr, first, HASH_LEN);
	uint64_t fn = old_size - 1, sn = new_size - 1;
	for (; (fn & 1) == 1; fn >>= 1)
		sn >>= 1;
	for (size_t i = whole ? 0 : 1; i < p->n; i++) {
		if (sn == 0)
			return wrong(e);
		if ((fn & 1) == 1 || fn == sn) {
			merkle_node_hash(fr, p->hash[i], fr);
			merkle_node_hash(sr, p->hash[i], sr);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node_hash(sr, sr, p->hash[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0 || memcmp(fr, old_root, HASH_LEN) != 0 ||
	    memcmp(sr, new_root, HASH_LEN) != 0)
		return wrong(e);
	return ERR_OK;
}
