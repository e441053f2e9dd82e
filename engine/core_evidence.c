/*
 * Evidence: the signature under an endorsement must be checked before its
 * intent is written, and the signer must check it before it signs.  So that
 * it is checked once, core asks the signer first, and takes its word as
 * proven.  Without the signer, or without its word, the prover checks it.
 */
#include "core.h"

#define ASK_MAX_MS 2000 /* a signer that hangs holds back nothing for longer */

static void
hand_on(struct core *c, struct job *j)
{
	TAILQ_REMOVE(&c->asking, j, link);
	prover_push(c, j);
}

/*
 * Keeps the statement that the evidence of this command is about, if any.  A
 * front may send more than evidence ever has: the signer must not meet it.
 */
static bool
has_evidence(struct core *c, struct job *j, struct command *command)
{
	struct err e;

	if (command_decode(buf_bytes(&j->body), command, &e) != ERR_OK ||
	    command->f[CF_CMS].len == 0 ||
	    command->f[CF_CMS].len > CMS_MAX_BYTES)
		return false;
	struct view *v = core_view(c);
	if (v == NULL)
		return false;
	struct bytes statement = ca_statement(v, command, c->arena);
	buf_put(&j->statement, statement.p, statement.len);
	return statement.len > 0 && !j->statement.failed;
}

void
evidence_command(struct core *c, struct job *j)
{
	struct command command;
	struct err e;

	c->jobs_out++;
	if (command_decode(buf_bytes(&j->body), &command, &e) == ERR_OK &&
	    command.act == ACT_CA_CREATE) {
		create_command(c, j, &command);
		return;
	}
	if (c->signer_ready && has_evidence(c, j, &command)) {
		struct signer_evidence m = { .statement =
						 buf_bytes(&j->statement),
			.evidence = command.f[CF_CMS] };
		struct buf body AUTO_BUF = BUF(131072);
		signer_evidence_encode(&m, &body);
		j->since_ms = clock_mono_ms();
		j->asked = ++c->next_id;
		TAILQ_INSERT_TAIL(&c->asking, j, link);
		peer_send(c->signer, SIGNER_EVIDENCE, j->asked,
		    buf_bytes(&body));
		return;
	}
	prover_push(c, j);
}

void
evidence_answer(struct core *c, const struct frame *f)
{
	struct command command;
	struct err e;
	struct job *j = TAILQ_FIRST(&c->asking);

	/* In the order of the questions; what was handed on is not there. */
	while (j != NULL && j->asked != f->id)
		j = TAILQ_NEXT(j, link);
	if (j == NULL)
		return;
	if ((f->type & SIGNER_REFUSAL) == 0 &&
	    command_decode(buf_bytes(&j->body), &command, &e) == ERR_OK)
		ca_vouch(&c->vouching, &command, buf_bytes(&j->statement));
	/* Refused: the decision finds the fault too, and says which. */
	TAILQ_REMOVE(&c->asking, j, link);
	writer_queue(c, j);
}

void
evidence_abandon(struct core *c)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&c->asking)) != NULL)
		hand_on(c, j);
}

void
evidence_late(struct core *c)
{
	struct job *j;
	int64_t now = clock_mono_ms();

	while ((j = TAILQ_FIRST(&c->asking)) != NULL &&
	       now - j->since_ms > ASK_MAX_MS)
		hand_on(c, j);
}
