/*
 * Lint of CRLs, of anyone: the bytes are read on their own, as far as they
 * make sense, and each rule of the table that is broken is marked.
 */
#include "lint.h"

#define YEAR       (366 * DAY)

#define X_NUMBER   0x14
#define X_REASON   0x15
#define X_INVALID  0x18
#define X_DELTA    0x1b
#define X_IDP      0x1c
#define X_ISSUER   0x1d
#define X_AKI      0x23
#define X_FRESHEST 0x2e

struct facts {
	uint64_t broken;
	int64_t now, this_update;
	bool is_delta;
};

static void
judge(struct facts *f, enum crl_lint_id r, bool is_broken)
{
	f->broken |= (uint64_t)is_broken << r;
}

static int64_t
read_time(struct facts *f, struct der *d)
{
	bool utc = der_peek(d) == DER_UTC_TIME;
	int64_t t = der_get_time(d);
	judge(f, C_TIME_FORM, d->bad || utc != (t < YEAR_2050));
	return t;
}

/* 2.5.29.n, below 64, so that a word holds the set of them; else 0. */
static uint8_t
ext_of(struct bytes oid)
{
	if (oid.len != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x1d ||
	    oid.p[2] >= 64)
		return 0;
	return oid.p[2];
}

struct ext {
	uint8_t n;
	bool critical;
	struct bytes value;
};

static bool
next_ext(struct der *list, struct ext *out)
{
	struct der x = der_enter(list, DER_SEQUENCE);
	out->n = ext_of(der_get(&x, DER_OID));
	out->critical = der_peek(&x) == DER_BOOLEAN && der_get_bool(&x);
	out->value = der_get(&x, DER_OCTET_STRING);
	return der_end(&x);
}

/* --- Extensions of the list -------------------------------------------------- */

static struct bytes
number_of(struct bytes value)
{
	struct der d = der_of(value);
	struct bytes n = der_get(&d, DER_INTEGER);
	return der_end(&d) && n.len > 0 && n.p[0] < 0x80 ? n : BYTES_NONE;
}

static void
judge_aki(struct facts *f, const struct ext *x)
{
	struct der d = der_of(x->value), in = der_enter(&d, DER_SEQUENCE);
	struct bytes id = BYTES_NONE;
	(void)der_optional(&in, DER_CONTEXT(0), &id);
	judge(f, C_AKI_CRITICAL, x->critical);
	judge(f, C_AKI_KEY_ID, id.len == 0);
}

/* onlyContainsUserCerts, CACerts, AttributeCerts are [1], [2], [5]. */
static void
judge_idp(struct facts *f, const struct ext *x)
{
	static const uint8_t tags[] = { DER_CONTEXT_CONS(0), DER_CONTEXT(1),
		DER_CONTEXT(2), DER_CONTEXT(3), DER_CONTEXT(4),
		DER_CONTEXT(5) };
	struct der d = der_of(x->value), in = der_enter(&d, DER_SEQUENCE);
	struct bytes part;
	int kinds = 0;
	judge(f, C_IDP_CRITICAL, !x->critical);
	judge(f, C_IDP_FORM, der_peek(&in) == 0);
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (der_optional(&in, tags[i], &part) &&
		    (i == 1 || i == 2 || i == 5))
			kinds++;
	}
	judge(f, C_IDP_FORM, !der_end(&in));
	judge(f, C_IDP_SCOPE, kinds > 1);
}

struct seen {
	uint64_t ext; /* 1 << n */
	struct bytes number, base;
};

static void
judge_extension(struct facts *f, const struct ext *x, struct seen *s)
{
	judge(f, C_EXT_TWICE, x->n != 0 && (s->ext >> x->n & 1) != 0);
	s->ext |= UINT64_C(1) << x->n;
	judge(f, C_EXT_HOUSE,
	    x->n != X_AKI && x->n != X_NUMBER && x->n != X_IDP &&
		x->n != X_DELTA && x->n != X_FRESHEST);
	switch (x->n) {
	case X_NUMBER:
		s->number = number_of(x->value);
		judge(f, C_NUMBER_CRITICAL, x->critical);
		judge(f, C_NUMBER_FORM,
		    s->number.len == 0 || s->number.len > 20);
		break;
	case X_AKI:
		judge_aki(f, x);
		break;
	case X_IDP:
		judge_idp(f, x);
		break;
	case X_DELTA:
		s->base = number_of(x->value);
		judge(f, C_DELTA_CRITICAL, !x->critical);
		break;
	case X_FRESHEST:
		judge(f, C_FRESHEST_CRITICAL, x->critical);
		break;
	default:
		judge(f, C_EXT_CRITICAL, x->critical && x->n == 0);
	}
}

static bool
is_below(struct bytes a, struct bytes b)
{
	return a.len != b.len ? a.len < b.len : bytes_cmp(a, b) < 0;
}

static void
judge_extensions(struct facts *f, struct bytes content)
{
	struct der d = der_of(content), list = der_enter(&d, DER_SEQUENCE);
	struct seen s = { 0, BYTES_NONE, BYTES_NONE };
	struct ext x;
	while (der_peek(&list) != 0) {
		if (next_ext(&list, &x))
			judge_extension(f, &x, &s);
		else
			judge(f, C_FORM, true);
	}
	judge(f, C_FORM, content.len > 0 && (list.bad || !der_end(&d)));
	judge(f, C_NUMBER_MISSING, (s.ext >> X_NUMBER & 1) == 0);
	judge(f, C_AKI_MISSING, (s.ext >> X_AKI & 1) == 0);
	if ((s.ext >> X_DELTA & 1) == 0)
		return;
	judge(f, C_FRESHEST_DELTA, (s.ext >> X_FRESHEST & 1) != 0);
	judge(f, C_DELTA_BASE, s.base.len == 0 || !is_below(s.base, s.number));
}

/* A delta is known before its entries are judged. */
static bool
has_delta(struct bytes content)
{
	struct der d = der_of(content), list = der_enter(&d, DER_SEQUENCE);
	struct ext x;
	while (der_peek(&list) != 0) {
		if (next_ext(&list, &x) && x.n == X_DELTA)
			return true;
	}
	return false;
}

/* --- Entries --------------------------------------------------------------------- */

static void
judge_reason(struct facts *f, const struct ext *x)
{
	struct der d = der_of(x->value);
	struct bytes v = der_get(&d, DER_ENUMERATED);
	bool one = der_end(&d) && v.len == 1;
	judge(f, C_REASON_CRITICAL, x->critical);
	judge(f, C_REASON_FORM, !one || v.p[0] == 7 || v.p[0] > 10);
	judge(f, C_REASON_ZERO, one && v.p[0] == CRL_UNSPECIFIED);
	judge(f, C_REASON_REMOVE, one && v.p[0] == 8 && !f->is_delta);
}

static void
judge_invalidity(struct facts *f, const struct ext *x, int64_t revoked)
{
	struct der d = der_of(x->value);
	bool generalized = der_peek(&d) == DER_GENERALIZED_TIME;
	int64_t since = der_get_time(&d);
	judge(f, C_INVALIDITY_FORM, !generalized || !der_end(&d));
	judge(f, C_INVALIDITY_LATE, der_end(&d) && since > revoked);
}

static void
judge_entry_extensions(struct facts *f, struct bytes content, int64_t revoked)
{
	struct der list = der_of(content);
	uint64_t seen = 0;
	struct ext x;
	judge(f, C_ENTRY_EXT_EMPTY, content.len == 0);
	while (der_peek(&list) != 0) {
		if (!next_ext(&list, &x)) {
			judge(f, C_ENTRY_FORM, true);
			continue;
		}
		judge(f, C_ENTRY_EXT_TWICE, x.n != 0 && (seen >> x.n & 1) != 0);
		seen |= UINT64_C(1) << x.n;
		if (x.n == X_REASON)
			judge_reason(f, &x);
		else if (x.n == X_INVALID)
			judge_invalidity(f, &x, revoked);
		else if (x.n == X_ISSUER)
			judge(f, C_ISSUER_CRITICAL, !x.critical);
		judge(f, C_ENTRY_CRITICAL,
		    x.critical && x.n != X_ISSUER && x.n != X_REASON);
	}
}

static void
judge_entries(struct facts *f, struct bytes content)
{
	struct der list = der_of(content);
	struct bytes last = BYTES_NONE, extensions;
	judge(f, C_EMPTY_LIST, content.len == 0);
	while (der_peek(&list) != 0) {
		struct der in = der_enter(&list, DER_SEQUENCE);
		struct bytes serial = der_get(&in, DER_INTEGER);
		judge(f, C_ENTRY_SERIAL,
		    serial.len == 0 || serial.len > SERIAL_MAX ||
			serial.p[0] >= 0x80 ||
			(serial.len == 1 && serial.p[0] == 0));
		int64_t revoked = read_time(f, &in);
		judge(f, C_ENTRY_DATE, revoked > f->this_update);
		if (der_optional(&in, DER_SEQUENCE, &extensions))
			judge_entry_extensions(f, extensions, revoked);
		judge(f, C_ENTRY_FORM, !der_end(&in));
		judge(f, C_ENTRY_TWICE, last.len > 0 && bytes_eq(last, serial));
		judge(f, C_ENTRY_ORDER,
		    last.len > 0 && bytes_cmp(last, serial) > 0);
		last = serial;
	}
	judge(f, C_ENTRY_FORM, list.bad);
}

/* --- The list ------------------------------------------------------------------------ */

static void
judge_algorithm(struct facts *f, struct bytes algorithm)
{
	static const uint8_t rsa_arc[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x01 };
	static const uint8_t ecdsa_sha1[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x04, 0x01 };
	struct der d = der_of(algorithm), in = der_enter(&d, DER_SEQUENCE);
	struct bytes oid = der_get(&in, DER_OID);
	uint8_t next = der_peek(&in);
	bool rsa = oid.len == 9 && memcmp(oid.p, rsa_arc, sizeof(rsa_arc)) == 0;
	uint8_t n = rsa ? oid.p[8] : 0;
	judge(f, C_HASH,
	    n == 2 || n == 4 || n == 5 ||
		bytes_eq(oid, bytes_of(ecdsa_sha1, sizeof(ecdsa_sha1))));
	/* 10 is RSASSA-PSS, which has parameters of its own. */
	judge(f, C_PARAMETERS,
	    (rsa && n != 10 && next != DER_NULL) || (!rsa && next != 0));
}

static bool
is_time(uint8_t tag)
{
	return tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME;
}

static void
judge_times(struct facts *f, struct der *in)
{
	f->this_update = read_time(f, in);
	judge(f, C_FUTURE, !in->bad && f->this_update > f->now);
	judge(f, C_NEXT_MISSING, !is_time(der_peek(in)));
	if (!is_time(der_peek(in)))
		return;
	int64_t next = read_time(f, in);
	judge(f, C_NEXT_ORDER, next <= f->this_update);
	judge(f, C_EXPIRED, !in->bad && next < f->now);
	judge(f, C_LIFE, next - f->this_update > YEAR);
}

static void
judge_list(struct facts *f, struct bytes tbs, struct bytes outer)
{
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	struct bytes entries = BYTES_NONE, extensions = BYTES_NONE;
	bool v2 = der_peek(&in) == DER_INTEGER && der_get_int(&in) == 1;
	judge(f, C_VERSION, !v2);
	struct bytes inner = der_element(&in);
	judge(f, C_ALGORITHMS, !bytes_eq(inner, outer));
	judge_algorithm(f, inner);
	struct bytes issuer = der_element(&in);
	judge(f, C_ISSUER, issuer.len <= 2);
	judge_times(f, &in);
	bool listed = der_optional(&in, DER_SEQUENCE, &entries);
	(void)der_optional(&in, DER_CONTEXT_CONS(0), &extensions);
	judge(f, C_FORM, !der_end(&in));
	f->is_delta = has_delta(extensions);
	judge_extensions(f, extensions);
	if (listed)
		judge_entries(f, entries);
}

static bool
in_force(const struct lint_rule *r, int64_t made)
{
	int64_t since;
	return r->since == NULL || !time_parse(bytes_str(r->since), &since) ||
	       made >= since;
}

void
crl_lint(struct bytes der, int64_t now, enum lint_scope scope, struct lint *out)
{
	struct facts f = { .now = now };
	struct bytes tbs, algorithm, signature;
	struct err ignored;
	_Static_assert(C_COUNT <= 64, "a mark for each rule");
	if (signed_split(der, &tbs, &algorithm, &signature, &ignored) == ERR_OK)
		judge_list(&f, tbs, algorithm);
	else
		judge(&f, C_FORM, true);
	out->n = out->errors = 0;
	for (size_t i = 0; i < C_COUNT; i++) {
		const struct lint_rule *r = &crl_lint_rules[i];
		if ((f.broken >> i & 1) == 0 ||
		    (scope == LINT_STANDARDS && r->source == LINT_HOUSE) ||
		    !in_force(r, f.this_update))
			continue;
		out->v[out->n++] = r;
		out->errors += r->is_warning ? 0 : 1;
	}
}

const struct lint_rule *
crl_lint_rule(size_t i)
{
	return i < C_COUNT ? &crl_lint_rules[i] : NULL;
}
