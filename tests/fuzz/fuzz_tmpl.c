/* libs: policy */
#include <stdlib.h>
#include <string.h>

#include <refrendo/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ceilings wide = {
	.validity_max_s = 1096 * DAY,
	.backdate_max_s = HOUR,
	.keys = 0x1f,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.names = UINT16_MAX,
	.statement_max_s = 7 * DAY,
	.ocsp_max_s = 10 * DAY,
	.crl_max_s = 30 * DAY,
};

/* A policy with the template as one name among others. */
static struct policy_set *load(struct bytes template)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
	struct findings f = { NULL, 0, 0 };
	struct policy_set *set = NULL;

	buf_puts(&text,
	    "policy: one\nversion: 1\nissuer: emisora\n"
	    "subject: {C: CL, serialNumber: \"{person.run}\", CN: "
	    "\"{person.name}\", emailAddress: \"{person.email}\"}\n"
	    "keys: {allowed: [ec-p256]}\nvalidity: {default: 1y, max: 2y}\n"
	    "usage: {key: [digitalSignature], extended: [clientAuth]}\n"
	    "names:\n  subject_alt:\n    - {other: 1.2.3, ia5: '");
	for (size_t i = 0; i < template.len; i++) {
		if (template.p[i] == '\'')
			buf_putc(&text, '\'');
		buf_putc(&text, template.p[i]);
	}
	buf_puts(&text, "'}\n");
	struct policy_file file = { "tmpl.yaml", buf_bytes(&text) };

	policy_load(&file, 1, &wide, &set, &f);
	if ((set != NULL) != (f.errors == 0))
		abort();
	for (size_t i = 0; i < f.len; i++) {
		if (f.v[i].err.say[0] == '\0' || f.v[i].width == 0)
			abort();
	}
	findings_fini(&f);
	return set;
}

/* What a fact in braces stands for, by its name alone. */
static struct bytes
value_of(const struct policy_facts *facts, struct bytes name)
{
	static const char prefix[] = "person.attribute.";
	const size_t len = sizeof(prefix) - 1;

	for (int f = 0; f < FACT_COUNT; f++) {
		if (bytes_is(name, policy_fact_name((enum policy_fact)f)))
			return facts->fact[f];
	}
	if (bytes_is(name, "person.kind"))
		return bytes_str(person_kind_name(facts->person_kind));
	if (bytes_is(name, "institution.kind"))
		return bytes_str(
		    institution_kind_name(facts->institution_kind));
	if (name.len <= len || memcmp(name.p, prefix, len) != 0)
		abort();
	return policy_attribute(facts, bytes_of(name.p + len, name.len - len));
}

/* The definition: braces and what is between them are replaced, once. */
static void
expand(struct bytes template, const struct policy_facts *facts, struct buf *out)
{
	for (size_t i = 0, from; i < template.len; i++) {
		struct bytes v;

		if (template.p[i] != '{') {
			buf_putc(out, template.p[i]);
			continue;
		}
		from = ++i;
		while (template.p[i] != '}')
			i++;
		v = value_of(facts, bytes_of(template.p + from, i - from));
		buf_put(out, v.p, v.len);
	}
}

/* The line at the front of text, which it leaves. */
static struct bytes
cut_line(struct bytes *text)
{
	const uint8_t *end =
	    text->len > 0 ? memchr(text->p, '\n', text->len) : NULL;
	struct bytes line = *text;

	if (end == NULL) {
		*text = BYTES_NONE;
		return line;
	}
	line.len = (size_t)(end - line.p);
	*text = bytes_of(end + 1, text->len - line.len - 1);
	return line;
}

static struct policy_facts
facts_of(struct bytes rest)
{
	struct policy_facts f = { .key = KEY_EC_P256,
		.person_kind = PERSON_OFFICIAL,
		.institution_kind = INSTITUTION_SERVICE,
		.n_attribute = 1,
		.now = INT64_C(1795514400),
		.issuer_not_after = INT64_C(1795514400) + 3650 * DAY };

	f.fact[FACT_PERSON_RUN] = bytes_str("12345678-5");
	f.fact[FACT_INSTITUTION_RUT] = bytes_str("60100003-2");
	f.fact[FACT_PERSON_EMAIL] = bytes_str("maria.soto@example.cl");
	f.fact[FACT_PERSON_NAME] = cut_line(&rest);
	f.fact[FACT_PERSON_OFFICE] = cut_line(&rest);
	f.fact[FACT_INSTITUTION_NAME] = cut_line(&rest);
	f.attribute[0] = (struct attribute){ bytes_str("x"), cut_line(&rest) };
	return f;
}

static void
judge(const struct policy *p, struct bytes template,
    const struct policy_facts *facts)
{
	AUTO(arena) arena = arena_new();
	struct buf want AUTO_BUF = BUF(1 << 20);
	struct verdicts verdicts;
	struct cert_spec spec;

	policy_evaluate(p, facts, arena, &spec, &verdicts);
	for (size_t i = 0; i < verdicts.len; i++) {
		if (!verdicts.v[i].passed && verdicts.v[i].err.say[0] == '\0')
			abort();
	}
	if (verdicts.failed > 0)
		return;
	expand(template, facts, &want);
	if (spec.n_san != 1 || !bytes_eq(spec.san[0].value, buf_bytes(&want)))
		abort();
}

/*
 * First line: a template; then what is known of a person.  Facts go into names
 * octet by octet, and braces in a fact are text.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size);
	struct bytes template = cut_line(&rest);
	struct policy_facts facts;
	AUTO(policy_set) set = NULL;
	AUTO(policy_set) plain = NULL;

	if (template.len > 4096)
		return 0;
	set = load(template);
	if (set == NULL) {
		/* It was the template's fault. */
		plain = load(bytes_str("{person.run}"));
		if (plain == NULL)
			abort();
		return 0;
	}
	facts = facts_of(rest);
	judge(&set->policy[0], template, &facts);
	return 0;
}
