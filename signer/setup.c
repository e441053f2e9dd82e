/*
 * setup - keys and certificates, loaded and compared before the sandbox is
 * closed and the first octet of a peer is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define FILE_MAX 65536
#define URI_MAX  (2 * PATH_LEN)
#define ENDORSER "endorser" /* as in messages, for the ministers' CA */

/* --- Files and URIs ----------------------------------------------------------- */

/* path below dir, or itself when it is absolute. */
static bool
join(char *out, size_t size, const char *dir, const char *path)
{
	int n = path[0] == '/' ? snprintf(out, size, "%s", path)
			       : snprintf(out, size, "%s/%s", dir, path);
	return n >= 0 && (size_t)n < size;
}

static enum err_code
no_certificate(const char *path, struct err *e)
{
	err_say(e, ERR_NOTFOUND, "signer-certificate-file",
	    "the certificate %s cannot be read; check the configuration", path);
	return err_why(e, "errno %d", errno);
}

enum err_code
signer_read_certificate(const char *dir, const char *name, struct buf *der,
    struct cert *cert, struct err *e)
{
	char path[URI_MAX];
	if (!join(path, sizeof(path), dir, name))
		return no_certificate(name, e);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return no_certificate(name, e);
	struct buf text AUTO_BUF = BUF(FILE_MAX);
	ssize_t n = 0;
	uint8_t *room = buf_room(&text, FILE_MAX);
	if (room != NULL)
		n = read(fd, room, FILE_MAX);
	close(fd);
	if (n <= 0)
		return no_certificate(name, e);
	text.len = (size_t)n;
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", der, e));
	return cert_parse(buf_bytes(der), cert, e);
}

/* The keys that are being opened while the rest is read. */
struct loading {
	const struct signer_setup *setup;
	struct key_loads *loads;
	struct key *responder[CONFIG_ISSUERS_MAX];
};

/* "file:PATH" and bare paths begin at dir; "pkcs11:" stays as it is. */
static enum err_code
load_key(struct loading *l, const char *uri, struct key **out, struct err *e)
{
	const struct signer_setup *setup = l->setup;
	char path[URI_MAX];
	const char *name = uri;
	if (uri_is_token(uri))
		return key_loads_add(l->loads, uri, setup->pin, out, e);
	if (strncmp(uri, "file:", 5) == 0)
		name = uri + 5;
	if (!join(path, sizeof(path), setup->dir, name))
		return err_say(e, ERR_INVALID, "signer-key-uri",
		    "the key %s has a name that is too long; shorten it", name);
	return key_loads_add(l->loads, path, setup->passphrase, out, e);
}

static enum err_code
check_pair(const struct authority *a, const char *uri, struct err *e)
{
	/* NULL: destroyed. */
	if (a->key == NULL || bytes_eq(a->cert.spki, key_spki(a->key)))
		return ERR_OK;
	char shown[URI_MAX];
	uri_without_pin(shown, sizeof(shown), uri);
	return err_say(e, ERR_INVALID, "key-not-of-ca",
	    "the key %s is not that of the CA certificate beside it in the "
	    "configuration; name the right one",
	    shown);
}

/*
 * What is left of a key that was destroyed, as far as this process may and the
 * medium lets it: octets of before can still lie in backups, in a journal of the
 * file system or in worn cells of a disk, and a token keeps its own.
 */
static void
shred(const struct signer_setup *setup, const char *uri, const char *ca)
{
	uint8_t zero[4096] = { 0 };
	char path[URI_MAX];
	const char *name = strncmp(uri, "file:", 5) == 0 ? uri + 5 : uri;
	struct stat st;
	if (uri_is_token(uri) || !join(path, sizeof(path), setup->dir, name))
		return;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	for (off_t at = 0; good && at < st.st_size; at += (off_t)sizeof(zero))
		good =
		    pwrite(fd, zero, sizeof(zero), at) == (ssize_t)sizeof(zero);
	good = good && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	good = good && unlink(path) == 0;
	log_warn(good ? "key-file-removed" : "key-file-remains", "ca=%s", ca);
}

/* --- Authorities ------------------------------------------------------------------ */

enum err_code
authority_fill(struct authority *out, const char *name, struct err *e)
{
	snprintf(out->name, sizeof(out->name), "%s", name);
	TRY(cert_parse(buf_bytes(&out->der), &out->cert, e));
	if (!out->cert.is_ca || (out->cert.key_usage & KU_KEY_CERT_SIGN) == 0)
		return err_say(e, ERR_INVALID, "signer-not-ca",
		    "the certificate of %s is not that of a CA; check the "
		    "configuration",
		    name);
	TRY(issuer_id_of(&out->cert, &out->id, e));
	sha256(out->tbs_sha256, out->cert.tbs);
	return ERR_OK;
}

static enum err_code
load_ca(struct loading *l, struct signer *s, const char *name,
    const char *certificate, const char *key, struct authority *out,
    struct err *e)
{
	const struct signer_setup *setup = l->setup;
	struct cert cert;
	out->der = BUF(CERT_MAX_BYTES);
	TRY(signer_read_certificate(setup->dir, certificate, &out->der, &cert,
	    e));
	TRY(authority_fill(out, name, e));
	if (key == NULL)
		return ERR_OK;
	if (signer_key_ended(s, out)) {
		shred(setup, key, name);
		return ERR_OK;
	}
	return load_key(l, key, &out->key, e);
}

/* ocsp-signer: keeps the responder's key.  signer: looks at its public half,
 * so that it certifies that key and no other, and forgets the rest. */
static enum err_code
take_responder(struct loading *l, struct authority *a, struct key **key,
    struct err *e)
{
	a->responder_spki = BUF(SPKI_MAX);
	struct bytes spki = key_spki(*key);
	buf_put(&a->responder_spki, spki.p, spki.len);
	TRY(buf_end(&a->responder_spki, e));
	/* Hashing is asked of pkix as for a CA: only name and key are read. */
	struct cert like = { .subject = a->cert.subject, .spki = spki };
	struct issuer_id id;
	TRY(issuer_id_of(&like, &id, e));
	memcpy(a->responder_key_sha1, id.key_sha1,
	    sizeof(a->responder_key_sha1));
	if (l->setup->is_ocsp)
		a->key = TAKE(*key);
	return ERR_OK;
}

void
authority_free(struct authority *a)
{
	if (a == NULL)
		return;
	if (!a->borrows_key)
		key_free(a->key);
	buf_fini(&a->der);
	buf_fini(&a->responder_spki);
	free(a);
}

bool
signer_key_ended(struct signer *s, const struct authority *a)
{
	uint8_t hash[SHA256_LEN];
	sha256(hash, a->cert.spki);
	return state_agreed_hash(&s->state, AGREED_KEY,
		   bytes_of(hash, SHA256_LEN)) != NULL;
}

void
signer_end_keys(struct signer *s)
{
	if (!s->key_ended)
		return;
	s->key_ended = false;
	crl_intake_fini(&s->crl);
	cas_end_keys(s);
	for (size_t i = 0; i < s->n_issuer; i++) {
		struct authority *a = s->issuer[i];
		if (a->key == NULL || !signer_key_ended(s, a))
			continue;
		key_free(a->key);
		a->key = NULL;
		log_warn("key-destroyed", "ca=%s", a->name);
	}
}

bool
signer_has_key(const struct signer *s, struct bytes spki)
{
	bool has = bytes_eq(spki, s->endorser->cert.spki) ||
		   bytes_eq(spki, key_spki(s->log_key));
	for (size_t i = 0; i < s->n_configured; i++)
		has = has || bytes_eq(spki, s->issuer[i]->cert.spki) ||
		      bytes_eq(spki, buf_bytes(&s->issuer[i]->responder_spki));
	return has || cas_has_key(s->cas, spki);
}

/* What a responder signs must never pass for another issuer's (INCIDENTS row
 * 56): each has a key of its own. */
static enum err_code
check_own_responder(const struct signer *s, const struct authority *a,
    struct err *e)
{
	for (size_t i = 0; s->issuer[i] != a; i++) {
		const struct authority *o = s->issuer[i];
		if (bytes_eq(buf_bytes(&o->responder_spki),
			buf_bytes(&a->responder_spki)))
			return err_at(e, ERR_INVALID, "signer-responder-shared",
			    "RFC 6960 4.2.2.2", NOWHERE,
			    "the CAs %s and %s name the same OCSP key; give "
			    "each one of its own",
			    o->name, a->name);
	}
	return ERR_OK;
}

static enum err_code
load_issuers(struct loading *l, struct signer *s, struct err *e)
{
	const struct signer_setup *setup = l->setup;
	for (size_t i = 0; i < setup->config->n_issuer; i++) {
		const struct issuer_config *c = &setup->config->issuer[i];
		struct authority *a = calloc(1, sizeof(*a));
		if (a == NULL)
			return err_nomem(e);
		s->issuer[s->n_issuer++] = a;
		s->n_configured = s->n_issuer;
		if (strcmp(c->name, ENDORSER) == 0)
			return err_say(e, ERR_INVALID, "signer-issuer-reserved",
			    "an issuing CA cannot be called \"endorser\"; give "
			    "it another name");
		TRY(load_ca(l, s, c->name, c->certificate,
		    setup->is_ocsp ? NULL : c->key, a, e));
		a->responder_max_s = c->ocsp_certificate_s;
		TRY(load_key(l, c->ocsp_key, &l->responder[i], e));
	}
	return roots_load(setup, s, e);
}

/* All keys are there: does each belong to what it was named for? */
static enum err_code
check_keys(struct loading *l, struct signer *s, struct err *e)
{
	const struct config *c = l->setup->config;
	TRY(key_loads_wait(l->loads, e));
	if (!s->is_ocsp) {
		TRY(check_pair(s->endorser, c->endorser_key, e));
		if (key_type(s->log_key) != KEY_ED25519)
			return err_say(e, ERR_INVALID, "signer-log-key",
			    "the key of the log is of type %s where ed25519 "
			    "is needed",
			    key_type_name(key_type(s->log_key)));
	}
	for (size_t i = 0; i < s->n_configured; i++) {
		struct authority *a = s->issuer[i];
		if (!s->is_ocsp)
			TRY(check_pair(a, c->issuer[i].key, e));
		TRY(take_responder(l, a, &l->responder[i], e));
		TRY(check_own_responder(s, a, e));
		if (s->is_ocsp)
			signer_answers_for(s, a);
	}
	return ERR_OK;
}

/* --- Ceilings ---------------------------------------------------------------------- */

static enum err_code
heard_ceilings(struct signer *s, const struct record *r, struct err *e)
{
	if (memcmp(r->digest.p, s->file_sha256, SHA256_LEN) == 0)
		s->file_was_in_force = true;
	memcpy(s->ceilings_sha256, r->digest.p, SHA256_LEN);
	memcpy(s->ceilings_lay, r->evidence.p, SHA256_LEN);
	s->ceilings_how = (enum ceilings_how)r->value;
	buf_reset(&s->ceilings_text);
	buf_put(&s->ceilings_text, r->signature.p, r->signature.len);
	return buf_end(&s->ceilings_text, e);
}

static enum err_code
apply(void *ctx, const struct record *r, struct err *e)
{
	struct signer *s = ctx;
	if (r->kind == REC_CA_KEY)
		cas_heard(s->cas, r);
	if (r->kind == REC_CEILINGS)
		TRY(heard_ceilings(s, r, e));
	return state_apply(&s->state, r, e);
}

enum err_code
signer_put_ceilings(struct signer *s, struct bytes text,
    const struct ceilings *to, enum ceilings_how how, int64_t now,
    struct err *e)
{
	struct bytes hash = signer_hash(s, text);
	struct record r = { .kind = REC_CEILINGS,
		.time = now,
		.digest = hash,
		.evidence = how == CEILINGS_AGREED
				? bytes_of(s->file_sha256, SHA256_LEN)
				: hash,
		.value = how,
		.signature = text };
	TRY(journal_add(s->journal, &r, e));
	s->ceilings = *to;
	enum err_code code = apply(s, &r, e);
	if (code == ERR_OK)
		code = state_first_policies(&s->state, to, e);
	/* What the journal has must be what is in force. */
	if (code != ERR_OK)
		journal_give_up(s->journal);
	else
		log_warn("ceilings-in-force", "how=%s", ceilings_how_name(how));
	return code;
}

static bool
replaces(const struct signer *s, const struct ceilings *to)
{
	return to->has_refounds &&
	       memcmp(to->refounds, s->ceilings_sha256, SHA256_LEN) == 0;
}

/*
 * The file that lies in etc/ against the one in force.  What only takes away is
 * root's to do; whatever gives is the officers', but for a file that says that
 * root begins anew in the place of the very one in force.
 */
static enum err_code
settle_ceilings(const struct signer_setup *setup, struct signer *s,
    struct err *e)
{
	int64_t now =
	    setup->now > s->state.last_time ? setup->now : s->state.last_time;
	if (setup->ceilings_text.len == 0)
		return state_first_policies(&s->state, &s->ceilings, e);
	struct ceilings *lies = arena_get(s->arena, sizeof(*lies));
	TRY(ceilings_read(setup->ceilings_text, lies, e));
	enum ceilings_how how = CEILINGS_FIRST;
	if (s->ceilings_text.len > 0) {
		struct bytes in_force = buf_bytes(&s->ceilings_text);
		TRY(ceilings_read(in_force, &s->ceilings, e));
		const char *gives = ceilings_grant(&s->ceilings, lies);
		/* Officers may have put another in the place of what lies
		 * there, or of what was laid there after a start. */
		bool is_news =
		    !s->file_was_in_force &&
		    memcmp(s->file_sha256, s->ceilings_lay, SHA256_LEN) != 0;
		how = gives == NULL ? CEILINGS_LESSENED : CEILINGS_REFOUNDED;
		if (!is_news || (gives != NULL && !replaces(s, lies)))
			return state_first_policies(&s->state, &s->ceilings, e);
	}
	TRY(signer_put_ceilings(s, setup->ceilings_text, lies, how, now, e));
	return journal_sync(s->journal, now, e);
}

/* What only the signer has: endorser CA, log key, journal. */
static enum err_code
load_signer(struct loading *l, struct signer *s, struct err *e)
{
	const struct signer_setup *setup = l->setup;
	const struct config *c = setup->config;
	s->endorser = calloc(1, sizeof(*s->endorser));
	if (s->endorser == NULL)
		return err_nomem(e);
	TRY(load_ca(l, s, ENDORSER, c->endorser_certificate, c->endorser_key,
	    s->endorser, e));
	TRY(load_key(l, c->log_key, &s->log_key, e));
	TRY(cas_open(setup->dir, setup->passphrase, &s->cas, e));
	TRY(cas_check_names(s->cas, c, e));
	if (setup->ceilings_text.len > 0)
		sha256(s->file_sha256, setup->ceilings_text);
	TRY(journal_open(setup->dir, bytes_str(s->origin), apply, s,
	    &s->journal, e));
	TRY(cas_settle(s->cas, e));
	TRY(cas_check_change(s->cas, setup->dir, e));
	cas_end_keys(s);
	return ERR_OK;
}

/*
 * One signer at a time opens the token: SoftHSM writes its files at a login,
 * and takes a right PIN for a wrong one while another process does.  *lock is
 * held until the keys are loaded.
 */
static enum err_code
open_token(const struct signer_setup *setup, int *lock, struct err *e)
{
	const struct config *c = setup->config;
	char path[URI_MAX];
	if (!config_has_token(c))
		return ERR_OK;
	if (!join(path, sizeof(path), setup->dir, "etc"))
		path[0] = '\0';
	*lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0 || flock(*lock, LOCK_EX) != 0)
		return err_errno(e, "signer-token-lock",
		    "the directory etc cannot be locked to open the token");
	return token_open(c->pkcs11_module[0] == '\0' ? NULL : c->pkcs11_module,
	    e);
}

/*
 * The answers of a round leave together: with keys that take milliseconds, core
 * would wait for a whole round and the signer then for core.  And of keys that
 * were made here no more are in memory than a few and those of one round.
 */
size_t
signer_round(const struct signer *s)
{
	/* Those made here may be of any type. */
	bool slow = cas_count(s->cas) > 0;
	for (size_t i = 0; i < s->n_issuer; i++) {
		const struct key *k = s->issuer[i]->key;
		/* NULL: destroyed. */
		slow = slow || (k != NULL && key_type(k) != KEY_EC_P256);
	}
	return s->is_ocsp ? 1 : slow ? ROUND_SLOW : ROUND_MAX;
}

#define PROOFS 1024 /* signatures remembered between EVIDENCE and CERTIFICATE */

enum err_code
signer_new(const struct signer_setup *setup, struct signer **out, struct err *e)
{
	AUTO(signer) s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(e);
	s->crl_file = -1;
	s->is_ocsp = setup->is_ocsp;
	s->ceilings = *setup->ceilings;
	s->ceilings_text = BUF(CEILINGS_FILE_MAX);
	s->hasher = hasher_new();
	s->item = calloc(ROUND_MAX, sizeof(*s->item));
	if (s->item == NULL)
		return err_nomem(e);
	s->arena = arena_new();
	snprintf(s->origin, sizeof(s->origin), "%s", setup->config->origin);
	snprintf(s->public_url, sizeof(s->public_url), "%s",
	    setup->config->public_url);
	TRY(verifier_new(&s->theirs, e));
	TRY(proofs_new(PROOFS, &s->proofs, e));
	verifier_share(s->theirs, s->proofs);
	TRY(verifier_new(&s->ours, e));
	TRY(state_init(&s->state, e));
	int lock = -1;
	AUTO(key_loads) loads = key_loads_new();
	struct loading l = { .setup = setup, .loads = loads };
	enum err_code code = open_token(setup, &lock, e);
	/* The journal first: it says which keys are none any more. */
	if (code == ERR_OK && !s->is_ocsp)
		code = load_signer(&l, s, e);
	if (code == ERR_OK)
		code = load_issuers(&l, s, e);
	if (code == ERR_OK)
		code = check_keys(&l, s, e);
	else
		key_loads_free(TAKE(loads));
	/* A start that fails for its keys puts nothing in force. */
	if (code == ERR_OK && !s->is_ocsp)
		code = settle_ceilings(setup, s, e);
	for (size_t i = 0; i < CONFIG_ISSUERS_MAX; i++)
		key_free(l.responder[i]);
	if (lock >= 0)
		close(lock);
	TRY(code);
	*out = TAKE(s);
	return ERR_OK;
}

/* Did officers agree on this CA, and did nobody stop it? */
static bool
is_taken(struct signer *s, const char *name)
{
	const struct agreed *a = state_agreed_id(&s->state,
	    bytes_str(arena_printf(s->arena, CEREMONY_CA_ID "%s", name)));
	return a != NULL && a->kind == AGREED_CA && a->ended == NEVER;
}

void
signer_say_hello(struct signer *s, struct buf *body)
{
	struct signer_hello *m = arena_get(s->arena, sizeof(*m));
	*m = (struct signer_hello){ .checkpoint_size = s->state.checkpoint_size,
		.signed_certificates = s->state.certificates,
		.n_issuer = s->n_configured + cas_count(s->cas),
		.ceilings = buf_bytes(&s->ceilings_text),
		.ceilings_how = s->ceilings_how };
	memcpy(m->checkpoint_root, s->state.checkpoint_root, HASH_LEN);
	for (size_t i = 0; i < m->n_issuer; i++) {
		bool is_made = i >= s->n_configured;
		const struct authority *a = s->issuer[is_made ? 0 : i];
		const char *name =
		    is_made ? cas_name(s->cas, i - s->n_configured) : a->name;
		const struct crl_seen *crl =
		    state_crl(&s->state, bytes_str(name));
		snprintf(m->issuer[i].issuer, sizeof(m->issuer[i].issuer), "%s",
		    name);
		m->issuer[i].crl_number = crl == NULL ? 0 : crl->number;
		m->issuer[i].is_taken = is_taken(s, name);
		sha256(m->issuer[i].responder_spki_sha256,
		    buf_bytes(&a->responder_spki));
		if (s->is_ocsp)
			m->responder_spki[i] = buf_bytes(&a->responder_spki);
	}
	signer_hello_encode(m, body);
}

void
signer_numbers(const struct signer *s, struct signer_numbers *out)
{
	*out = (struct signer_numbers){
		.certificates = s->state.certificates,
		.refused = s->refused,
		.stopped_until = s->state.stopped_until,
	};
}

bool
signer_token_lost(const struct signer *s)
{
	return s->token_lost;
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_issuer; i++)
		authority_free(s->issuer[i]);
	authority_free(s->endorser);
	for (size_t i = 0; i < ROOTS_MAX; i++)
		buf_fini(&s->root_der[i]);
	buf_fini(&s->ceilings_text);
	crl_intake_fini(&s->crl);
	signer_take_file(s, -1);
	key_free(s->log_key);
	verifier_free(s->theirs);
	verifier_free(s->ours);
	proofs_free(s->proofs);
	hasher_free(s->hasher);
	journal_free(s->journal);
	cas_free(s->cas);
	state_fini(&s->state);
	arena_free(s->arena);
	free(s->item);
	free(s);
}
