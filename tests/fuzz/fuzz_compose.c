/* libs: policy */
#include <stdlib.h>
#include <string.h>

#include <refrendo/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ceilings wide = {
	.validity_max_s = 1096 * DAY,
	.backdate_max_s = HOUR,
	.keys = 0x1f,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.names = UINT16_MAX,
	.qc_statements = true,
	.statement_max_s = 7 * DAY,
	.ocsp_max_s = 10 * DAY,
	.crl_max_s = 30 * DAY,
};

/* What a refinement may not do, whatever its file says. */
static void
narrows(const struct policy *p)
{
	const struct policy *base = p->extends;

	if (base == NULL)
		return;
	if (p->max_s > base->max_s || p->backdate_s > base->backdate_s ||
	    p->ends > base->ends || (p->keys & ~base->keys) != 0 ||
	    (p->key_usage & ~base->key_usage) != 0 ||
	    p->n_subject < base->n_subject || p->n_san < base->n_san ||
	    p->n_condition < base->n_condition || p->n_when < base->n_when ||
	    p->holder_right < base->holder_right ||
	    p->operator_right > base->operator_right ||
	    strcmp(p->issuer, base->issuer) != 0)
		abort();
}

/* A layout that is accepted is one that stays. */
static void
lay_out(struct bytes text)
{
	struct buf once AUTO_BUF = BUF(1 << 20), twice AUTO_BUF = BUF(1 << 20);
	struct err e;

	if (policy_format(text, &once, &e) != ERR_OK) {
		if (e.id == NULL || e.say[0] == '\0')
			abort();
		return;
	}
	if (policy_format(buf_bytes(&once), &twice, &e) != ERR_OK ||
	    !bytes_eq(buf_bytes(&once), buf_bytes(&twice)))
		abort();
}

/* What a policy comes to loads by itself, to the same. */
static void
prints(const struct policy *p)
{
	struct buf once AUTO_BUF = BUF(1 << 20), twice AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;

	policy_print(&once, p);
	struct policy_file file = { "print", buf_bytes(&once) };
	policy_load(&file, 1, &wide, &set, &f);
	findings_fini(&f);
	if (set == NULL)
		abort();
	policy_print(&twice, &set->policy[0]);
	if (!bytes_eq(buf_bytes(&once), buf_bytes(&twice)))
		abort();
}

/* Two files, with a NUL between them: a base perhaps, and what extends it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t first = cut != NULL ? (size_t)(cut - data) : size;
	struct policy_file files[2] = { { "a", bytes_of(data, first) },
		{ "b", BYTES_NONE } };
	size_t n = cut != NULL ? 2 : 1;
	const struct policy_context context = { .now = 1795514400 };
	struct buf shown AUTO_BUF = BUF(4 << 20);
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;

	if (n == 2)
		files[1].text = bytes_of(cut + 1, size - first - 1);
	lay_out(files[0].text);
	policy_load(files, n, &wide, &set, &f);
	if ((set != NULL) != (f.errors == 0))
		abort();
	for (size_t i = 0; set != NULL && i < n; i++) {
		narrows(&set->policy[i]);
		prints(&set->policy[i]);
	}
	if (set != NULL) {
		policy_warn(set, files, &context, &f);
		(void)policy_diff(&shown, &set->policy[0], &set->policy[n - 1]);
	}
	for (size_t i = 0; i < f.len; i++)
		finding_print(&shown, &f.v[i], files[0].text);
	if (shown.failed || !utf8_valid(buf_bytes(&shown)))
		abort();
	findings_fini(&f);
	return 0;
}
