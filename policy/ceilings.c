/*
 * ceilings - signer.yaml: what no policy may exceed, itself within the law.
 */
#include "internal.h"

struct said_officer {
	struct value run, name, key;
};
struct said_private {
	struct value oid, critical;
};
struct said_first_ca {
	struct value name, tbs;
};
struct said_first {
	struct value name, sha256;
};
struct said_ceilings {
	struct value validity_max, backdate_max, keys, key_usage, extended,
	    names, qc_statements, extensions, statement_max, appointment_max,
	    ocsp_max, crl_max, per_hour, per_hour_institution, refusals,
	    endorsements, mandate_max, appointment_quorum, officers, quorum,
	    policies, issuers, refounds, campaign_until, campaign_hour,
	    campaign_institution;
};

/* clang-format off */
#define NOT_HOLDER "only certificates of CAs have it; delete it"
static const struct word holder_words[] = {
	{ "digitalSignature", KU_DIGITAL_SIGNATURE, NULL, false },
	{ "nonRepudiation",   KU_NON_REPUDIATION,   NULL, false },
	{ "keyEncipherment",  KU_KEY_ENCIPHERMENT,  NULL, false },
	{ "dataEncipherment", KU_DATA_ENCIPHERMENT, NULL, false },
	{ "keyAgreement",     KU_KEY_AGREEMENT,     NULL, false },
	{ "contentCommitment", 0, "write its older name, nonRepudiation", false },
	{ "keyCertSign",      0, NOT_HOLDER, false },
	{ "cRLSign",          0, NOT_HOLDER, false },
	{ NULL, 0, NULL, false },
};

static const struct row officer_rows[] = {
	{ "run",        T_TEXT, REQUIRED, 3,  20, NULL, OFF(said_officer, run),  NULL, NULL, "DS 181/2002", "RUN of the officer." },
	{ "name",       T_TEXT, REQUIRED, 1,  95, NULL, OFF(said_officer, name), NULL, NULL, NULL, "Name of the officer." },
	{ "key_sha256", T_TEXT, REQUIRED, 64, 64, NULL, OFF(said_officer, key),  NULL, NULL, NULL, "SHA-256 of the officer's public key (SubjectPublicKeyInfo), 64 hexadecimal digits." },
};
static const struct table officer_table = { "an officer", officer_rows,
	ARRAY_LEN(officer_rows), sizeof(struct said_officer), NULL };

static const struct row extension_rows[] = {
	{ "oid",      T_OID,  REQUIRED, 0, 0, NULL,    OFF(said_private, oid),      NULL, NULL, "RFC 5280 4.2", "Identifier of the extension, below an arc of one's own." },
	{ "critical", T_BOOL, 0,        0, 0, "false", OFF(said_private, critical), NULL, NULL, "RFC 5280 4.2", "Whether it is critical: then nobody who does not know it can use the certificate." },
};
static const struct table extension_table = { "a private extension", extension_rows,
	ARRAY_LEN(extension_rows), sizeof(struct said_private), NULL };
static const struct row first_policy_rows[] = {
	{ "name",   T_TEXT, REQUIRED, 1,  POLICY_NAME_MAX - 1, NULL, OFF(said_first, name),   NULL, NULL, NULL, "Name of the policy." },
	{ "sha256", T_TEXT, REQUIRED, 64, 64, NULL, OFF(said_first, sha256), NULL, NULL, NULL, "SHA-256 of the policy file's bytes, 64 hexadecimal digits." },
};
static const struct table first_policy_table = { "a policy of the beginning", first_policy_rows,
	ARRAY_LEN(first_policy_rows), sizeof(struct said_first), NULL };

static const struct row first_ca_rows[] = {
	{ "name",       T_TEXT, REQUIRED, 1,  POLICY_NAME_MAX - 1, NULL, OFF(said_first_ca, name), NULL, NULL, NULL, "Name of the issuing CA." },
	{ "tbs_sha256", T_TEXT, REQUIRED, 64, 64, NULL, OFF(said_first_ca, tbs), NULL, NULL, NULL, "SHA-256 of the to-be-signed part of its certificate, 64 hexadecimal digits." },
};
static const struct table first_ca_table = { "a CA of the beginning", first_ca_rows,
	ARRAY_LEN(first_ca_rows), sizeof(struct said_first_ca), NULL };

#define AT(member) OFF(said_ceilings, member)
#define LAW16 "Ley 19.799 art. 16"
static const struct row ceilings_rows[] = {
	/* key               type        flags     min     max           default  into words sub rule doc */
	{ "validity_max",    T_DURATION, REQUIRED, HOUR,   1096 * DAY,   NULL,    AT(validity_max),    NULL,        NULL, LAW16, "Longest life of a holder's certificate; the law ends it at three years." },
	{ "backdate_max",    T_DURATION, 0,        0,      HOUR,         "0s",    AT(backdate_max),    NULL,        NULL, NULL,  "Longest that a certificate may begin before its making." },
	{ "keys",            T_WORDS,    REQUIRED, 1,      0,            NULL,    AT(keys),            key_words,   NULL, NULL,  "Kinds of key that may be certified." },
	{ "key_usage",       T_WORDS,    REQUIRED, 1,      0,            NULL,    AT(key_usage),       holder_words, NULL, "RFC 5280 4.2.1.3",  "Usages that a holder may have." },
	{ "extended",        T_WORDS,    REQUIRED, 1,      0,            NULL,    AT(extended),        eku_words,   NULL, "RFC 5280 4.2.1.12", "Purposes that a holder may have." },
	{ "names",           T_WORDS,    0,        1,      0,            "[other, email]", AT(names),  name_kind_words, NULL, "RFC 5280 4.2.1.6", "Kinds of alternative name that a certificate may hold." },
	{ "qc_statements",   T_BOOL,     0,        0,      0,            "false", AT(qc_statements),  NULL,        NULL, "ETSI EN 319 412-5", "Whether a certificate may state that it is qualified, and under which conditions." },
	{ "extensions",      T_LIST,     0,        0,      CEILING_EXTS_MAX, "[]", AT(extensions),    NULL,        &extension_table, "RFC 5280 4.2", "Private extensions that a certificate may hold." },
	{ "statement_max",   T_DURATION, 0,        MINUTE, 7 * DAY,      "72h",   AT(statement_max),   NULL,        NULL, NULL,  "Longest life of a statement to endorse." },
	{ "appointment_max", T_DURATION, 0,        DAY,    3650 * DAY,   "4y",    AT(appointment_max), NULL,        NULL, NULL,  "Longest appointment of a minister of faith." },
	{ "ocsp_max",        T_DURATION, 0,        HOUR,   10 * DAY,     "10d",   AT(ocsp_max),        NULL,        NULL, "RFC 6960 2.4", "Longest life of an OCSP answer." },
	{ "crl_max",         T_DURATION, 0,        HOUR,   30 * DAY,     "10d",   AT(crl_max),         NULL,        NULL, "RFC 5280 3.3", "Longest life of a CRL." },
	{ "per_hour",        T_INT,      0,        1,      1000000000,   "10000", AT(per_hour),        NULL,        NULL, NULL,  "Certificates that the signer signs in an hour." },
	{ "per_hour_institution", T_INT, 0,        1,      1000000000,   "2000",  AT(per_hour_institution), NULL,   NULL, NULL,  "Certificates that the signer signs for one institution in an hour." },
	{ "refusals_per_hour", T_INT,    0,        1,      1000000000,   "100",   AT(refusals),        NULL,        NULL, NULL,  "Certificates and checkpoints that the signer refuses in an hour before it signs no certificate for the next: core asks for none that it refuses." },
	{ "campaign_until",  T_TEXT,     0,        10,     TIME_TEXT - 1, NULL,   AT(campaign_until),  NULL,        NULL, NULL,  "Last instant of a campaign, as \"2027-03-31T23:59:59Z\" in quotes, by the signer's clock: until then what follows counts where it is more than per_hour and per_hour_institution." },
	{ "campaign_per_hour", T_INT,    0,        1,      1000000000,   NULL,    AT(campaign_hour),   NULL,        NULL, NULL,  "Certificates that the signer signs in an hour while a campaign lasts." },
	{ "campaign_per_hour_institution", T_INT, 0, 1,    1000000000,   NULL,    AT(campaign_institution), NULL,   NULL, NULL,  "Certificates that it signs for one institution in an hour while a campaign lasts." },
	{ "endorsements",    T_INT,      0,        1,      ENDORSEMENTS_MAX, "1",     AT(endorsements),    NULL,        NULL, NULL,  "Ministers of faith who must endorse a request." },
	{ "mandate_max",     T_DURATION, 0,        0,      1096 * DAY,   "0s",    AT(mandate_max),     NULL,        NULL, NULL,  "Longest mandate of a minister for renewals without a new endorsement; 0s allows none." },
	{ "appointment_quorum", T_INT,   0,        1,      OFFICERS_MAX, "1",     AT(appointment_quorum), NULL,     NULL, NULL,  "Officers who must sign the appointment of a minister of faith; quorum at most." },
	{ "officers",        T_LIST,     0,        0,      OFFICERS_MAX, "[]",    AT(officers),        NULL,        &officer_table, NULL, "Platform officers, who appoint ministers of faith and activate policies." },
	{ "quorum",          T_INT,      0,        1,      OFFICERS_MAX, "1",     AT(quorum),          NULL,        NULL, NULL,  "Officers who must sign an activation of policies or a ceremony." },
	{ "issuers",         T_LIST,     0,        0,      CONFIG_ISSUERS_MAX,  "[]",    AT(issuers),         NULL,        &first_ca_table, NULL, "Issuing CAs that `refrendo init` put in force: by every other one the signer signs only after a ceremony with its officers' signatures. Without this list it takes all that refrendo.yaml names." },
	{ "refounds",        T_TEXT,     0,        64,     64,           NULL,    AT(refounds),        NULL,        NULL, NULL,  "SHA-256 of the file that was in force, 64 hexadecimal digits: root begins anew in its place, without the officers, because their keys are lost. The log and the signer's journal name it." },
	{ "policies",        T_LIST,     0,        0,      POLICIES_MAX, "[]",    AT(policies),        NULL,        &first_policy_table, NULL, "Policies that `refrendo init` put in force: the signer takes every other one only with its officers' signatures." },
};
static const struct foreign ceilings_foreign[] = {
	{ "ca", "holders are never CAs; delete it" },
	{ "private", "write extensions" },
	{ "max", "write validity_max" },
	{ NULL, NULL },
};
_Static_assert(ARRAY_LEN(ceilings_rows) == CEILINGS_MEMBERS,
    "a new member needs a row in ceilings_less.c: may it change without the officers?");
const struct table ceilings_table = { "signer.yaml", ceilings_rows, ARRAY_LEN(ceilings_rows), 0, ceilings_foreign };
/* clang-format on */

static void
refuse_twin(struct load *l, const struct value *v)
{
	struct err e;

	err_at(&e, ERR_INVALID, "ceilings-officer-twice", NULL,
	    where_of(l, v->at),
	    "another officer has it already: each is one person with one key");
	report(l, v->at->width, &e, "delete one of the two");
}

static void
keep_officer(struct load *l, const struct said_officer *s, struct ceilings *c)
{
	struct officer *o = &c->officer[c->n_officer];
	bool run_ok = false, key_ok = false;
	struct err e;

	if (s->run.ok) {
		run_ok = run_parse(s->run.text, o->run, &e) == ERR_OK;
		if (!run_ok) {
			e.where = where_of(l, s->run.at);
			report(l, s->run.at->width, &e, "as in 12345678-5");
		}
	}
	if (s->key.ok) {
		key_ok = hex_parse(s->key.text, o->spki_sha256, SHA256_LEN);
		if (!key_ok) {
			err_at(&e, ERR_INVALID, "ceilings-key", NULL,
			    where_of(l, s->key.at),
			    "this is not a SHA-256 in hexadecimal digits");
			report(l, s->key.at->width, &e,
			    "refrendo prints it when it makes the key");
		}
	}
	for (size_t i = 0; i < c->n_officer; i++) {
		if (run_ok && strcmp(c->officer[i].run, o->run) == 0)
			refuse_twin(l, &s->run);
		if (key_ok && memcmp(c->officer[i].spki_sha256, o->spki_sha256,
				  SHA256_LEN) == 0)
			refuse_twin(l, &s->key);
	}
	if (s->name.ok)
		memcpy(o->name, s->name.text.p, s->name.text.len + 1);
	if (run_ok && key_ok && s->name.ok)
		c->n_officer++;
}

/* Each once, and none that X.509 or PKIX defines: those have keys here. */
static bool
extension_fits(struct load *l, const struct value *v, const struct ceilings *c)
{
	struct err e;

	if (!ext_is_private(oid_bytes(&v->oid))) {
		err_at(&e, ERR_DENIED, "ceilings-extension", "RFC 5280 4.2",
		    where_of(l, v->at),
		    "an extension of X.509, PKIX or OCSP is not a private one");
		report(l, v->at->width, &e, "delete it");
		return false;
	}
	for (size_t i = 0; i < c->n_extension; i++) {
		if (!bytes_eq(oid_bytes(&v->oid),
			oid_bytes(&c->extension[i].oid)))
			continue;
		err_at(&e, ERR_INVALID, "ceilings-extension-twice",
		    "RFC 5280 4.2", where_of(l, v->at),
		    "this extension stands twice");
		report(l, v->at->width, &e, "delete one of the two");
		return false;
	}
	return true;
}

static void
keep_extension(struct load *l, const struct said_private *s, struct ceilings *c)
{
	if (!s->oid.ok || !s->critical.ok || !extension_fits(l, &s->oid, c))
		return;
	c->extension[c->n_extension].oid = s->oid.oid;
	c->extension[c->n_extension++].critical = s->critical.n != 0;
}

static void
keep_policy(struct load *l, const struct said_first *s, struct ceilings *c)
{
	struct first_policy *p = &c->policy[c->n_policy];
	struct err e;

	if (!s->name.ok || !s->sha256.ok)
		return;
	if (!hex_parse(s->sha256.text, p->sha256, SHA256_LEN)) {
		err_at(&e, ERR_INVALID, "ceilings-policy-hash", NULL,
		    where_of(l, s->sha256.at),
		    "this is not a SHA-256 in hexadecimal digits");
		report(l, s->sha256.at->width, &e, "sha256sum prints it");
		return;
	}
	memcpy(p->name, s->name.text.p, s->name.text.len + 1);
	c->n_policy++;
}

static void
keep_ca(struct load *l, const struct said_first_ca *s, struct ceilings *c)
{
	struct first_ca *ca = &c->ca[c->n_ca];
	struct err e;

	if (!s->name.ok || !s->tbs.ok)
		return;
	if (!hex_parse(s->tbs.text, ca->tbs_sha256, SHA256_LEN)) {
		err_at(&e, ERR_INVALID, "ceilings-policy-hash", NULL,
		    where_of(l, s->tbs.at),
		    "this is not a SHA-256 in hexadecimal digits");
		report(l, s->tbs.at->width, &e,
		    "refrendo ceremony check prints it as TBS");
		return;
	}
	memcpy(ca->name, s->name.text.p, s->name.text.len + 1);
	c->n_ca++;
}

/* Root writes it when nobody is left to sign. */
static void
keep_refounds(struct load *l, const struct value *v, struct ceilings *c)
{
	struct err e;

	if (!v->ok || !v->given)
		return;
	c->has_refounds = hex_parse(v->text, c->refounds, SHA256_LEN);
	if (c->has_refounds)
		return;
	err_at(&e, ERR_INVALID, "ceilings-refounds", NULL, where_of(l, v->at),
	    "this is not a SHA-256 in hexadecimal digits");
	report(l, v->at->width, &e,
	    "refrendo doctor prints that of the file in force");
}

/* A count without an end would be for ever. */
static void
keep_campaign(struct load *l, const struct said_ceilings *s, struct ceilings *c)
{
	const struct value *until = &s->campaign_until;
	const struct value *more = s->campaign_hour.given
				       ? &s->campaign_hour
				       : &s->campaign_institution;
	struct err e;

	c->campaign_per_hour = s->campaign_hour.n;
	c->campaign_per_hour_institution = s->campaign_institution.n;
	if (until->ok && until->given &&
	    !time_parse(until->text, &c->campaign_until)) {
		err_at(&e, ERR_INVALID, "ceilings-campaign-time", NULL,
		    where_of(l, until->at), "this is no time of day in UTC");
		report(l, until->at->width, &e,
		    "write \"2027-03-31T23:59:59Z\"");
	}
	if (more->given && !until->given) {
		err_at(&e, ERR_INVALID, "ceilings-campaign", NULL,
		    where_of(l, more->at), "a campaign needs its last instant");
		report(l, more->at->width, &e,
		    "write campaign_until, or leave the campaign out");
	}
}

int64_t
ceilings_hour(const struct ceilings *c, int64_t now)
{
	return now <= c->campaign_until && c->campaign_per_hour > c->per_hour
		   ? c->campaign_per_hour
		   : c->per_hour;
}

int64_t
ceilings_hour_institution(const struct ceilings *c, int64_t now)
{
	return now <= c->campaign_until && c->campaign_per_hour_institution >
					       c->per_hour_institution
		   ? c->campaign_per_hour_institution
		   : c->per_hour_institution;
}

/* M of N: so many must sign as there are, at most. */
static int64_t
keep_quorum(struct load *l, const struct said_ceilings *s,
    const struct value *said)
{
	struct err e;

	if (!said->ok || said->n <= 1 || s->officers.count >= (size_t)said->n)
		return said->n;
	err_at(&e, ERR_INVALID, "ceilings-quorum", NULL, where_of(l, said->at),
	    "more officers must sign than there are: nothing could ever take "
	    "effect");
	report(l, said->at->width, &e, "write as many as there are, or fewer");
	return said->n;
}

/* By fewer than the quorum of appointments that quorum could be lowered. */
static void
check_quorums(struct load *l, const struct said_ceilings *s,
    const struct ceilings *c)
{
	const struct value *said = &s->appointment_quorum;
	struct err e;

	if (!said->ok || !s->quorum.ok || c->appointment_quorum <= c->quorum)
		return;
	err_at(&e, ERR_INVALID, "ceilings-quorum-lower", NULL,
	    where_of(l, said->at),
	    "more officers must sign an appointment than a change of this "
	    "file, by which fewer could appoint");
	report(l, said->at->width, &e, "write a quorum as high as this");
}

static void
keep(struct load *l, const struct said_ceilings *s, struct ceilings *c)
{
	const struct said_officer *officer = s->officers.items;
	const struct said_private *extension = s->extensions.items;
	const struct said_first *policy = s->policies.items;
	const struct said_first_ca *ca = s->issuers.items;

	c->validity_max_s = s->validity_max.n;
	c->backdate_max_s = s->backdate_max.n;
	c->keys = (uint32_t)s->keys.n;
	c->key_usage = (uint16_t)s->key_usage.n;
	c->eku = (uint32_t)s->extended.n;
	c->names = (uint16_t)s->names.n;
	c->qc_statements = s->qc_statements.n != 0;
	c->statement_max_s = s->statement_max.n;
	c->appointment_max_s = s->appointment_max.n;
	c->ocsp_max_s = s->ocsp_max.n;
	c->crl_max_s = s->crl_max.n;
	c->per_hour = s->per_hour.n;
	c->per_hour_institution = s->per_hour_institution.n;
	c->refusals_per_hour = s->refusals.n;
	c->endorsements = s->endorsements.n;
	c->mandate_max_s = s->mandate_max.n;
	for (size_t i = 0; i < s->extensions.count; i++)
		keep_extension(l, &extension[i], c);
	for (size_t i = 0; i < s->officers.count; i++)
		keep_officer(l, &officer[i], c);
	for (size_t i = 0; i < s->policies.count; i++)
		keep_policy(l, &policy[i], c);
	for (size_t i = 0; i < s->issuers.count; i++)
		keep_ca(l, &ca[i], c);
	keep_refounds(l, &s->refounds, c);
	keep_campaign(l, s, c);
	c->quorum = keep_quorum(l, s, &s->quorum);
	c->appointment_quorum = keep_quorum(l, s, &s->appointment_quorum);
	check_quorums(l, s, c);
}

/* The upper end of each row. */
void
ceilings_widest(struct ceilings *out)
{
	struct said_ceilings said;

	memset(&said, 0, sizeof(said));
	for (size_t i = 0; i < ARRAY_LEN(ceilings_rows); i++) {
		const struct row *row = &ceilings_rows[i];
		struct value *v =
		    (struct value *)(void *)((uint8_t *)&said + row->into);

		if (row->type == T_DURATION || row->type == T_INT)
			v->n = row->max;
		if (row->type == T_BOOL)
			v->n = 1;
		for (const struct word *w = row->words;
		    w != NULL && w->word != NULL; w++)
			v->n |= w->refused == NULL ? w->value : 0;
	}
	*out = (struct ceilings){ .n_officer = 0 };
	keep(NULL, &said, out);
	out->any_extension = true;
}

void
ceilings_load(const struct policy_file *file, struct ceilings *out,
    struct findings *f)
{
	AUTO(arena) arena = arena_new();
	struct load l = { .file = file,
		.arena = arena,
		.f = f,
		.errors_before = f->errors };
	struct said_ceilings *said = arena_get(arena, sizeof(*said));
	struct ceilings made = { .n_officer = 0 };
	size_t from = f->len;
	struct node *root = tree_read(&l);

	if (root != NULL) {
		refuse_weak_hashes(&l, root);
		rows_decode(&l, root, &ceilings_table, said);
		keep(&l, said, &made);
	}
	findings_sort(f, from);
	if (load_clean(&l))
		*out = made;
}

bool
ceilings_name_ca(const struct ceilings *c, const char *name,
    const uint8_t tbs_sha256[SHA256_LEN])
{
	for (size_t i = 0; i < c->n_ca; i++) {
		if (strcmp(c->ca[i].name, name) == 0 &&
		    memcmp(c->ca[i].tbs_sha256, tbs_sha256, SHA256_LEN) == 0)
			return true;
	}
	return c->n_ca == 0;
}
