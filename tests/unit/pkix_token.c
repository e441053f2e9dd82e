/*
 * Keys that live in a token: SoftHSM behind pkcs11-provider.  Each test is a
 * process of its own, for a process opens one module and keeps it.
 */
#include "unit/pkix_help.h"

#include <sys/wait.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>

#define MODULE     "/usr/lib/softhsm/libsofthsm2.so"
#define NOT_MODULE "/usr/bin/softhsm2-util"

static struct dir token;

/* A token with one key of each type, made outside of it and imported. */
static void
token_make(void)
{
	char text[256];
	token = dir_new();
	snprintf(text, sizeof(text),
	    "directories.tokendir = %s\nobjectstore.backend = file\n"
	    "log.level = ERROR\n",
	    token.path);
	dir_write(&token, "softhsm2.conf", bytes_str(text));
	snprintf(text, sizeof(text), "%s/softhsm2.conf", token.path);
	setenv("SOFTHSM2_CONF", text, 1);
	must_run(&token, "token",
	    "softhsm2-util --init-token --free --label refrendo "
	    "--so-pin 12345678 --pin 47114711");
}

static void
token_key(const char *label, const char *id, const char *how)
{
	char command[256];
	snprintf(command, sizeof(command), "openssl genpkey %s -out k.pem",
	    how);
	must_run(&token, label, command);
	snprintf(command, sizeof(command),
	    "softhsm2-util --import k.pem --token refrendo --label %s --id %s "
	    "--pin 47114711",
	    label, id);
	must_run(&token, label, command);
}

static const struct {
	const char *label, *id, *how;
	enum key_type type;
} keys[] = {
	{ "p256", "01", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
	    KEY_EC_P256 },
	{ "p384", "02", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
	    KEY_EC_P384 },
	{ "rsa", "03", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
	    KEY_RSA_2048 },
	{ "ed", "04", "-algorithm ED25519", KEY_ED25519 },
};

static void
uri_of(char out[128], const char *label)
{
	snprintf(out, 128, "pkcs11:token=refrendo;object=%s;type=private",
	    label);
}

/* Loads, signs twice with one object, and is checked by the public half. */
static void
sign_row(size_t i, struct verifier *v)
{
	char uri[128];
	struct err e;
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	AUTO(key) k = NULL;
	uri_of(uri, keys[i].label);
	OK(key_load(uri, bytes_str("47114711"), &k, &e), &e);
	ROW(key_type(k) == keys[i].type, keys[i].label);
	for (int n = 0; n < 2; n++) {
		struct bytes text = bytes_str(n == 0 ? "one" : "another");
		buf_reset(&sig);
		OK(key_sign(k, text, &sig, &e), &e);
		OK(verifier_check(v, key_spki(k), key_type_sigalg(keys[i].type),
		       text, buf_bytes(&sig), &e),
		    &e);
	}
	buf_reset(&sig);
	refused(keys[i].label,
	    key_print(k, bytes_str("a passphrase"), &sig, &e), &e, ERR_CRYPTO,
	    "key-export", "cannot be exported");
}

static void
test_signs(void **state)
{
	AUTO(verifier) v = NULL;
	struct err e;
	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		token_key(keys[i].label, keys[i].id, keys[i].how);
	OK(token_open(MODULE, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		sign_row(i, v);
}

static void
test_refuses(void **state)
{
	AUTO(key) out = NULL;
	struct err e;
	char uri[128];
	(void)state;
	refused("a path that is none", token_open("softhsm2.so", &e), &e,
	    ERR_INVALID, "token-module-path", "begins with a slash");
	refused("a path that is more", token_open("/a\n[x]", &e), &e,
	    ERR_INVALID, "token-module-path", "begins with a slash");
	refused("no such module", token_open("/nonexistent.so", &e), &e,
	    ERR_NOTFOUND, "token-module-missing", "correct pkcs11.module");
	refused("not a module", token_open(NOT_MODULE, &e), &e, ERR_CRYPTO,
	    "token-module", "is not its library");
	OK(token_open(MODULE, &e), &e);
	token_key(keys[0].label, keys[0].id, keys[0].how);
	uri_of(uri, keys[0].label);
	char long_pin[] = "123456789012345678901234567890123";
	refused("long PIN", key_load(uri, bytes_str(long_pin), &out, &e), &e,
	    ERR_INVALID, "token-pin-size", "32 octets");
	refused("another token",
	    key_load("pkcs11:token=other;object=p256", bytes_str("47114711"),
		&out, &e),
	    &e, ERR_BUSY, "token-away", "connect it");
	refused("wrong PIN", key_load(uri, bytes_str("00000000"), &out, &e), &e,
	    ERR_FORBIDDEN, "token-pin", "PIN does not open");
	refused("no PIN", key_load(uri, BYTES_NONE, &out, &e), &e,
	    ERR_FORBIDDEN, "token-pin", "PIN does not open");
	refused("wrong PIN in the URI",
	    key_load("pkcs11:object=p256?pin-value=00000000", BYTES_NONE, &out,
		&e),
	    &e, ERR_FORBIDDEN, "token-pin", "PIN does not open");
	refused("the right PIN and no such key",
	    key_load("pkcs11:token=refrendo;object=none", bytes_str("47114711"),
		&out, &e),
	    &e, ERR_NOTFOUND, "token-key-missing",
	    "no private key pkcs11:token=refrendo;object=none");
	refused("no such key",
	    key_load("pkcs11:token=refrendo;object=none?pin-value=47114711",
		BYTES_NONE, &out, &e),
	    &e, ERR_NOTFOUND, "token-key-missing",
	    "pkcs11:token=refrendo;object=none");
	/* A PIN in a URI is said to nobody. */
	assert_null(strstr(e.say, "4711"));
	assert_null(strstr(e.why, "4711"));
	assert_null(out);
}

/* One that is there twice is one; two of one name are told apart by more. */
static void
test_many(void **state)
{
	AUTO(key) one = NULL;
	AUTO(key) again = NULL;
	struct err e;
	(void)state;
	OK(token_open(MODULE, &e), &e);
	token_key("p256", "01", keys[0].how);
	must_run(&token, "a copy",
	    "softhsm2-util --import k.pem --token refrendo --label p256 "
	    "--id 02 --pin 47114711");
	OK(key_load("pkcs11:object=p256;type=private", bytes_str("47114711"),
	       &one, &e),
	    &e);
	token_key("p256", "03", keys[0].how);
	refused("two of one name",
	    key_load("pkcs11:object=p256;type=private", bytes_str("47114711"),
		&again, &e),
	    &e, ERR_INVALID, "token-key-many",
	    "pkcs11:object=p256;type=private names more than one key");
	OK(key_load("pkcs11:id=%03;type=private", bytes_str("47114711"), &again,
	       &e),
	    &e);
	assert_false(bytes_eq(key_spki(one), key_spki(again)));
}

static void
test_half(void **state)
{
	AUTO(key) k = NULL;
	struct err e;
	(void)state;
	token_key("p256", "01", keys[0].how);
	must_run(&token, "no public half",
	    "pkcs11-tool --module " MODULE " --token-label refrendo --login "
	    "--pin 47114711 --delete-object --type pubkey --id 01");
	OK(token_open(MODULE, &e), &e);
	refused("no public half",
	    key_load("pkcs11:object=p256;type=private", bytes_str("47114711"),
		&k, &e),
	    &e, ERR_CRYPTO, "token-public-half", "under the same id");
}

/* Everything else in this process goes on with OpenSSL's own provider. */
static void
test_stays_apart(void **state)
{
	struct err e;
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	AUTO(key) k = NULL;
	uint8_t hash[SHA256_LEN];
	(void)state;
	OK(token_open(MODULE, &e), &e);
	must_run(&token, "the token is gone", "rm -r -- softhsm2.conf");
	sha256(hash, bytes_str("abc"));
	OK(key_generate(KEY_EC_P256, &k, &e), &e);
	OK(key_sign(k, bytes_str("abc"), &sig, &e), &e);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_signs),
	cmocka_unit_test(test_refuses),
	cmocka_unit_test(test_many),
	cmocka_unit_test(test_half),
	cmocka_unit_test(test_stays_apart),
};

/* The module keeps what it opened, so that each has a process of its own. */
static int
apart(size_t i)
{
	int status = -1;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		token_make();
		int failed = cmocka_run_group_tests_name(tests[i].name,
		    (struct CMUnitTest[]){ tests[i] }, NULL, NULL);
		dir_remove(&token);
		fflush(NULL);
		_exit(failed);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0
									 : 1;
}

/* The provider's place is OpenSSL's own: it is asked to load it. */
static bool
is_here(void)
{
#ifdef __SANITIZE_ADDRESS__
	/* The provider loads modules with RTLD_DEEPBIND, which ASan refuses. */
	return false;
#endif
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *provider = OSSL_PROVIDER_try_load(ctx, "pkcs11", 1);
	bool here = provider != NULL && access(MODULE, R_OK) == 0 &&
		    access("/usr/bin/softhsm2-util", X_OK) == 0 &&
		    access("/usr/bin/pkcs11-tool", X_OK) == 0;
	if (provider != NULL)
		OSSL_PROVIDER_unload(provider);
	OSSL_LIB_CTX_free(ctx);
	return here;
}

int
main(void)
{
	int failed = 0;
	if (!is_here()) {
		printf("skipped: softhsm2, pkcs11-provider or opensc is not "
		       "here\n");
		return 77;
	}
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		failed += apart(i);
	return failed;
}
