#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <refrendo/audit.h>

static const uint8_t serial[18] = { 0x6a, 1, 2, 3, 4, 5, 6, 7, 8 };
static const uint8_t hash[HASH_LEN] = { 0xab, 0xcd };

static struct entry
sample(void)
{
	struct entry en = { .index = 7,
		.time = 1795514400,
		.type = ENTRY_CERTIFICATE_ISSUED,
		.refs = { .institution = bytes_str("60910000-1"),
		    .request = bytes_str("SOL-2026-000123"),
		    .serial = bytes_of(serial, sizeof(serial)),
		    .tbs = bytes_of(hash, sizeof(hash)) },
		.detail = bytes_str("{\"actor\":{}}") };
	memset(en.salt, 0x11, ENTRY_SALT);
	return en;
}

static const char sample_leaf[] =
    "{\"detail\":"
    "\"776ce5fd0ac58f3b1a73b1d31e1c7f5b8adcc4d0a8b9d4ee0e1e7e28a2b5c7ff\","
    "\"index\":7,\"institution\":\"60910000-1\","
    "\"request\":\"SOL-2026-000123\","
    "\"serial\":\"6a01020304050607080000000000000000"
    "00\","
    "\"tbs\":\"abcd000000000000000000000000000000000000000000000000000000000000"
    "\",\"time\":1795514400,\"type\":\"certificate.issued\",\"v\":1}";

static void
build(const struct entry *en, struct buf *leaf)
{
	struct err e;
	assert_int_equal(entry_leaf_build(en, leaf, &e), ERR_OK);
}

/* The leaf but for the hash, which SHA-256 alone gives. */
static void
test_leaf(void **state)
{
	(void)state;
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	struct entry en = sample();
	char text[HEX_LEN(HASH_LEN)];
	uint8_t salted[ENTRY_SALT + 12], want[HASH_LEN];
	build(&en, &leaf);
	memset(salted, 0x11, ENTRY_SALT);
	memcpy(salted + ENTRY_SALT, "{\"actor\":{}}", 12);
	sha256(want, bytes_of(salted, sizeof(salted)));
	hex_print(text, bytes_of(want, HASH_LEN));
	const char *got = buf_text(&leaf);
	assert_int_equal(strlen(got), strlen(sample_leaf));
	assert_memory_equal(got, sample_leaf, 11);
	assert_memory_equal(got + 11, text, 64);
	assert_string_equal(got + 75, sample_leaf + 75);
}

static void
test_round_trip(void **state)
{
	(void)state;
	for (unsigned t = 1; t < ENTRY_TYPES; t++) {
		struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
		AUTO(arena) a = arena_new();
		struct entry en = sample();
		enum entry_type type;
		struct err e;
		en.type = (enum entry_type)t;
		en.refs.number = t;
		en.refs.policy = bytes_of(hash, HASH_LEN);
		en.refs.object = bytes_of(hash, HASH_LEN);
		en.refs.appointment = bytes_str("NOM-2026-000001");
		build(&en, &leaf);
		struct entry got = { .leaf = buf_bytes(&leaf),
			.detail = en.detail };
		memcpy(got.salt, en.salt, ENTRY_SALT);
		assert_int_equal(entry_parse(&got, a, &e), ERR_OK);
		assert_int_equal(got.type, t);
		assert_int_equal(got.index, 7);
		assert_int_equal(got.time, 1795514400);
		assert_int_equal(got.refs.number, t);
		assert_true(bytes_eq(got.refs.serial, en.refs.serial));
		assert_true(bytes_eq(got.refs.policy, en.refs.policy));
		assert_true(bytes_eq(got.refs.object, en.refs.object));
		assert_true(bytes_eq(got.refs.tbs, en.refs.tbs));
		assert_true(
		    bytes_eq(got.refs.appointment, en.refs.appointment));
		assert_true(bytes_eq(got.refs.request, en.refs.request));
		assert_true(
		    bytes_eq(got.refs.institution, en.refs.institution));
		assert_true(entry_type_parse(bytes_str(entry_type_name(
						 type = got.type)),
		    &type));
		assert_int_equal(type, t);
		/* An erased detail leaves the leaf as it was. */
		got.detail = BYTES_NONE;
		assert_int_equal(entry_parse(&got, a, &e), ERR_OK);
	}
	assert_string_equal(entry_type_name(ENTRY_TYPES), "unknown");
}

/* Every octet of leaf, salt and detail matters. */
static void
test_incident_66_flipped_bits(void **state)
{
	(void)state;
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	struct entry en = sample();
	AUTO(arena) a = arena_new();
	uint8_t root[HASH_LEN], other[HASH_LEN], detail[64];
	struct err e;
	build(&en, &leaf);
	merkle_leaf_hash(root, buf_bytes(&leaf));
	for (size_t bit = 0; bit < 8 * leaf.len; bit++) {
		leaf.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		struct entry got = en;
		got.leaf = buf_bytes(&leaf);
		merkle_leaf_hash(other, got.leaf);
		assert_memory_not_equal(other, root, HASH_LEN);
		/* What still parses says something else: the tree tells. */
		if (entry_parse(&got, a, &e) != ERR_OK)
			assert_int_equal(e.code, ERR_CORRUPT);
		leaf.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memcpy(detail, en.detail.p, en.detail.len);
	for (size_t bit = 0; bit < 8 * en.detail.len; bit++) {
		detail[bit / 8] ^= (uint8_t)(1u << bit % 8);
		struct entry got = en;
		got.leaf = buf_bytes(&leaf);
		got.detail = bytes_of(detail, en.detail.len);
		assert_int_equal(entry_parse(&got, a, &e), ERR_CORRUPT);
		assert_string_equal(e.say,
		    "the detail of an entry is not the one whose hash is in "
		    "the log");
		detail[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < 8u * ENTRY_SALT; bit++) {
		struct entry got = en;
		got.leaf = buf_bytes(&leaf);
		got.salt[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(entry_parse(&got, a, &e), ERR_CORRUPT);
	}
}

static void
no_type(struct entry *en)
{
	en->type = ENTRY_TYPES;
}
static void
old_time(struct entry *en)
{
	en->time = -1;
}
static void
great_index(struct entry *en)
{
	en->index = UINT64_C(1) << 53;
}
static void
quoted(struct entry *en)
{
	en->refs.request = bytes_str("SOL\"");
}
static void
accented(struct entry *en)
{
	en->refs.institution = bytes_str("\xc3\xb1");
}
static void
short_hash(struct entry *en)
{
	en->refs.tbs.len = 31;
}
static void
long_serial(struct entry *en)
{
	en->refs.serial = bytes_of(hash, 21);
}
static void
negative(struct entry *en)
{
	en->refs.number = -1;
}
static void
no_detail(struct entry *en)
{
	en->detail = BYTES_NONE;
}

static void
test_build_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*spoil)(struct entry *en);
		const char *want_id;
	} rows[] = {
		{ "type", no_type, "entry-head" },
		{ "time", old_time, "entry-head" },
		{ "index", great_index, "entry-head" },
		{ "a quote in a word", quoted, "entry-refs" },
		{ "letters beyond ASCII", accented, "entry-refs" },
		{ "hash of 31 octets", short_hash, "entry-refs" },
		{ "serial of 21 octets", long_serial, "entry-refs" },
		{ "negative number", negative, "entry-refs" },
		{ "empty detail", no_detail, "entry-detail-size" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
		struct entry en = sample();
		struct err e;
		print_message("%s\n", rows[i].name);
		rows[i].spoil(&en);
		assert_int_equal(entry_leaf_build(&en, &leaf, &e), ERR_INVALID);
		assert_string_equal(e.id, rows[i].want_id);
	}
}

#define D64                                \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"
#define TAIL ",\"time\":1,\"type\":\"act.refused\",\"v\":1}"
#define HEAD "{\"detail\":\"" D64 "\",\"index\":0"

static void
test_parse_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *name, *leaf;
		bool good;
	} rows[] = {
		{ "least leaf", HEAD TAIL, true },
		{ "empty", "", false },
		{ "no object", "[]", false },
		{ "nothing in it", "{}", false },
		{ "left over", HEAD TAIL "x", false },
		{ "cut", HEAD, false },
		{ "unknown member", HEAD ",\"name\":\"x\"" TAIL, false },
		{ "out of order", "{\"index\":0,\"detail\":\"" D64 "\"" TAIL,
		    false },
		{ "twice", HEAD ",\"index\":0" TAIL, false },
		{ "leading zero", "{\"detail\":\"" D64 "\",\"index\":00" TAIL,
		    false },
		{ "index as text",
		    "{\"detail\":\"" D64 "\",\"index\":\"0\"" TAIL, false },
		{ "negative", "{\"detail\":\"" D64 "\",\"index\":-1" TAIL,
		    false },
		{ "number of zero is left out", HEAD ",\"number\":0" TAIL,
		    false },
		{ "empty text is left out", HEAD ",\"request\":\"\"" TAIL,
		    false },
		{ "hash in capitals", HEAD ",\"tbs\":\"A" TAIL, false },
		{ "space", HEAD " " TAIL, false },
		{ "escape", HEAD ",\"request\":\"\\u0061\"" TAIL, false },
		{ "unknown type",
		    HEAD ",\"time\":1,\"type\":\"act.done\",\"v\":1}", false },
		{ "another version",
		    HEAD ",\"time\":1,\"type\":\"act.refused\",\"v\":2}",
		    false },
		{ "no time", HEAD ",\"type\":\"act.refused\",\"v\":1}", false },
		{ "no detail",
		    "{\"index\":0,\"time\":1,\"type\":\"act.refused\",\"v\":1}",
		    false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) a = arena_new();
		struct entry en = { .leaf = bytes_str(rows[i].leaf) };
		struct err e;
		print_message("%s\n", rows[i].name);
		enum err_code code = entry_parse(&en, a, &e);
		assert_int_equal(code, rows[i].good ? ERR_OK : ERR_CORRUPT);
		if (!rows[i].good)
			assert_string_equal(e.say,
			    "the public part of an entry of the log is not in "
			    "the form that the log writes");
	}
}

static void
test_large_detail(void **state)
{
	(void)state;
	struct buf detail AUTO_BUF = BUF(ENTRY_DETAIL_MAX + 1);
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	AUTO(arena) a = arena_new();
	struct entry en = sample();
	uint8_t *p = buf_room(&detail, ENTRY_DETAIL_MAX + 1);
	struct err e;
	assert_non_null(p);
	memset(p, 'x', ENTRY_DETAIL_MAX + 1);
	en.detail = buf_bytes(&detail);
	assert_int_equal(entry_leaf_build(&en, &leaf, &e), ERR_INVALID);
	assert_string_equal(e.id, "entry-detail-size");
	en.detail.len--;
	build(&en, &leaf);
	en.leaf = buf_bytes(&leaf);
	assert_int_equal(entry_parse(&en, a, &e), ERR_OK);
	p[5] = 'y';
	assert_int_equal(entry_parse(&en, a, &e), ERR_CORRUPT);
}

/* The detail's hash is what the quick reading leaves out. */
static void
test_parse_leaf(void **state)
{
	struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
	AUTO(arena) a = arena_new();
	struct entry en = sample();
	struct err e;

	(void)state;
	build(&en, &leaf);
	en.leaf = buf_bytes(&leaf);
	en.detail = bytes_str("{\"actor\":{\"run\":\"\"}}");
	assert_int_equal(entry_parse(&en, a, &e), ERR_CORRUPT);
	assert_int_equal(entry_parse_leaf(&en, a, &e), ERR_OK);
	assert_int_equal(en.type, ENTRY_CERTIFICATE_ISSUED);
	assert_true(bytes_is(en.refs.request, "SOL-2026-000123"));
	en.leaf.len--;
	assert_int_equal(entry_parse_leaf(&en, a, &e), ERR_CORRUPT);
	assert_string_equal(e.id, "entry-leaf");
}

/* Every type, as it is and in a line of an export, whole and erased. */
static void
test_glance(void **state)
{
	(void)state;
	for (int t = 1; t < ENTRY_TYPES; t++) {
		struct buf leaf AUTO_BUF = BUF(ENTRY_LEAF_MAX);
		struct buf line AUTO_BUF = BUF(8192);
		AUTO(arena) a = arena_new();
		AUTO(json) keep = NULL;
		struct entry en = sample(), back;
		enum entry_type type;
		int64_t time;
		struct err e;

		en.type = (enum entry_type)t;
		build(&en, &leaf);
		en.leaf = buf_bytes(&leaf);
		assert_true(entry_glance(en.leaf, &type, &time));
		assert_int_equal(type, t);
		assert_int_equal(time, en.time);
		export_entry(&line, &en);
		line.len--;
		assert_true(export_glance(buf_bytes(&line), &type, &time));
		assert_int_equal(type, t);
		assert_int_equal(time, en.time);
		assert_int_equal(export_entry_read(buf_bytes(&line), &keep, a,
				     &back, &e),
		    ERR_OK);
		assert_true(bytes_eq(back.leaf, en.leaf));
		assert_true(bytes_eq(back.detail, en.detail));
		assert_memory_equal(back.salt, en.salt, ENTRY_SALT);
		assert_int_equal(entry_parse(&back, a, &e), ERR_OK);
		en.detail = BYTES_NONE;
		buf_reset(&line);
		export_entry(&line, &en);
		line.len--;
		assert_true(export_glance(buf_bytes(&line), &type, &time));
		assert_int_equal(type, t);
	}
}

static void
test_glance_refuses(void **state)
{
	static const char *const lines[] = { "", "{", "{}", "\"}", "x\"}",
		"{\"kind\":\"crl\",\"der\":\"\"}",
		"{\"detail\":\"\",\"kind\":\"entry\",\"leaf\":\"{\\\"time\\\":"
		"1,"
		"\\\"type\\\":\\\"act.done\\\",\\\"v\\\":1}\",\"salt\":"
		"\"00000000000000000000000000000000\"}" };
	enum entry_type type;
	int64_t time;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_false(export_glance(bytes_str(lines[i]), &type, &time));
		assert_false(entry_glance(bytes_str(lines[i]), &type, &time));
	}
}

static void
test_export_entry_refuses(void **state)
{
	static const struct {
		const char *name, *line, *say;
	} rows[] = {
		{ "not JSON", "{", "this is not JSON" },
		{ "a CRL", "{\"kind\":\"crl\",\"leaf\":\"x\"}",
		    "a line of the export that stands among the entries is "
		    "none; verify the export with refrendo audit verify" },
		{ "no leaf", "{\"kind\":\"entry\"}",
		    "the member leaf is missing" },
		{ "no salt",
		    "{\"detail\":\"{}\",\"kind\":\"entry\",\"leaf\":\"x\"}",
		    "the member salt is missing" },
		{ "a short salt",
		    "{\"detail\":\"{}\",\"kind\":\"entry\",\"leaf\":\"x\","
		    "\"salt\":\"00\"}",
		    "a line of the export that stands among the entries is "
		    "none; verify the export with refrendo audit verify" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) a = arena_new();
		AUTO(json) keep = NULL;
		struct entry en;
		struct err e;

		print_message("%s\n", rows[i].name);
		assert_int_equal(export_entry_read(bytes_str(rows[i].line),
				     &keep, a, &en, &e),
		    ERR_INVALID);
		assert_string_equal(e.say, rows[i].say);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_incident_66_flipped_bits),
		cmocka_unit_test(test_build_refuses),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_large_detail),
		cmocka_unit_test(test_parse_leaf),
		cmocka_unit_test(test_glance),
		cmocka_unit_test(test_glance_refuses),
		cmocka_unit_test(test_export_entry_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
