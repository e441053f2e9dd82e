#include "cli.h"

/* clang-format off */
static const struct verb verbs[] = {
	{ "appointment", "propose", run_act, ACT_APPOINTMENT_PROPOSE, NO_OPERAND, "", 0, 0, 0,
	    "propose a minister of faith", "proponer ministro o ministra de fe",
	    "appointment propose --as 11111111-1 --rut 60910000-1 --run 33333333-3 --name \"Ana Rojas\" --office Secretaria --csr ana.csr --act-number \"Decreto 100\" --act-date 2026-11-01 --until 2027-10-31", NULL },
	{ "appointment", "confirm", run_sign, ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT, "NUMBER", 1, 1,
	    OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES),
	    "sign an appointment as officer, or bring the signature; as many as the quorum", "firmar un nombramiento como oficial, o traer la firma; tantas como pida el quórum",
	    "appointment confirm NOM-2026-000001 --key officer.key --cert officer.pem", "/appointments/{}/statement" },
	{ "appointment", "end", run_act, ACT_APPOINTMENT_END, CF_APPOINTMENT, "NUMBER", 1, 1, 0,
	    "end an appointment at once", "terminar un nombramiento de inmediato",
	    "appointment end NOM-2026-000001 --as 11111111-1 --reason \"dejó el cargo\"", NULL },
	{ "appointment", "withdraw", run_act, ACT_APPOINTMENT_WITHDRAW, CF_APPOINTMENT, "NUMBER", 1, 1, 0,
	    "withdraw a proposed appointment", "retirar un nombramiento propuesto",
	    "appointment withdraw NOM-2026-000001 --as 11111111-1", NULL },
	{ "appointment", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL) | OPTION(OPT_BLOBS),
	    "list appointments", "listar nombramientos", "appointment ls", "/appointments" },
	{ "appointment", "show", run_show, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_BLOBS),
	    "show one appointment", "mostrar un nombramiento",
	    "appointment show NOM-2026-000001", "/appointments/{}" },
	{ "appointment", "statement", run_statement, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_OUT),
	    "the exact bytes that officers sign", "los bytes exactos que firman los oficiales",
	    "appointment statement NOM-2026-000001 --out statement.json", "/appointments/{}/statement" },
	{ "appointment", "get", run_certificate, NO_ACT, NO_OPERAND, "NUMBER", 1, 1,
	    OPTION(OPT_OUT) | OPTION(OPT_DER),
	    "the minister's certificate, once in force", "el certificado de quien es ministro de fe, ya vigente",
	    "appointment get NOM-2026-000001 --out ana.pem", "/appointments/{}/certificate" },
};
/* clang-format on */

const struct verbs cli_verbs_appointment = { verbs, ARRAY_LEN(verbs) };
