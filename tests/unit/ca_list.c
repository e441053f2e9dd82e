#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/crl.h>

#include "fake/ca_view.h"

/*
 * The rows that CRLs are copied from, against a plain table of the same
 * entries: whatever was put in and taken out, each stands once, in order, and
 * in a row whose bound it is below.
 */

#define SERIALS 700
#define STEPS   6000

static const uint8_t issuer[] = "emisora";

struct known {
	struct crl_entry x;
	uint8_t serial[SERIAL_MAX];
	int64_t not_after;
	bool is_listed;
};

struct table {
	struct view *v;
	struct bytes prefix;
	uint8_t room[ROW_KEY_MAX];
	struct known known[SERIALS];
	uint64_t seed;
};

static uint64_t
next_random(struct table *t)
{
	t->seed =
	    t->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return t->seed >> 33;
}

/* In ascending order; of several lengths, some with the first bit set. */
static void
serials_make(struct table *t)
{
	for (size_t i = 0; i < SERIALS; i++) {
		struct known *k = &t->known[i];
		size_t len = 2 + i % 19;
		memset(k->serial, (int)(i % 251), sizeof(k->serial));
		k->serial[0] = (uint8_t)(1 + i / 3);
		k->serial[1] = (uint8_t)(i % 3 * 100);
		k->x.serial = bytes_of(k->serial, len);
		if (i > 0)
			assert_true(bytes_cmp(k[-1].x.serial, k->x.serial) < 0);
	}
}

static void
table_open(struct table *t, int64_t partition)
{
	*t = (struct table){ .v = fake_view_new(), .seed = 7 };
	t->prefix = ca_list_key(t->room, bytes_of(issuer, sizeof(issuer) - 1),
	    partition);
	serials_make(t);
}

static void
put(struct table *t, struct known *k)
{
	static const int reasons[] = { 0, 1, 3, 4, 5, 6, 9 };
	struct err e;
	k->x.revoked_at = (int64_t)next_random(t);
	k->x.reason = reasons[next_random(t) % ARRAY_LEN(reasons)];
	k->x.invalid_since =
	    next_random(t) % 3 == 0 ? 1 + (int64_t)next_random(t) : 0;
	k->not_after = (int64_t)next_random(t);
	k->is_listed = true;
	assert_int_equal(ca_list_put(t->v, t->prefix, &k->x, k->not_after, &e),
	    ERR_OK);
}

static void
del(struct table *t, struct known *k)
{
	struct err e;
	enum err_code code = ca_list_del(t->v, t->prefix, k->x.serial, &e);
	assert_int_equal(code, k->is_listed ? ERR_OK : ERR_CORRUPT);
	if (!k->is_listed)
		assert_string_equal(e.id, "listed-row");
	k->is_listed = false;
}

static struct known *
next_listed(struct table *t, struct known *k)
{
	while (k < t->known + SERIALS && !k->is_listed)
		k++;
	return k;
}

/* What a list has that leaves out certificates which ended before then. */
static void
take_check(const struct known *k, const struct known *end,
    struct listed_row row, int64_t since)
{
	while (row.entries.len > 0) {
		struct bytes run;
		size_t n;
		struct crl_cursor at = { 0 };
		struct crl_entry x;
		assert_true(listed_row_take(&row, since, &run, &n));
		struct crl all = { .entries = run };
		for (; n > 0; n--, k++) {
			while (!k->is_listed || k->not_after < since)
				k++;
			assert_true(crl_next(&all, &at, &x));
			assert_true(bytes_eq(x.serial, k->x.serial));
		}
		assert_int_equal(at.at, run.len);
	}
	for (; k < end; k++)
		assert_true(!k->is_listed || k->not_after < since);
}

/* One row against the table, from k on; returns what follows. */
static struct known *
row_check(struct table *t, struct bytes key, struct bytes value,
    struct known *k)
{
	struct listed_row row, slow;
	struct err e;
	struct crl_cursor at = { 0 };
	struct crl_entry x;
	int64_t earliest = NEVER;
	const struct known *first = k;
	struct bytes bound =
	    bytes_of(key.p + t->prefix.len, key.len - t->prefix.len);
	assert_true(listed_row_read(value, &row));
	assert_int_equal(rec_decode(&rec_revoked, value, &slow, &e), ERR_OK);
	assert_true(bytes_eq(row.entries, slow.entries));
	assert_true(bytes_eq(row.ends, slow.ends));
	assert_true(row.earliest == slow.earliest);
	struct crl all = { .entries = row.entries };
	size_t n = row.ends.len / LISTED_END;
	assert_true(n > 0 && row.ends.len + row.entries.len <= 16000);
	for (size_t i = 0; i < n; i++, k = next_listed(t, k + 1)) {
		assert_true(k < t->known + SERIALS);
		assert_true(crl_next(&all, &at, &x));
		assert_true(bytes_eq(x.serial, k->x.serial));
		assert_true(bytes_cmp(x.serial, bound) < 0);
		assert_true(x.revoked_at == k->x.revoked_at);
		assert_int_equal(x.reason, k->x.reason);
		assert_true(x.invalid_since == k->x.invalid_since);
		int64_t end = (int64_t)be64_parse(row.ends.p + i * LISTED_END);
		assert_true(end == k->not_after);
		earliest = end < earliest ? end : earliest;
	}
	assert_int_equal(at.at, row.entries.len);
	assert_true(row.earliest == earliest);
	take_check(first, k, row, earliest);
	take_check(first, k, row, INT64_C(1) << 30);
	take_check(first, k, row, NEVER);
	return k;
}

static size_t
table_check(struct table *t)
{
	struct known *k = next_listed(t, t->known);
	struct bytes after = t->prefix, key, value;
	uint8_t room[ROW_KEY_MAX];
	struct err e;
	bool found;
	for (size_t rows = 0;; rows++) {
		assert_int_equal(view_next(t->v, t->prefix, after, &key, &value,
				     &found, &e),
		    ERR_OK);
		if (!found) {
			assert_true(k == t->known + SERIALS);
			return rows;
		}
		k = row_check(t, key, value, k);
		memcpy(room, key.p, key.len);
		after = bytes_of(room, key.len);
	}
}

static void
in_any_order(void **state)
{
	(void)state;
	for (int64_t partition = 0; partition < 2; partition++) {
		struct table t;
		table_open(&t, partition);
		for (size_t i = 0; i < STEPS; i++) {
			struct known *k = &t.known[next_random(&t) % SERIALS];
			/* More goes in, then more comes out. */
			if (next_random(&t) % STEPS > i)
				put(&t, k);
			else
				del(&t, k);
			if (i % 100 == 0)
				table_check(&t);
		}
		for (size_t i = 0; i < SERIALS; i++)
			del(&t, &t.known[i]);
		assert_int_equal(table_check(&t), 0);
		assert_int_equal(fake_view_rows(t.v), 0);
		fake_view_free(t.v);
	}
}

/* Serials rise as they are given out: rows that are left behind are full. */
static void
in_order(void **state)
{
	struct table t;
	(void)state;
	table_open(&t, 0);
	size_t octets = 0;
	for (size_t i = 0; i < SERIALS; i++) {
		uint8_t der[CRL_ENTRY_MAX];
		struct err e;
		size_t len;
		put(&t, &t.known[i]);
		assert_int_equal(crl_entry_print(&t.known[i].x, der, &len, &e),
		    ERR_OK);
		octets += len + LISTED_END;
	}
	size_t rows = table_check(&t);
	assert_true(rows <= octets / (16000 - CRL_ENTRY_MAX) + 1);
	fake_view_free(t.v);
}

static void
broken_rows(void **state)
{
	struct listed_row row;
	struct table t;
	struct bytes key, value;
	struct err e;
	bool found;
	(void)state;
	table_open(&t, 0);
	put(&t, &t.known[4]);
	put(&t, &t.known[9]);
	assert_int_equal(view_next(t.v, t.prefix, t.prefix, &key, &value,
			     &found, &e),
	    ERR_OK);
	uint8_t bad[512], at[ROW_KEY_MAX];
	size_t len = value.len;
	memcpy(bad, value.p, len);
	memcpy(at, key.p, key.len);
	for (size_t n = 0; n < len; n++)
		assert_false(listed_row_read(bytes_of(bad, n), &row));
	for (size_t n = 0; n <= 1 + 8 + 4 + 2 * LISTED_END + 4; n++)
		assert_false(listed_row_head(bytes_of(bad, n), &row));
	assert_true(listed_row_head(bytes_of(bad, len), &row));
	assert_int_equal(row.ends.len, 2 * LISTED_END);
	assert_true(listed_row_read(bytes_of(bad, len), &row));
	/* An entry that says that it is longer than it is. */
	bad[1 + 8 + 4 + 2 * LISTED_END + 4 + 1]++;
	struct bytes run;
	size_t n;
	assert_true(listed_row_read(bytes_of(bad, len), &row));
	assert_false(listed_row_take(&row, NEVER, &run, &n));
	fake_view_force(t.v, bytes_of(at, key.len), bytes_of(bad, len));
	assert_int_equal(ca_list_put(t.v, t.prefix, &t.known[5].x, 0, &e),
	    ERR_CORRUPT);
	fake_view_free(t.v);
}

static void
bad_entries(void **state)
{
	static const struct {
		const char *name, *id;
		int reason;
		int64_t revoked_at;
		size_t serial;
	} rows[] = {
		{ "reason of a delta", "crl-entry-reason", 8, 1, 3 },
		{ "no such reason", "crl-entry-reason", 7, 1, 3 },
		{ "before 1970", "crl-entry-time", 1, -1, 3 },
		{ "no serial", "crl-entry-serial", 1, 1, 0 },
		{ "a serial that is too long", "crl-entry-serial", 1, 1, 21 },
	};
	uint8_t serial[21] = { 1 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct crl_entry x = { .serial =
					   bytes_of(serial, rows[i].serial),
			.reason = rows[i].reason,
			.revoked_at = rows[i].revoked_at };
		uint8_t der[CRL_ENTRY_MAX];
		size_t len;
		struct err e;
		print_message("%s\n", rows[i].name);
		assert_int_equal(crl_entry_print(&x, der, &len, &e),
		    ERR_CORRUPT);
		assert_string_equal(e.id, rows[i].id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(in_order),
		cmocka_unit_test(broken_rows),
		cmocka_unit_test(bad_entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
