/*
 * Addresses in certificates: of mail, hosts, pages and networks.  Each is
 * judged as text, before it becomes an octet of a name.
 */
#include <stdio.h>
#include <strings.h>

#include <idn2.h>

#include "internal.h"

#define HOST_MAX 253 /* characters, RFC 1035 2.3.4 less its octets of length */
#define URI_MAX  320
#define IP_TEXT  46 /* of the longest IPv6 address, with NUL */

/* --- Mail and hosts -------------------------------------------------------- */

static bool
mailbox_valid(const char *p, size_t len)
{
	bool dot = true;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == '.') {
			if (dot)
				return false;
			dot = true;
			continue;
		}
		dot = false;
		if (!letter_or_digit((uint8_t)p[i]) &&
		    strchr("!#$%&'*+-/=?^_`{|}~", p[i]) == NULL)
			return false;
	}
	return len >= 1 && len <= 64 && !dot;
}

static bool
label_valid(const char *p, size_t len)
{
	size_t i;

	if (len < 1 || len > 63 || p[0] == '-' || p[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++) {
		if (!letter_or_digit((uint8_t)p[i]) && p[i] != '-')
			return false;
	}
	return true;
}

/* An A-label must be one: IDNA 2008 decodes it and encodes it back. */
static bool
idna_valid(const char *host)
{
	char *unicode = NULL, *back = NULL;
	bool same = idn2_to_unicode_8z8z(host, &unicode, 0) == IDN2_OK &&
		    idn2_lookup_u8((const uint8_t *)unicode, (uint8_t **)&back,
			IDN2_NONTRANSITIONAL) == IDN2_OK &&
		    strcasecmp(back, host) == 0;

	idn2_free(unicode);
	idn2_free(back);
	return same;
}

bool
dns_host_valid(const char *host)
{
	const char *p = host, *dot;
	size_t labels = 0, len;

	do {
		dot = strchr(p, '.');
		len = dot == NULL ? strlen(p) : (size_t)(dot - p);
		if (!label_valid(p, len))
			return false;
		labels++;
		p += len + 1;
	} while (dot != NULL);
	if (labels < 2 || strlen(host) > HOST_MAX)
		return false;
	return strcasestr(host, "xn--") == NULL || idna_valid(host);
}

enum err_code
email_check(struct bytes address, struct err *e)
{
	char text[EMAIL_MAX + 1];
	char *at;

	if (address.len > 0 && address.len <= EMAIL_MAX &&
	    ascii_printable(address)) {
		memcpy(text, address.p, address.len);
		text[address.len] = '\0';
		at = strrchr(text, '@');
		if (at != NULL && mailbox_valid(text, (size_t)(at - text)) &&
		    dns_host_valid(at + 1))
			return ERR_OK;
	}
	return err_at(e, ERR_INVALID, "email-form", "RFC 5321 4.1.2",
	    at_field("emailAddress"),
	    "this is not an e-mail address; write name@host.tld in plain "
	    "ASCII");
}

/* Copies ASCII of 1 to size - 1 octets, so that it ends with NUL. */
static bool
to_text(struct bytes b, char *out, size_t size)
{
	if (b.len == 0 || b.len >= size || !ascii_printable(b))
		return false;
	memcpy(out, b.p, b.len);
	out[b.len] = '\0';
	return true;
}

/* What to write for a name in another alphabet, where there is such a form. */
static enum err_code
not_ascii(struct bytes name, struct err *e)
{
	char text[HOST_MAX + 1];
	uint8_t *ascii = NULL;
	bool known = false;

	if (name.len <= HOST_MAX && utf8_valid(name)) {
		memcpy(text, name.p, name.len);
		text[name.len] = '\0';
		known = strlen(text) == name.len &&
			idn2_lookup_u8((const uint8_t *)text, &ascii,
			    IDN2_NONTRANSITIONAL) == IDN2_OK &&
			strlen((const char *)ascii) < 64 &&
			dns_host_valid((const char *)ascii);
	}
	err_at(e, ERR_INVALID, "dns-idna", "RFC 5280 7.2",
	    at_field("subjectAltName"),
	    "the name of the host is not one in plain ASCII; write its "
	    "A-labels: %s",
	    known ? (const char *)ascii : "xn--...");
	idn2_free(ascii);
	return e->code;
}

static bool
last_label_is_number(const char *host)
{
	const char *dot = strrchr(host, '.');

	dot = dot == NULL ? host : dot + 1;
	return *dot != '\0' && strspn(dot, "0123456789") == strlen(dot);
}

enum err_code
dns_check(struct bytes name, struct err *e)
{
	char text[HOST_MAX + 3];
	const char *host = text;

	if (name.len > 0 && !ia5_valid(name))
		return not_ascii(name, e);
	if (!to_text(name, text, sizeof(text)))
		text[0] = '\0';
	if (strncmp(host, "*.", 2) == 0)
		host += 2;
	if (strchr(host, '*') != NULL)
		return err_at(e, ERR_INVALID, "dns-wildcard", "RFC 9525 6.3",
		    at_field("subjectAltName"),
		    "a * may only be the whole first label, as in "
		    "*.example.cl");
	if (strchr(host, '_') != NULL)
		return err_at(e, ERR_INVALID, "dns-underscore",
		    "RFC 5280 4.2.1.6", at_field("subjectAltName"),
		    "the name of a host has no underscore; use letters, digits "
		    "and hyphens");
	if (last_label_is_number(host))
		return err_at(e, ERR_INVALID, "dns-address", "RFC 5280 4.2.1.6",
		    at_field("subjectAltName"),
		    "this is an IP address, not the name of a host; give it as "
		    "an address");
	if (!dns_host_valid(host))
		return err_at(e, ERR_INVALID, "dns-form", "RFC 5280 4.2.1.6",
		    at_field("subjectAltName"),
		    "this is not the full name of a host; write it as in "
		    "www.example.cl, without a dot at its end");
	return ERR_OK;
}

/* --- Pages ------------------------------------------------------------------- */

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* Characters of RFC 3986 2; "%" stands before two hexadecimal digits. */
static bool
uri_characters(const char *p)
{
	for (; *p != '\0'; p++) {
		if (letter_or_digit((uint8_t)*p) ||
		    strchr("-._~:/?#[]@!$&'()*+,;=", *p) != NULL)
			continue;
		if (*p != '%' || !is_hex(p[1]) || !is_hex(p[2]))
			return false;
		p += 2;
	}
	return true;
}

/* The length of "https:", or 0. */
static size_t
scheme_len(const char *uri)
{
	size_t n = strspn(uri, "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	if (n == 0 || uri[n] != ':' || !letter_or_digit((uint8_t)uri[0]) ||
	    (uri[0] >= '0' && uri[0] <= '9'))
		return 0;
	return n + 1;
}

/* "www.example.cl", "www.example.cl:8443", "192.0.2.7", "[2001:db8::7]" */
static bool
authority_valid(const char *p, size_t len)
{
	char host[HOST_MAX + 1];
	uint8_t ip[IP_MAX];
	struct err ignored;
	size_t n, ip_len;

	if (len > HOST_MAX || memchr(p, '@', len) != NULL)
		return false;
	memcpy(host, p, len);
	host[len] = '\0';
	if (host[0] == '[') {
		n = strcspn(host, "]");
		if (host[n] == '\0' ||
		    ip_parse(bytes_of(host + 1, n - 1), ip, &ip_len,
			&ignored) != ERR_OK ||
		    ip_len != 16)
			return false;
		n++;
	} else {
		n = strcspn(host, ":");
	}
	if (host[n] == ':' &&
	    (strspn(host + n + 1, "0123456789") != strlen(host + n + 1) ||
		strlen(host + n + 1) > 5 || host[n + 1] == '\0'))
		return false;
	if (host[n] != '\0' && host[n] != ':')
		return false;
	host[n] = '\0';
	if (host[0] == '[')
		return true;
	return last_label_is_number(host)
		   ? ip_parse(bytes_str(host), ip, &ip_len, &ignored) == ERR_OK
		   : dns_host_valid(host);
}

enum err_code
uri_check(struct bytes uri, struct err *e)
{
	char text[URI_MAX + 1];
	const char *rest = NULL;
	size_t scheme = 0;

	if (to_text(uri, text, sizeof(text)) && uri_characters(text))
		scheme = scheme_len(text);
	if (scheme > 0)
		rest = text + scheme;
	if (rest == NULL || *rest == '\0')
		return err_at(e, ERR_INVALID, "uri-form", "RFC 5280 4.2.1.6",
		    at_field("subjectAltName"),
		    "this is not an absolute address of at most 320 characters "
		    "in plain ASCII; write it as in https://www.example.cl/a");
	if (strncmp(rest, "//", 2) == 0 &&
	    !authority_valid(rest + 2, strcspn(rest + 2, "/?#")))
		return err_at(e, ERR_INVALID, "uri-host", "RFC 5280 4.2.1.6",
		    at_field("subjectAltName"),
		    "the address does not name its host in full, or carries a "
		    "user; write it as in https://www.example.cl/a");
	return ERR_OK;
}

/* --- Networks ------------------------------------------------------------------ */

/* "192.0.2.7"; no leading zeros, which some read as octal. */
static bool
ip4_parse(const char *p, uint8_t out[4])
{
	unsigned v;
	int i, digits;

	for (i = 0; i < 4; i++) {
		if (i > 0 && *p++ != '.')
			return false;
		for (v = 0, digits = 0; *p >= '0' && *p <= '9'; p++) {
			if (++digits > 3 || (digits > 1 && v == 0))
				return false;
			v = v * 10 + (unsigned)(*p - '0');
		}
		if (digits == 0 || v > 255)
			return false;
		out[i] = (uint8_t)v;
	}
	return *p == '\0';
}

/* One group of hexadecimal digits. */
static bool
ip6_group(const char **p, uint8_t out[2])
{
	unsigned v = 0;
	int digits = 0;

	for (; is_hex(**p); (*p)++) {
		char c = **p;

		if (++digits > 4)
			return false;
		v = v << 4 |
		    (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
	return digits > 0;
}

/* RFC 4291 2.2: eight groups, one "::" for two or more that are zero. */
static bool
ip6_parse(const char *p, uint8_t out[16])
{
	uint8_t got[16] = { 0 };
	size_t n = 0, gap = SIZE_MAX;

	if (strncmp(p, "::", 2) == 0) {
		gap = 0;
		p += 2;
	}
	while (*p != '\0') {
		if (n <= 12 && strchr(p, ':') == NULL &&
		    strchr(p, '.') != NULL) {
			if (!ip4_parse(p, got + n))
				return false;
			n += 4;
			break;
		}
		if (n > 14 || !ip6_group(&p, got + n))
			return false;
		n += 2;
		if (*p == '\0')
			break;
		if (*p++ != ':' || (*p == '\0' && n > 0))
			return false;
		if (*p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = n;
			p++;
		}
	}
	if (gap == SIZE_MAX ? n != 16 : n > 14)
		return false;
	memset(out, 0, 16);
	if (gap == SIZE_MAX)
		gap = n;
	memcpy(out, got, gap);
	memcpy(out + 16 - (n - gap), got + gap, n - gap);
	return true;
}

static bool
ip_read(const char *text, uint8_t out[IP_MAX], size_t *len)
{
	*len = strchr(text, ':') == NULL ? 4 : 16;
	return *len == 4 ? ip4_parse(text, out) : ip6_parse(text, out);
}

enum err_code
ip_parse(struct bytes text, uint8_t out[IP_MAX], size_t *len, struct err *e)
{
	char copy[IP_TEXT];

	if (to_text(text, copy, sizeof(copy)) && ip_read(copy, out, len))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "ip-form", "RFC 5280 4.2.1.6",
	    at_field("subjectAltName"),
	    "this is not an IP address; write it as in 192.0.2.7 or "
	    "2001:db8::7");
}

static bool
range_read(char *text, uint8_t out[IP_RANGE_MAX], size_t *len)
{
	char *slash = strchr(text, '/');
	uint8_t *mask;
	size_t i, n, bits = 0;

	if (slash == NULL)
		return false;
	*slash++ = '\0';
	if (!ip_read(text, out, &n) || strlen(slash) > 3 || *slash == '\0' ||
	    (slash[0] == '0' && slash[1] != '\0'))
		return false;
	for (; *slash != '\0'; slash++) {
		if (*slash < '0' || *slash > '9')
			return false;
		bits = bits * 10 + (size_t)(*slash - '0');
	}
	if (bits > n * 8)
		return false;
	mask = out + n;
	for (i = 0; i < n; i++) {
		size_t here = bits < i * 8 ? 0 : bits - i * 8;

		mask[i] = (uint8_t)(here >= 8 ? 0xffu : 0xff00u >> here);
		if ((out[i] & ~mask[i]) != 0)
			return false;
	}
	*len = 2 * n;
	return true;
}

enum err_code
ip_range_parse(struct bytes text, uint8_t out[IP_RANGE_MAX], size_t *len,
    struct err *e)
{
	char copy[IP_TEXT + 4];

	if (to_text(text, copy, sizeof(copy)) && range_read(copy, out, len))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "ip-range", "RFC 5280 4.2.1.10",
	    at_field("nameConstraints"),
	    "this is not a range of IP addresses that ends in zero bits; write "
	    "it as in 192.0.2.0/24 or 2001:db8::/32");
}
