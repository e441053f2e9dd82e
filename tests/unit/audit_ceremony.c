/*
 * Ceremonies: the statement, the files that travel, and what a root may sign;
 * a request by somebody hostile is the table of refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/audit.h>

#define HEX "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f"
#define NOW INT64_C(1795514400)

static struct key *root_key, *other_key, *ca_key;
static struct buf root_der;
static struct cert root;
static struct verifier *verifier;
static struct arena *arena;
static struct err err;

#define OK(call)                                                      \
	do {                                                          \
		if ((call) != ERR_OK) {                               \
			print_error("%s: %s (%s)\n", err.id, err.say, \
			    err.why);                                 \
			fail();                                       \
		}                                                     \
	} while (0)

static struct bytes
name_of(const char *cn)
{
	struct buf out AUTO_BUF = BUF(NAME_DER_MAX);
	const struct name_attr attrs[] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, bytes_str("Universidad de Prueba"), STRING_USUAL },
		{ OID_CN, bytes_str(cn), STRING_USUAL },
	};
	OK(name_build(attrs, ARRAY_LEN(attrs), &out, &err));
	return arena_copy(arena, buf_bytes(&out));
}

static struct bytes
key_id(const struct key *k)
{
	uint8_t *id = arena_get(arena, KEY_ID_LEN);
	OK(spki_key_id(key_spki(k), id, &err));
	return bytes_of(id, KEY_ID_LEN);
}

static struct cert_spec
spec_of(struct key *key, const char *cn)
{
	static const uint8_t serial[20] = { 0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
	struct cert_spec s = { .serial = bytes_of(serial, sizeof(serial)),
		.issuer = name_of("Raíz"),
		.issuer_ski = key_id(root_key),
		.issuer_type = key_type(root_key),
		.subject = name_of(cn),
		.not_before = NOW,
		.not_after = NOW + 3650 * DAY - 1,
		.spki = key_spki(key),
		.is_ca = true,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN };
	if (key == root_key) {
		s.path_len = -1;
		s.not_after = NOW + 7300 * DAY - 1;
		return s;
	}
	s.crl_url = bytes_str("http://estado.example.cl/crl/root.crl");
	s.issuer_url = bytes_str("http://estado.example.cl/ca/root.cer");
	OK(oid_parse(bytes_str("2.5.29.32.0"), &s.policy[0].oid, &err));
	s.n_policy = 1;
	return s;
}

static struct bytes
signed_by(struct key *key, struct bytes tbs)
{
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(key_sign(key, tbs, &signature, &err));
	OK(signed_assemble(tbs, key_type_sigalg(key_type(key)),
	    buf_bytes(&signature), &der, &err));
	return arena_copy(arena, buf_bytes(&der));
}

static struct bytes
tbs_of(const struct cert_spec *s)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(cert_build_tbs(s, &tbs, &err));
	return arena_copy(arena, buf_bytes(&tbs));
}

static enum err_code
none_rewind(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return ERR_OK;
}

static enum err_code
none_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)e;
	*more = false;
	return ERR_OK;
}

static struct crl_spec
list_spec(void)
{
	return (struct crl_spec){ .issuer = root.subject,
		.issuer_ski = root.ski,
		.issuer_type = key_type(root_key),
		.number = 7,
		.this_update = NOW,
		.next_update = NOW + 365 * DAY };
}

static struct bytes
list_of(const struct crl_spec *spec)
{
	struct buf tbs AUTO_BUF = BUF(8192);
	struct crl_source none = { NULL, none_rewind, none_next };
	OK(crl_build_tbs(spec, &none, &tbs, &err));
	return arena_copy(arena, buf_bytes(&tbs));
}

/* --- A ceremony over these ------------------------------------------------------- */

static void
add(struct ceremony_file *f, enum ceremony_kind kind, const char *name,
    struct bytes tbs)
{
	uint8_t *hash = arena_get(arena, HASH_LEN);
	sha256(hash, tbs);
	f->object[f->is.n] = tbs;
	f->is.object[f->is.n].kind = kind;
	f->is.object[f->is.n].name = bytes_str(name);
	f->is.object[f->is.n++].tbs_sha256 = bytes_of(hash, HASH_LEN);
}

static struct ceremony_file
empty_request(void)
{
	struct ceremony_file f = { .is_answer = false };
	uint8_t *hash = arena_get(arena, HASH_LEN);
	sha256(hash, root.der);
	f.is.origin = bytes_str("ca.example.cl/bitacora");
	f.is.id = bytes_str("CER-2026-000001");
	f.is.root_sha256 = bytes_of(hash, HASH_LEN);
	f.is.proposed_by = bytes_str("11111111-1");
	f.is.log_size = 12;
	f.is.log_root = bytes_of(hash, HASH_LEN);
	f.is.text_es = bytes_str("Que la raíz firme \"esto\".");
	f.is.issued = NOW;
	f.is.expires = NOW + CEREMONY_LIFE_S;
	return f;
}

/* The statement goes to the arena, and with it the file is whole. */
static void
state(struct ceremony_file *f)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	OK(ceremony_print(&f->is, &text, &err));
	f->statement = arena_copy(arena, buf_bytes(&text));
}

static struct ceremony_file
request(void)
{
	struct ceremony_file f = empty_request();
	struct cert_spec s = spec_of(ca_key, "Emisora");
	struct crl_spec l = list_spec();
	add(&f, CEREMONY_CERTIFICATE, "emisora", tbs_of(&s));
	add(&f, CEREMONY_CRL, "root", list_of(&l));
	state(&f);
	return f;
}

static struct ceremony_file
answer(struct key *key)
{
	struct ceremony_file f = request();
	f.is_answer = true;
	for (size_t i = 0; i < f.is.n; i++)
		f.object[i] = signed_by(key, f.object[i]);
	f.transcript = bytes_str("Raíz, 2026\n");
	return f;
}

static struct bytes
printed(const struct ceremony_file *f)
{
	struct buf out AUTO_BUF = BUF(CEREMONY_FILE_MAX);
	ceremony_file_print(f, &out);
	assert_int_equal(buf_end(&out, &err), ERR_OK);
	return arena_copy(arena, buf_bytes(&out));
}

static int
begin(void **unused)
{
	(void)unused;
	arena = arena_new();
	OK(verifier_new(&verifier, &err));
	OK(key_generate(KEY_EC_P384, &root_key, &err));
	OK(key_generate(KEY_EC_P384, &other_key, &err));
	OK(key_generate(KEY_EC_P256, &ca_key, &err));
	struct cert_spec s = spec_of(root_key, "Raíz");
	struct bytes der = signed_by(root_key, tbs_of(&s));
	root_der = BUF(CERT_MAX_BYTES);
	buf_put(&root_der, der.p, der.len);
	OK(cert_parse(buf_bytes(&root_der), &root, &err));
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	key_free(root_key);
	key_free(other_key);
	key_free(ca_key);
	verifier_free(verifier);
	buf_fini(&root_der);
	arena_free(arena);
	return 0;
}

/* --- Forth and back ----------------------------------------------------------------- */

static void
statement_is_read_as_written(void **unused)
{
	struct ceremony_file f = request();
	struct ceremony_statement s;
	struct buf again AUTO_BUF = BUF(STATEMENT_MAX);
	(void)unused;
	assert_true(statement_is_ceremony(f.statement));
	assert_false(statement_is_activation(f.statement));
	OK(ceremony_parse(f.statement, arena, &s, &err));
	OK(ceremony_print(&s, &again, &err));
	assert_true(bytes_eq(buf_bytes(&again), f.statement));
	assert_int_equal(s.n, 2);
	assert_int_equal(s.object[1].kind, CEREMONY_CRL);
	assert_true(bytes_is(s.object[0].name, "emisora"));
}

/* A CA's new key names the CA, and only a certificate can. */
static void
a_new_key_names_its_ca(void **unused)
{
	static const char *const bad[] = { "", "emisora",
		"una-ca-con-un-nombre-demasiado-largo-para-el" };
	struct ceremony_file f = request();
	struct ceremony_statement s;
	struct buf again AUTO_BUF = BUF(STATEMENT_MAX);
	(void)unused;
	f.is.object[0].replaces = bytes_str("emisora-g1");
	state(&f);
	assert_non_null(memmem(f.statement.p, f.statement.len,
	    "\"replaces\":\"emisora-g1\"", 23));
	OK(ceremony_parse(f.statement, arena, &s, &err));
	assert_true(bytes_is(s.object[0].replaces, "emisora-g1"));
	assert_int_equal(s.object[1].replaces.len, 0);
	OK(ceremony_print(&s, &again, &err));
	assert_true(bytes_eq(buf_bytes(&again), f.statement));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bytes t = bytes_str(arena_printf(arena, "%.*s\"%s\"%s",
		    (int)((const uint8_t *)memmem(f.statement.p,
			      f.statement.len, "\"emisora-g1\"", 12) -
			  f.statement.p),
		    (const char *)f.statement.p, bad[i],
		    strstr(arena_str(arena, f.statement), "emisora-g1\"") +
			11));
		assert_int_equal(ceremony_parse(t, arena, &s, &err),
		    ERR_INVALID);
		assert_string_equal(err.where.field, "objects.replaces");
	}
	s.object[0].replaces = BYTES_NONE;
	s.object[1].replaces = bytes_str("emisora");
	assert_int_equal(ceremony_print(&s, &again, &err), ERR_INVALID);
	assert_string_equal(err.where.field, "objects.replaces");
}

static void
files_are_read_as_written(void **unused)
{
	struct ceremony_file f = request(), a = answer(root_key), got;
	(void)unused;
	f.n_evidence = 1;
	f.evidence[0] = bytes_str("not judged here");
	OK(ceremony_file_parse(printed(&f), arena, &got, &err));
	assert_false(got.is_answer);
	assert_int_equal(got.n_evidence, 1);
	assert_true(bytes_eq(printed(&got), printed(&f)));
	OK(ceremony_file_parse(printed(&a), arena, &got, &err));
	assert_true(got.is_answer);
	assert_true(bytes_is(got.transcript, "Raíz, 2026\n"));
	assert_true(bytes_eq(printed(&got), printed(&a)));
	/* Air-gap friendly: a certificate and a list in a few kilobytes. */
	assert_true(printed(&a).len < 6000);
}

static void
what_the_root_may_sign(void **unused)
{
	struct ceremony_file f = request(), a = answer(root_key);
	struct ceremony_object object[CEREMONY_OBJECTS_MAX];
	(void)unused;
	OK(ceremony_judge(&f, &root, verifier, arena, object, &err));
	assert_true(object[0].cert.is_ca);
	assert_int_equal(object[1].crl.number, 7);
	OK(ceremony_judge(&a, &root, verifier, arena, object, &err));
	assert_true(bytes_eq(object[0].der, a.object[0]));
}

/* Over the key of a CA that is not ours, as far as its path length goes. */
static void
what_the_root_may_cross(void **unused)
{
	static const struct {
		int path_len;
		const char *id;
	} rows[] = { { 0, "" }, { 2, "" }, { -1, "ceremony-path-length" } };
	struct ceremony_object object[CEREMONY_OBJECTS_MAX];
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ceremony_file f = empty_request();
		struct cert_spec s = spec_of(ca_key, "Vecina");
		s.path_len = rows[i].path_len;
		s.ski = bytes_str("01234567890123456789");
		add(&f, CEREMONY_CROSS, "vecina", tbs_of(&s));
		state(&f);
		err = (struct err){ .id = "" };
		enum err_code code =
		    ceremony_judge(&f, &root, verifier, arena, object, &err);
		assert_int_equal(code == ERR_OK, rows[i].id[0] == '\0');
		assert_string_equal(err.id, rows[i].id);
		assert_true(bytes_eq(object[0].cert.ski, s.ski));
		/* Of ours none makes other CAs, whatever was agreed on. */
		f = empty_request();
		add(&f, CEREMONY_CERTIFICATE, "vecina", tbs_of(&s));
		state(&f);
		code = ceremony_judge(&f, &root, verifier, arena, object, &err);
		assert_int_equal(code == ERR_OK, s.path_len == 0);
	}
}

/* --- In both languages ------------------------------------------------------------------ */

/* Words that are no language's: with a digit, a sign, or a name's. */
static size_t
values_of(const char *text, char out[96][640])
{
	size_t n = 0;
	for (const char *p = text; *p != '\0';) {
		size_t len = strcspn(p, " ;()");
		while (len > 0 && strchr(",.:", p[len - 1]) != NULL)
			len--;
		if (strcspn(p, "0123456789=") < len) {
			assert_true(n < 96);
			snprintf(out[n++], 640, "%.*s", (int)len, p);
		}
		p += len + strspn(p + len, " ;(),.:");
	}
	return n;
}

/* Every fact of the one is in the other, and what the row names in both. */
static void
says_alike(const struct ceremony_statement *s, const struct ceremony_told *t,
    const char *const *facts)
{
	static char one[96][640], other[96][640];
	struct buf es AUTO_BUF = BUF(8192), en AUTO_BUF = BUF(8192);
	OK(ceremony_text(s, t, arena, true, &es, &err));
	OK(ceremony_text(s, t, arena, false, &en, &err));
	const char *spanish = buf_text(&es), *english = buf_text(&en);
	assert_string_not_equal(spanish, english);
	for (; *facts != NULL; facts++) {
		if (strstr(spanish, *facts) != NULL &&
		    strstr(english, *facts) != NULL)
			continue;
		print_error("%s\n%s\n%s\n", *facts, spanish, english);
		fail();
	}
	size_t n = values_of(spanish, one);
	assert_int_equal(n, values_of(english, other));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(one[i], other[i]);
}

struct rows {
	const struct crl_entry *entry;
	size_t n, at;
};

static enum err_code
rows_rewind(void *ctx, struct err *e)
{
	(void)e;
	((struct rows *)ctx)->at = 0;
	return ERR_OK;
}

static enum err_code
rows_next(void *ctx, struct crl_entry *entry, bool *more, struct err *e)
{
	struct rows *r = ctx;
	(void)e;
	*more = r->at < r->n;
	if (*more)
		*entry = r->entry[r->at++];
	return ERR_OK;
}

static struct bytes
list_with(const struct crl_spec *spec, const struct crl_entry *entries,
    size_t n)
{
	struct buf tbs AUTO_BUF = BUF(8192);
	struct rows all = { entries, n, 0 };
	struct crl_source source = { &all, rows_rewind, rows_next };
	OK(crl_build_tbs(spec, &source, &tbs, &err));
	return arena_copy(arena, buf_bytes(&tbs));
}

#define CEILINGS                                                             \
	"validity_max: 3y\nkeys: [ec-p256]\nkey_usage: [digitalSignature]\n" \
	"extended: [clientAuth]\nquorum: 2\n"                                \
	"campaign_until: \"2027-03-31\"\ncampaign_per_hour: "                \
	"54321\nofficers:\n"                                                 \
	"- {run: 11111111-1, name: Olga Soto, key_sha256: \"" HEX "0\"}\n"   \
	"- {run: 22222222-2, name: Pedro Rojas, key_sha256: \"" HEX "1\"}\n"
#define FACTS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}
static void
both_languages(void **unused)
{
	struct ceremony_statement s = { .n = 1 };
	struct ceremony_told t = { .reason = bytes_str("orden 17") };
	struct cert_spec spec = spec_of(ca_key, "Emisora nueva");
	struct crl_spec list = list_spec();
	uint8_t hash[HASH_LEN] = { 0xab }, base[HASH_LEN] = { 0xcd };
	(void)unused;
	s.object[0].kind = CEREMONY_CERTIFICATE;
	s.object[0].name = bytes_str("nueva");
	t.object = tbs_of(&spec);
	says_alike(&s, &t,
	    FACTS("nueva", "CN=Emisora nueva", "2026-11-24T10:00:00Z",
		"2036-11-21T09:59:59Z", "orden 17"));
	s.object[0].replaces = bytes_str("vieja");
	says_alike(&s, &t, FACTS("nueva", "vieja", "CN=Emisora nueva"));
	s.object[0].replaces = BYTES_NONE;
	spec.san[0] = (struct general_name){ .kind = GN_OTHER_IA5,
		.value = bytes_str("60910000-1") };
	struct bytes oid = oid_known(OID_RUT_HOLDER);
	memcpy(spec.san[0].other.p, oid.p, oid.len);
	spec.san[0].other.len = (uint8_t)oid.len;
	spec.n_san = 1;
	t.object = tbs_of(&spec);
	says_alike(&s, &t, FACTS("nueva", "60910000-1"));
	s.object[0].replaces = bytes_str("vieja");
	says_alike(&s, &t, FACTS("nueva", "vieja", "60910000-1"));
	s.object[0].kind = CEREMONY_KEY;
	says_alike(&s, &t,
	    FACTS("nueva", "CN=Emisora nueva", "4102030405060708"));
	/* A CA of others: whose it is, and how far it goes. */
	spec = spec_of(ca_key, "Raiz Vecina");
	spec.path_len = 3;
	s.object[0].kind = CEREMONY_CROSS;
	s.object[0].name = bytes_str("vecina");
	t.policy = bytes_str("cruzada-1");
	t.object = tbs_of(&spec);
	says_alike(&s, &t,
	    FACTS("vecina", "CN=Raiz Vecina", "cruzada-1", ": 3;",
		"2036-11-21T09:59:59Z"));
	spec.constraints.permitted[0] =
	    (struct general_name){ .kind = GN_DIRECTORY,
		    .value = name_of("Vecino") };
	spec.constraints.n_permitted = 1;
	spec.constraints.excluded[0] = (struct general_name){ .kind = GN_DNS,
		.value = bytes_str("otro.example.org") };
	spec.constraints.n_excluded = 1;
	t.object = tbs_of(&spec);
	says_alike(&s, &t,
	    FACTS("CN=Vecino", "[2] otro.example.org", "cruzada-1"));
	/* The root's list, with one more or none. */
	s.object[0].kind = CEREMONY_CRL;
	s.object[0].name = bytes_str("root");
	t.policy = BYTES_NONE;
	struct crl_entry on[] = {
		{ .serial = bytes_str("AB"), .revoked_at = NOW - DAY },
		{ .serial = bytes_str("CD"),
		    .revoked_at = NOW,
		    .reason = CRL_SUPERSEDED },
	};
	t.object = list_with(&list, on, 1);
	says_alike(&s, &t, FACTS("7", "2027-11-24T10:00:00Z", "1."));
	t.revokes = bytes_str("emisora-g2");
	t.object = list_with(&list, on, 2);
	says_alike(&s, &t,
	    FACTS("7", "4344", "emisora-g2", "superseded", "2."));
	/* Ceilings: both files, and everybody who will sign. */
	s.object[0].kind = CEREMONY_CEILINGS;
	s.object[0].tbs_sha256 = bytes_of(hash, HASH_LEN);
	s.base_sha256 = bytes_of(base, HASH_LEN);
	t.object = bytes_str(CEILINGS);
	says_alike(&s, &t,
	    FACTS("ab00", "cd00", "Olga Soto", "11111111-1", "Pedro Rojas",
		"22222222-2", ": 2;", ": 1.", "2027-03-31T00:00:00Z", "54321",
		"2000."));
}

/* --- Refusals ------------------------------------------------------------------------ */

static void
refused(const char *row, enum err_code got, enum err_code want, const char *id,
    const char *say)
{
	if (got == want && strcmp(err.id, id) == 0 &&
	    strstr(err.say, say) != NULL)
		return;
	print_error("%s: %s %s: %s\n", row, err_code_name(got), err.id,
	    err.say);
	fail();
}

static void
change_ca_true(struct cert_spec *s)
{
	s->path_len = 1; /* it could make other CAs */
}

static void
change_leaf(struct cert_spec *s)
{
	s->is_ca = false;
	s->key_usage = KU_DIGITAL_SIGNATURE;
}

static void
change_ocsp(struct cert_spec *s)
{
	s->eku[s->n_eku++] = OID_EKU_OCSP;
}

static void
change_root_key(struct cert_spec *s)
{
	s->spki = key_spki(root_key);
}

static void
change_longer(struct cert_spec *s)
{
	s->not_after = root.not_after + 1;
}

static void
change_sooner(struct cert_spec *s)
{
	s->not_before = root.not_before - 1;
}

static void
change_issuer(struct cert_spec *s)
{
	s->issuer = name_of("Otra");
}

static void
change_key_id(struct cert_spec *s)
{
	s->issuer_ski = key_id(other_key);
}

static void
change_algorithm(struct cert_spec *s)
{
	s->issuer_type = KEY_EC_P256;
}

static void
change_usage(struct cert_spec *s)
{
	s->key_usage |= KU_DIGITAL_SIGNATURE;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*change)(struct cert_spec *s);
	enum err_code code;
	const char *id, *say;
} certificates[] = {
	{ "a CA above others", change_ca_true, ERR_DENIED, "lint-path-length", "" },
	{ "a leaf", change_leaf, ERR_DENIED, "ceremony-usage", "" },
	{ "a responder", change_ocsp, ERR_DENIED, "ceremony-extension", "an extension that no issuing CA needs" },
	{ "the root's own key", change_root_key, ERR_DENIED, "ceremony-key", "over the root's own key" },
	{ "longer than the root", change_longer, ERR_DENIED, "ceremony-times", "outlive it" },
	{ "before the root", change_sooner, ERR_DENIED, "ceremony-times", "begin before the root" },
	{ "another issuer", change_issuer, ERR_DENIED, "ceremony-issuer", "emisora is not for this root" },
	{ "another key identifier", change_key_id, ERR_DENIED, "ceremony-issuer", "key identifier" },
	{ "another algorithm", change_algorithm, ERR_INVALID, "cert-algorithm", "" },
	{ "signs documents too", change_usage, ERR_DENIED, "ceremony-usage", "more or less than sign certificates" },
};
/* clang-format on */

static void
hostile_certificates(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(certificates); i++) {
		struct ceremony_object object[CEREMONY_OBJECTS_MAX];
		struct ceremony_file f = empty_request();
		struct cert_spec s = spec_of(ca_key, "Emisora");
		certificates[i].change(&s);
		add(&f, CEREMONY_CERTIFICATE, "emisora", tbs_of(&s));
		state(&f);
		refused(certificates[i].name,
		    ceremony_judge(&f, &root, verifier, arena, object, &err),
		    certificates[i].code, certificates[i].id,
		    certificates[i].say);
	}
}

static void
hostile_lists(void **unused)
{
	struct crl_spec bad[4] = { list_spec(), list_spec(), list_spec(),
		list_spec() };
	static const char *const ids[] = { "ceremony-list", "ceremony-list",
		"ceremony-list", "ceremony-issuer" };
	(void)unused;
	bad[0].next_update = NOW + 401 * DAY;
	bad[1].base = 3;
	bad[2].url = bytes_str("http://estado.example.cl/crl/root/1.crl");
	bad[3].issuer_ski = key_id(other_key);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ceremony_object object[CEREMONY_OBJECTS_MAX];
		struct ceremony_file f = empty_request();
		add(&f, CEREMONY_CRL, "root", list_of(&bad[i]));
		state(&f);
		refused("a list",
		    ceremony_judge(&f, &root, verifier, arena, object, &err),
		    ERR_DENIED, ids[i], "");
	}
}

static void
other_roots(void **unused)
{
	struct ceremony_object object[CEREMONY_OBJECTS_MAX];
	struct ceremony_file f = request(), a = answer(other_key);
	struct cert ca;
	struct bytes der = signed_by(root_key, f.object[0]);
	(void)unused;
	/* Signed by somebody else who has the request. */
	refused("another key",
	    ceremony_judge(&a, &root, verifier, arena, object, &err),
	    ERR_INVALID, "signature-wrong", "");
	/* The certificate of an issuing CA is no root. */
	OK(cert_parse(der, &ca, &err));
	refused("no root",
	    ceremony_judge(&f, &ca, verifier, arena, object, &err), ERR_DENIED,
	    "ceremony-root", "not that of the root");
	uint8_t zero[HASH_LEN] = { 0 };
	f.is.root_sha256 = bytes_of(zero, HASH_LEN);
	refused("named otherwise",
	    ceremony_judge(&f, &root, verifier, arena, object, &err),
	    ERR_DENIED, "ceremony-root", "not that of the root");
}

static void
hostile_files(void **unused)
{
	struct ceremony_file f = request(), got;
	struct ceremony_file twice = request();
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	(void)unused;
	/* Other bytes than those that officers signed. */
	struct cert_spec s = spec_of(ca_key, "Otra Emisora");
	f.object[0] = tbs_of(&s);
	refused("other bytes",
	    ceremony_file_parse(printed(&f), arena, &got, &err), ERR_INVALID,
	    "ceremony-object", "emisora of the ceremony is not the one");
	f = request();
	f.is.n = 1; /* one object less than the statement names */
	refused("one is missing",
	    ceremony_file_parse(printed(&f), arena, &got, &err), ERR_INVALID,
	    "ceremony-form", "no file of a ceremony");
	refused("a statement alone",
	    ceremony_file_parse(twice.statement, arena, &got, &err),
	    ERR_INVALID, "ceremony-form", "no file of a ceremony");
	twice.is.object[1] = twice.is.object[0];
	refused("one twice", ceremony_print(&twice.is, &text, &err),
	    ERR_INVALID, "statement-member", "objects.name");
	twice = request();
	twice.is.expires = twice.is.issued;
	refused("no time", ceremony_print(&twice.is, &text, &err), ERR_INVALID,
	    "statement-member", "expires");
	refused("nothing", ceremony_file_parse(BYTES_NONE, arena, &got, &err),
	    ERR_INVALID, "json-empty", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statement_is_read_as_written),
		cmocka_unit_test(a_new_key_names_its_ca),
		cmocka_unit_test(files_are_read_as_written),
		cmocka_unit_test(what_the_root_may_sign),
		cmocka_unit_test(what_the_root_may_cross),
		cmocka_unit_test(both_languages),
		cmocka_unit_test(hostile_certificates),
		cmocka_unit_test(hostile_lists),
		cmocka_unit_test(other_roots),
		cmocka_unit_test(hostile_files),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
