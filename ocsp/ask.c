/* ask - a client's request (RFC 6960 4.1), and the path of a GET with it. */
#include "internal.h"

#define REQUEST_ROOM 512

/* [2] { SEQUENCE OF Extension } with the nonce alone (RFC 9654 2.1). */
static void
put_nonce(struct der_w *w, struct bytes nonce)
{
	size_t mark = der_mark(w);
	if (nonce.len == 0)
		return;
	der_put(w, DER_OCTET_STRING, nonce);
	der_wrap(w, DER_OCTET_STRING, mark);
	der_put_oid(w, oid_known(OID_EXT_NONCE));
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_CONTEXT_CONS(2), mark);
}

enum err_code
ocsp_request_build(const struct ocsp_question *q, struct buf *out,
    struct err *e)
{
	uint8_t room[REQUEST_ROOM];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes der;
	if (q->serial.len == 0 || q->serial.len > SERIAL_MAX ||
	    q->nonce.len > NONCE_MAX)
		return err_at(e, ERR_INVALID, "ocsp-spec", "RFC 6960 4.2.1",
		    NOWHERE,
		    "an OCSP answer was ordered whose serial number, responder "
		    "or nonce has a length that none may have");
	size_t whole = der_mark(&w), list;
	put_nonce(&w, q->nonce);
	list = der_mark(&w);
	certid_put(&w, q->issuer, q->serial, q->is_sha256);
	der_wrap(&w, DER_SEQUENCE, list);  /* Request */
	der_wrap(&w, DER_SEQUENCE, list);  /* requestList */
	der_wrap(&w, DER_SEQUENCE, whole); /* tbsRequest */
	der_wrap(&w, DER_SEQUENCE, whole);
	TRY(der_w_end(&w, &der, e));
	buf_put(out, der.p, der.len);
	return buf_end(out, e);
}

void
ocsp_get_encode(struct bytes request, struct buf *out)
{
	struct buf text AUTO_BUF = BUF(4 * OCSP_REQUEST_MAX);
	base64_put(&text, request);
	buf_putc(out, '/');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		if (c == '+' || c == '/' || c == '=')
			buf_putf(out, "%%%02X", c);
		else
			buf_putc(out, c);
	}
}
