/*
 * ceremony_engine - the host's side of a ceremony: ask, sign as officer, carry
 * to the root, and bring back what it signed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ceremony.h"

/* --- A new CA's keys ---------------------------------------------------------------- */

static enum err_code
make_key(struct cli *c, const char *file, enum key_type type,
    struct bytes passphrase, struct key **out, struct err *e)
{
	const char *path =
	    arena_printf(c->arena, "%s/keys/%s.key", c->dir, file);
	struct buf pem AUTO_BUF = BUF(16384);
	if (access(path, F_OK) == 0)
		return err_say(e, ERR_CONFLICT, "cli-key-exists",
		    "the file %s is there already; a CA's key is new, so name "
		    "the CA otherwise or move the file away",
		    path);
	TRY(key_generate(type, out, e));
	TRY(key_print(*out, passphrase, &pem, e));
	return file_write_new(path, buf_bytes(&pem), 0600, e);
}

/* Both keys, and a request that proves possession of the CA's. */
static enum err_code
make_keys(struct cli *c, const char *name, struct buf *csr, struct err *e)
{
	AUTO(key) key = NULL;
	AUTO(key) ocsp = NULL;
	struct buf passphrase AUTO_BUF = BUF(0);
	struct key_plan plan;
	TRY(key_plan_take(c, KEY_ROLE(ISSUER) | KEY_ROLE(RESPONDER), &plan, e));
	TRY(keys_passphrase(c, &passphrase, e));
	TRY(make_key(c, name, plan.type[KEY_ROLE_ISSUER],
	    buf_bytes(&passphrase), &key, e));
	TRY(make_key(c, arena_printf(c->arena, "%s-ocsp", name),
	    plan.type[KEY_ROLE_RESPONDER], buf_bytes(&passphrase), &ocsp, e));
	return csr_build(key, name, csr, e);
}

/* A key that is there already, in a token or made before the engine said no. */
static enum err_code
old_key(struct cli *c, const char *name, struct buf *csr, bool *found,
    struct err *e)
{
	AUTO(key) key = NULL;
	struct buf passphrase AUTO_BUF = BUF(0);
	const char *path =
	    arena_printf(c->arena, "%s/keys/%s.key", c->dir, name);
	*found = access(path, F_OK) == 0;
	if (!*found)
		return ERR_OK;
	TRY(keys_passphrase(c, &passphrase, e));
	TRY(key_load(path, buf_bytes(&passphrase), &key, e));
	return csr_build(key, name, csr, e);
}

const char *
text_in(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	return text == NULL ? "" : text;
}

bool
get_octets(struct cli *c, const json_t *record, const char *member,
    struct bytes *out)
{
	struct buf b AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	const char *text = json_string_value(json_object_get(record, member));
	if (text == NULL || !base64_get(&b, bytes_str(text)))
		return false;
	*out = arena_copy(c->arena, buf_bytes(&b));
	return true;
}

/* --- Asking -------------------------------------------------------------------------- */

void
take_fields(struct cli *c, struct command *command)
{
	for (size_t i = 0; i < CF_COUNT; i++) {
		if (c->field[i] != NULL)
			command->f[i] = bytes_str(c->field[i]);
	}
}

/* Officers sign the hash of what the root is to sign: that is looked at too. */
enum err_code
ceremony_check_asked(struct cli *c, const struct command *asked, const char *id,
    struct bytes statement, struct err *e)
{
	struct bytes tbs = BYTES_NONE;
	json_t *record;
	TRY(engine_json(c, path_of(c, "/ceremonies/", id, "?blobs=1"), &record,
	    e));
	(void)!get_octets(c, record, "tbs", &tbs);
	json_decref(record);
	return ceremony_is_asked(c, asked, statement, tbs, e);
}

enum err_code
ceremony_sign_first(struct cli *c, const struct command *asked, const char *id,
    struct buf *answer, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_ENDORSE };
	struct buf statement AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	TRY(engine_get(c, path_of(c, "/ceremonies/", id, "/statement"),
	    &statement, e));
	TRY(ceremony_check_asked(c, asked, id, buf_bytes(&statement), e));
	TRY(sign_shown(c, buf_bytes(&statement), &cms, e));
	command.f[CF_CEREMONY] = bytes_str(id);
	command.f[CF_CMS] = buf_bytes(&cms);
	return engine_command(c, &command, NULL, answer, e);
}

static const char *
state_of(struct cli *c, const char *id)
{
	/* The refusal that is to be told is the one before. */
	struct buf problem = c->problem;
	const char *state = "";
	json_t *record;
	struct err e;
	c->problem = BUF(1u << 20);
	if (engine_json(c, path_of(c, "/ceremonies/", id, ""), &record, &e) ==
	    ERR_OK) {
		state =
		    arena_str(c->arena, bytes_str(text_in(record, "state")));
		json_decref(record);
	}
	buf_fini(&c->problem);
	c->problem = problem;
	return state;
}

void
ceremony_say_where(struct cli *c, const char *id)
{
	const char *state = state_of(c, id);
	if (strcmp(state, "proposed") == 0)
		fprintf(stderr,
		    SAY(c,
			"%s stays proposed: refrendo ceremony endorse %s --key "
			"FILE --cert FILE, or refrendo ceremony withdraw %s\n",
			"%s queda propuesta: refrendo ceremony endorse %s "
			"--key ARCHIVO --cert ARCHIVO, o refrendo ceremony "
			"withdraw %s\n"),
		    id, id, id);
	else if (strcmp(state, "agreed") == 0)
		fprintf(stderr,
		    SAY(c,
			"%s stays agreed. Next, the root: refrendo ceremony "
			"export %s --out FILE, ceremony sign where its key is, "
			"ceremony import; or refrendo ceremony withdraw %s\n",
			"%s queda acordada. Sigue la raíz: refrendo ceremony "
			"export %s --out ARCHIVO, ceremony sign donde está su "
			"llave, ceremony import; o refrendo ceremony withdraw "
			"%s\n"),
		    id, id, id);
	else
		fprintf(stderr,
		    SAY(c, "how far it went: refrendo ceremony show %s\n",
			"hasta dónde llegó: refrendo ceremony show %s\n"),
		    id);
}

/* What the engine proposed; with --key the officer signs it at once. */
static enum err_code
propose(struct cli *c, const struct command *command, struct buf *answer,
    struct err *e)
{
	struct buf first AUTO_BUF = ANSWER_BUF;
	if (c->option[OPT_KEY] == NULL)
		return engine_command(c, command,
		    c->option[OPT_IDEMPOTENCY_KEY], answer, e);
	TRY(engine_command(c, command, c->option[OPT_IDEMPOTENCY_KEY], &first,
	    e));
	json_t *record = json_loadb((const char *)first.p, first.len, 0, NULL);
	const char *id = arena_str(c->arena, bytes_str(text_in(record, "id")));
	json_decref(record);
	/* Asked for once more with the same key. */
	const char *state = state_of(c, id);
	if (strcmp(state, "agreed") == 0 || strcmp(state, "completed") == 0)
		return engine_get(c, path_of(c, "/ceremonies/", id, ""), answer,
		    e);
	enum err_code code = ceremony_sign_first(c, command, id, answer, e);
	if (code != ERR_OK)
		ceremony_say_where(c, id);
	return code;
}

static enum err_code
ask(struct cli *c, const struct command *command, struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	TRY(propose(c, command, &answer, e));
	return print_record(c, buf_bytes(&answer), e);
}

enum err_code
check_signing(struct cli *c, struct err *e)
{
	bool sign = c->option[OPT_KEY] != NULL;
	if (sign == (c->option[OPT_CERT] != NULL))
		return ERR_OK;
	return cli_usage_missing(c, sign ? "--cert" : "--key", e);
}

static enum err_code
ceremony_request(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_CA };
	struct buf csr AUTO_BUF = BUF(2 * CSR_MAX_BYTES);
	const char *name = c->operand[0];
	bool found = false;
	TRY(check_signing(c, e));
	/* It becomes a file's name before the engine has judged it. */
	if (name[0] == '\0' || name[0] == '-' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
		strlen(name))
		return err_at(e, ERR_INVALID, "cli-ca-name", NULL,
		    at_field("name"),
		    "%s is no name of a CA: write a-z, 0-9 and dash", name);
	take_fields(c, &command);
	command.f[CF_NAME] = bytes_str(name);
	if (c->field[CF_CSR] != NULL)
		TRY(input_read(c, c->field[CF_CSR], 2 * CSR_MAX_BYTES, &csr,
		    e));
	else
		TRY(old_key(c, name, &csr, &found, e));
	if (c->field[CF_CSR] == NULL && !found)
		TRY(make_keys(c, name, &csr, e));
	command.f[CF_CSR] = buf_bytes(&csr);
	return ask(c, &command, e);
}

static enum err_code
ceremony_crl(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_CRL };
	TRY(check_signing(c, e));
	take_fields(c, &command);
	if (c->n_operand > 0)
		command.f[CF_NAME] = bytes_str(c->operand[0]);
	return ask(c, &command, e);
}

static enum err_code
read_file(struct cli *c, enum ca_field f, struct buf *out,
    struct command *command, struct err *e)
{
	if (c->field[f] == NULL)
		return ERR_OK;
	TRY(input_read(c, c->field[f], 2 * CERT_MAX_BYTES, out, e));
	command->f[f] = buf_bytes(out);
	return ERR_OK;
}

static enum err_code
ceremony_cross(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_CROSS };
	struct buf csr AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	struct buf cert AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	TRY(check_signing(c, e));
	take_fields(c, &command);
	TRY(read_file(c, CF_CSR, &csr, &command, e));
	TRY(read_file(c, CF_CERTIFICATE, &cert, &command, e));
	command.f[CF_NAME] = bytes_str(c->operand[0]);
	return ask(c, &command, e);
}

static enum err_code
ceremony_destroy(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_KEY };
	TRY(check_signing(c, e));
	TRY(campaign_warn(c, c->operand[0], e));
	take_fields(c, &command);
	command.f[CF_NAME] = bytes_str(c->operand[0]);
	return ask(c, &command, e);
}

/* Files as they are, octet for octet: of their hash is what officers sign. */
static enum err_code
ask_files(struct cli *c, struct command *command, size_t first, struct err *e)
{
	struct buf list AUTO_BUF = BUF(2 * (POLICY_FILE_MAX + 4u));
	TRY(check_signing(c, e));
	take_fields(c, command);
	for (size_t i = first; i < c->n_operand; i++) {
		struct buf text AUTO_BUF = BUF(0);
		TRY(input_read(c, c->operand[i], POLICY_FILE_MAX, &text, e));
		put_bytes(&list, buf_bytes(&text));
	}
	TRY(buf_end(&list, e));
	command->f[CF_FILES] = buf_bytes(&list);
	return ask(c, command, e);
}

static enum err_code
ceremony_ceilings(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_CEILINGS };
	return ask_files(c, &command, 0, e);
}

static enum err_code
ceremony_adopt(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_ROOT,
		.f[CF_NAME] = bytes_str(c->operand[0]) };
	return ask_files(c, &command, 1, e);
}

/* --- To the root and back ---------------------------------------------------------------- */

static enum err_code
not_an_answer(struct err *e)
{
	return err_say(e, ERR_IO, "cli-answer",
	    "the engine's answer is not JSON");
}

static enum err_code
take_signatures(struct cli *c, const char *id, struct ceremony_file *f,
    struct err *e)
{
	json_t *page, *row;
	size_t i;
	bool good = true;
	TRY(engine_json(c,
	    path_of(c, "/ceremonies/", id, "/signatures?blobs=1"), &page, e));
	json_array_foreach(json_object_get(page, "items"), i, row)
	{
		if (f->n_evidence < CEREMONY_EVIDENCE_MAX)
			good = get_octets(c, row, "evidence",
				   &f->evidence[f->n_evidence++]) &&
			       good;
	}
	json_decref(page);
	return good ? ERR_OK : not_an_answer(e);
}

enum err_code
ceremony_not_agreed(const char *id, struct err *e)
{
	return err_say(e, ERR_CONFLICT, "cli-ceremony-state",
	    "officers have not agreed on the ceremony %s, or it has "
	    "ended: see refrendo ceremony show",
	    id);
}

enum err_code
ceremony_take(struct cli *c, const char *id, struct ceremony_file *f,
    struct taken *out, struct err *e)
{
	json_t *record;
	*f = (struct ceremony_file){ .is_answer = false };
	TRY(engine_json(c, path_of(c, "/ceremonies/", id, "?blobs=1"), &record,
	    e));
	const char *text =
	    json_string_value(json_object_get(record, "statement"));
	out->state = arena_str(c->arena, bytes_str(text_in(record, "state")));
	out->held = json_integer_value(json_object_get(record, "held")) == 1;
	bool good = text != NULL && get_octets(c, record, "tbs", &f->object[0]);
	if (good)
		f->statement = bytes_str(arena_str(c->arena, bytes_str(text)));
	json_decref(record);
	if (!good)
		return not_an_answer(e);
	TRY(ceremony_parse(f->statement, c->arena, &f->is, e));
	return take_signatures(c, id, f, e);
}

static enum err_code
ceremony_export(struct cli *c, struct err *e)
{
	struct buf out AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	struct buf words AUTO_BUF = BUF(1024);
	struct ceremony_file *f = arena_get(c->arena, sizeof(*f));
	struct taken taken;
	uint8_t hash[SHA256_LEN];
	TRY(ceremony_take(c, c->operand[0], f, &taken, e));
	if (strcmp(taken.state, "agreed") != 0)
		return ceremony_not_agreed(c->operand[0], e);
	TRY(ceremony_may_leave(c, f, taken.held, e));
	ceremony_file_print(f, &out);
	buf_putc(&out, '\n');
	TRY(buf_end(&out, e));
	sha256(hash, f->statement);
	speak_hash(hash, &words);
	fprintf(stderr, "%s\n  %s\n",
	    SAY(c, "to be compared where the root is:",
		"para comparar donde está la raíz:"),
	    buf_text(&words));
	TRY(print_octets(c, buf_bytes(&out), e));
	char hex[HEX_LEN(SHA256_LEN)];
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	print_written(c,
	    json_pack("{s:s, s:s, s:s}", "id", c->operand[0],
		"statement_sha256", hex, "words", buf_text(&words)),
	    c->option[OPT_OUT]);
	return ERR_OK;
}

/* Did the signer make its key, by what the engine answered? */
static bool
is_held(struct bytes answer)
{
	json_t *record =
	    json_loadb((const char *)answer.p, answer.len, 0, NULL);
	json_int_t held = json_integer_value(json_object_get(record, "held"));
	json_decref(record);
	return held == 1;
}

/* The certificate beside the others, and what the configuration still lacks. */
static enum err_code
keep_certificate(struct cli *c, const struct ceremony_file *f, bool held,
    struct err *e)
{
	struct buf pem AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	const char *name = arena_str(c->arena, f->is.object[0].name);
	const char *path = arena_printf(c->arena, "%s/ca/%s.pem", c->dir, name);
	pem_put(&pem, "CERTIFICATE", f->object[0]);
	TRY(buf_end(&pem, e));
	TRY(file_write(path, buf_bytes(&pem), 0644, e));
	if (f->is.object[0].kind == CEREMONY_CROSS)
		return ERR_OK;
	if (held) {
		fprintf(stderr, "%s\n",
		    SAY(c,
			"the CA works from now on: nothing is to be added to "
			"refrendo.yaml, nothing to be restarted",
			"la emisora funciona desde ahora: no hay nada que "
			"agregar a refrendo.yaml ni que reiniciar"));
		return ERR_OK;
	}
	fprintf(stderr,
	    "%s\n"
	    "  - name: %s\n"
	    "    certificate: ca/%s.pem\n"
	    "    key: file:keys/%s.key\n"
	    "    ocsp_key: file:keys/%s-ocsp.key\n"
	    "    ocsp_certificate: 30d\n",
	    SAY(c,
		"to put it to work, add this below issuers: in "
		"etc/refrendo.yaml and start the engine again:",
		"para que funcione, agregue esto bajo issuers: en "
		"etc/refrendo.yaml y reinicie el motor:"),
	    name, name, name, name);
	return ERR_OK;
}

/* Where doctor looks, by the name that refrendo.yaml has for the root. */
static enum err_code
keep_list(struct cli *c, const struct ceremony_file *f, struct err *e)
{
	struct root_here root;
	TRY(root_here_find(c, f->is.root_sha256, &root, e));
	return file_write(arena_printf(c->arena, "%s/ca/%s.crl", c->dir,
			      root.name),
	    f->object[0], 0644, e);
}

enum err_code
ceremony_bring(struct cli *c, struct bytes text, struct err *e)
{
	struct command command = { .act = ACT_CEREMONY_IMPORT };
	struct buf answer AUTO_BUF = ANSWER_BUF;
	struct ceremony_file *f = arena_get(c->arena, sizeof(*f));
	TRY(ceremony_file_parse(text, c->arena, f, e));
	if (c->field[CF_AS] != NULL)
		command.f[CF_AS] = bytes_str(c->field[CF_AS]);
	command.f[CF_ANSWER] = text;
	/* The key of an act before it is not that of this one. */
	TRY(engine_command(c, &command,
	    c->verb->act == ACT_CEREMONY_IMPORT ? c->option[OPT_IDEMPOTENCY_KEY]
						: NULL,
	    &answer, e));
	TRY(print_record(c, buf_bytes(&answer), e));
	if (f->is.object[0].kind == CEREMONY_CRL)
		return keep_list(c, f, e);
	return keep_certificate(c, f, is_held(buf_bytes(&answer)), e);
}

static enum err_code
ceremony_import(struct cli *c, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	TRY(input_read(c, c->operand[0], CEREMONY_FILE_MAX, &text, e));
	return ceremony_bring(c, buf_bytes(&text), e);
}

/* clang-format off */
#define SIGN (OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES))
#define PAGES (OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL))
static const struct verb verbs[] = {
	{ "ceremony", "request", ceremony_request, ACT_CEREMONY_CA, CF_NAME, "NAME", 1, 1,
	    SIGN | OPTION(OPT_ALGORITHM) | OPTION(OPT_KEYS),
	    "ask the root for an issuing CA; its keys are made in DIR/keys, or --csr names them", "pedir a la raíz una emisora; sus llaves se crean en DIR/keys, o las indica --csr",
	    "ceremony request emisora-g2 --as 11111111-1 --key officer.key --cert officer.pem", NULL },
	{ "ceremony", "crl", ceremony_crl, ACT_CEREMONY_CRL, CF_NAME, "[ROOT]", 0, 1, SIGN,
	    "ask the root for its next CRL, with one more CA revoked or none; the one in force, or one before by its name", "pedir a la raíz su próxima CRL, con una CA más revocada o ninguna; la que rige, o una anterior por su nombre",
	    "ceremony crl --as 11111111-1 --serial 6d92da03… --cause superseded", NULL },
	{ "ceremony", "cross", ceremony_cross, ACT_CEREMONY_CROSS, CF_NAME, "NAME", 1, 1, SIGN,
	    "ask the root for a certificate over the key of a CA that is not ours, within a policy for CAs", "pedir a la raíz un certificado sobre la llave de una CA ajena, dentro de una política para CA",
	    "ceremony cross vecina --policy cruzada --certificate vecina.pem --as 11111111-1", NULL },
	{ "ceremony", "destroy", ceremony_destroy, ACT_CEREMONY_KEY, CF_NAME, "NAME", 1, 1, SIGN,
	    "propose that the key of a CA that issues no more is destroyed, for ever", "proponer que se destruya para siempre la llave de una CA que ya no emite",
	    "ceremony destroy emisora --as 11111111-1 --key officer.key --cert officer.pem", NULL },
	{ "ceremony", "ceilings", ceremony_ceilings, ACT_CEREMONY_CEILINGS, CF_FILES, "FILE", 1, 1, SIGN,
	    "propose another signer.yaml: other ceilings, officers or quorums", "proponer otro signer.yaml: otros topes, oficiales o quórums",
	    "ceremony ceilings signer.yaml --as 11111111-1 --key officer.key --cert officer.pem", NULL },
	{ "ceremony", "adopt", ceremony_adopt, ACT_CEREMONY_ROOT, CF_NAME, "NAME ROOT [OLD-WITH-NEW]", 2, 3, SIGN,
	    "propose another root: from then on it signs the certificates of CAs, and the one before its own CRLs alone", "proponer otra raíz: desde entonces firma ella los certificados de las CA, y la anterior solo sus propias CRL",
	    "ceremony adopt raiz-g2 ca/raiz-g2.pem old-with-new.pem --as 11111111-1 --key officer.key --cert officer.pem", NULL },
	{ "ceremony", "endorse", run_sign, ACT_CEREMONY_ENDORSE, CF_CEREMONY, "NUMBER", 1, 1, SIGN,
	    "sign a ceremony as officer, or bring the signature", "firmar una ceremonia como oficial, o traer la firma",
	    "ceremony endorse CER-2026-000001 --key officer.key --cert officer.pem", "/ceremonies/{}/statement" },
	{ "ceremony", "get", run_ceremony_get, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_OUT) | OPTION(OPT_SOCKET),
	    "what is to be signed or to be in force: a TBS, or the file of ceilings", "lo que se ha de firmar o ha de regir: un TBS, o el archivo de topes",
	    "ceremony get CER-2026-000001 --out signer.yaml", NULL },
	{ "ceremony", "statement", run_statement, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_OUT),
	    "the exact bytes that officers sign", "los bytes exactos que firman los oficiales",
	    "ceremony statement CER-2026-000001 --out statement.json", "/ceremonies/{}/statement" },
	{ "ceremony", "export", ceremony_export, NO_ACT, NO_OPERAND, "NUMBER", 1, 1,
	    OPTION(OPT_OUT) | OPTION(OPT_SOCKET),
	    "the request for the root, with the officers' signatures", "la solicitud para la raíz, con las firmas de los oficiales",
	    "ceremony export CER-2026-000001 --out /media/archivos/ceremony.request", NULL },
	{ "ceremony", "import", ceremony_import, ACT_CEREMONY_IMPORT, CF_ANSWER, "FILE", 1, 1, 0,
	    "bring what the root signed", "traer lo que firmó la raíz",
	    "ceremony import ceremony.answer --as 11111111-1", NULL },
	{ "ceremony", "withdraw", run_act, ACT_CEREMONY_WITHDRAW, CF_CEREMONY, "NUMBER", 1, 1, 0,
	    "withdraw a ceremony that was not completed", "retirar una ceremonia que no se completó",
	    "ceremony withdraw CER-2026-000001 --as 11111111-1", NULL },
	{ "ceremony", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0, PAGES,
	    "list ceremonies", "listar ceremonias", "ceremony ls", "/ceremonies" },
	{ "ceremony", "show", run_show, NO_ACT, NO_OPERAND, "NUMBER", 1, 1, OPTION(OPT_BLOBS),
	    "show one ceremony", "mostrar una ceremonia",
	    "ceremony show CER-2026-000001", "/ceremonies/{}" },
};
/* clang-format on */

const struct verbs cli_verbs_ceremony_engine = { verbs, ARRAY_LEN(verbs) };
