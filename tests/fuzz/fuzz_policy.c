/* libs: policy */
#include <stdlib.h>

#include <refrendo/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ceilings wide = {
	.validity_max_s = 1096 * DAY,
	.backdate_max_s = HOUR,
	.keys = 0x1f,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.names = 1u << 0 | 1u << 1, /* otherName, e-mail */
	.statement_max_s = 7 * DAY,
	.ocsp_max_s = 10 * DAY,
	.crl_max_s = 30 * DAY,
};

/* Each finding has a sentence, an id and, but for the size, a line. */
static void
judge(const struct findings *f, bool loaded, struct bytes text)
{
	struct buf shown AUTO_BUF = BUF(4 << 20);

	if (loaded != (f->errors == 0) || (!loaded && f->len == 0))
		abort();
	for (size_t i = 0; i < f->len; i++) {
		const struct finding *one = &f->v[i];

		if (one->err.say[0] == '\0' || one->err.id == NULL ||
		    one->width == 0)
			abort();
		if (one->err.where.line == 0 && text.len <= POLICY_FILE_MAX)
			abort();
		finding_print(&shown, one, text);
	}
	if (shown.failed || !utf8_valid(buf_bytes(&shown)))
		abort();
}

/* What loads, printed, loads to the same print. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size);
	struct policy_file file = { "fuzz.yaml", text };
	struct buf once AUTO_BUF = BUF(1 << 20), twice AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	struct ceilings ceilings;
	struct config config;
	AUTO(policy_set) set = NULL;
	AUTO(policy_set) again = NULL;

	policy_load(&file, 1, &wide, &set, &f);
	judge(&f, set != NULL, text);
	findings_fini(&f);
	ceilings_load(&file, &ceilings, &f);
	judge(&f, f.errors == 0, text);
	findings_fini(&f);
	config_load(&file, &config, &f);
	judge(&f, f.errors == 0, text);
	findings_fini(&f);
	if (set == NULL)
		return 0;
	policy_print(&once, &set->policy[0]);
	file.text = buf_bytes(&once);
	policy_load(&file, 1, &wide, &again, &f);
	findings_fini(&f);
	if (again == NULL)
		abort();
	policy_print(&twice, &again->policy[0]);
	if (!bytes_eq(buf_bytes(&once), buf_bytes(&twice)))
		abort();
	return 0;
}
