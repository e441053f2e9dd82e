/*
 * net - HTTP over libuv: connections, limits, time-outs.  Knows bytes and
 * requests, nothing of what they mean.  Used by front (local socket) and
 * status (TCP).
 *
 * A handler answers at once with net_answer(), or keeps the connection's
 * handle and answers later; the next request of that connection waits.
 */
#ifndef REFRENDO_NET_H
#define REFRENDO_NET_H

#include <refrendo/base.h>
#include <refrendo/http.h>
#include <uv.h>

struct net_conn; /* one client; lives until it was answered and closed */
struct net_server;

/*
 * Called once for each whole request; r borrows until the call returns.
 * Must call net_answer() now, or net_hold() and answer later.
 */
typedef void (
    *net_handler)(void *ctx, struct net_conn *c, const struct http_request *r);

struct net_setup {
	uv_loop_t *loop;
	int fd; /* listening socket; the server owns it from now on */
	bool is_unix;
	bool is_public; /* nothing of it is secret: buffers are not wiped */
	const struct http_limits *limits;
	size_t conns_max;   /* further ones are closed at once */
	int64_t request_ms; /* first octet to whole request */
	int64_t idle_ms;    /* between requests, and for a slow reader */
	size_t pending_max; /* octets waiting for a slow reader; then closed */
	net_handler handler;
	void *ctx;
};
/* Before the sandbox closes: libuv opens a descriptor to spare, which it gives
 * up for a moment to refuse a client when no other is left. */
void net_prepare(uv_loop_t *loop);
MUST_CHECK enum err_code net_serve(const struct net_setup *setup,
    struct net_server **out, struct err *e);
/* Stops accepting; connections end after their present answer. */
void net_stop(struct net_server *s);
/* Closes every connection now and the server; the loop must run on to free. */
void net_close(struct net_server *s);
size_t net_conns(const struct net_server *s);
/* Since the server began; borrowed as long as it lives. */
struct net_counts {
	uint64_t accepted, refused; /* connections; refused: over conns_max */
	uint64_t timeouts;
	uint64_t octets_in, octets_out;
};
const struct net_counts *net_counts(const struct net_server *s);

/* Whole answer as bytes; copied where it cannot be sent at once. */
void net_answer(struct net_conn *c, struct bytes answer, bool keep_alive);
/*
 * net_room - for a handler, in place of net_answer(): room for max octets, at
 * most NET_ROOM_MAX, of an answer that is written where it leaves from.  NULL:
 * there is no memory; net_answer() then closes.  net_put() ends the answer.
 */
#define NET_ROOM_MAX 16384
uint8_t *net_room(struct net_conn *c, size_t max);
void net_put(struct net_conn *c, size_t len, bool keep_alive);
/*
 * net_answer_lent - an answer whose body is long and stays where it is until
 * done() is called with it, once, when it was sent or the client went away.
 * The next request of the connection waits; a client that takes nothing for
 * idle_ms is closed.
 */
void net_answer_lent(struct net_conn *c, struct bytes head, struct bytes body,
    void (*done)(struct bytes body), bool keep_alive);
/*
 * The handler will answer later.  The result must be given back to
 * net_answer_held() once, even when the client has gone meanwhile.
 */
struct net_conn *net_hold(struct net_conn *c);
void net_answer_held(struct net_conn *c, struct bytes answer, bool keep_alive);
/* The address of a client over TCP, an IPv4 one mapped into IPv6; zeros if it
 * is unknown or there is none. */
void net_peer_address(const struct net_conn *c, uint8_t out[16]);
/* The peer of a local socket, from SO_PEERCRED; false if unknown. */
bool net_peer_uid(const struct net_conn *c, uint32_t *uid);

/* --- A client ---------------------------------------------------------------------- */

struct net_ask {
	const char *url;          /* http://… */
	enum http_method method;  /* HTTP_GET, HTTP_HEAD or HTTP_POST */
	const char *content_type; /* of body, with HTTP_POST */
	struct bytes body;
	const char *extra; /* header lines, each with CR LF; NULL: none */
	size_t body_max;   /* of the answer, octets */
	int64_t total_ms;  /* from the call to the last octet */
	bool numeric;      /* a host that is a name is refused, not looked up */
};
/*
 * net_fetch - asks and waits; blocks for total_ms at most, but for what the
 * system takes to look up a name.  One request a connection; every address of
 * the host is tried within the time.  Redirects are not followed: they come
 * back as what they are.
 *
 * out        valid on ERR_OK, then the caller's to free with
 *            http_response_fini().
 *
 * ERR_NOTFOUND "fetch-host"; ERR_BUSY "fetch-connect", "fetch-time",
 * "fetch-lost"; those of http_url_parse() and http_response_feed().
 */
MUST_CHECK enum err_code net_fetch(const struct net_ask *ask,
    struct http_response *out, struct err *e);

#endif
