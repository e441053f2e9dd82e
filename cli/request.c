#include "cli.h"

/* clang-format off */
static const struct verb verbs[] = {
	{ "request", "new", run_act, ACT_REQUEST_NEW, NO_OPERAND, "", 0, 0, 0,
	    "ask for a certificate", "solicitar un certificado",
	    "request new --as 22222222-2 --rut 60910000-1 --run 12345678-5 --policy funcionario-firma --csr maria.csr", NULL },
	{ "request", "submit", run_act, ACT_REQUEST_SUBMIT, CF_REQUEST, "NUMBER", 1, 1, 0,
	    "submit a draft or a returned request", "enviar un borrador o una solicitud devuelta",
	    "request submit SOL-2026-000001 --as 22222222-2", NULL },
	{ "request", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL) | OPTION(OPT_BLOBS),
	    "list requests", "listar solicitudes", "request ls", "/requests" },
	{ "request", "show", run_show, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_BLOBS),
	    "show one request", "mostrar una solicitud", "request show SOL-2026-000001", "/requests/{}" },
	{ "request", "statement", run_statement, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_OUT),
	    "the exact bytes that a minister signs", "los bytes exactos que firma quien certifica",
	    "request statement SOL-2026-000001 --out statement.json", "/requests/{}/statement" },
	{ "request", "return", run_act, ACT_REQUEST_RETURN, CF_REQUEST, "NUMBER", 1, 1, 0,
	    "return a request for changes", "devolver una solicitud con observaciones",
	    "request return SOL-2026-000001 --as 33333333-3 --reason \"falta el decreto\"", NULL },
	{ "request", "reject", run_act, ACT_REQUEST_REJECT, CF_REQUEST, "NUMBER", 1, 1, 0,
	    "reject a request", "rechazar una solicitud",
	    "request reject SOL-2026-000001 --as 33333333-3 --reason \"no tiene el cargo\"", NULL },
	{ "request", "withdraw", run_act, ACT_REQUEST_WITHDRAW, CF_REQUEST, "NUMBER", 1, 1, 0,
	    "withdraw a request that is not endorsed", "desistir de una solicitud sin certificar",
	    "request withdraw SOL-2026-000001 --as 22222222-2", NULL },
	{ "request", "retry", run_act, ACT_REQUEST_RETRY, CF_REQUEST, "NUMBER", 1, 1, 0,
	    "try a failed request again", "intentar de nuevo una solicitud fallida",
	    "request retry SOL-2026-000001 --as 22222222-2", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_request = { verbs, ARRAY_LEN(verbs) };
