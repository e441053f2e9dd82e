/*
 * bench_status_client - the load generator of "./dev bench ocsp-…": keep-alive
 * connections, busy polling, serial numbers drawn uniformly.
 *
 * usage: bench_status_client PORT KIND CONNECTIONS SECONDS RATE
 *            [ISSUER COUNT EVERY]
 *
 * KIND       get, post: OCSP; file: GET /file; with "-close" a connection for
 *            each request, with "-root" at the root instead of under /ocsp.
 * RATE       0: as fast as answers come; else requests a second, each counted
 *            from the instant at which it should have left.
 * ISSUER     certificate in DER; serials are those of bench_ocsp_fill, of which
 *            each EVERY-th is signed; 0: nothing is verified.
 *
 * Every answer is checked: status, length, and of OCSP the serial number.  A
 * sample of those signed is verified when the time is over.  Prints one JSON
 * object.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <refrendo/ocsp.h>

#include "ocsp_serial.h"

#define CONNECTIONS_MAX 1024
#define ROOM            16384
#define SAMPLE          50
#define LATENCIES_MAX   (1u << 22)

enum kind { KIND_GET, KIND_POST, KIND_FILE };

struct conn {
	int fd;
	bool busy;
	uint64_t serial; /* of the certificate asked for */
	double intended;
	size_t have;
	uint8_t room[ROOM];
};

struct load {
	int epoll, port;
	enum kind kind;
	bool closes, at_root;
	size_t n_conn;
	double rate;
	uint64_t count, every, seed;
	struct issuer_id id;
	struct cert issuer;
	struct buf issuer_der;
	uint8_t request[256]; /* OCSP request; the serial is its end */
	size_t request_len;
	struct conn *conn;
	/* What came of it. */
	uint64_t answers, octets, sent;
	size_t head, body;
	float *latency; /* seconds */
	size_t n_latency;
	struct {
		uint64_t serial;
		uint8_t der[OCSP_ANSWER_MAX];
		size_t len;
	} sample[SAMPLE];
	size_t n_sample;
};

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "bench_status_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- Requests -------------------------------------------------------------------- */

/* One CertID by SHA-1, as most clients ask. */
static void
request_open(struct load *l)
{
	static const uint8_t sha1[] = { 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a,
		5, 0 };
	uint8_t *p = l->request;
	size_t id = sizeof(sha1) + 22 + 22 + 2 + BENCH_SERIAL;
	for (size_t outer = 8; outer > 0; outer -= 2) {
		*p++ = 0x30;
		*p++ = (uint8_t)(id + outer);
	}
	*p++ = 0x30;
	*p++ = (uint8_t)id;
	memcpy(p, sha1, sizeof(sha1));
	p += sizeof(sha1);
	*p++ = 4;
	*p++ = 20;
	memcpy(p, l->id.name_sha1, 20);
	p += 20;
	*p++ = 4;
	*p++ = 20;
	memcpy(p, l->id.key_sha1, 20);
	p += 20;
	*p++ = 2;
	*p++ = BENCH_SERIAL;
	l->request_len = (size_t)(p + BENCH_SERIAL - l->request);
}

static size_t
put_base64(char *out, const uint8_t *p, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
				     "nopqrstuvwxyz0123456789+/";
	char *o = out;
	size_t i = 0;
	for (; i + 2 < len; i += 3) {
		uint32_t v =
		    (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
		*o++ = digits[v >> 18];
		*o++ = digits[v >> 12 & 63];
		*o++ = digits[v >> 6 & 63];
		*o++ = digits[v & 63];
	}
	if (i < len) {
		uint32_t v = (uint32_t)p[i] << 16 |
			     (i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0);
		*o++ = digits[v >> 18];
		*o++ = digits[v >> 12 & 63];
		*o++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*o++ = '=';
	}
	return (size_t)(o - out);
}

static size_t
put_text(char *out, const char *s)
{
	size_t len = strlen(s);
	memcpy(out, s, len);
	return len;
}

static size_t
request_put(struct load *l, struct conn *c, char out[1024])
{
	const char *end = l->closes ? "Connection: close\r\n\r\n" : "\r\n";
	size_t n = 0;
	if (l->kind == KIND_FILE) {
		n = put_text(out, "GET /file HTTP/1.1\r\nHost: a\r\n");
		return n + put_text(out + n, end);
	}
	l->seed = bench_mix(l->seed);
	c->serial = l->seed % l->count;
	bench_serial(l->request + l->request_len - BENCH_SERIAL, c->serial);
	if (l->kind == KIND_GET) {
		n = put_text(out, l->at_root ? "GET /" : "GET /ocsp/");
		n += put_base64(out + n, l->request, l->request_len);
		n += put_text(out + n, " HTTP/1.1\r\nHost: a\r\n");
		return n + put_text(out + n, end);
	}
	n = (size_t)snprintf(out, 1024,
	    "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: "
	    "application/ocsp-request\r\nContent-Length: %zu\r\n%s",
	    l->at_root ? "/" : "/ocsp", l->request_len, end);
	memcpy(out + n, l->request, l->request_len);
	return n + l->request_len;
}

static void
conn_open(struct load *l, struct conn *c)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)l->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event want = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &want) != 0)
		die("epoll");
}

static void
conn_ask(struct load *l, struct conn *c, double intended)
{
	char out[1024];
	if (c->fd < 0)
		conn_open(l, c);
	size_t n = request_put(l, c, out);
	c->intended = intended;
	c->busy = true;
	c->have = 0;
	l->sent++;
	if (send(c->fd, out, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

/* --- Answers ---------------------------------------------------------------------- */

static _Noreturn void
wrong(const char *what, const struct conn *c)
{
	fprintf(stderr, "bench_status_client: %s:\n%.*s\n", what,
	    (int)(c->have < 400 ? c->have : 400), (const char *)c->room);
	exit(1);
}

static void
sample_keep(struct load *l, const struct conn *c, const uint8_t *body,
    size_t len)
{
	if (l->n_sample == SAMPLE || l->every == 0 || c->serial % l->every != 0)
		return;
	l->sample[l->n_sample].serial = c->serial;
	l->sample[l->n_sample].len = len;
	memcpy(l->sample[l->n_sample++].der, body, len);
}

/* Octets of the whole answer, 0 if it is not there yet. */
static size_t
answer_check(struct load *l, const struct conn *c)
{
	static const char field[] = "\r\nContent-Length: ";
	static const uint8_t good[] = { 0x0a, 0x01, 0x00 };
	const uint8_t *end = memmem(c->room, c->have, "\r\n\r\n", 4);
	uint8_t serial[BENCH_SERIAL];
	if (end == NULL)
		return 0;
	size_t head = (size_t)(end + 4 - c->room);
	if (head < 12 || memcmp(c->room, "HTTP/1.", 7) != 0 ||
	    memcmp(c->room + 8, " 200", 4) != 0)
		wrong("another status", c);
	const uint8_t *p = memmem(c->room, head, field, sizeof(field) - 1);
	size_t body = 0;
	if (p == NULL)
		wrong("no length", c);
	for (p += sizeof(field) - 1; *p >= '0' && *p <= '9'; p++)
		body = body * 10 + (size_t)(*p - '0');
	if (body > OCSP_ANSWER_MAX)
		wrong("a long answer", c);
	if (c->have < head + body)
		return 0;
	l->head = head;
	l->body = body;
	if (l->kind == KIND_FILE)
		return head + body;
	const uint8_t *der = c->room + head;
	bench_serial(serial, c->serial);
	if (body < 200 || memcmp(der + 4, good, sizeof(good)) != 0)
		wrong("not a successful OCSP answer", c);
	const uint8_t *first = memmem(der, 300, serial, BENCH_SERIAL);
	if (first == NULL)
		wrong("an answer for another certificate", c);
	sample_keep(l, c, der, body);
	return head + body;
}

static void
conn_read(struct load *l, struct conn *c, double now)
{
	ssize_t n =
	    recv(c->fd, c->room + c->have, ROOM - c->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		wrong("the server closed", c);
	c->have += (size_t)n;
	size_t whole = answer_check(l, c);
	if (whole == 0 && c->have == ROOM)
		wrong("an endless answer", c);
	if (whole == 0)
		return;
	if (whole != c->have)
		wrong("more than an answer", c);
	if (l->rate > 0 && l->n_latency < LATENCIES_MAX)
		l->latency[l->n_latency++] = (float)(now - c->intended);
	l->answers++;
	l->octets += whole;
	c->busy = false;
	if (l->closes) {
		close(c->fd);
		c->fd = -1;
	}
}

/* --- Loops ------------------------------------------------------------------------- */

static void
run(struct load *l, double during)
{
	struct epoll_event event[CONNECTIONS_MAX];
	double began = seconds(), now = began;
	size_t next = 0;
	for (size_t i = 0; l->rate == 0 && i < l->n_conn; i++)
		conn_ask(l, &l->conn[i], now);
	while (now < began + during) {
		int n = epoll_wait(l->epoll, event, CONNECTIONS_MAX, 0);
		now = seconds();
		for (int i = 0; i < n; i++) {
			struct conn *c = event[i].data.ptr;
			conn_read(l, c, l->rate > 0 ? seconds() : now);
			if (l->rate == 0 && !c->busy)
				conn_ask(l, c, now);
		}
		/* Open loop: what should have left by now, where there is a
		 * connection; what waits for one keeps its instant. */
		double due = began + (double)l->sent / l->rate;
		for (size_t tried = 0;
		    l->rate > 0 && due <= now && tried < l->n_conn; tried++) {
			struct conn *c = &l->conn[next++ % l->n_conn];
			if (c->busy)
				continue;
			conn_ask(l, c, due);
			due = began + (double)l->sent / l->rate;
		}
	}
}

static int
by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

static double
percentile_us(const struct load *l, double part)
{
	if (l->n_latency == 0)
		return 0;
	size_t at = (size_t)((double)(l->n_latency - 1) * part);
	return (double)l->latency[at] * 1e6;
}

static void
verify(struct load *l)
{
	struct verifier *v;
	struct err e;
	if (verifier_new(&v, &e) != ERR_OK)
		die("verifier");
	for (size_t i = 0; i < l->n_sample; i++) {
		struct bytes der = bytes_of(l->sample[i].der, l->sample[i].len);
		struct ocsp_answer a;
		uint8_t serial[BENCH_SERIAL], responder[20];
		bool revoked = bench_is_revoked(l->sample[i].serial);
		bench_serial(serial, l->sample[i].serial);
		enum err_code code = ocsp_answer_parse(der, &a, &e);
		if (code == ERR_OK) {
			memcpy(responder, a.key_hash.p, 20);
			struct ocsp_answer_spec want = { .issuer = &l->id,
				.serial = bytes_of(serial, BENCH_SERIAL),
				.responder_key_hash = bytes_of(responder, 20),
				.state = revoked ? OCSP_REVOKED : OCSP_GOOD,
				.revoked_at = a.single[0].revoked_at,
				.reason = revoked ? 4 : 0 };
			code = ocsp_answer_check(der, &want, &l->issuer,
			    clock_now(), v, &e);
		}
		if (code != ERR_OK) {
			fprintf(stderr, "bench_status_client: %s\n", e.say);
			exit(1);
		}
	}
	verifier_free(v);
}

static void
issuer_read(struct load *l, const char *name)
{
	struct err e;
	FILE *f = fopen(name, "rb");
	l->issuer_der = BUF(CERT_MAX_BYTES);
	uint8_t *p = buf_room(&l->issuer_der, CERT_MAX_BYTES);
	if (f == NULL || p == NULL)
		die(name);
	l->issuer_der.len = fread(p, 1, CERT_MAX_BYTES, f);
	fclose(f);
	if (cert_parse(buf_bytes(&l->issuer_der), &l->issuer, &e) != ERR_OK ||
	    issuer_id_of(&l->issuer, &l->id, &e) != ERR_OK) {
		fprintf(stderr, "bench_status_client: %s\n", e.say);
		exit(1);
	}
	request_open(l);
}

int
main(int argc, char **argv)
{
	static struct load l;
	if (argc != 6 && argc != 9) {
		fputs("usage: bench_status_client PORT KIND CONNECTIONS "
		      "SECONDS "
		      "RATE [ISSUER COUNT EVERY]\n",
		    stderr);
		return 2;
	}
	l.port = (int)strtol(argv[1], NULL, 10);
	l.kind = strncmp(argv[2], "get", 3) == 0    ? KIND_GET
		 : strncmp(argv[2], "post", 4) == 0 ? KIND_POST
						    : KIND_FILE;
	l.closes = strstr(argv[2], "-close") != NULL;
	l.at_root = strstr(argv[2], "-root") != NULL;
	l.n_conn = strtoul(argv[3], NULL, 10);
	double during = strtod(argv[4], NULL);
	l.rate = strtod(argv[5], NULL);
	if (argc == 9) {
		issuer_read(&l, argv[6]);
		l.count = strtoull(argv[7], NULL, 10);
		l.every = strtoull(argv[8], NULL, 10);
	}
	l.conn = calloc(CONNECTIONS_MAX, sizeof(*l.conn));
	l.latency = malloc(LATENCIES_MAX * sizeof(*l.latency));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.n_conn == 0 || l.n_conn > CONNECTIONS_MAX || l.conn == NULL ||
	    l.latency == NULL || l.epoll < 0 ||
	    (l.kind != KIND_FILE && l.count == 0) ||
	    RAND_bytes((unsigned char *)&l.seed, sizeof(l.seed)) != 1)
		return 2;
	for (size_t i = 0; i < l.n_conn; i++) {
		l.conn[i].fd = -1;
		if (!l.closes)
			conn_open(&l, &l.conn[i]);
	}
	run(&l, during);
	verify(&l);
	qsort(l.latency, l.n_latency, sizeof(*l.latency), by_size);
	printf("{\"rate\":%.1f,\"answers\":%llu,\"head\":%zu,\"body\":%zu,"
	       "\"verified\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
	    (double)l.answers / during, (unsigned long long)l.answers, l.head,
	    l.body, l.n_sample, percentile_us(&l, 0.5),
	    percentile_us(&l, 0.99));
	return 0;
}
