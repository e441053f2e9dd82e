/*
 * bench_sign - the client side of CFSSL in "./dev bench issue": so many
 * requests in flight over connections that are kept, each a POST of one PKCS
 * #10 request that must be answered with a certificate.
 *
 * usage: bench_sign PORT COUNT IN_FLIGHT
 *
 * Prints one JSON object: issued, failed, and the rate.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <refrendo/http.h>
#include <refrendo/pkix.h>

#define REPLY_MAX (1u << 16)

struct bench {
	char **request; /* whole, one for each certificate */
	long count, next, done, running;
};

struct client {
	int fd;
	struct buf in;
};

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A request as CFSSL's sign endpoint takes it: the PEM as a JSON string. */
static char *
make_request(void)
{
	AUTO(key) key = NULL;
	struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf pem AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf body AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf out AUTO_BUF = BUF(REPLY_MAX);
	struct err e;
	if (key_generate(KEY_EC_P256, &key, &e) != ERR_OK ||
	    csr_build(key, "bench", &der, &e) != ERR_OK)
		return NULL;
	pem_put(&pem, "CERTIFICATE REQUEST", buf_bytes(&der));
	buf_puts(&body, "{\"hostname\":\"bench.example.org\","
			"\"certificate_request\":\"");
	for (size_t i = 0; i < pem.len; i++) {
		if (pem.p[i] == '\n')
			buf_puts(&body, "\\n");
		else
			buf_put(&body, &pem.p[i], 1);
	}
	buf_puts(&body, "\"}");
	buf_putf(&out,
	    "POST /api/v1/cfssl/sign HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    body.len);
	buf_put(&out, body.p, body.len);
	return out.failed ? NULL : strdup(buf_text(&out));
}

static bool
send_next(struct bench *b, struct client *c)
{
	if (b->next == b->count) {
		b->running--;
		return true;
	}
	const char *text = b->request[b->next++];
	size_t len = strlen(text);
	buf_reset(&c->in);
	return send(c->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
readable(struct bench *b, struct client *c)
{
	static uint8_t piece[REPLY_MAX];
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
	if (used == 0)
		return true;
	if (reply.status != 200 || memmem(reply.body.p, reply.body.len,
				       "BEGIN CERTIFICATE", 17) == NULL) {
		fprintf(stderr, "%d %.*s\n", reply.status,
		    BYTES_FMT(reply.body));
		return false;
	}
	b->done++;
	return send_next(b, c);
}

static bool
run(struct bench *b, struct client *client, long in_flight)
{
	struct epoll_event event[64];
	int loop = epoll_create1(EPOLL_CLOEXEC);
	bool good = loop >= 0;
	b->running = in_flight;
	for (long i = 0; i < in_flight && good; i++) {
		event[0] = (struct epoll_event){ .events = EPOLLIN,
			.data.ptr = &client[i] };
		good =
		    epoll_ctl(loop, EPOLL_CTL_ADD, client[i].fd, event) == 0 &&
		    send_next(b, &client[i]);
	}
	while (b->running > 0 && good) {
		int n = epoll_wait(loop, event, 64, 30000);
		good = n > 0;
		for (int i = 0; i < n && good; i++)
			good = readable(b, event[i].data.ptr);
	}
	close(loop);
	return good;
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: see the top of sign_client.c\n");
		return 2;
	}
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct bench b = { .count = strtol(argv[2], NULL, 10) };
	long in_flight = strtol(argv[3], NULL, 10);
	struct client *client = calloc((size_t)in_flight, sizeof(*client));
	b.request = calloc((size_t)b.count, sizeof(*b.request));
	for (long i = 0; i < b.count; i++) {
		if ((b.request[i] = make_request()) == NULL)
			return 1;
	}
	for (long i = 0; i < in_flight; i++) {
		int one = 1;
		client[i] =
		    (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0),
			    .in = BUF(REPLY_MAX * 2) };
		if (connect(client[i].fd, (struct sockaddr *)&at, sizeof(at)) !=
		    0) {
			perror("connect");
			return 1;
		}
		setsockopt(client[i].fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
	}
	double begin = seconds();
	bool good = run(&b, client, in_flight);
	printf("{\"failed\":%ld,\"issued\":%ld,\"rate\":%.1f}\n",
	    b.count - b.done, b.done, (double)b.done / (seconds() - begin));
	return good ? 0 : 1;
}
