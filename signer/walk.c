/*
 * walk - the journal read back.
 *
 * A file is a head and records.  A record is u32 length, body, and the hash
 * SHA-256(hash before it || length || body): one octet changed anywhere
 * breaks the chain from there on.
 *
 * A chain that breaks means one of two things.  Power was lost while the last
 * batch was being written: its pages reached the disk in any order or not at
 * all.  Nothing of that batch was synced, so none of its signatures left, and
 * it may be cut off.  Or something that was synced has been damaged: then the
 * signer no longer knows what it signed and must not start.  Marks tell the
 * two apart.  A mark is written after each sync and says that everything
 * before it is on the disk; it repeats the hash it continues, so that it can
 * be recognised behind any damage.  A broken record with a mark anywhere
 * behind it was synced; one without was not.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "walk.h"

#define MAGIC       "refrendo-journal/2\n"
#define WINDOW_SIZE (256u << 10)

void
journal_head(struct bytes origin, struct buf *out)
{
	buf_puts(out, MAGIC);
	put_bytes(out, origin);
}

void
journal_hash(struct hasher *h, const uint8_t chain[SHA256_LEN],
    struct bytes framed, uint8_t out[SHA256_LEN])
{
	uint8_t text[SHA256_LEN + 4 + RECORD_MAX];
	if (framed.len > sizeof(text) - SHA256_LEN)
		fatal("a journal record of %zu octets", framed.len);
	memcpy(text, chain, SHA256_LEN);
	memcpy(text + SHA256_LEN, framed.p, framed.len);
	hasher_sha256(h, out, bytes_of(text, SHA256_LEN + framed.len));
}

enum err_code
journal_pread(int fd, uint64_t at, uint8_t *out, size_t len, size_t *got,
    struct err *e)
{
	*got = 0;
	while (*got < len) {
		ssize_t n =
		    pread(fd, out + *got, len - *got, (off_t)(at + *got));
		if (n < 0)
			return err_errno(e, "journal-read",
			    "the signer's journal cannot be read");
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return ERR_OK;
}

static enum err_code
read_head(struct walk *w, struct err *e)
{
	uint8_t room[HEAD_MAX];
	size_t got;
	TRY(journal_pread(w->fd, 0, room, sizeof(room), &got, e));
	struct reader r = reader_of(bytes_of(room, got));
	bool ours = bytes_is(get_raw(&r, strlen(MAGIC)), MAGIC);
	struct bytes origin = get_bytes(&r);
	if (!ours || r.bad)
		return err_say(e, ERR_CORRUPT, "journal-head",
		    "the signer's journal does not begin as one of this "
		    "version; restore it from a backup, or start the version "
		    "that wrote it");
	journal_head(origin, &w->head);
	TRY(buf_end(&w->head, e));
	w->origin = bytes_of(w->head.p + w->head.len - origin.len, origin.len);
	hasher_sha256(w->hasher, w->chain, buf_bytes(&w->head));
	w->at = w->settled = w->head.len;
	return ERR_OK;
}

enum err_code
walk_init(struct walk *w, int fd, struct err *e)
{
	*w = (struct walk){ .fd = fd,
		.hasher = hasher_new(),
		.head = BUF(HEAD_MAX),
		.window = BUF(WINDOW_SIZE) };
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(e, "journal-read",
		    "the signer's journal cannot be read");
	w->size = (uint64_t)st.st_size;
	return read_head(w, e);
}

void
walk_fini(struct walk *w)
{
	hasher_free(w->hasher);
	buf_fini(&w->head);
	buf_fini(&w->window);
}

/* The octets of the file from at on: len of them, or what there is. */
static enum err_code
look(struct walk *w, uint64_t at, size_t len, struct bytes *out, struct err *e)
{
	uint64_t have = w->window_at + w->window.len;
	if (at < w->window_at || at + len > have) {
		buf_reset(&w->window);
		uint8_t *room = buf_room(&w->window, WINDOW_SIZE);
		if (room == NULL)
			return err_nomem(e);
		size_t got;
		TRY(journal_pread(w->fd, at, room, WINDOW_SIZE, &got, e));
		w->window.len = got;
		w->window_at = at;
	}
	size_t skip = (size_t)(at - w->window_at);
	size_t left = w->window.len - skip;
	*out = bytes_of(w->window.p + skip, left < len ? left : len);
	return ERR_OK;
}

/* Is this a whole mark?  It brings the hash it continues. */
static bool
is_mark(struct walk *w, struct bytes b)
{
	if (b.len < MARK_BODY + RECORD_OUT)
		return false;
	struct reader r = reader_of(b);
	if (get_u32(&r) != MARK_BODY || *r.p != REC_MARK)
		return false;
	struct record mark;
	if (!record_decode(get_raw(&r, MARK_BODY), &mark))
		return false;
	uint8_t hash[SHA256_LEN];
	journal_hash(w->hasher, mark.digest.p, bytes_of(b.p, 4 + MARK_BODY),
	    hash);
	return bytes_eq(bytes_of(hash, SHA256_LEN), get_raw(&r, SHA256_LEN));
}

/* What begins at w->at is no record: torn, or damaged? */
static enum err_code
broken(struct walk *w, struct err *e)
{
	for (uint64_t at = w->at + 1; at < w->size; at++) {
		struct bytes b;
		TRY(look(w, at, MARK_BODY + RECORD_OUT, &b, e));
		if (!is_mark(w, b))
			continue;
		char where[24];
		snprintf(where, sizeof(where), "%llu",
		    (unsigned long long)w->at);
		return err_say(e, ERR_CORRUPT, "journal-chain",
		    "the signer's journal is damaged at octet %s, before its "
		    "end: nothing can be signed; restore it from a backup",
		    where);
	}
	w->torn = true;
	return ERR_OK;
}

enum err_code
walk_next(struct walk *w, struct record *out, bool *more, struct err *e)
{
	*more = false;
	if (w->at == w->size)
		return ERR_OK;
	struct bytes b;
	TRY(look(w, w->at, RECORD_MAX + RECORD_OUT, &b, e));
	struct reader r = reader_of(b);
	uint32_t len = get_u32(&r);
	if (len > RECORD_MAX)
		r.bad = true;
	struct bytes body = get_raw(&r, len);
	struct bytes found = get_raw(&r, SHA256_LEN);
	if (r.bad)
		return broken(w, e);
	uint8_t hash[SHA256_LEN];
	journal_hash(w->hasher, w->chain, bytes_of(b.p, 4 + (size_t)len), hash);
	if (!bytes_eq(found, bytes_of(hash, SHA256_LEN)))
		return broken(w, e);
	if (!record_decode(body, out))
		return err_say(e, ERR_CORRUPT, "journal-version",
		    "the signer's journal holds a record that this version "
		    "does not know; start the version that wrote it");
	out->at = w->at;
	w->at += RECORD_OUT + (uint64_t)len;
	memcpy(w->chain, hash, SHA256_LEN);
	if (out->kind == REC_MARK)
		w->settled = w->at;
	*more = true;
	return ERR_OK;
}
