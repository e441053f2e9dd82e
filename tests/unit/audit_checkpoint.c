#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/audit.h>

#define ORIGIN "ca.example.cl/bitacora"

static struct checkpoint
sample(void)
{
	struct checkpoint c = { .origin = bytes_str(ORIGIN), .size = 70000 };
	memset(c.root, 0x5a, HASH_LEN);
	return c;
}

/* The key and note of C2SP signed-note's example; its text is no checkpoint. */
static const uint8_t example_spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
	0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0xe9, 0x32, 0x79, 0x1a, 0xe6, 0xe7,
	0xa8, 0x40, 0xa4, 0x61, 0x64, 0xc9, 0x04, 0x78, 0x64, 0x26, 0xd5, 0xe7,
	0x82, 0x1d, 0xd8, 0xb2, 0x9a, 0x00, 0xd6, 0x1c, 0xae, 0x72, 0xaf, 0xdd,
	0x4d, 0xa4 };

static void
test_vkey(void **state)
{
	(void)state;
	struct buf out AUTO_BUF = BUF(200);
	struct err e;
	assert_int_equal(checkpoint_vkey(bytes_str("example.com/foo"),
			     bytes_of(example_spki, sizeof(example_spki)), &out,
			     &e),
	    ERR_OK);
	assert_string_equal(buf_text(&out),
	    "example.com/"
	    "foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
	assert_int_equal(checkpoint_vkey(bytes_str("example.com/foo"),
			     bytes_of(example_spki, 43), &out, &e),
	    ERR_INVALID);
	assert_string_equal(e.say, "the key of the log must be an Ed25519 key");
	assert_int_equal(checkpoint_vkey(bytes_str("a b"),
			     bytes_of(example_spki, sizeof(example_spki)), &out,
			     &e),
	    ERR_INVALID);
	assert_string_equal(e.id, "checkpoint-origin");
}

static void
test_body(void **state)
{
	(void)state;
	struct buf out AUTO_BUF = BUF(200);
	struct checkpoint c = sample();
	checkpoint_body(&out, &c);
	assert_string_equal(buf_text(&out),
	    ORIGIN "\n70000\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n");
}

#define WITNESS "\xe2\x80\x94 w.example/x AAAAAQIDBA==\n"

/* Something is put in place of something else in a note that was good. */
static const struct {
	const char *name, *old, *new, *want_id;
} rows[] = {
	{ "as it was", "", "", NULL },
	{ "a witness before", "\n\n", "\n\n" WITNESS, NULL },
	{ "another size", "70000", "70001", "checkpoint-signature" },
	{ "a size with zeros", "70000", "070000", "checkpoint-form" },
	{ "a negative size", "70000", "-1", "checkpoint-form" },
	{ "another root", "Wlpa", "Wlpb", "checkpoint-signature" },
	{ "a short root", "WlpaWlpa", "Wlpa", "checkpoint-form" },
	{ "padding with bits", "Wlo=\n", "Wlp=\n", "checkpoint-form" },
	{ "another origin", ORIGIN, "ca.example.cl/otra",
	    "checkpoint-other-log" },
	{ "no origin", ORIGIN, "", "checkpoint-origin" },
	{ "an extension line", "\n\n", "\nx\n\n", "checkpoint-form" },
	{ "no blank line", "\n\n", "\n", "checkpoint-form" },
	{ "CRLF", "\n", "\r\n", "checkpoint-origin" },
	{ "another signer", "\xe2\x80\x94 ca", "\xe2\x80\x94 cb",
	    "checkpoint-unsigned" },
	{ "a hyphen instead of the dash", "\xe2\x80\x94 ", "- ",
	    "checkpoint-form" },
	{ "a witness without signature", "\n\n",
	    "\n\n\xe2\x80\x94 w.example/x AAAA\n", "checkpoint-form" },
};

static void
test_verify(void **state)
{
	(void)state;
	struct buf note AUTO_BUF = BUF(CHECKPOINT_MAX);
	struct checkpoint c = sample(), got;
	AUTO(key) key = NULL;
	AUTO(verifier) v = NULL;
	struct err e;
	assert_int_equal(key_generate(KEY_ED25519, &key, &e), ERR_OK);
	assert_int_equal(verifier_new(&v, &e), ERR_OK);
	assert_int_equal(checkpoint_sign(&c, key, &note, &e), ERR_OK);
	const char *text = buf_text(&note);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char other[CHECKPOINT_MAX];
		print_message("%s\n", rows[i].name);
		const char *at = strstr(text, rows[i].old);
		assert_non_null(at);
		snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - text),
		    text, rows[i].new, at + strlen(rows[i].old));
		enum err_code code = checkpoint_verify(bytes_str(other),
		    bytes_str(ORIGIN), key_spki(key), v, &got, &e);
		if (rows[i].want_id == NULL) {
			assert_int_equal(code, ERR_OK);
			assert_int_equal(got.size, c.size);
			assert_memory_equal(got.root, c.root, HASH_LEN);
			assert_true(bytes_is(got.origin, ORIGIN));
			continue;
		}
		assert_int_equal(code, ERR_INVALID);
		assert_string_equal(e.id, rows[i].want_id);
		assert_true(e.say[0] != '\0');
	}
}

/* Any octet changed, any end cut. */
static void
test_verify_every_octet(void **state)
{
	(void)state;
	struct buf note AUTO_BUF = BUF(CHECKPOINT_MAX);
	struct checkpoint c = sample(), got;
	AUTO(key) key = NULL;
	AUTO(verifier) v = NULL;
	struct err e;
	assert_int_equal(key_generate(KEY_ED25519, &key, &e), ERR_OK);
	assert_int_equal(verifier_new(&v, &e), ERR_OK);
	assert_int_equal(checkpoint_sign(&c, key, &note, &e), ERR_OK);
	struct bytes spki = key_spki(key), origin = bytes_str(ORIGIN);
	for (size_t i = 0; i < note.len; i++) {
		note.p[i] ^= 4;
		assert_int_equal(checkpoint_verify(buf_bytes(&note), origin,
				     spki, v, &got, &e),
		    ERR_INVALID);
		note.p[i] ^= 4;
		assert_int_equal(checkpoint_verify(bytes_of(note.p, i), origin,
				     spki, v, &got, &e),
		    ERR_INVALID);
	}
	assert_int_equal(checkpoint_verify(buf_bytes(&note), origin, spki, v,
			     &got, &e),
	    ERR_OK);
}

static void
test_other_keys(void **state)
{
	(void)state;
	struct buf note AUTO_BUF = BUF(CHECKPOINT_MAX);
	struct checkpoint c = sample(), got;
	AUTO(key) key = NULL;
	AUTO(key) other = NULL;
	AUTO(key) ec = NULL;
	AUTO(verifier) v = NULL;
	struct err e;
	assert_int_equal(key_generate(KEY_ED25519, &key, &e), ERR_OK);
	assert_int_equal(key_generate(KEY_ED25519, &other, &e), ERR_OK);
	assert_int_equal(key_generate(KEY_EC_P256, &ec, &e), ERR_OK);
	assert_int_equal(verifier_new(&v, &e), ERR_OK);
	assert_int_equal(checkpoint_sign(&c, ec, &note, &e), ERR_INVALID);
	assert_string_equal(e.id, "checkpoint-key");
	assert_int_equal(checkpoint_sign(&c, key, &note, &e), ERR_OK);
	assert_int_equal(checkpoint_verify(buf_bytes(&note), bytes_str(ORIGIN),
			     key_spki(other), v, &got, &e),
	    ERR_INVALID);
	assert_string_equal(e.say,
	    "the checkpoint carries no signature by the key of this log");
	c.origin = bytes_str("two words");
	buf_reset(&note);
	assert_int_equal(checkpoint_sign(&c, key, &note, &e), ERR_INVALID);
	assert_int_equal(note.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vkey),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_verify_every_octet),
		cmocka_unit_test(test_other_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
