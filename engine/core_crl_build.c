/*
 * core_crl_build - the thread's part of a CRL: from the ledger's cursor to
 * blocks in a file beside public/ and in a queue to the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_crl.h"

/* --- The entries of one list ------------------------------------------------------ */

struct listed_walk {
	const struct crl_build *b;
	struct view_scan scan;
	uint8_t prefix[ROW_KEY_MAX];
	bool at_start;
	struct listed_row row; /* what is left of the one at the cursor */
};

static enum err_code
walk_rewind(void *ctx, struct err *e)
{
	struct listed_walk *w = ctx;
	(void)e;
	w->at_start = true;
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

/* The next row into w->row; *more is false behind the last. */
static enum err_code
walk_row(struct listed_walk *w, bool *more, struct err *e)
{
	struct bytes key, value;
	if (w->at_start)
		TRY(view_scan_seek(&w->scan, w->scan.prefix, &key, &value, more,
		    e));
	else
		TRY(view_scan_next(&w->scan, &key, &value, more, e));
	w->at_start = false;
	if (!*more)
		return ERR_OK;
	return listed_row_read(value, &w->row) ? ERR_OK : row_broken(e);
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

static enum err_code
body_write(int fd, struct bytes b, uint64_t at, struct err *e)
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

/* Into the file and the queue; waits until the loop gave a block back. */
static enum err_code
put_block(void *ctx, struct bytes block, struct err *e)
{
	struct crl_build *b = ctx;
	TRY(body_write(b->fd, block, b->at, e));
	b->at += block.len;
	pthread_mutex_lock(&b->lock);
	b->queue[(b->queue_at + b->n_queue++) % CRL_BLOCKS] = block;
	uv_async_send(&b->core->crl_block);
	while (b->n_free == 0 && !b->is_given_up)
		pthread_cond_wait(&b->room, &b->lock);
	bool is_given_up = b->is_given_up;
	if (!is_given_up)
		b->sink.block = b->free[--b->n_free];
	pthread_mutex_unlock(&b->lock);
	return is_given_up ? err_say(e, ERR_BUSY, "crl-given-up",
				 "the signer went away while a CRL was made")
			   : ERR_OK;
}

bool
crl_build_take(struct crl_build *b, struct bytes *block)
{
	pthread_mutex_lock(&b->lock);
	bool there = b->n_queue > 0;
	if (there) {
		*block = b->queue[b->queue_at];
		b->queue_at = (b->queue_at + 1) % CRL_BLOCKS;
		b->n_queue--;
	}
	pthread_mutex_unlock(&b->lock);
	return there;
}

void
crl_build_give(struct crl_build *b, struct bytes block)
{
	pthread_mutex_lock(&b->lock);
	b->free[b->n_free++] = (uint8_t *)(uintptr_t)block.p;
	pthread_cond_signal(&b->room);
	pthread_mutex_unlock(&b->lock);
}

void
crl_build_give_up(struct crl_build *b)
{
	pthread_mutex_lock(&b->lock);
	b->is_given_up = true;
	pthread_cond_signal(&b->room);
	pthread_mutex_unlock(&b->lock);
}

/* --- The thread ------------------------------------------------------------------------ */

/* What it is written into, once its length is known. */
static enum err_code
build_open(struct crl_build *b, struct err *e)
{
	b->sink = (struct crl_sink){ b, put_block, b->free[--b->n_free],
		CRL_PIECE_MAX };
	b->at = CRL_FILE_HEAD;
	return public_file_create(b->core->public, b->file, &b->fd, e);
}

static enum err_code
build_from(struct crl_build *b, const struct crl_runs *runs, struct err *e)
{
	TRY(crl_plan_runs(&b->spec, runs, &b->plan, e));
	TRY(build_open(b, e));
	return crl_write_runs(&b->spec, &b->plan, runs, &b->sink, e);
}

static enum err_code
build_delta(struct crl_build *b, struct view *v, struct err *e)
{
	AUTO(delta_walk) walk = NULL;
	TRY(delta_walk_new(b, v, &walk, e));
	struct crl_source source = delta_source(walk);
	TRY(crl_plan(&b->spec, &source, &b->plan, e));
	TRY(build_open(b, e));
	return crl_write(&b->spec, &b->plan, &source, &b->sink, e);
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
	TRY(body_write(b->fd, tail, b->at, e));
	size_t content = b->plan.length + tail.len;
	size_t n = crl_head_put(head, content);
	*at = CRL_FILE_HEAD - n;
	*len = n + content;
	return body_write(b->fd, bytes_of(head, n), *at, e);
}

/* --- Memory ------------------------------------------------------------------------------- */

enum err_code
crl_build_new(struct core *c, struct crl_build **out, struct err *e)
{
	struct crl_build *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return err_nomem(e);
	b->core = c;
	b->fd = -1;
	b->memory = malloc((size_t)CRL_BLOCKS * CRL_PIECE_MAX);
	if (b->memory == NULL) {
		free(b);
		return err_nomem(e);
	}
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->room, NULL);
	for (size_t i = 0; i < CRL_BLOCKS; i++)
		b->free[b->n_free++] = b->memory + i * CRL_PIECE_MAX;
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
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->room);
	digest_free(b->digest);
	free(b->memory);
	free(b);
}
