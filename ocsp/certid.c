/* certid - how a certificate is named in OCSP, and the nonce. */
#include "internal.h"

/* AlgorithmIdentifier without parameters or with NULL (RFC 5754 2). */
static struct bytes
hash_oid(struct der *d)
{
	struct bytes ignored;
	struct der alg = der_enter(d, DER_SEQUENCE);
	struct bytes oid = der_get(&alg, DER_OID);
	(void)der_optional(&alg, DER_NULL, &ignored);
	if (!der_end(&alg))
		d->bad = true;
	return oid;
}

static enum err_code
judge_serial(struct bytes *serial, struct err *e)
{
	bool negative = serial->p[0] >= 0x80;
	if (serial->len > 1 && serial->p[0] == 0)
		*serial = bytes_of(serial->p + 1, serial->len - 1);
	if (!negative && serial->len <= SERIAL_MAX)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "ocsp-serial", "RFC 5280 4.1.2.2",
	    NOWHERE,
	    "a serial number is negative or longer than 20 octets; no "
	    "certificate may have it");
}

enum err_code
certid_read(struct der *d, struct ocsp_certid *out, struct err *e)
{
	struct der id = der_enter(d, DER_SEQUENCE);
	struct bytes oid = hash_oid(&id);
	out->name_hash = der_get(&id, DER_OCTET_STRING);
	out->key_hash = der_get(&id, DER_OCTET_STRING);
	out->serial = der_get(&id, DER_INTEGER);
	if (!der_end(&id) || out->serial.len == 0) {
		d->bad = true;
		return ERR_OK;
	}
	out->is_sha256 = bytes_eq(oid, oid_known(OID_SHA256));
	if (!out->is_sha256 && !bytes_eq(oid, oid_known(OID_SHA1)))
		return err_at(e, ERR_NOTFOUND, "ocsp-hash", "RFC 9919", NOWHERE,
		    "a certificate is named by a hash other than SHA-1 and "
		    "SHA-256; ask again with SHA-256");
	size_t len = out->is_sha256 ? SHA256_LEN : SHA1_LEN;
	if (out->name_hash.len != len || out->key_hash.len != len)
		return err_at(e, ERR_INVALID, "ocsp-hash-length",
		    "RFC 6960 4.1.1", NOWHERE,
		    "a hash that names an issuer is not as long as its "
		    "algorithm makes it");
	return judge_serial(&out->serial, e);
}

void
certid_put(struct der_w *w, const struct issuer_id *ca, struct bytes serial,
    bool is_sha256)
{
	size_t whole = der_mark(w), alg;
	der_put_integer(w, serial);
	if (is_sha256) {
		der_put(w, DER_OCTET_STRING,
		    bytes_of(ca->key_sha256, SHA256_LEN));
		der_put(w, DER_OCTET_STRING,
		    bytes_of(ca->name_sha256, SHA256_LEN));
	} else {
		der_put(w, DER_OCTET_STRING, bytes_of(ca->key_sha1, SHA1_LEN));
		der_put(w, DER_OCTET_STRING, bytes_of(ca->name_sha1, SHA1_LEN));
	}
	alg = der_mark(w);
	der_put(w, DER_NULL, BYTES_NONE);
	der_put_oid(w, oid_known(is_sha256 ? OID_SHA256 : OID_SHA1));
	der_wrap(w, DER_SEQUENCE, alg);
	der_wrap(w, DER_SEQUENCE, whole);
}

bool
nonce_read(struct bytes value, struct bytes *out)
{
	struct err ignored;
	if (der_strict(value, &ignored) != ERR_OK)
		return false;
	struct der d = der_of(value);
	*out = der_get(&d, DER_OCTET_STRING);
	return der_end(&d) && out->len >= 1 && out->len <= NONCE_MAX;
}

bool
ocsp_id_matches(const struct ocsp_certid *id, const struct issuer_id *ca)
{
	const uint8_t *name = id->is_sha256 ? ca->name_sha256 : ca->name_sha1;
	const uint8_t *key = id->is_sha256 ? ca->key_sha256 : ca->key_sha1;
	size_t len = id->is_sha256 ? SHA256_LEN : SHA1_LEN;
	return bytes_eq(id->name_hash, bytes_of(name, len)) &&
	       bytes_eq(id->key_hash, bytes_of(key, len));
}
