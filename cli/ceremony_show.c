/* ceremony_show - a ceremony as people read it: before they sign, and after. */
#include <string.h>

#include "ceremony.h"

#define LABEL 12 /* characters, not octets */

static void
put_label(struct buf *out, const char *what)
{
	size_t n = utf8_count(bytes_str(what));
	buf_putf(out, "  %s%*s", what, n < LABEL ? (int)(LABEL - n) : 1, "");
}

static void
put_text(struct buf *out, const char *what, const char *text)
{
	put_label(out, what);
	buf_putf(out, "%s\n", text);
}

static void
put_hash(struct buf *out, const char *what, const uint8_t hash[SHA256_LEN])
{
	char hex[HEX_LEN(SHA256_LEN)];
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	put_label(out, what);
	buf_putf(out, "SHA-256 %s\n", hex);
}

/* For the two that are compared aloud; they stand for all the others. */
static void
put_words(struct buf *out, const uint8_t hash[SHA256_LEN])
{
	put_label(out, "");
	speak_hash(hash, out);
	buf_putc(out, '\n');
}

static void
put_hash_of(struct buf *out, const char *what, struct bytes b)
{
	uint8_t hash[SHA256_LEN];
	sha256(hash, b);
	put_hash(out, what, hash);
}

static void
put_name(struct buf *out, const char *what, struct bytes name)
{
	char text[600];
	name_print(text, sizeof(text), name);
	put_text(out, what, text);
}

static void
put_times(struct buf *out, const char *what, int64_t from, int64_t to)
{
	char a[TIME_TEXT], b[TIME_TEXT];
	time_print(a, from);
	time_print(b, to);
	put_label(out, what);
	buf_putf(out, "%s – %s\n", a, b);
}

/* The names in a sequence of GeneralSubtree or GeneralName, as far as people
 * need them to compare. */
static void
put_general_names(struct buf *out, const char *what, struct bytes content,
    bool is_subtree)
{
	struct der d = der_of(content);
	char text[600];
	while (d.p < d.end && !d.bad) {
		struct der in = d;
		if (is_subtree)
			in = der_enter(&d, DER_SEQUENCE);
		general_name_print(text, sizeof(text), der_element(&in));
		put_text(out, what, text);
		if (!is_subtree)
			d = in;
	}
}

static void
put_constraints(struct cli *c, struct buf *out, const struct cert *cert)
{
	const struct cert_ext *x = cert_find_ext(cert, OID_EXT_CONSTRAINTS);
	const struct cert_ext *san = cert_find_ext(cert, OID_EXT_SAN);
	struct bytes content;
	if (san != NULL) {
		struct der d = der_of(san->value);
		put_general_names(out, SAY(c, "also", "también"),
		    der_get(&d, DER_SEQUENCE), false);
	}
	if (x == NULL) {
		put_text(out, SAY(c, "names", "nombres"),
		    SAY(c, "any: no name constraints",
			"cualquiera: sin restricciones"));
		return;
	}
	struct der d = der_of(x->value), in = der_enter(&d, DER_SEQUENCE);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &content))
		put_general_names(out, SAY(c, "only", "sólo"), content, true);
	if (der_optional(&in, DER_CONTEXT_CONS(1), &content))
		put_general_names(out, SAY(c, "never", "nunca"), content, true);
}

static void
tell_certificate(struct cli *c, const struct cert *cert, struct buf *out)
{
	char serial[HEX_LEN(SERIAL_MAX)];
	enum key_type type;
	struct err ignored;
	hex_print(serial, cert->serial);
	put_name(out, SAY(c, "subject", "titular"), cert->subject);
	put_text(out, SAY(c, "serial", "serie"), serial);
	if (spki_check(cert->spki, &type, &ignored) == ERR_OK)
		put_text(out, SAY(c, "key", "llave"), key_type_name(type));
	put_times(out, SAY(c, "valid", "vigencia"), cert->not_before,
	    cert->not_after);
	if (cert->path_len > 0) {
		put_label(out, SAY(c, "CAs below", "CA debajo"));
		buf_putf(out, "%d\n", cert->path_len);
	}
	put_constraints(c, out, cert);
	put_hash_of(out, SAY(c, "its key", "su llave"), cert->spki);
}

static void
tell_list(struct cli *c, const struct crl *crl, struct buf *out)
{
	struct crl_cursor at = { 0 };
	struct crl_entry entry;
	size_t n = 0;
	put_label(out, SAY(c, "number", "número"));
	buf_putf(out, "%llu\n", (unsigned long long)crl->number);
	put_times(out, SAY(c, "valid", "vigencia"), crl->this_update,
	    crl->next_update);
	while (crl_next(crl, &at, &entry)) {
		char serial[HEX_LEN(SERIAL_MAX)], when[TIME_TEXT];
		const char *reason = crl_reason_name(entry.reason);
		hex_print(serial, entry.serial);
		time_print(when, entry.revoked_at);
		put_label(out, SAY(c, "revoked", "revocado"));
		buf_putf(out, "%s %s %s\n", serial, when,
		    reason == NULL ? "" : reason);
		n++;
	}
	if (n == 0)
		put_text(out, SAY(c, "revoked", "revocado"),
		    SAY(c, "none", "ninguno"));
}

static void
tell_objects(const struct ceremony_run *r, struct buf *out)
{
	struct cli *c = r->c;
	const struct ceremony_statement *st = &r->file.is;
	for (size_t i = 0; i < st->n; i++) {
		bool is_list = st->object[i].kind == CEREMONY_CRL;
		buf_putf(out, "\n%zu/%zu %s %.*s\n", i + 1, st->n,
		    is_list ? "CRL"
		    : st->object[i].kind == CEREMONY_CROSS
			? SAY(c, "cross-certificate", "certificado cruzado")
			: SAY(c, "certificate", "certificado"),
		    BYTES_FMT(st->object[i].name));
		if (st->object[i].replaces.len > 0) {
			put_label(out, SAY(c, "new key", "llave nueva"));
			buf_putf(out, "%s %.*s\n",
			    SAY(c, "of the CA", "de la CA"),
			    BYTES_FMT(st->object[i].replaces));
		}
		if (is_list)
			tell_list(c, &r->object[i].crl, out);
		else
			tell_certificate(c, &r->object[i].cert, out);
		put_hash(out, "TBS", st->object[i].tbs_sha256.p);
		if (r->file.is_answer)
			put_hash_of(out, SAY(c, "signed", "firmado"),
			    r->object[i].der);
	}
}

/* Those whose signatures come with a request. */
static void
tell_people(const struct ceremony_run *r, struct buf *out)
{
	struct cli *c = r->c;
	if (r->file.is_answer)
		return;
	for (size_t i = 0; i < r->file.n_evidence; i++) {
		struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct cms cms;
		struct err ignored;
		if (cms_parse(r->file.evidence[i], &scratch, &cms, &ignored) !=
		    ERR_OK)
			continue;
		put_name(out, SAY(c, "officer", "oficial"), cms.signer.subject);
		put_hash_of(out, SAY(c, "their key", "su llave"),
		    cms.signer.spki);
	}
	if (r->quorum > 0) {
		put_label(out, SAY(c, "quorum", "quórum"));
		buf_putf(out, "%zu/%lld\n", r->people, (long long)r->quorum);
	} else if (r->file.n_evidence == 0) {
		put_text(out, SAY(c, "officers", "oficiales"),
		    SAY(c, "none has signed", "no ha firmado ninguno"));
	}
}

void
ceremony_tell(const struct ceremony_run *r, struct buf *out)
{
	struct cli *c = r->c;
	const struct ceremony_statement *st = &r->file.is;
	uint8_t hash[SHA256_LEN];
	buf_putf(out, "%s %.*s · %.*s\n",
	    r->file.is_answer
		? SAY(c, "Answer of the ceremony", "Respuesta de la ceremonia")
		: SAY(c, "Request of the ceremony",
		      "Solicitud de la ceremonia"),
	    BYTES_FMT(st->id), BYTES_FMT(st->origin));
	put_name(out, SAY(c, "root", "raíz"), r->root.subject);
	put_hash(out, "", st->root_sha256.p);
	put_words(out, st->root_sha256.p);
	put_label(out, SAY(c, "asked by", "pide"));
	buf_putf(out, "RUN %.*s\n", BYTES_FMT(st->proposed_by));
	put_times(out, SAY(c, "usable", "se usa"), st->issued, st->expires);
	sha256(hash, r->file.statement);
	put_hash(out, SAY(c, "statement", "declaración"), hash);
	put_words(out, hash);
	tell_people(r, out);
	tell_objects(r, out);
}
