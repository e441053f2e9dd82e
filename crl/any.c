/*
 * any - CRLs that others made, read in place.  Lenient where RFC 5280 leaves a
 * choice or where old ones differ; our own are read by read.c, which forgives
 * nothing.
 */
#include "internal.h"

static enum err_code
malformed(struct err *e)
{
	return err_at(e, ERR_INVALID, "crl-any-form", "RFC 5280 5.1", NOWHERE,
	    "this is not a CRL: its parts are not those that it must have");
}

/* Without sign octet and leading zeros; zero itself is one octet. */
static struct bytes
magnitude(struct bytes integer)
{
	while (integer.len > 1 && integer.p[0] == 0)
		integer = bytes_of(integer.p + 1, integer.len - 1);
	return integer;
}

/* --- Extensions of the list --------------------------------------------------- */

static bool
read_number(struct bytes value, struct bytes *out)
{
	struct der d = der_of(value);
	struct bytes n = der_get(&d, DER_INTEGER);
	if (!der_end(&d) || n.len == 0 || n.p[0] >= 0x80)
		return false;
	*out = magnitude(n);
	return true;
}

static bool
read_aki(struct bytes value, struct bytes *out)
{
	struct der d = der_of(value), in = der_enter(&d, DER_SEQUENCE);
	/* One that names the issuer and its serial instead says nothing new. */
	(void)der_optional(&in, DER_CONTEXT(0), out);
	return !in.bad && der_end(&d);
}

/* The first http: address of a DistributionPointName's fullName. */
static struct bytes
first_url(struct bytes name)
{
	static const char scheme[] = "http://";
	struct der d = der_of(name);
	struct bytes full, url;
	if (!der_optional(&d, DER_CONTEXT_CONS(0), &full))
		return BYTES_NONE;
	struct der names = der_of(full);
	while (der_peek(&names) != 0 && !names.bad) {
		if (!der_optional(&names, DER_CONTEXT(6), &url))
			(void)der_element(&names);
		else if (url.len > sizeof(scheme) - 1 &&
			 memcmp(url.p, scheme, sizeof(scheme) - 1) == 0)
			return url;
	}
	return BYTES_NONE;
}

/* [n] IMPLICIT BOOLEAN; FALSE may be written by those who know no better. */
static bool
read_flag(struct der *d, unsigned n)
{
	struct bytes v;
	if (!der_optional(d, (uint8_t)DER_CONTEXT(n), &v))
		return false;
	if (v.len != 1)
		d->bad = true;
	return v.len == 1 && v.p[0] != 0;
}

static bool
read_idp(struct bytes value, struct crl_any *c)
{
	struct der d = der_of(value), in = der_enter(&d, DER_SEQUENCE);
	struct bytes name, reasons;
	if (der_optional(&in, DER_CONTEXT_CONS(0), &name))
		c->url = first_url(name);
	c->only_users = read_flag(&in, 1);
	c->only_cas = read_flag(&in, 2);
	c->some_reasons = der_optional(&in, DER_CONTEXT(3), &reasons);
	c->is_indirect = read_flag(&in, 4);
	c->only_attributes = read_flag(&in, 5);
	c->idp = value;
	return der_end(&in) && der_end(&d);
}

/* CRLDistributionPoints; the first address of the first point that has one. */
static bool
read_freshest(struct bytes value, struct bytes *out)
{
	struct der d = der_of(value), list = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&list) != 0 && !list.bad) {
		struct der point = der_enter(&list, DER_SEQUENCE);
		struct bytes name;
		if (der_optional(&point, DER_CONTEXT_CONS(0), &name) &&
		    out->len == 0)
			*out = first_url(name);
	}
	return der_end(&list) && der_end(&d);
}

static bool
read_extension(struct der *list, struct crl_any *c)
{
	struct err ignored;
	struct der x = der_enter(list, DER_SEQUENCE);
	struct bytes oid = der_get(&x, DER_OID), value;
	bool critical = der_peek(&x) == DER_BOOLEAN && der_get_bool(&x);
	value = der_get(&x, DER_OCTET_STRING);
	if (!der_end(&x) || der_strict(value, &ignored) != ERR_OK)
		return false;
	if (bytes_eq(oid, oid_known(OID_EXT_CRL_NUMBER)))
		return c->number.len == 0 && read_number(value, &c->number);
	if (bytes_eq(oid, oid_known(OID_EXT_DELTA)))
		return c->base.len == 0 && read_number(value, &c->base);
	if (bytes_eq(oid, oid_known(OID_EXT_AKI)))
		return c->aki.len == 0 && read_aki(value, &c->aki);
	if (bytes_eq(oid, oid_known(OID_EXT_IDP)))
		return c->idp.len == 0 && read_idp(value, c);
	if (bytes_eq(oid, oid_known(OID_EXT_FRESHEST)))
		return read_freshest(value, &c->freshest);
	c->has_unknown_critical = c->has_unknown_critical || critical;
	return true;
}

static bool
read_extensions(struct bytes content, struct crl_any *c)
{
	struct der d = der_of(content), list = der_enter(&d, DER_SEQUENCE);
	bool ok = true;
	while (der_peek(&list) != 0 && ok)
		ok = read_extension(&list, c);
	return ok && der_end(&list) && der_end(&d);
}

/* --- Entries -------------------------------------------------------------------- */

static bool
read_reason(struct bytes value, int *out)
{
	struct der d = der_of(value);
	struct bytes v = der_get(&d, DER_ENUMERATED);
	*out = v.len == 1 ? v.p[0] : -1;
	return der_end(&d) && v.len == 1;
}

static bool
read_entry_extension(struct der *list, struct crl_any_entry *out)
{
	struct der x = der_enter(list, DER_SEQUENCE);
	struct bytes oid = der_get(&x, DER_OID), value;
	bool critical = der_peek(&x) == DER_BOOLEAN && der_get_bool(&x);
	value = der_get(&x, DER_OCTET_STRING);
	if (!der_end(&x))
		return false;
	if (bytes_eq(oid, oid_known(OID_EXT_REASON)))
		return read_reason(value, &out->reason);
	if (bytes_eq(oid, oid_known(OID_EXT_INVALIDITY))) {
		struct der d = der_of(value);
		out->invalid_since = der_get_time(&d);
		return der_end(&d);
	}
	out->has_unknown_critical = out->has_unknown_critical || critical;
	return true;
}

static bool
read_entry(struct der *list, struct crl_any_entry *out)
{
	struct der in = der_enter(list, DER_SEQUENCE);
	struct bytes extensions, serial = der_get(&in, DER_INTEGER);
	bool ok = serial.len > 0;
	*out = (struct crl_any_entry){ .reason = -1 };
	out->revoked_at = der_get_time(&in);
	if (ok && der_optional(&in, DER_SEQUENCE, &extensions)) {
		struct der x = der_of(extensions);
		while (der_peek(&x) != 0 && ok)
			ok = read_entry_extension(&x, out);
		ok = ok && der_end(&x);
	}
	if (!ok || !der_end(&in))
		return false;
	/* A negative one is nobody's, and stays what it is. */
	out->serial = magnitude(serial);
	return true;
}

bool
crl_any_next(struct bytes *rest, struct crl_any_entry *out)
{
	struct der list = der_of(*rest);
	if (der_peek(&list) == 0 || !read_entry(&list, out) || list.bad)
		return false;
	*rest = bytes_of(list.p, (size_t)(list.end - list.p));
	return true;
}

static enum err_code
judge_entries(struct crl_any *c, struct err *e)
{
	struct der list = der_of(c->entries);
	struct crl_any_entry x;
	while (der_peek(&list) != 0) {
		size_t at = (size_t)(list.p - c->der.p);
		if (!read_entry(&list, &x) || list.bad)
			return entry_bad(at, e);
		c->n_entry++;
	}
	return ERR_OK;
}

/* --- The whole -------------------------------------------------------------------- */

static bool
is_time(const struct der *d)
{
	uint8_t tag = der_peek(d);
	return tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME;
}

static enum err_code
read_tbs(struct crl_any *c, struct bytes *inner_alg, struct err *e)
{
	struct bytes extensions;
	struct der d = der_of(c->tbs), in = der_enter(&d, DER_SEQUENCE);
	c->version = 1;
	if (der_peek(&in) == DER_INTEGER) {
		c->version = 2;
		if (der_get_int(&in) != 1)
			return malformed(e);
	}
	*inner_alg = der_element(&in);
	c->issuer = der_element(&in);
	c->this_update = der_get_time(&in);
	if (is_time(&in))
		c->next_update = der_get_time(&in);
	(void)der_optional(&in, DER_SEQUENCE, &c->entries);
	if (in.bad || c->issuer.p[0] != DER_SEQUENCE)
		return malformed(e);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &extensions) &&
	    !read_extensions(extensions, c))
		return malformed(e);
	if (!der_end(&in) || !der_end(&d))
		return malformed(e);
	return judge_entries(c, e);
}

enum err_code
crl_any_parse(struct bytes der, struct crl_any *out, struct err *e)
{
	struct crl_any c = { .der = der };
	struct bytes inner_alg;
	if (der.len > CRL_MAX_BYTES)
		return malformed(e);
	TRY(der_strict(der, e));
	TRY(signed_split(der, &c.tbs, &c.sigalg, &c.signature, e));
	TRY(read_tbs(&c, &inner_alg, e));
	if (!bytes_eq(inner_alg, c.sigalg))
		return err_at(e, ERR_INVALID, "crl-algorithms",
		    "RFC 5280 5.1.1.2", NOWHERE,
		    "the CRL names one signature algorithm inside and another "
		    "outside");
	*out = c;
	return ERR_OK;
}

/* --- May it be believed? ------------------------------------------------------------ */

#define NO_NEXT_LIFE (30 * DAY)

static enum err_code
judge_issuer(const struct crl_any *c, const struct cert *ca, struct err *e)
{
	char name[64];
	name_print(name, sizeof(name), c->issuer);
	if (!bytes_eq(c->issuer, ca->subject))
		return err_at(e, ERR_DENIED, "crl-any-issuer", "RFC 5280 6.3.3",
		    NOWHERE,
		    "the CRL is that of %s, and the CA given is another", name);
	if (c->aki.len > 0 && ca->ski.len > 0 && !bytes_eq(c->aki, ca->ski))
		return err_at(e, ERR_DENIED, "crl-any-key", "RFC 5280 5.2.1",
		    NOWHERE,
		    "the CRL was made with another key of its issuer than that "
		    "of the certificate given");
	if (ca->key_usage != 0 && (ca->key_usage & KU_CRL_SIGN) == 0)
		return err_at(e, ERR_DENIED, "crl-any-usage",
		    "RFC 5280 4.2.1.3", NOWHERE,
		    "the certificate of that CA does not let it sign CRLs");
	return ERR_OK;
}

static enum err_code
judge_scope(const struct crl_any *c, struct err *e)
{
	struct bytes rest = c->entries;
	struct crl_any_entry x;
	bool unknown = c->has_unknown_critical;
	while (!unknown && crl_any_next(&rest, &x))
		unknown = x.has_unknown_critical;
	if (c->is_indirect)
		return err_at(e, ERR_DENIED, "crl-any-indirect",
		    "RFC 5280 5.2.5", NOWHERE,
		    "the CRL speaks of certificates of other issuers too; "
		    "indirect ones are not judged here");
	if (unknown)
		return err_at(e, ERR_DENIED, "crl-any-critical", "RFC 5280 5.2",
		    NOWHERE,
		    "the CRL has a critical extension that is not known here");
	return ERR_OK;
}

static enum err_code
judge_times(const struct crl_any *c, int64_t now, struct err *e)
{
	char text[TIME_TEXT];
	int64_t end = c->next_update != 0 ? c->next_update
					  : c->this_update + NO_NEXT_LIFE;
	if (c->this_update > now + CRL_SLACK_S) {
		time_print(text, c->this_update);
		return err_at(e, ERR_DENIED, "crl-any-early",
		    "RFC 5280 5.1.2.4", NOWHERE,
		    "the CRL holds only from %s; check this machine's clock",
		    text);
	}
	if (end < now - CRL_SLACK_S) {
		time_print(text, end);
		return err_at(e, ERR_DENIED, "crl-any-stale",
		    "RFC 5280 5.1.2.5", NOWHERE,
		    "the CRL held until %s; what is handed out is old", text);
	}
	return ERR_OK;
}

enum err_code
crl_any_check(const struct crl_any *c, const struct cert *ca, int64_t now,
    struct verifier *v, struct err *e)
{
	TRY(judge_issuer(c, ca, e));
	TRY(judge_scope(c, e));
	TRY(verifier_check(v, ca->spki, c->sigalg, c->tbs, c->signature, e));
	return judge_times(c, now, e);
}

static int
order(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return bytes_cmp(a, b);
}

static void
number_text(struct bytes number, char out[HEX_LEN(20)])
{
	out[0] = '\0';
	if (number.len <= 20)
		hex_print(out, number);
}

enum err_code
crl_any_amends(const struct crl_any *delta, const struct crl_any *full,
    struct err *e)
{
	char base[HEX_LEN(20)], number[HEX_LEN(20)];
	if (delta->base.len == 0 || delta->number.len == 0 ||
	    full->base.len > 0 || full->number.len == 0)
		return err_at(e, ERR_DENIED, "crl-any-no-delta",
		    "RFC 5280 5.2.4", NOWHERE,
		    "what should be a delta is none, or its base is no "
		    "complete CRL with a number");
	if (!bytes_eq(delta->issuer, full->issuer) ||
	    !bytes_eq(delta->idp, full->idp))
		return err_at(e, ERR_DENIED, "crl-any-other-scope",
		    "RFC 5280 5.2.4", NOWHERE,
		    "the delta and its base are not of the same issuer and "
		    "the same scope");
	if (order(delta->base, full->number) <= 0 &&
	    order(delta->number, full->number) > 0)
		return ERR_OK;
	number_text(delta->base, base);
	number_text(full->number, number);
	return err_at(e, ERR_DENIED, "crl-any-base", "RFC 5280 5.2.4", NOWHERE,
	    "the delta amends CRL %s or a later one before its own, and the "
	    "one given is %s",
	    base, number);
}
