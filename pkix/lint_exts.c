/*
 * Lint of key identifiers, criticality, and the extensions that constrain a
 * path.
 */
#include "lint.h"

static bool
is_critical(const struct facts *f, enum lint_ext x)
{
	return f->ext[x] != NULL && f->ext[x]->critical;
}

/* There, and not critical though it has to be. */
static bool
is_lax(const struct facts *f, enum lint_ext x)
{
	return f->ext[x] != NULL && !f->ext[x]->critical;
}

static void
judge_key_ids(struct facts *f)
{
	const struct cert *c = f->c;
	struct der d = der_of(ext_value(f, X_AKI));
	struct der in = der_enter(&d, DER_SEQUENCE);
	struct bytes id = BYTES_NONE;
	bool has_aki = f->ext[X_AKI] != NULL;

	judge(f, R_KEY_IDS, c->ski.len == 0 || c->aki.len == 0);
	judge(f, R_ROOT_KEY_IDS,
	    c->ski.len == 0 || (c->aki.len > 0 && !bytes_eq(c->ski, c->aki)));
	judge(f, R_AKI_MISSING, !has_aki);
	judge(f, R_AKI_CRITICAL, is_critical(f, X_AKI));
	(void)der_optional(&in, DER_CONTEXT(0), &id);
	judge(f, R_AKI_KEY_ID, has_aki && id.len == 0);
	judge(f, R_AKI_ISSUER, has_aki && der_peek(&in) != 0);
	judge(f, R_SKI_MISSING_CA, f->ext[X_SKI] == NULL);
	judge(f, R_SKI_MISSING_END, f->ext[X_SKI] == NULL);
	judge(f, R_SKI_CRITICAL, is_critical(f, X_SKI));
}

static void
judge_critical(struct facts *f)
{
	judge(f, R_CRITICAL_ACCESS,
	    is_critical(f, X_AIA) || is_critical(f, X_SIA));
	judge(f, R_CRITICAL_DIRECTORY, is_critical(f, X_DIRECTORY));
	judge(f, R_CRITICAL_FRESHEST, is_critical(f, X_FRESHEST));
	judge(f, R_CRITICAL_CRLDP, is_critical(f, X_CRLDP));
	judge(f, R_CRITICAL_NOCHECK, is_critical(f, X_NOCHECK));
	judge(f, R_QC_CRITICAL, is_critical(f, X_QC));
	judge(f, R_KEY_PERIOD, f->ext[X_KEY_PERIOD] != NULL);
}

/* BR 7.1.2.8, which fits every delegated responder. */
static void
judge_responder(struct facts *f)
{
	judge(f, R_NOCHECK_ELSEWHERE, f->ext[X_NOCHECK] != NULL);
	judge(f, R_OCSP_EXTENSIONS,
	    f->ext[X_NOCHECK] == NULL || f->ext[X_CRLDP] != NULL ||
		f->ext[X_AIA] != NULL || f->ext[X_SAN] != NULL);
}

/* Is there an address of OCSP in authorityInfoAccess? */
static bool
has_ocsp(const struct facts *f)
{
	struct der d = der_of(ext_value(f, X_AIA));
	struct der in = der_enter(&d, DER_SEQUENCE);

	while (der_peek(&in) != 0) {
		struct der ad = der_enter(&in, DER_SEQUENCE);

		if (bytes_eq(der_get(&ad, DER_OID), oid_known(OID_AD_OCSP)))
			return true;
	}
	return false;
}

/* RFC 9608: nobody will say whether it was revoked. */
static void
judge_no_revocation(struct facts *f)
{
	struct bytes v = ext_value(f, X_NOREV);

	if (f->ext[X_NOREV] == NULL)
		return;
	judge(f, R_NOREV_CA, true);
	judge(f, R_NOREV_CRITICAL, is_critical(f, X_NOREV));
	judge(f, R_NOREV_FORM, v.len != 2 || v.p[0] != DER_NULL);
	judge(f, R_NOREV_BESIDE,
	    f->ext[X_CRLDP] != NULL || f->ext[X_FRESHEST] != NULL ||
		has_ocsp(f));
}

void
lint_exts(struct facts *f)
{
	judge_key_ids(f);
	judge_critical(f);
	judge_responder(f);
	judge_no_revocation(f);
}

/* --- Constraints of names ------------------------------------------------------------ */

/* An address and its mask, whose ones come first. */
static bool
range_valid(struct bytes v)
{
	size_t half = v.len / 2, i;
	bool ended = false;

	if (v.len != 8 && v.len != 32)
		return false;
	for (i = half; i < v.len; i++) {
		uint8_t inverse = (uint8_t)~v.p[i];

		if ((ended && v.p[i] != 0) || (inverse & (inverse + 1)) != 0)
			return false;
		ended |= v.p[i] != 0xff;
	}
	return true;
}

/* A host, a domain that begins with a dot, or nothing at all. */
static bool
constraint_text_valid(struct bytes v)
{
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '*' ||
		    v.p[i] == '/' || v.p[i] == ':')
			return false;
	}
	return true;
}

static void
judge_base(struct facts *f, uint8_t tag, struct bytes v)
{
	switch (tag) {
	case DER_CONTEXT_CONS(3):
	case DER_CONTEXT_CONS(5):
	case DER_CONTEXT(8):
		judge(f, R_NC_KIND, true);
		break;
	case DER_CONTEXT(7):
		judge(f, R_NC_FORM, !range_valid(v));
		break;
	case DER_CONTEXT(1):
	case DER_CONTEXT(2):
	case DER_CONTEXT(6):
		judge(f, R_NC_FORM, !constraint_text_valid(v));
		break;
	default:
		break;
	}
}

static void
judge_subtrees(struct facts *f, struct bytes list)
{
	struct der all = der_of(list);

	judge(f, R_NC_EMPTY, list.len == 0);
	while (der_peek(&all) != 0) {
		struct der tree = der_enter(&all, DER_SEQUENCE);
		uint8_t tag = der_peek(&tree);

		judge_base(f, tag, der_get(&tree, tag));
		judge(f, R_NC_RANGE, der_peek(&tree) != 0);
	}
	judge(f, R_NC_EMPTY, all.bad);
}

static void
judge_name_constraints(struct facts *f)
{
	struct der d = der_of(ext_value(f, X_NAME_CONSTRAINTS));
	struct der in = der_enter(&d, DER_SEQUENCE);
	struct bytes list;
	bool permitted, excluded;

	if (f->ext[X_NAME_CONSTRAINTS] == NULL)
		return;
	judge(f, R_NC_CRITICAL, is_lax(f, X_NAME_CONSTRAINTS));
	judge(f, R_NC_ELSEWHERE, true);
	permitted = der_optional(&in, DER_CONTEXT_CONS(0), &list);
	if (permitted)
		judge_subtrees(f, list);
	excluded = der_optional(&in, DER_CONTEXT_CONS(1), &list);
	if (excluded)
		judge_subtrees(f, list);
	judge(f, R_NC_EMPTY, !der_end(&in) || (!permitted && !excluded));
}

/* --- Constraints of policies ------------------------------------------------------------ */

bool
is_any_policy(struct bytes oid)
{
	static const uint8_t any[] = { 0x55, 0x1d, 0x20, 0x00 };

	return bytes_eq(oid, bytes_of(any, sizeof(any)));
}

static void
judge_mappings(struct facts *f)
{
	struct der d = der_of(ext_value(f, X_MAPPINGS));
	struct der all = der_enter(&d, DER_SEQUENCE);

	if (f->ext[X_MAPPINGS] == NULL)
		return;
	judge(f, R_MAPPING_CRITICAL, is_lax(f, X_MAPPINGS));
	judge(f, R_MAPPING_ANY, der_end(&all));
	while (der_peek(&all) != 0) {
		struct der pair = der_enter(&all, DER_SEQUENCE);
		struct bytes from = der_get(&pair, DER_OID);

		judge(f, R_MAPPING_ANY,
		    is_any_policy(from) ||
			is_any_policy(der_get(&pair, DER_OID)) || pair.bad);
	}
	judge(f, R_MAPPING_ANY, all.bad);
}

void
lint_constraints(struct facts *f)
{
	struct der d = der_of(ext_value(f, X_POLICY_CONSTRAINTS));
	struct der in = der_enter(&d, DER_SEQUENCE);

	judge_name_constraints(f);
	judge_mappings(f);
	judge(f, R_PC_CRITICAL, is_lax(f, X_POLICY_CONSTRAINTS));
	judge(f, R_PC_EMPTY,
	    f->ext[X_POLICY_CONSTRAINTS] != NULL && der_peek(&in) == 0);
	judge(f, R_INHIBIT_CRITICAL, is_lax(f, X_INHIBIT));
	judge(f, R_POLICY_PATH_END,
	    f->ext[X_POLICY_CONSTRAINTS] != NULL ||
		f->ext[X_MAPPINGS] != NULL || f->ext[X_INHIBIT] != NULL);
}
