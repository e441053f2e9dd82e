/* cli - one run of the program: parse, do, tell. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define HELP_MAX (1u << 20)

enum cli_exit
cli_exit_of(enum err_code code)
{
	switch (code) {
	case ERR_OK:
		return CLI_OK;
	case ERR_INVALID:
	case ERR_DENIED:
		return CLI_INVALID;
	case ERR_FORBIDDEN:
		return CLI_FORBIDDEN;
	case ERR_NOTFOUND:
		return CLI_NOTFOUND;
	case ERR_CONFLICT:
		return CLI_CONFLICT;
	case ERR_BUSY:
	case ERR_NOMEM:
		return CLI_UNAVAILABLE;
	case ERR_CORRUPT:
		return CLI_UNVERIFIED;
	case ERR_IO:
	case ERR_CRYPTO:
		return CLI_ERROR;
	}
	fatal("cli_exit_of: no such category: %d", (int)code);
}

/* refrendo, refrendo --help, refrendo NOUN --help: no verb is meant. */
static bool
wants_help(int argc, char **argv, const char **noun)
{
	const struct verb *v;
	*noun = NULL;
	if (argc < 2)
		return false;
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return true;
	if (argc < 3 || strcmp(argv[2], "--help") != 0)
		return false;
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (strcmp(v->noun, argv[1]) == 0 && v->name != NULL)
			*noun = v->noun;
	}
	return *noun != NULL;
}

static void
put_help(const struct cli *c, const char *noun)
{
	struct buf out AUTO_BUF = BUF(HELP_MAX);
	if (c->verb != NULL)
		cli_help_verb(&out, c->verb, c->spanish);
	else if (noun != NULL)
		cli_help_noun(&out, noun, c->spanish);
	else
		cli_help_program(&out, c->spanish);
	fputs(buf_text(&out), stdout);
}

static enum cli_exit
run(struct cli *c, int argc, char **argv)
{
	struct err e;
	const char *noun;
	bool help = wants_help(argc, argv, &noun);
	enum err_code code = cli_parse(c, argc, argv, &e);
	if (help || (code == ERR_OK && c->option[OPT_HELP] != NULL)) {
		put_help(c, noun);
		return CLI_OK;
	}
	if (code == ERR_OK)
		code = c->verb->run(c, &e);
	fflush(stdout);
	if (code == ERR_OK)
		return c->exit;
	print_refusal(c, &e);
	return c->exit != CLI_OK ? c->exit : cli_exit_of(code);
}

int
cli_main(int argc, char **argv)
{
	/* What the parent starts: nothing of a command line in between. */
	if (argc == 3 && strcmp(argv[1], "role") == 0)
		return engine_role(argv[2]);
	struct cli c = { .arena = arena_new(), .problem = BUF(1u << 20) };
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	enum cli_exit status = run(&c, argc, argv);
	buf_fini(&c.problem);
	arena_free(c.arena);
	return (int)status;
}
