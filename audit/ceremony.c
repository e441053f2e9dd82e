/* ceremony - what officers sign so that an offline root signs it too. */
#include <string.h>

#include "statement.h"

#define TYPE "refrendo/ceremony/v1"

/* clang-format off */
static const char *const keys[] = {
	"act", "base_sha256", "ceremony", "expires", "issued", "log", "objects",
	"origin", "people", "proposed_by", "root_sha256", "text_es", "type",
	NULL
};
static const char *const object_keys[] = {
	"kind", "name", "replaces", "tbs_sha256", NULL
};
static const char *const kinds[CEREMONY_KINDS] = {
	[CEREMONY_CERTIFICATE] = "certificate", [CEREMONY_CRL] = "crl",
	[CEREMONY_KEY] = "key", [CEREMONY_CROSS] = "cross",
	[CEREMONY_CEILINGS] = "ceilings", [CEREMONY_ROOT] = "root",
};
static const char *const hows[CEILINGS_HOWS] = {
	[CEILINGS_FIRST] = "first", [CEILINGS_AGREED] = "agreed",
	[CEILINGS_LESSENED] = "lessened", [CEILINGS_REFOUNDED] = "refounded",
	[CEILINGS_KEPT] = "kept",
};
/* clang-format on */

const char *
ceilings_how_name(enum ceilings_how how)
{
	return hows[how];
}

enum ceilings_how
ceilings_how_parse(struct bytes word)
{
	for (size_t i = 0; i < CEILINGS_HOWS; i++)
		if (bytes_is(word, hows[i]))
			return (enum ceilings_how)i;
	return CEILINGS_HOWS;
}

const char *
ceremony_kind_name(enum ceremony_kind k)
{
	return kinds[k];
}

bool
ceremony_is_whole(enum ceremony_kind k)
{
	return k == CEREMONY_CEILINGS || k == CEREMONY_ROOT;
}

/* What it asks for; the root's machine takes the last alone. */
static const char *
act_of(const struct ceremony_statement *s)
{
	return s->object[0].kind == CEREMONY_KEY      ? "destroy"
	       : ceremony_is_whole(s->object[0].kind) ? "change"
						      : "sign";
}

/* --- Judgement, the same for what is printed and what is read -------------- */

/* Only a CA replaces one, and another than itself. */
static bool
may_replace(const struct ceremony_statement *s, size_t i)
{
	struct bytes old = s->object[i].replaces;

	return old.len == 0 || (s->object[i].kind == CEREMONY_CERTIFICATE &&
				   statement_text(old, 1, CEREMONY_NAME_MAX) &&
				   !bytes_eq(old, s->object[i].name));
}

static bool
stands_before(const struct ceremony_statement *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (s->object[k].kind == s->object[i].kind &&
		    bytes_eq(s->object[k].name, s->object[i].name))
			return true;
	return false;
}

/* Ceilings name what they replace, and whose they will be. */
static enum err_code
judge_ceilings(const struct ceremony_statement *s, struct err *e)
{
	bool is_one = s->object[0].kind == CEREMONY_CEILINGS;

	NEED(s->base_sha256.len == (is_one ? HASH_LEN : 0), "base_sha256");
	NEED(is_one ? statement_text(s->people, 1, TEXT_MAX)
		    : s->people.len == 0,
	    "people");
	return ERR_OK;
}

static enum err_code
judge(const struct ceremony_statement *s, struct err *e)
{
	NEED(statement_text(s->origin, 1, ORIGIN_MAX), "origin");
	NEED(s->id.len > 0 && ref_is_good(s->id), "ceremony");
	NEED(statement_run(s->proposed_by), "proposed_by");
	NEED(s->log_size < (UINT64_C(1) << 53), "log.size");
	NEED(s->log_root.len == HASH_LEN, "log.root");
	NEED(s->root_sha256.len == HASH_LEN, "root_sha256");
	NEED(statement_text(s->text_es, 1, TEXT_MAX), "text_es");
	NEED(statement_time(s->issued), "issued");
	NEED(statement_time(s->expires) && s->expires > s->issued, "expires");
	NEED(s->n > 0 && s->n <= CEREMONY_OBJECTS_MAX, "objects");
	for (size_t i = 0; i < s->n; i++) {
		NEED(s->object[i].kind < CEREMONY_KINDS, "objects.kind");
		NEED(s->n == 1 || (s->object[i].kind != CEREMONY_KEY &&
				      !ceremony_is_whole(s->object[i].kind)),
		    "objects");
		NEED(statement_text(s->object[i].name, 1, ID_MAX),
		    "objects.name");
		NEED(s->object[i].tbs_sha256.len == HASH_LEN,
		    "objects.tbs_sha256");
		NEED(!stands_before(s, i), "objects.name");
		NEED(may_replace(s, i), "objects.replaces");
	}
	return judge_ceilings(s, e);
}

/* --- Writing ---------------------------------------------------------------- */

static void
put_objects(struct jw *w, const struct ceremony_statement *s)
{
	jw_key(w, "objects");
	jw_array(w);
	for (size_t i = 0; i < s->n; i++) {
		jw_object(w);
		jw_member_str(w, "kind", bytes_str(kinds[s->object[i].kind]));
		jw_member_str(w, "name", s->object[i].name);
		jw_member_str_opt(w, "replaces", s->object[i].replaces);
		jw_member_hex(w, "tbs_sha256", s->object[i].tbs_sha256);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

enum err_code
ceremony_print(const struct ceremony_statement *s, struct buf *out,
    struct err *e)
{
	struct buf text AUTO_BUF = BUF(STATEMENT_MAX);
	struct jw w = jw_of(&text);

	TRY(judge(s, e));
	jw_object(&w);
	jw_member_str(&w, "act", bytes_str(act_of(s)));
	if (s->base_sha256.len > 0)
		jw_member_hex(&w, "base_sha256", s->base_sha256);
	jw_member_str(&w, "ceremony", s->id);
	jw_member_int(&w, "expires", s->expires);
	jw_member_int(&w, "issued", s->issued);
	statement_put_log(&w, s->log_size, s->log_root);
	put_objects(&w, s);
	jw_member_str(&w, "origin", s->origin);
	jw_member_str_opt(&w, "people", s->people);
	jw_member_str(&w, "proposed_by", s->proposed_by);
	jw_member_hex(&w, "root_sha256", s->root_sha256);
	jw_member_str(&w, "text_es", s->text_es);
	jw_member_str(&w, "type", bytes_str(TYPE));
	jw_close(&w, '}');
	TRY(buf_end(&text, e));
	buf_put(out, text.p, text.len);
	return buf_end(out, e);
}

/* --- Reading ---------------------------------------------------------------- */

static enum ceremony_kind
kind_of(struct bytes word)
{
	for (size_t i = 0; i < CEREMONY_KINDS; i++)
		if (bytes_is(word, kinds[i]))
			return (enum ceremony_kind)i;
	return CEREMONY_KINDS; /* which judge() refuses */
}

static void
get_objects(struct json_obj root, struct arena *a, struct ceremony_statement *s)
{
	size_t n = json_count(root, "objects");

	for (size_t i = 0; i < n && i < CEREMONY_OBJECTS_MAX; i++) {
		struct json_obj o = json_at_obj(root, "objects", i);
		json_only(o, object_keys);
		s->object[i].kind = kind_of(json_get_str(o, "kind"));
		s->object[i].name = statement_str(o, "name", a);
		/* Empty is not a second form of none: judge() refuses it. */
		s->object[i].replaces = s->object[i].name;
		if (!json_has(o, "replaces"))
			s->object[i].replaces = BYTES_NONE;
		else if (json_get_str(o, "replaces").len > 0)
			s->object[i].replaces = statement_str(o, "replaces", a);
		s->object[i].tbs_sha256 = json_get_hex(o, "tbs_sha256", a);
	}
	s->n = n;
}

bool
statement_is_ceremony(struct bytes in)
{
	return statement_is(in, TYPE);
}

enum err_code
ceremony_parse(struct bytes in, struct arena *a, struct ceremony_statement *out,
    struct err *e)
{
	AUTO(json) j = NULL;
	struct ceremony_statement s = { .n = 0 };
	bool bad = false;

	TRY(statement_load(in, &j, e));
	struct json_obj root = json_root(j, &bad, e);
	get_objects(root, a, &s);
	TRY(statement_must_be(root, TYPE, act_of(&s), e));
	json_only(root, keys);
	s.id = statement_str(root, "ceremony", a);
	s.expires = json_get_int(root, "expires");
	s.issued = json_get_int(root, "issued");
	statement_get_log(root, a, &s.log_size, &s.log_root);
	s.origin = statement_str(root, "origin", a);
	if (json_has(root, "base_sha256"))
		s.base_sha256 = json_get_hex(root, "base_sha256", a);
	s.people = arena_copy(a, json_opt_str(root, "people"));
	s.proposed_by = statement_str(root, "proposed_by", a);
	s.root_sha256 = json_get_hex(root, "root_sha256", a);
	s.text_es = statement_str(root, "text_es", a);
	if (bad)
		return ERR_INVALID;
	TRY(judge(&s, e));
	*out = s;
	return ERR_OK;
}
