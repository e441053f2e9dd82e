/*
 * ceremony - the root's side of a ceremony, on a machine without network and
 * without an engine: make the root, look at a request, sign it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ceremony.h"
#include "init.h"

static void
ceremony_fini(struct ceremony_run *r)
{
	verifier_free(r->verifier);
	buf_fini(&r->root_der);
}

/* --- Reading ---------------------------------------------------------------------- */

static enum err_code
read_root(struct ceremony_run *r, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	r->root_der = BUF(CERT_MAX_BYTES);
	TRY(input_read(r->c, r->c->option[OPT_CERT], 2 * CERT_MAX_BYTES, &text,
	    e));
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", &r->root_der, e));
	return cert_parse(buf_bytes(&r->root_der), &r->root, e);
}

static enum err_code
read_ceilings(struct ceremony_run *r, struct ceilings *out, struct err *e)
{
	struct cli *c = r->c;
	struct findings f = { NULL, 0, 0 };
	struct buf text AUTO_BUF = BUF(0);
	TRY(input_read(c, c->option[OPT_CEILINGS], POLICY_FILE_MAX, &text, e));
	struct policy_file file = { .name = c->option[OPT_CEILINGS],
		.text = buf_bytes(&text) };
	ceilings_load(&file, out, &f);
	findings_show(c, &f, &file, 1);
	size_t errors = f.errors;
	findings_fini(&f);
	return errors == 0 ? ERR_OK
			   : err_say(e, ERR_INVALID, "cli-ceilings",
				 "the file of ceilings has mistakes; see "
				 "above");
}

/* Counted are people; a signature that is wrong spoils all. */
static enum err_code
check_evidence(struct ceremony_run *r, const struct ceilings *ceilings,
    struct err *e)
{
	bool seen[OFFICERS_MAX] = { false };
	for (size_t i = 0; i < r->file.n_evidence; i++) {
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		uint8_t key[SHA256_LEN];
		struct cms cms;
		TRY(cms_parse(r->file.evidence[i], &scratch, &cms, e));
		TRY(cms_verify(&cms, r->file.statement, r->verifier, e));
		sha256(key, cms.signer.spki);
		for (size_t k = 0; ceilings != NULL && k < ceilings->n_officer;
		    k++) {
			const struct officer *o = &ceilings->officer[k];
			if (memcmp(key, o->spki_sha256, SHA256_LEN) != 0 ||
			    seen[k])
				continue;
			seen[k] = true;
			r->people++;
		}
	}
	return ERR_OK;
}

static enum err_code
check_quorum(struct ceremony_run *r, struct err *e)
{
	char have[24], need[24];
	struct ceilings *ceilings = calloc(1, sizeof(*ceilings));
	if (ceilings == NULL)
		return err_nomem(e);
	enum err_code code = read_ceilings(r, ceilings, e);
	if (code == ERR_OK)
		code = check_evidence(r, ceilings, e);
	r->quorum = ceilings->quorum;
	free(ceilings);
	TRY(code);
	if (r->file.is_answer || (int64_t)r->people >= r->quorum)
		return ERR_OK;
	snprintf(have, sizeof(have), "%zu", r->people);
	snprintf(need, sizeof(need), "%lld", (long long)r->quorum);
	return err_say(e, ERR_FORBIDDEN, "cli-ceremony-quorum",
	    "the ceremony was signed by %s officers of the ceilings where %s "
	    "are needed",
	    have, need);
}

static enum err_code
read_ceremony(struct cli *c, struct ceremony_run *r, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	*r = (struct ceremony_run){ .c = c };
	if (c->option[OPT_CERT] == NULL)
		return cli_usage_missing(c, "--cert", e);
	TRY(verifier_new(&r->verifier, e));
	TRY(input_read(c, c->operand[0], CEREMONY_FILE_MAX, &text, e));
	TRY(ceremony_file_parse(buf_bytes(&text), c->arena, &r->file, e));
	TRY(read_root(r, e));
	TRY(ceremony_judge(&r->file, &r->root, r->verifier, c->arena, r->object,
	    e));
	if (c->option[OPT_CEILINGS] != NULL)
		return check_quorum(r, e);
	return check_evidence(r, NULL, e);
}

static enum err_code
print_told(struct ceremony_run *r, FILE *to, struct err *e)
{
	struct buf told AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	ceremony_tell(r, &told);
	TRY(buf_end(&told, e));
	fputs(buf_text(&told), to);
	return ERR_OK;
}

/* --- check ------------------------------------------------------------------------- */

/* What is to be compared, as it is shown to people. */
static void
put_certificate(struct cli *c, json_t *o, const struct cert *cert)
{
	char subject[600], serial[2 * 20 + 1], from[TIME_TEXT], to[TIME_TEXT];
	char key[HEX_LEN(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	name_print(subject, sizeof(subject), cert->subject);
	hex_print(serial, cert->serial);
	sha256(hash, cert->spki);
	hex_print(key, bytes_of(hash, SHA256_LEN));
	time_print(from, cert->not_before);
	time_print(to, cert->not_after);
	json_t *more = json_pack("{s:s, s:s, s:s, s:s, s:s}", "subject",
	    arena_str(c->arena, bytes_str(subject)), "serial", serial,
	    "not_before", from, "not_after", to, "spki_sha256", key);
	json_object_update(o, more);
	json_decref(more);
}

static void
print_json(struct ceremony_run *r)
{
	char hex[HEX_LEN(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	json_t *root = json_object(), *objects = json_array();
	const struct ceremony_statement *st = &r->file.is;
	sha256(hash, r->file.statement);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	json_object_set_new(root, "kind",
	    json_string(r->file.is_answer ? "answer" : "request"));
	json_object_set_new(root, "id",
	    json_string(arena_str(r->c->arena, st->id)));
	json_object_set_new(root, "origin",
	    json_string(arena_str(r->c->arena, st->origin)));
	json_object_set_new(root, "statement_sha256", json_string(hex));
	json_object_set_new(root, "officers",
	    json_integer((json_int_t)r->file.n_evidence));
	for (size_t i = 0; i < st->n; i++) {
		hex_print(hex, st->object[i].tbs_sha256);
		json_t *o = json_pack("{s:s, s:s, s:s}", "kind",
		    ceremony_kind_name(st->object[i].kind), "name",
		    arena_str(r->c->arena, st->object[i].name), "tbs_sha256",
		    hex);
		if (st->object[i].kind == CEREMONY_CERTIFICATE ||
		    st->object[i].kind == CEREMONY_CROSS)
			put_certificate(r->c, o, &r->object[i].cert);
		json_array_append_new(objects, o);
	}
	json_object_set_new(root, "objects", objects);
	print_object(r->c, root);
}

static enum err_code
check(struct ceremony_run *r, struct err *e)
{
	TRY(read_ceremony(r->c, r, e));
	if (r->c->json) {
		print_json(r);
		return ERR_OK;
	}
	return print_told(r, stdout, e);
}

static enum err_code
ceremony_check(struct cli *c, struct err *e)
{
	struct ceremony_run *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(e);
	r->c = c;
	enum err_code code = check(r, e);
	ceremony_fini(r);
	free(r);
	return code;
}

/* --- sign -------------------------------------------------------------------------- */

static enum err_code
check_times(struct ceremony_run *r, int64_t now, struct err *e)
{
	char when[TIME_TEXT];
	if (now > r->file.is.expires) {
		time_print(when, r->file.is.expires);
		return err_say(e, ERR_CONFLICT, "cli-ceremony-late",
		    "this ceremony could be held until %s; ask for it anew",
		    when);
	}
	if (now >= r->file.is.issued - DAY)
		return ERR_OK;
	time_print(when, r->file.is.issued);
	return err_say(e, ERR_CONFLICT, "cli-ceremony-clock",
	    "this ceremony was asked for at %s, which is still to come by "
	    "this machine's clock; set it",
	    when);
}

static enum err_code
sign_objects(struct ceremony_run *r, struct key *key,
    struct ceremony_file *answer, struct err *e)
{
	for (size_t i = 0; i < r->file.is.n; i++) {
		struct buf signature AUTO_BUF = BUF(SIG_MAX);
		struct buf der AUTO_BUF = BUF(CEREMONY_FILE_MAX);
		TRY(key_sign(key, r->file.object[i], &signature, e));
		TRY(signed_assemble(r->file.object[i],
		    key_type_sigalg(key_type(key)), buf_bytes(&signature), &der,
		    e));
		answer->object[i] = arena_copy(r->c->arena, buf_bytes(&der));
	}
	return ERR_OK;
}

/* The request as it was shown, what was signed, and when. */
static enum err_code
write_transcript(struct ceremony_run *r, const struct ceremony_run *done,
    int64_t now, struct bytes *out, struct err *e)
{
	struct buf told AUTO_BUF = BUF(CEREMONY_FILE_MAX / 2);
	char when[TIME_TEXT];
	time_print(when, now);
	ceremony_tell(r, &told);
	buf_putf(&told, "\n%s %s\n\n",
	    SAY(r->c, "Signed by the root at", "Firmado por la raíz el"), when);
	ceremony_tell(done, &told);
	TRY(buf_end(&told, e));
	*out = arena_copy(r->c->arena, buf_bytes(&told));
	return ERR_OK;
}

/* What comes out is judged like what comes back, before it leaves. */
static enum err_code
finish(struct ceremony_run *r, struct ceremony_file *answer, int64_t now,
    struct ceremony_run *done, struct buf *out, struct err *e)
{
	*done = *r;
	done->file = *answer;
	TRY(ceremony_judge(answer, &r->root, r->verifier, r->c->arena,
	    done->object, e));
	TRY(write_transcript(r, done, now, &answer->transcript, e));
	ceremony_file_print(answer, out);
	buf_putc(out, '\n');
	return buf_end(out, e);
}

static enum err_code
sign_with(struct ceremony_run *r, struct key *key, int64_t now,
    struct ceremony_file *answer, struct ceremony_run *done, struct buf *out,
    struct err *e)
{
	if (!bytes_eq(r->root.spki, key_spki(key)))
		return err_say(e, ERR_INVALID, "cli-key-of-cert",
		    "the key given with --key is not that of the certificate "
		    "given with --cert");
	*answer = (struct ceremony_file){ .is_answer = true,
		.statement = r->file.statement,
		.is = r->file.is };
	TRY(sign_objects(r, key, answer, e));
	return finish(r, answer, now, done, out, e);
}

/* Shown, and asked for, before there is a key. */
static enum err_code
may_sign(struct ceremony_run *r, int64_t now, struct err *e)
{
	TRY(check_times(r, now, e));
	if (!r->c->json)
		TRY(print_told(r, stderr, e));
	return ask_consent(r->c, e);
}

static enum err_code
sign(struct ceremony_run *r, struct err *e)
{
	AUTO(key) key = NULL;
	struct cli *c = r->c;
	struct buf out AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	struct ceremony_run *done = arena_get(c->arena, sizeof(*done));
	struct ceremony_file answer;
	int64_t now = clock_now();
	TRY(file_is_new(c->option[OPT_OUT], e));
	TRY(read_ceremony(c, r, e));
	if (r->file.is_answer)
		return err_say(e, ERR_CONFLICT, "cli-ceremony-signed",
		    "the file %s is an answer: its root has signed already",
		    c->operand[0]);
	TRY(may_sign(r, now, e));
	TRY(input_key(c, c->option[OPT_KEY], &key, e));
	TRY(sign_with(r, key, now, &answer, done, &out, e));
	TRY(file_write_new(c->option[OPT_OUT], buf_bytes(&out), 0644, e));
	if (c->json)
		print_json(done);
	else
		printf("%.*s", BYTES_FMT(answer.transcript));
	return ERR_OK;
}

static enum err_code
sign_here(struct ceremony_run *r, struct buf *out, struct err *e)
{
	AUTO(key) key = NULL;
	struct cli *c = r->c;
	struct config *config = arena_get(c->arena, sizeof(*config));
	struct ceremony_run *done = arena_get(c->arena, sizeof(*done));
	struct buf passphrase AUTO_BUF = BUF(0);
	struct key_asking asking = { .spanish = c->spanish };
	struct ceremony_file answer;
	struct root_here root;
	int64_t now = clock_now();
	TRY(cli_config(c, config, e));
	TRY(verifier_new(&r->verifier, e));
	TRY(root_here_find(c, r->file.is.root_sha256, &root, e));
	TRY(cert_parse(root.der, &r->root, e));
	TRY(ceremony_judge(&r->file, &r->root, r->verifier, c->arena, r->object,
	    e));
	TRY(ceremony_is_made_here(c, r->file.is.object[0].name,
	    r->file.is.object[0].replaces, &r->object[0].cert, e));
	c->option[OPT_CEILINGS] =
	    arena_printf(c->arena, "%s/%s", c->dir, config->signer_yaml);
	TRY(check_quorum(r, e));
	TRY(may_sign(r, now, e));
	asking.key = arena_printf(c->arena, "keys/%s.key", root.name);
	TRY(passphrase_read(c->dir, &asking, &passphrase, e));
	TRY(key_load(root.key, buf_bytes(&passphrase), &key, e));
	return sign_with(r, key, now, &answer, done, out, e);
}

enum err_code
ceremony_sign_here(struct cli *c, const struct ceremony_file *request,
    struct buf *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	struct ceremony_run *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(e);
	r->c = c;
	/* Read as what came from elsewhere: the objects are those of the
	 * statement. */
	ceremony_file_print(request, &text);
	enum err_code code = buf_end(&text, e);
	if (code == ERR_OK)
		code = ceremony_file_parse(buf_bytes(&text), c->arena, &r->file,
		    e);
	if (code == ERR_OK)
		code = sign_here(r, out, e);
	ceremony_fini(r);
	free(r);
	return code;
}

static enum err_code
ceremony_sign(struct cli *c, struct err *e)
{
	if (c->option[OPT_KEY] == NULL)
		return cli_usage_missing(c, "--key", e);
	if (c->option[OPT_OUT] == NULL)
		return cli_usage_missing(c, "--out", e);
	struct ceremony_run *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(e);
	r->c = c;
	enum err_code code = sign(r, e);
	ceremony_fini(r);
	free(r);
	return code;
}

/* --- root -------------------------------------------------------------------------- */

/* Whom the new root is to vouch for, before it does. */
static enum err_code
may_link(struct cli *c, const struct cert *old, struct bytes der, struct err *e)
{
	char subject[600], hex[HEX_LEN(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	sha256(hash, der);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	name_print(subject, sizeof(subject), old->subject);
	if (!c->json)
		fprintf(stderr, "  %s: %s\n  SHA-256 %s\n",
		    SAY(c, "the root before, signed by the new one",
			"la raíz anterior, firmada por la nueva"),
		    subject, hex);
	return ask_consent(c, e);
}

/* The root before, which signed itself, by the one that is made. */
static enum err_code
link_old(struct init *i, struct buf *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0), der AUTO_BUF = BUF(CERT_MAX_BYTES);
	AUTO(verifier) v = NULL;
	struct cert old;
	TRY(input_read(i->c, i->c->option[OPT_CERT], 2 * CERT_MAX_BYTES, &text,
	    e));
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", &der, e));
	TRY(cert_parse(buf_bytes(&der), &old, e));
	if (!old.is_ca || !bytes_eq(old.issuer, old.subject))
		return err_say(e, ERR_INVALID, "cli-root-old",
		    "the certificate given with --cert is not that of a root");
	if (!bytes_eq(old.subject, i->root.cert.subject))
		return err_say(e, ERR_INVALID, "cli-root-old-subject",
		    "the root given with --cert has another subject than the "
		    "new one: it is not the root before of this origin");
	TRY(verifier_new(&v, e));
	TRY(verifier_check(v, old.spki, old.sigalg, old.tbs, old.signature, e));
	TRY(may_link(i->c, &old, buf_bytes(&der), e));
	return init_link(i, &old, out, e);
}

static enum err_code
make_root(struct init *i, struct err *e)
{
	const char *dir = i->c->option[OPT_TO];
	struct buf pem AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	struct buf key AUTO_BUF = BUF(16384);
	struct buf linked AUTO_BUF = BUF(CERT_MAX_BYTES);
	TRY(init_root(i, e));
	if (i->c->option[OPT_CERT] != NULL)
		TRY(link_old(i, &linked, e));
	pem_put(&pem, "CERTIFICATE", buf_bytes(&i->root.der));
	TRY(key_print(i->root.key, buf_bytes(&i->passphrase), &key, e));
	umask(077);
	if (!place_is_new(dir))
		return err_say(e, ERR_CONFLICT, "cli-ceremony-place",
		    "the directory %s has files, or cannot be made; name one "
		    "that is empty or not there yet",
		    dir);
	TRY(file_write(arena_printf(i->c->arena, "%s/root.key", dir),
	    buf_bytes(&key), 0600, e));
	TRY(file_write(arena_printf(i->c->arena, "%s/root.pem", dir),
	    buf_bytes(&pem), 0644, e));
	if (i->c->json)
		print_object(i->c,
		    json_pack("{s:s, s:s, s:s}", "certificate",
			arena_printf(i->c->arena, "%s/root.pem", dir), "key",
			arena_printf(i->c->arena, "%s/root.key", dir), "sha256",
			init_fingerprint(i->c, buf_bytes(&i->root.der))));
	else
		init_put_fingerprint(i->c, SAY(i->c, "root", "raíz"),
		    buf_bytes(&i->root.der));
	if (linked.len == 0)
		return ERR_OK;
	buf_reset(&pem);
	pem_put(&pem, "CERTIFICATE", buf_bytes(&linked));
	TRY(buf_end(&pem, e));
	return file_write(arena_printf(i->c->arena, "%s/old-with-new.pem", dir),
	    buf_bytes(&pem), 0644, e);
}

static enum err_code
ceremony_root(struct cli *c, struct err *e)
{
	if (c->option[OPT_TO] == NULL)
		return cli_usage_missing(c, "--to", e);
	if (c->option[OPT_ORIGIN] == NULL)
		return cli_usage_missing(c, "--origin", e);
	struct init *i = calloc(1, sizeof(*i));
	if (i == NULL)
		return err_nomem(e);
	i->c = c;
	i->now = clock_now();
	i->origin = c->option[OPT_ORIGIN];
	struct key_asking asking = { .key = arena_printf(c->arena,
					 "%s/root.key", c->option[OPT_TO]),
		.is_new = true,
		.spanish = c->spanish };
	enum err_code code = key_plan_take(c, KEY_ROLE(ROOT), &i->keys, e);
	if (code == ERR_OK)
		code = passphrase_read("/dev/null", &asking, &i->passphrase, e);
	if (code == ERR_OK)
		code = make_root(i, e);
	init_fini(i);
	free(i);
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "ceremony", "root", ceremony_root, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_TO) | OPTION(OPT_ORIGIN) | OPTION(OPT_ALGORITHM) | OPTION(OPT_KEYS) | OPTION(OPT_CERT) | OPTION(OPT_YES),
	    "on a machine without network: make a root, its key and certificate; with --cert of the root before also the link from it", "en un equipo sin red: crear una raíz, su llave y certificado; con --cert de la raíz anterior, también el enlace desde ella",
	    "ceremony root --to /media/raiz --origin estado.example.cl/log", NULL },
	{ "ceremony", "check", ceremony_check, NO_ACT, NO_OPERAND, "FILE", 1, 1,
	    OPTION(OPT_CERT) | OPTION(OPT_CEILINGS),
	    "judge a request or an answer, and show what it says", "juzgar una solicitud o respuesta y mostrar lo que dice",
	    "ceremony check ceremony.request --cert root.pem --ceilings signer.yaml", NULL },
	{ "ceremony", "sign", ceremony_sign, NO_ACT, NO_OPERAND, "FILE", 1, 1,
	    OPTION(OPT_CERT) | OPTION(OPT_KEY) | OPTION(OPT_CEILINGS) | OPTION(OPT_OUT) | OPTION(OPT_YES),
	    "on a machine without network: sign a request with the root's key", "en un equipo sin red: firmar una solicitud con la llave de la raíz",
	    "ceremony sign ceremony.request --key /media/raiz/root.key --cert /media/raiz/root.pem --out ceremony.answer", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_ceremony = { verbs, ARRAY_LEN(verbs) };
