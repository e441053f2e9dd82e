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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alternative_names),
		cmocka_unit_test(qc_vectors),
		cmocka_unit_test(constraint_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
