/*
 * bench_crl - revoked certificates in the ledger of an engine that is stopped,
 * and the bare work that a CRL is compared with.
 *
 * usage: bench_crl fill DIR ISSUER COUNT    rows of certificates never issued:
 *                                           the log does not know them
 *        bench_crl index FILE COUNT         the same as OpenSSL's index.txt
 *        bench_crl bare CRL OUT             reads CRL, then hashes the same
 *                                           octets and writes them to OUT in
 *                                           blocks; prints microseconds
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <refrendo/crl.h>
#include <refrendo/engine.h>
#include <refrendo/pkix.h>
#include <refrendo/store.h>

#define SERIAL 20
#define COMMIT 50000
#define BLOCK  262144

static struct err e;

static void
must(enum err_code code)
{
	if (code == ERR_OK)
		return;
	fprintf(stderr, "bench_crl: %s (%s)\n", e.say, e.why);
	exit(1);
}

/* Rises with i, and is otherwise random, as those of the engine. */
static void
serial_of(uint8_t out[SERIAL], uint64_t i)
{
	uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
	be64_print(out, (UINT64_C(0x0660) << 48) + i * 4097);
	for (size_t k = 8; k < SERIAL; k++) {
		x ^= x >> 29;
		x *= UINT64_C(0xbf58476d1ce4e5b9);
		out[k] = (uint8_t)(x >> 56);
	}
}

static int64_t
revoked_at(uint64_t i, int64_t now)
{
	return now - 400 * DAY + (int64_t)(i * 397 % (uint64_t)(399 * DAY));
}

static const int reasons[] = { 1, 3, 4, 5 };

/* People lose their keys in no order: a step that is a prime goes through all
 * of them. */
static uint64_t
shuffled(uint64_t i, uint64_t count)
{
	return i * UINT64_C(4294967291) % count;
}

static void
fill(const char *dir, const char *issuer, uint64_t count)
{
	struct store *s;
	int64_t now = clock_now();
	uint8_t room[ROW_KEY_MAX], serial[SERIAL];
	struct bytes prefix = ca_list_key(room, bytes_str(issuer), 0);
	must(store_open(dir, INT64_C(64) << 30, false, &s, &e));
	for (uint64_t i = 0; i < count;) {
		struct view *v;
		must(store_begin(s, true, &v, &e));
		for (uint64_t n = 0; n < COMMIT && i < count; n++, i++) {
			struct crl_entry x = {
				.serial = bytes_of(serial, SERIAL),
				.revoked_at = revoked_at(i, now),
				.reason = reasons[i % 4],
			};
			serial_of(serial, shuffled(i, count));
			must(ca_list_put(v, prefix, &x, now + 700 * DAY, &e));
		}
		must(view_commit(v, &e));
	}
	store_close(s);
}

static void
index_file(const char *path, uint64_t count)
{
	static const char *const names[] = { "keyCompromise",
		"affiliationChanged", "superseded", "cessationOfOperation" };
	int64_t now = clock_now();
	FILE *f = fopen(path, "w");
	if (f == NULL)
		exit(1);
	for (uint64_t i = 0; i < count; i++) {
		uint8_t serial[SERIAL];
		char hex[HEX_LEN(SERIAL)];
		struct civil c;
		serial_of(serial, i);
		hex_print(hex, bytes_of(serial, SERIAL));
		for (char *p = hex; *p != '\0'; p++)
			if (*p >= 'a')
				*p = (char)(*p - 'a' + 'A');
		civil_from_time(revoked_at(i, now), &c);
		fprintf(f,
		    "R\t391231235959Z\t%02d%02d%02d%02d%02d%02dZ,%s\t%s\t"
		    "unknown\t/CN=%llu\n",
		    c.year % 100, c.month, c.day, c.hour, c.minute, c.second,
		    names[i % 4], hex, (unsigned long long)i);
	}
	fclose(f);
}

static int64_t
now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
bare(const char *crl, const char *out)
{
	struct stat st;
	AUTO(digest) d = NULL;
	struct digest_value value;
	int from = open(crl, O_RDONLY),
	    to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (from < 0 || to < 0 || fstat(from, &st) != 0)
		exit(1);
	size_t len = (size_t)st.st_size;
	uint8_t *p = malloc(len);
	if (p == NULL || read(from, p, len) != (ssize_t)len)
		exit(1);
	AUTO(key) key = NULL;
	must(key_generate(KEY_EC_P256, &key, &e));
	must(digest_new(key_spki(key), &d, &e));
	int64_t began = now_us();
	for (size_t at = 0; at < len; at += BLOCK) {
		size_t n = len - at < BLOCK ? len - at : BLOCK;
		digest_put(d, bytes_of(p + at, n));
		if (write(to, p + at, n) != (ssize_t)n)
			exit(1);
	}
	digest_end(d, &value);
	close(to);
	printf("%lld %zu\n", (long long)(now_us() - began), len);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "fill") == 0)
		fill(argv[2], argv[3], strtoull(argv[4], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "index") == 0)
		index_file(argv[2], strtoull(argv[3], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "bare") == 0)
		bare(argv[2], argv[3]);
	else {
		fputs("usage: bench_crl fill|index|bare ...\n", stderr);
		return 2;
	}
	return 0;
}
