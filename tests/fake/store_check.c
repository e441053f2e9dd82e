/* store_check - assertions that the tests of store share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#include "fake/store_check.h"

void
check_ok(enum err_code rc, const struct err *e, const char *call, int line)
{
	if (rc != ERR_OK)
		fail_msg("line %d: %s: %s: %s (%s)", line, call, e->id, e->say,
		    e->why);
}

void
check_refused(enum err_code rc, enum err_code want, const char *id,
    const char *say, const struct err *e, const char *call, int line)
{
	if (rc == ERR_OK)
		fail_msg("line %d: %s was not refused", line, call);
	if (rc != want || strcmp(e->id, id) != 0 || strcmp(e->say, say) != 0)
		fail_msg("line %d: %s: %s, %s, \"%s\"", line, call,
		    err_code_name(rc), e->id, e->say);
}

const char say_damaged[] =
    "the store's data file is missing, cut or unreadable; nothing was "
    "changed: keep it as it is and restore a backup elsewhere";
const char say_locked[] =
    "another engine is using this directory; stop it first, or give this one "
    "a directory of its own";

void
dirs_init(struct dirs *d)
{
	work_dir(d->base);
	work_path(d->dir, sizeof(d->dir), d->base, "/d");
	work_path(d->data, sizeof(d->data), d->dir, "/ledger/data.mdb");
	work_path(d->scratch, sizeof(d->scratch), d->base, "/scratch");
	work_path(d->good, sizeof(d->good), d->base, "/good");
}

struct store *
check_make(struct dirs *d, unsigned entries)
{
	struct store *s;
	struct err e;
	dirs_init(d);
	OK(store_open(d->dir, WORK_MAP, true, &s, &e));
	for (unsigned done = 0; done < entries; done += 100)
		OK(work_commit(s, entries - done < 100 ? entries - done : 100,
		    &e));
	return s;
}

struct store *
check_reopen(struct dirs *d, struct store *s)
{
	struct err e;
	store_close(s);
	OK(store_open(d->dir, WORK_MAP, false, &s, &e));
	return s;
}

void
check_finish(struct dirs *d, struct store *s)
{
	store_close(s);
	work_dir_remove(d->base);
}

enum err_code
check_verify(struct store *s, uint64_t from, struct err *e)
{
	struct view *v;
	TRY(store_begin(s, false, &v, e));
	enum err_code rc = view_verify(v, from, e);
	view_abort(v);
	return rc;
}

enum err_code
check_replay(struct dirs *d, struct store *s, struct err *e)
{
	uint64_t n;
	struct stat st;
	enum err_code rc = store_replay(s, d->scratch, NULL, NULL, &n, e);
	assert_int_equal(stat(d->scratch, &st), -1);
	return rc;
}
