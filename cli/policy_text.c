/* policy_text - policies as text: layout, differences, the schema. */
#include <string.h>

#include "cli.h"

/* --- fmt ------------------------------------------------------------------------ */

static enum err_code
fmt_one(struct cli *c, const char *name, json_t *names, size_t *other,
    struct err *e)
{
	struct buf text AUTO_BUF = BUF(0), out AUTO_BUF = BUF(1u << 20);
	bool check = c->option[OPT_CHECK] != NULL;
	TRY(input_read(c, name, POLICY_FILE_MAX, &text, e));
	if (policy_format(buf_bytes(&text), &out, e) != ERR_OK) {
		/* Which of the files it is. */
		memcpy(e->where.file, at_field(name).field,
		    sizeof(e->where.file));
		return e->code;
	}
	if (strcmp(name, "-") == 0 || c->option[OPT_OUT] != NULL)
		return print_octets(c, buf_bytes(&out), e);
	if (bytes_eq(buf_bytes(&text), buf_bytes(&out)))
		return ERR_OK;
	(*other)++;
	json_array_append_new(names, json_string(name));
	if (!c->json)
		printf("%s\n", name);
	return check ? ERR_OK : file_write(name, buf_bytes(&out), 0644, e);
}

static enum err_code
policy_fmt(struct cli *c, struct err *e)
{
	char count[24];
	size_t other = 0;
	enum err_code code = ERR_OK;
	json_t *names = json_array();
	for (size_t i = 0; code == ERR_OK && i < c->n_operand; i++)
		code = fmt_one(c, c->operand[i], names, &other, e);
	/* One that is printed is the answer itself. */
	if (code == ERR_OK && c->json && c->option[OPT_OUT] == NULL &&
	    strcmp(c->operand[0], "-") != 0)
		print_object(c, json_pack("{s:O}", "other_layout", names));
	json_decref(names);
	TRY(code);
	if (other == 0 || c->option[OPT_CHECK] == NULL)
		return ERR_OK;
	snprintf(count, sizeof(count), "%zu", other);
	return err_say(e, ERR_INVALID, "cli-policy-layout",
	    "%s files are not in their usual layout; refrendo policy fmt "
	    "writes it",
	    count);
}

/* --- diff ------------------------------------------------------------------------- */

/* Policies of the installation, one of them perhaps from another file. */
struct side {
	struct buf text;
	struct policy_set *set;
	const struct policy *policy;
};

static void
side_fini(struct side *s)
{
	buf_fini(&s->text);
	policy_set_free(s->set);
}

static bool
is_file(const char *operand)
{
	size_t len = strlen(operand);
	return strchr(operand, '/') != NULL ||
	       (len > 5 && strcmp(operand + len - 5, ".yaml") == 0);
}

/* The file takes the place of the policy with its name, so that bases and
 * what extends them are those of the installation. */
static enum err_code
side_load(struct cli *c, struct installation *in, const char *operand,
    struct side *s, struct err *e)
{
	struct policy_file file[POLICIES_MAX + 1];
	struct findings f = { NULL, 0, 0 };
	char name[POLICY_NAME_MAX] = "", other[POLICY_NAME_MAX];
	size_t n = 0;
	TRY(file_read(".", operand, POLICY_FILE_MAX + 1, &s->text, e));
	file[n++] = (struct policy_file){ operand, buf_bytes(&s->text) };
	(void)policy_name_of(file[0].text, name);
	for (size_t i = 2; i < in->n_file && n <= POLICIES_MAX; i++) {
		if (!policy_name_of(in->file[i].text, other) ||
		    strcmp(name, other) != 0)
			file[n++] = in->file[i];
	}
	policy_load(file, n, &in->ceilings, &s->set, &f);
	if (s->set != NULL)
		s->policy = &s->set->policy[0];
	findings_show(c, &f, file, n);
	findings_fini(&f);
	if (s->set == NULL)
		return err_say(e, ERR_INVALID, "cli-policy-unread",
		    "the policy %s does not load; see refrendo policy check",
		    operand);
	return ERR_OK;
}

static enum err_code
side_read(struct cli *c, struct installation *in, const char *operand,
    struct side *s, struct err *e)
{
	if (is_file(operand))
		return side_load(c, in, operand, s, e);
	if (in->policies != NULL)
		s->policy = policy_find(in->policies, bytes_str(operand));
	if (s->policy == NULL)
		return err_say(e, ERR_NOTFOUND, "cli-no-policy",
		    "there is no policy %s in the installation's files; see "
		    "refrendo policy check",
		    operand);
	return ERR_OK;
}

/* The turn of a change stands at the end of its line. */
static void
turns_in_spanish(const char *text, struct buf *out)
{
	static const struct {
		const char *en, *es;
	} turns[] = { { " (narrower)", " (más estricto)" },
		{ " (wider)", " (más amplio)" } };
	while (*text != '\0') {
		size_t n = strcspn(text, "\n"), used = n, k = 0;
		const char *es = "";
		for (; k < ARRAY_LEN(turns); k++) {
			size_t len = strlen(turns[k].en);
			if (n < len ||
			    memcmp(text + n - len, turns[k].en, len) != 0)
				continue;
			used = n - len;
			es = turns[k].es;
		}
		buf_put(out, text, used);
		buf_puts(out, es);
		text += n;
		if (*text == '\n')
			buf_putc(out, (uint8_t)*text++);
	}
}

static enum err_code
diff_sides(struct cli *c, struct installation *in, struct side *a,
    struct side *b, struct err *e)
{
	struct buf out AUTO_BUF = BUF(4u << 20), es AUTO_BUF = BUF(4u << 20);
	TRY(side_read(c, in, c->operand[0], a, e));
	TRY(side_read(c, in, c->operand[1], b, e));
	(void)policy_diff(&out, a->policy, b->policy);
	TRY(buf_end(&out, e));
	if (!c->spanish || c->json)
		return print_text(c, "changes", buf_bytes(&out), e);
	turns_in_spanish(buf_text(&out), &es);
	TRY(buf_end(&es, e));
	return print_text(c, "changes", buf_bytes(&es), e);
}

static enum err_code
run_diff(struct cli *c, struct err *e)
{
	static struct installation in;
	struct findings f = { NULL, 0, 0 };
	struct side a = { .text = BUF(0) }, b = { .text = BUF(0) };
	enum err_code code = installation_read(c->dir, &in, &f, e);
	if (code == ERR_OK)
		code = diff_sides(c, &in, &a, &b, e);
	side_fini(&a);
	side_fini(&b);
	findings_fini(&f);
	installation_fini(&in);
	return code;
}

/* --- schema ------------------------------------------------------------------------ */

static enum err_code
run_schema(struct cli *c, struct err *e)
{
	static const char *const kinds[] = {
		[POLICY_KIND_POLICY] = "policy",
		[POLICY_KIND_CEILINGS] = "signer",
		[POLICY_KIND_CONFIG] = "refrendo",
	};
	struct buf out AUTO_BUF = BUF(1u << 20);
	const char *want = c->n_operand > 0 ? c->operand[0] : "policy";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], want) != 0)
			continue;
		policy_schema(&out, (enum policy_kind)i);
		TRY(buf_end(&out, e));
		return print_octets(c, buf_bytes(&out), e);
	}
	c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "cli-no-schema",
	    "there is no schema %s; write policy, signer or refrendo", want);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "policy", "fmt", policy_fmt, NO_ACT, NO_OPERAND, "FILE…", 1, FILES_MAX, OPTION(OPT_CHECK) | OPTION(OPT_OUT),
	    "write files in their usual layout; comments stay", "escribir los archivos en su orden habitual; los comentarios quedan",
	    "policy fmt funcionario.yaml", NULL },
	{ "policy", "diff", run_diff, NO_ACT, NO_OPERAND, "NAME|FILE NAME|FILE", 2, 2, OPTION(OPT_OUT),
	    "what differs between two policies in effect, and whether it is narrower", "qué cambia entre dos políticas en su efecto, y si es más estricto",
	    "policy diff funcionario-firma nueva.yaml", NULL },
	{ "policy", "schema", run_schema, NO_ACT, NO_OPERAND, "[policy|signer|refrendo]", 0, 1, OPTION(OPT_OUT),
	    "the JSON Schema, for editors", "el esquema JSON, para editores",
	    "policy schema --out policy.schema.json", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_policy_text = { verbs, ARRAY_LEN(verbs) };
