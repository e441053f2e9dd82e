/*
 * quick - the request that nearly every client sends, known by its octets:
 * one CertID of ours, nothing before it and nothing after it.  All but the
 * serial number is the same each time, so that a comparison replaces a walk;
 * whatever is not exactly that is for ocsp_request_parse().
 */
#include "internal.h"

/* The AlgorithmIdentifiers in use: parameters NULL, or none. */
static const struct {
	uint8_t der[16];
	uint8_t len;
	bool is_sha256;
} algorithms[OCSP_QUICK_FORMS] = {
	{ { 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0 }, 11, false },
	{ { 0x30, 7, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a }, 9, false },
	{ { 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0 }, 15,
	    true },
	{ { 0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1 }, 13, true },
};

static uint8_t *
put_hash(uint8_t *p, const uint8_t *hash, size_t len)
{
	*p++ = DER_OCTET_STRING;
	*p++ = (uint8_t)len;
	memcpy(p, hash, len);
	return p + len;
}

void
ocsp_quick_set(struct ocsp_quick *q, const struct issuer_id *ca)
{
	for (size_t i = 0; i < OCSP_QUICK_FORMS; i++) {
		bool big = algorithms[i].is_sha256;
		size_t len = big ? SHA256_LEN : SHA1_LEN;
		uint8_t *p = q->form[i].der;
		memcpy(p, algorithms[i].der, algorithms[i].len);
		p = put_hash(p + algorithms[i].len,
		    big ? ca->name_sha256 : ca->name_sha1, len);
		p = put_hash(p, big ? ca->key_sha256 : ca->key_sha1, len);
		*p++ = DER_INTEGER;
		q->form[i].len = (size_t)(p - q->form[i].der);
	}
}

/* The content of a minimal, positive INTEGER of at most 20 octets. */
static bool
read_serial(struct bytes content, struct bytes *serial)
{
	if (content.len > 1 && content.p[0] == 0) {
		content = bytes_of(content.p + 1, content.len - 1);
		if ((content.p[0] & 0x80) == 0)
			return false;
	} else if (content.len == 0 || content.p[0] == 0 ||
		   (content.p[0] & 0x80) != 0)
		return false;
	*serial = content;
	return content.len <= SERIAL_MAX;
}

bool
ocsp_quick_key(struct bytes der, struct bytes *key_hash)
{
	const size_t at = 10; /* behind five SEQUENCEs */
	for (size_t i = 0; i < OCSP_QUICK_FORMS; i++) {
		size_t len = algorithms[i].is_sha256 ? SHA256_LEN : SHA1_LEN;
		size_t key = at + algorithms[i].len + 2 + len + 2;
		if (der.len < key + len ||
		    der.p[at + 1] != algorithms[i].der[1])
			continue;
		*key_hash = bytes_of(der.p + key, len);
		return true;
	}
	return false;
}

bool
ocsp_quick(const struct ocsp_quick *q, struct bytes der, struct bytes *serial)
{
	/* Five SEQUENCEs, each of which holds all that follows. */
	const size_t depth = 5, at = 2 * depth;
	if (der.len < at + 3 || der.len > 127)
		return false;
	for (size_t i = 0; i < at; i += 2)
		if (der.p[i] != DER_SEQUENCE || der.p[i + 1] != der.len - i - 2)
			return false;
	/* The algorithm's length tells most forms apart. */
	for (size_t i = 0; i < OCSP_QUICK_FORMS; i++) {
		size_t len = q->form[i].len;
		if (der.len < at + len + 2 ||
		    der.p[at + 1] != q->form[i].der[1] ||
		    memcmp(der.p + at, q->form[i].der, len) != 0)
			continue;
		return der.p[at + len] == der.len - at - len - 1 &&
		       read_serial(bytes_of(der.p + at + len + 1,
				       der.len - at - len - 1),
			   serial);
	}
	return false;
}
