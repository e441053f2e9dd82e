#include <string.h>

#include "inner.h"

/* Which policies are in force: the log says so, and nothing else. */

static enum err_code
too_many(struct err *e)
{
	return err_say(e, ERR_DENIED, "policy-too-many",
	    "there would be more than 64 policies in force, the most that are "
	    "read");
}

static bool
is_replaced(struct bytes name, const struct policy_file *more, size_t n)
{
	char own[POLICY_NAME_MAX];

	for (size_t i = 0; i < n; i++)
		if (policy_name_of(more[i].text, own) && bytes_is(name, own))
			return true;
	return false;
}

enum err_code
policies_texts(struct view *v, const struct policy_file *more, size_t n_more,
    struct arena *a, struct policy_file file[POLICIES_MAX], size_t *n,
    struct err *e)
{
	struct bytes prefix = ca_row_key(a, ROW_IN_FORCE, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct in_force_row in_force;
	struct policy_row row;
	bool found;

	for (*n = 0; *n < n_more; (*n)++)
		file[*n] = more[*n];
	for (;;) {
		TRY(view_next(v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(a, key);
		TRY(rec_decode(&rec_in_force, arena_copy(a, value), &in_force,
		    e));
		if (is_replaced(in_force.name, more, n_more))
			continue;
		TRY(rec_get(v, &rec_policy,
		    ca_row_key(a, ROW_POLICY, in_force.sha256), a, &row, &found,
		    e));
		if (!found)
			return err_say(e, ERR_CORRUPT, "policy-text-missing",
			    "the ledger lacks the text of the policy %s",
			    arena_str(a, in_force.name));
		if (*n == POLICIES_MAX)
			return too_many(e);
		file[(*n)++] = (struct policy_file){
			.name = arena_str(a, in_force.name),
			.text = row.text,
		};
	}
}

/* A mistake is in this file, which takes with it what extends it. */
static bool
is_faulty(const struct policy_file *file, const struct findings *f)
{
	for (size_t i = 0; i < f->len; i++)
		if (!f->v[i].is_warning &&
		    strncmp(f->v[i].err.where.file, file->name,
			sizeof(f->v[i].err.where.file) - 1) == 0)
			return true;
	return false;
}

enum err_code
ca_policies_in_force(struct view *v, const struct ceilings *ceilings,
    struct arena *a, struct policy_set **out, struct err *e)
{
	struct policy_file file[POLICIES_MAX];
	size_t n, kept = 0;

	TRY(policies_texts(v, NULL, 0, a, file, &n, e));
	for (;; n = kept) {
		struct findings findings = { NULL, 0, 0 };
		policy_load(file, n, ceilings, out, &findings);
		kept = 0;
		for (size_t i = 0; i < n; i++) {
			if (is_faulty(&file[i], &findings))
				log_error("policy-unusable", "policy=%s",
				    file[i].name);
			else
				file[kept++] = file[i];
		}
		bool good = findings.errors == 0;
		findings_fini(&findings);
		if (good)
			return ERR_OK;
		if (kept == n)
			return err_say(e, ERR_INVALID, "core-policies",
			    "the policies in force do not load together; see "
			    "refrendo policy check");
	}
}

/* What the first mistake says; how many more there are is for the log. */
static enum err_code
first_mistake(const struct findings *f, struct err *e)
{
	for (size_t i = 0; i < f->len; i++) {
		if (f->v[i].is_warning)
			continue;
		*e = f->v[i].err;
		return err_why(e, "%zu mistakes in all", f->errors);
	}
	return err_say(e, ERR_INVALID, "policy-files-bad",
	    "the files have mistakes; refrendo policy check shows them");
}

/* A version only rises, and stands for one text. */
static enum err_code
judge_version(struct deed *d, const struct policy *p, struct err *e)
{
	struct in_force_row old;
	bool found;

	TRY(rec_get(d->v, &rec_in_force,
	    ca_row_key(d->a, ROW_IN_FORCE, bytes_str(p->name)), d->a, &old,
	    &found, e));
	if (!found || p->version > old.version)
		return ERR_OK;
	if (bytes_eq(old.sha256, bytes_of(p->sha256, SHA256_LEN)))
		return err_say(e, ERR_CONFLICT, "policy-in-force",
		    "the policy %s is in force with these very bytes; there is "
		    "nothing to activate",
		    p->name);
	return err_say(e, ERR_CONFLICT, "policy-version-behind",
	    "the policy %s was changed but its version did not rise above the "
	    "one in force; raise it",
	    p->name);
}

enum err_code
policies_judge(struct deed *d, const struct policy_file *more, size_t n_more,
    struct policy_set **out, struct err *e)
{
	struct policy_file file[POLICIES_MAX];
	struct findings findings = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;
	size_t n;

	TRY(policies_texts(d->v, more, n_more, d->a, file, &n, e));
	policy_load(file, n, d->ca->ceilings, &set, &findings);
	enum err_code code = set == NULL ? first_mistake(&findings, e) : ERR_OK;
	findings_fini(&findings);
	TRY(code);
	for (size_t i = 0; i < n_more; i++)
		TRY(judge_version(d, &set->policy[i], e));
	*out = TAKE(set);
	return ERR_OK;
}
