/*
 * publish_crl - a CRL is exported only under the URL of the CA that signed it
 * and only over an older one (INCIDENTS row 59).  The CAs are those of the
 * installation's files, and those that its root signed: what public/ says of
 * itself counts for nothing here.
 */
#include <string.h>

#include "publish.h"

static enum err_code
add_ca(struct publish *p, const char *name, const char *file, struct err *e)
{
	struct publish_ca *ca = &p->ca[p->n_ca];
	snprintf(ca->name, sizeof(ca->name), "%s", name);
	ca->der = BUF(CERT_MAX_BYTES);
	p->n_ca++;
	TRY(file_certificate(p->c->dir, file, &ca->der, e));
	return cert_parse(buf_bytes(&ca->der), &ca->cert, e);
}

enum err_code
publish_authorities(struct publish *p, struct err *e)
{
	TRY(add_ca(p, "root", p->config.root_certificate, e));
	for (size_t i = 0; i < p->config.n_root; i++)
		TRY(add_ca(p, p->config.root[i].name,
		    p->config.root[i].certificate, e));
	p->n_root = p->n_ca;
	for (size_t i = 0; i < p->config.n_issuer; i++)
		TRY(add_ca(p, p->config.issuer[i].name,
		    p->config.issuer[i].certificate, e));
	return ERR_OK;
}

static bool
is_known(const struct publish *p, const char *name)
{
	for (size_t i = 0; i < p->n_ca; i++)
		if (strcmp(p->ca[i].name, name) == 0)
			return true;
	return false;
}

static enum err_code
add_made(struct publish *p, const char *name, struct bytes der, struct err *e)
{
	struct publish_ca *ca = &p->ca[p->n_ca];
	snprintf(ca->name, sizeof(ca->name), "%s", name);
	ca->der = BUF(CERT_MAX_BYTES);
	buf_put(&ca->der, der.p, der.len);
	enum err_code code = cert_parse(buf_bytes(&ca->der), &ca->cert, e);
	size_t by = 0;
	while (code == ERR_OK && by + 1 < p->n_root &&
	       !bytes_eq(ca->cert.aki, p->ca[by].cert.ski))
		by++;
	if (code == ERR_OK)
		code = cert_check_issued(&ca->cert, &p->ca[by].cert,
		    ca->cert.not_before, p->verifier, e);
	if (code == ERR_OK)
		p->n_ca++;
	else
		buf_fini(&ca->der);
	return code;
}

enum err_code
publish_made(struct publish *p, struct public_reader *r, struct err *e)
{
	uint8_t key[PUBLIC_KEY_MAX];
	char path[PATH_LEN];
	struct public_row row;
	for (size_t i = 0; i < p->n_issuer; i++) {
		const char *name = p->issuer[i].name;
		snprintf(path, sizeof(path), "/ca/%s.cer", name);
		if (p->n_ca == ARRAY_LEN(p->ca) || is_known(p, name) ||
		    !public_get(r, public_file_key(key, bytes_str(path)), &row))
			continue;
		/* One that the root did not sign: its CRLs are refused. */
		enum err_code code = add_made(p, name, row.body, e);
		if (code != ERR_OK && code != ERR_INVALID)
			return code;
	}
	return ERR_OK;
}

/* "crl/NAME.crl", "crl/NAME-4.crl", "crl/NAME/4.crl": the longest name. */
static const struct publish_ca *
ca_of_path(const struct publish *p, const char *path)
{
	const struct publish_ca *found = NULL;
	const char *name = path + strlen("crl/");
	for (size_t i = 0; i < p->n_ca; i++) {
		const struct publish_ca *ca = &p->ca[i];
		size_t len = strlen(ca->name);
		if (strncmp(name, ca->name, len) == 0 &&
		    strchr(".-/", name[len]) != NULL && name[len] != '\0' &&
		    (found == NULL || len > strlen(found->name)))
			found = ca;
	}
	return found;
}

/* The number of what stands there: 0 when it is no CRL of this CA, however
 * it came there. */
static uint64_t
number_there(struct publish *p, const struct publish_ca *ca, const char *path)
{
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl crl;
	struct err e;
	if (!sink_read(p->sink, path, &der) ||
	    crl_parse(buf_bytes(&der), &crl, &e) != ERR_OK ||
	    !bytes_eq(crl.issuer, ca->cert.subject) ||
	    verifier_check(p->verifier, ca->cert.spki, crl.sigalg, crl.tbs,
		crl.signature, &e) != ERR_OK)
		return 0;
	return crl.number;
}

/* A partition names its address; a full list names none. */
static bool
is_of_url(const struct publish *p, const struct crl *crl, const char *path)
{
	char url[URL_LEN + PUBLISH_PATH];
	snprintf(url, sizeof(url), "%s/%s", p->config.public_url, path);
	return crl->url.len == 0 || bytes_is(crl->url, url);
}

enum err_code
publish_judge_crl(struct publish *p, const char *path, struct bytes der,
    uint64_t last, uint64_t *number, struct err *e)
{
	const struct publish_ca *ca = ca_of_path(p, path);
	struct crl crl;
	if (ca == NULL)
		return err_say(e, ERR_DENIED, "publish-no-ca",
		    "%s is the CRL of no authority in this installation's "
		    "configuration",
		    path);
	TRY(crl_parse(der, &crl, e));
	if (crl.base == 0 && !is_of_url(p, &crl, path))
		return err_at(e, ERR_DENIED, "publish-other-url",
		    "RFC 5280 5.2.5", NOWHERE,
		    "the CRL says that it is the partition of another address "
		    "than %s",
		    path);
	uint64_t there = number_there(p, ca, path);
	*number = crl.number;
	return crl_check_publish(&crl, &ca->cert, last > there ? last : there,
	    p->now, p->verifier, e);
}
