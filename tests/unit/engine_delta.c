/* Deltas: when one is due, on what it rests, and what it tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../engine/core_crl.h"

#define ISSUER  "emisora"
#define CHANGES 65536u
#define OK(call)                                                      \
	do {                                                          \
		if ((call) != ERR_OK)                                 \
			fail_msg("%s: %s (%s)", #call, e.say, e.why); \
	} while (0)

static struct err e;

/* --- When ----------------------------------------------------------------------- */

static const struct crl_terms terms = { .every = 6 * HOUR,
	.overlap = DAY,
	.delta = 15 * MINUTE };

/* A complete list of this run and the delta on it, of time 1000 and 1001. */
static struct core_issuer
both(void)
{
	struct core_issuer i = { .n_crl = 0 };
	struct core_crl *delta = crl_list_of(&i, 0, true);
	assert_false(delta->is_wanted);
	assert_true(crl_list(&i, 0)->is_wanted);
	i.crl[1].is_wanted = false;
	i.crl[1].number = 7;
	i.crl[1].this_update = 1000;
	i.crl[1].covers = 20;
	i.crl[1].names_deltas = true;
	i.crl[1].kept_since = 10;
	i.crl[0].number = 8;
	i.crl[0].base = 7;
	i.crl[0].this_update = 1001;
	i.crl[0].next_update = 1001 + 30 * MINUTE;
	return i;
}

static void
when_due(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		int64_t now;
		bool wanted;
		int64_t base, covers, delta;
		bool names, due;
	} rows[] = {
		{ "just made", 1002, false, 7, 20, 15 * MINUTE, true, false },
		{ "a change", 1002, true, 7, 20, 15 * MINUTE, true, true },
		{ "a newer complete list", 1002, false, 6, 20, 15 * MINUTE, true, true },
		{ "before its time", 1001 + 15 * MINUTE - 1, false, 7, 20, 15 * MINUTE, true, false },
		{ "at its time", 1001 + 15 * MINUTE, false, 7, 20, 15 * MINUTE, true, true },
		{ "no policy with deltas", 1001 + DAY, true, 7, 20, 0, true, false },
		{ "base that names none", 1001 + DAY, true, 7, 20, 15 * MINUTE, false, false },
		{ "base before changes were kept", 1001 + DAY, true, 7, 10, 15 * MINUTE, true, false },
		{ "base that is not of this run", 1001 + DAY, true, 7, 0, 15 * MINUTE, true, false },
	};
	/* clang-format on */
	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
		struct core_issuer i = both();
		struct crl_terms t = terms;
		t.delta = rows[n].delta;
		i.crl[0].is_wanted = rows[n].wanted;
		i.crl[0].base = rows[n].base;
		i.crl[1].covers = (uint64_t)rows[n].covers;
		i.crl[1].names_deltas = rows[n].names;
		if (delta_is_due(&i, &i.crl[0], t, rows[n].now) != rows[n].due)
			fail_msg("%s", rows[n].name);
		bool wrong = t.delta == 0
				 ? rows[n].names
				 : rows[n].covers <= 10 || !rows[n].names;
		if (delta_wants_complete(&i.crl[1], t) != wrong)
			fail_msg("%s: the complete list", rows[n].name);
		assert_false(delta_wants_complete(&i.crl[0], t));
		free(i.crl);
	}
}

/* A change goes where it can be told: on a delta, or on a complete list. */
static void
what_is_wanted(void **state)
{
	(void)state;
	struct core_issuer i = both();
	delta_want(&i, 0);
	assert_true(i.crl[0].is_wanted && !i.crl[1].is_wanted);
	delta_give_up(&i, &i.crl[0]);
	assert_true(!i.crl[0].is_wanted && i.crl[1].is_wanted);
	i.crl[1].is_wanted = false;
	i.crl[1].kept_since = 0;
	delta_want(&i, 0);
	assert_true(!i.crl[0].is_wanted && i.crl[1].is_wanted);
	/* A partition without deltas yet. */
	delta_want(&i, 3);
	assert_true(crl_list(&i, 3)->is_wanted);
	assert_int_equal(i.n_crl, 3);
	free(i.crl);
}

static void
how_long_it_lives(void **state)
{
	(void)state;
	struct core_issuer i = both();
	struct crl_build b = { .is_delta = true };
	struct crl_terms t = terms;
	delta_spec(&b, &i, 5000, t);
	assert_int_equal(b.spec.base, 7);
	assert_int_equal(b.base_covers, 20);
	assert_int_equal(b.spec.next_update, 5000 + 30 * MINUTE);
	t.overlap = 10 * MINUTE;
	delta_spec(&b, &i, 5000, t);
	assert_int_equal(b.spec.next_update, 5000 + 25 * MINUTE);
	free(i.crl);
}

/* --- What ------------------------------------------------------------------------ */

struct ledger {
	char dir[32];
	struct store *store;
	struct arena *arena;
};

static struct bytes
serial(struct ledger *l, uint64_t n)
{
	uint8_t *p = arena_get(l->arena, SERIAL_MAX);
	memset(p, 1, SERIAL_MAX);
	be64_print(p + 12, n);
	return bytes_of(p, SERIAL_MAX);
}

static void
put(struct view *v, const struct rec_type *t, struct bytes key, const void *rec)
{
	struct buf row AUTO_BUF = BUF(4096);
	rec_encode_row(t, rec, &row);
	OK(view_put(v, key, buf_bytes(&row), &e));
}

/* Entry index changed the status of certificate n, at time 100 + index. */
static void
changed(struct ledger *l, struct view *v, int64_t partition, uint64_t index,
    uint64_t n)
{
	struct changed_row row = { serial(l, n), 100 + (int64_t)index };
	put(v, &rec_changed,
	    ca_changed_key(l->arena, bytes_str(ISSUER), partition, index),
	    &row);
}

static void
certificate(struct ledger *l, struct view *v, uint64_t n, enum cert_state state,
    int reason)
{
	struct certificate c = { .serial = serial(l, n),
		.issuer = bytes_str(ISSUER),
		.state = state,
		.reason = reason,
		.revoked_at = state == CERT_VALID ? 0 : 50,
		.invalid_since = reason == CRL_KEY_COMPROMISE ? 40 : 0 };
	put(v, &rec_certificate,
	    ca_row_key(l->arena, ROW_CERTIFICATE, c.serial), &c);
}

static void
ledger_init(struct ledger *l)
{
	snprintf(l->dir, sizeof(l->dir), "/tmp/delta-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	l->arena = arena_new();
	OK(store_open(l->dir, INT64_C(256) << 20, true, &l->store, &e));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void
ledger_fini(struct ledger *l)
{
	store_close(l->store);
	arena_free(l->arena);
	assert_int_equal(nftw(l->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static size_t
walk(struct ledger *l, int64_t partition, uint64_t covers,
    struct crl_entry *out, size_t max)
{
	struct crl_build b = { .is_delta = true,
		.partition = partition,
		.base_covers = covers };
	struct view *v;
	AUTO(delta_walk) w = NULL;
	size_t n = 0;
	bool more;
	snprintf(b.issuer_name, sizeof(b.issuer_name), ISSUER);
	OK(store_begin(l->store, false, &v, &e));
	OK(delta_walk_new(&b, v, &w, &e));
	struct crl_source source = delta_source(w);
	/* Two passes that give the same. */
	for (int pass = 0; pass < 2; pass++) {
		OK(source.rewind(source.ctx, &e));
		for (n = 0;; n++) {
			struct crl_entry x;
			OK(source.next(source.ctx, &x, &more, &e));
			if (!more)
				break;
			assert_true(n < max);
			if (pass == 1)
				assert_int_equal(out[n].reason, x.reason);
			out[n] = x;
			out[n].serial = arena_copy(l->arena, x.serial);
		}
	}
	view_abort(v);
	return n;
}

static void
what_it_tells(void **state)
{
	(void)state;
	struct ledger l;
	struct view *v;
	struct crl_entry x[8];
	ledger_init(&l);
	OK(store_begin(l.store, true, &v, &e));
	certificate(&l, v, 1, CERT_REVOKED, CRL_SUPERSEDED);
	certificate(&l, v, 2, CERT_VALID, 0);
	certificate(&l, v, 3, CERT_SUSPENDED, CRL_HOLD);
	certificate(&l, v, 4, CERT_REVOKED, CRL_KEY_COMPROMISE);
	certificate(&l, v, 5, CERT_REVOKED, CRL_CESSATION);
	changed(&l, v, 0, 9, 5);  /* the base has it */
	changed(&l, v, 0, 10, 4); /* the first that it has not */
	changed(&l, v, 0, 11, 2);
	changed(&l, v, 0, 12, 3);
	changed(&l, v, 0, 13, 2); /* on hold, and off it again */
	changed(&l, v, 0, 14, 1);
	changed(&l, v, 1, 14, 1);
	OK(view_commit(v, &e));
	assert_int_equal(walk(&l, 0, 10, x, 8), 4);
	const struct crl_entry want[] = {
		{ serial(&l, 1), 50, CRL_SUPERSEDED, 0 },
		{ serial(&l, 2), 113, CRL_REMOVE, 0 },
		{ serial(&l, 3), 50, CRL_HOLD, 0 },
		{ serial(&l, 4), 50, CRL_KEY_COMPROMISE, 40 },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(bytes_eq(x[i].serial, want[i].serial));
		assert_int_equal(x[i].reason, want[i].reason);
		assert_int_equal(x[i].revoked_at, want[i].revoked_at);
		assert_int_equal(x[i].invalid_since, want[i].invalid_since);
	}
	/* Of a partition its own; behind the last change nothing. */
	assert_int_equal(walk(&l, 1, 10, x, 8), 1);
	assert_true(bytes_eq(x[0].serial, serial(&l, 1)));
	assert_int_equal(walk(&l, 0, 15, x, 8), 0);
	assert_int_equal(walk(&l, 2, 0, x, 8), 0);
	ledger_fini(&l);
}

/* The most that one tells, in memory that is bounded, and one more. */
static void
too_many(void **state)
{
	(void)state;
	struct ledger l;
	struct view *v;
	AUTO(delta_walk) w = NULL;
	struct crl_build b = { .is_delta = true, .base_covers = 1 };
	snprintf(b.issuer_name, sizeof(b.issuer_name), ISSUER);
	ledger_init(&l);
	OK(store_begin(l.store, true, &v, &e));
	for (uint64_t i = 0; i <= CHANGES; i++)
		changed(&l, v, 0, 1 + i, i);
	OK(view_commit(v, &e));
	OK(store_begin(l.store, false, &v, &e));
	assert_int_equal(delta_walk_new(&b, v, &w, &e), ERR_DENIED);
	assert_string_equal(e.say,
	    "more has changed than a delta CRL tells; a complete one is made "
	    "in its place");
	assert_true(b.is_long);
	b.is_long = false;
	b.base_covers = 2;
	int64_t began = clock_mono_ms();
	OK(delta_walk_new(&b, v, &w, &e));
	print_message("%u changes: %lld ms\n", CHANGES,
	    (long long)(clock_mono_ms() - began));
	assert_false(b.is_long);
	view_abort(v);
	ledger_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_due),
		cmocka_unit_test(what_is_wanted),
		cmocka_unit_test(how_long_it_lives),
		cmocka_unit_test(what_it_tells),
		cmocka_unit_test(too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
