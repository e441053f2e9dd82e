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

static bool
inside(struct bytes part, struct bytes whole)
{
	return part.len == 0 ||
	       (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

/* Standards alone never find more than they and the house together. */
static void
lint(const struct cert *c)
{
	unsigned kind;

	for (kind = LINT_ROOT; kind <= LINT_OCSP; kind++) {
		struct lint all, standards;
		struct err e;

		cert_lint(c, (enum lint_kind)kind, LINT_ALL, &all);
		cert_lint(c, (enum lint_kind)kind, LINT_STANDARDS, &standards);
		MUST(standards.n <= all.n && all.errors <= all.n);
		MUST((lint_verdict(&all, &e) == ERR_OK) == (all.errors == 0));
	}
	MUST(lint_guess(c) <= LINT_OCSP);
}

static void
accepted(const struct cert *c)
{
	struct buf again AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct err e = { .code = ERR_OK };
	struct cert twin;
	struct issuer_id id;
	char text[64];
	size_t i;

	MUST(signed_assemble(c->tbs, c->sigalg, c->signature, &again, &e) ==
	     ERR_OK);
	MUST(bytes_eq(buf_bytes(&again), c->der));
	MUST(cert_parse(buf_bytes(&again), &twin, &e) == ERR_OK);
	MUST(twin.n_ext == c->n_ext && twin.key_usage == c->key_usage &&
	     twin.not_after == c->not_after && twin.is_ca == c->is_ca);
	MUST(c->serial.len >= 1 && c->serial.len <= SERIAL_MAX);
	MUST(c->key_usage < 1u << 9 && c->n_ext <= CERT_EXTS_MAX);
	for (i = 0; i < c->n_ext; i++)
		MUST(inside(c->ext[i].value, c->tbs));
	MUST(inside(c->ski, c->tbs) && inside(c->aki, c->tbs));
	name_print(text, sizeof(text), c->subject);
	MUST(strlen(text) < sizeof(text));
	(void)cert_has_eku(c, OID_EKU_OCSP);
	if (issuer_id_of(c, &id, &e) != ERR_OK)
		MUST(e.say[0] != '\0');
	lint(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .code = ERR_OK };
	struct cert c, own;
	enum err_code code = cert_parse(bytes_of(data, size), &c, &e);

	if (code == ERR_OK)
		accepted(&c);
	else
		MUST(code == ERR_INVALID && e.code == code &&
		     e.say[0] != '\0' && e.id[0] != '\0');
	/* Ours differ in one refusal, and the lint finds what was not declared. */
	if (cert_parse_own(bytes_of(data, size), &own, &e) == ERR_OK) {
		for (size_t i = 0; i < own.n_ext; i++) {
			struct cert_ext *x = &own.ext[i];

			cert_declare(&own, x->oid, x->critical);
			MUST(x->declared == ext_is_private(x->oid));
		}
		lint(&own);
	} else {
		MUST(code != ERR_OK && strcmp(e.id, "cert-critical") != 0);
	}
	if (cert_skim(bytes_of(data, size), &c))
		lint(&c);
	else
		MUST(code != ERR_OK);
	return 0;
}
