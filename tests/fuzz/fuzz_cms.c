/* libs: pkix */
#include <refrendo/pkix.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

/* The text that the corpus is signed over. */
static const char text[] = "{\"statement\":1}";

static void
accepted(const struct cms *c)
{
	AUTO(verifier) v = NULL;
	struct err e = { .code = ERR_OK };
	struct cert again;

	MUST(der_strict(c->der, &e) == ERR_OK);
	MUST(cert_parse(c->signer.der, &again, &e) == ERR_OK);
	MUST(c->message_digest.len == 32 || c->message_digest.len == 48 ||
	     c->message_digest.len == 64);
	MUST(c->signed_attrs.len > 0 && c->sigalg.len > 0);
	MUST(verifier_new(&v, &e) == ERR_OK);
	if (cms_verify(c, bytes_str(text), v, &e) != ERR_OK)
		MUST(e.code == ERR_INVALID && e.say[0] != '\0');
	MUST(cms_verify(c, bytes_str("another"), v, &e) == ERR_INVALID);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct err e = { .code = ERR_OK };
	struct cms c;
	enum err_code code = cms_parse(bytes_of(data, size), &scratch, &c, &e);

	if (code == ERR_OK)
		accepted(&c);
	else
		MUST(code == ERR_INVALID && e.code == code &&
		     e.say[0] != '\0' && e.id[0] != '\0');
	return 0;
}
