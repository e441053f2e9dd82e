/*
 * args - the command line against the table of verbs: noun, verb, options,
 * operands.  What is not in the table is a mistake with a suggestion.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

#define COMMON                                                   \
	(OPTION(OPT_DIR) | OPTION(OPT_JSON) | OPTION(OPT_LANG) | \
	    OPTION(OPT_HELP))
#define WORDS_MAX 128
/* Values of struct option: options from here, fields after them. */
#define VALUE_OPTION 1000
#define VALUE_FIELD  2000

void
cli_flag_of(enum ca_field f, char out[32])
{
	const char *name = ca_fields[f].name;
	size_t i = 0;
	for (; name[i] != '\0' && i < 31; i++)
		out[i] = name[i] == '_' ? '-' : name[i];
	out[i] = '\0';
}

uint64_t
cli_fields_of(const struct verb *v, bool required)
{
	if (v->act == NO_ACT)
		return 0;
	const struct ca_act_def *act = &ca_acts[v->act];
	uint64_t all = act->required | (required ? 0 : act->optional);
	/* Files are operands, behind a name or alone. */
	all &= ~(UINT64_C(1) << CF_KEY | UINT64_C(1) << CF_FILES);
	/* The operand gives it. */
	if (v->operand != NO_OPERAND)
		all &= ~(UINT64_C(1) << v->operand);
	/* Of a CA whose key is replaced: its next name is made of it. */
	if (v->operand == CF_REPLACES)
		all &= ~(UINT64_C(1) << CF_NAME);
	/* Made from --key and --cert where --cms is not given. */
	if (required && (v->options & OPTION(OPT_KEY)) != 0)
		all &= ~(UINT64_C(1) << CF_CMS);
	return all;
}

uint64_t
cli_options_of(const struct verb *v)
{
	uint64_t all = COMMON | v->options;
	if (v->act != NO_ACT)
		all |= OPTION(OPT_IDEMPOTENCY_KEY) | OPTION(OPT_SOCKET);
	if (v->list != NULL)
		all |= OPTION(OPT_SOCKET);
	return all;
}

/* --- Mistakes ------------------------------------------------------------------- */

static enum err_code
unknown(struct cli *c, const char *what, const char *got,
    const char *const *words, size_t n, struct err *e)
{
	const char *near = nearest_word(bytes_str(got), words, n);
	c->exit = CLI_USAGE;
	if (near != NULL)
		return err_say(e, ERR_INVALID, "cli-unknown-near",
		    "there is no %s %s; is %s meant?", what, got, near);
	return err_say(e, ERR_INVALID, "cli-unknown",
	    "there is no %s %s; see refrendo help", what, got);
}

enum err_code
cli_usage_missing(struct cli *c, const char *what, struct err *e)
{
	c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "cli-missing",
	    "%s is missing; add --help to see what this command needs", what);
}

/* --- Noun and verb ------------------------------------------------------------------ */

static size_t
add_word(const char *words[WORDS_MAX], size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], word) == 0)
			return n;
	}
	if (n < WORDS_MAX)
		words[n++] = word;
	return n;
}

static enum err_code
find_verb(struct cli *c, int argc, char **argv, int *used, struct err *e)
{
	const char *words[WORDS_MAX];
	const struct verb *v;
	size_t n = 0;
	bool is_noun = false;
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (strcmp(v->noun, argv[1]) != 0)
			continue;
		is_noun = true;
		if (v->name != NULL &&
		    (argc < 3 || strcmp(v->name, argv[2]) != 0))
			continue;
		c->verb = v;
		*used = v->name == NULL ? 2 : 3;
		return ERR_OK;
	}
	for (size_t i = 0; (v = cli_verb_at(i)) != NULL; i++) {
		if (!is_noun)
			n = add_word(words, n, v->noun);
		else if (strcmp(v->noun, argv[1]) == 0)
			n = add_word(words, n, v->name);
	}
	if (!is_noun)
		return unknown(c, SAY(c, "command", "comando"), argv[1], words,
		    n, e);
	if (argc < 3 || argv[2][0] == '-')
		return cli_usage_missing(c, SAY(c, "the verb", "el verbo"), e);
	return unknown(c, SAY(c, "verb", "verbo"), argv[2], words, n, e);
}

/* --- Options ---------------------------------------------------------------------------- */

/* What getopt_long() is told: every option of the verb. */
struct words {
	struct option option[OPT_COUNT + CF_COUNT + 1];
	char flag[CF_COUNT][32];
	const char *word[OPT_COUNT + CF_COUNT];
	size_t n;
};

static void
collect(const struct verb *v, struct words *w)
{
	uint64_t options = cli_options_of(v);
	uint64_t fields = cli_fields_of(v, false);
	for (int o = 0; o < OPT_COUNT; o++) {
		const struct option_def *d = &cli_options[o];
		if ((options & OPTION(o)) == 0)
			continue;
		w->word[w->n] = d->word;
		w->option[w->n++] = (struct option){ .name = d->word,
			.has_arg = d->value != NULL,
			.val = VALUE_OPTION + o };
	}
	for (int f = 0; f < CF_COUNT; f++) {
		if ((fields >> f & 1) == 0)
			continue;
		cli_flag_of((enum ca_field)f, w->flag[f]);
		w->word[w->n] = w->flag[f];
		w->option[w->n++] = (struct option){ .name = w->flag[f],
			.has_arg = ca_fields[f].type != CFT_FLAG,
			.val = VALUE_FIELD + f };
	}
}

/* A map's option is given once for each of its lines. */
static void
take_value(struct cli *c, int f, const char *value)
{
	if (ca_fields[f].type == CFT_MAP && c->field[f] != NULL)
		value = arena_printf(c->arena, "%s\n%s", c->field[f], value);
	c->field[f] = value;
}

static enum err_code
take_options(struct cli *c, int argc, char **argv, struct err *e)
{
	struct words w = { .n = 0 };
	int got;
	collect(c->verb, &w);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((got = getopt_long(argc, argv, ":", w.option, NULL)) != -1) {
		if (got >= VALUE_FIELD) {
			take_value(c, got - VALUE_FIELD,
			    optarg == NULL ? "true" : optarg);
		} else if (got >= VALUE_OPTION) {
			c->option[got - VALUE_OPTION] =
			    optarg == NULL ? "" : optarg;
		} else if (got == ':') {
			return cli_usage_missing(c, argv[optind - 1], e);
		} else {
			char word[64];
			snprintf(word, sizeof(word), "%.63s",
			    argv[optind - 1] + strspn(argv[optind - 1], "-"));
			word[strcspn(word, "=")] = '\0';
			return unknown(c, SAY(c, "option", "opción"), word,
			    w.word, w.n, e);
		}
	}
	for (; optind < argc; optind++) {
		if (c->n_operand == c->verb->max) {
			c->exit = CLI_USAGE;
			return err_say(e, ERR_INVALID, "cli-operand",
			    "%s is one word too many; see --help",
			    argv[optind]);
		}
		c->operand[c->n_operand++] = argv[optind];
	}
	return ERR_OK;
}

static enum err_code
take_defaults(struct cli *c, struct err *e)
{
	const char *lang = c->option[OPT_LANG];
	if (lang != NULL && strcmp(lang, "es") != 0 && strcmp(lang, "en") != 0)
		return cli_usage_missing(c, "--lang es|en", e);
	if (lang != NULL)
		c->spanish = strcmp(lang, "es") == 0;
	c->json = c->option[OPT_JSON] != NULL;
	if (c->option[OPT_DIR] != NULL)
		c->dir = c->option[OPT_DIR];
	if (c->field[CF_AS] == NULL &&
	    (cli_fields_of(c->verb, false) >> CF_AS & 1) != 0)
		c->field[CF_AS] = getenv("REFRENDO_AS");
	return ERR_OK;
}

static enum err_code
check_given(struct cli *c, struct err *e)
{
	uint64_t needed = cli_fields_of(c->verb, true);
	if (c->n_operand < c->verb->min)
		return cli_usage_missing(c, c->verb->operands, e);
	/* One that may be left out is what the act is about. */
	if (c->verb->operand != NO_OPERAND && c->n_operand == 0)
		needed = 0;
	if (c->verb->operand != NO_OPERAND)
		c->field[c->verb->operand] = c->operand[0];
	for (int f = 0; f < CF_COUNT; f++) {
		char flag[34] = "--";
		if ((needed >> f & 1) == 0 || c->field[f] != NULL)
			continue;
		cli_flag_of((enum ca_field)f, flag + 2);
		return cli_usage_missing(c, flag, e);
	}
	return ERR_OK;
}

static const char *
default_dir(void)
{
	struct stat st;
	const char *dir = getenv("REFRENDO_DIR");
	if (dir != NULL && dir[0] != '\0')
		return dir;
	return stat("/var/lib/refrendo", &st) == 0 ? "/var/lib/refrendo"
						   : "./refrendo-data";
}

static bool
speaks_spanish(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strncmp(value, "es", 2) == 0;
	}
	return false;
}

/* Mistakes before and among the options are told in the language asked for. */
static void
early_options(struct cli *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			c->json = true;
		if (strcmp(argv[i], "--lang=es") == 0 ||
		    (strcmp(argv[i], "--lang") == 0 && i + 1 < argc &&
			strcmp(argv[i + 1], "es") == 0))
			c->spanish = true;
		if (strcmp(argv[i], "--lang=en") == 0 ||
		    (strcmp(argv[i], "--lang") == 0 && i + 1 < argc &&
			strcmp(argv[i + 1], "en") == 0))
			c->spanish = false;
	}
}

enum err_code
cli_parse(struct cli *c, int argc, char **argv, struct err *e)
{
	int used = 0;
	c->dir = default_dir();
	c->spanish = speaks_spanish();
	early_options(c, argc, argv);
	if (argc < 2)
		return cli_usage_missing(c, SAY(c, "the command", "el comando"),
		    e);
	TRY(find_verb(c, argc, argv, &used, e));
	/* getopt_long() skips one word: the last of the verb. */
	TRY(take_options(c, argc - used + 1, argv + used - 1, e));
	TRY(take_defaults(c, e));
	if (c->option[OPT_HELP] != NULL)
		return ERR_OK;
	return check_given(c, e);
}
