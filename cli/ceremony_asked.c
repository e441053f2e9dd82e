/*
 * ceremony_asked - core says which ceremony came of an act, and one that was
 * taken over says another: what is signed here is held to what was asked for.
 */
#include <string.h>
#include <unistd.h>

#include <refrendo/signer.h>

#include "ceremony.h"

/* --- The statement ------------------------------------------------------------------ */

static enum ceremony_kind
kind_of(enum ca_act act)
{
	if (act == ACT_CEREMONY_CRL)
		return CEREMONY_CRL;
	if (act == ACT_CEREMONY_KEY)
		return CEREMONY_KEY;
	if (act == ACT_CEREMONY_CEILINGS)
		return CEREMONY_CEILINGS;
	if (act == ACT_CEREMONY_ROOT)
		return CEREMONY_ROOT;
	return act == ACT_CEREMONY_CROSS ? CEREMONY_CROSS
					 : CEREMONY_CERTIFICATE;
}

static enum err_code
check_statement(const struct command *asked, const struct ceremony_statement *s,
    struct err *e)
{
	char run[RUN_TEXT];
	struct bytes name = asked->f[CF_NAME];
	/* Without a name it is the root in force, which core knows. */
	if (asked->act == ACT_CEREMONY_CRL && name.len == 0)
		name = s->object[0].name;
	if (asked->act == ACT_CEREMONY_CEILINGS)
		name = bytes_str("ceilings");
	if (s->n != 1 || s->object[0].kind != kind_of(asked->act))
		return asked_other("kind", e);
	if (!bytes_eq(s->object[0].name, name))
		return asked_other("name", e);
	if (!bytes_eq(s->object[0].replaces, asked->f[CF_REPLACES]))
		return asked_other("replaces", e);
	TRY(run_parse(asked->f[CF_AS], run, e));
	return bytes_is(s->proposed_by, run) ? ERR_OK
					     : asked_other("proposed_by", e);
}

/* --- The certificate ---------------------------------------------------------------- */

/* An institution's CA is for it alone; without a RUT one is for all, or as the
 * CA whose key it replaces. */
static enum err_code
check_institution(const struct command *asked, const struct cert *cert,
    struct err *e)
{
	char run[RUN_TEXT];
	struct bytes rut, wanted = asked->f[CF_RUT];
	bool is_bound = cert_rut(cert, &rut);
	if (wanted.len == 0 && asked->f[CF_REPLACES].len > 0)
		return ERR_OK;
	if (wanted.len == 0)
		return is_bound ? asked_other("rut", e) : ERR_OK;
	TRY(run_parse(wanted, run, e));
	return bytes_is(rut, run) &&
		       cert_find_ext(cert, OID_EXT_CONSTRAINTS) != NULL
		   ? ERR_OK
		   : asked_other("rut", e);
}

/* Its key, where it was given with the act and not made by the signer. */
static enum err_code
check_given_key(const struct command *asked, const struct cert *cert,
    struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct bytes spki = cert->spki;
	struct cert given;
	struct csr csr;
	if (asked->f[CF_CSR].len > 0) {
		TRY(csr_parse(asked->f[CF_CSR], &der, &csr, e));
		spki = csr.spki;
	} else if (asked->f[CF_CERTIFICATE].len > 0) {
		TRY(pem_or_der(asked->f[CF_CERTIFICATE], "CERTIFICATE", &der,
		    e));
		TRY(cert_parse(buf_bytes(&der), &given, e));
		spki = given.spki;
	}
	return bytes_eq(spki, cert->spki) ? ERR_OK : asked_other("key", e);
}

static enum err_code
check_certificate(struct cli *c, const struct command *asked,
    const struct cert *cert, struct err *e)
{
	const char *cn = arena_printf(c->arena, "Emisora %.*s",
	    BYTES_FMT(asked->f[CF_NAME]));
	TRY(check_given_key(asked, cert, e));
	if (asked->act == ACT_CEREMONY_CROSS)
		return ERR_OK;
	if (asked->f[CF_REPLACES].len == 0 &&
	    !bytes_is(name_find(cert->subject, OID_CN), cn))
		return asked_other("subject", e);
	return check_institution(asked, cert, e);
}

/* --- The root's list ------------------------------------------------------------------ */

/* What status serves, as the root signed it.  A root that came later has none
 * before its first. */
static enum err_code
list_now(struct cli *c, const struct ceremony_statement *st, struct buf *der,
    struct crl *out, struct cert *root, struct err *e)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	struct bytes name = st->object[0].name;
	AUTO(verifier) v = NULL;
	struct root_here here;
	TRY(cli_config(c, config, e));
	TRY(root_here_find(c, st->root_sha256, &here, e));
	if (!bytes_is(name, here.name))
		return asked_other("name", e);
	TRY(cert_parse(here.der, root, e));
	*out = (struct crl){ .issuer = root->subject, .aki = root->ski };
	enum err_code code = status_get(config,
	    arena_printf(c->arena, "/crl/%s.crl", here.name), der, e);
	if (code == ERR_NOTFOUND && !bytes_is(name, FIRST_ROOT))
		return ERR_OK;
	TRY(code);
	TRY(crl_parse(buf_bytes(der), out, e));
	TRY(verifier_new(&v, e));
	TRY(verifier_check(v, root->spki, out->sigalg, out->tbs, out->signature,
	    e));
	return bytes_eq(out->issuer, root->subject) ? ERR_OK
						    : asked_other("issuer", e);
}

/* The entries of the list that is published, each as it is, and the CA that
 * was asked for, or none. */
static enum err_code
check_entries(const struct crl *old, const struct crl *new_,
    struct bytes serial, struct err *e)
{
	struct crl_cursor at = { 0 };
	struct crl_entry x, same;
	size_t n_old = 0, n_new = 0;
	bool added = serial.len == 0;
	while (crl_next(old, &at, &x)) {
		n_old++;
		if (!crl_find(new_, x.serial, &same) ||
		    same.reason != x.reason || same.revoked_at != x.revoked_at)
			return asked_other("entries", e);
	}
	for (at = (struct crl_cursor){ 0 }; crl_next(new_, &at, &x); n_new++)
		added = added || bytes_eq(x.serial, serial);
	return added && n_new == n_old + (serial.len > 0 ? 1 : 0)
		   ? ERR_OK
		   : asked_other("entries", e);
}

static enum err_code
check_list(struct cli *c, const struct command *asked,
    const struct ceremony_statement *st, struct bytes tbs, struct err *e)
{
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct bytes hex = asked->f[CF_SERIAL];
	uint8_t *serial = arena_get(c->arena, hex.len / 2 + 1);
	int64_t life = 0, now = clock_now();
	struct crl_entry x;
	struct crl old, list;
	struct cert root;
	TRY(list_now(c, st, &der, &old, &root, e));
	TRY(crl_tbs_parse(tbs, &list, e));
	if (!bytes_eq(list.issuer, old.issuer) || !bytes_eq(list.aki, old.aki))
		return asked_other("issuer", e);
	if (list.number != old.number + 1)
		return asked_other("number", e);
	if (list.this_update > now + HOUR || list.this_update < now - HOUR ||
	    (asked->f[CF_VALIDITY].len > 0 &&
		duration_parse(asked->f[CF_VALIDITY], &life) &&
		list.next_update - list.this_update != life))
		return asked_other("validity", e);
	(void)!hex_parse(hex, serial, hex.len / 2);
	struct bytes added = bytes_of(serial, hex.len / 2);
	TRY(check_entries(&old, &list, added, e));
	if (hex.len == 0)
		return ERR_OK;
	return crl_find(&list, added, &x) &&
		       x.reason == ceremony_cause(asked->f[CF_CAUSE])
		   ? ERR_OK
		   : asked_other("cause", e);
}

/* --- A key that is destroyed ----------------------------------------------------------- */

/* By the certificate that the installation has under this name. */
static enum err_code
check_key(struct cli *c, struct bytes name, struct bytes tbs, struct err *e)
{
	struct config *config = arena_get(c->arena, sizeof(*config));
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	const char *path =
	    arena_printf(c->arena, "ca/%.*s.pem", BYTES_FMT(name));
	struct cert cert;
	TRY(cli_config(c, config, e));
	for (size_t i = 0; i < config->n_issuer; i++)
		if (bytes_is(name, config->issuer[i].name))
			path = config->issuer[i].certificate;
	TRY(file_certificate(c->dir, path, &der, e));
	TRY(cert_parse(buf_bytes(&der), &cert, e));
	return bytes_eq(cert.tbs, tbs) ? ERR_OK : asked_other("key", e);
}

/* --- All of them ------------------------------------------------------------------------ */

enum err_code
ceremony_is_asked(struct cli *c, const struct command *asked,
    struct bytes statement, struct bytes tbs, struct err *e)
{
	struct ceremony_statement s;
	uint8_t hash[SHA256_LEN];
	struct cert cert;
	TRY(ceremony_parse(statement, c->arena, &s, e));
	TRY(check_statement(asked, &s, e));
	if (ceremony_is_whole(s.object[0].kind)) {
		struct reader r = reader_of(asked->f[CF_FILES]);
		struct buf both AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
		if (s.object[0].kind == CEREMONY_ROOT)
			TRY(ceremony_roots_pack(asked->f[CF_FILES], &both, e));
		sha256(hash, both.len > 0 ? buf_bytes(&both) : get_bytes(&r));
		return bytes_eq(bytes_of(hash, SHA256_LEN),
			   s.object[0].tbs_sha256)
			   ? ERR_OK
			   : asked_other("tbs_sha256", e);
	}
	sha256(hash, tbs);
	if (!bytes_eq(bytes_of(hash, SHA256_LEN), s.object[0].tbs_sha256))
		return asked_other("tbs_sha256", e);
	if (s.object[0].kind == CEREMONY_CRL)
		return check_list(c, asked, &s, tbs, e);
	if (s.object[0].kind == CEREMONY_KEY)
		return check_key(c, s.object[0].name, tbs, e);
	TRY(cert_tbs_parse(tbs, c->arena, &cert, e));
	return check_certificate(c, asked, &cert, e);
}

/* --- In words ---------------------------------------------------------------------------- */

static struct bytes
member_of(struct cli *c, const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	return text == NULL ? BYTES_NONE
			    : bytes_str(arena_str(c->arena, bytes_str(text)));
}

/* What is signed says in Spanish what its object is; so does what is shown. */
enum err_code
ceremony_in_words(struct cli *c, const struct ceremony_statement *s,
    struct buf *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct ceremony_told told = { .object = BYTES_NONE };
	uint8_t hash[SHA256_LEN];
	json_t *record;
	TRY(engine_json(c,
	    path_of(c, "/ceremonies/", arena_str(c->arena, s->id), "?blobs=1"),
	    &record, e));
	(void)!get_octets(c, record, "tbs", &told.object);
	told.policy = member_of(c, record, "policy");
	told.revokes = member_of(c, record, "revokes");
	told.reason = member_of(c, record, "reason");
	json_decref(record);
	sha256(hash, told.object);
	if (!bytes_eq(bytes_of(hash, SHA256_LEN), s->object[0].tbs_sha256))
		return asked_other("tbs_sha256", e);
	TRY(ceremony_text(s, &told, c->arena, true, &text, e));
	if (!bytes_eq(buf_bytes(&text), s->text_es))
		return asked_other("text_es", e);
	TRY(ceremony_text(s, &told, c->arena, c->spanish, out, e));
	if (s->object[0].kind == CEREMONY_CEILINGS)
		ceilings_changes(c, s, told.object, out);
	return ERR_OK;
}

/* --- The signer's own word ----------------------------------------------------------- */

struct made {
	struct bytes name;
	uint8_t key[SHA256_LEN];
	bool found; /* this key */
	bool named; /* a key for this name */
};

static void
look_record(void *ctx, const struct journal_record *r)
{
	struct made *m = ctx;
	bool named =
	    strcmp(r->kind, "ca-key") == 0 && bytes_eq(r->issuer, m->name);
	m->named = m->named || named;
	m->found = m->found ||
		   (named && bytes_eq(r->digest, bytes_of(m->key, SHA256_LEN)));
}

/* The old one's certificate is beside the others, where its import put it. */
static enum err_code
check_replaced(struct cli *c, struct bytes old, const struct cert *cert,
    struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert was;
	TRY(file_certificate(c->dir,
	    arena_printf(c->arena, "ca/%.*s.pem", BYTES_FMT(old)), &der, e));
	TRY(cert_parse(buf_bytes(&der), &was, e));
	if (!bytes_eq(was.subject, cert->subject))
		return asked_other("subject", e);
	return cert_succeeds(cert, &was) ? ERR_OK : asked_other("rut", e);
}

static enum err_code
not_made_here(struct cli *c, struct bytes name, struct err *e)
{
	return err_say(e, ERR_DENIED, "cli-ceremony-key",
	    "the signer's journal knows of no such key of the CA %s as the "
	    "engine wants certified; the root did not sign it",
	    arena_str(c->arena, name));
}

static const char *
journal_of(struct cli *c)
{
	return arena_printf(c->arena, "%s/signer/journal", c->dir);
}

/* Core says whether the signer made the key; by name the journal says it too. */
enum err_code
ceremony_may_leave(struct cli *c, const struct ceremony_file *f, bool held,
    struct err *e)
{
	struct made m = { .name = f->is.object[0].name };
	struct cert cert;
	if (f->is.object[0].kind != CEREMONY_CERTIFICATE)
		return ERR_OK;
	/* Who may use the socket need not be who may read the signer's files. */
	if (access(journal_of(c), R_OK) != 0) {
		fprintf(stderr, "%s\n",
		    SAY(c,
			"the signer's journal is not to be read here: the key "
			"was not compared with it",
			"el diario del firmador no se puede leer aquí: la "
			"llave no se comparó con él"));
		return ERR_OK;
	}
	TRY(cert_tbs_parse(f->object[0], c->arena, &cert, e));
	sha256(m.key, cert.spki);
	TRY(journal_read(journal_of(c), look_record, &m, e));
	return m.found || (!held && !m.named) ? ERR_OK
					      : not_made_here(c, m.name, e);
}

enum err_code
ceremony_is_made_here(struct cli *c, struct bytes name, struct bytes replaces,
    const struct cert *cert, struct err *e)
{
	struct made m = { .name = name };
	sha256(m.key, cert->spki);
	TRY(journal_read(journal_of(c), look_record, &m, e));
	if (!m.found)
		return not_made_here(c, name, e);
	return replaces.len == 0 ? ERR_OK
				 : check_replaced(c, replaces, cert, e);
}
