/*
 * core_crl_delta - deltas: when one is due, and what stands in it (RFC 5280
 * 5.2.4).  A delta rests on the complete list of its scope that is in public/;
 * it tells each certificate whose status changed behind what that list covers,
 * by the rows that apply keeps for it (ROW_CHANGED), and costs as much.
 */
#include <stdlib.h>
#include <string.h>

#include "core_crl.h"

/* 2 MiB of memory; with more a complete list is no longer. */
#define CHANGES_MAX 65536u

/* --- When --------------------------------------------------------------------- */

/* Can a delta rest on this complete list?  On one of this run alone: what an
 * earlier one left in public/ may be behind the log. */
static bool
takes_deltas(const struct core_crl *l)
{
	return l != NULL && l->number > 0 && l->names_deltas &&
	       l->kept_since > 0 && l->covers > (uint64_t)l->kept_since;
}

bool
delta_wants_complete(const struct core_crl *l, struct crl_terms t)
{
	if (l->is_delta || l->number == 0)
		return false;
	return t.delta > 0 ? !takes_deltas(l) : l->names_deltas;
}

/*
 * With each new complete list, whose number is above that of the delta before
 * it; after each change; and by the period.
 */
bool
delta_is_due(struct core_issuer *i, const struct core_crl *l,
    struct crl_terms t, int64_t now)
{
	const struct core_crl *base = crl_twin(i, l);
	if (t.delta == 0 || !takes_deltas(base))
		return false;
	return l->is_wanted || l->base != base->number ||
	       now >= crl_due_at(l->this_update, l->next_update, t.delta) -
			  crl_jitter(i, l, t.delta);
}

void
delta_want(struct core_issuer *i, int64_t partition)
{
	struct core_crl *base = crl_list(i, partition);
	struct core_crl *delta = crl_twin(i, base);
	if (delta != NULL && takes_deltas(base))
		delta->is_wanted = true;
	else
		base->is_wanted = true;
}

void
delta_give_up(struct core_issuer *i, struct core_crl *l)
{
	l->is_wanted = false;
	crl_list(i, l->partition)->is_wanted = true;
}

/* Nobody renews it any more, and stale is worse than none. */
static enum err_code
withdraw(struct core *c, struct core_issuer *i, struct core_crl *l,
    struct err *e)
{
	struct public_txn *t = NULL;
	uint8_t key[PUBLIC_KEY_MAX];
	char path[CRL_URL_MAX];
	if (!l->is_open)
		return ERR_OK;
	crl_path(path, i->ca.name, l->partition, true);
	TRY(public_begin(c->public, &t, e));
	enum err_code code =
	    public_del(t, public_file_key(key, bytes_str(path)), e);
	if (code == ERR_OK)
		code = public_commit(TAKE(t), e);
	public_abort(t);
	l->is_open = false;
	l->number = l->base = 0;
	return code;
}

enum err_code
deltas_turn(struct core *c, struct err *e)
{
	for (size_t n = 0; n < c->n_issuer; n++) {
		struct core_issuer *i = c->issuer[n];
		struct crl_terms t = crl_terms(c, i);
		/* Grows at its end, by deltas. */
		for (size_t k = 0, all = i->n_crl; k < all; k++) {
			struct core_crl *l = &i->crl[k];
			if (t.delta > 0 && l->twin == TWIN_NONE)
				(void)crl_list_of(i, l->partition, true);
			if (t.delta > 0 || !l->is_delta)
				continue;
			if (l->is_wanted)
				delta_give_up(i, l);
			TRY(withdraw(c, i, l, e));
		}
	}
	return ERR_OK;
}

/*
 * Lives for twice its period at most, so that one that somebody holds back is
 * soon seen to be old.
 */
void
delta_spec(struct crl_build *b, struct core_issuer *i, int64_t now,
    struct crl_terms t)
{
	const struct core_crl *base = crl_list(i, b->partition);
	b->spec.base = (uint64_t)base->number;
	b->base_covers = base->covers;
	b->spec.next_update =
	    now + t.delta + (t.overlap < t.delta ? t.overlap : t.delta);
}

/* --- What: the thread's part ----------------------------------------------------- */

struct change {
	uint8_t serial[SERIAL_MAX];
	uint8_t len;
	int64_t at;
};

struct delta_walk {
	struct crl_build *b;
	struct view *view;
	struct change *change; /* in the order of serials, each once */
	size_t n, room, next;
};

static enum err_code
take_change(struct delta_walk *w, struct bytes value, struct err *e)
{
	struct changed_row row;
	TRY(rec_decode(&rec_changed, value, &row, e));
	if (row.serial.len == 0 || row.serial.len > SERIAL_MAX)
		return err_say(e, ERR_CORRUPT, "crl-row",
		    "a row of the ledger that a CRL is made from cannot be "
		    "read; run refrendo db check");
	if (w->n == CHANGES_MAX) {
		w->b->is_long = true;
		return err_say(e, ERR_DENIED, "crl-delta-long",
		    "more has changed than a delta CRL tells; a complete one "
		    "is made in its place");
	}
	if (w->n == w->room) {
		size_t room = w->room == 0 ? 64 : 2 * w->room;
		struct change *more = realloc(w->change, room * sizeof(*more));
		if (more == NULL)
			return err_nomem(e);
		w->change = more;
		w->room = room;
	}
	struct change *x = &w->change[w->n++];
	memcpy(x->serial, row.serial.p, row.serial.len);
	x->len = (uint8_t)row.serial.len;
	x->at = row.at;
	return ERR_OK;
}

static struct bytes
serial_of(const struct change *x)
{
	return bytes_of(x->serial, x->len);
}

static int
compare(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int order = bytes_cmp(serial_of(x), serial_of(y));
	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* The last change of each. */
static void
sort_once(struct delta_walk *w)
{
	size_t kept = 0;
	if (w->n == 0)
		return;
	qsort(w->change, w->n, sizeof(*w->change), compare);
	for (size_t i = 0; i < w->n; i++) {
		if (kept > 0 && bytes_eq(serial_of(&w->change[kept - 1]),
				    serial_of(&w->change[i])))
			kept--;
		w->change[kept++] = w->change[i];
	}
	w->n = kept;
}

static enum err_code
collect(struct delta_walk *w, struct err *e)
{
	const struct crl_build *b = w->b;
	AUTO(arena) a = arena_new();
	struct bytes from = ca_changed_key(a, bytes_str(b->issuer_name),
	    b->partition, b->base_covers);
	struct view_scan scan = { .view = NULL };
	struct bytes key, value;
	bool found;
	/* Without the index: issuer and partition. */
	TRY(view_scan_begin(w->view, bytes_of(from.p, from.len - 8), &scan, e));
	enum err_code code =
	    view_scan_seek(&scan, from, &key, &value, &found, e);
	while (code == ERR_OK && found) {
		code = take_change(w, value, e);
		if (code == ERR_OK)
			code = view_scan_next(&scan, &key, &value, &found, e);
	}
	view_scan_end(&scan);
	return code;
}

enum err_code
delta_walk_new(struct crl_build *b, struct view *v, struct delta_walk **out,
    struct err *e)
{
	AUTO(delta_walk) w = calloc(1, sizeof(*w));
	if (w == NULL)
		return err_nomem(e);
	w->b = b;
	w->view = v;
	TRY(collect(w, e));
	sort_once(w);
	*out = TAKE(w);
	return ERR_OK;
}

void
delta_walk_free(struct delta_walk *w)
{
	if (w == NULL)
		return;
	free(w->change);
	free(w);
}

static enum err_code
delta_rewind(void *ctx, struct err *e)
{
	struct delta_walk *w = ctx;
	(void)e;
	w->next = 0;
	return ERR_OK;
}

/* As it is now; else it was on hold, whether on the base or behind it. */
static enum err_code
delta_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	struct delta_walk *w = ctx;
	struct cert_status now;
	*more = w->next < w->n;
	if (!*more)
		return ERR_OK;
	const struct change *x = &w->change[w->next++];
	*entry = (struct crl_entry){ .serial = serial_of(x),
		.revoked_at = x->at,
		.reason = CRL_REMOVE };
	TRY(ca_status(w->view, entry->serial, &now, e));
	if (now.state != CERT_SUSPENDED && now.state != CERT_REVOKED)
		return ERR_OK;
	entry->revoked_at = now.revoked_at;
	entry->reason = now.reason;
	entry->invalid_since = now.invalid_since;
	return ERR_OK;
}

struct crl_source
delta_source(struct delta_walk *w)
{
	return (struct crl_source){ w, delta_rewind, delta_next };
}
