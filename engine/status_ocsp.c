/* status_ocsp - OCSP requests judged, and what they are answered with. */
#include <string.h>

#include "counters.h"
#include "status_http.h"

#define OCSP_TYPE "application/ocsp-response"

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

/* All CertIDs of a request must name one certificate: what was signed ahead
 * of time answers for one.  Index of its issuer, or -1. */
static int
ocsp_issuer(const struct status_view *s, const struct ocsp_request *q)
{
	for (size_t n = 0; n < s->n_issuer; n++) {
		size_t i = 0;
		while (i < q->n_id &&
		       bytes_eq(q->id[i].serial, q->id[0].serial) &&
		       ocsp_id_matches(&q->id[i], &s->issuer[n]))
			i++;
		if (i == q->n_id)
			return (int)n;
	}
	return -1;
}

static bool
ocsp_answer_der(struct status_view *s, const struct http_request *r,
    struct bytes der, struct buf *out, struct status_unknown *unknown)
{
	struct ocsp_request q;
	struct err e;
	enum err_code code = ocsp_request_parse(der, &q, &e);
	if (code == ERR_NOTFOUND)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	if (code != ERR_OK)
		return ocsp_error(s, r, OCSP_MALFORMED, out);
	int issuer = ocsp_issuer(s, &q);
	if (issuer < 0)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	uint8_t key[PUBLIC_KEY_MAX];
	struct public_row row;
	struct bytes serial = q.id[0].serial;
	if (serial.len <= SERIAL_MAX &&
	    public_get(s->reader, public_ocsp_key(key, (uint8_t)issuer, serial),
		&row)) {
		/* Stale is worse than nothing (INCIDENTS row 53). */
		if (row.next_update <= s->now) {
			count(COUNT_OCSP_STALE, 1);
			return ocsp_error(s, r, OCSP_TRY_LATER, out);
		}
		count(COUNT_ANSWER_MAP, 1);
		status_row(s, r, &row, row.body, out);
		return true;
	}
	if (serial.len > SERIAL_MAX)
		return ocsp_error(s, r, OCSP_UNAUTHORIZED, out);
	unknown->issuer = (size_t)issuer;
	unknown->serial_len = serial.len;
	if (serial.len > 0)
		memcpy(unknown->serial, serial.p, serial.len);
	return false;
}

bool
status_ocsp_post(struct status_view *s, const struct http_request *r,
    struct buf *out, struct status_unknown *unknown)
{
	struct bytes type;
	struct err e;
	if (http_find(r, "Content-Type", &type) &&
	    bytes_is(type, "application/ocsp-request"))
		return ocsp_answer_der(s, r, r->body, out, unknown);
	err_say(&e, ERR_INVALID, "status-ocsp-type",
	    "an OCSP request has the media type application/ocsp-request");
	status_problem(s, r, 415, &e, out);
	return true;
}

bool
status_ocsp_get(struct status_view *s, const struct http_request *r,
    struct bytes encoded, struct buf *out, struct status_unknown *unknown)
{
	uint8_t der[OCSP_REQUEST_MAX];
	size_t len = sizeof(der);
	struct err e;
	if (ocsp_get_decode(encoded, der, &len, &e) != ERR_OK)
		return ocsp_error(s, r, OCSP_MALFORMED, out);
	return ocsp_answer_der(s, r, bytes_of(der, len), out, unknown);
}
