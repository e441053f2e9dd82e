/*
 * print - a policy as it is after defaults and narrowing, in YAML that loads
 * to the same.
 */
#include "internal.h"

static void
put_tmpl(struct buf *out, const struct tmpl *t)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);

	for (size_t i = 0; i < t->n; i++) {
		const struct tmpl_part *part = &t->part[i];

		if (part->fact < 0)
			buf_put(&text, part->literal.p, part->literal.len);
		else
			buf_putf(&text, "{%s%.*s}",
			    policy_fact_name((enum policy_fact)part->fact),
			    BYTES_FMT(part->literal));
	}
	json_put_string(out, buf_bytes(&text));
}

static void
put_words(struct buf *out, const struct word *words, int64_t bits)
{
	const char *before = "[";

	for (; words->word != NULL; words++) {
		if (words->refused != NULL || (words->value & bits) == 0)
			continue;
		buf_puts(out, before);
		buf_puts(out, words->word);
		before = ", ";
	}
	buf_puts(out, "]");
}

static void
put_duration(struct buf *out, const char *key, int64_t s)
{
	char text[24];

	duration_print(text, s);
	buf_puts(out, key);
	buf_puts(out, text);
}

static void
put_quoted(struct buf *out, const char *key, struct bytes text)
{
	buf_puts(out, key);
	json_put_string(out, text);
}

static void
put_oid(struct buf *out, const char *key, const struct oid *o)
{
	char text[128];

	oid_print(text, sizeof(text), oid_bytes(o));
	buf_puts(out, key);
	buf_puts(out, text);
}

/* --- Names ------------------------------------------------------------------------ */

static const char *
string_word(enum name_string s)
{
	return s == STRING_UTF8        ? "utf8"
	       : s == STRING_PRINTABLE ? "printable"
				       : "ia5";
}

static void
put_attr(struct buf *out, const struct subject_attr *a)
{
	size_t most = name_attr_max(a->type);

	if (a->string == STRING_USUAL && a->max == most && !a->clip) {
		put_tmpl(out, &a->value);
		return;
	}
	buf_puts(out, "{value: ");
	put_tmpl(out, &a->value);
	if (a->string != STRING_USUAL)
		buf_putf(out, ", string: %s", string_word(a->string));
	buf_putf(out, ", max: %zu, too_long: %s}", a->max,
	    a->clip ? "clip" : "refuse");
}

static const char *
alt_word(enum name_kind kind)
{
	static const char *const words[NAME_KINDS] = {
		[GN_EMAIL] = "email",
		[GN_OTHER_IA5] = "ia5",
		[GN_URI] = "uri",
		[GN_DNS] = "dns",
		[GN_OTHER_UTF8] = "utf8",
		[GN_OTHER_PRINTABLE] = "printable",
		[GN_IP] = "ip",
		[GN_DIRECTORY] = "directory",
	};

	return words[kind];
}

static bool
is_other(enum name_kind kind)
{
	return kind == GN_OTHER_IA5 || kind == GN_OTHER_UTF8 ||
	       kind == GN_OTHER_PRINTABLE;
}

static void
put_alt(struct buf *out, const struct alt_name *a)
{
	const char *before = "";

	buf_puts(out, "    - {");
	if (is_other(a->kind)) {
		put_oid(out, "other: ", &a->other);
		buf_puts(out, ", ");
	}
	buf_putf(out, "%s: ", alt_word(a->kind));
	if (a->kind != GN_DIRECTORY) {
		put_tmpl(out, &a->value);
		buf_puts(out, "}\n");
		return;
	}
	buf_puts(out, "{");
	for (size_t i = 0; i < a->n_directory; i++) {
		buf_putf(out, "%s%s: ", before,
		    name_attr_word(a->directory[i].type));
		put_attr(out, &a->directory[i]);
		before = ", ";
	}
	buf_puts(out, "}}\n");
}

static void
put_alts(struct buf *out, const char *key, const struct alt_name *a, size_t n)
{
	buf_putf(out, n > 0 ? "  %s:\n" : "  %s: []\n", key);
	for (size_t i = 0; i < n; i++)
		put_alt(out, &a[i]);
}

static void
put_names(struct buf *out, const struct policy *p)
{
	buf_puts(out, "subject:\n");
	for (size_t i = 0; i < p->n_subject; i++) {
		buf_putf(out, "  %s: ", name_attr_word(p->subject[i].type));
		put_attr(out, &p->subject[i]);
		buf_putc(out, '\n');
	}
	buf_puts(out, "names:\n");
	put_alts(out, "subject_alt", p->san, p->n_san);
	put_alts(out, "issuer_alt", p->ian, p->n_ian);
	buf_puts(out, p->n_certificate_policy > 0
			  ? "certificate_policies:\n"
			  : "certificate_policies: []\n");
	for (size_t i = 0; i < p->n_certificate_policy; i++) {
		const struct cert_policy *cp = &p->certificate_policy[i];

		put_oid(out, "  - oid: ", &cp->oid);
		buf_putc(out, '\n');
		if (cp->cps.len > 0) {
			put_quoted(out, "    cps: ", cp->cps);
			buf_putc(out, '\n');
		}
		if (cp->notice.len > 0) {
			put_quoted(out, "    notice: ", cp->notice);
			buf_putc(out, '\n');
		}
	}
}

/* --- Holders and conditions ---------------------------------------------------------- */

/* Those of a chain as one: each must be true. */
static void
put_when(struct buf *out, const struct policy *p)
{
	struct buf text AUTO_BUF = BUF(WHENS_MAX * 2 * EXPR_TEXT_MAX);

	expr_print_all(&text, p->when, p->n_when);
	json_put_string(out, buf_bytes(&text));
}

static void
put_holders(struct buf *out, const struct policy *p)
{
	if (p->person_kinds != 0 || p->institution_kinds != 0 || p->n_when > 0)
		buf_puts(out, "holders:\n");
	if (p->person_kinds != 0) {
		buf_puts(out, "  kinds: ");
		put_words(out, holder_person_words, p->person_kinds);
		buf_putc(out, '\n');
	}
	if (p->institution_kinds != 0) {
		buf_puts(out, "  institutions: ");
		put_words(out, holder_institution_words, p->institution_kinds);
		buf_putc(out, '\n');
	}
	if (p->n_when > 0) {
		buf_puts(out, "  when: ");
		put_when(out, p);
		buf_putc(out, '\n');
	}
	buf_puts(out,
	    p->n_condition > 0 ? "conditions:\n" : "conditions: []\n");
	for (size_t i = 0; i < p->n_condition; i++) {
		const struct policy_condition *c = &p->condition[i];
		struct buf text AUTO_BUF = BUF(2 * EXPR_TEXT_MAX);

		expr_print(&text, c->expr);
		put_quoted(out, "  - must: ", buf_bytes(&text));
		put_quoted(out, "\n    say: ", c->say);
		put_quoted(out, "\n    es: ", c->es);
		buf_putc(out, '\n');
	}
}

/* --- Keys, time, usages ----------------------------------------------------------------- */

static void
put_usage(struct buf *out, const struct policy *p)
{
	char zone[ZONE_TEXT];
	int64_t eku = 0;

	for (size_t i = 0; i < p->n_eku; i++)
		eku |= INT64_C(1) << p->eku[i];
	buf_puts(out, "keys: {modes: [csr], allowed: ");
	put_words(out, key_words, p->keys);
	buf_putf(out, ", reuse: %s}\n",
	    p->reuse == REUSE_FORBID ? "forbid" : "same-person");
	put_duration(out, "validity: {default: ", p->default_s);
	put_duration(out, ", max: ", p->max_s);
	put_duration(out, ", backdate: ", p->backdate_s);
	put_duration(out, ", renew_window: ", p->renew_window_s);
	if (p->overlap_s > 0)
		put_duration(out, ", overlap: ", p->overlap_s);
	if (p->ends != NEVER)
		buf_putf(out, ", ends: \"%s\"", p->ends_text);
	zone_print(zone, &p->zone);
	buf_putf(out, ", zone: \"%s\", issuer: %s}\nusage: {key: ", zone,
	    p->issuer_refuse ? "refuse" : "clip");
	put_words(out, usage_words, p->key_usage);
	if (p->n_eku > 0) {
		buf_puts(out, ", extended: ");
		put_words(out, eku_words, eku);
	}
	buf_puts(out, ", critical: [key]}\n");
}

/* --- Statements, extensions, CAs ----------------------------------------------------------- */

static void
put_qc(struct buf *out, const struct qc_statements *q)
{
	const char *before = "  countries: [";

	if (!qc_present(q))
		return;
	buf_puts(out, "qc_statements:\n");
	if (q->compliance)
		buf_puts(out, "  compliance: true\n");
	if (q->sscd)
		buf_puts(out, "  sscd: true\n");
	if (q->types != 0) {
		buf_puts(out, "  types: ");
		put_words(out, qc_words, q->types);
		buf_putc(out, '\n');
	}
	if (q->retention_years != 0)
		buf_putf(out, "  retention: %lld\n",
		    (long long)q->retention_years);
	if (q->currency[0] != '\0')
		buf_putf(out,
		    "  limit: {currency: \"%s\", amount: %lld, exponent: "
		    "%lld}\n",
		    q->currency, (long long)q->amount, (long long)q->exponent);
	for (size_t i = 0; i < q->n_pds; i++) {
		put_quoted(out,
		    i == 0 ? "  pds:\n    - {url: " : "    - {url: ",
		    q->pds[i].url);
		buf_putf(out, ", lang: \"%s\"}\n", q->pds[i].lang);
	}
	for (size_t i = 0; i < q->n_country; i++) {
		buf_putf(out, "%s\"%s\"", before, q->country[i]);
		before = ", ";
	}
	if (q->n_country > 0)
		buf_puts(out, "]\n");
	for (int64_t i = 1; i <= 2; i++) {
		struct oid known = qc_semantics(i);

		if (bytes_eq(oid_bytes(&known), oid_bytes(&q->semantics)))
			buf_putf(out, "  semantics: %s\n",
			    i == 1 ? "natural" : "legal");
	}
}

static void
put_extensions(struct buf *out, const struct policy *p)
{
	buf_puts(out, p->n_extension > 0 ? "extensions:\n" : "");
	for (size_t i = 0; i < p->n_extension; i++) {
		const struct policy_extension *x = &p->extension[i];
		char hex[HEX_LEN(256)];

		put_oid(out, "  - {oid: ", &x->oid);
		buf_putf(out, ", critical: %s, der: {",
		    x->critical ? "true" : "false");
		if (x->tag == 0) {
			hex_print(hex, x->der);
			buf_putf(out, "hex: \"%s\"}}\n", hex);
			continue;
		}
		buf_puts(out, x->tag == DER_UTF8_STRING  ? "utf8: "
			      : x->tag == DER_IA5_STRING ? "ia5: "
							 : "printable: ");
		put_tmpl(out, &x->value);
		buf_puts(out, "}}\n");
	}
}

static void
put_range(struct buf *out, struct bytes range)
{
	size_t half = range.len / 2, bits = 0;

	for (size_t i = half; i < range.len; i++) {
		for (int b = 7; b >= 0; b--)
			bits += range.p[i] >> b & 1;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < half; i += half == 4 ? 1 : 2) {
		if (half == 4)
			buf_putf(out, "%s%u", i > 0 ? "." : "", range.p[i]);
		else
			buf_putf(out, "%s%x", i > 0 ? ":" : "",
			    range.p[i] << 8 | range.p[i + 1]);
	}
	buf_putf(out, "/%zu\"", bits);
}

static void
put_directory(struct buf *out, struct bytes name)
{
	const char *before = "{";
	const uint8_t *last = name.p;

	for (;;) {
		struct bytes next = BYTES_NONE;
		enum pkix_oid type = OID_C;

		/* In encoding order: what stands next behind the last. */
		for (size_t i = 0; i < n_subject_types; i++) {
			struct bytes v = name_find(name, subject_types[i]);

			if (v.len == 0 || v.p <= last ||
			    (next.len > 0 && v.p > next.p))
				continue;
			next = v;
			type = subject_types[i];
		}
		if (next.len == 0)
			break;
		buf_putf(out, "%s%s: ", before, name_attr_word(type));
		json_put_string(out, next);
		before = ", ";
		last = next.p;
	}
	buf_puts(out, "}");
}

static void
put_subtrees(struct buf *out, const char *key, const struct general_name *g,
    size_t n)
{
	buf_putf(out, n > 0 ? "  %s:\n" : "  %s: []\n", key);
	for (size_t i = 0; i < n; i++) {
		buf_putf(out, "    - {%s: ", alt_word(g[i].kind));
		if (g[i].kind == GN_IP)
			put_range(out, g[i].value);
		else if (g[i].kind == GN_DIRECTORY)
			put_directory(out, g[i].value);
		else
			json_put_string(out, g[i].value);
		buf_puts(out, "}\n");
	}
}

static void
put_subordinate(struct buf *out, const struct policy *p)
{
	const struct name_constraints *c = &p->constraints;

	if (!p->subordinate)
		return;
	buf_putf(out, "subordinate:\n  path_length: %d\n", p->path_length);
	put_subtrees(out, "permitted", c->permitted, c->n_permitted);
	put_subtrees(out, "excluded", c->excluded, c->n_excluded);
}

/* --- The rest -------------------------------------------------------------------------------- */

static const char *
right_word(enum revoke_right r)
{
	return r == RIGHT_NONE      ? "none"
	       : r == RIGHT_PROPOSE ? "propose"
				    : "immediate";
}

static void
put_acts(struct buf *out, const struct policy *p)
{
	buf_putf(out,
	    "endorsement: {required: %lld, evidence: [cms], "
	    "authenticator: any, distinct_from: [holder, operator]",
	    (long long)p->required);
	put_duration(out, ", request_ttl: ", p->request_ttl_s);
	put_duration(out, ", statement_ttl: ", p->statement_ttl_s);
	buf_putf(out,
	    ", batch_max: %lld, renewal: %s}\nrevocation: {holder: %s, "
	    "operator: %s",
	    (long long)p->batch_max,
	    p->renewal == RENEWAL_REKEY     ? "mandate-rekey"
	    : p->renewal == RENEWAL_MANDATE ? "mandate"
					    : "fresh",
	    right_word(p->holder_right), right_word(p->operator_right));
	put_duration(out, ", suspend_max: ", p->suspend_max_s);
}

void
policy_print(struct buf *out, const struct policy *p)
{
	buf_putf(out, "policy: \"%s\"\nversion: %lld\n%sissuer: \"%s\"\n",
	    p->name, (long long)p->version, p->base ? "base: true\n" : "",
	    p->issuer);
	put_holders(out, p);
	put_names(out, p);
	put_usage(out, p);
	put_qc(out, &p->qc);
	put_extensions(out, p);
	put_subordinate(out, p);
	put_acts(out, p);
	put_duration(out,
	    "}\nstatus:\n  ocsp: {validity: ", p->ocsp_validity_s);
	buf_putf(out, ", refresh: %d%%, nonce: %s", p->ocsp_refresh_percent,
	    p->ocsp_nonce ? "true" : "false");
	put_duration(out, ", archive_cutoff: ", p->ocsp_archive_s);
	buf_puts(out, "}\n");
	put_duration(out, "  crl: {every: ", p->crl_every_s);
	buf_putf(out, ", on_revoke: %s", p->crl_on_revoke ? "true" : "false");
	put_duration(out, ", overlap: ", p->crl_overlap_s);
	if (p->crl_partition > 0)
		buf_putf(out, ", partition: %lld", (long long)p->crl_partition);
	if (p->crl_delta_s > 0)
		put_duration(out, ", delta: ", p->crl_delta_s);
	buf_puts(out, "}\nnotify: {before_end: [");
	for (size_t i = 0; i < p->n_notify; i++)
		put_duration(out, i > 0 ? ", " : "", p->notify_s[i]);
	buf_puts(out, "]}\n");
}
