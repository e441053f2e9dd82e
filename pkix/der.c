/*
 * Reading DER: one strict walk over a whole object, and a cursor for taking
 * it apart afterwards.  Nothing is allocated; lengths are compared with what
 * contains them before anything is touched.
 */
#include "internal.h"

struct element {
	uint8_t tag;
	const uint8_t *content;
	size_t len;
};

enum head_fault { HEAD_OK, HEAD_SHORT, HEAD_TAG, HEAD_LENGTH };

static enum head_fault
read_long_length(const uint8_t **p, const uint8_t *end, size_t *len)
{
	size_t octets = *(*p)++ & 0x7fu, v = 0;

	/* 0 is the indefinite form; four octets pass every limit we have. */
	if (octets == 0 || octets > 4)
		return HEAD_LENGTH;
	if ((size_t)(end - *p) < octets)
		return HEAD_SHORT;
	if (**p == 0)
		return HEAD_LENGTH;
	while (octets-- > 0)
		v = v << 8 | *(*p)++;
	if (v < 0x80)
		return HEAD_LENGTH;
	*len = v;
	return HEAD_OK;
}

static enum head_fault
read_head(const uint8_t *p, const uint8_t *end, struct element *out)
{
	enum head_fault fault = HEAD_OK;

	if (end - p < 2)
		return HEAD_SHORT;
	out->tag = *p++;
	if (out->tag == 0 || (out->tag & 0x1f) == 0x1f)
		return HEAD_TAG;
	if (*p < 0x80)
		out->len = *p++;
	else
		fault = read_long_length(&p, end, &out->len);
	if (fault != HEAD_OK)
		return fault;
	if ((size_t)(end - p) < out->len)
		return HEAD_SHORT;
	out->content = p;
	return HEAD_OK;
}

static enum err_code
head_error(enum head_fault fault, size_t at, struct err *e)
{
	if (fault == HEAD_TAG)
		return err_at(e, ERR_INVALID, "der-tag", "X.690 8.1.2",
		    AT_BYTE(at),
		    "a tag at this octet has a form that X.509 never uses");
	if (fault == HEAD_LENGTH)
		return err_at(e, ERR_INVALID, "der-length", "X.690 10.1",
		    AT_BYTE(at),
		    "a length at this octet is not definite and minimal, as "
		    "DER demands");
	return err_at(e, ERR_INVALID, "der-short", "X.690 8.1.3", AT_BYTE(at),
	    "an element at this octet is longer than what contains it");
}

static bool
integer_minimal(const struct element *t)
{
	if (t->len == 0)
		return false;
	if (t->len == 1)
		return true;
	return !(t->content[0] == 0x00 && t->content[1] < 0x80) &&
	       !(t->content[0] == 0xff && t->content[1] >= 0x80);
}

static bool
bits_valid(const struct element *t)
{
	uint8_t unused;

	if (t->len == 0 || t->content[0] > 7)
		return false;
	unused = t->content[0];
	if (t->len == 1)
		return unused == 0;
	return (t->content[t->len - 1] & ((1u << unused) - 1u)) == 0;
}

static bool
oid_valid(const struct element *t)
{
	bool fresh = true;
	size_t i;

	for (i = 0; i < t->len; i++) {
		if (fresh && t->content[i] == 0x80)
			return false;
		fresh = t->content[i] < 0x80;
	}
	return t->len > 0 && fresh;
}

static enum err_code
check_primitive(const struct element *t, size_t at, struct err *e)
{
	if ((t->tag == DER_INTEGER || t->tag == DER_ENUMERATED) &&
	    !integer_minimal(t))
		return err_at(e, ERR_INVALID, "der-integer", "X.690 8.3.2",
		    AT_BYTE(at), "an INTEGER at this octet is not minimal");
	if (t->tag == DER_BOOLEAN &&
	    (t->len != 1 || (t->content[0] != 0 && t->content[0] != 0xff)))
		return err_at(e, ERR_INVALID, "der-boolean", "X.690 11.1",
		    AT_BYTE(at),
		    "a BOOLEAN at this octet is neither 00 nor FF");
	if (t->tag == DER_BIT_STRING && !bits_valid(t))
		return err_at(e, ERR_INVALID, "der-bits", "X.690 11.2.1",
		    AT_BYTE(at),
		    "a BIT STRING at this octet has wrong padding bits");
	if (t->tag == DER_NULL && t->len != 0)
		return err_at(e, ERR_INVALID, "der-null", "X.690 8.8.2",
		    AT_BYTE(at), "a NULL at this octet has content");
	if (t->tag == DER_OID && !oid_valid(t))
		return err_at(e, ERR_INVALID, "der-oid", "X.690 8.19.2",
		    AT_BYTE(at),
		    "an OBJECT IDENTIFIER at this octet is malformed");
	return ERR_OK;
}

/* X.690 10.2: SEQUENCE and SET are constructed, universal strings are not. */
static bool
form_fits(uint8_t tag)
{
	uint8_t number = tag & 0x1f;
	bool constructed = (tag & 0x20) != 0;

	if ((tag & 0xc0) != 0)
		return true;
	if (number == 0x10 || number == 0x11)
		return constructed;
	/* EXTERNAL and EMBEDDED PDV never occur in what we read. */
	return !constructed;
}

struct level {
	const uint8_t *end;
	struct bytes last; /* the element before, inside a SET */
	bool is_set;
};

/*
 * X.690 11.6.  Every SET of X.509 and CMS is a SET OF.  Elements whose common
 * prefix is equal have equal lengths, so the padding rule never matters.
 */
static enum err_code
check_order(struct level *l, struct bytes whole, size_t at, struct err *e)
{
	if (!l->is_set)
		return ERR_OK;
	if (l->last.p != NULL && bytes_cmp(l->last, whole) > 0)
		return err_at(e, ERR_INVALID, "der-set-order", "X.690 11.6",
		    AT_BYTE(at),
		    "the elements of a SET at this octet are not in order");
	l->last = whole;
	return ERR_OK;
}

static enum err_code
check_element(struct level *in, const uint8_t *start, const uint8_t *p,
    struct element *t, struct err *e)
{
	size_t at = (size_t)(p - start);
	enum head_fault fault = read_head(p, in->end, t);

	if (fault != HEAD_OK)
		return head_error(fault, at, e);
	if (!form_fits(t->tag))
		return err_at(e, ERR_INVALID, "der-constructed", "X.690 10.2",
		    AT_BYTE(at),
		    "an element at this octet is constructed where DER wants "
		    "it primitive, or the reverse");
	TRY(check_primitive(t, at, e));
	return check_order(in, bytes_of(p, (size_t)(t->content - p) + t->len),
	    at, e);
}

enum err_code
der_strict(struct bytes der, struct err *e)
{
	struct level stack[DER_DEPTH_MAX + 1];
	const uint8_t *p = der.p;
	size_t depth = 0;

	stack[0] = (struct level){ .end = der.p + der.len };
	do {
		struct element t;

		TRY(check_element(&stack[depth], der.p, p, &t, e));
		p = t.content;
		if ((t.tag & 0x20) == 0) {
			p += t.len;
		} else if (depth == DER_DEPTH_MAX) {
			return err_at(e, ERR_INVALID, "der-depth", NULL,
			    AT_BYTE(p - der.p),
			    "elements are nested deeper than 32 levels");
		} else {
			stack[++depth] = (struct level){
				.end = t.content + t.len,
				.is_set = t.tag == DER_SET,
			};
		}
		while (depth > 0 && p == stack[depth].end)
			depth--;
	} while (depth > 0);
	if (p != der.p + der.len)
		return err_at(e, ERR_INVALID, "der-trailing", NULL,
		    AT_BYTE(p - der.p),
		    "something follows the end of the object");
	return ERR_OK;
}

struct der
der_of(struct bytes content)
{
	/* Arithmetic on NULL is undefined, so nothing has an address too. */
	static const uint8_t nothing[1];
	const uint8_t *p = content.p == NULL ? nothing : content.p;

	return (struct der){ p, p + content.len, false };
}

bool
der_end(const struct der *d)
{
	return !d->bad && d->p == d->end;
}

uint8_t
der_peek(const struct der *d)
{
	return d->bad || d->p == d->end ? 0 : *d->p;
}

static bool
take(struct der *d, struct element *t)
{
	if (d->bad || read_head(d->p, d->end, t) != HEAD_OK) {
		d->bad = true;
		return false;
	}
	d->p = t->content + t->len;
	return true;
}

struct bytes
der_get(struct der *d, uint8_t tag)
{
	struct element t;

	if (der_peek(d) != tag)
		d->bad = true;
	if (!take(d, &t))
		return BYTES_NONE;
	return bytes_of(t.content, t.len);
}

struct der
der_enter(struct der *d, uint8_t tag)
{
	struct der in = der_of(der_get(d, tag));

	in.bad = d->bad;
	return in;
}

struct bytes
der_element(struct der *d)
{
	const uint8_t *start = d->p;
	struct element t;

	if (!take(d, &t))
		return BYTES_NONE;
	return bytes_of(start, (size_t)(d->p - start));
}

bool
der_optional(struct der *d, uint8_t tag, struct bytes *out)
{
	if (der_peek(d) != tag)
		return false;
	*out = der_get(d, tag);
	return !d->bad;
}

bool
der_get_bool(struct der *d)
{
	struct bytes v = der_get(d, DER_BOOLEAN);

	if (v.len != 1 || (v.p[0] != 0 && v.p[0] != 0xff)) {
		d->bad = true;
		return false;
	}
	return v.p[0] == 0xff;
}

int64_t
der_get_int(struct der *d)
{
	struct bytes v = der_get(d, DER_INTEGER);
	const struct element t = { DER_INTEGER, v.p, v.len };
	int64_t n = 0;
	size_t i;

	if (d->bad || v.len > 7 || !integer_minimal(&t) || v.p[0] >= 0x80) {
		d->bad = true;
		return 0;
	}
	for (i = 0; i < v.len; i++)
		n = n << 8 | v.p[i];
	if (n > INT64_C(1) << 53) {
		d->bad = true;
		return 0;
	}
	return n;
}

static bool
two_digits(const uint8_t *p, int *out)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*out = (p[0] - '0') * 10 + (p[1] - '0');
	return true;
}

static bool
time_content(struct bytes v, bool generalized, int64_t *out)
{
	struct civil c = { .year = 0 };
	size_t years = generalized ? 4 : 2;
	int part[7], i, n = generalized ? 7 : 6;

	if (v.len != years + 11 || v.p[v.len - 1] != 'Z')
		return false;
	for (i = 0; i < n; i++) {
		if (!two_digits(v.p + 2 * i, &part[i]))
			return false;
	}
	if (generalized)
		c.year = part[0] * 100 + part[1];
	else
		c.year = part[0] + (part[0] < 50 ? 2000 : 1900);
	c.month = part[n - 5];
	c.day = part[n - 4];
	c.hour = part[n - 3];
	c.minute = part[n - 2];
	c.second = part[n - 1];
	return civil_to_time(&c, out);
}

int64_t
der_get_time(struct der *d)
{
	bool generalized = der_peek(d) == DER_GENERALIZED_TIME;
	struct bytes v =
	    der_get(d, generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME);
	int64_t t = 0;

	if (d->bad || !time_content(v, generalized, &t)) {
		d->bad = true;
		return 0;
	}
	return t;
}

struct bytes
magnitude_of(struct bytes integer)
{
	if (integer.len > 1 && integer.p[0] == 0)
		return bytes_of(integer.p + 1, integer.len - 1);
	return integer;
}
