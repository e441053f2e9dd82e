/*
 * key_loads - several keys at once, each in a thread of its own.  Opening one
 * takes 600,000 rounds of PBKDF2 on purpose, and who starts needs them all.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <refrendo/pkix.h>

#define LOADS_MAX   32
#define STACK_BYTES 524288u

struct load {
	pthread_t thread;
	bool is_running;
	char *uri; /* owned */
	struct bytes passphrase;
	struct key **out;
	enum err_code code;
	struct err err;
};

struct key_loads {
	struct load load[LOADS_MAX];
	size_t n;
};

static void *
run(void *arg)
{
	struct load *l = arg;
	l->code = key_load(l->uri, l->passphrase, l->out, &l->err);
	return NULL;
}

struct key_loads *
key_loads_new(void)
{
	return calloc(1, sizeof(struct key_loads));
}

/* A token has one session, and is quick; a thread that cannot be had is none. */
static bool
start(struct load *l)
{
	pthread_attr_t attr;
	if (uri_is_token(l->uri) || pthread_attr_init(&attr) != 0)
		return false;
	bool started = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
		       pthread_create(&l->thread, &attr, run, l) == 0;
	pthread_attr_destroy(&attr);
	return started;
}

enum err_code
key_loads_add(struct key_loads *loads, const char *uri, struct bytes passphrase,
    struct key **out, struct err *e)
{
	if (loads == NULL || loads->n == LOADS_MAX)
		return err_nomem(e);
	struct load *l = &loads->load[loads->n];
	*l = (struct load){ .uri = strdup(uri),
		.passphrase = passphrase,
		.out = out };
	if (l->uri == NULL)
		return err_nomem(e);
	loads->n++;
	l->is_running = start(l);
	if (!l->is_running)
		(void)run(l);
	return ERR_OK;
}

enum err_code
key_loads_wait(struct key_loads *loads, struct err *e)
{
	enum err_code code = ERR_OK;
	for (size_t i = 0; loads != NULL && i < loads->n; i++) {
		struct load *l = &loads->load[i];
		if (l->is_running)
			pthread_join(l->thread, NULL);
		l->is_running = false;
		if (l->code != ERR_OK && code == ERR_OK) {
			*e = l->err;
			code = l->code;
		}
	}
	return code;
}

void
key_loads_free(struct key_loads *loads)
{
	struct err e;
	/* Whoever does not wait has another error to tell. */
	enum err_code code = key_loads_wait(loads, &e);
	(void)code;
	for (size_t i = 0; loads != NULL && i < loads->n; i++)
		free(loads->load[i].uri);
	free(loads);
}
