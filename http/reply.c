/*
 * reply - what a server answered us, read by the same scan and the same
 * library as requests.  Our own servers always send Content-Length.
 */
#include <string.h>

#include "scan.h"

static const struct http_limits reply_limits = {
	.line_max = 4096,
	.head_max = 16384,
	.field_max = HTTP_FIELDS_MAX,
};

static enum err_code
bad_reply(struct err *e, const char *why)
{
	err_at(e, ERR_INVALID, "http-reply", "RFC 9112 4", NOWHERE,
	    "what the server sent is not a reply in HTTP/1.1 with a "
	    "Content-Length that is within the limit");
	return err_why(e, "%s", why);
}

static bool
digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the reason may be empty, its space may not be missing. */
static bool
read_status(struct bytes line, int *minor, int *status)
{
	const uint8_t *p = line.p;
	if (line.len < 13 || memcmp(p, "HTTP/1.", 7) != 0)
		return false;
	if ((p[7] != '0' && p[7] != '1') || p[8] != ' ' || p[12] != ' ')
		return false;
	if (!digit(p[9]) || !digit(p[10]) || !digit(p[11]))
		return false;
	*minor = p[7] - '0';
	*status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	return *status >= 200 && *status <= 599;
}

static void
find_type(const struct head *h, struct bytes *type)
{
	*type = BYTES_NONE;
	for (size_t i = 0; i < h->n_field; i++)
		if (http_text_is(h->field[i].name, "content-type"))
			*type = h->field[i].value;
}

enum err_code
http_reply_parse(struct bytes in, size_t body_max, struct http_reply *out,
    size_t *used, struct err *e)
{
	struct http_field field[HTTP_FIELDS_MAX];
	struct head h = { .field = field };
	struct http_framing f;
	struct err inner;
	int minor, ignored;
	*used = 0;
	if (head_scan(in, &reply_limits, &h, &ignored, &inner) != ERR_OK)
		return bad_reply(e, inner.id);
	if (h.end == 0)
		return ERR_OK;
	if (!read_status(h.start, &minor, &out->status))
		return bad_reply(e, "status line");
	if (framing_of(&h, minor, &f, &ignored, &inner) != ERR_OK)
		return bad_reply(e, inner.id);
	/* RFC 9112 6.3: these two have no body, whatever they say. */
	bool bare = out->status == 204 || out->status == 304;
	if (!bare && (!f.has_length || f.length > body_max))
		return bad_reply(e, "no length, or too large");
	if (framing_agree(&h, true, &f, &ignored, &inner) != ERR_OK)
		return bad_reply(e, inner.why);
	size_t len = bare ? 0 : (size_t)f.length;
	if (in.len - h.end < len)
		return ERR_OK;
	find_type(&h, &out->content_type);
	out->body = bytes_of(in.p + h.end, len);
	*used = h.end + len;
	return ERR_OK;
}
