/*
 * keep - what a file said to what was validated: texts, templates and
 * conditions move to the arena of the set, each rule with its place.
 */
#include "internal.h"

struct keeper {
	struct arena *a;
	struct policy *p;
	const struct kept_set *set;
	const struct policy_file *file;
};

static void
keep_text(char *out, size_t size, struct bytes text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;

	if (len > 0)
		memcpy(out, text.p, len);
	out[len] = '\0';
}

/* The policy whose file a node stands in: this one or a base. */
static const struct policy *
owner_of(const struct keeper *k, const struct node *n)
{
	return &k->set->policy[n->file - k->set->files];
}

static struct place
place_of(const struct keeper *k, const struct value *v)
{
	struct place at = { .of = k->p };

	if (v->at == NULL || !v->given)
		return at;
	at.of = owner_of(k, v->at);
	at.line = v->at->line;
	at.col = v->at->col;
	return at;
}

static struct place
place_at(const struct keeper *k, const struct node *n)
{
	return (struct place){ owner_of(k, n), n->line, n->col };
}

/* --- Facts that templates use ------------------------------------------------- */

static void
note_fact(struct keeper *k, const struct tmpl_part *part, struct place at)
{
	struct policy *p = k->p;
	struct used_fact *u = p->use;

	for (size_t i = 0; i < p->n_use; i++, u++) {
		if (u->fact == part->fact &&
		    (part->fact != FACT_ATTRIBUTE ||
			bytes_eq(u->attribute, part->literal)))
			return;
	}
	/* policy_check_parts() has seen to the number. */
	if (p->n_use == USED_FACTS_MAX)
		fatal("a policy uses more facts than were checked");
	*u = (struct used_fact){ .fact = part->fact, .at = at };
	u->rule = policy_fact_name((enum policy_fact)part->fact);
	if (part->fact == FACT_ATTRIBUTE) {
		u->attribute = part->literal;
		u->rule = arena_printf(k->a, "person.attribute.%.*s",
		    BYTES_FMT(part->literal));
	}
	p->n_use++;
}

static struct tmpl
keep_tmpl(struct keeper *k, const struct tmpl *t, struct place at)
{
	struct tmpl kept = *t;

	for (size_t i = 0; i < kept.n; i++) {
		kept.part[i].literal = arena_copy(k->a, kept.part[i].literal);
		if (kept.part[i].fact >= 0)
			note_fact(k, &kept.part[i], at);
	}
	return kept;
}

/* Facts in the order of the enum: verdicts come the same whatever the file. */
static void
sort_facts(struct policy *p)
{
	for (size_t i = 1; i < p->n_use; i++) {
		struct used_fact one = p->use[i];
		size_t j = i;

		for (; j > 0 && p->use[j - 1].fact > one.fact; j--)
			p->use[j] = p->use[j - 1];
		p->use[j] = one;
	}
}

/* --- Names ------------------------------------------------------------------------ */

static size_t
keep_attrs(struct keeper *k, struct subject_attr *out, const struct value *list)
{
	const struct said_subject *s = list->items;

	for (size_t i = 0; i < list->count; i++) {
		struct place at = place_at(k, s[i].at);

		out[i] = (struct subject_attr){ .type = s[i].type,
			.value = keep_tmpl(k, &s[i].value, at),
			.string = s[i].string,
			.max = (size_t)s[i].max,
			.clip = s[i].clip,
			.at = at };
	}
	return list->count;
}

const struct value *
alt_value(const struct said_alt *s, enum name_kind *kind)
{
	const struct {
		const struct value *v;
		enum name_kind kind;
	} rows[] = {
		{ &s->email, GN_EMAIL },
		{ &s->ia5, GN_OTHER_IA5 },
		{ &s->utf8, GN_OTHER_UTF8 },
		{ &s->printable, GN_OTHER_PRINTABLE },
		{ &s->dns, GN_DNS },
		{ &s->ip, GN_IP },
		{ &s->uri, GN_URI },
		{ &s->directory, GN_DIRECTORY },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].v->given) {
			*kind = rows[i].kind;
			return rows[i].v;
		}
	}
	return NULL;
}

static size_t
keep_alts(struct keeper *k, struct alt_name out[SPEC_NAMES_MAX],
    const struct value *list)
{
	const struct said_alt *said = list->items;

	for (size_t i = 0; i < list->count; i++) {
		const struct value *v = alt_value(&said[i], &out[i].kind);

		out[i].other = said[i].other.oid;
		out[i].at = place_of(k, v);
		if (out[i].kind != GN_DIRECTORY) {
			out[i].value = keep_tmpl(k, &v->tmpl, out[i].at);
			continue;
		}
		out[i].directory =
		    arena_get(k->a, v->count * sizeof(*out[i].directory));
		out[i].n_directory = keep_attrs(k, out[i].directory, v);
	}
	return list->count;
}

static void
keep_names(struct keeper *k, const struct said_policy *s)
{
	const struct said_cert_policy *cp = s->certificate_policies.items;
	struct policy *p = k->p;

	p->n_subject = keep_attrs(k, p->subject, &s->subject);
	p->n_san = keep_alts(k, p->san, &s->names.subject_alt);
	p->n_ian = keep_alts(k, p->ian, &s->names.issuer_alt);
	for (size_t i = 0; i < s->certificate_policies.count; i++) {
		p->certificate_policy[i].oid = cp[i].oid.oid;
		p->certificate_policy[i].cps = arena_copy(k->a, cp[i].cps.text);
		p->certificate_policy[i].notice =
		    arena_copy(k->a, cp[i].notice.text);
	}
	p->n_certificate_policy = s->certificate_policies.count;
}

/* --- Conditions --------------------------------------------------------------------- */

static struct policy_condition
keep_expr(struct keeper *k, const struct value *v)
{
	return (struct policy_condition){ .expr = expr_copy(k->a, v->expr),
		.text = arena_copy(k->a, v->at->text),
		.at = place_of(k, v) };
}

static void
keep_conditions(struct keeper *k, const struct said_policy *s)
{
	const struct said_condition *said = s->conditions.items;
	const struct value *when = &s->holders.when;
	struct policy *p = k->p;

	p->person_kinds = (uint32_t)s->holders.kinds.n;
	p->institution_kinds = (uint32_t)s->holders.institutions.n;
	if (p->extends != NULL) {
		p->n_when = p->extends->n_when;
		memcpy(p->when, p->extends->when, sizeof(p->when));
	}
	/* An inherited one is there already. */
	if (when->given && when->at->file == k->file)
		p->when[p->n_when++] = keep_expr(k, when);
	for (size_t i = 0; i < s->conditions.count; i++) {
		struct policy_condition *c = &p->condition[i];

		*c = keep_expr(k, &said[i].must);
		c->say = arena_copy(k->a, said[i].say.text);
		c->es = arena_copy(k->a, said[i].es.text);
	}
	p->n_condition = s->conditions.count;
}

/* --- Time, keys, usages --------------------------------------------------------------- */

static void
keep_validity(struct policy *p, const struct said_policy *s)
{
	p->default_s = s->validity.usual.n;
	p->max_s = s->validity.max.n;
	p->backdate_s = s->validity.backdate.n;
	p->renew_window_s = s->validity.renew_window.n;
	p->overlap_s = s->validity.overlap.n;
	p->issuer_refuse = s->validity.issuer.n == 0;
	if (!zone_parse(s->validity.zone.text, &p->zone))
		fatal("a zone that was checked");
	p->ends = NEVER;
	if (!s->validity.ends.given)
		return;
	p->ends = zone_day_end(&p->zone, s->validity.ends.n);
	keep_text(p->ends_text, sizeof(p->ends_text), s->validity.ends.text);
}

static void
keep_usage(struct policy *p, const struct said_policy *s)
{
	p->modes = (uint32_t)s->keys.modes.n;
	p->keys = (uint32_t)s->keys.allowed.n;
	p->reuse = (enum key_reuse)s->keys.reuse.n;
	p->key_usage = (uint16_t)s->usage.key.n;
	/* In the order of the enum: two files that say the same are the same. */
	for (int oid = 0; oid < 32 && p->n_eku < SPEC_EKUS_MAX; oid++) {
		if ((s->usage.extended.n >> oid & 1) != 0)
			p->eku[p->n_eku++] = (enum pkix_oid)oid;
	}
}

/* --- Statements, extensions, subordinate CAs ------------------------------------------- */

void
qc_keep(struct arena *a, struct qc_statements *q, const struct said_policy *s)
{
	const struct bytes *country = s->qc.countries.items;
	const struct said_pds *pds = s->qc.pds.items;

	q->compliance = s->qc.compliance.n != 0;
	q->sscd = s->qc.sscd.n != 0;
	q->types = (unsigned)s->qc.types.n;
	q->retention_years = s->qc.retention.n;
	/* More than there is room for are qc_check()'s to refuse. */
	q->n_country = s->qc.countries.count;
	for (size_t i = 0; i < q->n_country && i < SPEC_LAWS_MAX; i++)
		keep_text(q->country[i], 3, country[i]);
	if (s->qc.limit.currency.given) {
		keep_text(q->currency, sizeof(q->currency),
		    s->qc.limit.currency.text);
		q->amount = s->qc.limit.amount.n;
		q->exponent = s->qc.limit.exponent.n;
	}
	for (size_t i = 0; i < s->qc.pds.count; i++) {
		q->pds[i].url = arena_copy(a, pds[i].url.text);
		keep_text(q->pds[i].lang, 3, pds[i].lang.text);
	}
	q->n_pds = s->qc.pds.count;
	q->semantics = qc_semantics(s->qc.semantics.n);
}

void
extension_keep(struct arena *a, struct policy_extension *out,
    const struct said_extension *s)
{
	*out = (struct policy_extension){ .oid = s->oid.oid,
		.critical = s->critical.n != 0 };
	if (s->der.hex.given) {
		size_t len = s->der.hex.text.len / 2;
		uint8_t *p = arena_get(a, len + 1);

		if (!hex_parse(s->der.hex.text, p, len))
			fatal("hexadecimal digits that were checked");
		out->der = bytes_of(p, len);
		return;
	}
	if (s->der.utf8.given) {
		out->tag = DER_UTF8_STRING;
		out->value = s->der.utf8.tmpl;
	} else if (s->der.ia5.given) {
		out->tag = DER_IA5_STRING;
		out->value = s->der.ia5.tmpl;
	} else {
		out->tag = DER_PRINTABLE_STRING;
		out->value = s->der.printable.tmpl;
	}
}

static void
keep_extensions(struct keeper *k, const struct said_policy *s)
{
	const struct said_extension *said = s->extensions.items;

	for (size_t i = 0; i < s->extensions.count; i++) {
		struct policy_extension *x = &k->p->extension[i];

		extension_keep(k->a, x, &said[i]);
		x->at = place_of(k, &said[i].oid);
		x->value = keep_tmpl(k, &x->value, x->at);
	}
	k->p->n_extension = s->extensions.count;
}

static size_t
keep_subtrees(struct keeper *k, struct general_name out[SPEC_SUBTREES_MAX],
    const struct value *list)
{
	const struct said_subtree *said = list->items;
	struct err e;

	for (size_t i = 0; i < list->count; i++) {
		if (subtree_read(k->a, &said[i], &out[i], &e) != ERR_OK)
			fatal("a subtree that was checked");
	}
	return list->count;
}

static void
keep_subordinate(struct keeper *k, const struct said_policy *s)
{
	struct name_constraints *c = &k->p->constraints;

	k->p->subordinate = policy_is_ca(s);
	k->p->path_length = (int)s->subordinate.path_length.n;
	c->n_permitted =
	    keep_subtrees(k, c->permitted, &s->subordinate.permitted);
	c->n_excluded = keep_subtrees(k, c->excluded, &s->subordinate.excluded);
}

/* --- All of it ---------------------------------------------------------------------------- */

static void
keep_rest(struct policy *p, const struct said_policy *s)
{
	const int64_t *notice = s->notify.before_end.items;

	p->required = s->endorsement.required.n;
	p->renewal = (enum renewal_by)s->endorsement.renewal.n;
	p->request_ttl_s = s->endorsement.request_ttl.n;
	p->statement_ttl_s = s->endorsement.statement_ttl.n;
	p->batch_max = s->endorsement.batch_max.n;
	p->holder_right = (enum revoke_right)s->revocation.holder.n;
	p->operator_right = (enum revoke_right)s->revocation.operator.n;
	p->suspend_max_s = s->revocation.suspend_max.n;
	p->ocsp_validity_s = s->status.ocsp.validity.n;
	p->ocsp_refresh_percent = (int)s->status.ocsp.refresh.n;
	p->ocsp_nonce = s->status.ocsp.nonce.n != 0;
	p->ocsp_archive_s = s->status.ocsp.archive_cutoff.n;
	p->crl_every_s = s->status.crl.every.n;
	p->crl_overlap_s = s->status.crl.overlap.n;
	p->crl_on_revoke = s->status.crl.on_revoke.n != 0;
	p->crl_partition = s->status.crl.partition.n;
	p->crl_delta_s = s->status.crl.delta.n;
	for (size_t i = 0; i < s->notify.before_end.count; i++)
		p->notify_s[p->n_notify++] = notice[i];
}

static void
keep_places(const struct keeper *k, const struct said_policy *s)
{
	const struct {
		enum policy_rule rule;
		const struct value *v;
	} rows[] = {
		{ RULE_NAME, &s->name },
		{ RULE_HOLDER_KINDS, &s->holders.kinds },
		{ RULE_HOLDER_INSTITUTIONS, &s->holders.institutions },
		{ RULE_KEYS, &s->keys.allowed },
		{ RULE_VALIDITY_DEFAULT, &s->validity.usual },
		{ RULE_VALIDITY_MAX, &s->validity.max },
		{ RULE_VALIDITY_ENDS, &s->validity.ends },
		{ RULE_ISSUER_END, &s->validity.issuer },
		{ RULE_SUBJECT, &s->subject },
		{ RULE_SUBJECT_ALT, &s->names.subject_alt },
		{ RULE_ISSUER_ALT, &s->names.issuer_alt },
		{ RULE_EXTENSIONS, &s->extensions },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		k->p->rule[rows[i].rule] = place_of(k, rows[i].v);
}

void
policy_keep(struct arena *a, const struct kept_set *set, size_t index,
    const struct said_policy *s)
{
	struct policy *p = &set->policy[index];
	struct keeper k = { a, p, set, &set->files[index] };

	p->text = arena_copy(a, k.file->text);
	keep_text(p->name, sizeof(p->name), s->name.text);
	keep_text(p->issuer, sizeof(p->issuer), s->issuer.text);
	p->version = s->version.n;
	p->base = s->base.n != 0;
	keep_conditions(&k, s);
	keep_names(&k, s);
	keep_validity(p, s);
	keep_usage(p, s);
	qc_keep(a, &p->qc, s);
	keep_extensions(&k, s);
	keep_subordinate(&k, s);
	keep_rest(p, s);
	keep_places(&k, s);
	sort_facts(p);
}
