/*
 * Reading: rows, lists, the engine's state, and the pieces of an export.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "counters.h"

#define EXPORT_PIECE (4u << 20) /* octets of one answer, about */

/* One query that is being answered. */
struct reading {
	struct core *core;
	struct view *view;
	const struct query *query;
	bool whole; /* rows with their blobs */
	struct buf *out;
};

static enum err_code
ledger_unreadable(struct err *e)
{
	return err_say(e, ERR_BUSY, "ledger-unreadable",
	    "the ledger cannot be read; refrendo status says why");
}

/* As it is by now. */
static enum err_code
mandate_now(struct reading *r, struct bytes *value, struct err *e)
{
	struct buf row AUTO_BUF = BUF(CORE_ANSWER_MAX);
	struct core *c = r->core;
	struct mandate m;
	TRY(rec_decode(&rec_mandate, *value, &m, e));
	TRY(ca_mandate_over(r->view, &c->ca, clock_now(), c->arena, &m, e));
	rec_encode(&rec_mandate, &m, &row);
	TRY(buf_end(&row, e));
	*value = arena_copy(c->arena, buf_bytes(&row));
	return ERR_OK;
}

static enum err_code
put_row(struct reading *r, struct bytes key, struct bytes value, struct err *e)
{
	if (r->whole)
		TRY(rec_whole(r->view, key, value, r->core->arena, &value, e));
	if (r->query->class == ROW_MANDATE)
		TRY(mandate_now(r, &value, e));
	rows_put(r->out, key, value);
	return ERR_OK;
}

/* Numbers are text, serial numbers octets; the parts of a pair have a NUL
 * between them. */
static enum err_code
row_missing(struct reading *r, struct err *e)
{
	const struct rec_type *type = rec_of_class(r->query->class);
	struct bytes key = r->query->key;
	char *text = arena_get(r->core->arena, 2 * key.len + 1);
	bool is_text = r->query->class != ROW_CERTIFICATE;
	for (size_t i = 0; i < key.len; i++) {
		is_text = is_text && key.p[i] < 0x7f &&
			  (key.p[i] > 0x20 || key.p[i] == 0);
		text[i] = key.p[i] == 0 ? '/' : (char)key.p[i];
	}
	text[key.len] = '\0';
	if (!is_text)
		hex_print(text, key);
	return err_say(e, ERR_NOTFOUND, "row-missing",
	    "there is no %s %s; look for it in the list",
	    type != NULL ? type->name : "record", text);
}

static enum err_code
read_row(struct reading *r, struct err *e)
{
	struct bytes value;
	bool found;
	struct bytes key =
	    ca_row_key(r->core->arena, r->query->class, r->query->key);
	TRY(view_get(r->view, key, &value, &found, e));
	if (!found)
		return row_missing(r, e);
	return put_row(r, key, value, e);
}

static enum err_code
read_list(struct reading *r, struct err *e)
{
	struct bytes prefix =
	    ca_row_key(r->core->arena, r->query->class, r->query->key);
	struct bytes after =
	    r->query->after.len > 0
		? ca_row_key(r->core->arena, r->query->class, r->query->after)
		: prefix;
	uint64_t limit = r->query->limit;
	if (limit == 0 || limit > LIST_MAX)
		limit = LIST_MAX;
	for (uint64_t n = 0; n < limit && r->out->len < EXPORT_PIECE; n++) {
		struct bytes key, value;
		bool found;
		TRY(view_next(r->view, prefix, after, &key, &value, &found, e));
		if (!found)
			break;
		TRY(put_row(r, key, value, e));
		after = arena_copy(r->core->arena, key);
	}
	return ERR_OK;
}

static enum err_code
read_status(struct reading *r, struct err *e)
{
	(void)e;
	core_status_json(r->core, r->out);
	return ERR_OK;
}

/* With the hash that its tile holds: a leaf that changed on the disk is then
 * named by whoever verifies the export. */
static enum err_code
export_one(struct reading *r, uint64_t index, struct buf *lines, struct err *e)
{
	struct tile_source tiles = view_tiles(r->view);
	struct entry entry;
	struct bytes hashes;
	TRY(view_entry(r->view, index, r->core->arena, &entry, e));
	TRY(tiles.get(tiles.ctx, 0, index / TILE_WIDTH, &hashes, e));
	size_t at = index % TILE_WIDTH * HASH_LEN;
	if (at + HASH_LEN > hashes.len)
		return err_say(e, ERR_CORRUPT, "export-tile",
		    "a tile of the log is shorter than the log");
	export_entry_stored(lines, &entry, hashes.p + at);
	arena_reset(r->core->arena);
	return ERR_OK;
}

/* u64 index to go on from, then lines. */
static enum err_code
read_export(struct reading *r, struct err *e)
{
	uint64_t size = r->query->limit, i = r->query->index;
	struct buf lines AUTO_BUF = BUF(CORE_ANSWER_MAX);
	if (size > view_log_size(r->view))
		return err_say(e, ERR_INVALID, "export-size",
		    "the log has fewer entries than were asked for");
	if (i == 0) {
		export_header(&lines, r->core->ca.origin, clock_now());
		/* One that was made is in its ceremony, which may stand behind
		 * the last entry that is asked for. */
		for (size_t n = 0; n < r->core->n_issuer; n++)
			if (!r->core->issuer[n]->is_made)
				export_certificate(&lines, "issuer",
				    r->core->issuer[n]->ca.name,
				    buf_bytes(&r->core->issuer[n]->der));
		export_certificate(&lines, "endorser", "endorser",
		    buf_bytes(&r->core->endorser.der));
		export_certificate(&lines, "root", "root",
		    buf_bytes(&r->core->root_der));
	}
	while (i < size && lines.len < EXPORT_PIECE) {
		TRY(export_one(r, i, &lines, e));
		i++;
	}
	TRY(buf_end(&lines, e));
	put_u64(r->out, i);
	buf_put(r->out, lines.p, lines.len);
	return ERR_OK;
}

static bool
public_file(struct core *c, const char *path, struct public_row *row)
{
	uint8_t key[PUBLIC_KEY_MAX];
	return public_get(c->reader, public_file_key(key, bytes_str(path)),
	    row);
}

static enum err_code
read_note(struct core *c, struct bytes *note, struct err *e)
{
	struct public_row row;
	TRY(public_renew(c->reader, e));
	if (!public_file(c, "/checkpoint", &row))
		return err_say(e, ERR_BUSY, "checkpoint-none",
		    "no checkpoint has been signed yet; try again");
	*note = row.body;
	return ERR_OK;
}

static enum err_code
read_seal(struct reading *r, struct err *e)
{
	struct bytes note;
	TRY(read_note(r->core, &note, e));
	buf_put(r->out, note.p, note.len);
	public_release(r->core->reader);
	return ERR_OK;
}

#define EXPORT_CRL_MAX (32u << 20)

/* A long one lies in a file; a line of the export has an end. */
static enum err_code
put_crl(struct reading *r, const char *issuer, const struct public_row *row,
    struct err *e)
{
	struct bytes body = row->body;
	if (row->file[0] == '\0') {
		export_crl(r->out, issuer, body);
		return ERR_OK;
	}
	if (row->file_len > EXPORT_CRL_MAX)
		return err_say(e, ERR_DENIED, "closing-crl-long",
		    "the CRL of %s is too long for a line of the export; "
		    "partition it",
		    issuer);
	TRY(public_file_map(r->core->reader, row, &body, e));
	export_crl(r->out, issuer, body);
	public_file_unmap(body);
	return ERR_OK;
}

/*
 * CRL lines and a checkpoint line, of one moment at which the checkpoint
 * covers the entries of the CRLs.
 */
static enum err_code
read_closing(struct reading *r, struct err *e)
{
	struct core *c = r->core;
	struct bytes note;
	for (size_t n = 0; n < c->n_issuer; n++) {
		if (c->issuer[n]->n_crl > 0 &&
		    c->issuer[n]->crl[0].log_size > c->sealed)
			return err_say(e, ERR_BUSY, "closing-unsettled",
			    "a new CRL is not under a checkpoint yet; try "
			    "again");
	}
	TRY(read_note(c, &note, e));
	for (size_t n = 0; n < c->n_issuer; n++) {
		char path[PATH_LEN];
		struct public_row row;
		snprintf(path, sizeof(path), "/crl/%s.crl",
		    c->issuer[n]->ca.name);
		if (public_file(c, path, &row))
			TRY(put_crl(r, c->issuer[n]->ca.name, &row, e));
	}
	export_checkpoint(r->out, note);
	public_release(c->reader);
	return ERR_OK;
}

static enum err_code
read_proof(struct reading *r, struct err *e)
{
	struct tile_source tiles = view_tiles(r->view);
	struct proof proof;
	struct bytes note;
	char line[64];
	if (r->query->index >= r->core->sealed)
		return err_say(e, ERR_NOTFOUND, "proof-index",
		    "that entry is not under a signed checkpoint yet");
	TRY(merkle_inclusion(r->query->index, r->core->sealed, &tiles, &proof,
	    e));
	TRY(read_note(r->core, &note, e));
	snprintf(line, sizeof(line), "c2sp.org/tlog-proof@v1\nindex %llu\n",
	    (unsigned long long)r->query->index);
	buf_puts(r->out, line);
	for (size_t i = 0; i < proof.n; i++) {
		base64_put(r->out, bytes_of(proof.hash[i], HASH_LEN));
		buf_putc(r->out, '\n');
	}
	buf_putc(r->out, '\n');
	buf_put(r->out, note.p, note.len);
	public_release(r->core->reader);
	return ERR_OK;
}

static enum err_code
read_explain(struct reading *r, struct err *e)
{
	return core_explain(r->core, r->view, r->query->key, r->out, e);
}

/* --- Snapshots: off the loop, because they copy the whole ledger ---------------- */

struct snapshot {
	uv_work_t req;
	struct core *core;
	struct peer *front;
	uint64_t frame_id;
	char dir[PATH_LEN * 2];
	enum err_code code;
	struct err err;
};

static void
snapshot_work(uv_work_t *req)
{
	struct snapshot *s = (struct snapshot *)req;
	s->code = store_snapshot(s->core->store, s->dir, &s->err);
}

static void
snapshot_done(uv_work_t *req, int status)
{
	struct snapshot *s = (struct snapshot *)req;
	struct core *c = s->core;
	bool is_there = false;
	(void)status;
	for (size_t i = 0; i < FRONTS_MAX; i++)
		is_there = is_there || (s->front && c->front[i] == s->front);
	if (is_there && s->code == ERR_OK)
		peer_send(s->front, CORE_SNAPSHOT | CORE_ANSWER, s->frame_id,
		    bytes_str(s->dir));
	else if (is_there)
		reply_refusal(s->front, CORE_SNAPSHOT, s->frame_id, &s->err);
	free(s);
}

static enum err_code
snapshot_begin(struct core *c, struct peer *front, const struct frame *f,
    struct bytes name, struct err *e)
{
	if (c->store == NULL)
		return ledger_unreadable(e);
	for (size_t i = 0; i < name.len; i++) {
		uint8_t x = name.p[i];
		if (!(x >= 'a' && x <= 'z') && !(x >= '0' && x <= '9') &&
		    x != '-')
			return err_say(e, ERR_INVALID, "snapshot-name",
			    "a snapshot's name has only a to z, 0 to 9 and -");
	}
	if (name.len == 0 || name.len > 64)
		return err_say(e, ERR_INVALID, "snapshot-name-length",
		    "a snapshot's name has 1 to 64 characters");
	struct snapshot *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(e);
	s->core = c;
	s->front = front;
	s->frame_id = f->id;
	snprintf(s->dir, sizeof(s->dir), "%s/snapshots/%.*s", c->inst->dir,
	    BYTES_FMT(name));
	uv_queue_work(&c->loop, &s->req, snapshot_work, snapshot_done);
	return ERR_OK;
}

/* --- Dispatch --------------------------------------------------------------------- */

/* clang-format off */
static enum err_code (*const readers[])(struct reading *, struct err *) = {
	[CORE_GET]     = read_row,
	[CORE_LIST]    = read_list,
	[CORE_STATUS]  = read_status,
	[CORE_EXPORT]  = read_export,
	[CORE_SEAL]    = read_seal,
	[CORE_CLOSING] = read_closing,
	[CORE_PROOF]   = read_proof,
	[CORE_EXPLAIN] = read_explain,
};
/* clang-format on */

static enum err_code
query_run(struct core *c, const struct query *q, bool whole, struct buf *out,
    struct err *e)
{
	if ((size_t)q->what >= ARRAY_LEN(readers) || readers[q->what] == NULL)
		return err_say(e, ERR_INVALID, "query-unknown",
		    "core does not know this query");
	struct reading r = { c, core_view(c), q, whole, out };
	if (r.view == NULL && q->what != CORE_STATUS)
		return ledger_unreadable(e);
	enum err_code code = readers[q->what](&r, e);
	arena_reset(c->arena);
	TRY(code);
	return buf_end(out, e);
}

enum err_code
query_answer(struct core *c, struct peer *front, const struct frame *f,
    bool whole, struct err *e)
{
	struct query q;
	struct err refusal;
	TRY(query_decode((enum core_message)f->type, f->body, &q, e));
	enum err_code code;
	if (q.what == CORE_SNAPSHOT) {
		code = snapshot_begin(c, front, f, q.key, &refusal);
		if (code == ERR_OK)
			return ERR_OK;
	} else {
		struct buf out AUTO_BUF = BUF(CORE_ANSWER_MAX);
		code = query_run(c, &q, whole, &out, &refusal);
		if (code == ERR_OK) {
			peer_send(front, (uint16_t)(f->type | CORE_ANSWER),
			    f->id, buf_bytes(&out));
			return ERR_OK;
		}
	}
	reply_refusal(front, f->type, f->id, &refusal);
	return ERR_OK;
}

/* --- The state of the engine, for people and machines -------------------------------- */

static void
status_issuers(struct core *c, struct jw *w)
{
	jw_key(w, "issuers");
	jw_array(w);
	for (size_t n = 0; n < c->n_issuer; n++) {
		const struct core_issuer *i = c->issuer[n];
		/* Without a ledger no list is known, nor before the first one
		 * since the start was published. */
		static const struct core_crl none;
		const struct core_crl *full = i->n_crl > 0 ? &i->crl[0] : &none;
		jw_object(w);
		jw_member_int(w, "crl_next_update", full->next_update);
		jw_member_int(w, "crl_number", full->number);
		/* Core looks for what has not ended; 2: nothing is left. */
		if (i->has_no_key)
			jw_member_int(w, "destroyed", i->is_over ? 2 : 1);
		jw_member_str(w, "name", bytes_str(i->ca.name));
		jw_member_int(w, "not_after", i->ca.cert.not_after);
		jw_member_int(w, "responder_not_after", i->responder_not_after);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static int64_t
files_that_differ(const struct core *c)
{
	int64_t n = 0;
	for (size_t i = 0; i < c->n_policy_file; i++)
		n += policy_find_hash(c->policies, c->policy_file[i].sha256) ==
		     NULL;
	return n;
}

void
core_status_json(struct core *c, struct buf *out)
{
	struct store_stats stats = { .entries = 0 };
	struct err e;
	if (c->store != NULL && store_stats(c->store, &stats, &e) != ERR_OK)
		log_err("store-stats", &e);
	struct jw w = jw_of(out);
	jw_object(&w);
	jw_member_int(&w, "acts", (int64_t)c->acts);
	jw_member_int(&w, "answers_due", (int64_t)due_count(c));
	jw_member_int(&w, "answers_signed",
	    (int64_t)atomic_load_explicit(&counters->value[COUNT_PUBLISHED],
		memory_order_relaxed));
	core_ceilings_json(c, &w);
	jw_member_int(&w, "entries", (int64_t)c->log_size);
	status_issuers(c, &w);
	jw_member_int(&w, "map_octets", (int64_t)stats.map_bytes);
	jw_member_int(&w, "map_used", (int64_t)stats.used_bytes);
	jw_member_int(&w, "now", clock_now());
	jw_member_str(&w, "ocsp_signer",
	    bytes_str(c->ocsp_ready ? "here" : "away"));
	jw_member_str(&w, "origin", c->ca.origin);
	jw_member_int(&w, "policies", (int64_t)c->policies->n);
	jw_member_int(&w, "policy_files_differ", files_that_differ(c));
	jw_member_int(&w, "published", (int64_t)c->published);
	jw_member_str_opt(&w, "read_only",
	    bytes_str(c->read_only ? c->read_only_why : ""));
	jw_member_int(&w, "refusals", (int64_t)c->refusals);
	jw_member_int(&w, "sealed", (int64_t)c->sealed);
	jw_member_str(&w, "signer",
	    bytes_str(c->signer_ready ? "here" : "away"));
	jw_member_str(&w, "version", bytes_str(REFRENDO_VERSION));
	jw_close(&w, '}');
}
