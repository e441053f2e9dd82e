#include <string.h>

#include "inner.h"

/* Requests of a log, judged again: by the policy of then or by another. */

/* --- What the log keeps ------------------------------------------------------- */

enum err_code
past_bad_form(const char *part, struct err *e)
{
	return err_at(e, ERR_INVALID, "past-form", NULL, at_field(part),
	    "an entry of the log is not as this program writes them: %s; "
	    "verify the log with refrendo audit verify",
	    part);
}

void
past_write_facts(struct jw *w, const struct past *p)
{
	facts_write(w, &p->facts, &p->urls);
}

/* A PKCS #10 was parsed and proven when it came: here only its key matters. */
static struct bytes
spki_of_csr(struct bytes csr)
{
	struct der d = der_of(csr), outer = der_enter(&d, DER_SEQUENCE);
	struct der info = der_enter(&outer, DER_SEQUENCE);

	(void)der_get(&info, DER_INTEGER);
	(void)der_element(&info);
	struct bytes spki = der_element(&info);
	return info.bad ? BYTES_NONE : spki;
}

static enum err_code
read_submitted(const struct entry *en, struct json_obj o, struct arena *a,
    struct past *p, struct err *e)
{
	struct json_obj request = json_get_obj(o, "request");

	p->holder_run = json_get_str(request, "holder_run");
	p->policy = json_get_str(request, "policy");
	if (p->container.len == 0)
		p->container = json_get_str(o, "tbs");
	/* A renewal may go on with the key of the one that it renews. */
	p->spki = json_has(o, "csr") ? spki_of_csr(json_get_base64(o, "csr", a))
				     : json_get_base64(o, "spki", a);
	p->serial = en->refs.serial;
	p->tbs_sha256 = en->refs.tbs;
	if (!*o.bad && (p->spki.len == 0 || p->serial.len == 0 ||
			   p->tbs_sha256.len == 0 || p->policy_sha256.len == 0))
		return past_bad_form("csr", e);
	return ERR_OK;
}

static void
read_refused(struct json_obj o, struct past *p)
{
	p->refused = true;
	p->policy = json_get_str(o, "policy");
	p->holder_run = p->facts.fact[FACT_PERSON_RUN];
	p->error = json_get_str(o, "error");
	p->say = json_get_str(o, "say");
}

/*
 * The statement and the container are the last members of a submission and
 * most of it; nobody parses them here.  What stands before them, closed by a
 * brace, or the detail as it is.  A quote inside a text is escaped, so that
 * the last place that looks like the statement's name is that.
 */
static struct bytes
head_of(struct bytes detail, struct arena *a, struct bytes *container)
{
	static const char statement[] = ",\"statement\":\"";
	static const char tbs[] = "\",\"tbs\":\"";
	const uint8_t *end = detail.p + detail.len, *at = detail.p, *next, *c;

	while ((next = memmem(at, (size_t)(end - at), statement,
		    sizeof(statement) - 1)) != NULL)
		at = next + sizeof(statement) - 1;
	c = memmem(at, (size_t)(end - at), tbs, sizeof(tbs) - 1);
	if (at == detail.p || c == NULL || end - c < (ptrdiff_t)sizeof(tbs) + 1)
		return detail;
	c += sizeof(tbs) - 1;
	*container = bytes_of(c, (size_t)(end - c) - 2);
	size_t len = (size_t)(at - detail.p) - (sizeof(statement) - 1);
	uint8_t *head = arena_get(a, len + 1);
	memcpy(head, detail.p, len);
	head[len] = '}';
	return bytes_of(head, len + 1);
}

static enum err_code
read_detail(const struct entry *en, struct json *j, struct arena *a,
    struct past *p, struct err *e)
{
	bool bad = false;
	struct json_obj o = json_root(j, &bad, e);

	if (!json_has(o, "facts")) {
		if (en->type == ENTRY_ACT_REFUSED)
			return err_say(e, ERR_NOTFOUND, "past-no-request",
			    "this entry is no request that a policy judged");
		return err_say(e, ERR_NOTFOUND, "past-no-facts",
		    "this request was written before the log kept what its "
		    "policy judged by; it cannot be judged again");
	}
	TRY(facts_read(json_get_obj(o, "facts"), &p->facts, &p->urls, e));
	if (en->type == ENTRY_ACT_REFUSED)
		read_refused(o, p);
	else
		TRY(read_submitted(en, o, a, p, e));
	return bad ? e->code : ERR_OK;
}

enum err_code
past_read(const struct entry *en, struct json **keep, struct arena *a,
    struct past *out, struct err *e)
{
	AUTO(json) j = NULL;
	struct past p = {
		.index = en->index,
		.time = en->time,
		.request = en->refs.request,
		.institution = en->refs.institution,
		.policy_sha256 = en->refs.policy,
	};

	if (en->type != ENTRY_REQUEST_SUBMITTED &&
	    en->type != ENTRY_ACT_REFUSED)
		return err_say(e, ERR_NOTFOUND, "past-no-request",
		    "this entry is no request that a policy judged");
	if (en->detail.len == 0)
		return err_say(e, ERR_NOTFOUND, "past-erased",
		    "the detail of this entry was erased after its retention; "
		    "it cannot be judged again");
	struct bytes head = en->type == ENTRY_REQUEST_SUBMITTED
				? head_of(en->detail, a, &p.container)
				: en->detail;
	TRY(json_parse(head, true, &j, e));
	TRY(read_detail(en, j, a, &p, e));
	*out = p;
	*keep = TAKE(j);
	return ERR_OK;
}

/* --- What it was judged by --------------------------------------------------------- */

struct known_ca {
	struct known_ca *next;
	struct bytes name, institution;
	struct cert cert;
	enum key_type type;
};
struct known_policy {
	struct known_policy *next;
	struct bytes name, text;
	int64_t version;
	uint8_t sha256[SHA256_LEN];
	struct policy_set *set; /* owned; NULL until it is asked for */
};
struct history {
	struct arena *arena; /* owned: everything below */
	struct known_ca *ca; /* the newest first */
	struct known_policy *policy;
};

struct history *
history_new(void)
{
	struct arena *a = arena_new();
	struct history *h = arena_get(a, sizeof(*h));

	h->arena = a;
	return h;
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	for (struct known_policy *k = h->policy; k != NULL; k = k->next)
		policy_set_free(k->set);
	arena_free(h->arena);
}

static enum err_code
take_ca(struct history *h, struct bytes name, struct bytes der, struct err *e)
{
	struct known_ca *ca = arena_get(h->arena, sizeof(*ca));

	TRY(cert_parse(arena_copy(h->arena, der), &ca->cert, e));
	TRY(spki_check(ca->cert.spki, &ca->type, e));
	ca->name = arena_copy(h->arena, name);
	(void)cert_rut(&ca->cert, &ca->institution);
	ca->next = h->ca;
	h->ca = ca;
	return ERR_OK;
}

static enum err_code
take_initialized(struct history *h, struct json_obj o, struct err *e)
{
	size_t n = json_count(o, "certificates");

	for (size_t i = 0; i < n; i++) {
		struct json_obj one = json_at_obj(o, "certificates", i);
		struct bytes name = json_get_str(one, "name");
		struct bytes der = json_get_base64(one, "der", h->arena);
		if (*o.bad)
			return e->code;
		if (bytes_is(json_opt_str(one, "role"), "issuer"))
			TRY(take_ca(h, name, der, e));
	}
	return ERR_OK;
}

/* What the root signed later; lists of its own are of no matter here. */
static enum err_code
take_completed(struct history *h, struct json_obj o, struct err *e)
{
	struct bytes kind = json_get_str(o, "kind");
	struct bytes name = json_get_str(o, "name");
	struct bytes der = json_get_base64(o, "object", h->arena);

	if (*o.bad)
		return e->code;
	return bytes_is(kind, ceremony_kind_name(CEREMONY_CERTIFICATE))
		   ? take_ca(h, name, der, e)
		   : ERR_OK;
}

void
history_add(struct history *h, struct bytes name, int64_t version,
    struct bytes text)
{
	struct known_policy *k = arena_get(h->arena, sizeof(*k));

	k->name = arena_copy(h->arena, name);
	k->version = version;
	k->text = arena_copy(h->arena, text);
	sha256(k->sha256, k->text);
	k->next = h->policy;
	h->policy = k;
}

static enum err_code
take_policy(struct history *h, struct json_obj o, struct err *e)
{
	struct bytes name = json_get_str(o, "name");
	int64_t version = json_get_int(o, "version");
	struct bytes text = json_get_base64(o, "text", h->arena);

	if (*o.bad)
		return e->code;
	history_add(h, name, version, text);
	return ERR_OK;
}

enum err_code
history_take(struct history *h, const struct entry *en, struct err *e)
{
	AUTO(json) j = NULL;
	bool bad = false;

	if (en->type != ENTRY_SYSTEM_INITIALIZED &&
	    en->type != ENTRY_CEREMONY_COMPLETED &&
	    en->type != ENTRY_POLICY_ACTIVATED)
		return ERR_OK;
	if (en->detail.len == 0)
		return past_bad_form("detail", e);
	TRY(json_parse(en->detail, true, &j, e));
	struct json_obj o = json_root(j, &bad, e);
	TRY(en->type == ENTRY_POLICY_ACTIVATED     ? take_policy(h, o, e)
	    : en->type == ENTRY_CEREMONY_COMPLETED ? take_completed(h, o, e)
						   : take_initialized(h, o, e));
	return bad ? e->code : ERR_OK;
}

static const struct known_policy *
find_version(const struct history *h, struct bytes name, int64_t version)
{
	const struct known_policy *k = h->policy;

	while (k != NULL && (k->version != version || !bytes_eq(k->name, name)))
		k = k->next;
	return k;
}

struct bytes
history_base(const struct history *h, struct bytes name, int64_t version)
{
	const struct known_policy *k = find_version(h, name, version);

	return k == NULL ? BYTES_NONE : k->text;
}

#define BASES_MAX 8 /* levels of bases under a policy */

/* The text and, from base to base, what it extends. */
static enum err_code
files_of(const struct history *h, const struct known_policy *k,
    struct policy_file file[BASES_MAX], size_t *n, struct err *e)
{
	char name[POLICY_NAME_MAX];
	int64_t version;

	*n = 0;
	for (;;) {
		struct bytes text = k->text;

		if (*n == BASES_MAX)
			return past_bad_form("extends", e);
		file[(*n)++] = (struct policy_file){
			.name = arena_printf(h->arena, "%s@%lld",
			    arena_str(h->arena, k->name),
			    (long long)k->version),
			.text = text,
		};
		if (!policy_base_of(text, name, &version))
			return ERR_OK;
		k = find_version(h, bytes_str(name), version);
		if (k != NULL)
			continue;
		return err_say(e, ERR_NOTFOUND, "past-base",
		    "the policy extends %s, in a version that the log never "
		    "had in force",
		    name);
	}
}

static enum err_code
load(const struct history *h, struct known_policy *k, struct err *e)
{
	struct policy_file file[BASES_MAX];
	struct findings findings = { NULL, 0, 0 };
	struct ceilings widest;
	size_t n, i = 0;

	TRY(files_of(h, k, file, &n, e));
	ceilings_widest(&widest);
	policy_load(file, n, &widest, &k->set, &findings);
	while (i < findings.len && findings.v[i].is_warning)
		i++;
	if (k->set == NULL)
		(void)err_say(e, ERR_INVALID, "past-policy-text",
		    "the policy %s of the log does not load in this program: "
		    "%s",
		    file[0].name,
		    i < findings.len ? findings.v[i].err.say : "");
	findings_fini(&findings);
	return k->set == NULL ? e->code : ERR_OK;
}

enum err_code
history_policy(struct history *h, struct bytes sha256,
    const struct policy **out, struct err *e)
{
	struct known_policy *k = h->policy;

	while (k != NULL && !bytes_eq(bytes_of(k->sha256, SHA256_LEN), sha256))
		k = k->next;
	if (k == NULL)
		return err_say(e, ERR_NOTFOUND, "past-policy",
		    "the log never had a policy with these bytes in force");
	if (k->set == NULL)
		TRY(load(h, k, e));
	*out = policy_find_hash(k->set, k->sha256);
	return ERR_OK;
}

/* --- Judged again -------------------------------------------------------------------- */

typedef void (*evaluate_fn)(const struct policy *p,
    const struct policy_facts *facts, struct arena *arena,
    struct cert_spec *out, struct verdicts *verdicts);

/* The CA whose address the request had, "…/ca/NAME.cer". */
static bool
was_asked(const struct past *p, const struct known_ca *ca)
{
	static const char end[] = ".cer";
	const size_t n = sizeof(end) - 1;
	struct bytes url = p->urls.ca;

	if (url.len < n || memcmp(url.p + url.len - n, end, n) != 0)
		return false;
	url.len -= n;
	return url.len > ca->name.len &&
	       url.p[url.len - ca->name.len - 1] == '/' &&
	       bytes_eq(bytes_of(url.p + url.len - ca->name.len, ca->name.len),
		   ca->name);
}

static struct bytes
subject_named(const struct history *h, const char *name)
{
	const struct known_ca *ca = h->ca;

	while (ca != NULL && !bytes_is(ca->name, name))
		ca = ca->next;
	return ca == NULL ? BYTES_NONE : ca->cert.subject;
}

/* Of the generations of a CA, or an institution's CAs, the one of then, or
 * else the newest. */
static const struct known_ca *
issuer_of(const struct history *h, const struct past *p,
    const struct policy *policy)
{
	struct bytes rut = p->facts.fact[FACT_INSTITUTION_RUT];
	bool own = strcmp(policy->issuer, "institution") == 0;
	struct bytes subject = subject_named(h, policy->issuer);
	const struct known_ca *ca = h->ca, *newest = NULL;

	for (; ca != NULL; ca = ca->next) {
		if (own ? rut.len == 0 || !bytes_eq(ca->institution, rut)
			: !bytes_eq(ca->cert.subject, subject))
			continue;
		if (was_asked(p, ca))
			return ca;
		if (newest == NULL ||
		    ca->cert.not_before > newest->cert.not_before)
			newest = ca;
	}
	return newest;
}

static enum err_code
build(const struct history *h, const struct past *p,
    const struct policy *policy, evaluate_fn evaluate, struct arena *a,
    struct verdicts *verdicts, struct buf *tbs, struct err *e)
{
	const struct known_ca *ca = issuer_of(h, p, policy);
	struct policy_facts facts = p->facts;
	struct cert_spec spec = { .serial = p->serial };

	if (ca == NULL)
		return err_say(e, ERR_DENIED, "request-issuer",
		    "the policy %s names the issuing CA %s, which this engine "
		    "does not have",
		    policy->name, policy->issuer);
	facts.issuer_not_after = ca->cert.not_after;
	evaluate(policy, &facts, a, &spec, verdicts);
	if (verdicts->failed > 0 || p->refused)
		return ERR_OK;
	struct material material = {
		.issuer = &ca->cert,
		.issuer_type = ca->type,
		.serial = p->serial,
		.spki = p->spki,
		.urls = p->urls,
		.deltas =
		    deltas_of(policy, arena_str(a, ca->name), p->urls.crl, a),
	};
	return tbs_build(&material, &spec, tbs, e);
}

enum err_code
past_build(const struct history *h, const struct past *p,
    const struct policy *policy, struct arena *a, struct verdicts *verdicts,
    struct buf *tbs, struct err *e)
{
	return build(h, p, policy, policy_evaluate, a, verdicts, tbs, e);
}

static enum err_code
no_certificate(struct err *e)
{
	return err_say(e, ERR_CORRUPT, "past-container",
	    "what the log holds of this request is no certificate; verify the "
	    "log with refrendo audit verify");
}

/* The container as it is, and the other TBS in a container of its form. */
static enum err_code
both(const struct past *p, struct bytes tbs, struct arena *a,
    struct past_result *out, struct err *e)
{
	struct buf before AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf after AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct bytes old, sigalg, signature, own;

	if (!base64_get(&before, p->container) ||
	    signed_split(buf_bytes(&before), &old, &sigalg, &signature, e) !=
		ERR_OK)
		return no_certificate(e);
	/* The TBS names the algorithm: version, serial, algorithm. */
	struct der d = der_of(tbs), in = der_enter(&d, DER_SEQUENCE);
	(void)der_element(&in);
	(void)der_element(&in);
	own = der_element(&in);
	TRY(signed_assemble(tbs, own, signature, &after, e));
	out->before = arena_copy(a, buf_bytes(&before));
	out->after = arena_copy(a, buf_bytes(&after));
	return ERR_OK;
}

enum err_code
past_judge(const struct history *h, const struct past *p,
    const struct policy *policy, struct arena *a, struct past_result *out,
    struct err *e)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	uint8_t hash[SHA256_LEN];

	out->tbs = out->before = out->after = BYTES_NONE;
	TRY(build(h, p, policy, policy_evaluate_quick, a, &out->verdicts, &tbs,
	    e));
	if (p->refused || out->verdicts.failed > 0) {
		out->verdict = !p->refused                ? PAST_REFUSED
			       : out->verdicts.failed > 0 ? PAST_STILL_REFUSED
							  : PAST_ACCEPTED;
		return ERR_OK;
	}
	out->tbs = arena_copy(a, buf_bytes(&tbs));
	sha256(hash, out->tbs);
	out->verdict = bytes_eq(bytes_of(hash, SHA256_LEN), p->tbs_sha256)
			   ? PAST_SAME
			   : PAST_DIFFERS;
	return out->verdict == PAST_SAME ? ERR_OK
					 : both(p, out->tbs, a, out, e);
}
