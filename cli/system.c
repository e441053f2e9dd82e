/* system - the program itself: serving, its state, help, small tools. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "cli.h"

static enum err_code
serve(struct cli *c, struct err *e)
{
	return engine_serve(c->dir, c->spanish, c->arena, e);
}

static enum err_code
version(struct cli *c, struct err *e)
{
	(void)e;
	const char *openssl = OpenSSL_version(OPENSSL_VERSION);
	if (c->json)
		printf("{\"openssl\":\"%s\",\"version\":\"%s\"}\n", openssl,
		    REFRENDO_VERSION);
	else
		printf("refrendo %s\n%s\n", REFRENDO_VERSION, openssl);
	return ERR_OK;
}

/* What a code of a finding means. */
static void
help_code(const struct cli *c, struct buf *out, const struct policy_help *h)
{
	const char *rule = h->rule != NULL ? h->rule : "-";
	buf_putf(out, "%s\n\n  %s: %s\n  %s: %s\n  %s: %s\n", h->id,
	    SAY(c, "cause", "causa"), h->why[c->spanish ? 1 : 0],
	    SAY(c, "rule", "regla"), rule, SAY(c, "remedy", "remedio"),
	    h->todo[c->spanish ? 1 : 0]);
}

static void
help_codes(const struct cli *c, struct buf *out)
{
	const struct policy_help *h;
	for (size_t i = 0; (h = policy_help_at(i)) != NULL; i++)
		buf_putf(out, "%-26s %s\n", h->id, h->todo[c->spanish ? 1 : 0]);
}

static enum err_code
help(struct cli *c, struct err *e)
{
	struct buf out AUTO_BUF = BUF(1u << 20);
	const struct policy_help *code = NULL;
	const struct verb *v;
	if (c->n_operand == 1)
		code = policy_help(c->operand[0]);
	if (code != NULL)
		help_code(c, &out, code);
	if (c->n_operand == 1 && strcmp(c->operand[0], "codes") == 0)
		help_codes(c, &out);
	if (c->n_operand == 0)
		cli_help_program(&out, c->spanish);
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (c->n_operand == 0 || strcmp(v->noun, c->operand[0]) != 0 ||
		    v->en == NULL)
			continue;
		if (v->name == NULL ||
		    (c->n_operand == 2 && strcmp(v->name, c->operand[1]) == 0))
			cli_help_verb(&out, v, c->spanish);
	}
	if (out.len == 0)
		cli_help_noun(&out, c->operand[0], c->spanish);
	if (out.len == 0) {
		c->exit = CLI_USAGE;
		return err_say(e, ERR_INVALID, "cli-no-help",
		    "there is no help about %s; see refrendo help",
		    c->operand[0]);
	}
	return print_text(c, "help", buf_bytes(&out), e);
}

static enum err_code
verify_code(struct cli *c, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	char code[10];
	TRY(input_read(c, c->operand[0], 1u << 20, &text, e));
	verification_code(buf_bytes(&text), code);
	if (c->json)
		printf("{\"code\":\"%s\"}\n", code);
	else
		printf("%s\n", code);
	return ERR_OK;
}

static enum err_code
demo(struct cli *c, struct err *e)
{
	(void)e;
	c->exit = (enum cli_exit)demo_main(c->option[OPT_CHECK] != NULL,
	    c->option[OPT_KEEP] != NULL, c->spanish);
	return ERR_OK;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "serve", NULL, serve, NO_ACT, NO_OPERAND, "", 0, 0, 0,
	    "run the engine until SIGTERM", "hacer andar el motor hasta SIGTERM",
	    "serve --dir /var/lib/refrendo", NULL },
	{ "status", NULL, run_show, NO_ACT, NO_OPERAND, "", 0, 0, 0,
	    "how the engine is", "cómo está el motor", "status", "/status" },
	{ "demo", NULL, demo, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_CHECK) | OPTION(OPT_KEEP),
	    "the whole story on data it makes itself", "la historia completa con datos que crea sola",
	    "demo", NULL },
	{ "verify-code", NULL, verify_code, NO_ACT, NO_OPERAND, "FILE", 1, 1, 0,
	    "the code of a statement, to compare by eye", "el código de una declaración, para comparar a la vista",
	    "verify-code statement.json", NULL },
	{ "version", NULL, version, NO_ACT, NO_OPERAND, "", 0, 0, 0,
	    "version of the program and of OpenSSL", "versión del programa y de OpenSSL",
	    "version", NULL },
	{ "help", NULL, help, NO_ACT, NO_OPERAND, "[COMMAND [VERB] | CODE | codes]", 0, 2, 0,
	    "what can be done, and how; what a code of a finding means", "qué se puede hacer, y cómo; qué significa el código de un hallazgo",
	    "help request new", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_system = { verbs, ARRAY_LEN(verbs) };
