/*
 * refrendo publish on a store made here: which CRLs may enter an export
 * (INCIDENTS 59), names of odd requests, what ends, what the log shows.
 */
#include "crl_world.h"

#include <dirent.h>
#include <refrendo/audit.h>
#include <refrendo/cli.h>
#include <refrendo/ocsp.h>
#include <refrendo/store.h>
#include <sys/stat.h>

#define MAP (INT64_C(64) << 20)

/* --- An installation and its public/ ---------------------------------------------- */

static struct public *store;
static struct issuer_id ca_id;

static int
site_new(void **state)
{
	struct err e;
	assert_int_equal(world_new(state), 0);
	struct world *w = *state;
	struct buf text AUTO_BUF = BUF(1 << 20);
	char path[128];
	snprintf(path, sizeof(path), "%s/etc", w->dir.path);
	assert_int_equal(mkdir(path, 0755), 0);
	FILE *f = fopen(SOURCE_DIR "/etc/refrendo.yaml", "rb");
	assert_non_null(f);
	uint8_t *room = buf_room(&text, 4096);
	text.len = fread(room, 1, 4096, f);
	assert_int_equal(fclose(f), 0);
	dir_write(&w->dir, "etc/refrendo.yaml", buf_bytes(&text));
	put_pem(w, "emisora.pem", "CERTIFICATE", buf_bytes(&w->ca.der));
	put_pem(w, "root.pem", "CERTIFICATE", buf_bytes(&w->other_ca.der));
	OK(issuer_id_of(&w->ca_cert, &ca_id, &e), &e);
	OK(public_open(w->dir.path, MAP, true, NULL, &store, &e), &e);
	struct public_txn *t;
	OK(public_begin(store, &t, &e), &e);
	const struct public_issuer is = { ca_id, "emisora" };
	OK(public_put_issuer(t, 0, &is, &e), &e);
	OK(public_commit(t, &e), &e);
	return 0;
}

static int
site_free(void **state)
{
	public_close(store);
	return world_free(state);
}

static void
put_row(struct bytes key, const char *type, int64_t this_update,
    int64_t next_update, struct bytes body)
{
	struct public_row row = { .this_update = this_update,
		.next_update = next_update,
		.refresh_at = this_update,
		.type = type,
		.body = body };
	struct public_txn *t;
	struct err e;
	if (key.p[0] != 'o')
		row.refresh_at = 0;
	OK(public_begin(store, &t, &e), &e);
	OK(public_put(t, key, &row, &e), &e);
	OK(public_commit(t, &e), &e);
}

static void
put_path(const char *path, const char *type, struct bytes body)
{
	uint8_t room[PUBLIC_KEY_MAX];
	put_row(public_file_key(room, bytes_str(path)), type, 1, 0, body);
}

static void
del_row(struct bytes key)
{
	struct public_txn *t;
	struct err e;
	OK(public_begin(store, &t, &e), &e);
	OK(public_del(t, key, &e), &e);
	OK(public_commit(t, &e), &e);
}

/* Lives until the next call. */
static const char *
path_of(const struct world *w, const char *name)
{
	static char path[512];
	assert_true(snprintf(path, sizeof(path), "%s/site/%s", w->dir.path,
			name) < (int)sizeof(path));
	return path;
}

/* refrendo publish, in a process of its own: LMDB is opened once in each. */
static int
publish(const struct world *w, const char *more)
{
	char name[] = "refrendo", verb[] = "publish", dir[] = "--dir",
	     to[] = "--to", json[] = "--json", extra[16] = "", site[512],
	     place[sizeof(w->dir.path)];
	memcpy(place, w->dir.path, sizeof(place));
	snprintf(site, sizeof(site), "%s", path_of(w, ""));
	char *argv[] = { name, verb, dir, place, to, site, json, extra, NULL };
	int argc = 7, status;
	if (more != NULL)
		snprintf(argv[argc++], sizeof(extra), "%s", more);
	argv[argc] = NULL;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(cli_main(argc, argv));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
is_there(const struct world *w, const char *name)
{
	return access(path_of(w, name), F_OK) == 0;
}

static void
read_file(const struct world *w, const char *name, struct buf *out)
{
	uint8_t block[4096];
	size_t n;
	FILE *f = fopen(path_of(w, name), "rb");
	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(out, block, n);
	assert_int_equal(fclose(f), 0);
	assert_false(out->failed);
}

static void
write_file(const struct world *w, const char *name, struct bytes b)
{
	FILE *f = fopen(path_of(w, name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	assert_int_equal(fclose(f), 0);
}

static void
assert_holds(const struct world *w, const char *name, struct bytes want)
{
	struct buf got AUTO_BUF = BUF(1 << 20);
	read_file(w, name, &got);
	assert_true(bytes_eq(buf_bytes(&got), want));
}

/* --- CRLs -------------------------------------------------------------------------- */

static void
offer(const struct world *w, struct bytes der, int want)
{
	put_path("/crl/emisora.crl", "application/pkix-crl", der);
	assert_int_equal(publish(w, NULL), want);
}

static void
make(const struct test_ca *ca, struct crl_spec spec, uint64_t number, size_t n,
    struct buf *out)
{
	buf_reset(out);
	spec.number = number;
	build(ca, &spec, entries, n, out);
}

static void
incident_59_only_a_newer_crl_of_this_ca(void **state)
{
	struct world *w = *state;
	struct buf good AUTO_BUF = BUF(1 << 20), der AUTO_BUF = BUF(1 << 20);
	struct crl_spec spec = usual(w, &w->ca), other = spec;
	make(&w->ca, spec, 7, 2, &good);
	offer(w, buf_bytes(&good), CLI_OK);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&good));

	/* Another CA's, in the right name and by the right key identifier. */
	make(&w->other_ca, spec, 8, 2, &der);
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&good));
	/* Another CA's own. */
	make(&w->other_ca, usual(w, &w->other_ca), 8, 2, &der);
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&good));
	/* An older one; one of the same number that says less. */
	make(&w->ca, spec, 6, 2, &der);
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	make(&w->ca, spec, 7, 1, &der);
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&good));
	/* An expired one, one of the future. */
	other.next_update = w->now - 1;
	make(&w->ca, other, 8, 2, &der);
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	other.this_update = w->now + HOUR;
	other.next_update = w->now + DAY;
	make(&w->ca, other, 8, 2, &der);
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&good));
	/* A truncated one, an altered one, nothing. */
	make(&w->ca, spec, 8, 2, &der);
	offer(w, bytes_of(der.p, der.len - 1), CLI_PARTIAL);
	der.p[der.len / 2] ^= 1;
	offer(w, buf_bytes(&der), CLI_PARTIAL);
	offer(w, BYTES_NONE, CLI_PARTIAL);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&good));
	/* Refusals leave nothing behind: the next number is welcome. */
	make(&w->ca, spec, 8, 2, &der);
	offer(w, buf_bytes(&der), CLI_OK);
	assert_holds(w, "crl/emisora.crl", buf_bytes(&der));
	/* Not even when the file is gone does the number go back. */
	assert_int_equal(unlink(path_of(w, "crl/emisora.crl")), 0);
	offer(w, buf_bytes(&good), CLI_PARTIAL);
	assert_false(is_there(w, "crl/emisora.crl"));
}

static void
incident_59_only_under_its_url(void **state)
{
	struct world *w = *state;
	struct buf good AUTO_BUF = BUF(1 << 20);
	const char *const paths[] = { "/crl/root.crl", "/crl/other.crl",
		"/crl/emisorax.crl", "/crl/emisora" };
	make(&w->ca, usual(w, &w->ca), 7, 2, &good);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		uint8_t room[PUBLIC_KEY_MAX];
		put_path(paths[i], "application/pkix-crl", buf_bytes(&good));
		assert_int_equal(publish(w, NULL), CLI_PARTIAL);
		assert_false(is_there(w, paths[i] + 1));
		del_row(public_file_key(room, bytes_str(paths[i])));
	}
	offer(w, buf_bytes(&good), CLI_OK);

	/* A partition that came to another one's address. */
	const char *const url = "http://estado.example.cl/crl/emisora/4.crl";
	struct crl_spec spec = usual(w, &w->ca);
	spec.url = bytes_str(url);
	make(&w->ca, spec, 8, 2, &good);
	put_path("/crl/emisora/5.crl", "application/pkix-crl",
	    buf_bytes(&good));
	assert_int_equal(publish(w, NULL), CLI_PARTIAL);
	assert_false(is_there(w, "crl/emisora/5.crl"));
	put_path("/crl/emisora/4.crl", "application/pkix-crl",
	    buf_bytes(&good));
	assert_int_equal(publish(w, NULL), CLI_PARTIAL);
	assert_holds(w, "crl/emisora/4.crl", buf_bytes(&good));
}

/* --- OCSP -------------------------------------------------------------------------- */

static void
make_answer(struct bytes serial, int64_t next_update, struct buf *out)
{
	static const uint8_t key_hash[20] = { 1 };
	const struct ocsp_answer_spec spec = { .issuer = &ca_id,
		.serial = serial,
		.responder_key_hash = bytes_of(key_hash, sizeof(key_hash)),
		.state = OCSP_GOOD,
		.produced_at = 1795000000,
		.this_update = 1795000000,
		.next_update = next_update };
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct err e;
	OK(ocsp_tbs_build(&spec, &tbs, &e), &e);
	buf_reset(out);
	OK(ocsp_assemble(buf_bytes(&tbs), key_type_sigalg(KEY_EC_P256),
	       bytes_str("no signature"), BYTES_NONE, out, &e),
	    &e);
}

static void
put_answer(struct bytes key, int64_t next_update, struct bytes body)
{
	put_row(key, "application/ocsp-response", 1795000000, next_update,
	    body);
}

/* The file of a serial in one form, as doc/publish.md gives it. */
static void
name_of(struct bytes serial, enum ocsp_form form, char out[256])
{
	char path[OCSP_GET_PATH];
	struct err e;
	OK(ocsp_get_path(&ca_id, serial, form, path, &e), &e);
	size_t len = strcspn(path, "=");
	for (char *p = path; *p != '\0'; p++)
		*p = *p == '/' ? '_' : *p;
	snprintf(out, 256, "ocsp/%.2s/%s", path + len - 2, path);
}

/* Serials whose request ends in a slash, or has two of them in a row. */
static void
each_request_has_its_file(void **state)
{
	struct world *w = *state;
	uint8_t serial[20] = { 0x41 }, room[PUBLIC_KEY_MAX];
	struct bytes s = bytes_of(serial, sizeof(serial));
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	int64_t next_update = w->now + DAY;
	size_t ends = 0, doubles = 0, n = 0;
	for (uint32_t i = 0; ends < 3 || doubles < 3; i++) {
		uint8_t hash[SHA256_LEN];
		char path[OCSP_GET_PATH];
		struct err e;
		sha256(hash, bytes_of(&i, sizeof(i)));
		memcpy(serial + 1, hash, 19);
		OK(ocsp_get_path(&ca_id, s, OCSP_FORM_SHA1, path, &e), &e);
		bool is_end = path[strlen(path) - 1] == '/';
		bool is_double = strstr(path, "//") != NULL;
		if (!is_end && !is_double && i % 16 != 0)
			continue;
		ends += is_end;
		doubles += is_double;
		make_answer(s, next_update, &der);
		put_answer(public_ocsp_key(room, 0, s), next_update,
		    buf_bytes(&der));
		n++;
	}
	assert_int_equal(publish(w, NULL), CLI_OK);
	struct err e;
	assert_true(n > 6);
	for (uint32_t i = 0; n > 0; i++) {
		uint8_t hash[SHA256_LEN];
		char path[OCSP_GET_PATH], name[256];
		sha256(hash, bytes_of(&i, sizeof(i)));
		memcpy(serial + 1, hash, 19);
		OK(ocsp_get_path(&ca_id, s, OCSP_FORM_SHA1, path, &e), &e);
		if (path[strlen(path) - 1] != '/' &&
		    strstr(path, "//") == NULL && i % 16 != 0)
			continue;
		n--;
		make_answer(s, next_update, &der);
		for (int form = 0; form < OCSP_FORMS; form++) {
			name_of(s, (enum ocsp_form)form, name);
			assert_holds(w, name, buf_bytes(&der));
		}
	}
}

/* What has ended goes, and not before; what is stale never comes. */
static void
answers_end_after_their_time(void **state)
{
	struct world *w = *state;
	uint8_t serial[16] = { 0x42 }, room[PUBLIC_KEY_MAX];
	struct bytes s = bytes_of(serial, sizeof(serial));
	struct bytes key = public_ocsp_key(room, 0, s);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	char name[256];
	int64_t next_update = clock_now() + 3;
	name_of(s, OCSP_FORM_SHA256, name);
	make_answer(s, w->now - 1, &der);
	put_answer(key, w->now - 1, buf_bytes(&der));
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_false(is_there(w, name));
	make_answer(s, next_update, &der);
	put_answer(key, next_update, buf_bytes(&der));
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_true(is_there(w, name));
	/* Its certificate has expired: core publishes no answer any more. */
	del_row(key);
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_true(clock_now() >= next_update || is_there(w, name));
	while (clock_now() < next_update)
		usleep(50000);
	assert_int_equal(publish(w, NULL), CLI_OK);
	for (int form = 0; form < OCSP_FORMS; form++) {
		name_of(s, (enum ocsp_form)form, name);
		assert_false(is_there(w, name));
	}
}

/* Nor does it stay for ever when the state that knew of it is lost. */
static void
forgotten_answers_go(void **state)
{
	struct world *w = *state;
	uint8_t serial[16] = { 0x47 }, room[PUBLIC_KEY_MAX];
	struct bytes s = bytes_of(serial, sizeof(serial));
	struct bytes key = public_ocsp_key(room, 0, s);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	char name[256];
	int64_t next_update = clock_now() + 2;
	name_of(s, OCSP_FORM_SHA1, name);
	make_answer(s, next_update, &der);
	put_answer(key, next_update, buf_bytes(&der));
	assert_int_equal(publish(w, NULL), CLI_OK);
	write_file(w, "ocsp/note", bytes_str("somebody else's"));
	del_row(key);
	assert_int_equal(unlink(path_of(w, ".refrendo/state")), 0);
	while (clock_now() < next_update)
		usleep(50000);
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_false(is_there(w, name));
	assert_true(is_there(w, "ocsp/note"));
}

/* A row that core did not renew in time: its file goes too. */
static void
stale_answers_go(void **state)
{
	struct world *w = *state;
	uint8_t serial[16] = { 0x43 }, room[PUBLIC_KEY_MAX];
	struct bytes s = bytes_of(serial, sizeof(serial));
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	char name[256];
	int64_t next_update = clock_now() + 2;
	name_of(s, OCSP_FORM_SHA1, name);
	make_answer(s, next_update, &der);
	put_answer(public_ocsp_key(room, 0, s), next_update, buf_bytes(&der));
	assert_int_equal(publish(w, NULL), CLI_OK);
	while (clock_now() < next_update)
		usleep(50000);
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_false(is_there(w, name));
}

/* An answer about another certificate than its key says. */
static void
answers_are_about_their_certificate(void **state)
{
	struct world *w = *state;
	uint8_t one[16] = { 0x44 }, two[16] = { 0x45 }, room[PUBLIC_KEY_MAX];
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	char name[256];
	struct bytes s = bytes_of(one, sizeof(one));
	name_of(s, OCSP_FORM_SHA1, name);
	make_answer(bytes_of(two, sizeof(two)), w->now + DAY, &der);
	put_answer(public_ocsp_key(room, 0, s), w->now + DAY, buf_bytes(&der));
	assert_int_equal(publish(w, NULL), CLI_PARTIAL);
	assert_false(is_there(w, name));
	put_answer(public_ocsp_key(room, 0, s), w->now + DAY,
	    bytes_str("garbage"));
	assert_int_equal(publish(w, NULL), CLI_PARTIAL);
	assert_false(is_there(w, name));
}

/* --- The log ------------------------------------------------------------------------ */

static void
put_log(uint64_t size)
{
	char note[128];
	uint8_t hashes[TILE_WIDTH * HASH_LEN] = { 0 };
	size_t n = size < TILE_WIDTH ? size : TILE_WIDTH;
	put_path("/tile/0/000", "application/octet-stream",
	    bytes_of(hashes, n * HASH_LEN));
	snprintf(note, sizeof(note),
	    "refrendo.example/log\n%llu\n"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— x y\n",
	    (unsigned long long)size);
	put_path("/checkpoint", "text/plain; charset=utf-8", bytes_str(note));
}

static void
tiles_as_wide_as_the_checkpoint(void **state)
{
	struct world *w = *state;
	uint8_t hashes[TILE_WIDTH * HASH_LEN] = { 0 };
	put_log(3);
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_holds(w, "tile/0/000.p/3", bytes_of(hashes, 3 * HASH_LEN));
	put_log(5);
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_true(is_there(w, "tile/0/000.p/3"));
	assert_holds(w, "tile/0/000.p/5", bytes_of(hashes, 5 * HASH_LEN));
	put_log(256);
	assert_int_equal(publish(w, NULL), CLI_OK);
	assert_holds(w, "tile/0/000", bytes_of(hashes, sizeof(hashes)));
	/* For a day readers of an older checkpoint find theirs. */
	assert_true(is_there(w, "tile/0/000.p/5"));
	/* A tile that is shorter than the log. */
	put_path("/tile/0/000", "application/octet-stream",
	    bytes_of(hashes, HASH_LEN));
	assert_int_equal(publish(w, "--full"), CLI_PARTIAL);
	assert_holds(w, "tile/0/000", bytes_of(hashes, sizeof(hashes)));
}

static void
a_log_does_not_shrink(void **state)
{
	struct world *w = *state;
	struct buf got AUTO_BUF = BUF(1024);
	put_log(9);
	assert_int_equal(publish(w, NULL), CLI_OK);
	put_log(8);
	assert_int_equal(publish(w, NULL), CLI_PARTIAL);
	read_file(w, "checkpoint", &got);
	assert_non_null(strstr(buf_text(&got), "\n9\n"));
}

/* --- The state ---------------------------------------------------------------------- */

/* A state that is cut anywhere, or is no state, costs a comparison. */
static void
a_state_that_does_not_read(void **state)
{
	struct world *w = *state;
	uint8_t serial[16] = { 0x46 }, room[PUBLIC_KEY_MAX];
	struct bytes s = bytes_of(serial, sizeof(serial));
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf whole AUTO_BUF = BUF(1 << 20);
	struct stat before, after;
	char name[256];
	make_answer(s, w->now + DAY, &der);
	put_answer(public_ocsp_key(room, 0, s), w->now + DAY, buf_bytes(&der));
	put_path("/ca/emisora.cer", "application/pkix-cert",
	    buf_bytes(&w->ca.der));
	assert_int_equal(publish(w, NULL), CLI_OK);
	name_of(s, OCSP_FORM_SHA1, name);
	assert_int_equal(stat(path_of(w, name), &before), 0);
	read_file(w, ".refrendo/state", &whole);
	assert_true(whole.len > 60);
	for (size_t n = 0; n < whole.len; n += 7) {
		write_file(w, ".refrendo/state", bytes_of(whole.p, n));
		assert_int_equal(publish(w, NULL), CLI_OK);
		assert_int_equal(stat(path_of(w, name), &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_holds(w, ".refrendo/state", buf_bytes(&whole));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_new, site_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(incident_59_only_a_newer_crl_of_this_ca),
		TEST(incident_59_only_under_its_url),
		TEST(each_request_has_its_file),
		TEST(answers_end_after_their_time),
		TEST(forgotten_answers_go),
		TEST(stale_answers_go),
		TEST(answers_are_about_their_certificate),
		TEST(tiles_as_wide_as_the_checkpoint),
		TEST(a_log_does_not_shrink),
		TEST(a_state_that_does_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
