#include "cli.h"

/* clang-format off */
static const struct verb verbs[] = {
	{ "mandate", "propose", run_act, ACT_MANDATE_PROPOSE, CF_SERIAL, "SERIAL", 1, 1, 0,
	    "propose that a certificate be renewed without a new endorsement", "proponer que un certificado se renueve sin una nueva certificación",
	    "mandate propose 5c0e91a7… --as 22222222-2 --until 2027-06-30 --renewals 30", NULL },
	{ "mandate", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL) | OPTION(OPT_BLOBS),
	    "list mandates", "listar mandatos", "mandate ls", "/mandates" },
	{ "mandate", "show", run_show, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_BLOBS),
	    "show one mandate", "mostrar un mandato", "mandate show MAN-2026-000001", "/mandates/{}" },
	{ "mandate", "statement", run_statement, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_OUT),
	    "the exact bytes that a minister signs", "los bytes exactos que firma quien certifica",
	    "mandate statement MAN-2026-000001 --out statement.json", "/mandates/{}/statement" },
	{ "mandate", "endorse", run_sign, ACT_MANDATE_ENDORSE, CF_MANDATE, "NUMBER", 1, 1,
	    OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES),
	    "sign a mandate as minister of faith, or bring the signature", "firmar un mandato como ministra o ministro de fe, o traer la firma",
	    "mandate endorse MAN-2026-000001 --key ana.key --cert ana.pem", "/mandates/{}/statement" },
	{ "mandate", "end", run_act, ACT_MANDATE_END, CF_MANDATE, "NUMBER", 1, 1, 0,
	    "end a mandate at once, or withdraw a proposed one", "terminar un mandato de inmediato, o retirar uno propuesto",
	    "mandate end MAN-2026-000001 --as 33333333-3 --reason \"dejó el cargo\"", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_mandate = { verbs, ARRAY_LEN(verbs) };
