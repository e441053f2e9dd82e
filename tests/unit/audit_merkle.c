#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/audit.h>

/* --- The definition of RFC 6962 2.1, by recursion --------------------------- */

static uint64_t
half(uint64_t n)
{
	uint64_t k = 1;
	while (2 * k < n)
		k *= 2;
	return k;
}

static void
mth(uint8_t (*leaf)[HASH_LEN], uint64_t n, uint8_t out[HASH_LEN])
{
	uint8_t l[HASH_LEN], r[HASH_LEN];
	if (n == 0) {
		sha256(out, BYTES_NONE);
	} else if (n == 1) {
		memcpy(out, leaf[0], HASH_LEN);
	} else {
		uint64_t k = half(n);
		mth(leaf, k, l);
		mth(leaf + k, n - k, r);
		merkle_node_hash(out, l, r);
	}
}

static void
path(uint64_t m, uint8_t (*leaf)[HASH_LEN], uint64_t n, struct proof *p)
{
	if (n == 1)
		return;
	uint64_t k = half(n);
	if (m < k) {
		path(m, leaf, k, p);
		mth(leaf + k, n - k, p->hash[p->n++]);
	} else {
		path(m - k, leaf + k, n - k, p);
		mth(leaf, k, p->hash[p->n++]);
	}
}

static void
subproof(uint64_t m, uint8_t (*leaf)[HASH_LEN], uint64_t n, bool b,
    struct proof *p)
{
	if (m == n) {
		if (!b)
			mth(leaf, n, p->hash[p->n++]);
		return;
	}
	uint64_t k = half(n);
	if (m <= k) {
		subproof(m, leaf, k, b, p);
		mth(leaf + k, n - k, p->hash[p->n++]);
	} else {
		subproof(m - k, leaf + k, n - k, false, p);
		mth(leaf, k, p->hash[p->n++]);
	}
}

/* --- Tiles in memory ----------------------------------------------------------- */

#define LEAVES_MAX 66600
#define TILES_MAX  (LEAVES_MAX / TILE_WIDTH + 1)

struct tiles {
	uint8_t (*level[3])[HASH_LEN];
	size_t n[3];
};

static void
put(void *ctx, unsigned level, uint64_t n, unsigned i,
    const uint8_t hash[HASH_LEN])
{
	struct tiles *t = ctx;
	assert_true(level < 3);
	/* Hashes of a level arrive one after the other, each once. */
	assert_int_equal(n * TILE_WIDTH + i, t->n[level]);
	memcpy(t->level[level][t->n[level]++], hash, HASH_LEN);
}

static enum err_code
get(void *ctx, unsigned level, uint64_t n, struct bytes *out, struct err *e)
{
	struct tiles *t = ctx;
	if (level >= 3 || n * TILE_WIDTH >= t->n[level])
		return err_say(e, ERR_NOTFOUND, "test-tile", "no such tile");
	size_t width = t->n[level] - n * TILE_WIDTH;
	if (width > TILE_WIDTH)
		width = TILE_WIDTH;
	*out = bytes_of(t->level[level][n * TILE_WIDTH], width * HASH_LEN);
	return ERR_OK;
}

static void
tiles_init(struct tiles *t)
{
	for (int i = 0; i < 3; i++) {
		t->level[i] = calloc(LEAVES_MAX, HASH_LEN);
		assert_non_null(t->level[i]);
		t->n[i] = 0;
	}
}

static void
tiles_fini(struct tiles *t)
{
	for (int i = 0; i < 3; i++)
		free(t->level[i]);
}

static void
append(struct merkle *m, struct tiles *t, uint64_t i)
{
	uint8_t leaf[HASH_LEN], text[8];
	be64_print(text, i);
	merkle_leaf_hash(leaf, bytes_of(text, sizeof(text)));
	merkle_append(m, leaf, put, t);
}

static void
check_at(struct tiles *t, const struct merkle *m)
{
	uint8_t want[HASH_LEN], got[HASH_LEN];
	struct tile_source source = { t, get };
	struct merkle again;
	struct err e;
	mth(t->level[0], m->size, want);
	merkle_root(m, got);
	assert_memory_equal(got, want, HASH_LEN);
	assert_int_equal(merkle_load(m->size, &source, &again, &e), ERR_OK);
	assert_int_equal(again.size, m->size);
	assert_memory_equal(again.peak, m->peak,
	    HASH_LEN * (size_t)__builtin_popcountll(m->size));
}

static void
check_inclusion(struct tiles *t, uint64_t index, uint64_t size)
{
	struct tile_source source = { t, get };
	struct proof want = { .n = 0 }, got;
	uint8_t root[HASH_LEN];
	struct err e;
	path(index, t->level[0], size, &want);
	mth(t->level[0], size, root);
	assert_int_equal(merkle_inclusion(index, size, &source, &got, &e),
	    ERR_OK);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.hash, want.hash, want.n * HASH_LEN);
	const uint8_t *leaf = t->level[0][index];
	assert_int_equal(merkle_check_inclusion(&got, index, size, leaf, root,
			     &e),
	    ERR_OK);
	/* Nothing else does: index, root, a hash more, less or changed. */
	assert_int_equal(merkle_check_inclusion(&got, index ^ 1, size, leaf,
			     root, &e),
	    ERR_INVALID);
	root[index % HASH_LEN] ^= 1;
	assert_int_equal(merkle_check_inclusion(&got, index, size, leaf, root,
			     &e),
	    ERR_INVALID);
	root[index % HASH_LEN] ^= 1;
	if (got.n > 0) {
		got.n--;
		assert_int_equal(merkle_check_inclusion(&got, index, size, leaf,
				     root, &e),
		    ERR_INVALID);
		got.n++;
		got.hash[index % got.n][0] ^= 0x80;
		assert_int_equal(merkle_check_inclusion(&got, index, size, leaf,
				     root, &e),
		    ERR_INVALID);
		got.hash[index % got.n][0] ^= 0x80;
	}
	memset(got.hash[got.n++], 7, HASH_LEN);
	assert_int_equal(merkle_check_inclusion(&got, index, size, leaf, root,
			     &e),
	    ERR_INVALID);
	assert_string_equal(e.say, "the proof does not lead to this root");
}

static void
check_consistency(struct tiles *t, uint64_t old_size, uint64_t size)
{
	struct tile_source source = { t, get };
	struct proof want = { .n = 0 }, got;
	uint8_t root[HASH_LEN], old_root[HASH_LEN];
	struct err e;
	if (old_size > 0)
		subproof(old_size, t->level[0], size, true, &want);
	mth(t->level[0], size, root);
	mth(t->level[0], old_size, old_root);
	assert_int_equal(merkle_consistency(old_size, size, &source, &got, &e),
	    ERR_OK);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.hash, want.hash, want.n * HASH_LEN);
	assert_int_equal(merkle_check_consistency(&got, old_size, size,
			     old_root, root, &e),
	    ERR_OK);
	old_root[5] ^= 1;
	assert_int_equal(merkle_check_consistency(&got, old_size, size,
			     old_root, root, &e),
	    ERR_INVALID);
	old_root[5] ^= 1;
	if (old_size > 0) {
		root[5] ^= 1;
		assert_int_equal(merkle_check_consistency(&got, old_size, size,
				     old_root, root, &e),
		    ERR_INVALID);
		root[5] ^= 1;
	}
	if (got.n > 0) {
		got.hash[size % got.n][1] ^= 1;
		assert_int_equal(merkle_check_consistency(&got, old_size, size,
				     old_root, root, &e),
		    ERR_INVALID);
		got.hash[size % got.n][1] ^= 1;
		got.n--;
		assert_int_equal(merkle_check_consistency(&got, old_size, size,
				     old_root, root, &e),
		    ERR_INVALID);
		got.n++;
	}
	memset(got.hash[got.n++], 7, HASH_LEN);
	assert_int_equal(merkle_check_consistency(&got, old_size, size,
			     old_root, root, &e),
	    ERR_INVALID);
}

/* Roots of every size; proofs of a set of pairs that meets every one small. */
static void
test_small(void **state)
{
	(void)state;
	struct tiles t;
	struct merkle m = { .size = 0 };
	tiles_init(&t);
	check_at(&t, &m);
	for (uint64_t size = 1; size <= 600; size++) {
		append(&m, &t, size - 1);
		check_at(&t, &m);
		/* All pairs up to 40, then a walk with a step prime to both. */
		uint64_t step = size <= 40 ? 1 : 127;
		for (uint64_t i = 0; i < size; i += step)
			check_inclusion(&t, i, size);
		for (uint64_t i = 0; i <= size; i += step)
			check_consistency(&t, i, size);
		check_inclusion(&t, size - 1, size);
		check_consistency(&t, size - 1, size);
		if (size > 256) {
			check_inclusion(&t, 255, size);
			check_inclusion(&t, 256, size);
			check_consistency(&t, 255, size);
			check_consistency(&t, 256, size);
			check_consistency(&t, 257, size);
		}
	}
	tiles_fini(&t);
}

/* A tile of level 2 begins at 65536. */
static void
test_large(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { 65279, 65280, 65535, 65536, 65537,
		65791, 65792, 66000, 66599 };
	struct tiles t;
	struct merkle m = { .size = 0 };
	tiles_init(&t);
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		while (m.size < sizes[s])
			append(&m, &t, m.size);
		check_at(&t, &m);
		check_inclusion(&t, 0, m.size);
		check_inclusion(&t, 40000, m.size);
		check_inclusion(&t, m.size - 1, m.size);
		for (size_t o = 0; o <= s; o++)
			check_consistency(&t, sizes[o], m.size);
	}
	assert_int_equal(t.n[1], 260);
	assert_int_equal(t.n[2], 1);
	tiles_fini(&t);
}

static void
check_hex(const uint8_t hash[HASH_LEN], const char *want)
{
	char text[HEX_LEN(HASH_LEN)];
	hex_print(text, bytes_of(hash, HASH_LEN));
	assert_string_equal(text, want);
}

/* The eight leaves of the tests of Certificate Transparency. */
static void
test_vectors(void **state)
{
	(void)state;
	static const struct {
		const char *leaf;
		size_t len;
		const char *root;
	} rows[] = {
		{ "", 0,
		    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617"
		    "afa01d" },
		{ "\x00", 1,
		    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00"
		    "e3c125" },
		{ "\x10", 1,
		    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329"
		    "e06e77" },
		{ "\x20\x21", 2,
		    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd9520"
		    "9614b7" },
		{ "\x30\x31", 2,
		    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a8"
		    "6264d4" },
		{ "\x40\x41\x42\x43", 4,
		    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f"
		    "2087ef" },
		{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
		    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594"
		    "a74c8c" },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e"
		  "\x6f",
		    16,
		    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4"
		    "604328" },
	};
	struct merkle m = { .size = 0 };
	uint8_t hash[HASH_LEN];
	merkle_root(&m, hash);
	check_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca49599"
			"1b7852b855");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		merkle_leaf_hash(hash, bytes_of(rows[i].leaf, rows[i].len));
		merkle_append(&m, hash, NULL, NULL);
		merkle_root(&m, hash);
		check_hex(hash, rows[i].root);
	}
}

static void
test_long_leaf(void **state)
{
	(void)state;
	static uint8_t data[ENTRY_LEAF_MAX + 2];
	uint8_t a[HASH_LEN], b[HASH_LEN];
	/* Both ways of hashing, on the two sides of the limit. */
	for (size_t len = ENTRY_LEAF_MAX; len <= ENTRY_LEAF_MAX + 1; len++) {
		merkle_leaf_hash(a, bytes_of(data + 1, len));
		sha256(b, bytes_of(data, len + 1));
		assert_memory_equal(a, b, HASH_LEN);
	}
}

static void
test_refusals(void **state)
{
	(void)state;
	struct tiles t;
	struct merkle m = { .size = 0 }, out;
	struct tile_source source = { &t, get };
	struct proof p;
	struct err e;
	tiles_init(&t);
	for (uint64_t i = 0; i < 300; i++)
		append(&m, &t, i);
	assert_int_equal(merkle_load(301, &source, &out, &e), ERR_CORRUPT);
	assert_string_equal(e.say,
	    "a tile of the log holds fewer hashes than the size of the log "
	    "asks for; restore it or rebuild the tiles");
	assert_int_equal(merkle_inclusion(300, 300, &source, &p, &e),
	    ERR_INVALID);
	assert_string_equal(e.say,
	    "there is no such entry in a log of that size");
	assert_int_equal(merkle_consistency(300, 299, &source, &p, &e),
	    ERR_INVALID);
	assert_string_equal(e.say,
	    "the older size of the log is greater than the newer one");
	assert_int_equal(merkle_inclusion(0, 0, &source, &p, &e), ERR_INVALID);
	tiles_fini(&t);
}

static const struct {
	const char *path;
	int level;
	uint64_t n;
	unsigned width;
} path_rows[] = {
	{ "tile/0/000", 0, 0, 256 },
	{ "tile/0/x001/067", 0, 1067, 256 },
	{ "tile/0/000.p/12", 0, 0, 12 },
	{ "tile/0/x001/x234/067.p/8", 0, 1234067, 8 },
	{ "tile/63/999.p/255", 63, 999, 255 },
	{ "tile/1/x001/000.p/1", 1, 1000, 1 },
	{ "tile/entries/x999/x999/x999/x999/x999/999", -1,
	    UINT64_C(999999999999999999), 256 },
	{ "tile/entries/000.p/3", -1, 0, 3 },
};

static const char *const path_bad[] = {
	"",
	"tile",
	"tile/",
	"tile/0",
	"tile/0/",
	"tile/0/00",
	"tile/0/0000",
	"tile/0/x000/001",
	"tile/0/x001",
	"tile/0/x001/",
	"tile/0/001/002",
	"tile/00/000",
	"tile/64/000",
	"tile/-1/000",
	"tile/0/000.p/0",
	"tile/0/000.p/256",
	"tile/0/000.p/01",
	"tile/0/000.p/",
	"tile/0/000.p",
	"tile/0/000/",
	"/tile/0/000",
	"tile/0/0a0",
	"tile/entries",
	"tile/x/000",
	"tile/entries/000.p/3 ",
	"tile/0/x001/x999/x999/x999/x999/x999/999",
	"tile/99999999999999999999/000",
	"tile/0/000.p/99999999999999999999",
	"checkpoint",
};

static void
test_paths(void **state)
{
	(void)state;
	char text[TILE_PATH_MAX];
	int level;
	uint64_t n;
	unsigned width;
	for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
		print_message("%s\n", path_rows[i].path);
		tile_path(text, sizeof(text), (unsigned)path_rows[i].level,
		    path_rows[i].n, path_rows[i].width);
		assert_string_equal(text, path_rows[i].path);
		assert_true(tile_path_parse(bytes_str(path_rows[i].path),
		    &level, &n, &width));
		assert_int_equal(level, path_rows[i].level);
		assert_int_equal(n, path_rows[i].n);
		assert_int_equal(width, path_rows[i].width);
	}
	for (size_t i = 0; i < ARRAY_LEN(path_bad); i++) {
		print_message("%s\n", path_bad[i]);
		assert_false(tile_path_parse(bytes_str(path_bad[i]), &level, &n,
		    &width));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_long_leaf),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
