/*
 * What core tells the checker, and the gauges of what is published.  Samples
 * are the answers that are due first, which would go stale first, and some
 * further ones, so that in time each is asked for.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core.h"
#include "counters.h"

#define TELL_MS      5000
#define FIRST_MAX    4
#define RENEW_EVER   (INT64_MAX / 2) /* whatever is published */
#define LATE_PERCENT 25 /* of a list's life left: as health has it */

static enum err_code
on_frame(void *ctx, struct peer *p, const struct frame *f, struct err *e)
{
	(void)ctx;
	(void)p;
	(void)f;
	return err_say(e, ERR_INVALID, "core-checker-frame",
	    "the checker has nothing to tell core");
}

static void
on_gone(void *ctx, struct peer *p)
{
	struct core *c = ctx;
	if (c->checker == p)
		c->checker = NULL;
}

void
check_peer(struct core *c, int fd)
{
	struct err e;
	if (c->checker != NULL)
		peer_close(c->checker);
	struct peer_setup setup = { .loop = &c->loop,
		.fd = fd,
		.name = "checker",
		.cap = check_cap,
		.frame = on_frame,
		.gone = on_gone,
		.ctx = c };
	c->check_after_ms = 0;
	if (peer_open(&setup, &c->checker, &e) != ERR_OK)
		log_err("peer-open", &e);
}

/* --- What is published ------------------------------------------------------------ */

struct samples {
	struct check_sample v[CHECK_SAMPLES_MAX];
	size_t n;
};

static void
take(void *ctx, uint16_t issuer, struct bytes serial)
{
	struct samples *s = ctx;
	if (s->n == CHECK_SAMPLES_MAX || serial.len > SERIAL_MAX)
		return;
	struct check_sample *x = &s->v[s->n++];
	x->issuer = issuer;
	x->serial_len = (uint8_t)serial.len;
	memcpy(x->serial, serial.p, serial.len);
}

static bool
row_of(struct core *c, const struct check_sample *s, struct public_row *row)
{
	uint8_t key[PUBLIC_KEY_MAX];
	return public_get(c->reader,
	    public_ocsp_key(key, s->issuer, bytes_of(s->serial, s->serial_len)),
	    row);
}

/* How far signing is behind, and what would go stale first. */
static enum err_code
gauge_answers(struct core *c, const struct samples *s, struct err *e)
{
	struct public_due_at start = { .len = 0 };
	struct samples late = { .n = 0 };
	struct public_row row;
	int64_t now = clock_now(), overdue = 0, end = 0;
	TRY(public_due(c->reader, now, 1, &start, take, &late, e));
	if (late.n > 0 && row_of(c, &late.v[0], &row))
		overdue = now - row.refresh_at;
	for (size_t i = 0; i < s->n; i++)
		if (row_of(c, &s->v[i], &row) &&
		    (end == 0 || row.next_update < end))
			end = row.next_update;
	gauge(COUNT_OVERDUE, (uint64_t)(overdue > 0 ? overdue : 0));
	gauge(COUNT_FIRST_END, (uint64_t)end);
	return ERR_OK;
}

static enum err_code
take_samples(struct core *c, struct samples *s, struct err *e)
{
	struct public_due_at start = { .len = 0 };
	TRY(public_due(c->reader, RENEW_EVER, FIRST_MAX, &start, take, s, e));
	size_t before = s->n;
	TRY(public_due(c->reader, RENEW_EVER, CHECK_SAMPLES_MAX - s->n,
	    &c->checked, take, s, e));
	if (s->n == before)
		c->checked = (struct public_due_at){ .len = 0 };
	return gauge_answers(c, s, e);
}

struct lists {
	struct check_list v[CHECK_LISTS_MAX];
	size_t n;
};

/* What is in public/ is served, whoever made it and when. */
static void
add_list(struct core *c, struct lists *l, uint16_t issuer, const char *path)
{
	struct check_list *x = &l->v[l->n];
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	if (l->n == CHECK_LISTS_MAX)
		return;
	x->issuer = issuer;
	snprintf(x->path, sizeof(x->path), "%s", path);
	if (public_get(c->reader, public_file_key(key, bytes_str(x->path)),
		&row))
		l->n++;
}

/* The full list, each partition's, and the deltas of both. */
static void
add_lists(struct core *c, struct lists *l, size_t issuer)
{
	const struct core_issuer *i = c->issuer[issuer];
	char path[CRL_URL_MAX];
	for (size_t n = 0; n < i->n_crl; n++) {
		crl_path(path, i->ca.name, i->crl[n].partition,
		    i->crl[n].is_delta);
		add_list(c, l, (uint16_t)issuer, path);
	}
}

/* Places in public/ become places in the configuration, which the checker
 * knows; samples of other CAs are left out. */
static void
keep_configured(const struct core *c, struct samples *s)
{
	size_t kept = 0;
	for (size_t k = 0; k < s->n; k++) {
		struct check_sample x = s->v[k];
		size_t i = 0, n = c->inst->config.n_issuer;
		while (i < n && c->issuer[i]->place != x.issuer)
			i++;
		if (i == n)
			continue;
		x.issuer = (uint16_t)i;
		s->v[kept++] = x;
	}
	s->n = kept;
}

static enum err_code
found_row(void *ctx, struct bytes key, const struct public_row *row,
    struct err *e)
{
	(void)row;
	(void)e;
	*(uint8_t *)ctx = key.len > 3 ? key.p[0] : 0;
	return ERR_OK;
}

/* Has a certificate of it a status still?  The answer goes when it ended. */
static enum err_code
look_over(struct core *c, struct core_issuer *i, struct err *e)
{
	static const uint8_t least[] = { 0 };
	struct public_cursor at;
	/* Where public/ is made anew not all answers are there yet. */
	if (c->answered < c->log_size)
		return ERR_OK;
	struct bytes first =
	    public_ocsp_key(at.key, i->place, bytes_of(least, sizeof(least)));
	uint8_t head[3], kind = 0;
	bool more;
	memcpy(head, first.p, sizeof(head));
	at.len = first.len;
	TRY(public_walk(c->reader, &at, 1, found_row, &kind, &more, e));
	i->is_over = kind == 0 || memcmp(at.key, head, sizeof(head)) != 0;
	return ERR_OK;
}

static enum err_code
look(struct core *c, struct lists *l, struct samples *s, struct err *e)
{
	TRY(public_renew(c->reader, e));
	enum err_code code = take_samples(c, s, e);
	keep_configured(c, s);
	for (size_t i = 0; i < c->n_issuer && code == ERR_OK; i++)
		if (c->issuer[i]->has_no_key && !c->issuer[i]->is_over)
			code = look_over(c, c->issuer[i], e);
	/* What nobody can renew any more is no alarm. */
	for (size_t i = 0; i < c->inst->config.n_issuer; i++) {
		if (!c->issuer[i]->has_no_key)
			add_lists(c, l, i);
	}
	add_list(c, l, CHECK_ROOT, "/crl/root.crl");
	public_release(c->reader);
	return code;
}

/* Not renewed when it should be; or there is none, and none can be had. */
static bool
is_overdue(const struct core *c, const struct core_issuer *i,
    const struct core_crl *l, int64_t now)
{
	if (l->number == 0)
		return l->retry_at > 0 ||
		       (i->is_made && !i->is_held && c->signer_ready);
	return (l->next_update - now) * 100 <
	       (l->next_update - l->this_update) * LATE_PERCENT;
}

/* Of all CAs, also of the many that have no label: but for those that ended,
 * and those whose key was destroyed. */
static void
gauge_lists(const struct core *c)
{
	int64_t now = clock_now(), end = 0;
	uint64_t n = 0, overdue = 0;
	for (size_t k = 0; k < c->n_issuer; k++) {
		const struct core_issuer *i = c->issuer[k];
		if (i->has_no_key || now >= i->ca.cert.not_after)
			continue;
		for (size_t m = 0; m < i->n_crl; m++) {
			const struct core_crl *l = &i->crl[m];
			/* Deltas that no policy asks for any more. */
			if (l->is_delta && !l->is_open)
				continue;
			n++;
			overdue += is_overdue(c, i, l, now);
			if (l->number > 0 && (end == 0 || l->next_update < end))
				end = l->next_update;
		}
	}
	gauge(COUNT_CRLS, n);
	gauge(COUNT_CRLS_OVERDUE, overdue);
	gauge(COUNT_CRL_FIRST_END, (uint64_t)end);
}

static void
gauge_issuers(const struct core *c)
{
	gauge(COUNT_READ_ONLY, c->read_only ? 1 : 0);
	for (size_t i = 0; i < c->inst->config.n_issuer; i++) {
		const struct core_issuer *x = c->issuer[i];
		gauge_ca(CA_KEY_DESTROYED, i,
		    !x->has_no_key ? 0
		    : x->is_over   ? 2
				   : 1);
		gauge_ca(CA_RESPONDER_END, i,
		    x->has_no_key ? 0 : (uint64_t)x->responder_not_after);
		if (x->n_crl == 0 || x->has_no_key) {
			gauge_ca(CA_CRL_NEXT, i, 0);
			continue;
		}
		gauge_ca(CA_CRL_NUMBER, i, (uint64_t)x->crl_number);
		gauge_ca(CA_CRL_THIS, i, (uint64_t)x->crl[0].this_update);
		gauge_ca(CA_CRL_NEXT, i, (uint64_t)x->crl[0].next_update);
		gauge_ca(CA_RESPONDER_END, i, (uint64_t)x->responder_not_after);
	}
}

void
check_second(struct core *c)
{
	static struct lists lists;
	struct samples s = { .n = 0 };
	struct buf body AUTO_BUF = BUF(CHECK_CAP);
	struct err e;
	gauge_issuers(c);
	gauge_lists(c);
	if (clock_mono_ms() < c->check_after_ms)
		return;
	c->check_after_ms = clock_mono_ms() + TELL_MS;
	lists.n = 0;
	if (look(c, &lists, &s, &e) != ERR_OK) {
		log_err("check-samples", &e);
		return;
	}
	if (c->checker == NULL)
		return;
	check_lists_encode(lists.v, lists.n, &body);
	peer_send(c->checker, CHECK_LISTS, 0, buf_bytes(&body));
	buf_reset(&body);
	check_samples_encode(s.v, s.n, &body);
	peer_send(c->checker, CHECK_SAMPLES, 0, buf_bytes(&body));
}
