#include <string.h>

#include "statement.h"

#define NAME_MAX_ 200 /* octets of a name, an office or an act */

/* clang-format off */
static const char *const endorsement_keys[] = {
	"act", "endorsements", "expires", "holder", "institution", "issued",
	"issuer", "log", "operator", "origin", "policy", "request", "request_version",
	"spki_sha256", "tbs_sha256", "text_es", "type", "validity", NULL
};
static const char *const appointment_keys[] = {
	"act", "appointment", "expires", "holder", "institution", "issued",
	"issuer", "log", "operator", "origin", "request", "request_version",
	"spki_sha256", "tbs_sha256", "text_es", "type", "validity", NULL
};
static const char *const mandate_keys[] = {
	"act", "endorsements", "expires", "holder", "institution", "issued",
	"issuer", "log", "mandate", "operator", "origin", "policy", "request",
	"text_es", "type", NULL
};
static const char *const terms_keys[] = {
	"act_date", "act_number", "deputy", "from", "until", NULL
};
static const char *const limit_keys[] = {
	"life", "profile_sha256", "rekey_sha256", "renewals", "until", NULL
};
static const char *const holder_keys[] = { "name", "office", "run", NULL };
static const char *const institution_keys[] = { "name", "rut", NULL };
static const char *const log_keys[] = { "root", "size", NULL };
static const char *const policy_keys[] = { "name", "sha256", "version", NULL };
static const char *const validity_keys[] = { "not_after", "not_before", NULL };
/* clang-format on */

static const struct {
	const char *type, *act;
	const char *const *keys;
} kinds[STATEMENT_TYPES] = {
	[STATEMENT_ENDORSEMENT] = { "refrendo/endorsement/v1", "endorse",
	    endorsement_keys },
	[STATEMENT_APPOINTMENT] = { "refrendo/appointment/v1", "appoint",
	    appointment_keys },
	[STATEMENT_MANDATE] = { "refrendo/mandate/v1", "mandate",
	    mandate_keys },
};

/* --- Judgement, the same for what is printed and what is read -------------- */

enum err_code
statement_refuse(struct err *e, const char *field)
{
	return err_at(e, ERR_INVALID, "statement-member", NULL, at_field(field),
	    "the member %s of the statement is missing, too long or not in "
	    "its form",
	    field);
}

bool
statement_text(struct bytes b, size_t min, size_t max)
{
	return b.len >= min && b.len <= max && utf8_valid(b);
}

bool
statement_run(struct bytes b)
{
	char stored[RUN_TEXT];
	struct err ignored;

	return run_parse(b, stored, &ignored) == ERR_OK && bytes_is(b, stored);
}

bool
statement_time(int64_t t)
{
	return t > 0 && t < (INT64_C(1) << 53);
}

bool
statement_version(int64_t v)
{
	return v > 0 && v < (INT64_C(1) << 53);
}

static enum err_code
judge_policy(const struct statement *s, struct err *e)
{
	if (s->type != STATEMENT_APPOINTMENT) {
		NEED(statement_text(s->policy, 1, ID_MAX), "policy.name");
		NEED(s->policy_sha256.len == HASH_LEN, "policy.sha256");
		NEED(statement_version(s->policy_version), "policy.version");
	} else if (s->policy.len > 0 || s->policy_sha256.len > 0 ||
		   s->policy_version != 0) {
		return err_say(e, ERR_INVALID, "statement-policy",
		    "the statement of an appointment names no policy");
	}
	return ERR_OK;
}

static enum err_code
judge_terms(const struct statement *s, struct err *e)
{
	int64_t day = 0;

	if (s->type != STATEMENT_APPOINTMENT) {
		NEED(s->act_number.len == 0 && s->act_date.len == 0 &&
			 s->from == 0 && !s->deputy &&
			 (s->until == 0 || s->type == STATEMENT_MANDATE),
		    "appointment");
		return ERR_OK;
	}
	NEED(statement_text(s->act_number, 1, NAME_MAX_),
	    "appointment.act_number");
	NEED(s->act_date.len == 10 && time_parse(s->act_date, &day),
	    "appointment.act_date");
	NEED(statement_time(s->from), "appointment.from");
	NEED(statement_time(s->until) && s->until >= s->from,
	    "appointment.until");
	return ERR_OK;
}

/* What a mandate is for, which no other statement says. */
static enum err_code
judge_limits(const struct statement *s, struct err *e)
{
	if (s->type != STATEMENT_MANDATE) {
		NEED(s->profile_sha256.len == 0 && s->renewals == 0 &&
			 s->life_s == 0 && s->rekey_sha256.len == 0,
		    "mandate");
		return ERR_OK;
	}
	/* The signer counts by it: it is no number of anything else. */
	NEED(s->request.len > 4 && memcmp(s->request.p, "MAN-", 4) == 0,
	    "request");
	NEED(s->profile_sha256.len == HASH_LEN, "mandate.profile_sha256");
	NEED(s->rekey_sha256.len == 0 || s->rekey_sha256.len == HASH_LEN,
	    "mandate.rekey_sha256");
	NEED(s->renewals > 0 && s->renewals <= MANDATE_RENEWALS_MAX,
	    "mandate.renewals");
	NEED(statement_time(s->life_s), "mandate.life");
	NEED(statement_time(s->until) && s->until > s->issued, "mandate.until");
	return ERR_OK;
}

/* The certificate, which a mandate does not know yet. */
static enum err_code
judge_object(const struct statement *s, struct err *e)
{
	if (s->type == STATEMENT_MANDATE) {
		NEED(s->request_version == 0 && s->tbs_sha256.len == 0 &&
			 s->spki_sha256.len == 0 && s->not_before == 0 &&
			 s->not_after == 0,
		    "tbs_sha256");
		return ERR_OK;
	}
	NEED(statement_version(s->request_version), "request_version");
	NEED(s->tbs_sha256.len == HASH_LEN, "tbs_sha256");
	NEED(s->spki_sha256.len == HASH_LEN, "spki_sha256");
	NEED(statement_time(s->not_before), "validity.not_before");
	NEED(statement_time(s->not_after) && s->not_after >= s->not_before,
	    "validity.not_after");
	return ERR_OK;
}

static enum err_code
judge(const struct statement *s, struct err *e)
{
	NEED(statement_text(s->origin, 1, ORIGIN_MAX), "origin");
	NEED(s->request.len > 0 && ref_is_good(s->request), "request");
	TRY(judge_object(s, e));
	/* One is what a statement without the member means. */
	NEED(s->endorsements == 0 ||
		 (s->type != STATEMENT_APPOINTMENT && s->endorsements > 1 &&
		     s->endorsements <= ENDORSEMENTS_MAX),
	    "endorsements");
	NEED(statement_text(s->issuer, 1, ID_MAX), "issuer");
	NEED(statement_run(s->institution), "institution.rut");
	NEED(statement_text(s->institution_name, 1, NAME_MAX_),
	    "institution.name");
	NEED(statement_run(s->holder_run), "holder.run");
	NEED(statement_text(s->holder_name, 1, NAME_MAX_), "holder.name");
	NEED(statement_text(s->holder_office, 0, NAME_MAX_), "holder.office");
	NEED(statement_run(s->operator_run), "operator");
	NEED(s->log_size < (UINT64_C(1) << 53), "log.size");
	NEED(s->log_root.len == HASH_LEN, "log.root");
	NEED(statement_text(s->text_es, 1, TEXT_MAX), "text_es");
	NEED(statement_time(s->issued), "issued");
	NEED(statement_time(s->expires) && s->expires > s->issued, "expires");
	TRY(judge_policy(s, e));
	TRY(judge_limits(s, e));
	return judge_terms(s, e);
}

/* --- Writing ---------------------------------------------------------------- */

static void
print_terms(struct jw *w, const struct statement *s)
{
	jw_key(w, "appointment");
	jw_object(w);
	jw_member_str(w, "act_date", s->act_date);
	jw_member_str(w, "act_number", s->act_number);
	jw_member_int(w, "deputy", s->deputy ? 1 : 0);
	jw_member_int(w, "from", s->from);
	jw_member_int(w, "until", s->until);
	jw_close(w, '}');
}

static void
print_people(struct jw *w, const struct statement *s)
{
	jw_key(w, "holder");
	jw_object(w);
	jw_member_str(w, "name", s->holder_name);
	jw_member_str(w, "office", s->holder_office);
	jw_member_str(w, "run", s->holder_run);
	jw_close(w, '}');
	jw_key(w, "institution");
	jw_object(w);
	jw_member_str(w, "name", s->institution_name);
	jw_member_str(w, "rut", s->institution);
	jw_close(w, '}');
}

void
statement_put_log(struct jw *w, uint64_t size, struct bytes root)
{
	jw_key(w, "log");
	jw_object(w);
	jw_member_hex(w, "root", root);
	jw_member_int(w, "size", (int64_t)size);
	jw_close(w, '}');
}

static void
print_limits(struct jw *w, const struct statement *s)
{
	jw_key(w, "mandate");
	jw_object(w);
	jw_member_int(w, "life", s->life_s);
	jw_member_hex(w, "profile_sha256", s->profile_sha256);
	if (s->rekey_sha256.len > 0)
		jw_member_hex(w, "rekey_sha256", s->rekey_sha256);
	jw_member_int(w, "renewals", s->renewals);
	jw_member_int(w, "until", s->until);
	jw_close(w, '}');
}

static void
print_object(struct jw *w, const struct statement *s)
{
	jw_member_int(w, "request_version", s->request_version);
	jw_member_hex(w, "spki_sha256", s->spki_sha256);
	jw_member_hex(w, "tbs_sha256", s->tbs_sha256);
}

static void
print_validity(struct jw *w, const struct statement *s)
{
	jw_key(w, "validity");
	jw_object(w);
	jw_member_int(w, "not_after", s->not_after);
	jw_member_int(w, "not_before", s->not_before);
	jw_close(w, '}');
}

static void
print_origin(struct jw *w, const struct statement *s)
{
	jw_member_int(w, "issued", s->issued);
	jw_member_str(w, "issuer", s->issuer);
	statement_put_log(w, s->log_size, s->log_root);
	if (s->type == STATEMENT_MANDATE)
		print_limits(w, s);
	jw_member_str(w, "operator", s->operator_run);
	jw_member_str(w, "origin", s->origin);
}

static void
print_policy(struct jw *w, const struct statement *s)
{
	jw_key(w, "policy");
	jw_object(w);
	jw_member_str(w, "name", s->policy);
	jw_member_hex(w, "sha256", s->policy_sha256);
	jw_member_int(w, "version", s->policy_version);
	jw_close(w, '}');
}

enum err_code
statement_print(const struct statement *s, struct buf *out, struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct jw w = jw_of(&text);

	TRY(judge(s, e));
	jw_object(&w);
	jw_member_str(&w, "act", bytes_str(kinds[s->type].act));
	if (s->type == STATEMENT_APPOINTMENT)
		print_terms(&w, s);
	if (s->endorsements != 0)
		jw_member_int(&w, "endorsements", s->endorsements);
	jw_member_int(&w, "expires", s->expires);
	print_people(&w, s);
	print_origin(&w, s);
	if (s->type != STATEMENT_APPOINTMENT)
		print_policy(&w, s);
	jw_member_str(&w, "request", s->request);
	if (s->type != STATEMENT_MANDATE)
		print_object(&w, s);
	jw_member_str(&w, "text_es", s->text_es);
	jw_member_str(&w, "type", bytes_str(kinds[s->type].type));
	if (s->type != STATEMENT_MANDATE)
		print_validity(&w, s);
	jw_close(&w, '}');
	TRY(buf_end(&text, e));
	buf_put(out, text.p, text.len);
	return buf_end(out, e);
}

enum err_code
rekey_print(struct bytes mandate, struct bytes old_tbs_sha256,
    struct bytes spki_sha256, struct buf *out, struct err *e)
{
	struct jw w = jw_of(out);

	jw_object(&w);
	jw_member_str(&w, "act", bytes_str("rekey"));
	jw_member_str(&w, "mandate", mandate);
	jw_member_hex(&w, "replaces_tbs_sha256", old_tbs_sha256);
	jw_member_hex(&w, "spki_sha256", spki_sha256);
	jw_member_str(&w, "type", bytes_str("refrendo/rekey/v1"));
	jw_close(&w, '}');
	return buf_end(out, e);
}

/* --- Reading ---------------------------------------------------------------- */

struct bytes
statement_str(struct json_obj o, const char *key, struct arena *a)
{
	return arena_copy(a, json_get_str(o, key));
}

static void
read_terms(struct json_obj root, struct arena *a, struct statement *s)
{
	struct json_obj o = json_get_obj(root, "appointment");
	int64_t deputy = json_get_int(o, "deputy");

	json_only(o, terms_keys);
	s->act_date = statement_str(o, "act_date", a);
	s->act_number = statement_str(o, "act_number", a);
	s->deputy = deputy == 1;
	s->from = json_get_int(o, "from");
	s->until = json_get_int(o, "until");
	/* Out of range makes until so, which judge() refuses. */
	if (deputy != 0 && deputy != 1)
		s->until = 0;
}

static void
read_people(struct json_obj root, struct arena *a, struct statement *s)
{
	struct json_obj o = json_get_obj(root, "holder");
	json_only(o, holder_keys);
	s->holder_name = statement_str(o, "name", a);
	s->holder_office = statement_str(o, "office", a);
	s->holder_run = statement_str(o, "run", a);
	o = json_get_obj(root, "institution");
	json_only(o, institution_keys);
	s->institution_name = statement_str(o, "name", a);
	s->institution = statement_str(o, "rut", a);
	s->operator_run = statement_str(root, "operator", a);
}

static void
read_policy(struct json_obj root, struct arena *a, struct statement *s)
{
	struct json_obj o = json_get_obj(root, "policy");
	json_only(o, policy_keys);
	s->policy = statement_str(o, "name", a);
	s->policy_sha256 = json_get_hex(o, "sha256", a);
	s->policy_version = json_get_int(o, "version");
}

void
statement_get_log(struct json_obj root, struct arena *a, uint64_t *size,
    struct bytes *hash)
{
	struct json_obj o = json_get_obj(root, "log");
	int64_t n = json_get_int(o, "size");

	json_only(o, log_keys);
	*hash = json_get_hex(o, "root", a);
	*size = n < 0 ? UINT64_MAX : (uint64_t)n;
}

static void
read_common(struct json_obj root, struct arena *a, struct statement *s)
{
	/* Given, it is more than one. */
	if (json_has(root, "endorsements"))
		s->endorsements = json_get_int(root, "endorsements");
	if (json_has(root, "endorsements") && s->endorsements == 0)
		s->endorsements = 1;
	s->expires = json_get_int(root, "expires");
	s->issued = json_get_int(root, "issued");
	s->issuer = statement_str(root, "issuer", a);
	statement_get_log(root, a, &s->log_size, &s->log_root);
	s->origin = statement_str(root, "origin", a);
	s->request = statement_str(root, "request", a);
	s->text_es = statement_str(root, "text_es", a);
}

static void
read_limits(struct json_obj root, struct arena *a, struct statement *s)
{
	struct json_obj o = json_get_obj(root, "mandate");
	json_only(o, limit_keys);
	s->life_s = json_get_int(o, "life");
	s->profile_sha256 = json_get_hex(o, "profile_sha256", a);
	if (json_has(o, "rekey_sha256"))
		s->rekey_sha256 = json_get_hex(o, "rekey_sha256", a);
	s->renewals = json_get_int(o, "renewals");
	s->until = json_get_int(o, "until");
	/* Given, it is a hash: judge() refuses no life. */
	if (json_has(o, "rekey_sha256") && s->rekey_sha256.len == 0)
		s->life_s = 0;
}

static void
read_object(struct json_obj root, struct arena *a, struct statement *s)
{
	s->request_version = json_get_int(root, "request_version");
	s->spki_sha256 = json_get_hex(root, "spki_sha256", a);
	s->tbs_sha256 = json_get_hex(root, "tbs_sha256", a);
	struct json_obj o = json_get_obj(root, "validity");
	json_only(o, validity_keys);
	s->not_after = json_get_int(o, "not_after");
	s->not_before = json_get_int(o, "not_before");
}

bool
statement_is(struct bytes in, const char *type)
{
	AUTO(json) j = NULL;
	struct err no;
	bool bad = false;

	return statement_load(in, &j, &no) == ERR_OK &&
	       bytes_is(json_opt_str(json_root(j, &bad, &no), "type"), type);
}

enum err_code
statement_load(struct bytes in, struct json **out, struct err *e)
{
	if (in.len > STATEMENT_MAX)
		return err_say(e, ERR_INVALID, "statement-too-large",
		    "the statement is larger than 8192 octets");
	return json_parse(in, true, out, e);
}

enum err_code
statement_must_be(struct json_obj root, const char *type, const char *act,
    struct err *e)
{
	struct bytes has_type = json_get_str(root, "type");
	struct bytes has_act = json_get_str(root, "act");

	if (*root.bad || (bytes_is(has_type, type) && bytes_is(has_act, act)))
		return ERR_OK;
	return err_at(e, ERR_INVALID, "statement-type", NULL, at_field("type"),
	    "this is no statement that is known here");
}

enum err_code
statement_parse(struct bytes in, struct arena *a, struct statement *out,
    struct err *e)
{
	AUTO(json) j = NULL;
	struct statement s = { .type = STATEMENT_ENDORSEMENT };
	bool bad = false;

	TRY(statement_load(in, &j, e));
	struct json_obj root = json_root(j, &bad, e);
	for (unsigned t = 0; t < STATEMENT_TYPES; t++)
		if (bytes_is(json_get_str(root, "type"), kinds[t].type))
			s.type = (enum statement_type)t;
	TRY(statement_must_be(root, kinds[s.type].type, kinds[s.type].act, e));
	json_only(root, kinds[s.type].keys);
	read_common(root, a, &s);
	read_people(root, a, &s);
	if (s.type == STATEMENT_MANDATE)
		read_limits(root, a, &s);
	else
		read_object(root, a, &s);
	if (s.type == STATEMENT_APPOINTMENT)
		read_terms(root, a, &s);
	else
		read_policy(root, a, &s);
	if (bad)
		return ERR_INVALID;
	TRY(judge(&s, e));
	*out = s;
	return ERR_OK;
}
