/*
 * framing - where a message's body ends, and whom it is for.  Requests are
 * smuggled through disagreement about exactly these fields, so that each is
 * judged by us and then compared with the library's own reading.
 */
#include <string.h>

#include "parser.h"
#include "scan.h"

/* The next element of a list (RFC 9110 5.6.1), trimmed; false at the end. */
static bool
next_item(struct bytes *list, struct bytes *item)
{
	if (list->len == 0)
		return false;
	size_t n = 0;
	while (n < list->len && list->p[n] != ',')
		n++;
	*item = bytes_of(list->p, n);
	n += n < list->len ? 1 : 0;
	*list = bytes_of(list->p + n, list->len - n);
	while (item->len > 0 && (item->p[0] == ' ' || item->p[0] == '\t'))
		*item = bytes_of(item->p + 1, item->len - 1);
	while (item->len > 0 && (item->p[item->len - 1] == ' ' ||
				    item->p[item->len - 1] == '\t'))
		item->len--;
	return true;
}

static void
read_connection(struct bytes value, struct http_framing *f)
{
	struct bytes item;
	while (next_item(&value, &item)) {
		f->close = f->close || http_text_is(item, "close");
		f->keep_alive =
		    f->keep_alive || http_text_is(item, "keep-alive");
	}
}

static enum err_code
read_length(struct bytes value, struct http_framing *f, int *status,
    struct err *e)
{
	if (f->has_length)
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-length-twice", "RFC 9112 6.3",
			at_field("Content-Length"),
			"Content-Length is there twice; send it once"));
	f->has_length = true;
	f->length = 0;
	bool digits = value.len > 0;
	for (size_t i = 0; i < value.len && digits; i++) {
		unsigned d = (unsigned)value.p[i] - '0';
		digits = d <= 9;
		f->length = f->length > (UINT64_MAX - 9) / 10
				? UINT64_MAX
				: f->length * 10 + d;
	}
	if (digits)
		return ERR_OK;
	return refuse(status, 400,
	    err_at(e, ERR_INVALID, "http-length-form", "RFC 9110 8.6",
		at_field("Content-Length"),
		"Content-Length is not a number; write decimal digits only"));
}

/*
 * RFC 9112 6.1 and 6.3.  Chunked is refused as 411: no client of ours needs
 * it, and its corners are where the libraries differ.
 */
static enum err_code
refuse_coding(struct bytes codings, int minor, int *status, struct err *e)
{
	const struct where at = at_field("Transfer-Encoding");
	if (minor == 0)
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-coding-old", "RFC 9112 6.1",
			at,
			"HTTP/1.0 has no Transfer-Encoding; send "
			"Content-Length"));
	struct bytes item = BYTES_NONE;
	bool chunked = false, known = true;
	while (next_item(&codings, &item)) {
		if (chunked)
			return refuse(status, 400,
			    err_at(e, ERR_INVALID, "http-coding-order",
				"RFC 9112 6.3", at,
				"a transfer coding follows chunked, which must "
				"be the last; send Content-Length instead"));
		chunked = http_text_is(item, "chunked");
		known = known && chunked;
	}
	if (!known || !chunked)
		return refuse(status, 501,
		    err_at(e, ERR_INVALID, "http-coding", "RFC 9112 6.1", at,
			"this transfer coding is not known here; send "
			"Content-Length instead"));
	return refuse(status, 411,
	    err_at(e, ERR_INVALID, "http-chunked", "RFC 9112 6.3", at,
		"chunked bodies are not taken here; send Content-Length"));
}

static enum err_code
read_host(struct bytes value, struct http_framing *f, int *status,
    struct err *e)
{
	if (f->has_host)
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-host-twice", "RFC 9112 3.2",
			at_field("Host"), "Host is there twice; send it once"));
	f->has_host = true;
	f->host = value;
	return ERR_OK;
}

/*
 * http-parser takes every name that begins with Transfer-Encoding for it,
 * llhttp does not.  No such field exists; whoever sends one wants that doubt.
 */
static enum err_code
judge_lookalike(struct bytes name, int *status, struct err *e)
{
	if (name.len < 18 ||
	    !http_text_is(bytes_of(name.p, 17), "transfer-encoding"))
		return ERR_OK;
	return refuse(status, 400,
	    err_at(e, ERR_INVALID, "http-coding-name", "RFC 9112 11.2",
		at_field("Transfer-Encoding"),
		"the name of a field begins with Transfer-Encoding and goes "
		"on; leave that field out"));
}

/* Fields are told apart by length first: most are none of these. */
static enum err_code
read_field(const struct http_field *field, struct http_framing *f,
    struct bytes *codings, int *status, struct err *e)
{
	switch (field->name.len) {
	case 4:
		if (http_text_is(field->name, "host"))
			return read_host(field->value, f, status, e);
		break;
	case 10:
		if (http_text_is(field->name, "connection"))
			read_connection(field->value, f);
		break;
	case 14:
		if (http_text_is(field->name, "content-length"))
			return read_length(field->value, f, status, e);
		break;
	case 17:
		if (!http_text_is(field->name, "transfer-encoding"))
			break;
		if (codings->p != NULL)
			return refuse(status, 400,
			    err_at(e, ERR_INVALID, "http-coding-twice",
				"RFC 9112 6.3", at_field("Transfer-Encoding"),
				"Transfer-Encoding is there twice; send "
				"Content-Length instead"));
		*codings = field->value;
		break;
	default:
		return judge_lookalike(field->name, status, e);
	}
	return ERR_OK;
}

enum err_code
framing_of(const struct head *h, int minor, struct http_framing *out,
    int *status, struct err *e)
{
	struct bytes codings = BYTES_NONE;
	*out = (struct http_framing){ .has_host = false };
	for (size_t i = 0; i < h->n_field; i++)
		TRY(read_field(&h->field[i], out, &codings, status, e));
	if (codings.p != NULL && out->has_length)
		return refuse(status, 400,
		    err_at(e, ERR_INVALID, "http-length-and-coding",
			"RFC 9112 6.3", at_field("Transfer-Encoding"),
			"Content-Length and Transfer-Encoding stand side by "
			"side; send Content-Length alone"));
	if (codings.p != NULL)
		return refuse_coding(codings, minor, status, e);
	/* RFC 9112 9.3: close wins; 1.1 goes on unless told otherwise. */
	out->keep_alive = !out->close && (minor >= 1 || out->keep_alive);
	return ERR_OK;
}

/*
 * The library walks a target octet by octet, for most of its time, and the
 * target has no say in framing: it was judged by class and is read as "/".
 */
static size_t
split_block(const struct head *h, bool is_reply, struct bytes part[3])
{
	const uint8_t *end = h->block.p + h->block.len;
	const uint8_t *space = memchr(h->start.p, ' ', h->start.len);
	const size_t version = sizeof(" HTTP/1.1") - 1;
	if (is_reply || space == NULL || h->start.len < version) {
		part[0] = h->block;
		return 1;
	}
	const uint8_t *rest = h->start.p + h->start.len - version;
	part[0] = bytes_of(h->block.p, (size_t)(space + 1 - h->block.p));
	part[1] = bytes_str("/");
	part[2] = bytes_of(rest, (size_t)(end - rest));
	return 3;
}

enum err_code
framing_agree(const struct head *h, bool is_reply, struct http_framing *f,
    int *status, struct err *e)
{
	struct framing other;
	struct bytes part[3];
	size_t names = 0;
	for (size_t i = 0; i < h->n_field; i++)
		names += h->field[i].name.len;
	const char *fault = parser_frame(part, split_block(h, is_reply, part),
	    is_reply, &other);
	if (fault == NULL &&
	    (other.names != names || other.has_length != f->has_length ||
		other.length != f->length))
		fault = "other fields or another length";
	if (fault == NULL) {
		f->keep_alive = f->keep_alive && other.keep_alive;
		return ERR_OK;
	}
	err_at(e, ERR_INVALID, "http-disagree", "RFC 9112 11.2", NOWHERE,
	    "two readings of this header differ; send plain HTTP/1.1");
	return refuse(status, 400, err_why(e, "parser: %s", fault));
}

static bool
port_valid(struct bytes port)
{
	unsigned n = 0;
	for (size_t i = 0; i < port.len; i++) {
		if (port.p[i] < '0' || port.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(port.p[i] - '0');
		if (n > 65535)
			return false;
	}
	return true;
}

/* Octets of "[…]" at the front, 0 if that is no address in brackets. */
static size_t
bracket_len(struct bytes host)
{
	size_t n = 1;
	while (n < host.len && host.p[n] != ']') {
		uint8_t c = host.p[n++];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			   (c >= 'A' && c <= 'F');
		if (!hex && c != ':' && c != '.')
			return 0;
	}
	return n < host.len && n > 2 ? n + 1 : 0;
}

bool
host_valid(struct bytes host)
{
	size_t n = 0;
	if (host.len == 0)
		return false;
	if (host.p[0] == '[')
		n = bracket_len(host);
	else
		while (n < host.len && host.p[n] != ':')
			n++;
	if (n == 0)
		return false;
	if (host.p[0] != '[' && !char_all(bytes_of(host.p, n), CH_HOST))
		return false;
	if (n == host.len)
		return true;
	return host.p[n] == ':' &&
	       port_valid(bytes_of(host.p + n + 1, host.len - n - 1));
}
