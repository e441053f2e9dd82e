/*
 * evaluate - one request against one policy: each rule in order with its
 * verdict, and the certificate that results when all pass.
 */
#include "internal.h"

#define VALUE_MAX 512 /* octets of one fact */

struct judge {
	const struct policy *p;
	const struct policy_facts *facts;
	struct expr_env env;
	struct arena *arena;
	struct verdicts *out;
	struct cert_spec *spec; /* copied out when nothing failed */
	bool facts_bad;
	bool quick; /* verdicts that pass need no fact */
};

static struct verdict *
verdict_add(struct judge *j, const char *rule, struct place at,
    struct bytes fact)
{
	struct verdict *v;
	size_t len = fact.len;

	if (j->out->len == VERDICTS_MAX)
		fatal("more rules than room for verdicts");
	v = &j->out->v[j->out->len++];
	v->rule = rule;
	v->passed = true;
	v->at = at;
	/* Only what was found clean comes here; it may be cut. */
	if (len >= sizeof(v->fact)) {
		len = sizeof(v->fact) - 1;
		while (len > 0 && (fact.p[len] & 0xc0) == 0x80)
			len--;
	}
	if (len > 0)
		memcpy(v->fact, fact.p, len);
	v->fact[len] = '\0';
	return v;
}

static void
pass(struct judge *j, const char *rule, struct place at, struct bytes fact)
{
	(void)verdict_add(j, rule, at, fact);
}

static void
fail(struct judge *j, const char *rule, struct place at, struct bytes fact,
    const struct err *e)
{
	struct verdict *v = verdict_add(j, rule, at, fact);

	v->passed = false;
	v->err = *e;
	j->out->failed++;
}

/* --- Facts ------------------------------------------------------------------------- */

static enum err_code
judge_run(struct bytes run, struct err *e)
{
	char stored[RUN_TEXT];

	TRY(run_parse(run, stored, e));
	if (bytes_is(run, stored))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "policy-run-stored", "DS 181/2002",
	    NOWHERE,
	    "certificates hold a RUN or RUT as %s: without dots, "
	    "spaces or leading zeros",
	    stored);
}

static enum err_code
judge_fact(const struct used_fact *u, struct bytes fact, struct err *e)
{
	const char *name = u->rule;

	if (fact.len == 0)
		return err_at(e, ERR_DENIED, "policy-fact-missing", NULL,
		    at_field(name),
		    "%s is not known, and this policy puts it into the "
		    "certificate; register it first",
		    name);
	if (fact.len > VALUE_MAX || !utf8_valid(fact) || !text_clean(fact))
		return err_at(e, ERR_INVALID, "policy-fact-text", NULL,
		    at_field(name),
		    "%s is too long, or holds characters that nobody can see; "
		    "register it again",
		    name);
	if (u->fact == FACT_PERSON_EMAIL)
		TRY(email_check(fact, e));
	if (u->fact == FACT_PERSON_RUN || u->fact == FACT_INSTITUTION_RUT)
		TRY(judge_run(fact, e));
	return ERR_OK;
}

static void
judge_facts(struct judge *j)
{
	for (size_t i = 0; i < j->p->n_use; i++) {
		const struct used_fact *u = &j->p->use[i];
		const struct tmpl_part part = { u->fact, u->attribute };
		struct bytes fact = tmpl_fact(&part, j->facts);
		struct err e;

		if (judge_fact(u, fact, &e) == ERR_OK) {
			pass(j, u->rule, u->at, fact);
			continue;
		}
		e.where = at_field(u->rule);
		/* What is broken is not shown: it may not even be text. */
		fail(j, u->rule, u->at, BYTES_NONE, &e);
		j->facts_bad = true;
	}
}

/* --- Holders and conditions ----------------------------------------------------------- */

static void
judge_kind(struct judge *j)
{
	enum person_kind kind = j->facts->person_kind;
	struct place at = j->p->rule[RULE_HOLDER_KINDS];
	const char *name = person_kind_name(kind);
	char list[120];
	struct err e;

	if (j->p->person_kinds == 0)
		return;
	if (kind < PERSON_KINDS && (j->p->person_kinds >> kind & 1) != 0) {
		pass(j, "holders.kinds", at, bytes_str(name));
		return;
	}
	words_of_bits(holder_person_words, j->p->person_kinds, list,
	    sizeof(list));
	err_at(&e, ERR_DENIED, "policy-holder-kind", NULL, at_field("kind"),
	    "this policy is for %s; the person is registered as %s", list,
	    name[0] != '\0' ? name : "neither");
	fail(j, "holders.kinds", at, bytes_str(name), &e);
}

static void
judge_institution(struct judge *j)
{
	enum institution_kind kind = j->facts->institution_kind;
	struct place at = j->p->rule[RULE_HOLDER_INSTITUTIONS];
	const char *name = institution_kind_name(kind);
	char list[120];
	struct err e;

	if (j->p->institution_kinds == 0)
		return;
	if (kind < INSTITUTION_KINDS &&
	    (j->p->institution_kinds >> kind & 1) != 0) {
		pass(j, "holders.institutions", at, bytes_str(name));
		return;
	}
	words_of_bits(holder_institution_words, j->p->institution_kinds, list,
	    sizeof(list));
	err_at(&e, ERR_DENIED, "policy-holder-institution", NULL,
	    at_field("kind"),
	    "this policy is for institutions of the kind %s; this one is "
	    "registered as %s",
	    list, name[0] != '\0' ? name : "none of them");
	fail(j, "holders.institutions", at, bytes_str(name), &e);
}

/* The text of a policy, with its Spanish cut into the arguments. */
static void
condition_err(const struct policy_condition *c, struct err *e)
{
	struct bytes rest = c->es;

	err_at(e, ERR_DENIED, "policy-condition", NULL, at_field("policy"),
	    "%s", "");
	snprintf(e->say, sizeof(e->say), "%.*s", BYTES_FMT(c->say));
	for (size_t i = 0; i < ERR_ARGS; i++) {
		size_t len = rest.len;

		if (len >= sizeof(e->arg[i])) {
			len = sizeof(e->arg[i]) - 1;
			while (len > 0 && (rest.p[len] & 0xc0) == 0x80)
				len--;
		}
		if (len > 0)
			memcpy(e->arg[i], rest.p, len);
		e->arg[i][len] = '\0';
		rest = bytes_of(rest.p + len, rest.len - len);
	}
}

/* Holder's conditions, whose text is the reason, or those with a sentence. */
static void
judge_conditions(struct judge *j, const char *rule,
    const struct policy_condition *c, size_t n)
{
	for (size_t i = 0; i < n; i++, c++) {
		bool passed = expr_true(c->expr, &j->env);
		struct buf facts AUTO_BUF = BUF(4096);
		struct err e;

		if (passed) {
			pass(j, rule, c->at, c->text);
			continue;
		}
		if (c->say.len > 0)
			condition_err(c, &e);
		else
			err_at(&e, ERR_DENIED, "policy-holder-when", NULL,
			    at_field("policy"),
			    "this policy is for holders for whom this is true: "
			    "%s",
			    arena_str(j->arena, c->text));
		expr_facts(&facts, c->expr, &j->env);
		fail(j, rule, c->at, buf_bytes(&facts), &e);
	}
}

/* --- Key and time -------------------------------------------------------------------- */

static void
judge_key(struct judge *j)
{
	enum key_type type = j->facts->key;
	const char *name = type < KEY_TYPES ? key_type_name(type) : "unknown";
	struct place at = j->p->rule[RULE_KEYS];
	char list[64];
	struct err e;

	if (type < KEY_TYPES && (j->p->keys >> type & 1) != 0) {
		pass(j, "keys.allowed", at, bytes_str(name));
		return;
	}
	words_of_bits(key_words, j->p->keys, list, sizeof(list));
	err_at(&e, ERR_DENIED, "policy-key-type", NULL, at_field("key"),
	    "the key is %s; this policy allows %s", name, list);
	fail(j, "keys.allowed", at, bytes_str(name), &e);
}

static void
judge_validity(struct judge *j)
{
	const struct policy *p = j->p;
	int64_t life = j->env.validity_s;
	struct place at = p->rule[j->facts->asked_s == 0 ? RULE_VALIDITY_DEFAULT
							 : RULE_VALIDITY_MAX];
	char got[24] = "", max[24];
	struct err e;

	if (life >= HOUR && life <= p->max_s) {
		j->spec->not_before = j->facts->now - p->backdate_s;
		/* Both ends count: RFC 5280 4.1.2.5. */
		j->spec->not_after = j->spec->not_before + life - 1;
		if (!j->quick)
			duration_print(got, life);
		pass(j, "validity.max", at, bytes_str(got));
		return;
	}
	duration_print(got, life);
	duration_print(max, p->max_s);
	if (life < HOUR)
		err_at(&e, ERR_DENIED, "policy-validity-short", NULL,
		    at_field("validity"),
		    "a validity of %s is shorter than an hour; ask for 1h to "
		    "%s",
		    got, max);
	else
		err_at(&e, ERR_DENIED, "policy-validity-long",
		    "Ley 19.799 art. 16", at_field("validity"),
		    "a validity of %s is longer than the %s that this policy "
		    "allows",
		    got, max);
	fail(j, "validity.max", at, bytes_str(got), &e);
}

static void
judge_ends(struct judge *j)
{
	int64_t end = j->p->ends;
	struct place at = j->p->rule[RULE_VALIDITY_ENDS];
	char text[TIME_TEXT];
	struct err e;

	if (end == NEVER)
		return;
	time_print(text, end);
	if (end < j->facts->now + HOUR) {
		err_at(&e, ERR_DENIED, "policy-validity-ended", NULL,
		    at_field("validity"),
		    "no certificate of this policy lasts beyond %s: use "
		    "another policy",
		    text);
		fail(j, "validity.ends", at, bytes_str(text), &e);
		return;
	}
	if (j->spec->not_after > end)
		j->spec->not_after = end;
	pass(j, "validity.ends", at, bytes_str(text));
}

static void
judge_issuer_end(struct judge *j)
{
	int64_t end = j->facts->issuer_not_after;
	struct place at = j->p->rule[RULE_ISSUER_END];
	bool cuts = j->spec->not_after > end;
	bool refuses = end < j->facts->now + HOUR;
	char text[TIME_TEXT] = "";
	struct err e;

	if (refuses || (cuts && j->p->issuer_refuse))
		time_print(text, end);
	if (refuses) {
		err_at(&e, ERR_DENIED, "policy-issuer-ends", NULL,
		    at_field("issuer"),
		    "the issuing CA's certificate ends at %s: nothing can be "
		    "issued from it any more",
		    text);
		fail(j, "issuer.not_after", at, bytes_str(text), &e);
		return;
	}
	if (cuts && j->p->issuer_refuse) {
		err_at(&e, ERR_DENIED, "policy-issuer-short", NULL,
		    at_field("validity"),
		    "the issuing CA's certificate ends at %s, before this one "
		    "would; ask for a shorter validity",
		    text);
		fail(j, "issuer.not_after", at, bytes_str(text), &e);
		return;
	}
	if (cuts)
		j->spec->not_after = end;
	if (j->out->failed == 0 && !j->quick)
		time_print(text, j->spec->not_after);
	pass(j, "issuer.not_after", at, bytes_str(text));
}

/* --- Names ---------------------------------------------------------------------------- */

/* The attributes that were cut, those of one name in one verdict. */
static void
tell_cuts(struct judge *j, const char *rule, const struct subject_attr *attr,
    size_t n, uint32_t cut)
{
	const struct place *at = NULL;
	char text[80] = "";

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(text);

		if ((cut >> i & 1) == 0)
			continue;
		if (at == NULL)
			at = &attr[i].at;
		snprintf(text + len, sizeof(text) - len,
		    "%s%s cut to %zu characters", len > 0 ? ", " : "",
		    name_attr_word(attr[i].type), attr[i].max);
	}
	if (at != NULL)
		pass(j, rule, *at, bytes_str(text));
}

static void
judge_subject(struct judge *j)
{
	struct place at = j->p->rule[RULE_SUBJECT];
	char shown[80] = "";
	uint32_t cut;
	struct err e;

	if (name_fill(j->p->subject, j->p->n_subject, j->facts, j->arena,
		&j->spec->subject, &cut, &e) != ERR_OK) {
		fail(j, "subject", at, bytes_str(e.where.field), &e);
		return;
	}
	if (!j->quick)
		name_print(shown, sizeof(shown), j->spec->subject);
	pass(j, "subject", at, bytes_str(shown));
	tell_cuts(j, "subject", j->p->subject, j->p->n_subject, cut);
}

static void
judge_alts(struct judge *j, const char *rule, enum policy_rule of,
    const struct alt_name *from, size_t n, struct general_name *to,
    size_t *n_to)
{
	uint32_t cut;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		if (alt_fill(&from[i], j->facts, j->arena, &to[i], &cut, &e) !=
		    ERR_OK) {
			e.where = at_field(rule);
			fail(j, rule, from[i].at, BYTES_NONE, &e);
			return;
		}
		tell_cuts(j, rule, from[i].directory, from[i].n_directory, cut);
	}
	*n_to = n;
	if (n > 0)
		pass(j, rule, j->p->rule[of],
		    to[0].kind == GN_IP || to[0].kind == GN_DIRECTORY
			? BYTES_NONE
			: to[0].value);
}

static void
judge_extensions(struct judge *j)
{
	const struct policy *p = j->p;
	struct err e;

	for (size_t i = 0; i < p->n_extension; i++) {
		const struct policy_extension *x = &p->extension[i];
		struct private_ext *to = &j->spec->private_ext[i];

		to->oid = x->oid;
		to->critical = x->critical;
		if (extension_fill(x, j->facts, j->arena, &to->der, &e) !=
		    ERR_OK) {
			e.where = at_field("extensions");
			fail(j, "extensions", x->at, BYTES_NONE, &e);
			return;
		}
	}
	j->spec->n_private_ext = p->n_extension;
	if (p->n_extension > 0)
		pass(j, "extensions", p->rule[RULE_EXTENSIONS], BYTES_NONE);
}

/* --- All of it ------------------------------------------------------------------------- */

/* The parts that a policy decides; the rest of out is the caller's. */
static void
hand_out(const struct judge *j, struct cert_spec *out)
{
	const struct policy *p = j->p;
	const struct cert_spec *made = j->spec;

	out->subject = made->subject;
	out->not_before = made->not_before;
	out->not_after = made->not_after;
	out->is_ca = p->subordinate;
	out->path_len = p->subordinate ? p->path_length : -1;
	out->nocheck = false;
	out->key_usage = p->key_usage;
	memcpy(out->eku, p->eku, sizeof(out->eku));
	out->n_eku = p->n_eku;
	/* RFC 3161 2.3: critical, and alone. */
	out->eku_critical = p->n_eku == 1 && p->eku[0] == OID_EKU_TIME;
	memcpy(out->san, made->san, sizeof(out->san));
	memcpy(out->ian, made->ian, sizeof(out->ian));
	out->n_san = made->n_san;
	out->n_ian = made->n_ian;
	memcpy(out->policy, p->certificate_policy, sizeof(out->policy));
	out->n_policy = p->n_certificate_policy;
	out->qc = p->qc;
	out->constraints = p->constraints;
	memcpy(out->private_ext, made->private_ext, sizeof(out->private_ext));
	out->n_private_ext = made->n_private_ext;
}

static void
evaluate(const struct policy *p, const struct policy_facts *facts,
    struct arena *arena, bool quick, struct cert_spec *out,
    struct verdicts *verdicts)
{
	struct judge j = { .p = p,
		.facts = facts,
		.arena = arena,
		.out = verdicts,
		.quick = quick,
		.spec = arena_get(arena, sizeof(*j.spec)),
		.env = { .facts = facts } };

	j.env.validity_s = facts->asked_s != 0 ? facts->asked_s : p->default_s;
	verdicts->len = verdicts->failed = 0;
	judge_facts(&j);
	judge_kind(&j);
	judge_institution(&j);
	judge_conditions(&j, "holders.when", p->when, p->n_when);
	judge_conditions(&j, "conditions", p->condition, p->n_condition);
	judge_key(&j);
	judge_validity(&j);
	judge_ends(&j);
	judge_issuer_end(&j);
	/* Names of broken facts would only repeat what was said. */
	if (j.facts_bad)
		return;
	judge_subject(&j);
	judge_alts(&j, "names.subject_alt", RULE_SUBJECT_ALT, p->san, p->n_san,
	    j.spec->san, &j.spec->n_san);
	judge_alts(&j, "names.issuer_alt", RULE_ISSUER_ALT, p->ian, p->n_ian,
	    j.spec->ian, &j.spec->n_ian);
	judge_extensions(&j);
	if (verdicts->failed == 0)
		hand_out(&j, out);
}

void
policy_evaluate(const struct policy *p, const struct policy_facts *facts,
    struct arena *arena, struct cert_spec *out, struct verdicts *verdicts)
{
	evaluate(p, facts, arena, false, out, verdicts);
}

void
policy_evaluate_quick(const struct policy *p, const struct policy_facts *facts,
    struct arena *arena, struct cert_spec *out, struct verdicts *verdicts)
{
	evaluate(p, facts, arena, true, out, verdicts);
}
