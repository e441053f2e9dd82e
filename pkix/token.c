/*
 * token - the PKCS #11 library, in a library context of its own: digests and
 * checks of signatures stay with OpenSSL's provider, whatever a token offers,
 * and a module that uses OpenSSL itself, as SoftHSM does, does not meet its
 * own provider there.
 */
#include <stdio.h>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/store.h>

#include "internal.h"

#define MODULE_MAX 256

static OSSL_LIB_CTX *context; /* of the process; NULL until token_open() */

OSSL_LIB_CTX *
token_context(void)
{
	return context;
}

bool
uri_is_token(const char *uri)
{
	return strncmp(uri, "pkcs11:", 7) == 0;
}

void
uri_without_pin(char *out, size_t size, const char *uri)
{
	size_t n = 0;
	while (*uri != '\0' && n < size - 1) {
		out[n++] = *uri;
		if (strncmp(uri, "pin-value=", 10) != 0) {
			uri++;
			continue;
		}
		n += (size_t)snprintf(out + n, size - n, "in-value=…");
		if (n >= size)
			n = size - 1;
		uri += strcspn(uri, "&;");
	}
	out[n] = '\0';
}

/*
 * The provider reads its module's path from a configuration alone.  no-deinit:
 * it would end the module from an exit handler, after libraries that the
 * module uses have ended.
 */
static bool
configure(const char *module, OSSL_LIB_CTX *ctx)
{
	char text[MODULE_MAX + 320];
	int n = snprintf(text, sizeof(text),
	    "openssl_conf = init\n[init]\nproviders = providers\n"
	    "[providers]\ndefault = ours\npkcs11 = token\n"
	    "[ours]\nactivate = 1\n"
	    "[token]\nactivate = 1\npkcs11-module-quirks = no-deinit\n"
	    "pkcs11-module-load-behavior = early\n%s%s\n",
	    module == NULL ? "" : "pkcs11-module-path = ",
	    module == NULL ? "" : module);
	CONF *conf = NCONF_new_ex(ctx, NULL);
	BIO *bio = BIO_new_mem_buf(text, n);
	long line = 0;
	bool done = conf != NULL && bio != NULL &&
		    NCONF_load_bio(conf, bio, &line) == 1 &&
		    CONF_modules_load(conf, NULL, 0) == 1;
	BIO_free(bio);
	NCONF_free(conf);
	return done;
}

/* The provider itself loads whatever its module does. */
static bool
answers(OSSL_LIB_CTX *ctx)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open_ex("pkcs11:", ctx, NULL, NULL,
	    NULL, NULL, NULL, NULL);
	if (store != NULL)
		OSSL_STORE_close(store);
	return store != NULL;
}

/* An absolute path that says nothing else to a configuration's reader. */
static bool
is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+-";
	return path[0] == '/' && strlen(path) < MODULE_MAX &&
	       path[strspn(path, plain)] == '\0';
}

enum err_code
token_open(const char *module, struct err *e)
{
	if (context != NULL)
		return ERR_OK;
	if (module != NULL && !is_plain(module))
		return err_say(e, ERR_INVALID, "token-module-path",
		    "the path of a PKCS #11 module begins with a slash and has "
		    "letters, digits and /._+- only");
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	if (ctx == NULL)
		return err_nomem(e);
	if (configure(module, ctx) && answers(ctx)) {
		ERR_clear_error();
		context = ctx;
		return ERR_OK;
	}
	OSSL_LIB_CTX_free(ctx);
	return err_openssl(e, "token-module",
	    "the token that has the keys cannot be reached: it is away, or its "
	    "module does not load; install pkcs11-provider and check "
	    "pkcs11.module in refrendo.yaml");
}
