/*
 * Keys that the signer makes for CAs: what is made, taken, kept, lost and
 * destroyed; and what a hostile core makes of it.
 */
#include "fake/signer_world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../signer/internal.h"

/* --- What reaches the disk: signer/cas alone is counted -------------------------- */

static struct {
	int64_t written_at; /* where the last write began; -1: none */
	size_t written;     /* octets of it */
	bool synced;        /* and nothing was written since */
	unsigned dirs;      /* syncs of the directory */
} disk;

int fdatasync(int fd);
int fsync(int fd);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at);

static bool
ends_in(int fd, const char *end)
{
	char link[32], path[256];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	size_t len = strlen(end);
	return n >= (ssize_t)len && memcmp(path + n - len, end, len) == 0;
}

int
fdatasync(int fd)
{
	disk.synced = disk.synced || ends_in(fd, "/signer/cas");
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	disk.dirs += ends_in(fd, "/signer");
	return (int)syscall(SYS_fsync, fd);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (ends_in(fd, "/signer/cas")) {
		disk.written_at = at;
		disk.written = n;
		disk.synced = false;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

static struct world *
begin(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_rut_of_dos = RUT_A;
	world_init(w);
	snprintf(w->config.root_certificate, PATH_LEN, "root.pem");
	world_start(w);
	return w;
}

static void
again(struct world *w)
{
	world_stop(w);
	world_start(w);
}

static const char *
cas_path(struct world *w)
{
	return arena_printf(w->a, "%s/signer/cas", w->dir);
}

/* --- Asking --------------------------------------------------------------------- */

/* "ok" with the public key in *spki, or the code of the refusal. */
static const char *
make(struct world *w, const char *name, enum key_type type, struct bytes *spki)
{
	static struct err refusal;
	struct buf body AUTO_BUF = BUF(1024), scratch AUTO_BUF = BUF(8192);
	struct signer_ca_key m = { bytes_str(name), type };
	struct bytes answer;
	struct csr csr;
	signer_ca_key_encode(&m, &body);
	if (world_ask(w, SIGNER_CA_KEY, buf_bytes(&body), &answer, &refusal) !=
	    ERR_OK)
		return refusal.id;
	OK(csr_parse(answer, &scratch, &csr, e));
	struct verifier *v = NULL;
	OK(verifier_new(&v, e));
	OK(csr_prove(&csr, v, e));
	verifier_free(v);
	if (spki != NULL)
		*spki = arena_copy(w->a, csr.spki);
	return "ok";
}

static struct bytes
certificate_of(struct world *w, struct bytes spki, const char *cn,
    const char *rut)
{
	static uint8_t serial[SERIAL_MAX] = { 0x41 };
	serial[19]++;
	const struct name_attr attrs[] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, bytes_str("Ministerio de Prueba"), STRING_USUAL },
		{ OID_CN, bytes_str(cn), STRING_USUAL },
	};
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	struct cert_spec spec = { .serial = bytes_of(serial, SERIAL_MAX),
		.issuer = w->root_cert.subject,
		.issuer_ski = w->root_cert.ski,
		.issuer_type = key_type(w->root),
		.subject = buf_bytes(&name),
		.not_before = w->now - DAY,
		.not_after = w->now + 3000 * DAY - 1,
		.spki = spki,
		.is_ca = true,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.crl_url = bytes_str("http://crl.example.org/crl/root.crl"),
		.issuer_url = bytes_str("http://crl.example.org/ca/root.cer"),
		.n_policy = 1 };
	OK(oid_parse(bytes_str("2.5.29.32.0"), &spec.policy[0].oid, e));
	if (rut != NULL) {
		struct bytes oid = oid_known(OID_RUT_HOLDER);
		spec.n_san = 1;
		spec.san[0] = (struct general_name){ .kind = GN_OTHER_IA5,
			.value = bytes_str(rut) };
		memcpy(spec.san[0].other.p, oid.p, oid.len);
		spec.san[0].other.len = (uint8_t)oid.len;
	}
	OK(cert_build_tbs(&spec, &tbs, e));
	return world_signed(w, w->root, buf_bytes(&tbs));
}

static struct bytes
certificate_for(struct world *w, struct bytes spki, const char *cn)
{
	return certificate_of(w, spki, cn, NULL);
}

/* A ceremony that officers signed ('o'), or a stranger ('s'); of a new key of
 * the other CA, if one is named. */
static const char *
agree_new(struct world *w, const char *name, const char *replaces,
    struct bytes certificate, char who)
{
	static struct err refusal;
	static unsigned count;
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf body AUTO_BUF = BUF(1u << 20), list AUTO_BUF = BUF(1u << 18);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct bytes tbs, sigalg, signature, answer;
	OK(signed_split(certificate, &tbs, &sigalg, &signature, e));
	struct ceremony_statement st = {
		.origin = bytes_str(w->config.origin),
		.id = bytes_str(arena_printf(w->a, "CER-2026-%06u", ++count)),
		.root_sha256 = world_hash(w, buf_bytes(&w->root_der)),
		.n = 1,
		.proposed_by = bytes_str("33333333-3"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Autorizo."),
		.issued = w->now,
		.expires = w->now + CEREMONY_LIFE_S,
	};
	st.object[0].kind = CEREMONY_CERTIFICATE;
	st.object[0].name = bytes_str(name);
	if (replaces != NULL)
		st.object[0].replaces = bytes_str(replaces);
	st.object[0].tbs_sha256 = world_hash(w, tbs);
	OK(ceremony_print(&st, &text, e));
	OK(cms_sign(who == 's' ? w->stranger : w->officer,
	    buf_bytes(who == 's' ? &w->stranger_der : &w->officer_der),
	    buf_bytes(&text), w->now, &cms, e));
	put_bytes(&list, buf_bytes(&cms));
	struct signer_agreement m = { buf_bytes(&text), buf_bytes(&list),
		certificate };
	signer_agreement_encode(&m, &body);
	return world_ask(w, SIGNER_AGREEMENT, buf_bytes(&body), &answer,
		   &refusal) == ERR_OK
		   ? "ok"
		   : refusal.id;
}

static const char *
agree(struct world *w, const char *name, struct bytes certificate, char who)
{
	return agree_new(w, name, NULL, certificate, who);
}

/* What HELLO says of a CA: -1 nothing, 0 that it can sign, 1 and may issue. */
static int
said(struct world *w, const char *name)
{
	static struct signer_hello hello;
	struct bytes answer;
	struct err refusal;
	OK(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer, &refusal));
	OK(signer_hello_decode(answer, w->a, &hello, e));
	for (size_t i = 0; i < hello.n_issuer; i++)
		if (strcmp(hello.issuer[i].issuer, name) == 0)
			return hello.issuer[i].is_taken ? 1 : 0;
	return -1;
}

/* Does it sign?  Its key makes a signature that its certificate verifies. */
static const char *
signs(struct world *w, const char *name)
{
	static struct err refusal;
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct authority *by = NULL;
	struct verifier *v = NULL;
	if (signer_issuer(w->signer, bytes_str(name), &by, &refusal) != ERR_OK)
		return refusal.id;
	OK(key_sign(by->key, bytes_str("x"), &signature, e));
	OK(verifier_new(&v, e));
	OK(verifier_check(v, by->cert.spki, key_type_sigalg(key_type(by->key)),
	    bytes_str("x"), buf_bytes(&signature), e));
	verifier_free(v);
	return "ok";
}

static struct bytes
made(struct world *w, const char *name)
{
	struct bytes spki;
	assert_string_equal(make(w, name, KEY_EC_P256, &spki), "ok");
	struct bytes der = certificate_for(w, spki, name);
	assert_string_equal(agree(w, name, der, 'o'), "ok");
	return der;
}

/* --- Made and taken ------------------------------------------------------------------ */

static void
a_ca_from_key_to_signature(void **state)
{
	(void)state;
	struct world *w = begin();
	struct bytes first, second, other;
	struct stat st;
	assert_string_equal(make(w, "tres", KEY_EC_P256, &first), "ok");
	/* The same until it has its certificate, also after a crash. */
	assert_string_equal(make(w, "tres", KEY_EC_P256, &second), "ok");
	assert_true(bytes_eq(first, second));
	again(w);
	assert_string_equal(make(w, "tres", KEY_EC_P256, &second), "ok");
	assert_true(bytes_eq(first, second));
	assert_string_equal(make(w, "tres", KEY_EC_P384, NULL),
	    "signer-ca-key-other");
	/* A key alone signs nothing. */
	assert_string_equal(signs(w, "tres"), "signer-issuer");
	assert_int_equal(said(w, "tres"), -1);
	struct bytes der = certificate_for(w, first, "tres");
	assert_string_equal(agree(w, "tres", der, 's'),
	    "signer-officer-unknown");
	assert_int_equal(said(w, "tres"), -1);
	assert_string_equal(agree(w, "tres", der, 'o'), "ok");
	assert_int_equal(said(w, "tres"), 1);
	assert_string_equal(signs(w, "tres"), "ok");
	again(w);
	assert_int_equal(said(w, "tres"), 1);
	assert_string_equal(signs(w, "tres"), "ok");
	assert_int_equal(stat(cas_path(w), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Once, and no other certificate for it. */
	assert_string_equal(make(w, "tres", KEY_EC_P256, NULL),
	    "signer-ca-name-used");
	assert_string_equal(make(w, "cuatro", KEY_EC_P384, &other), "ok");
	assert_string_equal(agree(w, "cuatro",
				certificate_for(w, first, "cuatro"), 'o'),
	    "signer-ca-other-key");
	assert_int_equal(said(w, "cuatro"), -1);
	/* It is a key of ours: nobody's certificate may have it. */
	assert_true(signer_has_key(w->signer, first));
	assert_true(signer_has_key(w->signer, other));
	world_free(w);
}

static struct bytes
key_under(struct world *w, const char *name, const char *cn)
{
	struct bytes spki;
	assert_string_equal(make(w, name, KEY_EC_P256, &spki), "ok");
	return certificate_for(w, spki, cn);
}

/* Of the keys under one subject one signs: whoever takes its place says so. */
static void
one_key_signs_under_a_subject(void **state)
{
	(void)state;
	struct world *w = begin();
	(void)made(w, "tres");
	struct bytes four = key_under(w, "cuatro", "tres");
	struct bytes five = key_under(w, "cinco", "tres");
	assert_string_equal(agree(w, "cuatro", four, 'o'), "signer-ca-subject");
	assert_string_equal(agree_new(w, "cuatro", "uno", four, 'o'),
	    "signer-ca-successor");
	again(w);
	assert_string_equal(agree(w, "cuatro", four, 'o'), "signer-ca-subject");
	assert_int_equal(said(w, "cuatro"), -1);
	assert_int_equal(said(w, "tres"), 1);
	assert_string_equal(agree_new(w, "cuatro", "tres", four, 'o'), "ok");
	assert_int_equal(said(w, "cuatro"), 1);
	assert_int_equal(said(w, "tres"), 0);
	/* A second one in the place of the first would sign beside it. */
	assert_string_equal(agree_new(w, "cinco", "tres", five, 'o'),
	    "signer-ca-subject");
	assert_string_equal(agree_new(w, "cinco", "cuatro", five, 'o'), "ok");
	assert_int_equal(said(w, "cuatro"), 0);
	assert_int_equal(said(w, "cinco"), 1);
	/* Also beside a CA of the configuration, and under what reads alike. */
	struct bytes six = key_under(w, "seis", "ca  DOS");
	assert_string_equal(agree(w, "seis", six, 'o'), "signer-ca-subject");
	world_free(w);
}

/* For one institution no more than before, and for none that was for one. */
static void
a_new_key_is_for_the_same_institution(void **state)
{
	(void)state;
	struct world *w = begin();
	struct bytes old, fresh;
	assert_string_equal(make(w, "tres", KEY_EC_P256, &old), "ok");
	assert_string_equal(agree(w, "tres",
				certificate_of(w, old, "tres", "60910000-1"),
				'o'),
	    "ok");
	assert_string_equal(make(w, "cuatro", KEY_EC_P256, &fresh), "ok");
	assert_string_equal(agree_new(w, "cuatro", "tres",
				certificate_for(w, fresh, "tres"), 'o'),
	    "signer-ca-successor");
	assert_string_equal(agree_new(w, "cuatro", "tres",
				certificate_of(w, fresh, "tres", "60506000-5"),
				'o'),
	    "signer-ca-successor");
	assert_int_equal(said(w, "cuatro"), -1);
	assert_string_equal(agree_new(w, "cuatro", "tres",
				certificate_of(w, fresh, "tres", "60910000-1"),
				'o'),
	    "ok");
	assert_int_equal(said(w, "cuatro"), 1);
	world_free(w);
}

static void
what_may_not_be_made(void **state)
{
	static const struct {
		const char *name;
		enum key_type type;
		const char *want;
	} rows[] = {
		{ "", KEY_EC_P256, "signer-ca-name" },
		{ "root", KEY_EC_P256, "signer-ca-name" },
		{ "endorser", KEY_EC_P256, "signer-ca-name" },
		{ "institution", KEY_EC_P256, "signer-ca-name" },
		{ "../../etc/x", KEY_EC_P256, "signer-ca-name" },
		{ "a/b", KEY_EC_P256, "signer-ca-name" },
		{ "a.b", KEY_EC_P256, "signer-ca-name" },
		{ "a b", KEY_EC_P256, "signer-ca-name" },
		{ "a\nb", KEY_EC_P256, "signer-ca-name" },
		{ "9a", KEY_EC_P256, "signer-ca-name" },
		{ "Tres", KEY_EC_P256, "signer-ca-name" },
		{ "a12345678901234567890123456789012345678901", KEY_EC_P256,
		    "signer-ca-name" },
		{ "uno", KEY_EC_P256, "signer-ca-name-used" },
		{ "tres", KEY_ED25519, "signer-ca-key-type" },
		{ "tres", KEY_RSA_2048, "signer-ca-key-type" },
		{ "tres", KEY_TYPES, "signer-ca-key-type" },
		{ "tres", (enum key_type)7777, "signer-ca-key-type" },
	};
	(void)state;
	struct world *w = begin();
	struct bytes before = world_file(w, cas_path(w));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("  %s\n", rows[i].name);
		assert_string_equal(make(w, rows[i].name, rows[i].type, NULL),
		    rows[i].want);
	}
	assert_true(bytes_eq(before, world_file(w, cas_path(w))));
	/* Keys without a certificate are few. */
	for (unsigned i = 0; i < 64; i++)
		assert_string_equal(make(w, arena_printf(w->a, "ca-%u", i),
					KEY_EC_P256, NULL),
		    "ok");
	assert_string_equal(make(w, "una-mas", KEY_EC_P256, NULL),
	    "signer-cas-pending");
	world_free(w);
	/* Without a passphrase there is nothing to keep a key under. */
	w = begin();
	w->passphrase = "";
	again(w);
	assert_string_equal(make(w, "tres", KEY_EC_P256, NULL),
	    "signer-ca-passphrase");
	world_free(w);
}

/* More than are kept in memory: each goes on. */
static void
many(void **state)
{
	(void)state;
	struct world *w = begin();
	char name[16];
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 80; i++) {
			snprintf(name, sizeof(name), "ca-%d", i);
			if (turn == 0)
				(void)made(w, name);
			assert_string_equal(signs(w, name), "ok");
			assert_int_equal(said(w, name), 1);
		}
		again(w);
	}
	world_free(w);
}

/* --- The file ---------------------------------------------------------------------------- */

static enum err_code
opens(struct world *w, struct err *e)
{
	struct signer_setup setup = { .config = &w->config,
		.ceilings = &w->ceilings,
		.dir = w->dir,
		.passphrase = bytes_str(w->passphrase) };
	return signer_new(&setup, &w->signer, e);
}

/* Killed at any octet of the key's record: it was not answered, and is made
 * anew; of the certificate's: it is told again. */
static void
torn_anywhere(void **state)
{
	(void)state;
	struct world *w = begin();
	struct bytes spki;
	(void)made(w, "tres");
	world_stop(w);
	struct bytes before = world_file(w, cas_path(w));
	struct bytes journal =
	    world_file(w, arena_printf(w->a, "%s/signer/journal", w->dir));
	world_start(w);
	assert_string_equal(make(w, "cuatro", KEY_EC_P256, &spki), "ok");
	world_stop(w);
	struct bytes whole = world_file(w, cas_path(w));
	for (size_t len = before.len; len < whole.len; len += 41) {
		/* The journal was not written yet. */
		world_write(arena_printf(w->a, "%s/signer/journal", w->dir),
		    journal);
		world_write(cas_path(w), bytes_of(whole.p, len));
		world_start(w);
		assert_int_equal(said(w, "tres"), 1);
		assert_string_equal(signs(w, "tres"), "ok");
		assert_string_equal(make(w, "cuatro", KEY_EC_P256, NULL), "ok");
		world_stop(w);
	}
	world_free(w);
}

static bool
contains(struct bytes b, struct bytes part)
{
	for (size_t i = 0; i + part.len <= b.len; i++)
		if (memcmp(b.p + i, part.p, part.len) == 0)
			return true;
	return false;
}

/* Is the line in what the start writes to the log? */
static bool
start_logs(struct world *w, const char *line)
{
	const char *path = arena_printf(w->a, "%s/log", w->dir);
	int old = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(old >= 0 && fd >= 0);
	assert_int_equal(dup2(fd, 2), 2);
	world_start(w);
	assert_int_equal(dup2(old, 2), 2);
	close(old);
	close(fd);
	return contains(world_file(w, path), bytes_str(line));
}

/* Pages that never came, behind the last record or instead of the head. */
static void
zeros_behind(void **state)
{
	(void)state;
	struct world *w = begin();
	struct buf b AUTO_BUF = BUF(1u << 20);
	static const uint8_t zeros[5000];
	(void)made(w, "tres");
	for (size_t n = 1; n < sizeof(zeros); n += n < 80 ? 1 : 1613) {
		world_stop(w);
		struct bytes whole = world_file(w, cas_path(w));
		buf_reset(&b);
		buf_put(&b, whole.p, whole.len);
		buf_put(&b, zeros, n);
		world_write(cas_path(w), buf_bytes(&b));
		assert_true(start_logs(w,
		    arena_printf(w->a, "cas-tail-cut from=%zu octets=%zu",
			whole.len, n)));
		assert_true(bytes_eq(whole, world_file(w, cas_path(w))));
		assert_string_equal(signs(w, "tres"), "ok");
	}
	world_stop(w);
	assert_false(start_logs(w, "cas-tail-cut"));
	/* The head is gone, and the journal knows a key: all stays as it is. */
	world_stop(w);
	world_write(cas_path(w), bytes_of(zeros, sizeof(zeros)));
	world_start(w);
	assert_string_equal(make(w, "cuatro", KEY_EC_P256, NULL),
	    "signer-cas-behind");
	assert_int_equal(world_file(w, cas_path(w)).len, sizeof(zeros));
	world_free(w);
	/* It was never there. */
	w = begin();
	world_stop(w);
	world_write(cas_path(w), bytes_of(zeros, 94));
	world_start(w);
	(void)made(w, "tres");
	again(w);
	assert_string_equal(signs(w, "tres"), "ok");
	world_free(w);
}

/* A record whose sync nobody saw is written again before it is trusted. */
static void
settled_at_each_start(void **state)
{
	(void)state;
	disk.dirs = 0;
	struct world *w = begin();
	/* By the file and by the journal beside it. */
	assert_int_equal(disk.dirs, 2);
	(void)made(w, "tres");
	size_t before = world_file(w, cas_path(w)).len;
	assert_string_equal(make(w, "cuatro", KEY_EC_P256, NULL), "ok");
	size_t after = world_file(w, cas_path(w)).len;
	world_stop(w);
	disk.written_at = -1;
	disk.synced = false;
	world_start(w);
	assert_int_equal(disk.written_at, before);
	assert_int_equal(disk.written, after - before);
	assert_true(disk.synced);
	assert_int_equal(disk.dirs, 2);
	assert_string_equal(signs(w, "tres"), "ok");
	world_free(w);
}

/* A file of n keys that nothing was signed by. */
static void
write_keys(struct world *w, size_t n)
{
	struct buf file AUTO_BUF = BUF(1u << 20), body AUTO_BUF = BUF(256),
			hashed AUTO_BUF = BUF(512);
	uint8_t chain[SHA256_LEN];
	buf_put(&file, (const uint8_t *)"refrendo-cas/2\n0123456789abcdef", 31);
	memset(chain, 0, SHA256_LEN);
	buf_put(&file, chain, SHA256_LEN);
	sha256(chain, buf_bytes(&file));
	buf_put(&file, chain, SHA256_LEN);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&body);
		put_u8(&body, 1);
		put_bytes(&body, bytes_str(arena_printf(w->a, "ca-%zu", i)));
		put_bytes(&body, bytes_str(arena_printf(w->a, "key %zu", i)));
		buf_reset(&hashed);
		buf_put(&hashed, chain, SHA256_LEN);
		buf_put(&hashed, body.p, body.len);
		sha256(chain, buf_bytes(&hashed));
		put_bytes(&body, bytes_str("wrapped"));
		put_bytes(&file, buf_bytes(&body));
		buf_put(&file, chain, SHA256_LEN);
	}
	assert_false(file.failed);
	world_write(cas_path(w), buf_bytes(&file));
}

/* A name is that of one CA, and all together are not more than HELLO has. */
static void
beside_the_configuration(void **state)
{
	(void)state;
	struct world *w = begin();
	struct err e = { .id = "" };
	(void)made(w, "tres");
	world_stop(w);
	snprintf(w->config.issuer[1].name, POLICY_NAME_MAX, "tres");
	assert_int_equal(opens(w, &e), ERR_INVALID);
	assert_string_equal(e.id, "signer-ca-twice");
	world_free(w);
	w = begin();
	world_stop(w);
	write_keys(w, ISSUERS_MAX - 1);
	assert_int_equal(opens(w, &e), ERR_INVALID);
	assert_string_equal(e.id, "signer-cas-many");
	write_keys(w, ISSUERS_MAX - 2);
	again(w);
	assert_string_equal(make(w, "tres", KEY_EC_P256, NULL),
	    "signer-cas-full");
	world_free(w);
}

/* A round has no more CAs than there is memory for their keys. */
static void
rounds_are_short(void **state)
{
	(void)state;
	struct world *w = begin();
	struct buf in AUTO_BUF = BUF(4096), out AUTO_BUF = BUF(1u << 20);
	struct err refusal;
	size_t used;
	for (uint32_t i = 0; i < 40; i++)
		frame_put(&in, SIGNER_HELLO, i, BYTES_NONE);
	OK(signer_batch(w->signer, ASKER_CORE, buf_bytes(&in), &used, w->now,
	    &out, e));
	assert_int_equal(used, in.len);
	(void)made(w, "tres");
	OK(signer_batch(w->signer, ASKER_CORE, buf_bytes(&in), &used, w->now,
	    &out, &refusal));
	assert_int_equal(used, in.len / 40 * ROUND_SLOW);
	world_free(w);
}

/* An old copy lacks a key that the journal knows: nothing is made over it. */
static void
an_old_copy(void **state)
{
	(void)state;
	struct world *w = begin();
	struct bytes spki;
	(void)made(w, "tres");
	assert_string_equal(make(w, "seis", KEY_EC_P256, &spki), "ok");
	world_stop(w);
	struct bytes old = world_file(w, cas_path(w));
	/* Some octets of the wrapped key of "tres", behind the head. */
	struct bytes secret = bytes_of(old.p + 95 + 150, 40);
	world_start(w);
	(void)made(w, "cuatro");
	world_stop(w);
	struct bytes whole = world_file(w, cas_path(w));
	world_write(cas_path(w), bytes_of(whole.p, old.len + 40));
	world_start(w);
	assert_string_equal(signs(w, "tres"), "ok");
	assert_string_equal(signs(w, "cuatro"), "signer-issuer");
	assert_string_equal(make(w, "cinco", KEY_EC_P256, NULL),
	    "signer-cas-behind");
	/* Nor is what else was to be kept. */
	assert_string_equal(agree(w, "seis", certificate_for(w, spki, "seis"),
				'o'),
	    "signer-cas-behind");
	world_stop(w);
	/* And nothing of it was cut off. */
	assert_true(bytes_eq(world_file(w, cas_path(w)),
	    bytes_of(whole.p, old.len + 40)));
	/* A key that is destroyed is, where it lies. */
	world_start(w);
	OK(cas_wipe(w->signer, bytes_str("tres"), e));
	assert_string_equal(signs(w, "tres"), "signer-key-destroyed");
	struct bytes left = world_file(w, cas_path(w));
	assert_int_equal(left.len, old.len + 40);
	assert_memory_equal(left.p + old.len, whole.p + old.len, 40);
	assert_false(contains(left, secret));
	again(w);
	assert_string_equal(signs(w, "tres"), "cas-key");
	world_stop(w);
	world_write(cas_path(w), whole);
	world_start(w);
	assert_string_equal(signs(w, "cuatro"), "ok");
	world_free(w);
}

/* Any octet that flips is found, at the start or when the key is needed. */
static void
flipped(void **state)
{
	(void)state;
	struct world *w = begin();
	(void)made(w, "tres");
	(void)made(w, "cuatro");
	world_stop(w);
	struct bytes whole = world_file(w, cas_path(w));
	for (size_t at = 0; at < whole.len; at += 59) {
		struct bytes bad = arena_copy(w->a, whole);
		struct err e = { .id = "" };
		((uint8_t *)(uintptr_t)bad.p)[at] ^= 0x10;
		world_write(cas_path(w), bad);
		if (opens(w, &e) != ERR_OK) {
			assert_int_equal(e.code, ERR_CORRUPT);
			continue;
		}
		world_hello(w);
		bool both = strcmp(signs(w, "tres"), "ok") == 0 &&
			    strcmp(signs(w, "cuatro"), "ok") == 0;
		assert_false(both);
		world_stop(w);
	}
	world_write(cas_path(w), whole);
	world_start(w);
	assert_string_equal(signs(w, "tres"), "ok");
	/* The passphrase is right, or no key opens. */
	world_stop(w);
	w->passphrase = "another";
	world_start(w);
	assert_string_equal(signs(w, "tres"), "cas-passphrase");
	assert_string_equal(signs(w, "tres"), "cas-passphrase");
	assert_string_equal(make(w, "cinco", KEY_EC_P256, NULL),
	    "cas-passphrase");
	/* And nobody who asks for it is an enemy: that would stop all CAs. */
	struct authority *by;
	struct err refusal;
	assert_int_equal(signer_issuer(w->signer, bytes_str("tres"), &by,
			     &refusal),
	    ERR_CRYPTO);
	assert_int_equal(refusal.code, ERR_CRYPTO);
	world_free(w);
}

/* The file under another passphrase, with all that it said. */
static void
another_passphrase(void **state)
{
	(void)state;
	struct world *w = begin();
	struct bytes old = bytes_str(w->passphrase), fresh = bytes_str("fresh");
	bool is_made = true;
	/* There is nothing yet. */
	world_stop(w);
	OK(signer_cas_rewrap(w->dir, old, fresh, &is_made, e));
	assert_false(is_made);
	world_start(w);
	(void)made(w, "tres");
	(void)made(w, "cuatro");
	struct bytes pending;
	assert_string_equal(make(w, "cinco", KEY_EC_P256, &pending), "ok");
	OK(cas_wipe(w->signer, bytes_str("cuatro"), e));
	world_stop(w);
	struct bytes before = world_file(w, cas_path(w));
	struct err refusal = { .id = "" };
	assert_int_equal(signer_cas_rewrap(w->dir, bytes_str("neither"),
			     bytes_str("nor"), &is_made, &refusal),
	    ERR_CRYPTO);
	assert_string_equal(refusal.id, "cas-passphrase");
	OK(signer_cas_rewrap(w->dir, old, fresh, &is_made, e));
	assert_true(is_made);
	/* Until it is put in its place, nothing changed. */
	assert_true(bytes_eq(before, world_file(w, cas_path(w))));
	assert_int_equal(rename(arena_printf(w->a, "%s/signer/cas.new", w->dir),
			     cas_path(w)),
	    0);
	/* Made once more, as after a crash. */
	OK(signer_cas_rewrap(w->dir, old, fresh, &is_made, e));
	assert_false(is_made);
	world_start(w);
	assert_string_equal(signs(w, "tres"), "cas-passphrase");
	w->passphrase = "fresh";
	for (int turn = 0; turn < 2; turn++) {
		struct bytes spki;
		again(w);
		assert_string_equal(signs(w, "tres"), "ok");
		assert_string_equal(signs(w, "cuatro"), "signer-key-destroyed");
		assert_string_equal(make(w, "cuatro", KEY_EC_P256, NULL),
		    "signer-ca-name-used");
		assert_string_equal(make(w, "cinco", KEY_EC_P256, &spki), "ok");
		assert_true(bytes_eq(pending, spki));
	}
	(void)made(w, "seis");
	again(w);
	assert_string_equal(signs(w, "seis"), "ok");
	/* A tail that is torn waits for the journal. */
	world_stop(w);
	struct bytes whole = world_file(w, cas_path(w));
	world_write(cas_path(w), bytes_of(whole.p, whole.len - 9));
	assert_int_equal(signer_cas_rewrap(w->dir, fresh, old, &is_made,
			     &refusal),
	    ERR_CORRUPT);
	assert_string_equal(refusal.id, "cas-damaged");
	world_write(cas_path(w), whole);
	world_start(w);
	assert_string_equal(signs(w, "seis"), "ok");
	world_free(w);
}

/* A key that waits for a certificate, and makes room for another. */
static void
dropped(void **state)
{
	(void)state;
	struct world *w = begin();
	struct err refusal = { .id = "" };
	struct bytes spki;
	bool before;
	(void)made(w, "tres");
	assert_string_equal(make(w, "ca-0", KEY_EC_P256, &spki), "ok");
	struct bytes secret = bytes_of(world_file(w, cas_path(w)).p +
					   world_file(w, cas_path(w)).len - 80,
	    40);
	for (unsigned i = 1; i < 64; i++)
		assert_string_equal(make(w, arena_printf(w->a, "ca-%u", i),
					KEY_EC_P256, NULL),
		    "ok");
	assert_string_equal(make(w, "una-mas", KEY_EC_P256, NULL),
	    "signer-cas-pending");
	world_stop(w);
	assert_true(contains(world_file(w, cas_path(w)), secret));
	assert_int_equal(signer_cas_drop(w->dir, bytes_str("nadie"), &before,
			     &refusal),
	    ERR_NOTFOUND);
	assert_string_equal(refusal.id, "signer-ca-unknown");
	assert_int_equal(signer_cas_drop(w->dir, bytes_str("tres"), &before,
			     &refusal),
	    ERR_CONFLICT);
	assert_string_equal(refusal.id, "cas-not-pending");
	OK(signer_cas_drop(w->dir, bytes_str("ca-0"), &before, e));
	assert_false(before);
	OK(signer_cas_drop(w->dir, bytes_str("ca-0"), &before, e));
	assert_true(before);
	assert_false(contains(world_file(w, cas_path(w)), secret));
	world_start(w);
	assert_string_equal(make(w, "una-mas", KEY_EC_P256, NULL), "ok");
	assert_string_equal(make(w, "ca-0", KEY_EC_P256, NULL),
	    "signer-ca-name-used");
	/* What the root signed for it comes too late. */
	assert_string_equal(agree(w, "ca-0", certificate_for(w, spki, "ca-0"),
				'o'),
	    "signer-ca-other-key");
	assert_string_equal(signs(w, "tres"), "ok");
	world_free(w);
}

/* A length that flips is no torn tail: certificates of before lie behind it. */
static void
length_in_the_middle(void **state)
{
	(void)state;
	struct world *w = begin();
	struct bytes spki[48];
	struct err e = { .id = "" };
	for (size_t i = 0; i < ARRAY_LEN(spki); i++)
		assert_string_equal(make(w, arena_printf(w->a, "ca-%zu", i),
					KEY_EC_P256, &spki[i]),
		    "ok");
	size_t at = world_file(w, cas_path(w)).len;
	for (size_t i = 0; i < ARRAY_LEN(spki); i++) {
		const char *name = arena_printf(w->a, "ca-%zu", i);
		assert_string_equal(agree(w, name,
					certificate_for(w, spki[i], name), 'o'),
		    "ok");
	}
	world_stop(w);
	struct bytes whole = world_file(w, cas_path(w));
	struct bytes bad = arena_copy(w->a, whole);
	((uint8_t *)(uintptr_t)bad.p)[at] ^= 0x10;
	world_write(cas_path(w), bad);
	assert_int_equal(opens(w, &e), ERR_CORRUPT);
	assert_string_equal(e.id, "cas-damaged");
	assert_true(bytes_eq(bad, world_file(w, cas_path(w))));
	world_write(cas_path(w), whole);
	world_start(w);
	assert_string_equal(signs(w, "ca-47"), "ok");
	world_free(w);
}

/* --- Destroyed ------------------------------------------------------------------------------ */

static void
destroyed_for_good(void **state)
{
	(void)state;
	struct world *w = begin();
	(void)made(w, "tres");
	struct bytes after_key = world_file(w, cas_path(w));
	(void)made(w, "cuatro");
	/* Some octets of the wrapped key of "cuatro". */
	struct bytes whole = world_file(w, cas_path(w));
	struct bytes secret = bytes_of(whole.p + after_key.len + 150, 40);
	assert_string_equal(signs(w, "cuatro"), "ok");
	OK(cas_wipe(w->signer, bytes_str("cuatro"), e));
	OK(cas_wipe(w->signer, bytes_str("cuatro"), e));
	assert_false(contains(world_file(w, cas_path(w)), secret));
	for (int turn = 0; turn < 2; turn++) {
		assert_string_equal(signs(w, "cuatro"), "signer-key-destroyed");
		assert_string_equal(signs(w, "tres"), "ok");
		assert_string_equal(make(w, "cuatro", KEY_EC_P256, NULL),
		    "signer-ca-name-used");
		assert_int_equal(said(w, "cuatro"), -1);
		again(w);
	}
	/* Killed between the record and the zeros: the start ends it. */
	struct bytes wiped = world_file(w, cas_path(w));
	world_stop(w);
	struct bytes half = arena_copy(w->a, wiped);
	memcpy((uint8_t *)(uintptr_t)half.p + after_key.len + 150, secret.p,
	    secret.len);
	world_write(cas_path(w), half);
	world_start(w);
	assert_true(bytes_eq(world_file(w, cas_path(w)), wiped));
	struct err refusal;
	assert_int_equal(cas_wipe(w->signer, bytes_str("nadie"), &refusal),
	    ERR_NOTFOUND);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_from_key_to_signature),
		cmocka_unit_test(one_key_signs_under_a_subject),
		cmocka_unit_test(a_new_key_is_for_the_same_institution),
		cmocka_unit_test(what_may_not_be_made),
		cmocka_unit_test(many),
		cmocka_unit_test(torn_anywhere),
		cmocka_unit_test(zeros_behind),
		cmocka_unit_test(settled_at_each_start),
		cmocka_unit_test(beside_the_configuration),
		cmocka_unit_test(rounds_are_short),
		cmocka_unit_test(an_old_copy),
		cmocka_unit_test(flipped),
		cmocka_unit_test(another_passphrase),
		cmocka_unit_test(dropped),
		cmocka_unit_test(length_in_the_middle),
		cmocka_unit_test(destroyed_for_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
