/*
 * cas_file - the file of the keys that a signer made for CAs, to which records
 * are only added, each synced before it counts (decision 0042).  At a start its
 * records are indexed and hashed; octets are read again where they are needed.
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

#include "cas.h"

#define MAGIC          "refrendo-cas/2\n"
#define MAGIC_LEN      15u
#define HEAD_LEN       (MAGIC_LEN + CAS_SALT_LEN + 2 * SHA256_LEN)
#define CAS_RECORD_MAX (4u + CAS_BODY_MAX + SHA256_LEN)
#define FILE_MAX       (64u << 20)

void
cas_free(struct cas *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		authority_free(c->ca[i].loaded);
	if (c->fd >= 0)
		close(c->fd);
	OPENSSL_secure_clear_free(c->secret, CAS_SECRET_MAX);
	free(c);
}

struct ca *
cas_find(struct cas *c, struct bytes name)
{
	size_t at = SIZE_MAX, n;
	while (places_next(&c->by_name, hash64(name), &at, &n))
		if (bytes_is(name, c->ca[n].name))
			return &c->ca[n];
	return NULL;
}

struct bytes
ca_hash(const struct ca *ca)
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
		if (bytes_eq(want, ca_hash(&c->ca[n])))
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

/* --- Records -------------------------------------------------------------------- */

/*
 * u32 length, body, SHA-256 over the one before and the body; of a key without
 * its wrapped octets, which are bound by their own tag: so that they can be
 * wiped where they lie.
 */
static void
chain_on(uint8_t chain[SHA256_LEN], struct bytes body, size_t hashed)
{
	struct buf b AUTO_BUF = BUF(SHA256_LEN + CAS_BODY_MAX);
	buf_put(&b, chain, SHA256_LEN);
	buf_put(&b, body.p, hashed);
	if (b.failed)
		fatal("no memory to hash a record of a CA");
	sha256(chain, buf_bytes(&b));
}

bool
cas_name_is_good(struct bytes name)
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
	enum cas_kind kind;
	struct bytes name, spki, wrapped, certificate;
	size_t hashed; /* octets of the body */
};

static bool
cas_parse(struct bytes body, struct cas_record *out)
{
	struct reader r = reader_of(body);
	struct cas_record x = { .kind = (enum cas_kind)get_u8(&r),
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
	return reader_end(&r, &e) == ERR_OK && cas_name_is_good(x.name);
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
	places_put(&c->by_key, hash64(ca_hash(ca)), c->n);
	c->n++;
	c->n_pending++;
}

void
cas_forget(struct cas *c, struct ca *ca)
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
	struct ca *ca = cas_find(c, x->name);
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
		cas_forget(c, ca);
		return true;
	}
	return false;
}

/* --- The file ------------------------------------------------------------------- */

enum err_code
cas_damaged(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "cas-damaged",
	    "the file signer/cas of the CAs' keys is not as it was written; "
	    "restore the newest copy of it");
}

enum err_code
cas_cannot_write(struct err *e)
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
			return cas_cannot_write(e);
		b = bytes_of(b.p + n, b.len - (size_t)n);
		at += (uint64_t)n;
	}
	return fdatasync(c->fd) == 0 ? ERR_OK : cas_cannot_write(e);
}

/* A record of that kind with its parts, on disk. */
enum err_code
cas_append(struct cas *c, enum cas_kind kind, struct bytes name,
    struct bytes first, struct bytes second, struct err *e)
{
	struct buf body AUTO_BUF = BUF(CAS_BODY_MAX),
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
		if (r.bad || body.len == 0 || body.len > CAS_BODY_MAX) {
			if (text.len - at > CAS_RECORD_MAX)
				return cas_damaged(e);
			break;
		}
		bool good = cas_parse(body, &x);
		if (good)
			chain_on(chain, body, x.hashed);
		good = good && bytes_eq(hash, bytes_of(chain, SHA256_LEN));
		if (!good && next == text.len)
			break;
		if (!good || !take(c, &x, at + 4, body.p))
			return cas_damaged(e);
		memcpy(c->chain, chain, SHA256_LEN);
		c->last = at;
		at = next;
	}
	c->end = at;
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
	memcpy(c->salt, text.p + MAGIC_LEN, CAS_SALT_LEN);
	memcpy(c->check, text.p + MAGIC_LEN + CAS_SALT_LEN, SHA256_LEN);
	sha256(c->chain, said);
	if (memcmp(c->chain, text.p + said.len, SHA256_LEN) != 0)
		return cas_damaged(e);
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
		return cas_damaged(e);
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

enum err_code
cas_wipe_rest(struct cas *c, const struct ca *ca, struct err *e)
{
	static const uint8_t zeros[WRAPPED_MAX];
	if (ca->wrapped_len > WRAPPED_MAX)
		return cas_damaged(e);
	return write_at(c, ca->wrapped_at, bytes_of(zeros, ca->wrapped_len), e);
}

/* What is in a new file is kept only if its name is. */
static enum err_code
sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err_code code =
	    fd >= 0 && fsync(fd) == 0 ? ERR_OK : cas_cannot_write(e);
	if (fd >= 0)
		close(fd);
	return code;
}

enum err_code
cas_open_named(const char *dir, const char *name, struct bytes passphrase,
    struct cas **out, struct err *e)
{
	char path[2 * PATH_LEN];
	AUTO(cas) c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_nomem(e);
	c->fd = -1;
	c->secret = OPENSSL_secure_zalloc(CAS_SECRET_MAX);
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
	if (passphrase.len > 0 && passphrase.len <= CAS_SECRET_MAX) {
		memcpy(c->secret, passphrase.p, passphrase.len);
		c->secret_len = passphrase.len;
	}
	/* A wipe that was interrupted: the record came first. */
	for (size_t i = 0; i < c->n; i++)
		if (c->ca[i].is_wiped)
			TRY(cas_wipe_rest(c, &c->ca[i], e));
	*out = TAKE(c);
	return ERR_OK;
}

enum err_code
cas_open(const char *dir, struct bytes passphrase, struct cas **out,
    struct err *e)
{
	return cas_open_named(dir, "cas", passphrase, out, e);
}

enum err_code
cas_get(struct cas *c, uint64_t at, uint32_t len, struct buf *out,
    struct err *e)
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
	if (c->size > c->end && !c->is_damaged) {
		log_warn("cas-tail-cut", "from=%llu octets=%llu",
		    (unsigned long long)c->end,
		    (unsigned long long)(c->size - c->end));
		if (ftruncate(c->fd, (off_t)c->end) != 0)
			return cas_cannot_write(e);
	}
	if (c->end == 0)
		return ERR_OK; /* cas_write_head() comes first, and is synced */
	TRY(cas_get(c, c->last, (uint32_t)(c->end - c->last), &last, e));
	return write_at(c, c->last, buf_bytes(&last), e);
}

/* --- Its keys ------------------------------------------------------------------- */

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
enum err_code
cas_derive(struct cas *c, struct err *e)
{
	uint8_t key[WRAP_KEY_LEN], check[SHA256_LEN];
	if (c->is_derived)
		return ERR_OK;
	if (c->is_wrong)
		return other_passphrase(e);
	if (!wrap_key_derive(bytes_of(c->secret, c->secret_len),
		bytes_of(c->salt, CAS_SALT_LEN), key))
		return err_say(e, ERR_CRYPTO, "signer-ca-passphrase",
		    "keys of CAs are kept under the passphrase of the other "
		    "keys, and this signer was started without one");
	sha256(check, bytes_of(key, WRAP_KEY_LEN));
	c->is_wrong =
	    c->end > 0 && CRYPTO_memcmp(check, c->check, SHA256_LEN) != 0;
	c->is_derived = !c->is_wrong;
	OPENSSL_cleanse(c->secret, CAS_SECRET_MAX);
	memcpy(c->secret, key, WRAP_KEY_LEN);
	OPENSSL_cleanse(key, WRAP_KEY_LEN);
	if (c->is_wrong)
		return other_passphrase(e);
	memcpy(c->check, check, SHA256_LEN);
	return ERR_OK;
}

/* Written with the first key, so that one who has none has no secret here. */
enum err_code
cas_begin(struct cas *c, struct err *e)
{
	if (c->end == 0 && !c->is_derived &&
	    RAND_bytes(c->salt, CAS_SALT_LEN) != 1)
		return err_openssl(e, "signer-random",
		    "the random source of this machine does not work; nothing "
		    "can be signed");
	return cas_derive(c, e);
}

enum err_code
cas_write_head(struct cas *c, struct err *e)
{
	struct buf b AUTO_BUF = BUF(HEAD_LEN);
	if (c->end > 0)
		return ERR_OK;
	buf_put(&b, (const uint8_t *)MAGIC, MAGIC_LEN);
	buf_put(&b, c->salt, CAS_SALT_LEN);
	buf_put(&b, c->check, SHA256_LEN);
	sha256(c->chain, buf_bytes(&b));
	buf_put(&b, c->chain, SHA256_LEN);
	TRY(buf_end(&b, e));
	TRY(write_at(c, 0, buf_bytes(&b), e));
	c->end = HEAD_LEN;
	return ERR_OK;
}

/* What a wrapped key is bound to: whose it is, and its public half. */
static enum err_code
bound_to(struct cas *c, const struct ca *ca, struct buf *out, struct err *e)
{
	put_bytes(out, bytes_str(ca->name));
	return cas_get(c, ca->spki_at, ca->spki_len, out, e);
}

enum err_code
cas_unwrap(struct cas *c, const struct ca *ca, struct key **out, struct err *e)
{
	struct buf wrapped AUTO_BUF = BUF(WRAPPED_MAX);
	struct buf name AUTO_BUF = BUF(POLICY_NAME_MAX + 4 + SPKI_MAX);
	TRY(cas_derive(c, e));
	TRY(cas_get(c, ca->wrapped_at, ca->wrapped_len, &wrapped, e));
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

/* Its record, under the passphrase of this file. */
enum err_code
cas_append_key(struct cas *c, struct bytes name, const struct key *key,
    struct err *e)
{
	struct buf bound AUTO_BUF = BUF(64 + SPKI_MAX);
	struct buf wrapped AUTO_BUF = BUF(WRAPPED_MAX);
	struct bytes spki = key_spki(key);
	put_bytes(&bound, name);
	buf_put(&bound, spki.p, spki.len);
	TRY(key_wrap(key, c->secret, buf_bytes(&bound), &wrapped, e));
	return cas_append(c, CAS_KEY, name, spki, buf_bytes(&wrapped), e);
}
