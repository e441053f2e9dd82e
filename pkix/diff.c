/*
 * diff - in what two certificates differ, part by part, for people.  Values
 * are shown by one walk over their DER, so that an extension that nobody here
 * has heard of is shown like any other.
 */
#include <stdio.h>

#include "internal.h"

struct text {
	char *p;
	size_t size, len;
};

static struct text
text_of(char *p, size_t size)
{
	p[0] = '\0';
	return (struct text){ p, size, 0 };
}

/* Clipped at the end of a character; what follows is left out. */
static void
add(struct text *t, const char *s, size_t len)
{
	size_t room = t->size - 1 - t->len;

	if (len > room) {
		len = room;
		while (len > 0 && !utf8_valid(bytes_of(s, len)))
			len--;
	}
	memcpy(t->p + t->len, s, len);
	t->len += len;
	t->p[t->len] = '\0';
}

static void
add_word(struct text *t, const char *s, size_t len)
{
	if (t->len > 0)
		add(t, " ", 1);
	add(t, s, len);
}

static void
add_str(struct text *t, const char *s)
{
	add_word(t, s, strlen(s));
}

/* --- Values ------------------------------------------------------------------ */

/* clang-format off */
static const struct {
	enum pkix_oid oid;
	const char *word;
} words[] = {
	{ OID_EXT_SKI,         "subjectKeyIdentifier" },
	{ OID_EXT_AKI,         "authorityKeyIdentifier" },
	{ OID_EXT_KEY_USAGE,   "keyUsage" },
	{ OID_EXT_SAN,         "subjectAltName" },
	{ OID_EXT_IAN,         "issuerAltName" },
	{ OID_EXT_BASIC,       "basicConstraints" },
	{ OID_EXT_CRLDP,       "cRLDistributionPoints" },
	{ OID_EXT_FRESHEST,    "freshestCRL" },
	{ OID_EXT_POLICIES,    "certificatePolicies" },
	{ OID_EXT_EKU,         "extKeyUsage" },
	{ OID_EXT_AIA,         "authorityInfoAccess" },
	{ OID_EXT_NOCHECK,     "ocspNoCheck" },
	{ OID_EXT_CONSTRAINTS, "nameConstraints" },
	{ OID_EXT_QC,          "qcStatements" },
	{ OID_AD_OCSP,         "ocsp" },
	{ OID_AD_CA_ISSUERS,   "caIssuers" },
	{ OID_QT_CPS,          "cps" },
	{ OID_QT_NOTICE,       "notice" },
	{ OID_EKU_CLIENT,      "clientAuth" },
	{ OID_EKU_EMAIL,       "emailProtection" },
	{ OID_EKU_OCSP,        "OCSPSigning" },
	{ OID_EKU_SERVER,      "serverAuth" },
	{ OID_EKU_CODE,        "codeSigning" },
	{ OID_EKU_TIME,        "timeStamping" },
	{ OID_EKU_DOCUMENT,    "documentSigning" },
};
static const char *const usages[] = {
	"digitalSignature", "nonRepudiation", "keyEncipherment",
	"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
	"encipherOnly", "decipherOnly",
};
/* clang-format on */

static void
oid_text(char *out, size_t size, struct bytes oid)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(oid, oid_known(words[i].oid))) {
			snprintf(out, size, "%s", words[i].word);
			return;
		}
	}
	oid_print(out, size, oid);
}

static void
add_hex(struct text *t, struct bytes b)
{
	char hex[HEX_LEN(80)];

	hex_print(hex, bytes_of(b.p, b.len < 80 ? b.len : 80));
	add_str(t, hex);
}

static bool
is_text(struct bytes v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	return v.len > 0 && utf8_valid(v);
}

/* Numbers of up to six octets; longer ones are shown as their octets. */
static bool
add_integer(struct text *t, struct bytes v)
{
	char word[24];
	int64_t n = 0;

	if (v.len == 0 || v.len > 6 || v.p[0] >= 0x80)
		return false;
	for (size_t i = 0; i < v.len; i++)
		n = n << 8 | v.p[i];
	snprintf(word, sizeof(word), "%lld", (long long)n);
	add_str(t, word);
	return true;
}

static void
add_leaf(struct text *t, uint8_t tag, struct bytes v)
{
	char word[128];

	switch (tag) {
	case DER_NULL:
		return;
	case DER_OID:
		oid_text(word, sizeof(word), v);
		add_str(t, word);
		return;
	case DER_BOOLEAN:
		add_str(t, v.len == 1 && v.p[0] != 0 ? "true" : "false");
		return;
	case DER_INTEGER:
		if (add_integer(t, v))
			return;
		break;
	default:
		if (tag != DER_OCTET_STRING && tag != DER_BIT_STRING &&
		    is_text(v)) {
			add_word(t, (const char *)v.p, v.len);
			return;
		}
		break;
	}
	add_hex(t, v);
}

/* Leaves in the order in which they stand. */
static void
add_elements(struct text *t, struct der *d, unsigned depth)
{
	uint8_t tag;

	while ((tag = der_peek(d)) != 0 && !d->bad) {
		if ((tag & 0x20) != 0 && depth < DER_DEPTH_MAX) {
			struct der in = der_enter(d, tag);
			add_elements(t, &in, depth + 1);
		} else {
			add_leaf(t, tag, der_get(d, tag));
		}
	}
}

static void
ext_text(const struct cert *c, const struct cert_ext *x, struct text *t)
{
	struct der d;

	if (x == NULL)
		return;
	if (x->critical)
		add_str(t, "critical");
	if (bytes_eq(x->oid, oid_known(OID_EXT_KEY_USAGE))) {
		for (size_t i = 0; i < ARRAY_LEN(usages); i++)
			if ((c->key_usage >> i & 1) != 0)
				add_str(t, usages[i]);
		return;
	}
	d = der_of(x->value);
	add_elements(t, &d, 0);
}

/* --- Parts -------------------------------------------------------------------- */

struct diff {
	struct cert_change *out;
	size_t n;
};

static struct cert_change *
change(struct diff *d, const char *field)
{
	/* Each part of a certificate at most once: see CERT_CHANGES_MAX. */
	struct cert_change *c = &d->out[d->n++];

	*c = (struct cert_change){ .before = "" };
	snprintf(c->field, sizeof(c->field), "%s", field);
	return c;
}

static void
diff_time(struct diff *d, const char *field, int64_t before, int64_t after)
{
	char text[TIME_TEXT];

	if (before == after)
		return;
	struct cert_change *c = change(d, field);
	time_print(text, before);
	snprintf(c->before, sizeof(c->before), "%s", text);
	time_print(text, after);
	snprintf(c->after, sizeof(c->after), "%s", text);
}

static void
diff_octets(struct diff *d, const char *field, struct bytes before,
    struct bytes after)
{
	if (bytes_eq(before, after))
		return;
	struct cert_change *c = change(d, field);
	struct text b = text_of(c->before, sizeof(c->before));
	struct text a = text_of(c->after, sizeof(c->after));
	add_hex(&b, before);
	add_hex(&a, after);
}

static void
diff_name(struct diff *d, const char *field, struct bytes before,
    struct bytes after)
{
	if (bytes_eq(before, after))
		return;
	struct cert_change *c = change(d, field);
	name_print(c->before, sizeof(c->before), before);
	name_print(c->after, sizeof(c->after), after);
}

static void
attribute_text(char *out, size_t size, struct bytes value)
{
	struct text t = text_of(out, size);

	if (value.len > 0 && utf8_valid(value))
		add(&t, (const char *)value.p, value.len);
	else
		add_hex(&t, value);
}

/* Attribute by attribute; whole, where only order or encoding differs. */
static void
diff_subject(struct diff *d, struct bytes before, struct bytes after)
{
	size_t n = d->n;

	if (bytes_eq(before, after))
		return;
	for (int type = 0; type < OID_COUNT; type++) {
		const char *word = name_attr_word((enum pkix_oid)type);
		char field[48];

		if (word == NULL)
			continue;
		struct bytes b = name_find(before, (enum pkix_oid)type);
		struct bytes a = name_find(after, (enum pkix_oid)type);
		if (bytes_eq(b, a))
			continue;
		snprintf(field, sizeof(field), "subject.%s", word);
		struct cert_change *c = change(d, field);
		attribute_text(c->before, sizeof(c->before), b);
		attribute_text(c->after, sizeof(c->after), a);
	}
	if (d->n == n)
		diff_name(d, "subject", before, after);
}

static const struct cert_ext *
find_ext(const struct cert *c, struct bytes oid)
{
	for (size_t i = 0; i < c->n_ext; i++)
		if (bytes_eq(c->ext[i].oid, oid))
			return &c->ext[i];
	return NULL;
}

static void
diff_ext(struct diff *d, const struct cert *before, const struct cert_ext *b,
    const struct cert *after, const struct cert_ext *a)
{
	char field[sizeof(((struct cert_change *)0)->field)];

	if (b != NULL && a != NULL && b->critical == a->critical &&
	    bytes_eq(b->value, a->value))
		return;
	oid_text(field, sizeof(field), b != NULL ? b->oid : a->oid);
	struct cert_change *c = change(d, field);
	struct text bt = text_of(c->before, sizeof(c->before));
	struct text at = text_of(c->after, sizeof(c->after));
	ext_text(before, b, &bt);
	ext_text(after, a, &at);
}

size_t
cert_diff(const struct cert *before, const struct cert *after,
    struct cert_change out[CERT_CHANGES_MAX])
{
	struct diff d = { out, 0 };

	diff_octets(&d, "serialNumber", before->serial, after->serial);
	diff_octets(&d, "signature", before->sigalg, after->sigalg);
	diff_name(&d, "issuer", before->issuer, after->issuer);
	diff_time(&d, "notBefore", before->not_before, after->not_before);
	diff_time(&d, "notAfter", before->not_after, after->not_after);
	diff_subject(&d, before->subject, after->subject);
	diff_octets(&d, "subjectPublicKeyInfo", before->spki, after->spki);
	for (size_t i = 0; i < before->n_ext; i++)
		diff_ext(&d, before, &before->ext[i], after,
		    find_ext(after, before->ext[i].oid));
	for (size_t i = 0; i < after->n_ext; i++)
		if (find_ext(before, after->ext[i].oid) == NULL)
			diff_ext(&d, before, NULL, after, &after->ext[i]);
	return d.n;
}
