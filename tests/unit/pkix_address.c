/* Addresses: hosts, pages, networks, and the names that hold them. */
#include "unit/pkix_help.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* clang-format off */
static const struct {
	const char *name, *value;
	const char *id, *say; /* NULL: accepted */
} hosts[] = {
	{ "plain",             "www.example.cl", NULL, NULL },
	{ "two labels",        "example.cl", NULL, NULL },
	{ "capitals",          "WWW.Example.CL", NULL, NULL },
	{ "digits",            "1.2.3.example", NULL, NULL },
	{ "inner hyphens",     "a--b.example", NULL, NULL },
	{ "63 characters",     L63 ".example", NULL, NULL },
	{ "253 characters",    L63 "." L63 "." L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.a", NULL, NULL },
	{ "254 characters",    L63 "." L63 "." L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.a", "dns-form", "not the full name of a host" },
	{ "64 in a label",     L63 "a.example", "dns-form", "not the full name of a host" },
	{ "A-label",           "xn--and-6ma2c.cl", NULL, NULL },
	{ "wildcard",          "*.example.cl", NULL, NULL },
	{ "empty",             "", "dns-form", "not the full name of a host" },
	{ "one label",         "localhost", "dns-form", "not the full name of a host" },
	{ "dot at the end",    "www.example.cl.", "dns-form", "without a dot at its end" },
	{ "dot at the start",  ".example.cl", "dns-form", "not the full name of a host" },
	{ "two dots",          "www..example.cl", "dns-form", "not the full name of a host" },
	{ "hyphen first",      "-www.example.cl", "dns-form", "not the full name of a host" },
	{ "hyphen last",       "www-.example.cl", "dns-form", "not the full name of a host" },
	{ "space",             "www example.cl", "dns-form", "not the full name of a host" },
	{ "line",              "www.example.cl\n", "dns-form", "not the full name of a host" },
	{ "an address of a page", "https://example.cl", "dns-form", "not the full name of a host" },
	{ "no such A-label",   "xn--a.cl", "dns-form", "not the full name of a host" },
	{ "underscore",        "a_b.example.cl", "dns-underscore", "no underscore" },
	{ "wildcard of a part", "w*.example.cl", "dns-wildcard", "whole first label" },
	{ "inner wildcard",    "www.*.cl", "dns-wildcard", "whole first label" },
	{ "two wildcards",     "*.*.example.cl", "dns-wildcard", "whole first label" },
	{ "wildcard of a top", "*.cl", "dns-form", "not the full name of a host" },
	{ "wildcard alone",    "*", "dns-wildcard", "whole first label" },
	{ "IPv4",              "192.0.2.7", "dns-address", "this is an IP address" },
	{ "U-label",           "\303\261and\303\272.cl", "dns-idna", "write its A-labels: xn--and-6ma2c.cl" },
	{ "not even UTF-8",    "\361and\372.cl", "dns-idna", "write its A-labels: xn--..." },
}, pages[] = {
	{ "plain",             "https://www.example.cl/a?b=c#d", NULL, NULL },
	{ "port",              "http://www.example.cl:8443", NULL, NULL },
	{ "IPv4",              "http://192.0.2.7/", NULL, NULL },
	{ "IPv6",              "http://[2001:db8::7]:80/", NULL, NULL },
	{ "urn",               "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", NULL, NULL },
	{ "escaped",           "https://www.example.cl/%C3%B1", NULL, NULL },
	{ "empty",             "", "uri-form", "not an absolute address" },
	{ "relative",          "/a/b", "uri-form", "not an absolute address" },
	{ "host alone",        "www.example.cl", "uri-form", "not an absolute address" },
	{ "scheme alone",      "https:", "uri-form", "not an absolute address" },
	{ "digit first",       "1http://www.example.cl", "uri-form", "not an absolute address" },
	{ "space",             "https://www.example.cl/a b", "uri-form", "not an absolute address" },
	{ "quote",             "https://www.example.cl/\"", "uri-form", "not an absolute address" },
	{ "half an escape",    "https://www.example.cl/%C", "uri-form", "not an absolute address" },
	{ "letters",           "https://www.example.cl/\303\261", "uri-form", "in plain ASCII" },
	{ "no host",           "https:///a", "uri-host", "does not name its host in full" },
	{ "one label",         "https://www/a", "uri-host", "does not name its host in full" },
	{ "a user",            "https://ana@www.example.cl/", "uri-host", "carries a user" },
	{ "underscore",        "https://a_b.example.cl/", "uri-host", "does not name its host in full" },
	{ "wildcard",          "https://*.example.cl/", "uri-host", "does not name its host in full" },
	{ "no port",           "https://www.example.cl:/", "uri-host", "does not name its host in full" },
	{ "letters as port",   "https://www.example.cl:http/", "uri-host", "does not name its host in full" },
	{ "no such IPv4",      "https://192.0.2.256/", "uri-host", "does not name its host in full" },
	{ "IPv4 in brackets",  "https://[192.0.2.7]/", "uri-host", "does not name its host in full" },
	{ "bracket left open", "https://[2001:db8::7/", "uri-host", "does not name its host in full" },
	{ "after the bracket", "https://[2001:db8::7]a/", "uri-host", "does not name its host in full" },
};

/* what NULL is refused, the octets in hexadecimal digits otherwise */
static const struct {
	const char *value, *hex;
} ips[] = {
	{ "192.0.2.7",                 "c0000207" },
	{ "0.0.0.0",                   "00000000" },
	{ "255.255.255.255",           "ffffffff" },
	{ "::",                        "00000000000000000000000000000000" },
	{ "::1",                       "00000000000000000000000000000001" },
	{ "2001:db8::7",               "20010db8000000000000000000000007" },
	{ "2001:DB8:1:2:3:4:5:6",      "20010db8000100020003000400050006" },
	{ "1:2:3:4:5:6:7::",           "00010002000300040005000600070000" },
	{ "::2:3:4:5:6:7:8",           "00000002000300040005000600070008" },
	{ "fe80::",                    "fe800000000000000000000000000000" },
	{ "::ffff:192.0.2.7",          "00000000000000000000ffffc0000207" },
	{ "1:2:3:4:5:6:192.0.2.7",     "000100020003000400050006c0000207" },
	{ "", NULL }, { "192.0.2", NULL }, { "192.0.2.7.8", NULL }, { "192.0.2.256", NULL },
	{ "192.0.02.7", NULL }, { "192.0.2.", NULL }, { "192..2.7", NULL }, { "0x7f.0.0.1", NULL },
	{ "192.0.2.7 ", NULL }, { "192.0.2.0000", NULL }, { ":", NULL }, { ":::", NULL },
	{ "1:2:3:4:5:6:7", NULL }, { "1:2:3:4:5:6:7:8:9", NULL }, { "1:2:3:4:5:6:7:8::", NULL },
	{ "1::2::3", NULL }, { "2001:db8:", NULL }, { ":2001::", NULL }, { "12345::", NULL },
	{ "g::", NULL }, { "fe80::1%eth0", NULL }, { "::192.0.2.7:1", NULL }, { "::1:192.0.2", NULL },
	{ "1:2:3:4:5:6:7:192.0.2.7", NULL }, { "[::1]", NULL },
}, ranges[] = {
	{ "192.0.2.0/24",              "c0000200ffffff00" },
	{ "0.0.0.0/0",                 "0000000000000000" },
	{ "192.0.2.7/32",              "c0000207ffffffff" },
	{ "10.128.0.0/9",              "0a800000ff800000" },
	{ "2001:db8::/32",             "20010db8000000000000000000000000ffffffff000000000000000000000000" },
	{ "::/0",                      "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "192.0.2.0", NULL }, { "192.0.2.1/24", NULL }, { "192.0.2.0/33", NULL }, { "192.0.2.0/024", NULL },
	{ "192.0.2.0/", NULL }, { "192.0.2.0/-1", NULL }, { "192.0.2.0/255.255.255.0", NULL },
	{ "2001:db8::1/32", NULL }, { "::/129", NULL }, { "/8", NULL },
};
/* clang-format on */

static void
hosts_judged(void **state)
{
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(hosts); i++) {
		enum err_code got = dns_check(bytes_str(hosts[i].value), &e);

		if (hosts[i].id == NULL)
			ROW(got == ERR_OK, hosts[i].name);
		else
			refused(hosts[i].name, got, &e, ERR_INVALID,
			    hosts[i].id, hosts[i].say);
	}
	/* A NUL does not end the name: what follows would be hidden. */
	refused("NUL", dns_check(bytes_of("a.example\0.cl", 13), &e), &e,
	    ERR_INVALID, "dns-form", "not the full name of a host");
}

static void
pages_judged(void **state)
{
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(pages); i++) {
		enum err_code got = uri_check(bytes_str(pages[i].value), &e);

		if (pages[i].id == NULL)
			ROW(got == ERR_OK, pages[i].name);
		else
			refused(pages[i].name, got, &e, ERR_INVALID,
			    pages[i].id, pages[i].say);
	}
}

static bool
is_hex_of(const char *hex, const uint8_t *p, size_t len)
{
	char text[2 * IP_RANGE_MAX + 1] = "";
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return strcmp(text, hex) == 0;
}

static void
networks_read(void **state)
{
	uint8_t out[IP_RANGE_MAX];
	struct err e;
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_LEN(ips); i++) {
		struct bytes text = bytes_str(ips[i].value);
		enum err_code got = ip_parse(text, out, &len, &e);

		if (ips[i].hex != NULL)
			ROW(got == ERR_OK && is_hex_of(ips[i].hex, out, len),
			    ips[i].value);
		else
			refused(ips[i].value, got, &e, ERR_INVALID, "ip-form",
			    "write it as in 192.0.2.7 or 2001:db8::7");
	}
	for (i = 0; i < ARRAY_LEN(ranges); i++) {
		struct bytes text = bytes_str(ranges[i].value);
		enum err_code got = ip_range_parse(text, out, &len, &e);

		if (ranges[i].hex != NULL)
			ROW(got == ERR_OK && is_hex_of(ranges[i].hex, out, len),
			    ranges[i].value);
		else
			refused(ranges[i].value, got, &e, ERR_INVALID,
			    "ip-range", "a range of IP addresses");
	}
}

/* --- GeneralNames and subtrees ----------------------------------------------- */

static const uint8_t empty_name[] = { 0x30, 0x00 };

/* clang-format off */
#define TEXT(s) { (const uint8_t *)(s), sizeof(s) - 1 }
#define OID_HOLDER { { 0x2b, 0x06, 0x01, 0x04, 0x01, 0xc1, 0x01, 0x01 }, 8 }
static const struct {
	const char *name;
	struct general_name gn;
	const char *id, *say; /* NULL: accepted */
} names[] = {
	{ "e-mail",         { GN_EMAIL, { .len = 0 }, TEXT("ana@example.cl") }, NULL, NULL },
	{ "no e-mail",      { GN_EMAIL, { .len = 0 }, TEXT("ana") }, "email-form", "not an e-mail address" },
	{ "host",           { GN_DNS, { .len = 0 }, TEXT("www.example.cl") }, NULL, NULL },
	{ "no host",        { GN_DNS, { .len = 0 }, TEXT("www") }, "dns-form", "full name of a host" },
	{ "page",           { GN_URI, { .len = 0 }, TEXT("https://www.example.cl/") }, NULL, NULL },
	{ "no page",        { GN_URI, { .len = 0 }, TEXT("www.example.cl") }, "uri-form", "absolute address" },
	{ "IPv4",           { GN_IP, { .len = 0 }, TEXT("\300\0\2\7") }, NULL, NULL },
	{ "five octets",    { GN_IP, { .len = 0 }, TEXT("\300\0\2\7\0") }, "ip-size", "4 or 16 octets" },
	{ "no attributes",  { GN_DIRECTORY, { .len = 0 }, { empty_name, 2 } }, "directory-name", "directory name is empty" },
	{ "text as Name",   { GN_DIRECTORY, { .len = 0 }, TEXT("CN=Ana") }, "directory-name", "malformed" },
	{ "IA5String",      { GN_OTHER_IA5, OID_HOLDER, TEXT("12345678-5") }, NULL, NULL },
	{ "UTF8String",     { GN_OTHER_UTF8, OID_HOLDER, TEXT("\303\221u\303\261oa") }, NULL, NULL },
	{ "PrintableString", { GN_OTHER_PRINTABLE, OID_HOLDER, TEXT("12345678-5") }, NULL, NULL },
	{ "no type-id",     { GN_OTHER_IA5, { .len = 0 }, TEXT("12345678-5") }, "other-name", "the value of an otherName" },
	{ "empty",          { GN_OTHER_UTF8, OID_HOLDER, { NULL, 0 } }, "other-name", "is empty" },
	{ "letters in IA5", { GN_OTHER_IA5, OID_HOLDER, TEXT("\303\221") }, "other-name", "that its type of string lacks" },
	{ "Latin-1",        { GN_OTHER_UTF8, OID_HOLDER, TEXT("\321") }, "other-name", "that its type of string lacks" },
	{ "invisible",      { GN_OTHER_UTF8, OID_HOLDER, TEXT("a\342\200\256b") }, "other-name", "that its type of string lacks" },
	{ "@ in Printable", { GN_OTHER_PRINTABLE, OID_HOLDER, TEXT("a@b") }, "other-name", "that its type of string lacks" },
}, subtrees[] = {
	{ "mailbox",        { GN_EMAIL, { .len = 0 }, TEXT("ana@example.cl") }, NULL, NULL },
	{ "host of mail",   { GN_EMAIL, { .len = 0 }, TEXT("example.cl") }, NULL, NULL },
	{ "domain of mail", { GN_EMAIL, { .len = 0 }, TEXT(".example.cl") }, NULL, NULL },
	{ "top domain",     { GN_DNS, { .len = 0 }, TEXT("cl") }, NULL, NULL },
	{ "domain",         { GN_DNS, { .len = 0 }, TEXT("example.cl") }, NULL, NULL },
	{ "pages",          { GN_URI, { .len = 0 }, TEXT(".example.cl") }, NULL, NULL },
	{ "IPv4",           { GN_IP, { .len = 0 }, TEXT("\300\0\2\0\377\377\377\0") }, NULL, NULL },
	{ "dot in DNS",     { GN_DNS, { .len = 0 }, TEXT(".example.cl") }, "subtree-form", "a part of a space of names" },
	{ "wildcard",       { GN_DNS, { .len = 0 }, TEXT("*.example.cl") }, "subtree-form", "a domain as in example.cl" },
	{ "scheme",         { GN_URI, { .len = 0 }, TEXT("https://example.cl") }, "subtree-form", "a part of a space of names" },
	{ "dot alone",      { GN_URI, { .len = 0 }, TEXT(".") }, "subtree-form", "a part of a space of names" },
	{ "empty",          { GN_EMAIL, { .len = 0 }, { NULL, 0 } }, "subtree-form", "a part of a space of names" },
	{ "IPv4 alone",     { GN_IP, { .len = 0 }, TEXT("\300\0\2\7") }, "subtree-form", "a range as in 192.0.2.0/24" },
	{ "mask with a hole", { GN_IP, { .len = 0 }, TEXT("\300\0\2\0\377\0\377\0") }, "subtree-form", "a range as in 192.0.2.0/24" },
	{ "mask with a bit less", { GN_IP, { .len = 0 }, TEXT("\300\0\2\0\377\377\375\0") }, "subtree-form", "a range as in 192.0.2.0/24" },
	{ "host in a range", { GN_IP, { .len = 0 }, TEXT("\300\0\2\7\377\377\377\0") }, "subtree-form", "a range as in 192.0.2.0/24" },
	{ "otherName",      { GN_OTHER_IA5, OID_HOLDER, TEXT("12345678-5") }, "subtree-form", "a part of a space of names" },
	{ "empty Name",     { GN_DIRECTORY, { .len = 0 }, { empty_name, 2 } }, "subtree-form", "the beginning of a directory name" },
};
/* clang-format on */

static void
names_judged(void **state)
{
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		enum err_code got = general_name_check(&names[i].gn, &e);

		if (names[i].id == NULL)
			ROW(got == ERR_OK, names[i].name);
		else
			refused(names[i].name, got, &e, ERR_INVALID,
			    names[i].id, names[i].say);
	}
	for (i = 0; i < ARRAY_LEN(subtrees); i++) {
		enum err_code got = subtree_check(&subtrees[i].gn, &e);

		if (subtrees[i].id == NULL)
			ROW(got == ERR_OK, subtrees[i].name);
		else
			refused(subtrees[i].name, got, &e, ERR_INVALID,
			    subtrees[i].id, subtrees[i].say);
	}
}

/* Tags of GeneralName are the numbers that ceilings hold. */
static void
tags(void **state)
{
	(void)state;
	assert_int_equal(general_name_tag(GN_EMAIL), 1);
	assert_int_equal(general_name_tag(GN_OTHER_IA5), 0);
	assert_int_equal(general_name_tag(GN_OTHER_UTF8), 0);
	assert_int_equal(general_name_tag(GN_OTHER_PRINTABLE), 0);
	assert_int_equal(general_name_tag(GN_DNS), 2);
	assert_int_equal(general_name_tag(GN_DIRECTORY), 4);
	assert_int_equal(general_name_tag(GN_URI), 6);
	assert_int_equal(general_name_tag(GN_IP), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_judged),
		cmocka_unit_test(pages_judged),
		cmocka_unit_test(networks_read),
		cmocka_unit_test(names_judged),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
