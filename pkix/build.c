/*
 * Certificates, written from parts.  Everything goes from the end to the
 * front into one piece of memory on the stack: through OpenSSL's objects the
 * same takes ten times as long as the signature.
 */
#include <stdio.h>

#include "internal.h"

#define TBS_MAX     12288
#define NOTICE_MAX  200 /* characters, RFC 5280 4.2.1.4 */
#define SERIAL_MIN  16
#define URL_LEN_MAX 512

/* Writes the extension around what was written since mark. */
static void
wrap_oid(struct der_w *w, struct bytes oid, bool critical, size_t mark)
{
	der_wrap(w, DER_OCTET_STRING, mark);
	/* FALSE is the default and is not written (X.690 11.5). */
	if (critical)
		der_put_bool(w, true);
	der_put_oid(w, oid);
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
wrap_ext(struct der_w *w, enum pkix_oid oid, bool critical, size_t mark)
{
	wrap_oid(w, oid_known(oid), critical, mark);
}

static void
put_nocheck(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w);

	if (!s->nocheck)
		return;
	der_put(w, DER_NULL, BYTES_NONE);
	wrap_ext(w, OID_EXT_NOCHECK, false, mark);
}

static void
put_access(struct der_w *w, enum pkix_oid method, struct bytes url)
{
	size_t mark = der_mark(w);

	if (url.len == 0)
		return;
	der_put(w, DER_CONTEXT(6), url);
	der_put_oid(w, oid_known(method));
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
put_aia(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w);

	if (s->ocsp_url.len == 0 && s->issuer_url.len == 0)
		return;
	put_access(w, OID_AD_CA_ISSUERS, s->issuer_url);
	put_access(w, OID_AD_OCSP, s->ocsp_url);
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_ext(w, OID_EXT_AIA, false, mark);
}

/* One distribution point with one address: cRLDistributionPoints, freshestCRL. */
static void
put_point(struct der_w *w, enum pkix_oid oid, struct bytes url)
{
	size_t mark = der_mark(w);

	if (url.len == 0)
		return;
	der_put(w, DER_CONTEXT(6), url);
	der_wrap(w, DER_CONTEXT_CONS(0), mark);
	der_wrap(w, DER_CONTEXT_CONS(0), mark);
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_ext(w, oid, false, mark);
}

static void
put_names(struct der_w *w, enum pkix_oid oid, const struct general_name *names,
    size_t n)
{
	size_t mark = der_mark(w);

	if (n == 0)
		return;
	while (n-- > 0)
		put_general_name(w, &names[n]);
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_ext(w, oid, false, mark);
}

static void
put_name_constraints(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w);

	if (s->constraints.n_permitted == 0 && s->constraints.n_excluded == 0)
		return;
	put_constraints(w, &s->constraints);
	wrap_ext(w, OID_EXT_CONSTRAINTS, true, mark);
}

static void
put_statements(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w);

	if (!qc_present(&s->qc))
		return;
	put_qc(w, &s->qc);
	wrap_ext(w, OID_EXT_QC, false, mark);
}

static void
put_private(struct der_w *w, const struct cert_spec *s)
{
	size_t n = s->n_private_ext;

	while (n-- > 0) {
		const struct private_ext *x = &s->private_ext[n];
		size_t mark = der_mark(w);

		der_raw(w, x->der);
		wrap_oid(w, oid_bytes(&x->oid), x->critical, mark);
	}
}

static void
put_policy(struct der_w *w, const struct cert_policy *p)
{
	size_t mark = der_mark(w), qualifier;

	if (p->notice.len > 0) {
		qualifier = der_mark(w);
		der_put(w, DER_UTF8_STRING, p->notice);
		der_wrap(w, DER_SEQUENCE, qualifier);
		der_put_oid(w, oid_known(OID_QT_NOTICE));
		der_wrap(w, DER_SEQUENCE, qualifier);
	}
	if (p->cps.len > 0) {
		qualifier = der_mark(w);
		der_put(w, DER_IA5_STRING, p->cps);
		der_put_oid(w, oid_known(OID_QT_CPS));
		der_wrap(w, DER_SEQUENCE, qualifier);
	}
	if (p->notice.len > 0 || p->cps.len > 0)
		der_wrap(w, DER_SEQUENCE, mark);
	der_put_oid(w, oid_bytes(&p->oid));
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
put_policies(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w), n = s->n_policy;

	if (n == 0)
		return;
	while (n-- > 0)
		put_policy(w, &s->policy[n]);
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_ext(w, OID_EXT_POLICIES, false, mark);
}

static void
put_key_ids(struct der_w *w, const struct cert_spec *s,
    const uint8_t id[KEY_ID_LEN])
{
	size_t mark = der_mark(w);

	if (s->issuer_ski.len > 0) {
		der_put(w, DER_CONTEXT(0), s->issuer_ski);
		der_wrap(w, DER_SEQUENCE, mark);
		wrap_ext(w, OID_EXT_AKI, false, mark);
	}
	mark = der_mark(w);
	der_put(w, DER_OCTET_STRING,
	    s->ski.len > 0 ? s->ski : bytes_of(id, KEY_ID_LEN));
	wrap_ext(w, OID_EXT_SKI, false, mark);
}

static void
put_eku(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w), n = s->n_eku;

	if (n == 0)
		return;
	while (n-- > 0)
		der_put_oid(w, oid_known(s->eku[n]));
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_ext(w, OID_EXT_EKU, s->eku_critical, mark);
}

static void
put_key_usage(struct der_w *w, uint16_t usage)
{
	size_t mark = der_mark(w);
	uint8_t bits[2] = { 0, 0 }, unused;
	unsigned i, last = 0;

	if (usage == 0)
		return;
	for (i = 0; i < 9; i++) {
		if ((usage & 1u << i) == 0)
			continue;
		bits[i / 8] |= (uint8_t)(0x80u >> (i % 8));
		last = i;
	}
	unused = (uint8_t)(7 - last % 8);
	der_put_bits(w, unused, bytes_of(bits, last / 8 + 1));
	wrap_ext(w, OID_EXT_KEY_USAGE, true, mark);
}

static void
put_basic(struct der_w *w, const struct cert_spec *s)
{
	size_t mark = der_mark(w);

	if (s->is_ca) {
		if (s->path_len >= 0)
			der_put_uint(w, (uint64_t)s->path_len);
		der_put_bool(w, true);
	}
	der_wrap(w, DER_SEQUENCE, mark);
	wrap_ext(w, OID_EXT_BASIC, true, mark);
}

/* From the last extension to the first. */
static void
put_extensions(struct der_w *w, const struct cert_spec *s,
    const uint8_t id[KEY_ID_LEN])
{
	size_t mark = der_mark(w);

	put_private(w, s);
	put_nocheck(w, s);
	put_statements(w, s);
	put_aia(w, s);
	put_point(w, OID_EXT_FRESHEST, s->freshest_url);
	put_point(w, OID_EXT_CRLDP, s->crl_url);
	put_name_constraints(w, s);
	put_names(w, OID_EXT_IAN, s->ian, s->n_ian);
	put_names(w, OID_EXT_SAN, s->san, s->n_san);
	put_policies(w, s);
	put_key_ids(w, s, id);
	put_eku(w, s);
	put_key_usage(w, s->key_usage);
	put_basic(w, s);
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_CONTEXT_CONS(3), mark);
}

static enum err_code
bad_part(const char *part, struct err *e)
{
	return err_at(e, ERR_INVALID, "spec-part", "RFC 5280 4.1",
	    at_field(part),
	    "no certificate can be built: its %s is missing, too long or "
	    "malformed",
	    part);
}

static bool
text_fits(struct bytes b, size_t max)
{
	return b.len <= max && (b.len == 0 || ascii_printable(b));
}

static enum err_code
check_names(const struct general_name *names, size_t n, const char *part,
    struct err *e)
{
	size_t i;

	if (n > SPEC_NAMES_MAX)
		return bad_part(part, e);
	for (i = 0; i < n; i++) {
		if (!general_name_fits(&names[i]))
			return bad_part(part, e);
	}
	return ERR_OK;
}

static enum err_code
check_subtrees(const struct general_name *names, size_t n, struct err *e)
{
	size_t i;

	if (n > SPEC_SUBTREES_MAX)
		return bad_part("nameConstraints", e);
	for (i = 0; i < n; i++)
		TRY(subtree_check(&names[i], e));
	return ERR_OK;
}

static enum err_code
check_private(const struct cert_spec *s, struct err *e)
{
	struct err inner;
	size_t i, k;

	if (s->n_private_ext > SPEC_PRIVATE_MAX)
		return bad_part("extensions", e);
	for (i = 0; i < s->n_private_ext; i++) {
		const struct private_ext *x = &s->private_ext[i];
		struct bytes oid = oid_bytes(&x->oid);
		bool good =
		    ext_is_private(oid) && der_strict(x->der, &inner) == ERR_OK;

		for (k = 0; k < i; k++)
			good &=
			    !bytes_eq(oid, oid_bytes(&s->private_ext[k].oid));
		if (!good)
			return err_at(e, ERR_INVALID, "spec-private",
			    "RFC 5280 4.2", at_field("extensions"),
			    "a private extension stands twice, is not one "
			    "element in DER, or has an identifier of X.509 or "
			    "PKIX; use one below an arc of your own");
	}
	return ERR_OK;
}

static enum err_code
check_policies(const struct cert_spec *s, struct err *e)
{
	size_t i;

	if (s->n_policy > SPEC_POLICIES_MAX)
		return bad_part("certificatePolicies", e);
	for (i = 0; i < s->n_policy; i++) {
		const struct cert_policy *p = &s->policy[i];

		if (p->oid.len == 0 || !text_fits(p->cps, URL_LEN_MAX))
			return bad_part("certificatePolicies", e);
		if (p->notice.len > 0 &&
		    (!utf8_valid(p->notice) ||
			utf8_count(p->notice) > NOTICE_MAX))
			return err_at(e, ERR_INVALID, "spec-notice",
			    "RFC 5280 4.2.1.4", at_field("certificatePolicies"),
			    "the explicit text of the policy is not UTF-8 or "
			    "longer than 200 characters");
	}
	return ERR_OK;
}

static enum err_code
check_serial(struct bytes serial, struct err *e)
{
	/*
	 * 20 octets with the top bit set take 21 as an INTEGER.  Whoever drew
	 * them settles that on the whole number; no bit is forced here.
	 */
	if (serial.len < SERIAL_MIN || serial.len > SERIAL_MAX ||
	    serial.p[0] == 0 ||
	    (serial.len == SERIAL_MAX && serial.p[0] >= 0x80))
		return err_at(e, ERR_INVALID, "spec-serial", "RFC 5280 4.1.2.2",
		    at_field("serialNumber"),
		    "the serial number is not a positive number of 16 to 20 "
		    "octets below 2^159");
	return ERR_OK;
}

static enum err_code
check_spec(const struct cert_spec *s, struct err *e)
{
	TRY(check_serial(s->serial, e));
	if (s->issuer.len > NAME_DER_MAX || !name_valid(s->issuer))
		return bad_part("issuer", e);
	if (s->subject.len > NAME_DER_MAX || !name_valid(s->subject))
		return bad_part("subject", e);
	if (s->not_after < s->not_before)
		return err_at(e, ERR_INVALID, "spec-validity",
		    "RFC 5280 4.1.2.5", at_field("validity"),
		    "the certificate would end before it begins");
	if (s->issuer_ski.len > 64)
		return bad_part("authorityKeyIdentifier", e);
	if (s->key_usage >= 1u << 9)
		return bad_part("keyUsage", e);
	if (s->n_eku > SPEC_EKUS_MAX)
		return bad_part("extKeyUsage", e);
	TRY(check_names(s->san, s->n_san, "subjectAltName", e));
	TRY(check_names(s->ian, s->n_ian, "issuerAltName", e));
	if (!text_fits(s->crl_url, URL_LEN_MAX))
		return bad_part("cRLDistributionPoints", e);
	/* Deltas are of a list that the certificate names. */
	if (!text_fits(s->freshest_url, URL_LEN_MAX) ||
	    (s->freshest_url.len > 0 && s->crl_url.len == 0))
		return bad_part("freshestCRL", e);
	if (!text_fits(s->ocsp_url, URL_LEN_MAX) ||
	    !text_fits(s->issuer_url, URL_LEN_MAX))
		return bad_part("authorityInfoAccess", e);
	TRY(check_policies(s, e));
	/* Only what a CA signs can be constrained (RFC 5280 4.2.1.10). */
	if (!s->is_ca &&
	    (s->constraints.n_permitted > 0 || s->constraints.n_excluded > 0))
		return bad_part("nameConstraints", e);
	TRY(check_subtrees(s->constraints.permitted, s->constraints.n_permitted,
	    e));
	TRY(check_subtrees(s->constraints.excluded, s->constraints.n_excluded,
	    e));
	TRY(qc_check(&s->qc, e));
	return check_private(s, e);
}

enum err_code
cert_build_tbs(const struct cert_spec *spec, struct buf *tbs, struct err *e)
{
	uint8_t memory[TBS_MAX], id[KEY_ID_LEN];
	struct der_w w = der_w_of(memory, sizeof(memory));
	size_t all = der_mark(&w), part;
	struct bytes der;

	TRY(check_spec(spec, e));
	TRY(spki_key_id(spec->spki, id, e));
	put_extensions(&w, spec, id);
	der_raw(&w, spec->spki);
	der_raw(&w, spec->subject);
	part = der_mark(&w);
	der_put_time(&w, spec->not_after);
	der_put_time(&w, spec->not_before);
	der_wrap(&w, DER_SEQUENCE, part);
	der_raw(&w, spec->issuer);
	der_raw(&w, key_type_sigalg(spec->issuer_type));
	der_put_integer(&w, spec->serial);
	part = der_mark(&w);
	der_put_uint(&w, 2);
	der_wrap(&w, DER_CONTEXT_CONS(0), part);
	der_wrap(&w, DER_SEQUENCE, all);
	TRY(der_w_end(&w, &der, e));
	buf_put(tbs, der.p, der.len);
	return buf_end(tbs, e);
}

/* Tag and length in front of len octets of content. */
static void
put_head(struct buf *out, uint8_t tag, size_t len)
{
	uint8_t memory[8];
	struct der_w w = der_w_of(memory, sizeof(memory));
	size_t rest;
	uint8_t octets = 0;

	buf_putc(out, tag);
	if (len < 0x80) {
		buf_putc(out, (uint8_t)len);
		return;
	}
	for (rest = len; rest > 0; rest >>= 8) {
		w.start[--w.at] = (uint8_t)rest;
		octets++;
	}
	buf_putc(out, 0x80u | octets);
	buf_put(out, w.start + w.at, octets);
}

static size_t
whole_len(size_t content)
{
	size_t n = content + 2, rest;

	if (content < 0x80)
		return n;
	for (rest = content; rest > 0; rest >>= 8)
		n++;
	return n;
}

enum err_code
signed_assemble(struct bytes tbs, struct bytes sigalg, struct bytes signature,
    struct buf *out, struct err *e)
{
	/* Forwards, since a CRL is too large for a second copy of it. */
	put_head(out, DER_SEQUENCE,
	    tbs.len + sigalg.len + whole_len(signature.len + 1));
	buf_put(out, tbs.p, tbs.len);
	buf_put(out, sigalg.p, sigalg.len);
	put_head(out, DER_BIT_STRING, signature.len + 1);
	buf_putc(out, 0);
	buf_put(out, signature.p, signature.len);
	return buf_end(out, e);
}

enum err_code
unsigned_assemble(struct bytes tbs, struct bytes sigalg, struct buf *out,
    struct err *e)
{
	static const uint8_t nobody[8];

	return signed_assemble(tbs, sigalg, bytes_of(nobody, sizeof(nobody)),
	    out, e);
}
