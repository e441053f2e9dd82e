/*
 * bench_ocsp_fill - fills the published store of an engine that is stopped
 * with OCSP answers of certificates that it never issued.
 *
 * usage: bench_ocsp_fill DIR MAP_GIB PASSPHRASE FIRST COUNT EVERY
 *
 * Answers FIRST to COUNT - 1.  Each EVERY-th is signed; those between carry
 * the signature of the last one that was, so that layout and size are right
 * and the client verifies none of them.  The responder's certificate is made
 * here with the issuer's key and left in DIR/bench-responder.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/engine.h>
#include <refrendo/ocsp.h>
#include <refrendo/store.h>

#include "ocsp_serial.h"

#define THREADS 2
#define BLOCK   8192 /* answers of one commit */

static struct err e;

static void
must(enum err_code code)
{
	if (code == ERR_OK)
		return;
	fprintf(stderr, "bench_ocsp_fill: %s (%s)\n", e.say, e.why);
	exit(1);
}

struct fill {
	struct buf issuer_der, responder_der;
	struct cert issuer;
	struct issuer_id id, responder_id;
	struct key *key;
	int64_t now;
	uint64_t every;
};

/* One thread's share of a block. */
struct share {
	pthread_t thread;
	const struct fill *fill;
	struct key *key;
	uint64_t first, n;
	struct buf signature, tbs;
	struct buf *answer; /* n of them */
	struct public_row *row;
};

static struct ocsp_answer_spec
spec_of(const struct fill *f, uint64_t i, const uint8_t *serial)
{
	bool revoked = bench_is_revoked(i);
	int64_t at = f->now - (int64_t)(i / 10000 % 600);
	return (struct ocsp_answer_spec){ .issuer = &f->id,
		.serial = bytes_of(serial, BENCH_SERIAL),
		.responder_key_hash = bytes_of(f->responder_id.key_sha1, 20),
		.state = revoked ? OCSP_REVOKED : OCSP_GOOD,
		.revoked_at = revoked ? at - HOUR : 0,
		.reason = revoked ? 4 : 0,
		.produced_at = at,
		.this_update = at - 300,
		.next_update = at + 4 * DAY };
}

static void *
share_work(void *ctx)
{
	struct share *s = ctx;
	struct err mine;
	for (uint64_t k = 0; k < s->n; k++) {
		uint64_t i = s->first + k;
		uint8_t serial[BENCH_SERIAL];
		bench_serial(serial, i);
		struct ocsp_answer_spec spec = spec_of(s->fill, i, serial);
		buf_reset(&s->tbs);
		buf_reset(&s->answer[k]);
		bool good = ocsp_tbs_build(&spec, &s->tbs, &mine) == ERR_OK;
		if (good &&
		    (s->signature.len == 0 || i % s->fill->every == 0)) {
			buf_reset(&s->signature);
			good = key_sign(s->key, buf_bytes(&s->tbs),
				   &s->signature, &mine) == ERR_OK;
		}
		if (!good || ocsp_assemble(buf_bytes(&s->tbs),
				 key_type_sigalg(key_type(s->key)),
				 buf_bytes(&s->signature),
				 buf_bytes(&s->fill->responder_der),
				 &s->answer[k], &mine) != ERR_OK) {
			fprintf(stderr, "bench_ocsp_fill: %s\n", mine.say);
			exit(1);
		}
		s->row[k] = (struct public_row){
			.type = "application/ocsp-response",
			.this_update = spec.this_update,
			.next_update = spec.next_update,
			.refresh_at = spec.next_update - DAY,
			.first = spec.state != OCSP_GOOD,
			.body = buf_bytes(&s->answer[k]),
		};
	}
	return NULL;
}

/* --- The responder ------------------------------------------------------------- */

static void
read_pem(const char *dir, const char *name, struct buf *der)
{
	must(file_certificate(dir, name, der, &e));
}

/* The same responder every time a store is extended. */
static void
responder(struct fill *f, const char *dir, struct bytes passphrase)
{
	char uri[PATH_LEN * 2], cert[PATH_LEN * 2];
	static const uint8_t serial[16] = { 0x33, 1, 2, 3 };
	AUTO(key) ca = NULL;
	struct cert c;
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	snprintf(uri, sizeof(uri), "file:%s/keys/emisora-ocsp.key", dir);
	must(key_load(uri, passphrase, &f->key, &e));
	snprintf(cert, sizeof(cert), "%s/bench-responder", dir);
	if (file_read(dir, "bench-responder", CERT_MAX_BYTES, &f->responder_der,
		&e) != ERR_OK) {
		snprintf(uri, sizeof(uri), "file:%s/keys/emisora.key", dir);
		must(key_load(uri, passphrase, &ca, &e));
		struct cert_spec spec = { .serial = bytes_of(serial, 16),
			.issuer = f->issuer.subject,
			.issuer_ski = f->issuer.ski,
			.issuer_type = key_type(ca),
			.subject = f->issuer.subject,
			.not_before = f->now - DAY,
			.not_after = f->now + 20 * DAY - 1,
			.spki = key_spki(f->key),
			.path_len = -1,
			.key_usage = KU_DIGITAL_SIGNATURE,
			.eku = { OID_EKU_OCSP },
			.n_eku = 1,
			.nocheck = true };
		must(cert_build_tbs(&spec, &tbs, &e));
		must(key_sign(ca, buf_bytes(&tbs), &sig, &e));
		must(signed_assemble(buf_bytes(&tbs),
		    key_type_sigalg(key_type(ca)), buf_bytes(&sig),
		    &f->responder_der, &e));
		must(file_write(cert, buf_bytes(&f->responder_der), 0600, &e));
	}
	must(cert_parse(buf_bytes(&f->responder_der), &c, &e));
	must(issuer_id_of(&c, &f->responder_id, &e));
}

/* --- The store ------------------------------------------------------------------ */

static uint16_t
issuer_index(struct public *p, const struct issuer_id *id)
{
	struct public_reader *r;
	static struct public_issuer is[ISSUERS_MAX];
	must(public_reader_new(p, &r, &e));
	must(public_renew(r, &e));
	size_t n = public_issuers(r, 0, is, ISSUERS_MAX), i = 0;
	while (i < n && memcmp(&is[i].id, id, sizeof(*id)) != 0)
		i++;
	if (i == n) {
		fputs("bench_ocsp_fill: the store does not know the issuer\n",
		    stderr);
		exit(1);
	}
	public_release(r);
	public_reader_free(r);
	return (uint16_t)i;
}

static void
put_block(struct public *p, uint16_t issuer, struct share *share,
    uint64_t first, uint64_t n)
{
	struct public_txn *t;
	uint64_t done = 0;
	for (size_t k = 0; k < THREADS; k++) {
		share[k].first = first + done;
		share[k].n = k + 1 == THREADS ? n - done : n / THREADS;
		done += share[k].n;
		if (pthread_create(&share[k].thread, NULL, share_work,
			&share[k]) != 0)
			abort();
	}
	must(public_begin(p, &t, &e));
	for (size_t k = 0; k < THREADS; k++) {
		pthread_join(share[k].thread, NULL);
		for (uint64_t i = 0; i < share[k].n; i++) {
			uint8_t key[PUBLIC_KEY_MAX], serial[BENCH_SERIAL];
			bench_serial(serial, share[k].first + i);
			must(public_put(t,
			    public_ocsp_key(key, issuer,
				bytes_of(serial, BENCH_SERIAL)),
			    &share[k].row[i], &e));
		}
	}
	must(public_commit(t, &e));
}

int
main(int argc, char **argv)
{
	static struct fill f;
	static struct share share[THREADS];
	struct public *p;
	bool fresh;
	if (argc != 7) {
		fputs("usage: bench_ocsp_fill DIR MAP_GIB PASSPHRASE FIRST "
		      "COUNT EVERY\n",
		    stderr);
		return 2;
	}
	const char *dir = argv[1];
	uint64_t first = strtoull(argv[4], NULL, 10);
	uint64_t count = strtoull(argv[5], NULL, 10);
	f.every = strtoull(argv[6], NULL, 10);
	f.now = clock_now();
	f.issuer_der = BUF(CERT_MAX_BYTES);
	f.responder_der = BUF(CERT_MAX_BYTES);
	read_pem(dir, "ca/emisora.pem", &f.issuer_der);
	must(cert_parse(buf_bytes(&f.issuer_der), &f.issuer, &e));
	must(issuer_id_of(&f.issuer, &f.id, &e));
	responder(&f, dir, bytes_str(argv[3]));
	for (size_t k = 0; k < THREADS; k++) {
		char uri[PATH_LEN * 2];
		snprintf(uri, sizeof(uri), "file:%s/keys/emisora-ocsp.key",
		    dir);
		must(key_load(uri, bytes_str(argv[3]), &share[k].key, &e));
		share[k].fill = &f;
		share[k].tbs = BUF(OCSP_ANSWER_MAX);
		share[k].signature = BUF(SIG_MAX);
		share[k].answer = calloc(BLOCK, sizeof(struct buf));
		share[k].row = calloc(BLOCK, sizeof(struct public_row));
		for (size_t i = 0; i < BLOCK; i++)
			share[k].answer[i] = BUF(OCSP_ANSWER_MAX);
	}
	must(public_open(dir, (int64_t)strtoull(argv[2], NULL, 10) << 30, true,
	    &fresh, &p, &e));
	if (fresh) {
		fputs("bench_ocsp_fill: the store was not closed in order\n",
		    stderr);
		return 1;
	}
	uint16_t issuer = issuer_index(p, &f.id);
	for (uint64_t i = first; i < count; i += BLOCK)
		put_block(p, issuer, share, i,
		    count - i < BLOCK ? count - i : BLOCK);
	public_close(p);
	return 0;
}
