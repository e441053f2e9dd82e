/*
 * check - rules that take more than one key, and the ceilings.  Each looks
 * only at values that were decoded: a bad one has its finding already.
 */
#include "internal.h"

#define RSA_KEYS (1 << KEY_RSA_2048 | 1 << KEY_RSA_3072 | 1 << KEY_RSA_4096)
#define EC_KEYS  (1 << KEY_EC_P256 | 1 << KEY_EC_P384)
#define PSS_KEYS \
	(1 << KEY_RSA_PSS_2048 | 1 << KEY_RSA_PSS_3072 | 1 << KEY_RSA_PSS_4096)
#define ED_KEYS (1 << KEY_ED25519)
#define ML_KEYS (1 << KEY_ML_DSA_44 | 1 << KEY_ML_DSA_65 | 1 << KEY_ML_DSA_87)

static void
check_validity(struct load *l, const struct said_policy *s)
{
	const struct value *usual = &s->validity.usual, *max = &s->validity.max;
	const struct value *window = &s->validity.renew_window;
	char a[24], b[24];
	struct err e;

	if (usual->ok && max->ok && usual->n > max->n) {
		duration_print(a, usual->n);
		duration_print(b, max->n);
		err_at(&e, ERR_INVALID, "policy-default-over-max", NULL,
		    where_of(l, usual->at),
		    "the default of %s is longer than the max of %s", a, b);
		report(l, usual->at->width, &e, "write %s or less", b);
	}
	if (usual->ok && window->ok && usual->n <= window->n) {
		const struct value *at = window->given ? window : usual;

		duration_print(a, usual->n);
		duration_print(b, window->n);
		err_at(&e, ERR_INVALID, "policy-renew-window", NULL,
		    where_of(l, at->at),
		    "a certificate of %s may be renewed from its first second: "
		    "the window is %s",
		    a, b);
		report_warning(l, at->at->width, &e,
		    "write a renew_window shorter than the default");
	}
}

/* RFC 5280 4.2.1.3: what a key can do depends on its kind. */
static void
check_usage_keys(struct load *l, const struct said_policy *s)
{
	/* clang-format off */
	static const struct {
		int64_t usage, keys;
		const char *rule;
	} never[] = {
		{ KU_KEY_ENCIPHERMENT,  EC_KEYS,  "RFC 8813 3" },
		{ KU_DATA_ENCIPHERMENT, EC_KEYS,  "RFC 8813 3" },
		{ KU_KEY_AGREEMENT,     RSA_KEYS, "RFC 4055 1.2" },
		{ KU_KEY_ENCIPHERMENT,  PSS_KEYS, "RFC 4055 1.2" },
		{ KU_DATA_ENCIPHERMENT, PSS_KEYS, "RFC 4055 1.2" },
		{ KU_KEY_AGREEMENT,     PSS_KEYS, "RFC 4055 1.2" },
		{ KU_KEY_ENCIPHERMENT,  ED_KEYS,  "RFC 8410 5" },
		{ KU_DATA_ENCIPHERMENT, ED_KEYS,  "RFC 8410 5" },
		{ KU_KEY_AGREEMENT,     ED_KEYS,  "RFC 8410 5" },
		{ KU_KEY_ENCIPHERMENT,  ML_KEYS,  "RFC 9881 5" },
		{ KU_DATA_ENCIPHERMENT, ML_KEYS,  "RFC 9881 5" },
		{ KU_KEY_AGREEMENT,     ML_KEYS,  "RFC 9881 5" },
	};
	/* clang-format on */
	const struct value *usage = &s->usage.key, *keys = &s->keys.allowed;
	const struct node *at;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(never) && usage->ok && keys->ok; i++) {
		if ((usage->n & never[i].usage) == 0 ||
		    (keys->n & never[i].keys) == 0)
			continue;
		at = entry_of(usage, usage_words, never[i].usage);
		err_at(&e, ERR_INVALID, "policy-usage-key", never[i].rule,
		    where_of(l, at),
		    "keys of type %s, which keys.allowed has, cannot do %s",
		    word_of_bit(key_words, keys->n & never[i].keys),
		    word_of_bit(usage_words, never[i].usage));
		report(l, at->width, &e,
		    "delete it here, or such keys from keys.allowed");
	}
}

/* RFC 5280 4.2.1.12: each purpose needs a usage that serves it. */
static void
check_usage_purpose(struct load *l, const struct said_policy *s)
{
	/* clang-format off */
	static const struct {
		int64_t purpose, one_of;
		const char *hint;
	} needs[] = {
		{ INT64_C(1) << OID_EKU_EMAIL,
		  KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT,
		  "add digitalSignature to usage.key" },
		{ INT64_C(1) << OID_EKU_CLIENT, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT,
		  "add digitalSignature to usage.key" },
		{ INT64_C(1) << OID_EKU_SERVER, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT,
		  "add digitalSignature to usage.key" },
		{ INT64_C(1) << OID_EKU_CODE, KU_DIGITAL_SIGNATURE,
		  "add digitalSignature to usage.key" },
		{ INT64_C(1) << OID_EKU_TIME, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		  "add digitalSignature to usage.key" },
		{ INT64_C(1) << OID_EKU_DOCUMENT, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		  "add digitalSignature to usage.key" },
	};
	/* clang-format on */
	const struct value *usage = &s->usage.key, *eku = &s->usage.extended;
	const struct node *at;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(needs) && usage->ok && eku->ok; i++) {
		if ((eku->n & needs[i].purpose) == 0 ||
		    (usage->n & needs[i].one_of) != 0)
			continue;
		at = entry_of(eku, eku_words, needs[i].purpose);
		err_at(&e, ERR_INVALID, "policy-usage-purpose",
		    "RFC 5280 4.2.1.12", where_of(l, at),
		    "no usage in usage.key serves %s",
		    word_of_bit(eku_words, needs[i].purpose));
		report(l, at->width, &e, "%s", needs[i].hint);
	}
}

/* RFC 3161 2.3: timeStamping is critical and alone. */
static void
check_time_stamping(struct load *l, const struct said_policy *s)
{
	const int64_t time = INT64_C(1) << OID_EKU_TIME;
	const struct value *eku = &s->usage.extended;
	const struct node *at;
	struct err e;

	if (!eku->ok || (eku->n & time) == 0 || eku->n == time)
		return;
	at = entry_of(eku, eku_words, time);
	err_at(&e, ERR_INVALID, "policy-purpose-alone", "RFC 3161 2.3",
	    where_of(l, at), "timeStamping stands alone in a certificate");
	report(l, at->width, &e,
	    "delete the others, or give it a policy of its own");
}

static void
check_critical(struct load *l, const struct said_policy *s)
{
	const struct value *v = &s->usage.critical;
	struct err e;

	if (!v->ok || (v->n & 1) != 0)
		return;
	err_at(&e, ERR_DENIED, "policy-critical", "RFC 5280 4.2.1.3",
	    where_of(l, v->at),
	    "keyUsage is always critical: this list can add "
	    "to that, not take it away");
	report(l, v->at->width, &e, "write [key], or delete critical");
}

/* The signer holds it, whatever a policy says. */
static void
check_distinct(struct load *l, const struct said_policy *s)
{
	const struct value *v = &s->endorsement.distinct_from;
	struct err e;

	if (!v->ok || v->n == 3)
		return;
	err_at(&e, ERR_DENIED, "policy-distinct", "Ley 19.799 art. 9",
	    where_of(l, v->at),
	    "who endorses is always another person than holder and operator: "
	    "this list cannot take that away");
	report(l, v->at->width, &e,
	    "write [holder, operator], or delete the key");
}

static void
check_cert_policies(struct load *l, const struct said_policy *s)
{
	const struct said_cert_policy *cp = s->certificate_policies.items;
	struct err e;

	for (size_t i = 0; i < s->certificate_policies.count; i++) {
		const struct value *cps = &cp[i].cps, *oid = &cp[i].oid;

		if (cps->ok && cps->given &&
		    strncmp((const char *)cps->text.p, "http://", 7) != 0 &&
		    strncmp((const char *)cps->text.p, "https://", 8) != 0) {
			err_at(&e, ERR_INVALID, "policy-cps",
			    "RFC 5280 4.2.1.4", where_of(l, cps->at),
			    "%s is no address of a page",
			    (const char *)cps->text.p);
			report(l, cps->at->width, &e,
			    "begin it with http:// or https://");
		} else if (cps->ok && cps->given &&
			   !ascii_printable(cps->text)) {
			err_at(&e, ERR_INVALID, "policy-cps-ascii",
			    "RFC 5280 4.2.1.4", where_of(l, cps->at),
			    "an address is plain ASCII in certificates");
			report(l, cps->at->width, &e,
			    "write other characters as %%C3%%B1");
		}
		for (size_t j = 0; j < i && oid->ok; j++) {
			if (!cp[j].oid.ok ||
			    !bytes_eq(oid_bytes(&cp[j].oid.oid),
				oid_bytes(&oid->oid)))
				continue;
			err_at(&e, ERR_INVALID, "policy-oid-twice",
			    "RFC 5280 4.2.1.4", where_of(l, oid->at),
			    "this certificate policy stands twice");
			report(l, oid->at->width, &e, "delete one of the two");
		}
	}
}

/* A delta that lives as long as the complete list says nothing sooner. */
static void
check_delta(struct load *l, const struct said_policy *s)
{
	const struct value *delta = &s->status.crl.delta;
	const struct value *every = &s->status.crl.every;
	char b[24];
	struct err e;

	if (!delta->given || !delta->ok || !every->ok || delta->n < every->n)
		return;
	duration_print(b, every->n);
	err_at(&e, ERR_INVALID, "policy-delta-every", "RFC 5280 5.2.4",
	    where_of(l, delta->at),
	    "a delta CRL every %s is no sooner than the complete one, which "
	    "comes every %s",
	    (const char *)delta->at->text.p, b);
	report(l, delta->at->width, &e, "write less than %s", b);
}

void
policy_check(struct load *l, const struct said_policy *s)
{
	policy_check_names(l, s);
	policy_check_holder(l, s);
	check_cert_policies(l, s);
	check_validity(l, s);
	check_usage_keys(l, s);
	check_usage_purpose(l, s);
	check_time_stamping(l, s);
	check_critical(l, s);
	check_distinct(l, s);
	check_delta(l, s);
	policy_check_parts(l, s);
}

/* --- Ceilings ------------------------------------------------------------------- */

static void
ceiling_duration(struct load *l, const struct value *v, int64_t got,
    int64_t ceiling)
{
	char a[24], b[24];
	struct err e;

	if (!v->ok || got <= ceiling)
		return;
	duration_print(b, ceiling);
	duration_print(a, got);
	err_at(&e, ERR_DENIED, "policy-ceiling", "signer.yaml",
	    where_of(l, v->at), "%s is longer than the ceiling of %s",
	    v->given && got == v->n ? (const char *)v->at->text.p : a, b);
	if (got == v->n)
		report(l, v->at->width, &e, "write %s%s", b,
		    ceiling > 0 ? " or less" : "");
	else
		report(l, v->at->width, &e,
		    "crl.every and crl.overlap together "
		    "may be %s or less",
		    b);
}

static void
ceiling_words(struct load *l, const struct value *v, const struct word *words,
    int64_t ceiling)
{
	char list[160];
	struct err e;

	if (!v->ok)
		return;
	words_of_bits(words, ceiling, list, sizeof(list));
	for (const struct word *w = words; w->word != NULL; w++) {
		const struct node *at;

		if ((v->n & w->value & ~ceiling) == 0)
			continue;
		at = entry_of(v, words, w->value);
		err_at(&e, ERR_DENIED, "policy-ceiling-word", "signer.yaml",
		    where_of(l, at), "the ceilings do not allow %s", w->word);
		report(l, at->width, &e, "allowed: %s", list);
	}
}

void
policy_check_ceilings(struct load *l, const struct said_policy *s,
    const struct ceilings *c)
{
	const struct value *every = &s->status.crl.every;
	const struct value *overlap = &s->status.crl.overlap;

	ceiling_words(l, &s->keys.allowed, key_words, c->keys);
	if (!policy_is_ca(s)) {
		/* The law's limit is for holders. */
		ceiling_duration(l, &s->validity.usual, s->validity.usual.n,
		    c->validity_max_s);
		ceiling_duration(l, &s->validity.max, s->validity.max.n,
		    c->validity_max_s);
		ceiling_words(l, &s->usage.key, usage_words, c->key_usage);
		ceiling_words(l, &s->usage.extended, eku_words, c->eku);
		policy_check_parts_ceilings(l, s, c);
	}
	ceiling_duration(l, &s->validity.backdate, s->validity.backdate.n,
	    c->backdate_max_s);
	ceiling_duration(l, &s->endorsement.statement_ttl,
	    s->endorsement.statement_ttl.n, c->statement_max_s);
	ceiling_duration(l, &s->status.ocsp.validity, s->status.ocsp.validity.n,
	    c->ocsp_max_s);
	if (every->ok && overlap->ok)
		ceiling_duration(l, every->given ? every : overlap,
		    every->n + overlap->n, c->crl_max_s);
}
