/*
 * Publication of all but status answers: checkpoints over the log with its
 * tiles, CRLs, certificates.  One checkpoint is asked for at a time, and
 * whatever has come meanwhile is in the next one.  Answers do not wait for it:
 * a signer that hangs, on its token or its disk, must not keep a revocation
 * from being known.
 *
 * A checkpoint costs the signer a signature, a check and a sync, and core a
 * tile and a bundle, as much as half a dozen certificates: under load they
 * keep a pace.  After a pause one is asked for at once.
 */
#include <stdio.h>
#include <string.h>

#include "core_crl.h"

#define CHECKPOINT_FRESH 1
#define PACE_MS          10   /* from one question to the next */
#define REFUSED_MS       1000 /* until what was refused is asked for again */
#define BUNDLE_MAX       (TILE_WIDTH * (ENTRY_LEAF_MAX + 2))

uint64_t
published_to(const struct core *c)
{
	return c->answered < c->sealed ? c->answered : c->sealed;
}

/* --- Asking for a checkpoint --------------------------------------------------- */

static enum err_code
seal_ask(struct core *c, struct view *v, struct err *e)
{
	struct seal *s = &c->seal;
	struct tile_source tiles = view_tiles(v);
	/* What is committed and not followed yet, the signer was not told. */
	s->size = c->log_size;
	struct signer_checkpoint m = { .size = s->size };
	struct merkle tree;
	TRY(merkle_load(s->size, &tiles, &tree, e));
	merkle_root(&tree, m.root);
	if (c->hello_size > 0 && c->hello_size < s->size)
		TRY(merkle_consistency(c->hello_size, s->size, &tiles,
		    &m.consistency, e));
	struct buf body AUTO_BUF = BUF(8192);
	signer_checkpoint_encode(&m, &body);
	s->id = ++c->next_id;
	s->running = true;
	s->after_ms = clock_mono_ms() + PACE_MS;
	peer_send(c->signer, SIGNER_CHECKPOINT, s->id, buf_bytes(&body));
	return ERR_OK;
}

static void
on_pace(uv_timer_t *timer)
{
	struct core *c = timer->data;
	publish_pump(c);
	reply_pump(c);
	arena_reset(c->arena);
}

void
publish_open(struct core *c)
{
	uv_timer_init(&c->loop, &c->pace);
	c->pace.data = c;
}

static void
seal_pump(struct core *c)
{
	struct err e;
	if (c->seal.running || c->read_only || !c->signer_ready ||
	    c->log_size <= c->sealed)
		return;
	int64_t wait = c->seal.after_ms - clock_mono_ms();
	if (wait > 0) {
		uv_timer_start(&c->pace, on_pace, (uint64_t)wait, 0);
		return;
	}
	struct view *v = core_view(c);
	if (v != NULL && seal_ask(c, v, &e) != ERR_OK)
		core_read_only(c, &e);
}

void
publish_pump(struct core *c)
{
	seal_pump(c);
	answers_pump(c);
}

/* --- Writing it ------------------------------------------------------------------- */

static enum err_code
put_file(struct public_txn *t, const char *path, const char *type,
    int64_t this_update, int64_t next_update, struct bytes body, struct err *e)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row = { .this_update = this_update,
		.next_update = next_update,
		.type = type,
		.body = body };
	return public_put(t, public_file_key(key, bytes_str(path)), &row, e);
}

/* A tile is stored under its full name with as many hashes as there are;
 * status cuts it to the width that is asked for. */
static enum err_code
put_tiles(struct core *c, struct view *v, struct public_txn *t, int64_t now,
    struct err *e)
{
	struct tile_source tiles = view_tiles(v);
	uint64_t from = c->sealed, to = c->seal.size;
	for (unsigned level = 0; to > 0 && level < 8; level++) {
		uint64_t last = (to - 1) / TILE_WIDTH;
		for (uint64_t n = from / TILE_WIDTH; n <= last; n++) {
			struct bytes hashes;
			char path[96] = "/";
			TRY(tiles.get(tiles.ctx, level, n, &hashes, e));
			tile_path(path + 1, sizeof(path) - 1, level, n,
			    TILE_WIDTH);
			TRY(put_file(t, path, "application/octet-stream", now,
			    0, hashes, e));
		}
		from /= TILE_WIDTH;
		to /= TILE_WIDTH;
	}
	return ERR_OK;
}

static void
bundle_add(struct buf *bundle, struct bytes leaf)
{
	put_u16(bundle, (uint16_t)leaf.len);
	buf_put(bundle, leaf.p, leaf.len);
}

static enum err_code
put_bundle(struct core *c, struct public_txn *t, uint64_t n, int64_t now,
    struct err *e)
{
	char path[96] = "/", tile[88];
	/* "tile/0/x001/067" becomes "tile/entries/x001/067". */
	tile_path(tile, sizeof(tile), 0, n, TILE_WIDTH);
	snprintf(path, sizeof(path), "/tile/entries/%s", tile + 7);
	return put_file(t, path, "application/octet-stream", now, 0,
	    buf_bytes(&c->bundle), e);
}

static enum err_code
put_bundles(struct core *c, struct view *v, struct public_txn *t, int64_t now,
    struct err *e)
{
	while (c->bundle_size < c->seal.size) {
		struct entry entry;
		if (c->bundle_size % TILE_WIDTH == 0)
			buf_reset(&c->bundle);
		TRY(view_entry_stored(v, c->bundle_size, &entry, e));
		bundle_add(&c->bundle, entry.leaf);
		c->bundle_size++;
		if (c->bundle_size % TILE_WIDTH == 0)
			TRY(put_bundle(c, t, (c->bundle_size - 1) / TILE_WIDTH,
			    now, e));
	}
	TRY(buf_end(&c->bundle, e));
	if (c->bundle_size % TILE_WIDTH == 0)
		return ERR_OK;
	return put_bundle(c, t, c->bundle_size / TILE_WIDTH, now, e);
}

/* The entries of the last, partial bundle of what is sealed already. */
enum err_code
bundle_load(struct core *c, struct view *v, struct err *e)
{
	c->bundle = BUF(BUNDLE_MAX);
	c->bundle_size = c->sealed / TILE_WIDTH * TILE_WIDTH;
	while (c->bundle_size < c->sealed) {
		struct entry entry;
		TRY(view_entry_stored(v, c->bundle_size, &entry, e));
		bundle_add(&c->bundle, entry.leaf);
		c->bundle_size++;
	}
	return buf_end(&c->bundle, e);
}

static enum err_code
seal_write(struct core *c, struct view *v, struct public_txn *t,
    struct bytes note, struct err *e)
{
	int64_t now = clock_now();
	TRY(put_tiles(c, v, t, now, e));
	TRY(put_bundles(c, v, t, now, e));
	TRY(put_file(t, "/checkpoint", "text/plain; charset=utf-8", now,
	    now + CHECKPOINT_FRESH, note, e));
	c->sealed = c->seal.size;
	return public_put_meta(t, published_to(c), e);
}

static void
seal_end(struct core *c, struct bytes note)
{
	struct err e;
	struct public_txn *t = NULL;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	c->hello_size = c->seal.size;
	enum err_code code = public_begin(c->public, &t, &e);
	if (code == ERR_OK)
		code = seal_write(c, v, t, note, &e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), &e);
	public_abort(t);
	if (code != ERR_OK)
		core_read_only(c, &e);
	c->published = published_to(c);
}

void
publish_checkpoint(struct core *c, const struct frame *f)
{
	struct seal *s = &c->seal;
	if (!s->running || f->id != s->id)
		return;
	s->running = false;
	if ((f->type & SIGNER_REFUSAL) != 0)
		s->after_ms = clock_mono_ms() + REFUSED_MS;
	else
		seal_end(c, f->body);
}

/* --- What changes only with the installation ------------------------------------------ */

/* Of a thousand CAs hardly one is new at a start: what is there just so is not
 * written again. */
static enum err_code
put_certificate(struct core *c, struct public_txn *t, const char *path,
    int64_t now, int64_t until, struct bytes der, struct err *e)
{
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	if (public_get(c->reader, public_file_key(key, bytes_str(path)),
		&row) &&
	    row.next_update == until && bytes_eq(row.body, der))
		return ERR_OK;
	return put_file(t, path, "application/pkix-cert", now, until, der, e);
}

/* status names its responder in the answers it has signed on demand. */
static enum err_code
put_responder(struct core *c, struct public_txn *t, const struct core_issuer *i,
    int64_t now, struct err *e)
{
	char path[PATH_LEN];
	if (i->responder.len == 0)
		return ERR_OK;
	snprintf(path, sizeof(path), "/ca/%s-ocsp.cer", i->ca.name);
	return put_certificate(c, t, path, now, i->responder_not_after,
	    buf_bytes(&i->responder), e);
}

static enum err_code
put_issuer(struct core *c, struct public_txn *t, const struct core_issuer *i,
    int64_t now, struct err *e)
{
	struct public_issuer is = { .id = i->ca.id };
	char path[PATH_LEN];
	snprintf(path, sizeof(path), "/ca/%s.cer", i->ca.name);
	snprintf(is.name, sizeof(is.name), "%s", i->ca.name);
	TRY(put_certificate(c, t, path, now, 0, buf_bytes(&i->der), e));
	TRY(public_put_issuer(t, i->place, &is, e));
	return put_responder(c, t, i, now, e);
}

#define TOGETHER_MAX 64 /* in the list of all */

/* What /ca/root.p7c has. */
struct together {
	struct bytes der[TOGETHER_MAX];
	size_t n;
};

/* A root's newest list: that of a ceremony, or of the files, where by hand a
 * newer one may have been put. */
static enum err_code
put_root_list(struct core *c, struct public_txn *t, struct view *v,
    struct bytes name, struct err *e)
{
	struct crl filed = { .number = 0 };
	struct root_list_row row;
	bool found;
	if (bytes_is(name, FIRST_ROOT))
		TRY(crl_parse(buf_bytes(&c->root_crl), &filed, e));
	TRY(rec_get(v, &rec_root_list,
	    ca_row_key(c->arena, ROW_ROOT_LIST, name), c->arena, &row, &found,
	    e));
	if (!found || row.number <= (int64_t)filed.number) {
		row.list = buf_bytes(&c->root_crl);
		row.this_update = filed.this_update;
		row.next_update = filed.next_update;
		found = filed.number > 0;
	}
	if (!found)
		return ERR_OK; /* of a new root: its first one is to come */
	return put_file(t,
	    arena_printf(c->arena, "/crl/%.*s.crl", BYTES_FMT(name)),
	    "application/pkix-crl", row.this_update, row.next_update, row.list,
	    e);
}

static enum err_code
put_above(struct core *c, struct public_txn *t, struct view *v, int64_t now,
    const struct issuer_row *row, struct together *all, struct err *e)
{
	bool is_root = bytes_is(row->role, "root");
	/* Its lines may have been taken out of the configuration. */
	bool has_no_key = row->destroyed != 0;
	if (!is_root && !has_no_key &&
	    (!bytes_is(row->role, "cross") || row->revoked != 0))
		return ERR_OK;
	TRY(put_certificate(c, t,
	    arena_printf(c->arena, "/ca/%.*s.cer", BYTES_FMT(row->name)), now,
	    0, row->certificate, e));
	if (!has_no_key && all->n < ARRAY_LEN(all->der))
		all->der[all->n++] = row->certificate;
	return is_root ? put_root_list(c, t, v, row->name, e) : ERR_OK;
}

/*
 * The roots, their lists, and the certificates that they signed for others or
 * for one another, each in a place of its own, and as one certs-only CMS, for
 * whoever builds a path from there (RFC 5280 4.2.2.1); those of CAs without a
 * key stand alone.
 */
static enum err_code
put_roots(struct core *c, struct public_txn *t, struct view *v, int64_t now,
    struct err *e)
{
	struct bytes prefix = ca_row_key(c->arena, ROW_ISSUER, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct buf cms AUTO_BUF = BUF(1u << 21);
	struct together all = { .n = 0 };
	struct issuer_row row;
	bool found;
	for (;;) {
		TRY(view_next(v, prefix, after, &key, &value, &found, e));
		if (!found)
			break;
		after = arena_copy(c->arena, key);
		TRY(rec_decode(&rec_issuer, arena_copy(c->arena, value), &row,
		    e));
		TRY(put_above(c, t, v, now, &row, &all, e));
	}
	TRY(cms_certificates(all.der, all.n, &cms, e));
	return put_file(t, "/ca/root.p7c", "application/pkcs7-mime", now, 0,
	    buf_bytes(&cms), e);
}

static enum err_code
put_fixed(struct core *c, struct public_txn *t, struct view *v, int64_t now,
    struct err *e)
{
	for (size_t i = 0; i < c->n_issuer; i++)
		TRY(put_issuer(c, t, c->issuer[i], now, e));
	TRY(put_certificate(c, t, "/ca/endorser.cer", now, 0,
	    buf_bytes(&c->endorser.der), e));
	return put_roots(c, t, v, now, e);
}

void
root_list_changed(struct core *c)
{
	struct err e;
	struct view *v = core_view(c);
	if (v != NULL && publish_files(c, v, &e) != ERR_OK)
		core_read_only(c, &e);
}

/* One transaction; what is there already is read before it. */
static enum err_code
publish_with(struct core *c, struct view *v, const struct core_issuer *i,
    struct err *e)
{
	struct public_txn *t = NULL;
	TRY(public_renew(c->reader, e));
	enum err_code code = public_begin(c->public, &t, e);
	if (code == ERR_OK)
		code = i == NULL ? put_fixed(c, t, v, clock_now(), e)
				 : put_issuer(c, t, i, clock_now(), e);
	public_release(c->reader);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), e);
	public_abort(t);
	return code;
}

enum err_code
publish_files(struct core *c, struct view *v, struct err *e)
{
	return publish_with(c, v, NULL, e);
}

enum err_code
publish_issuer(struct core *c, const struct core_issuer *i, struct err *e)
{
	return publish_with(c, NULL, i, e);
}

enum err_code
publish_crl(struct core *c, const char *path, const struct crl_build *b,
    struct bytes body, struct err *e)
{
	struct public_txn *t = NULL;
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row = { .this_update = b->crl.this_update,
		.next_update = b->crl.next_update,
		.type = "application/pkix-crl",
		.body = body };
	if (body.len == 0) {
		memcpy(row.file, b->file, sizeof(row.file));
		row.file_at = b->file_at;
		row.file_len = b->file_len;
		/* Its number is in it: no other list has this hash. */
		memcpy(row.file_sha256, b->value.sha256, SHA256_LEN);
	}
	TRY(public_begin(c->public, &t, e));
	enum err_code code =
	    public_put(t, public_file_key(key, bytes_str(path)), &row, e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), e);
	public_abort(t);
	return code;
}
