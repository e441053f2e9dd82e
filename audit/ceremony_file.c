/*
 * ceremony_file - what travels to an offline root and comes back, and whether
 * that root may sign it, or did.
 */
#include <string.h>

#include <refrendo/policy.h>

#include "statement.h"

#define REQUEST       "refrendo/ceremony-request/v1"
#define ANSWER        "refrendo/ceremony-answer/v1"
#define LIST_LIFE_MAX (400 * DAY)
#define LIST_MAX      65536 /* octets of a root's CRL */

/* clang-format off */
static const char *const request_keys[] = {
	"evidence", "objects", "statement", "type", NULL
};
static const char *const answer_keys[] = {
	"objects", "statement", "transcript", "type", NULL
};
/* clang-format on */

/* --- The file --------------------------------------------------------------- */

static void
put_list(struct jw *w, const char *key, const struct bytes *v, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_base64(w, v[i]);
	jw_close(w, ']');
}

void
ceremony_file_print(const struct ceremony_file *f, struct buf *out)
{
	struct jw w = jw_of(out);

	jw_object(&w);
	if (!f->is_answer)
		put_list(&w, "evidence", f->evidence, f->n_evidence);
	put_list(&w, "objects", f->object, f->is.n);
	jw_member_str(&w, "statement", f->statement);
	if (f->is_answer)
		jw_member_str(&w, "transcript", f->transcript);
	jw_member_str(&w, "type", bytes_str(f->is_answer ? ANSWER : REQUEST));
	jw_close(&w, '}');
}

static enum err_code
malformed(struct err *e)
{
	return err_say(e, ERR_INVALID, "ceremony-form",
	    "this is no file of a ceremony that is known here, or it is not "
	    "as it was written");
}

/* Base64 of an array's texts; false when one is none, or there are too many. */
static bool
get_list(struct json_obj root, const char *key, size_t max, struct arena *a,
    struct bytes *v, size_t *n)
{
	*n = json_count(root, key);
	if (*n > max)
		return false;
	for (size_t i = 0; i < *n; i++) {
		struct buf der AUTO_BUF = BUF(CEREMONY_FILE_MAX);
		struct bytes text = json_at_str(root, key, i);
		if (text.len == 0 || !base64_get(&der, text))
			return false;
		v[i] = arena_copy(a, buf_bytes(&der));
	}
	return true;
}

/* The to-be-signed part of an object, whole already in a request. */
static enum err_code
tbs_of(const struct ceremony_file *f, size_t i, struct bytes *tbs,
    struct err *e)
{
	struct bytes sigalg, signature;

	*tbs = f->object[i];
	if (!f->is_answer || ceremony_is_whole(f->is.object[i].kind))
		return ERR_OK;
	return signed_split(f->object[i], tbs, &sigalg, &signature, e);
}

static enum err_code
compare(const struct ceremony_file *f, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < f->is.n; i++) {
		uint8_t hash[HASH_LEN];
		struct bytes tbs;
		TRY(tbs_of(f, i, &tbs, e));
		sha256(hash, tbs);
		if (!bytes_eq(bytes_of(hash, HASH_LEN),
			f->is.object[i].tbs_sha256))
			return err_say(e, ERR_INVALID, "ceremony-object",
			    "the object %s of the ceremony is not the one that "
			    "its statement names by its hash",
			    arena_str(a, f->is.object[i].name));
	}
	return ERR_OK;
}

enum err_code
ceremony_file_parse(struct bytes text, struct arena *a,
    struct ceremony_file *out, struct err *e)
{
	struct ceremony_file f = { .is_answer = false };
	AUTO(json) j = NULL;
	size_t n;
	bool bad = false;

	if (text.len > CEREMONY_FILE_MAX)
		return malformed(e);
	/* A line feed at the end is what editors and mail add. */
	while (text.len > 0 &&
	       (text.p[text.len - 1] == '\n' || text.p[text.len - 1] == '\r'))
		text.len--;
	TRY(json_parse(text, true, &j, e));
	struct json_obj root = json_root(j, &bad, e);
	struct bytes type = json_get_str(root, "type");
	f.is_answer = bytes_is(type, ANSWER);
	if (!f.is_answer && !bytes_is(type, REQUEST))
		return malformed(e);
	json_only(root, f.is_answer ? answer_keys : request_keys);
	f.statement = arena_copy(a, json_get_str(root, "statement"));
	if (f.is_answer)
		f.transcript = arena_copy(a, json_get_str(root, "transcript"));
	if (bad)
		return ERR_INVALID;
	TRY(ceremony_parse(f.statement, a, &f.is, e));
	if (!get_list(root, "objects", CEREMONY_OBJECTS_MAX, a, f.object, &n) ||
	    n != f.is.n ||
	    (!f.is_answer && !get_list(root, "evidence", CEREMONY_EVIDENCE_MAX,
				 a, f.evidence, &f.n_evidence)) ||
	    bad)
		return malformed(e);
	TRY(compare(&f, a, e));
	*out = f;
	return ERR_OK;
}

/* --- Judgement --------------------------------------------------------------- */

static enum err_code
check_root(const struct ceremony_file *f, const struct cert *root,
    struct verifier *v, enum key_type *type, struct err *e)
{
	uint8_t hash[HASH_LEN];
	struct lint found;

	sha256(hash, root->der);
	if (!bytes_eq(bytes_of(hash, HASH_LEN), f->is.root_sha256) ||
	    !bytes_eq(root->issuer, root->subject))
		return err_say(e, ERR_DENIED, "ceremony-root",
		    "the certificate is not that of the root which the "
		    "ceremony names");
	cert_lint(root, LINT_ROOT, LINT_ALL, &found);
	TRY(lint_verdict(&found, e));
	TRY(spki_check(root->spki, type, e));
	return verifier_check(v, root->spki, root->sigalg, root->tbs,
	    root->signature, e);
}

static enum err_code
other_issuer(const char *name, struct err *e)
{
	return err_say(e, ERR_DENIED, "ceremony-issuer",
	    "the object %s is not for this root to sign: it has another "
	    "issuer or key identifier",
	    name);
}

/* What an issuing CA's certificate may have, and nothing else. */
static bool
extensions_allowed(const struct cert *c)
{
	static const enum pkix_oid allowed[] = { OID_EXT_SKI, OID_EXT_AKI,
		OID_EXT_BASIC, OID_EXT_KEY_USAGE, OID_EXT_POLICIES,
		OID_EXT_CRLDP, OID_EXT_AIA, OID_EXT_SAN, OID_EXT_CONSTRAINTS };

	for (size_t i = 0; i < c->n_ext; i++) {
		bool known = false;
		for (size_t k = 0; k < ARRAY_LEN(allowed); k++)
			known = known ||
				bytes_eq(c->ext[i].oid, oid_known(allowed[k]));
		if (!known)
			return false;
	}
	return true;
}

/* One of ours makes no other CA; how far one that is not ours may go, the
 * officers agreed on, and stands in what the root's side is shown. */
static enum err_code
judge_certificate(const struct cert *c, const struct cert *root,
    enum ceremony_kind kind, const char *name, struct err *e)
{
	enum key_type type;
	struct lint found;

	if (!bytes_eq(c->issuer, root->subject) || !bytes_eq(c->aki, root->ski))
		return other_issuer(name, e);
	if (bytes_eq(c->spki, root->spki))
		return err_say(e, ERR_DENIED, "ceremony-key",
		    "the certificate %s is over the root's own key", name);
	if (c->key_usage != 0 &&
	    c->key_usage != (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
		return err_say(e, ERR_DENIED, "ceremony-usage",
		    "the key of %s would do more or less than sign "
		    "certificates and CRLs",
		    name);
	if (!extensions_allowed(c))
		return err_say(e, ERR_DENIED, "ceremony-extension",
		    "the certificate %s has an extension that no issuing CA "
		    "needs",
		    name);
	if (c->not_before < root->not_before || c->not_after > root->not_after)
		return err_say(e, ERR_DENIED, "ceremony-times",
		    "the certificate %s would begin before the root or outlive "
		    "it",
		    name);
	cert_lint(c, kind == CEREMONY_CROSS ? LINT_CROSS : LINT_CA, LINT_ALL,
	    &found);
	TRY(lint_verdict(&found, e));
	if (kind == CEREMONY_CROSS && c->path_len < 0)
		return err_say(e, ERR_DENIED, "ceremony-path-length",
		    "the cross-certificate %s has no path length: what is "
		    "below it would have no end",
		    name);
	return spki_check(c->spki, &type, e);
}

static enum err_code
judge_list(const struct crl *c, const struct cert *root, const char *name,
    struct err *e)
{
	if (!bytes_eq(c->issuer, root->subject) || !bytes_eq(c->aki, root->ski))
		return other_issuer(name, e);
	if (c->url.len > 0 || c->base > 0 || c->number == 0 ||
	    c->next_update - c->this_update > LIST_LIFE_MAX)
		return err_say(e, ERR_DENIED, "ceremony-list",
		    "the root's CRL is not a complete one for at most 400 "
		    "days");
	return ERR_OK;
}

static enum err_code
read_object(const struct ceremony_file *f, size_t i, enum key_type root,
    struct arena *a, struct ceremony_object *out, struct err *e)
{
	struct buf der AUTO_BUF = BUF(LIST_MAX);

	if (f->is_answer) {
		out->der = f->object[i];
	} else {
		TRY(unsigned_assemble(f->object[i], key_type_sigalg(root), &der,
		    e));
		out->der = arena_copy(a, buf_bytes(&der));
	}
	if (f->is.object[i].kind == CEREMONY_CRL)
		return crl_parse(out->der, &out->crl, e);
	return cert_parse(out->der, &out->cert, e);
}

static enum err_code
judge_object(const struct ceremony_file *f, size_t i, const struct cert *root,
    enum key_type type, struct verifier *v, struct arena *a,
    struct ceremony_object *out, struct err *e)
{
	const char *name = arena_str(a, f->is.object[i].name);
	bool is_list = f->is.object[i].kind == CEREMONY_CRL;
	struct bytes tbs, sigalg, signature;

	TRY(read_object(f, i, type, a, out, e));
	if (is_list)
		TRY(judge_list(&out->crl, root, name, e));
	else
		TRY(judge_certificate(&out->cert, root, f->is.object[i].kind,
		    name, e));
	if (!f->is_answer)
		return ERR_OK;
	TRY(signed_split(out->der, &tbs, &sigalg, &signature, e));
	if (!bytes_eq(sigalg, key_type_sigalg(type)))
		return other_issuer(name, e);
	return verifier_check(v, root->spki, sigalg, tbs, signature, e);
}

enum err_code
ceremony_judge(const struct ceremony_file *f, const struct cert *root,
    struct verifier *v, struct arena *a,
    struct ceremony_object out[CEREMONY_OBJECTS_MAX], struct err *e)
{
	enum key_type type;

	TRY(check_root(f, root, v, &type, e));
	if (f->is.object[0].kind == CEREMONY_KEY ||
	    ceremony_is_whole(f->is.object[0].kind))
		return err_say(e, ERR_DENIED, "ceremony-not-signed",
		    "the ceremony is about a key that is destroyed, ceilings "
		    "or another root: the root signs nothing for it");
	for (size_t i = 0; i < f->is.n; i++) {
		out[i] = (struct ceremony_object){ .der = BYTES_NONE };
		TRY(judge_object(f, i, root, type, v, a, &out[i], e));
	}
	return ERR_OK;
}

/* --- For a signer ------------------------------------------------------------- */

/* A new CA by its TBS, whose certificate this root signed. */
static enum err_code
take_ca(const struct ceremony_file *f, const struct cert *root,
    struct verifier *v, struct arena *a, struct agreement *out, struct err *e)
{
	struct ceremony_object o[CEREMONY_OBJECTS_MAX];

	out->kind = AGREED_CA;
	out->id = bytes_str(arena_printf(a, CEREMONY_CA_ID "%.*s",
	    BYTES_FMT(f->is.object[0].name)));
	out->item[0].sha256 = f->is.object[0].tbs_sha256;
	if (f->is.object[0].replaces.len > 0)
		out->ends = bytes_str(arena_printf(a, CEREMONY_CA_ID "%.*s",
		    BYTES_FMT(f->is.object[0].replaces)));
	return ceremony_judge(f, root, v, a, o, e);
}

/* A key by its public half, whatever certificates it has. */
static enum err_code
take_key(const struct ceremony_file *f, const struct cert *root,
    struct verifier *v, struct arena *a, struct agreement *out, struct err *e)
{
	uint8_t *hash = arena_get(a, HASH_LEN);
	enum key_type type;
	struct cert c;

	TRY(check_root(f, root, v, &type, e));
	TRY(cert_parse(f->object[0], &c, e));
	sha256(hash, c.spki);
	out->kind = AGREED_KEY;
	out->id = bytes_str(arena_printf(a, CEREMONY_KEY_ID "%.*s",
	    BYTES_FMT(f->is.object[0].name)));
	out->item[0].sha256 = bytes_of(hash, HASH_LEN);
	return ERR_OK;
}

/* A file by its octets: what is in it is the caller's to judge. */
static enum err_code
take_file(const struct ceremony_file *f, const struct cert *root,
    struct verifier *v, struct arena *a, struct agreement *out, struct err *e)
{
	enum key_type type;

	(void)a;
	out->kind = AGREED_CEILINGS;
	out->id = f->is.id;
	out->item[0].sha256 = f->is.object[0].tbs_sha256;
	out->base = f->is.base_sha256;
	out->people = f->is.people;
	return check_root(f, root, v, &type, e);
}

/* Another root by its certificate, whatever vouches for the one before. */
static enum err_code
take_root(const struct ceremony_file *f, const struct cert *root,
    struct verifier *v, struct arena *a, struct agreement *out, struct err *e)
{
	uint8_t *hash = arena_get(a, HASH_LEN);
	struct ceremony_roots next;
	enum key_type type;

	TRY(check_root(f, root, v, &type, e));
	TRY(ceremony_roots_read(f->object[0], root, v, &next, e));
	TRY(ceremony_roots_lint(&next, e));
	sha256(hash, next.root.der);
	out->kind = AGREED_ROOT;
	out->id = f->is.id;
	out->item[0].sha256 = bytes_of(hash, HASH_LEN);
	return ERR_OK;
}

static enum err_code
read_ceremony(struct bytes statement, struct bytes certificate,
    const struct root_set *roots, struct verifier *v, struct arena *a,
    struct agreement *out, struct err *e)
{
	static enum err_code (
		*const take[CEREMONY_KINDS])(const struct ceremony_file *f,
	    const struct cert *root, struct verifier *v, struct arena *a,
	    struct agreement *out, struct err *e) = {
		[CEREMONY_CERTIFICATE] = take_ca,
		[CEREMONY_KEY] = take_key,
		[CEREMONY_CEILINGS] = take_file,
		[CEREMONY_ROOT] = take_root,
	};
	static const struct cert none = { .der = BYTES_NONE };
	struct ceremony_file f = { .is_answer = true, .statement = statement };

	TRY(ceremony_parse(statement, a, &f.is, e));
	enum ceremony_kind kind = f.is.object[0].kind;
	if (f.is.n != 1 || take[kind] == NULL ||
	    f.is.object[0].name.len > CEREMONY_NAME_MAX)
		return err_say(e, ERR_DENIED, "ceremony-one-ca",
		    "the ceremony is not about one CA, its certificate or its "
		    "key, nor about ceilings or a root");
	f.object[0] = certificate;
	TRY(compare(&f, a, e));
	*out = (struct agreement){ .origin = f.is.origin,
		.n = 1,
		.issued = f.is.issued,
		.expires = f.is.expires + CEREMONY_LATE_S,
		.life_s = CEREMONY_LIFE_S + CEREMONY_LATE_S };
	out->item[0].name = f.is.object[0].name;
	size_t at = root_set_find(roots, f.is.root_sha256);
	out->is_past = at != roots->in_force;
	return take[kind](&f, at < roots->n ? &roots->cert[at] : &none, v, a,
	    out, e);
}

enum err_code
agreement_ceilings(const struct agreement *g, struct bytes in_force,
    struct bytes file, struct ceilings *out, struct err *e)
{
	struct buf people AUTO_BUF = BUF(CEILINGS_PEOPLE_MAX);

	if (!bytes_eq(g->base, in_force))
		return err_say(e, ERR_DENIED, "ceremony-ceilings-base",
		    "the statement replaces other ceilings than those in "
		    "force; propose it anew");
	TRY(ceilings_read(file, out, e));
	ceilings_people(out, &people);
	TRY(buf_end(&people, e));
	if (bytes_eq(g->people, buf_bytes(&people)))
		return ERR_OK;
	return err_say(e, ERR_DENIED, "ceremony-ceilings-people",
	    "the statement names other officers or quorums than the file of "
	    "the ceilings");
}

enum err_code
agreement_read(struct bytes statement, struct bytes certificate,
    const struct root_set *roots, struct verifier *v, struct arena *a,
    struct agreement *out, struct err *e)
{
	struct activation_statement s;

	if (statement_is_ceremony(statement))
		return read_ceremony(statement, certificate, roots, v, a, out,
		    e);
	TRY(activation_parse(statement, a, &s, e));
	*out = (struct agreement){ .kind = AGREED_POLICY,
		.origin = s.origin,
		.id = s.id,
		.n = s.n,
		.from = s.effective,
		.issued = s.issued,
		.expires = s.expires };
	for (size_t i = 0; i < s.n; i++)
		out->item[i] = s.policy[i].is;
	return ERR_OK;
}
