#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <refrendo/crl.h>

#include "fake/ca_world.h"

/*
 * What a delta CRL is made from: the rows of what changed behind its base, who
 * writes them, when they go, and which certificates name deltas.
 */

#define MANY 8

struct list {
	int64_t partition, base;
	bool names_deltas;
	int64_t covers; /* entries before the end of the log; as an offset */
};

static enum err_code
publish(struct world *w, int64_t number, const struct list *l)
{
	uint8_t hash[SHA256_LEN] = { (uint8_t)number };
	struct decision d = { .n = 1 };
	struct crl_published crl = { .issuer = bytes_str(w->issuer.name),
		.partition = l->partition,
		.number = number,
		.base = l->base,
		.names_deltas = l->names_deltas,
		.covers = fake_view_entries(w->v) - (uint64_t)l->covers,
		.sha256 = bytes_of(hash, sizeof(hash)),
		.this_update = w->now,
		.next_update = w->now + DAY };
	TRY(ca_decide_crl(w->v, &crl, w->now, w->a, &d.draft[0], &w->e));
	return world_append(w, &d);
}

static void
complete(struct world *w, int64_t number, int64_t partition, bool deltas)
{
	struct list l = { .partition = partition, .names_deltas = deltas };
	world_must(w, publish(w, number, &l), "a complete list");
}

static struct crl_row
row_of(struct world *w, int64_t partition)
{
	struct crl_row row;
	world_must(w,
	    ca_complete(w->v, bytes_str(w->issuer.name), partition, w->a, &row,
		&w->e),
	    "the row of a list");
	return row;
}

/* Serials of the kept changes of a list, as hex, in the order of the log. */
static size_t
changes(struct world *w, int64_t partition, const char *serial[MANY])
{
	struct bytes key, value,
	    first =
		ca_changed_key(w->a, bytes_str(w->issuer.name), partition, 0);
	struct bytes prefix = bytes_of(first.p, first.len - 8), after = prefix;
	uint64_t last = 0;
	size_t n = 0;
	bool found;
	for (;;) {
		struct changed_row row;
		world_must(w,
		    view_next(w->v, prefix, after, &key, &value, &found, &w->e),
		    "a change");
		if (!found)
			return n;
		after = arena_copy(w->a, key);
		world_must(w,
		    rec_decode(&rec_changed, arena_copy(w->a, value), &row,
			&w->e),
		    "its row");
		uint64_t index = be64_parse(after.p + after.len - 8);
		assert_true(index > last);
		assert_int_equal(row.at, fake_view_entry(w->v, index)->time);
		char *hex = arena_get(w->a, HEX_LEN(row.serial.len));
		hex_print(hex, row.serial);
		assert_true(n < MANY);
		serial[n++] = hex;
		last = index;
	}
}

static void
expect(struct world *w, int64_t partition, const char *const *want)
{
	const char *got[MANY];
	size_t n = changes(w, partition, got), i = 0;
	for (; want[i] != NULL; i++) {
		assert_true(i < n);
		assert_string_equal(got[i], want[i]);
	}
	assert_int_equal(n, i);
	assert_true(fake_view_replays(w->v));
}
#define EXPECT(w, partition, ...) \
	expect(w, partition, (const char *const[]){ __VA_ARGS__ })

static void
suspend(struct world *w, const char *serial)
{
	struct command c = world_command(w, ACT_CERTIFICATE_SUSPEND, CF_AS,
	    MINISTER, CF_SERIAL, serial, CF_CAUSE, "technical", CF_COUNT);
	w->now++;
	world_must(w, world_run(w, &c), "suspend");
}

static void
reinstate(struct world *w, const char *serial)
{
	struct command c = world_command(w, ACT_CERTIFICATE_REINSTATE, CF_AS,
	    MINISTER, CF_SERIAL, serial, CF_COUNT);
	w->now++;
	world_must(w, world_run(w, &c), "reinstate");
}

static void
revoke(struct world *w, const char *serial)
{
	struct command c = world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS,
	    MINISTER, CF_SERIAL, serial, CF_CAUSE, "superseded", CF_COUNT);
	w->now++;
	world_must(w, world_run(w, &c), "revoke");
}

static struct policy *
firma(struct world *w)
{
	for (size_t i = 0; i < w->policies->n; i++)
		if (strcmp(w->policies->policy[i].name, "funcionario-firma") ==
		    0)
			return &w->policies->policy[i];
	fail_msg("no policy");
	return NULL;
}

/* Kept from the first list that names deltas on; each change, of a hold too. */
static void
changes_are_kept(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	const char *a = world_issue(w, HOLDER, "a");
	const char *b = world_issue(w, HOLDER, "b");
	const char *c = world_issue(w, HOLDER, "c");

	suspend(w, a);
	complete(w, 1, 0, false);
	suspend(w, b);
	EXPECT(w, 0, NULL);
	assert_int_equal(row_of(w, 0).kept_since, 0);
	complete(w, 2, 0, true);
	struct crl_row first = row_of(w, 0);
	assert_int_equal(first.kept_since, fake_view_entries(w->v) - 1);
	/* What changed while it was made is not kept. */
	assert_false(ca_takes_deltas(&first));
	reinstate(w, a);
	revoke(w, b);
	suspend(w, c);
	reinstate(w, c);
	EXPECT(w, 0, a, b, c, c, NULL);
	/* An operator's proposal is no change. */
	struct command p = world_command(w, ACT_CERTIFICATE_REVOKE, CF_AS,
	    OPERATOR, CF_SERIAL, a, CF_CAUSE, "superseded", CF_COUNT);
	world_must(w, world_run(w, &p), "propose");
	EXPECT(w, 0, a, b, c, c, NULL);
	suspend(w, a);
	/* The next list covers all but the last entry. */
	struct list l = { .names_deltas = true, .covers = 1 };
	world_must(w, publish(w, 3, &l), "the next");
	struct crl_row second = row_of(w, 0);
	assert_int_equal(second.kept_since, first.kept_since);
	assert_true(ca_takes_deltas(&second));
	EXPECT(w, 0, a, NULL);
}

/* A list that names no deltas ends it; what was kept goes, their row too. */
static void
and_forgotten(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	const char *a = world_issue(w, HOLDER, "a");
	struct list delta = { .base = 2 };
	struct bytes key = ca_crl_key(w->a, bytes_str(w->issuer.name), 0, true);
	struct crl_row row;
	bool found;

	complete(w, 1, 0, true);
	complete(w, 2, 0, true);
	suspend(w, a);
	world_must(w, publish(w, 3, &delta), "a delta");
	world_must(w, rec_get(w->v, &rec_crl, key, w->a, &row, &found, &w->e),
	    "its row");
	assert_true(found);
	assert_int_equal(row.number, 3);
	assert_int_equal(row.base, 2);
	assert_int_equal(row.kept_since, 0);
	/* A delta takes nothing away that the next one must tell again. */
	EXPECT(w, 0, a, NULL);
	complete(w, 4, 0, false);
	EXPECT(w, 0, NULL);
	world_must(w, rec_get(w->v, &rec_crl, key, w->a, &row, &found, &w->e),
	    "its row");
	assert_false(found);
	reinstate(w, a);
	EXPECT(w, 0, NULL);
}

/* INCIDENTS 62: a delta is of its own scope, and of the newest list there. */
static void
bases(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *name;
		struct list list;
		enum err_code code;
		const char *say;
	} rows[] = {
		{ "of no list", { 2, 5, false, 0 }, ERR_CONFLICT, "a delta rests on the complete CRL of its scope that was published last, and on none that names no deltas" },
		{ "of an older list", { 0, 1, false, 0 }, ERR_CONFLICT, NULL },
		{ "of another scope", { 1, 2, false, 0 }, ERR_CONFLICT, NULL },
		{ "of a list that names none", { 1, 3, false, 0 }, ERR_CONFLICT, NULL },
		{ "of one whose changes were not kept", { 3, 5, false, 0 }, ERR_CONFLICT, NULL },
		{ "that names deltas", { 0, 2, true, 0 }, ERR_INVALID, "the CRL to be recorded has no number or hash, or rests on one that is not before it" },
		{ "of the newest", { 0, 2, false, 0 }, ERR_OK, NULL },
	};
	/* clang-format on */
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	complete(w, 1, 0, true);
	complete(w, 2, 0, true);
	complete(w, 3, 1, false);
	complete(w, 4, 2, true);
	complete(w, 5, 3, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err_code code = publish(w, 10 + (int64_t)i, &rows[i].list);
		if (code != rows[i].code)
			fail_msg("%s: %d %s", rows[i].name, (int)code,
			    code == ERR_OK ? "" : w->e.say);
		if (rows[i].say != NULL)
			assert_string_equal(w->e.say, rows[i].say);
	}
}

static struct bytes
named(struct world *w, const char *serial, enum pkix_oid ext)
{
	uint8_t raw[SERIAL_MAX];
	size_t len = strlen(serial) / 2;
	struct bytes url = BYTES_NONE;
	struct cert c;
	assert_true(hex_parse(bytes_str(serial), raw, len));
	struct certificate row = world_get_certificate(w, bytes_of(raw, len));
	world_must(w,
	    rec_load(w->v, &rec_certificate, "certificate", w->a, &row, &w->e),
	    "its octets");
	world_must(w, cert_parse(row.certificate, &c, &w->e), "certificate");
	(void)cert_one_point(&c, ext, &url);
	return url;
}

/* INCIDENTS 13 and 60: named once they are there, and under the list's path. */
static void
certificates_name_them(void **state)
{
	(void)state;
	AUTO(world) w = world_new("2027-01-01");
	world_populate(w);
	const char *a = world_issue(w, HOLDER, "a");
	assert_int_equal(named(w, a, OID_EXT_FRESHEST).len, 0);
	firma(w)->crl_delta_s = 900;
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "funcionario-firma", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "b");
	complete(w, 1, 0, true);
	complete(w, 2, 0, true);
	assert_int_equal(world_run(w, &c), ERR_BUSY);
	assert_string_equal(w->e.say,
	    "the delta CRL that this certificate will name is being made; ask "
	    "again in a moment");
	struct list delta = { .base = 2 };
	world_must(w, publish(w, 3, &delta), "a delta");
	const char *b = world_issue(w, HOLDER, "b");
	assert_true(bytes_is(named(w, b, OID_EXT_FRESHEST),
	    "http://ca.example.cl/crl/institucional/delta.crl"));
	assert_true(bytes_is(named(w, b, OID_EXT_CRLDP),
	    "http://ca.example.cl/crl/institucional.crl"));
	/* Of a partition: another delta, which is not there yet. */
	firma(w)->crl_partition = 10;
	snprintf(w->issuer.public_url, sizeof(w->issuer.public_url),
	    "http://ca.example.cl");
	complete(w, 4, 1, true);
	complete(w, 5, 1, true);
	c = world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR, CF_RUT, RUT_A,
	    CF_RUN, HOLDER, CF_POLICY, "funcionario-firma", CF_COUNT);
	c.f[CF_CSR] = world_csr(w, "c");
	assert_int_equal(world_run(w, &c), ERR_BUSY);
	assert_string_equal(w->e.id, "delta-not-open");
	delta = (struct list){ .partition = 1, .base = 5 };
	world_must(w, publish(w, 6, &delta), "a delta of the partition");
	const char *d = world_issue(w, HOLDER, "d");
	assert_true(bytes_is(named(w, d, OID_EXT_FRESHEST),
	    "http://ca.example.cl/crl/institucional/1-delta.crl"));
	/* Its change stands for both lists, the others' for the full one. */
	suspend(w, d);
	revoke(w, b);
	EXPECT(w, 0, d, b, NULL);
	EXPECT(w, 1, d, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_kept),
		cmocka_unit_test(and_forgotten),
		cmocka_unit_test(bases),
		cmocka_unit_test(certificates_name_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
