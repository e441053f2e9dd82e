/*
 * publish_pass - the rows of public/ beside what was exported, both in the
 * order of their keys: new and changed ones are written, ended ones removed.
 * Memory is that of one batch, however many rows there are.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refrendo/audit.h>

#include "audit.h"
#include "publish.h"

#define SLICE     1024 /* rows for each read transaction */
#define SHOW_MS   250
#define PARTIAL_S DAY /* partial tiles stay so long beside the full one */

/* --- Names of files ------------------------------------------------------------ */

/*
 * "ocsp/XY/NAME": base64 has slashes, which would make a directory for one
 * certificate in three, so that they are '_' here; XY are its last two
 * characters before any '=', which come from the end of the serial, so that
 * no directory grows large.  The web server rewrites paths to these names.
 */
static void
ocsp_name(const char *base64, char out[PUBLISH_PATH])
{
	size_t len = strcspn(base64, "=");
	snprintf(out, PUBLISH_PATH, "ocsp/%.2s/%s", base64 + len - 2, base64);
	for (char *p = out + strlen("ocsp/"); *p != '\0'; p++) {
		if (*p == '/' && p != out + strlen("ocsp/XY"))
			*p = '_';
	}
}

/* The place of its issuer, in a key of an OCSP answer. */
static size_t
issuer_of(struct bytes key)
{
	return (size_t)key.p[1] << 8 | key.p[2];
}

static enum err_code
ocsp_names(const struct publish *p, struct bytes key,
    char name[PUBLISH_NAMES][PUBLISH_PATH], struct err *e)
{
	for (int form = 0; form < OCSP_FORMS; form++) {
		char path[OCSP_GET_PATH];
		TRY(ocsp_get_path(&p->issuer[issuer_of(key)].id,
		    bytes_of(key.p + 3, key.len - 3), (enum ocsp_form)form,
		    path, e));
		ocsp_name(path, name[form]);
	}
	return ERR_OK;
}

static bool
is_ocsp(const struct publish *p, struct bytes key)
{
	return key.len > 3 && key.p[0] == 'o' && issuer_of(key) < p->n_issuer;
}

/* "f/crl/x.crl" is crl/x.crl. */
static bool
file_name(struct bytes key, char out[PUBLISH_PATH])
{
	if (key.len < 3 || key.p[0] != 'f' || key.p[1] != '/')
		return false;
	snprintf(out, PUBLISH_PATH, "%.*s",
	    BYTES_FMT(bytes_of(key.p + 2, key.len - 2)));
	return true;
}

/* --- Results -------------------------------------------------------------------- */

static void
refuse(struct publish *p, const char *name, struct err *f)
{
	f->where = at_field(name);
	p->refused++;
	err_list_add(&p->refusals, f);
}

static void
show(struct publish *p)
{
	if (!p->shows || clock_mono_ms() < p->shown_ms + SHOW_MS)
		return;
	p->shown_ms = clock_mono_ms();
	fprintf(stderr, "\r%llu / %llu", (unsigned long long)p->written,
	    (unsigned long long)p->rows);
}

static void
record_of(struct bytes key, const struct public_row *row, uint64_t number,
    struct exported *out)
{
	*out = (struct exported){ .key_len = (uint8_t)key.len,
		.next_update = row->next_update,
		.number = number };
	memcpy(out->key, key.p, key.len);
	(void)hex_parse(bytes_str(row->etag), out->etag, sizeof(out->etag));
}

static enum err_code
write_names(struct publish *p, char (*name)[PUBLISH_PATH], size_t n,
    struct bytes body, struct err *e)
{
	bool looks = p->full || p->forgot || n == 1;
	for (size_t i = 0; looks && sink_has(p->sink, name[i], body); i++) {
		if (i + 1 == n)
			return ERR_OK;
	}
	TRY(sink_put(p->sink, name, n, body, e));
	p->written++;
	p->octets += body.len;
	return ERR_OK;
}

/* --- Rows, by their kind ---------------------------------------------------------- */

/* Does the answer say of itself what the row says of it? */
static bool
is_sound_answer(const struct publish *p, struct bytes key,
    const struct public_row *row)
{
	struct ocsp_answer a;
	struct err ignored;
	if (ocsp_answer_parse(row->body, &a, &ignored) != ERR_OK)
		return false;
	for (size_t i = 0; i < a.n_single; i++) {
		const struct ocsp_single *s = &a.single[i];
		if (!ocsp_id_matches(&s->id, &p->issuer[issuer_of(key)].id) ||
		    !bytes_eq(s->id.serial, bytes_of(key.p + 3, key.len - 3)) ||
		    s->next_update <= p->now ||
		    s->next_update != row->next_update)
			return false;
	}
	return true;
}

static enum err_code
put_ocsp(struct publish *p, struct bytes key, const struct public_row *row,
    bool *kept, struct err *e)
{
	char name[PUBLISH_NAMES][PUBLISH_PATH];
	struct err f;
	TRY(ocsp_names(p, key, name, e));
	*kept = is_sound_answer(p, key, row);
	if (*kept)
		return write_names(p, name, OCSP_FORMS, row->body, e);
	(void)err_say(&f, ERR_DENIED, "publish-answer",
	    "an OCSP answer does not read, has expired, or is about another "
	    "certificate; it stays out");
	snprintf(name[0], sizeof(name[0]), "ocsp: ");
	hex_print(name[0] + strlen(name[0]), bytes_of(key.p + 2, key.len - 2));
	refuse(p, name[0], &f);
	return ERR_OK;
}

/* The first width entries of a bundle: each has a 16-bit length before it. */
static struct bytes
bundle_cut(struct bytes bundle, unsigned width)
{
	size_t at = 0;
	for (unsigned i = 0; i < width; i++) {
		if (at + 2 > bundle.len)
			return BYTES_NONE;
		at += 2 + ((size_t)bundle.p[at] << 8 | bundle.p[at + 1]);
	}
	return at <= bundle.len ? bytes_of(bundle.p, at) : BYTES_NONE;
}

/* How much of tile n the checkpoint covers: 0 to TILE_WIDTH. */
static unsigned
width_of(uint64_t size, int level, uint64_t n)
{
	for (; level > 0; level--)
		size /= TILE_WIDTH;
	if (size / TILE_WIDTH > n)
		return TILE_WIDTH;
	return size / TILE_WIDTH == n ? (unsigned)(size % TILE_WIDTH) : 0;
}

/*
 * A tile is stored whole and grows; a static server needs each width that a
 * checkpoint asks for (C2SP tlog-tiles).  Partial ones stay for a day beside
 * the full one, for readers of an older checkpoint.
 */
static enum err_code
put_tile(struct publish *p, const char *name, const struct public_row *row,
    uint64_t *width, struct err *e)
{
	char as[1][PUBLISH_PATH];
	int level;
	uint64_t n;
	unsigned whole, w;
	struct err f;
	if (!tile_path_parse(bytes_str(name), &level, &n, &whole))
		return err_say(e, ERR_CORRUPT, "publish-tile",
		    "%s is no tile of a log", name);
	w = width_of(p->log_size, level, n);
	*width = w;
	if (w == 0)
		return ERR_OK;
	struct bytes body = level < 0
				? bundle_cut(row->body, w)
				: bytes_of(row->body.p, (size_t)w * HASH_LEN);
	if (body.len == 0 || body.len > row->body.len) {
		(void)err_say(&f, ERR_CORRUPT, "publish-tile-short",
		    "a tile of the log is shorter than the checkpoint says; "
		    "it stays out");
		refuse(p, name, &f);
		*width = 0;
		return ERR_OK;
	}
	tile_path(as[0], sizeof(as[0]),
	    level < 0 ? TILE_ENTRIES : (unsigned)level, n, w);
	return write_names(p, as, 1, body, e);
}

static enum err_code
put_crl_body(struct publish *p, char name[1][PUBLISH_PATH], struct bytes body,
    uint64_t *number, bool *kept, struct err *e)
{
	struct crl crl;
	struct err f;
	*kept = true;
	if (sink_has(p->sink, name[0], body)) {
		if (crl_parse(body, &crl, &f) == ERR_OK)
			*number = crl.number;
		return ERR_OK;
	}
	if (publish_judge_crl(p, name[0], body, *number, number, &f) == ERR_OK)
		return write_names(p, name, 1, body, e);
	*kept = false;
	refuse(p, name[0], &f);
	return ERR_OK;
}

/* A long one lies in a file; when it was replaced meanwhile, the next pass
 * takes the new one. */
static enum err_code
put_crl(struct publish *p, char name[1][PUBLISH_PATH],
    const struct public_row *row, uint64_t *number, bool *kept, struct err *e)
{
	struct bytes body;
	struct err f;
	if (row->file[0] == '\0')
		return put_crl_body(p, name, row->body, number, kept, e);
	*kept = false;
	if (public_file_map(p->reader, row, &body, &f) != ERR_OK) {
		refuse(p, name[0], &f);
		return ERR_OK;
	}
	enum err_code code = put_crl_body(p, name, body, number, kept, e);
	public_file_unmap(body);
	return code;
}

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* kept: its record is new; else that of the last run stays, if there is one. */
static enum err_code
put_file(struct publish *p, struct bytes key, const struct public_row *row,
    uint64_t *number, bool *kept, struct err *e)
{
	char name[1][PUBLISH_PATH];
	*kept = true;
	if (!file_name(key, name[0]))
		return ERR_OK;
	if (has_prefix(name[0], "tile/"))
		return put_tile(p, name[0], row, number, e);
	if (has_prefix(name[0], "crl/"))
		return put_crl(p, name, row, number, kept, e);
	/* Last of all, when what it covers is there. */
	if (strcmp(name[0], "checkpoint") == 0)
		return ERR_OK;
	return write_names(p, name, 1, row->body, e);
}

/* --- One row against the last state ------------------------------------------------- */

static bool
is_same_row(const struct exported *old, const struct public_row *row)
{
	uint8_t etag[sizeof(old->etag)];
	return old != NULL &&
	       hex_parse(bytes_str(row->etag), etag, sizeof(etag)) &&
	       memcmp(etag, old->etag, sizeof(etag)) == 0;
}

/* A tile may have grown in the checkpoint's eyes alone. */
static bool
is_done(const struct publish *p, const struct exported *old,
    const struct public_row *row, const char *name)
{
	int level;
	uint64_t n;
	unsigned whole;
	if (p->full || !is_same_row(old, row))
		return false;
	return !has_prefix(name, "tile/") ||
	       (tile_path_parse(bytes_str(name), &level, &n, &whole) &&
		   old->number == width_of(p->log_size, level, n));
}

static void
drop_partials(struct publish *p, const char *name, struct exported *x)
{
	char partial[PUBLISH_PATH + 2];
	if (x->next_update == 0 || x->next_update > p->now)
		return;
	snprintf(partial, sizeof(partial), "%s.p", name);
	sink_remove_dir(p->sink, partial);
	x->next_update = 0;
}

static enum err_code
one_row(struct publish *p, struct bytes key, const struct public_row *row,
    const struct exported *old, struct err *e)
{
	char name[PUBLISH_PATH] = "";
	struct exported x;
	uint64_t number = old == NULL ? 0 : old->number;
	bool kept = true;
	(void)file_name(key, name);
	p->rows++;
	show(p);
	if (is_done(p, old, row, name)) {
		x = *old;
		if (has_prefix(name, "tile/"))
			drop_partials(p, name, &x);
		state_put(p->out, &x);
		return ERR_OK;
	}
	/* What was exported before may be put back; all else must be newer. */
	if (has_prefix(name, "crl/") && is_same_row(old, row) && number > 0)
		number--;
	if (is_ocsp(p, key))
		TRY(put_ocsp(p, key, row, &kept, e));
	else
		TRY(put_file(p, key, row, &number, &kept, e));
	if (kept) {
		record_of(key, row, number, &x);
		/* Its partial ones are to be removed then. */
		if (has_prefix(name, "tile/") && number == TILE_WIDTH)
			x.next_update = p->now + PARTIAL_S;
		state_put(p->out, &x);
	} else if (old != NULL) {
		state_put(p->out, old);
	}
	return ERR_OK;
}

/* --- What is no longer there ------------------------------------------------------- */

/* Only what ends is removed, and only after its end: OCSP answers and CRLs. */
static enum err_code
gone(struct publish *p, const struct exported *old, struct err *e)
{
	char name[PUBLISH_NAMES][PUBLISH_PATH];
	struct bytes key = bytes_of(old->key, old->key_len);
	size_t n = 0;
	if (is_ocsp(p, key)) {
		TRY(ocsp_names(p, key, name, e));
		n = OCSP_FORMS;
	} else if (file_name(key, name[0]) && has_prefix(name[0], "crl/")) {
		n = 1;
	}
	if (n == 0 || old->next_update == 0 || old->next_update > p->now) {
		state_put(p->out, old);
		return ERR_OK;
	}
	for (size_t i = 0; i < n; i++)
		TRY(sink_remove(p->sink, name[i], e));
	p->removed++;
	return ERR_OK;
}

/* An answer that core has not renewed in time: stale is worse than none. */
static bool
is_stale(const struct publish *p, struct bytes key,
    const struct public_row *row)
{
	return is_ocsp(p, key) && row->next_update <= p->now;
}

/* --- The merge ----------------------------------------------------------------------- */

static void
advance(struct publish *p)
{
	if (p->in != NULL && state_next(p->in, &p->next))
		return;
	p->forgot = !sink_is_new(p->sink);
	p->next.key_len = 0;
}

static enum err_code
on_row(void *ctx, struct bytes key, const struct public_row *row, struct err *e)
{
	struct publish *p = ctx;
	struct exported old;
	while (p->next.key_len > 0) {
		int order =
		    bytes_cmp(bytes_of(p->next.key, p->next.key_len), key);
		if (order > 0)
			break;
		old = p->next;
		advance(p);
		if (order == 0)
			return is_stale(p, key, row)
				   ? gone(p, &old, e)
				   : one_row(p, key, row, &old, e);
		TRY(gone(p, &old, e));
	}
	return is_stale(p, key, row) ? ERR_OK : one_row(p, key, row, NULL, e);
}

/* What this export will show of the log: the checkpoint that is there now.
 * What comes later is left to the next pass. */
static enum err_code
take_checkpoint(struct publish *p, struct public_reader *r, struct err *e)
{
	uint8_t room[PUBLIC_KEY_MAX];
	struct bytes key = public_file_key(room, bytes_str("/checkpoint"));
	struct public_row row;
	TRY(public_renew(r, e));
	p->version = public_version(r);
	p->n_issuer = public_issuers(r, 0, p->issuer, ISSUERS_MAX);
	buf_reset(&p->checkpoint);
	p->log_size = 0;
	if (public_get(r, key, &row))
		buf_put(&p->checkpoint, row.body.p, row.body.len);
	enum err_code code = publish_made(p, r, e);
	public_release(r);
	TRY(code);
	TRY(buf_end(&p->checkpoint, e));
	if (p->checkpoint.len == 0)
		return ERR_OK;
	return size_of_note(buf_bytes(&p->checkpoint), &p->log_size, e);
}

static enum err_code
merge(struct publish *p, struct public_reader *r, struct err *e)
{
	struct public_cursor at = { .len = 0 };
	bool more = true;
	while (more && !publish_stopped()) {
		TRY(public_renew(r, e));
		enum err_code code =
		    public_walk(r, &at, SLICE, on_row, p, &more, e);
		public_release(r);
		TRY(code);
	}
	while (p->next.key_len > 0 && !more) {
		struct exported old = p->next;
		advance(p);
		TRY(gone(p, &old, e));
	}
	return sink_flush(p->sink, e);
}

/* A log does not shrink: whoever saw the longer one would call it forged. */
static enum err_code
put_checkpoint(struct publish *p, struct err *e)
{
	char name[1][PUBLISH_PATH] = { "checkpoint" };
	struct buf there AUTO_BUF = BUF(CHECKPOINT_MAX);
	struct err f;
	uint64_t size = 0;
	if (p->checkpoint.len == 0)
		return ERR_OK;
	if (sink_read(p->sink, name[0], &there) &&
	    size_of_note(buf_bytes(&there), &size, &f) == ERR_OK &&
	    size > p->log_size) {
		(void)err_say(&f, ERR_DENIED, "publish-checkpoint-back",
		    "the checkpoint covers less of the log than the one that "
		    "is exported already; the old one stays");
		refuse(p, name[0], &f);
		return ERR_OK;
	}
	TRY(write_names(p, name, 1, buf_bytes(&p->checkpoint), e));
	return sink_flush(p->sink, e);
}

enum err_code
publish_pass(struct publish *p, struct public_reader *r, struct err *e)
{
	p->reader = r;
	p->rows = p->written = p->removed = p->refused = p->octets = 0;
	p->now = clock_now();
	err_list_fini(&p->refusals);
	TRY(take_checkpoint(p, r, e));
	TRY(state_create(sink_own(p->sink), &p->out, e));
	p->in = state_open(sink_own(p->sink));
	p->forgot = false;
	advance(p);
	enum err_code code = merge(p, r, e);
	state_close(p->in);
	p->in = NULL;
	if (code == ERR_OK && !publish_stopped())
		code = put_checkpoint(p, e);
	if (code == ERR_OK && (p->full || p->forgot))
		publish_sweep(p);
	/* A pass that did not come to its end is done again. */
	if (code == ERR_OK && !publish_stopped())
		code = state_end(TAKE(p->out), e);
	else
		state_abandon(TAKE(p->out));
	TRY(code);
	if (p->shows && p->written > 0)
		fputc('\n', stderr);
	if (publish_stopped())
		return ERR_OK;
	return sink_rename_own(p->sink, "state.new", "state", e);
}
