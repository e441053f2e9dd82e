/*
 * Publication: rounds that follow the log.  A round signs the status answers
 * that are due and a checkpoint over the log, then writes answers, tiles and
 * checkpoint into public/ in one transaction.  The next round takes whatever
 * has come meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "counters.h"

#define NOTE_ITEM UINT32_MAX /* frame id of the checkpoint within a round */
/* A client whose clock is this slow still accepts a fresh answer. */
#define SLOW_CLOCK_S     300
#define DEFAULT_OCSP_S   (4 * DAY)
#define DEFAULT_REFRESH  50
#define CHECKPOINT_FRESH 1
#define REFRESH_MAX      512  /* answers renewed in one round */
#define REFUSED_MS       1000 /* until what was refused is asked for again */
#define LATE_MS          1000 /* answers wait so long for a checkpoint */
#define BUNDLE_MAX       (TILE_WIDTH * (ENTRY_LEAF_MAX + 2))

/* --- The queue of answers to sign ------------------------------------------- */

void
due_push(struct core *c, struct bytes serial)
{
	if (serial.len == 0 || serial.len > SERIAL_MAX)
		fatal("a serial of %zu octets in the log", serial.len);
	if (c->due_len == c->due_size) {
		size_t size = c->due_size == 0 ? 1024 : c->due_size * 2;
		struct due_answer *bigger = calloc(size, sizeof(*bigger));
		if (bigger == NULL)
			fatal("no memory for the queue of status answers");
		for (size_t i = 0; i < c->due_len; i++)
			bigger[i] = c->due[(c->due_at + i) % c->due_size];
		free(c->due);
		c->due = bigger;
		c->due_at = 0;
		c->due_size = size;
	}
	struct due_answer *d =
	    &c->due[(c->due_at + c->due_len++) % c->due_size];
	memcpy(d->serial, serial.p, serial.len);
	d->serial_len = serial.len;
}

static struct due_answer
due_pop(struct core *c)
{
	struct due_answer d = c->due[c->due_at];
	c->due_at = (c->due_at + 1) % c->due_size;
	c->due_len--;
	return d;
}

/* --- Beginning a round --------------------------------------------------------- */

static int64_t
ocsp_life(const struct core *c, struct bytes policy_sha256)
{
	const struct policy *p = NULL;
	if (policy_sha256.len == SHA256_LEN)
		p = policy_find_hash(c->policies, policy_sha256.p);
	return p == NULL ? DEFAULT_OCSP_S : p->ocsp_validity_s;
}

static int64_t
at_least(int64_t t, int64_t floor)
{
	return t < floor ? floor : t;
}

/* The answer's specification; false when none is published any more. */
static bool
answer_spec(struct core *c, const struct cert_status *s,
    const struct core_issuer *i, int64_t now, struct ocsp_answer_spec *out)
{
	if (now > s->not_after)
		return false;
	bool is_revoked =
	    s->state == CERT_REVOKED || s->state == CERT_SUSPENDED;
	*out = (struct ocsp_answer_spec){ .issuer = &i->ca.id,
		.responder_key_hash = bytes_of(i->responder_key_hash,
		    sizeof(i->responder_key_hash)),
		.state = is_revoked ? OCSP_REVOKED : OCSP_GOOD,
		.revoked_at = s->revoked_at,
		.reason = s->reason,
		.produced_at = now,
		.this_update = at_least(now - SLOW_CLOCK_S,
		    is_revoked ? s->revoked_at : s->intended),
		.next_update = now + ocsp_life(c, s->policy_sha256) };
	if (out->this_update > now)
		out->this_update = now;
	if (out->next_update > i->responder_not_after)
		out->next_update = i->responder_not_after;
	return true;
}

/* By its own policy, and earlier when the responder's certificate cuts its
 * life short. */
static int64_t
refresh_at(const struct core *c, const struct cert_status *s,
    const struct ocsp_answer_spec *spec)
{
	const struct policy *p = NULL;
	if (s->policy_sha256.len == SHA256_LEN)
		p = policy_find_hash(c->policies, s->policy_sha256.p);
	return ocsp_refresh_at(spec->this_update, spec->next_update,
	    p == NULL ? DEFAULT_REFRESH : p->ocsp_refresh_percent);
}

static enum err_code
round_add(struct core *c, struct view *v, const struct due_answer *due,
    int64_t now, struct err *e)
{
	struct round *r = &c->round;
	struct cert_status status;
	struct ocsp_answer_spec spec;
	struct bytes serial = bytes_of(due->serial, due->serial_len);
	TRY(ca_status(v, serial, &status, e));
	struct core_issuer *i =
	    status.known ? core_issuer_find(c, status.issuer) : NULL;
	if (i == NULL)
		return ERR_OK;
	struct round_item *item = &r->item[r->n];
	item->due = *due;
	item->issuer = (size_t)(i - c->issuer);
	item->ended = !answer_spec(c, &status, i, now, &spec);
	if (item->ended) {
		r->n++;
		return ERR_OK;
	}
	spec.serial = serial;
	item->this_update = spec.this_update;
	item->next_update = spec.next_update;
	item->refresh_at = refresh_at(c, &status, &spec);
	item->first = spec.state != OCSP_GOOD;
	item->takes_nonce = false;
	buf_reset(&item->tbs);
	buf_reset(&item->answer);
	TRY(ocsp_tbs_build(&spec, &item->tbs, e));
	struct signer_ocsp m = { .issuer = bytes_str(i->ca.name),
		.tbs = buf_bytes(&item->tbs),
		.responder = buf_bytes(&i->responder) };
	struct buf body AUTO_BUF = BUF(8192);
	signer_ocsp_encode(&m, &body);
	TRY(buf_end(&body, e));
	peer_send(c->ocsp, SIGNER_OCSP, r->id << 32 | r->n, buf_bytes(&body));
	r->n++;
	r->missing++;
	return ERR_OK;
}

static enum err_code
round_checkpoint(struct core *c, struct view *v, struct err *e)
{
	struct round *r = &c->round;
	struct tile_source tiles = view_tiles(v);
	struct signer_checkpoint m = { .size = r->size };
	TRY(view_log_root(v, m.root, e));
	memcpy(r->root, m.root, HASH_LEN);
	if (c->hello_size > 0 && c->hello_size < r->size)
		TRY(merkle_consistency(c->hello_size, r->size, &tiles,
		    &m.consistency, e));
	struct buf body AUTO_BUF = BUF(8192);
	signer_checkpoint_encode(&m, &body);
	peer_send(c->signer, SIGNER_CHECKPOINT, r->id << 32 | NOTE_ITEM,
	    buf_bytes(&body));
	r->wants_note = true;
	r->missing++;
	return ERR_OK;
}

static bool
responders_ready(const struct core *c)
{
	for (size_t i = 0; i < c->n_issuer; i++) {
		if (c->issuer[i].responder.len == 0)
			return false;
	}
	return c->ocsp_ready;
}

static enum err_code
round_begin(struct core *c, struct view *v, bool answers, struct err *e)
{
	struct round *r = &c->round;
	int64_t now = clock_now();
	r->id = ++c->next_id;
	r->n = 0;
	r->missing = 0;
	r->wants_note = false;
	r->since_ms = clock_mono_ms();
	r->size = view_log_size(v);
	r->follows = c->published;
	buf_reset(&r->note);
	/* The log may be longer than what was followed; the rest comes next. */
	while (answers && c->due_len > 0 && r->n < ROUND_MAX) {
		struct due_answer due = due_pop(c);
		TRY(round_add(c, v, &due, now, e));
	}
	if (c->due_len == 0)
		r->follows = c->log_size < r->size ? c->log_size : r->size;
	if (c->signer_ready && c->late_frame == 0 && r->size > c->sealed)
		TRY(round_checkpoint(c, v, e));
	else
		r->size = c->sealed;
	r->running = r->missing > 0 || r->n > 0;
	return ERR_OK;
}

/* --- Ending a round --------------------------------------------------------------- */

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

static enum err_code
put_answers(struct core *c, struct public_txn *t, struct err *e)
{
	for (size_t i = 0; i < c->round.n; i++) {
		struct round_item *item = &c->round.item[i];
		uint8_t room[PUBLIC_KEY_MAX];
		struct bytes key = public_ocsp_key(room, (uint8_t)item->issuer,
		    bytes_of(item->due.serial, item->due.serial_len));
		if (item->ended) {
			TRY(public_del(t, key, e));
			continue;
		}
		if (item->answer.len == 0)
			continue;
		struct public_row row = { .this_update = item->this_update,
			.next_update = item->next_update,
			.refresh_at = item->refresh_at,
			.first = item->first,
			.takes_nonce = item->takes_nonce,
			.type = "application/ocsp-response",
			.body = buf_bytes(&item->answer) };
		TRY(public_put(t, key, &row, e));
		count(COUNT_PUBLISHED, 1);
	}
	return ERR_OK;
}

/* A tile is stored under its full name with as many hashes as there are;
 * status cuts it to the width that is asked for. */
static enum err_code
put_tiles(struct core *c, struct view *v, struct public_txn *t, int64_t now,
    struct err *e)
{
	struct tile_source tiles = view_tiles(v);
	uint64_t from = c->sealed, to = c->round.size;
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
	while (c->bundle_size < c->round.size) {
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
round_write(struct core *c, struct view *v, struct public_txn *t, struct err *e)
{
	struct round *r = &c->round;
	int64_t now = clock_now();
	TRY(put_answers(c, t, e));
	if (r->note.len > 0) {
		TRY(put_tiles(c, v, t, now, e));
		TRY(put_bundles(c, v, t, now, e));
		TRY(put_file(t, "/checkpoint", "text/plain; charset=utf-8", now,
		    now + CHECKPOINT_FRESH, buf_bytes(&r->note), e));
	}
	return public_put_meta(t, r->follows, e);
}

/*
 * What a signer refused is due again, but not at once: it would refuse again
 * and again.  Nothing counts as published that is not.
 */
static void
round_take_back(struct core *c)
{
	struct round *r = &c->round;
	bool refused = r->wants_note && r->note.len == 0 && r->size > c->sealed;
	for (size_t i = 0; i < r->n; i++) {
		struct round_item *item = &r->item[i];
		if (item->ended || item->answer.len > 0)
			continue;
		due_push(c, bytes_of(item->due.serial, item->due.serial_len));
		r->follows = c->published;
		refused = true;
	}
	if (refused)
		c->publish_after_ms = clock_mono_ms() + REFUSED_MS;
}

static void
round_end(struct core *c)
{
	struct err e;
	struct round *r = &c->round;
	struct public_txn *t = NULL;
	struct view *v = core_view(c);
	r->running = false;
	round_take_back(c);
	if (v == NULL)
		return;
	enum err_code code = public_begin(c->public, &t, &e);
	if (code == ERR_OK)
		code = round_write(c, v, t, &e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), &e);
	public_abort(t);
	if (code != ERR_OK) {
		core_read_only(c, &e);
		return;
	}
	if (r->note.len > 0) {
		c->sealed = r->size;
		c->hello_size = r->size;
	}
	c->published = r->follows;
	count(COUNT_ROUNDS, 1);
	gauge(COUNT_DUE, c->due_len);
}

void
publish_pump(struct core *c)
{
	struct err e;
	if (c->round.running || c->read_only ||
	    clock_mono_ms() < c->publish_after_ms)
		return;
	/* A round may have sealed entries that were followed only after it. */
	if (c->due_len == 0)
		c->published =
		    c->log_size < c->sealed ? c->log_size : c->sealed;
	bool answers = c->due_len > 0 && responders_ready(c);
	bool seals =
	    c->signer_ready && c->late_frame == 0 && c->log_size > c->sealed;
	if (!answers && !seals)
		return;
	struct view *v = core_view(c);
	if (v == NULL)
		return;
	if (round_begin(c, v, answers, &e) != ERR_OK)
		core_read_only(c, &e);
	if (c->round.running && c->round.missing == 0)
		round_end(c);
}

/*
 * A signer that hangs, on its token or its disk, must not keep a revocation
 * from being known: answers that are signed go out, the checkpoint follows
 * when it comes, and no other is asked for before.
 */
void
publish_late(struct core *c)
{
	struct round *r = &c->round;
	if (!r->running || !r->wants_note || r->note.len > 0 ||
	    r->missing != 1 || clock_mono_ms() - r->since_ms < LATE_MS)
		return;
	log_warn("signer-late", "checkpoint=%llu", (unsigned long long)r->size);
	c->late_frame = r->id << 32 | NOTE_ITEM;
	c->late_size = r->size;
	r->size = c->sealed;
	round_end(c);
}

static void
round_got(struct core *c)
{
	if (--c->round.missing == 0)
		round_end(c);
}

static bool
is_of_round(const struct core *c, uint64_t frame_id)
{
	return c->round.running && frame_id >> 32 == c->round.id;
}

/* The answer must carry exactly the octets that were to be signed. */
void
publish_answer(struct core *c, const struct frame *f)
{
	struct err e;
	struct ocsp_answer answer;
	uint64_t n = f->id & UINT32_MAX;
	if (!is_of_round(c, f->id) || n >= c->round.n)
		return;
	struct round_item *item = &c->round.item[n];
	if ((f->type & SIGNER_REFUSAL) == 0) {
		if (ocsp_answer_parse(f->body, &answer, &e) != ERR_OK)
			log_err("ocsp-answer", &e);
		else if (!bytes_eq(answer.tbs, buf_bytes(&item->tbs)))
			log_error("ocsp-answer-altered", "item=%u",
			    (unsigned)n);
		else
			buf_put(&item->answer, f->body.p, f->body.len);
	}
	round_got(c);
}

void
publish_checkpoint(struct core *c, const struct frame *f)
{
	if (c->late_frame != 0 && f->id == c->late_frame) {
		/* The next one covers it, and has to prolong it. */
		c->late_frame = 0;
		if ((f->type & SIGNER_REFUSAL) == 0)
			c->hello_size = c->late_size;
		return;
	}
	if (!is_of_round(c, f->id))
		return;
	if ((f->type & SIGNER_REFUSAL) == 0)
		buf_put(&c->round.note, f->body.p, f->body.len);
	round_got(c);
}

/* --- Renewal of answers by age ------------------------------------------------ */

static void
refresh_one(void *ctx, uint8_t issuer, struct bytes serial)
{
	(void)issuer;
	due_push(ctx, serial);
}

/* Small batches, and only when nothing newer waits: a revocation never
 * stands behind a refresh. */
void
publish_refresh(struct core *c)
{
	struct err e;
	struct public_due_at at = { .len = 0 };
	if (c->round.running || c->due_len > 0 || c->read_only ||
	    !responders_ready(c))
		return;
	if (public_renew(c->reader, &e) != ERR_OK ||
	    public_due(c->reader, clock_now(), REFRESH_MAX, &at, refresh_one, c,
		&e) != ERR_OK)
		log_err("publish-refresh", &e);
	public_release(c->reader);
}

/* What was on its way to a signer that went away is due again. */
void
publish_abandon(struct core *c)
{
	if (!c->round.running)
		return;
	c->round.running = false;
	for (size_t i = 0; i < c->round.n; i++)
		due_push(c, bytes_of(c->round.item[i].due.serial,
				c->round.item[i].due.serial_len));
}

/* --- What changes only with the installation ------------------------------------------ */

/* status names its responder in the answers it has signed on demand. */
static enum err_code
put_responder(struct public_txn *t, const struct core_issuer *i, int64_t now,
    struct err *e)
{
	char path[PATH_LEN];
	if (i->responder.len == 0)
		return ERR_OK;
	snprintf(path, sizeof(path), "/ca/%s-ocsp.cer", i->ca.name);
	return put_file(t, path, "application/pkix-cert", now,
	    i->responder_not_after, buf_bytes(&i->responder), e);
}

static enum err_code
put_fixed(struct core *c, struct public_txn *t, int64_t now, struct err *e)
{
	char path[PATH_LEN];
	for (size_t i = 0; i < c->n_issuer; i++) {
		struct core_issuer *issuer = &c->issuer[i];
		snprintf(path, sizeof(path), "/ca/%s.cer", issuer->ca.name);
		TRY(put_file(t, path, "application/pkix-cert", now, now + DAY,
		    buf_bytes(&issuer->der), e));
		TRY(public_put_issuer(t, (uint8_t)i, &issuer->ca.id, e));
		TRY(put_responder(t, issuer, now, e));
	}
	TRY(put_file(t, "/ca/endorser.cer", "application/pkix-cert", now,
	    now + DAY, buf_bytes(&c->endorser.der), e));
	TRY(put_file(t, "/ca/root.cer", "application/pkix-cert", now, now + DAY,
	    buf_bytes(&c->root_der), e));
	struct crl root;
	TRY(crl_parse(buf_bytes(&c->root_crl), &root, e));
	return put_file(t, "/crl/root.crl", "application/pkix-crl",
	    root.this_update, root.next_update, buf_bytes(&c->root_crl), e);
}

enum err_code
publish_files(struct core *c, struct err *e)
{
	struct public_txn *t = NULL;
	TRY(public_begin(c->public, &t, e));
	enum err_code code = put_fixed(c, t, clock_now(), e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), e);
	public_abort(t);
	return code;
}

enum err_code
publish_crl(struct core *c, struct core_issuer *i, struct bytes der,
    struct err *e)
{
	struct public_txn *t = NULL;
	char path[PATH_LEN];
	snprintf(path, sizeof(path), "/crl/%s.crl", i->ca.name);
	TRY(public_begin(c->public, &t, e));
	enum err_code code = put_file(t, path, "application/pkix-crl",
	    i->crl_this_update, i->crl_next_update, der, e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), e);
	public_abort(t);
	return code;
}
