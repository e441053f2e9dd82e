/*
 * fill - templates with facts, as certificates carry them: names, alternative
 * names, private extensions.  Loading tries them on a sample.
 */
#include "internal.h"

#define ALT_IA5_MAX 128 /* octets of an IA5String of ours */

/* At most max characters, without a space at the end. */
static struct bytes
clipped(struct bytes text, size_t max)
{
	const uint8_t *p = text.p, *end = text.p + text.len;

	for (; max > 0 && p < end; max--)
		(void)utf8_next(&p, end);
	text.len = (size_t)(p - text.p);
	while (text.len > 0 && text.p[text.len - 1] == ' ')
		text.len--;
	return text;
}

static enum err_code
attr_fill(const struct subject_attr *attr, const struct policy_facts *facts,
    struct arena *a, struct name_attr *out, bool *cut, struct err *e)
{
	const char *word = name_attr_word(attr->type);
	char most[24];

	out->type = attr->type;
	out->string = attr->string;
	out->value = tmpl_text(&attr->value, facts, a);
	/* What is no text, or no longer than it may be, name_build() judges. */
	if (!utf8_valid(out->value) || utf8_count(out->value) <= attr->max)
		return ERR_OK;
	*cut = attr->clip;
	if (attr->clip) {
		out->value = clipped(out->value, attr->max);
		return ERR_OK;
	}
	if (attr->max == name_attr_max(attr->type))
		return ERR_OK;
	snprintf(most, sizeof(most), "%zu", attr->max);
	return err_at(e, ERR_DENIED, "policy-too-long", NULL, at_field(word),
	    "%s is longer than the %s characters that this policy allows; use "
	    "a shorter form",
	    word, most);
}

enum err_code
name_fill(const struct subject_attr *attr, size_t n,
    const struct policy_facts *facts, struct arena *a, struct bytes *der,
    uint32_t *cut, struct err *e)
{
	struct name_attr filled[NAME_ATTRS_MAX];
	uint8_t memory[NAME_DER_MAX];
	struct bytes name;

	*cut = 0;
	for (size_t i = 0; i < n; i++) {
		bool is_cut = false;

		TRY(attr_fill(&attr[i], facts, a, &filled[i], &is_cut, e));
		*cut |= is_cut ? UINT32_C(1) << i : 0;
	}
	TRY(name_encode(filled, n, memory, &name, e));
	*der = arena_copy(a, name);
	return ERR_OK;
}

/* --- Alternative names ------------------------------------------------------------ */

static enum err_code
ip_fill(struct arena *a, struct general_name *to, struct err *e)
{
	uint8_t *p = arena_get(a, IP_MAX);
	size_t len;

	TRY(ip_parse(to->value, p, &len, e));
	to->value = bytes_of(p, len);
	return ERR_OK;
}

enum err_code
alt_fill(const struct alt_name *from, const struct policy_facts *facts,
    struct arena *a, struct general_name *to, uint32_t *cut, struct err *e)
{
	*cut = 0;
	to->kind = from->kind;
	to->other = from->other;
	if (from->kind == GN_DIRECTORY)
		return name_fill(from->directory, from->n_directory, facts, a,
		    &to->value, cut, e);
	to->value = tmpl_text(&from->value, facts, a);
	if (from->kind == GN_IP)
		TRY(ip_fill(a, to, e));
	if (from->kind == GN_OTHER_IA5 &&
	    (to->value.len == 0 || to->value.len > ALT_IA5_MAX ||
		!ascii_printable(to->value)))
		return err_at(e, ERR_INVALID, "policy-alt-value", "X.680 41",
		    NOWHERE,
		    "an alternative name is longer than 128 characters or not "
		    "plain ASCII");
	return general_name_check(to, e);
}

/* --- Private extensions -------------------------------------------------------------- */

static enum name_kind
kind_of(uint8_t tag)
{
	return tag == DER_UTF8_STRING  ? GN_OTHER_UTF8
	       : tag == DER_IA5_STRING ? GN_OTHER_IA5
				       : GN_OTHER_PRINTABLE;
}

enum err_code
extension_fill(const struct policy_extension *x,
    const struct policy_facts *facts, struct arena *a, struct bytes *der,
    struct err *e)
{
	struct general_name text = { .other = x->oid };
	struct der_w w;
	uint8_t *memory;

	if (x->tag == 0) {
		*der = x->der;
		return ERR_OK;
	}
	/* The same strings as those of otherNames, with their alphabets. */
	text.kind = kind_of(x->tag);
	text.value = tmpl_text(&x->value, facts, a);
	if (general_name_check(&text, e) != ERR_OK)
		return err_at(e, ERR_INVALID, "policy-extension-text", "X.680",
		    NOWHERE,
		    "the text of an extension is empty, longer than 320 "
		    "octets, or not of the alphabet of its string");
	memory = arena_get(a, text.value.len + 8);
	w = der_w_of(memory, text.value.len + 8);
	der_put(&w, x->tag, text.value);
	return der_w_end(&w, der, e);
}

/* --- Name constraints ------------------------------------------------------------------ */

static enum err_code
directory_read(struct arena *a, const struct value *v, struct bytes *der,
    struct err *e)
{
	const struct said_subject *s = v->items;
	struct subject_attr attr[NAME_ATTRS_MAX];
	struct policy_facts none = { .n_attribute = 0 };
	uint32_t cut;

	for (size_t i = 0; i < v->count; i++)
		attr[i] = (struct subject_attr){ .type = s[i].type,
			.value = s[i].value,
			.string = s[i].string,
			.max = (size_t)s[i].max };
	return name_fill(attr, v->count, &none, a, der, &cut, e);
}

enum err_code
subtree_read(struct arena *a, const struct said_subtree *s,
    struct general_name *out, struct err *e)
{
	uint8_t *range = arena_get(a, IP_RANGE_MAX);
	const struct value *v = s->email.given ? &s->email
				: s->dns.given ? &s->dns
					       : &s->uri;

	*out = (struct general_name){ .kind = s->email.given ? GN_EMAIL
					      : s->dns.given ? GN_DNS
					      : s->uri.given ? GN_URI
					      : s->ip.given  ? GN_IP
							     : GN_DIRECTORY };
	if (s->directory.given) {
		TRY(directory_read(a, &s->directory, &out->value, e));
	} else if (s->ip.given) {
		size_t len;

		TRY(ip_range_parse(s->ip.text, range, &len, e));
		out->value = bytes_of(range, len);
	} else {
		out->value = arena_copy(a, v->text);
	}
	return subtree_check(out, e);
}

/* EN 319 412-1 5.1.1: id-etsi-qcs-semanticsId-Natural and -Legal. */
struct oid
qc_semantics(int64_t word)
{
	struct oid oid = { .len = 0 };
	struct err e;

	if (word == 0)
		return oid;
	if (oid_parse(bytes_str(
			  word == 1 ? "0.4.0.194121.1.1" : "0.4.0.194121.1.2"),
		&oid, &e) != ERR_OK)
		fatal("an identifier of ETSI");
	return oid;
}
