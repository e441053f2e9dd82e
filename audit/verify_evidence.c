#include "verify.h"

#include <string.h>

/* Statements, signatures over them, and the certificates they lead to. */

static bool
hash_is(struct bytes want, struct bytes data)
{
	uint8_t hash[HASH_LEN];

	sha256(hash, data);
	return bytes_eq(want, bytes_of(hash, HASH_LEN));
}

/* The statement was written when the log had the root that it names. */
enum err_code
judge_log(struct audit *a, const struct entry *en, uint64_t size,
    struct bytes stated, struct err *e)
{
	const struct merkle *m = &a->recent[size % RECENT];
	uint8_t root[HASH_LEN];

	if (size > en->index)
		return err_say(e, ERR_INVALID, "audit-log-size",
		    "entry %s: the statement names a size that the log did "
		    "not have yet",
		    a->at);
	/* Older roots are gone from memory; a gap changed them all. */
	if (a->gap || m->size != size)
		return ERR_OK;
	merkle_root(m, root);
	if (!bytes_eq(stated, bytes_of(root, HASH_LEN)))
		return err_say(e, ERR_INVALID, "audit-log-root",
		    "entry %s: the statement names a root that the log never "
		    "had",
		    a->at);
	return ERR_OK;
}

/* The TBS that is to be signed is the one that the statement describes. */
static enum err_code
judge_container(struct audit *a, const struct entry *en, struct bytes der,
    const struct statement *s, struct record *r, struct err *e)
{
	struct err below = { .code = ERR_OK };
	struct cert c;

	if (cert_parse_own(der, &c, &below) != ERR_OK)
		return fault_below(a, &below, e);
	cert_profile(&c, r->profile);
	sha256(r->key, c.spki);
	if (!hash_is(s->tbs_sha256, c.tbs) ||
	    !bytes_eq(en->refs.tbs, s->tbs_sha256) ||
	    !bytes_eq(c.serial, en->refs.serial))
		return err_say(e, ERR_INVALID, "audit-tbs",
		    "entry %s: statement, entry and the certificate to be "
		    "signed do not name the same TBS or serial number",
		    a->at);
	struct bytes run = name_find(c.subject, OID_SERIAL_NUMBER);
	if (!hash_is(s->spki_sha256, c.spki) || c.not_before != s->not_before ||
	    c.not_after != s->not_after ||
	    (run.len > 0 && !bytes_eq(run, s->holder_run)))
		return err_say(e, ERR_INVALID, "audit-tbs-says",
		    "entry %s: the certificate to be signed has another key, "
		    "validity or holder than the statement says",
		    a->at);
	return ERR_OK;
}

enum err_code
judge_statement(struct audit *a, const struct entry *en, struct json_obj d,
    enum statement_type type, struct record *r, struct statement *out,
    struct err *e)
{
	struct bytes text = json_get_str(d, "statement");
	struct bytes tbs = json_get_base64(d, "tbs", a->arena);
	struct bytes id = type == STATEMENT_APPOINTMENT ? en->refs.appointment
							: en->refs.request;
	struct err below = { .code = ERR_OK };

	TRY(detail_end(a, e));
	buf_put(&r->statement, text.p, text.len);
	if (statement_parse(text, a->arena, out, &below) != ERR_OK)
		return fault_below(a, &below, e);
	if (out->type != type || !bytes_eq(out->request, id) ||
	    !bytes_eq(out->institution, en->refs.institution) ||
	    !bytes_eq(out->origin, buf_bytes(&a->origin)) ||
	    !bytes_eq(out->policy_sha256, en->refs.policy))
		return err_say(e, ERR_INVALID, "audit-statement",
		    "entry %s: the statement is of another kind, log, "
		    "institution, policy or object than the entry",
		    a->at);
	r->not_after = out->not_after;
	r->stated = out->issued;
	r->life = out->expires - out->issued;
	r->ca = ca_find(a, out->issuer);
	if (r->ca == NONE)
		return err_say(e, ERR_INVALID, "audit-issuer",
		    "entry %s: the statement names an issuer that is no CA of "
		    "this log",
		    a->at);
	TRY(judge_log(a, en, out->log_size, out->log_root, e));
	return judge_container(a, en, tbs, out, r, e);
}

enum err_code
judge_evidence(struct audit *a, const struct entry *en, struct json_obj d,
    struct bytes statement, struct statement *s, struct cms *c, struct err *e)
{
	struct bytes der = json_get_base64(d, "evidence", a->arena);
	struct err below = { .code = ERR_OK };
	/* The text that the CMS is read from lives as long as the arena. */
	struct buf scratch AUTO_BUF = BUF(CMS_MAX_BYTES);

	TRY(detail_end(a, e));
	if (der.len == 0 || der.p[0] != DER_SEQUENCE)
		return err_say(e, ERR_INVALID, "audit-evidence",
		    "entry %s: the evidence is no CMS in DER", a->at);
	if (statement_parse(statement, a->arena, s, &below) != ERR_OK ||
	    cms_parse(der, &scratch, c, &below) != ERR_OK ||
	    cms_verify(c, statement, a->v, &below) != ERR_OK)
		return fault_below(a, &below, e);
	if (en->time < s->issued || en->time > s->expires)
		return err_say(e, ERR_INVALID, "audit-expired",
		    "entry %s: the statement was not valid when its signature "
		    "was brought",
		    a->at);
	return ERR_OK;
}

enum err_code
judge_issued(struct audit *a, const struct entry *en, struct json_obj d,
    const char *role, struct record *r, struct err *e)
{
	struct err below = { .code = ERR_OK };
	struct cert c;

	if (a->erased)
		return ERR_OK;
	struct bytes der = json_get_base64(d, "certificate", a->arena);
	TRY(detail_end(a, e));
	if (cert_parse_own(der, &c, &below) != ERR_OK)
		return fault_below(a, &below, e);
	map_put(&a->map, MAP_OBJECT, en->refs.object, 0);
	if (!hash_is(bytes_of(r->tbs, HASH_LEN), c.tbs) ||
	    !bytes_eq(c.serial, record_serial(r)) ||
	    !hash_is(en->refs.object, der))
		return err_say(e, ERR_INVALID, "audit-other-certificate",
		    "entry %s: the certificate is not the one that was "
		    "endorsed",
		    a->at);
	/* Of a submission that was erased, this is what is left. */
	sha256(r->key, c.spki);
	for (uint32_t i = 0; i < a->n_ca; i++) {
		const struct ca *ca = &a->ca[i];
		if (strcmp(ca->role, role) != 0 ||
		    !bytes_eq(c.issuer, ca->cert.subject) ||
		    !bytes_eq(c.aki, ca->cert.ski) ||
		    (r->ca != NONE && r->ca != i))
			continue;
		r->ca = i;
		r->not_after = c.not_after;
		if (cert_check_issued(&c, &ca->cert, en->time, a->v, &below) !=
		    ERR_OK)
			return fault_below(a, &below, e);
		return judge_limits(a, en, r, &c, e);
	}
	return err_say(e, ERR_INVALID, "audit-other-issuer",
	    "entry %s: the certificate is by another issuer than the one "
	    "stated",
	    a->at);
}
