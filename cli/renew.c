/* renew - the successor of a certificate, and which certificates want one. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Of each policy in force, how long before its end a certificate is due. */
static enum err_code
read_windows(struct cli *c, json_t **out, struct err *e)
{
	json_t *page, *item, *all = json_object();
	size_t i;
	enum err_code code = engine_json(c, "/policies?limit=500", &page, e);
	if (code != ERR_OK) {
		json_decref(all);
		return code;
	}
	json_array_foreach(json_object_get(page, "items"), i, item)
	{
		json_t *window = json_object_get(item, "renew_window");
		const char *name =
		    json_string_value(json_object_get(item, "name"));
		if (window != NULL && name != NULL)
			json_object_set(all, name, window);
	}
	json_decref(page);
	*out = all;
	return ERR_OK;
}

static int64_t
time_of(const json_t *record, const char *member)
{
	int64_t t = 0;
	const char *text = json_string_value(json_object_get(record, member));
	return text != NULL && time_parse(bytes_str(text), &t) ? t : 0;
}

/* Valid, not replaced, in the window of its policy; NULL: it is not due. */
static json_t *
due_row(json_t *cert, const json_t *windows, int64_t now)
{
	static const char *const members[] = { "serial", "institution",
		"holder_run", "policy", "not_after" };
	const char *state = json_string_value(json_object_get(cert, "state"));
	const char *policy = json_string_value(json_object_get(cert, "policy"));
	int64_t end = time_of(cert, "not_after");
	json_t *window =
	    policy == NULL ? NULL : json_object_get(windows, policy);
	if (state == NULL || strcmp(state, "valid") != 0 || window == NULL ||
	    json_object_get(cert, "replaced_by") != NULL)
		return NULL;
	int64_t from = end + 1 - json_integer_value(window);
	if (end < now || from > now)
		return NULL;
	char text[TIME_TEXT];
	json_t *row = json_object();
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_object_set(row, members[i],
		    json_object_get(cert, members[i]));
	time_print(text, from);
	json_object_set_new(row, "renew_from", json_string(text));
	return row;
}

static int
by_end(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;
	return strcmp(json_string_value(json_object_get(*x, "not_after")),
	    json_string_value(json_object_get(*y, "not_after")));
}

/* Those that end first stand first. */
static void
put_sorted(json_t *items, json_t *out)
{
	size_t n = json_array_size(items), i;
	json_t *item, **list = calloc(n + 1, sizeof(json_t *));
	if (list == NULL)
		fatal("no memory for a list");
	json_array_foreach(items, i, item) list[i] = item;
	qsort(list, n, sizeof(json_t *), by_end);
	for (i = 0; i < n; i++)
		json_array_append(out, list[i]);
	free(list);
}

struct due_search {
	const json_t *windows;
	json_t *found;
	int64_t now;
};

static void
due_each(void *ctx, json_t *cert)
{
	const struct due_search *s = ctx;
	json_t *row = due_row(cert, s->windows, s->now);
	if (row != NULL)
		json_array_append_new(s->found, row);
}

static enum err_code
list_due(struct cli *c, struct err *e)
{
	json_t *windows, *found = json_array();
	enum err_code code = read_windows(c, &windows, e);
	if (code == ERR_OK) {
		struct due_search s = { windows, found, clock_now() };
		code = engine_each(c, "/certificates", due_each, &s, e);
		json_decref(windows);
	}
	if (code == ERR_OK) {
		json_t *items = json_array();
		put_sorted(found, items);
		if (c->json)
			print_object(c, json_pack("{s:O}", "items", items));
		else
			print_rows(c, c->verb->list, items);
		json_decref(items);
	}
	json_decref(found);
	return code;
}

/* What the key of the certificate signs, so that a new one may follow it. */
static enum err_code
rekey_text(struct cli *c, struct buf *text, struct err *e)
{
	struct buf file AUTO_BUF = BUF(0),
			scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf pem AUTO_BUF = BUF(0), der AUTO_BUF = BUF(CERT_MAX_BYTES);
	uint8_t tbs[SHA256_LEN], spki[SHA256_LEN];
	struct csr csr;
	struct cert old;
	if (c->field[CF_MANDATE] == NULL)
		return cli_usage_missing(c, "--mandate", e);
	if (c->field[CF_CSR] == NULL)
		return cli_usage_missing(c, "--csr", e);
	if (c->option[OPT_CERT] == NULL)
		return cli_usage_missing(c, "--cert", e);
	TRY(input_read(c, c->field[CF_CSR], 2 * CSR_MAX_BYTES, &file, e));
	TRY(csr_parse(buf_bytes(&file), &scratch, &csr, e));
	TRY(input_read(c, c->option[OPT_CERT], 2 * CERT_MAX_BYTES, &pem, e));
	TRY(pem_or_der(buf_bytes(&pem), "CERTIFICATE", &der, e));
	TRY(cert_parse_own(buf_bytes(&der), &old, e));
	sha256(tbs, old.tbs);
	sha256(spki, csr.spki);
	return rekey_print(bytes_str(c->field[CF_MANDATE]),
	    bytes_of(tbs, SHA256_LEN), bytes_of(spki, SHA256_LEN), text, e);
}

static void
show_rekey(struct cli *c)
{
	fprintf(stderr, "%s\n\n  ",
	    SAY(c, "By signing you certify:", "Al firmar, usted certifica:"));
	fprintf(stderr,
	    SAY(c,
		"With the key of my certificate %s I say that the key of the "
		"request %s follows it, under the mandate %s.",
		"Con la llave de mi certificado %s digo que la sucede la de la "
		"solicitud %s, bajo el mandato %s."),
	    c->operand[0], c->field[CF_CSR], c->field[CF_MANDATE]);
	fprintf(stderr, "\n\n");
}

/* With --out only that text, for whoever signs it elsewhere. */
static enum err_code
renew_with_key(struct cli *c, struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf answer AUTO_BUF = ANSWER_BUF;
	TRY(rekey_text(c, &text, e));
	if (c->option[OPT_OUT] != NULL)
		return print_octets(c, buf_bytes(&text), e);
	show_rekey(c);
	TRY(sign_statement(c, buf_bytes(&text), &cms, e));
	TRY(engine_act(c, ACT_CERTIFICATE_RENEW, buf_bytes(&cms), &answer, e));
	return print_record(c, buf_bytes(&answer), e);
}

static enum err_code
run_renew(struct cli *c, struct err *e)
{
	bool signs = c->option[OPT_KEY] != NULL || c->option[OPT_OUT] != NULL;
	bool due = c->option[OPT_DUE] != NULL;
	if (due == (c->n_operand > 0))
		return cli_usage_missing(c, "SERIAL, or --due,", e);
	if (due)
		return list_due(c, e);
	if (c->field[CF_AS] == NULL)
		return cli_usage_missing(c, "--as", e);
	if (signs && c->field[CF_CMS] != NULL)
		return cli_usage_missing(c, "--cms, or --key and --cert,", e);
	return signs ? renew_with_key(c, e) : run_act(c, e);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "renew", NULL, run_renew, ACT_CERTIFICATE_RENEW, CF_SERIAL, "SERIAL", 0, 1,
	    OPTION(OPT_DUE) | OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES) | OPTION(OPT_OUT),
	    "ask for the successor of a certificate, or list those that want one",
	    "solicitar el sucesor de un certificado, o listar los que lo requieren",
	    "renew 5c0e91a7… --as 22222222-2 --csr maria2.csr", "/certificates/due" },
};
/* clang-format on */

const struct verbs cli_verbs_renew = { verbs, ARRAY_LEN(verbs) };
