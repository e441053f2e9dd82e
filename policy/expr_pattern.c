/*
 * expr_pattern - patterns of conditions: * is any text, ? one character,
 * [a-z0-9] one of these, [!a-z] none of them, all else itself.
 *
 * The matcher carries the set of places in the pattern that the text read so
 * far may have reached, one bit each, and never goes back.
 */
#include "expr.h"

struct piece {
	bool star, negated;
	uint32_t low, high;  /* one character, when set is empty */
	struct bytes set;    /* what stands between brackets, without ! */
	struct bytes source; /* all of it */
};

/* Reads one piece from the front of the pattern. */
static enum pattern_fault
piece_cut(struct bytes *pattern, struct piece *out)
{
	const uint8_t *p = pattern->p, *end = p + pattern->len;
	const uint8_t *from = p, *close;
	uint32_t c = utf8_next(&p, end);

	*out = (struct piece){ .star = c == '*', .low = c, .high = c };
	if (c == '?' || c == '*') {
		out->low = 0;
		out->high = UINT32_MAX;
	}
	if (c == '[') {
		close = memchr(p, ']', (size_t)(end - p));
		out->negated = p < end && *p == '!';
		p += out->negated ? 1 : 0;
		if (close == NULL)
			p = end;
		else
			out->set = bytes_of(p, (size_t)(close - p));
		p = close == NULL ? end : close + 1;
	}
	out->source = bytes_of(from, (size_t)(p - from));
	*pattern = bytes_of(p, (size_t)(end - p));
	if (c != '[')
		return PATTERN_GOOD;
	if (close == NULL)
		return PATTERN_OPEN;
	if (out->set.len == 0)
		return PATTERN_EMPTY;
	return out->set.p[0] == '^' ? PATTERN_CARET : PATTERN_GOOD;
}

/* The next character or range of a set; a dash at either end is itself. */
static void
range_cut(const uint8_t **p, const uint8_t *end, uint32_t *low, uint32_t *high)
{
	*low = *high = utf8_next(p, end);
	if (end - *p < 2 || **p != '-')
		return;
	++*p;
	*high = utf8_next(p, end);
}

static bool
piece_has(const struct piece *piece, uint32_t c)
{
	const uint8_t *p = piece->set.p, *end;
	uint32_t low, high;

	if (piece->set.len == 0)
		return c >= piece->low && c <= piece->high;
	for (end = p + piece->set.len; p < end;) {
		range_cut(&p, end, &low, &high);
		if (c >= low && c <= high)
			return !piece->negated;
	}
	return piece->negated;
}

static bool
ranges_rise(struct bytes set)
{
	const uint8_t *p = set.p, *end = p + set.len;
	uint32_t low, high;

	while (p < end) {
		range_cut(&p, end, &low, &high);
		if (low > high)
			return false;
	}
	return true;
}

enum pattern_fault
pattern_check(struct bytes text, size_t *from, size_t *len)
{
	struct bytes rest = text;
	enum pattern_fault fault = PATTERN_GOOD;
	struct piece piece;

	for (size_t n = 0; rest.len > 0 && fault == PATTERN_GOOD; n++) {
		fault = piece_cut(&rest, &piece);
		if (fault == PATTERN_GOOD && piece.set.len > 0 &&
		    !ranges_rise(piece.set))
			fault = PATTERN_RANGE;
		*from = (size_t)(piece.source.p - text.p);
		*len = piece.source.len;
		if (n == EXPR_PATTERN_MAX) {
			*len = text.len - *from;
			return PATTERN_LONG;
		}
	}
	return fault;
}

/* A star may stand for nothing: the place behind it is reached too. */
static uint64_t
past_stars(uint64_t places, uint64_t stars)
{
	uint64_t each;

	for (each = stars; each != 0; each &= each - 1) {
		uint64_t star = each & -each;

		if ((places & star) != 0)
			places |= star << 1;
	}
	return places;
}

bool
pattern_matches(struct bytes pattern, struct bytes text)
{
	struct piece piece[EXPR_PATTERN_MAX];
	const uint8_t *p = text.p, *end = text.len > 0 ? p + text.len : p;
	uint64_t stars = 0, places, last;
	unsigned n = 0;

	for (; pattern.len > 0 && n < EXPR_PATTERN_MAX; n++) {
		(void)piece_cut(&pattern, &piece[n]);
		stars |= (uint64_t)piece[n].star << n;
	}
	last = UINT64_C(1) << n;
	places = past_stars(1, stars);
	while (p < end && places != 0) {
		uint32_t c = utf8_next(&p, end);
		uint64_t next = places & stars, each = places & ~stars & ~last;

		for (; each != 0; each &= each - 1) {
			if (piece_has(&piece[__builtin_ctzll(each)], c))
				next |= (each & -each) << 1;
		}
		places = past_stars(next, stars);
	}
	return (places & last) != 0;
}
