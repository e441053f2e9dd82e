/* Rows and frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <refrendo/base.h>

#define LIT(s) bytes_of(s, sizeof(s) - 1)

static void
integers_are_big_endian(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100);
	put_u8(&b, 0x01);
	put_u16(&b, 0x0203);
	put_u32(&b, 0x04050607);
	put_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	put_i64(&b, -2);
	put_bytes(&b, LIT("xyz"));
	put_bytes(&b, BYTES_NONE);
	static const char want[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
				   "\x0b\x0c\x0d\x0e\x0f\xff\xff\xff\xff\xff"
				   "\xff\xff\xfe\0\0\0\3xyz\0\0\0\0";
	assert_true(bytes_eq(buf_bytes(&b), LIT(want)));

	struct reader r = reader_of(buf_bytes(&b));
	struct err e;
	assert_int_equal(get_u8(&r), 0x01);
	assert_int_equal(get_u16(&r), 0x0203);
	assert_int_equal(get_u32(&r), 0x04050607);
	assert_true(get_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(get_i64(&r), -2);
	assert_true(bytes_is(get_bytes(&r), "xyz"));
	assert_int_equal(reader_end(&r, &e), ERR_CORRUPT);
	assert_string_equal(e.id, "codec");
	assert_string_equal(e.say,
	    "a record is cut short, or something follows its end");
	assert_string_equal(e.why, "4 octets follow");
	assert_int_equal(get_bytes(&r).len, 0);
	assert_int_equal(reader_end(&r, &e), ERR_OK);
}

static void
extremes(void **state)
{
	(void)state;
	static const int64_t values[] = { 0, 1, -1, INT64_MIN, INT64_MAX };
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct buf b AUTO_BUF = BUF(8);
		put_i64(&b, values[i]);
		struct reader r = reader_of(buf_bytes(&b));
		assert_true(get_i64(&r) == values[i]);
		uint8_t p[8];
		be64_print(p, (uint64_t)values[i]);
		assert_memory_equal(p, b.p, 8);
		assert_true(be64_parse(p) == (uint64_t)values[i]);
	}
}

/* Each getter, on every prefix that is too short for it. */
static void
a_short_read_sticks(void **state)
{
	(void)state;
	static const uint8_t ones[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 1 };
	static const struct {
		const char *name;
		size_t size;
	} rows[] = { { "u8", 1 }, { "u16", 2 }, { "u32", 4 }, { "u64", 8 },
		{ "i64", 8 }, { "bytes", 16 }, { "raw", 9 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t len = 0; len < rows[i].size; len++) {
			struct reader r = reader_of(bytes_of(ones, len));
			bool zero = i == 0   ? get_u8(&r) == 0
				    : i == 1 ? get_u16(&r) == 0
				    : i == 2 ? get_u32(&r) == 0
				    : i == 3 ? get_u64(&r) == 0
				    : i == 4 ? get_i64(&r) == 0
				    : i == 5 ? get_bytes(&r).len == 0
					     : get_raw(&r, 9).p == NULL;
			struct err e;
			if (!zero || reader_end(&r, &e) != ERR_CORRUPT)
				fail_msg("%s of %zu", rows[i].name, len);
			assert_string_equal(e.why, "cut short");
			assert_int_equal(get_u8(&r), 0);
			assert_int_equal(get_raw(&r, 0).len, 0);
			assert_true(r.bad);
		}
	}
	struct reader none = reader_of(BYTES_NONE);
	struct err e;
	assert_int_equal(get_raw(&none, 0).len, 0);
	assert_int_equal(reader_end(&none, &e), ERR_OK);
	assert_int_equal(get_raw(&none, SIZE_MAX).len, 0);
	assert_int_equal(reader_end(&none, &e), ERR_CORRUPT);
}

static void
put_bytes_refuses_what_32_bits_cannot_count(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(SIZE_MAX);
	put_bytes(&b, bytes_of("", (size_t)UINT32_MAX + 1));
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
}

/* Type 1 up to 16 octets, type 2 up to the absolute cap, 3 beyond it. */
static uint32_t
cap(uint16_t type)
{
	return type == 1   ? 16
	       : type == 2 ? FRAME_MAX
	       : type == 3 ? UINT32_MAX
			   : 0;
}

#define HEAD(len, type) len type "\0\0\0\0\0\0\0\7"

static void
frames(void **state)
{
	(void)state;
	static const struct {
		const char *name, *in;
		size_t len;
		enum err_code code;
		size_t used;
		const char *id, *say;
	} rows[] = {
#define ROW(name, s, ...) { name, s, sizeof(s) - 1, __VA_ARGS__ }
		ROW("nothing yet", "", ERR_OK, 0, "", ""),
		ROW("3 octets of the length", "\0\0\0", ERR_OK, 0, "", ""),
		ROW("length alone", "\0\0\0\x1a", ERR_OK, 0, "", ""),
		ROW("half a type", "\0\0\0\x1a\0", ERR_OK, 0, "", ""),
		ROW("no id yet", "\0\0\0\x1a\0\1", ERR_OK, 0, "", ""),
		ROW("one octet missing", HEAD("\0\0\0\x0c", "\0\1") "x", ERR_OK,
		    0, "", ""),
		ROW("empty body", HEAD("\0\0\0\x0a", "\0\1"), ERR_OK, 14, "",
		    ""),
		ROW("body", HEAD("\0\0\0\x0c", "\0\1") "xy", ERR_OK, 16, "",
		    ""),
		ROW("two frames", HEAD("\0\0\0\x0c", "\0\1") "xyz", ERR_OK, 16,
		    "", ""),
		ROW("body at its cap",
		    HEAD("\0\0\0\x1a", "\0\1") "0123456789abcdef", ERR_OK, 30,
		    "", ""),
		ROW("type with a great cap, not there yet",
		    HEAD("\4\0\0\x0a", "\0\2"), ERR_OK, 0, "", ""),
		ROW("length 0", "\0\0\0\0", ERR_INVALID, 0, "frame-length",
		    "a message is shorter than its own head"),
		ROW("length 9", "\0\0\0\x09", ERR_INVALID, 0, "frame-length",
		    "a message is shorter than its own head"),
		ROW("body over its type's cap", "\0\0\0\x1b\0\1", ERR_INVALID,
		    0, "frame-too-large",
		    "a message has 17 bytes where at most 16 are allowed"),
		ROW("over the absolute cap, type unknown", "\4\0\0\x0b",
		    ERR_INVALID, 0, "frame-too-large",
		    "a message has 67108865 bytes where at most 67108864 "
		    "are allowed"),
		ROW("huge", "\xff\xff\xff\xff", ERR_INVALID, 0,
		    "frame-too-large",
		    "a message has 4294967285 bytes where at most 67108864 "
		    "are allowed"),
		ROW("a type's cap does not lift the absolute one",
		    "\4\0\0\x0b\0\3", ERR_INVALID, 0, "frame-too-large",
		    "a message has 67108865 bytes where at most 67108864 "
		    "are allowed"),
		ROW("type that may not be sent", "\0\0\0\x0a\0\4", ERR_INVALID,
		    0, "frame-type",
		    "a message has type 4, which may not be sent here"),
		ROW("type 65535", "\0\0\0\x0a\xff\xff", ERR_INVALID, 0,
		    "frame-type",
		    "a message has type 65535, which may not be sent here"),
#undef ROW
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		struct frame f = { .type = 99 };
		size_t used = 99;
		struct err e = { .id = "" };
		enum err_code code =
		    frame_cut(bytes_of(rows[i].in, rows[i].len), cap, &f, &used,
			&e);
		assert_int_equal(code, rows[i].code);
		assert_int_equal(used, rows[i].used);
		assert_string_equal(e.id, rows[i].id);
		assert_string_equal(e.say, rows[i].say);
		if (used == 0) {
			assert_int_equal(f.type, 99);
			continue;
		}
		assert_int_equal(f.type, 1);
		assert_int_equal(f.id, 7);
		assert_int_equal(f.body.len, used - FRAME_HEAD);
		assert_ptr_equal(f.body.p, rows[i].in + FRAME_HEAD);
	}
}

static void
frames_follow_each_other(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100);
	frame_put(&b, 1, UINT64_MAX, LIT("first"));
	frame_put(&b, 2, 0, BYTES_NONE);
	struct frame f;
	size_t used;
	struct err e;
	assert_int_equal(frame_cut(buf_bytes(&b), cap, &f, &used, &e), ERR_OK);
	assert_true(f.type == 1 && f.id == UINT64_MAX);
	assert_true(bytes_is(f.body, "first"));
	buf_drop(&b, used);
	assert_int_equal(frame_cut(buf_bytes(&b), cap, &f, &used, &e), ERR_OK);
	assert_true(f.type == 2 && f.id == 0 && f.body.len == 0);
	buf_drop(&b, used);
	assert_int_equal(frame_cut(buf_bytes(&b), cap, &f, &used, &e), ERR_OK);
	assert_int_equal(used, 0);
}

static void
frame_put_is_whole_or_nothing(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(20);
	frame_put(&b, 1, 7, BYTES_NONE);
	frame_put(&b, 1, 8, BYTES_NONE);
	assert_true(b.failed);
	assert_int_equal(b.len, FRAME_HEAD);
	struct buf huge AUTO_BUF = BUF(SIZE_MAX);
	frame_put(&huge, 1, 7, bytes_of("", (size_t)FRAME_MAX + 1));
	assert_true(huge.failed);
	assert_int_equal(huge.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(extremes),
		cmocka_unit_test(a_short_read_sticks),
		cmocka_unit_test(put_bytes_refuses_what_32_bits_cannot_count),
		cmocka_unit_test(frames),
		cmocka_unit_test(frames_follow_each_other),
		cmocka_unit_test(frame_put_is_whole_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
