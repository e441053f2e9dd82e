/*
 * core_crl_build - the thread's part of a CRL: from the ledger's cursor into a
 * file beside public/.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_crl.h"

/* --- The entries of one list ------------------------------------------------------ */

/* Rows lie anywhere in the file: where the next ones are is known early enough
 * for the processor to fetch them. */
#define AHEAD 8u

struct listed_walk {
	const struct crl_build *b;
	struct view_scan scan;
	uint8_t prefix[ROW_KEY_MAX];
	unsigned passes;       /* the first one only measures */
	struct listed_row row; /* what is left of the one at the cursor */
	struct bytes ahead[AHEAD];
	size_t at, n_ahead;
	bool is_begun, is_over;
};

static enum err_code
walk_rewind(void *ctx, struct err *e)
{
	struct listed_walk *w = ctx;
	(void)e;
	w->passes++;
	w->is_begun = w->is_over = false;
	w->at = w->n_ahead = 0;
	w->row = (struct listed_row){ .entries = BYTES_NONE };
	return ERR_OK;
}

static enum err_code
row_broken(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "crl-row",
	    "a row of the ledger that a CRL is made from cannot be read; run "
	    "refrendo db check");
}

static enum err_code
look_ahead(struct listed_walk *w, struct err *e)
{
	struct bytes key, value;
	bool more = true;
	while (!w->is_over && w->n_ahead < AHEAD) {
		if (w->is_begun)
			TRY(view_scan_next(&w->scan, &key, &value, &more, e));
		else
			TRY(view_scan_seek(&w->scan, w->scan.prefix, &key,
			    &value, &more, e));
		w->is_begun = true;
		w->is_over = !more;
		if (!more)
			return ERR_OK;
		__builtin_prefetch(value.p);
		w->ahead[(w->at + w->n_ahead++) % AHEAD] = value;
	}
	return ERR_OK;
}

/* The next row into w->row; *more is false behind the last. */
static enum err_code
walk_row(struct listed_walk *w, bool *more, struct err *e)
{
	TRY(look_ahead(w, e));
	*more = w->n_ahead > 0;
	if (!*more)
		return ERR_OK;
	struct bytes value = w->ahead[w->at];
	w->at = (w->at + 1) % AHEAD;
	w->n_ahead--;
	bool good = w->passes == 1 ? listed_row_head(value, &w->row)
				   : listed_row_read(value, &w->row);
	return good ? ERR_OK : row_broken(e);
}

static enum err_code
walk_next(void *ctx, struct bytes *run, size_t *n, bool *more, struct err *e)
{
	struct listed_walk *w = ctx;
	*more = true;
	for (*n = 0; *n == 0;) {
		if (w->row.entries.len == 0)
			TRY(walk_row(w, more, e));
		if (!*more)
			return ERR_OK;
		if (!listed_row_take(&w->row, w->b->drop_before, run, n))
			return row_broken(e);
	}
	return ERR_OK;
}

static enum err_code
walk_begin(struct listed_walk *w, const struct crl_build *b, struct view *v,
    struct err *e)
{
	*w = (struct listed_walk){ .b = b };
	struct bytes prefix =
	    ca_list_key(w->prefix, bytes_str(b->issuer_name), b->partition);
	return view_scan_begin(v, prefix, &w->scan, e);
}

/* --- Blocks -------------------------------------------------------------------------- */

enum err_code
crl_body_write(int fd, struct bytes b, uint64_t at, struct err *e)
{
	while (b.len > 0) {
		ssize_t n = pwrite(fd, b.p, b.len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, "crl-write",
			    "the file of a CRL cannot be written; look at the "
			    "disk");
		b.p += n;
		b.len -= (size_t)n;
		at += (uint64_t)n;
	}
	return ERR_OK;
}

static void
keep_ends(struct crl_build *b, struct bytes block)
{
	size_t room = sizeof(b->first) - b->first_len;
	size_t n = block.len < room ? block.len : room;
	memcpy(b->first + b->first_len, block.p, n);
	b->first_len += n;
	n = block.len < sizeof(b->last) ? block.len : sizeof(b->last);
	/* The end of a block that is shorter than what is kept joins it. */
	size_t keep = sizeof(b->last) - n;
	if (keep > b->last_len)
		keep = b->last_len;
	memmove(b->last, b->last + b->last_len - keep, keep);
	memcpy(b->last + keep, block.p + block.len - n, n);
	b->last_len = keep + n;
}

/* The signer reads it from the file while it is hashed here. */
static enum err_code
put_block(void *ctx, struct bytes block, struct err *e)
{
	struct crl_build *b = ctx;
	if (atomic_load(&b->is_given_up))
		return err_say(e, ERR_BUSY, "crl-given-up",
		    "the signer went away while a CRL was made");
	TRY(crl_body_write(b->fd, block, b->at, e));
	b->at += block.len;
	atomic_store(&b->written, (size_t)(b->at - CRL_FILE_HEAD));
	uv_async_send(&b->core->crl_block);
	digest_put(b->digest, block);
	keep_ends(b, block);
	return ERR_OK;
}

/* --- The thread ------------------------------------------------------------------------ */

/* What it is written into, once its length is known. */
static enum err_code
build_open(struct crl_build *b, struct crl_sink *sink, struct err *e)
{
	*sink = (struct crl_sink){ b, put_block, b->block, CRL_PIECE_MAX };
	b->at = CRL_FILE_HEAD;
	return public_file_create(b->core->public, b->file, &b->fd, &b->fd_read,
	    e);
}

static enum err_code
build_from(struct crl_build *b, const struct crl_runs *runs, struct err *e)
{
	struct crl_sink sink;
	TRY(crl_plan_runs(&b->spec, runs, &b->plan, e));
	TRY(build_open(b, &sink, e));
	return crl_write_runs(&b->spec, &b->plan, runs, &sink, e);
}

static enum err_code
build_delta(struct crl_build *b, struct view *v, struct err *e)
{
	AUTO(delta_walk) walk = NULL;
	struct crl_sink sink;
	TRY(delta_walk_new(b, v, &walk, e));
	struct crl_source source = delta_source(walk);
	TRY(crl_plan(&b->spec, &source, &b->plan, e));
	TRY(build_open(b, &sink, e));
	return crl_write(&b->spec, &b->plan, &source, &sink, e);
}

static enum err_code
build(struct crl_build *b, struct view *v, struct err *e)
{
	struct listed_walk walk;
	struct crl_runs runs = { &walk, walk_rewind, walk_next };
	b->covers = view_log_size(v);
	if (b->is_delta)
		return build_delta(b, v, e);
	TRY(walk_begin(&walk, b, v, e));
	enum err_code code = build_from(b, &runs, e);
	view_scan_end(&walk.scan);
	return code;
}

void
crl_build_run(uv_work_t *work)
{
	struct crl_build *b = work->data;
	struct view *v = NULL;
	b->code = store_begin(b->core->store, false, &v, &b->err);
	if (b->code == ERR_OK)
		b->code = build(b, v, &b->err);
	if (b->code == ERR_OK)
		digest_end(b->digest, &b->value);
	view_abort(v);
}

enum err_code
crl_build_finish(struct crl_build *b, struct bytes sigalg, uint64_t *at,
    uint64_t *len, struct err *e)
{
	uint8_t room[2 * SIG_MAX], head[CRL_FILE_HEAD];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes tail;
	size_t mark = der_mark(&w);
	der_raw(&w, bytes_of(b->signature, b->signature_len));
	der_raw(&w, bytes_of("", 1)); /* no unused bits */
	der_wrap(&w, DER_BIT_STRING, mark);
	der_raw(&w, sigalg);
	TRY(der_w_end(&w, &tail, e));
	TRY(crl_body_write(b->fd, tail, b->at, e));
	size_t content = b->plan.length + tail.len;
	size_t n = crl_head_put(head, content);
	*at = CRL_FILE_HEAD - n;
	*len = n + content;
	return crl_body_write(b->fd, bytes_of(head, n), *at, e);
}

/* --- Memory ------------------------------------------------------------------------------- */

enum err_code
crl_build_new(struct core *c, struct crl_build **out, struct err *e)
{
	struct crl_build *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return err_nomem(e);
	b->core = c;
	b->fd = b->fd_read = -1;
	b->block = malloc(CRL_PIECE_MAX);
	if (b->block == NULL) {
		free(b);
		return err_nomem(e);
	}
	*out = b;
	return ERR_OK;
}

void
crl_build_free(struct crl_build *b)
{
	if (b == NULL)
		return;
	if (b->fd >= 0)
		close(b->fd);
	if (b->fd_read >= 0)
		close(b->fd_read);
	digest_free(b->digest);
	free(b->block);
	free(b);
}
