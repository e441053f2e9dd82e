/*
 * get_path - the path under which a client asks by GET for one certificate,
 * for servers that only compare paths (RFC 6960 A.1, RFC 9919 6).
 */
#include "internal.h"

#define REQUEST_ROOM 160

static void
put_algorithm(struct der_w *w, enum ocsp_form form)
{
	size_t mark = der_mark(w);
	if (form != OCSP_FORM_SHA256_BARE)
		der_put(w, DER_NULL, BYTES_NONE);
	der_put_oid(w,
	    oid_known(form == OCSP_FORM_SHA1 ? OID_SHA1 : OID_SHA256));
	der_wrap(w, DER_SEQUENCE, mark);
}

/* Written from the end; the five SEQUENCEs are CertID, Request, requestList,
 * TBSRequest and OCSPRequest. */
static void
put_request(struct der_w *w, const struct issuer_id *ca, struct bytes serial,
    enum ocsp_form form)
{
	bool is_sha1 = form == OCSP_FORM_SHA1;
	size_t len = is_sha1 ? SHA1_LEN : SHA256_LEN;
	size_t mark = der_mark(w);
	der_put_integer(w, serial);
	der_put(w, DER_OCTET_STRING,
	    bytes_of(is_sha1 ? ca->key_sha1 : ca->key_sha256, len));
	der_put(w, DER_OCTET_STRING,
	    bytes_of(is_sha1 ? ca->name_sha1 : ca->name_sha256, len));
	put_algorithm(w, form);
	for (int depth = 0; depth < 5; depth++)
		der_wrap(w, DER_SEQUENCE, mark);
}

enum err_code
ocsp_get_path(const struct issuer_id *issuer, struct bytes serial,
    enum ocsp_form form, char out[OCSP_GET_PATH], struct err *e)
{
	uint8_t room[REQUEST_ROOM];
	struct der_w w = der_w_of(room, sizeof(room));
	struct buf text AUTO_BUF = BUF(OCSP_GET_PATH - 1);
	struct bytes der;
	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return err_at(e, ERR_INVALID, "ocsp-serial", "RFC 5280 4.1.2.2",
		    NOWHERE,
		    "a serial number is negative or longer than 20 octets; no "
		    "certificate may have it");
	put_request(&w, issuer, serial, form);
	TRY(der_w_end(&w, &der, e));
	base64_put(&text, der);
	TRY(buf_end(&text, e));
	memcpy(out, text.p, text.len);
	out[text.len] = '\0';
	return ERR_OK;
}
