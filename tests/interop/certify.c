/*
 * certify - the certificate that a policy makes, signed by the key that it is
 * given: for what the signer refuses to sign, a CA below the issuer.  Judged
 * and linted as in issuance, with no engine.
 *
 * usage: certify CEILINGS NAME KIND ISSUER KEY CSR URL FILE...
 *
 *   NAME    a policy of these files; KIND the word for what the holder is
 *   ISSUER  certificate of the CA, KEY its key without passphrase, both PEM
 *   URL     where the CA's certificate and CRL are served
 *
 * Prints PEM, or on standard error why not.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <refrendo/policy.h>

#define SERIAL_LEN 20
#define FILES_MAX  (POLICIES_MAX + 1)

enum argument { CEILINGS = 1, NAME, KIND, ISSUER, KEY, CSR, URL, FILES };

/* What has been read and must live until the end. */
struct world {
	struct buf text[FILES_MAX];
	struct policy_file file[FILES_MAX]; /* the first: the ceilings */
	size_t n;
	struct policy_set *set;
	struct key *key;
	struct cert issuer;
	struct buf issuer_der;
};

static enum err_code
read_file(const char *name, struct buf *out, struct err *e)
{
	FILE *f = fopen(name, "rb");
	*out = BUF(POLICY_FILE_MAX);
	if (f == NULL)
		return err_errno(e, "certify-file", "a file cannot be read");
	uint8_t *p = buf_room(out, POLICY_FILE_MAX);
	if (p != NULL)
		out->len = fread(p, 1, POLICY_FILE_MAX, f);
	fclose(f);
	return buf_end(out, e);
}

static enum err_code
load_policies(struct world *w, char **argv, int argc, struct err *e)
{
	struct findings f = { NULL, 0, 0 };
	struct ceilings ceilings;
	for (int i = FILES - 1; i < argc && w->n < FILES_MAX; i++) {
		const char *name = i < FILES ? argv[CEILINGS] : argv[i];
		TRY(read_file(name, &w->text[w->n], e));
		w->file[w->n].name = name;
		w->file[w->n].text = buf_bytes(&w->text[w->n]);
		w->n++;
	}
	ceilings_load(&w->file[0], &ceilings, &f);
	if (f.errors == 0)
		policy_load(w->file + 1, w->n - 1, &ceilings, &w->set, &f);
	struct err first = f.len > 0 ? f.v[0].err : (struct err){ .code = 0 };
	findings_fini(&f);
	if (w->set != NULL)
		return ERR_OK;
	*e = first;
	return ERR_INVALID;
}

static enum err_code
load_issuer(struct world *w, char **argv, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0);
	TRY(read_file(argv[ISSUER], &text, e));
	w->issuer_der = BUF(CERT_MAX_BYTES);
	TRY(pem_or_der(buf_bytes(&text), "CERTIFICATE", &w->issuer_der, e));
	TRY(cert_parse(buf_bytes(&w->issuer_der), &w->issuer, e));
	return key_load(argv[KEY], BYTES_NONE, &w->key, e);
}

static enum err_code
evaluate(const struct world *w, char **argv, enum key_type type,
    struct arena *arena, struct cert_spec *spec, struct err *e)
{
	const struct policy *p = policy_find(w->set, bytes_str(argv[NAME]));
	struct policy_facts facts = { .key = type,
		.now = time(NULL),
		.issuer_not_after = w->issuer.not_after };
	struct verdicts v;
	if (p == NULL)
		return err_say(e, ERR_NOTFOUND, "certify-policy",
		    "no file has a policy of this name");
	TRY(person_kind_parse(bytes_str(argv[KIND]), &facts.person_kind, e));
	facts.fact[FACT_PERSON_RUN] = bytes_str("12345678-5");
	facts.fact[FACT_PERSON_NAME] = bytes_str("María Núñez Soto");
	facts.fact[FACT_PERSON_OFFICE] = bytes_str("Jefa de Gabinete");
	facts.fact[FACT_PERSON_EMAIL] = bytes_str("maria@example.cl");
	facts.fact[FACT_INSTITUTION_NAME] = bytes_str("Servicio de Ejemplo");
	facts.fact[FACT_INSTITUTION_RUT] = bytes_str("60100003-2");
	policy_evaluate(p, &facts, arena, spec, &v);
	for (size_t i = 0; i < v.len; i++) {
		if (!v.v[i].passed) {
			*e = v.v[i].err;
			return e->code;
		}
	}
	return ERR_OK;
}

static enum err_code
sign(struct world *w, const struct cert_spec *spec, struct buf *der,
    struct err *e)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf signature AUTO_BUF = BUF(SIG_MAX);
	struct cert cert;
	struct lint lint;
	TRY(cert_build_tbs(spec, &tbs, e));
	TRY(key_sign(w->key, buf_bytes(&tbs), &signature, e));
	TRY(signed_assemble(buf_bytes(&tbs), key_type_sigalg(key_type(w->key)),
	    buf_bytes(&signature), der, e));
	TRY(cert_parse(buf_bytes(der), &cert, e));
	cert_lint(&cert, spec->is_ca ? LINT_CA : LINT_HOLDER, LINT_ALL, &lint);
	return lint_verdict(&lint, e);
}

static enum err_code
certify(struct world *w, char **argv, struct buf *pem, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0), scratch AUTO_BUF = BUF(0);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	AUTO(arena) arena = arena_new();
	struct cert_spec spec = { .is_ca = false };
	uint8_t serial[SERIAL_LEN];
	struct csr csr;
	TRY(read_file(argv[CSR], &text, e));
	scratch = BUF(CSR_MAX_BYTES);
	TRY(csr_parse(buf_bytes(&text), &scratch, &csr, e));
	TRY(evaluate(w, argv, csr.type, arena, &spec, e));
	if (RAND_bytes(serial, SERIAL_LEN) != 1)
		return err_openssl(e, "certify-random", "no random octets");
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	spec.serial = bytes_of(serial, SERIAL_LEN);
	spec.issuer = w->issuer.subject;
	spec.issuer_ski = w->issuer.ski;
	spec.issuer_type = key_type(w->key);
	spec.spki = csr.spki;
	spec.crl_url =
	    bytes_str(arena_printf(arena, "%s/crl/root.crl", argv[URL]));
	spec.issuer_url =
	    bytes_str(arena_printf(arena, "%s/ca/root.cer", argv[URL]));
	TRY(sign(w, &spec, &der, e));
	pem_put(pem, "CERTIFICATE", buf_bytes(&der));
	return buf_end(pem, e);
}

int
main(int argc, char **argv)
{
	static struct world w;
	struct buf pem AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	struct err e = { .code = ERR_OK };
	if (argc <= FILES) {
		fputs("usage: certify CEILINGS NAME KIND ISSUER KEY CSR URL "
		      "FILE...\n",
		    stderr);
		return 2;
	}
	if (load_policies(&w, argv, argc, &e) == ERR_OK &&
	    load_issuer(&w, argv, &e) == ERR_OK &&
	    certify(&w, argv, &pem, &e) == ERR_OK)
		fputs(buf_text(&pem), stdout);
	else
		fprintf(stderr, "%s: %s %s\n", e.id, e.say, e.why);
	for (size_t i = 0; i < w.n; i++)
		buf_fini(&w.text[i]);
	policy_set_free(w.set);
	key_free(w.key);
	buf_fini(&w.issuer_der);
	return e.code == ERR_OK ? 0 : 1;
}
