/* print - what people and programs read; files and keys that they name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define CELL_MAX    44 /* characters of a column; longer ones end with … */
#define COLUMNS_MAX 7

/* --- For people ------------------------------------------------------------------- */

void
run_for_people(const char *text, char *out, size_t size)
{
	char stored[RUN_TEXT];
	struct err ignored;
	size_t n = 0;
	if (run_parse(bytes_str(text), stored, &ignored) != ERR_OK) {
		snprintf(out, size, "%s", text);
		return;
	}
	size_t digits = strlen(stored) - 2;
	for (size_t i = 0; stored[i] != '\0' && n + 2 < size; i++) {
		if (i > 0 && i < digits && (digits - i) % 3 == 0)
			out[n++] = '.';
		out[n++] = stored[i];
	}
	out[n] = '\0';
}

static bool
is_run(const char *member)
{
	static const char *const names[] = { "run", "rut", "institution",
		"holder_run", "operator_run", "minister_run", "proposed_by",
		"asked_by", "officer" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], member) == 0)
			return true;
	}
	return false;
}

/* A member of a record as text; lives in the arena. */
static const char *
cell(struct cli *c, const json_t *record, const char *member)
{
	const json_t *value = json_object_get(record, member);
	char text[24];
	if (json_is_integer(value) && json_integer_value(value) == 0 &&
	    (strcmp(member, "partition") == 0 || strcmp(member, "base") == 0))
		return ""; /* all of them; a complete one */
	if (json_is_integer(value))
		return arena_printf(c->arena, "%lld",
		    (long long)json_integer_value(value));
	if (!json_is_string(value))
		return "";
	if (strcmp(member, "state") == 0)
		return state_for_people(c, record, json_string_value(value));
	if (!is_run(member))
		return word_for_people(c, member,
		    arena_str(c->arena, bytes_of(json_string_value(value),
					    json_string_length(value))));
	run_for_people(json_string_value(value), text, sizeof(text));
	return arena_str(c->arena, bytes_str(text));
}

static size_t
width_of(const char *text)
{
	return utf8_count(bytes_str(text));
}

static void
put_padded(const char *text, size_t width, bool last)
{
	size_t len = width_of(text);
	if (len > CELL_MAX) {
		/* Cut at the start of a character. */
		size_t n = 0, at = 0;
		while (n < CELL_MAX) {
			at++;
			n += ((uint8_t)text[at] & 0xc0) != 0x80;
		}
		printf("%.*s…", (int)at, text);
		len = CELL_MAX + 1;
	} else {
		printf("%s", text);
	}
	for (; !last && len < width + 2; len++)
		putchar(' ');
}

/* --- Lists ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct columns {
	const char *list;
	struct { const char *member, *en, *es; } column[COLUMNS_MAX];
} lists[] = {
	{ "/institutions", { { "rut", "RUT", "RUT" }, { "name", "NAME", "NOMBRE" },
	    { "kind", "KIND", "CLASE" }, { "state", "STATE", "ESTADO" }, { "changed", "SINCE", "DESDE" } } },
	{ "/people", { { "institution", "INSTITUTION", "INSTITUCIÓN" },
	    { "run", "RUN", "RUN" }, { "name", "NAME", "NOMBRE" },
	    { "kind", "KIND", "CLASE" },
	    { "office", "OFFICE", "CARGO" }, { "email", "E-MAIL", "CORREO" } } },
	{ "/appointments", { { "id", "NUMBER", "NÚMERO" },
	    { "institution", "INSTITUTION", "INSTITUCIÓN" }, { "run", "RUN", "RUN" },
	    { "name", "NAME", "NOMBRE" }, { "state", "STATE", "ESTADO" },
	    { "from", "FROM", "DESDE" }, { "until", "UNTIL", "HASTA" } } },
	{ "/requests", { { "id", "NUMBER", "NÚMERO" },
	    { "institution", "INSTITUTION", "INSTITUCIÓN" },
	    { "holder_run", "RUN", "RUN" }, { "holder_name", "HOLDER", "TITULAR" },
	    { "policy", "POLICY", "POLÍTICA" }, { "state", "STATE", "ESTADO" },
	    { "created", "CREATED", "CREADA" } } },
	{ "/certificates", { { "serial", "SERIAL", "SERIE" },
	    { "institution", "INSTITUTION", "INSTITUCIÓN" },
	    { "holder_run", "RUN", "RUN" }, { "policy", "POLICY", "POLÍTICA" },
	    { "state", "STATE", "ESTADO" }, { "not_after", "UNTIL", "VENCE" } } },
	{ "/mandates", { { "id", "NUMBER", "NÚMERO" },
	    { "institution", "INSTITUTION", "INSTITUCIÓN" },
	    { "holder_run", "RUN", "RUN" }, { "policy", "POLICY", "POLÍTICA" },
	    { "state", "STATE", "ESTADO" }, { "used", "USED", "USOS" },
	    { "renewals", "OF", "DE" } } },
	{ "/certificates/due", { { "serial", "SERIAL", "SERIE" },
	    { "institution", "INSTITUTION", "INSTITUCIÓN" },
	    { "holder_run", "RUN", "RUN" }, { "policy", "POLICY", "POLÍTICA" },
	    { "not_after", "UNTIL", "VENCE" } } },
	{ "/policies", { { "name", "POLICY", "POLÍTICA" },
	    { "version", "VERSION", "VERSIÓN" }, { "sha256", "SHA-256", "SHA-256" } } },
	{ "/policy-activations", { { "id", "NUMBER", "NÚMERO" },
	    { "policies", "POLICIES", "POLÍTICAS" }, { "state", "STATE", "ESTADO" },
	    { "signatures", "SIGNED", "FIRMAS" }, { "needed", "OF", "DE" },
	    { "effective", "FROM", "DESDE" } } },
	{ "/policy-texts", { { "name", "POLICY", "POLÍTICA" },
	    { "version", "VERSION", "VERSIÓN" }, { "activated", "FROM", "DESDE" },
	    { "until", "UNTIL", "HASTA" }, { "activation", "ACTIVATION", "ACTIVACIÓN" },
	    { "signed_by", "SIGNED BY", "FIRMADA POR" }, { "sha256", "SHA-256", "SHA-256" } } },
	{ "/ceremonies", { { "id", "NUMBER", "NÚMERO" }, { "kind", "OF", "DE" },
	    { "name", "NAME", "NOMBRE" }, { "state", "STATE", "ESTADO" },
	    { "signatures", "SIGNED", "FIRMAS" }, { "needed", "OF", "DE" },
	    { "expires", "UNTIL", "HASTA" } } },
	{ "/cas", { { "name", "NAME", "NOMBRE" }, { "role", "ROLE", "PAPEL" },
	    { "institution", "INSTITUTION", "INSTITUCIÓN" }, { "replaces", "NEW KEY OF", "LLAVE NUEVA DE" },
	    { "state", "STATE", "ESTADO" }, { "not_after", "UNTIL", "VENCE" }, { "serial", "SERIAL", "SERIE" } } },
	{ "/cas/campaign", { { "institution", "INSTITUTION", "INSTITUCIÓN" },
	    { "replaced", "REPLACED", "REEMPLAZADOS" }, { "waiting", "WAITING", "ESPERAN" } } },
	{ "/crls", { { "issuer", "ISSUER", "EMISORA" }, { "partition", "PARTITION", "PARTICIÓN" },
	    { "number", "NUMBER", "NÚMERO" }, { "base", "DELTA OF", "DELTA DE" },
	    { "this_update", "FROM", "DESDE" }, { "next_update", "NEXT", "PRÓXIMA" } } },
};
/* clang-format on */

static const struct columns *
columns_of(const char *list)
{
	if (strstr(list, "/people") != NULL)
		list = "/people";
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (strcmp(lists[i].list, list) == 0)
			return &lists[i];
	}
	fatal("cli: a list has no columns: %s", list);
}

static size_t
columns_count(const struct columns *t)
{
	size_t n = 0;
	while (n < COLUMNS_MAX && t->column[n].member != NULL)
		n++;
	return n;
}

void
print_rows(struct cli *c, const char *list, json_t *items)
{
	const struct columns *t = columns_of(list);
	size_t n = columns_count(t), width[COLUMNS_MAX], i;
	json_t *item;
	for (size_t k = 0; k < n; k++)
		width[k] = width_of(SAY(c, t->column[k].en, t->column[k].es));
	json_array_foreach(items, i, item)
	{
		for (size_t k = 0; k < n; k++) {
			size_t w = width_of(cell(c, item, t->column[k].member));
			if (w > width[k])
				width[k] = w > CELL_MAX ? CELL_MAX + 1 : w;
		}
	}
	for (size_t k = 0; k < n; k++)
		put_padded(SAY(c, t->column[k].en, t->column[k].es), width[k],
		    k + 1 == n);
	putchar('\n');
	json_array_foreach(items, i, item)
	{
		for (size_t k = 0; k < n; k++)
			put_padded(cell(c, item, t->column[k].member), width[k],
			    k + 1 == n);
		putchar('\n');
	}
}

/* "name  text", the text behind the widest of the names. */
static void
put_line(const char *label, size_t width, const char *text)
{
	printf("%s%*s  %s\n", label, (int)(width - width_of(label)), "", text);
}

/* A text as it is, anything else as its JSON. */
static const char *
json_text(struct cli *c, const json_t *value)
{
	if (json_is_string(value))
		return json_string_value(value);
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *kept = arena_str(c->arena, bytes_str(text));
	free(text);
	return kept;
}

static void
print_value(struct cli *c, const json_t *record, const char *name, size_t width)
{
	json_t *value = json_object_get(record, name);
	const char *label = label_for_people(c, name);
	const json_t *item;
	const char *key;
	json_t *member;
	size_t i;
	if (json_is_object(value)) {
		json_object_foreach(value, key, member)
		{
			put_line(label, width,
			    arena_printf(c->arena, "%s=%s", key,
				json_text(c, member)));
		}
		return;
	}
	if (!json_is_array(value)) {
		put_line(label, width, cell(c, record, name));
		return;
	}
	json_array_foreach(value, i, item)
	{
		put_line(label, width, json_text(c, item));
	}
}

/* One record: its members, one on each line. */
static void
print_members(struct cli *c, json_t *record)
{
	const char *name;
	json_t *value;
	size_t width = 0;
	json_object_foreach(record, name, value)
	{
		size_t w = width_of(label_for_people(c, name));
		width = w > width ? w : width;
	}
	json_object_foreach(record, name, value)
	{
		print_value(c, record, name, width);
	}
}

enum err_code
print_answer(struct cli *c, struct bytes json,
    void (*people)(struct cli *c, json_t *root), struct err *e)
{
	json_t *root = json_loadb((const char *)json.p, json.len, 0, NULL);
	if (root == NULL)
		return err_say(e, ERR_IO, "cli-answer",
		    "the engine's answer is not JSON");
	if (c->json)
		printf("%.*s\n", BYTES_FMT(json));
	else
		people(c, root);
	json_decref(root);
	return ERR_OK;
}

enum err_code
print_record(struct cli *c, struct bytes json, struct err *e)
{
	return print_answer(c, json, print_members, e);
}

void
print_object(struct cli *c, json_t *root)
{
	if (c->json) {
		char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
		printf("%s\n", text);
		free(text);
	} else {
		print_members(c, root);
	}
	json_decref(root);
}

void
print_refusal(const struct cli *c, const struct err *e)
{
	char text[1024];
	struct buf problem AUTO_BUF = BUF(65536);
	if (c->json && c->problem.len > 0) {
		fprintf(stderr, "%.*s\n", BYTES_FMT(buf_bytes(&c->problem)));
		return;
	}
	if (c->json) {
		api_problem(&problem, e, http_status_of(e->code));
		fprintf(stderr, "%s\n", buf_text(&problem));
		return;
	}
	cli_sentence(e, c->spanish, text, sizeof(text));
	fprintf(stderr, "refrendo: %s [%s]\n", text, e->id);
	if (e->where.field[0] != '\0')
		fprintf(stderr, "  %s: %s\n", SAY(c, "field", "campo"),
		    e->where.field);
	if (e->rule != NULL)
		fprintf(stderr, "  %s: %s\n", SAY(c, "rule", "norma"), e->rule);
	/* The run is the operator's own: what a log would say is theirs. */
	if (e->why[0] == '\0')
		return;
	phrase_spanish(e->why, c->spanish ? PHRASE_DEPTH : 0, text,
	    sizeof(text));
	fprintf(stderr, "  (%s)\n", text);
}

enum err_code
print_text(struct cli *c, const char *member, struct bytes text, struct err *e)
{
	if (!c->json || c->option[OPT_OUT] != NULL) {
		TRY(print_octets(c, text, e));
		print_written(c, NULL, c->option[OPT_OUT]);
		return ERR_OK;
	}
	print_object(c,
	    json_pack("{s:s%}", member, (const char *)text.p, text.len));
	return ERR_OK;
}

void
print_written(struct cli *c, json_t *o, const char *name)
{
	if (!c->json || name == NULL || strcmp(name, "-") == 0) {
		json_decref(o);
		return;
	}
	if (o == NULL)
		o = json_object();
	json_object_set_new(o, "file", json_string(name));
	print_object(c, o);
}

/* --- Files and keys --------------------------------------------------------------------- */

/* What nothing can bring back. */
static bool
has_private_key(const char *name)
{
	char text[4096];
	FILE *f = fopen(name, "rbe");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text), f);
	if (f != NULL)
		fclose(f);
	return memmem(text, n, "PRIVATE KEY-----", 16) != NULL;
}

enum err_code
print_octets(struct cli *c, struct bytes b, struct err *e)
{
	const char *name = c->option[OPT_OUT];
	if (name != NULL && strcmp(name, "-") != 0) {
		if (has_private_key(name))
			TRY(file_is_new(name, e));
		return file_write(name, b, 0644, e);
	}
	if (fwrite(b.p, 1, b.len, stdout) != b.len || fflush(stdout) != 0)
		return err_errno(e, "cli-output",
		    "standard output cannot be written");
	return ERR_OK;
}

bool
place_is_new(const char *dir)
{
	bool empty = true;
	if (mkdir(dir, 0700) == 0)
		return true;
	DIR *d = errno == EEXIST ? opendir(dir) : NULL;
	const struct dirent *f;
	if (d == NULL)
		return false;
	while ((f = readdir(d)) != NULL)
		empty = empty && (strcmp(f->d_name, ".") == 0 ||
				     strcmp(f->d_name, "..") == 0 ||
				     strcmp(f->d_name, "lost+found") == 0);
	closedir(d);
	return empty;
}

enum err_code
input_read(struct cli *c, const char *name, size_t max, struct buf *out,
    struct err *e)
{
	(void)c;
	if (strcmp(name, "-") == 0)
		name = "/dev/stdin";
	return file_read(".", name, max, out, e);
}

enum err_code
input_key(struct cli *c, const char *uri, struct key **out, struct err *e)
{
	char shown[PATH_LEN];
	enum err_code code = key_load(uri, BYTES_NONE, out, e);
	if (code != ERR_FORBIDDEN)
		return code;
	struct buf passphrase AUTO_BUF = BUF(0);
	/* No directory: the file of an installation's own keys is not meant. */
	uri_without_pin(shown, sizeof(shown), uri);
	struct key_asking asking = { .key = shown, .spanish = c->spanish };
	TRY(passphrase_read("/dev/null", &asking, &passphrase, e));
	return key_load(uri, buf_bytes(&passphrase), out, e);
}
