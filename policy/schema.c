/*
 * schema - the rows once more, as JSON Schema draft-07 for editors.  It helps
 * while typing; `refrendo policy check` decides.
 */
#include "internal.h"

static void put_table(struct buf *out, const struct table *t, int depth);

static void
put_indent(struct buf *out, int depth)
{
	buf_putc(out, '\n');
	for (int i = 0; i < depth; i++)
		buf_putc(out, ' ');
}

static void
put_pattern(struct buf *out, const char *pattern)
{
	buf_puts(out, "\"type\": \"string\", \"pattern\": ");
	json_put_string(out, bytes_str(pattern));
}

static void
put_enum(struct buf *out, const struct word *words)
{
	const char *before = "\"enum\": [";

	for (; words->word != NULL; words++) {
		if (words->refused != NULL)
			continue;
		buf_puts(out, before);
		json_put_string(out, bytes_str(words->word));
		before = ", ";
	}
	buf_puts(out, "]");
}

static void
put_subject(struct buf *out)
{
	const char *before = "";

	buf_puts(out, "\"type\": \"object\", \"additionalProperties\": false, "
		      "\"minProperties\": 1, \"properties\": {");
	for (size_t i = 0; i < n_subject_words; i++) {
		buf_puts(out, before);
		json_put_string(out, bytes_str(subject_words[i]));
		buf_puts(out, ": {\"type\": \"string\", \"minLength\": 1}");
		before = ", ";
	}
	buf_puts(out, "}");
}

/* The members that constrain one value. */
static void
put_type(struct buf *out, const struct row *r, int depth)
{
	long long min = r->min, max = r->max;

	switch (r->type) {
	case T_TEXT:
		buf_putf(out,
		    "\"type\": \"string\", \"minLength\": %lld, "
		    "\"maxLength\": %lld",
		    min, max);
		return;
	case T_SLUG:
		put_pattern(out, "^[a-z0-9]+(-[a-z0-9]+)*$");
		return;
	case T_INT:
		buf_putf(out,
		    "\"type\": \"integer\", \"minimum\": %lld, "
		    "\"maximum\": %lld",
		    min, max);
		return;
	case T_BOOL:
		buf_puts(out, "\"type\": \"boolean\"");
		return;
	case T_DURATION:
		put_pattern(out, "^(0|[1-9][0-9]*)[smhdy]$");
		return;
	case T_PERCENT:
		put_pattern(out, "^[1-9][0-9]*%$");
		return;
	case T_SIZE:
		put_pattern(out, "^[1-9][0-9]*[KMG]iB$");
		return;
	case T_OID:
		put_pattern(out, "^[0-2](\\.(0|[1-9][0-9]*))+$");
		return;
	case T_REF:
		put_pattern(out, "^[a-z0-9]+(-[a-z0-9]+)*@[1-9][0-9]*$");
		return;
	case T_WORD:
		put_enum(out, r->words);
		return;
	case T_WORDS:
		buf_putf(out,
		    "\"type\": \"array\", \"uniqueItems\": true, "
		    "\"minItems\": %lld, \"items\": {",
		    min);
		put_enum(out, r->words);
		buf_puts(out, "}");
		return;
	case T_INTS:
		buf_putf(out,
		    "\"type\": \"array\", \"maxItems\": 16, \"items\": "
		    "{\"type\": \"integer\", \"minimum\": %lld, \"maximum\": "
		    "%lld}",
		    min, max);
		return;
	case T_TMPL:
		buf_puts(out, "\"type\": \"string\", \"minLength\": 1");
		return;
	case T_SUBJECT:
		put_subject(out);
		return;
	case T_MAP:
		put_table(out, r->sub, depth);
		return;
	case T_LIST:
		buf_putf(out,
		    "\"type\": \"array\", \"minItems\": %lld, \"maxItems\": "
		    "%lld, \"items\": {",
		    min, max);
		put_table(out, r->sub, depth);
		buf_puts(out, "}");
		return;
	}
	fatal("put_type: no such type");
}

static void
put_required(struct buf *out, const struct table *t)
{
	const char *before = "\"required\": [";
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		if ((t->rows[i].flags & REQUIRED) == 0)
			continue;
		buf_puts(out, before);
		json_put_string(out, bytes_str(t->rows[i].key));
		before = ", ";
		any = true;
	}
	buf_puts(out, any ? "], " : "");
}

static void
put_table(struct buf *out, const struct table *t, int depth)
{
	const char *before = "";

	buf_puts(out,
	    "\"type\": \"object\", \"additionalProperties\": false, ");
	put_required(out, t);
	buf_puts(out, "\"properties\": {");
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];

		/* What a later version has is no help today. */
		if ((r->flags & LATER) != 0)
			continue;
		buf_puts(out, before);
		put_indent(out, depth + 1);
		json_put_string(out, bytes_str(r->key));
		buf_puts(out, ": {\"description\": ");
		json_put_string(out, bytes_str(r->doc));
		buf_puts(out, ", ");
		put_type(out, r, depth + 1);
		buf_puts(out, "}");
		before = ",";
	}
	put_indent(out, depth);
	buf_puts(out, "}");
}

void
policy_schema(struct buf *out, enum policy_kind kind)
{
	const struct table *t = kind == POLICY_KIND_POLICY     ? &policy_table
				: kind == POLICY_KIND_CEILINGS ? &ceilings_table
							       : &config_table;

	buf_puts(out, "{\"$schema\": "
		      "\"http://json-schema.org/draft-07/schema#\",\n"
		      "\"title\": ");
	json_put_string(out, bytes_str(t->what));
	buf_puts(out, ",\n");
	put_table(out, t, 0);
	buf_puts(out, "}\n");
}
