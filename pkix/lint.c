/*
 * Lint: what every rule needs is gathered once, the judges mark what is
 * broken, and the table says which marks count for this certificate.  It
 * reads the bytes again on its own, so that a fault of the builder and a
 * fault of the parser do not excuse each other.
 */
#include <stdio.h>

#include "lint.h"

/* --- Facts ------------------------------------------------------------------------ */

/* The last octet of 2.5.29.n. */
static enum lint_ext
standard_ext(uint8_t last)
{
	switch (last) {
	case 9:
		return X_DIRECTORY;
	case 14:
		return X_SKI;
	case 15:
		return X_KEY_USAGE;
	case 16:
		return X_KEY_PERIOD;
	case 17:
		return X_SAN;
	case 18:
		return X_IAN;
	case 19:
		return X_BASIC;
	case 30:
		return X_NAME_CONSTRAINTS;
	case 31:
		return X_CRLDP;
	case 32:
		return X_POLICIES;
	case 33:
		return X_MAPPINGS;
	case 35:
		return X_AKI;
	case 36:
		return X_POLICY_CONSTRAINTS;
	case 37:
		return X_EKU;
	case 46:
		return X_FRESHEST;
	case 54:
		return X_INHIBIT;
	case 56:
		return X_NOREV;
	default:
		return X_COUNT;
	}
}

/* Behind 1.3.6.1.5.5.7.1 of PKIX. */
static enum lint_ext
pkix_ext(uint8_t last)
{
	switch (last) {
	case 1:
		return X_AIA;
	case 3:
		return X_QC;
	case 11:
		return X_SIA;
	default:
		return X_COUNT;
	}
}

static enum lint_ext
ext_of(struct bytes oid)
{
	static const uint8_t pe[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
		0x01 };

	if (oid.len == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x1d)
		return standard_ext(oid.p[2]);
	if (oid.len == 8 && memcmp(oid.p, pe, sizeof(pe)) == 0)
		return pkix_ext(oid.p[7]);
	return bytes_eq(oid, oid_known(OID_EXT_NOCHECK)) ? X_NOCHECK : X_COUNT;
}

/* Every other extension is foreign, unless policy or ceiling declared it. */
#define HOUSE_EXTS                                                       \
	(1u << X_BASIC | 1u << X_KEY_USAGE | 1u << X_EKU | 1u << X_SKI | \
	    1u << X_AKI | 1u << X_POLICIES | 1u << X_SAN | 1u << X_IAN | \
	    1u << X_CRLDP | 1u << X_AIA | 1u << X_NOCHECK | 1u << X_QC | \
	    1u << X_FRESHEST | 1u << X_NAME_CONSTRAINTS)
/* basicConstraints and keyUsage must be critical, these may be. */
#define CRITICAL_EXTS                                      \
	(1u << X_BASIC | 1u << X_KEY_USAGE | 1u << X_EKU | \
	    1u << X_NAME_CONSTRAINTS)

static void
gather_exts(struct facts *f)
{
	const struct cert *c = f->c;
	size_t i;

	for (i = 0; i < c->n_ext; i++) {
		enum lint_ext x = ext_of(c->ext[i].oid);

		if (!c->ext[i].declared) {
			judge(f, R_EXTENSION, (HOUSE_EXTS >> x & 1) == 0);
			judge(f, R_CRITICAL,
			    c->ext[i].critical &&
				(CRITICAL_EXTS >> x & 1) == 0);
		}
		if (x == X_COUNT)
			continue;
		judge(f, R_EXT_TWICE, f->ext[x] != NULL);
		if (f->ext[x] == NULL)
			f->ext[x] = &c->ext[i];
	}
}

/* --- Serial number, algorithm, validity --------------------------------------------- */

/* 2050-01-01T00:00:00Z */
#define YEAR_2050     INT64_C(2524608000)

#define SMIME_DAYS    825
#define ENTROPY_BYTES 8

static void
judge_times(struct facts *f, uint8_t before_tag, uint8_t after_tag)
{
	const struct cert *c = f->c;
	int64_t life = c->not_after - c->not_before;

	judge(f, R_TIME_FORM,
	    (before_tag == DER_UTC_TIME) != (c->not_before < YEAR_2050) ||
		(after_tag == DER_UTC_TIME) != (c->not_after < YEAR_2050));
	judge(f, R_VALIDITY_ORDER, life < 0);
	/* Both ends belong to the period: 90 days end at 23:59:59. */
	judge(f, R_EXTRA_SECOND, life > 0 && life % DAY == 0);
	judge(f, R_OCSP_LIFE, life >= 30 * DAY);
}

/* The fields in front of the extensions. */
static void
judge_fields(struct facts *f)
{
	const struct cert *c = f->c;
	struct der d = der_of(c->tbs), t = der_enter(&d, DER_SEQUENCE), v;
	struct bytes serial, id;
	uint8_t before_tag;

	if (der_peek(&t) == DER_CONTEXT_CONS(0))
		(void)der_element(&t);
	serial = der_get(&t, DER_INTEGER);
	judge(f, R_SERIAL_SIZE,
	    serial.len == 0 || serial.len > 20 || serial.p[0] >= 0x80 ||
		(serial.len == 1 && serial.p[0] == 0));
	judge(f, R_SERIAL_SHORT, c->serial.len < 16);
	judge(f, R_SERIAL_ENTROPY, c->serial.len < ENTROPY_BYTES);
	judge(f, R_ALGORITHM_DIFFERS, !bytes_eq(der_element(&t), c->sigalg));
	(void)der_element(&t);
	v = der_enter(&t, DER_SEQUENCE);
	before_tag = der_peek(&v);
	(void)der_element(&v);
	judge_times(f, before_tag, der_peek(&v));
	(void)der_element(&t);
	(void)der_element(&t);
	judge(f, R_UNIQUE_ID,
	    der_optional(&t, DER_CONTEXT(1), &id) ||
		der_optional(&t, DER_CONTEXT(2), &id));
}

/* PKCS #1 1.2.840.113549.1.1.n: MD2, MD5, SHA-1 are 2, 4, 5. */
static bool
rsa_algorithm(struct bytes oid)
{
	static const uint8_t arc[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
		0x01 };

	return oid.len == 9 && memcmp(oid.p, arc, sizeof(arc)) == 0;
}

static void
judge_algorithm(struct facts *f)
{
	static const uint8_t ecdsa_sha1[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x04, 0x01 };
	static const uint8_t pss = 10;
	struct der d = der_of(f->c->sigalg), in;
	struct bytes oid;
	bool none, null, rsa;

	if (sig_alg_find(f->c->sigalg) != NULL)
		return;
	judge(f, R_ALGORITHM, true);
	in = der_enter(&d, DER_SEQUENCE);
	oid = der_get(&in, DER_OID);
	none = der_peek(&in) == 0;
	null = der_peek(&in) == DER_NULL;
	rsa = rsa_algorithm(oid);
	judge(f, R_ALGORITHM_HASH,
	    (rsa && (oid.p[8] == 2 || oid.p[8] == 4 || oid.p[8] == 5)) ||
		bytes_eq(oid, bytes_of(ecdsa_sha1, sizeof(ecdsa_sha1))));
	if (rsa && oid.p[8] != pss)
		judge(f, R_ALGORITHM_PARAMETERS, !null);
	/* ecdsa-with-SHA2 and the Edwards curves are the others. */
	if (!rsa)
		judge(f, R_ALGORITHM_PARAMETERS, !none);
}

/* --- Key ------------------------------------------------------------------------------ */

static void
judge_key(struct facts *f)
{
	enum key_type type;
	struct err e;
	size_t bits;

	f->key_known = spki_split(f->c->spki, &f->key, &e) == ERR_OK;
	if (f->key_known && f->key.modulus.len > 0) {
		bits = f->key.modulus.len * 8;
		judge(f, R_KEY_SIZE, bits < 2048 || f->key.modulus.p[0] < 0x80);
	}
	if (spki_check(f->c->spki, &type, &e) == ERR_OK)
		return;
	judge(f, R_KEY, true);
	judge(f, R_KEY_WEAK,
	    e.code == ERR_DENIED && strcmp(e.id, "key-weak-size") != 0);
	/* Another algorithm or curve is no fault of the form. */
	judge(f, R_KEY_FORM,
	    e.code == ERR_INVALID && strcmp(e.id, "spki-algorithm") != 0 &&
		strcmp(e.id, "spki-curve") != 0 &&
		strcmp(e.id, "spki-size") != 0);
}

/* --- Findings --------------------------------------------------------------------------- */

static bool
in_force(const struct lint_rule *r, int64_t not_before)
{
	int64_t since;

	return r->since == NULL || !time_parse(bytes_str(r->since), &since) ||
	       not_before >= since;
}

static void
collect(const struct facts *f, enum lint_scope scope, struct lint *out)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(f->broken); i++) {
		uint64_t left = f->broken[i];

		for (; left != 0; left &= left - 1) {
			const struct lint_rule *r =
			    &cert_lint_rules[i * 64 +
					     (size_t)__builtin_ctzll(left)];

			if ((r->kinds >> f->kind & 1) == 0 ||
			    (scope == LINT_STANDARDS &&
				r->source == LINT_HOUSE) ||
			    !in_force(r, f->c->not_before))
				continue;
			out->v[out->n++] = r;
			out->errors += r->is_warning ? 0 : 1;
		}
	}
}

void
cert_lint(const struct cert *c, enum lint_kind kind, enum lint_scope scope,
    struct lint *out)
{
	struct facts f = { .c = c, .kind = kind };

	_Static_assert(R_COUNT <= LINT_MAX, "LINT_MAX holds every row");
	out->n = out->errors = 0;
	gather_exts(&f);
	judge_fields(&f);
	judge_algorithm(&f);
	judge_key(&f);
	lint_usage(&f);
	lint_alt_names(&f);
	lint_names(&f);
	lint_exts(&f);
	lint_constraints(&f);
	lint_places(&f);
	lint_policies(&f);
	lint_etsi(&f);
	judge(&f, R_VALIDITY_SMIME,
	    (f.eku & E_EMAIL) != 0 &&
		c->not_after - c->not_before >= SMIME_DAYS * DAY);
	collect(&f, scope, out);
}

enum lint_kind
lint_guess(const struct cert *c)
{
	if (c->is_ca)
		return bytes_eq(c->issuer, c->subject) ? LINT_ROOT : LINT_CA;
	if (cert_has_eku(c, OID_EKU_OCSP))
		return LINT_OCSP;
	return cert_has_eku(c, OID_EKU_ENDORSER) ? LINT_ENDORSER : LINT_HOLDER;
}

void
lint_say(const struct lint_rule *r, struct err *e)
{
	*e = (struct err){
		.code = ERR_DENIED,
		.id = r->id,
		.rule = r->rule,
		.where = at_field(r->field),
	};
	snprintf(e->say, sizeof(e->say), "%s", r->say);
}

enum err_code
lint_verdict(const struct lint *l, struct err *e)
{
	bool first = true;
	size_t i;

	if (l->errors == 0)
		return ERR_OK;
	for (i = 0; i < l->n; i++) {
		if (l->v[i]->is_warning)
			continue;
		if (first)
			lint_say(l->v[i], e);
		else
			(void)err_why(e, "also %s", l->v[i]->say);
		first = false;
	}
	return e->code;
}

const char *
lint_source_name(enum lint_source s)
{
	static const char *const names[] = {
		[LINT_RFC] = "RFC",
		[LINT_ETSI] = "ETSI",
		[LINT_CABF] = "CA/B",
		[LINT_HOUSE] = "house",
	};

	return names[s];
}

const struct lint_rule *
cert_lint_rule(size_t i)
{
	return i < R_COUNT ? &cert_lint_rules[i] : NULL;
}

static void
put_kinds(struct buf *out, unsigned kinds)
{
	static const char *const words[] = { "root", "ca", "holder", "endorser",
		"ocsp" };
	const char *between = "";
	size_t k;

	if (kinds == (1u << ARRAY_LEN(words)) - 1) {
		buf_puts(out, "all");
		return;
	}
	for (k = 0; k < ARRAY_LEN(words); k++) {
		if ((kinds >> k & 1) == 0)
			continue;
		buf_putf(out, "%s%s", between, words[k]);
		between = ", ";
	}
}

void
lint_reference(struct buf *out, const struct lint_rule *(*row)(size_t i))
{
	const struct lint_rule *r;
	size_t i;

	buf_puts(out,
	    "| id | what is wrong | severity | whose | where it "
	    "stands | for | since |\n|---|---|---|---|---|---|---|\n");
	for (i = 0; (r = row(i)) != NULL; i++) {
		buf_putf(out, "| `%s` | %s | %s | %s | %s | ", r->id, r->say,
		    r->is_warning ? "warning" : "error",
		    lint_source_name(r->source),
		    r->rule != NULL ? r->rule : "");
		put_kinds(out, r->kinds);
		buf_putf(out, " | %s |\n", r->since != NULL ? r->since : "");
	}
}
