/*
 * bench_presign - what the bench presign needs beside the engine.
 *
 * usage: bench_presign fill DIR COUNT     rows of certificates in the ledger of
 *                                         an engine that is stopped; the log
 *                                         does not know them, bench_ocsp_fill
 *                                         has their answers
 *        bench_presign raw MILLISECONDS   P-256 signatures a second of one
 *                                         key, digests ready, nothing else
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <refrendo/engine.h>
#include <refrendo/store.h>

#include "ocsp_serial.h"

#define COMMIT 50000

static struct err e;

static void
must(enum err_code code)
{
	if (code == ERR_OK)
		return;
	fprintf(stderr, "bench_presign: %s (%s)\n", e.say, e.why);
	exit(1);
}

static void
put_row(struct view *v, struct arena *a, uint64_t i, int64_t now)
{
	uint8_t serial[BENCH_SERIAL];
	static const uint8_t hash[SHA256_LEN] = { 1 };
	bool revoked = bench_is_revoked(i);
	bench_serial(serial, i);
	struct bytes id = bytes_of(serial, sizeof(serial));
	struct certificate c = {
		.serial = id,
		.issuer = bytes_str("emisora"),
		.institution = bytes_str("60910000-1"),
		.holder_run = bytes_str("7000000-7"),
		.request = bytes_str("SOL-2026-000001"),
		.policy = bytes_str("funcionario-firma"),
		.policy_sha256 = bytes_of(hash, sizeof(hash)),
		.tbs_sha256 = bytes_of(hash, sizeof(hash)),
		.spki_sha256 = bytes_of(hash, sizeof(hash)),
		.not_before = now - DAY,
		.not_after = now + 700 * DAY,
		.state = revoked ? CERT_REVOKED : CERT_VALID,
		.reason = revoked ? 4 : 0,
		.revoked_at = revoked ? now - HOUR : 0,
		.intended = now - DAY,
		.issued = now - DAY,
	};
	struct buf b AUTO_BUF = BUF(4096);
	rec_encode_row(&rec_certificate, &c, &b);
	must(
	    view_put(v, ca_row_key(a, ROW_CERTIFICATE, id), buf_bytes(&b), &e));
}

static void
fill(const char *dir, uint64_t count)
{
	struct store *s;
	int64_t now = clock_now();
	AUTO(arena) a = arena_new();
	must(store_open(dir, INT64_C(64) << 30, false, &s, &e));
	for (uint64_t i = 0; i < count;) {
		struct view *v;
		must(store_begin(s, true, &v, &e));
		for (uint64_t n = 0; n < COMMIT && i < count; n++, i++)
			put_row(v, a, i, now);
		must(view_commit(v, &e));
		arena_reset(a);
	}
	store_close(s);
}

static int64_t
now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
raw(int64_t ms)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	uint8_t digest[SHA256_LEN], sig[128];
	uint64_t n = 0;
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
	    RAND_bytes(digest, sizeof(digest)) != 1)
		exit(1);
	int64_t began = now_us(), took = 0;
	while (took < ms * 1000) {
		for (int i = 0; i < 100; i++, n++) {
			size_t len = sizeof(sig);
			digest[0]++;
			if (EVP_PKEY_sign(ctx, sig, &len, digest,
				sizeof(digest)) != 1)
				exit(1);
		}
		took = now_us() - began;
	}
	printf("%.1f\n", (double)n * 1e6 / (double)took);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fill") == 0)
		fill(argv[2], strtoull(argv[3], NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "raw") == 0)
		raw(strtoll(argv[2], NULL, 10));
	else {
		fputs("usage: bench_presign fill|raw ...\n", stderr);
		return 2;
	}
	return 0;
}
