#include <refrendo/crl.h>

#include "inner.h"

/* Rows that several entries keep in step. */

enum err_code
row_put(struct applying *p, const struct rec_type *t, struct bytes key,
    const void *rec, struct err *e)
{
	struct buf row AUTO_BUF = BUF(ROW_MAX);

	rec_encode_row(t, rec, &row);
	TRY(buf_end(&row, e));
	return view_put(p->v, key, buf_bytes(&row), e);
}

enum err_code
row_due(struct applying *p, enum row_class what, struct bytes id,
    int64_t before, int64_t after, struct err *e)
{
	if (before == after)
		return ERR_OK;
	if (before != NEVER)
		TRY(view_del(p->v, key_of_due(p->a, before, what, id), e));
	if (after == NEVER)
		return ERR_OK;
	return row_put(p, &rec_due, key_of_due(p->a, after, what, id), NULL, e);
}

enum err_code
row_work(struct applying *p, struct bytes id, bool is_appointment, bool present,
    struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_WORK, id);
	struct work_row work = {
		.id = id,
		.is_appointment = is_appointment,
		.since = p->entry->time,
	};

	if (!present)
		return view_del(p->v, key, e);
	return row_put(p, &rec_work, key, &work, e);
}

/* INCIDENTS row 3: a serial is reserved once and never given again. */
enum err_code
row_reserve(struct applying *p, struct bytes serial, struct bytes id,
    struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_SERIAL, serial);
	struct serial_row row = { .serial = serial, .request = id };
	struct serial_row old;
	bool found;

	TRY(rec_get(p->v, &rec_serial, key, p->a, &old, &found, e));
	if (found || serial.len == 0)
		return contradiction(p, e);
	return row_put(p, &rec_serial, key, &row, e);
}

/* SOL-2026-000123: the counter of SOL-2026 is 123 now. */
enum err_code
row_count(struct applying *p, struct bytes id, struct err *e)
{
	size_t dash = id.len;
	struct counter_row row;

	while (dash > 0 && id.p[dash - 1] != '-')
		dash--;
	if (dash < 2)
		return contradiction(p, e);
	struct bytes digits = bytes_of(id.p + dash, id.len - dash);
	while (digits.len > 1 && digits.p[0] == '0') {
		digits.p++;
		digits.len--;
	}
	if (!dec_parse(digits, &row.last))
		return contradiction(p, e);
	return row_put(p, &rec_counter,
	    ca_row_key(p->a, ROW_COUNTER, bytes_of(id.p, dash - 1)), &row, e);
}

enum err_code
row_key_used(struct applying *p, struct bytes spki_sha256,
    struct bytes institution, struct bytes run, struct bytes request,
    struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_KEY, spki_sha256);
	struct key_row row;
	bool found, certified = false;

	TRY(rec_get(p->v, &rec_key, key, p->a, &row, &found, e));
	if (found)
		TRY(key_certified(p->v, &row, p->a, &certified, e));
	else
		row = (struct key_row){
			.spki_sha256 = spki_sha256,
			.institution = institution,
			.run = run,
		};
	/* INCIDENTS row 8: a key is one person's. */
	if (!bytes_eq(row.run, run))
		return contradiction(p, e);
	row.request = request;
	row.certified = certified;
	return row_put(p, &rec_key, key, &row, e);
}

enum err_code
row_key_mark(struct applying *p, struct bytes spki_sha256, bool certified,
    bool compromised, struct err *e)
{
	struct bytes key = ca_row_key(p->a, ROW_KEY, spki_sha256);
	struct key_row row;
	bool found;

	TRY(rec_get(p->v, &rec_key, key, p->a, &row, &found, e));
	if (!found)
		return contradiction(p, e);
	if (certified)
		row.certified = 1;
	if (compromised)
		row.compromised = 1;
	return row_put(p, &rec_key, key, &row, e);
}

static bool
is_listed(const struct certificate *c)
{
	return c->state == CERT_SUSPENDED || c->state == CERT_REVOKED;
}

/* RFC 5280 5.2.4: put on a list, taken off it, or listed otherwise. */
static bool
listing_differs(const struct certificate *before,
    const struct certificate *after)
{
	bool was = before != NULL && is_listed(before);

	if (!was || !is_listed(after))
		return was != is_listed(after);
	return before->reason != after->reason ||
	       before->revoked_at != after->revoked_at ||
	       before->invalid_since != after->invalid_since;
}

/*
 * Since when a periodic list is the last that has it: since its end, or since
 * it was revoked if that came later (RFC 5280 3.3), so that lists tell what
 * deltas told before.  The minute is for what is written while a list begins.
 */
static int64_t
listed_until(const struct certificate *c)
{
	int64_t revoked = c->revoked_at + MINUTE;

	return c->not_after > revoked ? c->not_after : revoked;
}

/* On the list, or no longer. */
static enum err_code
list_put(struct applying *p, const struct certificate *c, int64_t partition,
    struct err *e)
{
	uint8_t room[ROW_KEY_MAX];
	struct bytes prefix = ca_list_key(room, c->issuer, partition);
	struct crl_entry x = { .serial = c->serial,
		.revoked_at = c->revoked_at,
		.reason = (int)c->reason,
		.invalid_since = c->invalid_since };

	return is_listed(c) ? ca_list_put(p->v, prefix, &x, listed_until(c), e)
			    : ca_list_del(p->v, prefix, c->serial, e);
}

enum err_code
certificate_put(struct applying *p, const struct certificate *before,
    const struct certificate *after, struct err *e)
{
	TRY(row_put(p, &rec_certificate,
	    ca_row_key(p->a, ROW_CERTIFICATE, after->serial), after, e));
	TRY(row_due(p, ROW_CERTIFICATE, after->serial,
	    before == NULL ? NEVER : certificate_due(before),
	    certificate_due(after), e));
	if (!is_listed(after) && (before == NULL || !is_listed(before)))
		return ERR_OK;
	if (listing_differs(before, after))
		TRY(row_changed(p, after, e));
	if (after->partition > 0)
		TRY(list_put(p, after, after->partition, e));
	return list_put(p, after, 0, e);
}
