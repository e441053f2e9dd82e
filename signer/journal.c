/*
 * journal - the signer's own list of what it signed, written before it signs.
 *
 * Records are added in memory, handed to the kernel in one write and synced
 * once for a whole batch.  Signatures follow after the sync and are only
 * written, not synced: they survive kill -9 of this process.  When power is
 * lost with them, the record that allowed them is still there, and the same
 * TBS may be signed once more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "walk.h"

#define PENDING_MAX (16u << 20)

struct journal {
	int fd;
	bool unsynced; /* a record was added that must be synced */
	bool failed;   /* a write or sync failed: the file is not known */
	struct hasher *hasher;
	uint8_t chain[SHA256_LEN];  /* of everything, pending included */
	uint8_t origin[SHA256_LEN]; /* of the head: what the first continues */
	uint64_t start, end;        /* records in the file */
	struct buf pending;
};

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	hasher_free(j->hasher);
	buf_fini(&j->pending);
	free(j);
}

void
journal_give_up(struct journal *j)
{
	j->failed = true;
}

bool
journal_failed(const struct journal *j)
{
	return j->failed;
}

/* --- Writing ---------------------------------------------------------------- */

static enum err_code
write_at(struct journal *j, uint64_t at, struct bytes b, struct err *e)
{
	while (b.len > 0) {
		ssize_t n = pwrite(j->fd, b.p, b.len, (off_t)at);
		if (n < 0) {
			j->failed = true;
			return err_errno(e, "journal-write",
			    "the signer's journal cannot be written; make "
			    "room and start again");
		}
		b = bytes_of(b.p + n, b.len - (size_t)n);
		at += (uint64_t)n;
	}
	return ERR_OK;
}

/*
 * Never retried: after a failed sync the kernel may call pages clean that
 * never reached the disk.  The process ends, and the next start writes the
 * tail again before it trusts it (settle).
 */
static enum err_code
sync_file(struct journal *j, struct err *e)
{
	if (!j->failed && fdatasync(j->fd) == 0)
		return ERR_OK;
	j->failed = true;
	return err_errno(e, "journal-sync",
	    "the signer's journal could not be made durable: nothing more is "
	    "signed until the signer has been started again");
}

enum err_code
journal_add(struct journal *j, struct record *r, struct err *e)
{
	size_t before = j->pending.len;
	r->at = j->end + before;
	put_u32(&j->pending, 0);
	record_encode(r, &j->pending);
	if (j->pending.failed) {
		/* Half a record: nothing may follow it. */
		j->failed = true;
		return err_nomem(e);
	}
	uint8_t *head = j->pending.p + before;
	size_t len = j->pending.len - before - 4;
	if (len > RECORD_MAX)
		fatal("a journal record of %zu octets", len);
	head[0] = (uint8_t)(len >> 24);
	head[1] = (uint8_t)(len >> 16);
	head[2] = (uint8_t)(len >> 8);
	head[3] = (uint8_t)len;
	uint8_t chain[SHA256_LEN];
	journal_hash(j->hasher, j->chain, bytes_of(head, 4 + len), chain);
	memcpy(j->chain, chain, SHA256_LEN);
	buf_put(&j->pending, j->chain, SHA256_LEN);
	if (r->kind != REC_SIGNATURE && r->kind != REC_MARK)
		j->unsynced = true;
	j->failed = j->pending.failed;
	return buf_end(&j->pending, e);
}

enum err_code
journal_flush(struct journal *j, struct err *e)
{
	TRY(write_at(j, j->end, buf_bytes(&j->pending), e));
	j->end += j->pending.len;
	buf_reset(&j->pending);
	return ERR_OK;
}

static enum err_code
add_mark(struct journal *j, int64_t time, struct err *e)
{
	uint8_t chain[SHA256_LEN];
	memcpy(chain, j->chain, SHA256_LEN);
	struct record mark = { .kind = REC_MARK,
		.time = time,
		.digest = bytes_of(chain, SHA256_LEN) };
	return journal_add(j, &mark, e);
}

enum err_code
journal_sync(struct journal *j, int64_t now, struct err *e)
{
	if (!j->unsynced)
		return ERR_OK;
	TRY(journal_flush(j, e));
	TRY(sync_file(j, e));
	j->unsynced = false;
	return add_mark(j, now, e);
}

/* --- Reading back -------------------------------------------------------------- */

static enum err_code
damaged(struct journal *j, struct err *e)
{
	j->failed = true;
	return err_say(e, ERR_CORRUPT, "journal-record",
	    "a record of the signer's journal is not what was written; stop "
	    "the signer and restore its journal");
}

enum err_code
journal_get(struct journal *j, uint64_t at, struct buf *scratch,
    struct record *out, struct err *e)
{
	buf_reset(scratch);
	if (at >= j->end) {
		/* Not written yet, hence not to be doubted. */
		size_t skip = (size_t)(at - j->end);
		size_t left = j->pending.len - skip;
		size_t len = RECORD_MAX + RECORD_OUT;
		buf_put(scratch, j->pending.p + skip, left < len ? left : len);
	} else {
		uint8_t *room = buf_room(scratch, RECORD_MAX + RECORD_OUT);
		if (room == NULL)
			return err_nomem(e);
		TRY(journal_pread(j->fd, at, room, RECORD_MAX + RECORD_OUT,
		    &scratch->len, e));
	}
	TRY(buf_end(scratch, e));
	struct reader r = reader_of(buf_bytes(scratch));
	uint32_t len = get_u32(&r);
	struct bytes body = get_raw(&r, len);
	struct bytes found = get_raw(&r, SHA256_LEN);
	if (r.bad || len > RECORD_MAX)
		return damaged(j, e);
	if (at < j->end) {
		uint8_t chain[SHA256_LEN], hash[SHA256_LEN];
		size_t got = SHA256_LEN;
		memcpy(chain, j->origin, SHA256_LEN);
		if (at > j->start)
			TRY(journal_pread(j->fd, at - SHA256_LEN, chain,
			    SHA256_LEN, &got, e));
		journal_hash(j->hasher, chain,
		    bytes_of(scratch->p, 4 + (size_t)len), hash);
		if (!bytes_eq(found, bytes_of(hash, SHA256_LEN)))
			return damaged(j, e);
	}
	if (!record_decode(body, out))
		return damaged(j, e);
	out->at = at;
	return ERR_OK;
}

/* --- Opening ----------------------------------------------------------------------- */

static enum err_code
sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd) != 0;
	if (fd >= 0)
		close(fd);
	if (failed)
		return err_errno(e, "journal-sync",
		    "the signer's journal could not be made durable: nothing "
		    "more is signed until the signer has been started again");
	return ERR_OK;
}

static enum err_code
cannot_open(struct err *e)
{
	return err_errno(e, "journal-open",
	    "the signer's journal cannot be opened or created; check the "
	    "owner and mode of the signer's directory");
}

/* Opens the file; *fresh says that it has no head yet. */
static enum err_code
open_file(struct journal *j, const char *dir, bool *fresh, struct err *e)
{
	char folder[PATH_LEN + 16], path[PATH_LEN + 32];
	if (snprintf(folder, sizeof(folder), "%s/signer", dir) >=
	    (int)sizeof(folder)) {
		errno = ENAMETOOLONG;
		return cannot_open(e);
	}
	snprintf(path, sizeof(path), "%s/journal", folder);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return cannot_open(e);
	j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		return cannot_open(e);
	if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
		return err_say(e, ERR_CONFLICT, "journal-in-use",
		    "another signer is using this journal; stop it first");
	struct stat st;
	if (fstat(j->fd, &st) != 0)
		return cannot_open(e);
	*fresh = st.st_size == 0;
	if (*fresh) {
		TRY(sync_dir(folder, e));
		TRY(sync_dir(dir, e));
	}
	return ERR_OK;
}

static enum err_code
create(struct journal *j, struct bytes origin, struct err *e)
{
	struct buf head AUTO_BUF = BUF(HEAD_MAX);
	journal_head(origin, &head);
	TRY(buf_end(&head, e));
	TRY(write_at(j, 0, buf_bytes(&head), e));
	log_warn("journal-created", "reason=%s",
	    "there was none; on an installation that has signed before, "
	    "restore its journal instead");
	return sync_file(j, e);
}

/*
 * After the walk: cuts a torn tail, and makes durable what a process wrote
 * and did not live to sync.  That tail is written again first, because a sync
 * that failed in the former process may have left its pages marked as clean.
 */
static enum err_code
settle(struct journal *j, const struct walk *w, int64_t last, struct err *e)
{
	if (w->torn) {
		log_warn("journal-tail-cut", "from=%llu octets=%llu",
		    (unsigned long long)w->at,
		    (unsigned long long)(w->size - w->at));
		if (ftruncate(j->fd, (off_t)w->at) != 0)
			return err_errno(e, "journal-write",
			    "the signer's journal cannot be written; make "
			    "room and start again");
	}
	uint8_t room[RECORD_MAX];
	for (uint64_t at = w->settled; at < w->at;) {
		uint64_t left = w->at - at;
		size_t len = left < sizeof(room) ? (size_t)left : sizeof(room);
		size_t got;
		TRY(journal_pread(j->fd, at, room, len, &got, e));
		TRY(write_at(j, at, bytes_of(room, got), e));
		at += got;
	}
	if (!w->torn && w->settled == w->at)
		return ERR_OK;
	TRY(sync_file(j, e));
	TRY(add_mark(j, last, e));
	return journal_flush(j, e);
}

static enum err_code
replay(struct journal *j, struct walk *w, record_fn each, void *ctx,
    struct err *e)
{
	int64_t last = 0;
	struct record r;
	bool more;
	memcpy(j->origin, w->chain, SHA256_LEN);
	j->start = w->at;
	for (;;) {
		TRY(walk_next(w, &r, &more, e));
		if (!more)
			break;
		last = r.time;
		TRY(each(ctx, &r, e));
	}
	memcpy(j->chain, w->chain, SHA256_LEN);
	j->end = w->at;
	return settle(j, w, last, e);
}

enum err_code
journal_open(const char *dir, struct bytes origin, record_fn each, void *ctx,
    struct journal **out, struct err *e)
{
	AUTO(journal) j = calloc(1, sizeof(*j));
	if (j == NULL)
		return err_nomem(e);
	j->fd = -1;
	j->hasher = hasher_new();
	j->pending = BUF(PENDING_MAX);
	bool fresh;
	TRY(open_file(j, dir, &fresh, e));
	if (fresh)
		TRY(create(j, origin, e));
	struct walk w;
	enum err_code code = walk_init(&w, j->fd, e);
	char found[64] = "";
	if (code == ERR_OK && !bytes_eq(w.origin, origin)) {
		snprintf(found, sizeof(found), "%.*s", BYTES_FMT(w.origin));
		code = err_say(e, ERR_CORRUPT, "journal-origin",
		    "the signer's journal belongs to the log %s, not to the "
		    "one configured; put each journal beside its own "
		    "configuration",
		    found);
	}
	if (code == ERR_OK)
		code = replay(j, &w, each, ctx, e);
	walk_fini(&w);
	TRY(code);
	*out = TAKE(j);
	return ERR_OK;
}
