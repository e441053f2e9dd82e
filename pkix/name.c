/*
 * Distinguished names and addresses.  The upper bounds sit in the one encoder
 * that every certificate uses, ours included.
 */
#include <stdio.h>
#include <strings.h>

#include "internal.h"

/* clang-format off */
static const struct attr_rule {
	enum pkix_oid type;
	const char *word;
	uint8_t tag;
	size_t max; /* characters, RFC 5280 appendix A; X520name at most 64 here */
	bool directory; /* a DirectoryString: its type of string may be chosen */
} rules[] = {
	{ OID_CN,              "CN",           DER_UTF8_STRING,      64, true },
	{ OID_C,               "C",            DER_PRINTABLE_STRING, 2,  false },
	{ OID_O,               "O",            DER_UTF8_STRING,      64, true },
	{ OID_OU,              "OU",           DER_UTF8_STRING,      64, true },
	{ OID_TITLE,           "title",        DER_UTF8_STRING,      64, true },
	{ OID_SERIAL_NUMBER,   "serialNumber", DER_PRINTABLE_STRING, 64, false },
	{ OID_GIVEN_NAME,      "givenName",    DER_UTF8_STRING,      64, true },
	{ OID_SURNAME,         "surname",      DER_UTF8_STRING,      64, true },
	{ OID_EMAIL,           "emailAddress", DER_IA5_STRING,       EMAIL_MAX, false },
	{ OID_L,               "L",            DER_UTF8_STRING,      64, true },
	{ OID_ST,              "ST",           DER_UTF8_STRING,      64, true },
	{ OID_INITIALS,        "initials",     DER_UTF8_STRING,      64, true },
	{ OID_PSEUDONYM,       "pseudonym",    DER_UTF8_STRING,      64, true },
	{ OID_ORGANIZATION_ID, "organizationIdentifier", DER_UTF8_STRING, 64, true },
};

/* What people and tools write when they mean nothing; letter case ignored. */
static const char *const meta_values[] = {
	"n/a", "n.a.", "n/d", "none", "null", "nil", "unknown", "undefined",
	"unspecified", "not applicable", "to be defined", "tbd", "todo", "test",
	"test test", "testing", "prueba", "prueba prueba", "ninguno", "ninguna",
	"no aplica", "sin nombre", "sin apellido", "sin informacion",
	"sin información", "sin cargo", "s/n", "s/i", "desconocido", "x", "xx",
	"xxx", "xxxx", "asdf", "qwerty", "foo", "bar", "foo bar", "some-state",
	"some-city", "internet widgits pty ltd", "default city",
	"default company ltd", "default", "example", "ejemplo",
};
/* clang-format on */

static const struct attr_rule *
rule_of(enum pkix_oid type)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].type == type)
			return &rules[i];
	}
	return NULL;
}

const char *
name_attr_word(enum pkix_oid type)
{
	const struct attr_rule *r = rule_of(type);

	return r == NULL ? NULL : r->word;
}

bool
name_attr_parse(struct bytes word, enum pkix_oid *out)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(rules); i++) {
		if (!bytes_is(word, rules[i].word))
			continue;
		*out = rules[i].type;
		return true;
	}
	return false;
}

size_t
name_attr_max(enum pkix_oid type)
{
	const struct attr_rule *r = rule_of(type);

	return r == NULL ? 0 : r->max;
}

/* The tag that the attribute gets, or 0 where it cannot have that string. */
static uint8_t
tag_of(const struct attr_rule *r, enum name_string string)
{
	switch (string) {
	case STRING_USUAL:
		return r->tag;
	case STRING_UTF8:
		return r->directory ? DER_UTF8_STRING : 0;
	case STRING_PRINTABLE:
		return r->directory || r->tag == DER_PRINTABLE_STRING
			   ? DER_PRINTABLE_STRING
			   : 0;
	case STRING_IA5:
		return r->tag == DER_IA5_STRING ? DER_IA5_STRING : 0;
	case NAME_STRINGS:
		break;
	}
	return 0;
}

bool
name_attr_takes(enum pkix_oid type, enum name_string string)
{
	const struct attr_rule *r = rule_of(type);

	return r != NULL && tag_of(r, string) != 0;
}

bool
ia5_valid(struct bytes b)
{
	size_t i;

	for (i = 0; i < b.len; i++) {
		if (b.p[i] >= 0x80)
			return false;
	}
	return true;
}

bool
letter_or_digit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool
printable_valid(struct bytes b)
{
	size_t i;

	for (i = 0; i < b.len; i++) {
		if (b.p[i] == 0 || (!letter_or_digit(b.p[i]) &&
				       strchr(" '()+,-./:=?", b.p[i]) == NULL))
			return false;
	}
	return true;
}

/* One code point of valid UTF-8. */
static uint32_t
next_point(const uint8_t **p)
{
	uint8_t first = *(*p)++;
	uint32_t v;
	int more;

	if (first < 0x80)
		return first;
	more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	v = first & (0x3fu >> more);
	while (more-- > 0)
		v = v << 6 | (*(*p)++ & 0x3fu);
	return v;
}

/* Points that change what is shown without being seen, or stand for none. */
static bool
invisible(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad ||
	       c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffd) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ||
	       (c >= 0xe0000 && c <= 0xe0fff) || (c >= 0xe000 && c <= 0xf8ff) ||
	       c >= 0xf0000;
}

bool
has_invisible(struct bytes v)
{
	const uint8_t *p = v.p;

	while (p < v.p + v.len) {
		if (invisible(next_point(&p)))
			return true;
	}
	return false;
}

/* Nothing but punctuation and zeros says nothing. */
static bool
stands_for_nothing(struct bytes v)
{
	bool says = false;
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] >= 0x80 ||
		    (letter_or_digit(v.p[i]) && v.p[i] != '0'))
			says = true;
	}
	for (i = 0; i < ARRAY_LEN(meta_values) && says; i++) {
		if (v.len == strlen(meta_values[i]) &&
		    strncasecmp((const char *)v.p, meta_values[i], v.len) == 0)
			says = false;
	}
	return !says;
}

static bool
has_digit(struct bytes v)
{
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] >= '0' && v.p[i] <= '9')
			return true;
	}
	return false;
}

static enum err_code
check_text(const struct attr_rule *r, struct bytes v, struct err *e)
{
	struct where at = at_field(r->word);
	char max[24];

	if (v.len == 0)
		return err_at(e, ERR_INVALID, "name-empty", "X.520 6.1", at,
		    "%s is empty; fill it in or leave the attribute out",
		    r->word);
	if (!utf8_valid(v))
		return err_at(e, ERR_INVALID, "name-utf8", "RFC 3629 3", at,
		    "%s is not valid UTF-8", r->word);
	if (has_invisible(v))
		return err_at(e, ERR_INVALID, "name-control", "RFC 8399 2", at,
		    "%s contains a control or invisible character; type it "
		    "again",
		    r->word);
	if (v.p[0] == ' ' || v.p[v.len - 1] == ' ')
		return err_at(e, ERR_INVALID, "name-space", "RFC 4518 2.6", at,
		    "%s begins or ends with a space; remove it", r->word);
	if (utf8_count(v) > r->max) {
		snprintf(max, sizeof(max), "%zu", r->max);
		return err_at(e, ERR_INVALID, "name-too-long",
		    "RFC 5280 appendix A.1", at,
		    "%s is longer than %s characters; use a shorter form",
		    r->word, max);
	}
	return ERR_OK;
}

static enum err_code
check_string(const struct attr_rule *r, uint8_t tag, struct bytes v,
    struct err *e)
{
	struct where at = at_field(r->word);

	if (tag == 0)
		return err_at(e, ERR_INVALID, "name-string",
		    "RFC 5280 appendix A.1", at,
		    "%s cannot be in that type of string: C and serialNumber "
		    "are PrintableString, emailAddress is IA5String, the "
		    "others are UTF8String or PrintableString",
		    r->word);
	if (tag == DER_PRINTABLE_STRING && !printable_valid(v))
		return err_at(e, ERR_INVALID, "name-alphabet", "X.680 41.4", at,
		    "%s contains a character outside A-Z a-z 0-9 and "
		    "'()+,-./:=? and space",
		    r->word);
	return ERR_OK;
}

static enum err_code
check_meaning(const struct attr_rule *r, uint8_t tag, struct bytes v,
    struct err *e)
{
	struct where at = at_field(r->word);

	if (r->type == OID_C && !country_known(v))
		return err_at(e, ERR_INVALID, "name-country", "ISO 3166-1", at,
		    "C is not a country code of ISO 3166-1; write two capital "
		    "letters, as in CL");
	TRY(check_string(r, tag, v, e));
	if (r->type == OID_EMAIL)
		return email_check(v, e);
	if (r->type != OID_C && stands_for_nothing(v))
		return err_at(e, ERR_INVALID, "name-meta", NULL, at,
		    "%s holds a value that stands for nothing; write the real "
		    "one or leave the attribute out",
		    r->word);
	if ((r->type == OID_GIVEN_NAME || r->type == OID_SURNAME) &&
	    has_digit(v))
		return err_at(e, ERR_INVALID, "name-digit", NULL, at,
		    "%s contains a digit; a person's name has none", r->word);
	return ERR_OK;
}

enum err_code
name_encode(const struct name_attr *attrs, size_t n,
    uint8_t memory[NAME_DER_MAX], struct bytes *out, struct err *e)
{
	struct der_w w = der_w_of(memory, NAME_DER_MAX);
	size_t all = der_mark(&w), i;

	if (n == 0 || n > NAME_ATTRS_MAX)
		return err_at(e, ERR_INVALID, "name-count", NULL, NOWHERE,
		    "a name has 1 to 12 attributes");
	for (i = n; i-- > 0;) {
		const struct attr_rule *r = rule_of(attrs[i].type);
		size_t rdn = der_mark(&w);
		uint8_t tag;

		if (r == NULL)
			fatal("name_build: not an attribute of names");
		tag = tag_of(r, attrs[i].string);
		TRY(check_text(r, attrs[i].value, e));
		TRY(check_meaning(r, tag, attrs[i].value, e));
		der_put(&w, tag, attrs[i].value);
		der_put_oid(&w, oid_known(r->type));
		der_wrap(&w, DER_SEQUENCE, rdn);
		der_wrap(&w, DER_SET, rdn);
	}
	der_wrap(&w, DER_SEQUENCE, all);
	if (w.full)
		return err_at(e, ERR_INVALID, "name-too-large", NULL, NOWHERE,
		    "the whole name is longer than 1024 octets; shorten its "
		    "attributes");
	return der_w_end(&w, out, e);
}

enum err_code
name_build(const struct name_attr *attrs, size_t n, struct buf *out,
    struct err *e)
{
	uint8_t memory[NAME_DER_MAX];
	struct bytes der;

	TRY(name_encode(attrs, n, memory, &der, e));
	buf_put(out, der.p, der.len);
	return buf_end(out, e);
}

/* Walks a Name: type, tag and content of one attribute after the other. */
struct name_walk {
	struct der rdns, rdn;
};

static struct name_walk
walk_of(struct bytes name)
{
	struct der d = der_of(name);
	struct name_walk w = { der_enter(&d, DER_SEQUENCE),
		der_of(BYTES_NONE) };

	if (!der_end(&d))
		w.rdns.bad = true;
	return w;
}

static bool
walk_next(struct name_walk *w, struct bytes *oid, uint8_t *tag,
    struct bytes *value)
{
	struct der atv;

	if (der_end(&w->rdn)) {
		if (w->rdns.bad || der_end(&w->rdns))
			return false;
		w->rdn = der_enter(&w->rdns, DER_SET);
		if (der_end(&w->rdn))
			w->rdn.bad = true;
	}
	atv = der_enter(&w->rdn, DER_SEQUENCE);
	*oid = der_get(&atv, DER_OID);
	*tag = der_peek(&atv);
	*value = der_get(&atv, *tag);
	if (!der_end(&atv))
		w->rdn.bad = true;
	return !w->rdn.bad;
}

bool
name_valid(struct bytes name)
{
	struct name_walk w = walk_of(name);
	struct bytes oid, value;
	uint8_t tag;

	while (walk_next(&w, &oid, &tag, &value))
		;
	return der_end(&w.rdns) && !w.rdn.bad;
}

struct bytes
name_find(struct bytes name, enum pkix_oid type)
{
	struct name_walk w = walk_of(name);
	struct bytes oid, value;
	uint8_t tag;

	while (walk_next(&w, &oid, &tag, &value)) {
		if (bytes_eq(oid, oid_known(type)))
			return value;
	}
	return BYTES_NONE;
}

struct print {
	char *p;
	size_t size, len;
};

/* All of the piece or nothing, so that no character is cut in two. */
static void
print_piece(struct print *o, const void *p, size_t len)
{
	if (o->len + len + 1 > o->size) {
		o->size = o->len + 1;
		return;
	}
	memcpy(o->p + o->len, p, len);
	o->len += len;
	o->p[o->len] = '\0';
}

static void
print_hex(struct print *o, const char *lead, struct bytes b)
{
	char text[5];
	size_t i;

	for (i = 0; i < b.len; i++) {
		snprintf(text, sizeof(text), "%s%02X", lead, b.p[i]);
		print_piece(o, text, strlen(text));
	}
}

static void
print_value(struct print *o, uint8_t tag, struct bytes v)
{
	const uint8_t *p = v.p, *start;
	char escaped[2] = "\\";

	if ((tag != DER_UTF8_STRING && tag != DER_PRINTABLE_STRING &&
		tag != DER_IA5_STRING) ||
	    !utf8_valid(v)) {
		print_piece(o, "#", 1);
		print_hex(o, "", v);
		return;
	}
	while (p < v.p + v.len) {
		uint32_t c;

		start = p;
		c = next_point(&p);
		if (invisible(c)) {
			print_hex(o, "\\",
			    bytes_of(start, (size_t)(p - start)));
		} else if (c < 0x80 && strchr(",+\"\\<>;=", (int)c) != NULL) {
			escaped[1] = (char)c;
			print_piece(o, escaped, 2);
		} else {
			print_piece(o, start, (size_t)(p - start));
		}
	}
}

void
name_print(char *out, size_t size, struct bytes name)
{
	struct name_walk w = walk_of(name);
	struct print o = { out, size, 0 };
	struct bytes oid, value;
	uint8_t tag;
	size_t i;

	if (size == 0)
		return;
	out[0] = '\0';
	while (walk_next(&w, &oid, &tag, &value)) {
		const char *word = NULL;
		char text[64];

		for (i = 0; i < ARRAY_LEN(rules); i++) {
			if (bytes_eq(oid, oid_known(rules[i].type)))
				word = rules[i].word;
		}
		if (word == NULL) {
			oid_print(text, sizeof(text), oid);
			word = text;
		}
		if (o.len > 0)
			print_piece(&o, ", ", 2);
		print_piece(&o, word, strlen(word));
		print_piece(&o, "=", 1);
		print_value(&o, tag, value);
	}
}

/* The text of a name without its spaces. */
static void
squeeze(char *out, size_t size, struct bytes name)
{
	char *to = out;

	name_print(out, size, name);
	for (const char *p = out; *p != '\0'; p++) {
		if (*p != ' ')
			*to++ = *p;
	}
	*to = '\0';
}

bool
name_alike(struct bytes a, struct bytes b)
{
	char text_a[NAME_DER_MAX], text_b[NAME_DER_MAX];

	squeeze(text_a, sizeof(text_a), a);
	squeeze(text_b, sizeof(text_b), b);
	return bytes_eq(a, b) || strcasecmp(text_a, text_b) == 0;
}
