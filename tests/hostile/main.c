/*
 * The hostile core: it owns the socket to the signer, the ledger and the clock
 * of nobody, and tries everything in the tables.  Nothing may be signed, the
 * journal may not grow by an octet, and each attempt must be refused with its
 * own code, which is also in the signer's log.
 *
 * Linked twice: with signer_local.c, and with process.c, where the signer is a
 * process of its own, confined as ever.
 */
#include <sys/stat.h>

#include "attempts.h"

#define ATTEMPTS_MIN 60 /* issue 5 asks for so many */

static struct {
	struct world *w;
	const struct attempt *row;
	off_t journal;
	uint8_t hello[SHA256_LEN];
	struct buf responder;
	bool is_ocsp;
	const char *ids[512];
	size_t n_id, n, failed;
} h;

uint8_t *
writable(struct world *w, struct bytes *b)
{
	uint8_t *copy = arena_get(w->a, b->len + 1);
	memcpy(copy, b->p, b->len);
	copy[b->len] = 0;
	*b = bytes_of(copy, b->len);
	return copy;
}

struct bytes
attempt_responder(void)
{
	return buf_bytes(&h.responder);
}

const char *
wish_id(struct world *w, struct wish *x, struct err *refusal)
{
	struct bytes der;
	return wish_ask(w, x, &der, refusal) == ERR_OK ? "ok" : refusal->id;
}

/* --- What the signer has to show for it ------------------------------------------ */

static off_t
journal_size(struct world *w)
{
	char path[128];
	struct stat st;
	world_path(w, path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void
hello_hash(struct world *w, uint8_t out[SHA256_LEN])
{
	struct bytes answer;
	struct err refusal;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	sha256(out, answer);
}

void
attempt_begins(struct world *w)
{
	hello_hash(w, h.hello);
	h.journal = journal_size(w);
	world_log_from(w);
}

static void
failed(const char *why, const char *more)
{
	print_message("attempt \"%s\": %s %s\n", h.row->what, why, more);
	h.failed++;
}

static void
nothing_was_signed(struct world *w)
{
	uint8_t after[SHA256_LEN];
	hello_hash(w, after);
	if (memcmp(after, h.hello, SHA256_LEN) != 0)
		failed("changed what the signer remembers", "");
	if (journal_size(w) != h.journal)
		failed("made the journal grow", "");
}

static void
count_id(const char *id)
{
	for (size_t i = 0; i < h.n_id; i++) {
		if (strcmp(h.ids[i], id) == 0)
			return;
	}
	assert_true(h.n_id < ARRAY_LEN(h.ids));
	h.ids[h.n_id++] = id;
}

/* --- One attempt ----------------------------------------------------------------------- */

static const char *
attempt_id(struct world *w, const struct attempt *r, struct err *refusal)
{
	struct wish x;
	if (r->base == ASKED)
		return r->ask(w, refusal);
	if (r->base == NEW_MINISTER)
		wish_minister(w, &x, "NOM-2026-000099", "14-0", RUT_A,
		    w->stranger);
	else
		wish_holder(w, &x, r->base == BY_2 ? 2 : 0);
	x.edit = r->edit;
	wish_build(w, &x, r->spec, r->statement, r->bytes);
	attempt_begins(w);
	const char *id = wish_id(w, &x, refusal);
	key_free(x.extra);
	return id;
}

static void
run_attempt(struct world *w, const struct attempt *r)
{
	struct err refusal = { .id = "" };
	h.row = r;
	h.n++;
	world_tick(w);
	attempt_begins(w);
	const char *id = attempt_id(w, r, &refusal);
	if (strcmp(id, "ok") == 0) {
		failed("was granted", "");
		return;
	}
	if (strcmp(id, r->id) != 0)
		failed(id, refusal.say);
	else if (refusal.say[0] == '\0' ||
		 (r->say != NULL && strstr(refusal.say, r->say) == NULL))
		failed("was refused with another sentence:", refusal.say);
	if (!world_logged(w, r->id))
		failed("is not in the signer's log:", r->id);
	nothing_was_signed(w);
	count_id(r->id);
}

/* --- All of them ------------------------------------------------------------------------- */

/* What is refused below is refused for its lie: without it, it is signed. */
static void
good_ones_are_signed(struct world *w)
{
	struct wish x;
	struct err refusal = { .id = "" };
	wish_holder(w, &x, 0);
	x.spec.not_after = w->now + 1096 * DAY - 1;
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(wish_id(w, &x, &refusal), "ok");
	wish_minister(w, &x, "NOM-2026-000098", "14-0", RUT_A, w->stranger);
	wish_build(w, &x, NULL, NULL, NULL);
	assert_string_equal(wish_id(w, &x, &refusal), "ok");
}

static void
run_all(struct world *w, const struct attempt *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_attempt(w, &rows[i]);
}

static struct world *
two_of_each(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_init(w);
	struct officer *o = &w->ceilings.officer[w->ceilings.n_officer++];
	snprintf(o->run, sizeof(o->run), "44444444-4");
	sha256(o->spki_sha256, key_spki(w->second));
	w->ceilings.endorsements = 2;
	w->ceilings.quorum = w->ceilings.appointment_quorum = 2;
	world_start(w);
	world_appoint(w);
	return w;
}

static void
core_obtains_nothing(void **state)
{
	static const struct attempt *(*const tables[])(
	    size_t *n) = { certificate_attempts, octet_attempts, key_attempts,
		list_attempts, quorum_attempts, ceilings_attempts,
		frame_attempts, past_attempts, destroyed_attempts,
		mandate_attempts };
	size_t n;
	(void)state;
	h.w = two_officers();
	good_ones_are_signed(h.w);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		const struct attempt *rows = tables[i](&n);
		run_all(h.w, rows, n);
	}
	struct bytes der = become_ocsp(h.w);
	world_hello(h.w);
	h.responder = BUF(CERT_MAX_BYTES);
	buf_put(&h.responder, der.p, der.len);
	const struct attempt *rows = ocsp_attempts(&n);
	run_all(h.w, rows, n);
	world_free(h.w);
	buf_fini(&h.responder);
	h.w = two_of_each();
	good_ones_are_signed(h.w);
	rows = two_attempts(&n);
	run_all(h.w, rows, n);
	world_free(h.w);
	mandate_fini();
	print_message("%zu attempts, %zu codes, %zu not as they should be\n",
	    h.n, h.n_id, h.failed);
	assert_int_equal(h.failed, 0);
	assert_true(h.n >= ATTEMPTS_MIN && h.n_id >= ATTEMPTS_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(core_obtains_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
