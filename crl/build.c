/*
 * build - the one function that builds every CRL.  The first pass over the
 * entries only adds up lengths; the second writes each octet once, in blocks,
 * so that memory is one block however long the list is.
 */
#include "internal.h"

static bool
in_time(int64_t t)
{
	return t >= 0 && t <= TIME_LAST;
}

static enum err_code
entry_fault(const struct crl_entry *x, struct bytes last, bool is_delta,
    struct err *e)
{
	char hex[HEX_LEN(SERIAL_MAX)] = "";
	if (x->serial.len <= SERIAL_MAX)
		hex_print(hex, x->serial);
	if (x->serial.len == 0 || x->serial.len > SERIAL_MAX ||
	    x->serial.p[0] == 0)
		return err_at(e, ERR_CORRUPT, "crl-entry-serial",
		    "RFC 5280 5.1.2.6", NOWHERE,
		    "an entry for a CRL has the serial number %s, which no "
		    "certificate may have",
		    hex);
	if (last.len > 0 && bytes_cmp(last, x->serial) >= 0)
		return err_at(e, ERR_CORRUPT, "crl-entry-order", NULL, NOWHERE,
		    "the entries for a CRL are not in ascending order of "
		    "serial at %s",
		    hex);
	if (!reason_exists(x->reason, is_delta))
		return err_at(e, ERR_CORRUPT, "crl-entry-reason",
		    "RFC 5280 5.3.1", NOWHERE,
		    "the entry %s for a CRL has a reason other than 0 to 6 "
		    "and 9, or 8 outside a delta",
		    hex);
	return err_at(e, ERR_CORRUPT, "crl-entry-time", "RFC 5280 5.1.2.6",
	    NOWHERE, "the entry %s for a CRL has a date outside 1970 to 9999",
	    hex);
}

static enum err_code
entry_judge(const struct crl_entry *x, struct bytes last, bool is_delta,
    struct err *e)
{
	bool good = x->serial.len > 0 && x->serial.len <= SERIAL_MAX &&
		    x->serial.p[0] != 0 && bytes_cmp(last, x->serial) < 0 &&
		    reason_exists(x->reason, is_delta) &&
		    in_time(x->revoked_at) && in_time(x->invalid_since);
	return good ? ERR_OK : entry_fault(x, last, is_delta, e);
}

enum err_code
crl_entry_print(const struct crl_entry *x, uint8_t out[CRL_ENTRY_MAX],
    size_t *len, struct err *e)
{
	struct day day = { .day = -1 };
	TRY(entry_judge(x, BYTES_NONE, false, e));
	*len = (size_t)(entry_put(out, x, &day) - out);
	return ERR_OK;
}

/* Where the entries come from: one of the two. */
struct feed {
	const struct crl_source *source;
	const struct crl_runs *runs;
};

static enum err_code
plan_add(struct crl_plan *plan, size_t entries, size_t octets, struct err *e)
{
	plan->entries += entries;
	plan->list += octets;
	if (plan->list <= CRL_MAX_BYTES - FRONT_MAX - TAIL_MAX)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "crl-too-large", NULL, NOWHERE,
	    "the CRL would be longer than the %s octets that it may have; "
	    "partition it",
	    "1073741824");
}

/* First pass: octets of all entries. */
static enum err_code
measure(const struct crl_spec *spec, const struct crl_source *source,
    struct crl_plan *plan, struct err *e)
{
	struct crl_entry x;
	uint8_t room[SERIAL_MAX];
	struct bytes last = BYTES_NONE;
	bool more = true;
	TRY(source->rewind(source->ctx, e));
	while (true) {
		TRY(source->next(source->ctx, &x, &more, e));
		if (!more)
			return ERR_OK;
		TRY(entry_judge(&x, last, spec->base > 0, e));
		memcpy(room, x.serial.p, x.serial.len);
		last = bytes_of(room, x.serial.len);
		TRY(plan_add(plan, 1, entry_len(&x), e));
	}
}

static enum err_code
measure_runs(const struct crl_runs *runs, struct crl_plan *plan, struct err *e)
{
	struct bytes run;
	size_t n;
	bool more = true;
	TRY(runs->rewind(runs->ctx, e));
	while (true) {
		TRY(runs->next(runs->ctx, &run, &n, &more, e));
		if (!more)
			return ERR_OK;
		TRY(plan_add(plan, n, run.len, e));
	}
}

/* --- What stands around the entries ---------------------------------------- */

static void
put_extension(struct der_w *w, enum pkix_oid oid, bool critical, size_t mark)
{
	der_wrap(w, DER_OCTET_STRING, mark);
	if (critical)
		der_put_bool(w, true);
	der_put_oid(w, oid_known(oid));
	der_wrap(w, DER_SEQUENCE, mark);
}

/* DistributionPointName: fullName, one URI. */
static void
put_url(struct der_w *w, struct bytes url, size_t mark)
{
	der_put(w, DER_CONTEXT(6), url);
	der_wrap(w, DER_CONTEXT_CONS(0), mark);
	der_wrap(w, DER_CONTEXT_CONS(0), mark);
	der_wrap(w, DER_SEQUENCE, mark);
}

static enum err_code
build_tail(const struct crl_spec *spec, struct der_w *w, struct bytes *out,
    struct err *e)
{
	size_t whole = der_mark(w), mark = whole;
	if (spec->freshest.len > 0) {
		put_url(w, spec->freshest, mark);
		der_wrap(w, DER_SEQUENCE, mark);
		put_extension(w, OID_EXT_FRESHEST, false, mark);
		mark = der_mark(w);
	}
	if (spec->url.len > 0) {
		put_url(w, spec->url, mark);
		put_extension(w, OID_EXT_IDP, true, mark);
		mark = der_mark(w);
	}
	if (spec->base > 0) {
		der_put_uint(w, spec->base);
		put_extension(w, OID_EXT_DELTA, true, mark);
		mark = der_mark(w);
	}
	der_put_uint(w, spec->number);
	put_extension(w, OID_EXT_CRL_NUMBER, false, mark);
	mark = der_mark(w);
	der_put(w, DER_CONTEXT(0), spec->issuer_ski);
	der_wrap(w, DER_SEQUENCE, mark);
	put_extension(w, OID_EXT_AKI, false, mark);
	der_wrap(w, DER_SEQUENCE, whole);
	der_wrap(w, DER_CONTEXT_CONS(0), whole);
	return der_w_end(w, out, e);
}

static enum err_code
build_front(const struct crl_spec *spec, struct der_w *w, struct bytes *out,
    struct err *e)
{
	der_put_time(w, spec->next_update);
	der_put_time(w, spec->this_update);
	der_raw(w, spec->issuer);
	der_raw(w, key_type_sigalg(spec->issuer_type));
	der_put_uint(w, 1);
	return der_w_end(w, out, e);
}

static enum err_code
judge_scope(const struct crl_spec *spec, struct err *e)
{
	bool good = spec->url.len <= CRL_URL_MAX &&
		    spec->freshest.len <= CRL_URL_MAX &&
		    (spec->base == 0 ||
			(spec->base < spec->number && spec->freshest.len == 0));
	if (good)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "crl-spec-scope", "RFC 5280 5.2.4",
	    NOWHERE,
	    "a CRL was ordered with an address that is too long, or a delta "
	    "that rests on no earlier CRL or names another delta");
}

static enum err_code
judge_spec(const struct crl_spec *spec, struct err *e)
{
	if (spec->issuer.len <= 2 || spec->issuer.len > NAME_DER_MAX ||
	    spec->issuer_ski.len == 0 || spec->issuer_ski.len > SHA256_LEN)
		return err_at(e, ERR_INVALID, "crl-spec", "RFC 5280 5.1.2.3",
		    NOWHERE,
		    "a CRL was ordered without its issuer's name or key "
		    "identifier");
	if (!in_time(spec->this_update) || !in_time(spec->next_update) ||
	    spec->this_update >= spec->next_update)
		return err_at(e, ERR_INVALID, "crl-spec-times",
		    "RFC 5280 5.1.2.5", NOWHERE,
		    "a CRL was ordered that ends before it begins");
	return judge_scope(spec, e);
}

/* Length of what stands before the entries, with the heads of both lists. */
static size_t
front_len(const struct crl_plan *plan, size_t front, size_t tail,
    size_t *content)
{
	/* An empty list is left out whole (RFC 5280 5.1.2.6). */
	size_t list = plan->list == 0 ? 0 : head_len(plan->list);
	*content = front + list + plan->list + tail;
	return head_len(*content) + front + list;
}

static enum err_code
make_plan(const struct crl_spec *spec, struct feed from, struct crl_plan *plan,
    struct err *e)
{
	uint8_t room[FRONT_MAX];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes front, tail;
	size_t content;
	TRY(judge_spec(spec, e));
	plan->entries = plan->list = 0;
	if (from.runs != NULL)
		TRY(measure_runs(from.runs, plan, e));
	else
		TRY(measure(spec, from.source, plan, e));
	TRY(build_front(spec, &w, &front, e));
	w = der_w_of(room, sizeof(room));
	TRY(build_tail(spec, &w, &tail, e));
	plan->length = front_len(plan, front.len, tail.len, &content) +
		       plan->list + tail.len;
	return ERR_OK;
}

enum err_code
crl_plan(const struct crl_spec *spec, const struct crl_source *source,
    struct crl_plan *plan, struct err *e)
{
	return make_plan(spec, (struct feed){ source, NULL }, plan, e);
}

enum err_code
crl_plan_runs(const struct crl_spec *spec, const struct crl_runs *runs,
    struct crl_plan *plan, struct err *e)
{
	return make_plan(spec, (struct feed){ NULL, runs }, plan, e);
}

/* --- Second pass ---------------------------------------------------------- */

struct out {
	uint8_t *p, *end;
	struct crl_sink *sink;
	size_t left; /* octets of entries still to come */
	struct day day;
};

static enum err_code
flush(struct out *o, struct err *e)
{
	struct crl_sink *sink = o->sink;
	struct bytes block =
	    bytes_of(sink->block, (size_t)(o->p - sink->block));
	if (block.len > 0)
		TRY(sink->put(sink->ctx, block, e));
	o->p = sink->block;
	o->end = sink->block + sink->size;
	return ERR_OK;
}

static enum err_code
put_part(struct out *o, struct bytes part, struct err *e)
{
	if ((size_t)(o->end - o->p) < part.len)
		TRY(flush(o, e));
	memcpy(o->p, part.p, part.len);
	o->p += part.len;
	return ERR_OK;
}

static enum err_code
put_front(struct out *o, const struct crl_spec *spec,
    const struct crl_plan *plan, size_t tail, struct err *e)
{
	uint8_t room[FRONT_MAX], heads[HEAD_MAX];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes front;
	size_t content;
	TRY(build_front(spec, &w, &front, e));
	(void)front_len(plan, front.len, tail, &content);
	uint8_t *end = head_put(heads, DER_SEQUENCE, content);
	TRY(put_part(o, bytes_of(heads, (size_t)(end - heads)), e));
	TRY(put_part(o, front, e));
	if (plan->list == 0)
		return ERR_OK;
	end = head_put(heads, DER_SEQUENCE, plan->list);
	return put_part(o, bytes_of(heads, (size_t)(end - heads)), e);
}

static enum err_code
source_changed(struct err *e)
{
	return err_at(e, ERR_CORRUPT, "crl-source", NULL, NOWHERE,
	    "the entries for a CRL changed between two readings of them");
}

static enum err_code
put_entries(struct out *o, const struct crl_spec *spec,
    const struct crl_source *source, struct err *e)
{
	static const uint8_t least[1] = { 0 };
	struct crl_entry x;
	bool more = true;
	TRY(source->rewind(source->ctx, e));
	while (true) {
		TRY(source->next(source->ctx, &x, &more, e));
		if (!more)
			return o->left == 0 ? ERR_OK : source_changed(e);
		TRY(entry_judge(&x, bytes_of(least, 1), spec->base > 0, e));
		size_t len = entry_len(&x);
		if (len > o->left)
			return source_changed(e);
		if ((size_t)(o->end - o->p) < ENTRY_MAX)
			TRY(flush(o, e));
		o->p = entry_put(o->p, &x, &o->day);
		o->left -= len;
	}
}

/* Blocks are filled whole: entries are cut where one ends. */
static enum err_code
put_run(struct out *o, struct bytes run, struct err *e)
{
	while (run.len > 0) {
		size_t room = (size_t)(o->end - o->p);
		size_t n = run.len < room ? run.len : room;
		memcpy(o->p, run.p, n);
		o->p += n;
		run.p += n;
		run.len -= n;
		if (n == room)
			TRY(flush(o, e));
	}
	return ERR_OK;
}

static enum err_code
put_runs(struct out *o, const struct crl_runs *runs, struct err *e)
{
	struct bytes run;
	size_t n;
	bool more = true;
	TRY(runs->rewind(runs->ctx, e));
	while (true) {
		TRY(runs->next(runs->ctx, &run, &n, &more, e));
		if (!more)
			return o->left == 0 ? ERR_OK : source_changed(e);
		if (run.len > o->left)
			return source_changed(e);
		TRY(put_run(o, run, e));
		o->left -= run.len;
	}
}

static enum err_code
write_all(const struct crl_spec *spec, const struct crl_plan *plan,
    struct feed from, struct crl_sink *sink, struct err *e)
{
	uint8_t room[TAIL_MAX];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes tail;
	struct out o = { .p = sink->block,
		.end = sink->block + sink->size,
		.sink = sink,
		.left = plan->list,
		.day = { .day = -1 } };
	if (sink->size < CRL_BLOCK_MIN)
		fatal("a block of %zu octets for a CRL", sink->size);
	TRY(build_tail(spec, &w, &tail, e));
	TRY(put_front(&o, spec, plan, tail.len, e));
	if (plan->list > 0 && from.runs != NULL)
		TRY(put_runs(&o, from.runs, e));
	else if (plan->list > 0)
		TRY(put_entries(&o, spec, from.source, e));
	TRY(put_part(&o, tail, e));
	return flush(&o, e);
}

enum err_code
crl_write(const struct crl_spec *spec, const struct crl_plan *plan,
    const struct crl_source *source, struct crl_sink *sink, struct err *e)
{
	return write_all(spec, plan, (struct feed){ source, NULL }, sink, e);
}

enum err_code
crl_write_runs(const struct crl_spec *spec, const struct crl_plan *plan,
    const struct crl_runs *runs, struct crl_sink *sink, struct err *e)
{
	return write_all(spec, plan, (struct feed){ NULL, runs }, sink, e);
}

/* --- All of it in memory --------------------------------------------------------- */

static enum err_code
put_block(void *ctx, struct bytes block, struct err *e)
{
	struct buf *tbs = ctx;
	buf_put(tbs, block.p, block.len);
	return buf_end(tbs, e);
}

enum err_code
crl_build_tbs(const struct crl_spec *spec, const struct crl_source *source,
    struct buf *tbs, struct err *e)
{
	uint8_t block[CRL_BLOCK_MIN];
	struct crl_sink sink = { tbs, put_block, block, sizeof(block) };
	struct crl_plan plan;
	TRY(crl_plan(spec, source, &plan, e));
	return crl_write(spec, &plan, source, &sink, e);
}
