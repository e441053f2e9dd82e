/*
 * Lint of alternative names: subjectAltName and issuerAltName, and the hosts,
 * addresses and URIs that other extensions hold too.
 */
#include <strings.h>

#include <idn2.h>

#include "lint.h"

#define LABEL_MAX 63
#define HOST_MAX  253

/* --- Hosts -------------------------------------------------------------------------- */

/* Letters, digits, inner hyphens; an underscore has a rule of its own. */
static bool
label_valid(struct bytes l)
{
	size_t i;

	if (l.len == 0 || l.len > LABEL_MAX || l.p[0] == '-' ||
	    l.p[l.len - 1] == '-')
		return false;
	for (i = 0; i < l.len; i++) {
		if (!letter_or_digit(l.p[i]) && l.p[i] != '-' && l.p[i] != '_')
			return false;
	}
	return true;
}

/* The label before the next dot; *rest is what follows that dot. */
static struct bytes
next_label(struct bytes *rest, bool *more)
{
	const uint8_t *dot =
	    rest->len > 0 ? memchr(rest->p, '.', rest->len) : NULL;
	struct bytes label = *rest;

	*more = dot != NULL;
	if (dot != NULL) {
		label.len = (size_t)(dot - rest->p);
		*rest = bytes_of(dot + 1, rest->len - label.len - 1);
	}
	return label;
}

static bool
host_form_valid(struct bytes host)
{
	bool more = true, ok = host.len > 0 && host.len <= HOST_MAX;

	while (ok && more)
		ok = label_valid(next_label(&host, &more));
	return ok;
}

static bool
word_is(struct bytes v, const char *word)
{
	return v.len == strlen(word) &&
	       strncasecmp((const char *)v.p, word, v.len) == 0;
}

/*
 * Without a dot, or under a name that resolves at home only.  What RFC 2606
 * keeps for examples is no name of an internal net.
 */
bool
host_is_internal(struct bytes host)
{
	static const char *const ends[] = { "local", "localhost", "localdomain",
		"internal", "intranet", "private", "lan", "home", "corp",
		"mail" };
	struct bytes last = host;
	bool more = true;
	size_t labels = 0, i;

	for (; more; labels++)
		last = next_label(&host, &more);
	for (i = 0; i < ARRAY_LEN(ends); i++) {
		if (word_is(last, ends[i]))
			return true;
	}
	return labels == 1;
}

/* An A-label of IDNA 2008 that turns to letters and back. */
static bool
a_label_valid(struct bytes label)
{
	char text[LABEL_MAX + 1], *unicode = NULL, *ascii = NULL;
	bool ok;

	memcpy(text, label.p, label.len);
	text[label.len] = '\0';
	ok = idn2_to_unicode_8z8z(text, &unicode, 0) == IDN2_OK &&
	     idn2_to_ascii_8z(unicode, &ascii, IDN2_NONTRANSITIONAL) ==
		 IDN2_OK &&
	     strcasecmp(ascii, text) == 0 && strcasecmp(unicode, text) != 0;
	idn2_free(unicode);
	idn2_free(ascii);
	return ok;
}

static void
judge_label(struct facts *f, struct bytes l)
{
	bool ace = l.len > 4 && strncasecmp((const char *)l.p, "xn--", 4) == 0;

	judge(f, R_DNS_FORM, !label_valid(l));
	judge(f, R_DNS_UNDERSCORE,
	    l.len > 0 && memchr(l.p, '_', l.len) != NULL);
	judge(f, R_DNS_HYPHENS,
	    l.len >= 4 && l.p[2] == '-' && l.p[3] == '-' && !ace);
	if (ace && l.len <= LABEL_MAX)
		judge(f, R_DNS_IDN, !a_label_valid(l));
}

static void
judge_host(struct facts *f, struct bytes host)
{
	struct bytes rest = host, label;
	bool more = true, first = true;

	judge(f, R_DNS_FORM, host.len > HOST_MAX);
	judge(f, R_DNS_INTERNAL, host_is_internal(host));
	for (; more; first = false) {
		label = next_label(&rest, &more);
		if (first && more && bytes_is(label, "*"))
			continue;
		if (label.len > 0 && memchr(label.p, '*', label.len) != NULL)
			judge(f, R_DNS_WILDCARD, true);
		else
			judge_label(f, label);
	}
}

/* --- Addresses ------------------------------------------------------------------------ */

struct net {
	uint8_t octets[4];
	uint8_t bits;
};

static bool
starts_with(const uint8_t *p, const struct net *net)
{
	uint32_t a = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		     (uint32_t)p[2] << 8 | p[3];
	const uint8_t *o = net->octets;
	uint32_t b = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
		     (uint32_t)o[2] << 8 | o[3];

	return (a ^ b) >> (32 - net->bits) == 0;
}

/* IANA's registries of special-purpose addresses, RFC 6890. */
static bool
is_reserved(struct bytes ip)
{
	static const struct net v4[] = { { { 0 }, 8 }, { { 10 }, 8 },
		{ { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 },
		{ { 172, 16 }, 12 }, { { 192, 0, 0 }, 24 },
		{ { 192, 0, 2 }, 24 }, { { 192, 168 }, 16 },
		{ { 198, 18 }, 15 }, { { 198, 51, 100 }, 24 },
		{ { 203, 0, 113 }, 24 }, { { 224 }, 3 } };
	static const struct net v6[] = { { { 0 }, 32 }, { { 0x01 }, 8 },
		{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, { { 0xfc }, 7 },
		{ { 0xfe, 0x80 }, 10 }, { { 0xff }, 8 } };
	const struct net *nets = ip.len == 4 ? v4 : v6;
	size_t i, n = ip.len == 4 ? ARRAY_LEN(v4) : ARRAY_LEN(v6);

	for (i = 0; i < n; i++) {
		if (starts_with(ip.p, &nets[i]))
			return true;
	}
	return false;
}

static void
judge_ip(struct facts *f, struct bytes ip)
{
	bool ok = ip.len == 4 || ip.len == 16;

	judge(f, R_IP_FORM, !ok);
	judge(f, R_IP_RESERVED, ok && is_reserved(ip));
}

/* --- URIs ------------------------------------------------------------------------------- */

static bool
one_of(uint8_t c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

static size_t
scheme_len(struct bytes uri)
{
	size_t i;

	for (i = 0; i < uri.len && uri.p[i] != ':'; i++) {
		if (!letter_or_digit(uri.p[i]) &&
		    (i == 0 || !one_of(uri.p[i], "+-.")))
			return 0;
	}
	return i < uri.len && i > 0 && uri.p[0] > '9' ? i : 0;
}

bool
uri_valid(struct bytes uri)
{
	size_t i, scheme = scheme_len(uri);

	if (scheme == 0 || uri.len == scheme + 1)
		return false;
	for (i = scheme; i < uri.len; i++) {
		uint8_t c = uri.p[i];

		if (c <= 0x20 || c == '"' || c == '<' || c == '>' ||
		    c == '\\' || c == '^' || c == '`' || (c >= '{' && c != '~'))
			return false;
	}
	return true;
}

/* What stands between // and the next / ? or #, without user and port. */
static bool
uri_host(struct bytes uri, struct bytes *host)
{
	size_t at = scheme_len(uri), end;
	const uint8_t *user, *port;

	if (at == 0 || uri.len < at + 3 || uri.p[at + 1] != '/' ||
	    uri.p[at + 2] != '/')
		return false;
	at += 3;
	for (end = at; end < uri.len && !one_of(uri.p[end], "/?#");)
		end++;
	*host = bytes_of(uri.p + at, end - at);
	user = memchr(host->p, '@', host->len);
	if (user != NULL)
		*host = bytes_of(user + 1,
		    host->len - (size_t)(user + 1 - host->p));
	if (host->len > 0 && host->p[0] == '[')
		return true;
	port = memchr(host->p, ':', host->len);
	if (port != NULL)
		host->len = (size_t)(port - host->p);
	return true;
}

bool
uri_is_http(struct bytes uri)
{
	return uri.len > 7 &&
	       strncasecmp((const char *)uri.p, "http://", 7) == 0 &&
	       uri_valid(uri);
}

/* An empty host, as in ldap:///, is for schemes that take the local one. */
bool
uri_host_valid(struct bytes uri)
{
	struct bytes host;

	if (!uri_host(uri, &host))
		return true;
	if (host.len == 0)
		return strncasecmp((const char *)uri.p, "http", 4) != 0;
	if (host.p[0] == '[')
		return host.p[host.len - 1] == ']';
	return host_form_valid(host) && memchr(host.p, '.', host.len) != NULL;
}

bool
uri_is_internal(struct bytes uri)
{
	struct bytes host;

	return uri_host(uri, &host) && host.len > 0 && host.p[0] != '[' &&
	       host_is_internal(host);
}

/* --- otherName ------------------------------------------------------------------------------ */

/* RFC 9598: letters beyond ASCII before the @, none behind it, no mark first. */
static bool
smtp_utf8_valid(struct der *value)
{
	struct bytes v = der_get(value, DER_UTF8_STRING), local;
	const uint8_t *at;

	if (!der_end(value) || v.len == 0 || !utf8_valid(v))
		return false;
	at = memrchr(v.p, '@', v.len);
	if (at == NULL || (v.len > 3 && memcmp(v.p, "\xef\xbb\xbf", 3) == 0))
		return false;
	local = bytes_of(v.p, (size_t)(at - v.p));
	return !ia5_valid(local) && host_form_valid(bytes_of(at + 1,
					v.len - (size_t)(at + 1 - v.p)));
}

/* A RUT is an IA5String in the stored form with the right check digit. */
static bool
rut_valid(struct der *value)
{
	struct bytes v = der_get(value, DER_IA5_STRING);
	char text[RUN_TEXT];
	struct err ignored;

	return der_end(value) && run_parse(v, text, &ignored) == ERR_OK &&
	       bytes_is(v, text);
}

static void
judge_other(struct facts *f, struct bytes v, bool is_subject)
{
	/* id-on-SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9 */
	static const uint8_t smtp[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
		0x08, 0x09 };
	struct der d = der_of(v), in;
	struct bytes oid = der_get(&d, DER_OID);

	in = der_enter(&d, DER_CONTEXT_CONS(0));
	judge(f, R_ALT_ALPHABET, !der_end(&d) || der_end(&in));
	if (bytes_eq(oid, oid_known(OID_RUT_HOLDER)) ||
	    bytes_eq(oid, oid_known(OID_RUT_CERTIFIER)))
		judge(f, R_RUT_FORM, !rut_valid(&in));
	if (bytes_eq(oid, bytes_of(smtp, sizeof(smtp)))) {
		judge(f, R_SMTP_UTF8, !smtp_utf8_valid(&in));
		f->san_smtp |= is_subject;
	}
}

/* --- The two extensions --------------------------------------------------------------------- */

static void
keep(struct facts *f, struct bytes *list, size_t *n, struct bytes v)
{
	size_t i;

	for (i = 0; i < *n; i++)
		judge(f, R_SAN_TWICE,
		    v.len == list[i].len &&
			strncasecmp((const char *)v.p, (const char *)list[i].p,
			    v.len) == 0);
	if (*n < ALT_NAMES_KEPT)
		list[(*n)++] = v;
}

static void
judge_text(struct facts *f, uint8_t tag, struct bytes v, bool is_subject)
{
	struct err ignored;

	if (v.len == 0 || !ia5_valid(v)) {
		judge(f, R_ALT_ALPHABET, true);
		return;
	}
	if (tag == DER_CONTEXT(1)) {
		judge(f, R_EMAIL_FORM, email_check(v, &ignored) != ERR_OK);
		if (is_subject)
			keep(f, f->san_email, &f->n_san_email, v);
	} else if (tag == DER_CONTEXT(2)) {
		judge_host(f, v);
		if (is_subject)
			keep(f, f->san_dns, &f->n_san_dns, v);
	} else {
		judge(f, R_URI_FORM, !uri_valid(v));
		judge(f, R_URI_HOST, uri_valid(v) && !uri_host_valid(v));
	}
}

static void
judge_general_name(struct facts *f, uint8_t tag, struct bytes v,
    bool is_subject)
{
	switch (tag) {
	case DER_CONTEXT_CONS(0):
		judge_other(f, v, is_subject);
		break;
	case DER_CONTEXT(1):
	case DER_CONTEXT(2):
	case DER_CONTEXT(6):
		judge_text(f, tag, v, is_subject);
		break;
	case DER_CONTEXT_CONS(4):
		judge(f, R_ALT_ALPHABET, !name_valid(v));
		break;
	case DER_CONTEXT(7):
		judge_ip(f, v);
		break;
	case DER_CONTEXT_CONS(3):
	case DER_CONTEXT_CONS(5):
	case DER_CONTEXT(8):
		judge(f, R_ALT_KIND, true);
		break;
	default:
		judge(f, R_ALT_ALPHABET, true);
	}
}

static void
judge_names(struct facts *f, enum lint_ext x)
{
	struct der d = der_of(ext_value(f, x));
	struct der in = der_enter(&d, DER_SEQUENCE);

	if (f->ext[x] == NULL)
		return;
	judge(f, R_EXT_EMPTY, der_end(&in));
	while (der_peek(&in) != 0) {
		uint8_t tag = der_peek(&in);

		judge_general_name(f, tag, der_get(&in, tag), x == X_SAN);
	}
	judge(f, R_ALT_ALPHABET, in.bad);
}

void
lint_alt_names(struct facts *f)
{
	judge_names(f, X_SAN);
	judge_names(f, X_IAN);
	judge(f, R_SAN_MISSING, f->ext[X_SAN] == NULL);
	judge(f, R_SAN_EMAIL_MISSING,
	    (f->eku & E_EMAIL) != 0 && f->n_san_email == 0 && !f->san_smtp);
}
