/*
 * Refusals of policy files, row by row: what replaces which part of a good
 * policy, and the finding that must come of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <refrendo/policy.h>

/* Line numbers count: rows name them. */
#define BASE                                                         \
	"policy: base\n"                                             \
	"version: 3\n"                                               \
	"issuer: emisora\n"                                          \
	"subject: {C: CL, CN: \"{person.name}\", serialNumber: "     \
	"\"{person.run}\", emailAddress: \"{person.email}\"}\n"      \
	"names: {subject_alt: [], issuer_alt: []}\n"                 \
	"keys: {modes: [csr], allowed: [ec-p256]}\n"                 \
	"validity: {default: 1y, max: 2y}\n"                         \
	"usage: {key: [digitalSignature], extended: [clientAuth]}\n" \
	"endorsement: {evidence: [cms]}\n"                           \
	"revocation: {suspend_max: 30d}\n"                           \
	"status: {ocsp: {refresh: 50%}, crl: {every: 6h}}\n"

static const struct ceilings law = {
	.validity_max_s = 1095 * DAY,
	.backdate_max_s = 0,
	.keys = 1u << KEY_EC_P256 | 1u << KEY_EC_P384 | 1u << KEY_RSA_3072 |
		1u << KEY_RSA_4096,
	.key_usage = 0x1f,
	.eku = 1u << OID_EKU_CLIENT | 1u << OID_EKU_EMAIL,
	.names = 1u << 0 | 1u << 1, /* otherName, e-mail */
	.statement_max_s = 72 * HOUR,
	.appointment_max_s = 1460 * DAY,
	.ocsp_max_s = 4 * DAY,
	.crl_max_s = 7 * DAY,
	.per_hour = 1000,
	.per_hour_institution = 1000,
	.refusals_per_hour = 1000,
	.endorsements = 1,
	.appointment_quorum = 1,
};

/* BASE with the first from replaced by to; NULL: to is the whole text. */
static void
replaced(struct buf *out, const char *from, const char *to)
{
	const char *at = from != NULL ? strstr(BASE, from) : NULL;

	if (from == NULL) {
		buf_puts(out, to);
		return;
	}
	assert_non_null(at);
	buf_put(out, BASE, (size_t)(at - BASE));
	buf_puts(out, to);
	buf_puts(out, at + strlen(from));
}

static struct policy_set *
load_text(struct bytes text, struct findings *f)
{
	struct policy_file file = { "base.yaml", text };
	struct policy_set *set = NULL;

	policy_load(&file, 1, &law, &set, f);
	assert_true((set == NULL) == (f->errors > 0));
	return set;
}

static const struct finding *
find_id(const struct findings *f, const char *id)
{
	for (size_t i = 0; i < f->len; i++) {
		if (strcmp(f->v[i].err.id, id) == 0)
			return &f->v[i];
	}
	return NULL;
}

struct refusal {
	const char *name, *from, *to;
	uint32_t line, col, width;           /* 0: not asked */
	const char *id, *field, *say, *hint; /* NULL: not asked */
};

/* clang-format off */
static const struct refusal refusals[] = {
	/* --- YAML itself --- */
	{ "nothing", NULL, "", 1, 1, 1, "policy-empty", "", "the file says nothing", NULL },
	{ "only a comment", NULL, "# later\n", 1, 1, 1, "policy-empty", NULL, NULL, NULL },
	{ "a list", NULL, "- policy: x\n", 1, 1, 0, "policy-root", NULL, "a file begins with a key and a colon", NULL },
	{ "a word", NULL, "policy", 1, 1, 6, "policy-root", NULL, NULL, NULL },
	{ "tab", "version: 3", "version:\t3", 2, 9, 1, "policy-tab", NULL, "there is a tab; only spaces may indent or separate", "write spaces instead" },
	{ "NUL is another test", "version: 3", "version: 3 \x01", 2, 12, 1, "policy-control", NULL, "there is a control or invisible character (U+0001)", "delete it" },
	{ "lone carriage return", "version: 3", "version: 3\rx: 1", 2, 11, 1, "policy-control", NULL, NULL, NULL },
	{ "byte order mark", "policy: base", "\xef\xbb\xbfpolicy: base", 1, 1, 1, "policy-control", NULL, NULL, "save the file in UTF-8 without a byte order mark" },
	{ "text that runs backwards", "version: 3", "version: 3 # \xe2\x80\xae", 2, 14, 1, "policy-control", NULL, NULL, NULL },
	{ "not UTF-8, after ñ", "policy: base", "policy: \xc3\xb1 \xff", 1, 11, 1, "policy-utf8", NULL, "an octet here is not UTF-8", "save the file in UTF-8" },
	{ "overlong UTF-8", "policy: base", "policy: \xc0\xaf", 1, 9, 1, "policy-utf8", NULL, NULL, NULL },
	{ "surrogate", "policy: base", "policy: \xed\xa0\x80", 1, 9, 1, "policy-utf8", NULL, NULL, NULL },
	{ "cut UTF-8", NULL, "policy: \xc3", 1, 9, 1, "policy-utf8", NULL, NULL, NULL },
	{ "anchor", "version: 3", "version: &v 3", 2, 10, 2, "policy-anchor", NULL, "the anchor &v is not used here: each value stands where it counts", NULL },
	{ "alias", "version: 3", "version: *v", 2, 10, 2, "policy-alias", NULL, NULL, "write the value again" },
	{ "alias as a key", "version: 3", "*v : 3", 2, 1, 2, "policy-alias", NULL, NULL, NULL },
	{ "tag", "version: 3", "version: !!int 3", 2, 10, 1, "policy-tag", NULL, "the tag !!int is not used here: the key decides the type", NULL },
	{ "own tag", "version: 3", "version: !year 3", 2, 10, 1, "policy-tag", NULL, "the tag !year is not used here: the key decides the type", NULL },
	{ "merge key", "version: 3", "version: 3\n<<: {a: b}", 3, 1, 2, "policy-merge", NULL, NULL, NULL },
	{ "second document", "status:", "---\nstatus:", 11, 1, 3, "policy-documents", NULL, "a second document begins here; one file holds one", NULL },
	{ "directive", "policy: base", "%YAML 1.2\n---\npolicy: base", 1, 1, 1, "policy-directive", NULL, NULL, "delete the line" },
	{ "key twice", "issuer: emisora", "issuer: emisora\nversion: 4", 4, 1, 7, "policy-key-twice", "version", "the key version stands here a second time", "delete one of the two; the first is in line 2" },
	{ "key twice, once in quotes", "modes: [csr]", "modes: [csr], \"modes\": [csr]", 6, 22, 7, "policy-key-twice", "keys.modes", NULL, NULL },
	{ "list as a key", "version: 3", "? [a, b]\n: 3", 2, 3, 1, "policy-key-form", NULL, "a key must be one plain word", NULL },
	{ "unclosed bracket", "[csr]", "[csr", 0, 0, 0, "policy-syntax", NULL, NULL, NULL },
	{ "bad indentation", "issuer: emisora", " issuer: emisora", 3, 8, 1, "policy-syntax", NULL, NULL, NULL },
	/* --- keys --- */
	{ "unknown key", "version: 3", "version: 3\nisuer: x", 3, 1, 5, "policy-key-unknown", "isuer", "there is no key isuer here", "did you mean issuer?" },
	{ "unknown key inside", "max: 2y", "max: 2y, maxi: 3y", 7, 34, 4, "policy-key-unknown", "validity.maxi", NULL, "did you mean max?" },
	{ "nothing near", "refresh: 50%", "zzzzzzz: 50%", 11, 17, 7, "policy-key-unknown", "status.ocsp.zzzzzzz", NULL, "allowed in status.ocsp: validity, refresh, nonce, archive_cutoff" },
	{ "missing key", "issuer: emisora\n", "", 1, 1, 1, "policy-key-missing", "", "the key issuer is missing", "add  issuer: small letters, digits and dashes" },
	{ "missing key inside", "allowed: [ec-p256]", "reuse: forbid", 6, 1, 4, "policy-key-missing", "keys", "the key allowed is missing", NULL },
	/* --- scalars --- */
	{ "null", "version: 3", "version: ~", 2, 10, 1, "policy-null", "version", "there is no value here", "write 1 to 1000000000, or delete the key" },
	{ "nothing after the colon", "version: 3", "version:", 2, 0, 1, "policy-null", NULL, NULL, NULL },
	{ "octal 1.1", "version: 3", "version: 017", 2, 10, 3, "policy-ambiguous", NULL, "YAML programs do not agree on what 017 means without quotes", NULL },
	{ "octal 1.2", "version: 3", "version: 0o17", 2, 10, 4, "policy-ambiguous", NULL, NULL, NULL },
	{ "hexadecimal", "version: 3", "version: 0x1f", 2, 10, 4, "policy-ambiguous", NULL, NULL, NULL },
	{ "underscore", "version: 3", "version: 1_000", 2, 10, 5, "policy-ambiguous", NULL, NULL, NULL },
	{ "base 60", "version: 3", "version: 12:30", 2, 10, 5, "policy-ambiguous", NULL, NULL, NULL },
	{ "exponent", "version: 3", "version: 1e3", 2, 10, 3, "policy-ambiguous", NULL, NULL, NULL },
	{ "infinity", "version: 3", "version: .inf", 2, 10, 4, "policy-ambiguous", NULL, NULL, NULL },
	{ "fraction", "version: 3", "version: 3.0", 2, 10, 3, "policy-fraction", NULL, "3.0 is not a whole number", NULL },
	{ "word for a number", "version: 3", "version: three", 2, 10, 5, "policy-not-number", NULL, "three is not a number", "write 1 to 1000000000" },
	{ "number in quotes", "version: 3", "version: \"3\"", 2, 10, 3, "policy-quoted", NULL, "3 is a text because it stands in quotes", "write it without quotes" },
	{ "zero", "version: 3", "version: 0", 2, 10, 1, "policy-range", NULL, "0 is outside what is allowed", "write 1 to 1000000000" },
	{ "negative", "version: 3", "version: -1", 2, 10, 2, "policy-range", NULL, NULL, NULL },
	{ "beyond 64 bits", "version: 3", "version: 99999999999999999999", 2, 10, 20, "policy-range", NULL, NULL, NULL },
	{ "no as a truth value", "every: 6h", "every: 6h, on_revoke: no", 11, 60, 2, "policy-ambiguous", "status.crl.on_revoke", NULL, "write true or false" },
	{ "capital truth value", "every: 6h", "every: 6h, on_revoke: True", 11, 60, 4, "policy-ambiguous", NULL, NULL, NULL },
	{ "word for a truth value", "every: 6h", "every: 6h, on_revoke: maybe", 11, 60, 5, "policy-not-bool", NULL, "maybe is neither true nor false", NULL },
	{ "name that is a date", "policy: base", "policy: 2026-11-24", 1, 9, 10, "policy-ambiguous", NULL, NULL, NULL },
	{ "name that is a number", "policy: base", "policy: 7", 1, 9, 1, "policy-not-text", NULL, "7 is no text without quotes", "write it in quotes: \"7\"" },
	{ "country Norway", "C: CL", "C: NO", 4, 14, 2, "policy-ambiguous", "subject.C", NULL, "write it in quotes: \"NO\"" },
	{ "capitals in a name", "policy: base", "policy: Base", 1, 9, 4, "policy-slug", NULL, NULL, "as in funcionario-firma" },
	{ "two dashes", "policy: base", "policy: ba--se", 1, 9, 6, "policy-slug", NULL, NULL, NULL },
	{ "long name", "policy: base", "policy: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeee", 1, 9, 48, "policy-text-length", NULL, NULL, NULL },
	{ "empty name", "policy: base", "policy: \"\"", 1, 9, 2, "policy-text-empty", NULL, "there is nothing between the quotes", NULL },
	{ "line break in a text", "C: CL", "C: \"C\\nL\"", 4, 14, 6, "policy-text-control", NULL, NULL, NULL },
	{ "block text", "issuer: emisora", "issuer: |\n  emisora", 3, 9, 0, "policy-single", NULL, "one value in one line belongs here", NULL },
	{ "duration without unit", "max: 2y", "max: 730", 7, 30, 3, "policy-not-duration", "validity.max", "730 is not a duration: a whole number and s, m, h, d or y", "write 1h to 10y" },
	{ "duration with a fraction", "max: 2y", "max: 1.5y", 7, 30, 4, "policy-not-duration", NULL, NULL, NULL },
	{ "months", "max: 2y", "max: 24M", 7, 30, 3, "policy-not-duration", NULL, NULL, NULL },
	{ "percentage without sign", "50%", "50", 11, 26, 2, "policy-not-percent", NULL, NULL, "write 10% to 90%" },
	{ "percentage too high", "50%", "95%", 11, 26, 3, "policy-range", NULL, NULL, NULL },
	{ "scalar for a list", "[csr]", "csr", 6, 15, 3, "policy-list", "keys.modes", "a list belongs here", "write [csr]" },
	{ "list for a scalar", "emisora", "[emisora]", 3, 9, 9, "policy-single", NULL, NULL, NULL },
	{ "scalar for a map", "{suspend_max: 30d}", "30d", 10, 13, 3, "policy-map", "revocation", "keys with values belong here", "as in  holder: ..." },
	{ "empty list", "[ec-p256]", "[]", 6, 31, 2, "policy-count", "keys.allowed", "there must be 1 to 16 entries", "add one" },
	{ "word twice", "[ec-p256]", "[ec-p256, ec-p256]", 6, 41, 7, "policy-word-twice", "keys.allowed[2]", "ec-p256 stands twice in the list", NULL },
	{ "mistyped word", "[ec-p256]", "[ec-p265]", 6, 32, 7, "policy-word-unknown", "keys.allowed[1]", "there is no choice called ec-p265 here", "did you mean ec-p256? allowed: ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096, rsa-pss-2048, rsa-pss-3072, rsa-pss-4096, ed25519, ml-dsa-44, ml-dsa-65, ml-dsa-87" },
	/* --- of a later version --- */
	{ "later: p12-once", "[csr]", "[csr, p12-once]", 6, 21, 8, "policy-word-later", "keys.modes[2]", "p12-once belongs to a version of Refrendo that is yet to come", "write csr: the holder makes the key" },
	{ "later: remote", "[csr]", "[remote]", 6, 16, 6, "policy-word-later", NULL, NULL, "write csr: the holder keeps the key" },
	{ "later: webauthn", "[cms]", "[webauthn]", 9, 26, 8, "policy-word-later", NULL, NULL, "write [cms]" },
	{ "later: authenticator", "[cms]", "[cms], authenticator: device-bound", 9, 47, 12, "policy-word-later", NULL, NULL, "write any" },
	{ "five endorsements", "[cms]", "[cms], required: 5", 9, 42, 1, "policy-range", "endorsement.required", NULL, NULL },
	{ "partition too small", "6h", "6h, partition: 9", 11, 60, 1, "policy-range", "status.crl.partition", NULL, NULL },
	{ "delta too short", "6h", "6h, delta: 4m", 11, 56, 2, "policy-range", "status.crl.delta", NULL, NULL },
	{ "delta as long as every", "6h", "6h, delta: 6h", 11, 56, 2, "policy-delta-every", "status.crl.delta", "a delta CRL every 6h is no sooner than the complete one, which comes every 6h", "write less than 6h" },
	{ "delta longer than the usual every", "every: 6h", "delta: 1d", 11, 45, 2, "policy-delta-every", "status.crl.delta", NULL, "write less than 6h" },
	/* --- names --- */
	{ "unknown fact", "{person.name}", "{person.nmae}", 4, 23, 13, "policy-fact-unknown", "subject.CN", "there is no fact {person.nmae}", "did you mean {person.name}?" },
	{ "unknown fact after ñ", "{person.name}", "\xc3\xb1 {person.x}", 4, 25, 10, "policy-fact-unknown", NULL, NULL, NULL },
	{ "lone brace", "{person.name}", "{person.name}}", 4, 36, 1, "policy-brace", NULL, NULL, "write facts as {person.name}" },
	{ "open brace", "{person.name}", "{person.name", 4, 23, 1, "policy-brace", NULL, NULL, NULL },
	{ "seven pieces", "{person.name}", "{person.name} {person.name} {person.name} {person.name}", 4, 22, 57, "policy-pieces", NULL, NULL, NULL },
	{ "no such country", "C: CL", "C: XX", 4, 14, 2, "name-country", "subject.C", NULL, NULL },
	{ "name for a country", "C: CL", "C: \"{person.name}\"", 4, 14, 15, "name-too-long", NULL, NULL, NULL },
	{ "unknown attribute", "C: CL", "Cn: x", 4, 11, 2, "policy-attribute-unknown", "subject.Cn", "there is no attribute Cn in names of ours", "did you mean C?" },
	{ "no RUN", "serialNumber: \"{person.run}\", ", "", 4, 1, 7, "policy-holder-missing", "subject", "the certificate would not show {person.run}, which article 15 of Ley 19.799 demands", "add  serialNumber: \"{person.run}\"" },
	{ "no e-mail", ", emailAddress: \"{person.email}\"", "", 4, 1, 7, "policy-holder-missing", NULL, "the certificate would not show {person.email}, which article 15 of Ley 19.799 demands", NULL },
	{ "no name", "CN: \"{person.name}\", ", "", 4, 1, 7, "policy-holder-missing", NULL, "the certificate would not show {person.name}, which article 15 of Ley 19.799 demands", NULL },
	{ "RUN of the institution", "serialNumber: \"{person.run}\"", "serialNumber: \"{institution.rut}\"", 4, 1, 7, "policy-holder-missing", NULL, NULL, NULL },
	{ "certifier's name for the holder", "subject_alt: []", "subject_alt: [{other: 1.3.6.1.4.1.8321.2, ia5: \"{person.run}\"}]", 5, 31, 18, "policy-alt-oid", "names.subject_alt[1].other", NULL, NULL },
	{ "more than the RUN", "subject_alt: []", "subject_alt: [{other: 1.3.6.1.4.1.8321.1, ia5: \"RUN {person.run}\"}]", 5, 56, 18, "policy-alt-rut", NULL, "this name holds {person.run} as ia5 and nothing else", NULL },
	{ "half a name", "subject_alt: []", "subject_alt: [{other: 1.3.6.1.4.1.8321.1}]", 5, 23, 27, "policy-alt-form", "names.subject_alt[1]", "a name is one of email, dns, ip, uri, directory, or other with ia5, utf8 or printable", NULL },
	{ "e-mail that is none", "subject_alt: []", "subject_alt: [{email: \"{person.name}\"}]", 5, 31, 15, "email-form", NULL, NULL, "write \"{person.email}\"" },
	{ "two names in one", "subject_alt: []", "subject_alt: [{dns: x.cl, email: \"{person.email}\"}]", 5, 23, 0, "policy-alt-form", NULL, NULL, NULL },
	{ "host without dot", "subject_alt: []", "subject_alt: [{dns: x}]", 5, 29, 1, "dns-form", NULL, NULL, "use facts that fit there" },
	{ "address that is none", "subject_alt: []", "subject_alt: [{ip: 10.0.0.300}]", 5, 28, 10, "ip-form", NULL, NULL, NULL },
	{ "URI without scheme", "subject_alt: []", "subject_alt: [{uri: //x.cl/}]", 5, 29, 7, "uri-form", NULL, NULL, NULL },
	{ "directory without value", "subject_alt: []", "subject_alt: [{directory: {CN: test}}]", 5, 40, 4, "name-meta", "names.subject_alt[1].directory.CN", NULL, NULL },
	{ "string that C cannot be", "C: CL", "C: {value: CL, string: utf8}", 4, 34, 4, "policy-attribute-string", "subject.C.string", "C is never a string of this type", "delete the key" },
	{ "longer than the attribute", "CN: \"{person.name}\"", "CN: {value: \"{person.name}\", max: 65}", 4, 52, 2, "policy-attribute-max", "subject.CN.max", "CN may have 64 characters at most", "write 64 or less" },
	{ "an identity that is cut", "C: CL", "C: {value: CL, too_long: clip}", 4, 36, 4, "policy-attribute-clip", "subject.C.too_long", "C identifies the holder: a part of it is another identity", "write refuse, or delete the key" },
	{ "too_long that is no word", "CN: \"{person.name}\"", "CN: {value: \"{person.name}\", too_long: cut}", 4, 57, 3, "policy-word-unknown", NULL, NULL, NULL },
	{ "attribute without value", "CN: \"{person.name}\"", "CN: {max: 30}", 4, 18, 2, "policy-key-missing", "subject.CN", "the key value is missing", NULL },
	{ "attribute of no name", "{person.name}", "{person.attribute.Grade}", 4, 23, 24, "policy-fact-unknown", NULL, NULL, NULL },
	{ "day that is none", "max: 2y", "max: 2y, ends: \"2027-02-30\"", 7, 40, 12, "policy-not-date", "validity.ends", "2027-02-30 is not a day", "write it in quotes, as in \"2027-12-31\"" },
	{ "day without quotes", "max: 2y", "max: 2y, ends: 2027-12-31", 7, 40, 10, "policy-ambiguous", NULL, NULL, "write it in quotes: \"2027-12-31\"" },
	{ "zone that is none", "max: 2y", "max: 2y, zone: America/Lima", 7, 40, 12, "policy-zone", NULL, "America/Lima is no time zone that is known here", NULL },
	{ "offset too far", "max: 2y", "max: 2y, zone: \"-15:00\"", 7, 40, 8, "policy-zone", NULL, NULL, NULL },
	/* --- holders, conditions --- */
	{ "kind that is none", "keys:", "holders: {kinds: [officials]}\nkeys:", 6, 19, 9, "policy-word-unknown", "holders.kinds[1]", NULL, "did you mean official? allowed: official, authority, minister, system, subordinate-ca" },
	{ "condition without sentence", "keys:", "conditions: [{must: 'true == true', es: \"x\"}]\nkeys:", 6, 14, 0, "policy-key-missing", "conditions[1]", "the key say is missing", NULL },
	{ "seven notices", "keys:", "notify: {before_end: [70d, 60d, 50d, 40d, 30d, 20d, 10d]}\nkeys:", 6, 22, 35, "policy-count", "notify.before_end", "there must be 0 to 6 entries", "remove some" },
	{ "five countries", "keys:", "qc_statements: {compliance: true, countries: [CL, AR, PE, BO, UY]}\nkeys:", 6, 1, 13, "qc-countries", "qc_statements", "more than 4 countries are named", NULL },
	{ "notices out of order", "keys:", "notify: {before_end: [7d, 30d]}\nkeys:", 6, 27, 3, "policy-spans-order", "notify.before_end[2]", "30d is not shorter than the one before it", "write the longest first" },
	{ "minister like anybody", "[cms]", "[cms], distinct_from: [holder]", 9, 47, 8, "policy-distinct", NULL, NULL, "write [holder, operator], or delete the key" },
	/* --- statements, extensions --- */
	{ "statement of nothing known", "keys:", "qc_statements: {types: [esing]}\nkeys:", 6, 25, 5, "policy-word-unknown", "qc_statements.types[1]", NULL, "did you mean esign? allowed: esign, eseal, web" },
	{ "country that is none", "keys:", "qc_statements: {compliance: true, countries: [ZZ]}\nkeys:", 6, 1, 13, "qc-country", "qc_statements", NULL, NULL },
	{ "limit without amount", "keys:", "qc_statements: {limit: {currency: CLP}}\nkeys:", 6, 17, 5, "policy-key-missing", "qc_statements.limit", "the key amount is missing", NULL },
	{ "extension of X.509", "keys:", "extensions: [{oid: 2.5.29.19, critical: true, der: {hex: \"3000\"}}]\nkeys:", 6, 20, 9, "policy-extension-public", "extensions[1].oid", "this extension has a meaning of its own and is not for policies to define", NULL },
	{ "no DER", "keys:", "extensions: [{oid: 1.2.3, critical: false, der: {hex: \"050100\"}}]\nkeys:", 6, 55, 8, "policy-extension-hex", "extensions[1].der.hex", "this is not one whole element of DER in hexadecimal digits", NULL },
	{ "content twice", "keys:", "extensions: [{oid: 1.2.3, critical: false, der: {hex: \"0500\", utf8: x}}]\nkeys:", 6, 20, 5, "policy-extension-form", NULL, "the content of an extension is one of utf8, ia5, printable and hex", NULL },
	{ "extension twice", "keys:", "extensions: [{oid: 1.2.3, critical: false, der: {hex: \"0500\"}}, {oid: 1.2.3, critical: false, der: {utf8: x}}]\nkeys:", 6, 71, 5, "policy-extension-twice", NULL, NULL, NULL },
	{ "text beyond its string", "keys:", "extensions: [{oid: 1.2.3, critical: false, der: {ia5: \"\xc3\xb1\"}}]\nkeys:", 6, 55, 3, "policy-extension-text", NULL, NULL, NULL },
	/* --- CAs --- */
	{ "usage of a CA", "[digitalSignature]", "[digitalSignature, keyCertSign]", 8, 33, 11, "policy-usage-ca", "usage.key[2]", "keyCertSign is for certificates of CAs, and this policy is for holders", NULL },
	{ "no purpose", ", extended: [clientAuth]", "", 8, 1, 5, "policy-purpose-missing", "usage", "the key extended is missing: a holder's certificate says what it is for", NULL },
	{ "CA that signs mail", "keys:", "subordinate: {path_length: 0}\nkeys:", 9, 14, 18, "policy-ca-usage", "usage.key", "a CA below the issuer signs certificates and CRLs, and does nothing else", "write [keyCertSign, cRLSign]" },
	{ "CA with purposes", "keys:", "subordinate: {path_length: 0}\nkeys:", 9, 44, 12, "policy-ca-purpose", NULL, NULL, NULL },
	{ "CA that is a person", "keys:", "subordinate: {path_length: 0}\nkeys:", 4, 22, 15, "policy-ca-fact", "subject.CN", "the certificate of a CA names an institution: person.name is a fact of a person", NULL },
	{ "subtree of two kinds", "keys:", "subordinate: {path_length: 0, permitted: [{dns: a.cl, ip: 10.0.0.0/8}]}\nkeys:", 6, 43, 0, "policy-subtree-form", NULL, NULL, NULL },
	{ "subtree of no form", "keys:", "subordinate: {path_length: 0, permitted: [{ip: 10.0.0.1/8}]}\nkeys:", 6, 48, 10, "ip-range", NULL, NULL, NULL },
	{ "subtree with a fact", "keys:", "subordinate: {path_length: 0, excluded: [{directory: {O: \"{institution.name}\"}}]}\nkeys:", 6, 58, 20, "policy-subtree-fact", NULL, NULL, NULL },
	{ "path length beyond use", "keys:", "subordinate: {path_length: 5}\nkeys:", 6, 28, 1, "policy-range", NULL, NULL, "write 0 to 4" },
	{ "time stamps and logins", "[clientAuth]", "[clientAuth, timeStamping]", 8, 57, 12, "policy-purpose-alone", NULL, "timeStamping stands alone in a certificate", NULL },
	{ "holder's fact for the issuer", "issuer_alt: []", "issuer_alt: [{email: \"{person.email}\"}]", 5, 47, 16, "policy-alt-fact", NULL, NULL, "use {institution.rut}" },
	{ "no identifier", "subject_alt: []", "subject_alt: [{other: 1.3.x, ia5: a}]", 5, 31, 5, "oid-text", NULL, NULL, "as in 2.16.152.1.3" },
	{ "cps that is no page", "keys:", "certificate_policies: [{oid: 2.16.152.1.3.1, cps: \"ftp://x.cl/a\"}]\nkeys:", 6, 51, 14, "policy-cps", "certificate_policies[1].cps", NULL, NULL },
	{ "before what is no YAML", NULL, "version: 07\nkeys: {modes: [csr]\n", 1, 10, 2, "policy-ambiguous", NULL, NULL, NULL },
	{ "cps beyond ASCII", "keys:", "certificate_policies: [{oid: 2.16.152.1.3.1, cps: \"http://\xc3\xb1.cl\"}]\nkeys:", 6, 51, 13, "policy-cps-ascii", NULL, "an address is plain ASCII in certificates", "write other characters as %C3%B1" },
	{ "IA5String beyond ASCII", "subject_alt: []", "subject_alt: [{other: 1.2.3, ia5: \"\xc3\xb1\"}]", 5, 43, 3, "policy-alt-value", NULL, NULL, NULL },
	{ "policy twice", "keys:", "certificate_policies: [{oid: 1.2.3}, {oid: 1.2.3}]\nkeys:", 6, 44, 5, "policy-oid-twice", NULL, NULL, NULL },
	/* --- across keys --- */
	{ "default over max", "default: 1y", "default: 3y", 7, 21, 2, "policy-default-over-max", "validity.default", "the default of 3y is longer than the max of 2y", "write 2y or less" },
	{ "EC key that enciphers", "[digitalSignature]", "[digitalSignature, keyEncipherment]", 8, 33, 15, "policy-usage-key", "usage.key[2]", "keys of type ec-p256, which keys.allowed has, cannot do keyEncipherment", NULL },
	{ "host above the ceiling", "subject_alt: []", "subject_alt: [{dns: www.example.cl}]", 5, 29, 14, "policy-ceiling-name", NULL, "the ceilings do not allow names of the kind dns", "allowed: other, email" },
	{ "address of the issuer above it", "issuer_alt: []", "issuer_alt: [{ip: 192.0.2.7}]", 5, 0, 9, "policy-ceiling-name", NULL, "the ceilings do not allow names of the kind ip", NULL },
	{ "extension above the ceiling", "keys:", "extensions: [{oid: 1.2.3, critical: false, der: {hex: \"0500\"}}]\nkeys:", 6, 20, 5, "policy-ceiling-extension", NULL, "the ceilings do not allow this extension, or not with that criticality", NULL },
	{ "statements above the ceiling", "keys:", "qc_statements: {compliance: true}\nkeys:", 6, 1, 13, "policy-ceiling-qc", NULL, "the ceilings do not allow statements of qualified certificates", NULL },
	{ "serverAuth above the ceiling", "[clientAuth]", "[serverAuth]", 8, 45, 10, "policy-ceiling-word", NULL, "the ceilings do not allow serverAuth", NULL },
	{ "clientAuth without signature", "[digitalSignature]", "[nonRepudiation]", 8, 43, 10, "policy-usage-purpose", NULL, "no usage in usage.key serves clientAuth", NULL },
	{ "criticality taken away", "[clientAuth]", "[clientAuth], critical: []", 8, 68, 2, "policy-critical", "usage.critical", "keyUsage is always critical: this list can add to that, not take it away", "write [key], or delete critical" },
	{ "criticality of purposes", "[clientAuth]", "[clientAuth], critical: [key, extended]", 8, 74, 8, "policy-word-refused", NULL, "extended has no place here", NULL },
	/* --- ceilings --- */
	{ "over the ceiling", "max: 2y", "max: 4y", 7, 30, 2, "policy-ceiling", "validity.max", "4y is longer than the ceiling of 3y", "write 3y or less" },
	{ "a day over the ceiling", "max: 2y", "max: 1096d", 7, 30, 5, "policy-ceiling", NULL, "1096d is longer than the ceiling of 3y", NULL },
	{ "backdate over the ceiling", "max: 2y", "max: 2y, backdate: 1s", 7, 44, 2, "policy-ceiling", NULL, NULL, "write 0s" },
	{ "key over the ceiling", "[ec-p256]", "[ec-p256, rsa-2048]", 6, 41, 8, "policy-ceiling-word", "keys.allowed[2]", "the ceilings do not allow rsa-2048", "allowed: ec-p256, ec-p384, rsa-3072, rsa-4096" },
	{ "statement over the ceiling", "[cms]", "[cms], statement_ttl: 4d", 9, 47, 2, "policy-ceiling", NULL, NULL, NULL },
	{ "OCSP over the ceiling", "50%", "50%, validity: 5d", 11, 41, 2, "policy-ceiling", NULL, NULL, NULL },
	{ "CRL over the ceiling", "6h", "4d, overlap: 4d", 11, 45, 2, "policy-ceiling", "status.crl.every", "8d is longer than the ceiling of 7d", NULL },
};
/* clang-format on */

static bool
same(const char *want, const char *got)
{
	return want == NULL || strcmp(want, got) == 0;
}

/* False, after saying so, when the finding is another one. */
static bool
check_refusal(const struct refusal *r)
{
	struct buf text AUTO_BUF = BUF(1 << 20), shown AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	const struct finding *got;
	const struct where *w;

	replaced(&text, r->from, r->to);
	AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
	for (size_t i = 0; i < f.len; i++)
		finding_print(&shown, &f.v[i], buf_bytes(&text));
	got = find_id(&f, r->id);
	if (set != NULL || got == NULL) {
		print_error("%s: no %s in\n%s", r->name, r->id,
		    buf_text(&shown));
		findings_fini(&f);
		return false;
	}
	w = &got->err.where;
	bool right =
	    !((r->line != 0 && r->line != w->line) ||
		(r->col != 0 && r->col != w->col) ||
		(r->width != 0 && r->width != got->width) ||
		!same(r->field, w->field) || !same(r->say, got->err.say) ||
		!same(r->hint, got->hint) || strcmp(w->file, "base.yaml") != 0);
	if (!right)
		print_error("%s: width %u, field %s\n%s", r->name, got->width,
		    w->field, buf_text(&shown));
	findings_fini(&f);
	return right;
}

static void
refusals_by_row(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		wrong += check_refusal(&refusals[i]) ? 0 : 1;
	assert_int_equal(wrong, 0);
}

/* What must load, though it looks odd. */
static void
accepted(void **state)
{
	/* clang-format off */
	static const struct { const char *name, *from, *to; } rows[] = {
		{ "as it is", "base", "base" },
		{ "quoted Norway", "C: CL", "C: \"NO\"" },
		{ "leading document mark", "policy: base", "---\npolicy: base" },
		{ "trailing document end", "status:", "status:" },
		{ "explicit nonce", "50%", "50%, nonce: false" },
		{ "required once", "[cms]", "[cms], required: 1, authenticator: any, renewal: fresh" },
		{ "exactly the ceiling", "max: 2y", "max: 1095d" },
		{ "at the default", "max: 2y", "max: 1y" },
		{ "no suspension", "30d", "0s" },
		{ "critical basicConstraints too", "[clientAuth]", "[clientAuth], critical: [basic, key]" },
		{ "key in quotes", "version: 3", "\"version\": 3" },
		{ "escaped", "C: CL", "C: \"\\x43L\"" },
		{ "RUN in the alternative name alone", "subject_alt: []", "subject_alt: [{other: 1.3.6.1.4.1.8321.1, ia5: \"{person.run}\"}]" },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text AUTO_BUF = BUF(1 << 20);
		struct findings f = { NULL, 0, 0 };

		replaced(&text, rows[i].from, rows[i].to);
		AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
		if (set == NULL)
			fail_msg("%s: %s: %s", rows[i].name,
			    f.v[0].err.where.field, f.v[0].err.say);
		findings_fini(&f);
	}
}

static void
windows_line_ends(void **state)
{
	struct buf text AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };

	(void)state;
	for (const char *p = BASE; *p != '\0'; p++) {
		if (*p == '\n')
			buf_putc(&text, '\r');
		buf_putc(&text, (uint8_t)*p);
	}
	AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
	assert_non_null(set);
	assert_int_equal(f.len, 0);
	findings_fini(&f);
}

static void
nul_octet(void **state)
{
	static const char text[] = "policy: base\nversion: 3\0\n";
	struct findings f = { NULL, 0, 0 };

	(void)state;
	AUTO(policy_set) set = load_text(bytes_of(text, sizeof(text) - 1), &f);
	assert_null(set);
	assert_int_equal(f.len, 1);
	assert_string_equal(f.v[0].err.id, "policy-nul");
	assert_string_equal(f.v[0].err.say,
	    "there is a NUL octet; this is no text file");
	assert_int_equal(f.v[0].err.where.line, 2);
	assert_int_equal(f.v[0].err.where.col, 11);
	findings_fini(&f);
}

/* Deep, wide and large files end soon, with a sentence. */
static void
limits(void **state)
{
	static const struct {
		const char *name, *unit, *id;
		size_t times;
	} rows[] = {
		{ "brackets", "[", "policy-depth", 60000 },
		{ "braces", "{a: ", "policy-depth", 15000 },
		{ "dashes", "- ", "policy-depth", 30000 },
		{ "33 levels", "[", "policy-depth", 33 },
		{ "32 levels end as YAML does", "[", "policy-syntax", 32 },
		{ "keys", "aaaa: b\n", "policy-entries", 8000 },
		{ "64 KiB and one", "#", "policy-file-large", 65537 },
		{ "64 KiB", "#", "policy-empty", 65536 },
		{ "tabs", "\t\n", "policy-tab", 30000 },
		{ "small values", "[a, [a, [a, [a]]]], ", "policy-syntax",
		    3000 },
		{ "quotes", "\"", "policy-syntax", 60001 },
		{ "aliases", "*a ", "policy-syntax", 20000 },
		{ "keys without values", "? ", "policy-key-form", 30000 },
		{ "long key", "k", "policy-root", 65000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text AUTO_BUF = BUF(1 << 20);
		struct findings f = { NULL, 0, 0 };
		int64_t start = clock_mono_ms();

		for (size_t k = 0; k < rows[i].times; k++)
			buf_puts(&text, rows[i].unit);
		AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
		if (set != NULL || find_id(&f, rows[i].id) == NULL)
			fail_msg("%s: %zu findings, first %s", rows[i].name,
			    f.len, f.len > 0 ? f.v[0].err.id : "none");
		assert_true(f.len <= 500);
		assert_true(clock_mono_ms() - start < 20000);
		findings_fini(&f);
	}
}

/* An alias bomb: each line ten times the one before.  No alias is followed. */
static void
alias_bomb(void **state)
{
	struct buf text AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	int64_t start = clock_mono_ms();

	(void)state;
	buf_puts(&text, "a0: &a0 [lol]\n");
	for (int i = 1; i < 60; i++) {
		buf_putf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_putf(&text, "*a%d, ", i - 1);
		buf_puts(&text, "]\n");
	}
	AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
	assert_null(set);
	assert_non_null(find_id(&f, "policy-anchor"));
	assert_non_null(find_id(&f, "policy-alias"));
	assert_true(f.len <= 500);
	assert_true(clock_mono_ms() - start < 5000);
	findings_fini(&f);
}

/* 64 files, each with as many values as there may be, and all of them wrong. */
static void
load_the_worst(void)
{
	struct policy_file files[POLICIES_MAX];
	struct buf text AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };
	struct policy_set *set = NULL;

	buf_puts(&text, BASE);
	for (int i = 0; i < 85 && text.len < 65000; i++) {
		buf_putf(&text, "k%d: [", i);
		for (int k = 0; k < 15; k++)
			buf_puts(&text, "[], {}, \"\", ");
		buf_puts(&text, "]\n");
	}
	for (size_t i = 0; i < POLICIES_MAX; i++)
		files[i] =
		    (struct policy_file){ "worst.yaml", buf_bytes(&text) };
	policy_load(files, POLICIES_MAX, &law, &set, &f);
	exit(set == NULL && f.len == 500 ? 0 : 1);
}

static void
memory_is_bounded(void **state)
{
	int64_t start = clock_mono_ms(), ms;
	struct rusage usage;
	int status = 1;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		load_the_worst();
	assert_int_equal(wait4(child, &status, 0, &usage), child);
	assert_int_equal(status, 0);
	ms = clock_mono_ms() - start;
	print_message("64 files of 64 KiB: %lld ms, %ld KiB\n", (long long)ms,
	    usage.ru_maxrss);
	assert_true(ms < 20000);
#ifndef __SANITIZE_ADDRESS__
	assert_true(usage.ru_maxrss < 96 * 1024);
#endif
}

/* --- Several files ---------------------------------------------------------------- */

/* Replaces "base" and the version of BASE. */
static void
named(struct buf *out, const char *name, int version, const char *max)
{
	buf_putf(out, "policy: %s\nversion: %d\n", name, version);
	const char *rest = strstr(BASE, "issuer:");
	const char *at = strstr(rest, "max: 2y");

	buf_put(out, rest, (size_t)(at - rest));
	buf_putf(out, "max: %s", max);
	buf_puts(out, at + strlen("max: 2y"));
}

static void
several_files(void **state)
{
	static const struct {
		const char *name;
		const char *names[2];
		int versions[2];
		const char *max[2];
		const char *id, *say;
	} rows[] = {
		{ "two names", { "a", "b" }, { 1, 1 }, { "2y", "3y" }, NULL,
		    NULL },
		{ "same name", { "a", "a" }, { 1, 2 }, { "2y", "2y" },
		    "policy-name-twice",
		    "first.yaml has the same name; one policy is one file" },
		{ "same bytes", { "a", "a" }, { 1, 1 }, { "2y", "2y" },
		    "policy-name-twice", NULL },
		{ "same version, other bytes", { "a", "a" }, { 1, 1 },
		    { "2y", "3y" }, "policy-version-twice",
		    "first.yaml has the same name and version but says "
		    "something else" },
		{ "both wrong: both told", { "a", "b" }, { 0, 1 },
		    { "2y", "9y" }, "policy-ceiling", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf a AUTO_BUF = BUF(1 << 20), b AUTO_BUF = BUF(1 << 20);
		struct findings f = { NULL, 0, 0 };
		AUTO(policy_set) set = NULL;
		const struct finding *got;

		named(&a, rows[i].names[0], rows[i].versions[0],
		    rows[i].max[0]);
		named(&b, rows[i].names[1], rows[i].versions[1],
		    rows[i].max[1]);
		struct policy_file files[2] = { { "first.yaml", buf_bytes(&a) },
			{ "second.yaml", buf_bytes(&b) } };
		policy_load(files, 2, &law, &set, &f);
		if (rows[i].id == NULL) {
			assert_non_null(set);
			assert_int_equal(set->n, 2);
			findings_fini(&f);
			continue;
		}
		got = find_id(&f, rows[i].id);
		if (set != NULL || got == NULL ||
		    !same(rows[i].say, got->err.say))
			fail_msg("%s: %s", rows[i].name,
			    got != NULL ? got->err.say : "no finding");
		assert_string_equal(got->err.where.file, "second.yaml");
		findings_fini(&f);
	}
}

static void
too_many_files(void **state)
{
	struct policy_file files[POLICIES_MAX + 1];
	struct buf text[POLICIES_MAX + 1];
	struct findings f = { NULL, 0, 0 };
	AUTO(policy_set) set = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%zu", i);
		text[i] = BUF(1 << 16);
		named(&text[i], name, 1, "2y");
		files[i] =
		    (struct policy_file){ "p.yaml", buf_bytes(&text[i]) };
	}
	policy_load(files, POLICIES_MAX + 1, &law, &set, &f);
	assert_null(set);
	assert_non_null(find_id(&f, "policy-files"));
	findings_fini(&f);
	policy_load(files, POLICIES_MAX, &law, &set, &f);
	assert_non_null(set);
	assert_int_equal(set->n, POLICIES_MAX);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		buf_fini(&text[i]);
	findings_fini(&f);
}

static void
warning_only(void **state)
{
	struct buf text AUTO_BUF = BUF(1 << 20);
	struct findings f = { NULL, 0, 0 };

	(void)state;
	replaced(&text, "default: 1y", "default: 60d");
	AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
	assert_non_null(set);
	assert_int_equal(f.len, 1);
	assert_int_equal(f.errors, 0);
	assert_true(f.v[0].is_warning);
	assert_string_equal(f.v[0].err.id, "policy-renew-window");
	assert_string_equal(f.v[0].err.say,
	    "a certificate of 60d may be renewed from its first second: the "
	    "window is 60d");
	findings_fini(&f);
}

/* --- Incidents --------------------------------------------------------------------- */

static void
refused_each(const char *from, const char *const *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf text AUTO_BUF = BUF(1 << 20);
		struct findings f = { NULL, 0, 0 };

		replaced(&text, from, to[i]);
		AUTO(policy_set) set = load_text(buf_bytes(&text), &f);
		if (set != NULL)
			fail_msg("loaded: %s", to[i]);
		findings_fini(&f);
	}
}

static void
incident_05_not_before_is_not_a_key(void **state)
{
	static const char *const top[] = { "version: 3\nnotBefore: 2015-01-01",
		"version: 3\nnot_before: \"2015-01-01T00:00:00Z\"",
		"version: 3\nnotAfter: \"2015-01-01T00:00:00Z\"" };
	static const char *const inside[] = { "max: 2y, notBefore: 2015-01-01",
		"max: 2y, not_before: \"2015-01-01\"",
		"max: 2y, backdate: 1h1s", "max: 2y, backdate: 3601s",
		"max: 2y, backdate: -1s" };
	static const struct refusal say = { "notBefore", "max: 2y",
		"max: 2y, notBefore: 0s", 7, 34, 9, "policy-key-unknown",
		"validity.notBefore", "there is no key notBefore here",
		"the clock sets the beginning; backdate moves it by at most "
		"1h" };

	(void)state;
	refused_each("version: 3", top, ARRAY_LEN(top));
	refused_each("max: 2y", inside, ARRAY_LEN(inside));
	assert_true(check_refusal(&say));
}

static void
incident_09_sha1_is_not_named(void **state)
{
	static const struct refusal says[] = {
		{ "as a key type", "[ec-p256]", "[ec-p256, sha1]", 6, 41, 4,
		    "policy-weak-hash", "keys.allowed[2]",
		    "sha1: no signature of ours uses SHA-1 or MD5, and no "
		    "policy names them",
		    NULL },
		{ "as a key", "version: 3", "version: 3\nsha1: true", 3, 1, 4,
		    "policy-weak-hash", "sha1", NULL, NULL },
		{ "as an algorithm", "version: 3",
		    "version: 3\nalgorithm: sha1WithRSAEncryption", 3, 12, 21,
		    "policy-weak-hash", NULL, NULL, NULL },
		{ "in a text", "C: CL", "C: CL, O: \"ecdsa-with-SHA1\"", 4, 21,
		    17, "policy-weak-hash", NULL, NULL, NULL },
		{ "SHA-1", "version: 3", "version: 3\nhash: SHA-1", 3, 7, 5,
		    "policy-weak-hash", NULL, NULL, NULL },
		{ "MD5", "version: 3", "version: 3\nhash: [md5]", 3, 8, 3,
		    "policy-weak-hash", NULL, NULL, NULL },
	};
	static const char *const algorithm[] = {
		"version: 3\nalgorithm: sha256WithRSAEncryption",
		"version: 3\nsignature: ecdsa-with-SHA256"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		assert_true(check_refusal(&says[i]));
	/* No algorithm is chosen by configuration, not even a good one. */
	refused_each("version: 3", algorithm, ARRAY_LEN(algorithm));
}

static const char *const ku_names[9] = { "digitalSignature", "nonRepudiation",
	"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
	"cRLSign", "encipherOnly", "decipherOnly" };

/* RFC 5280 4.2.1.3 and 4.2.1.12, RFC 8813 3, RFC 4055 1.2, told anew. */
static bool
usage_allowed(unsigned ku, bool rsa, bool email, bool client)
{
	bool ds = ku & 1, nr = ku & 2, ke = ku & 4, de = ku & 8, ka = ku & 16;

	if (ku >= 32 || ku == 0 || (!email && !client))
		return false;
	if (rsa ? ka : (ke || de))
		return false;
	if (client && !ds && !ka)
		return false;
	return !email || ds || nr || ke || ka;
}

static void
incident_12_usage_fits_key_and_purpose(void **state)
{
	struct ceilings all = law;
	int wrong = 0, allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 512u * 2 * 4; i++) {
		unsigned ku = i & 511;
		bool rsa = i >> 9 & 1, email = i >> 10 & 1,
		     client = i >> 11 & 1;
		struct buf text AUTO_BUF = BUF(1 << 16);
		struct findings f = { NULL, 0, 0 };
		AUTO(policy_set) set = NULL;
		const char *before = "";
		const char *at = strstr(BASE, "keys:");

		buf_put(&text, BASE, (size_t)(at - BASE));
		buf_putf(&text, "keys: {allowed: [%s]}\n",
		    rsa ? "rsa-3072" : "ec-p256");
		buf_puts(&text, "validity: {default: 1y, max: 2y}\n"
				"usage: {key: [");
		for (unsigned b = 0; b < 9; b++) {
			if ((ku >> b & 1) == 0)
				continue;
			buf_putf(&text, "%s%s", before, ku_names[b]);
			before = ", ";
		}
		buf_putf(&text, "], extended: [%s%s%s]}\n",
		    email ? "emailProtection" : "", email && client ? "," : "",
		    client ? " clientAuth" : "");
		struct policy_file file = { "x", buf_bytes(&text) };
		policy_load(&file, 1, &all, &set, &f);
		bool want = usage_allowed(ku, rsa, email, client);
		wrong += (set != NULL) != want ? 1 : 0;
		allowed += want ? 1 : 0;
		if (set != NULL)
			assert_int_equal(set->policy[0].key_usage, ku);
		findings_fini(&f);
	}
	assert_int_equal(wrong, 0);
	assert_true(allowed > 40);
}

static void
incident_34_no_leaf_policy_makes_a_ca(void **state)
{
	static const char *const keys[] = { "basicConstraints: {cA: true}",
		"basicConstraints: CA:TRUE", "ca: true", "CA: true",
		"is_ca: true", "pathLen: 0", "path_len: 1", "cA: TRUE",
		"basic_constraints: {ca: true}", "extensions: {ca: true}",
		"profile: ca", "environment: test" };
	static const char *const usages[] = { "[keyCertSign]",
		"[digitalSignature, keyCertSign]",
		"[digitalSignature, cRLSign]",
		"[digitalSignature, KeyCertSign]" };
	static const char *const versions[] = { "version: 0", "version: -3",
		"version: \"3\"", "version: 3.1", "version: latest",
		"version: 2\nversion: 3" };
	static const struct refusal say = { "ca", "version: 3",
		"version: 3\nca: true", 3, 1, 2, "policy-key-unknown", "ca",
		"there is no key ca here",
		"a policy is for holders unless it has subordinate, which "
		"makes it one for CAs" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char text[128];
		const char *to = text;

		snprintf(text, sizeof(text), "version: 3\n%s", keys[i]);
		refused_each("version: 3", &to, 1);
	}
	refused_each("[digitalSignature]", usages, ARRAY_LEN(usages));
	refused_each("version: 3", versions, ARRAY_LEN(versions));
	assert_true(check_refusal(&say));
}

/* OCSPSigning has no way into a policy, whatever stands beside it. */
static void
incident_50_ocsp_signing_is_in_no_policy(void **state)
{
	static const char *const names[] = { "OCSPSigning", "ocspSigning",
		"OCSPsigning", "ocsp-signing", "id-kp-OCSPSigning",
		"1.3.6.1.5.5.7.3.9", "\"OCSPSigning\"", "OCSP", "nocheck",
		"anyExtendedKeyUsage", "2.5.29.37.0", "endorser" };
	static const char *const before[] = { "", "clientAuth, ",
		"emailProtection, ", "clientAuth, emailProtection, " };
	struct ceilings all = law;

	(void)state;
	all.eku = UINT32_MAX;
	all.key_usage = UINT16_MAX;
	for (size_t i = 0; i < ARRAY_LEN(names) * 4 * 31; i++) {
		unsigned ku = (unsigned)(i % 31 + 1);
		struct buf text AUTO_BUF = BUF(1 << 16);
		struct findings f = { NULL, 0, 0 };
		AUTO(policy_set) set = NULL;
		const char *comma = "";
		const char *at = strstr(BASE, "usage:");

		buf_put(&text, BASE, (size_t)(at - BASE));
		buf_puts(&text, "usage: {key: [");
		for (unsigned b = 0; b < 5; b++) {
			if ((ku >> b & 1) == 0)
				continue;
			buf_putf(&text, "%s%s", comma, ku_names[b]);
			comma = ", ";
		}
		buf_putf(&text, "], extended: [%s%s]}\n", before[i / 31 % 4],
		    names[i / 31 / 4]);
		struct policy_file file = { "x", buf_bytes(&text) };
		policy_load(&file, 1, &all, &set, &f);
		if (set != NULL)
			fail_msg("loaded: %s", buf_text(&text));
		findings_fini(&f);
	}
}

/*
 * The sample of DESIGN 7 asks for more than this version has: exactly these
 * findings, and nothing beside them.
 */
static void
design_sample_asks_for_later(void **state)
{
	static const struct {
		const char *field, *id;
	} want[] = {
		{ "endorsement.evidence[1]", "policy-word-later" },
		{ "endorsement.authenticator", "policy-word-later" },
	};
	uint8_t text[4096];
	struct findings f = { NULL, 0, 0 };
	FILE *in = fopen(TEST_DATA "/policy/design_sample.yaml", "rb");

	(void)state;
	assert_non_null(in);
	size_t len = fread(text, 1, sizeof(text), in);
	fclose(in);
	AUTO(policy_set) set = load_text(bytes_of(text, len), &f);
	assert_null(set);
	assert_int_equal(f.len, ARRAY_LEN(want));
	assert_int_equal(f.errors, ARRAY_LEN(want));
	for (size_t i = 0; i < f.len; i++) {
		assert_string_equal(f.v[i].err.where.field, want[i].field);
		assert_string_equal(f.v[i].err.id, want[i].id);
		assert_int_equal(f.v[i].err.code, ERR_DENIED);
		assert_true(f.v[i].hint[0] != '\0');
	}
	findings_fini(&f);
}

/* All of one broken set is refused; what was loaded before is untouched. */
static void
fault_f29_a_broken_reload_leaves_the_old(void **state)
{
	static const char *const broken[] = { "[csr", "[csr]}}", "&a [csr]",
		"[csr], modes: [csr]", "[csr], colour: red", "{a: b}", "[\xff]",
		"[csr], allowed: no" };
	struct findings f = { NULL, 0, 0 };

	(void)state;
	AUTO(policy_set) old = load_text(bytes_str(BASE), &f);
	assert_non_null(old);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct buf good AUTO_BUF = BUF(1 << 16);
		struct buf bad AUTO_BUF = BUF(1 << 16);
		struct policy_set *set = old;

		named(&good, "other", 1, "2y");
		replaced(&bad, "[csr]", broken[i]);
		struct policy_file files[2] = { { "good", buf_bytes(&good) },
			{ "bad", buf_bytes(&bad) } };
		policy_load(files, 2, &law, &set, &f);
		assert_true(f.errors > 0);
		assert_ptr_equal(set, old);
		assert_non_null(policy_find(set, bytes_str("base")));
		findings_fini(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_by_row),
		cmocka_unit_test(accepted),
		cmocka_unit_test(windows_line_ends),
		cmocka_unit_test(nul_octet),
		cmocka_unit_test(limits),
		cmocka_unit_test(alias_bomb),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(several_files),
		cmocka_unit_test(too_many_files),
		cmocka_unit_test(warning_only),
		cmocka_unit_test(incident_05_not_before_is_not_a_key),
		cmocka_unit_test(incident_09_sha1_is_not_named),
		cmocka_unit_test(incident_12_usage_fits_key_and_purpose),
		cmocka_unit_test(incident_34_no_leaf_policy_makes_a_ca),
		cmocka_unit_test(incident_50_ocsp_signing_is_in_no_policy),
		cmocka_unit_test(design_sample_asks_for_later),
		cmocka_unit_test(fault_f29_a_broken_reload_leaves_the_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
