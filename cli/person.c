#include "cli.h"

/* Of one institution, or of all. */
static enum err_code
person_ls(struct cli *c, struct err *e)
{
	static const struct verb of_one = { .noun = "person",
		.name = "ls",
		.list = "/institutions/{}/people" };
	const struct verb *before = c->verb;
	if (c->n_operand == 1)
		c->verb = &of_one;
	enum err_code code = run_list(c, e);
	c->verb = before;
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "person", "add", run_act, ACT_PERSON_REGISTER, NO_OPERAND, "", 0, 0, 0,
	    "register a person, or change what is registered", "registrar a una persona, o cambiar sus datos",
	    "person add --as 22222222-2 --rut 60910000-1 --run 12345678-5 --name \"María Pérez Soto\" --office \"Directora de Obras\" --email maria@example.org", NULL },
	{ "person", "ls", person_ls, NO_ACT, NO_OPERAND, "[RUT]", 0, 1,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL),
	    "list people, of one institution or of all", "listar personas, de una institución o de todas",
	    "person ls 60910000-1", "/people" },
	{ "person", "show", run_show, NO_ACT, NO_OPERAND, "RUT RUN", 2, 2, 0,
	    "show one person of an institution", "mostrar a una persona de una institución",
	    "person show 60910000-1 12345678-5", "/institutions/{}/people/{}" },
};
/* clang-format on */

const struct verbs cli_verbs_person = { verbs, ARRAY_LEN(verbs) };
