/*
 * Certificates whose octets are endorsed and still must not be signed: the
 * minister's statement names the very TBS that is asked for.
 */
#include "attempts.h"

/* --- A TBS taken apart --------------------------------------------------------- */

enum part { VERSION, SERIAL, SIGALG, ISSUER, VALIDITY, SUBJECT, SPKI, EXTS };
#define PARTS_MAX 40

struct parts {
	struct bytes v[PARTS_MAX];
	size_t n;
};

static struct parts
split(struct bytes content)
{
	struct parts p = { .n = 0 };
	struct der d = der_of(content);
	while (!d.bad && der_peek(&d) != 0 && p.n < PARTS_MAX)
		p.v[p.n++] = der_element(&d);
	assert_false(d.bad);
	return p;
}

static struct bytes
inside(struct bytes element)
{
	struct der d = der_of(element);
	return der_get(&d, der_peek(&d));
}

static struct bytes
join(struct world *w, uint8_t tag, const struct parts *p)
{
	uint8_t room[8192];
	struct der_w out = der_w_of(room, sizeof(room));
	size_t mark = der_mark(&out);
	struct bytes whole;
	for (size_t i = p->n; i-- > 0;)
		der_raw(&out, p->v[i]);
	der_wrap(&out, tag, mark);
	OK(der_w_end(&out, &whole, e));
	return arena_copy(w->a, whole);
}

static struct bytes
element(struct world *w, uint8_t tag, const char *content, size_t len)
{
	struct parts one = { { bytes_of(content, len) }, 1 };
	return join(w, tag, &one);
}

static void
set_tbs(struct world *w, struct wish *x, struct bytes tbs)
{
	x->tbs = tbs;
	x->container =
	    world_throwaway(w, tbs, key_type_sigalg(x->spec.issuer_type));
}

static void
set_part(struct world *w, struct wish *x, enum part which, struct bytes part)
{
	struct parts p = split(inside(x->tbs));
	p.v[which] = part;
	set_tbs(w, x, join(w, DER_SEQUENCE, &p));
}

static struct parts
extensions(const struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	return split(inside(inside(p.v[EXTS])));
}

static void
set_extensions(struct world *w, struct wish *x, const struct parts *exts)
{
	struct parts one = { { join(w, DER_SEQUENCE, exts) }, 1 };
	set_part(w, x, EXTS, join(w, DER_CONTEXT_CONS(3), &one));
}

static void
add_extension(struct world *w, struct wish *x, const char *der, size_t len)
{
	struct parts exts = extensions(x);
	exts.v[exts.n++] = bytes_of(der, len);
	set_extensions(w, x, &exts);
}

/* --- Serials ----------------------------------------------------------------------- */

static void
x_serial_negative(struct world *w, struct wish *x)
{
	set_part(w, x, SERIAL,
	    element(w, DER_INTEGER, "\x80zzzzzzzzzzzzzzz", 16));
}

static void
x_serial_zero(struct world *w, struct wish *x)
{
	set_part(w, x, SERIAL, element(w, DER_INTEGER, "\0", 1));
}

static void
x_serial_21(struct world *w, struct wish *x)
{
	set_part(w, x, SERIAL,
	    element(w, DER_INTEGER, "\x5azzzzzzzzzzzzzzzzzzzz", 21));
}

static void
x_serial_short(struct world *w, struct wish *x)
{
	set_part(w, x, SERIAL, element(w, DER_INTEGER, "\x5azzzzzzz", 8));
}

static void
x_serial_padded(struct world *w, struct wish *x)
{
	set_part(w, x, SERIAL,
	    element(w, DER_INTEGER, "\0\x5azzzzzzzzzzzzzzzzzz", 20));
}

/* --- Version and algorithm ------------------------------------------------------------ */

static void
x_version_1(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	memmove(&p.v[0], &p.v[1], --p.n * sizeof(p.v[0]));
	set_tbs(w, x, join(w, DER_SEQUENCE, &p));
}

static void
x_version_2(struct world *w, struct wish *x)
{
	set_part(w, x, VERSION,
	    element(w, DER_CONTEXT_CONS(0), "\x02\x01\x01", 3));
}

#define ECDSA_SHA1 "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"
#define RSA_SHA1   "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"

static void
x_sha1_inside(struct world *w, struct wish *x)
{
	set_part(w, x, SIGALG, bytes_of(ECDSA_SHA1, 11));
}

static void
x_sha1(struct world *w, struct wish *x)
{
	set_part(w, x, SIGALG, bytes_of(ECDSA_SHA1, 11));
	x->container = world_throwaway(w, x->tbs, bytes_of(ECDSA_SHA1, 11));
}

static void
x_rsa_sha1(struct world *w, struct wish *x)
{
	set_part(w, x, SIGALG, bytes_of(RSA_SHA1, 15));
	x->container = world_throwaway(w, x->tbs, bytes_of(RSA_SHA1, 15));
}

static void
x_algorithm_parameters(struct world *w, struct wish *x)
{
	static const char with_null[] =
	    "\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00";
	set_part(w, x, SIGALG, bytes_of(with_null, 14));
	x->container = world_throwaway(w, x->tbs, bytes_of(with_null, 14));
}

static void
x_sha384(struct world *w, struct wish *x)
{
	set_part(w, x, SIGALG, key_type_sigalg(KEY_EC_P384));
	x->container = world_throwaway(w, x->tbs, key_type_sigalg(KEY_EC_P384));
}

/* --- Octets that two parsers read in two ways ------------------------------------------- */

/* One octet more for the length than it needs. */
static struct bytes
long_length(struct world *w, struct bytes whole)
{
	struct bytes content = inside(whole);
	uint8_t *p = arena_get(w->a, content.len + 5);
	p[0] = whole.p[0];
	p[1] = 0x83;
	p[2] = 0;
	p[3] = (uint8_t)(content.len >> 8);
	p[4] = (uint8_t)content.len;
	memcpy(p + 5, content.p, content.len);
	return bytes_of(p, content.len + 5);
}

static void
x_long_length(struct world *w, struct wish *x)
{
	set_tbs(w, x, long_length(w, x->tbs));
}

static void
x_long_length_inside(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	set_part(w, x, SUBJECT, long_length(w, p.v[SUBJECT]));
}

static void
x_indefinite(struct world *w, struct wish *x)
{
	struct bytes content = inside(x->tbs);
	uint8_t *p = arena_get(w->a, content.len + 4);
	p[0] = DER_SEQUENCE;
	p[1] = 0x80;
	memcpy(p + 2, content.p, content.len);
	p[content.len + 2] = p[content.len + 3] = 0;
	set_tbs(w, x, bytes_of(p, content.len + 4));
}

static void
x_trailing(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	p.v[p.n++] = bytes_of("\x05\x00", 2);
	set_tbs(w, x, join(w, DER_SEQUENCE, &p));
}

static void
x_two_bodies(struct world *w, struct wish *x)
{
	struct parts p = { { x->tbs, x->tbs }, 2 };
	set_tbs(w, x, join(w, DER_SEQUENCE, &p));
}

static void
x_unique_id(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	p.v[p.n++] = p.v[EXTS];
	p.v[EXTS] = bytes_of("\x81\x02\x00\x01", 4);
	set_tbs(w, x, join(w, DER_SEQUENCE, &p));
}

/* UTCTime is for years before 2050 alone, and GeneralizedTime for the rest. */
static void
x_generalized(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	struct parts times = split(inside(p.v[VALIDITY]));
	times.v[1] = element(w, 0x18, "20280101000000Z", 15);
	set_part(w, x, VALIDITY, join(w, DER_SEQUENCE, &times));
}

static void
x_no_seconds(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	struct parts times = split(inside(p.v[VALIDITY]));
	times.v[1] = element(w, 0x17, "2801010000Z", 11);
	set_part(w, x, VALIDITY, join(w, DER_SEQUENCE, &times));
}

static void
x_for_ever(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	struct parts times = split(inside(p.v[VALIDITY]));
	times.v[1] = element(w, 0x18, "99991231235959Z", 15);
	set_part(w, x, VALIDITY, join(w, DER_SEQUENCE, &times));
}

static void
b_container_long_length(struct world *w, struct wish *x)
{
	x->container = long_length(w, x->container);
}

/* A second certificate behind the first, in the same octets. */
static void
b_container_twice(struct world *w, struct wish *x)
{
	uint8_t *p = arena_get(w->a, 2 * x->container.len);
	memcpy(p, x->container.p, x->container.len);
	memcpy(p + x->container.len, x->container.p, x->container.len);
	x->container = bytes_of(p, 2 * x->container.len);
}

static void
b_container_only_tbs(struct world *w, struct wish *x)
{
	(void)w;
	x->container = x->tbs;
}

static void
b_container_huge(struct world *w, struct wish *x)
{
	uint8_t *p = arena_get(w->a, 60000);
	memset(p, 0x30, 60000);
	x->container = bytes_of(p, 60000);
}

/* --- Extensions ------------------------------------------------------------------------------ */

static void
x_twice(struct world *w, struct wish *x)
{
	struct parts exts = extensions(x);
	exts.v[exts.n++] = exts.v[0];
	set_extensions(w, x, &exts);
}

static void
x_unknown_critical(struct world *w, struct wish *x)
{
	/* 2.5.29.99, critical */
	add_extension(w, x,
	    "\x30\x0c\x06\x03\x55\x1d\x63\x01\x01\xff\x04\x02\x05\x00", 14);
}

static void
x_unknown(struct world *w, struct wish *x)
{
	add_extension(w, x, "\x30\x09\x06\x03\x55\x1d\x63\x04\x02\x05\x00", 11);
}

static void
x_boolean_1(struct world *w, struct wish *x)
{
	add_extension(w, x,
	    "\x30\x0c\x06\x03\x55\x1d\x63\x01\x01\x01\x04\x02\x05\x00", 14);
}

static void
x_critical_false(struct world *w, struct wish *x)
{
	add_extension(w, x,
	    "\x30\x0c\x06\x03\x55\x1d\x63\x01\x01\x00\x04\x02\x05\x00", 14);
}

/* nameConstraints, policyMappings and policyConstraints are for CAs. */
static void
x_policy_constraints(struct world *w, struct wish *x)
{
	add_extension(w, x,
	    "\x30\x0f\x06\x03\x55\x1d\x24\x01\x01\xff\x04\x05\x30\x03\x80\x01"
	    "\x00",
	    17);
}

static void
x_inhibit_any(struct world *w, struct wish *x)
{
	add_extension(w, x,
	    "\x30\x0d\x06\x03\x55\x1d\x36\x01\x01\xff\x04\x03\x02\x01\x00", 15);
}

static void
x_sct_poison(struct world *w, struct wish *x)
{
	add_extension(w, x,
	    "\x30\x13\x06\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03\x01\x01"
	    "\xff\x04\x02\x05\x00",
	    21);
}

static void
without(struct world *w, struct wish *x, enum pkix_oid which)
{
	struct parts exts = extensions(x), kept = { .n = 0 };
	for (size_t i = 0; i < exts.n; i++) {
		struct parts in = split(inside(exts.v[i]));
		if (!bytes_eq(inside(in.v[0]), oid_known(which)))
			kept.v[kept.n++] = exts.v[i];
	}
	assert_int_equal(kept.n, exts.n - 1);
	set_extensions(w, x, &kept);
}

static void
x_no_usage(struct world *w, struct wish *x)
{
	without(w, x, OID_EXT_KEY_USAGE);
}

static void
x_no_authority_key(struct world *w, struct wish *x)
{
	without(w, x, OID_EXT_AKI);
}

static void
x_no_extensions(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	p.n--;
	set_tbs(w, x, join(w, DER_SEQUENCE, &p));
}

/* anyExtendedKeyUsage: every purpose there is. */
static void
x_any_purpose(struct world *w, struct wish *x)
{
	without(w, x, OID_EXT_EKU);
	add_extension(w, x,
	    "\x30\x0f\x06\x03\x55\x1d\x25\x04\x08\x30\x06\x06\x04\x55\x1d\x25"
	    "\x00",
	    17);
}

/* --- Names ------------------------------------------------------------------------------------ */

static void
x_empty_subject(struct world *w, struct wish *x)
{
	set_part(w, x, SUBJECT, bytes_of("\x30\x00", 2));
}

static void
x_two_holders(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	struct parts names = split(inside(p.v[SUBJECT]));
	/* A second serialNumber, of another person. */
	names.v[names.n++] =
	    bytes_of("\x31\x0d\x30\x0b\x06\x03\x55\x04\x05\x13\x04"
		     "14-0",
		15);
	set_part(w, x, SUBJECT, join(w, DER_SEQUENCE, &names));
}

static void
x_zero_in_name(struct world *w, struct wish *x)
{
	struct parts p = split(inside(x->tbs));
	struct parts names = split(inside(p.v[SUBJECT]));
	names.v[names.n - 1] =
	    bytes_of("\x31\x0e\x30\x0c\x06\x03\x55\x04\x03\x0c\x05"
		     "Ana\0o",
		16);
	set_part(w, x, SUBJECT, join(w, DER_SEQUENCE, &names));
}

/* clang-format off */
static const struct attempt rows[] = {
	{ "negative serial", .edit = x_serial_negative, .id = "cert-serial" },
	{ "serial zero", .edit = x_serial_zero, .id = "cert-serial" },
	{ "serial of 21 octets", .edit = x_serial_21, .id = "cert-serial" },
	{ "serial of 8 octets", .edit = x_serial_short, .id = "lint-serial-short" },
	{ "serial with a zero before it", .edit = x_serial_padded, .id = "der-integer" },
	{ "version 1", .edit = x_version_1, .id = "cert-version" },
	{ "version 2", .edit = x_version_2, .id = "cert-version" },
	{ "SHA-1 inside, SHA-256 outside", .edit = x_sha1_inside, .id = "cert-algorithm" },
	{ "ECDSA with SHA-1", .edit = x_sha1, .id = "signer-algorithm" },
	{ "RSA with SHA-1", .edit = x_rsa_sha1, .id = "signer-algorithm" },
	{ "ECDSA with parameters", .edit = x_algorithm_parameters, .id = "signer-algorithm" },
	{ "SHA-384 for a P-256 CA", .edit = x_sha384, .id = "signer-algorithm" },
	{ "TBS with a longer length than it needs", .edit = x_long_length, .id = "der-length" },
	{ "subject with a longer length than it needs", .edit = x_long_length_inside, .id = "der-length" },
	{ "TBS of indefinite length", .edit = x_indefinite, .id = "der-length" },
	{ "something behind the extensions", .edit = x_trailing, .id = "cert-form" },
	{ "two bodies in one TBS", .edit = x_two_bodies, .id = "cert-version" },
	{ "issuerUniqueID", .edit = x_unique_id, .id = "cert-form" },
	{ "GeneralizedTime before 2050", .edit = x_generalized, .id = "lint-time-form" },
	{ "UTCTime without seconds", .edit = x_no_seconds, .id = "cert-form" },
	{ "valid until the year 9999", .edit = x_for_ever, .id = "signer-outlives-ca" },
	{ "container with a longer length than it needs", .bytes = b_container_long_length, .id = "der-length" },
	{ "two containers, one after the other", .bytes = b_container_twice, .id = "der-trailing" },
	{ "the TBS without a container", .bytes = b_container_only_tbs, .id = "cert-form" },
	{ "container of 60,000 octets", .bytes = b_container_huge, .id = "cert-size" },
	{ "an extension twice", .edit = x_twice, .id = "cert-ext-twice" },
	{ "unknown critical extension", .edit = x_unknown_critical, .id = "lint-critical" },
	{ "unknown extension", .edit = x_unknown, .id = "lint-extension" },
	{ "BOOLEAN that is neither 00 nor FF", .edit = x_boolean_1, .id = "der-boolean" },
	{ "a default that is written", .edit = x_critical_false, .id = "cert-form" },
	{ "policyConstraints for a holder", .edit = x_policy_constraints, .id = "lint-critical" },
	{ "inhibitAnyPolicy for a holder", .edit = x_inhibit_any, .id = "lint-critical" },
	{ "poison of a precertificate", .edit = x_sct_poison, .id = "signer-extension" },
	{ "no key usage", .edit = x_no_usage, .id = "lint-key-usage-missing" },
	{ "no authority key identifier", .edit = x_no_authority_key, .id = "signer-issuer-key" },
	{ "no extensions at all", .edit = x_no_extensions, .id = "cert-form" },
	{ "anyExtendedKeyUsage", .edit = x_any_purpose, .id = "lint-eku-any" },
	{ "empty subject", .edit = x_empty_subject, .id = "lint-name-missing" },
	{ "two holders in one subject", .edit = x_two_holders, .id = "lint-name-twice" },
	{ "NUL inside a name", .edit = x_zero_in_name, .id = "lint-name-control" },
};
/* clang-format on */

const struct attempt *
octet_attempts(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}
