#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fake/store_check.h"

static struct public_row
ocsp_row(int64_t this_update, const char *body)
{
	return (struct public_row){ .this_update = this_update,
		.next_update = this_update + 4 * DAY,
		.refresh_at = this_update + 2 * DAY,
		.takes_nonce = true,
		.type = "application/ocsp-response",
		.body = bytes_str(body) };
}

/* --- Rows and keys -------------------------------------------------------- */

static void
row_there_and_back(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100);
	struct public_row in = ocsp_row(1795500000, "answer"), out;
	uint8_t hash[SHA256_LEN];
	char etag[HEX_LEN(16)];
	struct err e;
	OK(public_row_encode(&in, &b, &e));
	assert_int_equal(b.len, 43 + 6);
	OK(public_row_decode(buf_bytes(&b), &out, &e));
	assert_int_equal(out.this_update, in.this_update);
	assert_int_equal(out.next_update, in.next_update);
	assert_int_equal(out.refresh_at, in.refresh_at);
	assert_true(out.takes_nonce && !out.first);
	assert_string_equal(out.type, in.type);
	assert_true(bytes_is(out.body, "answer"));
	/* In place: the body is not copied. */
	assert_ptr_equal(out.body.p, b.p + 43);
	sha256(hash, in.body);
	hex_print(etag, bytes_of(hash, 16));
	assert_string_equal(out.etag, etag);
}

static void
rows_that_are_not_taken(void **state)
{
	(void)state;
	static const struct {
		const char *name, *type;
		int64_t this_update, next_update;
		const char *id, *say;
	} rows[] = {
		{ "unknown type", "image/png", 1, 2, "public-type",
		    "image/png is no media type that is published; add it to "
		    "the table of types first" },
		{ "no type", NULL, 1, 2, "public-type",
		    "nothing is no media type that is published; add it to the "
		    "table of types first" },
		{ "time before 1970", "application/pkix-crl", -1, 2,
		    "public-time",
		    "a published answer has a time before 1970; the clock or "
		    "the object is wrong" },
		{ "end before 1970", "application/pkix-crl", 1, -2,
		    "public-time",
		    "a published answer has a time before 1970; the clock or "
		    "the object is wrong" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b AUTO_BUF = BUF(100);
		struct err e;
		struct public_row row = { .type = rows[i].type,
			.this_update = rows[i].this_update,
			.next_update = rows[i].next_update,
			.body = bytes_str("x") };
		print_message("  %s\n", rows[i].name);
		REFUSED(public_row_encode(&row, &b, &e), ERR_INVALID,
		    rows[i].id, rows[i].say);
	}
}

static void
rows_that_do_not_decode(void **state)
{
	(void)state;
	struct buf b AUTO_BUF = BUF(100);
	struct public_row in = ocsp_row(1795500000, "answer"), out;
	struct err e;
	static const struct {
		const char *name;
		size_t at, len;
		uint8_t octet;
	} rows[] = {
		{ "version", 0, 49, 1 },
		{ "negative time", 1, 49, 0x80 },
		{ "negative end", 9, 49, 0x80 },
		{ "type", 17, 49, 8 },
		{ "flags", 18, 49, 4 },
		{ "negative refresh", 19, 49, 0x80 },
		{ "short", 0, 42, 2 },
		{ "empty", 0, 0, 2 },
	};
	OK(public_row_encode(&in, &b, &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t copy[49];
		print_message("  %s\n", rows[i].name);
		memcpy(copy, b.p, sizeof(copy));
		copy[rows[i].at] = rows[i].octet;
		REFUSED(public_row_decode(bytes_of(copy, rows[i].len), &out,
			    &e),
		    ERR_CORRUPT, "public-row",
		    "a published answer cannot be read back; rebuild the "
		    "published store from the ledger");
	}
	/* Only a head: an empty body is a body. */
	OK(public_row_decode(bytes_of(b.p, 43), &out, &e));
	assert_int_equal(out.body.len, 0);
}

static void
keys_that_do_not_fit(void **state)
{
	(void)state;
	uint8_t room[PUBLIC_KEY_MAX], octets[200];
	memset(octets, 'a', sizeof(octets));
	assert_int_equal(public_ocsp_key(room, 0, BYTES_NONE).len, 0);
	assert_int_equal(public_ocsp_key(room, 1023, bytes_of(octets, 1)).len,
	    4);
	assert_int_equal(public_ocsp_key(room, 0, bytes_of(octets, SERIAL_MAX))
			     .len,
	    3 + SERIAL_MAX);
	assert_int_equal(public_ocsp_key(room, 0,
			     bytes_of(octets, SERIAL_MAX + 1))
			     .len,
	    0);
	assert_int_equal(public_file_key(room, BYTES_NONE).len, 0);
	assert_int_equal(public_file_key(room, bytes_of(octets, 127)).len, 128);
	assert_int_equal(public_file_key(room, bytes_of(octets, 128)).len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_there_and_back),
		cmocka_unit_test(rows_that_are_not_taken),
		cmocka_unit_test(rows_that_do_not_decode),
		cmocka_unit_test(keys_that_do_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
