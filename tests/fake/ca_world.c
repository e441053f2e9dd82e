#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca_world.h"

/* clang-format off */
static const char policy_firma[] =
	"policy: funcionario-firma\n"
	"version: 1\n"
	"issuer: institucional\n"
	"subject:\n"
	"  C: CL\n"
	"  O: \"{institution.name}\"\n"
	"  title: \"{person.office}\"\n"
	"  serialNumber: \"{person.run}\"\n"
	"  CN: \"{person.name}\"\n"
	"  emailAddress: \"{person.email}\"\n"
	"names:\n"
	"  subject_alt: [{other: 1.3.6.1.4.1.8321.1, ia5: \"{person.run}\"}, "
	"{email: \"{person.email}\"}]\n"
	"  issuer_alt: [{other: 1.3.6.1.4.1.8321.2, ia5: \"{institution.rut}\"}]\n"
	"keys: {modes: [csr], allowed: [ec-p256, ec-p384], reuse: forbid}\n"
	"validity: {default: 2y, max: 3y, backdate: 0s, renew_window: 60d}\n"
	"usage: {key: [digitalSignature, nonRepudiation], "
	"extended: [emailProtection, clientAuth], critical: [key]}\n"
	"certificate_policies: [{oid: 2.16.152.1.999.1}]\n"
	"endorsement: {required: 1, evidence: [cms], request_ttl: 15d, "
	"statement_ttl: 8h}\n"
	"revocation: {holder: immediate, operator: propose, suspend_max: 30d}\n"
	"status: {ocsp: {validity: 4d, refresh: 50%}, "
	"crl: {every: 6h, on_revoke: true, overlap: 24h}}\n";
static const char policy_estricta[] =
	"policy: firma-estricta\n"
	"version: 1\n"
	"issuer: institucional\n"
	"subject:\n"
	"  C: CL\n"
	"  O: \"{institution.name}\"\n"
	"  title: \"{person.office}\"\n"
	"  serialNumber: \"{person.run}\"\n"
	"  CN: \"{person.name}\"\n"
	"  emailAddress: \"{person.email}\"\n"
	"names:\n"
	"  subject_alt: [{other: 1.3.6.1.4.1.8321.1, ia5: \"{person.run}\"}, "
	"{email: \"{person.email}\"}]\n"
	"keys: {modes: [csr], allowed: [ec-p256], reuse: same-person}\n"
	"validity: {default: 90d, max: 1y, renew_window: 30d, overlap: 5d}\n"
	"usage: {key: [digitalSignature], extended: [clientAuth], critical: [key]}\n"
	"certificate_policies: [{oid: 2.16.152.1.999.2}]\n"
	"endorsement: {required: 1, evidence: [cms], request_ttl: 5d, "
	"statement_ttl: 1h, renewal: mandate}\n"
	"revocation: {holder: none, operator: none, suspend_max: 0s}\n"
	"status: {ocsp: {validity: 4d, refresh: 50%}, "
	"crl: {every: 6h, on_revoke: true, overlap: 24h}}\n";
static const char policy_base[] =
	"policy: base-firma\n"
	"version: 1\n"
	"base: true\n"
	"issuer: institucional\n"
	"subject: {C: CL, CN: \"{person.name}\", serialNumber: "
	"\"{person.run}\", emailAddress: \"{person.email}\"}\n"
	"names: {subject_alt: [{email: \"{person.email}\"}]}\n"
	"keys: {allowed: [ec-p256]}\n"
	"validity: {default: 90d, max: 1y}\n"
	"usage: {key: [digitalSignature], extended: [clientAuth]}\n";
static const char policy_fina[] =
	"policy: firma-fina\n"
	"version: 1\n"
	"extends: base-firma@1\n"
	"validity: {max: 90d}\n";
static const char policy_ca[] =
	"policy: ca-inferior\n"
	"version: 1\n"
	"issuer: institucional\n"
	"subject: {C: CL, CN: \"CA {institution.rut}\"}\n"
	"keys: {allowed: [ec-p256, ec-p384]}\n"
	"validity: {default: 5y, max: 10y}\n"
	"usage: {key: [keyCertSign, cRLSign]}\n"
	"subordinate: {path_length: 0}\n";
/* clang-format on */

void
world_must(struct world *w, enum err_code code, const char *what)
{
	if (code == ERR_OK)
		return;
	print_message("%s: %s: %s (%s) [%s]\n", what, err_code_name(code),
	    w->e.say, w->e.why, w->e.id);
	fail_msg("%s was refused", what);
}

/* --- Keys and certificates ------------------------------------------------------ */

static struct bytes
keep(struct world *w, const struct buf *b)
{
	return arena_copy(w->a, buf_bytes(b));
}

static uint8_t
next_octet(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint8_t)(*state >> 56);
}

static struct bytes
own_ski(struct world *w, enum key_type type, const struct buf *tbs)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert c;

	world_must(w,
	    signed_assemble(buf_bytes(tbs), key_type_sigalg(type),
		bytes_str("no signature"), &der, &w->e),
	    "a draft");
	world_must(w, cert_parse(buf_bytes(&der), &c, &w->e), "a draft");
	return arena_copy(w->a, c.ski);
}

static struct bytes
make_certificate(struct world *w, struct key *subject, struct key *signer,
    const struct cert *issuer, const char *cn, bool is_ca)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct name_attr attr[] = { { OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_CN, bytes_str(cn), STRING_USUAL },
		{ OID_O, bytes_str("Universidad de Prueba"), STRING_USUAL } };
	bool is_root = is_ca && issuer == NULL;
	uint8_t serial[20] = { 0x11 };
	struct cert_spec spec = { .serial = bytes_of(serial, 20),
		.issuer_type = key_type(signer),
		.not_before = w->now - DAY,
		.not_after = w->now + (is_root ? 3660 * DAY - 1 : 3650 * DAY),
		.spki = key_spki(subject),
		.is_ca = is_ca,
		.path_len = is_ca && !is_root ? 0 : -1,
		.key_usage = is_ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN
				   : KU_DIGITAL_SIGNATURE };

	for (size_t i = 1; i < sizeof(serial); i++)
		serial[i] = next_octet(&w->seed);
	world_must(w, name_build(attr, is_ca ? 3 : 2, &name, &w->e), "a name");
	spec.subject = buf_bytes(&name);
	spec.issuer = issuer == NULL ? spec.subject : issuer->subject;
	/* A self-signed one names its own key: that is in a first draft. */
	struct bytes none = bytes_str("01234567890123456789");
	spec.issuer_ski = issuer == NULL ? none : issuer->ski;
	world_must(w, cert_build_tbs(&spec, &tbs, &w->e), "a TBS");
	if (issuer == NULL) {
		spec.issuer_ski = own_ski(w, spec.issuer_type, &tbs);
		buf_reset(&tbs);
		world_must(w, cert_build_tbs(&spec, &tbs, &w->e), "a TBS");
	}
	world_must(w, key_sign(signer, buf_bytes(&tbs), &sig, &w->e), "a key");
	world_must(w,
	    signed_assemble(buf_bytes(&tbs), key_type_sigalg(key_type(signer)),
		buf_bytes(&sig), &der, &w->e),
	    "a certificate");
	return keep(w, &der);
}

struct world_key *
world_key(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->n_key; i++)
		if (strcmp(w->key[i].name, name) == 0)
			return &w->key[i];
	assert_true(w->n_key < WORLD_KEYS);
	struct world_key *k = &w->key[w->n_key++];
	snprintf(k->name, sizeof(k->name), "%s", name);
	world_must(w, key_generate(KEY_EC_P256, &k->key, &w->e), name);
	return k;
}

struct bytes
world_csr(struct world *w, const char *key)
{
	struct buf b AUTO_BUF = BUF(CSR_MAX_BYTES);

	world_must(w,
	    csr_build(world_key(w, key)->key, "clave del titular", &b, &w->e),
	    key);
	return keep(w, &b);
}

struct bytes
world_cms(struct world *w, const char *key, struct bytes text)
{
	struct buf b AUTO_BUF = BUF(CMS_MAX_BYTES);
	struct world_key *k = world_key(w, key);

	if (k->certificate.len == 0)
		k->certificate =
		    make_certificate(w, k->key, k->key, NULL, key, false);
	world_must(w, cms_sign(k->key, k->certificate, text, w->now, &b, &w->e),
	    key);
	return keep(w, &b);
}

/* --- Making and ending ------------------------------------------------------------- */

static void
make_issuer(struct world *w, struct ca_issuer *i, const char *name,
    struct key *key, struct key *root, const struct cert *root_cert)
{
	struct bytes der =
	    make_certificate(w, key, root, root_cert, name, true);

	memset(i, 0, sizeof(*i));
	snprintf(i->name, sizeof(i->name), "%s", name);
	world_must(w, cert_parse(der, &i->cert, &w->e), name);
	i->type = key_type(key);
	snprintf(i->crl_url, sizeof(i->crl_url),
	    "http://ca.example.cl/crl/%s.crl", name);
	snprintf(i->ocsp_url, sizeof(i->ocsp_url), "http://ca.example.cl/ocsp");
	snprintf(i->ca_url, sizeof(i->ca_url), "http://ca.example.cl/ca/%s.cer",
	    name);
	world_must(w, issuer_id_of(&i->cert, &i->id, &w->e), name);
}

static void
make_officers(struct world *w)
{
	static const struct {
		const char *run, *name, *key;
	} all[] = { { OFFICER_1, "Oficial Uno", "officer1" },
		{ OFFICER_2, "Oficial Dos", "officer2" } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct officer *o = &w->ceilings.officer[i];
		snprintf(o->run, sizeof(o->run), "%s", all[i].run);
		snprintf(o->name, sizeof(o->name), "%s", all[i].name);
		sha256(o->spki_sha256, key_spki(world_key(w, all[i].key)->key));
	}
	w->ceilings.n_officer = ARRAY_LEN(all);
}

static void
make_policies(struct world *w)
{
	struct policy_file files[] = {
		{ "funcionario-firma.yaml", bytes_str(policy_firma) },
		{ "firma-estricta.yaml", bytes_str(policy_estricta) },
		{ "base-firma.yaml", bytes_str(policy_base) },
		{ "firma-fina.yaml", bytes_str(policy_fina) },
		{ "ca-inferior.yaml", bytes_str(policy_ca) },
	};
	struct findings f = { NULL, 0, 0 };
	struct buf text AUTO_BUF = BUF(1 << 16);

	policy_load(files, ARRAY_LEN(files), &w->ceilings, &w->policies, &f);
	for (size_t i = 0; i < f.len; i++)
		finding_print(&text, &f.v[i], files[0].text);
	if (w->policies == NULL)
		fail_msg("the policies do not load: %s", buf_text(&text));
	findings_fini(&f);
}

static void
first_entries(struct world *w, const struct cert *root)
{
	struct decision d = { .n = 0 };
	struct ca_init init = { .origin = w->ca.origin,
		.log_spki = key_spki(w->log_key),
		.n_cert = 3,
		.ceilings = &w->ceilings };

	init.cert[0].role = init.cert[0].name = "root";
	init.cert[0].der = root->der;
	init.cert[1].role = "issuer";
	init.cert[1].name = w->issuer.name;
	init.cert[1].der = w->issuer.cert.der;
	init.cert[2].role = init.cert[2].name = "endorser";
	init.cert[2].der = w->endorser.cert.der;
	world_must(w, ca_decide_init(&init, w->now, w->a, &d.draft[0], &w->e),
	    "init");
	d.n = 1;
	world_must(w, world_append(w, &d), "the first entry");
	for (d.n = 0; d.n < w->policies->n; d.n++)
		world_must(w,
		    ca_decide_policy(&w->policies->policy[d.n], w->now, w->a,
			&d.draft[d.n], &w->e),
		    "a policy");
	world_must(w, world_append(w, &d), "the policies' entries");
}

/* --- The root: its list, and what it answers ------------------------------------------ */

static struct bytes
signed_by(struct world *w, struct key *key, struct bytes tbs)
{
	struct buf sig AUTO_BUF = BUF(SIG_MAX), der AUTO_BUF = BUF(1 << 16);

	world_must(w, key_sign(key, tbs, &sig, &w->e), "the root's key");
	world_must(w,
	    signed_assemble(tbs, key_type_sigalg(key_type(key)),
		buf_bytes(&sig), &der, &w->e),
	    "what the root signs");
	return keep(w, &der);
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

static struct bytes
first_list(struct world *w, struct key *root)
{
	struct buf tbs AUTO_BUF = BUF(1 << 16);
	struct crl_source none = { NULL, none_rewind, none_next };
	struct crl_spec spec = { .issuer = w->root.subject,
		.issuer_ski = w->root.ski,
		.issuer_type = key_type(root),
		.number = 1,
		.this_update = w->now,
		.next_update = w->now + 300 * DAY };

	world_must(w, crl_build_tbs(&spec, &none, &tbs, &w->e), "a list");
	return signed_by(w, root, buf_bytes(&tbs));
}

struct bytes
world_answer(struct world *w, const char *spec)
{
	const char *id = strchr(spec, ':') + 1;
	struct ceremony_file *f = arena_get(w->a, sizeof(*f));
	struct buf out AUTO_BUF = BUF(1 << 17);
	struct agreement_row c;
	bool found;
	char name[24];

	snprintf(name, sizeof(name), "%.*s", (int)(id - 1 - spec), spec);
	world_must(w,
	    rec_get(w->v, &rec_ceremony,
		ca_row_key(w->a, ROW_CEREMONY, bytes_str(id)), w->a, &c, &found,
		&w->e),
	    id);
	assert_true(found);
	*f = (struct ceremony_file){ .is_answer = true,
		.statement = c.statement,
		.transcript = bytes_str("la raíz firmó") };
	world_must(w, ceremony_parse(c.statement, w->a, &f->is, &w->e), id);
	f->object[0] = signed_by(w, world_key(w, name)->key, c.tbs);
	ceremony_file_print(f, &out);
	return keep(w, &out);
}

struct world *
world_new(const char *when)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->a = arena_new();
	w->v = fake_view_new();
	w->seed = 1;
	assert_true(time_parse(bytes_str(when), &w->now));
	w->ceilings = (struct ceilings){ .validity_max_s = 1096 * DAY,
		.backdate_max_s = HOUR,
		.keys = 1u << KEY_EC_P256 | 1u << KEY_EC_P384,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
		.names = 1u << 0 | 1u << 1, /* otherName, e-mail */
		.statement_max_s = DAY,
		.appointment_max_s = 1461 * DAY,
		.ocsp_max_s = 10 * DAY,
		.crl_max_s = 10 * DAY,
		.per_hour = 1000,
		.per_hour_institution = 1000,
		.refusals_per_hour = 1000,
		.endorsements = 1,
		.mandate_max_s = 366 * DAY,
		.appointment_quorum = 1,
		.quorum = 1 };
	make_officers(w);
	make_policies(w);
	world_must(w, verifier_new(&w->verifier, &w->e), "a verifier");
	world_must(w, key_generate(KEY_ED25519, &w->log_key, &w->e), "log");
	struct key *root = world_key(w, "root")->key;
	struct bytes der =
	    make_certificate(w, root, root, NULL, "Autoridad de Prueba", true);
	world_must(w, cert_parse(der, &w->root, &w->e), "the root");
	w->issuer_key = world_key(w, "ca-issuer")->key;
	w->endorser_key = world_key(w, "ca-endorser")->key;
	make_issuer(w, &w->issuer, "institucional", w->issuer_key, root,
	    &w->root);
	make_issuer(w, &w->endorser, "endorser", w->endorser_key, root,
	    &w->root);
	w->issuer.is_open = true;
	world_must(w, ca_issuers_add(&w->issuers, &w->issuer, &w->e), "a CA");
	w->ca = (struct ca){ .origin = bytes_str("ca.example.cl/log"),
		.policies = w->policies,
		.ceilings = &w->ceilings,
		.issuers = &w->issuers,
		.endorser = &w->endorser,
		.root_list = first_list(w, root),
		.public_url = "http://ca.example.cl",
		.verifier = w->verifier };
	first_entries(w, &w->root);
	return w;
}

void
world_free(struct world *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n_key; i++)
		key_free(w->key[i].key);
	key_free(w->log_key);
	verifier_free(w->verifier);
	policy_set_free(w->policies);
	fake_view_free(w->v);
	arena_free(w->a);
	free(w);
}

static const char *
text_of(const char *spec, size_t len)
{
	static const struct {
		const char *name, *text;
	} all[] = {
		{ "funcionario-firma", policy_firma },
		{ "firma-estricta", policy_estricta },
		{ "base-firma", policy_base },
		{ "firma-fina", policy_fina },
	};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(all) && strncmp(spec, all[i].name, len) != 0)
		i++;
	return all[i].text;
}

/* "funcionario-firma:2x+firma-estricta:2": names, versions, other bytes. */
struct bytes
world_files(struct world *w, const char *spec)
{
	struct buf b AUTO_BUF = BUF(1 << 18);

	while (*spec != '\0') {
		size_t len = strcspn(spec, ":");
		const char *text = text_of(spec, len);
		char *rest;
		long version = strtol(spec + len + 1, &rest, 10);
		const char *at = strstr(text, "version: 1\n");
		const char *base = strstr(text, "@1\n");
		struct buf one AUTO_BUF = BUF(1 << 16);

		buf_put(&one, text, (size_t)(at - text));
		buf_putf(&one, "version: %ld\n", version);
		at += strlen("version: 1\n");
		if (*rest == '^' && base != NULL) {
			version = strtol(rest + 1, &rest, 10);
			buf_put(&one, at, (size_t)(base - at));
			buf_putf(&one, "@%ld\n", version);
			at = base + strlen("@1\n");
		}
		buf_puts(&one, at);
		for (; *rest != '\0' && *rest != '+'; rest++)
			buf_putf(&one,
			    *rest == '!' ? "nonsense: 1\n" : "# %c\n", *rest);
		put_bytes(&b, buf_bytes(&one));
		spec = rest + (*rest == '+');
	}
	return keep(w, &b);
}

/* --- Commands -------------------------------------------------------------------------- */

struct command
world_command(struct world *w, enum ca_act act, ...)
{
	struct command c = { .act = act, .uid = 1000 };
	va_list ap;

	c.f[CF_KEY] = bytes_str(arena_printf(w->a, "key-%u", ++w->n_command));
	va_start(ap, act);
	for (;;) {
		int f = va_arg(ap, int);
		if (f == CF_COUNT)
			break;
		c.f[f] = bytes_str(va_arg(ap, const char *));
	}
	va_end(ap);
	return c;
}

static void
fill_pool(struct world *w, struct random_pool *pool)
{
	uint64_t state = w->seed++;

	if (w->values > 0)
		state %= w->values;
	for (size_t i = 0; i < RANDOM_POOL; i++)
		pool->p[i] = next_octet(&state);
	pool->used = 0;
}

/* On a copy that is kept or dropped, like a transaction. */
static enum err_code
append_to(struct world *w, struct view *v, const struct decision *d)
{
	uint8_t salt[ENTRY_SALT];

	for (size_t i = 0; i < d->n; i++) {
		for (size_t k = 0; k < ENTRY_SALT; k++)
			salt[k] = next_octet(&w->seed);
		TRY(ca_append(v, &d->draft[i], w->now, salt, &w->e));
		w->activated |= d->draft[i].type == ENTRY_POLICY_ACTIVATED;
	}
	return ERR_OK;
}

static enum err_code
settle(struct world *w, struct view *v, enum err_code code)
{
	bool activated = w->activated;

	w->activated = false;
	w->struck = fake_view_failed(v);
	if (code != ERR_OK) {
		fake_view_free(v);
		return code;
	}
	fake_view_free(w->v);
	w->v = v;
	fake_view_fail(v, 0);
	if (activated) {
		struct policy_set *old = w->policies;
		world_must(w,
		    ca_policies_in_force(v, &w->ceilings, w->a, &w->policies,
			&w->e),
		    "the policies in force");
		w->ca.policies = w->policies;
		policy_set_free(old);
	}
	return ERR_OK;
}

enum err_code
world_append(struct world *w, const struct decision *d)
{
	struct view *v = fake_view_copy(w->v);

	fake_view_fail(v, 0);
	return settle(w, v, append_to(w, v, d));
}

enum err_code
world_decide(struct world *w, const struct command *c)
{
	struct random_pool pool;

	fill_pool(w, &pool);
	return ca_decide(&w->ca, w->v, c, w->now, &pool, w->a, &w->out, &w->e);
}

enum err_code
world_run(struct world *w, const struct command *c)
{
	struct random_pool pool;
	struct view *v = fake_view_copy(w->v);

	fill_pool(w, &pool);
	fake_view_fail(v, w->fail_at);
	enum err_code code =
	    ca_decide(&w->ca, v, c, w->now, &pool, w->a, &w->out, &w->e);
	if (code == ERR_OK)
		code = append_to(w, v, &w->out);
	return settle(w, v, code);
}

static struct bytes
sign_work(struct world *w, const struct work *work)
{
	struct bytes tbs, sigalg, throwaway;
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct key *key =
	    work->is_appointment ? w->endorser_key : w->issuer_key;

	world_must(w,
	    signed_split(work->container, &tbs, &sigalg, &throwaway, &w->e),
	    "a container");
	world_must(w, key_sign(key, tbs, &sig, &w->e), "the CA's key");
	world_must(w,
	    signed_assemble(tbs, sigalg, buf_bytes(&sig), &der, &w->e),
	    "a certificate");
	return keep(w, &der);
}

size_t
world_sign(struct world *w, const struct err *refusal)
{
	struct bytes after = BYTES_NONE, id;
	struct random_pool pool;
	struct decision d;
	struct work work;
	size_t n = 0;
	bool found;

	for (;;) {
		world_must(w,
		    ca_work_next(w->v, after, w->a, &id, &found, &w->e),
		    "work");
		if (!found)
			return n;
		world_must(w, ca_work(w->v, id, w->a, &work, &w->e), "work");
		struct bytes der = BYTES_NONE;
		if (refusal == NULL)
			der = sign_work(w, &work);
		fill_pool(w, &pool);
		world_must(w,
		    ca_signed(&w->ca, w->v, id, der, refusal, w->now, &pool,
			w->a, &d, &w->e),
		    "the signer's answer");
		world_must(w, world_append(w, &d), "the signer's entries");
		if (refusal == NULL && work.is_appointment) {
			/* Whoever holds this key signs with it from now on. */
			struct cert c;
			world_must(w, cert_parse(der, &c, &w->e), "it");
			for (size_t i = 0; i < w->n_key; i++)
				if (bytes_eq(key_spki(w->key[i].key), c.spki))
					w->key[i].certificate = der;
		}
		after = id;
		n++;
	}
}

size_t
world_tick(struct world *w)
{
	struct decision d;
	size_t n = 0;

	for (;;) {
		world_must(w, ca_tick(&w->ca, w->v, w->now, w->a, &d, &w->e),
		    "a tick");
		if (d.n == 0)
			return n;
		assert_true(d.object.len > 0);
		world_must(w, world_append(w, &d), "what fell due");
		n++;
	}
}

/* --- The short way through ------------------------------------------------------------- */

static const char *
object_id(struct world *w)
{
	return arena_str(w->a,
	    bytes_of(w->out.object.p + 1, w->out.object.len - 1));
}

static void
must_run(struct world *w, struct command c)
{
	world_must(w, world_run(w, &c), ca_acts[c.act].name);
}

void
world_institution(struct world *w, const char *rut, const char *name)
{
	must_run(w, world_command(w, ACT_INSTITUTION_ADD, CF_AS, OFFICER_1,
			CF_RUT, rut, CF_NAME, name, CF_COUNT));
	must_run(w, world_command(w, ACT_INSTITUTION_ENABLE, CF_AS, OFFICER_1,
			CF_RUT, rut, CF_COUNT));
}

void
world_person(struct world *w, const char *rut, const char *run,
    const char *name, bool is_operator)
{
	must_run(w, world_command(w, ACT_PERSON_REGISTER, CF_AS, OFFICER_1,
			CF_RUT, rut, CF_RUN, run, CF_NAME, name, CF_OFFICE,
			"Director de Obras", CF_EMAIL, "persona@institucion.cl",
			CF_OPERATOR, is_operator ? "true" : "false", CF_COUNT));
}

const char *
world_minister(struct world *w, const char *rut, const char *run,
    const char *name, const char *key)
{
	char until[TIME_TEXT];

	time_print(until, w->now + 700 * DAY);
	struct command c = world_command(w, ACT_APPOINTMENT_PROPOSE, CF_AS,
	    OFFICER_1, CF_RUT, rut, CF_RUN, run, CF_NAME, name, CF_OFFICE,
	    "Secretario Municipal", CF_ACT_NUMBER, "Decreto 123", CF_ACT_DATE,
	    "2026-11-01", CF_UNTIL, arena_str(w->a, bytes_str(until)),
	    CF_COUNT);
	c.f[CF_CSR] = world_csr(w, key);
	must_run(w, c);
	const char *id = object_id(w);
	c = world_command(w, ACT_APPOINTMENT_CONFIRM, CF_APPOINTMENT, id,
	    CF_COUNT);
	c.f[CF_CMS] = world_evidence(w, "officer1", id);
	must_run(w, c);
	assert_int_equal(world_sign(w, NULL), 1);
	return id;
}

void
world_populate(struct world *w)
{
	world_institution(w, RUT_A, "Municipalidad de Prueba");
	world_person(w, RUT_A, OPERATOR, "Olga Operadora", true);
	world_person(w, RUT_A, HOLDER, "Héctor Titular", false);
	world_person(w, RUT_A, HOLDER_2, "Hilda Segunda", false);
	world_minister(w, RUT_A, MINISTER, "Marta Ministra", "minister");
}

const char *
world_request(struct world *w, const char *run, const char *key,
    const char *policy)
{
	struct command c = world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR,
	    CF_RUT, RUT_A, CF_RUN, run, CF_POLICY, policy, CF_COUNT);

	c.f[CF_CSR] = world_csr(w, key);
	must_run(w, c);
	return object_id(w);
}

struct bytes
world_evidence(struct world *w, const char *key, const char *id)
{
	struct appointment ap;
	struct agreement_row ac;
	struct agreement_row c;
	bool found;

	if (strncmp(id, "CER-", 4) == 0) {
		world_must(w,
		    rec_get(w->v, &rec_ceremony,
			ca_row_key(w->a, ROW_CEREMONY, bytes_str(id)), w->a, &c,
			&found, &w->e),
		    id);
		assert_true(found);
		return world_cms(w, key, c.statement);
	}
	if (strncmp(id, "POL-", 4) == 0) {
		world_must(w,
		    rec_get(w->v, &rec_activation,
			ca_row_key(w->a, ROW_ACTIVATION, bytes_str(id)), w->a,
			&ac, &found, &w->e),
		    id);
		assert_true(found);
		return world_cms(w, key, ac.statement);
	}
	if (strncmp(id, "MAN-", 4) == 0) {
		struct mandate m;
		world_must(w,
		    rec_get(w->v, &rec_mandate,
			ca_row_key(w->a, ROW_MANDATE, bytes_str(id)), w->a, &m,
			&found, &w->e),
		    id);
		assert_true(found);
		return world_cms(w, key, m.statement);
	}
	if (strncmp(id, "NOM-", 4) != 0)
		return world_cms(w, key, world_get_request(w, id).statement);
	world_must(w,
	    rec_get(w->v, &rec_appointment,
		ca_row_key(w->a, ROW_APPOINTMENT, bytes_str(id)), w->a, &ap,
		&found, &w->e),
	    id);
	assert_true(found);
	return world_cms(w, key, ap.statement);
}

struct command
world_endorsement(struct world *w, const char *key, const char *id)
{
	struct command c =
	    world_command(w, ACT_REQUEST_ENDORSE, CF_REQUEST, id, CF_COUNT);

	c.f[CF_CMS] = world_evidence(w, key, id);
	return c;
}

struct request
world_get_request(struct world *w, const char *id)
{
	struct request r;
	bool found;

	struct bytes key = ca_row_key(w->a, ROW_REQUEST, bytes_str(id));

	world_must(w, rec_get(w->v, &rec_request, key, w->a, &r, &found, &w->e),
	    id);
	assert_true(found);
	world_must(w, rec_load(w->v, &rec_request, NULL, w->a, &r, &w->e), id);
	return r;
}

struct certificate
world_get_certificate(struct world *w, struct bytes serial)
{
	struct certificate c;
	bool found;

	struct bytes key = ca_row_key(w->a, ROW_CERTIFICATE, serial);

	world_must(w,
	    rec_get(w->v, &rec_certificate, key, w->a, &c, &found, &w->e),
	    "a certificate");
	assert_true(found);
	world_must(w, rec_load(w->v, &rec_certificate, NULL, w->a, &c, &w->e),
	    "its blobs");
	return c;
}

const char *
world_serial(struct world *w, const char *request)
{
	struct bytes serial = world_get_request(w, request).serial;
	char *hex = arena_get(w->a, HEX_LEN(serial.len));

	hex_print(hex, serial);
	return hex;
}

const char *
world_issue(struct world *w, const char *run, const char *key)
{
	const char *id = world_request(w, run, key, "funcionario-firma");

	must_run(w, world_endorsement(w, "minister", id));
	assert_int_equal(world_sign(w, NULL), 1);
	assert_int_equal(world_get_request(w, id).state, REQ_ISSUED);
	return world_serial(w, id);
}
