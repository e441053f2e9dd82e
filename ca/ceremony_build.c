#include <string.h>

#include "inner.h"

/*
 * What a root is asked to sign: the certificate of an issuing CA, as one
 * compiled profile, and the root's next CRL.
 */

#define CA_LIFE     (10 * 365 * DAY)
#define CA_LIFE_MIN (30 * DAY)
#define LIST_LIFE   (365 * DAY)
#define LIST_MAX    65536
#define SERIAL_LEN  20

static struct bytes
draw_serial(struct deed *d)
{
	uint8_t *p = arena_get(d->a, SERIAL_LEN);

	if (d->random->used + SERIAL_LEN > RANDOM_POOL)
		fatal("a decision used up its randomness");
	memcpy(p, d->random->p + d->random->used, SERIAL_LEN);
	d->random->used += SERIAL_LEN;
	/* Positive, and no zero octet first (RFC 5280 4.1.2.2). */
	p[0] = (uint8_t)((p[0] & 0x3f) | 0x40);
	return bytes_of(p, SERIAL_LEN);
}

/* Why a CA is revoked, as RFC 5280 5.3.1 has it. */
int
ceremony_cause(struct bytes word)
{
	static const struct {
		const char *word;
		int reason;
	} causes[] = {
		{ "key-compromise", CRL_CA_COMPROMISE },
		{ "superseded", CRL_SUPERSEDED },
		{ "institution-ended", CRL_CESSATION },
	};

	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (bytes_is(word, causes[i].word))
			return causes[i].reason;
	return CRL_UNSPECIFIED;
}

int64_t
ceremony_life(struct deed *d, int64_t usual)
{
	int64_t s = usual;

	if (field(d, CF_VALIDITY).len > 0)
		(void)!duration_parse(field(d, CF_VALIDITY), &s);
	return s;
}

/* --- The certificate of an issuing CA ------------------------------------------- */

/* A name becomes part of addresses, files and rows. */
enum err_code
ceremony_name(struct deed *d, struct bytes name, struct err *e)
{
	struct issuer_row row;
	bool found, good = name.len <= CEREMONY_NAME_MAX && name.p[0] >= 'a' &&
			   name.p[0] <= 'z';

	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.p[i];
		good = good && ((c >= 'a' && c <= 'z') ||
				   (c >= '0' && c <= '9') || c == '-');
	}
	if (!good || bytes_is(name, "institution") || bytes_is(name, "root") ||
	    bytes_is(name, "endorser"))
		return err_at(e, ERR_INVALID, "ceremony-name", NULL,
		    at_field("name"),
		    "a CA is called by 1 to 40 of a-z, 0-9 and dash, a letter "
		    "first, and not institution, root or endorser");
	TRY(rec_get(d->v, &rec_issuer, ca_row_key(d->a, ROW_ISSUER, name), d->a,
	    &row, &found, e));
	if (!found)
		return ERR_OK;
	return err_at(e, ERR_CONFLICT, "ceremony-name-used", NULL,
	    at_field("name"),
	    "there is a CA %s already; a new generation has a name of its own",
	    arena_str(d->a, name));
}

/* A CA's key was never seen before: not a person's, not another CA's. */
enum err_code
ceremony_key_is_new(struct deed *d, struct bytes spki, const char *where,
    struct err *e)
{
	struct issuer_row root = { .replaced_by = bytes_str(FIRST_ROOT) };
	uint8_t hash[SHA256_LEN];
	struct key_row row;
	struct cert cert;
	bool found;

	sha256(hash, spki);
	TRY(rec_get(d->v, &rec_key,
	    ca_row_key(d->a, ROW_KEY, bytes_of(hash, SHA256_LEN)), d->a, &row,
	    &found, e));
	bool is_ca = bytes_eq(spki, d->ca->endorser->cert.spki);
	while (root.replaced_by.len > 0) {
		TRY(issuer_get(d->v, root.replaced_by, d->a, &root, e));
		TRY(cert_parse(root.certificate, &cert, e));
		is_ca = is_ca || bytes_eq(spki, cert.spki);
	}
	size_t n = atomic_load(&d->ca->issuers->n);
	for (size_t i = 0; i < n; i++)
		is_ca =
		    is_ca || bytes_eq(spki, d->ca->issuers->list[i]->cert.spki);
	if (!found && !is_ca &&
	    weak_list_find(d->ca->weak, spki, bytes_of(hash, SHA256_LEN)) ==
		NULL)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-key-used", NULL, at_field(where),
	    "the key of a CA must be new: this one was used or is on a list "
	    "of keys that nobody may use");
}

static enum err_code
is_apart(struct deed *d, const struct cert *cert, enum lint_kind kind,
    const struct issuer_row *row, struct err *e)
{
	const char *name = arena_str(d->a, row->name);
	bool is_cross = kind == LINT_CROSS;
	const char *where = is_cross ? "certificate" : "name";
	struct cert other;

	TRY(cert_parse(row->certificate, &other, e));
	if (cert->ski.len > 0 && bytes_eq(cert->ski, other.ski) &&
	    !bytes_eq(cert->spki, other.spki))
		return err_at(e, ERR_DENIED, "ceremony-key-id-used",
		    "RFC 5280 4.2.1.2", at_field(where),
		    "the key identifier is that of the CA %s, whose key is "
		    "another: programs would take one for the other",
		    name);
	/* The next root has the name of this one. */
	if (bytes_is(row->role, "root") || kind == LINT_ROOT ||
	    is_cross == bytes_is(row->role, "cross") ||
	    !name_alike(cert->subject, other.subject))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-subject-used",
	    "RFC 5280 4.1.2.6", at_field(where),
	    "the subject is that of the CA %s: what one signs would pass "
	    "for the other's",
	    name);
}

enum err_code
ceremony_is_apart(struct deed *d, const struct cert *cert, enum lint_kind kind,
    struct err *e)
{
	struct bytes prefix = ca_row_key(d->a, ROW_ISSUER, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct issuer_row row;
	bool found;

	for (;;) {
		TRY(view_next(d->v, prefix, after, &key, &value, &found, e));
		if (!found)
			return ERR_OK;
		after = arena_copy(d->a, key);
		TRY(rec_decode(&rec_issuer, arena_copy(d->a, value), &row, e));
		TRY(is_apart(d, cert, kind, &row, e));
	}
}

static enum err_code
check_key(struct deed *d, struct csr *csr, struct err *e)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	bool made_here = d->c->act == ACT_CA_CREATE;
	struct bytes given = made_here ? d->c->made_csr : field(d, CF_CSR);

	if (given.len == 0 && made_here)
		return err_say(e, ERR_BUSY, "ca-create-away",
		    "the signer, which makes the key of a CA, is away; repeat "
		    "the act in a moment with the same key");
	if (given.len == 0)
		return err_at(e, ERR_INVALID, "ceremony-csr", NULL,
		    at_field("csr"),
		    "a CA's certificate is asked for with a PKCS #10 request "
		    "for its key");
	TRY(csr_parse(given, &scratch, csr, e));
	TRY(csr_prove(csr, d->ca->verifier, e));
	csr->spki = arena_copy(d->a, csr->spki);
	TRY(ceremony_key_is_new(d, csr->spki, "csr", e));
	if (key_type_of_ca(csr->type))
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-key-type", NULL, at_field("csr"),
	    "the key is %s; a CA has ec-p256, ec-p384, rsa-3072, rsa-4096, "
	    "rsa-pss-3072, rsa-pss-4096, ml-dsa-44, ml-dsa-65 or ml-dsa-87",
	    key_type_name(csr->type));
}

enum err_code
ceremony_replaced(struct deed *d, struct bytes name, struct issuer_row *out,
    struct err *e)
{
	TRY(issuer_get(d->v, name, d->a, out, e));
	if (!bytes_is(out->role, "issuer"))
		return err_at(e, ERR_DENIED, "ceremony-replaces-role", NULL,
		    at_field("replaces"),
		    "%s is no issuing CA: only an issuing CA gets a new key "
		    "under its name",
		    arena_str(d->a, name));
	if (out->replaced_by.len == 0)
		return ERR_OK;
	return err_at(e, ERR_CONFLICT, "ceremony-replaced", NULL,
	    at_field("replaces"),
	    "the key of the CA %s was replaced already, by %s: replace that "
	    "one",
	    arena_str(d->a, name), arena_str(d->a, out->replaced_by));
}

/*
 * C and O first: the part that name constraints of an institution's CA hold
 * every name below it to.
 */
static enum err_code
build_subject(struct deed *d, const struct institution *inst, struct bytes cn,
    struct cert_spec *spec, struct err *e)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct bytes org = inst != NULL ? inst->name : d->ca->origin;
	struct name_attr attr[4] = {
		{ OID_C, bytes_str("CL"), STRING_USUAL },
		{ OID_O, org, STRING_USUAL },
	};
	size_t n = 2;

	TRY(name_build(attr, 2, &name, e));
	if (inst != NULL) {
		struct bytes oid = oid_known(OID_RUT_HOLDER);
		struct general_name *san = &spec->san[spec->n_san++];
		san->kind = GN_OTHER_IA5;
		memcpy(san->other.p, oid.p, oid.len);
		san->other.len = (uint8_t)oid.len;
		san->value = inst->rut;
		spec->constraints.permitted[0] = (struct general_name){
			.kind = GN_DIRECTORY,
			.value = arena_copy(d->a, buf_bytes(&name)),
		};
		spec->constraints.n_permitted = 1;
		attr[n++] = (struct name_attr){ OID_SERIAL_NUMBER, inst->rut,
			STRING_USUAL };
	}
	attr[n++] = (struct name_attr){ OID_CN, cn, STRING_USUAL };
	buf_reset(&name);
	TRY(name_build(attr, n, &name, e));
	spec->subject = arena_copy(d->a, buf_bytes(&name));
	return ERR_OK;
}

/* A new key is under the subject of the one before, to the octet. */
static enum err_code
build_names(struct deed *d, const struct agreement_row *c,
    const struct institution *inst, struct cert_spec *spec, struct err *e)
{
	struct issuer_row old;
	struct cert cert;

	if (c->replaces.len == 0)
		return build_subject(d, inst,
		    bytes_str(
			arena_printf(d->a, "Emisora %.*s", BYTES_FMT(c->name))),
		    spec, e);
	TRY(issuer_get(d->v, c->replaces, d->a, &old, e));
	TRY(cert_parse(old.certificate, &cert, e));
	/* For the constraints; nothing changes an institution's name. */
	if (inst != NULL)
		TRY(build_subject(d, inst, name_find(cert.subject, OID_CN),
		    spec, e));
	spec->subject = arena_copy(d->a, cert.subject);
	return ERR_OK;
}

enum err_code
ceremony_times(struct deed *d, int64_t life, struct cert_spec *spec,
    struct err *e)
{
	spec->not_before = d->now;
	spec->not_after = d->now + life - 1;
	/* What the root signs ends with it at the latest. */
	if (spec->not_after > d->root->cert.not_after)
		spec->not_after = d->root->cert.not_after;
	if (spec->not_after - spec->not_before >= CA_LIFE_MIN - 1)
		return ERR_OK;
	return err_at(e, ERR_DENIED, "ceremony-short", NULL,
	    at_field("validity"),
	    "the CA would live for less than 30 days: ask for longer, or hold "
	    "a ceremony for a new root, if this one is near its end");
}

/* With a serial number, and the places of the root. */
enum err_code
ceremony_tbs(struct deed *d, struct material *m, struct cert_spec *spec,
    struct buf *tbs, struct err *e)
{
	const char *url = arena_str(d->a, bytes_str(d->ca->public_url));
	const char *name = arena_str(d->a, d->root->name);
	struct crl list;

	/* A certificate names a list that is there. */
	TRY(root_list_now(d, &list, e));
	if (list.number == 0)
		return err_say(e, ERR_CONFLICT, "ceremony-root-no-list",
		    "the root %s has signed no CRL yet: hold a ceremony for "
		    "that first, refrendo ceremony crl",
		    name);
	m->serial = draw_serial(d);
	m->urls.crl = bytes_str(arena_printf(d->a, "%s/crl/%s.crl", url, name));
	m->urls.ca = bytes_str(arena_printf(d->a, "%s/ca/%s.cer", url, name));
	TRY(spki_check(m->issuer->spki, &m->issuer_type, e));
	return tbs_build(m, spec, tbs, e);
}

/* Parsed and judged as the root's side will, before anybody signs. */
enum err_code
ceremony_judge_tbs(struct deed *d, struct bytes tbs, enum lint_kind kind,
    struct err *e)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct lint found;
	struct cert cert;

	TRY(unsigned_assemble(tbs, d->root->cert.sigalg, &der, e));
	TRY(cert_parse(buf_bytes(&der), &cert, e));
	cert_lint(&cert, kind, LINT_ALL, &found);
	TRY(lint_verdict(&found, e));
	return ceremony_is_apart(d, &cert, kind, e);
}

/* What is asked for, whatever the key.  A new key of a CA is for the
 * institution that the CA is for. */
static enum err_code
check_terms(struct deed *d, struct agreement_row *c, struct institution *inst,
    struct err *e)
{
	struct issuer_row old;

	c->kind = CEREMONY_CERTIFICATE;
	c->name = field(d, CF_NAME);
	c->institution = field(d, CF_RUT);
	c->replaces = field(d, CF_REPLACES);
	c->held = d->c->act == ACT_CA_CREATE ? 1 : 0;
	TRY(ceremony_name(d, c->name, e));
	if (c->replaces.len > 0) {
		TRY(ceremony_replaced(d, c->replaces, &old, e));
		if (c->institution.len > 0 &&
		    !bytes_eq(c->institution, old.institution))
			return err_at(e, ERR_DENIED, "ceremony-replaces-other",
			    NULL, at_field("rut"),
			    "the CA %s is for another institution, or for "
			    "all: leave the RUT out",
			    arena_str(d->a, old.name));
		c->institution = old.institution;
	}
	if (c->institution.len == 0)
		return ERR_OK;
	TRY(institution_get(d->v, c->institution, d->a, inst, e));
	return institution_must_be_enabled(inst, e);
}

enum err_code
ceremony_may_create(struct deed *d, struct err *e)
{
	struct institution inst;
	struct agreement_row c = { .name = BYTES_NONE };

	TRY(roles_find(d, BYTES_NONE, BYTES_NONE, e));
	TRY(root_in_force(d, e));
	return check_terms(d, &c, &inst, e);
}

enum err_code
ceremony_build_ca(struct deed *d, struct agreement_row *c, struct err *e)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct institution inst;
	struct csr csr;
	struct cert_spec spec = {
		.is_ca = true,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.n_policy = 1,
	};
	struct material m = { .issuer = &d->root->cert };

	TRY(check_terms(d, c, &inst, e));
	TRY(check_key(d, &csr, e));
	m.spki = csr.spki;
	TRY(build_names(d, c, c->institution.len > 0 ? &inst : NULL, &spec, e));
	TRY(ceremony_times(d, ceremony_life(d, CA_LIFE), &spec, e));
	/* anyPolicy (RFC 5280 6.1.3 (e)). */
	TRY(oid_parse(bytes_str("2.5.29.32.0"), &spec.policy[0].oid, e));
	TRY(ceremony_tbs(d, &m, &spec, &tbs, e));
	c->tbs = arena_copy(d->a, buf_bytes(&tbs));
	return ceremony_judge_tbs(d, c->tbs, LINT_CA, e);
}

/* --- The root's CRL ---------------------------------------------------------------- */

enum err_code
root_list_now(struct deed *d, struct crl *out, struct err *e)
{
	struct root_list_row row;
	bool found;

	*out = (struct crl){ .number = 0 };
	TRY(rec_get(d->v, &rec_root_list,
	    ca_row_key(d->a, ROW_ROOT_LIST, d->root->name), d->a, &row, &found,
	    e));
	if (bytes_is(d->root->name, FIRST_ROOT))
		TRY(crl_parse(d->ca->root_list, out, e));
	/* A newer one may also have been put among the files by hand. */
	if (found && row.number > (int64_t)out->number)
		return crl_parse(row.list, out, e);
	return ERR_OK;
}

/* The entries of a list and one more, in order. */
struct merged {
	const struct crl *old;
	struct crl_cursor at;
	struct crl_entry held; /* read of the old one and not given yet */
	bool has_held;
	struct crl_entry more; /* serial empty: none */
	bool given;
};

static enum err_code
merged_rewind(void *ctx, struct err *e)
{
	struct merged *m = ctx;

	(void)e;
	m->at = (struct crl_cursor){ 0 };
	m->given = m->more.serial.len == 0;
	m->has_held = crl_next(m->old, &m->at, &m->held);
	return ERR_OK;
}

static enum err_code
merged_next(void *ctx, struct crl_entry *out, bool *more, struct err *e)
{
	struct merged *m = ctx;

	(void)e;
	*more = true;
	if (!m->given &&
	    (!m->has_held || bytes_cmp(m->more.serial, m->held.serial) < 0)) {
		*out = m->more;
		m->given = true;
		return ERR_OK;
	}
	*more = m->has_held;
	*out = m->held;
	m->has_held = m->has_held && crl_next(m->old, &m->at, &m->held);
	return ERR_OK;
}

static enum err_code
reason_of(struct deed *d, int *reason, struct err *e)
{
	*reason = ceremony_cause(field(d, CF_CAUSE));
	if (*reason != CRL_UNSPECIFIED)
		return ERR_OK;
	return err_at(e, ERR_INVALID, "ceremony-cause", "RFC 5280 5.3.1",
	    at_field("cause"),
	    "a CA is revoked for key-compromise, superseded or "
	    "institution-ended");
}

/* Only what the root signed can be on its list. */
static enum err_code
find_ca(struct deed *d, struct bytes serial, struct bytes *name, struct err *e)
{
	struct bytes prefix = ca_row_key(d->a, ROW_ISSUER, BYTES_NONE);
	struct bytes after = prefix, key, value;
	struct issuer_row row;
	struct cert cert;
	bool found;

	for (;;) {
		TRY(view_next(d->v, prefix, after, &key, &value, &found, e));
		if (!found)
			return err_at(e, ERR_NOTFOUND, "ceremony-serial", NULL,
			    at_field("serial"),
			    "no CA of this installation has that serial "
			    "number");
		after = arena_copy(d->a, key);
		TRY(rec_decode(&rec_issuer, arena_copy(d->a, value), &row, e));
		TRY(cert_parse(row.certificate, &cert, e));
		if (bytes_is(row.role, "root") ||
		    !bytes_eq(cert.serial, serial))
			continue;
		*name = row.name;
		if (bytes_eq(cert.aki, d->root->cert.ski))
			return ERR_OK;
		return err_at(e, ERR_DENIED, "ceremony-serial-root", NULL,
		    at_field("serial"),
		    "another root than %s signed the certificate of %s: name "
		    "that one",
		    arena_str(d->a, d->root->name), arena_str(d->a, row.name));
	}
}

static struct bytes
serial_of(struct deed *d)
{
	struct bytes hex = field(d, CF_SERIAL);
	uint8_t *p = arena_get(d->a, hex.len / 2 + 1);

	/* command_check() has seen that it is hexadecimal. */
	(void)!hex_parse(hex, p, hex.len / 2);
	return bytes_of(p, hex.len / 2);
}

static enum err_code
take_revoked(struct deed *d, struct agreement_row *c, const struct crl *old,
    struct crl_entry *out, struct err *e)
{
	struct crl_entry listed;
	struct bytes name;

	if (field(d, CF_SERIAL).len == 0 && field(d, CF_CAUSE).len == 0)
		return ERR_OK;
	if (field(d, CF_SERIAL).len == 0)
		return err_at(e, ERR_INVALID, "ceremony-cause-alone", NULL,
		    at_field("serial"),
		    "there is a cause and no CA; give the serial number of "
		    "the CA that is revoked");
	out->serial = serial_of(d);
	TRY(reason_of(d, &out->reason, e));
	TRY(find_ca(d, out->serial, &name, e));
	if (crl_find(old, out->serial, &listed))
		return err_say(e, ERR_CONFLICT, "ceremony-listed",
		    "the CA %s is on the root's CRL already",
		    arena_str(d->a, name));
	out->revoked_at = d->now;
	c->revokes = name;
	return ERR_OK;
}

enum err_code
ceremony_build_crl(struct deed *d, struct agreement_row *c, struct err *e)
{
	const struct cert *root = &d->root->cert;
	struct buf tbs AUTO_BUF = BUF(LIST_MAX);
	struct crl old;
	struct merged m = { .old = &old };
	struct crl_source source = { &m, merged_rewind, merged_next };
	int64_t life = ceremony_life(d, LIST_LIFE);

	c->kind = CEREMONY_CRL;
	c->name = d->root->name;
	TRY(root_list_now(d, &old, e));
	TRY(take_revoked(d, c, &old, &m.more, e));
	if (life < DAY || life > 400 * DAY)
		return err_at(e, ERR_DENIED, "ceremony-list-life", NULL,
		    at_field("validity"),
		    "the root's CRL is valid for 1 to 400 days");
	struct crl_spec spec = {
		.issuer = root->subject,
		.issuer_ski = root->ski,
		.number = old.number + 1,
		.this_update = d->now,
		.next_update = d->now + life,
	};
	TRY(spki_check(root->spki, &spec.issuer_type, e));
	TRY(crl_build_tbs(&spec, &source, &tbs, e));
	c->tbs = arena_copy(d->a, buf_bytes(&tbs));
	return ERR_OK;
}
