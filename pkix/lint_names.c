/*
 * Lint of the two names: types, alphabets, bounds, countries, and what the
 * subject must say elsewhere too.
 */
#include <strings.h>

#include "lint.h"

#define NO_BOUND SIZE_MAX

struct attr {
	enum lint_attr type;
	struct bytes oid, value;
	uint8_t tag;
};

/* clang-format off */
/* By the last octet of 2.5.4.n: upper bounds of RFC 5280 appendix A.1, X.520. */
static const struct attr_rule {
	enum lint_attr type;
	uint8_t last, tag; /* 0: PrintableString or UTF8String */
	size_t max;
} attr_rules[] = {
	{ A_CN,        3,  0, 64 },
	{ A_SURNAME,   4,  0, NO_BOUND },
	{ A_SERIAL,    5,  DER_PRINTABLE_STRING, 64 },
	{ A_C,         6,  DER_PRINTABLE_STRING, 2 },
	{ A_L,         7,  0, 128 },
	{ A_ST,        8,  0, 128 },
	{ A_STREET,    9,  0, 128 },
	{ A_O,         10, 0, 64 },
	{ A_OU,        11, 0, 64 },
	{ A_TITLE,     12, 0, 64 },
	{ A_POSTAL,    17, 0, 40 },
	{ A_GIVEN,     42, 0, NO_BOUND },
	{ A_QUALIFIER, 46, DER_PRINTABLE_STRING, NO_BOUND },
	{ A_PSEUDONYM, 65, 0, 128 },
	{ A_ORG_ID,    97, 0, NO_BOUND },
	{ A_EMAIL,     0,  DER_IA5_STRING, 255 },
	{ A_DC,        0,  DER_IA5_STRING, 63 },
};
/* clang-format on */

static const struct attr_rule *
rule_of(struct bytes oid)
{
	static const uint8_t dc[] = { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c,
		0x64, 0x01, 0x19 };
	size_t i;

	if (oid.len == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04) {
		for (i = 0; i < A_EMAIL; i++) {
			if (attr_rules[i].last == oid.p[2])
				return &attr_rules[i];
		}
		return NULL;
	}
	if (bytes_eq(oid, oid_known(OID_EMAIL)))
		return &attr_rules[A_EMAIL];
	return bytes_eq(oid, bytes_of(dc, sizeof(dc))) ? &attr_rules[A_DC]
						       : NULL;
}

/* --- One attribute --------------------------------------------------------------- */

static bool
alphabet_broken(const struct attr *a)
{
	if (a->tag == DER_PRINTABLE_STRING)
		return !printable_valid(a->value);
	if (a->tag == DER_IA5_STRING)
		return !ia5_valid(a->value);
	return a->tag == DER_UTF8_STRING && !utf8_valid(a->value);
}

static bool
string_type_broken(const struct attr *a, const struct attr_rule *r)
{
	if (r != NULL && r->tag != 0)
		return a->tag != r->tag;
	return a->tag != DER_UTF8_STRING && a->tag != DER_PRINTABLE_STRING;
}

static bool
length_broken(const struct attr *a, const struct attr_rule *r)
{
	size_t n = a->tag == DER_UTF8_STRING && utf8_valid(a->value)
		       ? utf8_count(a->value)
		       : a->value.len;

	return n == 0 || (r != NULL && n > r->max);
}

static bool
has_control(struct bytes v)
{
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return true;
	}
	return false;
}

/* Only characters that say that nothing is said. */
static bool
says_nothing(struct bytes v)
{
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] != '.' && v.p[i] != '-' && v.p[i] != ' ')
			return false;
	}
	return v.len > 0;
}

static bool
is_text(uint8_t tag)
{
	return tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING ||
	       tag == DER_IA5_STRING;
}

static void
judge_attr(struct facts *f, const struct attr *a)
{
	const struct attr_rule *r = rule_of(a->oid);
	struct bytes v = a->value;

	judge(f, R_NAME_ALPHABET, alphabet_broken(a));
	judge(f, R_NAME_STRING_TYPE, string_type_broken(a, r));
	judge(f, R_NAME_LENGTH, length_broken(a, r));
	if (is_text(a->tag) && v.len > 0) {
		judge(f, R_NAME_SPACE, v.p[0] == ' ' || v.p[v.len - 1] == ' ');
		judge(f, R_NAME_CONTROL, has_control(v));
	}
	if (a->type == A_C)
		judge(f, R_NAME_COUNTRY, !country_known(v));
}

/* --- The walk ---------------------------------------------------------------------- */

static void
keep_subject(struct facts *f, const struct attr *a)
{
	if (a->type == A_CN)
		f->subject_cn = a->value;
	else if (a->type == A_EMAIL)
		f->subject_email = a->value;
	else if (a->type == A_SERIAL)
		f->subject_serial = a->value;
	if (is_text(a->tag))
		judge(f, R_NAME_NOTHING, says_nothing(a->value));
}

static void
note(struct facts *f, const struct attr *a, bool is_subject)
{
	unsigned bit = 1u << a->type;

	if (!is_subject) {
		f->issuer_has |= bit;
		return;
	}
	f->subject_twice |= f->subject_has & bit;
	f->subject_has |= bit;
	keep_subject(f, a);
}

/* False for an attribute that does not read: it breaks every rule. */
static bool
judge_rdn(struct facts *f, struct der *rdn, bool is_subject)
{
	size_t n = 0;

	while (der_peek(rdn) != 0) {
		struct der atv = der_enter(rdn, DER_SEQUENCE);
		const struct attr_rule *r;
		struct attr a;

		a.oid = der_get(&atv, DER_OID);
		a.tag = der_peek(&atv);
		a.value = der_get(&atv, a.tag);
		if (atv.bad)
			return false;
		r = rule_of(a.oid);
		a.type = r != NULL ? r->type : A_COUNT;
		judge_attr(f, &a);
		note(f, &a, is_subject);
		n++;
	}
	judge(f, R_NAME_MULTI, n > 1);
	return !rdn->bad;
}

static void
judge_name(struct facts *f, struct bytes name, bool is_subject)
{
	struct der d = der_of(name);
	struct der rdns = der_enter(&d, DER_SEQUENCE);
	bool ok = !rdns.bad;

	while (ok && der_peek(&rdns) != 0) {
		struct der rdn = der_enter(&rdns, DER_SET);

		ok = judge_rdn(f, &rdn, is_subject);
	}
	if (ok)
		return;
	judge(f, R_NAME_ALPHABET, true);
	judge(f, R_NAME_STRING_TYPE, true);
	judge(f, R_NAME_LENGTH, true);
	judge(f, R_NAME_COUNTRY, true);
}

/* --- Both names together ------------------------------------------------------------ */

static bool
is_empty_name(struct bytes name)
{
	return name.len <= 2;
}

static void
judge_presence(struct facts *f)
{
	const unsigned of_ca = 1u << A_C | 1u << A_O | 1u << A_CN;
	const struct cert *c = f->c;
	const struct cert_ext *san = f->ext[X_SAN];
	bool no_issuer = is_empty_name(c->issuer);
	bool no_subject = is_empty_name(c->subject);

	judge(f, R_NAME_MISSING, no_issuer || no_subject);
	judge(f, R_ISSUER_EMPTY, no_issuer);
	judge(f, R_CA_SUBJECT_EMPTY, no_subject);
	judge(f, R_SUBJECT_EMPTY_SAN,
	    no_subject && (san == NULL || !san->critical));
	judge(f, R_CRITICAL_ALT,
	    (san != NULL && san->critical && !no_subject) ||
		(f->ext[X_IAN] != NULL && f->ext[X_IAN]->critical));
	judge(f, R_ROOT_ISSUER, !bytes_eq(c->issuer, c->subject));
	judge(f, R_OWN_ISSUER, bytes_eq(c->issuer, c->subject));
	judge(f, R_NAME_CA_ORGANIZATION,
	    !no_subject && (f->subject_has & of_ca) != of_ca);
}

static bool
among(struct bytes v, const struct bytes *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (v.len == list[i].len &&
		    strncasecmp((const char *)v.p, (const char *)list[i].p,
			v.len) == 0)
			return true;
	}
	return false;
}

/* What does not fit in the list of kept names may well be among the others. */
static bool
missing_email(const struct facts *f, struct bytes v)
{
	return f->n_san_email < ALT_NAMES_KEPT &&
	       !among(v, f->san_email, f->n_san_email);
}

static void
judge_subject(struct facts *f)
{
	const unsigned repeatable =
	    1u << A_OU | 1u << A_DC | 1u << A_STREET | 1u << A_COUNT;
	const unsigned own_name = 1u << A_GIVEN | 1u << A_SURNAME;
	struct bytes email = f->subject_email, cn = f->subject_cn;
	bool mailbox =
	    cn.len > 0 && memchr(cn.p, '@', cn.len) != NULL && !f->san_smtp;
	struct err ignored;

	judge(f, R_NAME_TWICE, (f->subject_twice & ~repeatable) != 0);
	judge(f, R_NAME_PSEUDONYM,
	    (f->subject_has & 1u << A_PSEUDONYM) != 0 &&
		(f->subject_has & own_name) != 0);
	if (email.len > 0) {
		judge(f, R_NAME_EMAIL_FORM,
		    email_check(email, &ignored) != ERR_OK);
		judge(f, R_NAME_EMAIL_SAN, missing_email(f, email));
	}
	judge(f, R_NAME_CN_MAILBOX,
	    mailbox && (f->eku & E_EMAIL) != 0 && missing_email(f, cn));
	judge(f, R_NAME_CN_HOST,
	    cn.len > 0 && (f->eku & E_SERVER) != 0 &&
		f->n_san_dns < ALT_NAMES_KEPT &&
		!among(cn, f->san_dns, f->n_san_dns));
}

void
lint_names(struct facts *f)
{
	judge_name(f, f->c->issuer, false);
	judge_name(f, f->c->subject, true);
	judge_presence(f);
	judge_subject(f);
}
