/*
 * core_issuers - the issuing CAs that core knows: those of the configuration,
 * and those that ceremonies brought and whose keys the signer made (decision
 * 0042).  The list only grows: the writer and the prover read it meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

struct core_issuer *
core_issuer_find(struct core *c, struct bytes name)
{
	size_t n;
	return ca_issuer_named(&c->issuers, name, &n) == NULL ? NULL
							      : c->issuer[n];
}

/* Everything that follows from the certificate in i->der. */
static enum err_code
issuer_fill(struct core *c, struct core_issuer *i, struct bytes name,
    struct err *e)
{
	const struct config *config = &c->inst->config;
	struct ca_issuer *ca = &i->ca;
	snprintf(ca->name, sizeof(ca->name), "%.*s", BYTES_FMT(name));
	TRY(cert_parse(buf_bytes(&i->der), &ca->cert, e));
	TRY(spki_check(ca->cert.spki, &ca->type, e));
	struct bytes rut;
	if (cert_rut(&ca->cert, &rut))
		snprintf(ca->institution, sizeof(ca->institution), "%.*s",
		    BYTES_FMT(rut));
	TRY(issuer_id_of(&ca->cert, &ca->id, e));
	char url[CRL_URL_MAX];
	crl_url(url, config->public_url, ca->name, 0, false);
	snprintf(ca->crl_url, sizeof(ca->crl_url), "%s", url);
	snprintf(ca->public_url, sizeof(ca->public_url), "%s",
	    config->public_url);
	ocsp_url(ca->ocsp_url, config->public_url);
	issuer_url(ca->ca_url, config->public_url, ca->name);
	i->responder = BUF(CERT_MAX_BYTES);
	i->older = BUF(ISSUERS_MAX * POLICY_NAME_MAX);
	return ERR_OK;
}

enum err_code
core_issuer_load(struct core *c, struct core_issuer *i, const char *name,
    const char *file, struct err *e)
{
	i->der = BUF(CERT_MAX_BYTES);
	TRY(file_certificate(c->inst->dir, file, &i->der, e));
	return issuer_fill(c, i, bytes_str(name), e);
}

void
core_issuer_free(struct core_issuer *i)
{
	if (i == NULL)
		return;
	buf_fini(&i->der);
	buf_fini(&i->responder);
	buf_fini(&i->older);
	free(i->crl);
	free(i);
}

/* From here on everybody finds it. */
static enum err_code
issuer_add(struct core *c, struct core_issuer *i, struct err *e)
{
	size_t n = c->n_issuer;
	/* Its place, which those find that find its name. */
	if (n < ISSUERS_MAX)
		c->issuer[n] = i;
	TRY(ca_issuers_add(&c->issuers, &i->ca, e));
	c->n_issuer++;
	return ERR_OK;
}

static struct core_issuer *
issuer_new(struct core *c, size_t key)
{
	struct core_issuer *i = calloc(1, sizeof(*i));
	if (i == NULL)
		fatal("no memory for a CA");
	i->key = &c->responder_key[key];
	i->responder_life_s = c->inst->config.issuer[key].ocsp_certificate_s;
	i->place = PLACE_NONE;
	return i;
}

enum err_code
core_issuers_configured(struct core *c, struct err *e)
{
	const struct config *config = &c->inst->config;
	for (size_t n = 0; n < config->n_issuer; n++) {
		AUTO(core_issuer) i = issuer_new(c, n);
		TRY(core_issuer_load(c, i, config->issuer[n].name,
		    config->issuer[n].certificate, e));
		i->ca.is_open = true;
		TRY(issuer_add(c, i, e));
		i = NULL;
	}
	return ERR_OK;
}

/* --- Those of the log ------------------------------------------------------------- */

static enum err_code
made_issuer(struct core *c, const struct issuer_row *row, struct err *e)
{
	AUTO(core_issuer) i = issuer_new(c, 0);
	i->is_made = true;
	i->der = BUF(CERT_MAX_BYTES);
	buf_put(&i->der, row->certificate.p, row->certificate.len);
	TRY(issuer_fill(c, i, row->name, e));
	if (row->replaces.len > 0) {
		buf_put(&i->older, row->replaces.p, row->replaces.len);
		buf_put(&i->older, "", 1);
	}
	TRY(issuer_add(c, i, e));
	i = NULL;
	return ERR_OK;
}

static enum err_code
take_row(struct core *c, struct view *v, struct bytes value, struct err *e)
{
	struct issuer_row row;
	(void)v;
	TRY(rec_decode(&rec_issuer, value, &row, e));
	if (row.held == 0 || core_issuer_find(c, row.name) != NULL)
		return ERR_OK;
	return made_issuer(c, &row, e);
}

enum err_code
core_issuers_made(struct core *c, struct view *v, struct err *e)
{
	return core_each_row(c, v, ROW_ISSUER, take_row, e);
}

/*
 * A ceremony brought it while the engine runs.  It is found from here on, is
 * published at once, and issues when its CRL and its responder are.
 */
enum err_code
core_issuer_brought(struct core *c, struct view *v, struct bytes name,
    struct err *e)
{
	struct issuer_row row;
	bool found;
	TRY(rec_get(v, &rec_issuer, ca_row_key(c->arena, ROW_ISSUER, name),
	    c->arena, &row, &found, e));
	if (!found || row.held == 0 || core_issuer_find(c, name) != NULL)
		return ERR_OK;
	TRY(made_issuer(c, &row, e));
	struct core_issuer *i = c->issuer[c->n_issuer - 1];
	TRY(core_issuer_place(c, i, e));
	TRY(public_renew(c->reader, e));
	enum err_code code = crl_load(c, i, v, e);
	public_release(c->reader);
	TRY(code);
	c->crl_look_ms = 0;
	return publish_issuer(c, i, e);
}

/* The signer says that it has it, and may let it issue; or refuses it. */
void
core_issuer_held(struct core *c, uint64_t frame, bool is_held)
{
	if (frame == 0 || frame > c->n_issuer)
		return; /* of policies */
	struct core_issuer *i = c->issuer[frame - 1];
	i->ca.is_refused = !is_held;
	if (!is_held)
		return;
	i->is_held = i->is_taken = true;
	c->crl_look_ms = 0;
	sign_responder_check(c);
}

/* --- Places in public/ ---------------------------------------------------------------- */

/* A CA that was published keeps its place; the others come behind. */
enum err_code
core_issuers_place(struct core *c, struct err *e)
{
	static struct public_issuer there[ISSUERS_MAX];
	size_t n, place;
	TRY(public_renew(c->reader, e));
	n = public_issuers(c->reader, 0, there, ISSUERS_MAX);
	public_release(c->reader);
	for (place = 0; place < n; place++) {
		struct core_issuer *i =
		    core_issuer_find(c, bytes_str(there[place].name));
		if (i != NULL &&
		    memcmp(&i->ca.id, &there[place].id, sizeof(i->ca.id)) == 0)
			i->place = (uint16_t)place;
	}
	c->n_place = n;
	for (size_t k = 0; k < c->n_issuer; k++)
		TRY(core_issuer_place(c, c->issuer[k], e));
	return ERR_OK;
}

enum err_code
core_issuer_place(struct core *c, struct core_issuer *i, struct err *e)
{
	if (i->place != PLACE_NONE)
		return ERR_OK;
	if (c->n_place == ISSUERS_MAX)
		return err_say(e, ERR_BUSY, "issuers-places",
		    "the published store has no place for one more CA; stop "
		    "the engine, remove the directory public and start it "
		    "again, which fills it anew");
	i->place = (uint16_t)c->n_place++;
	return ERR_OK;
}
