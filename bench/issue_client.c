/*
 * bench_issue - the client side of "./dev bench issue": so many requests in
 * flight over the local socket, each taken through all nine steps, and
 * between the runs the bare cost of the cryptography on the same cores.
 *
 * usage: bench_issue SOCKET RUT OPERATOR POLICY KEY CERT COUNT IN_FLIGHT PAIRS
 *        ISSUER CORE RUN...   (people, one for each request in flight)
 *
 * ISSUER is the type of the CA's key.  CORE -1: the rate allowed is that of all
 * cores with all the cryptography of a certificate, P-256; else that of the CA's
 * signatures alone, by one thread on that core, and the client keeps off it.
 *
 * The bare cost is measured in front of the certificates and behind them:
 * machines that others share change their pace within seconds.
 *
 * Prints one JSON object for each pair: issued, seconds, and the rate that
 * the sum of the operations allows.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <refrendo/http.h>
#include <refrendo/pkix.h>

#define REPLY_MAX (1u << 20)
#define RAW_MS    200

struct bench {
	const char *socket, *rut, *operator_run, *policy, *key, *cert;
	long count, in_flight;
	char **run;
	char **csr; /* base64, one for each certificate */
	long next, done, failed;
};

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- One connection ------------------------------------------------------------- */

enum step { STEP_ASKED, STEP_ENDORSED, STEP_OVER };

struct client {
	struct bench *bench;
	long index, number; /* of the certificate under way */
	enum step step;
	int fd;
	struct key *key;
	struct buf cert, in, out, body, cms, text;
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

/* Sends one POST; the socket's buffer takes it whole. */
static bool
post(struct client *c, const char *path, char letter)
{
	buf_reset(&c->out);
	buf_putf(&c->out,
	    "POST %s HTTP/1.1\r\nHost: local\r\nContent-Type: "
	    "application/json\r\nIdempotency-Key: %c%lx-%06ld\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    path, letter, c->salt, c->number, c->body.len);
	buf_put(&c->out, c->body.p, c->body.len);
	buf_reset(&c->in);
	return send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL) ==
	       (ssize_t)c->out.len;
}

/* A string member of an answer, unescaped: only \" and \\ occur in it.  A
 * load generator must cost less than what it loads. */
static struct bytes
member(struct bytes json, const char *name, struct buf *out)
{
	char start[64];
	snprintf(start, sizeof(start), "\"%s\":\"", name);
	const uint8_t *p = memmem(json.p, json.len, start, strlen(start));
	if (p == NULL)
		return BYTES_NONE;
	const uint8_t *end = json.p + json.len, *from;
	buf_reset(out);
	for (from = p += strlen(start); p < end && *p != '"'; p++) {
		if (*p != '\\')
			continue;
		buf_put(out, from, (size_t)(p - from));
		from = ++p;
	}
	buf_put(out, from, (size_t)(p - from));
	return p < end && !out->failed ? buf_bytes(out) : BYTES_NONE;
}

/* Steps 1 to 3, for the next certificate if there is one. */
static bool
ask(struct client *c)
{
	struct bench *b = c->bench;
	if (b->next == b->count) {
		c->step = STEP_OVER;
		return true;
	}
	c->number = b->next++;
	c->step = STEP_ASKED;
	buf_reset(&c->body);
	const char *const part[] = { "{\"as\":\"", b->operator_run,
		"\",\"csr\":\"", b->csr[c->number], "\",\"policy\":\"",
		b->policy, "\",\"run\":\"", b->run[c->index], "\",\"rut\":\"",
		b->rut, "\"}" };
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		buf_puts(&c->body, part[i]);
	return post(c, "/api/v1/requests?blobs=1", 'n');
}

/* Steps 4 to 9: the answer comes when the certificate is published. */
static bool
endorse(struct client *c, struct bytes made)
{
	struct err e;
	char path[96];
	struct bytes id = member(made, "id", &c->text);
	snprintf(path, sizeof(path), "/api/v1/requests/%.*s:endorse",
	    BYTES_FMT(id));
	struct bytes statement = member(made, "statement", &c->text);
	buf_reset(&c->cms);
	if (id.len == 0 || statement.len == 0 ||
	    cms_sign(c->key, buf_bytes(&c->cert), statement, clock_now(),
		&c->cms, &e) != ERR_OK)
		return false;
	c->step = STEP_ENDORSED;
	buf_reset(&c->body);
	buf_puts(&c->body, "{\"cms\":\"");
	base64_put(&c->body, buf_bytes(&c->cms));
	buf_puts(&c->body, "\"}");
	return post(c, path, 'e');
}

/* One whole answer: what it was for, and what follows. */
static bool
answered(struct client *c, const struct http_reply *reply)
{
	if (reply->status / 100 != 2) {
		fprintf(stderr, "%d %.*s\n", reply->status,
		    BYTES_FMT(reply->body));
		return false;
	}
	if (c->step == STEP_ASKED)
		return endorse(c, reply->body);
	if (!bytes_is(member(reply->body, "state", &c->text), "issued"))
		return false;
	c->bench->done++;
	return ask(c);
}

static bool
readable(struct client *c)
{
	static uint8_t piece[65536];
	struct http_reply reply;
	struct err e;
	size_t used = 0;
	ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
	if (n <= 0)
		return false;
	buf_put(&c->in, piece, (size_t)n);
	if (http_reply_parse(buf_bytes(&c->in), REPLY_MAX, &reply, &used, &e) !=
	    ERR_OK)
		return false;
	return used == 0 || answered(c, &reply);
}

/* All connections in one thread, until each has nothing more to ask. */
static bool
clients_run(struct bench *b, struct client *client)
{
	struct epoll_event event[64];
	int loop = epoll_create1(EPOLL_CLOEXEC);
	long running = 0;
	bool good = loop >= 0;
	for (long i = 0; i < b->in_flight && good; i++) {
		event[0] = (struct epoll_event){ .events = EPOLLIN,
			.data.ptr = &client[i] };
		good =
		    epoll_ctl(loop, EPOLL_CTL_ADD, client[i].fd, event) == 0 &&
		    ask(&client[i]);
		running += client[i].step != STEP_OVER;
	}
	while (running > 0 && good) {
		int n = epoll_wait(loop, event, 64, 30000);
		good = n > 0;
		for (int i = 0; i < n && good; i++) {
			struct client *c = event[i].data.ptr;
			good = readable(c);
			running -= c->step == STEP_OVER;
		}
	}
	b->failed = b->count - b->done;
	close(loop);
	return good;
}

/* --- The bare cryptography -------------------------------------------------------- */

struct raw {
	EVP_PKEY *key;
	double sign_us, verify_us;
};

static bool
keep_to(pthread_t thread, long core, bool on_it)
{
	cpu_set_t set;
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	CPU_ZERO(&set);
	for (long i = 0; i < n; i++) {
		if ((i == core) == on_it)
			CPU_SET((size_t)i, &set);
	}
	return pthread_setaffinity_np(thread, sizeof(set), &set) == 0;
}

/* With SHA-256 over 700 octets, contexts and key reused. */
static void *
raw_main(void *arg)
{
	struct raw *r = arg;
	EVP_PKEY *key = r->key;
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char text[700] = { 0 }, signature[512];
	size_t len = sizeof(signature);
	long n = 0;
	if (key == NULL || md == NULL || ctx == NULL)
		abort();
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

static long
cores_of(long core)
{
	return core < 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
}

/* Adds half of what is measured: the other half is measured later. */
static void
raw_add(EVP_PKEY *key, struct raw *sum, long core)
{
	pthread_t thread[64];
	struct raw raw[64];
	long cores = cores_of(core);
	for (long i = 0; i < cores; i++) {
		raw[i].key = EVP_PKEY_dup(key); /* each core has its own */
		if (pthread_create(&thread[i], NULL, raw_main, &raw[i]) != 0 ||
		    (core >= 0 && !keep_to(thread[i], core, true)))
			abort();
	}
	for (long i = 0; i < cores; i++) {
		pthread_join(thread[i], NULL);
		sum->sign_us += raw[i].sign_us / (double)(2 * cores);
		sum->verify_us += raw[i].verify_us / (double)(2 * cores);
	}
}

/*
 * What counts as a certificate's own: the endorsement verified, the container
 * signed, the certificate signed and checked, its status signed.  Containers
 * are not signed any more (decision 0054), and the request's own signature is
 * checked besides: the measure stays as it was.
 */
static double
raw_rate(const struct raw *mean, long core)
{
	if (core >= 0)
		return 1e6 / mean->sign_us;
	return (double)cores_of(core) * 1e6 /
	       (3 * mean->sign_us + 2 * mean->verify_us);
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
run_pair(struct bench *b, struct client *client, EVP_PKEY *key, long core)
{
	struct raw raw = { NULL, 0, 0 };
	if (!make_requests(b))
		return false;
	raw_add(key, &raw, core);
	b->next = b->done = 0;
	double begin = seconds();
	bool good = clients_run(b, client);
	double took = seconds() - begin;
	raw_add(key, &raw, core);
	printf("{\"allowed\":%.1f,\"failed\":%ld,\"issued\":%ld,"
	       "\"rate\":%.1f,\"sign_us\":%.1f,\"verify_us\":%.1f}\n",
	    raw_rate(&raw, core), b->failed, b->count, (double)b->done / took,
	    raw.sign_us, raw.verify_us);
	fflush(stdout);
	for (long i = 0; i < b->count; i++)
		free(b->csr[i]);
	free(b->csr);
	return good;
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
	if (argc < 13) {
		fprintf(stderr, "usage: see the top of issue_client.c\n");
		return 2;
	}
	struct bench b = { argv[1], argv[2], argv[3], argv[4], argv[5], argv[6],
		strtol(argv[7], NULL, 10), strtol(argv[8], NULL, 10), argv + 12,
		NULL, 0, 0, 0 };
	long pairs = strtol(argv[9], NULL, 10);
	long core = strtol(argv[11], NULL, 10);
	EVP_PKEY *key = strcmp(argv[10], "rsa-3072") == 0 ? EVP_RSA_gen(3072)
							  : EVP_EC_gen("P-256");
	if (argc - 12 < b.in_flight || key == NULL ||
	    (core >= 0 && !keep_to(pthread_self(), core, false)))
		return 2;
	struct client *client = calloc((size_t)b.in_flight, sizeof(*client));
	unsigned long salt = (unsigned long)(seconds() * 1e6);
	for (long i = 0; client != NULL && i < b.in_flight; i++) {
		struct err e;
		client[i] = (struct client){ .bench = &b,
			.index = i,
			.cert = BUF(CERT_MAX_BYTES),
			.in = BUF(REPLY_MAX * 2),
			.out = BUF(REPLY_MAX),
			.body = BUF(REPLY_MAX),
			.cms = BUF(CMS_MAX_BYTES),
			.text = BUF(REPLY_MAX),
			.salt = salt };
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
		if (!run_pair(&b, client, key, core))
			return 1;
	}
	return 0;
}
