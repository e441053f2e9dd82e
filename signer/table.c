/*
 * table - open addressing over keyed 64-bit hashes.  It stores offsets, not
 * keys: a million serials take 32 MiB, and what a slot points to is compared
 * by whoever asks.
 */
#include <stdlib.h>

#include "internal.h"

#define SLOTS_MIN 1024

void
table_fini(struct table *t)
{
	free(t->slot);
	*t = (struct table){ .slot = NULL };
}

static void
place(struct slot *slot, size_t mask, struct slot what)
{
	size_t i = (size_t)what.hash & mask;
	while (slot[i].value != 0)
		i = (i + 1) & mask;
	slot[i] = what;
}

static enum err_code
grow(struct table *t, struct err *e)
{
	size_t size = t->slot == NULL ? SLOTS_MIN : 2 * (t->mask + 1);
	struct slot *slot = calloc(size, sizeof(*slot));
	if (slot == NULL)
		return err_nomem(e);
	for (size_t i = 0; t->slot != NULL && i <= t->mask; i++) {
		if (t->slot[i].value != 0)
			place(slot, size - 1, t->slot[i]);
	}
	free(t->slot);
	t->slot = slot;
	t->mask = size - 1;
	return ERR_OK;
}

enum err_code
table_put(struct table *t, uint64_t hash, uint64_t value, struct err *e)
{
	/* At most three quarters full, so that a search stays short. */
	if (t->slot == NULL || t->used >= (t->mask + 1) / 4 * 3)
		TRY(grow(t, e));
	place(t->slot, t->mask, (struct slot){ hash, value });
	t->used++;
	return ERR_OK;
}

struct slot *
table_next(const struct table *t, uint64_t hash, size_t *at)
{
	if (t->slot == NULL)
		return NULL;
	size_t i =
	    *at == SIZE_MAX ? (size_t)hash & t->mask : (*at + 1) & t->mask;
	for (; t->slot[i].value != 0; i = (i + 1) & t->mask) {
		if (t->slot[i].hash == hash) {
			*at = i;
			return &t->slot[i];
		}
	}
	return NULL;
}
