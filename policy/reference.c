/*
 * reference - the page of all three kinds of file, from their rows.
 */
#include "internal.h"

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
	put_cell(out, range);
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
	for (int f = 0; f < FACTS_ALL; f++)
		buf_putf(out, "%s `{%s%s}`", f > 0 ? "," : "",
		    policy_fact_name((enum policy_fact)f),
		    f == FACT_ATTRIBUTE ? "NAME" : "");
	buf_puts(out, ".\n\nFacts for conditions:\n\n");
	expr_reference(out);
	buf_puts(out, "\nWords that are known and refused today:\n\n"
		      "| word | what to do |\n|---|---|\n");
	put_refused(out, "", &policy_table);
	put_page(out, "The ceilings: `signer.yaml`", &ceilings_table);
	put_page(out, "The configuration: `refrendo.yaml`", &config_table);
}
