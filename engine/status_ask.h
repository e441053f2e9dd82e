/*
 * status_ask - questions that only a fresh signature answers: they wait in
 * turns by address (fair.h), a few at a time are at the ocsp-signer, and who
 * cannot have a signature gets the answer signed ahead of time, as RFC 9654
 * and RFC 6960 allow, or tryLater where there is none.
 */
#ifndef ENGINE_STATUS_ASK_H
#define ENGINE_STATUS_ASK_H

#include <refrendo/net.h>

#include "fair.h"
#include "peer.h"
#include "status_http.h"

#define ASK_WAIT_MS 1000 /* in line; then without a signature */
#define ASK_MS      5000 /* at the ocsp-signer: it hangs */
#define ASK_AT_ONCE 16   /* at the ocsp-signer; the rest stays in line */

/* A client that waits. */
struct asked {
	struct net_conn *conn; /* NULL: free */
	uint32_t turn;         /* counts the uses of this slot */
	bool is_sent;          /* to the ocsp-signer; else in line */
	int64_t deadline_ms;
	enum http_method method;
	bool keep_alive;
	struct status_question question;
};

struct status_ask {
	uv_loop_t *loop;
	struct status_view *view;
	/* Makes the view's reader usable in this turn; false: it is gone. */
	bool (*reads)(void *ctx);
	void *ctx;
	struct peer *peer; /* the ocsp-signer; NULL: away */
	struct fair fair;
	struct asked asked[FAIR_PLACES];
	size_t n_sent;
	struct buf out;
};

/* loop to ctx are set by the caller before. */
void ask_open(struct status_ask *a);
void ask_close(struct status_ask *a);
/* The ocsp-signer, or a new one in its place. */
void ask_peer(struct status_ask *a, int fd);
/* Answers now or later. */
void ask_question(struct status_ask *a, struct net_conn *c,
    const struct http_request *r, const struct status_question *q);
void ask_second(struct status_ask *a); /* each second: who waits too long */

#endif
