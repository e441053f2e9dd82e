#include "verify.h"

#include <stdio.h>
#include <string.h>

/* Ceremonies: what officers agreed on, and that the root signed just that. */

static bool
is_root(const struct ca *c)
{
	return strcmp(c->role, "root") == 0;
}

/* --- ceremony.proposed -------------------------------------------------------- */

static enum err_code
not_shown(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-cross-possession",
	    "entry %s: neither a request nor a certificate shows that the CA "
	    "of others has the key that is to be certified, and its name",
	    a->at);
}

/* A request proves it; so does a certificate that signed itself, and of another
 * one its issuer saw the proof. */
static enum err_code
judge_possession(struct audit *a, struct bytes shown, struct bytes tbs,
    struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct err no;
	struct cert c, was;
	struct csr csr;

	if (cert_tbs_parse(tbs, a->arena, &c, &no) != ERR_OK)
		return not_shown(a, e);
	if (csr_parse(shown, &scratch, &csr, &no) == ERR_OK) {
		struct der info = der_of(csr.info);
		struct der in = der_enter(&info, DER_SEQUENCE);
		(void)der_element(&in); /* the version */
		bool same = bytes_eq(der_element(&in), c.subject);
		return same && bytes_eq(csr.spki, c.spki) &&
			       csr_prove(&csr, a->v, &no) == ERR_OK
			   ? ERR_OK
			   : not_shown(a, e);
	}
	if (cert_parse(shown, &was, &no) != ERR_OK || !was.is_ca ||
	    !bytes_eq(was.subject, c.subject) || !bytes_eq(was.spki, c.spki))
		return not_shown(a, e);
	if (bytes_eq(was.issuer, was.subject) &&
	    (was.aki.len == 0 || bytes_eq(was.aki, was.ski)) &&
	    verifier_check(a->v, was.spki, was.sigalg, was.tbs, was.signature,
		&no) != ERR_OK)
		return not_shown(a, e);
	return ERR_OK;
}

/* The root in force; or for its CRL one before.  Of a log without its first
 * entry there is none. */
static bool
names_root(const struct audit *a, const struct ceremony_statement *s)
{
	bool any = s->object[0].kind == CEREMONY_CRL, found = a->any_root;
	uint8_t hash[HASH_LEN];

	for (uint32_t i = 0; i < a->n_ca && !found; i++) {
		if (!is_root(&a->ca[i]) || (!any && i != a->root))
			continue;
		sha256(hash, buf_bytes(&a->ca[i].der));
		found = bytes_eq(s->root_sha256, bytes_of(hash, HASH_LEN));
	}
	return found;
}

enum err_code
judge_ceremony_proposed(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e)
{
	struct ceremony_statement s;
	struct agreement_noted *c;
	struct err below = { .code = ERR_OK };
	uint8_t tbs_hash[HASH_LEN];
	struct bytes text;

	TRY(note_agreement(a, en, d, &c, &text, e));
	memcpy(c->tbs, en->refs.tbs.p, HASH_LEN);
	if (a->erased)
		return ERR_OK;
	struct bytes tbs = json_get_base64(d, "tbs", a->arena);
	struct bytes shown = json_has(d, "possession")
				 ? json_get_base64(d, "possession", a->arena)
				 : BYTES_NONE;
	TRY(detail_end(a, e));
	if (ceremony_parse(text, a->arena, &s, &below) != ERR_OK)
		return fault_below(a, &below, e);
	c->kind = s.object[0].kind;
	c->issued = s.issued;
	c->expires = s.expires;
	snprintf(c->name, sizeof(c->name), "%.*s", BYTES_FMT(s.object[0].name));
	snprintf(c->replaces, sizeof(c->replaces), "%.*s",
	    BYTES_FMT(s.object[0].replaces));
	sha256(tbs_hash, tbs);
	memcpy(c->root, s.root_sha256.p, HASH_LEN);
	if (!bytes_eq(s.id, en->refs.request) || s.n != 1 ||
	    !bytes_eq(s.origin, buf_bytes(&a->origin)) || !names_root(a, &s) ||
	    !bytes_eq(s.object[0].tbs_sha256, en->refs.tbs) ||
	    memcmp(tbs_hash, c->tbs, HASH_LEN) != 0)
		return err_say(e, ERR_INVALID, "audit-ceremony-statement",
		    "entry %s: the statement is of another log, root, ceremony "
		    "or object than the entry",
		    a->at);
	if (c->kind == CEREMONY_CROSS)
		TRY(judge_possession(a, shown, tbs, e));
	return judge_log(a, en, s.log_size, s.log_root, e);
}

/* --- ceremony.completed ------------------------------------------------------------- */

/* A CA on the root's list issues no more. */
static void
stop_listed(struct audit *a, const struct crl *list)
{
	struct crl_entry entry;

	for (size_t i = 0; i < a->n_ca; i++)
		a->ca[i].stopped =
		    a->ca[i].stopped ||
		    (!is_root(&a->ca[i]) &&
			crl_find(list, a->ca[i].cert.serial, &entry));
}

/* What the root signed, as the entry has it. */
struct done {
	struct bytes kind, name, der;
	struct bytes replaces; /* the CA whose key it replaces */
};

static bool
is_kind(const struct done *o, enum ceremony_kind kind)
{
	return bytes_is(o->kind, ceremony_kind_name(kind));
}

static enum err_code
other_root(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-ceremony-root",
	    "entry %s: the officers agreed on this with another root than the "
	    "one in force, or with one that this log does not have",
	    a->at);
}

static enum err_code
other_object(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-ceremony-object",
	    "entry %s: the root signed something else than the officers agreed "
	    "on",
	    a->at);
}

/* By the root that has its name. */
static enum err_code
take_list(struct audit *a, const struct entry *en, const struct done *o,
    struct err *e)
{
	struct err below = { .code = ERR_OK };
	uint32_t root = ca_find(a, o->name);
	struct crl list;

	if (root == NONE && a->any_root)
		return ERR_OK;
	if (root == NONE || !is_root(&a->ca[root]))
		return other_root(a, e);
	if (crl_parse(o->der, &list, &below) != ERR_OK ||
	    crl_check_publish(&list, &a->ca[root].cert,
		(uint64_t)a->ca[root].last_number, en->time, a->v,
		&below) != ERR_OK)
		return fault_below(a, &below, e);
	a->ca[root].last_number = (int64_t)list.number;
	stop_listed(a, &list);
	return ERR_OK;
}

/* The key of a CA of this log, by its certificate; it issues no more. */
static enum err_code
take_key(struct audit *a, const struct done *o, struct err *e)
{
	uint32_t ca = ca_find(a, o->name);

	if (ca == NONE && a->lost_ca)
		return ERR_OK;
	if (ca == NONE || !bytes_eq(o->der, buf_bytes(&a->ca[ca].der)))
		return err_say(e, ERR_INVALID, "audit-key",
		    "entry %s: the key that was destroyed is that of no CA of "
		    "this log",
		    a->at);
	a->ca[ca].stopped = true;
	a->ca[ca].destroyed = true;
	return ERR_OK;
}

/* Nobody takes the newest for a CA of the other sort: ours, or one that is not
 * ours.  The root's name is the next root's too. */
static enum err_code
judge_apart(struct audit *a, struct err *e)
{
	const struct ca *newest = &a->ca[a->n_ca - 1];
	bool is_cross = strcmp(newest->role, "cross") == 0;

	for (const struct ca *c = a->ca; c < newest; c++) {
		bool other_key = !bytes_eq(c->cert.spki, newest->cert.spki);
		bool same_id = newest->cert.ski.len > 0 &&
			       bytes_eq(c->cert.ski, newest->cert.ski);
		bool other_sort = !is_root(c) && !is_root(newest) &&
				  (strcmp(c->role, "cross") == 0) != is_cross;
		if ((same_id && other_key) ||
		    (other_sort &&
			name_alike(c->cert.subject, newest->cert.subject)))
			return err_say(e, ERR_INVALID, "audit-cross-name",
			    "entry %s: a CA of this log and one that is not of "
			    "this installation have the same subject, or two "
			    "keys the same identifier",
			    a->at);
	}
	return ERR_OK;
}

/* The newest takes no other's place: its subject is no other's.  What an entry
 * that was erased replaced, nobody knows. */
static enum err_code
judge_subject(struct audit *a, struct err *e)
{
	const struct ca *newest = &a->ca[a->n_ca - 1];

	for (const struct ca *c = a->ca; c < newest && !a->lost_ca; c++)
		if (!c->replaced && strcmp(c->role, "cross") != 0 &&
		    name_alike(c->cert.subject, newest->cert.subject))
			return err_say(e, ERR_INVALID, "audit-ca-subject",
			    "entry %s: another CA of this log has the same "
			    "subject, and officers did not agree that the new "
			    "one replaces its key",
			    a->at);
	return ERR_OK;
}

/* The new key of a CA is under its subject; the one before signs no more. */
static enum err_code
take_new(struct audit *a, const struct entry *en, const struct done *o,
    struct err *e)
{
	uint32_t old = ca_find(a, o->replaces);

	TRY(add_ca(a, en, bytes_str("issuer"), o->name, o->der, e));
	a->ca[a->n_ca - 1].agreed = true;
	TRY(judge_apart(a, e));
	if (o->replaces.len == 0)
		return judge_subject(a, e);
	if (old == NONE && a->lost_ca)
		return ERR_OK;
	if (old == NONE || strcmp(a->ca[old].role, "issuer") != 0 ||
	    a->ca[old].replaced ||
	    !cert_succeeds(&a->ca[a->n_ca - 1].cert, &a->ca[old].cert))
		return err_say(e, ERR_INVALID, "audit-ca-replaced",
		    "entry %s: the CA has no key of this subject, institution "
		    "and name constraints to replace, or it was replaced "
		    "before",
		    a->at);
	a->ca[old].stopped = true;
	a->ca[old].replaced = true;
	return ERR_OK;
}

/* Another root signs from here on, and vouches for the key of the one before. */
static enum err_code
take_root(struct audit *a, const struct entry *en, const struct done *o,
    struct err *e)
{
	struct err below = { .code = ERR_OK };
	struct ceremony_roots next;

	if (a->any_root) {
		/* Whose key is under the one before, nobody knows. */
		struct der in = der_of(o->der);
		next = (struct ceremony_roots){ .root = {
						    .der = der_element(&in) } };
	} else if (ceremony_roots_read(o->der, &a->ca[a->root].cert, a->v,
		       &next, &below) != ERR_OK) {
		return fault_below(a, &below, e);
	}
	TRY(add_ca(a, en, bytes_str("root"), o->name, next.root.der, e));
	TRY(judge_apart(a, e));
	a->root = (uint32_t)a->n_ca - 1;
	a->any_root = false;
	if (next.link.der.len == 0)
		return ERR_OK;
	TRY(add_ca(a, en, bytes_str("cross"),
	    bytes_str(arena_printf(a->arena, "%.*s" ROOT_OLD_END,
		BYTES_FMT(o->name))),
	    next.link.der, e));
	return judge_apart(a, e);
}

/* What is whole is that of the statement, by its hash. */
static enum err_code
judge_whole_object(struct audit *a, const struct entry *en,
    const struct ceremony_statement *s, const struct done *o, struct err *e)
{
	uint8_t hash[HASH_LEN];

	sha256(hash, o->der);
	if (!bytes_eq(en->refs.tbs, bytes_of(hash, HASH_LEN)) ||
	    !bytes_eq(en->refs.object, en->refs.tbs))
		return is_kind(o, CEREMONY_ROOT)
			   ? other_object(a, e)
			   : err_say(e, ERR_INVALID, "audit-ceilings-file",
				 "entry %s: the ceilings are not the file "
				 "whose hash the entry names",
				 a->at);
	if (is_kind(o, CEREMONY_ROOT))
		return take_root(a, en, o, e);
	if (s != NULL)
		return take_agreed_ceilings(a, s, o->der, e);
	lose_ceilings(a);
	return ERR_OK;
}

static enum err_code
judge_object(struct audit *a, const struct entry *en, const struct done *o,
    struct err *e)
{
	struct err below = { .code = ERR_OK };
	struct bytes tbs, sigalg, signature;
	uint8_t hash[HASH_LEN], whole[HASH_LEN];

	if (signed_split(o->der, &tbs, &sigalg, &signature, &below) != ERR_OK)
		return fault_below(a, &below, e);
	sha256(hash, tbs);
	sha256(whole, o->der);
	if (!bytes_eq(en->refs.tbs, bytes_of(hash, HASH_LEN)) ||
	    !bytes_eq(en->refs.object, bytes_of(whole, HASH_LEN)))
		return other_object(a, e);
	if (is_kind(o, CEREMONY_CRL) && a->n_ca > 0)
		return take_list(a, en, o, e);
	if (is_kind(o, CEREMONY_KEY))
		return take_key(a, o, e);
	if (is_kind(o, CEREMONY_CROSS)) {
		TRY(add_ca(a, en, bytes_str("cross"), o->name, o->der, e));
		return judge_apart(a, e);
	}
	return take_new(a, en, o, e);
}

/* Enough officers agreed on these bytes, under this name, in time. */
static enum err_code
judge_agreement(struct audit *a, const struct entry *en,
    const struct agreement_noted *c, const struct done *o, struct err *e)
{
	uint8_t root[HASH_LEN];

	if (!bytes_eq(en->refs.tbs, bytes_of(c->tbs, HASH_LEN)) ||
	    (!c->erased &&
		(!bytes_is(o->name, c->name) ||
		    !bytes_is(o->replaces, c->replaces) ||
		    !bytes_is(o->kind, ceremony_kind_name(c->kind)))))
		return other_object(a, e);
	if (c->erased)
		return ERR_OK;
	if (a->n_ca == 0)
		return other_root(a, e);
	sha256(root, buf_bytes(&a->ca[a->root].der));
	if (c->kind != CEREMONY_CRL && !a->any_root &&
	    memcmp(root, c->root, HASH_LEN) != 0)
		return other_root(a, e);
	if (!has_quorum(a, c))
		return err_say(e, ERR_INVALID, "audit-ceremony-quorum",
		    "entry %s: fewer officers signed this ceremony than this "
		    "log needs",
		    a->at);
	if (en->time <= c->expires)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-ceremony-late",
	    "entry %s: the ceremony was completed after its statement had "
	    "expired",
	    a->at);
}

enum err_code
judge_ceremony_completed(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e)
{
	struct agreement_noted *c;

	struct ceremony_statement s, *is = NULL;

	TRY(open_agreement(a, en, &c, e));
	/* It was read once already, and is in the arena from here on. */
	if (!c->erased &&
	    ceremony_parse(buf_bytes(&c->statement), a->arena, &s, e) == ERR_OK)
		is = &s;
	close_agreement(c);
	a->lost_ca = a->lost_ca || a->erased;
	if (a->erased) {
		if (is == NULL || is->object[0].kind == CEREMONY_CEILINGS)
			lose_ceilings(a);
		/* A certificate and a list have a leaf that says so. */
		if ((is == NULL && en->refs.serial.len == 0 &&
			en->refs.number == 0) ||
		    (is != NULL && is->object[0].kind == CEREMONY_ROOT))
			a->any_root = true;
		return ERR_OK;
	}
	struct done o = { .kind = json_get_str(d, "kind"),
		.name = json_get_str(d, "name"),
		.der = json_get_base64(d, "object", a->arena),
		.replaces = json_opt_str(d, "replaces") };
	(void)json_get_str(d, "transcript");
	TRY(detail_end(a, e));
	TRY(judge_agreement(a, en, c, &o, e));
	return is_kind(&o, CEREMONY_CEILINGS) || is_kind(&o, CEREMONY_ROOT)
		   ? judge_whole_object(a, en, is, &o, e)
		   : judge_object(a, en, &o, e);
}

enum err_code
judge_ca_stopped(struct audit *a, const struct entry *en, struct json_obj d,
    struct err *e)
{
	(void)en;
	if (a->erased)
		return ERR_OK;
	uint32_t ca = ca_find(a, json_get_str(d, "name"));
	TRY(detail_end(a, e));
	/* The entry that named it may have lost its detail. */
	if (ca == NONE && a->lost_ca)
		return ERR_OK;
	if (ca == NONE || strcmp(a->ca[ca].role, "issuer") != 0)
		return err_say(e, ERR_INVALID, "audit-ca-stopped",
		    "entry %s: what was stopped is no issuing CA of this log",
		    a->at);
	a->ca[ca].stopped = true;
	return ERR_OK;
}
