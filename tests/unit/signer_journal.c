/*
 * The journal under faults: cut, flipped, not writable, not synced; and what
 * a retry gets after a crash.
 */
#include "fake/signer_world.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- A disk that fails when told to ---------------------------------------------- */

static int syncs, fail_sync_at, writes, fail_write_at;
static bool short_writes;

int fdatasync(int fd);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at);

int
fdatasync(int fd)
{
	(void)fd;
	if (++syncs == fail_sync_at) {
		errno = EIO;
		return -1;
	}
	return 0;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (++writes == fail_write_at) {
		errno = ENOSPC;
		return -1;
	}
	if (short_writes && n > 7)
		n = 7;
	/* The real call, by the way of the file position. */
	if (lseek(fd, at, SEEK_SET) != at)
		return -1;
	return write(fd, p, n);
}

/* --- A key that fails when told to ------------------------------------------------ */

static bool flip_signatures, fail_signatures;

typedef int (*sign_fn)(EVP_PKEY_CTX *, unsigned char *, size_t *,
    const unsigned char *, size_t);

int
EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *len,
    const unsigned char *hash, size_t hash_len)
{
	sign_fn real;
	void *found = dlsym(RTLD_NEXT, "EVP_PKEY_sign");
	memcpy(&real, &found, sizeof(real));
	if (fail_signatures)
		return 0;
	int ok = real(ctx, sig, len, hash, hash_len);
	if (ok == 1 && sig != NULL && flip_signatures)
		sig[*len - 1] ^= 1;
	return ok;
}

static void
disk_heals(void)
{
	syncs = fail_sync_at = writes = fail_write_at = 0;
	short_writes = false;
}

/* --- Helpers ------------------------------------------------------------------------ */

static void
make(struct world *w, struct wish *x, size_t by)
{
	wish_holder(w, x, by);
	wish_build(w, x, NULL, NULL, NULL);
}

static struct bytes
must(struct world *w, struct wish *x)
{
	struct bytes der;
	struct err refusal = { .id = "" };
	if (wish_ask(w, x, &der, &refusal) != ERR_OK)
		fail_msg("%s: %s", refusal.id, refusal.say);
	return der;
}

static enum err_code
start(struct world *w, struct err *e)
{
	struct signer_setup setup = { .config = &w->config,
		.ceilings = &w->ceilings,
		.dir = w->dir };
	return signer_new(&setup, &w->signer, e);
}

static void
restart(struct world *w)
{
	world_stop(w);
	world_start(w);
}

struct tally {
	uint64_t certificates, appointments, signatures, marks, all;
	uint64_t crls, checkpoints;
};

static void
count(void *ctx, const struct journal_record *r)
{
	struct tally *t = ctx;
	t->all++;
	assert_int_equal(r->number, t->all);
	t->certificates += strcmp(r->kind, "certificate") == 0;
	t->appointments += strcmp(r->kind, "appointment") == 0;
	t->signatures += strcmp(r->kind, "signature") == 0;
	t->marks += strcmp(r->kind, "mark") == 0;
	t->crls += strcmp(r->kind, "crl") == 0;
	t->checkpoints += strcmp(r->kind, "checkpoint") == 0;
}

static struct tally
tally(struct world *w)
{
	struct tally t = { 0 };
	char path[128];
	world_path(w, path);
	OK(journal_read(path, count, &t, e));
	return t;
}

/* Offset of each record, from the lengths; the last is the end. */
static size_t
offsets(struct bytes file, size_t *out, size_t max)
{
	struct reader r = reader_of(file);
	size_t n = 0;
	get_raw(&r, strlen("refrendo-journal/2\n"));
	get_bytes(&r);
	while (!r.bad && n < max) {
		out[n++] = (size_t)(r.p - file.p);
		if (r.p == r.end)
			break;
		get_raw(&r, (size_t)get_u32(&r) + SHA256_LEN);
	}
	assert_false(r.bad);
	return n - 1;
}

/* --- Retries --------------------------------------------------------------------------- */

static void
retry_gets_the_same_bytes(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	make(w, &x, 0);
	struct bytes first = must(w, &x);
	assert_true(bytes_eq(first, must(w, &x)));
	restart(w);
	assert_true(bytes_eq(first, must(w, &x)));
	/* Also when the statement has expired since: it was signed. */
	w->now += 30 * DAY;
	assert_true(bytes_eq(first, must(w, &x)));
	assert_int_equal(tally(w).certificates, 1);
	assert_int_equal(tally(w).signatures, 1 + MINISTERS);
	world_free(w);
}

static void
twice_in_one_batch_is_signed_once(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	make(w, &x, 0);
	struct buf in AUTO_BUF = BUF(1u << 20), out AUTO_BUF = BUF(1u << 20);
	struct err fault;
	struct frame a, b;
	size_t used;
	frame_put(&in, SIGNER_CERTIFICATE, 1, wish_body(w, &x));
	frame_put(&in, SIGNER_CERTIFICATE, 2, wish_body(w, &x));
	assert_int_equal(world_batch(w, buf_bytes(&in), &out, &fault), ERR_OK);
	struct bytes rest = buf_bytes(&out);
	OK(frame_cut(rest, signer_cap, &a, &used, e));
	rest = bytes_of(rest.p + used, rest.len - used);
	OK(frame_cut(rest, signer_cap, &b, &used, e));
	assert_int_equal(a.type, SIGNER_CERTIFICATE | SIGNER_ANSWER);
	assert_int_equal(b.id, 2);
	assert_true(bytes_eq(a.body, b.body));
	assert_int_equal(tally(w).signatures, 1 + MINISTERS);
	world_free(w);
}

/* F3: killed after the record was written and before the signature was. */
static void
f3_killed_between_journal_and_signature(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	size_t at[64];
	char path[128];
	world_path(w, path);
	make(w, &x, 0);
	struct bytes first = must(w, &x);
	world_stop(w);
	struct bytes file = world_file(w, path);
	size_t n = offsets(file, at, ARRAY_LEN(at));
	world_write(path, bytes_of(file.p, at[n - 1]));
	world_start(w);
	assert_int_equal(tally(w).signatures, MINISTERS);
	struct bytes second = must(w, &x);
	struct cert a, b;
	OK(cert_parse(first, &a, e));
	OK(cert_parse(second, &b, e));
	assert_true(bytes_eq(a.tbs, b.tbs));
	/* Not counted and not journalled a second time. */
	assert_int_equal(tally(w).certificates, 1);
	assert_true(bytes_eq(second, must(w, &x)));
	/* Under the evidence that was journalled, and no other. */
	world_stop(w);
	world_write(path, bytes_of(file.p, at[n - 1]));
	world_start(w);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(cms_sign(w->minister[1], buf_bytes(&w->minister_der[1]), x.statement,
	    w->now, &cms, e));
	struct bytes good = x.evidence, der;
	struct err refusal;
	x.evidence = buf_bytes(&cms);
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_CONFLICT);
	assert_string_equal(refusal.id, "signer-evidence-other");
	x.evidence = good;
	(void)must(w, &x);
	world_free(w);
}

/* --- Damage ------------------------------------------------------------------------------- */

static void
cut_at_every_octet_of_the_last_batch(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	size_t at[64];
	char path[128];
	world_path(w, path);
	size_t before = world_file(w, path).len;
	make(w, &x, 0);
	(void)must(w, &x);
	world_stop(w);
	struct bytes file = world_file(w, path);
	(void)offsets(file, at, ARRAY_LEN(at));
	for (size_t len = before; len <= file.len; len++) {
		struct err e;
		world_write(path, bytes_of(file.p, len));
		if (start(w, &e) != ERR_OK)
			fail_msg("cut at %zu: %s", len, e.say);
		/* What follows is written where the chain can go on. */
		struct tally t = tally(w);
		if (t.certificates > 1 || t.appointments != MINISTERS)
			fail_msg("cut at %zu", len);
		world_stop(w);
		if (start(w, &e) != ERR_OK)
			fail_msg("cut at %zu, second start: %s", len, e.say);
		world_stop(w);
	}
	world_start(w);
	(void)must(w, &x);
	world_free(w);
}

static void
every_bit_that_was_synced_is_guarded(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	size_t at[64];
	char path[128];
	world_path(w, path);
	make(w, &x, 0);
	(void)must(w, &x);
	world_stop(w);
	struct bytes file = world_file(w, path);
	size_t n = offsets(file, at, ARRAY_LEN(at));
	/* The last two records are a mark and a signature, not synced. */
	uint8_t *copy = arena_get(w->a, file.len);
	for (size_t i = 0; i < at[n - 2]; i++) {
		struct err e;
		memcpy(copy, file.p, file.len);
		copy[i] ^= (uint8_t)(1u << i % 8);
		world_write(path, bytes_of(copy, file.len));
		struct tally t = { 0 };
		enum err_code code = journal_read(path, count, &t, &e);
		/* The origin is compared with the configuration alone. */
		if (code == ERR_OK && i > at[0])
			fail_msg("octet %zu not found by an audit", i);
		/* Loading keys is dear: the signer itself sees each tenth. */
		if (i % 10 != 0)
			continue;
		code = start(w, &e);
		if (code != ERR_CORRUPT)
			fail_msg("octet %zu of %zu flipped: %s", i, file.len,
			    code == ERR_OK ? "started" : e.id);
	}
	/* A tail that was never synced is cut, and nothing before it. */
	for (size_t i = at[n - 2]; i < file.len; i++) {
		struct err e;
		memcpy(copy, file.p, file.len);
		copy[i] ^= 0x10;
		world_write(path, bytes_of(copy, file.len));
		if (start(w, &e) != ERR_OK)
			fail_msg("octet %zu: %s", i, e.say);
		assert_int_equal(tally(w).certificates, 1);
		world_stop(w);
	}
	world_free(w);
}

static void
journal_of_another_installation(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct err e;
	world_stop(w);
	snprintf(w->config.origin, sizeof(w->config.origin), "log.otro");
	assert_int_equal(start(w, &e), ERR_CORRUPT);
	assert_string_equal(e.id, "journal-origin");
	assert_non_null(strstr(e.say, "belongs to the log log.example/prueba"));
	world_free(w);
}

static void
two_signers_on_one_journal(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct signer *first = w->signer;
	struct err e;
	assert_int_equal(start(w, &e), ERR_CONFLICT);
	assert_string_equal(e.id, "journal-in-use");
	assert_ptr_equal(w->signer, first);
	world_free(w);
}

/* --- A disk that fails ---------------------------------------------------------------------- */

static void
sync_fails_and_nothing_leaves(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x, y;
	struct buf in AUTO_BUF = BUF(1u << 20), out AUTO_BUF = BUF(1u << 20);
	struct err e;
	size_t used;
	make(w, &x, 0);
	make(w, &y, 1);
	frame_put(&in, SIGNER_CERTIFICATE, 1, wish_body(w, &x));
	frame_put(&in, SIGNER_CERTIFICATE, 2, wish_body(w, &y));
	disk_heals();
	fail_sync_at = 1;
	assert_int_equal(signer_batch(w->signer, ASKER_CORE, buf_bytes(&in),
			     &used, w->now, &out, &e),
	    ERR_IO);
	assert_string_equal(e.id, "journal-sync");
	assert_non_null(strstr(e.say, "nothing more is signed"));
	assert_int_equal(out.len, 0);
	assert_int_equal(used, 0);
	/* Never retried: not even a message that needs no sync. */
	int before = syncs;
	assert_int_equal(signer_batch(w->signer, ASKER_CORE, buf_bytes(&in),
			     &used, w->now, &out, &e),
	    ERR_IO);
	assert_string_equal(e.id, "signer-stopped");
	assert_int_equal(syncs, before);
	disk_heals();
	/* The next process writes that tail again before it trusts it. */
	restart(w);
	assert_true(writes == 2 && syncs == 1); /* the tail, and a mark */
	(void)must(w, &x);
	(void)must(w, &y);
	world_free(w);
}

static void
one_sync_for_a_batch(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct buf in AUTO_BUF = BUF(1u << 20), out AUTO_BUF = BUF(1u << 20);
	struct err e;
	for (uint64_t i = 0; i < 20; i++) {
		struct wish x;
		make(w, &x, i % 2);
		frame_put(&in, SIGNER_CERTIFICATE, i, wish_body(w, &x));
	}
	disk_heals();
	assert_int_equal(world_batch(w, buf_bytes(&in), &out, &e), ERR_OK);
	assert_int_equal(syncs, 1);
	/* A retry of all of it needs none. */
	buf_reset(&out);
	assert_int_equal(world_batch(w, buf_bytes(&in), &out, &e), ERR_OK);
	assert_int_equal(syncs, 1);
	world_free(w);
}

/* Each write of a batch fails once, and short ones do no harm. */
static void
writes_fail_one_after_another(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	int n = 1;
	make(w, &x, 0);
	for (;; n++) {
		struct bytes der;
		struct err e;
		disk_heals();
		fail_write_at = n;
		enum err_code code = wish_ask(w, &x, &der, &e);
		disk_heals();
		if (code == ERR_OK)
			break;
		assert_int_equal(code, ERR_IO);
		assert_string_equal(e.id, "journal-write");
		restart(w);
	}
	assert_true(n > 1);
	short_writes = true;
	make(w, &x, 1);
	struct bytes der = must(w, &x);
	disk_heals();
	restart(w);
	assert_true(bytes_eq(der, must(w, &x)));
	world_free(w);
}

/*
 * F27: a key that makes a wrong signature, then none.  Core checks each
 * certificate (step 7) and asks again; the wrong one is not given twice.
 */
static void
f27_faulty_key(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	struct bytes der;
	struct err refusal = { .id = "" };
	struct cert cert;
	AUTO(verifier) v = NULL;
	OK(verifier_new(&v, e));
	make(w, &x, 0);
	uint64_t before = tally(w).signatures;
	flip_signatures = true;
	der = must(w, &x);
	flip_signatures = false;
	OK(cert_parse(der, &cert, e));
	assert_int_equal(cert_check_issued(&cert, &w->ca_cert[0], w->now, v,
			     &refusal),
	    ERR_INVALID);
	der = must(w, &x);
	OK(cert_parse(der, &cert, e));
	OK(cert_check_issued(&cert, &w->ca_cert[0], w->now, v, e));
	assert_int_equal(tally(w).signatures, before + 2);
	assert_int_equal(tally(w).certificates, 1);
	make(w, &x, 1);
	fail_signatures = true;
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_CRYPTO);
	fail_signatures = false;
	/* The intent stays open; the signer goes on when the device does. */
	(void)must(w, &x);
	assert_int_equal(tally(w).certificates, 2);
	world_free(w);
}

/* --- Incidents ---------------------------------------------------------------------------- */

/* Rows 37 and 41: as many signatures as records that allowed them. */
static void
incident_41_journal_equals_signatures(void **state)
{
	(void)state;
	struct world *w = world_new();
	uint64_t got = 0;
	for (size_t i = 0; i < 30; i++) {
		struct wish x;
		struct bytes der;
		struct err refusal;
		make(w, &x, i % 3); /* a third is refused: other institution */
		if (wish_ask(w, &x, &der, &refusal) == ERR_OK)
			got++;
	}
	assert_int_equal(got, 20);
	struct tally t = tally(w);
	assert_int_equal(t.certificates, got);
	assert_int_equal(t.appointments, MINISTERS);
	assert_int_equal(t.signatures, got + MINISTERS);
	restart(w);
	struct bytes answer;
	struct err refusal;
	struct signer_hello hello;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
	OK(signer_hello_decode(answer, w->a, &hello, e));
	assert_int_equal(hello.signed_certificates, got + MINISTERS);
	world_free(w);
}

/* A journal that was lost gives no minister back. */
static void
lost_journal_fails_closed(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct wish x;
	struct bytes der;
	struct err refusal;
	char path[128];
	make(w, &x, 0);
	world_stop(w);
	world_path(w, path);
	assert_int_equal(unlink(path), 0);
	world_start(w);
	assert_int_equal(wish_ask(w, &x, &der, &refusal), ERR_FORBIDDEN);
	assert_string_equal(refusal.id, "signer-minister-unknown");
	world_free(w);
}

/* --- Keys ------------------------------------------------------------------------------------ */

static void
key_of_another_ca(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct err e;
	world_stop(w);
	snprintf(w->config.issuer[0].key, PATH_LEN, "file:ca1.key");
	assert_int_equal(start(w, &e), ERR_INVALID);
	assert_string_equal(e.id, "key-not-of-ca");
	assert_non_null(strstr(e.say, "the key file:ca1.key is not that of"));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_gets_the_same_bytes),
		cmocka_unit_test(twice_in_one_batch_is_signed_once),
		cmocka_unit_test(f3_killed_between_journal_and_signature),
		cmocka_unit_test(cut_at_every_octet_of_the_last_batch),
		cmocka_unit_test(every_bit_that_was_synced_is_guarded),
		cmocka_unit_test(journal_of_another_installation),
		cmocka_unit_test(two_signers_on_one_journal),
		cmocka_unit_test(sync_fails_and_nothing_leaves),
		cmocka_unit_test(one_sync_for_a_batch),
		cmocka_unit_test(writes_fail_one_after_another),
		cmocka_unit_test(f27_faulty_key),
		cmocka_unit_test(incident_41_journal_equals_signatures),
		cmocka_unit_test(lost_journal_fails_closed),
		cmocka_unit_test(key_of_another_ca),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
