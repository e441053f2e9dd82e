/*
 * CRLs that arrive in pieces, and the kinds that are told apart by critical
 * extensions: what the stream says is what the whole list says, wherever it
 * was cut (INCIDENTS 47, 61, 62).
 */
#include "crl_world.h"

#define PART  "http://crl.example.org/crl/shared/7.crl"
#define DELTA "http://crl.example.org/crl/shared/7-delta.crl"

static const uint8_t r1[2] = { 0x02, 0x01 };
/* clang-format off */
static const struct crl_entry removed[] = {
	{ SERIAL(s0), 1795000000, CRL_HOLD, 0 },
	{ SERIAL(r1), 1795000100, CRL_REMOVE, 0 },
};
/* clang-format on */

struct kind {
	const char *name, *url, *freshest;
	uint64_t base;
	const struct crl_entry *v;
	size_t n;
};
static const struct kind kinds[] = {
	{ "full", "", "", 0, entries, ARRAY_LEN(entries) },
	{ "empty", "", "", 0, NULL, 0 },
	{ "full with deltas", "", DELTA, 0, entries, 1 },
	{ "partition", PART, DELTA, 0, entries, 3 },
	{ "empty partition", PART, "", 0, NULL, 0 },
	{ "delta", "", "", 6, removed, 2 },
	{ "delta of a partition", PART, "", 1, removed, 2 },
	{ "empty delta", PART, "", 6, NULL, 0 },
};

static struct crl_spec
spec_of(const struct world *w, const struct kind *k)
{
	struct crl_spec spec = usual(w, &w->ca);
	spec.url = bytes_str(k->url);
	spec.freshest = bytes_str(k->freshest);
	spec.base = k->base;
	return spec;
}

static void
build_kind(const struct world *w, const struct kind *k, struct buf *tbs)
{
	struct list l = { .v = k->v, .n = k->n };
	struct crl_source source = source_of(&l);
	struct crl_spec spec = spec_of(w, k);
	struct err e;
	OK(crl_build_tbs(&spec, &source, tbs, &e), &e);
}

static enum err_code
count_entry(void *ctx, const struct crl_entry *x, struct err *e)
{
	size_t *sum = ctx;
	(void)e;
	*sum += (size_t)x->revoked_at + x->serial.len + (size_t)x->reason;
	return ERR_OK;
}

/* Pieces that end at a, at b and at the end. */
static enum err_code
feed(struct bytes tbs, size_t a, size_t b, struct crl_stream *s,
    struct crl *out, struct err *e)
{
	TRY(crl_stream_put(s, bytes_of(tbs.p, a), e));
	TRY(crl_stream_put(s, bytes_of(tbs.p + a, b - a), e));
	TRY(crl_stream_put(s, bytes_of(tbs.p + b, tbs.len - b), e));
	return crl_stream_end(s, out, e);
}

static void
same(const struct crl *a, const struct crl *b, const char *name)
{
	ROW(bytes_eq(a->issuer, b->issuer), name);
	ROW(bytes_eq(a->sigalg, b->sigalg), name);
	ROW(bytes_eq(a->aki, b->aki), name);
	ROW(bytes_eq(a->url, b->url), name);
	ROW(bytes_eq(a->freshest, b->freshest), name);
	ROW(a->number == b->number && a->base == b->base, name);
	ROW(a->this_update == b->this_update, name);
	ROW(a->next_update == b->next_update, name);
}

static void
cut_at_every_octet(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct buf tbs AUTO_BUF = BUF(1 << 16);
		struct crl whole, c;
		struct err e;
		size_t want = 0;
		build_kind(w, &kinds[i], &tbs);
		OK(crl_tbs_parse(buf_bytes(&tbs), &whole, &e), &e);
		for (size_t n = 0; n < kinds[i].n; n++)
			OK(count_entry(&want, &kinds[i].v[n], &e), &e);
		for (size_t at = 0; at <= tbs.len; at++) {
			AUTO(crl_stream) s = NULL;
			size_t got = 0, next = at + at % 7;
			OK(crl_stream_new(count_entry, &got, &s, &e), &e);
			OK(feed(buf_bytes(&tbs), at,
			       next > tbs.len ? tbs.len : next, s, &c, &e),
			    &e);
			same(&whole, &c, kinds[i].name);
			ROW(got == want, kinds[i].name);
			ROW(crl_stream_entries(s) == kinds[i].n, kinds[i].name);
		}
	}
}

static void
octet_by_octet(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		AUTO(crl_stream) s = NULL;
		struct buf tbs AUTO_BUF = BUF(1 << 16);
		struct crl whole, c;
		struct err e;
		build_kind(w, &kinds[i], &tbs);
		OK(crl_tbs_parse(buf_bytes(&tbs), &whole, &e), &e);
		OK(crl_stream_new(NULL, NULL, &s, &e), &e);
		for (size_t at = 0; at < tbs.len; at++) {
			ROW(crl_stream_end(s, &c, &e) == ERR_INVALID,
			    kinds[i].name);
			OK(crl_stream_put(s, bytes_of(tbs.p + at, 1), &e), &e);
		}
		OK(crl_stream_end(s, &c, &e), &e);
		same(&whole, &c, kinds[i].name);
		assert_int_equal(crl_stream_put(s, bytes_of("x", 1), &e),
		    ERR_INVALID);
		assert_int_equal(crl_stream_end(s, &c, &e), ERR_INVALID);
	}
}

/* One octet changed: whoever reads the whole and whoever reads pieces agree. */
static void
changed_octets(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct buf tbs AUTO_BUF = BUF(1 << 16);
		build_kind(w, &kinds[i], &tbs);
		for (size_t at = 0; at < tbs.len * 3; at++) {
			static const uint8_t flips[] = { 0x01, 0x80, 0x20 };
			struct crl a, b;
			struct err e;
			AUTO(crl_stream) s = NULL;
			uint8_t *p = tbs.p + at / 3;
			*p ^= flips[at % 3];
			OK(crl_stream_new(NULL, NULL, &s, &e), &e);
			enum err_code whole =
			    crl_tbs_parse(buf_bytes(&tbs), &a, &e);
			enum err_code pieces =
			    feed(buf_bytes(&tbs), at / 5, at / 3, s, &b, &e);
			ROW((whole == ERR_OK) == (pieces == ERR_OK),
			    kinds[i].name);
			if (whole == ERR_OK)
				same(&a, &b, kinds[i].name);
			*p ^= flips[at % 3];
		}
	}
}

/* A list of 30,000 in blocks of the smallest size, by both ways. */
static enum err_code
put_stream(void *ctx, struct bytes block, struct err *e)
{
	assert_true(block.len <= CRL_BLOCK_MIN);
	return crl_stream_put(ctx, block, e);
}

static void
blocks(void **state)
{
	enum { N = 30000 };
	struct world *w = *state;
	uint8_t(*serials)[20] = calloc(N, 20), block[CRL_BLOCK_MIN];
	struct crl_entry *v = calloc(N, sizeof(*v));
	AUTO(crl_stream) s = NULL;
	struct crl_plan plan;
	struct crl c;
	struct err e;
	assert_non_null(serials);
	assert_non_null(v);
	for (size_t i = 0; i < N; i++) {
		be64_print(serials[i], (UINT64_C(0x60) << 56) + i * 977);
		v[i] = (struct crl_entry){ bytes_of(serials[i], 20),
			INT64_C(1795000000) + (int64_t)i * 977, (int)(i % 6),
			i % 5 == 0 ? 1790000000 : 0 };
	}
	struct list l = { .v = v, .n = N };
	struct crl_source source = source_of(&l);
	struct crl_spec spec = spec_of(w, &kinds[3]);
	OK(crl_stream_new(NULL, NULL, &s, &e), &e);
	struct crl_sink sink = { s, put_stream, block, sizeof(block) };
	OK(crl_plan(&spec, &source, &plan, &e), &e);
	assert_int_equal(plan.entries, N);
	OK(crl_write(&spec, &plan, &source, &sink, &e), &e);
	OK(crl_stream_end(s, &c, &e), &e);
	assert_int_equal(crl_stream_entries(s), N);
	struct buf tbs AUTO_BUF = BUF(CRL_MAX_BYTES);
	OK(crl_build_tbs(&spec, &source, &tbs, &e), &e);
	assert_int_equal(tbs.len, plan.length);
	free(serials);
	free(v);
}

static enum err_code
refuse_entry(void *ctx, const struct crl_entry *x, struct err *e)
{
	(void)ctx;
	return x->reason == CRL_KEY_COMPROMISE
		   ? err_say(e, ERR_DENIED, "test-no", "not this one")
		   : ERR_OK;
}

/* --- What is refused ------------------------------------------------------------ */

static void
listener_refuses(void **state)
{
	struct world *w = *state;
	AUTO(crl_stream) s = NULL;
	struct buf tbs AUTO_BUF = BUF(1 << 16);
	struct crl c;
	struct err e;
	build_kind(w, &kinds[0], &tbs);
	OK(crl_stream_new(refuse_entry, NULL, &s, &e), &e);
	refused("listener", feed(buf_bytes(&tbs), 3, 9, s, &c, &e), &e,
	    ERR_DENIED, "test-no", "not this one");
	assert_int_equal(crl_stream_put(s, bytes_of("x", 1), &e), ERR_INVALID);
}

/* removeFromCRL stands in deltas only (INCIDENTS 47). */
static void
incident_47_remove(void **state)
{
	struct world *w = *state;
	struct list l = { .v = removed, .n = 2 };
	struct crl_source source = source_of(&l);
	struct crl_spec spec = usual(w, &w->ca);
	struct buf tbs AUTO_BUF = BUF(1 << 16);
	struct err e;
	refused("full", crl_build_tbs(&spec, &source, &tbs, &e), &e,
	    ERR_CORRUPT, "crl-entry-reason", "or 8 outside a delta");
	/* A list whose delta indicator is turned into another extension. */
	buf_reset(&tbs);
	build_kind(w, &kinds[5], &tbs);
	struct crl c;
	static const uint8_t oid[] = { 0x55, 0x1d, 0x1b };
	uint8_t *at = memmem(tbs.p, tbs.len, oid, sizeof(oid));
	assert_non_null(at);
	OK(crl_tbs_parse(buf_bytes(&tbs), &c, &e), &e);
	at[2] = 0x1c;
	assert_int_equal(crl_tbs_parse(buf_bytes(&tbs), &c, &e), ERR_INVALID);
}

static void
bad_scopes(void **state)
{
	struct world *w = *state;
	char long_url[CRL_URL_MAX + 2];
	struct list l = { .n = 0 };
	struct crl_source source = source_of(&l);
	struct buf tbs AUTO_BUF = BUF(1 << 16);
	const char *say = "with an address that is too long, or a delta that "
			  "rests on no earlier CRL or names another delta";
	struct err e;
	memset(long_url, 'a', sizeof(long_url));
	long_url[sizeof(long_url) - 1] = '\0';
	const struct kind rows[] = {
		{ "url", long_url, "", 0, NULL, 0 },
		{ "freshest", "", long_url, 0, NULL, 0 },
		{ "base is itself", "", "", 7, NULL, 0 },
		{ "base is later", "", "", 8, NULL, 0 },
		{ "delta of a delta", "", DELTA, 6, NULL, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct crl_spec spec = spec_of(w, &rows[i]);
		refused(rows[i].name, crl_build_tbs(&spec, &source, &tbs, &e),
		    &e, ERR_INVALID, "crl-spec-scope", say);
	}
}

/* --- What others read ------------------------------------------------------------ */

static void
openssl_reads_kinds(void **state)
{
	static const struct {
		size_t kind;
		const char *say[4];
	} rows[] = {
		{ 3, { "X509v3 Issuing Distribution Point: critical", PART,
			 "X509v3 Freshest CRL", DELTA } },
		{ 6, { "X509v3 Delta CRL Indicator: critical", PART,
			 "Remove From CRL", "Certificate Hold" } },
	};
	struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf tbs AUTO_BUF = BUF(1 << 16);
		struct buf der AUTO_BUF = BUF(1 << 16);
		struct buf out AUTO_BUF = BUF(1 << 16);
		build_kind(w, &kinds[rows[i].kind], &tbs);
		sign_tbs(&w->ca, buf_bytes(&tbs), &der);
		dir_write(&w->dir, "c.crl", buf_bytes(&der));
		must_run(&w->dir, kinds[rows[i].kind].name,
		    "openssl crl -inform DER -in c.crl -text -CAfile ca.pem");
		dir_read(&w->dir, "out", &out);
		for (size_t j = 0; j < ARRAY_LEN(rows[i].say); j++)
			ROW(strstr(buf_text(&out), rows[i].say[j]) != NULL,
			    rows[i].say[j]);
	}
}

/* A digest made of pieces signs and verifies as the whole does. */
static void
digests(void **state)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384,
		KEY_RSA_2048, KEY_RSA_PSS_2048, KEY_ML_DSA_44, KEY_ML_DSA_87 };
	struct world *w = *state;
	AUTO(key) ed = NULL;
	struct digest *none = NULL;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		AUTO(key) k = NULL;
		AUTO(digest) d = NULL;
		struct digest_value value;
		struct buf sig AUTO_BUF = BUF(SIG_MAX);
		struct bytes message = bytes_str("a message in two pieces");
		struct bytes alg = key_type_sigalg(types[i]);
		if (!key_type_here(types[i]))
			continue;
		OK(key_generate(types[i], &k, &e), &e);
		OK(digest_new(key_spki(k), &d, &e), &e);
		digest_put(d, bytes_str("thrown away"));
		digest_end(d, &value);
		digest_put(d, bytes_of(message.p, 5));
		digest_put(d, bytes_of(message.p + 5, message.len - 5));
		digest_end(d, &value);
		OK(key_sign_digest(k, &value, &sig, &e), &e);
		OK(verifier_check(w->v, key_spki(k), alg, message,
		       buf_bytes(&sig), &e),
		    &e);
		OK(verifier_check_digest(w->v, key_spki(k), alg, &value,
		       buf_bytes(&sig), &e),
		    &e);
		value.p[3] ^= 1;
		refused("changed",
		    verifier_check_digest(w->v, key_spki(k), alg, &value,
			buf_bytes(&sig), &e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
		value.len--;
		refused("short", key_sign_digest(k, &value, &sig, &e), &e,
		    ERR_CRYPTO, "key-digest", "no digest for this key");
		refused("short, to be checked",
		    verifier_check_digest(w->v, key_spki(k), alg, &value,
			buf_bytes(&sig), &e),
		    &e, ERR_INVALID, "signature-wrong", "not that of this key");
	}
	OK(key_generate(KEY_ED25519, &ed, &e), &e);
	struct digest_value nothing = { .len = 0 };
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	refused("ed25519 has none", key_sign_digest(ed, &nothing, &sig, &e), &e,
	    ERR_CRYPTO, "key-digest", "no digest for this key");
	refused("ed25519", digest_new(key_spki(ed), &none, &e), &e, ERR_INVALID,
	    "digest-key", "signs only what is there whole");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_octet),
		cmocka_unit_test(octet_by_octet),
		cmocka_unit_test(changed_octets),
		cmocka_unit_test(blocks),
		cmocka_unit_test(listener_refuses),
		cmocka_unit_test(incident_47_remove),
		cmocka_unit_test(bad_scopes),
		cmocka_unit_test(openssl_reads_kinds),
		cmocka_unit_test(digests),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
