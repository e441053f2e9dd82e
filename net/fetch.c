/*
 * fetch - a client that blocks: one request, one connection, one deadline for
 * everything.  What the server sends is read by http/response.c, bounded.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <refrendo/net.h>

#define PIECE         65536
#define ADDRESSES_MAX 8

struct address {
	struct sockaddr_storage at;
	socklen_t len;
};

struct fetch {
	const struct net_ask *ask;
	struct http_url url;
	int64_t deadline_ms;
	char place[HTTP_HOST_MAX + 10]; /* "host:port", for sentences */
	int fd;
};

static enum err_code
late(const struct fetch *f, struct err *e)
{
	char seconds[24];
	snprintf(seconds, sizeof(seconds), "%lld",
	    (long long)(f->ask->total_ms + 999) / 1000);
	return err_say(e, ERR_BUSY, "fetch-time",
	    "%s did not answer within %s seconds", f->place, seconds);
}

static enum err_code
unreachable(const struct fetch *f, int number, struct err *e)
{
	err_say(e, ERR_BUSY, "fetch-connect",
	    "nothing answers at %s; check the address and that the service "
	    "runs",
	    f->place);
	return err_why(e, "%s", strerror(number));
}

static enum err_code
lost(const struct fetch *f, int number, struct err *e)
{
	err_say(e, ERR_BUSY, "fetch-lost",
	    "%s closed the connection without an answer", f->place);
	return err_why(e, "%s", strerror(number));
}

/* --- Where --------------------------------------------------------------------- */

/* Without the resolver, which reads files that a confined role may not. */
static bool
numeric_address(const struct http_url *u, struct address *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out->at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->at;
	int64_t port;
	out->at = (struct sockaddr_storage){ .ss_family = AF_INET };
	if (!dec_parse(bytes_str(u->port), &port))
		return false;
	if (!u->is_ipv6) {
		v4->sin_port = htons((uint16_t)port);
		out->len = sizeof(*v4);
		return inet_pton(AF_INET, u->host, &v4->sin_addr) == 1;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	out->len = sizeof(*v6);
	return inet_pton(AF_INET6, u->host, &v6->sin6_addr) == 1;
}

static enum err_code
find_addresses(const struct fetch *f, struct address out[ADDRESSES_MAX],
    size_t *n, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *found;
	*n = 1;
	if (numeric_address(&f->url, &out[0]))
		return ERR_OK;
	int rc = EAI_NONAME;
	if (!f->ask->numeric && !f->url.is_ipv6)
		rc = getaddrinfo(f->url.host, f->url.port, &hints, &found);
	if (rc != 0) {
		err_say(e, ERR_NOTFOUND, "fetch-host",
		    "there is no host %s; check its name", f->url.host);
		return err_why(e, "%s", gai_strerror(rc));
	}
	*n = 0;
	for (const struct addrinfo *a = found; a != NULL && *n < ADDRESSES_MAX;
	    a = a->ai_next) {
		if (a->ai_addrlen > sizeof(out->at))
			continue;
		memcpy(&out[*n].at, a->ai_addr, a->ai_addrlen);
		out[(*n)++].len = a->ai_addrlen;
	}
	freeaddrinfo(found);
	return ERR_OK;
}

/* --- Waiting --------------------------------------------------------------------- */

/* Until the socket may be read or written; false when the time is over. */
static bool
wait_for(const struct fetch *f, short events, int64_t until_ms)
{
	for (;;) {
		int64_t left = until_ms - clock_mono_ms();
		struct pollfd p = { f->fd, events, 0 };
		if (left <= 0)
			return false;
		int rc = poll(&p, 1, (int)left);
		if (rc > 0)
			return true;
		if (rc < 0 && errno != EINTR)
			return false;
	}
}

/* errno of the attempt, 0 when connected. */
static int
connect_to(struct fetch *f, const struct address *a, int64_t until_ms)
{
	int number = 0;
	socklen_t len = sizeof(number);
	f->fd = socket(a->at.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0)
		return errno;
	if (connect(f->fd, (const struct sockaddr *)&a->at, a->len) == 0)
		return 0;
	number = errno;
	if (number == EINPROGRESS) {
		number = ETIMEDOUT;
		if (wait_for(f, POLLOUT, until_ms) &&
		    getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
			number = errno;
	}
	if (number != 0) {
		close(f->fd);
		f->fd = -1;
	}
	return number;
}

/* Each address gets an even share of the time that is left. */
static enum err_code
open_connection(struct fetch *f, struct err *e)
{
	struct address address[ADDRESSES_MAX];
	size_t n;
	int number = ENOENT;
	TRY(find_addresses(f, address, &n, e));
	for (size_t i = 0; i < n; i++) {
		int64_t now = clock_mono_ms(), left = f->deadline_ms - now;
		number =
		    connect_to(f, &address[i], now + left / (int64_t)(n - i));
		if (number == 0)
			return ERR_OK;
	}
	return unreachable(f, number, e);
}

/* --- One request, one answer ------------------------------------------------------- */

static enum err_code
send_all(const struct fetch *f, struct bytes b, struct err *e)
{
	while (b.len > 0) {
		ssize_t n = send(f->fd, b.p, b.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!wait_for(f, POLLOUT, f->deadline_ms))
				return late(f, e);
			continue;
		}
		if (n <= 0)
			return lost(f, errno, e);
		b.p += n;
		b.len -= (size_t)n;
	}
	return ERR_OK;
}

static enum err_code
send_request(const struct fetch *f, struct err *e)
{
	const struct net_ask *ask = f->ask;
	const struct http_url *u = &f->url;
	struct buf out AUTO_BUF = BUF(HTTP_URL_MAX + 2048 + ask->body.len);
	buf_putf(&out, "%s ", http_method_name(ask->method));
	buf_puts(&out, u->target);
	buf_puts(&out, " HTTP/1.1\r\nHost: ");
	buf_putf(&out, u->is_ipv6 ? "[%s]" : "%s", u->host);
	if (strcmp(u->port, "80") != 0)
		buf_putf(&out, ":%s", u->port);
	buf_puts(&out, "\r\nConnection: close\r\nUser-Agent: refrendo\r\n");
	if (ask->extra != NULL)
		buf_puts(&out, ask->extra);
	if (ask->method == HTTP_POST)
		buf_putf(&out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    ask->content_type, ask->body.len);
	buf_puts(&out, "\r\n");
	buf_put(&out, ask->body.p, ask->body.len);
	TRY(buf_end(&out, e));
	return send_all(f, buf_bytes(&out), e);
}

/*
 * Reads until the answer is whole.  A server that closes before it said
 * anything went away; one that closes in the middle cut its answer.
 */
static enum err_code
receive(const struct fetch *f, struct http_response *r, struct err *e)
{
	uint8_t piece[PIECE];
	bool done = false, any = false;
	while (!done) {
		/* A slow drip ends with the deadline too. */
		if (!wait_for(f, POLLIN, f->deadline_ms))
			return late(f, e);
		ssize_t n = recv(f->fd, piece, sizeof(piece), 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0 || (n == 0 && !any))
			return lost(f, n < 0 ? errno : 0, e);
		any = true;
		TRY(http_response_feed(r, bytes_of(piece, (size_t)n), n == 0,
		    &done, e));
	}
	return ERR_OK;
}

enum err_code
net_fetch(const struct net_ask *ask, struct http_response *out, struct err *e)
{
	struct fetch f = { .ask = ask,
		.deadline_ms = clock_mono_ms() + ask->total_ms,
		.fd = -1 };
	struct http_response r;
	TRY(http_url_parse(bytes_str(ask->url), &f.url, e));
	snprintf(f.place, sizeof(f.place), "%s:%s", f.url.host, f.url.port);
	TRY(open_connection(&f, e));
	http_response_init(&r, ask->body_max, ask->method == HTTP_HEAD);
	enum err_code code = send_request(&f, e);
	/* Refused half-way, a server may still have said why. */
	if (code == ERR_OK || code == ERR_BUSY)
		code = receive(&f, &r, e);
	close(f.fd);
	if (code != ERR_OK)
		http_response_fini(&r);
	else
		*out = r;
	return code;
}
