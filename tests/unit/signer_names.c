/*
 * Names and extensions: what a certificate may say is in the ceilings, and the
 * signer reads it in the certificate itself.
 */
#include "fake/signer_world.h"

#define PRIVATE  "1.3.6.1.4.1.99999.1"
#define CRITICAL "1.3.6.1.4.1.99999.2"
#define PUBLIC   "http://crl.example.org"

static struct bytes
text(const char *s)
{
	return bytes_str(s);
}

static void
add_san(struct wish *x, enum name_kind kind, struct bytes value)
{
	x->spec.san[x->spec.n_san++] =
	    (struct general_name){ .kind = kind, .value = value };
}

static void
s_dns(struct world *w, struct wish *x)
{
	(void)w;
	add_san(x, GN_DNS, text("www.example.cl"));
}

static void
s_dns_of_issuer(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.ian[0].kind = GN_DNS;
	x->spec.ian[0].value = text("www.example.cl");
	x->spec.n_ian = 1;
}

static void
s_ip(struct world *w, struct wish *x)
{
	(void)w;
	add_san(x, GN_IP, bytes_of("\300\0\2\7", 4));
}

static void
s_uri(struct world *w, struct wish *x)
{
	(void)w;
	add_san(x, GN_URI, text("https://www.example.cl/"));
}

static void
s_directory(struct world *w, struct wish *x)
{
	(void)w;
	add_san(x, GN_DIRECTORY, x->spec.subject);
}

static void
s_email(struct world *w, struct wish *x)
{
	(void)w;
	add_san(x, GN_EMAIL, text("ana@example.cl"));
}

static void
add_private(struct wish *x, const char *oid, bool critical)
{
	struct private_ext *p = &x->spec.private_ext[x->spec.n_private_ext++];

	OK(oid_parse(bytes_str(oid), &p->oid, e));
	p->critical = critical;
	p->der = bytes_of("\x0c\x02si", 4);
}

static void
s_private(struct world *w, struct wish *x)
{
	(void)w;
	add_private(x, PRIVATE, false);
}

static void
s_private_critical(struct world *w, struct wish *x)
{
	(void)w;
	add_private(x, PRIVATE, true);
}

static void
s_critical(struct world *w, struct wish *x)
{
	(void)w;
	add_private(x, CRITICAL, true);
}

static void
s_not_critical(struct world *w, struct wish *x)
{
	(void)w;
	add_private(x, CRITICAL, false);
}

static void
s_another_beside(struct world *w, struct wish *x)
{
	(void)w;
	add_private(x, PRIVATE, false);
	add_private(x, "1.3.6.1.4.1.99999.3", false);
}

static void
s_qc(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.qc.compliance = true;
	x->spec.qc.types = QC_ESIGN;
	x->spec.qc.country[0][0] = 'C';
	x->spec.qc.country[0][1] = 'L';
	x->spec.qc.n_country = 1;
}

/* A server's common name stands in subjectAltName too. */
static void
s_server(struct world *w, struct wish *x)
{
	const struct name_attr attrs[] = {
		{ OID_C, text("CL"), STRING_USUAL },
		{ OID_SERIAL_NUMBER, text("12345678-5"), STRING_USUAL },
		{ OID_CN, text("www.example.cl"), STRING_USUAL },
	};
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);

	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	x->spec.subject = arena_copy(w->a, buf_bytes(&name));
	s_dns(w, x);
	x->spec.eku[0] = OID_EKU_SERVER;
	x->spec.n_eku = 1;
}

static void
wish_serial_number(struct world *w, struct wish *x, const char *number)
{
	const struct name_attr attrs[] = {
		{ OID_C, text("CL"), STRING_USUAL },
		{ OID_SERIAL_NUMBER, text(number), STRING_USUAL },
		{ OID_CN, text("Ana"), STRING_USUAL },
	};
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);

	OK(name_build(attrs, ARRAY_LEN(attrs), &name, e));
	x->spec.subject = arena_copy(w->a, buf_bytes(&name));
}

static void
s_national(struct world *w, struct wish *x)
{
	wish_serial_number(w, x, "PNOCL-12345678-5");
}

static void
s_national_of_other(struct world *w, struct wish *x)
{
	wish_serial_number(w, x, "PNOCL-14-0");
}

static void
s_national_elsewhere(struct world *w, struct wish *x)
{
	wish_serial_number(w, x, "PNOES-12345678-5");
}

static void
s_national_of_nobody(struct world *w, struct wish *x)
{
	wish_serial_number(w, x, "PNOCL-");
}

static void
s_code(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[0] = OID_EKU_CODE;
	x->spec.n_eku = 1;
}

static void
s_document(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[0] = OID_EKU_DOCUMENT;
	x->spec.n_eku = 1;
}

static void
s_time(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.eku[0] = OID_EKU_TIME;
	x->spec.n_eku = 1;
	x->spec.eku_critical = true;
}

static void
s_time_not_critical(struct world *w, struct wish *x)
{
	s_time(w, x);
	x->spec.eku_critical = false;
}

static void
s_time_beside(struct world *w, struct wish *x)
{
	s_time(w, x);
	x->spec.eku[x->spec.n_eku++] = OID_EKU_CLIENT;
}

static void
s_constraints(struct world *w, struct wish *x)
{
	(void)w;
	x->spec.is_ca = true;
	x->spec.path_len = -1;
	x->spec.constraints.permitted[0].kind = GN_DNS;
	x->spec.constraints.permitted[0].value = text("example.cl");
	x->spec.constraints.n_permitted = 1;
}

/* Turns basicConstraints of a CA back into those of an end entity. */
static void
b_constraints_alone(struct world *w, struct wish *x)
{
	static const uint8_t ca[] = { 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13,
		0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff };
	/* The same length: a second extension that nobody defined. */
	static const uint8_t end[] = { 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x1e,
		0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0xa0, 0x01, 0x00 };
	uint8_t *copy = arena_get(w->a, x->container.len), *at;

	memcpy(copy, x->container.p, x->container.len);
	at = memmem(copy, x->container.len, ca, sizeof(ca));
	assert_non_null(at);
	memcpy(at, end, sizeof(end));
	x->container = bytes_of(copy, x->container.len);
}

/* A CRL and its deltas. */
static void
s_lists(struct wish *x, const char *crl, const char *deltas)
{
	x->spec.crl_url = text(crl);
	x->spec.freshest_url = text(deltas);
}

static void
s_deltas(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/uno.crl", PUBLIC "/crl/uno/delta.crl");
}

static void
s_deltas_partition(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/uno/3.crl", PUBLIC "/crl/uno/3-delta.crl");
}

static void
s_deltas_other(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/uno/3.crl", PUBLIC "/crl/uno/4-delta.crl");
}

static void
s_deltas_full(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/uno/3.crl", PUBLIC "/crl/uno/delta.crl");
}

static void
s_deltas_other_ca(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/dos.crl", PUBLIC "/crl/dos/delta.crl");
}

static void
s_deltas_host(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/uno.crl",
	    "http://evil.example.org/crl/uno/delta.crl");
}

static void
s_deltas_are_complete(struct world *w, struct wish *x)
{
	(void)w;
	s_lists(x, PUBLIC "/crl/uno.crl", PUBLIC "/crl/uno.crl");
}

static void
b_freshest(struct world *w, struct wish *x)
{
	/* issuerAltName becomes freshestCRL, and is no list of points. */
	static const uint8_t ian[] = { 0x06, 0x03, 0x55, 0x1d, 0x12 };
	uint8_t *copy = arena_get(w->a, x->container.len), *at;

	memcpy(copy, x->container.p, x->container.len);
	at = memmem(copy, x->container.len, ian, sizeof(ian));
	assert_non_null(at);
	at[4] = 0x2e;
	x->container = bytes_of(copy, x->container.len);
}

struct row {
	const char *name;
	bool minister;
	wish_fn spec, bytes;
	const char *id, *say; /* NULL: signed */
};

/* clang-format off */
#define HOLDER "signer-holder", "does not carry the RUN"
#define KIND "signer-name-kind", "alternative name of a kind that the ceilings"
#define EXTENSION "signer-extension", "do not allow the extension 1.3.6.1.4.1.99999."
#define QUALIFIED "signer-qc-statements", "statements of a qualified certificate"
#define DELTAS "signer-freshest", "deltas that are not those of its own CRL of the CA uno"
#define PURPOSE "signer-purpose", "an extended key usage that the ceilings"

static const struct row usual[] = {
	{ "e-mail", false, s_email, NULL, NULL, NULL },
	{ "RUN as EN 319 412-1 writes it", false, s_national, NULL, NULL, NULL },
	{ "the same of another person", false, s_national_of_other, NULL, HOLDER },
	{ "the same number in another country", false, s_national_elsewhere, NULL, HOLDER },
	{ "a country without a number", false, s_national_of_nobody, NULL, "lint-semantics-serial", "not in the form" },
	{ "host name while not allowed", false, s_dns, NULL, KIND },
	{ "host name of the issuer", false, s_dns_of_issuer, NULL, KIND },
	{ "IP address while not allowed", false, s_ip, NULL, KIND },
	{ "URI while not allowed", false, s_uri, NULL, KIND },
	{ "directory name while not allowed", false, s_directory, NULL, KIND },
	{ "extension that no ceiling names", false, s_private, NULL, EXTENSION "1, or not with that criticality" },
	{ "critical extension that no ceiling names", false, s_critical, NULL, EXTENSION "2, or not with that criticality" },
	{ "QC statements while not allowed", false, s_qc, NULL, QUALIFIED },
	{ "serverAuth while not allowed", false, s_server, NULL, PURPOSE },
	{ "codeSigning while not allowed", false, s_code, NULL, PURPOSE },
	{ "timeStamping while not allowed", false, s_time, NULL, PURPOSE },
	{ "documentSigning while not allowed", false, s_document, NULL, PURPOSE },
	{ "name constraints of a CA", false, s_constraints, NULL, "lint-is-ca", "CA:TRUE" },
	{ "name constraints without CA", false, s_constraints, b_constraints_alone, "", "" },
	{ "deltas of its CRL", false, s_deltas, NULL, NULL, NULL },
	{ "deltas of its partition", false, s_deltas_partition, NULL, NULL, NULL },
	{ "deltas of another partition", false, s_deltas_other, NULL, DELTAS },
	{ "deltas of the full list", false, s_deltas_full, NULL, DELTAS },
	{ "CRL and deltas of another CA", false, s_deltas_other_ca, NULL, "signer-crl-place", "does not name the CRL of the CA uno" },
	{ "deltas on another host", false, s_deltas_host, NULL, DELTAS },
	{ "the complete list as its deltas", false, s_deltas_are_complete, NULL, DELTAS },
	{ "freshestCRL that is none", false, s_dns_of_issuer, b_freshest, "cert-form", "freshestCRL" },
	{ "deltas of a minister's", true, s_deltas, NULL, "lint-freshest-kind", "another certificate than a holder's" },
}, wide[] = {
	{ "host name", false, s_dns, NULL, NULL, NULL },
	{ "host name of the issuer", false, s_dns_of_issuer, NULL, NULL, NULL },
	{ "IP address", false, s_ip, NULL, NULL, NULL },
	{ "URI", false, s_uri, NULL, NULL, NULL },
	{ "directory name", false, s_directory, NULL, NULL, NULL },
	{ "extension of the ceilings", false, s_private, NULL, NULL, NULL },
	{ "critical extension of the ceilings", false, s_critical, NULL, NULL, NULL },
	{ "critical where the ceiling says not", false, s_private_critical, NULL, EXTENSION "1, or not with that criticality" },
	{ "not critical where the ceiling says so", false, s_not_critical, NULL, EXTENSION "2, or not with that criticality" },
	{ "another extension beside", false, s_another_beside, NULL, EXTENSION "3, or not with that criticality" },
	{ "QC statements", false, s_qc, NULL, NULL, NULL },
	{ "serverAuth", false, s_server, NULL, NULL, NULL },
	{ "codeSigning", false, s_code, NULL, NULL, NULL },
	{ "documentSigning", false, s_document, NULL, NULL, NULL },
	{ "timeStamping", false, s_time, NULL, NULL, NULL },
	{ "timeStamping, not critical", false, s_time_not_critical, NULL, "lint-eku-time", "not alone and critical" },
	{ "timeStamping beside clientAuth", false, s_time_beside, NULL, "lint-eku-time", "not alone and critical" },
	{ "name constraints of a CA", false, s_constraints, NULL, "lint-is-ca", "CA:TRUE" },

	{ "minister with a host name", true, s_dns, NULL, KIND },
	{ "minister with an extension", true, s_private, NULL, "lint-extension", "no profile here has" },
	{ "minister with a critical extension", true, s_critical, NULL, "cert-critical", "not known here" },
	{ "minister with QC statements", true, s_qc, NULL, QUALIFIED },
};
/* clang-format on */

static void
run(struct world *w, const struct row *r, size_t n)
{
	char id[32];
	struct wish x;
	struct bytes der;
	struct err refusal = { .id = "" };

	snprintf(id, sizeof(id), "NOM-2026-%06zu", 500 + n);
	if (r->minister)
		wish_minister(w, &x, id, "14-0", "60100003-2", w->stranger);
	else
		wish_holder(w, &x, 0);
	wish_build(w, &x, r->spec, NULL, r->bytes);
	enum err_code code = wish_ask(w, &x, &der, &refusal);
	if (r->id == NULL && code != ERR_OK)
		fail_msg("row \"%s\": %s: %s", r->name, refusal.id,
		    refusal.say);
	if (r->id != NULL &&
	    (code == ERR_OK || strncmp(refusal.id, r->id, strlen(r->id)) != 0 ||
		strstr(refusal.say, r->say) == NULL))
		fail_msg("row \"%s\": %s %s: %s", r->name, err_code_name(code),
		    refusal.id, refusal.say);
	if (code == ERR_OK) {
		struct cert c;
		OK(cert_parse_own(der, &c, e));
		assert_true(bytes_eq(c.tbs, x.tbs));
	}
}

static void
usual_ceilings(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		run(w, &usual[i], i);
	world_free(w);
}

static void
wide_ceilings(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_init(w);
	struct ceilings *top = &w->ceilings;
	top->names = UINT16_MAX;
	top->qc_statements = true;
	top->eku = UINT32_MAX;
	OK(oid_parse(bytes_str(PRIVATE), &top->extension[0].oid, e));
	OK(oid_parse(bytes_str(CRITICAL), &top->extension[1].oid, e));
	top->extension[1].critical = true;
	top->n_extension = 2;
	world_start(w);
	world_appoint(w);
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		run(w, &wide[i], i);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_ceilings),
		cmocka_unit_test(wide_ceilings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
