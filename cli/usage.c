/*
 * usage - since when policies are in force and when a request last named each,
 * for the warnings of check: from an export, or from the engine when it
 * answers.
 */
#include <string.h>

#include "audit.h"

#define PAGES_MAX 200 /* of 500 requests: more are left to an export */

/* A policy that is or was in force, by its name. */
struct named {
	struct named *next;
	struct bytes name;
	int64_t since, last;
};
/* One of its texts: requests in the log say its hash. */
struct version {
	struct version *next;
	uint8_t sha256[SHA256_LEN];
	struct named *of;
};
struct usage {
	struct cli *c;
	struct source source;
	struct named *named; /* all of this is in the arena of c */
	struct version *version;
	size_t n;
};

static struct named *
find(struct usage *u, struct bytes name)
{
	struct named *n = u->named;
	while (n != NULL && !bytes_eq(n->name, name))
		n = n->next;
	return n;
}

static struct named *
in_force(struct usage *u, struct bytes name, int64_t since)
{
	struct named *n = find(u, name);
	if (n == NULL) {
		n = arena_get(u->c->arena, sizeof(*n));
		n->name = arena_copy(u->c->arena, name);
		n->since = since;
		n->next = u->named;
		u->named = n;
		u->n++;
	}
	if (since < n->since)
		n->since = since;
	return n;
}

static void
used(struct named *n, int64_t at)
{
	if (n != NULL && at > n->last)
		n->last = at;
}

/* --- From an export ------------------------------------------------------------- */

static bool
wants(void *ctx, enum entry_type type, int64_t time, uint64_t at)
{
	(void)ctx;
	(void)time;
	(void)at;
	return type == ENTRY_POLICY_ACTIVATED ||
	       type == ENTRY_REQUEST_SUBMITTED;
}

static enum err_code
take_version(struct usage *u, const struct entry *en, struct err *e)
{
	AUTO(json) j = NULL;
	bool bad = false;
	TRY(json_parse(en->detail, true, &j, e));
	struct bytes name = json_get_str(json_root(j, &bad, e), "name");
	if (bad)
		return e->code;
	struct version *v = arena_get(u->c->arena, sizeof(*v));
	if (en->refs.policy.len == SHA256_LEN)
		memcpy(v->sha256, en->refs.policy.p, SHA256_LEN);
	v->of = in_force(u, name, en->time);
	v->next = u->version;
	u->version = v;
	return ERR_OK;
}

static enum err_code
take(void *ctx, struct entry *en, struct err *e)
{
	struct usage *u = ctx;
	TRY(entry_parse_leaf(en, u->source.arena, e));
	if (en->type == ENTRY_POLICY_ACTIVATED)
		return take_version(u, en, e);
	for (struct version *v = u->version; v != NULL; v = v->next) {
		if (bytes_eq(bytes_of(v->sha256, SHA256_LEN), en->refs.policy))
			used(v->of, en->time);
	}
	return ERR_OK;
}

static enum err_code
from_export(struct usage *u, struct err *e)
{
	struct source_visitor v = { u, wants, take };
	enum err_code code = source_open(u->c, &u->source, e);
	if (code == ERR_OK)
		code = source_each(&u->source, SAY(u->c, "reading", "leyendo"),
		    &v, e);
	source_close(&u->source);
	return code;
}

/* --- From the engine ------------------------------------------------------------ */

static int64_t
time_of(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	int64_t at;
	return text != NULL && time_parse(bytes_str(text), &at) ? at : 0;
}

static struct bytes
text_of(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	return text == NULL ? BYTES_NONE : bytes_str(text);
}

static void
take_text(struct usage *u, const json_t *record)
{
	int64_t since = time_of(record, "activated");
	/* What was only proposed was never in force. */
	if (since != 0)
		(void)in_force(u, text_of(record, "name"), since);
}

static void
take_request(struct usage *u, const json_t *record)
{
	used(find(u, text_of(record, "policy")), time_of(record, "submitted"));
}

/* Every page of a list; false where it has more of them than are read. */
static enum err_code
each_of(struct usage *u, const char *list,
    void (*one)(struct usage *u, const json_t *record), bool *all,
    struct err *e)
{
	const char *path = arena_printf(u->c->arena, "%s?limit=500", list);
	*all = true;
	for (size_t page = 0; *all && path != NULL; page++) {
		struct buf after AUTO_BUF = BUF(4096);
		json_t *answer, *record;
		size_t i;
		if (page == PAGES_MAX) {
			*all = false;
			break;
		}
		TRY(engine_json(u->c, path, &answer, e));
		json_array_foreach(json_object_get(answer, "items"), i, record)
		{
			one(u, record);
		}
		struct bytes next = text_of(answer, "next");
		api_put_segment(&after, next);
		path = next.len == 0
			   ? NULL
			   : arena_printf(u->c->arena, "%s?limit=500&after=%s",
				 list, buf_text(&after));
		json_decref(answer);
	}
	return ERR_OK;
}

/* An engine that does not answer is no mistake: then nothing is known. */
static bool
from_engine(struct usage *u)
{
	struct err ignored;
	bool all;
	if (each_of(u, "/policy-texts", take_text, &all, &ignored) == ERR_OK &&
	    all &&
	    each_of(u, "/requests", take_request, &all, &ignored) == ERR_OK) {
		if (!all)
			fprintf(stderr, "%s\n",
			    SAY(u->c,
				"there are too many requests to ask the engine "
				"which policies they name; give an export with "
				"--export",
				"hay demasiadas solicitudes para preguntar al "
				"motor qué políticas nombran; entregue una "
				"exportación con --export"));
		return all;
	}
	buf_reset(&u->c->problem);
	return false;
}

/* --- Either --------------------------------------------------------------------- */

enum err_code
usage_read(struct cli *c, bool installed, struct policy_context *out,
    struct err *e)
{
	struct usage u = { .c = c };
	struct policy_use *use;
	int64_t since;
	TRY(take_since(c, &since, e));
	if (c->option[OPT_EXPORT] != NULL)
		TRY(from_export(&u, e));
	else if (!installed || !from_engine(&u))
		return ERR_OK;
	use = arena_get(c->arena, (u.n + 1) * sizeof(*use));
	out->use = use;
	out->unused_s = out->now - since;
	for (const struct named *n = u.named; n != NULL; n = n->next)
		use[out->n_use++] =
		    (struct policy_use){ n->name, n->since, n->last };
	return ERR_OK;
}
