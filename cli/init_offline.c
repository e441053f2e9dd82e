/*
 * init_offline - a new installation whose root is elsewhere: what it is to
 * sign is written to a file, and what it signed completes the installation.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define FIRST_ID "CER-INIT"
#define REQUEST  "ceremony/init.request"
#define ANSWER   "ceremony/init.answer"

enum err_code
init_offline_root(struct init *i, struct err *e)
{
	const char *file = i->c->option[OPT_ROOT];
	struct buf text AUTO_BUF = BUF(0);
	struct lint found;
	enum key_type type;
	if (file == NULL)
		return ERR_OK;
	i->is_offline = true;
	i->root.der = BUF(CERT_MAX_BYTES);
	TRY(input_read(i->c, file, 2 * CERT_MAX_BYTES, &text, e));
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", &i->root.der, e));
	TRY(cert_parse(buf_bytes(&i->root.der), &i->root.cert, e));
	cert_lint(&i->root.cert, LINT_ROOT, LINT_ALL, &found);
	TRY(lint_verdict(&found, e));
	return spki_check(i->root.cert.spki, &type, e);
}

/* --- Asking ------------------------------------------------------------------------ */

static void
add_object(struct init *i, struct ceremony_file *f, enum ceremony_kind kind,
    const char *name, struct bytes tbs)
{
	uint8_t *hash = arena_get(i->c->arena, HASH_LEN);
	sha256(hash, tbs);
	f->object[f->is.n] = tbs;
	f->is.object[f->is.n].kind = kind;
	f->is.object[f->is.n].name = bytes_str(name);
	f->is.object[f->is.n++].tbs_sha256 = bytes_of(hash, HASH_LEN);
}

/* No officer signs it: the log in which they could be found is still empty. */
static enum err_code
write_request(struct init *i, struct err *e)
{
	struct ceremony_file *f = arena_get(i->c->arena, sizeof(*f));
	struct buf statement AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf out AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	uint8_t root[SHA256_LEN], empty[HASH_LEN];
	*f = (struct ceremony_file){ .n_evidence = 0 };
	sha256(root, buf_bytes(&i->root.der));
	sha256(empty, BYTES_NONE);
	f->is.origin = bytes_str(i->origin);
	f->is.id = bytes_str(FIRST_ID);
	f->is.root_sha256 = bytes_of(root, SHA256_LEN);
	f->is.proposed_by = bytes_str(i->officer_run);
	f->is.log_root = bytes_of(empty, HASH_LEN);
	f->is.text_es = bytes_str(arena_printf(i->c->arena,
	    "Que la raíz firme, para la instalación nueva %s, los "
	    "certificados de la emisora y de la CA de ministros de fe, y "
	    "su primera lista de revocación.",
	    i->origin));
	f->is.issued = i->now;
	f->is.expires = i->now + CEREMONY_LIFE_S;
	add_object(i, f, CEREMONY_CERTIFICATE, ISSUER, i->issuer.cert.tbs);
	add_object(i, f, CEREMONY_CERTIFICATE, "endorser",
	    i->endorser.cert.tbs);
	add_object(i, f, CEREMONY_CRL, "root", buf_bytes(&i->root_crl));
	TRY(ceremony_print(&f->is, &statement, e));
	f->statement = buf_bytes(&statement);
	ceremony_file_print(f, &out);
	buf_putc(&out, '\n');
	TRY(buf_end(&out, e));
	TRY(file_write(init_inside(i, INIT_WAITS), BYTES_NONE, 0600, e));
	return file_write(init_inside(i, REQUEST), buf_bytes(&out), 0644, e);
}

static void
tell_request(struct init *i, struct bytes statement)
{
	struct cli *c = i->c;
	char hex[HEX_LEN(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	struct buf words AUTO_BUF = BUF(1024);
	sha256(hash, statement);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	speak_hash(hash, &words);
	if (c->json) {
		json_t *root = json_object();
		json_object_set_new(root, "request",
		    json_string(init_inside(i, REQUEST)));
		json_object_set_new(root, "statement_sha256", json_string(hex));
		print_object(c, root);
		return;
	}
	printf("%s %s\n  SHA-256 %s\n  %s\n\n%s\n"
	       "  refrendo ceremony sign init.request --key root.key --cert "
	       "root.pem --out init.answer\n%s\n"
	       "  refrendo init --dir %s --answer init.answer\n",
	    SAY(c, "The root is to sign what stands in",
		"La raíz debe firmar lo que está en"),
	    init_inside(i, REQUEST), hex, buf_text(&words),
	    SAY(c, "There, compare the words and sign:",
		"Allá, compare las palabras y firme:"),
	    SAY(c, "Here, with its answer:", "Aquí, con la respuesta:"),
	    i->final);
}

enum err_code
init_ask(struct init *i, struct err *e)
{
	struct buf text AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	struct ceremony_file *f = arena_get(i->c->arena, sizeof(*f));
	TRY(write_request(i, e));
	/* It is read back as it will be read there. */
	TRY(file_read(i->dir, REQUEST, CEREMONY_FILE_MAX, &text, e));
	TRY(ceremony_file_parse(buf_bytes(&text), i->c->arena, f, e));
	unlink(init_inside(i, INIT_MARK));
	tell_request(i, f->statement);
	return ERR_OK;
}

/* --- The answer --------------------------------------------------------------------- */

static enum err_code
read_certificate(struct init *i, const char *name, struct made *out,
    struct err *e)
{
	out->der = BUF(CERT_MAX_BYTES);
	TRY(file_certificate(i->dir, name, &out->der, e));
	return cert_parse(buf_bytes(&out->der), &out->cert, e);
}

static enum err_code
must_wait(struct init *i, struct err *e)
{
	struct stat st;
	if (lstat(init_inside(i, INIT_WAITS), &st) == 0 &&
	    lstat(i->final, &st) != 0)
		return ERR_OK;
	return err_say(e, ERR_CONFLICT, "init-waits-not",
	    "no init of %s waits for its root; begin one with --root",
	    i->final);
}

static enum err_code
read_files(struct init *i, struct ceremony_file *answer, struct err *e)
{
	struct buf asked AUTO_BUF = BUF(0), text AUTO_BUF = BUF(0);
	struct ceremony_file *request =
	    arena_get(i->c->arena, sizeof(*request));
	char when[TIME_TEXT];
	TRY(file_read(i->dir, REQUEST, CEREMONY_FILE_MAX, &asked, e));
	TRY(ceremony_file_parse(buf_bytes(&asked), i->c->arena, request, e));
	TRY(input_read(i->c, i->c->option[OPT_ANSWER], CEREMONY_FILE_MAX, &text,
	    e));
	TRY(ceremony_file_parse(buf_bytes(&text), i->c->arena, answer, e));
	if (!answer->is_answer ||
	    !bytes_eq(answer->statement, request->statement))
		return err_say(e, ERR_INVALID, "init-answer-other",
		    "the file is not the answer to what this init asked its "
		    "root");
	if (i->now > answer->is.expires) {
		time_print(when, answer->is.expires);
		return err_say(e, ERR_CONFLICT, "init-answer-late",
		    "the answer could be used until %s; remove what waits and "
		    "begin anew",
		    when);
	}
	return file_write(init_inside(i, ANSWER), buf_bytes(&text), 0644, e);
}

/* Each in its place; the names are those of write_request(). */
static enum err_code
keep_objects(struct init *i, const struct ceremony_file *answer,
    const struct ceremony_object *object, struct err *e)
{
	struct made *const made[] = { &i->issuer, &i->endorser };
	static const char *const names[] = { "ca/emisora.pem",
		"ca/endorser.pem" };
	for (size_t k = 0; k < ARRAY_LEN(made); k++) {
		struct bytes der = object[k].der;
		made[k]->der = BUF(CERT_MAX_BYTES);
		buf_put(&made[k]->der, der.p, der.len);
		TRY(buf_end(&made[k]->der, e));
		TRY(init_write_pem(i, names[k], "CERTIFICATE", der, e));
	}
	return file_write(init_inside(i, "ca/root.crl"),
	    object[answer->is.n - 1].der, 0644, e);
}

static enum err_code
take_answer(struct init *i, struct err *e)
{
	AUTO(verifier) v = NULL;
	struct ceremony_file *answer = arena_get(i->c->arena, sizeof(*answer));
	struct ceremony_object *object =
	    arena_get(i->c->arena, CEREMONY_OBJECTS_MAX * sizeof(*object));
	struct buf log AUTO_BUF = BUF(0);
	TRY(read_certificate(i, "ca/root.pem", &i->root, e));
	TRY(read_certificate(i, "officer/officer.pem", &i->officer, e));
	TRY(read_files(i, answer, e));
	TRY(verifier_new(&v, e));
	TRY(ceremony_judge(answer, &i->root.cert, v, i->c->arena, object, e));
	TRY(keep_objects(i, answer, object, e));
	TRY(file_read(i->dir, "ca/log.pem", CERT_MAX_BYTES, &log, e));
	i->log_der = BUF(SPKI_MAX);
	TRY(pem_or_der(buf_bytes(&log), "PUBLIC KEY", &i->log_der, e));
	i->log_spki = buf_bytes(&i->log_der);
	return ERR_OK;
}

enum err_code
init_answered(struct init *i, struct err *e)
{
	i->is_offline = true;
	TRY(init_take_place(i, e));
	TRY(must_wait(i, e));
	umask(077);
	TRY(init_read_back(i, e));
	i->origin = i->config.origin;
	TRY(take_answer(i, e));
	/* An earlier try that was interrupted left entries that nobody saw. */
	init_forget_ledger(i);
	return init_end(i, e);
}
