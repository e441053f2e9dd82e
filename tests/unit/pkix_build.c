/* What certificates can say: each part octet for octet, and refusals. */
#include "unit/pkix_help.h"

struct world {
	struct test_ca ca;
	struct key *key; /* the holder's */
	struct buf name;
	struct cert_spec spec;
};

static void
world_init(struct world *w)
{
	struct err e;

	*w = (struct world){ .name = BUF(NAME_DER_MAX) };
	test_ca_init(&w->ca, KEY_EC_P256);
	OK(key_generate(KEY_EC_P256, &w->key, &e), &e);
	build_name(&w->name, "Ana Soto");
	holder_spec(&w->spec, &w->ca, buf_bytes(&w->name), key_spki(w->key));
}

static void
world_fini(struct world *w)
{
	test_ca_fini(&w->ca);
	key_free(w->key);
	buf_fini(&w->name);
}

static struct bytes
text(const char *s)
{
	return bytes_str(s);
}

static struct oid
oid(const char *dotted)
{
	struct oid o = { .len = 0 };
	struct err e;

	OK(oid_parse(bytes_str(dotted), &o, &e), &e);
	return o;
}

/* --- Alternative names, octet for octet --------------------------------------------- */

static const uint8_t ana[] = { 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03,
	0x55, 0x04, 0x03, 0x0c, 0x03, 'A', 'n', 'a' };

/* clang-format off */
static const struct {
	const char *name;
	enum name_kind kind;
	const char *other;
	struct bytes value;
	const char *hex; /* of the whole extension's value */
} vectors[] = {
	/* DOMAIN 5.3 */
	{ "RUT of a holder", GN_OTHER_IA5, "1.3.6.1.4.1.8321.1", { (const uint8_t *)"12345678-5", 10 },
	  "301aa01806082b06010401c10101a00c160a31323334353637382d35" },
	{ "RUT of a certifier", GN_OTHER_IA5, "1.3.6.1.4.1.8321.2", { (const uint8_t *)"60100003-2", 10 },
	  "301aa01806082b06010401c10102a00c160a36303130303030332d32" },
	{ "UTF8String", GN_OTHER_UTF8, "1.3.6.1.4.1.311.20.2.3", { (const uint8_t *)"a@b", 3 },
	  "3015a013060a2b060104018237140203a0050c03614062" },
	{ "PrintableString", GN_OTHER_PRINTABLE, "1.2.3", { (const uint8_t *)"ab", 2 },
	  "300ca00a06022a03a00413026162" },
	{ "e-mail", GN_EMAIL, NULL, { (const uint8_t *)"a@b.cl", 6 }, "300881066140622e636c" },
	{ "host", GN_DNS, NULL, { (const uint8_t *)"b.cl", 4 }, "30068204622e636c" },
	{ "page", GN_URI, NULL, { (const uint8_t *)"urn:a", 5 }, "3007860575726e3a61" },
	{ "IPv4", GN_IP, NULL, { (const uint8_t *)"\300\0\2\7", 4 }, "30068704c0000207" },
	{ "Name", GN_DIRECTORY, NULL, { ana, sizeof(ana) }, "3012a410300e310c300a06035504030c03416e61" },
};
/* clang-format on */

static bool
is_hex(const char *hex, struct bytes b)
{
	char out[1024] = "";
	size_t i;

	for (i = 0; i < b.len && i < 500; i++)
		snprintf(out + 2 * i, 3, "%02x", b.p[i]);
	if (strcmp(out, hex) != 0)
		print_error("got  %s\nwant %s\n", out, hex);
	return strcmp(out, hex) == 0;
}

/* Builds, signs, reads back; the extension, which must be there. */
static struct cert_ext
built(struct world *w, const struct cert_spec *s, enum pkix_oid which,
    struct buf *der)
{
	const struct cert_ext *x;
	struct cert c;
	struct err e;

	sign_cert(w->ca.key, s, der);
	OK(cert_parse_own(buf_bytes(der), &c, &e), &e);
	x = cert_find_ext(&c, which);
	assert_non_null(x);
	return *x;
}

static void
alternative_names(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(vectors); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert_spec s = w.spec;
		struct cert_ext x;

		s.n_san = 1;
		s.san[0] = (struct general_name){ .kind = vectors[i].kind,
			.value = vectors[i].value };
		if (vectors[i].other != NULL)
			s.san[0].other = oid(vectors[i].other);
		x = built(&w, &s, OID_EXT_SAN, &der);
		ROW(!x.critical && is_hex(vectors[i].hex, x.value),
		    vectors[i].name);
	}
	world_fini(&w);
}

/* --- qcStatements, constraints, private extensions ------------------------------ */

static void
qc_vectors(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct qc_statements qc;
		const char *hex;
	} rows[] = {
		{ "compliance", { .compliance = true }, "300a3008060604008e460101" },
		{ "device",     { .sscd = true },       "300a3008060604008e460104" },
		{ "signature and seal", { .types = QC_ESIGN | QC_ESEAL },
		  "301e301c060604008e4601063012060704008e46010601060704008e46010602" },
		{ "limit",      { .currency = "CLP", .amount = 1000, .exponent = 3 },
		  "30183016060604008e460102300c1303434c50020203e8020103" },
		{ "retention",  { .retention_years = 15 }, "300d300b060604008e46010302010f" },
		{ "disclosure", { .pds = { { { (const uint8_t *)"https://a.cl/", 13 }, "es" } }, .n_pds = 1 },
		  "3021301f060604008e46010530153013160d68747470733a2f2f612e636c2f13026573" },
		{ "country",    { .country = { "CL" }, .n_country = 1 }, "3010300e060604008e46010730041302434c" },
		{ "semantics",  { .semantics = { { 0x04, 0x00, 0x8b, 0xec, 0x49, 0x01, 0x01 }, 7 } },
		  "30173015" "06082b06010505070b02" "3009" "060704008bec490101" },
	};
	/* clang-format on */
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert_spec s = w.spec;
		struct cert_ext x;

		s.qc = rows[i].qc;
		x = built(&w, &s, OID_EXT_QC, &der);
		ROW(!x.critical && is_hex(rows[i].hex, x.value), rows[i].name);
	}
	world_fini(&w);
}

static void
constraint_vectors(void **state)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert_spec s;
	struct cert_ext x;
	struct world w;

	(void)state;
	world_init(&w);
	s = w.spec;
	s.is_ca = true;
	s.path_len = 0;
	s.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	s.constraints.permitted[0] =
	    (struct general_name){ .kind = GN_EMAIL, .value = text(".b.cl") };
	s.constraints.permitted[1] =
	    (struct general_name){ .kind = GN_DIRECTORY,
		    .value = bytes_of(ana, sizeof(ana)) };
	s.constraints.n_permitted = 2;
	s.constraints.excluded[0] = (struct general_name){ .kind = GN_IP,
		.value = bytes_of("\0\0\0\0\0\0\0\0", 8) };
	s.constraints.n_excluded = 1;
	x = built(&w, &s, OID_EXT_CONSTRAINTS, &der);
	assert_true(x.critical);
	assert_true(
	    is_hex("302da01d300781052e622e636c3012a410300e310c300a060355"
		   "04030c03416e61a10c300a87080000000000000000",
		x.value));
	world_fini(&w);
}

/* --- Refusals ------------------------------------------------------------------- */

static void
q_country(struct cert_spec *s)
{
	memcpy(s->qc.country[0], "UK", 3);
	s->qc.n_country = 1;
}
static void
q_countries(struct cert_spec *s)
{
	s->qc.n_country = SPEC_LAWS_MAX + 1;
}
static void
q_types(struct cert_spec *s)
{
	s->qc.types = 8;
}
static void
q_currency(struct cert_spec *s)
{
	memcpy(s->qc.currency, "clp", 4);
	s->qc.amount = 1;
}
static void
q_amount(struct cert_spec *s)
{
	memcpy(s->qc.currency, "CLP", 4);
}
static void
q_no_currency(struct cert_spec *s)
{
	s->qc.amount = 1000;
}
static void
q_exponent(struct cert_spec *s)
{
	memcpy(s->qc.currency, "CLP", 4);
	s->qc.amount = 1;
	s->qc.exponent = 21;
}
static void
q_retention(struct cert_spec *s)
{
	s->qc.retention_years = 101;
}
static void
q_pds(struct cert_spec *s, const char *url, const char *lang)
{
	s->qc.pds[0].url = text(url);
	memcpy(s->qc.pds[0].lang, lang, 2);
	s->qc.n_pds = 1;
}
static void
q_pds_http(struct cert_spec *s)
{
	q_pds(s, "http://www.example.cl/pds", "es");
}
static void
q_pds_lang(struct cert_spec *s)
{
	q_pds(s, "https://www.example.cl/pds", "ES");
}
static void
q_pds_host(struct cert_spec *s)
{
	q_pds(s, "https://localhost/pds", "es");
}
static void
private_of(struct cert_spec *s, const char *dotted, struct bytes der)
{
	struct private_ext *x = &s->private_ext[s->n_private_ext++];

	x->oid = oid(dotted);
	x->der = der;
}
static const struct bytes null_der = { (const uint8_t *)"\5\0", 2 };
static void
p_x509(struct cert_spec *s)
{
	private_of(s, "2.5.29.30", null_der);
}
static void
p_pkix(struct cert_spec *s)
{
	private_of(s, "1.3.6.1.5.5.7.1.3", null_der);
}
static void
p_nocheck(struct cert_spec *s)
{
	private_of(s, "1.3.6.1.5.5.7.48.1.5", null_der);
}
static void
p_twice(struct cert_spec *s)
{
	private_of(s, "1.2.3.4", null_der);
	private_of(s, "1.2.3.4", null_der);
}
static void
p_empty(struct cert_spec *s)
{
	private_of(s, "1.2.3.4", BYTES_NONE);
}
static void
p_two(struct cert_spec *s)
{
	private_of(s, "1.2.3.4", bytes_of("\5\0\5\0", 4));
}
static void
p_not_der(struct cert_spec *s)
{
	private_of(s, "1.2.3.4", bytes_of("\1\1\1", 3));
}
static void
p_many(struct cert_spec *s)
{
	s->n_private_ext = SPEC_PRIVATE_MAX + 1;
}
static void
c_end(struct cert_spec *s)
{
	s->constraints.permitted[0].kind = GN_DNS;
	s->constraints.permitted[0].value = text("example.cl");
	s->constraints.n_permitted = 1;
}
static void
c_subtree(struct cert_spec *s)
{
	c_end(s);
	s->is_ca = true;
	s->constraints.permitted[0].value = text("*.example.cl");
}
static void
c_many(struct cert_spec *s)
{
	s->is_ca = true;
	s->constraints.n_excluded = SPEC_SUBTREES_MAX + 1;
}
static void
n_ip(struct cert_spec *s)
{
	s->san[0].kind = GN_IP;
}
static void
n_directory(struct cert_spec *s)
{
	s->san[0].kind = GN_DIRECTORY;
}
static void
n_type(struct cert_spec *s)
{
	s->san[0].kind = GN_OTHER_UTF8;
	s->san[0].other.len = 0;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*spoil)(struct cert_spec *s);
	const char *id, *say;
} bad[] = {
	{ "UK as a country",      q_country,     "qc-country", "not a code of ISO 3166-1" },
	{ "five countries",       q_countries,   "qc-countries", "more than 4 countries" },
	{ "a fourth type",        q_types,       "qc-types", "for esign, eseal or web" },
	{ "currency in small",    q_currency,    "qc-limit", "three capital letters" },
	{ "limit of nothing",     q_amount,      "qc-limit", "an amount from 1" },
	{ "limit of no currency", q_no_currency, "qc-limit", "three capital letters" },
	{ "exponent of 21",       q_exponent,    "qc-limit", "exponent from 0 to 20" },
	{ "a century and a year", q_retention,   "qc-retention", "1 to 100 years" },
	{ "disclosure by http",   q_pds_http,    "qc-pds", "begins with https://" },
	{ "language in capitals", q_pds_lang,    "qc-pds", "two small letters" },
	{ "disclosure on localhost", q_pds_host, "qc-pds", "begins with https://" },
	{ "private of X.509",     p_x509,        "spec-private", "below an arc of your own" },
	{ "private of PKIX",      p_pkix,        "spec-private", "below an arc of your own" },
	{ "private of OCSP",      p_nocheck,     "spec-private", "below an arc of your own" },
	{ "private twice",        p_twice,       "spec-private", "stands twice" },
	{ "private and empty",    p_empty,       "spec-private", "not one element in DER" },
	{ "two elements",         p_two,         "spec-private", "not one element in DER" },
	{ "BOOLEAN of 01",        p_not_der,     "spec-private", "not one element in DER" },
	{ "five private ones",    p_many,        "spec-part", "its extensions" },
	{ "constraints of a person", c_end,      "spec-part", "its nameConstraints" },
	{ "wildcard in a constraint", c_subtree, "subtree-form", "a part of a space of names" },
	{ "seven constraints",    c_many,        "spec-part", "its nameConstraints" },
	{ "text as an address",   n_ip,          "spec-part", "its subjectAltName" },
	{ "text as a Name",       n_directory,   "spec-part", "its subjectAltName" },
	{ "otherName without type", n_type,      "spec-part", "its subjectAltName" },
};
/* clang-format on */

static void
refusals(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct cert_spec s = w.spec;
		struct err e;

		bad[i].spoil(&s);
		refused(bad[i].name, cert_build_tbs(&s, &tbs, &e), &e,
		    ERR_INVALID, bad[i].id, bad[i].say);
		ROW(tbs.len == 0, bad[i].name);
	}
	world_fini(&w);
}

/* --- Read strictly --------------------------------------------------------------- */

/* Content of an extension that somebody else wrote; NULL is accepted. */
static const struct {
	const char *name;
	enum pkix_oid oid;
	const char *value;
	size_t len;
	const char *say;
} contents[] = {
/* clang-format off */
#define V(s) s, sizeof(s) - 1
	{ "statement unknown",     OID_EXT_QC, V("\x30\x06\x30\x04\x06\x02\x2a\x03"), NULL },
	{ "no statements",         OID_EXT_QC, V("\x30\x00"), "malformed in its qcStatements" },
	{ "compliance with more",  OID_EXT_QC, V("\x30\x0c\x30\x0a\x06\x06\x04\x00\x8e\x46\x01\x01\x05\x00"), "malformed in its qcStatements" },
	{ "no types",              OID_EXT_QC, V("\x30\x0c\x30\x0a\x06\x06\x04\x00\x8e\x46\x01\x06\x30\x00"), "malformed in its qcStatements" },
	{ "country of none",       OID_EXT_QC, V("\x30\x10\x30\x0e\x06\x06\x04\x00\x8e\x46\x01\x07\x30\x04\x13\x02XX"), "malformed in its qcStatements" },
	{ "retention without years", OID_EXT_QC, V("\x30\x0a\x30\x08\x06\x06\x04\x00\x8e\x46\x01\x03"), "malformed in its qcStatements" },
	{ "currency by number",    OID_EXT_QC, V("\x30\x16\x30\x14\x06\x06\x04\x00\x8e\x46\x01\x02\x30\x0a\x02\x02\x00\x98\x02\x01\x01\x02\x01\x03"), NULL },
	{ "currency 0",            OID_EXT_QC, V("\x30\x15\x30\x13\x06\x06\x04\x00\x8e\x46\x01\x02\x30\x09\x02\x01\x00\x02\x01\x01\x02\x01\x03"), "malformed in its qcStatements" },
	{ "language of one letter", OID_EXT_QC, V("\x30\x15\x30\x13\x06\x06\x04\x00\x8e\x46\x01\x05\x30\x09\x30\x07\x16\x02" "a:\x13\x01" "e"), "malformed in its qcStatements" },
	{ "permitted host",        OID_EXT_CONSTRAINTS, V("\x30\x08\xa0\x06\x30\x04\x82\x02" "cl"), NULL },
	{ "neither list",          OID_EXT_CONSTRAINTS, V("\x30\x00"), "malformed in its nameConstraints" },
	{ "empty list",            OID_EXT_CONSTRAINTS, V("\x30\x02\xa0\x00"), "malformed in its nameConstraints" },
	{ "lists in the wrong order", OID_EXT_CONSTRAINTS, V("\x30\x10\xa1\x06\x30\x04\x82\x02" "cl\xa0\x06\x30\x04\x82\x02" "ar"), "malformed in its nameConstraints" },
	{ "minimum of 1",          OID_EXT_CONSTRAINTS, V("\x30\x0b\xa0\x09\x30\x07\x82\x02" "cl\x80\x01\x01"), "malformed in its nameConstraints" },
	{ "address without mask",  OID_EXT_CONSTRAINTS, V("\x30\x0a\xa0\x08\x30\x06\x87\x04\xc0\x00\x02\x00"), "malformed in its nameConstraints" },
	{ "mask with a hole",      OID_EXT_CONSTRAINTS, V("\x30\x0e\xa0\x0c\x30\x0a\x87\x08\xc0\x00\x02\x00\xff\x00\xff\x00"), "malformed in its nameConstraints" },
	/* clang-format on */
};

/* A TBS with one extension at its end, by hand. */
static void
with_content(struct world *w, enum pkix_oid which, struct bytes value,
    struct buf *der)
{
	struct buf tbs AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	uint8_t memory[CERT_MAX_BYTES];
	struct der_w out = der_w_of(memory, sizeof(memory));
	struct der d, in, exts;
	struct bytes part, whole;
	size_t all = der_mark(&out), mark;
	struct err e;

	OK(cert_build_tbs(&w->spec, &tbs, &e), &e);
	d = der_of(buf_bytes(&tbs));
	in = der_enter(&d, DER_SEQUENCE);
	part = bytes_of(in.p, 0);
	while (der_peek(&in) != DER_CONTEXT_CONS(3))
		(void)der_element(&in);
	part.len = (size_t)(in.p - part.p);
	exts = der_enter(&in, DER_CONTEXT_CONS(3));
	mark = der_mark(&out);
	der_raw(&out, value);
	der_wrap(&out, DER_OCTET_STRING, mark);
	der_put_oid(&out, oid_known(which));
	der_wrap(&out, DER_SEQUENCE, mark);
	der_raw(&out, der_get(&exts, DER_SEQUENCE));
	der_wrap(&out, DER_SEQUENCE, all);
	der_wrap(&out, DER_CONTEXT_CONS(3), all);
	der_raw(&out, part);
	der_wrap(&out, DER_SEQUENCE, all);
	OK(der_w_end(&out, &whole, &e), &e);
	OK(key_sign(w->ca.key, whole, &sig, &e), &e);
	OK(signed_assemble(whole, key_type_sigalg(KEY_EC_P256), buf_bytes(&sig),
	       der, &e),
	    &e);
}

static void
contents_read(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(contents); i++) {
		struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
		struct bytes v = bytes_of(contents[i].value, contents[i].len);
		enum err_code got;
		struct cert c;
		struct err e;

		with_content(&w, contents[i].oid, v, &der);
		got = cert_parse(buf_bytes(&der), &c, &e);
		if (contents[i].say == NULL)
			ROW(got == ERR_OK, contents[i].name);
		else
			refused(contents[i].name, got, &e, ERR_INVALID,
			    "cert-form", contents[i].say);
	}
	world_fini(&w);
}

/* --- Everything at once, and what others read ---------------------------------- */

static void
say_everything(struct cert_spec *s)
{
	static const uint8_t pair[] = { 0x30, 0x06, 0x0c, 0x01, 'a', 0x02, 0x01,
		0x07 };

	s->n_san = 0;
	s->san[s->n_san++] = (struct general_name){ GN_OTHER_IA5,
		oid("1.3.6.1.4.1.8321.1"), text("12345678-5") };
	s->san[s->n_san++] = (struct general_name){ GN_OTHER_UTF8,
		oid("1.3.6.1.4.1.311.20.2.3"), text("ana@example.cl") };
	s->san[s->n_san++] = (struct general_name){ .kind = GN_DNS,
		.value = text("*.example.cl") };
	s->san[s->n_san++] = (struct general_name){ .kind = GN_IP,
		.value = bytes_of("\300\0\2\7", 4) };
	s->san[s->n_san++] = (struct general_name){ .kind = GN_URI,
		.value = text("https://www.example.cl/ana") };
	s->san[s->n_san++] = (struct general_name){ .kind = GN_DIRECTORY,
		.value = bytes_of(ana, sizeof(ana)) };
	s->eku[0] = OID_EKU_SERVER;
	s->eku[1] = OID_EKU_DOCUMENT;
	s->n_eku = 2;
	s->qc = (struct qc_statements){ .compliance = true,
		.sscd = true,
		.types = QC_ESIGN,
		.country = { "CL" },
		.n_country = 1,
		.currency = "CLP",
		.amount = 1000,
		.exponent = 3,
		.retention_years = 15,
		.pds = { { text("https://www.example.cl/pds"), "es" } },
		.n_pds = 1,
		.semantics = oid("0.4.0.194121.1.1") };
	private_of(s, "1.3.6.1.4.1.99999.1", bytes_of(pair, sizeof(pair)));
	private_of(s, "1.3.6.1.4.1.99999.2", null_der);
	s->private_ext[1].critical = true;
}

static void
prints(const struct dir *d, const char *command, const char *const *wanted)
{
	struct buf out AUTO_BUF = BUF(1 << 20);

	must_run(d, command, command);
	dir_read(d, "out", &out);
	for (; *wanted != NULL; wanted++) {
		if (strstr(buf_text(&out), *wanted) == NULL)
			fputs(buf_text(&out), stderr);
		ROW(strstr(buf_text(&out), *wanted) != NULL, *wanted);
	}
}

static void
openssl_reads_everything(void **state)
{
	static const char *const end[] = {
		"1.3.6.1.4.1.8321.1:",
		"DNS:*.example.cl, IP Address:192.0.2.7, "
		"URI:https://www.example.cl/ana, DirName:",
		"TLS Web Server Authentication, ",
		"qcStatements",
		"1.3.6.1.4.1.99999.1: \n",
		"1.3.6.1.4.1.99999.2: critical\n",
		NULL,
	};
	static const char *const ca[] = {
		"CA:TRUE, pathlen:0",
		"X509v3 Name Constraints: critical",
		"email:.example.cl",
		"DNS:example.cl",
		"DirName:",
		"IP:0.0.0.0/0.0.0.0",
		"URI:.example.cl",
		NULL,
	};
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct dir d = dir_new();
	struct cert_spec s;
	struct world w;
	struct cert c;
	struct err e;

	(void)state;
	world_init(&w);
	s = w.spec;
	say_everything(&s);
	sign_cert(w.ca.key, &s, &der);
	dir_write(&d, "end.der", buf_bytes(&der));
	prints(&d, "openssl x509 -inform DER -in end.der -noout -text", end);
	refused("critical", cert_parse(buf_bytes(&der), &c, &e), &e,
	    ERR_INVALID, "cert-critical", "not known here");
	OK(cert_parse_own(buf_bytes(&der), &c, &e), &e);
	assert_int_equal(c.n_ext, 13);

	s = w.spec;
	s.is_ca = true;
	s.path_len = 0;
	s.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	s.n_eku = 0;
	s.constraints.n_permitted = 3;
	s.constraints.permitted[0].kind = GN_EMAIL;
	s.constraints.permitted[0].value = text(".example.cl");
	s.constraints.permitted[1].kind = GN_DNS;
	s.constraints.permitted[1].value = text("example.cl");
	s.constraints.permitted[2].kind = GN_DIRECTORY;
	s.constraints.permitted[2].value = bytes_of(ana, sizeof(ana));
	s.constraints.n_excluded = 2;
	s.constraints.excluded[0].kind = GN_IP;
	s.constraints.excluded[0].value = bytes_of("\0\0\0\0\0\0\0\0", 8);
	s.constraints.excluded[1].kind = GN_URI;
	s.constraints.excluded[1].value = text(".example.cl");
	buf_reset(&der);
	sign_cert(w.ca.key, &s, &der);
	dir_write(&d, "ca.der", buf_bytes(&der));
	prints(&d, "openssl x509 -inform DER -in ca.der -noout -text", ca);
	OK(cert_parse(buf_bytes(&der), &c, &e), &e);
	dir_remove(&d);
	world_fini(&w);
}

/* --- Strings of names -------------------------------------------------------------- */

static void
strings_of_names(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		enum pkix_oid type;
		const char *value;
		enum name_string string;
		uint8_t tag;
		const char *id, *say;
	} rows[] = {
		{ "CN as it is",        OID_CN, "Ana",  STRING_USUAL, DER_UTF8_STRING, NULL, NULL },
		{ "CN in UTF-8",        OID_CN, "Ana",  STRING_UTF8, DER_UTF8_STRING, NULL, NULL },
		{ "CN in Printable",    OID_CN, "Ana",  STRING_PRINTABLE, DER_PRINTABLE_STRING, NULL, NULL },
		{ "place",              OID_L, "Arica", STRING_USUAL, DER_UTF8_STRING, NULL, NULL },
		{ "region",             OID_ST, "Maule", STRING_USUAL, DER_UTF8_STRING, NULL, NULL },
		{ "initials",           OID_INITIALS, "A.S.", STRING_USUAL, DER_UTF8_STRING, NULL, NULL },
		{ "pseudonym",          OID_PSEUDONYM, "Condor", STRING_USUAL, DER_UTF8_STRING, NULL, NULL },
		{ "institution",        OID_ORGANIZATION_ID, "VATCL-60100003-2", STRING_PRINTABLE, DER_PRINTABLE_STRING, NULL, NULL },
		{ "C in Printable",     OID_C, "CL", STRING_PRINTABLE, DER_PRINTABLE_STRING, NULL, NULL },
		{ "e-mail in IA5",      OID_EMAIL, "a@b.cl", STRING_IA5, DER_IA5_STRING, NULL, NULL },
		{ "accent in Printable", OID_CN, "Mar\303\255a", STRING_PRINTABLE, 0, "name-alphabet", "CN contains a character outside" },
		{ "CN in IA5",          OID_CN, "Ana", STRING_IA5, 0, "name-string", "CN cannot be in that type of string" },
		{ "C in UTF-8",         OID_C, "CL", STRING_UTF8, 0, "name-string", "C and serialNumber are PrintableString" },
		{ "RUN in UTF-8",       OID_SERIAL_NUMBER, "1-9", STRING_UTF8, 0, "name-string", "serialNumber cannot be" },
		{ "e-mail in UTF-8",    OID_EMAIL, "a@b.cl", STRING_UTF8, 0, "name-string", "emailAddress is IA5String" },
		{ "e-mail in Printable", OID_EMAIL, "a@b.cl", STRING_PRINTABLE, 0, "name-string", "emailAddress is IA5String" },
	};
	/* clang-format on */
	enum pkix_oid type;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct name_attr a = { rows[i].type, text(rows[i].value),
			rows[i].string };
		struct buf der AUTO_BUF = BUF(NAME_DER_MAX);
		struct err e;
		enum err_code got = name_build(&a, 1, &der, &e);

		ROW(name_attr_takes(a.type, a.string) ==
			(got == ERR_OK || strcmp(e.id, "name-string") != 0),
		    rows[i].name);
		if (rows[i].id != NULL) {
			refused(rows[i].name, got, &e, ERR_INVALID, rows[i].id,
			    rows[i].say);
			continue;
		}
		OK(got, &e);
		ROW(der.p[der.len - strlen(rows[i].value) - 2] == rows[i].tag,
		    rows[i].name);
		ROW(name_attr_parse(text(name_attr_word(a.type)), &type) &&
			type == a.type && name_attr_max(a.type) > 0,
		    rows[i].name);
	}
	assert_false(name_attr_parse(text("cn"), &type));
	assert_int_equal(name_attr_max(OID_EXT_SAN), 0);
	assert_false(name_attr_takes(OID_EXT_SAN, STRING_USUAL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alternative_names),
		cmocka_unit_test(qc_vectors),
		cmocka_unit_test(constraint_vectors),
		cmocka_unit_test(refusals),
		cmocka_unit_test(contents_read),
		cmocka_unit_test(openssl_reads_everything),
		cmocka_unit_test(strings_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
