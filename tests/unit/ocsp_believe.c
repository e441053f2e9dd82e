/*
 * What a client may believe of anybody's responder: answers by name and by
 * key, of the CA and of a delegate, with and without nextUpdate; and what it
 * must not.
 */
#include "ocsp_world.h"

/* Whoever signs, and what is left of a usual answer. */
struct other {
	const char *name;
	bool by_name, by_ca, without_next, with_nonce, without_cert, only_sha1;
	bool other_ca;                    /* the delegate is another CA's */
	int64_t this_update, next_update; /* from now */
	void (*change)(struct cert_spec *spec);
	int status;
	enum err_code code;
	const char *id;
};

static void
without_eku(struct cert_spec *spec)
{
	spec->eku[0] = OID_EKU_CLIENT;
}

static void
without_nocheck(struct cert_spec *spec)
{
	spec->nocheck = false;
}

static void
two_ekus(struct cert_spec *spec)
{
	spec->eku[spec->n_eku++] = OID_EKU_CLIENT;
}

static void
expired(struct cert_spec *spec)
{
	spec->not_after = spec->not_before + HOUR;
}

/* --- Building answers of others ----------------------------------------------------- */

static void
put_certid(struct der_w *w, const struct issuer_id *id, bool is_sha256)
{
	size_t whole = der_mark(w), alg;
	der_put_integer(w, bytes_of(test_serial, sizeof(test_serial)));
	der_put(w, DER_OCTET_STRING,
	    is_sha256 ? bytes_of(id->key_sha256, 32)
		      : bytes_of(id->key_sha1, 20));
	der_put(w, DER_OCTET_STRING,
	    is_sha256 ? bytes_of(id->name_sha256, 32)
		      : bytes_of(id->name_sha1, 20));
	alg = der_mark(w);
	der_put_oid(w, oid_known(is_sha256 ? OID_SHA256 : OID_SHA1));
	der_wrap(w, DER_SEQUENCE, alg);
	der_wrap(w, DER_SEQUENCE, whole);
}

static void
put_single(struct der_w *w, const struct world *x, const struct other *o,
    bool is_sha256)
{
	size_t whole = der_mark(w), mark;
	if (!o->without_next) {
		mark = der_mark(w);
		der_put_generalized(w, x->now + o->next_update);
		der_wrap(w, DER_CONTEXT_CONS(0), mark);
	}
	der_put_generalized(w, x->now + o->this_update);
	der_put(w, DER_CONTEXT(0), BYTES_NONE);
	put_certid(w, &x->id, is_sha256);
	der_wrap(w, DER_SEQUENCE, whole);
}

static void
put_nonce(struct der_w *w, struct bytes nonce)
{
	size_t mark = der_mark(w);
	der_put(w, DER_OCTET_STRING, nonce);
	der_wrap(w, DER_OCTET_STRING, mark);
	der_put_oid(w, oid_known(OID_EXT_NONCE));
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_SEQUENCE, mark);
	der_wrap(w, DER_CONTEXT_CONS(1), mark);
}

static void
build_data(const struct world *x, const struct other *o,
    const struct cert *signer, struct buf *out)
{
	static uint8_t room[4096];
	struct der_w w = der_w_of(room, sizeof(room));
	struct issuer_id id;
	struct bytes der;
	struct err e;
	size_t whole = der_mark(&w), mark;
	OK(issuer_id_of(signer, &id, &e), &e);
	if (o->with_nonce)
		put_nonce(&w, bytes_str("0123456789abcdef"));
	mark = der_mark(&w);
	if (!o->only_sha1)
		put_single(&w, x, o, true);
	put_single(&w, x, o, false);
	der_wrap(&w, DER_SEQUENCE, mark);
	der_put_generalized(&w, x->now);
	mark = der_mark(&w);
	if (o->by_name) {
		der_raw(&w, signer->subject);
		der_wrap(&w, DER_CONTEXT_CONS(1), mark);
	} else {
		der_put(&w, DER_OCTET_STRING, bytes_of(id.key_sha1, 20));
		der_wrap(&w, DER_CONTEXT_CONS(2), mark);
	}
	der_wrap(&w, DER_SEQUENCE, whole);
	OK(der_w_end(&w, &der, &e), &e);
	buf_put(out, der.p, der.len);
}

static void
build(const struct world *x, const struct other *o, struct buf *out)
{
	struct buf name AUTO_BUF = BUF(NAME_DER_MAX);
	struct buf cert AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf sig AUTO_BUF = BUF(SIG_MAX);
	const struct test_ca *ca = o->other_ca ? &x->other_ca : &x->ca;
	struct cert_spec spec;
	struct cert delegate;
	struct err e;
	if (o->status != 0) {
		const uint8_t refusal[] = { 0x30, 3, 0x0a, 1,
			(uint8_t)o->status };
		buf_put(out, refusal, sizeof(refusal));
		return;
	}
	build_name(&name, "Respondedor Ajeno");
	responder_spec(x, ca, buf_bytes(&name), &spec);
	if (o->change != NULL)
		o->change(&spec);
	sign_cert(ca->key, &spec, &cert);
	OK(cert_parse(buf_bytes(&cert), &delegate, &e), &e);
	build_data(x, o, o->by_ca ? &x->ca_cert : &delegate, &tbs);
	OK(key_sign(o->by_ca ? x->ca.key : x->responder, buf_bytes(&tbs), &sig,
	       &e),
	    &e);
	OK(ocsp_assemble(buf_bytes(&tbs), key_type_sigalg(KEY_EC_P256),
	       buf_bytes(&sig),
	       o->by_ca || o->without_cert ? BYTES_NONE : buf_bytes(&cert), out,
	       &e),
	    &e);
}

/* clang-format off */
static const struct other rows[] = {
	{ "by key, of a delegate", .next_update = DAY },
	{ "by name, of a delegate", .by_name = true, .next_update = DAY },
	{ "by key, of the CA", .by_ca = true, .next_update = DAY },
	{ "by name, of the CA", .by_name = true, .by_ca = true, .next_update = DAY },
	{ "a delegate without nocheck", .change = without_nocheck, .next_update = DAY },
	{ "a delegate with two purposes", .change = two_ekus, .next_update = DAY },
	{ "no nextUpdate, fresh", .without_next = true, .this_update = -HOUR },
	{ "by SHA-1 alone", .only_sha1 = true, .next_update = DAY },
	{ "clocks four minutes apart", .this_update = 4 * MINUTE, .next_update = DAY },
	{ "just over", .this_update = -DAY, .next_update = -4 * MINUTE },
	{ "no nextUpdate, two days old", .without_next = true, .this_update = -2 * DAY,
	    .code = ERR_DENIED, .id = "ocsp-response-stale" },
	{ "over", .this_update = -2 * DAY, .next_update = -HOUR,
	    .code = ERR_DENIED, .id = "ocsp-response-stale" },
	{ "of tomorrow", .this_update = DAY, .next_update = 2 * DAY,
	    .code = ERR_DENIED, .id = "ocsp-response-early" },
	{ "a delegate for something else", .change = without_eku, .next_update = DAY,
	    .code = ERR_DENIED, .id = "ocsp-response-delegate" },
	{ "a delegate of yesterday", .change = expired, .next_update = DAY,
	    .code = ERR_INVALID, .id = "cert-expired" },
	{ "another CA's delegate", .other_ca = true, .next_update = DAY,
	    .code = ERR_INVALID, .id = "cert-aki" },
	{ "without its certificate", .without_cert = true, .next_update = DAY,
	    .code = ERR_DENIED, .id = "ocsp-response-signer" },
	{ "malformedRequest", .status = 1, .code = ERR_DENIED, .id = "ocsp-response-refused" },
	{ "tryLater", .status = 3, .code = ERR_BUSY, .id = "ocsp-response-try-later" },
	{ "unauthorized", .status = 6, .code = ERR_DENIED, .id = "ocsp-response-refused" },
};
/* clang-format on */

static struct ocsp_question
question(const struct world *x)
{
	return (struct ocsp_question){ .issuer = &x->id,
		.serial = bytes_of(test_serial, sizeof(test_serial)) };
}

static void
who_may_be_believed(void **state)
{
	struct world *x = *state;
	struct ocsp_question q = question(x);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
		struct ocsp_response r;
		struct ocsp_verdict v;
		struct err e;
		build(x, &rows[i], &der);
		OK(ocsp_response_parse(buf_bytes(&der), &r, &e), &e);
		enum err_code code = ocsp_response_check(&r, &q, &x->ca_cert,
		    x->now, x->v, &v, &e);
		if (code != rows[i].code ||
		    (code != ERR_OK && strcmp(e.id, rows[i].id) != 0))
			fail_msg("%s: %s", rows[i].name,
			    code == ERR_OK ? "accepted" : e.id);
		if (code == ERR_OK)
			ROW(v.by_ca == rows[i].by_ca &&
				v.status.state == OCSP_GOOD,
			    rows[i].name);
	}
}

/* No octet of the signed part may change, nor those of the signature. */
static void
each_octet_matters(void **state)
{
	struct world *x = *state;
	struct other o = { .next_update = DAY, .with_nonce = true };
	struct ocsp_question q = question(x);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_response r, whole;
	struct ocsp_verdict v;
	struct err e;
	build(x, &o, &der);
	OK(ocsp_response_parse(buf_bytes(&der), &whole, &e), &e);
	for (size_t i = 0; i < der.len; i++) {
		der.p[i] ^= 0x01;
		if (ocsp_response_parse(buf_bytes(&der), &r, &e) == ERR_OK &&
		    ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v, &v,
			&e) == ERR_OK)
			fail_msg("octet %zu may change", i);
		der.p[i] ^= 0x01;
	}
	for (size_t i = 0; i < der.len; i++)
		if (ocsp_response_parse(bytes_of(der.p, i), &r, &e) == ERR_OK)
			fail_msg("%zu octets suffice", i);
}

static void
nonces(void **state)
{
	struct world *x = *state;
	struct other with = { .next_update = DAY, .with_nonce = true };
	struct other without = { .next_update = DAY };
	struct ocsp_question q = question(x);
	struct buf one AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf other AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_response r;
	struct ocsp_verdict v;
	struct err e;
	build(x, &with, &one);
	build(x, &without, &other);
	OK(ocsp_response_parse(buf_bytes(&one), &r, &e), &e);
	/* Who sent none ignores what is there (RFC 9919 5). */
	OK(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v, &v, &e), &e);
	assert_int_equal(v.nonce, OCSP_NONCE_NONE);
	q.nonce = bytes_str("0123456789abcdef");
	OK(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v, &v, &e), &e);
	assert_int_equal(v.nonce, OCSP_NONCE_ECHOED);
	q.nonce = bytes_str("0123456789abcdeX");
	assert_int_equal(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v,
			     &v, &e),
	    ERR_DENIED);
	assert_string_equal(e.id, "ocsp-response-nonce");
	OK(ocsp_response_parse(buf_bytes(&other), &r, &e), &e);
	OK(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v, &v, &e), &e);
	assert_int_equal(v.nonce, OCSP_NONCE_ABSENT);
}

static void
another_question(void **state)
{
	struct world *x = *state;
	struct other both = { .next_update = DAY };
	struct other sha1 = { .next_update = DAY, .only_sha1 = true };
	struct ocsp_question q = question(x);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_response r;
	struct ocsp_verdict v;
	struct err e;
	build(x, &both, &der);
	OK(ocsp_response_parse(buf_bytes(&der), &r, &e), &e);
	q.is_sha256 = true;
	OK(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v, &v, &e), &e);
	q.serial = bytes_of(test_serial, sizeof(test_serial) - 1);
	assert_int_equal(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v,
			     &v, &e),
	    ERR_DENIED);
	assert_string_equal(e.id, "ocsp-response-other");
	q = question(x);
	q.issuer = &x->other_id;
	assert_int_equal(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v,
			     &v, &e),
	    ERR_DENIED);
	buf_reset(&der);
	build(x, &sha1, &der);
	OK(ocsp_response_parse(buf_bytes(&der), &r, &e), &e);
	q = question(x);
	q.is_sha256 = true;
	assert_int_equal(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v,
			     &v, &e),
	    ERR_DENIED);
	assert_string_equal(e.id, "ocsp-response-other");
}

/* Our own answers are read by both readers, which agree. */
static void
our_own(void **state)
{
	struct world *x = *state;
	struct ocsp_answer_spec spec = usual(x);
	struct ocsp_question q = question(x);
	struct buf der AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct ocsp_response r;
	struct ocsp_verdict v;
	struct err e;
	spec.state = OCSP_REVOKED;
	spec.reason = 6;
	spec.revoked_at = x->now - HOUR;
	answer(x, &spec, &der);
	OK(ocsp_response_parse(buf_bytes(&der), &r, &e), &e);
	OK(ocsp_response_check(&r, &q, &x->ca_cert, x->now, x->v, &v, &e), &e);
	assert_int_equal(v.status.state, OCSP_REVOKED);
	assert_int_equal(v.status.reason, 6);
	assert_int_equal(v.status.revoked_at, spec.revoked_at);
	assert_int_equal(v.status.next_update, spec.next_update);
}

/* What we ask is what our own parser reads, by POST and by GET. */
static void
requests(void **state)
{
	struct world *x = *state;
	uint8_t nonce[128] = { 1 }, decoded[OCSP_REQUEST_MAX];
	for (int i = 0; i < 8; i++) {
		struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
		struct buf path AUTO_BUF = BUF(4 * OCSP_REQUEST_MAX);
		struct ocsp_question q = question(x);
		struct ocsp_request r;
		struct err e;
		static const size_t sizes[] = { 0, 1, 32, 128 };
		size_t len = sizeof(decoded);
		q.is_sha256 = i % 2 == 1;
		q.nonce = bytes_of(nonce, sizes[i / 2]);
		OK(ocsp_request_build(&q, &der, &e), &e);
		OK(ocsp_request_parse(buf_bytes(&der), &r, &e), &e);
		assert_int_equal(r.n_id, 1);
		assert_int_equal(r.id[0].is_sha256, q.is_sha256);
		assert_true(ocsp_id_matches(&r.id[0], &x->id));
		assert_true(bytes_eq(r.id[0].serial, q.serial));
		assert_int_equal(r.has_nonce, q.nonce.len > 0);
		assert_true(bytes_eq(r.nonce, q.nonce));
		ocsp_get_encode(buf_bytes(&der), &path);
		assert_null(strpbrk(buf_text(&path) + 1, "/+="));
		OK(ocsp_get_decode(buf_bytes(&path), decoded, &len, &e), &e);
		assert_true(bytes_eq(bytes_of(decoded, len), buf_bytes(&der)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_be_believed),
		cmocka_unit_test(each_octet_matters),
		cmocka_unit_test(nonces),
		cmocka_unit_test(another_question),
		cmocka_unit_test(our_own),
		cmocka_unit_test(requests),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
