#include "verify.h"

#include <string.h>

/* What officers agreed on, whatever it is: proposed, endorsed by each, and
 * then done, withdrawn or lapsed. */

enum err_code
agreed_out_of_order(struct audit *a, struct err *e)
{
	return err_say(e, ERR_INVALID, "audit-agreement-order",
	    "entry %s: what officers agree on is proposed, endorsed, and then "
	    "done, withdrawn or lapsed, in this order",
	    a->at);
}

static struct agreement_noted *
find(struct audit *a, const struct entry *en)
{
	uint32_t at = map_get(&a->map, MAP_AGREEMENT, en->refs.request);

	return at == NONE ? NULL : &a->agreement[at];
}

enum err_code
open_agreement(struct audit *a, const struct entry *en,
    struct agreement_noted **out, struct err *e)
{
	*out = find(a, en);
	return *out == NULL || (*out)->closed ? agreed_out_of_order(a, e)
					      : ERR_OK;
}

enum err_code
note_agreement(struct audit *a, const struct entry *en, struct json_obj d,
    struct agreement_noted **out, struct bytes *statement, struct err *e)
{
	if (find(a, en) != NULL)
		return agreed_out_of_order(a, e);
	a->agreement = grow(a->agreement, a->n_agreement, &a->size_agreement,
	    sizeof(*a->agreement));
	struct agreement_noted *p = &a->agreement[a->n_agreement];
	*p = (struct agreement_noted){ .erased = a->erased,
		.people = a->people,
		.top = (uint32_t)a->n_top,
		.statement = BUF(STATEMENT_MAX) };
	map_put(&a->map, MAP_AGREEMENT, en->refs.request,
	    (uint32_t)a->n_agreement++);
	*out = p;
	if (a->erased)
		return ERR_OK;
	*statement = json_get_str(d, "statement");
	TRY(detail_end(a, e));
	buf_put(&p->statement, statement->p, statement->len);
	return ERR_OK;
}

void
close_agreement(struct agreement_noted *p)
{
	p->closed = true;
	buf_fini(&p->statement);
}

bool
has_quorum(const struct audit *a, const struct agreement_noted *p)
{
	return p->agreed || a->any_people;
}

static enum err_code
judge_officer(struct audit *a, struct json_obj d, struct agreement_noted *p,
    const struct cms *c, struct err *e)
{
	/* A log of before quorums has none. */
	int64_t need = a->policy_quorum > 0 ? a->policy_quorum : 1;
	struct bytes run = json_get_str(d, "officer");
	uint8_t key[HASH_LEN];

	TRY(detail_end(a, e));
	sha256(key, c->signer.spki);
	/* What was proposed to other officers is proposed anew. */
	for (size_t i = 0; p->people == a->people && i < a->n_officer; i++) {
		uint64_t bit = UINT64_C(1) << i;
		if (!bytes_is(run, a->officer[i].run) ||
		    memcmp(key, a->officer[i].key, HASH_LEN) != 0 ||
		    (p->signed_by & bit) != 0)
			continue;
		p->signed_by |= bit;
		p->agreed = __builtin_popcountll(p->signed_by) >= need;
		return ERR_OK;
	}
	if (a->any_people)
		return ERR_OK;
	return err_say(e, ERR_INVALID, "audit-agreement-officer",
	    "entry %s: the signature is by no officer of this log, or by one "
	    "who has signed the same already",
	    a->at);
}

enum err_code
judge_agreement_endorsed(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e)
{
	struct agreement_noted *p;
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct err below = { .code = ERR_OK };
	struct cms c;

	TRY(open_agreement(a, en, &p, e));
	if (p->done > 0)
		return agreed_out_of_order(a, e);
	p->erased = p->erased || a->erased;
	if (p->erased)
		return ERR_OK;
	struct bytes der = json_get_base64(d, "evidence", a->arena);
	TRY(detail_end(a, e));
	if (cms_parse(der, &scratch, &c, &below) != ERR_OK ||
	    cms_verify(&c, buf_bytes(&p->statement), a->v, &below) != ERR_OK)
		return fault_below(a, &below, e);
	if (en->time < p->issued || en->time > p->expires)
		return err_say(e, ERR_INVALID, "audit-expired",
		    "entry %s: the statement was not valid when its signature "
		    "was brought",
		    a->at);
	return judge_officer(a, d, p, &c, e);
}

enum err_code
judge_agreement_closed(struct audit *a, const struct entry *en,
    struct json_obj d, struct err *e)
{
	struct agreement_noted *p;

	(void)d;
	TRY(open_agreement(a, en, &p, e));
	if (p->done > 0)
		return agreed_out_of_order(a, e);
	close_agreement(p);
	return ERR_OK;
}
