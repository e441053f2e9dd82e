/*
 * ceremony_text - what officers sign, as a sentence in Spanish and the same in
 * English.  Core writes the Spanish one into the statement; whoever shows a
 * statement writes both anew, from what it names by its hash.
 */
#include <string.h>

#include <refrendo/policy.h>

#include "statement.h"

#define NAMES_MAX 8   /* of one kind of constraint, written out */
#define ONE_NAME  256 /* octets of one of these */

struct teller {
	const struct ceremony_statement *s;
	const struct ceremony_told *t;
	bool spanish;
	struct buf *out;
};

static void
say(struct teller *w, const char *es, const char *en)
{
	buf_puts(w->out, w->spanish ? es : en);
}

static void
say_bytes(struct teller *w, struct bytes b)
{
	buf_put(w->out, b.p, b.len);
}

static void
say_name(struct teller *w, struct bytes name)
{
	char text[600];
	name_print(text, sizeof(text), name);
	buf_puts(w->out, text);
}

static void
say_hex(struct teller *w, struct bytes b)
{
	char hex[HEX_LEN(HASH_LEN)];
	hex_print(hex, b);
	buf_puts(w->out, hex);
}

static void
say_times(struct teller *w, int64_t from, int64_t to)
{
	char a[TIME_TEXT], b[TIME_TEXT];
	time_print(a, from);
	time_print(b, to);
	say(w, " desde ", " from ");
	buf_puts(w->out, a);
	say(w, " hasta ", " to ");
	buf_puts(w->out, b);
}

/* The algorithm stands in the TBS too, after version and serial number. */
enum err_code
cert_tbs_parse(struct bytes tbs, struct arena *a, struct cert *out,
    struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES + 64);
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	(void)der_element(&in);
	(void)der_element(&in);
	TRY(unsigned_assemble(tbs, der_element(&in), &der, e));
	return cert_parse(arena_copy(a, buf_bytes(&der)), out, e);
}

/* --- Certificates -------------------------------------------------------------- */

static void
tell_ca(struct teller *w, const struct cert *c)
{
	struct bytes rut, replaces = w->s->object[0].replaces;
	bool is_bound = cert_rut(c, &rut);

	say(w, "Autorizo que la raíz firme el certificado de la ",
	    "I authorise the root to sign the certificate of the ");
	if (replaces.len > 0) {
		say(w, "nueva llave ", "new key ");
		say_bytes(w, w->s->object[0].name);
		say(w, " de la emisora ", " of the CA ");
		say_bytes(w, replaces);
		say(w,
		    ", que desde entonces no firma más certificados con la "
		    "anterior",
		    ", which from then on signs no more certificates with the "
		    "one before");
	} else {
		say(w, is_bound ? "emisora " : "emisora compartida ",
		    is_bound ? "CA " : "shared CA ");
		say_bytes(w, w->s->object[0].name);
	}
	if (is_bound) {
		say(w, ", para la institución de RUT ",
		    ", for the institution with RUT ");
		say_bytes(w, rut);
		say(w, " y ninguna otra", " and no other");
	} else if (replaces.len > 0) {
		say(w, ", compartida por las instituciones",
		    ", shared by institutions");
	}
	say(w, ", con el titular ", ", with the subject ");
	say_name(w, c->subject);
	say(w, ", vigente", ", valid");
	say_times(w, c->not_before, c->not_after);
	buf_putc(w->out, '.');
}

/* GeneralSubtrees (RFC 5280 4.2.1.10), as many as a sentence bears. */
static void
say_subtrees(struct teller *w, struct bytes subtrees)
{
	struct der d = der_of(subtrees);
	size_t n = 0;

	for (; der_peek(&d) != 0 && !d.bad; n++) {
		struct der one = der_enter(&d, DER_SEQUENCE);
		char text[ONE_NAME];
		if (n >= NAMES_MAX)
			continue;
		buf_puts(w->out, n > 0 ? ", " : "");
		general_name_print(text, sizeof(text), der_element(&one));
		buf_puts(w->out, text);
	}
	if (n <= NAMES_MAX)
		return;
	say(w, " y otros ", " and others, ");
	buf_putf(w->out, "%zu", n - NAMES_MAX);
}

static void
say_limits(struct teller *w, const struct cert *c)
{
	const struct cert_ext *x = cert_find_ext(c, OID_EXT_CONSTRAINTS);
	struct bytes subtrees;

	say(w, "niveles de CA debajo: ", "levels of CAs below: ");
	buf_putf(w->out, "%d", c->path_len);
	say(w, "; nombres: ", "; names: ");
	if (x == NULL) {
		say(w, "cualquiera", "any");
		return;
	}
	struct der d = der_of(x->value), in = der_enter(&d, DER_SEQUENCE);
	if (der_optional(&in, DER_CONTEXT_CONS(0), &subtrees)) {
		say(w, "sólo ", "only ");
		say_subtrees(w, subtrees);
	}
	if (der_optional(&in, DER_CONTEXT_CONS(1), &subtrees)) {
		say(w, " nunca ", " never ");
		say_subtrees(w, subtrees);
	}
}

static void
tell_cross(struct teller *w, const struct cert *c)
{
	say(w,
	    "Autorizo que la raíz firme un certificado cruzado, con el nombre ",
	    "I authorise the root to sign a cross-certificate, by the name ");
	say_bytes(w, w->s->object[0].name);
	say(w, ", para la CA ajena ", ", for the CA of others ");
	say_name(w, c->subject);
	say(w, ", vigente", ", valid");
	say_times(w, c->not_before, c->not_after);
	say(w, ", con los límites de la política ",
	    ", within the limits of the policy ");
	say_bytes(w, w->t->policy);
	buf_puts(w->out, " (");
	say_limits(w, c);
	say(w,
	    "): quien confía en la raíz confiará en lo que ella firme dentro "
	    "de ellos.",
	    "): whoever trusts the root will trust what that CA signs within "
	    "them.");
}

static void
tell_key(struct teller *w, const struct cert *c)
{
	say(w,
	    "Autorizo que se destruya para siempre la llave privada de la "
	    "emisora ",
	    "I authorise that the private key of the CA ");
	say_bytes(w, w->s->object[0].name);
	say(w, ", con el titular ", ", with the subject ");
	say_name(w, c->subject);
	say(w, " y la serie ", " and the serial number ");
	say_hex(w, c->serial);
	say(w,
	    ", que no podrá firmar nada más, tampoco sus listas de revocación.",
	    ", is destroyed for ever: it can sign nothing more, its CRLs "
	    "neither.");
}

/* --- The root's list -------------------------------------------------------------- */

/* What is on it since now is what this ceremony adds. */
static void
say_added(struct teller *w, const struct crl *list, size_t *n, size_t *added)
{
	struct crl_cursor at = { 0 };
	struct crl_entry x;

	for (*n = 0, *added = 0; crl_next(list, &at, &x); ++*n) {
		const char *why = crl_reason_name(x.reason);
		if (x.revoked_at < list->this_update)
			continue;
		say(w, ", agrega la de serie ",
		    ", adds that of serial number ");
		say_hex(w, x.serial);
		if (w->t->revokes.len > 0) {
			buf_puts(w->out, " (");
			say_bytes(w, w->t->revokes);
			buf_puts(w->out, ")");
		}
		say(w, " por ", " for ");
		buf_puts(w->out, why == NULL ? "unspecified" : why);
		++*added;
	}
}

static void
tell_list(struct teller *w, const struct crl *list)
{
	size_t n, added;

	say(w, "Autorizo que la raíz ", "I authorise the root ");
	say_bytes(w, w->s->object[0].name);
	say(w, " firme su lista de revocación número ",
	    " to sign its CRL number ");
	buf_putf(w->out, "%llu", (unsigned long long)list->number);
	say(w, ", vigente", ", valid");
	say_times(w, list->this_update, list->next_update);
	say_added(w, list, &n, &added);
	if (added == 0)
		say(w, ", no agrega ninguna CA", ", adds no CA");
	say(w, "; en total tiene ", "; in all it has ");
	buf_putf(w->out, "%zu.", n);
}

/* --- Ceilings ----------------------------------------------------------------------- */

static void
say_campaign(struct teller *w, const struct ceilings *to)
{
	char until[TIME_TEXT];
	int64_t at = to->campaign_until;

	if (at == 0)
		return;
	time_print(until, at);
	say(w, " Hasta ", " Until ");
	buf_puts(w->out, until);
	say(w, " se firman por hora a lo más ",
	    " as many certificates are signed in an hour at most: ");
	buf_putf(w->out, "%lld", (long long)ceilings_hour(to, at));
	say(w, " certificados, y por institución ",
	    ", and for an institution ");
	buf_putf(w->out, "%lld.", (long long)ceilings_hour_institution(to, at));
}

/* Who will have to sign, by name, as the file says it. */
static void
tell_ceilings(struct teller *w, const struct ceilings *to)
{
	say(w, "Autorizo que rijan los topes del archivo con el SHA-256 ",
	    "I authorise that the ceilings of the file with SHA-256 ");
	say_hex(w, w->s->object[0].tbs_sha256);
	say(w, ", en reemplazo de los del SHA-256 ",
	    " are in force, in the place of those with SHA-256 ");
	say_hex(w, w->s->base_sha256);
	say(w, ". Serán oficiales: ", ". The officers will be: ");
	for (size_t i = 0; i < to->n_officer; i++)
		buf_putf(w->out, "%s%s (%s)", i > 0 ? ", " : "",
		    to->officer[i].name, to->officer[i].run);
	say(w, ". Firmas para políticas y ceremonias: ",
	    ". Signatures for policies and ceremonies: ");
	buf_putf(w->out, "%lld", (long long)to->quorum);
	say(w, "; para nombramientos: ", "; for appointments: ");
	buf_putf(w->out, "%lld.", (long long)to->appointment_quorum);
	say_campaign(w, to);
}

/* --- Another root ---------------------------------------------------------------------- */

static void
tell_root(struct teller *w, const struct cert *c, bool has_link)
{
	uint8_t hash[HASH_LEN];

	sha256(hash, c->der);
	say(w, "Autorizo que la raíz ", "I authorise that the root ");
	say_bytes(w, w->s->object[0].name);
	say(w, ", con el titular ", ", with the subject ");
	say_name(w, c->subject);
	say(w, ", vigente", ", valid");
	say_times(w, c->not_before, c->not_after);
	say(w, " y cuyo certificado tiene el SHA-256 ",
	    " and whose certificate has the SHA-256 ");
	say_hex(w, bytes_of(hash, HASH_LEN));
	say(w, ", reemplaza a la del SHA-256 ",
	    ", takes the place of the one with SHA-256 ");
	say_hex(w, w->s->root_sha256);
	say(w,
	    ": desde entonces firma ella los certificados de las CA, y la "
	    "anterior sólo sus propias listas de revocación",
	    ": from then on it signs the certificates of CAs, and the one "
	    "before its own CRLs alone");
	if (has_link)
		say(w, "; y que avala la llave de la anterior",
		    "; and that it vouches for the key of the one before");
	buf_putc(w->out, '.');
}

/* --- All of them ---------------------------------------------------------------------- */

enum err_code
ceremony_text(const struct ceremony_statement *s, const struct ceremony_told *t,
    struct arena *a, bool spanish, struct buf *out, struct err *e)
{
	struct teller w = { s, t, spanish, out };
	enum ceremony_kind kind = s->object[0].kind;
	struct crl list;
	struct cert c;

	if (kind == CEREMONY_CEILINGS) {
		struct ceilings *to = arena_get(a, sizeof(*to));
		TRY(ceilings_read(t->object, to, e));
		tell_ceilings(&w, to);
	} else if (kind == CEREMONY_CRL) {
		TRY(crl_tbs_parse(t->object, &list, e));
		tell_list(&w, &list);
	} else if (kind == CEREMONY_ROOT) {
		struct der in = der_of(t->object);
		TRY(cert_parse(der_element(&in), &c, e));
		tell_root(&w, &c, !der_end(&in));
	} else {
		TRY(cert_tbs_parse(t->object, a, &c, e));
		if (kind == CEREMONY_KEY)
			tell_key(&w, &c);
		else if (kind == CEREMONY_CROSS)
			tell_cross(&w, &c);
		else
			tell_ca(&w, &c);
	}
	if (t->reason.len > 0) {
		say(&w, " Motivo: ", " Reason: ");
		say_bytes(&w, t->reason);
	}
	return buf_end(out, e);
}
