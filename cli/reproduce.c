/*
 * reproduce - certificates made once more from what the log keeps: entry,
 * facts, the policy's bytes and the issuer's certificate.
 */
#include <string.h>

#include "audit.h"

/* --- One certificate ------------------------------------------------------------- */

struct search {
	struct source source;
	struct history *history; /* owned */
	uint8_t serial[SERIAL_MAX];
	size_t len;
	bool found, is_minister;
	struct json *keep; /* owned: what past borrows from */
	struct arena *arena;
	struct past past;
};

static bool
search_wants(void *ctx, enum entry_type type, int64_t time, uint64_t at)
{
	const struct search *s = ctx;
	(void)time;
	(void)at;
	if (s->found)
		return false;
	return type == ENTRY_SYSTEM_INITIALIZED ||
	       type == ENTRY_CEREMONY_COMPLETED ||
	       type == ENTRY_POLICY_ACTIVATED ||
	       type == ENTRY_REQUEST_SUBMITTED ||
	       type == ENTRY_APPOINTMENT_PROPOSED;
}

/* The document and the arena of the source end with the call. */
static enum err_code
keep_past(struct search *s, const struct entry *en, struct err *e)
{
	struct entry own = { .leaf = arena_copy(s->arena, en->leaf),
		.detail = arena_copy(s->arena, en->detail) };
	memcpy(own.salt, en->salt, ENTRY_SALT);
	TRY(entry_parse(&own, s->arena, e));
	s->found = true;
	return past_read(&own, &s->keep, s->arena, &s->past, e);
}

static enum err_code
search_take(void *ctx, struct entry *en, struct err *e)
{
	struct search *s = ctx;
	TRY(entry_parse_leaf(en, s->source.arena, e));
	if (en->type == ENTRY_SYSTEM_INITIALIZED ||
	    en->type == ENTRY_CEREMONY_COMPLETED ||
	    en->type == ENTRY_POLICY_ACTIVATED) {
		TRY(entry_parse(en, s->source.arena, e));
		return history_take(s->history, en, e);
	}
	if (!bytes_eq(en->refs.serial, bytes_of(s->serial, s->len)))
		return ERR_OK;
	if (en->type == ENTRY_REQUEST_SUBMITTED)
		return keep_past(s, en, e);
	s->is_minister = true;
	return ERR_OK;
}

static enum err_code
serial_take(struct search *s, const char *text, struct err *e)
{
	s->len = strlen(text) / 2;
	if (s->len > 0 && s->len <= SERIAL_MAX &&
	    hex_parse(bytes_str(text), s->serial, s->len))
		return ERR_OK;
	return err_say(e, ERR_INVALID, "cli-serial",
	    "%s is no serial number: two hexadecimal digits for each octet, at "
	    "most 20",
	    text);
}

static enum err_code
search_run(struct cli *c, struct search *s, struct err *e)
{
	struct source_visitor v = { s, search_wants, search_take };
	TRY(serial_take(s, c->operand[0], e));
	TRY(source_open(c, &s->source, e));
	TRY(source_each(&s->source, SAY(c, "searching", "buscando"), &v, e));
	if (s->found)
		return ERR_OK;
	if (s->is_minister)
		return err_say(e, ERR_DENIED, "cli-reproduce-minister",
		    "%s is a minister's certificate: it follows from its "
		    "appointment, not from a policy",
		    c->operand[0]);
	return err_say(e, ERR_NOTFOUND, "cli-reproduce-unknown",
	    "the log has no certificate %s", c->operand[0]);
}

/* --- What was used, and what came of it ---------------------------------------------- */

struct outcome {
	const struct policy *policy;
	struct past_result result;
	struct cert_change change[CERT_CHANGES_MAX];
	size_t n_change;
};

static const char *
verdict_word(const struct outcome *o)
{
	switch (o->result.verdict) {
	case PAST_SAME:
		return "identical";
	case PAST_DIFFERS:
		return "differs";
	case PAST_REFUSED:
	case PAST_ACCEPTED:
	case PAST_STILL_REFUSED:
		break;
	}
	return "refused";
}

static enum err_code
reproduce(struct search *s, struct outcome *o, struct err *e)
{
	struct cert before, after;
	TRY(history_policy(s->history, s->past.policy_sha256, &o->policy, e));
	TRY(past_judge(s->history, &s->past, o->policy, s->arena, &o->result,
	    e));
	if (o->result.verdict != PAST_DIFFERS)
		return ERR_OK;
	TRY(cert_parse_own(o->result.before, &before, e));
	TRY(cert_parse_own(o->result.after, &after, e));
	o->n_change = cert_diff(&before, &after, o->change);
	return ERR_OK;
}

static void
outcome_json(struct cli *c, const struct search *s, const struct outcome *o)
{
	struct buf out AUTO_BUF = BUF(1u << 20);
	struct jw w = jw_of(&out);
	struct named_set names = { .policy = o->policy };
	uint8_t hash[SHA256_LEN];
	sha256(hash, o->result.tbs);
	jw_object(&w);
	put_changes(&w, o->change, o->n_change);
	jw_member_int(&w, "entry", (int64_t)s->past.index);
	jw_key(&w, "facts");
	past_write_facts(&w, &s->past);
	jw_member_int(&w, "octets", (int64_t)o->result.tbs.len);
	jw_key(&w, "policy");
	jw_object(&w);
	jw_member_str(&w, "name", bytes_str(o->policy->name));
	jw_member_hex(&w, "sha256", s->past.policy_sha256);
	jw_member_int(&w, "version", o->policy->version);
	jw_close(&w, '}');
	put_failed(&w, c, &o->result.verdicts, &names);
	jw_member_str(&w, "request", s->past.request);
	jw_member_hex(&w, "serial", s->past.serial);
	jw_member_hex(&w, "tbs_sha256", bytes_of(hash, SHA256_LEN));
	jw_member_str(&w, "verdict", bytes_str(verdict_word(o)));
	jw_close(&w, '}');
	printf("%s\n", buf_text(&out));
}

static void
outcome_people(struct cli *c, const struct search *s, const struct outcome *o)
{
	struct named_set names = { .policy = o->policy };
	char hex[HEX_LEN(SHA256_LEN)], when[TIME_TEXT];
	uint8_t hash[SHA256_LEN];
	time_print(when, s->past.time);
	printf("%s %llu, %s, %.*s\n", SAY(c, "entry", "entrada"),
	    (unsigned long long)s->past.index, when,
	    BYTES_FMT(s->past.request));
	hex_print(hex, s->past.policy_sha256);
	printf("%s %s %lld, SHA-256 %s\n", SAY(c, "policy", "política"),
	    o->policy->name, (long long)o->policy->version, hex);
	printf("%s\n", SAY(c, "judged by", "se juzgó con"));
	print_facts(c, &s->past.facts);
	if (o->result.verdict == PAST_REFUSED) {
		printf("%s\n", SAY(c, "✘ the policy refuses this:",
				   "✘ la política rechaza esto:"));
		print_failed(c, &o->result.verdicts, &names);
		return;
	}
	sha256(hash, o->result.tbs);
	hex_print(hex, bytes_of(hash, SHA256_LEN));
	printf("%s %zu, SHA-256 %s\n",
	    SAY(c, "rebuilt: octets", "reconstruido: octetos"),
	    o->result.tbs.len, hex);
	if (o->result.verdict == PAST_SAME) {
		printf("%s\n", SAY(c, "✔ IDENTICAL to what was endorsed",
				   "✔ IDÉNTICO a lo que se certificó"));
		return;
	}
	printf("%s\n", SAY(c, "✘ DIFFERS from what was endorsed:",
			   "✘ DIFIERE de lo que se certificó:"));
	print_changes(o->change, o->n_change);
}

static enum err_code
run(struct cli *c, struct search *s, struct err *e)
{
	static struct outcome o; /* 40 KiB */
	TRY(search_run(c, s, e));
	TRY(reproduce(s, &o, e));
	if (c->option[OPT_OUT] != NULL && o.result.tbs.len > 0)
		TRY(print_octets(c, o.result.tbs, e));
	if (c->json)
		outcome_json(c, s, &o);
	else
		outcome_people(c, s, &o);
	c->exit = o.result.verdict == PAST_SAME ? CLI_OK : CLI_UNVERIFIED;
	return ERR_OK;
}

enum err_code
audit_reproduce(struct cli *c, struct err *e)
{
	struct search s = { .history = history_new(), .arena = arena_new() };
	enum err_code code = run(c, &s, e);
	source_close(&s.source);
	json_free(s.keep);
	arena_free(s.arena);
	history_free(s.history);
	return code;
}
