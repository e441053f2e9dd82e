/*
 * The prover: a thread in front of the writer, in whose time the signatures
 * of requests, of evidence and of new certificates are checked.  The writer
 * checks the same and finds it proven; a signature that is not right, or that
 * was forgotten, costs the writer its own check and nothing else.
 */
#include "core.h"

#define PROOFS 4096 /* signatures remembered: several groups of jobs */

enum err_code
prover_open(struct core *c, struct err *e)
{
	TRY(proofs_new(PROOFS, &c->proofs, e));
	verifier_share(c->ca.verifier, c->proofs);
	c->prover.ca = c->ca;
	c->prover.ca.policies = NULL; /* they change while it works */
	TRY(verifier_new(&c->prover.ca.verifier, e));
	verifier_share(c->prover.ca.verifier, c->proofs);
	c->vouching = c->prover.ca;
	TRY(verifier_new(&c->vouching.verifier, e));
	verifier_share(c->vouching.verifier, c->proofs);
	return ERR_OK;
}

static void
prove_command(struct core *c, struct job *j, struct arena *a)
{
	struct view *v = NULL;
	struct command command;
	struct err e;

	if (command_decode(buf_bytes(&j->body), &command, &e) != ERR_OK)
		return;
	if (command.f[CF_CMS].len > 0 &&
	    store_begin(c->store, false, &v, &e) != ERR_OK)
		return;
	ca_prove_command(&c->prover.ca, v, &command, a);
	view_abort(v);
}

static void
prove(struct core *c, struct job *j, struct arena *a)
{
	if (j->kind == JOB_COMMAND)
		prove_command(c, j, a);
	else if (j->kind == JOB_SIGNED && !j->is_refused)
		ca_prove_signed(&c->prover.ca, buf_bytes(&j->body));
	arena_reset(a);
}

static void *
prover_main(void *arg)
{
	struct core *c = arg;
	AUTO(arena) a = arena_new();
	for (;;) {
		pthread_mutex_lock(&c->prover.lock);
		while (TAILQ_EMPTY(&c->prover.waiting) && !c->prover.ends)
			pthread_cond_wait(&c->prover.wake, &c->prover.lock);
		struct job *j = TAILQ_FIRST(&c->prover.waiting);
		if (j != NULL)
			TAILQ_REMOVE(&c->prover.waiting, j, link);
		pthread_mutex_unlock(&c->prover.lock);
		if (j == NULL)
			return NULL;
		prove(c, j, a);
		writer_queue(c, j);
	}
}

void
prover_start(struct core *c)
{
	TAILQ_INIT(&c->prover.waiting);
	pthread_mutex_init(&c->prover.lock, NULL);
	pthread_cond_init(&c->prover.wake, NULL);
	if (pthread_create(&c->prover.thread, NULL, prover_main, c) != 0)
		fatal("the prover thread cannot be started");
}

void
prover_push(struct core *c, struct job *j)
{
	pthread_mutex_lock(&c->prover.lock);
	TAILQ_INSERT_TAIL(&c->prover.waiting, j, link);
	pthread_cond_signal(&c->prover.wake);
	pthread_mutex_unlock(&c->prover.lock);
}

void
prover_stop(struct core *c)
{
	pthread_mutex_lock(&c->prover.lock);
	c->prover.ends = true;
	pthread_cond_signal(&c->prover.wake);
	pthread_mutex_unlock(&c->prover.lock);
	pthread_join(c->prover.thread, NULL);
}

void
prover_close(struct core *c)
{
	verifier_free(c->prover.ca.verifier);
	verifier_free(c->vouching.verifier);
	proofs_free(c->proofs);
}
