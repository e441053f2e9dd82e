/* OpenSSL without memory at its Nth request: an error, never a crash or a leak. */
#include "unit/pkix_help.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

/* Counts down to the request that fails; negative: none fails. */
static long countdown = -1;
static bool failed;

static bool
fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	failed = true;
	return true;
}

static void *
get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(n);
}

static void *
grow(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void
give_back(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Fails request 0, 1, 2 … until the call gets through without a failure. */
static void
judge_key(struct bytes spki, enum key_type want)
{
	enum key_type type = KEY_TYPES;
	long n = 0, refusals = 0;

	do {
		struct err e = { .code = ERR_OK };
		enum err_code code;

		failed = false;
		countdown = n++;
		code = spki_check(spki, &type, &e);
		countdown = -1;
		ERR_clear_error();
		/* Either it did without, or it says so; never "weak". */
		if (code != ERR_OK) {
			assert_true(failed);
			assert_int_equal(code, ERR_NOMEM);
			assert_true(strlen(e.say) > 10);
			refusals++;
		} else {
			assert_int_equal(type, want);
		}
		assert_true(n < 100000);
	} while (failed);
	assert_true(refusals > 2);
}

static void
keys_judged_without_memory(void **state)
{
	AUTO(key) ec = NULL;
	AUTO(key) rsa = NULL;
	struct err e;

	(void)state;
	OK(key_generate(KEY_EC_P256, &ec, &e), &e);
	OK(key_generate(KEY_RSA_2048, &rsa, &e), &e);
	judge_key(key_spki(ec), KEY_EC_P256);
	judge_key(key_spki(rsa), KEY_RSA_2048);
}

/* What needs no memory of OpenSSL must not ask for any. */
static void
reading_needs_no_memory(void **state)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	AUTO(key) k = NULL;
	struct cert_spec spec;
	struct test_ca ca;
	struct cert c;
	struct err e;

	(void)state;
	test_ca_init(&ca, KEY_EC_P256);
	OK(key_generate(KEY_EC_P256, &k, &e), &e);
	build_name(&name, "Ana");
	holder_spec(&spec, &ca, buf_bytes(&name), key_spki(k));
	sign_cert(ca.key, &spec, &der);
	failed = false;
	countdown = 0;
	OK(cert_parse(buf_bytes(&der), &c, &e), &e);
	OK(der_strict(buf_bytes(&der), &e), &e);
	countdown = -1;
	assert_false(failed);
	test_ca_fini(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_judged_without_memory),
		cmocka_unit_test(reading_needs_no_memory),
	};

	/* Before the library allocates anything. */
	if (CRYPTO_set_mem_functions(get, grow, give_back) != 1) {
		print_message("the memory functions of OpenSSL are fixed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
