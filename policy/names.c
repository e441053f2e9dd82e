/*
 * names - what a policy says of names: the subject, the alternative names,
 * and what the law wants to read of the holder; and words that no policy may
 * hold.
 */
#include <ctype.h>

#include "internal.h"

/* Somebody who does not exist, to try literals and alphabets on. */
static const char *const sample_facts[FACT_COUNT] = {
	[FACT_PERSON_RUN] = "12345678-5",
	[FACT_PERSON_NAME] = "Ana Soto",
	[FACT_PERSON_OFFICE] = "Jefa",
	[FACT_PERSON_EMAIL] = "ana@example.cl",
	[FACT_INSTITUTION_NAME] = "Servicio",
	[FACT_INSTITUTION_RUT] = "60100003-2",
};

static void
fill_sample(const struct tmpl *t, struct buf *out)
{
	struct bytes fact[FACT_COUNT];

	for (size_t i = 0; i < FACT_COUNT; i++)
		fact[i] = bytes_str(sample_facts[i]);
	tmpl_fill(t, fact, out);
}

/* A subject attribute that no holder could have is refused now. */
static void
check_attribute(struct load *l, const struct said_subject *s)
{
	struct buf text AUTO_BUF = BUF(65536), der AUTO_BUF = BUF(NAME_DER_MAX);
	struct name_attr attr = { .type = s->type };
	struct err e;

	fill_sample(&s->value, &text);
	attr.value = buf_bytes(&text);
	if (name_build(&attr, 1, &der, &e) == ERR_OK)
		return;
	e.where = where_of(l, s->at);
	report(l, s->at->width, &e, "write a value that fits");
}

/* --- Alternative names ----------------------------------------------------------- */

static void
refuse_alt_form(struct load *l, const struct said_alt *a)
{
	/* The whole entry: a default's place is already that. */
	const struct node *at =
	    a->other.given ? a->other.at->parent : a->other.at;
	struct err e;

	err_at(&e, ERR_INVALID, "policy-alt-form", "RFC 5280 4.2.1.6",
	    where_of(l, at), "a name is either email, or other with ia5");
	report(l, at->width, &e,
	    "write {email: \"{person.email}\"} or {other: OID, ia5: TEXT}");
}

/* Names of the holder speak of the person, those of the issuer do not. */
static void
check_alt_facts(struct load *l, const struct value *v, bool of_issuer)
{
	struct err e;

	for (int f = 0; f < FACT_COUNT; f++) {
		bool personal = f <= FACT_PERSON_EMAIL;

		if (!of_issuer || !personal ||
		    !tmpl_uses(&v->tmpl, (enum policy_fact)f))
			continue;
		err_at(&e, ERR_INVALID, "policy-alt-fact", "RFC 5280 4.2.1.7",
		    where_of(l, v->at),
		    "issuer_alt names the certifier: %s is a fact of the "
		    "holder",
		    policy_fact_name((enum policy_fact)f));
		report(l, v->at->width, &e, "use {institution.rut}");
	}
}

/* The two names of DS 181/2002 hold one fact each, and nothing else. */
static void
check_rut_name(struct load *l, const struct said_alt *a, bool of_issuer)
{
	struct bytes oid = oid_bytes(&a->other.oid);
	bool holder = bytes_eq(oid, oid_known(OID_RUT_HOLDER));
	enum policy_fact fact = holder ? FACT_PERSON_RUN : FACT_INSTITUTION_RUT;
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
	if (a->ia5.tmpl.n == 1 && a->ia5.tmpl.part[0].fact == (int)fact)
		return;
	err_at(&e, ERR_INVALID, "policy-alt-rut", "DS 181/2002",
	    where_of(l, a->ia5.at), "this name holds {%s} and nothing else",
	    policy_fact_name(fact));
	report(l, a->ia5.at->width, &e, "write \"{%s}\"",
	    policy_fact_name(fact));
}

static void
check_alt_text(struct load *l, const struct said_alt *a)
{
	struct buf text AUTO_BUF = BUF(65536);
	const struct value *v = a->email.given ? &a->email : &a->ia5;
	struct err e;

	fill_sample(&v->tmpl, &text);
	if (a->email.given) {
		if (email_check(buf_bytes(&text), &e) == ERR_OK)
			return;
		e.where = where_of(l, v->at);
		report(l, v->at->width, &e, "write \"{person.email}\"");
		return;
	}
	if (ascii_printable(buf_bytes(&text)) && text.len <= 128)
		return;
	err_at(&e, ERR_INVALID, "policy-alt-ia5", "X.680 41",
	    where_of(l, v->at),
	    "an IA5String of ours is plain ASCII, at most 128 characters");
	report(l, v->at->width, &e, "use facts that are plain ASCII");
}

static void
check_alts(struct load *l, const struct value *list, bool of_issuer)
{
	const struct said_alt *a = list->items;

	for (size_t i = 0; i < list->count; i++) {
		const struct value *v;
		bool other = a[i].other.given && a[i].ia5.given;
		bool lone = a[i].other.given != a[i].ia5.given;

		if (a[i].other.at == NULL)
			continue; /* not even a map */
		if (lone || other == a[i].email.given) {
			refuse_alt_form(l, &a[i]);
			continue;
		}
		v = other ? &a[i].ia5 : &a[i].email;
		if (!v->ok || (other && !a[i].other.ok))
			continue;
		check_alt_facts(l, v, of_issuer);
		if (other)
			check_rut_name(l, &a[i], of_issuer);
		check_alt_text(l, &a[i]);
	}
}

void
policy_check_names(struct load *l, const struct said_policy *s)
{
	const struct said_subject *attr = s->subject.items;

	for (size_t i = 0; i < s->subject.count; i++) {
		if (attr[i].ok)
			check_attribute(l, &attr[i]);
	}
	check_alts(l, &s->names.subject_alt, false);
	check_alts(l, &s->names.issuer_alt, true);
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
	if (!s->subject.ok || !s->names.subject_alt.ok || l->partial)
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
