/*
 * Lint of basicConstraints, keyUsage and extKeyUsage.
 */
#include "lint.h"

#define KU_ENCIPHER_ONLY (1u << 7)
#define KU_DECIPHER_ONLY (1u << 8)
#define KU_SIGNATURES    (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)
#define KU_EXCHANGE      (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)

static void
judge_basic(struct facts *f)
{
	const struct cert *c = f->c;
	const struct cert_ext *x = f->ext[X_BASIC];

	judge(f, R_BASIC_MISSING, x == NULL || !x->critical);
	judge(f, R_BASIC_CRITICAL, x != NULL && !x->critical);
	judge(f, R_NOT_CA, !c->is_ca);
	judge(f, R_IS_CA, c->is_ca);
	/* Without cA the content is an empty SEQUENCE and nothing else. */
	judge(f, R_BASIC_CONTENT, x != NULL && !c->is_ca && x->value.len != 2);
	judge(f, R_PATH_LENGTH, c->path_len != 0);
	judge(f, R_PATH_LENGTH_USAGE,
	    c->path_len >= 0 && f->ext[X_KEY_USAGE] != NULL &&
		(c->key_usage & KU_KEY_CERT_SIGN) == 0);
}

/* RSA does not agree on keys, EC does not encipher, the others only sign. */
static void
judge_usage_of_key(struct facts *f)
{
	const unsigned only = KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
	unsigned refused = KU_KEY_AGREEMENT | only, usage = f->c->key_usage;

	if (!f->key_known)
		return;
	if (f->key.family == FAMILY_P256 || f->key.family == FAMILY_P384)
		refused = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
	else if (f->key.family != FAMILY_RSA)
		refused |= KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
	judge(f, R_KEY_USAGE_KEY,
	    (usage & refused) != 0 ||
		((usage & only) != 0 && (usage & KU_KEY_AGREEMENT) == 0));
}

static void
judge_usage(struct facts *f)
{
	const unsigned of_ca = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	const struct cert_ext *x = f->ext[X_KEY_USAGE];
	unsigned usage = f->c->key_usage;

	judge(f, R_KEY_USAGE_MISSING, x == NULL || !x->critical);
	judge(f, R_KEY_USAGE_CRITICAL, x != NULL && !x->critical);
	judge(f, R_KEY_USAGE_CA,
	    (usage & of_ca) != of_ca ||
		(usage & ~(of_ca | KU_DIGITAL_SIGNATURE)) != 0);
	judge(f, R_KEY_USAGE_ABSENT_CA,
	    x == NULL || (usage & KU_KEY_CERT_SIGN) == 0);
	judge(f, R_KEY_USAGE_END,
	    (usage & of_ca) != 0 || (usage & KU_SIGNATURES) == 0);
	judge(f, R_KEY_USAGE_EMPTY, x != NULL && usage == 0);
	judge(f, R_KEY_CERT_SIGN,
	    (usage & KU_KEY_CERT_SIGN) != 0 && !f->c->is_ca);
	judge(f, R_OCSP_USAGE, usage != KU_DIGITAL_SIGNATURE);
	judge_usage_of_key(f);
}

/* --- Purposes --------------------------------------------------------------------- */

/* 1.3.6.1.5.5.7.3.n, the last octet; and anyExtendedKeyUsage. */
static unsigned
purpose_of(struct bytes oid)
{
	static const uint8_t any[] = { 0x55, 0x1d, 0x25, 0x00 };
	static const unsigned known[] = { [1] = E_SERVER,
		[2] = E_CLIENT,
		[3] = E_CODE,
		[4] = E_EMAIL,
		[8] = E_TIME,
		[9] = E_OCSP };
	struct bytes email = oid_known(OID_EKU_EMAIL);

	if (oid.len == email.len &&
	    memcmp(oid.p, email.p, email.len - 1) == 0) {
		uint8_t last = oid.p[oid.len - 1];

		if (last < ARRAY_LEN(known) && known[last] != 0)
			return known[last];
		return E_OTHER;
	}
	if (bytes_eq(oid, bytes_of(any, sizeof(any))))
		return E_ANY;
	return bytes_eq(oid, oid_known(OID_EKU_ENDORSER)) ? E_ENDORSER
							  : E_OTHER;
}

static void
gather_purposes(struct facts *f)
{
	struct der d = der_of(ext_value(f, X_EKU));
	struct der in = der_enter(&d, DER_SEQUENCE);

	judge(f, R_EXT_EMPTY, f->ext[X_EKU] != NULL && der_end(&in));
	while (der_peek(&in) != 0) {
		unsigned purpose = purpose_of(der_get(&in, DER_OID));

		judge(f, R_EKU_TWICE,
		    purpose != E_OTHER && (f->eku & purpose) != 0);
		f->eku |= purpose;
		f->n_eku++;
	}
}

/* RFC 5280 4.2.1.12: with which bits of keyUsage a purpose agrees. */
static void
judge_agreement(struct facts *f)
{
	static const struct {
		unsigned purpose, usage;
	} rows[] = {
		{ E_SERVER, KU_DIGITAL_SIGNATURE | KU_EXCHANGE },
		{ E_CLIENT, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT },
		{ E_CODE, KU_DIGITAL_SIGNATURE },
		{ E_EMAIL, KU_SIGNATURES | KU_EXCHANGE },
		{ E_TIME, KU_SIGNATURES },
		{ E_OCSP, KU_SIGNATURES },
	};
	size_t i;

	if (f->ext[X_KEY_USAGE] == NULL)
		return;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		judge(f, R_EKU_USAGE,
		    (f->eku & rows[i].purpose) != 0 &&
			(f->c->key_usage & rows[i].usage) == 0);
}

static void
judge_purposes(struct facts *f)
{
	const struct cert_ext *x = f->ext[X_EKU];
	bool critical = x != NULL && x->critical;
	unsigned eku = f->eku;

	judge(f, R_EKU_CRITICAL, critical && (eku & E_TIME) == 0);
	judge(f, R_EKU_ENDORSER,
	    !critical || eku != E_ENDORSER || f->n_eku != 1);
	judge(f, R_EKU_ENDORSER_ELSEWHERE, (eku & E_ENDORSER) != 0);
	judge(f, R_EKU_OCSP_ELSEWHERE, (eku & E_OCSP) != 0);
	judge(f, R_EKU_OCSP, eku != E_OCSP || f->n_eku != 1);
	judge(f, R_EKU_ANY, (eku & E_ANY) != 0);
	judge(f, R_EKU_ANY_CRITICAL, critical && (eku & E_ANY) != 0);
	judge(f, R_EKU_SMIME_MIXED,
	    (eku & E_EMAIL) != 0 &&
		(eku & (E_SERVER | E_CODE | E_TIME | E_OCSP)) != 0);
	judge(f, R_EKU_TIME,
	    (eku & E_TIME) != 0 && (!critical || f->n_eku != 1));
	judge(f, R_KEY_USAGE_SMIME,
	    (eku & E_EMAIL) != 0 &&
		(f->c->key_usage & (KU_SIGNATURES | KU_EXCHANGE)) == 0);
}

void
lint_usage(struct facts *f)
{
	judge_basic(f);
	judge_usage(f);
	gather_purposes(f);
	judge_purposes(f);
	judge_agreement(f);
}
