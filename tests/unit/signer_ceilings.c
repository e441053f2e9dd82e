/* Which ceilings are in force before the signer, at a start and later. */
#include "fake/signer_asks.h"

static struct world *
begin(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_init(w);
	struct officer *second = &w->ceilings.officer[w->ceilings.n_officer++];
	snprintf(second->run, sizeof(second->run), "44444444-4");
	sha256(second->spki_sha256, key_spki(w->second));
	w->ceilings.quorum = 2;
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	world_start(w);
	world_appoint(w);
	(void)world_file_in_force(w);
	return w;
}

static struct bytes
text_of(struct world *w, const struct ceilings *c)
{
	struct buf out AUTO_BUF = BUF(16384);
	world_ceilings(c, &out);
	return arena_copy(w->a, buf_bytes(&out));
}

/* Root puts this file in etc/; which is in force at the next start, and how? */
static void
start_with(struct world *w, struct bytes lies, struct bytes want,
    enum ceilings_how how)
{
	world_stop(w);
	w->ceilings_text = lies;
	world_start(w);
	assert_true(bytes_eq(world_told_ceilings(w), want));
	assert_int_equal(w->told_how, how);
}

static void
only_less(void **state)
{
	struct world *w = begin();
	struct ceilings c = w->ceilings;
	struct bytes first = w->ceilings_text, wide, less;
	(void)state;
	assert_true(bytes_eq(world_told_ceilings(w), first));
	assert_int_equal(w->told_how, CEILINGS_FIRST);
	c.per_hour++;
	wide = text_of(w, &c);
	start_with(w, wide, first, CEILINGS_FIRST);
	c.per_hour -= 2;
	less = text_of(w, &c);
	start_with(w, less, less, CEILINGS_LESSENED);
	/* What was in force before is wider now. */
	start_with(w, first, less, CEILINGS_LESSENED);
	start_with(w, wide, less, CEILINGS_LESSENED);
	c.n_officer--;
	c.quorum = c.appointment_quorum = 1;
	start_with(w, text_of(w, &c), less, CEILINGS_LESSENED);
	world_free(w);
}

static void
by_officers(void **state)
{
	struct world *w = begin();
	struct ceilings c = w->ceilings;
	struct change x, y, z;
	struct bytes first = w->ceilings_text;
	struct err refusal = { .id = "" };
	(void)state;
	c.per_hour += 5;
	snprintf(c.officer[1].run, sizeof(c.officer[1].run), "14-0");
	sha256(c.officer[1].spki_sha256, key_spki(w->stranger));
	change_init(w, &x, "CER-2029-000001", first, &c);
	assert_string_equal(change_ask(w, &x, &refusal), "ok");
	/* At once, and whoever was replaced signs no more. */
	assert_true(bytes_eq(world_told_ceilings(w), x.file));
	assert_int_equal(w->told_how, CEILINGS_AGREED);
	c.per_hour++;
	change_init(w, &y, "CER-2029-000002", x.file, &c);
	assert_string_equal(change_ask(w, &y, &refusal),
	    "signer-officer-unknown");
	/* The file of before still lies there: that is nobody's act. */
	start_with(w, first, x.file, CEILINGS_AGREED);
	y.signers = "oz";
	assert_string_equal(change_ask(w, &y, &refusal), "ok");
	assert_true(bytes_eq(world_told_ceilings(w), y.file));
	/* Told again, also out of order, nothing happens. */
	assert_string_equal(change_ask(w, &x, &refusal), "ok");
	assert_string_equal(change_ask(w, &y, &refusal), "ok");
	assert_true(bytes_eq(world_told_ceilings(w), y.file));
	/* The same file under another statement is another agreement. */
	c = w->ceilings;
	change_init(w, &z, "CER-2029-000003", first, &c);
	z.signers = "oz";
	assert_string_equal(change_ask(w, &z, &refusal),
	    "ceremony-ceilings-base");
	/* The end of an agreement gives nothing back. */
	assert_int_equal(end_ask(w, "CER-2029-000002", w->now, &refusal),
	    ERR_OK);
	assert_true(bytes_eq(world_told_ceilings(w), y.file));
	start_with(w, y.file, y.file, CEILINGS_AGREED);
	/* It only takes away, and was in force: that is what was replaced. */
	start_with(w, x.file, y.file, CEILINGS_AGREED);
	world_free(w);
}

/* Withdrawn before it was told: it never begins. */
static void
ended_before(void **state)
{
	struct world *w = begin();
	struct ceilings c = w->ceilings;
	struct bytes first = w->ceilings_text;
	struct change x;
	struct err refusal = { .id = "" };
	(void)state;
	c.per_hour += 5;
	change_init(w, &x, "CER-2029-000001", first, &c);
	assert_int_equal(end_ask(w, "CER-2029-000001", w->now, &refusal),
	    ERR_OK);
	assert_string_equal(change_ask(w, &x, &refusal), "signer-agreed-ended");
	assert_true(bytes_eq(world_told_ceilings(w), first));
	world_free(w);
}

static void
founded_anew(void **state)
{
	struct world *w = begin();
	struct ceilings c = w->ceilings;
	struct bytes first = w->ceilings_text;
	struct buf file AUTO_BUF = BUF(16384), stale AUTO_BUF = BUF(16384);
	char hex[HEX_LEN(SHA256_LEN)];
	(void)state;
	c.n_officer = 1;
	c.quorum = c.appointment_quorum = 1;
	sha256(c.officer[0].spki_sha256, key_spki(w->stranger));
	world_ceilings(&c, &file);
	world_ceilings(&c, &stale);
	hex_print(hex, world_hash(w, first));
	buf_putf(&file, "refounds: \"%s\"\n", hex);
	hex_print(hex, world_hash(w, bytes_str("another")));
	buf_putf(&stale, "refounds: \"%s\"\n", hex);
	start_with(w, buf_bytes(&stale), first, CEILINGS_FIRST);
	start_with(w, buf_bytes(&file), buf_bytes(&file), CEILINGS_REFOUNDED);
	/* Once: what it names is in force no more. */
	start_with(w, first, buf_bytes(&file), CEILINGS_REFOUNDED);
	c.per_hour++;
	buf_reset(&stale);
	world_ceilings(&c, &stale);
	hex_print(hex, world_hash(w, first));
	buf_putf(&stale, "refounds: \"%s\"\n", hex);
	start_with(w, buf_bytes(&stale), buf_bytes(&file), CEILINGS_REFOUNDED);
	world_stop(w);
	w->ceilings_text = buf_bytes(&file);
	world_start(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_less),
		cmocka_unit_test(by_officers),
		cmocka_unit_test(ended_before),
		cmocka_unit_test(founded_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
