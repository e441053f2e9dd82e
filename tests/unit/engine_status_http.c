/*
 * status_answer() from a public store of the test's own: what RFC 9919 and
 * RFC 9110 want of answers, tiles cut to width, and every way of asking for
 * what there is not.
 */
#include "ocsp_world.h"

#include <refrendo/signer.h>
#include <refrendo/store.h>

#include "../../engine/counters.h"
#include "../../engine/status_http.h"

#define TILES      10 /* hashes of the tile that is not full */
#define ENTRY_LEN  7  /* octets of each entry of the bundles */
#define BUNDLE_LEN (2 + ENTRY_LEN)

struct served {
	struct world *w;
	char dir[64];
	struct public *public;
	struct public_reader *reader;
	struct status_view view;
	struct buf good, tile, bundle;
};

static const uint8_t stale_serial[16] = { 0x11, 1 };
static const uint8_t never_serial[16] = { 0x11, 2 };

/* --- What is published ---------------------------------------------------- */

static void
publish(struct public_txn *t, struct bytes key, const char *type,
    int64_t this_update, int64_t next_update, struct bytes body)
{
	struct err e;
	struct public_row row = { .type = type,
		.this_update = this_update,
		.next_update = next_update,
		.body = body };
	OK(public_put(t, key, &row, &e), &e);
}

static void
publish_path(struct public_txn *t, const char *path, const char *type,
    int64_t this_update, int64_t next_update, struct bytes body)
{
	uint8_t key[PUBLIC_KEY_MAX];
	publish(t, public_file_key(key, bytes_str(path)), type, this_update,
	    next_update, body);
}

static void
publish_all(struct served *s, struct public_txn *t)
{
	static const char octets[] = "application/octet-stream";
	uint8_t key[PUBLIC_KEY_MAX];
	struct err e;
	struct ocsp_answer_spec spec = usual(s->w);
	int64_t now = s->w->now;
	answer(s->w, &spec, &s->good);
	publish(t, public_ocsp_key(key, 0, spec.serial),
	    "application/ocsp-response", spec.this_update, spec.next_update,
	    buf_bytes(&s->good));
	publish(t, public_ocsp_key(key, 0, bytes_of(stale_serial, 16)),
	    "application/ocsp-response", now - 5 * DAY, now - 1,
	    buf_bytes(&s->good));
	publish_path(t, "/crl/emisora.crl", "application/pkix-crl", now - 60,
	    now + 6 * HOUR, bytes_str("a CRL"));
	publish_path(t, "/ca/emisora.cer", "application/pkix-cert",
	    now - 30 * DAY, 0, bytes_str("a certificate"));
	publish_path(t, "/ca/emisora-ocsp.cer", "application/pkix-cert",
	    now - 60, now + DAY, buf_bytes(&s->w->responder_der));
	publish_path(t, "/checkpoint", "text/plain; charset=utf-8", now,
	    now + 1, bytes_str("a checkpoint"));
	for (int i = 0; i < TILE_WIDTH; i++) {
		uint8_t hash[HASH_LEN] = { (uint8_t)i, 0xaa };
		buf_put(&s->tile, hash, sizeof(hash));
		put_u16(&s->bundle, ENTRY_LEN);
		buf_putf(&s->bundle, "leaf%03d", i);
	}
	publish_path(t, "/tile/0/000", octets, now, 0, buf_bytes(&s->tile));
	publish_path(t, "/tile/0/001", octets, now, 0,
	    bytes_of(s->tile.p, TILES * HASH_LEN));
	publish_path(t, "/tile/entries/000", octets, now, 0,
	    buf_bytes(&s->bundle));
	publish_path(t, "/tile/entries/001", octets, now, 0,
	    bytes_of(s->bundle.p, TILES * BUNDLE_LEN));
	const struct public_issuer is = { s->w->id, "emisora" };
	OK(public_put_issuer(t, 0, &is, &e), &e);
	OK(public_put_meta(t, 1, &e), &e);
}

static int
served_new(void **state)
{
	static struct served s;
	struct public_txn *t;
	struct err e;
	bool fresh;
	void *w;
	if (world_new(&w) != 0)
		return 1;
	s = (struct served){ .w = w,
		.good = BUF(OCSP_ANSWER_MAX),
		.tile = BUF(TILE_WIDTH * HASH_LEN),
		.bundle = BUF(TILE_WIDTH * BUNDLE_LEN) };
	snprintf(s.dir, sizeof(s.dir), "%.40s/public-test", s.w->dir.path);
	assert_int_equal(mkdir(s.dir, 0700), 0);
	OK(public_open(s.dir, 16 << 20, true, &fresh, &s.public, &e), &e);
	OK(public_begin(s.public, &t, &e), &e);
	publish_all(&s, t);
	OK(public_commit(t, &e), &e);
	OK(public_reader_new(s.public, &s.reader, &e), &e);
	OK(public_renew(s.reader, &e), &e);
	s.view = (struct status_view){ .reader = s.reader, .now = s.w->now };
	status_issuers(&s.view);
	assert_int_equal(s.view.n_issuer, 1);
	*state = &s;
	return 0;
}

static int
served_free(void **state)
{
	struct served *s = *state;
	void *w = s->w;
	public_release(s->reader);
	public_reader_free(s->reader);
	public_close(s->public);
	buf_fini(&s->good);
	buf_fini(&s->tile);
	buf_fini(&s->bundle);
	return world_free(&w);
}

/* --- Requests ---------------------------------------------------------------- */

enum hash { SHA1, SHA256 };
struct asked_id {
	const struct issuer_id *issuer;
	enum hash hash;
	struct bytes serial;
};

static void
put_id(struct der_w *w, const struct asked_id *id)
{
	static const uint8_t sha1[] = { 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a,
		5, 0 };
	static const uint8_t sha256[] = { 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1,
		0x65, 3, 4, 2, 1, 5, 0 };
	size_t request = der_mark(w);
	size_t at = der_mark(w);
	der_put_integer(w, id->serial);
	if (id->hash == SHA1) {
		der_put(w, 0x04, bytes_of(id->issuer->key_sha1, 20));
		der_put(w, 0x04, bytes_of(id->issuer->name_sha1, 20));
		der_raw(w, bytes_of(sha1, sizeof(sha1)));
	} else {
		der_put(w, 0x04, bytes_of(id->issuer->key_sha256, 32));
		der_put(w, 0x04, bytes_of(id->issuer->name_sha256, 32));
		der_raw(w, bytes_of(sha256, sizeof(sha256)));
	}
	der_wrap(w, 0x30, at);
	der_wrap(w, 0x30, request);
}

static void
ocsp_request(struct buf *out, const struct asked_id *ids, size_t n)
{
	uint8_t room[4096];
	struct der_w w = der_w_of(room, sizeof(room));
	struct bytes der;
	struct err e;
	size_t at = der_mark(&w);
	for (size_t i = n; i > 0; i--)
		put_id(&w, &ids[i - 1]);
	der_wrap(&w, 0x30, at);
	der_wrap(&w, 0x30, at);
	der_wrap(&w, 0x30, at);
	OK(der_w_end(&w, &der, &e), &e);
	buf_put(out, der.p, der.len);
}

struct reply {
	bool quick;
	bool answered; /* false: the ocsp-signer has to be asked */
	int status;
	char head[2048];
	struct bytes body; /* within served_out */
	struct status_question question;
};

static void
ask(struct served *s, const char *row, struct bytes text, struct buf *out,
    struct reply *r)
{
	struct http_request request;
	struct err e;
	size_t used = 0;
	int status = 0;
	*r = (struct reply){ .status = 0 };
	enum err_code code =
	    http_parse(text, &http_limits_status, &request, &used, &status, &e);
	ROW(code == ERR_OK && used == text.len, row);
	buf_reset(out);
	/* The quick way answers the same, octet by octet, or not at all. */
	uint8_t quick[STATUS_QUICK_MAX];
	size_t quick_len = 0;
	r->quick = status_quick(&s->view, &request, quick, &quick_len);
	r->answered = status_answer(&s->view, &request, out, &r->question);
	ROW(!r->quick || (r->answered && bytes_eq(bytes_of(quick, quick_len),
					     buf_bytes(out))),
	    row);
	if (!r->answered)
		return;
	char *end = memmem(out->p, out->len, "\r\n\r\n", 4);
	ROW(end != NULL, row);
	size_t head = (size_t)(end - (char *)out->p) + 4;
	snprintf(r->head, sizeof(r->head), "%.*s", (int)head, out->p);
	ROW(sscanf(r->head, "HTTP/1.1 %d ", &r->status) == 1, row);
	r->body = bytes_of(out->p + head, out->len - head);
}

static void
ask_get(struct served *s, const char *row, const char *method, const char *path,
    const char *fields, struct buf *out, struct reply *r)
{
	struct buf text AUTO_BUF = BUF(16384);
	buf_putf(&text, "%s %s HTTP/1.1\r\nHost: estado.example\r\n", method,
	    path);
	buf_puts(&text, fields);
	buf_puts(&text, "\r\n");
	ask(s, row, buf_bytes(&text), out, r);
}

static void
ask_post(struct served *s, const char *row, const char *path,
    const char *fields, struct bytes body, struct buf *out, struct reply *r)
{
	struct buf text AUTO_BUF = BUF(32768);
	buf_putf(&text,
	    "POST %s HTTP/1.1\r\nHost: estado.example\r\n"
	    "Content-Length: %zu\r\n",
	    path, body.len);
	buf_puts(&text, fields);
	buf_puts(&text, "\r\n");
	buf_put(&text, body.p, body.len);
	ask(s, row, buf_bytes(&text), out, r);
}

#define OCSP_FIELDS "Content-Type: application/ocsp-request\r\n"

static bool
has_line(const struct reply *r, const char *line)
{
	char want[300];
	snprintf(want, sizeof(want), "\r\n%s\r\n", line);
	return strstr(r->head, want) != NULL;
}

static void
has_length(const char *row, const struct reply *r, size_t len)
{
	char line[64];
	snprintf(line, sizeof(line), "Content-Length: %zu", len);
	ROW(has_line(r, line), row);
}

/* --- OCSP ----------------------------------------------------------------------- */

static void
caching_headers(const struct served *s, const char *row, const struct reply *r)
{
	char date[HTTP_DATE], line[200];
	struct ocsp_answer_spec spec = usual(s->w);
	http_date(date, s->view.now);
	snprintf(line, sizeof(line), "Date: %s", date);
	ROW(has_line(r, line), row);
	http_date(date, spec.this_update);
	snprintf(line, sizeof(line), "Last-Modified: %s", date);
	ROW(has_line(r, line), row);
	http_date(date, spec.next_update);
	snprintf(line, sizeof(line), "Expires: %s", date);
	ROW(has_line(r, line), row);
	snprintf(line, sizeof(line),
	    "Cache-Control: max-age=%lld, public, no-transform, "
	    "must-revalidate",
	    (long long)(spec.next_update - s->view.now));
	ROW(has_line(r, line), row);
	ROW(strstr(r->head, "no-store") == NULL &&
		strstr(r->head, "no-cache") == NULL,
	    row);
}

/* CONFORMANCE 5.4.9, for each way to ask for the same answer. */
static void
test_ocsp_post(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct bytes serial = bytes_of(test_serial, sizeof(test_serial));
	const struct asked_id once[] = { { &s->w->id, SHA1, serial } };
	const struct asked_id once_256[] = { { &s->w->id, SHA256, serial } };
	const struct asked_id twice[] = { { &s->w->id, SHA1, serial },
		{ &s->w->id, SHA256, serial } };
	const struct {
		const char *name, *path;
		const struct asked_id *id;
		size_t n;
		bool quick;
	} rows[] = {
		{ "SHA-1", "/ocsp", once, 1, true },
		{ "SHA-256", "/ocsp", once_256, 1, true },
		{ "both hashes", "/ocsp", twice, 2, false },
		{ "at the root", "/", once, 1, false },
		{ "with a final slash", "/ocsp/", once, 1, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
		struct reply r;
		ocsp_request(&der, rows[i].id, rows[i].n);
		ask_post(s, rows[i].name, rows[i].path, OCSP_FIELDS,
		    buf_bytes(&der), &out, &r);
		ROW(r.answered && r.status == 200, rows[i].name);
		ROW(r.quick == rows[i].quick, rows[i].name);
		ROW(has_line(&r, "Content-Type: application/ocsp-response"),
		    rows[i].name);
		ROW(bytes_eq(r.body, buf_bytes(&s->good)), rows[i].name);
		caching_headers(s, rows[i].name, &r);
	}
}

/* The base64 of a request for the good certificate. */
static void
good_base64(struct served *s, struct buf *out)
{
	struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
	const struct asked_id id = { &s->w->id, SHA1,
		bytes_of(test_serial, sizeof(test_serial)) };
	ocsp_request(&der, &id, 1);
	base64_put(out, buf_bytes(&der));
}

static void
test_ocsp_get(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct buf path AUTO_BUF = BUF(2048);
	struct buf text AUTO_BUF = BUF(2048);
	struct reply r;
	good_base64(s, &text);
	buf_putf(&path, "/ocsp/%s", buf_text(&text));
	ask_get(s, "GET", "GET", buf_text(&path), "", &out, &r);
	assert_int_equal(r.status, 200);
	assert_true(r.quick);
	assert_true(bytes_eq(r.body, buf_bytes(&s->good)));
	caching_headers(s, "GET", &r);

	/* HEAD: the same header, no body. */
	ask_get(s, "HEAD", "HEAD", buf_text(&path), "", &out, &r);
	assert_int_equal(r.status, 200);
	assert_false(r.quick);
	has_length("HEAD", &r, s->good.len);
	assert_int_equal(r.body.len, 0);
	caching_headers(s, "HEAD", &r);
}

static void
etag_of(const struct reply *r, char tag[64])
{
	const char *at = strstr(r->head, "\r\nETag: \"");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "\r\nETag: \"%63[0-9a-f]\"", tag), 1);
}

static void
test_not_modified(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct buf path AUTO_BUF = BUF(2048);
	struct buf text AUTO_BUF = BUF(2048);
	struct reply r;
	char tag[64];
	good_base64(s, &text);
	buf_putf(&path, "/ocsp/%s", buf_text(&text));
	ask_get(s, "first", "GET", buf_text(&path), "", &out, &r);
	etag_of(&r, tag);
	const struct {
		const char *name, *form;
		int status;
	} rows[] = {
		{ "its tag", "If-None-Match: \"%s\"\r\n", 304 },
		{ "a weak tag", "If-None-Match: W/\"%s\"\r\n", 304 },
		{ "one of two", "If-None-Match: \"abc\", \"%s\"\r\n", 304 },
		{ "any", "If-None-Match: *\r\n", 304 },
		{ "another tag", "If-None-Match: \"0%s\"\r\n", 200 },
		{ "without quotes", "If-None-Match: %s\r\n", 200 },
		{ "none", "If-None-Match: \"\"\r\n", 200 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf fields AUTO_BUF = BUF(256);
		const char *at = strstr(rows[i].form, "%s");
		size_t before = at == NULL ? strlen(rows[i].form)
					   : (size_t)(at - rows[i].form);
		buf_put(&fields, rows[i].form, before);
		if (at != NULL) {
			buf_puts(&fields, tag);
			buf_puts(&fields, at + 2);
		}
		ask_get(s, rows[i].name, "GET", buf_text(&path),
		    buf_text(&fields), &out, &r);
		ROW(r.status == rows[i].status, rows[i].name);
		caching_headers(s, rows[i].name, &r);
		bool is_bare =
		    r.body.len == 0 && strstr(r.head, "Content-Length") == NULL;
		ROW(is_bare == (rows[i].status == 304), rows[i].name);
	}
}

/* A POST is answered whole, whatever the client has (RFC 9110 13.1.2). */
static void
test_post_has_no_304(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
	const struct asked_id id = { &s->w->id, SHA1,
		bytes_of(test_serial, sizeof(test_serial)) };
	struct reply r;
	ocsp_request(&der, &id, 1);
	ask_post(s, "POST", "/ocsp", OCSP_FIELDS "If-None-Match: *\r\n",
	    buf_bytes(&der), &out, &r);
	assert_int_equal(r.status, 200);
	assert_true(bytes_eq(r.body, buf_bytes(&s->good)));
}

/* Row 38: what was never published is never good; only a fresh signature
 * says "unknown". */
static void
incident_38_unknown_is_asked_for(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
	const struct asked_id id = { &s->w->id, SHA256,
		bytes_of(never_serial, sizeof(never_serial)) };
	struct reply r;
	uint64_t post = counters->value[COUNT_OCSP_POST];
	ocsp_request(&der, &id, 1);
	ask_post(s, "never", "/ocsp", OCSP_FIELDS, buf_bytes(&der), &out, &r);
	assert_false(r.answered);
	assert_int_equal(out.len, 0);
	assert_int_equal(r.question.issuer, 0);
	assert_int_equal(r.question.n_id, 1);
	assert_true(
	    bytes_eq(bytes_of(r.question.id[0].serial, r.question.id[0].len),
		id.serial));
	assert_int_equal(counters->value[COUNT_OCSP_POST], post + 1);
}

/* Two certificates in one request: each by the hash it was asked by, in the
 * order of the request, as it was published; what is stale is not said. */
static void
test_several_are_composed(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
	struct buf body AUTO_BUF = BUF(131072);
	struct bytes good = bytes_of(test_serial, sizeof(test_serial));
	const struct asked_id two[] = { { &s->w->id, SHA256,
					    bytes_of(never_serial, 16) },
		{ &s->w->id, SHA256, good } };
	const struct asked_id old[] = { { &s->w->id, SHA1, good },
		{ &s->w->id, SHA1, bytes_of(stale_serial, 16) } };
	struct signer_compose m;
	struct ocsp_answer a, published;
	struct bytes list, source;
	struct reply r;
	struct err e;
	ocsp_request(&der, two, 2);
	ask_post(s, "two", "/ocsp", OCSP_FIELDS, buf_bytes(&der), &out, &r);
	assert_false(r.answered);
	assert_false(r.question.is_one);
	OK(status_compose(&s->view, &r.question, &body, &e), &e);
	OK(signer_compose_decode(buf_bytes(&body), &m, &e), &e);
	OK(ocsp_tbs_parse(m.tbs, &a, &e), &e);
	assert_int_equal(a.n_single, 2);
	assert_int_equal(a.single[0].state, OCSP_UNKNOWN);
	OK(ocsp_answer_parse(buf_bytes(&s->good), &published, &e), &e);
	assert_true(bytes_eq(a.single[1].der, published.single[1].der));
	list = m.sources;
	assert_true(signer_next(&list, &source));
	assert_true(bytes_eq(source, buf_bytes(&s->good)));
	assert_false(signer_next(&list, &source));
	/* Stale is worse than nothing (INCIDENTS row 53). */
	buf_reset(&der);
	ocsp_request(&der, old, 2);
	ask_post(s, "old", "/ocsp", OCSP_FIELDS, buf_bytes(&der), &out, &r);
	assert_false(r.answered);
	assert_int_equal(status_compose(&s->view, &r.question, &body, &e),
	    ERR_BUSY);
	assert_string_equal(e.id, "status-stale");
}

/* What is answered by an unsigned status is 200 and never cached. */
static void
test_ocsp_refusals(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct bytes good = bytes_of(test_serial, sizeof(test_serial));
	struct bytes stale = bytes_of(stale_serial, sizeof(stale_serial));
	const struct asked_id foreign[] = { { &s->w->other_id, SHA1, good } };
	const struct asked_id old[] = { { &s->w->id, SHA1, stale } };
	const struct asked_id mixed[] = { { &s->w->id, SHA1, good },
		{ &s->w->other_id, SHA1, good } };
	const struct {
		const char *name;
		const struct asked_id *id;
		size_t n;
		enum ocsp_error want;
	} rows[] = {
		{ "foreign issuer", foreign, 1, OCSP_UNAUTHORIZED },
		{ "an answer that is stale", old, 1, OCSP_TRY_LATER },
		{ "ours and a foreign one", mixed, 2, OCSP_UNAUTHORIZED },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf der AUTO_BUF = BUF(OCSP_REQUEST_MAX);
		struct reply r;
		ocsp_request(&der, rows[i].id, rows[i].n);
		ask_post(s, rows[i].name, "/ocsp", OCSP_FIELDS, buf_bytes(&der),
		    &out, &r);
		ROW(r.answered && r.status == 200, rows[i].name);
		ROW(bytes_eq(r.body, ocsp_error_answer(rows[i].want)),
		    rows[i].name);
		ROW(has_line(&r, "Cache-Control: no-store"), rows[i].name);
		ROW(strstr(r.head, "ETag") == NULL, rows[i].name);
	}
}

static void
test_ocsp_garbage(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct reply r;
	static const struct {
		const char *name;
		struct bytes der;
	} posts[] = {
		{ "nothing", { (const uint8_t *)"", 0 } },
		{ "one octet", { (const uint8_t *)"\x30", 1 } },
		{ "an empty sequence", { (const uint8_t *)"\x30\x00", 2 } },
		{ "indefinite", { (const uint8_t *)"\x30\x80\x00\x00", 4 } },
		{ "a length of 2^31",
		    { (const uint8_t *)"\x30\x84\x80\x00\x00\x00", 6 } },
		{ "text", { (const uint8_t *)"hola", 4 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(posts); i++) {
		ask_post(s, posts[i].name, "/ocsp", OCSP_FIELDS, posts[i].der,
		    &out, &r);
		ROW(r.status == 200 &&
			bytes_eq(r.body, ocsp_error_answer(OCSP_MALFORMED)),
		    posts[i].name);
		ROW(has_line(&r, "Cache-Control: no-store"), posts[i].name);
	}
	static const char *const gets[] = { "/ocsp/!", "/ocsp/MAA", "/ocsp/%",
		"/ocsp/%zz", "/ocsp/AAAA", "/ocsp/MA=A", "/ocsp/a/b/c",
		"/ocsp//", "/ocsp/../etc/passwd" };
	for (size_t i = 0; i < ARRAY_LEN(gets); i++) {
		ask_get(s, gets[i], "GET", gets[i], "", &out, &r);
		ROW(r.status == 200 &&
			bytes_eq(r.body, ocsp_error_answer(OCSP_MALFORMED)),
		    gets[i]);
		/* HEAD says how long that is and sends nothing. */
		ask_get(s, gets[i], "HEAD", gets[i], "", &out, &r);
		has_length(gets[i], &r, 5);
		ROW(r.status == 200 && r.body.len == 0, gets[i]);
	}
}

static void
problem(const char *row, const struct reply *r, int status, const char *id,
    const char *say)
{
	char want[64], body[2048];
	snprintf(want, sizeof(want), "\"id\":\"%s\"", id);
	snprintf(body, sizeof(body), "%.*s", BYTES_FMT(r->body));
	ROW(r->answered && r->status == status, row);
	ROW(has_line(r, "Content-Type: application/problem+json"), row);
	if (strstr(body, want) == NULL || strstr(body, say) == NULL) {
		print_error("row \"%s\": %s\n", row, body);
		fail();
	}
}

static void
test_ocsp_media_type(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct reply r;
	static const char *const rows[] = { "",
		"Content-Type: application/json\r\n",
		"Content-Type: application/ocsp-response\r\n",
		"Content-Type: application/ocsp-requestx\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask_post(s, rows[i], "/ocsp", rows[i], bytes_str("0"), &out,
		    &r);
		problem(rows[i], &r, 415, "status-ocsp-type",
		    "an OCSP request has the media type "
		    "application/ocsp-request");
	}
}

/* --- Files, tiles, bundles ---------------------------------------------------------- */

static void
test_files(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct reply r;
	static const struct {
		const char *path, *type, *body, *age;
	} rows[] = {
		{ "/crl/emisora.crl", "Content-Type: application/pkix-crl",
		    "a CRL", "max-age=21600," },
		{ "/ca/emisora.cer", "Content-Type: application/pkix-cert",
		    "a certificate", "max-age=86400," },
		{ "/checkpoint", "Content-Type: text/plain; charset=utf-8",
		    "a checkpoint", "max-age=1," },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask_get(s, rows[i].path, "GET", rows[i].path, "", &out, &r);
		ROW(r.status == 200 && has_line(&r, rows[i].type),
		    rows[i].path);
		ROW(bytes_is(r.body, rows[i].body), rows[i].path);
		ROW(strstr(r.head, rows[i].age) != NULL, rows[i].path);
		ask_get(s, rows[i].path, "HEAD", rows[i].path, "", &out, &r);
		ROW(r.status == 200 && r.body.len == 0, rows[i].path);
		has_length(rows[i].path, &r, strlen(rows[i].body));
	}
}

/* RFC 9110 13.1.3: for files; a tag goes before it. */
static void
test_modified_since(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct buf path AUTO_BUF = BUF(2048);
	struct buf text AUTO_BUF = BUF(2048);
	char same[HTTP_DATE], later[HTTP_DATE], earlier[HTTP_DATE];
	char field[200];
	struct reply r;
	http_date(same, s->view.now - 60);
	http_date(later, s->view.now);
	http_date(earlier, s->view.now - 61);
	const struct {
		const char *name, *date, *more;
		int status;
	} rows[] = {
		{ "same", same, "", 304 },
		{ "later", later, "", 304 },
		{ "earlier", earlier, "", 200 },
		{ "no date", "yesterday", "", 200 },
		{ "another tag", same, "If-None-Match: \"x\"\r\n", 200 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(field, sizeof(field), "If-Modified-Since: %s\r\n%s",
		    rows[i].date, rows[i].more);
		ask_get(s, rows[i].name, "GET", "/crl/emisora.crl", field, &out,
		    &r);
		ROW(r.status == rows[i].status, rows[i].name);
	}
	/* thisUpdate of an OCSP answer does not always rise. */
	good_base64(s, &text);
	buf_putf(&path, "/ocsp/%s", buf_text(&text));
	http_date(same, usual(s->w).this_update);
	snprintf(field, sizeof(field), "If-Modified-Since: %s\r\n", same);
	ask_get(s, "OCSP", "GET", buf_text(&path), field, &out, &r);
	assert_int_equal(r.status, 200);
}

static void
test_tiles(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct reply r;
	static const struct {
		const char *path;
		bool is_bundle;
		unsigned width; /* 0: there is none */
	} rows[] = {
		{ "/tile/0/000", false, TILE_WIDTH },
		{ "/tile/0/000.p/1", false, 1 },
		{ "/tile/0/000.p/255", false, 255 },
		{ "/tile/0/001.p/10", false, TILES },
		{ "/tile/0/001.p/3", false, 3 },
		{ "/tile/entries/000", true, TILE_WIDTH },
		{ "/tile/entries/000.p/7", true, 7 },
		{ "/tile/entries/001.p/10", true, TILES },
		/* What the log has not reached yet. */
		{ "/tile/0/001", false, 0 },
		{ "/tile/0/001.p/11", false, 0 },
		{ "/tile/entries/001", true, 0 },
		{ "/tile/entries/001.p/11", true, 0 },
		{ "/tile/0/002", false, 0 },
		{ "/tile/1/000", false, 0 },
		/* What is no tile. */
		{ "/tile/0/000.p/0", false, 0 },
		{ "/tile/0/000.p/256", false, 0 },
		{ "/tile/0/000.p/01", false, 0 },
		{ "/tile/0/000.p/", false, 0 },
		{ "/tile/0/000.p/1/", false, 0 },
		{ "/tile/0/00", false, 0 },
		{ "/tile/0/0000", false, 0 },
		{ "/tile/0/x000/000", false, 0 },
		{ "/tile/64/000", false, 0 },
		{ "/tile/-1/000", false, 0 },
		{ "/tile/entries/../0/000", false, 0 },
		{ "/tile/", false, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t piece = rows[i].is_bundle ? BUNDLE_LEN : HASH_LEN;
		const struct buf *whole =
		    rows[i].is_bundle ? &s->bundle : &s->tile;
		ask_get(s, rows[i].path, "GET", rows[i].path, "", &out, &r);
		if (rows[i].width == 0) {
			problem(rows[i].path, &r, 404, "status-path",
			    "nothing is published under this path");
			continue;
		}
		ROW(r.status == 200 &&
			bytes_eq(r.body,
			    bytes_of(whole->p, rows[i].width * piece)),
		    rows[i].path);
		ROW(strstr(r.head, "max-age=31536000,") != NULL, rows[i].path);
	}
}

/* Each width of a tile has a tag of its own: caches must not mix them up. */
static void
test_tags_of_widths(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	char one[64], two[64], field[128];
	struct reply r;
	ask_get(s, "1", "GET", "/tile/0/000.p/1", "", &out, &r);
	etag_of(&r, one);
	ask_get(s, "2", "GET", "/tile/0/000.p/2", "", &out, &r);
	etag_of(&r, two);
	assert_string_not_equal(one, two);
	snprintf(field, sizeof(field), "If-None-Match: \"%s\"\r\n", one);
	ask_get(s, "3", "GET", "/tile/0/000.p/2", field, &out, &r);
	assert_int_equal(r.status, 200);
	ask_get(s, "4", "GET", "/tile/0/000.p/1", field, &out, &r);
	assert_int_equal(r.status, 304);
}

/* --- Methods and paths ---------------------------------------------------------------- */

static void
test_methods_and_paths(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	static const struct {
		const char *name, *method, *path;
		int status;
		const char *id, *say;
	} rows[] = {
		{ "PUT", "PUT", "/ocsp", 405, "status-method",
		    "only GET and HEAD are answered here, and POST at /ocsp" },
		{ "DELETE", "DELETE", "/crl/emisora.crl", 405, "status-method",
		    "only GET and HEAD" },
		{ "POST elsewhere", "POST", "/crl/emisora.crl", 405,
		    "status-method", "only GET and HEAD" },
		{ "no such file", "GET", "/crl/nadie.crl", 404, "status-path",
		    "nothing is published under this path" },
		{ "GET of the responder", "GET", "/ocsp", 404, "status-path",
		    "nothing is published" },
		{ "GET of the root", "GET", "/", 404, "status-path",
		    "nothing is published" },
		{ "the rows' own keys", "GET", "/o%00", 404, "status-path",
		    "nothing is published" },
		{ "a final slash", "GET", "/checkpoint/", 404, "status-path",
		    "nothing is published" },
		{ "the admin API", "GET", "/api/v1/status", 404, "status-path",
		    "nothing is published" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reply r;
		ask_get(s, rows[i].name, rows[i].method, rows[i].path, "", &out,
		    &r);
		problem(rows[i].name, &r, rows[i].status, rows[i].id,
		    rows[i].say);
		ROW((rows[i].status == 405) ==
			has_line(&r, "Allow: GET, HEAD, POST"),
		    rows[i].name);
	}
}

/* A path longer than any key, and one of 127 octets that is not there. */
static void
test_long_paths(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct reply r;
	static const size_t lengths[] = { 126, 127, 128, 129, 3000 };
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct buf path AUTO_BUF = BUF(4096);
		buf_putc(&path, '/');
		for (size_t n = 1; n < lengths[i]; n++)
			buf_putc(&path, 'a');
		ask_get(s, "long", "GET", buf_text(&path), "", &out, &r);
		problem("long", &r, 404, "status-path", "nothing is published");
	}
}

static void
test_connection(void **state)
{
	struct served *s = *state;
	struct buf out AUTO_BUF = BUF(65536);
	struct reply r;
	ask_get(s, "close", "GET", "/checkpoint", "Connection: close\r\n", &out,
	    &r);
	assert_true(has_line(&r, "Connection: close"));
	ask_get(s, "keep", "GET", "/checkpoint", "", &out, &r);
	assert_true(has_line(&r, "Connection: keep-alive"));
	ask(s, "HTTP/1.0", bytes_str("GET /checkpoint HTTP/1.0\r\n\r\n"), &out,
	    &r);
	assert_true(has_line(&r, "Connection: close"));
	assert_int_equal(r.status, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ocsp_post),
		cmocka_unit_test(test_ocsp_get),
		cmocka_unit_test(test_not_modified),
		cmocka_unit_test(test_post_has_no_304),
		cmocka_unit_test(incident_38_unknown_is_asked_for),
		cmocka_unit_test(test_several_are_composed),
		cmocka_unit_test(test_ocsp_refusals),
		cmocka_unit_test(test_ocsp_garbage),
		cmocka_unit_test(test_ocsp_media_type),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_modified_since),
		cmocka_unit_test(test_tiles),
		cmocka_unit_test(test_tags_of_widths),
		cmocka_unit_test(test_methods_and_paths),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_connection),
	};
	return cmocka_run_group_tests(tests, served_new, served_free);
}
