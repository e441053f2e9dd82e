/*
 * evaluate - one request against one policy: each rule in order with its
 * verdict, and the certificate that results when all pass.
 */
#include "internal.h"

#define VALUE_MAX 512 /* octets of one filled template */

struct judge {
	const struct policy *p;
	const struct policy_facts *facts;
	struct arena *arena;
	struct verdicts *out;
	struct cert_spec spec; /* copied out when nothing failed */
};

static void
pass(struct judge *j, const char *rule, struct bytes fact)
{
	struct verdict *v;

	if (j->out->len == VERDICTS_MAX)
		fatal("more rules than room for verdicts");
	v = &j->out->v[j->out->len++];
	*v = (struct verdict){ .rule = rule, .passed = true };
	/* Only what was found clean comes here; it may be cut. */
	snprintf(v->fact, sizeof(v->fact), "%.*s", BYTES_FMT(fact));
	while (!utf8_valid(bytes_str(v->fact)))
		v->fact[strlen(v->fact) - 1] = '\0';
}

static void
fail(struct judge *j, const char *rule, struct bytes fact, const struct err *e)
{
	struct verdict *v;

	pass(j, rule, fact);
	v = &j->out->v[j->out->len - 1];
	v->passed = false;
	v->err = *e;
	j->out->failed++;
}

/* --- Facts ------------------------------------------------------------------------- */

static bool
policy_uses(const struct policy *p, enum policy_fact fact)
{
	bool used = false;

	for (size_t i = 0; i < p->n_subject; i++)
		used |= tmpl_uses(&p->subject[i].value, fact);
	for (size_t i = 0; i < p->n_san; i++)
		used |= tmpl_uses(&p->san[i].value, fact);
	for (size_t i = 0; i < p->n_ian; i++)
		used |= tmpl_uses(&p->ian[i].value, fact);
	return used;
}

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
judge_fact(enum policy_fact which, struct bytes fact, struct err *e)
{
	const char *name = policy_fact_name(which);

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
	if (which == FACT_PERSON_EMAIL)
		TRY(email_check(fact, e));
	if (which == FACT_PERSON_RUN || which == FACT_INSTITUTION_RUT)
		TRY(judge_run(fact, e));
	return ERR_OK;
}

static void
judge_facts(struct judge *j)
{
	for (int f = 0; f < FACT_COUNT; f++) {
		enum policy_fact which = (enum policy_fact)f;
		const char *name = policy_fact_name(which);
		struct bytes fact = j->facts->fact[f];
		struct err e;

		if (!policy_uses(j->p, which))
			continue;
		if (judge_fact(which, fact, &e) == ERR_OK) {
			pass(j, name, fact);
			continue;
		}
		e.where = at_field(name);
		/* What is broken is not shown: it may not even be text. */
		fail(j, name, BYTES_NONE, &e);
	}
}

/* --- Key and time -------------------------------------------------------------------- */

static void
judge_key(struct judge *j)
{
	enum key_type type = j->facts->key;
	const char *name = type < KEY_TYPES ? key_type_name(type) : "unknown";
	char list[64] = "";
	struct err e;

	if (type < KEY_TYPES && (j->p->keys >> type & 1) != 0) {
		pass(j, "keys.allowed", bytes_str(name));
		return;
	}
	for (const struct word *w = key_words; w->word != NULL; w++) {
		size_t len = strlen(list);

		if ((j->p->keys & w->value) != 0)
			snprintf(list + len, sizeof(list) - len, "%s%s",
			    len > 0 ? ", " : "", w->word);
	}
	err_at(&e, ERR_DENIED, "policy-key-type", NULL, at_field("key"),
	    "the key is %s; this policy allows %s", name, list);
	fail(j, "keys.allowed", bytes_str(name), &e);
}

static void
judge_validity(struct judge *j)
{
	const struct policy *p = j->p;
	int64_t life = j->facts->asked_s;
	char got[24], max[24];
	struct err e;

	if (life == 0)
		life = p->default_s;
	duration_print(got, life);
	duration_print(max, p->max_s);
	if (life >= HOUR && life <= p->max_s) {
		j->spec.not_before = j->facts->now - p->backdate_s;
		/* Both ends count: RFC 5280 4.1.2.5. */
		j->spec.not_after = j->spec.not_before + life - 1;
		pass(j, "validity.max", bytes_str(got));
		return;
	}
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
	fail(j, "validity.max", bytes_str(got), &e);
}

static void
judge_issuer_end(struct judge *j)
{
	int64_t end = j->facts->issuer_not_after;
	char text[TIME_TEXT];
	struct err e;

	time_print(text, end);
	if (end < j->facts->now + HOUR) {
		err_at(&e, ERR_DENIED, "policy-issuer-ends", NULL,
		    at_field("issuer"),
		    "the issuing CA's certificate ends at %s: nothing can be "
		    "issued from it any more",
		    text);
		fail(j, "issuer.not_after", bytes_str(text), &e);
		return;
	}
	if (j->spec.not_after > end)
		j->spec.not_after = end;
	time_print(text, j->spec.not_after);
	pass(j, "issuer.not_after", bytes_str(j->out->failed == 0 ? text : ""));
}

/* --- Names ---------------------------------------------------------------------------- */

static struct bytes
filled(struct judge *j, const struct tmpl *t)
{
	/* Six pieces of at most VALUE_MAX, or literals of one file. */
	struct buf text AUTO_BUF = BUF(6 * VALUE_MAX + POLICY_FILE_MAX);

	tmpl_fill(t, j->facts->fact, &text);
	if (text.failed)
		fatal("a template outgrew its limit");
	return arena_copy(j->arena, buf_bytes(&text));
}

static void
judge_subject(struct judge *j)
{
	struct buf der AUTO_BUF = BUF(NAME_DER_MAX);
	struct name_attr attr[NAME_ATTRS_MAX];
	char shown[80];
	struct err e;

	for (size_t i = 0; i < j->p->n_subject; i++) {
		attr[i].type = j->p->subject[i].type;
		attr[i].value = filled(j, &j->p->subject[i].value);
		attr[i].string = STRING_USUAL;
	}
	if (name_build(attr, j->p->n_subject, &der, &e) != ERR_OK) {
		fail(j, "subject", bytes_str(e.where.field), &e);
		return;
	}
	j->spec.subject = arena_copy(j->arena, buf_bytes(&der));
	name_print(shown, sizeof(shown), j->spec.subject);
	pass(j, "subject", bytes_str(shown));
}

static enum err_code
alt_fill(struct judge *j, const struct alt_name *from, struct general_name *to,
    struct err *e)
{
	bool email = from->kind == GN_EMAIL;

	to->kind = email ? GN_EMAIL : GN_OTHER_IA5;
	to->other = from->other;
	to->value = filled(j, &from->value);
	if (email)
		return email_check(to->value, e);
	if (to->value.len > 0 && to->value.len <= 128 &&
	    ascii_printable(to->value))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "policy-alt-value", "X.680 41", NOWHERE,
	    "an alternative name is longer than 128 characters or not plain "
	    "ASCII");
}

static void
judge_alts(struct judge *j, const char *rule, const struct alt_name *from,
    size_t n, struct general_name *to, size_t *n_to)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		if (alt_fill(j, &from[i], &to[i], &e) != ERR_OK) {
			e.where = at_field(rule);
			fail(j, rule, BYTES_NONE, &e);
			return;
		}
	}
	*n_to = n;
	if (n > 0)
		pass(j, rule, to[0].value);
}

/* --- All of it ------------------------------------------------------------------------- */

/* The parts that a policy decides; the rest of out is the caller's. */
static void
hand_out(const struct judge *j, struct cert_spec *out)
{
	const struct policy *p = j->p;

	out->subject = j->spec.subject;
	out->not_before = j->spec.not_before;
	out->not_after = j->spec.not_after;
	out->is_ca = false;
	out->path_len = -1;
	out->nocheck = false;
	out->key_usage = p->key_usage;
	memcpy(out->eku, p->eku, sizeof(out->eku));
	out->n_eku = p->n_eku;
	out->eku_critical = false;
	memcpy(out->san, j->spec.san, sizeof(out->san));
	memcpy(out->ian, j->spec.ian, sizeof(out->ian));
	out->n_san = j->spec.n_san;
	out->n_ian = j->spec.n_ian;
	memcpy(out->policy, p->certificate_policy, sizeof(out->policy));
	out->n_policy = p->n_certificate_policy;
}

void
policy_evaluate(const struct policy *p, const struct policy_facts *facts,
    struct arena *arena, struct cert_spec *out, struct verdicts *verdicts)
{
	struct judge j = { .p = p,
		.facts = facts,
		.arena = arena,
		.out = verdicts };

	*verdicts = (struct verdicts){ .len = 0 };
	judge_facts(&j);
	judge_key(&j);
	judge_validity(&j);
	judge_issuer_end(&j);
	/* Names of broken facts would only repeat what was said. */
	for (size_t i = 0; i < verdicts->len; i++) {
		if (!verdicts->v[i].passed &&
		    strchr(verdicts->v[i].rule, '.') != NULL &&
		    (strncmp(verdicts->v[i].rule, "person.", 7) == 0 ||
			strncmp(verdicts->v[i].rule, "institution.", 12) == 0))
			return;
	}
	judge_subject(&j);
	judge_alts(&j, "names.subject_alt", p->san, p->n_san, j.spec.san,
	    &j.spec.n_san);
	judge_alts(&j, "names.issuer_alt", p->ian, p->n_ian, j.spec.ian,
	    &j.spec.n_ian);
	if (verdicts->failed == 0)
		hand_out(&j, out);
}
