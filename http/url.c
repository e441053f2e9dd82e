/* url - where a client asks, and what it reads of the fields of an answer. */
#include <stdio.h>
#include <string.h>

#include "scan.h"

static enum err_code
malformed(struct err *e)
{
	return err_at(e, ERR_INVALID, "http-url", "RFC 9110 4.2.1", NOWHERE,
	    "this is not an address like http://host/path, in ASCII, without "
	    "user and fragment");
}

/* Octets before the first of these characters, or all. */
static size_t
until(struct bytes text, const char *stops)
{
	size_t n = 0;
	while (n < text.len && strchr(stops, text.p[n]) == NULL)
		n++;
	return n;
}

static struct bytes
rest_of(struct bytes text, size_t from)
{
	return bytes_of(text.p + from, text.len - from);
}

/* "host", "host:port", "[::1]:port"; an empty port is the usual one. */
static bool
read_authority(struct bytes text, struct http_url *out)
{
	if (!host_valid(text))
		return false;
	out->is_ipv6 = text.p[0] == '[';
	size_t n = until(text, out->is_ipv6 ? "]" : ":");
	size_t skip = out->is_ipv6 ? 1 : 0;
	if (n - skip >= sizeof(out->host))
		return false;
	snprintf(out->host, sizeof(out->host), "%.*s", (int)(n - skip),
	    (const char *)text.p + skip);
	struct bytes port = rest_of(text, n + skip);
	if (port.len > 6)
		return false;
	if (port.len <= 1)
		snprintf(out->port, sizeof(out->port), "80");
	else
		snprintf(out->port, sizeof(out->port), "%.*s",
		    (int)port.len - 1, (const char *)port.p + 1);
	return true;
}

enum err_code
http_url_parse(struct bytes url, struct http_url *out, struct err *e)
{
	struct http_url u;
	if (url.len == 0 || url.len >= HTTP_URL_MAX || !ascii_printable(url) ||
	    until(url, " #") != url.len)
		return malformed(e);
	size_t scheme = until(url, ":/?");
	if (url.len - scheme < 3 || memcmp(url.p + scheme, "://", 3) != 0)
		return malformed(e);
	if (!http_text_is(bytes_of(url.p, scheme), "http"))
		return err_at(e, ERR_DENIED, "http-url-scheme", "RFC 5280 8",
		    NOWHERE,
		    "only http: addresses are asked; what is fetched is signed "
		    "and needs no other protection");
	struct bytes rest = rest_of(url, scheme + 3);
	size_t authority = until(rest, "/?");
	if (!read_authority(bytes_of(rest.p, authority), &u))
		return malformed(e);
	struct bytes target = rest_of(rest, authority);
	snprintf(u.target, sizeof(u.target), "%s%.*s",
	    target.len == 0 || target.p[0] != '/' ? "/" : "",
	    BYTES_FMT(target));
	if (!char_all(bytes_str(u.target), CH_TARGET))
		return malformed(e);
	*out = u;
	return ERR_OK;
}

int64_t
http_max_age(const char *cache_control)
{
	struct bytes rest = bytes_str(cache_control);
	int64_t age;
	while (rest.len > 0) {
		size_t n = until(rest, ",");
		struct bytes item = bytes_of(rest.p, n);
		while (item.len > 0 && item.p[0] == ' ')
			item = rest_of(item, 1);
		rest = rest_of(rest, n < rest.len ? n + 1 : n);
		if (item.len > 8 &&
		    http_text_is(bytes_of(item.p, 8), "max-age=") &&
		    dec_parse(rest_of(item, 8), &age))
			return age;
	}
	return -1;
}

bool
http_date_parse(const char *text, int64_t *out)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char again[HTTP_DATE];
	struct civil c = { .year = 0 };
	int64_t day, year, hour, minute, second;
	if (strlen(text) != HTTP_DATE - 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(months); i++) {
		if (memcmp(text + 8, months[i], 3) == 0)
			c.month = (int)i + 1;
	}
	/* dec_parse() takes no leading zero: digit by digit. */
	const uint8_t *p = (const uint8_t *)text;
	day = (p[5] - '0') * 10 + (p[6] - '0');
	year = (p[12] - '0') * 1000 + (p[13] - '0') * 100 + (p[14] - '0') * 10 +
	       (p[15] - '0');
	hour = (p[17] - '0') * 10 + (p[18] - '0');
	minute = (p[20] - '0') * 10 + (p[21] - '0');
	second = (p[23] - '0') * 10 + (p[24] - '0');
	c.day = (int)day;
	c.year = (int)year;
	c.hour = (int)hour;
	c.minute = (int)minute;
	c.second = (int)second;
	if (c.month == 0 || !civil_to_time(&c, out))
		return false;
	/* Whatever was no digit, or another weekday, prints otherwise. */
	http_date(again, *out);
	return strcmp(again, text) == 0;
}
