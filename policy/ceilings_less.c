/*
 * ceilings_less - do other ceilings only take rights away?  And who may sign
 * by them, in one line for a statement.
 */
#include "internal.h"

/* What a change of a member may be, if it is to take rights away only. */
enum less_rule {
	LESS_LOWER,  /* the number does not rise */
	LESS_HIGHER, /* people needed: it does not fall */
	LESS_BITS32, /* no bit is new */
	LESS_BITS16,
	LESS_FLAG,   /* it is not switched on */
	LESS_LIST,   /* nothing in it is new: see is_list_less() */
	LESS_NOTHING /* it grants nothing */
};

struct less_row {
	const char *key; /* in signer.yaml */
	enum less_rule rule;
	size_t at;
};

/* Every member of signer.yaml, in no order: the compiler counts them. */
/* clang-format off */
#define AT(member) offsetof(struct ceilings, member)
static const struct less_row less_rows[] = {
	{ "validity_max",         LESS_LOWER,   AT(validity_max_s) },
	{ "backdate_max",         LESS_LOWER,   AT(backdate_max_s) },
	{ "keys",                 LESS_BITS32,  AT(keys) },
	{ "key_usage",            LESS_BITS16,  AT(key_usage) },
	{ "extended",             LESS_BITS32,  AT(eku) },
	{ "names",                LESS_BITS16,  AT(names) },
	{ "qc_statements",        LESS_FLAG,    AT(qc_statements) },
	{ "extensions",           LESS_LIST,    AT(extension) },
	{ "statement_max",        LESS_LOWER,   AT(statement_max_s) },
	{ "appointment_max",      LESS_LOWER,   AT(appointment_max_s) },
	{ "ocsp_max",             LESS_LOWER,   AT(ocsp_max_s) },
	{ "crl_max",              LESS_LOWER,   AT(crl_max_s) },
	{ "per_hour",             LESS_LOWER,   AT(per_hour) },
	{ "per_hour_institution", LESS_LOWER,   AT(per_hour_institution) },
	{ "refusals_per_hour",    LESS_LOWER,   AT(refusals_per_hour) },
	{ "campaign_until",       LESS_LOWER,   AT(campaign_until) },
	{ "campaign_per_hour",    LESS_LOWER,   AT(campaign_per_hour) },
	{ "campaign_per_hour_institution", LESS_LOWER, AT(campaign_per_hour_institution) },
	{ "endorsements",         LESS_HIGHER,  AT(endorsements) },
	{ "mandate_max",          LESS_LOWER,   AT(mandate_max_s) },
	{ "appointment_quorum",   LESS_HIGHER,  AT(appointment_quorum) },
	{ "officers",             LESS_LIST,    AT(officer) },
	{ "quorum",               LESS_HIGHER,  AT(quorum) },
	{ "issuers",              LESS_LIST,    AT(ca) },
	{ "policies",             LESS_LIST,    AT(policy) },
	{ "refounds",             LESS_NOTHING, 0 },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(less_rows) == CEILINGS_MEMBERS,
    "a member of signer.yaml lacks its row here: may it change without the "
    "officers?");

static const void *
member(const struct ceilings *c, const struct less_row *row)
{
	return (const uint8_t *)c + row->at;
}

static int64_t
number(const struct ceilings *c, const struct less_row *row)
{
	int64_t n;

	memcpy(&n, member(c, row), sizeof(n));
	return n;
}

static uint32_t
bits(const struct ceilings *c, const struct less_row *row)
{
	uint16_t half;
	uint32_t all;

	if (row->rule == LESS_BITS32) {
		memcpy(&all, member(c, row), sizeof(all));
		return all;
	}
	memcpy(&half, member(c, row), sizeof(half));
	return half;
}

static bool
flag(const struct ceilings *c, const struct less_row *row)
{
	bool b;

	memcpy(&b, member(c, row), sizeof(b));
	return b;
}

/* --- Lists ------------------------------------------------------------------------- */

static bool
has_extension(const struct ceilings *c, size_t like, const struct ceilings *in)
{
	for (size_t i = 0; i < in->n_extension; i++)
		if (bytes_eq(oid_bytes(&c->extension[like].oid),
			oid_bytes(&in->extension[i].oid)) &&
		    c->extension[like].critical == in->extension[i].critical)
			return true;
	return in->any_extension;
}

static bool
is_extension_less(const struct ceilings *old, const struct ceilings *new)
{
	for (size_t i = 0; i < new->n_extension; i++)
		if (!has_extension(new, i, old))
			return false;
	return old->any_extension || !new->any_extension;
}

/* A person with another key is another officer; a name is only a name. */
static bool
has_officer(const struct ceilings *c, const struct officer *o)
{
	for (size_t i = 0; i < c->n_officer; i++)
		if (strcmp(c->officer[i].run, o->run) == 0 &&
		    memcmp(c->officer[i].spki_sha256, o->spki_sha256,
			SHA256_LEN) == 0)
			return true;
	return false;
}

/* With fewer than the quorum nothing could ever be given again. */
static bool
is_officers_less(const struct ceilings *old, const struct ceilings *new)
{
	for (size_t i = 0; i < new->n_officer; i++)
		if (!has_officer(old, &new->officer[i]))
			return false;
	return new->n_officer == old->n_officer ||
	       ((int64_t)new->n_officer >= new->quorum &&
		   (int64_t)new->n_officer >= new->appointment_quorum);
}

static bool
is_issuers_less(const struct ceilings *old, const struct ceilings *new)
{
	/* Without a list every CA of the configuration is one. */
	for (size_t i = 0; i < new->n_ca; i++)
		if (!ceilings_name_ca(old, new->ca[i].name,
			new->ca[i].tbs_sha256))
			return false;
	return old->n_ca == 0 || new->n_ca > 0;
}

static bool
is_policies_less(const struct ceilings *old, const struct ceilings *new)
{
	for (size_t i = 0; i < new->n_policy; i++) {
		bool found = false;
		for (size_t k = 0; k < old->n_policy; k++)
			found = found || (strcmp(new->policy[i].name,
					      old->policy[k].name) == 0 &&
					     memcmp(new->policy[i].sha256,
						 old->policy[k].sha256,
						 SHA256_LEN) == 0);
		if (!found)
			return false;
	}
	return true;
}

static bool
is_list_less(const struct less_row *row, const struct ceilings *old,
    const struct ceilings *new)
{
	return row->at == AT(extension) ? is_extension_less(old, new)
	       : row->at == AT(officer) ? is_officers_less(old, new)
	       : row->at == AT(ca)      ? is_issuers_less(old, new)
	       : row->at == AT(policy)  ? is_policies_less(old, new)
					: false;
}

/* --- All of them ------------------------------------------------------------------ */

static bool
is_less(const struct less_row *row, const struct ceilings *old,
    const struct ceilings *new)
{
	switch (row->rule) {
	case LESS_LOWER:
		return number(new, row) <= number(old, row);
	case LESS_HIGHER:
		return number(new, row) >= number(old, row);
	case LESS_BITS32:
	case LESS_BITS16:
		return (bits(new, row) & ~bits(old, row)) == 0;
	case LESS_FLAG:
		return flag(old, row) || !flag(new, row);
	case LESS_LIST:
		return is_list_less(row, old, new);
	case LESS_NOTHING:
		return true;
	}
	return false;
}

const char *
ceilings_grant(const struct ceilings *old, const struct ceilings *new)
{
	for (size_t i = 0; i < ARRAY_LEN(less_rows); i++)
		if (!is_less(&less_rows[i], old, new))
			return less_rows[i].key;
	return NULL;
}

void
ceilings_people(const struct ceilings *c, struct buf *out)
{
	char hex[HEX_LEN(SHA256_LEN)], number_text[48];

	snprintf(number_text, sizeof(number_text), "quorum=%lld",
	    (long long)c->quorum);
	buf_puts(out, number_text);
	snprintf(number_text, sizeof(number_text), " appointment_quorum=%lld",
	    (long long)c->appointment_quorum);
	buf_puts(out, number_text);
	for (size_t i = 0; i < c->n_officer; i++) {
		hex_print(hex, bytes_of(c->officer[i].spki_sha256, SHA256_LEN));
		buf_putc(out, ' ');
		buf_puts(out, c->officer[i].run);
		buf_putc(out, '=');
		buf_puts(out, hex);
	}
}

enum err_code
ceilings_read(struct bytes text, struct ceilings *out, struct err *e)
{
	const struct policy_file file = { "signer.yaml", text };
	struct findings f = { NULL, 0, 0 };
	enum err_code code = ERR_OK;

	if (text.len > CEILINGS_FILE_MAX)
		return err_say(e, ERR_INVALID, "ceilings-large",
		    "the file of the ceilings has more than 16384 octets; "
		    "shorten it");
	ceilings_load(&file, out, &f);
	for (size_t i = 0; i < f.len && code == ERR_OK; i++) {
		if (f.v[i].is_warning)
			continue;
		*e = f.v[i].err;
		code = e->code;
	}
	if (f.errors > 0 && code == ERR_OK)
		code = err_say(e, ERR_INVALID, "ceilings-bad",
		    "the file is no signer.yaml without mistakes; refrendo "
		    "policy check shows them");
	findings_fini(&f);
	return code;
}
