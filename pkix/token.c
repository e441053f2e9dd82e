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
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include "internal.h"

#define MODULE_MAX 256
#define PIN_MAX    32 /* of the provider */

static OSSL_LIB_CTX *context; /* of the process; NULL until token_open() */
static bool reached;          /* a key was found in it */

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

/* Whatever module it may be given: does the machine have the provider? */
static bool
has_provider(void)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *p =
	    ctx == NULL ? NULL : OSSL_PROVIDER_try_load(ctx, "pkcs11", 1);
	if (p != NULL)
		OSSL_PROVIDER_unload(p);
	OSSL_LIB_CTX_free(ctx);
	return p != NULL;
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
	if (module != NULL && !file_readable(module))
		return err_at(e, ERR_NOTFOUND, "token-module-missing", NULL,
		    NOWHERE,
		    "there is no library %s that can be read; correct "
		    "pkcs11.module in refrendo.yaml",
		    module);
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	if (ctx == NULL)
		return err_nomem(e);
	if (configure(module, ctx) && answers(ctx)) {
		ERR_clear_error();
		context = ctx;
		return ERR_OK;
	}
	OSSL_LIB_CTX_free(ctx);
	if (!has_provider())
		return err_openssl(e, "token-provider",
		    "keys in a token need OpenSSL's provider for PKCS #11, "
		    "which is not on this machine; install pkcs11-provider");
	return err_openssl(e, "token-module",
	    "the library of the token does not answer: the token is away, or "
	    "pkcs11.module in refrendo.yaml is not its library");
}

/* --- Keys -------------------------------------------------------------------- */

struct look {
	struct bytes pin;
	bool asked; /* for the PIN: nobody had logged in before */
	bool is_many;
	EVP_PKEY *found;
};

static int
give_pin(char *out, int size, int writing, void *data)
{
	struct look *l = data;
	(void)writing;
	l->asked = true;
	/* After an error the provider would ask at a terminal. */
	if (l->pin.len > (size_t)size)
		return 0;
	if (l->pin.len > 0)
		memcpy(out, l->pin.p, l->pin.len);
	return (int)l->pin.len;
}

static bool
is_same(EVP_PKEY *one, EVP_PKEY *other)
{
	unsigned char *p = NULL, *q = NULL;
	int n = i2d_PUBKEY(one, &p), m = i2d_PUBKEY(other, &q);
	bool same = n > 0 && m > 0 &&
		    bytes_eq(bytes_of(p, (size_t)n), bytes_of(q, (size_t)m));
	OPENSSL_free(p);
	OPENSSL_free(q);
	return same;
}

/* A key that is there twice, as in a token and its copy, is one. */
static void
take(struct look *l, EVP_PKEY *pkey)
{
	if (l->found == NULL) {
		l->found = pkey;
		return;
	}
	l->is_many = l->is_many || !is_same(l->found, pkey);
	EVP_PKEY_free(pkey);
}

static enum err_code
look_for(const char *uri, struct look *l, struct err *e)
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	if (ui == NULL)
		return err_nomem(e);
	OSSL_STORE_CTX *store =
	    OSSL_STORE_open_ex(uri, context, NULL, ui, l, NULL, NULL, NULL);
	if (store != NULL)
		(void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
	while (store != NULL && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);
		if (info == NULL && OSSL_STORE_error(store))
			break;
		if (info != NULL &&
		    OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			take(l, OSSL_STORE_INFO_get1_PKEY(info));
		OSSL_STORE_INFO_free(info);
	}
	if (store != NULL)
		OSSL_STORE_close(store);
	UI_destroy_method(ui);
	return ERR_OK;
}

/*
 * The provider tells no reason.  But it asks for the PIN again where it was a
 * wrong one, and where nobody is logged in: with none to give, nothing is
 * counted against it.
 */
static enum err_code
not_found(const char *uri, const char *name, bool asked, struct err *e)
{
	struct look again = { .pin = BYTES_NONE };
	TRY(look_for(uri, &again, e));
	EVP_PKEY_free(again.found);
	ERR_clear_error();
	if (again.asked)
		return err_at(e, ERR_FORBIDDEN, "token-pin", NULL, NOWHERE,
		    "the PIN does not open the token of %s; give the right "
		    "one, and if it was that, log in once with the token's "
		    "own tool",
		    name);
	if (asked || reached || strstr(uri, "pin-") != NULL)
		return err_at(e, ERR_NOTFOUND, "token-key-missing", NULL,
		    NOWHERE,
		    "the token has no private key %s; compare the URI with "
		    "what the token's own tool lists",
		    name);
	return err_at(e, ERR_BUSY, "token-away", NULL, NOWHERE,
	    "no token in reach is the one that %s names; connect it, or "
	    "correct the URI",
	    name);
}

enum err_code
token_key(const char *uri, struct bytes pin, const char *name, EVP_PKEY **out,
    struct err *e)
{
	struct look l = { .pin = pin };
	if (pin.len > PIN_MAX)
		return err_say(e, ERR_INVALID, "token-pin-size",
		    "the PIN has more than the 32 octets that pkcs11-provider "
		    "takes; give the token a shorter one");
	TRY(look_for(uri, &l, e));
	if (l.found == NULL)
		return not_found(uri, name, l.asked && pin.len > 0, e);
	ERR_clear_error();
	reached = true;
	if (!l.is_many) {
		*out = l.found;
		return ERR_OK;
	}
	EVP_PKEY_free(l.found);
	return err_at(e, ERR_INVALID, "token-key-many", NULL, NOWHERE,
	    "the URI %s names more than one key; add what tells them apart: "
	    "the key's id= or the token's serial=",
	    name);
}
