/*
 * Making CMS evidence: SignedData version 1, detached, four signed
 * attributes, one certificate.
 */
#include "internal.h"

/* clang-format off */
#define PKCS7 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07
#define PKCS9 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09
static const uint8_t oid_signed_data[] = { PKCS7, 0x02 };
static const uint8_t oid_data[] = { PKCS7, 0x01 };
static const uint8_t oid_content_type[] = { PKCS9, 0x03 };
static const uint8_t oid_message_digest[] = { PKCS9, 0x04 };
static const uint8_t oid_signing_time[] = { PKCS9, 0x05 };
static const uint8_t oid_signing_cert_v2[] = { 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f };
/* clang-format on */

#define RAW(w, a) der_raw(w, bytes_of(a, sizeof(a)))

/* Closes the one value since mark into an attribute of this type. */
static void
wrap_attr(struct der_w *w, struct bytes oid, size_t mark)
{
	der_wrap(w, DER_SET, mark);
	der_raw(w, oid);
	der_wrap(w, DER_SEQUENCE, mark);
}

/* issuerSerial of RFC 5035: the issuer as GeneralNames. */
static void
put_issuer_serial(struct der_w *w, const struct cert *c)
{
	size_t mark = der_mark(w), names;

	der_put_integer(w, c->serial);
	names = der_mark(w);
	der_put(w, DER_CONTEXT_CONS(4), c->issuer);
	der_wrap(w, DER_SEQUENCE, names);
	der_wrap(w, DER_SEQUENCE, mark);
}

/* The certificate's hash is of the kind that the content's is. */
static void
put_ess(struct der_w *w, const struct cert *c, enum hash_alg h,
    struct bytes hash)
{
	size_t mark = der_mark(w);

	put_issuer_serial(w, c);
	der_put(w, DER_OCTET_STRING, hash);
	/* The default must not be written (X.690 11.5). */
	if (h != HASH_SHA256)
		der_raw(w, hash_algid(h));
	der_wrap(w, DER_SEQUENCE, mark); /* ESSCertIDv2 */
	der_wrap(w, DER_SEQUENCE, mark); /* certs */
	der_wrap(w, DER_SEQUENCE, mark); /* SigningCertificateV2 */
	wrap_attr(w, bytes_of(oid_signing_cert_v2, sizeof(oid_signing_cert_v2)),
	    mark);
}

/*
 * The attributes as SET OF.  Their order is that of their lengths, and those
 * of the four are 24, 28, then with SHA-256 47, with SHA-384 63, with SHA-512
 * 79, and of the last at least 12 more than that: it never changes.
 */
static void
put_attrs(struct der_w *w, const struct cert *c, enum hash_alg h,
    struct bytes digest, struct bytes cert_hash, int64_t now)
{
	size_t all = der_mark(w), mark;

	put_ess(w, c, h, cert_hash);
	mark = der_mark(w);
	der_put(w, DER_OCTET_STRING, digest);
	wrap_attr(w, bytes_of(oid_message_digest, sizeof(oid_message_digest)),
	    mark);
	mark = der_mark(w);
	der_put_time(w, now);
	wrap_attr(w, bytes_of(oid_signing_time, sizeof(oid_signing_time)),
	    mark);
	mark = der_mark(w);
	RAW(w, oid_data);
	wrap_attr(w, bytes_of(oid_content_type, sizeof(oid_content_type)),
	    mark);
	der_wrap(w, DER_SET, all);
}

static void
put_signer_info(struct der_w *w, const struct cert *c, enum key_type type,
    enum hash_alg h, struct bytes attrs, struct bytes signature)
{
	size_t mark = der_mark(w), sid;

	der_put(w, DER_OCTET_STRING, signature);
	der_raw(w, key_type_sigalg(type));
	/* The SET OF that was signed becomes [0] IMPLICIT in the file. */
	der_raw(w, attrs);
	if (!w->full)
		w->start[w->at] = DER_CONTEXT_CONS(0);
	der_raw(w, hash_algid(h));
	sid = der_mark(w);
	der_put_integer(w, c->serial);
	der_raw(w, c->issuer);
	der_wrap(w, DER_SEQUENCE, sid);
	der_put_uint(w, 1);
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
put_signed_data(struct der_w *w, const struct cert *c, enum key_type type,
    enum hash_alg h, struct bytes attrs, struct bytes signature)
{
	size_t all = der_mark(w), mark;

	put_signer_info(w, c, type, h, attrs, signature);
	der_wrap(w, DER_SET, all);
	mark = der_mark(w);
	der_raw(w, c->der);
	der_wrap(w, DER_CONTEXT_CONS(0), mark);
	mark = der_mark(w);
	RAW(w, oid_data);
	der_wrap(w, DER_SEQUENCE, mark);
	mark = der_mark(w);
	der_raw(w, hash_algid(h));
	der_wrap(w, DER_SET, mark);
	der_put_uint(w, 1);
	der_wrap(w, DER_SEQUENCE, all);
	der_wrap(w, DER_CONTEXT_CONS(0), all);
	RAW(w, oid_signed_data);
	der_wrap(w, DER_SEQUENCE, all);
}

enum err_code
cms_sign(struct key *key, struct bytes cert_der, struct bytes content,
    int64_t now, struct buf *out, struct err *e)
{
	enum key_type type = key_type(key);
	uint8_t hash[HASH_MAX], cert_hash[HASH_MAX];
	uint8_t attrs_memory[4096], memory[CMS_MAX_BYTES];
	struct der_w w = der_w_of(attrs_memory, sizeof(attrs_memory));
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	enum hash_alg h = key_type_hash(type);
	struct bytes attrs, der;
	struct cert c;

	if (h == HASH_NONE)
		h = CMS_WHOLE_HASH;
	TRY(cert_parse(cert_der, &c, e));
	if (!bytes_eq(c.spki, key_spki(key)))
		return err_at(e, ERR_INVALID, "cms-key-differs", NULL, NOWHERE,
		    "the certificate belongs to another key than the one "
		    "given; give both of the same person");
	TRY(hash_of(h, content, hash, e));
	TRY(hash_of(h, c.der, cert_hash, e));
	put_attrs(&w, &c, h, bytes_of(hash, hash_len(h)),
	    bytes_of(cert_hash, hash_len(h)), now);
	TRY(der_w_end(&w, &attrs, e));
	TRY(key_sign(key, attrs, &sig, e));
	w = der_w_of(memory, sizeof(memory));
	put_signed_data(&w, &c, type, h, attrs, buf_bytes(&sig));
	TRY(der_w_end(&w, &der, e));
	buf_put(out, der.p, der.len);
	return buf_end(out, e);
}

/* --- Certificates alone --------------------------------------------------------- */

/* A SET OF is in the order of its octets (X.690 11.6). */
static void
sort(struct bytes *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct bytes x = v[i];
		size_t k = i;
		for (; k > 0 && bytes_cmp(v[k - 1], x) > 0; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

enum err_code
cms_certificates(struct bytes *der, size_t n, struct buf *out, struct err *e)
{
	size_t size = 256, all, mark;
	for (size_t i = 0; i < n; i++)
		size += der[i].len;
	struct buf memory AUTO_BUF = BUF(size);
	uint8_t *room = buf_room(&memory, size);
	struct bytes whole;
	if (room == NULL)
		return err_nomem(e);
	struct der_w w = der_w_of(room, size);
	sort(der, n);
	all = der_mark(&w);
	der_put(&w, DER_SET, BYTES_NONE);
	mark = der_mark(&w);
	while (n-- > 0)
		der_raw(&w, der[n]);
	der_wrap(&w, DER_CONTEXT_CONS(0), mark);
	mark = der_mark(&w);
	RAW(&w, oid_data);
	der_wrap(&w, DER_SEQUENCE, mark);
	der_put(&w, DER_SET, BYTES_NONE);
	der_put_uint(&w, 1);
	der_wrap(&w, DER_SEQUENCE, all);
	der_wrap(&w, DER_CONTEXT_CONS(0), all);
	RAW(&w, oid_signed_data);
	der_wrap(&w, DER_SEQUENCE, all);
	TRY(der_w_end(&w, &whole, e));
	buf_put(out, whole.p, whole.len);
	return buf_end(out, e);
}
