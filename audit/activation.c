/* activation - what officers sign so that policies take effect. */
#include <string.h>

#include "statement.h"

#define TYPE "refrendo/policy-activation/v1"
#define ACT  "activate"

/* clang-format off */
static const char *const keys[] = {
	"act", "activation", "effective", "expires", "issued", "log", "origin",
	"policies", "proposed_by", "text_es", "type", NULL
};
static const char *const policy_keys[] = {
	"base", "name", "sha256", "version", NULL
};
static const char *const base_keys[] = { "name", "sha256", "version", NULL };
/* clang-format on */

/* --- Judgement, the same for what is printed and what is read -------------- */

static enum err_code
judge_name(const struct policy_name *p, struct err *e)
{
	NEED(statement_text(p->name, 1, ID_MAX), "policies.name");
	NEED(p->sha256.len == HASH_LEN, "policies.sha256");
	NEED(statement_version(p->version), "policies.version");
	return ERR_OK;
}

static enum err_code
judge(const struct activation_statement *s, struct err *e)
{
	NEED(statement_text(s->origin, 1, ORIGIN_MAX), "origin");
	NEED(s->id.len > 0 && ref_is_good(s->id), "activation");
	NEED(statement_run(s->proposed_by), "proposed_by");
	NEED(s->log_size < (UINT64_C(1) << 53), "log.size");
	NEED(s->log_root.len == HASH_LEN, "log.root");
	NEED(statement_text(s->text_es, 1, TEXT_MAX), "text_es");
	NEED(statement_time(s->issued), "issued");
	NEED(statement_time(s->expires) && s->expires > s->issued, "expires");
	NEED(statement_time(s->effective) && s->effective >= s->issued,
	    "effective");
	NEED(s->n > 0 && s->n <= ACTIVATION_FILES_MAX, "policies");
	for (size_t i = 0; i < s->n; i++) {
		TRY(judge_name(&s->policy[i].is, e));
		if (s->policy[i].base.name.len > 0)
			TRY(judge_name(&s->policy[i].base, e));
		/* Sorted, so that none stands there twice. */
		NEED(i == 0 || bytes_cmp(s->policy[i - 1].is.name,
				   s->policy[i].is.name) < 0,
		    "policies.name");
	}
	return ERR_OK;
}

/* --- Writing ---------------------------------------------------------------- */

static void
put_name(struct jw *w, const struct policy_name *p)
{
	jw_member_str(w, "name", p->name);
	jw_member_hex(w, "sha256", p->sha256);
	jw_member_int(w, "version", p->version);
}

static void
put_policies(struct jw *w, const struct activation_statement *s)
{
	jw_key(w, "policies");
	jw_array(w);
	for (size_t i = 0; i < s->n; i++) {
		jw_object(w);
		if (s->policy[i].base.name.len > 0) {
			jw_key(w, "base");
			jw_object(w);
			put_name(w, &s->policy[i].base);
			jw_close(w, '}');
		}
		put_name(w, &s->policy[i].is);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

enum err_code
activation_print(const struct activation_statement *s, struct buf *out,
    struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct jw w = jw_of(&text);

	TRY(judge(s, e));
	jw_object(&w);
	jw_member_str(&w, "act", bytes_str(ACT));
	jw_member_str(&w, "activation", s->id);
	jw_member_int(&w, "effective", s->effective);
	jw_member_int(&w, "expires", s->expires);
	jw_member_int(&w, "issued", s->issued);
	statement_put_log(&w, s->log_size, s->log_root);
	jw_member_str(&w, "origin", s->origin);
	put_policies(&w, s);
	jw_member_str(&w, "proposed_by", s->proposed_by);
	jw_member_str(&w, "text_es", s->text_es);
	jw_member_str(&w, "type", bytes_str(TYPE));
	jw_close(&w, '}');
	TRY(buf_end(&text, e));
	buf_put(out, text.p, text.len);
	return buf_end(out, e);
}

/* --- Reading ---------------------------------------------------------------- */

static void
get_name(struct json_obj o, struct arena *a, struct policy_name *out)
{
	out->name = statement_str(o, "name", a);
	out->sha256 = json_get_hex(o, "sha256", a);
	out->version = json_get_int(o, "version");
}

static void
get_policies(struct json_obj root, struct arena *a,
    struct activation_statement *s)
{
	size_t n = json_count(root, "policies");

	for (size_t i = 0; i < n && i < ACTIVATION_FILES_MAX; i++) {
		struct json_obj o = json_at_obj(root, "policies", i);
		json_only(o, policy_keys);
		get_name(o, a, &s->policy[i].is);
		if (!json_has(o, "base"))
			continue;
		struct json_obj base = json_get_obj(o, "base");
		json_only(base, base_keys);
		get_name(base, a, &s->policy[i].base);
		/* A base without a name would be printed as none. */
		if (s->policy[i].base.name.len == 0)
			s->policy[i].is.name = BYTES_NONE;
	}
	s->n = n;
}

bool
statement_is_activation(struct bytes in)
{
	return statement_is(in, TYPE);
}

enum err_code
activation_parse(struct bytes in, struct arena *a,
    struct activation_statement *out, struct err *e)
{
	AUTO(json) j = NULL;
	struct activation_statement s = { .n = 0 };
	bool bad = false;

	TRY(statement_load(in, &j, e));
	struct json_obj root = json_root(j, &bad, e);
	TRY(statement_must_be(root, TYPE, ACT, e));
	json_only(root, keys);
	s.id = statement_str(root, "activation", a);
	s.effective = json_get_int(root, "effective");
	s.expires = json_get_int(root, "expires");
	s.issued = json_get_int(root, "issued");
	statement_get_log(root, a, &s.log_size, &s.log_root);
	s.origin = statement_str(root, "origin", a);
	get_policies(root, a, &s);
	s.proposed_by = statement_str(root, "proposed_by", a);
	s.text_es = statement_str(root, "text_es", a);
	if (bad)
		return ERR_INVALID;
	TRY(judge(&s, e));
	*out = s;
	return ERR_OK;
}
