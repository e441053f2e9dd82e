/* lint - certificates and CRLs of anyone, judged by the rules of standards. */
#include <string.h>

#include <refrendo/crl.h>

#include "cli.h"

#define FILE_MAX_BYTES (2 * CRL_MAX_BYTES)

static const char *const profiles[] = {
	[LINT_ROOT] = "root",
	[LINT_CA] = "ca",
	[LINT_HOLDER] = "holder",
	[LINT_ENDORSER] = "endorser",
	[LINT_OCSP] = "ocsp",
	[LINT_CROSS] = "cross",
};

/* One run over all files. */
struct run {
	struct cli *c;
	bool is_any; /* standards alone, by what the certificate says it is */
	enum lint_kind kind;
	const char *file;
	json_t *objects, *findings; /* of the object in hand */
	size_t n_object, errors, warnings;
};

/* --- Telling ---------------------------------------------------------------------- */

static void
tell(struct run *r, const struct err *e, const char *source, bool is_warning)
{
	struct cli *c = r->c;
	const char *severity =
	    is_warning ? SAY(c, "warning", "aviso") : SAY(c, "error", "error");
	char say[1024];
	if (is_warning)
		r->warnings++;
	else
		r->errors++;
	cli_sentence(e, c->spanish, say, sizeof(say));
	json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "id", e->id, "severity",
	    is_warning ? "warning" : "error", "source", source, "say", say);
	if (e->rule != NULL)
		json_object_set_new(row, "rule", json_string(e->rule));
	if (e->where.field[0] != '\0')
		json_object_set_new(row, "field", json_string(e->where.field));
	json_array_append_new(r->findings, row);
	if (c->json)
		return;
	printf("  %-8s %s", severity, say);
	if (e->rule != NULL)
		printf(" (%s)", e->rule);
	printf(" [%s]\n", e->id);
}

static void
tell_all(struct run *r, const struct lint *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct err e;
		lint_say(l->v[i], &e);
		tell(r, &e, lint_source_name(l->v[i]->source),
		    l->v[i]->is_warning);
	}
}

static void
head(struct run *r, const char *what, const char *as, struct bytes name)
{
	char text[300] = "";
	if (name.len > 0)
		name_print(text, sizeof(text), name);
	r->findings = json_array();
	json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "kind", what, "as",
	    as, "name", text, "findings", r->findings);
	/* A name of a file that is no UTF-8 is left out. */
	json_object_set_new(object, "file", json_string(r->file));
	json_array_append_new(r->objects, object);
	r->n_object++;
	if (!r->c->json)
		printf("%s: %s %s\n", r->file, as, text);
}

/* --- Judging ---------------------------------------------------------------------- */

static void
judge_certificate(struct run *r, struct bytes der)
{
	struct err refusal;
	struct cert cert;
	struct lint l;
	bool parsed = cert_parse(der, &cert, &refusal) == ERR_OK;
	if (!parsed && !cert_skim(der, &cert)) {
		head(r, "certificate", "?", BYTES_NONE);
		tell(r, &refusal, lint_source_name(LINT_RFC), false);
		return;
	}
	enum lint_kind kind = r->is_any ? lint_guess(&cert) : r->kind;
	head(r, "certificate", profiles[kind], cert.subject);
	/* An extension that is unknown here is no fault of a foreign one. */
	if (!parsed && strcmp(refusal.id, "cert-critical") != 0)
		tell(r, &refusal, lint_source_name(LINT_RFC), false);
	cert_lint(&cert, kind, r->is_any ? LINT_STANDARDS : LINT_ALL, &l);
	tell_all(r, &l);
}

/* A CRL has a time where a certificate has its validity. */
static bool
is_crl(struct bytes der, struct bytes *issuer)
{
	struct bytes tbs, sigalg, signature;
	struct err ignored;
	if (signed_split(der, &tbs, &sigalg, &signature, &ignored) != ERR_OK)
		return false;
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	if (der_peek(&in) == DER_INTEGER)
		(void)der_element(&in);
	(void)der_element(&in);
	*issuer = der_element(&in);
	return der_peek(&in) == DER_UTC_TIME ||
	       der_peek(&in) == DER_GENERALIZED_TIME;
}

static void
judge_object(struct run *r, struct bytes der)
{
	struct bytes issuer;
	struct lint l;
	if (!is_crl(der, &issuer)) {
		judge_certificate(r, der);
		return;
	}
	head(r, "crl", "CRL", issuer);
	crl_lint(der, clock_now(), r->is_any ? LINT_STANDARDS : LINT_ALL, &l);
	tell_all(r, &l);
}

/* --- Files ------------------------------------------------------------------------ */

static enum err_code
judge_pem(struct run *r, struct bytes text, struct err *e)
{
	static const char begin[] = "-----BEGIN ";
	static const char *const labels[] = { "CERTIFICATE", "X509 CRL" };
	size_t len = sizeof(begin) - 1;
	const uint8_t *p = text.p, *end = text.p + text.len;
	if (text.len == 0)
		return ERR_OK; /* there is no octet to search */
	while ((p = memmem(p, (size_t)(end - p), begin, len)) != NULL) {
		struct bytes rest = bytes_of(p, (size_t)(end - p));
		p += len;
		for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
			struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
			size_t n = strlen(labels[i]);
			if ((size_t)(end - p) < n ||
			    memcmp(p, labels[i], n) != 0)
				continue;
			TRY(pem_or_der(rest, labels[i], &der, e));
			judge_object(r, buf_bytes(&der));
		}
	}
	return ERR_OK;
}

static enum err_code
judge_file(struct run *r, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	size_t before = r->n_object;
	TRY(input_read(r->c, r->file, FILE_MAX_BYTES, &text, e));
	struct bytes b = buf_bytes(&text);
	if (b.len > 0 && b.p[0] == DER_SEQUENCE)
		judge_object(r, b);
	else
		TRY(judge_pem(r, b, e));
	if (r->n_object == before)
		return err_say(e, ERR_INVALID, "cli-lint-file",
		    "the file %s holds no certificate and no CRL, neither in "
		    "PEM nor in DER",
		    r->file);
	return ERR_OK;
}

static enum err_code
read_profile(struct run *r, struct err *e)
{
	const char *word = r->c->option[OPT_PROFILE];
	r->is_any = word == NULL || strcmp(word, "any") == 0;
	if (r->is_any)
		return ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		if (strcmp(word, profiles[i]) == 0) {
			r->kind = (enum lint_kind)i;
			return ERR_OK;
		}
	}
	r->c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "cli-lint-profile",
	    "there is no profile %s; write holder, ca, cross, root, ocsp, "
	    "endorser or "
	    "any",
	    word);
}

static void
tell_sum(const struct run *r)
{
	if (r->c->json) {
		char *text = json_dumps(r->objects, JSON_COMPACT);
		printf("{\"errors\":%zu,\"objects\":%s,\"warnings\":%zu}\n",
		    r->errors, text, r->warnings);
		free(text);
		return;
	}
	printf(SAY(r->c, "%zu errors, %zu warnings\n",
		   "%zu errores, %zu avisos\n"),
	    r->errors, r->warnings);
}

static enum err_code
lint(struct cli *c, struct err *e)
{
	struct run r = { .c = c, .objects = json_array() };
	enum err_code code = read_profile(&r, e);
	for (size_t i = 0; code == ERR_OK && i < c->n_operand; i++) {
		r.file = c->operand[i];
		code = judge_file(&r, e);
	}
	if (code == ERR_OK) {
		tell_sum(&r);
		c->exit = r.errors > 0 ? CLI_INVALID : CLI_OK;
	}
	json_decref(r.objects);
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "lint", NULL, lint, NO_ACT, NO_OPERAND, "FILE…", 1, FILES_MAX, OPTION(OPT_PROFILE),
	    "what is wrong with certificates and CRLs of anyone; exit status 6 if there are errors",
	    "qué tienen mal certificados y CRL de cualquiera; estado 6 si hay errores",
	    "lint maria.pem emisora.crl", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_lint = { verbs, ARRAY_LEN(verbs) };
