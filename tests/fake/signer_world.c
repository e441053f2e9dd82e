#include "signer_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Files ---------------------------------------------------------------------- */

void
world_write(const char *path, struct bytes b)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	assert_int_equal(fclose(f), 0);
}

struct bytes
world_file(struct world *w, const char *path)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	struct buf b AUTO_BUF = BUF(64u << 20);
	uint8_t room[4096];
	size_t n;
	while ((n = fread(room, 1, sizeof(room), f)) > 0)
		buf_put(&b, room, n);
	fclose(f);
	return arena_copy(w->a, buf_bytes(&b));
}

void
world_path(const struct world *w, char out[128])
{
	snprintf(out, 128, "%s/signer/journal", w->dir);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Unencrypted, so that a test can start the signer many times. */
static void
make_key(struct world *w, enum key_type type, const char *name,
    struct key **out)
{
	char path[128];
	EVP_PKEY *pkey = type == KEY_ED25519
			     ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
			     : EVP_EC_gen("P-256");
	assert_non_null(pkey);
	snprintf(path, sizeof(path), "%s/%s.key", w->dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, pkey, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	fclose(f);
	EVP_PKEY_free(pkey);
	OK(key_load(path, BYTES_NONE, out, e));
}

struct bytes
world_hash(struct world *w, struct bytes b)
{
	uint8_t *hash = arena_get(w->a, SHA256_LEN);
	sha256(hash, b);
	return bytes_of(hash, SHA256_LEN);
}

static struct bytes
name_of(struct world *w, const char *cn)
{
	const struct name_attr attrs[] = { { OID_C, bytes_str("CL"),
					       STRING_USUAL },
		{ OID_CN, bytes_str(cn), STRING_USUAL } };
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	return arena_copy(w->a, buf_bytes(&name));
}

static void
next_serial(struct world *w, uint8_t out[SERIAL_MAX])
{
	memset(out, 0x5a, SERIAL_MAX);
	w->serials++;
	out[1] = (uint8_t)(w->serials >> 16);
	out[2] = (uint8_t)(w->serials >> 8);
	out[3] = (uint8_t)w->serials;
}

/* Self-signed: what the signer needs of a CA's certificate is inside it. */
static void
make_ca(struct world *w, const char *file, struct bytes name, struct key *key,
    bool is_ca, struct buf *der, struct cert *cert)
{
	uint8_t serial[SERIAL_MAX], id[KEY_ID_LEN];
	char path[128];
	next_serial(w, serial);
	OK(spki_key_id(key_spki(key), id, e));
	struct cert_spec spec = { .serial = bytes_of(serial, SERIAL_MAX),
		.issuer = name,
		.issuer_ski = bytes_of(id, KEY_ID_LEN),
		.issuer_type = key_type(key),
		.subject = name,
		.not_before = w->now - 30 * DAY,
		.not_after = w->now + 3000 * DAY - 1,
		.spki = key_spki(key),
		.is_ca = is_ca,
		.path_len = is_ca ? 0 : -1,
		.key_usage = is_ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN
				   : KU_DIGITAL_SIGNATURE };
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	*der = BUF(CERT_MAX_BYTES);
	OK(cert_build_tbs(&spec, &tbs, e));
	OK(key_sign(key, buf_bytes(&tbs), &sig, e));
	OK(signed_assemble(buf_bytes(&tbs), key_type_sigalg(key_type(key)),
	    buf_bytes(&sig), der, e));
	if (cert != NULL)
		OK(cert_parse(buf_bytes(der), cert, e));
	struct buf pem AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	pem_put(&pem, "CERTIFICATE", buf_bytes(der));
	snprintf(path, sizeof(path), "%s/%s.pem", w->dir, file);
	world_write(path, buf_bytes(&pem));
}

/* --- The root, and a CA that it signed --------------------------------------------------- */

const char *world_rut_of_dos;

struct bytes
world_signed(struct world *w, struct key *key, struct bytes tbs)
{
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(key_sign(key, tbs, &sig, e));
	OK(signed_assemble(tbs, key_type_sigalg(key_type(key)), buf_bytes(&sig),
	    &der, e));
	return arena_copy(w->a, buf_bytes(&der));
}

static struct bytes
ca_name(struct world *w, const char *cn)
{
	const struct name_attr attrs[] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, bytes_str("Ministerio de Prueba"), STRING_USUAL },
		{ OID_CN, bytes_str(cn == NULL ? "" : cn), STRING_USUAL },
	};
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	OK(name_build(attrs, cn == NULL ? 2 : 3, &name, e));
	return arena_copy(w->a, buf_bytes(&name));
}

/* The part that its subjects begin with, and whose RUT it has. */
static void
constrain(struct world *w, struct cert_spec *spec)
{
	struct bytes oid = oid_known(OID_RUT_HOLDER);
	spec->n_san = 1;
	spec->san[0].kind = GN_OTHER_IA5;
	memcpy(spec->san[0].other.p, oid.p, oid.len);
	spec->san[0].other.len = (uint8_t)oid.len;
	spec->san[0].value = bytes_str(world_rut_of_dos);
	spec->constraints.n_permitted = 1;
	spec->constraints.permitted[0].kind = GN_DIRECTORY;
	spec->constraints.permitted[0].value = ca_name(w, NULL);
}

void
world_by_root(struct world *w, struct key *root, const char *file,
    const char *cn, struct key *key, struct buf *der, struct cert *cert)
{
	uint8_t serial[SERIAL_MAX], id[KEY_ID_LEN];
	bool is_root = key == root;
	char path[128];
	next_serial(w, serial);
	OK(spki_key_id(key_spki(root), id, e));
	struct cert_spec spec = { .serial = bytes_of(serial, SERIAL_MAX),
		.issuer = ca_name(w, "Raíz"),
		.issuer_ski = bytes_of(id, KEY_ID_LEN),
		.issuer_type = key_type(root),
		.subject = ca_name(w, cn),
		.not_before = w->now - 30 * DAY,
		.not_after = w->now + (is_root ? 4000 : 3000) * DAY - 1,
		.spki = key_spki(key),
		.is_ca = true,
		.path_len = is_root ? -1 : 0,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN };
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf pem AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	if (!is_root) {
		spec.crl_url = bytes_str("http://crl.example.org/crl/root.crl");
		spec.issuer_url =
		    bytes_str("http://crl.example.org/ca/root.cer");
		OK(oid_parse(bytes_str("2.5.29.32.0"), &spec.policy[0].oid, e));
		spec.n_policy = 1;
		if (world_rut_of_dos != NULL)
			constrain(w, &spec);
	}
	OK(cert_build_tbs(&spec, &tbs, e));
	struct bytes whole = world_signed(w, root, buf_bytes(&tbs));
	*der = BUF(CERT_MAX_BYTES);
	buf_put(der, whole.p, whole.len);
	OK(cert_parse(buf_bytes(der), cert, e));
	pem_put(&pem, "CERTIFICATE", whole);
	snprintf(path, sizeof(path), "%s/%s.pem", w->dir, file);
	world_write(path, buf_bytes(&pem));
}

void
world_next_key(struct world *w)
{
	for (size_t i = 0; i < 2; i++) {
		buf_fini(&w->ca_der[i]);
		world_by_root(w, w->root, i == 0 ? "ca0" : "ca1", "CA uno",
		    w->ca[i], &w->ca_der[i], &w->ca_cert[i]);
	}
}

/* --- The world ------------------------------------------------------------------------ */

static void
set_ceilings(struct world *w)
{
	w->ceilings = (struct ceilings){ .validity_max_s = 1096 * DAY,
		.backdate_max_s = HOUR,
		.keys = 1u << KEY_EC_P256 | 1u << KEY_RSA_3072,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
		.names = 1u << 0 | 1u << 1, /* otherName, e-mail */
		.statement_max_s = 3 * DAY,
		.mandate_max_s = 366 * DAY,
		.appointment_max_s = 400 * DAY,
		.ocsp_max_s = 10 * DAY,
		.crl_max_s = 10 * DAY,
		.per_hour = 1000,
		.per_hour_institution = 1000,
		.refusals_per_hour = 1000,
		.endorsements = 1,
		.appointment_quorum = 1,
		.n_officer = 1,
		.quorum = 1,
		.n_policy = 1 };
	struct officer *o = &w->ceilings.officer[0];
	struct first_policy *p = &w->ceilings.policy[0];
	snprintf(p->name, sizeof(p->name), "funcionario-firma");
	sha256(p->sha256, bytes_str("policy"));
	snprintf(o->run, sizeof(o->run), "33333333-3");
	sha256(o->spki_sha256, key_spki(w->officer));
}

static void
set_config(struct world *w)
{
	static const char *const names[] = { "uno", "dos" };
	struct config *c = &w->config;
	snprintf(c->public_url, sizeof(c->public_url),
	    "http://crl.example.org");
	snprintf(c->origin, sizeof(c->origin), "log.example/prueba");
	snprintf(c->log_key, PATH_LEN, "file:log.key");
	snprintf(c->endorser_key, PATH_LEN, "endorser.key");
	snprintf(c->endorser_certificate, PATH_LEN, "endorser.pem");
	for (size_t i = 0; i < 2; i++) {
		struct issuer_config *n = &c->issuer[c->n_issuer++];
		snprintf(n->name, sizeof(n->name), "%s", names[i]);
		snprintf(n->certificate, PATH_LEN, "ca%zu.pem", i);
		snprintf(n->key, PATH_LEN, "file:ca%zu.key", i);
		snprintf(n->ocsp_key, PATH_LEN, "ocsp%zu.key", i);
		n->ocsp_certificate_s = 20 * DAY;
	}
}

void
world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->now = WORLD_NOW;
	w->passphrase = "a passphrase of the test";
	w->file = -1;
	w->a = arena_new();
	snprintf(w->dir, sizeof(w->dir), "/tmp/signer-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	make_key(w, KEY_EC_P256, "ca0", &w->ca[0]);
	make_key(w, KEY_EC_P256, "ca1", &w->ca[1]);
	make_key(w, KEY_EC_P256, "ocsp0", &w->ocsp[0]);
	make_key(w, KEY_EC_P256, "ocsp1", &w->ocsp[1]);
	make_key(w, KEY_EC_P256, "endorser", &w->endorser);
	make_key(w, KEY_ED25519, "log", &w->log);
	OK(key_generate(KEY_EC_P256, &w->throwaway, e));
	OK(key_generate(KEY_EC_P256, &w->officer, e));
	OK(key_generate(KEY_EC_P256, &w->second, e));
	OK(key_generate(KEY_EC_P256, &w->stranger, e));
	OK(key_generate(KEY_EC_P256, &w->holder, e));
	for (size_t i = 0; i < MINISTERS; i++)
		OK(key_generate(KEY_EC_P256, &w->minister[i], e));
	make_ca(w, "ca0", name_of(w, "CA uno"), w->ca[0], true, &w->ca_der[0],
	    &w->ca_cert[0]);
	make_ca(w, "ca1", ca_name(w, "CA dos"), w->ca[1], true, &w->ca_der[1],
	    &w->ca_cert[1]);
	OK(key_generate(KEY_EC_P256, &w->root, e));
	world_by_root(w, w->root, "root", "Raíz", w->root, &w->root_der,
	    &w->root_cert);
	if (world_rut_of_dos != NULL) {
		buf_fini(&w->ca_der[1]);
		world_by_root(w, w->root, "ca1", "CA dos", w->ca[1],
		    &w->ca_der[1], &w->ca_cert[1]);
	}
	make_ca(w, "endorser", name_of(w, "CA de ministros"), w->endorser, true,
	    &w->endorser_der, &w->endorser_cert);
	make_ca(w, "officer", name_of(w, "Encargada"), w->officer, false,
	    &w->officer_der, NULL);
	make_ca(w, "second", name_of(w, "Encargado"), w->second, false,
	    &w->second_der, NULL);
	make_ca(w, "stranger", name_of(w, "Nadie"), w->stranger, false,
	    &w->stranger_der, NULL);
	set_ceilings(w);
	set_config(w);
}

void
world_hello(struct world *w)
{
	struct bytes answer;
	struct err refusal;
	assert_int_equal(world_ask(w, SIGNER_HELLO, BYTES_NONE, &answer,
			     &refusal),
	    ERR_OK);
}

void
world_start(struct world *w)
{
	world_open(w, false);
	world_hello(w);
}

void
world_appoint(struct world *w)
{
	static const struct {
		const char *id, *run, *rut;
	} who[MINISTERS] = {
		{ "NOM-2026-000001", "11111111-1", RUT_A },
		{ "NOM-2026-000002", "22222222-2", RUT_A },
		{ "NOM-2026-000003", "76543210-3", RUT_B },
	};
	for (size_t i = 0; i < MINISTERS; i++) {
		struct wish x;
		struct bytes der;
		struct err refusal = { .id = "" };
		wish_minister(w, &x, who[i].id, who[i].run, who[i].rut,
		    w->minister[i]);
		wish_build(w, &x, NULL, NULL, NULL);
		if (wish_ask(w, &x, &der, &refusal) != ERR_OK)
			fail_msg("%s: %s", refusal.id, refusal.say);
		w->minister_der[i] = BUF(CERT_MAX_BYTES);
		buf_put(&w->minister_der[i], der.p, der.len);
	}
}

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_init(w);
	world_start(w);
	world_appoint(w);
	return w;
}

void
world_free(struct world *w)
{
	world_stop(w);
	for (size_t i = 0; i < 2; i++) {
		key_free(w->ca[i]);
		key_free(w->ocsp[i]);
		buf_fini(&w->ca_der[i]);
	}
	for (size_t i = 0; i < MINISTERS; i++) {
		key_free(w->minister[i]);
		buf_fini(&w->minister_der[i]);
	}
	key_free(w->root);
	buf_fini(&w->root_der);
	key_free(w->endorser);
	key_free(w->log);
	key_free(w->throwaway);
	key_free(w->officer);
	key_free(w->second);
	key_free(w->stranger);
	key_free(w->holder);
	buf_fini(&w->endorser_der);
	buf_fini(&w->officer_der);
	buf_fini(&w->second_der);
	buf_fini(&w->stranger_der);
	arena_free(w->a);
	nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
}

/* --- Talking ------------------------------------------------------------------------------ */

enum err_code
world_batch(struct world *w, struct bytes in, struct buf *out, struct err *e)
{
	return world_talk(w, ASKER_CORE, in, out, e);
}

enum err_code
world_ask_as(struct world *w, enum signer_asker who, uint16_t type,
    struct bytes body, struct bytes *answer, struct err *refusal)
{
	struct buf in AUTO_BUF = BUF(FRAME_MAX);
	struct buf out AUTO_BUF = BUF(FRAME_MAX);
	struct frame f = { .type = 0 };
	size_t used;
	*answer = BYTES_NONE;
	frame_put(&in, type, 77, body);
	enum err_code code = world_talk(w, who, buf_bytes(&in), &out, refusal);
	if (code != ERR_OK)
		return code;
	OK(frame_cut(buf_bytes(&out), signer_cap, &f, &used, e));
	assert_int_equal(used, out.len);
	assert_int_equal(f.id, 77);
	if (f.type == (type | SIGNER_REFUSAL)) {
		OK(err_decode(f.body, w->a, refusal, e));
		assert_true(refusal->say[0] != '\0');
		return refusal->code;
	}
	assert_int_equal(f.type, type | SIGNER_ANSWER);
	*answer = arena_copy(w->a, f.body);
	return ERR_OK;
}

enum err_code
world_ask(struct world *w, uint16_t type, struct bytes body,
    struct bytes *answer, struct err *refusal)
{
	return world_ask_as(w, ASKER_CORE, type, body, answer, refusal);
}

/* --- Wishes --------------------------------------------------------------------------------- */

void
wish_subject(struct world *w, struct wish *x, const char *run)
{
	const struct name_attr attrs[] = { { OID_C, bytes_str("CL"),
					       STRING_USUAL },
		{ OID_O, bytes_str("Ministerio de Prueba"), STRING_USUAL },
		{ OID_TITLE, bytes_str("Jefa de Sección"), STRING_USUAL },
		{ OID_SERIAL_NUMBER, bytes_str(run), STRING_USUAL },
		{ OID_CN, bytes_str("Ana Pérez Soto"), STRING_USUAL } };
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	x->spec.subject = arena_copy(w->a, buf_bytes(&name));
	struct bytes oid = oid_known(OID_RUT_HOLDER);
	x->spec.n_san = 2;
	x->spec.san[1].kind = GN_EMAIL;
	x->spec.san[1].value = bytes_str("ana@prueba.example");
	x->spec.san[0].kind = GN_OTHER_IA5;
	memcpy(x->spec.san[0].other.p, oid.p, oid.len);
	x->spec.san[0].other.len = (uint8_t)oid.len;
	x->spec.san[0].value = bytes_str(run);
}

static void
set_common(struct world *w, struct wish *x, const struct cert *ca,
    struct key *key, const char *run)
{
	next_serial(w, x->serial);
	x->spec = (struct cert_spec){
		.issuer = ca->subject,
		.issuer_ski = ca->ski,
		.issuer_type = KEY_EC_P256,
		.not_before = w->now,
		.not_after = w->now + 365 * DAY - 1,
		.spki = key_spki(key),
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
	};
	wish_subject(w, x, run);
	x->st = (struct statement){ .origin = bytes_str(w->config.origin),
		.request_version = 1,
		.issuer = x->issuer,
		.institution_name = bytes_str("Ministerio de Prueba"),
		.holder_run = bytes_str(run),
		.holder_name = bytes_str("Ana Pérez Soto"),
		.holder_office = bytes_str("Jefa de Sección"),
		.log_size = 5,
		.log_root = world_hash(w, bytes_str("root")),
		.text_es = bytes_str("Certifico lo que aquí se dice."),
		.issued = w->now,
		.expires = w->now + HOUR };
}

void
wish_holder(struct world *w, struct wish *x, size_t by)
{
	memset(x, 0, sizeof(*x));
	x->issuer = bytes_str("uno");
	set_common(w, x, &w->ca_cert[0], w->holder, "12345678-5");
	x->spec.eku[0] = OID_EKU_EMAIL;
	x->spec.eku[1] = OID_EKU_CLIENT;
	x->spec.n_eku = 2;
	x->spec.crl_url = bytes_str("http://crl.example.org/crl/uno.crl");
	x->spec.ocsp_url = bytes_str("http://crl.example.org/ocsp");
	x->spec.issuer_url = bytes_str("http://crl.example.org/ca/uno.cer");
	x->st.type = STATEMENT_ENDORSEMENT;
	x->st.request = bytes_str("SOL-2026-000001");
	x->st.policy = bytes_str("funcionario-firma");
	x->st.policy_sha256 = world_hash(w, bytes_str("policy"));
	x->st.policy_version = 1;
	x->st.institution = bytes_str(RUT_A);
	x->st.operator_run = bytes_str("87654321-4");
	x->by = w->minister[by];
	x->by_cert = buf_bytes(&w->minister_der[by]);
}

void
wish_minister(struct world *w, struct wish *x, const char *id, const char *run,
    const char *rut, struct key *key)
{
	memset(x, 0, sizeof(*x));
	x->is_minister = true;
	x->issuer = bytes_str("endorser");
	set_common(w, x, &w->endorser_cert, key, run);
	x->spec.eku[0] = OID_EKU_ENDORSER;
	x->spec.n_eku = 1;
	x->spec.eku_critical = true;
	x->st.type = STATEMENT_APPOINTMENT;
	x->st.request = bytes_str(id);
	x->st.institution = bytes_str(rut);
	x->st.operator_run = bytes_str("99999999-9");
	x->st.act_number = bytes_str("Res. 12/2026");
	x->st.act_date = bytes_str("2026-11-01");
	x->st.from = w->now;
	x->st.until = w->now + 365 * DAY - 1;
	x->by = w->officer;
	x->by_cert = buf_bytes(&w->officer_der);
}

struct bytes
world_agreement(struct world *w, const struct ceremony_statement *st,
    struct bytes object, const char *signers)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf body AUTO_BUF = BUF(1u << 20), list AUTO_BUF = BUF(1u << 20);
	OK(ceremony_print(st, &text, e));
	for (const char *s = signers; *s != '\0'; s++) {
		struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
		struct bytes what = buf_bytes(&text);
		what.len -= *s == 'x';
		OK(cms_sign(*s == 's'   ? w->second
			    : *s == 'z' ? w->stranger
					: w->officer,
		    buf_bytes(*s == 's'   ? &w->second_der
			      : *s == 'z' ? &w->stranger_der
					  : &w->officer_der),
		    what, w->now, &cms, e));
		put_bytes(&list, buf_bytes(&cms));
	}
	struct signer_agreement m = { .statement = buf_bytes(&text),
		.certificate = object,
		.evidence = buf_bytes(&list) };
	signer_agreement_encode(&m, &body);
	return arena_copy(w->a, buf_bytes(&body));
}

struct bytes
world_throwaway(struct world *w, struct bytes tbs, struct bytes sigalg)
{
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(key_sign(w->throwaway, tbs, &sig, e));
	OK(signed_assemble(tbs, sigalg, buf_bytes(&sig), &der, e));
	return arena_copy(w->a, buf_bytes(&der));
}

struct bytes
world_container(struct world *w, const struct cert_spec *spec,
    struct bytes *tbs)
{
	struct buf b AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(cert_build_tbs(spec, &b, e));
	*tbs = arena_copy(w->a, buf_bytes(&b));
	return world_throwaway(w, *tbs, key_type_sigalg(spec->issuer_type));
}

void
wish_more(struct world *w, struct wish *x, struct key *key,
    const struct buf *der)
{
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(cms_sign(key, buf_bytes(der), x->statement, w->now, &cms, e));
	x->more = arena_copy(w->a, buf_bytes(&cms));
}

void
wish_build(struct world *w, struct wish *x, wish_fn spec, wish_fn statement,
    wish_fn bytes)
{
	x->spec.serial = bytes_of(x->serial, SERIAL_MAX);
	if (spec != NULL)
		spec(w, x);
	x->container = world_container(w, &x->spec, &x->tbs);
	if (x->edit != NULL)
		x->edit(w, x);
	x->st.tbs_sha256 = world_hash(w, x->tbs);
	x->st.spki_sha256 = world_hash(w, x->spec.spki);
	x->st.not_before = x->spec.not_before;
	x->st.not_after = x->spec.not_after;
	if (statement != NULL)
		statement(w, x);
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct buf cms AUTO_BUF = BUF(CMS_MAX_BYTES);
	OK(statement_print(&x->st, &text, e));
	x->statement = arena_copy(w->a, buf_bytes(&text));
	OK(cms_sign(x->by, x->by_cert, x->statement, w->now, &cms, e));
	x->evidence = arena_copy(w->a, buf_bytes(&cms));
	if ((x->is_minister ? w->ceilings.appointment_quorum
			    : w->ceilings.endorsements) > 1)
		wish_more(w, x, x->is_minister ? w->second : w->minister[1],
		    x->is_minister ? &w->second_der : &w->minister_der[1]);
	if (bytes != NULL)
		bytes(w, x);
}

/* The TBS again with the first octets of its serial. */
void
wish_shorten(struct world *w, struct wish *x, size_t len)
{
	uint8_t room[4096];
	struct der d = der_of(x->tbs);
	struct der in = der_enter(&d, DER_SEQUENCE);
	struct bytes version = der_element(&in);
	(void)der_element(&in);
	struct bytes rest = bytes_of(in.p, (size_t)(in.end - in.p));
	struct der_w out = der_w_of(room, sizeof(room));
	size_t mark = der_mark(&out);
	der_raw(&out, rest);
	der_put_integer(&out, bytes_of(x->serial, len));
	der_raw(&out, version);
	der_wrap(&out, DER_SEQUENCE, mark);
	struct bytes tbs;
	OK(der_w_end(&out, &tbs, e));
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	OK(key_sign(w->throwaway, tbs, &sig, e));
	OK(signed_assemble(tbs, key_type_sigalg(KEY_EC_P256), buf_bytes(&sig),
	    &der, e));
	x->container = arena_copy(w->a, buf_bytes(&der));
}

struct bytes
wish_body(struct world *w, const struct wish *x)
{
	struct buf body AUTO_BUF = BUF(1u << 20);
	struct buf list AUTO_BUF = BUF(1u << 20);
	/* No evidence at all is a list of none. */
	if (x->evidence.len > 0)
		put_bytes(&list, x->evidence);
	if (x->more.len > 0)
		put_bytes(&list, x->more);
	struct buf proof AUTO_BUF = BUF(1u << 16);
	if (x->proof.len > 0)
		put_bytes(&proof, x->proof);
	struct signer_certificate m = { x->issuer, x->container, x->statement,
		buf_bytes(&list), x->renewed, buf_bytes(&proof) };
	signer_certificate_encode(&m, &body);
	return arena_copy(w->a, buf_bytes(&body));
}

enum err_code
wish_ask(struct world *w, struct wish *x, struct bytes *answer,
    struct err *refusal)
{
	return world_ask(w, SIGNER_CERTIFICATE, wish_body(w, x), answer,
	    refusal);
}
