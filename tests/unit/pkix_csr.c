/* PKCS #10: what openssl req makes, what is not DER, what is not a request. */
#include "unit/pkix_help.h"

#define REQ "openssl req -new -nodes -keyout k.pem -subj /CN=Ana -out r "

/* clang-format off */
static const struct {
	const char *name, *command;
	enum key_type type;
} good[] = {
	{ "P-256",       REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256", KEY_EC_P256 },
	{ "P-384",       REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-384", KEY_EC_P384 },
	{ "P-384 and SHA-384", REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384", KEY_EC_P384 },
	{ "P-256 and SHA-512", REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha512", KEY_EC_P256 },
	{ "RSA 2048",    REQ "-newkey rsa:2048", KEY_RSA_2048 },
	{ "RSA 3072",    REQ "-newkey rsa:3072", KEY_RSA_3072 },
	{ "RSA 4096",    REQ "-newkey rsa:4096 -sha512", KEY_RSA_4096 },
	{ "Ed25519",     REQ "-newkey ed25519", KEY_ED25519 },
	{ "RSA and PSS", REQ "-newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest", KEY_RSA_2048 },
	{ "RSA and PSS with SHA-512", REQ "-newkey rsa:2048 -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest", KEY_RSA_2048 },
	{ "RSA-PSS",     REQ "-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -sigopt rsa_pss_saltlen:digest", KEY_RSA_PSS_2048 },
	{ "RSA-PSS for SHA-384", REQ "-newkey rsa-pss -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48 -sha384 -sigopt rsa_pss_saltlen:digest", KEY_RSA_PSS_3072 },
	{ "ML-DSA-44",   REQ "-newkey ml-dsa-44", KEY_ML_DSA_44 },
	{ "ML-DSA-65",   REQ "-newkey ml-dsa-65", KEY_ML_DSA_65 },
	{ "ML-DSA-87",   REQ "-newkey ml-dsa-87", KEY_ML_DSA_87 },
	{ "DER",         REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -outform DER", KEY_EC_P256 },
	{ "NEW in the label", REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -newhdr", KEY_EC_P256 },
	{ "text before it", REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -text", KEY_EC_P256 },
	{ "extensions",  REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -addext subjectAltName=DNS:x.example,IP:1.2.3.4 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign", KEY_EC_P256 },
	{ "no subject",  "openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout k.pem -subj / -out r", KEY_EC_P256 },
};
/* clang-format on */

static void
openssl_requests(void **state)
{
	struct dir d = dir_new();
	AUTO(verifier) v = NULL;
	struct err e;
	size_t i;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (i = 0; i < ARRAY_LEN(good); i++) {
		if (!key_type_here(good[i].type))
			continue;
		struct buf in AUTO_BUF = BUF(1 << 16);
		struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct csr r;
		enum err_code code;

		must_run(&d, good[i].name, good[i].command);
		dir_read(&d, "r", &in);
		code = csr_parse(buf_bytes(&in), &scratch, &r, &e);
		if (code != ERR_OK)
			print_error("%s\n", e.say);
		ROW(code == ERR_OK, good[i].name);
		ROW(r.type == good[i].type, good[i].name);
		ROW(csr_prove(&r, v, &e) == ERR_OK, good[i].name);
	}
	dir_remove(&d);
}

/* Ours, for openssl and for ourselves. */
static void
own_requests(void **state)
{
	struct dir d = dir_new();
	AUTO(verifier) v = NULL;
	struct err e;
	unsigned t;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	for (t = 0; t < KEY_TYPES; t++) {
		AUTO(key) k = NULL;
		struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct csr r;

		if (t == KEY_RSA_PSS_3072 || t == KEY_RSA_PSS_4096 ||
		    !key_type_here((enum key_type)t))
			continue;

		if (t == KEY_RSA_4096)
			continue;
		OK(key_generate((enum key_type)t, &k, &e), &e);
		OK(csr_build(k, "Mar\303\255a", &der, &e), &e);
		dir_write(&d, "r.der", buf_bytes(&der));
		must_run(&d, key_type_name((enum key_type)t),
		    "openssl req -in r.der -inform DER -verify -noout");
		OK(csr_parse(buf_bytes(&der), &scratch, &r, &e), &e);
		OK(csr_prove(&r, v, &e), &e);
		assert_true(bytes_eq(r.spki, key_spki(k)));
		der.p[der.len - 1] ^= 1;
		OK(csr_parse(buf_bytes(&der), &scratch, &r, &e), &e);
		refused("spoilt signature", csr_prove(&r, v, &e), &e,
		    ERR_INVALID, "csr-signature", "not signed by the key");
	}
	dir_remove(&d);
}

/* --- Eleven ways not to be DER ------------------------------------------------- */

/*
 * A small writer of TLVs whose forms can be spoilt one at a time: mutation m
 * applies where the walk below asks for it.
 */
enum mutation {
	NONE,
	LONG_OUTER,      /* outer length in one octet more than it needs */
	LONG_IN_NAME,    /* the same inside the subject */
	LONG_IN_EXT,     /* the same inside an extension's value */
	INDEFINITE,      /* indefinite length of the attributes */
	VERSION_PADDED,  /* INTEGER 00 00 */
	BOOLEAN_01,      /* critical: TRUE as 01 */
	BOOLEAN_IN_EXT,  /* cA: TRUE as 01, inside the extension's value */
	DEFAULT_WRITTEN, /* critical: FALSE, which is the default */
	BITS_PADDING,    /* unused bits that are not zero */
	CONSTRUCTED,     /* the subject's string in pieces */
	SET_ORDER,       /* two attributes in descending order */
	HIGH_TAG,        /* a tag in two octets */
	TRAILING,        /* an octet after the end */
	EXT_TRAILING,    /* an octet after the end of an extension's value */
	MUTATIONS
};

/* clang-format off */
static const struct {
	const char *name, *id, *say;
} mutants[MUTATIONS] = {
	[LONG_OUTER] =      { "long outer length", "csr-not-der", "(der-length)" },
	[LONG_IN_NAME] =    { "long length in the name", "csr-not-der", "(der-length)" },
	[LONG_IN_EXT] =     { "long length in an extension", "csr-not-der", "(der-length)" },
	[INDEFINITE] =      { "indefinite length", "csr-not-der", "(der-length)" },
	[VERSION_PADDED] =  { "padded INTEGER", "csr-not-der", "(der-integer)" },
	[BOOLEAN_01] =      { "BOOLEAN 01", "csr-not-der", "(der-boolean)" },
	[BOOLEAN_IN_EXT] =  { "BOOLEAN 01 in an extension", "csr-not-der", "(der-boolean)" },
	[DEFAULT_WRITTEN] = { "DEFAULT written", "csr-form", "malformed in its extensions" },
	[BITS_PADDING] =    { "padding bits", "csr-not-der", "(der-bits)" },
	[CONSTRUCTED] =     { "constructed string", "csr-not-der", "(der-constructed)" },
	[SET_ORDER] =       { "unordered SET", "csr-not-der", "(der-set-order)" },
	[HIGH_TAG] =        { "tag of two octets", "csr-not-der", "(der-tag)" },
	[TRAILING] =        { "trailing octet", "csr-trailing", "follows the end of the request" },
	[EXT_TRAILING] =    { "trailing octet in an extension", "csr-not-der", "(der-trailing)" },
};
/* clang-format on */

/* As der_wrap, with a length one octet longer than minimal. */
static void
wrap_long(struct der_w *w, uint8_t tag, size_t mark)
{
	size_t len = mark - w->at;
	uint8_t head[4] = { tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len };

	if (len < 0x80) {
		head[1] = 0x81;
		head[2] = (uint8_t)len;
		der_raw(w, bytes_of(head, 3));
	} else {
		head[1] = 0x83;
		der_raw(w, bytes_of(head + 3, 1));
		der_raw(w, bytes_of(head + 2, 1));
		head[2] = 0;
		der_raw(w, bytes_of(head, 3));
	}
}

static void
put_extension(struct der_w *w, enum mutation m)
{
	static const uint8_t stray = 0, basic_01[] = { 1, 1, 1 };
	size_t ext = der_mark(w);

	if (m == EXT_TRAILING)
		der_raw(w, bytes_of(&stray, 1));
	if (m == BOOLEAN_IN_EXT)
		der_raw(w, bytes_of(basic_01, 3));
	else
		der_put_bool(w, true);
	if (m == LONG_IN_EXT)
		wrap_long(w, DER_SEQUENCE, ext);
	else
		der_wrap(w, DER_SEQUENCE, m == EXT_TRAILING ? ext - 1 : ext);
	der_wrap(w, DER_OCTET_STRING, ext);
	if (m == BOOLEAN_01)
		der_raw(w, bytes_of(basic_01, 3));
	else
		der_put_bool(w, m != DEFAULT_WRITTEN);
	der_put_oid(w, oid_known(OID_EXT_BASIC));
	der_wrap(w, DER_SEQUENCE, ext);
}

static void
put_attributes(struct der_w *w, enum mutation m)
{
	static const uint8_t request[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x09, 0x0e };
	static const uint8_t end[] = { 0, 0 }, begin[] = { 0xa0, 0x80 };
	size_t all = der_mark(w), mark;

	if (m == INDEFINITE)
		der_raw(w, bytes_of(end, 2));
	mark = der_mark(w);
	put_extension(w, m);
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_SET, mark);
	der_put_oid(w, bytes_of(request, sizeof(request)));
	der_wrap(w, DER_SEQUENCE, mark);
	if (m == INDEFINITE)
		der_raw(w, bytes_of(begin, 2));
	else
		der_wrap(w, DER_CONTEXT_CONS(0), all);
}

static void
put_attribute(struct der_w *w, enum pkix_oid type, const char *v,
    enum mutation m)
{
	size_t mark = der_mark(w);

	der_put(w, DER_UTF8_STRING, bytes_str(v));
	if (m == CONSTRUCTED)
		der_wrap(w, DER_UTF8_STRING | 0x20, mark);
	if (m == HIGH_TAG) {
		static const uint8_t high[] = { 0x1f, 0x0c };

		w->at = mark;
		der_raw(w, bytes_str(v));
		der_put(w, DER_UTF8_STRING, BYTES_NONE);
		w->at += 1;
		w->start[w->at] = (uint8_t)strlen(v);
		der_raw(w, bytes_of(high, 2));
	}
	der_put_oid(w, oid_known(type));
	if (m == LONG_IN_NAME)
		wrap_long(w, DER_SEQUENCE, mark);
	else
		der_wrap(w, DER_SEQUENCE, mark);
}

static void
put_subject(struct der_w *w, enum mutation m)
{
	size_t mark = der_mark(w);

	/* One RDN of two attributes; O has the greater identifier. */
	put_attribute(w, m == SET_ORDER ? OID_CN : OID_O, "Ana", m);
	put_attribute(w, m == SET_ORDER ? OID_O : OID_CN, "Ana", NONE);
	der_wrap(w, DER_SET, mark);
	der_wrap(w, DER_SEQUENCE, mark);
}

static void
build(struct key *k, enum mutation m, struct buf *out)
{
	static const uint8_t padded[] = { 2, 2, 0, 0 }, stray = 0;
	struct buf sig AUTO_BUF = BUF(SIG_MAX + 1);
	uint8_t memory[2048];
	struct der_w w = der_w_of(memory, sizeof(memory));
	struct bytes info, der;
	struct err e;
	size_t mark;

	put_attributes(&w, m);
	der_raw(&w, key_spki(k));
	put_subject(&w, m);
	if (m == VERSION_PADDED)
		der_raw(&w, bytes_of(padded, sizeof(padded)));
	else
		der_put_uint(&w, 0);
	der_wrap(&w, DER_SEQUENCE, sizeof(memory));
	OK(der_w_end(&w, &info, &e), &e);
	OK(key_sign(k, info, &sig, &e), &e);
	mark = w.at;
	(void)mark;
	{
		uint8_t whole[4096];
		struct der_w o = der_w_of(whole, sizeof(whole));
		size_t end;

		if (m == TRAILING)
			der_raw(&o, bytes_of(&stray, 1));
		end = der_mark(&o);
		if (m == BITS_PADDING) {
			sig.p[sig.len - 1] |= 1;
			der_put_bits(&o, 1, buf_bytes(&sig));
		} else {
			der_put_bits(&o, 0, buf_bytes(&sig));
		}
		der_raw(&o, key_type_sigalg(key_type(k)));
		der_raw(&o, info);
		if (m == LONG_OUTER)
			wrap_long(&o, DER_SEQUENCE, end);
		else
			der_wrap(&o, DER_SEQUENCE, end);
		OK(der_w_end(&o, &der, &e), &e);
		buf_put(out, der.p, der.len);
	}
	assert_false(out->failed);
}

static void
incident_14_not_der(void **state)
{
	AUTO(verifier) v = NULL;
	AUTO(key) k = NULL;
	struct err e;
	unsigned m;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	OK(key_generate(KEY_EC_P256, &k, &e), &e);
	for (m = NONE; m < MUTATIONS; m++) {
		struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
		struct csr r;

		build(k, (enum mutation)m, &der);
		if (m == NONE) {
			OK(csr_parse(buf_bytes(&der), &scratch, &r, &e), &e);
			OK(csr_prove(&r, v, &e), &e);
			continue;
		}
		refused(mutants[m].name,
		    csr_parse(buf_bytes(&der), &scratch, &r, &e), &e,
		    ERR_INVALID, mutants[m].id, mutants[m].say);
		if (strcmp(mutants[m].id, "csr-not-der") == 0)
			ROW(e.where.byte > 0 && e.where.byte <= der.len,
			    mutants[m].name);
	}
}

/* Cut off anywhere, with anything after it, with any octet spoilt. */
static void
every_cut_is_refused(void **state)
{
	struct buf der AUTO_BUF = BUF(CSR_MAX_BYTES);
	AUTO(verifier) v = NULL;
	AUTO(key) k = NULL;
	struct csr r;
	struct err e;
	size_t i;

	(void)state;
	OK(verifier_new(&v, &e), &e);
	OK(key_generate(KEY_EC_P256, &k, &e), &e);
	OK(csr_build(k, "Ana", &der, &e), &e);
	for (i = 0; i < der.len; i++) {
		struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);

		assert_int_equal(csr_parse(bytes_of(der.p, i), &scratch, &r,
				     &e),
		    ERR_INVALID);
		assert_true(strlen(e.say) > 10);
		der.p[i] ^= 0x04;
		if (csr_parse(buf_bytes(&der), &scratch, &r, &e) == ERR_OK)
			assert_int_equal(csr_prove(&r, v, &e), ERR_INVALID);
		der.p[i] ^= 0x04;
	}
}

/* --- What is no request ---------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name, *command;
} private_keys[] = {
	{ "PKCS #8 in PEM",   "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out r" },
	{ "PKCS #8 in DER",   "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out r" },
	{ "encrypted, PEM",   "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:xyzxyz -out r" },
	{ "encrypted, DER",   "openssl pkcs8 -topk8 -in e.pem -passout pass:xyzxyz -outform DER -out r" },
	{ "SEC 1 in PEM",     "openssl ec -in e.pem -out r" },
	{ "SEC 1 in DER",     "openssl ec -in e.pem -outform DER -out r" },
	{ "PKCS #1 in PEM",   "openssl rsa -in rsa.pem -traditional -out r" },
	{ "PKCS #1 in DER",   "openssl rsa -in rsa.pem -traditional -outform DER -out r" },
	{ "PKCS #12",         "openssl pkcs12 -export -inkey e.pem -nocerts -passout pass:xyzxyz -out r" },
};

static const char jwk[] = " \n{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\",\"d\":\"AA\"}";
static const char both[] = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
	"-----END CERTIFICATE REQUEST-----\n-----BEGIN RSA PRIVATE KEY-----\n";
/* clang-format on */

static void
refused_key(const char *row, struct bytes in)
{
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct csr r;
	struct err e;

	refused(row, csr_parse(in, &scratch, &r, &e), &e, ERR_INVALID,
	    "csr-private-key", "never send it to anyone");
	ROW(scratch.len == 0, row);
}

static void
incident_42_private_keys(void **state)
{
	struct dir d = dir_new();
	size_t i;

	(void)state;
	must_run(&d, "make",
	    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
	    "-out e.pem");
	must_run(&d, "make",
	    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 "
	    "-out rsa.pem");
	for (i = 0; i < ARRAY_LEN(private_keys); i++) {
		struct buf in AUTO_BUF = BUF(1 << 16);

		must_run(&d, private_keys[i].name, private_keys[i].command);
		dir_read(&d, "r", &in);
		refused_key(private_keys[i].name, buf_bytes(&in));
	}
	refused_key("JWK", bytes_str(jwk));
	refused_key("a request and a key", bytes_str(both));
	dir_remove(&d);
}

/* clang-format off */
static const struct {
	const char *name, *command;
	enum err_code code;
	const char *id, *say;
} refusals[] = {
	{ "RSA 1024",     REQ "-newkey rsa:1024", ERR_DENIED, "key-weak-size", "has 1024 bits" },
	{ "RSA 2560",     REQ "-newkey rsa:2560", ERR_DENIED, "key-weak-size", "has 2560 bits" },
	{ "exponent 3",   REQ "-newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3", ERR_DENIED, "key-weak-exponent", "not 65537" },
	{ "secp256k1",    REQ "-newkey ec -pkeyopt ec_paramgen_curve:secp256k1", ERR_INVALID, "spki-curve", "P-256 or P-384" },
	{ "P-521",        REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-521", ERR_INVALID, "spki-curve", "P-256 or P-384" },
	{ "explicit curve", REQ "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", ERR_INVALID, "spki-curve", "P-256 or P-384" },
	{ "SHA-1",        REQ "-newkey rsa:2048 -sha1", ERR_INVALID, "csr-algorithm", "not allowed" },
	{ "MD5",          REQ "-newkey rsa:2048 -md5", ERR_INVALID, "csr-algorithm", "not allowed" },
	{ "PSS with the longest salt", REQ "-newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:222", ERR_INVALID, "csr-algorithm", "(rsa_pss_saltlen:digest)" },
	{ "PSS with SHA-1", REQ "-newkey rsa:2048 -sha1 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest", ERR_INVALID, "csr-algorithm", "not allowed" },
	{ "PSS with another MGF1", REQ "-newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sigopt rsa_mgf1_md:sha512", ERR_INVALID, "csr-algorithm", "not allowed" },
	{ "a certificate", "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=A -outform DER -out r", ERR_INVALID, "csr-version", "only version 1" },
	{ "a certificate in PEM", "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=A -out r", ERR_INVALID, "pem-missing", "CERTIFICATE REQUEST" },
	{ "a public key", "openssl pkey -in k.pem -pubout -outform DER -out r", ERR_INVALID, "csr-form", "malformed" },
};
/* clang-format on */

static void
not_accepted(void **state)
{
	struct dir d = dir_new();
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	static uint8_t big[CSR_MAX_BYTES + 1] = { 0x30 };
	struct csr r;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(refusals); i++) {
		struct buf in AUTO_BUF = BUF(1 << 16);

		must_run(&d, refusals[i].name, refusals[i].command);
		dir_read(&d, "r", &in);
		refused(refusals[i].name,
		    csr_parse(buf_bytes(&in), &scratch, &r, &e), &e,
		    refusals[i].code, refusals[i].id, refusals[i].say);
	}
	refused("too large",
	    csr_parse(bytes_of(big, sizeof(big)), &scratch, &r, &e), &e,
	    ERR_INVALID, "csr-too-large", "longer than 16384 octets");
	refused("empty", csr_parse(BYTES_NONE, &scratch, &r, &e), &e,
	    ERR_INVALID, "csr-form", "malformed");
	refused("cut off",
	    csr_parse(bytes_str("-----BEGIN CERTIFICATE REQUEST-----\nMII"),
		&scratch, &r, &e),
	    &e, ERR_INVALID, "pem-end", "the file is cut off");
	refused("no base64",
	    csr_parse(bytes_str("-----BEGIN CERTIFICATE REQUEST-----\n*\n"
				"-----END CERTIFICATE REQUEST-----\n"),
		&scratch, &r, &e),
	    &e, ERR_INVALID, "pem-base64", "no valid base64");
	dir_remove(&d);
}

/*
 * Row 16: whatever the request says about its subject, the struct that leaves
 * this folder has no field for it.  The builder is given the key alone.
 */
static void
incident_16_only_the_key(void **state)
{
	struct dir d = dir_new();
	struct buf in AUTO_BUF = BUF(1 << 16);
	struct buf scratch AUTO_BUF = BUF(CSR_MAX_BYTES);
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert_spec spec;
	struct test_ca ca;
	struct cert c;
	struct csr r;
	struct err e;

	(void)state;
	must_run(&d, "hostile",
	    "openssl req -new -nodes -keyout k.pem -newkey ec -pkeyopt "
	    "ec_paramgen_curve:P-256 -out r -subj "
	    "/ST=Some-State/O=Evil/CN=Mallory -addext "
	    "subjectAltName=DNS:evil.example -addext "
	    "basicConstraints=critical,CA:TRUE -addext "
	    "keyUsage=critical,keyCertSign");
	dir_read(&d, "r", &in);
	OK(csr_parse(buf_bytes(&in), &scratch, &r, &e), &e);
	test_ca_init(&ca, KEY_EC_P256);
	build_name(&name, "Ana P\303\251rez");
	holder_spec(&spec, &ca, buf_bytes(&name), r.spki);
	sign_cert(ca.key, &spec, &der);
	OK(cert_parse(buf_bytes(&der), &c, &e), &e);
	assert_false(c.is_ca);
	assert_null(memmem(der.p, der.len, "Evil", 4));
	assert_null(memmem(der.p, der.len, "Some-State", 10));
	assert_null(memmem(der.p, der.len, "Mallory", 7));
	assert_null(memmem(der.p, der.len, "evil.example", 12));
	test_ca_fini(&ca);
	dir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_requests),
		cmocka_unit_test(own_requests),
		cmocka_unit_test(incident_14_not_der),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(incident_16_only_the_key),
		cmocka_unit_test(incident_42_private_keys),
		cmocka_unit_test(not_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
