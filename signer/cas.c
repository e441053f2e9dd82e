/*
 * cas - the CAs whose keys this signer made: how such a key is made, certified,
 * used and destroyed.  A key is unwrapped and a certificate parsed when its CA
 * first signs, and the few used last are kept.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cas.h"

#define KEPT        32 /* authorities between rounds */
#define PENDING_MAX 64 /* keys whose CAs have no certificate yet */

/* --- At a start ----------------------------------------------------------------- */

void
cas_heard(struct cas *c, const struct record *r)
{
	struct ca *ca = cas_find(c, r->issuer);
	if (ca != NULL && bytes_eq(r->digest, ca_hash(ca))) {
		ca->is_heard = true;
		return;
	}
	c->is_damaged = true;
	log_error("ca-key-missing", "ca=%.*s", BYTES_FMT(r->issuer));
}

enum err_code
cas_check_names(struct cas *c, const struct config *config, struct err *e)
{
	for (size_t i = 0; i < config->n_issuer; i++)
		if (cas_find(c, bytes_str(config->issuer[i].name)) != NULL)
			return err_say(e, ERR_INVALID, "signer-ca-twice",
			    "the CA %s of the configuration has the name of "
			    "one in signer/cas; give it another name",
			    config->issuer[i].name);
	if (c->n + config->n_issuer <= ISSUERS_MAX)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "signer-cas-many",
	    "the configuration and signer/cas have more CAs together than one "
	    "can have, %s; take those out of the configuration that came last",
	    "1024");
}

/* --- A CA that signs ------------------------------------------------------------ */

enum err_code
cas_destroyed(const char *name, struct err *e)
{
	return err_say(e, ERR_DENIED, "signer-key-destroyed",
	    "the key of the CA %s was destroyed by agreement of the officers; "
	    "it never signs again",
	    name);
}

static enum err_code
load(struct signer *s, struct ca *ca, struct err *e)
{
	const struct authority *first = s->issuer[0];
	AUTO(authority) a = calloc(1, sizeof(*a));
	if (a == NULL)
		return err_nomem(e);
	a->der = BUF(CERT_MAX_BYTES);
	TRY(cas_get(s->cas, ca->certificate_at, ca->certificate_len, &a->der,
	    e));
	TRY(authority_fill(a, ca->name, e));
	TRY(cas_unwrap(s->cas, ca, &a->key, e));
	if (!bytes_eq(a->cert.spki, key_spki(a->key)))
		return cas_damaged(e);
	/* One responder answers for all of them. */
	a->responder_spki = BUF(SPKI_MAX);
	buf_put(&a->responder_spki, first->responder_spki.p,
	    first->responder_spki.len);
	TRY(buf_end(&a->responder_spki, e));
	a->responder_max_s = first->responder_max_s;
	ca->loaded = TAKE(a);
	s->cas->n_loaded++;
	return ERR_OK;
}

enum err_code
cas_authority(struct signer *s, struct bytes name, struct authority **out,
    struct err *e)
{
	struct ca *ca = s->cas == NULL ? NULL : cas_find(s->cas, name);
	*out = NULL;
	if (ca == NULL || ca->certificate_len == 0)
		return ERR_OK;
	if (ca->is_wiped)
		return cas_destroyed(ca->name, e);
	/* The file's fault, or the passphrase's, and not that of who asks. */
	if (ca->loaded == NULL && load(s, ca, e) != ERR_OK)
		return e->code = ERR_CRYPTO;
	ca->used = ++s->cas->clock;
	*out = ca->loaded;
	return ERR_OK;
}

void
cas_trim(struct signer *s)
{
	struct cas *c = s->cas;
	while (c != NULL && c->n_loaded > KEPT) {
		struct ca *least = NULL;
		for (size_t i = 0; i < c->n; i++) {
			struct ca *ca = &c->ca[i];
			/* A list that is arriving goes on with its CA. */
			if (ca->loaded != NULL && ca->loaded != s->crl.by &&
			    (least == NULL || ca->used < least->used))
				least = ca;
		}
		authority_free(least->loaded);
		least->loaded = NULL;
		c->n_loaded--;
	}
}

/* --- A key is made -------------------------------------------------------------- */

static bool
is_configured(const struct signer *s, struct bytes name)
{
	for (size_t i = 0; i < s->n_configured; i++)
		if (bytes_is(name, s->issuer[i]->name))
			return true;
	return false;
}

static enum err_code
name_used(struct bytes name, struct err *e)
{
	char shown[POLICY_NAME_MAX];
	snprintf(shown, sizeof(shown), "%.*s", BYTES_FMT(name));
	return err_say(e, ERR_CONFLICT, "signer-ca-name-used",
	    "the signer has a CA %s already; a new generation has a name of "
	    "its own",
	    shown);
}

static enum err_code
behind(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "signer-cas-behind",
	    "a key that the signer's journal knows is missing from "
	    "signer/cas: restore the newest copy before a CA is made");
}

/* May a key be made under this name, of this type? */
static enum err_code
check_new(struct signer *s, const struct signer_ca_key *m, struct err *e)
{
	struct cas *c = s->cas;
	if (!cas_name_is_good(m->name))
		return err_say(e, ERR_DENIED, "signer-ca-name",
		    "a CA is called by 1 to 40 of a-z, 0-9 and dash, a letter "
		    "first, and not institution, root or endorser");
	if (m->type >= KEY_TYPES || !key_type_of_ca((enum key_type)m->type))
		return err_say(e, ERR_DENIED, "signer-ca-key-type",
		    "a CA has a key of type ec-p256, ec-p384, rsa-3072, "
		    "rsa-4096, rsa-pss-3072, rsa-pss-4096, ml-dsa-44, "
		    "ml-dsa-65 or ml-dsa-87");
	const struct ca *ca = cas_find(c, m->name);
	if (is_configured(s, m->name) ||
	    (ca != NULL && (ca->is_wiped || ca->certificate_len > 0)))
		return name_used(m->name, e);
	if (ca != NULL)
		return ERR_OK;
	if (c->is_damaged)
		return behind(e);
	if (c->n + s->n_configured >= ISSUERS_MAX)
		return err_say(e, ERR_BUSY, "signer-cas-full",
		    "the signer has as many CAs as one can have: %s", "1024");
	if (c->n_pending >= PENDING_MAX)
		return err_say(e, ERR_BUSY, "signer-cas-pending",
		    "the signer has made %s keys for CAs that have no "
		    "certificate yet; complete their ceremonies first",
		    "64");
	return ERR_OK;
}

/* What was not written ends the process: the file is not known. */
static enum err_code
kept(struct signer *s, enum err_code code)
{
	if (code != ERR_OK)
		journal_give_up(s->journal);
	return code;
}

static enum err_code
make_key(struct signer *s, const struct signer_ca_key *m, struct err *e)
{
	AUTO(key) key = NULL;
	TRY(cas_begin(s->cas, e));
	TRY(key_generate((enum key_type)m->type, &key, e));
	TRY(kept(s, cas_write_head(s->cas, e)));
	return kept(s, cas_append_key(s->cas, m->name, key, e));
}

/* The record says whose key it is: one of before a crash may lack it. */
static enum err_code
journal_key(struct signer *s, struct ca *ca, int64_t now, struct job *job,
    struct err *e)
{
	struct record r = { .kind = REC_CA_KEY,
		.time = now,
		.issuer = bytes_str(ca->name),
		.digest = ca_hash(ca) };
	if (ca->is_heard)
		return ERR_OK;
	TRY(signer_keep(s, &r, job, e));
	ca->is_heard = true;
	return ERR_OK;
}

enum err_code
may_make_key(struct signer *s, struct item *it, int64_t now, struct err *e)
{
	const struct signer_ca_key *m = &it->in.ca_key;
	struct job *job = &it->job;
	struct buf csr AUTO_BUF = BUF(CSR_MAX_BYTES);
	AUTO(key) key = NULL;
	TRY(check_new(s, m, e));
	struct ca *ca = cas_find(s->cas, m->name);
	if (ca == NULL) {
		TRY(make_key(s, m, e));
		ca = cas_find(s->cas, m->name);
	}
	TRY(cas_unwrap(s->cas, ca, &key, e));
	if (m->type != key_type(key))
		return err_say(e, ERR_CONFLICT, "signer-ca-key-other",
		    "a key of type %s was made for the CA %s before; ask for "
		    "that one, or name the CA otherwise",
		    key_type_name(key_type(key)), ca->name);
	TRY(journal_key(s, ca, now, job, e));
	TRY(csr_build(key, ca->name, &csr, e));
	job->wrap = WRAP_NONE;
	job->tbs = arena_copy(s->arena, buf_bytes(&csr));
	return ERR_OK;
}

/* --- And certified, and destroyed ----------------------------------------------- */

/* May the CA of that name sign beside a new one, and not by its leave? */
static enum err_code
check_beside(struct signer *s, const struct agreement *g, const struct cert *c,
    const char *name, const struct cert *other, struct err *e)
{
	struct bytes id =
	    bytes_str(arena_printf(s->arena, CEREMONY_CA_ID "%s", name));
	const struct agreed *a = state_agreed_id(&s->state, id);
	bool is_replaced = bytes_eq(id, g->ends);
	if (is_replaced && !cert_succeeds(c, other))
		return err_say(e, ERR_DENIED, "signer-ca-successor",
		    "the new key of the CA %s has another subject, another "
		    "institution or other name constraints than the one before",
		    name);
	if (is_replaced || bytes_eq(id, g->id) ||
	    (a != NULL && a->ended != NEVER) ||
	    !name_alike(c->subject, other->subject))
		return ERR_OK;
	return err_say(e, ERR_DENIED, "signer-ca-subject",
	    "the CA %s signs under the same subject, and the officers' "
	    "statement does not say that the new one replaces its key",
	    name);
}

/* Two keys under one subject are one CA's: only one of them signs. */
static enum err_code
check_subject(struct signer *s, const struct agreement *g, const struct cert *c,
    struct err *e)
{
	if (state_agreed_id(&s->state, g->id) != NULL)
		return ERR_OK; /* told again */
	for (size_t i = 0; i < s->n_configured; i++)
		TRY(check_beside(s, g, c, s->issuer[i]->name,
		    &s->issuer[i]->cert, e));
	for (size_t i = 0; i < s->cas->n_able; i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		const struct ca *ca = &s->cas->ca[s->cas->able[i]];
		struct cert other;
		TRY(cas_get(s->cas, ca->certificate_at, ca->certificate_len,
		    &der, e));
		TRY(cert_parse(buf_bytes(&der), &other, e));
		TRY(check_beside(s, g, c, ca->name, &other, e));
	}
	return ERR_OK;
}

enum err_code
cas_certify(struct signer *s, const struct agreement *g,
    struct bytes certificate, struct err *e)
{
	struct bytes name = g->item[0].name;
	struct buf old AUTO_BUF = BUF(CAS_BODY_MAX);
	struct ca *ca = cas_find(s->cas, name);
	uint8_t hash[SHA256_LEN];
	struct cert c;
	TRY(cert_parse(certificate, &c, e));
	TRY(check_subject(s, g, &c, e));
	if (ca == NULL)
		return ERR_OK; /* of the configuration */
	sha256(hash, c.spki);
	if (ca->is_wiped || !bytes_eq(ca_hash(ca), bytes_of(hash, SHA256_LEN)))
		return err_say(e, ERR_DENIED, "signer-ca-other-key",
		    "the certificate is for another key than the signer made "
		    "for the CA %s",
		    ca->name);
	if (ca->certificate_len > 0)
		TRY(cas_get(s->cas, ca->certificate_at, ca->certificate_len,
		    &old, e));
	if (bytes_eq(buf_bytes(&old), certificate))
		return ERR_OK;
	if (old.len > 0)
		return err_say(e, ERR_CONFLICT, "signer-ca-certified",
		    "the CA %s has another certificate already; a new "
		    "generation has a name of its own",
		    ca->name);
	if (s->cas->is_damaged)
		return behind(e);
	return kept(s, cas_append(s->cas, CAS_CERTIFICATE, name, certificate,
			   BYTES_NONE, e));
}

enum err_code
cas_unknown(struct err *e)
{
	return err_say(e, ERR_NOTFOUND, "signer-ca-unknown",
	    "the signer made no key for a CA of that name");
}

enum err_code
cas_wipe(struct signer *s, struct bytes name, struct err *e)
{
	struct ca *ca = cas_find(s->cas, name);
	if (ca == NULL)
		return cas_unknown(e);
	if (ca->is_wiped)
		return ERR_OK;
	/* Not over what may be repaired: the journal says it, each start. */
	if (s->cas->is_damaged)
		cas_forget(s->cas, ca);
	else
		TRY(kept(s, cas_append(s->cas, CAS_WIPED, name, BYTES_NONE,
				BYTES_NONE, e)));
	if (ca->loaded != NULL) {
		authority_free(ca->loaded);
		ca->loaded = NULL;
		s->cas->n_loaded--;
	}
	return kept(s, cas_wipe_rest(s->cas, ca, e));
}

void
cas_end_keys(struct signer *s)
{
	struct err e;
	for (size_t i = 0; s->cas != NULL && i < s->cas->n; i++) {
		struct ca *ca = &s->cas->ca[i];
		if (ca->is_wiped || state_agreed_hash(&s->state, AGREED_KEY,
					ca_hash(ca)) == NULL)
			continue;
		/* What fails here ends the process, and is done at its start. */
		if (cas_wipe(s, bytes_str(ca->name), &e) != ERR_OK)
			log_err("key-not-destroyed", &e);
		else
			log_warn("key-destroyed", "ca=%s", ca->name);
	}
}
