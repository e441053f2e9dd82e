/*
 * source - a log that is read from its first entry on without the engine's help:
 * the lines of an export, or a ledger's own rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"

/* --- An export ----------------------------------------------------------------- */

static enum err_code
map_export(struct source *r, const char *name, struct err *e)
{
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return err_say(e, ERR_NOTFOUND, "cli-export-missing",
		    "the export %s cannot be opened; check its name", name);
	}
	r->size = (size_t)st.st_size;
	if (r->size > 0)
		r->map = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (r->size > 0 && r->map == MAP_FAILED) {
		r->map = NULL;
		return err_errno(e, "cli-export-read",
		    "the export cannot be read");
	}
	if (r->size > 0)
		(void)madvise(r->map, r->size, MADV_SEQUENTIAL);
	return ERR_OK;
}

static enum err_code
not_an_entry(uint64_t line, struct err *e)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)line);
	return err_say(e, ERR_INVALID, "cli-export-line",
	    "line %s of the export is not as exports are written; verify it "
	    "with refrendo audit verify",
	    text);
}

static enum err_code
take_line(struct source *r, const struct source_visitor *v, struct bytes line,
    struct err *e)
{
	AUTO(json) keep = NULL;
	struct entry en;
	TRY(export_entry_read(line, &keep, r->arena, &en, e));
	return v->take(v->ctx, &en, e);
}

/* Lines of entries begin with their detail or, when erased, with their hash. */
static bool
looks_like_entry(struct bytes line)
{
	static const char detail[] = "{\"detail\":", hash[] = "{\"hash\":";
	return (line.len > sizeof(detail) &&
		   memcmp(line.p, detail, sizeof(detail) - 1) == 0) ||
	       (line.len > sizeof(hash) &&
		   memcmp(line.p, hash, sizeof(hash) - 1) == 0);
}

static enum err_code
each_of_export(struct source *r, const struct source_visitor *v, struct err *e)
{
	struct bytes rest = bytes_of(r->map, r->size);
	enum entry_type type;
	int64_t time;
	bool any = false;
	for (uint64_t n = 1; rest.len > 0; n++) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.p);
		struct bytes line = bytes_of(rest.p, len);
		if (looks_like_entry(line)) {
			if (!export_glance(line, &type, &time))
				return not_an_entry(n, e);
			any = true;
			if (v->wants(v->ctx, type, time,
				(uint64_t)(r->size - rest.len))) {
				TRY(take_line(r, v, line, e));
				arena_reset(r->arena);
			}
		}
		len += end != NULL;
		rest = bytes_of(rest.p + len, rest.len - len);
		if (n % 1024 == 0)
			source_progress(r, r->size - rest.len, r->size);
	}
	source_progress(r, r->size, r->size);
	if (any)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "cli-export-empty",
	    "the file has no entries of a log; name one of refrendo audit "
	    "export");
}

/* --- A ledger -------------------------------------------------------------------- */

static enum err_code
each_of_ledger(struct source *r, const struct source_visitor *v, struct err *e)
{
	uint64_t size = view_log_size(r->view);
	for (uint64_t i = 0; i < size; i++) {
		struct entry en;
		TRY(view_entry_stored(r->view, i, &en, e));
		if (v->wants(v->ctx, en.type, en.time, i)) {
			TRY(v->take(v->ctx, &en, e));
			arena_reset(r->arena);
		}
		if (i % 1024 == 0)
			source_progress(r, i, size);
	}
	source_progress(r, size, size);
	return ERR_OK;
}

/* --- Either ---------------------------------------------------------------------- */

void
source_progress(struct source *r, uint64_t done, uint64_t all)
{
	int percent = all == 0 ? 100 : (int)(done * 100 / all);
	if (!r->shows || percent == r->percent)
		return;
	r->percent = percent;
	fprintf(stderr, "\r%s [%-50.*s] %d %%%s", r->doing, percent / 2,
	    "##################################################", percent,
	    percent == 100 ? "\n" : "");
}

enum err_code
source_open(struct cli *c, struct source *r, struct err *e)
{
	struct config config;
	*r = (struct source){ .c = c,
		.arena = arena_new(),
		.shows = !c->json && isatty(STDERR_FILENO) };
	if (c->option[OPT_EXPORT] != NULL)
		return map_export(r, c->option[OPT_EXPORT], e);
	TRY(cli_config(c, &config, e));
	TRY(take_snapshot(c, &r->snapshot, e));
	TRY(store_open(r->snapshot[0] != '\0' ? r->snapshot : c->dir,
	    config.ledger_map_bytes, false, &r->store, e));
	return store_begin(r->store, false, &r->view, e);
}

enum err_code
source_each(struct source *r, const char *doing, const struct source_visitor *v,
    struct err *e)
{
	r->doing = doing;
	r->percent = -1;
	return r->view != NULL ? each_of_ledger(r, v, e)
			       : each_of_export(r, v, e);
}

static enum err_code
take_at(struct source *r, const struct source_visitor *v, uint64_t at,
    struct err *e)
{
	const uint8_t *line = (const uint8_t *)r->map + at;
	struct entry en;
	if (r->view != NULL) {
		TRY(view_entry_stored(r->view, at, &en, e));
		return v->take(v->ctx, &en, e);
	}
	size_t left = r->size - at;
	const uint8_t *end = memchr(line, '\n', left);
	size_t len = end == NULL ? left : (size_t)(end - line);
	return take_line(r, v, bytes_of(line, len), e);
}

enum err_code
source_take(struct source *r, const char *doing, const uint64_t *at, size_t n,
    const struct source_visitor *v, struct err *e)
{
	r->doing = doing;
	r->percent = -1;
	for (size_t i = 0; i < n; i++) {
		TRY(take_at(r, v, at[i], e));
		arena_reset(r->arena);
		if (i % 256 == 0)
			source_progress(r, i, n);
	}
	source_progress(r, n, n);
	return ERR_OK;
}

void
source_close(struct source *r)
{
	view_abort(r->view);
	store_close(r->store);
	if (r->map != NULL)
		munmap(r->map, r->size);
	if (r->snapshot != NULL)
		remove_snapshot(r->snapshot);
	arena_free(r->arena);
	*r = (struct source){ .c = NULL };
}
