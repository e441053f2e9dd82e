/*
 * proofs - which signatures were found right lately.  A place for each is
 * given by the first octets of its id; the newer takes the place of the older.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct proofs {
	pthread_mutex_t lock;
	size_t n;
	uint8_t (*seen)[SHA256_LEN]; /* all zero: nothing there */
};

enum err_code
proofs_new(size_t n, struct proofs **out, struct err *e)
{
	AUTO(proofs) p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(e);
	pthread_mutex_init(&p->lock, NULL);
	p->n = n > 0 ? n : 1;
	p->seen = calloc(p->n, sizeof(*p->seen));
	if (p->seen == NULL)
		return err_nomem(e);
	*out = TAKE(p);
	return ERR_OK;
}

void
proofs_free(struct proofs *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p->seen);
	free(p);
}

static uint8_t *
place_of(struct proofs *p, const uint8_t id[SHA256_LEN])
{
	return p->seen[be64_parse(id) % p->n];
}

bool
proofs_have(struct proofs *p, const uint8_t id[SHA256_LEN])
{
	pthread_mutex_lock(&p->lock);
	bool have = memcmp(place_of(p, id), id, SHA256_LEN) == 0;
	pthread_mutex_unlock(&p->lock);
	return have;
}

void
proofs_add(struct proofs *p, const uint8_t id[SHA256_LEN])
{
	pthread_mutex_lock(&p->lock);
	memcpy(place_of(p, id), id, SHA256_LEN);
	pthread_mutex_unlock(&p->lock);
}
