#include <refrendo/audit.h>

#include <stdio.h>
#include <string.h>

#define LEVEL_MAX   63
#define GROUPS_MAX  6 /* of three digits: numbers below 10^18 */
#define TILE_SUFFIX ".p/"

void
tile_path(char *out, size_t size, unsigned level, uint64_t n, unsigned width)
{
	char number[4 * GROUPS_MAX + 8] = "";
	char suffix[16] = "";
	char at[16] = "entries";
	size_t len = sizeof(number) - 1;

	/* Groups of three digits, from the last to the first. */
	number[len] = '\0';
	bool last = true;
	do {
		char group[8];
		snprintf(group, sizeof(group), "%s%03u%s", last ? "" : "x",
		    (unsigned)(n % 1000), last ? "" : "/");
		size_t k = strlen(group);
		if (k > len)
			fatal("tile %llu has no path", (unsigned long long)n);
		len -= k;
		memcpy(number + len, group, k);
		n /= 1000;
		last = false;
	} while (n > 0);
	if (width < TILE_WIDTH)
		snprintf(suffix, sizeof(suffix), TILE_SUFFIX "%u", width);
	if (level != TILE_ENTRIES)
		snprintf(at, sizeof(at), "%u", level);
	snprintf(out, size, "tile/%s/%s%s", at, number + len, suffix);
}

/* A decimal without leading zeros, up to max, that ends before stop. */
static bool
take_number(struct reader *r, unsigned max, unsigned *out)
{
	unsigned v = 0;
	const uint8_t *start = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
		v = 10 * v + (unsigned)(*r->p - '0');
		if (v > max || (r->p > start && *start == '0'))
			return false;
		r->p++;
	}
	*out = v;
	return r->p > start;
}

static bool
take(struct reader *r, const char *text)
{
	size_t len = strlen(text);
	if ((size_t)(r->end - r->p) < len || memcmp(r->p, text, len) != 0)
		return false;
	r->p += len;
	return true;
}

/* x001/x234/067: no group of zeros in front, where it says nothing. */
static bool
take_index(struct reader *r, uint64_t *out)
{
	uint64_t n = 0;

	for (int group = 0; group < GROUPS_MAX; group++) {
		bool more = take(r, "x");
		unsigned v = 0;
		for (int i = 0; i < 3; i++, r->p++) {
			if (r->p == r->end || *r->p < '0' || *r->p > '9')
				return false;
			v = 10 * v + (unsigned)(*r->p - '0');
		}
		if (group == 0 && more && v == 0)
			return false;
		n = 1000 * n + v;
		*out = n;
		if (!more)
			return true;
		if (!take(r, "/"))
			return false;
	}
	return false;
}

bool
tile_path_parse(struct bytes path, int *level, uint64_t *n, unsigned *width)
{
	struct reader r = reader_of(path);
	unsigned l = 0, w = TILE_WIDTH;
	uint64_t index = 0;

	if (!take(&r, "tile/"))
		return false;
	bool entries = take(&r, "entries");
	if (!entries && !take_number(&r, LEVEL_MAX, &l))
		return false;
	if (!take(&r, "/") || !take_index(&r, &index))
		return false;
	if (take(&r, TILE_SUFFIX) &&
	    (!take_number(&r, TILE_WIDTH - 1, &w) || w == 0))
		return false;
	if (r.p != r.end)
		return false;
	*level = entries ? -1 : (int)l;
	*n = index;
	*width = w;
	return true;
}
