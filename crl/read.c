/*
 * read - CRLs in place, as strictly as we write them: version 2, nextUpdate,
 * AKI and number, no other extension, every entry well formed and in order.
 */
#include "internal.h"

static enum err_code
malformed(struct err *e)
{
	return err_at(e, ERR_INVALID, "crl-form", "RFC 5280 5.1", NOWHERE,
	    "this is not a CRL of version 2: its parts are not those that it "
	    "must have");
}

/* UTCTime through 2049, GeneralizedTime from 2050. */
static int64_t
get_time(struct der *d)
{
	bool utc = der_peek(d) == DER_UTC_TIME;
	int64_t t = der_get_time(d);
	if (utc != (t < YEAR_2050))
		d->bad = true;
	return t;
}

static bool
read_number(struct bytes value, uint64_t *out)
{
	struct der d = der_of(value);
	struct bytes n = der_get(&d, DER_INTEGER);
	if (!der_end(&d) || n.len == 0 || n.p[0] >= 0x80)
		return false;
	if (n.p[0] == 0)
		n = bytes_of(n.p + 1, n.len - 1);
	if (n.len > 8)
		return false;
	*out = 0;
	for (size_t i = 0; i < n.len; i++)
		*out = *out << 8 | n.p[i];
	return true;
}

static bool
read_aki(struct bytes value, struct bytes *out)
{
	struct der d = der_of(value), in = der_enter(&d, DER_SEQUENCE);
	*out = der_get(&in, DER_CONTEXT(0));
	return der_end(&in) && der_end(&d) && out->len > 0;
}

/* One of the two that are there; each once, neither critical. */
static bool
read_extension(struct der *list, struct crl *c, bool *has_number)
{
	struct err ignored;
	struct der x = der_enter(list, DER_SEQUENCE);
	struct bytes oid = der_get(&x, DER_OID);
	struct bytes value = der_get(&x, DER_OCTET_STRING);
	if (!der_end(&x) || der_strict(value, &ignored) != ERR_OK)
		return false;
	if (bytes_eq(oid, oid_known(OID_EXT_AKI)))
		return c->aki.len == 0 && read_aki(value, &c->aki);
	if (!bytes_eq(oid, oid_known(OID_EXT_CRL_NUMBER)) || *has_number)
		return false;
	*has_number = true;
	return read_number(value, &c->number);
}

static enum err_code
read_extensions(struct der *d, struct crl *c, struct err *e)
{
	struct der tagged = der_enter(d, DER_CONTEXT_CONS(0));
	struct der list = der_enter(&tagged, DER_SEQUENCE);
	bool ok = true, has_number = false;
	if (d->bad || tagged.bad || list.bad)
		return malformed(e);
	while (ok && der_peek(&list) != 0)
		ok = read_extension(&list, c, &has_number);
	if (!ok || !der_end(&list) || !der_end(&tagged) || c->aki.len == 0 ||
	    !has_number)
		return err_at(e, ERR_INVALID, "crl-extensions", "RFC 5280 5.2",
		    NOWHERE,
		    "the CRL's extensions are not authorityKeyIdentifier and "
		    "cRLNumber, once each and not critical");
	return ERR_OK;
}

/* --- Entries ----------------------------------------------------------------- */

static bool
read_reason(struct bytes value, int *reason)
{
	struct der d = der_of(value);
	struct bytes v = der_get(&d, DER_ENUMERATED);
	if (!der_end(&d) || v.len != 1 || *reason != CRL_UNSPECIFIED)
		return false;
	*reason = v.p[0];
	/* 0 says nothing and is left out. */
	return *reason != CRL_UNSPECIFIED && crl_reason_name(*reason) != NULL;
}

static bool
read_invalidity(struct bytes value, int64_t *since)
{
	struct der d = der_of(value);
	if (der_peek(&d) != DER_GENERALIZED_TIME || *since != 0)
		return false;
	*since = der_get_time(&d);
	return der_end(&d) && *since > 0;
}

static bool
read_entry_extensions(struct bytes content, struct crl_entry *x)
{
	struct der list = der_of(content);
	bool ok = content.len > 0;
	while (ok && der_peek(&list) != 0) {
		struct der in = der_enter(&list, DER_SEQUENCE);
		struct bytes oid = der_get(&in, DER_OID);
		struct bytes value = der_get(&in, DER_OCTET_STRING);
		if (!der_end(&in))
			return false;
		if (bytes_eq(oid, oid_known(OID_EXT_REASON)))
			ok = read_reason(value, &x->reason);
		else if (bytes_eq(oid, oid_known(OID_EXT_INVALIDITY)))
			ok = read_invalidity(value, &x->invalid_since);
		else
			return false;
	}
	return ok && der_end(&list);
}

/* False when the entry is not one of ours. */
static bool
read_entry(struct der *list, struct crl_entry *out)
{
	struct bytes extensions;
	struct der in = der_enter(list, DER_SEQUENCE);
	*out = (struct crl_entry){ .serial = der_get(&in, DER_INTEGER) };
	if (in.bad || out->serial.len == 0 || out->serial.p[0] >= 0x80)
		return false;
	if (out->serial.p[0] == 0)
		out->serial = bytes_of(out->serial.p + 1, out->serial.len - 1);
	out->revoked_at = get_time(&in);
	if (der_optional(&in, DER_SEQUENCE, &extensions) &&
	    !read_entry_extensions(extensions, out))
		return false;
	return der_end(&in) && out->serial.len > 0 &&
	       out->serial.len <= SERIAL_MAX && out->revoked_at >= 0;
}

static enum err_code
judge_entries(const struct crl *c, struct err *e)
{
	struct der list = der_of(c->entries);
	struct crl_entry x;
	struct bytes last = BYTES_NONE;
	while (der_peek(&list) != 0) {
		size_t at = (size_t)(list.p - c->der.p);
		if (!read_entry(&list, &x))
			return err_at(e, ERR_INVALID, "crl-entry",
			    "RFC 5280 5.3", AT_BYTE(at),
			    "an entry of the CRL is malformed, or has an "
			    "extension, a reason or a date that it may not "
			    "have");
		if (last.len > 0 && bytes_cmp(last, x.serial) >= 0)
			return err_at(e, ERR_INVALID, "crl-order", NULL,
			    AT_BYTE(at),
			    "the entries of the CRL are not in ascending "
			    "order of serial, each once");
		last = x.serial;
	}
	return der_end(&list) ? ERR_OK : malformed(e);
}

/* The list itself, judged strictly already; c->der is set. */
static enum err_code
read_tbs(struct bytes tbs, struct crl *c, struct err *e)
{
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	c->tbs = tbs;
	if (der_get_int(&in) != 1)
		return malformed(e);
	c->sigalg = der_element(&in);
	c->issuer = der_element(&in);
	c->this_update = get_time(&in);
	if (!in.bad && der_peek(&in) != DER_UTC_TIME &&
	    der_peek(&in) != DER_GENERALIZED_TIME)
		return err_at(e, ERR_INVALID, "crl-next-update",
		    "RFC 5280 5.1.2.5", NOWHERE,
		    "the CRL has no nextUpdate and would never end");
	c->next_update = get_time(&in);
	if (in.bad || c->sigalg.p[0] != DER_SEQUENCE ||
	    c->issuer.p[0] != DER_SEQUENCE || c->this_update >= c->next_update)
		return malformed(e);
	if (der_optional(&in, DER_SEQUENCE, &c->entries) && c->entries.len == 0)
		return err_at(e, ERR_INVALID, "crl-empty-list",
		    "RFC 5280 5.1.2.6", NOWHERE,
		    "the CRL encodes an empty list of entries, which must be "
		    "left out");
	TRY(read_extensions(&in, c, e));
	if (!der_end(&in) || !der_end(&d))
		return malformed(e);
	return judge_entries(c, e);
}

static enum err_code
judge_bytes(struct bytes der, struct err *e)
{
	if (der.len > CRL_MAX_BYTES)
		return err_at(e, ERR_INVALID, "crl-too-long", NULL, NOWHERE,
		    "the CRL is longer than the %s octets that it may have",
		    "33554432");
	return der_strict(der, e);
}

enum err_code
crl_tbs_parse(struct bytes tbs, struct crl *out, struct err *e)
{
	struct crl c = { .der = tbs };
	TRY(judge_bytes(tbs, e));
	TRY(read_tbs(tbs, &c, e));
	*out = c;
	return ERR_OK;
}

enum err_code
crl_parse(struct bytes der, struct crl *out, struct err *e)
{
	struct bytes tbs, sigalg, signature;
	struct crl c = { .der = der };
	TRY(judge_bytes(der, e));
	TRY(signed_split(der, &tbs, &sigalg, &signature, e));
	TRY(read_tbs(tbs, &c, e));
	/* libcrypto does not compare these for CRLs. */
	if (!bytes_eq(c.sigalg, sigalg))
		return err_at(e, ERR_INVALID, "crl-algorithms",
		    "RFC 5280 5.1.1.2", NOWHERE,
		    "the CRL names one signature algorithm inside and another "
		    "outside");
	c.signature = signature;
	*out = c;
	return ERR_OK;
}

bool
crl_next(const struct crl *c, struct crl_cursor *at, struct crl_entry *e)
{
	if (at->at >= c->entries.len)
		return false;
	struct der list =
	    der_of(bytes_of(c->entries.p + at->at, c->entries.len - at->at));
	if (!read_entry(&list, e))
		return false;
	at->at = (size_t)(list.p - c->entries.p);
	return true;
}

bool
crl_find(const struct crl *c, struct bytes serial, struct crl_entry *out)
{
	struct crl_cursor at = { 0 };
	struct crl_entry x;
	while (crl_next(c, &at, &x)) {
		int order = bytes_cmp(x.serial, serial);
		if (order > 0)
			return false;
		if (order == 0) {
			*out = x;
			return true;
		}
	}
	return false;
}
