/*
 * GeneralNames, and the constraints on them (RFC 5280 4.2.1.6 and 4.2.1.10).
 */
#include "internal.h"

#define VALUE_MAX 320

/* clang-format off */
static const struct kind_rule {
	uint8_t tag;    /* of GeneralName */
	uint8_t string; /* of the value of an otherName */
} kinds[NAME_KINDS] = {
	[GN_EMAIL] =           { DER_CONTEXT(1),      0 },
	[GN_OTHER_IA5] =       { DER_CONTEXT_CONS(0), DER_IA5_STRING },
	[GN_URI] =             { DER_CONTEXT(6),      0 },
	[GN_DNS] =             { DER_CONTEXT(2),      0 },
	[GN_OTHER_UTF8] =      { DER_CONTEXT_CONS(0), DER_UTF8_STRING },
	[GN_OTHER_PRINTABLE] = { DER_CONTEXT_CONS(0), DER_PRINTABLE_STRING },
	[GN_IP] =              { DER_CONTEXT(7),      0 },
	[GN_DIRECTORY] =       { DER_CONTEXT_CONS(4), 0 },
};
/* clang-format on */

unsigned
general_name_tag(enum name_kind kind)
{
	return kinds[kind].tag & 0x1fu;
}

void
put_general_name(struct der_w *w, const struct general_name *n)
{
	const struct kind_rule *k = &kinds[n->kind];
	size_t mark = der_mark(w);

	if (k->string == 0) {
		der_put(w, k->tag, n->value);
		return;
	}
	der_put(w, k->string, n->value);
	der_wrap(w, DER_CONTEXT_CONS(0), mark);
	der_put_oid(w, oid_bytes(&n->other));
	der_wrap(w, k->tag, mark);
}

/* What every builder may count on, whatever a policy checked. */
bool
general_name_fits(const struct general_name *n)
{
	struct bytes v = n->value;

	if (n->kind >= NAME_KINDS || v.len == 0)
		return false;
	if (n->kind == GN_DIRECTORY)
		return v.len > 2 && v.len <= NAME_DER_MAX && name_valid(v);
	if (n->kind == GN_IP)
		return v.len == 4 || v.len == 16;
	if (v.len > VALUE_MAX ||
	    (kinds[n->kind].string != 0 && n->other.len == 0))
		return false;
	if (n->kind == GN_OTHER_UTF8)
		return utf8_valid(v) && !has_invisible(v);
	return n->kind == GN_OTHER_PRINTABLE ? printable_valid(v)
					     : ascii_printable(v);
}

enum err_code
general_name_check(const struct general_name *n, struct err *e)
{
	switch (n->kind) {
	case GN_EMAIL:
		return email_check(n->value, e);
	case GN_DNS:
		return dns_check(n->value, e);
	case GN_URI:
		return uri_check(n->value, e);
	case GN_IP:
		if (general_name_fits(n))
			return ERR_OK;
		return err_at(e, ERR_INVALID, "ip-size", "RFC 5280 4.2.1.6",
		    at_field("subjectAltName"),
		    "an IP address has 4 or 16 octets");
	case GN_DIRECTORY:
		if (general_name_fits(n))
			return ERR_OK;
		return err_at(e, ERR_INVALID, "directory-name",
		    "RFC 5280 4.1.2.4", at_field("subjectAltName"),
		    "the directory name is empty, malformed or longer than "
		    "1024 octets");
	case GN_OTHER_IA5:
	case GN_OTHER_UTF8:
	case GN_OTHER_PRINTABLE:
	case NAME_KINDS:
		break;
	}
	if (general_name_fits(n))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "other-name", "RFC 5280 4.2.1.6",
	    at_field("subjectAltName"),
	    "the value of an otherName is empty, longer than 320 octets or has "
	    "a character that its type of string lacks");
}

/* --- Constraints ------------------------------------------------------------- */

/* "example.cl", which one label may be too; with_dot: ".example.cl" also. */
static bool
domain_valid(struct bytes v, bool with_dot)
{
	char text[256] = "x.";

	if (with_dot && v.len > 1 && v.p[0] == '.')
		v = bytes_of(v.p + 1, v.len - 1);
	if (v.len == 0 || v.len > 250 || !ascii_printable(v))
		return false;
	memcpy(text + 2, v.p, v.len);
	text[2 + v.len] = '\0';
	return dns_host_valid(text);
}

/* A mask is ones and then zeros, and the address has no bit outside it. */
static bool
range_valid(struct bytes v)
{
	size_t n = v.len / 2, i;
	bool ended = false;

	if (v.len != 8 && v.len != 32)
		return false;
	for (i = 0; i < n; i++) {
		uint8_t mask = v.p[n + i], zeros = (uint8_t)~mask;

		if ((v.p[i] & zeros) != 0 || (ended && mask != 0) ||
		    (zeros & (zeros + 1u)) != 0)
			return false;
		ended = ended || mask != 0xff;
	}
	return true;
}

static bool
subtree_valid(const struct general_name *n)
{
	struct err ignored;

	switch (n->kind) {
	case GN_EMAIL:
		return domain_valid(n->value, true) ||
		       email_check(n->value, &ignored) == ERR_OK;
	case GN_DNS:
		return domain_valid(n->value, false);
	case GN_URI:
		return domain_valid(n->value, true);
	case GN_IP:
		return range_valid(n->value);
	case GN_DIRECTORY:
		return general_name_fits(n);
	case GN_OTHER_IA5:
	case GN_OTHER_UTF8:
	case GN_OTHER_PRINTABLE:
	case NAME_KINDS:
		break;
	}
	return false;
}

enum err_code
subtree_check(const struct general_name *n, struct err *e)
{
	if (subtree_valid(n))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "subtree-form", "RFC 5280 4.2.1.10",
	    at_field("nameConstraints"),
	    "this does not name a part of a space of names; write a domain as "
	    "in example.cl, a range as in 192.0.2.0/24, or the beginning of a "
	    "directory name");
}

static void
put_subtrees(struct der_w *w, uint8_t tag, const struct general_name *names,
    size_t n)
{
	size_t all = der_mark(w);

	if (n == 0)
		return;
	while (n-- > 0) {
		size_t mark = der_mark(w);

		/* minimum is 0, its default; maximum is absent. */
		put_general_name(w, &names[n]);
		der_wrap(w, DER_SEQUENCE, mark);
	}
	der_wrap(w, tag, all);
}

void
put_constraints(struct der_w *w, const struct name_constraints *c)
{
	size_t mark = der_mark(w);

	put_subtrees(w, DER_CONTEXT_CONS(1), c->excluded, c->n_excluded);
	put_subtrees(w, DER_CONTEXT_CONS(0), c->permitted, c->n_permitted);
	der_wrap(w, DER_SEQUENCE, mark);
}

static bool
subtrees_read(struct bytes list)
{
	struct der d = der_of(list), in;

	if (der_peek(&d) == 0)
		return false;
	while (der_peek(&d) != 0) {
		uint8_t tag;
		struct bytes v;

		in = der_enter(&d, DER_SEQUENCE);
		tag = der_peek(&in);
		v = der_get(&in, tag);
		if (in.bad || !der_end(&in))
			return false;
		if (tag == DER_CONTEXT(7) ? !range_valid(v)
					  : !name_shape_valid(tag, v))
			return false;
	}
	return der_end(&d);
}

bool
constraints_valid(struct bytes constraints)
{
	struct der d = der_of(constraints), in = der_enter(&d, DER_SEQUENCE);
	struct bytes list;
	bool any = false;

	if (der_optional(&in, DER_CONTEXT_CONS(0), &list)) {
		any = true;
		if (!subtrees_read(list))
			return false;
	}
	if (der_optional(&in, DER_CONTEXT_CONS(1), &list)) {
		any = true;
		if (!subtrees_read(list))
			return false;
	}
	return any && der_end(&in) && der_end(&d);
}
