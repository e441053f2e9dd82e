/*
 * hold - keeps the pages that commits free from being used again at once.
 *
 * Each commit copies the pages that it changes and frees the old ones.  LMDB
 * would take those for the next commit, and they lie all over the file: some
 * forty places to write to, where the device could have one.  A read
 * transaction of our own pins what is freed behind it, so that commits are
 * written in one run at the end of the file, until the file has grown by
 * enough; then it is renewed, and the freed pages are taken in their order,
 * again in runs.
 *
 * What this costs is space, at most HOLD_PAGES or a part of the map.  It
 * changes nothing of what a commit writes, in which order, or when it is on
 * disk: LMDB is used as before, beside a reader.
 */
#include "ledger.h"

#define HOLD_PAGES 16384u /* 64 MiB */
#define HOLD_PART  64u    /* of a small map */

static bool
last_page(const struct store *s, size_t *page, size_t *most)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(s->env.mdb, &info) != 0 ||
	    mdb_env_stat(s->env.mdb, &stat) != 0)
		return false;
	size_t part = info.me_mapsize / stat.ms_psize / HOLD_PART;
	*page = info.me_last_pgno;
	*most = part < HOLD_PAGES ? part : HOLD_PAGES;
	return true;
}

/* Without it, for want of a reader's slot say, commits are only slower. */
void
hold_begin(struct store *s)
{
	size_t most;

	if (mdb_txn_begin(s->env.mdb, NULL, MDB_RDONLY, &s->hold.txn) != 0 ||
	    !last_page(s, &s->hold.page, &most))
		hold_end(s);
}

void
hold_end(struct store *s)
{
	if (s->hold.txn != NULL)
		mdb_txn_abort(s->hold.txn);
	s->hold.txn = NULL;
}

void
hold_release(struct store *s)
{
	if (s->hold.txn == NULL)
		return;
	hold_end(s);
	hold_begin(s);
}

void
hold_after_commit(struct store *s)
{
	size_t page, most;

	if (s->hold.txn != NULL && last_page(s, &page, &most) &&
	    page - s->hold.page > most)
		hold_release(s);
}
