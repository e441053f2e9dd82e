/*
 * bench_issue - the client side of "./dev bench issue": so many requests in
 * flight over the local socket, each taken through all nine steps, and
 * between the runs the bare cost of the cryptography on the same cores.
 *
 * usage: bench_issue SOCKET RUT OPERATOR POLICY KEY CERT COUNT IN_FLIGHT PAIRS
 *        RUN...        (people, one for each request in flight)
 *
 * Prints one JSON object for each pair: issued, seconds, and the rate that
 * the sum of the operations allows.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <refrendo/http.h>
#include <refrendo/pkix.h>

#define REPLY_MAX (1u << 20)
#define RAW_MS    400

struct bench {
	const char *socket, *rut, *operator_run, *policy, *key, *cert;
	long count, in_flight;
	char **run;
	char **csr; /* base64, one for each certificate */
	atomic_long next;
	atomic_long failed;
};

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- One connection ------------------------------------------------------------- */

struct client {
	struct bench *bench;
	long index;
	int fd;
	struct key *key;
	struct buf cert, in;
	unsigned long salt;
};

static bool
client_connect(struct client *c)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", c->bench->socket);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return c->fd >= 0 &&
	       connect(c->fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

/* Sends one POST; the body of a 2xx answer, which lives until the next. */
static struct bytes
post(struct client *c, const char *path, const char *key, struct bytes body)
{
	struct buf out AUTO_BUF = BUF(REPLY_MAX);
	struct http_reply reply;
	struct err e;
	size_t used = 0;
	buf_putf(&out,
	    "POST %s HTTP/1.1\r\nHost: local\r\nContent-Type: "
	    "application/json\r\nIdempotency-Key: %s\r\nContent-Length: "
	    "%zu\r\n\r\n",
	    path, key, body.len);
	buf_put(&out, body.p, body.len);
	if (send(c->fd, out.p, out.len, MSG_NOSIGNAL) != (ssize_t)out.len)
		return BYTES_NONE;
	buf_reset(&c->in);
	while (used == 0) {
		uint8_t piece[32768];
		ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
		if (n <= 0)
			return BYTES_NONE;
		buf_put(&c->in, piece, (size_t)n);
		if (http_reply_parse(buf_bytes(&c->in), REPLY_MAX, &reply,
			&used, &e) != ERR_OK)
			return BYTES_NONE;
	}
	if (reply.status / 100 != 2) {
		fprintf(stderr, "%s: %d %.*s\n", path, reply.status,
		    BYTES_FMT(reply.body));
		return BYTES_NONE;
	}
	return reply.body;
}

/* A string member of an answer, unescaped: only \" and \\ occur in it.  A
 * load generator must cost less than what it loads. */
static bool
member(struct bytes json, const char *name, struct buf *out)
{
	char start[64];
	snprintf(start, sizeof(start), "\"%s\":\"", name);
	const uint8_t *p = memmem(json.p, json.len, start, strlen(start));
	if (p == NULL)
		return false;
	const uint8_t *end = json.p + json.len;
	buf_reset(out);
	for (p += strlen(start); p < end && *p != '"'; p++) {
		if (*p == '\\')
			p++;
		buf_putc(out, *p);
	}
	return p < end && !out->failed;
}

static bool
endorse(struct client *c, long number, const char *id, struct bytes statement)
{
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct buf body AUTO_BUF = BUF(REPLY_MAX);
	struct buf state AUTO_BUF = BUF(REPLY_MAX);
	struct err e;
	char path[96], key[64];
	if (cms_sign(c->key, buf_bytes(&c->cert), statement, clock_now(), &cms,
		&e) != ERR_OK)
		return false;
	buf_puts(&body, "{\"cms\":\"");
	base64_put(&body, buf_bytes(&cms));
	buf_puts(&body, "\"}");
	snprintf(path, sizeof(path), "/api/v1/requests/%s:endorse", id);
	snprintf(key, sizeof(key), "e%lx-%ld", c->salt, number);
	struct bytes done = post(c, path, key, buf_bytes(&body));
	return member(done, "state", &state) &&
	       bytes_is(buf_bytes(&state), "issued");
}

static bool
issue(struct client *c, long number)
{
	struct bench *b = c->bench;
	struct buf body AUTO_BUF = BUF(REPLY_MAX);
	struct buf id AUTO_BUF = BUF(64);
	struct buf statement AUTO_BUF = BUF(REPLY_MAX);
	char key[64];
	snprintf(key, sizeof(key), "n%lx-%ld", c->salt, number);
	buf_putf(&body,
	    "{\"as\":\"%s\",\"csr\":\"%s\",\"policy\":\"%s\",\"run\":\"%s\","
	    "\"rut\":\"%s\"}",
	    b->operator_run, b->csr[number], b->policy, b->run[c->index],
	    b->rut);
	struct bytes made =
	    post(c, "/api/v1/requests?blobs=1", key, buf_bytes(&body));
	return member(made, "id", &id) &&
	       member(made, "statement", &statement) &&
	       endorse(c, number, buf_text(&id), buf_bytes(&statement));
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	for (;;) {
		long number = atomic_fetch_add(&c->bench->next, 1);
		if (number >= c->bench->count)
			return NULL;
		if (!issue(c, number))
			atomic_fetch_add(&c->bench->failed, 1);
	}
}

/* --- The bare cryptography -------------------------------------------------------- */

struct raw {
	double sign_us, verify_us;
};

/* P-256 with SHA-256 over 700 octets, contexts and key reused. */
static void *
raw_main(void *arg)
{
	struct raw *r = arg;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char text[700] = { 0 }, signature[128];
	size_t len = sizeof(signature);
	long n = 0;
	double begin = seconds(), end;
	do {
		len = sizeof(signature);
		EVP_MD_CTX_reset(ctx);
		EVP_DigestSignInit(ctx, NULL, md, NULL, key);
		EVP_DigestSign(ctx, signature, &len, text, sizeof(text));
		n++;
		end = seconds();
	} while (end - begin < RAW_MS / 1e3);
	r->sign_us = (end - begin) * 1e6 / (double)n;
	n = 0;
	begin = seconds();
	do {
		EVP_MD_CTX_reset(ctx);
		EVP_DigestVerifyInit(ctx, NULL, md, NULL, key);
		if (EVP_DigestVerify(ctx, signature, len, text, sizeof(text)) !=
		    1)
			abort();
		n++;
		end = seconds();
	} while (end - begin < RAW_MS / 1e3);
	r->verify_us = (end - begin) * 1e6 / (double)n;
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	EVP_PKEY_free(key);
	return NULL;
}

/*
 * What every certificate needs at least: the endorsement verified, the
 * container signed, the certificate signed and checked, its status signed.
 */
static double
raw_rate(struct raw *mean, long cores)
{
	pthread_t thread[64];
	struct raw raw[64];
	*mean = (struct raw){ 0, 0 };
	for (long i = 0; i < cores; i++)
		pthread_create(&thread[i], NULL, raw_main, &raw[i]);
	for (long i = 0; i < cores; i++) {
		pthread_join(thread[i], NULL);
		mean->sign_us += raw[i].sign_us / (double)cores;
		mean->verify_us += raw[i].verify_us / (double)cores;
	}
	return (double)cores * 1e6 / (3 * mean->sign_us + 2 * mean->verify_us);
}

/* --- Main ------------------------------------------------------------------------------ */

static bool
make_requests(struct bench *b)
{
	b->csr = calloc((size_t)b->count, sizeof(*b->csr));
	for (long i = 0; b->csr != NULL && i < b->count; i++) {
		AUTO(key) key = NULL;
		struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct buf text = BUF(CSR_MAX_BYTES * 2);
		struct err e;
		if (key_generate(KEY_EC_P256, &key, &e) != ERR_OK ||
		    csr_build(key, "bench", &der, &e) != ERR_OK)
			return false;
		base64_put(&text, buf_bytes(&der));
		b->csr[i] = strdup(buf_text(&text));
		buf_fini(&text);
	}
	return b->csr != NULL;
}

static bool
run_pair(struct bench *b, struct client *client, long cores)
{
	pthread_t *thread = calloc((size_t)b->in_flight, sizeof(*thread));
	struct raw raw;
	double allowed = raw_rate(&raw, cores);
	if (thread == NULL || !make_requests(b))
		return false;
	atomic_store(&b->next, 0);
	double begin = seconds();
	for (long i = 0; i < b->in_flight; i++)
		pthread_create(&thread[i], NULL, client_main, &client[i]);
	for (long i = 0; i < b->in_flight; i++)
		pthread_join(thread[i], NULL);
	double took = seconds() - begin;
	printf("{\"allowed\":%.1f,\"failed\":%ld,\"issued\":%ld,"
	       "\"rate\":%.1f,\"sign_us\":%.1f,\"verify_us\":%.1f}\n",
	    allowed, atomic_load(&b->failed), b->count,
	    (double)(b->count - atomic_load(&b->failed)) / took, raw.sign_us,
	    raw.verify_us);
	fflush(stdout);
	for (long i = 0; i < b->count; i++)
		free(b->csr[i]);
	free(b->csr);
	free(thread);
	return atomic_load(&b->failed) == 0;
}

static bool
read_cert(const char *path, struct buf *der)
{
	struct err e;
	uint8_t text[CERT_MAX_BYTES];
	FILE *f = fopen(path, "rb");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text), f);
	if (f != NULL)
		fclose(f);
	return n > 0 &&
	       pem_or_der(bytes_of(text, n), "CERTIFICATE", der, &e) == ERR_OK;
}

int
main(int argc, char **argv)
{
	if (argc < 11) {
		fprintf(stderr, "usage: see the top of issue_client.c\n");
		return 2;
	}
	struct bench b = { argv[1], argv[2], argv[3], argv[4], argv[5], argv[6],
		strtol(argv[7], NULL, 10), strtol(argv[8], NULL, 10), argv + 10,
		NULL, 0, 0 };
	long pairs = strtol(argv[9], NULL, 10);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (argc - 10 < b.in_flight)
		return 2;
	struct client *client = calloc((size_t)b.in_flight, sizeof(*client));
	for (long i = 0; client != NULL && i < b.in_flight; i++) {
		struct err e;
		client[i] = (struct client){ .bench = &b,
			.index = i,
			.cert = BUF(CERT_MAX_BYTES),
			.in = BUF(REPLY_MAX * 2),
			.salt = (unsigned long)(seconds() * 1e6) };
		if (!client_connect(&client[i]) ||
		    !read_cert(b.cert, &client[i].cert) ||
		    key_load(b.key, BYTES_NONE, &client[i].key, &e) != ERR_OK) {
			fprintf(stderr, "client %ld cannot start\n", i);
			return 1;
		}
	}
	for (long i = 0; i < pairs; i++) {
		for (long k = 0; k < b.in_flight; k++)
			client[k].salt++;
		if (!run_pair(&b, client, cores))
			return 1;
	}
	return 0;
}
