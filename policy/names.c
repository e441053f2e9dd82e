/*
 * names - what a policy says of names: the subject, the alternative names,
 * and what the law wants to read of the holder; and words that no policy may
 * hold.
 */
#include <ctype.h>

#include "internal.h"

void
sample_facts(struct policy_facts *out, const struct tmpl *t)
{
	*out = (struct policy_facts){
		.fact = {
			[FACT_PERSON_RUN] = bytes_str("12345678-5"),
			[FACT_PERSON_NAME] = bytes_str("Ana Soto"),
			[FACT_PERSON_OFFICE] = bytes_str("Jefa"),
			[FACT_PERSON_EMAIL] = bytes_str("ana@example.cl"),
			[FACT_INSTITUTION_NAME] = bytes_str("Servicio"),
			[FACT_INSTITUTION_RUT] = bytes_str("60100003-2"),
		},
		.person_kind = PERSON_OFFICIAL,
		.institution_kind = INSTITUTION_SERVICE,
	};
	for (size_t i = 0; t != NULL && i < t->n; i++) {
		const struct tmpl_part *part = &t->part[i];

		if (part->fact == FACT_ATTRIBUTE)
			out->attribute[out->n_attribute++] =
			    (struct attribute){ part->literal,
				    bytes_str("ab") }; /* fits a name, too */
	}
}

/* A subject attribute that no holder could have is refused now. */
static void
check_attribute(struct load *l, const struct said_subject *s)
{
	const struct subject_attr attr = { .type = s->type,
		.value = s->value,
		.string = s->string,
		.max = (size_t)s->max,
		.clip = s->clip };
	struct policy_facts facts;
	struct bytes der;
	uint32_t cut;
	struct err e;

	sample_facts(&facts, &s->value);
	if (name_fill(&attr, 1, &facts, l->arena, &der, &cut, &e) == ERR_OK)
		return;
	e.where = where_of(l, s->at);
	report(l, s->at->width, &e, "write a value that fits");
}

static void
check_attributes(struct load *l, const struct value *v)
{
	const struct said_subject *attr = v->items;

	for (size_t i = 0; i < v->count; i++) {
		if (attr[i].ok)
			check_attribute(l, &attr[i]);
	}
}

/* --- Alternative names ----------------------------------------------------------- */

/* The whole entry: a default's place is already that. */
static const struct node *
entry_at(const struct said_alt *a)
{
	return a->other.given ? a->other.at->parent : a->other.at;
}

/* One form, and a type just where there is an otherName. */
static bool
alt_form(const struct said_alt *a)
{
	const struct value *strings[] = { &a->ia5, &a->utf8, &a->printable };
	const struct value *rest[] = { &a->email, &a->dns, &a->ip, &a->uri,
		&a->directory };
	size_t n_strings = 0, n_rest = 0;

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		n_strings += strings[i]->given ? 1 : 0;
	for (size_t i = 0; i < ARRAY_LEN(rest); i++)
		n_rest += rest[i]->given ? 1 : 0;
	return a->other.given ? n_strings == 1 && n_rest == 0
			      : n_strings == 0 && n_rest == 1;
}

static void
refuse_alt_form(struct load *l, const struct said_alt *a)
{
	const struct node *at = entry_at(a);
	struct err e;

	err_at(&e, ERR_INVALID, "policy-alt-form", "RFC 5280 4.2.1.6",
	    where_of(l, at),
	    "a name is one of email, dns, ip, uri, directory, or other with "
	    "ia5, utf8 or printable");
	report(l, at->width, &e,
	    "write {email: \"{person.email}\"} or {other: OID, ia5: TEXT}");
}

bool
fact_is_personal(int fact)
{
	return fact >= 0 && fact != FACT_INSTITUTION_NAME &&
	       fact != FACT_INSTITUTION_RUT && fact != FACT_INSTITUTION_KIND;
}

/* Names of the holder speak of the person, those of the issuer do not. */
static void
check_alt_facts(struct load *l, const struct tmpl *t, const struct node *at)
{
	struct err e;

	for (size_t i = 0; i < t->n; i++) {
		if (!fact_is_personal(t->part[i].fact))
			continue;
		err_at(&e, ERR_INVALID, "policy-alt-fact", "RFC 5280 4.2.1.7",
		    where_of(l, at),
		    "issuer_alt names the certifier: %s is a fact of the "
		    "holder",
		    policy_fact_name((enum policy_fact)t->part[i].fact));
		report(l, at->width, &e, "use {institution.rut}");
	}
}

/* The two names of DS 181/2002 hold one fact each, and nothing else. */
static void
check_rut_name(struct load *l, const struct said_alt *a, bool of_issuer,
    bool of_ca)
{
	struct bytes oid = oid_bytes(&a->other.oid);
	bool holder = bytes_eq(oid, oid_known(OID_RUT_HOLDER));
	enum policy_fact fact =
	    holder && !of_ca ? FACT_PERSON_RUN : FACT_INSTITUTION_RUT;
	const struct tmpl *t = &a->ia5.tmpl;
	const struct node *at = a->ia5.given ? a->ia5.at : a->other.at;
	struct err e;

	if (!holder && !bytes_eq(oid, oid_known(OID_RUT_CERTIFIER)))
		return;
	if (holder == of_issuer) {
		err_at(&e, ERR_INVALID, "policy-alt-oid", "DS 181/2002",
		    where_of(l, a->other.at),
		    "1.3.6.1.4.1.8321.1 is for the holder in subject_alt, "
		    "1.3.6.1.4.1.8321.2 for the certifier in issuer_alt");
		report(l, a->other.at->width, &e, "write the other one");
		return;
	}
	if (a->ia5.given && t->n == 1 && t->part[0].fact == (int)fact)
		return;
	err_at(&e, ERR_INVALID, "policy-alt-rut", "DS 181/2002",
	    where_of(l, at), "this name holds {%s} as ia5 and nothing else",
	    policy_fact_name(fact));
	report(l, at->width, &e, "write ia5: \"{%s}\"", policy_fact_name(fact));
}

static void
check_alt_value(struct load *l, const struct said_alt *a, const struct value *v,
    enum name_kind kind)
{
	struct alt_name name = { .kind = kind,
		.other = a->other.oid,
		.value = v->tmpl };
	struct policy_facts facts;
	struct general_name filled;
	uint32_t cut;
	struct err e;

	/* Hosts and addresses from the registry are judged as they come. */
	if ((kind == GN_DNS || kind == GN_IP || kind == GN_URI) &&
	    tmpl_uses(&v->tmpl, FACT_ATTRIBUTE))
		return;
	sample_facts(&facts, &v->tmpl);
	if (alt_fill(&name, &facts, l->arena, &filled, &cut, &e) == ERR_OK)
		return;
	e.where = where_of(l, v->at);
	if (kind == GN_EMAIL)
		report(l, v->at->width, &e, "write \"{person.email}\"");
	else
		report(l, v->at->width, &e, "use facts that fit there");
}

static void
check_alt(struct load *l, const struct said_alt *a, bool of_issuer, bool of_ca)
{
	enum name_kind kind = GN_EMAIL;
	const struct value *v = alt_value(a, &kind);
	const struct said_subject *attr;

	if (!alt_form(a)) {
		refuse_alt_form(l, a);
		return;
	}
	if (!v->ok || (a->other.given && !a->other.ok))
		return;
	attr = v->items;
	for (size_t i = 0; i < v->count && of_issuer; i++)
		check_alt_facts(l, &attr[i].value, attr[i].at);
	if (of_issuer)
		check_alt_facts(l, &v->tmpl, v->at);
	if (a->other.given)
		check_rut_name(l, a, of_issuer, of_ca);
	if (kind == GN_DIRECTORY)
		check_attributes(l, v);
	else
		check_alt_value(l, a, v, kind);
}

static void
check_alts(struct load *l, const struct value *list, bool of_issuer, bool of_ca)
{
	const struct said_alt *a = list->items;

	for (size_t i = 0; i < list->count; i++) {
		if (a[i].other.at != NULL) /* at least a map */
			check_alt(l, &a[i], of_issuer, of_ca);
	}
}

void
policy_check_names(struct load *l, const struct said_policy *s)
{
	bool of_ca = policy_is_ca(s);

	check_attributes(l, &s->subject);
	check_alts(l, &s->names.subject_alt, false, of_ca);
	check_alts(l, &s->names.issuer_alt, true, of_ca);
}

/* --- The law's list (article 15) ----------------------------------------------------- */

struct shown {
	bool run, email, name;
};

static struct shown
shown_by(const struct said_policy *s)
{
	const struct said_subject *attr = s->subject.items;
	const struct said_alt *a = s->names.subject_alt.items;
	struct shown seen = { false, false, false };

	for (size_t i = 0; i < s->subject.count; i++) {
		const struct tmpl *t = &attr[i].value;

		seen.run |= attr[i].type == OID_SERIAL_NUMBER &&
			    tmpl_uses(t, FACT_PERSON_RUN);
		seen.email |= attr[i].type == OID_EMAIL &&
			      tmpl_uses(t, FACT_PERSON_EMAIL);
		seen.name |=
		    attr[i].type == OID_CN && tmpl_uses(t, FACT_PERSON_NAME);
	}
	for (size_t i = 0; i < s->names.subject_alt.count; i++) {
		seen.run |= a[i].other.ok && a[i].ia5.ok &&
			    bytes_eq(oid_bytes(&a[i].other.oid),
				oid_known(OID_RUT_HOLDER));
		seen.email |= tmpl_uses(&a[i].email.tmpl, FACT_PERSON_EMAIL);
	}
	return seen;
}

void
policy_check_holder(struct load *l, const struct said_policy *s)
{
	/* clang-format off */
	static const char *const hints[] = {
		"add  serialNumber: \"{person.run}\"",
		"add  emailAddress: \"{person.email}\"",
		"add  CN: \"{person.name}\"",
	};
	/* clang-format on */
	static const enum policy_fact what[] = { FACT_PERSON_RUN,
		FACT_PERSON_EMAIL, FACT_PERSON_NAME };
	struct shown seen = shown_by(s);
	const bool has[] = { seen.run, seen.email, seen.name };
	const struct node *at = s->subject.at;
	struct err e;

	/* A list with mistakes may hold what seems to be missing. */
	if (policy_is_ca(s) || !s->subject.ok || !s->names.subject_alt.ok ||
	    l->partial)
		return;
	for (size_t i = 0; i < s->subject.count; i++) {
		if (!((const struct said_subject *)s->subject.items)[i].ok)
			return;
	}
	for (size_t i = 0; i < ARRAY_LEN(has); i++) {
		if (has[i])
			continue;
		err_at(&e, ERR_DENIED, "policy-holder-missing",
		    "Ley 19.799 art. 15", where_of(l, at->key),
		    "the certificate would not show {%s}, which article 15 of "
		    "Ley 19.799 demands",
		    policy_fact_name(what[i]));
		report(l, at->key->width, &e, "%s", hints[i]);
	}
}

/* --- Hashes that are broken -------------------------------------------------------------- */

/* sha1, SHA-1, sha1WithRSAEncryption, MD5, … anywhere in a text. */
static const char *
weak_hash(struct bytes t)
{
	static const char *const weak[] = { "sha1", "sha-1", "md5", "md4",
		"md2" };

	for (size_t i = 0; i < t.len; i++) {
		for (size_t k = 0; k < ARRAY_LEN(weak); k++) {
			size_t len = strlen(weak[k]), j = 0;

			while (j < len && i + j < t.len &&
			       tolower(t.p[i + j]) == weak[k][j])
				j++;
			/* "sha-128" is something else. */
			if (j == len &&
			    (i + len == t.len || !isdigit(t.p[i + len])) &&
			    (*weak[k] == 's' || i == 0 || !isalnum(t.p[i - 1])))
				return weak[k];
		}
	}
	return NULL;
}

static void
refuse_weak(struct load *l, struct node *n)
{
	struct err e;

	if (n->kind != NODE_TEXT || weak_hash(n->text) == NULL)
		return;
	err_at(&e, ERR_DENIED, "policy-weak-hash", "RFC 9155 and RFC 6151",
	    where_of(l, n),
	    "%s: no signature of ours uses SHA-1 or MD5, and no policy names "
	    "them",
	    (const char *)n->text.p);
	report(l, n->width, &e,
	    "delete it; the issuer's key decides the algorithm");
	n->kind = NODE_BAD;
}

void
refuse_weak_hashes(struct load *l, struct node *n)
{
	for (struct node *c = n->child; c != NULL; c = c->next) {
		if (c->key != NULL)
			refuse_weak(l, c->key);
		refuse_weak(l, c);
		refuse_weak_hashes(l, c);
	}
}
