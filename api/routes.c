/*
 * routes - the one table of routes, and paths against it.  A path that is not
 * in the table does not exist; a method that is not is 405.
 */
#include <string.h>
#include <strings.h>

#include "internal.h"

/* clang-format off */
#define BIT(p) (1u << (p))
#define PAGE   (BIT(PARAM_AFTER) | BIT(PARAM_LIMIT) | BIT(PARAM_BLOBS))
#define ACT(path, act) \
	{ HTTP_POST, path, true, act, CORE_COMMAND, 0, BIT(PARAM_BLOBS), 0, NULL, NULL, NULL }
#define GET(path, class, help) \
	{ HTTP_GET, path, false, 0, CORE_GET, class, BIT(PARAM_BLOBS), 0, NULL, NULL, help }
#define RAW(path, class, member, type, help) \
	{ HTTP_GET, path, false, 0, CORE_GET, class, 0, 0, member, type, help }
#define LIST(path, class, help) \
	{ HTTP_GET, path, false, 0, CORE_LIST, class, PAGE, 0, NULL, NULL, help }
#define OTHER(method, path, what, params, required, help) \
	{ method, path, false, 0, what, 0, params, required, NULL, NULL, help }

const struct param_def api_params[PARAM_COUNT] = {
	[PARAM_AFTER] = { "after", "the `next` of the page before" },
	[PARAM_LIMIT] = { "limit", "rows of a page, 1 to 500; 100 if left out" },
	[PARAM_BLOBS] = { "blobs", "1: with statements, evidence and DER" },
	[PARAM_START] = { "start", "index of the first entry" },
	[PARAM_SIZE]  = { "size", "size of the log, as in its checkpoint" },
	[PARAM_INDEX] = { "index", "index of the entry" },
};

const struct route api_routes[] = {
	LIST("/institutions", ROW_INSTITUTION, "institutions"),
	ACT("/institutions", ACT_INSTITUTION_ADD),
	GET("/institutions/{rut}", ROW_INSTITUTION, "one institution"),
	ACT("/institutions/{rut}:enable", ACT_INSTITUTION_ENABLE),
	ACT("/institutions/{rut}:suspend", ACT_INSTITUTION_SUSPEND),
	ACT("/institutions/{rut}:close", ACT_INSTITUTION_CLOSE),
	LIST("/institutions/{rut}/people", ROW_PERSON, "people of an institution"),
	GET("/institutions/{rut}/people/{run}", ROW_PERSON, "one person"),

	LIST("/people", ROW_PERSON, "people of all institutions"),
	ACT("/people", ACT_PERSON_REGISTER),

	LIST("/appointments", ROW_APPOINTMENT, "appointments of ministers of faith"),
	ACT("/appointments", ACT_APPOINTMENT_PROPOSE),
	GET("/appointments/{appointment}", ROW_APPOINTMENT, "one appointment"),
	ACT("/appointments/{appointment}:confirm", ACT_APPOINTMENT_CONFIRM),
	ACT("/appointments/{appointment}:end", ACT_APPOINTMENT_END),
	ACT("/appointments/{appointment}:withdraw", ACT_APPOINTMENT_WITHDRAW),
	RAW("/appointments/{appointment}/statement", ROW_APPOINTMENT, "statement",
	    "application/json", "the exact bytes that an officer signs"),
	RAW("/appointments/{appointment}/certificate", ROW_APPOINTMENT, "certificate",
	    "application/pkix-cert", "the minister's certificate, DER"),

	LIST("/requests", ROW_REQUEST, "requests"),
	ACT("/requests", ACT_REQUEST_NEW),
	GET("/requests/{request}", ROW_REQUEST, "one request"),
	ACT("/requests/{request}:submit", ACT_REQUEST_SUBMIT),
	ACT("/requests/{request}:endorse", ACT_REQUEST_ENDORSE),
	ACT("/requests/{request}:return", ACT_REQUEST_RETURN),
	ACT("/requests/{request}:reject", ACT_REQUEST_REJECT),
	ACT("/requests/{request}:withdraw", ACT_REQUEST_WITHDRAW),
	ACT("/requests/{request}:retry", ACT_REQUEST_RETRY),
	RAW("/requests/{request}/statement", ROW_REQUEST, "statement",
	    "application/json", "the exact bytes that a minister signs"),

	OTHER(HTTP_GET, "/requests/{request}/explain", CORE_EXPLAIN, 0, 0,
	    "each rule of its policy with its verdict, the fact and the line"),

	LIST("/certificates", ROW_CERTIFICATE, "certificates"),
	GET("/certificates/{serial}", ROW_CERTIFICATE, "one certificate's record"),
	ACT("/certificates/{serial}:renew", ACT_CERTIFICATE_RENEW),
	ACT("/certificates/{serial}:revoke", ACT_CERTIFICATE_REVOKE),
	ACT("/certificates/{serial}:suspend", ACT_CERTIFICATE_SUSPEND),
	ACT("/certificates/{serial}:reinstate", ACT_CERTIFICATE_REINSTATE),
	RAW("/certificates/{serial}/certificate", ROW_CERTIFICATE, "certificate",
	    "application/pkix-cert", "the certificate, DER"),

	LIST("/mandates", ROW_MANDATE, "mandates: renewals that need no new endorsement"),
	ACT("/mandates", ACT_MANDATE_PROPOSE),
	GET("/mandates/{mandate}", ROW_MANDATE, "one mandate"),
	ACT("/mandates/{mandate}:endorse", ACT_MANDATE_ENDORSE),
	ACT("/mandates/{mandate}:end", ACT_MANDATE_END),
	RAW("/mandates/{mandate}/statement", ROW_MANDATE, "statement",
	    "application/json", "the exact bytes that a minister signs"),
	LIST("/mandates/{mandate}/signatures", ROW_CONSENT,
	    "the ministers who signed it"),

	LIST("/policies", ROW_IN_FORCE, "policies in force"),
	GET("/policies/{name}", ROW_IN_FORCE, "version and hash of one in force"),
	LIST("/policy-texts", ROW_POLICY, "every policy there ever was, by hash: its history"),
	GET("/policy-texts/{sha256}", ROW_POLICY, "any policy there ever was"),
	RAW("/policy-texts/{sha256}/text", ROW_POLICY, "text",
	    "application/yaml", "its exact bytes"),
	LIST("/policy-activations", ROW_ACTIVATION, "activations of policies"),
	ACT("/policy-activations", ACT_POLICY_PROPOSE),
	GET("/policy-activations/{activation}", ROW_ACTIVATION, "one activation"),
	ACT("/policy-activations/{activation}:endorse", ACT_POLICY_ENDORSE),
	ACT("/policy-activations/{activation}:withdraw", ACT_POLICY_WITHDRAW),
	RAW("/policy-activations/{activation}/statement", ROW_ACTIVATION, "statement",
	    "application/json", "the exact bytes that officers sign"),
	LIST("/policy-activations/{activation}/signatures", ROW_CONSENT,
	    "the officers who signed it"),
	LIST("/ceremonies", ROW_CEREMONY, "ceremonies of the offline root"),
	ACT("/ceremonies:ca", ACT_CEREMONY_CA),
	ACT("/ceremonies:crl", ACT_CEREMONY_CRL),
	ACT("/ceremonies:key", ACT_CEREMONY_KEY),
	ACT("/ceremonies:cross", ACT_CEREMONY_CROSS),
	ACT("/ceremonies:ceilings", ACT_CEREMONY_CEILINGS),
	ACT("/ceremonies:root", ACT_CEREMONY_ROOT),
	ACT("/ceremonies:import", ACT_CEREMONY_IMPORT),
	GET("/ceremonies/{ceremony}", ROW_CEREMONY, "one ceremony"),
	ACT("/ceremonies/{ceremony}:endorse", ACT_CEREMONY_ENDORSE),
	ACT("/ceremonies/{ceremony}:withdraw", ACT_CEREMONY_WITHDRAW),
	RAW("/ceremonies/{ceremony}/statement", ROW_CEREMONY, "statement",
	    "application/json", "the exact bytes that officers sign"),
	RAW("/ceremonies/{ceremony}/object", ROW_CEREMONY, "object",
	    "application/octet-stream", "what the root signed, DER"),
	LIST("/ceremonies/{ceremony}/signatures", ROW_CONSENT,
	    "the officers who signed it"),
	LIST("/cas", ROW_ISSUER, "the root and the CAs that it signed"),
	ACT("/cas", ACT_CA_CREATE),
	GET("/cas/{name}", ROW_ISSUER, "one CA"),
	ACT("/cas/{name}:stop", ACT_CA_STOP),
	RAW("/cas/{name}/certificate", ROW_ISSUER, "certificate",
	    "application/pkix-cert", "its certificate, DER"),
	LIST("/ceilings", ROW_CEILINGS, "the ceilings in force before the signer"),
	LIST("/crls", ROW_CRL, "number and times of the CRLs"),

	OTHER(HTTP_GET, "/log/entries", CORE_EXPORT,
	    BIT(PARAM_START) | BIT(PARAM_SIZE), BIT(PARAM_START) | BIT(PARAM_SIZE),
	    "lines of an export: as many entries as fit, from start on"),
	OTHER(HTTP_GET, "/log/seal", CORE_SEAL, 0, 0, "the newest signed checkpoint"),
	OTHER(HTTP_GET, "/log/closing", CORE_CLOSING, BIT(PARAM_SIZE), 0,
	    "the last lines of an export: CRLs and a checkpoint that covers them"),
	OTHER(HTTP_GET, "/log/proof", CORE_PROOF, BIT(PARAM_INDEX), BIT(PARAM_INDEX),
	    "a C2SP tlog-proof that an entry is in the log"),
	OTHER(HTTP_GET, "/checkpoint", CORE_SEAL, 0, 0, "the newest signed checkpoint"),
	OTHER(HTTP_GET, "/status", CORE_STATUS, 0, 0, "how the engine is"),
	OTHER(HTTP_POST, "/snapshots", CORE_SNAPSHOT, 0, 0,
	    "a consistent copy of the ledger; member `name`: 1 to 64 of a-z 0-9 -"),
};
/* clang-format on */
const size_t api_n_routes = ARRAY_LEN(api_routes);

bool
path_matches(const char *pattern, struct bytes path, struct path_match *m)
{
	size_t i = 0;
	m->n = 0;
	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (i == path.len || path.p[i] != (uint8_t)*pattern)
				return false;
			pattern++;
			i++;
			continue;
		}
		size_t len = strcspn(pattern, "}");
		size_t start = i;
		while (i < path.len && path.p[i] != '/' && path.p[i] != ':')
			i++;
		if (i == start || m->n == API_VARS)
			return false;
		m->var[m->n++] =
		    (struct path_var){ bytes_of(pattern + 1, len - 1),
			    bytes_of(path.p + start, i - start) };
		pattern += len + 1;
	}
	return i == path.len;
}

bool
path_has(const char *pattern, const char *name)
{
	char var[64] = "{";
	size_t len = strlen(name);
	if (len > sizeof(var) - 3)
		return false;
	memcpy(var + 1, name, len);
	var[len + 1] = '}';
	var[len + 2] = '\0';
	return strstr(pattern, var) != NULL;
}

static bool
below_prefix(struct bytes *path)
{
	size_t len = strlen(API_PREFIX);
	if (path->len < len || memcmp(path->p, API_PREFIX, len) != 0)
		return false;
	*path = bytes_of(path->p + len, path->len - len);
	return true;
}

void
api_allow(struct bytes path, struct buf *out)
{
	struct path_match m;
	if (!below_prefix(&path))
		return;
	for (int method = 0; method < HTTP_METHODS; method++) {
		for (size_t i = 0; i < api_n_routes; i++) {
			if ((int)api_routes[i].method != method ||
			    !path_matches(api_routes[i].path, path, &m))
				continue;
			buf_puts(out, out->len > 0 ? ", " : "");
			buf_puts(out,
			    http_method_name((enum http_method)method));
			if (method == HTTP_GET)
				buf_puts(out, ", HEAD");
		}
	}
}

/* --- One request ------------------------------------------------------------- */

/* What is known of a request while it is being routed. */
struct routing {
	const struct http_request *r;
	const struct route *route;
	struct path_match match;
	struct arena *a;
	struct api_call *out;
	int *status;
	struct err *e;
	bool as_header; /* the person was named in the header */
};

/* RFC 9110 9.3.2: HEAD is GET whose answer stays without its content. */
static bool
answers(const struct route *r, enum http_method method)
{
	return r->method == (method == HTTP_HEAD ? HTTP_GET : method);
}

static enum err_code
find_route(struct routing *g)
{
	struct bytes path = g->r->path;
	struct path_match m;
	bool exists = false;
	bool below = below_prefix(&path);
	for (size_t i = 0; below && i < api_n_routes; i++) {
		if (!path_matches(api_routes[i].path, path, &m))
			continue;
		exists = true;
		if (!answers(&api_routes[i], g->r->method))
			continue;
		g->route = &api_routes[i];
		g->match = m;
		return ERR_OK;
	}
	if (exists) {
		*g->status = 405;
		return err_say(g->e, ERR_INVALID, "api-method",
		    "%s is not possible here; the field Allow of this answer "
		    "says what is",
		    http_method_name(g->r->method));
	}
	return err_say(g->e, ERR_NOTFOUND, "api-path",
	    "there is nothing at this path; doc/api.md lists what there is");
}

static enum err_code
decode_var(struct routing *g, const struct path_var *v, struct bytes *out)
{
	struct buf text AUTO_BUF = BUF(512);
	TRY(http_percent_decode(v->value, &text, g->e));
	*out = arena_copy(g->a, buf_bytes(&text));
	return ERR_OK;
}

static struct where
at_var(struct arena *a, struct bytes name)
{
	return at_field(arena_printf(a, "path:%.*s", BYTES_FMT(name)));
}

/* A variable as it stands in keys of rows. */
static enum err_code
key_of_var(struct routing *g, const struct path_var *v, struct bytes *out)
{
	struct bytes text;
	TRY(decode_var(g, v, &text));
	if (bytes_is(v->name, "rut") || bytes_is(v->name, "run")) {
		char stored[RUN_TEXT];
		if (run_parse(text, stored, g->e) != ERR_OK) {
			g->e->where = at_var(g->a, v->name);
			return g->e->code;
		}
		*out = arena_copy(g->a, bytes_str(stored));
		return ERR_OK;
	}
	bool is_hex =
	    bytes_is(v->name, "serial") || bytes_is(v->name, "sha256");
	uint8_t *raw = arena_get(g->a, text.len / 2 + 1);
	if (is_hex && (text.len % 2 != 0 || text.len > 2 * SHA256_LEN ||
			  !hex_parse(text, raw, text.len / 2)))
		return err_at(g->e, ERR_INVALID, "api-hex", NULL,
		    at_var(g->a, v->name),
		    "%s is not a number in hexadecimal with two digits for "
		    "each octet, at most 64",
		    arena_str(g->a, text));
	*out = is_hex ? bytes_of(raw, text.len / 2) : text;
	if (out->len >= ROW_KEY_MAX)
		return err_at(g->e, ERR_INVALID, "api-key-long", NULL,
		    at_var(g->a, v->name),
		    "the name in the path is longer than any that exists");
	return ERR_OK;
}

static enum err_code
route_key(struct routing *g)
{
	struct bytes part[API_VARS] = { BYTES_NONE, BYTES_NONE };
	for (size_t i = 0; i < g->match.n; i++)
		TRY(key_of_var(g, &g->match.var[i], &part[i]));
	struct buf key AUTO_BUF = BUF(ROW_KEY_MAX);
	bool is_list = g->route->what == CORE_LIST;
	buf_put(&key, part[0].p, part[0].len);
	if (g->match.n == 2 || (is_list && g->match.n == 1))
		buf_putc(&key, '/');
	buf_put(&key, part[1].p, part[1].len);
	TRY(buf_end(&key, g->e));
	g->out->query.key = arena_copy(g->a, buf_bytes(&key));
	return ERR_OK;
}

static enum err_code
wrong_param(struct routing *g, enum api_param p, const char *want)
{
	return err_at(g->e, ERR_INVALID, "api-parameter", NULL,
	    at_field(api_params[p].name), "the parameter %s must be %s",
	    api_params[p].name, want);
}

static enum err_code
take_param(struct routing *g, enum api_param p, struct bytes value)
{
	struct query *q = &g->out->query;
	int64_t n = 0;
	bool is_number = dec_parse(value, &n);
	switch (p) {
	case PARAM_AFTER: {
		uint8_t *raw = arena_get(g->a, value.len / 2 + 1);
		if (value.len == 0 || value.len % 2 != 0 ||
		    value.len / 2 >= ROW_KEY_MAX ||
		    !hex_parse(value, raw, value.len / 2))
			return wrong_param(g, p, "the next of a page");
		q->after = bytes_of(raw, value.len / 2);
		return ERR_OK;
	}
	case PARAM_LIMIT:
		if (!is_number || n < 1 || n > LIST_MAX)
			return wrong_param(g, p, "a number from 1 to 500");
		q->limit = (uint64_t)n;
		return ERR_OK;
	case PARAM_BLOBS:
		if (!is_number || n > 1)
			return wrong_param(g, p, "0 or 1");
		g->out->with_blobs = n == 1;
		return ERR_OK;
	case PARAM_SIZE:
		if (!is_number)
			return wrong_param(g, p, "a number");
		q->limit = (uint64_t)n;
		return ERR_OK;
	case PARAM_START:
	case PARAM_INDEX:
		if (!is_number)
			return wrong_param(g, p, "a number");
		q->index = (uint64_t)n;
		return ERR_OK;
	case PARAM_COUNT:
		break;
	}
	fatal("api: no such parameter");
}

static enum err_code
one_param(struct routing *g, struct bytes name, struct bytes value,
    unsigned *seen)
{
	for (int p = 0; p < PARAM_COUNT; p++) {
		if (!bytes_is(name, api_params[p].name) ||
		    (g->route->params & BIT(p)) == 0)
			continue;
		if ((*seen & BIT(p)) != 0)
			return wrong_param(g, (enum api_param)p, "given once");
		*seen |= BIT(p);
		return take_param(g, (enum api_param)p, value);
	}
	const char *text = arena_str(g->a, name);
	return err_at(g->e, ERR_INVALID, "api-parameter-unknown", NULL,
	    at_field(text), "this path has no parameter %s; leave it out",
	    text);
}

static enum err_code
route_params(struct routing *g)
{
	struct bytes rest = g->r->query;
	unsigned seen = 0;
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '&', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.p);
		const uint8_t *eq = memchr(rest.p, '=', len);
		size_t name = eq == NULL ? len : (size_t)(eq - rest.p);
		size_t skip = eq == NULL ? len : name + 1;
		TRY(one_param(g, bytes_of(rest.p, name),
		    bytes_of(rest.p + skip, len - skip), &seen));
		len += end == NULL ? 0 : 1;
		rest = bytes_of(rest.p + len, rest.len - len);
	}
	for (int p = 0; p < PARAM_COUNT; p++) {
		if ((g->route->required & ~seen & BIT(p)) != 0)
			return err_at(g->e, ERR_INVALID,
			    "api-parameter-missing", NULL,
			    at_field(api_params[p].name),
			    "this path needs the parameter %s",
			    api_params[p].name);
	}
	return ERR_OK;
}

static enum err_code
check_type(struct routing *g)
{
	static const char json[] = "application/json";
	struct bytes type;
	if (!http_find(g->r, "Content-Type", &type))
		return ERR_OK;
	size_t len = 0;
	while (len < type.len && type.p[len] != ';' && type.p[len] != ' ')
		len++;
	if (bytes_is(bytes_of(type.p, len), json))
		return ERR_OK;
	*g->status = 415;
	return err_at(g->e, ERR_INVALID, "api-content-type", NULL,
	    at_field("Content-Type"),
	    "the body is of type %s where application/json is needed",
	    arena_str(g->a, bytes_of(type.p, len)));
}

/* A field that decides must not stand there twice: who reads which? */
static enum err_code
one_header(struct routing *g, const char *name, struct bytes *value)
{
	size_t n = 0, len = strlen(name);
	*value = BYTES_NONE;
	for (size_t i = 0; i < g->r->n_field; i++) {
		const struct http_field *f = &g->r->field[i];
		if (f->name.len == len &&
		    strncasecmp((const char *)f->name.p, name, len) == 0 &&
		    n++ == 0)
			*value = f->value;
	}
	if (n > 1)
		return err_at(g->e, ERR_INVALID, "api-header-twice", NULL,
		    at_field(name),
		    "the header field %s stands there twice; give it once",
		    name);
	return ERR_OK;
}

/* Key and person may stand in fields of the header. */
static enum err_code
route_headers(struct routing *g, struct command *c)
{
	struct bytes value;
	TRY(one_header(g, "Idempotency-Key", &value));
	if (value.len == 0)
		return err_at(g->e, ERR_INVALID, "api-key-missing", NULL,
		    at_field("Idempotency-Key"),
		    "a request that changes something needs the header field "
		    "Idempotency-Key: any text of 1 to 64 letters and digits, "
		    "and the same one when it is repeated");
	c->f[CF_KEY] = value;
	TRY(one_header(g, "Refrendo-As", &value));
	if (value.len == 0)
		return ERR_OK;
	if (c->f[CF_AS].len > 0 && !bytes_eq(c->f[CF_AS], value))
		return err_at(g->e, ERR_INVALID, "api-as-twice", NULL,
		    at_field("Refrendo-As"),
		    "the member as and the header field Refrendo-As name two "
		    "people; give one of them");
	g->as_header = c->f[CF_AS].len == 0;
	c->f[CF_AS] = value;
	return ERR_OK;
}

/* Where a field came from, as a pointer into what the client sent. */
static void
point(struct routing *g)
{
	const char *field = g->e->where.field;
	if (field[0] == '\0')
		return;
	if (strcmp(field, ca_fields[CF_KEY].name) == 0)
		g->e->where = at_field("Idempotency-Key");
	else if (g->as_header && strcmp(field, ca_fields[CF_AS].name) == 0)
		g->e->where = at_field("Refrendo-As");
	else if (path_has(g->route->path, field))
		g->e->where = at_var(g->a, bytes_str(field));
	else
		g->e->where = at_member(arena_str(g->a, bytes_str(field)));
}

static enum err_code
route_command(struct routing *g, uint32_t uid)
{
	struct command *c = &g->out->command;
	*c = (struct command){ .act = g->route->act, .uid = uid };
	g->out->is_command = true;
	TRY(check_type(g));
	TRY(body_decode(g->route, g->r->body, g->a, c, g->e));
	TRY(route_headers(g, c));
	for (size_t i = 0; i < g->match.n; i++) {
		for (int f = 0; f < CF_COUNT; f++) {
			if (bytes_is(g->match.var[i].name, ca_fields[f].name))
				TRY(decode_var(g, &g->match.var[i], &c->f[f]));
		}
	}
	if (command_check(c, g->a, g->e) != ERR_OK) {
		point(g);
		return g->e->code;
	}
	return ERR_OK;
}

static enum err_code
route_query(struct routing *g)
{
	struct query *q = &g->out->query;
	*q = (struct query){ .what = g->route->what, .class = g->route->class };
	g->out->raw = g->route->raw;
	g->out->raw_type = g->route->raw_type;
	if (q->what == CORE_LIST)
		q->limit = PAGE_DEFAULT;
	if (q->what == CORE_SNAPSHOT) {
		TRY(check_type(g));
		return body_snapshot(g->r->body, g->a, &q->key, g->e);
	}
	if (g->r->body.len > 0)
		return err_say(g->e, ERR_INVALID, "api-body-unexpected",
		    "a request that only reads has no body; leave it out");
	if (g->match.n > 0)
		TRY(route_key(g));
	return ERR_OK;
}

enum err_code
api_route(const struct http_request *r, uint32_t uid, struct arena *a,
    struct api_call *out, int *status, struct err *e)
{
	struct routing g = { .r = r,
		.a = a,
		.out = out,
		.status = status,
		.e = e };
	*out = (struct api_call){ .is_command = false };
	*status = 0;
	enum err_code code = find_route(&g);
	if (code == ERR_OK)
		code =
		    g.route->is_act ? route_command(&g, uid) : route_query(&g);
	if (code == ERR_OK)
		code = route_params(&g);
	if (code != ERR_OK && *status == 0)
		*status = http_status_of(code);
	return code;
}
