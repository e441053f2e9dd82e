/*
 * read - CRLs as strictly as we write them: version 2, nextUpdate, AKI and
 * number, the extensions of a partition or a delta and no other, every entry
 * well formed and in order.  What stands around the entries is read from a
 * list that lies whole in memory and from one that arrives in pieces alike.
 */
#include "internal.h"

enum err_code
crl_malformed(struct err *e)
{
	return err_at(e, ERR_INVALID, "crl-form", "RFC 5280 5.1", NOWHERE,
	    "this is not a CRL of version 2: its parts are not those that it "
	    "must have");
}

/* --- Before the entries ----------------------------------------------------- */

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
is_time(uint8_t tag)
{
	return tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME;
}

/* A list that stops here was cut off, or goes on wrongly: who reads on knows. */
static enum part
front_fault(bool is_whole, struct err *e)
{
	if (!is_whole)
		return PART_SHORT;
	(void)crl_malformed(e);
	return PART_BAD;
}

static enum part
front_part(enum part p, struct err *e)
{
	if (p == PART_BAD)
		(void)crl_malformed(e);
	return p;
}

/* Version to nextUpdate; the cursor stands behind them. */
static enum part
front_fields(struct der *in, struct crl *c, bool is_whole, struct err *e)
{
	struct err ignored;
	if (der_get_int(in) != 1)
		return front_fault(is_whole, e);
	c->sigalg = der_element(in);
	c->issuer = der_element(in);
	c->this_update = get_time(in);
	uint8_t next = der_peek(in);
	if (in->bad || next == 0)
		return front_fault(is_whole, e);
	if (!is_time(next)) {
		(void)err_at(e, ERR_INVALID, "crl-next-update",
		    "RFC 5280 5.1.2.5", NOWHERE,
		    "the CRL has no nextUpdate and would never end");
		return PART_BAD;
	}
	c->next_update = get_time(in);
	if (in->bad)
		return front_fault(is_whole, e);
	bool good = c->sigalg.p[0] == DER_SEQUENCE &&
		    c->issuer.p[0] == DER_SEQUENCE &&
		    c->this_update < c->next_update &&
		    der_strict(c->sigalg, &ignored) == ERR_OK &&
		    der_strict(c->issuer, &ignored) == ERR_OK;
	return front_part(good ? PART_READ : PART_BAD, e);
}

/* Then the list of entries, unless it is left out. */
static enum part
front_list(struct der *in, bool is_whole, size_t *list, struct err *e)
{
	size_t head, left = (size_t)(in->end - in->p);
	*list = 0;
	if (left == 0)
		return front_fault(is_whole, e);
	if (in->p[0] != DER_SEQUENCE)
		return PART_READ;
	enum part p = head_read(in->p, left, DER_SEQUENCE, &head, list);
	if (p != PART_READ)
		return front_part(p, e);
	in->p += head;
	if (*list > 0)
		return PART_READ;
	(void)err_at(e, ERR_INVALID, "crl-empty-list", "RFC 5280 5.1.2.6",
	    NOWHERE,
	    "the CRL encodes an empty list of entries, which must be left "
	    "out");
	return PART_BAD;
}

enum part
front_read(const uint8_t *p, size_t avail, struct crl *c, size_t *tbs_len,
    size_t *used, size_t *list, struct err *e)
{
	size_t head, content;
	enum part got = head_read(p, avail, DER_SEQUENCE, &head, &content);
	if (got != PART_READ)
		return front_part(got, e);
	*tbs_len = head + content;
	if (*tbs_len > CRL_MAX_BYTES)
		return front_part(PART_BAD, e);
	bool is_whole = avail >= *tbs_len || avail >= FRONT_MAX;
	size_t there = avail < *tbs_len ? avail : *tbs_len;
	struct der in = der_of(bytes_of(p + head, there - head));
	got = front_fields(&in, c, is_whole, e);
	if (got == PART_READ)
		got = front_list(&in, is_whole, list, e);
	*used = (size_t)(in.p - p);
	if (got == PART_READ && *list > *tbs_len - *used)
		return front_part(PART_BAD, e);
	return got;
}

/* --- Behind them ---------------------------------------------------------------- */

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

/* DistributionPoint or issuingDistributionPoint of nothing but one address. */
static bool
read_point(struct bytes value, struct bytes *url)
{
	struct der d = der_of(value), in = der_enter(&d, DER_SEQUENCE);
	struct der point = der_enter(&in, DER_CONTEXT_CONS(0));
	struct der names = der_enter(&point, DER_CONTEXT_CONS(0));
	*url = der_get(&names, DER_CONTEXT(6));
	return der_end(&names) && der_end(&point) && der_end(&in) &&
	       der_end(&d) && url->len > 0 && url->len <= CRL_URL_MAX &&
	       ascii_printable(*url);
}

static bool
read_freshest(struct bytes value, struct bytes *url)
{
	struct der d = der_of(value), list = der_enter(&d, DER_SEQUENCE);
	struct bytes point = der_element(&list);
	return der_end(&list) && der_end(&d) && read_point(point, url);
}

/* One of those that may be there; each once, critical as it must be. */
static bool
read_extension(struct der *list, struct crl *c, unsigned *seen)
{
	static const enum pkix_oid known[] = { OID_EXT_AKI, OID_EXT_CRL_NUMBER,
		OID_EXT_DELTA, OID_EXT_IDP, OID_EXT_FRESHEST };
	enum { AKI, NUMBER, DELTA, IDP };
	struct err ignored;
	struct der x = der_enter(list, DER_SEQUENCE);
	struct bytes oid = der_get(&x, DER_OID);
	bool critical = der_peek(&x) == DER_BOOLEAN;
	if (critical && !der_get_bool(&x))
		return false;
	struct bytes value = der_get(&x, DER_OCTET_STRING);
	unsigned which = 0;
	while (
	    which < ARRAY_LEN(known) && !bytes_eq(oid, oid_known(known[which])))
		which++;
	if (!der_end(&x) || der_strict(value, &ignored) != ERR_OK ||
	    which == ARRAY_LEN(known) || (*seen >> which & 1) != 0)
		return false;
	*seen |= 1u << which;
	switch (which) {
	case AKI:
		return !critical && read_aki(value, &c->aki);
	case NUMBER:
		return !critical && read_number(value, &c->number);
	case DELTA:
		return critical && read_number(value, &c->base) && c->base > 0;
	case IDP:
		return critical && read_point(value, &c->url);
	default:
		return !critical && read_freshest(value, &c->freshest);
	}
}

enum err_code
tail_read(struct bytes tail, struct crl *c, struct err *e)
{
	struct der d = der_of(tail);
	struct der tagged = der_enter(&d, DER_CONTEXT_CONS(0));
	struct der list = der_enter(&tagged, DER_SEQUENCE);
	unsigned seen = 0;
	bool ok = true;
	if (d.bad || tagged.bad || list.bad)
		return crl_malformed(e);
	TRY(der_strict(bytes_of(tail.p, (size_t)(d.p - tail.p)), e));
	while (ok && der_peek(&list) != 0)
		ok = read_extension(&list, c, &seen);
	/* AKI and number always; a delta rests on what came before it. */
	if (!ok || !der_end(&list) || !der_end(&tagged) || (seen & 3) != 3 ||
	    (c->base > 0 && (c->base >= c->number || c->freshest.len > 0)))
		return err_at(e, ERR_INVALID, "crl-extensions", "RFC 5280 5.2",
		    NOWHERE,
		    "the CRL's extensions are not authorityKeyIdentifier and "
		    "cRLNumber, with those of a partition or a delta, once "
		    "each and critical as they must be");
	return der_end(&d) ? ERR_OK : crl_malformed(e);
}

/* --- Entries ----------------------------------------------------------------- */

enum err_code
entry_bad(size_t at, struct err *e)
{
	return err_at(e, ERR_INVALID, "crl-entry", "RFC 5280 5.3", AT_BYTE(at),
	    "an entry of the CRL is malformed, or has an extension, a reason "
	    "or a date that it may not have");
}

enum err_code
entry_disorder(size_t at, struct err *e)
{
	return err_at(e, ERR_INVALID, "crl-order", NULL, AT_BYTE(at),
	    "the entries of the CRL are not in ascending order of serial, "
	    "each once");
}

static enum err_code
judge_entries(const struct crl *c, struct err *e)
{
	const uint8_t *p = c->entries.p, *end = p + c->entries.len;
	struct bytes last = BYTES_NONE;
	struct day day = { .day = -1 };
	struct crl_entry x;
	size_t used;
	for (; p < end; p += used) {
		size_t at = (size_t)(p - c->der.p);
		if (entry_read(p, (size_t)(end - p), c->base > 0, &day, &x,
			&used) != PART_READ)
			return entry_bad(at, e);
		if (bytes_cmp(last, x.serial) >= 0)
			return entry_disorder(at, e);
		last = x.serial;
	}
	return ERR_OK;
}

/* The list itself, judged strictly already; c->der is set. */
static enum err_code
read_tbs(struct bytes tbs, struct crl *c, struct err *e)
{
	size_t len, used, list;
	c->tbs = tbs;
	enum part got = front_read(tbs.p, tbs.len, c, &len, &used, &list, e);
	if (got == PART_SHORT || (got == PART_READ && len != tbs.len))
		return crl_malformed(e);
	if (got == PART_BAD)
		return e->code;
	c->entries = bytes_of(tbs.p + used, list);
	used += list;
	TRY(tail_read(bytes_of(tbs.p + used, tbs.len - used), c, e));
	return judge_entries(c, e);
}

static enum err_code
judge_bytes(struct bytes der, struct err *e)
{
	if (der.len > CRL_MAX_BYTES)
		return err_at(e, ERR_INVALID, "crl-too-long", NULL, NOWHERE,
		    "the CRL is longer than the %s octets that it may have",
		    "1073741824");
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
	struct day day = { .day = -1 };
	size_t used;
	if (at->at >= c->entries.len ||
	    entry_read(c->entries.p + at->at, c->entries.len - at->at,
		c->base > 0, &day, e, &used) != PART_READ)
		return false;
	at->at += used;
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
