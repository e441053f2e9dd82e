/*
 * Packed answers against a model: whatever is put, replaced and taken out, in
 * whatever order and in transactions of any size, each reader sees what its
 * snapshot has: one that follows each commit, one that follows seldom, one
 * that comes so late that the feed is gone, and one that is new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/ocsp.h>

#include "../../store/pack.h"
#include "fake/store_check.h"

#define MODEL_MAX 6000
#define MAP       (64 << 20)
#define NOW       INT64_C(1795514400)

struct one {
	uint16_t issuer;
	uint8_t serial[SERIAL_MAX];
	size_t len;
	bool there, whole; /* whole: an answer that has no shape */
	uint32_t version;
};
struct model {
	struct dirs d;
	struct public *p;
	struct one one[MODEL_MAX];
	size_t n;
	uint64_t seed;
	uint32_t version;
};

static uint64_t
draw(struct model *m)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed;
}

static struct model *
model_new(uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));
	struct err e;
	bool fresh;
	assert_non_null(m);
	m->seed = seed;
	dirs_init(&m->d);
	OK(public_open(m->d.base, MAP, true, &fresh, &m->p, &e));
	return m;
}

static void
model_free(struct model *m)
{
	public_close(m->p);
	work_dir_remove(m->d.base);
	free(m);
}

/* --- Answers ------------------------------------------------------------------- */

/* The answer about one at a version: the same each time. */
static void
answer_of(const struct one *o, struct buf *out, struct public_row *row)
{
	static const uint8_t responder[] = { 0x30, 3, 2, 1, 5 };
	static const uint8_t sigalg[] = { 0x30, 10, 6, 8, 0x2a, 0x86, 0x48,
		0xce, 0x3d, 4, 3, 2 };
	struct issuer_id id;
	uint8_t key_hash[20] = { 9 }, signature[72];
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	int64_t at = NOW + o->version;
	memset(&id, 1 + (o->issuer >> 8), sizeof(id));
	for (size_t i = 0; i < sizeof(signature); i++)
		signature[i] =
		    (uint8_t)(o->version * 31 + i * 7 + o->serial[0]);
	struct ocsp_answer_spec spec = { .issuer = &id,
		.serial = bytes_of(o->serial, o->len),
		.responder_key_hash = bytes_of(key_hash, 20),
		.state = o->version % 3 == 0 ? OCSP_REVOKED : OCSP_GOOD,
		.revoked_at = o->version % 3 == 0 ? NOW - o->version : 0,
		.reason = o->version % 3 == 0 ? (int)(o->version / 3 % 2) : 0,
		.produced_at = at,
		.this_update = at - 300,
		.next_update = at + DAY };
	buf_reset(out);
	OK(ocsp_tbs_build(&spec, &tbs, &e));
	OK(ocsp_assemble(buf_bytes(&tbs), bytes_of(sigalg, sizeof(sigalg)),
	    bytes_of(signature, 70 + o->version % 3),
	    bytes_of(responder, sizeof(responder)), out, &e));
	/* One octet more, and nobody can read it as an answer. */
	if (o->whole)
		buf_putc(out, 0);
	*row = (struct public_row){ .type = "application/ocsp-response",
		.this_update = spec.this_update,
		.next_update = spec.next_update,
		.refresh_at = at + HOUR,
		.first = spec.state != OCSP_GOOD,
		.takes_nonce = o->version % 2 == 0,
		.body = buf_bytes(out) };
}

static void
check_one(struct public_reader *r, const struct one *o)
{
	struct buf want AUTO_BUF = BUF(OCSP_ANSWER_MAX + 1);
	uint8_t key[PUBLIC_KEY_MAX], body[OCSP_ANSWER_MAX];
	struct bytes serial = bytes_of(o->serial, o->len);
	struct public_row row, got;
	struct public_answer a;
	answer_of(o, &want, &row);
	bool there =
	    public_get(r, public_ocsp_key(key, o->issuer, serial), &got);
	assert_int_equal(there, o->there);
	bool packed = public_answer(r, o->issuer, serial, &a);
	assert_int_equal(packed, o->there && !o->whole);
	if (!there)
		return;
	assert_true(bytes_eq(got.body, row.body));
	assert_int_equal(got.this_update, row.this_update);
	assert_int_equal(got.next_update, row.next_update);
	assert_int_equal(got.refresh_at, row.refresh_at);
	assert_int_equal(got.first, row.first);
	assert_int_equal(got.takes_nonce, row.takes_nonce);
	assert_int_equal(strlen(got.etag), 32);
	if (!packed)
		return;
	assert_int_equal(a.len, row.body.len);
	public_answer_put(r, &a, body);
	assert_memory_equal(body, row.body.p, a.len);
}

/* --- Random work ------------------------------------------------------------------- */

/* Rising like the engine's, at random, alike in their first octets, short. */
static void
new_serial(struct model *m, struct one *o)
{
	uint64_t kind = draw(m) % 10;
	/* Places whose low octets are alike are told apart. */
	o->issuer = (uint16_t)(draw(m) % 3 * 256);
	o->len = kind == 9 ? 1 + draw(m) % 3 : 20;
	for (size_t i = 0; i < SERIAL_MAX; i++)
		o->serial[i] = (uint8_t)draw(m);
	if (kind < 6)
		be64_print(o->serial, ((uint64_t)NOW << 28) + m->n);
	else if (kind < 8)
		memset(o->serial, 0x22, 12);
	o->serial[0] = (uint8_t)(o->serial[0] % 0x7f + 1);
}

static bool
is_new(const struct model *m, const struct one *o)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->one[i].issuer == o->issuer && m->one[i].len == o->len &&
		    memcmp(m->one[i].serial, o->serial, o->len) == 0)
			return false;
	return true;
}

static void
work_one(struct model *m, struct public_txn *t)
{
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX + 1);
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	struct one *o, fresh = { .len = 0 };
	struct err e;
	new_serial(m, &fresh);
	if (m->n == 0 ||
	    (draw(m) % 2 == 0 && m->n < MODEL_MAX && is_new(m, &fresh))) {
		o = &m->one[m->n++];
		*o = fresh;
	} else
		o = &m->one[draw(m) % m->n];
	struct bytes k =
	    public_ocsp_key(key, o->issuer, bytes_of(o->serial, o->len));
	o->there = draw(m) % 8 != 0;
	o->whole = draw(m) % 16 == 0;
	o->version = ++m->version;
	if (!o->there) {
		OK(public_del(t, k, &e));
		return;
	}
	answer_of(o, &der, &row);
	OK(public_put(t, k, &row, &e));
}

/* Some of the work is thrown away: nothing of it may be seen. */
static void
work(struct model *m)
{
	static struct one before[MODEL_MAX];
	struct public_txn *t;
	struct err e;
	size_t n = m->n, times = 1 + draw(m) % 60;
	bool gone = draw(m) % 10 == 0;
	memcpy(before, m->one, sizeof(before));
	OK(public_begin(m->p, &t, &e));
	for (size_t i = 0; i < times; i++)
		work_one(m, t);
	if (!gone) {
		OK(public_commit(t, &e));
		return;
	}
	public_abort(t);
	memcpy(m->one, before, sizeof(before));
	m->n = n;
}

static struct public_reader *
reader_new(struct model *m)
{
	struct public_reader *r;
	struct err e;
	OK(public_reader_new(m->p, &r, &e));
	return r;
}

static void
look(struct model *m, struct public_reader *r, size_t most)
{
	struct err e;
	OK(public_again(r, &e));
	for (size_t i = 0; i < m->n && i < most; i++)
		check_one(r, &m->one[most < m->n ? draw(m) % m->n : i]);
	struct one never = { .len = 0 };
	new_serial(m, &never);
	if (is_new(m, &never))
		check_one(r, &never);
	public_release(r);
}

struct walked {
	uint8_t last[PUBLIC_KEY_MAX];
	size_t last_len, n;
	struct public_reader *r;
};

/* Each once, in order, and as public_get() gives it. */
static enum err_code
take_walked(void *ctx, struct bytes key, const struct public_row *row,
    struct err *e)
{
	struct walked *w = ctx;
	uint8_t body[OCSP_ANSWER_MAX + 1];
	struct public_row got;
	size_t len = row->body.len;
	(void)e;
	assert_true(bytes_cmp(bytes_of(w->last, w->last_len), key) < 0);
	memcpy(w->last, key.p, key.len);
	w->last_len = key.len;
	memcpy(body, row->body.p, len);
	assert_true(public_get(w->r, bytes_of(w->last, key.len), &got));
	assert_true(bytes_eq(got.body, bytes_of(body, len)));
	w->n++;
	return ERR_OK;
}

/* Everything, packed or not, in slices of every size. */
static void
walk_over(struct model *m, struct public_reader *r)
{
	size_t there = 0;
	struct err e;
	for (size_t i = 0; i < m->n; i++)
		there += m->one[i].there;
	for (size_t slice = 1; slice < 300; slice = slice * 3 + 1) {
		struct walked w = { .r = r };
		struct public_cursor at = { .len = 0 };
		for (bool more = true; more;) {
			size_t before = w.n;
			OK(public_renew(r, &e));
			OK(public_walk(r, &at, slice, take_walked, &w, &more,
			    &e));
			assert_true(w.n - before <= slice);
			public_release(r);
		}
		assert_int_equal(w.n, there);
	}
}

static void
follows_the_model(void **state)
{
	struct model *m = model_new(88172645463325252u);
	struct public_reader *each = reader_new(m), *seldom = reader_new(m),
			     *late = reader_new(m);
	(void)state;
	look(m, late, 1);
	for (int i = 1; i <= 700; i++) {
		work(m);
		look(m, each, 20);
		if (i % 50 == 0)
			look(m, seldom, MODEL_MAX);
		if (i % 100 == 0)
			walk_over(m, each);
	}
	look(m, late, MODEL_MAX);
	struct public_reader *fresh = reader_new(m);
	struct err e;
	OK(public_warm(fresh, &e));
	look(m, fresh, MODEL_MAX);
	look(m, each, MODEL_MAX);
	public_reader_free(each);
	public_reader_free(seldom);
	public_reader_free(late);
	public_reader_free(fresh);
	model_free(m);
}

/* A reader within its turn goes on seeing what was there. */
static void
keeps_its_snapshot(void **state)
{
	struct model *m = model_new(99);
	struct public_reader *r = reader_new(m);
	struct err e;
	(void)state;
	for (int i = 0; i < 20; i++)
		work(m);
	static struct one before[MODEL_MAX];
	memcpy(before, m->one, sizeof(before));
	size_t n = m->n;
	OK(public_again(r, &e));
	for (int i = 0; i < 20; i++)
		work(m);
	for (size_t i = 0; i < n; i++)
		check_one(r, &before[i]);
	public_release(r);
	look(m, r, MODEL_MAX);
	public_reader_free(r);
	model_free(m);
}

/* What is there survives closing and opening, shapes too. */
static void
survives_opening(void **state)
{
	struct model *m = model_new(7);
	struct err e;
	bool fresh;
	(void)state;
	for (int i = 0; i < 40; i++)
		work(m);
	public_close(m->p);
	OK(public_open(m->d.base, MAP, true, &fresh, &m->p, &e));
	assert_false(fresh);
	for (int i = 0; i < 40; i++)
		work(m);
	struct public_reader *r = reader_new(m);
	look(m, r, MODEL_MAX);
	public_reader_free(r);
	model_free(m);
}

/* Rows in order fill their pages: that is what keeps the index small. */
static void
pages_are_full(void **state)
{
	struct model *m = model_new(5);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct public_txn *t;
	struct public_row row;
	struct one o = { .len = SERIAL_MAX, .there = true, .version = 1 };
	uint8_t key[PUBLIC_KEY_MAX];
	struct err e;
	MDB_txn *txn;
	MDB_stat stat;
	(void)state;
	OK(public_begin(m->p, &t, &e));
	for (uint64_t i = 0; i < 3500; i++) {
		be64_print(o.serial, ((uint64_t)NOW << 28) + i);
		answer_of(&o, &der, &row);
		OK(public_put(t,
		    public_ocsp_key(key, 0, bytes_of(o.serial, o.len)), &row,
		    &e));
	}
	OK(public_commit(t, &e));
	assert_int_equal(mdb_txn_begin(m->p->env.mdb, NULL, MDB_RDONLY, &txn),
	    0);
	assert_int_equal(mdb_stat(txn, m->p->packs, &stat), 0);
	mdb_txn_abort(txn);
	assert_in_range(stat.ms_entries, 80, 110);
	/* Each in a page of its own, which does not move. */
	assert_int_equal(stat.ms_overflow_pages, stat.ms_entries);
	model_free(m);
}

/* A page that says what is not so is no page; nothing outside it is read. */
static void
pages_that_lie(void **state)
{
	const struct pack_page *p;
	struct pack_page page = { .n = 1, .version = PACK_VERSION };
	MDB_val v = { .mv_size = PACK_BYTES, .mv_data = &page };
	struct pack_row row;
	uint8_t serial[2] = { 5, 6 };
	(void)state;
	assert_true(pack_page_of(v, &p));
	page.tag[0] = 6;
	page.off[0] = (uint16_t)(sizeof(page.heap) - 3);
	assert_int_equal(pack_find(p, bytes_of(serial, 2), &row), -1);
	page.off[0] = 65535;
	assert_int_equal(pack_find(p, bytes_of(serial, 2), &row), -1);
	page.off[0] = 0;
	memcpy(page.heap, "\xff\xff\x02\x05\x06", 5);
	assert_int_equal(pack_find(p, bytes_of(serial, 2), &row), -1);
	memcpy(page.heap, "\x00\x14\x02\x05\x06", 5);
	assert_int_equal(pack_find(p, bytes_of(serial, 2), &row), 0);
	assert_int_equal(row.fields.len, 0);
	page.n = PACK_ROWS + 1;
	assert_false(pack_page_of(v, &p));
	page.n = 0;
	page.version++;
	assert_false(pack_page_of(v, &p));
	v.mv_size--;
	assert_false(pack_page_of(v, &p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_model),
		cmocka_unit_test(keeps_its_snapshot),
		cmocka_unit_test(survives_opening),
		cmocka_unit_test(pages_are_full),
		cmocka_unit_test(pages_that_lie),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
