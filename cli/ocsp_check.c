/*
 * ocsp_check - how well a responder keeps RFC 6960, RFC 9919 and RFC 9654.
 * Each row is one rule: what was seen, whether that is right, whose rule.
 */
#include <string.h>

#include <openssl/rand.h>

#include <refrendo/net.h>

#include "status.h"

#define LIFE_MIN       (8 * HOUR) /* BR 4.9.10 */
#define LIFE_MAX       (10 * DAY)
#define DELEGATE_USUAL (90 * DAY)

struct check {
	struct cli *c;
	struct subject subject;
	struct probe probe; /* about a serial that probably nobody has */
	bool is_known;      /* --serial or a certificate: it has status */
	struct report report;
	/* The first answer that was believed: its form is judged once. */
	struct probe_answer kept;
	bool kept_by_get;
};

static void
row(struct check *k, enum row_state state, const char *name, const char *rule,
    const char *text)
{
	report_row(&k->report, state, name, rule, text);
}

/* Why an answer was not believed. */
static const char *
why(struct check *k, const struct probe_answer *a)
{
	return sentence_text(k->c, &a->err);
}

static const char *
said(struct check *k, const char *before, const char *what)
{
	return arena_printf(k->c->arena, "%s %s", before, what);
}

/* --- Transport and hashes ------------------------------------------------------------ */

static void
keep(struct check *k, struct probe_answer *a, bool by_get)
{
	/* An answer by GET has caching headers too. */
	if (!a->is_believed || (k->kept.is_http && k->kept_by_get) ||
	    (k->kept.is_http && !by_get)) {
		probe_fini(a);
		return;
	}
	probe_fini(&k->kept);
	k->kept = *a;
	k->kept_by_get = by_get;
}

static void
check_ways(struct check *k)
{
	/* clang-format off */
	static const struct {
		const char *name, *rule;
		bool by_get, is_sha256;
		enum row_state worst;
	} ways[] = {
		{ "post-sha1",   "RFC 6960 4.1.1", false, false, ROW_FAIL },
		{ "post-sha256", "RFC 9919 3.1.1", false, true,  ROW_WARN },
		{ "get-sha1",    "RFC 6960 A.1",   true,  false, ROW_FAIL },
		{ "get-sha256",  "RFC 9919 6",     true,  true,  ROW_WARN },
	};
	/* clang-format on */
	struct cli *c = k->c;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct probe_how how = { .by_get = ways[i].by_get,
			.is_sha256 = ways[i].is_sha256 };
		struct probe_answer a;
		probe_ocsp(&k->probe, &how, &a);
		/* Who does not know the serial may say so unsigned. */
		bool may_refuse =
		    !k->is_known && a.is_response && a.response.status == 6;
		if (a.is_believed || may_refuse)
			row(k, ROW_OK, ways[i].name, ways[i].rule,
			    may_refuse ? SAY(c, "refused as unauthorized",
					     "rechazada como unauthorized")
				       : SAY(c, "answered, and signed right",
					     "contestada, y bien firmada"));
		else
			row(k, ways[i].worst, ways[i].name, ways[i].rule,
			    why(k, &a));
		keep(k, &a, ways[i].by_get);
	}
}

/* --- Nonces --------------------------------------------------------------------------- */

static void
judge_nonce(struct check *k, const char *name, int len, struct probe_answer *a)
{
	struct cli *c = k->c;
	bool must = len >= 16 && len <= 32; /* RFC 9654 2.1 */
	if (a->is_believed && a->verdict.nonce == OCSP_NONCE_ECHOED)
		row(k, ROW_OK, name, "RFC 9654 2.1",
		    SAY(c, "echoed", "repetido"));
	else if (a->is_believed)
		row(k, must ? ROW_WARN : ROW_OK, name, "RFC 9654 2.1",
		    SAY(c, "answered without it", "contestada sin él"));
	else if (!k->is_known && a->is_response && a->response.status == 6)
		row(k, ROW_OK, name, "RFC 9654 2.1",
		    SAY(c, "refused as unauthorized",
			"rechazada como unauthorized"));
	else
		row(k, must ? ROW_FAIL : ROW_WARN, name, "RFC 9654 2.1",
		    why(k, a));
}

static void
check_nonces(struct check *k)
{
	static const int sizes[] = { 1, 16, 32, 128 };
	uint8_t nonce[128];
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct probe_how how = { .nonce = bytes_of(nonce,
					     (size_t)sizes[i]) };
		struct probe_answer a;
		if (RAND_bytes(nonce, sizes[i]) != 1)
			fatal("no random octets");
		probe_ocsp(&k->probe, &how, &a);
		judge_nonce(k, arena_printf(k->c->arena, "nonce-%d", sizes[i]),
		    sizes[i], &a);
		probe_fini(&a);
	}
}

/* --- What must be refused ---------------------------------------------------------------- */

/* A serial that nobody has: 20 octets, most of them random. */
static void
check_unknown(struct check *k)
{
	struct cli *c = k->c;
	uint8_t serial[SERIAL_MAX] = { 0x7f };
	struct probe p = k->probe;
	struct probe_answer a;
	if (RAND_bytes(serial + 1, sizeof(serial) - 1) != 1)
		fatal("no random octets");
	p.serial = bytes_of(serial, sizeof(serial));
	probe_ocsp(&p, &(struct probe_how){ .by_get = false }, &a);
	if (a.is_believed && a.verdict.status.state == OCSP_GOOD)
		row(k, ROW_FAIL, "unknown-serial", "BR 4.9.10",
		    SAY(c, "good for a serial that was never issued",
			"vigente para una serie que nunca se emitió"));
	else if (a.is_believed)
		row(k, ROW_OK, "unknown-serial", "RFC 6960 2.2",
		    a.verdict.status.state == OCSP_UNKNOWN
			? SAY(c, "unknown", "desconocido")
			: SAY(c, "revoked, as RFC 6960 allows",
			      "revocado, como lo permite RFC 6960"));
	else if (a.is_response && a.response.status == 6)
		row(k, ROW_OK, "unknown-serial", "RFC 9919 3.2.3",
		    SAY(c, "refused as unauthorized",
			"rechazada como unauthorized"));
	else
		row(k, ROW_FAIL, "unknown-serial", "RFC 6960 2.2", why(k, &a));
	probe_fini(&a);
}

static void
judge_malformed(struct check *k, const char *name,
    const struct http_response *http)
{
	struct ocsp_response r;
	struct err e;
	struct cli *c = k->c;
	if (ocsp_response_parse(buf_bytes(&http->body), &r, &e) == ERR_OK &&
	    r.status == 1)
		row(k, ROW_OK, name, "RFC 6960 2.3", "malformedRequest");
	else if (http->status >= 400 && http->status < 500)
		row(k, ROW_WARN, name, "RFC 6960 2.3",
		    arena_printf(c->arena, "HTTP %d", http->status));
	else
		row(k, ROW_FAIL, name, "RFC 6960 2.3",
		    SAY(c, "not answered with malformedRequest",
			"no contestada con malformedRequest"));
}

/* Octets that are no request: DER cut short, no DER, nothing. */
static void
check_malformed(struct check *k)
{
	static const uint8_t cut[] = { 0x30, 0x42, 0x30, 0x40 };
	static const struct {
		const char *name;
		struct bytes body;
	} bodies[] = {
		{ "malformed-cut", { cut, sizeof(cut) } },
		{ "malformed-text", { (const uint8_t *)"hola", 4 } },
		{ "malformed-empty", { NULL, 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct net_ask ask = { .url = k->probe.url,
			.method = HTTP_POST,
			.content_type = "application/ocsp-request",
			.body = bodies[i].body,
			.body_max = OCSP_RESPONSE_MAX,
			.total_ms = k->probe.timeout_ms };
		struct probe_answer a = { .is_http = false };
		if (net_fetch(&ask, &a.http, &a.err) != ERR_OK) {
			row(k, ROW_FAIL, bodies[i].name, "RFC 6960 2.3",
			    why(k, &a));
			continue;
		}
		judge_malformed(k, bodies[i].name, &a.http);
		http_response_fini(&a.http);
	}
}

/* --- The form of an answer ------------------------------------------------------------------ */

static void
check_times(struct check *k)
{
	const struct ocsp_status *s = &k->kept.verdict.status;
	struct cli *c = k->c;
	int64_t life = s->next_update - s->this_update;
	bool usual = life >= LIFE_MIN && life <= LIFE_MAX;
	if (s->next_update == 0) {
		row(k, ROW_FAIL, "next-update", "RFC 9919 3.2.4",
		    SAY(c, "no nextUpdate", "sin nextUpdate"));
	} else {
		row(k, ROW_OK, "next-update", "RFC 9919 3.2.4",
		    time_text(c, s->next_update));
		/* Of what nobody issued it may be as short as one likes. */
		row(k, usual || s->state == OCSP_UNKNOWN ? ROW_OK : ROW_WARN,
		    "life", "BR 4.9.10",
		    arena_printf(c->arena, "%lld h", (long long)(life / HOUR)));
	}
	row(k, s->this_update > k->kept.asked_at ? ROW_FAIL : ROW_OK,
	    "this-update", "RFC 6960 4.2.2.1", time_text(c, s->this_update));
}

static size_t
count_certs(struct bytes certs)
{
	struct der d = der_of(certs);
	size_t n = 0;
	while (der_peek(&d) != 0 && !d.bad) {
		(void)der_element(&d);
		n++;
	}
	return n;
}

static void
check_form(struct check *k)
{
	const struct ocsp_response *r = &k->kept.response;
	struct cli *c = k->c;
	size_t certs = count_certs(r->certs);
	row(k, r->by_key.len > 0 ? ROW_OK : ROW_WARN, "responder-id",
	    "RFC 9919 3.2.2",
	    r->by_key.len > 0 ? SAY(c, "by key", "por llave")
			      : SAY(c, "by name", "por nombre"));
	row(k, certs <= 1 ? ROW_OK : ROW_WARN, "certificates", "RFC 9919 3.2.2",
	    arena_printf(c->arena, "%zu", certs));
	row(k,
	    strcmp(k->kept.http.content_type, "application/ocsp-response") == 0
		? ROW_OK
		: ROW_WARN,
	    "content-type", "RFC 6960 A.2",
	    k->kept.http.content_type[0] != '\0' ? k->kept.http.content_type
						 : "-");
}

static void
check_delegate(struct check *k)
{
	const struct cert *d = &k->kept.verdict.responder;
	struct cli *c = k->c;
	if (k->kept.verdict.by_ca) {
		row(k, ROW_OK, "delegate", "RFC 6960 4.2.2.2",
		    SAY(c, "the CA signs itself", "firma la autoridad misma"));
		return;
	}
	int64_t days = (d->not_after - d->not_before) / DAY;
	bool nocheck = cert_find_ext(d, OID_EXT_NOCHECK) != NULL;
	row(k, ROW_OK, "delegate", "RFC 6960 4.2.2.2",
	    name_text(c, d->subject));
	row(k, nocheck ? ROW_OK : ROW_WARN, "delegate-nocheck",
	    "RFC 6960 4.2.2.2.1",
	    nocheck ? SAY(c, "there", "está") : SAY(c, "missing", "falta"));
	row(k, d->is_ca ? ROW_FAIL : ROW_OK, "delegate-no-ca", "BR 7.1.2.8",
	    d->is_ca ? SAY(c, "a CA's certificate answers",
			   "contesta el certificado de una autoridad")
		     : SAY(c, "no CA", "no es autoridad"));
	row(k, days * DAY <= DELEGATE_USUAL || !nocheck ? ROW_OK : ROW_WARN,
	    "delegate-life", "RFC 6960 4.2.2.2.1",
	    said(k, arena_printf(c->arena, "%lld d,", (long long)days),
		arena_printf(c->arena, "%s %s", SAY(c, "until", "hasta"),
		    time_text(c, d->not_after))));
}

/* --- Caching ---------------------------------------------------------------------------------- */

/* What would keep an answer out of every cache (RFC 9919 7.2). */
static void
check_storable(struct check *k)
{
	const char *text = k->kept.http.cache_control;
	bool bars = strstr(text, "no-cache") != NULL ||
		    strstr(text, "no-store") != NULL;
	bool whole = strstr(text, "public") != NULL &&
		     strstr(text, "no-transform") != NULL &&
		     strstr(text, "must-revalidate") != NULL;
	row(k,
	    bars    ? ROW_FAIL
	    : whole ? ROW_OK
		    : ROW_WARN,
	    "cache-control", "RFC 9919 7.2",
	    text[0] != '\0' ? text : SAY(k->c, "none", "no hay"));
}

static void
check_max_age(struct check *k)
{
	const struct http_response *h = &k->kept.http;
	const struct ocsp_status *s = &k->kept.verdict.status;
	int64_t age = http_max_age(h->cache_control);
	int64_t left = s->next_update - k->kept.asked_at;
	bool late = s->next_update != 0 && age > left;
	const char *text = arena_printf(k->c->arena, "%lld s", (long long)age);
	row(k,
	    age < 0 ? ROW_WARN
	    : late  ? ROW_FAIL
		    : ROW_OK,
	    "cache-max-age", "RFC 9919 7.2",
	    age < 0 ? SAY(k->c, "none", "no hay")
	    : late
		? said(k, text,
		      SAY(k->c, "goes beyond nextUpdate", "pasa de nextUpdate"))
		: text);
}

/* The dates in the headers are those of the answer. */
static void
check_dates(struct check *k)
{
	const struct http_response *h = &k->kept.http;
	const struct ocsp_status *s = &k->kept.verdict.status;
	struct cli *c = k->c;
	int64_t t;
	bool has = http_date_parse(h->expires, &t);
	bool right = has && (s->next_update == 0 || t <= s->next_update);
	row(k, right ? ROW_OK : ROW_WARN, "cache-expires", "RFC 9919 7.2",
	    has ? h->expires : SAY(c, "none", "no hay"));
	has = http_date_parse(h->last_modified, &t);
	right = has && t <= k->kept.asked_at + OCSP_SLACK_S;
	row(k, right ? ROW_OK : ROW_WARN, "cache-last-modified", "RFC 9919 7.2",
	    has ? h->last_modified : SAY(c, "none", "no hay"));
	row(k, h->etag[0] != '\0' ? ROW_OK : ROW_WARN, "cache-etag",
	    "RFC 9919 7.2", h->etag[0] != '\0' ? h->etag : "-");
}

/* Asked again with its ETag, the same answer need not be sent again. */
static void
check_conditional(struct check *k)
{
	struct probe_how how = { .by_get = true,
		.is_sha256 = bytes_eq(k->kept.verdict.status.hash,
		    oid_known(OID_SHA256)) };
	struct probe_answer a;
	char detail[48];
	if (k->kept.http.etag[0] == '\0')
		return;
	how.extra = arena_printf(k->c->arena, "If-None-Match: %s\r\n",
	    k->kept.http.etag);
	probe_ocsp(&k->probe, &how, &a);
	snprintf(detail, sizeof(detail), "HTTP %d",
	    a.is_http ? a.http.status : 0);
	row(k, a.is_http && a.http.status == 304 ? ROW_OK : ROW_WARN,
	    "cache-conditional", "RFC 9110 13.1.2", detail);
	probe_fini(&a);
}

static void
check_caching(struct check *k)
{
	if (!k->kept_by_get)
		return;
	check_storable(k);
	check_max_age(k);
	check_dates(k);
	check_conditional(k);
}

/* --- All -------------------------------------------------------------------------------------- */

static enum err_code
check_read(struct check *k, struct err *e)
{
	struct cli *c = k->c;
	struct subject *s = &k->subject;
	TRY(subject_read(c, c->n_operand > 1 ? c->operand[1] : NULL, s, e));
	k->is_known = s->serial_len > 0;
	if (!k->is_known) {
		s->serial_len = SERIAL_MAX;
		if (RAND_bytes(s->serial, SERIAL_MAX) != 1)
			return err_openssl(e, "cli-random",
			    "the system gives no random octets; try again "
			    "later");
		s->serial[0] = 0x7f;
	}
	k->probe = (struct probe){ .url = c->operand[0],
		.issuer = &s->issuer,
		.id = &s->id,
		.serial = bytes_of(s->serial, s->serial_len),
		.verifier = s->verifier };
	return take_timeout(c, &k->probe.timeout_ms, e);
}

static enum err_code
check_run(struct check *k, struct err *e)
{
	TRY(check_read(k, e));
	check_ways(k);
	/* Without any answer the rest would only say so again. */
	if (k->kept.is_http) {
		check_form(k);
		check_times(k);
		check_delegate(k);
		check_caching(k);
	}
	check_nonces(k);
	check_unknown(k);
	check_malformed(k);
	report_end(&k->report);
	k->c->exit = k->report.fail > 0 ? CLI_INVALID : CLI_OK;
	return ERR_OK;
}

enum err_code
ocsp_check(struct cli *c, struct err *e)
{
	struct check k = { .c = c, .report = { .c = c } };
	enum err_code code = check_run(&k, e);
	json_decref(k.report.rows);
	probe_fini(&k.kept);
	subject_fini(&k.subject);
	return code;
}
