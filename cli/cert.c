#include <string.h>

#include "cli.h"

/* The root whose key it names; the first where none is. */
static enum err_code
put_root(struct cli *c, struct bytes issuer, struct buf *out, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct config *config = arena_get(c->arena, sizeof(*config));
	struct cert ca, root = { .ski = BYTES_NONE };
	TRY(cli_config(c, config, e));
	TRY(cert_parse(issuer, &ca, e));
	for (size_t i = config->n_root; i > 0 && root.der.len == 0; i--) {
		buf_reset(&der);
		TRY(file_certificate(c->dir, config->root[i - 1].certificate,
		    &der, e));
		TRY(cert_parse(buf_bytes(&der), &root, e));
		if (!bytes_eq(ca.aki, root.ski))
			root.der = BYTES_NONE;
	}
	if (root.der.len == 0) {
		buf_reset(&der);
		TRY(file_certificate(c->dir, config->root_certificate, &der,
		    e));
	}
	pem_put(out, "CERTIFICATE", buf_bytes(&der));
	return ERR_OK;
}

/* The certificate, its issuer and the root, as files want them. */
static enum err_code
cert_chain(struct cli *c, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf pem AUTO_BUF = BUF(8 * CERT_MAX_BYTES);
	json_t *record;
	const char *serial = c->operand[0];
	TRY(engine_json(c, path_of(c, "/certificates/", serial, ""), &record,
	    e));
	const char *issuer = arena_printf(c->arena, "%s",
	    json_string_value(json_object_get(record, "issuer")));
	json_decref(record);
	TRY(engine_get(c, path_of(c, "/certificates/", serial, "/certificate"),
	    &der, e));
	pem_put(&pem, "CERTIFICATE", buf_bytes(&der));
	buf_reset(&der);
	TRY(engine_get(c, path_of(c, "/cas/", issuer, "/certificate"), &der,
	    e));
	pem_put(&pem, "CERTIFICATE", buf_bytes(&der));
	TRY(put_root(c, buf_bytes(&der), &pem, e));
	TRY(buf_end(&pem, e));
	return print_octets(c, buf_bytes(&pem), e);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "cert", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL) | OPTION(OPT_BLOBS),
	    "list certificates", "listar certificados", "cert ls", "/certificates" },
	{ "cert", "show", run_show, NO_ACT, NO_OPERAND, "SERIAL", 1, 1, OPTION(OPT_BLOBS),
	    "show one certificate's record", "mostrar el registro de un certificado",
	    "cert show 5c0e91a7…", "/certificates/{}" },
	{ "cert", "get", run_certificate, NO_ACT, NO_OPERAND, "SERIAL", 1, 1,
	    OPTION(OPT_OUT) | OPTION(OPT_DER),
	    "the certificate itself", "el certificado mismo",
	    "cert get 5c0e91a7… --out maria.pem", "/certificates/{}/certificate" },
	{ "cert", "chain", cert_chain, NO_ACT, NO_OPERAND, "SERIAL", 1, 1,
	    OPTION(OPT_OUT) | OPTION(OPT_SOCKET),
	    "the certificate, its issuer and the root", "el certificado, su emisora y la raíz",
	    "cert chain 5c0e91a7… --out chain.pem", NULL },
	{ "cert", "renew", run_act, ACT_CERTIFICATE_RENEW, CF_SERIAL, "SERIAL", 1, 1, 0,
	    "ask for the successor of a certificate", "solicitar el sucesor de un certificado",
	    "cert renew 5c0e91a7… --as 22222222-2 --csr maria2.csr", NULL },
	{ "cert", "revoke", run_act, ACT_CERTIFICATE_REVOKE, CF_SERIAL, "SERIAL", 1, 1, 0,
	    "revoke a certificate, or propose it", "revocar un certificado, o proponerlo",
	    "cert revoke 5c0e91a7… --as 33333333-3 --cause office-ended --reason \"dejó el cargo\"", NULL },
	{ "cert", "suspend", run_act, ACT_CERTIFICATE_SUSPEND, CF_SERIAL, "SERIAL", 1, 1, 0,
	    "suspend a certificate until a date", "suspender un certificado hasta una fecha",
	    "cert suspend 5c0e91a7… --as 33333333-3 --cause key-doubt", NULL },
	{ "cert", "reinstate", run_act, ACT_CERTIFICATE_REINSTATE, CF_SERIAL, "SERIAL", 1, 1, 0,
	    "lift a suspension", "levantar una suspensión",
	    "cert reinstate 5c0e91a7… --as 33333333-3", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_cert = { verbs, ARRAY_LEN(verbs) };
