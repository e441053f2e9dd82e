/*
 * parser - the one file that knows which HTTP library is there.  It reads
 * what scan.c has already found well formed; where the two readings differ
 * the message is refused, since that is how requests are smuggled.
 */
#include "parser.h"

#if REFRENDO_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif

struct reading {
	struct framing frame;
	bool headers_done;
};

#if REFRENDO_LLHTTP

static int
on_name(llhttp_t *p, const char *at, size_t len)
{
	struct reading *r = p->data;
	(void)at;
	r->frame.names += len;
	return 0;
}

static int
on_headers(llhttp_t *p)
{
	struct reading *r = p->data;
	r->headers_done = true;
	r->frame.has_length = (p->flags & F_CONTENT_LENGTH) != 0;
	r->frame.length = r->frame.has_length ? p->content_length : 0;
	r->frame.keep_alive = llhttp_should_keep_alive(p) != 0;
	return 0;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_name,
	.on_headers_complete = on_headers,
};

static const char *
run(const struct bytes *part, size_t n, bool is_reply, struct reading *r)
{
	llhttp_t p;
	llhttp_errno_t end = HPE_OK;
	llhttp_init(&p, is_reply ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
	p.data = r;
	for (size_t i = 0; i < n && end == HPE_OK; i++)
		end = llhttp_execute(&p, (const char *)part[i].p, part[i].len);
	/* Upgrade is an offer that we ignore (RFC 9110 7.8). */
	if (end == HPE_OK || end == HPE_PAUSED_UPGRADE)
		return NULL;
	return llhttp_errno_name(end);
}

#else

static int
on_name(struct http_parser *p, const char *at, size_t len)
{
	struct reading *r = p->data;
	(void)at;
	r->frame.names += len;
	return 0;
}

static int
on_headers(struct http_parser *p)
{
	struct reading *r = p->data;
	r->headers_done = true;
	r->frame.has_length = p->content_length != UINT64_MAX;
	r->frame.length = r->frame.has_length ? p->content_length : 0;
	r->frame.keep_alive = http_should_keep_alive(p) != 0;
	return 0;
}

static const struct http_parser_settings settings = {
	.on_header_field = on_name,
	.on_headers_complete = on_headers,
};

static const char *
run(const struct bytes *part, size_t n, bool is_reply, struct reading *r)
{
	struct http_parser p;
	http_parser_init(&p, is_reply ? HTTP_RESPONSE : HTTP_REQUEST);
	p.data = r;
	for (size_t i = 0; i < n; i++) {
		size_t read = http_parser_execute(&p, &settings,
		    (const char *)part[i].p, part[i].len);
		if (HTTP_PARSER_ERRNO(&p) != HPE_OK)
			return http_errno_name(HTTP_PARSER_ERRNO(&p));
		if (read != part[i].len)
			return "stopped before the end";
	}
	return NULL;
}

#endif

const char *
parser_frame(const struct bytes *part, size_t n, bool is_reply,
    struct framing *out)
{
	struct reading r = { .headers_done = false };
	const char *fault = run(part, n, is_reply, &r);
	if (fault == NULL && !r.headers_done)
		fault = "found no end of the header";
	*out = r.frame;
	return fault;
}
