/* help - from the table of verbs: examples first. */
#include <string.h>

#include "cli.h"

#define T(en, es) (spanish ? (es) : (en))

static bool
is_first_of_noun(size_t i)
{
	const struct verb *v = cli_verb_at(i);
	for (size_t k = 0; k < i; k++) {
		if (strcmp(cli_verb_at(k)->noun, v->noun) == 0)
			return false;
	}
	return true;
}

/* Words that nobody types. */
static bool
is_hidden(const struct verb *v)
{
	return v->en == NULL;
}

static void
put_verbs_of(struct buf *out, const char *noun)
{
	const struct verb *v;
	const char *between = "";
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (strcmp(v->noun, noun) != 0 || v->name == NULL)
			continue;
		buf_putf(out, "%s%s", between, v->name);
		between = " | ";
	}
}

void
cli_help_program(struct buf *out, bool spanish)
{
	const struct verb *v;
	buf_puts(out,
	    T("refrendo - no endorsement, no signature\n\n"
	      "  refrendo init --officer-run 11111111-1 --officer-name \"Olga "
	      "Soto\"\n"
	      "  refrendo serve\n"
	      "  refrendo request ls\n\n"
	      "Commands; add --help to any of them:\n\n",
		"refrendo - sin certificación no hay firma\n\n"
		"  refrendo init --officer-run 11111111-1 --officer-name "
		"\"Olga Soto\"\n"
		"  refrendo serve\n"
		"  refrendo request ls\n\n"
		"Comandos; agregue --help a cualquiera:\n\n"));
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (!is_first_of_noun(i) || is_hidden(v))
			continue;
		buf_putf(out, "  %-12s ", v->noun);
		if (v->name == NULL)
			buf_puts(out, T(v->en, v->es));
		else
			put_verbs_of(out, v->noun);
		buf_putc(out, '\n');
	}
	buf_puts(out,
	    T("\nExit status: 0 done, 1 error, 2 usage, 3 not found, 4 "
	      "forbidden, 5 conflict,\n6 refused by policy or rules, 7 "
	      "verification failed, 8 unavailable (repeat\nwith the same "
	      "--idempotency-key), 9 partly done; of a certificate's status: "
	      "10 revoked,\n11 unknown.\n",
		"\nEstado de salida: 0 hecho, 1 error, 2 uso, 3 no existe, 4 "
		"no permitido,\n5 conflicto, 6 rechazado por política o "
		"reglas, 7 verificación fallida,\n8 no disponible (repita con "
		"la misma --idempotency-key), 9 hecho en parte; del estado "
		"de un certificado:\n10 revocado, 11 desconocido.\n"));
}

void
cli_help_noun(struct buf *out, const char *noun, bool spanish)
{
	const struct verb *v;
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (strcmp(v->noun, noun) == 0 && v->name != NULL)
			buf_putf(out, "  refrendo %s %-10s %s\n", noun, v->name,
			    T(v->en, v->es));
	}
}

static void
put_option(struct buf *out, const char *word, const char *value,
    const char *text, bool needed, bool spanish)
{
	char head[64];
	snprintf(head, sizeof(head), "--%s%s%s", word, value != NULL ? " " : "",
	    value != NULL ? value : "");
	buf_putf(out, "  %-26s %s%s\n", head, text,
	    needed ? T(" (needed)", " (necesario)") : "");
}

/* What an option means where it is not what it is elsewhere. */
/* clang-format off */
static const struct {
	const char *noun, *name, *option; /* name NULL: every verb of the noun */
	const char *en, *es;
} own_texts[] = {
	{ "ceremony", "root", "cert", "the root before, whose key the new one signs too", "la raíz anterior, cuya llave también firma la nueva" },
	{ "ceremony", "root", "to", "where the key and the certificate go: empty, or not there yet", "donde quedan la llave y el certificado: vacío, o que aún no exista" },
	{ "ceremony", "check", "cert", "certificate of the root", "certificado de la raíz" },
	{ "ceremony", "sign", "cert", "certificate of the root", "certificado de la raíz" },
	{ "ceremony", "crl", "validity", "how long the list counts: 1 to 400 days", "cuánto vale la lista: de 1 a 400 días" },
	{ "ceremony", NULL, "validity", "how long the CA's certificate counts", "cuánto vale el certificado de la CA" },
	{ "ca", NULL, "validity", "how long the CA's certificate counts", "cuánto vale el certificado de la CA" },
	{ "crl", "build", "cert", "certificate of the CA", "certificado de la CA" },
	{ "renew", NULL, "cert", "the certificate that is renewed", "el certificado que se renueva" },
	{ "mandate", NULL, "until", "end of the mandate", "fin del mandato" },
	{ "keys", "split", "to", "where the shares go, a file each: empty, or not there yet", "donde quedan las partes, un archivo cada una: vacío, o que aún no exista" },
	{ "demo", NULL, "check", "verify all of it and stop; exit status 0 if all held", "verificarlo todo y terminar; estado de salida 0 si todo se cumplió" },
};
/* clang-format on */

static const char *
text_of(const struct verb *v, const char *option, const char *en,
    const char *es, bool spanish)
{
	for (size_t i = 0; i < ARRAY_LEN(own_texts); i++) {
		if (strcmp(own_texts[i].noun, v->noun) == 0 &&
		    strcmp(own_texts[i].option, option) == 0 &&
		    (own_texts[i].name == NULL ||
			(v->name != NULL &&
			    strcmp(own_texts[i].name, v->name) == 0)))
			return T(own_texts[i].en, own_texts[i].es);
	}
	return T(en, es);
}

static const char *
field_value(int f)
{
	static const char *const values[] = { [CFT_TEXT] = "TEXT",
		[CFT_RUN] = "RUN",
		[CFT_EMAIL] = "E-MAIL",
		[CFT_WORD] = "WORD",
		[CFT_ID] = "NUMBER",
		[CFT_HEX] = "HEX",
		[CFT_OCTETS] = "FILE",
		[CFT_TIME] = "DATE",
		[CFT_NUMBER] = "N",
		[CFT_DURATION] = "2y|90d",
		[CFT_FLAG] = NULL,
		[CFT_MAP] = "NAME=VALUE",
		[CFT_FILES] = "FILE" };
	return values[ca_fields[f].type];
}

static void
put_fields(struct buf *out, const struct verb *v, bool required, bool spanish)
{
	uint64_t needed = cli_fields_of(v, true);
	uint64_t all = cli_fields_of(v, false);
	for (int f = 0; f < CF_COUNT; f++) {
		char flag[32];
		if ((all >> f & 1) == 0 || (needed >> f & 1) != required)
			continue;
		cli_flag_of((enum ca_field)f, flag);
		put_option(out, flag, field_value(f),
		    text_of(v, flag, ca_fields[f].help, cli_fields_es[f],
			spanish),
		    required, spanish);
	}
}

static void
put_causes(struct buf *out, const struct verb *v, bool spanish)
{
	if ((cli_fields_of(v, false) >> CF_CAUSE & 1) == 0)
		return;
	buf_puts(out, T("\nCauses:\n", "\nCausas:\n"));
	for (size_t i = 0; i < ca_n_causes; i++) {
		if (ca_causes[i].for_suspension !=
			(v->act == ACT_CERTIFICATE_SUSPEND) ||
		    (v->act == ACT_CEREMONY_CRL &&
			ceremony_cause(bytes_str(ca_causes[i].word)) ==
			    CRL_UNSPECIFIED))
			continue;
		buf_putf(out, "  %-20s %s%s(%s)\n", ca_causes[i].word,
		    T("", ca_causes[i].es), T("", " "), ca_causes[i].rule);
	}
}

void
cli_help_verb(struct buf *out, const struct verb *v, bool spanish)
{
	uint64_t options = cli_options_of(v);
	buf_putf(out, "refrendo %s%s%s%s%s - %s\n\n", v->noun,
	    v->name != NULL ? " " : "", v->name != NULL ? v->name : "",
	    v->operands[0] != '\0' ? " " : "", v->operands, T(v->en, v->es));
	buf_putf(out, "  refrendo %s\n\n", v->example);
	put_fields(out, v, true, spanish);
	put_fields(out, v, false, spanish);
	for (int o = 0; o < OPT_COUNT; o++) {
		const struct option_def *d = &cli_options[o];
		if ((options & OPTION(o)) != 0)
			put_option(out, d->word, d->value,
			    text_of(v, d->word, d->en, d->es, spanish), false,
			    spanish);
	}
	put_causes(out, v, spanish);
}

/* --- doc/cli.md ----------------------------------------------------------------- */

static const char intro[] =
    "# The command line\n\n"
    "Made from the tables in `cli/` by the tests: change those.\n\n"
    "Nouns, then verbs. Data goes to standard output, talk to standard error. "
    "With `--json` answers are one line of JSON,\nand a refusal is a problem "
    "document (doc/api.md) on the last line of standard error. Secrets are "
    "never arguments: a\npassphrase is asked for, or a line of the descriptor "
    "that "
    "`REFRENDO_PASSPHRASE_FD` names: one for each key, in the\norder in which "
    "a command asks for them. What asks before it signs or destroys needs "
    "`--yes` where there is no terminal.\n\n"
    "Environment: `REFRENDO_DIR` (the installation), `REFRENDO_AS` (RUN of "
    "whoever acts), `LANG` (`es…`: Spanish).\n\n"
    "| exit status | |\n|---|---|\n"
    "| 0 | done |\n| 1 | error |\n| 2 | usage |\n| 3 | not found |\n"
    "| 4 | forbidden |\n| 5 | conflict, or not in this state |\n"
    "| 6 | refused by policy, law or the rules of the input |\n"
    "| 7 | verification failed |\n"
    "| 8 | unavailable: repeat with the same `--idempotency-key` |\n"
    "| 9 | partly done |\n"
    "| 10 | the certificate is revoked, or on hold |\n"
    "| 11 | the responder does not know the certificate |\n";

void
cli_reference(struct buf *out)
{
	const struct verb *v;
	buf_puts(out, intro);
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (is_hidden(v))
			continue;
		if (is_first_of_noun(i))
			buf_putf(out, "\n## %s\n", v->noun);
		buf_puts(out, "\n```\n");
		cli_help_verb(out, v, false);
		buf_puts(out, "```\n");
	}
}
