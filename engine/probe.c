/*
 * probe - asks a status service as any client would, and judges the answer.
 * The tools of the command line and the checker share it, so that what the one
 * shows is what the other raises its alarm by.
 */
#include <stdio.h>
#include <string.h>

#include <refrendo/engine.h>
#include <refrendo/net.h>

#define REQUEST_TYPE "application/ocsp-request"

static enum err_code
judge_http(const struct http_response *r, const char *url, struct err *e)
{
	char status[8];
	if (r->status == 200)
		return ERR_OK;
	if (r->status >= 300 && r->status < 400 && r->location[0] != '\0')
		return err_say(e, ERR_DENIED, "probe-redirect",
		    "the server sends one on to %s; ask there", r->location);
	snprintf(status, sizeof(status), "%d", r->status);
	return err_say(e, ERR_NOTFOUND, "probe-status",
	    "the server answered HTTP %s at %s", status, url);
}

static enum err_code
ask_http(const struct probe *p, const struct probe_how *how,
    struct bytes request, struct http_response *out, struct err *e)
{
	struct buf url AUTO_BUF = BUF(HTTP_URL_MAX);
	struct net_ask ask = { .method = HTTP_POST,
		.content_type = REQUEST_TYPE,
		.body = request,
		.extra = how->extra,
		.body_max = OCSP_RESPONSE_MAX,
		.total_ms = p->timeout_ms,
		.numeric = p->numeric };
	size_t len = strlen(p->url);
	buf_puts(&url, p->url);
	if (how->by_get) {
		ask.method = HTTP_GET;
		ask.body = BYTES_NONE;
		/* The path begins with a slash of its own. */
		if (len > 0 && p->url[len - 1] == '/')
			url.len--;
		ocsp_get_encode(request, &url);
	}
	TRY(buf_end(&url, e));
	ask.url = buf_text(&url);
	return net_fetch(&ask, out, e);
}

static enum err_code
ask(const struct probe *p, const struct probe_how *how,
    struct probe_answer *out, struct err *e)
{
	struct buf request AUTO_BUF = BUF(OCSP_REQUEST_MAX);
	struct ocsp_question q = { .issuer = p->id,
		.serial = p->serial,
		.is_sha256 = how->is_sha256,
		.nonce = how->nonce };
	TRY(ocsp_request_build(&q, &request, e));
	TRY(ask_http(p, how, buf_bytes(&request), &out->http, e));
	out->is_http = true;
	TRY(judge_http(&out->http, p->url, e));
	TRY(ocsp_response_parse(buf_bytes(&out->http.body), &out->response, e));
	out->is_response = true;
	TRY(ocsp_response_check(&out->response, &q, p->issuer, clock_now(),
	    p->verifier, &out->verdict, e));
	out->is_believed = true;
	return ERR_OK;
}

void
probe_ocsp(const struct probe *p, const struct probe_how *how,
    struct probe_answer *out)
{
	struct err e;
	*out = (struct probe_answer){ .asked_at = clock_now() };
	if (ask(p, how, out, &e) != ERR_OK)
		out->err = e;
}

void
probe_fini(struct probe_answer *a)
{
	if (a->is_http)
		http_response_fini(&a->http);
	*a = (struct probe_answer){ .is_http = false };
}

enum err_code
probe_get(const char *url, size_t max, int64_t timeout_ms, bool numeric,
    struct http_response *out, struct err *e)
{
	struct net_ask ask = { .url = url,
		.method = HTTP_GET,
		.body_max = max,
		.total_ms = timeout_ms,
		.numeric = numeric };
	struct http_response r;
	TRY(net_fetch(&ask, &r, e));
	if (judge_http(&r, url, e) != ERR_OK) {
		http_response_fini(&r);
		return e->code;
	}
	*out = r;
	return ERR_OK;
}
