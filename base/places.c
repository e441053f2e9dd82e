/* places - places in a list by a hash of what stands there. */
#include <refrendo/base.h>

uint64_t
hash64(struct bytes b)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (size_t i = 0; i < b.len; i++)
		h = (h ^ b.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* What FNV leaves in the low bits is mixed once more. */
static size_t
first_slot(uint64_t hash)
{
	return (size_t)(hash ^ hash >> 32) % PLACES_SLOTS;
}

void
places_put(struct places *t, uint64_t hash, size_t place)
{
	size_t i = first_slot(hash);
	if (place >= PLACES_MAX)
		fatal("a list with more places than PLACES_MAX");
	for (size_t tried = 0; t->slot[i] != 0; i = (i + 1) % PLACES_SLOTS)
		if (++tried == PLACES_SLOTS)
			fatal("a table of places is full");
	atomic_store_explicit(&t->slot[i], (uint16_t)(place + 1),
	    memory_order_release);
}

bool
places_next(const struct places *t, uint64_t hash, size_t *at, size_t *place)
{
	size_t i =
	    *at == SIZE_MAX ? first_slot(hash) : (*at + 1) % PLACES_SLOTS;
	uint16_t v = atomic_load_explicit(&t->slot[i], memory_order_acquire);
	*at = i;
	*place = (size_t)v - 1;
	return v != 0;
}
