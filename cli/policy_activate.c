/* policy_activate - what officers do so that policies take effect. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define FILES_TEXT 98304u

/* The files' texts as the one field that they travel in. */
static enum err_code
take_files(struct cli *c, struct bytes *out, struct err *e)
{
	struct buf all AUTO_BUF = BUF(FILES_TEXT);
	for (size_t i = 0; i < c->n_operand; i++) {
		struct buf text AUTO_BUF = BUF(0);
		TRY(input_read(c, c->operand[i], POLICY_FILE_MAX, &text, e));
		if (text.len == 0)
			return err_say(e, ERR_INVALID, "cli-policy-empty",
			    "the file %s says nothing", c->operand[i]);
		put_bytes(&all, buf_bytes(&text));
	}
	if (all.failed)
		return err_say(e, ERR_INVALID, "cli-policy-large",
		    "the files are larger than the 96 KiB that one activation "
		    "may hold; activate them in several");
	*out = arena_copy(c->arena, buf_bytes(&all));
	return ERR_OK;
}

static enum err_code
propose(struct cli *c, struct bytes files, json_t **record, struct err *e)
{
	struct command command = { .act = ACT_POLICY_PROPOSE };
	static const enum ca_field fields[] = { CF_AS, CF_FROM, CF_REASON };
	struct buf answer AUTO_BUF = ANSWER_BUF;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (c->field[fields[i]] != NULL)
			command.f[fields[i]] = bytes_str(c->field[fields[i]]);
	}
	command.f[CF_FILES] = files;
	TRY(engine_command(c, &command, c->option[OPT_IDEMPOTENCY_KEY], &answer,
	    e));
	*record = json_loadb((const char *)answer.p, answer.len, 0, NULL);
	if (*record == NULL)
		return err_say(e, ERR_IO, "cli-answer",
		    "the engine's answer is not JSON");
	return ERR_OK;
}

/* Core says which statement came of it: of these files, each once, and no more. */
static enum err_code
check_asked(struct cli *c, struct bytes files, struct bytes statement,
    struct err *e)
{
	struct reader r = reader_of(files);
	struct activation_statement s;
	TRY(activation_parse(statement, c->arena, &s, e));
	if (s.n != c->n_operand)
		return asked_other("policies", e);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t hash[SHA256_LEN];
		size_t k = 0;
		sha256(hash, get_bytes(&r));
		while (k < s.n && !bytes_eq(s.policy[k].is.sha256,
				      bytes_of(hash, SHA256_LEN)))
			k++;
		if (k == s.n)
			return asked_other("policies", e);
	}
	return ERR_OK;
}

static enum err_code
endorse(struct cli *c, struct bytes files, const char *id, struct buf *answer,
    struct err *e)
{
	struct command command = { .act = ACT_POLICY_ENDORSE };
	struct buf statement AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	TRY(engine_get(c, path_of(c, "/policy-activations/", id, "/statement"),
	    &statement, e));
	TRY(check_asked(c, files, buf_bytes(&statement), e));
	TRY(sign_shown(c, buf_bytes(&statement), &cms, e));
	command.f[CF_ACTIVATION] = bytes_str(id);
	command.f[CF_CMS] = buf_bytes(&cms);
	return engine_command(c, &command, NULL, answer, e);
}

/* Others have to sign: how, in one line. */
static void
tell_next(struct cli *c, const json_t *record, const char *id)
{
	long long have =
	    json_integer_value(json_object_get(record, "signatures"));
	long long need = json_integer_value(json_object_get(record, "needed"));
	if (c->json || have >= need)
		return;
	fprintf(stderr, "%s refrendo policy endorse %s --key URI --cert FILE\n",
	    SAY(c,
		"officers still have to sign:", "aún deben firmar oficiales:"),
	    id);
}

static enum err_code
show_activation(struct cli *c, struct bytes json, const char *id, struct err *e)
{
	json_t *record = json_loadb((const char *)json.p, json.len, 0, NULL);
	TRY(print_record(c, json, e));
	tell_next(c, record, id);
	json_decref(record);
	return ERR_OK;
}

enum err_code
run_policy_activate(struct cli *c, struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	bool sign = c->option[OPT_KEY] != NULL;
	struct bytes files;
	json_t *record;
	if (sign != (c->option[OPT_CERT] != NULL))
		return cli_usage_missing(c, sign ? "--cert" : "--key", e);
	TRY(take_files(c, &files, e));
	TRY(propose(c, files, &record, e));
	const char *found = json_string_value(json_object_get(record, "id"));
	const char *id =
	    arena_str(c->arena, bytes_str(found == NULL ? "" : found));
	json_decref(record);
	if (sign)
		TRY(endorse(c, files, id, &answer, e));
	else
		TRY(engine_get(c, path_of(c, "/policy-activations/", id, ""),
		    &answer, e));
	return show_activation(c, buf_bytes(&answer), id, e);
}

/* --- History ------------------------------------------------------------------------ */

static int
by_version(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int order = strcmp(json_string_value(json_object_get(*x, "name")),
	    json_string_value(json_object_get(*y, "name")));
	if (order != 0)
		return order;
	json_int_t v = json_integer_value(json_object_get(*x, "version"));
	json_int_t w = json_integer_value(json_object_get(*y, "version"));
	return (v > w) - (v < w);
}

static bool
is_wanted(struct cli *c, const json_t *record)
{
	const char *name = json_string_value(json_object_get(record, "name"));
	const char *version = c->option[OPT_VERSION];
	int64_t n = 0;
	/* What was only proposed has no history. */
	if (name == NULL || json_object_get(record, "activated") == NULL)
		return false;
	if (c->n_operand == 1 && strcmp(name, c->operand[0]) != 0)
		return false;
	return version == NULL ||
	       (dec_parse(bytes_str(version), &n) &&
		   n == json_integer_value(json_object_get(record, "version")));
}

/* Those that are asked for, by name and version; the caller frees. */
static enum err_code
wanted(struct cli *c, json_t **out, struct err *e)
{
	json_t *page, *record, *kept = json_array();
	const json_t **sorted;
	size_t i, n = 0;
	enum err_code code = read_pages(c, &page, e);
	if (code != ERR_OK) {
		json_decref(kept);
		return code;
	}
	json_t *items = json_object_get(page, "items");
	sorted = arena_get(c->arena,
	    (json_array_size(items) + 1) * sizeof(json_t *));
	json_array_foreach(items, i, record)
	{
		if (is_wanted(c, record))
			sorted[n++] = record;
	}
	qsort(sorted, n, sizeof(*sorted), by_version);
	for (i = 0; i < n; i++)
		json_array_append_new(kept, json_deep_copy(sorted[i]));
	json_decref(page);
	*out = kept;
	return ERR_OK;
}

/* The exact bytes of one version. */
static enum err_code
write_text(struct cli *c, const json_t *list, struct err *e)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	const char *hash = json_string_value(
	    json_object_get(json_array_get(list, 0), "sha256"));
	if (hash == NULL)
		return err_say(e, ERR_NOTFOUND, "cli-policy-version",
		    "the policy %s never had this version in force; see "
		    "refrendo policy history",
		    c->operand[0]);
	TRY(engine_get(c, path_of(c, "/policy-texts/", hash, "/text"), &text,
	    e));
	return print_octets(c, buf_bytes(&text), e);
}

enum err_code
run_policy_history(struct cli *c, struct err *e)
{
	json_t *list;
	bool one = c->option[OPT_OUT] != NULL;
	if (one && (c->n_operand == 0 || c->option[OPT_VERSION] == NULL))
		return cli_usage_missing(c, "NAME --version", e);
	c->option[OPT_ALL] = "";
	TRY(wanted(c, &list, e));
	enum err_code code = ERR_OK;
	if (one) {
		code = write_text(c, list, e);
	} else if (c->json) {
		char *text = json_dumps(list, JSON_COMPACT);
		printf("%s\n", text);
		free(text);
	} else {
		print_rows(c, c->verb->list, list);
	}
	json_decref(list);
	return code;
}
