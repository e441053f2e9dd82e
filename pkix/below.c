/* below - what a CA's own certificate says of the certificates below it. */
#include <stdio.h>
#include <string.h>

#include <refrendo/pkix.h>

bool
cert_rut(const struct cert *c, struct bytes *out)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_SAN);
	struct bytes value;

	*out = BYTES_NONE;
	if (x == NULL)
		return false;
	struct der d = der_of(x->value), names = der_enter(&d, DER_SEQUENCE);
	while (der_peek(&names) != 0) {
		struct bytes whole = der_element(&names);
		struct der one = der_of(whole);
		if (whole.len == 0 || whole.p[0] != DER_CONTEXT_CONS(0))
			continue;
		struct der other = der_enter(&one, DER_CONTEXT_CONS(0));
		if (!bytes_eq(der_get(&other, DER_OID),
			oid_known(OID_RUT_HOLDER)))
			continue;
		struct der in = der_enter(&other, DER_CONTEXT_CONS(0));
		value = der_get(&in, DER_IA5_STRING);
		if (in.bad || !der_end(&in) || out->len > 0)
			return false;
		*out = value;
	}
	return !names.bad && out->len > 0;
}

static struct bytes
constraints_of(const struct cert *c)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_CONSTRAINTS);

	return x == NULL ? BYTES_NONE : x->value;
}

bool
cert_succeeds(const struct cert *c, const struct cert *old)
{
	struct bytes rut, old_rut;

	return bytes_eq(c->subject, old->subject) &&
	       cert_rut(c, &rut) == cert_rut(old, &old_rut) &&
	       bytes_eq(rut, old_rut) &&
	       bytes_eq(constraints_of(c), constraints_of(old));
}

void
general_name_print(char *out, size_t size, struct bytes whole)
{
	struct der d = der_of(whole);
	uint8_t tag = der_peek(&d);
	struct bytes value = der_get(&d, tag);
	int at;

	if (tag == DER_CONTEXT_CONS(4)) {
		name_print(out, size, value);
		return;
	}
	at = snprintf(out, size, "[%u] ", (unsigned)tag & 31);
	for (size_t i = 0; i < value.len && (size_t)at + 1 < size; i++) {
		uint8_t c = value.p[i];
		out[at++] = c >= 0x20 && c < 0x7f ? (char)c : '.';
	}
	out[at] = '\0';
}

/* The RDNs of a Name, without its head. */
static struct bytes
rdns_of(struct bytes name)
{
	struct der d = der_of(name);

	return der_get(&d, DER_SEQUENCE);
}

static bool
begins_with(struct bytes name, struct bytes base)
{
	struct bytes whole = rdns_of(name), part = rdns_of(base);

	return part.len > 0 && part.len <= whole.len &&
	       memcmp(whole.p, part.p, part.len) == 0;
}

/* Is one of these subtrees a directory name, and the subject below one? */
static void
look_through(struct bytes subtrees, struct bytes subject, bool *any,
    bool *below)
{
	struct der d = der_of(subtrees);

	*any = *below = false;
	while (der_peek(&d) != 0) {
		struct der subtree = der_enter(&d, DER_SEQUENCE);
		struct bytes base;
		if (!der_optional(&subtree, DER_CONTEXT_CONS(4), &base))
			continue;
		*any = true;
		*below = *below || begins_with(subject, base);
	}
}

bool
cert_permits(const struct cert *ca, struct bytes subject)
{
	const struct cert_ext *x = cert_find_ext(ca, OID_EXT_CONSTRAINTS);
	struct bytes subtrees;
	bool any, below;

	if (x == NULL)
		return true;
	struct der d = der_of(x->value), in = der_enter(&d, DER_SEQUENCE);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &subtrees)) {
		look_through(subtrees, subject, &any, &below);
		if (any && !below)
			return false;
	}
	if (der_optional(&in, DER_CONTEXT_CONS(1), &subtrees)) {
		look_through(subtrees, subject, &any, &below);
		if (below)
			return false;
	}
	return !in.bad;
}

enum err_code
cert_check_below(const struct cert *ca, struct bytes subject, struct bytes rut,
    struct err *e)
{
	struct bytes own;

	if (cert_rut(ca, &own) && !bytes_eq(own, rut))
		return err_say(e, ERR_DENIED, "ca-other-institution",
		    "the CA is for another institution alone");
	if (cert_permits(ca, subject))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ca-other-names", "RFC 5280 4.2.1.10",
	    NOWHERE,
	    "the subject lies outside the names that the CA may certify");
}

enum err_code
cert_check_names_issuer(const struct cert *c, const struct cert *ca,
    enum key_type type, const char *name, struct err *e)
{
	if (!bytes_eq(c->issuer, ca->subject))
		return err_at(e, ERR_DENIED, "signer-issuer-name",
		    "RFC 5280 4.1.2.4", NOWHERE,
		    "the certificate names another issuer than the CA %s that "
		    "is to sign it",
		    name);
	if (c->aki.len == 0 || !bytes_eq(c->aki, ca->ski))
		return err_at(e, ERR_DENIED, "signer-issuer-key",
		    "RFC 5280 4.2.1.1", NOWHERE,
		    "the certificate's authority key identifier is not that "
		    "of the CA %s that is to sign it",
		    name);
	if (!bytes_eq(c->sigalg, key_type_sigalg(type)))
		return err_at(e, ERR_DENIED, "signer-algorithm",
		    "RFC 5280 4.1.1.2", NOWHERE,
		    "the certificate names another signature algorithm than "
		    "that of the CA %s",
		    name);
	if (c->not_after > ca->not_after || c->not_before < ca->not_before)
		return err_say(e, ERR_DENIED, "signer-outlives-ca",
		    "the certificate is valid when the CA %s is not; shorten "
		    "its validity",
		    name);
	return ERR_OK;
}
