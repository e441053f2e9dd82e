/*
 * help - what each code of this folder means: cause, rule and remedy, in both
 * languages.
 */
#include "internal.h"

/* clang-format off */
#define HELP(id, rule, why, todo, why_es, todo_es) \
	{ id, rule, { why, why_es }, { todo, todo_es } },
static const struct policy_help rows[] = {
#include "help.def"
};
#undef HELP
/* clang-format on */

const struct policy_help *
policy_help_at(size_t i)
{
	return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

const struct policy_help *
policy_help(const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].id, id) == 0)
			return &rows[i];
	}
	return NULL;
}
