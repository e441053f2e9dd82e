/*
 * fair - who is served next, when each client costs a signature.  Each address
 * (IPv6: each /64, since a client may take any address in it) has a bounded
 * rate; those who wait are served in turns by address, so that a thousand
 * questions of one delay another's by one place; when there is no room the
 * longest line gives way.
 *
 * Pure: no clock, no sockets; memory is fixed.  What it forgets is the past of
 * an address that asked for nothing lately: it begins with a full allowance.
 */
#ifndef ENGINE_FAIR_H
#define ENGINE_FAIR_H

#include <refrendo/base.h>

#define FAIR_PLACES 256  /* questions that wait or are asked */
#define FAIR_LINES  1024 /* addresses remembered */
#define FAIR_RATE   50   /* a second, of one address */
#define FAIR_BURST  100
#define FAIR_NONE   UINT16_MAX

/* An address: IPv4 mapped into IPv6. */
struct fair_address {
	uint8_t octets[16];
};

struct fair_line {
	struct fair_address who;
	int64_t seen_ms;      /* 0: free */
	int64_t allowance_ms; /* time saved up; a question costs 1000 / rate */
	uint16_t first, last; /* places; FAIR_NONE: nobody waits */
	uint16_t length;
	uint16_t next; /* line, in the circle of those that wait */
};
struct fair {
	struct fair_line line[FAIR_LINES];
	uint16_t behind[FAIR_PLACES]; /* place that waits after this one */
	uint16_t turn;                /* line that was served last */
	uint16_t waiting;             /* places in all lines */
	uint8_t key[16];              /* an attacker cannot choose collisions */
};

/* key: 16 random octets. */
void fair_init(struct fair *f, const uint8_t key[16]);
/* Is there a question in the allowance of this address?  Takes it. */
bool fair_allows(struct fair *f, const struct fair_address *who,
    int64_t now_ms);
/* Puts a place, 0 to FAIR_PLACES - 1, at the end of the line of an address
 * that was allowed it just now. */
void fair_wait(struct fair *f, const struct fair_address *who, uint16_t place);
/* The place whose turn it is, taken out of its line; FAIR_NONE: none waits. */
uint16_t fair_next(struct fair *f);
/* The last place of the longest line, taken out, if that line is longer than
 * the one of this address would become; else FAIR_NONE. */
uint16_t fair_give_way(struct fair *f, const struct fair_address *who);
/* Takes a place that waits out of its line. */
void fair_leave(struct fair *f, uint16_t place);

#endif
