/*
 * response - answers of anybody's responder, read in place.  Lenient where
 * RFC 6960 leaves a choice, strict about DER; our own are read by read.c,
 * which forgives nothing.
 */
#include <stdio.h>

#include "internal.h"

static enum err_code
malformed(struct err *e)
{
	return err_at(e, ERR_INVALID, "ocsp-response-form", "RFC 6960 4.2.1",
	    NOWHERE,
	    "this is not an OCSP answer: its parts are not those that it must "
	    "have");
}

const char *
ocsp_status_name(int status)
{
	static const char *const names[] = { "successful", "malformedRequest",
		"internalError", "tryLater", "?", "sigRequired",
		"unauthorized" };
	return status >= 0 && status < (int)ARRAY_LEN(names) ? names[status]
							     : "?";
}

/* --- Extensions ------------------------------------------------------------------ */

struct found {
	bool has_nonce;
	struct bytes nonce;
	int64_t archive_cutoff;
};

/* id-pkix-ocsp-archive-cutoff (RFC 6960 4.4.4). */
static const uint8_t oid_cutoff[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30,
	0x01, 0x06 };

static int64_t
read_cutoff(struct bytes value)
{
	struct err ignored;
	struct der d = der_of(value);
	if (der_strict(value, &ignored) != ERR_OK)
		return 0;
	int64_t t = der_get_time(&d);
	return der_end(&d) && t > 0 ? t : 0;
}

static bool
read_extension(struct der *list, struct found *f)
{
	struct der x = der_enter(list, DER_SEQUENCE);
	struct bytes oid = der_get(&x, DER_OID), value;
	bool critical = der_peek(&x) == DER_BOOLEAN && der_get_bool(&x);
	value = der_get(&x, DER_OCTET_STRING);
	if (!der_end(&x))
		list->bad = true;
	if (list->bad)
		return true;
	if (bytes_eq(oid, oid_known(OID_EXT_NONCE))) {
		f->has_nonce = true;
		if (!nonce_read(value, &f->nonce))
			f->nonce = value;
		return true;
	}
	if (bytes_eq(oid, bytes_of(oid_cutoff, sizeof(oid_cutoff)))) {
		f->archive_cutoff = read_cutoff(value);
		return true;
	}
	return !critical;
}

/* The Extensions in an explicit tag; false at one that is critical. */
static bool
read_extensions(struct bytes content, struct der *d, struct found *f)
{
	struct der in = der_of(content), list = der_enter(&in, DER_SEQUENCE);
	bool known = true;
	while (der_peek(&list) != 0 && known)
		known = read_extension(&list, f);
	if (known && (!der_end(&list) || !der_end(&in)))
		d->bad = true;
	return known;
}

/* --- One status -------------------------------------------------------------------- */

static void
read_certid(struct der *d, struct ocsp_status *out)
{
	struct der id = der_enter(d, DER_SEQUENCE);
	struct der alg = der_enter(&id, DER_SEQUENCE);
	out->hash = der_get(&alg, DER_OID);
	if (der_peek(&alg) != 0)
		(void)der_element(&alg);
	out->name_hash = der_get(&id, DER_OCTET_STRING);
	out->key_hash = der_get(&id, DER_OCTET_STRING);
	out->serial = der_get(&id, DER_INTEGER);
	if (!der_end(&alg) || !der_end(&id) || out->serial.len == 0)
		d->bad = true;
}

static void
read_revoked(struct bytes content, struct der *d, struct ocsp_status *out)
{
	struct bytes tagged;
	struct der in = der_of(content);
	out->state = OCSP_REVOKED;
	out->revoked_at = der_get_time(&in);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &tagged)) {
		struct der r = der_of(tagged);
		struct bytes v = der_get(&r, DER_ENUMERATED);
		if (!der_end(&r) || v.len != 1)
			d->bad = true;
		else
			out->reason = v.p[0];
	}
	if (!der_end(&in))
		d->bad = true;
}

static void
read_state(struct der *d, struct ocsp_status *out)
{
	struct bytes content;
	if (der_optional(d, DER_CONTEXT_CONS(1), &content))
		read_revoked(content, d, out);
	else if (der_optional(d, DER_CONTEXT(0), &content))
		out->state = OCSP_GOOD;
	else if (der_optional(d, DER_CONTEXT(2), &content))
		out->state = OCSP_UNKNOWN;
	else
		d->bad = true;
}

static bool
read_status(struct der *list, struct ocsp_status *out)
{
	struct bytes tagged;
	struct found f = { .has_nonce = false };
	bool known = true;
	struct der one = der_enter(list, DER_SEQUENCE);
	*out = (struct ocsp_status){ .reason = -1 };
	read_certid(&one, out);
	read_state(&one, out);
	out->this_update = der_get_time(&one);
	if (der_optional(&one, DER_CONTEXT_CONS(0), &tagged)) {
		struct der in = der_of(tagged);
		out->next_update = der_get_time(&in);
		one.bad = one.bad || !der_end(&in);
	}
	if (der_optional(&one, DER_CONTEXT_CONS(1), &tagged))
		known = read_extensions(tagged, &one, &f);
	out->archive_cutoff = f.archive_cutoff;
	if (!der_end(&one))
		list->bad = true;
	return known;
}

bool
ocsp_response_next(struct bytes *rest, struct ocsp_status *out)
{
	struct der list = der_of(*rest);
	if (der_peek(&list) == 0 || !read_status(&list, out) || list.bad)
		return false;
	*rest = bytes_of(list.p, (size_t)(list.end - list.p));
	return true;
}

/* --- The whole --------------------------------------------------------------------- */

static enum err_code
unknown_critical(struct err *e)
{
	return err_at(e, ERR_INVALID, "ocsp-response-critical", "RFC 5280 4.2",
	    NOWHERE,
	    "the OCSP answer has a critical extension that is not known here");
}

static void
read_responder(struct der *d, struct ocsp_response *r)
{
	struct bytes content;
	if (der_optional(d, DER_CONTEXT_CONS(1), &content)) {
		struct der in = der_of(content);
		r->by_name = der_element(&in);
		if (!der_end(&in) || r->by_name.len == 0 ||
		    r->by_name.p[0] != DER_SEQUENCE)
			d->bad = true;
		return;
	}
	struct der id = der_enter(d, DER_CONTEXT_CONS(2));
	r->by_key = der_get(&id, DER_OCTET_STRING);
	if (!der_end(&id) || r->by_key.len != SHA1_LEN)
		d->bad = true;
}

static enum err_code
read_statuses(struct der *d, struct ocsp_response *r, struct err *e)
{
	struct der list;
	r->statuses = der_get(d, DER_SEQUENCE);
	list = der_of(r->statuses);
	while (der_peek(&list) != 0 && r->n_status < OCSP_STATUSES_MAX) {
		struct ocsp_status ignored;
		if (!read_status(&list, &ignored))
			return unknown_critical(e);
		r->n_status++;
	}
	if (!der_end(&list) || r->n_status == 0)
		d->bad = true;
	return ERR_OK;
}

static enum err_code
read_data(struct bytes tbs, struct ocsp_response *r, struct err *e)
{
	struct bytes content;
	struct found f = { .has_nonce = false };
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	/* Only v1 exists, and writing it is no more than superfluous. */
	if (der_optional(&in, DER_CONTEXT_CONS(0), &content)) {
		struct der version = der_of(content);
		if (der_get_int(&version) != 0 || !der_end(&version))
			return malformed(e);
	}
	read_responder(&in, r);
	r->produced_at = der_get_time(&in);
	if (in.bad)
		return malformed(e);
	TRY(read_statuses(&in, r, e));
	if (der_optional(&in, DER_CONTEXT_CONS(1), &content) &&
	    !read_extensions(content, &in, &f))
		return unknown_critical(e);
	r->has_nonce = f.has_nonce;
	r->nonce = f.nonce;
	return der_end(&in) && der_end(&d) ? ERR_OK : malformed(e);
}

static enum err_code
read_basic(struct bytes der, struct ocsp_response *r, struct err *e)
{
	struct bytes tagged;
	TRY(der_strict(der, e));
	struct der d = der_of(der), in = der_enter(&d, DER_SEQUENCE);
	r->tbs = der_element(&in);
	r->sigalg = der_element(&in);
	struct bytes bits = der_get(&in, DER_BIT_STRING);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &tagged)) {
		struct der list = der_of(tagged);
		r->certs = der_get(&list, DER_SEQUENCE);
		in.bad = in.bad || !der_end(&list);
	}
	if (!der_end(&in) || bits.len < 2 || bits.p[0] != 0)
		return malformed(e);
	r->signature = bytes_of(bits.p + 1, bits.len - 1);
	return read_data(r->tbs, r, e);
}

enum err_code
ocsp_response_parse(struct bytes der, struct ocsp_response *out, struct err *e)
{
	struct ocsp_response r = { .status = 0 };
	struct bytes tagged, oid, basic;
	if (der.len > OCSP_RESPONSE_MAX)
		return err_at(e, ERR_INVALID, "ocsp-response-large", NULL,
		    NOWHERE,
		    "the OCSP answer is longer than the %s octets that are "
		    "read of it",
		    "65536");
	TRY(der_strict(der, e));
	struct der d = der_of(der), in = der_enter(&d, DER_SEQUENCE);
	struct bytes status = der_get(&in, DER_ENUMERATED);
	bool more = der_optional(&in, DER_CONTEXT_CONS(0), &tagged);
	if (!der_end(&in) || status.len != 1 || status.p[0] > 6)
		return malformed(e);
	r.status = status.p[0];
	if (more != (r.status == 0))
		return malformed(e);
	if (more) {
		struct der t = der_of(tagged);
		struct der typed = der_enter(&t, DER_SEQUENCE);
		oid = der_get(&typed, DER_OID);
		basic = der_get(&typed, DER_OCTET_STRING);
		if (!der_end(&typed) || !der_end(&t) ||
		    !bytes_eq(oid, oid_known(OID_OCSP_BASIC)))
			return malformed(e);
		TRY(read_basic(basic, &r, e));
	}
	*out = r;
	return ERR_OK;
}
