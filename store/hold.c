/*
 * hold - keeps the pages that commits free from being used again at once.
 *
 * Each commit copies the pages that it changes and frees the old ones.  LMDB
 * would take those for the next commit, and they lie all over the file: some
 * forty places to write to, where the device could have one or two.  A read
 * transaction of our own pins what is freed behind it, so that commits go in
 * one run to the end of the file, until much has been written; then it is
 * renewed, and what was freed is taken in its order, again in runs.
 *
 * This costs space and nothing else.  What a commit writes, in which order,
 * and when it is on disk stays LMDB's, as beside any reader.  A put or a
 * deletion changes at most a page of each level, four in a tree of a hundred
 * million rows: what is held stays below four times HOLD_PAGES.
 */
#include "ledger.h"

#define HOLD_PAGES 32768u
#define HOLD_PART  64u /* of a small map, so much at the most */

/* Without it, for want of a reader's slot say, commits are only slower. */
void
hold_begin(struct store *s)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(s->env.mdb, &info) != 0 ||
	    mdb_env_stat(s->env.mdb, &stat) != 0 ||
	    mdb_txn_begin(s->env.mdb, NULL, MDB_RDONLY, &s->hold.txn) != 0) {
		s->hold.txn = NULL;
		return;
	}
	size_t part = info.me_mapsize / stat.ms_psize / HOLD_PART;
	s->hold.left = part < HOLD_PAGES ? part : HOLD_PAGES;
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
hold_after_commit(struct store *s, size_t pages)
{
	if (pages < s->hold.left)
		s->hold.left -= pages;
	else
		hold_release(s);
}
