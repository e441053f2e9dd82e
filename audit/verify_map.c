#include "verify.h"

#include <stdlib.h>
#include <string.h>

/*
 * Names come from outside, so slots are chosen by SHA-256: nobody can make
 * them collide.
 */
static void
key_of(uint8_t out[MAP_KEY], enum map_kind kind, struct bytes name)
{
	uint8_t data[1 + 128], hash[HASH_LEN];
	size_t len = name.len;

	data[0] = (uint8_t)kind;
	if (len > sizeof(data) - 1) {
		sha256(hash, name);
		name = bytes_of(hash, HASH_LEN);
		len = HASH_LEN;
	}
	if (len > 0)
		memcpy(data + 1, name.p, len);
	sha256(hash, bytes_of(data, 1 + len));
	memcpy(out, hash, MAP_KEY);
}

static struct map_slot *
find(const struct map *m, const uint8_t key[MAP_KEY])
{
	size_t i = (size_t)be64_parse(key) & (m->size - 1);
	while (m->slot[i].used && memcmp(m->slot[i].key, key, MAP_KEY) != 0)
		i = (i + 1) & (m->size - 1);
	return &m->slot[i];
}

static void
enlarge(struct map *m)
{
	struct map bigger = { .size = m->size == 0 ? 256 : 2 * m->size,
		.used = m->used };
	bigger.slot = calloc(bigger.size, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		fatal("no memory for the verifier");
	for (size_t i = 0; i < m->size; i++)
		if (m->slot[i].used)
			*find(&bigger, m->slot[i].key) = m->slot[i];
	free(m->slot);
	*m = bigger;
}

void
map_fini(struct map *m)
{
	free(m->slot);
	*m = (struct map){ .slot = NULL };
}

void
map_put(struct map *m, enum map_kind kind, struct bytes name, uint32_t value)
{
	uint8_t key[MAP_KEY];

	if (4 * (m->used + 1) > 3 * m->size)
		enlarge(m);
	key_of(key, kind, name);
	struct map_slot *s = find(m, key);
	if (!s->used)
		m->used++;
	s->used = true;
	memcpy(s->key, key, MAP_KEY);
	s->value = value;
}

uint32_t
map_get(const struct map *m, enum map_kind kind, struct bytes name)
{
	uint8_t key[MAP_KEY];

	if (m->size == 0)
		return NONE;
	key_of(key, kind, name);
	const struct map_slot *s = find(m, key);
	return s->used ? s->value : NONE;
}

void *
grow(void *list, size_t n, size_t *size, size_t each)
{
	if (n < *size)
		return list;
	size_t more = *size == 0 ? 64 : 2 * *size;
	void *p = reallocarray(list, more, each);
	if (p == NULL)
		fatal("no memory for the verifier");
	*size = more;
	return p;
}
