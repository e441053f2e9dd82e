/* Do other ceilings only take rights away?  Each member of signer.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

#define HEX "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f"
#define ANA "- {run: 12345678-5, name: Ana, key_sha256: \"" HEX "0\"}\n"
#define LUZ "- {run: 11111111-1, name: Luz, key_sha256: \"" HEX "1\"}\n"
#define EVA "- {run: 22222222-2, name: Eva, key_sha256: \"" HEX "2\"}\n"

#define BASE                                                                   \
	"validity_max: 2y\n"                                                   \
	"backdate_max: 1m\n"                                                   \
	"keys: [ec-p256, rsa-3072]\n"                                          \
	"key_usage: [digitalSignature, nonRepudiation]\n"                      \
	"extended: [clientAuth, emailProtection]\n"                            \
	"names: [other, email]\n"                                              \
	"qc_statements: false\n"                                               \
	"extensions: [{oid: 1.2.3.4}, {oid: 1.2.3.5}]\n"                       \
	"statement_max: 48h\n"                                                 \
	"appointment_max: 2y\n"                                                \
	"ocsp_max: 5d\n"                                                       \
	"crl_max: 5d\n"                                                        \
	"per_hour: 100\n"                                                      \
	"per_hour_institution: 50\n"                                           \
	"refusals_per_hour: 40\n"                                              \
	"campaign_until: \"2027-03-31T23:59:59Z\"\n"                           \
	"campaign_per_hour: 900\n"                                             \
	"campaign_per_hour_institution: 800\n"                                 \
	"endorsements: 2\n"                                                    \
	"mandate_max: 90d\n"                                                   \
	"appointment_quorum: 2\n"                                              \
	"quorum: 2\n"                                                          \
	"officers:\n" ANA LUZ EVA "issuers:\n- {name: uno, tbs_sha256: \"" HEX \
	"3\"}\n"                                                               \
	"- {name: dos, tbs_sha256: \"" HEX "4\"}\n"                            \
	"policies:\n- {name: primera, sha256: \"" HEX "5\"}\n"                 \
	"- {name: segunda, sha256: \"" HEX "6\"}\n"

struct change {
	const char *from, *to;
	const char *grants; /* NULL: it only takes away */
};

/* clang-format off */
static const struct change changes[] = {
	{ "validity_max: 2y", "validity_max: 3y", "validity_max" },
	{ "validity_max: 2y", "validity_max: 1y", NULL },
	{ "backdate_max: 1m", "backdate_max: 2m", "backdate_max" },
	{ "backdate_max: 1m", "backdate_max: 0s", NULL },
	{ "keys: [ec-p256, rsa-3072]", "keys: [ec-p256, rsa-3072, rsa-4096]", "keys" },
	{ "keys: [ec-p256, rsa-3072]", "keys: [ec-p384]", "keys" },
	{ "keys: [ec-p256, rsa-3072]", "keys: [rsa-3072]", NULL },
	{ "digitalSignature, non", "keyEncipherment, non", "key_usage" },
	{ "digitalSignature, non", "non", NULL },
	{ "clientAuth, emailP", "codeSigning, emailP", "extended" },
	{ "clientAuth, emailP", "emailP", NULL },
	{ "names: [other, email]", "names: [other, email, dns]", "names" },
	{ "names: [other, email]", "names: [email]", NULL },
	{ "qc_statements: false", "qc_statements: true", "qc_statements" },
	{ "{oid: 1.2.3.5}", "{oid: 1.2.3.5}, {oid: 1.2.3.6}", "extensions" },
	{ "{oid: 1.2.3.5}", "{oid: 1.2.3.5, critical: true}", "extensions" },
	{ ", {oid: 1.2.3.5}", "", NULL },
	{ "statement_max: 48h", "statement_max: 49h", "statement_max" },
	{ "statement_max: 48h", "statement_max: 1h", NULL },
	{ "appointment_max: 2y", "appointment_max: 3y", "appointment_max" },
	{ "appointment_max: 2y", "appointment_max: 1y", NULL },
	{ "ocsp_max: 5d", "ocsp_max: 6d", "ocsp_max" },
	{ "ocsp_max: 5d", "ocsp_max: 4d", NULL },
	{ "crl_max: 5d", "crl_max: 6d", "crl_max" },
	{ "crl_max: 5d", "crl_max: 4d", NULL },
	{ "per_hour: 100", "per_hour: 101", "per_hour" },
	{ "per_hour: 100", "per_hour: 99", NULL },
	{ "per_hour_institution: 50", "per_hour_institution: 51", "per_hour_institution" },
	{ "per_hour_institution: 50", "per_hour_institution: 49", NULL },
	{ "refusals_per_hour: 40", "refusals_per_hour: 41", "refusals_per_hour" },
	{ "refusals_per_hour: 40", "refusals_per_hour: 39", NULL },
	{ "until: \"2027-03-31", "until: \"2027-04-01", "campaign_until" },
	{ "until: \"2027-03-31", "until: \"2027-03-30", NULL },
	{ "campaign_per_hour: 900", "campaign_per_hour: 901", "campaign_per_hour" },
	{ "campaign_per_hour: 900\n", "", NULL },
	{ "campaign_per_hour_institution: 800", "campaign_per_hour_institution: 801", "campaign_per_hour_institution" },
	{ "campaign_per_hour_institution: 800", "campaign_per_hour_institution: 799", NULL },
	{ "campaign_until: \"2027-03-31T23:59:59Z\"\ncampaign_per_hour: 900\ncampaign_per_hour_institution: 800\n", "", NULL },
	{ "per_hour: 100", "per_hour: 900", "per_hour" },
	{ "endorsements: 2", "endorsements: 1", "endorsements" },
	{ "endorsements: 2", "endorsements: 3", NULL },
	{ "mandate_max: 90d", "mandate_max: 91d", "mandate_max" },
	{ "mandate_max: 90d", "mandate_max: 0s", NULL },
	{ "appointment_quorum: 2", "appointment_quorum: 1", "appointment_quorum" },
	{ "appointment_quorum: 2\nquorum: 2", "appointment_quorum: 3\nquorum: 3", NULL },
	{ "\nquorum: 2", "\nquorum: 3", NULL },
	{ "name: Eva", "name: Eva Rojas", NULL },
	{ "22222222-2", "33333333-3", "officers" },
	{ HEX "2", HEX "7", "officers" },
	{ EVA, "", NULL },
	{ EVA, EVA "- {run: 33333333-3, name: Sol, key_sha256: \"" HEX "7\"}\n", "officers" },
	{ "- {name: dos, tbs_sha256: \"" HEX "4\"}\n", "", NULL },
	{ "name: dos", "name: tres", "issuers" },
	{ HEX "4", HEX "7", "issuers" },
	{ "issuers:\n- {name: uno, tbs_sha256: \"" HEX "3\"}\n- {name: dos, tbs_sha256: \"" HEX "4\"}\n", "", "issuers" },
	{ "- {name: segunda, sha256: \"" HEX "6\"}\n", "", NULL },
	{ "name: segunda", "name: tercera", "policies" },
	{ HEX "6", HEX "7", "policies" },
	{ "quorum: 2\noff", "quorum: 2\nrefounds: \"" HEX "7\"\noff", NULL },
};
/* clang-format on */

static void
read_with(const char *from, const char *to, struct ceilings *out)
{
	struct buf text AUTO_BUF = BUF(1 << 16);
	const char *at = strstr(BASE, from);
	struct err e;

	assert_non_null(at);
	buf_put(&text, BASE, (size_t)(at - BASE));
	buf_puts(&text, to);
	buf_puts(&text, at + strlen(from));
	if (ceilings_read(buf_bytes(&text), out, &e) != ERR_OK)
		fail_msg("%s: %s", to, e.say);
}

static void
each_member(void **state)
{
	static struct ceilings before, after;
	size_t wrong = 0;

	(void)state;
	read_with("", "", &before);
	assert_null(ceilings_grant(&before, &before));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change *c = &changes[i];
		read_with(c->from, c->to, &after);
		const char *got = ceilings_grant(&before, &after);
		if ((got == NULL) == (c->grants == NULL) &&
		    (got == NULL || strcmp(got, c->grants) == 0))
			continue;
		print_error("%s: grants %s\n", c->to,
		    got == NULL ? "nothing" : got);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* Officers may go while those who stay reach the quorums, and no further. */
static void
quorum_is_reached(void **state)
{
	static struct ceilings before, after;

	(void)state;
	read_with("appointment_quorum: 2\nquorum: 2\n", "", &before);
	read_with("appointment_quorum: 2", "appointment_quorum: 1", &after);
	assert_string_equal(ceilings_grant(&after, &before), "quorum");
	read_with("appointment_quorum: 2\nquorum: 2\nofficers:\n" ANA LUZ EVA,
	    "", &after);
	after.appointment_quorum = 2;
	assert_string_equal(ceilings_grant(&before, &after), "officers");
	/* Of a list that was never there all may be taken. */
	before.n_ca = 0;
	after = before;
	after.n_ca = 1;
	assert_null(ceilings_grant(&before, &after));
}

static void
in_one_line(void **state)
{
	struct buf out AUTO_BUF = BUF(CEILINGS_PEOPLE_MAX);
	static struct ceilings c;

	(void)state;
	read_with(EVA, "", &c);
	ceilings_people(&c, &out);
	assert_string_equal(buf_text(&out),
	    "quorum=2 appointment_quorum=2 12345678-5=" HEX "0 11111111-1=" HEX
	    "1");
}

static void
one_mistake(void **state)
{
	struct ceilings c = { .per_hour = 77 };
	struct err e;

	(void)state;
	assert_int_equal(ceilings_read(bytes_str("keys: 7\n"), &c, &e),
	    ERR_INVALID);
	assert_int_equal(c.per_hour, 77);
	assert_string_not_equal(e.say, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member),
		cmocka_unit_test(quorum_is_reached),
		cmocka_unit_test(in_one_line),
		cmocka_unit_test(one_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
