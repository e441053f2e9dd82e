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

/* What was accepted, put together again from its parts, is the same. */
static void
accepted(const struct csr *r)
{
	struct buf again AUTO_BUF = BUF(CSR_MAX_BYTES);
	AUTO(verifier) v = NULL;
	enum key_type type;
	struct err e = { .code = ERR_OK };

	MUST(der_strict(r->der, &e) == ERR_OK);
	MUST(spki_check(r->spki, &type, &e) == ERR_OK && type == r->type);
	MUST(signed_assemble(r->info, r->sigalg, r->signature, &again, &e) ==
	     ERR_OK);
	MUST(bytes_eq(buf_bytes(&again), r->der));
	MUST(verifier_new(&v, &e) == ERR_OK);
	if (csr_prove(r, v, &e) != ERR_OK)
		MUST(e.code == ERR_INVALID && e.say[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct err e = { .code = ERR_OK };
	struct csr r;
	enum err_code code = csr_parse(bytes_of(data, size), &scratch, &r, &e);

	if (code == ERR_OK)
		accepted(&r);
	else
		MUST((code == ERR_INVALID || code == ERR_DENIED) &&
		     e.code == code && e.say[0] != '\0' && e.id[0] != '\0');
	return 0;
}
