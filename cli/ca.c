/*
 * ca - CAs, and making one in one command: a ceremony that the officer signs and,
 * where the root's key is on this machine, the root too.  Whatever it did stays
 * done, and the same command goes on from there.
 */
#include <stdlib.h>
#include <string.h>

#include "ceremony.h"

/* The newest generation of a CA. */
static enum err_code
newest_of(struct cli *c, const char *name, const char **out, struct err *e)
{
	while (name[0] != '\0') {
		json_t *record;
		*out = name;
		TRY(engine_json(c, path_of(c, "/cas/", name, ""), &record, e));
		name = arena_str(c->arena,
		    bytes_str(text_in(record, "replaced_by")));
		json_decref(record);
	}
	return ERR_OK;
}

/* "emisora" is followed by "emisora-g2", and that by "emisora-g3", where
 * nobody has that name and it is none too long. */
static enum err_code
next_name(struct cli *c, const char *name, const char **out, struct err *e)
{
	unsigned g = 1;
	size_t len = strlen(name), digits = len;
	while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
		digits--;
	if (digits < len && digits > 2 &&
	    memcmp(name + digits - 2, "-g", 2) == 0) {
		g = (unsigned)strtoul(name + digits, NULL, 10);
		len = digits - 2;
	}
	for (enum err_code code = ERR_OK; code == ERR_OK;) {
		json_t *record = NULL;
		*out = arena_printf(c->arena, "%.*s-g%u", (int)len, name, ++g);
		if (strlen(*out) > CEREMONY_NAME_MAX)
			return err_say(e, ERR_DENIED, "cli-ca-name-long",
			    "%s leaves no room for another generation in the "
			    "40 characters of a name: call the new key "
			    "yourself, with refrendo ca create NAME --replaces "
			    "OLD",
			    name);
		code =
		    engine_json(c, path_of(c, "/cas/", *out, ""), &record, e);
		json_decref(record);
	}
	if (e->code != ERR_NOTFOUND)
		return e->code;
	/* Nobody's name: no refusal to be printed. */
	buf_reset(&c->problem);
	return ERR_OK;
}

/* --- What was begun before -------------------------------------------------------------- */

static bool
is_member(const json_t *record, const char *member, struct bytes text)
{
	return bytes_is(text, text_in(record, member));
}

/* The number of a CA's ceremony that is open, asked for in these words. */
struct open_one {
	struct cli *c;
	const struct command *asked;
	const char *id;
};

static void
look_at(void *ctx, json_t *item)
{
	struct open_one *o = ctx;
	const struct bytes *f = o->asked->f;
	const char *state = text_in(item, "state");
	if ((strcmp(state, "proposed") == 0 || strcmp(state, "agreed") == 0) &&
	    strcmp(text_in(item, "kind"), "certificate") == 0 &&
	    json_integer_value(json_object_get(item, "held")) == 1 &&
	    is_member(item, "name", f[CF_NAME]) &&
	    is_member(item, "replaces", f[CF_REPLACES]))
		o->id = arena_str(o->c->arena, bytes_str(text_in(item, "id")));
}

/* What the record does not say in words: the life and the type of the key. */
static bool
has_terms(const struct command *asked, const struct cert *cert)
{
	struct bytes type = asked->f[CF_KEY_TYPE];
	enum key_type is;
	struct err e;
	int64_t life;
	if (type.len > 0 && (spki_check(cert->spki, &is, &e) != ERR_OK ||
				!bytes_is(type, key_type_name(is))))
		return false;
	return asked->f[CF_VALIDITY].len == 0 ||
	       (duration_parse(asked->f[CF_VALIDITY], &life) &&
		   cert->not_after - cert->not_before == life - 1);
}

/* NULL: there is none, or it is about something else and another is made. */
static enum err_code
find_open(struct cli *c, const struct command *asked, const char **id,
    struct err *e)
{
	struct open_one o = { .c = c, .asked = asked };
	struct ceremony_file *f = arena_get(c->arena, sizeof(*f));
	struct taken taken;
	struct cert cert;
	struct err other;
	*id = NULL;
	TRY(engine_each(c, "/ceremonies", look_at, &o, e));
	if (o.id == NULL)
		return ERR_OK;
	TRY(ceremony_take(c, o.id, f, &taken, e));
	TRY(cert_tbs_parse(f->object[0], c->arena, &cert, e));
	if (ceremony_is_asked(c, asked, f->statement, f->object[0], &other) !=
		ERR_OK ||
	    !has_terms(asked, &cert))
		return ERR_OK;
	*id = o.id;
	fprintf(stderr,
	    SAY(c, "going on with %s, which was asked for before\n",
		"se sigue con %s, que se pidió antes\n"),
	    o.id);
	return ERR_OK;
}

static enum err_code
begin(struct cli *c, const struct command *command, const char **id,
    struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	*id = NULL;
	if (c->option[OPT_KEY] != NULL &&
	    c->option[OPT_IDEMPOTENCY_KEY] == NULL)
		TRY(find_open(c, command, id, e));
	if (*id != NULL)
		return ERR_OK;
	TRY(engine_command(c, command, c->option[OPT_IDEMPOTENCY_KEY], &answer,
	    e));
	json_t *record =
	    json_loadb((const char *)answer.p, answer.len, 0, NULL);
	*id = arena_str(c->arena, bytes_str(text_in(record, "id")));
	json_decref(record);
	return ERR_OK;
}

/* --- All of it at once ------------------------------------------------------------------- */

static enum err_code
root_is_here(struct cli *c, struct bytes statement, bool *is, struct err *e)
{
	struct ceremony_statement st;
	struct root_here root;
	TRY(ceremony_parse(statement, c->arena, &st, e));
	TRY(root_here_find(c, st.root_sha256, &root, e));
	*is = root.has_key;
	return ERR_OK;
}

/* Is one of the signatures over its statement that of --cert? */
static enum err_code
is_signed(struct cli *c, const struct ceremony_file *f, bool *found,
    struct err *e)
{
	struct buf file AUTO_BUF = BUF(0), der AUTO_BUF = BUF(CERT_MAX_BYTES);
	AUTO(verifier) v = NULL;
	*found = false;
	TRY(input_read(c, c->option[OPT_CERT], 2 * CERT_MAX_BYTES, &file, e));
	TRY(pem_or_der(buf_bytes(&file), "CERTIFICATE", &der, e));
	TRY(verifier_new(&v, e));
	for (size_t i = 0; i < f->n_evidence; i++) {
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct err not;
		struct cms cms;
		*found = *found ||
			 (cms_parse(f->evidence[i], &scratch, &cms, &not) ==
				 ERR_OK &&
			     bytes_eq(cms.signer.der, buf_bytes(&der)) &&
			     cms_verify(&cms, f->statement, v, &not) == ERR_OK);
	}
	return ERR_OK;
}

/* Whose signatures are missing, and how each one comes. */
static enum err_code
tell_left(struct cli *c, const char *id, struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	TRY(engine_get(c, path_of(c, "/ceremonies/", id, ""), &answer, e));
	json_t *record =
	    json_loadb((const char *)answer.p, answer.len, 0, NULL);
	long long n = json_integer_value(json_object_get(record, "signatures"));
	long long of = json_integer_value(json_object_get(record, "needed"));
	bool is_done = strcmp(text_in(record, "state"), "completed") == 0;
	json_decref(record);
	if (n < of && !is_done)
		fprintf(stderr,
		    SAY(c,
			"%lld of %lld officers signed; each of the others: "
			"refrendo ceremony endorse %s --key FILE --cert FILE\n",
			"firmaron %lld de %lld oficiales; cada uno de los "
			"demás: refrendo ceremony endorse %s --key ARCHIVO "
			"--cert ARCHIVO\n"),
		    n, of, id);
	if (!is_done)
		fprintf(stderr,
		    SAY(c,
			"then the root: refrendo ceremony export %s --out "
			"FILE, ceremony sign where its key is, ceremony "
			"import\n",
			"luego la raíz: refrendo ceremony export %s --out "
			"ARCHIVO, ceremony sign donde está su llave, ceremony "
			"import\n"),
		    id);
	return print_record(c, buf_bytes(&answer), e);
}

/* The root signs what this officer did, and nothing that is only said to be
 * agreed on; and what is asked for here, whenever it was signed. */
static enum err_code
root_signs(struct cli *c, const struct command *command, const char *id,
    const struct ceremony_file *f, bool by_officer, struct err *e)
{
	struct buf file AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	if (!by_officer)
		return asked_other("statement", e);
	TRY(ceremony_check_asked(c, command, id, f->statement, e));
	TRY(ceremony_sign_here(c, f, &file, e));
	return ceremony_bring(c, buf_bytes(&file), e);
}

static enum err_code
go_on(struct cli *c, const struct command *command, const char *id,
    struct err *e)
{
	struct buf answer AUTO_BUF = ANSWER_BUF;
	struct ceremony_file *f = arena_get(c->arena, sizeof(*f));
	struct taken taken;
	bool by_officer, is_here = false;
	if (c->option[OPT_KEY] == NULL)
		return tell_left(c, id, e);
	TRY(ceremony_take(c, id, f, &taken, e));
	TRY(is_signed(c, f, &by_officer, e));
	if (strcmp(taken.state, "withdrawn") == 0 ||
	    strcmp(taken.state, "lapsed") == 0)
		return ceremony_not_agreed(id, e);
	if (strcmp(taken.state, "completed") != 0 && !by_officer) {
		TRY(ceremony_sign_first(c, command, id, &answer, e));
		TRY(ceremony_take(c, id, f, &taken, e));
		TRY(is_signed(c, f, &by_officer, e));
	}
	if (strcmp(taken.state, "agreed") == 0)
		TRY(root_is_here(c, f->statement, &is_here, e));
	return is_here ? root_signs(c, command, id, f, by_officer, e)
		       : tell_left(c, id, e);
}

/*
 * With the officer's key, if that is enough, and the root's key on this
 * machine: the root signs and the answer is brought back, as the single
 * commands would.  Whatever fails on the way goes on with those, or with the
 * same command.
 */
static enum err_code
hold(struct cli *c, const struct command *command, struct err *e)
{
	const char *id;
	TRY(begin(c, command, &id, e));
	enum err_code code = go_on(c, command, id, e);
	if (code != ERR_OK)
		ceremony_say_where(c, id);
	return code;
}

/* The signer makes the key: nothing of it comes here. */
static enum err_code
ca_create(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CA_CREATE };
	TRY(check_signing(c, e));
	take_fields(c, &command);
	command.f[CF_NAME] = bytes_str(c->operand[0]);
	return hold(c, &command, e);
}

/* Where no type is asked for, that of the key before. */
static enum err_code
same_type(struct cli *c, const char *old, struct bytes *out, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert cert;
	enum key_type type;
	if (out->len > 0)
		return ERR_OK;
	TRY(engine_get(c, path_of(c, "/cas/", old, "/certificate"), &der, e));
	TRY(cert_parse(buf_bytes(&der), &cert, e));
	TRY(spki_check(cert.spki, &type, e));
	/* The root's and the endorser's are refused, as what they are. */
	if (key_type_of_ca(type))
		*out = bytes_str(key_type_name(type));
	return ERR_OK;
}

/* A key of another type, made for a ceremony that was withdrawn, has taken its
 * name for good: then the next one. */
static enum err_code
ca_rollover(struct cli *c, struct err *e)
{
	struct command command = { .act = ACT_CA_CREATE };
	const char *old, *name;
	enum err_code code;
	TRY(check_signing(c, e));
	TRY(newest_of(c, c->operand[0], &old, e));
	take_fields(c, &command);
	command.f[CF_REPLACES] = bytes_str(old);
	TRY(same_type(c, old, &command.f[CF_KEY_TYPE], e));
	name = old;
	do {
		TRY(next_name(c, name, &name, e));
		command.f[CF_NAME] = bytes_str(name);
		code = hold(c, &command, e);
	} while (code != ERR_OK && strcmp(e->id, "signer-ca-key-other") == 0);
	return code;
}

/* clang-format off */
#define SIGN (OPTION(OPT_KEY) | OPTION(OPT_CERT) | OPTION(OPT_YES))
#define PAGES (OPTION(OPT_AFTER) | OPTION(OPT_LIMIT) | OPTION(OPT_ALL))
static const struct verb verbs[] = {
	{ "ca", "create", ca_create, ACT_CA_CREATE, CF_NAME, "NAME", 1, 1, SIGN,
	    "make an issuing CA: the signer makes and keeps its key; with --key, and the root's key on this machine, all at once, else the root's signature follows as in any ceremony", "crear una emisora: el firmador crea y guarda su llave; con --key, y la llave de la raíz en este equipo, todo de una vez; si no, la firma de la raíz sigue como en toda ceremonia",
	    "ca create emisora-salud --rut 60506000-5 --as 11111111-1 --key officer.key --cert officer.pem", NULL },
	{ "ca", "rollover", ca_rollover, ACT_CA_CREATE, CF_REPLACES, "NAME", 1, 1, SIGN,
	    "give a CA a new key under its name: the signer makes it; with --key all at once as ca create", "dar a una emisora una llave nueva con su nombre: la crea el firmador; con --key todo de una vez como ca create",
	    "ca rollover emisora --as 11111111-1 --key officer.key --cert officer.pem", NULL },
	{ "ca", "ls", run_ca_ls, NO_ACT, NO_OPERAND, "", 0, 0, PAGES,
	    "list the root and the CAs that it signed", "listar la raíz y las CA que firmó", "ca ls", "/cas" },
	{ "ca", "show", run_ca_show, NO_ACT, NO_OPERAND, "NAME", 1, 1, OPTION(OPT_BLOBS),
	    "show one CA", "mostrar una CA", "ca show emisora", "/cas/{}" },
	{ "ca", "get", run_certificate, NO_ACT, NO_OPERAND, "NAME", 1, 1,
	    OPTION(OPT_OUT) | OPTION(OPT_DER),
	    "the certificate of a CA", "el certificado de una CA",
	    "ca get emisora --out emisora.pem", "/cas/{}/certificate" },
	{ "ca", "stop", run_act, ACT_CA_STOP, CF_NAME, "NAME", 1, 1, 0,
	    "let a CA issue no more; its CRLs and OCSP answers go on", "que una CA no emita más; sus CRL y respuestas OCSP siguen",
	    "ca stop emisora --as 11111111-1 --reason \"la reemplaza emisora-g2\"", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_ca = { verbs, ARRAY_LEN(verbs) };
