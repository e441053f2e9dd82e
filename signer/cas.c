/*
 * cas - custody of the keys that this signer made for CAs: one file, to which
 * records are only added, each synced before it counts (decision 0042).  At
 * start its records are indexed and hashed; a key is unwrapped and a
 * certificate parsed when its CA first signs, and the few used last are kept.
 * Longer than a file should be, so that all that touches these keys is here.
 * doc/PROTOCOL.ipc.md has the format.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "internal.h"

#define MAGIC          "refrendo-cas/2\n"
#define MAGIC_LEN      15u
#define SALT_LEN       16u
#define HEAD_LEN       (MAGIC_LEN + SALT_LEN + 2 * SHA256_LEN)
#define BODY_MAX       (64u + SPKI_MAX + WRAPPED_MAX + CERT_MAX_BYTES)
#define CAS_RECORD_MAX (4u + BODY_MAX + SHA256_LEN)
#define FILE_MAX       (64u << 20)
#define KEPT           32 /* authorities between rounds */
#define PENDING_MAX    64 /* keys whose CAs have no certificate yet */
#define SECRET_MAX     1024

enum kind { CAS_KEY = 1, CAS_CERTIFICATE, CAS_WIPED };

struct ca {
	char name[POLICY_NAME_MAX];
	uint8_t spki_sha256[SHA256_LEN];
	/* In the file; length 0: not there. */
	uint64_t spki_at, wrapped_at, certificate_at;
	uint32_t spki_len, wrapped_len, certificate_len;
	bool is_heard; /* the journal has its key */
	bool is_wiped;
	struct authority *loaded; /* owned; NULL: not now */
	uint64_t used;            /* the higher the later */
};

struct cas {
	int fd;
	bool damaged; /* a key of the journal is missing: nothing is added */
	/* The last record begins, and ends; size is that of the file as it was
	 * found, and if it is more, something unreadable follows. */
	uint64_t last, end, size;
	uint8_t chain[SHA256_LEN];
	struct ca ca[ISSUERS_MAX];
	size_t n, n_loaded, n_pending;
	uint16_t able[ISSUERS_MAX]; /* those that can sign */
	size_t n_able;
	struct places by_name, by_key;
	uint64_t clock;
	/* In memory that is never swapped: a passphrase, or what follows. */
	uint8_t salt[SALT_LEN], check[SHA256_LEN];
	uint8_t *secret;
	size_t secret_len; /* 0: there is none */
	bool is_derived, is_wrong;
};

void
cas_free(struct cas *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		authority_free(c->ca[i].loaded);
	if (c->fd >= 0)
		close(c->fd);
	OPENSSL_secure_clear_free(c->secret, SECRET_MAX);
	free(c);
}
OWNED(cas);

/* --- Finding ---------------------------------------------------------------------- */

static struct ca *
find(struct cas *c, struct bytes name)
{
	size_t at = SIZE_MAX, n;
	while (places_next(&c->by_name, hash64(name), &at, &n))
		if (bytes_is(name, c->ca[n].name))
			return &c->ca[n];
	return NULL;
}

static struct bytes
hash_of(const struct ca *ca)
{
	return bytes_of(ca->spki_sha256, SHA256_LEN);
}

bool
cas_has_key(const struct cas *c, struct bytes spki)
{
	uint8_t hash[SHA256_LEN];
	size_t at = SIZE_MAX, n;
	sha256(hash, spki);
	struct bytes want = bytes_of(hash, SHA256_LEN);
	while (places_next(&c->by_key, hash64(want), &at, &n))
		if (bytes_eq(want, hash_of(&c->ca[n])))
			return true;
	return false;
}

size_t
cas_count(const struct cas *c)
{
	return c == NULL ? 0 : c->n_able;
}

const char *
cas_name(const struct cas *c, size_t i)
{
	return c->ca[c->able[i]].name;
}

/* --- Records ------------------------------------------------------------------------ */

/*
 * u32 length, body, SHA-256 over the one before and the body; of a key without
 * its wrapped octets, which are bound by their own tag: so that they can be
 * wiped where they lie.
 */
static void
chain_on(uint8_t chain[SHA256_LEN], struct bytes body, size_t hashed)
{
	struct buf b AUTO_BUF = BUF(SHA256_LEN + BODY_MAX);
	buf_put(&b, chain, SHA256_LEN);
	buf_put(&b, body.p, hashed);
	if (b.failed)
		fatal("no memory to hash a record of a CA");
	sha256(chain, buf_bytes(&b));
}

static bool
name_is_good(struct bytes name)
{
	bool good = name.len > 0 && name.len <= CEREMONY_NAME_MAX &&
		    name.p[0] >= 'a' && name.p[0] <= 'z';
	for (size_t i = 0; good && i < name.len; i++) {
		uint8_t c = name.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		       c == '-';
	}
	return good && !bytes_is(name, "root") && !bytes_is(name, "endorser") &&
	       !bytes_is(name, "institution");
}

/* A record as it was read, its parts by their places in the file. */
struct cas_record {
	enum kind kind;
	struct bytes name, spki, wrapped, certificate;
	size_t hashed; /* octets of the body */
};

static bool
cas_parse(struct bytes body, struct cas_record *out)
{
	struct reader r = reader_of(body);
	struct cas_record x = { .kind = (enum kind)get_u8(&r),
		.hashed = body.len };
	struct err e;
	x.name = get_bytes(&r);
	if (x.kind == CAS_KEY) {
		x.spki = get_bytes(&r);
		x.hashed = 1 + 4 + x.name.len + 4 + x.spki.len;
		x.wrapped = get_bytes(&r);
	} else if (x.kind == CAS_CERTIFICATE) {
		x.certificate = get_bytes(&r);
	} else if (x.kind != CAS_WIPED) {
		return false;
	}
	*out = x;
	return reader_end(&r, &e) == ERR_OK && name_is_good(x.name);
}

static void
add_key(struct cas *c, const struct cas_record *x, uint64_t base,
    const uint8_t *start)
{
	struct ca *ca = &c->ca[c->n];
	memcpy(ca->name, x->name.p, x->name.len);
	sha256(ca->spki_sha256, x->spki);
	ca->spki_at = base + (uint64_t)(x->spki.p - start);
	ca->spki_len = (uint32_t)x->spki.len;
	ca->wrapped_at = base + (uint64_t)(x->wrapped.p - start);
	ca->wrapped_len = (uint32_t)x->wrapped.len;
	places_put(&c->by_name, hash64(x->name), c->n);
	places_put(&c->by_key, hash64(hash_of(ca)), c->n);
	c->n++;
	c->n_pending++;
}

static void
forget(struct cas *c, struct ca *ca)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->n_able; i++)
		if (&c->ca[c->able[i]] != ca)
			c->able[kept++] = c->able[i];
	if (kept == c->n_able)
		c->n_pending--;
	c->n_able = kept;
	ca->is_wiped = true;
}

/* One record that stands at base in the file, and was hashed. */
static bool
take(struct cas *c, const struct cas_record *x, uint64_t base,
    const uint8_t *start)
{
	struct ca *ca = find(c, x->name);
	switch (x->kind) {
	case CAS_KEY:
		if (ca != NULL || c->n == ISSUERS_MAX)
			return false;
		add_key(c, x, base, start);
		return true;
	case CAS_CERTIFICATE:
		if (ca == NULL || ca->is_wiped || ca->certificate_len > 0)
			return false;
		ca->certificate_at =
		    base + (uint64_t)(x->certificate.p - start);
		ca->certificate_len = (uint32_t)x->certificate.len;
		c->able[c->n_able++] = (uint16_t)(ca - c->ca);
		c->n_pending--;
		return true;
	case CAS_WIPED:
		if (ca == NULL || ca->is_wiped)
			return false;
		forget(c, ca);
		return true;
	}
	return false;
}

/* --- The file ------------------------------------------------------------------------ */

static enum err_code
damaged(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "cas-damaged",
	    "the file signer/cas of the CAs' keys is not as it was written; "
	    "restore the newest copy of it");
}

static enum err_code
cannot_write(struct err *e)
{
	return err_errno(e, "cas-write",
	    "the file of the CAs' keys cannot be written; make room and start "
	    "again");
}

static enum err_code
write_at(struct cas *c, uint64_t at, struct bytes b, struct err *e)
{
	while (b.len > 0) {
		ssize_t n = pwrite(c->fd, b.p, b.len, (off_t)at);
		if (n < 0)
			return cannot_write(e);
		b = bytes_of(b.p + n, b.len - (size_t)n);
		at += (uint64_t)n;
	}
	return fdatasync(c->fd) == 0 ? ERR_OK : cannot_write(e);
}

/* A record of that kind with its parts, on disk. */
static enum err_code
append(struct cas *c, enum kind kind, struct bytes name, struct bytes first,
    struct bytes second, struct err *e)
{
	struct buf body AUTO_BUF = BUF(BODY_MAX),
			b AUTO_BUF = BUF(CAS_RECORD_MAX);
	uint8_t chain[SHA256_LEN];
	struct cas_record x;
	put_u8(&body, (uint8_t)kind);
	put_bytes(&body, name);
	if (kind != CAS_WIPED)
		put_bytes(&body, first);
	if (kind == CAS_KEY)
		put_bytes(&body, second);
	TRY(buf_end(&body, e));
	if (!cas_parse(buf_bytes(&body), &x))
		fatal("a record of a CA that does not read");
	memcpy(chain, c->chain, SHA256_LEN);
	chain_on(chain, buf_bytes(&body), x.hashed);
	put_bytes(&b, buf_bytes(&body));
	buf_put(&b, chain, SHA256_LEN);
	TRY(buf_end(&b, e));
	TRY(write_at(c, c->end, buf_bytes(&b), e));
	if (!take(c, &x, c->end + 4, body.p))
		fatal("a record of a CA that contradicts the file");
	memcpy(c->chain, chain, SHA256_LEN);
	c->last = c->end;
	c->end += b.len;
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

/* All records of text, which begins with the head. */
static enum err_code
index_all(struct cas *c, struct bytes text, struct err *e)
{
	size_t at = HEAD_LEN;
	while (at < text.len) {
		struct reader r =
		    reader_of(bytes_of(text.p + at, text.len - at));
		struct bytes body = get_bytes(&r);
		struct bytes hash = get_raw(&r, SHA256_LEN);
		uint8_t chain[SHA256_LEN];
		struct cas_record x;
		size_t next = at + 4 + body.len + SHA256_LEN;
		memcpy(chain, c->chain, SHA256_LEN);
		/* Cut short, or its pages never came: it was never answered.
		 * Behind more than one record stands what was. */
		if (r.bad || body.len == 0 || body.len > BODY_MAX) {
			if (text.len - at > CAS_RECORD_MAX)
				return damaged(e);
			break;
		}
		bool good = cas_parse(body, &x);
		if (good)
			chain_on(chain, body, x.hashed);
		good = good && bytes_eq(hash, bytes_of(chain, SHA256_LEN));
		if (!good && next == text.len)
			break;
		if (!good || !take(c, &x, at + 4, body.p))
			return damaged(e);
		memcpy(c->chain, chain, SHA256_LEN);
		c->last = at;
		at = next;
	}
	c->end = at;
	return ERR_OK;
}

static enum err_code derive(struct cas *c, struct err *e);

/* Written with the first key, so that one who has none has no secret here. */
static enum err_code
begin(struct cas *c, struct err *e)
{
	if (c->end == 0 && !c->is_derived && RAND_bytes(c->salt, SALT_LEN) != 1)
		return err_openssl(e, "signer-random",
		    "the random source of this machine does not work; nothing "
		    "can be signed");
	return derive(c, e);
}

static enum err_code
write_head(struct cas *c, struct err *e)
{
	struct buf b AUTO_BUF = BUF(HEAD_LEN);
	if (c->end > 0)
		return ERR_OK;
	buf_put(&b, (const uint8_t *)MAGIC, MAGIC_LEN);
	buf_put(&b, c->salt, SALT_LEN);
	buf_put(&b, c->check, SHA256_LEN);
	sha256(c->chain, buf_bytes(&b));
	buf_put(&b, c->chain, SHA256_LEN);
	TRY(buf_end(&b, e));
	TRY(write_at(c, 0, buf_bytes(&b), e));
	c->end = HEAD_LEN;
	return ERR_OK;
}

/* Torn while it was begun: nothing was ever in it. */
static bool
has_no_head(struct bytes text)
{
	size_t zeros = 0;
	while (zeros < text.len && text.p[zeros] == 0)
		zeros++;
	return text.len < HEAD_LEN || zeros == text.len;
}

static enum err_code
read_head(struct cas *c, struct bytes text, struct err *e)
{
	c->size = text.len;
	if (has_no_head(text))
		return ERR_OK;
	if (memcmp(text.p, MAGIC, MAGIC_LEN) != 0)
		return err_say(e, ERR_CORRUPT, "cas-version",
		    "the file signer/cas is of another version than this "
		    "program reads; start the one that wrote it");
	struct bytes said = bytes_of(text.p, HEAD_LEN - SHA256_LEN);
	memcpy(c->salt, text.p + MAGIC_LEN, SALT_LEN);
	memcpy(c->check, text.p + MAGIC_LEN + SALT_LEN, SHA256_LEN);
	sha256(c->chain, said);
	if (memcmp(c->chain, text.p + said.len, SHA256_LEN) != 0)
		return damaged(e);
	return index_all(c, text, e);
}

static enum err_code
cannot_open(struct err *e)
{
	return err_errno(e, "cas-open",
	    "the file of the CAs' keys cannot be opened or created; check the "
	    "owner and mode of the signer's directory");
}

static enum err_code
read_file(struct cas *c, struct err *e)
{
	struct stat st;
	struct buf text AUTO_BUF = BUF(FILE_MAX);
	if (fstat(c->fd, &st) != 0)
		return cannot_open(e);
	if (st.st_size > (off_t)FILE_MAX)
		return damaged(e);
	size_t len = (size_t)st.st_size;
	uint8_t *room = buf_room(&text, len > 0 ? len : 1);
	if (room == NULL)
		return err_nomem(e);
	text.len = 0;
	while (text.len < len) {
		ssize_t n = pread(c->fd, room + text.len, len - text.len,
		    (off_t)text.len);
		if (n <= 0)
			return err_errno(e, "cas-read",
			    "the file of the CAs' keys cannot be read; look at "
			    "the disk");
		text.len += (size_t)n;
	}
	return read_head(c, buf_bytes(&text), e);
}

static enum err_code
other_passphrase(struct err *e)
{
	return err_say(e, ERR_CRYPTO, "cas-passphrase",
	    "signer/cas, with the keys of CAs, is kept under another "
	    "passphrase than the one given; start with that one, or change it "
	    "by refrendo keys passphrase");
}

/* Once, when it is first needed: then the passphrase goes.  The hash of what
 * follows from it, in the head, tells another one from damage. */
static enum err_code
derive(struct cas *c, struct err *e)
{
	uint8_t key[WRAP_KEY_LEN], check[SHA256_LEN];
	if (c->is_derived)
		return ERR_OK;
	if (c->is_wrong)
		return other_passphrase(e);
	if (!wrap_key_derive(bytes_of(c->secret, c->secret_len),
		bytes_of(c->salt, SALT_LEN), key))
		return err_say(e, ERR_CRYPTO, "signer-ca-passphrase",
		    "keys of CAs are kept under the passphrase of the other "
		    "keys, and this signer was started without one");
	sha256(check, bytes_of(key, WRAP_KEY_LEN));
	c->is_wrong =
	    c->end > 0 && CRYPTO_memcmp(check, c->check, SHA256_LEN) != 0;
	c->is_derived = !c->is_wrong;
	OPENSSL_cleanse(c->secret, SECRET_MAX);
	memcpy(c->secret, key, WRAP_KEY_LEN);
	OPENSSL_cleanse(key, WRAP_KEY_LEN);
	if (c->is_wrong)
		return other_passphrase(e);
	memcpy(c->check, check, SHA256_LEN);
	return ERR_OK;
}

static enum err_code
wipe_rest(struct cas *c, const struct ca *ca, struct err *e)
{
	static const uint8_t zeros[WRAPPED_MAX];
	if (ca->wrapped_len > WRAPPED_MAX)
		return damaged(e);
	return write_at(c, ca->wrapped_at, bytes_of(zeros, ca->wrapped_len), e);
}

/* What is in a new file is kept only if its name is. */
static enum err_code
sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err_code code =
	    fd >= 0 && fsync(fd) == 0 ? ERR_OK : cannot_write(e);
	if (fd >= 0)
		close(fd);
	return code;
}

static enum err_code
open_named(const char *dir, const char *name, struct bytes passphrase,
    struct cas **out, struct err *e)
{
	char path[2 * PATH_LEN];
	AUTO(cas) c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_nomem(e);
	c->fd = -1;
	c->secret = OPENSSL_secure_zalloc(SECRET_MAX);
	if (c->secret == NULL)
		return err_nomem(e);
	int n = snprintf(path, sizeof(path), "%s/signer", dir);
	if (n < 0 || (size_t)n + 1 + strlen(name) >= sizeof(path) ||
	    (mkdir(path, 0700) != 0 && errno != EEXIST))
		return cannot_open(e);
	snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
	c->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->fd < 0)
		return cannot_open(e);
	TRY(read_file(c, e));
	path[n] = '\0';
	if (c->size == 0)
		TRY(sync_dir(path, e));
	if (passphrase.len > 0 && passphrase.len <= SECRET_MAX) {
		memcpy(c->secret, passphrase.p, passphrase.len);
		c->secret_len = passphrase.len;
	}
	/* A wipe that was interrupted: the record came first. */
	for (size_t i = 0; i < c->n; i++)
		if (c->ca[i].is_wiped)
			TRY(wipe_rest(c, &c->ca[i], e));
	*out = TAKE(c);
	return ERR_OK;
}

enum err_code
cas_open(const char *dir, struct bytes passphrase, struct cas **out,
    struct err *e)
{
	return open_named(dir, "cas", passphrase, out, e);
}

void
cas_heard(struct cas *c, const struct record *r)
{
	struct ca *ca = find(c, r->issuer);
	if (ca != NULL && bytes_eq(r->digest, hash_of(ca))) {
		ca->is_heard = true;
		return;
	}
	c->damaged = true;
	log_error("ca-key-missing", "ca=%.*s", BYTES_FMT(r->issuer));
}

enum err_code
cas_check_names(struct cas *c, const struct config *config, struct err *e)
{
	for (size_t i = 0; i < config->n_issuer; i++)
		if (find(c, bytes_str(config->issuer[i].name)) != NULL)
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

static enum err_code
get(struct cas *c, uint64_t at, uint32_t len, struct buf *out, struct err *e)
{
	uint8_t *p = buf_room(out, len);
	if (p != NULL && pread(c->fd, p, len, (off_t)at) == (ssize_t)len)
		return ERR_OK;
	return err_errno(e, "cas-read",
	    "the file of the CAs' keys cannot be read; look at the disk");
}

/*
 * Also without a torn tail: of the last record nobody knows whether its sync
 * ended, and one that failed may have left its pages marked as clean.  Those
 * before it were synced, or no record would follow them.
 */
enum err_code
cas_settle(struct cas *c, struct err *e)
{
	struct buf last AUTO_BUF = BUF(CAS_RECORD_MAX);
	if (c->size > c->end && !c->damaged) {
		log_warn("cas-tail-cut", "from=%llu octets=%llu",
		    (unsigned long long)c->end,
		    (unsigned long long)(c->size - c->end));
		if (ftruncate(c->fd, (off_t)c->end) != 0)
			return cannot_write(e);
	}
	if (c->end == 0)
		return ERR_OK; /* write_head() comes first, and is synced */
	TRY(get(c, c->last, (uint32_t)(c->end - c->last), &last, e));
	return write_at(c, c->last, buf_bytes(&last), e);
}

/* --- A CA that signs ------------------------------------------------------------------ */

/* What a wrapped key is bound to: whose it is, and its public half. */
static enum err_code
bound_to(struct cas *c, const struct ca *ca, struct buf *out, struct err *e)
{
	put_bytes(out, bytes_str(ca->name));
	return get(c, ca->spki_at, ca->spki_len, out, e);
}

static enum err_code
unwrap(struct cas *c, const struct ca *ca, struct key **out, struct err *e)
{
	struct buf wrapped AUTO_BUF = BUF(WRAPPED_MAX);
	struct buf name AUTO_BUF = BUF(POLICY_NAME_MAX + 4 + SPKI_MAX);
	TRY(derive(c, e));
	TRY(get(c, ca->wrapped_at, ca->wrapped_len, &wrapped, e));
	TRY(bound_to(c, ca, &name, e));
	enum err_code code = key_unwrap(buf_bytes(&wrapped), c->secret,
	    buf_bytes(&name), out, e);
	if (code != ERR_INVALID)
		return code;
	return err_say(e, ERR_CORRUPT, "cas-key",
	    "the key of the CA %s does not open: the file signer/cas was "
	    "altered; restore its newest copy and start again",
	    ca->name);
}

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
	TRY(get(s->cas, ca->certificate_at, ca->certificate_len, &a->der, e));
	TRY(authority_fill(a, ca->name, e));
	TRY(unwrap(s->cas, ca, &a->key, e));
	if (!bytes_eq(a->cert.spki, key_spki(a->key)))
		return damaged(e);
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
	struct ca *ca = s->cas == NULL ? NULL : find(s->cas, name);
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

/* --- A key is made ---------------------------------------------------------------------- */

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
	if (!name_is_good(m->name))
		return err_say(e, ERR_DENIED, "signer-ca-name",
		    "a CA is called by 1 to 40 of a-z, 0-9 and dash, a letter "
		    "first, and not institution, root or endorser");
	if (m->type >= KEY_TYPES || !key_type_of_ca((enum key_type)m->type))
		return err_say(e, ERR_DENIED, "signer-ca-key-type",
		    "a CA has a key of type ec-p256, ec-p384, rsa-3072, "
		    "rsa-4096, rsa-pss-3072, rsa-pss-4096, ml-dsa-44, "
		    "ml-dsa-65 or ml-dsa-87");
	const struct ca *ca = find(c, m->name);
	if (is_configured(s, m->name) ||
	    (ca != NULL && (ca->is_wiped || ca->certificate_len > 0)))
		return name_used(m->name, e);
	if (ca != NULL)
		return ERR_OK;
	if (c->damaged)
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

/* Its record, under the passphrase of this file. */
static enum err_code
append_key(struct cas *c, struct bytes name, const struct key *key,
    struct err *e)
{
	struct buf bound AUTO_BUF = BUF(64 + SPKI_MAX);
	struct buf wrapped AUTO_BUF = BUF(WRAPPED_MAX);
	struct bytes spki = key_spki(key);
	put_bytes(&bound, name);
	buf_put(&bound, spki.p, spki.len);
	TRY(key_wrap(key, c->secret, buf_bytes(&bound), &wrapped, e));
	return append(c, CAS_KEY, name, spki, buf_bytes(&wrapped), e);
}

static enum err_code
make_key(struct signer *s, const struct signer_ca_key *m, struct err *e)
{
	AUTO(key) key = NULL;
	TRY(begin(s->cas, e));
	TRY(key_generate((enum key_type)m->type, &key, e));
	TRY(kept(s, write_head(s->cas, e)));
	return kept(s, append_key(s->cas, m->name, key, e));
}

/* The record says whose key it is: one of before a crash may lack it. */
static enum err_code
journal_key(struct signer *s, struct ca *ca, int64_t now, struct job *job,
    struct err *e)
{
	struct record r = { .kind = REC_CA_KEY,
		.time = now,
		.issuer = bytes_str(ca->name),
		.digest = hash_of(ca) };
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
	struct ca *ca = find(s->cas, m->name);
	if (ca == NULL) {
		TRY(make_key(s, m, e));
		ca = find(s->cas, m->name);
	}
	TRY(unwrap(s->cas, ca, &key, e));
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

/* --- And certified, and destroyed ---------------------------------------------------- */

/* May the CA of that name sign beside a new one, and not by its leave? */
static enum err_code
check_beside(struct signer *s, const struct agreement *g, const struct cert *c,
    const char *name, const struct cert *other, struct err *e)
{
	if (!bytes_eq(c->subject, other->subject))
		return ERR_OK;
	struct bytes id =
	    bytes_str(arena_printf(s->arena, CEREMONY_CA_ID "%s", name));
	const struct agreed *a = state_agreed_id(&s->state, id);
	if (bytes_eq(id, g->id) || bytes_eq(id, g->ends) ||
	    (a != NULL && a->ended != NEVER))
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
		TRY(get(s->cas, ca->certificate_at, ca->certificate_len, &der,
		    e));
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
	struct buf old AUTO_BUF = BUF(BODY_MAX);
	struct ca *ca = find(s->cas, name);
	uint8_t hash[SHA256_LEN];
	struct cert c;
	TRY(cert_parse(certificate, &c, e));
	TRY(check_subject(s, g, &c, e));
	if (ca == NULL)
		return ERR_OK; /* of the configuration */
	sha256(hash, c.spki);
	if (ca->is_wiped || !bytes_eq(hash_of(ca), bytes_of(hash, SHA256_LEN)))
		return err_say(e, ERR_DENIED, "signer-ca-other-key",
		    "the certificate is for another key than the signer made "
		    "for the CA %s",
		    ca->name);
	if (ca->certificate_len > 0)
		TRY(get(s->cas, ca->certificate_at, ca->certificate_len, &old,
		    e));
	if (bytes_eq(buf_bytes(&old), certificate))
		return ERR_OK;
	if (old.len > 0)
		return err_say(e, ERR_CONFLICT, "signer-ca-certified",
		    "the CA %s has another certificate already; a new "
		    "generation has a name of its own",
		    ca->name);
	if (s->cas->damaged)
		return behind(e);
	return kept(s,
	    append(s->cas, CAS_CERTIFICATE, name, certificate, BYTES_NONE, e));
}

static enum err_code
unknown(struct err *e)
{
	return err_say(e, ERR_NOTFOUND, "signer-ca-unknown",
	    "the signer made no key for a CA of that name");
}

enum err_code
cas_wipe(struct signer *s, struct bytes name, struct err *e)
{
	struct ca *ca = find(s->cas, name);
	if (ca == NULL)
		return unknown(e);
	if (ca->is_wiped)
		return ERR_OK;
	/* Not over what may be repaired: the journal says it, each start. */
	if (s->cas->damaged)
		forget(s->cas, ca);
	else
		TRY(kept(s, append(s->cas, CAS_WIPED, name, BYTES_NONE,
				BYTES_NONE, e)));
	if (ca->loaded != NULL) {
		authority_free(ca->loaded);
		ca->loaded = NULL;
		s->cas->n_loaded--;
	}
	return kept(s, wipe_rest(s->cas, ca, e));
}

void
cas_end_keys(struct signer *s)
{
	struct err e;
	for (size_t i = 0; s->cas != NULL && i < s->cas->n; i++) {
		struct ca *ca = &s->cas->ca[i];
		if (ca->is_wiped || state_agreed_hash(&s->state, AGREED_KEY,
					hash_of(ca)) == NULL)
			continue;
		/* What fails here ends the process, and is done at its start. */
		if (cas_wipe(s, bytes_str(ca->name), &e) != ERR_OK)
			log_err("key-not-destroyed", &e);
		else
			log_warn("key-destroyed", "ca=%s", ca->name);
	}
}

/* --- While no signer runs --------------------------------------------------------------- */

/* Whole, and not one whose tail waits for the journal. */
static enum err_code
open_whole(const char *dir, struct bytes passphrase, struct cas **out,
    struct err *e)
{
	AUTO(cas) c = NULL;
	TRY(cas_open(dir, passphrase, &c, e));
	if (c->size > c->end)
		return damaged(e);
	*out = TAKE(c);
	return ERR_OK;
}

/* All that the file says of one CA. */
static enum err_code
copy(struct cas *from, const struct ca *ca, struct cas *to, struct err *e)
{
	static const uint8_t zeros[WRAPPED_MAX];
	struct buf part AUTO_BUF = BUF(BODY_MAX);
	struct bytes name = bytes_str(ca->name);
	AUTO(key) key = NULL;
	if (ca->is_wiped) {
		TRY(get(from, ca->spki_at, ca->spki_len, &part, e));
		TRY(append(to, CAS_KEY, name, buf_bytes(&part),
		    bytes_of(zeros, ca->wrapped_len), e));
		buf_reset(&part);
	} else {
		TRY(unwrap(from, ca, &key, e));
		TRY(append_key(to, name, key, e));
	}
	if (ca->certificate_len > 0) {
		TRY(get(from, ca->certificate_at, ca->certificate_len, &part,
		    e));
		TRY(append(to, CAS_CERTIFICATE, name, buf_bytes(&part),
		    BYTES_NONE, e));
	}
	return ca->is_wiped
		   ? append(to, CAS_WIPED, name, BYTES_NONE, BYTES_NONE, e)
		   : ERR_OK;
}

enum err_code
signer_cas_rewrap(const char *dir, struct bytes old, struct bytes fresh,
    bool *made, struct err *e)
{
	AUTO(cas) from = NULL;
	AUTO(cas) to = NULL;
	char path[2 * PATH_LEN];
	struct err no;
	*made = false;
	snprintf(path, sizeof(path), "%s/signer/cas.new", dir);
	if (unlink(path) != 0 && errno != ENOENT)
		return cannot_write(e);
	TRY(open_whole(dir, old, &from, e));
	if (from->end == 0)
		return ERR_OK;
	if (derive(from, e) != ERR_OK) {
		enum err_code code = e->code;
		TRY(open_whole(dir, fresh, &to, e));
		/* A change that was interrupted, made once more. */
		return derive(to, &no) == ERR_OK ? ERR_OK : code;
	}
	TRY(open_named(dir, "cas.new", fresh, &to, e));
	TRY(begin(to, e));
	TRY(write_head(to, e));
	for (size_t i = 0; i < from->n; i++)
		TRY(copy(from, &from->ca[i], to, e));
	*made = true;
	return ERR_OK;
}

enum err_code
signer_cas_drop(const char *dir, struct bytes name, struct err *e)
{
	AUTO(cas) c = NULL;
	TRY(open_whole(dir, BYTES_NONE, &c, e));
	struct ca *ca = find(c, name);
	if (ca == NULL)
		return unknown(e);
	if (ca->certificate_len > 0)
		return err_say(e, ERR_CONFLICT, "cas-not-pending",
		    "the CA %s has a certificate; officers agree that its key "
		    "is destroyed: refrendo ceremony destroy",
		    ca->name);
	if (!ca->is_wiped)
		TRY(append(c, CAS_WIPED, name, BYTES_NONE, BYTES_NONE, e));
	return wipe_rest(c, ca, e);
}
