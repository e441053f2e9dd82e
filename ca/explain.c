#include "inner.h"

/* One request of the registry before its policy, rule by rule. */

/* As the registry is now: nobody has judged a draft yet. */
static enum err_code
explain_draft(const struct ca *ca, struct view *v, const struct request *r,
    int64_t now, struct arena *a, struct past *out, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct deed d = { .ca = ca, .v = v, .now = now, .a = a };
	struct issue s = { .d = &d, .req = *r };

	if (r->csr.len == 0)
		return err_at(e, ERR_INVALID, "request-csr-missing", NULL,
		    at_field("csr"),
		    "the request has no key yet; add the holder's PKCS #10 "
		    "request");
	TRY(institution_get(v, r->institution, a, &s.inst, e));
	TRY(person_get(v, r->institution, r->holder_run, a, &s.person, e));
	TRY(request_load(v, &s.req, "csr", a, e));
	TRY(csr_parse(s.req.csr, &scratch, &s.csr, e));
	TRY(find_policy(&s, e));
	take_facts(&s);
	*out = (struct past){
		.time = now,
		.request = r->id,
		.institution = r->institution,
		.holder_run = r->holder_run,
		.policy = r->policy,
		.policy_sha256 =
		    arena_copy(a, bytes_of(s.policy->sha256, SHA256_LEN)),
		.facts = s.facts,
		.urls = urls_of(s.issuer, 0, a),
	};
	return ERR_OK;
}

enum err_code
explain_find(const struct ca *ca, struct view *v, struct bytes id, int64_t now,
    struct arena *a, struct past *out, uint64_t *index, bool *in_log,
    struct err *e)
{
	struct request r;

	TRY(request_get(v, id, a, &r, e));
	*in_log = r.version > 0;
	if (!*in_log)
		return explain_draft(ca, v, &r, now, a, out, e);
	if (!past_index(r.serial, view_log_size(v), index))
		return past_bad_form("serial", e);
	return ERR_OK;
}

/* --- Policies out of rows ------------------------------------------------------ */

enum err_code
history_take_rows(struct history *h, struct view *v, struct arena *a,
    struct err *e)
{
	struct bytes prefix = ca_row_key(a, ROW_POLICY, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct policy_row row;
	bool found;

	for (;;) {
		TRY(view_next(v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		TRY(rec_decode(&rec_policy, value, &row, e));
		/* What was only proposed may have the name and version of
		 * what came into force with other bytes. */
		if (row.activated != 0)
			history_add(h, row.name, row.version, row.text);
		after = arena_copy(a, key);
	}
}

/* --- As JSON ---------------------------------------------------------------------- */

static void
write_verdict(struct jw *w, const struct policy *policy,
    const struct verdict *v, struct arena *a)
{
	const struct policy *of = v->at.of != NULL ? v->at.of : policy;

	jw_object(w);
	if (!v->passed) {
		jw_key(w, "args");
		jw_array(w);
		for (size_t i = 0; i < ERR_ARGS; i++)
			jw_str(w, bytes_str(v->err.arg[i]));
		jw_close(w, ']');
	}
	jw_member_str(w, "at",
	    bytes_str(v->at.line == 0
			  ? arena_printf(a, "%s@%lld", of->name,
				(long long)of->version)
			  : arena_printf(a, "%s@%lld:%u", of->name,
				(long long)of->version, (unsigned)v->at.line)));
	if (!v->passed)
		jw_member_str(w, "detail", sentence(a, v->err.say));
	jw_member_str(w, "fact", bytes_str(v->fact));
	if (!v->passed)
		jw_member_str(w, "id", bytes_str(v->err.id));
	jw_member_str(w, "rule", bytes_str(v->rule));
	jw_member_str(w, "verdict", bytes_str(v->passed ? "passed" : "failed"));
	jw_close(w, '}');
}

void
explain_write(const struct past *p, const struct policy *policy,
    struct verdicts *verdicts, struct arena *a, struct buf *out)
{
	struct cert_spec spec;
	struct jw w = jw_of(out);
	char when[TIME_TEXT];

	policy_evaluate(policy, &p->facts, a, &spec, verdicts);
	time_print(when, p->time);
	jw_object(&w);
	jw_member_str(&w, "as_of", bytes_str(when));
	jw_key(&w, "facts");
	past_write_facts(&w, p);
	jw_key(&w, "policy");
	jw_object(&w);
	jw_member_str(&w, "name", bytes_str(policy->name));
	jw_member_hex(&w, "sha256", bytes_of(policy->sha256, SHA256_LEN));
	jw_member_int(&w, "version", policy->version);
	jw_close(&w, '}');
	jw_member_str(&w, "request", p->request);
	jw_member_str(&w, "result",
	    bytes_str(verdicts->failed == 0 ? "accepted" : "refused"));
	jw_key(&w, "rules");
	jw_array(&w);
	for (size_t i = 0; i < verdicts->len; i++)
		write_verdict(&w, policy, &verdicts->v[i], a);
	jw_close(&w, ']');
	jw_close(&w, '}');
}
