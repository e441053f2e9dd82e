/* init_files - directories, key files and etc/ of a new installation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "init.h"

const char *
init_inside(struct init *i, const char *name)
{
	return arena_printf(i->c->arena, "%s/%s", i->dir, name);
}

enum err_code
init_directories(struct init *i, struct err *e)
{
	static const char *const names[] = { "ca", "ceremony", "etc",
		"etc/policies", "keys", "officer", "run", "signer",
		"snapshots" };
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		if (mkdir(init_inside(i, names[k]), 0700) != 0)
			return err_errno(e, "init-mkdir",
			    "a directory of the installation cannot be made");
	}
	return ERR_OK;
}

enum err_code
init_write_pem(struct init *i, const char *name, const char *label,
    struct bytes der, struct err *e)
{
	struct buf pem AUTO_BUF = BUF(2 * CERT_MAX_BYTES);
	pem_put(&pem, label, der);
	TRY(buf_end(&pem, e));
	return file_write(init_inside(i, name), buf_bytes(&pem), 0644, e);
}

static enum err_code
write_key(struct init *i, const char *name, const struct key *key,
    struct err *e)
{
	struct buf pem AUTO_BUF = BUF(16384);
	TRY(key_print(key, buf_bytes(&i->passphrase), &pem, e));
	return file_write(init_inside(i, name), buf_bytes(&pem), 0600, e);
}

enum err_code
init_write_keys(struct init *i, struct err *e)
{
	const struct {
		const char *name;
		const struct key *key;
	} keys[] = {
		{ "keys/root.key", i->root.key },
		{ "keys/emisora.key", i->issuer.key },
		{ "keys/endorser.key", i->endorser.key },
		{ "keys/emisora-ocsp.key", i->ocsp },
		{ "keys/log.key", i->log },
		{ "officer/officer.key", i->officer.key },
	};
	const struct {
		const char *name;
		struct bytes der;
	} certificates[] = {
		{ "ca/root.pem", buf_bytes(&i->root.der) },
		{ "ca/emisora.pem", buf_bytes(&i->issuer.der) },
		{ "ca/endorser.pem", buf_bytes(&i->endorser.der) },
		{ "officer/officer.pem", buf_bytes(&i->officer.der) },
	};
	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		if (keys[k].key != NULL)
			TRY(write_key(i, keys[k].name, keys[k].key, e));
	}
	/* What an offline root has to sign comes later. */
	for (size_t k = 0; k < ARRAY_LEN(certificates); k++) {
		if (i->is_offline && k > 0 && k < 3)
			continue;
		TRY(init_write_pem(i, certificates[k].name, "CERTIFICATE",
		    certificates[k].der, e));
	}
	TRY(init_write_pem(i, "ca/log.pem", "PUBLIC KEY", key_spki(i->log), e));
	if (i->is_offline)
		return ERR_OK;
	return file_write(init_inside(i, "ca/root.crl"),
	    buf_bytes(&i->root_crl), 0644, e);
}

/* --- etc/ ------------------------------------------------------------------------ */

/* A double-quoted scalar of YAML: JSON's escapes are among its own. */
static void
put_quoted(struct buf *out, const char *text)
{
	json_put_string(out, bytes_str(text));
}

static enum err_code
not_accepted(struct err *e)
{
	return err_say(e, ERR_INVALID, "init-configuration",
	    "what was given does not make a configuration that the engine "
	    "accepts; see above");
}

/* Before any key is made: what is wrong with the options is told first. */
static enum err_code
check_config(struct init *i, struct bytes text, struct err *e)
{
	struct findings f = { NULL, 0, 0 };
	struct policy_file file = { .name = "etc/refrendo.yaml", .text = text };
	config_load(&file, &i->config, &f);
	findings_show(i->c, &f, &file, 1);
	size_t errors = f.errors;
	findings_fini(&f);
	return errors == 0 ? ERR_OK : not_accepted(e);
}

enum err_code
init_write_config(struct init *i, struct err *e)
{
	struct buf out AUTO_BUF = BUF(POLICY_FILE_MAX);
	buf_puts(&out, "# The configuration.  Paths are relative to the "
		       "directory given with --dir.\n\norigin: ");
	put_quoted(&out, i->origin);
	buf_puts(&out, "    # name of the log; never changes\npublic_url: ");
	put_quoted(&out, i->public_url);
	buf_puts(&out, "\nlisten: ");
	put_quoted(&out, i->listen);
	buf_puts(&out,
	    "    # of the status processes; a proxy may stand before\n\n"
	    "admin:\n"
	    "  socket: run/admin.sock\n"
	    "  uids: []    # who may use it beside root and the engine's own\n"
	    "\n"
	    "# Of status 0 stands for one on each core, at most 8.\n"
	    "processes: {status: 0, front: 1}\n\n"
	    "# Address space, not disk: set once, large.\n"
	    "maps: {ledger: 64GiB, public: 16GiB}\n\n"
	    "# A key is a URI: file: (encrypted PKCS#8) or pkcs11: (a token).  "
	    "Passphrases\n"
	    "# and PINs come from credentials, never from this file.\n"
	    "keys:\n"
	    "  log: file:keys/log.key\n"
	    "  endorser: file:keys/endorser.key\n\n"
	    "files:\n"
	    "  log_public: ca/log.pem\n"
	    "  endorser: ca/endorser.pem\n"
	    "  root: ca/root.pem\n"
	    "  signer: etc/signer.yaml\n"
	    "  policies: etc/policies\n\n"
	    "issuers:\n"
	    "  - name: " ISSUER "\n"
	    "    certificate: ca/emisora.pem\n"
	    "    key: file:keys/emisora.key\n"
	    "    ocsp_key: file:keys/emisora-ocsp.key\n"
	    "    ocsp_certificate: 30d\n");
	TRY(buf_end(&out, e));
	TRY(check_config(i, buf_bytes(&out), e));
	return file_write(init_inside(i, "etc/refrendo.yaml"), buf_bytes(&out),
	    0600, e);
}

/* The sample with this installation's address. */
static void
put_policy(struct init *i, const struct sample *s, struct buf *out)
{
	const char *at, *text = s->text;
	while ((at = strstr(text, SAMPLE_URL)) != NULL) {
		buf_put(out, text, (size_t)(at - text));
		buf_puts(out, i->public_url);
		text = at + strlen(SAMPLE_URL);
	}
	buf_puts(out, text);
}

static enum err_code
write_policy(struct init *i, const struct sample *s, struct err *e)
{
	struct buf out AUTO_BUF = BUF(POLICY_FILE_MAX);
	put_policy(i, s, &out);
	TRY(buf_end(&out, e));
	return file_write(init_inside(i, arena_printf(i->c->arena,
					     "etc/policies/%s", s->name)),
	    buf_bytes(&out), 0644, e);
}

/* What the signer takes without its officers' signatures. */
static void
put_first_policies(struct init *i, struct buf *out)
{
	buf_putf(out,
	    "quorum: %lld    # officers who must sign policies and "
	    "ceremonies\n"
	    "appointment_quorum: %lld    # officers who must sign an "
	    "appointment\n",
	    (long long)i->quorum, (long long)i->quorum);
	buf_puts(out,
	    "\n# Policies in force since the beginning, by the SHA-256 of "
	    "their "
	    "files.  Later\n"
	    "# ones take effect by refrendo policy activate and stay out of "
	    "this list.\n"
	    "policies:\n");
	for (size_t k = 0; k < init_n_samples; k++) {
		struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX);
		char name[POLICY_NAME_MAX], hex[HEX_LEN(SHA256_LEN)];
		uint8_t hash[SHA256_LEN];
		put_policy(i, &init_samples[k], &text);
		if (!policy_name_of(buf_bytes(&text), name))
			fatal("a sample policy has no name");
		sha256(hash, buf_bytes(&text));
		hex_print(hex, bytes_of(hash, SHA256_LEN));
		buf_putf(out, "  - name: %s\n    sha256: \"%s\"\n", name, hex);
	}
}

static void
put_officer(struct buf *out, const char *run, const char *name,
    const uint8_t spki_sha256[SHA256_LEN])
{
	char hex[HEX_LEN(SHA256_LEN)];
	hex_print(hex, bytes_of(spki_sha256, SHA256_LEN));
	buf_puts(out, "  - run: ");
	put_quoted(out, run);
	buf_puts(out, "\n    name: ");
	put_quoted(out, name);
	buf_putf(out, "\n    key_sha256: \"%s\"\n", hex);
}

/* By what the root is to sign: an offline one has not yet. */
static void
put_first_ca(struct init *i, struct buf *out)
{
	char hex[HEX_LEN(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	sha256(hash, i->issuer.cert.tbs);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	buf_putf(out,
	    "\n# Issuing CAs of the beginning, by the SHA-256 of the TBS of "
	    "their certificates.\n"
	    "# Later ones come by refrendo ceremony and stay out of this "
	    "list.\n"
	    "issuers:\n"
	    "  - name: " ISSUER "\n    tbs_sha256: \"%s\"\n",
	    hex);
}

static enum err_code
write_ceilings(struct init *i, struct err *e)
{
	struct buf out AUTO_BUF = BUF(POLICY_FILE_MAX);
	uint8_t hash[SHA256_LEN];
	sha256(hash, i->officer.cert.spki);
	buf_puts(&out,
	    "# What no policy can exceed, and who may appoint ministers of "
	    "faith.  Owned by\n"
	    "# root, read by the signer alone, enforced again for each "
	    "signature.  What takes\n"
	    "# away takes effect at the next start; what gives more by "
	    "refrendo "
	    "ceremony ceilings.\n\n"
	    "validity_max: 3y    # Ley 19.799 article 16: three years at "
	    "most\n"
	    "backdate_max: 0s\n"
	    "keys: [ec-p256, ec-p384, rsa-3072, rsa-4096]\n"
	    "key_usage: [digitalSignature, nonRepudiation]\n"
	    "extended: [emailProtection, clientAuth]\n"
	    "statement_max: 72h    # life of a statement to endorse\n"
	    "appointment_max: 4y\n"
	    "ocsp_max: 10d\n"
	    "crl_max: 10d\n"
	    "per_hour: 10000    # certificates signed in an hour\n"
	    "per_hour_institution: 2000    # of them for one institution\n"
	    "refusals_per_hour: 100    # beyond it no certificate for an "
	    "hour\n\n"
	    "# Platform officers: RUN, name, and the SHA-256 of each one's "
	    "public key.\n"
	    "officers:\n");
	put_officer(&out, i->officer_run, i->officer_name, hash);
	for (size_t k = 0; k < i->n_more; k++)
		put_officer(&out, i->more[k].run, i->more[k].name,
		    i->more[k].spki_sha256);
	put_first_policies(i, &out);
	put_first_ca(i, &out);
	TRY(buf_end(&out, e));
	return file_write(init_inside(i, "etc/signer.yaml"), buf_bytes(&out),
	    0600, e);
}

enum err_code
init_read_back(struct init *i, struct err *e)
{
	struct findings findings = { NULL, 0, 0 };
	struct installation *in = calloc(1, sizeof(*in));
	if (in == NULL)
		return err_nomem(e);
	enum err_code code = installation_read(i->dir, in, &findings, e);
	if (code == ERR_OK && findings.errors > 0) {
		findings_show(i->c, &findings, in->file, in->n_file);
		code = not_accepted(e);
	}
	i->ceilings = in->ceilings;
	i->config = in->config;
	i->policies = TAKE(in->policies);
	findings_fini(&findings);
	installation_fini(in);
	free(in);
	return code;
}

enum err_code
init_write_etc(struct init *i, struct err *e)
{
	TRY(write_ceilings(i, e));
	for (size_t k = 0; k < init_n_samples; k++)
		TRY(write_policy(i, &init_samples[k], e));
	return init_read_back(i, e);
}
