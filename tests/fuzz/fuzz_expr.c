/* libs: policy */
#include <stdlib.h>
#include <string.h>

#include <refrendo/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each finding has a sentence and points into the text. */
static void
judge(const struct findings *f, bool compiled, struct bytes text)
{
	struct buf shown AUTO_BUF = BUF(1 << 20);

	if (compiled != (f->errors == 0))
		abort();
	for (size_t i = 0; i < f->len; i++) {
		const struct finding *one = &f->v[i];

		if (one->err.say[0] == '\0' || one->err.id == NULL ||
		    one->hint[0] == '\0' || one->width == 0 ||
		    one->err.where.line != 1 || one->err.where.col == 0)
			abort();
		if (utf8_valid(text) && text.len > 0 &&
		    one->err.where.col - 1 + one->width > utf8_count(text))
			abort();
		finding_print(&shown, one, text);
	}
	if (shown.failed || !utf8_valid(buf_bytes(&shown)))
		abort();
}

static const struct expr *
compile(struct bytes text, struct arena *a)
{
	struct policy_file one = { "fuzz", text };
	struct findings f = { NULL, 0, 0 };
	const struct expr *x = expr_compile(&one, a, &f);

	judge(&f, x != NULL, text);
	findings_fini(&f);
	return x;
}

/* Somebody made of the input's own octets. */
static struct policy_facts
facts_of(struct bytes text)
{
	uint8_t h[SHA256_LEN];
	struct policy_facts f = { .n_attribute = 2 };

	sha256(h, text);
	for (size_t i = 0; i < FACT_COUNT; i++)
		f.fact[i] =
		    bytes_of(text.p + h[i] % (text.len + 1), text.len / 3);
	for (size_t i = 0; i < FACT_COUNT; i++) {
		if (f.fact[i].p + f.fact[i].len > text.p + text.len)
			f.fact[i] = BYTES_NONE;
	}
	f.attribute[0] = (struct attribute){ bytes_str("grade"), text };
	f.attribute[1] =
	    (struct attribute){ bytes_str("x"), f.fact[FACT_PERSON_NAME] };
	f.person_kind = (enum person_kind)(h[8] % PERSON_KINDS);
	f.institution_kind = (enum institution_kind)(h[9] % INSTITUTION_KINDS);
	f.key = (enum key_type)(h[10] % (KEY_TYPES + 1));
	f.is_renewal = h[11] % 2 == 1;
	f.now = (int64_t)be64_parse(h + 16);
	f.issuer_not_after = h[12] % 4 == 0 ? NEVER : f.now / 2;
	return f;
}

/*
 * What compiles prints, compiles to the same print, and gives the same verdict
 * each time, whatever the facts are.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size);
	struct buf once AUTO_BUF = BUF(EXPR_TEXT_MAX);
	struct buf twice AUTO_BUF = BUF(EXPR_TEXT_MAX);
	struct buf named AUTO_BUF = BUF(1 << 20);
	AUTO(arena) arena = arena_new();
	const struct expr *x = compile(text, arena), *again;
	struct policy_facts facts;
	struct expr_env env = { &facts, (int64_t)(size * 1000003) };
	bool verdict;

	if (x == NULL)
		return 0;
	facts = facts_of(text);
	expr_print(&once, x);
	again = compile(buf_bytes(&once), arena);
	if (once.failed || again == NULL)
		abort();
	expr_print(&twice, expr_copy(arena, again));
	if (!bytes_eq(buf_bytes(&once), buf_bytes(&twice)))
		abort();
	verdict = expr_true(x, &env);
	if (expr_true(x, &env) != verdict || expr_true(again, &env) != verdict)
		abort();
	expr_facts(&named, x, &env);
	if (named.failed || !utf8_valid(buf_bytes(&named)))
		abort();
	return 0;
}
