/*
 * Requests of a log, judged again: by the policy of then the same TBS comes
 * out byte for byte, and by another policy what that one says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/ca_world.h"

/* Everything that is read of one log. */
struct again {
	struct world *w; /* owned */
	struct history *history;
	struct past_result result;
	struct cert_change change[CERT_CHANGES_MAX];
	size_t n_change;
	struct err e;
};

static void
read_history(struct again *g)
{
	g->history = history_new();
	for (size_t i = 0; i < fake_view_entries(g->w->v); i++) {
		struct entry en = *fake_view_entry(g->w->v, i);
		assert_int_equal(entry_parse(&en, g->w->a, &g->e), ERR_OK);
		assert_int_equal(history_take(g->history, &en, &g->e), ERR_OK);
	}
}

static int
setup(void **state)
{
	static struct again g;

	memset(&g, 0, sizeof(g));
	g.w = world_new("2027-01-01");
	world_populate(g.w);
	*state = &g;
	return 0;
}

static int
teardown(void **state)
{
	struct again *g = *state;

	history_free(g->history);
	world_free(g->w);
	return 0;
}

/* The last entry of this type. */
static struct entry
last_of(struct again *g, enum entry_type type)
{
	for (size_t i = fake_view_entries(g->w->v); i-- > 0;) {
		struct entry en = *fake_view_entry(g->w->v, i);
		assert_int_equal(entry_parse(&en, g->w->a, &g->e), ERR_OK);
		if (en.type == type)
			return en;
	}
	fail_msg("no entry of this type");
	return (struct entry){ .index = 0 };
}

/* Judged by the policy that its entry names, or by another. */
static enum err_code
judge(struct again *g, struct entry en, const struct policy *by)
{
	AUTO(json) keep = NULL;
	struct past past;
	struct cert before, after;

	TRY(past_read(&en, &keep, g->w->a, &past, &g->e));
	if (by == NULL)
		TRY(history_policy(g->history, past.policy_sha256, &by, &g->e));
	TRY(past_judge(g->history, &past, by, g->w->a, &g->result, &g->e));
	g->n_change = 0;
	if (g->result.verdict != PAST_DIFFERS)
		return ERR_OK;
	TRY(cert_parse_own(g->result.before, &before, &g->e));
	TRY(cert_parse_own(g->result.after, &after, &g->e));
	g->n_change = cert_diff(&before, &after, g->change);
	return ERR_OK;
}

static struct policy_set *
other_policy(const char *text)
{
	struct policy_file file = { "other.yaml", bytes_str(text) };
	struct findings f = { NULL, 0, 0 };
	struct policy_set *set = NULL;
	struct ceilings widest;

	ceilings_widest(&widest);
	policy_load(&file, 1, &widest, &set, &f);
	if (set == NULL)
		fail_msg("%s", f.v[0].err.say);
	findings_fini(&f);
	return set;
}

#define OTHER_SUBJECT                                                    \
	"policy: funcionario-firma\nversion: 2\nissuer: institucional\n" \
	"subject: {C: CL, O: \"{institution.name}\", title: "            \
	"\"{person.office}\", serialNumber: \"{person.run}\", CN: "      \
	"\"{person.name}\", emailAddress: \"{person.email}\"}\n"         \
	"names: {subject_alt: [{other: 1.3.6.1.4.1.8321.1, ia5: "        \
	"\"{person.run}\"}, {email: \"{person.email}\"}], issuer_alt: "  \
	"[{other: 1.3.6.1.4.1.8321.2, ia5: \"{institution.rut}\"}]}\n"   \
	"certificate_policies: [{oid: 2.16.152.1.999.1}]\n"
#define OTHER_USAGE                                         \
	"usage: {key: [digitalSignature, nonRepudiation], " \
	"extended: [emailProtection, clientAuth]}\n"
#define OTHER_KEYS     "keys: {allowed: [ec-p256, ec-p384]}\n"
#define OTHER_VALIDITY "validity: {default: 2y, max: 3y}\n"

/* --- The policy of then --------------------------------------------------------- */

/* Every submission: new, submitted again, renewed; with a base and without. */
static void
all_are_the_same(void **state)
{
	struct again *g = *state;
	struct world *w = g->w;
	size_t n = 0;
	const char *serial = world_issue(w, HOLDER, "k1");
	struct command c = world_command(w, ACT_CERTIFICATE_RENEW, CF_AS,
	    OPERATOR, CF_SERIAL, serial, CF_COUNT);

	(void)world_request(w, HOLDER, "k2", "firma-estricta");
	(void)world_request(w, HOLDER_2, "k3", "firma-fina");
	const char *id = world_request(w, HOLDER_2, "k4", "funcionario-firma");
	w->now += 9 * HOUR;
	struct command again = world_command(w, ACT_REQUEST_SUBMIT, CF_AS,
	    OPERATOR, CF_REQUEST, id, CF_VALIDITY, "1y", CF_COUNT);
	world_must(w, world_run(w, &again), "submitted again");
	w->now += 700 * DAY;
	c.f[CF_CSR] = world_csr(w, "k5");
	world_must(w, world_run(w, &c), "renewed");
	read_history(g);
	for (size_t i = 0; i < fake_view_entries(w->v); i++) {
		struct entry en = *fake_view_entry(w->v, i);
		uint64_t index;
		if (en.type != ENTRY_REQUEST_SUBMITTED)
			continue;
		n++;
		assert_int_equal(entry_parse(&en, w->a, &g->e), ERR_OK);
		if (judge(g, en, NULL) != ERR_OK)
			fail_msg("%s", g->e.say);
		assert_int_equal(g->result.verdict, PAST_SAME);
		uint8_t hash[SHA256_LEN];
		sha256(hash, g->result.tbs);
		assert_true(bytes_eq(bytes_of(hash, SHA256_LEN), en.refs.tbs));
		/* The number itself tells where it was reserved. */
		assert_true(past_index(en.refs.serial, fake_view_entries(w->v),
		    &index));
		assert_int_equal(index, i);
	}
	assert_int_equal(n, 6);
}

static void
index_of_serials(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint64_t low, size;
		bool found;
		uint64_t index;
	} rows[] = {
		{ "an empty log", 0, 0, false, 0 },
		{ "the first", 0, 1, true, 0 },
		{ "the last", 41, 42, true, 41 },
		{ "beyond the end", 42, 42, false, 0 },
		{ "a second round", 5, (1u << 28) + 10, true, (1u << 28) + 5 },
		{ "not yet in the second round", 15, (1u << 28) + 10, true, 15 },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t serial[20] = { 0x1a };
		uint64_t index = 0;
		print_message("%s\n", rows[i].name);
		be64_print(serial, (UINT64_C(1795514400) << 28) + rows[i].low);
		assert_int_equal(past_index(bytes_of(serial, 20), rows[i].size,
				     &index),
		    rows[i].found);
		assert_int_equal(index, rows[i].index);
		assert_false(past_index(bytes_of(serial, 19), 1, &index));
	}
}

/* --- Tampering --------------------------------------------------------------------- */

/* The detail with one text put in the place of another of the same length. */
static struct bytes
altered(struct again *g, struct bytes detail, const char *from, const char *to)
{
	struct bytes copy = arena_copy(g->w->a, detail);
	uint8_t *p = memmem(copy.p, copy.len, from, strlen(from));

	assert_int_equal(strlen(from), strlen(to));
	assert_non_null(p);
	memcpy(p, to, strlen(to));
	return copy;
}

static void
tampered_facts(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *from, *to, *field, *before, *after;
	} rows[] = {
		{ "the instant", "\"now\":1798761600", "\"now\":1798761601",
		    "notBefore", "2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z" },
		{ "who answers for it", "/ocsp\"}", "/ocsq\"}",
		    "authorityInfoAccess",
		    "ocsp http://ca.example.cl/ocsp caIssuers http://ca.example.cl/ca/institucional.cer",
		    "ocsp http://ca.example.cl/ocsq caIssuers http://ca.example.cl/ca/institucional.cer" },
	};
	/* clang-format on */
	struct again *g = *state;

	(void)world_request(g->w, HOLDER, "k1", "funcionario-firma");
	read_history(g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct entry en = last_of(g, ENTRY_REQUEST_SUBMITTED);
		print_message("%s: %.*s\n", rows[i].name, BYTES_FMT(en.detail));
		en.detail = altered(g, en.detail, rows[i].from, rows[i].to);
		assert_int_equal(judge(g, en, NULL), ERR_OK);
		assert_int_equal(g->result.verdict, PAST_DIFFERS);
		assert_true(g->n_change >= 1);
		assert_string_equal(g->change[0].field, rows[i].field);
		assert_string_equal(g->change[0].before, rows[i].before);
		assert_string_equal(g->change[0].after, rows[i].after);
	}
}

/* Facts that the policy would have refused. */
static void
tampered_into_a_refusal(void **state)
{
	struct again *g = *state;

	(void)world_request(g->w, HOLDER, "k1", "funcionario-firma");
	read_history(g);
	struct entry en = last_of(g, ENTRY_REQUEST_SUBMITTED);
	en.detail =
	    altered(g, en.detail, "\"key\":\"ec-p256\"", "\"key\":\"ed25519\"");
	assert_int_equal(judge(g, en, NULL), ERR_OK);
	assert_int_equal(g->result.verdict, PAST_REFUSED);
	for (size_t i = 0; i < g->result.verdicts.len; i++)
		if (!g->result.verdicts.v[i].passed)
			assert_string_equal(g->result.verdicts.v[i].err.say,
			    "the key is ed25519; this policy allows ec-p256, "
			    "ec-p384");
}

/* Other bytes have another hash: they are not the policy that is named. */
static void
tampered_policy(void **state)
{
	struct again *g = *state;

	(void)world_request(g->w, HOLDER, "k1", "funcionario-firma");
	g->history = history_new();
	for (size_t i = 0; i < fake_view_entries(g->w->v); i++) {
		struct entry en = *fake_view_entry(g->w->v, i);
		if (en.type == ENTRY_POLICY_ACTIVATED)
			en.detail = altered(g, en.detail, "\"text\":\"c",
			    "\"text\":\"d");
		assert_int_equal(history_take(g->history, &en, &g->e), ERR_OK);
	}
	assert_int_equal(judge(g, last_of(g, ENTRY_REQUEST_SUBMITTED), NULL),
	    ERR_NOTFOUND);
	assert_string_equal(g->e.say,
	    "the log never had a policy with these bytes in force");
}

/* --- Another policy ------------------------------------------------------------------ */

static void
other_policies(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *text;
		enum past_verdict verdict;
		const char *what, *text_now; /* field and after, or rule and sentence */
	} rows[] = {
		{ "only the version", OTHER_SUBJECT OTHER_USAGE OTHER_KEYS OTHER_VALIDITY,
		    PAST_SAME, NULL, NULL },
		{ "a shorter life", OTHER_SUBJECT OTHER_USAGE OTHER_KEYS "validity: {default: 1y, max: 3y}\n",
		    PAST_DIFFERS, "notAfter", "2027-12-31T23:59:59Z" },
		{ "another usage", OTHER_SUBJECT OTHER_KEYS OTHER_VALIDITY
		    "usage: {key: [digitalSignature], extended: [emailProtection, clientAuth]}\n",
		    PAST_DIFFERS, "keyUsage", "critical digitalSignature" },
		{ "another key", OTHER_SUBJECT OTHER_USAGE OTHER_VALIDITY "keys: {allowed: [ec-p384]}\n",
		    PAST_REFUSED, "keys.allowed", "the key is ec-p256; this policy allows ec-p384" },
	};
	/* clang-format on */
	struct again *g = *state;

	(void)world_request(g->w, HOLDER, "k1", "funcionario-firma");
	read_history(g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(policy_set) set = other_policy(rows[i].text);
		print_message("%s\n", rows[i].name);
		if (judge(g, last_of(g, ENTRY_REQUEST_SUBMITTED),
			&set->policy[0]) != ERR_OK)
			fail_msg("%s", g->e.say);
		assert_int_equal(g->result.verdict, rows[i].verdict);
		if (rows[i].verdict == PAST_DIFFERS) {
			assert_int_equal(g->n_change, 1);
			assert_string_equal(g->change[0].field, rows[i].what);
			assert_string_equal(g->change[0].after,
			    rows[i].text_now);
		}
		for (size_t k = 0; k < g->result.verdicts.len; k++) {
			const struct verdict *v = &g->result.verdicts.v[k];
			if (v->passed)
				continue;
			assert_string_equal(v->rule, rows[i].what);
			assert_string_equal(v->err.say, rows[i].text_now);
		}
	}
}

/* An issuer that the log does not have. */
static void
other_issuer(void **state)
{
	struct again *g = *state;
	AUTO(policy_set)
	set = other_policy(
	    "policy: funcionario-firma\nversion: 2\nissuer: otra\n"
	    "subject: {C: CL, CN: \"{person.name}\", serialNumber: "
	    "\"{person.run}\", emailAddress: \"{person.email}\"}\n" OTHER_KEYS
		OTHER_VALIDITY OTHER_USAGE);

	(void)world_request(g->w, HOLDER, "k1", "funcionario-firma");
	read_history(g);
	assert_int_equal(judge(g, last_of(g, ENTRY_REQUEST_SUBMITTED),
			     &set->policy[0]),
	    ERR_DENIED);
	assert_string_equal(g->e.say,
	    "the policy funcionario-firma names the issuing CA otra, which "
	    "this engine does not have");
}

/* --- Refused by its policy -------------------------------------------------------------- */

/* What a policy refused is kept with its facts, and another may accept it. */
static void
refused_and_judged_again(void **state)
{
	struct again *g = *state;
	struct world *w = g->w;
	struct command c = world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR,
	    CF_RUT, RUT_A, CF_RUN, HOLDER, CF_POLICY, "firma-estricta",
	    CF_VALIDITY, "2y", CF_COUNT);
	struct random_pool random = { .used = 0 };
	struct decision d = { .n = 0 };

	c.f[CF_CSR] = world_csr(w, "k1");
	assert_int_equal(ca_decide(&w->ca, w->v, &c, w->now, &random, w->a, &d,
			     &w->e),
	    ERR_DENIED);
	assert_int_equal(d.n, 0);
	assert_true(d.refused.detail.len > 0);
	assert_int_equal(d.refused.refs.request.len, 0);
	d.draft[d.n++] = d.refused;
	world_must(w, world_append(w, &d), "act.refused");
	read_history(g);
	struct entry en = last_of(g, ENTRY_ACT_REFUSED);
	assert_true(bytes_is(en.refs.institution, RUT_A));
	assert_int_equal(judge(g, en, NULL), ERR_OK);
	assert_int_equal(g->result.verdict, PAST_STILL_REFUSED);
	AUTO(policy_set)
	set = other_policy(OTHER_SUBJECT OTHER_USAGE OTHER_KEYS OTHER_VALIDITY);
	assert_int_equal(judge(g, en, &set->policy[0]), ERR_OK);
	assert_int_equal(g->result.verdict, PAST_ACCEPTED);
	AUTO(json) keep = NULL;
	struct past past;
	assert_int_equal(past_read(&en, &keep, w->a, &past, &g->e), ERR_OK);
	assert_true(bytes_is(past.policy, "firma-estricta"));
	assert_true(bytes_is(past.holder_run, HOLDER));
	assert_true(bytes_is(past.error, "policy-validity-long"));
	assert_true(bytes_is(past.say,
	    "a validity of 2y is longer than the 1y that this policy allows"));
	assert_int_equal(past.facts.asked_s, 730 * DAY);
}

/* A refusal by anything but the policy keeps nothing. */
static void
other_refusals_keep_nothing(void **state)
{
	struct again *g = *state;
	struct world *w = g->w;
	struct command c =
	    world_command(w, ACT_REQUEST_NEW, CF_AS, HOLDER_2, CF_RUT, RUT_A,
		CF_RUN, HOLDER, CF_POLICY, "firma-estricta", CF_COUNT);
	struct random_pool random = { .used = 0 };
	struct decision d = { .n = 0 };

	c.f[CF_CSR] = world_csr(w, "k1");
	assert_int_equal(ca_decide(&w->ca, w->v, &c, w->now, &random, w->a, &d,
			     &w->e),
	    ERR_FORBIDDEN);
	assert_int_equal(d.refused.detail.len, 0);
}

/* --- Rule by rule ------------------------------------------------------------------ */

/* A row of a text that officers never signed, under the base's own name. */
static void
propose_namesake(struct again *g)
{
	struct world *w = g->w;
	struct buf b AUTO_BUF = BUF(4096);
	uint8_t hash[SHA256_LEN];
	struct policy_row row = { .name = bytes_str("base-firma"),
		.version = 1,
		.activation = bytes_str("POL-2027-000009"),
		.text = bytes_str("policy: base-firma\nversion: 1\n") };

	/* The last row that is read, so that it would be found first. */
	memset(hash, 0xff, sizeof(hash));
	row.sha256 = bytes_of(hash, sizeof(hash));
	rec_encode(&rec_policy, &row, &b);
	assert_int_equal(view_put(w->v,
			     ca_row_key(w->a, ROW_POLICY, row.sha256),
			     buf_bytes(&b), &g->e),
	    ERR_OK);
}

static void
explained(void **state)
{
	struct again *g = *state;
	struct world *w = g->w;
	const char *id = world_request(w, HOLDER, "k1", "firma-fina");
	struct verdicts *v = arena_get(w->a, sizeof(*v));
	struct buf out AUTO_BUF = BUF(1 << 20);
	AUTO(json) keep = NULL;
	struct past past, back;
	const struct policy *policy;
	uint64_t index = 0;
	bool in_log = false;

	/* The last submission, by the rows alone. */
	assert_int_equal(explain_find(&w->ca, w->v, bytes_str(id), w->now, w->a,
			     &past, &index, &in_log, &g->e),
	    ERR_OK);
	assert_true(in_log);
	struct entry en = *fake_view_entry(w->v, (size_t)index);
	assert_int_equal(entry_parse(&en, w->a, &g->e), ERR_OK);
	assert_true(bytes_is(en.refs.request, id));
	assert_int_equal(past_read(&en, &keep, w->a, &past, &g->e), ERR_OK);
	propose_namesake(g);
	g->history = history_new();
	assert_int_equal(history_take_rows(g->history, w->v, w->a, &g->e),
	    ERR_OK);
	assert_int_equal(history_policy(g->history, past.policy_sha256, &policy,
			     &g->e),
	    ERR_OK);
	explain_write(&past, policy, v, w->a, &out);
	assert_int_equal(v->failed, 0);
	const char *text = buf_text(&out);
	assert_non_null(strstr(text, "\"result\":\"accepted\""));
	/* What the base says stands in the base. */
	assert_non_null(strstr(text,
	    "{\"at\":\"base-firma@1:7\",\"fact\":\"ec-p256\",\"rule\":"
	    "\"keys.allowed\",\"verdict\":\"passed\"}"));
	AUTO(json) again = NULL;
	assert_int_equal(explain_read(buf_bytes(&out), &again, &back, &g->e),
	    ERR_OK);
	assert_true(bytes_is(back.request, id));
	assert_true(bytes_is(back.policy, "firma-fina"));
	assert_int_equal(back.facts.now, past.facts.now);
}

static void
explained_draft(void **state)
{
	struct again *g = *state;
	struct world *w = g->w;
	struct command c = world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR,
	    CF_RUT, RUT_A, CF_RUN, HOLDER, CF_POLICY, "firma-estricta",
	    CF_VALIDITY, "2y", CF_DRAFT, "true", CF_COUNT);
	struct verdicts *v = arena_get(w->a, sizeof(*v));
	struct buf out AUTO_BUF = BUF(1 << 20);
	struct past past;
	uint64_t index;
	bool in_log = true;

	world_must(w, world_run(w, &c), "a draft without a key");
	assert_int_equal(explain_find(&w->ca, w->v,
			     bytes_str("SOL-2027-000001"), w->now, w->a, &past,
			     &index, &in_log, &g->e),
	    ERR_INVALID);
	assert_string_equal(g->e.say,
	    "the request has no key yet; add the holder's PKCS #10 request");
	struct command with = world_command(w, ACT_REQUEST_NEW, CF_AS, OPERATOR,
	    CF_RUT, RUT_A, CF_RUN, HOLDER, CF_POLICY, "firma-estricta",
	    CF_VALIDITY, "2y", CF_DRAFT, "true", CF_COUNT);
	with.f[CF_CSR] = world_csr(w, "k1");
	world_must(w, world_run(w, &with), "a draft with one");
	assert_int_equal(explain_find(&w->ca, w->v,
			     bytes_str("SOL-2027-000002"), w->now, w->a, &past,
			     &index, &in_log, &g->e),
	    ERR_OK);
	assert_false(in_log);
	explain_write(&past, policy_find(w->policies, past.policy), v, w->a,
	    &out);
	assert_int_equal(v->failed, 1);
	assert_non_null(strstr(buf_text(&out),
	    "\"detail\":\"a validity of 2y is longer than the 1y that this "
	    "policy allows\",\"fact\":\"2y\",\"id\":\"policy-validity-long\""));
	assert_int_equal(explain_find(&w->ca, w->v, bytes_str("SOL-2027-9"),
			     w->now, w->a, &past, &index, &in_log, &g->e),
	    ERR_NOTFOUND);
}

/* --- What cannot be judged again --------------------------------------------------------- */

static void
refuses(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *from, *to;
		enum err_code code;
		const char *say;
	} rows[] = {
		{ "erased", NULL, NULL, ERR_NOTFOUND,
		    "the detail of this entry was erased after its retention; it cannot be judged again" },
		{ "before facts were kept", "\"facts\":", "\"factz\":", ERR_NOTFOUND,
		    "this request was written before the log kept what its policy judged by; it cannot be judged again" },
		{ "a key of no kind", "\"key\":\"ec-p256\"", "\"key\":\"ec-p257\"", ERR_INVALID,
		    "an entry of the log is not as this program writes them: facts.request.key; verify the log with refrendo audit verify" },
		{ "no office", "\"office\":\"", "\"offica\":\"", ERR_INVALID, "the member office is missing" },
		{ "no request", "\"csr\":\"M", "\"csr\":\"A", ERR_INVALID,
		    "an entry of the log is not as this program writes them: csr; verify the log with refrendo audit verify" },
	};
	/* clang-format on */
	struct again *g = *state;

	(void)world_request(g->w, HOLDER, "k1", "funcionario-firma");
	read_history(g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct entry en = last_of(g, ENTRY_REQUEST_SUBMITTED);
		print_message("%s\n", rows[i].name);
		en.detail =
		    rows[i].from == NULL
			? BYTES_NONE
			: altered(g, en.detail, rows[i].from, rows[i].to);
		assert_int_equal(judge(g, en, NULL), rows[i].code);
		assert_string_equal(g->e.say, rows[i].say);
	}
	assert_int_equal(judge(g, last_of(g, ENTRY_PERSON_REGISTERED), NULL),
	    ERR_NOTFOUND);
	assert_string_equal(g->e.say,
	    "this entry is no request that a policy judged");
}

/* A base that the log never had, and bytes that are no policy. */
static void
history_refuses(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *text;
		enum err_code code;
		const char *say;
	} rows[] = {
		{ "no base", "policy: x\nversion: 1\nextends: nada@7\n", ERR_NOTFOUND,
		    "the policy extends nada, in a version that the log never had in force" },
		{ "no policy", "policy: x\n", ERR_INVALID, NULL },
	};
	/* clang-format on */
	struct again *g = *state;

	read_history(g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b AUTO_BUF = BUF(4096);
		struct jw w = jw_of(&b);
		struct entry en = { .type = ENTRY_POLICY_ACTIVATED };
		const struct policy *p;
		uint8_t hash[SHA256_LEN];
		print_message("%s\n", rows[i].name);
		jw_object(&w);
		jw_member_str(&w, "name", bytes_str("x"));
		jw_member_base64(&w, "text", bytes_str(rows[i].text));
		jw_member_int(&w, "version", 1);
		jw_close(&w, '}');
		en.detail = buf_bytes(&b);
		assert_int_equal(history_take(g->history, &en, &g->e), ERR_OK);
		sha256(hash, bytes_str(rows[i].text));
		assert_int_equal(history_policy(g->history,
				     bytes_of(hash, SHA256_LEN), &p, &g->e),
		    rows[i].code);
		if (rows[i].say != NULL)
			assert_string_equal(g->e.say, rows[i].say);
		else
			assert_string_equal(g->e.id, "past-policy-text");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_are_the_same),
		cmocka_unit_test(index_of_serials),
		TEST(tampered_facts),
		TEST(tampered_into_a_refusal),
		TEST(tampered_policy),
		TEST(other_policies),
		TEST(other_issuer),
		TEST(refused_and_judged_again),
		TEST(other_refusals_keep_nothing),
		TEST(explained),
		TEST(explained_draft),
		TEST(refuses),
		TEST(history_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
