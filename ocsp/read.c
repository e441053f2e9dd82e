/*
 * read - answers in place, as strictly as we write them: by key, nextUpdate
 * there, GeneralizedTime, no extension but nonce, extended revoked and archive
 * cutoff.  Somebody else's answers may differ and be right; they are not ours to serve.
 */
#include "internal.h"

static enum err_code
malformed(struct err *e)
{
	return err_at(e, ERR_INVALID, "ocsp-answer-form", "RFC 6960 4.2.1",
	    NOWHERE,
	    "this is not an OCSP answer: its parts are not those that it "
	    "must have");
}

static int64_t
get_generalized(struct der *d)
{
	if (der_peek(d) != DER_GENERALIZED_TIME)
		d->bad = true;
	return der_get_time(d);
}

static bool
reason_exists(int64_t reason)
{
	/* 0 is left out where it is written (RFC 5280 5.3.1). */
	return (reason >= 1 && reason <= 6) || reason == 9;
}

static void
read_revoked(struct bytes content, struct der *d, struct ocsp_single *out)
{
	struct bytes tagged;
	struct der in = der_of(content);
	out->state = OCSP_REVOKED;
	out->revoked_at = get_generalized(&in);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &tagged)) {
		struct der r = der_of(tagged);
		struct bytes v = der_get(&r, DER_ENUMERATED);
		out->reason = v.len == 1 ? v.p[0] : -1;
		if (!der_end(&r) || !reason_exists(out->reason))
			in.bad = true;
	}
	if (!der_end(&in))
		d->bad = true;
}

static void
read_status(struct der *d, struct ocsp_single *out)
{
	struct bytes content;
	out->revoked_at = 0;
	out->reason = 0;
	if (der_optional(d, DER_CONTEXT_CONS(1), &content)) {
		read_revoked(content, d, out);
		return;
	}
	if (der_optional(d, DER_CONTEXT(0), &content))
		out->state = OCSP_GOOD;
	else if (der_optional(d, DER_CONTEXT(2), &content))
		out->state = OCSP_UNKNOWN;
	else
		d->bad = true;
	if (!d->bad && content.len != 0)
		d->bad = true;
}

/*
 * The Extensions in an optional explicit tag, in the order of known[], each
 * at most once and none critical.  in[i] becomes the value of the extension known[i], empty if it is
 * not there.
 */
static void
read_extensions(struct der *d, const enum pkix_oid *known, struct bytes *in,
    size_t n)
{
	struct bytes content;
	if (!der_optional(d, DER_CONTEXT_CONS(1), &content))
		return;
	struct der whole = der_of(content);
	struct der list = der_enter(&whole, DER_SEQUENCE);
	size_t i = 0;
	do {
		struct der x = der_enter(&list, DER_SEQUENCE);
		struct bytes oid = der_get(&x, DER_OID);
		struct bytes value = der_get(&x, DER_OCTET_STRING);
		while (i < n && !bytes_eq(oid, oid_known(known[i])))
			i++;
		if (!der_end(&x) || i == n || value.len == 0)
			list.bad = true;
		else
			in[i++] = value;
	} while (!list.bad && der_peek(&list) != 0);
	if (!der_end(&list) || !der_end(&whole))
		d->bad = true;
}

static void
read_archive(struct der *d, struct ocsp_single *out)
{
	static const enum pkix_oid known[] = { OID_OCSP_ARCHIVE };
	struct bytes value = BYTES_NONE;
	struct err ignored;
	read_extensions(d, known, &value, 1);
	if (value.len == 0)
		return;
	struct der in = der_of(value);
	out->archive_cutoff = get_generalized(&in);
	if (der_strict(value, &ignored) != ERR_OK || !der_end(&in) ||
	    out->archive_cutoff == 0)
		d->bad = true;
}

static enum err_code
read_single(struct der *list, struct ocsp_single *out, struct err *e)
{
	struct bytes tagged;
	struct der begin = *list;
	struct der one = der_enter(list, DER_SEQUENCE);
	out->der = der_element(&begin);
	out->archive_cutoff = 0;
	TRY(certid_read(&one, &out->id, e));
	read_status(&one, out);
	out->this_update = get_generalized(&one);
	if (!one.bad && der_peek(&one) != DER_CONTEXT_CONS(0))
		return err_at(e, ERR_INVALID, "ocsp-answer-next", "RFC 9919",
		    NOWHERE,
		    "the OCSP answer has no nextUpdate, without which clients "
		    "must refuse it");
	if (der_optional(&one, DER_CONTEXT_CONS(0), &tagged)) {
		struct der in = der_of(tagged);
		out->next_update = get_generalized(&in);
		one.bad = one.bad || !der_end(&in);
	}
	read_archive(&one, out);
	if (!der_end(&one))
		list->bad = true;
	return ERR_OK;
}

static enum err_code
read_singles(struct der *d, struct ocsp_answer *out, struct err *e)
{
	struct der list = der_enter(d, DER_SEQUENCE);
	while (der_peek(&list) != 0 && out->n_single < OCSP_SINGLES_MAX)
		TRY(read_single(&list, &out->single[out->n_single++], e));
	if (!der_end(&list) || out->n_single == 0)
		d->bad = true;
	return ERR_OK;
}

static void
read_response_extensions(struct der *d, struct ocsp_answer *out)
{
	static const enum pkix_oid known[] = { OID_EXT_NONCE,
		OID_OCSP_EXTENDED };
	static const uint8_t null[] = { DER_NULL, 0x00 };
	struct bytes in[ARRAY_LEN(known)] = { BYTES_NONE, BYTES_NONE };
	read_extensions(d, known, in, ARRAY_LEN(known));
	if (in[0].len > 0 && !nonce_read(in[0], &out->nonce))
		d->bad = true;
	out->extended_revoked = in[1].len > 0;
	if (in[1].len > 0 && !bytes_eq(in[1], bytes_of(null, sizeof(null))))
		d->bad = true;
}

enum err_code
ocsp_tbs_parse(struct bytes tbs, struct ocsp_answer *out, struct err *e)
{
	struct ocsp_answer a = { .tbs = tbs };
	if (tbs.len > OCSP_ANSWER_MAX)
		return malformed(e);
	TRY(der_strict(tbs, e));
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	if (der_peek(&in) == DER_CONTEXT_CONS(1))
		return err_at(e, ERR_INVALID, "ocsp-answer-by-name", "RFC 9919",
		    NOWHERE,
		    "the OCSP answer names its responder by name; it must be "
		    "by the hash of its key");
	struct der id = der_enter(&in, DER_CONTEXT_CONS(2));
	a.key_hash = der_get(&id, DER_OCTET_STRING);
	if (!der_end(&id) || a.key_hash.len != SHA1_LEN)
		return malformed(e);
	a.produced_at = get_generalized(&in);
	TRY(read_singles(&in, &a, e));
	read_response_extensions(&in, &a);
	if (!der_end(&in))
		return malformed(e);
	*out = a;
	return ERR_OK;
}

/* The content of BasicOCSPResponse, in its four parts. */
static enum err_code
read_basic(struct bytes der, struct ocsp_answer *out, struct err *e)
{
	struct bytes certs, responder = BYTES_NONE;
	TRY(der_strict(der, e));
	struct der d = der_of(der), in = der_enter(&d, DER_SEQUENCE);
	struct bytes tbs = der_element(&in), sigalg = der_element(&in);
	struct bytes bits = der_get(&in, DER_BIT_STRING);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &certs)) {
		struct der c = der_of(certs), list;
		list = der_enter(&c, DER_SEQUENCE);
		responder = der_element(&list);
		if (!der_end(&list) || !der_end(&c))
			in.bad = true;
	}
	if (!der_end(&in) || bits.len < 2 || bits.p[0] != 0)
		return malformed(e);
	TRY(ocsp_tbs_parse(tbs, out, e));
	out->sigalg = sigalg;
	out->signature = bytes_of(bits.p + 1, bits.len - 1);
	out->responder = responder;
	return ERR_OK;
}

enum err_code
ocsp_answer_parse(struct bytes der, struct ocsp_answer *out, struct err *e)
{
	if (der.len > OCSP_ANSWER_MAX)
		return err_at(e, ERR_INVALID, "ocsp-answer-large", NULL,
		    NOWHERE,
		    "the OCSP answer is longer than the %s octets that it may "
		    "have",
		    "8192");
	TRY(der_strict(der, e));
	struct der d = der_of(der), in = der_enter(&d, DER_SEQUENCE);
	struct bytes status = der_get(&in, DER_ENUMERATED);
	if (!in.bad && (status.len != 1 || status.p[0] != 0))
		return err_at(e, ERR_INVALID, "ocsp-answer-status",
		    "RFC 6960 4.2.1", NOWHERE,
		    "this OCSP answer is a refusal and says nothing of a "
		    "certificate");
	struct der tagged = der_enter(&in, DER_CONTEXT_CONS(0));
	struct der typed = der_enter(&tagged, DER_SEQUENCE);
	struct bytes oid = der_get(&typed, DER_OID);
	struct bytes basic = der_get(&typed, DER_OCTET_STRING);
	if (!der_end(&typed) || !der_end(&tagged) || !der_end(&in) ||
	    !bytes_eq(oid, oid_known(OID_OCSP_BASIC)))
		return malformed(e);
	return read_basic(basic, out, e);
}
