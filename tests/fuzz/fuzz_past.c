/* libs: ca policy audit pkix base */
/*
 * A detail as an entry that was written by somebody else might have it: what
 * is read of it can be judged by a policy and built, or a sentence says why
 * not; its facts written and read again are the same.
 */
#include <stdlib.h>
#include <string.h>

#include <refrendo/ca.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char policy_text[] =
    "policy: uno\nversion: 1\nissuer: emisora\n"
    "subject: {C: CL, O: \"{institution.name}\", title: \"{person.office}\", "
    "serialNumber: \"{person.run}\", CN: \"{person.name}\", emailAddress: "
    "\"{person.email}\"}\n"
    "keys: {allowed: [ec-p256, ec-p384, rsa-3072]}\n"
    "validity: {default: 2y, max: 3y}\n"
    "usage: {key: [digitalSignature], extended: [clientAuth]}\n";

/* Nothing that is judged here asks the store. */
enum err_code
view_get(struct view *v, struct bytes key, struct bytes *value, bool *found,
    struct err *e)
{
	(void)v, (void)key, (void)value, (void)found, (void)e;
	abort();
}

enum err_code
view_put(struct view *v, struct bytes key, struct bytes value, struct err *e)
{
	(void)v, (void)key, (void)value, (void)e;
	abort();
}

enum err_code
view_del(struct view *v, struct bytes key, struct err *e)
{
	(void)v, (void)key, (void)e;
	abort();
}

enum err_code
view_next(struct view *v, struct bytes prefix, struct bytes after,
    struct bytes *key, struct bytes *value, bool *found, struct err *e)
{
	(void)v, (void)prefix, (void)after, (void)key, (void)value;
	(void)found, (void)e;
	abort();
}

uint64_t
view_log_size(struct view *v)
{
	(void)v;
	abort();
}

int64_t
view_log_time(struct view *v)
{
	(void)v;
	abort();
}

enum err_code
view_log_root(struct view *v, uint8_t root[HASH_LEN], struct err *e)
{
	(void)v, (void)root, (void)e;
	abort();
}

enum err_code
view_log_detail(struct view *v, uint64_t index, struct bytes *detail,
    struct err *e)
{
	(void)v, (void)index, (void)detail, (void)e;
	abort();
}

enum err_code
view_log_append(struct view *v, const struct entry *entry, struct err *e)
{
	(void)v, (void)entry, (void)e;
	abort();
}

static const struct policy *
policy(void)
{
	static struct policy_set *set;
	struct policy_file file = { "uno.yaml", bytes_str(policy_text) };
	struct findings f = { NULL, 0, 0 };
	struct ceilings widest;

	if (set != NULL)
		return &set->policy[0];
	ceilings_widest(&widest);
	policy_load(&file, 1, &widest, &set, &f);
	if (set == NULL)
		abort();
	findings_fini(&f);
	return &set->policy[0];
}

static void
written_again(const struct past *p)
{
	struct buf b AUTO_BUF = BUF(1 << 20), again AUTO_BUF = BUF(1 << 20);
	AUTO(json) keep = NULL;
	struct past back;
	struct err e;
	struct jw w = jw_of(&b);

	jw_object(&w);
	jw_key(&w, "facts");
	past_write_facts(&w, p);
	jw_key(&w, "policy");
	jw_object(&w);
	jw_member_str(&w, "name", p->policy);
	jw_close(&w, '}');
	jw_member_str(&w, "request", p->request);
	jw_close(&w, '}');
	if (b.failed)
		return;
	if (explain_read(buf_bytes(&b), &keep, &back, &e) != ERR_OK)
		abort();
	w = jw_of(&again);
	jw_object(&w);
	jw_key(&w, "facts");
	past_write_facts(&w, &back);
	if (memcmp(b.p, again.p, again.len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[SHA256_LEN];
	AUTO(arena) a = arena_new();
	AUTO(json) keep = NULL;
	struct past past;
	struct past_result *result = arena_get(a, sizeof(*result));
	struct err e = { .code = ERR_OK };
	struct bytes hash = bytes_of(zero, sizeof(zero));
	struct entry en = { .type = ENTRY_REQUEST_SUBMITTED,
		.refs = { .request = bytes_str("SOL-2026-000001"),
		    .serial = bytes_str("abcdefghijklmnopqrst"),
		    .policy = hash,
		    .tbs = hash },
		.detail = bytes_of(data, size) };
	AUTO(history) h = history_new();

	if (size == 0)
		return 0;
	if (data[0] == 'r') {
		en.type = ENTRY_ACT_REFUSED;
		en.detail = bytes_of(data + 1, size - 1);
	}
	if (past_read(&en, &keep, a, &past, &e) != ERR_OK) {
		if (e.say[0] == '\0')
			abort();
		return 0;
	}
	written_again(&past);
	if (past_judge(h, &past, policy(), a, result, &e) != ERR_OK &&
	    e.say[0] == '\0')
		abort();
	policy_evaluate(policy(), &past.facts, a, &(struct cert_spec){ 0 },
	    &result->verdicts);
	return 0;
}
