#include <string.h>

#include "fair.h"

#define COST_MS (1000 / FAIR_RATE)
#define WAYS    8 /* lines that one address may be found in */

void
fair_init(struct fair *f, const uint8_t key[16])
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < FAIR_LINES; i++)
		f->line[i].first = f->line[i].last = f->line[i].next =
		    FAIR_NONE;
	f->turn = FAIR_NONE;
	memcpy(f->key, key, sizeof(f->key));
}

/* --- Lines ------------------------------------------------------------------------- */

static struct fair_address
line_address(const struct fair_address *who)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct fair_address a = *who;
	if (memcmp(a.octets, mapped, sizeof(mapped)) != 0)
		memset(a.octets + 8, 0, 8);
	return a;
}

static size_t
first_way(const struct fair *f, const struct fair_address *a)
{
	uint8_t in[sizeof(f->key) + sizeof(*a)], hash[SHA256_LEN];
	memcpy(in, f->key, sizeof(f->key));
	memcpy(in + sizeof(f->key), a->octets, sizeof(*a));
	sha256(hash, bytes_of(in, sizeof(in)));
	return (size_t)be64_parse(hash) % (FAIR_LINES / WAYS) * WAYS;
}

static struct fair_line *
line_find(struct fair *f, const struct fair_address *a)
{
	struct fair_line *way = &f->line[first_way(f, a)];
	for (size_t i = 0; i < WAYS; i++) {
		if (way[i].seen_ms != 0 &&
		    memcmp(&way[i].who, a, sizeof(*a)) == 0)
			return &way[i];
	}
	return NULL;
}

/* A new one takes the place of the one that asked longest ago, but of none
 * where somebody waits. */
static struct fair_line *
line_make(struct fair *f, const struct fair_address *a, int64_t now_ms)
{
	struct fair_line *way = &f->line[first_way(f, a)], *oldest = NULL;
	for (size_t i = 0; i < WAYS; i++) {
		if (way[i].length == 0 &&
		    (oldest == NULL || way[i].seen_ms < oldest->seen_ms))
			oldest = &way[i];
	}
	if (oldest != NULL)
		*oldest = (struct fair_line){ .who = *a,
			.seen_ms = now_ms,
			.allowance_ms = FAIR_BURST * COST_MS,
			.first = FAIR_NONE,
			.last = FAIR_NONE,
			.next = FAIR_NONE };
	return oldest;
}

bool
fair_allows(struct fair *f, const struct fair_address *who, int64_t now_ms)
{
	struct fair_address a = line_address(who);
	struct fair_line *l = line_find(f, &a);
	if (l == NULL)
		l = line_make(f, &a, now_ms);
	if (l == NULL)
		return false;
	if (now_ms > l->seen_ms) {
		l->allowance_ms += now_ms - l->seen_ms;
		if (l->allowance_ms > FAIR_BURST * COST_MS)
			l->allowance_ms = FAIR_BURST * COST_MS;
		l->seen_ms = now_ms;
	}
	if (l->allowance_ms < COST_MS)
		return false;
	l->allowance_ms -= COST_MS;
	return true;
}

/* --- The circle of lines where somebody waits ------------------------------------------ */

static uint16_t
index_of(const struct fair *f, const struct fair_line *l)
{
	return (uint16_t)(l - f->line);
}

/* Behind the line that was served last: its turn comes when all that wait
 * now have had theirs. */
static void
circle_join(struct fair *f, struct fair_line *l)
{
	uint16_t i = index_of(f, l);
	if (f->turn == FAIR_NONE) {
		l->next = i;
	} else {
		l->next = f->line[f->turn].next;
		f->line[f->turn].next = i;
	}
	f->turn = i;
}

static void
circle_leave(struct fair *f, struct fair_line *l)
{
	uint16_t i = index_of(f, l), before = i;
	while (f->line[before].next != i)
		before = f->line[before].next;
	f->line[before].next = l->next;
	if (f->turn == i)
		f->turn = before;
	if (before == i)
		f->turn = FAIR_NONE;
	l->next = FAIR_NONE;
}

void
fair_wait(struct fair *f, const struct fair_address *who, uint16_t place)
{
	struct fair_address a = line_address(who);
	struct fair_line *l = line_find(f, &a);
	if (l == NULL)
		fatal("an address waits that was not allowed to");
	if (l->length++ == 0) {
		l->first = place;
		circle_join(f, l);
	} else {
		f->behind[l->last] = place;
	}
	l->last = place;
	f->behind[place] = FAIR_NONE;
	f->waiting++;
}

/* Takes a place out, wherever in its line it stands. */
static void
line_remove(struct fair *f, struct fair_line *l, uint16_t place)
{
	uint16_t before = FAIR_NONE, at = l->first;
	while (at != place) {
		before = at;
		at = f->behind[at];
	}
	if (before == FAIR_NONE)
		l->first = f->behind[place];
	else
		f->behind[before] = f->behind[place];
	if (l->last == place)
		l->last = before;
	f->waiting--;
	if (--l->length == 0)
		circle_leave(f, l);
}

uint16_t
fair_next(struct fair *f)
{
	if (f->turn == FAIR_NONE)
		return FAIR_NONE;
	f->turn = f->line[f->turn].next;
	uint16_t place = f->line[f->turn].first;
	line_remove(f, &f->line[f->turn], place);
	return place;
}

uint16_t
fair_give_way(struct fair *f, const struct fair_address *who)
{
	struct fair_address a = line_address(who);
	const struct fair_line *mine = line_find(f, &a);
	struct fair_line *longest = NULL;
	for (uint16_t i = f->turn, n = 0; i != FAIR_NONE && n <= f->waiting;
	    i = f->line[i].next, n++) {
		if (longest == NULL || f->line[i].length > longest->length)
			longest = &f->line[i];
	}
	if (longest == NULL ||
	    longest->length <= (mine == NULL ? 0 : mine->length) + 1)
		return FAIR_NONE;
	uint16_t place = longest->last;
	line_remove(f, longest, place);
	return place;
}

void
fair_leave(struct fair *f, uint16_t place)
{
	for (uint16_t i = f->turn, n = 0; i != FAIR_NONE && n <= f->waiting;
	    i = f->line[i].next, n++) {
		uint16_t at = f->line[i].first;
		while (at != FAIR_NONE && at != place)
			at = f->behind[at];
		if (at == FAIR_NONE)
			continue;
		line_remove(f, &f->line[i], place);
		return;
	}
}
