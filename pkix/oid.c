/*
 * Object identifiers: dotted text, content octets, and those that more than
 * one folder knows by name.
 */
#include <stdio.h>

#include "internal.h"

#define OID(...) \
	(const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })

/* clang-format off */
static const struct bytes known[OID_COUNT] = {
	[OID_CN] =             { OID(0x55, 0x04, 0x03) },
	[OID_C] =              { OID(0x55, 0x04, 0x06) },
	[OID_O] =              { OID(0x55, 0x04, 0x0a) },
	[OID_OU] =             { OID(0x55, 0x04, 0x0b) },
	[OID_TITLE] =          { OID(0x55, 0x04, 0x0c) },
	[OID_SERIAL_NUMBER] =  { OID(0x55, 0x04, 0x05) },
	[OID_GIVEN_NAME] =     { OID(0x55, 0x04, 0x2a) },
	[OID_SURNAME] =        { OID(0x55, 0x04, 0x04) },
	[OID_EMAIL] =          { OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01) },
	[OID_L] =              { OID(0x55, 0x04, 0x07) },
	[OID_ST] =             { OID(0x55, 0x04, 0x08) },
	[OID_INITIALS] =       { OID(0x55, 0x04, 0x2b) },
	[OID_PSEUDONYM] =      { OID(0x55, 0x04, 0x41) },
	[OID_ORGANIZATION_ID] = { OID(0x55, 0x04, 0x61) },
	[OID_EXT_SKI] =        { OID(0x55, 0x1d, 0x0e) },
	[OID_EXT_AKI] =        { OID(0x55, 0x1d, 0x23) },
	[OID_EXT_KEY_USAGE] =  { OID(0x55, 0x1d, 0x0f) },
	[OID_EXT_SAN] =        { OID(0x55, 0x1d, 0x11) },
	[OID_EXT_IAN] =        { OID(0x55, 0x1d, 0x12) },
	[OID_EXT_BASIC] =      { OID(0x55, 0x1d, 0x13) },
	[OID_EXT_CRLDP] =      { OID(0x55, 0x1d, 0x1f) },
	[OID_EXT_POLICIES] =   { OID(0x55, 0x1d, 0x20) },
	[OID_EXT_EKU] =        { OID(0x55, 0x1d, 0x25) },
	[OID_EXT_AIA] =        { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01) },
	[OID_EXT_CRL_NUMBER] = { OID(0x55, 0x1d, 0x14) },
	[OID_EXT_REASON] =     { OID(0x55, 0x1d, 0x15) },
	[OID_EXT_INVALIDITY] = { OID(0x55, 0x1d, 0x18) },
	[OID_EXT_IDP] =        { OID(0x55, 0x1d, 0x1c) },
	[OID_EXT_DELTA] =      { OID(0x55, 0x1d, 0x1b) },
	[OID_EXT_FRESHEST] =   { OID(0x55, 0x1d, 0x2e) },
	[OID_EXT_NOCHECK] =    { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05) },
	[OID_EXT_NONCE] =      { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02) },
	[OID_EXT_CONSTRAINTS] = { OID(0x55, 0x1d, 0x1e) },
	[OID_EXT_QC] =         { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x03) },
	[OID_AD_OCSP] =        { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01) },
	[OID_AD_CA_ISSUERS] =  { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02) },
	[OID_QT_CPS] =         { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01) },
	[OID_QT_NOTICE] =      { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x02) },
	[OID_EKU_CLIENT] =     { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02) },
	[OID_EKU_EMAIL] =      { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04) },
	[OID_EKU_OCSP] =       { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09) },
	[OID_EKU_SERVER] =     { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01) },
	[OID_EKU_CODE] =       { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03) },
	[OID_EKU_TIME] =       { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08) },
	[OID_EKU_DOCUMENT] =   { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x24) },
	/*
	 * 2.25.295227800890228242059973903580110891240: an arc made from a
	 * random UUID (ITU-T X.667), since the project has no arc of its own.
	 */
	[OID_EKU_ENDORSER] =   { OID(0x69, 0x83, 0xbc, 0x9a, 0xe7, 0x99, 0x83,
	    0xb5, 0xb2, 0xa5, 0x9f, 0x95, 0x80, 0x8e, 0xaa, 0x96, 0xaa, 0xa6,
	    0xd1, 0x68) },
	[OID_RUT_HOLDER] =     { OID(0x2b, 0x06, 0x01, 0x04, 0x01, 0xc1, 0x01, 0x01) },
	[OID_RUT_CERTIFIER] =  { OID(0x2b, 0x06, 0x01, 0x04, 0x01, 0xc1, 0x01, 0x02) },
	[OID_OCSP_BASIC] =     { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01) },
	[OID_OCSP_ACCEPTABLE] = { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x04) },
	[OID_OCSP_ARCHIVE] =   { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x06) },
	[OID_OCSP_PREFERRED] = { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x08) },
	[OID_OCSP_EXTENDED] =  { OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x09) },
	[OID_SHA1] =           { OID(0x2b, 0x0e, 0x03, 0x02, 0x1a) },
	[OID_SHA256] =         { OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01) },
};
/* clang-format on */

struct bytes
oid_known(enum pkix_oid which)
{
	if (which >= OID_COUNT)
		fatal("oid_known: no such name");
	return known[which];
}

bool
ext_is_private(struct bytes oid)
{
	/* clang-format off */
	static const uint8_t x509[] = { 0x55, 0x1d };
	static const uint8_t pkix[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01 };
	static const uint8_t ocsp[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01 };
	/* clang-format on */
	static const struct bytes standard[] = { STATIC_BYTES(x509),
		STATIC_BYTES(pkix), STATIC_BYTES(ocsp) };
	size_t i;

	for (i = 0; i < ARRAY_LEN(standard); i++) {
		if (oid.len >= standard[i].len &&
		    memcmp(oid.p, standard[i].p, standard[i].len) == 0)
			return false;
	}
	return oid.len > 0;
}

struct bytes
oid_bytes(const struct oid *o)
{
	return bytes_of(o->p, o->len);
}

/* Arcs below 2.25 are UUIDs of 128 bits (ITU-T X.667). */
static bool
next_arc(const char **p, const char *end, unsigned __int128 *out)
{
	const unsigned __int128 top = ~(unsigned __int128)0;
	const char *start = *p;
	unsigned __int128 v = 0;

	while (*p < end && **p >= '0' && **p <= '9') {
		unsigned digit = (unsigned)(**p - '0');

		if (v > (top - digit) / 10)
			return false;
		v = v * 10 + digit;
		(*p)++;
	}
	if (*p == start || (*start == '0' && *p - start > 1))
		return false;
	*out = v;
	return true;
}

static bool
put_arc(struct oid *o, unsigned __int128 v)
{
	uint8_t digits[19];
	size_t n = 0;

	do {
		digits[n++] = (uint8_t)(v & 0x7f);
		v >>= 7;
	} while (v > 0);
	if (o->len + n > OID_MAX)
		return false;
	while (n-- > 0)
		o->p[o->len++] = digits[n] | (n > 0 ? 0x80u : 0u);
	return true;
}

static bool
parse_text(const char *p, const char *end, struct oid *o)
{
	unsigned __int128 arc, first;

	if (!next_arc(&p, end, &first) || first > 2 || p == end || *p++ != '.')
		return false;
	if (!next_arc(&p, end, &arc) || (first < 2 && arc > 39))
		return false;
	/* The first two arcs share a number; near 2^128 it would not fit. */
	if (arc > ~(unsigned __int128)0 - 80 || !put_arc(o, first * 40 + arc))
		return false;
	while (p < end) {
		if (*p++ != '.' || !next_arc(&p, end, &arc) || !put_arc(o, arc))
			return false;
	}
	return true;
}

enum err_code
oid_parse(struct bytes text, struct oid *out, struct err *e)
{
	struct oid o = { .len = 0 };
	const char *p = (const char *)text.p;

	if (text.len == 0 || !parse_text(p, p + text.len, &o))
		return err_at(e, ERR_INVALID, "oid-text", "X.660 7.6", NOWHERE,
		    "this is not an object identifier; write numbers with "
		    "dots between them, as in 1.3.6.1.4.1.8321.1");
	*out = o;
	return ERR_OK;
}

struct text {
	char *p;
	size_t size, len;
};

static void
text_arc(struct text *t, unsigned __int128 v, bool dot)
{
	char digits[40];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v > 0);
	if (dot && t->len + 1 < t->size)
		t->p[t->len++] = '.';
	while (n-- > 0 && t->len + 1 < t->size)
		t->p[t->len++] = digits[n];
	t->p[t->len] = '\0';
}

void
oid_print(char *out, size_t size, struct bytes oid)
{
	struct text t = { out, size, 0 };
	unsigned __int128 v = 0;
	bool first = true;
	size_t i;

	if (size == 0)
		return;
	out[0] = '\0';
	for (i = 0; i < oid.len; i++) {
		v = v << 7 | (oid.p[i] & 0x7fu);
		if (oid.p[i] >= 0x80)
			continue;
		if (first) {
			unsigned root = v < 40 ? 0 : v < 80 ? 1 : 2;

			text_arc(&t, root, false);
			v -= (unsigned __int128)root * 40;
			first = false;
		}
		text_arc(&t, v, true);
		v = 0;
	}
}
