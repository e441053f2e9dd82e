/*
 * schema - the rows once more, as JSON Schema draft-07 for editors.  It helps
 * while typing; `refrendo policy check` decides.
 */
#include "internal.h"

/* A text with the facts that there are, each in its braces. */
#define TMPL_PATTERN                                                           \
	"^([^{}\\u0000-\\u001f]|\\{(person\\.(run|name|office|email|kind|"     \
	"attribute\\.[a-z][a-z0-9_-]{0,31})|institution\\.(name|rut|kind))\\}" \
	")"                                                                    \
	"+$"

static void put_table(struct buf *out, const struct table *t, int depth,
    bool whole);

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

/* An attribute: its text, or a map with it. */
static void
put_subject(struct buf *out, int depth)
{
	const char *before = "";

	buf_puts(out, "\"type\": \"object\", \"additionalProperties\": false, "
		      "\"minProperties\": 1, \"maxProperties\": 12, "
		      "\"properties\": {");
	for (size_t i = 0; i < n_subject_types; i++) {
		buf_puts(out, before);
		put_indent(out, depth + 1);
		json_put_string(out,
		    bytes_str(name_attr_word(subject_types[i])));
		buf_puts(out, ": {\"$ref\": \"#/definitions/attribute\"}");
		before = ",";
	}
	buf_puts(out, "}");
}

/* The members that constrain one value. */
static void
put_type(struct buf *out, const struct row *r, int depth, bool whole)
{
	long long min = r->min, max = r->max;

	switch (r->type) {
	case T_TEXT:
		buf_putf(out, "\"minLength\": %lld, \"maxLength\": %lld, ", min,
		    max);
		put_pattern(out, "^[^\\u0000-\\u001f\\u007f-\\u009f]*$");
		return;
	case T_SLUG:
		buf_putf(out, "\"maxLength\": %lld, ", max);
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
		put_pattern(out, TMPL_PATTERN);
		return;
	case T_SUBJECT:
		put_subject(out, depth);
		return;
	case T_DATE:
		put_pattern(out, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
		return;
	case T_ZONE:
		put_pattern(out,
		    "^(UTC|America/Santiago|[+-][01][0-9]:[0-5][0-9])$");
		return;
	case T_EXPR:
		put_pattern(out, "^[^\\u0000-\\u001f]+$");
		return;
	case T_TEXTS:
		buf_putf(out,
		    "\"type\": \"array\", \"minItems\": 1, \"maxItems\": 16, "
		    "\"items\": {\"type\": \"string\", \"minLength\": %lld, "
		    "\"maxLength\": %lld}",
		    min, max);
		return;
	case T_SPANS:
		buf_putf(out,
		    "\"type\": \"array\", \"maxItems\": %d, \"items\": {",
		    NOTICES_MAX);
		put_pattern(out, "^(0|[1-9][0-9]*)[smhdy]$");
		buf_puts(out, "}");
		return;
	case T_MAP:
		put_table(out, r->sub, depth, whole);
		return;
	case T_LIST:
		buf_putf(out,
		    "\"type\": \"array\", \"minItems\": %lld, \"maxItems\": "
		    "%lld, \"items\": {",
		    min, max);
		put_table(out, r->sub, depth, true);
		buf_puts(out, "}");
		return;
	}
	fatal("put_type: no such type");
}

/* --- What no row says ----------------------------------------------------------- */

/* Exactly one of these forms; a form is one key or two. */
static const struct {
	const struct table *t;
	const char *form[9];
} one_of[] = {
	{ &alt_table, { "email", "dns", "ip", "uri", "directory", "other,ia5",
			  "other,utf8", "other,printable" } },
	{ &subtree_table, { "email", "dns", "uri", "ip", "directory" } },
	{ &der_table, { "utf8", "ia5", "printable", "hex" } },
};

static void
put_form(struct buf *out, const char *form, bool has_other)
{
	const char *comma = strchr(form, ',');

	if (comma != NULL)
		buf_putf(out, "{\"required\": [\"%.*s\", \"%s\"]}",
		    (int)(comma - form), form, comma + 1);
	else if (has_other)
		buf_putf(out,
		    "{\"required\": [\"%s\"], \"not\": {\"anyOf\": "
		    "[{\"required\": [\"other\"]}, {\"required\": "
		    "[\"ia5\"]}, {\"required\": [\"utf8\"]}, "
		    "{\"required\": [\"printable\"]}]}}",
		    form);
	else
		buf_putf(out, "{\"required\": [\"%s\"]}", form);
}

static void
put_one_of(struct buf *out, const struct table *t)
{
	for (size_t i = 0; i < ARRAY_LEN(one_of); i++) {
		const char *const *form = one_of[i].form;

		if (one_of[i].t != t)
			continue;
		buf_puts(out, "\"oneOf\": [");
		for (; *form != NULL; form++) {
			buf_puts(out, form == one_of[i].form ? "" : ", ");
			put_form(out, *form, t == &alt_table);
		}
		buf_puts(out, "], ");
	}
}

/* Rules of check.c that are about one value. */
static const struct {
	const struct table *t;
	const char *key, *rule;
} extra[] = {
	{ &policy_table, "issuer", "\"not\": {\"const\": \"institution\"}" },
	{ &endorsement_table, "distinct_from", "\"minItems\": 2" },
	{ &usage_table, "critical", "\"contains\": {\"const\": \"key\"}" },
	{ &usage_table, "extended",
	    "\"if\": {\"contains\": {\"const\": \"timeStamping\"}}, "
	    "\"then\": {\"maxItems\": 1}" },
	{ &cert_policy_table, "cps", "\"pattern\": \"^https?://[ -~]*$\"" },
	{ &der_table, "hex", "\"pattern\": \"^([0-9a-fA-F]{2})+$\"" },
};

static void
put_extra(struct buf *out, const struct table *t, const struct row *r)
{
	for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
		if (extra[i].t == t && strcmp(extra[i].key, r->key) == 0)
			buf_putf(out, ", \"allOf\": [{%s}]", extra[i].rule);
	}
}

/* --- Tables ------------------------------------------------------------------------ */

static size_t
put_keys(struct buf *out, const struct table *t, unsigned want)
{
	const char *before = "\"required\": [";
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if ((t->rows[i].flags & want) != want)
			continue;
		buf_puts(out, before);
		json_put_string(out, bytes_str(t->rows[i].key));
		before = ", ";
		n++;
	}
	buf_puts(out, n > 0 ? "], " : "");
	return n;
}

/* What a refinement inherits is demanded of files that extend nothing. */
static void
put_demands(struct buf *out, const struct table *t)
{
	const char *before = "\"properties\": {";

	put_keys(out, t, REQUIRED);
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];

		if (r->type != T_MAP || r->sub == NULL)
			continue;
		buf_puts(out, before);
		json_put_string(out, bytes_str(r->key));
		buf_puts(out, ": {");
		put_demands(out, r->sub);
		buf_puts(out, "}");
		before = ", ";
	}
	buf_puts(out, before[0] == ',' ? "}" : "\"type\": \"object\"");
}

static void
put_table(struct buf *out, const struct table *t, int depth, bool whole)
{
	const char *before = "";

	buf_puts(out,
	    "\"type\": \"object\", \"additionalProperties\": false, ");
	put_keys(out, t, whole ? REQUIRED : REQUIRED | OWN);
	put_one_of(out, t);
	buf_puts(out, "\"properties\": {");
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];

		buf_puts(out, before);
		put_indent(out, depth + 1);
		json_put_string(out, bytes_str(r->key));
		buf_puts(out, ": {\"description\": ");
		json_put_string(out, bytes_str(r->doc));
		buf_puts(out, ", ");
		put_type(out, r, depth + 1, whole);
		put_extra(out, t, r);
		buf_puts(out, "}");
		before = ",";
	}
	put_indent(out, depth);
	buf_puts(out, "}");
}

/* Rules across keys, as check.c and parts.c have them. */
#define USAGE(key, rule)                                                    \
	"{\"required\": [\"usage\"], \"properties\": {\"usage\": "          \
	"{\"required\": [\"" key "\"], \"properties\": {\"" key "\": " rule \
	"}}}}"
#define CONTAINS(words) "{\"contains\": {\"enum\": [" words "]}}"
#define NEVER_IN(words) "{\"items\": {\"not\": {\"enum\": [" words "]}}}"
#define KEYS(words)                                                    \
	"{\"required\": [\"keys\"], \"properties\": {\"keys\": "       \
	"{\"required\": [\"allowed\"], \"properties\": {\"allowed\": " \
	"{\"contains\": {\"enum\": [" words "]}}}}}}"
#define NO_USAGE(words)                                                      \
	"{\"properties\": {\"usage\": {\"properties\": {\"key\": " NEVER_IN( \
	    words) "}}}}"
#define NEEDS_USAGE(words)                                                   \
	"{\"properties\": {\"usage\": {\"properties\": {\"key\": " CONTAINS( \
	    words) "}}}}"
#define TEMPLATE_WITH(fact)                                       \
	"{\"anyOf\": [{\"pattern\": \"\\\\{" fact                 \
	"\\\\}\", \"type\": \"string\"}, {\"type\": \"object\", " \
	"\"properties\": {\"value\": {\"pattern\": \"\\\\{" fact  \
	"\\\\}\"}}}]}"
#define SUBJECT_WITH(attr, fact)                                 \
	"{\"properties\": {\"subject\": {\"required\": [\"" attr \
	"\"], \"properties\": {\"" attr "\": " TEMPLATE_WITH(fact) "}}}}"
#define NAME_WITH(rule)                                            \
	"{\"required\": [\"names\"], \"properties\": {\"names\": " \
	"{\"required\": [\"subject_alt\"], \"properties\": "       \
	"{\"subject_alt\": {\"contains\": " rule "}}}}}"

/* Those that only sign. */
#define SIGNING_KEYS                                                          \
	"\"rsa-pss-2048\", \"rsa-pss-3072\", \"rsa-pss-4096\", \"ed25519\", " \
	"\"ml-dsa-44\", \"ml-dsa-65\", \"ml-dsa-87\""

/* clang-format off */
static const char across[] =
    ",\n"
    "\"allOf\": [\n"
    "{\"if\": " KEYS(SIGNING_KEYS) ", \"then\": " NO_USAGE("\"keyEncipherment\", \"dataEncipherment\", \"keyAgreement\"") "},\n"
    "{\"if\": " KEYS("\"ec-p256\", \"ec-p384\"") ", \"then\": " NO_USAGE("\"keyEncipherment\", \"dataEncipherment\"") "},\n"
    "{\"if\": " KEYS("\"rsa-2048\", \"rsa-3072\", \"rsa-4096\"") ", \"then\": " NO_USAGE("\"keyAgreement\"") "},\n"
    "{\"if\": " USAGE("extended", CONTAINS("\"clientAuth\"")) ", \"then\": " NEEDS_USAGE("\"digitalSignature\", \"keyAgreement\"") "},\n"
    "{\"if\": " USAGE("extended", CONTAINS("\"codeSigning\"")) ", \"then\": " NEEDS_USAGE("\"digitalSignature\"") "},\n"
    "{\"if\": " USAGE("extended", CONTAINS("\"timeStamping\", \"documentSigning\"")) ", \"then\": " NEEDS_USAGE("\"digitalSignature\", \"nonRepudiation\"") "},\n"
    "{\"if\": {\"anyOf\": [{\"required\": [\"subordinate\"]}, {\"required\": [\"extends\"]}]}, \"then\": {}, \"else\": {\"allOf\": [\n"
    NO_USAGE("\"keyCertSign\", \"cRLSign\"") ",\n"
    "{\"properties\": {\"usage\": {\"required\": [\"extended\"]}}},\n"
    SUBJECT_WITH("CN", "person\\\\.name") ",\n"
    "{\"anyOf\": [" SUBJECT_WITH("serialNumber", "person\\\\.run") ", " NAME_WITH("{\"properties\": {\"other\": {\"const\": \"1.3.6.1.4.1.8321.1\"}}, \"required\": [\"other\"]}") "]},\n"
    "{\"anyOf\": [" SUBJECT_WITH("emailAddress", "person\\\\.email") ", " NAME_WITH("{\"properties\": {\"email\": {\"pattern\": \"\\\\{person\\\\.email\\\\}\"}}, \"required\": [\"email\"]}") "]}]}},\n"
    "{\"if\": {\"required\": [\"subordinate\"]}, \"then\": {\"properties\": {\"usage\": {\"not\": {\"required\": [\"extended\"]}, \"properties\": {\"key\": {\"items\": {\"enum\": [\"keyCertSign\", \"cRLSign\"]}, \"minItems\": 2}}}}, \"not\": {\"required\": [\"qc_statements\"]}}},\n"
    "{\"if\": {\"not\": {\"required\": [\"extends\"]}}, \"then\": {";
/* clang-format on */

static void
put_definitions(struct buf *out)
{
	buf_puts(out, "\"definitions\": {\"attribute\": {\"anyOf\": [{");
	put_pattern(out, TMPL_PATTERN);
	buf_puts(out, "}, {");
	put_table(out, &attr_table, 1, true);
	buf_puts(out, "}]}},\n");
}

void
policy_schema(struct buf *out, enum policy_kind kind)
{
	bool policy = kind == POLICY_KIND_POLICY;
	const struct table *t = policy                         ? &policy_table
				: kind == POLICY_KIND_CEILINGS ? &ceilings_table
							       : &config_table;

	buf_puts(out, "{\"$schema\": "
		      "\"http://json-schema.org/draft-07/schema#\",\n"
		      "\"title\": ");
	json_put_string(out, bytes_str(t->what));
	buf_puts(out, ",\n");
	if (policy)
		put_definitions(out);
	put_table(out, t, 0, !policy);
	if (policy) {
		buf_puts(out, across);
		put_demands(out, t);
		buf_puts(out, "}}]");
	}
	buf_puts(out, "}\n");
}
