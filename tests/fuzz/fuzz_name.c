/* libs: pkix */
#include <refrendo/pkix.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

/*
 * The input as lines: the first octet of each picks the attribute, the rest
 * is the value.  What is built is strict DER and gives the value back.
 */
static void
build(struct bytes in)
{
	struct name_attr attrs[NAME_ATTRS_MAX];
	struct buf out AUTO_BUF = BUF(NAME_DER_MAX);
	struct err e = { .code = ERR_OK };
	char text[256];
	size_t n = 0;

	while (in.len > 0 && n < NAME_ATTRS_MAX) {
		const uint8_t *end = memchr(in.p, '\n', in.len);
		size_t len = end == NULL ? in.len : (size_t)(end - in.p);

		if (len > 0) {
			attrs[n].type = (enum pkix_oid)(
			    in.p[0] % (OID_ORGANIZATION_ID + 1));
			attrs[n].string =
			    (enum name_string)(in.p[0] / 64 % NAME_STRINGS);
			attrs[n++].value = bytes_of(in.p + 1, len - 1);
		}
		len = len < in.len ? len + 1 : len;
		in = bytes_of(in.p + len, in.len - len);
	}
	if (name_build(attrs, n, &out, &e) != ERR_OK) {
		MUST(e.code == ERR_INVALID && e.say[0] != '\0');
		MUST(out.len == 0);
		return;
	}
	MUST(der_strict(buf_bytes(&out), &e) == ERR_OK);
	MUST(bytes_eq(name_find(buf_bytes(&out), attrs[0].type),
	    attrs[0].value));
	name_print(text, sizeof(text), buf_bytes(&out));
	MUST(utf8_valid(bytes_str(text)) && text[0] != '\0');
}

/* The input as the address of a host, a page, a network. */
static void
address(struct bytes in)
{
	struct err e = { .code = ERR_OK };
	uint8_t ip[IP_RANGE_MAX];
	struct general_name n = { .value = in };
	size_t len;
	int kind;

	if (dns_check(in, &e) == ERR_OK)
		MUST(in.len <= 255 && ascii_printable(in));
	else
		MUST(e.code == ERR_INVALID && e.say[0] != '\0');
	if (uri_check(in, &e) == ERR_OK)
		MUST(ascii_printable(in) && memchr(in.p, ' ', in.len) == NULL);
	else
		MUST(e.code == ERR_INVALID && e.say[0] != '\0');
	if (ip_parse(in, ip, &len, &e) == ERR_OK)
		MUST(len == 4 || len == 16);
	if (ip_range_parse(in, ip, &len, &e) == ERR_OK) {
		n.kind = GN_IP;
		n.value = bytes_of(ip, len);
		MUST(subtree_check(&n, &e) == ERR_OK);
		n.value = in;
	}
	for (kind = 0; kind < NAME_KINDS; kind++) {
		n.kind = (enum name_kind)kind;
		n.other.len = 1;
		if (general_name_check(&n, &e) != ERR_OK)
			MUST(e.code == ERR_INVALID && e.say[0] != '\0');
		if (subtree_check(&n, &e) != ERR_OK)
			MUST(e.code == ERR_INVALID && e.say[0] != '\0');
	}
}

/* The input as somebody else's Name, address and identifier. */
static void
read_as(struct bytes in)
{
	struct err e = { .code = ERR_OK };
	char text[256];
	struct oid o, again;

	name_print(text, sizeof(text), in);
	MUST(utf8_valid(bytes_str(text)));
	(void)name_find(in, OID_CN);
	if (email_check(in, &e) != ERR_OK)
		MUST(e.say[0] != '\0');
	if (oid_parse(in, &o, &e) != ERR_OK)
		return;
	oid_print(text, sizeof(text), oid_bytes(&o));
	MUST(oid_parse(bytes_str(text), &again, &e) == ERR_OK);
	MUST(bytes_eq(oid_bytes(&o), oid_bytes(&again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	build(bytes_of(data, size));
	read_as(bytes_of(data, size));
	address(bytes_of(data, size));
	return 0;
}
