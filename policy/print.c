/*
 * print - a policy as it is after defaults, in YAML that loads to the same;
 * and the reference page of all three kinds of file, from their rows.
 */
#include "internal.h"

static void
put_tmpl(struct buf *out, const struct tmpl *t)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);

	for (size_t i = 0; i < t->n; i++) {
		if (t->part[i].fact < 0)
			buf_put(&text, t->part[i].literal.p,
			    t->part[i].literal.len);
		else
			buf_putf(&text, "{%s}",
			    policy_fact_name(
				(enum policy_fact)t->part[i].fact));
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
put_alts(struct buf *out, const char *key, const struct alt_name *a, size_t n)
{
	char oid[128];

	buf_putf(out, n > 0 ? "  %s:\n" : "  %s: []\n", key);
	for (size_t i = 0; i < n; i++) {
		if (a[i].kind == GN_EMAIL) {
			buf_puts(out, "    - {email: ");
		} else {
			oid_print(oid, sizeof(oid), oid_bytes(&a[i].other));
			buf_putf(out, "    - {other: %s, ia5: ", oid);
		}
		put_tmpl(out, &a[i].value);
		buf_puts(out, "}\n");
	}
}

static void
put_names(struct buf *out, const struct policy *p)
{
	char oid[128];

	buf_puts(out, "subject:\n");
	for (size_t i = 0; i < p->n_subject; i++) {
		buf_putf(out, "  %s: ", name_attr_word(p->subject[i].type));
		put_tmpl(out, &p->subject[i].value);
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

		oid_print(oid, sizeof(oid), oid_bytes(&cp->oid));
		buf_putf(out, "  - oid: %s\n", oid);
		if (cp->cps.len > 0) {
			buf_puts(out, "    cps: ");
			json_put_string(out, cp->cps);
			buf_putc(out, '\n');
		}
		if (cp->notice.len > 0) {
			buf_puts(out, "    notice: ");
			json_put_string(out, cp->notice);
			buf_putc(out, '\n');
		}
	}
}

static void
put_usage(struct buf *out, const struct policy *p)
{
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
	buf_puts(out, "}\nusage: {key: ");
	put_words(out, usage_words, p->key_usage);
	buf_puts(out, ", extended: ");
	put_words(out, eku_words, eku);
	buf_puts(out, ", critical: [key]}\n");
}

static const char *
right_word(enum revoke_right r)
{
	return r == RIGHT_NONE      ? "none"
	       : r == RIGHT_PROPOSE ? "propose"
				    : "immediate";
}

void
policy_print(struct buf *out, const struct policy *p)
{
	buf_putf(out, "policy: \"%s\"\nversion: %lld\n%sissuer: \"%s\"\n",
	    p->name, (long long)p->version, p->base ? "base: true\n" : "",
	    p->issuer);
	put_names(out, p);
	put_usage(out, p);
	buf_putf(out,
	    "endorsement: {required: %lld, evidence: [cms], "
	    "authenticator: any",
	    (long long)p->required);
	put_duration(out, ", request_ttl: ", p->request_ttl_s);
	put_duration(out, ", statement_ttl: ", p->statement_ttl_s);
	buf_putf(out,
	    ", renewal: fresh}\nrevocation: {holder: %s, operator: %s",
	    right_word(p->holder_right), right_word(p->operator_right));
	put_duration(out, ", suspend_max: ", p->suspend_max_s);
	put_duration(out,
	    "}\nstatus:\n  ocsp: {validity: ", p->ocsp_validity_s);
	buf_putf(out, ", refresh: %d%%, nonce: false}\n",
	    p->ocsp_refresh_percent);
	put_duration(out, "  crl: {every: ", p->crl_every_s);
	buf_putf(out, ", on_revoke: %s", p->crl_on_revoke ? "true" : "false");
	put_duration(out, ", overlap: ", p->crl_overlap_s);
	buf_puts(out, "}\n");
}

/* --- The reference page ------------------------------------------------------------- */

static void
put_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_putc(out, '\\');
		buf_putc(out, (uint8_t)*text);
	}
}

static void
put_row(struct buf *out, const char *path, const struct row *r)
{
	char range[160];

	row_range(r, range, sizeof(range));
	buf_putf(out, "| `%s%s` | ", path, r->key);
	put_cell(out, (r->flags & LATER) != 0 ? "a later version" : range);
	buf_puts(out, " | ");
	if ((r->flags & REQUIRED) != 0)
		buf_puts(out, "**required**");
	else if (r->usual != NULL)
		buf_putf(out, "`%s`", r->usual);
	buf_puts(out, " | ");
	put_cell(out, r->doc);
	if (r->rule != NULL)
		buf_putf(out, " (%s)", r->rule);
	buf_puts(out, " |\n");
}

static void
put_table(struct buf *out, const char *path, const struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		char below[128];

		put_row(out, path, r);
		snprintf(below, sizeof(below), "%s%s%s.", path, r->key,
		    r->type == T_LIST ? "[]" : "");
		if (r->sub != NULL)
			put_table(out, below, r->sub);
	}
}

static void
put_refused(struct buf *out, const char *path, const struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		char below[128];

		for (const struct word *w = r->words; w && w->word; w++) {
			if (w->refused == NULL)
				continue;
			buf_putf(out, "| `%s%s: %s` | ", path, r->key, w->word);
			put_cell(out, w->refused);
			buf_puts(out, " |\n");
		}
		snprintf(below, sizeof(below), "%s%s.", path, r->key);
		if (r->sub != NULL)
			put_refused(out, below, r->sub);
	}
}

static void
put_page(struct buf *out, const char *title, const struct table *t)
{
	buf_putf(out,
	    "\n## %s\n\n"
	    "| key | value | default | what it says |\n"
	    "|---|---|---|---|\n",
	    title);
	put_table(out, "", t);
}

void
policy_reference(struct buf *out)
{
	buf_puts(out, "# Policies, ceilings, configuration: every key\n\n"
		      "Generated from the rows that decode the files; renewed "
		      "by `test_policy_print` with `RENEW=1`. The rules\n"
		      "behind them are told in "
		      "[policy-guide.md](policy-guide.md).\n");
	put_page(out, "A policy: `policies/*.yaml`", &policy_table);
	buf_puts(out, "\nFacts for templates:");
	for (int f = 0; f < FACT_COUNT; f++)
		buf_putf(out, "%s `{%s}`", f > 0 ? "," : "",
		    policy_fact_name((enum policy_fact)f));
	buf_puts(out, ".\n\nFacts for conditions:\n\n");
	expr_reference(out);
	buf_puts(out, "\nWords that are known and refused today:\n\n"
		      "| word | what to do |\n|---|---|\n");
	put_refused(out, "", &policy_table);
	buf_puts(out,
	    "| `issuer: institution` | one issuing CA per institution "
	    "belongs to a later version; name an issuer of "
	    "refrendo.yaml |\n");
	put_page(out, "The ceilings: `signer.yaml`", &ceilings_table);
	put_page(out, "The configuration: `refrendo.yaml`", &config_table);
}
