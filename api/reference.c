/* reference - doc/api.md from the tables of routes, fields and parameters. */
#include "internal.h"

static const char *const type_words[] = {
	[CFT_TEXT] = "text of one line",
	[CFT_RUN] = "RUN or RUT",
	[CFT_EMAIL] = "e-mail address",
	[CFT_WORD] = "word",
	[CFT_ID] = "number",
	[CFT_HEX] = "hexadecimal",
	[CFT_OCTETS] = "base64",
	[CFT_TIME] = "`2026-11-24` or `2026-11-24T10:00:00Z`",
	[CFT_DURATION] = "duration, `90d` or `2y`",
	[CFT_NUMBER] = "number in digits, `\"30\"`",
	[CFT_FLAG] = "true or false",
	[CFT_FILES] = "array of base64",
	[CFT_MAP] = "object of texts, `{\"grade\": \"5\"}`",
};

static const char intro[] =
    "# The API\n\n"
    "Made from the tables in `api/routes.c`, `ca/acts.c`: change those.\n\n"
    "HTTP/1.1 over the local socket of the installation (`admin.socket` in "
    "`refrendo.yaml`). The kernel says which\nuser calls; root, the "
    "engine's own user and `admin.uids` may. Paths begin with `" API_PREFIX
    "`. Bodies and answers "
    "are JSON in UTF-8 unless\nsaid otherwise; times are UTC.\n\n"
    "- **Acts** are `POST`. They need the header field `Idempotency-Key`: 1 "
    "to 64 of `A-Z a-z 0-9 . _ -`. The same act with\n  the same key happens "
    "once and is answered with the present state; another act with the same "
    "key is 409. After a\n  503, or no answer at all, repeat it with the same "
    "key. Keys that begin with the time are the cheapest to\n  keep. "
    "`Refrendo-As`, or the member `as`, is the RUN of whoever acts.\n"
    "- **Refusals** are RFC 9457 problem documents "
    "(`application/problem+json`): `detail` is a sentence for people, `id` a\n"
    "  stable word for programs, `args` what fills the sentence, `rule` the "
    "law or standard that decides, `where.field` a\n  pointer to the member "
    "(`/run`), or `path:rut`, or the name of a header field or parameter.\n"
    "- `HEAD` answers as `GET` does, without the content.\n- **Lists** are "
    "`{\"items\": […], \"next\": \"…\"}`; `next` is absent on "
    "the last page and is the parameter `after` of the\n  page that follows.\n"
    "- `GET " API_PREFIX "/metrics` is text for Prometheus and `GET " API_PREFIX
    "/health` an object with the members `checks` and\n  `state` "
    "(`good`, `look`, `alarm`); the listener `metrics` of `refrendo.yaml` "
    "serves both without the prefix, and there an\n  alarm is 503.\n"
    "- Members, parameters and paths that are not listed here are refused, "
    "never ignored.\n\n"
    "Status: 200 done · 400 malformed · 403 not yours to ask · 404 not there "
    "· 405 method · 409 not in this state ·\n415 not JSON · 422 policy or law "
    "says no · 503 later, with the same key · 500 our fault.\n";

static void
put_params(struct buf *out, const struct route *r)
{
	for (int p = 0; p < PARAM_COUNT; p++) {
		if ((r->params >> p & 1) == 0)
			continue;
		buf_putf(out, " `%s`%s", api_params[p].name,
		    (r->required >> p & 1) != 0 ? "\\*" : "");
	}
}

static void
put_reads(struct buf *out)
{
	buf_puts(out, "\n## Reading\n\n"
		      "| path | answers | parameters, * needed | type |\n"
		      "|---|---|---|---|\n");
	for (size_t i = 0; i < api_n_routes; i++) {
		const struct route *r = &api_routes[i];
		if (r->is_act)
			continue;
		buf_putf(out, "| `%s %s` | %s |", http_method_name(r->method),
		    r->path, r->help);
		put_params(out, r);
		const char *type = r->raw_type;
		if (type == NULL &&
		    (r->what == CORE_EXPORT || r->what == CORE_CLOSING))
			type = "application/jsonl";
		if (type == NULL &&
		    (r->what == CORE_SEAL || r->what == CORE_PROOF))
			type = "text/plain";
		buf_putf(out, " | %s |\n",
		    type == NULL ? "application/json" : type);
	}
	buf_puts(out, "\n| parameter | |\n|---|---|\n");
	for (int p = 0; p < PARAM_COUNT; p++)
		buf_putf(out, "| `%s` | %s |\n", api_params[p].name,
		    api_params[p].help);
}

static void
put_roles(struct buf *out, unsigned roles)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = { { ROLE_OFFICER, "officer" },
		{ ROLE_OPERATOR, "operator" }, { ROLE_MINISTER, "minister" },
		{ ROLE_HOLDER, "holder" } };
	const char *between = "";
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((roles & words[i].bit) == 0)
			continue;
		buf_putf(out, "%s%s", between, words[i].word);
		between = ", ";
	}
}

static void
put_act(struct buf *out, const struct route *r)
{
	const struct ca_act_def *act = &ca_acts[r->act];
	buf_putf(out, "| `%s %s` | %s |", http_method_name(r->method), r->path,
	    act->help);
	for (int f = 0; f < CF_COUNT; f++) {
		uint64_t bit = UINT64_C(1) << f;
		if (f == CF_KEY || path_has(r->path, ca_fields[f].name) ||
		    ((act->required | act->optional) & bit) == 0)
			continue;
		buf_putf(out, " `%s`%s", ca_fields[f].name,
		    (act->required & bit) != 0 ? "\\*" : "");
	}
	buf_puts(out, " | ");
	put_roles(out, act->roles);
	buf_puts(out, " |\n");
}

void
api_reference(struct buf *out)
{
	buf_puts(out, intro);
	put_reads(out);
	buf_puts(out,
	    "\n## Acts\n\nThe answer is the record that was "
	    "changed, once what follows from the act is published;\nwith the "
	    "parameter `blobs=1` also its statement, evidence and DER.\n\n"
	    "| path | act | members, * needed | by |\n"
	    "|---|---|---|---|\n");
	for (size_t i = 0; i < api_n_routes; i++) {
		if (api_routes[i].is_act)
			put_act(out, &api_routes[i]);
	}
	buf_puts(out, "\n| member | form | octets at most | |\n"
		      "|---|---|---|---|\n");
	for (int f = 0; f < CF_COUNT; f++) {
		const struct cf_def *d = &ca_fields[f];
		if (f != CF_KEY)
			buf_putf(out, "| `%s` | %s | %zu | %s |\n", d->name,
			    type_words[d->type], d->max, d->help);
	}
}
