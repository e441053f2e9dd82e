/*
 * parts - rules for the rarer parts of a policy: qualified statements, private
 * extensions, CAs below the issuer, and how many facts it uses.
 */
#include "internal.h"

bool
policy_is_ca(const struct said_policy *s)
{
	return s->subordinate.path_length.given;
}

/* --- Private extensions --------------------------------------------------------- */

static const struct value *
der_given(const struct said_extension *x, size_t *n)
{
	const struct value *forms[] = { &x->der.utf8, &x->der.ia5,
		&x->der.printable, &x->der.hex };
	const struct value *found = NULL;

	*n = 0;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (!forms[i]->given)
			continue;
		found = forms[i];
		(*n)++;
	}
	return found;
}

static bool
hex_valid(const struct value *v, struct arena *a, struct err *e)
{
	size_t len = v->text.len / 2;
	uint8_t *p = arena_get(a, len + 1);
	struct err why;

	if (v->text.len % 2 == 0 && hex_parse(v->text, p, len) &&
	    der_strict(bytes_of(p, len), &why) == ERR_OK)
		return true;
	err_at(e, ERR_INVALID, "policy-extension-hex", "X.690", NOWHERE,
	    "this is not one whole element of DER in hexadecimal digits");
	return false;
}

static void
check_extension(struct load *l, const struct said_extension *x)
{
	struct policy_extension kept;
	struct policy_facts facts;
	struct bytes der;
	size_t n;
	const struct value *v = der_given(x, &n);
	const struct node *at = x->oid.at;
	struct err e;

	if (x->oid.ok && !ext_is_private(oid_bytes(&x->oid.oid))) {
		err_at(&e, ERR_DENIED, "policy-extension-public",
		    "RFC 5280 4.2", where_of(l, at),
		    "this extension has a meaning of its own and is not for "
		    "policies to define");
		report(l, at->width, &e,
		    "delete it: what may be said of it has its own key");
	}
	if (n != 1) {
		err_at(&e, ERR_INVALID, "policy-extension-form", NULL,
		    where_of(l, at),
		    "the content of an extension is one of utf8, ia5, "
		    "printable and hex");
		report(l, at->width, &e,
		    "as in  der: {utf8: \"{person.office}\"}");
		return;
	}
	if (!v->ok)
		return;
	if (v == &x->der.hex) {
		if (hex_valid(v, l->arena, &e))
			return;
		e.where = where_of(l, v->at);
		report(l, v->at->width, &e, "as in 0500 for NULL");
		return;
	}
	extension_keep(l->arena, &kept, x);
	sample_facts(&facts, &kept.value);
	if (extension_fill(&kept, &facts, l->arena, &der, &e) == ERR_OK)
		return;
	e.where = where_of(l, v->at);
	report(l, v->at->width, &e, "write a value that fits");
}

static void
check_extensions(struct load *l, const struct said_policy *s)
{
	const struct said_extension *x = s->extensions.items;
	struct err e;

	for (size_t i = 0; i < s->extensions.count; i++) {
		if (x[i].oid.at == NULL)
			continue; /* not even a map */
		check_extension(l, &x[i]);
		for (size_t j = 0; j < i && x[i].oid.ok; j++) {
			if (!x[j].oid.ok || !bytes_eq(oid_bytes(&x[j].oid.oid),
						oid_bytes(&x[i].oid.oid)))
				continue;
			err_at(&e, ERR_INVALID, "policy-extension-twice",
			    "RFC 5280 4.2", where_of(l, x[i].oid.at),
			    "this extension stands twice");
			report(l, x[i].oid.at->width, &e,
			    "delete one of the two");
		}
	}
}

/* --- Qualified statements ------------------------------------------------------------- */

/* Where the whole of qc_statements begins, or NULL. */
static const struct node *
qc_at(const struct said_policy *s)
{
	const struct value *all[] = { &s->qc.compliance, &s->qc.sscd,
		&s->qc.types, &s->qc.retention, &s->qc.pds, &s->qc.countries,
		&s->qc.semantics };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i]->given)
			return all[i]->at->parent->key;
	}
	if (s->qc.limit.currency.given)
		return s->qc.limit.currency.at->parent->parent->key;
	return NULL;
}

static void
check_qc(struct load *l, const struct said_policy *s)
{
	const struct node *at = qc_at(s);
	struct policy p = { .version = 1 };
	struct err e;

	if (at == NULL || !load_clean(l))
		return; /* its parts have their findings */
	if (policy_is_ca(s)) {
		err_at(&e, ERR_INVALID, "policy-ca-qc", "EN 319 412-5 4.1",
		    where_of(l, at),
		    "qualified certificates are of people: a CA states nothing "
		    "of the kind");
		report(l, at->width, &e, "delete it");
		return;
	}
	qc_keep(l->arena, &p.qc, s);
	if (qc_check(&p.qc, &e) == ERR_OK)
		return;
	e.where = where_of(l, at);
	report(l, at->width, &e, "see ETSI EN 319 412-5 for its form");
}

/* --- CAs below the issuer ---------------------------------------------------------------- */

static void
check_subtree(struct load *l, const struct said_subtree *t)
{
	const struct value *forms[] = { &t->email, &t->dns, &t->uri, &t->ip,
		&t->directory };
	const struct value *v = NULL;
	const struct said_subject *attr;
	struct general_name ignored;
	struct err e;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (!forms[i]->given)
			continue;
		v = forms[i];
		n++;
	}
	if (n != 1) {
		const struct node *at = n > 0 ? v->at->parent : forms[0]->at;

		err_at(&e, ERR_INVALID, "policy-subtree-form",
		    "RFC 5280 4.2.1.10", where_of(l, at),
		    "a subtree is one of email, dns, uri, ip, directory");
		report(l, at->width, &e, "as in {dns: example.cl}");
		return;
	}
	if (!v->ok)
		return;
	attr = v->items;
	for (size_t i = 0; i < v->count; i++) {
		if (!attr[i].ok)
			return;
		if (attr[i].at->kind == NODE_TEXT && attr[i].value.n == 1 &&
		    attr[i].value.part[0].fact < 0)
			continue;
		err_at(&e, ERR_INVALID, "policy-subtree-fact",
		    "RFC 5280 4.2.1.10", where_of(l, attr[i].at),
		    "a constraint is plain text, the same for all: without "
		    "facts "
		    "and options");
		report(l, attr[i].at->width, &e, "write the text itself");
		return;
	}
	if (subtree_read(l->arena, t, &ignored, &e) == ERR_OK)
		return;
	e.where = where_of(l, v->at);
	report(l, v->at->width, &e,
	    "as in {dns: example.cl}, {email: "
	    ".example.cl}, {ip: 192.0.2.0/24}");
}

static void
check_subtrees(struct load *l, const struct value *list)
{
	const struct said_subtree *t = list->items;

	for (size_t i = 0; i < list->count; i++) {
		if (t[i].email.at != NULL)
			check_subtree(l, &t[i]);
	}
}

static void
check_ca_facts(struct load *l, const struct said_policy *s)
{
	const struct said_subject *attr = s->subject.items;
	struct err e;

	for (size_t i = 0; i < s->subject.count; i++) {
		for (size_t k = 0; k < attr[i].value.n; k++) {
			int fact = attr[i].value.part[k].fact;

			if (!fact_is_personal(fact))
				continue;
			err_at(&e, ERR_INVALID, "policy-ca-fact", NULL,
			    where_of(l, attr[i].at),
			    "the certificate of a CA names an institution: %s "
			    "is a fact of a person",
			    policy_fact_name((enum policy_fact)fact));
			report(l, attr[i].at->width, &e,
			    "use {institution.name} or {institution.rut}");
		}
	}
}

#define CA_USAGES (KU_KEY_CERT_SIGN | KU_CRL_SIGN)

static void
check_ca(struct load *l, const struct said_policy *s)
{
	const struct value *usage = &s->usage.key, *eku = &s->usage.extended;
	struct err e;

	check_subtrees(l, &s->subordinate.permitted);
	check_subtrees(l, &s->subordinate.excluded);
	check_ca_facts(l, s);
	if (usage->ok && ((usage->n & CA_USAGES) != CA_USAGES ||
			     (usage->n & ~CA_USAGES) != 0)) {
		err_at(&e, ERR_INVALID, "policy-ca-usage", "RFC 5280 4.2.1.3",
		    where_of(l, usage->at),
		    "a CA below the issuer signs certificates and CRLs, and "
		    "does nothing else");
		report(l, usage->at->width, &e, "write [keyCertSign, cRLSign]");
	}
	if (eku->given) {
		err_at(&e, ERR_INVALID, "policy-ca-purpose", NULL,
		    where_of(l, eku->at),
		    "purposes are those of holders: a CA has none here");
		report(l, eku->at->width, &e, "delete the key");
	}
}

static void
check_no_ca(struct load *l, const struct said_policy *s)
{
	const struct value *usage = &s->usage.key, *eku = &s->usage.extended;
	struct err e;

	for (const struct word *w = usage_words; w->word != NULL; w++) {
		const struct node *at;

		if ((usage->n & w->value & CA_USAGES) == 0)
			continue;
		at = entry_of(usage, usage_words, w->value);
		err_at(&e, ERR_DENIED, "policy-usage-ca", "RFC 5280 4.2.1.3",
		    where_of(l, at),
		    "%s is for certificates of CAs, and this policy is for "
		    "holders",
		    w->word);
		report(l, at->width, &e,
		    "delete it; a policy for CAs has the key subordinate");
	}
	if (!eku->given && !l->partial && eku->at != NULL &&
	    s->usage.key.given) {
		const struct node *at = usage->at->parent->key;

		err_at(&e, ERR_INVALID, "policy-purpose-missing",
		    "RFC 5280 4.2.1.12", where_of(l, at),
		    "the key extended is missing: a holder's certificate says "
		    "what it is for");
		report(l, at->width, &e,
		    "add  extended: [emailProtection, clientAuth]");
	}
}

/* --- Facts ---------------------------------------------------------------------------------- */

struct counted {
	struct tmpl_part part[USED_FACTS_MAX + 1];
	size_t n;
	const struct node *over; /* where the first stands that is too many */
};

static void
count_tmpl(struct counted *c, const struct tmpl *t, const struct node *at)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tmpl_part *part = &t->part[i];
		size_t k = 0;

		while (k < c->n &&
		       (c->part[k].fact != part->fact ||
			   (part->fact == FACT_ATTRIBUTE &&
			       !bytes_eq(c->part[k].literal, part->literal))))
			k++;
		if (part->fact < 0 || k < c->n)
			continue;
		if (c->n == USED_FACTS_MAX && c->over == NULL)
			c->over = at;
		if (c->n < USED_FACTS_MAX)
			c->part[c->n++] = *part;
	}
}

static void
count_attrs(struct counted *c, const struct value *v)
{
	const struct said_subject *s = v->items;

	for (size_t i = 0; i < v->count; i++)
		count_tmpl(c, &s[i].value, s[i].at);
}

static void
count_alts(struct counted *c, const struct value *list)
{
	const struct said_alt *a = list->items;
	enum name_kind kind;

	for (size_t i = 0; i < list->count; i++) {
		const struct value *v = alt_value(&a[i], &kind);

		if (v == NULL)
			continue;
		count_attrs(c, &a[i].directory);
		count_tmpl(c, &v->tmpl, v->at);
	}
}

static void
check_facts(struct load *l, const struct said_policy *s)
{
	const struct said_extension *x = s->extensions.items;
	struct counted c = { .n = 0 };
	struct err e;

	count_attrs(&c, &s->subject);
	count_alts(&c, &s->names.subject_alt);
	count_alts(&c, &s->names.issuer_alt);
	for (size_t i = 0; i < s->extensions.count; i++) {
		count_tmpl(&c, &x[i].der.utf8.tmpl, x[i].oid.at);
		count_tmpl(&c, &x[i].der.ia5.tmpl, x[i].oid.at);
		count_tmpl(&c, &x[i].der.printable.tmpl, x[i].oid.at);
	}
	if (c.over == NULL)
		return;
	err_at(&e, ERR_INVALID, "policy-facts", NULL, where_of(l, c.over),
	    "the policy uses more than 16 different facts");
	report(l, c.over->width, &e, "use fewer attributes");
}

void
policy_check_parts(struct load *l, const struct said_policy *s)
{
	check_extensions(l, s);
	check_facts(l, s);
	if (policy_is_ca(s))
		check_ca(l, s);
	else
		check_no_ca(l, s);
	check_qc(l, s);
}

/* --- Ceilings ------------------------------------------------------------------------ */

static void
ceiling_names(struct load *l, const struct value *list, unsigned allowed)
{
	const struct said_alt *a = list->items;
	char words[64];
	struct err e;

	words_of_bits(name_kind_words, (int64_t)allowed, words, sizeof(words));
	for (size_t i = 0; i < list->count; i++) {
		enum name_kind kind;
		const struct value *v = alt_value(&a[i], &kind);
		unsigned tag = v == NULL ? 0 : general_name_tag(kind);

		if (v == NULL || (allowed >> tag & 1) != 0)
			continue;
		err_at(&e, ERR_DENIED, "policy-ceiling-name", "signer.yaml",
		    where_of(l, v->at),
		    "the ceilings do not allow names of the kind %s",
		    word_of_bit(name_kind_words, INT64_C(1) << tag));
		report(l, v->at->width, &e, "allowed: %s", words);
	}
}

static bool
extension_allowed(const struct said_extension *x, const struct ceilings *c)
{
	for (size_t i = 0; i < c->n_extension; i++) {
		if (bytes_eq(oid_bytes(&c->extension[i].oid),
			oid_bytes(&x->oid.oid)))
			return c->extension[i].critical == (x->critical.n != 0);
	}
	return c->any_extension;
}

static void
ceiling_extensions(struct load *l, const struct value *list,
    const struct ceilings *c)
{
	const struct said_extension *x = list->items;
	struct err e;

	for (size_t i = 0; i < list->count; i++) {
		if (!x[i].oid.ok || !x[i].critical.ok ||
		    extension_allowed(&x[i], c))
			continue;
		err_at(&e, ERR_DENIED, "policy-ceiling-extension",
		    "signer.yaml", where_of(l, x[i].oid.at),
		    "the ceilings do not allow this extension, or not with "
		    "that criticality");
		report(l, x[i].oid.at->width, &e,
		    "add it to extensions in signer.yaml, or delete it");
	}
}

static void
ceiling_qc(struct load *l, const struct said_policy *s)
{
	const struct node *at = qc_at(s);
	struct qc_statements q = { .compliance = false };
	struct err e;

	if (at == NULL)
		return;
	qc_keep(l->arena, &q, s);
	if (!qc_present(&q))
		return;
	err_at(&e, ERR_DENIED, "policy-ceiling-qc", "signer.yaml",
	    where_of(l, at),
	    "the ceilings do not allow statements of qualified certificates");
	report(l, at->width, &e,
	    "set qc_statements in signer.yaml, or delete it");
}

void
policy_check_parts_ceilings(struct load *l, const struct said_policy *s,
    const struct ceilings *c)
{
	ceiling_names(l, &s->names.subject_alt, c->names);
	ceiling_names(l, &s->names.issuer_alt, c->names);
	ceiling_extensions(l, &s->extensions, c);
	if (!c->qc_statements)
		ceiling_qc(l, s);
}
