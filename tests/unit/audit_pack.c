/* A status pack that an engine made: whole, and nothing less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/audit.h>

static const uint8_t spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
	0x70, 0x03, 0x21, 0x00, 0xf4, 0x21, 0xd9, 0x07, 0x9f, 0xd9, 0xd8, 0xa4,
	0x1a, 0x2b, 0xab, 0x4e, 0xed, 0x7f, 0x26, 0x7f, 0x21, 0x88, 0xe2, 0xd5,
	0x50, 0x8b, 0x85, 0xcb, 0xa9, 0xa2, 0xbc, 0xd2, 0x64, 0x99, 0x10,
	0x14 };

static void
read_corpus(const char *name, struct buf *out)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/pack/%s.pack",
	    SOURCE_DIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	uint8_t *room = buf_room(out, 65536);
	out->len = fread(room, 1, 65536, f);
	fclose(f);
}

static enum err_code
read_as(struct bytes text, const uint8_t *key, struct pack *pack, struct err *e)
{
	AUTO(verifier) v = NULL;
	AUTO(arena) a = arena_new();
	assert_int_equal(verifier_new(&v, e), ERR_OK);
	return pack_read(text, bytes_of(key, sizeof(spki)), a, v, pack, e);
}

static void
good_is_read(void **state)
{
	struct buf good AUTO_BUF = BUF(65536);
	static struct pack pack;
	struct err e;
	(void)state;
	read_corpus("good", &good);
	assert_int_equal(read_as(buf_bytes(&good), spki, &pack, &e), ERR_OK);
	assert_int_equal(pack.n, 1);
	assert_true(pack.list[0].crl.number > 0);
	assert_true(pack.list[0].covers <= pack.list[0].index);
	assert_true(pack.list[0].index < pack.list[0].log_size);
}

static void
another_key_is_refused(void **state)
{
	struct buf good AUTO_BUF = BUF(65536);
	static struct pack pack;
	uint8_t other[sizeof(spki)];
	struct err e;
	(void)state;
	read_corpus("good", &good);
	memcpy(other, spki, sizeof(spki));
	other[20] ^= 1;
	assert_int_not_equal(read_as(buf_bytes(&good), other, &pack, &e),
	    ERR_OK);
	assert_non_null(strstr(e.id, "checkpoint"));
}

/* Every octet matters, and none may be missing. */
static void
altered_is_refused(void **state)
{
	struct buf good AUTO_BUF = BUF(65536);
	static struct pack pack;
	struct err e;
	(void)state;
	read_corpus("good", &good);
	for (size_t i = 0; i < good.len; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);
		good.p[i] ^= bit;
		assert_int_not_equal(read_as(buf_bytes(&good), spki, &pack, &e),
		    ERR_OK);
		assert_true(e.say[0] != '\0');
		good.p[i] ^= bit;
		assert_int_not_equal(read_as(bytes_of(good.p, i), spki, &pack,
					 &e),
		    ERR_OK);
	}
}

static void
corpus_is_refused(void **state)
{
	static const char *const names[] = { "bytes_after", "cut", "empty",
		"entry_of_other_detail", "header_alone", "list_missing",
		"no_end", "not_canonical", "other_format", "proof_hash_short",
		"proof_index_other", "proof_missing", "text" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf text AUTO_BUF = BUF(65536);
		static struct pack pack;
		struct err e;
		read_corpus(names[i], &text);
		enum err_code code = read_as(buf_bytes(&text), spki, &pack, &e);
		if (code != ERR_CORRUPT)
			print_error("%s\n", names[i]);
		assert_int_equal(code, ERR_CORRUPT);
		assert_string_equal(e.id, "pack-form");
		assert_string_equal(e.say,
		    "this is no whole status pack: it was cut, altered, or is "
		    "another file; fetch it again");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_is_read),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(altered_is_refused),
		cmocka_unit_test(corpus_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
