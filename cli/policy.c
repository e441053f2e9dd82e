/* policy - files judged and shown before they take effect. */
#include <dirent.h>
#include <string.h>

#include "audit.h"

/* What was read, for the lines that findings quote. */
struct files {
	struct policy_file file[FILES_MAX + 1];
	struct buf text[FILES_MAX + 1];
	size_t n;
};

static void
files_fini(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_fini(&f->text[i]);
}

static enum err_code
files_add(struct files *f, const char *dir, const char *name, struct err *e)
{
	struct buf *text = &f->text[f->n];
	*text = BUF(0);
	TRY(file_read(dir, name, POLICY_FILE_MAX + 1, text, e));
	f->file[f->n++] =
	    (struct policy_file){ .name = name, .text = buf_bytes(text) };
	return ERR_OK;
}

static void
put_member(struct buf *out, const char *key, const char *text)
{
	buf_putf(out, ",\"%s\":", key);
	json_put_string(out, bytes_str(text));
}

/* Every finding, for editors and scripts. */
static void
print_json(const struct findings *f, size_t n)
{
	struct buf out AUTO_BUF = BUF(4u << 20);
	buf_putf(&out, "{\"errors\":%zu,\"files\":%zu,\"findings\":[",
	    f->errors, n);
	for (size_t i = 0; i < f->len; i++) {
		const struct finding *one = &f->v[i];
		const struct where *w = &one->err.where;
		char es[1024];
		cli_sentence(&one->err, true, es, sizeof(es));
		buf_putf(&out,
		    "%s{\"column\":%u,\"line\":%u,\"warning\":%s,"
		    "\"width\":%u",
		    i > 0 ? "," : "", w->col, w->line,
		    one->is_warning ? "true" : "false", one->width);
		put_member(&out, "code", one->err.id);
		put_member(&out, "file", w->file);
		put_member(&out, "field", w->field);
		put_member(&out, "say", one->err.say);
		put_member(&out, "es", es);
		put_member(&out, "hint", one->hint);
		phrase_spanish(one->hint, PHRASE_DEPTH, es, sizeof(es));
		put_member(&out, "hint_es", es);
		if (one->err.rule != NULL)
			put_member(&out, "rule", one->err.rule);
		buf_putc(&out, '}');
	}
	buf_puts(&out, "]}\n");
	fputs(buf_text(&out), stdout);
}

static enum err_code
verdict(struct cli *c, const struct findings *f, size_t n, struct err *e)
{
	char count[24];
	if (c->json)
		print_json(f, n);
	if (f->errors == 0) {
		if (!c->json)
			printf("%zu %s\n", n,
			    SAY(c, "files in order", "archivos en orden"));
		return ERR_OK;
	}
	snprintf(count, sizeof(count), "%zu", f->errors);
	return err_say(e, ERR_INVALID, "cli-policy-errors",
	    "the files have %s mistakes; nothing takes effect until they are "
	    "mended",
	    count);
}

static bool
has_policy(const struct files *f, const char *name)
{
	char other[POLICY_NAME_MAX];
	for (size_t i = 1; i < f->n; i++) {
		if (policy_name_of(f->file[i].text, other) &&
		    strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* Bases that the files name and that only the installation has. */
static void
add_bases(struct cli *c, struct files *f)
{
	static struct installation in;
	struct findings ignored = { NULL, 0, 0 };
	char base[POLICY_NAME_MAX], name[POLICY_NAME_MAX];
	int64_t version;
	struct err e;
	enum err_code code = installation_read(c->dir, &in, &ignored, &e);
	for (size_t i = 1; code == ERR_OK && i < f->n; i++) {
		if (!policy_base_of(f->file[i].text, base, &version) ||
		    has_policy(f, base))
			continue;
		for (size_t k = 2; k < in.n_file && f->n <= FILES_MAX; k++) {
			struct buf *text = &f->text[f->n];
			if (!policy_name_of(in.file[k].text, name) ||
			    strcmp(name, base) != 0)
				continue;
			*text = BUF(POLICY_FILE_MAX + 1);
			buf_put(text, in.file[k].text.p, in.file[k].text.len);
			f->file[f->n].name =
			    arena_str(c->arena, bytes_str(in.file[k].name));
			f->file[f->n++].text = buf_bytes(text);
			break;
		}
	}
	findings_fini(&ignored);
	installation_fini(&in);
}

static enum err_code
read_files(struct cli *c, struct files *f, struct err *e)
{
	const char *ceilings = c->option[OPT_CEILINGS];
	struct config config;
	if (ceilings != NULL) {
		TRY(files_add(f, ".", ceilings, e));
	} else {
		TRY(cli_config(c, &config, e));
		TRY(files_add(f, c->dir,
		    arena_str(c->arena, bytes_str(config.signer_yaml)), e));
	}
	for (size_t i = 0; i < c->n_operand; i++)
		TRY(files_add(f, ".", c->operand[i], e));
	if (ceilings == NULL)
		add_bases(c, f);
	return ERR_OK;
}

static enum err_code
warn_files(struct cli *c, const struct policy_set *set, const struct files *f,
    struct findings *findings, struct err *e)
{
	struct policy_context context = { .now = clock_now() };
	bool installed = c->option[OPT_CEILINGS] == NULL;
	TRY(usage_read(c, installed, &context, e));
	policy_warn(set, f->file + 1, &context, findings);
	return ERR_OK;
}

static enum err_code
check_files(struct cli *c, struct err *e)
{
	struct files f = { .n = 0 };
	struct findings findings = { NULL, 0, 0 };
	struct ceilings ceilings;
	AUTO(policy_set) set = NULL;
	enum err_code code = read_files(c, &f, e);
	if (code == ERR_OK) {
		ceilings_load(&f.file[0], &ceilings, &findings);
		if (findings.errors == 0)
			policy_load(f.file + 1, f.n - 1, &ceilings, &set,
			    &findings);
		if (set != NULL)
			code = warn_files(c, set, &f, &findings, e);
	}
	if (code == ERR_OK && !c->json)
		findings_show(c, &findings, f.file, f.n);
	if (code == ERR_OK)
		code = verdict(c, &findings, f.n - 1, e);
	findings_fini(&findings);
	files_fini(&f);
	return code;
}

/*
 * The end of a CA's newest key.  Each has the subject of the first, and an
 * import puts its certificate into ca/.
 */
static int64_t
newest_end(struct cli *c, const char *dir, const struct cert *first)
{
	int64_t since = first->not_before, end = first->not_after;
	DIR *d = opendir(arena_printf(c->arena, "%s/ca", dir));
	struct dirent *f;
	while (d != NULL && (f = readdir(d)) != NULL) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert cert;
		struct err ignored;
		if (file_certificate(dir,
			arena_printf(c->arena, "ca/%s", f->d_name), &der,
			&ignored) != ERR_OK ||
		    cert_parse(buf_bytes(&der), &cert, &ignored) != ERR_OK ||
		    !bytes_eq(cert.subject, first->subject) ||
		    cert.not_before <= since)
			continue;
		since = cert.not_before;
		end = cert.not_after;
	}
	if (d != NULL)
		closedir(d);
	return end;
}

/* Beside the issuers that the policies name, as far as they can be read. */
static enum err_code
warn_installation(struct cli *c, const struct installation *in,
    struct findings *f, struct err *e)
{
	struct policy_context context = { .now = clock_now() };
	if (in->policies == NULL)
		return ERR_OK;
	TRY(usage_read(c, true, &context, e));
	for (size_t i = 0; i < in->config.n_issuer; i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert cert;
		struct err ignored;
		if (file_certificate(in->dir, in->config.issuer[i].certificate,
			&der, &ignored) != ERR_OK ||
		    cert_parse(buf_bytes(&der), &cert, &ignored) != ERR_OK)
			continue;
		context.issuer[context.n_issuer].name =
		    in->config.issuer[i].name;
		context.issuer[context.n_issuer++].not_after =
		    newest_end(c, in->dir, &cert);
	}
	policy_warn(in->policies, in->file + 2, &context, f);
	return ERR_OK;
}

static enum err_code
check_installation(struct cli *c, struct err *e)
{
	static struct installation in; /* 100 KiB */
	struct findings findings = { NULL, 0, 0 };
	enum err_code code = installation_read(c->dir, &in, &findings, e);
	if (code == ERR_OK)
		code = warn_installation(c, &in, &findings, e);
	if (code == ERR_OK && findings.len > 0 && !c->json)
		findings_show(c, &findings, in.file, in.n_file);
	if (code == ERR_OK)
		code = verdict(c, &findings, in.n_file, e);
	findings_fini(&findings);
	installation_fini(&in);
	return code;
}

static enum err_code
policy_check(struct cli *c, struct err *e)
{
	return c->n_operand > 0 ? check_files(c, e) : check_installation(c, e);
}

static enum err_code
show(struct cli *c, const struct installation *in, struct err *e)
{
	struct buf out AUTO_BUF = BUF(1u << 20);
	const struct policy *p =
	    in->policies == NULL
		? NULL
		: policy_find(in->policies, bytes_str(c->operand[0]));
	if (p == NULL)
		return err_say(e, ERR_NOTFOUND, "cli-no-policy",
		    "there is no policy %s in the installation's files; see "
		    "refrendo policy check",
		    c->operand[0]);
	policy_print(&out, p);
	TRY(buf_end(&out, e));
	return print_text(c, "text", buf_bytes(&out), e);
}

static enum err_code
policy_show(struct cli *c, struct err *e)
{
	static struct installation in;
	struct findings findings = { NULL, 0, 0 };
	enum err_code code = installation_read(c->dir, &in, &findings, e);
	if (code == ERR_OK) {
		if (findings.len > 0)
			findings_show(c, &findings, in.file, in.n_file);
		code = show(c, &in, e);
	}
	findings_fini(&findings);
	installation_fini(&in);
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "policy", "check", policy_check, NO_ACT, NO_OPERAND, "[FILE…]", 0, FILES_MAX,
	    OPTION(OPT_CEILINGS) | OPTION(OPT_SINCE) | OPTION(OPT_EXPORT) | OPTION(OPT_SOCKET),
	    "every mistake of every file, with place and remedy, and what is likely wrong", "cada error de cada archivo, con lugar y remedio, y lo que parece errado",
	    "policy check funcionario.yaml", NULL },
	{ "policy", "show", policy_show, NO_ACT, NO_OPERAND, "NAME", 1, 1, OPTION(OPT_OUT),
	    "a policy of the files, with every default", "una política de los archivos, con todo lo implícito",
	    "policy show funcionario-firma", NULL },
	{ "policy", "explain", policy_explain, NO_ACT, NO_OPERAND, "REQUEST", 1, 1, OPTION(OPT_POLICY) | OPTION(OPT_SOCKET),
	    "each rule with its verdict on a request, the fact and the line", "cada regla con su veredicto sobre una solicitud, el dato y la línea",
	    "policy explain SOL-2026-000017 --policy candidata.yaml", NULL },
	{ "policy", "simulate", policy_simulate, NO_ACT, NO_OPERAND, "FILE…", 1, FILES_MAX,
	    OPTION(OPT_SINCE) | OPTION(OPT_EXPORT) | OPTION(OPT_LIMIT) | OPTION(OPT_CEILINGS) | OPTION(OPT_SOCKET),
	    "what past requests would have come to under these files", "en qué habrían resultado las solicitudes con estos archivos",
	    "policy simulate funcionario.yaml --since 90d", NULL },
	{ "policy", "activate", run_policy_activate, ACT_POLICY_PROPOSE, CF_FILES, "FILE…", 1, ACTIVATION_FILES_MAX,
	    OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES),
	    "propose policies for activation, and sign it where a key is given", "proponer políticas para activarlas, y firmar si se da una llave",
	    "policy activate funcionario.yaml --as 11111111-1 --from 2027-01-01 --key officer.key --cert officer.pem", NULL },
	{ "policy", "endorse", run_sign, ACT_POLICY_ENDORSE, CF_ACTIVATION, "NUMBER", 1, 1,
	    OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES),
	    "sign an activation as officer, or bring the signature", "firmar una activación como oficial, o traer la firma",
	    "policy endorse POL-2026-000001 --key officer.key --cert officer.pem", "/policy-activations/{}/statement" },
	{ "policy", "withdraw", run_act, ACT_POLICY_WITHDRAW, CF_ACTIVATION, "NUMBER", 1, 1, 0,
	    "withdraw an activation that has not taken effect", "retirar una activación que aún no rige",
	    "policy withdraw POL-2026-000001 --as 11111111-1 --reason \"con errores\"", NULL },
	{ "policy", "activations", run_list, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL),
	    "list activations", "listar activaciones", "policy activations", "/policy-activations" },
	{ "policy", "activation", run_show, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_BLOBS),
	    "show one activation", "mostrar una activación",
	    "policy activation POL-2026-000001", "/policy-activations/{}" },
	{ "policy", "statement", run_statement, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_OUT),
	    "the exact bytes that officers sign", "los bytes exactos que firman los oficiales",
	    "policy statement POL-2026-000001 --out statement.json", "/policy-activations/{}/statement" },
	{ "policy", "history", run_policy_history, NO_ACT, NO_OPERAND, "[NAME]", 0, 1,
	    OPTION(OPT_VERSION) | OPTION(OPT_OUT),
	    "the versions that were in force, or the exact bytes of one", "las versiones que han regido, o los bytes exactos de una",
	    "policy history funcionario-firma --version 7 --out v7.yaml", "/policy-texts" },
	{ "policy", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL),
	    "list the policies in force", "listar las políticas en vigor", "policy ls", "/policies" },
};
/* clang-format on */

const struct verbs cli_verbs_policy = { verbs, ARRAY_LEN(verbs) };
