/*
 * bench_cas_fill - gives an installation whose engine is stopped many issuing
 * CAs, as `refrendo ca create` and a ceremony for each would: the signer makes
 * the keys, an officer signs, the root signs, the log and the signer take it.
 *
 * usage: bench_cas_fill DIR PASSPHRASE OFFICER_KEY OFFICER_CERT COUNT
 *
 * The installation has its root's key, and one officer is a quorum.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/ca.h>
#include <refrendo/engine.h>
#include <refrendo/signer.h>
#include <refrendo/store.h>

struct fill {
	struct installation inst;
	struct ca ca;
	struct ca_issuers issuers;
	struct ca_issuer endorser;
	struct buf root_der, endorser_der, root_crl, officer_der;
	struct cert root;
	struct key *root_key, *officer;
	struct signer *signer;
	struct store *store;
	struct arena *a;
	const char *run;
	unsigned acts;
};

static struct err e;

static void
must(enum err_code code)
{
	if (code == ERR_OK)
		return;
	fprintf(stderr, "bench_cas_fill: %s (%s) %s\n", e.say, e.id, e.why);
	exit(1);
}

/* --- The signer --------------------------------------------------------------- */

static struct bytes
ask(struct fill *f, uint16_t type, struct bytes body)
{
	struct buf in AUTO_BUF = BUF(1 << 20), out AUTO_BUF = BUF(1 << 20);
	struct frame frame;
	size_t used;
	frame_put(&in, type, 1, body);
	must(signer_batch(f->signer, ASKER_CORE, buf_bytes(&in), &used,
	    clock_now(), &out, &e));
	must(frame_cut(buf_bytes(&out), signer_cap, &frame, &used, &e));
	if ((frame.type & SIGNER_REFUSAL) != 0) {
		struct err refusal;
		must(err_decode(frame.body, f->a, &refusal, &e));
		e = refusal;
		must(e.code);
	}
	return arena_copy(f->a, frame.body);
}

/* --- The log ------------------------------------------------------------------ */

static struct bytes
act(struct fill *f, struct view *v, struct command *c)
{
	struct random_pool random = { .used = 0 };
	struct decision d = { .n = 0 };
	uint8_t salt[ENTRY_SALT];
	int64_t now = clock_now();
	c->f[CF_KEY] = bytes_str(arena_printf(f->a, "fill-%u", ++f->acts));
	if (RAND_bytes(random.p, sizeof(random.p)) != 1)
		abort();
	must(ca_decide(&f->ca, v, c, now, &random, f->a, &d, &e));
	for (size_t i = 0; i < d.n; i++) {
		if (RAND_bytes(salt, sizeof(salt)) != 1)
			abort();
		must(ca_append(v, &d.draft[i], now, salt, &e));
	}
	return d.object;
}

static void
ceremony_of(struct fill *f, struct view *v, struct bytes object,
    struct agreement_row *out)
{
	struct bytes row;
	bool found;
	must(view_get(v, object, &row, &found, &e));
	must(rec_decode(&rec_ceremony, arena_copy(f->a, row), out, &e));
}

static struct bytes
signed_by_root(struct fill *f, struct bytes tbs)
{
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	must(key_sign(f->root_key, tbs, &signature, &e));
	must(signed_assemble(tbs, key_type_sigalg(key_type(f->root_key)),
	    buf_bytes(&signature), &der, &e));
	return arena_copy(f->a, buf_bytes(&der));
}

static void
one_ca(struct fill *f, struct view *v, unsigned n)
{
	struct buf body AUTO_BUF = BUF(AGREEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf list AUTO_BUF = BUF(2 * CMS_MAX_BYTES);
	struct buf text AUTO_BUF = BUF(1 << 20);
	struct agreement_row ce;
	const char *name = arena_printf(f->a, "institucion-%04u", n);
	struct signer_ca_key m = { bytes_str(name), KEY_EC_P256 };
	signer_ca_key_encode(&m, &body);
	struct command create = { .act = ACT_CA_CREATE,
		.f[CF_AS] = bytes_str(f->run),
		.f[CF_NAME] = bytes_str(name),
		.made_csr = ask(f, SIGNER_CA_KEY, buf_bytes(&body)) };
	ceremony_of(f, v, act(f, v, &create), &ce);
	must(cms_sign(f->officer, buf_bytes(&f->officer_der), ce.statement,
	    clock_now(), &cms, &e));
	struct command endorse = { .act = ACT_CEREMONY_ENDORSE,
		.f[CF_CEREMONY] = ce.id,
		.f[CF_CMS] = buf_bytes(&cms) };
	(void)act(f, v, &endorse);
	struct ceremony_file answer = { .is_answer = true,
		.statement = ce.statement,
		.transcript = bytes_str("as bench_cas_fill does it") };
	must(ceremony_parse(ce.statement, f->a, &answer.is, &e));
	answer.object[0] = signed_by_root(f, ce.tbs);
	ceremony_file_print(&answer, &text);
	must(buf_end(&text, &e));
	struct command import = { .act = ACT_CEREMONY_IMPORT,
		.f[CF_AS] = bytes_str(f->run),
		.f[CF_ANSWER] = buf_bytes(&text) };
	(void)act(f, v, &import);
	put_bytes(&list, buf_bytes(&cms));
	struct signer_agreement agreed = { .statement = ce.statement,
		.evidence = buf_bytes(&list),
		.certificate = answer.object[0] };
	buf_reset(&body);
	signer_agreement_encode(&agreed, &body);
	(void)ask(f, SIGNER_AGREEMENT, buf_bytes(&body));
}

/* --- Setting up ----------------------------------------------------------------- */

static void
open_all(struct fill *f, const char *dir, const char *passphrase)
{
	struct findings found = { .len = 0 };
	const struct config *c = &f->inst.config;
	char uri[2 * PATH_LEN];
	must(installation_read(dir, &f->inst, &found, &e));
	f->root_der = f->endorser_der = BUF(CERT_MAX_BYTES);
	f->root_crl = BUF(CRL_MAX_BYTES);
	must(file_certificate(dir, c->root_certificate, &f->root_der, &e));
	must(file_certificate(dir, c->endorser_certificate, &f->endorser_der,
	    &e));
	must(file_read(dir, "ca/root.crl", CRL_MAX_BYTES, &f->root_crl, &e));
	must(cert_parse(buf_bytes(&f->root_der), &f->root, &e));
	must(cert_parse(buf_bytes(&f->endorser_der), &f->endorser.cert, &e));
	snprintf(uri, sizeof(uri), "%s/keys/root.key", dir);
	must(key_load(uri, bytes_str(passphrase), &f->root_key, &e));
	f->run = f->inst.ceilings.officer[0].run;
	f->ca = (struct ca){ .origin = bytes_str(c->origin),
		.policies = f->inst.policies,
		.ceilings = &f->inst.ceilings,
		.issuers = &f->issuers,
		.endorser = &f->endorser,
		.root_list = buf_bytes(&f->root_crl),
		.public_url = c->public_url };
	must(verifier_new(&f->ca.verifier, &e));
	struct signer_setup setup = { .config = c,
		.ceilings = &f->inst.ceilings,
		.dir = dir,
		.passphrase = bytes_str(passphrase) };
	must(signer_new(&setup, &f->signer, &e));
	must(store_open(dir, c->ledger_map_bytes, false, &f->store, &e));
}

int
main(int argc, char **argv)
{
	static struct fill f;
	struct view *v = NULL;
	if (argc != 6) {
		fputs("usage: bench_cas_fill DIR PASSPHRASE OFFICER_KEY "
		      "OFFICER_CERT COUNT\n",
		    stderr);
		return 2;
	}
	f.a = arena_new();
	open_all(&f, argv[1], argv[2]);
	must(key_load(argv[3], bytes_str(argv[2]), &f.officer, &e));
	f.officer_der = BUF(CERT_MAX_BYTES);
	must(file_certificate("/", argv[4], &f.officer_der, &e));
	(void)ask(&f, SIGNER_HELLO, BYTES_NONE);
	int64_t start = clock_mono_ms();
	must(store_begin(f.store, true, &v, &e));
	unsigned count = (unsigned)strtoul(argv[5], NULL, 10);
	for (unsigned n = 1; n <= count; n++)
		one_ca(&f, v, n);
	must(view_commit(v, &e));
	printf("%u CAs in %lld ms\n", count,
	    (long long)(clock_mono_ms() - start));
	signer_free(f.signer);
	/* How long a signer takes that has them, and nothing else to do. */
	start = clock_mono_ms();
	struct signer_setup setup = { .config = &f.inst.config,
		.ceilings = &f.inst.ceilings,
		.dir = argv[1],
		.passphrase = bytes_str(argv[2]) };
	must(signer_new(&setup, &f.signer, &e));
	printf("signer started in %lld ms\n",
	    (long long)(clock_mono_ms() - start));
	signer_free(f.signer);
	store_close(f.store);
	verifier_free(f.ca.verifier);
	key_free(f.root_key);
	key_free(f.officer);
	arena_free(f.a);
	installation_fini(&f.inst);
	return 0;
}
