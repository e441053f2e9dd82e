#include "cli.h"

#define PAGE                                                       \
	(OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL) | \
	    OPTION(OPT_BLOBS))

/* clang-format off */
static const struct verb verbs[] = {
	{ "inst", "add", run_act, ACT_INSTITUTION_ADD, NO_OPERAND, "", 0, 0, 0,
	    "note an institution's application", "anotar la solicitud de una institución",
	    "inst add --as 11111111-1 --rut 60910000-1 --name \"Universidad de Ejemplo\"", NULL },
	{ "inst", "enable", run_act, ACT_INSTITUTION_ENABLE, CF_RUT, "RUT", 1, 1, 0,
	    "enable an institution, or lift its suspension", "habilitar una institución, o levantar su suspensión",
	    "inst enable 60910000-1 --as 11111111-1", NULL },
	{ "inst", "suspend", run_act, ACT_INSTITUTION_SUSPEND, CF_RUT, "RUT", 1, 1, 0,
	    "stop everything new of an institution", "detener todo lo nuevo de una institución",
	    "inst suspend 60910000-1 --as 11111111-1 --reason \"convenio vencido\"", NULL },
	{ "inst", "close", run_act, ACT_INSTITUTION_CLOSE, CF_RUT, "RUT", 1, 1, 0,
	    "close an institution for good", "cerrar una institución definitivamente",
	    "inst close 60910000-1 --as 11111111-1", NULL },
	{ "inst", "appoint", run_act, ACT_APPOINTMENT_PROPOSE, CF_RUT, "RUT", 1, 1, 0,
	    "propose a minister of faith: appointment propose", "proponer ministro o ministra de fe: appointment propose",
	    "inst appoint 60910000-1 --as 11111111-1 --run 33333333-3 --name \"Ana Rojas\" --office Secretaria --csr ana.csr --act-number \"Decreto 100\" --act-date 2026-11-01 --until 2027-10-31", NULL },
	{ "inst", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0, PAGE,
	    "list institutions", "listar instituciones", "inst ls", "/institutions" },
	{ "inst", "show", run_show, NO_ACT, NO_OPERAND, "RUT", 1, 1, 0,
	    "show one institution", "mostrar una institución", "inst show 60910000-1", "/institutions/{}" },
};
/* clang-format on */

const struct verbs cli_verbs_inst = { verbs, ARRAY_LEN(verbs) };
