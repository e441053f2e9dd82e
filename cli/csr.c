/* csr - requests with a new key, and what a request says. */
#include <string.h>

#include "cli.h"

#define KEY_FILE_MAX 16384

static enum err_code
csr_new(struct cli *c, struct err *e)
{
	AUTO(key) key = NULL;
	struct buf passphrase AUTO_BUF = BUF(0),
			      pem AUTO_BUF = BUF(KEY_FILE_MAX);
	struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf text AUTO_BUF = BUF(2 * CSR_MAX_BYTES);
	enum key_type type = KEY_EC_P256;
	const char *word = c->option[OPT_TYPE], *cn = c->option[OPT_CN];
	struct key_asking asking = { .key = c->option[OPT_KEY_OUT],
		.is_new = true,
		.spanish = c->spanish };
	if (asking.key == NULL)
		return cli_usage_missing(c, "--key-out", e);
	if (word != NULL &&
	    (!key_type_parse(bytes_str(word), &type) || type == KEY_RSA_2048 ||
		type == KEY_RSA_PSS_2048))
		return cli_usage_missing(c,
		    "--type ec-p256|ec-p384|rsa-3072|rsa-4096|rsa-pss-3072|"
		    "rsa-pss-4096|ed25519|ml-dsa-44|ml-dsa-65|ml-dsa-87",
		    e);
	TRY(file_is_new(asking.key, e));
	TRY(passphrase_read("/dev/null", &asking, &passphrase, e));
	TRY(key_generate(type, &key, e));
	TRY(csr_build(key, cn == NULL ? "refrendo" : cn, &der, e));
	TRY(key_print(key, buf_bytes(&passphrase), &pem, e));
	TRY(file_write_new(asking.key, buf_bytes(&pem), 0600, e));
	pem_put(&text, "CERTIFICATE REQUEST", buf_bytes(&der));
	TRY(buf_end(&text, e));
	return print_octets(c, buf_bytes(&text), e);
}

static enum err_code
csr_inspect(struct cli *c, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0),
			scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf out AUTO_BUF = BUF(4096);
	AUTO(verifier) v = NULL;
	struct csr csr;
	uint8_t hash[SHA256_LEN];
	TRY(input_read(c, c->operand[0], 2 * CSR_MAX_BYTES, &text, e));
	TRY(csr_parse(buf_bytes(&text), &scratch, &csr, e));
	TRY(verifier_new(&v, e));
	TRY(csr_prove(&csr, v, e));
	sha256(hash, csr.spki);
	struct jw w = jw_of(&out);
	jw_object(&w);
	jw_member_str(&w, "key", bytes_str(key_type_name(csr.type)));
	jw_member_str(&w, "proof", bytes_str("held"));
	jw_member_hex(&w, "spki_sha256", bytes_of(hash, SHA256_LEN));
	jw_close(&w, '}');
	return print_record(c, buf_bytes(&out), e);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "csr", "new", csr_new, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_KEY_OUT) | OPTION(OPT_TYPE) | OPTION(OPT_CN) | OPTION(OPT_OUT),
	    "make a key and a request for it", "crear una llave y su solicitud",
	    "csr new --key-out maria.key --out maria.csr", NULL },
	{ "csr", "inspect", csr_inspect, NO_ACT, NO_OPERAND, "FILE", 1, 1, 0,
	    "what a request's key is, and whether it is held", "qué llave trae una solicitud, y si se posee",
	    "csr inspect maria.csr", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_csr = { verbs, ARRAY_LEN(verbs) };
