#include <stdlib.h>
#include <string.h>

#include "inner.h"

/*
 * Policies take effect when enough platform officers have signed what exactly
 * takes effect and when, all files together.
 */

#define FUTURE_MAX (366 * DAY)

/* --- Propose ------------------------------------------------------------------ */

struct proposal {
	struct deed *d;
	struct policy_file file[ACTIVATION_FILES_MAX];
	size_t n;
	const struct policy *policy[ACTIVATION_FILES_MAX]; /* sorted by name */
	struct agreement_row ac;
};

static void
take_files(struct proposal *p)
{
	struct reader r = reader_of(field(p->d, CF_FILES));

	/* command_check() has seen that they are as many as may be. */
	while (p->n < ACTIVATION_FILES_MAX && r.p < r.end) {
		p->file[p->n].text = get_bytes(&r);
		p->file[p->n].name =
		    arena_printf(p->d->a, "file %zu", p->n + 1);
		p->n++;
	}
}

static enum err_code
take_time(struct proposal *p, struct err *e)
{
	struct deed *d = p->d;
	struct agreement_row *ac = &p->ac;

	ac->effective = d->now;
	if (field(d, CF_FROM).len > 0)
		(void)!time_parse(field(d, CF_FROM), &ac->effective);
	if (ac->effective < d->now)
		return err_at(e, ERR_DENIED, "activation-past", NULL,
		    at_field("from"),
		    "policies take effect now or later, not in the past; leave "
		    "the date out for now");
	if (ac->effective > d->now + FUTURE_MAX)
		return err_at(e, ERR_DENIED, "activation-far", NULL,
		    at_field("from"),
		    "policies can be activated for a date within a year; name "
		    "an earlier one");
	return ERR_OK;
}

static int
by_name(const void *a, const void *b)
{
	const struct policy *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static struct policy_name
name_of(const struct policy *p)
{
	return (struct policy_name){ bytes_str(p->name),
		bytes_of(p->sha256, SHA256_LEN), p->version };
}

/* "funcionario-firma v8, estado-base v2" */
static const char *
names_text(const struct proposal *p, const char *between)
{
	const char *text = "";

	for (size_t i = 0; i < p->n; i++)
		text = arena_printf(p->d->a, "%s%s%s v%lld", text,
		    i > 0 ? between : "", p->policy[i]->name,
		    (long long)p->policy[i]->version);
	return text;
}

static enum err_code
put_statement(struct proposal *p, struct buf *out, struct err *e)
{
	struct deed *d = p->d;
	const struct agreement_row *ac = &p->ac;
	struct buf words AUTO_BUF = BUF(STATEMENT_MAX);
	uint8_t *root = arena_get(d->a, HASH_LEN);

	TRY(view_log_root(d->v, root, e));
	struct activation_statement st = {
		.origin = d->ca->origin,
		.id = ac->id,
		.n = p->n,
		.effective = ac->effective,
		.proposed_by = ac->proposed_by,
		.log_size = view_log_size(d->v),
		.log_root = bytes_of(root, HASH_LEN),
		.issued = d->now,
		.expires = ac->expires,
	};
	for (size_t i = 0; i < p->n; i++) {
		st.policy[i].is = name_of(p->policy[i]);
		if (p->policy[i]->extends != NULL)
			st.policy[i].base = name_of(p->policy[i]->extends);
	}
	activation_in_words(&st, true, &words);
	st.text_es = buf_bytes(&words);
	return activation_print(&st, out, e);
}

static enum err_code
draft_proposed_policies(struct proposal *p, struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct pen pen AUTO_PEN = { .draft = NULL };

	TRY(put_statement(p, &text, e));
	pen_agreement(&pen, p->d, ENTRY_POLICY_PROPOSED, &p->ac);
	jw_key(&pen.w, "policies");
	jw_array(&pen.w);
	for (size_t i = 0; i < p->n; i++) {
		jw_object(&pen.w);
		jw_member_str(&pen.w, "name", bytes_str(p->policy[i]->name));
		jw_member_base64(&pen.w, "text", p->policy[i]->text);
		jw_member_int(&pen.w, "version", p->policy[i]->version);
		jw_close(&pen.w, '}');
	}
	jw_close(&pen.w, ']');
	jw_key(&pen.w, "proposal");
	rec_write(&pen.w, &rec_activation, &p->ac, false);
	jw_member_str(&pen.w, "statement", buf_bytes(&text));
	return pen_end(&pen, p->d->a, e);
}

enum err_code
act_policy_propose(struct deed *d, struct err *e)
{
	struct proposal p = { .d = d };
	AUTO(policy_set) set = NULL;

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	take_files(&p);
	TRY(policies_judge(d, p.file, p.n, &set, e));
	for (size_t i = 0; i < p.n; i++)
		p.policy[i] = &set->policy[i];
	qsort(p.policy, p.n, sizeof(p.policy[0]), by_name);
	TRY(take_time(&p, e));
	TRY(id_new(d, "POL", &p.ac.id, e));
	p.ac.proposed_by = d->run;
	p.ac.proposed = d->now;
	p.ac.expires = d->now + d->ca->ceilings->statement_max_s;
	TRY(quorum_of(d, false, &p.ac.needed, e));
	p.ac.policies = bytes_str(names_text(&p, " "));
	p.ac.reason = field(d, CF_REASON);
	return draft_proposed_policies(&p, e);
}

/* --- Take effect ---------------------------------------------------------------- */

/* The files of an activation, from the texts that the log keeps. */
static enum err_code
stored_files(struct deed *d, const struct agreement_row *ac,
    struct policy_file file[ACTIVATION_FILES_MAX], size_t *n, struct err *e)
{
	struct activation_statement st;
	struct policy_row row;
	bool found;

	TRY(activation_parse(ac->statement, d->a, &st, e));
	for (*n = 0; *n < st.n; (*n)++) {
		TRY(rec_get(d->v, &rec_policy,
		    ca_row_key(d->a, ROW_POLICY, st.policy[*n].is.sha256), d->a,
		    &row, &found, e));
		if (!found)
			return err_say(e, ERR_CORRUPT, "policy-text-missing",
			    "the ledger lacks the text of the policy %s",
			    arena_str(d->a, st.policy[*n].is.name));
		file[*n] = (struct policy_file){
			.name = arena_str(d->a, st.policy[*n].is.name),
			.text = row.text,
		};
	}
	return ERR_OK;
}

enum err_code
draft_activated(struct deed *d, const struct policy *p, struct bytes activation,
    struct err *e)
{
	struct pen pen AUTO_PEN = { .draft = NULL };

	pen_begin(&pen, d, ENTRY_POLICY_ACTIVATED);
	pen.draft->refs.policy =
	    arena_copy(d->a, bytes_of(p->sha256, SHA256_LEN));
	pen.draft->refs.request = activation;
	jw_member_str(&pen.w, "name", bytes_str(p->name));
	if (!p->base)
		jw_member_int(&pen.w, "renew_window", p->renew_window_s);
	jw_member_base64(&pen.w, "text", p->text);
	jw_member_int(&pen.w, "version", p->version);
	return pen_end(&pen, d->a, e);
}

/* Behind the last officer's signature, each its entry. */
_Static_assert(ACTIVATION_FILES_MAX < DRAFTS_MAX,
    "an activation must fit a decision");

/*
 * All files or none.  What does not load any more, because another activation
 * came first or the ceilings were lowered, leaves everything as it is.
 */
enum err_code
activation_follow(struct deed *d, const struct agreement_row *ac, struct err *e)
{
	struct policy_file file[ACTIVATION_FILES_MAX];
	AUTO(policy_set) set = NULL;
	size_t n;

	TRY(stored_files(d, ac, file, &n, e));
	/* Nothing else may wait for ever. */
	if (policies_judge(d, file, n, &set, e) != ERR_OK)
		return agreement_fails_by(d, ROW_ACTIVATION, ac, e);
	d->out->object = ca_row_key(d->a, ROW_ACTIVATION, ac->id);
	for (size_t i = 0; i < n; i++)
		TRY(draft_activated(d, &set->policy[i], ac->id, e));
	return ERR_OK;
}
