/* signer.yaml and refrendo.yaml: values, defaults, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <refrendo/policy.h>

#define HEX "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f"

#define SIGNER                                                       \
	"validity_max: 3y\n"                                         \
	"keys: [ec-p256]\n"                                          \
	"key_usage: [digitalSignature]\n"                            \
	"extended: [clientAuth]\n"                                   \
	"officers:\n"                                                \
	"- {run: 12345678-5, name: Ana, key_sha256: \"" HEX "0\"}\n" \
	"- {run: 11.111.111-1, name: Luz, key_sha256: \"" HEX "1\"}\n"

#define CONFIG                                                          \
	"origin: refrendo.example/log\n"                                \
	"public_url: http://estado.example.cl\n"                        \
	"listen: 127.0.0.1:0\n"                                         \
	"admin: {uids: [1000, 33]}\n"                                   \
	"keys: {log: file:log.pem, endorser: keys/e.pem}\n"             \
	"files: {log_public: l, endorser: e.pem, root: r.pem}\n"        \
	"issuers:\n"                                                    \
	"- {name: emisora, certificate: c.pem, key: file:k, ocsp_key: " \
	"\"pkcs11:token=t;object=o\"}\n"

struct refusal {
	const char *name, *from, *to;
	uint32_t line, col;
	const char *id, *say; /* NULL: not asked */
};

/* clang-format off */
static const struct refusal ceilings_rows[] = {
	{ "more than the law", "3y", "4y", 1, 15, "policy-range", "4y is outside what is allowed" },
	{ "a day more than the law", "3y", "1097d", 1, 15, "policy-range", NULL },
	{ "backdate of two hours", "keys:", "backdate_max: 2h\nkeys:", 2, 15, "policy-range", NULL },
	{ "OCSP of a month", "keys:", "ocsp_max: 30d\nkeys:", 2, 11, "policy-range", NULL },
	{ "no validity", "validity_max: 3y\n", "", 1, 1, "policy-key-missing", "the key validity_max is missing" },
	{ "no keys", "keys: [ec-p256]\n", "", 1, 1, "policy-key-missing", NULL },
	{ "a key that nobody has", "[ec-p256]", "[ed448]", 2, 8, "policy-word-unknown", NULL },
	{ "keys of CAs", "[digitalSignature]", "[keyCertSign]", 3, 13, "policy-word-refused", "keyCertSign has no place here" },
	{ "OCSPSigning", "[clientAuth]", "[OCSPSigning]", 4, 12, "policy-word-refused", NULL },
	{ "sha1", "[ec-p256]", "[ec-p256, sha1]", 2, 17, "policy-weak-hash", NULL },
	{ "none an hour", "keys:", "per_hour: 0\nkeys:", 2, 11, "policy-range", NULL },
	{ "RUN with the wrong digit", "12345678-5", "12345678-9", 6, 9, "run-digit", NULL },
	{ "RUN without digit", "12345678-5", "12345678", 6, 9, "policy-not-text", NULL },
	{ "RUN that no one has", "12345678-5", "\"12345678\"", 6, 9, "run-form", NULL },
	{ "one person twice", "12345678-5", "11111111-1", 7, 9, "ceilings-officer-twice", NULL },
	{ "one key twice", HEX "0", HEX "1", 7, 46, "ceilings-officer-twice", "another officer has it already: each is one person with one key" },
	{ "short hash", HEX "0", HEX, 6, 0, "policy-text-length", NULL },
	{ "no hash", HEX "0", HEX "x", 6, 0, "ceilings-key", "this is not a SHA-256 in hexadecimal digits" },
	{ "quorum of nobody", "officers", "quorum: 0\nofficers", 5, 9, "policy-range", NULL },
	{ "quorum of more than there are", "officers", "quorum: 3\nofficers", 5, 9, "ceilings-quorum", "more officers must sign than there are: nothing could ever take effect" },
	{ "appointments by more than there are", "officers", "appointment_quorum: 3\nofficers", 5, 21, "ceilings-quorum", "more officers must sign than there are: nothing could ever take effect" },
	{ "appointments by more than changes of the file", "officers", "appointment_quorum: 2\nofficers", 5, 21, "ceilings-quorum-lower", "more officers must sign an appointment than a change of this file, by which fewer could appoint" },
	{ "a policy without its hash", "officers", "policies: [{name: a}]\nofficers", 5, 12, "policy-key-missing", NULL },
	{ "officer without name", "name: Ana, ", "", 6, 3, "policy-key-missing", "the key name is missing" },
	{ "no kind of name", "keys:", "names: []\nkeys:", 2, 8, "policy-count", "there must be 1 to 16 entries" },
	{ "a kind of name that is none", "keys:", "names: [rfc822]\nkeys:", 2, 9, "policy-word-unknown", "there is no choice called rfc822 here" },
	{ "a campaign without an end", "officers", "campaign_per_hour: 5\nofficers", 5, 20, "ceilings-campaign", "a campaign needs its last instant" },
	{ "a campaign until no time", "officers", "campaign_until: \"2027-02-30\"\nofficers", 5, 17, "ceilings-campaign-time", "this is no time of day in UTC" },
	{ "founded anew in the place of no hash", "officers", "refounds: \"" HEX "x\"\nofficers", 5, 11, "ceilings-refounds", "this is not a SHA-256 in hexadecimal digits" },
	{ "extension of X.509", "keys:", "extensions: [{oid: 2.5.29.30}]\nkeys:", 2, 20, "ceilings-extension", "an extension of X.509, PKIX or OCSP is not a private one" },
	{ "extension of PKIX", "keys:", "extensions: [{oid: 1.3.6.1.5.5.7.1.3}]\nkeys:", 2, 20, "ceilings-extension", NULL },
	{ "ocsp-nocheck", "keys:", "extensions: [{oid: 1.3.6.1.5.5.7.48.1.5}]\nkeys:", 2, 20, "ceilings-extension", NULL },
	{ "one extension twice", "keys:", "extensions: [{oid: 1.2.3.4}, {oid: 1.2.3.4, critical: true}]\nkeys:", 2, 36, "ceilings-extension-twice", "this extension stands twice" },
	{ "typing error", "officers", "oficers", 5, 1, "policy-key-unknown", NULL },
};

static const struct refusal config_rows[] = {
	{ "https", "http://estado", "https://estado", 2, 13, "config-public-url", NULL },
	{ "path", "estado.example.cl", "estado.example.cl/x", 2, 13, "config-public-url", NULL },
	{ "final slash", "estado.example.cl", "estado.example.cl/", 2, 13, "config-public-url", NULL },
	{ "user", "estado.example.cl", "a@estado.example.cl", 2, 13, "config-public-url", NULL },
	{ "no host", "http://estado.example.cl", "\"http://\"", 2, 13, "policy-text-length", NULL },
	{ "port 0", "estado.example.cl", "estado.example.cl:0", 2, 13, "config-public-url", NULL },
	{ "port too high", "estado.example.cl", "estado.example.cl:65536", 2, 13, "config-public-url", NULL },
	{ "two dots", "estado.example.cl", "estado..cl", 2, 13, "config-public-url", NULL },
	{ "hyphen first", "estado.example.cl", "-estado.cl", 2, 13, "config-public-url", NULL },
	{ "hyphen last", "estado.example.cl", "estado-.cl", 2, 13, "config-public-url", NULL },
	{ "letters beyond ASCII", "estado.example.cl", "se\xc3\xb1" "al.cl", 2, 13, "config-public-url", NULL },
	{ "nine lists of keys", "{log:", "{compromised: [a, b, c, d, e, f, g, h, i], log:", 5, 21, "config-lists", "there are more than 8 lists of keys" },
	{ "space in the origin", "refrendo.example/log", "refrendo example", 1, 9, "config-origin", NULL },
	{ "plus in the origin", "refrendo.example/log", "a+b", 1, 9, "config-origin", NULL },
	{ "host name to listen on", "127.0.0.1:0", "localhost:80", 3, 9, "config-listen", NULL },
	{ "no port", "127.0.0.1:0", "127.0.0.1", 3, 9, "config-listen", NULL },
	{ "five numbers", "127.0.0.1:0", "127.0.0.0.1:80", 3, 9, "config-listen", NULL },
	{ "256", "127.0.0.1:0", "127.0.0.256:80", 3, 9, "config-listen", NULL },
	{ "octal address", "127.0.0.1:0", "127.0.0.01:80", 3, 9, "config-listen", NULL },
	{ "bare IPv6", "127.0.0.1:0", "\"::1:80\"", 3, 9, "config-listen", NULL },
	{ "IPv6 with two gaps", "127.0.0.1:0", "\"[1::2::3]:80\"", 3, 9, "config-listen", NULL },
	{ "IPv6 of nine groups", "127.0.0.1:0", "\"[1:2:3:4:5:6:7:8:9]:80\"", 3, 9, "config-listen", NULL },
	{ "IPv6 with one colon at its end", "127.0.0.1:0", "\"[1:2:3:4:5:6:7:]:80\"", 3, 9, "config-listen", NULL },
	{ "PIN in the file", "pkcs11:token=t", "pkcs11:token=t;pin-value=1234", 8, 62, "config-key-uri", "this is no place of a key that can be used" },
	{ "key on the network", "file:log.pem", "https://x/log.pem", 5, 13, "config-key-uri", NULL },
	{ "file without path", "file:log.pem", "\"file:\"", 5, 13, "config-key-uri", NULL },
	{ "user id too high", "33]", "4294967295]", 4, 22, "policy-range", NULL },
	{ "user by name", "33]", "www-data]", 4, 22, "policy-not-number", NULL },
	{ "no size", "listen:", "maps: {ledger: 64GB}\nlisten:", 3, 16, "policy-not-size", "64GB is not a size: a whole number and KiB, MiB or GiB" },
	{ "size without unit", "listen:", "maps: {ledger: 1000000}\nlisten:", 3, 16, "policy-not-size", NULL },
	{ "small map", "listen:", "maps: {ledger: 1MiB}\nlisten:", 3, 16, "policy-range", NULL },
	{ "huge map", "listen:", "maps: {ledger: 999999999999GiB}\nlisten:", 3, 16, "policy-not-size", NULL },
	{ "many processes", "listen:", "processes: {status: 17}\nlisten:", 3, 21, "policy-range", NULL },
	{ "no front", "listen:", "processes: {front: 0}\nlisten:", 3, 20, "policy-range", NULL },
	{ "five directories of a token", "listen:", "pkcs11: {module: /m.so, paths: [a, b, c, d, e]}\nlisten:", 3, 32, "config-token-paths", "there are more than 4 directories of a token" },
	{ "token on no network", "listen:", "pkcs11: {network: maybe}\nlisten:", 3, 19, "policy-not-bool", NULL },
	{ "no issuers", "issuers:\n- {name: emisora, certificate: c.pem, key: file:k, ocsp_key: \"pkcs11:token=t;object=o\"}", "issuers: []", 7, 10, "policy-count", "there must be 1 to 8 entries" },
	{ "issuer called institution", "emisora", "institution", 8, 10, "config-issuer-name", NULL },
	{ "same issuer twice", "issuers:\n", "issuers:\n- {name: emisora, certificate: c, key: k, ocsp_key: o}\n", 9, 10, "config-issuer-name", "no issuer can have this name" },
	{ "one key for both", "\"pkcs11:token=t;object=o\"", "file:k", 8, 62, "config-ocsp-key", "the OCSP responder has the issuer's own key" },
	{ "responder of a year", "key: file:k", "ocsp_certificate: 1y, key: file:k", 8, 57, "policy-range", NULL },
	{ "unknown key", "origin:", "orign: x\norigin:", 1, 1, "policy-key-unknown", "there is no key orign here" },
	{ "no root", ", root: r.pem", "", 6, 1, "policy-key-missing", "the key root is missing" },
};
/* clang-format on */

static void
replaced(struct buf *out, const char *base, const char *from, const char *to)
{
	const char *at = strstr(base, from);

	if (at == NULL)
		fail_msg("%s is not there", from);
	buf_put(out, base, (size_t)(at - base));
	buf_puts(out, to);
	buf_puts(out, at + strlen(from));
}

static void
load(bool config, struct bytes text, struct findings *f, struct ceilings *c,
    struct config *g)
{
	struct policy_file file = { "x.yaml", text };

	if (config)
		config_load(&file, g, f);
	else
		ceilings_load(&file, c, f);
}

static size_t
check(bool config, const struct refusal *r)
{
	struct buf text AUTO_BUF = BUF(1 << 16), shown AUTO_BUF = BUF(1 << 16);
	struct ceilings c = { .per_hour = 77 };
	struct config g = { .n_issuer = 77 };
	struct findings f = { NULL, 0, 0 };
	const struct finding *got = NULL;

	replaced(&text, config ? CONFIG : SIGNER, r->from, r->to);
	load(config, buf_bytes(&text), &f, &c, &g);
	for (size_t i = 0; i < f.len; i++) {
		if (got == NULL && strcmp(f.v[i].err.id, r->id) == 0)
			got = &f.v[i];
		finding_print(&shown, &f.v[i], buf_bytes(&text));
	}
	bool right = got != NULL && f.errors > 0 && c.per_hour == 77 &&
		     g.n_issuer == 77 && got->err.where.line == r->line &&
		     (r->col == 0 || got->err.where.col == r->col) &&
		     (r->say == NULL || strcmp(r->say, got->err.say) == 0);
	if (!right)
		print_error("%s: wanted %s at %u:%u, got\n%s", r->name, r->id,
		    r->line, r->col, buf_text(&shown));
	findings_fini(&f);
	return right ? 0 : 1;
}

static void
ceilings_refused(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ceilings_rows); i++)
		wrong += check(false, &ceilings_rows[i]);
	assert_int_equal(wrong, 0);
}

static void
config_refused(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(config_rows); i++)
		wrong += check(true, &config_rows[i]);
	assert_int_equal(wrong, 0);
}

/* A PIN in the file is refused, and shown to nobody. */
static void
pin_is_not_shown(void **state)
{
	struct buf text AUTO_BUF = BUF(1 << 16), shown AUTO_BUF = BUF(1 << 16);
	struct findings f = { NULL, 0, 0 };
	struct config g;

	(void)state;
	replaced(&text, CONFIG, "name: emisora, certificate",
	    "nam: \"pkcs11:object=x;pin-value=98765\", cert");
	load(true, buf_bytes(&text), &f, NULL, &g);
	for (size_t i = 0; i < f.len; i++)
		finding_print(&shown, &f.v[i], buf_bytes(&text));
	assert_true(f.len >= 3);
	assert_non_null(strstr(buf_text(&shown), "pin-value=*****"));
	assert_null(strstr(buf_text(&shown), "98765"));
	findings_fini(&f);
}

static void
ceilings_values(void **state)
{
	struct findings f = { NULL, 0, 0 };
	struct ceilings c;

	(void)state;
	load(false, bytes_str(SIGNER), &f, &c, NULL);
	assert_int_equal(f.len, 0);
	assert_int_equal(c.validity_max_s, 1095 * DAY);
	assert_int_equal(c.backdate_max_s, 0);
	assert_int_equal(c.keys, 1u << KEY_EC_P256);
	assert_int_equal(c.key_usage, KU_DIGITAL_SIGNATURE);
	assert_int_equal(c.eku, 1u << OID_EKU_CLIENT);
	assert_int_equal(c.names, 1u << 0 | 1u << 1);
	assert_false(c.qc_statements);
	assert_int_equal(c.n_extension, 0);
	assert_int_equal(c.statement_max_s, 72 * HOUR);
	assert_int_equal(c.appointment_max_s, 1460 * DAY);
	assert_int_equal(c.ocsp_max_s, 10 * DAY);
	assert_int_equal(c.crl_max_s, 10 * DAY);
	assert_int_equal(c.per_hour, 10000);
	assert_int_equal(c.n_officer, 2);
	assert_int_equal(c.quorum, 1);
	assert_int_equal(c.n_policy, 0);
	assert_string_equal(c.officer[0].run, "12345678-5");
	assert_string_equal(c.officer[0].name, "Ana");
	assert_string_equal(c.officer[1].run, "11111111-1");
	assert_int_equal(c.officer[1].spki_sha256[0], 0x0f);
	assert_int_equal(c.officer[1].spki_sha256[31], 0xf1);
}

static void
config_values(void **state)
{
	struct findings f = { NULL, 0, 0 };
	struct config g;

	(void)state;
	load(true, bytes_str(CONFIG), &f, NULL, &g);
	assert_int_equal(f.len, 0);
	assert_string_equal(g.origin, "refrendo.example/log");
	assert_string_equal(g.public_url, "http://estado.example.cl");
	assert_string_equal(g.listen, "127.0.0.1:0");
	assert_string_equal(g.admin_socket, "run/admin.sock");
	assert_int_equal(g.n_admin_uid, 2);
	assert_int_equal(g.admin_uids[0], 1000);
	assert_int_equal(g.admin_uids[1], 33);
	assert_int_equal(g.status_processes, 0);
	assert_int_equal(g.front_processes, 1);
	assert_int_equal(g.ledger_map_bytes, INT64_C(64) << 30);
	assert_int_equal(g.public_map_bytes, INT64_C(16) << 30);
	assert_string_equal(g.log_key, "file:log.pem");
	assert_string_equal(g.endorser_key, "keys/e.pem");
	assert_string_equal(g.endorser_certificate, "e.pem");
	assert_string_equal(g.signer_yaml, "signer.yaml");
	assert_string_equal(g.policies, "policies");
	assert_int_equal(g.n_issuer, 1);
	assert_string_equal(g.issuer[0].name, "emisora");
	assert_string_equal(g.issuer[0].ocsp_key, "pkcs11:token=t;object=o");
	assert_int_equal(g.issuer[0].ocsp_certificate_s, 30 * DAY);
}

static void
config_accepted(void **state)
{
	/* clang-format off */
	static const struct { const char *from, *to; } rows[] = {
		{ "estado.example.cl", "estado.example.cl:8080" },
		{ "estado.example.cl", "127.0.0.1:18080" },
		{ "http://estado.example.cl", "\"http://[2001:db8::1]:80\"" },
		{ "estado.example.cl", "localhost" },
		{ "127.0.0.1:0", "\"[::1]:8080\"" },
		{ "127.0.0.1:0", "\"[::]:80\"" },
		{ "127.0.0.1:0", "\"[1:2:3:4:5:6:7:8]:80\"" },
		{ "127.0.0.1:0", "\"[fe80::]:80\"" },
		{ "127.0.0.1:0", "0.0.0.0:65535" },
		{ "[1000, 33]", "[]" },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text AUTO_BUF = BUF(1 << 16);
		struct findings f = { NULL, 0, 0 };
		struct config g;

		replaced(&text, CONFIG, rows[i].from, rows[i].to);
		load(true, buf_bytes(&text), &f, NULL, &g);
		if (f.len > 0)
			fail_msg("%s: %s", rows[i].to, f.v[0].err.say);
	}
}

/* The samples that are shipped. */
static void
samples(void **state)
{
	static const char *const names[] = { "signer", "refrendo" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		static uint8_t text[POLICY_FILE_MAX];
		struct findings f = { NULL, 0, 0 };
		struct ceilings c;
		struct config g;
		char path[512];
		FILE *in;

		snprintf(path, sizeof(path), SOURCE_DIR "/etc/%s.yaml",
		    names[i]);
		in = fopen(path, "rb");
		assert_non_null(in);
		size_t len = fread(text, 1, sizeof(text), in);
		fclose(in);
		load(i == 1, bytes_of(text, len), &f, &c, &g);
		if (f.len > 0)
			fail_msg("%s: %s", path, f.v[0].err.say);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceilings_refused),
		cmocka_unit_test(ceilings_values),
		cmocka_unit_test(config_refused),
		cmocka_unit_test(pin_is_not_shown),
		cmocka_unit_test(config_values),
		cmocka_unit_test(config_accepted),
		cmocka_unit_test(samples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
