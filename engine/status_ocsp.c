/* status_ocsp - OCSP requests judged, and what they are answered with. */
#include <stdio.h>
#include <string.h>

#include <refrendo/signer.h>

#include "counters.h"
#include "status_http.h"

#define OCSP_TYPE    "application/ocsp-response"
#define SLOW_CLOCK_S 300
#define UNKNOWN_LIFE HOUR

void
status_ocsp(struct status_view *s, bool keep_alive, bool head_only,
    struct bytes der, struct buf *out)
{
	/* RFC 9919: no no-store on what is authoritative; an error is not. */
	http_answer(out, 200, s->now, keep_alive, OCSP_TYPE,
	    "Cache-Control: no-store\r\n", der, head_only);
}

static bool
ocsp_error(struct status_view *s, const struct http_request *r,
    enum ocsp_error which, struct buf *out)
{
	static const enum counter place[] = {
		[OCSP_MALFORMED] = COUNT_OCSP_MALFORMED,
		[OCSP_INTERNAL] = COUNT_OCSP_INTERNAL,
		[OCSP_TRY_LATER] = COUNT_OCSP_LATER,
		[OCSP_UNAUTHORIZED] = COUNT_OCSP_UNAUTHORIZED,
	};
	count(place[which], 1);
	status_ocsp(s, r->keep_alive, r->method == HTTP_HEAD,
	    ocsp_error_answer(which), out);
	return true;
}

/* All certificates of a request must be of one issuer: another's responder
 * cannot speak for it (INCIDENTS row 56).  Its index, or -1. */
static int
ocsp_issuer(const struct status_view *s, const struct ocsp_request *q)
{
	size_t at = SIZE_MAX, n;
	while (places_next(&s->by_key, hash64(q->id[0].key_hash), &at, &n)) {
		size_t i = 0;
		while (
		    i < q->n_id && ocsp_id_matches(&q->id[i], &s->issuer[n].id))
			i++;
		if (i == q->n_id)
			return (int)n;
	}
	return -1;
}

static void
question_of(const struct ocsp_request *q, size_t issuer,
    struct status_question *out)
{
	out->issuer = issuer;
	out->n_id = q->n_id;
	out->is_one = true;
	out->nonce_len = q->nonce.len;
	if (q->nonce.len > 0)
		memcpy(out->nonce, q->nonce.p, q->nonce.len);
	for (size_t i = 0; i < q->n_id; i++) {
		struct bytes serial = q->id[i].serial;
		out->id[i].is_sha256 = q->id[i].is_sha256;
		out->id[i].len = (uint8_t)serial.len;
		memcpy(out->id[i].serial, serial.p, serial.len);
		if (!bytes_eq(serial, q->id[0].serial))
			out->is_one = false;
	}
}

static bool
get_id(struct status_view *s, const struct status_question *q, size_t i,
    struct public_row *row)
{
	uint8_t key[PUBLIC_KEY_MAX];
	return public_get(s->reader,
	    public_ocsp_key(key, (uint16_t)q->issuer,
		bytes_of(q->id[i].serial, q->id[i].len)),
	    row);
}

bool
status_published(struct status_view *s, const struct status_question *q,
    struct public_row *row)
{
	/* Stale is worse than nothing (INCIDENTS row 53). */
	return q->is_one && get_id(s, q, 0, row) && row->next_update > s->now;
}

static bool
ocsp_answer_der(struct status_view *s, const struct http_request *r,
    struct bytes der, struct buf *out, struct status_question *question)
{
	struct ocsp_request q;
	struct public_row row;
	struct err e;
	enum err_code code = ocsp_request_parse(der, &q, &e);
	if (code == ERR_NOTFOUND)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	if (code != ERR_OK)
		return ocsp_error(s, r, OCSP_MALFORMED, out);
	int issuer = ocsp_issuer(s, &q);
	/* Perhaps of a CA that was published a moment ago. */
	if (issuer < 0) {
		status_issuers(s);
		issuer = ocsp_issuer(s, &q);
	}
	if (issuer < 0)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	question_of(&q, (size_t)issuer, question);
	if (!question->is_one || !get_id(s, question, 0, &row))
		return false;
	if (row.next_update <= s->now) {
		count(COUNT_OCSP_STALE, 1);
		return ocsp_error(s, r, OCSP_TRY_LATER, out);
	}
	if (q.has_nonce && row.takes_nonce)
		return false;
	count(COUNT_ANSWER_MAP, 1);
	status_row(s, r, &row, row.body, out);
	return true;
}

/* --- What the ocsp-signer is asked ---------------------------------------------- */

/* A CA's own, or its responder's. */
static bool
get_certificate(struct status_view *s, size_t issuer, const char *whose,
    struct bytes *der)
{
	uint8_t key[PUBLIC_KEY_MAX];
	char path[PATH_LEN];
	struct public_row row;
	snprintf(path, sizeof(path), "/ca/%s%s.cer", s->issuer[issuer].name,
	    whose);
	if (!public_get(s->reader, public_file_key(key, bytes_str(path)), &row))
		return false;
	*der = row.body;
	return true;
}

/* Its certificate as it is published, and the hash of its key. */
static enum err_code
get_responder(struct status_view *s, size_t issuer, struct signer_compose *m,
    struct issuer_id *id, struct err *e)
{
	struct cert responder;
	if (!get_certificate(s, issuer, "-ocsp", &m->responder) ||
	    !get_certificate(s, issuer, "", &m->ca))
		return err_say(e, ERR_BUSY, "status-no-responder",
		    "no responder has been certified yet");
	TRY(cert_parse(m->responder, &responder, e));
	return issuer_id_of(&responder, id, e);
}

static enum err_code
put_unknown(struct status_view *s, const struct status_question *q, size_t i,
    struct buf *singles, struct err *e)
{
	struct ocsp_answer_spec spec = { .issuer = &s->issuer[q->issuer].id,
		.serial = bytes_of(q->id[i].serial, q->id[i].len),
		.state = OCSP_UNKNOWN,
		.this_update = s->now - SLOW_CLOCK_S,
		.next_update = s->now + UNKNOWN_LIFE };
	return ocsp_single_build(&spec, q->id[i].is_sha256, singles, e);
}

/* One SingleResponse by the hash that was asked for, out of an answer. */
static enum err_code
put_published(const struct public_row *row, bool is_sha256, struct buf *singles,
    struct buf *sources, struct ocsp_composed *c, struct err *e)
{
	struct ocsp_answer a;
	TRY(ocsp_answer_parse(row->body, &a, e));
	for (size_t i = 0; i < a.n_single; i++) {
		if (a.single[i].id.is_sha256 == is_sha256)
			buf_put(singles, a.single[i].der.p,
			    a.single[i].der.len);
	}
	c->extended_revoked |= a.extended_revoked;
	put_bytes(sources, row->body);
	return ERR_OK;
}

enum err_code
status_compose(struct status_view *s, const struct status_question *q,
    struct buf *body, struct err *e)
{
	struct issuer_id id;
	struct public_row row;
	struct signer_compose m;
	struct buf singles AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf tbs AUTO_BUF = BUF(OCSP_ANSWER_MAX);
	struct buf sources AUTO_BUF = BUF(COMPOSE_FRAME_MAX);
	struct ocsp_composed c = { .produced_at = s->now,
		.nonce = bytes_of(q->nonce, q->nonce_len) };
	TRY(get_responder(s, q->issuer, &m, &id, e));
	c.responder_key_hash = bytes_of(id.key_sha1, sizeof(id.key_sha1));
	for (size_t i = 0; i < q->n_id; i++) {
		if (!get_id(s, q, i, &row)) {
			TRY(put_unknown(s, q, i, &singles, e));
			continue;
		}
		if (row.next_update <= s->now)
			return err_say(e, ERR_BUSY, "status-stale",
			    "the published answer is over and is being made "
			    "anew");
		TRY(put_published(&row, q->id[i].is_sha256, &singles, &sources,
		    &c, e));
	}
	c.singles = buf_bytes(&singles);
	TRY(ocsp_tbs_compose(&c, &tbs, e));
	m.tbs = buf_bytes(&tbs);
	m.sources = buf_bytes(&sources);
	signer_compose_encode(&m, body);
	return buf_end(body, e);
}

/* --- GET and POST ------------------------------------------------------------------ */

bool
status_ocsp_post(struct status_view *s, const struct http_request *r,
    struct buf *out, struct status_question *question)
{
	struct bytes type;
	struct err e;
	if (http_find(r, "Content-Type", &type) &&
	    bytes_is(type, "application/ocsp-request"))
		return ocsp_answer_der(s, r, r->body, out, question);
	err_say(&e, ERR_INVALID, "status-ocsp-type",
	    "an OCSP request has the media type application/ocsp-request");
	status_problem(s, r, 415, &e, out);
	return true;
}

bool
status_ocsp_get(struct status_view *s, const struct http_request *r,
    struct bytes encoded, struct buf *out, struct status_question *question)
{
	uint8_t der[OCSP_REQUEST_MAX];
	size_t len = sizeof(der);
	struct err e;
	if (ocsp_get_decode(encoded, der, &len, &e) != ERR_OK)
		return ocsp_error(s, r, OCSP_MALFORMED, out);
	return ocsp_answer_der(s, r, bytes_of(der, len), out, question);
}
