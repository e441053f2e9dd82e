/*
 * core_create - a CA whose key the signer makes: it is asked for the key first,
 * unless the act would be refused anyway, so that nobody fills its file who may
 * not make a CA; then the act is decided on with the request that it gave.
 */
#include "core.h"

#define CREATE_MAX_MS 60000 /* RSA takes seconds */

static void
hand_on(struct core *c, struct job *j)
{
	TAILQ_REMOVE(&c->creating, j, link);
	writer_queue(c, j);
}

static bool
takes_a_key(struct core *c, const struct command *command,
    struct signer_ca_key *m)
{
	struct bytes word = command->f[CF_KEY_TYPE];
	enum key_type type = KEY_EC_P256;
	struct view *v = core_view(c);
	struct err e;
	if (v == NULL || !c->signer_ready ||
	    ca_may_create(&c->vouching, v, command, clock_now(), c->arena,
		&e) != ERR_OK)
		return false;
	/* One that nobody knows is refused by the signer. */
	if (word.len > 0 && !key_type_parse(word, &type))
		type = KEY_TYPES;
	*m = (struct signer_ca_key){ command->f[CF_NAME], type };
	return true;
}

void
create_command(struct core *c, struct job *j, const struct command *command)
{
	struct buf body AUTO_BUF = BUF(1024);
	struct signer_ca_key m;
	if (!takes_a_key(c, command, &m)) {
		/* The decision finds the reason too, and says it. */
		writer_queue(c, j);
		return;
	}
	signer_ca_key_encode(&m, &body);
	j->since_ms = clock_mono_ms();
	j->asked = ++c->next_id;
	TAILQ_INSERT_TAIL(&c->creating, j, link);
	peer_send(c->signer, SIGNER_CA_KEY, j->asked, buf_bytes(&body));
}

void
create_answer(struct core *c, const struct frame *f)
{
	struct job *j = TAILQ_FIRST(&c->creating);
	struct err e;
	while (j != NULL && j->asked != f->id)
		j = TAILQ_NEXT(j, link);
	if (j == NULL)
		return;
	if ((f->type & SIGNER_REFUSAL) == 0)
		buf_put(&j->csr, f->body.p, f->body.len);
	else if (err_decode(f->body, c->arena, &j->refusal, &e) == ERR_OK)
		job_keep_refusal(j);
	hand_on(c, j);
}

/* Without a key the decision says that the signer is away. */
void
create_abandon(struct core *c)
{
	struct job *j;
	while ((j = TAILQ_FIRST(&c->creating)) != NULL)
		hand_on(c, j);
}

void
create_late(struct core *c)
{
	struct job *j;
	int64_t now = clock_mono_ms();
	while ((j = TAILQ_FIRST(&c->creating)) != NULL &&
	       now - j->since_ms > CREATE_MAX_MS)
		hand_on(c, j);
}
