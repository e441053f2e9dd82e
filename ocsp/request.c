/*
 * request - OCSPRequest in place (RFC 6960 4.1).  Nobody signs what is read
 * here, so that a written default (version v1, critical FALSE) is let pass;
 * everything else is DER as it must be.
 */
#include <stdio.h>

#include "internal.h"

static enum err_code
malformed(const struct der *d, struct bytes whole, struct err *e)
{
	return err_at(e, ERR_INVALID, "ocsp-form", "RFC 6960 4.1.1",
	    AT_BYTE(d->p - whole.p),
	    "this is not an OCSP request: its parts are not those that it "
	    "must have");
}

static enum err_code
read_nonce(struct bytes value, struct ocsp_request *out, struct err *e)
{
	if (!out->has_nonce && nonce_read(value, &out->nonce)) {
		out->has_nonce = true;
		return ERR_OK;
	}
	return err_at(e, ERR_INVALID, "ocsp-nonce", "RFC 9654 2.1", NOWHERE,
	    "the nonce is not one OCTET STRING of 1 to 128 octets; 32 are "
	    "usual");
}

/* What a client would rather have: it gets what there is. */
static bool
is_wish(struct bytes oid)
{
	return bytes_eq(oid, oid_known(OID_OCSP_ACCEPTABLE)) ||
	       bytes_eq(oid, oid_known(OID_OCSP_PREFERRED));
}

/*
 * Extensions in their explicit tag.  out is NULL for those of one
 * certificate, of which we know none: a service locator asks to be passed on
 * to another server, which we do not do.
 */
static enum err_code
read_extensions(struct der *d, struct ocsp_request *out, struct err *e)
{
	struct der list = der_enter(d, DER_SEQUENCE);
	bool some = der_peek(&list) != 0;
	while (der_peek(&list) != 0) {
		struct der x = der_enter(&list, DER_SEQUENCE);
		struct bytes oid = der_get(&x, DER_OID);
		bool critical = der_peek(&x) == DER_BOOLEAN && der_get_bool(&x);
		struct bytes value = der_get(&x, DER_OCTET_STRING);
		if (!der_end(&x)) {
			list.bad = true;
			break;
		}
		if (out != NULL && bytes_eq(oid, oid_known(OID_EXT_NONCE)))
			TRY(read_nonce(value, out, e));
		else if (critical && (out == NULL || !is_wish(oid)))
			return err_at(e, ERR_INVALID, "ocsp-critical",
			    "RFC 6960 4.4", NOWHERE,
			    "the request has a critical extension that is not "
			    "known here; leave it out");
	}
	if (!some || !der_end(&list) || !der_end(d))
		d->bad = true;
	return ERR_OK;
}

static enum err_code
read_one(struct der *list, struct ocsp_request *out, struct err *e)
{
	struct bytes content;
	struct der one = der_enter(list, DER_SEQUENCE);
	TRY(certid_read(&one, &out->id[out->n_id], e));
	if (der_optional(&one, DER_CONTEXT_CONS(0), &content)) {
		struct der x = der_of(content);
		TRY(read_extensions(&x, NULL, e));
		one.bad = one.bad || x.bad;
	}
	if (!der_end(&one))
		list->bad = true;
	out->n_id++;
	return ERR_OK;
}

static enum err_code
read_list(struct der *d, struct ocsp_request *out, struct err *e)
{
	struct der list = der_enter(d, DER_SEQUENCE);
	if (!d->bad && der_peek(&list) == 0)
		return err_at(e, ERR_INVALID, "ocsp-empty", "RFC 6960 4.1.1",
		    NOWHERE, "the request names no certificate");
	while (der_peek(&list) != 0) {
		if (out->n_id == OCSP_IDS_MAX)
			return err_at(e, ERR_INVALID, "ocsp-too-many", NULL,
			    NOWHERE,
			    "the request names more than the %s certificates "
			    "that one request may name",
			    "16");
		TRY(read_one(&list, out, e));
	}
	if (!der_end(&list))
		d->bad = true;
	return ERR_OK;
}

static enum err_code
read_version(struct der *d, struct err *e)
{
	struct bytes content;
	if (!der_optional(d, DER_CONTEXT_CONS(0), &content))
		return ERR_OK;
	struct der in = der_of(content);
	int64_t version = der_get_int(&in);
	if (!der_end(&in)) {
		d->bad = true;
		return ERR_OK;
	}
	if (version == 0)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "ocsp-version", "RFC 6960 4.1.1", NOWHERE,
	    "the request is of another version than v1");
}

static enum err_code
read_tbs(struct der *d, struct ocsp_request *out, struct err *e)
{
	struct bytes content;
	TRY(read_version(d, e));
	(void)der_optional(d, DER_CONTEXT_CONS(1), &content);
	TRY(read_list(d, out, e));
	if (!d->bad && der_optional(d, DER_CONTEXT_CONS(2), &content)) {
		struct der x = der_of(content);
		TRY(read_extensions(&x, out, e));
		d->bad = d->bad || x.bad;
	}
	return ERR_OK;
}

enum err_code
ocsp_request_parse(struct bytes der, struct ocsp_request *out, struct err *e)
{
	struct bytes content;
	if (der.len > OCSP_REQUEST_MAX)
		return err_at(e, ERR_INVALID, "ocsp-too-large", NULL, NOWHERE,
		    "the request is longer than the %s octets that it may "
		    "have",
		    "4096");
	TRY(der_strict(der, e));
	out->n_id = 0;
	out->has_nonce = false;
	out->nonce = BYTES_NONE;
	struct der d = der_of(der), whole = der_enter(&d, DER_SEQUENCE);
	struct der tbs = der_enter(&whole, DER_SEQUENCE);
	TRY(read_tbs(&tbs, out, e));
	if (!der_end(&tbs))
		return malformed(&tbs, der, e);
	/* A signature is skipped: whom to answer does not hang on it. */
	if (der_optional(&whole, DER_CONTEXT_CONS(0), &content)) {
		struct der s = der_of(content);
		(void)der_get(&s, DER_SEQUENCE);
		whole.bad = whole.bad || !der_end(&s);
	}
	if (!der_end(&whole) || !der_end(&d))
		return malformed(&whole, der, e);
	return ERR_OK;
}
